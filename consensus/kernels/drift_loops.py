"""Loops that look for the place in a worker's timeline at which their accuracy changed, and for one of all workers.

The likelihood ratio of a change after t of n judgments, m of all and e of the first t being wrong, is that of two
binomial shares against one, in nats: g(e) + g(t-e) - g(t) + g(m-e) + g(n-t-m+e) - g(n-t) - g(m) - g(n-m) + g(n), with
g(x) = x log x. Judgments may be wrong in part.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Codes, Flags, Offsets, Reals
    from consensus.kernels.timeline_loops import Shard

ROUNDING = 1e-12  # nats a judgment: a likelihood ratio so near to the one seen is as large


@kernel()
def _g(x: float) -> float:
    return x * math.log(x) if x > 0.0 else 0.0


@kernel()
def _split(right: float, n: float) -> float:
    return float(_g(right) + _g(n - right) - _g(n))


@kernel()
def changes(lines: Shard, right: Reals, least: int, out: Reals) -> None:
    """The most likely place of a change of each worker of a shard, with ``least`` judgments on both sides of it.

    ``right`` (J,) by judgment. A place is only where the time moves on. ``out`` (n, 5): judgments before the change, or
    -1 without a place; its likelihood ratio, in nats; the sum of ``right`` before it, that of all, and that of the
    squares of all.
    """
    start, first, judgment, time = lines
    for w in range(start.shape[0] - 1):
        begin, end = first[w], start[w + 1]
        n, total, squares = end - begin, 0.0, 0.0
        for at in range(begin, end):
            r = right[judgment[at]]
            total += r
            squares += r * r
        best, place, right_before, before = -1.0, -1, 0.0, 0.0
        constant = -_split(total, float(n))
        scale = total * (n - total) / max(n, 1)
        for t in range(1, n - least + 1):
            before += right[judgment[begin + t - 1]]
            if t >= least and time[begin + t] > time[begin + t - 1]:
                if place < 0:  # where all are right, or all wrong, the first one stays
                    best, place, right_before = 0.0, t, before
                d = n * before - t * total
                if d * d > best * scale * t * (n - t):  # else the ratio, which is below chi squared, is not larger
                    found = constant + _split(before, float(t)) + _split(total - before, float(n - t))
                    if found > best:
                        best, place, right_before = found, t, before
        out[w, 0], out[w, 1], out[w, 2], out[w, 3], out[w, 4] = place, max(best, 0.0), right_before, total, squares


@kernel()
def span(
    ends: Offsets, judgment: Codes, time: Offsets, right: Reals, least: int, limits: Reals, out_places: Offsets
) -> None:
    """The first and last place of a change, ``out_places`` (n, 2), whose likelihood ratio is at least ``limits`` (n,).

    ``ends`` (n, 2): the first place of a worker and the one behind their last; the rest as in ``changes``.
    """
    for w in range(ends.shape[0]):
        begin, n, total, before, some = ends[w, 0], ends[w, 1] - ends[w, 0], 0.0, 0.0, False
        for at in range(begin, begin + n):
            total += right[judgment[at]]
        constant = -_split(total, float(n))
        for t in range(1, n - least + 1):
            before += right[judgment[begin + t - 1]]
            if t >= least and time[begin + t] > time[begin + t - 1]:
                found = constant + _split(before, float(t)) + _split(total - before, float(n - t))
                if found >= limits[w]:
                    if not some:
                        out_places[w, 0], some = t, True
                    out_places[w, 1] = t


@kernel()
def by_chance(n: Offsets, wrong: Offsets, ratio: Reals, least: int, out_p: Reals) -> None:
    """``out_p`` (C,) = P(the largest likelihood ratio over all places is ``ratio`` (C,) or more), exactly.

    Over all orders of ``n`` (C,) judgments, ``wrong`` (C,) of them wrong, at places with ``least`` on both sides. Paths
    of the number of wrong ones among the first t are followed until they reach the ratio. One beyond the largest
    that so many wrong judgments can reach, as judgments that are wrong in part may have, counts as that one.
    """
    most_n, most_wrong = 0, 0
    for c in range(n.shape[0]):
        most_n, most_wrong = max(most_n, n[c]), max(most_wrong, wrong[c])
    g, p = np.zeros(most_n + 1), np.zeros(most_wrong + 2)
    for x in range(most_n + 1):
        g[x] = _g(float(x))
    for c in range(n.shape[0]):
        N, m = n[c], wrong[c]
        constant, largest = g[m] + g[N - m] - g[N], 0.0
        for t in range(least, N - least + 1):
            largest = max(largest, _ratio(g, N, m, t, min(t, m)) - g[t] - g[N - t] - constant)
        limit = min(ratio[c], largest) - ROUNDING * N
        if limit <= 0.0:
            out_p[c] = 1.0
            continue
        limit += constant
        for e in range(m + 2):
            p[e] = 0.0
        p[0] = 1.0
        low, high, reached = 0, 0, 0.0
        for t in range(1, N - least + 1):
            left = float(N - t + 1)
            high = min(high + 1, m)
            for e in range(high, low - 1, -1):
                came = p[e - 1] * (m - e + 1) / left if e > low else 0.0
                p[e] = p[e] * (1.0 - (m - e) / left) + came
            while m - low > N - t:  # cannot be: too few are left
                low += 1
            if t >= least:
                rest = limit + g[t] + g[N - t]
                while low <= high and low * N < m * t and _ratio(g, N, m, t, low) >= rest:
                    reached += p[low]
                    p[low] = 0.0
                    low += 1
                while low <= high and high * N > m * t and _ratio(g, N, m, t, high) >= rest:
                    reached += p[high]
                    p[high] = 0.0
                    high -= 1
        out_p[c] = min(reached, 1.0)


@kernel()
def _ratio(g: Reals, n: int, m: int, t: int, e: int) -> float:
    """The part of the likelihood ratio that depends on ``e``."""
    return float(g[e] + g[t - e] + g[m - e] + g[n - t - m + e])


@kernel()
def crowd(lines: Shard, right: Reals, places: Offsets, least: int, most: float, out: Reals) -> None:
    """Add up over the workers of a shard how much each changed at each of ``places`` (G,), times in ascending order.

    z of a worker is the sum of ``right`` from a place on, less what it would be by their mean, in deviations of random
    orders; at least ``least`` judgments on both sides, and cut off at ``most``, so that nobody decides alone. ``out``
    (5, G): the sum of z, how many workers, judgments before the place, the sum of ``right`` before it, and the sum of z
    that are not cut off.
    """
    start, first, judgment, time = lines
    for w in range(start.shape[0] - 1):
        begin, end = first[w], start[w + 1]
        n, total, squares = end - begin, 0.0, 0.0
        for at in range(begin, end):
            total += right[judgment[at]]
        for at in range(begin, end):
            d = right[judgment[at]] - total / n
            squares += d * d
        before, t = 0.0, 0
        for g in range(places.shape[0]):
            while begin + t < end and time[begin + t] < places[g]:
                before += right[judgment[begin + t]]
                t += 1
            if t >= least and n - t >= least and squares > 1e-9 * n:
                z = (t * total / n - before) / math.sqrt(squares * t * (n - t) / (n * (n - 1.0)))
                out[0, g] += min(max(z, -most), most)
                out[1, g] += 1.0
                out[4, g] += z
            out[2, g] += t
            out[3, g] += before


@kernel()
def clustered(item_start: Offsets, worker: Codes, known: Flags, right: Reals, mean: Reals, out: Reals) -> None:
    """Add to ``out`` (2,) the squares of the sums by item of d = ``right`` - ``mean[worker]``, and those of every d.

    ``item_start`` (n+1,) is of a shard of items; only judgments whose time is ``known`` (J,) count.
    """
    for i in range(item_start.shape[0] - 1):
        total = 0.0
        for j in range(item_start[i], item_start[i + 1]):
            if known[j]:
                d = right[j] - mean[worker[j]]
                total += d
                out[1] += d * d
        out[0] += total * total
