"""Whether gold looks drawn at random: what a fit that has not seen it says of it and of the other items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]

BY_CHANCE = 0.01
"""Probability of so large a distance below which gold does not look random: one warning in a hundred is false."""
HARDLY_RANDOM = 1e-3
"""The same of mean posteriors: that bound is wide, so that far fewer warnings than this are false."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """How gold compares with the other items."""

    n_gold: int
    n_others: int
    surer: float
    """Mean confidence of gold items less that of the others; NaN where one of them is empty."""
    ks_distance: float
    ks_p: float
    """How far their confidences differ, and the probability of so much by chance (``kolmogorov_smirnov``)."""
    means_p: float = 1.0
    """At most so probable is such a difference of mean posteriors (``chance_of_difference``); 1 if not looked at."""

    @classmethod
    def of(cls, gold: Reals, others: Reals, means_p: float = 1.0) -> Drawing:
        """From the confidences of gold items (n,) and of the ``others`` (m,)."""
        surer = float(gold.mean() - others.mean()) if len(gold) and len(others) else np.nan
        return cls(len(gold), len(others), surer, *kolmogorov_smirnov(gold, others), means_p)

    @property
    def looks_random(self) -> bool:
        """Gold may have been drawn at random, for all that can be seen."""
        return not (self.ks_p < BY_CHANCE or self.means_p < HARDLY_RANDOM)  # NaN does not tell


def kolmogorov_smirnov(some: Reals, others: Reals) -> tuple[float, float]:
    """The largest distance of two distribution functions, and the probability of so much by chance (asymptotic).

    Kolmogorov and Smirnov's two-sample test of ``some`` (n,) against ``others`` (m,). With many equal values the
    probability is too high, so that it warns less often. NaN where one of them is empty.
    """
    n, m = len(some), len(others)
    if not n or not m:
        return np.nan, np.nan
    from scipy.special import kolmogorov

    some = np.sort(some)  # between two of these one function is level: the distance is largest at or just below one
    distance = 0.0
    for side in ("left", "right"):  # of the others those up to each, then those below it
        up_to = np.cumsum(np.bincount(np.searchsorted(some, others, side=side), minlength=n)[:n]) / m
        own = np.searchsorted(some, some, side="right" if side == "left" else "left") / n
        distance = max(distance, float(np.abs(up_to - own).max()))
    return distance, float(kolmogorov(distance * np.sqrt(n * m / (n + m))))


def chance_of_difference(predicted: Reals, mean: Reals, mean_square: Reals) -> float:
    """How likely random gold differs from all items as much as this, at most: near 0, it was hardly drawn at random.

    What is compared is the mean posterior of each label, and the mean over items of sum_k f_k^2, which tells how sure
    they are. Each difference is bounded by Bernstein's inequality, which also holds for draws without replacement
    (Hoeffding 1963, section 6); the least bound counts, times their number. So the alarm is rarer than it says,
    whatever the posteriors.

    Parameters
    ----------
    predicted
        (G, K) posteriors of the gold items.
    mean, mean_square
        (K,) means of f and f^2 over all items.

    Returns
    -------
    float
        In [0, 1].
    """
    G, K = predicted.shape
    sure, all_sure = float((predicted * predicted).sum(axis=1).mean()), float(mean_square.sum())
    differences = np.append(np.abs(predicted.mean(axis=0) - mean), abs(sure - all_sure))
    variances = np.append(mean_square - mean**2, (1.0 - all_sure) * (all_sure - 1.0 / K))  # the last: at most this
    room = 2 * (np.maximum(variances, 0.0) + differences / 3)
    exponents = np.divide(G * differences**2, room, out=np.zeros(K + 1), where=room > 0)
    return float(min(2 * (K + 1) * np.exp(-exponents.max()), 1.0))
