"""Votes of models as a prior of each item, learnt inside EM: not as more workers.

Models share training data and mistakes: five that agree are not five opinions. Stated probabilities q[i, m, k] give a
log-linear prior whose weights beta[m] are learnt::

    prior[i, k] = softmax_k(gamma log s[k] + sum_m beta[m] log q[i, m, k])      s: the shares of the labels

so that two copies of a model get half of its weight each, and a model that is too sure of itself less than one; gamma
is what is left to the class prior where models tell little. Items without stated probabilities have the prior pi.

Votes that only name a label v pass through a node u of their family, what its models tend to say, that bounds their
joint evidence however many agree::

    L[i, u] = prod_m P_m(v | u);   msg[i, k] = sum_u CF[k, u] L[i, u];   z[i, k] ∝ prior[i, k] msg[i, k] prod_j C[j, k]
    q(k, u | i) = z[i, k] CF[k, u] L[i, u] / msg[i, k]

CF and Cm are the modes under Dirichlet priors of 4 on the diagonal and .2 off it. A model that is alone in its family
is a plain worker: msg[i, k] = P_m(v | k). P_m is Cm[m, u, v]; of a model that repeats the majority of people, with the
e and nu that ``votes_echo`` found, (1 - e) Cm[m, u, v] + e ((1 - nu) T[i, v] + nu / K). Every step raises the objective
of ``expectation_maximisation``, to which the priors of the parameters here are added.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import Threads, even_parts, even_slices, number_of_shards
from consensus.inputs.model_votes import Weights
from consensus.kernels import SMALLEST
from consensus.kernels import votes_loops as kernels
from consensus.models import votes_echo
from consensus.models.votes_families import one_coin, one_coin_of_agreement, pseudo_counts, unknown_counts
from consensus.probabilities import normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.found.units import Units
    from consensus.inputs.gold import AlignedGold
    from consensus.inputs.judgments import Judgments
    from consensus.inputs.model_doubts import Echoes
    from consensus.inputs.model_votes import AlignedVotes

    Reals = NDArray[np.float64]
    Codes = NDArray[np.int32]
    Offsets = NDArray[np.int64]

SURELY = 0.95  # probability from which a model that repeats people is no view from outside
LEAST_Q = 1e-6  # stated probabilities below count as this
RIDGE = 10.0  # of the weights, about their start: 10 (beta - 1/M)^2 nats
LONGEST_STEP = 0.5  # of a weight, in one Newton step
NEWTON_STEPS, HALVINGS, SMALLEST_STEP = 2, 8, 1e-6
MOST_LEARNT_FROM = 100_000  # items that the weights are learnt from: a handful of numbers


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Rows that the weights are learnt from."""

    rows: Offsets
    """(n,) ascending."""
    start: Offsets
    """(n+1,) their soft votes."""
    model: Codes
    log_q: NDArray[np.float32]
    scale: float
    """How many rows each stands for."""
    unit: Reals
    """(n,) what each counts for; (0,): each as one."""


