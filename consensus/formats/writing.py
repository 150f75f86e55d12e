"""Tables to CSV, TSV, Parquet or JSON lines, by the ending of the name; whole or not at all."""

from __future__ import annotations

import io
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from consensus.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa

DECIMALS = 6  # of reals in text files; Parquet keeps all
ENDINGS = (".csv", ".tsv", ".parquet", ".jsonl")
RISKY = r"^[=+\-@\t\r]"  # what a spreadsheet takes for a formula


def write(table: pd.DataFrame, path: Path, *, defuse: bool = False) -> None:
    """Write ``table`` to ``path``; a file that stood there is replaced only by a complete one.

    Parameters
    ----------
    table
        Columns of text, numbers; missing values become empty fields (nulls).
    path
        Ends in .csv, .tsv, .parquet or .jsonl.
    defuse
        Put ``'`` before text that a spreadsheet would take for a formula.

    Raises
    ------
    OutputError
        The ending is unknown, or the file can't be written.
    """
    check_ending(path)
    with replacing(path) as file:
        encode(table, path.suffix.lower(), file, defuse=defuse)


def check_ending(path: Path) -> None:
    """Refuse names whose ending tells no format.

    Raises
    ------
    OutputError
        The ending is none of ENDINGS.
    """
    if path.suffix.lower() not in ENDINGS:
        raise OutputError(f'{path}: unknown ending "{path.suffix}"; end it in one of {", ".join(ENDINGS)}')


def text(table: pd.DataFrame, ending: str = ".csv") -> str:
    """``table`` as text, the way ``write`` would write it."""
    buffer = io.BytesIO()
    encode(table, ending, buffer)
    return buffer.getvalue().decode("utf-8")


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes the place of ``path`` when all went well, and else disappears.

    Raises
    ------
    OutputError
        The folder is missing or may not be written, or the disk is full.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: can't be written: {(error.strerror or str(error)).lower()}") from None
    finally:
        partial.unlink(missing_ok=True)


def encode(table: pd.DataFrame, ending: str, file: BinaryIO, *, defuse: bool = False) -> None:
    """Write ``table`` to an open file in the format of ``ending``."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    columns = [pa.Array.from_pandas(table.iloc[:, n]) for n in range(table.shape[1])]
    names = [str(name) for name in table.columns]
    if ending == ".parquet":
        parquet.write_table(pa.table(columns, names), file)
        return
    columns = [_as_written(column, defuse) for column in columns]
    if ending == ".jsonl":
        records = pa.table(columns, [str(n) for n in range(len(names))]).to_pandas()
        records.columns = names
        file.write(records.to_json(orient="records", lines=True, force_ascii=False, double_precision=10).encode())
        return
    delimiter = "\t" if ending == ".tsv" else ","
    plain = not any(_needs_quotes(column, delimiter) for column in [*columns, pa.array(names)])
    options = csv.WriteOptions(
        include_header=False, delimiter=delimiter, quoting_style="none" if plain else "needed", batch_size=65536
    )
    header = [pa.array([name]) for name in names]  # a row like any other, so that it is quoted like any other
    for rows in (header, columns):
        csv.write_csv(pa.table(rows, [str(n) for n in range(len(names))]), file, options)


def _as_written(column: pa.Array, defuse: bool) -> pa.Array:
    """Reals rounded, NaN as null, and text defused for spreadsheets if wanted."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(column.type):
        rounded = pc.round(column, DECIMALS)
        return pc.if_else(pc.is_nan(rounded), None, rounded)
    if defuse and _is_text(column):
        quote, nothing = (pa.scalar(text, column.type) for text in ("'", ""))
        risky = pc.match_substring_regex(column, RISKY)
        return pc.if_else(risky, pc.binary_join_element_wise(quote, column, nothing), column)
    return column


def _needs_quotes(column: pa.Array, delimiter: str) -> bool:
    """Whether some text would be misread without quotes. If none is, the whole table goes without."""
    import pyarrow.compute as pc

    if not _is_text(column):
        return False
    special = pc.any(pc.match_substring_regex(column, f'[{delimiter}"\r\n]')).as_py()
    return bool(special or pc.any(pc.equal(column, "")).as_py())


def _is_text(column: pa.Array) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))
