"""How much more gold a certificate takes, and which items to ask gold for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.config import EscalateConfig
from consensus.errors import ConfigError
from consensus.found.given_result import fitted
from consensus.found.result import as_text
from consensus.guarantees.certificate import N_LEVELS, levels
from consensus.guarantees.certified_items import Population, certified, without_gold
from consensus.guarantees.gold_planning import drawn, needed_of, shrunk

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from consensus.found.given_result import Fitted

    Numbers = NDArray[np.int64]
    Reals = NDArray[np.float64]

ENOUGH_TO_MEASURE = 20
"""Accepted gold items from which the error to plan with is measured on them."""
PILOT = 100
"""Gold items that measure the error, where the confidences alone would have most items drawn."""
LEAST_ERROR = 0.25
"""Of what may be wrong: the error to plan with, at least, where confidences alone tell it."""
USUAL_EXCESS = 3.5
"""Times as much as the confidences let expect was wrong in the median of 17 public crowds, without gold."""


@dataclass(frozen=True, slots=True)
class Need:
    """The gold that certifies a set with a chance of 80 %."""

    n_items: int
    """The set, with its gold: the surest items."""
    n_gold: int
    """Gold items among these."""
    error: float
    """Share of them that is taken to be wrong."""
    measured: bool
    """By gold; else it is what the confidences let expect."""
    accepted: int | None
    """Gold items among the set that are needed; None where no number is enough."""
    draw: int | None
    """Gold to draw from all items for so many among the set."""

    def takes_most(self, n_all: int) -> bool:
        """No number is enough, or only more than half of all items: then hardly any are left to be certified."""
        return self.draw is None or self.draw > n_all / 2

    def pilot(self, n_gold: int, n_all: int) -> int:
        """More gold to draw first, where ``n_gold`` of ``n_all`` items are gold, to measure the error; 0 if none.

        Where nothing is measured yet, and by the confidences no number or more than half of the items would do.
        """
        if self.measured or n_gold >= PILOT or not self.takes_most(n_all):
            return 0
        return min(PILOT, n_all) - n_gold


@dataclass(frozen=True, slots=True, eq=False)
class GoldPlan:
    """Which items to ask gold for, and why so many."""

    target: float
    items: pd.DataFrame
    """One row an item: item."""
    n_without_gold: int
    """Items that could have been drawn."""
    n_gold: int
    """Gold items that count beside the drawn ones: those that there are, if they look random."""
    need: Need
    is_pilot: bool
    """They are drawn to measure how many are wrong, since confidences would have most items drawn."""
    if_worse: Need | None
    """The need if 3.5 times as many are wrong; None where gold measures how many are."""
    asked: int | None
    """How many items were asked for, where that was said."""
    ks_p: float
    """Probability that confidences of gold and of other items differ so much by chance; NaN without gold."""
    looks_random: bool
    """Whether the gold that there is counts."""


def need(among: Population, target: float, n_all: int) -> Need:
    """The gold, of ``n_all`` items, that certifies those accepted one by one; else, what takes least gold to draw.

    The error to plan with is measured on gold, (k + 1/2) / (n + 1), from 20 gold items in the set on; else it is the
    mean of 1 - confidence, and at least a quarter of what may be wrong.
    """
    alpha = 1.0 - target
    accepted = int((among.confidence >= target).sum())
    first = _need(among, accepted, alpha, n_all)
    if first.draw is not None:
        return first
    n_each, *_ = levels(among.confidence, among.gold, among.wrong, N_LEVELS)
    others = [one for one in (_need(among, n, alpha, n_all) for n in n_each.tolist()) if one.draw is not None]
    return min(others, key=lambda one: (one.draw or 0, -one.n_items), default=first)


def need_if_worse(one: Need, target: float, n_all: int) -> Need:
    """The same if ``USUAL_EXCESS`` times as many are wrong."""
    return _of(one.n_items, one.n_gold, one.error * USUAL_EXCESS, False, 1.0 - target, n_all)


def plan_gold(result: Fitted, config: EscalateConfig | None = None, *, n: int | None = None, seed: int = 0) -> GoldPlan:
    """Draw items to ask gold for, at random from those that have none.

    Parameters
    ----------
    result
        A fitted consensus, or a run, with the gold that there is, or without.
    config
        Its ``target`` and ``min_judgments`` say what is to be certified.
    n
        How many items; by default as many as certify it with a chance of 80 %.
    seed
        Of the draw: with the same seed fewer items are part of more.

    Raises
    ------
    ConfigError
        No confidence can be stated; items have weights or stand in clusters; most items would have to be gold, and
        ``n`` is not given; or every item is gold.

    Examples
    --------
    >>> len(consensus.plan_gold(consensus.fit(judgments), n=5).items)
    5
    """
    import pandas as pd
    import pyarrow as pa

    result, config = fitted(result), EscalateConfig.of(config, promise="item")
    if not result.identified:
        raise ConfigError(
            "plan-gold: every item has one judgment only, so all are equally unsure; collect second judgments"
        )
    if result.judgments.is_weighed:
        raise ConfigError(
            "plan-gold: items have weights or stand in clusters, and a certificate takes items that are drawn one by "
            "one and count alike; leave out --weight and --cluster to plan for items, or give gold of whole clusters"
        )
    found = certified(result, config)
    counts = found.drawing.looks_random or config.random_gold
    among = found.population if result.gold is not None and counts else without_gold(result, config)
    what = need(among, config.target, result.judgments.n_items)
    n_gold = len(result.gold.items) if result.gold is not None and counts else 0
    free = np.ones(result.judgments.n_items, np.bool_)
    if result.gold is not None:
        free[result.gold.items] = False
    candidates = np.flatnonzero(free)
    if not len(candidates):
        raise ConfigError("plan-gold: every judged item is gold already, so no item is left to draw")
    if n is not None and (not isinstance(n, (int, np.integer)) or n < 1):
        raise ConfigError(f"n = {n!r}: expected a whole number of items, 1 or more")
    pilot = 0 if n is not None else what.pilot(n_gold, result.judgments.n_items)
    if n is None and not pilot and what.takes_most(result.judgments.n_items):
        number = "no number of" if what.draw is None else f"no fewer than {what.draw:,}"
        raise ConfigError(
            f"plan-gold: {number} gold items would certify that {100 * config.target:.3g}% of the {what.n_items:,} "
            f"surest items are right, of which about {what.error:.1%} are wrong; lower --target, collect more "
            "judgments, or say with --items how many to draw"
        )
    if n is not None and n > len(candidates):
        raise ConfigError(f"plan-gold: {n:,} items are asked for, and {len(candidates):,} have no gold; lower --items")
    wanted = n if n is not None else pilot or max((what.draw or 0) - n_gold, 0)
    chosen = drawn(candidates, wanted, seed)
    ids = as_text(result.judgments.item_ids.take(pa.array(chosen)))
    return GoldPlan(
        config.target,
        pd.DataFrame({"item": ids}),
        len(candidates),
        n_gold,
        what,
        pilot > 0,
        None if what.measured else need_if_worse(what, config.target, result.judgments.n_items),
        n,
        found.drawing.ks_p,
        counts,
    )


def _need(among: Population, n_items: int, alpha: float, n_all: int) -> Need:
    """The gold that certifies the ``n_items`` surest."""
    if not n_items:
        return Need(0, 0, 1.0, False, None, None)
    least = np.partition(among.confidence, -n_items)[-n_items]
    chosen = among.confidence >= least
    own = chosen[among.gold]
    n_gold, n_wrong = int(own.sum()), int((own & among.wrong).sum())
    measured = n_gold >= ENOUGH_TO_MEASURE
    expected = max(float((1.0 - among.confidence[chosen]).mean()), LEAST_ERROR * alpha)
    error = shrunk(n_wrong, n_gold) if measured else expected
    return _of(int(chosen.sum()), n_gold, error, measured, alpha, n_all)


def _of(n_items: int, n_gold: int, error: float, measured: bool, alpha: float, n_all: int) -> Need:
    accepted = needed_of(n_items, error, alpha)
    draw = None if accepted is None else math.ceil(accepted * n_all / n_items)
    return Need(n_items, n_gold, error, measured, accepted, draw)
