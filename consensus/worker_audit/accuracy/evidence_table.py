"""The judgments that weigh most against a worker, and those that speak most for them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from consensus import wording
from consensus.errors import ConfigError
from consensus.found.result import framed, named
from consensus.inputs.counted import counted
from consensus.probabilities import normalised
from consensus.worker_audit.accuracy import against_others
from consensus.worker_audit.audit_of_result import WorkerAudit
from consensus.worker_audit.on_gold.gold_health import names_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from consensus.found.result import Columns, Consensus

    Positions = NDArray[np.int64]
    Reals = NDArray[np.float64]

SHOWN = 10
BLOCK = 5_000_000  # judgments times labels that are worked on at once
SIDES = ("against", "for")


def evidence(result: Consensus | WorkerAudit, worker: str, n: int = SHOWN) -> pd.DataFrame:
    """The ``n`` judgments that weigh most against a worker, then the ``n`` that speak most for them.

    The weight of a judgment is the log likelihood ratio of two ways to answer: like the crowd, or without a look at the
    item. Let q[k] be P(the true label is k | the other judgments of the item, gold, models), tempered as every
    confidence; C[k, l] how the crowd as a whole answers l when k is true; s[l] how often this worker answers l. Then

        weight = log(sum_k q[k] C[k, l] / s[l])

    It is the sum of these that tells a worker from a spammer with the same habits: a label that they give anyway tells
    little when right, a rare one much; where others are uncertain, no judgment weighs much; and a mistake that many
    make weighs less than one that nobody makes. Confusions of their own do not enter: they are measured by others.

    Parameters
    ----------
    result
        A fit. A judgment that nothing else can be held against is no evidence.
    worker
        Id.
    n
        How many judgments on either side, at most.

    Returns
    -------
    pandas.DataFrame
        side
            "against" (negative weight, and others say something else) or "for" (positive weight, and others say the
            same); the heaviest first, equal ones by item.
        weight
            In nats.
        item, label
            What the worker judged, and what they said.
        true_label
            The best label by the others.
        p_right
            P(what they said is right), by the others.
        others
            What others said, such as "cat 4 | dog 1"; missing where they are alone.
        gold
            The accepted label of a gold item; several joined by " | ".
        timestamp
            When, in UTC; only if the judgments have times.

    Raises
    ------
    ConfigError
        There is no such worker, or ``n`` is below 1.
    """
    return framed(evidence_columns(WorkerAudit.of(result), worker, n))


def evidence_columns(audit: WorkerAudit, worker: str, n: int = SHOWN) -> Columns:
    """The columns that ``evidence`` shows."""
    import pyarrow as pa

    if n < 1:
        raise ConfigError(f"{n} judgments of evidence are asked for; ask for 1 or more")
    result, judgments, labels = audit.result, audit.result.judgments, audit.result.judgments.labels
    own = np.flatnonzero(judgments.worker == code_of(result, worker))
    own = own[against_others.is_checked(result, judgments.item[own])]
    weight, best, p_right = _weights(result, own)
    agrees = judgments.label[own] == best
    against, favour = (np.argsort(way * weight, kind="stable") for way in (1, -1))
    against = against[~agrees[against] & (weight[against] < 0)][:n]
    favour = favour[agrees[favour] & (weight[favour] > 0)][:n]
    side = np.repeat(np.arange(2, dtype=np.int32), [len(against), len(favour)])
    chosen = np.concatenate([against, favour])
    judgment = own[chosen]
    item = judgments.item[judgment]
    columns: Columns = {
        "side": named(side, SIDES),
        "weight": weight[chosen],
        "item": judgments.item_ids.take(pa.array(item)),
        "label": named(judgments.label[judgment], labels),
        "true_label": named(best[chosen], labels),
        "p_right": p_right[chosen],
        "others": pa.array([_said(result, int(j)) for j in judgment], pa.list_(pa.string())),
        "gold": pa.array(_gold(result, item), pa.list_(pa.string())),
    }
    if judgments.timestamp is not None:
        when = judgments.timestamp[judgment]
        whole = bool((np.isnat(when) | (when == when.astype("datetime64[s]"))).all())
        texts = np.datetime_as_string(when, unit="s" if whole else "us", timezone="UTC")
        columns["timestamp"] = pa.array(texts.astype(object), pa.string(), mask=np.isnat(when))
    return columns


def code_of(result: Consensus, worker: str) -> int:
    """Code of a worker.

    Raises
    ------
    ConfigError
        There is no such worker.
    """
    ids = result.judgments.worker_ids
    code = ids.index(worker).as_py()
    if code >= 0:
        return int(code)
    meant = wording.aside(worker, ids.to_pylist())
    raise ConfigError(
        f'no worker "{worker}" among {counted(len(ids), "worker")}{meant}; consensus audit lists their ids',
        code="unknown_name",
    )


def _weights(result: Consensus, own: Positions) -> tuple[Reals, NDArray[np.int32], Reals]:
    """Weight of judgments (n,) of one worker, best label by the others, P(the label given is right)."""
    judgments, K = result.judgments, result.judgments.n_labels
    crowd = _crowd(result)
    label = judgments.label[own]
    habit = (np.bincount(label, minlength=K) + 1.0 / K) / (len(own) + 1.0)
    weight, best, p_right = np.empty(len(own)), np.empty(len(own), np.int32), np.empty(len(own))
    step = max(BLOCK // K, 1)

    def part(begin: int) -> None:
        at = slice(begin, begin + step)
        items = judgments.item[own[at]]
        power = result.tempering.power(judgments.per_item[items] - 1, items)
        q = against_others.cavities(result, own[at])
        q = normalised((q / q.max(axis=1, keepdims=True)) ** power[:, None])
        weight[at] = np.log((q * crowd[:, label[at]].T).sum(axis=1) / habit[label[at]])
        best[at] = q.argmax(axis=1)
        p_right[at] = q[np.arange(len(q)), label[at]]

    result.backend.map(part, range(0, len(own), step))
    return weight, best, p_right


def _crowd(result: Consensus) -> Reals:
    """(K, K) P(observed | true) of all workers together; none of it 0."""
    cells = result.confusions
    K = cells.n_labels
    count = np.bincount(cells.true.astype(np.int64) * K + cells.label, weights=cells.counts, minlength=K * K)
    return normalised(count.reshape(K, K) + cells.pseudo_counts + 1.0 / K)


def _said(result: Consensus, judgment: int) -> list[str] | None:
    """What others said of the item of a judgment: ``cat 4``, ``dog 1``, the most frequent first."""
    judgments = result.judgments
    i = judgments.item[judgment]
    item = slice(judgments.item_start[i], judgments.item_start[i + 1])
    label = judgments.label[item][judgments.worker[item] != judgments.worker[judgment]]
    code, count = np.unique(label, return_counts=True)
    order = np.argsort(-count, kind="stable")
    return [f"{judgments.labels[code[at]]} {count[at]:,}" for at in order] or None


def _gold(result: Consensus, items: NDArray[np.int32]) -> list[list[str] | None]:
    """The accepted labels of items (n,), None where there are none."""
    if result.gold is None:
        return [None] * len(items)
    chosen = np.flatnonzero(np.isin(result.gold.items, items))
    gold = replace(result.gold, items=result.gold.items[chosen], accepted=result.gold.accepted[chosen])
    names = dict(zip(gold.items.tolist(), names_of(gold, result.judgments.labels), strict=True))
    return [names.get(item) for item in items.tolist()]
