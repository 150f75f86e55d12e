"""Intervals for shares: the same 95 % everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Reals = NDArray[np.float64]

LEVEL = 0.95
Z = 1.959963984540054  # normal quantile of (1 + LEVEL) / 2


def wilson(successes: ArrayLike, n: ArrayLike) -> tuple[Reals, Reals]:
    """Score interval of a share (Wilson 1927); NaN where ``n`` is 0.

    Returns
    -------
    low, high
        In [0, 1], in the shape of the arguments.
    """
    k, total = np.asarray(successes, np.float64), np.asarray(n, np.float64)
    known = np.where(total > 0, total, np.nan)
    share = k / known
    centre = share + Z**2 / (2 * known)
    half = Z * np.sqrt(share * (1 - share) / known + Z**2 / (4 * known**2))
    scale = 1 + Z**2 / known
    return np.maximum((centre - half) / scale, 0.0), np.minimum((centre + half) / scale, 1.0)


def clopper_pearson(successes: ArrayLike, n: ArrayLike) -> tuple[Reals, Reals]:
    """Exact interval of a share (Clopper & Pearson 1934): covers it at least as often as it says; NaN where ``n`` is 0.

    Returns
    -------
    low, high
        In [0, 1], in the shape of the arguments.
    """
    k, total = np.asarray(successes, np.float64), np.asarray(n, np.float64)
    some, other = k > 0, k < total
    low, _ = beta_quantiles(np.where(some, k, 1.0), np.where(some, total - k + 1.0, 1.0))
    _, high = beta_quantiles(np.where(other, k + 1.0, 1.0), np.where(other, total - k, 1.0))
    known = total > 0
    return np.where(known, np.where(some, low, 0.0), np.nan), np.where(known, np.where(other, high, 1.0), np.nan)


def beta_quantiles(a: Reals, b: Reals) -> tuple[Reals, Reals]:
    """Central credible interval of Beta(a, b), elementwise."""
    from scipy.special import betaincinv

    tail = (1.0 - LEVEL) / 2
    low, high = (np.asarray(betaincinv(a, b, level), np.float64) for level in (tail, 1.0 - tail))
    return low, high


def of_moments(mean: Reals, variance: Reals) -> tuple[Reals, Reals]:
    """Credible interval of the Beta distribution with this mean and variance, for a weighted sum of shares."""
    inside = (mean > 0) & (mean < 1) & (variance > 0)
    mean_inside = np.where(inside, mean, 0.5)
    strength = mean_inside * (1 - mean_inside) / np.where(inside, variance, 0.05) - 1.0
    low, high = beta_quantiles(np.maximum(mean_inside * strength, 1e-9), np.maximum((1 - mean_inside) * strength, 1e-9))
    return np.where(inside, low, mean), np.where(inside, high, mean)
