"""Loops that look for a group of workers who say the same, by what all of its pairs tell together."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Codes, Flags, Offsets, Reals
    from consensus.kernels.copying_loops import Judged


class Links(NamedTuple):
    """Pairs of workers that share items, from both sides."""

    start: Offsets
    """(W+1,) worker w shares items with ``other[start[w]:start[w + 1]]``."""
    other: Codes
    """(2P,)"""
    evidence: Reals
    """(2P,) nats for the two saying the same, rather than agreeing as independent workers would; may be negative."""


class Outside(NamedTuple):
    """What is known of items and workers without the group."""

    z: Reals
    """(I, K) posterior by all workers outside."""
    C: Reals
    """(W, K, K) confusions of all workers, given that posterior."""


@kernel()
def grow(links: Links, seed: int, needed: Reals, out_member: Flags, out_gain: Reals) -> float:
    """Add to worker ``seed`` who brings the most evidence, one by one; return by how much the best of these has enough.

    ``needed[n]`` (M+1,) is the evidence that n workers must bring, M the most that are joined; infinite for groups that
    are too small. ``out_member`` (W,) are the workers of the best group, none if no group was large enough;
    ``out_gain`` (W,) is left with the evidence of each worker beside all who were ever joined.
    """
    start, other, evidence = links
    order = np.empty(needed.shape[0], np.int32)
    out_member[:] = False
    out_gain[:] = 0.0
    size, best_size, total, best = 0, 0, 0.0, -np.inf
    w = seed
    while w >= 0 and size + 1 < needed.shape[0]:
        total += out_gain[w]
        out_member[w] = True
        order[size] = w
        size += 1
        for m in range(start[w], start[w + 1]):
            out_gain[other[m]] += evidence[m]
        if total - needed[size] > best:
            best, best_size = total - needed[size], size
        w, most = -1, 0.0
        for v in range(out_gain.shape[0]):
            if out_gain[v] > most and not out_member[v]:
                w, most = v, out_gain[v]
    for n in range(best_size, size):
        out_member[order[n]] = False
    return best


@kernel()
def beside_group(
    judged: Judged, member: Flags, outside: Outside, out_items: Reals, out_same: Reals, out_expected: Reals
) -> tuple[float, float, float, float, float]:
    """Hold every worker against the members of a group, on items that somebody outside judged, too.

    Of items that a worker judged with ``member`` (W,) others: their number goes to ``out_items`` (W,), the sum of the
    shares of these members who say the same to ``out_same`` (W,), and what is expected of it, if all are independent
    given ``outside``, to ``out_expected`` (W,).

    Returns
    -------
    tuple
        Of the items that n >= 1 members judged, and somebody else: the sum of n - 1; the sum of n, and of n times the
        share of pairs of a member and an outsider who agree; the same two for pairs of outsiders, where there are such.
    """
    item_start, worker, label = judged.item_start, judged.worker, judged.label
    z, C = outside
    n_labels = z.shape[1]
    inside, beyond = np.zeros(n_labels), np.zeros(n_labels)
    echoes, across, across_same, apart, apart_same = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(item_start.shape[0] - 1):
        begin, end = item_start[i], item_start[i + 1]
        n_inside = 0
        for j in range(begin, end):
            n_inside += member[worker[j]]
        n_beyond = end - begin - n_inside
        if n_inside == 0 or n_beyond == 0:
            continue
        inside[:] = 0.0
        beyond[:] = 0.0
        for j in range(begin, end):
            if member[worker[j]]:
                inside[label[j]] += 1.0
            else:
                beyond[label[j]] += 1.0
        both, alone = 0.0, 0.0
        for k in range(n_labels):
            both += inside[k] * beyond[k]
            alone += beyond[k] * (beyond[k] - 1.0)
        echoes += n_inside - 1
        across += n_inside
        across_same += both / n_beyond
        if n_beyond > 1:
            apart += n_inside
            apart_same += n_inside * alone / (n_beyond * (n_beyond - 1))
        for j in range(begin, end):
            a = worker[j]
            n_others = n_inside - member[a]
            if n_others == 0 or n_beyond + member[a] < 2:  # nobody else outside
                continue
            expected = 0.0
            for other in range(begin, end):
                b = worker[other]
                if other != j and member[b]:
                    for k in range(n_labels):
                        agreeing = 0.0
                        for observed in range(n_labels):
                            agreeing += C[a, k, observed] * C[b, k, observed]
                        expected += z[i, k] * agreeing
            out_items[a] += 1.0
            out_same[a] += (inside[label[j]] - member[a]) / n_others
            out_expected[a] += expected / n_others
    return echoes, across, across_same, apart, apart_same
