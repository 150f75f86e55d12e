"""Loops that bring judgments into their canonical order: (item, worker, label) as one sorted integer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Codes, Offsets


@kernel()
def packed(item: Codes, worker: Codes, label: Codes, worker_bits: int, label_bits: int, out_key: Offsets) -> None:
    """``out_key[n]`` (N,) = item, worker and label in one integer, in that order."""
    for n in range(item.shape[0]):
        out_key[n] = (((np.int64(item[n]) << worker_bits) | worker[n]) << label_bits) | label[n]


@kernel()
def unpacked(
    key: Offsets, worker_bits: int, label_bits: int, out_item: Codes, out_worker: Codes, out_label: Codes
) -> int:
    """The codes (N,) in sorted keys; returns how many judgments repeat the (item, worker) before them."""
    repeats, before = 0, -1
    for n in range(key.shape[0]):
        pair = key[n] >> label_bits
        repeats += pair == before
        before = pair
        out_label[n] = key[n] & ((1 << label_bits) - 1)
        out_worker[n] = pair & ((1 << worker_bits) - 1)
        out_item[n] = pair >> worker_bits
    return repeats


@kernel()
def item_starts(item: Codes, out_start: Offsets) -> None:
    """``out_start`` (I+1,) where the judgments of each item begin; ``item`` (J,) is sorted."""
    n = 0
    for i in range(out_start.shape[0]):
        while n < item.shape[0] and item[n] < i:
            n += 1
        out_start[i] = n


@kernel()
def tally(codes: Codes, out_counts: Offsets) -> None:
    """Add to ``out_counts[code]`` how often each of ``codes`` (N,) occurs."""
    for n in range(codes.shape[0]):
        out_counts[codes[n]] += 1
