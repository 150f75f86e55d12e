"""Exports of JSON objects that hold several people's answers each: what they have in common."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from consensus.formats.platforms import people
from consensus.formats.platforms.named_columns import columns_for
from consensus.formats.platforms.object_lines import Line, ObjectLines, text_at
from consensus.formats.platforms.questions import ONE, REGIONS, SEVERAL, TEXT, chosen, described, is_open, joined
from consensus.formats.platforms.records import Judged, fault_of, reading, whole_json
from consensus.formats.platforms.seam import head_of
from consensus.formats.tables.nested import names_of
from consensus.formats.tables.streams import displayed, encoding_of, start_of, unreadable
from consensus.inputs.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from hashlib import _Hash
    from pathlib import Path

    from consensus.formats.tables.blocks import Reading
    from consensus.formats.tables.nested import Keys
    from consensus.formats.tables.roles import Roles
    from consensus.formats.tables.text_form import TextForm

RANKING = "ranking"
NAMES_IN = 100  # answers whose objects tell what can be named


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody answered about an item."""

    line: int
    record: Mapping[str, Any]
    """What can be named: the item's own object, and beside it who answered and when."""
    answers: Mapping[str, Any]
    """By question, as in the file."""
    no_answer: str = ""
    """Why the answers do not count as such, if they don't."""
    fault: str = ""
    """Why nothing of it can be used, if nothing can."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a model says about an item."""

    line: int
    record: Mapping[str, Any]
    question: str
    model: str
    value: Any
    score: Any = None


@dataclass
class Export:
    """What a file holds."""

    path: Path
    title: str
    given: list[Given]
    digest: _Hash
    usual: Mapping[str, str]
    """Role to what holds it, where that is there."""
    models: Sequence[Said] = ()
    also: Sequence[str] = ()
    """More for the note."""
    default: str | None = None
    """The question that is meant where none is named."""
    silent: Counter[str] = field(default_factory=Counter)
    """Answers that do not count, by why."""

    def questions(self) -> dict[str, str]:
        """Kind by name."""
        values: dict[str, list[Any]] = {}
        for one in self.given:
            for name, value in one.answers.items():
                values.setdefault(name, []).append(value)
        return {name: _kind(each) for name, each in values.items()}


def objects_in(path: Path, form: TextForm) -> tuple[list[Line], _Hash]:
    """All objects of a file, a list of JSON or one a line; those of a list are numbered from 1. Also its SHA-256.

    Raises
    ------
    FormatError
        The file can't be read, or is cut.
    """
    if not head_of(path).text.startswith(b"["):
        source = ObjectLines.of(path, form)
        return list(source.lines()), source.digest
    digest = hashlib.sha256()
    with unreadable(path):
        start_of(path, encoding_of(path, form.encoding)[0])
    whole = whole_json(path, digest, form)
    return [_line(n, one) for n, one in enumerate(whole, 1)], digest


def _line(n: int, one: Any) -> Line:
    return Line(n, one) if isinstance(one, dict) else Line(n, {}, "not a JSON object")


def read(export: Export, roles: Roles) -> Reading:
    """The answers to one question, and what models say of it.

    Raises
    ------
    FormatError
        Several questions could be meant, or a named value is missing.
    """
    path, title = export.path, export.title
    keys: dict[str, Keys] = {}
    for one in export.given[:NAMES_IN]:
        names_of(dict(one.record), keys)
    label = roles.named.get("label")
    kinds = export.questions()
    asked = {one: kind for one, kind in kinds.items() if one not in roles.set_apart}
    if roles.lenient and label not in {*asked, *keys}:
        label = None
    if "label" in roles.named:
        label = label or (export.default if export.default in asked else None)
    question = chosen(path, title, asked, label, keys)
    usual = {role: name for role, name in export.usual.items() if name in keys}
    columns = columns_for(roles, usual, list(keys), path, title)
    told = {**columns, "label": question}
    in_order: list[str] = [role for role in ("item", "worker", "label", "timestamp") if role in told]
    in_order += [role for role in told if role not in in_order]
    way = {role: keys[name] for role, name in columns.items()}
    named = keys.get(question, ()) if question not in kinds else ()
    judged = list(_judged(export, question, way, named))
    votes = list(_votes(export, question, way.get("item", ())))
    made: dict[str, Any] = {"digest": export.digest, "platform": title}
    return replace(
        reading(
            path,
            judged,
            in_order,
            columns=told,
            header=[*keys, *(name for name in kinds if name not in keys)],
            note=partial(_note, export, told, described(question, kinds.get(question, "")), votes),
            **made,
        ),
        votes=reading(path, votes, ("item", "model", "label", "probability"), **made) if votes else None,
    )


