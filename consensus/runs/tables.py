"""The registry of tables: one entry for each file of a run and each ``--table``. A new table or column goes here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from consensus import escalation, worker_audit
from consensus.errors import ConfigError
from consensus.found.readings import disputed_columns
from consensus.found.result import decoded, framed, named
from consensus.inputs import item_columns
from consensus.runs import columns as of
from consensus.votes_audit import models_table

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.formats.writing import Table as Written
    from consensus.found.result import Columns
    from consensus.runs.columns import Column
    from consensus.runs.whole_run import Run


@dataclass(frozen=True, slots=True)
class Blocks:
    """A table that is made block by block: of as many rows as there are items, or cells."""

    n_rows: int
    block: Callable[[slice], Written]


Rows: TypeAlias = "Columns | Blocks | pd.DataFrame"


@dataclass(frozen=True, slots=True)
class Table:
    """A table that a run, or a command, can make."""

    name: str
    """Of its file, without the ending."""
    about: str
    """What a row is, and when there is such a table: one or two sentences."""
    columns: tuple[Column, ...]
    rows: Callable[[Run], Rows] | None = None
    """How it is made from a run; None where a command makes it from something else."""
    when: Callable[[Run], bool] | None = None
    """Whether a run writes it as a file; None: only if asked to."""
    audited: str | None = None
    """Its name for ``consensus audit --table``; None: it is no such table."""
    stage: str = "writing"
    """What is said to go on while it is made."""
    by_label: bool = False
    """One more column a label follows."""


def rejects(run: Run) -> Columns:
    """The rows of the input that are not used."""
    import pyarrow as pa

    result = run.result
    found = (*result.judgments.rejects, *(() if result.models is None else result.models.votes.rejects))
    return {
        "file": pa.array([one.file for one in found], pa.string()),
        "line": np.array([one.line for one in found], np.int64),
        "reason": pa.array([one.reason for one in found], pa.string()),
        "row": pa.array([one.row for one in found], pa.string()),
    }


def _labels(run: Run) -> Blocks:
    import pyarrow as pa

    result, status, costs = run.result, run.status, run.costs
    n_items, as_set = result.judgments.n_items, run.rule.promise == "set"
    certified = np.zeros(len(status), np.bool_)
    if as_set:
        certified[:n_items] = run.certified.settled

    def block(rows: slice) -> Written:
        judged = slice(min(rows.start, n_items), min(rows.stop, n_items))
        decided = {} if costs is None else escalation.decision_columns(result, costs, judged)
        kept = {**item_columns.of(result.judgments, rows), **{one.name: one.of(rows) for one in result.judgments.kept}}
        marked = {"certified": certified[rows]} if as_set else {}
        if rows.stop > n_items:  # with gold items that nobody judged
            table = result.label_rows(rows).assign(status=decoded(status[rows], escalation.STATUSES), **marked)
            table = table.join(framed(decided)) if decided else table
            return table.join(framed(kept)) if kept else table
        told = {**result.label_columns(rows), "status": named(status[rows], escalation.STATUSES)}
        return pa.table({**told, **marked, **decided, **kept})

    return Blocks(len(status), block)


def confusions(run: Run) -> Blocks:
    """The confusions of all workers."""
    import pyarrow as pa

    cells = run.confusion_cells
    return Blocks(len(cells), lambda rows: pa.table(cells.columns(rows)))


def _escalations(run: Run) -> Blocks:
    import pyarrow as pa

    result, plan = run.result, run.plan
    retests = pa.table(plan.tests.columns(result))
    n_items = len(plan.items)

    def block(rows: slice) -> Written:
        last = slice(max(rows.start - n_items, 0), max(rows.stop - n_items, 0))
        listed = pa.table(plan.columns(result, rows))
        return pa.concat_tables([listed, retests.slice(last.start, last.stop - last.start)])

    return Blocks(n_items + retests.num_rows, block)


def _changes(run: Run) -> Columns:
    return run.changed_items


def _gold(run: Run) -> Columns:
    if run.result.gold is None:
        raise ConfigError("there is no gold to look at; give its file with --gold", code="missing_input")
    return worker_audit.gold_columns(run.audit)


def _models(run: Run) -> Columns:
    if run.result.models is None:
        raise ConfigError("no models voted; give the file of their votes with --model-votes", code="missing_input")
    return models_table.table(run.audit)


def _readings(run: Run) -> Columns:
    if run.result.readings is None:
        raise ConfigError("there is one reading only; several are averaged with --model average")
    return disputed_columns(run.result)


def _copies(run: Run) -> bool:
    copies = run.result.copies
    return copies is not None and copies.n_groups > 0


TABLES = (
    Table(
        "labels",
        "One row for each item: its label, how certain that is, and whether it needs more judgments. Columns of the "
        "input that are kept (--keep) come last, by their own names.",
        of.LABELS,
        _labels,
        lambda _: True,
    ),
    Table(
        "workers",
        "One row for each worker: how often they are right, with intervals, how useful they are, and the verdict; with "
        "model votes also one for each model, and for each family of models.",
        of.WORKERS,
        lambda run: run.worker_columns,
        lambda _: True,
        "workers",
        "auditing",
    ),
    Table(
        "confusions",
        "One row for each worker, true label and label given: how often they take one for the other. Cells of less "
        "than .01 judgments are left out, except right answers to labels that the worker met.",
        of.CONFUSIONS,
        confusions,
        lambda _: True,
        "confusions",
        "auditing",
    ),
    Table(
        "escalations",
        "One row for each item that is not settled, first those where judgments save most errors; then retests of "
        "workers.",
        of.ESCALATIONS,
        _escalations,
        lambda _: True,
    ),
    Table("rejects", "One row for each row of the input that is not used.", of.REJECTS, rejects, lambda _: True),
    Table(
        "changes",
        "One row for each item whose label or status differs from the earlier run (with --previous), or from before an "
        "update.",
        of.CHANGES,
        _changes,
        lambda run: run.before is not None,
    ),
    Table(
        "gold_health",
        "One row for each gold item that was judged: whether it may be wrong, too easy or leaked (with gold).",
        of.GOLD_HEALTH,
        _gold,
        lambda run: run.result.gold is not None,
        "gold",
        "auditing",
    ),
    Table(
        "drift",
        "One row for each worker, and one for everyone: the most likely change over time (with timestamps, with "
        "--drift-by rows, or where the order of rows shows a change).",
        of.DRIFT,
        lambda run: worker_audit.drift_columns(run.audit),
        lambda run: worker_audit.tells_drift(run.audit),
        "drift",
        "auditing",
    ),
    Table(
        "copying",
        "One row for each pair of workers who judge too much alike, as copies do (where some do).",
        of.COPYING,
        lambda run: worker_audit.copies_columns(run.audit),
        _copies,
        "copying",
        "auditing",
    ),
    Table(
        "readings",
        "One row for each item that gets different labels from the averaged readings (models of how workers err) or "
        "from one weight for each worker, the least certain first (with the model average).",
        of.READINGS,
        _readings,
        lambda run: run.result.readings is not None,
    ),
    Table(
        "models",
        "One row for each model, one for each of its true labels, and one for each family (with model votes).",
        of.MODELS,
        _models,
        lambda run: run.result.models is not None,
        None,
        "auditing",
    ),
    Table(
        "posteriors",
        "One row for each item, with the probability of each label in a column of its name (with --posteriors).",
        of.POSTERIORS,
        lambda run: Blocks(run.result.judgments.n_items, run.result.posteriors_of),
        by_label=True,
    ),
    Table(
        "label_accuracy",
        "One row for each worker and true label that they met: how often they are right on items of this label.",
        of.LABEL_ACCURACY,
        lambda run: worker_audit.accuracy_by_label(run.audit),
        audited="labels",
    ),
    Table(
        "new_gold",
        "One row for each item that is fit to become gold, 50 at most.",
        of.NEW_GOLD,
        lambda run: worker_audit.proposal_columns(run.audit),
        audited="new-gold",
    ),
    Table(
        "retest",
        "One row for each worker whose verdict is open and an item that would help to settle it.",
        of.RETEST,
        lambda run: worker_audit.retest_columns(run.audit),
        audited="retest",
    ),
    Table(
        "behaviour",
        "One row for each worker: how fast, how monotonous and how tired they are. Without timestamps some columns "
        "are missing.",
        of.BEHAVIOUR,
        lambda run: worker_audit.behaviour_columns(run.audit),
        audited="behaviour",
    ),
    Table(
        "evidence",
        "Of audit --evidence WORKER (or --worker WORKER, unless a column has this name): one row for each of the ten "
        "judgments that weigh most against the worker, then of the ten that speak most for them.",
        of.EVIDENCE,
    ),
    Table(
        "forgiven",
        "Of audit --forgive ITEM, which fits again without that gold: one row for each label or figure that changes.",
        of.FORGIVEN,
    ),
    Table(
        "class_shares",
        "Of shares: one row for each label, how common it is among the items, by gold drawn at random.",
        of.CLASS_SHARES,
    ),
    Table(
        "agreement",
        "Of agreement: one row for each statistic, over all, by label, or by pair of workers (with --by worker-pair).",
        of.AGREEMENT,
    ),
    Table("drawn", "Of plan-gold: one row for each item to ask gold for, in the order of the ids.", of.DRAWN),
    Table("ways", "Of plan-budget: one row for each way to ask for judgments.", of.WAYS),
    Table("differences", "Of diff: one row for each item that is different in the new run.", of.DIFFERENCES),
)
"""In the order in which a run makes them."""

DTYPES = {"text": "str", "list": "str", "count": "int64", "number": "float64", "flag": "bool"}
"""Of a column in pandas, by its kind."""
BY_NAME = {table.name: table for table in TABLES}
AUDITED = {table.audited: table for table in TABLES if table.audited is not None}
"""By the name that ``consensus audit --table`` knows."""


def named_table(name: str) -> Table:
    """The table of a name.

    Raises
    ------
    ConfigError
        There is none, or no run makes it.
    """
    found = BY_NAME.get(name)
    if found is None or found.rows is None:
        known = ", ".join(table.name for table in TABLES if table.rows is not None)
        raise ConfigError(f'there is no table "{name}"; there are {known}', code="unknown_name")
    return found


def whole(table: Table, run: Run) -> pd.DataFrame | pa.Table:
    """A table of a run as it is written: lists of texts are lists."""
    import pandas as pd
    import pyarrow as pa

    found = _found(table, run)
    return found if isinstance(found, (pd.DataFrame, pa.Table)) else pa.table(found)


def _found(table: Table, run: Run) -> pd.DataFrame | pa.Table | Columns:
    assert table.rows is not None
    rows = table.rows(run)
    return rows.block(slice(0, rows.n_rows)) if isinstance(rows, Blocks) else rows


def made(table: Table, run: Run) -> pd.DataFrame:
    """A table of a run as a frame, whole; lists of texts are one text."""
    import pandas as pd

    found = _found(table, run)
    if isinstance(found, pd.DataFrame):
        return found
    return framed(found if isinstance(found, dict) else {name: _in_one(found[name]) for name in found.column_names})


def without_rows(table: Table) -> pd.DataFrame:
    """The columns of a table that a run does not have."""
    import pandas as pd

    return pd.DataFrame({one.name: pd.Series([], dtype=DTYPES[one.kind]) for one in table.columns})


def _in_one(column: pa.ChunkedArray) -> NDArray[Any] | pa.Array:
    """A column of an Arrow table as tables of results hold it: numbers as an array, texts as Arrow does."""
    import pyarrow as pa

    whole = column.combine_chunks()
    return (
        whole
        if pa.types.is_string(whole.type) or pa.types.is_list(whole.type)
        else whole.to_numpy(zero_copy_only=False)
    )
