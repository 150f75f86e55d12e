"""CSV and TSV, plain or compressed, in blocks of whole lines.

Arrow parses. A second look, record by record in Python, is taken only at parts in which something is odd (a row that
lacks a column that is read or has too many fields, a line break in such a column, a blank line, a lone carriage return,
a quote in the middle of a value or left open at the end): to say which line it was, and to refuse a file in which a
quote swallowed rows. A part that is not odd ends outside quotes, so that the next one begins outside quotes, too.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Protocol

import numpy as np

from consensus.errors import FormatError
from consensus.formats.tables import encodings, headers
from consensus.formats.tables.blocks import Block, Reading
from consensus.formats.tables.csv_records import Scanner, refuse_open_quote, scan
from consensus.formats.tables.dialects import dialect_of
from consensus.formats.tables.quoted_lines import starts_of
from consensus.formats.tables.ragged_rows import RaggedRows, ShortRows
from consensus.formats.tables.roles import KEEP
from consensus.formats.tables.streams import Tap, displayed, lines_of, unreadable
from consensus.formats.tables.text_form import PLAIN
from consensus.inputs.judgments import Reject

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterator
    from hashlib import _Hash
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.formats.tables.csv_records import Record
    from consensus.formats.tables.dialects import Dialect
    from consensus.formats.tables.roles import Roles
    from consensus.formats.tables.text_form import TextForm

BLOCK = 4 << 20  # bytes that are read at once
PART = 1 << 16  # bytes of an odd block that are looked at at once
NEAR = 1 << 16  # bytes from the end of a block in which it may be cut
PARSED = 1 << 20  # bytes that a thread of Arrow parses at once


@dataclass(frozen=True, slots=True)
class _Layout:
    path: Path
    delimiter: str
    n_fields: int
    found: dict[str, int]
    """Position of the column of each role."""
    hidden: tuple[int, ...] = ()
    """Positions of the columns that are never shown."""

    @property
    def deciding(self) -> dict[str, int]:
        """Those of the columns that rows can't do without: not of those that are kept for their own sake."""
        return {role: n for role, n in self.found.items() if not role.startswith(KEEP)}

    def those(self, columns: dict[str, pa.ChunkedArray]) -> list[pa.ChunkedArray]:
        """The cells of these columns."""
        return [columns[role] for role in self.deciding]

    @property
    def needed(self) -> int:
        """Fields that a row needs: those up to the last column that decides; all where some are never shown.

        A cell of these could stand one column before its own in a row with too few fields.
        """
        return self.n_fields if self.hidden else 1 + max(self.deciding.values(), default=-1)

    def shown(self, text: str) -> str:
        """The raw text of a row without the cells of hidden columns.

        Where those stand is not sure in a row with too few or too many fields: it ends before they can begin.
        """
        if not self.hidden:
            return text
        try:
            (cells,) = csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter)
        except (csv.Error, ValueError):  # cells that are too long; a lone carriage return, which makes two rows of it
            cells = []
        if len(cells) == self.n_fields:
            cells = ["" if n in self.hidden else cell for n, cell in enumerate(cells)]
        else:
            n_sure = min(self.hidden) - abs(len(cells) - self.n_fields)
            cells = [*cells[: max(n_sure, 0)], "..."]
        line = io.StringIO()
        csv.writer(line, delimiter=self.delimiter, lineterminator="").writerow(cells)
        return line.getvalue()


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def read(path: Path, roles: Roles, hidden: Collection[str] = (), form: TextForm = PLAIN) -> Reading:
    """Columns of ``path`` as bytes; the cells of ``hidden`` columns are left out wherever the text of a row is shown.

    Raises
    ------
    FormatError
        The file is empty, binary, cut off, or its quotes do not add up; it has no header; or a column can't be found.
    """
    dialect = dialect_of(path, form)
    names, file = dialect.names, PurePath(displayed(path)).name
    guessed: dict[str, str] = {}
    notes = list(dialect.notes)
    if form.has_header:
        fault = headers.fault(names, dialect.rows, roles)
        if fault is not None:
            raise FormatError(f"{fault}; {headers.WAY_OUT[form.takes_header]}", path, dialect.header.line)
    else:
        roles, guessed, told = headers.guessed(names, dialect.rows, roles)
        notes += [f"{file}: {told}"] if told else []
        if dialect.rows and headers.looks_named(dialect.rows[0], roles):
            notes.append(f"{file}: its first row looks like a header, and counts as data by --no-header; leave it out")
    unseen = tuple(n for n, name in enumerate(names) if name in hidden)
    layout = _Layout(path, dialect.delimiter, len(names), roles.positions(names, str(path)), unseen)
    digest = hashlib.sha256()
    ragged = RaggedRows.of(layout.n_fields, layout.needed, layout.found.get("label"), dialect.rows)
    return Reading(
        displayed(path),
        _blocks(layout, ragged, dialect, digest),
        digest,
        header=names,
        columns={role: names[n] for role, n in layout.found.items()},
        because=dict.fromkeys(guessed, headers.BY_VALUES),
        form_notes=lambda: [*notes, *ragged.notes(file)],
        not_utf8=lambda: encodings.message(path, lines_of(path), form.takes_encoding),
    )


