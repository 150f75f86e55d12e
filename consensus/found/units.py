"""What items and judgments count for where items have weights, or err together in clusters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals: TypeAlias = NDArray[np.float64]
    Each: TypeAlias = NDArray[np.float64] | NDArray[np.int32]

ONE_EACH = np.zeros(0, np.int32)
"""Units of judgments for the loops, where each counts as one: whole numbers, so that sums have the bits of counts."""


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """How many independent items each item, and how many independent judgments each judgment counts as."""

    item: Reals
    """(I,) omega, above 0: the item's weight; in a cluster, its share of the effective items of the cluster."""
    judgment: Reals
    """(J,) above 0: of its item's weight, what is left where its worker judged so much of the cluster; omega of the
    item where all who judge a cluster judge all of it; or the weight that the judgment has of its own."""
    n_eff: float | None = None
    """Effective items of a large cluster, 1 to 300; None without clusters."""
    told: bool = True
    """``n_eff`` was estimated from the judgments; false where too few workers judged two clusters."""
    own: bool = False
    """Some judgments count for other than the omega of their items."""
    n_clusters: NDArray[np.int64] | None = None
    """(W,) clusters that each worker judged items of; an item without one is a cluster of its own. None without any."""
    judged: Reals | None = None
    """(J,) weight of all that a judgment's worker judged in its cluster; 1 of items without one. None where that is
    the cluster's, and where nothing is to be estimated any more."""

    @property
    def apart(self) -> Reals:
        """(J,) units of the judgments as the loops take them; (0,) where each counts as its item does."""
        return self.judgment if self.own else np.empty(0)

    @property
    def n_judgments(self) -> float:
        """What all judgments together count for."""
        return float(self.judgment.sum())

    def mean(self, values: Reals, items: NDArray[np.integer]) -> float:
        """The mean of the ``values`` (n,) of some items (n,), each counted by its units."""
        return float(np.average(values, weights=self.item[items]))

    def kept(self, keep: NDArray[np.bool_]) -> Units:
        """The same of the judgments where ``keep`` (J,)."""
        judged = None if self.judged is None else self.judged[keep]
        return replace(self, judgment=self.judgment[keep], judged=judged)
