"""Verdicts and gold: none stands that gold contradicts, and who knows the gold is called so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.intervals import wilson
from consensus.worker_audit.accuracy import units_of_workers, verdicts
from consensus.worker_audit.accuracy.one_label_verdicts import on_gold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.result import Consensus
    from consensus.worker_audit.accuracy.accuracy_posterior import Accuracy
    from consensus.worker_audit.accuracy.verdicts import Verdicts

    Flags = NDArray[np.bool_]

FOR = (verdicts.EXPERT, verdicts.GOOD, verdicts.BIASED)
"""Verdicts that gold contradicts which is worse."""
AGAINST = (verdicts.CARELESS, verdicts.SPAMMER, verdicts.ADVERSARIAL)
"""Verdicts that gold contradicts which is better."""


def disjoint(result: Consensus, accuracy: Accuracy) -> tuple[Flags, Flags]:
    """(W,) whose gold is worse than their estimated accuracy, and whose is better: the 95 % intervals are disjoint.

    Never of those who know the gold, nor where nothing tells how good workers are.
    """
    n, right = on_gold(result)
    gold_low, gold_high = wilson(right, n)  # NaN without gold: not disjoint
    low, high = accuracy.interval
    told = np.full(len(low), result.identified)
    if result.gold_aware is not None:
        told &= ~result.gold_aware.named
    return np.asarray(told & (gold_high < low), np.bool_), np.asarray(told & (gold_low > high), np.bool_)


def settled(result: Consensus, found: Verdicts, accuracy: Accuracy) -> Verdicts:
    """The verdicts ``found``, open (too_few) where gold contradicts them, and gold_aware of those who know the gold.

    What is estimated of somebody who changed is of after the change; their gold may be of before, and is left alone.
    """
    if result.gold is None:
        return found
    verdict, probability, near = found.verdict.copy(), found.probability.copy(), found.near.copy()
    reason = list(found.reason)
    worse, better = disjoint(result, accuracy)
    contradicted = (worse & np.isin(verdict, FOR)) | (better & np.isin(verdict, AGAINST))
    n, right = on_gold(result)
    for w in np.flatnonzero(contradicted & found.by_all).tolist():
        k, of = (units_of_workers.told(one[w]) for one in (right, n))
        reason[w] = (
            f"gold and the other judgments contradict each other: right on {k} of {of} gold items; without them "
            f"{verdicts.VERDICTS[verdict[w]]} ({reason[w]})"
        )
        verdict[w], probability[w], near[w] = verdicts.TOO_FEW, np.nan, True
    if result.gold_aware is not None:
        for w in np.flatnonzero(result.gold_aware.named).tolist():
            reason[w] = result.gold_aware.reason(w)
            verdict[w], near[w] = verdicts.GOLD_AWARE, False
            probability[w] = result.gold_aware.probability[w]
    return replace(found, verdict=verdict, probability=probability, near=near, reason=reason)


def contradicted(result: Consensus, accuracy: Accuracy, found: Verdicts) -> NDArray[np.int64]:
    """Workers whose verdict is open because gold contradicts it: those whose intervals are disjoint."""
    worse, better = disjoint(result, accuracy)
    return np.flatnonzero((worse | better) & (found.verdict == verdicts.TOO_FEW) & found.by_all)
