"""Which of the items that need more judgments come first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.config import EscalateConfig
from consensus.escalation.reasons import REASONS, reasons
from consensus.probabilities import normalised
from consensus.result import framed, named
from consensus.vocabulary import hashed

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from consensus.result import Columns, Consensus

N_REPRESENTATIVES = 12  # workers whose mean stands for the next one
MOST_CELLS = 5_000_000  # of the confusions of the representatives: fewer of them where there are many labels
SAME_PRIORITY = 9  # decimals (nats) up to which priorities count as equal


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
            "disagreement"; "expert" (unsettled with ``max_judgments``: more of the same will not help); "audit" (drawn
            at random so that people check the models; these come first).
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
    config = EscalateConfig.of(config, **settings)
    return framed(ranked(result, reasons(result, config), config.budget).columns(result, slice(None)))


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """The items to escalate, most urgent first."""

    items: NDArray[np.int64]
    """(n,) their codes."""
    reason: NDArray[np.int32]
    """(n,) position in REASONS."""
    priority: NDArray[np.float64]
    """(n,) expected information gain, in nats."""

    def columns(self, result: Consensus, rows: slice) -> Columns:
        """Some of them as the columns that ``escalate`` shows."""
        import pyarrow as pa

        items = self.items[rows]
        labels = result.label_columns(items)
        unknown = np.full(len(items), np.nan)
        return {
            "item": labels["item"],
            "reason": named(self.reason[rows], REASONS),
            "priority": self.priority[rows],
            **dict.fromkeys(("judgments_needed", "needed_low", "needed_high", "p_settled"), unknown),
            **{name: labels[name] for name in ("label", "confidence", "runner_up", "n_judgments")},
            "suggested_workers": pa.nulls(len(items), pa.string()),
        }


def ranked(result: Consensus, reason: NDArray[np.int32], budget: int | None) -> Ranking:
    """Order the items that there is a reason (I,) for, and keep the first ``budget`` of them."""
    items = np.flatnonzero(reason >= 0)
    priority = np.round(_information_gain(result, items), SAME_PRIORITY) + 0.0
    order = _most_urgent(result, items, priority)
    for_audit = reason[items[order]] == REASONS.index("audit")
    order = np.concatenate([order[for_audit], order[~for_audit]])[:budget]
    return Ranking(items[order], reason[items[order]], priority[order])


def _most_urgent(result: Consensus, items: NDArray[np.int64], priority: NDArray[np.float64]) -> NDArray[np.int64]:
    """The order of ``items``: priority first; ties by fewer judgments, less confidence, a stable hash of the id."""
    import pyarrow as pa

    known = np.nan_to_num(priority, nan=0.0)
    order = np.argsort(-known)
    tied = np.zeros(len(order), np.bool_)  # next to one of the same priority
    same = known[order[1:]] == known[order[:-1]]
    tied[1:] |= same
    tied[:-1] |= same
    left = np.sort(order[tied])  # in one order, whatever the sort did with the tied
    order[tied] = left[
        np.lexsort(
            (
                hashed(result.judgments.item_ids.take(pa.array(items[left]))),
                np.nan_to_num(result.confidence[items[left]], nan=0.0),
                result.judgments.per_item[items[left]],
                -known[left],
            )
        )
    ]
    return order


def _information_gain(result: Consensus, items: NDArray[np.int64]) -> NDArray[np.float64]:
    """(len(items),) expected information gain of a judgment by one of the representative workers, in nats."""
    if not result.identified:
        return np.full(len(items), np.nan)
    return np.maximum(result.beliefs.information_gain(items, _representatives(result), result.backend), 0.0)


def _representatives(result: Consensus) -> NDArray[np.float64]:
    """(G, K, K) confusions of workers at activity-weighted quantiles of informativeness; without any, of the prior."""
    found = result.confusions
    if not found.n_workers:
        return normalised(found.pseudo_counts)[None]
    informativeness = found.informativeness(result.prior_shares)
    activity = result.judgments.per_worker
    order = np.lexsort((np.arange(found.n_workers), informativeness))
    done = np.cumsum(activity[order]) / activity.sum()
    n = max(1, min(N_REPRESENTATIVES, MOST_CELLS // found.n_labels**2))
    quantiles = (np.arange(n) + 0.5) / n
    chosen = order[np.searchsorted(done, quantiles)]
    return np.stack([found.matrix(worker) for worker in chosen.tolist()])
