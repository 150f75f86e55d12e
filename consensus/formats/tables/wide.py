"""Tables in which a row holds several judgments: its columns are workers, questions or counts of labels.

Each row becomes as many rows as it holds judgments, so that everything behind it sees one judgment a row.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus import memory
from consensus.errors import FormatError
from consensus.formats.tables.amounts import reals
from consensus.formats.tables.by_column import ByRoles, chosen
from consensus.formats.tables.listing import Listing, first_rows
from consensus.formats.tables.roles import DROP, KEEP, ColumnError, Roles, listed
from consensus.formats.tables.table_shapes import LOOKS_LIKE, like_workers
from consensus.inputs.counted import counted
from consensus.inputs.judgments import Reject
from consensus.inputs.understood import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from numpy.typing import NDArray

    from consensus.config import ReadConfig
    from consensus.formats.tables.blocks import Block, Reading

    Rows = NDArray[np.int64]

CELL = "cell of "
"""Begins the roles of columns that hold what a row says."""
COUNT = "count"
"""The role of the column of how many people gave a label."""
COUNTED = "(counted)"
"""The worker of judgments that were only counted: each is one of a person of its own."""
SHOWN = 8  # columns in a note
MOST = 1e12  # people who gave a label
WHAT = {"workers": "workers", "questions": "questions", "counts": "counts of labels"}


@dataclass(frozen=True, slots=True)
class WideRoles(Roles):
    """Other roles, and columns that hold what a row says."""

    inner: Roles = field(default_factory=lambda: Roles({}))
    kind: str = "workers"
    values: tuple[str, ...] = ()
    """The columns; none: those that look like it."""

    @classmethod
    def beside(cls, inner: Roles, kind: str, values: tuple[str, ...]) -> WideRoles:
        """The ``inner`` roles, and columns of ``values``."""
        return cls(inner.named, inner.lenient, inner.names, inner.options, inner, kind, values)

    def settled(self, opened: Callable[[Roles], Reading]) -> WideRoles:
        """The same for a source, with the columns that look like it where none are named.

        Raises
        ------
        FormatError
            A column of another role can't be found, or none looks like it.
        """
        if self.values:
            return self
        listing = Listing({}, inner=self.inner)
        try:
            reading = opened(listing)
        except ColumnError as error:
            chosen_rows = isinstance(self.inner, ByRoles) or any(
                role.startswith((DROP, KEEP)) for role in self.inner.named
            )
            if self.kind == "workers" and error.missing == {"item": []} and not chosen_rows:
                grid = like_workers(first_rows(opened, error.header))
                if len(grid) == len(error.header):  # nothing but judgments: each row is an item
                    left = {role: name for role, name in self.inner.named.items() if role != "item"}
                    return replace(self, inner=replace(self.inner, named=left), values=tuple(grid))
            raise
        taken = {listing.header[n] for n in listing.found.values()}
        free = [name for name in listing.header if name and name not in taken and listing.header.count(name) == 1]
        values = LOOKS_LIKE[self.kind](first_rows(opened, free))
        if not values:
            raise FormatError(
                f"no columns look like {WHAT[self.kind]}; the columns are: {listed(listing.header)}; "
                "name those that are with --columns",
                reading.file,
            )
        return replace(self, values=tuple(values))

    def positions(self, header: Sequence[str], place: str) -> dict[str, int]:
        """Position in ``header`` of the column of each role.

        Raises
        ------
        FormatError
            A column is missing, is there twice, or has another role.
        """
        found = self.inner.positions(header, place)
        for name in self.values:
            if header.count(name) != 1:
                what = "no column" if name not in header else f"{header.count(name)} columns"
                raise FormatError(
                    f'{what} "{name}" among the {WHAT[self.kind]}; the columns are: {listed(header)}; correct '
                    "--columns",
                    place,
                )
            at = header.index(name)
            for role in found:
                if found[role] == at:
                    role = f"kept (--keep {name})" if role.startswith(KEEP) else role
                    raise FormatError(f'column "{name}" can\'t be both {role} and one of the {WHAT[self.kind]}', place)
        return found | {CELL + name: header.index(name) for name in self.values}


class Shape:
    """How rows become judgments, by the settings."""

    def __init__(self, settings: ReadConfig) -> None:
        self._kind = settings.shape
        self._columns = settings.questions or settings.wide_columns
        self._only = settings.only if settings.shape == "questions" else None
        self._counts = settings.counts
        self._numbered = ""  # the file whose rows are the items

    @property
    def is_counted(self) -> bool:
        """Whether judgments are told by counts, without who made them."""
        return self._counts is not None or self._kind == "counts"

    @property
    def is_plain(self) -> bool:
        """Whether a row is a judgment."""
        return self._counts is None and self._kind is None

    def named(self, named: dict[str, str | None]) -> dict[str, str | None]:
        """The roles to look for, and the columns that are named for them."""
        gone = {"workers": {"worker", "label"}, "counts": {"worker", "label"}, "questions": {"label"}}
        left = {role: name for role, name in named.items() if role not in gone.get(str(self._kind), set())}
        if self._counts is not None:
            left = {role: name for role, name in left.items() if role != "worker"} | {COUNT: self._counts}
        if self._kind is not None:  # beside several judgments, a time is that of the row unless it is named
            left = {
                role: name for role, name in left.items() if name is not None or role in {"item", "worker", "label"}
            }
        return left

    def roles(self, roles: Roles) -> Roles:
        """The roles, and the columns that hold several judgments."""
        if self._kind is None:
            return roles
        return WideRoles.beside(roles, self._kind, self._columns if self._only is None else (self._only,))

    def of(self, reading: Reading) -> Reading:
        """The reading with one judgment a row."""
        if self.is_plain:
            return reading
        names = [name for role, name in reading.columns.items() if role.startswith(CELL)]
        tally = _Tally(are_items="item" not in reading.columns)
        if tally.are_items and self._numbered:
            raise FormatError(
                f"no column tells the item, nor in {self._numbered}, so nothing tells which of their "
                "rows are about the same one; name the item with --item",
                reading.file,
            )
        self._numbered = reading.file if tally.are_items else self._numbered
        columns, because = dict(reading.columns), f"--wide {self._kind}"
        shown = counted(len(names), "column")
        if tally.are_items:
            columns |= {"item": "number of the row"}
        if self._kind == "workers":
            columns |= {"worker": f"names of {shown}", "label": "their cells"}
        elif self._kind == "questions":
            columns |= {"label": names[0]}
        elif self._kind == "counts":
            columns |= {"label": f"names of {shown}"}
        roles = set(columns) - set(reading.columns) | ({"label"} if self._kind == "questions" else set())
        others = [name for name in reading.header if name not in reading.columns.values()]

        def note() -> str:
            parts = [reading.note(), *self._notes(reading.file, names, others, tally)]
            return "; ".join(part for part in parts if part)

        return replace(
            reading,
            blocks=self._blocks(reading, names, tally),
            columns=columns,
            because={**reading.because, **dict.fromkeys(roles, because)},
            note=note,
        )

    def _notes(self, file: str, names: Sequence[str], others: Sequence[str], tally: _Tally) -> list[str]:
        empty = f"; {tally.n_empty:,} of {counted(tally.n_rows, 'row')} without any" if tally.n_empty else ""
        if self._counts is not None:
            return [
                f"{file}: {counted(tally.n_rows, 'row with counts makes', 'rows with counts make')} "
                f"{counted(tally.n_made, 'judgment')}{empty}"
            ]
        if self._kind == "questions":
            return [f"{file}: {counted(tally.n_made, 'answer')} to {_shown(names)}{empty}"]
        left = f"; not taken: {_shown(others)}" if others and not self._columns else ""
        way_out = "; --columns names others" if not self._columns else ""
        way_out += "; no column tells the item, so each row is one: --item names a column" if tally.are_items else ""
        return [
            f"{file}: {counted(len(names), 'column holds', 'columns hold')} {WHAT[str(self._kind)]}: {_shown(names)}: "
            f"{counted(tally.n_rows, 'row makes', 'rows make')} "
            f"{counted(tally.n_made, 'judgment')}{empty}{left}{way_out}"
        ]

    def _blocks(self, reading: Reading, names: Sequence[str], tally: _Tally) -> Generator[Block]:
        with closing(reading.blocks) as blocks:
            for block in blocks:
                kept, told, bad = self._counted(block, names) if self.is_counted else self._cells(block, names)
                n_rows = len(next(iter(block.columns.values())))
                if tally.are_items:
                    told["item"] = _numbers(kept + tally.n_rows + 1)
                tally.n_rows += n_rows
                tally.n_made += len(kept)
                tally.n_empty += n_rows - len(np.unique(kept)) - len(bad)
                wide = {COUNT} if self._counts is not None else {CELL + name for name in names}
                cells = {role: column for role, column in block.columns.items() if role not in wide}
                made = chosen(block, cells, kept)
                rejects = [*block.rejects, *_rejects(block, bad, reading.file)]
                yield replace(made, columns={**made.columns, **told}, rejects=rejects)

    def _cells(self, block: Block, names: Sequence[str]) -> tuple[Rows, dict[str, Any], Rows]:
        """The row of each filled cell, columns of what the cells say, and rows that are rejected: none."""
        import pyarrow as pa

        columns = [_as_bytes(block.columns[CELL + name]) for name in names]
        filled = [_filled(column) for column in columns]
        row = np.concatenate(filled)
        order = np.argsort(row, kind="stable")
        texts = pa.chunked_array(
            [chunk for cells, kept in zip(columns, filled, strict=True) for chunk in cells.take(kept).chunks],
            pa.large_binary(),
        )
        told = {"label": texts.take(order)}
        if self._kind == "workers":
            told["worker"] = _names(names, np.repeat(np.arange(len(names)), [len(one) for one in filled])[order])
        return row[order], told, row[:0]

    def _counted(self, block: Block, names: Sequence[str]) -> tuple[Rows, dict[str, Any], Rows]:
        """The same of each judgment that is counted."""
        wide = [CELL + name for name in names] if self._counts is None else [COUNT]
        n_rows = len(block.columns[wide[0]])
        counts, bad = np.zeros((n_rows, len(wide)), np.int64), np.zeros(n_rows, np.bool_)
        for n, role in enumerate(wide):
            numbers, odd = reals(_chunked(block.columns[role]), np.float64)
            fine = (numbers >= 0) & (numbers == np.floor(numbers)) & (numbers < MOST)
            bad |= ~fine & ~np.isnan(numbers)
            bad[odd] = True
            counts[fine, n] = numbers[fine].astype(np.int64)
        counts[bad] = 0
        total = int(counts.sum())
        memory.refuse(memory.of_reading(total), None, f"reading {total:,} judgments that are counted")
        kept = np.repeat(np.arange(n_rows), counts.sum(axis=1))
        told = {"worker": _names([COUNTED], np.zeros(total, np.int64))}
        if self._counts is None:
            told["label"] = _names(names, np.repeat(np.tile(np.arange(len(wide)), n_rows), counts.ravel()))
        return kept, told, np.flatnonzero(bad)


def _rejects(block: Block, rows: Rows, file: str) -> list[Reject]:
    """Rows whose counts are none."""
    if not len(rows):
        return []
    lines = chosen(block, {}, rows).lines
    assert not isinstance(lines, int)
    told = zip(lines.tolist(), block.describe(rows.tolist()), strict=True)
    return [Reject(file, line, "a count is no whole number, 0 or more", raw) for line, raw in told]


@dataclass(slots=True)
class _Tally:
    """What became of rows."""

    n_rows: int = 0
    n_made: int = 0
    """Judgments."""
    n_empty: int = 0
    """Rows that hold none."""
    are_items: bool = False
    """No column tells the item: each row is one."""


def _shown(names: Sequence[str]) -> str:
    return one_line(listed(names, SHOWN))


def _chunked(cells: Any) -> Any:
    import pyarrow as pa

    return cells if isinstance(cells, pa.ChunkedArray) else pa.chunked_array([cells])


def _as_bytes(cells: Any) -> Any:
    """Cells as bytes that are text, yet to be checked."""
    import pyarrow as pa

    cells = _chunked(cells)
    kind = cells.type.value_type if pa.types.is_dictionary(cells.type) else cells.type
    cells = cells.cast(kind)
    if not (pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
        cells = cells.cast(pa.large_string())
    return cells.cast(pa.large_binary())


def _filled(cells: Any) -> Rows:
    """Positions of the cells that hold something."""
    import pyarrow.compute as pc

    return np.flatnonzero(pc.fill_null(pc.not_equal(cells, b""), False).to_numpy())


def _names(names: Sequence[str], codes: Rows) -> Any:
    """Names by code as a column."""
    import pyarrow as pa

    return pa.chunked_array([pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(list(names)))])


def _numbers(numbers: Rows) -> Any:
    """Numbers as a column of text."""
    import pyarrow as pa

    return pa.chunked_array([pa.array(numbers).cast(pa.large_string())])
