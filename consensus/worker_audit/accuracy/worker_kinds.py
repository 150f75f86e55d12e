"""How probable it is that a worker answers at random, or against the truth: a comparison of kinds of workers.

Each kind explains the same judgments of a worker, given what the others say about their items:

one coin
    Right with probability a, wrong answers even; a has a mixture of Beta distributions, as in ``accuracy`` but finer.
label shares
    Answers that have nothing to do with the truth: a Dirichlet-multinomial distribution of the labels given, around the
    shares of all workers' answers, more or less closely.
confusions
    A full confusion matrix with the crowd's prior A, or one of hostile workers. Its evidence is the variational bound
    log P(labels | others, C) - sum N log C + sum log B(N + A) - sum log B(A), B the multivariate Beta function: the
    posterior of the labels is held at that of the fit (Bishop 2006, section 10.1).

Of two labels, all kinds are distributions of two probabilities, to say the first label when it is true and when it is
not, and the likelihood is exact on a grid of both. One more kind is needed there:

one-sided
    Good on one of the labels, anything on the other. Without it those are taken for spammers who prefer a label.

The shares of the kinds are learnt by EM from all workers. Found to help, on simulated crowds: the even distribution of
errors rather than the fitted one (that one already knows the answers it is to explain), many narrow Beta distributions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import even_parts
from consensus.models import pooled_prior
from consensus.probabilities import normalised
from consensus.worker_audit.accuracy.accuracy_posterior import MOST_LEARNT, ROUNDS, densities
from consensus.worker_audit.accuracy.against_others import cell_likelihoods

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.result import Consensus
    from consensus.worker_audit.accuracy.likelihoods import Record, Records

    Reals = NDArray[np.float64]

N_COINS, COIN_WIDTH = 16, 30.0  # Beta distributions of the one coin, and the judgments that knowing one equals
POINTS = (np.arange(100) + 0.5) / 100  # accuracies at which one coins are weighed
CLOSENESS = (1.0, 4.0, 50.0)  # judgments that the shares of all answers are worth, for a worker's own
HOSTILE, STRENGTH = 0.3, 4.0  # accuracy of the prior of hostile confusions, as a share of chance; judgments it is worth
SHARES = {"coin": 0.86, "shares": 0.1, "confusions": 0.02, "hostile": 0.02}  # to begin with
ONE_SIDED = 0.02  # the same, of the kind that only two labels have
BEGINNING = 2.0  # workers that these shares are worth
SIDE = 30  # points of the grid of two labels, along each probability
WORKERS_AT_ONCE = 2000  # that the grid is weighed for
GOOD_SIDE = (9.0, 1.0)  # parameters of the Beta distribution of the accuracy on the good side of the one-sided
BELOW_CHANCE = 0.8  # share of chance (1/K) below which an accuracy is one against the truth
NEAR_CHANCE = 0.15  # of the way from chance to 1, up to which answers tell next to nothing


@dataclass(frozen=True, slots=True, eq=False)
class Kinds:
    """Posterior probabilities of what a worker does; the rest is that they follow the truth."""

    random: Reals
    """(W,) answers do not depend on the truth, or next to nothing."""
    hostile: Reals
    """(W,) answers are mostly wrong, less often right than by chance."""


def kinds(result: Consensus, records: Records) -> Kinds:
    """Compare the kinds for every worker."""
    W, K = len(records.even.n), result.judgments.n_labels
    if K < 2 or not W:
        return Kinds(np.zeros(W), np.zeros(W))
    if records.by_label is not None:
        return _of_two_labels(result, records.by_label)
    logs = records.even.log_likelihoods(POINTS) + records.even_log[:, None]
    others = np.stack([_of_label_shares(result), *_of_confusions(result, records)], axis=1)
    peak = np.maximum(logs.max(axis=1), others.max(axis=1))[:, None]
    likelihood, others = np.exp(logs - peak), np.exp(others - peak)
    coins = densities(POINTS, N_COINS, COIN_WIDTH)
    evidence = np.hstack([likelihood @ coins / len(POINTS), others])
    first = np.array([SHARES["coin"] / N_COINS] * N_COINS + [SHARES[kind] for kind in list(SHARES)[1:]])
    shares = _learnt(evidence, first)
    coin = likelihood * (coins @ shares[:N_COINS]) / len(POINTS)
    others = others * shares[N_COINS:]
    total = coin.sum(axis=1) + others.sum(axis=1)
    chance = 1.0 / K
    below = BELOW_CHANCE * chance
    of_all = result.confusions.totals().sum(axis=1)
    often_right = (result.confusions.right().sum(axis=1) + chance) / (of_all + 1.0)
    against = coin[:, below > POINTS].sum(axis=1) + others[:, 1:].sum(axis=1) * (often_right < below)
    near = (below <= POINTS) & (chance + NEAR_CHANCE * (1.0 - chance) > POINTS)
    return Kinds((coin[:, near].sum(axis=1) + others[:, 0]) / total, against / total)


def _learnt(evidence: Reals, first: Reals) -> Reals:
    """(M,) shares of the kinds by EM from their ``evidence`` (W, M); at ``first`` (M,) to begin with."""
    sample = evidence[:: -(-len(evidence) // MOST_LEARNT)]
    shares = first
    for _ in range(ROUNDS):
        shares = normalised((normalised(sample * shares).sum(axis=0) + BEGINNING * first)[None])[0]
    return shares


def _of_two_labels(result: Consensus, by_label: tuple[Record, Record]) -> Kinds:
    """The comparison where both probabilities of each worker are weighed on a grid."""
    points = (np.arange(SIDE) + 0.5) / SIDE
    first, second = (side.ravel() for side in np.meshgrid(points, points, indexing="ij"))  # P(1st label | 1st, 2nd)
    densities, begun = _densities_of_two(result, points)
    hostile = (first + 1.0 - second) / 2 < BELOW_CHANCE / 2
    random = ~hostile & (np.abs(first - second) < NEAR_CHANCE)
    regions = np.concatenate([densities, densities * random, densities * hostile]).T
    logs = []  # (bins, points) of either label given
    for record, true, other in zip(by_label, (first, 1.0 - second), (second, 1.0 - first), strict=True):
        s = record.s[:, None]
        logs.append(np.log(s * true + (1.0 - s) * other))
    W = len(by_label[0].n)
    found = np.empty((W, regions.shape[1]))

    def weigh(part: slice) -> None:
        likelihood = by_label[0].n[part] @ logs[0] + by_label[1].n[part] @ logs[1]
        likelihood -= likelihood.max(axis=1, keepdims=True)
        found[part] = np.exp(likelihood, out=likelihood) @ regions

    result.backend.map(weigh, even_parts(W, -(-W // WORKERS_AT_ONCE)))
    evidence, near, against = np.split(found, 3, axis=1)
    shares = _learnt(evidence, begun)
    total = evidence @ shares
    return Kinds(near @ shares / total, against @ shares / total)


def _densities_of_two(result: Consensus, points: Reals) -> tuple[Reals, Reals]:
    """(M, SIDE * SIDE) probabilities of the grid's points under each kind, and (M,) shares of these to begin with."""
    n = len(points)
    one_coin = np.zeros((N_COINS, n, n))
    one_coin[:, np.arange(n), np.arange(n)[::-1]] = densities(points, N_COINS, COIN_WIDTH).T
    pooled = _pooled_answers(result)
    whatever = np.diag(sum(_beta(points, *(c * pooled)) for c in CLOSENESS))
    A = result.confusions.pseudo_counts if result.confusions.pseudo_counts.any() else pooled_prior.fixed(2)
    usual = np.outer(_beta(points, *A[0]), _beta(points, *A[1]))
    one_sided = np.outer(_beta(points, *GOOD_SIDE), np.ones(n))
    one_sided = (one_sided + one_sided.T[::-1, ::-1]) * (points[:, None] > points)
    right, wrong = STRENGTH * HOSTILE / 2, STRENGTH * (1.0 - HOSTILE / 2)
    hostile = np.outer(_beta(points, right, wrong), _beta(points, wrong, right))
    kinds = np.concatenate([one_coin, np.stack([whatever, usual, one_sided, hostile])]).reshape(-1, n * n)
    shares = [SHARES["shares"], SHARES["confusions"], ONE_SIDED, SHARES["hostile"]]
    return normalised(kinds), normalised(np.array([[SHARES["coin"] / N_COINS] * N_COINS + shares]))[0]


