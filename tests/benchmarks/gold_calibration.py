"""What calibration on gold does on public crowds: items that are not gold, beside the same items without gold.

    python tests/benchmarks/gold_calibration.py [--sets NAME ...] [--gold 50 100] [--seeds 10] [--candidates NAME ...]

Every draw takes other gold items at random, of those with truth. The everyday rule accepts from .95 on. A set is left
out of a number of gold items that is more than half of its items. The data sets are no part of the project:
CONSENSUS_DATASETS names their folder. Prints a Markdown table for each number of gold items: means over draws, then the
mean over sets, and last what was worst of any set against no gold. The exit status is 1 where FIGURES are not met.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import consensus
from consensus.models import calibrating

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.result import Consensus
    from tests.benchmarks import markdown_tables
    from tests.benchmarks.accuracy import DATASETS, SETS

    Reals = NDArray[np.float64]
else:  # run as a script, its own folder is on the path
    import markdown_tables
    from accuracy import DATASETS, SETS

PANEL = "llm_panel_dev"
TARGET, N_BINS = 0.95, 10
FIGURES = {50: (86.9, 0.372, 4.2), 100: (86.8, 0.370, 3.9)}
"""By gold items: the least mean accuracy of the eight sets, and the most mean log loss and ECE."""
PANEL_FIGURES = {100: 0.221, 300: 0.216, 1000: 0.217}
"""By gold items: the most mean log loss of the panel; its accuracy may lie so far below the base rate:"""
BELOW_BASE = 0.3  # points
WORST = (0.4, 0.02)  # points of accuracy, and nats, that a set may lose against no gold
HEAD = ["data set", "no gold: accuracy", "log loss", "ECE", "gold: accuracy", "log loss", "ECE", "accepted", "wrong"]


@dataclass(frozen=True, slots=True)
class Crowd:
    """A data set."""

    judgments: Any
    votes: Any
    truth: pd.DataFrame
    without: Consensus

    @classmethod
    def of(cls, name: str) -> Crowd:
        folder = DATASETS / name
        votes = folder / "model_votes.csv" if name == PANEL else None
        judgments = None if name == PANEL else consensus.read(folder / "judgments.csv")
        truth = pd.read_csv(folder / "truth.csv", dtype=str, keep_default_na=False)
        return cls(judgments, votes, truth, consensus.fit(judgments, model_votes=votes))

    def codes(self) -> NDArray[np.int64]:
        """(I,) the true label, -1 where it is not known."""
        judgments = self.without.judgments
        known = dict(zip(self.truth["item"], self.truth["label"], strict=True))
        place = {label: code for code, label in enumerate(judgments.labels)}
        return np.array([place.get(known.get(item, ""), -1) for item in judgments.item_ids.to_pylist()])


def scores(posterior: Reals, truth: NDArray[np.int64]) -> list[float]:
    """Accuracy (per cent), log loss (nats), ECE (per cent), share accepted, and share of these that is wrong."""
    best, sure = posterior.argmax(axis=1), posterior.max(axis=1)
    right, n = best == truth, len(truth)
    log_loss = -np.log(np.clip(posterior[np.arange(n), truth], 1e-6, 1.0)).mean()
    bins = np.minimum((sure * N_BINS).astype(int), N_BINS - 1)
    ece = sum(abs((sure - right)[bins == b].sum()) for b in range(N_BINS)) / n
    accepted = sure >= TARGET
    wrong = 100 * float((~right[accepted]).mean()) if accepted.any() else np.nan
    return [100 * float(right.mean()), float(log_loss), 100 * float(ece), float(accepted.mean()), wrong]


def drawn(crowd: Crowd, n_gold: int, seed: int) -> list[float]:
    """Without gold, with gold: the scores of the other items."""
    truth = crowd.codes()
    known = np.flatnonzero(truth >= 0)
    chosen = np.sort(np.random.default_rng(seed).choice(known, n_gold, replace=False))
    labels = np.array(crowd.without.judgments.labels)[truth[chosen]]
    items = np.array(crowd.without.judgments.item_ids.to_pylist())[chosen]
    gold = pd.DataFrame({"item": items, "label": labels})
    result = consensus.fit(crowd.judgments, model_votes=crowd.votes, gold=gold)
    others = np.setdiff1d(known, chosen)
    base = 100 * np.bincount(truth[others]).max() / len(others)
    return [
        *scores(crowd.without.posterior[others], truth[others]),
        *scores(result.posterior[others], truth[others]),
        base,
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    parser.add_argument("--gold", nargs="*", type=int, default=[50, 100])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--candidates", nargs="*", default=list(calibrating.CANDIDATES))
    given = parser.parse_args()
    for name in set(calibrating.CANDIDATES) - set(given.candidates):
        del calibrating.CANDIDATES[name]
    crowds = {name: Crowd.of(name) for name in given.sets}
    failed = False
    for n_gold in given.gold:
        found = {
            name: np.array([drawn(crowd, n_gold, seed) for seed in range(given.seeds)])
            for name, crowd in crowds.items()
            if 2 * n_gold <= crowd.without.judgments.n_items
        }
        means = {name: np.nanmean(draws, axis=0) for name, draws in found.items()}
        rows = [(name, *cells(mean)) for name, mean in means.items()]
        mean = np.nanmean(np.stack(list(means.values())), axis=0)
        table = markdown_tables.table(HEAD, [*rows, ("mean", *cells(mean))])
        sys.stdout.write(f"\n{n_gold} gold items, {given.seeds} draws\n\n{table}\n")
        lost = {name: (one[0] - one[5], one[6] - one[1]) for name, one in means.items()}
        worst = [max((one[at], name) for name, one in lost.items())[1] for at in range(2)]
        wrong = np.concatenate([draws[:, 9] for draws in found.values()])
        sys.stdout.write(
            f"\nworst set against no gold: accuracy {-lost[worst[0]][0]:+.2f} ({worst[0]}), log loss "
            f"{lost[worst[1]][1]:+.3f} ({worst[1]}); more than 5 % of the accepted wrong in "
            f"{np.mean(wrong > 100 * (1 - TARGET)):.1%} of {len(wrong)} draws; base rate {mean[10]:.2f}\n"
        )
        sys.stdout.flush()
        if tuple(given.sets) == SETS and n_gold in FIGURES:
            least, most, ece = FIGURES[n_gold]
            failed |= mean[5] < least or mean[6] > most or mean[7] > ece
            failed |= lost[worst[0]][0] > WORST[0] or lost[worst[1]][1] > WORST[1]
        if given.sets == [PANEL] and n_gold in PANEL_FIGURES:
            failed |= mean[6] > PANEL_FIGURES[n_gold] or mean[5] < mean[10] - BELOW_BASE
    return int(failed)


def cells(mean: Reals) -> list[str]:
    """The figures of one row."""
    accuracy, log_loss, ece, _, _, *gold = mean.tolist()
    return [
        *(f"{accuracy:.2f}", f"{log_loss:.4f}", f"{ece:.2f}", f"{gold[0]:.2f}", f"{gold[1]:.4f}", f"{gold[2]:.2f}"),
        *(f"{gold[3]:.2f}", f"{gold[4]:.2f}"),
    ]


if __name__ == "__main__":
    sys.exit(main())
