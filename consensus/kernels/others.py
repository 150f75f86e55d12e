"""Loops that ask what the other judgments of an item say about a judgment: its cavity.

The untempered posterior of an item is z[k] ∝ prior[k] prod_j C[row[j], k]; without judgment j, ∝ z[k] / C[row[j], k].
``power`` is the tempering exponent that the given posterior was raised to.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Codes, Offsets, Reals


@kernel()
def right(
    item_start: Offsets, row: Codes, label: Codes, C: Reals, posterior: Reals, power: Reals, out_right: Reals
) -> None:
    """``out_right[j]`` (J,) = P(label[j] is the true one | the other judgments of its item), for the items of a shard.

    ``item_start`` (n+1,), ``posterior`` (n, K) and ``power`` (n,) are of the shard; ``C`` (R, K).
    """
    n_labels = posterior.shape[1]
    z = np.empty(n_labels)
    for i in range(item_start.shape[0] - 1):
        if item_start[i] == item_start[i + 1]:
            continue
        peak = posterior[i, 0]
        for k in range(1, n_labels):
            peak = max(peak, posterior[i, k])
        for k in range(n_labels):
            z[k] = math.exp(math.log(posterior[i, k] / peak) / power[i]) if posterior[i, k] > 0.0 else 0.0
        for j in range(item_start[i], item_start[i + 1]):
            total = 0.0
            for k in range(n_labels):
                total += z[k] / C[row[j], k]
            out_right[j] = z[label[j]] / C[row[j], label[j]] / total


@kernel()
def right_sparse(
    item_start: Offsets,
    row: Codes,
    label: Codes,
    candidate_start: Offsets,
    candidate: Codes,
    z: Reals,
    rest: Reals,
    power: Reals,
    cell_start: Offsets,
    true: Codes,
    C: Reals,
    C_rest: Reals,
    n_labels: int,
    out_right: Reals,
) -> None:
    """Like ``right`` where only the ``candidate`` labels of each item are weighed, the others sharing ``rest`` (n,).

    ``C`` (cells,) belongs to the cells of row r, ``cell_start[r]:cell_start[r + 1]``, their ``true`` labels ascending;
    ``C_rest`` (K,) by observed label stands for all true labels without a cell.
    """
    for i in range(item_start.shape[0] - 1):
        begin, end = candidate_start[i], candidate_start[i + 1]
        peak = rest[i]
        for c in range(begin, end):
            peak = max(peak, z[c])
        others = math.exp(math.log(rest[i] / peak) / power[i]) if rest[i] > 0.0 else 0.0
        for j in range(item_start[i], item_start[i + 1]):
            total, own = others * (n_labels - (end - begin)) / C_rest[label[j]], 0.0
            cell, last = cell_start[row[j]], cell_start[row[j] + 1]
            for c in range(begin, end):
                while cell < last and true[cell] < candidate[c]:
                    cell += 1
                likelihood = C[cell] if cell < last and true[cell] == candidate[c] else C_rest[label[j]]
                mass = math.exp(math.log(z[c] / peak) / power[i]) / likelihood if z[c] > 0.0 else 0.0
                total += mass
                if candidate[c] == label[j]:
                    own = mass
            out_right[j] = own / total
