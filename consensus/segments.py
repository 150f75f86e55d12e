"""Judgments by item, cut into segments that can be worked on anywhere (``backends``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consensus.backends import even_slices, number_of_shards

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from consensus.inputs.judgments import Judgments


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """Consecutive items with what stands in columns. Sent away, it takes what is its own and no more."""

    start: NDArray[np.int64]
    """(n+1,) entries of item i are ``start[i]:start[i + 1]``."""
    columns: tuple[NDArray[Any], ...]
    """Of the entries of all items."""
    of_items: tuple[NDArray[Any], ...] = ()
    """(n,) or (n, ...) of its items."""

    def __reduce__(self) -> tuple[type[Segment], tuple[Any, ...]]:
        begin, end = self.start[0], self.start[-1]
        return Segment, (self.start - begin, tuple(one[begin:end] for one in self.columns), self.of_items)


def shards(judgments: Judgments, table_size: int = 0) -> tuple[slice, ...]:
    """Items in shards of about equal work; how many, as by ``number_of_shards``."""
    return even_slices(judgments.item_start, number_of_shards(judgments.n_judgments, table_size))


def cut(
    judgments: Judgments,
    parts: Sequence[slice],
    columns: tuple[NDArray[Any], ...],
    of_items: tuple[NDArray[Any], ...] = (),
) -> list[Segment]:
    """The segments of some ``parts`` of the items, with ``columns`` (J,) and what is ``of_items`` (I, ...)."""
    starts = (judgments.item_start[part.start : part.stop + 1] for part in parts)
    return [
        Segment(start, columns, tuple(one[part] for one in of_items)) for part, start in zip(parts, starts, strict=True)
    ]
