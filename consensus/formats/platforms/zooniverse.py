"""The classification export of Zooniverse: one classification a row, its answers as JSON in ``annotations``.

Item is ``subject_ids``, worker ``user_name``, label the answer to one task. Assumed is:

- A task is known by its key, such as ``T0``; where several workflows have it, by ``WORKFLOW/T0``. ``T0@84`` is only
  what was asked in major version 84 of the workflow. Tasks within a combined task count by themselves.
- Several ticks, and the several choices of a survey, are one label of sorted parts. ``T0.HOWMANY`` are the answers to
  the question HOWMANY about the choices of the survey T0. No tick and no answer are an abstain.
- Names that begin with ``not-logged-in`` are made from an address, so they are nobody's: all of them are one name,
  which stands for many people. With the worker named, ``user_name`` is read as it is.
- A volunteer who meets a subject again (``seen_before``, ``already_seen``) gives no second judgment: a reject.
- Where ``gold_standard`` is true, an expert answered: gold, and no judgment.
- A judgment took from ``started_at`` to ``finished_at`` of its metadata. Times are UTC.
- Subjects that were uploaded again (``consensus requeue``) are other subjects: there ``#consensus_item``, a field
  of the subject, is the item. With the item named, it is read as it is.
- Fields of the subject can be named, as ``subject_data.NAME``. ``user_ip`` is not read.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from consensus.errors import FormatError
from consensus.formats.platforms.named_columns import columns_for, refuse_hidden
from consensus.formats.platforms.records import Judged, Table, reading
from consensus.formats.platforms.seam import ITEM
from consensus.formats.platforms.workflow_tasks import classified, is_gold, object_in, subject_of, surveyed
from consensus.formats.tables.roles import KEEP
from consensus.formats.tables.streams import displayed
from consensus.formats.tables.text_form import PLAIN
from consensus.inputs.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from consensus.formats.platforms.records import Row
    from consensus.formats.platforms.seam import Head
    from consensus.formats.platforms.workflow_tasks import Classification, Survey, Task
    from consensus.formats.tables.blocks import Reading
    from consensus.formats.tables.roles import Roles
    from consensus.formats.tables.text_form import TextForm

NAME = "zooniverse"
TITLE = "Zooniverse classification export"
IDS = {"classification_id", "annotations", "subject_ids"}
OTHERS = {"user_name", "workflow_id", "workflow_version", "metadata", "subject_data"}
ITEMS = "subject_ids"
LEAST = 2  # of these make an export of a table with the three
HIDDEN = ("user_ip",)
METADATA = "metadata"  # with the browser and the session: read for durations, and never kept
STRANGER = "not-logged-in"
SUBJECT = "subject_data."  # begins the names of the fields of a subject
SENT = "#" + ITEM
"""The field of a subject that went out again; fields that begin with # are shown to nobody."""
SEEN = "seen before: the volunteer had classified this subject already"
EXPERT = "gold standard: an expert's answer, which counts as gold"


@dataclass
class _Found:
    """What an export turned out to hold, once it was read."""

    reasons: Counter[str] = field(default_factory=Counter)
    """Rows that are left out, by why."""
    strangers: set[str] = field(default_factory=set)
    """Names that are nobody's."""
    n_empty: int = 0
    """Rows with no answer."""
    n_sent: int = 0
    """Judgments of subjects that went out again."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is read of a row."""

    task: Task
    columns: Mapping[str, str]
    """Role to column, but for the label; without the duration where it comes from the metadata."""
    tasks: Mapping[str, Task]
    """All that can be named as columns."""
    by_metadata: bool
    """Whether the metadata tell how long it took."""
    joins_strangers: bool
    joins_items: bool
    """Whether a subject that went out again is the item that it was."""


def sniff(head: Head) -> bool:
    """Whether a file is an export: by the names of its columns."""
    if b"classification_id" not in head.start:
        return False
    columns = set(head.columns)
    return columns >= IDS and len(columns & OTHERS) >= LEAST


def read(path: Path, roles: Roles, form: TextForm = PLAIN) -> Reading:
    """The answers to one task, and what experts answered.

    Raises
    ------
    FormatError
        The file can't be read or is no export, several tasks could be meant, or a named column is missing or hidden.
    """
    table = Table.of(path, form)
    missing = sorted(IDS - set(table.names))
    if missing:
        raise FormatError(f"this is no {TITLE}, for it has no column {missing[0]}; read it with --platform none", path)
    survey = surveyed(Table.of(path, form).rows())
    task = survey.task(roles, path, TITLE)
    header = [name for name in table.names if name not in HIDDEN]
    header += [SUBJECT + name for name in survey.subject_fields] + list(survey.tasks)
    usual = {"item": ITEMS, "worker": "user_name", "timestamp": "created_at"}
    kept = {role: name for role, name in roles.named.items() if name and role.startswith(KEEP)}
    refuse_hidden(kept, (METADATA,), path, TITLE)
    columns = columns_for(
        roles, {role: name for role, name in usual.items() if name in header}, header, path, TITLE, HIDDEN
    )
    wanted = _Wanted(
        task,
        columns,
        survey.tasks,
        by_metadata="duration" not in columns and "metadata" in header,
        joins_strangers=not roles.named.get("worker"),
        joins_items=columns.get("item") == ITEMS and not roles.named.get("item"),
    )
    found = _Found()
    told = {**columns, "label": task.name} | ({"duration": "metadata"} if wanted.by_metadata else {})
    shown = [role for role in ("item", "worker", "label", "timestamp", "duration") if role in told]
    in_order = [*shown, *(role for role in told if role not in shown)]
    gold_table = Table.of(path, form)
    gold = reading(
        path,
        _gold(gold_table, wanted),
        ("item", "label"),
        digest=gold_table.digest,
        platform=TITLE,
    )
    opened = replace(
        reading(
            path,
            _judged(table, wanted, found),
            in_order,
            digest=table.digest,
            platform=TITLE,
            columns=told,
            header=header,
            note=partial(_note, path, wanted, survey, found),
        ),
        gold=gold if survey.has_gold else None,
    )
    return replace(opened, anonymous=(STRANGER,) if wanted.joins_strangers else ())


