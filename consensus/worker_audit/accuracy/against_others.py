"""What the other judgments of an item say: the posterior with a worker's own judgment taken out (leave one out).

The own term is divided out of the item's posterior; nothing is fitted again. Gold items stay what their gold says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import even_parts, even_slices, number_of_shards
from consensus.found.posterior import SparsePosterior
from consensus.kernels import SMALLEST, others_loops, same_items_loops
from consensus.probabilities import normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.result import Consensus

    Reals = NDArray[np.float64]

MOST_OTHERS = 50  # judgments of an item that tell how the others did on it
MOST_CELLS = 4_000_000  # of the table of posteriors that a shard looks up


def right(result: Consensus) -> Reals:
    """(J,) P(the label of a judgment is the true one | the other judgments of its item, its gold, and models)."""
    judgments, beliefs = result.judgments, result.beliefs
    power = result.tempering.power(judgments.per_item, slice(None))
    found = np.empty(judgments.n_judgments)
    cells = _cells(result)

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
            others_loops.right_sparse(judged, candidates, cells, judgments.n_labels, found)
        else:
            C = cells.C.reshape(-1, judgments.n_labels)
            others_loops.right(judged, C, beliefs.dense(part), power[part], found)

    result.backend.map(shard, even_slices(judgments.item_start, number_of_shards(judgments.n_judgments)))
    return found


def right_of_others(result: Consensus, judgment: NDArray[np.int64]) -> Reals:
    """(n,) how often the other workers are right on the items of some judgments (n,): the median of P(right).

    Each of their labels is weighed by what is left without it and without the judgment itself, so that the median does
    not move with that. NaN where no other worker judged the item.
    """
    judgments, beliefs = result.judgments, result.beliefs
    power = result.tempering.power(judgments.per_item, slice(None))
    found, item = np.empty(len(judgment)), judgments.item[judgment]
    judged = same_items_loops.Judged(judgments.item_start, result.row, judgments.worker, judgments.label)
    cells, K = _cells(result), judgments.n_labels

    def shard(part: slice) -> None:
        own, items, out = judgment[part], item[part], found[part]
        if isinstance(beliefs, SparsePosterior):
            candidates = others_loops.Candidates(beliefs.start, beliefs.candidate, beliefs.z, beliefs.rest, power)
            same_items_loops.others_sparse(own, items, judged, candidates, cells, MOST_OTHERS, out)
        else:
            z, C = beliefs.dense(items.astype(np.int64)), cells.C.reshape(-1, K)
            same_items_loops.others(own, items, judged, C, z, power[items], MOST_OTHERS, out)

    n_parts = max(number_of_shards(len(judgment)), len(judgment) * K // MOST_CELLS)
    result.backend.map(shard, even_parts(len(judgment), n_parts))
    return found


def _cells(result: Consensus) -> others_loops.Cells:
    """P(observed | true) as the loops take it."""
    cells, A = result.confusions, result.confusions.pseudo_counts
    C_rest = np.maximum(normalised(A).mean(axis=0) if A.any() else np.full(len(A), 1.0 / len(A)), SMALLEST)
    return others_loops.Cells(start=cells.cell_start, true=cells.true, C=cell_likelihoods(result), C_rest=C_rest)


def cell_likelihoods(result: Consensus) -> Reals:
    """(cells,) C = P(observed | true) of every cell of the confusions, kept above SMALLEST."""
    cells, A = result.confusions, result.confusions.pseudo_counts
    a = A[cells.true, cells.label]
    total = (cells.totals() + A.sum(axis=1))[cells.worker, cells.true]
    found = np.divide(cells.counts + a, total, out=np.full_like(total, 1.0 / len(A)), where=total > 0)
    return np.asarray(np.maximum(cells.with_those_as_one(found), SMALLEST), np.float64)


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
    if cells.as_one is not None:
        known = np.where((row >= 0)[:, None], cells.as_one[row], np.nan)
        found = np.where(np.isnan(known), found, known)
    return found


def is_checked(result: Consensus, items: NDArray[np.int32], others: int = 1) -> NDArray[np.bool_]:
    """(n,) whether anything but one judgment is known of items (n,): so many ``others``, gold, or what a model says."""
    if not result.identified:
        return np.zeros(len(items), np.bool_)
    checked = result.judgments.per_item > others
    if result.gold is not None:
        checked[result.gold.items] = True
    if result.models is not None:
        checked |= result.models.votes.per_item > 0
    return checked[items]
