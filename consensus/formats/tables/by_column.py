"""A column that tells which question a judgment answers, where a table holds several: one of them is read."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.errors import FormatError
from consensus.formats.tables.roles import ColumnError, Roles, listed

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from numpy.typing import NDArray

    from consensus.formats.tables.blocks import Block, Reading

BY = "question"
"""The role of that column."""


@dataclass(frozen=True, slots=True)
class ByRoles(Roles):
    """Other roles, and the column of the question, which is none of theirs."""

    inner: Roles = field(default_factory=lambda: Roles({}))
    column: str = ""
    optional: bool = False
    """It may be missing: a file of gold may be about one question."""

    @classmethod
    def beside(cls, inner: Roles, column: str, *, optional: bool = False) -> ByRoles:
        """The ``inner`` roles, and a ``column`` of questions."""
        return cls(inner.named, inner.lenient, inner.names, inner.options, inner, column, optional)

    def positions(self, header: Sequence[str], place: str) -> dict[str, int]:
        """Position in ``header`` of the column of each role.

        Raises
        ------
        FormatError
            A column is missing, or several could be meant.
        """
        if header.count(self.column) != 1:
            if self.optional and self.column not in header:
                return self.inner.positions(header, place)
            what = "no column" if self.column not in header else "several columns"
            raise FormatError(
                f'{what} "{self.column}" for --by; the columns are: {listed(header)}; correct --by',
                place,
                code="column_not_found",
            )
        own = f"{self.column} (--by)"
        others = [own if name == self.column else name for name in header]
        try:
            return self.inner.positions(others, place) | {BY: header.index(self.column)}
        except ColumnError as error:  # it is no column that could be meant
            left, told = tuple(name for name in error.header if name != own), error
        raise ColumnError(str(told), told.place, left, told.missing, told.taken)


def only(reading: Reading, value: str, by: str | None) -> Reading:
    """The rows of one question, where the column of questions, ``by``, was read; else all."""
    if by is None or reading.columns.get(BY) != by:
        return reading

    def blocks() -> Generator[Block]:
        with closing(reading.blocks) as inner:
            for block in inner:
                cells = {role: column for role, column in block.columns.items() if role != BY}
                yield chosen(block, cells, np.flatnonzero(holds(block.columns[BY], value)))

    return replace(reading, blocks=blocks())


def holds(cells: Any, value: str) -> NDArray[np.bool_]:
    """(rows,) where cells are a text; an absent one is an empty text."""
    import pyarrow.compute as pc

    return np.asarray(pc.equal(pc.fill_null(as_text(cells), ""), value).to_numpy(zero_copy_only=False), np.bool_)


def as_text(cells: Any) -> Any:
    r"""Cells as Arrow's text; bytes that are not UTF-8 are shown as ``\\\\xNN``."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = cells.type
    if pa.types.is_dictionary(kind):
        cells = cells.cast(kind.value_type)
        kind = cells.type
    if not (pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
        return cells.cast(pa.large_string())
    try:
        return cells.cast(pa.large_string())
    except pa.ArrowInvalid:
        shown = [None if one is None else one.decode("utf-8", "backslashreplace") for one in cells.to_pylist()]
        return pc.cast(pa.chunked_array([pa.array(shown, pa.large_string())]), pa.large_string())


def chosen(block: Block, cells: dict[str, Any], kept: NDArray[np.int64]) -> Block:
    """Rows of a block, by position, with these ``cells``; one may be there several times."""
    n_rows = len(next(iter(block.columns.values())))
    lines = np.arange(block.lines, block.lines + n_rows) if isinstance(block.lines, int) else block.lines
    return replace(
        block,
        columns={role: column.take(kept) for role, column in cells.items()},
        lines=lines[kept],
        describe=lambda rows: block.describe(kept[rows].tolist()),
    )
