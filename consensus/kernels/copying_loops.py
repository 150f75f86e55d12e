"""Loops over the items that two workers share: who agrees more often than two independent people would.

A shard owns the pairs of some workers with those of higher codes, and goes through the judgments of the former; those
by higher codes stand behind them in the item.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from consensus.kernels import SMALLEST, kernel

if TYPE_CHECKING:
    from consensus.kernels import Codes, Flags, Offsets, Reals

SMALLEST_LOG = -700.0  # of a posterior that underflowed


class Judged(NamedTuple):
    """All judgments, sorted by item."""

    item: Codes
    """(J,)"""
    item_start: Offsets
    """(I+1,)"""
    worker: Codes
    """(J,)"""
    label: Codes
    """(J,)"""


class Made(NamedTuple):
    """The judgments of some workers, one worker after the other."""

    start: Offsets
    """(n+1,) worker n of these made ``judgment[start[n]:start[n + 1]]``."""
    judgment: Codes
    """(J,) of all workers, from ``timelines.by_worker``."""
    told: Offsets | Codes
    """(J,) of each judgment, from ``told``."""
    n_bits: int
    """Bits of the label in it."""


class Fitted(NamedTuple):
    """What a fit found."""

    C: Reals
    """(W, K, K) confusions."""
    posterior: Reals
    """(I, K) raised to ``power``."""
    power: Reals
    """(I,)"""


class Suspects(NamedTuple):
    """Workers who may copy, S of them."""

    worker: Codes
    """(S,)"""
    own_start: Offsets
    """(S+1,) suspect s made the judgments ``own[own_start[s]:own_start[s + 1]]``."""
    own: Codes
    near_start: Offsets
    """(S+1,) ``near[near_start[s]:near_start[s + 1]]`` are the workers near suspect s, itself included."""
    near: Codes


@kernel()
def told(item: Codes, worker: Codes, label: Codes, n_bits: int, out_told: Offsets | Codes) -> None:
    """``out_told[j]`` (J,): the worker, then ``n_bits`` of the label, then a bit: the last judgment of its item."""
    last = item.shape[0] - 1
    for j in range(item.shape[0]):
        at_end = j == last or item[j] != item[j + 1]
        out_told[j] = (((np.int64(worker[j]) << n_bits) | label[j]) << 1) | at_end


@kernel()
def shared_items(
    made: Made,
    n_workers: int,
    least: int,
    out_b: Codes,
    out_shared: Codes,
    out_same: Codes,
    out_pair_start: Offsets,
) -> None:
    """Find the workers of higher codes that share ``least`` items or more with each of some workers.

    The partners of worker n of ``made``, ascending, the items that they share and those where they say the same go to
    ``out_b``, ``out_shared`` and ``out_same``, in ``out_pair_start[n]:out_pair_start[n + 1]`` (n+1,), whose first entry
    is given.
    """
    worker_start, judgment, told, n_bits = made
    label_bits = (1 << n_bits) - 1
    shared, same = np.zeros(n_workers, np.int32), np.zeros(n_workers, np.int32)
    met = np.empty(n_workers, np.int32)
    found = out_pair_start[0]
    for n in range(worker_start.shape[0] - 1):
        n_met = 0
        for m in range(worker_start[n], worker_start[n + 1]):
            j = judgment[m]
            code = told[j]
            label = (code >> 1) & label_bits
            while not code & 1:
                j += 1
                code = told[j]
                b = code >> (1 + n_bits)
                if shared[b] == 0:
                    met[n_met] = b
                    n_met += 1
                shared[b] += 1
                same[b] += ((code >> 1) & label_bits) == label
        begin = found
        for m in range(n_met):
            if shared[met[m]] >= least:
                out_b[found] = met[m]
                found += 1
        out_b[begin:found].sort()
        for p in range(begin, found):
            out_shared[p], out_same[p] = shared[out_b[p]], same[out_b[p]]
        for m in range(n_met):
            shared[met[m]], same[met[m]] = 0, 0
        out_pair_start[n + 1] = found


@kernel()
def expected_same(
    first: int, made: Made, item: Codes, pair_start: Offsets, b: Codes, fitted: Fitted, out_expected: Reals
) -> None:
    """``out_expected[p]`` (P,) = sum over the items that a pair shares of P(both give the same label | all others).

    ``first`` is the code of the first worker of ``made``; ``item`` (J,). Worker first + n is the lower one of the pairs
    ``pair_start[n]:pair_start[n + 1]``, the higher ones are ``b`` (P,).
    """
    worker_start, judgment, told, n_bits = made
    C, posterior, power = fitted
    n_labels, label_bits = posterior.shape[1], (1 << n_bits) - 1
    pair = np.full(C.shape[0], -1, np.int32)
    z = np.empty(n_labels)
    for n in range(worker_start.shape[0] - 1):
        begin, end = pair_start[n], pair_start[n + 1]
        if begin == end:
            continue
        a = first + n
        same = np.zeros((end - begin, n_labels))
        for p in range(begin, end):
            pair[b[p]] = p - begin
            out_expected[p] = 0.0
            for k in range(n_labels):
                for observed in range(n_labels):
                    same[p - begin, k] += C[a, k, observed] * C[b[p], k, observed]
        for m in range(worker_start[n], worker_start[n + 1]):
            j, known = judgment[m], False
            i, code = item[j], told[j]
            label = (code >> 1) & label_bits
            while not code & 1:
                j += 1
                code = told[j]
                other = code >> (1 + n_bits)
                p = pair[other]
                if p < 0:
                    continue
                if not known:
                    _untempered(posterior[i], power[i], z)
                    known = True
                theirs = (code >> 1) & label_bits
                total, agreeing = 0.0, 0.0
                for k in range(n_labels):
                    mass = z[k] / (max(C[a, k, label], SMALLEST) * max(C[other, k, theirs], SMALLEST))
                    total += mass
                    agreeing += mass * same[p, k]
                out_expected[begin + p] += agreeing / total
        for p in range(begin, end):
            pair[b[p]] = -1


@kernel()
def excess_of_workers(
    items: Codes, judged: Judged, fitted: Fitted, left_out: Flags, out_excess: Reals, out_shared: Offsets
) -> None:
    """Add up, over a worker's pairs of judgments, agreements less expected ones (W,), and their number (W,).

    Pairs with workers ``left_out`` (W,) do not count. Posterior (n, K) and power (n,) are of ``items`` (n,).
    """
    item_start, worker, label = judged.item_start, judged.worker, judged.label
    C, posterior, power = fitted
    n_labels = posterior.shape[1]
    z = np.empty(n_labels)
    for n in range(items.shape[0]):
        i = items[n]
        end = item_start[i + 1]
        _untempered(posterior[n], power[n], z)
        for a in range(item_start[i], end):
            for b in range(a + 1, end):
                v, w = worker[a], worker[b]
                if left_out[v] or left_out[w]:
                    continue
                total, agreeing = 0.0, 0.0
                for k in range(n_labels):
                    mass = z[k] / (max(C[v, k, label[a]], SMALLEST) * max(C[w, k, label[b]], SMALLEST))
                    total += mass
                    for observed in range(n_labels):
                        agreeing += mass * C[v, k, observed] * C[w, k, observed]
                excess = (1.0 if label[a] == label[b] else 0.0) - agreeing / total
                out_excess[v] += excess
                out_excess[w] += excess
                out_shared[v] += 1
                out_shared[w] += 1


@kernel()
def own_confusions(
    suspects: Suspects, judged: Judged, fitted: Fitted, strength: float, n_passes: int, most: int, out_C: Reals
) -> None:
    """Fit the confusion ``out_C[s]`` (S, K, K) of each suspect by EM, given what workers say who are not near it.

    The judgments of all workers near a suspect are taken out of the posterior. EM starts from the confusion of the fit,
    of which ``strength`` judgments a true label are the prior. Of more than ``most`` judgments, every second, third ...
    counts.
    """
    suspect, own_start, own, near_start, near = suspects
    item, label, C = judged.item, judged.label, fitted.C
    n_labels = C.shape[1]
    left_out = np.zeros(C.shape[0], np.bool_)
    N, z = np.empty((n_labels, n_labels)), np.empty(n_labels)
    for s in range(own_start.shape[0] - 1):
        begin, end = own_start[s], own_start[s + 1]
        for w in near[near_start[s] : near_start[s + 1]]:
            left_out[w] = True
        step = (end - begin) // most + 1
        others = np.empty(((end - begin + step - 1) // step, n_labels))
        for n in range(others.shape[0]):
            i = item[own[begin + n * step]]
            _logs_without(i, judged, fitted, left_out, z)
            for k in range(n_labels):
                others[n, k] = math.exp(z[k])
        for w in near[near_start[s] : near_start[s + 1]]:
            left_out[w] = False
        prior = C[suspect[s]] * strength
        out_C[s] = C[suspect[s]]
        for _ in range(n_passes):
            N[:] = prior
            for n in range(others.shape[0]):
                observed = label[own[begin + n * step]]
                total = 0.0
                for k in range(n_labels):
                    z[k] = others[n, k] * max(out_C[s, k, observed], SMALLEST)
                    total += z[k]
                for k in range(n_labels):
                    N[k, observed] += z[k] / total
            for k in range(n_labels):
                total = N[k].sum()
                for observed in range(n_labels):
                    out_C[s, k, observed] = N[k, observed] / total


@kernel()
def expected_of_suspects(
    a: Codes, b: Codes, suspects: Suspects, judged: Judged, fitted: Fitted, C_own: Reals, out_expected: Reals
) -> None:
    """``out_expected[p]`` (P,) = agreements that are expected of the suspects a[p] and b[p] if they are independent.

    Sums P(both give the same label) over the items that both judged, given what workers say who are near neither;
    ``C_own`` (S, K, K) is from ``own_confusions``.
    """
    _, own_start, own, near_start, near = suspects
    item, n_labels = judged.item, C_own.shape[1]
    left_out = np.zeros(fitted.C.shape[0], np.bool_)
    same, logs = np.empty(n_labels), np.empty(n_labels)
    for p in range(a.shape[0]):
        for s in (a[p], b[p]):
            for w in near[near_start[s] : near_start[s + 1]]:
                left_out[w] = True
        for k in range(n_labels):
            same[k] = 0.0
            for observed in range(n_labels):
                same[k] += C_own[a[p], k, observed] * C_own[b[p], k, observed]
        expected = 0.0
        m, n = own_start[a[p]], own_start[b[p]]
        while m < own_start[a[p] + 1] and n < own_start[b[p] + 1]:
            i = item[own[m]]
            if i == item[own[n]]:
                _logs_without(i, judged, fitted, left_out, logs)
                total, agreeing = 0.0, 0.0
                for k in range(n_labels):
                    mass = math.exp(logs[k])
                    total += mass
                    agreeing += mass * same[k]
                expected += agreeing / total
            if i <= item[own[n]]:
                m += 1
            else:
                n += 1
        out_expected[p] = expected
        for s in (a[p], b[p]):
            for w in near[near_start[s] : near_start[s + 1]]:
                left_out[w] = False


@kernel()
def merged(
    item_start: Offsets, worker: Codes, label: Codes, group: Codes, n_labels: int, out_keep: Flags, out_worker: Codes
) -> None:
    """Of the judgments of an item by one group of workers, keep one, and give it to the first worker of the group.

    It says what most of them say; of labels that tie, what the member with the lowest code says. ``group`` (W,) is the
    first worker of each one's group, -1 for those in none. Fills ``out_keep`` and ``out_worker`` (J,).
    """
    given = np.zeros(n_labels, np.int64)
    for i in range(item_start.shape[0] - 1):
        begin, end = item_start[i], item_start[i + 1]
        for j in range(begin, end):
            out_keep[j], out_worker[j] = True, worker[j]
        for j in range(begin, end):
            g = group[worker[j]]
            if g < 0:
                continue
            most, kept = 0, j
            for other in range(begin, j):
                if group[worker[other]] == g:
                    most = 1
                    break
            if most:  # done with the first of the group
                continue
            for other in range(j, end):
                if group[worker[other]] == g:
                    given[label[other]] += 1
                    most = max(most, given[label[other]])
            for other in range(end - 1, j - 1, -1):
                if group[worker[other]] == g:
                    out_keep[other] = False
                    if given[label[other]] == most:
                        kept = other
            for other in range(j, end):
                given[label[other]] = 0
            out_keep[kept], out_worker[kept] = True, g


@kernel()
def _logs_without(i: int, judged: Judged, fitted: Fitted, left_out: Flags, out_logs: Reals) -> None:
    """``out_logs`` (K,), 0 at the highest, = log posterior of item i without the judgments of workers ``left_out``."""
    worker, label, C = judged.worker, judged.label, fitted.C
    posterior, power = fitted.posterior[i], fitted.power[i]
    for k in range(out_logs.shape[0]):
        out_logs[k] = (math.log(posterior[k]) if posterior[k] > 0.0 else SMALLEST_LOG) / power
    for j in range(judged.item_start[i], judged.item_start[i + 1]):
        if left_out[worker[j]]:
            for k in range(out_logs.shape[0]):
                out_logs[k] -= math.log(max(C[worker[j], k, label[j]], SMALLEST))
    peak = out_logs.max()
    for k in range(out_logs.shape[0]):
        out_logs[k] -= peak


@kernel()
def _untempered(posterior: Reals, power: float, out_z: Reals) -> None:
    """``out_z`` (K,), up to a factor, = posterior ** (1 / power)."""
    peak = posterior.max()
    for k in range(posterior.shape[0]):
        out_z[k] = math.exp(math.log(posterior[k] / peak) / power) if posterior[k] > 0.0 else 0.0
