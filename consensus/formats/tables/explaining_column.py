"""The column that would explain repeats: with it the item is another, and (nearly) nothing is judged twice."""

from __future__ import annotations

import shlex
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from consensus.errors import FormatError
from consensus.formats.tables.roles import Roles
from consensus.inputs.counted import counted
from consensus.inputs.understood import one_line, quoted
from consensus.inputs.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from consensus.formats.tables.blocks import Reading

    Codes = NDArray[np.int64]
    Opened = Callable[[Roles], Iterator[Reading]]

MOST_ROWS = 300_000  # that are looked at
MOST_COLUMNS = 60
FEW = 30  # values of a column that can be questions: each is run by itself
LEFT = 0.02  # share of the repeats that may be left
EACH = 1.5  # judgments that an item needs in the mean, or else the column tells rows apart, and not items
CODED = "item", "worker", "label"
OTHER = "other "  # begins the roles of the columns that are tried


class Explanation(NamedTuple):
    """What would explain repeats."""

    message: str
    options: tuple[str, ...]


class _Try(NamedTuple):
    """An item made with a column."""

    column: str
    alone: bool
    """Whether the column takes the place of the item, or stands beside it."""
    n_values: int
    n_left: int
    """Repeats."""
    each: float
    """Judgments an item."""


def explained(opened: Opened, roles: Roles, others: Sequence[str]) -> Explanation | None:
    """What would leave (nearly) no repeats, of columns that are not used; None if nothing would.

    Parameters
    ----------
    opened
        Reads the sources once more, for other roles.
    roles
        What the columns were taken for.
    others
        The columns to try, which are in all sources.
    """
    tried = list(filter(None, others))[:MOST_COLUMNS]  # a column without a name can't be named in an option
    used = {role: name for role, name in roles.named.items() if role in CODED}
    columns = _read(opened, roles, used, tried)
    base = _distinct(columns["item"], columns["worker"]) if columns else 0
    if not columns or base == len(columns["item"]):
        return None
    item, worker = columns["item"], columns["worker"]
    repeats = len(item) - base
    found = []
    for name in tried:
        column = columns.get(OTHER + name)
        if column is None:
            continue
        n_values = len(np.unique(column))
        if n_values == 1 or len(item) / n_values < EACH:
            continue
        both = _paired(item, column)
        for alone, made in ((True, column), (False, both)):
            n_left, each = len(item) - _distinct(made, worker), len(item) / len(np.unique(made))
            if n_left <= LEFT * repeats and each >= EACH:
                found.append(_Try(name, alone, n_values, n_left, each))
    if not found:
        return None
    best = max(found, key=lambda one: (one.each, one.alone))
    return _told(best, roles.named["item"] or "item", len(np.unique(item)))


def _told(best: _Try, item: str, n_items: int) -> Explanation:
    options: tuple[str, ...]
    name, leaves = quoted(best.column), f"would leave {counted(best.n_left, 'repeat')}"
    if best.alone:
        options = ("--item", best.column)
        return Explanation(
            f"{name} has {best.n_values:,} values and {leaves}: {one_line(shlex.join(options))}", options
        )
    if best.n_values <= min(FEW, n_items):
        options = ("--by", best.column)
        return Explanation(
            f"{name} has {best.n_values:,} values and {leaves}: run each by itself with "
            f"{one_line(shlex.join(options))}",
            options,
        )
    if n_items <= FEW:
        options = ("--item", best.column, "--by", item)
        return Explanation(
            f"{quoted(item)} has {n_items:,} values only, {name} {best.n_values:,}, and together they {leaves}: run "
            f"each of the few by itself with {one_line(shlex.join(options))}",
            options,
        )
    return Explanation(
        f"{quoted(item)} and {name} together {leaves}: make one column of both, and name it with --item", ()
    )


def _read(opened: Opened, roles: Roles, used: dict[str, str | None], tried: Sequence[str]) -> dict[str, Codes]:
    """Codes of the columns of the first rows that have a label; one column after the other if not all can be read."""
    together = _coded(opened, Roles({**used, **{OTHER + name: name for name in tried}}, names=roles.names))
    if together:
        return together
    found: dict[str, Codes] = {}
    for name in tried:
        one = _coded(opened, Roles({**used, OTHER + name: name}, names=roles.names))
        if one and (not found or len(one["item"]) == len(found["item"])):
            found |= one
    return found


def _coded(opened: Opened, roles: Roles) -> dict[str, Codes]:
    """Codes of the first rows that have a label; nothing where a column holds no single values, or sources are gone."""
    wanted = dict.fromkeys([*CODED, *roles.named])
    vocabularies = {role: Vocabulary() for role in wanted}
    parts: dict[str, list[NDArray[np.int32]]] = {role: [] for role in wanted}
    n_rows = n_lost = 0
    try:
        for reading in opened(roles):
            with closing(reading.blocks) as blocks:
                for block in blocks:
                    for role, those in parts.items():
                        those.append(vocabularies[role].add(block.columns[role]))
                    n_rows += len(parts["item"][-1])
                    n_lost += len(block.rejects)
                    if n_rows >= MOST_ROWS:
                        break
            if n_rows >= MOST_ROWS:
                break
    except FormatError:
        return {}
    if n_lost >= n_rows:  # a column of lists, say: each such line is a reject
        return {}
    columns = {role: np.concatenate(those).astype(np.int64) for role, those in parts.items()}
    given = (columns["item"] >= 0) & (columns["worker"] >= 0) & (columns["label"] >= 0)
    return {role: codes[given] for role, codes in columns.items()}


def _paired(a: Codes, b: Codes) -> Codes:
    """A code for each pair."""
    _, pair = np.unique((a + 1) * (int(b.max(initial=0)) + 2) + b + 1, return_inverse=True)
    return np.asarray(pair, np.int64)


def _distinct(a: Codes, b: Codes) -> int:
    """Pairs that differ."""
    return len(np.unique((a + 1) * (int(b.max(initial=0)) + 2) + b + 1))
