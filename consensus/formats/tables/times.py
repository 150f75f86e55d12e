"""When judgments were made: a column of times, in whatever form platforms and spreadsheets write them.

What one cell means may be told by the others: whether the month stands before the day, and whether numbers count
seconds or days. So each block keeps what its cells may mean, and all is decided at the end of a source.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from consensus.errors import FormatError
from consensus.formats.tables import time_forms
from consensus.formats.tables.amounts import plain, textual
from consensus.formats.tables.clock import Waiting
from consensus.formats.tables.time_forms import ORDERS, Dates, compact
from consensus.inputs.understood import one_line, quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.formats.tables.blocks import Reading
    from consensus.formats.tables.clock import Clock

ISO = r"^\d{4}-\d{1,2}(?:-|$)|^\d{8}[Tt]\d"
NUMBER = r"^\d+(?:[.,]\d*)?(?:[eE]\+?\d+)?$"
SERIALS = (20_000, 80_000)  # days since 1900 from 1954 to 2119, as spreadsheets count them
SERIAL_0 = np.datetime64("1899-12-30", "us")
LAST_SERIAL = 2_958_466.0  # the year 10000
LONGEST = 40  # characters of a cell in a message
OF_NUMBERS = ("excel", "epoch")
FIGURES = {"%Y%m%d": 8, "%Y%m%d%H%M%S": 14}  # how whole numbers of so many figures may tell a time
MOST = 0.9  # of the numbers of a column, which tell what they count
EARLY = 1e8  # seconds since 1970: before 1973 nobody judged
DAY_OR_MONTH = {"month-first": "the month before the day", "day-first": "the day before the month"}
DAY_OR_MONTH["year-first"] = "the year first"


class _Cell(NamedTuple):
    row: int
    text: str


class _Numbers(NamedTuple):
    """Cells of a block that are numbers, yet to be understood."""

    part: int
    rows: NDArray[np.int64]
    numbers: NDArray[np.float64]


class Times:
    """Times of a source in microseconds UTC, NaT where absent or unreadable, gathered block by block.

    Read are the forms of ``time_forms``, numbers (seconds since 1970; milli-, micro- or nanoseconds where so large;
    days since 1900 where all are from 20,000 to 80,000), and timestamp or date types. Times without a zone are UTC.

    Parameters
    ----------
    reading
        The source.
    clock
        Is told what turned out.
    named
        The column was named by the user: then it is an error if nothing of it can be read.
    form
        How times are written: one of ``time_forms.ORDERS``, "excel", "epoch", or a pattern of ``strptime``. If None, as
        the source states, else as the column tells.
    """

    def __init__(self, reading: Reading, clock: Clock, named: bool = False, form: str | None = None) -> None:
        self.n_unreadable = 0
        """Cells with something else, once all were found."""
        self._column = quoted(reading.columns.get("timestamp", "timestamp"))
        self._clock, self._named, self._given = clock, named, form
        self._form = form or reading.time_format
        self._n_rows, self._n_absent = 0, 0
        self._parts: list[NDArray[np.datetime64]] = []
        self._numbers: list[_Numbers] = []
        self._dates: list[tuple[int, Dates]] = []
        self._odd: list[_Cell] = []  # what can't be read in any way: the first of each block
        self._against: dict[str, _Cell] = {}  # of each order of day and month, the first date that does not have it
        self._n_zoned, self._n_zoneless = 0, 0
        self._zoneless: _Cell | None = None  # the first one
        self._doubts: dict[tuple[str, str], tuple[_Cell, dict[str, str]]] = {}  # of two orders, a date that differs

    def add(self, column: pa.ChunkedArray) -> None:
        """Read the cells of a block."""
        import pyarrow as pa

        column = plain(column)
        kind = column.type
        self._clock.there_are = True
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            absent = column.is_null().to_numpy()
            times = time_forms.within(column)
            self._keep_odd(np.flatnonzero(np.isnat(times) & ~absent), column)
        elif (pa.types.is_integer(kind) or pa.types.is_floating(kind)) and "%" not in (self._form or ""):
            numbers = column.to_pandas().to_numpy(np.float64, na_value=np.nan)
            absent = np.isnan(numbers)
            times = time_forms.none(len(numbers))
            self._keep_numbers(np.flatnonzero(~absent), numbers[~absent])
        else:
            times, absent = self._of_text(column)
        self._n_absent += int(absent.sum())
        self._n_rows += len(times)
        self._parts.append(times)

    def found(self, place: Callable[[int], str]) -> NDArray[np.datetime64] | None:
        """(rows,) all times; None without such a column. ``place`` tells where a row stands.

        Raises
        ------
        FormatError
            Nothing tells whether the month stands before the day, or a column that was named has no time at all.
        """
        if not self._parts:
            return None
        if self._numbers:
            self._decide_numbers()
        found = np.concatenate(self._parts)
        n_waiting = self._read_dates(found, place) if self._dates else 0
        self.n_unreadable = int(np.isnat(found).sum()) - self._n_absent - n_waiting
        if self.n_unreadable:
            first = min(self._odd)
            told = _shown(first.text)
            if (self._named or self._given) and self.n_unreadable == len(found) - self._n_absent:
                raise FormatError(f"{told} {self._nothing()}", place(first.row), code="bad_row")
            self._clock.unreadable = self._clock.unreadable or f"{place(first.row)}: {told}"
        if self._given:
            self._clock.formats[self._given] = None
        zoneless = "" if self._zoneless is None else f"{_shown(self._zoneless.text)} ({place(self._zoneless.row)})"
        self._clock.count_zones(self._n_zoned, self._n_zoneless, zoneless)
        return found

    def _nothing(self) -> str:
        """What to say where nothing can be read."""
        if self._given:
            return (
                f"is not written as --time-format {shlex.quote(self._given)} says, nor is any other time of column "
                f"{self._column}; correct it, or leave it out: then the column tells"
            )
        return (
            f"is no time that can be read, nor is any other of column {self._column}, which was named for the time; "
            "choose another with --timestamp, or say with --time-format how times are written, by a pattern like "
            "'%d.%m.%Y %H:%M'"
        )

    def _of_text(self, column: pa.ChunkedArray) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
        """Times of a block that are plain, and which cells are absent; others wait."""
        import pyarrow as pa
        import pyarrow.compute as pc

        times = time_forms.none(len(column))
        text = pc.utf8_trim_whitespace(textual(column).cast(pa.string()))
        text = pc.if_else(pc.equal(text, ""), None, text)
        absent = text.is_null().to_numpy()
        if "%" in (self._form or ""):
            times = time_forms.by_pattern(text, self._form or "")
            self._keep_odd(np.flatnonzero(np.isnat(times) & ~absent), text)
            return times, absent
        left = np.flatnonzero(~absent)
        if self._form not in OF_NUMBERS:
            here = np.flatnonzero(pc.match_substring_regex(text, ISO).fill_null(False).to_numpy())
            times[here] = time_forms.iso(text if len(here) == len(text) else text.take(here))
            left = np.flatnonzero(np.isnat(times) & ~absent)
        if len(left):
            left = self._of_others(text.take(left), left, times)
            self._keep_odd(left, text)
        self._count_zones(text, ~absent, left)
        return times, absent

    def _count_zones(self, text: pa.ChunkedArray, filled: NDArray[np.bool_], odd: NDArray[np.int64]) -> None:
        """Count the times of a block with a zone and without; neither numbers, nor ``odd`` cells."""
        import pyarrow.compute as pc

        is_time = filled & ~pc.match_substring_regex(text, NUMBER).fill_null(True).to_numpy()
        is_time[odd] = False
        zoned = pc.match_substring_regex(text, time_forms.ZONED).fill_null(False).to_numpy()
        self._n_zoned += int(np.count_nonzero(is_time & zoned))
        zoneless = np.flatnonzero(is_time & ~zoned)
        self._n_zoneless += len(zoneless)
        if self._zoneless is None and len(zoneless):
            self._zoneless = _Cell(self._n_rows + int(zoneless[0]), text[int(zoneless[0])].as_py())

    def _of_others(
        self, text: pa.ChunkedArray, rows: NDArray[np.int64], times: NDArray[np.datetime64]
    ) -> NDArray[np.int64]:
        """Write the times of ``rows`` of a block, whose ``text`` is not ISO 8601, into ``times``, or let them wait;
        the rows of those that are neither.
        """  # noqa: D205
        import pyarrow as pa
        import pyarrow.compute as pc

        text = pc.replace_substring_regex(text, "[\u00a0\u2009\u202f]", " ")  # before AM and PM
        is_number = pc.match_substring_regex(text, NUMBER).to_numpy()
        if is_number.any():
            figures = pc.replace_substring(text.filter(is_number), ",", ".")
            self._keep_numbers(rows[is_number], figures.cast(pa.float64()).to_numpy())
            text, rows = text.filter(~is_number), rows[~is_number]
        if self._form in OF_NUMBERS:
            return rows
        dates = time_forms.in_figures(text)
        known = np.any([~np.isnat(one) for one in dates.by_order.values()], axis=0)
        if known.any():
            self._keep_dates(dates.of(known), text, rows)
        waits = np.zeros(len(rows), np.bool_)
        waits[dates.rows[known]] = True
        for form in time_forms.PLAIN:
            if waits.all():
                break
            here, found = time_forms.plain(text, form)
            times[rows[here]] = found
            waits[here] |= ~np.isnat(found)
        return rows[~waits]

    def _keep_odd(self, rows: NDArray[np.int64], cells: pa.ChunkedArray) -> None:
        """Note the first of the ``rows`` of a block that can't be read."""
        import pyarrow as pa

        for row in rows[:1].tolist():
            cell = cells.slice(row, 1)
            if pa.types.is_temporal(cell.type):  # Python knows no years beyond 9999
                cell = cell.cast(pa.string())
            self._odd.append(_Cell(self._n_rows + row, str(cell[0].as_py())))

    def _keep_numbers(self, rows: NDArray[np.int64], numbers: NDArray[np.float64]) -> None:
        self._numbers.append(_Numbers(len(self._parts), rows, numbers))

    def _keep_dates(self, dates: Dates, text: pa.ChunkedArray, rows: NDArray[np.int64]) -> None:
        """Let dates wait, and note what tells in which order they have day and month."""

        def cell(n: int) -> _Cell:
            return _Cell(self._n_rows + int(rows[dates.rows[n]]), text[int(dates.rows[n])].as_py())

        for order, times in dates.by_order.items():
            for n in np.flatnonzero(np.isnat(times))[:1].tolist():
                self._against.setdefault(order, cell(n))
            for other, others in dates.by_order.items():
                for n in np.flatnonzero(times < others)[:1].tolist():  # False where one is NaT
                    days = {each: str(of_each[n])[:10] for each, of_each in dates.by_order.items()}
                    self._doubts.setdefault((order, other), (cell(n), days))
        needed = {order: times for order, times in dates.by_order.items() if order not in self._against or self._form}
        self._dates.append((len(self._parts), Dates(rows[dates.rows], needed, dates.dotted)))

    def _read_dates(self, found: NDArray[np.datetime64], place: Callable[[int], str]) -> int:
        """Write what dates mean into all times; how many wait for other sources to tell the order of day and month."""
        ends = np.cumsum([len(part) for part in self._parts]).tolist()

        def settle(order: str) -> None:
            for part, dates in self._dates:
                found[ends[part] - len(self._parts[part]) + dates.rows] = dates.by_order[order]

        order = self._form if self._form is not None else self._order(place, settle)
        if order is None:
            return sum(len(dates.rows) for _, dates in self._dates)
        settle(order)
        if order in self._against:
            self._odd.append(self._against[order])
        return 0

    def _order(self, place: Callable[[int], str], settle: Callable[[str], None]) -> str | None:
        """The order of day and month that all dates of the column have; None if they don't tell."""
        orders = [order for order in ORDERS if order not in self._against]
        if not orders:
            month, day = self._against["month-first"], self._against["day-first"]
            raise FormatError(
                f"{_shown(month.text)} of column {self._column} does not have the month before the "
                f"day, and {_shown(day.text)} ({place(day.row)}) does not have the day before the month; correct one "
                "of them, or say with --time-format month-first or --time-format day-first which counts",
                place(month.row),
            )
        if len(orders) == 1:
            told = self._against["day-first" if orders[0] == "month-first" else "month-first"]
            self._clock.tell(orders[0])
            self._clock.note(
                orders[0],
                f"times of {self._column} have {DAY_OR_MONTH[orders[0]]}, as {_shown(told.text)} ({place(told.row)}) "
                "tells",
            )
            return orders[0]
        doubts = [doubt for pair, doubt in self._doubts.items() if set(pair) <= set(orders)]
        if not doubts:
            return orders[0]
        cell, days = min(doubts, key=lambda doubt: doubt[0])
        if "day-first" in orders and all(dates.dotted for _, dates in self._dates):
            self._clock.tell("day-first")
            self._clock.note(
                "dots",
                f"times of {self._column} are read with the day before the month, as {_shown(cell.text)} "
                f"({place(cell.row)}) has dots, which is a guess: say so with --time-format day-first",
            )
            return "day-first"
        options = [f"--time-format {order} ({days[order]})" for order in orders if days[order] != "NaT"]
        error = (
            f"{place(cell.row)}: no row tells whether {_shown(cell.text)} of column {self._column} has the day or the "
            f"month first; choose with {' or '.join(options)}"
        )
        self._clock.wait(Waiting(self._column, tuple(orders), error, settle))
        return None

    def _decide_numbers(self) -> None:
        """Say what numbers count, and keep the times that they mean."""
        numbers = np.concatenate([one.numbers for one in self._numbers])
        if not len(numbers):
            return
        form = self._form if self._form in OF_NUMBERS else _form_of(numbers)
        for part, rows, some in self._numbers:
            times = READ_AS[form](some)
            if form != self._form:
                times[~_are_likely(some, form, numbers)] = np.datetime64("NaT")
            self._parts[part][rows] = times
            for n in np.flatnonzero(np.isnat(times))[:1].tolist():
                offset = sum(map(len, self._parts[:part]))
                self._odd.append(_Cell(offset + int(rows[n]), f"{some[n]:.15g}"))
        if form not in {"epoch", self._form}:
            one = numbers[np.flatnonzero(~np.isnat(READ_AS[form](numbers)) & _are_likely(numbers, form, numbers))[0]]
            time = str(READ_AS[form](np.array([one]))[0])[:19].replace("T", " ")
            what = "count days since 1900, as spreadsheets do" if form == "excel" else "are figures of a date"
            self._clock.note(
                form,
                f"numbers of {self._column} {what}: {one:.15g} is {time}, which is a guess: say so with "
                f"--time-format {form}",
            )
            self._clock.formats[form] = None


