"""Which items need more judgments, and why: reasons and statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.config import EscalateConfig
from consensus.result import decoded
from consensus.vocabulary import hashed

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from consensus.result import Consensus

STATUSES = ("accepted", "escalate", "expert", "gold")
REASONS = ("too_few", "weak_workers", "disagreement", "expert", "audit")
AUDITED_BY = 2  # judgments by people that an item of the audit sample needs


def statuses(result: Consensus, config: EscalateConfig | None = None, **settings: Any) -> pd.Series[str]:
    """Status of every row of ``result.labels``: accepted, escalate, expert or gold.

    Accepted are items with at least ``min_judgments``, or with the vote of a model that has met enough items that
    people judged, and a confidence of at least ``target``.
    """
    return decoded(status_codes(result, reasons(result, EscalateConfig.of(config, **settings))), STATUSES)


def status_codes(result: Consensus, reason: NDArray[np.int32]) -> NDArray[np.int32]:
    """Position in STATUSES of the status of every row of ``result.labels``, given the ``reasons``."""
    status = np.where(reason < 0, 0, 1).astype(np.int32)
    status[reason == REASONS.index("expert")] = STATUSES.index("expert")
    gold = STATUSES.index("gold")
    if result.gold is not None:
        status[result.gold.items] = gold
        status = np.concatenate([status, np.full(len(result.gold.unjudged), gold, np.int32)])
    return status


def reasons(result: Consensus, config: EscalateConfig) -> NDArray[np.int32]:
    """(I,) position in REASONS of why an item is escalated; -1 where it is settled or gold."""
    judgments = result.judgments
    n = judgments.per_item
    enough = n >= config.min_judgments
    if result.models is not None:
        enough |= result.models.vouched
    settled = enough & (result.confidence >= config.target)  # NaN is not settled
    settled &= result.consensus_label >= 0
    unanimous = result.votes[1] == 1
    reason = np.where(unanimous, REASONS.index("weak_workers"), REASONS.index("disagreement")).astype(np.int32)
    reason[~enough] = REASONS.index("too_few")
    reason[n >= config.max_judgments] = REASONS.index("expert")
    reason[settled] = -1
    reason[_audit_sample(result, config.audit) & (n < AUDITED_BY)] = REASONS.index("audit")
    if result.gold is not None:
        reason[result.gold.items] = -1
    return reason


def _audit_sample(result: Consensus, share: float) -> NDArray[np.bool_]:
    """(I,) a random ``share`` of the items that models voted on, by a hash of the id: the same ones every time."""
    if result.models is None or not share:
        return np.zeros(result.judgments.n_items, np.bool_)
    draw = hashed(result.judgments.item_ids) ^ np.uint64(result.config.seed)
    return np.asarray((draw / 2.0**64 < share) & (result.models.votes.per_item > 0))
