"""How workers go about it: time per judgment, streaks, constant answers, and whether they tire."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import even_slices, number_of_shards
from consensus.found.result import framed, people_only
from consensus.kernels import behaviour_loops as kernels
from consensus.worker_audit.accuracy import against_others
from consensus.worker_audit.accuracy.confusion_table import where_identified
from consensus.worker_audit.audit_of_result import WorkerAudit
from consensus.worker_audit.over_time.timelines import Timelines

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from consensus.found.result import Columns, Consensus

    Reals = NDArray[np.float64]

PAUSE = 30 * 60 * 1_000_000  # microseconds: a longer one ends a session
FAST = 0.3  # of the usual time of an item: below, a judgment is too fast
LEAST_TIMES = 3  # of an item, for a usual time of its own
MOST_SAMPLED = 1_000_000  # judgments whose times make the overall median


def behaviours(result: Consensus | WorkerAudit) -> pd.DataFrame:
    """How every worker goes about it, one row each. A signal is no verdict: it tells where to look.

    Returns
    -------
    pandas.DataFrame
        worker, n_judgments
            Id, and all judgments.
        seconds_median
            Median seconds of a judgment: those given with it; else the time since the worker's last judgment in the
            same session. A pause of more than 30 minutes ends a session.
        too_fast
            Share of the judgments that took less than 0.3 of the median time of the item over all workers (of all
            judgments, if fewer than three times of the item are known).
        longest_streak, streak_p
            Longest run of one label in order of time (ties by item), and a bound of the probability of one so long, or
            longer, in a random order of the worker's labels. Items that come sorted by label make streaks, too.
        constant, expected_constant
            Share of the worker's most frequent label, and share of it in the consensus of the items.
        n_sessions
            Sessions.
        early_right, late_right
            Mean of P(right | the other judgments of the item) in the first and the last third of all sessions.
        fatigue_p
            P(the last thirds hold so many of the wrong judgments, if they come at any time): Fisher's exact test, with
            the late ones rounded down, and all rounded.

        What depends on times is missing where there are none, what depends on the others where every item has one
        judgment, and both probabilities where items of a cluster err together.
    """
    return framed(behaviour_columns(WorkerAudit.of(result)))


def behaviour_columns(audit: WorkerAudit) -> Columns:
    """The columns that ``behaviours`` shows."""
    result, judgments = audit.result, audit.result.judgments
    lines, W = Timelines.of(result), judgments.n_workers
    seconds, n_sessions = _seconds(result, lines)
    speeds, streaks, constant = (np.empty((W, 2)) for _ in range(3))
    usual, consensus = _usual(result, seconds), result.consensus_label

    def shard(part: slice) -> None:
        kernels.speeds(lines.starts(part), lines.judgment, judgments.item, seconds, usual, FAST, speeds[part])
        kernels.answers(
            lines.of_workers(part),
            judgments.label,
            judgments.item,
            consensus,
            judgments.n_labels,
            streaks[part],
            constant[part],
        )

    lines.map(result, shard)
    early, late, fatigue = _tired(result, lines)
    streak_p = np.minimum(streaks[:, 1], 1.0)
    if judgments.cluster is not None:  # items of a cluster come one after the other, and are alike
        streak_p, fatigue = np.full((2, W), np.nan)
    timed = lines.n_timed > 0
    columns: Columns = {
        "worker": judgments.worker_ids,
        "n_judgments": judgments.per_worker,
        "seconds_median": speeds[:, 0],
        "too_fast": speeds[:, 1],
        "longest_streak": streaks[:, 0],
        "streak_p": streak_p,
        "constant": constant[:, 0],
        "expected_constant": where_identified(result, constant[:, 1]),
        "n_sessions": np.where(timed, n_sessions, np.nan),
        "early_right": early,
        "late_right": late,
        "fatigue_p": fatigue,
    }
    return people_only(columns, judgments.is_person)


def _seconds(result: Consensus, lines: Timelines) -> tuple[Reals, NDArray[np.int64]]:
    """(J,) seconds that each judgment took, NaN where unknown; (W,) sessions."""
    judgments = result.judgments
    seconds, n_sessions = np.empty(judgments.n_judgments), np.zeros(judgments.n_workers, np.int64)

    def shard(part: slice) -> None:
        kernels.pauses(lines.of_workers(part), PAUSE, seconds, n_sessions[part])

    lines.map(result, shard)
    duration: Reals | None = getattr(judgments, "duration", None)
    return seconds if duration is None else duration, n_sessions


def _usual(result: Consensus, seconds: Reals) -> Reals:
    """(I,) median seconds of each item."""
    judgments = result.judgments
    sample = seconds[:: max(-(-len(seconds) // MOST_SAMPLED), 1)]
    sample = sample[~np.isnan(sample)]
    overall = float(np.median(sample)) if len(sample) else np.nan
    usual = np.empty(judgments.n_items)

    def shard(part: slice) -> None:
        starts = judgments.item_start[part.start : part.stop + 1]
        kernels.usual(starts, seconds, LEAST_TIMES, overall, usual[part])

    result.backend.map(shard, even_slices(judgments.item_start, number_of_shards(judgments.n_judgments)))
    return usual


def _tired(result: Consensus, lines: Timelines) -> tuple[Reals, Reals, Reals]:
    """(W,) mean right in the first and the last third of sessions, and the p-value of a fall."""
    W = result.judgments.n_workers
    if not result.identified or not lines.n_timed.any():
        return np.full(W, np.nan), np.full(W, np.nan), np.full(W, np.nan)
    right, found = against_others.right(result), np.zeros((W, 4))

    def shard(part: slice) -> None:
        kernels.sessions(lines.of_workers(part), right, PAUSE, found[part])

    lines.map(result, shard)
    n, known = found[:, 0], found[:, 0] > 0
    early, late = (np.divide(found[:, x], n, out=np.full(W, np.nan), where=known) for x in (1, 3))
    wrong = np.rint(2.0 * n - found[:, 1] - found[:, 3]).astype(np.int64)
    wrong_late = np.floor(n - found[:, 3] + 1e-9).astype(np.int64)
    p = np.empty(W)
    kernels.tired(n.astype(np.int64), wrong - wrong_late, wrong_late, p)
    return early, late, np.where(known, p, np.nan)
