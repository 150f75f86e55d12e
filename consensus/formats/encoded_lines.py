"""Columns to lines of delimited text.

Arrow's writer takes four times as long for our tables: most of it goes into the shortest digits of reals, which are
rounded here anyway (2 million rows of labels.csv on 2 cores: 0.63 s with it, 0.2 s with these loops).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

DECIMALS = 6  # of reals
LARGEST_REAL = 9e12  # that the loop writes; a column with a larger one goes through Arrow
LONGEST_NUMBER = 21  # bytes: a sign, 19 digits and a point


def encoded(columns: Sequence[pa.Array | pa.ChunkedArray], delimiter: str, quoted: bool) -> memoryview:
    """The rows as UTF-8, a line each; nulls and NaN are empty fields.

    Parameters
    ----------
    columns
        Texts, integers, reals; others as Arrow writes them. All have the same length.
    delimiter
        One character between fields.
    quoted
        Put all texts in quotes, and quotes in them twice; else no text may need it.
    """
    from consensus.kernels import line_loops, texts

    kinds, places = np.empty((2, len(columns)), np.int32)
    reals: list[NDArray[np.float64]] = []
    integers: list[NDArray[np.int64]] = []
    starts: list[NDArray[np.int64]] = []
    pieces: list[NDArray[np.uint8]] = []
    n_bytes = 0
    for c, column in enumerate(columns):
        numbers = _numbers(column)
        if numbers is None:
            ends, data = _texts(column, quoted)
            kinds[c], places[c] = line_loops.TEXT, len(starts)
            starts.append(ends + n_bytes)
            pieces.append(data)
            n_bytes += len(data)
        elif numbers.dtype == np.float64:
            kinds[c], places[c] = line_loops.REAL, len(reals)
            reals.append(numbers)
        else:
            kinds[c], places[c] = line_loops.INTEGER, len(integers)
            integers.append(numbers)
    n_rows = len(columns[0])
    n_numbers = len(reals) + len(integers)
    room = n_bytes + n_rows * (len(columns) + LONGEST_NUMBER * n_numbers) + texts.PADDING
    out = np.empty(room, np.uint8)
    table = line_loops.Columns(
        kind=kinds,
        place=places,
        starts=np.array(starts, np.int64).reshape(len(starts), n_rows + 1),
        texts=texts.words_of(np.concatenate([*pieces, np.zeros(texts.PADDING, np.uint8)])),
        integers=np.array(integers, np.int64).reshape(len(integers), n_rows),
        reals=np.array(reals, np.float64).reshape(len(reals), n_rows),
    )
    used = line_loops.lines(table, n_rows, ord(delimiter), out, texts.words_of(out))
    return out[:used].data


def _numbers(column: pa.Array | pa.ChunkedArray) -> NDArray[Any] | None:
    """The numbers of a column that the loop can write, int64 or float64; None if it must go as text."""
    import pyarrow as pa

    if pa.types.is_floating(column.type):
        reals = np.asarray(column.to_numpy(zero_copy_only=False), np.float64)
        return None if np.nanmax(np.abs(reals), initial=0.0) >= LARGEST_REAL else reals
    if pa.types.is_signed_integer(column.type) and not column.null_count:
        integers = np.asarray(column.to_numpy(zero_copy_only=False), np.int64)
        return None if integers.min(initial=0) == np.iinfo(np.int64).min else integers  # it has no opposite
    return None


def _texts(column: pa.Array | pa.ChunkedArray, quoted: bool) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Offsets (n + 1,) of the texts of a column, empty for null, and their bytes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    if not pa.types.is_string(column.type) and not pa.types.is_large_string(column.type):
        column = column.cast(pa.large_string())
    elif quoted:
        quote, nothing = (pa.scalar(mark, column.type) for mark in ('"', ""))
        column = pc.binary_join_element_wise(quote, pc.replace_substring(column, '"', '""'), quote, nothing)
    if column.null_count:  # whatever lies below a null
        column = column.fill_null("")
    if not len(column):
        return np.zeros(1, np.int64), np.zeros(0, np.uint8)
    _, offsets, data = column.buffers()
    width = np.int32 if pa.types.is_string(column.type) else np.int64
    ends = np.frombuffer(offsets, width)[column.offset : column.offset + len(column) + 1].astype(np.int64)
    every = np.frombuffer(data or b"", np.uint8)
    return ends - ends[0], every[ends[0] : ends[-1]]
