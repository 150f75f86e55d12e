"""The assignments of Toloka, with tabs as it writes them or commas as tools do: one task of a worker a row.

Assumed is:

- An item is what ``INPUT:`` columns show: the first of those that alone tells apart what all of them do, else all of
  them together; ``ASSIGNMENT:task_id`` where there are none.
- A question is an ``OUTPUT:`` column. Read is the only one with few different answers, or the only one that has a
  column ``GOLDEN:``. Spaces and line ends around an answer are nothing. A list of JSON is one label of several parts.
- The status of an assignment: those that were rejected are rejects, of those that were skipped, expired or are still
  worked on nothing counts as an answer. Others count, accepted or not yet, and so does what has no status.
- Gold is what stands in ``GOLDEN:`` beside the question: of control tasks only.
- Times are UTC. A page of tasks is one assignment: its rows share evenly the seconds from ``ASSIGNMENT:started`` to
  ``ASSIGNMENT:submitted``, and the reward.
- Copies without ``ASSIGNMENT:worker_id`` tell of nobody who judged: each judgment is one of a person of its own.
- Hints are not read. A table of aggregated answers (``CONFIDENCE:``) holds no judgments, and is refused.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING

from consensus.errors import FormatError
from consensus.formats.platforms.checkboxes import ticks_in
from consensus.formats.platforms.named_columns import columns_for
from consensus.formats.platforms.questions import ONE, REGIONS, SEVERAL, TEXT, chosen, described, is_open, joined
from consensus.formats.platforms.records import Judged, Table, reading
from consensus.formats.tables.streams import displayed
from consensus.formats.tables.text_form import PLAIN
from consensus.inputs.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from consensus.formats.platforms.records import Row
    from consensus.formats.platforms.seam import Head
    from consensus.formats.tables.blocks import Reading
    from consensus.formats.tables.roles import Roles
    from consensus.formats.tables.text_form import TextForm

NAME = "toloka"
TITLE = "Toloka assignments file"
INPUT, OUTPUT, GOLDEN, CONFIDENCE = "INPUT:", "OUTPUT:", "GOLDEN:", "CONFIDENCE:"
TASK, PAGE, WORKER, STATUS = (f"ASSIGNMENT:{name}" for name in ("task_id", "assignment_id", "worker_id", "status"))
STARTED, SUBMITTED, REWARD = (f"ASSIGNMENT:{name}" for name in ("started", "submitted", "reward"))
REJECTED = "the assignment was rejected"
NO_ANSWER = ("SKIPPED", "EXPIRED", "ACTIVE")
STRANGER = "no worker"
"""Who judged, where nothing tells."""
ALL_INPUTS = "all columns INPUT:"
MOST = 5_000  # different answers to a question that are kept to tell its kind


@dataclass
class _Survey:
    """What a first look through a file tells."""

    names: list[str]
    given: Counter[str] = field(default_factory=Counter)
    """Answers by question."""
    different: dict[str, set[str]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    """Kind of a question, where a single answer tells it."""
    things: set[tuple[str, ...]] = field(default_factory=set)
    """All that inputs show."""
    pages: Counter[str] = field(default_factory=Counter)
    """Rows by assignment."""
    n_gold: Counter[str] = field(default_factory=Counter)
    """Rows with gold by question."""

    def __post_init__(self) -> None:
        self.inputs = [name for name in self.names if name.startswith(INPUT)]
        self.outputs = [name.removeprefix(OUTPUT) for name in self.names if name.startswith(OUTPUT)]

    def add(self, row: Row) -> None:
        """Look at a row."""
        self.things.add(tuple(row.cells.get(name, "") for name in self.inputs))
        self.pages[row.cells.get(PAGE, "")] += 1
        for name in self.outputs:
            self.n_gold[name] += bool(row.cells.get(GOLDEN + name, "").strip())
            answer = row.cells.get(OUTPUT + name, "").strip()
            if not answer:
                continue
            self.given[name] += 1
            known = self.different.setdefault(name, set())
            if answer not in known and len(known) < MOST:
                known.add(answer)
                if answer[:2] in {"[{", '{"'}:
                    self.kinds[name] = REGIONS
                elif answer[0] == "[" and len(ticks_in(answer)) > 1:
                    self.kinds.setdefault(name, SEVERAL)

    @property
    def questions(self) -> dict[str, str]:
        """Kind by name."""
        return {name: self._kind(name) for name in self.outputs if self.given[name]}

    def _kind(self, name: str) -> str:
        if self.kinds.get(name) == REGIONS:
            return REGIONS
        if not self.n_gold[name] and is_open(self.given[name], len(self.different[name])):
            return TEXT
        return self.kinds.get(name, ONE)

    def item(self) -> str:
        """What items are called."""
        if not self.inputs:
            return TASK
        alone = (name for n, name in enumerate(self.inputs) if len({one[n] for one in self.things}) == len(self.things))
        return next(alone, ALL_INPUTS)


@dataclass
class _Found:
    """What a file turned out to hold, once it was read."""

    statuses: Counter[str] = field(default_factory=Counter)
    """Rows that give no answer, by status."""
    n_control: int = 0


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is read of a row."""

    question: str
    columns: Mapping[str, str]
    """Role to column."""
    inputs: list[str]
    pages: Mapping[str, int]


