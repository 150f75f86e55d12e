"""Slow and obvious: the temperature that gold asks for, by trying many."""

import math

import numpy as np
from numpy.typing import NDArray

GRID = [math.exp(n * math.log(20) / 1000) for n in range(1001)]


def tempered(posterior: list[float], temperature: float) -> list[float]:
    """P^(1/T), normalised."""
    powers = [p ** (1 / temperature) for p in posterior]
    return [p / sum(powers) for p in powers]


def objective(posteriors: NDArray[np.float64], accepted: NDArray[np.bool_], temperature: float) -> float:
    """Log probability of the gold, and of the temperature."""
    powers = posteriors ** (1 / temperature)
    right = (powers * accepted).sum(axis=1) / powers.sum(axis=1)
    return float(np.log(right).sum()) - 0.5 * math.log(temperature) ** 2


def temperature(posteriors: NDArray[np.float64], accepted: NDArray[np.bool_]) -> float:
    """The best temperature of the grid."""
    return max(GRID, key=lambda one: objective(posteriors, accepted, one))
