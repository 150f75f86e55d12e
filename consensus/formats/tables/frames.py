"""Parquet files and data frames (pandas, polars, Arrow, or a mapping of columns)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from consensus.errors import FormatError
from consensus.formats.tables.amounts import are_whole, plain, textual
from consensus.formats.tables.blocks import Block, Reading
from consensus.formats.tables.roles import NUMBERS, way_out
from consensus.formats.tables.streams import displayed, unreadable

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from hashlib import _Hash
    from pathlib import Path

    import pyarrow as pa

    from consensus.formats.tables.roles import Roles

BATCH = 1 << 20  # rows of a Parquet file that are read at once


def read_parquet(path: Path, roles: Roles) -> Reading:
    """Columns of a Parquet file.

    Raises
    ------
    FormatError
        The file is not Parquet or damaged, or a column can't be found or holds no single values.
    """
    import pyarrow as pa
    from pyarrow import parquet

    with unreadable(path), path.open("rb"), _damaged(path):
        schema = parquet.read_schema(path)
    found = {
        role: schema.names[n]
        for role, n in roles.positions(schema.names, str(path)).items()
        if not (roles.is_guessed(role) and pa.types.is_nested(schema.types[n]))
    }
    digest = hashlib.sha256()
    order = None
    if "label" in found and _is_ordered(schema.field(found["label"]).type):
        with _damaged(path), parquet.ParquetFile(path) as file:
            order = _order(file.read(columns=[found["label"]]).column(0))
    return Reading(
        displayed(path),
        _batches(path, found, digest),
        digest,
        header=schema.names,
        columns=found,
        label_order=order,
    )


def _batches(path: Path, found: dict[str, str], digest: _Hash) -> Generator[Block]:
    import pyarrow as pa
    from pyarrow import parquet

    with unreadable(path), path.open("rb") as raw:
        while data := raw.read(BATCH):
            digest.update(data)
    with _damaged(path), parquet.ParquetFile(path) as file:
        whole = {}
        for role, name in found.items():
            if role not in NUMBERS and pa.types.is_floating(file.schema_arrow.field(name).type):
                parts = file.iter_batches(BATCH, columns=[name])
                whole[role] = all(are_whole(pa.chunked_array([part.column(name)])) for part in parts)
        line = 1
        for batch in file.iter_batches(BATCH, columns=[*dict.fromkeys(found.values())]):
            cells = {
                role: _readable(pa.chunked_array([batch.column(name)]), role, displayed(path), whole.get(role))
                for role, name in found.items()
            }
            done = (line - 1 + len(batch)) / max(file.metadata.num_rows, 1)
            yield _block(cells, line, done)
            line += len(batch)


@contextmanager
def _damaged(path: Path) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise FormatError(f"can't be read as Parquet: {str(error).splitlines()[0]}", path) from None


def about_index(frame: Any) -> str:
    """What to say of a pandas frame without a column, if its index has a name; nothing of another one."""
    names = [str(name) for name in getattr(getattr(frame, "index", None), "names", ()) if name is not None]
    return f"; {', '.join(names)} is the index: reset_index() makes columns of it" if names else ""


def read_frame(frame: Any, roles: Roles, place: str = "data frame") -> Reading:
    """Columns of a frame (see ``formats.given``, which refuses what is none).

    Raises
    ------
    FormatError
        A column can't be found or holds no single values, or they differ in length.
    """
    import pyarrow as pa

    if isinstance(frame, Mapping):
        names = [str(name) for name in frame]
        pick = list(frame.values()).__getitem__
    elif hasattr(frame, "columns") and hasattr(frame, "iloc"):
        names = [str(name) for name in frame.columns]
        pick = lambda n: frame.iloc[:, n]  # noqa: E731
    else:
        arrow = pa.table(frame)
        names, pick = arrow.column_names, arrow.column
    columns, order = {}, None
    if not names:
        raise FormatError("it has no columns; expected item, worker and label", place, code="empty_file")
    positions = roles.positions(names, place)
    for role, n in positions.items():
        try:
            column = _arrow(pick(n), role, place)
            columns[role] = _readable(column, role, place)
        except FormatError:
            if not roles.is_guessed(role):
                raise
            continue
        order = _order(column) if role == "label" else order
    lengths = {role: len(column) for role, column in columns.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{role} {length:,}" for role, length in lengths.items())
        raise FormatError(f"the columns differ in length: {listed}; give one entry a judgment in each", place)
    found = {role: names[positions[role]] for role in columns}
    blocks = (_block(cells, 1, 1.0) for cells in [columns])
    return Reading(place, blocks, None, header=names, columns=found, label_order=order)


def _is_ordered(kind: pa.DataType) -> bool:
    """Whether cells of a ``kind`` are categories with an order."""
    import pyarrow as pa

    return bool(pa.types.is_dictionary(kind) and kind.ordered)


def _order(column: pa.ChunkedArray) -> tuple[str, ...] | None:
    """The categories of a column in their order, as text; None where it has none."""
    import pyarrow as pa

    if not _is_ordered(column.type) or not column.num_chunks:
        return None
    first = column.chunk(0).dictionary
    if any(not chunk.dictionary.equals(first) for chunk in column.chunks[1:]):
        return None
    return tuple(textual(pa.chunked_array([first]), "label", "").cast(pa.string()).to_pylist())


def _readable(column: pa.ChunkedArray, role: str, place: str, whole: bool | None = None) -> pa.ChunkedArray:
    """Cells of a type that can be cast to text one by one, unless they are times.

    Raises
    ------
    FormatError
        They are no single values, or bytes that say they are UTF-8 and are not: Arrow takes them unread.
    """
    import pyarrow as pa

    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        raise FormatError(f"the {role} column holds damaged text, no UTF-8; write the file again", place) from None
    return column if role == "timestamp" else textual(column, role, place, whole)


def _arrow(column: Any, role: str, place: str) -> pa.ChunkedArray:
    """One column as Arrow; Python objects that Arrow does not know become text one by one."""
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        return column
    if isinstance(column, (str, bytes)) or not isinstance(column, Iterable):
        raise FormatError(f"the {role} column is {column!r:.40}; give one entry a judgment", place)
    if not hasattr(column, "__len__"):
        column = list(column)
    try:
        made = pa.array(column, from_pandas=True)
        odd = isinstance(made.type, pa.BaseExtensionType) or (role not in NUMBERS and pa.types.is_duration(made.type))
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
        raise FormatError(f"the {role} column holds lists or records, not single values; {way_out(role)}", place)
    if cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and cell != cell):
        return None
    if isinstance(cell, (bool, np.bool_)):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).encode("utf-8", "backslashreplace").decode()


def _block(columns: dict[str, pa.ChunkedArray], line: int, done: float) -> Block:
    """Rows as a block."""

    def describe(rows: list[int]) -> list[str]:
        return [",".join(_shown(column, row, role) for role, column in columns.items()) for row in rows]

    return Block(columns, line, describe, [], done)


def _shown(column: pa.ChunkedArray, row: int, role: str) -> str:
    import pyarrow as pa

    cell = plain(column.slice(row, 1))
    kind = cell.type
    if role != "timestamp" and not (pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
        cell = cell.cast(pa.string())
    (value,) = cell.to_pylist()
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return "" if value is None else str(value)
