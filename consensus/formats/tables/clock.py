"""What turned out about the times of all sources: what one does not tell, another may."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consensus.errors import FormatError
from consensus.inputs.counted import counted
from consensus.inputs.notices import Notice

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Waiting:
    """A column of dates that does not tell the order of day and month."""

    column: str
    orders: tuple[str, ...]
    """Those that it may have."""
    error: str
    """What to say if nothing else tells."""
    settle: Callable[[str], None]
    """Reads them in an order."""


@dataclass
class Clock:
    """What turned out about the times of all sources."""

    formats: dict[str, None] = field(default_factory=dict)
    """How they are written, where that is not plain from each of them: "day-first", say, or a pattern."""
    there_are: bool = False
    """Some source has a column of times."""
    unreadable: str = ""
    """The first cell that could not be read, and where it stands."""
    _n_zoned: int = 0
    _n_zoneless: int = 0
    _zoneless: str = ""
    _said: dict[str, str] = field(default_factory=dict)  # of each thing, the first that was to be said
    _open: list[Waiting] = field(default_factory=list)
    _told: dict[str, None] = field(default_factory=dict)

    def note(self, about: str, words: str) -> None:
        """Say what the whole of a column told, or what was guessed, once for all sources."""
        self._said.setdefault(about, words)

    def tell(self, order: str) -> None:
        """A source tells which order day and month have."""
        self._told[order] = None
        self.formats[order] = None

    def wait(self, column: Waiting) -> None:
        """A source does not tell which order day and month have."""
        self._open.append(column)

    def count_zones(self, n_zoned: int, n_zoneless: int, first: str) -> None:
        """A source has so many times with a zone, and without; the ``first`` of the latter, and where it stands."""
        self._n_zoned += n_zoned
        self._n_zoneless += n_zoneless
        self._zoneless = self._zoneless or first

    def notes(self) -> list[str]:
        """What was said, once columns that did not tell the order of day and month are read like those that did.

        Raises
        ------
        FormatError
            No other source tells it, or they tell different ones.
        """
        orders = list(self._told)
        for column in self._open:
            if len(orders) != 1 or orders[0] not in column.orders:
                raise FormatError(column.error)
            column.settle(orders[0])
        if self._open:
            files = counted(len(self._open), "file")
            self.note(
                "other sources",
                f"{files}: nothing in {'it' if len(self._open) == 1 else 'them'} tells whether times of "
                f"{self._open[0].column} have the day or the month first: they are read like those of other files, "
                f"which is a guess: say so with --time-format {orders[0]}",
            )
        if self._n_zoned and self._n_zoneless:
            self.note(
                "zones",
                f"{counted(self._n_zoned, 'time has', 'times have')} a zone and {self._n_zoneless:,} "
                f"{'has' if self._n_zoneless == 1 else 'have'} none, such as {self._zoneless}: what has none is taken "
                "as UTC; write the zone behind it, such as +02:00, where it is another, or leave it out of account "
                "with --time-format and a pattern that ends in %z",
            )
        return list(self._said.values())

    def notices(self, form: str | None) -> list[Notice]:
        """That times should be written in a ``form``, and there are none."""
        if form is None or self.there_are:
            return []
        message = (
            f"--time-format {shlex.quote(form)}: no column holds times, so it does nothing; name one with --timestamp"
        )
        return [Notice("option_without_effect", message, {"n_rows": 0})]
