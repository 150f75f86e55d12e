"""The prior that models' votes give, again: slow and obvious, in probability space, from the formulas.

``prior[k] ∝ s[k]^gamma prod_m q[m, k]^beta[m]`` of stated probabilities, else pi; times, for each family of models that
only name a label, ``msg[k] = sum_u CF[f, k, u] prod_m P_m(v | u)``, or ``P_m(v | k)`` of a model that is alone, where
``P_m(v | u) = (1 - e) Cm[m, u, v] + e ((1 - nu) T[v] + nu / K)``, or with ``e / K`` in the end where nobody judged.
"""

import math
from collections import Counter
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from consensus.inputs.judgments import Judgments
from consensus.inputs.model_votes import AlignedVotes, Weights
from tests import naive

Reals = NDArray[np.float64]
LEAST_Q, RIDGE = 1e-6, 10.0


@dataclass
class Spoken:
    """What counts of the votes: of each item, the models with their probabilities, and those with a label."""

    soft: list[list[tuple[int, list[float]]]]
    hard: list[list[tuple[int, int]]]
    family: list[int]
    own: list[float]
    """1 - e of each model."""
    echoed: dict[tuple[int, int], float]
    """By item and model: the probability that its vote is an echo, and as it is."""

    @property
    def alone(self) -> set[int]:
        """Families of which one model gives hard votes."""
        models = {m for own in self.hard for m, _ in own}
        n = [sum(self.family[m] == f for m in models) for f in range(max(self.family) + 1)]
        return {f for f in range(len(n)) if n[f] == 1}

    def voted(self, i: int) -> bool:
        return bool(self.soft[i] or self.hard[i])


def spoken(
    votes: AlignedVotes,
    judgments: Judgments,
    believed: list[bool],
    circular: list[bool],
    echo: list[tuple[float, float]] | None = None,
) -> Spoken:
    """The votes that count: not those of circular models where people judged; soft ones of believed models only.

    ``echo`` has e and nu of every model.
    """
    echo = echo or [(0.0, 0.0)] * votes.n_models
    echoed: dict[tuple[int, int], float] = {}
    soft: list[list[tuple[int, list[float]]]] = [[] for _ in range(judgments.n_items)]
    hard: list[list[tuple[int, int]]] = [[] for _ in range(judgments.n_items)]
    for i, m, label, row in zip(votes.item, votes.model, votes.label, votes.row, strict=True):
        if circular[m] and (judgments.item == i).any():
            continue
        if row >= 0 and believed[m]:
            soft[i].append((int(m), [max(float(q), LEAST_Q) for q in votes.probability[row]]))
        else:
            hard[i].append((int(m), int(label)))
            given = Counter(judgments.label[judgments.item == i].tolist())
            leaders = [k for k, n in given.items() if n == max(given.values())]
            (e, nu), K = echo[m], judgments.n_labels
            T = (label in leaders) / len(leaders) if leaders else 0.0
            echoed[int(i), int(m)] = e * ((1 - nu) * T + nu / K) if leaders else e / K
    return Spoken(soft, hard, votes.family.tolist(), [1 - e for e, _ in echo], echoed)


def log_linear(soft: list[tuple[int, list[float]]], weight: Reals, shares: Reals) -> Reals:
    """(K,) normalised."""
    joint = [float(s) ** float(weight[0]) for s in shares]
    for m, q in soft:
        joint = [p * q[k] ** float(weight[1 + m]) for k, p in enumerate(joint)]
    return np.array([p / sum(joint) for p in joint])


def vote(said: Spoken, i: int, m: int, v: int, Cm: Reals, u: int) -> float:
    """P_m(v | u) on one item."""
    return said.own[m] * float(Cm[m, u, v]) + said.echoed[i, m]


def likelihood(said: Spoken, i: int, hard: list[tuple[int, int]], Cm: Reals) -> list[float]:
    """L[u] of the votes of one family."""
    return [math.prod(vote(said, i, m, v, Cm, u) for m, v in hard) for u in range(Cm.shape[1])]


def item_prior(said: Spoken, i: int, weights: Weights, pi: Reals) -> Reals:
    """(K,) of one item, not normalised: P(label, hard votes), or P(label, hard votes | stated probabilities)."""
    shares = np.exp(weights.log_shares)
    joint = log_linear(said.soft[i], weights.weight, shares) if said.soft[i] else np.array(pi)
    for f in sorted({said.family[m] for m, _ in said.hard[i]}):
        L = likelihood(said, i, [(m, v) for m, v in said.hard[i] if said.family[m] == f], weights.Cm)
        for k in range(len(pi)):
            joint[k] *= L[k] if f in said.alone else sum(weights.CF[f, k, u] * L[u] for u in range(len(pi)))
    return joint


def posteriors(
    judgments: Judgments, said: Spoken, C: Reals, weights: Weights, pi: Reals, accepted: dict[int, set[int]]
) -> tuple[Reals, Reals]:
    """Posterior (I, K) and log evidence (I,) of judgments and votes."""
    joint = np.array([item_prior(said, i, weights, pi) for i in range(judgments.n_items)])
    for i, labels in accepted.items():
        for k in range(judgments.n_labels):
            if k not in labels:
                joint[i, k] = 0.0
    for i, w, observed in zip(judgments.item, judgments.worker, judgments.label, strict=True):
        joint[i] *= C[w, :, observed]
    evidence = joint.sum(axis=1)
    return joint / evidence[:, None], np.log(evidence)


