"""Rows of text as a file with commas or tabs, as the platforms write them: cells stay as they are, formulas too."""

from __future__ import annotations

import csv
import io
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def written(header: Sequence[str], rows: Iterable[Sequence[str | None]], delimiter: str = ",") -> bytes:
    """The file; an empty cell for None."""
    text = io.StringIO(newline="")
    writer, careful = (
        csv.writer(text, delimiter=delimiter, lineterminator="\n", quoting=quoting)
        for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL)
    )
    for row in chain([header], rows):
        cells = ["" if cell is None else cell for cell in row]
        (careful if any("\r" in cell for cell in cells) else writer).writerow(cells)  # it would end the line
    return text.getvalue().encode("utf-8")


def number(value: float | None) -> str | None:
    """A probability as it is written: six digits; None where it is not known."""
    return None if value is None or value != value else f"{value:.6g}"
