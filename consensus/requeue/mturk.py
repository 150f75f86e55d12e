"""Mechanical Turk: the file of inputs for a new batch.

Assumed is:

- A batch takes a table of the variables of its template: the ``Input.`` columns without that word. An item comes back
  by these: the reader tells items by what they show, and ``consensus_item`` comes back as ``Input.consensus_item``.
- All HITs of a batch have as many assignments: ``consensus_judgments`` tells how many are wanted, for HITs that go out
  in batches of their own.
- There is no report of labels of the platform's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consensus.errors import ConfigError
from consensus.formats.platforms.mturk import NAME
from consensus.requeue import original, rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from consensus.requeue.original import Original
    from consensus.requeue.tasks import Task
    from consensus.runs import Run

__all__ = ["ENDING", "NAME", "TAKES_GOLD", "again"]

ENDING = ".csv"
TAKES_GOLD = False
INPUT = "Input."


def again(run: Run, files: tuple[Path, ...], asked: Sequence[Task], _gold: bool) -> tuple[bytes, list[str]]:
    """Inputs of a new batch, one row a HIT."""
    held = original.original(run.result.judgments, files, lambda name: name.startswith(INPUT))
    if not held.columns:
        raise ConfigError(f"--to {NAME}: the judgments have no columns {INPUT}, so nothing tells what a HIT shows")
    at = {item: n for n, item in enumerate(run.result.judgments.item_ids.to_pylist())}
    made = [
        [*(cells[at[task.item]] if task.item in at else None for cells in held.columns.values()), str(task.judgments)]
        for task in asked
    ]
    return rows.written(
        [*(name.removeprefix(INPUT) for name in held.columns), "consensus_judgments"], made
    ), _next_step(held)


def _next_step(held: Original) -> list[str]:
    """Items are told by what a task shows; which column that is must be the same in both files."""
    named = f'--item "{held.item}"' if held.item in held.columns else ""
    return [*held.said(), original.next_step(held.files, named)]
