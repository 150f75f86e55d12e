"""A look at a source before it is read: its columns, and what the first rows hold."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consensus.errors import FormatError
from consensus.formats.tables.by_column import as_text
from consensus.formats.tables.roles import Roles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consensus.formats.tables.blocks import Reading

    Opened = Callable[[Roles], Reading]

ROWS = 5_000  # that are looked at
MOST_COLUMNS = 2_000
MOST_ALONE = 50  # columns that are looked at one by one: each takes a look at the source of its own
LOOKED = "looked "  # begins the roles of columns that are looked at


@dataclass(frozen=True, slots=True)
class Listing(Roles):
    """Finds what other roles find, and keeps it, and the header."""

    inner: Roles = field(default_factory=lambda: Roles({}))
    header: list[str] = field(default_factory=list)
    found: dict[str, int] = field(default_factory=dict)

    def positions(self, header: Sequence[str], place: str) -> dict[str, int]:
        """Those of the inner roles."""
        self.header[:] = header
        self.found.update(self.inner.positions(header, place))
        return self.found


def first_rows(opened: Opened, names: Sequence[str]) -> dict[str, list[str | None]]:
    """What columns hold in the first rows, as text, an empty text as None; those that can't be read are left out."""
    chosen = list(names[:MOST_COLUMNS])
    together = _first_rows(opened, chosen) if chosen else {}
    if together is not None:
        return together
    each = [_first_rows(opened, [name]) for name in chosen[:MOST_ALONE]]
    found = {name: cells for one in each if one is not None for name, cells in one.items()}
    n_rows = max(map(len, found.values()), default=0)
    return {name: cells for name, cells in found.items() if len(cells) == n_rows}  # the others lack some of the rows


def _first_rows(opened: Opened, names: Sequence[str]) -> dict[str, list[str | None]] | None:
    """The same where all can be read together; else None."""
    try:
        reading = opened(Roles({LOOKED + name: name for name in names}))
        with closing(reading.blocks) as blocks:
            block = next(blocks, None)
    except FormatError:
        return None
    if block is None:
        return {}
    if len(block.rejects) > len(block.columns[LOOKED + names[0]]):  # a column of lists, say: each such line is one
        return None
    cells = {name: as_text(block.columns[LOOKED + name].slice(0, ROWS)).to_pylist() for name in names}
    return {name: [one or None for one in column] for name, column in cells.items()}
