"""Loops for very many labels, where only those given to an item are weighed one by one: its candidates.

The candidates of item i are ``candidate[candidate_start[i]:candidate_start[i + 1]]``, ascending. ``cell`` holds, item
after item, judgment after judgment, candidate after candidate, the number of the cell (worker, observed label, true
label) that the judgment touches if the candidate is true. All other labels of an item share what is left evenly.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import kernel
from consensus.kernels.em import digamma

if TYPE_CHECKING:
    from consensus.kernels import Codes, Flags, Offsets, Reals


@kernel()
def candidates(item_start: Offsets, label: Codes, candidate_start: Offsets, known: Flags, out_candidate: Codes) -> None:
    """Write the distinct labels of the judgments of each item, ascending, save where the truth is ``known``."""
    for i in range(item_start.shape[0] - 1):
        if known[i]:
            continue
        first = candidate_start[i]
        end = first
        for j in range(item_start[i], item_start[i + 1]):
            k = label[j]
            place = end
            while place > first and out_candidate[place - 1] > k:
                place -= 1
            if place > first and out_candidate[place - 1] == k:
                continue
            for c in range(end, place, -1):
                out_candidate[c] = out_candidate[c - 1]
            out_candidate[place] = k
            end += 1


@kernel()
def touched(
    item_start: Offsets, row: Codes, candidate_start: Offsets, candidate: Codes, n_labels: int, out_key: Offsets
) -> None:
    """``out_key`` (pairs,) = row * K + true label of every judgment with every candidate of its item."""
    n = 0
    for i in range(item_start.shape[0] - 1):
        for j in range(item_start[i], item_start[i + 1]):
            for c in range(candidate_start[i], candidate_start[i + 1]):
                out_key[n] = np.int64(row[j]) * n_labels + candidate[c]
                n += 1


@kernel()
def numbered(
    item_start: Offsets,
    row: Codes,
    candidate_start: Offsets,
    candidate: Codes,
    cell_start: Offsets,
    true: Codes,
    out_cell: Codes,
) -> None:
    """``out_cell`` (pairs,) = number of the cell of every judgment with every candidate of its item.

    Cells of row r are ``cell_start[r]:cell_start[r + 1]``, their true labels ascending.
    """
    n = 0
    for i in range(item_start.shape[0] - 1):
        for j in range(item_start[i], item_start[i + 1]):
            place = cell_start[row[j]]
            for c in range(candidate_start[i], candidate_start[i + 1]):
                low, high = place, cell_start[row[j] + 1]
                while low < high:
                    middle = (low + high) // 2
                    if true[middle] < candidate[c]:
                        low = middle + 1
                    else:
                        high = middle
                out_cell[n] = low
                place = low
                n += 1


@kernel()
def log_posterior(
    item_start: Offsets, candidate_start: Offsets, cell: Codes, log_C: Reals, log_prior: Reals, out_log_z: Reals
) -> None:
    """``out_log_z`` (candidates,) = log prior + sum of log C over the judgments, not normalised.

    ``cell`` begins with the pairs of the first item.
    """
    n = 0
    for i in range(item_start.shape[0] - 1):
        begin, end = candidate_start[i], candidate_start[i + 1]
        for c in range(begin, end):
            out_log_z[c] = log_prior[c]
        for _ in range(item_start[i], item_start[i + 1]):
            for c in range(begin, end):
                out_log_z[c] += log_C[cell[n]]
                n += 1


@kernel()
def normalise(
    candidate_start: Offsets, background: Reals, power: Reals, n_labels: int, out_z: Reals, out_rest: Reals
) -> float:
    """Turn log z (candidates,) in ``out_z`` into probabilities, to the ``power`` (n,); return the log evidence.

    ``background`` (n,) is the log joint probability of the judgments and any label that is no candidate; each of these
    labels gets ``out_rest`` (n,). The evidence is that of the untempered model, in nats.
    """
    total_evidence = 0.0
    for i in range(candidate_start.shape[0] - 1):
        begin, end = candidate_start[i], candidate_start[i + 1]
        n_others = n_labels - (end - begin)
        other = background[i] - math.log(n_others) if n_others > 0 else -math.inf
        peak = background[i]
        for c in range(begin, end):
            peak = max(peak, out_z[c])
        evidence = math.exp(background[i] - peak)
        for c in range(begin, end):
            evidence += math.exp(out_z[c] - peak)
        total_evidence += peak + math.log(evidence)
        share = math.exp((other - peak) * power[i]) if other > -math.inf else 0.0
        total = n_others * share
        for c in range(begin, end):
            out_z[c] = math.exp((out_z[c] - peak) * power[i])
            total += out_z[c]
        for c in range(begin, end):
            out_z[c] /= total
        out_rest[i] = share / total
    return total_evidence


@kernel()
def scatter(item_start: Offsets, candidate_start: Offsets, cell: Codes, z: Reals, out_counts: Reals) -> None:
    """M-step: add z of every candidate to the cells (cells,) of the item's judgments."""
    n = 0
    for i in range(item_start.shape[0] - 1):
        for _ in range(item_start[i], item_start[i + 1]):
            for c in range(candidate_start[i], candidate_start[i + 1]):
                out_counts[cell[n]] += z[c]
                n += 1


