"""Verdicts on workers who give one label only and are silent elsewhere: whether they are right where they answer.

The answers of such a worker do not depend on the truth: where they answer, they always say the same. That is what they
are for, so they are not held to be spammers for it. What counts is how often their label is true where they answer, and
whether that is clearly more often than anywhere: above p + .15 (1 - p), with p the share of their label.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.inputs.counted import counted
from consensus.worker_audit.accuracy import units_of_workers
from consensus.worker_audit.accuracy.worker_kinds import NEAR_CHANCE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.config import AuditConfig
    from consensus.found.result import Consensus
    from consensus.worker_audit.accuracy.accuracy_posterior import Accuracy

    Counts = NDArray[np.int64]
    Reals = NDArray[np.float64]

SPARED = 0.03  # probability of being such a worker, from which nobody is condemned without gold
LEAST_GOLD = 5  # judgments of gold items by which gold decides


@dataclass(frozen=True, slots=True, eq=False)
class OneSided:
    """What to think of those who give one label only."""

    silent: NDArray[np.bool_]
    """(W,) who may answer where their label is true, and be silent elsewhere."""
    better: Reals
    """(W,) probability that their label is true clearly more often where they answer than anywhere; NaN of others."""
    gold_n: Counts | Reals
    """(W,) judgments of gold items, in units where there are any."""
    gold_right: Counts | Reals
    """(W,) of these, how many are right."""

    @property
    def audited(self) -> NDArray[np.bool_]:
        """(W,) gold decides."""
        return np.asarray(self.silent & (self.gold_n >= LEAST_GOLD), np.bool_)

    def spammers(self, config: AuditConfig, n_labels: int) -> NDArray[np.bool_]:
        """(W,) gold contradicts them: their label is true where they answer no more often than anywhere."""
        limit = config.condemned_of_two if n_labels == 2 else config.condemned
        return np.asarray(self.audited & (1.0 - self.better > limit), np.bool_)

    def good(self, config: AuditConfig) -> NDArray[np.bool_]:
        """(W,) their label is true where they answer."""
        return np.asarray(self.silent & (self.better >= config.sure), np.bool_)


def one_sided(result: Consensus, accuracy: Accuracy, favourite: NDArray[np.int64]) -> OneSided:
    """Who is silent elsewhere, and whether they are right where they answer: by gold if there is enough, else by peers.

    ``favourite`` (W,) is the label that each gives.
    """
    judgments = result.judgments
    silent = np.zeros(judgments.n_workers, np.bool_)
    if result.one_label is not None:
        silent = np.asarray(result.one_label >= SPARED, np.bool_)
    gold_n, gold_right = on_gold(result)
    better = np.full(judgments.n_workers, np.nan)
    if silent.any():
        from scipy.special import betainc

        share = result.prior_shares[favourite]
        bar = share + NEAR_CHANCE * (1.0 - share)
        by_gold = 1.0 - betainc(gold_right + 1.0, gold_n - gold_right + 1.0, bar)
        better[silent] = np.where(gold_n >= LEAST_GOLD, by_gold, accuracy.above(bar))[silent]
    return OneSided(silent, better, gold_n, gold_right)


def in_words(found: OneSided, worker: int, label: str, n: int, right: str) -> str:
    """The reason behind the verdict on one of them, who judged ``n`` items; ``right`` says how often they are right."""
    if found.audited[worker]:
        of_gold = units_of_workers.told(found.gold_n[worker])
        gold_right = units_of_workers.told(found.gold_right[worker])
        right = f"right on {gold_right} of {of_gold} gold item{'s' * (of_gold != '1')}; {right}"
    where = counted(n, "item")
    return (
        f"gives {label} only on {where} and is silent elsewhere: {right}; whether they are right where they are silent "
        f"can't be seen{'' if found.audited[worker] else '; unaudited'}"
    )


def on_gold(result: Consensus) -> tuple[Counts | Reals, Counts | Reals]:
    """(W,) judgments of gold items, and how many of them are right; in units where there are any."""
    judgments, W = result.judgments, result.judgments.n_workers
    if result.gold is None:
        return np.zeros(W, np.int64), np.zeros(W, np.int64)
    code = np.full(judgments.n_items, -1)
    code[result.gold.items] = np.arange(len(result.gold.items))
    on_gold = np.flatnonzero(code[judgments.item] >= 0)
    worker = judgments.worker[on_gold]
    right = result.gold.accepted[code[judgments.item[on_gold]], judgments.label[on_gold]]
    of_all = units_of_workers.summed(result, worker, on_gold)
    return of_all, units_of_workers.summed(result, worker[right], on_gold[right])