def _judged(export: Export, question: str, way: Mapping[str, Keys], named: Keys) -> Iterator[Judged]:
    for one in export.given:
        cells: dict[str, str | None] = {}
        if one.fault:
            yield Judged(one.line, {}, one.fault)
            continue
        if not named and question not in one.answers:  # others were asked this
            continue
        fault = ""
        for role, keys in way.items():
            try:
                cells[role] = text_at(dict(one.record), keys)
            except ValueError as error:
                fault = fault or fault_of(role, error)
        if cells.get("worker"):
            cells["worker"] = people.called(cells["worker"] or "")
        try:
            cells["label"] = text_at(dict(one.record), named) if named else label_of(one.answers.get(question))
        except ValueError as error:
            fault = fault or f"the label {error}"
        if one.no_answer and not fault:
            export.silent[one.no_answer] += 1
            cells["label"] = None
        yield Judged(one.line, cells, fault)


def _votes(export: Export, question: str, item: Keys) -> Iterator[Judged]:
    for one in export.models:
        if one.question != question or not item:
            continue
        try:
            name, label = text_at(dict(one.record), item), label_of(one.value)
        except ValueError:
            continue
        if name is not None and label is not None:
            yield Judged(one.line, {"item": name, "model": one.model, "label": label, "probability": _share(one.score)})


def _share(score: Any) -> str | None:
    """A score that is a probability, None otherwise."""
    try:
        return score if isinstance(score, str) and 0 < float(score) <= 1 else None
    except ValueError:
        return None


def label_of(value: Any) -> str | None:
    """An answer as a label: of a list, its set; None where nothing was answered.

    Raises
    ------
    ValueError
        It is no label.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        if not all(isinstance(one, str) for one in value):
            raise ValueError("is no list of texts")
        return joined(value)
    if isinstance(value, dict):
        raise ValueError("is not a single value")
    return value.strip() or None if isinstance(value, str) else None


def _kind(values: Sequence[Any]) -> str:
    """What kind of question has these answers."""
    lists = [one for one in values if isinstance(one, list)]
    objects = [part for one in lists for part in one if isinstance(part, (dict, list))]
    if objects:
        return RANKING if all(isinstance(one, dict) and "rank" in one for one in objects) else REGIONS
    if any(len(one) > 1 for one in lists):
        return SEVERAL
    texts = [one for one in values if isinstance(one, str)]
    return TEXT if is_open(len(texts), len(set(texts))) else ONE


def _note(export: Export, told: Mapping[str, str], question: str, votes: Sequence[Judged]) -> str:
    """What was understood, in a line."""
    ids = ", ".join(f"{role} {told.get(role, 'unknown')}" for role in ("item", "worker"))
    said = [f"{PurePath(displayed(export.path)).name} is a {export.title}: {ids}, label {question}"]
    if export.silent:
        said.append("no answer: " + ", ".join(f"{why} {n:,}" for why, n in sorted(export.silent.items())))
    if votes:
        n = len({one.cells["model"] for one in votes})
        said.append(
            f"suggestions that are votes of models: {len(votes):,} of {counted(n, 'model')} (unless --model-votes "
            "names others, or none)"
        )
    return "; ".join([*said, *export.also, "--platform none reads it as a plain table"])
