"""What can be asked by a plan, laid out so that the next items for a worker are found in milliseconds."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.escalation import REASONS, worker_choice

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.runs import Run

    Positions = NDArray[np.int64]

FIRST_BLOCK, LARGEST_BLOCK = 1 << 10, 1 << 17  # places of the list that are looked at together


@dataclass(frozen=True, slots=True)
class Ask:
    """An item to ask somebody about."""

    item: str
    reason: str
    """Why, as in escalations.csv."""
    priority: float
    """Errors that a judgment saves, as in escalations.csv; NaN where no confidence can be stated."""
    suggested: bool = False
    """The plan names this worker for it, as one who tells much about it."""


class SortedTexts:
    """Ids sorted bytewise, found without a table of all of them."""

    def __init__(self, texts: pa.StringArray) -> None:
        _, ends, data = texts.buffers()
        self._n = len(texts)
        self._ends = np.frombuffer(ends, np.int32)[texts.offset : texts.offset + self._n + 1] if self._n else None
        self._bytes = memoryview(data if data is not None else b"")

    def code(self, text: str) -> int:
        """Its position; -1 where it is not there."""
        if self._ends is None:
            return -1
        ends, content, wanted = self._ends, self._bytes, text.encode()

        def at(n: int) -> bytes:
            return bytes(content[ends[n] : ends[n + 1]])

        found = bisect_left(range(self._n), wanted, key=at)
        return found if found < self._n and at(found) == wanted else -1


class Asking:
    """The list of a plan, most urgent first, and what became of it since: judgments that came, and leases.

    An item is handed out as often as it is to be asked for now; when all are, as often as judgments are expected to be
    needed (with a budget: no more than that pays for). To be used by one thread at a time.

    Parameters
    ----------
    run
        Whose plan it is.
    """

    def __init__(self, run: Run) -> None:
        plan, result = run.plan, run.result
        self.run = run
        self._workers: pd.DataFrame | None = None
        self._judgments = j = result.judgments
        listed = np.flatnonzero(plan.judgments > 0)  # none of an expert
        self._items = plan.items[listed]
        self._reason = plan.reason[self._items]
        ahead = plan.ahead.take(plan.at[listed])
        self._priority = ahead.priority if result.identified else np.full(len(listed), np.nan)
        self._now = plan.judgments[listed].astype(np.int64)
        self._most = self._now.copy()
        if run.rule.budget is None:
            room = run.rule.max_judgments - j.per_item[self._items]
            expected = np.floor(np.nan_to_num(ahead.needed) + 0.5).astype(np.int64)
            self._most = np.maximum(np.minimum(expected, room), self._now)
        self._used = np.zeros(len(listed), np.int64)  # judged since the fit, or leased
        self._head = {True: 0, False: 0}  # before these places nothing is left, by `_limit`
        self._place = np.full(j.n_items, -1, np.int64)
        self._place[self._items] = np.arange(len(listed))
        self._suggested = _pairs(*_suggestions(plan.workers[listed]), len(listed))
        places = self._place[j.item]
        asked = places >= 0
        self._judged = _pairs(j.worker[asked], places[asked], len(listed))
        self._trusted = None if run.rule.ask_anyone else worker_choice.trusted(run.audit)
        self._item_ids, self._worker_ids = SortedTexts(j.item_ids), SortedTexts(j.worker_ids)

    def __len__(self) -> int:
        return len(self._items)

    def item_code(self, item: str) -> int:
        """Of an item in the fit; -1 where it is not there."""
        return self._item_ids.code(item)

    def worker_code(self, worker: str) -> int:
        """Of a worker in the fit; -1 where they are not there."""
        return self._worker_ids.code(worker)

    def label_of(self, item: int, worker: int) -> str | None:
        """What a worker said of an item, by their codes, as far as the fit knows."""
        j = self._judgments
        if item < 0 or worker < 0:
            return None
        begin, end = j.item_start[item], j.item_start[item + 1]
        own = np.flatnonzero(j.worker[begin:end] == worker)
        return j.labels[j.label[begin + own[-1]]] if len(own) else None

    def place(self, item: int) -> int:
        """Where an item stands in the list, by its code; -1 where it does not."""
        return int(self._place[item]) if item >= 0 else -1

    def take(self, place: int) -> None:
        """One more judgment of what stands there came, or is leased."""
        self._used[place] += 1

    def give_back(self, place: int) -> None:
        """A lease of what stands there is over."""
        self._used[place] -= 1
        self._head = {limit: min(head, place) for limit, head in self._head.items()}

    def may_be_asked(self, worker: int) -> bool:
        """Whether a worker, by code, is one whom a plan would name: not a spammer, and so on; a newcomer is."""
        return self._trusted is None or worker < 0 or bool(self._trusted[worker])

    def left(self, place: int) -> int:
        """Judgments of what stands there that may still be asked for."""
        return int(max(self._most[place] - self._used[place], 0))

    def workers(self) -> pd.DataFrame:
        """The table of workers, by worker."""
        if self._workers is None:
            self._workers = self.run.workers.set_index("worker")
        return self._workers

    def choose(self, n: int, worker: int | None, not_again: Collection[int]) -> list[int]:
        """Up to ``n`` places to ask a worker (by code; -1 is a newcomer, None anybody), but ``not_again`` some."""
        own = _of(self._suggested, worker, len(self)) if worker is not None else np.zeros(0, np.int64)
        judged = _of(self._judged, worker, len(self)) if worker is not None else own
        found: dict[int, None] = {}
        for for_now in (True, False):
            limit = self._now if for_now else self._most
            self._fill(found, n, own[self._used[own] < limit[own]], judged, not_again)
            for block in self._open(for_now):
                if len(found) >= n:
                    break
                self._fill(found, n, block, judged, not_again)
        return list(found)

    def ask(self, place: int, worker: int | None) -> Ask:
        """What stands at a place."""
        own = _of(self._suggested, worker, len(self)) if worker is not None else np.zeros(0, np.int64)
        at = np.searchsorted(own, place)
        return Ask(
            item=self._judgments.item_ids[int(self._items[place])].as_py(),
            reason=REASONS[self._reason[place]],
            priority=float(self._priority[place]),
            suggested=bool(at < len(own) and own[at] == place),
        )

    def _open(self, for_now: bool) -> Iterator[Positions]:
        """Places of which something is left, most urgent first, in blocks."""
        limit, begin, size, at_head = (self._now if for_now else self._most), self._head[for_now], FIRST_BLOCK, True
        while begin < len(self):
            block = np.flatnonzero(self._used[begin : begin + size] < limit[begin : begin + size]) + begin
            at_head = at_head and not len(block)
            begin += size
            if at_head:
                self._head[for_now] = min(begin, len(self))
            yield block
            size = min(2 * size, LARGEST_BLOCK)

    @staticmethod
    def _fill(found: dict[int, None], n: int, block: Positions, judged: Positions, not_again: Collection[int]) -> None:
        """Add places of a block to those ``found``, up to ``n``, but those ``judged`` (sorted) and ``not_again``."""
        if len(judged) and len(block):
            at = np.minimum(np.searchsorted(judged, block), len(judged) - 1)
            block = block[judged[at] != block]
        for place in block[: n + len(not_again)].tolist():
            if len(found) >= n:
                return
            if place not in not_again:
                found[place] = None


def _suggestions(workers: NDArray[np.int32]) -> tuple[NDArray[np.int32], Positions]:
    """Worker and place of whom (n, M) a plan names."""
    places, columns = np.nonzero(workers >= 0)
    return workers[places, columns], places


def _pairs(workers: NDArray[Any], places: Positions, n: int) -> Positions:
    """Worker and place as one number each, sorted."""
    found = workers.astype(np.int64) * max(n, 1) + places
    found.sort()
    return found


def _of(pairs: Positions, worker: int, n: int) -> Positions:
    """The places of a worker, sorted; none of a newcomer."""
    n = max(n, 1)
    begin, end = np.searchsorted(pairs, [worker * n, (worker + 1) * n])
    return pairs[begin:end] - worker * n
