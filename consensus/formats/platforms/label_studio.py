"""Exports of Label Studio: JSON (tasks with annotations), JSON-MIN and CSV (an annotation a row).

Read is one question with fixed answers (choices, taxonomy, rating); free text and numbers only if they are named.
Assumed is:

- An item is the task (``id``). Tasks that went out again (``consensus requeue``) have other ids: there it is
  ``consensus_item``. A column of the data may be named instead, such as ``image``. Of what was uploaded, the beginning
  that the server gave to the file (``/data/upload/7/0a1b2c3d-``) is cut where items stay apart without it.
- A worker is who completed the annotation: a number, or in an object its ``id``. Where there is only an e-mail, the
  worker is called "annotator" and the first 8 digits of its SHA-256.
- What was cancelled, and annotations without an answer to the question, are abstains. Drafts are no annotations.
- Several choices, and several paths of a taxonomy, are one label: a set, in order. A path is written "a/b"; a taxonomy
  of several roots is a question a root, too ("topic/Animal").
- ``ground_truth`` is a star that somebody gave to a worker's own annotation, often to one of every task: it is gold
  only where the file is named as gold, too.
- Predictions are votes of models, each version a model of its own. A score above 0 and up to 1, of the answer or of a
  prediction that answers nothing else, is the probability of the label; other scores are passed over.
- ``created_at`` is the time (``updated_at`` moves when somebody reviews), ``lead_time`` the duration in seconds, with
  whatever the worker did besides.
- JSON-MIN and CSV do not tell data from answers: an answer differs within a task, or is written as one.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from consensus.errors import FormatError
from consensus.formats.gold_columns import GoldRoles
from consensus.formats.platforms import people, records
from consensus.formats.platforms.label_studio_records import EXPORT, FLAT, PERSONS, Annotation, Export, exported, parts
from consensus.formats.platforms.questions import TREE, chosen, described, joined
from consensus.formats.platforms.records import Judged
from consensus.formats.platforms.seam import ITEM, OURS, is_ours
from consensus.formats.tables.roles import KEEP, missing
from consensus.formats.tables.streams import displayed
from consensus.formats.tables.text_form import PLAIN
from consensus.inputs.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from consensus.formats.platforms.seam import Head
    from consensus.formats.tables.blocks import Reading
    from consensus.formats.tables.roles import Roles
    from consensus.formats.tables.text_form import TextForm

NAME = "label-studio"
TITLE = EXPORT
TASK = re.compile(rb'"annotations"\s*:\s*\[')
OF_ANNOTATIONS = [
    re.compile(rb'"%s"\s*:' % key) for key in (b"completed_by", b"was_cancelled", b"from_name", b"lead_time")
]
OF_ROWS = [re.compile(rb'"%s"\s*:' % key) for key in (b"annotation_id", b"annotator")]
UPLOAD = re.compile(r"^(?:https?://[^/]+)?/?data/upload/(?:\d+/)?[0-9a-f]{8}-")


def sniff(head: Head) -> bool:
    """Whether a file is an export: by keys of its objects, or the names of its columns."""
    start = head.text
    if start[:1] in {b"[", b"{"}:
        if all(key.search(start) for key in OF_ROWS):
            return True
        return bool(TASK.search(start)) and sum(bool(key.search(start)) for key in OF_ANNOTATIONS) > 1
    if b"annotation_id" not in start:
        return False
    columns = set(head.columns)
    return columns.issuperset({"annotation_id", "annotator"}) and len(columns.intersection(FLAT)) > 3


def read(path: Path, roles: Roles, form: TextForm = PLAIN) -> Reading:
    """The annotations of an export on one question, what models predicted, and the starred ones where gold is wanted.

    Raises
    ------
    FormatError
        The file can't be read or is no export, it asks several questions and none is named, or there is no such field.
    """
    export = exported(path, form)
    columns, question = _columns(export, roles)
    names = _names_of_items(export, columns["item"])
    judged = [_judged(one, columns, question, names) for one in export.annotations]
    starred = [
        one
        for one, given in zip(judged, export.annotations, strict=True)
        if given.fields.get("ground_truth") is True and one.cells.get("label")
    ]
    said = _said(export, question)
    votes = _votes(export, columns["item"], question, names)
    said += _said_of_models(export, votes)
    said += _said_of_stars(starred, judged, roles)
    said += ["--platform none reads it as a plain table"]
    asked = described(question, export.questions.get(question, ""))
    begin = f"{PurePath(displayed(path)).name} is a {TITLE}: item {columns['item']}, worker {columns['worker']}, label "
    gold = [Judged(one.line, {role: one.cells[role] for role in ("item", "label")}) for one in starred]
    made: dict[str, Any] = {"digest": export.digest, "platform": TITLE}
    return replace(
        records.reading(
            path,
            judged,
            tuple(columns),
            columns=columns,
            header=[*export.names, *(name for name in export.questions if name not in export.names)],
            note=lambda: "; ".join([begin + asked, *said]),
            **made,
        ),
        gold=records.reading(path, gold, ("item", "label"), **made) if gold and roles.lenient else None,
        votes=records.reading(path, votes, ("item", "model", "label", "probability"), **made) if votes else None,
    )


def _columns(export: Export, roles: Roles) -> tuple[dict[str, str], str]:
    """The field of each role, and the question."""
    known = {*export.names, *export.questions}
    given = {
        role: _plain(name) if role.startswith(KEEP) else name
        for role, name in roles.named.items()
        if name and role != "label" and not (roles.lenient and _plain(name) not in known)
    }
    for role, name in given.items():
        if _plain(name) not in known:
            raise FormatError(f"{missing(sorted(known), role, name, 'field')}", export.path)
    asked = {name: kind for name, kind in export.questions.items() if name not in roles.set_apart}
    label = roles.named.get("label")
    roots = [f"{name}/{root}" for name, kind in asked.items() if kind == TREE for root in _roots(export, name)]
    also = [*roots, *(export.names if not export.predictions and export.worker == "annotator" else ())]
    if roles.lenient and label not in {*asked, *also}:
        label = None
    question = chosen(export.path, TITLE, asked, label, also)
    columns = {
        "item": ITEM if ITEM in known else "id",
        "worker": export.worker,
        "timestamp": "created_at",
        "duration": "lead_time",
    }
    columns = {role: name for role, name in columns.items() if role in {"item", "worker"} or name in known}
    return {**columns, **given, "label": question}, question


def _plain(name: str) -> str:
    return name.removeprefix("data.")


def _judged(one: Annotation, columns: Mapping[str, str], question: str, names: Mapping[str, str]) -> Judged:
    """The judgment of an annotation."""
    cells: dict[str, str | None] = {}
    fault = one.fault
    for role, name in columns.items():
        if role != "label":
            try:
                cells[role] = _cell(one, name)
            except ValueError as error:
                fault = fault or records.fault_of(role, error)
    item = cells.get("item")
    cells["item"] = None if item is None else names.get(item, item)
    if not one.cancelled and not fault:
        try:
            cells["label"] = _label(one.answers, question)
        except ValueError as error:
            fault = f"the label {error}"
    return Judged(one.line, cells, fault)


def _cell(one: Annotation, name: str) -> str | None:
    """A field as text.

    Raises
    ------
    ValueError
        It holds several values.
    """
    if name in one.answers:
        return _label(one.answers, name)
    value = one.fields.get(name)
    if name in PERSONS:
        return _person(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, dict)):
        raise ValueError("holds several values")
    return value or None


def _person(value: Any) -> str | None:
    """Who it is; by a made name where there is only an e-mail."""
    if isinstance(value, dict):
        value = next((value[key] for key in ("id", "email") if isinstance(value.get(key), str)), None)
    if not isinstance(value, str) or not value.strip():
        return None
    return people.called(value)


def _label(answers: Mapping[str, Sequence[tuple[str, Any]]], question: str) -> str | None:
    """What was answered, as one label; None where nothing was.

    Raises
    ------
    ValueError
        The answer is damaged.
    """
    if question in answers or "/" not in question:
        return joined(part for type_, value in answers.get(question, ()) for part in parts(type_, value))
    name, _, root = question.partition("/")
    paths = [path for type_, value in answers.get(name, ()) for path in parts(type_, value)]
    return joined(path.removeprefix(f"{root}/") for path in paths if f"{path}/".startswith(f"{root}/"))


def _roots(export: Export, question: str) -> list[str]:
    """The roots of a taxonomy, if there are several."""
    found: dict[str, None] = {}
    for one in export.annotations:
        for type_, value in one.answers.get(question, ()):
            try:
                found |= dict.fromkeys(path.partition("/")[0] for path in parts(type_, value))
            except ValueError:
                continue
    return sorted(found) if len(found) > 1 else []


def _names_of_items(export: Export, name: str) -> dict[str, str]:
    """Names of what was uploaded without their beginnings, where they stay apart."""
    given = {value for one in export.annotations if isinstance(value := one.fields.get(name), str)}
    cut = {value: UPLOAD.sub("", value) for value in given if UPLOAD.match(value)}
    times = Counter([*cut.values(), *(value for value in given if value not in cut)])
    return {value: short for value, short in cut.items() if short and times[short] == 1}


def _votes(export: Export, item: str, question: str, names: Mapping[str, str]) -> list[Judged]:
    """What models said about the question."""
    found = []
    for one in export.predictions:
        try:
            named = _cell(Annotation(one.line, one.fields), item)
            label = _label(one.answers, question)
        except ValueError:
            continue
        if named is None or label is None or is_ours(one.model):
            continue
        score = one.scores.get(question) or (one.score if len(one.answers) == 1 else None)
        cells = {"item": names.get(named, named), "model": one.model, "label": label, "probability": _share(score)}
        found.append(Judged(one.line, cells))
    return found


def _share(score: Any) -> str | None:
    """A score that is a probability, None otherwise."""
    try:
        return score if isinstance(score, str) and 0 < float(score) <= 1 else None
    except ValueError:
        return None


def _said(export: Export, question: str) -> list[str]:
    """What is to be known of the question and its answers."""
    said = []
    if export.guessed and question in export.questions:
        said.append(f"nothing but its few different values tells that {question} is the question, which is a guess")
    roots = _roots(export, question) if export.questions.get(question) == TREE else []
    if roots:
        one = shlex.quote(f"{question}/{roots[0]}")
        said.append(f"--label {one} reads what stands below one of its {counted(len(roots), 'root')}")
    n_cancelled = sum(one.cancelled for one in export.annotations)
    if n_cancelled:
        said.append(f"annotations that were cancelled, and have no label: {n_cancelled:,}")
    mails = {
        name
        for one in export.annotations
        if (name := _person(one.fields.get(export.worker))) and name.startswith(people.MADE)
    }
    if mails:
        said.append(f"workers named by a digest of their e-mail: {len(mails):,}")
    return said


def _said_of_models(export: Export, votes: Sequence[Judged]) -> Iterator[str]:
    """What is to be known of predictions."""
    if votes:
        n_models = len({one.cells["model"] for one in votes})
        yield (
            f"predictions that are votes of models: {len(votes):,} of {counted(n_models, 'model')} (unless "
            "--model-votes names others, or none)"
        )
    n_ours = sum(is_ours(one.model) for one in export.predictions)
    if n_ours:
        yield f'{counted(n_ours, "prediction")} of "{OURS}", labels that went out, and no votes'
    n_began = sum(bool(one.fields.get("parent_prediction")) for one in export.annotations)
    if n_began:
        yield f"annotations that began as a prediction, and may lean to it: {n_began:,}"


def _said_of_stars(starred: Sequence[Judged], judged: Sequence[Judged], roles: Roles) -> list[str]:
    """What is to be known of the ground truth; told of gold, too, where it is wanted."""
    if not starred:
        return []
    n_items = len({one.cells["item"] for one in judged if not one.fault})
    n_starred = len({one.cells["item"] for one in starred})
    if isinstance(roles, GoldRoles):
        workers = len({one.cells["worker"] for one in starred})
        roles.notes.append(
            f"gold is what has a star (ground_truth) in the {TITLE}: {n_starred:,} of {n_items:,} items, by "
            f"{workers:,} of its own workers, who are right there by definition"
            + ("; every item has gold, so no label is left to find" if n_starred == n_items else "")
        )
    return [
        f"ground_truth on {n_starred:,} of {n_items:,} items marks judgments like others, unless --gold names "
        "this file, too"
    ]
