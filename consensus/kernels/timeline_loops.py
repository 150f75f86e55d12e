"""Loops that bring the judgments of each worker into the order of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Codes, Offsets

UNKNOWN = np.iinfo(np.int64).min  # what NaT is as an integer: before all times


class Shard(NamedTuple):
    """The judgments of a shard of workers in the order of time, those without one first."""

    start: Offsets
    """(n+1,) worker n has the places ``start[n]:start[n + 1]``."""
    first: Offsets
    """(n,) the first place with a known time."""
    judgment: Codes
    """(J,) of all workers: the judgment at each place."""
    time: Offsets
    """(J,) its time in microseconds."""


@kernel()
def by_worker(worker: Codes, begin: Offsets, out_judgment: Codes) -> None:
    """``out_judgment`` (J,) positions of the judgments, worker by worker; ``begin`` (W,) moves on to the ends."""
    for j in range(worker.shape[0]):
        out_judgment[begin[worker[j]]] = j
        begin[worker[j]] += 1


@kernel()
def keys(start: Offsets, judgment: Codes, time: Offsets, most_bits: int, out_key: Offsets, out_base: Offsets) -> None:
    """``out_key`` (J,): ``time`` (J,) since a base and the place of a judgment, in one integer that sorts by both.

    ``start`` (n+1,) is of a shard of workers, ``judgment`` (J,) worker by worker. ``out_base`` (n,) is a microsecond
    before the first known time of each worker; or UNKNOWN, where a key would have more than ``most_bits``.
    """
    for w in range(start.shape[0] - 1):
        begin, end = start[w], start[w + 1]
        low, high = UNKNOWN, UNKNOWN
        for at in range(begin, end):
            t = time[judgment[at]]
            out_key[at] = t
            if t != UNKNOWN:
                low = t if low == UNKNOWN or t < low else low
                high = max(high, t)
        bits = _bits(end - begin)
        fits = low != UNKNOWN and float(high) - float(low) + 2.0 < 2.0 ** (most_bits - bits)
        out_base[w] = low - 1 if fits else UNKNOWN
        if fits:
            for at in range(begin, end):
                since = out_key[at] - out_base[w] if out_key[at] != UNKNOWN else 0
                out_key[at] = (since << bits) | (at - begin)


@kernel()
def _bits(n: int) -> int:
    bits = 0
    while n >> bits:
        bits += 1
    return bits


@kernel()
def in_time(
    start: Offsets, base: Offsets, time: Offsets, out_judgment: Codes, out_time: Offsets, out_first: Offsets
) -> None:
    """Sort ``out_judgment[start[w]:start[w + 1]]`` by ``time`` (J,); equal times stay in the order they are in.

    ``out_time`` (J,) comes as the sorted ``keys`` with their ``base`` (n,); it becomes the time at each place.
    ``out_first`` (n,) is the place of the first known time of each worker.
    """
    for w in range(start.shape[0] - 1):
        begin, end = start[w], start[w + 1]
        judgment, bits = out_judgment[begin:end].copy(), _bits(end - begin)
        if base[w] != UNKNOWN:
            for at in range(begin, end):
                since = out_time[at] >> bits
                out_judgment[at] = judgment[out_time[at] & ((1 << bits) - 1)]
                out_time[at] = base[w] + since if since else UNKNOWN
        else:
            for n in range(end - begin):
                out_time[begin + n] = time[judgment[n]]
            order = np.argsort(out_time[begin:end], kind="mergesort")
            for n in range(end - begin):
                out_judgment[begin + n] = judgment[order[n]]
                out_time[begin + n] = time[judgment[order[n]]]
        first = begin
        while first < end and out_time[first] == UNKNOWN:
            first += 1
        out_first[w] = first
