"""doccano: examples to import as JSON lines, without labels; the labels as its export lists them.

Assumed is (``backend/data_import`` and ``backend/data_export`` in github.com/doccano/doccano, versions 1.5 to 1.8):

- An example that is imported gets another ``id``. Columns beside its text and label are kept with it, and come back in
  the export: so does ``consensus_item``, which the reader takes for the item.
- An import looks for the text in ``text`` and for labels in ``label``, or in columns that whoever imports may name;
  where intents are told, in ``cats`` and ``entities``. A column of labels that is missing is an error, an empty list is
  none.
- Labels that are imported are the answer of who imports them. So what is asked again has none.
- Pictures and sounds are imported as files, and never from JSON lines.
- All annotators see all examples: nobody is told how many are wanted, but by ``consensus_judgments`` beside the text.
- Comments, approvals, and who annotated, are not written.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from consensus.errors import ConfigError
from consensus.formats.platforms.doccano import ANNOTATIONS, LABELS, NAME, NOT_ITEMS
from consensus.formats.platforms.seam import ITEM
from consensus.requeue import objects, tasks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from consensus.requeue.tasks import Task
    from consensus.runs import Run

__all__ = ["ENDING", "NAME", "TAKES_GOLD", "again", "report"]

ENDING = ".jsonl"
TAKES_GOLD = False
TEXT, DATA = "text", "data"
MARKED = ("entities", "relations")
OURS = (ITEM, "consensus_reason", "consensus_judgments", "consensus_status", "consensus_confidence")


def again(run: Run, files: tuple[Path, ...], asked: Sequence[Task], _gold: bool) -> tuple[bytes, list[str]]:
    """Examples to import, the most valuable one first."""
    held = _held(run, files, asked)
    said = [objects.next_step(run.result.judgments, files)]
    made = []
    for task in asked:
        example = held[task.item]
        if not any(isinstance(example.get(name), str) for name in (TEXT, DATA)):
            raise ConfigError(
                f"--to {NAME}: the examples have no text, and pictures and sounds are imported as files: import those "
                "that escalations.csv lists"
            )
        why = {ITEM: task.item, "consensus_reason": task.reason, "consensus_judgments": task.judgments}
        made.append({**_uploaded(example), **_no_labels(example), **why})
    if any(TEXT not in one for one in made):
        said.append(f'the text stands in "{DATA}": name that as the column of data when you import')
    return _lines(made), said


def report(run: Run, files: tuple[Path, ...]) -> tuple[bytes, list[str]]:
    """All examples with their labels; a list without any where the label is open."""
    judgments = run.result.judgments
    question = next(one.name for one in judgments.understood if one.role == "label")
    every = tasks.with_labels(run)
    held = _held(run, files, every)
    if question not in LABELS or any(ANNOTATIONS in one for one in held.values()):
        raise ConfigError(
            f'--to {NAME}: labels "{question}" are none that an export of doccano lists by their names; use labels.csv'
        )
    records = objects.every(files, objects.objects_of(judgments))
    given = objects.as_given(one.get(question) for one in records)
    made = []
    for task in every:
        labels = [] if task.label is None else given.get(task.label, [task.label])
        sure = None if task.confidence is None else round(task.confidence, 6)
        found = {ITEM: task.item, "consensus_status": task.reason, "consensus_confidence": sure}
        example = held[task.item]
        made.append({"id": example.get("id"), **_uploaded(example), **_no_labels(example), question: labels, **found})
    return _lines(made), ["import these labels only where they may count as answers of the account that imports them"]


def _held(run: Run, files: tuple[Path, ...], every: Sequence[Task]) -> dict[str, dict[str, Any]]:
    judgments = run.result.judgments
    wanted = {task.item for task in every}
    return objects.by_item(files, objects.objects_of(judgments), objects.item_of(judgments), wanted)


def _uploaded(example: dict[str, Any]) -> dict[str, Any]:
    """Its text and the columns beside that."""
    return {key: value for key, value in example.items() if key not in {"id", *NOT_ITEMS, *OURS}}


def _no_labels(example: dict[str, Any]) -> dict[str, list[Any]]:
    return {key: [] for key in example if key in LABELS or key in MARKED} or {LABELS[0]: []}


def _lines(made: Iterable[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in made).encode("utf-8")
