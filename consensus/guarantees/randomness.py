"""Whether gold looks as if it had been drawn at random: its confidences against those of the other items."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]

BY_CHANCE = 0.01
"""Probability of so large a difference below which gold does not look random: one warning in a hundred is false."""


def kolmogorov_smirnov(some: Reals, others: Reals) -> tuple[float, float]:
    """The largest distance of two distribution functions, and the probability of so much by chance (asymptotic).

    Kolmogorov and Smirnov's two-sample test of ``some`` (n,) against ``others`` (m,). With many equal values the
    probability is too high, so that it warns less often. NaN where one of them is empty.
    """
    if not len(some) or not len(others):
        return np.nan, np.nan
    from scipy.special import kolmogorov

    every = np.concatenate([some, others])
    shares = [np.searchsorted(np.sort(one), every, side="right") / len(one) for one in (some, others)]
    distance = float(np.abs(shares[0] - shares[1]).max())
    effective = len(some) * len(others) / len(every)
    return distance, float(kolmogorov(distance * np.sqrt(effective)))
