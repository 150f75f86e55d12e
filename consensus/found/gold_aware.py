"""Who seems to know which items are gold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.inputs.gold import AlignedGold
    from consensus.inputs.judgments import Judgments

    Flags = NDArray[np.bool_]
    Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class GoldAware:
    """Workers who are right on gold and answer at random elsewhere, as ``models.gold_aware`` tells."""

    named: Flags
    """(W,)"""
    probability: Reals
    """(W,) of knowing the gold."""
    n_gold: NDArray[np.int64]
    """(W,) judgments of gold items."""
    n_right: NDArray[np.int64]
    """(W,) those that are right."""
    n_others: NDArray[np.int64]
    """(W,) judgments of other items that somebody else judged, too."""
    accuracy: Reals
    """(W,) P(right) on these, by the others alone; NaN where there are none."""
    usual: float
    """The median of these accuracies."""

    def known(self, judgments: Judgments, gold: AlignedGold) -> Flags:
        """(J,) judgments of gold items by those who are named: they are no evidence."""
        is_gold = np.zeros(judgments.n_items, np.bool_)
        is_gold[gold.items] = True
        return np.asarray(self.named[judgments.worker] & is_gold[judgments.item], np.bool_)

    def reason(self, worker: int) -> str:
        """Why one of them is named, in numbers."""
        n, k, elsewhere = int(self.n_gold[worker]), int(self.n_right[worker]), float(self.accuracy[worker])
        return (
            f"right on {k:,} of {n:,} gold items but on {elsewhere:.0%} of {int(self.n_others[worker]):,} others by "
            f"what others say (the median worker on {self.usual:.0%}): they seem to know the gold (probability "
            f"{self.probability[worker]:.2f}); their gold counts for nothing"
        )
