"""When did a worker, or the whole crowd, become better or worse: one change-point over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import even_parts, even_slices, number_of_shards
from consensus.intervals import wilson
from consensus.kernels import drift_loops as kernels
from consensus.kernels.timeline_loops import UNKNOWN
from consensus.worker_audit.accuracy import against_others
from consensus.worker_audit.over_time import moments, others_change, same_label_items
from consensus.worker_audit.over_time.timelines import Timelines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.result import Consensus
    from consensus.worker_audit.over_time.moments import Moments

    Flags = NDArray[np.bool_]
    Offsets = NDArray[np.int64]
    Reals = NDArray[np.float64]

LEAST = 10  # judgments before a change, and after it
RATE = 0.01  # of false discoveries among the workers who are said to drift (Benjamini & Hochberg 1995)
GUESSED_RATE = 0.003  # the same, where the order in time is a guess
WITHIN = 3.68  # nats from the largest likelihood ratio: 95 % of changes, by 1 - (1 - exp(-x))^2 (Siegmund 1988)
LEAST_SPREAD = 0.25  # of the variance of a coin as often right, below which uncertain judgments are not taken to spread
SHORT = 100  # judgments up to which p-values are always exact
NEAR = 0.2  # p-values below which they are
MOST_STEPS = 20_000_000  # of an exact p-value: judgments times the lesser of right and wrong ones
CROWD_PLACES = 100  # times at which a change of the crowd is looked for
CROWD_RATE = 0.01  # probability of a false alarm about the crowd
CROWD_LEAST = 5  # workers who must have judged before and after it
MOST_OF_ONE = 3.0  # deviations by which one worker counts for a change of the crowd
AS_LARGE = 0.95  # of the largest sum of deviations that are cut off, from which on those that are not decide
SAME_TIME = 0.1  # of a worker's judgments that may lie between a change of theirs and one of the crowd
MOST_SAMPLED = 1_000_000  # judgments whose times they are taken from


@dataclass(frozen=True, slots=True, eq=False)
class Drifts:
    """The most likely change of every worker, and whether it is more than chance."""

    changed: Flags
    """(W,) it is, on items of the same label, too, and more than the change of others on the same items."""
    with_items: Flags
    """(W,) it is, but not among items of the same label."""
    with_others: Flags
    """(W,) it is, among items of the same label, too, but the other judges of the same items changed as much."""
    when: Moments
    """(W,) moment of the first judgment after it; unknown where none can be looked for."""
    earliest: Moments
    """(W,) of the last judgment that is surely from before it (95 % with ``latest``); unknown unless ``changed``."""
    latest: Moments
    """(W,) of the first judgment that is surely from after it."""
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
    """(W,) when the crowd did and in the same direction: who changed, and who did ``with_others``."""


@dataclass(frozen=True, slots=True)
class CrowdChange:
    """The most likely change of all workers together; NaN and no moment where none can be looked for."""

    changed: bool = False
    when: np.datetime64 | np.int64 = moments.NO_TIME
    n_before: int = 0
    n_after: int = 0
    before: float = np.nan
    after: float = np.nan
    p: float = np.nan
    n_workers: int = 0
    """Workers who judged before and after it."""
    cluster: float = 1.0
    """Design effect: by how much judgments of one item err together."""


def drifts(result: Consensus) -> Drifts:
    """The most likely change of every worker: see ``drifting``.

    None is looked for where items of a cluster err together: a hard picture in the middle would be a change.
    """
    judgments = result.judgments
    W = judgments.n_workers
    when, nothing = moments.unknown(W, judgments), np.full(W, np.nan)
    none, zero = np.zeros(W, np.bool_), np.zeros(W, np.int64)
    no_change = CrowdChange(when=moments.unknown(1, judgments)[0])
    if not judgments.in_order or not result.identified or judgments.cluster is not None:
        return Drifts(none, none, none, when, when, when, nothing, nothing, nothing, zero, zero, no_change, none)
    lines, right = Timelines.of(result, rows=True), against_others.right(result)
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
    when[tested] = moments.of(lines.time[(lines.first + n_before)[tested]], judgments)
    before = np.divide(right_before, n_before, out=nothing.copy(), where=tested)
    after = np.divide(total - right_before, n_after, out=nothing.copy(), where=tested)
    crowd = _crowd(result, lines, right, total / np.maximum(n, 1))
    beyond = _discoveries(p, GUESSED_RATE if judgments.rows_guessed else RATE)
    staying = same_label_items.staying(result, lines, right, beyond, n_before)
    changed = others_change.exceeding(result, lines, right, staying, n_before)
    earliest, latest = _span(result, lines, right, staying, ratio - WITHIN * spread)
    together = _together(lines, staying, n_before, before < after, (earliest, latest), crowd)
    earliest[~changed] = latest[~changed] = moments.unknown(1, judgments)
    return Drifts(
        changed,
        beyond & ~staying,
        staying & ~changed,
        when,
        earliest,
        latest,
        before,
        after,
        p,
        n_before,
        n_after,
        crowd,
        together,
    )


def _span(result: Consensus, lines: Timelines, right: Reals, changed: Flags, limits: Reals) -> tuple[Moments, Moments]:
    """(W,) between which moments those who ``changed`` did: where the likelihood ratio is at least ``limits`` (W,)."""
    earliest, latest = (moments.unknown(len(changed), result.judgments) for _ in range(2))
    own = np.flatnonzero(changed)
    ends = np.stack([lines.first[own], lines.start[1:][own]], axis=1)
    places = np.zeros((len(own), 2), np.int64)

    def shard(part: slice) -> None:
        kernels.span(ends[part], lines.judgment, lines.time, right, LEAST, limits[own][part], places[part])

    result.backend.map(shard, even_parts(len(own), number_of_shards(int(lines.n_timed[own].sum()))))
    earliest[own] = moments.of(lines.time[ends[:, 0] + places[:, 0] - 1], result.judgments)
    latest[own] = moments.of(lines.time[ends[:, 0] + places[:, 1]], result.judgments)
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


def _discoveries(p: Reals, rate: float) -> Flags:
    """Which p-values (n,) are discoveries, of which at most a share ``rate`` is false (Benjamini & Hochberg 1995)."""
    tested = np.sort(p[~np.isnan(p)])
    passed = np.flatnonzero(tested <= rate * np.arange(1, len(tested) + 1) / max(len(tested), 1))
    return p <= (tested[passed[-1]] if len(passed) else -1.0)


def _crowd(result: Consensus, lines: Timelines, right: Reals, mean: Reals) -> CrowdChange:
    """The most likely change of all workers together; ``mean`` (W,) share right of each."""
    from scipy.special import ndtr

    times = _places(lines)

    def shard(part: slice) -> Reals:
        found = np.zeros((5, len(times)))
        kernels.crowd(lines.of_workers(part), right, times, LEAST, MOST_OF_ONE, found)
        return found

    change, n_workers, n_before, right_before, uncut = np.sum(lines.map(result, shard), axis=0)
    enough = n_workers >= CROWD_LEAST
    if not enough.any():
        return CrowdChange(when=moments.unknown(1, result.judgments)[0])
    cluster = _cluster(result, right, mean)
    z = np.where(enough, change, 0.0) / np.sqrt(np.maximum(n_workers, 1.0) * cluster)
    alike = np.abs(z) >= AS_LARGE * np.abs(z).max()  # where everybody is cut off, that tells no time
    at = int(np.where(alike, np.sign(z) * uncut / np.sqrt(np.maximum(n_workers, 1.0)), -np.inf).argmax())
    p = min(1.0, 2.0 * float(ndtr(-abs(z[at]))) * int(enough.sum()))
    first, n = int(n_before[at]), int(lines.n_timed.sum())
    before, total = float(right_before[at]), float(mean @ lines.n_timed)
    return CrowdChange(
        p <= CROWD_RATE,
        moments.of(times, result.judgments)[at],
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
    sample = np.sort(sample[sample != UNKNOWN])
    at = np.arange(1, CROWD_PLACES + 1) * len(sample) // (CROWD_PLACES + 1)
    return np.unique(sample[at]) if len(sample) else sample


def _cluster(result: Consensus, right: Reals, mean: Reals) -> float:
    """Design effect: the variance of sums over items against that of as many judgments of separate items; 1 or more."""
    judgments = result.judgments
    when = judgments.timestamp
    known = np.ones(judgments.n_judgments, np.bool_) if when is None else ~np.isnat(when)

    def shard(part: slice) -> Reals:
        found = np.zeros(2)
        starts = judgments.item_start[part.start : part.stop + 1]
        kernels.clustered(starts, judgments.worker, known, right, mean, found)
        return found

    parts = even_slices(judgments.item_start, number_of_shards(judgments.n_judgments))
    together, apart = np.sum(result.backend.map(shard, parts), axis=0)
    return float(max(together / max(apart, 1e-300), 1.0))


def _together(
    lines: Timelines,
    beyond: Flags,
    n_before: Offsets,
    better: Flags,
    span: tuple[Moments, Moments],
    crowd: CrowdChange,
) -> Flags:
    """(W,) whose change is ``beyond`` chance, about when the crowd's is in their own timeline, and in its direction."""
    together = np.zeros_like(beyond)
    if crowd.changed:
        time = crowd.when.astype(np.int64)
        for w in np.flatnonzero(beyond & (better == (crowd.before < crowd.after))).tolist():
            first, end = lines.first[w], lines.start[w + 1]
            n_earlier = int(np.searchsorted(lines.time[first:end], time))
            near = abs(n_earlier - n_before[w]) <= max(LEAST, SAME_TIME * (end - first))
            together[w] = near or span[0][w] <= crowd.when <= span[1][w]
    return together


