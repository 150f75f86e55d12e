"""Judgments laid out for the kernels: one code for each observed pair (worker, label)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import even_slices
from consensus.kernels import em

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.judgments import Judgments


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The same judgments by item and by observed row, and how both are cut into shards."""

    item_start: NDArray[np.int64]
    """(I+1,) judgments of item i."""
    row: NDArray[np.int32]
    """(J,) row of each judgment, in item order."""
    row_start: NDArray[np.int64]
    """(R+1,) judgments of row r, in ``row_item``."""
    row_item: NDArray[np.int32]
    """(J,) item of each judgment, in row order."""
    worker: NDArray[np.int32]
    """(R,) worker of each row; sorted by worker, then label."""
    label: NDArray[np.int32]
    """(R,) observed label of each row."""
    worker_start: NDArray[np.int64]
    """(W+1,) rows of worker w."""
    n_labels: int
    item_shards: tuple[slice, ...]
    row_shards: tuple[slice, ...]

    @classmethod
    def of(cls, judgments: Judgments, backend: Backend) -> Rows:
        """Lay out ``judgments``; rows are numbered by worker, then label."""
        n_labels = judgments.n_labels
        pair = judgments.worker * np.int64(n_labels) + judgments.label
        if judgments.n_workers * n_labels <= 4 * len(pair) + 1000:  # a table of all pairs is small: no sorting
            seen = np.zeros(judgments.n_workers * n_labels, np.bool_)
            seen[pair] = True
            pairs = np.flatnonzero(seen)
            row = (np.cumsum(seen, dtype=np.int32) - 1)[pair].astype(np.int32)
        else:
            pairs, inverse = np.unique(pair, return_inverse=True)
            row = inverse.astype(np.int32)
        worker, label = (part.astype(np.int32) for part in np.divmod(pairs, n_labels))
        return cls._grouped(judgments, row, worker, label, backend)

    def restricted(self, judgments: Judgments, keep: NDArray[np.bool_], backend: Backend) -> Rows:
        """Only the judgments where ``keep``, over the same rows (some then hold no judgment)."""
        return self._grouped(judgments.subset(keep), self.row[keep], self.worker, self.label, backend)

    @classmethod
    def _grouped(
        cls,
        judgments: Judgments,
        row: NDArray[np.int32],
        worker: NDArray[np.int32],
        label: NDArray[np.int32],
        backend: Backend,
    ) -> Rows:
        row_start = np.zeros(len(worker) + 1, np.int64)
        row_item = np.empty(len(row), np.int32)
        em.group_by_row(judgments.item_start, row, row_start, row_item)
        return cls(
            item_start=judgments.item_start,
            row=row,
            row_start=row_start,
            row_item=row_item,
            worker=worker,
            label=label,
            worker_start=np.searchsorted(worker, np.arange(judgments.n_workers + 1)).astype(np.int64),
            n_labels=judgments.n_labels,
            item_shards=tuple(even_slices(judgments.item_start, backend.n_threads)),
            row_shards=tuple(even_slices(row_start, backend.n_threads)),
        )

    @property
    def n_items(self) -> int:
        """I."""
        return len(self.item_start) - 1

    @property
    def n_workers(self) -> int:
        """W."""
        return len(self.worker_start) - 1

    @property
    def n_judgments(self) -> int:
        """J."""
        return len(self.row)

    def worker_totals(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """n[w, k] (W, K), the sum over the rows of each worker of ``counts`` (R, K)."""
        totals = np.zeros((self.n_workers, self.n_labels))
        busy = np.flatnonzero(np.diff(self.worker_start))
        totals[busy] = np.add.reduceat(counts, self.worker_start[busy], axis=0)
        return totals
