"""What was understood of a source: which column holds what, by which rule, and which columns were not used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from consensus.inputs.counted import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from consensus.config import ReadConfig

BY_NAME, NAMED, FROM_FILE = "by its name", "named", "the name of the file"
"""Rules by which a column was taken for a role. Of a platform's export, the rule is what the export is called."""
WRITTEN = ("encoding", "delimiter", "no_header")
"""Settings that say how files are written."""
SHOWN = 12  # columns that are not used, in a line
LONGEST = 40  # characters of the name of a column, in a line


class Column(NamedTuple):
    """A column that is used."""

    role: str
    """What it holds: "item", "worker", "label", "timestamp", "duration", "price", "group", "weight" or
    "cluster"."""
    name: str
    """Its name; where files name it differently, all names, with " / " between."""
    because: str
    """By which rule it was taken: "named", "by its name", or what the export of a platform is called."""
    n_values: int
    """Distinct values of the judgments that are used."""


def written(settings: ReadConfig) -> dict[str, Any]:
    """How files are written, where that was said."""
    return {name: value for name in WRITTEN if (value := getattr(settings, name))}


def n_distinct(cells: NDArray[Any]) -> int:
    """Distinct numbers or times among ``cells`` (n,), those that are NaN or NaT left out."""
    known = np.sort(cells[~np.isnan(cells)])
    return int(np.count_nonzero(known[1:] != known[:-1])) + bool(len(known))


def line(understood: Sequence[Column], unused: Sequence[str]) -> str:
    """Such as ``columns: item is "unit" (by its name, 80 values), ...; not used: "url"``."""
    used = ", ".join(
        f"{'time' if one.role == 'timestamp' else one.role} is {quoted(one.name)} ({one.because}, "
        f"{counted(one.n_values, 'value')})"
        for one in understood
    )
    more = f" and {len(unused) - SHOWN:,} more" if len(unused) > SHOWN else ""
    left = f"; not used: {', '.join(map(quoted, unused[:SHOWN]))}{more}" if unused else ""
    return f"columns: {used}{left}"


def one_line(text: str) -> str:
    """The text with what does not print, such as a line break, as an escape."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def quoted(name: str) -> str:
    """The name of a column between quotes, shortened."""
    return quoted_text(" ".join(name.split()))


def quoted_text(text: str) -> str:
    """An id or a label between quotes, shortened; blanks stay as they are."""
    shown = one_line(text)
    return f'"{shown if len(shown) <= LONGEST else shown[:LONGEST] + "..."}"'
