"""What items and judgments count for where items have weights, or err together in clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """How many independent items each item, and how many independent judgments each judgment counts as."""

    item: Reals
    """(I,) omega, above 0: the item's weight; in a cluster, its share of the effective items of the cluster."""
    judgment: Reals
    """(J,) above 0: omega of its item, unless the judgment has a weight of its own."""
    n_eff: float | None = None
    """Effective items of a large cluster, 1 to 300; None without clusters."""
    told: bool = True
    """``n_eff`` was estimated from the judgments; false where too few workers judged two clusters."""
