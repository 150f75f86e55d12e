"""Crowds that are replayed, and how many judgments a policy needs beside fixed redundancy, read off its curves."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.optimize import isotonic_regression

import consensus

ROOT = Path(__file__).resolve().parents[2]
if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from consensus.found.result import Consensus
    from consensus.inputs.judgments import Judgments
    from tests import other_crowds
    from tests.benchmarks.accuracy import DATASETS
else:  # run as a script, its own folder is on the path
    from accuracy import DATASETS

    sys.path.append(str(ROOT))
    from tests import other_crowds

    NDArray = np.ndarray

OTHER = {"hard, 2 labels": (2, 1.0), "very hard, 2 labels": (2, 2.0), "very hard, 4 labels": (4, 2.0)}
"""Crowds of item response models: labels, and how much items differ in difficulty, in logits."""
SETS = ("bluebird", "sentiment", "cf_amt", "rte", "face", "sp", "web", "zencrowd_us", *OTHER)
UNEVEN: dict[str, tuple[tuple[float, ...], float]] = {
    "even": ((0.5, 0.5), 0.7),
    "95 : 5": ((0.95, 0.05), 0.7),
    "95 : 5, good": ((0.95, 0.05), 0.85),
    "80 : 20": ((0.8, 0.2), 0.7),
    "five labels": ((0.5, 0.25, 0.15, 0.07, 0.03), 0.65),
    "one of five": ((0.8, 0.05, 0.05, 0.05, 0.05), 0.8),
}
"""Simulated crowds: how common the labels are, and the mean accuracy of the workers."""
MOST_ITEMS = 1000
REDUNDANCIES = (3, 4, 5, 7)
SAME = 1e-9  # posteriors that differ by less are tied

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Judgments, ascending, and the accuracy with so many."""


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """Judgments of at most a thousand items, and their truth."""

    judgments: Judgments
    truth: NDArray[np.int64]
    """(I,) code of the true label, -1 where it is unknown or nobody gave it."""

    def fixed(self, redundancy: int) -> int:
        """Judgments of fixed redundancy, as far as an item has so many."""
        return int(np.minimum(self.judgments.per_item, redundancy).sum())


def crowd(name: str, seed: int, most: int = MOST_ITEMS) -> Crowd:
    """A public data set; where it is larger, ``most`` items drawn at random. Or a simulated one."""
    if name in OTHER:
        n_labels, difficulty_sd = OTHER[name]
        recipe = other_crowds.Recipe(min(most, 600), n_labels=n_labels, difficulty_sd=difficulty_sd, per_item=8.0)
        other = other_crowds.draw(recipe, seed)
        return thinned(other.table, other.truth, seed, most)
    if name in UNEVEN:
        prior, accuracy = UNEVEN[name]
        drawn = consensus.simulate(min(most, 600), 60, len(prior), 8, accuracy=accuracy, prior=prior, seed=seed)
        return thinned(drawn.judgments_table(), drawn.truth_table(), seed, most)
    folder = DATASETS / name
    table, truth = (
        pd.read_csv(folder / file, dtype=str, keep_default_na=False) for file in ("judgments.csv", "truth.csv")
    )
    return thinned(table, truth, seed, most)


def thinned(table: pd.DataFrame, truth: pd.DataFrame, seed: int, most: int) -> Crowd:
    """At most so many items of judgments and truth (item, label)."""
    items = np.sort(table["item"].unique())
    if len(items) > most:
        items = np.random.default_rng(seed).permutation(items)[:most]
    judgments = consensus.read(table[table["item"].isin(items)])
    code = {label: k for k, label in enumerate(judgments.labels)}
    known = dict(zip(truth["item"], truth["label"], strict=True))
    true = [code.get(known.get(item, ""), -1) for item in judgments.item_ids.to_pylist()]
    return Crowd(judgments, np.array(true, np.int64))


def accuracy(result: Consensus, truth: NDArray[np.int64]) -> float:
    """Share of the items with truth that are right; tied labels share the credit."""
    known = np.flatnonzero(truth >= 0)
    z = result.beliefs.dense(known)
    tied = z > z.max(axis=1, keepdims=True) - SAME
    return float((tied[np.arange(len(known)), truth[known]] / tied.sum(axis=1)).mean())


def crossing(x: NDArray[np.float64], y: NDArray[np.float64], level: float) -> float:
    """Where ``y``, which never falls, reaches ``level``: the middle of the first and the last such place.

    On a plateau the first alone would be too early. The last ``x`` where it is never reached.
    """
    if y[-1] < level:
        return float(x[-1])

    def between(k: int) -> float:
        return float(x[0] if k == 0 else x[k - 1] + (x[k] - x[k - 1]) * (level - y[k - 1]) / (y[k] - y[k - 1]))

    first = between(int(np.argmax(y >= level)))
    above = np.flatnonzero(y > level + 1e-12)
    return (first + max(between(int(above[0])), first)) / 2 if len(above) else first


def mean_curve(curves: Sequence[Curve], grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean accuracy at each point of the grid, made monotone."""
    return np.asarray(isotonic_regression(np.mean([np.interp(grid, *curve) for curve in curves], axis=0)).x)


def ratio(curves: Sequence[Curve], uniform: Sequence[Curve], fixed: Sequence[float]) -> tuple[float, float]:
    """Judgments to be as right as fixed redundancy, as a share of its, and the standard error.

    One curve a seed of the policy and of uniform, and what fixed redundancy takes. The error is a jackknife's over
    the seeds, NaN with one seed.
    """
    S = len(curves)

    def of(chosen: list[int]) -> float:
        n = float(np.mean([fixed[s] for s in chosen]))
        mine, theirs = ([found[s] for s in chosen] for found in (curves, uniform))
        x, grid = (np.unique(np.concatenate([curve[0] for curve in some])) for some in (mine, theirs))
        level = float(np.interp(n, grid, mean_curve(theirs, grid)))
        return crossing(x, mean_curve(mine, x), level) / n

    whole = of(list(range(S)))
    without = np.array([of([s for s in range(S) if s != one]) for one in range(S)] if S > 1 else [np.nan])
    return whole, float(np.sqrt((S - 1) / S * ((without - without.mean()) ** 2).sum()))
