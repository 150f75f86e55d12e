"""Readings over states finer than labels, and their average, again: slow and obvious, in probability space.

State s of S = K Q belongs to label s // Q. Shares no code with ``consensus``.
"""

import numpy as np
from scipy.special import digamma

from consensus.inputs.judgments import Judgments
from tests import naive

Reals = naive.Reals


def joint(judgments: Judgments, C: Reals, prior: Reals) -> Reals:
    """(I, S) probability of each state and the judgments; ``C`` [w, state, observed], ``prior`` (I, S)."""
    found = prior.copy()
    for i, w, observed in zip(judgments.item, judgments.worker, judgments.label, strict=True):
        found[i] *= C[w, :, observed]
    return found


def label_posteriors(judgments: Judgments, C: Reals, prior: Reals, power: Reals) -> Reals:
    """(I, K) summed over the states of each label, to the power of the item, normalised."""
    K = judgments.n_labels
    of_states = joint(judgments, C, prior)
    found = np.zeros((judgments.n_items, K))
    for i in range(judgments.n_items):
        for s in range(of_states.shape[1]):
            found[i, s // (of_states.shape[1] // K)] += of_states[i, s]
        found[i] = (found[i] / found[i].max()) ** power[i]
        found[i] /= found[i].sum()
    return found


def prediction(z: Reals, n: int, rho: float, likelihood: Reals) -> float:
    """P(a judgment of an item) from the posterior (S,) of its states by n others, tempered."""
    weight = z ** (1 / (1 + rho * max(n - 1, 0)))
    return float(weight @ likelihood / weight.sum())


def mixture_weights(likelihood: Reals, n_passes: int) -> Reals:
    """(M,) by EM from equal weights."""
    n, M = likelihood.shape
    weight = np.full(M, 1 / M)
    for _ in range(n_passes):
        mass = np.ones(M)
        for j in range(n):
            mass += weight * likelihood[j] / (weight @ likelihood[j])
        weight = mass / (n + M)
    return weight


def improved_prior(A: Reals, N: Reals) -> Reals:
    """One fixed-point step for A[s, l]: its mean held by that of the label, which is held by one coin."""
    S, K = A.shape
    p, d = np.zeros((S, K)), 0.0
    for w in range(len(N)):
        for s in range(S):
            d += digamma(N[w, s].sum() + A[s].sum()) - digamma(A[s].sum())
            for observed in range(K):
                p[s, observed] += A[s, observed] * (
                    digamma(N[w, s, observed] + A[s, observed]) - digamma(A[s, observed])
                )
    pooled = np.zeros((K, K))
    for s in range(S):
        pooled[s // (S // K)] += p[s]
    a = min(max(np.trace(pooled) / pooled.sum(), 1 / K + 0.02), 0.99)
    m = np.empty((S, K))
    for s in range(S):
        k = s // (S // K)
        of_label = pooled[k] + 20 * np.array([a if k == observed else (1 - a) / (K - 1) for observed in range(K)])
        m[s] = p[s] + 20 * of_label / of_label.sum()
        m[s] /= m[s].sum()
    return np.asarray(min(max((p.sum() + 1) / (d + 0.02), 0.1), 1e4) * m)


def subtypes_start(judgments: Judgments, of_labels: Reals) -> Reals:
    """(I, 3 K) every label's posterior over its three kinds of items."""
    votes, K = naive.label_counts(judgments), judgments.n_labels
    share = np.full_like(votes, 1 / K)
    least = np.ones(K)
    for i in range(judgments.n_items):
        if votes[i].sum():
            share[i] = votes[i] / votes[i].sum()
            for k in range(K):
                if votes[i, k] == votes[i].max():
                    least[k] = min(least[k], share[i, k])
    found = np.zeros((judgments.n_items, 3 * K))
    for i in range(judgments.n_items):
        for k in range(K):
            place = min(2 * (1 - share[i, k]) / max(1 - least[k], 1e-12), 2.0)
            for q in range(3):
                found[i, 3 * k + q] = of_labels[i, k] * max(1 - abs(place - q), 0)
    return found


def lure_start(judgments: Judgments, of_labels: Reals) -> Reals:
    """(I, K K) every label's posterior, times the share of the judgments that name each label."""
    share, K = naive.vote_posterior(judgments, False), judgments.n_labels
    found = np.zeros((judgments.n_items, K * K))
    for k in range(K):
        for lure in range(K):
            found[:, K * k + lure] = of_labels[:, k] * share[:, lure]
    return found


def log_density(psi: Reals) -> float:
    """Log Dirichlet(psi; 2) of the states of every label, (K, Q)."""
    return sum(naive.log_dirichlet(one, np.full(len(one), 2.0)) for one in psi)
