"""The shares of the labels in a result: the estimate beside what gold says alone, and what the posteriors say alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.found.given_result import fitted
from consensus.found.result import framed, named
from consensus.guarantees.class_shares import LEAST_GOLD, class_shares, in_parts
from consensus.guarantees.randomness import Drawing, chance_of_difference
from consensus.intervals import clopper_pearson

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from consensus.found.given_result import Fitted
    from consensus.found.posterior import Posterior
    from consensus.found.result import Columns, Consensus
    from consensus.inputs.gold import AlignedGold

    Reals = NDArray[np.float64]

NUMBERS = ("share", "low", "high", "gold_share", "gold_low", "gold_high", "gold_items", "mean_confidence")


@dataclass(frozen=True, slots=True, eq=False)
class SharesTable:
    """What is said of the share of each label among the judged items."""

    labels: tuple[str, ...]
    numbers: dict[str, Reals]
    """(K,) each, by their ``NUMBERS``; NaN is what can't be said.

    By gold and posteriors: share, low, high. By gold alone, exact (Clopper & Pearson 1934): gold_share, gold_low,
    gold_high. How many gold items have the label, where those with several right ones count in parts: gold_items. The
    mean posterior by the fit that has not seen gold, which is no estimate of the share: mean_confidence.
    """
    n_items: int
    n_gold: int = 0
    n_split: int = 0
    """Gold items with several right labels."""
    drawing: Drawing | None = None
    """How gold compares with the other items; None where no interval is stated."""

    @property
    def looks_random(self) -> bool:
        """Gold may have been drawn at random from all items, for all that can be seen."""
        return self.drawing is None or self.drawing.looks_random

    @classmethod
    def of(cls, result: Consensus) -> SharesTable:
        """The shares in ``result``."""
        labels, n_items = result.judgments.labels, result.judgments.n_items
        numbers = {name: np.full(len(labels), np.nan) for name in NUMBERS} | {"gold_items": np.zeros(len(labels))}
        unaided = result.beliefs if result.unaided is None else result.unaided
        mean, mean_square = unaided.moments()
        if result.identified:
            numbers["mean_confidence"] = mean
        if result.gold is None or result.judgments.is_weighed:  # gold is not drawn item by item
            return cls(labels, numbers, n_items)
        predicted, truth = _of_gold(result.gold, unaided)
        n, n_split = len(truth), int((result.gold.accepted.sum(axis=1) > 1).sum())
        found = numbers["gold_items"] = truth.sum(axis=0).round(9)
        if n < LEAST_GOLD:
            return cls(labels, numbers, n_items, n, n_split)
        by_both = class_shares(truth, predicted, mean, n_items)
        low, high = clopper_pearson(found, n)
        numbers |= {"share": by_both.share, "low": by_both.low, "high": by_both.high}
        numbers |= {"gold_share": found / n, "gold_low": low, "gold_high": high}
        others = np.ones(n_items, np.bool_)
        others[result.gold.items] = False
        confidence = unaided.peaks(result.backend).confidence
        means_p = chance_of_difference(predicted, mean, mean_square)
        drawing = Drawing.of(confidence[result.gold.items], confidence[others], means_p)
        return cls(labels, numbers, n_items, n, n_split, drawing)

    def columns(self) -> Columns:
        """One row a label."""
        return {"label": named(np.arange(len(self.labels), dtype=np.int32), self.labels), **self.numbers}


def _of_gold(gold: AlignedGold, unaided: Posterior) -> tuple[Reals, Reals]:
    """(G, K) posteriors of the gold items, and their gold."""
    predicted = unaided.dense(gold.items.astype(np.int64))
    return predicted, in_parts(gold.accepted, predicted)


def shares(result: Fitted) -> pd.DataFrame:
    """How common each label is among the judged items, with a 95 % interval, from random gold and all posteriors.

    Parameters
    ----------
    result
        A fit with gold, at least 10 items of it, drawn at random from all items. Gold that was picked by hand voids it.

    Returns
    -------
    DataFrame
        One row a label: label, share, low, high; gold_share, gold_low, gold_high (by gold alone), gold_items; and
        mean_confidence, the mean posterior, which is no estimate of the share. Without gold enough all but the last two
        are missing. How it is made, and from which sources: ``guarantees.class_shares.class_shares``.

    Examples
    --------
    >>> consensus.shares(consensus.fit(judgments))["label"].tolist()
    ['cat', 'dog']
    """
    return framed(SharesTable.of(fitted(result)).columns())
