"""Votes of models as a prior of each item, learnt inside EM: not as more workers.

Models share training data and mistakes: five that agree are not five opinions. Stated probabilities q[i, m, k] give a
log-linear prior whose weights beta[m] are learnt::

    prior[i, k] = softmax_k(gamma log s[k] + sum_m beta[m] log q[i, m, k])      s: the shares of the labels

so that two copies of a model get half of its weight each, and a model that is too sure of itself less than one; gamma
is what is left to the class prior where models tell little. Items without stated probabilities have the prior pi.

Votes that only name a label v pass through a node u of their family, what its models tend to say, that bounds their
joint evidence however many agree::

    L[i, u] = prod_m Cm[m, u, v];   msg[i, k] = sum_u CF[k, u] L[i, u];   z[i, k] ∝ prior[i, k] msg[i, k] prod_j C[j, k]
    q(k, u | i) = z[i, k] CF[k, u] L[i, u] / msg[i, k]

CF and Cm are the modes under Dirichlet priors of 4 on the diagonal and .2 off it. A model that is alone in its family
is a plain worker: msg[i, k] = Cm[k, v]. Every step raises the objective of ``expectation_maximisation``, to which the
priors of the parameters here are added.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import Threads, even_slices, number_of_shards
from consensus.kernels import votes as kernels
from consensus.models.priors import SMALLEST
from consensus.probabilities import normalised
from consensus.votes import Weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.judgments import AlignedGold, Judgments
    from consensus.votes import AlignedVotes

    Reals = NDArray[np.float64]
    Codes = NDArray[np.int32]
    Offsets = NDArray[np.int64]

LEAST_Q = 1e-6  # stated probabilities below count as this
RIDGE = 10.0  # of the weights, about their start: 10 (beta - 1/M)^2 nats
LONGEST_STEP = 0.5  # of a weight, in one Newton step
NEWTON_STEPS, HALVINGS = 2, 8
ON_DIAGONAL, OFF_DIAGONAL = 4.0, 0.2  # pseudo-counts of CF and Cm
MET = 50  # items that two people judged, or that are gold, before a model's probabilities are believed
LEAST_CONTESTED, COPIES = 50, 0.98  # items on which people were divided, and how many of them tell a copy
SINGLY_JUDGED = 10  # items that a single person judged count as one such item


@dataclass(frozen=True, slots=True, eq=False)
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
    family: Codes
    """(M,) family of each model."""
    alone: NDArray[np.bool_]
    """(F,) a single model of the family gives hard votes."""
    learns: NDArray[np.bool_]
    """(F,) people judged some of its items, or they are gold; else CF stays as it is."""
    start: Weights
    share_beside: float
    """Share of the items that people judged on which a model's vote counts, too."""

    @classmethod
    def of(
        cls,
        votes: AlignedVotes,
        judgments: Judgments,
        gold: AlignedGold | None,
        believed: NDArray[np.bool_],
        circular: NDArray[np.bool_],
    ) -> VotesPrior:
        """Lay out ``votes``: soft ones of models that are ``believed`` (M,), else the label that they name.

        A model that was trained on this consensus (``circular`` (M,)) says nothing new about an item that people
        judged: its votes count on the other items only.
        """
        judged = judgments.per_item > 0
        counts = ~(circular[votes.model] & judged[votes.item])
        item, model, label, row = votes.item[counts], votes.model[counts], votes.label[counts], votes.row[counts]
        soft = (row >= 0) & believed[model]
        is_soft = np.zeros(judgments.n_items, np.bool_)
        is_soft[item[soft]] = True
        voted = np.unique(item).astype(np.int32)
        voted = voted[np.argsort(is_soft[voted], kind="stable")]
        position = np.empty(judgments.n_items, np.int32)
        position[voted] = np.arange(len(voted), dtype=np.int32)

        soft_order = np.flatnonzero(soft)
        soft_order = soft_order[np.argsort(position[item[soft_order]], kind="stable")]
        hard_order = np.flatnonzero(~soft)
        keys = (model[hard_order], votes.family[model[hard_order]], position[item[hard_order]])
        hard_order = hard_order[np.lexsort(keys)]
        q = votes.probability[row[soft_order]]
        log_q = np.log(np.maximum(q, np.float32(LEAST_Q)))

        n_models, n_families, K = votes.n_models, len(votes.families), judgments.n_labels
        hard_models = np.unique(model[hard_order])
        known = judged.copy()
        if gold is not None:
            known[gold.items] = True
        learns = np.zeros(n_families, np.bool_)
        learns[votes.family[model[hard_order[known[item[hard_order]]]]]] = True
        n_soft = len(np.unique(model[soft_order]))
        weight = np.zeros(1 + n_models)
        weight[1 + np.unique(model[soft_order])] = 1.0 / max(n_soft, 1)
        Cm = np.tile(_one_coin(K), (n_models, 1, 1))
        alone = np.bincount(votes.family[hard_models], minlength=n_families) == 1
        CF = np.stack([_one_coin(K)] * n_families)
        found = cls(
            item=voted,
            first_soft=int(len(voted) - is_soft.sum()),
            soft_start=_starts(position[item[soft_order]], len(voted)),
            soft_model=model[soft_order],
            log_q=log_q,
            hard_start=_starts(position[item[hard_order]], len(voted)),
            hard_model=model[hard_order],
            hard_label=label[hard_order],
            family=votes.family,
            alone=alone,
            learns=learns,
            start=Weights(weight, np.full(K, -np.log(K)), Cm, CF),
            share_beside=float(judged[voted].sum() / max(judged.sum(), 1)),
        )
        for f in np.flatnonzero(~learns):
            CF[f] = one_coin_of_agreement(*found.agreement(int(f)), K)
        return found

    @property
    def n_models(self) -> int:
        """M."""
        return len(self.family)

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

        def shard(part: slice) -> float:
            these = slice(rows.start + part.start, rows.start + part.stop + 1)
            return float(
                kernels.priors(
                    self.soft_start[these],
                    self.soft_model,
                    self.log_q,
                    weights.weight,
                    weights.log_shares,
                    self.hard_start[these],
                    self.hard_model,
                    self.hard_label,
                    self.family,
                    self.alone,
                    weights.Cm,
                    weights.CF,
                    pi,
                    out[part],
                )
            )

        starts = (self.soft_start + self.hard_start)[rows.start : rows.stop + 1]
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
        )
        out = np.empty((len(items), self.n_labels))
        theirs.priors(weights, pi, slice(0, len(items)), Threads(1), out)
        return np.maximum(out, SMALLEST)

    def improved(self, weights: Weights, posterior: Reals, backend: Backend) -> Weights:
        """Weights with a higher expected log joint density under ``posterior`` (R, K), or the same."""
        if len(self.soft_model):
            weights = replace(weights, weight=self._climbed(weights, posterior, backend))
        if not len(self.hard_model):
            return weights
        M, F, K = self.n_models, len(self.alone), self.n_labels

        def shard(part: slice) -> tuple[Reals, Reals]:
            of_models, of_families = np.zeros((M, K, K)), np.zeros((F, K, K))
            kernels.count_families(
                self.hard_start[part.start : part.stop + 1],
                self.hard_model,
                self.hard_label,
                self.family,
                self.alone,
                weights.Cm,
                weights.CF,
                posterior[part],
                of_models,
                of_families,
            )
            return of_models, of_families

        found = backend.map(shard, self._shards())
        of_models, of_families = (np.sum([one[n] for one in found], axis=0) for n in (0, 1))
        CF = np.where(self.learns[:, None, None], normalised(of_families + pseudo_counts(K)), weights.CF)
        return replace(weights, Cm=normalised(of_models + pseudo_counts(K)), CF=CF)

    def log_density(self, weights: Weights) -> float:
        """Log prior density of the weights, in nats, up to a constant."""
        A = pseudo_counts(self.n_labels)
        density = -RIDGE * float(((weights.weight - self.start.weight) ** 2).sum())
        if len(self.hard_model):
            density += float((A * np.log(weights.Cm)).sum() + (A * np.log(weights.CF[self.learns])).sum())
        return density

    def _climbed(self, weights: Weights, posterior: Reals, backend: Backend) -> Reals:
        """Gamma and beta after a few damped Newton steps; a step that would lower the value is halved."""
        weight, value = weights.weight, None
        for _ in range(NEWTON_STEPS):
            found, gradient, curvature = self._terms(weights, weight, posterior, backend)
            if value is None:
                value = found
            free = (weight > 0) | (gradient > 0)
            free[1:][np.bincount(self.soft_model, minlength=self.n_models) == 0] = False
            step = np.zeros_like(weight)
            chosen = np.ix_(free, free)
            step[free] = np.linalg.solve(curvature[chosen], gradient[free])
            step *= min(1.0, LONGEST_STEP / max(float(np.abs(step).max()), 1e-300))
            if np.abs(step).max() < 1e-6:
                break
            for _ in range(HALVINGS):
                tried = np.maximum(weight + step, 0.0)
                reached = self._terms(weights, tried, posterior, backend)[0]
                if reached >= value:
                    weight, value = tried, reached
                    break
                step /= 2.0
        return weight

    def _terms(self, weights: Weights, weight: Reals, posterior: Reals, backend: Backend) -> tuple[float, Reals, Reals]:
        """What the Newton step climbs, its gradient and its negated Hessian."""
        n = len(weight)

        def shard(part: slice) -> tuple[float, Reals, Reals]:
            gradient, curvature = np.zeros(n), np.zeros((n, n))
            value = kernels.weight_terms(
                self.soft_start[part.start : part.stop + 1],
                self.soft_model,
                self.log_q,
                weight,
                weights.log_shares,
                posterior[part],
                gradient,
                curvature,
            )
            return float(value), gradient, curvature

        found = backend.map(shard, self._shards())
        away = weight - self.start.weight
        upper = np.sum([one[2] for one in found], axis=0)
        curvature = np.triu(upper) + np.triu(upper, 1).T + 2 * RIDGE * np.eye(n)
        gradient = np.sum([one[1] for one in found], axis=0) - 2 * RIDGE * away
        return sum(one[0] for one in found) - RIDGE * float((away**2).sum()), gradient, curvature

    def _shards(self) -> tuple[slice, ...]:
        n_votes = len(self.soft_model) + len(self.hard_model)
        return even_slices(self.soft_start + self.hard_start, number_of_shards(n_votes))


