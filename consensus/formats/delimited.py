"""CSV and TSV, plain or compressed.

Arrow parses. A second look, record by record in Python, is taken only when something is odd (a row with too few or too
many fields, a line break or a lone carriage return somewhere, a quote left open at the end): to say which line it was,
and to refuse a file in which a quote swallowed rows.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import numpy as np

from consensus.errors import FormatError
from consensus.formats.records import delimiter_of, header_of, records, refuse_open_quote, scan
from consensus.formats.streams import Tap, displayed, refuse_binary, unreadable
from consensus.formats.table import TextTable
from consensus.judgments import Reject, Source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.formats.records import Record
    from consensus.formats.roles import Roles

BLOCK = 4 << 20  # bytes that Arrow parses at once


def read(path: Path, roles: Roles) -> TextTable:
    """Columns of ``path`` as bytes.

    Raises
    ------
    FormatError
        The file is empty, binary, cut off, or its quotes do not add up; or a column can't be found.
    """
    import pyarrow as pa

    with unreadable(path):
        refuse_binary(path)
        delimiter = delimiter_of(path)
        header = header_of(path, delimiter)
        names = _names(header, delimiter, path)
        found = roles.positions(names, str(path))
        first = header.line + header.n_lines
        tap = Tap(path)
        with tap:
            columns = _parse(pa.PythonFile(tap), first - 1, len(names), found, delimiter, BLOCK)
        if columns is not None and not _is_odd(tap, first - 1 + len(columns["item"]), delimiter):
            lines: NDArray[np.int64] | None = None
            rejects: list[Reject] = []
        else:
            tap = Tap(path)
            columns, lines, rejects = _second_look(path, tap, first - 1, len(names), found, delimiter)
    table = TextTable(
        file=displayed(path),
        columns=columns,
        rejects=rejects,
        describe=_describe(path, delimiter, first, lines),
        source=Source(displayed(path), tap.digest.hexdigest()),
    )
    if lines is not None:
        _refuse_swallowed_rows(table, len(names), delimiter)
    return table


def _names(header: Record, delimiter: str, path: Path) -> list[str]:
    try:
        return next(csv.reader([header.readable], delimiter=delimiter))
    except csv.Error as error:
        raise FormatError(f"{path}:{header.line}: the header can't be read: {error}") from None


def _is_odd(tap: Tap, n_lines: int, delimiter: str) -> bool:
    """The lines are not one a row, or the last one leaves a quote open."""
    return tap.line_feeds != n_lines or tap.returns_end_lines or scan(tap.last_line, delimiter, False)[1]


def _parse(
    stream: pa.NativeFile, skip_lines: int, n_fields: int, found: dict[str, int], delimiter: str, block: int
) -> dict[str, pa.ChunkedArray] | None:
    """Bytes of the wanted columns, or None where Arrow finds a row malformed (or too long for a block)."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    names = [str(n) for n in range(n_fields)]
    wanted = [names[n] for n in found.values()]
    try:
        table = arrow_csv.read_csv(
            stream,
            read_options=arrow_csv.ReadOptions(column_names=names, skip_rows=skip_lines, block_size=block),
            parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
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
    return {role: table.column(names[n]) for role, n in found.items()}


def _second_look(
    path: Path, tap: Tap, skip_lines: int, n_fields: int, found: dict[str, int], delimiter: str
) -> tuple[dict[str, pa.ChunkedArray], NDArray[np.int64], list[Reject]]:
    """The rows with the right number of fields, the line of each, and the other rows."""
    import pyarrow as pa

    rejects, lines, longest = [], [], 0
    good = io.BytesIO()
    for record in records(path, delimiter, skip_lines, tap):
        refuse_open_quote(record, path)
        if record.n_fields == n_fields:
            lines.append(record.line)
            longest = max(longest, len(record.text))
            good.write(record.text.encode("latin-1") + b"\n")
        else:
            much = "few" if record.n_fields < n_fields else "many"
            reason = f"too {much} fields: {record.n_fields} instead of {n_fields}"
            rejects.append(Reject(displayed(path), record.line, reason, record.readable))
    if not lines:
        return {role: pa.chunked_array([], pa.binary()) for role in found}, np.array([], np.int64), rejects
    columns = _parse(pa.BufferReader(good.getvalue()), 0, n_fields, found, delimiter, max(BLOCK, 2 * longest))
    if columns is None or len(columns["item"]) != len(lines):
        raise FormatError(f"{path}: its quotes can be read in two ways; double those that belong to a value")
    return columns, np.array(lines, np.int64), rejects


def _describe(
    path: Path, delimiter: str, first: int, lines: NDArray[np.int64] | None
) -> Callable[[list[int]], list[tuple[int, str]]]:
    """A function that gives line and raw text of rows; ``lines`` None means one row a line from ``first`` on."""

    def describe(rows: list[int]) -> list[tuple[int, str]]:
        wanted = {int(lines[row]) if lines is not None else first + row: n for n, row in enumerate(rows)}
        told = [(0, "")] * len(rows)
        if not rows:
            return told
        for record in records(path, delimiter, first - 1):
            if record.line in wanted:
                told[wanted.pop(record.line)] = (record.line, record.readable)
            if not wanted:
                return told
        raise FormatError(f"{path}: line {min(wanted)} is gone; the file changed while it was read: read it again")

    return describe


def _refuse_swallowed_rows(table: TextTable, n_fields: int, delimiter: str) -> None:
    """Refuse values with line breaks between which whole rows stand: two stray quotes swallowed these.

    Raises
    ------
    FormatError
        An id or label spans lines, each of which has the delimiters of a row.
    """
    import pyarrow.compute as pc

    broken = [pc.fill_null(pc.match_substring(column, "\n"), False).to_numpy() for column in table.columns.values()]
    rows = np.flatnonzero(np.any(broken, axis=0)).tolist()
    for line, raw in table.describe(rows) if rows else []:
        first, *inner = raw.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]
        all_quoted = raw.count('"') >= 2 * n_fields  # a careful writer's, so that every break is meant
        if inner and not all_quoted and all(one.count(delimiter) == n_fields - 1 for one in inner):
            raise FormatError(
                f"{table.file}:{line}: a quote opens here and closes {len(inner) + 1} lines below, with what look like "
                f"rows between: {first[:60]}; double quotes that belong to a value"
            )