def sniff(head: Head) -> bool:
    """Whether a file holds assignments: by the beginnings of names of its columns."""
    if OUTPUT.encode() not in head.start:
        return False
    names = head.columns
    return all(any(name.startswith(begin) for name in names) for begin in (INPUT, OUTPUT)) or (
        {PAGE, STATUS}.issubset(names) and any(name.startswith(OUTPUT) for name in names)
    )


def read(path: Path, roles: Roles, form: TextForm = PLAIN) -> Reading:
    """The answers to one question, and what control tasks accept.

    Raises
    ------
    FormatError
        The file can't be read or holds no assignments, several questions could be meant, or a named column is missing.
    """
    table = Table.of(path, form)
    names = table.names
    if not any(name.startswith(OUTPUT) for name in names):
        raise FormatError(f"this is no {TITLE}, for no column begins with {OUTPUT}; read it with --platform none", path)
    if any(name.startswith(CONFIDENCE) for name in names):
        raise FormatError(
            "these are aggregated answers of Toloka: one row an item, which the platform made of the "
            "judgments, and no judgments; download the assignments of the pool",
            path,
        )
    survey = _Survey(names)
    for row in Table.of(path, form).rows():
        survey.add(row)
    wanted = _wanted(path, survey, roles)
    told = {role: name for role, name in wanted.columns.items() if name != STRANGER}
    told["label"] = OUTPUT + wanted.question if wanted.question in survey.outputs else wanted.question
    shown = [role for role in ("item", "worker", "label", "timestamp", "duration", "price") if role in wanted.columns]
    in_order = [*shown, *(role for role in wanted.columns if role not in shown)]
    found, of_gold = _Found(), Table.of(path, form)
    gold = reading(path, _gold(of_gold, wanted), ("item", "label"), digest=of_gold.digest, platform=TITLE)
    opened = replace(
        reading(
            path,
            _judged(table, wanted, found),
            in_order,
            digest=table.digest,
            platform=TITLE,
            columns=told,
            header=names,
            note=partial(_note, path, wanted, survey, found),
        ),
        gold=gold if survey.n_gold[wanted.question] else None,
    )
    return opened if wanted.columns["worker"] != STRANGER else replace(opened, anonymous=(STRANGER,))


def _wanted(path: Path, survey: _Survey, roles: Roles) -> _Wanted:
    """What the user named, and what is usual."""
    label = roles.named.get("label")
    label = None if label is None else label.removeprefix(OUTPUT)
    asked = {one: kind for one, kind in survey.questions.items() if OUTPUT + one not in roles.set_apart}
    if roles.lenient and label not in {*survey.outputs, *survey.names}:
        label = None
    with_gold = [one for one in asked if survey.n_gold[one]]
    if label is None and "label" in roles.named and len(with_gold) == 1:
        label = with_gold[0]
    question = chosen(path, TITLE, asked, label, [*survey.outputs, *survey.names])
    usual = {"item": survey.item(), "worker": WORKER, "timestamp": SUBMITTED, "price": REWARD}
    if SUBMITTED not in survey.names:
        usual["timestamp"] = STARTED
    known = {role: name for role, name in usual.items() if name in survey.names}
    columns = columns_for(roles, known, survey.names, path, TITLE)
    columns.setdefault("item", ALL_INPUTS)
    columns.setdefault("worker", STRANGER)
    if {STARTED, SUBMITTED}.issubset(survey.names):
        columns.setdefault("duration", SUBMITTED)
    return _Wanted(question, {**columns, "label": question}, survey.inputs, survey.pages)


