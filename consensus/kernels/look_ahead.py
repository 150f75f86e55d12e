"""Loops that look ahead: what more judgments of an item would change, along paths of labels drawn beforehand.

``paths[k, s, m]`` (K, S, M, K) holds for the s-th path of an item whose true label is k the log likelihood of each
label after m + 1 more judgments, in nats. The untempered log posterior of an item is log z; with n judgments its
confidence is that of z ** ``power_of[n]``, normalised.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Offsets, Reals

TINY = 1e-300
UNLIKELY = 1e-3  # posterior below which a label is not looked into: it is never found, nor is the item settled


@kernel()
def errors(
    posterior: Reals,
    n_judgments: Offsets,
    power_of: Reals,
    paths: Reals,
    doubt: float,
    least: int,
    most: int,
    out_loss: Reals,
    out_settled: Reals,
) -> None:
    """Expected error after more judgments, and when an item is settled, of a shard of items.

    ``posterior`` (n, K) is tempered; where it holds the likeliest labels only, the others are never found. An item is
    settled once it has ``least`` judgments and the odds against its best label are at most ``doubt``; it gets at most
    ``most``. ``out_loss[i, m]`` (n, M+1) is the probability that the best label is wrong after m more, never rising;
    ``out_settled[i, m]`` (n, M+1) that the item is settled by the m-th of them and not before.
    """
    n_labels, n_paths, n_steps = paths.shape[0], paths.shape[1], paths.shape[2]
    log_z, x = np.empty(n_labels), np.empty(n_labels)
    for i in range(posterior.shape[0]):
        n = n_judgments[i]
        steps = max(min(n_steps, most - n), 0)
        top = 0.0
        for k in range(n_labels):
            top = max(top, posterior[i, k])
            log_z[k] = math.log(max(posterior[i, k], TINY)) / power_of[n]
        for m in range(n_steps + 1):
            out_loss[i, m] = out_settled[i, m] = 0.0
        out_loss[i, 0], never = 1.0 - top, 1.0
        for k in range(n_labels):
            if posterior[i, k] >= UNLIKELY:
                never -= posterior[i, k]
        for m in range(1, steps + 1):
            out_loss[i, m] = max(never, 0.0)
        for k in range(n_labels):
            if posterior[i, k] < UNLIKELY:
                continue
            q = posterior[i, k] / n_paths
            for s in range(n_paths):
                settled = False
                for m in range(1, steps + 1):
                    best = 0
                    for other in range(n_labels):
                        x[other] = log_z[other] + paths[k, s, m - 1, other]
                        if x[other] > x[best]:
                            best = other
                    if best != k:
                        out_loss[i, m] += q
                    if not settled and n + m >= least:
                        against, power = 0.0, power_of[n + m]
                        for other in range(n_labels):
                            if other != best:
                                against += math.exp(power * (x[other] - x[best]))
                                if against > doubt:
                                    break
                        if against <= doubt:
                            settled = True
                            out_settled[i, m] += q
        for m in range(1, n_steps + 1):
            out_loss[i, m] = out_loss[i, m - 1] if m > steps else min(out_loss[i, m], out_loss[i, m - 1])


@kernel()
def costs(
    posterior: Reals, n_judgments: Offsets, power_of: Reals, paths: Reals, cost: Reals, most: int, out_loss: Reals
) -> None:
    """Like ``errors``: ``out_loss[i, m]`` (n, M+1), the expected cost of the decision after m more judgments.

    ``cost[k, d]`` (K, K) is that of deciding d where k is true; each decision is the one of least expected cost.
    """
    n_labels, n_paths, n_steps = paths.shape[0], paths.shape[1], paths.shape[2]
    log_z, x = np.empty(n_labels), np.empty(n_labels)
    for i in range(posterior.shape[0]):
        n = n_judgments[i]
        steps = max(min(n_steps, most - n), 0)
        for k in range(n_labels):
            log_z[k] = math.log(max(posterior[i, k], TINY)) / power_of[n]
            x[k] = posterior[i, k]
        for m in range(n_steps + 1):
            out_loss[i, m] = 0.0
        decided = _cheapest(x, cost)
        for k in range(n_labels):
            out_loss[i, 0] += posterior[i, k] * cost[k, decided]
        for k in range(n_labels):
            q = posterior[i, k] / n_paths
            if q == 0.0:
                continue
            for s in range(n_paths):
                for m in range(1, steps + 1):
                    power, top = power_of[n + m], -np.inf
                    for other in range(n_labels):
                        x[other] = power * (log_z[other] + paths[k, s, m - 1, other])
                        top = max(top, x[other])
                    for other in range(n_labels):
                        x[other] = math.exp(x[other] - top)
                    out_loss[i, m] += q * cost[k, _cheapest(x, cost)]
        for m in range(1, n_steps + 1):
            out_loss[i, m] = out_loss[i, m - 1] if m > steps else min(out_loss[i, m], out_loss[i, m - 1])


@kernel()
def _cheapest(weight: Reals, cost: Reals) -> int:
    """The decision of least cost under the ``weight`` (K,) of each label; the first of equal ones."""
    best, least = 0, np.inf
    for d in range(weight.shape[0]):
        total = 0.0
        for k in range(weight.shape[0]):
            total += weight[k] * cost[k, d]
        if total < least:
            best, least = d, total
    return best


@kernel()
def hulls(loss: Reals, out_length: Offsets, out_slope: Reals) -> None:
    """The steepest way down of each ``loss`` (n, M+1): its lower convex hull from 0 on.

    ``out_length[i, h]`` (n, M) judgments lower it by ``out_slope[i, h]`` (n, M) each, ever less; 0 after the last.
    """
    n_steps = loss.shape[1] - 1
    for i in range(loss.shape[0]):
        at, h = 0, 0
        while at < n_steps:
            length, slope = 0, 0.0
            for m in range(at + 1, n_steps + 1):
                steep = (loss[i, at] - loss[i, m]) / (m - at)
                if steep > slope:
                    length, slope = m - at, steep
            if length == 0:
                break
            out_length[i, h], out_slope[i, h] = length, slope
            at += length
            h += 1
        for left in range(h, n_steps):
            out_length[i, left], out_slope[i, left] = 0, 0.0
