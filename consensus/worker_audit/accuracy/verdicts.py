"""The verdict on every worker, from posterior probabilities of stated regions, and the reason in words and numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.inputs.counted import counted
from consensus.worker_audit.accuracy import units_of_workers
from consensus.worker_audit.accuracy.contradictions import contradicted
from consensus.worker_audit.accuracy.one_label_verdicts import LEAST_GOLD, OneSided, in_words, on_gold, one_sided
from consensus.worker_audit.accuracy.unfolded import excuses

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.config import AuditConfig
    from consensus.found.confusions import Confusions
    from consensus.found.result import Consensus
    from consensus.worker_audit.accuracy.accuracy_posterior import Accuracy
    from consensus.worker_audit.accuracy.worker_kinds import Kinds

    Reals = NDArray[np.float64]

VERDICTS = ("expert", "good", "biased", "weak", "careless", "spammer", "adversarial", "gold_aware", "too_few")
EXPERT, GOOD, BIASED, WEAK, CARELESS, SPAMMER, ADVERSARIAL, GOLD_AWARE, TOO_FEW = range(len(VERDICTS))
AGAINST = 0.75  # times the probability of answers at random, that answers against the truth must have
FLOOR = 0.5  # of the accuracy of the median worker, and chance, above which a good worker must be
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
    n_judgments: NDArray[np.int64] | Reals
    """(W,) judgments that it rests on, in units where there are any."""
    accuracy: Reals
    """(W,) mean of the accuracy in these."""
    by_all: NDArray[np.bool_]
    """(W,) these are all; false of who is judged by what they are since they changed."""
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


@dataclass(frozen=True, slots=True, eq=False)
class _Evidence:
    """What the reasons tell."""

    accuracy: Accuracy
    kinds: Kinds
    usual: float
    """Accuracy of the median worker."""
    chance: float
    """Accuracy of answers at random."""
    swaps: Swaps
    favourite: NDArray[np.int64]
    """(W,) the label that a worker gives most."""
    given: Reals
    """(W,) the share of it."""
    alone: Reals
    """(W,) share of their items that are their favourite label, where that is why they are not condemned; else NaN."""
    audited: NDArray[np.bool_]
    """(W,) gold has checked the worker."""
    sided: OneSided
    """Who gives one label only and is silent elsewhere."""
    spared: NDArray[np.bool_]
    """(W,) others hardly did better on the same items, so that nobody is condemned."""
    excused: dict[int, str]
    """Why workers are not condemned who spell labels otherwise, or call them by other names."""
    few: list[str]
    """(W,) what a worker lacks for a verdict; empty where nothing."""


def verdicts(
    result: Consensus, accuracy: Accuracy, kinds: Kinds, config: AuditConfig, easier: Reals | None = None
) -> Verdicts:
    """Judge every worker.

    In this order: under ``min_worker_judgments``, counted in units, nothing is said, nor where the items of a worker
    lie in fewer than LEAST_CLUSTERS clusters that err together (``units_of_workers``). Where answers at random or
    against the truth are together more probable than ``condemned`` (of two labels: ``condemned_of_two``): adversarial,
    if the latter is AGAINST times as probable as the former, or more; else spammer; but too_few where nothing
    contradicts the worker (see ``contradictions``), or only how they spell, call or skip labels (``unfolded``). Where
    they are not, but more likely than 1 - ``sure``, the judgments do not settle it: too_few. Biased: a label is taken
    for another one in more than a share ``swapped``, with probability ``sure``. Careless, expert: the odds of being
    right are ``apart`` times lower, or higher, than those of the median worker, with probability ``sure``, on their own
    items and over labels in their usual shares. Of some only a part of their judgments counts: these items are
    ``easier`` (W,) for others by so much log odds of being right than all that the worker judged (NaN of the rest).
    They are held against the median worker as right as that there, too, and none of them is condemned who is not
    careless beside both. Where it is -inf, who would be careless, spammer or adversarial is too_few. Nobody is biased
    or careless for calling labels otherwise than others on the same items (too_few). An expert has judged LEAST_GOLD
    gold items or more: without gold, agreement is all that is known. The rest is good, if they are above chance, 1/K,
    and above FLOOR times the accuracy of the median worker, with probability ``sure`` on their own items or over labels
    in their usual shares; else weak: not condemned, and not praised. Whoever gives one label only and is silent
    elsewhere is good if that label is true where they answer, with probability ``sure`` (see ``one_label_verdicts``), a
    spammer if gold says that it is not, and else too_few.
    """
    n = units_of_workers.per_worker(result)
    W = len(n)
    easier = np.full(W, np.nan) if easier is None else easier
    found, probability = np.full(W, GOOD, np.int32), np.ones(W)
    bad = kinds.random + kinds.hostile
    few = _too_few(result, n, config)
    enough = np.array([not text for text in few], np.bool_) & result.identified
    usual, K = _median(accuracy.mean, enough), result.judgments.n_labels
    chance = 1.0 / K if K > 1 else 0.0
    above = _above(accuracy, max(chance, FLOOR * usual))
    spared = np.isneginf(easier)
    is_expert, is_careless = _apart(accuracy, enough, config.apart, np.where(spared, np.nan, easier))
    swaps = _swaps(result, config)
    swapped = np.zeros(W)
    np.maximum.at(swapped, swaps.worker, swaps.probability)
    condemned = bad > (config.condemned_of_two if K == 2 else config.condemned)
    condemned &= np.isnan(easier) | (~spared & (is_careless >= config.sure))
    favourite, given = _favourites(result)
    sided = one_sided(result, accuracy, favourite)
    alone = _alone(result, np.flatnonzero(condemned & enough & ~sided.silent), favourite)
    audited = _gold_judgments(result) >= LEAST_GOLD

    probability = 1.0 - bad - is_careless * (1.0 - bad)
    for code, at, likely in (
        (WEAK, above < config.sure, 1.0 - above),
        (EXPERT, (is_expert >= config.sure) & audited, is_expert),
        (CARELESS, is_careless >= config.sure, is_careless),
        (TOO_FEW, spared & (is_careless >= config.sure), np.full(W, np.nan)),
        (BIASED, swapped >= config.sure, swapped),
        (TOO_FEW, bad > 1.0 - config.sure, np.full(W, np.nan)),
        (SPAMMER, condemned, kinds.random),
        (ADVERSARIAL, condemned & (kinds.hostile >= AGAINST * kinds.random), kinds.hostile),
        (TOO_FEW, sided.silent, np.full(W, np.nan)),
        (GOOD, sided.good(config), sided.better),
        (SPAMMER, sided.spammers(config, K), 1.0 - sided.better),
        (TOO_FEW, ~enough | ~np.isnan(alone), np.full(W, np.nan)),
    ):
        found[at], probability[at] = code, likely[at]
    excused = excuses(
        result.judgments,
        np.flatnonzero((found == SPAMMER) | (found == ADVERSARIAL)),
        np.flatnonzero((found == BIASED) | (found == CARELESS)),
    )
    found[list(excused)], probability[list(excused)] = TOO_FEW, np.nan
    near = (found == TOO_FEW) | (probability < (1.0 + config.sure) / 2)
    evidence = _Evidence(
        accuracy, kinds, usual, chance, swaps, favourite, given, alone, audited, sided, spared, excused, few
    )
    reasons = _reasons(result, found, evidence)
    odds = _odds(usual)
    by_all = np.ones(W, np.bool_)
    return Verdicts(found, probability, reasons, near, n, accuracy.mean, by_all, odds / (odds + config.apart))


def _too_few(result: Consensus, n: NDArray[np.int64] | Reals, config: AuditConfig) -> list[str]:
    """(W,) what a worker with ``n`` (W,) judgments, as they count, lacks for a verdict; empty where nothing."""
    least, judgments = config.min_worker_judgments, result.judgments
    found = ["" if one >= least else f"; a verdict needs {least}" for one in n.tolist()]
    if result.units is None:
        return [text and f"{_judgments(int(one))}{text}" for text, one in zip(found, n.tolist(), strict=True)]
    counts = zip(judgments.per_worker.tolist(), n.tolist(), strict=True)
    found = [
        text and f"{_judgments(made)} that count as {units_of_workers.told(one)}{text}"
        for text, (made, one) in zip(found, counts, strict=True)
    ]
    if result.units.n_clusters is not None:
        least = units_of_workers.LEAST_CLUSTERS
        for w, several in enumerate(result.units.n_clusters.tolist()):
            if several < least:
                lacking = f"{counted(several, 'cluster')}; {least} are needed"
                found[w] = f"{found[w]}; {lacking}" if found[w] else lacking
    return found


def _median(mean: Reals, enough: NDArray[np.bool_]) -> float:
    """That of the workers with enough judgments, or of all; .5 without workers."""
    return float(np.median(mean[enough])) if enough.any() else float(np.median(mean)) if len(mean) else 0.5


def _odds(share: float) -> float:
    return max(share, 1e-9) / max(1.0 - share, 1e-9)


def _above(accuracy: Accuracy, floor: float) -> Reals:
    """(W,) P(accuracy above ``floor``): the higher one of two, on their own items and over labels in usual shares."""
    least = np.full(len(accuracy.mean), floor)
    return np.maximum(accuracy.above(least), accuracy.above(least - accuracy.label_mix))


def _apart(accuracy: Accuracy, enough: NDArray[np.bool_], apart: float, easier: Reals) -> tuple[Reals, Reals]:
    """(W,) P(odds of being right ``apart`` times those of the median worker), and P(of less than 1/``apart`` of them).

    The lower one of two: on their own items, and over labels in their usual shares. Whoever got the hard labels is not
    to pay for it, nor are the easy ones to their credit. Careless is who is so by their record alone: what makes the
    whole consensus doubtful moves the median worker, too. Measured on eight public sets without gold, 18 of 19 who are
    called careless by it are, and by the average of both posteriors 11 of 11, of the same workers. Where items are
    ``easier`` (W,) by so much log odds than they were, whoever is above, or below, is so whether that counts or not.
    """
    expert, careless, record = [], [], accuracy.by_record
    for mix in (np.zeros_like(accuracy.label_mix), accuracy.label_mix):
        odds = _odds(_median(accuracy.mean + mix, enough)) * np.exp(np.fmax(easier, 0.0))
        expert.append(accuracy.above(odds * apart / (1.0 + odds * apart) - mix))
        odds = _odds(_median(record.mean + mix, enough)) * np.exp(np.fmin(easier, 0.0))
        careless.append(record.below(odds / (odds + apart) - mix))
    return np.minimum(*expert), np.minimum(*careless)


def _alone(result: Consensus, workers: NDArray[np.int64], favourite: NDArray[np.int64]) -> Reals:
    """(W,) share of their items that are their favourite label, of ``workers`` whom nothing contradicts; else NaN."""
    found = np.full(result.judgments.n_workers, np.nan)
    said = contradicted(result, workers, favourite[workers])
    found[workers[~said.enough]] = said.share_of_favourite[~said.enough]
    return found


def _gold_judgments(result: Consensus) -> NDArray[np.int64] | Reals:
    """(W,) judgments of gold items, in units where there are any."""
    return on_gold(result)[0]


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


def _reasons(result: Consensus, verdict: NDArray[np.int32], evidence: _Evidence) -> list[str]:
    """One sentence a worker, with the numbers that decided."""
    labels, n = result.judgments.labels, result.judgments.per_worker.tolist()
    if not result.identified:
        return ["every item has one judgment and nothing to compare it with"] * len(n)
    accuracy, swaps = evidence.accuracy, evidence.swaps
    rights = right_words(accuracy.mean, *accuracy.interval)
    random, hostile = evidence.kinds.random.tolist(), evidence.kinds.hostile.tolist()
    beside = f"; the median worker on {evidence.usual:.0%}"
    first = np.searchsorted(swaps.worker, np.arange(len(n) + 1))
    reasons = []
    for w, (code, right) in enumerate(zip(verdict.tolist(), rights, strict=True)):
        favourite = labels[evidence.favourite[w]]
        if code == TOO_FEW and evidence.few[w]:
            text = f"{evidence.few[w]}; {right}"
        elif w in evidence.excused:
            text = f"{evidence.excused[w]}; {right}"
        elif evidence.sided.silent[w]:
            text = in_words(evidence.sided, w, favourite, n[w], right)
        elif code == TOO_FEW and not np.isnan(evidence.alone[w]):
            text = (
                f"{_judgments(n[w])} do not settle it: {favourite} in {evidence.given[w]:.0%} but nobody contradicts "
                f"them (by the others {evidence.alone[w]:.0%} of their items are {favourite}); {right}"
            )
        elif code == TOO_FEW and evidence.spared[w]:
            text = f"{_judgments(n[w])} do not settle it: on these items others are hardly better, or too few; {right}"
        elif code == TOO_FEW:
            text = (
                f"{_judgments(n[w])} do not settle it: at random or against the truth with probability "
                f"{random[w] + hostile[w]:.2f}; {right}"
            )
        elif code == SPAMMER:
            text = (
                f"answers do not depend on the truth (probability {random[w]:.2f}): "
                f"{favourite} in {evidence.given[w]:.0%}; {right}"
            )
        elif code == ADVERSARIAL:
            text = f"answers go against the truth (probability {hostile[w]:.2f}): {right}"
        elif code == BIASED:
            named = range(first[w], min(first[w + 1], first[w] + MOST_NAMED))
            pairs = (f"{labels[swaps.true[s]]} called {labels[swaps.label[s]]} in {swaps.share[s]:.0%}" for s in named)
            usable = accuracy.mean[w] > max(evidence.chance, FLOOR * evidence.usual)
            text = f"{'usable but' if usable else 'wrong in a regular way:'} {'; '.join(pairs)}; {right}"
        elif code == WEAK:
            half = evidence.chance < FLOOR * evidence.usual
            least = f"half of the median worker's {evidence.usual:.0%}" if half else f"chance ({evidence.chance:.0%})"
            text = f"not clearly above {least}: {right}"
        elif code == GOOD and not evidence.audited[w]:
            text = f"agrees with the crowd like a worker who is {right}{beside}; unaudited"
        else:
            text = right + beside
        reasons.append(text)
    return reasons


def right_words(mean: Reals, low: Reals, high: Reals) -> list[str]:
    """(W,) such as ``right on 82% [75% to 88%]``: without commas, which CSV would have to quote."""
    percents = (np.rint(100.0 * share).astype(np.int64).tolist() for share in (mean, low, high))
    return [f"right on {m}% [{a}% to {b}%]" for m, a, b in zip(*percents, strict=True)]


def _judgments(n: int) -> str:
    return counted(n, "judgment")


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
