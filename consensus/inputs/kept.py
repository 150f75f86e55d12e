"""Columns of the input that nobody understands, carried along: one value an item."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.inputs.understood import quoted

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class KeptColumn:
    """A column of the input, and what it says of each item."""

    name: str
    """As the user wrote it."""
    code: NDArray[np.int32]
    """(I,) position in ``texts`` of what the first row of the item that has anything says, -1 where none has."""
    texts: pa.StringArray
    n_several: int = 0
    """Items of which rows say different things; the first of them counts."""

    def of(self, items: slice) -> pa.StringArray:
        """What it says of some items, null where nothing; null too of what stands behind the last of them."""
        import pyarrow as pa

        code = self.code[items]
        behind = np.full(max(items.stop - max(items.start, len(self.code)), 0), -1, np.int32)
        code = np.concatenate([code, behind])
        return self.texts.take(pa.array(code, mask=code < 0))

    def moved(self, code: NDArray[np.int32], n_items: int) -> KeptColumn:
        """The same over ``n_items``, of which each item of before has the position ``code`` (I,)."""
        found = np.full(n_items, np.int32(-1))
        found[code] = self.code
        return replace(self, code=found)


def first_values(
    name: str, rows: tuple[NDArray[np.int32], pa.StringArray], item: NDArray[np.int32], n_items: int
) -> tuple[KeptColumn, str]:
    """The first value of each item in the order of rows, and what is to be said of the others, if anything.

    Parameters
    ----------
    name
        Of the column.
    rows
        (rows,) the code of each cell, -1 where it is empty, and the texts that these are positions in.
    item
        (rows,) the code of the item.
    n_items
        I.
    """
    code, texts = rows
    filled = np.flatnonzero(code >= 0)
    first = np.full(n_items, np.int32(-1))
    last_to_first = filled[::-1]
    first[item[last_to_first]] = code[last_to_first]  # of several rows of an item, the one that comes last here stays
    option = f"--keep {name}"
    if not len(filled):
        return KeptColumn(name, first, texts), f"{option}: no row has a value there, so that the column is empty"
    others = filled[code[filled] != first[item[filled]]]
    if not len(others):
        return KeptColumn(name, first, texts), ""
    n_several, row = len(np.unique(item[others])), others[0]
    pair = f"{quoted(texts[first[item[row]]].as_py())}, then {quoted(texts[code[row]].as_py())}"
    have = "item has" if n_items == 1 else f"items {'has' if n_several == 1 else 'have'}"
    told = f"{option}: {n_several:,} of {n_items:,} {have} several values, such as {pair}; the first is kept"
    return KeptColumn(name, first, texts, n_several), told
