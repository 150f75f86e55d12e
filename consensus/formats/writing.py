"""Tables to CSV, TSV, Parquet or JSON lines, by the ending of the name; whole or not at all."""

from __future__ import annotations

import io
import itertools
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

import numpy as np

from consensus.errors import OutputError
from consensus.formats import encoded_lines, partials
from consensus.found.result import joined
from consensus.inputs import formulas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa

    from consensus.backends import Backend


Buffer: TypeAlias = bytes | memoryview
Table: TypeAlias = "pd.DataFrame | pa.Table"
BLOCK = 50_000  # rows that are encoded at once
ENDINGS = (".csv", ".tsv", ".parquet", ".jsonl")
CELLS = (".csv", ".tsv")  # what a spreadsheet opens


def write(table: Table, path: Path, *, raw_cells: bool = False) -> None:
    """Write ``table`` to ``path``; a file that stood there is replaced only by a complete one.

    Parameters
    ----------
    table
        Columns of text, numbers; missing values become empty fields (nulls).
    path
        Ends in .csv, .tsv, .parquet or .jsonl.
    raw_cells
        Leave text that a spreadsheet would take for a formula as it is; else ``'`` stands before it in .csv and .tsv.

    Raises
    ------
    OutputError
        The ending is unknown, or the file can't be written.
    """
    check_ending(path)
    with replacing(path) as file:
        encode(table, path.suffix.lower(), file, raw_cells=raw_cells)


def write_blocks(
    n_rows: int,
    block: Callable[[slice], Table],
    path: Path,
    *,
    plain: bool,
    backend: Backend,
    raw_cells: bool = False,
) -> None:
    """Write a table of ``n_rows`` that is made block by block, on the threads of ``backend``; as ``write`` does.

    Parameters
    ----------
    n_rows
        Rows of the whole table.
    block
        Makes the rows of a slice.
    path
        As for ``write``.
    plain
        No text in it needs quotes, as ``are_plain`` says of all that may occur.
    backend
        Where blocks are made.
    raw_cells
        As for ``write``.

    Raises
    ------
    OutputError
        The ending is unknown, or the file can't be written.
    """
    check_ending(path)
    with replacing(path) as file:
        encode_blocks(n_rows, block, path.suffix.lower(), file, plain=plain, backend=backend, raw_cells=raw_cells)


def encode_blocks(
    n_rows: int,
    block: Callable[[slice], Table],
    ending: str,
    file: BinaryIO,
    *,
    plain: bool,
    backend: Backend,
    raw_cells: bool = False,
) -> None:
    """Write a table that is made block by block to an open file in the format of ``ending``; as ``write_blocks``."""
    parts = [slice(begin, min(begin + BLOCK, n_rows)) for begin in range(0, n_rows, BLOCK)] or [slice(0, 0)]
    if ending == ".parquet":
        _write_parquet((block(part) for part in parts), file)
        return
    defuse = ending in CELLS and not raw_cells
    _write_header(block(slice(0, 0)), ending, file, plain, defuse)

    def encoded(part: slice) -> Buffer:
        return _rows(block(part), ending, plain, defuse)

    with ThreadPoolExecutor(1) as writer:  # blocks go to disk while the next ones are encoded
        writing = writer.submit(file.writelines, [])
        for begin in range(0, len(parts), backend.n_threads):
            done = backend.map(encoded, parts[begin : begin + backend.n_threads])
            writing.result()
            writing = writer.submit(file.writelines, done)
        writing.result()


def check_place(path: Path) -> None:
    """Refuse, before any work is done, a place where no file can stand.

    Raises
    ------
    OutputError
        A folder stands there, its own folder does not exist, or may not be looked into.
    """
    try:
        if path.is_dir():
            raise OutputError("a folder stands there; name a file", path)
        if not path.parent.is_dir():
            raise OutputError("its folder does not exist; create it first", path)
        path.exists()
    except OSError as error:
        raise OutputError.of(error, path) from None


def check_ending(path: Path) -> None:
    """Refuse names whose ending tells no format.

    Raises
    ------
    OutputError
        The ending is none of ENDINGS.
    """
    if path.suffix.lower() not in ENDINGS:
        told = f'unknown ending "{path.suffix}"; end it in one of {", ".join(ENDINGS)}'
        raise OutputError(told, path, code="unknown_ending")


