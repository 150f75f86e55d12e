"""The judgments of every worker in the order of time."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from consensus.backends import even_slices, number_of_shards
from consensus.kernels import timeline_loops as kernels

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from consensus.found.result import Consensus

    Offsets = NDArray[np.int64]

R = TypeVar("R")

KEY_BITS = 62  # of the integers that are sorted


@dataclass(frozen=True, slots=True, eq=False)
class Timelines:
    """Places in the order of worker, time and item; judgments without a time come first."""

    start: Offsets
    """(W+1,) the places of worker w are ``start[w]:start[w + 1]``."""
    first: Offsets
    """(W,) the first place of each worker with a known time."""
    judgment: NDArray[np.int32]
    """(J,) the judgment at each place."""
    time: Offsets
    """(J,) its time in microseconds since 1970, UTC; or the number of its row."""

    @classmethod
    def of(cls, result: Consensus, rows: bool = False) -> Timelines:
        """The timelines of all workers; with ``rows`` by the order of rows, if it is known and no time is."""
        judgments = result.judgments
        start = np.zeros(judgments.n_workers + 1, np.int64)
        np.cumsum(judgments.per_worker, out=start[1:])
        judgment = np.empty(judgments.n_judgments, np.int32)
        kernels.by_worker(judgments.worker, start[:-1].copy(), judgment)
        if judgments.timestamp is not None:
            stamps = np.ascontiguousarray(judgments.timestamp.astype("datetime64[us]", copy=False)).view(np.int64)
        elif rows and judgments.read_row is not None:
            stamps = judgments.read_row
        else:
            return cls(start, start[1:], judgment, np.full(judgments.n_judgments, kernels.UNKNOWN))
        time, first = np.empty_like(stamps), np.empty(judgments.n_workers, np.int64)
        found = cls(start, first, judgment, time)

        def shard(part: slice) -> None:
            starts, base = found.starts(part), np.empty(part.stop - part.start, np.int64)
            kernels.keys(starts, judgment, stamps, KEY_BITS, time, base)
            for begin, end in itertools.pairwise(starts.tolist()):
                time[begin:end].sort()  # many times faster than sorting positions by time
            kernels.in_time(starts, base, stamps, judgment, time, first[part])

        found.map(result, shard)
        return found

    @property
    def n_timed(self) -> Offsets:
        """(W,) judgments with a known time."""
        return self.start[1:] - self.first

    def starts(self, part: slice) -> Offsets:
        """``start`` of a slice of workers, with the end of the last."""
        return self.start[part.start : part.stop + 1]

    def of_workers(self, part: slice) -> kernels.Shard:
        """Those of a slice of workers, as the loops take them."""
        return kernels.Shard(self.starts(part), self.first[part], self.judgment, self.time)

    def map(self, result: Consensus, function: Callable[[slice], R]) -> list[R]:
        """Apply ``function`` to slices of workers of about equal work."""
        return result.backend.map(function, even_slices(self.start, number_of_shards(len(self.judgment))))
