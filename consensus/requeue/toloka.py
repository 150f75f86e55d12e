"""Toloka: tasks to upload with their overlap, and the table of aggregated answers.

Assumed is:

- A pool takes tasks with the ``INPUT:`` columns of its project, and no others. An item comes back by these: the reader
  tells items by what they show.
- ``TASK:overlap`` is how many people a task goes to.
- Control tasks (``GOLDEN:``) stay in the pool that they are in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consensus.errors import ConfigError
from consensus.formats.platforms.toloka import CONFIDENCE, INPUT, NAME, OUTPUT
from consensus.requeue import original, rows, tasks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from consensus.requeue.original import Original
    from consensus.requeue.tasks import Task
    from consensus.runs import Run

__all__ = ["ENDING", "NAME", "TAKES_GOLD", "again", "report"]

ENDING = ".tsv"
TAKES_GOLD = False
OVERLAP = "TASK:overlap"


def again(run: Run, files: tuple[Path, ...], asked: Sequence[Task], _gold: bool) -> tuple[bytes, list[str]]:
    """Tasks to upload."""
    held = _source(run, files)
    at = {item: n for n, item in enumerate(run.result.judgments.item_ids.to_pylist())}
    made = [
        [*(cells[at[task.item]] if task.item in at else None for cells in held.columns.values()), str(task.judgments)]
        for task in asked
    ]
    return rows.written([*held.columns, OVERLAP], made, "\t"), _next_step(held)


def report(run: Run, files: tuple[Path, ...]) -> tuple[bytes, list[str]]:
    """The aggregated answers: what was shown, the label, and how sure it is, as a percentage."""
    held = _source(run, files)
    question = held.question.removeprefix(OUTPUT)
    labels = tasks.labelled(run)
    made = (
        [
            *(cells[row] for cells in held.columns.values()),
            label if isinstance(label, str) else None,
            None if sure != sure else f"{100 * sure:.2f}%",
        ]
        for row, (label, sure) in enumerate(zip(labels["label"], labels["confidence"], strict=True))
    )
    header = [*held.columns, f"{OUTPUT}{question}", f"{CONFIDENCE}{question}"]
    return rows.written(header, made, "\t"), []


def _source(run: Run, files: tuple[Path, ...]) -> Original:
    held = original.original(run.result.judgments, files, lambda name: name.startswith(INPUT))
    if not held.columns:
        raise ConfigError(f"--to {NAME}: the judgments have no columns {INPUT}, so nothing tells what a task shows")
    return held


def _next_step(held: Original) -> list[str]:
    """Items are told by what a task shows; which column that is must be the same in both files."""
    named = f'--item "{held.item}"' if held.item in held.columns else ""
    return [*held.said(), original.next_step(held.files, named)]
