"""The table of workers: accuracy with an interval, on gold and by the consensus of the others, worth, verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.found.result import framed, named, people_only
from consensus.intervals import wilson
from consensus.votes_audit import model_ratings, models_table
from consensus.worker_audit.accuracy import (
    one_label_verdicts,
    units_of_workers,
    verdict_reasons,
    verdicts,
    worker_worth,
)
from consensus.worker_audit.accuracy.confusion_table import where_identified
from consensus.worker_audit.audit_of_result import WorkerAudit

if TYPE_CHECKING:
    import pandas as pd

    from consensus.config import AuditConfig
    from consensus.found.given_result import Fitted
    from consensus.found.result import Columns, Consensus


def audit(
    result: Fitted | WorkerAudit,
    config: AuditConfig | None = None,
    *,
    costs: Any = None,
    price: float | None = None,
    **settings: Any,
) -> pd.DataFrame:
    """Rate every worker.

    Parameters
    ----------
    result
        A fitted consensus, or a run; or its ``WorkerAudit``, which has all else already.
    config
        Settings; see ``AuditConfig``.
    costs
        What a decision costs where another label is true, from ``read_costs`` or what it reads.
    price
        Money paid for every judgment, whatever a column of prices says.
    **settings
        Fields of ``AuditConfig``, such as ``min_worker_judgments=30``.

    Returns
    -------
    pandas.DataFrame
        One row a worker, sorted by id; none for a worker who stands for many people (``judgments.anonymous``):

        worker, kind
            Id; "human". Models and families of models come last, "model" and "family".
        n_judgments, n_items
            How much the worker did.
        effective_judgments, n_clusters
            As how many independent judgments theirs count, by the weights of items and by how far items of a cluster
            err together; and how many clusters their items lie in. Only where items have weights, or clusters.
        accuracy, accuracy_low, accuracy_high
            P(right) on the items that the worker judged, by the model: what to rank workers by. Its interval is the
            wider, the less certain the labels are that the worker is held against. Of 95 %; without gold about nine in
            ten of them hold the true accuracy, fewer where the labels themselves are wrong.
        gold_n, gold_accuracy, gold_low, gold_high
            Judgments on gold items, the share of them that is right, its 95 % Wilson interval; missing without gold.
        agreement
            Share of other workers' judgments on the same items that say the same; missing without any.
        informativeness
            Mutual information of true label and answer, in bits per judgment; 0 for a spammer.
        worth
            Judgments of the median worker that one judgment, or vote of a model, equals: informativeness over that of
            the median worker. Missing where they tell nothing.
        verdict, verdict_probability
            "expert", "good", "biased" (usable, but takes labels for others), "weak" (not clearly above chance or half
            of the median worker), "careless", "spammer" (answers do not depend on the truth), "adversarial" (against
            the truth), "gold_aware" (right on gold, at random elsewhere: their gold is left out of their accuracy) or
            "too_few" judgments to tell, or gold contradicts them; and the posterior probability of what it says: see
            ``verdicts``.
            Of who changed over time, what they are since, by the judgments that are surely from after the change; all
            numbers of the row are over all their judgments. Missing for models.
        reason
            The numbers behind the verdict, or why a model counts as it does.
        label_adjusted_accuracy
            P(right), had their items the labels in the proportions of the class prior.
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
    FormatError, JudgmentError
        The costs can't be read, or do not fit the labels.

    Examples
    --------
    >>> consensus.audit(consensus.fit(judgments), min_worker_judgments=5)["worker"].tolist()
    ['ann', 'bob', 'eve']
    """
    return framed(worker_columns(WorkerAudit.of(result, config, costs=costs, price=price, **settings)))


def worker_columns(audit: WorkerAudit) -> Columns:
    """The columns that ``audit`` shows."""
    import pyarrow as pa

    audit = audit.of_members
    result, costs, price = audit.result, audit.costs, audit.price
    judgments = result.judgments
    n_workers = judgments.n_workers
    accurate, judged, others = audit.accuracy, audit.verdicts, audit.peers
    low, high = accurate.interval
    gold_units, gold_right = one_label_verdicts.on_gold(result)
    gold_low, gold_high = wilson(gold_right, gold_units)
    gold_n = gold_units if result.units is None else one_label_verdicts.on_gold(replace(result, units=None))[0]
    informativeness = where_identified(result, result.informativeness)
    median, _ = model_ratings.median_worker(result)
    columns: Columns = {
        "worker": judgments.worker_ids,
        "kind": named(np.zeros(n_workers, np.int32), ("human",)),
        "n_judgments": judgments.per_worker,
        "n_items": others.n_items,
        **_in_units(result),
        "accuracy": where_identified(result, accurate.mean),
        "accuracy_low": where_identified(result, low),
        "accuracy_high": where_identified(result, high),
        "gold_n": gold_n.astype(np.int64),
        "gold_accuracy": np.divide(gold_right, gold_units, out=np.full(n_workers, np.nan), where=gold_n > 0),
        "gold_low": gold_low,
        "gold_high": gold_high,
        "agreement": np.divide(others.agreeing, others.peers, out=np.full(n_workers, np.nan), where=others.peers > 0),
        "informativeness": informativeness / np.log(2.0),
        "worth": model_ratings.worths(informativeness, median),
        "verdict": named(judged.verdict, verdicts.VERDICTS),
        "reason": pa.array(verdict_reasons.remarked(audit), pa.string()),
        "verdict_probability": where_identified(result, judged.probability),
        "label_adjusted_accuracy": where_identified(result, accurate.label_adjusted),
        "chance_corrected": worker_worth.chance_corrected(result, accurate.label_adjusted),
        "expected_cost": np.full(n_workers, np.nan) if costs is None else worker_worth.expected_cost(audit, costs),
        "price": worker_worth.mean_price(result) if price is None else np.full(n_workers, price),
        "bits_per_price": worker_worth.bits_per_money(result, informativeness / np.log(2.0), price),
    }
    columns = people_only(columns, judgments.is_person)
    return columns if result.models is None else models_table.beside_workers(columns, audit)


def verdict_counts(audit: WorkerAudit) -> dict[str, int]:
    """How many workers have which verdict, of those that occur."""
    audit = audit.of_members
    judged = audit.verdicts.verdict[audit.result.judgments.is_person]
    n = np.bincount(judged, minlength=len(verdicts.VERDICTS))
    return {name: int(times) for name, times in zip(verdicts.VERDICTS, n, strict=True) if times}


def _in_units(result: Consensus) -> Columns:
    """What judgments count for; nothing where each counts as one."""
    if result.units is None:
        return {}
    found: Columns = {"effective_judgments": units_of_workers.per_worker(result)}
    if result.units.n_clusters is not None:
        found["n_clusters"] = result.units.n_clusters
    return found