def _judged(table: Table, wanted: _Wanted, found: _Found) -> Iterator[Judged]:
    for one in classified(table.rows()):
        metadata = object_in(one.row.cells.get("metadata"))
        cells, fault = _cells(one, wanted, metadata), one.fault
        if not fault:
            fault = _fault(one, wanted, metadata)
            found.reasons[fault] += 1
        name = cells.get("worker") or ""
        if wanted.joins_strangers and name.startswith(STRANGER):
            found.strangers.add(name)
            cells["worker"] = STRANGER
        if not fault:
            found.n_empty += cells["label"] is None
            found.n_sent += wanted.joins_items and cells["item"] != (one.row.cells.get(ITEMS) or None)
        yield Judged(one.row.line, cells, fault)


def _gold(table: Table, wanted: _Wanted) -> Iterator[Judged]:
    for one in classified(row for row in table.rows() if is_gold(row)):
        if not one.fault and not wanted.task.elsewhere(one):
            yield Judged(one.row.line, _cells(one, wanted, {}))


def _fault(one: Classification, wanted: _Wanted, metadata: Mapping[str, Any]) -> str:
    """Why a classification gives no judgment of the task; empty if it does."""
    if why := wanted.task.elsewhere(one):
        return why
    if one.is_gold:
        return EXPERT
    state = metadata.get("subject_selection_state")
    again = isinstance(state, dict) and state.get("already_seen") is True
    return SEEN if again or metadata.get("seen_before") is True else ""


def _cells(one: Classification, wanted: _Wanted, metadata: Mapping[str, Any]) -> dict[str, str | None]:
    """The cells of a classification by role."""
    names = wanted.columns.values()
    subject = subject_of(one.row) if any(name.startswith(SUBJECT) for name in names) else {}
    cells: dict[str, str | None] = {}
    for role, name in wanted.columns.items():
        if name in wanted.tasks:
            cells[role] = wanted.tasks[name].label(one)
        else:
            within = name.startswith(SUBJECT)
            cells[role] = (subject.get(name.removeprefix(SUBJECT)) if within else one.row.cells.get(name)) or None
    if wanted.columns.get("timestamp") == "created_at":
        cells["timestamp"] = _iso(cells["timestamp"])
    cells["label"] = wanted.task.label(one)
    if wanted.joins_items:
        cells["item"] = item_of(one.row) or None
    if wanted.by_metadata:
        cells["duration"] = _seconds(metadata)
    return cells


def item_of(row: Row) -> str:
    """The item of a row where none is named: what it was before it went out again, else the subject."""
    sent = subject_of(row).get(SENT) if SENT in row.cells.get("subject_data", "") else None
    return sent or row.cells.get(ITEMS, "")


def _iso(text: str | None) -> str | None:
    """``2021-05-05 10:00:00 UTC`` in ISO 8601; anything else stays."""
    return text.removesuffix(" UTC").replace(" ", "T", 1) + "Z" if text and text.endswith(" UTC") else text


def _seconds(metadata: Mapping[str, Any]) -> str | None:
    """From the start of a classification to its end; None where a time is unknown, or the end comes first."""
    try:
        begin, end = (datetime.fromisoformat(str(metadata[name])) for name in ("started_at", "finished_at"))
        seconds = (end - begin).total_seconds()
    except (KeyError, ValueError, TypeError):
        return None
    return f"{seconds:g}" if seconds >= 0 else None


def _note(path: Path, wanted: _Wanted, survey: Survey, found: _Found) -> str:
    """What was understood, in a line."""
    ids = ", ".join(f"{role} {wanted.columns.get(role, 'unknown')}" for role in ("item", "worker"))
    said = [f"{PurePath(displayed(path)).name} is a {TITLE}: {ids}, label {survey.called(wanted.task)}"]
    said += survey.told(wanted.task)
    out = [f"{n:,} {why.partition(':')[0]}" for why, n in sorted(found.reasons.items()) if why and why != EXPERT]
    said += [f"left out: {', '.join(out)}"] if out else []
    if found.n_empty:
        said.append(f"empty answers, which count as no answer: {found.n_empty:,}")
    if found.n_sent:
        said.append(f"judgments of subjects that went out again, whose item is {SENT}: {found.n_sent:,}")
    if found.strangers:
        said.append(
            f"names that begin with {STRANGER} ({len(found.strangers):,}) are one name for many people, whom "
            "--worker user_name keeps apart"
        )
    if n_gold := found.reasons[EXPERT]:
        said.append(f"gold: {counted(n_gold, 'answer')} of experts (gold_standard), unless other gold is named")
    return "; ".join([*said, "--platform none reads it as a plain table"])
