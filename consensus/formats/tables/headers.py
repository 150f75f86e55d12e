"""Headers that lack a name, or are none: told by the rows below them."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from consensus.formats.tables.roles import OPTIONS, Roles, any_known, candidates_of
from consensus.inputs.counted import counted
from consensus.inputs.understood import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

WHOLE = re.compile(r"\d{1,18}")
NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?")
IMPORT_ID = re.compile(r"""\{\s*["']ImportId["']\s*:""")
"""What all cells of a row below the header begin with in exports of Qualtrics; that of the texts stands above it."""
LEAST = 3  # columns of judgments
ALIKE = 2  # cells like those below them; one of many may be the name of a box that is ticked with its own name
GUESSED = ("item", "worker", "label")
WAY_OUT = {
    True: '--no-header reads it so, its columns are then called "column 1", "column 2" and so on; if it is a header, '
    "name its columns with --item, --worker and --label",
    False: "give it a first line with the names of its columns",
}
"""What to do where there seems to be no header, if an option can say so, and if not."""
BY_VALUES = "by how many values it has"


def called(n: int) -> str:
    """The name of a column without one, counted from 0."""
    return f"column {n + 1}"


def uncommented(name: str) -> str:
    """The name of the first column, without the # of a header that is written as a comment."""
    plain = name.lstrip("# ")
    return plain if any_known([plain]) else name


def with_index(names: list[str], rows: Sequence[Sequence[str]]) -> tuple[list[str], str]:
    """The names of all columns, and what to say where the first has none: it is an index, which R does not name."""
    if len(names) > 1 and not names[0].strip():
        return names, "the first column has no name and is passed over"
    if not rows or any(len(row) != len(names) + 1 for row in rows) or not any(row[-1] for row in rows):
        return names, ""
    first = [row[0] for row in rows]
    if not all(map(WHOLE.fullmatch, first)) or any(int(b) <= int(a) for a, b in itertools.pairwise(first)):
        return names, ""
    return ["", *names], (
        f"the header has one name less than the rows have fields: the first column, which counts from {first[0]}, is "
        "taken for an index and passed over"
    )


def n_explaining(rows: Sequence[Sequence[str | None]]) -> int:
    """How many of the first ``rows`` below a header explain it: up to the row of ImportIds, which may be the second."""
    for n, row in enumerate(rows[:2], 1):
        filled = [cell for cell in row if cell]
        if filled and all(map(IMPORT_ID.match, filled)):
            return n
    return 0


def explained(n: int) -> str:
    """What to say of ``n`` rows that explain the header."""
    rows = "a row of ImportIds" if n == 1 else "a row of question texts and one of ImportIds"
    return f"{rows} below the header, as Qualtrics writes them, passed over"


def fault(names: Sequence[str], rows: Sequence[Sequence[str]], roles: Roles) -> str | None:
    """Why the header seems to be a row; None where it has a name that is looked for, or does not look like the rows."""
    wanted = [role for role in roles.named if role in GUESSED]
    if len(names) < LEAST or not wanted or any(name in names for name in roles.named.values()):
        return None
    if any(candidates_of(names, roles.names.get(role, ())) for role in wanted):
        return None
    others = [row for row in rows if len(row) == len(names) and row != list(names)]
    alike = [n for n in range(len(names)) if _is_like(names[n], [row[n] for row in others])]
    if len(alike) < (1 if len(names) == LEAST else ALIKE):
        return None
    shown = ", ".join(map(quoted, names[:LEAST]))
    more = ", ..." if len(names) > LEAST else ""
    return f"the first row looks like the others ({shown}{more}), so that there seems to be no header"


def _is_like(name: str, cells: Sequence[str]) -> bool:
    """Whether what should be a name is one of the cells below it, or a number as they all are."""
    if not name.strip() or not cells:
        return False
    return name in cells or (bool(NUMBER.fullmatch(name)) and all(map(NUMBER.fullmatch, cells)))


def looks_named(row: Sequence[str], roles: Roles) -> bool:
    """Whether a first row that is to be data has the names of two roles or more."""
    return sum(bool(candidates_of(row, roles.names.get(role, ()))) for role in GUESSED if role in roles.named) > 1


def guessed(names: Sequence[str], rows: Sequence[Sequence[str]], roles: Roles) -> tuple[Roles, dict[str, str], str]:
    """Roles of columns without names, where there are just as many columns as roles that are looked for.

    The label is the column of the fewest values, but not of one; of the others, the item is the one of the most.

    Returns
    -------
    tuple
        The roles, those that were guessed with their columns, and what to say of them.
    """
    free = [role for role in GUESSED if role in roles.named and roles.named[role] is None]
    columns = [n for n in range(len(names)) if names[n] not in roles.named.values()]
    if not free or len(free) != len(columns):
        return roles, {}, ""
    n_values = {n: len({row[n] for row in rows if n < len(row)}) for n in columns}
    found: dict[str, int] = {}
    left = list(columns)
    for role in sorted(free, key=("label", "item", "worker").index):
        if role == "label":
            found[role] = min(left, key=lambda n: (n_values[n] == 1, n_values[n], -n))
        else:
            found[role] = max(left, key=lambda n: (n_values[n], -n))
        left.remove(found[role])
    chosen = {role: names[found[role]] for role in free}
    shown = ", ".join(f"{role} is {quoted(names[found[role]])} ({n_values[found[role]]:,})" for role in free)
    told = (
        f"no names of columns: by how many values they have in the first {counted(len(rows), 'row')}, {shown}; "
        f'name them if that is wrong, such as {OPTIONS[free[0]]} "{names[-1]}"'
    )
    return replace(roles, named={**roles.named, **chosen}), chosen, told
