"""Prodigy: tasks as JSON lines, without the answers that they had.

Assumed is:

- ``_input_hash`` and ``_task_hash`` are made from what a task shows, so that an answer comes back to its item.
- ``meta`` is shown beside a task: there stand why it is asked again, and for how many more answers.
- A report is the same lines with the label as the answer that was accepted: of tasks with ``options`` only.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from consensus.errors import ConfigError
from consensus.formats.platforms.prodigy import CHOICE, NAME
from consensus.formats.tables.nested import value_at
from consensus.inputs.counted import counted
from consensus.requeue import objects, original, tasks
from consensus.requeue.rows import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from consensus.requeue.tasks import Task
    from consensus.runs import Run

__all__ = ["ENDING", "NAME", "TAKES_GOLD", "again", "report"]

ENDING = ".jsonl"
TAKES_GOLD = False
ANSWERED = ("accept", "answer", "_annotator_id", "_session_id", "_timestamp", "_view_id", "versions", "sessions")
"""What an answer adds to a task."""


def again(run: Run, files: tuple[Path, ...], asked: Sequence[Task], _gold: bool) -> tuple[bytes, list[str]]:
    """Tasks, the most valuable one first."""
    held = _held(run, files, {task.item for task in asked})
    made = []
    for task in asked:
        one = _unanswered(held[task.item])
        meta = {"why": task.reason, "p": number(task.confidence), "judgments": task.judgments}
        one["meta"] = {**_meta(one), **meta}
        made.append(one)
    return _lines(made), [original.next_step(files)]


def report(run: Run, files: tuple[Path, ...]) -> tuple[bytes, list[str]]:
    """Tasks with the label as their answer; those whose label is open are left out."""
    labels = tasks.labelled(run)
    labels = labels[labels["label"].notna()]
    held = _held(run, files, set(labels["item"]))
    made = []
    for item, label, sure, status in zip(
        labels["item"], labels["label"], labels["confidence"], labels["status"], strict=True
    ):
        if "options" not in held[item]:
            raise ConfigError(f"--to {NAME}: a report needs tasks with options; use labels.csv")
        one = _unanswered(held[item])
        meta = {**_meta(one), "p": number(sure), "status": status}
        made.append({**one, "accept": [label], "answer": "accept", "meta": meta})
    n_open = run.result.judgments.n_items - len(made)
    return _lines(made), [_said(n_open)] if n_open else []


def _held(run: Run, files: tuple[Path, ...], wanted: set[str]) -> dict[str, dict[str, Any]]:
    understood = {column.role: column.name for column in run.result.judgments.understood}
    keys = understood["item"].split(".")
    if understood["label"] not in {CHOICE, "answer"}:
        raise ConfigError(f'--to {NAME}: "{understood["label"]}" is a part of a question; nothing tells how to ask it')

    def item(task: dict[str, Any]) -> str | None:
        value = task.get(understood["item"], value_at(task, tuple(keys)))
        return None if value is None else str(value)

    return objects.by_item(files, _tasks, item, wanted)


def _tasks(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for line in file:
            try:
                one = json.loads(line)
            except ValueError:
                continue  # it was a reject
            if isinstance(one, dict):
                yield one


def _unanswered(task: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in task.items() if key not in ANSWERED}


def _meta(task: dict[str, Any]) -> dict[str, Any]:
    meta = task.get("meta")
    return meta if isinstance(meta, dict) else {}


def _lines(made: Iterable[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in made).encode("utf-8")


def _said(n_open: int) -> str:
    whose = counted(n_open, "item whose label is open is", "items whose labels are open are")
    return f"{whose} left out"
