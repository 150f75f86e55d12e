"""Loops of calibration: the average of several scalings, over very many items."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Reals


@kernel()
def mixed(x: Reals, slope: Reals, intercept: Reals, weight: Reals, out: Reals) -> None:
    """``out`` (n, K): sum_m weight[m] softmax_k(sum_f slope[m, f] x[f, i, k] + intercept[m, k]).

    ``x`` (F, n, K), ``slope`` (M, F), ``intercept`` (M, K), ``weight`` (M,) sums to 1.
    """
    n_readings, n_items, n_labels = x.shape
    row = np.empty(n_labels)
    for i in range(n_items):
        for k in range(n_labels):
            out[i, k] = 0.0
        for m in range(len(weight)):
            peak = -math.inf
            for k in range(n_labels):
                log = intercept[m, k]
                for f in range(n_readings):
                    log += slope[m, f] * x[f, i, k]
                row[k] = log
                peak = max(peak, log)
            total = 0.0
            for k in range(n_labels):
                row[k] = math.exp(row[k] - peak)
                total += row[k]
            for k in range(n_labels):
                out[i, k] += weight[m] * row[k] / total
