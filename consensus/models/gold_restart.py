"""A fit that begins again from gold, where gold contradicts the judgments of many workers.

Workers who agree with each other on wrong labels look right, and a fit believes them. Gold tells, but few gold items
say little about one worker; so workers are told apart by all judgments first, beginning where gold says who is right::

    z[i]   posterior of item i, gold clamped, by one accuracy a worker, errors spread evenly (one coin)
    a[w]   = (sum_j z[i_j, l_j] + CREDIT / K) / (n[w] + CREDIT)         at the start over the gold items alone

in turn, until no accuracy moves. Nobody has a say at the start but those whom gold has met: others stand at chance.
The accuracies fall into two camps (2-means, weighted by judgments). The lower one counts as bad workers if

1. it is less than half as far above chance as the other one;
2. on gold it is less than NEAR as far above chance, all its members pooled, each gold item as one observation, and
   surely worse than the other one (the interval lies below that one's share);
3. it did MANY of the judgments.

Then the fit is made again, beginning from a, in which these workers keep their one coin (``bounds``): nothing is learnt
from them about others, and they can't outvote them. It is kept where it gives OTHERWISE or more of the items another
label, and says more of gold labels that it did not begin from: gold is split into FOLDS, each fold is held out of camps
and fits, and what these say of it must be SUPPORT nats better in sum than what the usual fit says. Who are the members
depends on gold, so gold that chose them would nearly always speak for it, also among honest workers of whom some are
weak.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.found.cautions import Caution
from consensus.inputs.counted import counted
from consensus.inputs.vocabulary import hashed
from consensus.intervals import wilson
from consensus.models import starts
from consensus.models.bounds import Bounds
from consensus.models.problem import Problem
from consensus.models.two_means import two

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.config import FitConfig
    from consensus.found.result import Consensus
    from consensus.inputs.gold import AlignedGold
    from consensus.inputs.judgments import Judgments

    Flags = NDArray[np.bool_]
    Reals = NDArray[np.float64]

CREDIT = 2.0  # judgments at chance that every worker is credited with
MANY = 0.2  # share of the judgments
NEAR = 0.25  # of the way from chance to what the others reach on gold
OTHERWISE = 0.02  # share of the items that the new fit must label otherwise
FOLDS = 5  # of gold, each held out once
SUPPORT = 3.0  # nats by which gold must speak for it
LEAST_GOLD = 5  # gold items that both camps must have judged
MOST_PASSES, STILL = 100, 1e-4  # of the one-coin fit: passes, and the change of an accuracy at which it ends
CERTAIN = 1e-3  # accuracies, and probabilities of gold labels, stay so far from 0 and 1


@dataclass(frozen=True, slots=True, eq=False)
class Camp:
    """Workers whom gold contradicts."""

    members: Flags
    """(W,)"""
    accuracy: Reals
    """(W,) of every worker, from gold on."""
    n_gold: tuple[int, int]
    """Judgments of gold items by the camp, and by all others."""
    n_right: tuple[int, int]
    """Those that are right."""
    share: float
    """Of the judgments, that the camp did."""

    @property
    def bounds(self) -> Bounds:
        """How a fit begins again."""
        return Bounds(self.accuracy, self.members)


def camp(judgments: Judgments, gold: AlignedGold, settings: FitConfig, backend: Backend) -> Camp | None:
    """The workers whom gold contradicts; None where there are not many, or gold does not tell.

    Weights, clusters and groups of items, and workers with one label, are not looked at: None.
    """
    if judgments.is_weighed or judgments.cluster is not None or judgments.group is not None or judgments.n_labels < 2:
        return None
    problem = Problem.of(judgments, gold, settings, backend)
    if not problem.weighs_all_labels or problem.one_label is not None:
        return None
    code = problem.prior_row[judgments.item] - 1
    on_gold = np.flatnonzero(code >= 0)
    right, who, W = (
        gold.accepted[code[on_gold], judgments.label[on_gold]],
        judgments.worker[on_gold],
        judgments.n_workers,
    )
    n, n_right = np.bincount(who, minlength=W), np.bincount(who, right, W)
    accuracy = _accuracies(problem, (n_right + CREDIT / judgments.n_labels) / (n + CREDIT), backend)
    members, low, high = two(accuracy, judgments.per_worker)
    share = float(judgments.per_worker[members].sum() / max(judgments.n_judgments, 1))
    chance = 1.0 / judgments.n_labels
    if low >= (chance + high) / 2 or share < MANY:
        return None
    (own, own_items), (others, other_items) = (
        _pooled(code[on_gold], right, chosen[who]) for chosen in (members, ~members)
    )
    if min(own_items, other_items) < LEAST_GOLD:
        return None
    of_others = others / other_items
    if own / own_items >= chance + NEAR * (of_others - chance) or wilson(own, own_items)[1] >= of_others:
        return None
    counts = [(int(one[chosen].sum()), int(one[~chosen].sum())) for one, chosen in ((n, members), (n_right, members))]
    return Camp(members, accuracy, counts[0], counts[1], share)


def _accuracies(problem: Problem, accuracy: Reals, backend: Backend) -> Reals:
    """(W,) of one coin a worker, from a first ``accuracy`` (W,) on."""
    judgments = problem.judgments
    for _ in range(MOST_PASSES):
        z = starts.one_coin(problem, np.clip(accuracy, CERTAIN, 1.0 - CERTAIN), backend)
        n_right = np.bincount(judgments.worker, z[judgments.item, judgments.label], judgments.n_workers)
        before, accuracy = accuracy, (n_right + CREDIT / judgments.n_labels) / (judgments.per_worker + CREDIT)
        if np.abs(accuracy - before).max(initial=0.0) < STILL:
            break
    return np.clip(accuracy, CERTAIN, 1.0 - CERTAIN)


def _pooled(item: NDArray[np.integer], right: Flags, chosen: Flags) -> tuple[float, int]:
    """How many gold items some judgments are right on, each item by the share of them; and of how many."""
    n, n_right = np.bincount(item[chosen]), np.bincount(item[chosen], right[chosen])
    judged = n > 0
    return float((n_right[judged] / n[judged]).sum()), int(judged.sum())


def is_otherwise(usual: Consensus, again: Consensus, gold: AlignedGold) -> bool:
    """Whether the fit that began ``again`` has other labels than the ``usual`` one."""
    judged = usual.judgments.per_item > 0
    judged[gold.items] = False
    otherwise = usual.peaks.best[judged] != again.peaks.best[judged]
    return bool(len(otherwise) and otherwise.mean() >= OTHERWISE)


def folds(judgments: Judgments, gold: AlignedGold) -> NDArray[np.int64]:
    """(G,) the fold of each gold item, by its id."""
    import pyarrow as pa

    order = np.argsort(hashed(judgments.item_ids.take(pa.array(gold.items))), kind="stable")
    fold = np.empty(len(order), np.int64)
    fold[order] = np.arange(len(order)) % FOLDS
    return fold


def log_probability(result: Consensus, gold: AlignedGold, chosen: Flags) -> float:
    """Of the labels of the ``chosen`` (G,) items of ``gold``, in nats, as if they were unknown."""
    posterior = result.beliefs.dense(gold.items.astype(np.int64))
    if result.gold is not None and result.gold_posterior is not None:
        posterior = result.gold_posterior
    right = (posterior * gold.accepted).sum(axis=1)[chosen]
    return float(np.log(np.maximum(right, CERTAIN)).sum())


def told(result: Consensus, found: Camp) -> Consensus:
    """The ``result`` with the warning that gold contradicts a camp."""
    n = int(found.members.sum())
    own, others = (f"{right:,} of {all_:,}" for right, all_ in zip(found.n_right, found.n_gold, strict=True))
    caution = Caution(
        "gold_contradicts",
        f"gold contradicts the judgments of {counted(n, 'worker')} ({found.share:.0%} of all judgments): they are "
        f"right on {own} gold judgments, others on {others}; so they count only as far as gold goes; read their "
        "reasons in workers.csv (consensus audit) before you stop anybody",
        {"n_workers": n, "share": found.share, "n_gold": found.n_gold[0], "n_right": found.n_right[0]},
    )
    return replace(result, warnings=(*result.warnings, caution))