def _beta(points: Reals, a: float, b: float) -> Reals:
    """(n,) density of Beta(a, b); scipy.stats has it, too, and takes half a second to be imported."""
    from scipy.special import betaln, xlog1py, xlogy

    return np.asarray(np.exp(xlogy(a - 1.0, points) + xlog1py(b - 1.0, -points) - betaln(a, b)), np.float64)


def _pooled_answers(result: Consensus) -> Reals:
    """(K,) shares of the labels among all judgments."""
    found = result.confusions
    given = np.bincount(found.row_label, weights=found.per_row(), minlength=found.n_labels) + 1.0
    return np.asarray(given / given.sum(), np.float64)


def _of_label_shares(result: Consensus) -> Reals:
    """(W,) log evidence, in nats, that answers are drawn from shares of labels, whatever the truth."""
    from scipy.special import gammaln

    found = result.confusions
    W, n_row = found.n_workers, found.per_row()
    n = np.bincount(found.row_worker, weights=n_row, minlength=W)
    pooled = _pooled_answers(result)
    logs = []
    for c in CLOSENESS:
        a = c * pooled
        gained = gammaln(n_row + a[found.row_label]) - gammaln(a)[found.row_label]
        of_rows = np.bincount(found.row_worker, weights=gained, minlength=W)
        logs.append(of_rows + gammaln(c) - gammaln(n + c))
    return np.asarray(np.logaddexp.reduce(logs, axis=0) - np.log(len(CLOSENESS)), np.float64)


def _of_confusions(result: Consensus, records: Records) -> list[Reals]:
    """(W,) log evidence, in nats, of confusions with the crowd's prior, and with that of hostile workers."""
    from scipy.special import gammaln

    found = result.confusions
    W, K = found.n_workers, found.n_labels
    if np.isnan(records.predicted).any():  # beside very many labels: not compared
        return [np.full(W, -np.inf)] * 2
    A = found.pseudo_counts if found.pseudo_counts.any() else pooled_prior.fixed(K)
    eye = np.eye(K) > 0
    hostile = STRENGTH * np.where(eye, HOSTILE / K, (1.0 - HOSTILE / K) / (K - 1))
    worker, totals, true, label = found.worker, found.totals(), found.true, found.label
    C = cell_likelihoods(result)
    fitted = records.predicted - np.bincount(worker, weights=found.counts * np.log(C), minlength=W)

    def evidence(prior: Reals) -> Reals:
        of_row = prior.sum(axis=1)
        each = gammaln(found.counts + prior[true, label]) - gammaln(prior)[true, label]
        gained = np.bincount(worker, weights=each, minlength=W)
        return np.asarray(fitted + gained - (gammaln(totals + of_row) - gammaln(of_row)).sum(axis=1))

    return result.backend.map(evidence, (A, hostile))
