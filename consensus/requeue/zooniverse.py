"""Zooniverse: a manifest of the subjects to ask about again, and reductions as Caesar's tools write them.

Assumed is:

- A subject that is on the platform is best linked again, to another set of its workflow: it keeps its id, so that its
  answers come back to it, its media, which the export does not tell, and what volunteers have seen, so that nobody
  judges it twice. ``panoptes subject-set add-subjects SET ID...`` does so, or ``-f`` with a file of one id a line
  (zooniverse/panoptes-cli, README and ``commands/subject_set.py``). ``#consensus_subject`` tells the id.
- A workflow gives out subjects that are not retired in it, whatever set they are in (help.zooniverse.org, "Subject
  Selection Process"). ``retired`` in ``subject_data`` tells who is; ``panoptes workflow unretire-subjects`` undoes it.
- The manifest can also be uploaded as new subjects: one row a subject, each column a field of it. No name of a column
  is needed for media: each cell that names a file beside the manifest is one (the same README). New subjects have other
  ids; there ``#consensus_item`` tells the item, and the reader takes it for that.
- Fields that begin with ``#`` are shown to nobody, with ``!`` only on Talk (zooniverse/front-end-monorepo, issue 4210).
  Names stay as they were, so that what was hidden stays hidden. The ``%`` of indexed fields is not in the export.
- A classification export holds every classification that there is (help.zooniverse.org, "Data Exports"), so that a new
  one holds the old answers, too: it is read alone.
- Reductions have the columns of ``panoptes_aggregation reduce``: ``subject_id``, ``workflow_id``, ``task``, ``reducer``
  and ``data.*``; ``most_likely``, ``num_votes`` and ``agreement`` are those of its question consensus reducer
  (zooniverse/aggregation-for-caesar), of our label. ``data.probability`` is added, and one for each option, by the text
  that the export has, where Caesar may have a number or a short form.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.errors import ConfigError
from consensus.formats.platforms.records import Table
from consensus.formats.platforms.workflow_tasks import classified, object_in, subject_of
from consensus.formats.platforms.zooniverse import ITEMS, NAME, SENT, SUBJECT, item_of
from consensus.formats.tables.text_form import TextForm
from consensus.inputs.counted import counted
from consensus.requeue import objects, original, rows, tasks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from consensus.formats.platforms.records import Row
    from consensus.requeue.tasks import Task
    from consensus.runs import Run

__all__ = ["ENDING", "NAME", "TAKES_GOLD", "again", "report"]

ENDING = ".csv"
TAKES_GOLD = False
OURS = ("#consensus_subject", SENT, "#consensus_judgments", "#consensus_reason")
RETIRED = "retired"
SHOWN = 50  # ids in a command
REDUCER = "consensus"


@dataclass(frozen=True, slots=True)
class _Question:
    """What was asked, and how its items are named."""

    task: str
    """Such as T0, T0.HOWMANY or T0@84."""
    workflow: str
    """Empty where it is not named."""
    item: str | None
    """The column, if another one than that of subjects was named."""
    label: str
    """As it is named with --label."""

    @classmethod
    def of(cls, run: Run) -> _Question:
        judgments = run.result.judgments
        assert judgments.reading is not None
        label = next(column.name for column in judgments.understood if column.role == "label").split(" / ")[0]
        workflow, _, task = label.rpartition("/")
        item = judgments.reading.item
        return cls(task, workflow, None if item == ITEMS else item, label)

    def item_of(self, row: Row) -> str:
        """The item of a row."""
        if self.item is None:
            return item_of(row)
        if self.item.startswith(SUBJECT):
            return subject_of(row).get(self.item.removeprefix(SUBJECT), "")
        return row.cells.get(self.item, "")

    def is_answered(self, row: Row) -> bool:
        """Whether a row holds an answer to it, perhaps none."""
        (one,) = classified([row])
        base = self.task.partition("@")[0]
        return any(base == key or base.startswith(f"{key}.") for key in one.answers)


@dataclass(frozen=True, slots=True)
class _Subject:
    """A subject as the export tells it."""

    id: str
    workflow: str
    fields: dict[str, str | None]
    is_retired: bool
    odd: tuple[str, ...]
    """Fields that are no single values."""

    @classmethod
    def of(cls, held: dict[str, Any], item: str) -> _Subject:
        """Of what was ``held`` about an item.

        Raises
        ------
        ConfigError
            Several subjects were shown at once.
        """
        told = {name: one for name, one in object_in(held["data"]).items() if isinstance(one, dict)}
        if held["subject"] not in told and len(told) > 1:
            raise ConfigError(
                f'--to {NAME}: item "{item}" is several subjects at once ({held["subject"]}), and a row of a manifest '
                "or of reductions is one; use escalations.csv and labels.csv"
            )
        fields = told.get(held["subject"]) or next(iter(told.values()), {})
        state = fields.get(RETIRED)
        own = {name: one for name, one in fields.items() if name not in OURS and not _is_state(name, one)}
        odd = tuple(name for name, one in own.items() if isinstance(one, (dict, list)))
        cells = {name: _cell(one) for name, one in own.items()}
        return cls(held["subject"], held["workflow"], cells, isinstance(state, dict), odd)


def again(run: Run, files: tuple[Path, ...], asked: Sequence[Task], _gold: bool) -> tuple[bytes, list[str]]:
    """A manifest, the most valuable subject first."""
    question = _Question.of(run)
    held = _held(run, files, question, {task.item for task in asked})
    names = dict.fromkeys(name for task in asked for name in held[task.item].fields)
    made = []
    for task in asked:
        one = held[task.item]
        own = [one.id, task.item, str(task.judgments), task.reason]
        made.append([*own, *(one.fields.get(name) for name in names)])
    return rows.written([*OURS, *names], made), _said([held[task.item] for task in asked], question)


def report(run: Run, files: tuple[Path, ...]) -> tuple[bytes, list[str]]:
    """Reductions, one row an item."""
    judgments = run.result.judgments
    question, labels = _Question.of(run), tasks.labelled(run)
    held = _held(run, files, question, set(labels["item"]))
    options = list(judgments.labels)
    beliefs = run.result.posteriors.iloc[:, 1:].to_numpy(np.float64)
    codes = labels["label"].map({option: n for n, option in enumerate(options)}).fillna(-1).to_numpy(np.int64)
    agree = np.bincount(judgments.item[judgments.label == codes[judgments.item]], minlength=judgments.n_items)
    total = np.bincount(judgments.item, minlength=judgments.n_items)
    made = []
    for n, (item, label, sure, status) in enumerate(
        zip(*(labels[name] for name in ("item", "label", "confidence", "status")), strict=True)
    ):
        one = held[item]
        share = rows.number(agree[n] / total[n]) if total[n] and codes[n] >= 0 else None
        known = [None] * (1 + len(options)) if np.isnan(sure) else [rows.number(p) for p in (sure, *beliefs[n])]
        own = [one.id, one.workflow, question.task, REDUCER, label if isinstance(label, str) else None]
        made.append([*own, str(agree[n]), share, known[0], status, *known[1:]])
    header = ["subject_id", "workflow_id", "task", "reducer"]
    header += [f"data.{name}" for name in ("most_likely", "num_votes", "agreement", "probability", "status")]
    header += [f"data.probability.{option}" for option in options]
    return rows.written(header, made), [
        "data.agreement is the share of votes for the label, as at the platform; data.probability is how sure it is"
    ]


def _held(run: Run, files: tuple[Path, ...], question: _Question, wanted: set[str]) -> dict[str, _Subject]:
    """The subjects of items; of several subjects of an item the first one, which it was before it went out again."""
    assert run.result.judgments.reading is not None
    form = TextForm.of(run.result.judgments.reading)

    def told(path: Path) -> Iterator[dict[str, Any]]:
        seen = set[str]()
        others: dict[str, dict[str, Any]] = {}
        for row in Table.of(path, form).rows():
            item = question.item_of(row)
            workflow = row.cells.get("workflow_id", "")
            if item in seen or question.workflow not in {"", workflow}:
                continue
            one = {
                "item": item,
                "subject": row.cells.get("subject_ids", ""),
                "workflow": workflow,
                "data": row.cells.get("subject_data"),
            }
            if question.is_answered(row):
                seen.add(item)
                yield one
            else:
                others.setdefault(item, one)
        yield from others.values()  # of items that nobody answered for

    found = objects.by_item(files, told, lambda one: one["item"], wanted)
    return {item: _Subject.of(one, item) for item, one in found.items()}


def _said(subjects: Sequence[_Subject], question: _Question) -> list[str]:
    """What to do with the manifest."""
    item = f' --item "{question.item}"' if question.item else ""
    told_by = question.item or SENT
    retired: dict[str, list[str]] = {}
    for one in subjects:
        if one.is_retired:
            retired.setdefault(one.workflow, []).append(one.id)
    odd = sorted({name for one in subjects for name in one.odd})
    said = [
        "link the subjects to a set of their workflow, which keeps their ids and media: "
        f"panoptes subject-set add-subjects SET {_ids([one.id for one in subjects])}",
        *(
            f"{counted(len(ids), 'subject is', 'subjects are')} retired in workflow {workflow}, which gives them to "
            f"nobody until: panoptes workflow unretire-subjects {workflow} {_ids(ids)}"
            for workflow, ids in retired.items()
        ),
        "uploaded as new subjects they need their media beside the manifest, have other ids (their item is "
        f"{told_by}), and may come to volunteers who judged them already",
        "a new export of the workflow holds the old answers, too: read it alone, for what is in two files counts twice",
        original.next_step((), f'--label "{question.label}"{item}'),
    ]
    return [*said, *([f"no single values, so they are written as JSON: {', '.join(odd)}"] if odd else [])]


def _ids(ids: Sequence[str]) -> str:
    """Ids in a command, or where they stand."""
    return " ".join(ids) if len(ids) <= SHOWN else f"IDS (column {OURS[0]})"


def _is_state(name: str, value: Any) -> bool:
    """Whether a field is the platform's own: whether the subject is retired."""
    return name == RETIRED and not isinstance(value, str)


def _cell(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
