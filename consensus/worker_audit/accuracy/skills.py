"""How good workers are elsewhere: on the items whose label they could not know from the gold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.result import Consensus

    Flags = NDArray[np.bool_]
    Positions = NDArray[np.int64]
    Reals = NDArray[np.float64]

POOLED = 2.0  # judgments at the accuracy of the crowd that every worker is credited with
OWN = 4.0  # judgments of each label at the worker's own accuracy
WEAK = 0.5  # share of the median worker's skill below which a worker is weak
GOOD = 0.5  # skill that a strong worker has at least


@dataclass(frozen=True, slots=True, eq=False)
class Skills:
    """What every worker gets right without the gold."""

    accuracy: Reals
    """(W,) P(right), over labels in the proportions of the class prior."""
    right: Reals
    """(W, K) P(right | true label)."""
    weak: Flags
    """(W,) less than half as far above chance as the median worker."""
    strong: Flags
    """(W,) as good as the median worker or better, and at least half the way from chance to flawless."""


def elsewhere(result: Consensus) -> Skills:
    """Skills from the fitted confusions, all judgments on gold items taken out of them.

    A worker with few other judgments is taken for an average one; a label that they met rarely counts like their
    others.
    """
    cells, prior, judgments = result.confusions, result.prior_shares, result.judgments
    totals, right = cells.totals(), cells.right()
    if result.gold is not None:
        at, label = np.nonzero(result.gold.accepted)
        items = result.gold.items[at].astype(np.int64)
        share = _shares(result, at, label)
        own, judgment = judgments.of_items(items)
        if result.gold_aware is not None:  # theirs is in no count
            kept = ~result.gold_aware.named[judgments.worker[judgment]]
            own, judgment = own[kept], judgment[kept]
        worker, same = judgments.worker[judgment], judgments.label[judgment] == label[own]
        counted = share[own] if result.units is None else share[own] * result.units.judgment[judgment]
        np.subtract.at(totals, (worker, label[own]), counted)
        np.subtract.at(right, (worker[same], label[own][same]), counted[same])
        totals, right = np.maximum(totals, 0.0), np.clip(right, 0.0, np.maximum(totals, 0.0))
    K = len(prior)
    n_all = totals.sum(axis=0)
    pooled = np.divide(right.sum(axis=0), n_all, out=np.full(K, 1.0 / K), where=n_all > 0)
    strength = POOLED * np.maximum(prior, 1e-12)
    accuracy = ((right + strength * pooled) / (totals + strength)) @ prior
    by_label = (right + OWN * accuracy[:, None]) / (totals + OWN)
    skill = (accuracy - 1.0 / K) / max(1.0 - 1.0 / K, 1e-12)
    median = np.median(skill) if len(skill) else 0.0
    return Skills(accuracy, by_label, skill < WEAK * median, (skill >= median) & (skill >= GOOD))


def _shares(result: Consensus, at: Positions, label: Positions) -> Reals:
    """P(true label is ``label``) of the gold items at ``at``: 1 where only one label is accepted."""
    assert result.gold is not None
    found = np.ones(len(at))
    several = np.flatnonzero(result.gold.accepted.sum(axis=1)[at] > 1)
    if len(several):
        items = result.gold.items[at[several]].astype(np.int64)
        found[several] = result.beliefs.dense(items)[np.arange(len(several)), label[several]]
    return found
