"""Model votes beside human judgments: error and calibration on CIFAR-10H and on a simulation, and what they cost.

    python tests/benchmarks/models.py [--peers-python PATH] [--no-peers] [--speed] [--scale N]

The images are no part of the project: CONSENSUS_DATASETS names the folder of cifar10h_dev. Prints Markdown tables. The
exit status is 1 where an acceptance figure is not met.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import consensus
from consensus import evaluation
from consensus.formats import read_model_votes
from consensus.simulation import simulate_votes, votes_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from consensus.inputs.model_votes import ModelVotes
    from tests.benchmarks import models_speed, peers
    from tests.benchmarks.accuracy import DATASETS, PEER_ITERATIONS
else:  # run as a script, its own folder is on the path
    import models_speed
    import peers
    from accuracy import DATASETS, PEER_ITERATIONS

PEOPLE = (1, 2, 3)
SEEDS = (0, 1, 2, 3, 4)
N_ITEMS, N_LABELS, HUMAN, MODEL, SHARED, N_MODELS = 2000, 5, 0.75, 0.80, 0.6, 5
MOST_ERROR, MOST_LOG_LOSS = (2.0, 1.4, 1.2), (0.078, 0.075, 0.075)  # on the images, by judgments an item
MOST_ERROR_SIMULATED, MOST_ECE_SIMULATED = 4.6, 2.0
OURS, FAMILY = "consensus, with model votes", "consensus, one family of models"


@dataclass(frozen=True, slots=True)
class Row:
    """What one method reached; in a mean of several, that of each."""

    error: float
    """Per cent; tied best labels share the credit."""
    log_loss: float
    """Nats, probabilities clipped at 1e-6."""
    ece: float
    """Per cent, ten bins of the top label."""

    @classmethod
    def of(cls, posteriors: pd.DataFrame, truth: consensus.Gold) -> Row:
        scores, _ = evaluation.evaluate(posteriors, truth)
        assert scores.log_loss is not None
        assert scores.ece is not None
        return cls(100 * (1 - scores.accuracy), scores.log_loss, 100 * scores.ece)

    @classmethod
    def mean(cls, rows: Sequence[Row]) -> Row:
        n = len(rows)
        error, log_loss = sum(row.error for row in rows) / n, sum(row.log_loss for row in rows) / n
        return cls(error, log_loss, sum(row.ece for row in rows) / n)


REFUSED = Row(np.nan, np.nan, np.nan)
"""Of a method that does not take the input: cleanlab wants more than one worker."""


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Items that people and models saw."""

    judgments: pd.DataFrame
    """One row a judgment: item, worker, label; every worker judged every item."""
    truth: consensus.Gold
    votes: ModelVotes
    """Every model said probabilities of every item."""

    @classmethod
    def read(cls, folder: Path) -> Images:
        """judgments.csv, truth.csv and model_votes.csv."""
        return cls(
            judgments=pd.read_csv(folder / "judgments.csv", dtype=str, keep_default_na=False),
            truth=consensus.read_gold(folder / "truth.csv"),
            votes=read_model_votes(folder / "model_votes.csv"),
        )

    @property
    def items(self) -> list[str]:
        """Sorted."""
        return list(self.votes.item_ids.to_pylist())

    @property
    def labels(self) -> list[str]:
        """Sorted."""
        return list(self.votes.labels)

    @property
    def probability(self) -> NDArray[np.float64]:
        """(M, I, K) what each model says; rows sum to 1."""
        votes = self.votes
        q = votes.probability[votes.row].reshape(len(votes.item_ids), votes.n_models, len(votes.labels))
        return q.transpose(1, 0, 2).astype(np.float64)

    def first(self, n: int) -> pd.DataFrame:
        """The judgments of the first ``n`` workers."""
        chosen = sorted(self.judgments["worker"].unique())[:n]
        return self.judgments[self.judgments["worker"].isin(chosen)]

    def as_given(self, judgments: pd.DataFrame) -> pd.DataFrame:
        """Posteriors that take the one judgment of every item for certain: alone, it has no confidence."""
        label = judgments.set_index("item")["label"][self.items].to_numpy()
        return self.posteriors((label[:, None] == np.array(self.labels)).astype(np.float64))

    def posteriors(self, probability: NDArray[np.float64]) -> pd.DataFrame:
        """``probability`` (I, K) as a table: item, then one column a label."""
        return pd.DataFrame(probability, columns=self.labels).assign(item=self.items)


def as_workers(votes: ModelVotes) -> pd.DataFrame:
    """The labels that models name, as judgments: item, worker, label."""
    named = votes_table(replace(votes, row=np.full_like(votes.row, -1)))
    return named.rename(columns={"model": "worker"})[["item", "worker", "label"]]


