"""Loops of EM: posteriors, expected counts, held-out scores.

``row[j]`` is the code of the pair (worker, observed label) of judgment j; ``log_rows[row, k]`` is
log P(observed | true label k), so that a judgment reads one short run of memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Codes, Offsets, Reals


@kernel()
def posteriors(
    item_start: Offsets,
    row: Codes,
    log_rows: Reals,
    log_priors: Reals,
    prior_row: Codes,
    power: Reals,
    out_posterior: Reals,
    out_log_evidence: Reals,
) -> None:
    """E-step: posterior of every item, raised to a power and normalised, and the evidence of its judgments.

    ``item_start`` (I+1,), ``row`` (J,), ``log_rows`` (R, K), ``log_priors`` (P, K) with ``prior_row`` (I,) naming
    each item's own, ``power`` (I,) the tempering exponent. Fills ``out_posterior`` (I, K), rows sum to 1, and
    ``out_log_evidence`` (I,), the untempered log sum_k prior[k] prod P(observed | k), in nats.
    A log prior of -inf forbids a label (gold).
    """
    n_labels = log_priors.shape[1]
    for i in range(item_start.shape[0] - 1):
        out = out_posterior[i]
        for k in range(n_labels):
            out[k] = log_priors[prior_row[i], k]
        for j in range(item_start[i], item_start[i + 1]):
            log_row = log_rows[row[j]]
            for k in range(n_labels):
                out[k] += log_row[k]
        peak = out[0]
        for k in range(1, n_labels):
            peak = max(peak, out[k])
        evidence = 0.0
        for k in range(n_labels):
            out[k] -= peak
            evidence += np.exp(out[k])
        out_log_evidence[i] = peak + np.log(evidence)
        total = 0.0
        for k in range(n_labels):
            out[k] = np.exp(out[k] * power[i])
            total += out[k]
        for k in range(n_labels):
            out[k] /= total


@kernel()
def expected_counts(row_start: Offsets, row_item: Codes, posterior: Reals, out_counts: Reals) -> None:
    """M-step: ``out_counts[r, k]`` (R, K) = sum of posterior[i, k] over the judgments of row r.

    ``row_start`` (R+1,) and ``row_item`` (J,) list the items judged in each row, in item order.
    """
    n_labels = posterior.shape[1]
    for r in range(row_start.shape[0] - 1):
        out = out_counts[r]
        for k in range(n_labels):
            out[k] = 0.0
        for j in range(row_start[r], row_start[r + 1]):
            expected = posterior[row_item[j]]
            for k in range(n_labels):
                out[k] += expected[k]


@kernel()
def sums_by_label(label: Codes, values: Reals, out_sums: Reals) -> None:
    """``out_sums[l, k]`` (K, K), filled with zeros, = sum of values[r, k] over the rows r of observed label l."""
    for r in range(label.shape[0]):
        for k in range(values.shape[1]):
            out_sums[label[r], k] += values[r, k]


@kernel()
def group_by_row(item_start: Offsets, row: Codes, out_row_start: Offsets, out_row_item: Codes) -> None:
    """Counting sort: the items judged in each row, in item order.

    ``out_row_start`` (R+1,) must come filled with zeros; ``out_row_item`` (J,).
    """
    n_rows = out_row_start.shape[0] - 1
    for j in range(row.shape[0]):
        out_row_start[row[j] + 1] += 1
    for r in range(n_rows):
        out_row_start[r + 1] += out_row_start[r]
    next_free = out_row_start[:n_rows].copy()
    for i in range(item_start.shape[0] - 1):
        for j in range(item_start[i], item_start[i + 1]):
            out_row_item[next_free[row[j]]] = i
            next_free[row[j]] += 1


@kernel()
def held_out_scores(
    item: Codes, log_held: Reals, log_posterior: Reals, n_judgments: Offsets, rhos: Reals, out_score: Reals
) -> None:
    """Log predictive probability of held-out judgments under each tempering strength.

    ``out_score[h, g]`` (H, G) = log sum_k z~[i, k] P(observed | k), z~ = softmax(log_posterior[i] * tau),
    tau = 1 / (1 + rhos[g] * max(n_judgments[i] - 1, 0)). ``item`` (H,) and ``log_held`` (H, K) belong to the held-out
    judgments, ``log_posterior`` (I, K) peaks at 0 in every row, ``n_judgments`` (I,) counts those not held out.
    """
    n_labels = log_posterior.shape[1]
    for h in range(item.shape[0]):
        i = item[h]
        for g in range(rhos.shape[0]):
            power = 1.0 / (1.0 + rhos[g] * max(n_judgments[i] - 1, 0))
            total = 0.0
            predicted = 0.0
            for k in range(n_labels):
                weight = np.exp(log_posterior[i, k] * power)
                total += weight
                predicted += weight * np.exp(log_held[h, k])
            out_score[h, g] = np.log(predicted / total)
