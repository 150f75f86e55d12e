"""Which items can be certified as a set: at most a share of them is wrong, with 95 % confidence, whatever the model.

Gold is a simple random sample of the items, and confidences and labels come from a fit that has not seen it, so that
each level of confidence is a finite population of which gold is a random sample, too. Levels are tested from a sure one
downwards with the exact hypergeometric distribution, and the walk ends at the first that fails: fixed-sequence testing
(Maurer, Hothorn & Lehmacher 1995; of selective prediction: Geifman & El-Yaniv 2017; Angelopoulos et al. 2021, "Learn
then test", section 4.1). Where it starts depends on how many items and gold items a level has, and on no gold label.

Arrays in, arrays out: N items, G of them gold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.int64]
    Reals = NDArray[np.float64]

DELTA = 0.05
"""Probability that a certificate fails, at most."""
N_LEVELS = 20
N_LEVELS_OF_LABEL = 10
LEAST_GOLD_OF_LABEL = 5
START_SHARE = 0.4
"""Share of the gold that the first level has, at least: one error less costs nothing where a level is large."""
MANY_ERRORS = 10.0
"""Gold errors that a share just too high would have, from which the first level must forgive one."""
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Certificate:
    """The items with a confidence of ``least`` or more: among those without gold at most ``most_wrong`` are wrong."""

    least: float
    """NaN where nothing is certified."""
    n_items: int
    """With such a confidence and without gold."""
    n_gold: int
    """Gold items with such a confidence."""
    n_wrong: int
    """Of these, how many are wrong."""
    most_wrong: int
    """Of the ``n_items``, with a probability of at least 1 - delta."""


NOTHING = Certificate(math.nan, 0, 0, 0, 0)


def certificate(
    confidence: Reals,
    gold: Numbers,
    wrong: Flags,
    alpha: float,
    *,
    delta: float = DELTA,
    n_levels: int = N_LEVELS,
) -> Certificate:
    """The largest set of the surest items of which at most a share ``alpha`` is wrong.

    Parameters
    ----------
    confidence
        (N,) of every item, in [0, 1], by a fit that knows no gold.
    gold
        (G,) which of them are gold: a simple random sample.
    wrong
        (G,) whether the label of that fit is wrong.
    alpha
        Share of the items without gold that may be wrong, in (0, 1).
    delta
        Probability that more are, at most.
    n_levels
        Levels of confidence that are tried.
    """
    n_each, n_gold, n_wrong, level = levels(confidence, gold, wrong, n_levels)
    allowed = np.floor(alpha * (n_each - n_gold) + ROUNDING).astype(np.int64)
    most = np.array(
        [most_gold_errors(*one, delta) for one in zip(n_each.tolist(), n_gold.tolist(), allowed.tolist(), strict=True)],
        np.int64,
    )
    first = start(n_gold, most, len(gold), alpha)
    passed = n_wrong[first:] <= most[first:]
    n_passed = len(passed) if passed.all() else int(passed.argmin())
    if not n_passed:
        return NOTHING
    j = first + n_passed - 1
    return Certificate(float(level[j]), int(n_each[j] - n_gold[j]), int(n_gold[j]), int(n_wrong[j]), int(allowed[j]))


def levels(confidence: Reals, gold: Numbers, wrong: Flags, n_levels: int) -> tuple[Numbers, Numbers, Numbers, Reals]:
    """(L,) each: items, gold items and wrong gold items of so much confidence or more; and how much, ever less.

    They are the confidences at a share 1 / ``n_levels``, 2 / ``n_levels``, ..., 1 of the items; L is their number
    without repetitions.
    """
    upwards = np.sort(confidence)
    N = len(upwards)
    if not N:
        empty = np.zeros(0, np.int64)
        return empty, empty, empty, np.zeros(0)
    place = -(-N * np.arange(1, n_levels + 1) // n_levels)  # rounded up
    level = np.unique(upwards[N - place])[::-1]

    def at_least(sure: Reals) -> Numbers:
        return np.asarray(len(sure) - np.searchsorted(sure, level, side="left"), np.int64)

    of_gold = confidence[gold]
    return at_least(upwards), at_least(np.sort(of_gold)), at_least(np.sort(of_gold[wrong])), level


def start(n_gold: Numbers, most: Numbers, total_gold: int, alpha: float) -> int:
    """The level at which the walk starts, given the gold items of each (L,) and the ``most`` errors that pass (L,).

    It is the first with .4 of all gold that forgives an error, where gold would have ten at the share ``alpha``; where
    gold is less, an error need not be forgiven. If there is none, the first that can be certified at all; L if none
    can.
    """
    forgiven = 1 if alpha * total_gold >= MANY_ERRORS - ROUNDING else 0
    for fit in ((n_gold >= START_SHARE * total_gold - ROUNDING) & (most >= forgiven), most >= 0):
        if fit.any():
            return int(fit.argmax())
    return len(most)


@lru_cache(maxsize=200_000)
def most_gold_errors(n_items: int, n_gold: int, allowed: int, delta: float) -> int:
    """The most gold errors with which a level is certified; -1 where even none is too many, or it has no gold.

    Of N ``n_items`` n ``n_gold`` are gold. Were more than ``allowed`` of the N - n others wrong, so few gold errors or
    fewer would have a probability of at most ``delta``: the largest k for which P(Hypergeometric(N, allowed + 1 + k, n)
    <= k) <= delta holds for it and all smaller ones.
    """
    if not n_gold:
        return -1
    if allowed >= n_items - n_gold:  # no more can be wrong
        return n_gold
    low, high = -1, 0
    while high <= n_gold and _passes(n_items, n_gold, allowed, high, delta):  # the probability grows with k
        low, high = high, 2 * high + 1
    high = min(high, n_gold + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _passes(n_items, n_gold, allowed, middle, delta) else (low, middle)
    return low


def _passes(n_items: int, n_gold: int, allowed: int, k: int, delta: float) -> bool:
    return hypergeometric_tail(k, n_items, allowed + 1 + k, n_gold) <= delta


def hypergeometric_tail(k: int, n_items: int, n_wrong: int, n_drawn: int) -> float:
    """P(at most ``k`` of ``n_drawn`` drawn items are wrong), drawn without replacement from ``n_items``, with so many.

    By logarithms of factorials: to about 1e-9 for a million items.
    """
    from scipy.special import gammaln

    x = np.arange(max(0, n_drawn - (n_items - n_wrong)), min(k, n_wrong, n_drawn) + 1, dtype=np.float64)

    def log_choices(of: float, some: Reals | float) -> Reals:
        return np.asarray(gammaln(of + 1.0) - gammaln(np.add(some, 1.0)) - gammaln(of - np.asarray(some) + 1.0))

    logs = log_choices(n_wrong, x) + log_choices(n_items - n_wrong, n_drawn - x) - log_choices(n_items, n_drawn)
    return float(min(np.exp(logs).sum(), 1.0))
