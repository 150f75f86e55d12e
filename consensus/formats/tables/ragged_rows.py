"""Rows with fewer or more fields than the header: which of them can be used, and how many there were."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from consensus.formats.tables.csv_records import scan
from consensus.inputs.counted import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.formats.tables.csv_records import Record


RARE = 5  # rows for one that is short, where short ones may be pieces of others
ROWS_A_LABEL = 5  # that whole rows need in the mean, so that the labels of short ones can be compared


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

    are: NDArray[np.bool_] = np.zeros(0, np.bool_)
    """(rows,) of the block."""

    @property
    def n(self) -> int:
        """How many."""
        return int(np.count_nonzero(self.are))


@dataclass(slots=True)
class RaggedRows:
    """Counts the rows of a file that have another number of fields than its header, and are used nevertheless.

    A row that ends before the last columns is used if all columns that are read stand before its end. Where such rows
    are rare, its label must be one of whole rows: else it may be the rest of a row that a line break cut in two. A row
    that goes on behind the last column is used if nothing stands there.
    """

    n_fields: int
    """Of the header."""
    needed: int
    """Fields that a row needs at least: up to the last column that is read."""
    label: int | None = None
    """Position of the column of the label."""
    labels: frozenset[str] = frozenset()
    """Those of the first whole rows, where they are few, and short rows rare; else none."""
    width: int = 0
    """Fields of the rows of the last block in which all had as many; it may be another number than ``n_fields``."""
    _short: _Seen = field(default_factory=_Seen)
    _long: _Seen = field(default_factory=_Seen)

    def __post_init__(self) -> None:
        self.width = self.width or self.n_fields

    @classmethod
    def of(cls, n_fields: int, needed: int, label: int | None, rows: Sequence[Sequence[str]]) -> RaggedRows:
        """For a file with these first ``rows``."""
        given = [row[label] for row in rows if len(row) == n_fields and row[label]] if label is not None else []
        are_few = len(set(given)) * ROWS_A_LABEL <= len(given)
        widths = {len(row) for row in rows}
        width = max(widths) if len(widths) == 1 and max(widths) >= needed else 0
        are_rare = RARE * sum(len(row) < n_fields for row in rows) < len(rows)
        return cls(n_fields, needed, label, frozenset(given) if are_few and are_rare else frozenset(), width)

    def are_strange(self, columns: Mapping[str, pa.ChunkedArray], short: ShortRows) -> bool:
        """Whether one of the short rows of a block has a label that is not known."""
        if not short.n or not self.labels:
            return False
        import pyarrow as pa
        import pyarrow.compute as pc

        cells = columns["label"].take(np.flatnonzero(short.are))
        known = pa.array([*(label.encode("utf-8", "surrogateescape") for label in self.labels), None], pa.binary())
        return not pc.all(pc.is_in(cells, value_set=known)).as_py()

    def widths(self, data: bytes, delimiter: str) -> tuple[int, ...]:
        """How many fields all rows of ``data`` may have, most likely first: as those before, as its first row."""
        if self.width == self.n_fields:
            return (self.n_fields, *self._of_first(data, delimiter))
        return tuple(dict.fromkeys((self.width, self.n_fields, *self._of_first(data, delimiter))))

    def _of_first(self, data: bytes, delimiter: str) -> tuple[int, ...]:
        first = data.lstrip(b"\r\n").partition(b"\n")[0].decode("latin-1")
        n_fields = scan(first, delimiter, False)[0] + 1
        return (n_fields,) if self.needed <= n_fields != self.n_fields else ()

    def add_block(self, n_rows: int, width: int, short: ShortRows, lines: int | NDArray[np.int64]) -> None:
        """Note a block of rows with ``width`` fields, or whose short ones were filled up, and their lines."""
        self.width = width
        n_short = short.n
        if n_short or (n_rows and width > self.n_fields):
            first = int(np.argmax(short.are)) if n_short else 0
            line = lines + first if isinstance(lines, int) else int(lines[first])
            (self._short if n_short else self._long).add(n_short or n_rows, line)

    def padded(self, data: bytes, delimiter: str) -> tuple[bytes | None, ShortRows]:
        """The lines of ``data`` with as many fields as the header; None if some have more, or can't be used.

        It is a guess where fields hold quotes. Who parses it sees whether all rows have as many fields.
        """
        text = np.frombuffer(data, np.uint8)
        ends, marks = np.flatnonzero(text == ord("\n")), text == ord(delimiter)
        if b'"' in data:
            inside = np.bitwise_xor.accumulate(text == ord('"'))
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
        return filled.tobytes(), ShortRows(n_missing > 0)

    def fitted(self, record: Record, delimiter: str) -> str | None:
        """The text of a row with as many fields as the header; None if it can't be used."""
        text, n_fields = record.text, record.n_fields
        if n_fields < self.needed:
            return None
        if n_fields == self.n_fields:
            return text
        if n_fields < self.n_fields:
            if self.labels and self._label_of(text, delimiter) not in {*self.labels, ""}:
                return None
            text += delimiter * (self.n_fields - n_fields)
        else:
            beyond = delimiter * (n_fields - self.n_fields)
            if not text.endswith(beyond):
                return None
            text = text.removesuffix(beyond)
        self._seen(n_fields).add(1, record.line)
        return text

    def _label_of(self, text: str, delimiter: str) -> str:
        """The label of a row, bytes as latin-1."""
        assert self.label is not None
        plain = text.encode("latin-1").decode("utf-8", "backslashreplace")
        try:
            return next(csv.reader(io.StringIO(plain, newline=""), delimiter=delimiter))[self.label]
        except (csv.Error, IndexError):  # a cell that is too long, or quotes that csv reads otherwise
            return plain

    def _seen(self, n_fields: int) -> _Seen:
        return self._short if n_fields < self.n_fields else self._long

    def notes(self, file: str) -> list[str]:
        """What to say of them, once the file was read."""
        told = []
        if self._short.n:
            rows = counted(self._short.n, "row ends", "rows end")
            told.append(
                f"{file}: {rows} before the last columns of the header (first on line {self._short.first}); the "
                "columns that are used stand before, so that they count"
            )
        if self._long.n:
            rows = counted(self._long.n, "row has", "rows have")
            told.append(
                f"{file}: {rows} empty fields behind the last column of the header (first on line "
                f"{self._long.first}); they count"
            )
        return told
