"""What the other judgments of an item say: the posterior with a worker's own judgment taken out (leave one out).

The own term is divided out of the item's posterior; nothing is fitted again. Gold items stay what their gold says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import even_slices, number_of_shards
from consensus.found.posterior import SparsePosterior
from consensus.kernels import SMALLEST, others_loops
from consensus.probabilities import normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.result import Consensus

    Reals = NDArray[np.float64]


def right(result: Consensus) -> Reals:
    """(J,) P(the label of a judgment is the true one | the other judgments of its item, its gold, and models)."""
    judgments, beliefs = result.judgments, result.beliefs
    power = result.tempering.power(judgments.per_item, slice(None))
    found = np.empty(judgments.n_judgments)
    cells, A = result.confusions, result.confusions.pseudo_counts
    C_cell = cell_likelihoods(result)
    C_rest = np.maximum(normalised(A).mean(axis=0) if A.any() else np.full(len(A), 1.0 / len(A)), SMALLEST)

    def shard(part: slice) -> None:
        starts = judgments.item_start[part.start : part.stop + 1]
        judged = others_loops.Judged(starts, result.row, judgments.label)
        if isinstance(beliefs, SparsePosterior):
            candidates = others_loops.Candidates(
                start=beliefs.start[part.start : part.stop + 1],
                label=beliefs.candidate,
                z=beliefs.z,
                rest=beliefs.rest[part],
                power=power[part],
            )
            of_rows = others_loops.Cells(start=cells.cell_start, true=cells.true, C=C_cell, C_rest=C_rest)
            others_loops.right_sparse(judged, candidates, of_rows, judgments.n_labels, found)
        else:
            C = C_cell.reshape(-1, judgments.n_labels)
            others_loops.right(judged, C, beliefs.dense(part), power[part], found)

    result.backend.map(shard, even_slices(judgments.item_start, number_of_shards(judgments.n_judgments)))
    return found


def cell_likelihoods(result: Consensus) -> Reals:
    """(cells,) C = P(observed | true) of every cell of the confusions, kept above SMALLEST."""
    cells, A = result.confusions, result.confusions.pseudo_counts
    a = A[cells.true, cells.label]
    total = (cells.totals() + A.sum(axis=1))[cells.worker, cells.true]
    found = np.divide(cells.counts + a, total, out=np.full_like(total, 1.0 / len(A)), where=total > 0)
    return np.asarray(np.maximum(found, SMALLEST), np.float64)


def cavities(result: Consensus, judgment: NDArray[np.int64]) -> Reals:
    """(n, K) posterior of the items of some judgments (n,), each without the judgment itself; rows sum to 1."""
    judgments = result.judgments
    item, worker, label = judgments.item[judgment], judgments.worker[judgment], judgments.label[judgment]
    posterior = result.beliefs.dense(item.astype(np.int64))
    power = result.tempering.power(judgments.per_item[item], item)
    with np.errstate(divide="ignore"):
        logs = np.log(posterior) / power[:, None]
    logs -= np.log(np.maximum(likelihoods(result, worker, label), SMALLEST))
    return normalised(np.exp(logs - logs.max(axis=1, keepdims=True)))


def likelihoods(result: Consensus, worker: NDArray[np.int32], label: NDArray[np.int32]) -> Reals:
    """(n, K) C[worker, k, label] by true label k, of some workers and observed labels (n,)."""
    cells, K = result.confusions, result.judgments.n_labels
    A = cells.pseudo_counts
    row = cells.rows_of(worker, label)
    n_each = np.where(row >= 0, cells.cell_start[row + 1] - cells.cell_start[row], 0)
    own = np.repeat(np.arange(len(row)), n_each)
    cell = cells.cell_start[row][own] + np.arange(len(own)) - np.repeat(np.cumsum(n_each) - n_each, n_each)
    numerator = A.T[label].copy()
    numerator[own, cells.true[cell]] += cells.counts[cell]
    totals = cells.totals()[worker] + A.sum(axis=1)
    found: Reals = np.divide(numerator, totals, out=np.full_like(numerator, 1.0 / K), where=totals > SMALLEST)
    return found
