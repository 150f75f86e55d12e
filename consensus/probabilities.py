"""Tables of probabilities: rows that sum to 1, and their entropy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def normalised(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows (over the last axis) scaled to sum to 1; uniform where they are all zero."""
    totals = table.sum(axis=-1, keepdims=True)
    uniform = np.full_like(table, 1.0 / table.shape[-1])
    np.divide(table, totals, out=uniform, where=totals > 0)
    return uniform


def entropy(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Entropy over the last axis, in nats."""
    logs = np.log(table, out=np.zeros_like(table), where=table > 0)
    found: NDArray[np.float64] = np.maximum(-(table * logs).sum(axis=-1), 0.0)
    return found
