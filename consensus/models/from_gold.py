"""Fits that begin again from gold: where it contradicts many workers, and where some seem to know it.

Those whom gold contradicts (``gold_restart``) and those who know it (``gold_aware``) keep one coin each, their
accuracy off the gold: the fit learns nothing from them. Of those who know the gold, judgments of gold items are no
evidence: they count neither in their confusions nor in what is said of gold items as if they were none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.models import gold_aware, gold_restart, rated
from consensus.models.bounds import Bounds
from consensus.models.held import Held
from consensus.models.two_means import two

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.gold_aware import GoldAware
    from consensus.found.result import Consensus
    from consensus.inputs.judgments import Judgments
    from consensus.models.beside_gold import Beside

    Reals = NDArray[np.float64]

MOST_TRIED = 1_000_000
"""Judgments up to which other optima are looked for unasked."""
LEAST = 1e-12  # probability of a label of a gold item


@dataclass(frozen=True, slots=True, eq=False)
class Begun:
    """A fit, begun again where that was called for."""

    result: Consensus
    bounds: Bounds | None = None
    """Whom it believes no more than gold does; None where it is the usual fit."""

    @property
    def knowing(self) -> GoldAware | None:
        """Who knows the gold; None: nobody."""
        return self.result.gold_aware

    def of_gold(self, posterior: Reals, beside: Beside) -> Reals:
        """(G, K) a tempered ``posterior`` (G, K) of the gold items, without the judgments of those who know them."""
        if self.knowing is None or self.bounds is None:
            return posterior
        judgments, gold, K = beside.judgments, beside.gold, beside.judgments.n_labels
        mine = np.flatnonzero(self.knowing.known(judgments, gold))
        code = np.full(judgments.n_items, -1)
        code[gold.items] = np.arange(len(gold.items))
        weight = gold_aware.weight(self.bounds.accuracy, K)[judgments.worker[mine]]
        own = code[judgments.item[mine]] * np.int64(K) + judgments.label[mine]
        said = np.bincount(own, weight, len(gold.items) * K).reshape(-1, K)
        power = self.result.tempering.power(judgments.per_item[gold.items], gold.items)
        logs = np.log(np.maximum(posterior, LEAST)) - power[:, None] * said
        found = np.exp(logs - logs.max(axis=1, keepdims=True))
        return np.asarray(found / found.sum(axis=1, keepdims=True), np.float64)

    def rated(self, result: Consensus, beside: Beside) -> Consensus:
        """A ``result`` whose confusions leave out what those who know the gold say of it."""
        if self.knowing is None:
            return result
        power = result.tempering.power(beside.judgments.per_item, slice(None))
        known = self.knowing.known(beside.judgments, beside.gold)
        confusions = rated.by(result, result.beliefs, power, beside.run.backend, known)
        return replace(result, confusions=confusions, gold_aware=self.knowing)


def again(beside: Beside, usual: Consensus, *, clamped: bool = False) -> Begun:
    """The fit that begins again, gold ``clamped`` or unseen, if gold calls for it; else the ``usual`` one."""
    judgments, gold = beside.judgments, beside.gold
    if beside.votes is not None or usual.model == "majority_vote" or judgments.n_judgments > MOST_TRIED:
        return Begun(usual)
    begun = Begun(usual)
    camp = gold_restart.camp(judgments, gold, beside.settings, beside.run.backend)
    if camp is not None:
        result = _fitted(beside, camp.bounds, clamped=clamped)
        if gold_restart.is_otherwise(usual, result, gold) and _is_supported(beside, usual):
            begun = Begun(gold_restart.told(result, camp), camp.bounds)
    knowing = gold_aware.found(begun.result, gold)
    if knowing is None:
        return begun
    aware, coin = knowing
    held, accuracy = aware.named | _like(aware, coin, judgments), coin
    if begun.bounds is not None:
        held = held | begun.bounds.held
        accuracy = np.where(begun.bounds.held & ~aware.named, begun.bounds.accuracy, coin)
    bounds = Bounds(accuracy, held)
    result = _fitted(beside, bounds, clamped=clamped)
    if begun.bounds is not None and camp is not None:
        result = gold_restart.told(result, camp)
    return Begun(gold_aware.told(result, aware), bounds)


def _is_supported(beside: Beside, usual: Consensus) -> bool:
    """Whether gold items speak for fits that began again from the others."""
    judgments, gold = beside.judgments, beside.gold
    fold, gain = gold_restart.folds(judgments, gold), 0.0
    for out in (fold == n for n in range(gold_restart.FOLDS)):
        others = replace(gold, items=gold.items[~out], accepted=gold.accepted[~out])
        camp = gold_restart.camp(judgments, others, beside.settings, beside.run.backend)
        if camp is None:
            continue
        result = _fitted(replace(beside, gold=others), camp.bounds, clamped=False)
        gain += gold_restart.log_probability(result, gold, out) - gold_restart.log_probability(usual, gold, out)
    return gain >= gold_restart.SUPPORT


def _like(aware: GoldAware, coin: Reals, judgments: Judgments) -> NDArray[np.bool_]:
    """(W,) the lower camp by accuracies ``coin`` (W,) off gold, if half of it or more knows the gold; else nobody.

    Not all of them can be named who met few gold items. They are believed no more than the others of their kind.
    """
    members, low, high = two(coin, judgments.per_worker)
    far = low >= (1.0 / judgments.n_labels + high) / 2
    return members & (not far and bool(aware.named[members].sum() * 2 >= members.sum()))


def _fitted(beside: Beside, bounds: Bounds, *, clamped: bool) -> Consensus:
    held = Held(beside.gold, begins=True, bounds=bounds)
    gold = beside.gold if clamped else None
    return beside.model.fit(beside.judgments, None, gold, beside.settings, beside.run, held)
