"""The judgments of gold items against what their workers do elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.inputs.counted import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.result import Consensus
    from consensus.inputs.gold import AlignedGold
    from consensus.worker_audit.accuracy.skills import Skills

    Flags = NDArray[np.bool_]
    Reals = NDArray[np.float64]

LEVEL = 0.05  # false discovery rate of leaked items
CREDIT = 2.0  # judgments at the usual accuracy that weak and better workers are credited with on each item
EASY = 0.25  # share of the information of the median gold item below which an item is too easy
LEAST_WEAK = 3  # judgments by weak workers that show that an item is too easy
MOST_EXACT = 200  # judgments by weak workers of an item above which the normal distribution stands in
MOST_SHIFT = 8.0  # logits by which gold may be easier than other items


@dataclass(frozen=True, slots=True, eq=False)
class GoldAnswers:
    """The M judgments of G gold items."""

    own: NDArray[np.int64]
    """(M,) gold item of each."""
    label: NDArray[np.int32]
    """(M,)"""
    right: Flags
    """(M,) it gives an accepted label."""
    predicted: Reals
    """(M,) P(right) by what the worker does elsewhere."""
    accuracy: Reals
    """(M,) the worker's accuracy elsewhere, over all labels."""
    weak: Flags
    """(M,) the worker is weak."""
    usual: Reals
    """(2, G) P(right) of the average worker who is not weak, and of the average weak one; NaN where there is none."""

    @classmethod
    def of(cls, result: Consensus, gold: AlignedGold, skills: Skills) -> GoldAnswers:
        """Those of ``gold``, all of whose items were judged.

        With several accepted labels the true one may be any of them, and a wrong label falls evenly on the others.
        """
        judgments, items = result.judgments, gold.items.astype(np.int64)
        own, judgment = judgments.of_items(items)
        worker, label = judgments.worker[judgment], judgments.label[judgment]
        n_accepted = gold.accepted.sum(axis=1)
        by_luck = (n_accepted - 1) / max(judgments.n_labels - 1, 1)
        item, true = np.nonzero(gold.accepted)
        usual = np.full((2, len(items)), np.nan)
        for found, group in zip(usual, (~skills.weak, skills.weak), strict=True):
            if group.any():
                right = skills.right[group].mean(axis=0)
                found[:] = np.bincount(item, weights=right[true] / n_accepted[item], minlength=len(items))
        pair, judged = judgments.of_items(items[item])  # every judgment once for each accepted label
        begin = np.cumsum(judgments.per_item[items]) - judgments.per_item[items]
        at = judged - judgments.item_start[items[item[pair]]] + begin[item[pair]]
        chance = skills.right[judgments.worker[judged], true[pair]] / n_accepted[item[pair]]
        predicted = np.bincount(at, weights=chance, minlength=len(own))
        return cls(
            own=own,
            label=label,
            right=gold.accepted[own, label],
            predicted=predicted + (1.0 - predicted) * by_luck[own],
            accuracy=skills.accuracy[worker],
            weak=skills.weak[worker],
            usual=usual + (1.0 - usual) * by_luck,
        )

    @property
    def n_items(self) -> int:
        """G."""
        return int(self.usual.shape[1])

    @property
    def n(self) -> NDArray[np.int64]:
        """(G,) judgments of each item."""
        return self._count(np.ones(len(self.own), np.bool_))

    @property
    def n_right(self) -> NDArray[np.int64]:
        """(G,) those that are right."""
        return self._count(self.right)

    def information(self) -> tuple[Reals, Flags]:
        """(G,) what a judgment tells about whether its worker is weak, in bits; (G,) it is too easy.

        The mutual information of "weak" (half of all workers) and "right": the entropy of the mean of both groups'
        P(right) on the item, less the mean of their entropies. Each P(right) is the share of right judgments, with two
        judgments at the group's usual accuracy added.
        """
        of_group = []
        for group, usual in zip((~self.weak, self.weak), self.usual, strict=True):
            of_group.append((self._count(group & self.right) + CREDIT * usual) / (self._count(group) + CREDIT))
        found, expected = _told(*of_group), _told(*self.usual)
        known = expected[~np.isnan(expected)]
        least = EASY * float(np.median(known)) if len(known) else 0.0
        tested = self._count(self.weak) >= LEAST_WEAK
        return found, (self.n_right == self.n) & tested & (found < least)

    def leaked(self) -> tuple[Flags, Reals]:
        """(G,) weak workers are right on it too often; (G,) how many of them were to be expected right."""
        from scipy.special import expit, logit, ndtr, ndtri

        chance = np.clip(self.predicted, 1e-6, 1.0 - 1e-6)
        better = ~self.weak
        chance = expit(logit(chance) + _shift(logit(chance[better]), self.right[better]))
        expected: Reals = np.bincount(self.own[self.weak], weights=chance[self.weak], minlength=self.n_items).astype(
            np.float64
        )  # whole numbers where there are none
        found: Flags = np.zeros(self.n_items, np.bool_)
        tested = np.flatnonzero(self._count(self.weak))
        if not len(tested):
            return found, expected
        tail, middle = _tails(self.own[self.weak], chance[self.weak], self._count(self.weak & self.right), tested)
        z = -ndtri(np.clip(middle, 1e-12, 1.0 - 1e-12))
        low = -z[z < 0]  # those whose weak workers do worse than expected show how widely items spread
        spread = max(1.0, float(np.sqrt((low**2).mean()))) if len(low) else 1.0
        p = ndtr(ndtri(np.clip(tail, 1e-300, 1.0)) / spread)
        order = np.argsort(p, kind="stable")
        below = np.flatnonzero(p[order] <= LEVEL * np.arange(1, len(p) + 1) / len(p))
        found[tested[order[: below[-1] + 1 if len(below) else 0]]] = True
        return found, expected

    def against(self, n: int, best: int, label: str, gold: str) -> str:
        """Why item ``n`` is suspect."""
        says = self.accuracy[(self.own == n) & (self.label == best)]
        total = int((self.own == n).sum())
        if not len(says):
            return f"none of {_workers(total)} says {gold} as the gold does"
        return f"{len(says)} of {_workers(total)} ({_range(says)} right elsewhere) say {label} but the gold says {gold}"

    def beyond(self, n: int, expected: float) -> str:
        """Why item ``n`` is leaked."""
        weak = (self.own == n) & self.weak
        return (
            f"{int((weak & self.right).sum())} of {_workers(int(weak.sum()))} who are {_range(self.accuracy[weak])} "
            f"right elsewhere are right here where {expected:.1f} were to be expected: they may know the answer"
        )

    def by_all(self, n: int) -> str:
        """Why item ``n`` is too easy."""
        weak = (self.own == n) & self.weak
        return (
            f"all of {_workers(int((self.own == n).sum()))} are right with {int(weak.sum())} who are "
            f"{_range(self.accuracy[weak])} right elsewhere: it tells little about workers"
        )

    def _count(self, chosen: Flags) -> NDArray[np.int64]:
        return np.bincount(self.own[chosen], minlength=self.n_items)


