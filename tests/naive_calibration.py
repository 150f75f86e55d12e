"""Slow and obvious: vector scaling on gold by its formula, in loops over items and labels."""

import math

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]


def probabilities(x: list[list[float]], slope: list[float], intercept: list[float]) -> list[float]:
    """P(k) of one item: softmax of sum_f a[f] x[f, k] + b[k]."""
    weights = [math.exp(sum(a * own[k] for a, own in zip(slope, x, strict=True)) + b) for k, b in enumerate(intercept)]
    return [one / sum(weights) for one in weights]


def log_posterior(
    x: Reals, accepted: NDArray[np.bool_], slope: list[float], intercept: list[float], prior: Reals
) -> float:
    """Of gold: ``x`` (F, G, K), ``accepted`` (G, K); ``prior`` (F + 1, 2) mean and deviation of slopes, and of b."""
    total = 0.0
    for g in range(len(accepted)):
        p = probabilities(x[:, g].tolist(), slope, intercept)
        total += math.log(sum(one for one, right in zip(p, accepted[g], strict=True) if right))
    for a, (mean, sd) in zip(slope, prior[:-1].tolist(), strict=True):
        total -= (a - mean) ** 2 / (2 * sd**2)
    of_intercepts: float = sum(b**2 / (2 * prior[-1, 1] ** 2) for b in intercept)
    return float(total - of_intercepts)


def tempered(posterior: list[float], factor: float) -> list[float]:
    """P^(1/factor), normalised."""
    powers = [p ** (1 / factor) for p in posterior]
    return [p / sum(powers) for p in powers]
