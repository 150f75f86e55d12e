"""Judgments that came after their item was settled: what voting on costs where nothing is open any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.found.tempering import tempered
from consensus.inputs.vocabulary import hashed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.config import EscalateConfig
    from consensus.found.result import Consensus

    Codes = NDArray[np.int64]

MOST_ITEMS = 5_000  # that are looked at; of more, these are drawn by a hash of their ids


@dataclass(frozen=True, slots=True)
class Spare:
    """Judgments of the accepted items."""

    judgments: int
    """Of all that were accepted."""
    spare: float
    """Of these, how many came after the item was settled; estimated from a sample where items are many."""
    in_time: bool
    """By the times of the judgments, or the order of rows; else in an order that says nothing."""


def spare(result: Consensus, accepted: Codes, rule: EscalateConfig) -> Spare | None:
    """How many judgments of the ``accepted`` items (n,), codes, came when these were settled already.

    The judgments of an item are counted one by one, each as the fit weighs it in the end; all else that the posterior
    holds (class prior, models, other readings, calibration) is there from the start. The item is settled at the first
    number of judgments, ``rule.min_judgments`` at least, with which its label is the final one and reaches
    ``rule.target``. None where nothing is accepted, or judgments have no likelihoods.
    """
    judgments = result.judgments
    accepted = accepted[judgments.per_item[accepted] > 0]
    total = int(judgments.per_item[accepted].sum())
    if not total or result.terms is None or not result.identified:
        return None
    items = accepted
    if len(items) > MOST_ITEMS:
        import pyarrow as pa

        drawn = np.argsort(hashed(judgments.item_ids.take(pa.array(items))), kind="stable")[:MOST_ITEMS]
        items = np.sort(items[drawn])
    late = sum(_late(result, int(item), rule) for item in items.tolist())
    return Spare(
        total, late * total / float(judgments.per_item[items].sum()), judgments.in_order and not judgments.rows_guessed
    )


def _late(result: Consensus, item: int, rule: EscalateConfig) -> int:
    """Judgments of one accepted item after it was settled."""
    judgments = result.judgments
    j = np.arange(judgments.item_start[item], judgments.item_start[item + 1])
    order = judgments.timestamp if judgments.timestamp is not None else judgments.read_row
    if order is not None and not judgments.rows_guessed:
        j = j[np.argsort(order[j], kind="stable")]
    assert result.terms is not None
    logs = result.terms.log_likelihoods(result.confusions, judgments.worker[j], judgments.label[j])
    n, items = np.array([len(j)]), np.array([item])
    q = result.beliefs.dense(items)
    rest = result.tempering.untempered(q, n, items)[0] - logs.sum(axis=0)
    best = int(q[0].argmax())
    for m in range(max(rule.min_judgments, 1), len(j)):
        power = result.tempering.power(np.array([m]), items)
        so_far = tempered((rest + logs[:m].sum(axis=0))[None], power)[0]
        if so_far[best] >= rule.target:
            return len(j) - m
    return 0
