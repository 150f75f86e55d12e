"""CSV and TSV, plain or compressed.

Arrow parses. A second look, line by line in Python, is taken only when something is odd (a row with too few or too
many fields, a quote left open, a line break inside a value, bytes that are not UTF-8): to say which line it was, and
to refuse a file in which an unclosed quote would have swallowed rows.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.errors import FormatError
from consensus.formats.streams import Tap, refuse_binary, unreadable
from consensus.formats.table import TextTable
from consensus.judgments import Reject, Source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from consensus.formats.roles import Roles

BLOCKS = (4 << 20, 1 << 30)  # bytes Arrow parses at once; a row must fit into a block


@dataclass(frozen=True, slots=True)
class _Record:
    line: int
    """Line on which it begins, from 1."""
    n_lines: int
    n_fields: int
    text: str
    """Without its line end, bytes as latin-1."""
    fault: str = ""
    """Why the quotes do not add up, if they don't."""

    @property
    def readable(self) -> str:
        r"""The text as UTF-8, other bytes as ``\\xNN``."""
        return self.text.encode("latin-1").decode("utf-8", errors="backslashreplace")


def read(path: Path, roles: Roles) -> TextTable:
    """Columns of ``path`` as text.

    Raises
    ------
    FormatError
        The file is empty, binary, cut off, or its quotes do not add up; or a column can't be found.
    """
    with unreadable(path):
        refuse_binary(path)
        header = _header(path)
        delimiter = _delimiter(header.text)
        names = next(csv.reader([header.readable], delimiter=delimiter))
        found = roles.positions(names, str(path))
        tap, any_invalid, columns = _parsed(path, header, len(names), found, delimiter)
    n_rows = len(columns["item"])
    lines = tap.line_feeds + (tap.last != b"\n")
    odd = any_invalid or tap.quotes % 2 or lines != n_rows + header.line + header.n_lines - 1
    rejects, kept = _second_look(path, delimiter, header, len(names)) if odd else ([], None)
    if kept is not None and len(kept) != n_rows:
        raise FormatError(
            f"{path}: {len(kept):,} rows by line, but {n_rows:,} by quotes; check the quotes of its values"
        )

    def describe(rows: list[int]) -> list[tuple[int, str]]:
        first = header.line + header.n_lines
        wanted = {int(kept[row]) if kept is not None else first + row: n for n, row in enumerate(rows)}
        told = [(0, "")] * len(rows)
        for record in _records(path, delimiter, header):
            if record.line in wanted:
                told[wanted[record.line]] = (record.line, record.readable)
        return told

    source = Source(str(path), tap.digest.hexdigest())
    table = TextTable(str(path), columns, rejects, describe, source)
    return table if _is_utf8(columns) else _without_bad_bytes(table)


def _header(path: Path) -> _Record:
    """Find the first line that is not blank."""
    for record in _records(path, ",", None):
        return record
    raise FormatError(f"{path}: the file holds blank lines only; expected a header line")


def _delimiter(header: str) -> str:
    """Of comma, tab, semicolon and bar, the one that the header holds most often."""
    return max(",\t;|", key=header.count)


def _parsed(
    path: Path, header: _Record, n_fields: int, found: dict[str, int], delimiter: str
) -> tuple[Tap, bool, dict[str, pa.ChunkedArray]]:
    """As ``_parse``, with larger blocks where a row does not fit into one."""
    import pyarrow as pa

    for block_size in BLOCKS:
        tap = Tap(path)
        try:
            return tap, *_parse(tap, header, n_fields, found, delimiter, block_size)
        except pa.ArrowInvalid as error:
            reason = str(error)
            record = None
            for record in _records(path, delimiter, header):
                _refuse_open_quote(record, path)
            if record is None:  # a header without a line end, and nothing after it
                return tap, False, {role: pa.chunked_array([], pa.binary()) for role in found}
    raise FormatError(f"{path}: can't be parsed as delimited text: {reason}")


