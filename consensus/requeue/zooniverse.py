"""Zooniverse: a manifest of a subject set, and reductions as Caesar has them.

Assumed is (``panoptes subject-set`` of panoptescli; question_consensus_reducer and the column names of its table in
github.com/zooniverse/aggregation-for-caesar; zooniverse.github.io/caesar):

- A manifest is a table with a row a subject, whose columns become its ``subject_data``. Files of pictures are found by
  the cells that name one. Columns that begin with ``#`` are not shown to volunteers; ``retired`` is the platform's own.
- Who uploads a manifest makes new subjects. ``#consensus_item`` tells the item of each: it comes back in
  ``subject_data``, and the reader takes it for the item.
- A subject that is on the platform may be linked to another set instead, and keeps its id. It is shown again where it
  is not retired, and to volunteers who did not see it: in another workflow.
- How many classifications retire a subject is set for a workflow: ``#consensus_judgments`` tells how many are wanted.
- A reduction has ``most_likely``, ``num_votes`` (that say it) and ``agreement`` (their share). A rule may look up any
  other: ``p`` is the probability of the label, ``p.LABEL`` that of each.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.errors import ConfigError, RunError
from consensus.formats import sources
from consensus.formats.platforms.records import Table
from consensus.formats.platforms.workflow_tasks import object_in
from consensus.formats.platforms.zooniverse import NAME, SENT_AS, SUBJECT
from consensus.formats.tables.text_form import TextForm
from consensus.inputs.counted import counted
from consensus.requeue import objects, original, rows, tasks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from consensus.formats.platforms.records import Row
    from consensus.inputs.judgments import Judgments
    from consensus.requeue.tasks import Task
    from consensus.runs import Run

__all__ = ["ENDING", "NAME", "TAKES_GOLD", "again", "report"]

ENDING = ".csv"
TAKES_GOLD = False
OURS = (SENT_AS, "#consensus_judgments", "#consensus_reason")
RETIRED = "retired"
LINKED = (
    "subjects that are on the platform can be linked to a set of another workflow instead (panoptes subject-set "
    f"add-subjects), where they are not retired: their ids are {SENT_AS}"
)


def again(run: Run, files: tuple[Path, ...], asked: Sequence[Task], _gold: bool) -> tuple[bytes, list[str]]:
    """The manifest, the most valuable subject first."""
    held = _subjects(run.result.judgments, files, {task.item for task in asked})
    fields = {task.item: _fields(held[task.item]) for task in asked}
    names = [name for name in dict.fromkeys(name for one in fields.values() for name in one) if name not in OURS]
    made = [
        [*(fields[task.item].get(name) for name in names), task.item, str(task.judgments), task.reason]
        for task in asked
    ]
    said = [LINKED] if all(held[task.item].cells.get("subject_ids") == task.item for task in asked) else []
    return rows.written([*names, *OURS], made), [*said, original.next_step(files)]


def report(run: Run, files: tuple[Path, ...]) -> tuple[bytes, list[str]]:
    """A reduction of each subject; one whose label is open has its probabilities alone."""
    result, labels = run.result, tasks.labelled(run)
    judgments = result.judgments
    held = _subjects(judgments, files, set(labels["item"]))
    task = next(one.name for one in judgments.understood if one.role == "label").rpartition("/")[2].partition("@")[0]
    votes = np.zeros((judgments.n_items, judgments.n_labels), np.int64)
    np.add.at(votes, (judgments.item, judgments.label), 1)
    code = {label: k for k, label in enumerate(judgments.labels)}
    z = result.beliefs.dense(slice(None))
    made = []
    for n, (item, label, sure) in enumerate(zip(labels["item"], labels["label"], labels["confidence"], strict=True)):
        row, total = held[item].cells, int(votes[n].sum())
        has_label = isinstance(label, str)
        given = int(votes[n, code[label]]) if has_label and label in code else 0
        share = f"{given / total:.6g}" if has_label and total else None
        told = [label if has_label else None, str(given), share, rows.number(sure if has_label else None)]
        of_labels = [rows.number(float(p)) if sure == sure else None for p in z[n]]
        made.append([row.get("subject_ids"), row.get("workflow_id"), task, "consensus", *told, *of_labels])
    header = ["subject_id", "workflow_id", "task", "reducer", "data.most_likely", "data.num_votes", "data.agreement"]
    header += ["data.p", *(f"data.p.{label}" for label in judgments.labels)]
    return rows.written(header, made), ["data.p is the probability of the label, data.agreement the share of its votes"]


def _subjects(judgments: Judgments, files: tuple[Path, ...], wanted: set[str]) -> dict[str, Row]:
    """By item, the first row about it.

    Raises
    ------
    ConfigError
        A classification is about several subjects.
    RunError
        No row is about an item.
    """
    named = next(one.name for one in judgments.understood if one.role == "item").split(objects.SEVERAL)
    by_sent = SUBJECT + SENT_AS in named
    found: dict[str, Row] = {}
    for row in _rows(judgments, files):
        data = _fields(row)
        if by_sent:
            item = data.get(SENT_AS) or row.cells.get("subject_ids")
        else:
            item = data.get(named[0].removeprefix(SUBJECT)) if named[0].startswith(SUBJECT) else row.cells.get(named[0])
        if item in wanted and item not in found:
            if ";" in (row.cells.get("subject_ids") or ""):
                raise ConfigError(f"--to {NAME}: a classification of several subjects at once can't be asked again")
            found[item] = row
    gone = wanted - set(found)
    if gone:
        raise RunError(
            f'no classification is about item "{min(gone)}" ({counted(len(gone), "item is", "items are")} missing); '
            "read the export without --fold and without another column for --item",
            files[0],
        )
    return found


def _rows(judgments: Judgments, files: tuple[Path, ...]) -> Iterator[Row]:
    assert judgments.reading is not None
    form = TextForm.of(judgments.reading)
    for path in files:
        with sources.opened(path) as opened:
            assert opened is not None
            for file in opened.files:
                yield from (row for row in Table.of(file.path, form).rows() if not row.fault)


def _fields(row: Row) -> dict[str, str]:
    """What was uploaded with the subject of a row."""
    subjects = [one for one in object_in(row.cells.get("subject_data")).values() if isinstance(one, dict)]
    told: dict[str, Any] = subjects[0] if subjects else {}
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in told.items()
        if name != RETIRED and value is not None
    }
