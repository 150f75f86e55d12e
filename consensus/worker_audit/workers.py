"""The table of workers: accuracy with an interval, on gold and by the consensus of the others, worth, verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from consensus import model_audit, model_tables
from consensus.backends import even_slices, number_of_shards
from consensus.config import AuditConfig
from consensus.intervals import wilson
from consensus.kernels import tallies
from consensus.result import framed, named
from consensus.worker_audit import accuracy, kinds, records, remarks, value, verdicts
from consensus.worker_audit.confusion_table import where_identified

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from consensus.costs import Costs
    from consensus.result import Columns, Consensus
    from consensus.worker_audit.accuracy import Accuracy
    from consensus.worker_audit.verdicts import Verdicts

_RATED: WeakKeyDictionary[Consensus, dict[AuditConfig, tuple[Accuracy, Verdicts]]] = WeakKeyDictionary()


def audit(
    result: Consensus,
    config: AuditConfig | None = None,
    *,
    costs: Costs | None = None,
    price: float | None = None,
    **settings: Any,
) -> pd.DataFrame:
    """Rate every worker.

    Parameters
    ----------
    result
        A fitted consensus.
    config
        Settings; see ``AuditConfig``.
    costs
        What a decision costs where another label is true, from ``formats.read_costs``.
    price
        Money paid for every judgment, whatever a column of prices says.
    **settings
        Fields of ``AuditConfig``, such as ``least_judgments=30``.

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
        verdict, verdict_probability
            "expert", "good", "biased" (usable, but takes labels for others), "careless", "spammer" (answers do not
            depend on the truth), "adversarial" (against the truth) or "too_few" judgments to tell; and the posterior
            probability of what it says: see ``verdicts``. Missing for models.
        reason
            The numbers behind the verdict, or why a model counts as it does.
        accuracy_on_own_items
            P(right) over the items that the worker judged, whichever labels they have.
        chance_corrected
            Cohen's kappa of the worker's answers and the true labels: 1 always right, 0 as often as by chance.
        expected_cost
            Of an item that is decided by one judgment of the worker; missing without ``costs``.
        price, bits_per_price
            Mean money paid for a judgment, and bits that a unit of money buys; missing without prices.

    Raises
    ------
    ConfigError
        A setting is unknown or out of range.
    JudgmentError
        ``costs`` do not fit the labels.
    """
    matrix = None if costs is None else costs.align(result.judgments)
    return framed(worker_columns(result, AuditConfig.of(config, **settings), costs=matrix, price=price))


def worker_columns(
    result: Consensus,
    config: AuditConfig | None = None,
    *,
    costs: NDArray[np.float64] | None = None,
    price: float | None = None,
) -> Columns:
    """The columns that ``audit`` shows."""
    import pyarrow as pa

    result = result.members or result
    judgments = result.judgments
    n_workers = judgments.n_workers
    accurate, judged = rated(result, config or AuditConfig())
    low, high = accurate.interval
    gold_n, gold_right = _on_gold(result)
    gold_low, gold_high = wilson(gold_right, gold_n)
    n_agreeing, n_peers, n_items = _agreement(result)
    informativeness = where_identified(result, result.informativeness)
    median, _ = model_audit.median_worker(result)
    columns: Columns = {
        "worker": judgments.worker_ids,
        "kind": named(np.zeros(n_workers, np.int32), ("human",)),
        "n_judgments": judgments.per_worker,
        "n_items": n_items,
        "accuracy": where_identified(result, accurate.mean),
        "accuracy_low": where_identified(result, low),
        "accuracy_high": where_identified(result, high),
        "gold_n": gold_n.astype(np.int64),
        "gold_accuracy": np.divide(gold_right, gold_n, out=np.full(n_workers, np.nan), where=gold_n > 0),
        "gold_low": gold_low,
        "gold_high": gold_high,
        "agreement": np.divide(n_agreeing, n_peers, out=np.full(n_workers, np.nan), where=n_peers > 0),
        "informativeness": informativeness / np.log(2.0),
        "worth": model_audit.worths(informativeness, median),
        "verdict": named(judged.verdict, verdicts.VERDICTS),
        "reason": pa.array(remarks.remarked(result, judged.reason), pa.string()),
        "verdict_probability": where_identified(result, judged.probability),
        "accuracy_on_own_items": where_identified(result, accurate.on_own_items),
        "chance_corrected": value.chance_corrected(result, accurate.mean),
        "expected_cost": np.full(n_workers, np.nan) if costs is None else value.expected_cost(result, costs),
        "price": value.mean_price(result) if price is None else np.full(n_workers, price),
        "bits_per_price": value.bits_per_money(result, informativeness / np.log(2.0), price),
    }
    return columns if result.models is None else model_tables.beside_workers(columns, result)


def rated(result: Consensus, config: AuditConfig) -> tuple[Accuracy, Verdicts]:
    """Accuracy of every worker, and what to think of it: made once, and asked for by several tables."""
    known = _RATED.setdefault(result, {})
    if config not in known:
        accurate, found = accuracy.known(result), kinds.kinds(result, records.records(result))
        known[config] = accurate, verdicts.verdicts(result, accurate, found, config)
    return known[config]


def verdict_counts(result: Consensus, config: AuditConfig) -> dict[str, int]:
    """How many workers have which verdict, of those that occur."""
    n = np.bincount(rated(result.members or result, config)[1].verdict, minlength=len(verdicts.VERDICTS))
    return {name: int(times) for name, times in zip(verdicts.VERDICTS, n, strict=True) if times}


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
