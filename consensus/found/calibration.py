"""What gold's calibration of the confidences was made of, and what it changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from consensus.found.posterior import Posterior

LEAST_GOLD = 25  # gold items that were judged, from which on confidences are calibrated on them
N_FOLDS = 5  # in which the gold items are calibrated by the others


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """How the posteriors of a fit were calibrated on gold, or why they were not (``calibration.vector_scaling``)."""

    n_gold: int
    """Gold items that were judged, and that speak for others."""
    left_out: str | None = None
    """Why nothing was calibrated; None where it was."""
    weights: dict[str, float] = field(default_factory=dict)
    """How far each kind of scaling is believed; they sum to 1."""
    items: NDArray[np.bool_] | None = None
    """(I,) whose posteriors were calibrated; the gold items among them hold what gold says."""
    overstated: NDArray[np.float64] | None = None
    """(K,) by how much the share of each label fell, over the calibrated items that are not gold; sums to 0."""
    relabelled: int = 0
    """Of these items, how many have another label now."""
    by_label: bool = True
    """Every label has an intercept of its own; else, with very many labels, confidences are only stretched."""

    before: Posterior | None = None
    """(I, K) the tempered posteriors that were calibrated."""
    gold_before: NDArray[np.float64] | None = None
    """(G, K) the same of the gold items, as if they were none."""
    saw_gold: bool = False
    """The fit before had seen gold, for want of anything else that tells how good workers are."""

    @property
    def fitted(self) -> bool:
        """Confidences were calibrated."""
        return self.left_out is None

    def in_short(self, labels: Sequence[str]) -> dict[str, Any]:
        """The same as plain values, for summary.json."""
        moved = (
            None if self.overstated is None or not labels else dict(zip(labels, self.overstated.tolist(), strict=True))
        )
        return {
            "gold_items": self.n_gold,
            "fitted": self.fitted,
            "left_out": self.left_out,
            "weights": self.weights,
            "overstated": moved,
            "relabelled": self.relabelled,
            "by_label": self.by_label,
            "not_reached": 0 if self.items is None else int((~self.items).sum()),
        }