def _judged(table: Table, wanted: _Wanted, found: _Found) -> Iterator[Judged]:
    for row in table.rows():
        if row.fault:
            yield Judged(row.line, {}, row.fault)
            continue
        cells = _cells(row, wanted)
        status = row.cells.get(STATUS, "").strip().upper()
        if status in NO_ANSWER:
            cells["label"] = None
        if status in {"REJECTED", *NO_ANSWER}:
            found.statuses[status.lower()] += 1
        found.n_control += bool(row.cells.get(GOLDEN + wanted.question, "").strip())
        yield Judged(row.line, cells, REJECTED if status == "REJECTED" else "")


def _gold(table: Table, wanted: _Wanted) -> Iterator[Judged]:
    for row in table.rows():
        label = _label(row.cells.get(GOLDEN + wanted.question, ""))
        if label is not None:
            yield Judged(row.line, {"item": _item(row, wanted), "label": label})


def _cells(row: Row, wanted: _Wanted) -> dict[str, str | None]:
    """The cells of a row by role."""
    cells: dict[str, str | None] = {role: row.cells.get(name) or None for role, name in wanted.columns.items()}
    cells["item"] = _item(row, wanted)
    if wanted.columns["worker"] == STRANGER:
        cells["worker"] = STRANGER
    own = OUTPUT + wanted.question
    cells["label"] = _label(row.cells.get(own if own in row.cells else wanted.question, ""))
    n_rows = wanted.pages.get(row.cells.get(PAGE, ""), 1) if PAGE in row.cells else 1
    if wanted.columns.get("duration") == SUBMITTED:
        cells["duration"] = _seconds(row.cells.get(STARTED, ""), row.cells.get(SUBMITTED, ""), n_rows)
    if wanted.columns.get("price") == REWARD and n_rows > 1:
        cells["price"] = _shared(cells["price"], n_rows)
    return cells


def _item(row: Row, wanted: _Wanted) -> str | None:
    name = wanted.columns["item"]
    if name != ALL_INPUTS:
        return row.cells.get(name) or None
    return " | ".join(row.cells.get(one, "") for one in wanted.inputs) if wanted.inputs else None


def _label(cell: str) -> str | None:
    """An answer as one label; None where there is none."""
    return joined(one.strip() for one in ticks_in(cell)) if cell.lstrip()[:1] == "[" else cell.strip() or None


def _seconds(begin: str, end: str, n_rows: int) -> str | None:
    """From the start of an assignment to its end, a row of it; None where a time is unknown."""
    try:
        seconds = (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()
    except (ValueError, TypeError):  # one of them without its zone, too
        return None
    return f"{seconds / n_rows:g}" if seconds >= 0 else None


def _shared(amount: str | None, n_rows: int) -> str | None:
    """The reward of an assignment for one of its rows; what is no number stays, to be told."""
    try:
        return None if amount is None else repr(float(amount) / n_rows)
    except ValueError:
        return amount


def _note(path: Path, wanted: _Wanted, survey: _Survey, found: _Found) -> str:
    """What was understood, in a line."""
    question = described(wanted.question, survey.questions.get(wanted.question, ""))
    worker = "unknown" if wanted.columns["worker"] == STRANGER else wanted.columns["worker"]
    said = [
        f"{PurePath(displayed(path)).name} is a {TITLE}: item {wanted.columns['item']}, worker {worker}, label "
        f"{question}"
    ]
    if worker == "unknown":
        said.append("no worker column: only majority and agreement possible")
    others = [f"{name} ({kind})" for name, kind in survey.questions.items() if name != wanted.question]
    if others:
        said.append(f"other questions, for --label, or all with --by question: {', '.join(others[:5])}")
    out = [f"{status} {n:,}" for status, n in sorted(found.statuses.items())]
    if out:
        said.append(f"rows that give no answer by their status: {', '.join(out)}")
    if found.n_control:
        said.append(
            f"gold: {counted(found.n_control, 'row')} of control tasks ({GOLDEN}{wanted.question}), "
            "unless other gold is named"
        )
    return "; ".join([*said, "--platform none reads it as a plain table"])
