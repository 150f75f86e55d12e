"""The table of every worker's confusion matrix, cell by cell, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import even_parts, number_of_shards
from consensus.found.result import framed, named
from consensus.intervals import beta_quantiles
from consensus.worker_audit.accuracy import units_of_workers
from consensus.worker_audit.audit_of_result import WorkerAudit

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.found.result import Columns, Consensus

LEAST_KNOWN = 0.1  # share of the information in a worker's judgments that always counts
LEAST_SHOWN = 0.01  # expected judgments of a cell, or of a true label, that are worth a row


@dataclass(frozen=True, slots=True, eq=False)
class ConfusionCells:
    """Cells of the confusions of all workers as codes and counts: texts and intervals are made for some at a time."""

    result: Consensus
    worker: NDArray[np.int32]
    """(cells,) by worker, true label, label."""
    true_label: NDArray[np.int32]
    """(cells,)"""
    label: NDArray[np.int32]
    """(cells,)"""
    count: NDArray[np.float64]
    """(cells,) expected judgments."""
    total: NDArray[np.float64]
    """(cells,) those of the worker on items of the true label."""
    known: NDArray[np.float64]
    """(W,) ``known_share``."""

    @classmethod
    def of(cls, audit: WorkerAudit, *, every: bool = False) -> ConfusionCells:
        """Cells of at least LEAST_SHOWN judgments, and right answers to labels that a worker met; or ``every`` one."""
        result = audit.of_members.result
        found = result.confusions
        K, totals = found.n_labels, found.totals()
        if every:
            table = found.dense_counts()
            worker, true_label, label = (axis.ravel() for axis in np.indices(table.shape, np.int32))
            count = table.ravel()
        else:
            shown = found.counts >= LEAST_SHOWN
            code = (found.worker[shown].astype(np.int64) * K + found.true[shown]) * K + found.label[shown]
            met = np.flatnonzero(totals.ravel() >= LEAST_SHOWN)
            right = met * K + met % K
            code, first = np.unique(np.concatenate([code, right]), return_index=True)
            count = np.concatenate([found.counts[shown], found.right().ravel()[met]])[first]
            worker, true_label, label = (part.astype(np.int32) for part in (code // (K * K), code // K % K, code % K))
        is_person = result.judgments.is_person
        if not is_person.all():
            kept = is_person[worker]
            worker, true_label, label, count = worker[kept], true_label[kept], label[kept], count[kept]
        return cls(result, worker, true_label, label, count, totals[worker, true_label], known_share(result))

    def __len__(self) -> int:
        """How many there are."""
        return len(self.worker)

    def columns(self, rows: slice | NDArray[np.integer], backend: Backend | None = None) -> Columns:
        """The table of some of them; intervals on the threads of ``backend``, if it is given."""
        import pyarrow as pa

        result, found = self.result, self.result.confusions
        worker, true_label, label = self.worker[rows], self.true_label[rows], self.label[rows]
        count, total = self.count[rows], self.total[rows]
        A_true = found.pseudo_counts.sum(axis=1)[true_label]
        a = count + found.pseudo_counts[true_label, label]
        b = np.maximum(total + A_true - a, 0.0)
        probability = np.divide(a, a + b, out=np.full_like(a, np.nan), where=a + b > 0)
        known = (a > 0) & (b > 0)
        less = np.where(known, (total * self.known[worker] + A_true) / np.maximum(a + b, 1e-300), 1.0)
        low, high = _quantiles(np.where(known, a * less, 1.0), np.where(known, b * less, 1.0), backend)
        judgments = result.judgments
        return {
            "worker": judgments.worker_ids.take(pa.array(worker)),
            "true_label": named(true_label, judgments.labels),
            "label": named(label, judgments.labels),
            "count": where_identified(result, count),
            "probability": where_identified(result, probability),
            "low": where_identified(result, np.where(known, low, probability)),
            "high": where_identified(result, np.where(known, high, probability)),
        }


def confusions(result: Consensus | WorkerAudit, *, every: bool = False) -> pd.DataFrame:
    """Every worker's confusion matrix, one row a cell.

    Parameters
    ----------
    result
        A fit, or its audit.
    every
        Also cells without judgments: all workers, labels and labels.

    Returns
    -------
    pandas.DataFrame
        worker, true_label, label; ``count`` expected judgments in the cell; ``probability`` P(label | true_label), as
        in ``result.confusion``, with a 95 % credible interval ``low``, ``high``. Cells with a count below .01 are left
        out, but for the right answer to labels of which the worker judged .01 items.
    """
    cells = ConfusionCells.of(WorkerAudit.of(result), every=every)
    return framed(cells.columns(slice(None), cells.result.backend))


def accuracy_by_label(result: Consensus | WorkerAudit) -> pd.DataFrame:
    """Every worker's accuracy on the items of each label that they met, one row a worker and label.

    Returns
    -------
    pandas.DataFrame
        worker, label; ``count`` expected judgments of items of the label, .01 or more; ``accuracy`` P(right | label),
        the diagonal of the confusion matrix, with a 95 % credible interval ``accuracy_low``, ``accuracy_high``.
    """
    cells = ConfusionCells.of(WorkerAudit.of(result))
    own = np.flatnonzero(cells.true_label == cells.label)
    found = framed(cells.columns(own, cells.result.backend)).assign(
        count=where_identified(cells.result, cells.total[own])
    )
    names = {"probability": "accuracy", "low": "accuracy_low", "high": "accuracy_high"}
    return found.rename(columns=names)[["worker", "label", "count", *names.values()]]


def known_share(result: Consensus) -> NDArray[np.float64]:
    """(W,) how much of the information in counts of known truth the expected counts of a worker hold (Louis 1982).

    A judgment that is right with probability r leaves r (1 - r) of the variance of a right-or-wrong outcome unknown,
    with r the reported confidence; LEAST_KNOWN always counts.
    """
    judgments = result.judgments
    totals, right = result.confusions.totals(), result.confusions.right()
    share = (right.sum(axis=1) + 1.0) / (totals.sum(axis=1) + 2.0)
    n = units_of_workers.per_worker(result)
    doubt = result.beliefs.doubt(judgments, result.backend, units_of_workers.of_judgments(result))
    unknown = doubt / np.where(n > 0, n, 1)
    return np.asarray(np.clip(1.0 - unknown / (share * (1.0 - share)), LEAST_KNOWN, 1.0), np.float64)


def _quantiles(
    a: NDArray[np.float64], b: NDArray[np.float64], backend: Backend | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """``beta_quantiles`` on the threads of ``backend``, if there is one: a microsecond each, they add up."""
    if backend is None:
        return beta_quantiles(a, b)
    parts = even_parts(len(a), number_of_shards(len(a)))
    found = backend.map(lambda part: beta_quantiles(a[part], b[part]), parts)
    low, high = (np.concatenate([one[n] for one in found]) for n in (0, 1))
    return low, high


def where_identified(result: Consensus, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """The numbers, or NaN where nothing tells how good a worker is."""
    return numbers if result.identified else np.full(len(numbers), np.nan)
