"""Writing an output folder: built beside its place under another name, then renamed."""

from __future__ import annotations

import functools
import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus import escalation, model_tables, worker_audit
from consensus.errors import OutputError
from consensus.formats import writing
from consensus.report import page
from consensus.report.summary import summary
from consensus.result import decoded, framed, named
from consensus.worker_audit import WorkerAudit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from consensus.config import AuditConfig, EscalateConfig
    from consensus.costs import Costs
    from consensus.formats.writing import Table
    from consensus.judgments import Gold
    from consensus.pool import Pool
    from consensus.previous import Previous
    from consensus.result import Columns, Consensus
    from consensus.simulation import Simulation

ABOUT_WORKERS = ("workers", "confusions", "models", "drift", "copying", "gold_health")
TABLES = ("labels", "posteriors", *ABOUT_WORKERS, "escalations", "changes", "rejects")
STAGES = dict.fromkeys(ABOUT_WORKERS, "auditing")
OF_A_RUN = frozenset({"summary.json", page.FILE, *(name + ending for name in TABLES for ending in writing.ENDINGS)})
OF_A_SIMULATION = frozenset({"judgments.csv", "gold.csv", "truth.csv", "planted.csv"})


def check(out: Path, *, overwrite: bool, ours: frozenset[str] = OF_A_RUN, inputs: Iterable[Path] = ()) -> Path:
    """Refuse, before any work is done, a folder that could not be written in the end; return its real path.

    Parameters
    ----------
    out
        Folder to write.
    overwrite
        It may exist, if it holds nothing but files that we wrote.
    ours
        Names of such files.
    inputs
        Files that are read; none may lie in ``out``.

    Raises
    ------
    OutputError
        It exists (and ``overwrite`` is not set, or it holds something else than such an output), it is the current
        folder, or its parent is missing or may not be written.
    """
    real = Path(os.path.realpath(out))
    if real.exists() and not real.is_dir():
        raise OutputError(f"{out}: a file stands there; choose another folder with --out")
    if real == Path.cwd() or real in Path.cwd().parents:
        raise OutputError(f"{out}: this is the folder you are in; choose another with --out")
    for path in inputs:
        if real in Path(os.path.realpath(path)).parents:
            raise OutputError(f"{out}: {path}, which is to be read, lies in it; choose another folder with --out")
    found = sorted(path.name for path in real.iterdir()) if real.exists() else []
    if found and not overwrite:
        raise OutputError(f"{out}: exists already; choose another folder with --out, or pass --overwrite")
    others = [name for name in found if name not in ours]
    if others:
        raise OutputError(
            f"{out}: holds {others[0]}, which is not ours and would be lost; choose another folder with --out"
        )
    if not real.parent.is_dir():
        raise OutputError(f"{out}: there is no folder {real.parent}; create it first")
    try:
        with tempfile.TemporaryFile(dir=real.parent):
            pass
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputError(f"{out}: {real.parent} can't be written ({reason}); choose another with --out") from None
    return real


