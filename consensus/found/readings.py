"""What several models read in the same judgments, and how far each is believed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)  # without slots: who disagrees is computed when first asked for
class Readings:
    """Several readings of the judgments, whose tempered posteriors are averaged into the one that is reported."""

    names: tuple[str, ...]
    """M of them; the first is the model that the others are finer than."""
    weight: NDArray[np.float64]
    """(M,) by how well each predicts judgments that were held out; sums to 1."""
    label: NDArray[np.int32]
    """(M, I) the label that each would give; of equally probable ones the first."""
    confidence: NDArray[np.float64]
    """(M, I) its probability."""
    n_held_out: int
    """Judgments that the weights were learnt from; 0 where none could be held out, and all weigh alike."""

    @cached_property
    def disputed(self) -> NDArray[np.bool_]:
        """(I,) items that not all of them give the same label."""
        found: NDArray[np.bool_] = (self.label != self.label[0]).any(axis=0)
        return found
