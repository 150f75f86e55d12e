"""Loops that ask how far the judgments of a worker agree with the consensus, their own vote kept in it.

The posterior of an item comes as it was reported: tempered. A power of it is taken twice. ``doubting`` gives the one
that a worker is held against, ``untempered`` the one that the judgments alone would say; both are normalised again.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Codes, Offsets, Reals


class Judged(NamedTuple):
    """The judgments of a shard of items."""

    item_start: Offsets
    """(n+1,)"""
    worker: Codes
    """(J,) of all items, as is ``label``."""
    label: Codes
    """(J,)"""


class Powers(NamedTuple):
    """What the posteriors of a shard of items are raised to."""

    doubting: Reals
    """(n,)"""
    untempered: Reals
    """(n,)"""


class Candidates(NamedTuple):
    """Posterior of a shard of items with very many labels: that of some, the others sharing a rest."""

    start: Offsets
    """(n+1,) item n has the candidates ``start[n]:start[n + 1]``."""
    label: Codes
    """Of each candidate of all items."""
    z: Reals
    """Its posterior."""
    rest: Reals
    """(n,) posterior of every other label."""


@kernel()
def sums(judged: Judged, posterior: Reals, powers: Powers, unit: Codes | Reals, out_sums: Reals) -> None:
    """Add up the judgments of a shard of items to the ``out_sums`` (W, 3) of their workers.

    With r the probability of the label given, by the ``posterior`` (n, K) to the doubting power: r, r (1 - r); and the
    same probability untempered. ``unit`` (J,) of all items is what each judgment counts for; (0,): each as one.
    """
    item_start, worker, label = judged
    doubting, untempered = powers
    n_labels = posterior.shape[1]
    z, u = np.empty(n_labels), np.empty(n_labels)
    for i in range(item_start.shape[0] - 1):
        begin, end = item_start[i], item_start[i + 1]
        if begin == end:
            continue
        peak = posterior[i, 0]
        for k in range(1, n_labels):
            peak = max(peak, posterior[i, k])
        total_z = total_u = 0.0
        for k in range(n_labels):
            z[k] = u[k] = 0.0
            share = posterior[i, k] / peak
            if share == 1.0:  # of most items nearly all there is: its powers need no logarithm
                z[k] = u[k] = 1.0
            elif share > 0.0:
                log = math.log(share)
                z[k] = share if doubting[i] == 1.0 else math.exp(log * doubting[i])
                u[k] = math.exp(log * untempered[i])
            total_z += z[k]
            total_u += u[k]
        for j in range(begin, end):
            r, w = z[label[j]] / total_z, worker[j]
            n = unit[j] if unit.shape[0] > 0 else 1
            out_sums[w, 0] += n * r
            out_sums[w, 1] += n * (r * (1.0 - r))
            out_sums[w, 2] += n * (u[label[j]] / total_u)


@kernel()
def sums_sparse(
    judged: Judged, candidates: Candidates, powers: Powers, unit: Codes | Reals, n_labels: int, out_sums: Reals
) -> None:
    """Like ``sums`` where every judgment of an item gives one of its candidates."""
    item_start, worker, label = judged
    candidate_start, candidate, z, rest = candidates
    doubting, untempered = powers
    for i in range(item_start.shape[0] - 1):
        first, last = candidate_start[i], candidate_start[i + 1]
        peak = rest[i]
        for c in range(first, last):
            peak = max(peak, z[c])
        n_rest = n_labels - (last - first)
        total_z = total_u = 0.0
        if rest[i] > 0.0:
            log = math.log(rest[i] / peak)
            total_z, total_u = n_rest * math.exp(log * doubting[i]), n_rest * math.exp(log * untempered[i])
        for c in range(first, last):
            if z[c] > 0.0:
                log = math.log(z[c] / peak)
                total_z += math.exp(log * doubting[i])
                total_u += math.exp(log * untempered[i])
        for j in range(item_start[i], item_start[i + 1]):
            n = unit[j] if unit.shape[0] > 0 else 1
            for c in range(first, last):
                if candidate[c] == label[j] and z[c] > 0.0:
                    log = math.log(z[c] / peak)
                    r, w = math.exp(log * doubting[i]) / total_z, worker[j]
                    out_sums[w, 0] += n * r
                    out_sums[w, 1] += n * (r * (1.0 - r))
                    out_sums[w, 2] += n * (math.exp(log * untempered[i]) / total_u)
