"""Groups of workers who say the same, where no pair shares enough items to give it away.

What the pairs of a group tell is added up: log likelihood ratios of "b repeats a but for a few slips" against "both are
independent". A group is grown from workers whose pairs tell most, by whoever adds most. It must tell more than one of
all groups of its size would by chance (the log of their number), and then stand a second test that the consensus has no
part in, since a ring may have made it. The members are held against each other and against the other workers on the
same items. What independent workers would agree on is the highest of five figures, for what honest workers have in
common:

- how often members agree with others, and others with each other, on these items: they are easy, or mislead everybody;
- a^2 / b, where these two are the agreements a and b beyond chance: members are better than others, or worse (one
  factor, Spearman 1904);
- chance, by the labels that the members give: they give one label nearly always;
- by a fit to the others alone, to which the members' confusions are fitted: they take the same labels for each other.

Nothing is said where too few others judged the items of the group: there, experts could look the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus import models
from consensus.config import FitConfig
from consensus.found.posterior import DensePosterior
from consensus.kernels import copying_loops, group_loops
from consensus.worker_audit.accuracy import peer_agreement
from consensus.worker_audit.copying.shared_items import ByWorker, expected_by_agreement, judged, pairs_sharing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.found.copies import PeerAgreement
    from consensus.inputs.judgments import Judgments
    from consensus.worker_audit.copying.shared_items import Codes, Offsets, Pairs, Reals

    Flags = NDArray[np.bool_]

MOST_COMPARED = 500_000  # pairs of judgments up to which one shared item is enough for a pair to count in the search
SLIPS = 0.15  # of the differences that are expected of two independent workers, those that two who copy have
LEAST_MEMBERS = 4
MOST_MEMBERS = 400
LEAST_EXCESS = 0.7  # of the differences that are expected of independent workers, those that a group lacks
SURE = 10.0  # nats that a group has beyond what one of all groups of its size has by chance
SURE_NEWCOMER = 2.0  # nats, beyond what one of all workers has by chance, that take in who the search did not
CORE = 0.5  # of what one of all workers has by chance, that a member has beside half of the others alone
SEEDS = 16  # workers that groups are grown from, and as many pairs
ROUNDS = 6  # of leaving out members who do not say the same, and taking in others who do
MOST_GROUPS = 5
MOST_CELLS = 30_000_000  # of all workers' confusions together; beyond, no group is looked for
MOST_PAIRS = 20_000_000  # of workers that share items
TOLERANCE = 1e-4  # nats a judgment: of the fit to the others
N_PASSES = 30  # of EM for the confusion of a member
STRENGTH = 4.0  # judgments a true label that the usual confusion is worth in it
ENOUGH = 2_000  # judgments of a member that it is fitted to


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Workers who say the same."""

    members: Codes
    """(m,) sorted."""
    expected: float
    """Rate at which two of them would give the same label, if they were independent."""
    same: float
    """Rate at which they do."""
    evidence: float
    """Nats beyond those that one of all groups of this size has by chance."""

    @property
    def excess(self) -> float:
        """Share of the expected differences that are missing; 1 where all say the same."""
        return (self.same - self.expected) / (1.0 - self.expected)


@dataclass(frozen=True, slots=True, eq=False)
class _Beside:
    """Every worker beside a group, on items that others judged, too."""

    items: Reals
    """(W,) those that members judged, other than the worker."""
    same: Reals
    """(W,) shares of these members who say the same, summed."""
    expected: Reals
    """(W,) what is expected of it by the fit to the workers outside."""
    echoes: float
    """Judgments of members that repeat one of another member's."""
    rate: float
    """At which independent workers like the members would agree; 1 where that can't be told."""
    chance: Reals
    """(W,) rate at which each would agree with the members by the labels alone that they give."""
    outside: group_loops.Outside


