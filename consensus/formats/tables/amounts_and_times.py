"""Cells of all types as text, as times or as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from consensus.errors import FormatError
from consensus.formats.tables.roles import way_out

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray


Real = TypeVar("Real", np.float32, np.float64)
NUMBER = r"(?i)^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?)$"


def textual(column: pa.ChunkedArray, role: str, place: str, whole: bool | None = None) -> pa.ChunkedArray:
    """Cells of a type that can be cast to text one by one; NaN as null, whole numbers without a point.

    Parameters
    ----------
    column, role, place
        The cells, and what to call them in a message.
    whole
        Whether all reals of the column are whole; found from ``column`` if None.

    Raises
    ------
    FormatError
        The cells are lists, records or the like.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_nested(kind):
        raise FormatError(f"{place}: the {role} column holds {kind}, not single values; {way_out(role)}")
    if not pa.types.is_floating(kind):
        return column
    column = plain(column).cast(pa.float64())
    column = pc.if_else(pc.is_nan(column), None, column)
    return column.cast(pa.int64()) if (are_whole(column) if whole is None else whole) else column


def are_whole(column: pa.ChunkedArray) -> bool:
    """Whether all reals are whole numbers that integers can hold exactly; NaN and null do not matter."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = plain(column).cast(pa.float64())
    column = pc.if_else(pc.is_nan(column), None, column)
    if pc.all(pc.equal(column, pc.floor(column)), skip_nulls=True).as_py() is False:
        return False
    return bool((pc.max(pc.abs(column)).as_py() or 0) < 2**53)


def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Dictionary-encoded cells as what they stand for."""
    import pyarrow as pa

    if not pa.types.is_dictionary(column.type):
        return column
    chunks = []
    for chunk in column.chunks:
        meaning = chunk.dictionary
        if pa.types.is_string_view(meaning.type):  # which Arrow can't take from
            meaning = meaning.cast(pa.string())
        chunks.append(meaning.take(chunk.indices))
    return pa.chunked_array(chunks, column.type.value_type if not chunks else None)


