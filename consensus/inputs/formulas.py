"""Text that a spreadsheet would take for a formula: behind a ``'`` in delimited files, and as it was when read back.

A cell is a formula if it begins with ``=``, ``+``, ``-``, ``@`` (also full-width), a tab or an end of line. A plain
number such as -1 or +3.5 is none. What begins with ``'`` before such a sign gets one more ``'``, so that taking one
away always gives what there was (OWASP, "CSV injection").
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

SIGNS = "=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20"
"""What formulas begin with, as in a class of a regular expression."""
FORMULA = f"^(?:'+[{SIGNS}]|[{SIGNS}])"
NUMBER = r"^[+\-](?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+\-]?[0-9]+)?\z"
DEFUSED = re.compile(f"'+[{SIGNS}]")
"""Begins what ``defused`` may have written."""
FIRST_BYTES = np.zeros(256, np.bool_)
FIRST_BYTES[list(b"'=+-@\t\r\n\xef")] = True  # \xef begins the full-width ones


def defused(column: Any) -> Any:
    """A column (an Arrow array) with ``'`` before each text that is a formula; others as they are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not is_text(column) or not _may_hold_formulas(column):
        return column
    quote, nothing = (pa.scalar(text, column.type) for text in ("'", ""))
    formula = pc.match_substring_regex(column, FORMULA)
    number = pc.match_substring_regex(column, NUMBER)
    return pc.if_else(pc.and_not(formula, number), pc.binary_join_element_wise(quote, column, nothing), column)


def is_text(column: pa.Array | pa.ChunkedArray) -> bool:
    """Whether the cells of a column are text."""
    import pyarrow as pa

    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def as_given(text: str) -> str:
    """A text as it was before ``defused``."""
    return text[1:] if DEFUSED.match(text) else text


def taken_back(column: Any) -> Any:
    """A column (an Arrow array of text) as it was before ``defused``."""
    import pyarrow.compute as pc

    return pc.replace_substring_regex(column, f"^'('*[{SIGNS}])", r"\1")


def matched(texts: Sequence[str], found: Callable[[Sequence[str]], NDArray[np.int64]]) -> NDArray[np.int64]:
    """(n,) what ``found`` gives for each text; where that is -1, and a ``'`` may have been put before it, without.

    So a file that went through a spreadsheet names the same things as one that did not.
    """
    at = found(texts)
    changed = [n for n in np.flatnonzero(at < 0).tolist() if DEFUSED.match(texts[n])]
    if changed:
        at = at.copy()
        at[changed] = found([as_given(texts[n]) for n in changed])
    return at


def called(texts: Iterable[str], known: Container[str]) -> list[str]:
    """Each text, or what it was before ``defused`` where only that is ``known``."""
    return [as_given(one) if one not in known and as_given(one) in known else one for one in texts]


def _may_hold_formulas(column: pa.Array | pa.ChunkedArray) -> bool:
    """Whether some text begins with a byte that formulas begin with: that is quick to see."""
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        return any(_may_hold_formulas(chunk) for chunk in column.chunks)
    if not len(column):
        return False
    _, offsets, data = column.buffers()
    width = np.int32 if pa.types.is_string(column.type) else np.int64
    ends = np.frombuffer(offsets, width)[column.offset : column.offset + len(column) + 1]
    starts = ends[:-1][np.diff(ends) > 0]
    return bool(len(starts)) and bool(FIRST_BYTES[np.frombuffer(data, np.uint8)[starts]].any())
