"""Slow twins of the class prior and of label mixes: nested loops over plain lists, straight from the formulas."""

import math

import numpy as np
from scipy.special import digamma, gammaln

from consensus.inputs.judgments import Judgments

Reals = np.ndarray


def untold(judgments: Judgments, C: Reals, items: list[int]) -> float:
    """U of some items: by how far their likelihoods, alike before, fall short of one label."""
    K, best = judgments.n_labels, []
    for i in items:
        u = [1.0] * K
        for n, w, observed in zip(judgments.item, judgments.worker, judgments.label, strict=True):
            if n == i:
                u = [u[k] * C[w, k, observed] for k in range(K)]
        best.append(max(u) / sum(u))
    return 1 - (sum(best) / len(best) - 1 / K) / (1 - 1 / K)


def concentration(n: Reals, pi: Reals, s: float, steps: int) -> float:
    """So many steps of s from the counts n (S, K) of owners."""
    for _ in range(steps):
        gained = lost = 0.0
        for row in n:
            for k, count in enumerate(row):
                gained += s * pi[k] * (digamma(count + s * pi[k]) - digamma(s * pi[k]))
            lost += digamma(row.sum() + s) - digamma(s)
        s = min(max((gained + 1) / (lost + 0.02), 0.5), 1e4)
    return s


def evidence(n: Reals, pi: Reals, s: float, per_item: float) -> float:
    """G."""
    G = 0.0
    for row in n:
        for k, count in enumerate(row):
            G += gammaln(count + s * pi[k]) - gammaln(s * pi[k]) - count * math.log(pi[k])
        G += gammaln(s) - gammaln(row.sum() + s)
    return G / per_item


def mixed_priors(judgments: Judgments, owner: Reals, n: Reals, pi: Reals, s: float) -> Reals:
    """(I, K) mean of theta over the owners of each item's judgments; -1 owns pi."""
    out = np.tile(pi, (judgments.n_items, 1))
    for i in range(judgments.n_items):
        theta = []
        for j in range(judgments.n_judgments):
            if judgments.item[j] == i:
                o = owner[j]
                theta.append(pi if o < 0 else (n[o] + s * pi) / (n[o].sum() + s))
        if theta:
            out[i] = np.mean(theta, axis=0)
    return out