def header(path: Path, form: TextForm = PLAIN) -> list[str]:
    """Names of the columns of ``path``.

    Raises
    ------
    FormatError
        The file is empty, binary, cut off, or its header can't be read.
    """
    return dialect_of(path, form).names


def _blocks(layout: _Layout, ragged: RaggedRows, dialect: Dialect, digest: _Hash) -> Generator[Block]:
    path, header = layout.path, dialect.header
    scanner = Scanner(layout.delimiter, header.line + header.n_lines)
    with unreadable(path), Tap(path, digest, dialect.encoding) as tap:
        tap.read(header.end)
        for block in _cut(tap, BLOCK):
            plain = _first_look(block, layout, ragged, scanner, tap.done)
            if plain is not None:
                yield plain
                continue
            for part in _cut(io.BytesIO(block), PART):
                first = _first_look(part, layout, ragged, scanner, tap.done)
                yield first or _second_look(part, layout, ragged, scanner, tap.done)
    if (record := scanner.end()) is not None:
        refuse_open_quote(record, path, layout.shown)


def _cut(stream: _Readable, size: int) -> Iterator[bytes]:
    """The stream in pieces of at least ``size`` bytes (but for the last), each ending where a line does."""
    held: list[bytes] = []
    while data := stream.read(size):
        end = data.rfind(b"\n") + 1
        if (whole := data.rfind(b"\r\n", max(end - NEAR, 0)) + 2) > 1:  # a bare line feed may stand in a value
            end = whole
        end = end or data.rfind(b"\r", 0, -1) + 1  # a last carriage return may await its line feed
        if end:
            yield b"".join([*held, data[:end]])
            held = []
        held.append(data[end:])
    if any(held):
        yield b"".join(held)


def _first_look(data: bytes, layout: _Layout, ragged: RaggedRows, scanner: Scanner, done: float) -> Block | None:
    """The rows of ``data``, if no second look is needed; None if something is odd."""
    if scanner.is_open or (b"\r" in data and data.count(b"\r") != data.count(b"\r\n")):
        return None
    columns, width, short = None, layout.n_fields, ShortRows()
    for width in ragged.widths(data, layout.delimiter):
        columns = _parse(data, layout, PARSED, width)
        if columns is not None:
            short = ShortRows(np.full(_length(columns) if width < layout.n_fields else 0, True))
            break
    else:
        padded, short = ragged.padded(data, layout.delimiter)
        columns = None if padded is None else _parse(padded, layout, PARSED, layout.n_fields)
        if columns is None:
            return None
    if ragged.are_strange(columns, short):
        return None
    end = len(data)
    while end and data[end - 1] in b"\r\n":
        end -= 1
    n_rows, n_blank = _length(columns), data.count(b"\n", end) - 1  # blank lines at the end do no harm
    n_lines = int(np.count_nonzero(np.frombuffer(data, np.uint8) == ord("\n")))
    last = data[data.rfind(b"\n", 0, end) + 1 : end].decode("latin-1")
    lines: int | NDArray[np.int64] = scanner.line
    describe = partial(_lines_of, data, layout)
    if n_rows != n_lines - n_blank:
        starts = starts_of(data, layout.delimiter)
        if starts is None or len(starts) != n_rows + 1 or any(map(_has_line_break, layout.those(columns))):
            return None
        breaks = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))
        lines = scanner.line + np.searchsorted(breaks, starts[:-1])
        describe = partial(_texts_between, data, starts, layout)
    elif scan(last, layout.delimiter, False)[1]:
        return None
    scanner.line += n_lines
    ragged.add_block(n_rows, width, short, lines)
    return Block(columns, lines, describe, [], done)


def _has_line_break(column: pa.ChunkedArray) -> bool:
    import pyarrow.compute as pc

    return bool(pc.any(pc.match_substring(column, "\n")).as_py())


