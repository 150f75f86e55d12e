"""A backend whose parts are worked on by the processes of a Dask cluster (extra ``dask``).

``consensus.fit(judgments, backend=Dask(client))`` brings the parts of the items there once a fit, and each pass of EM
then sends the parameters and brings back the counts. What shares memory (``map``) runs on threads here, and judgments
are read here: it is for more cores than one machine has, not yet for more judgments than its memory holds.

A worker that dies loses its parts. They are sent again from here, and what it did not answer is done again: results are
the same bits.
"""

from __future__ import annotations

from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from consensus.backends import Threads
from consensus.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

S = TypeVar("S")
R = TypeVar("R")

TRIES = 5
"""Times that a part is tried, where workers die."""


@dataclass(slots=True)
class _Part:
    """A part, and where it is."""

    here: object
    there: Any


class Dask:
    """Parts on a cluster.

    Parameters
    ----------
    client
        A ``distributed.Client``.
    n_threads
        Of this process, for what shares memory. Default: its cores.

    Raises
    ------
    ConfigError
        The extra is not installed.
    """

    def __init__(self, client: Any, n_threads: int | None = None) -> None:
        if find_spec("distributed") is None:
            raise ConfigError("Dask is not installed; install crowd-consensus[dask]", code="missing_library")
        self._client = client
        self._local = Threads(n_threads)
        self.n_threads = self._local.n_threads

    def map(self, function: Callable[[S], R], shards: Sequence[S]) -> list[R]:
        """Apply ``function`` to every shard, on threads of this process."""
        return self._local.map(function, shards)

    def scatter(self, parts: Sequence[object]) -> Sequence[Any]:
        """Bring parts to the workers, in turn."""
        if not parts:
            return []
        return [_Part(*one) for one in zip(parts, self._sent(list(parts)), strict=True)]

    def each(
        self,
        function: Callable[..., R],
        parts: Sequence[Any],
        *given: object,
        into: Sequence[NDArray[Any]] | None = None,
        apart: Callable[[int], object] | None = None,
    ) -> list[R]:
        """Apply ``function`` to every scattered part; results in their order."""
        found: list[Any] = [None] * len(parts)
        left = list(range(len(parts)))
        for again in range(TRIES):
            if again:
                for n, there in zip(left, self._sent([parts[n].here for n in left]), strict=True):
                    parts[n].there = there
            (shared,) = self._sent([given], broadcast=True)
            calls = {}
            for n in left:
                room = () if into is None else ((into[n].shape, into[n].dtype),)
                own = () if apart is None else (apart(n),)
                calls[n] = self._client.submit(_away, function, parts[n].there, room, shared, own, pure=False)
            left = []
            for n, call in calls.items():
                try:
                    found[n], outs = call.result()
                except _lost():
                    left.append(n)
                    continue
                for out in outs:
                    assert into is not None
                    into[n][...] = out
            if not left:
                return found
        raise _given_up()

    def _sent(self, data: list[object], *, broadcast: bool = False) -> Any:
        """Futures of ``data`` on workers."""
        for _ in range(TRIES):
            with suppress(*_lost()):
                return self._client.scatter(data, broadcast=broadcast, hash=False)
        raise _given_up()


def _given_up() -> ConfigError:
    return ConfigError(f"workers of the Dask cluster died {TRIES} times over the same parts; see to the cluster")


def _lost() -> tuple[type[BaseException], ...]:
    """What is raised where a worker died."""
    from distributed import KilledWorker
    from distributed.comm.core import CommClosedError

    return CancelledError, KilledWorker, CommClosedError


def _away(function: Callable[..., R], part: object, room: Any, given: Any, own: Any) -> tuple[R, tuple[Any, ...]]:
    outs = tuple(np.empty(shape, dtype) for shape, dtype in room)
    return function(part, *outs, *given, *own), outs
