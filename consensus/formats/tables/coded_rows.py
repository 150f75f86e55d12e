"""Blocks of any source to codes: one set of rules for which rows are used and which are rejected."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from consensus.errors import FormatError, Place
from consensus.formats.tables.blocks import ahead
from consensus.formats.tables.roles import NUMBERS
from consensus.inputs.judgments import Reject
from consensus.inputs.vocabulary import Vocabulary, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.formats.tables.blocks import Block, Reading
    from consensus.inputs.judgments import Source

    Progress = Callable[[str, float], None]
    Columns = Mapping[str, pa.Array | pa.ChunkedArray]


NOT_UTF8 = "is not UTF-8"
"""Ends the reason of a reject."""
NO_TEXT = ("",)  # what counts as absent where a role may be missing: an empty text between quotes, too


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """Numbers of some rows."""

    roles: tuple[str, ...]
    """C columns."""
    cells: NDArray[np.float32]
    """(rows, C), NaN where a cell is empty."""
    wrong: Mapping[int, str]
    """Why rows that can't be used can't be."""


class Beside(Protocol):
    """Cells of one column of a source that stand beside codes, gathered block by block."""

    n_unreadable: int
    """Cells that could not be read, once all were found."""

    def add(self, column: pa.ChunkedArray, /) -> None: ...  # noqa: D102

    def found(self, place: Callable[[int], str], /) -> NDArray[Any] | None: ...  # noqa: D102


class Rows:
    """Rows of all sources as codes; the others as rejects. A row is used if its ids are there and all of it is UTF-8.

    Parameters
    ----------
    coded
        Roles that become codes.
    required
        Those without which a row is rejected.
    backend
        The threads that read.
    progress
        Is told the stage and the fraction of it that is done.
    numbers
        Reads the columns of a block that hold numbers.
    beside
        Makes, by role, what gathers the optional columns of a source that stand beside the codes.
    """

    def __init__(
        self,
        coded: Sequence[str],
        required: Sequence[str],
        backend: Backend,
        progress: Progress | None,
        numbers: Callable[[Columns], Numbers] | None = None,
        beside: Mapping[str, Callable[[Reading], Beside]] | None = None,
    ) -> None:
        self.rejects: list[Reject] = []
        self.sources: list[Source] = []
        self.n_unreadable: dict[str, int] = dict.fromkeys(beside or {}, 0)
        """Cells by role ``beside`` the codes that could not be read."""
        self.not_utf8: list[tuple[int, str]] = []
        """Of each source with some rows that are not UTF-8, how many these are, and what to say."""
        self.numbers: list[Numbers] = []
        """Of the rows of each block that are used."""
        self._read_numbers = numbers
        self._required = required
        self._backend = backend
        self._progress = progress
        self._vocabularies = {role: Vocabulary() for role in coded}
        self._codes: dict[str, list[NDArray[np.int32]]] = {role: [] for role in coded}
        self._gatherers = beside or {}
        self._beside: dict[str, list[NDArray[Any] | int]] = {  # of each source, or how many rows have none
            role: [] for role in self._gatherers
        }
        self._ends: list[int] = []  # rows up to and with each block
        self._lines: list[tuple[str, int | NDArray[np.int64]]] = []  # file and lines of each block

    @property
    def n_rows(self) -> int:
        """Rows that are used."""
        return self._ends[-1] if self._ends else 0

    def add(self, reading: Reading) -> None:
        """Read a source to its end.

        Raises
        ------
        FormatError
            It can't be read.
        """
        stage, before, n_known = f"reading {PurePath(reading.file).name}", self.n_rows, len(self.rejects)
        beside = {role: gatherer(reading) for role, gatherer in self._gatherers.items()}
        self._tell(stage, 0.0)
        for block in ahead(reading.blocks, self._backend.n_threads):
            self._add_used(block, self._coded(block.columns), beside, reading.file)
            self._tell(stage, block.done)
        if reading.not_utf8 is not None:
            self._note_encoding(reading.not_utf8, self.rejects[n_known:], self.n_rows - before)
        for role, cells in beside.items():
            found = cells.found(lambda row: self.place(before + row))
            self.n_unreadable[role] += cells.n_unreadable
            self._beside[role].append(self.n_rows - before if found is None else found)
        if reading.source is not None:
            self.sources.append(reading.source)

    def _note_encoding(self, told: Callable[[], str], rejects: Sequence[Reject], n_used: int) -> None:
        """Refuse a source most of whose rows are not UTF-8: it is written in another encoding."""
        odd = [reject for reject in rejects if reject.reason.endswith(NOT_UTF8)]
        n_odd = len(odd)
        if 2 * n_odd > n_used + len(rejects):
            error = FormatError(told(), code="bad_encoding")
            error.file, error.line = odd[0].file, odd[0].line
            raise error
        if n_odd:
            self.not_utf8.append((n_odd, told()))

    def ranked(
        self, absent: Mapping[str, Sequence[str]] | None = None
    ) -> list[tuple[NDArray[np.int32], pa.StringArray]]:
        """By role, final codes of all rows (-1 for null) and the sorted texts, once; texts in ``absent`` are null."""
        absent = absent or {}

        def ranks(role: str) -> tuple[NDArray[np.int32], pa.StringArray]:
            return self._vocabularies.pop(role).ranks(self._codes[role], absent.get(role, ()))

        found = self._backend.map(ranks, list(self._codes))
        return [
            (translated(self._codes.pop(role), rank, self._backend), texts)
            for role, (rank, texts) in zip(list(self._codes), found, strict=True)
        ]

    def beside(self, role: str) -> NDArray[Any] | None:
        """(rows,) all cells of a column beside the codes, NaT or NaN where unknown; None if all are."""
        parts = self._beside.pop(role)
        kinds = [part.dtype for part in parts if not isinstance(part, int)]
        if not kinds:
            return None
        found = np.concatenate([np.full(one, None, kinds[0]) if isinstance(one, int) else one for one in parts])
        return None if np.isnan(found).all() else found

    def files(self) -> dict[str, slice]:
        """The rows of each file."""
        found: dict[str, slice] = {}
        begin = 0
        for (file, _), end in zip(self._lines, self._ends, strict=True):
            found[file] = slice(found[file].start if file in found else begin, end)
            begin = end
        return found

    def place(self, row: int) -> Place:
        """``file:line`` of a row."""
        return Place.of(*self.located(row))

    def located(self, row: int) -> tuple[str, int]:
        """File and line of a row."""
        n = bisect.bisect_right(self._ends, row)
        file, lines = self._lines[n]
        row -= self._ends[n - 1] if n else 0
        return file, lines + row if isinstance(lines, int) else int(lines[row])

    def _coded(self, columns: Columns) -> dict[str, NDArray[np.int32]]:
        """Codes of the rows of a block by role; -1 where it has no such column."""
        n_rows = _length(columns)

        def codes(role: str) -> NDArray[np.int32]:
            return self._vocabularies[role].add(columns[role]) if role in columns else np.full(n_rows, -1, np.int32)

        return dict(zip(self._codes, self._backend.map(codes, list(self._codes)), strict=True))

    def _tell(self, stage: str, done: float) -> None:
        if self._progress is not None:
            self._progress(stage, done)

    def _add_used(
        self, block: Block, codes: dict[str, NDArray[np.int32]], beside: dict[str, Beside], file: str
    ) -> None:
        bad: dict[int, str] = {}
        numbers = None if self._read_numbers is None else self._read_numbers(block.columns)
        for role, column in block.columns.items():
            if role in NUMBERS or (numbers is not None and role in numbers.roles):
                continue
            wrong = self._vocabularies[role].not_utf8(codes[role]) if role in codes else _not_utf8(column)
            for row in wrong.tolist():
                bad.setdefault(row, f"the {role} {NOT_UTF8}")
        for role in self._required:
            for row in np.flatnonzero(codes[role] < 0).tolist():
                bad.setdefault(row, f"the {role} is missing")
        if numbers is not None:
            bad = {**numbers.wrong, **bad}
        n_rows, lines = _length(codes), block.lines
        cells = {role: block.columns[role] for role in beside if role in block.columns}
        if bad:
            kept = np.delete(np.arange(n_rows), list(bad))
            every = np.arange(lines, lines + n_rows) if isinstance(lines, int) else lines
            rows = sorted(bad)
            told = zip(rows, block.describe(rows), strict=True)
            rejects = [Reject(file, int(every[row]), bad[row], raw) for row, raw in told]
            self.rejects += sorted(block.rejects + rejects, key=lambda reject: reject.line)
            codes = {role: those[kept] for role, those in codes.items()}
            lines = every[kept]
            cells = {role: column.take(kept) for role, column in cells.items()}
            numbers = None if numbers is None else replace(numbers, cells=numbers.cells[kept])
        else:
            self.rejects += block.rejects
        for role, those in codes.items():
            self._codes[role].append(those)
        self._ends.append(self.n_rows + _length(codes))
        self._lines.append((file, lines))
        for role, column in cells.items():
            beside[role].add(column)
        if numbers is not None:
            self.numbers.append(numbers)


def _length(columns: Mapping[str, Any]) -> int:
    """Rows of a block."""
    return len(next(iter(columns.values())))


def _not_utf8(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """Rows whose bytes are not UTF-8, of a column that does not become codes."""
    import pyarrow as pa

    known = Vocabulary()
    is_bytes = pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)
    return known.not_utf8(known.add(column) if is_bytes else np.zeros(0, np.int32))