def crowd_kit(python: Path, judgments: pd.DataFrame) -> pd.DataFrame:
    """Posteriors of crowd-kit's Dawid-Skene."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "judgments.csv"
        judgments.to_csv(path, index=False)
        return peers.dawid_skene(python, path, PEER_ITERATIONS).posteriors


def cleanlab(python: Path, images: Images, judgments: pd.DataFrame) -> pd.DataFrame:
    """What cleanlab finds in judgments and probabilities: its label with its quality, the rest spread evenly."""
    code = judgments["label"].map({label: k for k, label in enumerate(images.labels)})
    table = judgments.assign(label=code).pivot_table(index="item", columns="worker", values="label")
    label, quality = peers.ensemble(python, table.loc[images.items].to_numpy(), images.probability)
    spread = np.repeat((1 - quality)[:, None] / (len(images.labels) - 1), len(images.labels), axis=1)
    spread[np.arange(len(label)), label] = quality
    return images.posteriors(spread)


def on_images(images: Images, people: Sequence[int], python: Path | None) -> dict[str, list[Row]]:
    """Every method, by judgments an item."""
    found: dict[str, list[Row]] = {}

    def add(method: str, posteriors: pd.DataFrame) -> None:
        found.setdefault(method, []).append(Row.of(posteriors, images.truth))

    votes = images.votes
    singles = [images.posteriors(q) for q in images.probability]
    for n in people:
        judgments = images.first(n)
        both = pd.concat([judgments, as_workers(votes)])
        add(OURS, consensus.fit(judgments, model_votes=votes).posteriors)
        add("best single model", min(singles, key=lambda one: Row.of(one, images.truth).error))
        add(
            "consensus, people only",
            images.as_given(judgments) if n == 1 else consensus.fit(judgments, model="dawid_skene").posteriors,
        )
        add("consensus, models as workers", consensus.fit(both, model="dawid_skene").posteriors)
        if python is not None:
            add("crowd-kit DawidSkene, models as workers", crowd_kit(python, both))
            if n == 1:
                found["cleanlab ensemble"] = [REFUSED]
            else:
                add("cleanlab ensemble", cleanlab(python, images, judgments))
    return found


def simulated(seeds: Sequence[int], python: Path | None, n_items: int = N_ITEMS) -> dict[str, list[Row]]:
    """Every method, by seed: three people, and five models that share mistakes and only name labels."""
    found: dict[str, list[Row]] = {}
    off = (1 - HUMAN) / (N_LABELS - 1)
    person = np.full((N_LABELS, N_LABELS), off) + (HUMAN - off) * np.eye(N_LABELS)
    for seed in seeds:
        drawn = consensus.simulate(n_items, confusion=[person] * 3, per_item=3, seed=seed)
        votes = simulate_votes(drawn, N_MODELS, accuracy=MODEL, shared=SHARED, seed=seed)
        truth = consensus.read_gold(drawn.truth_table())
        both = pd.concat([drawn.judgments_table(), as_workers(votes)])
        posteriors = {
            FAMILY: consensus.fit(drawn.judgments, model_votes=votes).posteriors,
            "consensus, as if the models were independent": consensus.fit(
                drawn.judgments, model_votes=replace(votes, families=votes.models), model_tests="off"
            ).posteriors,
            "consensus, people only": consensus.fit(drawn.judgments, model="dawid_skene").posteriors,
            "majority vote of all": consensus.fit(both, model="majority_vote").posteriors,
        }
        if python is not None:
            posteriors["crowd-kit DawidSkene, models as workers"] = crowd_kit(python, both)
        for method, one in posteriors.items():
            found.setdefault(method, []).append(Row.of(one, truth))
    return found


def images_table(found: dict[str, list[Row]], people: Sequence[int]) -> str:
    """Markdown: one line a method, each figure by judgments an item."""
    by = " / ".join(map(str, people))
    lines = [f"| method | error %, {by} humans | log loss | ECE % |", "|---|--:|--:|--:|"]
    for method, rows in found.items():
        error, ece = (" / ".join(f"{x:.2f}" for x in xs) for xs in ([r.error for r in rows], [r.ece for r in rows]))
        lines.append(f"| {method} | {error} | {' / '.join(f'{row.log_loss:.3f}' for row in rows)} | {ece} |")
    return "\n".join(lines)


def simulated_table(found: dict[str, list[Row]]) -> str:
    """Markdown: one line a method, the mean over the seeds."""
    lines = ["| method | error % | log loss | ECE % |", "|---|--:|--:|--:|"]
    for method, rows in found.items():
        row = Row.mean(rows)
        lines.append(f"| {method} | {row.error:.2f} | {row.log_loss:.3f} | {row.ece:.2f} |")
    return "\n".join(lines)


def acceptance(images: dict[str, list[Row]], simulation: dict[str, list[Row]]) -> dict[str, bool]:
    """The acceptance figures and whether they are met."""
    found = {}
    for n, row, error, log_loss in zip(PEOPLE, images[OURS], MOST_ERROR, MOST_LOG_LOSS, strict=True):
        found[f"images, humans an item {n}: error {row.error:.2f} %, at most {error:g} %"] = row.error <= error
        text = f"images, humans an item {n}: log loss {row.log_loss:.3f} nats, at most {log_loss:g}"
        found[text] = row.log_loss <= log_loss
    ours = Row.mean(simulation[FAMILY])
    text = f"simulation: error {ours.error:.2f} %, at most {MOST_ERROR_SIMULATED:g} %"
    found[text] = ours.error <= MOST_ERROR_SIMULATED
    text = f"simulation: ECE {ours.ece:.2f} %, at most {MOST_ECE_SIMULATED:g} %"
    return {**found, text: ours.ece <= MOST_ECE_SIMULATED}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-peers", action="store_true", help="leave the peers out")
    parser.add_argument("--speed", action="store_true", help="also time ten million judgments with and without votes")
    parser.add_argument("--scale", type=int, default=1, help="divide the sizes of --speed, for a try-out")
    peers.add_option(parser)
    options = parser.parse_args()

    python = None if options.no_peers else peers.interpreter(options.peers_python)
    images = on_images(Images.read(DATASETS / "cifar10h_dev"), PEOPLE, python)
    simulation = simulated(SEEDS, python)
    sys.stdout.write(f"{images_table(images, PEOPLE)}\n\n{simulated_table(simulation)}\n")
    figures = acceptance(images, simulation)
    if options.speed:
        timed = models_speed.timed(options.scale)
        sys.stdout.write(f"\n{models_speed.table(timed)}\n")
        figures |= models_speed.acceptance(timed, full=options.scale == 1)
    sys.stdout.write("\n" + "".join(f"- {text}: {'met' if met else 'not met'}\n" for text, met in figures.items()))
    return 0 if all(figures.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
