"""Loops over the judgments of each worker in the order of time: pauses, streaks, constant answers, tiredness."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Codes, Offsets, Reals
    from consensus.kernels.timeline_loops import Shard


@kernel()
def pauses(lines: Shard, longest: int, out_seconds: Reals, out_n: Offsets) -> None:
    """``out_seconds`` (J,) by judgment: since the one before it, NaN for the first of a session.

    A session ends with a pause above ``longest`` microseconds. ``out_n`` (n,) sessions of each worker.
    """
    start, first, judgment, time = lines
    for w in range(start.shape[0] - 1):
        for at in range(start[w], start[w + 1]):
            if at > first[w] and time[at] - time[at - 1] <= longest:
                out_seconds[judgment[at]] = (time[at] - time[at - 1]) * 1e-6
            else:
                out_seconds[judgment[at]] = math.nan
                out_n[w] += at >= first[w]


@kernel()
def usual(item_start: Offsets, seconds: Reals, least: int, overall: float, out_usual: Reals) -> None:
    """``out_usual`` (n,) the median of the known ``seconds`` (J,) of each item; ``overall`` below ``least`` of them."""
    for i in range(item_start.shape[0] - 1):
        begin, end = item_start[i], item_start[i + 1]
        out_usual[i] = overall
        if end - begin >= least:
            known, n = np.empty(end - begin), 0
            for j in range(begin, end):
                if not math.isnan(seconds[j]):
                    known[n] = seconds[j]
                    n += 1
            if n >= least:
                out_usual[i] = _median(known[:n])


@kernel()
def _median(some: Reals) -> float:
    """The median of ``some`` (n,), whose order may change."""
    n = some.shape[0]
    if n <= 16:  # a sort of its own costs most where there are few
        for a in range(1, n):
            one, b = some[a], a
            while b > 0 and some[b - 1] > one:
                some[b] = some[b - 1]
                b -= 1
            some[b] = one
        return float((some[(n - 1) // 2] + some[n // 2]) / 2.0)
    parted = np.partition(some, n // 2)
    return float(parted[n // 2] if n % 2 else (parted[: n // 2].max() + parted[n // 2]) / 2.0)


@kernel()
def speeds(
    start: Offsets, judgment: Codes, item: Codes, seconds: Reals, usual: Reals, fast: float, out_speeds: Reals
) -> None:
    """``out_speeds`` (n, 2): median of the known seconds of a worker; share of them below ``fast`` of ``usual`` (I,).

    Of a shard of workers; NaN without any.
    """
    for w in range(start.shape[0] - 1):
        known, n, n_fast = np.empty(start[w + 1] - start[w]), 0, 0
        for at in range(start[w], start[w + 1]):
            j = judgment[at]
            if not math.isnan(seconds[j]):
                known[n] = seconds[j]
                n += 1
                n_fast += seconds[j] < fast * usual[item[j]]
        out_speeds[w, 0] = _median(known[:n]) if n else math.nan
        out_speeds[w, 1] = n_fast / n if n else math.nan


@kernel()
def answers(
    lines: Shard,
    label: Codes,
    item: Codes,
    consensus: Codes,
    n_labels: int,
    out_streaks: Reals,
    out_constant: Reals,
) -> None:
    """Streaks and constant answers, by the ``label`` and ``item`` (J,) of each judgment.

    ``out_streaks`` (n, 2): the longest run of one label among judgments with a time, and how many runs so long would
    begin in a random order of them, which bounds the probability of one; NaN without times. ``out_constant`` (n, 2):
    the share of a worker's most frequent label (the first of several), and how often it is the ``consensus`` (I,) of
    their items; NaN without judgments.
    """
    start, first, judgment, _ = lines
    given, timed = np.zeros(n_labels, np.int64), np.zeros(n_labels, np.int64)
    for w in range(start.shape[0] - 1):
        begin, end = start[w], start[w + 1]
        most, run, streak = -1, 0, 0
        for at in range(begin, end):
            k = label[judgment[at]]
            given[k] += 1
            if most < 0 or given[k] > given[most] or (given[k] == given[most] and k < most):
                most = k
            if at >= first[w]:
                timed[k] += 1
                run = run + 1 if at > first[w] and k == label[judgment[at - 1]] else 1
                streak = max(streak, run)
        n_consensus = 0
        for at in range(begin, end):
            n_consensus += consensus[item[judgment[at]]] == most
        n = end - begin
        out_constant[w, 0] = given[most] / n if n else math.nan
        out_constant[w, 1] = n_consensus / n if n else math.nan
        n, runs = end - first[w], 0.0
        for at in range(begin, end):
            k = label[judgment[at]]
            if timed[k] >= streak > 0:
                runs += _runs(timed[k], n, streak)
            given[k] = timed[k] = 0
        out_streaks[w, 0] = streak if n else math.nan
        out_streaks[w, 1] = runs if n else math.nan


@kernel()
def _runs(c: int, n: int, streak: int) -> float:
    """How many runs of ``streak`` or more of a label, which is ``c`` of ``n``, begin in a random order on average.

    One begins at the first place, or behind another label.
    """
    first = 1.0
    for x in range(streak):
        first *= (c - x) / (n - x)
        if first < 1e-18:
            return 0.0
    return first * (1.0 + (n - c if n > streak else 0))


@kernel()
def sessions(lines: Shard, right: Reals, longest: int, out: Reals) -> None:
    """``out`` (n, 4): judgments in the first thirds of all sessions of a worker, those right; the same of the last."""
    start, first, judgment, time = lines
    for w in range(start.shape[0] - 1):
        begin = first[w]
        for at in range(first[w] + 1, start[w + 1] + 1):
            if at == start[w + 1] or time[at] - time[at - 1] > longest:
                third = (at - begin) // 3
                for x in range(third):
                    out[w, 1] += right[judgment[begin + x]]
                    out[w, 3] += right[judgment[at - 1 - x]]
                out[w, 0] += third
                out[w, 2] += third
                begin = at


@kernel()
def tired(n: Offsets, wrong_early: Offsets, wrong_late: Offsets, out_p: Reals) -> None:
    """``out_p`` (W,) = P(as many of the wrong judgments are late, or more, of ``n`` early and ``n`` late), exactly.

    One-sided test of Fisher: hypergeometric.
    """
    for w in range(n.shape[0]):
        m, p = wrong_early[w] + wrong_late[w], 0.0
        whole = _log_choose(2 * n[w], m)
        for late in range(wrong_late[w], min(m, n[w]) + 1):
            p += math.exp(_log_choose(n[w], late) + _log_choose(n[w], m - late) - whole)
        out_p[w] = min(p, 1.0)


@kernel()
def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1.0) - math.lgamma(k + 1.0) - math.lgamma(n - k + 1.0)
