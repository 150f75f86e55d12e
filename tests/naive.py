"""Every kernel and model step again, slow and obvious, in probability space: the specification.

Written from the formulas (Dawid & Skene 1979; Minka 2000); shares no code with ``consensus.kernels``.
"""

import math
from collections import Counter
from fractions import Fraction
from itertools import combinations, permutations, product

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma

from consensus.inputs.judgments import Judgments

Reals = NDArray[np.float64]


def posteriors(
    judgments: Judgments, confusion: Reals, prior: Reals, accepted: dict[int, set[int]] | None = None
) -> tuple[Reals, Reals]:
    """Posterior (I, K) and log evidence (I,); ``accepted`` labels of gold items."""
    joint = np.tile(prior, (judgments.n_items, 1))
    for i, labels in (accepted or {}).items():
        for k in range(judgments.n_labels):
            if k not in labels:
                joint[i, k] = 0.0
    for i, w, observed in zip(judgments.item, judgments.worker, judgments.label, strict=True):
        joint[i] *= confusion[w, :, observed]
    evidence = joint.sum(axis=1)
    return joint / evidence[:, None], np.log(evidence)


def tempered(posterior: Reals, n: NDArray[np.int64], rho: float) -> Reals:
    """z ** (1 / (1 + rho (n - 1))), normalised."""
    out = np.empty_like(posterior)
    for i in range(len(posterior)):
        out[i] = posterior[i] ** (1 / (1 + rho * max(n[i] - 1, 0)))
        out[i] /= out[i].sum()
    return out


def counts(judgments: Judgments, posterior: Reals) -> Reals:
    """N[w, true, observed]."""
    N = np.zeros((judgments.n_workers, judgments.n_labels, judgments.n_labels))
    for i, w, observed in zip(judgments.item, judgments.worker, judgments.label, strict=True):
        for k in range(judgments.n_labels):
            N[w, k, observed] += posterior[i, k]
    return N


def confusions(N: Reals, A: Reals) -> Reals:
    """C[w, true, observed] = (N + A) / (n + A.)."""
    C = np.empty_like(N)
    for w in range(len(N)):
        for k in range(N.shape[1]):
            for observed in range(N.shape[1]):
                C[w, k, observed] = (N[w, k, observed] + A[k, observed]) / (N[w, k].sum() + A[k].sum())
    return C


def likeliest_confusions(N: Reals, smallest: float) -> Reals:
    """C = N / n, at least ``smallest``; 1 / K where n is 0: maximum likelihood, without a prior."""
    C = np.empty_like(N)
    for w in range(len(N)):
        for k in range(N.shape[1]):
            for observed in range(N.shape[1]):
                n = N[w, k].sum()
                C[w, k, observed] = max(N[w, k, observed] / n, smallest) if n > 0 else 1 / N.shape[1]
    return C


def prior_gains(A: Reals, N: Reals) -> tuple[Reals, float]:
    """Sums over workers of psi(N + A) - psi(A), by [observed, true], and of psi(n + A.) - psi(A.) over true labels."""
    K = len(A)
    gain, d = np.zeros((K, K)), 0.0
    for w in range(len(N)):
        for k in range(K):
            d += digamma(N[w, k].sum() + A[k].sum()) - digamma(A[k].sum())
            for observed in range(K):
                gain[observed, k] += digamma(N[w, k, observed] + A[k, observed]) - digamma(A[k, observed])
    return gain, d


def improved_prior(A: Reals, N: Reals) -> Reals:
    """One fixed-point step for the shared pseudo-counts (``pooled_prior.improved``)."""
    K = len(A)
    p = np.zeros((K, K))
    d = 0.0
    for w in range(len(N)):
        for k in range(K):
            d += digamma(N[w, k].sum() + A[k].sum()) - digamma(A[k].sum())
            for observed in range(K):
                p[k, observed] += A[k, observed] * (
                    digamma(N[w, k, observed] + A[k, observed]) - digamma(A[k, observed])
                )
    a = min(max(np.trace(p) / p.sum(), 1 / K + 0.02), 0.99)
    m = np.empty((K, K))
    for k in range(K):
        for observed in range(K):
            m[k, observed] = p[k, observed] + 20 * (a if k == observed else (1 - a) / (K - 1))
        m[k] /= m[k].sum()
    return np.asarray(min(max((p.sum() + 1) / (d + 0.02), 0.1), 1e4) * m)


