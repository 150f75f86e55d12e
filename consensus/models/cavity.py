"""What the posterior of an item would be, had it not been used to rate its own workers: its cavity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.models import tempering
from consensus.models.expectation_maximisation import SMALLEST
from consensus.probabilities import normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.judgments import AlignedGold, Judgments
    from consensus.models.expectation_maximisation import Estimate, Problem


def without_gold(
    judgments: Judgments, problem: Problem, estimate: Estimate, gold: AlignedGold, rho: float
) -> NDArray[np.float64]:
    """(G, K) tempered posterior of the gold items as if their gold were unknown, to audit the confidence.

    Their own judgments are taken out of their workers' counts: C = (N - m z + A) / (n - m z + A.), with m judgments of
    the worker on the item (more than one only where repeats are kept). The class prior pi and A are not refitted, so
    that the audit is approximate: slightly kind.
    """
    rows = problem.rows
    n_each = judgments.per_item[gold.items]
    own = np.repeat(np.arange(len(gold.items)), n_each)  # gold item of each of their judgments
    offset = np.arange(len(own)) - np.repeat(np.cumsum(n_each) - n_each, n_each)
    judgment = judgments.item_start[gold.items][own] + offset
    row = rows.row[judgment]
    with np.errstate(divide="ignore"):  # labels that are not accepted have the prior 0
        log_z = np.log(problem.priors(estimate.pi)[1:])
    np.add.at(log_z, own, np.log(estimate.C[row]))
    z = normalised(np.exp(log_z - log_z.max(axis=1, keepdims=True)))[own]
    left = estimate.counts[row] - _times(own, row)[:, None] * z
    n = estimate.totals[rows.worker[row]] - _times(own, judgments.worker[judgment])[:, None] * z
    numerator = np.maximum(left, 0.0) + estimate.A.T[rows.label[row]]
    denominator = np.maximum(n, 0.0) + estimate.A.sum(axis=1)
    C = np.full_like(numerator, 1.0 / rows.n_labels)  # nothing known of the worker: maximum likelihood only
    np.divide(numerator, denominator, out=C, where=denominator > SMALLEST)
    log_posterior = np.tile(np.log(np.maximum(estimate.pi, SMALLEST)), (len(gold.items), 1))
    np.add.at(log_posterior, own, np.log(np.maximum(C, SMALLEST)))
    log_posterior *= tempering.power(n_each, rho)[:, None]
    return normalised(np.exp(log_posterior - log_posterior.max(axis=1, keepdims=True)))


def _times(own: NDArray[np.int64], code: NDArray[np.int32]) -> NDArray[np.int64]:
    """For each judgment, how many of the same gold item have the same ``code``."""
    pair = own * (np.int64(code.max(initial=0)) + 1) + code
    _, inverse, count = np.unique(pair, return_inverse=True, return_counts=True)
    return np.asarray(count[inverse], np.int64)
