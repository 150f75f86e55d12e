"""Who was asked what, and until when nobody else is asked for that judgment."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter, defaultdict

Key = tuple[str, str | None, int]


class Leases:
    """Items that were handed out and not yet judged. To be used by one thread at a time."""

    def __init__(self) -> None:
        self._until: dict[Key, float] = {}
        self._queue: list[tuple[float, int, Key]] = []  # the one that ends first, first; some are over before
        self._serial = itertools.count(1)
        self._of_nobody: defaultdict[str, list[Key]] = defaultdict(list)
        self._of_worker: defaultdict[str, set[str]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._until)

    def give(self, item: str, worker: str | None, until: float) -> None:
        """Lease an item to a worker who has no lease of it, or to nobody in particular, ``until`` a time in seconds."""
        number = next(self._serial)
        key = (item, worker, number if worker is None else 0)
        self._until[key] = until
        heapq.heappush(self._queue, (until, number, key))
        if worker is None:
            self._of_nobody[item].append(key)
        else:
            self._of_worker[worker].add(item)

    def fulfil(self, item: str, worker: str) -> bool:
        """End the lease that a judgment answers: that of its worker, else one of nobody in particular."""
        key: Key = (item, worker, 0)
        if key not in self._until:
            waiting = self._of_nobody.get(item)
            if not waiting:
                return False
            key = waiting[0]
        self._end(key)
        return True

    def expire(self, now: float) -> list[str]:
        """End the leases that are over; the items of these, each as often as it was leased."""
        found = []
        while self._queue and self._queue[0][0] <= now:
            until, _, key = heapq.heappop(self._queue)
            if self._until.get(key) == until:
                self._end(key)
                found.append(key[0])
        return found

    def of_worker(self, worker: str) -> frozenset[str]:
        """The items that a worker was asked."""
        return frozenset(self._of_worker.get(worker, ()))

    def per_item(self) -> Counter[str]:
        """How often each item is leased."""
        return Counter(key[0] for key in self._until)

    def _end(self, key: Key) -> None:
        item, worker, _ = key
        del self._until[key]
        if worker is None:
            self._of_nobody[item].remove(key)
            if not self._of_nobody[item]:
                del self._of_nobody[item]
        else:
            self._of_worker[worker].discard(item)
            if not self._of_worker[worker]:
                del self._of_worker[worker]