def contact(votes: AlignedVotes, judgments: Judgments, gold: AlignedGold | None) -> Reals:
    """(M,) items that each model voted on and that two people judged, or that are gold; by one person, a tenth each.

    A stated rule: below MET of them, nothing tells how sure a model may be, and its vote is only the label it names.
    """
    n_people = people(judgments)
    full, single = n_people >= 2, n_people == 1
    if gold is not None:
        full[gold.items], single[gold.items] = True, False
    n_full, n_single = (
        np.bincount(votes.model[which[votes.item]], minlength=votes.n_models) for which in (full, single)
    )
    return np.asarray(n_full + n_single / SINGLY_JUDGED, np.float64)


def copies_majority(votes: AlignedVotes, judgments: Judgments, majority: Codes) -> NDArray[np.bool_]:
    """(M,) models that follow the ``majority`` (I,; -1 on a tie) even where people were divided.

    A model that looks at the item, and not at what people said of it, sides with the minority now and then.
    """
    votes_for = np.bincount(judgments.item[judgments.label == majority[judgments.item]], minlength=judgments.n_items)
    contested = (majority >= 0) & (votes_for < judgments.per_item)
    on = contested[votes.item]
    n = np.bincount(votes.model[on], minlength=votes.n_models)
    same = np.bincount(votes.model[on & (votes.label == majority[votes.item])], minlength=votes.n_models)
    return (n >= LEAST_CONTESTED) & (same >= COPIES * n)


