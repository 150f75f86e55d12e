"""The annotations of Prodigy (``db-out``): JSON lines, one answer a line.

Assumed is:

- A task with ``options`` is a choice: its label are the ids in ``accept``, several of which are one label. The item is
  ``_input_hash``. ``answer`` "reject" says that the task is flawed, so that it is an abstain, as "ignore" is.
- Any other task without marked spans is binary: its label is ``answer``, and "reject" is a judgment against the
  ``label`` that stands beside it. The item is ``_task_hash``, which is another for each label; "ignore" is an abstain.
- Where all options begin with the name of a question ("Colour: red"), each of these is a question of its own.
- A worker is ``_annotator_id``, else ``_session_id``, else the name of the file. Where all begin with the name of the
  file and a dash, which is the data set, that is left out. Of an e-mail, a name is made.
- ``_timestamp`` is in seconds since 1970. Nothing tells how long a judgment took.
- A task that was reviewed holds ``versions``: these are the judgments, one of each of the ``sessions``, and what the
  reviewer chose is gold.
- Any single value of a task can be named, also within objects (``meta.source``).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from consensus.formats.platforms import people
from consensus.formats.platforms.named_columns import columns_for
from consensus.formats.platforms.object_lines import ObjectLines, text_at
from consensus.formats.platforms.questions import ONE, REGIONS, SEVERAL, chosen, described, joined
from consensus.formats.platforms.records import Judged, fault_of, reading
from consensus.formats.tables.streams import displayed
from consensus.formats.tables.text_form import PLAIN
from consensus.inputs.counted import counted
from consensus.inputs.understood import FROM_FILE, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from consensus.formats.platforms.object_lines import Line
    from consensus.formats.platforms.seam import Head
    from consensus.formats.tables.blocks import Reading
    from consensus.formats.tables.nested import Keys
    from consensus.formats.tables.roles import Roles
    from consensus.formats.tables.text_form import TextForm

NAME = "prodigy"
TITLE = "Prodigy export"
KEYS = [
    re.compile(pattern)
    for pattern in (rb'"_input_hash"\s*:', rb'"_task_hash"\s*:', rb'"answer"\s*:\s*"(?:accept|reject|ignore)"')
]
PERSONS = ("_annotator_id", "_session_id")
ANSWERS = ("accept", "reject", "ignore")
CHOICE, BINARY, SPANS = "accept", "answer", "spans"
"""What the label is; and what is none."""
WITHIN = ("accept", "options", "spans", "tokens", "relations", "config", "versions")
"""Keys that nothing below can be named of."""
MANUAL = ("spans", "relations")  # marks within a text or picture
START = re.compile(r"\d{4}-\d{2}-\d{2}[_T ]\d{2}[-:]\d{2}[-:]\d{2}$")  # of a session that nobody gave a name
SHOWN = 4  # options in a note
LONGEST = 60  # characters of the name of a question before an option


@dataclass
class _Survey:
    """What a first look through an export tells."""

    kinds: Counter[str] = field(default_factory=Counter)
    """Tasks by what their label is."""
    persons: Counter[str] = field(default_factory=Counter)
    """Tasks by the key that names the worker."""
    names: set[str] = field(default_factory=set)
    """Workers."""
    options: dict[str, set[str]] = field(default_factory=dict)
    """Texts by id."""
    labels: set[str] = field(default_factory=set)
    """What binary tasks are about."""
    most_ticks: int = 0
    n_reviewed: int = 0

    def add(self, record: Mapping[str, Any]) -> None:
        """Look at a task."""
        self.n_reviewed += isinstance(record.get("versions"), list)
        for one in _versions(record):
            kind = _kind(one)
            self.kinds[kind] += 1
            if kind == BINARY and isinstance(one.get("label"), str):
                self.labels.add(one["label"])
            if key := _person(one):
                self.persons[key] += 1
                self.names.add(one[key])
            self.most_ticks = max(self.most_ticks, len(_ticks(one)))
            for option in one["options"] if kind == CHOICE else ():
                if isinstance(option, dict) and isinstance(option.get("id"), str):
                    text = option.get("text")
                    self.options.setdefault(option["id"], set()).update([text] if isinstance(text, str) else [])

    @property
    def parts(self) -> dict[str, int]:
        """Questions that options begin with, and how many of them each has; none unless all do, and some have two."""
        begins = Counter(one.partition(": ")[0] for one in self.options if ": " in one)
        is_split = begins.total() == len(self.options) and 1 < len(begins) < len(self.options)
        return dict(begins) if is_split and all(0 < len(one) <= LONGEST for one in begins) else {}

    @property
    def questions(self) -> dict[str, str]:
        """Kind by name."""
        found: dict[str, str] = {}
        if self.kinds[CHOICE]:
            kind = SEVERAL if self.most_ticks > 1 else ONE
            found |= dict.fromkeys(self.parts or (CHOICE,), kind)
        if self.kinds[BINARY]:
            found[BINARY] = ONE
        if self.kinds[SPANS]:
            found[SPANS] = REGIONS
        return found

    def prefix(self, path: Path) -> str:
        """The name of the data set before all workers' names; empty where that is not so."""
        begin = PurePath(path.name).name.partition(".")[0] + "-"
        return begin if self.names and all(one.startswith(begin) and one != begin for one in self.names) else ""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is read of a task."""

    question: str
    columns: Mapping[str, str]
    """Role to column, but for the label."""
    keys: Mapping[str, Keys]
    prefix: str
    file: str
    """The name of the file, where it is the worker; else empty."""
    parts: Mapping[str, int]


@dataclass
class _Found:
    """What an export turned out to hold, once it was read."""

    answers: Counter[str] = field(default_factory=Counter)
    """Judgments that are abstains by what was answered."""


def sniff(head: Head) -> bool:
    """Whether a file is an export: by the keys of its first object."""
    start = head.text
    first = start.partition(b"\n")[0]
    return first[:1] == b"{" and all(key.search(first) for key in KEYS)


def read(path: Path, roles: Roles, form: TextForm = PLAIN) -> Reading:
    """The answers to one question, and what a reviewer chose.

    Raises
    ------
    FormatError
        The file can't be read, several questions could be meant, or a named key is missing.
    """
    source, survey = ObjectLines.of(path, form), _Survey()
    keys = {name: way for name, way in source.names().items() if way[0] not in WITHIN or len(way) == 1}
    for line in ObjectLines(path, source.encoding).lines():
        if line.record:
            survey.add(line.record)
    label = roles.named.get("label")
    known = [*keys, CHOICE, BINARY]
    asked = {one: kind for one, kind in survey.questions.items() if one not in roles.set_apart}
    if roles.lenient and label not in {*asked, *known}:
        label = None
    question = chosen(path, TITLE, asked, label, known)
    item = "_task_hash" if question == BINARY and survey.kinds[BINARY] else "_input_hash"
    person = next((key for key in PERSONS if survey.persons[key]), None)
    usual = {"item": item, "worker": person, "timestamp": "_timestamp"}
    columns = columns_for(roles, {role: name for role, name in usual.items() if name in keys}, list(keys), path, TITLE)
    wanted = _Wanted(
        question,
        columns,
        keys,
        prefix=survey.prefix(path) if columns.get("worker") in PERSONS else "",
        file="" if "worker" in columns else PurePath(displayed(path)).name.partition(".")[0],
        parts=survey.parts,
    )
    told = {**columns, "label": question} | ({"worker": FROM_FILE} if wanted.file else {})
    shown = [role for role in ("item", "worker", "label", "timestamp") if role in told]
    in_order = [*shown, *(role for role in told if role not in shown)]
    found, of_gold = _Found(), ObjectLines(path, source.encoding)
    gold = reading(path, _gold(of_gold, wanted), ("item", "label"), digest=of_gold.digest, platform=TITLE)
    return replace(
        reading(
            path,
            _judged(source, wanted, found),
            in_order,
            digest=source.digest,
            platform=TITLE,
            columns=told,
            header=list(keys),
            note=partial(_note, path, told, wanted, survey, found),
        ),
        gold=gold if survey.n_reviewed else None,
    )


def _judged(source: ObjectLines, wanted: _Wanted, found: _Found) -> Iterator[Judged]:
    for line in source.lines():
        if line.fault:
            yield Judged(line.line, {}, line.fault)
            continue
        for version in _versions(line.record):
            one = _read(line, version, wanted)
            if not one.fault and one.cells["label"] is None:
                found.answers["without a tick" if version["answer"] == "accept" else f'"{version["answer"]}"'] += 1
            yield one


def _gold(source: ObjectLines, wanted: _Wanted) -> Iterator[Judged]:
    for line in source.lines():
        if isinstance(line.record.get("versions"), list):
            one = _read(line, line.record, wanted)
            if not one.fault:
                yield one


def _versions(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The judgments of a task: itself; or, where it was reviewed, one of each session."""
    versions = record.get("versions")
    if not isinstance(versions, list):
        return [dict(record)]
    beside = {key: value for key, value in record.items() if key not in {*PERSONS, "versions", "_timestamp"}}
    return [
        {**beside, **version, PERSONS[1]: session}
        for version in versions
        if isinstance(version, dict) and isinstance(version.get("sessions"), list)
        for session in version["sessions"]
    ]


