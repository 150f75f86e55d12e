"""Loops that bring judgments into their canonical order: (item, worker, label) as one sorted integer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from consensus.kernels import Codes, Offsets


@kernel()
def packed(item: Codes, worker: Codes, label: Codes, worker_bits: int, label_bits: int, out_key: Offsets) -> None:
    """``out_key[n]`` (N,) = item, worker and label in one integer, in that order."""
    for n in range(item.shape[0]):
        out_key[n] = (((np.int64(item[n]) << worker_bits) | worker[n]) << label_bits) | label[n]


@kernel()
def tally_buckets(item: Codes, shift: int, out_counts: Offsets) -> None:
    """Add to ``out_counts[item >> shift]`` (B,) how many of ``item`` (N,) fall into each bucket."""
    for n in range(item.shape[0]):
        out_counts[item[n] >> shift] += 1


@kernel()
def packed_into_buckets(
    item: Codes,
    worker: Codes,
    label: Codes,
    worker_bits: int,
    label_bits: int,
    shift: int,
    begin: Offsets,
    out_key: Offsets,
) -> None:
    """``packed`` keys of N rows, each put at ``begin[item >> shift]`` (B,), which moves on by one."""
    for n in range(item.shape[0]):
        bucket = np.uintp(item[n] >> shift)  # unsigned: never counted from the end
        out_key[np.uintp(begin[bucket])] = (((np.int64(item[n]) << worker_bits) | worker[n]) << label_bits) | label[n]
        begin[bucket] += 1


@kernel()
def unpacked(
    key: Offsets, worker_bits: int, label_bits: int, out_item: Codes, out_worker: Codes, out_label: Codes
) -> None:
    """The codes (N,) in keys."""
    for n in range(key.shape[0]):
        pair = key[n] >> label_bits
        out_label[n] = key[n] & ((1 << label_bits) - 1)
        out_worker[n] = pair & ((1 << worker_bits) - 1)
        out_item[n] = pair >> worker_bits


@kernel()
def any_twice(key: Offsets, label_bits: int) -> bool:
    """Whether a sorted key (N,) has the item and worker of the one before it."""
    for n in range(1, key.shape[0]):  # noqa: SIM110  (Numba compiles no such any)
        if key[n] >> label_bits == key[n - 1] >> label_bits:
            return True
    return False


@kernel()
def item_starts(item: Codes, out_start: Offsets) -> None:
    """``out_start`` (I+1,) where the judgments of each item begin; ``item`` (J,) is sorted."""
    n = 0
    for i in range(out_start.shape[0]):
        while n < item.shape[0] and item[n] < i:
            n += 1
        out_start[i] = n


@kernel()
def of_items(item: Codes, value: NDArray[Any], unset: float, out_value: NDArray[Any]) -> int:
    """``out_value`` (I,), all ``unset`` before, becomes the ``value`` (N,) of the first row of each item; the first row
    whose value is another one than that of the first row of its ``item`` (N,), -1 where there is none.
    """  # noqa: D205
    for n in range(item.shape[0]):
        known = out_value[item[n]]
        if known == unset:
            out_value[item[n]] = value[n]
        elif known != value[n]:
            return n
    return -1


@kernel()
def tally(codes: Codes, out_counts: Offsets) -> None:
    """Add to ``out_counts[code]`` how often each of ``codes`` (N,) occurs."""
    for n in range(codes.shape[0]):
        out_counts[codes[n]] += 1
