"""Groups that pairs give away and groups that only all their pairs together do, as one table of pairs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.worker_audit.copying.shared_items import tail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consensus.found.copies import Copies
    from consensus.worker_audit.copying.group_scan import Group
    from consensus.worker_audit.copying.shared_items import Codes, Pairs, Reals


def joined(copies: Copies, groups: Sequence[Group], pairs: Pairs) -> Copies:
    """The pairs and groups of ``copies``, with all ``pairs`` inside of ``groups``; groups that share a worker are one.

    The q-value of a pair that only its group gives away is the chance of such a group, at most: the pair alone need not
    tell anything.
    """
    if not groups:
        return copies
    together = np.full(len(copies.group), -1, np.int32)
    for g, one in enumerate(groups):
        together[one.members] = g
    W = np.int64(len(together))
    is_inside = (together[pairs.a] >= 0) & (together[pairs.a] == together[pairs.b])
    is_inside &= ~np.isin(pairs.a * W + pairs.b, copies.worker_a * W + copies.worker_b)
    inside = pairs.take(np.flatnonzero(is_inside))
    of_group = together[inside.a]
    expected: Reals = np.array([one.expected for one in groups])[of_group] * inside.shared
    q: Reals = np.exp(np.array([-one.evidence for one in groups]))[of_group]
    group = _numbered(copies, together, len(groups))
    a, b = np.append(copies.worker_a, inside.a), np.append(copies.worker_b, inside.b)
    order = np.lexsort((b, a, group[a]))
    n_shared, n_same = np.append(copies.n_shared, inside.shared), np.append(copies.n_same, inside.same)
    expected_same = np.append(copies.expected_same, expected)
    worth = _worth(group, group[a], n_same - expected_same, n_shared - expected_same)
    sure = np.isin(np.arange(len(worth)), group[together >= 0])
    before = np.flatnonzero(copies.group >= 0)
    by_pairs = np.ones(len(worth))
    by_pairs[group[before]] = copies.n_effective[copies.group[before]]
    return replace(
        copies,
        worker_a=a[order],
        worker_b=b[order],
        n_shared=n_shared[order],
        n_same=n_same[order],
        expected_same=expected_same[order],
        p_value=np.append(copies.p_value, tail(inside, expected, 1.0))[order],
        q_value=np.append(copies.q_value, q)[order],
        group=group,
        n_effective=np.where(sure, worth, by_pairs),
        sure=sure,
    )


def _worth(group: Codes, of_pair: Codes, surplus: Reals, room: Reals) -> Reals:
    """(G,) independent votes that each group is worth, by the agreements of its pairs (P,) above the expected ones."""
    size = np.bincount(group[group >= 0])
    excess = np.bincount(of_pair, surplus, len(size)) / np.maximum(np.bincount(of_pair, room, len(size)), 1e-9)
    found: Reals = size / (1.0 + (size - 1) * np.clip(excess, 0.0, 1.0))
    return found


def _numbered(copies: Copies, together: Codes, n: int) -> Codes:
    """(W,) number of each worker's group, in the order of their first workers; -1 for those in none."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    W, G = len(together), copies.n_groups
    first, second = np.flatnonzero(copies.group >= 0), np.flatnonzero(together >= 0)
    ends = np.concatenate([first, second]), np.concatenate([W + copies.group[first], W + G + together[second]])
    links = coo_array((np.ones(len(ends[0])), ends), shape=(W + G + n, W + G + n))
    _, component = connected_components(links, directed=False)
    named = np.union1d(first, second)
    _, at, code = np.unique(component[named], return_index=True, return_inverse=True)
    number = np.empty(len(at), np.int32)
    number[np.argsort(at, kind="stable")] = np.arange(len(at), dtype=np.int32)
    found = np.full(W, -1, np.int32)
    found[named] = number[code]
    return found
