"""After an earlier run: which items stay accepted, how far what was needed was off, and what changed."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from consensus.errors import JudgmentError
from consensus.found.result import named
from consensus.inputs.earlier_run import SETTLED, STATUSES
from consensus.inputs.vocabulary import positions

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.found.result import Columns, Consensus
    from consensus.inputs.earlier_run import Previous

LEAST_COMPARED = 30  # items with a prediction below which it is not corrected
MOST_CORRECTED = 5.0


def check(previous: Previous, result: Consensus) -> None:
    """Refuse what says nothing of these items.

    Raises
    ------
    JudgmentError
        None of its items is in the data.
    """
    if result.judgments.n_items and not (previous.rows(result.judgments.item_ids) >= 0).any():
        n = len(previous.item)
        none = "its item is not" if n == 1 else f"none of its {n:,} items is"
        raise JudgmentError(f"{none} in the data; name an earlier run over the same items", previous.file)


def accepted_before(previous: Previous, result: Consensus) -> NDArray[np.bool_]:
    """(I,) items that were accepted with the label that they still have."""
    import pyarrow as pa

    row = previous.rows(result.judgments.item_ids)
    accepted = positions(previous.status, pa.array(SETTLED, pa.string())) >= 0
    label = positions(previous.label, pa.array(result.judgments.labels, pa.string()))
    return np.asarray((row >= 0) & accepted[row] & (label[row] == result.consensus_label), np.bool_)


def correction(previous: Previous, result: Consensus, items: NDArray[np.int64], needed: NDArray[np.float64]) -> float:
    """By how much judgments needed are to be multiplied: what they have turned out to be, over what was predicted.

    A right prediction does not grow: what was used since and what is ``needed`` (n,) now, summed over the items that
    were escalated, is what was predicted then, on average. Predictions are taken before correction, and what is needed
    now as the last one corrected it, so that from round to round it comes to what is used over how much less is needed.
    ``items`` (n,) are those that still wait. Between 1/5 and 5; that of the last run where fewer than 30 items were
    predicted, or nothing was asked since.
    """
    row = previous.rows(result.judgments.item_ids)
    at = positions(result.judgments.item_ids, previous.escalated)
    predicted = np.append(previous.needed, np.nan)[at]
    used = result.judgments.per_item - np.append(previous.n_judgments, 0)[row]
    left = np.zeros(len(row))
    left[items] = needed
    told = np.isfinite(predicted) & (row >= 0)
    if told.sum() < LEAST_COMPARED or not used[told].sum():
        return previous.correction
    before = float(predicted[told].sum()) / previous.correction
    factor = float(used[told].sum() + previous.correction * left[told].sum()) / max(before, 1e-9)
    return float(np.clip(factor, 1.0 / MOST_CORRECTED, MOST_CORRECTED))


def changes(previous: Previous, result: Consensus, status: NDArray[np.int32]) -> Columns:
    """Items whose label or status is another than before: item, label_before, label, status_before, status.

    ``status`` (rows of labels,) as position in STATUSES. New items have nothing before.
    """
    import pyarrow as pa

    judgments = result.judgments
    row = previous.rows(judgments.item_ids)
    before = pa.array(row, mask=row < 0)
    label_before, status_before = previous.label.take(before), previous.status.take(before)
    label = named(result.consensus_label, judgments.labels)
    now = named(status[: judgments.n_items], STATUSES)
    same = _same(label_before, label) & _same(status_before, now)
    kept = pa.array(np.flatnonzero(~same))
    return {
        "item": judgments.item_ids.take(kept),
        "label_before": label_before.take(kept),
        "label": label.take(kept),
        "status_before": status_before.take(kept),
        "status": now.take(kept),
    }


def change_counts(previous: Previous, result: Consensus, table: Columns) -> dict[str, int]:
    """How many items have another label, are opened again, newly accepted, were not there before, or are no more.

    ``table`` is that of ``changes``.
    """
    import pyarrow.compute as pc

    before, now = table["status_before"], table["status"]

    def count(flags: pa.BooleanArray) -> int:
        return int(pc.sum(flags.fill_null(False)).as_py() or 0)

    accepted, accepted_before = (
        functools.reduce(pc.or_, [pc.equal(one, name) for name in SETTLED]) for one in (now, before)
    )
    return {
        "labels": int((~_same(table["label_before"], table["label"]) & ~_flags(pc.is_null(before))).sum()),
        "opened_again": count(pc.and_(accepted_before, pc.invert(accepted))),
        "newly_accepted": count(pc.and_(accepted, pc.invert(accepted_before))),
        "new_items": count(pc.is_null(before)),
        "gone_items": _n_gone(previous, result),
    }


def _n_gone(previous: Previous, result: Consensus) -> int:
    import pyarrow as pa

    gold = () if result.gold is None else result.gold.unjudged
    here = (positions(previous.item, result.judgments.item_ids) >= 0) | (
        positions(previous.item, pa.array(list(gold), pa.string())) >= 0
    )
    return int((~here).sum())


def _same(a: pa.StringArray, b: pa.StringArray) -> NDArray[np.bool_]:
    """Where two columns agree; so do two that are both missing."""
    import pyarrow.compute as pc

    equal = pc.equal(a, b).fill_null(False).to_numpy(zero_copy_only=False)
    return np.asarray(equal | _flags(pc.and_(pc.is_null(a), pc.is_null(b))), np.bool_)


def _flags(column: pa.BooleanArray) -> NDArray[np.bool_]:
    return np.asarray(column.to_numpy(zero_copy_only=False), np.bool_)
