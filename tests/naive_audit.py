"""What each worker's judgments say about their accuracy again, slow and obvious, in probability space."""

import math
import statistics

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from consensus.inputs.judgments import Judgments

Reals = NDArray[np.float64]


def cavity(judgments: Judgments, j: int, C: Reals, priors: Reals) -> Reals:
    """(K,) posterior of the item of judgment j by its prior (I, K) and its other judgments; C[w, true, observed]."""
    i = judgments.item[j]
    z = priors[i].copy()
    for other in range(judgments.n_judgments):
        if judgments.item[other] == i and other != j:
            z *= C[judgments.worker[other], :, judgments.label[other]]
            z /= z.max()
    return np.asarray(z / z.sum(), np.float64)


def right_of_others(judgments: Judgments, j: int, likelihood: Reals, z: Reals, most: int) -> float:
    """The median of P(right) of others' labels of an item, each by ``z`` (K,) without it and without judgment j.

    ``z`` is untempered; ``likelihood`` (J, K) of each judgment by true label. Of many, ``most`` evenly spaced ones.
    """
    item, worker, label = judgments.item, judgments.worker, judgments.label
    of_item = [h for h in range(len(item)) if item[h] == item[j]]
    found = []
    for h in of_item[:: math.ceil(len(of_item) / most)]:
        if worker[h] != worker[j]:
            left = z / likelihood[j] / likelihood[h]
            found.append(left[int(label[h])] / left.sum())
    return statistics.median(found) if found else math.nan


def halfway(C: Reals, N: Reals, patience: float) -> Reals:
    """(W, K, K) geometric mean of the confusions and a coin of each worker's accuracy, from expected counts N."""
    right = np.einsum("wkk->w", N)
    n = N.sum(axis=(1, 2))
    usual = right.sum() / n.sum()
    found = np.empty_like(C)
    K = C.shape[1]
    for w in range(len(C)):
        a = min(max((right[w] + patience * usual) / (n[w] + patience), 0.02), 0.98)
        for k in range(K):
            for observed in range(K):
                coin = a if k == observed else (1 - a) / (K - 1)
                found[w, k, observed] = math.sqrt(coin * C[w, k, observed])
    return found


def shares(judgments: Judgments, C: Reals, half: Reals, priors: Reals) -> Reals:
    """(J, 3) s of each judgment with wrong answers as in the confusions, s with even ones, log P(label | others, C)."""
    K = judgments.n_labels
    found = np.empty((judgments.n_judgments, 3))
    for j in range(judgments.n_judgments):
        w, observed = judgments.worker[j], judgments.label[j]
        z = cavity(judgments, j, half, priors)
        wrong = sum(z[k] * C[w, k, observed] / (1 - C[w, k, k]) for k in range(K) if k != observed)
        even = (1 - z[observed]) / max(K - 1, 1)
        found[j, 0] = z[observed] / (z[observed] + wrong)
        found[j, 1] = z[observed] / (z[observed] + even)
        found[j, 2] = math.log(z @ C[w, :, observed])
    return found


def agreement_sums(judgments: Judgments, posterior: Reals, rho: float, doubt: float) -> Reals:
    """(W, 3) sums of r, r (1 - r), and the untempered r: r the probability of the label given, own vote kept.

    ``posterior`` (I, K) was tempered with ``rho``; r is tempered with the larger of it and ``doubt``.
    """
    found = np.zeros((judgments.n_workers, 3))
    for j in range(judgments.n_judgments):
        i, w, observed = judgments.item[j], judgments.worker[j], judgments.label[j]
        n = int(np.count_nonzero(judgments.item == i))
        untempered = posterior[i] ** (1 + rho * (n - 1))
        untempered /= untempered.sum()
        doubted = untempered ** (1 / (1 + max(rho, doubt) * (n - 1)))
        r = doubted[observed] / doubted.sum()
        found[w] += [r, r * (1 - r), untempered[observed]]
    return found


def log_likelihood(n: Reals, s: Reals, a: float) -> float:
    """Sum of n log(s a + (1 - s) (1 - a))."""
    return float(sum(m * math.log(t * a + (1 - t) * (1 - a)) for m, t in zip(n, s, strict=True) if m))


