"""How many rows gave way to another of the same item and worker, and whose these were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class RepeatCounts:
    """Rows that gave way. Items and workers are codes."""

    n: int
    """Rows."""
    worst_item: int
    """The item with most of them."""
    n_of_item: int
    worst_worker: int
    """The worker with most of them."""
    n_of_worker: int
    n_given: int
    """Judgments that this worker gave, with those that gave way."""
    most: int
    """How often this worker judged one item, at most."""
    n_given_by_others: int
    """Judgments that all other workers gave."""

    @classmethod
    def of(
        cls,
        item: NDArray[np.int32],
        worker: NDArray[np.int32],
        repeated: tuple[NDArray[np.int32], NDArray[np.int32]],
    ) -> RepeatCounts:
        """Counts of the judgments ``item`` and ``worker`` (J,) that are used, and of those that gave way (R,)."""
        items, workers = repeated
        per_item, per_worker = np.bincount(items), np.bincount(workers)
        worst_item, worst_worker = int(per_item.argmax()), int(per_worker.argmax())
        own = int(np.count_nonzero(worker == worst_worker)) + int(per_worker[worst_worker])
        return cls(
            n=len(items),
            worst_item=worst_item,
            n_of_item=int(per_item[worst_item]),
            worst_worker=worst_worker,
            n_of_worker=int(per_worker[worst_worker]),
            n_given=own,
            most=1 + int(np.bincount(items[workers == worst_worker]).max()),
            n_given_by_others=len(item) + len(items) - own,
        )