@contextmanager
def whole(out: Path) -> Iterator[Path]:
    """A folder to fill that takes the place of ``out`` when all went well, and else disappears.

    An older ``out`` stays as it is until then. Two renames swap them: were the process killed between these, the old
    one stands beside under ``.NAME.PID.old``.

    Raises
    ------
    OutputError
        The disk is full, or a rename is refused.
    """
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    old = out.with_name(f".{out.name}.{os.getpid()}.old")
    try:
        partial.mkdir()
        yield partial
        if out.exists():
            out.rename(old)
        partial.rename(out)
    except OSError as error:
        raise OutputError(f"{out}: can't be written: {(error.strerror or str(error)).lower()}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        if old.exists() and not out.exists():
            old.rename(out)
        shutil.rmtree(old, ignore_errors=True)


def write(
    result: Consensus,
    out: Path,
    *,
    escalate: EscalateConfig,
    audit: AuditConfig | None = None,
    costs: Costs | None = None,
    price: float | None = None,
    asked: Pool | None = None,
    previous: Previous | None = None,
    gold: Gold | None = None,
    reading: dict[str, Any] | None = None,
    posteriors: bool = False,
    ending: str = ".csv",
    defuse: bool = False,
    report: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Write all tables of a run into ``out``, and the report; return the summary.

    Parameters
    ----------
    result
        What was fitted.
    out
        Folder, as ``check`` returned it; replaced if it exists.
    escalate
        When an item is accepted.
    audit
        When a worker gets which verdict; the defaults without.
    costs, price
        What wrong decisions cost, and what a judgment does, for the table of workers.
    asked
        Workers who can be asked for more judgments; without, those in the data.
    previous
        What an earlier run said.
    gold
        As given to ``fit``, for its digests.
    reading
        Settings of reading, for the summary.
    posteriors
        Also write posteriors.csv.
    ending
        Of the tables: .csv, .parquet or .jsonl.
    defuse
        Put ``'`` before ids that a spreadsheet would take for a formula.
    report
        Also write report.html; it needs the extra ``report``.
    progress
        Called with what is done next, such as "writing labels.csv".

    Raises
    ------
    OutputError
        Something can't be written; then ``out`` is as it was.
    """
    progress("escalating")
    matrix = None if costs is None else costs.align(result.judgments)
    audited = WorkerAudit(result, audit, costs=matrix, price=price)
    pool = None if asked is None else asked.align(result.judgments, escalate.skill)
    found = escalation.planned(result, escalate, costs=matrix, pool=pool, previous=previous, audit=audited)
    progress("summary of the items")
    told = summary(result, found, escalate, gold, reading or {}, audited, previous)
    with whole(out) as folder:
        workers = functools.cache(lambda: worker_audit.worker_columns(audited))
        cells = functools.cache(lambda: worker_audit.confusion_columns(audited))
        for name, save in _tables(audited, found, workers, cells, previous, posteriors, ending, defuse).items():
            progress(f"{STAGES.get(name, 'writing')} {name}{ending}")
            save(folder / (name + ending))
        if report:
            page.write(
                folder / page.FILE,
                audited,
                found,
                told,
                escalate=escalate,
                workers=workers(),
                confusions=cells(),
                progress=progress,
            )
        progress("writing summary.json")
        (folder / "summary.json").write_text(
            json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
        )
    return told


def _tables(
    audit: WorkerAudit,
    found: escalation.Escalation,
    workers: Callable[[], Columns],
    cells: Callable[[], Columns],
    previous: Previous | None,
    posteriors: bool,
    ending: str,
    defuse: bool,
) -> dict[str, Callable[[Path], None]]:
    """How each table of a run is made and written; those with a row an item block by block."""
    import pyarrow as pa

    result = audit.result
    judgments, status = result.judgments, found.status(result)
    names = [*result.label_columns(slice(0, 0)), *judgments.labels]
    unjudged = [] if result.gold is None else list(result.gold.unjudged)
    texts = (judgments.item_ids, judgments.worker_ids, pa.array([*names, *unjudged], pa.string()))
    plain = writing.are_plain(texts, ending)

    def labels(rows: slice) -> Table:
        judged = slice(min(rows.start, judgments.n_items), min(rows.stop, judgments.n_items))
        decided = {} if found.costs is None else escalation.decision_columns(result, found.costs, judged)
        if rows.stop > judgments.n_items:  # with gold items that nobody judged
            table = result.label_rows(rows).assign(status=decoded(status[rows], escalation.STATUSES))
            return table.join(framed(decided)) if decided else table
        return pa.table({**result.label_columns(rows), "status": named(status[rows], escalation.STATUSES), **decided})

    def in_blocks(n_rows: int, block: Callable[[slice], Table]) -> Callable[[Path], None]:
        return lambda path: writing.write_blocks(
            n_rows, block, path, plain=plain, backend=result.backend, defuse=defuse
        )

    def confusions(path: Path) -> None:
        table = pa.table(cells())
        in_blocks(table.num_rows, lambda rows: table.slice(rows.start, rows.stop - rows.start))(path)

    retests = pa.table(found.tests.columns(result))

    def escalations(rows: slice) -> Table:
        last = slice(max(rows.start - len(found.items), 0), max(rows.stop - len(found.items), 0))
        return pa.concat_tables(
            [
                pa.table(found.columns(result, rows)),
                retests.slice(last.start, last.stop - last.start),
            ]
        )

    def at_once(columns: Callable[[WorkerAudit], Columns]) -> Callable[[Path], None]:
        return lambda path: writing.write(pa.table(columns(audit)), path, defuse=defuse)

    tables = {
        "labels": in_blocks(len(status), labels),
        "workers": at_once(lambda _: workers()),
        "confusions": confusions,
        "escalations": in_blocks(len(found.items) + retests.num_rows, escalations),
        "rejects": at_once(lambda _: _rejects(result)),
    }
    if previous is not None:
        tables["changes"] = at_once(lambda _: escalation.changes(previous, result, status))
    if result.gold is not None:
        tables["gold_health"] = at_once(worker_audit.gold_columns)
    if judgments.timestamp is not None:
        tables["drift"] = at_once(worker_audit.drift_columns)
    if result.copies is not None and result.copies.n_groups:
        tables["copying"] = at_once(worker_audit.copies_columns)
    if result.models is not None:
        tables["models"] = at_once(model_tables.table)
    if posteriors:
        tables["posteriors"] = in_blocks(judgments.n_items, result.posteriors_of)
    return tables


def write_simulation(drawn: Simulation, out: Path, *, n_gold: int, seed: int) -> None:
    """Write a simulated crowd into ``out``: judgments, gold, truth and the planted confusions.

    Raises
    ------
    OutputError
        Something can't be written; then ``out`` is as it was.
    """
    with whole(out) as folder:
        writing.write(drawn.judgments_table(), folder / "judgments.csv")
        writing.write(drawn.truth_table(n_gold, seed), folder / "gold.csv")
        writing.write(drawn.truth_table(), folder / "truth.csv")
        writing.write(drawn.confusions_table(), folder / "planted.csv")


def _rejects(result: Consensus) -> Columns:
    import pyarrow as pa

    rejects = (*result.judgments.rejects, *(() if result.models is None else result.models.votes.rejects))
    return {
        "file": pa.array([one.file for one in rejects], pa.string()),
        "line": np.array([one.line for one in rejects], np.int64),
        "reason": pa.array([one.reason for one in rejects], pa.string()),
        "row": pa.array([one.row for one in rejects], pa.string()),
    }