def least_shared(judgments: Judgments) -> int:
    """Items that a pair must share to count in the search: one, or two where there are very many pairs."""
    n = judgments.per_item
    return 1 if (n * (n - 1) // 2).sum() <= MOST_COMPARED else 2


def found_groups(judgments: Judgments, pairs: Pairs, peers: PeerAgreement, backend: Backend) -> list[Group]:
    """Find groups of workers who say the same beyond doubt, the one that tells most first.

    ``judgments`` are compared ones, with one judgment of an item by a worker; ``pairs`` are those that share
    ``least_shared`` items; ``peers`` tells how often workers agree with others, over the same judgments.
    """
    if judgments.n_workers * judgments.n_labels**2 > MOST_CELLS:
        return []
    least = least_shared(judgments)
    found: list[Group] = []
    left = judgments
    while len(found) < MOST_GROUPS and 0 < len(pairs) <= MOST_PAIRS:
        start = _search(pairs, expected_by_agreement(pairs, peers), left.n_workers)
        group = None if start is None else _tested(left, start, backend)
        if group is None:
            break
        found.append(group)
        is_named = np.zeros(left.n_workers, np.bool_)
        is_named[group.members] = True
        left = left.subset(~is_named[left.worker])
        pairs = pairs_sharing(ByWorker.of(left), least, backend)
        peers = peer_agreement.peer_agreement(left, backend)
    return found


def told(same: Reals | Offsets, shared: Reals | Offsets, expected: Reals) -> Reals:
    """Nats by which ``same`` agreements on ``shared`` items speak for copying, where a rate is ``expected``."""
    usual = np.clip(expected, 0.02, 0.999)
    alike, different = np.log((1.0 - SLIPS * (1.0 - usual)) / usual), math.log(SLIPS)
    return np.asarray(same * alike + (shared - same) * different, np.float64)


def _search(pairs: Pairs, expected: Reals, n_workers: int) -> Flags | None:
    """The workers (W,) of the group that tells most beyond what one of its size does by chance; None if none does."""
    usual = pairs.same.sum() / pairs.shared.sum()
    evidence = told(pairs.same, pairs.shared, np.maximum(expected / pairs.shared, usual))
    ends = np.concatenate([pairs.a, pairs.b]), np.concatenate([pairs.b, pairs.a])
    order = np.argsort(ends[0], kind="stable")
    start = np.zeros(n_workers + 1, np.int64)
    np.cumsum(np.bincount(ends[0], minlength=n_workers), out=start[1:])
    links = group_loops.Links(start, ends[1][order], np.tile(evidence, 2)[order])
    of_worker = np.bincount(ends[0], np.maximum(np.tile(evidence, 2), 0.0), n_workers)
    seeds = np.concatenate(
        [np.argsort(-of_worker, kind="stable")[:SEEDS], pairs.a[np.argsort(-evidence, kind="stable")[:SEEDS]]]
    )
    needed = _needed(n_workers, min(n_workers // 2, MOST_MEMBERS))
    member, gain, best, found = np.zeros(n_workers, np.bool_), np.empty(n_workers), 0.0, None
    for seed in dict.fromkeys(seeds.tolist()):
        enough = group_loops.grow(links, seed, needed, member, gain)
        if enough > best:
            best, found = enough, member.copy()
    return found


def _needed(n_workers: int, most: int) -> Reals:
    """(most+1,) nats that one of all groups of 0, 1, 2 ... workers has by chance; infinite for too small ones."""
    from scipy.special import gammaln

    size = np.arange(most + 1)
    found: Reals = gammaln(n_workers + 1) - gammaln(size + 1) - gammaln(n_workers - size + 1) + math.log(n_workers)
    found[:LEAST_MEMBERS] = np.inf
    return found


def _tested(judgments: Judgments, member: Flags, backend: Backend) -> Group | None:
    """The group about these workers, if its members say the same beyond doubt."""
    W = judgments.n_workers
    for _ in range(ROUNDS):
        beside = _beside(judgments, member, backend)
        if beside is None or beside.rate >= 1.0:
            return None
        rate = np.maximum(np.maximum(beside.rate, beside.chance), beside.expected / np.maximum(beside.items, 1.0))
        evidence = told(beside.same, beside.items, rate)
        alike = evidence >= math.log(W) + np.where(member, 0.0, SURE_NEWCOMER)
        alike &= beside.same - rate * beside.items >= LEAST_EXCESS * (1.0 - rate) * beside.items
        alike &= _beside_core(judgments, evidence, member, beside.outside, rate) >= CORE * math.log(W)
        if not LEAST_MEMBERS <= alike.sum() <= W // 2:
            return None
        if (alike == member).all():
            break
        member = alike
    else:
        return None
    items = beside.items[member].sum()
    expected = min(max(beside.rate, float(beside.expected[member].sum() / items)), 0.999)
    same = float(beside.same[member].sum() / items)
    n, p = np.array([beside.echoes]), np.array([expected])
    beyond = float(told(same * n, n, p)[0] - _needed(W, int(member.sum()))[-1])
    group = Group(np.flatnonzero(member).astype(np.int32), expected, same, beyond)
    return group if beyond >= SURE and group.excess >= LEAST_EXCESS else None


def _beside_core(
    judgments: Judgments, evidence: Reals, member: Flags, outside: group_loops.Outside, rate: Reals
) -> Reals:
    """(W,) nats that each worker has beside the half of the members who have most.

    Else a few honest workers, who agree with each other and share little with the others, could be joined to them.
    """
    members = np.flatnonzero(member)
    core = np.zeros(len(member), np.bool_)
    core[members[np.argsort(-evidence[members], kind="stable")[: (len(members) + 1) // 2]]] = True
    items, same, by_fit = np.zeros(len(member)), np.zeros(len(member)), np.zeros(len(member))
    group_loops.beside_group(judged(judgments), core, outside, items, same, by_fit)
    return told(same, items, rate)


def _beside(judgments: Judgments, member: Flags, backend: Backend) -> _Beside | None:
    """Hold every worker against a group; None where nobody else judged what it did."""
    W, K = judgments.n_workers, judgments.n_labels
    outside = _outside(judgments, member, backend)
    items, same, by_fit = np.zeros(W), np.zeros(W), np.zeros(W)
    if outside is None:
        return None
    echoes, across, across_same, apart, apart_same = group_loops.beside_group(
        judged(judgments), member, outside, items, same, by_fit
    )
    if not apart:
        return None
    labels = np.bincount(judgments.worker * np.int64(K) + judgments.label, minlength=W * K).reshape(W, K)
    usual = labels.sum(axis=0) / labels.sum()
    inside, beyond = (_shares(labels[chosen].sum(axis=0)) for chosen in (member, ~member))
    each = (labels + usual) / (labels.sum(axis=1, keepdims=True) + 1.0)
    a, spread_a = _beyond_chance(across_same, across, float(inside @ beyond))
    b, spread_b = _beyond_chance(apart_same, apart, float(beyond @ beyond))
    a, b = abs(a) + spread_a, b - spread_b  # both in favour of the members
    chance = float(inside @ inside)
    by_skill = 1.0 if b <= a * a else chance + (1.0 - chance) * a * a / b
    rate = max(across_same / across, apart_same / apart, chance, by_skill)
    return _Beside(items, same, by_fit, echoes, rate, each @ inside, outside)


def _beyond_chance(same: float, n: float, chance: float) -> tuple[float, float]:
    """Agreement beyond chance, 1 where all of n agree, and its standard deviation at most."""
    room = max(1.0 - chance, 1e-9)
    return (same / n - chance) / room, 0.5 / math.sqrt(n) / room


def _shares(counts: NDArray[np.int64]) -> Reals:
    found: Reals = counts / max(counts.sum(), 1)
    return found


def _outside(judgments: Judgments, member: Flags, backend: Backend) -> group_loops.Outside | None:
    """What a fit to the others says of the items that members judged, and how these judge if that is right.

    None if nobody else judged them, or if there are too many labels for such a fit.
    """
    is_member = member[judgments.worker]
    touched = np.zeros(judgments.n_items, np.bool_)
    touched[judgments.item[is_member]] = True
    others = judgments.subset(touched[judgments.item] & ~is_member)
    if not others.n_judgments:
        return None
    fitted = models.fit(others, FitConfig(model="dawid_skene", rho=0.0, tolerance=TOLERANCE), backend=backend)
    if not isinstance(fitted.beliefs, DensePosterior):
        return None
    z, C = fitted.posterior, fitted.confusions.dense()
    members = np.flatnonzero(member).astype(np.int32)
    by_worker = ByWorker.of(judgments)
    begin, end = by_worker.worker_start[members], by_worker.worker_start[members + 1]
    own_start = np.concatenate([np.zeros(1, np.int64), np.cumsum(end - begin)])
    own = np.concatenate([by_worker.judgment[first:last] for first, last in zip(begin, end, strict=True)])
    nobody = np.zeros(len(members) + 1, np.int64), np.zeros(0, np.int32)
    suspects = copying_loops.Suspects(members, own_start, own, *nobody)
    known = copying_loops.Fitted(C, z, np.ones(len(z)))
    C_own = np.empty((len(members), *C.shape[1:]))
    copying_loops.own_confusions(suspects, judged(judgments), known, STRENGTH, N_PASSES, ENOUGH, C_own)
    C[members] = C_own
    return group_loops.Outside(z, C)
