"""Columns of all types that Arrow, pandas and polars have, made into the few that readers take; or refused in a line.

What readers take is text and bytes (perhaps dictionary-encoded), booleans, numbers, durations where these are numbers,
and times where these are times.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus import memory
from consensus.errors import FormatError
from consensus.formats.tables.amounts import plain
from consensus.formats.tables.roles import NUMBERS, way_out
from consensus.inputs.understood import one_line

if TYPE_CHECKING:
    import pyarrow as pa

UUID, BOOL = "arrow.uuid", "arrow.bool8"
"""Extension types whose cells have a text of their own."""
SHARE = 0.25  # of the memory that there is
TOLD = 60  # characters of the name of a type in a message
TIMES_OF_NUMPY = (np.datetime64, np.timedelta64)
"""Arrow ends the process where such a cell stands beside a number of numpy's."""


def taken(column: pa.ChunkedArray, role: str, place: str) -> pa.ChunkedArray:
    """A column of any type as one that readers take.

    Raises
    ------
    FormatError
        Its cells are no single values, can't be written as text, or are bytes that say they are UTF-8 and are not:
        Arrow takes them unread.
    """
    import pyarrow as pa

    try:
        column.validate(full=True)
    except (pa.ArrowException, ValueError):
        is_text = "string" in str(column.type)  # also that of categories
        what = "damaged text, no UTF-8" if is_text else f"damaged cells of type {_told(column.type)}"
        raise FormatError(f"the {role} column holds {what}; write the file again", place) from None
    try:
        return _simple(column, role, place)
    except (pa.ArrowException, NotImplementedError, ValueError, OverflowError):
        raise _unknown(column.type, role, place) from None


def _simple(column: pa.ChunkedArray, role: str, place: str) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind, is_of = column.type, pa.types
    if isinstance(kind, pa.BaseExtensionType):
        return _simple(_stored(column, role, place), role, place)
    if is_of.is_run_end_encoded(kind):
        parts = [pc.run_end_decode(one) for one in column.chunks]
        return _simple(pa.chunked_array(parts, kind.value_type), role, place)
    if is_of.is_dictionary(kind):
        is_text = is_of.is_string(kind.value_type) or is_of.is_large_string(kind.value_type)
        if is_text and role not in NUMBERS and role != "timestamp":
            return column
        _refuse_size(column, role, place)
        return _simple(plain(column), role, place)
    if role == "timestamp" and (is_of.is_nested(kind) or is_of.is_interval(kind)):  # which are no times, and no error
        return pa.chunked_array([pa.array([_python(one) for one in column], pa.large_string())])
    if is_of.is_nested(kind):
        raise FormatError(f"the {role} column holds {_told(kind)}, not single values; {way_out(role)}", place)
    if is_of.is_string_view(kind):
        return column.cast(pa.large_string())
    if is_of.is_binary_view(kind) or is_of.is_fixed_size_binary(kind):
        return column.cast(pa.large_binary())
    if is_of.is_interval(kind):
        raise _unknown(kind, role, place)
    if role == "timestamp" and is_of.is_timestamp(kind) and kind.tz is not None:  # times are UTC within, wherever shown
        return column.cast(pa.int64()).cast(pa.timestamp(kind.unit))
    if role == "timestamp" or not (is_of.is_temporal(kind) or is_of.is_decimal(kind)):
        return column
    if role in NUMBERS and not (is_of.is_date(kind) or is_of.is_timestamp(kind) or is_of.is_time(kind)):
        return column
    return column.cast(pa.large_string())


