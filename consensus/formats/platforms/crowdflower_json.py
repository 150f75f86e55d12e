"""The JSON report of CrowdFlower, later Figure Eight and Appen: JSON lines, one unit a line with all its judgments.

A judgment is an entry of ``results.judgments``: item ``unit_id``, worker ``worker_id``, label the field of ``data``
that is the question. Assumed is:

- A field with ``<field>_gold`` in the data of units is a question; in reports without any, each field that workers
  filled in. What they wrote about gold (``..._contention``) is none.
- An answer is a list, also of a single label. Several ticks are one label; an empty list is an abstain.
- Judgments that are ``tainted`` or ``rejected`` become rejects. ``trust`` and ``worker_trust``, the platform's own
  view, are not used.
- ``created_at`` is the time. As in the full report, a page shares its ``started_at``: the time since then is divided by
  the judgments of the worker that have it.
- Gold is ``<field>_gold`` of units with a judgment that is ``golden``; one tick in common meets it.
- Units that went out again (``consensus requeue``) have other ids: there the item is ``consensus_item`` of their data.
- Columns of the data that was uploaded can be named. ``country``, ``region``, ``city`` and ``ip`` are not read.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from consensus.formats.platforms import checkboxes
from consensus.formats.platforms.named_columns import columns_for
from consensus.formats.platforms.object_lines import ObjectLines
from consensus.formats.platforms.questions import ONE, REGIONS, SEVERAL, TEXT, chosen, described, joined
from consensus.formats.platforms.records import Judged, fault_of, reading
from consensus.formats.platforms.seam import ITEM
from consensus.formats.tables.streams import displayed
from consensus.formats.tables.text_form import PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from consensus.formats.platforms.seam import Head
    from consensus.formats.tables.blocks import Reading
    from consensus.formats.tables.roles import Roles
    from consensus.formats.tables.text_form import TextForm

NAME = "crowdflower-json"
TITLE = "CrowdFlower JSON report"
KEYS = [
    re.compile(pattern)
    for pattern in (rb'"results"\s*:\s*\{', rb'"judgments"\s*:\s*\[', rb'"worker_id"\s*:', rb'"(?:worker_)?trust"\s*:')
]
FIELDS = ("unit_id", "worker_id", "created_at", "started_at", "trust", "worker_trust", "golden", "id", "external_type")
"""What can be named of a judgment, besides its answers."""
HIDDEN = ("country", "region", "city", "ip")
GOLD, CONTENTION = "_gold", "_contention"
OTHER = ("_gold_reason", CONTENTION)
LEFT_OUT = {
    "tainted": "tainted: the platform itself does not trust this judgment",
    "rejected": "rejected: the judgment was refused at the platform",
}
FEW = 30  # different answers that a question may have before half of them being different makes it free text


@dataclass(frozen=True, slots=True)
class Entry:
    """A judgment as the report holds it."""

    line: int
    judgment: Mapping[str, Any]
    unit: Mapping[str, Any]
    """The data that was uploaded."""
    unit_id: str | None
    fault: str = ""

    @property
    def answers(self) -> Mapping[str, Any]:
        """Answer by field."""
        found = self.judgment.get("data")
        return found if isinstance(found, dict) else {}

    @property
    def is_golden(self) -> bool:
        """Whether the unit was a test question."""
        return _is_true(self.judgment.get("golden"))

    @property
    def worker(self) -> str:
        """Who judged."""
        return str(self.judgment.get("worker_id"))

    @property
    def page(self) -> tuple[str, str]:
        """What all judgments of a page share."""
        return self.worker, str(self.judgment.get("started_at"))


@dataclass
class _Survey:
    """What a first look through a report tells."""

    kinds: dict[str, Counter[str]] = field(default_factory=dict)
    """How many answers of which kind each field has."""
    ticks: dict[str, dict[str, Sequence[str]]] = field(default_factory=dict)
    """By field, those of labels with several."""
    labels: dict[str, set[str]] = field(default_factory=dict)
    data: dict[str, None] = field(default_factory=dict)
    """Columns that were uploaded."""
    fields: set[str] = field(default_factory=set)
    """What judgments hold besides answers."""
    pages: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, one: Entry) -> None:
        """Look at a judgment."""
        self.data |= dict.fromkeys(one.unit)
        self.fields |= one.judgment.keys() & set(FIELDS)
        self.pages[one.page] += 1
        for name, value in one.answers.items():
            if name.endswith(OTHER):
                continue
            kinds = self.kinds.setdefault(name, Counter())
            parts = _parts(value)
            if parts is None:
                kinds[REGIONS] += 1
            elif (label := joined(parts)) is not None:
                kinds[SEVERAL if len(set(parts)) > 1 else ONE] += 1
                self.labels.setdefault(name, set()).add(label)
                if len(set(parts)) > 1:
                    self.ticks.setdefault(name, {})[label] = parts

    @property
    def questions(self) -> dict[str, str]:
        """Kind by field; only those with gold, where there are such."""
        kinds = {name: self._kind(name) for name in self.kinds}
        return {name: kind for name, kind in kinds.items() if name + GOLD in self.data} or kinds

    def _kind(self, name: str) -> str:
        kinds = self.kinds[name]
        if kinds[REGIONS] or kinds[SEVERAL]:
            return REGIONS if kinds[REGIONS] else SEVERAL
        return TEXT if len(self.labels.get(name, ())) > max(FEW, kinds[ONE] / 2) else ONE


@dataclass
class _Found:
    """What a report turned out to hold, once it was read."""

    left_out: Counter[str] = field(default_factory=Counter)
    golden: set[str | None] = field(default_factory=set)
    """Items with gold."""
    tested: set[tuple[str | None, str]] = field(default_factory=set)
    """Items and workers of answers to test questions."""
    n_again: int = 0
    """Answers to a test question that its worker had answered before."""


def sniff(head: Head) -> bool:
    """Whether a file is a JSON report: by keys of its objects."""
    start = head.text
    return start[:1] == b"{" and all(key.search(start) for key in KEYS)


def read(path: Path, roles: Roles, form: TextForm = PLAIN) -> Reading:
    """The judgments of a report on one question, and their gold.

    Raises
    ------
    FormatError
        The file can't be read, several questions could be meant, or a named column is missing or hidden.
    """
    source, survey = ObjectLines.of(path, form), _Survey()
    source.names()  # or else no line is an object
    for one in entries(ObjectLines(path, source.encoding)):
        survey.add(one)
    fields = [name for name in FIELDS if name in survey.fields or name == FIELDS[0]]
    header = [*fields, *(name for name in (*survey.kinds, *survey.data) if name not in {*fields, *HIDDEN})]
    asked = {name: kind for name, kind in survey.questions.items() if name not in roles.set_apart}
    label = roles.named.get("label")
    if roles.lenient and label not in survey.kinds:
        label = None if label is None or label.removesuffix(GOLD) not in survey.kinds else label.removesuffix(GOLD)
    question = chosen(path, TITLE, asked, label, survey.kinds)
    went_out = ITEM in survey.data
    usual = {"item": ITEM if went_out else "unit_id", "worker": "worker_id", "timestamp": "created_at"}
    columns = columns_for(
        roles, {role: name for role, name in usual.items() if name in header}, header, path, TITLE, HIDDEN
    )
    by_page = "duration" not in columns and {"created_at", "started_at"} <= survey.fields
    told = {**columns, "label": question} | ({"duration": "started_at"} if by_page else {})
    shown = [role for role in ("item", "worker", "label", "timestamp", "duration") if role in told]
    ticks, found, of_gold = survey.ticks.get(question, {}), _Found(), ObjectLines(path, source.encoding)
    gold = reading(
        path,
        _gold(of_gold, columns, question, ticks, found),
        ("item", "label"),
        digest=of_gold.digest,
        platform=TITLE,
    )
    return replace(
        reading(
            path,
            _judged(source, told, survey.pages, found),
            [*shown, *(role for role in told if role not in shown)],
            digest=source.digest,
            platform=TITLE,
            columns=told,
            header=list(dict.fromkeys(header)),
            note=partial(_note, path, told, survey, found),
        ),
        gold=gold if question + GOLD in survey.data else None,
    )


def entries(source: ObjectLines) -> Iterator[Entry]:
    """All judgments, and a fault for each line or judgment that is none."""
    for line in source.lines():
        results = line.record.get("results")
        judgments = results.get("judgments") if isinstance(results, dict) else None
        data = line.record.get("data")
        unit = data if isinstance(data, dict) else {}
        if line.fault or not isinstance(judgments, list):
            yield Entry(line.line, {}, unit, None, line.fault or "the unit has no list of judgments")
            continue
        number = line.record.get("id")
        for one in judgments:
            if not isinstance(one, dict):
                yield Entry(line.line, {}, unit, None, "the judgment is no object")
                continue
            given = one.get("unit_id") or number
            yield Entry(line.line, one, unit, given if isinstance(given, str) else None)


def _judged(
    source: ObjectLines, told: Mapping[str, str], pages: Mapping[tuple[str, str], int], found: _Found
) -> Iterator[Judged]:
    for one in entries(source):
        cells: dict[str, str | None] = {}
        fault = one.fault
        for role, name in told.items():
            try:
                cells[role] = cell_of(one, name)
            except ValueError as error:
                fault = fault or fault_of(role, error)
        if told.get("duration") == "started_at":
            cells["duration"] = _seconds(one, pages)
        left_out = next((key for key in LEFT_OUT if _is_true(one.judgment.get(key))), "")
        if left_out and not fault:
            found.left_out[left_out] += 1
            fault = LEFT_OUT[left_out]
        if one.is_golden and not fault and cells.get("label"):
            pair = one.unit_id, one.worker
            found.n_again += pair in found.tested
            found.tested.add(pair)
        yield Judged(one.line, cells, fault)


def _gold(
    source: ObjectLines,
    columns: Mapping[str, str],
    question: str,
    ticks: Mapping[str, Sequence[str]],
    found: _Found,
) -> Iterator[Judged]:
    seen: set[tuple[str | None, str]] = set()
    for one in entries(source):
        parts = _parts(one.unit.get(question + GOLD)) if one.is_golden else None
        try:
            item = cell_of(one, columns["item"])
        except ValueError:
            continue
        for label in checkboxes.accepted(parts, ticks) if parts else ():
            found.golden.add(item)
            if (item, label) not in seen:
                seen.add((item, label))
                yield Judged(one.line, {"item": item, "label": label})


def cell_of(one: Entry, name: str) -> str | None:
    """A field of a judgment, an answer or a column of the upload as text.

    Raises
    ------
    ValueError
        It holds something else.
    """
    if name == "unit_id":
        return one.unit_id
    if name in FIELDS and name in one.judgment:
        value = one.judgment[name]
    elif name in one.answers:
        parts = _parts(one.answers[name])
        if parts is None:
            raise ValueError("is no single value, nor a list of such")
        return joined(parts)
    else:
        value = one.unit.get(name)
    if name == ITEM:  # some units may be those that were there before
        value = value or one.unit_id
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        raise ValueError("is not a single value")
    return value or None


def _parts(value: Any) -> list[str] | None:
    """The ticks of an answer, or of gold; None where it is something else."""
    if value is None:
        return []
    each = value if isinstance(value, list) else [value]
    texts = [("true" if one else "false") if isinstance(one, bool) else one for one in each if one is not None]
    if not all(isinstance(one, str) for one in texts):
        return None
    return [part for text in texts for part in checkboxes.ticks_in(text) if part]


def _is_true(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")


def _seconds(one: Entry, pages: Mapping[tuple[str, str], int]) -> str | None:
    """The seconds of a judgment of its page; None where a time is unknown, or the end comes first."""
    try:
        begin, end = (datetime.fromisoformat(str(one.judgment.get(name))) for name in ("started_at", "created_at"))
        seconds = (end - begin).total_seconds()
    except (ValueError, TypeError):
        return None
    return f"{seconds / pages[one.page]:g}" if seconds >= 0 else None


def _note(path: Path, told: Mapping[str, str], survey: _Survey, found: _Found) -> str:
    """What was understood, in a line."""
    question = told["label"]
    asked = described(question, survey.questions.get(question, ""))
    ids = ", ".join(f"{role} {told.get(role, 'unknown')}" for role in ("item", "worker"))
    said = [f"{PurePath(displayed(path)).name} is a {TITLE}: {ids}, label {asked}"]
    if found.left_out:
        said.append("left out: " + ", ".join(f"{n:,} {key}" for key, n in sorted(found.left_out.items())))
    if found.golden:
        one_tick = " (met by one tick in common)" if survey.ticks.get(question) else ""
        said.append(f"gold: {len(found.golden):,} of its items{one_tick}, unless other gold is named")
    if found.n_again:
        said.append(
            f"answers to test questions that their workers had met before, with feedback: {found.n_again:,} "
            "(--repeats first takes the answers before it)"
        )
    return "; ".join([*said, "--platform none reads it as a plain table"])
