"""Which items need more judgments, why, and which of them first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.backends import Threads, even_slices, number_of_shards
from consensus.config import EscalateConfig
from consensus.kernels import tallies
from consensus.result import decoded, entropy

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from consensus.result import Consensus

N_REPRESENTATIVES = 12  # workers whose mean stands for the next one
MOST_CELLS = 5_000_000  # of the confusions of the representatives: fewer of them where there are many labels
SAME_PRIORITY = 9  # decimals (nats) up to which priorities count as equal
STATUSES = ("accepted", "escalate", "expert", "gold")
REASONS = ("too_few", "weak_workers", "disagreement", "expert")


def escalate(result: Consensus, config: EscalateConfig | None = None, **settings: Any) -> pd.DataFrame:
    """Items that are not settled, the one first whose next judgment tells most.

    Parameters
    ----------
    result
        A fitted consensus.
    config
        Settings; see ``EscalateConfig``.
    **settings
        Its fields, such as ``target=0.99``. ``budget`` keeps the most urgent items only, one more judgment each;
        send them out, then ask again.

    Returns
    -------
    pandas.DataFrame
        item
            Its id.
        reason
            "too_few" judgments; "weak_workers" (nobody objects, but those who judged carry little weight);
            "disagreement"; "expert" (unsettled with ``max_judgments``: more of the same will not help).
        priority
            Expected information gain of one more judgment, in nats; missing where no confidence can be stated.
        judgments_needed, needed_low, needed_high, p_settled
            Not yet filled.
        label, confidence, runner_up, n_judgments
            As in labels.csv.
        suggested_workers
            Not yet filled.

        Ties: fewer judgments first, then less confidence, then a stable hash of the id.

    Raises
    ------
    ConfigError
        A setting is unknown or out of range.
    """
    import pandas as pd

    config = EscalateConfig.of(config, **settings)
    reason = _reasons(result, config)
    items = np.flatnonzero(reason >= 0)
    labels = result.labels.iloc[items].reset_index(drop=True)
    table = pd.DataFrame(
        {
            "item": labels["item"],
            "reason": decoded(reason[items], REASONS),
            "priority": np.round(_information_gain(result, items), SAME_PRIORITY) + 0.0,
            "judgments_needed": np.nan,
            "needed_low": np.nan,
            "needed_high": np.nan,
            "p_settled": np.nan,
            "label": labels["label"],
            "confidence": labels["confidence"],
            "runner_up": labels["runner_up"],
            "n_judgments": labels["n_judgments"],
            "suggested_workers": pd.Series(np.full(len(items), None), dtype="str"),
        }
    )
    order = np.lexsort(
        (
            pd.util.hash_array(table["item"].to_numpy(object), categorize=False),
            table["confidence"].fillna(0.0),
            table["n_judgments"],
            -table["priority"],
        )
    )
    return table.iloc[order[: config.budget]].reset_index(drop=True)


def statuses(result: Consensus, config: EscalateConfig | None = None, **settings: Any) -> pd.Series[str]:
    """Status of every row of ``result.labels``: accepted, escalate, expert or gold.

    Accepted are items with at least ``min_judgments`` and a confidence of at least ``target``.
    """
    config = EscalateConfig.of(config, **settings)
    reason = _reasons(result, config)
    status = np.where(reason < 0, 0, 1).astype(np.int32)
    status[reason == REASONS.index("expert")] = STATUSES.index("expert")
    gold = STATUSES.index("gold")
    if result.gold is not None:
        status[result.gold.items] = gold
        status = np.concatenate([status, np.full(len(result.gold.unjudged), gold, np.int32)])
    return decoded(status, STATUSES)


def _reasons(result: Consensus, config: EscalateConfig) -> NDArray[np.int32]:
    """(I,) position in REASONS of why an item is escalated; -1 where it is settled or gold."""
    judgments = result.judgments
    n = judgments.per_item
    settled = (n >= config.min_judgments) & (result.confidence >= config.target)  # NaN is not settled
    settled &= result.consensus_label >= 0
    votes = np.zeros((judgments.n_items, judgments.n_labels))
    tallies.label_counts(judgments.item_start, judgments.label, votes)
    unanimous = (votes > 0).sum(axis=1) == 1
    reason = np.where(unanimous, REASONS.index("weak_workers"), REASONS.index("disagreement")).astype(np.int32)
    reason[n < config.min_judgments] = REASONS.index("too_few")
    reason[n >= config.max_judgments] = REASONS.index("expert")
    reason[settled] = -1
    if result.gold is not None:
        reason[result.gold.items] = -1
    return reason


def _information_gain(result: Consensus, items: NDArray[np.int64]) -> NDArray[np.float64]:
    """(len(items),) expected information gain of a judgment by one of the representative workers, in nats."""
    posterior = np.ascontiguousarray(result.posterior[items])
    confusions = _representatives(result)
    row_entropy = entropy(confusions.reshape(-1, confusions.shape[2])).reshape(confusions.shape[:2])
    gain = np.empty(len(items))
    backend = Threads(result.config.threads)
    cost = np.arange(len(items) + 1, dtype=np.int64) * confusions[0].size

    def shard(part: slice) -> None:
        tallies.information_gain(posterior[part], confusions, row_entropy, gain[part])

    backend.map(shard, even_slices(cost, number_of_shards(int(cost[-1]))))
    return np.maximum(gain, 0.0) if result.identified else np.full(len(items), np.nan)


def _representatives(result: Consensus) -> NDArray[np.float64]:
    """(G, K, K) confusions of workers at activity-weighted quantiles of informativeness."""
    found = result.confusions
    informativeness = found.informativeness(result.prior_shares)
    activity = np.bincount(result.judgments.worker, minlength=found.n_workers)
    order = np.lexsort((np.arange(found.n_workers), informativeness))
    done = np.cumsum(activity[order]) / activity.sum()
    n = max(1, min(N_REPRESENTATIVES, MOST_CELLS // found.n_labels**2))
    quantiles = (np.arange(n) + 0.5) / n
    chosen = order[np.searchsorted(done, quantiles)]
    return np.stack([found.matrix(worker) for worker in chosen.tolist()])
