"""Parquet files and data frames (pandas, polars, Arrow, or a mapping of columns)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from consensus.errors import FormatError
from consensus.formats.streams import displayed, unreadable
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
        The file is not Parquet or damaged, or a column can't be found or holds no single values.
    """
    import pyarrow as pa
    from pyarrow import parquet

    with unreadable(path), path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    try:
        names = parquet.read_schema(path).names
        found = roles.positions(names, str(path))
        table = parquet.read_table(path, columns=[names[n] for n in found.values()])
    except (pa.ArrowException, OSError) as error:
        raise FormatError(f"{path}: can't be read as Parquet: {str(error).splitlines()[0]}") from None
    columns = {role: table.column(names[n]) for role, n in found.items()}
    return _text_table(columns, displayed(path), Source(displayed(path), digest))


def read_frame(frame: Any, roles: Roles, place: str = "data frame") -> TextTable:
    """Columns of a frame as text.

    Raises
    ------
    FormatError
        It is no frame, or a column can't be found or holds no single values, or they differ in length.
    """
    import pyarrow as pa

    if isinstance(frame, Mapping):
        names = [str(name) for name in frame]
        pick = list(frame.values()).__getitem__
    elif hasattr(frame, "columns") and hasattr(frame, "iloc"):
        names = [str(name) for name in frame.columns]
        pick = lambda n: frame.iloc[:, n]  # noqa: E731
    elif hasattr(frame, "__arrow_c_stream__") and not hasattr(frame, "to_frame"):  # a series has to_frame
        arrow = pa.table(frame)
        names, pick = arrow.column_names, arrow.column
    else:
        raise FormatError(
            f"can't read judgments from a {type(frame).__name__}; give a path, several paths, a mapping of columns, "
            "or a pandas, polars or Arrow table"
        )
    columns = {role: _arrow(pick(n), role, place) for role, n in roles.positions(names, place).items()}
    lengths = {role: len(column) for role, column in columns.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{role} {length:,}" for role, length in lengths.items())
        raise FormatError(f"{place}: the columns differ in length: {listed}; give one entry a judgment in each")
    return _text_table(columns, place, None)


def _arrow(column: Any, role: str, place: str) -> pa.ChunkedArray:
    """One column as Arrow; Python objects that Arrow does not know become text one by one."""
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        return column
    if isinstance(column, (str, bytes)) or not isinstance(column, Iterable):
        raise FormatError(f"{place}: the {role} column is {column!r:.40}; give one entry a judgment")
    if not hasattr(column, "__len__"):
        column = list(column)
    try:
        made = pa.array(column, from_pandas=True)
        odd = isinstance(made.type, pa.BaseExtensionType) or pa.types.is_duration(made.type)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        odd = True
    if odd:
        made = pa.array([_cell(cell, role, place) for cell in column], pa.string())
    return made if isinstance(made, pa.ChunkedArray) else pa.chunked_array([made])


def _cell(cell: object, role: str, place: str) -> str | None:
    """One Python object as text, the way the same value in a typed column becomes text."""
    import numpy as np
    import pandas as pd

    if isinstance(cell, (list, tuple, dict, set, np.ndarray)):
        raise FormatError(
            f"{place}: the {role} column holds lists or records, not single values; choose another with --{role}"
        )
    if cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and cell != cell):
        return None
    if isinstance(cell, (bool, np.bool_)):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).encode("utf-8", "backslashreplace").decode()


def _text_table(columns: dict[str, pa.ChunkedArray], place: str, source: Source | None) -> TextTable:
    columns = {
        role: column if role == "timestamp" else as_text(column, role, place) for role, column in columns.items()
    }

    def describe(rows: list[int]) -> list[tuple[int, str]]:
        def shown(cell: Any) -> str:
            return (
                cell.decode("utf-8", "backslashreplace")
                if isinstance(cell, bytes)
                else ""
                if cell is None
                else str(cell)
            )

        return [(row + 1, ",".join(shown(column[row].as_py()) for column in columns.values())) for row in rows]

    return TextTable(place, columns, [], describe, source)
