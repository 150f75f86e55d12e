"""What the posterior of an item would be, had it not been used to rate its own workers: its cavity."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import SMALLEST
from consensus.probabilities import normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.inputs.gold import AlignedGold
    from consensus.models.expectation_maximisation import Estimate
    from consensus.models.problem import Problem


BLOCK = 5_000_000  # judgments times labels that are worked on at once


def without_gold(problem: Problem, estimate: Estimate, gold: AlignedGold) -> NDArray[np.float64]:
    """(G, K) logarithms of the posterior of the gold items as if their gold were unknown, to audit the confidence.

    Over the states of the problem, where it has several to a label.

    Not tempered, and up to a constant of each item.

    Their own judgments are taken out of their workers' counts: C = (N - m z + A) / (n - m z + A.), with m judgments of
    the worker on the item (more than one only where repeats are kept), in units. The class prior pi and A are not
    refitted, so that the audit is approximate: slightly kind.
    """
    judgments = problem.judgments
    n_cells = np.cumsum(judgments.per_item[gold.items]) * judgments.n_labels
    cuts = np.flatnonzero(np.diff(n_cells // BLOCK, prepend=0)).tolist()
    bounds = [0, *(cut for cut in cuts if cut), len(gold.items)]
    parts = [slice(a, b) for a, b in itertools.pairwise(bounds)]
    return np.concatenate([_without(problem, estimate, gold, part) for part in parts])


def _without(problem: Problem, estimate: Estimate, gold: AlignedGold, part: slice) -> NDArray[np.float64]:
    judgments, items, accepted = problem.judgments, gold.items[part], problem.accepted[part]
    own, judgment = judgments.of_items(items)
    worker, label = judgments.worker[judgment], judgments.label[judgment]
    log_prior = np.log(_priors(problem, estimate, items))
    gathered = problem.layout.gathered(estimate, judgment)
    log_posterior = log_prior.copy()
    each = None if problem.units is None else problem.units.judgment[judgment]
    logs = log_likelihoods(own, worker, label, gathered, estimate.A, np.where(accepted, log_prior, -np.inf), each)
    if problem.newcomers is not None:  # who count as one: what all of them did does not hang on an item
        those = problem.newcomers.band[worker] >= 0
        logs[those] = np.log(np.maximum(gathered[2][those], SMALLEST))
    if problem.loners is not None:  # nor does what they are believed
        those = problem.loners.members[worker]
        logs[those] = np.log(gathered[2][those])
    np.add.at(log_posterior, own, logs)
    return log_posterior


def log_likelihoods(
    own: NDArray[np.int64],
    worker: NDArray[np.int32],
    label: NDArray[np.int32],
    gathered: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    A: NDArray[np.float64],
    log_prior: NDArray[np.float64],
    each: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """(n, K) log P(observed | true) of judgments, those of the same item taken out of the counts of their workers.

    ``own`` (n,) is the item of each judgment, a row of ``log_prior`` (G, K), which is -inf where gold forbids a label;
    ``gathered`` as by ``Layout.gathered``; ``A`` (K, K); ``each`` (n,) what judgments count for, None: each as one.
    """
    N, n, C = gathered
    log_z = log_prior.copy()
    np.add.at(log_z, own, np.log(np.maximum(C, SMALLEST)))
    z = normalised(np.exp(log_z - log_z.max(axis=1, keepdims=True)))[own]
    numerator = np.maximum(N - _times(own, worker, label, each=each)[:, None] * z, 0.0) + A.T[label]
    denominator = np.maximum(n - _times(own, worker, each=each)[:, None] * z, 0.0) + A.sum(axis=1)
    C = np.full_like(numerator, 1.0 / A.shape[1])  # nothing known of the worker: maximum likelihood only
    np.divide(numerator, denominator, out=C, where=denominator > SMALLEST)
    return np.asarray(np.log(np.maximum(C, SMALLEST)), np.float64)


def _priors(problem: Problem, estimate: Estimate, items: NDArray[np.int32]) -> NDArray[np.float64]:
    """(n, K) prior of each item without its gold: pi, the labels that its workers see, or what models say."""
    own = estimate.item_priors or estimate.state_mixes
    if own is not None:
        return own.of_items(items)
    pi = np.maximum(estimate.pi, SMALLEST)
    found = np.tile(pi, (len(items), 1))
    if problem.votes is not None and estimate.weights is not None:
        voted = np.flatnonzero(np.isin(items, problem.votes.item))
        found[voted] = problem.votes.of_items(items[voted], estimate.weights, pi)
    return found


def _times(
    own: NDArray[np.int64], *codes: NDArray[np.int32], each: NDArray[np.float64] | None = None
) -> NDArray[np.int64] | NDArray[np.float64]:
    """For each judgment, how many of the same gold item have the same ``codes``, or what they count for."""
    _, inverse, count = np.unique(np.stack([own, *codes]), axis=1, return_inverse=True, return_counts=True)
    if each is None:
        return np.asarray(count[inverse.ravel()], np.int64)
    return np.bincount(inverse.ravel(), each).astype(np.float64)[inverse.ravel()]
