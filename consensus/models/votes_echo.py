"""Models that repeat the majority of people, as those do that were trained on these judgments: evidence in a circle.

With h[i, k] the posterior by people alone and T[i, l] the leading label of their raw vote (ties share), a model names v
by itself or as an echo::

    P(v | k, i) = (1 - e) C[k, v] + e ((1 - nu) T[i, v] + nu / K)
    EM:  C = counts + 1.6 on the diagonal, .4 / (K - 1) off it;   e = the mean of both echo terms
         nu = (astray + .5) / (echoes + 5), from 1e-4 to .5
    LR = 2 (log likelihood with e - without),  each with the log prior of its C and of rho, and the best rho

How far people err together, rho, is not known, and an h that is less sure than people are right makes an echo of every
good model: beside crowds that err independently, with rho .4 alone, LR was 74 and 94 for a model right on 98 %. With
any rho alike, five people's majority that is repeated on half of the items passes for people who are right. So rho is
what public crowds and the other models make likely, each as an echo or not; and to say of a model that it is one, LR
must be large by its votes alone, too.

What agrees with the majority then says next to nothing about the item, what contradicts it still does. On an item that
nobody judged, an echo is no better than chance: e / K.

One model in five is believed to be an echo before, with any e. A vote's probability is linear in e, so what its votes
leave open of e takes no more than the mean, e^ P(echo); with a likelihood that is quadratic from 0 to the best e^::

    P(echo) / (1 - P(echo)) = .2 / .8 exp(LR / 2) min(sqrt(2 pi) e^ / sqrt(LR), 1)          (Laplace's method)

Where an echo counted from LR = 8 on, and not at all below, some passed for honest. Beside three people and one model
that repeats them on half of the items (2 labels, 20 draws), 5.0 % of the accepted labels were wrong, 10.7 % in the
worst draw; now 2.6 and 4.5 %, and 2.3 and 3.8 % by people alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.inputs.model_doubts import Echoes
from consensus.kernels import echo_loops
from consensus.models import votes_people
from consensus.probabilities import normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.inputs.judgments import Judgments
    from consensus.inputs.model_votes import AlignedVotes
    from consensus.models.votes_people import PeopleAlone

    Reals = NDArray[np.float64]
    Codes = NDArray[np.int32]

LEAST_ITEMS = 50  # with a majority, that a model voted on
BEFORE = 0.2  # probability that a model is an echo, before its votes
LEAST_SHARE = 0.05  # mean e from which it counts
COST = 4.0  # nats that an echo must explain to count in what models tell of rho
MUCH, SURE = 10.0, 20.0  # LR from which what it states does not count, and which is told
MOSTLY = 0.35  # share of a model's votes from which it is an echo rather than a model with some
LEAST_DIVIDED = 50  # divided items that it voted on, to tell an echo from a model that errs on the same items
RHO, RHO_SD = 0.25, 0.125  # what is believed of rho before: public crowds want .2 to .4
BEGIN = 0.3  # e where EM begins
STEPS, STILL = 200, 1e-4  # of EM: at most, and the gain in nats at which it ends
RIGHT, WRONG = 1.6, 0.4  # pseudo-counts of C: on the diagonal, and off it together
LEAST_NU, MOST_NU = 1e-4, 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Beside:
    """The votes of one model beside what people say of the same items."""

    place: NDArray[np.int64]
    """(n,) positions in the items of ``PeopleAlone``."""
    h: Reals
    """(P, n, K)"""
    label: Codes
    """(n,)"""
    leads: Reals
    """(n,) what an echo of the majority gives the label."""
    several: NDArray[np.bool_]
    """(n,) several people judged the item."""

    def where(self, chosen: NDArray[np.bool_]) -> Beside:
        """Some of them."""
        label, leads, several = self.label[chosen], self.leads[chosen], self.several[chosen]
        return Beside(self.place[chosen], self.h[:, chosen], label, leads, several)


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """How one model names labels."""

    C: Reals
    """(K, K) its own answers [true, named]."""
    e: float
    nu: float
    value: float
    """Log likelihood plus log prior of C, in nats."""


def beside(votes: AlignedVotes, alone: PeopleAlone, model: int) -> Beside:
    """The votes of a ``model`` on the items of ``alone``."""
    mine = np.flatnonzero(votes.model == model)
    place = np.searchsorted(alone.items, votes.item[mine])
    place = np.minimum(place, len(alone.items) - 1)
    here = alone.items[place] == votes.item[mine]
    place, label = place[here], np.ascontiguousarray(votes.label[mine[here]])
    leads = alone.leads[place]
    rows = np.arange(len(label))
    return Beside(place, alone.h[:, place], label, leads[rows, label], alone.several[place])


class Sides:
    """How well each h explains the votes of models without echoes and with them."""

    def __init__(self, n_models: int, n_h: int) -> None:
        shape, rhos = (n_models, n_h), np.array(votes_people.RHOS)
        self.believed = np.tile(-0.5 * ((rhos - RHO) / RHO_SD) ** 2, n_h // len(rhos))
        """(P,) logarithm of what is believed of each before."""
        self.own, self.echo = np.zeros(shape), np.zeros(shape)
        """(M, P) log likelihood with log priors, nats; 0 of models that are not tested."""
        self.fits: dict[int, list[Fitted]] = {}
        """With echoes, by model and rho."""

    def add(self, m: int, votes: Beside) -> None:
        """Add the votes of a model."""
        own, echo = list[Fitted](), list[Fitted]()
        for h in votes.h:  # neighbours are near
            own.append(fitted(votes, h, 0.0, own[-1].C if own else None))
            echo.append(fitted(votes, h, BEGIN, echo[-1].C if echo else None))
        self.own[m], self.echo[m], self.fits[m] = [one.value for one in own], [one.value for one in echo], echo

    def of_rho(self, besides: int = -1) -> Reals:
        """(P,) log of what is believed of each h: before, and by all models, or all besides one."""
        told = np.maximum(self.own, self.echo - COST)
        told[besides if besides >= 0 else slice(0)] = 0.0
        return np.asarray(self.believed + told.sum(axis=0), np.float64)

    def evidence(self, m: int) -> tuple[float, float, Fitted]:
        """LR of an echo: beside what the others tell of rho, and by its votes alone; and the echo."""
        rho = self.of_rho(m)
        best = int((self.echo[m] + rho).argmax())
        told = self.echo[m, best] + rho[best] - (self.own[m] + rho).max()
        return 2.0 * float(told), 2.0 * float(self.echo[m].max() - self.own[m].max()), self.fits[m][best]


def fitted(votes: Beside, h: Reals, e: float, start: Reals | None = None) -> Fitted:
    """By EM from the echo ``e`` and the confusion ``start`` (K, K), with ``h`` (n, K); from 0 the echo stays 0."""
    K = h.shape[1]
    prior = np.full((K, K), WRONG / (K - 1)) + (RIGHT - WRONG / (K - 1)) * np.eye(K)
    C, nu, value = normalised(prior) if start is None else start, 0.1, -np.inf
    for _ in range(STEPS):
        of_C, mass = np.zeros((K, K)), np.zeros(2)
        likelihood = echo_loops.echo_step(h, votes.label, votes.leads, C, np.array([e, nu]), of_C, mass)
        before, value = value, likelihood + float((prior * np.log(C)).sum())
        if value - before < STILL:
            break
        C = normalised(of_C + prior)
        echoes = float(mass.sum())
        e = echoes / len(votes.label)
        nu = min(max((float(mass[1]) + 0.5) / (echoes + 5.0), LEAST_NU), MOST_NU)
    return Fitted(C, e, nu, value)


def found(votes: AlignedVotes, alone: PeopleAlone | None, asked: NDArray[np.bool_]) -> tuple[Echoes, int]:
    """How far each model that is ``asked`` (M,) about is an echo of ``alone``, and which h suits them.

    Without ``alone`` nothing can be told.
    """
    told = Echoes.none(votes.n_models)
    if alone is None or alone.h.shape[2] < 2:  # one label: nobody can be told from anybody
        return told, 0
    sides = Sides(votes.n_models, len(alone.h))
    for m in np.flatnonzero(asked).tolist():
        mine = beside(votes, alone, m)
        told.divided[m] = int(alone.divided[mine.place].sum())
        mine = mine.where(mine.several)
        if len(mine.label) >= LEAST_ITEMS:
            sides.add(m, mine)
    sure, best = np.zeros((2, votes.n_models))
    for m in sides.fits:
        told.evidence[m], sure[m], echo = sides.evidence(m)
        best[m], probability = echo.e, is_echo(float(told.evidence[m]), echo.e)
        if probability * echo.e >= LEAST_SHARE:
            told.share[m], told.astray[m], told.probability[m] = probability * echo.e, echo.nu, probability
    mostly = (best >= MOSTLY) & (told.evidence > MUCH)
    accused = mostly & (np.minimum(told.evidence, sure) > SURE) & (told.divided >= LEAST_DIVIDED)
    return replace(told, mostly=mostly, accused=accused), int(sides.of_rho().argmax())


def is_echo(LR: float, e: float) -> float:
    """P(echo), by the likelihood ratio at the best share ``e`` of echoes."""
    width = min(np.sqrt(2.0 * np.pi / LR) * e, 1.0) if LR > 0 else 1.0
    log_odds = LR / 2.0 + np.log(max(width, 1e-300) * BEFORE / (1.0 - BEFORE))
    return float(1.0 / (1.0 + np.exp(-log_odds)))


def echoed(votes: AlignedVotes, judgments: Judgments, echoes: Echoes, chosen: NDArray[np.int64]) -> Reals:
    """(n,) probability e ((1 - nu) T + nu / K) by which some ``chosen`` votes are an echo, and as they are."""
    model, label = votes.model[chosen], votes.label[chosen]
    e, nu, K = echoes.share[model], echoes.astray[model], judgments.n_labels
    found: Reals = e / K
    some = np.flatnonzero((e > 0) & (judgments.per_item[votes.item[chosen]] > 0))
    if len(some):
        items, row = np.unique(votes.item[chosen[some]], return_inverse=True)
        T = votes_people.led(votes_people.counts(judgments, items.astype(np.int64)))[row, label[some]]
        found[some] = e[some] * ((1.0 - nu[some]) * T + nu[some] / K)
    return found
