"""Two camps of workers by one number each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]
    Reals = NDArray[np.float64]

ROUNDS = 50
NOBODY = 1e-9  # judgments that a worker without any weighs


def two(values: Reals, weight: NDArray[np.int64] | Reals) -> tuple[Flags, float, float]:
    """(n,) the lower of two camps of ``values`` (n,) by 2-means, and both means; nobody where all are alike."""
    weight = np.maximum(weight, NOBODY)
    low, high = (float(np.quantile(values, q)) for q in (0.1, 0.9))
    members = np.zeros(len(values), np.bool_)
    for _ in range(ROUNDS):
        before, members = members, values < (low + high) / 2
        if (members == before).all():
            break
        low, high = (float(np.average(values[m], weights=weight[m])) for m in (members, ~members))
    return members, low, high
