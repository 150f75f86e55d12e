"""Columns and rows as plain records."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.found.result import joined

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consensus.found.result import Columns

DIGITS = 6  # of every number, as in the tables of a run


def records(columns: Columns, names: Iterable[str], rows: Iterable[int] | None = None) -> list[dict[str, Any]]:
    """Some columns and rows (all without) of a table as records; NaN and null are None."""
    import pyarrow as pa

    names = list(names)
    at = None if rows is None else np.asarray(list(rows), np.int64)
    lists = []
    for name in names:
        column = columns[name]
        if isinstance(column, np.ndarray):
            chosen = (column if at is None else column[at]).tolist()
        else:
            chosen = joined(column if at is None else column.take(pa.array(at))).to_pylist()
        lists.append([plain(value) for value in chosen])
    return [dict(zip(names, row, strict=True)) for row in zip(*lists, strict=True)]


def plain(value: Any, digits: int = DIGITS) -> Any:
    """The value as JSON can hold it: rounded, and None for NaN and infinities."""
    if isinstance(value, float):
        return round(value, digits) if math.isfinite(value) else None
    return value
