"""Policies that are replayed: scores of the items, the highest are asked for first; and who is asked."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from consensus.config import EscalateConfig
from consensus.escalation.corrections import learnt
from consensus.escalation.look_ahead import look_ahead
from consensus.escalation.worker_choice import LEAST_TOLD, N_CANDIDATES, QUOTA, representatives
from consensus.probabilities import entropy
from consensus.worker_audit import WorkerAudit
from consensus.worker_audit.accuracy.accuracy_posterior import lower_confidence

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from consensus import Consensus, Replay

    Reals = NDArray[np.float64]
    Codes = NDArray[np.int64]

LEAST_WEIGHT = 1e-6  # cleanlab's CLIPPING_LOWER_BOUND
WITHOUT_CAP = EscalateConfig(target=0.95, max_judgments=10**6)


def uniform(result: Consensus) -> Reals:
    """Round-robin: those with fewest judgments."""
    return -result.judgments.per_item.astype(np.float64)


def active_lab(result: Consensus) -> Reals:
    """ActiveLab's score (Goh & Mueller 2023) without a classifier, of parts as cleanlab 2.9 computes them.

    The consensus starts as the majority label, ties as our posterior has them (there a classifier's), and becomes what
    the weighted votes say. Its quality is the weighted mean, over the item's workers, of P = the mean share of
    agreement with the consensus where a worker agrees with the label, (1 - P) / (K - 1) where they do not. A worker
    weighs 1 - (1 - their agreement with the others of their items) / (share of items whose consensus is not the most
    common one).
    The score is the mean of the quality, which weighs as much as the item's workers, and 1 / K, which weighs as much as
    the mean worker. It is cleanlab's to rounding where its classifier has no weight (``tests``).
    """
    of = result.judgments
    n_items, K = of.n_items, of.n_labels
    cell = of.item.astype(np.int64) * K + of.label
    votes = np.bincount(cell, minlength=n_items * K).reshape(n_items, K).astype(np.float64)
    n = votes.sum(axis=1)
    several = n > 1
    compared = np.bincount(of.worker, weights=n[of.item] - 1, minlength=of.n_workers)
    agreed = np.bincount(of.worker, weights=votes[of.item, of.label] - 1, minlength=of.n_workers)
    agrees = agreed / np.maximum(compared, 1)
    agrees[compared == 0] = agrees[compared > 0].mean()
    judged = of.per_worker > 0
    top = np.argmax(votes + 0.5 * result.posterior, axis=1)
    for _ in range(2):
        P = float((votes[np.arange(n_items), top] / np.maximum(n, 1))[several].mean())
        commonest = np.bincount(top[several], minlength=K).argmax()
        chance = max(float((top[several] != commonest).mean()), LEAST_WEIGHT)
        weight = np.maximum(1 - (1 - agrees) / chance, LEAST_WEIGHT)
        said = np.bincount(cell, weights=weight[of.worker], minlength=n_items * K).reshape(n_items, K)
        total = said.sum(axis=1, keepdims=True)
        quality = (P * said + (1 - P) / (K - 1) * (total - said)) / np.maximum(total, LEAST_WEIGHT**2)
        consensus, top = top, np.argmax(quality + 1e-12 * (np.arange(K) == top[:, None]), axis=1)
    usual = float(weight[judged].mean())
    of_workers = total[:, 0]
    return np.asarray(-(quality[np.arange(n_items), consensus] * of_workers + usual / K) / (of_workers + usual))


def active_lab_ours(result: Consensus) -> Reals:
    """ActiveLab's score with our confidence as the quality of the consensus, and equal weights."""
    n = result.judgments.per_item
    return -(n * result.peaks.confidence + 1 / result.judgments.n_labels) / (n + 1)


def information_gain(result: Consensus) -> Reals:
    """Expected information gain of a judgment by one of the representative workers, in nats."""
    items = np.arange(result.judgments.n_items)
    C = representatives(result, result.confusions.dense(), result.judgments.per_worker.astype(np.float64))
    return np.maximum(result.beliefs.information_gain(items, C, result.backend), 0.0)


def ours(result: Consensus, hedge: float | None = None) -> Reals:
    """Errors that more judgments save, each."""
    usual = learnt(result)
    corrections = usual if hedge is None else replace(usual, hedge=hedge)
    return look_ahead(result, np.arange(result.judgments.n_items), WITHOUT_CAP, corrections=corrections).priority


ENTROPY, ACTIVE_LAB, UNIFORM = "entropy", "ActiveLab, no classifier", "uniform"
OURS, WITH_CHOICE = "ours", "ours with worker choice"
SCORES: dict[str, Callable[[Consensus], Reals]] = {
    UNIFORM: uniform,
    ACTIVE_LAB: active_lab,
    "ActiveLab, our confidence": active_lab_ours,
    ENTROPY: lambda result: result.peaks.entropy,
    "expected information gain": information_gain,
    OURS: ours,
    WITH_CHOICE: ours,
}
HEDGES: dict[str, Callable[[Consensus], Reals]] = {
    OURS: ours,
    **{
        f"{OURS}, class prior to the power {1 - hedge:.2g}": partial(ours, hedge=hedge)
        for hedge in (0.0, 1 / 3, 0.5, 2 / 3, 1.0)
    },
}


def most_urgent(score: Reals, left: Codes, n: int, tie: Reals) -> Codes:
    """The ``n`` items of the highest scores of which some judgments are left; ties by ``tie``."""
    order = np.lexsort((tie, -np.where(left > 0, score, -np.inf)))[:n]
    return order[left[order] > 0]


def most_urgent_pairs(
    replay: Replay, result: Consensus, score: Reals, n: int, tie: Reals, rng: np.random.Generator
) -> tuple[Codes, Codes]:
    """The ``n`` items of the highest scores, and whom to ask about each; as the product does where all can be asked.

    Of at most three drawn whose judgment of the item is withheld, the one who tells most about it; the score is then
    as many times higher as they tell more than a usual worker. Who has been chosen twice as often as is their share of
    what is withheld is passed over.
    """
    own, worker = replay.withheld_workers(np.arange(result.judgments.n_items))
    share = np.bincount(worker, minlength=result.judgments.n_workers) / max(len(own), 1)
    quota = np.maximum(np.ceil(QUOTA * share * n), 1)
    order = np.lexsort((rng.random(len(own)), own))
    drawn = order[np.arange(len(own)) - np.searchsorted(own, own) < N_CANDIDATES]
    item, candidate = own[drawn], worker[drawn]
    C = lower_confidence(WorkerAudit(result), result.confusions.dense(), np.arange(result.judgments.n_workers))
    q = result.beliefs.dense(item)
    tells = entropy(np.einsum("nk,nkl->nl", q, C[candidate])) - (entropy(C)[candidate] * q).sum(axis=1)  # I(q; C[w])
    usual = representatives(result, C, result.judgments.per_worker.astype(np.float64))
    usually = result.beliefs.information_gain(item, usual, result.backend)
    value = score[item] * tells / np.maximum(usually, LEAST_TOLD)
    asked: dict[int, int] = {}
    for pair in np.lexsort((tie[item], -value)).tolist():
        if len(asked) < n and item[pair] not in asked and quota[candidate[pair]] > 0:
            quota[candidate[pair]] -= 1
            asked[int(item[pair])] = int(candidate[pair])
    return np.array(list(asked), np.int64), np.array(list(asked.values()), np.int64)
