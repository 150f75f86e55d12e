"""Which items a budget is spent on, and how many judgments each gets at once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from consensus.errors import ConfigError
from consensus.escalation import offers
from consensus.escalation.look_ahead import look_ahead
from consensus.escalation.reasons import EXPERT
from consensus.inputs.counted import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.config import EscalateConfig
    from consensus.escalation.look_ahead import LookAhead
    from consensus.escalation.ranking import Escalation
    from consensus.escalation.retests import Retests
    from consensus.found.result import Consensus
    from consensus.inputs.worker_pool import AlignedPool

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


def within(
    config: EscalateConfig,
    wanted: NDArray[np.int64],
    audits: NDArray[np.bool_],
    ahead: LookAhead,
    order: NDArray[np.int64],
    tests: Retests,
    pool: AlignedPool | None,
) -> tuple[NDArray[np.int64], float]:
    """(n,) judgments that the budget pays for, audits first, then where they save most; and what it is without tests.

    With a ``pool`` of which it is not known yet who would do what for which price: at least one of each item, and as
    many as it would pay for were all at the least price, for ``offers.taken`` to choose from.
    """
    assert config.budget is not None
    price, unit, n_tests = 1.0, "judgments", len(tests.items)
    tested = float(n_tests)
    if pool is not None and pool.has_prices:
        able = pool.able if pool.able.any() else pool.named
        price, unit, tested = float(pool.price[able].min()), "in money", float(pool.price[tests.workers].sum())
    elif config.price_per_judgment is not None:
        price, unit, tested = config.price_per_judgment, "in money", config.price_per_judgment * n_tests
    n = math.floor(config.budget / price + offers.ROUNDING)
    if n < 1:
        raise ConfigError(
            f"budget {config.budget:g} does not pay for one judgment; raise --budget, which is a number of judgments, "
            "or money where --price-per-judgment or the workers' prices are known"
        )
    forced = int(wanted[audits].sum())
    left = math.floor((config.budget - tested) / price + offers.ROUNDING) - forced
    if left < 0:
        what = [counted(n_tests, "retest")] * (n_tests > 0) + [f"{counted(forced, 'judgment')} of the audit sample"] * (
            forced > 0
        )
        raise ConfigError(
            f"budget {config.budget:g} {unit} pays for {counted(n, 'judgment')}, but not for the "
            f"{' and '.join(what)}; raise "
            f"--budget or lower --{'retest' if n_tests else 'audit-sample'}"
        )
    may_ask = ~audits & (wanted > 0)
    found = allotted(ahead, left, order, may_ask)
    if pool is not None:
        found = np.maximum(found, may_ask)
    found[audits] = wanted[audits]
    money = config.budget - tested if pool is not None and pool.has_prices else left + forced
    return found, float(money)


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