def log_dirichlet(x: Reals, alpha: Reals) -> float:
    """Log density of Dirichlet(alpha) at x."""
    density = math.lgamma(alpha.sum())
    for a, value in zip(alpha, x, strict=True):
        density += (a - 1) * math.log(value) - math.lgamma(a)
    return float(density)


def objective(judgments: Judgments, C: Reals, pi: Reals, A: Reals, pseudo_items: Reals | float = 1.0) -> float:
    """Log likelihood + log Dirichlet(pi; 1 + pseudo-items) + sum_wk log Dirichlet(C[w, k]; A[k] + 1)."""
    _, log_evidence = posteriors(judgments, C, pi)
    total = log_evidence.sum() + log_dirichlet(pi, np.full(len(pi), 1.0) + pseudo_items)
    for w in range(len(C)):
        for k in range(len(pi)):
            total += log_dirichlet(C[w, k], A[k] + 1)
    return float(total)


def label_counts(judgments: Judgments) -> Reals:
    """Votes (I, K)."""
    votes = np.zeros((judgments.n_items, judgments.n_labels))
    for i, observed in zip(judgments.item, judgments.label, strict=True):
        votes[i, observed] += 1
    return votes


def em_pass(
    judgments: Judgments, confusion: Reals, prior: Reals, accepted: dict[int, set[int]] | None = None
) -> tuple[float, Reals, Reals]:
    """Log evidence, counts N[w, true, observed] and mass (K,) after one E-step; in whole fractions: nothing underflows.

    Items that were neither judged nor gold say nothing about the mass.
    """
    K = judgments.n_labels
    N, mass, log_evidence = np.zeros((judgments.n_workers, K, K)), np.zeros(K), 0.0
    for i in range(judgments.n_items):
        own = [j for j in range(judgments.n_judgments) if judgments.item[j] == i]
        if not own and i not in (accepted or {}):
            continue
        joint = [Fraction(float(p)) for p in prior]
        for k in range(K):
            if accepted and i in accepted and k not in accepted[i]:
                joint[k] = Fraction(0)
            for j in own:
                joint[k] *= Fraction(float(confusion[judgments.worker[j], k, judgments.label[j]]))
        evidence = sum(joint)
        log_evidence += math.log(evidence.numerator) - math.log(evidence.denominator)
        for k in range(K):
            z = float(joint[k] / evidence)
            mass[k] += z
            for j in own:
                N[judgments.worker[j], k, judgments.label[j]] += z
    return log_evidence, N, mass


def votes(judgments: Judgments) -> list[tuple[int, int]]:
    """Majority label of each item, -1 on a tie or without judgments, and how many labels it got."""
    found = []
    for i in range(judgments.n_items):
        given = Counter(judgments.label[judgments.item == i].tolist())
        best = [label for label, n in given.items() if n == max(given.values())]
        found.append((best[0] if len(best) == 1 else -1, len(given)))
    return found


def vote_posterior(judgments: Judgments, hard: bool) -> Reals:
    """Shares (I, K) of the item's judgments; if ``hard``, of its most frequent labels; uniform without judgments."""
    out = label_counts(judgments)
    for i in range(judgments.n_items):
        if hard:
            out[i] = [float(n == max(out[i])) for n in out[i]]
        if sum(out[i]) == 0:
            out[i] = 1.0
        out[i] = out[i] / sum(out[i])
    return out


def peak(q: Reals, tie: float) -> tuple[int, bool, int, float, float, float]:
    """Best label (the first within ``tie`` of the top), tied, runner-up, confidence, margin, entropy of one item."""
    top = max(q)
    close = [k for k in range(len(q)) if q[k] >= top - tie]
    others = [k for k in range(len(q)) if k != close[0] and q[k] > 0]
    runner_up = max(others, key=lambda k: (q[k], -k)) if others else -1
    second = q[runner_up] if others else 0.0
    return close[0], len(close) > 1, runner_up, float(top), float(max(top - second, 0.0)), entropy(q)


def doubt(judgments: Judgments, posterior: Reals) -> Reals:
    """Sum of r (1 - r) by worker, r the probability that a judgment is right."""
    found = np.zeros(judgments.n_workers)
    for i, w, observed in zip(judgments.item, judgments.worker, judgments.label, strict=True):
        found[w] += posterior[i, observed] * (1 - posterior[i, observed])
    return found


def groups(judgments: Judgments) -> list[set[int]]:
    """Workers who share items, directly or through others: flood fill."""
    left = set(range(judgments.n_workers))
    found = []
    while left:
        group, waiting = set[int](), [min(left)]
        while waiting:
            w = waiting.pop()
            group.add(w)
            items = set(judgments.item[judgments.worker == w].tolist())
            near = {int(v) for i, v in zip(judgments.item, judgments.worker, strict=True) if int(i) in items}
            waiting += near - group
        found.append(group)
        left -= group
    return found


