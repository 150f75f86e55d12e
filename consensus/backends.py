"""Where shards are worked on.

``map`` runs loops that share the memory of this process. ``scatter`` and ``each`` do without: a part is brought to
where it is worked on once, and then takes what is small and gives back what is small, or the rows that it is asked for.
What is done to parts is therefore a function of a module, which writes to its ``out`` alone.
"""

from __future__ import annotations

import bisect
import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

S = TypeVar("S")
R = TypeVar("R")

SMALLEST_SHARD = 50_000  # judgments below which a second thread costs more than it saves
MOST_SHARDS = 16


class Backend(Protocol):
    """Runs a function on every shard."""

    n_threads: int

    def map(self, function: Callable[[S], R], shards: Sequence[S]) -> list[R]:
        """Apply ``function`` to every shard, in memory that all share; results in shard order."""

    def scatter(self, parts: Sequence[object]) -> Sequence[Any]:
        """Bring parts to where they are worked on; what ``each`` takes."""

    def each(
        self,
        function: Callable[..., R],
        parts: Sequence[Any],
        *given: object,
        into: Sequence[NDArray[Any]] | None = None,
        apart: Callable[[int], object] | None = None,
    ) -> list[R]:
        """Apply ``function(part, ...)`` to every scattered part; results in their order.

        Parameters
        ----------
        given
            What all of them take, behind the part.
        into
            Arrays, one a part, that the function fills in; it takes its own next. It does not see what was in it.
        apart
            What part n takes at last, by n: made just before.
        """


class Threads:
    """Shards on threads of this process. The kernels release the GIL."""

    def __init__(self, n_threads: int | None = None) -> None:
        self.n_threads = n_threads or usable_cores()
        self._pool: ThreadPoolExecutor | None = None

    def __getstate__(self) -> dict[str, object]:
        """Without the threads: others are started where it is used again."""
        return {"n_threads": self.n_threads, "_pool": None}

    def map(self, function: Callable[[S], R], shards: Sequence[S]) -> list[R]:
        """Apply ``function`` to every shard; results in shard order."""
        if self.n_threads == 1 or len(shards) < 2:
            return [function(shard) for shard in shards]
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.n_threads)
        return list(self._pool.map(function, shards))

    def scatter(self, parts: Sequence[object]) -> Sequence[Any]:
        """They are where they are."""
        return parts

    def each(
        self,
        function: Callable[..., R],
        parts: Sequence[Any],
        *given: object,
        into: Sequence[NDArray[Any]] | None = None,
        apart: Callable[[int], object] | None = None,
    ) -> list[R]:
        """Apply ``function`` to every part: without a copy of anything."""

        def one(n: int) -> R:
            out = () if into is None else (into[n],)
            return function(parts[n], *out, *given, *(() if apart is None else (apart(n),)))

        return self.map(one, range(len(parts)))


def usable_cores() -> int:
    """Cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # pragma: no cover  (only where the system has no affinities)


def number_of_shards(n_judgments: int, table_size: int = 0) -> int:
    """How many shards data is cut into: by its size alone, never by the machine, so that sums have the same bits.

    Parameters
    ----------
    n_judgments
        J.
    table_size
        Cells of the table that each shard sums up for itself. Where it is large against the judgments, clearing and
        merging many of them would cost more than the judgments: then there are two.
    """
    n = max(1, min(n_judgments // SMALLEST_SHARD, MOST_SHARDS))
    return min(n, max(2, n_judgments // max(table_size, 1)))


def even_slices(starts: NDArray[np.int64], n_parts: int) -> tuple[slice, ...]:
    """Cut what ``starts`` delimits into at most ``n_parts`` contiguous slices of about equal work.

    Parameters
    ----------
    starts
        Offsets (N+1,), as ``item_start``: entry n begins at ``starts[n]``.
    n_parts
        How many slices; fewer where there are fewer entries.
    """
    n = len(starts) - 1
    n_parts = max(1, min(n_parts, n))

    def work(entry: int) -> int:  # before this entry: each costs something even when it is empty
        return int(starts[entry]) + entry

    goals = (work(0) + (work(n) - work(0)) * part / n_parts for part in range(1, n_parts))
    bounds = [0, *(bisect.bisect_left(range(n + 1), goal, key=work) for goal in goals), n]
    return tuple(slice(a, b) for a, b in itertools.pairwise(bounds))


def even_parts(n: int, n_parts: int) -> tuple[slice, ...]:
    """Cut ``n`` entries of equal work into at most ``n_parts`` contiguous slices."""
    n_parts = max(1, min(n_parts, n))
    return tuple(slice(n * part // n_parts, n * (part + 1) // n_parts) for part in range(n_parts))
