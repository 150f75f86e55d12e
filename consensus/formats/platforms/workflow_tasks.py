"""The tasks of Zooniverse's workflows: what was asked in which version, and what an answer is as a label."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from consensus.errors import FormatError
from consensus.formats.platforms.questions import ONE, REGIONS, SEVERAL, TEXT, chosen, described, joined
from consensus.formats.platforms.records import parsed_json
from consensus.inputs.understood import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from consensus.formats.platforms.records import Row
    from consensus.formats.tables.roles import Roles

NOT_ANSWERED = "never answered"
FEW = 30  # different answers that a task may have before half of them being different makes it free text
MOST_LABELS = 2_000  # of a task and version that are kept to compare versions
MOST_FIELDS = 200  # of subjects
LOOKED_AT = 1000  # rows that tell the fields of subjects
DEEPEST = 4  # combined tasks within combined tasks
LISTED = 4  # versions, texts or pairs in a message
NOTHING = ("", "na", "n/a", "false", "0", "null", "none")  # in gold_standard


@dataclass(frozen=True, slots=True)
class Classification:
    """A row of the export."""

    row: Row
    answers: Mapping[str, Any]
    """Value by task."""
    texts: Mapping[str, str]
    """What was asked, by task."""
    fault: str = ""
    """Why it can't be read."""

    @property
    def workflow(self) -> str:
        """Which workflow it is of; empty where that is unknown."""
        return self.row.cells.get("workflow_id", "")

    @property
    def major(self) -> str:
        """The major version of the workflow."""
        return self.row.cells.get("workflow_version", "").partition(".")[0]

    @property
    def is_gold(self) -> bool:
        """Whether an expert gave it, as gold."""
        return is_gold(self.row)


def is_gold(row: Row) -> bool:
    """Whether an expert gave a classification, as gold."""
    return row.cells.get("gold_standard", "").strip().lower() not in NOTHING


def classified(rows: Iterable[Row]) -> Iterator[Classification]:
    """The rows of an export with their answers."""
    for row in rows:
        answers: dict[str, Any] = {}
        texts: dict[str, str] = {}
        fault = row.fault
        if not fault:
            try:
                found = parsed_json(row.cells.get("annotations") or "[]")
                fault = "" if isinstance(found, list) else "the annotations are no list"
            except ValueError as error:
                found, fault = [], f"the annotations are {error}"
            if not fault:
                _gather(found, answers, texts, DEEPEST)
        yield Classification(row, answers, texts, fault)


def _gather(annotations: list[Any], answers: dict[str, Any], texts: dict[str, str], deepest: int) -> None:
    """Add the tasks of some annotations, and those within combined tasks."""
    for one in annotations:
        if not isinstance(one, dict) or not isinstance(one.get("task"), str):
            continue
        value = one.get("value")
        if deepest and isinstance(value, list) and value and all(isinstance(it, dict) and "task" in it for it in value):
            _gather(value, answers, texts, deepest - 1)
            continue
        answers[one["task"]] = value
        if isinstance(one.get("task_label"), str):
            texts[one["task"]] = one["task_label"]


def kind_of(value: Any) -> str:
    """The kind of a task by an answer; empty where that does not tell."""
    if value is None or value in ("", []):
        return ""
    if isinstance(value, (str, bool)):
        return ONE
    if not isinstance(value, list):
        return REGIONS
    if all(isinstance(one, dict) and {"value", "option"} <= one.keys() for one in value):  # a dropdown
        return ONE if len(value) == 1 else SEVERAL
    are_ticks = all(isinstance(one, (str, bool)) or (isinstance(one, dict) and "choice" in one) for one in value)
    return SEVERAL if are_ticks else REGIONS