def weight_value(said: Spoken, weight: Reals, shares: Reals, posterior: Reals) -> float:
    """Sum of z[i, k] log prior[i, k] over the items with stated probabilities."""
    value = 0.0
    for i, soft in enumerate(said.soft):
        if soft:
            prior = log_linear(soft, weight, shares)
            value += sum(float(z) * math.log(p) for z, p in zip(posterior[i], prior, strict=True))
    return value


def weight_slopes(said: Spoken, weight: Reals, shares: Reals, posterior: Reals) -> tuple[Reals, Reals]:
    """Its gradient, sum (E_z - E_prior)[feature], and negated Hessian, sum of the features' covariances."""
    n = len(weight)
    gradient, curvature = np.zeros(n), np.zeros((n, n))
    for i, soft in enumerate(said.soft):
        if not soft:
            continue
        prior = log_linear(soft, weight, shares)
        feature = np.zeros((n, len(shares)))
        feature[0] = np.log(shares)
        for m, q in soft:
            feature[1 + m] = np.log(q)
        mean = feature @ prior
        gradient += feature @ posterior[i] - mean
        for a in range(n):
            for b in range(n):
                curvature[a, b] += (prior * (feature[a] - mean[a]) * (feature[b] - mean[b])).sum()
    return gradient, curvature


def count_families(said: Spoken, weights: Weights, posterior: Reals) -> tuple[Reals, Reals]:
    """Expected counts behind Cm (M, K, K) and CF (F, K, K)."""
    K = posterior.shape[1]
    of_models, of_families = np.zeros_like(weights.Cm), np.zeros_like(weights.CF)
    for i, hard in enumerate(said.hard):
        for f in {said.family[m] for m, _ in hard}:
            own = [(m, v) for m, v in hard if said.family[m] == f]
            L = likelihood(said, i, own, weights.Cm)
            for k in range(K):
                for u in range(K):
                    if f in said.alone:
                        q = float(posterior[i, k]) if u == k else 0.0
                    else:
                        msg = sum(weights.CF[f, k, x] * L[x] for x in range(K))
                        q = posterior[i, k] * weights.CF[f, k, u] * L[u] / msg
                        of_families[f, k, u] += q
                    for m, v in own:
                        mine = said.own[m] * weights.Cm[m, u, v]
                        of_models[m, u, v] += q * mine / vote(said, i, m, v, weights.Cm, u)
    return of_models, of_families


def pseudo_counts(K: int) -> Reals:
    """4 on the diagonal, .2 off it."""
    return np.array([[4.0 if k == u else 0.2 for u in range(K)] for k in range(K)])


def log_density(said: Spoken, weights: Weights, start: Reals, learnt: list[int]) -> float:
    """Ridge about the start, and log Dirichlet(4 + 1, .2 + 1) of each row of Cm, and CF of the families ``learnt``."""
    density = -RIDGE * float(((weights.weight - start) ** 2).sum())
    A = pseudo_counts(weights.Cm.shape[1])
    if any(said.hard):
        for table in [*weights.Cm, *(weights.CF[f] for f in learnt)]:
            density += sum(naive.log_dirichlet(table[k], A[k] + 1) for k in range(len(A)))
    return density


def agreement(said: Spoken, family: int) -> tuple[int, int]:
    """Pairs of hard votes of one family on one item: agreeing, and all."""
    pairs = [
        (a, b)
        for hard in said.hard
        for (m, a), (n, b) in combinations(hard, 2)
        if said.family[m] == said.family[n] == family
    ]
    return sum(a == b for a, b in pairs), len(pairs)


def echo_fit(
    h: Reals, label: list[int], leads: Reals, e: float, passes: int
) -> tuple[list[list[float]], float, float, float]:
    """C, e, nu and the log likelihood (with the log prior of C) of the parameters before, after some EM passes."""
    K = h.shape[1]
    prior = [[1.6 if k == v else 0.4 / (K - 1) for v in range(K)] for k in range(K)]
    C, nu, value = [[prior[k][v] / 2 for v in range(K)] for k in range(K)], 0.1, 0.0
    for _ in range(passes):
        counts, echoes, astray = [list(row) for row in prior], 0.0, 0.0
        value = sum(prior[k][v] * math.log(C[k][v]) for k in range(K) for v in range(K))
        for i, v in enumerate(label):
            own = [(1 - e) * float(h[i, k]) * C[k][v] for k in range(K)]
            copy, noise = e * (1 - nu) * float(leads[i]), e * nu / K
            total = sum(own) + copy + noise
            value += math.log(total)
            echoes += (copy + noise) / total
            astray += noise / total
            for k in range(K):
                counts[k][v] += own[k] / total
        C = [[n / sum(row) for n in row] for row in counts]
        e, nu = echoes / len(label), min(max((astray + 0.5) / (echoes + 5), 1e-4), 0.5)
    return C, e, nu, value


def agreement_beyond(
    h: Reals, T: Reals, labels: tuple[list[int], list[int]], C: Reals, echo: list[tuple[float, float]]
) -> tuple[float, float, float]:
    """S, the sum of E (1 - E), and the sum of 1 - E of two models; -1 where one did not vote."""
    n, K = h.shape
    S = variance = room = 0.0
    for i in range(n):
        v = [labels[0][i], labels[1][i]]
        if min(v) < 0:
            continue
        expected = 0.0
        for k in range(K):
            for x in range(K):
                both = [(1 - e) * C[m, k, x] + e * ((1 - nu) * T[i, x] + nu / K) for m, (e, nu) in enumerate(echo)]
                expected += float(h[i, k] * both[0] * both[1])
        S += (v[0] == v[1]) - expected
        variance += expected * (1 - expected)
        room += 1 - expected
    return S, variance, room
