"""The table of workers: accuracy with an interval, on gold and by the consensus of the others, worth, verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus import model_audit, model_tables
from consensus.backends import even_slices, number_of_shards
from consensus.intervals import of_moments, wilson
from consensus.kernels import tallies
from consensus.result import framed, named
from consensus.worker_audit.confusion_table import where_identified

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from consensus.result import Columns, Consensus

LEAST_EVIDENCE = 2.0  # judgments at the pooled accuracy that every worker is credited with
LEAST_KNOWN = 0.1  # share of the information in a worker's judgments that always counts


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

    result = result.members or result
    judgments = result.judgments
    n_workers = judgments.n_workers
    accuracy, low, high = (where_identified(result, part) for part in _accuracy(result))
    gold_n, gold_right = _on_gold(result)
    gold_low, gold_high = wilson(gold_right, gold_n)
    n_agreeing, n_peers, n_items = _agreement(result)
    informativeness = where_identified(result, result.confusions.informativeness(result.prior_shares))
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
