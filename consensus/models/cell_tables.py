"""What EM over cells (``sparse_layout``) works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(slots=True, eq=False)
class CellTables:
    """What EM works on, allocated once a fit."""

    N: NDArray[np.float64]
    """(cells,) expected counts."""
    n: NDArray[np.float64]
    """(0, K): sums by worker are not kept."""
    mass: NDArray[np.float64]
    """(K,) sum of the posterior of the candidates."""
    own_mass: NDArray[np.float64]
    """(K,) 0: no item has a prior of its own."""
    C: NDArray[np.float64]
    """(cells,) log P(observed | true)."""
    by_shard: NDArray[np.float64]
    """(S, cells) the counts of each shard."""
    background: NDArray[np.float64]
    """(I,) log b."""
    rest: NDArray[np.float64]
    """(I,) posterior of each label that is no candidate."""
    pi: NDArray[np.float64]
    """(K,) class prior that the background was made with."""
    left: NDArray[np.float64]
    """(I,) prior probability of all labels that are no candidates."""
