"""Workers who agree with nobody more often than chance does: who guess, give one label, or give any wrong one.

With three labels and more, the confusions of one worker have so many cells that a fit tells those who guess from those
who know by few judgments each. The prior that all share is then learnt from both, and fits neither: with 10 labels and
40 % of the judgments by guessing workers the labels are 8 points worse than without them, and 20 points and more where
these give one label each, since the class prior follows them. But whether they agree with the others needs one number:

    x[w,v] = s[w] s[v] D       agreement of w and v on an item beyond chance, in the mean over items
    s[w]   = sum_v s[v] x[w,v] / (D (sum_v s[v]^2 + CREDIT mean s^2))        in turn, over the others on their items

each time half way to it, since all that are too large make the next ones too small (a matrix of rank one, as that of
raters who err alone; Dawid & Skene 1979 with one coin a worker). Chance is what the labels that both give would make;
D = 1 - sum_k m[k]^2, m the mean of these over the workers by n s. Who guesses has s = 0, and who gives one label as
well; who knows has K a - 1 = (K - 1) s, with a their accuracy.

The experienced workers fall into two camps by s (2-means, weighted by judgments). The lower one are loners if it did
MANY of the judgments, and, for camps by one half of the items and agreement on the other half,

1. they agree with the others less than SHARE as far as these do with each other, beyond chance, by SURELY standard
   errors: by the labels that they give, and by those that the others give anywhere, so that nobody who sees items of
   one label only is taken for somebody who gives one label;
2. they agree with each other no more than it takes who agrees so far with the others: less than WITHIN of what the
   others do, by CLEARLY standard errors, and by no more than HARDLY of it that is above UNSURELY standard errors. Else
   they are a camp of their own, such as weak workers beside some who copy, and nothing tells which one is right.

The fit begins at s, and loners keep the one coin that s makes (``bounds``), drawn to that of all of them as far as
chance explains that theirs differ. Nothing is learnt from them about the others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus import segments
from consensus.found.cautions import Caution
from consensus.inputs.counted import counted
from consensus.inputs.vocabulary import hashed
from consensus.kernels import loner_loops
from consensus.models.bounds import Bounds
from consensus.models.newcomers import EXPERIENCED
from consensus.models.one_label import labels_of_workers
from consensus.models.two_means import two

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.inputs.judgments import Judgments
    from consensus.segments import Segment

    Flags = NDArray[np.bool_]
    Reals = NDArray[np.float64]

LEAST_LABELS = 3  # two labels: two numbers tell all of a worker, and the fit learns them as well
MANY = 0.3  # share of the judgments; of fewer a usual fit learns more than it loses by them
LOW = 0.5  # of the s of the others, below which that of the camp must be
SHARE, SURELY = 0.25, 2.0
WITHIN, CLEARLY = 0.15, 1.0
HARDLY, UNSURELY = 0.02, 3.0
BESIDE = 0.5  # judgments of others beside one of the camp, at least, in the mean
LEAST_PAIRS = 50  # of judgments on an item, within the camp
CREDIT = 10.0  # judgments beside which everybody is credited with, at s = 0
MOST_PASSES, STILL = 50, 1e-3  # of the turns for s: passes, and the change of one at which they end
SAMPLE = 500_000  # judgments that are looked at first, about, where there are more
CERTAIN = 1e-3  # accuracies stay so far from 0 and 1
LEAST = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Loners:
    """Who they are."""

    members: Flags
    """(W,)"""
    accuracy: Reals
    """(W,) of every worker, by s."""
    share: float
    """Of the judgments that they did."""
    agreed: float
    """How often they agree with the others on the same items."""
    expected: float
    """The same by chance."""
    others: float
    """How often the others agree with each other."""

    @property
    def bounds(self) -> Bounds:
        """What a fit begins at and believes of them."""
        return Bounds(self.accuracy, self.members)


def found(judgments: Judgments, backend: Backend) -> Loners | None:
    """The loners among the workers; None: there are none, or not many.

    Nobody is looked at where judgments have weights, or items clusters or groups.
    """
    if judgments.n_labels < LEAST_LABELS or judgments.is_weighed or judgments.group is not None:
        return None
    known = judgments.per_worker >= EXPERIENCED
    if judgments.anonymous:
        known &= judgments.is_person
    is_large = judgments.n_judgments > SAMPLE
    part = _Looked.at(_sampled(judgments) if is_large else judgments, known, backend)
    members, _ = part.camp()
    if members is None:
        return None
    halves = _halves(part)
    if halves is None or not halves.alone:
        return None
    looked = _Looked.at(judgments, known, backend) if is_large else part
    members, skill = looked.camp()
    if members is None:
        return None
    skill = looked.drawn(skill, members)
    K = judgments.n_labels
    return Loners(
        members,
        np.clip((1.0 + (K - 1) * skill) / K, CERTAIN, 1.0 - CERTAIN),
        looked.share(members),
        halves.agreed.value,
        halves.agreed.value - halves.across.value,
        halves.others.value,
    )


def told(loners: Loners) -> Caution:
    """Say who they are, and what was done about them."""
    n = int(loners.members.sum())
    return Caution(
        "agree_with_nobody",
        f"{counted(n, 'worker')} ({loners.share:.0%} of all judgments) agree with the others in {loners.agreed:.0%} of "
        f"the cases, where chance makes {loners.expected:.0%}, and as little with each other; the others agree with "
        f"each other in {loners.others:.0%}. So these workers count only as far as they agree beyond chance; read "
        "their reasons in workers.csv (consensus audit) before you stop anybody",
        {
            "n_workers": n,
            "share": loners.share,
            "agreed": loners.agreed,
            "expected": loners.expected,
            "others": loners.others,
        },
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Looked:
    """Judgments that are looked at."""

    judgments: Judgments
    known: Flags
    """(W,) workers with enough judgments to be known."""
    shares: Reals
    """(W, K) of the labels that each of them gives."""
    backend: Backend

    @classmethod
    def at(cls, judgments: Judgments, known: Flags, backend: Backend) -> _Looked:
        shares = labels_of_workers(judgments, backend)
        return cls(judgments, known, shares / np.maximum(shares.sum(axis=1, keepdims=True), 1.0), backend)

    def where(self, items: Flags) -> _Looked:
        """The same on some ``items`` (I,)."""
        return replace(self, judgments=self.judgments.subset(items[self.judgments.item]))

    def beside(self, weight: Reals | Flags, shares: Reals | None = None) -> Reals:
        """(W, 5) what ``loner_loops.beyond_chance`` tells of every worker, by the ``weight`` (W,) of the others."""
        judgments = self.judgments
        each, by = weight.astype(np.float64), self.shares if shares is None else shares
        parts = segments.shards(judgments, 5 * len(each))
        found = self.backend.scatter(segments.cut(judgments, parts, (judgments.worker, judgments.label)))
        return np.asarray(np.sum(self.backend.each(_beyond_chance, found, by, each), axis=0))

    def share(self, members: Flags) -> float:
        """Of the judgments, that ``members`` (W,) did."""
        n = self.judgments.per_worker
        return float(n[members].sum() / max(n.sum(), 1))

    def spread(self, skill: Reals) -> float:
        """D, by the labels of those who know."""
        weight = self.judgments.per_worker * np.maximum(skill, 0.0)
        mean = (weight[:, None] * self.shares).sum(axis=0) / max(weight.sum(), LEAST)
        return float(1.0 - (mean**2).sum())

    def skills(self) -> Reals:
        """(W,) s of every worker who is known; 0 of the others, and of all where nobody agrees with anybody."""
        n, K = np.where(self.known, self.judgments.per_worker, 0), self.judgments.n_labels
        skill = self.known.astype(np.float64)
        for _ in range(MOST_PASSES):
            usual, spread = float((n * skill**2).sum()) / max(n.sum(), 1), self.spread(skill)
            if min(float((n * skill).sum()), usual, spread) < LEAST:
                return np.zeros_like(skill)
            x = self.beside(skill)
            told = np.clip(x[:, 0] / (spread * (x[:, 1] + CREDIT * usual)), -1.0 / (K - 1), 1.0) * self.known
            before, skill = skill, (skill + told) / 2.0
            if np.abs(skill - before).max() < STILL:
                break
        return skill

    def camp(self, least: float = MANY) -> tuple[Flags | None, Reals]:
        """(W,) the lower camp, None where it is not low, or did less than this share of the judgments; and (W,) s."""
        skill, n, known = self.skills(), self.judgments.per_worker, self.known
        members = np.zeros(len(known), np.bool_)
        if not known.any():
            return None, skill
        members[known], low, high = two(skill[known], n[known])
        return (members if low < LOW * high and self.share(members) >= least else None), skill

    def drawn(self, skill: Reals, members: Flags) -> Reals:
        """(W,) s, that of ``members`` by the others alone, and drawn to that of all of them."""
        x, y, xx, xy, yy = self.beside(np.where(members, 0.0, skill))[members].T
        spread = self.spread(skill)
        y, xy, yy = spread * y, spread * xy, spread**2 * yy
        mean = x.sum() / max(y.sum(), LEAST)
        apart = (xx - 2.0 * mean * xy + mean**2 * yy).sum() / max(y.sum(), LEAST)
        noise = apart / np.maximum(y, LEAST)
        own = x / np.maximum(y, LEAST)
        between = max(float((y * ((own - mean) ** 2 - noise)).sum()) / max(y.sum(), LEAST), 0.0)
        drawn = skill.copy()
        drawn[members] = mean + between / np.maximum(between + noise, LEAST) * (own - mean)
        return np.asarray(np.clip(drawn, -1.0 / (self.judgments.n_labels - 1), 1.0), np.float64)


def _sampled(judgments: Judgments) -> Judgments:
    """About SAMPLE judgments, all of each item; the same items whatever their order."""
    drawn = hashed(judgments.item_ids) < np.uint64(2**64 * (SAMPLE / judgments.n_judgments))
    return judgments.subset(drawn[judgments.item])


@dataclass(frozen=True, slots=True, eq=False)
class _Mean:
    """A mean over pairs of judgments."""

    value: float
    variance: float
    """Of the mean, as workers (of each half) are independent."""
    n: float
    """Pairs; those within a camp count twice."""

    @classmethod
    def of(cls, parts: list[Reals]) -> _Mean:
        x, n = np.concatenate(parts)[:, :2].T
        total = max(float(n.sum()), LEAST)
        value = float(x.sum()) / total
        return cls(value, float(((x - value * n) ** 2).sum()) / total**2, float(n.sum()))


@dataclass(frozen=True, slots=True, eq=False)
class _Halves:
    """How far those agree on one half of the items whom the other half puts into two camps."""

    across: _Mean
    """The lower camp with the upper one, beyond chance."""
    anywhere: _Mean
    """The same, by chance as the labels of the upper camp make it on all items."""
    within: _Mean
    """The lower one with itself."""
    above: _Mean
    """The upper one with itself."""
    agreed: _Mean
    """The lower with the upper one, whatever chance makes."""
    others: _Mean
    """The upper one with itself, whatever chance makes."""
    n_judgments: int
    """Of the lower camp."""

    @property
    def alone(self) -> bool:
        """Whether the lower camp are loners."""
        if self.within.n < 2 * LEAST_PAIRS or self.across.n < BESIDE * self.n_judgments or self.above.value <= 0.0:
            return False
        alike = SHARE * self.above.value
        for one in (self.across, self.anywhere):
            errors = np.sqrt(one.variance + 2.0 * SHARE**2 * self.above.variance)
            if alike - one.value <= SURELY * errors:
                return False
        excess = self.within.value - self.across.value**2 / self.above.value
        errors = np.sqrt(2.0 * self.within.variance)
        if excess > max(HARDLY * self.above.value, UNSURELY * errors):
            return False
        return bool(WITHIN * self.above.value - excess > CLEARLY * errors)


def _halves(looked: _Looked) -> _Halves | None:
    """What both halves tell; None where the camps of one are not apart."""
    half = hashed(looked.judgments.item_ids) >> np.uint64(63) > 0
    found: dict[str, list[Any]] = {"across": [], "anywhere": [], "within": [], "above": [], "agreed": [], "others": []}
    n_judgments = 0
    for items in (half, ~half):
        members, _ = looked.where(items).camp(MANY / 2)
        if members is None:
            return None
        rest, others = looked.where(~items), looked.known & ~members
        n = rest.judgments.per_worker
        n_judgments += int(n[members].sum())
        pool = looked.shares.copy()
        pool[others] = n[others] @ looked.shares[others] / max(n[others].sum(), 1)
        by_own, by_all, plain = (rest.beside(others, shares) for shares in (None, pool, np.zeros_like(pool)))
        found["across"].append(by_own[members])
        found["anywhere"].append(by_all[members])
        found["within"].append(rest.beside(members)[members])
        found["above"].append(by_own[others])
        found["agreed"].append(plain[members])
        found["others"].append(plain[others])
    return _Halves(**{name: _Mean.of(parts) for name, parts in found.items()}, n_judgments=n_judgments)


def _beyond_chance(segment: Segment, shares: Reals, weight: Reals) -> Reals:
    found = np.zeros((len(weight), 5))
    loner_loops.beyond_chance(segment.start, *segment.columns, shares, weight, found)
    return found
