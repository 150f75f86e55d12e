"""The label mixes of workers beside very many labels (``sparse_layout``), and the priors of the candidates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import mix_loops

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.models.cell_tables import CellTables
    from consensus.models.sparse_layout import Cells

    Reals = NDArray[np.float64]
    Offsets = NDArray[np.int64]


def label_counts(cells: Cells, tables: CellTables) -> tuple[Reals, Offsets, Reals]:
    """As ``Rows.label_counts``, of the pairs (worker, true label) that have cells; the background left out."""
    code, place = _seen(cells, _workers(cells))
    n = np.bincount(place, weights=tables.N, minlength=len(code))
    worker, label = np.divmod(code, cells.n_labels)
    return np.asarray(n, np.float64), label, np.asarray(np.bincount(worker, n, cells.n_workers), np.float64)


def mixed_priors(cells: Cells, concentration: float, pi: Reals, tables: CellTables) -> Reals:
    """(candidates,) mean over the workers of the item of the share of that label in what they see."""
    s, worker = concentration, _workers(cells)
    _, place = _seen(cells, worker)
    n, label, total = label_counts(cells, tables)
    theta = (n[place] + s * pi[label[place]]) / (total[worker] + s)
    found = np.empty(len(cells.candidate))
    starts = cells.judgments.item_start
    mix_loops.means(starts, cells.candidate_start, cells.cell, theta, pi[cells.candidate], found)
    return found


def _workers(cells: Cells) -> Offsets:
    """(cells,) the worker of each cell."""
    return np.repeat(np.arange(cells.n_workers), np.diff(cells.worker_start))


def _seen(cells: Cells, worker: Offsets) -> tuple[Offsets, Offsets]:
    """The pairs worker * K + true label that have cells, ascending, and (cells,) the place of each cell's."""
    return np.unique(worker * cells.n_labels + cells.true, return_inverse=True)
