"""Argilla 2: records as JSON, for ``dataset.records.from_json``; each has the label as a suggestion.

Assumed is (``Record.from_dict`` and ``Suggestion`` of the Python package 2.8; schemas and validators of the server,
``api/schemas/v1`` and ``validators`` in github.com/argilla-io/argilla):

- A record is told by its ``id``. It comes back in ``to_json`` and in data sets of Hugging Face; where the data set has
  the record already, it is updated. The REST interface gives another ``id``: ``consensus_item`` tells the item there.
- A suggestion has a value, a score from 0 to 1 and an agent; of a list of values, a score each. The score is the
  probability of the label; of a set of labels each has that of the set, which is the least that it can be.
- A label is a suggestion, not a response: a response belongs to an account of the server, and counts for the number of
  people that a record waits for. A record has one suggestion a question, so that ours stands in place of a model's.
- Metadata need a property of that name, or a data set that allows extra metadata. Names are made of a-z, 0-9, - and _.
- ``min_submitted`` is the same for all records of a data set, and stays once there are answers
  (``docs/how_to_guides/distribution.md``): records that have enough are shown again only in another data set.
- A value that is none of the question's is refused together with its batch. So a label that nobody gave in the files,
  such as one that was renamed, is no suggestion.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from consensus.errors import ConfigError
from consensus.formats.platforms.argilla import NAME, responses, suggestions
from consensus.formats.platforms.seam import ITEM, OURS
from consensus.inputs.counted import counted
from consensus.requeue import objects, tasks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from consensus.requeue.tasks import Task
    from consensus.runs import Run

__all__ = ["ENDING", "NAME", "TAKES_GOLD", "again", "report"]

ENDING = ".json"
TAKES_GOLD = False
REASON, JUDGMENTS, STATUS = "consensus_reason", "consensus_judgments", "consensus_status"

NEW = (
    "log them to a new data set: min_submitted is one number for all records, and a data set with answers keeps its "
    f"own; {JUDGMENTS} tells what each record needs"
)


def again(run: Run, files: tuple[Path, ...], asked: Sequence[Task], _gold: bool) -> tuple[bytes, list[str]]:
    """Records to ask again, the most valuable one first."""
    content, said = _written(run, files, asked)
    return content, [*said, NEW, objects.next_step(run.result.judgments, files)]


def report(run: Run, files: tuple[Path, ...]) -> tuple[bytes, list[str]]:
    """All records with their labels as suggestions."""
    return _written(run, files, tasks.with_labels(run))


def _written(run: Run, files: tuple[Path, ...], every: Sequence[Task]) -> tuple[bytes, list[str]]:
    judgments = run.result.judgments
    records = objects.objects_of(judgments)
    question = next(one.name for one in judgments.understood if one.role == "label")
    given = objects.as_given(_values(objects.every(files, records), question))
    held = objects.by_item(files, records, objects.item_of(judgments), {task.item for task in every})
    made, unknown = [], Counter[str]()
    for task in every:
        record = held[task.item]
        if not isinstance(record.get("fields"), dict):
            raise ConfigError(
                f"--to {NAME}: a data set of Hugging Face does not tell fields from metadata; write the records with "
                "dataset.records.to_json, and run that"
            )
        one: dict[str, Any] = {"id": task.item, "fields": record["fields"], "metadata": _metadata(record, task)}
        one["suggestions"] = {}
        if task.label in given:
            one["suggestions"][question] = _suggestion(given[task.label], task.confidence)
        elif task.label is not None:
            unknown[task.label] += 1
        made.append({**one, "vectors": record.get("vectors") or {}})
    said = [f"metadata: the data set needs the properties {_properties(every)}, or allow_extra_metadata"]
    if unknown:
        names = ", ".join(f'"{label}"' for label in sorted(unknown))
        said.append(
            f"{counted(unknown.total(), 'record')} without a suggestion: nobody answered {names} in the export, so "
            "nothing tells how the label is written"
        )
    return (json.dumps(made, ensure_ascii=False, indent=1) + "\n").encode("utf-8"), said


def _values(records: Iterable[dict[str, Any]], question: str) -> Iterator[Any]:
    """What people and models said to the question.

    Raises
    ------
    ConfigError
        Nobody was asked it.
    """
    is_asked = False
    for record in records:
        for _, _, answers, _ in responses(record, (question,)):
            is_asked = is_asked or answers.get(question) is not None
            yield answers.get(question)
        yield from (value for name, _, value, _ in suggestions(record) if name == question)
    if not is_asked:
        raise ConfigError(f'--to {NAME}: "{question}" is no question of the records; run one of theirs with --label')


def _metadata(record: dict[str, Any], task: Task) -> dict[str, Any]:
    """What the record had, and why it goes out."""
    metadata = record.get("metadata")
    found = metadata if isinstance(metadata, dict) else {}
    had = {key: value for key, value in found.items() if key not in {REASON, JUDGMENTS, STATUS}}
    why = {REASON: task.reason, JUDGMENTS: task.judgments} if task.judgments else {STATUS: task.reason}
    return {**had, ITEM: task.item, **why}


def _properties(every: Sequence[Task]) -> str:
    if any(task.judgments for task in every):
        return f"{ITEM} and {REASON} (terms), {JUDGMENTS} (integer)"
    return f"{ITEM} and {STATUS} (terms)"


def _suggestion(value: Any, confidence: float | None) -> dict[str, Any]:
    score = None if confidence is None else round(confidence, 6)
    is_set = isinstance(value, list) and score is not None
    return {"value": value, "score": [score] * len(value) if is_set else score, "agent": OURS}
