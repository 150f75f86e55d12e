"""Rows with fewer or more fields than the header: which of them can be used, and how many there were."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from consensus.formats.tables.csv_records import scan

if TYPE_CHECKING:
    from consensus.formats.tables.csv_records import Record


@dataclass(slots=True)
class _Seen:
    """Rows of one kind."""

    n: int = 0
    first: int = 0
    """Line of the first one."""

    def add(self, n_rows: int, line: int) -> None:
        self.first = self.first or line
        self.n += n_rows


class ShortRows(NamedTuple):
    """Rows of a block that were filled up."""

    n: int = 0
    first: int = 0
    """Which row of the block is the first one, from 0."""


@dataclass(slots=True)
class RaggedRows:
    """Counts the rows of a file that have another number of fields than its header, and are used nevertheless.

    A row that ends before the last columns is used if all columns that are read stand before its end; one that goes on
    behind the last column, if nothing stands there.
    """

    n_fields: int
    """Of the header."""
    needed: int
    """Fields that a row needs at least: up to the last column that is read."""
    width: int = 0
    """Fields of the rows of the last block in which all had as many; it may be another number than ``n_fields``."""
    _short: _Seen = field(default_factory=_Seen)
    _long: _Seen = field(default_factory=_Seen)

    def __post_init__(self) -> None:
        self.width = self.width or self.n_fields

    def widths(self, data: bytes, delimiter: str) -> tuple[int, ...]:
        """How many fields all rows of ``data`` may have, most likely first: as those before, as its first row."""
        if self.width == self.n_fields:
            return (self.n_fields, *self._of_first(data, delimiter))
        return tuple(dict.fromkeys((self.width, self.n_fields, *self._of_first(data, delimiter))))

    def _of_first(self, data: bytes, delimiter: str) -> tuple[int, ...]:
        first = data.lstrip(b"\r\n").partition(b"\n")[0].decode("latin-1")
        n_fields = scan(first, delimiter, False)[0] + 1
        return (n_fields,) if self.needed <= n_fields != self.n_fields else ()

    def add_block(self, n_rows: int, width: int, line: int) -> None:
        """Note a block whose rows all have ``width`` fields; its first row is on ``line``."""
        self.width = width
        if n_rows and width != self.n_fields:
            self._seen(width).add(n_rows, line)

    def padded(self, data: bytes, delimiter: str) -> tuple[bytes | None, ShortRows]:
        """The lines of ``data`` with as many fields as the header; None if some have more, or can't be used.

        It is a guess where fields hold quotes. Who parses it sees whether all rows have as many fields.
        """
        text = np.frombuffer(data, np.uint8)
        ends, marks = np.flatnonzero(text == ord("\n")), text == ord(delimiter)
        if b'"' in data:
            inside = np.cumsum(text == ord('"')) % 2 == 1
            if inside[ends].any():
                return None, ShortRows()
            marks &= ~inside
        n_missing = self.n_fields - 1 - np.diff(np.searchsorted(np.flatnonzero(marks), ends), prepend=0)
        if not len(ends) or ends[-1] + 1 != len(text) or n_missing.min() < 0:
            return None, ShortRows()
        if n_missing.max() > self.n_fields - self.needed:
            return None, ShortRows()
        places = ends - (text[ends - 1] == ord("\r"))
        filled = np.insert(text, np.repeat(places, n_missing), ord(delimiter))
        return filled.tobytes(), ShortRows(int(np.count_nonzero(n_missing)), int(np.argmax(n_missing > 0)))

    def add_short(self, short: ShortRows, line: int) -> None:
        """Note a block in which some rows were filled up; its first row is on ``line``."""
        self._short.add(short.n, line + short.first)

    def fitted(self, record: Record, delimiter: str) -> str | None:
        """The text of a row with as many fields as the header; None if it can't be used."""
        text, n_fields = record.text, record.n_fields
        if n_fields < self.needed:
            return None
        if n_fields == self.n_fields:
            return text
        if n_fields < self.n_fields:
            text += delimiter * (self.n_fields - n_fields)
        else:
            beyond = delimiter * (n_fields - self.n_fields)
            if not text.endswith(beyond):
                return None
            text = text.removesuffix(beyond)
        self._seen(n_fields).add(1, record.line)
        return text

    def _seen(self, n_fields: int) -> _Seen:
        return self._short if n_fields < self.n_fields else self._long

    def notes(self, file: str) -> list[str]:
        """What to say of them, once the file was read."""
        told = []
        if self._short.n:
            rows = "1 row ends" if self._short.n == 1 else f"{self._short.n:,} rows end"
            told.append(
                f"{file}: {rows} before the last columns of the header (first on line {self._short.first}); the "
                "columns that are used stand before, so that they count"
            )
        if self._long.n:
            rows = "1 row has" if self._long.n == 1 else f"{self._long.n:,} rows have"
            told.append(
                f"{file}: {rows} empty fields behind the last column of the header (first on line "
                f"{self._long.first}); they count"
            )
        return told
