"""Loops over the items that two workers share: who agrees more often than two independent people would.

A co-judgment is a pair of judgments of one item by two workers, the one with the lower code first. Every shard owns the
pairs whose lower code lies in ``first`` to ``last``, and goes over all items: sums are in item order in any case.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.kernels import Codes, Flags, Offsets, Reals

    Counts = NDArray[np.uint8]

SMALLEST = 1e-10  # P(observed | true) is kept above this, as in the fit
SMALLEST_LOG = -700.0  # of a posterior that underflowed


@kernel()
def count_pairs(
    items: Codes, item_start: Offsets, worker: Codes, n_workers: int, first: int, last: int, out_counts: Counts
) -> None:
    """Count the co-judgments of each pair in ``out_counts``, up to 255, filled with zeros; its size is a power of 2.

    Pairs that meet in one cell are counted together: no pair occurs more often than its cell says.
    """
    mask = out_counts.shape[0] - 1
    for i in items:
        end = item_start[i + 1]
        for a in range(item_start[i], end):
            if first <= worker[a] < last:
                for b in range(a + 1, end):
                    cell = _cell(np.int64(worker[a]) * n_workers + worker[b], mask)
                    if out_counts[cell] < 255:
                        out_counts[cell] += 1


@kernel()
def keys_of_pairs(
    items: Codes,
    item_start: Offsets,
    worker: Codes,
    label: Codes,
    sizes: Offsets,
    counts: Counts,
    least: int,
    out_key: Offsets,
) -> int:
    """Write a key for every co-judgment of pairs that ``count_pairs`` met ``least`` times; returns how many there are.

    The key is 2 (n_workers first + second) + agree, as in ``tallies.worker_pairs``. ``sizes`` is n_workers, first,
    last.
    """
    n_workers, first, last = sizes[0], sizes[1], sizes[2]
    mask, n = counts.shape[0] - 1, 0
    for i in items:
        end = item_start[i + 1]
        for a in range(item_start[i], end):
            if first <= worker[a] < last:
                for b in range(a + 1, end):
                    pair = np.int64(worker[a]) * n_workers + worker[b]
                    if counts[_cell(pair, mask)] >= least:
                        out_key[n] = 2 * pair + (label[a] == label[b])
                        n += 1
    return n


@kernel()
def mark_pairs(pair: Offsets, out_marked: Flags) -> None:
    """Set the cells of the pairs n_workers first + second (P,), and by chance those of a few others."""
    for p in pair:
        out_marked[_cell(p, out_marked.shape[0] - 1)] = True


@kernel()
def same_by_label(C: Reals, a: Codes, b: Codes, out_same: Reals) -> None:
    """``out_same[p, k]`` (P, K) = P(the workers a[p] and b[p] give the same label | true label k), C (W, K, K)."""
    n_labels = C.shape[1]
    for p in range(a.shape[0]):
        for k in range(n_labels):
            total = 0.0
            for observed in range(n_labels):
                total += C[a[p], k, observed] * C[b[p], k, observed]
            out_same[p, k] = total


@kernel()
def expected_same(
    items: Codes,
    item_start: Offsets,
    worker: Codes,
    label: Codes,
    C: Reals,
    posterior: Reals,
    power: Reals,
    bounds: Offsets,
    marked: Flags,
    pair_start: Offsets,
    second: Codes,
    same: Reals,
    out_expected: Reals,
) -> None:
    """Add to ``out_expected`` (P,) for every shared item P(both give the same label | what all others say).

    Worker a is the lower one of the pairs ``pair_start[a]:pair_start[a + 1]``, the higher ones are ``second``,
    ascending; ``bounds`` is n_workers, first, last; ``marked`` of ``mark_pairs``; ``same`` (P, K) of
    ``same_by_label``; ``posterior`` (I, K) was raised to ``power`` (I,).
    """
    n_workers, first, last = bounds[0], bounds[1], bounds[2]
    n_labels, mask = posterior.shape[1], marked.shape[0] - 1
    z = np.empty(n_labels)
    for i in items:
        end, known = item_start[i + 1], False
        for a in range(item_start[i], end):
            w = worker[a]
            if w < first or w >= last or pair_start[w] == pair_start[w + 1]:
                continue
            for b in range(a + 1, end):
                if not marked[_cell(np.int64(w) * n_workers + worker[b], mask)]:
                    continue
                low, high = pair_start[w], pair_start[w + 1]
                while low < high:
                    middle = (low + high) // 2
                    if second[middle] < worker[b]:
                        low = middle + 1
                    else:
                        high = middle
                if low == pair_start[w + 1] or second[low] != worker[b]:
                    continue
                if not known:
                    _untempered(posterior[i], power[i], z)
                    known = True
                total, agreeing = 0.0, 0.0
                for k in range(n_labels):
                    mass = z[k] / (max(C[w, k, label[a]], SMALLEST) * max(C[worker[b], k, label[b]], SMALLEST))
                    total += mass
                    agreeing += mass * same[low, k]
                out_expected[low] += agreeing / total


@kernel()
def excess_of_workers(
    items: Codes,
    item_start: Offsets,
    worker: Codes,
    label: Codes,
    C: Reals,
    posterior: Reals,
    power: Reals,
    out_excess: Reals,
    out_shared: Offsets,
) -> None:
    """Add up, over all co-judgments of each worker, agreement less what is expected (W,), and how many there are (W,).

    ``posterior`` and ``power`` are of ``items`` (n, K) and (n,).
    """
    n_labels = posterior.shape[1]
    z = np.empty(n_labels)
    for n in range(items.shape[0]):
        i = items[n]
        end = item_start[i + 1]
        _untempered(posterior[n], power[n], z)
        for a in range(item_start[i], end):
            for b in range(a + 1, end):
                v, w = worker[a], worker[b]
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
    own_start: Offsets,
    own: Offsets,
    near_start: Offsets,
    near: Codes,
    item: Codes,
    item_start: Offsets,
    worker: Codes,
    label: Codes,
    C: Reals,
    posterior: Reals,
    power: Reals,
    A: Reals,
    n_passes: int,
    out_C: Reals,
) -> None:
    """Fit the confusion ``out_C[s]`` (S, K, K) of each suspect by EM, given what workers say who are not near it.

    Suspect s made the judgments ``own[own_start[s]:own_start[s + 1]]``; ``near``, alike, are the workers (itself
    included) whose judgments are taken out of the ``posterior`` (I, K), raised to ``power`` (I,). ``A`` (K, K) are
    pseudo-judgments; EM starts from their rows.
    """
    n_labels = A.shape[0]
    left_out = np.zeros(C.shape[0], np.bool_)
    N, z = np.empty_like(A), np.empty(n_labels)
    for s in range(own_start.shape[0] - 1):
        begin, end = own_start[s], own_start[s + 1]
        for w in near[near_start[s] : near_start[s + 1]]:
            left_out[w] = True
        logs = np.empty((end - begin, n_labels))
        for n in range(end - begin):
            i = item[own[begin + n]]
            _logs_without(i, item_start, worker, label, C, posterior[i], power[i], left_out, logs[n])
        for w in near[near_start[s] : near_start[s + 1]]:
            left_out[w] = False
        N[:] = A
        for n_done in range(n_passes + 1):
            for k in range(n_labels):
                total = N[k].sum()
                for observed in range(n_labels):
                    out_C[s, k, observed] = N[k, observed] / total if total > 0.0 else 1.0 / n_labels
            if n_done == n_passes:
                break
            N[:] = A
            for n in range(end - begin):
                observed = label[own[begin + n]]
                total = 0.0
                for k in range(n_labels):
                    z[k] = math.exp(logs[n, k]) * max(out_C[s, k, observed], SMALLEST)
                    total += z[k]
                for k in range(n_labels):
                    N[k, observed] += z[k] / total


@kernel()
def expected_of_suspects(
    a: Codes,
    b: Codes,
    own_start: Offsets,
    own: Offsets,
    near_start: Offsets,
    near: Codes,
    item: Codes,
    item_start: Offsets,
    worker: Codes,
    label: Codes,
    C: Reals,
    posterior: Reals,
    power: Reals,
    C_own: Reals,
    out_expected: Reals,
) -> None:
    """``out_expected[p]`` (P,) = agreements that are expected of the suspects a[p] and b[p] if they are independent.

    Sums P(both give the same label) over the items that both judged, given what workers say who are near neither;
    ``C_own`` (S, K, K) and all else as in ``own_confusions``.
    """
    n_labels = C.shape[1]
    left_out = np.zeros(C.shape[0], np.bool_)
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
                _logs_without(i, item_start, worker, label, C, posterior[i], power[i], left_out, logs)
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
def _logs_without(
    i: int,
    item_start: Offsets,
    worker: Codes,
    label: Codes,
    C: Reals,
    posterior: Reals,
    power: float,
    left_out: Flags,
    out_logs: Reals,
) -> None:
    """``out_logs`` (K,), 0 at the highest, = log posterior of item i without the judgments of workers ``left_out``."""
    for k in range(out_logs.shape[0]):
        out_logs[k] = (math.log(posterior[k]) if posterior[k] > 0.0 else SMALLEST_LOG) / power
    for j in range(item_start[i], item_start[i + 1]):
        if left_out[worker[j]]:
            for k in range(out_logs.shape[0]):
                out_logs[k] -= math.log(max(C[worker[j], k, label[j]], SMALLEST))
    peak = out_logs.max()
    for k in range(out_logs.shape[0]):
        out_logs[k] -= peak


@kernel()
def _cell(pair: int, mask: int) -> int:
    """Where a pair is counted: the upper half of a product with 2^64 / golden ratio (Knuth, volume 3, 6.4)."""
    return ((pair * -7046029254386353131) >> 32) & mask


@kernel()
def _untempered(posterior: Reals, power: float, out_z: Reals) -> None:
    """``out_z`` (K,), up to a factor, = posterior ** (1 / power)."""
    peak = posterior.max()
    for k in range(posterior.shape[0]):
        out_z[k] = math.exp(math.log(posterior[k] / peak) / power) if posterior[k] > 0.0 else 0.0