@dataclass(frozen=True, eq=False)  # without slots: the sample is taken when first asked for
class VotesPrior:
    """The votes as EM uses them, by voted item: a row each, first those without a soft vote."""

    item: Codes
    """(R,) item of each row."""
    first_soft: int
    """The first row with a soft vote: from there on the log-linear prior stands in for pi."""
    soft_start: Offsets
    """(R+1,) soft votes of each row."""
    soft_model: Codes
    """(S,) their models."""
    log_q: NDArray[np.float32]
    """(S, K) logarithms of their probabilities."""
    hard_start: Offsets
    """(R+1,) hard votes of each row."""
    hard_model: Codes
    """(H,) their models, those of one family together."""
    hard_label: Codes
    """(H,) their labels."""
    echoed: Reals
    """(H,) the probability of each that it is an echo of people, and as it is."""
    own: Reals
    """(M,) 1 - e: the probability that a vote is the model's own."""
    family: Codes
    """(M,) family of each model."""
    alone: NDArray[np.bool_]
    """(F,) a single model of the family gives hard votes."""
    learns: NDArray[np.bool_]
    """(F,) people judged some of its items, or they are gold; else CF stays as it is."""
    counts: Reals
    """(M, K, K) pseudo-counts of Cm."""
    start: Weights
    share_beside: float
    """Share of the items that people judged on which a model's vote counts, too, and is not sure to repeat them."""
    doubt: float
    """Probability that such a vote is of a model that repeats people, in their mean."""
    unit: Reals = field(default_factory=lambda: np.empty(0))
    """(R,) what each item counts for; (0,): each as one."""

    @classmethod
    def of(
        cls,
        votes: AlignedVotes,
        judgments: Judgments,
        gold: AlignedGold | None,
        believed: NDArray[np.bool_],
        circular: NDArray[np.bool_],
        known: NDArray[np.bool_],
        echoes: Echoes,
        backend: Backend,
    ) -> VotesPrior:
        """Lay out ``votes``: soft ones of models that are ``believed`` (M,), else the label that they name.

        A model that people have not checked (not ``known`` (M,)) starts no better than a worker of whom nothing is
        known.

        A model that was trained on this consensus (``circular`` (M,)) says nothing new about an item that people
        judged: its votes count on the other items only. Where a model repeats people by its ``echoes``, its label says
        little; one that does so at all is no view from outside.
        """
        judged = judgments.per_item > 0
        soft = votes.row >= 0
        if not believed.all():
            soft &= believed[votes.model]
        hard = ~soft
        if circular.any():
            counts = ~(circular[votes.model] & judged[votes.item])
            soft, hard = soft & counts, hard & counts
        K, n_models, n_families = judgments.n_labels, votes.n_models, len(votes.families)
        soft_votes = _chosen(soft)
        hard_votes = np.flatnonzero(hard)
        n_hard = np.bincount(votes.item[hard_votes], minlength=len(judged))
        n_soft = votes.per_item
        if len(hard_votes) or circular.any():
            n_soft = np.bincount(votes.item[soft_votes], minlength=len(judged))
        rows = np.concatenate([np.flatnonzero((n_soft == 0) & (n_hard > 0)), np.flatnonzero(n_soft)])
        if len(hard_votes):  # those of an item together, in the order of the rows, and in it those of a family
            if np.any(np.diff(votes.family) < 0):
                family = votes.family[votes.model[hard_votes]]
                hard_votes = hard_votes[np.lexsort((family, votes.item[hard_votes]))]
            hard_votes = hard_votes[_taken(offsets(n_hard), rows)[0]]
        checked = judged.copy()
        if gold is not None:
            checked[gold.items] = True
        hard_model, hard_item = votes.model[hard_votes], votes.item[hard_votes]
        learns, alone = np.zeros(n_families, np.bool_), np.zeros(n_families, np.bool_)
        learns[votes.family[hard_model[checked[hard_item]]]] = True
        alone[:] = np.bincount(votes.family[np.unique(hard_model)], minlength=n_families) == 1
        soft_model = votes.model[soft_votes]
        models = np.flatnonzero(votes.per_model(soft_votes))
        weight = np.zeros(1 + n_models)
        weight[1 + models] = 1.0 / max(len(models), 1)
        CF = np.stack([one_coin(K)] * n_families)
        outside, doubt = (rows, 0.0) if not echoes.probability.any() else _outside(votes, echoes, soft | hard)
        found = cls(
            item=rows.astype(np.int32),
            first_soft=int(np.searchsorted(n_soft[rows] > 0, True)),
            soft_start=offsets(n_soft[rows]),
            soft_model=soft_model,
            log_q=_logs(votes, soft_votes, backend),
            hard_start=offsets(n_hard[rows]),
            hard_model=hard_model,
            hard_label=votes.label[hard_votes],
            echoed=votes_echo.echoed(votes, judgments, echoes, hard_votes),
            own=1.0 - echoes.share,
            family=votes.family,
            alone=alone,
            learns=learns,
            counts=np.where(known[:, None, None], pseudo_counts(K), unknown_counts(K)),
            start=Weights(weight, np.full(K, -np.log(K)), np.zeros((n_models, K, K)), CF),
            share_beside=float(judged[np.unique(outside)].sum() / max(judged.sum(), 1)),
            doubt=doubt,
        )
        for f in np.flatnonzero(~learns & (np.bincount(votes.family[hard_model], minlength=n_families) > 0)):
            CF[f] = one_coin_of_agreement(*found.agreement(int(f)), K)
        found.start.Cm[:] = normalised(found.counts)
        return found

    @cached_property
    def sample(self) -> Sample:
        """Rows that the weights are learnt from: all with a soft vote, or evenly spaced ones where there are many."""
        step = -(-(len(self.item) - self.first_soft) // MOST_LEARNT_FROM) or 1
        rows = np.arange(self.first_soft, len(self.item), step)
        if step == 1:
            return Sample(rows, self.soft_start[self.first_soft :], self.soft_model, self.log_q, 1.0, self._units(rows))
        votes, start = _taken(self.soft_start, rows)
        scale = (len(self.item) - self.first_soft) / len(rows)
        return Sample(rows, start, self.soft_model[votes], self.log_q[votes], scale, self._units(rows))

    def weighed(self, units: Units | None) -> VotesPrior:
        """The same where items count for ``units``."""
        return replace(self, unit=np.empty(0) if units is None else units.item[self.item])

    @property
    def n_models(self) -> int:
        """M."""
        return len(self.family)

    @property
    def n_opinions(self) -> float:
        """How many opinions all votes are, in units."""
        n_each = np.diff(self.soft_start) + np.diff(self.hard_start)
        return float(self.unit @ n_each if len(self.unit) else n_each.sum())

    @property
    def n_labels(self) -> int:
        """K."""
        return int(self.log_q.shape[1])

    def agreement(self, family: int) -> tuple[int, int]:
        """Pairs of hard votes by models of one family on one item: how many agree, and how many there are."""
        mine = np.flatnonzero(self.family[self.hard_model] == family)
        row = np.repeat(np.arange(len(self.item)), np.diff(self.hard_start))[mine]
        n = np.bincount(row, minlength=len(self.item)).astype(np.int64)
        _, same = np.unique(row * np.int64(self.n_labels) + self.hard_label[mine], return_counts=True)
        return int((same * (same - 1) // 2).sum()), int((n * (n - 1) // 2).sum())

    def priors(self, weights: Weights, pi: Reals, rows: slice, backend: Backend, out: Reals) -> float:
        """Write the priors of some rows, from their votes, into ``out`` (rows, K or wider): each is normalised.

        Returns the sum of the logarithms of what they were divided by.
        """
        learnt = kernels.Learnt(weights.weight, weights.log_shares, weights.Cm, weights.CF)

        def shard(part: slice) -> float:
            these = slice(rows.start + part.start, rows.start + part.stop)
            soft = kernels.Soft(self.soft_start[these.start : these.stop + 1], self.soft_model, self.log_q)
            return float(kernels.priors(soft, self._hard(these), learnt, pi, self._units(these), out[part]))

        bounds = slice(rows.start, rows.stop + 1)
        starts = self.soft_start[bounds] + self.hard_start[bounds]
        n_shards = number_of_shards(len(self.soft_model) + len(self.hard_model))
        return sum(backend.map(shard, even_slices(starts, n_shards)))

    def of_items(self, items: Codes, weights: Weights, pi: Reals) -> Reals:
        """(n, K) prior of some voted items."""
        order = np.argsort(self.item)
        row = order[np.searchsorted(self.item, items, sorter=order)]
        (soft, soft_start), (hard, hard_start) = (_taken(start, row) for start in (self.soft_start, self.hard_start))
        theirs = replace(
            self,
            item=items,
            soft_start=soft_start,
            soft_model=self.soft_model[soft],
            log_q=self.log_q[soft],
            hard_start=hard_start,
            hard_model=self.hard_model[hard],
            hard_label=self.hard_label[hard],
            echoed=self.echoed[hard],
            unit=np.empty(0),
        )
        out = np.empty((len(items), self.n_labels))
        theirs.priors(weights, pi, slice(0, len(items)), Threads(1), out)
        return np.maximum(out, SMALLEST)

    def improved_weight(self, weights: Weights, posterior: Reals, backend: Backend) -> Weights:
        """Gamma and beta that raise the expected log prior of the sample under its ``posterior`` (n, K), or the same.

        After a few damped Newton steps; a step that would lower it is halved.
        """
        weight = weights.weight
        value, gradient, curvature = self._terms(weights, weight, posterior, backend)
        voted = self.start.weight[1:] > 0  # models with soft votes
        for _ in range(NEWTON_STEPS):
            free = (weight > 0) | (gradient > 0)
            free[1:] &= voted
            step = np.zeros_like(weight)
            step[free] = np.linalg.solve(curvature[np.ix_(free, free)], gradient[free])
            step *= min(1.0, LONGEST_STEP / max(float(np.abs(step).max()), 1e-300))
            if np.abs(step).max() < SMALLEST_STEP:
                break
            for _ in range(HALVINGS):
                tried = np.maximum(weight + step, 0.0)
                found = self._terms(weights, tried, posterior, backend)
                if found[0] >= value:
                    weight, (value, gradient, curvature) = tried, found
                    break
                step /= 2.0
        return replace(weights, weight=weight)

    def improved_families(self, weights: Weights, posterior: Reals, backend: Backend) -> Weights:
        """Cm and CF that raise the expected log joint density under ``posterior`` (R, K)."""
        M, F, K = self.n_models, len(self.alone), self.n_labels

        def shard(part: slice) -> tuple[Reals, Reals]:
            of_models, of_families = np.zeros((M, K, K)), np.zeros((F, K, K))
            hard = self._hard(part)
            z = posterior[part] * self.unit[part, None] if len(self.unit) else posterior[part]
            kernels.count_families(hard, weights.Cm, weights.CF, z, of_models, of_families)
            return of_models, of_families

        found = backend.map(shard, self._shards())
        of_models, of_families = (np.sum([one[n] for one in found], axis=0) for n in (0, 1))
        CF = np.where(self.learns[:, None, None], normalised(of_families + pseudo_counts(K)), weights.CF)
        return replace(weights, Cm=normalised(of_models + self.counts), CF=CF)

    def log_density(self, weights: Weights) -> float:
        """Log prior density of the weights, in nats, up to a constant."""
        A = pseudo_counts(self.n_labels)
        density = -RIDGE * float(((weights.weight - self.start.weight) ** 2).sum())
        if len(self.hard_model):
            density += float((self.counts * np.log(weights.Cm)).sum() + (A * np.log(weights.CF[self.learns])).sum())
        return density

    def _terms(self, weights: Weights, weight: Reals, posterior: Reals, backend: Backend) -> tuple[float, Reals, Reals]:
        """What the Newton step climbs, its gradient and its negated Hessian."""
        n, sample = len(weight), self.sample

        def shard(part: slice) -> tuple[float, Reals, Reals]:
            gradient, curvature = np.zeros(n), np.zeros((n, n))
            soft = kernels.Soft(sample.start[part.start : part.stop + 1], sample.model, sample.log_q)
            z, unit = posterior[part], sample.unit[part]
            value = kernels.weight_terms(soft, weight, weights.log_shares, z, unit, gradient, curvature)
            return float(value), gradient, curvature

        found = backend.map(shard, even_slices(sample.start, number_of_shards(len(sample.model))))
        away = weight - self.start.weight
        upper = np.sum([one[2] for one in found], axis=0)
        curvature = sample.scale * (np.triu(upper) + np.triu(upper, 1).T) + 2 * RIDGE * np.eye(n)
        gradient = sample.scale * np.sum([one[1] for one in found], axis=0) - 2 * RIDGE * away
        value = sample.scale * sum(one[0] for one in found)
        return value - RIDGE * float((away**2).sum()), np.asarray(gradient, np.float64), curvature

    def _units(self, rows: slice | NDArray[np.int64]) -> Reals:
        """What some rows count for; (0,): each as one."""
        return self.unit[rows] if len(self.unit) else self.unit

    def _hard(self, rows: slice) -> kernels.Hard:
        """The hard votes of some rows, as the loops take them."""
        starts = self.hard_start[rows.start : rows.stop + 1]
        of_votes = self.hard_model, self.hard_label
        return kernels.Hard(starts, *of_votes, self.family, self.alone, self.own, self.echoed)

    def _shards(self) -> tuple[slice, ...]:
        n_votes = len(self.soft_model) + len(self.hard_model)
        return even_slices(self.soft_start + self.hard_start, number_of_shards(n_votes))


def _outside(votes: AlignedVotes, echoes: Echoes, counts: NDArray[np.bool_]) -> tuple[Codes, float]:
    """The items of the votes that count (V,) and are not sure to repeat people, and how far these may, in their mean.

    What repeats people also repeats judgments that are held out.
    """
    sure = echoes.probability >= SURELY
    seen = np.flatnonzero(counts & ~sure[votes.model])
    return votes.item[seen], float(echoes.probability[votes.model[seen]].sum() / max(len(seen), 1))


def _taken(start: Offsets, rows: NDArray[np.int64]) -> tuple[Offsets, Offsets]:
    """Which votes are those of some rows, and where those of each row then begin (n+1,)."""
    n_each = np.diff(start)[rows]
    taken = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(n_each, out=taken[1:])
    return np.arange(taken[-1]) + np.repeat(start[rows] - taken[:-1], n_each), taken


def offsets(n_each: Offsets) -> Offsets:
    """(n+1,) where each of some runs begins."""
    found = np.zeros(len(n_each) + 1, np.int64)
    np.cumsum(n_each, out=found[1:])
    return found


def _chosen(which: NDArray[np.bool_]) -> slice | Offsets:
    """What takes the entries where ``which``: without a copy where these are all."""
    return slice(None) if which.all() else np.flatnonzero(which)


def _logs(votes: AlignedVotes, soft_votes: slice | Offsets, backend: Backend) -> NDArray[np.float32]:
    """(S, K) logarithms of the probabilities of some votes."""
    row = votes.row[soft_votes]
    out = np.empty((len(row), votes.probability.shape[1]), np.float32)
    in_order = len(row) == len(votes.probability) and bool(np.all(row[1:] > row[:-1]))  # then row n is n

    def shard(part: slice) -> None:
        q = votes.probability[part] if in_order else votes.probability[row[part]]
        np.maximum(q, np.float32(LEAST_Q), out=out[part])
        np.log(out[part], out=out[part])

    backend.map(shard, even_parts(len(out), number_of_shards(out.size)))
    return out