def reals(column: pa.ChunkedArray, kind: type[Real]) -> tuple[NDArray[Real], NDArray[np.int64]]:
    """Numbers (rows,) of a ``kind``, NaN where a cell is empty; and the positions of the cells that hold something
    else.
    """  # noqa: D205
    import pyarrow as pa

    column = plain(column)
    try:
        numbers = column.cast(pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        column, numbers = _some_numbers(column)
    with np.errstate(over="ignore"):  # what is too large becomes infinite
        found = numbers.to_numpy().astype(kind)
    odd = np.flatnonzero(~np.isfinite(found))
    return found, odd[column.is_valid().to_numpy()[odd]] if column.null_count < len(odd) else odd[:0]


def _some_numbers(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Cells as bytes, null where empty, and the numbers among them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = (column.cast(pa.string()) if pa.types.is_temporal(column.type) else column).cast(pa.large_binary())
    column = pc.replace_substring_regex(column, r"^\s+|\s+$", "")
    column = pc.if_else(pc.equal(column, b""), None, column)
    return column, pc.if_else(pc.match_substring_regex(column, NUMBER), column, None).cast(pa.float64())


class Times:
    """Times of a source in microseconds UTC, NaT where absent or unreadable, gathered block by block.

    Read are ISO 8601, CrowdFlower's ``M/D/YYYY HH:MM:SS``, numbers (seconds since 1970; milli-, micro- or nanoseconds
    where so large) and timestamp or date types.
    """

    def __init__(self) -> None:
        self.n_unreadable = 0
        """Cells with something else, once all were found."""
        self._n_absent = 0
        self._parts: list[NDArray[np.datetime64]] = []
        self._american: list[tuple[int, NDArray[np.bool_], NDArray[np.datetime64]]] = []

    def add(self, column: pa.ChunkedArray) -> None:
        """Read the cells of a block."""
        times, slashed, american = _read(plain(column))
        self._n_absent += column.null_count
        if len(american):
            self._american.append((len(self._parts), slashed, american))
        self._parts.append(times)

    def found(self) -> NDArray[np.datetime64] | None:
        """(rows,) all times; None without such a column.

        Unless all that have slashes are American, none is: days may stand before months.
        """
        if not self._parts:
            return None
        if not any(np.isnat(times).any() for _, _, times in self._american):
            for n, slashed, times in self._american:
                self._parts[n][slashed] = times
        found = np.concatenate(self._parts)
        self.n_unreadable = int(np.isnat(found).sum()) - self._n_absent
        return found


class Amounts:
    """Numbers of a source, 0 or more, NaN where absent or unreadable, gathered block by block.

    Parameters
    ----------
    guessed
        The column was found by its name. Where more than half of its filled cells hold no numbers, something else is
        meant by it, and it is passed over.
    """

    def __init__(self, guessed: bool) -> None:
        self.n_unreadable = 0
        """Cells with something else, or a negative number, once all were found."""
        self._guessed = guessed
        self._n_numbers, self._n_odd, self._n_negative = 0, 0, 0
        self._parts: list[NDArray[np.float64]] = []

    def add(self, column: pa.ChunkedArray) -> None:
        """Read the cells of a block."""
        numbers, odd = _amounts(plain(column))
        numbers[odd] = np.nan
        negative = numbers < 0
        self._n_odd += len(odd)
        self._n_numbers += int(np.count_nonzero(~np.isnan(numbers)))
        self._n_negative += int(np.count_nonzero(negative))
        numbers[negative] = np.nan
        self._parts.append(numbers)

    def found(self) -> NDArray[np.float64] | None:
        """(rows,) all numbers; None without such a column."""
        if not self._parts or (self._guessed and self._n_odd > self._n_numbers):
            return None
        self.n_unreadable = self._n_odd + self._n_negative
        return np.concatenate(self._parts)


def _amounts(column: pa.ChunkedArray) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """``reals``; times that something took in seconds, and "true" is no number."""
    import pyarrow as pa

    if pa.types.is_boolean(column.type):
        return np.full(len(column), np.nan), np.flatnonzero(column.is_valid().to_numpy())
    if pa.types.is_duration(column.type):
        numbers, odd = reals(column.cast(pa.duration("us"), safe=False).cast(pa.int64()), np.float64)
        return numbers / 1e6, odd
    return reals(column, np.float64)


def _read(
    column: pa.ChunkedArray,
) -> tuple[NDArray[np.datetime64], NDArray[np.bool_], NDArray[np.datetime64]]:
    """Times, which cells have slashes, and the times of these as Americans write them."""
    import pandas as pd
    import pyarrow as pa

    kind = column.type
    nowhere, none = np.zeros(len(column), np.bool_), np.zeros(0, "datetime64[us]")
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        times = column.cast(pa.timestamp("us"), safe=False).to_pandas()
        return np.array(times.to_numpy(), "datetime64[us]"), nowhere, none
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _of_epoch(column.to_pandas().to_numpy(np.float64, na_value=np.nan)), nowhere, none
    try:
        text = column.cast(pa.string()).to_pandas().astype("str")
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return np.full(len(column), np.datetime64("NaT", "us")), nowhere, none
    text = text.where(text.str.match(r"\s*\d"))  # "now" and "today" would be times too
    found = _of_text(pd.to_datetime(text, utc=True, errors="coerce", format="ISO8601"))
    slashed = text.str.contains("/").fillna(False).to_numpy(bool)
    american = _of_text(pd.to_datetime(text[slashed], utc=True, errors="coerce", format="%m/%d/%Y %H:%M:%S"))
    left = np.isnat(found) & ~slashed
    found[left] = _of_epoch(pd.to_numeric(text[left], errors="coerce").to_numpy(np.float64, na_value=np.nan))
    return found, slashed, american


def _of_text(times: pd.Series[pd.Timestamp]) -> NDArray[np.datetime64]:
    return np.array(times.dt.tz_convert(None).to_numpy(), "datetime64[us]")


def _of_epoch(numbers: NDArray[np.float64]) -> NDArray[np.datetime64]:
    """Times from numbers since 1970; their size tells the unit (seconds until the year 5138)."""
    unit = np.select([np.abs(numbers) > 1e17, np.abs(numbers) > 1e14, np.abs(numbers) > 1e11], [1e9, 1e6, 1e3], 1.0)
    seconds = numbers / unit
    found = np.full(len(numbers), np.datetime64("NaT", "us"))
    known = np.abs(seconds) < 1e11  # False for NaN
    found[known] = (seconds[known] * 1e6).astype(np.int64).astype("datetime64[us]")
    return found
