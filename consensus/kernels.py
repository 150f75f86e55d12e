"""Compiled inner loops: arrays in, arrays out.

Rules of this module: inputs first, ``out_*`` last; int32 codes, int64 offsets, float64 reals, all C-contiguous
(``Judgments`` guarantees it, nothing is checked here); no allocation in a loop, no errors, no settings.

Every kernel is serial and releases the GIL. A backend runs it on slices of items or of rows in as many threads as it
likes: whoever owns a row of the output writes all of it, so the bits do not depend on the number of threads.

``row[j]`` is the code of the pair (worker, observed label) of judgment j; ``log_rows[row, k]`` is
log P(observed | true label k), so that a judgment reads one short run of memory.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Codes = NDArray[np.int32]
    Offsets = NDArray[np.int64]
    Reals = NDArray[np.float64]

    def kernel() -> Callable[[Callable[..., Any]], Callable[..., Any]]:  # noqa: D103
        ...
else:
    from numba import njit

    kernel = functools.partial(njit, cache=True, nogil=True, error_model="numpy")


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
def label_counts(item_start: Offsets, label: Codes, out_counts: Reals) -> None:
    """``out_counts[i, l]`` (I, K) = judgments of item i that gave label l."""
    for i in range(item_start.shape[0] - 1):
        out_counts[i, :] = 0.0
        for j in range(item_start[i], item_start[i + 1]):
            out_counts[i, label[j]] += 1.0


@kernel()
def peer_agreement(
    item_start: Offsets, worker: Codes, label: Codes, n_labels: int, out_agreeing: Reals, out_peers: Reals
) -> None:
    """For every judgment, how many judgments of the item by *other* workers there are, and how many agree.

    Fills ``out_agreeing`` (J,) and ``out_peers`` (J,). Judgments are sorted by item, worker, label.
    """
    given = np.zeros(n_labels)
    own = np.zeros(n_labels)
    for i in range(item_start.shape[0] - 1):
        begin, end = item_start[i], item_start[i + 1]
        for j in range(begin, end):
            given[label[j]] += 1.0
        first = begin
        while first < end:
            last = first
            while last < end and worker[last] == worker[first]:
                own[label[last]] += 1.0
                last += 1
            for j in range(first, last):
                out_agreeing[j] = given[label[j]] - own[label[j]]
                out_peers[j] = end - begin - (last - first)
            for j in range(first, last):
                own[label[j]] = 0.0
            first = last
        for j in range(begin, end):
            given[label[j]] = 0.0


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


@kernel()
def information_gain(posterior: Reals, confusions: Reals, row_entropy: Reals, out_gain: Reals) -> None:
    """Fill ``out_gain`` (I,), in nats, with the expected drop of each item's entropy by one more judgment.

    The mean over representative workers ``confusions[g, true, observed]`` (G, K, K) of the mutual information
    between the item's true label, distributed as ``posterior`` (I, K), and the worker's answer:
    H(answer) - sum_k posterior[k] H(answer | k), with ``row_entropy[g, true]`` (G, K) = H(answer | true).
    """
    n_workers, n_labels = confusions.shape[0], confusions.shape[1]
    marginal = np.empty(n_labels)
    for i in range(posterior.shape[0]):
        gain = 0.0
        for g in range(n_workers):
            for answer in range(n_labels):
                marginal[answer] = 0.0
            for k in range(n_labels):
                if posterior[i, k] < 1e-12:
                    continue  # with many labels, most of them
                for answer in range(n_labels):
                    marginal[answer] += posterior[i, k] * confusions[g, k, answer]
                gain -= posterior[i, k] * row_entropy[g, k]
            for answer in range(n_labels):
                if marginal[answer] > 0.0:
                    gain -= marginal[answer] * np.log(marginal[answer])
        out_gain[i] = gain / n_workers


@kernel()
def worker_pairs(
    items: Codes,
    item_start: Offsets,
    worker: Codes,
    label: Codes,
    out_first: Codes,
    out_second: Codes,
    out_agree: Codes,
) -> None:
    """Write every pair of judgments of each of ``items``: both workers (the lower code first), and if they agree."""
    n = 0
    for i in items:
        for a in range(item_start[i], item_start[i + 1]):
            for b in range(a + 1, item_start[i + 1]):
                out_first[n] = worker[a]
                out_second[n] = worker[b]
                out_agree[n] = label[a] == label[b]
                n += 1
