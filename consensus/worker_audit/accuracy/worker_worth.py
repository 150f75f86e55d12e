"""What a worker's judgment is worth: the cost of deciding by it, agreement beyond chance, bits for the money."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import tallies
from consensus.worker_audit.accuracy.accuracy_posterior import as_right_as
from consensus.worker_audit.accuracy.confusion_table import where_identified

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.result import Consensus
    from consensus.worker_audit.audit_of_result import WorkerAudit

    Reals = NDArray[np.float64]

BLOCK = 4_000_000  # cells of confusion matrices that are worked on at once
LEAST_BEYOND = 1e-12  # of being right, that chance leaves open


def expected_cost(audit: WorkerAudit, costs: Reals) -> Reals:
    """Expected cost of an item (W,) that is decided by one judgment of this worker alone, as well as can be.

    sum_l min_d sum_k prior[k] C[w, k, l] costs[k, d]: the Bayes risk (Raiffa & Schlaifer 1961, ch. 4) of the decision d
    that suits the answer l best, over labels k in their estimated shares, with confusions C as right as the worker is
    by the audit. ``costs`` (K, K) is [true, decided], see ``Costs.align``; the cost is in its unit. Never above
    ``cost_without_judgments``; a spammer reaches it. NaN where nothing tells how good a worker is. Takes W K^3 steps.
    """
    result, accuracy = audit.result, audit.accuracy.label_adjusted
    found, prior = result.confusions, result.prior_shares
    K = found.n_labels
    weighed = prior[:, None] * costs
    cost = np.empty(found.n_workers)
    step = max(1, BLOCK // K**2)
    for first in range(0, found.n_workers, step):
        last = min(first + step, found.n_workers)
        C = found.dense(first, last)
        if K > 1:
            C = as_right_as(C, accuracy[first:last], prior)
        by_answer = C.transpose(0, 2, 1).reshape(-1, K)
        risk = (by_answer @ weighed).min(axis=1)
        cost[first:last] = risk.reshape(-1, K).sum(axis=1)
    return where_identified(result, cost)


def cost_without_judgments(result: Consensus, costs: Reals) -> float:
    """Expected cost of an item that is decided by the shares of the labels alone: min_d sum_k prior[k] costs[k, d]."""
    return float((result.prior_shares @ costs).min())


def chance_corrected(result: Consensus, accuracy: Reals) -> Reals:
    """Cohen's kappa (W,) of a worker's answers and the true labels: 1 always right, 0 as often as by chance.

    (a - p) / (1 - p) with a the given accuracy (W,), over labels in their estimated shares as in ``audit``, and
    p = sum_l prior[l] q[l] that of somebody who gives each label in the same share q[l] as this worker, whatever the
    truth is. Cohen 1960, A coefficient of agreement for nominal scales. Below 0 for an adversary. NaN where chance
    alone is always right, without judgments, and where nothing tells how good a worker is.
    """
    found, nan = result.confusions, np.full(len(accuracy), np.nan)
    worker, n_workers = found.worker, found.n_workers
    n = np.bincount(worker, weights=found.counts, minlength=n_workers)
    hits = np.bincount(worker, weights=found.counts * result.prior_shares[found.label], minlength=n_workers)
    by_chance = np.divide(hits, n, out=nan.copy(), where=n > 0)
    beyond = 1.0 - by_chance
    kappa: Reals = np.divide(accuracy - by_chance, beyond, out=nan, where=beyond > LEAST_BEYOND)
    return where_identified(result, kappa)


def mean_price(result: Consensus) -> Reals:
    """Mean price of a worker's judgments (W,), of those whose price is known; NaN where none is."""
    judgments = result.judgments
    total, n = np.zeros((2, judgments.n_workers))
    if judgments.price is not None:
        tallies.sums_of_known(judgments.worker, judgments.price, total, n)
    mean: Reals = np.divide(total, n, out=np.full(judgments.n_workers, np.nan), where=n > 0)
    return mean


def bits_per_money(result: Consensus, informativeness: Reals, price: float | None = None) -> Reals:
    """Bits that a unit of money buys from a worker (W,).

    Parameters
    ----------
    result
        A fitted consensus.
    informativeness
        (W,) bits in a judgment.
    price
        Of every judgment, above 0; None: the worker's ``mean_price``.

    Returns
    -------
    (W,) in bits per unit of the price; NaN where the price is unknown or 0.
    """
    prices = mean_price(result) if price is None else np.full(len(informativeness), float(price))
    bits: Reals = np.divide(informativeness, prices, out=np.full(len(prices), np.nan), where=prices > 0)
    return bits
