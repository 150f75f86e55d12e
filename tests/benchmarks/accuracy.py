"""Accuracy and calibration on public crowd data with truth: majority vote, crowd-kit's Dawid-Skene, and ours.

    python tests/benchmarks/accuracy.py [--sets NAME ...] [--peers-python PATH] [--no-peers]

The data sets are no part of the project: CONSENSUS_DATASETS names their folder. Prints a Markdown table. The exit
status is 1 where an acceptance figure is not met.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import consensus
from consensus import evaluation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks import peers
else:  # run as a script, its own folder is on the path
    import peers

DATASETS = Path(os.environ.get("CONSENSUS_DATASETS") or peers.ROOT.parent / "shared" / "datasets")
SETS = ("bluebird", "cf_amt", "face", "rte", "sentiment", "sp", "web", "zencrowd_us")
PEER_ITERATIONS = 100  # crowd-kit's default n_iter
FIGURES = {"consensus": (86.1, 0.408, 7.6), "consensus, dawid_skene": (86.0, 0.435, 9.2)}
"""Of every method: the least mean accuracy, and the most mean log loss and ECE."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one method reached on one data set."""

    method: str
    accuracy: float
    """Per cent; tied best labels share the credit."""
    log_loss: float
    """Nats, probabilities clipped at 1e-6."""
    ece: float
    """Per cent, ten bins of the top label."""
    passes: int | None = None
    rho: float | None = None

    @classmethod
    def of(cls, method: str, scores: evaluation.Scores, passes: int | None = None, rho: float | None = None) -> Row:
        assert scores.log_loss is not None
        assert scores.ece is not None
        return cls(method, 100 * scores.accuracy, scores.log_loss, 100 * scores.ece, passes, rho)


def compared(name: str, peers_python: Path | None) -> list[Row]:
    """Every method on one data set, scored by one function over the items with truth.

    All get the same file. cf_amt and zencrowd_us have rows where a worker judged an item again: ours and the majority
    keep the last of them, as ``consensus.read`` does by default; crowd-kit counts every row.
    """
    path = DATASETS / name / "judgments.csv"
    truth = consensus.read_gold(DATASETS / name / "truth.csv")
    judgments = consensus.read(path)
    votes = consensus.fit(judgments, model="majority_vote")
    rows = [Row.of("majority vote", evaluation.evaluate(votes.posteriors, truth)[0])]
    if peers_python is not None:
        peer = peers.dawid_skene(peers_python, path, PEER_ITERATIONS)
        rows.append(Row.of(peer.name, evaluation.evaluate(peer.posteriors, truth)[0], peer.passes))
    for method, model in zip(FIGURES, (None, "dawid_skene"), strict=True):
        ours = consensus.fit(judgments, model=model)
        scores, _ = evaluation.evaluate(ours.posteriors, truth)
        rows.append(Row.of(method, scores, ours.convergence.iterations, ours.rho))
    return rows


def mean(rows: Sequence[Row]) -> Row:
    """The unweighted mean of one method over data sets."""
    n = len(rows)
    accuracy, log_loss = sum(row.accuracy for row in rows) / n, sum(row.log_loss for row in rows) / n
    return Row(rows[0].method, accuracy, log_loss, sum(row.ece for row in rows) / n)


def table(found: dict[str, list[Row]]) -> str:
    """Markdown: one line a data set and method."""
    lines = ["| data set | method | accuracy % | log loss | ECE % | passes | rho |", "|---|---|--:|--:|--:|--:|--:|"]
    for name, rows in found.items():
        for row in rows:
            passes = "" if row.passes is None else row.passes
            rho = "" if row.rho is None else f"{row.rho:.2f}"
            figures = f"{row.accuracy:.2f} | {row.log_loss:.3f} | {row.ece:.2f}"
            lines.append(f"| {name} | {row.method} | {figures} | {passes} | {rho} |")
    return "\n".join(lines)


def acceptance(ours: Row) -> dict[str, bool]:
    """The acceptance figures of a method and whether they are met."""
    accuracy, log_loss, ece = FIGURES[ours.method]
    return {
        f"{ours.method}: mean accuracy {ours.accuracy:.2f} %, at least {accuracy} %": ours.accuracy >= accuracy,
        f"{ours.method}: mean log loss {ours.log_loss:.3f} nats, at most {log_loss}": ours.log_loss <= log_loss,
        f"{ours.method}: mean ECE {ours.ece:.2f} %, at most {ece:g} %": ours.ece <= ece,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS, metavar="NAME", help=" ".join(SETS))
    parser.add_argument("--no-peers", action="store_true", help="leave the peers out")
    peers.add_option(parser)
    options = parser.parse_args()

    python = None if options.no_peers else peers.interpreter(options.peers_python)
    found = {name: compared(name, python) for name in options.sets}
    means = [mean(rows) for rows in zip(*found.values(), strict=True)]
    sys.stdout.write(table({**found, "mean": means}) + "\n")
    if set(options.sets) != set(SETS):
        sys.stdout.write("\nThe acceptance figures are those of all eight sets.\n")
        return 0
    figures = {text: met for row in means if row.method in FIGURES for text, met in acceptance(row).items()}
    sys.stdout.write("\n" + "".join(f"- {text}: {'met' if met else 'not met'}\n" for text, met in figures.items()))
    return 0 if all(figures.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