def people(judgments: Judgments) -> Offsets:
    """(I,) different workers who judged each item."""
    new = np.ones(judgments.n_judgments, np.bool_)
    new[1:] = (judgments.item[1:] != judgments.item[:-1]) | (judgments.worker[1:] != judgments.worker[:-1])
    return np.bincount(judgments.item[new], minlength=judgments.n_items).astype(np.int64)


def pseudo_counts(n_labels: int) -> Reals:
    """(K, K) of CF and Cm."""
    return np.full((n_labels, n_labels), OFF_DIAGONAL) + (ON_DIAGONAL - OFF_DIAGONAL) * np.eye(n_labels)


def _one_coin(n_labels: int) -> Reals:
    return normalised(pseudo_counts(n_labels))


def one_coin_of_agreement(agreeing: int, pairs: int, n_labels: int) -> Reals:
    """(K, K) P(u | true) of models that nobody ever checked: as right as they would be, did they err independently.

    Two that are right with probability p agree with p^2 + (1 - p)^2 / (K - 1). That is the most that agreement can
    support, and the whole family is believed no more than one such model.
    """
    K = n_labels
    if K == 1:
        return np.ones((1, 1))
    g = (agreeing + 1.0) / (pairs + 2.0)
    inside = 1.0 - K * (1.0 - g * (K - 1))
    p = min((1.0 + float(np.sqrt(max(inside, 0.0)))) / K, 0.99)
    return np.full((K, K), (1.0 - p) / (K - 1)) + (p - (1.0 - p) / (K - 1)) * np.eye(K)


def _taken(start: Offsets, rows: NDArray[np.int64]) -> tuple[Offsets, Offsets]:
    """Which votes are those of some rows, and where those of each row then begin (n+1,)."""
    n_each = np.diff(start)[rows]
    taken = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(n_each, out=taken[1:])
    return np.arange(taken[-1]) + np.repeat(start[rows] - taken[:-1], n_each), taken


def _starts(position: NDArray[np.int32], n: int) -> Offsets:
    found = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(position, minlength=n), out=found[1:])
    return found