def _parse(
    tap: Tap, header: _Record, n_fields: int, found: dict[str, int], delimiter: str, block_size: int
) -> tuple[bool, dict[str, pa.ChunkedArray]]:
    """Whether a row had the wrong number of fields, and the bytes of the wanted columns of the others."""
    import pyarrow as pa
    import pyarrow.csv

    any_invalid = False

    def skip(_row: object) -> str:  # pragma: no cover  (Arrow calls it on threads that coverage does not see)
        nonlocal any_invalid
        any_invalid = True
        return "skip"

    names = [str(n) for n in range(n_fields)]
    wanted = [names[n] for n in found.values()]
    try:
        table = pa.csv.read_csv(
            pa.PythonFile(tap),
            read_options=pa.csv.ReadOptions(
                column_names=names, skip_rows=header.line + header.n_lines - 1, block_size=block_size
            ),
            parse_options=pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=skip),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(wanted, pa.binary()),
                include_columns=wanted,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                check_utf8=False,
            ),
        )
    finally:
        tap.close()
    return any_invalid, {role: table.column(names[n]) for role, n in found.items()}


def _records(path: Path, delimiter: str, header: _Record | None) -> Iterator[_Record]:
    """Every record that is not blank, with its line; after the header, if it is given."""
    tap = Tap(path)
    text = io.TextIOWrapper(io.BufferedReader(tap, 1 << 20), encoding="latin-1", newline="")
    held: list[str] = []
    begin, n_fields, inside, reopened = 0, 1, False, False
    skipped = 0 if header is None else header.line + header.n_lines - 1
    line = 0
    with text:
        for line, raw in enumerate(text, 1):
            if line <= skipped:
                continue
            if line == 1:
                raw = raw.removeprefix("\xef\xbb\xbf")
            if not held:
                if not raw.strip("\r\n"):
                    continue
                begin, n_fields, reopened = line, 1, False
            held.append(raw)
            more, inside, stray = _scan(raw, delimiter, inside)
            n_fields += more
            reopened = reopened or (stray and len(held) > 1)
            if not inside:
                fault = f"closes in the middle of a value on line {line}" if reopened else ""
                yield _Record(begin, len(held), n_fields, "".join(held).rstrip("\r\n"), fault)
                held = []
    if held:
        yield _Record(begin, len(held), n_fields, "".join(held).rstrip("\r\n"), "is never closed")


def _scan(line: str, delimiter: str, inside: bool) -> tuple[int, bool, bool]:
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


def _refuse_open_quote(record: _Record, path: Path) -> None:
    if record.fault:
        raise FormatError(
            f"{path}:{record.line}: a quote opens here and {record.fault}, swallowing the rows between: "
            f"{record.readable.splitlines()[0][:60]}; close it, or double quotes that belong to the value"
        )


def _second_look(
    path: Path, delimiter: str, header: _Record, n_fields: int
) -> tuple[list[Reject], np.ndarray[Any, np.dtype[np.int64]]]:
    """Rows with the wrong number of fields, and the lines of the others."""
    rejects, kept = [], []
    for record in _records(path, delimiter, header):
        _refuse_open_quote(record, path)
        if record.n_fields == n_fields:
            kept.append(record.line)
        else:
            much = "few" if record.n_fields < n_fields else "many"
            reason = f"too {much} fields: {record.n_fields} instead of {n_fields}"
            rejects.append(Reject(str(path), record.line, reason, record.readable))
    return rejects, np.array(kept, np.int64)


def _is_utf8(columns: dict[str, pa.ChunkedArray]) -> bool:
    """Turn the columns into text in place, if all bytes are UTF-8."""
    import pyarrow as pa

    try:
        text = {role: column.cast(pa.string()) for role, column in columns.items()}
    except pa.ArrowInvalid:
        return False
    columns.update(text)
    return True


def _without_bad_bytes(table: TextTable) -> TextTable:
    """Reject the rows whose wanted values are not UTF-8."""
    import pyarrow as pa

    bad: dict[int, str] = {}
    for role, column in table.columns.items():
        offset = 0
        for chunk in column.chunks:
            try:
                chunk.cast(pa.string())
            except pa.ArrowInvalid:
                for n, value in enumerate(chunk.to_pylist(), offset):
                    if value is not None and not _decodes(value):
                        bad.setdefault(n, f"the {role} is not UTF-8")
            offset += len(chunk)
    rows = sorted(bad)
    told = table.describe(rows)
    rejects = [Reject(table.file, line, bad[row], raw) for row, (line, raw) in zip(rows, told, strict=True)]
    kept = np.delete(np.arange(table.n_rows), rows)
    columns = {role: column.take(pa.array(kept)).cast(pa.string()) for role, column in table.columns.items()}
    return TextTable(
        table.file,
        columns,
        table.rejects + rejects,
        lambda wanted: table.describe(kept[wanted].tolist()),
        table.source,
    )


def _decodes(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
