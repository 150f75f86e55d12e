"""About the workers: who is shown, how good each is and why, who changed, who copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from consensus import worker_audit
from consensus.inputs.vocabulary import positions
from consensus.report.page_data.plain_records import plain, records
from consensus.report.terms import CONDEMNED
from consensus.report.terms import plain as plain_name
from consensus.worker_audit.accuracy import units_of_workers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from consensus.found.result import Columns, Consensus
    from consensus.worker_audit import ConfusionCells, WorkerAudit

    Records = list[dict[str, Any]]

MOST_WORKERS = 2_000  # in the table
MOST_POINTS = 500  # in the chart, which takes its time to draw
MOST_CELLS = 15_000  # of confusion matrices
MOST_EVIDENCE = 60  # workers whose evidence is listed
N_EVIDENCE = 5  # judgments on either side
MOST_DRIFTING = 12
MOST_PAIRS = 100
SHOWN = (
    "worker",
    "kind",
    "verdict",
    "n_judgments",
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "gold_n",
    "gold_accuracy",
    "agreement",
    "informativeness",
    "worth",
    "reason",
)
URGENCY = ("spammer", "adversarial", "gold_aware", "careless", "weak", "biased", "expert", "good", "too_few")
WORST_FIRST = ("spammer", "adversarial", "gold_aware", "careless", "weak", "biased", "too_few", "good", "expert")
N_URGENT = 4  # the first of these: who is to be stopped or trained


def chosen_workers(workers: Columns, most: int = MOST_WORKERS) -> NDArray[np.int64]:
    """Rows of the table of workers that are shown: all, or a sample, in the order of the table.

    The sample holds models, up to a half of people who are to be stopped or trained (``URGENCY``), the busiest, and of
    all others as many of each volume as there are.
    """
    n = len(workers["worker"])
    if n <= most:
        return np.arange(n)
    verdicts = [one["verdict"] for one in records(workers, ["verdict"])]
    rank = np.array([URGENCY.index(one) if one in URGENCY else -1 for one in verdicts], np.int64)  # models first
    busy = np.asarray(workers["n_judgments"])
    by_need = np.lexsort((-busy, rank))
    first = by_need[: min(int((rank < N_URGENT).sum()), most // 2)]
    others = np.setdiff1d(np.argsort(-busy, kind="stable"), first, assume_unique=True)
    others = others[np.argsort(-busy[others], kind="stable")]
    busiest, rest = np.split(others, [most // 10])
    evenly = rest[np.linspace(0, len(rest) - 1, most - len(first) - len(busiest)).astype(np.int64)]
    return np.sort(np.concatenate([first, busiest, evenly]))


def worker_records(workers: Columns, rows: Iterable[int]) -> Records:
    """Some rows of the table of workers."""
    return records(workers, SHOWN, rows)


def accuracies(audit: WorkerAudit) -> tuple[float, float] | None:
    """Accuracy of the median worker and of the worst, of those with enough judgments for a verdict, or else of all."""
    audit = audit.of_members
    judgments, accuracy = audit.result.judgments, audit.accuracy.mean
    known = judgments.is_person & np.isfinite(accuracy) & (judgments.per_worker > 0)
    enough = known & (units_of_workers.per_worker(audit.result) >= audit.config.min_worker_judgments)
    found = accuracy[enough if enough.any() else known]
    return (float(np.median(found)), float(found.min())) if len(found) and audit.result.identified else None


def n_changed(audit: WorkerAudit) -> int:
    """How many workers changed over time, also where drift_records shows some of them."""
    of = audit.of_members
    return int((of.drifts.changed & of.result.judgments.is_person).sum()) if of.result.judgments.in_order else 0


def worker_points(people: Records) -> Records:
    """The points of the chart of workers, from their records."""
    return [
        {
            "worker": one["worker"],
            "verdict": one["verdict"],
            "named": plain_name(one["verdict"]),
            "n_judgments": one["n_judgments"],
            "accuracy": one["accuracy"],
            "low": one["accuracy_low"],
            "high": one["accuracy_high"],
        }
        for one in people
        if one["kind"] == "human" and one["accuracy"] is not None and one["n_judgments"]
    ]


def some_points(points: Records, most: int = MOST_POINTS) -> Records:
    """Not more points than can be drawn in an instant: up to a half of who is to be stopped or trained, others evenly.

    They stay in their order.
    """
    if len(points) <= most:
        return points
    first = np.flatnonzero([one["verdict"] in CONDEMNED for one in points])[: most // 2]
    rest = np.setdiff1d(np.arange(len(points)), first)
    evenly = rest[np.linspace(0, len(rest) - 1, most - len(first)).astype(np.int64)]
    return [points[i] for i in np.sort(np.concatenate([first, evenly])).tolist()]


def n_people(workers: Columns) -> int:
    """How many rows of the table of workers are people."""
    import pyarrow.compute as pc

    return int(pc.sum(pc.equal(workers["kind"], "human")).as_py() or 0)


def most_in_question(people: Records) -> list[str]:
    """The workers among some records, those with a verdict that asks for something first, then the busiest."""
    humans = [one for one in people if one["kind"] == "human"]
    return [
        one["worker"] for one in sorted(humans, key=lambda one: (URGENCY.index(one["verdict"]), -one["n_judgments"]))
    ]


def confusion_records(
    cells: ConfusionCells, workers: Iterable[str], most: int = MOST_CELLS
) -> dict[str, list[list[Any]]]:
    """Cells of the confusions of ``workers``, the first of them as far as ``most`` cells go.

    By worker: rows of true label and label (positions in the label set), count, probability, low, high.
    """
    wanted = list(workers)
    code = positions(wanted, cells.result.judgments.worker_ids)
    n_cells = np.bincount(cells.worker, minlength=cells.result.judgments.n_workers)
    n_kept = int(np.searchsorted(np.cumsum(n_cells[code]), most, side="right"))
    found: dict[str, list[list[Any]]] = {}
    for worker, own in zip(wanted[:n_kept], code[:n_kept].tolist(), strict=True):
        begin, end = np.searchsorted(cells.worker, [own, own + 1])
        codes = np.stack([cells.true_label[begin:end], cells.label[begin:end]], axis=1).tolist()
        shown = cells.columns(slice(begin, end))
        numbers = zip(*(shown[name].tolist() for name in ("count", "probability", "low", "high")), strict=True)
        found[worker] = [pair + [plain(one, 4) for one in row] for pair, row in zip(codes, numbers, strict=True)]
    return found


def evidence_records(audit: WorkerAudit, workers: Iterable[str], most: int = MOST_EVIDENCE) -> dict[str, Records]:
    """The judgments that weigh most against and for each of the first ``most`` people."""
    names = ("side", "weight", "item", "label", "true_label", "p_right", "others", "gold")
    found = {}
    for worker in list(workers)[:most]:
        columns = worker_audit.evidence_columns(audit.of_members, worker, N_EVIDENCE)
        found[worker] = records(columns, names)
    return found


def drift_records(audit: WorkerAudit, most: int = MOST_DRIFTING) -> tuple[Records, Records]:
    """Who changed, as in drift.csv, the plainest first; and the points of their lines."""
    of = audit.of_members
    if not of.result.judgments.in_order:
        return [], []
    names = (
        "worker",
        "changed_at",
        "n_before",
        "n_after",
        "accuracy_before",
        "accuracy_after",
        "p_value",
        "drifts",
        "reason",
    )
    columns = worker_audit.drift_columns(of)
    changed = np.flatnonzero(np.asarray(columns["drifts"])[:-1])
    first = changed[np.argsort(np.asarray(columns["p_value"])[changed], kind="stable")][:most]
    table = records(columns, names, first.tolist())
    begin, end = _spans(of.result, first)
    lines: Records = []
    name = "time" if of.result.judgments.timestamp is not None else "row"
    for row, since, until in zip(table, begin, end, strict=True):
        at = row["changed_at"] if name == "time" else int(row["changed_at"].removeprefix("row "))
        before = {"worker": row["worker"], "period": "before", "accuracy": row["accuracy_before"]}
        after = {"worker": row["worker"], "period": "after", "accuracy": row["accuracy_after"]}
        lines += [before | {name: since}, after | {name: at}, after | {name: until}]
    return table, lines


def _spans(result: Consensus, workers: NDArray[np.int64]) -> tuple[list[Any], list[Any]]:
    """When each of some workers judged first and last: times as text, or numbers of rows."""
    judgments = result.judgments
    begin: list[Any] = []
    end: list[Any] = []
    for worker in workers.tolist():
        own = judgments.worker == worker
        if judgments.timestamp is None:
            assert judgments.read_row is not None
            begin.append(int(judgments.read_row[own].min()))
            end.append(int(judgments.read_row[own].max()))
            continue
        times = judgments.timestamp[own]
        times = times[~np.isnat(times)].astype("datetime64[s]")
        begin.append(f"{times.min()}Z")
        end.append(f"{times.max()}Z")
    return begin, end


def copying_records(audit: WorkerAudit, most: int = MOST_PAIRS) -> Records:
    """Pairs of workers who copy, as in copying.csv, the first ``most`` of them; nothing where none was looked for."""
    if audit.result.copies is None or not audit.copies.n_groups:
        return []
    columns = worker_audit.copies_columns(audit)
    names = ("group", "worker_a", "worker_b", "n_shared", "n_same", "expected_same", "q_value", "n_effective")
    return records(columns, names, range(min(len(columns["group"]), most)))