def peer_agreement(judgments: Judgments) -> tuple[Reals, Reals, Reals]:
    """By worker: agreeing judgments by others on the items of each own judgment, all of those, and the items."""
    agreeing, peers = (np.zeros(judgments.n_workers) for _ in range(2))
    for a in range(judgments.n_judgments):
        for b in range(judgments.n_judgments):
            same_item = judgments.item[a] == judgments.item[b]
            if same_item and judgments.worker[a] != judgments.worker[b]:
                peers[judgments.worker[a]] += 1
                agreeing[judgments.worker[a]] += judgments.label[a] == judgments.label[b]
    items = [len(set(judgments.item[judgments.worker == w].tolist())) for w in range(judgments.n_workers)]
    return agreeing, peers, np.array(items, float)


def worker_pairs(judgments: Judgments, items: NDArray[np.int32]) -> list[tuple[int, int, int]]:
    """Both workers of every pair of judgments of an item, and whether they agree."""
    found = []
    for i in items:
        on_item = [j for j in range(judgments.n_judgments) if judgments.item[j] == i]
        for a, b in combinations(on_item, 2):
            agree = int(judgments.label[a] == judgments.label[b])
            found.append((int(judgments.worker[a]), int(judgments.worker[b]), agree))
    return found


def held_out_score(z: Reals, n: int, rho: float, likelihood: Reals) -> float:
    """Log sum_k z~[k] P(observed | k) of one held-out judgment."""
    weights = z ** (1 / (1 + rho * max(n - 1, 0)))
    return math.log(float((weights / weights.sum()) @ likelihood))


def entropy(q: Reals) -> float:
    """Entropy in nats."""
    return -float(sum(p * math.log(p) for p in q if p > 0))


def information_gain(q: Reals, confusions: Reals) -> float:
    """H(q) - mean_g sum_l m_gl H(q C_g[:, l] / m_gl)."""
    gain = 0.0
    for C in confusions:
        gain += entropy(q)
        for answer in range(len(q)):
            marginal = sum(q[k] * C[k, answer] for k in range(len(q)))
            if marginal > 0:
                gain -= marginal * entropy(q * C[:, answer] / marginal)
    return gain / len(confusions)


def mutual_information(prior: Reals, C: Reals) -> float:
    """sum_kl prior[k] C[k, l] log(C[k, l] / sum_k prior[k] C[k, l])."""
    total = 0.0
    for observed in range(len(prior)):
        marginal = sum(prior[k] * C[k, observed] for k in range(len(prior)))
        for k in range(len(prior)):
            if C[k, observed] > 0:
                total += prior[k] * C[k, observed] * math.log(C[k, observed] / marginal)
    return total


def without_own(
    judgments: Judgments, item: int, z: Reals, N: Reals, A: Reals, pi: Reals, rho: float, nothing_known: float
) -> Reals:
    """Posterior of an item whose judgments are taken out of its workers' counts, ``z`` being its own posterior."""
    N = N.copy()
    own = [j for j in range(judgments.n_judgments) if judgments.item[j] == item]
    for j in own:
        N[judgments.worker[j], :, judgments.label[j]] -= z
    joint = pi.copy()
    for j in own:
        w, observed = judgments.worker[j], judgments.label[j]
        for k in range(len(pi)):
            total = N[w, k].sum() + A[k].sum()
            joint[k] *= (N[w, k, observed] + A[k, observed]) / total if total > 1e-9 else nothing_known
    (found,) = tempered((joint / joint.sum())[None], np.array([len(own)]), rho)
    return np.asarray(found)


def answers(judgments: Judgments) -> list[list[int]]:
    """The labels given to each item that two workers or more judged; one a worker, none of those who contradict
    themselves.
    """
    found = []
    for i in range(judgments.n_items):
        said: dict[int, set[int]] = {}
        for j in range(judgments.n_judgments):
            if judgments.item[j] == i:
                said.setdefault(int(judgments.worker[j]), set()).add(int(judgments.label[j]))
        labels = [next(iter(one)) for one in said.values() if len(one) == 1]
        if len(labels) > 1:
            found.append(labels)
    return found