def _workers(n: int) -> str:
    return counted(n, "worker")


def _range(accuracy: Reals) -> str:
    """``85 to 97 %``."""
    low, high = (f"{100 * bound:.0f}" for bound in (accuracy.min(), accuracy.max()))
    return f"{low} %" if low == high else f"{low} to {high} %"


def _told(a: Reals, b: Reals) -> Reals:
    """Bits that right or wrong tells about which of two groups, right with ``a`` and ``b``, a worker belongs to."""
    found: Reals = _bits((a + b) / 2) - (_bits(a) + _bits(b)) / 2
    return found


def _bits(p: Reals) -> Reals:
    """Entropy of right or wrong."""
    from scipy.special import xlogy

    found: Reals = -(xlogy(p, p) + xlogy(1.0 - p, 1.0 - p)) / np.log(2.0)
    return found


def _shift(logits: Reals, right: Flags) -> float:
    """By how many logits gold is easier than what these judgments (n,) were predicted by; 0 if it is not."""
    from scipy.special import expit

    low, high = 0.0, MOST_SHIFT
    for _ in range(40):  # the number expected right rises with the shift
        middle = (low + high) / 2
        if expit(logits + middle).sum() < right.sum():
            low = middle
        else:
            high = middle
    return low


def _tails(
    own: NDArray[np.int64], chance: Reals, n_right: NDArray[np.int64], tested: NDArray[np.int64]
) -> tuple[Reals, Reals]:
    """P(as many right as there are, or more) of each item in ``tested``, and the same less half of P(just so many).

    ``own`` (n,) is the item of judgments that are right with ``chance`` (n,): a Poisson-binomial distribution.
    """
    from scipy.special import ndtr

    size = np.bincount(own, minlength=len(n_right))
    mean = np.bincount(own, weights=chance, minlength=len(n_right))
    deviation = np.sqrt(np.bincount(own, weights=chance * (1.0 - chance), minlength=len(n_right)))
    tail, middle = np.ones(len(n_right)), np.ones(len(n_right))
    large = tested[size[tested] > MOST_EXACT]
    tail[large] = ndtr((mean[large] + 0.5 - n_right[large]) / deviation[large])
    middle[large] = ndtr((mean[large] - n_right[large]) / deviation[large])
    exact = tested[size[tested] <= MOST_EXACT]
    if len(exact):
        place = np.arange(len(own)) - (np.cumsum(size) - size)[own]  # own ascends
        padded = np.zeros((len(n_right), int(size[exact].max())))
        within = size[own] <= MOST_EXACT
        padded[own[within], place[within]] = chance[within]
        padded, seen = padded[exact], n_right[exact]
        share = np.zeros((len(exact), padded.shape[1] + 1))  # P(so many are right)
        share[:, 0] = 1.0
        for p in padded.T[:, :, None]:
            share[:, 1:] = share[:, 1:] * (1.0 - p) + share[:, :-1] * p
            share[:, :1] *= 1.0 - p
        just = share[np.arange(len(exact)), seen]
        tail[exact] = np.where(np.arange(share.shape[1]) >= seen[:, None], share, 0.0).sum(axis=1)
        middle[exact] = tail[exact] - just / 2
    return tail[tested], middle[tested]
