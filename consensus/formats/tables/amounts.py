"""Cells of all types as text or as numbers, and columns of amounts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from consensus.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.formats.tables.blocks import Reading
    from consensus.formats.tables.clock import Clock


Real = TypeVar("Real", np.float32, np.float64)
A_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
"""What there is of each unit of time in a second."""
MONEY = ("$", "£", "€")  # in front of an amount, which has a point
NUMBER = r"(?i)^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?)$"


def textual(column: pa.ChunkedArray, whole: bool | None = None) -> pa.ChunkedArray:
    """Single values of a type that can be cast to text one by one; NaN as null, whole numbers without a point.

    ``whole``: whether all reals of the column are whole; found from ``column`` if None.
    """
    import pyarrow as pa

    if not is_real(column):
        return column
    column = without_nan(column)
    return column.cast(pa.int64()) if (are_whole(column) if whole is None else whole) else column


def is_real(column: pa.ChunkedArray) -> bool:
    """Whether cells are numbers with a point, or stand for such."""
    import pyarrow as pa

    return bool(pa.types.is_floating(column.type.value_type if pa.types.is_dictionary(column.type) else column.type))


def without_nan(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The same column; of reals, with NaN as null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not is_real(column):
        return column
    column = plain(column).cast(pa.float64())
    return pc.if_else(pc.is_nan(column), None, column)


def are_whole(column: pa.ChunkedArray) -> bool:
    """Whether all reals are whole numbers that integers can hold exactly; NaN and null do not matter."""
    import pyarrow.compute as pc

    column = without_nan(column)
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
        numbers = column.cast(pa.float64(), safe=False)  # whole numbers beyond 2**53 are rounded
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


class Amounts:
    """Numbers of a source, 0 or more, NaN where absent or unreadable, gathered block by block.

    Parameters
    ----------
    reading
        The source.
    guessed
        The column was found by its name. Where more than half of its filled cells hold no numbers, something else is
        meant by it, and it is passed over; so it is where it holds money of two currencies.
    signs
        Money: a sign of ``MONEY`` may stand in front. Where the sign first occurred is kept in it, for all sources.
    clock
        Is told what is passed over for its currencies.
    """

    def __init__(
        self, reading: Reading, guessed: bool, signs: dict[str, str] | None = None, clock: Clock | None = None
    ) -> None:
        self.n_unreadable = 0
        """Cells with something else, or a negative number, once all were found."""
        self._guessed, self._signs, self._clock, self._file = guessed, signs, clock, reading.file
        self._column = reading.columns.get("price", "price")
        self._n_numbers, self._n_odd, self._n_negative, self._n_rows = 0, 0, 0, 0
        self._parts: list[NDArray[np.float64]] = []
        self._first: dict[str, tuple[int, str]] = {}  # of each sign, row and text

    def add(self, column: pa.ChunkedArray) -> None:
        """Read the cells of a block."""
        column = plain(column)
        numbers, odd = amounts(column if self._signs is None else self._without_sign(column))
        numbers[odd] = np.nan
        negative = numbers < 0
        self._n_odd += len(odd)
        self._n_numbers += int(np.count_nonzero(~np.isnan(numbers)))
        self._n_negative += int(np.count_nonzero(negative))
        numbers[negative] = np.nan
        self._n_rows += len(numbers)
        self._parts.append(numbers)

    def found(self, place: Callable[[int], str]) -> NDArray[np.float64] | None:
        """(rows,) all numbers; None without such a column. ``place`` tells where a row stands.

        Raises
        ------
        FormatError
            They are money of several currencies, and the column was named.
        """
        if not self._parts or (self._guessed and self._n_odd > self._n_numbers):
            return None
        told = self._two_currencies(place)
        if told and self._guessed and self._clock is not None:
            self._clock.note(
                f"currencies {self._file}",
                f"{told}, which can't be added: prices of {self._file} are not used; write all in one currency, or "
                "name another column with --price-column",
            )
            return None
        if told:
            raise FormatError(
                f"{told}, which can't be added; write all in one, or choose another column with --price-column"
            )
        self.n_unreadable = self._n_odd + self._n_negative
        return np.concatenate(self._parts)

    def _two_currencies(self, place: Callable[[int], str]) -> str:
        """What has another currency than what; empty where nothing has. Else its signs are kept for other sources."""
        signs = {} if self._signs is None else dict(self._signs)
        for sign, (row, text) in self._first.items():
            signs.setdefault(sign, f'"{text}" ({place(row)})')
            others = [where for other, where in signs.items() if other != sign]
            if others:
                return f'{place(row)}: "{text}" of column "{self._column}" and {others[0]} are money of two currencies'
        if self._signs is not None:
            self._signs.update(signs)
        return ""

    def _without_sign(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        """Texts without the signs of money before their numbers."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if not _is_text(column.type):
            return column
        cells = column.cast(pa.large_binary())
        for sign in MONEY:
            here = pc.match_substring_regex(cells, rf"^\s*{re.escape(sign)}\s*\d*\.?\d+\s*$").fill_null(False)
            for row in np.flatnonzero(here.to_numpy())[:1].tolist():
                text = cells[row].as_py().decode().strip()
                self._first.setdefault(sign, (self._n_rows + row, text))
                cells = pc.if_else(here, pc.replace_substring(cells, sign.encode(), b"", max_replacements=1), cells)
        return cells


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(test(kind) for test in (*tests, pa.types.is_binary, pa.types.is_large_binary))


def amounts(column: pa.ChunkedArray) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """``reals``; times that something took in seconds, and "true" is no number."""
    import pyarrow as pa

    if pa.types.is_boolean(column.type):
        return np.full(len(column), np.nan), np.flatnonzero(column.is_valid().to_numpy())
    if pa.types.is_duration(column.type):
        numbers, odd = reals(column.cast(pa.int64()), np.float64)
        return numbers / A_SECOND[column.type.unit], odd
    return reals(column, np.float64)
