"""Rows of text as a file with commas or tabs, as the platforms write them: cells stay as they are, formulas too."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def written(header: Sequence[str], rows: Iterable[Sequence[str | None]], delimiter: str = ",") -> bytes:
    """The file; an empty cell for None."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return text.getvalue().encode("utf-8")


def number(value: float | None) -> str | None:
    """A probability as it is written: six digits; None where it is not known."""
    return None if value is None or value != value else f"{value:.6g}"
