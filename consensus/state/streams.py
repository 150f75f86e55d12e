"""``consensus.open``: a state that takes judgments as they come, and tells what to ask next."""

from __future__ import annotations

import itertools
import threading
import time
import uuid
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

from consensus.errors import StateError
from consensus.formats import given
from consensus.state import journal, looking_up, refusing
from consensus.state.absorbing import absorb, waiting
from consensus.state.asking import Ask, Asking
from consensus.state.changes import Changes
from consensus.state.leases import Leases
from consensus.state.manifest import FILE
from consensus.state.records import Record, records_of
from consensus.state.since import Since
from consensus.state.state import FULL_AFTER, WAIT, State

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from consensus.runs import Run
    from consensus.state.results import Updated

LEASE = 600.0
FEW = 500
"""Judgments that are counted by a new plan while everybody waits; more are counted before."""


def open(folder: Path | str, *, wait: float = WAIT) -> Stream:
    """Open a state to add judgments one by one, and to ask what comes next.

    What came by then and was not fitted is fitted first where there is no fit to go by.

    Parameters
    ----------
    folder
        Of a state, as ``consensus run --state`` makes it.
    wait
        Seconds to wait for another process that has it open, or writes it.

    Raises
    ------
    StateError
        It is no state, or another process has it for longer than that.
    ConfigError
        Its settings ask for more than items, workers and labels (weights, kept columns), or for another shape.

    Examples
    --------
    >>> import tempfile
    >>> from consensus.state import State
    >>> state = State.create(tempfile.mkdtemp() + "/state", consensus.RunConfig())
    >>> state.append(judgments).judgments
    36
    >>> with consensus.open(state.folder) as stream:
    ...     asked = stream.next(2, "fay")
    ...     changes = stream.add([{"item": asked[0].item, "worker": "fay", "label": "cat"}])
    >>> changes.new
    1
    """
    return Stream(given.path(folder, "folder", "name that of a state"), wait=wait)