def coincidences(items: list[list[int]], n_labels: int) -> Reals:
    """Ordered pairs of answers of each item, each weighing 1 / (n - 1) (Krippendorff 2011)."""
    found = np.zeros((n_labels, n_labels))
    for labels in items:
        for a, b in permutations(range(len(labels)), 2):
            found[labels[a], labels[b]] += 1 / (len(labels) - 1)
    return found


def krippendorff_alpha(o: Reals, ordinal: bool = False) -> float:
    """1 - D_o / D_e of a coincidence matrix; NaN without expected disagreement."""
    n_labels, given = len(o), o.sum(axis=1)
    n = given.sum()
    observed = expected = 0.0
    for k in range(n_labels):
        for other in range(n_labels):
            low, high = min(k, other), max(k, other)
            ranks = sum(given[low : high + 1]) - (given[k] + given[other]) / 2
            distance = ranks**2 if ordinal else float(k != other)
            observed += o[k, other] * distance / n
            expected += given[k] * given[other] * distance / (n * (n - 1))
    return 1 - observed / expected if expected > 1e-12 else math.nan


def item_agreement(labels: list[int]) -> float:
    """Share of the pairs of answers that agree."""
    pairs = list(combinations(labels, 2))
    return sum(a == b for a, b in pairs) / len(pairs)


def mean_shares(items: list[list[int]], n_labels: int) -> list[float]:
    """Share of each label, mean over items."""
    return [sum(labels.count(k) / len(labels) for labels in items) / len(items) for k in range(n_labels)]


def fleiss_kappa(items: list[list[int]], n_labels: int) -> float:
    """Fleiss 1971 with shares and agreement as means over items (Gwet 2014)."""
    observed = sum(item_agreement(labels) for labels in items) / len(items)
    by_chance = sum(share**2 for share in mean_shares(items, n_labels))
    return (observed - by_chance) / (1 - by_chance) if by_chance < 1 - 1e-12 else math.nan


def gwet_ac1(items: list[list[int]], n_labels: int) -> float:
    """Gwet 2008, eq. 5 and 6 for several raters."""
    if n_labels == 1:
        return math.nan
    observed = sum(item_agreement(labels) for labels in items) / len(items)
    by_chance = sum(share * (1 - share) for share in mean_shares(items, n_labels)) / (n_labels - 1)
    return (observed - by_chance) / (1 - by_chance)


def support(
    judgments: Judgments, best: NDArray[np.int32], strong: NDArray[np.bool_], right: Reals
) -> list[tuple[int, int, float]]:
    """By item: strong workers, their judgments that do not say ``best``, and the least ``right`` of those that do."""
    found = []
    for i in range(judgments.n_items):
        own = [j for j in range(judgments.n_judgments) if judgments.item[j] == i]
        of_strong = [j for j in own if strong[judgments.worker[j]]]
        against = [j for j in of_strong if judgments.label[j] != best[i]]
        saying = [float(right[j]) for j in own if judgments.label[j] == best[i]]
        found.append((len({int(judgments.worker[j]) for j in of_strong}), len(against), min(saying, default=0.0)))
    return found


def poisson_binomial(p: list[float], n: int) -> tuple[float, float]:
    """P(``n`` or more of independent events with probabilities ``p`` happen), P(just ``n`` do): all outcomes."""
    more = just = 0.0
    for outcome in product((False, True), repeat=len(p)):
        share = math.prod(chance if happens else 1 - chance for chance, happens in zip(p, outcome, strict=True))
        more += share if sum(outcome) >= n else 0.0
        just += share if sum(outcome) == n else 0.0
    return more, just


def p_wrong(untempered: Reals, n: list[int], accepted: list[set[int]], rhos: Reals, shares: Reals) -> Reals:
    """P(the gold is wrong) of gold items, averaged over pairs of rho and the share of wrong gold by how likely each
    makes the gold.

    ``untempered`` (G, K) is the crowd's posterior without the gold; a crowd is never believed beyond 1 - 1e-4. The
    shares lie evenly on a scale of logs, and their prior is exponential with mean .03.
    """
    G, K = untempered.shape
    total, weights = np.zeros(G), 0.0
    for rho in rhos:
        q = tempered(untempered, np.array(n), rho) * (1 - 1e-4) + 1e-4 / K
        for e in shares:
            weight, wrong = math.exp(-e / 0.03) * e, np.zeros(G)
            for i in range(G):
                right = sum(q[i, k] for k in accepted[i]) * (1 - e)
                other = sum(q[i, k] for k in range(K) if k not in accepted[i]) * e / (K - 1)
                weight *= right + other
                wrong[i] = other / (right + other)
            total += weight * wrong
            weights += weight
    return total / weights
