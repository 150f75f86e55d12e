"""Rating workers: accuracy with an interval, on gold and by the consensus of the others; and every confusion matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus import model_audit, model_tables
from consensus.backends import even_parts, even_slices, number_of_shards
from consensus.intervals import beta_quantiles, of_moments, wilson
from consensus.kernels import tallies
from consensus.result import framed, named

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.result import Columns, Consensus

LEAST_EVIDENCE = 2.0  # judgments at the pooled accuracy that every worker is credited with
LEAST_KNOWN = 0.1  # share of the information in a worker's judgments that always counts
MOST_CELLS = 2_000_000  # cells of confusions.csv; beyond that only those with a count
LEAST_SHOWN = 0.01  # expected judgments of such a cell


def audit(result: Consensus) -> pd.DataFrame:
    """Rate every worker.

    Returns
    -------
    pandas.DataFrame
        One row a worker, sorted by id:

        worker, kind
            Id; "human". Models and families of models come last, "model" and "family".
        n_judgments, n_items
            How much the worker did.
        accuracy, accuracy_low, accuracy_high
            P(right) by the model, over items in the proportions of the class prior, with a 95 % interval that is the
            wider, the less certain the labels are that the worker is held against.
        gold_n, gold_accuracy, gold_low, gold_high
            Judgments on gold items, the share of them that is right, its 95 % Wilson interval; missing without gold.
        agreement
            Share of other workers' judgments on the same items that say the same; missing without any.
        informativeness
            Mutual information of true label and answer, in bits per judgment; 0 for a spammer.
        worth
            Judgments of the median worker that one judgment, or vote of a model, equals: informativeness over that of
            the median worker. Missing where he tells nothing.
        verdict
            Not yet filled.
        reason
            Why a model counts as it does; not yet filled for people.
    """
    return framed(worker_columns(result))


def worker_columns(result: Consensus) -> Columns:
    """The columns that ``audit`` shows."""
    import pyarrow as pa

    judgments = result.judgments
    n_workers = judgments.n_workers
    accuracy, low, high = (_where_identified(result, part) for part in _accuracy(result))
    gold_n, gold_right = _on_gold(result)
    gold_low, gold_high = wilson(gold_right, gold_n)
    n_agreeing, n_peers, n_items = _agreement(result)
    informativeness = _where_identified(result, result.confusions.informativeness(result.prior_shares))
    median, _ = model_audit.median_worker(result)
    missing = pa.nulls(n_workers, pa.string())
    columns: Columns = {
        "worker": judgments.worker_ids,
        "kind": named(np.zeros(n_workers, np.int32), ("human",)),
        "n_judgments": judgments.per_worker,
        "n_items": n_items,
        "accuracy": accuracy,
        "accuracy_low": low,
        "accuracy_high": high,
        "gold_n": gold_n.astype(np.int64),
        "gold_accuracy": np.divide(gold_right, gold_n, out=np.full(n_workers, np.nan), where=gold_n > 0),
        "gold_low": gold_low,
        "gold_high": gold_high,
        "agreement": np.divide(n_agreeing, n_peers, out=np.full(n_workers, np.nan), where=n_peers > 0),
        "informativeness": informativeness / np.log(2.0),
        "worth": np.array([model_audit.worth(one, median) for one in informativeness]),
        "verdict": missing,
        "reason": missing,
    }
    return columns if result.models is None else model_tables.beside_workers(columns, result)


def confusions(result: Consensus) -> pd.DataFrame:
    """Every worker's confusion matrix, one row a cell.

    Returns
    -------
    pandas.DataFrame
        worker, true_label, label; ``count`` expected judgments in the cell; ``probability`` P(label | true_label), as
        in ``result.confusion``, with a 95 % credible interval ``low``, ``high``. Above two million cells, those with a
        count below .01 are left out.
    """
    return framed(confusion_columns(result))


def confusion_columns(result: Consensus) -> Columns:
    """The columns that ``confusions`` shows."""
    import pyarrow as pa

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
    known = (a > 0) & (b > 0)
    low, high = _quantiles(np.where(known, a, 1.0), np.where(known, b, 1.0), result.backend)
    probability = np.divide(a, a + b, out=np.full_like(a, np.nan), where=a + b > 0)
    judgments = result.judgments
    return {
        "worker": judgments.worker_ids.take(pa.array(worker)),
        "true_label": named(true_label, judgments.labels),
        "label": named(label, judgments.labels),
        "count": _where_identified(result, count),
        "probability": _where_identified(result, probability),
        "low": _where_identified(result, np.where(known, low, probability)),
        "high": _where_identified(result, np.where(known, high, probability)),
    }


def _quantiles(
    a: NDArray[np.float64], b: NDArray[np.float64], backend: Backend
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """``beta_quantiles`` on the threads of ``backend``: a microsecond each, they add up."""
    parts = even_parts(len(a), number_of_shards(len(a)))
    found = backend.map(lambda part: beta_quantiles(a[part], b[part]), parts)
    low, high = (np.concatenate([one[n] for one in found]) for n in (0, 1))
    return low, high


def _where_identified(result: Consensus, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """The numbers, or NaN where nothing tells how good a worker is."""
    return numbers if result.identified else np.full(len(numbers), np.nan)


def _accuracy(
    result: Consensus,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """sum_k prior[k] C[w, k, k] (W,), and a 95 % interval of it.

    The workers' learnt prior would pull the accuracy over all labels together as hard as each of the K rows, so it is
    replaced here by LEAST_EVIDENCE judgments at the pooled accuracy of each label. What the counts know less than
    counts of known truth is taken off their number (Louis 1982): a judgment that is right with probability r leaves
    r (1 - r) of the variance of a right-or-wrong outcome unknown, with r the reported confidence.

    Measured: counts against the other judgments of an item only ("leave one out", without this correction) covered
    the planted accuracy in 0 to 57 % of workers, these intervals in 88 to 100 %.
    """
    found, judgments, prior = result.confusions, result.judgments, result.prior_shares
    K = found.n_labels
    totals, right = found.totals(), found.right()
    if found.missed is not None:
        totals += found.missed[:, None] * prior
    all_totals = totals.sum(axis=0)
    pooled = np.divide(right.sum(axis=0), all_totals, out=np.full(K, 1.0 / K), where=all_totals > 0)
    strength = LEAST_EVIDENCE * np.maximum(prior, 1e-12)
    share = (right + strength * pooled) / (totals + strength)
    mean = share @ prior

    n = np.maximum(judgments.per_worker, 1)
    unknown = result.beliefs.doubt(judgments, result.backend) / n
    overall = np.clip(mean, 0.01, 0.99)
    known = np.clip(1.0 - unknown / (overall * (1 - overall)), LEAST_KNOWN, 1.0)
    # for the spread alone, one success and one failure more (Agresti & Coull 1998): a flawless record is no certainty
    evidence = totals * known[:, None] + strength
    cautious = (share * evidence + prior) / (evidence + 2.0 * prior)
    variance = (cautious * (1 - cautious) / (evidence + 2.0 * prior + 1.0)) @ prior**2
    low, high = of_moments(cautious @ prior, variance)
    return mean, np.minimum(low, mean), np.maximum(high, mean)


def _on_gold(result: Consensus) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Judgments of each worker on gold items (W,), and how many of them give an accepted label (W,)."""
    judgments = result.judgments
    n_workers = judgments.n_workers
    if result.gold is None:
        return np.zeros(n_workers, np.intp), np.zeros(n_workers)
    code = np.full(judgments.n_items, -1, np.int64)
    code[result.gold.items] = np.arange(len(result.gold.items))
    on_gold = code[judgments.item] >= 0
    worker = judgments.worker[on_gold]
    right = result.gold.accepted[code[judgments.item[on_gold]], judgments.label[on_gold]]
    n_right = np.bincount(worker, weights=right, minlength=n_workers).astype(np.float64)
    return np.bincount(worker, minlength=n_workers), n_right


def _agreement(result: Consensus) -> NDArray[np.int64]:
    """(3, W) agreeing judgments by others on the items of each worker, all judgments by others, and the items."""
    judgments = result.judgments

    def shard(part: slice) -> NDArray[np.int64]:
        found = np.zeros((3, judgments.n_workers), np.int64)
        starts = judgments.item_start[part.start : part.stop + 1]
        tallies.peer_agreement(starts, judgments.worker, judgments.label, judgments.n_labels, *found)
        return found

    parts = even_slices(judgments.item_start, number_of_shards(judgments.n_judgments, judgments.n_workers))
    return np.asarray(np.sum(result.backend.map(shard, parts), axis=0), np.int64)
