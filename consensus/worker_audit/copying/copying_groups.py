"""Workers who copy: pairs that give the same label far more often than two independent people with their confusions.

For an item that both judged, P(both give the same label) = sum_k z[k] sum_l C_a[k, l] C_b[k, l], where z is the
posterior of the item without what the two said. The sum over their shared items is what is expected. The test is
one-sided: the binomial tail at the mean rate, which is never below the tail of the sum of unequal chances that it
stands for (Hoeffding 1956) where more agree than are expected. Benjamini & Hochberg (1995) over all pairs tested.

Three things keep honest pairs from being flagged for working on the same hard items: the surplus of the median worker
is expected of all, tails are widened by the spread of the pairs nothing speaks against (as in genomic control, Devlin &
Roeder 1999), and a pair must agree on LEAST_EXCESS of the items on which it is expected to differ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.found.copies import Copies
from consensus.found.posterior import DensePosterior
from consensus.kernels import copying_loops as kernels
from consensus.worker_audit.accuracy import peer_agreement
from consensus.worker_audit.copying import group_scan, shared_items
from consensus.worker_audit.copying.followers import against_groups
from consensus.worker_audit.copying.joined_groups import joined
from consensus.worker_audit.copying.shared_items import LEVEL, ByWorker, Pairs, bounded, judged, tail
from consensus.worker_audit.copying.suspects import expected_of_suspects

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.found.copies import PeerAgreement
    from consensus.found.result import Consensus
    from consensus.inputs.judgments import Judgments
    from consensus.worker_audit.copying.shared_items import Reals

LEAST_EXCESS = 0.6  # of the items on which a pair is expected to differ, those on which it agrees all the same
SUSPICIOUS = 0.01  # p-value below which a pair is looked at again, without what its like said ...
CHANCE_SUSPECTS = 20  # ... or lower, so that no more honest pairs than these are expected to be looked at
MOST_SUSPICIOUS = 5_000  # pairs that are looked at again, those with the lowest p-values
N_ROUNDS = 2  # of looking again: who is suspicious next to whom changes
CALIBRATING = 5_000  # pairs that tell how far honest pairs spread, about; in smaller data, all are worth a look
LEAST_CALIBRATING = 20
LEAST_DEVIATION = 2.0  # standard deviations above what agreement with others lets expect, to be worth a look
SAMPLED = 200_000  # pairs of judgments that tell the surplus of the median worker, about
MOST_CELLS = 30_000_000  # of all workers' confusions together; beyond, only how often workers agree counts


@dataclass(frozen=True, slots=True, eq=False)
class _Test:
    """How pairs were tested."""

    expected: Reals
    """(P,) agreements that are expected of each pair."""
    p: Reals
    """(P,) chance of as many agreements or more."""
    surplus: float
    """Agreements a shared item of which the fit knows nothing, of the median worker."""
    spread: float
    """How many times the variance of honest pairs is that of independent ones."""
    fitted: kernels.Fitted | None = None
    """C (W, K, K), posterior (I, K) and the power (I,) it was raised to; None where only agreement counts."""


def groups(result: Consensus) -> Copies:
    """Groups of workers who copy, and the pairs that give them away: as found with the fit, else looked for now."""
    return result.copies or found_copies(result)


def found_copies(result: Consensus) -> Copies:
    """Look for workers who copy: for pairs that give themselves away, and for groups that only many pairs do."""
    judgments, backend = shared_items.compared(result.judgments), result.backend
    W = judgments.n_workers
    if not judgments.n_judgments:
        return Copies.none(W)
    by_worker = ByWorker.of(judgments)
    pairs = shared_items.pairs_sharing(by_worker, group_scan.least_shared(judgments), backend)
    if not len(pairs):
        return Copies.none(W)
    peers = peer_agreement.peer_agreement(judgments, backend)
    copies = _by_pairs(result, by_worker, pairs, peers)
    copies = joined(copies, group_scan.found_groups(judgments, pairs, peers, backend), pairs)
    return replace(copies, peers=peers) if judgments is result.judgments else copies


def _by_pairs(result: Consensus, by_worker: ByWorker, pairs: Pairs, peers: PeerAgreement) -> Copies:
    """The pairs that share enough to give themselves away and do, and the groups that they form."""
    judgments = by_worker.judgments
    W = judgments.n_workers
    pairs = pairs.take(np.flatnonzero(pairs.shared >= shared_items.least_shared(W, judgments.n_labels)))
    if not len(pairs):
        return Copies.none(W)
    by_agreement = shared_items.expected_by_agreement(pairs, peers)
    chosen = _worth_a_look(pairs, by_agreement)
    looked_at = pairs.take(chosen)
    test = _tested(result, by_worker, looked_at, by_agreement[chosen], len(pairs))
    q = _false_share(test.p, len(pairs))
    flagged = (q <= LEVEL) & (_excess(looked_at, test.expected) >= LEAST_EXCESS)
    copies = _grouped(looked_at, test, q, flagged, W, len(pairs))
    following = _following(result, judgments, looked_at, test, copies)
    if following.any():
        copies = _grouped(looked_at, test, q, flagged | following, W, len(pairs))
    return copies


def _worth_a_look(pairs: Pairs, by_agreement: Reals) -> NDArray[np.intp]:
    """Positions of the pairs that agree more than they do with others, and some workers' to calibrate on."""
    surplus = pairs.same - by_agreement
    high = surplus > LEAST_DEVIATION * np.sqrt(by_agreement * (1.0 - by_agreement / pairs.shared))
    high &= surplus > 0.5 * LEAST_EXCESS * (pairs.shared - by_agreement)
    return np.flatnonzero(high | (pairs.a % (len(pairs) // CALIBRATING + 1) == 0))


def _tested(result: Consensus, by_worker: ByWorker, pairs: Pairs, by_agreement: Reals, n_tested: int) -> _Test:
    """Test every pair."""
    judgments = by_worker.judgments
    K = judgments.n_labels
    if not isinstance(result.beliefs, DensePosterior) or judgments.n_workers * K * K > MOST_CELLS:
        spread = _spread(pairs, by_agreement, np.ones(len(pairs), np.bool_))
        return _Test(by_agreement, tail(pairs, by_agreement, spread), 0.0, spread)
    power = result.tempering.power(result.judgments.per_item, slice(None))
    fitted = kernels.Fitted(result.confusions.dense(), result.posterior, power)
    by_fit = _expected(by_worker, pairs, fitted, result.backend)
    expected = bounded(by_fit, pairs.shared)
    suspicious = _is_suspicious(pairs, expected, tail(pairs, expected, 1.0), n_tested)
    suspicious |= _is_suspicious(pairs, by_agreement, tail(pairs, by_agreement, 1.0), n_tested)
    is_suspect = np.zeros(judgments.n_workers, np.bool_)
    is_suspect[pairs.a[suspicious]] = is_suspect[pairs.b[suspicious]] = True
    surplus = _usual_surplus(judgments, fitted, is_suspect)
    expected = bounded(by_fit + surplus * pairs.shared, pairs.shared)
    spread = _spread(pairs, expected, ~(is_suspect[pairs.a] | is_suspect[pairs.b]))
    p = tail(pairs, expected, spread)
    for _ in range(N_ROUNDS):
        if not suspicious.any():
            break
        again = np.flatnonzero(suspicious)
        again = again[np.argsort(p[again], kind="stable")[:MOST_SUSPICIOUS]]
        changed, anew = expected_of_suspects(result, by_worker, fitted, pairs, again)
        shared = pairs.shared[changed]
        expected[changed] = bounded(anew + surplus * shared, shared)
        p = tail(pairs, expected, spread)
        suspicious = _is_suspicious(pairs, expected, p, n_tested)
    return _Test(expected, p, surplus, spread, fitted)


def _expected(by_worker: ByWorker, pairs: Pairs, fitted: kernels.Fitted, backend: Backend) -> Reals:
    """Agreements that are expected of each pair by the fit, with the judgments of the two taken out of it (P,)."""
    judgments = by_worker.judgments
    start = np.searchsorted(pairs.a, np.arange(judgments.n_workers + 1)).astype(np.int64)
    expected = np.empty(len(pairs))

    def shard(part: slice) -> None:
        starts = start[part.start : part.stop + 1]
        made = by_worker.made(part)
        kernels.expected_same(part.start, made, judgments.item, starts, pairs.b, fitted, expected)

    backend.map(shard, by_worker.shards)
    return expected


def _usual_surplus(judgments: Judgments, fitted: kernels.Fitted, is_suspect: NDArray[np.bool_]) -> float:
    """Agreements above the expected ones, per shared item, of the median worker, weighted by shared items; 0 or more.

    Among workers who are no suspects: where a ring has made the consensus, honest people look worse than they are. Easy
    items make honest people agree more often, and hard ones less, than the same accuracy everywhere would.
    """
    n = judgments.per_item
    items = np.flatnonzero(n >= 2).astype(np.int32)
    some = items[:: int((n * (n - 1) // 2).sum()) // SAMPLED + 1]
    excess, shared = np.zeros(judgments.n_workers), np.zeros(judgments.n_workers, np.int64)
    of_some = fitted._replace(posterior=fitted.posterior[some], power=fitted.power[some])
    kernels.excess_of_workers(some, judged(judgments), of_some, is_suspect, excess, shared)
    known = np.flatnonzero(shared)
    if not len(known):
        return 0.0
    rate = excess[known] / shared[known]
    order = np.argsort(rate, kind="stable")
    below = np.cumsum(shared[known][order])
    return max(0.0, float(rate[order][np.searchsorted(below, below[-1] / 2)]))


def _spread(pairs: Pairs, expected: Reals, clean: NDArray[np.bool_]) -> float:
    """How many times the variance of honest pairs is that of independent ones; 1 or more.

    The mean square of those ``clean`` pairs that agree less often than expected: copies are on the other side.
    """
    deviation = (pairs.same - expected) / np.sqrt(expected * (1.0 - expected / pairs.shared))
    low = deviation[(deviation < 0) & clean]
    if len(low) < LEAST_CALIBRATING:
        return 1.0
    return max(1.0, float(np.mean(low**2)))


def _excess(pairs: Pairs, expected: Reals) -> Reals:
    """(P,) agreements above the expected ones, as a share of the differences that are expected."""
    found: Reals = (pairs.same - expected) / (pairs.shared - expected)
    return found


def _is_suspicious(pairs: Pairs, expected: Reals, p: Reals, n_tested: int) -> NDArray[np.bool_]:
    return (p < min(SUSPICIOUS, CHANCE_SUSPECTS / n_tested)) & (_excess(pairs, expected) > LEAST_EXCESS)


def _following(result: Consensus, judgments: Judgments, pairs: Pairs, test: _Test, copies: Copies) -> NDArray[np.bool_]:
    """(P,) suspicious pairs of a member of a group and a worker outside who agrees too often with the whole group."""
    group_a, group_b = copies.group[pairs.a], copies.group[pairs.b]
    likely = (test.p <= SUSPICIOUS) & (_excess(pairs, test.expected) >= LEAST_EXCESS)
    found = likely & ((group_a < 0) != (group_b < 0))
    if test.fitted is None or not found.any():
        return np.zeros(len(pairs), np.bool_)
    candidate = list(
        zip(np.where(group_a < 0, pairs.a, pairs.b).tolist(), np.maximum(group_a, group_b).tolist(), strict=True)
    )
    candidates = sorted({candidate[n] for n in np.flatnonzero(found)})
    held, expected, n_outside = against_groups(result, judgments, test.fitted, copies, candidates)
    expected = bounded(expected + test.surplus * held.shared, held.shared)
    follows = tail(held, expected, test.spread) * n_outside <= LEVEL
    follows &= _excess(held, expected) >= LEAST_EXCESS
    known = zip(held.a[follows].tolist(), (held.b[follows] - judgments.n_workers).tolist(), strict=True)
    followers = set(known)
    follower: NDArray[np.bool_] = found & np.array([one in followers for one in candidate], np.bool_)
    return follower


def _false_share(p: Reals, n_tested: int) -> Reals:
    """q-values (P,) of Benjamini & Hochberg, where ``n_tested`` - P more have a p-value of 1."""
    order = np.argsort(p, kind="stable")
    q = np.empty(len(p))
    q[order] = np.minimum.accumulate((p[order] * n_tested / np.arange(1, len(p) + 1))[::-1])[::-1]
    return np.minimum(q, 1.0)


def _grouped(pairs: Pairs, test: _Test, q: Reals, flagged: NDArray[np.bool_], n_workers: int, n_tested: int) -> Copies:
    """The groups that the flagged pairs connect."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    chosen = np.flatnonzero(flagged)
    if not len(chosen):
        return Copies.none(n_workers, n_tested)
    members = np.union1d(pairs.a[chosen], pairs.b[chosen])
    ends = np.searchsorted(members, pairs.a[chosen]), np.searchsorted(members, pairs.b[chosen])
    links = coo_array((np.ones(len(chosen)), ends), shape=(len(members), len(members)))
    n_groups, code = connected_components(links, directed=False)
    _, first = np.unique(code, return_index=True)
    number = np.empty(n_groups, np.int32)
    number[np.argsort(first, kind="stable")] = np.arange(n_groups, dtype=np.int32)
    group = np.full(n_workers, -1, np.int32)
    group[members] = number[code]
    inside = (group[pairs.a] >= 0) & (group[pairs.a] == group[pairs.b])
    of_pair = group[pairs.a[inside]]
    surplus = np.bincount(of_pair, weights=(pairs.same - test.expected)[inside], minlength=n_groups)
    room = np.bincount(of_pair, weights=(pairs.shared - test.expected)[inside], minlength=n_groups)
    size = np.bincount(number[code], minlength=n_groups)
    by_group = chosen[np.argsort(group[pairs.a[chosen]], kind="stable")]
    kept = pairs.take(by_group)
    return Copies(
        worker_a=kept.a,
        worker_b=kept.b,
        n_shared=kept.shared,
        n_same=kept.same,
        expected_same=test.expected[by_group],
        p_value=test.p[by_group],
        q_value=q[by_group],
        group=group,
        n_effective=size / (1.0 + (size - 1) * np.clip(surplus / room, 0.0, 1.0)),
        sure=np.zeros(n_groups, np.bool_),
        n_tested=n_tested,
    )
