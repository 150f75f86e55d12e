"""Which items to give a worker whose judgments do not tell enough yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.found.result import framed, named
from consensus.intervals import Z
from consensus.worker_audit.accuracy import verdicts
from consensus.worker_audit.audit_of_result import WorkerAudit
from consensus.worker_audit.on_gold import new_gold

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from consensus.config import AuditConfig
    from consensus.found.result import Columns, Consensus
    from consensus.worker_audit.accuracy.skills import Skills

    Reals = NDArray[np.float64]

MOST_LISTED = 20  # items that are listed for one worker at once: then look again
POOL = 2000  # items besides gold that workers are tested with
MOST_NEEDED = 200  # judgments; more would be dearer than another worker


def needed(accuracy: ArrayLike, n_judgments: ArrayLike, threshold: float) -> NDArray[np.int64]:
    """(W,) how many more judgments of known label would settle on which side of ``threshold`` an accuracy lies.

    So many that the 95 % normal interval around today's ``accuracy`` (W,) no longer holds the threshold, all judgments
    so far (W,) counting fully; at most 200, also where the accuracy is unknown.
    """
    a, n = np.asarray(accuracy, np.float64), np.asarray(n_judgments, np.float64)
    a = np.where(np.isnan(a), threshold, a)
    cautious = (a * n + 1.0) / (n + 2.0)  # a flawless record is no certainty
    with np.errstate(divide="ignore", invalid="ignore"):
        total = Z**2 * cautious * (1.0 - cautious) / (a - threshold) ** 2
    more = np.ceil(np.minimum(np.nan_to_num(total, nan=np.inf) - n, MOST_NEEDED))
    found: NDArray[np.int64] = np.maximum(more, 0.0).astype(np.int64)
    return found


def retest_table(
    result: Consensus | WorkerAudit, config: AuditConfig | None = None, *, n_items: int = MOST_LISTED, **settings: Any
) -> pd.DataFrame:
    """Which items to give the workers whose verdict is open, and how many.

    Parameters
    ----------
    result
        A fitted consensus.
    config, **settings
        When a worker gets which verdict: ``AuditConfig`` and its fields.
    n_items
        Items that are listed for a worker at most.

    Returns
    -------
    pandas.DataFrame
        worker, verdict; n_needed, judgments of known label until the verdict can be expected to stand; item, one row
        for each that is proposed, and the label that is to be expected there.
    """
    return framed(retest_columns(WorkerAudit.of(result, config, **settings), n_items))


def retest_columns(audit: WorkerAudit, n_items: int = MOST_LISTED, may: NDArray[np.bool_] | None = None) -> Columns:
    """The columns that ``retest_table`` shows, of the items that ``may`` (I,) be proposed; by default all."""
    import pyarrow as pa

    more = missing_judgments(audit)
    audit = audit.of_members
    result, judged = audit.result, audit.verdicts
    open_ones = np.flatnonzero((more > 0) & (n_items > 0))
    own, item, label = proposed(result, audit.skills, open_ones, np.minimum(more[open_ones], n_items), may)
    worker = open_ones[own]
    return {
        "worker": result.judgments.worker_ids.take(pa.array(worker)),
        "verdict": named(judged.verdict[worker], verdicts.VERDICTS),
        "n_needed": more[worker],
        "item": result.judgments.item_ids.take(pa.array(item)),
        "label": named(label, result.judgments.labels),
    }


def missing_judgments(audit: WorkerAudit) -> NDArray[np.int64]:
    """(W,) how many judgments of known label each worker's verdict waits for; 0 where it is not open."""
    audit = audit.of_members
    result, config, judged = audit.result, audit.config, audit.verdicts
    n = judged.n_judgments
    more = np.maximum(needed(judged.accuracy, n, judged.careless_below), np.ceil(config.min_worker_judgments - n))
    undecided = (judged.verdict == verdicts.TOO_FEW) & (n >= config.min_worker_judgments)
    more = np.where(undecided, np.maximum(more, config.min_worker_judgments), more)
    found = np.where(judged.near & result.judgments.is_person & result.identified, more, 0)
    return np.maximum(found, 0).astype(np.int64)


def proposed(
    result: Consensus,
    skill: Skills,
    workers: NDArray[np.int64],
    n_items: NDArray[np.int64],
    may: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """Items of all but certain label that ``workers`` (n,) have not judged, at most ``n_items`` (n,) for each.

    Each next item is of the label that narrows the worker's accuracy (over labels in the proportions of the class
    prior) most: common labels of which they judged few, and which they get right about half of the time. Items are
    gold, and the first 2,000 that ``proposals`` lists, as far as they ``may`` (I,) be proposed. Every worker begins
    elsewhere in the list, so that not all get the same items.

    Returns
    -------
    own, item, label
        Of each proposal: the position in ``workers``, the item, and the label to be expected.
    """
    if not len(workers):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int32)
    item, label = _suited(result, skill)
    if may is not None:
        item, label = item[may[item]], label[may[item]]
    totals = result.confusions.totals()[workers]
    judged = _judged_by(result, workers)
    chosen = [
        _next_items(int(w), int(most), (item, label), judged[int(w)], result.prior_shares, skill.right[w], n.copy())
        for w, most, n in zip(workers, n_items, totals, strict=True)
    ]
    at = np.concatenate([np.zeros(0, np.int64), *chosen])
    return np.repeat(np.arange(len(workers)), [len(one) for one in chosen]), item[at], label[at]


def _suited(result: Consensus, skill: Skills) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Items with one gold label, then proposed gold; and their labels."""
    found = new_gold.Candidates.of(result, skill)
    found = found.chosen(found.dealt(POOL))
    if result.gold is None:
        return found.items, found.label
    alone = result.gold.accepted.sum(axis=1) == 1
    label = result.gold.accepted[alone].argmax(axis=1).astype(np.int32)
    return np.concatenate([result.gold.items[alone], found.items]), np.concatenate([label, found.label])


def _judged_by(result: Consensus, workers: NDArray[np.int64]) -> dict[int, NDArray[np.int32]]:
    """The items that each of some workers judged."""
    judgments = result.judgments
    wanted = np.zeros(judgments.n_workers, np.bool_)
    wanted[workers] = True
    own = np.flatnonzero(wanted[judgments.worker])
    own = own[np.argsort(judgments.worker[own], kind="stable")]
    bounds = np.searchsorted(judgments.worker[own], [workers, workers + 1])
    return {int(w): judgments.item[own[a:b]] for w, a, b in zip(workers, *bounds, strict=True)}


def _next_items(
    worker: int,
    n_items: int,
    suited: tuple[NDArray[np.int64], NDArray[np.int32]],
    judged: NDArray[np.int32],
    prior: Reals,
    right: Reals,
    n: Reals,
) -> NDArray[np.int64]:
    """Positions in ``suited`` of the items for one worker; ``n`` (K,) judgments of each label is counted up."""
    item, label = suited
    free = np.flatnonzero(~np.isin(item, judged))
    queues = []
    for k in range(len(prior)):
        queue = free[label[free] == k]
        queues.append(np.roll(queue, -(worker * n_items) % max(len(queue), 1)).tolist())
    found: list[int] = []
    spread = prior**2 * right * (1.0 - right)
    while len(found) < n_items and any(queues):
        gain = spread / ((n + 1.0) * (n + 2.0))
        k = max((k for k, queue in enumerate(queues) if queue), key=lambda k: (gain[k], -k))
        found.append(queues[k].pop(0))
        n[k] += 1.0
    return np.array(found, np.int64)
