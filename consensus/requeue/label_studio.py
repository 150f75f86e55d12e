"""Label Studio: tasks to import, each with the label as a prediction.

Assumed is:

- A task that is imported gets another id: ``consensus_item`` in its data tells the item, and comes back in the export,
  whose reader takes it for the item.
- A prediction has one score: the probability of the label. ``model_version`` is "consensus".
- Annotations and predictions of others stay where they are: what is imported has none.
- The question is one of choices; of other kinds nothing tells how a label is written.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from consensus.errors import ConfigError
from consensus.formats.platforms.label_studio import NAME, UPLOAD
from consensus.formats.platforms.seam import ITEM, OURS
from consensus.requeue import objects, original, tasks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from consensus.requeue.tasks import Task
    from consensus.runs import Run

__all__ = ["ENDING", "NAME", "TAKES_GOLD", "again", "report"]

ENDING = ".json"
TAKES_GOLD = False
CHOICES = "choices"


def again(run: Run, files: tuple[Path, ...], asked: Sequence[Task], _gold: bool) -> tuple[bytes, list[str]]:
    """Tasks to import."""
    return _written(run, files, asked), [original.next_step(files)]


def report(run: Run, files: tuple[Path, ...]) -> tuple[bytes, list[str]]:
    """All tasks with their labels as predictions."""
    return _written(run, files, tasks.with_labels(run)), []


def _written(run: Run, files: tuple[Path, ...], every: Sequence[Task]) -> bytes:
    understood = {column.role: column.name for column in run.result.judgments.understood}
    field, named = understood["label"], understood["item"].removeprefix("data.")
    held = _held(files, named, {task.item for task in every})
    shapes = _shapes(held.values(), field)
    version = f"{OURS}@{tasks.digest_of(run)}"
    made = []
    for task in every:
        data = {**held[task.item].get("data", {}), ITEM: task.item}
        meta = {"consensus_judgments": task.judgments, "consensus_reason": task.reason}
        meta = meta if task.judgments else {"consensus_status": task.reason}
        one: dict[str, Any] = {"data": data, "meta": meta}
        if task.label is not None:
            result = {**shapes, "type": CHOICES, "value": {CHOICES: [task.label]}}
            score = None if task.confidence is None else round(task.confidence, 6)
            one["predictions"] = [{"model_version": version, "score": score, "result": [result]}]
        made.append(one)
    return (json.dumps(made, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def _held(files: tuple[Path, ...], named: str, wanted: set[str]) -> dict[str, dict[str, Any]]:
    """The tasks of items. What was uploaded may be called without the beginning that the server gave it."""
    names = [name.removeprefix("data.") for name in named.split(objects.SEVERAL)]
    names.sort(key=lambda name: name != ITEM)  # what went out before is told by it

    def item(task: dict[str, Any]) -> str | None:
        found = (task.get(name, task.get("data", {}).get(name)) for name in names)
        value = next((one for one in found if one is not None), None)
        if isinstance(value, str) and value not in wanted:
            return UPLOAD.sub("", value)
        return None if value is None else str(value)

    return objects.by_item(files, _tasks, item, wanted)


def _tasks(path: Path) -> Iterator[dict[str, Any]]:
    """Those of a file.

    Raises
    ------
    ConfigError
        It is a flat export, which has no tasks.
    """
    try:
        told = json.loads(path.read_bytes())
    except ValueError:  # CSV
        told = None
    every = told if isinstance(told, list) else [told]
    if not any(isinstance(one, dict) and "annotations" in one for one in every):
        raise ConfigError(f"--to {NAME}: a flat export (CSV, JSON-MIN) has no tasks; export JSON, and run that")
    return (one for one in every if isinstance(one, dict))


def _shapes(tasks: Iterable[dict[str, Any]], field: str) -> dict[str, str]:
    """What an answer to the question is from and to.

    Raises
    ------
    ConfigError
        It is none of choices.
    """
    for task in tasks:
        for one in [*(task.get("annotations") or []), *(task.get("predictions") or [])]:
            for answer in one.get("result") or [] if isinstance(one, dict) else []:
                if isinstance(answer, dict) and answer.get("from_name") == field and answer.get("type") == CHOICES:
                    return {"from_name": field, "to_name": str(answer.get("to_name"))}
    raise ConfigError(f'--to {NAME}: "{field}" is no question of choices, so nothing tells how a label is written')
