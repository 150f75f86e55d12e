"""Spreadsheets (.xlsx, .xls, .ods): one sheet is a table. Cells become text as they are typed in, not as shown."""

from __future__ import annotations

import datetime
import hashlib
import re
import zipfile
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from consensus import memory
from consensus.errors import ConfigError, FormatError
from consensus.formats.tables import headers
from consensus.formats.tables.blocks import Block, Reading
from consensus.formats.tables.roles import listed
from consensus.formats.tables.streams import displayed, unreadable
from consensus.inputs.understood import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from consensus.formats.tables.roles import Roles

EXTRA = "pip install 'crowd-consensus[spreadsheets]'"
ENDINGS = (".xlsx", ".xls", ".ods")
A_CELL = 48  # bytes of a cell of the smallest rectangle that holds all of a sheet
FAR_COLUMN, ROW = re.compile(rb'\br="([A-Z]{2,3})[0-9]'), re.compile(rb'<row\b[^>]*?\br="([0-9]{1,7})"')
AT_ONCE, LONGEST_MARK = 1 << 22, 200  # bytes
WHOLE = 2.0**53  # below it every whole number is one of floats
LONGEST_REASON = 200  # characters of what the library says, which may quote the bytes of a damaged file


def read(path: Path, roles: Roles, sheet: str | None = None) -> Reading:
    """Columns of a ``sheet`` as text; of the first one that holds a table, if it is None. The first row is the header.

    Raises
    ------
    FormatError
        The file is damaged or locked, holds no table, no such sheet, or a column can't be found.
    ConfigError
        The extra ``spreadsheets`` is not installed.
    """
    name, names, rows, begin, titles = _table(path, sheet)
    header = [_text(cell) or "" for cell in rows[0]]
    found = roles.positions(header, str(path))
    body = rows[1:]
    n_explaining = headers.n_explaining([[_text(cell) for cell in row] for row in body[:2]])
    filled = [n for n, row in enumerate(body) if n >= n_explaining and any(_text(cell) is not None for cell in row)]
    lines = np.array(filled, np.int64) + begin + 1
    others = [one for one in names if one != name]
    said = f"{displayed(path)}: sheet {name!r} is read, and not {listed(others)}; --sheet names another"
    explaining = [f"{displayed(path)}: {headers.explained(n_explaining)}"] if n_explaining else []
    return Reading(
        displayed(path),
        (one for one in [_block([body[n] for n in filled], found, lines)]),
        _digest(path),
        header=header,
        columns={role: header[n] for role, n in found.items()},
        form_notes=lambda: [
            *([said] if others and sheet is None else []),
            *_told(displayed(path), titles),
            *explaining,
        ],
    )


class _Table(NamedTuple):
    """A sheet from its header on."""

    name: str
    names: list[str]
    """Those of all sheets."""
    rows: list[list[Any]]
    line: int
    """That of the header."""
    titles: list[str]
    """What stands before it, a cell a row."""


def _told(file: str, titles: list[str]) -> list[str]:
    if not titles:
        return []
    count = "a row with one cell" if len(titles) == 1 else f"{len(titles):,} rows with one cell"
    return [f"{file}: {count} before the table, passed over: {quoted(titles[0])}"]


def _table(path: Path, sheet: str | None) -> _Table:
    """The table in a sheet."""
    try:
        import python_calamine
    except ImportError:
        raise ConfigError(
            f"spreadsheets need a library more: {EXTRA}; or save it as CSV", path, code="missing_library"
        ) from None
    with unreadable(path), path.open("rb"):  # what the system says of it comes first
        pass
    try:
        _refuse_far_cells(path)
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        names = book.sheet_names
        if sheet is not None and sheet not in names:
            raise FormatError(f'no sheet "{sheet}"; the sheets are: {listed(names)}; correct --sheet', path)
        for name in names if sheet is None else [sheet]:
            made = book.get_sheet_by_name(name)
            rows = made.to_python(skip_empty_area=False)
            filled = [sum(_text(cell) is not None for cell in row) for row in rows]
            first = next((n for n, cells in enumerate(filled) if cells > 1), None)  # one cell is a title, or a remark
            if first is not None and (sheet is not None or any(filled[first + 1 :])):
                titles = [next(filter(None, map(_text, row))) for row in rows[:first] if any(map(_text, row))]
                return _Table(name, names, rows[first:], first + 1, titles)
    except FormatError:
        raise
    except Exception as error:  # the library has many, for damage of all kinds
        why = (str(error).splitlines() or [type(error).__name__])[0].lower()[:LONGEST_REASON]
        raise FormatError(f"can't be read as a spreadsheet: {why}; save it anew, or as CSV", path) from None
    where = f'sheet "{sheet}" holds' if sheet is not None else "the sheets hold"
    raise FormatError(f"{where} no table; expected a table with a header", path)


def _refuse_far_cells(path: Path) -> None:
    """Refuse a workbook with a cell so far from the others that the library, which makes room for all cells between
    them, would end the process.
    """  # noqa: D205
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if not name.startswith("xl/worksheets/sheet"):
                continue
            last, widest, rest = 1, b"Z", b""
            with archive.open(name) as file:
                while block := file.read(AT_ONCE):
                    text = rest + block
                    last = max([last, *map(int, ROW.findall(text))])
                    widest = max([widest, *FAR_COLUMN.findall(text)], key=lambda one: (len(one), one))
                    rest = text[-LONGEST_MARK:]
            width = sum((one - 64) * 26**n for n, one in enumerate(reversed(widest)))
            needed = last * width * A_CELL
            if needed > memory.there_is() / 2:  # others need some, too
                raise FormatError(
                    f"{name} has cells as far as row {last:,} and column {widest.decode()}, which would take "
                    f"{memory.told(needed)}; delete what stands far from the table, or save it as CSV",
                    path,
                )


def _digest(path: Path) -> hashlib._Hash:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256")


def _text(cell: Any) -> str | None:
    """A cell as text; an empty one is absent."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < WHOLE:
        return str(int(cell))
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()
    if isinstance(cell, (datetime.date, datetime.time)):
        return cell.isoformat()
    if isinstance(cell, datetime.timedelta):
        return f"{cell.total_seconds():g}"
    return str(cell) if cell != "" else None


def _block(rows: Sequence[Sequence[Any]], found: dict[str, int], lines: np.ndarray[Any, Any]) -> Block:
    import pyarrow as pa

    columns = {
        role: pa.chunked_array([pa.array([_text(row[n]) for row in rows], pa.string())]) for role, n in found.items()
    }
    return Block(
        columns, lines, lambda chosen: [",".join(_text(one) or "" for one in rows[n]) for n in chosen], [], 1.0
    )