@kernel()
def backgrounds(
    item_start: Offsets, label: Codes, log_other: Reals, left: Reals, known: Flags, out_background: Reals
) -> None:
    """Log probability (n,) of an item's judgments and a label that nobody gave it: log left + sum of log other[l].

    ``left`` (n,) is the prior of all such labels together, ``log_other`` (K,) the log probability of answer l given
    that the truth is another label. None (-inf) where the truth is ``known`` (n,) or nothing is left.
    """
    for i in range(item_start.shape[0] - 1):
        if known[i] or left[i] <= 0.0:
            out_background[i] = -math.inf
            continue
        out_background[i] = math.log(left[i])
        for j in range(item_start[i], item_start[i + 1]):
            out_background[i] += log_other[label[j]]


@kernel()
def confusions(
    worker_start: Offsets,
    true: Codes,
    label: Codes,
    counts: Reals,
    A_true: Reals,
    A_observed: Reals,
    smallest: float,
    out_log_C: Reals,
) -> float:
    """Like ``em.confusions`` for cells: log C = log (N + A[k, l]) - log (n[w, k] + A[k, .]).

    ``worker_start`` (n+1,) delimits the cells of each worker. Returns the part of the log prior density that depends on
    the counts, less what it is without any.
    """
    n_labels = A_true.shape[0]
    totals = np.zeros(n_labels)
    density = 0.0
    for w in range(worker_start.shape[0] - 1):
        begin, end = worker_start[w], worker_start[w + 1]
        for e in range(begin, end):
            totals[true[e]] += counts[e]
        for e in range(begin, end):
            k = true[e]
            a = A_observed[label[e], k]
            if a > 0.0:
                out_log_C[e] = math.log((counts[e] + a) / (totals[k] + A_true[k]))
                density += a * math.log((counts[e] + a) / a)
            elif totals[k] > 0.0:
                out_log_C[e] = math.log(max(counts[e] / totals[k], smallest))
            else:
                out_log_C[e] = -math.log(n_labels)
        for e in range(begin, end):
            k = true[e]
            if totals[k] > 0.0 and A_true[k] > 0.0:
                density -= A_true[k] * math.log((totals[k] + A_true[k]) / A_true[k])
            totals[k] = 0.0
    return density


@kernel()
def prior_gains(
    worker_start: Offsets,
    true: Codes,
    label: Codes,
    counts: Reals,
    A_true: Reals,
    A_observed: Reals,
    psi: Reals,
    out_gain: Reals,
) -> float:
    """Like ``em.prior_gains`` for cells; ``worker_start`` (n+1,) delimits the cells of each worker."""
    n_labels = A_true.shape[0]
    totals = np.zeros(n_labels)
    gain = 0.0
    for w in range(worker_start.shape[0] - 1):
        begin, end = worker_start[w], worker_start[w + 1]
        for e in range(begin, end):
            k, observed = true[e], label[e]
            totals[k] += counts[e]
            if counts[e] > 0.0:
                out_gain[observed, k] += digamma(counts[e] + A_observed[observed, k]) - psi[observed, k]
        for e in range(begin, end):
            k = true[e]
            if totals[k] > 0.0:
                gain += digamma(totals[k] + A_true[k]) - psi[n_labels, k]
            totals[k] = 0.0
    return gain


