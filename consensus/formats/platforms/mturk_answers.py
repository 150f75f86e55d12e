"""What workers answered in results of Mechanical Turk: columns, boxes and JSON as questions with answers.

A question may be asked of several items of a HIT: then a number in its name is that of an input column (``Input.x3``,
``Answer.q3``), or the name begins with the item (``Answer.123_funny``).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from consensus.formats.platforms.questions import ONE, SEVERAL, TEXT, TICK
from consensus.formats.platforms.records import parsed_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    Parts = tuple[str, ...]
    Cells = Mapping[str, str]

ANSWER, INPUT = "Answer.", "Input."
WHOLE = "taskAnswers"
"""The column that holds all answers as JSON."""
LABELS = ("label", "labels")
BOOLEAN = {"true", "false"}
TICKED, NOT_TICKED = "on", "off"
PASSED_OVER = re.compile(r"(?i)(submit.*|feedback|comments?|suggestions?)")
"""Answers that are about no item."""
FEW = 20  # different answers that make a choice of a column of texts, or a quarter of the answers, if these are more
LEAST = 3  # columns of a question that are about an item each
MOST_HITS = 2  # that ask about an item
MOST_FILLED = 0.5  # of the columns of a question, where each is about an item of some HITs only


@dataclass(slots=True)
class Answers:
    """What all rows answered."""

    rows: list[dict[str, Parts]]
    """Of each row, the parts of each answer by the name of its question; none where nothing was chosen."""
    boxes: set[str] = field(default_factory=set)
    """Questions that are a single box to tick."""
    several: set[str] = field(default_factory=set)
    """Questions of which several choices may be ticked."""

    def names(self) -> list[str]:
        """All questions, in the order in which they come."""
        return list(dict.fromkeys(name for row in self.rows for name in row))


def is_comment(name: str) -> bool:
    """Whether a column holds what a worker and the requester wrote to each other."""
    answer = name[len(ANSWER) :] if name.startswith(ANSWER) else ""
    return bool(PASSED_OVER.fullmatch(answer)) or name.lower() == "requesterfeedback"


def answers_of(names: Iterable[str], rows: Sequence[Cells]) -> Answers:
    """The answers in the columns that ``names`` call an answer."""
    columns = [name for name in names if name.startswith(ANSWER) and not is_comment(name)]
    hot = _boxes(columns, rows)
    found = Answers([])
    for cells in rows:
        row: dict[str, Parts] = {}
        for column in columns:
            cell, name = cells.get(column), column[len(ANSWER) :]
            if column in hot:
                question, option = hot[column]
                if cell is not None:
                    row[question] = (*row.get(question, ()), *_ticked(found, question, option, cell.lower() == "true"))
            elif cell is not None:
                row |= _told(found, name, cell)
        found.rows.append(row)
    found.several |= {name for row in found.rows for name, parts in row.items() if len(parts) > 1}
    return found


def _boxes(columns: Sequence[str], rows: Sequence[Cells]) -> dict[str, tuple[str, str]]:
    """Question and option of the columns that hold true or false; no option where it is the only one."""
    groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for column in columns:
        question, _, option = column[len(ANSWER) :].partition(".")
        if option:
            groups[question].append((column, option))
    found: dict[str, tuple[str, str]] = {}
    for question, options in groups.items():
        cells = {cells[column].lower() for column, _ in options for cells in rows if column in cells}
        if cells and cells <= BOOLEAN:
            single = len(options) == 1
            found |= {column: (question, "" if single else option) for column, option in options}
    return found


def _ticked(found: Answers, question: str, option: str, is_ticked: bool) -> Parts:
    if not option:
        found.boxes.add(question)
        return (TICKED if is_ticked else NOT_TICKED,)
    return (option,) if is_ticked else ()


def _told(found: Answers, name: str, cell: str) -> dict[str, Parts]:
    """What a cell answers: a question, or in JSON several."""
    question = re.sub(r"\.labels?$", "", name)
    if cell[:1] in {"{", "["}:
        try:
            value = parsed_json(cell)
        except ValueError:
            return {question: (cell,)}
        value = value[0] if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict) else value
        if isinstance(value, dict):
            begin = "" if name == WHOLE else f"{name}."
            told = ((f"{begin}{key}", _parts(found, f"{begin}{key}", one)) for key, one in value.items())
            return {key: parts for key, parts in told if parts is not None and not PASSED_OVER.fullmatch(key)}
        parts = _parts(found, question, value)
        return {} if parts is None else {question: parts}
    return {question: tuple(part for part in map(str.strip, cell.split("|")) if part)}


def _parts(found: Answers, question: str, value: Any) -> Parts | None:
    """The parts of an answer in JSON; None where it is none, such as a region that was marked."""
    if isinstance(value, dict) and len(value) == 1 and (key := next(iter(value))) in LABELS:
        value = value[key]
    if isinstance(value, dict) and value and all(isinstance(one, bool) for one in value.values()):
        single = len(value) == 1
        return tuple(
            part for option, one in value.items() for part in _ticked(found, question, "" if single else option, one)
        )
    if isinstance(value, list):
        return tuple(value) if all(isinstance(one, str) for one in value) else None
    if isinstance(value, bool):
        found.boxes.add(question)
        return (TICKED if value else NOT_TICKED,)
    return (value,) if isinstance(value, str) and value else None


@dataclass(slots=True)
class Layout:
    """Which question is asked of which items of a HIT."""

    columns: dict[str, dict[str, str]]
    """By question, the name of the answer by the key of an item: "" of a HIT of one, else a number or the item."""
    inputs: dict[str, dict[str, str]] = field(default_factory=dict)
    """By what tells items apart, the column by number; none but where these are numbered."""
    in_names: bool = False
    """Keys are the items themselves."""


def layout_of(answers: Answers, columns: Iterable[str], hits: Sequence[str]) -> Layout:
    """How questions are laid out, by their names and those of all ``columns``, and by the HIT of each row."""
    names, columns = answers.names(), list(columns)
    inputs = [name for name in columns if name.startswith(INPUT)]
    numbered = _patterns(inputs)
    sets = Counter(frozenset(columns) for columns in numbered.values() if len(columns) > 1)
    for numbers, _ in sets.most_common():
        asked = {pattern: columns for pattern, columns in _patterns(names).items() if frozenset(columns) == numbers}
        if asked:
            one_pattern = _without_shared(asked)
            taken = {name for columns in one_pattern.values() for name in columns.values()}
            questions = {_stem(pattern, [*one_pattern, *names]): columns for pattern, columns in one_pattern.items()}
            questions |= {name: {"": name} for name in names if name not in taken}
            by = {pattern: columns for pattern, columns in numbered.items() if frozenset(columns) == numbers}
            return Layout(questions, by)
    return _with_items_in_names(answers, columns, hits) or Layout({name: {"": name} for name in names})


def _patterns(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Names by number, for each pattern that a number ("#") in them makes."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for name in names:
        for number in reversed(list(re.finditer(r"[0-9]+", name))):
            pattern = f"{name[: number.start()]}#{name[number.end() :]}"
            found[pattern].setdefault(number[0].lstrip("0") or "0", name)
    return found


def _without_shared(asked: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Patterns whose names are in none before them."""
    found: dict[str, dict[str, str]] = {}
    taken: set[str] = set()
    for pattern, columns in asked.items():
        if taken.isdisjoint(columns.values()):
            found[pattern] = dict(columns)
            taken |= set(columns.values())
    return found


