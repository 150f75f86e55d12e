"""Loops of calibration: the average of several scalings, over very many items."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Reals


@kernel()
def mixed(x: Reals, slope: Reals, intercept: Reals, weight: Reals, out: Reals) -> None:
    """``out`` (n, K): sum_m weight[m] softmax_k(sum_f slope[m, f] x[f, i, k] + intercept[m, k]).

    ``x`` (F, n, K), ``slope`` (M, F), ``intercept`` (M, K), ``weight`` (M,) sums to 1.
    """
    n_readings, n_items, n_labels = x.shape
    for i in range(n_items):
        for k in range(n_labels):
            out[i, k] = 0.0
    for m in range(len(weight)):
        for i in range(n_items):
            _add(x, i, slope[m], intercept[m], weight[m], n_readings, out[i])


@kernel()
def _add(x: Reals, i: int, slope: Reals, intercept: Reals, weight: float, n_readings: int, out: Reals) -> None:
    """Add one softmax, twice made: cheaper than to keep it for few labels."""
    n_labels = len(out)
    peak = -math.inf
    for k in range(n_labels):
        log = intercept[k]
        for f in range(n_readings):
            log += slope[f] * x[f, i, k]
        peak = max(peak, log)
    total = 0.0
    for k in range(n_labels):
        log = intercept[k] - peak
        for f in range(n_readings):
            log += slope[f] * x[f, i, k]
        total += math.exp(log)
    for k in range(n_labels):
        log = intercept[k] - peak
        for f in range(n_readings):
            log += slope[f] * x[f, i, k]
        out[k] += weight * math.exp(log) / total