def label_of(value: Any) -> str | None:
    """An answer as a label; None where nothing was answered, or the answer is none."""
    if isinstance(value, list):
        parts = [
            one if not isinstance(one, dict) else one.get("choice") if "choice" in one else one.get("value")
            for one in value
        ]
        return joined(_text(part) for part in parts)
    return _text(value) or None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class Task:
    """What gives the labels."""

    name: str
    key: str
    workflow: str = ""
    """Only of this one, if it is named."""
    major: str = ""
    """Only in this version."""
    detail: str = ""
    """The question about the choices of a survey."""

    def label(self, one: Classification) -> str | None:
        """The label that a classification gives."""
        value = one.answers.get(self.key)
        if not self.detail:
            return label_of(value)
        details = [it.get("answers") for it in value if isinstance(it, dict)] if isinstance(value, list) else []
        given = [it.get(self.detail) for it in details if isinstance(it, dict)]
        return joined(_text(part) for it in given for part in (it if isinstance(it, list) else [it]))

    def elsewhere(self, one: Classification) -> str:
        """Why a classification can't be of this task; empty if it can."""
        if self.workflow and one.workflow != self.workflow:
            return f"of another workflow than {self.workflow}"
        if self.major and one.major != self.major:
            return f"of another version than {self.major}"
        return ""


@dataclass
class _Asked:
    """A task of a workflow, as it was asked."""

    kinds: Counter[str] = field(default_factory=Counter)
    texts: dict[str, str] = field(default_factory=dict)
    """The first text by major version."""
    labels: dict[str, set[str]] = field(default_factory=dict)
    """By major version."""
    details: set[str] = field(default_factory=set)

    def add(self, one: Classification, key: str) -> None:
        value = one.answers[key]
        if kind := kind_of(value):
            self.kinds[kind] += 1
        if key in one.texts:
            self.texts.setdefault(one.major, " ".join(one.texts[key].split()))
        labels = self.labels.setdefault(one.major, set())
        label = label_of(value)
        if label is not None and len(labels) < MOST_LABELS:
            labels.add(label)
        for it in value if kind == SEVERAL else ():
            answers = it.get("answers") if isinstance(it, dict) else None
            self.details |= set(answers) if isinstance(answers, dict) else set()

    @property
    def kind(self) -> str:
        """What most answers look like."""
        if not self.kinds:
            return NOT_ANSWERED
        found = max(sorted(self.kinds), key=lambda kind: self.kinds[kind])
        n_labels = len(set().union(*self.labels.values()))
        return TEXT if found == ONE and n_labels > max(FEW, self.kinds[ONE] / 2) else found


@dataclass
class Survey:
    """All tasks of an export, and what else is told by a first look through it."""

    asked: dict[tuple[str, str], _Asked] = field(default_factory=dict)
    """By workflow and task."""
    workflows: set[str] = field(default_factory=set)
    subject_fields: list[str] = field(default_factory=list)
    has_gold: bool = False

    @property
    def tasks(self) -> dict[str, Task]:
        """By name: the workflow is named where several have the task."""
        keys = Counter(key for _, key in self.asked)
        found = {}
        for workflow, key in sorted(self.asked):
            name = key if keys[key] == 1 else f"{workflow}/{key}"
            found[name] = Task(name, key, workflow if len(self.workflows) > 1 else "")
        return found

    def task(self, roles: Roles, path: Path, title: str) -> Task:
        """The task that the user named, perhaps with its version or a question about its choices; else the only one.

        Raises
        ------
        FormatError
            As ``questions.chosen`` does; or versions of the workflow differ in the text of the task, and have no answer
            in common.
        """
        tasks, name = self.tasks, roles.named.get("label")
        part = None if name is None else self._part(tasks, name)
        if part is not None:
            tasks[part.name] = part
        kinds = {one: self._of(task).kind for one, task in tasks.items()}
        found = tasks[chosen(path, title, kinds, None if roles.lenient and name not in tasks else name)]
        self._refuse_two_meanings(found, path, title)
        return found

    def _part(self, tasks: Mapping[str, Task], name: str) -> Task | None:
        """A task in one version, or a question about its choices, if that is what a name says."""
        rest, _, major = name.partition("@")
        base, _, detail = (rest, "", "") if rest in tasks else rest.rpartition(".")
        if base not in tasks:
            return None
        asked = self._of(tasks[base])
        if (major and major not in asked.labels) or (detail and detail not in asked.details):
            return None
        return replace(tasks[base], name=name, major=major, detail=detail)

    def _refuse_two_meanings(self, task: Task, path: Path, title: str) -> None:
        asked = self._of(task)
        if task.major or len(set(asked.texts.values())) < 2:
            return
        labels: dict[str, set[str]] = {}
        for major, text in asked.texts.items():
            labels.setdefault(text, set()).update(asked.labels[major])
        given = [text for text in labels if labels[text]]
        if any(labels[one].isdisjoint(other) for one in given for other in [labels[it] for it in given if it != one]):
            newest = max(asked.texts, key=_number)
            raise FormatError(
                f"task {task.name} of this {title} asked different questions: {_by_version(asked.texts)}; "
                f"choose a version of the workflow with --label, such as --label {task.name}@{newest}",
                path,
            )

    def called(self, task: Task) -> str:
        """A task in a note."""
        return described(task.name, self._of(task).kind)

    def told(self, task: Task) -> list[str]:
        """What is to be said of a task: its text and kind, and what changed with the versions of the workflow."""
        asked = self._of(task)
        texts = {major: text for major, text in asked.texts.items() if task.major in {"", major}}
        labels = {major: given for major, given in asked.labels.items() if given and task.major in {"", major}}
        said = []
        if len(set(texts.values())) == 1:
            said.append(f"it asked {quoted(next(iter(texts.values())))}")
        elif texts:
            said.append(f"it asked {_by_version(texts)}")
        if len(labels) > 1:
            said.append(f"{len(labels)} versions of the workflow, of which --label {task.name}@VERSION takes one")
            said += _renamed(labels)
        return said

    def _of(self, task: Task) -> _Asked:
        return next(
            asked
            for (workflow, key), asked in self.asked.items()
            if key == task.key and task.workflow in {"", workflow}
        )


