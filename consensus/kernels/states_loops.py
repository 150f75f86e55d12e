"""Loops over readings whose items are in states finer than labels, and the weights of several readings.

``log_rows[row, s]`` is log P(observed | state s); the states of a label stand side by side, equally many for each.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Codes, Offsets, Reals


class Parted(NamedTuple):
    """The judgments of a shard of items: those that a reading was fitted to, and those held out."""

    item_start: Offsets
    """(n+1,) into ``row``."""
    row: Codes
    """(J,) of those fitted to, of all items."""
    held_start: Offsets
    """(n+1,) into ``held_row`` and into the output."""
    held_row: Codes
    """(H,) of those held out, of all items."""


@kernel()
def log_states(item_start: Offsets, row: Codes, log_rows: Reals, i: int, prior: Reals, out_logs: Reals) -> None:
    """``out_logs`` (S,) = log joint probability of each state and the judgments of item i; ``prior`` (S,) or wider."""
    n_states = out_logs.shape[0]
    for s in range(n_states):
        out_logs[s] = math.log(prior[s]) if prior[s] > 0.0 else -np.inf
    for j in range(item_start[i], item_start[i + 1]):
        log_row = log_rows[row[j]]
        for s in range(n_states):
            out_logs[s] += log_row[s]


@kernel()
def predictions(
    judged: Parted, log_rows: Reals, C: Reals, priors: Reals, prior_row: Codes, power: Reals, out_probability: Reals
) -> None:
    """``out_probability`` (H,) = sum_s z~[s] C[row, s] of every judgment held out, z~ of those that were not.

    The posterior z of the states of an item (``priors`` (P, S) or wider, ``prior_row`` (n,) naming each item's) is
    raised to the ``power`` (n,) and normalised. ``C`` (R, S) and ``log_rows``, its logarithms.
    """
    item_start, row, held_start, held_row = judged
    z = np.empty(log_rows.shape[1])
    for i in range(item_start.shape[0] - 1):
        if held_start[i] == held_start[i + 1]:
            continue
        log_states(item_start, row, log_rows, i, priors[prior_row[i]], z)
        peak, total = z.max(), 0.0
        for s in range(z.shape[0]):
            z[s] = math.exp((z[s] - peak) * power[i])
            total += z[s]
        for h in range(held_start[i], held_start[i + 1]):
            predicted = 0.0
            for s in range(z.shape[0]):
                predicted += z[s] * C[held_row[h], s]
            out_probability[h] = predicted / total


@kernel()
def label_posteriors(
    item_start: Offsets,
    row: Codes,
    log_rows: Reals,
    priors: Reals,
    prior_row: Codes,
    power: Reals,
    out_posterior: Reals,
) -> None:
    """E-step, summed up by label: posterior of every item, raised to a power and normalised.

    ``item_start`` (n+1,) delimits the items of a shard, ``row`` (J,), ``log_rows`` (R, S), ``priors`` (P, S) or wider
    with ``prior_row`` (n,) naming each item's, ``power`` (n,) the tempering exponent. Fills ``out_posterior`` (n, K),
    S a multiple of K; rows sum to 1. A prior of 0 forbids a state (gold).
    """
    n_labels = out_posterior.shape[1]
    per_label = log_rows.shape[1] // n_labels
    logs = np.empty(log_rows.shape[1])
    for i in range(item_start.shape[0] - 1):
        log_states(item_start, row, log_rows, i, priors[prior_row[i]], logs)
        out, peak = out_posterior[i], -np.inf
        for k in range(n_labels):  # the logarithm of each label's sum
            begin, end = k * per_label, (k + 1) * per_label
            most, total = logs[begin], 0.0
            for s in range(begin + 1, end):
                most = max(most, logs[s])
            if most > -np.inf:
                for s in range(begin, end):
                    total += math.exp(logs[s] - most)
                most += math.log(total)
            out[k] = most
            peak = max(peak, most)
        total = 0.0
        for k in range(n_labels):
            out[k] = math.exp((out[k] - peak) * power[i])
            total += out[k]
        for k in range(n_labels):
            out[k] /= total


@kernel()
def mixture_weights(likelihood: Reals, n_passes: int, tolerance: float, out_weight: Reals) -> None:
    """Weights of readings by EM: w[m] = (sum_j r[j, m] + 1) / (J + M), r[j, m] in proportion to w[m] likelihood[j, m].

    ``likelihood`` (J, M) holds each reading's P(judgment j). ``out_weight`` (M,) comes with the weights to start from;
    ends when none of them moves by more than ``tolerance``, or after ``n_passes``.
    """
    n, n_readings = likelihood.shape
    mass = np.empty(n_readings)
    for _ in range(n_passes):
        for m in range(n_readings):
            mass[m] = 1.0
        for j in range(n):
            total = 0.0
            for m in range(n_readings):
                total += out_weight[m] * likelihood[j, m]
            scale = 1.0 / total
            for m in range(n_readings):
                mass[m] += out_weight[m] * likelihood[j, m] * scale
        moved = 0.0
        for m in range(n_readings):
            weight = mass[m] / (n + n_readings)
            moved = max(moved, abs(weight - out_weight[m]))
            out_weight[m] = weight
        if moved <= tolerance:
            break
