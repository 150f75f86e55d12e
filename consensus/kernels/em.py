"""Loops of EM: expected counts, the pass over all items, the confusions of all workers, final posteriors.

``row[j]`` is the code of the pair (worker, observed label) of judgment j, and ``C[row, k]`` is P(observed | true label
k), so that a judgment reads one short run of memory. A pass multiplies probabilities and takes no logarithm of an item:
at most ``SHORT`` of them are multiplied before the exponents are set aside, so that nothing underflows.

Measured on 10 million judgments (2 million items, 20,000 workers, 4 labels, one thread): E-step in logs and row-owned
M-step 490 ms a pass; E and M in one loop over the items, products instead of logs 115 ms; four labels in registers
75 ms. Tried and left out: float32 tables (83 ms; twice as many labels fit a register, but they must be widened),
confusions and counts interleaved in one table (117 ms).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Codes, Offsets, Reals

SHORT = 16  # factors of at least 1e-17 that may be multiplied without underflow
TINY = 1e-200  # the product of evidences is turned into a logarithm before it falls below
LN2 = math.log(2.0)


@kernel()
def scatter_counts(
    item_start: Offsets, row: Codes, posterior: Reals, prior_row: Codes, out_counts: Reals, out_mass: Reals
) -> None:
    """M-step: add posterior[i] (n, K) to ``out_counts`` (R, K) of every judgment of item i, and to ``out_mass`` (K,).

    ``item_start`` (n+1,) delimits the items of a shard. Items without judgments and gold (``prior_row`` (n,) 0) add
    nothing. Both outputs must come filled with zeros.
    """
    n_labels = posterior.shape[1]
    for i in range(item_start.shape[0] - 1):
        if item_start[i] == item_start[i + 1] and prior_row[i] == 0:
            continue
        z = posterior[i]
        for k in range(n_labels):
            out_mass[k] += z[k]
        for j in range(item_start[i], item_start[i + 1]):
            for k in range(n_labels):
                out_counts[row[j], k] += z[k]


@kernel()
def em_pass(
    item_start: Offsets,
    row: Codes,
    C: Reals,
    priors: Reals,
    prior_row: Codes,
    own_from: int,
    out_counts: Reals,
    out_mass: Reals,
) -> float:
    """E- and M-step of a shard of items; return the log evidence of its judgments, in nats.

    Of each item, z[k] ∝ prior[k] prod_j C[row[j], k], then ``out_counts[row[j]] += z`` (R, K) for its judgments and
    ``out_mass[0] += z`` (2, K); ``out_mass[1]`` where the prior of the item is its own and not that of the class:
    its row is ``own_from`` or a later one. ``C`` (R, K); ``priors`` (P, K) with ``prior_row`` (n,) naming each item's:
    0 for the class prior, others for gold, where a prior of 0 forbids a label, and for items that models voted on.
    Items without judgments in row 0 are passed over. Both outputs must come filled with zeros.
    """
    if C.shape[1] == 4:
        return float(_pass_of_four(item_start, row, C, priors, prior_row, own_from, out_counts, out_mass))
    n_labels = C.shape[1]
    z = np.empty(n_labels)
    exponent = np.empty(n_labels, np.int64)
    log_evidence, product = 0.0, 1.0
    for i in range(item_start.shape[0] - 1):
        begin, end = item_start[i], item_start[i + 1]
        if begin == end and prior_row[i] == 0:
            continue
        prior = priors[prior_row[i]]
        if end - begin > SHORT:
            log_evidence += long_item(row, begin, end, C, prior, z, exponent)
        else:
            evidence = 0.0
            for k in range(n_labels):
                z[k] = prior[k]
            for j in range(begin, end):
                r = row[j]
                for k in range(n_labels):
                    z[k] *= C[r, k]
            for k in range(n_labels):
                evidence += z[k]
            if product * evidence < TINY:
                log_evidence += math.log(product)
                product = 1.0
            product *= evidence
            for k in range(n_labels):
                z[k] /= evidence
        own = int(prior_row[i] >= own_from)
        for k in range(n_labels):
            out_mass[own, k] += z[k]
        for j in range(begin, end):
            r = row[j]
            for k in range(n_labels):
                out_counts[r, k] += z[k]
    return log_evidence + math.log(product)


@kernel()
def _pass_of_four(
    item_start: Offsets,
    row: Codes,
    C: Reals,
    priors: Reals,
    prior_row: Codes,
    own_from: int,
    out_counts: Reals,
    out_mass: Reals,
) -> float:
    """Like ``em_pass`` for four labels (or fewer, filled up with labels of prior 0), all in registers."""
    z = np.empty(4)
    exponent = np.empty(4, np.int64)
    log_evidence, product = 0.0, 1.0
    mass0 = mass1 = mass2 = mass3 = 0.0
    for i in range(item_start.shape[0] - 1):
        begin, end = item_start[i], item_start[i + 1]
        prior = prior_row[i]
        if end - begin > SHORT:
            log_evidence += long_item(row, begin, end, C, priors[prior], z, exponent)
            z0, z1, z2, z3 = z[0], z[1], z[2], z[3]
        elif begin == end and prior == 0:
            continue
        else:
            z0, z1, z2, z3 = priors[prior, 0], priors[prior, 1], priors[prior, 2], priors[prior, 3]
            for j in range(begin, end):
                r = np.uintp(row[np.uintp(j)])  # unsigned: no test for positions from the end, a sixth of the time
                z0 *= C[r, 0]
                z1 *= C[r, 1]
                z2 *= C[r, 2]
                z3 *= C[r, 3]
            evidence = (z0 + z1) + (z2 + z3)
            if product * evidence < TINY:
                log_evidence += math.log(product)
                product = 1.0
            product *= evidence
            scale = 1.0 / evidence
            z0 *= scale
            z1 *= scale
            z2 *= scale
            z3 *= scale
        if prior < own_from:
            mass0 += z0
            mass1 += z1
            mass2 += z2
            mass3 += z3
        else:
            out_mass[1, 0] += z0
            out_mass[1, 1] += z1
            out_mass[1, 2] += z2
            out_mass[1, 3] += z3
        for j in range(begin, end):
            r = np.uintp(row[np.uintp(j)])
            out_counts[r, 0] += z0
            out_counts[r, 1] += z1
            out_counts[r, 2] += z2
            out_counts[r, 3] += z3
    out_mass[0, 0] += mass0
    out_mass[0, 1] += mass1
    out_mass[0, 2] += mass2
    out_mass[0, 3] += mass3
    return log_evidence + math.log(product)


@kernel()
def expectations(item: Codes, item_start: Offsets, row: Codes, C: Reals, priors: Reals, out_posterior: Reals) -> None:
    """E-step of some items: ``out_posterior[r]`` (n, K), each normalised, is the z of ``item[r]``, its prior priors[r].

    ``priors`` (n, K) and ``C`` (R, K) may be wider than K.
    """
    n_labels = out_posterior.shape[1]
    exponent = np.empty(n_labels, np.int64)
    for r in range(item.shape[0]):
        z = out_posterior[r]
        begin, end = item_start[item[r]], item_start[item[r] + 1]
        if end - begin > SHORT:
            long_item(row, begin, end, C, priors[r, :n_labels], z, exponent)
            continue
        total = 0.0
        for k in range(n_labels):
            z[k] = priors[r, k]
        for j in range(begin, end):
            for k in range(n_labels):
                z[k] *= C[row[j], k]
        for k in range(n_labels):
            total += z[k]
        for k in range(n_labels):
            z[k] /= total


@kernel()
def long_item(
    row: Codes, begin: int, end: int, C: Reals, prior: Reals, out_posterior: Reals, out_exponent: Offsets
) -> float:
    """Fill ``out_posterior`` (K,) of an item with many judgments; return its log evidence.

    Every ``SHORT`` judgments the exponents of the products are moved to ``out_exponent`` (K,): a label that falls far
    behind can still come back.
    """
    n_labels = prior.shape[0]
    for k in range(n_labels):
        out_posterior[k] = prior[k]
        out_exponent[k] = 0
    while begin < end:
        stop = min(begin + SHORT, end)
        for j in range(begin, stop):
            r = row[j]
            for k in range(n_labels):
                out_posterior[k] *= C[r, k]
        for k in range(n_labels):
            mantissa, exponent = math.frexp(out_posterior[k])
            out_posterior[k] = mantissa
            out_exponent[k] += exponent
        begin = stop
    most, found = 0, False
    for k in range(n_labels):
        if out_posterior[k] > 0.0 and (not found or out_exponent[k] > most):
            most, found = out_exponent[k], True
    evidence = 0.0
    for k in range(n_labels):
        out_posterior[k] = math.ldexp(out_posterior[k], int(max(out_exponent[k] - most, -2000)))
        evidence += out_posterior[k]
    for k in range(n_labels):
        out_posterior[k] /= evidence
    return math.log(evidence) + most * LN2


@kernel()
def merge_counts(tables: Reals, worker_start: Offsets, out_counts: Reals, out_totals: Reals) -> None:
    """Add the tables of all shards (S, R, K), in their order, to N (R, K), and over each worker's rows to n (W, K).

    ``worker_start`` (n+1,) delimits the rows of the workers of a shard, whose totals are ``out_totals`` (n, K).
    """
    n_labels = out_counts.shape[1]
    for w in range(worker_start.shape[0] - 1):
        for k in range(n_labels):
            out_totals[w, k] = 0.0
        for r in range(worker_start[w], worker_start[w + 1]):
            for k in range(n_labels):
                total = 0.0
                for s in range(tables.shape[0]):
                    total += tables[s, r, k]
                out_counts[r, k] = total
                out_totals[w, k] += total


@kernel()
def digamma(x: float) -> float:
    """psi(x) for x > 0: recurrence to 8 and above, then the asymptotic series (Abramowitz & Stegun 6.3.5, 6.3.18)."""
    shift = 0.0
    while x < 8.0:
        shift -= 1.0 / x
        x += 1.0
    f = 1.0 / (x * x)
    series = f * (1 / 12 - f * (1 / 120 - f * (1 / 252 - f * (1 / 240 - f / 132))))
    return shift + math.log(x) - 0.5 / x - series


@kernel()
def prior_gains(
    worker_start: Offsets,
    label: Codes,
    counts: Reals,
    totals: Reals,
    A_true: Reals,
    A_observed: Reals,
    psi: Reals,
    out_gain: Reals,
) -> float:
    """Sums behind the learnt prior (``pooled_prior``), over a shard of workers.

    Adds psi(N[r, k] + A[k, l]) - psi(A[k, l]) of every row r of observed label l to ``out_gain[l, k]`` (L, K), and
    returns the sum of psi(n[w, k] + A[k, .]) - psi(A[k, .]) over workers and true labels. ``A_observed[l, k]`` (L, K)
    is the prior by observed label, ``A_true`` (K,) its sum; ``psi`` (L+1, K) the digamma of both, A_true last. There
    are as many true as observed labels, L = K, or K states that an item may be in.
    """
    n_labels, last = A_true.shape[0], psi.shape[0] - 1
    gain = 0.0
    for w in range(worker_start.shape[0] - 1):
        for k in range(n_labels):
            if totals[w, k] > 0.0:
                gain += digamma(totals[w, k] + A_true[k]) - psi[last, k]
        for r in range(worker_start[w], worker_start[w + 1]):
            observed = label[r]
            for k in range(n_labels):
                if counts[r, k] > 0.0:
                    out_gain[observed, k] += digamma(counts[r, k] + A_observed[observed, k]) - psi[observed, k]
    return gain


@kernel()
def confusions(
    worker_start: Offsets,
    label: Codes,
    counts: Reals,
    totals: Reals,
    A_true: Reals,
    A_observed: Reals,
    smallest: float,
    out_C: Reals,
) -> float:
    """M-step of a shard of workers: C[r, k] = (N[r, k] + A[k, l]) / (n[w, k] + A[k, .]) into ``out_C`` (R, K).

    Returns the part of the log prior density that depends on the counts: over its rows sum A log((N + A) / A), less
    sum A[k, .] log(n[w, k] + A[k, .]) over its workers. Without a prior (A = 0) C is at least ``smallest``, and 1 / K
    where a worker judged no item of true label k.
    """
    n_labels = A_true.shape[0]
    density = 0.0
    for w in range(worker_start.shape[0] - 1):
        for k in range(n_labels):
            if A_true[k] > 0.0:
                density -= A_true[k] * math.log(totals[w, k] + A_true[k])
        for r in range(worker_start[w], worker_start[w + 1]):
            observed = label[r]
            for k in range(n_labels):
                a = A_observed[observed, k]
                if a > 0.0:
                    out_C[r, k] = (counts[r, k] + a) / (totals[w, k] + A_true[k])
                    density += a * math.log((counts[r, k] + a) / a)
                elif totals[w, k] > 0.0:
                    out_C[r, k] = max(counts[r, k] / totals[w, k], smallest)
                else:
                    out_C[r, k] = 1.0 / n_labels
    return density


@kernel()
def posteriors(
    item_start: Offsets,
    row: Codes,
    log_rows: Reals,
    priors: Reals,
    prior_row: Codes,
    power: Reals,
    out_posterior: Reals,
) -> None:
    """E-step: posterior of every item, raised to a power and normalised.

    ``item_start`` (I+1,), ``row`` (J,), ``log_rows`` (R, K), ``priors`` (P, K) or wider with ``prior_row`` (I,) naming
    each item's own, ``power`` (I,) the tempering exponent. Fills ``out_posterior`` (I, K), rows sum to 1.
    A prior of 0 forbids a label (gold).
    """
    n_labels = log_rows.shape[1]
    log_prior, last, empty = np.empty(n_labels), -1, -1  # empty: the last item without judgments; others may be like it
    for i in range(item_start.shape[0] - 1):
        out = out_posterior[i]
        if item_start[i] == item_start[i + 1]:
            if empty >= 0 and prior_row[i] == prior_row[empty] and power[i] == power[empty]:
                out[:] = out_posterior[empty]
                continue
            empty = i
        if prior_row[i] != last:
            last = prior_row[i]
            for k in range(n_labels):
                log_prior[k] = np.log(priors[last, k]) if priors[last, k] > 0.0 else -np.inf
        for k in range(n_labels):
            out[k] = log_prior[k]
        for j in range(item_start[i], item_start[i + 1]):
            log_row = log_rows[row[j]]
            for k in range(n_labels):
                out[k] += log_row[k]
        peak = out[0]
        for k in range(1, n_labels):
            peak = max(peak, out[k])
        total = 0.0
        for k in range(n_labels):
            out[k] = np.exp((out[k] - peak) * power[i])
            total += out[k]
        for k in range(n_labels):
            out[k] /= total
