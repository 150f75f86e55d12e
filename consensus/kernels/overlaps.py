"""Loops over items that several workers judged: what measures of their agreement are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Codes, Offsets, Reals


@kernel()
def pairable(
    items: Codes,
    unit: Codes,
    item_start: Offsets,
    label: Codes,
    out_given: Reals,
    out_alike: Reals,
    out_share: Reals,
    out_agreed: Reals,
) -> None:
    """Sum up by unit how often each label was given to ``items`` (n,), and how often twice to one; c of n judgments.

    Adds c to ``out_given``, c (c - 1) / (n - 1) to ``out_alike``, c / n to ``out_share`` (all U, K) and
    c (c - 1) / (n (n - 1)) to ``out_agreed`` (U,). ``unit`` (n,) is where an item is added; each has two judgments.
    """
    given = np.zeros(out_given.shape[1], np.int64)
    for x in range(items.shape[0]):
        u, begin, end = unit[x], item_start[items[x]], item_start[items[x] + 1]
        n = float(end - begin)
        for j in range(begin, end):
            given[label[j]] += 1
        for j in range(begin, end):
            k = label[j]
            c = float(given[k])
            if c > 0.0:  # the first judgment of this label adds all of them
                given[k] = 0
                out_given[u, k] += c
                out_alike[u, k] += c * (c - 1.0) / (n - 1.0)
                out_share[u, k] += c / n
                out_agreed[u] += c * (c - 1.0) / (n * (n - 1.0))


@kernel()
def coincidences(items: Codes, unit: Codes, item_start: Offsets, label: Codes, out_pairs: Reals) -> None:
    """Add to ``out_pairs`` (U, K, K) the ordered pairs of judgments of each item, each weighing 1 / (n - 1)."""
    n_labels = out_pairs.shape[1]
    given, distinct = np.zeros(n_labels, np.int64), np.zeros(n_labels, np.int64)
    for x in range(items.shape[0]):
        u, begin, end = unit[x], item_start[items[x]], item_start[items[x] + 1]
        m = 0
        for j in range(begin, end):
            if given[label[j]] == 0:
                distinct[m] = label[j]
                m += 1
            given[label[j]] += 1
        for a in range(m):
            for b in range(m):
                k, other = distinct[a], distinct[b]
                out_pairs[u, k, other] += float(given[k] * (given[other] - (a == b))) / float(end - begin - 1)
        for a in range(m):
            given[distinct[a]] = 0


@kernel()
def answers_of_pairs(
    items: Codes, item_start: Offsets, worker: Codes, label: Codes, sizes: Offsets, pair: Offsets, out_cell: Offsets
) -> int:
    """Write the cell (p K + a) K + b wherever the workers of ``pair[p]`` gave one of ``items`` a and b; how many.

    ``sizes`` is n_workers, K; ``pair`` (P,), sorted, n_workers first + second, ``first`` being the lower code.
    """
    n, n_workers, n_labels = 0, sizes[0], sizes[1]
    for i in items:
        for a in range(item_start[i], item_start[i + 1]):
            for b in range(a + 1, item_start[i + 1]):
                key = worker[a] * n_workers + worker[b]
                low, high = 0, pair.shape[0]
                while low < high:
                    middle = (low + high) // 2
                    if pair[middle] < key:
                        low = middle + 1
                    else:
                        high = middle
                if low < pair.shape[0] and pair[low] == key:
                    out_cell[n] = (low * n_labels + label[a]) * n_labels + label[b]
                    n += 1
    return n
