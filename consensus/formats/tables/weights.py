"""A column of weights: how many items each item counts as."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.errors import FormatError
from consensus.formats.tables.amounts import amounts, textual
from consensus.inputs.understood import quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.formats.tables.blocks import Reading

MOST = 1e15  # so that sums and squares of weights are finite


class Weights:
    """Numbers of a source above 0, gathered block by block. One that can't be read is an error: 1 would be a guess."""

    def __init__(self, reading: Reading) -> None:
        self.n_unreadable = 0
        """None: they are errors."""
        self._column = reading.columns.get("weight", "weight")
        self._parts: list[NDArray[np.float64]] = []
        self._n_rows = 0
        self._wrong: tuple[int, str | None] | None = None  # row and text of the first that is none

    def add(self, column: pa.ChunkedArray) -> None:
        """Read the cells of a block."""
        numbers, _ = amounts(column)
        if self._wrong is None:
            for row in np.flatnonzero(~((numbers > 0) & (numbers <= MOST)))[:1].tolist():
                self._wrong = self._n_rows + row, _text(column.slice(row, 1), float(numbers[row]))
        self._n_rows += len(numbers)
        self._parts.append(numbers)

    def found(self, place: Callable[[int], str]) -> NDArray[np.float64] | None:
        """(rows,) all weights; None without rows. ``place`` tells where a row stands.

        Raises
        ------
        FormatError
            One is missing, or no number above 0.
        """
        if self._wrong is not None:
            row, text = self._wrong
            what = "is missing" if not text else f"is {quoted(text)}"
            raise FormatError(
                f"the weight {what} in column {quoted(self._column)}; expected a number above 0 (1e15 at most); "
                "correct it, leave out the row, or choose another column with --weight",
                place(row),
                code="bad_row",
            )
        return np.concatenate(self._parts) if self._parts else None


def _text(column: pa.ChunkedArray, number: float) -> str:
    """A cell, alone in its ``column``, as it is written, for a message; the ``number`` that it stands for."""
    import pyarrow as pa

    if pa.types.is_duration(column.type):  # Python has none as long as the longest
        return "" if column.null_count else f"{number:g} seconds"
    cell = textual(column)[0].as_py()
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "backslashreplace")
    return "" if cell is None else str(cell)
