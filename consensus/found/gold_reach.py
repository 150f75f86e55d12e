"""What gold can speak for: items by workers whom it has checked, in parts of the data that it has met.

Gold that lies in one part of the data says nothing of the others: a team that reads the scale the other way round
agrees with itself. Whether gold speaks for an item is decided without any fit:

1. Parts. A part is a component of the graph of workers and items, or a group of items that the user named. Of N items
   with G gold ones, a part of N_c has G_c. It is met if G_c > 0; but not if that is too little to stand for it, with
   r = G / N: G_c < min(10, r N_c / 2), and P(Bin(N_c, r) <= G_c) < .01 over the number of parts. Parts without gold
   count as met where gold lies as if it had been drawn from all items at random: five parts or more have some, and
   at least 5 % of random draws leave as many items in parts without. One random sample speaks for all of them.
2. Workers. With g_w of n_w judgments on gold, and r the share of all judgments that are on gold, a worker in a part
   that is met is checked if g_w > 0; but not if that is too little, as above: g_w < min(10, r n_w / 2) and
   P(Bin(n_w, r) <= g_w) < .01. Others in parts with gold count as reached, unless they have too little, where gold
   touches workers (all but those) as if it had been drawn at random from the I items of such parts. With s = G / I and
   p_w = (1 - s)^n_w, these draws leave U = sum_w n_w p_w judgments by workers without gold in the mean, with variance
   I s / (1 - s) Var_i(sum of n_w p_w over who judged i) + sum_w n_w^2 p_w (1 - p_w - p_w n_w s / (1 - s)): what the
   items take off, and what is left of whether a worker is met. It is as if drawn up to U + 1.64 sd.
3. Workers who are vouched for, in rounds. Those not reached yet fall into blocks that share items among themselves. On
   the items i that a block shares with reached workers, d_i is the share of pairs of the two that agree, less what the
   reached ones agree among themselves: the mean over those who judged i of e_w = (m_w a_w + 5 a) / (m_w + 5), with a_w
   the share of agreement with other reached workers on m_w items, and a that of all. Those of the block who share an
   item are reached if it shares n >= 10 items and mean d - 1.64 se > -.1, with
   se^2 = (sum (d - mean d)^2 + 5 a (1 - a)) / ((n + 5) n): if a one-sided 95 % interval leaves no room for agreement
   that is lower by .1. So one worker who judges for two teams counts as far as both agree with them.
4. Items. An item is within reach if at least half of its judgments are by reached workers, in a part that is met.

Where one of two equally good teams misreads a quarter of the items, the agreement of two people falls by .16 (two
labels, 90 % right); .1 lies between that and none, and lets a block of equals pass from about 30 shared items on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from consensus.found.units import ONE_EACH
from consensus.kernels import order, reach_loops, tallies

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.inputs.gold import AlignedGold
    from consensus.inputs.judgments import Judgments
    from consensus.inputs.model_votes import AlignedVotes

    Codes = NDArray[np.int32]
    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.int64]
    Reals = NDArray[np.float64]

TOO_FEW = 0.5  # of the gold that is to be expected, below which it may be too little ...
BY_CHANCE = 0.01  # ... if so little has a smaller probability than this
ENOUGH = 10  # judgments on gold that are enough for any worker
LEAST_PARTS = 5  # with gold, from which it can have been drawn from all at random
AS_RANDOM = 0.05  # share of random draws that leave as much without gold
MOST_DRAWS, LEAST_DRAWS, CELLS = 199, 19, 10_000_000
LEAST_SHARED = 10  # items
MARGIN = 0.1
Z_95 = 1.6448536269514722  # one-sided
PSEUDO_ITEMS = 5.0
MOST_ROUNDS = 10


class Judged(NamedTuple):
    """Judgments as arrays, sorted by item and worker; or votes of models."""

    item_start: Numbers
    """(I+1,)"""
    worker: Codes
    """(J,)"""
    label: Codes
    """(J,)"""
    n_workers: int
    n_labels: int

    @property
    def per_item(self) -> Numbers:
        """(I,) judgments of each item."""
        return np.diff(self.item_start)

    def by(self, some: Flags) -> Judged:
        """The judgments of ``some`` workers (W,)."""
        kept = some[self.worker]
        start = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept, dtype=np.int64)])[self.item_start]
        return Judged(start, self.worker[kept], self.label[kept], self.n_workers, self.n_labels)

    def joined(self) -> Codes:
        """(W,) a worker of the component that each worker is in."""
        found = np.arange(self.n_workers, dtype=np.int32)
        tallies.join_workers(self.item_start, self.worker, found)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """What gold speaks for."""

    checked: Flags
    """(W,) workers whom gold has checked."""
    workers: Flags
    """(W,) these, and those who are vouched for."""
    by_workers: Flags
    """(I,) items of which such workers gave at least half of the judgments; and those without any."""
    in_groups: Flags
    """(I,) items in groups that gold has met; all, where there are no groups."""

    @property
    def items(self) -> Flags:
        """(I,) items that gold speaks for."""
        return self.by_workers & self.in_groups


def of(judgments: Judgments, gold: AlignedGold, votes: AlignedVotes | None, group: Codes | None = None) -> Reach | None:
    """What ``gold`` reaches; None if none of it was judged. Items that models alone judged are reached through these.

    ``group`` (I,) holds the batch, topic or other group of each item, if the user named such a column.
    """
    given = judgments.per_item if votes is None else judgments.per_item + votes.per_item
    if not given[gold.items].any():
        return None
    W, K = judgments.n_workers, judgments.n_labels
    found = reached(Judged(judgments.item_start, judgments.worker, judgments.label, W, K), gold.items, group)
    if votes is None:
        return found
    voted = reached(Judged(votes.start, votes.model, votes.label, votes.n_models, K), gold.items)
    by_models = (judgments.per_item == 0) & (votes.per_item > 0)
    return Reach(found.checked, found.workers, np.where(by_models, voted.by_workers, found.by_workers), found.in_groups)


def reached(judged: Judged, gold: Codes, group: Codes | None = None) -> Reach:
    """What the ``gold`` items (G,), codes, speak for; ``group`` (I,) as codes from 0 on."""
    per_item, n_items = judged.per_item, len(judged.item_start) - 1
    is_gold = np.zeros(n_items, np.bool_)
    is_gold[gold] = per_item[gold] > 0
    everywhere = np.ones(n_items, np.bool_)
    in_groups = everywhere if group is None else met(group, is_gold)[group]
    if not is_gold.any():
        nobody = np.zeros(judged.n_workers, np.bool_)
        return Reach(nobody, nobody, per_item == 0, in_groups)
    checked, workers = _reached_at_once(judged, is_gold)
    if workers.all():
        return Reach(checked, workers, everywhere, in_groups)
    for _ in range(MOST_ROUNDS):
        more = _vouched_for(judged, workers)
        if not more.any():
            break
        workers = workers | more
    n_reached = np.diff(judged.by(workers).item_start)
    return Reach(checked, workers, 2 * n_reached >= per_item, in_groups)


def met(part: Codes, is_gold: Flags) -> Flags:
    """(P,) which parts gold has met, given the ``part`` of each of some items (n,) and which of them are gold."""
    size = np.bincount(part)
    n_gold = np.bincount(part[is_gold], minlength=len(size))
    thin = _too_few(n_gold, size, n_gold.sum() / size.sum(), BY_CHANCE / np.count_nonzero(size))
    with_gold = n_gold > 0
    return ~thin & (with_gold | (with_gold.sum() >= LEAST_PARTS and is_as_if_drawn(size, n_gold)))


def is_as_if_drawn(size: Numbers, n_gold: Numbers) -> bool:
    """Whether ``n_gold`` (P,) of ``size`` (P,) items may have been drawn at random, by how many lie in parts without.

    At least 5 % of random draws leave as many items in parts without gold as there are.
    """
    without = int(size[n_gold == 0].sum())
    if not without:
        return True
    sizes = np.sort(size[size > 0])  # in one order, whatever the parts are called
    rng = np.random.default_rng(0)
    n_draws = int(np.clip(CELLS // len(sizes), LEAST_DRAWS, MOST_DRAWS))
    total = int(n_gold.sum())
    draws = (rng.multivariate_hypergeometric(sizes, total, method="marginals") for _ in range(n_draws))
    as_many = sum(int(sizes[drawn == 0].sum()) >= without for drawn in draws)
    return (as_many + 1) / (n_draws + 1) >= AS_RANDOM


def _reached_at_once(judged: Judged, is_gold: Flags) -> tuple[Flags, Flags]:
    """(W,) who is checked; and (W,) these, and all in a component that counts as met without gold."""
    component = judged.joined()
    own = np.flatnonzero(judged.per_item)
    of_item = component[judged.worker[judged.item_start[own]]]
    is_met = np.append(met(of_item, is_gold[own]), np.zeros(judged.n_workers, np.bool_))[component]
    has_gold = np.zeros(judged.n_workers, np.bool_)
    has_gold[of_item[is_gold[own]]] = True
    n = np.zeros(judged.n_workers, np.int64)
    order.tally(judged.worker, n)
    n_gold = np.bincount(judged.worker[np.repeat(is_gold, judged.per_item)], minlength=judged.n_workers)
    too_few = _too_few(n_gold, n, n_gold.sum() / n.sum(), BY_CHANCE)
    checked = (n_gold > 0) & ~too_few & is_met
    known = has_gold[component]
    found = checked | (is_met & ~known) | (n == 0)  # who only abstained: nothing rests on them
    asked = np.where(known & ~too_few, n, 0)
    if not found.all() and _touches_as_if_drawn(judged, asked, n_gold, own[has_gold[of_item]], is_gold):
        found |= is_met & ~too_few
    return checked, found


def _touches_as_if_drawn(judged: Judged, n: Numbers, n_gold: Numbers, items: Numbers, is_gold: Flags) -> bool:
    """Whether gold touches workers as random draws from ``items`` would; ``n`` (W,) judgments of those in question."""
    share = float(is_gold[items].mean())
    p = (1.0 - share) ** n
    taken_off = np.add.reduceat((n * p)[judged.worker], judged.item_start[:-1][judged.per_item > 0])
    at = (np.cumsum(judged.per_item > 0) - 1)[items]
    odds = share / (1.0 - share) if share < 1.0 else 0.0
    variance = odds * len(items) * taken_off[at].var() + (n**2 * p * (1.0 - p - p * n * odds)).sum()
    return bool(n[n_gold == 0].sum() <= (n * p).sum() + Z_95 * np.sqrt(max(variance, 0.0)))


def _too_few(n_gold: Numbers, n: Numbers, rate: float, by_chance: float) -> Flags:
    """(P,) where ``n_gold`` of ``n`` (P,) are far fewer than one would draw at ``rate``."""
    from scipy.special import bdtr

    few = n_gold < np.minimum(TOO_FEW * rate * n, ENOUGH)
    return np.asarray(few & (bdtr(n_gold.astype(np.float64), n, rate) < by_chance), np.bool_)


def _vouched_for(judged: Judged, workers: Flags) -> Flags:
    """(W,) who agrees with the reached ``workers`` (W,) as these agree among themselves."""
    W = judged.n_workers
    theirs, others = judged.by(workers), judged.by(~workers)
    n_agreeing, n_peers, n_items = (np.zeros(W, np.int64) for _ in range(3))
    tallies.peer_agreement(
        theirs.item_start, theirs.worker, theirs.label, judged.n_labels, ONE_EACH, n_agreeing, n_peers, n_items
    )
    nobody = np.zeros(W, np.bool_)
    if not n_peers.any():
        return nobody
    usual = n_agreeing.sum() / n_peers.sum()
    share = np.divide(n_agreeing, n_peers, out=np.full(W, usual), where=n_peers > 0)
    expected = (n_items * share + PSEUDO_ITEMS * usual) / (n_items + PSEUDO_ITEMS)
    surplus, other = np.empty(len(judged.per_item)), np.empty(len(judged.per_item), np.int32)
    reach_loops.side_by_side(
        judged.item_start, judged.worker, judged.label, workers, expected, judged.n_labels, surplus, other
    )
    block, both = others.joined(), other >= 0
    of_item, d = block[other[both]], surplus[both]
    n = np.bincount(of_item, minlength=W)
    mean = np.bincount(of_item, d, minlength=W) / np.maximum(n, 1)
    squares = np.bincount(of_item, (d - mean[of_item]) ** 2, minlength=W) + PSEUDO_ITEMS * usual * (1.0 - usual)
    low = mean - Z_95 * np.sqrt(squares / ((n + PSEUDO_ITEMS) * np.maximum(n, 1)))
    agrees = (n >= LEAST_SHARED) & (low > -MARGIN)
    share_items = nobody.copy()
    share_items[judged.worker[np.repeat(both, judged.per_item)]] = True
    return np.asarray(share_items & ~workers & agrees[block], np.bool_)
