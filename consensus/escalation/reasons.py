"""Which items need more judgments, and why: reasons and statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import even_parts, number_of_shards
from consensus.escalation import unaudited
from consensus.inputs.earlier_run import STATUSES
from consensus.inputs.vocabulary import hashed, mixed
from consensus.kernels import flips

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.config import EscalateConfig
    from consensus.found.result import Consensus
    from consensus.guarantees import Certified

REASONS = ("too_few", "weak_workers", "disagreement", "needs_expert", "audit")
TOO_FEW, WEAK_WORKERS, DISAGREEMENT, EXPERT, AUDIT = range(len(REASONS))
AUDITED_BY = 2  # judgments by people that an item of the audit sample needs
TOLD_FROM = 5
"""Judgments from which it can be told that more will not settle an item. On sentiment, rte and face those with two or
three judgments and P(settled) near .2 were settled in .4 to .7 of all cases; with five P(settled) is right on average:
.29 and .29, .33 and .36, but .06 and .26 on face."""
SPREAD = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio: multiples of it differ in all bits
CHANGES = 2  # of the best label, as judgments came in, after which an item goes to an expert


def status_codes(result: Consensus, reason: NDArray[np.int32], settled: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Position in STATUSES of the status of every row of ``result.labels``, given the ``reasons``."""
    status = np.where((reason < 0) | settled, 0, 1).astype(np.int32)
    status[reason == EXPERT] = STATUSES.index("needs_expert")
    status[unaudited.why(result, settled) >= 0] = STATUSES.index("unaudited")
    gold = STATUSES.index("gold")
    if result.gold is not None:
        status[result.gold.items] = gold
        status = np.concatenate([status, np.full(len(result.gold.unjudged), gold, np.int32)])
    return status


def reasons(
    result: Consensus,
    config: EscalateConfig,
    accepted: NDArray[np.bool_] | None = None,
    certified: Certified | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """(I,) position in REASONS of why an item is escalated, -1 where it is not; and (I,) which are settled.

    Gold is neither. An item that is settled is escalated only to be audited.

    Settled are items with at least ``min_judgments``, or with the vote of a model that has met enough items that people
    judged, and a confidence of at least ``target``; less ``margin`` where the item was ``accepted`` (I,) before. Of a
    set that is to be ``certified`` they are those that are, whatever was accepted before.
    """
    judgments = result.judgments
    n = judgments.per_item
    enough = n >= config.min_judgments
    if result.models is not None:
        enough |= result.models.vouched
    target = config.target if accepted is None else np.where(accepted, config.target - config.margin, config.target)
    settled: NDArray[np.bool_] = enough & (result.confidence >= target)  # NaN is not settled
    settled &= result.consensus_label >= 0
    if certified is not None:
        settled = certified.settled
    unanimous = result.votes[1] == 1
    reason = np.where(unanimous, WEAK_WORKERS, DISAGREEMENT).astype(np.int32)
    reason[~enough | (n == 0)] = TOO_FEW
    reason[n >= config.max_judgments] = EXPERT
    reason[settled] = -1
    reason[_audit_sample(result, settled, config)] = AUDIT
    if result.gold is not None:
        reason[result.gold.items], settled[result.gold.items] = -1, False
    return reason, settled


def settled_status(result: Consensus, config: EscalateConfig) -> NDArray[np.int32]:
    """The same as ``status_codes`` of the items that are settled one by one, whatever more judgments would do."""
    return status_codes(result, *reasons(result, config))


def hopeless(
    result: Consensus,
    items: NDArray[np.int64],
    reason: NDArray[np.int32],
    p_settled: NDArray[np.float64],
    foreseen: NDArray[np.bool_],
    config: EscalateConfig,
) -> NDArray[np.bool_]:
    """(n,) which of the unsettled ``items`` more judgments will not settle: they go to an expert.

    Those with at least five judgments whose ``p_settled`` (n,), where it is ``foreseen`` (n,) up to the cap, is below
    ``expert_below``, or whose best label changed twice as judgments came in (told where every judgment has a time).
    """
    if not result.identified:
        return np.zeros(len(items), np.bool_)
    late = (result.judgments.per_item[items] >= TOLD_FROM) & ((reason == WEAK_WORKERS) | (reason == DISAGREEMENT))
    found = late & foreseen & (p_settled < config.expert_below)
    asked = np.flatnonzero(late & ~found)
    found[asked] = _changes(result, items[asked]) >= CHANGES
    return np.asarray(found)


def _changes(result: Consensus, items: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) how often the best label of each item changed as its judgments came in; 0 where times are missing."""
    judgments, K = result.judgments, result.judgments.n_labels
    changes = np.zeros(len(items), np.int64)
    if judgments.timestamp is None or not len(items) or K > flips.MOST_LABELS:
        return changes
    own, at = judgments.of_items(items)
    when = judgments.timestamp[at]
    order = np.lexsort((judgments.worker[at], when, own))
    timed = np.ones(len(items), np.bool_)
    timed[own[np.isnat(when)]] = False
    if result.models is not None:  # what models say of an item was not known judgment by judgment
        timed[result.models.votes.per_item[items] > 0] = False
    log_C = _log_likelihoods(result, at[order])
    starts = np.concatenate([[0], np.cumsum(judgments.per_item[items])])
    log_prior = np.tile(np.log(np.maximum(result.prior_shares, 1e-300)), (len(items), 1))
    if result.terms is not None and result.terms.priors is not None:
        log_prior = result.terms.log_priors(items, result.beliefs)

    def shard(part: slice) -> None:
        flips.changes(starts[part.start : part.stop + 1], log_C, log_prior[part], changes[part])

    result.backend.map(shard, even_parts(len(items), number_of_shards(len(at))))
    return np.asarray(np.where(timed, changes, 0), np.int64)


def _log_likelihoods(result: Consensus, at: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n, K) log C[worker, k, label] of some judgments."""
    cells, A, judgments = result.confusions, result.confusions.pseudo_counts, result.judgments
    K = judgments.n_labels
    worker, label = judgments.worker[at], judgments.label[at]
    total = cells.totals() + A.sum(axis=1)
    row = cells.rows_of(worker, label)
    N = cells.counts.reshape(-1, K)[row]
    return np.asarray(np.log(np.maximum((N + A.T[label]) / np.maximum(total[worker], 1e-300), 1e-10)), np.float64)


def _audit_sample(result: Consensus, settled: NDArray[np.bool_], config: EscalateConfig) -> NDArray[np.bool_]:
    """(I,) a random share of the items that have judgments left, by a hash of the id: the same data, the same ones.

    Where models voted, of those that they voted on and fewer than two people judged; else of the ``settled`` ones, each
    drawn anew once it has another judgment: items escalated are no random sample, and nothing should be measured on
    them alone.
    """
    judgments = result.judgments
    n = judgments.per_item
    if not config.audit_sample:
        return np.zeros(judgments.n_items, np.bool_)
    draw = hashed(judgments.item_ids) + np.uint64(result.config.seed * SPREAD % 2**64)
    if result.models is None:
        draw = mixed(draw) + n.astype(np.uint64) * np.uint64(SPREAD)
    drawn = (mixed(draw) / 2.0**64 < config.audit_sample) & (n < config.max_judgments)
    if result.models is not None:
        return np.asarray(drawn & (result.models.votes.per_item > 0) & (n < AUDITED_BY))
    return np.asarray(drawn & settled)
