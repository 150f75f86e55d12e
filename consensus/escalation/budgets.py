"""Which items a budget is spent on, and how many judgments each gets at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.escalation.look_ahead import look_ahead
from consensus.escalation.reasons import EXPERT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.config import EscalateConfig
    from consensus.escalation.look_ahead import LookAhead
    from consensus.escalation.ranking import Escalation
    from consensus.found.result import Consensus

    Reals = NDArray[np.float64]

MOST_LOOKED_AT = 100_000


def allotted(ahead: LookAhead, budget: int, order: NDArray[np.int64], may_ask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(n,) judgments for each item, ``budget`` in sum where so many items ``may_ask`` (n,) for them.

    Each next judgment goes where the look-ahead curve falls most per judgment, over as many as that takes: the steps of
    the lower convex hulls of all curves, steepest first, which is what a heap on max_m (E(n) - E(n + m)) / m does. Of
    the last step only what is left is spent. Equal steps follow ``order`` (n,), the items by urgency; so does what no
    curve has a use for, one judgment each.

    From three judgments an item one such list keeps part of what asking one by one would gain, and three lists, with a
    new fit after each, most of it: ``tests/benchmarks/escalation.py``.
    """
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    item, step = np.nonzero(ahead.length * may_ask[:, None])
    length, slope = ahead.length[item, step], ahead.slope[item, step]
    by = np.lexsort((step, rank[item], -slope))
    spent = np.cumsum(length[by])
    kept = by[: np.searchsorted(spent, budget) + 1]
    found = np.bincount(item[kept], weights=length[kept], minlength=len(order)).astype(np.int64)
    over = int(length[kept].sum()) - budget
    if over > 0:
        found[item[kept[-1]]] -= over
    idle = order[(found[order] == 0) & may_ask[order]]
    found[idle[: max(-over, 0)]] = 1
    return found


def budget_curve(result: Consensus, found: Escalation, config: EscalateConfig) -> tuple[Reals, Reals]:
    """What more judgments would bring, each where the look-ahead falls most: (n,) spent, (n,) errors saved by then.

    Of the unsettled items that wait for no expert, by those who can be asked; where they are very many, of as many of
    them as ``MOST_LOOKED_AT``, evenly chosen, and scaled up. Both are empty where nothing is to be gained.
    """
    if not result.identified:
        return np.zeros(0), np.zeros(0)
    items = np.flatnonzero((found.reason >= 0) & (found.reason != EXPERT) & ~found.settled)
    step = -(-len(items) // MOST_LOOKED_AT) or 1
    activity, most, available = None, None, np.inf
    if found.pool is not None:
        activity, most = found.pool.activity(result.judgments), found.pool.left(result.judgments)[items[::step]]
        available = float(found.pool.available[found.pool.able].sum())
    ahead = look_ahead(result, items[::step], config, activity=activity, most=most, steps=True)
    scale = len(items) / max(len(items[::step]), 1)  # of what is found in those looked at
    item, at = np.nonzero(ahead.length)
    length, slope = ahead.length[item, at], ahead.slope[item, at]
    by = np.lexsort((item, at, -slope))
    spent = np.cumsum(length[by].astype(np.float64)) * scale
    saved, n = scale * np.cumsum((length * slope)[by]), int(np.searchsorted(spent, available, side="right"))
    return spent[:n], saved[:n]