def _stem(pattern: str, others: Sequence[str]) -> str:
    """A pattern without its number, if nothing else is called so."""
    stem = pattern.replace("#", "").strip("_-. ")
    stems = [one.replace("#", "").strip("_-. ") for one in others if "#" in one]
    return stem if stem and stem not in others and stems.count(stem) == 1 else pattern


def _with_items_in_names(answers: Answers, columns: Sequence[str], hits: Sequence[str]) -> Layout | None:
    """The layout where names begin with the item; None where none does.

    Then a row answers few of them, and each is answered in a HIT, or in two if it was published again.
    """
    names = answers.names()
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        if "_" in name.strip("_"):
            groups[name.rpartition("_")[2]].append(name)
    questions: dict[str, dict[str, str]] = {}
    for those in groups.values():
        every = set(those)
        filled = {(name, hit) for row, hit in zip(answers.rows, hits, strict=True) for name in row.keys() & every}
        most = max(len(row.keys() & every) for row in answers.rows)
        if len(every) < LEAST or len(filled) > MOST_HITS * len(every) or most > MOST_FILLED * len(every):
            continue
        question = _shared_end(those)
        whole = [name[len(ANSWER) :] for name in columns if name.startswith(ANSWER) and name.endswith(f"_{question}")]
        questions[question] = {name[: -len(question) - 1]: name for name in dict.fromkeys([*those, *whole])}
    if not questions:
        return None
    taken = {name for those in questions.values() for name in those.values()}
    return Layout({**questions, **{name: {"": name} for name in names if name not in taken}}, in_names=True)


def _shared_end(names: Sequence[str]) -> str:
    """The words at the end that all names have, between ``_``; the first word of each is left."""
    words = [name.split("_") for name in names]
    n = 1
    while all(len(one) > n + 1 and one[-n - 1] == words[0][-n - 1] for one in words):
        n += 1
    return "_".join(words[0][-n:])


def kinds_of(answers: Answers, layout: Layout) -> dict[str, str]:
    """What kind of question each is."""
    found = {}
    for question, columns in layout.columns.items():
        names = list(columns.values())
        given = list(_given(answers, names))
        parts = Counter(part for one in given for part in one)
        if (parts and set(parts) <= {TICKED}) or not answers.boxes.isdisjoint(names):
            found[question] = TICK
        elif len(parts) > max(FEW, len(given) // 4) or 2 * len(parts) > max(len(given), 4):
            found[question] = TEXT
        else:
            found[question] = ONE if answers.several.isdisjoint(names) else SEVERAL
    return found


def _given(answers: Answers, names: Sequence[str]) -> Iterator[Parts]:
    every = set(names)
    for row in answers.rows:
        for name in row.keys() & every:
            if row[name]:
                yield row[name]
