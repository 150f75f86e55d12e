"""What came to a stream since the last fit, and what the plan of that fit makes of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consensus.state.asking import Asking
    from consensus.state.leases import Leases
    from consensus.state.records import Record

    Came = Literal["new", "corrected", "repeated"]
    Codes = tuple[int, int]


class Since:
    """Judgments since a fit, by item and by worker. To be used by one thread at a time.

    Parameters
    ----------
    asking
        The list of the plan of that fit; None before the first one.
    """

    def __init__(self, asking: Asking | None) -> None:
        self.asking = asking
        self.records: list[Record] = []
        self._labels: dict[str, dict[str, str]] = {}  # by item, then by worker
        self._places: defaultdict[str, set[int]] = defaultdict(set)
        self._per_worker: Counter[str] = Counter()
        self._ids: set[str] = set()

    def __len__(self) -> int:
        return len(self.records)

    def knows(self, judgment_id: str | None) -> bool:
        """Whether a judgment of this id came."""
        return judgment_id is not None and judgment_id in self._ids

    def codes(self, records: Iterable[Record]) -> list[Codes]:
        """Codes of item and worker of each; -1 where the fit does not know them. Any thread may ask at any time."""
        asking = self.asking
        if asking is None:
            return [(-1, -1) for _ in records]
        return [(asking.item_code(one.item), asking.worker_code(one.worker)) for one in records]

    def label_of(self, record: Record, codes: Codes, *, apart: bool = False) -> str | None:
        """What the worker of a judgment said of its item before; None where they did not.

        ``apart``: the worker stands for many people, none of whom judged twice.
        """
        if apart:
            return None
        known = self._labels.get(record.item, {}).get(record.worker)
        return known if known is not None or self.asking is None else self.asking.label_of(*codes)

    def add(self, record: Record, codes: Codes, leases: Leases | None = None, *, apart: bool = False) -> Came:
        """Count a judgment, and one less that is needed of its item, unless one of the ``leases`` was for it."""
        before = self.label_of(record, codes, apart=apart)
        was_asked = before is None and leases is not None and leases.fulfil(record.item, record.worker)
        self.records.append(record)
        self._labels.setdefault(record.item, {})[record.worker] = record.label
        self._per_worker[record.worker] += 1
        if record.judgment_id is not None:
            self._ids.add(record.judgment_id)
        place = -1 if self.asking is None else self.asking.place(codes[0])
        if self.asking is not None and place >= 0:
            self._places[record.worker].add(place)
            if before is None and not was_asked:
                self.asking.take(place)
        if before is None:
            return "new"
        return "repeated" if before == record.label else "corrected"

    def again(self, records: Sequence[Record], *, apart: frozenset[str] = frozenset()) -> None:
        """Count judgments that were counted before, by an older plan."""
        for record, codes in zip(records, self.codes(records), strict=True):
            self.add(record, codes, apart=record.worker in apart)

    def of_item(self, item: str) -> dict[str, str]:
        """Label by worker."""
        return dict(self._labels.get(item, {}))

    def places_of(self, worker: str) -> set[int]:
        """Places of the list that a worker judged."""
        return self._places.get(worker, set())

    def n_of_worker(self, worker: str) -> int:
        """Judgments that a worker made."""
        return self._per_worker[worker]
