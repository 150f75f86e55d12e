"""Loops that look ahead: what more judgments of an item would change, along paths of labels drawn beforehand.

All items of a call have equally many judgments. Their tempered posterior (n, K) is q; with m more, and a path of
labels, it is ``z[i, m - 1]`` (n, M, K) times ``walked[k, m - 1, :, s]`` (K, M, K, S), but for a constant: z is q
tempered as it will be then, and ``walked`` the likelihood of the s-th path of an item whose true label is k, likewise.
Each label has a share of the S paths as large as its probability. Paths stand side by side in memory, so that the
compiler has the processor walk several at a time.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Offsets, Reals

FAVOUR = 1.0 + 1e-9  # by which a label outweighs a later one, so that of equal ones the first is decided for
UNLIKELY = 1e-3  # posterior below which a label is not looked into: it is never found, nor is the item settled
ROUNDING = 1e-9  # probability
NO_GAIN = 1e-12  # of a loss, by which sums of the same terms in another order may differ
LEAST_LIKELY = 0.5  # of the best label's posterior, from which it is looked into all the same


class Items(NamedTuple):
    """Items that are looked ahead for; where K are the likeliest labels only, the best first."""

    posterior: Reals
    """(n, K)"""
    z: Reals
    """(n, M, K)"""
    rest: Reals
    """(n, M) sum of the z of all labels that are not among the K; these are found like the last of the K."""


class Curves(NamedTuple):
    """What is found, after 0 to M more judgments."""

    loss: Reals
    """(n, M+1) probability that the best label is wrong, or the cost of the decision; never rising."""
    settled: Reals
    """(n, M+1) probability that the item is settled by the m-th of them and not before."""


class _Scratch(NamedTuple):
    done: Offsets
    """(S,) whether the item was settled on a path before."""
    best: Reals
    """(S,)"""
    total: Reals
    """(S,)"""


@kernel()
def multiples(logs: Reals, ratio: Reals, out_multiples: Reals) -> None:
    """``out_multiples[i, m, k]`` (n, M, K) = ``logs[i, k]`` (n, K) times ``ratio[m]`` (M,)."""
    for i in range(logs.shape[0]):
        for m in range(ratio.shape[0]):
            for k in range(logs.shape[1]):
                out_multiples[i, m, k] = logs[i, k] * ratio[m]


@kernel()
def scaled(posterior: Reals, factor: Reals, total: Reals, out_scaled: Reals) -> None:
    """``out_scaled[i, k]`` (n, K) = ``posterior[i, k]`` (n, K) times ``factor[k]`` (K,) over ``total[i]`` (n,)."""
    for i in range(posterior.shape[0]):
        for k in range(posterior.shape[1]):
            out_scaled[i, k] = posterior[i, k] * factor[k] / total[i]


@kernel()
def errors(items: Items, walked: Reals, target: float, least: int, out: Curves) -> None:
    """Expected error after more judgments, and when an item is settled.

    An item is settled once it has ``least`` more and a best label of ``target``.
    """
    posterior = items.posterior
    out_loss, out_settled = out
    n_labels, n_steps, n_paths = walked.shape[0], walked.shape[1], walked.shape[3]
    done = np.empty(n_paths, np.int64)
    scratch = _Scratch(done, np.empty(n_paths), np.empty(n_paths))
    for i in range(posterior.shape[0]):
        top = total = 0.0
        for k in range(n_labels):
            top = max(top, posterior[i, k])
            total += posterior[i, k]
        unlikely = min(UNLIKELY, LEAST_LIKELY * top)
        others = 1.0 - total
        if others < ROUNDING or posterior[i, n_labels - 1] < unlikely:
            others = 0.0
        never = 1.0 - others
        for k in range(n_labels):
            if posterior[i, k] >= unlikely:
                never -= posterior[i, k]
        out_loss[i, 0], out_settled[i, 0] = 1.0 - top, 0.0
        for m in range(1, n_steps + 1):
            out_loss[i, m], out_settled[i, m] = max(never, 0.0), 0.0
        for k in range(n_labels):
            if posterior[i, k] < unlikely:
                continue
            more = others if k == n_labels - 1 else 0.0
            some = math.ceil(n_paths * min(posterior[i, k] + more, 1.0))
            each = (posterior[i, k] + more) / some
            for s in range(some):
                done[s] = 0
            for m in range(n_steps):
                bar = target if m + 1 >= least else np.inf
                if n_labels == 4:
                    wrong, settled = _counted_of_four(items, walked, i, k, m, some, bar, done)
                else:
                    wrong, settled = _counted(items, walked, i, k, m, some, bar, scratch)
                out_loss[i, m + 1] += each * wrong
                out_settled[i, m + 1] += each * settled
        for m in range(1, n_steps + 1):
            out_loss[i, m] = min(out_loss[i, m], out_loss[i, m - 1])


@kernel()
def _counted(
    items: Items, walked: Reals, i: int, k: int, m: int, some: int, bar: float, scratch: _Scratch
) -> tuple[np.int64, np.int64]:
    """Of ``some`` paths of item ``i`` with true label k: how many are wrong after step m, and settled by ``bar``."""
    z = items.z
    done, best, total = scratch
    another, others = (k + 1) % z.shape[2], items.rest[i, m]
    for s in range(some):
        best[s] = 0.0
        total[s] = others * walked[k, m, another, s]
    for other in range(z.shape[2]):
        now = z[i, m, other] * FAVOUR if other < k else z[i, m, other]
        for s in range(some):
            weight = now * walked[k, m, other, s]
            total[s] += weight
            best[s] = weight if weight > best[s] else best[s]
    wrong, settled = np.int64(0), np.int64(0)
    for s in range(some):
        wrong += np.int64(z[i, m, k] * walked[k, m, k, s] < best[s])
        reached = np.int64(best[s] >= bar * total[s])
        settled += reached & ~done[s]
        done[s] |= reached
    return wrong, settled


@kernel(forceinline=True)
def _counted_of_four(
    items: Items, walked: Reals, i: int, k: int, m: int, some: int, bar: float, done: Offsets
) -> tuple[np.int64, np.int64]:
    """Like ``_counted`` for four labels and no ``rest``, all in registers.

    To hand over so many arrays would cost a quarter of the time, for each call walks few paths: so it is inlined.
    """
    z = items.z
    z0, z1, z2, z3, own = z[i, m, 0], z[i, m, 1], z[i, m, 2], z[i, m, 3], z[i, m, k]
    z0, z1, z2 = (z0 * FAVOUR if k > 0 else z0), (z1 * FAVOUR if k > 1 else z1), (z2 * FAVOUR if k > 2 else z2)
    wrong, settled = np.int64(0), np.int64(0)
    for s in range(some):
        w0, w1 = z0 * walked[k, m, 0, s], z1 * walked[k, m, 1, s]
        w2, w3 = z2 * walked[k, m, 2, s], z3 * walked[k, m, 3, s]
        a = w0 if w0 > w1 else w1
        b = w2 if w2 > w3 else w3
        best = a if a > b else b
        wrong += np.int64(own * walked[k, m, k, s] < best)
        reached = np.int64(best >= bar * ((w0 + w1) + (w2 + w3)))
        settled += reached & ~done[s]
        done[s] |= reached
    return wrong, settled


@kernel()
def costs(posterior: Reals, z: Reals, walked: Reals, cost: Reals, out_loss: Reals) -> None:
    """Like ``errors``: ``out_loss[i, m]`` (n, M+1), the expected cost of the decision after m more judgments.

    ``cost[k, d]`` (K, K) is that of deciding d where k is true; each decision is the one of least expected cost.
    """
    n_labels, n_steps, n_paths = walked.shape[0], walked.shape[1], walked.shape[3]
    weight = np.empty(n_labels)
    for i in range(posterior.shape[0]):
        decided = _cheapest(posterior[i], cost)
        for m in range(n_steps + 1):
            out_loss[i, m] = 0.0
        for k in range(n_labels):
            out_loss[i, 0] += posterior[i, k] * cost[k, decided]
            some = math.ceil(n_paths * min(posterior[i, k], 1.0))
            q = posterior[i, k] / max(some, 1)
            for s in range(some):
                for m in range(n_steps):
                    for other in range(n_labels):
                        weight[other] = z[i, m, other] * walked[k, m, other, s]
                    out_loss[i, m + 1] += q * cost[k, _cheapest(weight, cost)]
        for m in range(1, n_steps + 1):
            out_loss[i, m] = min(out_loss[i, m], out_loss[i, m - 1])


@kernel()
def _cheapest(weight: Reals, cost: Reals) -> int:
    """The decision of least cost under the ``weight`` (K,) of each label; the first of equal ones."""
    best, least = 0, np.inf
    for d in range(weight.shape[0]):
        total = 0.0
        for k in range(weight.shape[0]):
            total += weight[k] * cost[k, d]
        if total < least:
            best, least = d, total
    return best


@kernel()
def read_off(
    curves: Curves, falling: Reals, ahead: int, tie_break: float, low: float, high: float, out_columns: Reals
) -> None:
    """What is read off the ``curves`` into ``out_columns`` (n, 7).

    The steepest fall of ``falling`` (n, M+1), a loss, per judgment over at most ``ahead`` of them, and ``tie_break``
    times the loss; the loss now, and in the end; the expected judgments until an item is settled, or M; the first
    number of judgments by which it is settled with probability ``low`` and ``high``, or M; the probability that it is
    settled in the end.
    """
    loss, settled = curves
    n_steps = loss.shape[1] - 1
    for i in range(loss.shape[0]):
        fall = reached = needed = 0.0
        first = last = n_steps
        for m in range(1, n_steps + 1):
            if m <= ahead:
                fall = max(fall, (falling[i, 0] - falling[i, m]) / m)
            reached += settled[i, m]
            needed += m * settled[i, m]
            if reached >= low and m < first:
                first = m
            if reached >= high and m < last:
                last = m
        reached = min(reached, 1.0)
        out_columns[i, 0] = fall + tie_break * loss[i, 0]
        out_columns[i, 1], out_columns[i, 2] = loss[i, 0], loss[i, n_steps]
        out_columns[i, 3] = needed + (1.0 - reached) * n_steps
        out_columns[i, 4], out_columns[i, 5], out_columns[i, 6] = first, last, reached


@kernel()
def hulls(loss: Reals, out_length: Offsets, out_slope: Reals) -> None:
    """The steepest way down of each ``loss`` (n, M+1): its lower convex hull from 0 on.

    ``out_length[i, h]`` (n, M) judgments lower it by ``out_slope[i, h]`` (n, M) each, ever less; 0 after the last. What
    rounding alone may have lowered is no way down.
    """
    n_steps = loss.shape[1] - 1
    for i in range(loss.shape[0]):
        at, h = 0, 0
        while at < n_steps:
            length, slope = 0, NO_GAIN * abs(loss[i, 0])
            for m in range(at + 1, n_steps + 1):
                steep = (loss[i, at] - loss[i, m]) / (m - at)
                if steep > slope:
                    length, slope = m - at, steep
            if length == 0:
                break
            out_length[i, h], out_slope[i, h] = length, slope
            at += length
            h += 1
        for left in range(h, n_steps):
            out_length[i, left], out_slope[i, left] = 0, 0.0
