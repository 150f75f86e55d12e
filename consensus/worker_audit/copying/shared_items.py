"""Pairs of workers by the items that they share, and how often two of them would agree by their agreement alone."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import even_slices, number_of_shards
from consensus.inputs.vocabulary import hashed
from consensus.kernels import copying_loops as kernels
from consensus.kernels import tallies, timeline_loops

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.found.copies import PeerAgreement
    from consensus.inputs.judgments import Judgments

    Codes = NDArray[np.int32]
    Offsets = NDArray[np.int64]
    Reals = NDArray[np.float64]

LEAST_SHARED = 5  # items that a pair must share to be tested at all
LEVEL = 0.001  # share of false alarms among the flagged pairs (Benjamini & Hochberg 1995)
MOST_COMPARED = 50_000_000  # pairs of judgments, or 5 a judgment if these are more; then items with many judgments go
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


@dataclass(frozen=True, slots=True, eq=False)
class ByWorker:
    """Judgments, and where those of each worker are."""

    judgments: Judgments
    worker_start: Offsets
    """(W+1,) judgments of worker w are ``judgment[worker_start[w]:worker_start[w + 1]]``."""
    judgment: Codes
    """(J,) codes of judgments."""
    told: Codes | Offsets
    """(J,) worker, label, and whether it is the last of its item, in one number: see ``kernels.copying.told``."""
    n_bits: int
    """Bits of the label in ``told``."""
    shards: tuple[slice, ...]
    """Of workers."""

    def made(self, part: slice) -> kernels.Made:
        """Those of a slice of workers, as the loops take them."""
        return kernels.Made(self.worker_start[part.start : part.stop + 1], self.judgment, self.told, self.n_bits)

    @classmethod
    def of(cls, judgments: Judgments) -> ByWorker:
        """Lay out ``judgments``."""
        n_bits = max(judgments.n_labels - 1, 1).bit_length()
        start = np.concatenate([np.zeros(1, np.int64), np.cumsum(judgments.per_worker)])
        judgment = np.empty(judgments.n_judgments, np.int32)
        timeline_loops.by_worker(judgments.worker, start[:-1].copy(), judgment)
        small = judgments.n_workers << (n_bits + 1) < 2**31
        told: Codes | Offsets = np.empty(len(judgment), np.int32) if small else np.empty(len(judgment), np.int64)
        kernels.told(judgments.item, judgments.worker, judgments.label, n_bits, told)
        return cls(judgments, start, judgment, told, n_bits, even_slices(start, number_of_shards(len(judgment))))


def judged(judgments: Judgments) -> kernels.Judged:
    """All ``judgments``, as the loops take them."""
    return kernels.Judged(judgments.item, judgments.item_start, judgments.worker, judgments.label)


def compared(judgments: Judgments) -> Judgments:
    """The judgments that are compared: those of items with two or more, by one person who judged the item once.

    An item that n people judged has n (n - 1) / 2 pairs of judgments: where that would be too many, the items with the
    fewest judgments are taken. Where items of a cluster err together, honest people do, too, as often as it has items:
    then one item of each cluster is compared, that with the most judgments; of several the first by a hash of the id.
    """
    judgments = _each_once(judgments)
    if judgments.anonymous:
        judgments = judgments.subset(judgments.is_person[judgments.worker])
    item, worker = judgments.item, judgments.worker
    again = (item[1:] == item[:-1]) & (worker[1:] == worker[:-1])
    if again.any():
        once = np.ones(len(item), np.bool_)
        once[1:] &= ~again
        once[:-1] &= ~again
        judgments = judgments.subset(once)
    n = judgments.per_item
    n_pairs, most = n * (n - 1) // 2, max(MOST_COMPARED, 5 * judgments.n_judgments)
    if n_pairs.sum() <= most:
        return judgments
    order = np.argsort(n_pairs, kind="stable")
    taken = np.zeros(len(n), np.bool_)
    taken[order[: np.searchsorted(np.cumsum(n_pairs[order]), most, "right")]] = True
    return judgments.subset(taken[judgments.item])


def _each_once(judgments: Judgments) -> Judgments:
    """The judgments of one item of each cluster, and of all items without one; whatever their weights."""
    cluster = judgments.cluster
    if cluster is None and judgments.weight is None:
        return judgments
    alone = replace(judgments, cluster=None, cluster_ids=None, weight=None)
    if cluster is None:
        return alone
    order = np.lexsort((hashed(judgments.item_ids), -judgments.per_item, cluster))
    first = np.ones(len(order), np.bool_)
    first[1:] = (cluster[order[1:]] != cluster[order[:-1]]) | (cluster[order[1:]] < 0)
    taken = np.zeros(len(order), np.bool_)
    taken[order[first]] = True
    return alone.subset(taken[judgments.item])


def least_shared(n_workers: int, n_labels: int) -> int:
    """Items that a pair must share: with fewer, not even agreement on all of them would be too much for chance.

    At a rate of 1 / K by chance, n agreements have the probability K^-n, which has to be below LEVEL / W.
    """
    chance = 1.0 / max(n_labels, 2)
    return max(LEAST_SHARED, math.ceil(math.log(LEVEL / n_workers) / math.log(chance)))


def pairs_sharing(by_worker: ByWorker, least: int, backend: Backend) -> Pairs:
    """All pairs of workers that share ``least`` items or more."""
    judgments = by_worker.judgments
    n = judgments.per_item
    most = int((n * (n - 1) // 2).sum()) // least

    def shard(part: slice) -> tuple[Codes, Codes, Codes, Codes]:
        b, shared, same = (np.empty(most, np.int32) for _ in range(3))  # memory is only taken for what is written
        pair_start = np.zeros(part.stop - part.start + 1, np.int64)
        kernels.shared_items(by_worker.made(part), judgments.n_workers, least, b, shared, same, pair_start)
        a = np.repeat(np.arange(part.start, part.stop, dtype=np.int32), np.diff(pair_start))
        found = slice(int(pair_start[-1]))
        return a, b[found].copy(), shared[found].copy(), same[found].copy()

    a, b, shared, same = (np.concatenate(part) for part in zip(*backend.map(shard, by_worker.shards), strict=True))
    return Pairs(a, b, shared.astype(np.int64), same.astype(np.int64))


def expected_by_agreement(pairs: Pairs, found: PeerAgreement) -> Reals:
    """(P,) agreements that are expected of a pair by how often each of the two agrees with everybody.

    One coin a worker: the kappa of two is s[a] s[b], and s[a] is known from the worker's mean kappa with all others,
    s[a] mean(s). In that mean a pair counts with HEAVIEST_PAIR items at most, so that a ring that judges the same items
    together, and so makes its own consensus there, is still held against everybody else. Chance agreement is that of
    the labels that each of the two gives.
    """
    judgments = found.judgments
    W, K = judgments.n_workers, judgments.n_labels
    agreeing, peers = found.agreeing.astype(np.float64), found.peers.astype(np.float64)
    by_all = W * K > MOST_CELLS  # then all are taken to give the same labels
    counts = np.zeros((1 if by_all else W, K))
    tallies.labels_of_workers(np.zeros_like(judgments.worker) if by_all else judgments.worker, judgments.label, counts)
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


def tail(pairs: Pairs, expected: Reals, spread: float) -> Reals:
    """(P,) P(as many agreements or more) at the expected rate, if every ``spread`` items are worth one."""
    from scipy.special import betainc

    same, shared = pairs.same / spread, pairs.shared / spread
    found: Reals = np.ones(len(same))
    above = np.flatnonzero(pairs.same > expected)  # nobody asks for the others
    rate = (expected / pairs.shared)[above]
    found[above] = betainc(same[above], shared[above] - same[above] + 1.0, rate)
    return found
