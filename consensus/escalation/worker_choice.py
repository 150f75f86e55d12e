"""Whom to ask: for every judgment wanted, the worker who tells most about the item, under a quota."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import worker_choice_loops as kernels
from consensus.probabilities import entropy
from consensus.worker_audit import VERDICTS, fallen
from consensus.worker_audit.accuracy.accuracy_posterior import lower_confidence

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.found.result import Consensus
    from consensus.inputs.worker_pool import AlignedPool
    from consensus.worker_audit import WorkerAudit

    Reals = NDArray[np.float64]
    Offsets = NDArray[np.int64]

CONDEMNED = ("spammer", "adversarial", "gold_aware")  # verdicts of whom nobody is to ask
N_CANDIDATES = 3
"""Drawn for each judgment. Of more, the best tenth of the workers would get 63 % of the work, for little more."""
QUOTA = 2.0  # times the usual share of a worker's judgments that they may be suggested for
MOST_CELLS = 20_000_000  # of the confusions of all who may be suggested, up to which they are weighed by item
DRAWN = 1 << 16  # places from which candidates are drawn
MOST_WEIGHED = 200_000
"""Items up to which workers are weighed by what they tell of each; of more, by what they usually tell."""
BLOCK = 10_000  # items that share a part of the quotas, so that blocks can be worked on side by side
N_REPRESENTATIVES = 12  # workers that stand for the usual one
LEAST_TOLD = 1e-12  # nats by a usual worker, below which an item counts as told


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Whom to ask about each of some items (n,)."""

    workers: NDArray[np.int32]
    """(n, M) codes, as many as judgments are wanted; -1 is nobody."""
    worth: Reals
    """(n,) what they tell about the item, over what a usual worker tells; 1 where they are not weighed by item.

    Where there is nobody: 0 if a pool says who can be asked, else 1.
    """


