"""What more judgments of an item would do: the look-ahead curve, the judgments needed, and the priority read off it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import even_parts, number_of_shards
from consensus.escalation.paths import likelihood_paths, one_coin_paths
from consensus.kernels import look_ahead as kernels
from consensus.models import tempering
from consensus.posterior import DensePosterior

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.config import EscalateConfig
    from consensus.result import Consensus

    Reals = NDArray[np.float64]

HORIZON = 10  # judgments of an item that are looked ahead at most
AHEAD = 3  # judgments ahead that a priority looks at most; ranking by more was no better (see ``LookAhead.priority``)
MOST_LABELS = 32  # labels up to which confusions are walked; with more, the likeliest ones, by one-coin workers
LIKELIEST = 8
RANGE = (0.1, 0.9)  # quantiles of the judgments needed that are shown as a range
TIE_BREAK = 1e-6  # of what an item may lose now, so that items whose label no few judgments change keep an order
BLOCK = 20_000  # items whose curves are held at once


@dataclass(frozen=True, slots=True, eq=False)
class LookAhead:
    """What more judgments of some items (n,) would do, at most ``max_judgments`` each."""

    priority: Reals
    """(n,) fall of the loss per judgment, at the best of one, two or three more.

    Measured by replay on seven public sets (``tests/benchmarks/escalation.py``), it needs fewer judgments than the
    expected information gain where labels are to be as right as with five or seven judgments each.
    """
    loss: Reals
    """(n,) expected loss now: P(the label is wrong), or the expected cost of the decision."""
    least_loss: Reals
    """(n,) the same with ``max_judgments``."""
    needed: Reals
    """(n,) expected judgments until the item is settled, or has ``max_judgments``."""
    low: Reals
    """(n,) tenth percentile of these."""
    high: Reals
    """(n,) ninetieth percentile."""
    settled: Reals
    """(n,) P(settled with at most ``max_judgments``)."""
    length: NDArray[np.int64]
    """(n, M) judgments of each step down the curve, where steps are wanted; else (n, 0)."""
    slope: Reals
    """(n, M) fall of the loss per judgment of each step, ever less."""

    def take(self, rows: NDArray[np.int64]) -> LookAhead:
        """Some of the items."""
        return LookAhead(*(getattr(self, name)[rows] for name in self.__slots__))

    def stretched(self, factor: float, left: NDArray[np.int64]) -> LookAhead:
        """The same with ``factor`` times the judgments needed, as far as there are so many ``left`` (n,) to the cap."""
        needed, low, high = (np.minimum(one * factor, left) for one in (self.needed, self.low, self.high))
        return replace(self, needed=needed, low=np.floor(low), high=np.ceil(high))


def look_ahead(
    result: Consensus,
    items: NDArray[np.int64],
    config: EscalateConfig,
    *,
    activity: Reals | None = None,
    costs: Reals | None = None,
    steps: bool = False,
) -> LookAhead:
    """Look ahead for ``items`` (n,), with workers drawn by ``activity`` (W,), by default what they have done.

    The posterior of an item is carried on along label paths (``paths``), from the confidence that is shown, by the
    tempering that it will have with so many judgments. ``costs[k, d]`` (K, K) is what deciding d costs where k is true;
    without, a wrong label costs 1. ``steps``: also the steps down each curve, for a budget.
    """
    judgments, n = result.judgments, len(items)
    per_item = judgments.per_item[items]
    n_steps = int(np.clip(config.max_judgments - per_item.min(initial=config.max_judgments), 1, HORIZON))
    priority, loss, least_loss, needed, low, high, p_settled = np.zeros((7, n))
    found = LookAhead(
        priority,
        loss,
        least_loss,
        needed,
        low,
        high,
        p_settled,
        length=np.zeros((n, n_steps if steps else 0), np.int64),
        slope=np.zeros((n, n_steps if steps else 0)),
    )
    if not n:
        return found
    activity = judgments.per_worker.astype(np.float64) if activity is None else activity
    dense = isinstance(result.beliefs, DensePosterior) and judgments.n_labels <= MOST_LABELS
    draw = likelihood_paths if dense else one_coin_paths
    walked = draw(result, activity, n_steps, n, LIKELIEST)
    least, most = config.min_judgments, min(config.max_judgments, int(per_item.max()) + n_steps)
    power_of = tempering.power(np.arange(most + 1), result.rho)
    doubt = (1.0 - config.target) / config.target

    def shard(part: slice) -> None:
        for begin in range(part.start, part.stop, BLOCK):
            rows = slice(begin, min(begin + BLOCK, part.stop))
            z = result.beliefs.dense(items[rows])
            if not dense:
                z = -np.sort(-z, axis=1)[:, : walked.shape[0]]
            z = np.ascontiguousarray(z)
            loss, settled = (np.empty((len(z), n_steps + 1)) for _ in range(2))
            capped = np.minimum(per_item[rows], most)
            kernels.errors(z, capped, power_of, walked, doubt, least, most, loss, settled)
            if costs is not None:
                kernels.costs(z, capped, power_of, walked, costs, most, loss)
            _read_off(found, rows, loss, settled, np.minimum(most - capped, n_steps))

    result.backend.map(shard, even_parts(n, number_of_shards(n * 50)))
    return found


def _read_off(found: LookAhead, rows: slice, loss: Reals, settled: Reals, left: NDArray[np.int64]) -> None:
    """Fill some rows of ``found`` from their curves (n, M+1), with ``left`` (n,) judgments up to the cap."""
    M = loss.shape[1] - 1
    m = np.arange(M + 1)
    found.loss[rows], found.least_loss[rows] = loss[:, 0], loss[:, -1]
    some = min(AHEAD, M)
    fall = (loss[:, :1] - loss[:, 1 : some + 1]) / np.arange(1, some + 1)
    found.priority[rows] = np.maximum(fall.max(axis=1), 0.0) + TIE_BREAK * loss[:, 0]
    reached = np.cumsum(settled, axis=1)
    found.settled[rows] = np.clip(reached[:, -1], 0.0, 1.0)
    found.needed[rows] = settled @ m + (1.0 - found.settled[rows]) * left
    for level, out in zip(RANGE, (found.low, found.high), strict=True):
        out[rows] = np.minimum((reached < level - 1e-12).sum(axis=1), left)
    if found.length.shape[1]:
        kernels.hulls(loss, found.length[rows], found.slope[rows])