class Stream:
    """A state that is open: judgments come, and what to ask next goes out. Safe to use from several threads.

    One process has a state open at a time. Judgments that were added count for ``next`` at once, and for labels from
    the next ``refit`` on. Leases live in memory: who opens the state again begins without.

    Examples
    --------
    >>> with consensus.open("state") as stream:  # doctest: +SKIP
    ...     asked = stream.next(10, "ann")
    """

    def __init__(self, folder: Path, *, wait: float = WAIT) -> None:
        self._state = State.open(folder)
        refusing.refuse_settings(self._state.config)
        self._wait = wait
        self._held = ExitStack()
        self._held.enter_context(journal.held(folder / journal.FOLDER, wait))
        self._lock = threading.Lock()  # of what follows, but for the two next
        self._refitting = threading.Lock()
        self._looking = threading.Lock()  # tables of a run that are made when they are first asked for
        self._closed = False
        self._config = self._state.config
        self._stamp = uuid.uuid4().hex  # ids of our own: nobody else's are like them
        self._serial = itertools.count()
        self._seen = 0  # when the manifest was written that the plan is of
        self._leases = Leases()
        self._since = Since(None)
        try:
            self._begin()
        except BaseException:
            self._held.close()
            raise

    def _begin(self) -> None:
        """Find what an earlier one left, and a fit to go by."""
        folder = self._state.folder / journal.FOLDER
        numbers = [journal.number_of(event.file) for event in self._state.manifest.events]
        numbers += map(journal.number_of, journal.files(folder))
        self._journal = journal.Journal(folder, max(numbers, default=0) + 1)
        left = [record for _, records in waiting(self._state) for record in records]
        try:
            self._since = Since(Asking(self._state.last()))
        except StateError:
            self._since.again(left)
            if left or self._state.manifest.n_judgments:
                self.refit()
            return
        self._since.again(left, apart=self._apart)
        fit = self._state.manifest.fit
        if fit is not None and fit.n_events == len(self._state.manifest.events):
            self._seen = self._settled()

    def add(
        self,
        judgments: Any = None,
        *,
        model_votes: Any = None,
        gold: Any = None,
        retract: Any = None,
        refit: bool = False,
    ) -> Changes:
        """Add what came; when this returns, it is on the disk.

        Parameters
        ----------
        judgments
            Records of item, worker and label (and timestamp, duration, judgment_id where known), a data frame, a path.
            All of them are taken, or none.
        model_votes, gold, retract
            As ``consensus update`` takes them. They count from the next fit on.
        refit
            Fit again, too, and tell what that changed.

        Raises
        ------
        ConsensusError
            Something can't be read or used, such as a label that is not in the label set, or it can't be written.
        """
        found = Changes()
        if judgments is not None:
            columns = {
                name: getattr(self._config, name) for name in ("item", "worker", "label", "timestamp", "duration")
            }
            found = self._journaled(records_of(judgments, columns))
        said: tuple[str, ...] = ()
        if any(one is not None for one in (model_votes, gold, retract)):
            with self._refitting:
                self._take_in()
                with self._state.tried(self._wait):
                    beside = self._state.append(model_votes=model_votes, gold=gold, retract=retract)
                    refusing.refuse_unusable(self._state)
            said = beside.said
        labels = self.refit().changes if refit else None
        return Changes(found.new, found.corrected, found.repeated, said, labels)

    def _journaled(self, records: list[Record]) -> Changes:
        counts = {"new": 0, "corrected": 0, "repeated": 0}
        since = self._since
        codes = since.codes(records)  # while others use the stream
        with self._lock:
            self._refuse_closed()
            if self._since is not since:  # a new plan came meanwhile
                codes = self._since.codes(records)
            apart = self._apart
            refusing.refuse_labels(records, self._config, self._since)
            if self._config.repeats == "error":
                refusing.refuse_repeats(records, codes, self._since, apart)
            lines = []
            for record, both in zip(records, codes, strict=True):
                if self._since.knows(record.judgment_id):
                    counts["repeated"] += 1
                    continue
                lines.append(record.line(f"{self._stamp}.{next(self._serial)}"))
                counts[self._since.add(record, both, self._leases, apart=record.worker in apart)] += 1
            batch = self._journal.put(b"".join(lines))
        self._journal.settle(batch)  # also where nothing is new: what it repeats may be on its way to the disk
        return Changes(counts["new"], counts["corrected"], counts["repeated"])

    def next(self, n: int = 1, worker: str | None = None, lease: float = LEASE) -> list[Ask]:
        """The next ``n`` items to ask, most urgent first; fewer where no more are needed.

        Parameters
        ----------
        n
            How many, 1 or more.
        worker
            Whom they are for: items that the plan names them for come first, and none that they have judged or were
            asked within the lease; none at all for whom the plan would not ask, such as a spammer. None: anybody.
        lease
            Seconds until an item is handed out again if no judgment of it comes. Before, it goes to no more people than
            judgments are needed of it.

        Raises
        ------
        ConfigError
            A number is out of range.
        """
        refusing.refuse_asking(n, worker, lease)
        now = time.monotonic()
        with self._lock:
            self._refuse_closed()
            asking = self._since.asking
            if asking is None:
                return []
            for item in self._leases.expire(now):
                place = asking.place(asking.item_code(item))
                if place >= 0:
                    asking.give_back(place)
            code, not_again = None, set[int]()
            if worker is not None:
                code = asking.worker_code(worker)
                if not asking.may_be_asked(code):
                    return []
                leased = (asking.place(asking.item_code(item)) for item in self._leases.of_worker(worker))
                not_again = self._since.places_of(worker).union(leased)
            found = []
            for place in asking.choose(n, code, not_again):
                ask = asking.ask(place, code)
                asking.take(place)
                self._leases.give(ask.item, worker, now + lease)
                found.append(ask)
            return found

    def item(self, item: str) -> dict[str, Any]:
        """What is known of an item: its label, confidence and status by the last fit, and what came since.

        Raises
        ------
        ConfigError
            Nobody judged it.
        """
        refusing.refuse_no_name("item", item)
        with self._lock:
            asking, came = self._since.asking, self._since.of_item(item)
        return looking_up.item(asking, item, came)

    def worker(self, worker: str) -> dict[str, Any]:
        """What is known of a worker: their row of workers.csv by the last fit, and whether they are asked.

        Raises
        ------
        ConfigError
            They judged nothing.
        """
        refusing.refuse_no_name("worker", worker)
        with self._lock:
            asking = self._since.asking
            n_came = self._since.n_of_worker(worker)
        with self._looking:
            return looking_up.worker(asking, worker, n_came)

    def summary(self) -> dict[str, Any]:
        """How much there is, how much of it the last fit knows, and the counts of that."""
        with self._lock:
            asking = self._since.asking
            told = {"new_judgments": len(self._since), "leases": len(self._leases)}
        with self._looking:
            return looking_up.summary(asking) | told | {"refitting": self._refitting.locked()}

    def report(self) -> str:
        """The page of the last fit, as HTML.

        Raises
        ------
        StateError
            There was no fit.
        OutputError
            The extra ``report`` is not installed.
        """
        with self._looking:
            return self.run.report().html

    @property
    def run(self) -> Run:
        """The run of the last fit.

        Raises
        ------
        StateError
            There was no fit.
        """
        asking = self._since.asking
        if asking is None:
            raise StateError("nothing was fitted yet; add judgments, then refit", self._state.folder)
        return asking.run

    @property
    def n_new(self) -> int:
        """Judgments since the last fit."""
        return len(self._since)

    @property
    def is_behind(self) -> bool:
        """Whether something came to the state, through this stream or from another process, that its plan lacks."""
        return bool(len(self._since)) or self._written() != self._seen

    def _written(self) -> int:
        """When the manifest of the state was written."""
        return (self._state.folder / FILE).stat().st_mtime_ns

    def _settled(self) -> int:
        """The same, if it is the one that this object knows; else 0."""
        written = self._written()
        return 0 if self._state.reload() else written

    @property
    def n_judgments(self) -> int:
        """Judgments that the last fit knows, and those since."""
        asking = self._since.asking
        return (0 if asking is None else len(asking.run.result.judgments)) + len(self._since)

    def refit(self, full: bool = False, *, full_after: float = FULL_AFTER) -> Updated:
        """Fit what came, as ``consensus update`` does, and go by its plan from then on; others may use the stream.

        Parameters
        ----------
        full
            From nothing, as ``consensus run`` does.
        full_after
            Share of the judgments that are new since the last full fit, above which the fit is a full one anyway.

        Raises
        ------
        ConsensusError
            There are no judgments, they can't be fitted, or another process writes the state.
        """
        with self._refitting:
            n_known = self._take_in()
            updated = self._state.update(full=full, full_after=full_after, wait=self._wait)
            seen = self._settled()
            later = Since(Asking(updated.run))
            self._follow(later, n_known)
            self._seen = seen
        return updated

    def _take_in(self) -> int:
        """Make parts of the journals that are there; how many of the judgments since the last fit these hold."""
        with self._lock:
            self._refuse_closed()
            number = self._journal.close_file()
            n_known = len(self._since)
        absorb(self._state, journal.files(self._journal.folder, number), self._wait)
        return n_known

    def _follow(self, later: Since, n_known: int) -> None:
        """Go by a new plan, with what came while it was made."""
        while True:
            with self._lock:
                coming = self._since.records[n_known:]
                n_known += len(coming)
                if len(coming) <= FEW:
                    later.again(coming, apart=self._apart)
                    assert later.asking is not None
                    for item, n in self._leases.per_item().items():
                        place = later.asking.place(later.asking.item_code(item))
                        for _ in range(n if place >= 0 else 0):
                            later.asking.take(place)
                    self._since = later
                    return
            later.again(coming, apart=self._apart)

    @property
    def _apart(self) -> frozenset[str]:
        """Workers who stand for many people."""
        asking = self._since.asking
        return frozenset() if asking is None else frozenset(asking.run.result.judgments.anonymous)

    def close(self) -> None:
        """Let others open the state; all that was added is on the disk. It may be called again."""
        with self._lock:
            self._closed = True
            self._journal.close()
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _refuse_closed(self) -> None:
        if self._closed:
            raise StateError("it was closed; open it again", self._state.folder)