def text(table: Table, ending: str = ".csv", *, raw_cells: bool = False) -> str:
    """``table`` as text, the way ``write`` would write it."""
    buffer = io.BytesIO()
    encode(table, ending, buffer, raw_cells=raw_cells)
    return buffer.getvalue().decode("utf-8")


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes the place of ``path`` when all went well, and else disappears.

    Raises
    ------
    OutputError
        The folder is missing or may not be written, or the disk is full.
    """
    try:
        if path.exists() and not path.is_file():  # a device or a pipe, whose place no file may take
            with path.open("wb") as file:
                yield file
            return
        with partials.claimed(path, is_folder=False) as partial:
            with partial.open("wb") as file:
                yield file
            partial.replace(path)
    except OSError as error:
        raise OutputError.of(error, path) from None


def write_bytes(data: bytes, path: Path) -> None:
    """Write a whole file; as ``write`` does.

    Raises
    ------
    OutputError
        It can't be written.
    """
    with replacing(path) as file:
        file.write(data)


def encode(table: Table, ending: str, file: BinaryIO, *, raw_cells: bool = False) -> None:
    """Write ``table`` to an open file in the format of ``ending``."""
    import pyarrow as pa

    if ending == ".parquet":
        _write_parquet([table], file)
        return
    defuse = ending in CELLS and not raw_cells
    plain = are_plain([pa.array(_names(table)), *_cells(table, ending)], ending)
    _write_header(table, ending, file, plain, defuse)
    file.write(_rows(table, ending, plain, defuse))


def _write_parquet(tables: Iterable[Table], file: BinaryIO) -> None:
    """Write one row group a table; at least one, and all have the same columns."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import parquet

    def stored(column: pa.ChunkedArray) -> pa.ChunkedArray:
        """As columns of data frames are stored, whatever the table was."""
        if pa.types.is_floating(column.type):
            return pc.if_else(pc.is_nan(column), None, column)
        return column.cast(pa.large_string()) if pa.types.is_string(column.type) else column

    groups = (pa.table([stored(column) for column in _columns(table)], _names(table)) for table in tables)
    first = next(groups)
    with parquet.ParquetWriter(file, first.schema) as writer:
        for group in itertools.chain([first], groups):
            writer.write_table(group)


def _write_header(table: Table, ending: str, file: BinaryIO, plain: bool, defuse: bool) -> None:
    """Write the names of the columns as a row like any other, so that it is quoted like any other."""
    import pyarrow as pa

    if ending != ".jsonl":
        names = [pa.array([name]) for name in _names(table)]
        names = [formulas.defused(name) for name in names] if defuse else names
        file.write(encoded_lines.encoded(names, _delimiter(ending), not plain))


def _rows(table: Table, ending: str, plain: bool, defuse: bool) -> Buffer:
    """The rows of ``table`` as bytes of text."""
    import pyarrow as pa

    columns = _cells(table, ending)
    if defuse:
        columns = [formulas.defused(column) for column in columns]
    if ending != ".jsonl":
        return encoded_lines.encoded(columns, _delimiter(ending), not plain)
    records = pa.table([_rounded(column) for column in columns], [str(n) for n in range(len(columns))]).to_pandas()
    records.columns = _names(table)
    text: str = records.to_json(orient="records", lines=True, force_ascii=False, double_precision=10)
    return text.encode()


def _columns(table: Table) -> list[pa.Array]:
    import pyarrow as pa

    if isinstance(table, pa.Table):
        return list(table.columns)
    return [pa.Array.from_pandas(table.iloc[:, n]) for n in range(table.shape[1])]


def _cells(table: Table, ending: str) -> list[pa.Array]:
    """The columns as the format holds them: lists are one text but in JSON."""
    return _columns(table) if ending == ".jsonl" else [joined(column) for column in _columns(table)]


def _names(table: Table) -> list[str]:
    """Names of the columns, as text."""
    import pyarrow as pa

    return [str(name) for name in (table.column_names if isinstance(table, pa.Table) else table.columns)]


def _delimiter(ending: str) -> str:
    return "\t" if ending == ".tsv" else ","


def _rounded(column: pa.Array) -> pa.Array:
    """Reals rounded, NaN as null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_floating(column.type):
        return column
    rounded = pc.round(column, encoded_lines.DECIMALS)
    return pc.if_else(pc.is_nan(rounded), None, rounded)


def are_plain(columns: Iterable[pa.Array | pa.ChunkedArray], ending: str) -> bool:
    """Whether no text in the columns would be misread without quotes: then a whole table goes without."""
    special = (_delimiter(ending).encode(), b'"', b"\r", b"\n")
    return not any(_needs_quotes(column, special) for column in columns)


def _needs_quotes(column: pa.Array | pa.ChunkedArray, special: tuple[bytes, ...]) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(column, pa.ChunkedArray):
        return any(_needs_quotes(chunk, special) for chunk in column.chunks)
    if not formulas.is_text(column) or not len(column):
        return False
    if pc.min(pc.binary_length(column)).as_py() == 0:
        return True
    _, offsets, data = column.buffers()
    width = np.int32 if pa.types.is_string(column.type) else np.int64
    ends = np.frombuffer(offsets, width)[column.offset : column.offset + len(column) + 1]
    text = b"" if data is None else bytes(memoryview(data)[ends[0] : ends[-1]])
    return any(one in text for one in special)
