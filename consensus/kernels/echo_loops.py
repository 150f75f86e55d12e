"""Loops over the votes of one model beside what people say: an answer of its own, or an echo of their majority."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Codes, Reals


@kernel()
def echo_step(h: Reals, label: Codes, leads: Reals, C: Reals, shape: Reals, out_C: Reals, out_mass: Reals) -> float:
    """Log likelihood (nats) of the votes ``label`` (n,), and what an E step makes of them.

    A vote is the model's own with probability 1 - e, else an echo, astray with probability nu: ``shape`` is (e, nu). By
    ``h`` (n, K), the labels by people alone, ``leads`` (n,), what an echo gives the label, and ``C`` (K, K) [true,
    named]. Added to ``out_C`` (K, K): its own answers; to ``out_mass`` (2,): echoes, and echoes astray.
    """
    n_labels = h.shape[1]
    e, nu = shape[0], shape[1]
    astray = e * nu / n_labels
    found = 0.0
    for i in range(h.shape[0]):
        v = label[i]
        total = e * (1.0 - nu) * leads[i] + astray
        for k in range(n_labels):
            total += (1.0 - e) * h[i, k] * C[k, v]
        found += math.log(total)
        for k in range(n_labels):
            out_C[k, v] += (1.0 - e) * h[i, k] * C[k, v] / total
        out_mass[0] += e * (1.0 - nu) * leads[i] / total
        out_mass[1] += astray / total
    return found
