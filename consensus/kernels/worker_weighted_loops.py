"""Loops of the worker-weighted fit: shares of the labels by the weights of the workers, and how far each is off."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Codes, Offsets, Reals


class Judged(NamedTuple):
    """The judgments of a shard of items."""

    item_start: Offsets
    """(n+1,)"""
    worker: Codes
    """(J,) of all items, as is ``label``."""
    label: Codes
    """(J,)"""


@kernel()
def weigh(judged: Judged, weight: Reals, out_shares: Reals, out_error: Reals) -> float:
    """Shares of the labels of a shard of items by the ``weight`` (W,) of whoever gave them; uniform without judgments.

    ``out_shares`` (n, K) holds those of the last pass. To ``out_error`` (W,) the squared distances of every judgment
    to the new shares of its item are added: 1 - 2 z[label] + sum_k z[k]^2.

    Returns the largest change of a share.
    """
    item_start, worker, label = judged
    n_labels = out_shares.shape[1]
    z = np.empty(n_labels)
    largest = 0.0
    for i in range(item_start.shape[0] - 1):
        begin, end = item_start[i], item_start[i + 1]
        none = begin == end
        total = 1.0 if none else 0.0
        for k in range(n_labels):
            z[k] = 1.0 / n_labels if none else 0.0
        for j in range(begin, end):  # unsigned positions spare the test for those that count from the end
            given = weight[np.uintp(worker[j])]
            z[np.uintp(label[j])] += given
            total += given
        scale, square = 1.0 / total, 0.0
        for k in range(n_labels):
            share = z[k] * scale
            moved = abs(share - out_shares[i, k])
            if moved > largest:
                largest = moved
            out_shares[i, k] = share
            square += share * share
            z[k] = share
        for j in range(begin, end):
            out_error[np.uintp(worker[j])] += 1.0 - 2.0 * z[np.uintp(label[j])] + square
    return largest
