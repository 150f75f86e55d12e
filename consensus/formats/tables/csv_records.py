"""Delimited text record by record, with lines: the slow second look that can say where something is wrong."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consensus.errors import FormatError
from consensus.formats.tables.streams import Tap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

LONGEST = 1 << 26  # characters of a record: one that is longer had its quote left open
DELIMITERS = ",\t;|"


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a file; it may span lines."""

    line: int
    """Line on which it begins, from 1."""
    n_lines: int
    end: int
    """Bytes of all lines up to and with its last one, since the first that was fed."""
    n_fields: int
    text: str
    """Without its line end, bytes as latin-1."""
    fault: str = ""
    """Why the quotes do not add up, if they don't."""

    @property
    def readable(self) -> str:
        r"""The text as UTF-8, other bytes as ``\xNN``."""
        return self.text.encode("latin-1").decode("utf-8", errors="backslashreplace")


class Scanner:
    """Puts lines together to records."""

    def __init__(self, delimiter: str, line: int = 1) -> None:
        self.line = line
        """Number of the next line."""
        self._delimiter = delimiter
        self._held: list[str] = []
        self._begin, self._n_fields, self._length, self._fed = 0, 1, 0, 0
        self._reopened = False

    @property
    def is_open(self) -> bool:
        """A quote is open: the next line belongs to the record before it."""
        return bool(self._held)

    def feed(self, raw: str) -> Record | None:
        """Take the next line, its end included; bytes as latin-1. Gives the record that ends with it, if one does."""
        line = self.line
        self.line += 1
        self._fed += len(raw)
        if line == 1:
            raw = raw.removeprefix("\xef\xbb\xbf")
        inside = self.is_open
        if not inside:
            if not raw.strip("\r\n"):
                return None
            self._begin, self._n_fields, self._length, self._reopened = line, 1, 0, False
        self._length += len(raw)
        if self._length <= LONGEST or not inside:
            self._held.append(raw)
        more, still_open, stray = scan(raw, self._delimiter, inside)
        self._n_fields += more
        self._reopened = self._reopened or (stray and inside)
        if still_open:
            return None
        fault = f"closes in the middle of a value on line {line}" if self._reopened else ""
        fault = fault or (f"closes only on line {line}" if self._length > LONGEST else "")
        return self._record("".join(self._held), fault)

    def skip(self, raw: str) -> None:
        """Pass over the next line."""
        self.line += 1
        self._fed += len(raw)

    def end(self) -> Record | None:
        """Take the end of the file. Gives the record whose quote was left open, if there is one."""
        return self._record(self._held[0], "is never closed") if self._held else None

    def _record(self, text: str, fault: str) -> Record:
        self._held = []
        return Record(self._begin, self.line - self._begin, self._fed, self._n_fields, text.rstrip("\r\n"), fault)


def records(path: Path, delimiter: str, encoding: str | None = None, n_skipped: int = 0) -> Iterator[Record]:
    """Every record that is not blank, below the first lines that are skipped."""
    with io.TextIOWrapper(
        io.BufferedReader(Tap(path, encoding=encoding), 1 << 20), encoding="latin-1", newline=""
    ) as text:
        yield from records_of(text, delimiter, n_skipped)


def records_of(lines: Iterable[str], delimiter: str, n_skipped: int = 0) -> Iterator[Record]:
    """Every record of ``lines`` that is not blank, below the first ones that are skipped."""
    scanner = Scanner(delimiter)
    for raw in lines:
        if scanner.line <= n_skipped:
            scanner.skip(raw)
        elif (record := scanner.feed(raw)) is not None:
            yield record
    if (record := scanner.end()) is not None:
        yield record


def scan(line: str, delimiter: str, inside: bool) -> tuple[int, bool, bool]:
    """Delimiters outside quotes, whether a quote is open at the end, whether text follows a closing quote."""
    if not inside and '"' not in line:
        return line.count(delimiter), False, False
    n_delimiters, position, stray = 0, 0, False
    while True:
        if inside or line.startswith('"', position):
            position += not inside
            while (position := line.find('"', position)) >= 0 and line.startswith('"', position + 1):
                position += 2
            if position < 0:
                return n_delimiters, True, stray
            inside = False
            position += 1
            stray = stray or line[position : position + 1] not in {delimiter, "\r", "\n", ""}
        position = line.find(delimiter, position)
        if position < 0:
            return n_delimiters, False, stray
        n_delimiters += 1
        position += 1


def header_of(path: Path, delimiter: str, encoding: str | None = None, n_skipped: int = 0) -> Record:
    """Find the first record that is not blank, below the first lines that are skipped.

    Raises
    ------
    FormatError
        There is none, or a quote in it is never closed.
    """
    for record in records(path, delimiter, encoding, n_skipped):
        refuse_open_quote(record, path)
        return record
    raise FormatError("the file holds blank lines only; expected a header line", path, code="empty_file")


def refuse_open_quote(record: Record, path: Path, shown: Callable[[str], str] = str) -> None:
    """Refuse a record in which an open quote swallowed others; ``shown`` gives what a message may show of it.

    Raises
    ------
    FormatError
        Its quotes do not add up.
    """
    if record.fault:
        first = record.text[:60].splitlines()[0].encode("latin-1").decode("utf-8", errors="backslashreplace")
        seen = shown(first)
        raise FormatError(
            f"a quote opens here and {record.fault}, swallowing the rows between: {seen}; "
            "close it, or double quotes that belong to the value",
            path,
            record.line,
        )
