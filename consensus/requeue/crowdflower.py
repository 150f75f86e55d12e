"""CrowdFlower, later Figure Eight and Appen: rows to upload, test questions, the aggregated report.

Assumed is:

- Who uploads rows again gets units with other ids: ``consensus_item`` tells the item. It comes back in the full report
  like any column of the upload, and the reader takes it for the item.
- ``_golden`` and ``<field>_gold`` make a row a test question. Ours are proposals: somebody has to look at them.
- The platform asks for as many judgments of each unit as the job says: ``consensus_judgments`` tells how many are
  wanted, for rows that go out in jobs of their own.
- In the aggregated report ``<field>:confidence`` is the probability of the label, where the platform writes the share
  of trust. ``_unit_state`` is golden, finalized (accepted) or judgable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.formats.platforms.crowdflower import COPIES, GOLD, NAME, REASON
from consensus.formats.platforms.seam import ITEM
from consensus.inputs.counted import counted
from consensus.requeue import original, rows, tasks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from consensus.requeue.original import Original
    from consensus.requeue.tasks import Task
    from consensus.runs import Run

__all__ = ["ENDING", "NAME", "TAKES_GOLD", "again", "report"]

ENDING = ".csv"
TAKES_GOLD = True
OURS = (ITEM, "consensus_judgments", "consensus_reason")


def again(run: Run, files: tuple[Path, ...], asked: Sequence[Task], gold: bool) -> tuple[bytes, list[str]]:
    """Rows to upload, with their source columns; with ``gold``, rows of proposed test questions behind them."""
    return again_of(run, _source(run, files), asked, gold)


def again_of(run: Run, held: Original, asked: Sequence[Task], gold: bool) -> tuple[bytes, list[str]]:
    """The same with what a report ``held``."""
    at = {item: n for n, item in enumerate(run.result.judgments.item_ids.to_pylist())}
    names = [name for name in held.columns if name not in OURS]
    made = [
        [task.item, str(task.judgments), task.reason, *(_cell(held, name, at.get(task.item)) for name in names)]
        for task in asked
    ]
    header, said = [*OURS, *names], held.said()
    said.append(original.next_step(held.files, f'--label "{held.question}"'))
    if gold:
        proposed = run.table("new_gold")
        header += ["_golden", held.question + GOLD, held.question + REASON]
        made = [[*row, "FALSE", None, None] for row in made]
        asked_for = {task.item for task in asked}
        left = proposed[~proposed["item"].isin(asked_for)]
        for item, label, why in zip(left["item"], left["label"], left["reason"], strict=True):
            cells = (_cell(held, name, at.get(item)) for name in names)
            made.append([item, None, "proposed test question", *cells, "TRUE", label, why])
        said.append(f"{counted(len(left), 'test question is', 'test questions are')} proposed: look at each before use")
    return rows.written(header, made), said


def report(run: Run, files: tuple[Path, ...]) -> tuple[bytes, list[str]]:
    """The aggregated report: one row an item."""
    return report_of(run, _source(run, files))


def report_of(run: Run, held: Original) -> tuple[bytes, list[str]]:
    """The same with what a full report ``held``."""
    labels = tasks.labelled(run)
    names = [name for name in held.columns if name not in (*OURS, "_unit_id")]
    is_gold = (labels["status"] == "gold").to_numpy()
    accepted = labels["status"].isin(["accepted", "gold"]).to_numpy()
    state = np.where(is_gold, "golden", np.where(accepted, "finalized", "judgable"))
    field = held.question
    header = ["_unit_id", "_golden", "_unit_state", "_trusted_judgments", field, f"{field}:confidence", *names]
    made = (
        [
            item,
            "true" if golden else "false",
            kind,
            str(n),
            label if isinstance(label, str) else None,
            rows.number(sure),
            *(_cell(held, name, row) for name in names),
        ]
        for row, (item, golden, kind, n, label, sure) in enumerate(
            zip(
                labels["item"],
                is_gold.tolist(),
                state.tolist(),
                labels["n_judgments"],
                labels["label"],
                labels["confidence"],
                strict=True,
            )
        )
    )
    said = [f"{field}:confidence is the probability of the label; the platform's own is a share of trust"]
    return rows.written(header, made), [*said, *held.said()]


def _source(run: Run, files: tuple[Path, ...]) -> Original:
    """The columns of the upload."""
    return original.original(run.result.judgments, files, is_source)


def is_source(name: str) -> bool:
    """Whether a column may be of the upload: not the platform's own, and no field that workers filled in."""
    return not name.startswith(("_", COPIES)) and not name.endswith((GOLD, REASON))


def _cell(held: Original, name: str, row: int | None) -> str | None:
    return None if row is None else held.columns[name][row]