def _kind(record: Mapping[str, Any]) -> str:
    """What the label of a task is."""
    if isinstance(record.get("options"), list):
        return CHOICE
    manual = str(record.get("_view_id", "")).endswith("_manual")
    is_marked = manual or any(isinstance(record.get(key), list) for key in MANUAL)
    return SPANS if is_marked and not isinstance(record.get("label"), str) else BINARY


def _person(record: Mapping[str, Any]) -> str:
    """The key that names who judged; empty where none does."""
    return next((key for key in PERSONS if isinstance(record.get(key), str) and record[key]), "")


def _ticks(record: Mapping[str, Any]) -> list[str]:
    ticks = record.get(CHOICE)
    return [one for one in ticks if isinstance(one, str)] if isinstance(ticks, list) else []


def _read(line: Line, record: dict[str, Any], wanted: _Wanted) -> Judged:
    """A judgment."""
    cells: dict[str, str | None] = {}
    fault = "" if record.get("answer") in ANSWERS else f"the answer is none of {', '.join(ANSWERS)}"
    for role, name in wanted.columns.items():
        key = _person(record) if role == "worker" and name in PERSONS else ""
        try:
            cells[role] = text_at(record, (key,) if key else wanted.keys[name])
        except ValueError as error:
            fault = fault or fault_of(role, error)
        if name in PERSONS and (told := cells.get(role)) is not None:
            cells[role] = people.called(told.removeprefix(wanted.prefix))
    if wanted.file:
        cells["worker"] = wanted.file
    if not fault:
        try:
            cells["label"] = _label(record, wanted)
        except ValueError as error:
            fault = f"the label {error}"
    return Judged(line.line, cells, fault)


