"""Loops that ask how the other workers did on the items of a worker: the median of P(their labels are right).

A label is weighed by all judgments of its item but itself and the worker's own one, so that neither the two labels nor
the median move with what the worker said. As in ``others_loops``, a judgment is divided out of the untempered
posterior: z[k] / (C[own, k] C[other, k]).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Codes, Offsets, Reals
    from consensus.kernels.others_loops import Candidates, Cells


class Judged(NamedTuple):
    """The judgments of all items."""

    item_start: Offsets
    """(I+1,)"""
    row: Codes
    """(J,) the pair of worker and label."""
    worker: Codes
    """(J,)"""
    label: Codes
    """(J,)"""


@kernel()
def others(
    judgment: Offsets,
    item: Codes,
    judged: Judged,
    C: Reals,
    posterior: Reals,
    power: Reals,
    most: int,
    out: Reals,
) -> None:
    """``out`` (n,) = the median of P(right) of other workers' judgments of the ``item`` (n,) of each ``judgment`` (n,).

    ``C`` (R, K); ``posterior`` (n, K) and ``power`` (n,), the exponent that it was raised to, are those of the item. Of
    more than ``most`` judgments of an item, so many are taken, evenly spaced. NaN without any.
    """
    item_start, row, worker, label = judged
    n_labels = posterior.shape[1]
    z, found = np.empty(n_labels), np.empty(most)
    for n in range(judgment.shape[0]):
        own, begin, end = judgment[n], item_start[item[n]], item_start[item[n] + 1]
        peak = posterior[n, 0]
        for k in range(1, n_labels):
            peak = max(peak, posterior[n, k])
        for k in range(n_labels):
            mass = math.exp(math.log(posterior[n, k] / peak) / power[n]) if posterior[n, k] > 0.0 else 0.0
            z[k] = mass / C[row[own], k]
        seen, step = 0, (end - begin + most - 1) // most
        for j in range(begin, end, step):
            if worker[j] != worker[own]:
                total = 0.0
                for k in range(n_labels):
                    total += z[k] / C[row[j], k]
                found[seen] = z[label[j]] / C[row[j], label[j]] / total
                seen += 1
        out[n] = _median(found, seen)


@kernel()
def others_sparse(
    judgment: Offsets, item: Codes, judged: Judged, candidates: Candidates, cells: Cells, most: int, out: Reals
) -> None:
    """Like ``others`` where only the ``candidates`` of each item are weighed; these are of all items."""
    item_start, row, worker, label = judged
    start, candidate, posterior, rest, power = candidates
    n_labels = cells.C_rest.shape[0]
    z, found = np.empty(most + 1), np.empty(most)
    for n in range(judgment.shape[0]):
        i, own = item[n], judgment[n]
        first, last = start[i], start[i + 1]
        if last - first > z.shape[0]:
            z = np.empty(2 * (last - first))
        peak = rest[i]
        for c in range(first, last):
            peak = max(peak, posterior[c])
        remaining = math.exp(math.log(rest[i] / peak) / power[i]) if rest[i] > 0.0 else 0.0
        remaining *= (n_labels - (last - first)) / cells.C_rest[label[own]]
        for c in range(first, last):
            mass = math.exp(math.log(posterior[c] / peak) / power[i]) if posterior[c] > 0.0 else 0.0
            z[c - first] = mass / _likelihood(cells, row[own], label[own], candidate[c])
        seen, begin, end = 0, item_start[i], item_start[i + 1]
        for j in range(begin, end, (end - begin + most - 1) // most):
            if worker[j] != worker[own]:
                total, right = remaining / cells.C_rest[label[j]], 0.0
                for c in range(first, last):
                    mass = z[c - first] / _likelihood(cells, row[j], label[j], candidate[c])
                    total += mass
                    if candidate[c] == label[j]:
                        right = mass
                found[seen] = right / total
                seen += 1
        out[n] = _median(found, seen)


@kernel()
def _likelihood(cells: Cells, row: int, observed: int, true: int) -> float:
    """P(``observed`` | ``true``) of a row."""
    low, high = cells.start[row], cells.start[row + 1]
    end = high
    while low < high:
        middle = (low + high) // 2
        if cells.true[middle] < true:
            low = middle + 1
        else:
            high = middle
    return float(cells.C[low]) if low < end and cells.true[low] == true else float(cells.C_rest[observed])


@kernel()
def _median(some: Reals, n: int) -> float:
    """Of the first ``n`` of ``some``, which are sorted; NaN of none."""
    for at in range(1, n):
        value, to = some[at], at
        while to > 0 and some[to - 1] > value:
            some[to] = some[to - 1]
            to -= 1
        some[to] = value
    return (some[(n - 1) // 2] + some[n // 2]) / 2.0 if n else np.nan
