"""What the judgments that are asked for will bring, and where the crowd can't reach the target at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from consensus.escalation.ranking import Escalation
    from consensus.found.result import Consensus

WITH_GOLD = 100  # gold items from which the confidence is fitted on them
WEAK = 0.75  # accuracy of the median worker below which better workers are the first advice
MOST_NAMED = 3  # workers who are not in the data
OFTEN = 0.3  # of the unsettled items whose best two labels are the same pair, from which labels are to be made clearer


@dataclass(frozen=True, slots=True)
class Outlook:
    """Of the items that are not settled and wait for no expert."""

    items: int
    judgments_needed: float
    """Expected, until each is settled or has ``max_judgments``."""
    settled: float
    """How many of them these are expected to settle."""
    accuracy: float
    """Of their labels now, as the confidences have it; NaN without any."""
    reachable_accuracy: float
    """The same once all have ``max_judgments``."""
    ceiling: bool
    """Most of them will not be settled, whatever is asked: the target is beyond this crowd."""
    advice: tuple[str, ...]
    """What would help then."""
    correction: float
    """By which the judgments needed were multiplied, from how an earlier prediction turned out."""
    items_listed: int
    """For a next judgment: those to be audited, too, but none that waits for an expert."""
    judgments_listed: int
    """For these."""
    judgments_unassigned: int
    """Of these, for which nobody can be suggested."""
    retests: int
    """Judgments besides, by workers whose verdict is open."""
    verdicts_open: int | None
    """Workers whose verdict is open; None where no retests are asked for."""
    workers_tested: int
    """Of these, who get a retest."""
    money: float
    """What all of them cost, by the workers' prices or the price of a judgment; NaN where these are unknown."""
    available: float
    """Judgments that the workers who can be asked will do, all in all; NaN where that is not said."""
    workers_named: int
    """In the table of who can be asked; 0 without one."""
    workers_unknown: int
    """Of these, who are not in the data, and so are not asked."""
    unknown_named: tuple[str, ...]
    """Some of them."""


def outlook(result: Consensus, found: Escalation) -> Outlook:
    """Sum up what is expected of the unsettled items.

    The losses of the look-ahead are read as errors; under costs they are costs, and accuracies are NaN.
    """
    n, mean = found.n_waiting, found.expected
    listed = _listed(found)
    if not n or not result.identified:
        return Outlook(n, np.nan, np.nan, np.nan, np.nan, False, (), found.correction, *listed)
    ceiling = float(mean.settled[0]) < 0.5
    now, then = (1.0 - float(loss[0]) if found.costs is None else np.nan for loss in (mean.loss, mean.least_loss))
    return Outlook(
        n,
        n * float(mean.needed[0]),
        n * float(mean.settled[0]),
        now,
        then,
        ceiling,
        _advice(result, found) if ceiling else (),
        found.correction,
        *listed,
    )


def _listed(found: Escalation) -> tuple[Any, ...]:
    """The last fields of ``Outlook``: what the list asks for."""
    asked, assigned = int(found.judgments.sum()), int((found.workers >= 0).sum())
    available, strangers = np.nan, () if found.pool is None else found.pool.strangers
    if found.pool is not None and np.isfinite(found.pool.available[found.pool.named]).all():
        available = float(found.pool.available[found.pool.named].sum())
    return (
        int((found.judgments > 0).sum()),
        asked,
        asked - assigned,
        len(found.tests.items),
        found.tests.n_open,
        len(found.tests.worker_ids.unique()),
        found.money,
        available,
        0 if found.pool is None else found.pool.n_listed,
        len(strangers),
        strangers[:MOST_NAMED],
    )


def _advice(result: Consensus, found: Escalation) -> tuple[str, ...]:
    advice = []
    n_gold = 0 if result.gold is None else int((result.judgments.per_item[result.gold.items] > 0).sum())
    if n_gold < WITH_GOLD:
        has = "none has" if not n_gold else "1 has" if n_gold == 1 else f"{n_gold:,} have"
        advice.append(
            f"{WITH_GOLD} gold items that people judge ({has} been): they measure the confidence, which is now lowered "
            "in case workers share mistakes"
        )
    totals, right = result.confusions.totals().sum(axis=1), result.confusions.right().sum(axis=1)
    busy = totals > 0
    median = float(np.median(right[busy] / totals[busy])) if busy.any() else 1.0  # nobody judged where models alone did
    if median < WEAK:
        advice.append(f"better workers, or training: the median worker is right on {median:.0%}")
    pair = _confused(result, found)
    if pair is not None:
        advice.append(
            f"clearer labels: workers hesitate between {pair[0]} and {pair[1]} on {pair[2]:.0%} of these items"
        )
    return tuple(advice)


def _confused(result: Consensus, found: Escalation) -> tuple[str, str, float] | None:
    """The two labels between which most unsettled items hesitate, and their share, where it is large."""
    labels = result.judgments.labels
    asked = result.judgments.per_item > 0
    if result.models is not None:
        asked |= result.models.votes.per_item > 0
    items = np.flatnonzero((found.reason >= 0) & asked)
    best, second = result.peaks.best[items], result.peaks.runner_up[items]
    known = second >= 0
    if len(labels) < 3 or not known.any():
        return None
    low, high = np.minimum(best, second)[known].astype(np.int64), np.maximum(best, second)[known]
    pairs, counts = np.unique(low * len(labels) + high, return_counts=True)
    share = float(counts.max()) / len(items)
    pair = int(pairs[counts.argmax()])
    return (labels[pair // len(labels)], labels[pair % len(labels)], share) if share >= OFTEN else None
