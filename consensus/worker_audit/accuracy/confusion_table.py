"""The table of every worker's confusion matrix, cell by cell, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import even_parts, number_of_shards
from consensus.found.result import framed, named, people_only
from consensus.intervals import beta_quantiles
from consensus.worker_audit.audit_of_result import WorkerAudit

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.found.result import Columns, Consensus

LEAST_KNOWN = 0.1  # share of the information in a worker's judgments that always counts
MOST_CELLS = 2_000_000  # cells of confusions.csv; beyond that only those with a count
LEAST_SHOWN = 0.01  # expected judgments of such a cell


def confusions(result: Consensus | WorkerAudit) -> pd.DataFrame:
    """Every worker's confusion matrix, one row a cell.

    Returns
    -------
    pandas.DataFrame
        worker, true_label, label; ``count`` expected judgments in the cell; ``probability`` P(label | true_label), as
        in ``result.confusion``, with a 95 % credible interval ``low``, ``high``. Above two million cells, those with a
        count below .01 are left out.
    """
    return framed(confusion_columns(WorkerAudit.of(result)))


def confusion_columns(audit: WorkerAudit) -> Columns:
    """The columns that ``confusions`` shows."""
    import pyarrow as pa

    result = audit.of_members.result
    found = result.confusions
    K = found.n_labels
    A_true = found.pseudo_counts.sum(axis=1)
    if found.n_workers * K * K <= MOST_CELLS:
        table = found.dense_counts()
        worker, true_label, label = (axis.ravel() for axis in np.indices(table.shape, np.int32))
        count = table.ravel()
        total = np.repeat(table.sum(axis=2).ravel(), K)
    else:
        shown = found.counts >= LEAST_SHOWN
        worker, label, true_label = found.worker[shown], found.label[shown], found.true[shown]
        count = found.counts[shown]
        total = found.totals()[worker, true_label]
    a = count + found.pseudo_counts[true_label, label]
    b = np.maximum(total + A_true[true_label] - a, 0.0)
    probability = np.divide(a, a + b, out=np.full_like(a, np.nan), where=a + b > 0)
    known = (a > 0) & (b > 0)
    less = np.where(known, (total * known_share(result)[worker] + A_true[true_label]) / np.maximum(a + b, 1e-300), 1.0)
    low, high = _quantiles(np.where(known, a * less, 1.0), np.where(known, b * less, 1.0), result.backend)
    judgments = result.judgments
    columns: Columns = {
        "worker": judgments.worker_ids.take(pa.array(worker)),
        "true_label": named(true_label, judgments.labels),
        "label": named(label, judgments.labels),
        "count": where_identified(result, count),
        "probability": where_identified(result, probability),
        "low": where_identified(result, np.where(known, low, probability)),
        "high": where_identified(result, np.where(known, high, probability)),
    }
    return people_only(columns, judgments.is_person[worker])


def accuracy_by_label(result: Consensus | WorkerAudit) -> pd.DataFrame:
    """Every worker's accuracy on the items of each label, one row a worker and label.

    Returns
    -------
    pandas.DataFrame
        worker, label; ``count`` expected judgments of items of the label; ``accuracy`` P(right | label), the diagonal
        of the confusion matrix, with a 95 % credible interval ``accuracy_low``, ``accuracy_high``.
    """
    cells = confusions(result)
    count = cells.groupby(["worker", "true_label"], sort=False)["count"].transform("sum")
    cells = cells.assign(count=count)[cells["true_label"] == cells["label"]].reset_index(drop=True)
    names = {"probability": "accuracy", "low": "accuracy_low", "high": "accuracy_high"}
    return cells.rename(columns=names)[["worker", "label", "count", *names.values()]]


def known_share(result: Consensus) -> NDArray[np.float64]:
    """(W,) how much of the information in counts of known truth the expected counts of a worker hold (Louis 1982).

    A judgment that is right with probability r leaves r (1 - r) of the variance of a right-or-wrong outcome unknown,
    with r the reported confidence; LEAST_KNOWN always counts.
    """
    judgments = result.judgments
    totals, right = result.confusions.totals(), result.confusions.right()
    share = (right.sum(axis=1) + 1.0) / (totals.sum(axis=1) + 2.0)
    unknown = result.beliefs.doubt(judgments, result.backend) / np.maximum(judgments.per_worker, 1)
    return np.asarray(np.clip(1.0 - unknown / (share * (1.0 - share)), LEAST_KNOWN, 1.0), np.float64)


def _quantiles(
    a: NDArray[np.float64], b: NDArray[np.float64], backend: Backend
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """``beta_quantiles`` on the threads of ``backend``: a microsecond each, they add up."""
    parts = even_parts(len(a), number_of_shards(len(a)))
    found = backend.map(lambda part: beta_quantiles(a[part], b[part]), parts)
    low, high = (np.concatenate([one[n] for one in found]) for n in (0, 1))
    return low, high


def where_identified(result: Consensus, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """The numbers, or NaN where nothing tells how good a worker is."""
    return numbers if result.identified else np.full(len(numbers), np.nan)
