"""Pairs of workers by the items that they share, and how often two of them would agree by their agreement alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import even_slices, number_of_shards
from consensus.kernels import copying as kernels
from consensus.kernels import tallies

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.judgments import Judgments

    Codes = NDArray[np.int32]
    Offsets = NDArray[np.int64]
    Reals = NDArray[np.float64]

LEAST_SHARED = 5  # items that a pair must share to be tested at all
LEVEL = 0.001  # share of false alarms among the flagged pairs (Benjamini & Hochberg 1995)
MOST_COMPARED = 50_000_000  # pairs of judgments, or 5 a judgment if these are more; then items with many judgments go
A_SHARD = 2_500_000  # pairs of judgments that one shard takes on
MOST_SHARDS = 8  # every one goes over all judgments
HEAVIEST_PAIR = 2  # items that count of a pair, however many it shares, in the agreement of a worker
PRIOR_PEERS = 2.0  # judgments by others, at the usual agreement, that every worker is credited with
MOST_CELLS = 20_000_000  # of a table of workers and labels


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """P pairs of workers that share items, sorted."""

    a: Codes
    b: Codes
    """(P,) codes; the second is higher."""
    shared: Offsets
    """(P,) items that both judged."""
    same: Offsets
    """(P,) those to which both gave the same label."""

    def take(self, chosen: NDArray[np.intp]) -> Pairs:
        """Some of the pairs."""
        return Pairs(self.a[chosen], self.b[chosen], self.shared[chosen], self.same[chosen])

    def __len__(self) -> int:
        return len(self.a)


def one_a_worker(judgments: Judgments) -> Judgments:
    """Without the items that a worker judged twice, as far as that worker is concerned."""
    item, worker = judgments.item, judgments.worker
    again = (item[1:] == item[:-1]) & (worker[1:] == worker[:-1])
    if not again.any():
        return judgments
    once = np.ones(len(item), np.bool_)
    once[1:] &= ~again
    once[:-1] &= ~again
    return judgments.subset(once)


def compared_items(judgments: Judgments) -> tuple[Codes, int]:
    """Items with two judgments or more, and how many pairs of judgments there are on them.

    An item that n people judged has n (n - 1) / 2 of them: where that would be too much, those with the fewest
    judgments are taken.
    """
    n = judgments.per_item
    items = np.flatnonzero(n >= 2).astype(np.int32)
    n_pairs = n[items] * (n[items] - 1) // 2
    most = max(MOST_COMPARED, 5 * judgments.n_judgments)
    if n_pairs.sum() > most:
        order = np.argsort(n_pairs, kind="stable")
        items = np.sort(items[order[: np.searchsorted(np.cumsum(n_pairs[order]), most, "right")]])
    return items, int((n[items] * (n[items] - 1) // 2).sum())


def least_shared(n_workers: int, n_labels: int) -> int:
    """Items that a pair must share: with fewer, not even agreement on all of them would be too much for chance.

    At a rate of 1 / K by chance, n agreements have the probability K^-n, which has to be below LEVEL / W.
    """
    chance = 1.0 / max(n_labels, 2)
    return max(LEAST_SHARED, math.ceil(math.log(LEVEL / n_workers) / math.log(chance)))


def pairs_sharing(judgments: Judgments, items: Codes, n_compared: int, least: int, backend: Backend) -> Pairs:
    """All pairs of workers that share ``least`` of ``items`` or more.

    Two passes over all pairs of judgments: the first counts them roughly, in a table that fits into the cache, so that
    the second need only write down and sort those of pairs that may occur often enough.
    """
    W = judgments.n_workers
    shards = even_slices(_starts(judgments.per_worker), min(n_compared // A_SHARD + 1, MOST_SHARDS))
    n_cells = 1 << max(10, math.ceil(math.log2(n_compared / len(shards) + 1)))

    def shard(part: slice) -> tuple[Offsets, Offsets, Offsets]:
        counts = np.zeros(n_cells, np.uint8)
        kernels.count_pairs(items, judgments.item_start, judgments.worker, W, part.start, part.stop, counts)
        key = np.empty(n_compared, np.int64)  # memory is only taken for what is written
        sizes = np.array([W, part.start, part.stop], np.int64)
        n_keys = kernels.keys_of_pairs(
            items, judgments.item_start, judgments.worker, judgments.label, sizes, counts, min(least, 255), key
        )
        key = key[:n_keys]
        key.sort()
        pair, shared, same = np.empty((3, n_keys // least), np.int64)
        n = tallies.frequent_pairs(key, least, pair, shared, same)
        return pair[:n].copy(), shared[:n].copy(), same[:n].copy()

    found = backend.map(shard, shards)
    pair, shared, same = (np.concatenate([one[n] for one in found]) for n in range(3))
    a, b = (codes.astype(np.int32) for codes in np.divmod(pair, W))
    return Pairs(a, b, shared, same)


def expected_by_agreement(judgments: Judgments, pairs: Pairs, backend: Backend) -> Reals:
    """(P,) agreements that are expected of a pair by how often each of the two agrees with everybody.

    One coin a worker: the kappa of two is s[a] s[b], and s[a] is known from the worker's mean kappa with all others,
    s[a] mean(s). In that mean a pair counts with HEAVIEST_PAIR items at most, so that a ring that judges the same items
    together, and so makes its own consensus there, is still held against everybody else. Chance agreement is that of
    the labels that each of the two gives.
    """
    W, K = judgments.n_workers, judgments.n_labels
    shards = even_slices(judgments.item_start, number_of_shards(judgments.n_judgments, W))

    def shard(part: slice) -> Offsets:
        found = np.zeros((3, W), np.int64)
        starts = judgments.item_start[part.start : part.stop + 1]
        tallies.peer_agreement(starts, judgments.worker, judgments.label, K, *found)
        return found

    agreeing, peers, _ = np.sum(backend.map(shard, shards), axis=0).astype(np.float64)
    counts = np.zeros((W, K) if W * K <= MOST_CELLS else (1, K))
    tallies.labels_of_workers(judgments.worker if len(counts) == W else np.zeros_like(judgments.worker), judgments.label, counts)
    usual = counts.sum(axis=0) / counts.sum()
    q = counts + usual
    q /= q.sum(axis=1, keepdims=True)
    q = np.broadcast_to(q, (W, K))

    surplus = np.maximum(pairs.shared - HEAVIEST_PAIR, 0)
    for side in (pairs.a, pairs.b):
        peers -= np.bincount(side, weights=surplus, minlength=W)
        agreeing -= np.bincount(side, weights=surplus * (pairs.same / pairs.shared), minlength=W)
    chance = np.minimum(q @ usual, 1.0 - 1e-9)
    by_chance = min(float(usual @ usual), 1.0 - 1e-9)
    kappa_all = max((agreeing.sum() / peers.sum() - by_chance) / (1.0 - by_chance), 0.05)
    agreement = (agreeing + PRIOR_PEERS * (chance + (1.0 - chance) * kappa_all)) / (peers + PRIOR_PEERS)
    kappa = (agreement - chance) / (1.0 - chance)
    c = np.einsum("pk,pk->p", q[pairs.a], q[pairs.b])
    both = np.clip(kappa[pairs.a] * kappa[pairs.b] / kappa_all, 0.0, 1.0)
    return bounded(pairs.shared * (c + (1.0 - c) * both), pairs.shared)


def bounded(expected: Reals, shared: Offsets) -> Reals:
    """Expected agreements (P,), at least a millionth and at most .999 of the ``shared`` items (P,)."""
    found: Reals = np.clip(expected, 1e-6 * shared, 0.999 * shared)
    return found


def _starts(sizes: Offsets) -> Offsets:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
