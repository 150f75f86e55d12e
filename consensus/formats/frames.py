"""Parquet files and data frames (pandas, polars, Arrow, or a mapping of columns)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from consensus.errors import FormatError
from consensus.formats.streams import unreadable
from consensus.formats.table import TextTable, as_text
from consensus.judgments import Source

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from consensus.formats.roles import Roles


def read_parquet(path: Path, roles: Roles) -> TextTable:
    """Columns of a Parquet file as text.

    Raises
    ------
    FormatError
        The file is not Parquet, or a column can't be found or holds no single values.
    """
    import pyarrow as pa
    import pyarrow.parquet

    with unreadable(path):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        try:
            names = pa.parquet.read_schema(path).names
            found = roles.positions(names, str(path))
            table = pa.parquet.read_table(path, columns=[names[n] for n in found.values()])
        except pa.ArrowInvalid as error:
            raise FormatError(f"{path}: not a Parquet file: {str(error).splitlines()[0]}") from None
    return _text_table(table, {role: names[n] for role, n in found.items()}, str(path), Source(str(path), digest))


def read_frame(frame: Any, roles: Roles, place: str = "data frame") -> TextTable:
    """Columns of a frame as text.

    Raises
    ------
    FormatError
        It is no frame, or a column can't be found or holds no single values.
    """
    import pyarrow as pa

    if isinstance(frame, Mapping):
        names = [str(name) for name in frame]
        pick = list(frame.values()).__getitem__
    elif hasattr(frame, "columns") and hasattr(frame, "iloc"):
        names = [str(name) for name in frame.columns]
        pick = lambda n: frame.iloc[:, n]  # noqa: E731
    elif hasattr(frame, "__arrow_c_stream__"):
        arrow = pa.table(frame)
        names, pick = arrow.column_names, arrow.column
    else:
        raise FormatError(
            f"can't read judgments from a {type(frame).__name__}; give a path, several paths, a mapping of columns, or "
            "a pandas, polars or Arrow table"
        )
    found = roles.positions(names, place)
    table = pa.table({role: _arrow(pick(n), role, place) for role, n in found.items()})
    return _text_table(table, {role: role for role in found}, place, None)


def _arrow(column: Any, role: str, place: str) -> pa.ChunkedArray:
    """One column as Arrow; mixed Python objects become text one by one."""
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        return column
    try:
        made = pa.array(column, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        if any(isinstance(cell, (list, dict, set, tuple)) for cell in column):
            raise FormatError(
                f"{place}: the {role} column holds lists or records, not single values; choose another with --{role}"
            ) from None
        made = pa.array([None if _absent(cell) else str(cell) for cell in column], pa.string())
    return made if isinstance(made, pa.ChunkedArray) else pa.chunked_array([made])


def _absent(cell: object) -> bool:
    return cell is None or cell != cell


def _text_table(table: pa.Table, names: dict[str, str], place: str, source: Source | None) -> TextTable:
    columns = {
        role: table.column(name) if role == "timestamp" else as_text(table.column(name), role, place)
        for role, name in names.items()
    }

    def describe(rows: list[int]) -> list[tuple[int, str]]:
        def shown(row: int) -> str:
            cells = (column[row].as_py() for column in columns.values())
            return ",".join("" if cell is None else str(cell) for cell in cells)

        return [(row + 1, shown(row)) for row in rows]

    return TextTable(place, columns, [], describe, source)
