"""Where no name tells which column holds what: the columns that could, most likely first, from the first rows."""

from __future__ import annotations

import re
import shlex
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from consensus.errors import FormatError
from consensus.formats.tables.roles import OPTIONS, Roles, candidates_of
from consensus.inputs.counted import counted
from consensus.inputs.understood import one_line, quoted
from consensus.inputs.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from consensus.formats.tables.blocks import Reading
    from consensus.formats.tables.roles import ColumnError

    Opened = Callable[[Roles], Reading]

ROWS = 5_000  # that are looked at
MOST_COLUMNS = 200
MOST_ALONE = 20  # columns that are looked at one by one: each takes a look at the source of its own
SHOWN = 8  # columns in a message
LONGEST_EXAMPLE = 300  # characters of options in a message
FEW = 30  # values of a column that can be questions: each is run by itself
SHORT = 3  # letters of a word that stands for itself alone
LABEL_AT_MOST = 5  # rows that each label needs in the mean to look like one
SPOKEN = {
    "item": "item task unit question image img url text sentence document doc example sample record row hit subject "
    "file tweet pair case title id key",
    "worker": "worker user annotator rater coder judge labeler labeller contributor participant reviewer expert "
    "person member email name by id",
    "label": "label answer response rating class category value choice vote verdict decision annotation score opinion "
    "result tag judgement judgment sentiment grade",
}
"""Words that the name of a column of a role may hold."""
WEAK = {"id", "by", "name", "key", "title"}
"""Those of them that say little."""


class _Held(NamedTuple):
    """What a column holds in the first rows."""

    name: str
    n_values: int
    n_filled: int
    n_rows: int


def message(error: ColumnError, opened: Opened, roles: Roles) -> str:
    """What to say of columns that were not found, with those of a source that could be meant.

    Parameters
    ----------
    error
        What was not found.
    opened
        Opens the source for other roles.
    roles
        Those that were looked for.
    """
    free = [name for name in error.header if name not in error.taken and error.header.count(name) == 1]
    by_name = {
        error.header[n]
        for role in set(SPOKEN) - set(error.missing)
        if roles.named.get(role) is None
        for n in candidates_of(error.header, roles.names.get(role, ()))
    }
    free = [name for name in free if name not in by_name]
    if len(free) > MOST_COLUMNS:
        free.sort(key=lambda name: -max(_spoken_for(name, role) for role in error.missing))
    free = free[:MOST_COLUMNS]
    held = _held(opened, roles, free) if free else {}
    if not held:
        return str(error)
    told: list[str] = []
    chosen: dict[str, str] = {}
    for role, candidates in error.missing.items():
        of = [held[name] for name in candidates or free if name in held]
        ranked = sorted(of, key=lambda one: -_score(one, role))
        best = next((one for one in ranked if one.name not in chosen.values()), None)
        if best is None:
            return str(error)
        chosen[role] = best.name
        likely = [one for one in ranked if _score(one, role) >= 0.0 or one.name == best.name or candidates][:SHOWN]
        names = ", ".join(_shown(one) for one in likely)
        more = f" and {len(ranked) - len(likely):,} more" if len(ranked) > len(likely) else ""
        says = f"several columns could hold the {role}: " if candidates else f"no column holds the {role}; it could be "
        told.append(f"{says}{names}{more}")
        if candidates and role == "item":
            told += _questions(ranked)
    such_as = " ".join(shlex.join((OPTIONS.get(role, f"--{role}"), name)) for role, name in chosen.items())
    choose = "choose with" if any(error.missing.values()) else "name it with" if len(chosen) == 1 else "name them with"
    options = ", ".join(OPTIONS.get(role, f"--{role}") for role in chosen)
    if any(one.n_rows == ROWS for one in held.values()):
        told[-1] += f" (in the first {ROWS:,} rows)"
    example = f", such as {such_as}" if len(such_as) <= LONGEST_EXAMPLE else ""
    return f"{error.place}: {'; '.join(told)}; {choose} {options}{example}"


def _questions(ranked: Sequence[_Held]) -> list[str]:
    """That a column with few values beside the item may hold questions."""
    few = [one for one in ranked[1:] if 1 < one.n_values <= FEW and ranked[0].n_values > one.n_values]
    if not few:
        return []
    by = one_line(shlex.join(("--by", few[0].name)))
    return [f"if {quoted(few[0].name)} holds questions, run each by itself with {by}"]


def _shown(one: _Held) -> str:
    return f"{quoted(one.name)} ({counted(one.n_values, 'value')})"


def _score(one: _Held, role: str) -> float:
    """How likely a column has a role, by its name and by how many values it has in so many rows."""
    score = _spoken_for(one.name, role)
    n, rows = one.n_values, max(one.n_filled, 1)
    if role == "label":
        score += 2.0 if 2 <= n <= rows / LABEL_AT_MOST else -3.0 if n > rows / 2 else 0.0
    elif role == "worker":
        score += 1.0 if 2 <= n <= rows / 2 else -2.0
    else:
        score += 2.0 if rows / 50 <= n <= 0.8 * rows else 0.0 if n > FEW else -1.0
    return score - (3.0 if one.n_filled < one.n_rows / 2 else 0.0) - (2.0 if n < 2 else 0.0)


def _spoken_for(name: str, role: str) -> float:
    """How much the name of a column speaks for a role."""
    words = set(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower()))
    spoken = {other: _spoken(words, known.split()) for other, known in SPOKEN.items()}
    own = spoken.pop(role, set())
    score = 3.0 if own - WEAK else 1.0 if own else 0.0
    score -= 2.0 if any(others - WEAK for others in spoken.values()) else 0.0
    return score


def _spoken(words: set[str], known: Sequence[str]) -> set[str]:
    """Which of the known words occur, with any ending where they are long."""
    return {one for one in known if any(word == one or (len(one) > SHORT and word.startswith(one)) for word in words)}


def _held(opened: Opened, roles: Roles, names: Sequence[str]) -> Mapping[str, _Held]:
    """What columns hold; one after the other, the first few, if not all of them can be read."""
    found = _looked_at(opened, roles, names)
    if found is None:
        each = [_looked_at(opened, roles, [name]) for name in names[:MOST_ALONE]]
        found = {name: held for one in each if one is not None for name, held in one.items()}
    return found


def _looked_at(opened: Opened, roles: Roles, names: Sequence[str]) -> dict[str, _Held] | None:
    """What columns hold in the first rows; None where they can't be read together."""
    try:
        reading = opened(Roles({f"column {name}": name for name in names}, names=roles.names))
        with closing(reading.blocks) as blocks:
            block = next(blocks, None)
    except FormatError:
        return None
    if block is None or not names:
        return {}
    columns = {name: block.columns[f"column {name}"].slice(0, ROWS) for name in names}
    n_rows = len(columns[names[0]])
    if len(block.rejects) > n_rows:  # a column of lists, say: each such line is a reject
        return None
    found = {}
    for name, column in columns.items():
        codes = Vocabulary().add(column)
        found[name] = _Held(name, len(np.unique(codes[codes >= 0])), int((codes >= 0).sum()), n_rows)
    return found
