"""Distributions of the accuracies of many workers, each on evenly spaced points of its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]

N_POINTS = 40  # of the grid of a worker
REACH = 5.0  # deviations that it reaches to both sides
HALVINGS = 25  # of the gap between the quantiles of two distributions, to find that of both


@dataclass(frozen=True, eq=False)
class Gridded:
    """A distribution for every worker: even within cells around its points."""

    points: Reals
    """(W, G) middles of the cells, ascending and evenly spaced."""
    weight: Reals
    """(W, G) their probabilities; rows sum to 1."""

    @cached_property
    def mean(self) -> Reals:
        """(W,)."""
        return np.asarray((self.points * self.weight).sum(axis=1), np.float64)

    @cached_property
    def variance(self) -> Reals:
        """(W,)."""
        return np.asarray(((self.points - self.mean[:, None]) ** 2 * self.weight).sum(axis=1), np.float64)

    @cached_property
    def _reached(self) -> Reals:
        """(W, G+1) P(below each edge of the cells)."""
        found = np.zeros((len(self.weight), self.weight.shape[1] + 1))
        np.cumsum(self.weight, axis=1, out=found[:, 1:])
        return found

    @cached_property
    def _cells(self) -> tuple[Reals, Reals]:
        """(W,) the lower edge of the first cell, and the width of each."""
        step = np.maximum(self.points[:, 1] - self.points[:, 0], 1e-12)
        return self.points[:, 0] - step / 2, step

    def below(self, accuracy: Reals) -> Reals:
        """(W,) P(accuracy below that of each worker)."""
        first, step = self._cells
        place = np.clip((accuracy - first) / step, 0.0, self.points.shape[1])
        cell = np.minimum(place.astype(np.int64), self.points.shape[1] - 1)
        rows = np.arange(len(place))
        found = self._reached[rows, cell] + (place - cell) * self.weight[rows, cell]
        return np.asarray(found, np.float64)

    def quantile(self, level: float) -> Reals:
        """(W,)."""
        first, step = self._cells
        rows, last = np.arange(len(step)), self.points.shape[1] - 1
        cell = np.minimum((self._reached[:, 1:] < level).sum(axis=1), last)
        within = (level - self._reached[rows, cell]) / np.maximum(self.weight[rows, cell], 1e-300)
        return np.asarray(first + step * (cell + np.clip(within, 0.0, 1.0)), np.float64)


def grid(middle: Reals, deviation: Reals) -> Reals:
    """(W, N_POINTS) points around each worker's ``middle``, within 0 and 1."""
    low, high = (np.clip(middle + side * REACH * deviation, 0.0, 1.0) for side in (-1.0, 1.0))
    return np.asarray(low[:, None] + (high - low)[:, None] * ((np.arange(N_POINTS) + 0.5) / N_POINTS), np.float64)


def average_quantile(one: Gridded, other: Gridded, level: float) -> Reals:
    """(W,) quantile of the average of two distributions: between those of each, by bisection."""
    low, high = np.sort([one.quantile(level), other.quantile(level)], axis=0)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        short = (one.below(middle) + other.below(middle)) / 2 < level
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return np.asarray((low + high) / 2, np.float64)
