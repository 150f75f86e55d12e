"""Which columns look like workers, questions or counts of labels, by what the first rows hold; and how to say so."""

from __future__ import annotations

import itertools
import re
import shlex
from collections import Counter
from typing import TYPE_CHECKING

from consensus.formats.gold_columns import OF_GOLD
from consensus.formats.tables.listing import first_rows
from consensus.formats.tables.roles import NAMES, OPTIONS, candidates_of, listed
from consensus.inputs.understood import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from consensus.formats.tables.blocks import Reading
    from consensus.formats.tables.roles import ColumnError, Roles

    Cells = Mapping[str, Sequence[str | None]]
    """Of each column, the first cells; None where one is empty."""

FEW = 30  # values of a column that can be labels
ALIKE = 0.8  # share of the cells of a worker that hold what others hold, too
LEAST = 3  # columns that are told to look like workers
MOSTLY = 0.8  # share of the rows of counts that have the same sum, before they are told to be counts
SHOWN = 6  # columns or values in a message
OF_OBJECTS = re.compile(r"(.+?)\.\d+\.(.+)")
"""A column of one of several objects in a list: its place in the list is no worker."""
TICKED = {"true", "on"}
TICKS = {*TICKED, "false", "off"}
"""What cells of columns hold that are ticked for a label."""
IDS = {
    "HITId": "call the column of the item",
    "WorkerId": "call that of the worker",
    "AssignmentId": "add one with a number for each row, called",
}
"""Columns by which Mechanical Turk's results are read, and how a file gets them."""
ANSWER = "Answer."
"""Begins those of answers."""
WHOLE = re.compile(r"\d{1,9}(?:\.0+)?")
COUNTS = ("count", "n", "votes", "n_votes", "num_votes", "n_judgments", "frequency", "freq")
"""Names of a column of how many people gave a label."""


def like_workers(cells: Cells) -> list[str]:
    """Columns whose cells (nearly) all hold what others hold, too, and that are no labels by their name."""
    labels = _labels(list(cells))
    filled = {name: Counter(one for one in column if one is not None) for name, column in cells.items()}
    filled = {
        name: values
        for name, values in filled.items()
        if values and name not in labels and not OF_OBJECTS.fullmatch(name)
    }
    held = Counter(one for values in filled.values() for one in values)
    shared = {one for one, n in held.items() if n > 1}
    found = [name for name, values in filled.items() if sum(values[one] for one in shared) >= ALIKE * values.total()]
    return found if len(found) > 1 and len({one for name in found for one in filled[name]} & shared) <= FEW else []


def like_questions(cells: Cells) -> list[str]:
    """Columns of few values that recur."""
    found = []
    for name, column in cells.items():
        filled = [one for one in column if one is not None]
        if 1 < len(set(filled)) <= FEW and len(set(filled)) <= len(filled) / 2:
            found.append(name)
    return found


def like_counts(cells: Cells) -> list[str]:
    """Columns of whole numbers, but for one that numbers the rows, or is the sum of the others, or is a label."""
    numbers = {
        name: [int(float(one or 0)) for one in column]
        for name, column in cells.items()
        if all(one is None or WHOLE.fullmatch(one) for one in column) and any(column)
    }
    labels = _labels(list(cells))
    found = {
        name: column
        for name, column in numbers.items()
        if name not in labels and not (len(column) > 1 and {b - a for a, b in itertools.pairwise(column)} == {1})
    }
    for name in list(found):
        others = [column for other, column in found.items() if other != name]
        if len(others) > 1 and list(map(sum, zip(*others, strict=True))) == found[name]:
            del found[name]
            break
    return list(found) if len(found) > 1 else []


def like_ticks(cells: Cells) -> list[str]:
    """Columns of ticks, one for each label of a question, such as Answer.colour.red; of several, those of the first."""
    found: dict[str, list[str]] = {}
    for name, column in cells.items():
        stem, _, label = name.rpartition(".")
        filled = {one.lower() for one in column if one is not None}
        if stem and not label.isdigit() and filled <= TICKS and filled & TICKED:
            found.setdefault(stem, []).append(name)
    return next((names for names in found.values() if len(names) > 1), [])


LOOKS_LIKE: dict[str, Callable[[Cells], list[str]]] = {
    "workers": like_workers,
    "questions": like_questions,
    "counts": like_counts,
}
"""By what wide tables hold, the columns that look like it."""


