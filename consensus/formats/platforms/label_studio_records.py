"""Annotations of Label Studio, from whichever of its exports: JSON, JSON-MIN or CSV."""

from __future__ import annotations

import hashlib
import re
from collections import ChainMap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from consensus.errors import FormatError
from consensus.formats.platforms import records
from consensus.formats.platforms.questions import (
    CLOSED,
    NUMBER,
    ONE,
    RATING,
    REGIONS,
    SEVERAL,
    TEXT,
    TREE,
)
from consensus.formats.tables import encodings
from consensus.formats.tables.streams import Tap, encoding_of, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from hashlib import _Hash
    from pathlib import Path

    from consensus.formats.tables.text_form import TextForm

EXPORT = "Label Studio export"
KINDS = {
    "choices": ONE,
    "pairwise": ONE,
    "taxonomy": TREE,
    "rating": RATING,
    "number": NUMBER,
    "datetime": TEXT,
    "textarea": TEXT,
}
"""What is asked, by the type of a result; all other types mark regions."""
KEYS = {"pairwise": "selected", "textarea": "text"}
"""Where the answer stands in a value, if not under its type."""
TYPES = {KEYS.get(type_, type_): type_ for type_ in KINDS}
PLACES = {"start", "end", "x", "y", "points", "rle", "ranges"}
"""Keys of values that are about a part of an item."""
FLAT = ("id", "annotation_id", "annotator", "created_at", "updated_at", "lead_time", "agreement")
"""Columns of JSON-MIN and CSV that are neither data nor answers."""
NOT_NAMED = {"id", "task", "result", "prediction", "reviews"}
"""Keys of an annotation that are no fields of it."""
PERSONS = ("completed_by", "annotator", "created_username", "updated_by")
"""Fields that name a person, often by the e-mail."""
NOTHING: tuple[Any, ...] = (None, "", [], {})
"""What stands in a field without an answer."""
FEW = 20  # different answers that make a choice of a column of texts, or a quarter of the rows, if these are more


