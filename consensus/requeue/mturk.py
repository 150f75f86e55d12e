"""Mechanical Turk: the file of inputs for a new batch.

Assumed is:

- A batch takes a table of the variables of its template: the ``Input.`` columns without that word. An item comes back
  by these: the reader tells items by what they show.
- All HITs of a batch have as many assignments: ``consensus_judgments`` tells how many are wanted, for HITs that go out
  in batches of their own.
- There is no report of labels of the platform's own.
- Who uploads the results file with ``x`` in ``Approve``, or a reason in ``Reject``, pays for an assignment or does not.
  ``review`` fills these in where an assignment waits for it, and nothing else. It rejects only workers whom the audit
  is sure of: verdict spammer or adversarial, with a probability of SURE or more, after LEAST judgments. Everybody else
  is approved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consensus.errors import ConfigError, FormatError
from consensus.formats import sources
from consensus.formats.platforms.mturk import NAME
from consensus.formats.platforms.records import Table
from consensus.inputs.counted import counted
from consensus.requeue import original, rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from consensus.requeue.original import Original
    from consensus.requeue.tasks import Task
    from consensus.runs import Run

__all__ = ["ENDING", "NAME", "TAKES_GOLD", "again", "review"]

ENDING = ".csv"
TAKES_GOLD = False
INPUT = "Input."
REFUSED = ("spammer", "adversarial")
SURE, LEAST = 0.99, 30
APPROVE, REJECT, STATUS, WORKER = "Approve", "Reject", "AssignmentStatus", "WorkerId"
WAITING = "submitted"


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


def review(run: Run, files: tuple[Path, ...]) -> tuple[bytes, list[str]]:
    """The results file with decisions about the assignments that wait for one; of several files, one after the other.

    Raises
    ------
    ConfigError
        Workers have pseudonyms, files have other columns, or have none of those that tell who did what.
    FormatError
        A row can't be read, so that it would be lost.
    """
    judgments = run.result.judgments
    if judgments.renaming.key is not None:
        raise ConfigError(
            "--approve: workers have pseudonyms, and the platform knows their ids; run without --pseudonyms"
        )
    reasons = _refused(run)
    header: list[str] = []
    made, n_approved, n_rejected, hit = [], 0, 0, set[str]()
    for path in files:
        with sources.opened(path) as opened:
            assert opened is not None
            for file in opened.files:
                table = Table.of(file.path)
                if not {STATUS, WORKER} <= set(table.names) or (header and header != table.names):
                    raise ConfigError(
                        f"--approve: {file.shown} is no results file with {STATUS} and {WORKER}, as all must be"
                    )
                header = table.names
                for row in table.rows():
                    if row.fault:
                        raise FormatError(
                            f"{row.fault}; correct it, for no row may be lost", f"{file.shown}:{row.line}"
                        )
                    cells = dict(row.cells)
                    worker, is_decided = cells[WORKER], cells.get(APPROVE, "") or cells.get(REJECT, "")
                    if cells[STATUS].strip().lower() == WAITING and not is_decided:
                        refused = reasons.get(worker)
                        cells[REJECT if refused else APPROVE] = refused or "x"
                        n_rejected, n_approved = n_rejected + bool(refused), n_approved + (not refused)
                        hit |= {worker} if refused else set()
                    made.append(cells)
    names = [*header, *(name for name in (APPROVE, REJECT) if name not in header)]
    said = [f"{counted(n_approved, 'assignment')} approved, {n_rejected:,} rejected of {counted(len(hit), 'worker')}"]
    said += ["read each reason before you upload it: a rejection stays with a worker"] if hit else []
    return rows.written(names, ([cells.get(name) for name in names] for cells in made)), said


def _refused(run: Run) -> dict[str, str]:
    """Why workers are rejected, by their id."""
    told = run.workers
    sure = told["verdict"].isin(REFUSED) & (told["verdict_probability"] >= SURE) & (told["n_judgments"] >= LEAST)
    return dict(zip(told["worker"][sure], told["reason"][sure], strict=True))


def _next_step(held: Original) -> list[str]:
    """Items are told by what a task shows; which column that is must be the same in both files."""
    named = f'--item "{held.item}"' if held.item in held.columns else ""
    return [*held.said(), original.next_step(held.files, named)]
