"""When did a worker, or the whole crowd, become better or worse: one change-point over time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from consensus.backends import even_parts, even_slices, number_of_shards
from consensus.intervals import wilson
from consensus.kernels import drift as kernels
from consensus.kernels.timelines import UNKNOWN as NO_TIME
from consensus.result import framed, named
from consensus.worker_audit import others, strata
from consensus.worker_audit.timelines import Timelines

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.result import Columns, Consensus

    Flags = NDArray[np.bool_]
    Offsets = NDArray[np.int64]
    Reals = NDArray[np.float64]
    Times = NDArray[np.datetime64]

LEAST = 10  # judgments before a change, and after it
RATE = 0.01  # of false discoveries among the workers who are said to drift (Benjamini & Hochberg 1995)
WITHIN = 3.68  # nats from the largest likelihood ratio: 95 % of changes, by 1 - (1 - exp(-x))^2 (Siegmund 1988)
LEAST_SPREAD = 0.25  # of the variance of a coin as often right, below which uncertain judgments are not taken to spread
SHORT = 100  # judgments up to which p-values are always exact
NEAR = 0.2  # p-values below which they are
MOST_STEPS = 20_000_000  # of an exact p-value: judgments times the lesser of right and wrong ones
CROWD_PLACES = 100  # times at which a change of the crowd is looked for
CROWD_RATE = 0.01  # probability of a false alarm about the crowd
CROWD_LEAST = 5  # workers who must have judged before and after it
MOST_OF_ONE = 3.0  # deviations by which one worker counts for a change of the crowd
SAME_TIME = 0.1  # of a worker's judgments that may lie between a change of his and one of the crowd
MOST_SAMPLED = 1_000_000  # judgments whose times they are taken from
NO_DATE = np.datetime64("NaT", "us")
NO_TIMES = "no judgment has a time"
NO_OTHERS = "every item has one judgment: nothing to hold it against"
NO_PLACE = f"no two times with {LEAST} judgments before and after"
SCOPES = ("worker", "everyone")


@dataclass(frozen=True, slots=True, eq=False)
class Drifts:
    """The most likely change of every worker, and whether it is more than chance."""

    changed: Flags
    """(W,) it is."""
    when: Times
    """(W,) time of the first judgment after it, UTC; NaT where none can be looked for."""
    earliest: Times
    """(W,) time of the last judgment that is surely from before it (95 % with ``latest``); NaT unless ``changed``."""
    latest: Times
    """(W,) time of the first judgment that is surely from after it."""
    before: Reals
    """(W,) share right before it; NaN as ``when``."""
    after: Reals
    """(W,) and from then on."""
    p: Reals
    """(W,) P(a change as marked somewhere, if there is none); NaN as ``when``."""
    n_before: Offsets
    """(W,) judgments with a known time before it; 0 as ``when``."""
    n_after: Offsets
    """(W,)."""
    crowd: CrowdChange
    """The same for all workers together."""
    with_crowd: Flags
    """(W,) ``changed``, when the crowd did and in the same direction."""


@dataclass(frozen=True, slots=True)
class CrowdChange:
    """The most likely change of all workers together; NaN and NaT where none can be looked for."""

    changed: bool = False
    when: np.datetime64 = NO_DATE
    n_before: int = 0
    n_after: int = 0
    before: float = np.nan
    after: float = np.nan
    p: float = np.nan
    n_workers: int = 0
    """Workers who judged before and after it."""
    cluster: float = 1.0
    """Design effect: by how much judgments of one item err together."""


_FOUND: WeakKeyDictionary[Consensus, Drifts] = WeakKeyDictionary()


def drifting(result: Consensus) -> pd.DataFrame:
    """Who became better or worse over time, and when: one row a worker, then one for everyone.

    Returns
    -------
    pandas.DataFrame
        worker, scope
            Id and "worker"; the last row has no id, and the scope "everyone".
        changed_at
            UTC; the first judgment after the most likely change.
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
            It is more than chance.
        reason
            What changed; or why no p-value can be given.

    Notes
    -----
    A worker's judgments in order of time (ties by item) are right with P(right | the others). The place is where the
    likelihood ratio of two binomial shares against one is largest (Worsley 1983, Biometrika 70:455), with 10 judgments
    on either side and never between judgments of one time. It is divided by the variance of P(right) over that of a
    coin which is as often right, as uncertain judgments spread less.

    p_value counts the orders of so many right and wrong judgments in which the ratio somewhere is as large: exact for
    any accuracy, near 1, too, by following all paths. Above 0.2 (and for tens of thousands of judgments) it is the
    limit of long timelines (Miller & Siegmund 1982, Biometrics 38:1011), which is rather too high. Judgments must be
    exchangeable over time: items that come sorted by difficulty, or by label to who confuses labels, look like drift.

    The 95 % interval of the date holds the places whose ratio is within 3.7 nats of the largest (Siegmund 1988,
    International Statistical Review 56:31).

    Drift is told where false discoveries among all workers are at most 1 % (Benjamini & Hochberg 1995).

    Everyone: at 100 times, each worker's change in deviations of random orders of his own judgments, 3 at most, is
    summed up, so that neither who judged when nor a few drifting workers make a change of the crowd. The variance is
    taken as larger as judgments of one item go together. p_value: the 100 times by Bonferroni; the limit is 1 %. The
    accuracies are those of all judgments.
    """
    return framed(drift_columns(result))


def drift_columns(result: Consensus) -> Columns:
    """The columns that ``drifting`` shows."""
    import pyarrow as pa

    judgments, found = result.judgments, drifts(result)
    crowd, W = found.crowd, judgments.n_workers
    when = np.append(found.when, crowd.when)
    n_before, n_after = np.append(found.n_before, crowd.n_before), np.append(found.n_after, crowd.n_after)
    before, after = np.append(found.before, crowd.before), np.append(found.after, crowd.after)
    spread = np.append(np.ones(W), crowd.cluster)
    before_low, before_high = wilson(before * n_before / spread, n_before / spread)
    after_low, after_high = wilson(after * n_after / spread, n_after / spread)
    changed = np.append(found.changed, crowd.changed)
    reasons: list[str | None] = [*_unanswered(result, found), _about_the_crowd(result, found)]
    for w in np.flatnonzero(changed[:W]).tolist():
        reasons[w] = in_words(found, w)
    return {
        "worker": pa.concat_arrays([judgments.worker_ids, pa.nulls(1, pa.string())]),
        "scope": named(np.append(np.zeros(W, np.int32), np.int32(1)).astype(np.int32), SCOPES),
        "changed_at": _as_text(when),
        "changed_earliest": _as_text(np.append(found.earliest, NO_DATE)),
        "changed_latest": _as_text(np.append(found.latest, NO_DATE)),
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


def _as_text(times: Times) -> pa.StringArray:
    """Times such as 2025-03-14T09:22:07Z; NaT is null."""
    import pyarrow as pa

    text = np.char.add(np.datetime_as_string(times.astype("datetime64[s]")), "Z")
    return pa.array(text, pa.string(), mask=np.isnat(times))


def drifts(result: Consensus) -> Drifts:
    """The most likely change of every worker: see ``drifting``. Made once, and asked for by several tables."""
    if result not in _FOUND:
        _FOUND[result] = _found(result)
    return _FOUND[result]


def _found(result: Consensus) -> Drifts:
    judgments = result.judgments
    W = judgments.n_workers
    when, nothing = np.full(W, "NaT", "datetime64[us]"), np.full(W, np.nan)
    none, zero = np.zeros(W, np.bool_), np.zeros(W, np.int64)
    unknown = Drifts(none, when, when, when, nothing, nothing, nothing, zero, zero, CrowdChange(), none)
    if judgments.timestamp is None or not result.identified:
        return unknown
    lines, right = Timelines.of(result), others.right(result)
    found = np.empty((W, 5))

    def shard(part: slice) -> None:
        kernels.changes(lines.of_workers(part), right, LEAST, found[part])

    lines.map(result, shard)
    place, ratio, right_before, total, squares = found.T
    n, tested = lines.n_timed, place >= 0
    n_before = np.where(tested, place, 0).astype(np.int64)
    n_after = np.where(tested, n - n_before, 0)
    mean = np.divide(total, n, out=nothing.copy(), where=tested)
    coin = n * mean * (1.0 - mean)
    spread = np.divide(squares - n * mean**2, coin, out=np.ones(W), where=tested & (coin > 0))
    spread = np.clip(spread, LEAST_SPREAD, 1.0)
    p = nothing.copy()
    p[tested] = _by_chance(result, n[tested], (n - total)[tested], (ratio / spread)[tested])
    when[tested] = lines.time[(lines.first + n_before)[tested]].view("datetime64[us]")
    before = np.divide(right_before, n_before, out=nothing.copy(), where=tested)
    after = np.divide(total - right_before, n_after, out=nothing.copy(), where=tested)
    crowd = _crowd(result, lines, right, total / np.maximum(n, 1))
    changed = strata.staying(result, lines, right, _discoveries(p), n_before)
    earliest, latest = _span(result, lines, right, changed, ratio - WITHIN * spread)
    all_found = Drifts(changed, when, earliest, latest, before, after, p, n_before, n_after, crowd, none)
    return replace(all_found, with_crowd=_together(lines, all_found))


def _span(result: Consensus, lines: Timelines, right: Reals, changed: Flags, limits: Reals) -> tuple[Times, Times]:
    """(W,) between which times those who ``changed`` did so: all places with a likelihood ratio of ``limits`` (W,)."""
    earliest, latest = (np.full(len(changed), NO_DATE) for _ in range(2))
    own = np.flatnonzero(changed)
    ends = np.stack([lines.first[own], lines.start[1:][own]], axis=1)
    places = np.zeros((len(own), 2), np.int64)

    def shard(part: slice) -> None:
        kernels.span(ends[part], lines.judgment, lines.time, right, LEAST, limits[own][part], places[part])

    result.backend.map(shard, even_parts(len(own), number_of_shards(int(lines.n_timed[own].sum()))))
    earliest[own] = lines.time[ends[:, 0] + places[:, 0] - 1].view("datetime64[us]")
    latest[own] = lines.time[ends[:, 0] + places[:, 1]].view("datetime64[us]")
    return earliest, latest


def _by_chance(result: Consensus, n: Offsets, wrong: Reals, ratio: Reals) -> Reals:
    """P(the largest of the likelihood ratios is ``ratio`` or more), without a change; all (C,)."""
    p = _limit(n, ratio)
    m = np.rint(wrong).astype(np.int64)
    steps = n * np.minimum(m, n - m)
    chosen = np.flatnonzero(((n <= SHORT) | (p < NEAR)) & (steps <= MOST_STEPS))
    exact = np.empty(len(chosen))

    def shard(part: slice) -> None:
        mine = chosen[part]
        few = np.minimum(m, n - m)[mine]  # right and wrong may change places
        kernels.by_chance(n[mine], few, ratio[mine], LEAST, exact[part])

    result.backend.map(shard, even_parts(len(chosen), number_of_shards(int(steps[chosen].sum()))))
    p[chosen] = exact
    return p


def _limit(n: Offsets, ratio: Reals) -> Reals:
    """The same for long timelines: a Brownian bridge in its deviations (Miller & Siegmund 1982)."""
    b = np.sqrt(2.0 * np.maximum(ratio, 0.5))  # below, it is 1 anyway
    density = np.exp(-(b**2) / 2) / np.sqrt(2.0 * np.pi)
    width = 2.0 * np.log((n - LEAST) / LEAST)
    return np.minimum(np.where(ratio > 0.5, density * (4.0 / b + (b - 1.0 / b) * width), 1.0), 1.0)


def _discoveries(p: Reals) -> Flags:
    """Which p-values (n,) are discoveries, of which at most ``RATE`` are false (Benjamini & Hochberg 1995)."""
    tested = np.sort(p[~np.isnan(p)])
    passed = np.flatnonzero(tested <= RATE * np.arange(1, len(tested) + 1) / max(len(tested), 1))
    return p <= (tested[passed[-1]] if len(passed) else -1.0)


def _crowd(result: Consensus, lines: Timelines, right: Reals, mean: Reals) -> CrowdChange:
    """The most likely change of all workers together; ``mean`` (W,) share right of each."""
    from scipy.special import ndtr

    times = _places(lines)

    def shard(part: slice) -> Reals:
        found = np.zeros((4, len(times)))
        kernels.crowd(lines.of_workers(part), right, times, LEAST, MOST_OF_ONE, found)
        return found

    change, n_workers, n_before, right_before = np.sum(lines.map(result, shard), axis=0)
    enough = n_workers >= CROWD_LEAST
    if not enough.any():
        return CrowdChange()
    cluster = _cluster(result, right, mean)
    z = np.where(enough, change, 0.0) / np.sqrt(np.maximum(n_workers, 1.0) * cluster)
    at = int(np.abs(z).argmax())
    p = min(1.0, 2.0 * float(ndtr(-abs(z[at]))) * int(enough.sum()))
    first, n = int(n_before[at]), int(lines.n_timed.sum())
    before, total = float(right_before[at]), float(mean @ lines.n_timed)
    return CrowdChange(
        p <= CROWD_RATE,
        times[at].view("datetime64[us]"),
        first,
        n - first,
        before / first,
        (total - before) / (n - first),
        p,
        int(n_workers[at]),
        cluster,
    )


def _places(lines: Timelines) -> Offsets:
    """Up to ``CROWD_PLACES`` times, evenly spaced among the judgments, at which the crowd may have changed."""
    sample = lines.time[:: max(-(-len(lines.time) // MOST_SAMPLED), 1)]
    sample = np.sort(sample[sample != NO_TIME])
    at = np.arange(1, CROWD_PLACES + 1) * len(sample) // (CROWD_PLACES + 1)
    return np.unique(sample[at]) if len(sample) else sample


def _cluster(result: Consensus, right: Reals, mean: Reals) -> float:
    """Design effect: the variance of sums over items against that of as many judgments of separate items; 1 or more."""
    judgments = result.judgments
    assert judgments.timestamp is not None
    known = ~np.isnat(judgments.timestamp)

    def shard(part: slice) -> Reals:
        found = np.zeros(2)
        starts = judgments.item_start[part.start : part.stop + 1]
        kernels.clustered(starts, judgments.worker, known, right, mean, found)
        return found

    parts = even_slices(judgments.item_start, number_of_shards(judgments.n_judgments))
    together, apart = np.sum(result.backend.map(shard, parts), axis=0)
    return float(max(together / max(apart, 1e-300), 1.0))


def _together(lines: Timelines, found: Drifts) -> Flags:
    """(W,) who changed about when the crowd did, in his own timeline, and in the same direction."""
    crowd, together = found.crowd, np.zeros(len(found.p), np.bool_)
    if crowd.changed:
        time = crowd.when.astype(np.int64)
        for w in np.flatnonzero(
            found.changed & ((found.before < found.after) == (crowd.before < crowd.after))
        ).tolist():
            first, end = lines.first[w], lines.start[w + 1]
            n_earlier = int(np.searchsorted(lines.time[first:end], time))
            near = abs(n_earlier - found.n_before[w]) <= max(LEAST, SAME_TIME * (end - first))
            together[w] = near or found.earliest[w] <= crowd.when <= found.latest[w]
    return together


def _unanswered(result: Consensus, found: Drifts) -> list[str | None]:
    """Why some workers have no p-value."""
    reasons: list[str | None] = [None] * len(found.p)
    timestamp = result.judgments.timestamp
    if timestamp is None:
        return [NO_TIMES] * len(found.p)
    if not result.identified:
        return [NO_OTHERS] * len(found.p)
    n = np.bincount(result.judgments.worker[~np.isnat(timestamp)], minlength=len(found.p))
    for w in np.flatnonzero(np.isnan(found.p)).tolist():
        few = f"{n[w]:,} judgments with a time; {2 * LEAST} are needed"
        reasons[w] = few if n[w] < 2 * LEAST else NO_PLACE
    return reasons


def _about_the_crowd(result: Consensus, found: Drifts) -> str | None:
    crowd = found.crowd
    if crowd.changed:
        worse = int((found.with_crowd).sum())
        return (
            f"{_change(crowd.before, crowd.after, crowd.when)}; of {crowd.n_workers:,} workers who judged before and "
            f"after {worse:,} change then beyond chance"
        )
    if not np.isnan(crowd.p):
        return None
    if result.judgments.timestamp is None:
        return NO_TIMES
    if not result.identified:
        return NO_OTHERS
    return f"fewer than {CROWD_LEAST} workers have {LEAST} judgments before and after one time"


def in_words(found: Drifts, worker: int) -> str:
    """What changed in a worker who drifts, such as ``right on 92% before 2025-03-14 and on 42% since``."""
    text = _change(found.before[worker], found.after[worker], found.when[worker])
    return f"{text}; so did the whole crowd: ask what changed then" if found.with_crowd[worker] else text


def _change(before: float, after: float, when: np.datetime64) -> str:
    day = np.datetime_as_string(when, unit="D")
    return f"right on {before:.0%} before {day} and on {after:.0%} since"