def offered(error: ColumnError, opened: Callable[[Roles], Reading], told: str) -> str:
    """What is ``told`` of columns that were not found; or, where the table looks wide, how to read it so."""
    missing, header = error.missing, error.header
    free = [name for name in header if name and name not in error.taken and header.count(name) == 1]
    if "label" in missing and (ticks := like_ticks(first_rows(opened, free))):
        return _of_ticks(error, ticks)
    if missing.get("worker", [""]):  # there is one, or several could be
        if missing.get("label", [""]) or set(missing) != {"label"}:
            return told
        questions = like_questions(first_rows(opened, free))
        if len(questions) < 2:
            return told
        named = one_line(shlex.join(("--questions", ",".join(questions[:SHOWN]))))
        return f"{told}; if columns are questions, each with its answers: {named}"
    if nested := [name for name in free if OF_OBJECTS.fullmatch(name)]:
        return _of_objects(error, nested)
    cells = first_rows(opened, free)
    counts, workers = like_counts(cells), like_workers(cells)
    item = "" if "item" not in missing or missing["item"] else "; name the item, too, with --item"
    if item and len(workers) == len(header):
        item = ""  # each row is one
    begin = f"{error.place}: no column holds the worker; "
    if len(counts) > 1 and _adds_up([cells[name] for name in counts]):
        return (
            f"{begin}{len(counts):,} columns hold whole numbers ({listed(counts, SHOWN)}) that look like counts of "
            f"labels: --wide counts{item}"
        )
    if len(workers) >= LEAST:
        values = sorted({one for name in workers for one in cells[name] if one is not None})
        return (
            f"{begin}{len(workers):,} columns hold the same {len(values):,} values ({listed(values, SHOWN)}): if each "
            f"is a worker and each row an item, --wide workers{item}; if rows are workers, swap rows and columns first"
        )
    for n in candidates_of(header, COUNTS):
        if "label" not in missing and all(one is None or WHOLE.fullmatch(one) for one in cells.get(header[n], ())):
            named = one_line(shlex.join(("--counts", header[n])))
            return f"{told}; if {header[n]} tells how many people gave the label: {named}"
    return told


def _of_ticks(error: ColumnError, ticks: Sequence[str]) -> str:
    """What columns of ticks look like, and how they can be read."""
    have = {name.lower() for name in error.header}
    todo = [f"{what} {name}" for name, what in IDS.items() if name.lower() not in have]
    if not all(name.startswith(ANSWER) for name in ticks):
        todo.append(f"call those of ticks {one_line(ANSWER + ticks[0])} and so on")
    way_out = ", ".join([*todo, "read it with --platform mturk"])
    return (
        f"{error.place}: no column holds the label; {len(ticks):,} columns hold ticks ({listed(ticks, SHOWN)}), one "
        f"for each label, as exports of Mechanical Turk do: {way_out}"
    )


def _of_objects(error: ColumnError, nested: Sequence[str]) -> str:
    """What lists of objects look like, and how their entries can be read as judgments."""
    keys: dict[str, dict[str, None]] = {}
    for name in nested:
        found = OF_OBJECTS.fullmatch(name)
        assert found is not None
        keys.setdefault(found[1], {})[found[2]] = None
    stem, within = max(keys.items(), key=lambda one: len(one[1]))
    options = []
    for role in ("worker", "label"):
        known = candidates_of(list(within), NAMES[role])
        key = list(within)[known[0]] if known else f"{role.upper()}"
        options += [OPTIONS[role], f"{stem}.{key}"]
    item = "name the item with --item, and " if "item" in error.missing else ""
    return (
        f"{error.place}: no column holds the worker; it has lists of objects ({listed(nested, SHOWN)}): if each is a "
        f"judgment, {item}say where they stand: {one_line(shlex.join(options))}"
    )


def _adds_up(columns: Sequence[Sequence[str | None]]) -> bool:
    """Whether numbers of most rows have the same sum, as where each item was judged equally often.

    So do the labels of workers who (nearly) all say the same: then the cells of a row are equal.
    """
    rows = [[int(float(one or 0)) for one in row] for row in zip(*columns, strict=True)]
    n_empty = sum(one is None for column in columns for one in column)
    (most, n), *_ = Counter(map(sum, rows)).most_common(1)
    n_equal = sum(len(set(row)) == 1 for row in rows)
    return most > 1 and n > MOSTLY * len(rows) and n_equal < len(rows) / 2 and n_empty < len(rows)


def _labels(names: Sequence[str]) -> set[str]:
    """Columns that are labels or gold by their name."""
    return {names[n] for n in candidates_of(names, (*NAMES["label"], *OF_GOLD, "majority", "majority_label"))}
