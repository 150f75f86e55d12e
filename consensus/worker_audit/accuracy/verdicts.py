"""The verdict on every worker, from posterior probabilities of stated regions, and the reason in words and numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.config import AuditConfig
    from consensus.found.confusions import Confusions
    from consensus.found.result import Consensus
    from consensus.worker_audit.accuracy.accuracy_posterior import Accuracy
    from consensus.worker_audit.accuracy.worker_kinds import Kinds

    Reals = NDArray[np.float64]

VERDICTS = ("expert", "good", "biased", "careless", "spammer", "adversarial", "too_few")
EXPERT, GOOD, BIASED, CARELESS, SPAMMER, ADVERSARIAL, TOO_FEW = range(len(VERDICTS))
AGAINST = 0.75  # times the probability of answers at random, that answers against the truth must have
UNUSUAL = 1.5  # times the share of a mistake among all workers, that one must make it to be called biased
MOST_NAMED = 3  # swapped labels that a reason names


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """What to think of every worker."""

    verdict: NDArray[np.int32]
    """(W,) position in VERDICTS."""
    probability: Reals
    """(W,) posterior probability of the region that the verdict stands for; NaN for too_few."""
    reason: list[str]
    """(W,)."""
    near: NDArray[np.bool_]
    """(W,) more judgments may change the verdict: too few of them, or its probability is not far above the limit."""
    careless_below: float
    """Accuracy below which a worker is careless."""


@dataclass(frozen=True, slots=True, eq=False)
class Swaps:
    """Labels that workers take for others: one entry a pair, the worst of a worker first."""

    worker: NDArray[np.int32]
    true: NDArray[np.int32]
    label: NDArray[np.int32]
    share: Reals
    """P(label | true)."""
    probability: Reals
    """Posterior probability that ``share`` is above ``AuditConfig.swapped``."""


def verdicts(result: Consensus, accuracy: Accuracy, kinds: Kinds, config: AuditConfig) -> Verdicts:
    """Judge every worker.

    In this order: under ``least_judgments`` nothing is said. Where answers at random or against the truth are together
    more probable than ``condemned``: adversarial, if the latter is AGAINST times as probable as the former, or more;
    else spammer. Where they are not, but more probable than 1 - ``sure``, the judgments do not settle it: too_few.
    Biased: a label is taken for another one in more than a share ``swapped``, with probability ``sure``. Careless,
    expert: the odds of being right are ``apart`` times lower, or higher, than those of the median worker, with
    probability ``sure``. The rest is good.
    """
    n = result.judgments.per_worker
    W = len(n)
    found, probability = np.full(W, GOOD, np.int32), np.ones(W)
    bad = kinds.random + kinds.hostile
    mean = accuracy.mean
    enough = (n >= config.least_judgments) & result.identified
    usual = float(np.median(mean[enough])) if enough.any() else float(np.median(mean)) if W else 0.5
    odds = max(usual, 1e-9) / max(1.0 - usual, 1e-9)
    is_expert = accuracy.above(odds * config.apart / (1.0 + odds * config.apart))
    is_careless = 1.0 - accuracy.above(odds / (odds + config.apart))
    swaps = _swaps(result, config)
    swapped = np.zeros(W)
    np.maximum.at(swapped, swaps.worker, swaps.probability)

    probability = 1.0 - bad - is_careless * (1.0 - bad)
    for code, at, chance in (
        (EXPERT, is_expert >= config.sure, is_expert),
        (CARELESS, is_careless >= config.sure, is_careless),
        (BIASED, swapped >= config.sure, swapped),
        (TOO_FEW, bad > 1.0 - config.sure, np.full(W, np.nan)),
        (SPAMMER, bad > config.condemned, kinds.random),
        (ADVERSARIAL, (bad > config.condemned) & (kinds.hostile >= AGAINST * kinds.random), kinds.hostile),
        (TOO_FEW, ~enough, np.full(W, np.nan)),
    ):
        found[at], probability[at] = code, chance[at]
    near = (found == TOO_FEW) | (probability < (1.0 + config.sure) / 2)
    reasons = _reasons(result, accuracy, kinds, found, usual, swaps, config)
    return Verdicts(found, probability, reasons, near, careless_below=odds / (odds + config.apart))


def _swaps(result: Consensus, config: AuditConfig) -> Swaps:
    """The pairs of labels that workers take for each other, where the posterior of the cell says so.

    More than ``swapped`` of a true label, probably most of the worker's mistakes on it (a careless one errs
    everywhere), and UNUSUAL times what is usual.
    """
    from scipy.special import betainc

    cells = result.confusions
    A, worker, label = cells.pseudo_counts, cells.worker, cells.label
    seen = np.flatnonzero((cells.true != label) & (cells.counts >= config.swapped_at_least))
    worker, true, label = worker[seen], cells.true[seen], label[seen]
    a = cells.counts[seen] + A[true, label]
    totals, right = cells.totals() + A.sum(axis=1), cells.right() + np.diag(A)
    total, wrong = totals[worker, true], (totals - right)[worker, true]
    one_sided = a / total > UNUSUAL * usual_share(cells)[true, label]
    one_sided &= a / total >= config.sure * config.swapped  # for P(share > s) = p, its mean is p s or more (Markov)
    if cells.n_labels == 2:  # one label called the other is all that can go wrong: it must go one way
        back = (totals - right)[worker, label] / totals[worker, label]
        one_sided &= a / total > 2.0 * back
    likely = np.flatnonzero(one_sided)
    worker, true, label = worker[likely], true[likely], label[likely]
    a, total, wrong = a[likely], total[likely], wrong[likely]
    probability = 1.0 - betainc(a, np.maximum(total - a, 1e-9), config.swapped)
    if cells.n_labels > 2:
        probability = np.minimum(probability, 1.0 - betainc(a, np.maximum(wrong - a, 1e-9), 0.5))
    kept = np.flatnonzero(probability >= config.sure)
    kept = kept[np.lexsort((-(a / total)[kept], worker[kept]))]
    return Swaps(worker[kept], true[kept], label[kept], (a / total)[kept], probability[kept])


def usual_share(cells: Confusions) -> Reals:
    """(K, K) share of each answer among the judgments of all workers on items of a true label."""
    K = cells.n_labels
    code = cells.true.astype(np.int64) * K + cells.label
    N = np.bincount(code, weights=cells.counts, minlength=K * K).astype(np.float64).reshape(K, K)
    n = N.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(N, n, out=np.zeros_like(N), where=n > 0), np.float64)


def _reasons(
    result: Consensus,
    accuracy: Accuracy,
    kinds: Kinds,
    verdict: NDArray[np.int32],
    usual: float,
    swaps: Swaps,
    config: AuditConfig,
) -> list[str]:
    """One sentence a worker, with the numbers that decided."""
    labels, n = result.judgments.labels, result.judgments.per_worker.tolist()
    if not result.identified:
        return ["every item has one judgment: nothing to hold it against"] * len(n)
    rights = right_words(accuracy.mean, *accuracy.interval)
    random, hostile = kinds.random.tolist(), kinds.hostile.tolist()
    beside = f"; the median worker on {usual:.0%}"
    first = np.searchsorted(swaps.worker, np.arange(len(n) + 1))
    said, given = _favourites(result)
    reasons = []
    for w, (code, right) in enumerate(zip(verdict.tolist(), rights, strict=True)):
        if code == TOO_FEW and n[w] < config.least_judgments:
            text = f"{_judgments(n[w])}; a verdict needs {config.least_judgments}; {right}"
        elif code == TOO_FEW:
            text = (
                f"{_judgments(n[w])} do not settle it: at random or against the truth with probability "
                f"{random[w] + hostile[w]:.2f}; {right}"
            )
        elif code == SPAMMER:
            text = (
                f"answers do not depend on the truth (probability {random[w]:.2f}): "
                f"{labels[said[w]]} in {given[w]:.0%}; {right}"
            )
        elif code == ADVERSARIAL:
            text = f"answers go against the truth (probability {hostile[w]:.2f}): {right}"
        elif code == BIASED:
            named = range(first[w], min(first[w + 1], first[w] + MOST_NAMED))
            pairs = (f"{labels[swaps.true[s]]} called {labels[swaps.label[s]]} in {swaps.share[s]:.0%}" for s in named)
            text = f"usable but {'; '.join(pairs)}; {right}"
        else:
            text = right + beside
        reasons.append(text)
    return reasons


def right_words(mean: Reals, low: Reals, high: Reals) -> list[str]:
    """(W,) such as ``right on 82% [75% to 88%]``: without commas, which CSV would have to quote."""
    percents = (np.rint(100.0 * share).astype(np.int64).tolist() for share in (mean, low, high))
    return [f"right on {m}% [{a}% to {b}%]" for m, a, b in zip(*percents, strict=True)]


def _judgments(n: int) -> str:
    return "1 judgment" if n == 1 else f"{n:,} judgments"


def _favourites(result: Consensus) -> tuple[NDArray[np.int64], Reals]:
    """The label that each worker gives most (W,), and the share of it (W,)."""
    found = result.confusions
    n_row = found.per_row()
    n = np.bincount(found.row_worker, weights=n_row, minlength=found.n_workers)
    label, share = np.zeros(found.n_workers, np.int64), np.zeros(found.n_workers)
    order = np.lexsort((-found.row_label, n_row))  # the last one that is written wins: the most, then the first label
    label[found.row_worker[order]] = found.row_label[order]
    share[found.row_worker[order]] = n_row[order] / np.maximum(n[found.row_worker[order]], 1e-300)
    return label, share