def fallen(found: Drifts) -> Flags:
    """(W,) who became worse, and is clearly less often right since than the median worker.

    The Wilson interval (95 %) of the share right since the change lies below the median of those shares right of all
    workers for whom a change can be looked for, over all their judgments.
    """
    n = found.n_before + found.n_after
    tested = n > 0
    if not tested.any():
        return np.zeros(len(n), np.bool_)
    right = found.n_before * np.nan_to_num(found.before) + found.n_after * np.nan_to_num(found.after)
    usual = float(np.median(right[tested] / n[tested]))
    high = wilson(np.nan_to_num(found.after) * found.n_after, found.n_after)[1]
    return np.asarray(found.changed & (found.after < found.before) & (high < usual), np.bool_)


def in_words(found: Drifts, worker: int) -> str:
    """What changed in a worker who drifts, such as ``right on 92% before 2025-03-14 and on 42% since``."""
    return _beside_crowd(found, worker, change_words(found.before[worker], found.after[worker], found.when[worker]))


def before_in_words(found: Drifts, worker: int) -> str:
    """What a worker who drifts was, such as ``right on 92% before 2025-03-14``."""
    when = found.when[worker]
    return _beside_crowd(
        found, worker, f"right on {found.before[worker]:.0%} before {moments.words(when)}{_guess(when)}"
    )


def _beside_crowd(found: Drifts, worker: int, text: str) -> str:
    return f"{text}; so did the whole crowd: ask what changed then" if found.with_crowd[worker] else text


def change_words(before: float, after: float, when: np.datetime64 | np.int64) -> str:
    """Such as ``right on 92% before 2025-03-14 and on 42% since``; by rows, that this is a guess."""
    return f"right on {before:.0%} before {moments.words(when)} and on {after:.0%} since{_guess(when)}"


def _guess(when: np.datetime64 | np.int64) -> str:
    return "" if isinstance(when, np.datetime64) else f", if {moments.AS_ROWS}"
