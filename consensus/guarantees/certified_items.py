"""The certificate of a fit: which of its items are certified, and of each label; and why nothing is.

Certified are labels of the fit that has not seen gold. Where the label is another one now that gold is known, the item
is left out: of those that stay no more are wrong, so that the number still holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.errors import ConfigError
from consensus.guarantees.certificate import (
    DELTA,
    LEAST_GOLD_OF_LABEL,
    N_LEVELS_OF_LABEL,
    NOTHING,
    Certificate,
    certificate,
)
from consensus.guarantees.randomness import Drawing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.config import EscalateConfig
    from consensus.found.result import Consensus

    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.int64]
    Reals = NDArray[np.float64]

NEEDS_GOLD = (
    "promise set: nothing can be certified without gold; draw some with consensus plan-gold and give its labels with "
    "--gold, or leave --promise set out"
)
MOST_LABELS = 4
"""Labels up to which each is also certified by itself: each has its part of the gold and of the 5 %."""
WHY_NONE = ("no_gold", "weighed", "few_judgments", "nothing_left", "not_random", "too_few", "too_many_wrong")
"""Why nothing is certified, in the order in which it is looked for. Items that have weights or stand in clusters
(``weighed``) are not drawn one by one, each as good as another, as a certificate takes gold to be."""


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """The items of which a part may be certified, by the fit that has not seen gold."""

    items: Numbers
    """(N,) their codes, ascending: with enough judgments, and within the reach of gold."""
    confidence: Reals
    """(N,) of that fit."""
    label: NDArray[np.int32]
    """(N,) of that fit."""
    gold: Numbers
    """(G,) positions of the gold items among these."""
    wrong: Flags
    """(G,) whether their label is wrong."""

    @property
    def n_gold(self) -> int:
        """G."""
        return len(self.gold)

    @property
    def is_gold(self) -> Flags:
        """(N,) which are gold."""
        found = np.zeros(len(self.items), np.bool_)
        found[self.gold] = True
        return found

    def of_label(self, label: int) -> Population:
        """Those of a label."""
        chosen = self.label == label
        position = np.cumsum(chosen) - 1
        own = chosen[self.gold]
        return Population(
            self.items[chosen], self.confidence[chosen], self.label[chosen], position[self.gold[own]], self.wrong[own]
        )


@dataclass(frozen=True, slots=True)
class LabelCertificate:
    """What is certified of the items of one label, by the fit that has not seen gold."""

    n_gold: int
    """Gold items that get the label."""
    n_wrong: int
    """Of these, how many are wrong."""
    found: Certificate | None
    """None where gold is too little for the label, or labels are too many to certify each."""
    n_items: int
    """Certified items: those of ``found`` whose label is the same now that gold is known."""


@dataclass(frozen=True, slots=True, eq=False)
class Certified:
    """What is certified of a result."""

    population: Population
    of_all: Certificate
    """Over all labels, at 95 %."""
    of_label: tuple[LabelCertificate, ...]
    """Of each label (K,), all of them at 95 % together. Empty where nothing could be certified whatever gold says."""
    settled: Flags
    """(I,) items that are certified: without gold, sure enough, and of the same label with gold as without."""
    n_other_label: int
    """Items that are sure enough, but have another label now that gold is known."""
    drawing: Drawing
    """How gold compares with the others of the population."""
    why_none: str | None
    """One of WHY_NONE, where nothing is certified."""

    def of_gold(self, result: Consensus) -> tuple[Reals, Flags]:
        """Of all judged gold items: (G, K) their posterior without gold; (G,) which are as sure as the certified."""
        assert result.gold is not None
        assert result.unaided is not None
        among = self.population
        as_sure = among.items[among.gold[among.confidence[among.gold] >= self.of_all.least]]
        return result.unaided.dense(result.gold.items.astype(np.int64)), np.isin(result.gold.items, as_sure)


def certified(result: Consensus, config: EscalateConfig) -> Certified:
    """Certify what can be certified at the target and by the gold of a ``result``.

    Nothing is, where gold does not look as if it had been drawn at random, unless ``config.random_gold`` says so.

    Raises
    ------
    ConfigError
        Certified items are to be the accepted ones, and there is no gold.
    """
    if config.promise == "set" and result.gold is None:
        raise ConfigError(NEEDS_GOLD, code="missing_input")
    alpha = 1.0 - config.target
    among = population(result, config)
    drawing = Drawing.of(among.confidence[among.gold], among.confidence[~among.is_gold])
    settled, n_other_label = np.zeros(result.judgments.n_items, np.bool_), 0
    of_all: Certificate = NOTHING
    of_label: tuple[LabelCertificate, ...] = ()
    why = _why_nothing(result, among)
    if why is None and not drawing.looks_random and not config.random_gold:
        why = "not_random"
    if why is None:
        of_all = certificate(among.confidence, among.gold, among.wrong, alpha)
        same = result.consensus_label[among.items] == among.label
        of_label = _by_label(among, same, result.judgments.n_labels, alpha)
        chosen = ~among.is_gold & (among.confidence >= of_all.least)  # NaN certifies none
        settled[among.items[chosen & same]] = True
        n_other_label = int((chosen & ~same).sum())
        if not chosen.any():
            why = "too_few" if not _could(among, alpha) else "too_many_wrong"
    return Certified(among, of_all, of_label, settled, n_other_label, drawing, why)


def population(result: Consensus, config: EscalateConfig) -> Population:
    """The items of which a part may be certified; none where no confidence can be stated, or without gold."""
    if result.unaided is None or result.gold is None or not result.identified:
        empty = np.zeros(0, np.int64)
        return Population(empty, np.zeros(0), empty.astype(np.int32), empty, empty.astype(np.bool_))
    peaks = result.unaided.peaks(result.backend)
    able = result.judgments.per_item >= config.min_judgments
    if result.models is not None:
        able |= result.models.vouched
    if result.config.ties == "abstain":
        able &= ~peaks.tied
    if result.reach is not None:
        able &= result.reach.items
    items = np.flatnonzero(able)
    own = able[result.gold.items]
    gold = result.gold.items[own]
    right = result.gold.accepted[own][np.arange(len(gold)), peaks.best[gold]]
    return Population(
        items, peaks.confidence[items], peaks.best[items], np.searchsorted(items, gold).astype(np.int64), ~right
    )


def without_gold(result: Consensus, config: EscalateConfig) -> Population:
    """The same where no gold counts yet: without the items that have some."""
    peaks = result.peaks if result.unaided is None else result.unaided.peaks(result.backend)
    able = result.judgments.per_item >= config.min_judgments
    if result.models is not None:
        able |= result.models.votes.per_item > 0  # they may settle it once gold vouches for them
    if result.gold is not None:
        able[result.gold.items] = False
    items, empty = np.flatnonzero(able), np.zeros(0, np.int64)
    return Population(items, peaks.confidence[items], peaks.best[items], empty, empty.astype(np.bool_))


def _why_nothing(result: Consensus, among: Population) -> str | None:
    if result.gold is None or result.unaided is None:
        return "no_gold"
    if result.judgments.is_weighed:
        return "weighed"
    if not len(among.items):
        return "few_judgments"
    if len(among.items) == among.n_gold:
        return "nothing_left"
    return None if among.n_gold else "no_gold"


def _could(among: Population, alpha: float) -> bool:
    """Whether so much gold would certify anything if none of it were wrong."""
    perfect = certificate(among.confidence, among.gold, np.zeros(among.n_gold, np.bool_), alpha)
    return perfect.n_items > 0


def _by_label(among: Population, same: Flags, n_labels: int, alpha: float) -> tuple[LabelCertificate, ...]:
    """What is certified of each label, where it has five gold items; each may fail with a probability of 5 % over K.

    ``same`` (N,): the items whose label is the same now that gold is known.
    """
    found = []
    for k in range(n_labels):
        own = among.of_label(k)
        one = None
        if 1 < n_labels <= MOST_LABELS and own.n_gold >= LEAST_GOLD_OF_LABEL:
            delta, n_levels = DELTA / n_labels, N_LEVELS_OF_LABEL
            one = certificate(own.confidence, own.gold, own.wrong, alpha, delta=delta, n_levels=n_levels)
        least = np.nan if one is None else one.least
        n_items = int((~own.is_gold & (own.confidence >= least) & same[among.label == k]).sum())
        found.append(LabelCertificate(own.n_gold, int(own.wrong.sum()), one, n_items))
    return tuple(found)