def _lines_of(data: bytes, layout: _Layout, rows: list[int]) -> list[str]:
    """What may be shown of rows, counted from 0, that are one line each."""
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))
    return _texts_between(data, np.concatenate([[0], ends + 1]), layout, rows)


def _texts_between(data: bytes, starts: NDArray[np.int64], layout: _Layout, rows: list[int]) -> list[str]:
    """What may be shown of rows, counted from 0; each begins at its position of ``starts``."""
    found = (data[starts[row] : starts[row + 1]].rstrip(b"\r\n") for row in rows)
    return [layout.shown(text.decode("utf-8", errors="backslashreplace")) for text in found]


def _second_look(data: bytes, layout: _Layout, ragged: RaggedRows, scanner: Scanner, done: float) -> Block:
    """The records that end in ``data``: rows that have the columns that are read, the others as rejects."""
    import pyarrow as pa

    good, texts, rejects = [], [], []
    for raw in io.StringIO(data.decode("latin-1"), newline=""):
        record = scanner.feed(raw)
        if record is None:
            continue
        refuse_open_quote(record, layout.path, layout.shown)
        fitted = ragged.fitted(record, layout.delimiter)
        if fitted is not None:
            good.append(record)
            texts.append(fitted)
        else:
            much = "few" if record.n_fields < layout.n_fields else "many"
            reason = f"too {much} fields: {record.n_fields} instead of {layout.n_fields}"
            rejects.append(Reject(displayed(layout.path), record.line, reason, layout.shown(record.readable)))
    text = "".join(one + "\n" for one in texts).encode("latin-1")
    columns = (
        _parse(text, layout, len(text), layout.n_fields)
        if good
        else dict.fromkeys(layout.found, pa.chunked_array([], pa.binary()))
    )
    if columns is None or _length(columns) != len(good):
        raise FormatError("its quotes can be read in two ways; double those that belong to a value", layout.path)
    _refuse_swallowed_rows(columns, good, layout)
    lines = np.array([record.line for record in good], np.int64)
    return Block(columns, lines, lambda rows: [layout.shown(good[row].readable) for row in rows], rejects, done)


def _parse(data: bytes, layout: _Layout, at_once: int, width: int) -> dict[str, pa.ChunkedArray] | None:
    """Bytes of the wanted columns of rows of ``width`` fields.

    None where Arrow finds a row malformed (or longer than ``at_once``), or something stands behind the last column.
    """
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    names = [str(n) for n in range(width)]
    beyond = names[layout.n_fields :]
    wanted = [*dict.fromkeys(names[n] for n in layout.found.values() if n < width), *beyond]
    if data.startswith(codecs.BOM_UTF8):  # as files that were put together hold; Arrow would pass over it here only
        data = b"\n" + data
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(column_names=names, block_size=at_once),
            parse_options=arrow_csv.ParseOptions(delimiter=layout.delimiter, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(wanted, pa.binary()),
                include_columns=wanted,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    if any(table.column(name).null_count < len(table) for name in beyond):
        return None
    absent = pa.chunked_array([pa.nulls(len(table), pa.binary())])
    return {role: table.column(names[n]) if n < width else absent for role, n in layout.found.items()}


def _length(columns: dict[str, pa.ChunkedArray]) -> int:
    return len(next(iter(columns.values())))


def _refuse_swallowed_rows(columns: dict[str, pa.ChunkedArray], good: list[Record], layout: _Layout) -> None:
    """Refuse values with line breaks between which whole rows stand: two stray quotes swallowed these.

    Raises
    ------
    FormatError
        An id or label spans lines, each of which has the delimiters of a row.
    """
    import pyarrow.compute as pc

    broken = [pc.fill_null(pc.match_substring(column, "\n"), False).to_numpy() for column in layout.those(columns)]
    for row in np.flatnonzero(np.any(broken, axis=0)).tolist():
        raw = good[row].readable
        first, *inner = raw.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]
        all_quoted = raw.count('"') >= 2 * layout.n_fields  # a careful writer's, so that every break is meant
        widths = {layout.n_fields - 1, good[row].n_fields - 1}
        if inner and not all_quoted and all(one.count(layout.delimiter) in widths for one in inner):
            seen = layout.shown(first)[:60]
            raise FormatError(
                f"a quote opens here and closes {len(inner) + 1} lines "
                f"below, with what look like rows between: {seen}; double quotes that belong to a value",
                displayed(layout.path),
                good[row].line,
                code="bad_row",
            )