def surveyed(rows: Iterable[Row]) -> Survey:
    """A first look through an export."""
    found = Survey()
    fields: dict[str, None] = {}
    for n, one in enumerate(classified(rows)):
        if one.fault:
            continue
        found.workflows.add(one.workflow)
        found.has_gold |= one.is_gold
        for key in one.answers:
            found.asked.setdefault((one.workflow, key), _Asked()).add(one, key)
        if n < LOOKED_AT and len(fields) < MOST_FIELDS:
            fields |= dict.fromkeys(subject_of(one.row))
    if len(found.workflows) > 1:  # the rest is of damaged rows
        found.workflows.discard("")
        found.asked = {(workflow, key): asked for (workflow, key), asked in found.asked.items() if workflow}
    found.subject_fields = list(fields)
    return found


def subject_of(row: Row) -> dict[str, str]:
    """The fields of the first subject of a row that are single values."""
    subjects = [one for one in object_in(row.cells.get("subject_data")).values() if isinstance(one, dict)]
    return {name: value for name, value in subjects[0].items() if isinstance(value, str)} if subjects else {}


def object_in(text: str | None) -> dict[str, Any]:
    """An object of JSON; an empty one where there is none."""
    try:
        found = parsed_json(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _by_version(texts: Mapping[str, str]) -> str:
    """Such as ``"Seen?" (version 1) and "What?" (versions 2, 3)``."""
    majors: dict[str, list[str]] = {}
    for major in sorted(texts, key=_number):
        majors.setdefault(texts[major], []).append(major)
    told = [
        f"{quoted(text)} (version{'s' if len(those) > 1 else ''} {', '.join(those[:LISTED])}"
        f"{', ...' if len(those) > LISTED else ''})"
        for text, those in list(majors.items())[:LISTED]
    ]
    return " and ".join(told) + (" and more" if len(majors) > LISTED else "")


def _renamed(labels: Mapping[str, set[str]]) -> list[str]:
    """Answers that look like one with another code in another version: those without vowels are alike."""
    majors: dict[str, set[str]] = {}
    for major, given in labels.items():
        for label in given:
            majors.setdefault(label, set()).add(major)
    by_bones: dict[str, list[str]] = {}
    for label in sorted(majors):
        by_bones.setdefault(re.sub(r"[AEIOUaeiou\W_]", "", label).lower(), []).append(label)
    pairs = [
        (one, other)
        for bones, alike in by_bones.items()
        if len(bones) > 1
        for one, other in itertools.pairwise(alike)
        if majors[one].isdisjoint(majors[other])
    ]
    if not pairs:
        return []
    shown = ", ".join(f"{quoted(one)} and {quoted(other)}" for one, other in pairs[:LISTED])
    more = ", ..." if len(pairs) > LISTED else ""
    return [f"answers of different versions that look like one: {shown}{more} (make them one with --label-map)"]


def _number(major: str) -> tuple[int, str]:
    """To sort versions."""
    return (int(major), "") if major.isdecimal() else (-1, major)