def _label(record: dict[str, Any], wanted: _Wanted) -> str | None:
    """The label that a task got; None where it got none.

    Raises
    ------
    ValueError
        It is no single value.
    """
    answer = record["answer"]
    if wanted.question == BINARY:
        return None if answer == "ignore" else str(answer)
    if answer != "accept":
        return None
    if wanted.question in wanted.parts:
        begin = f"{wanted.question}: "
        return joined(one.removeprefix(begin) for one in _ticks(record) if one.startswith(begin))
    return joined(_ticks(record)) if wanted.question == CHOICE else text_at(record, wanted.keys[wanted.question])


def _note(path: Path, told: Mapping[str, str], wanted: _Wanted, survey: _Survey, found: _Found) -> str:
    """What was understood, in a line."""
    question = described(wanted.question, survey.questions.get(wanted.question, ""))
    ids = ", ".join(f"{role} {told.get(role, 'unknown')}" for role in ("item", "worker"))
    said = [f"{PurePath(displayed(path)).name} is a {TITLE}: {ids}, label {question}"]
    if wanted.question == BINARY and len(survey.labels) == 1:
        said.append(f'"reject" is a judgment against {quoted(next(iter(survey.labels)))}')
    elif wanted.question == BINARY and survey.labels:
        said.append(f'"reject" is a judgment against the label of the task, of which there are {len(survey.labels):,}')
    if wanted.question == CHOICE:
        said += _of_options(survey)
    if wanted.prefix:
        said.append(f"{quoted(wanted.prefix)} before names of workers is left out")
    said += _of_workers(wanted, survey)
    if found.answers:
        out = ", ".join(f"{why} {n:,}" for why, n in sorted(found.answers.items()))
        said.append(f"no answer: {out}")
    if survey.n_reviewed:
        said.append(
            f"{counted(survey.n_reviewed, 'reviewed task holds', 'reviewed tasks hold')} the judgments "
            "of sessions, and what the reviewer chose "
            "is gold, unless other gold is named"
        )
    return "; ".join([*said, "--platform none reads it as a plain table"])


def _of_options(survey: _Survey) -> list[str]:
    """What ids of options stand for, where they are numbers or change."""
    said = []
    numbers = sorted(one for one, texts in survey.options.items() if one.isdecimal() and texts - {one})
    if numbers:
        shown = ", ".join(f"{one} is {quoted(min(survey.options[one]))}" for one in numbers[:SHOWN])
        said.append(f"labels are ids of options: {shown}{', ...' if len(numbers) > SHOWN else ''}")
    changed = sorted(one for one, texts in survey.options.items() if len(texts) > 1)
    if changed:
        said.append(
            f"the text of {counted(len(changed), 'option')} changes, such as of {quoted(changed[0])}, so "
            "that a label may mean "
            "something else in each item"
        )
    return said


def _of_workers(wanted: _Wanted, survey: _Survey) -> list[str]:
    """What is to be known of the names of workers."""
    if wanted.columns.get("worker") not in PERSONS:
        return ["nothing but the name of the file tells who judged"] if wanted.file else []
    said = []
    starts = sum(START.search(one) is not None for one in survey.names)
    if starts:
        said.append(
            counted(starts, "worker is a session named by its start", "workers are sessions named by their start")
            + ", so that nothing tells who they were (give each "
            "person a file, and --worker-from-file)"
        )
    mails = sum(people.MAIL.search(one) is not None for one in survey.names)
    return [*said, f"workers named by a digest of their e-mail: {mails:,}"] if mails else said