def _shown(text: str) -> str:
    text = one_line(text)
    return f'"{text if len(text) <= LONGEST else text[:LONGEST] + "..."}"'


def _form_of(numbers: NDArray[np.float64]) -> str:
    """What most numbers of a column may well count: "epoch", "excel", or a pattern of figures."""
    least = MOST * len(numbers)
    if np.count_nonzero(_are_likely(numbers, "excel", numbers)) >= least:
        return "excel"
    for form in FIGURES:
        if (
            len(numbers)
            and np.count_nonzero(~np.isnat(compact(numbers)) & _are_likely(numbers, form, numbers)) >= least
        ):
            return form
    return "epoch"


def _are_likely(numbers: NDArray[np.float64], form: str, of_column: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which numbers are of a size that others of their column speak for: 0 for no time stands beside 1700000000."""
    if form == "excel":
        return np.asarray((numbers >= SERIALS[0]) & (numbers <= SERIALS[1]))
    if form == "epoch":
        return np.asarray((numbers >= EARLY) | (np.count_nonzero(of_column >= EARLY) < MOST * len(of_column)))
    return np.asarray((numbers >= 10 ** (FIGURES[form] - 1)) & (numbers < 10 ** FIGURES[form]))


def _of_epoch(numbers: NDArray[np.float64]) -> NDArray[np.datetime64]:
    """Times from numbers since 1970; their size tells the unit (seconds until the year 5138)."""
    unit = np.select([numbers > 1e17, numbers > 1e14, numbers > 1e11], [1e9, 1e6, 1e3], 1.0)
    seconds = numbers / unit
    found = time_forms.none(len(numbers))
    known = (seconds >= 0) & (seconds < 1e11)
    found[known] = (seconds[known] * 1e6).astype(np.int64).astype("datetime64[us]")
    return found


def _of_serials(numbers: NDArray[np.float64]) -> NDArray[np.datetime64]:
    """Times from days as spreadsheets count them, to a tenth of a second: finer ones are of rounding."""
    found = time_forms.none(len(numbers))
    known = (numbers >= 0) & (numbers < LAST_SERIAL)
    found[known] = SERIAL_0 + np.round(numbers[known] * 864_000).astype(np.int64) * np.timedelta64(100, "ms")
    return found


READ_AS = {"epoch": _of_epoch, "excel": _of_serials, **dict.fromkeys(FIGURES, compact)}
"""What reads numbers, by how they are written."""
