"""What some gold can certify, and how much gold a certificate needs.

All numbers follow from exact distributions: of errors in a random sample of many items (binomial), and, for what can be
certified at all, of few (hypergeometric). Arrays and numbers in and out.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from consensus.guarantees.certificate import DELTA, hypergeometric_tail, most_gold_errors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Reals = NDArray[np.float64]

CHANCE = 0.8
"""That a certificate is given, at which gold is enough."""
MOST_GOLD = 100_000
"""Accepted gold items up to which a need is stated: an error so near to what may be wrong can't be told from it."""
STEP = 0.05
"""More gold has the better chance but for steps, as numbers of errors are whole: less than this, of so much gold."""
MUCH = 0.05
N_TRIED = 100
ROUNDING = 1e-9


def certifiable(n_items: int, n_gold: int, n_wrong: int = 0, delta: float = DELTA) -> float:
    """The highest target that ``n_gold`` accepted gold items can certify if ``n_wrong`` of them are wrong, 0 to 1.

    ``n_items`` are accepted with them. Of very many, and with none wrong, it is delta^(1 / n_gold).
    """
    others = n_items - n_gold
    if not n_gold or others <= 0:
        return 1.0 if others <= 0 < n_items else 0.0
    low, high = -1, others + 1  # of the others wrong: so many are too probable to be excluded, so many are excluded
    while high - low > 1:
        middle = (low + high) // 2
        excluded = hypergeometric_tail(n_wrong, n_items, middle + n_wrong, n_gold) <= delta
        low, high = (low, middle) if excluded else (middle, high)
    return 1.0 - low / others


def usual_errors(n_gold: int, error: float) -> int:
    """The median number of wrong ones of ``n_gold`` accepted gold items, where a share ``error`` is wrong."""
    from scipy.special import bdtr

    k = np.arange(n_gold + 1, dtype=np.float64)
    return int(np.argmax(bdtr(k, n_gold, error) >= 0.5 - ROUNDING))


def most_errors(n_gold: NDArray[np.int64] | int, alpha: float, delta: float = DELTA) -> NDArray[np.int64]:
    """The most wrong ones of ``n_gold`` accepted gold items (any shape) with which many items are certified; or -1.

    The largest k for which P(Binomial(n_gold, ``alpha``) <= k) <= ``delta``.
    """
    from scipy.special import bdtr, bdtrik

    n = np.asarray(n_gold, np.int64)
    k = np.maximum(
        np.nan_to_num(np.floor(bdtrik(delta, n.astype(np.float64), alpha))), 0.0
    )  # right but for rounding; NaN where it is -1
    k = np.where(bdtr(k + 1.0, n, alpha) <= delta, k + 1.0, k)
    return np.asarray(np.where(bdtr(k, n, alpha) <= delta, k, k - 1.0), np.int64)


def chance(n_gold: NDArray[np.int64] | int, error: float, alpha: float, delta: float = DELTA) -> Reals:
    """Probability that ``n_gold`` accepted gold items (any shape) certify them, where a share ``error`` is wrong."""
    from scipy.special import bdtr

    most = most_errors(n_gold, alpha, delta)
    return np.asarray(np.where(most < 0, 0.0, bdtr(np.maximum(most, 0).astype(np.float64), n_gold, error)), np.float64)


@cache
def needed(error: float, alpha: float, *, at_least: float = CHANCE, delta: float = DELTA) -> int | None:
    """The fewest accepted gold items that certify with a chance of ``at_least``; None if ``MOST_GOLD`` do not.

    A share ``error`` of what is accepted is wrong, and ``alpha`` may be.
    """
    if error >= alpha or chance(MOST_GOLD, error, alpha, delta) < at_least - STEP:
        return None
    begin, block = 1, 1_000
    while begin <= MOST_GOLD:
        n = np.arange(begin, min(begin + block, MOST_GOLD + 1))
        enough = chance(n, error, alpha, delta) >= at_least
        if enough.any():
            return int(n[enough.argmax()])
        begin += block
        block *= 4
    return None


def needed_of(
    n_items: int, error: float, alpha: float, *, at_least: float = CHANCE, delta: float = DELTA
) -> int | None:
    """The same of a set of ``n_items``, gold and all: more, where gold is much of it, since few others vary more.

    Where it is less than a twentieth, they are those of many; else a hundred numbers are tried.
    """
    of_many = needed(error, alpha, at_least=at_least, delta=delta)
    if of_many is not None and of_many <= MUCH * n_items:
        return of_many
    n_wrong = round(error * n_items)
    if error >= alpha or n_items < 2:
        return None
    for n in np.unique(np.linspace(1, n_items - 1, N_TRIED).astype(np.int64)).tolist():
        k = most_gold_errors(n_items, n, math.floor(alpha * (n_items - n) + ROUNDING), delta)
        if k >= 0 and hypergeometric_tail(k, n_items, n_wrong, n) >= at_least:
            return int(n)
    return None


def shrunk(n_wrong: int, n_gold: int) -> float:
    """The error to plan with, where ``n_wrong`` of ``n_gold`` accepted gold items are wrong: never 0 (Jeffreys)."""
    return (n_wrong + 0.5) / (n_gold + 1.0)


def drawn(candidates: Numbers, n: int, seed: int) -> Numbers:
    """(n,) of the ``candidates`` (C,), a simple random sample in the order of the candidates; all, if there are fewer.

    With the same seed a smaller sample is part of a larger one.
    """
    order = np.random.default_rng(seed).permutation(len(candidates))
    return np.sort(candidates[order[:n]])
