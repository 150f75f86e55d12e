"""Parquet files and data frames (pandas, polars, Arrow, or a mapping of columns)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from consensus import memory
from consensus.errors import FormatError
from consensus.formats.tables.amounts import are_whole, plain, textual, without_nan
from consensus.formats.tables.blocks import Block, Reading
from consensus.formats.tables.roles import NUMBERS, listed
from consensus.formats.tables.streams import displayed, unreadable
from consensus.formats.tables.typed_columns import of_objects, taken
from consensus.inputs.understood import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from hashlib import _Hash
    from pathlib import Path

    import pyarrow as pa

    from consensus.formats.tables.roles import Roles

BATCH = 1 << 20  # rows of a Parquet file that are read at once
LONGEST_REASON = 200  # characters of what a library says


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
        names = schema.names
    found = {
        role: n
        for role, n in roles.positions(names, str(path)).items()
        if not (roles.is_guessed(role) and pa.types.is_nested(schema.types[n]))
    }
    digest = hashlib.sha256()
    order = None
    if "label" in found and _is_ordered(schema.field(found["label"]).type):
        with _damaged(path), parquet.ParquetFile(path) as file:
            name, n_rows = names[found["label"]], file.metadata.num_rows
            order = _order(file.read(columns=[name]).column(0), displayed(path)) if n_rows else None
    return Reading(
        displayed(path),
        _batches(path, found, digest),
        digest,
        header=names,
        columns={role: names[n] for role, n in found.items()},
        label_order=order,
    )


def _batches(path: Path, found: Mapping[str, int], digest: _Hash) -> Generator[Block]:
    import pyarrow as pa
    from pyarrow import parquet

    with unreadable(path), path.open("rb") as raw:
        while data := raw.read(BATCH):
            digest.update(data)
    with _damaged(path):
        coded = _coded(parquet.read_metadata(path), path)
    with _damaged(path), parquet.ParquetFile(path, read_dictionary=coded) as file:
        schema = file.schema_arrow
        chosen = [*dict.fromkeys(schema.names[n] for n in found.values())]
        read = [n for name in chosen for n, one in enumerate(schema.names) if one == name]  # some are called alike
        places = {n: read.index(n) for n in found.values()}
        # Arrow ends the process over some groups without rows
        groups = [n for n in range(file.num_row_groups) if file.metadata.row_group(n).num_rows > 0]
        whole = {}
        for role, n in found.items() if groups else ():
            if role not in NUMBERS and pa.types.is_floating(schema.types[n]):
                parts = file.iter_batches(BATCH, groups, columns=chosen)
                whole[role] = all(are_whole(pa.chunked_array([part.column(places[n])])) for part in parts)
        line = 1
        for batch in file.iter_batches(BATCH, groups, columns=chosen) if groups else ():
            if batch.schema.names != [schema.names[n] for n in read]:  # such as "a.b", and "b" within "a"
                raise FormatError(f"columns can't be told apart: {listed(batch.schema.names)}; rename them", path)
            cells = {
                role: _readable(pa.chunked_array([batch.column(places[n])]), role, displayed(path), whole.get(role))
                for role, n in found.items()
            }
            done = (line - 1 + len(batch)) / max(file.metadata.num_rows, 1)
            yield _block(cells, line, done)
            line += len(batch)
        if line - 1 != file.metadata.num_rows:
            told = f"{file.metadata.num_rows:,} rows are announced, and there are {line - 1:,}"
            raise FormatError(f"{told}; write the file again", path)


def _coded(metadata: Any, path: Path) -> list[str]:
    """Columns whose texts a Parquet file holds once each: they stay so, for a few bytes can stand for any size.

    Raises
    ------
    FormatError
        It says that it has more rows than memory holds.
    """
    needed = memory.of_reading(metadata.num_rows)
    if needed > memory.there_is():
        told = f"{metadata.num_rows:,} rows need about {memory.told(needed)} of memory"
        raise FormatError(f"{told}, and there is {memory.told(memory.there_is())}; work on part of them", path)
    # what is said of the parts of a damaged file is not looked at: Arrow ends the process over some of it
    columns = [metadata.schema.column(n) for n in range(metadata.num_columns)]
    return [one.path for one in columns if one.physical_type == "BYTE_ARRAY"]


@contextmanager
def _damaged(path: Path) -> Iterator[None]:
    """Turn what is said of a damaged file into one line: libraries have many errors for damage of all kinds."""
    try:
        yield
    except FormatError:
        raise
    except Exception as error:
        raise FormatError(f"can't be read as Parquet: {first_line(error)}", path) from None


def first_line(error: Exception) -> str:
    """What a library says, shortened: it may quote the bytes of a damaged file."""
    told = one_line((str(error).splitlines() or [type(error).__name__])[0])
    return told if len(told) <= LONGEST_REASON else told[:LONGEST_REASON] + "..."


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
    names, pick = _named_columns(frame, place)
    columns, order = {}, None
    if not names:
        raise FormatError("it has no columns; expected item, worker and label", place, code="empty_file")
    positions = roles.positions(names, place)
    for role, n in positions.items():
        try:
            column = of_objects(pick(n), role, place)
            columns[role] = _readable(column, role, place)
        except FormatError:
            if not roles.is_guessed(role):
                raise
            continue
        order = _order(column, place) if role == "label" else order
    lengths = {role: len(column) for role, column in columns.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{role} {length:,}" for role, length in lengths.items())
        raise FormatError(f"the columns differ in length: {listed}; give one entry a judgment in each", place)
    found = {role: names[positions[role]] for role in columns}
    blocks = (_block(cells, 1, 1.0) for cells in [columns])
    return Reading(place, blocks, None, header=names, columns=found, label_order=order)


def _named_columns(frame: Any, place: str) -> tuple[list[str], Callable[[int], Any]]:
    """Names of the columns of a frame, and what gives the column at a position.

    Raises
    ------
    FormatError
        It gives no columns.
    """
    import pyarrow as pa

    if isinstance(frame, Mapping):
        return [str(name) for name in frame], list(frame.values()).__getitem__
    if hasattr(frame, "columns") and hasattr(frame, "iloc"):
        return [str(name) for name in frame.columns], lambda n: frame.iloc[:, n]
    if hasattr(frame, "columns") and hasattr(frame, "to_series"):  # polars, of whose types Arrow lacks some
        return [str(name) for name in frame.columns], frame.to_series
    try:
        arrow = pa.table(frame)
    except Exception as error:  # whatever the library says that gives the columns
        raise FormatError(f"can't be read as a table: {first_line(error)}", place) from None
    return arrow.column_names, arrow.column


def _is_ordered(kind: pa.DataType) -> bool:
    """Whether cells of a ``kind`` are categories with an order."""
    import pyarrow as pa

    return bool(pa.types.is_dictionary(kind) and kind.ordered)


def _order(column: pa.ChunkedArray, place: str) -> tuple[str, ...] | None:
    """The categories of a column in their order, as text; None where it has none."""
    import pyarrow as pa

    if not _is_ordered(column.type) or not column.num_chunks:
        return None
    first = column.chunk(0).dictionary
    if any(not chunk.dictionary.equals(first) for chunk in column.chunks[1:]):
        return None
    cells = _readable(pa.chunked_array([first]), "label", place)
    try:
        texts = cells.cast(pa.large_string()).to_pylist()
    except pa.ArrowInvalid:  # bytes that are no text
        return None
    return tuple(dict.fromkeys(one for one in texts if one is not None))


def _readable(column: pa.ChunkedArray, role: str, place: str, whole: bool | None = None) -> pa.ChunkedArray:
    """Cells of a type that can be cast to text one by one, unless they are times.

    Raises
    ------
    FormatError
        They are no single values, or nothing that text can be made of.
    """
    column = taken(column, role, place)
    if role in NUMBERS:
        return without_nan(column)
    return column if role == "timestamp" else textual(column, whole)


def _block(columns: dict[str, pa.ChunkedArray], line: int, done: float) -> Block:
    """Rows as a block."""

    def describe(rows: list[int]) -> list[str]:
        return [",".join(_shown(column, row, role) for role, column in columns.items()) for row in rows]

    return Block(columns, line, describe, [], done)


def _shown(column: pa.ChunkedArray, row: int, role: str) -> str:
    import pyarrow as pa

    cell = plain(column.slice(row, 1))
    if role in NUMBERS:
        cell = textual(cell)
    kind = cell.type
    is_bytes = pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
    if not is_bytes and (role != "timestamp" or pa.types.is_temporal(kind)):
        cell = cell.cast(pa.string())
    (value,) = cell.to_pylist()
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return "" if value is None else str(value)
