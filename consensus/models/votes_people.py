"""What people say of the items that models voted on, the models left out: what a model is tested against."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.inputs.vocabulary import hashed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.inputs.gold import AlignedGold
    from consensus.inputs.judgments import Judgments
    from consensus.inputs.model_votes import AlignedVotes

    Reals = NDArray[np.float64]
    Offsets = NDArray[np.int64]

MOST_ITEMS, MOST_TESTED = 100_000, 20_000  # that people are fitted on, and models tested on: a handful of numbers
MOST_CELLS, LEAST_TESTED = 3_000_000, 1_000  # labels of tested items times models; but so many items in any case
RHOS = (0.0, 0.15, 0.3, 0.45)  # by which people may err together: each is tried
FEW_WORKERS = 10  # of whom each judges so much that what is learnt of one tells in everything
STEEPEST, HALVINGS = 20.0, 40  # log odds that one judgment adds, and steps in which what it adds is found
SEVERAL, MANY = 2, 3  # judgments of an item: to have a majority, and to tell an echo from mistakes that are shared


@dataclass(frozen=True, slots=True, eq=False)
class PeopleAlone:
    """Items that models voted on and that several people judged, or that are gold."""

    items: Offsets
    """(n,) ascending."""
    h: Reals
    """(P, n, K) posterior by people alone, tempered by each of RHOS; gold has its label for certain. Of few workers
    then also as if all were equally good."""
    leads: Reals
    """(n, K) T, what an echo of the people's majority says: ties share; all 0 where nobody judged."""
    several: NDArray[np.bool_]
    """(n,) SEVERAL people or more judged it."""
    divided: NDArray[np.bool_]
    """(n,) MANY people or more judged it, were divided, and had one majority."""
    gold: NDArray[np.bool_]
    """(n,) its label is known."""

    def of_rho(self, n: int) -> PeopleAlone:
        """The same with one rho alone, number ``n``."""
        return replace(self, h=self.h[n : n + 1])

    def where(self, chosen: NDArray[np.bool_] | slice) -> PeopleAlone:
        """Some of the items."""
        several, divided, gold = self.several[chosen], self.divided[chosen], self.gold[chosen]
        return PeopleAlone(self.items[chosen], self.h[:, chosen], self.leads[chosen], several, divided, gold)


def tested(judgments: Judgments, votes: AlignedVotes, gold: AlignedGold | None) -> Offsets:
    """Items that models may be tested on, at most MOST_ITEMS."""
    fit = judgments.per_item >= SEVERAL
    if gold is not None:
        fit[gold.items] = True
    return by_hash(judgments, np.flatnonzero(fit & (votes.per_item > 0)), MOST_ITEMS)


def most_tested(n_labels: int, n_models: int) -> int:
    """Items that so many models are tested on at most: fewer of many labels or models.

    200 models of three labels were tested for six minutes on 20,000 items each.
    """
    return min(max(MOST_CELLS // (n_labels * n_models), LEAST_TESTED), MOST_TESTED)


def by_hash(judgments: Judgments, items: Offsets, most: int) -> Offsets:
    """Some ``items`` (n,), ascending; of more than ``most``, those whose ids have the smallest hashes."""
    if len(items) <= most:
        return items
    code = hashed(judgments.item_ids)[items]
    return np.sort(items[np.argsort(code, kind="stable")[:most]])


def of(judgments: Judgments, gold: AlignedGold | None, items: Offsets, fitted: Reals) -> PeopleAlone:
    """What people say of ``items`` (n,), where ``fitted`` (P, n, K) are the posteriors by them alone."""
    n, given = judgments.per_item[items], counts(judgments, items)
    h = fitted
    if judgments.n_workers < FEW_WORKERS and n.any():
        h = np.concatenate([fitted, [alike(given, one) for one in fitted]])
    is_gold = np.zeros(len(items), np.bool_)
    if gold is not None:
        place = np.minimum(np.searchsorted(items, gold.items), len(items) - 1)
        known = items[place] == gold.items
        is_gold[place[known]] = True
        inside = gold.accepted[known] * np.maximum(h[:, place[known]], np.finfo(float).tiny)
        h[:, place[known]] = inside / inside.sum(axis=2, keepdims=True)
    most = given.max(axis=1)
    one = (given == most[:, None]).sum(axis=1) == 1
    return PeopleAlone(items, h, led(given), n >= SEVERAL, (n >= MANY) & one & (most < n), is_gold)


def alike(given: Offsets, h: Reals) -> Reals:
    """(n, K) posteriors as sure as ``h`` (n, K) in the mean, were every judgment worth the same: by counts (n, K).

    What is learnt of few workers has noise of its own, which an echo of the majority would explain: beside three people
    who err independently, LR was up to 25 for a model right on four in five.
    """
    sure, low, high = h.max(axis=1).mean(), 0.0, STEEPEST
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        found: Reals = np.exp(middle * (given - given.max(axis=1, keepdims=True)))
        found /= found.sum(axis=1, keepdims=True)
        low, high = (middle, high) if found.max(axis=1).mean() < sure else (low, middle)
    return found


def counts(judgments: Judgments, items: Offsets) -> Offsets:
    """(n, K) judgments of ``items`` that give each label."""
    own, judgment = judgments.of_items(items)
    K = judgments.n_labels
    return np.bincount(own * K + judgments.label[judgment], minlength=len(items) * K).reshape(-1, K)


def led(given: Offsets) -> Reals:
    """(n, K) T: what an echo of the majority says where ``given`` (n, K) judgments give each label.

    The leading label, or each of several tied ones by chance; 0 where nobody judged.
    """
    leads = (given == given.max(axis=1, keepdims=True)) & (given > 0)
    found: Reals = leads / np.maximum(leads.sum(axis=1, keepdims=True), 1)
    return found