@kernel()
def peaks(
    candidate_start: Offsets,
    candidate: Codes,
    z: Reals,
    rest: Reals,
    n_labels: int,
    tie: float,
    out_codes: Codes,
    out_numbers: Reals,
) -> None:
    """The top of each posterior: best, tied (0 or 1), runner-up (3, n); confidence, margin, entropy (3, n)."""
    for i in range(candidate_start.shape[0] - 1):
        begin, end = candidate_start[i], candidate_start[i + 1]
        n_others = n_labels - (end - begin)
        peak = rest[i] if n_others > 0 else 0.0
        entropy = -n_others * rest[i] * math.log(rest[i]) if rest[i] > 0.0 else 0.0
        for c in range(begin, end):
            peak = max(peak, z[c])
            if z[c] > 0.0:
                entropy -= z[c] * math.log(z[c])
        others_tie = n_others > 0 and rest[i] >= peak - tie
        n_tied = n_others if others_tie else 0
        first_other = 0
        for c in range(begin, end):
            if candidate[c] == first_other:
                first_other += 1
        best = first_other if others_tie else n_labels
        for c in range(begin, end):
            if z[c] >= peak - tie:
                n_tied += 1
                best = min(best, candidate[c])
        second, runner_up = 0.0, -1
        for c in range(begin, end):
            if candidate[c] != best and z[c] > second:
                second, runner_up = z[c], candidate[c]
        n_left = n_others - 1 if others_tie and best == first_other else n_others
        if n_left > 0 and rest[i] > second:
            second, runner_up = rest[i], -1
        out_codes[0, i], out_codes[1, i], out_codes[2, i] = best, n_tied > 1, runner_up
        out_numbers[0, i], out_numbers[1, i] = peak, peak - second
        out_numbers[2, i] = max(entropy, 0.0)


@kernel()
def doubt(
    item_start: Offsets,
    worker: Codes,
    label: Codes,
    unit: Codes | Reals,
    candidate_start: Offsets,
    candidate: Codes,
    z: Reals,
    out_doubt: Reals,
) -> None:
    """Like ``tallies.doubt``, r the probability of the label of a judgment by the candidates of its item."""
    for i in range(item_start.shape[0] - 1):
        for j in range(item_start[i], item_start[i + 1]):
            for c in range(candidate_start[i], candidate_start[i + 1]):
                if candidate[c] == label[j]:
                    n = unit[j] if unit.shape[0] > 0 else 1
                    out_doubt[worker[j]] += n * (z[c] * (1.0 - z[c]))


@kernel()
def information_gain(
    items: Offsets,
    candidate_start: Offsets,
    candidate: Codes,
    z: Reals,
    rest: Reals,
    confusions: Reals,
    row_entropy: Reals,
    out_gain: Reals,
) -> None:
    """Like ``tallies.information_gain`` for ``items`` (n,) by their candidates and ``rest``."""
    n_workers, n_labels = confusions.shape[0], confusions.shape[1]
    marginal = np.empty(n_labels)
    all_answers = np.zeros((n_workers, n_labels))
    all_entropy = np.zeros(n_workers)
    for g in range(n_workers):
        for k in range(n_labels):
            all_entropy[g] += row_entropy[g, k]
            for answer in range(n_labels):
                all_answers[g, answer] += confusions[g, k, answer]
    for n in range(items.shape[0]):
        i = items[n]
        gain = 0.0
        for g in range(n_workers):
            for answer in range(n_labels):
                marginal[answer] = rest[i] * all_answers[g, answer]
            gain -= rest[i] * all_entropy[g]
            for c in range(candidate_start[i], candidate_start[i + 1]):
                more = z[c] - rest[i]
                gain -= more * row_entropy[g, candidate[c]]
                for answer in range(n_labels):
                    marginal[answer] += more * confusions[g, candidate[c], answer]
            for answer in range(n_labels):
                if marginal[answer] > 0.0:
                    gain -= marginal[answer] * math.log(marginal[answer])
        out_gain[n] = gain / n_workers