def _refuse_size(column: pa.ChunkedArray, role: str, place: str) -> None:
    """Refuse to write out categories whose texts would take most of the memory that there is: a few bytes can do so."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind, n_bytes = column.type.value_type, 0
    if not any(test(kind) for test in (pa.types.is_string, pa.types.is_binary, pa.types.is_large_string)):
        return
    for chunk in column.chunks:
        n_bytes += pc.sum(pc.binary_length(chunk.dictionary).take(chunk.indices)).as_py() or 0
    if n_bytes > SHARE * memory.there_is():
        raise FormatError(
            f"the {role} column holds {memory.told(n_bytes)} of text in {len(column):,} rows; {way_out(role)}", place
        )


def _stored(column: pa.ChunkedArray, role: str, place: str) -> pa.ChunkedArray:
    """Cells of an extension type as what they are stored as; a UUID as the text that everybody writes."""
    import uuid

    import pyarrow as pa

    kind = column.type
    name = kind.extension_name
    if name == UUID:
        cells = [None if one is None else str(uuid.UUID(bytes=one)) for one in _storage(column).to_pylist()]
        return pa.chunked_array([pa.array(cells, pa.large_string())])
    if name == BOOL:
        return _storage(column).cast(pa.bool_())
    if pa.types.is_integer(kind.storage_type):  # such as periods of pandas, which count what nothing tells
        raise _unknown(kind, role, place)
    return _storage(column)


def _python(cell: pa.Scalar) -> str | None:
    """A cell that is no single value, as Python writes it."""
    return _repr(cell.as_py()) if cell.is_valid else None


def _storage(column: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa

    return pa.chunked_array([one.storage for one in column.chunks], column.type.storage_type)


def _unknown(kind: object, role: str, place: str) -> FormatError:
    return FormatError(
        f"the {role} column holds {_told(kind)}, which no text can be made of; make text of it, or {way_out(role)}",
        place,
    )


def _told(kind: object) -> str:
    told = one_line(str(kind))
    return told if len(told) <= TOLD else told[:TOLD] + "..."


def of_objects(column: Any, role: str, place: str) -> pa.ChunkedArray:
    """A column of Python, numpy, pandas or polars as Arrow; what Arrow does not know becomes text cell by cell.

    Raises
    ------
    FormatError
        It is no column, or a cell is no single value or can't be written as text.
    """
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        return column
    is_column = isinstance(column, Iterable) and getattr(column, "ndim", 1) > 0
    if not is_column or isinstance(column, (str, bytes)):
        raise FormatError(f"the {role} column is {_repr(column)}; give one entry a judgment", place)
    of_polars = hasattr(column, "__arrow_c_stream__") and not hasattr(column, "iloc")
    if of_polars and str(getattr(column, "dtype", "")) != "Object":  # these come as addresses
        try:
            return _text_of_odd(pa.chunked_array(column), column, role, place)
        except (pa.ArrowException, TypeError, ValueError):  # of a type that Arrow does not have
            pass
    try:
        cells = column if hasattr(column, "__len__") else list(column)
    except Exception:  # whatever gives the cells
        raise FormatError(f"the {role} column is {_repr(column)}, and gives no cells; {way_out(role)}", place) from None
    try:
        made = None if _ends_arrow(cells) else pa.array(cells, from_pandas=True)
    except Exception:  # libraries have many for cells that they do not know, and cells their own
        made = None
    if made is None:
        return _told_one_by_one(cells, role, place)
    chunked = made if isinstance(made, pa.ChunkedArray) else pa.chunked_array([made])
    return _text_of_odd(chunked, cells, role, place)


def _text_of_odd(made: pa.ChunkedArray, column: Any, role: str, place: str) -> pa.ChunkedArray:
    """The column that was made, or its cells as text, where these tell more: periods and durations of pandas."""
    import pyarrow as pa

    kind = made.type
    is_odd = isinstance(kind, pa.BaseExtensionType) or (role not in NUMBERS and pa.types.is_duration(kind))
    return _told_one_by_one(column, role, place) if is_odd and not isinstance(column, pa.Array) else made


def _ends_arrow(cells: Any) -> bool:
    """Whether Arrow could end the process over cells of several types."""
    if getattr(getattr(cells, "dtype", None), "kind", "O") != "O":  # one type for all
        return False
    kinds = set(map(type, cells))
    return any(issubclass(one, TIMES_OF_NUMPY) for one in kinds) and len(kinds) > 1


def _told_one_by_one(cells: Any, role: str, place: str) -> pa.ChunkedArray:
    import pyarrow as pa

    return pa.chunked_array([pa.array([_cell(cell, role, place) for cell in cells], pa.large_string())])


def _cell(cell: object, role: str, place: str) -> str | None:
    """One Python object as text, the way the same value in a typed column becomes text."""
    import pandas as pd

    if isinstance(cell, (list, tuple, dict, set, np.ndarray)):
        raise FormatError(f"the {role} column holds lists or records, not single values; {way_out(role)}", place)
    if cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and cell != cell):
        return None
    if isinstance(cell, (bool, np.bool_)):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, TIMES_OF_NUMPY) and np.isnat(cell):
        return None
    try:
        return str(cell).encode("utf-8", "backslashreplace").decode()
    except Exception:  # whatever the object does
        raise _unknown(f"objects of type {type(cell).__name__}", role, place) from None


def _repr(column: object) -> str:
    try:
        return f"{column!r:.40}"
    except Exception:  # whatever the object does
        return f"of type {type(column).__name__}"
