"""Rows whose quoted fields hold line breaks: where each begins, seen at once for a whole block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUOTE, LINE, RETURN = map(ord, '"\n\r')


def starts_of(data: bytes, delimiter: str) -> NDArray[np.int64] | None:
    """(rows + 1,) the position at which each row begins, and the end.

    None if something is odd: a quote in the middle of a value, a blank line, or an end that is not that of a row.
    """
    text = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(text == QUOTE)
    if not len(quotes) or len(quotes) % 2 or text[-1] != LINE:
        return None
    opening, closing = quotes[::2], quotes[1::2]
    before, after = text[opening - 1], text[closing + 1]  # the end is a line feed, and where -1 is meant it is that
    if not np.isin(before, [ord(delimiter), LINE, QUOTE]).all():
        return None
    if not np.isin(after, [ord(delimiter), LINE, RETURN, QUOTE]).all():
        return None
    inside = np.bitwise_xor.accumulate(text == QUOTE)
    ends = np.flatnonzero((text == LINE) & ~inside) + 1
    starts = np.concatenate([[0], ends])
    first = text[starts[:-1]]
    if (first == LINE).any() or (first == RETURN).any():
        return None
    return starts