def suggested(
    audit: WorkerAudit,
    items: NDArray[np.int64],
    wanted: Offsets,
    pool: AlignedPool | None = None,
    *,
    anyone: bool = False,
) -> Choice:
    """The workers to ask for the ``wanted`` (n,) judgments of each item, the most urgent first.

    Of at most three candidates, drawn by what they usually do, the one with the largest mutual information with the
    item's posterior, I(q; C[w]), per money where the ``pool`` has prices, with C as right as workers surely are
    (``accuracy.lower_confidence``); for very many items, or labels, that of the fitted confusions with the class prior.
    Nobody is asked twice about an item, for more than twice their usual share (or more than they are available for), or
    who is right less often than by chance; nor, but for ``anyone``, whom ``trusted`` leaves out.

    The same for any number of threads.
    """
    found = np.full((len(items), int(wanted.max(initial=1))), -1, np.int32)
    result, confusions, judgments = audit.result, audit.result.confusions, audit.result.judgments
    worth_of_nobody = 1.0 if pool is None else 0.0
    nothing = Choice(found, np.full(len(items), worth_of_nobody))
    if not confusions.n_workers or not len(items):
        return nothing
    share, quota, price = _terms(audit, float(wanted.sum()), pool, anyone=anyone)
    n_cells = np.count_nonzero(quota) * judgments.n_labels**2
    by_item = len(items) <= MOST_WEIGHED and n_cells <= MOST_CELLS
    able = np.flatnonzero(quota > 0) if by_item else np.arange(len(quota))
    if not (quota > 0).any():
        return nothing
    C = _confusions(audit, able) if by_item else np.zeros((0, 1, 1))
    row_entropy = entropy(C)
    usual = np.zeros(len(able)) if by_item else result.informativeness[able]
    done = np.cumsum(share[able])
    drawn = np.searchsorted(done, (np.arange(DRAWN) + 0.5) / DRAWN * done[-1]).astype(np.int32)
    judged = kernels.Judged(judgments.item_start, judgments.worker)
    code = able.astype(np.int32)
    workers = kernels.Workers(code=code, C=C, row_entropy=row_entropy, usual=usual, price=price[able], drawn=drawn)
    able_or_nobody = np.append(able, -1).astype(np.int32)
    n_blocks = -(-len(items) // BLOCK)
    told = np.empty(len(items))

    def block(b: int) -> None:
        rows = slice(b, None, n_blocks)  # every block has items of all degrees of urgency
        own = np.ascontiguousarray(items[rows])
        mine = quota[able] // n_blocks + ((np.arange(len(able)) + b) % n_blocks < quota[able] % n_blocks)
        chosen, tells = np.empty((len(own), found.shape[1]), np.int32), np.empty(len(own))
        asked = kernels.Wanted(
            item=own,
            judgments=np.ascontiguousarray(wanted[rows]),
            posterior=np.ascontiguousarray(result.beliefs.dense(own)) if by_item else np.zeros((0, 1)),
        )
        kernels.choose(asked, judged, workers, result.config.seed, N_CANDIDATES, mine, chosen, tells)
        found[rows], told[rows] = able_or_nobody[chosen], tells

    result.backend.map(block, range(n_blocks))
    nobody = found[:, 0] < 0
    if not by_item:
        return Choice(found, np.where(nobody, worth_of_nobody, 1.0))
    usually = result.beliefs.information_gain(items, representatives(result, C, share[able]), result.backend)
    return Choice(found, np.where(nobody, worth_of_nobody, told / np.maximum(usually, LEAST_TOLD)))


def names(result: Consensus, workers: NDArray[np.int32]) -> pa.ListArray:
    """Their ids, a list an item; null where there is nobody. Nobody is chosen behind a nobody."""
    import pyarrow as pa

    chosen = workers >= 0
    n = chosen.sum(axis=1)
    starts = pa.array(np.concatenate([[0], np.cumsum(n)]).astype(np.int32), mask=np.append(n == 0, False))
    return pa.ListArray.from_arrays(starts, result.judgments.worker_ids.take(pa.array(workers[chosen])))


def trusted(audit: WorkerAudit) -> NDArray[np.bool_]:
    """(W,) who is not called spammer, adversarial or gold_aware, nor fell clearly below the median worker."""
    audit = audit.of_members
    condemned = np.isin(audit.verdicts.verdict, [VERDICTS.index(name) for name in CONDEMNED])
    return np.asarray(~condemned & ~fallen(audit.drifts), np.bool_)


def _terms(audit: WorkerAudit, total: float, pool: AlignedPool | None, *, anyone: bool) -> tuple[Reals, Offsets, Reals]:
    """(W,) each: weight in the draw, judgments that may be asked for, price."""
    judgments = audit.result.judgments
    activity = judgments.per_worker.astype(np.float64)
    right = (audit.accuracy.label_adjusted >= 1.0 / judgments.n_labels) & judgments.is_person
    if not anyone:
        right &= trusted(audit)
    price = np.ones(len(activity))
    available = np.full(len(activity), np.inf)
    if pool is not None:
        activity, available, price = pool.activity(judgments), pool.available, pool.price
    share = np.where(right & (available > 0), activity, 0.0)
    quota = np.ceil(QUOTA * total * share / max(share.sum(), 1.0))
    if pool is not None:  # whoever says how much they can do has said it
        quota = np.where(np.isfinite(available), available, quota) * (share > 0)
    return share, quota.astype(np.int64), price


def _confusions(audit: WorkerAudit, able: NDArray[np.int64]) -> Reals:
    """(n, K, K) of the workers who may be suggested."""
    result, found, K = audit.result, audit.result.confusions, audit.result.judgments.n_labels
    if found.n_workers * K * K <= MOST_CELLS:
        C = np.ascontiguousarray(found.dense()[able])
    else:
        C = np.stack([found.matrix(w) for w in able.tolist()])
    return lower_confidence(audit, C, able) if result.identified and K > 1 else C


def representatives(result: Consensus, C: Reals, share: Reals) -> Reals:
    """(G, K, K) of the confusions ``C`` (n, K, K), at quantiles of informativeness weighted by ``share`` (n,)."""
    prior = result.prior_shares
    known = entropy(prior @ C) - entropy(C) @ prior
    order = np.lexsort((np.arange(len(known)), known))
    done = np.cumsum(share[order])
    quantiles = (np.arange(N_REPRESENTATIVES) + 0.5) / N_REPRESENTATIVES * done[-1]
    return np.ascontiguousarray(C[order[np.searchsorted(done, quantiles).clip(max=len(order) - 1)]])
