"""Tasks of a Label Studio server as judgments and votes, as the reader of its exports takes them."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from consensus.errors import ConfigError
from consensus.formats.platforms.label_studio_records import exported, parts
from consensus.formats.platforms.questions import joined
from consensus.formats.platforms.seam import OURS, is_ours
from consensus.formats.tables.text_form import PLAIN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consensus.live.label_studio_server import Question

VERSION = OURS + "@"
"""Begins the version of our own predictions."""
OF_ANNOTATIONS = ("id", "completed_by", "was_cancelled", "result", "created_at", "updated_at", "lead_time")
OF_PREDICTIONS = ("id", "model_version", "score", "result")


class Judged(NamedTuple):
    """A judgment."""

    annotation: int
    updated: str
    label: str | None
    """None where it was cancelled, or does not answer the question."""
    timestamp: str
    duration: str


@dataclass(frozen=True, slots=True)
class Answers:
    """What tasks hold; of each of them all, also where it is nothing."""

    judged: dict[str, dict[str, Judged]]
    """By task and worker; where somebody annotated a task several times, the last."""
    votes: dict[str, dict[str, tuple[str, str | None]]]
    """By task and model: label and probability."""
    n_damaged: int
    """Annotations that can't be read, and count as not given."""


def question_of(questions: Mapping[str, Question], field: str | None) -> Question:
    """The question that is meant.

    Raises
    ------
    ConfigError
        There is none, or several and none is named.
    """
    told = ", ".join(questions)
    if field is None and len(questions) == 1:
        return next(iter(questions.values()))
    if not questions:
        raise ConfigError("the project asks nothing with fixed answers (Choices, Taxonomy, Rating); name another")
    if field is None:
        raise ConfigError(f"the project asks several questions: {told}; choose one with --field")
    if field not in questions:
        raise ConfigError(f"--field {field}: the project asks no such question; choose one of: {told}")
    return questions[field]


def answers(tasks: Sequence[Mapping[str, Any]], field: str, people: Mapping[str, str] | None = None) -> Answers:
    """What ``tasks`` of a server say on the question ``field``; ``people`` are names of workers by id of the user."""
    slim = [
        {
            "id": task["id"],
            "annotations": [_slim(one, OF_ANNOTATIONS) for one in task["annotations"]],
            "predictions": [_slim(one, OF_PREDICTIONS) for one in task["predictions"]],
        }
        for task in tasks
    ]
    found = Answers({str(task["id"]): {} for task in slim}, {str(task["id"]): {} for task in slim}, 0)
    if not slim:
        return found
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tasks.json"
        path.write_text(json.dumps(slim), encoding="utf-8")
        export = exported(path, PLAIN)
    n_damaged = 0
    for one in export.annotations:
        of = one.fields
        worker = (people or {}).get(of["completed_by"], of["completed_by"])
        label = None
        try:
            label = None if one.cancelled or one.fault else _label(one.answers, field)
            n_damaged += bool(one.fault)
        except ValueError:
            n_damaged += 1
        judged = Judged(int(of["annotation_id"]), of["updated_at"], label, of["created_at"], of["lead_time"] or "")
        before = found.judged[of["id"]].get(worker)
        if before is None or before.annotation < judged.annotation:
            found.judged[of["id"]][worker] = judged
    for vote in export.predictions:
        if not is_ours(vote.model):
            try:
                said = _label(vote.answers, field)
            except ValueError:
                continue
            if said is not None:
                score = vote.scores.get(field) or (vote.score if len(vote.answers) == 1 else None)
                found.votes[vote.fields["id"]][vote.model] = (said, _share(score))
    return Answers(found.judged, found.votes, n_damaged)


def _slim(given: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """What is needed; who did it by the id alone."""
    slim = {name: given.get(name) for name in names}
    who = slim.get("completed_by")
    return {**slim, "completed_by": who["id"]} if isinstance(who, dict) else slim


def _label(given: Mapping[str, Sequence[tuple[str, Any]]], field: str) -> str | None:
    return joined(part for type_, value in given.get(field, ()) for part in parts(type_, value))


def _share(score: Any) -> str | None:
    """A score that is a probability, None otherwise."""
    try:
        return score if isinstance(score, str) and 0 < float(score) <= 1 else None
    except ValueError:
        return None


def prediction(task: str, question: Question, label: str, score: float | None, version: str) -> dict[str, Any]:
    """A label as the server takes it."""
    kind = question.kind.lower()
    value: Any
    if kind == "rating":
        value = int(float(label))
    else:
        each = [label] if label in question.labels else _apart(label)
        value = each if kind == "choices" else [one.split("/") for one in each]
    result = {"from_name": question.name, "to_name": question.target, "type": kind, "value": {kind: value}}
    return {"task": int(task), "model_version": version, "score": score, "result": [result]}


def _apart(label: str) -> list[str]:
    """The parts of a set that is one label (``questions.joined``)."""
    if label.startswith("["):
        try:
            return [str(one) for one in json.loads(label)]
        except ValueError:
            pass
    return label.split(" | ")
