"""Columns that are carried to the labels as they are: which they are, and their cells as text."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from consensus.errors import FormatError
from consensus.formats.tables.by_column import as_text
from consensus.formats.tables.roles import KEEP
from consensus.inputs.kept import first_values
from consensus.inputs.understood import one_line

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.config import ReadConfig
    from consensus.formats.tables.blocks import Block, Reading
    from consensus.inputs.kept import KeptColumn

    Codes = NDArray[np.int32]
    Coded = tuple[Codes, pa.StringArray]

PERSONAL = r"(?i)^\s*(?:\S+@\S+\.\S+|\d{1,3}(?:\.\d{1,3}){3}|(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4})\s*$"
"""An e-mail address, or one of a computer: nothing that exports hold of people is written."""
USED = ("item", "worker", "label")


class Keeping:
    """What the settings keep, and what is to be said of it."""

    def __init__(self, settings: ReadConfig) -> None:
        self.names = settings.keep
        """Columns, as the user wrote them."""
        self._n_odd: dict[str, int] = dict.fromkeys(self.names, 0)
        self.notes: list[str] = []

    @property
    def roles(self) -> dict[str, str]:
        """Roles of the columns, and the columns."""
        return {KEEP + name: name for name in self.names}

    def of(self, reading: Reading) -> Reading:
        """The reading with valid text in the kept columns: a row is used whatever stands in these.

        Raises
        ------
        FormatError
            One of them is the item, worker or label.
        """
        if not self.names:
            return reading
        for role in USED:
            for name in self.names:
                if reading.columns.get(KEEP + name) == reading.columns.get(role, ""):
                    why = "that labels.csv holds anyway" if role == "item" else "of which an item has several"
                    raise FormatError(
                        f'column "{name}" is the {role}, {why}; --keep is for columns that nothing '
                        "else reads: leave it out",
                        reading.file,
                    )
        return replace(reading, blocks=self._blocks(reading))

    def _blocks(self, reading: Reading) -> Generator[Block]:
        import pyarrow.compute as pc

        filled, personal = Counter[str](), Counter[str]()
        with closing(reading.blocks) as blocks:
            for block in blocks:
                kept = {KEEP + name: self._text(name, block.columns[KEEP + name]) for name in self.names}
                for role, cells in kept.items() if reading.platform else ():
                    filled[role] += len(cells) - cells.null_count
                    personal[role] += pc.sum(pc.match_substring_regex(cells, PERSONAL)).as_py() or 0
                yield replace(block, columns={**block.columns, **kept})
        for role, n in personal.items():
            if 2 * n > filled[role]:
                raise FormatError(
                    f'column "{role.removeprefix(KEEP)}" of a {reading.platform} is never written, for '
                    f"{n:,} of its {filled[role]:,} cells are addresses (e-mail or IP), which tell who somebody is; "
                    "leave it out of --keep",
                    reading.file,
                )

    def _text(self, name: str, cells: pa.ChunkedArray) -> pa.ChunkedArray:
        r"""Bytes as text, those that are not UTF-8 as ``\xNN``; cells of other types stay."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if not (pa.types.is_binary(cells.type) or pa.types.is_large_binary(cells.type)):
            return cells
        try:
            return cells.cast(pa.large_string())
        except pa.ArrowInvalid:
            shown = as_text(cells)
            differs = pc.not_equal(shown.cast(pa.large_binary()), cells.cast(pa.large_binary()).combine_chunks())
            self._n_odd[name] += pc.sum(differs).as_py()
            return shown

    def found(self, rows: Sequence[Coded], item: Codes, n_items: int) -> tuple[KeptColumn, ...]:
        """The columns by item, of the cells of all rows: one code a row, in the order of ``names``."""
        columns = []
        for name, coded in zip(self.names, rows, strict=True):
            column, told = first_values(name, coded, item, n_items)
            columns.append(column)
            self.notes += [one_line(told)] if told else []
            if n := self._n_odd[name]:
                cells = "1 cell is" if n == 1 else f"{n:,} cells are"
                self.notes.append(
                    one_line(f"--keep {name}: {cells} not UTF-8, and written with \\xNN; name their --encoding")
                )
        return tuple(columns)
