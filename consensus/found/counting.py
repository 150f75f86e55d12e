"""Shares of items that have weights or stand in clusters, and how many independent items such a share rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.units import Units
    from consensus.inputs.judgments import Judgments

    Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Counting:
    """What items count for in a share, and how many independent ones they are in its interval.

    The share of weight that is wrong, ``sum w e / sum w``, has the variance ``sum (w^2 / u) p (1 - p) / (sum w)^2``,
    where u of the weight w are independent; so it is as sure as that of ``(sum w)^2 / sum (w^2 / u)`` items that count
    alike (Kish 1965, section 8.2). Items without clusters have u = w: one of weight 3 is three of weight 1.
    """

    weight: Reals
    """(n,) w, above 0: how many items each counts as."""
    unit: Reals
    """(n,) u, above 0: how many independent items each counts as."""

    @classmethod
    def of(cls, judgments: Judgments, units: Units | None) -> Counting | None:
        """That of the items of ``judgments``; None if each counts as one."""
        weight = judgments.weight
        if units is None:
            return None if weight is None else cls(weight, weight)
        return cls(np.ones(judgments.n_items) if weight is None else weight, units.item)

    def at(self, items: NDArray[Any]) -> Counting:
        """That of some items, by position or mask."""
        return Counting(self.weight[items], self.unit[items])

    @property
    def total(self) -> float:
        """Their summed weight."""
        return float(self.weight.sum())

    @property
    def effective(self) -> float:
        """Independent items, all alike, of which a share is as sure; 0 of none."""
        return self.total**2 / float((self.weight**2 / self.unit).sum()) if len(self.weight) else 0.0

    def share(self, values: NDArray[Any]) -> float:
        """The mean of ``values`` (n,) by weight; NaN of none."""
        return float((self.weight * values).sum() / self.weight.sum()) if len(self.weight) else np.nan

    def deviation(self, probability: Reals) -> float:
        """Standard deviation of the share of those that come true, each with its ``probability`` (n,); 0 of none."""
        variance = (self.weight**2 / self.unit * probability * (1.0 - probability)).sum()
        return float(np.sqrt(variance)) / self.total if len(self.weight) else 0.0


def mean(values: NDArray[Any], counting: Counting | None) -> float:
    """The mean of ``values`` (n,), by weight where there is a ``counting``; NaN of none."""
    if counting is not None:
        return counting.share(values)
    return float(values.mean()) if len(values) else np.nan


def some(counting: Counting | None, items: NDArray[Any]) -> Counting | None:
    """That of some items, by position or mask, where there is one."""
    return None if counting is None else counting.at(items)