def kinds_of_two(n: Reals, s: Reals, densities: Reals, first: Reals, worth: float) -> list[tuple[float, float]]:
    """(random, hostile) of each worker, from judgments n (2, W, B) that give either of two labels, and their s (2, B).

    ``densities`` (M, G, G) has the probability of saying the first label when it is true, and when the second is;
    ``first`` (M,) are the shares of the kinds to begin with, worth so many workers.
    """
    M, G, _ = densities.shape
    W = n.shape[1]
    likelihood = np.zeros((W, G, G))
    for w in range(W):
        for i in range(G):
            for j in range(G):
                p, q, log = (i + 0.5) / G, (j + 0.5) / G, 0.0
                for b in range(n.shape[2]):
                    log += n[0, w, b] * math.log(s[0, b] * p + (1 - s[0, b]) * q)
                    log += n[1, w, b] * math.log(s[1, b] * (1 - q) + (1 - s[1, b]) * (1 - p))
                likelihood[w, i, j] = log
        likelihood[w] = np.exp(likelihood[w] - likelihood[w].max())
    shares = first
    for _ in range(100):
        members = worth * first
        for w in range(W):
            each = np.array([shares[m] * (likelihood[w] * densities[m]).sum() for m in range(M)])
            members = members + each / each.sum()
        shares = members / members.sum()
    found = []
    for w in range(W):
        posterior = likelihood[w] * sum(share * density for share, density in zip(shares, densities, strict=True))
        random = hostile = 0.0
        for i in range(G):
            for j in range(G):
                p, q = (i + 0.5) / G, (j + 0.5) / G
                if (p + 1 - q) / 2 < 0.8 / 2:
                    hostile += posterior[i, j]
                elif abs(p - q) < 0.15:
                    random += posterior[i, j]
        found.append((random / posterior.sum(), hostile / posterior.sum()))
    return found


def kinds_of_many(
    n: Reals, s: Reals, even_log: Reals, others: Reals, often_right: Reals, K: int
) -> list[tuple[float, float]]:
    """(random, hostile) of each worker, from judgments n (W, B), their s (B,) and what the grid adds (W,), in logs.

    ``others`` (W, 3) has the log evidence of answers by shares, of any confusions, and of hostile ones.
    """
    points = [(p + 0.5) / 100 for p in range(100)]
    coins = [[beta.pdf(a, 1 + 30 * (m + 0.5) / 16, 31 - 30 * (m + 0.5) / 16) for a in points] for m in range(16)]
    likelihood, evidence = [], []
    for w in range(len(n)):
        logs = [log_likelihood(n[w], s, a) + even_log[w] for a in points]
        peak = max([*logs, *others[w]])
        likelihood.append([math.exp(log - peak) for log in logs])
        of_coins = [sum(p * d for p, d in zip(likelihood[w], coin, strict=True)) / 100 for coin in coins]
        evidence.append([*of_coins, *(math.exp(log - peak) for log in others[w])])
    first = [0.86 / 16] * 16 + [0.1, 0.02, 0.02]
    shares = first
    for _ in range(100):
        members = [2 * share for share in first]
        for each in evidence:
            total = sum(share * one for share, one in zip(shares, each, strict=True))
            members = [m + share * one / total for m, share, one in zip(members, shares, each, strict=True)]
        shares = [m / sum(members) for m in members]
    found = []
    for w, each in enumerate(evidence):
        total = sum(share * one for share, one in zip(shares, each, strict=True))
        random, hostile = shares[16] * each[16], 0.0
        if often_right[w] < 0.8 / K:
            hostile += shares[17] * each[17] + shares[18] * each[18]
        for p, a in enumerate(points):
            mass = likelihood[w][p] * sum(shares[m] * coins[m][p] for m in range(16)) / 100
            if a < 0.8 / K:
                hostile += mass
            elif a < 1 / K + 0.15 * (1 - 1 / K):
                random += mass
        found.append((random / total, hostile / total))
    return found
