"""Workers rated by posteriors that came after the fit: one M step."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.found.confusions import Confusions
from consensus.found.posterior import SparsePosterior
from consensus.models.dense_layout import Rows
from consensus.models.sparse_layout import Cells
from consensus.probabilities import normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.found.posterior import Posterior
    from consensus.found.result import Consensus

    Reals = NDArray[np.float64]

SMALLEST = 1e-300


def by(
    result: Consensus,
    beliefs: Posterior,
    power: Reals,
    backend: Backend,
    left_out: NDArray[np.bool_] | None = None,
) -> Confusions:
    """The confusions of a ``result`` whose items were what ``beliefs`` say, tempering by ``power`` (I,) undone.

    Pseudo-counts are those of the fit. With very many labels, what gold says and nobody gave counts as missed.
    Judgments that are ``left_out`` (J,) count for nothing; not with very many labels.
    """
    cells, judgments = result.confusions, result.judgments
    rows = replace(Rows.numbered(judgments, result.row, cells.row_worker, cells.row_label), units=result.units)
    nobody = np.zeros(judgments.n_items, np.int32)
    if isinstance(beliefs, SparsePosterior):
        return _of_cells(cells, Cells.of(judgments, rows, None), beliefs, power, backend)

    def untempered(items: slice) -> Reals:
        logs = np.log(np.maximum(beliefs.dense(items), SMALLEST))
        found = np.exp((logs - logs.max(axis=1, keepdims=True)) / power[items, None])
        found /= found.sum(axis=1, keepdims=True)
        return np.asarray(found, np.float64)

    tables = rows.tables()
    rows.count(untempered, nobody, tables, backend)
    N = tables.N
    if left_out is not None:
        mine = np.flatnonzero(left_out)
        items, own = np.unique(judgments.item[mine], return_inverse=True)
        z = np.maximum(beliefs.dense(items.astype(np.int64)), SMALLEST) ** (1.0 / power[items, None])
        np.subtract.at(N, result.row[mine], normalised(z)[own])
        np.maximum(N, 0.0, out=N)
    if cells.silences is not None:  # they count as saying the true label
        each = np.arange(len(N))
        N[each, cells.row_label] += cells.silences
    counted = Confusions.of_rows(cells.row_worker, cells.row_label, N, cells.pseudo_counts, cells.n_workers)
    return replace(counted, silences=cells.silences, as_one=cells.as_one)


def _of_cells(cells: Confusions, layout: Cells, beliefs: SparsePosterior, power: Reals, backend: Backend) -> Confusions:
    """With very many labels: the mass of the labels given to each item counts, and the rest of it is missed."""
    K, n_items = beliefs.n_labels, beliefs.n_items
    n_each = np.diff(beliefs.start)
    own = np.repeat(np.arange(n_items), n_each)
    peak = beliefs.rest.copy()
    np.maximum.at(peak, own, beliefs.z)
    z = (np.maximum(beliefs.z, SMALLEST) / peak[own]) ** (1.0 / power[own])
    rest = (K - n_each) * (beliefs.rest / peak) ** (1.0 / power)
    total = np.bincount(own, weights=z, minlength=n_items) + rest
    z /= total[own]
    code = own * np.int64(K) + beliefs.candidate
    item = np.repeat(np.arange(n_items), np.diff(layout.candidate_start))
    wanted = item * np.int64(K) + layout.candidate
    place = np.minimum(np.searchsorted(code, wanted), max(len(code) - 1, 0))
    given = np.where(code[place] == wanted, z[place], 0.0)
    tables = layout.tables()
    layout.count(given, np.zeros(0, np.int32), tables, backend)
    left = 1.0 - np.bincount(item, weights=given, minlength=n_items)
    judgments = layout.judgments
    lost = np.maximum(left, 0.0)[judgments.item]
    lost = lost if layout.rows.units is None else lost * layout.rows.units.judgment
    missed = np.bincount(judgments.worker, weights=lost, minlength=judgments.n_workers)
    return replace(cells, counts=tables.N, missed=missed.astype(np.float64))
