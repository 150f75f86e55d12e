"""Families of models that share mistakes: found by how far their models agree beyond what each one's errors explain.

With h[i, k] the labels by people alone, or gold, and P_m(v | k, i) how model m names labels (``votes_echo``), two
models m and m' of different families agree on the items that both voted on as often as::

    E_i = sum_k h[i, k] sum_v P_m(v | k, i) P_m'(v | k, i);    S = sum_i (1[v = v'] - E_i)
    z = S / sqrt(sum_i E_i (1 - E_i));    excess = S / sum_i (1 - E_i)

with the h that suits the models (``votes_echo``). From z = 5 and excess = .4 on, the families become one: then their
votes pass through one node (``votes_prior``). Where many people are wrong about an item, honest models agree against
them: excess was up to .33 (difficulties of 2 logits). Of judges that share three in five of their mistakes it was .53
to .60, of those that share nearly all .75 to .91.

Where no two models met LEAST_ITEMS items that several people judged, gold tells, from 25 items on. It is short of
mistakes by two models, so all pairs are pooled: z is then by the spread over items, and with labels for certain z = 3
and excess = .15 are enough. P_m are then the shares on gold: pseudo-counts of mistakes that were not made would let
agreement of models that are right look like shared mistakes (five models right on 97 % of 25 items were merged in 7 %
of 200 draws, and in none by their shares).
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from consensus.found.calibration import LEAST_GOLD
from consensus.inputs.model_doubts import SharedMistakes
from consensus.models import votes_echo
from consensus.models.votes_echo import LEAST_ITEMS
from consensus.probabilities import normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.inputs.model_doubts import Echoes
    from consensus.inputs.model_votes import AlignedVotes
    from consensus.models.votes_people import PeopleAlone

    Reals = NDArray[np.float64]

LEAST_Z, LEAST_EXCESS = 5.0, 0.4  # beside people, whose own mistakes may look like agreement
POOLED_Z, POOLED_EXCESS = 3.0, 0.15  # beside gold
UNSURE = 2.0  # standard errors by which excess may be larger than was seen
MOST_CELLS = 4_000_000_000  # labels of items times pairs of models that are looked at: of more, fewer items
BETWEEN = " + "  # names of families that became one
NAMED = 3


class Voter:
    """How one model votes on the items of ``PeopleAlone``: without ``echoes``, as it did where these are certain."""

    def __init__(self, votes: AlignedVotes, alone: PeopleAlone, echoes: Echoes | None, model: int) -> None:
        _, n, K = alone.h.shape
        mine = votes_echo.beside(votes, alone, model)
        e, nu = (0.0, 0.0) if echoes is None else (float(echoes.share[model]), float(echoes.astray[model]))
        self.C = np.full((K, K), 1.0 / K)
        """(K, K)"""
        if echoes is None:
            self.C = normalised(np.stack([mine.h[0][mine.label == v].sum(axis=0) for v in range(K)], axis=1))
        elif len(mine.label):
            self.C[:] = votes_echo.fitted(mine, mine.h[0], e).C
        self.label = np.full(n, -1, np.int32)
        """(n,) -1 where it did not vote."""
        self.label[mine.place] = mine.label
        self.own = 1.0 - e
        self.echoed = (e * (1.0 - nu), e * nu / K)
        """What an echo says: so much T, and so much any label."""


class Agreement:
    """How far pairs of models agree beyond what is expected, item by item."""

    def __init__(self, n_items: int) -> None:
        self.beyond = np.zeros(n_items)
        """(n,) S_i."""
        self.variance, self.room = 0.0, 0.0

    def add(self, a: Voter, b: Voter, alone: PeopleAlone) -> None:
        """Add the items that two models voted on."""
        at = np.flatnonzero((a.label >= 0) & (b.label >= 0))
        h = alone.h[0, at]
        expected = a.own * b.own * (h @ (a.C * b.C).sum(axis=1))
        for one, other in ((a, b), (b, a)):
            if one.own < 1.0:
                T = one.echoed[0] * alone.leads[at] + one.echoed[1]
                expected += other.own * ((h @ other.C) * T).sum(axis=1)
        if a.own < 1.0 and b.own < 1.0:
            both = [one.echoed[0] * alone.leads[at] + one.echoed[1] for one in (a, b)]
            expected += (both[0] * both[1]).sum(axis=1)
        self.beyond[at] += (a.label[at] == b.label[at]) - expected
        self.variance += float((expected * (1.0 - expected)).sum())
        self.room += float((1.0 - expected).sum())

    def shared(self, pooled: bool = False) -> bool:
        """Whether they share mistakes."""
        total = float(self.beyond.sum())
        error, z, excess = self.variance**0.5, LEAST_Z, LEAST_EXCESS
        if pooled:
            error, z, excess = self.pooled_error, POOLED_Z, POOLED_EXCESS
        return self.room > 0 and total >= z * error and total >= excess * self.room

    @property
    def pooled_error(self) -> float:
        """Standard error of S of several pairs, by the spread over items."""
        return float(np.sqrt((self.beyond**2).sum()))

    @property
    def open(self) -> bool:
        """Whether several pairs may share mistakes, for all that is seen."""
        return float(self.beyond.sum()) + UNSURE * self.pooled_error >= POOLED_EXCESS * self.room


def found(votes: AlignedVotes, alone: PeopleAlone | None, echoes: Echoes, asked: NDArray[np.bool_]) -> SharedMistakes:
    """Which families share mistakes, by the votes of the models that are ``asked`` (M,): those that only name labels.

    ``alone`` has one h, that of the rho that suits the people.
    """
    models = np.flatnonzero(asked & (votes.per_model() > 0)).tolist()
    family = votes.family.tolist()
    declared = votes.family_names
    pairs = [(a, b) for a, b in combinations(models, 2) if family[a] != family[b]]
    if not pairs or (alone is not None and alone.h.shape[2] < 2):  # with one label all agree
        return SharedMistakes(declared)
    if alone is None:
        return SharedMistakes(declared, untested=True)
    of = list(range(len(votes.families)))  # the family that each became a part of
    if most_shared(votes, alone, pairs) >= LEAST_ITEMS:
        alone = _fewer(alone, len(pairs))
        voters = {m: Voter(votes, alone, echoes, m) for m in models}
        for a, b in pairs:
            agreement = Agreement(len(alone.items))
            agreement.add(voters[a], voters[b], alone)
            if agreement.shared():
                of = [of[family[a]] if f == of[family[b]] else f for f in of]
        return SharedMistakes(declared, _groups(votes, of))
    alone = alone.where(alone.gold)
    if len(alone.items) < LEAST_GOLD:
        return SharedMistakes(declared, untested=True)
    alone = _fewer(alone, len(pairs))
    pooled, voters = Agreement(len(alone.items)), {m: Voter(votes, alone, None, m) for m in models}
    for a, b in pairs:
        pooled.add(voters[a], voters[b], alone)
    if not pooled.shared(pooled=True):
        return SharedMistakes(declared, untested=pooled.open)
    tested = {family[m] for m in models}
    return SharedMistakes(declared, _groups(votes, [min(tested) if f in tested else f for f in of]))


def _fewer(alone: PeopleAlone, n_pairs: int) -> PeopleAlone:
    """Evenly spaced items, as many as there is time to look at with so many pairs of models."""
    step = -(-alone.h[0].size * n_pairs // MOST_CELLS)
    return alone if step <= 1 else alone.where(slice(None, None, step))


def most_shared(votes: AlignedVotes, alone: PeopleAlone, pairs: list[tuple[int, int]]) -> int:
    """The most items that several people judged on which both models of one of the ``pairs`` voted."""
    here = np.zeros(len(votes.start) - 1, np.bool_)
    here[alone.items[alone.several]] = True
    voted = np.zeros((votes.n_models, int(here.sum())), np.float32)
    chosen = np.flatnonzero(here[votes.item])
    voted[votes.model[chosen], np.cumsum(here)[votes.item[chosen]] - 1] = 1.0
    both = voted @ voted.T
    return int(max(both[pair] for pair in pairs))


def _groups(votes: AlignedVotes, of: list[int]) -> tuple[tuple[str, ...], ...]:
    """The models of each family that was made of several, by what each family became a part of."""
    members = list(zip(votes.models, votes.family.tolist(), strict=True))
    several = [new for new in sorted(set(of)) if of.count(new) > 1]
    return tuple(tuple(m for m, f in members if of[f] == new) for new in several)


def merged(votes: AlignedVotes, shared: SharedMistakes) -> AlignedVotes:
    """The votes, with the families that share mistakes as one, by the names of both."""
    if not shared.merged:
        return votes
    names = dict(zip(votes.models, shared.declared, strict=True))
    for models in shared.merged:
        parts = list(dict.fromkeys(names[m] for m in models))
        more = f" and {len(parts) - NAMED} more" if len(parts) > NAMED else ""
        names |= dict.fromkeys(models, BETWEEN.join(parts[:NAMED]) + more)
    return votes.with_families([names[m] for m in votes.models])
