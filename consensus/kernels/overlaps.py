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
    weight: Reals,
    out_by_label: Reals,
    out_agreed: Reals,
) -> None:
    """Sum up by unit how often each label was given to ``items`` (n,), and how often twice to one; c of n judgments.

    Adds c, c (c - 1) / (n - 1) and c / n to ``out_by_label`` (3, U, K), and c (c - 1) / (n (n - 1)) to ``out_agreed``
    (U,). ``unit`` (n,) is where an item is added; each has two judgments. ``weight`` (I,) is how often; (0,): once.
    """
    given = np.zeros(out_by_label.shape[2], np.int64)
    for x in range(items.shape[0]):
        u, begin, end = unit[x], item_start[items[x]], item_start[items[x] + 1]
        n, times = float(end - begin), weight[items[x]] if weight.shape[0] > 0 else 1.0
        for j in range(begin, end):
            given[label[j]] += 1
        for j in range(begin, end):
            k = label[j]
            c = float(given[k])
            if c > 0.0:  # the first judgment of this label adds all of them
                given[k] = 0
                out_by_label[0, u, k] += times * c
                out_by_label[1, u, k] += times * (c * (c - 1.0) / (n - 1.0))
                out_by_label[2, u, k] += times * (c / n)
                out_agreed[u] += times * (c * (c - 1.0) / (n * (n - 1.0)))


@kernel()
def coincidences(items: Codes, unit: Codes, item_start: Offsets, label: Codes, weight: Reals, out_pairs: Reals) -> None:
    """Add to ``out_pairs`` (U, K, K) the ordered pairs of judgments of each item, each weighing 1 / (n - 1).

    As often as the item counts, ``weight`` (I,); (0,): once.
    """
    n_labels = out_pairs.shape[1]
    given, distinct = np.zeros(n_labels, np.int64), np.zeros(n_labels, np.int64)
    for x in range(items.shape[0]):
        u, begin, end = unit[x], item_start[items[x]], item_start[items[x] + 1]
        m, times = 0, weight[items[x]] if weight.shape[0] > 0 else 1.0
        for j in range(begin, end):
            if given[label[j]] == 0:
                distinct[m] = label[j]
                m += 1
            given[label[j]] += 1
        for a in range(m):
            for b in range(m):
                k, other = distinct[a], distinct[b]
                n = float(given[k] * (given[other] - (a == b)))
                out_pairs[u, k, other] += times * (n / float(end - begin - 1))
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
