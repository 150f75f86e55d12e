"""Loops that bring the judgments of each worker into the order of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Codes, Offsets

UNKNOWN = np.iinfo(np.int64).min  # what NaT is as an integer: before all times


@kernel()
def by_worker(worker: Codes, begin: Offsets, out_judgment: Offsets) -> None:
    """``out_judgment`` (J,) positions of the judgments, worker by worker; ``begin`` (W,) moves on to the ends."""
    for j in range(worker.shape[0]):
        out_judgment[begin[worker[j]]] = j
        begin[worker[j]] += 1


@kernel()
def in_time(start: Offsets, time: Offsets, out_judgment: Offsets, out_time: Offsets, out_first: Offsets) -> None:
    """Sort ``out_judgment[start[w]:start[w + 1]]`` by ``time`` (J,); equal times stay in the order they are in.

    ``start`` (n+1,) is of a shard of workers. ``out_time`` (J,) is the time at each place, and ``out_first`` (n,) the
    place of the first known time of each worker.
    """
    for w in range(start.shape[0] - 1):
        begin, end = start[w], start[w + 1]
        sorted_already = True
        for at in range(begin, end):
            out_time[at] = time[out_judgment[at]]
            if at > begin and out_time[at] < out_time[at - 1]:
                sorted_already = False
        if not sorted_already:
            order = np.argsort(out_time[begin:end], kind="mergesort")
            judgment, when = out_judgment[begin:end].copy(), out_time[begin:end].copy()
            for n in range(end - begin):
                out_judgment[begin + n] = judgment[order[n]]
                out_time[begin + n] = when[order[n]]
        first = begin
        while first < end and out_time[first] == UNKNOWN:
            first += 1
        out_first[w] = first
