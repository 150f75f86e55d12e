"""The table of who became better or worse over time, in numbers and words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.found.result import framed, named, people_only
from consensus.inputs.counted import counted
from consensus.intervals import wilson
from consensus.worker_audit.audit_of_result import WorkerAudit
from consensus.worker_audit.over_time import moments
from consensus.worker_audit.over_time.drift import CROWD_LEAST, LEAST, change_words, in_words

if TYPE_CHECKING:
    import pandas as pd

    from consensus.found.result import Columns, Consensus
    from consensus.inputs.judgments import Judgments
    from consensus.worker_audit.over_time.drift import Drifts

NO_TIMES = "no judgment has a time{}; drift_by=rows takes the order of rows for it"
NO_OTHERS = "every item has one judgment and nothing to compare it with"
NO_PLACE = f"no two times with {LEAST} judgments before and after"
LIKE_ITEMS = "the change disappears among items of the same label"
LIKE_OTHERS = "the other judges of the same items changed as much"
SCOPES = ("worker", "everyone")


def drifting(result: Consensus | WorkerAudit) -> pd.DataFrame:
    """Who became better or worse over time, and when: one row a worker, then one for everyone.

    Returns
    -------
    pandas.DataFrame
        worker, scope
            Id and "worker"; the last row has no id, and the scope "everyone".
        changed_at
            UTC, or "row N" where told by rows; the first judgment after the most likely change.
        changed_earliest, changed_latest
            The change lies between these two judgments, with 95 % confidence; missing without drift.
        n_before, n_after
            Judgments with a known time before it, and from then on.
        accuracy_before, accuracy_before_low, accuracy_before_high, accuracy_after, accuracy_after_low,
        accuracy_after_high
            Mean of P(right | the other judgments of the item), with a 95 % Wilson interval. The place was chosen where
            they differ most: without drift they say little.
        p_value
            P(a change as marked at any place, if there is none).
        drifts
            It is more than chance; more than the other judges of the same items changed, too.
        reason
            What changed; or why no p-value can be given, or why a change beyond chance is no drift.

    Notes
    -----
    A worker's judgments in order of time (ties by item) are right with P(right | the others). The place is where the
    likelihood ratio of two binomial shares against one is largest (Worsley 1983, Biometrika 70:455), with 10 judgments
    on either side and never between judgments of one time. It is divided by the variance of P(right) over that of a
    coin which is as often right, as uncertain judgments spread less.

    p_value counts the orders of so many right and wrong judgments in which the ratio somewhere is as large: exact for
    any accuracy, near 1, too, by following all paths. Above 0.2 (and for tens of thousands of judgments) it is the
    limit of long timelines (Miller & Siegmund 1982, Biometrics 38:1011), which is rather too high. It takes judgments
    for exchangeable over time: where items come sorted by difficulty, or by label to who confuses labels, it is small
    without drift.

    The 95 % interval of the date holds the places whose ratio is within 3.7 nats of the largest (Siegmund 1988,
    International Statistical Review 56:31).

    Drift is told where false discoveries among all workers are at most 1 % (Benjamini & Hochberg 1995; .3 % where the
    order of rows is a guess), and where the
    change stays among items of the same label (2.6 deviations), and exceeds that of the other judges of the same items
    (3 deviations): on each item the median of P(a label is right | all but it and the worker's), its log odds shifted
    by what the worker is better or worse than they on the whole, tells what would be right if only items had changed.

    Everyone: at 100 times, each worker's change in deviations of random orders of their own judgments, 3 at most, is
    summed up, so that neither who judged when nor a few drifting workers make a change of the crowd. The variance is
    taken as larger as judgments of one item go together. p_value: the 100 times by Bonferroni; the limit is 1 %. The
    accuracies are those of all judgments. Judgments alone can't tell whether the crowd or the items changed.

    Where no judgment has a time, the order of rows is taken for it, if judgments were read with ``drift_by="rows"``, or
    if the rows are not sorted by item, worker or label. That this is a guess stands in every reason.
    """
    return framed(drift_columns(WorkerAudit.of(result)))


def tells_drift(audit: WorkerAudit) -> bool:
    """Whether there is anything to tell: an order in time; or one that is guessed from rows, and a change along it."""
    judgments = audit.result.judgments
    if not judgments.rows_guessed:
        return judgments.in_order
    return audit.drifts.crowd.changed or bool((audit.drifts.changed & judgments.is_person).any())


def drift_columns(audit: WorkerAudit) -> Columns:
    """The columns that ``drifting`` shows."""
    import pyarrow as pa

    result, found = audit.result, audit.drifts
    judgments = result.judgments
    crowd, W = found.crowd, judgments.n_workers
    when, nobody = np.append(found.when, crowd.when), moments.unknown(1, judgments)
    n_before, n_after = np.append(found.n_before, crowd.n_before), np.append(found.n_after, crowd.n_after)
    before, after = np.append(found.before, crowd.before), np.append(found.after, crowd.after)
    spread = np.append(np.ones(W), crowd.cluster)
    before_low, before_high = wilson(before * n_before / spread, n_before / spread)
    after_low, after_high = wilson(after * n_after / spread, n_after / spread)
    changed = np.append(found.changed, crowd.changed)
    reasons: list[str | None] = [*_unanswered(result, found), _about_the_crowd(result, found)]
    for w in np.flatnonzero(changed[:W]).tolist():
        reasons[w] = in_words(found, w)
    columns: Columns = {
        "worker": pa.concat_arrays([judgments.worker_ids, pa.nulls(1, pa.string())]),
        "scope": named(np.append(np.zeros(W, np.int32), np.int32(1)).astype(np.int32), SCOPES),
        "changed_at": moments.texts(when),
        "changed_earliest": moments.texts(np.append(found.earliest, nobody)),
        "changed_latest": moments.texts(np.append(found.latest, nobody)),
        "n_before": n_before,
        "n_after": n_after,
        "accuracy_before": before,
        "accuracy_before_low": before_low,
        "accuracy_before_high": before_high,
        "accuracy_after": after,
        "accuracy_after_low": after_low,
        "accuracy_after_high": after_high,
        "p_value": np.append(found.p, crowd.p),
        "drifts": changed,
        "reason": pa.array(reasons, pa.string()),
    }
    return people_only(columns, np.append(judgments.is_person, True))


def _unanswered(result: Consensus, found: Drifts) -> list[str | None]:
    """Why some workers have no p-value, and why changes beyond chance are no drift."""
    reasons: list[str | None] = [None] * len(found.p)
    judgments = result.judgments
    if not judgments.in_order:
        return [_no_times(judgments)] * len(found.p)
    if not result.identified:
        return [NO_OTHERS] * len(found.p)
    timed = slice(None) if judgments.timestamp is None else ~np.isnat(judgments.timestamp)
    n = np.bincount(judgments.worker[timed], minlength=len(found.p))
    for w in np.flatnonzero(np.isnan(found.p)).tolist():
        few = f"{counted(int(n[w]), 'judgment')} with {_a_moment(judgments)}; {2 * LEAST} are needed"
        reasons[w] = few if n[w] < 2 * LEAST else NO_PLACE
    for why, whose in ((LIKE_ITEMS, found.with_items), (LIKE_OTHERS, found.with_others)):
        for w in np.flatnonzero(whose).tolist():
            reasons[w] = f"no drift: {change_words(found.before[w], found.after[w], found.when[w])}, but {why}"
    return reasons


def _no_times(judgments: Judgments) -> str:
    return NO_TIMES.format(f", and {judgments.unordered}" if judgments.unordered else "")


def _a_moment(judgments: Judgments) -> str:
    return "a place" if moments.by_rows(judgments) else "a time"


def _about_the_crowd(result: Consensus, found: Drifts) -> str | None:
    crowd = found.crowd
    if crowd.changed:
        less, worse, harder = (
            ("less", "worse", "harder") if crowd.after < crowd.before else ("more", "better", "easier")
        )
        own = found.with_crowd & found.changed
        change = change_words(crowd.before, crowd.after, crowd.when)
        return (
            f"judgments agree {less} since {moments.words(crowd.when)}: the crowd got {worse} or the items {harder}; a "
            f"few gold items of each date tell which ({change}; {int(found.with_crowd.sum()):,} of the "
            f"{crowd.n_workers:,} workers who judged before and after changed then, {int(own.sum()):,} more than the "
            "others on the same items)"
        )
    if not np.isnan(crowd.p):
        return None
    if not result.judgments.in_order:
        return _no_times(result.judgments)
    if not result.identified:
        return NO_OTHERS
    moment = _a_moment(result.judgments).removeprefix("a ")
    return f"fewer than {CROWD_LEAST} workers have {LEAST} judgments before and after one {moment}"
