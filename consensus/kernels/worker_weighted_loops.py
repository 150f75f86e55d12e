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


@kernel(forceinline=True)
def _share(judged: Judged, begin: int, end: int, weight: Reals, out: Reals) -> None:
    """The shares (K,) of the labels among judgments ``begin`` to ``end``."""
    n_labels = out.shape[0]
    none = begin == end
    total = 1.0 if none else 0.0
    for k in range(n_labels):
        out[k] = 1.0 / n_labels if none else 0.0
    for j in range(begin, end):  # unsigned positions spare the test for those that count from the end
        given = weight[np.uintp(judged.worker[j])]
        out[np.uintp(judged.label[j])] += given
        total += given
    scale = 1.0 / total
    for k in range(n_labels):
        out[k] *= scale


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
        _share(judged, begin, end, weight, z)
        square = 0.0
        for k in range(n_labels):
            moved = abs(z[k] - out_shares[i, k])
            if moved > largest:
                largest = moved
            out_shares[i, k] = z[k]
            square += z[k] * z[k]
        for j in range(begin, end):
            out_error[np.uintp(worker[j])] += 1.0 - 2.0 * z[np.uintp(label[j])] + square
    return largest


@kernel()
def shares(judged: Judged, items: Offsets, weight: Reals, out_shares: Reals) -> None:
    """The shares (n, K) of some ``items`` (n,) alone, as ``weigh`` makes them."""
    for n in range(items.shape[0]):
        i = items[n]
        _share(judged, judged.item_start[i], judged.item_start[i + 1], weight, out_shares[n])