@dataclass(slots=True)
class Annotation:
    """What a worker said about a task."""

    line: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Whatever stands with it and its task, by name."""
    answers: Mapping[str, Sequence[tuple[str, Any]]] = field(default_factory=dict)
    """By question, types and values of what was answered."""
    fault: str = ""
    """Why it can't be used, if it can't."""
    cancelled: bool = False


@dataclass(slots=True)
class Prediction:
    """What a model said about a task."""

    line: int
    fields: Mapping[str, Any]
    answers: Mapping[str, Sequence[tuple[str, Any]]]
    model: str
    score: Any
    """Of all of it."""
    scores: Mapping[str, Any]
    """By question, of its answer alone."""


@dataclass(slots=True)
class Export:
    """All that a file holds."""

    path: Path
    digest: _Hash
    worker: str
    """The field of the worker."""
    names: list[str]
    """Of all fields, but the questions of JSON."""
    annotations: list[Annotation]
    predictions: list[Prediction]
    questions: dict[str, str]
    """Kind by name of the question."""
    guessed: bool = False
    """Nothing but the number of its answers tells that the question is one."""


def exported(path: Path, form: TextForm) -> Export:
    """Read a file.

    Raises
    ------
    FormatError
        It can't be read, or is no export of Label Studio.
    """
    with unreadable(path), Tap(path, encoding=encoding_of(path, form.encoding)[0]) as tap:
        start = tap.read(1 << 10)
    if encodings.text_in(start)[:1] not in {b"[", b"{"}:
        table = records.Table.of(path, form)
        if "annotation_id" not in table.names:
            raise _none_of(path, "it has no column annotation_id")
        rows = [(row.line, _parsed(row.cells), row.fault) for row in table.rows()]
        return _flat(path, table.digest, [name for name in table.names if _is_named(name)], rows)
    digest = hashlib.sha256()
    tasks = records.whole_json(path, digest, form)
    tasks = tasks if isinstance(tasks, list) else [tasks]
    if any(isinstance(task, dict) and "annotations" in task for task in tasks):
        return _nested(path, digest, tasks)
    if any(isinstance(task, dict) and "annotation_id" in task for task in tasks):
        numbered = [
            (n, task, "") if isinstance(task, dict) else (n, {}, "the annotation is no object")
            for n, task in enumerate(tasks, 1)
        ]
        names = dict.fromkeys(name for _, task, _ in numbered for name in task)
        return _flat(path, digest, list(names), numbered)
    raise _none_of(path, "no object in it has annotations")


def _none_of(path: Path, why: str) -> FormatError:
    return FormatError(f"this is no {EXPORT}, for {why}; read it with --platform none", path)


def _is_named(name: str) -> bool:
    """Whether it is no index that a table got on its way."""
    return bool(name.strip()) and not re.fullmatch(r"Unnamed: \d+", name)


def _nested(path: Path, digest: _Hash, tasks: Sequence[Any]) -> Export:
    """The export as JSON: tasks with annotations and predictions."""
    annotations: list[Annotation] = []
    predictions: list[Prediction] = []
    names: dict[str, None] = {"id": None}
    for n, task in enumerate(tasks, 1):
        given = task.get("annotations") if isinstance(task, dict) else None
        if not isinstance(task, dict) or not isinstance(given, (list, type(None))):
            annotations.append(Annotation(n, fault="the task has no list of annotations"))
            continue
        data = task.get("data")
        data = data if isinstance(data, dict) else {}
        of_task = {name: one for name, one in task.items() if not isinstance(one, (list, dict))}
        named = {**{f"data.{name}": one for name, one in data.items()}, **data}
        names |= dict.fromkeys((*of_task, *data))
        for one in given or []:
            own = _own(one)
            names.update(dict.fromkeys(own))
            annotations.append(_annotation(n, one, ChainMap(own, of_task, named)))
        predictions += _predictions(n, task, given or [], ChainMap(of_task, named))
    questions = _asked([*annotations, *predictions])
    return Export(path, digest, "completed_by", list(names), annotations, predictions, questions)


def _own(given: Any) -> dict[str, Any]:
    """The fields of an annotation."""
    if not isinstance(given, dict):
        return {}
    own = {
        name: one
        for name, one in given.items()
        if name not in NOT_NAMED and (name in PERSONS or not isinstance(one, (list, dict)))
    }
    return {"annotation_id": given.get("id"), **own}


def _annotation(line: int, given: Any, fields: Mapping[str, Any]) -> Annotation:
    if not isinstance(given, dict):
        return Annotation(line, fault="the annotation is no object")
    try:
        answers, _ = _answers(given.get("result"))
    except ValueError as error:
        return Annotation(line, fields, fault=str(error))
    return Annotation(line, fields, answers, cancelled=given.get("was_cancelled") is True)


def _answers(results: Any) -> tuple[dict[str, list[tuple[str, Any]]], dict[str, Any]]:
    """By question, types and values of results, and their scores.

    Raises
    ------
    ValueError
        They are damaged; the message says how.
    """
    if not isinstance(results, (list, type(None))):
        raise ValueError("its result is no list")
    found: dict[str, list[tuple[str, Any]]] = {}
    scores = {}
    for one in results or []:
        if not isinstance(one, dict):
            raise ValueError("its result holds what is no object")
        name, type_ = one.get("from_name"), one.get("type")
        if isinstance(name, str) and isinstance(type_, str):  # else it relates two others
            found.setdefault(name, []).append((type_, one.get("value")))
            scores[name] = one.get("score")
    return found, scores


def _predictions(line: int, task: dict[str, Any], given: list[Any], fields: Mapping[str, Any]) -> Iterator[Prediction]:
    """What models said: with the task, or kept with annotations that began with it."""
    own = task.get("predictions")
    copies = [one.get("prediction") for one in given if isinstance(one, dict)]
    seen = set()
    for one in [*(own if isinstance(own, list) else []), *copies]:
        if not isinstance(one, dict):  # of an export without them, its number
            continue
        try:
            answers, scores = _answers(one.get("result"))
        except ValueError:
            continue
        version = one.get("model_version")
        model = version if isinstance(version, str) and version.strip() else "prediction"
        mark = one.get("id") or (model, repr(answers))
        if answers and repr(mark) not in seen:
            seen.add(repr(mark))
            yield Prediction(line, fields, answers, model, one.get("score"), scores)


def _asked(those: Iterable[Annotation | Prediction]) -> dict[str, str]:
    """Kinds of all questions, in the order in which they come."""
    found: dict[str, str] = {}
    for one in those:
        for name, answers in one.answers.items():
            for type_, value in answers:
                kind = _kind(type_, value)
                if name not in found or kind in {SEVERAL, REGIONS}:
                    found[name] = kind
            if found[name] == ONE and len(answers) > 1:
                found[name] = SEVERAL
    return found


def _kind(type_: str, value: Any) -> str:
    if isinstance(value, dict) and not PLACES.isdisjoint(value):
        return REGIONS
    kind = KINDS.get(type_, REGIONS)
    given = value.get(type_) if isinstance(value, dict) else None
    return SEVERAL if kind == ONE and isinstance(given, list) and len(given) > 1 else kind


def parts(type_: str, value: Any) -> list[str]:
    """What an answer consists of: choices, or paths of a taxonomy.

    Raises
    ------
    ValueError
        It is damaged.
    """
    given = value.get(KEYS.get(type_, type_)) if isinstance(value, dict) else None
    found = []
    for one in given if isinstance(given, list) else [given]:
        path = [step for step in (one if isinstance(one, list) else [one]) if isinstance(step, str)]
        if not path or len(path) < (len(one) if isinstance(one, list) else 1):
            raise ValueError("is damaged")
        found.append("/".join(path))
    return found


def _parsed(cells: Mapping[str, str]) -> Mapping[str, Any]:
    """Cells of a table, those of JSON as what they hold."""
    found: dict[str, Any] = dict(cells)
    for name, cell in cells.items():
        if cell[:1] in {"[", "{"}:
            try:
                found[name] = records.parsed_json(cell)
            except ValueError:
                continue
    return found


def _flat(path: Path, digest: _Hash, names: list[str], rows: Sequence[tuple[int, Mapping[str, Any], str]]) -> Export:
    """The exports with a field a question."""
    possible = [name for name in names if name not in FLAT]
    answers = {name: [_flat_answers(cells.get(name)) for _, cells, _ in rows] for name in possible}
    questions, guessed = _flat_questions([cells for _, cells, _ in rows], answers)
    annotations = [
        Annotation(line, cells, {name: answers[name][n] for name in possible if answers[name][n]}, fault)
        for n, (line, cells, fault) in enumerate(rows)
    ]
    return Export(path, digest, "annotator", names, annotations, [], questions, guessed)


def _flat_answers(value: Any) -> list[tuple[str, Any]]:
    """Types and values of what was answered; text of which nobody knows whether it is data is a choice."""
    found = []
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            type_ = next((TYPES[key] for key in TYPES if key in one), "")
            found.append((type_, one))
        elif isinstance(one, str) and one.strip():
            found.append(("choices", {"choices": [one]}))
        elif isinstance(one, bool):
            found.append(("choices", {"choices": [str(one).lower()]}))
    return found


def _flat_questions(
    rows: Sequence[Mapping[str, Any]], answers: Mapping[str, Sequence[Sequence[tuple[str, Any]]]]
) -> tuple[dict[str, str], bool]:
    """Kinds of the questions, and whether that is a guess.

    Data are alike in all annotations of a task, answers are not, or have a form of their own.
    """
    few = max(FEW, len(rows) // 4)
    found, alike = {}, {}
    for name in answers:
        given = [(repr(cells.get("id")), repr(cells.get(name))) for cells in rows if cells.get(name) not in NOTHING]
        n_different = len({value for _, value in given})
        values = [cells.get(name) for cells in rows]
        kinds = _asked(Annotation(0, answers={name: one}) for one in answers[name] if one)
        has_form = any(isinstance(value, dict) or _is_list_of_objects(value) for value in values)
        if has_form and any(type_ for one in answers[name] for type_, _ in one):
            found[name] = kinds[name]
        elif len(set(given)) > len({task for task, _ in given}):
            found[name] = kinds.get(name, TEXT) if n_different <= few else TEXT
        elif 1 < n_different <= few and n_different < len(given):
            alike[name] = ONE
    if len(alike) == 1 and not any(kind in CLOSED for kind in found.values()):
        return found | alike, True
    return found, False


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)
