"""Which of the workers' offers a budget takes: each next judgment where it saves most for its price."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.escalation.look_ahead import LookAhead

    Reals = NDArray[np.float64]

ROUNDING = 1e-9  # of the budget, by which sums of prices may be over it


def taken(
    ahead: LookAhead, price: Reals, worth: Reals, budget: float, order: NDArray[np.int64], forced: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """(n,) how many of its offers each item takes, first to last, for ``budget`` in sum.

    ``price`` (n, M) is that of each offer, infinite where there is none. The j-th judgment of an item saves what its
    look-ahead curve falls there (``LookAhead.slope``), times what its workers are ``worth`` (n,). What saves most for
    its price comes first, then what is first in ``order`` (n,), the items by urgency. An offer that what is left does
    not pay for is passed over, with those of the item that come after it. ``forced`` (n,) items come before all.
    """
    n, M = price.shape
    reached = np.cumsum(ahead.length, axis=1)
    step = np.stack([(reached <= j).sum(axis=1) for j in range(M)], axis=1)  # in which the j-th judgment lies
    slope = np.pad(ahead.slope, [(0, 0), (0, 1)])[np.arange(n)[:, None], step]
    with np.errstate(invalid="ignore"):
        gain = np.where(np.isfinite(price), slope * worth[:, None] / price, 0.0)
    gain = np.minimum.accumulate(gain, axis=1)
    gain[forced] = np.inf
    rank = np.empty(n, np.int64)
    rank[order] = np.arange(n)
    item, j = np.nonzero(np.isfinite(price))
    by = np.lexsort((j, rank[item], -gain[item, j]))
    found, closed = [0] * n, [False] * n
    left, least = budget * (1.0 + ROUNDING), float(price.min(initial=np.inf))
    for i, cost in zip(item[by].tolist(), price[item[by], j[by]].tolist(), strict=True):
        if left < least:
            break
        if not closed[i] and cost <= left:
            found[i] += 1
            left -= cost
        else:
            closed[i] = True
    return np.array(found, np.int64)


def mean_price(price: Reals) -> Reals:
    """(n,) of the offers of each item, infinite ``price`` (n, M) being none; 1 without any."""
    is_one = np.isfinite(price)
    total = np.where(is_one, price, 0.0).sum(axis=1)
    return np.asarray(np.where(is_one.any(axis=1), total / np.maximum(is_one.sum(axis=1), 1), 1.0), np.float64)
