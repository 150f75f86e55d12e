"""What more judgments of an item would do: the look-ahead curve, the judgments needed, and the priority read off it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import even_parts, number_of_shards
from consensus.escalation.corrections import HORIZON, MOST_LABELS, RARE, learnt
from consensus.escalation.paths import likelihood_paths, one_coin_paths
from consensus.found.posterior import DensePosterior
from consensus.kernels import look_ahead_loops as kernels
from consensus.probabilities import entropy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.config import EscalateConfig
    from consensus.escalation.corrections import Corrections
    from consensus.found.result import Consensus

    Reals = NDArray[np.float64]

AHEAD = 3  # judgments ahead that a priority looks at most
LIKELIEST = 8  # labels that are walked by one-coin workers where there are more than MOST_LABELS
RANGE = (0.1, 0.9)  # quantiles of the judgments needed that are shown as a range
TIE_BREAK = 1e-6  # of what an item may lose now, so that items whose label no few judgments change keep an order
TINY = 1e-300
BLOCK = 5_000  # items whose curves are held at once
MOST_CELLS = 4_000_000  # of the posterior that are held at once
N_COLUMNS = 7
N_LOSSES = 3  # of these, the first: priority, loss, least loss


@dataclass(frozen=True, slots=True, eq=False)
class LookAhead:
    """What more judgments of some items (n,) would do, at most ``max_judgments`` each."""

    columns: Reals
    """(n, 7) the properties, in their order."""
    length: NDArray[np.int64]
    """(n, M) judgments of each step down the curve, where steps are wanted; else (n, 0)."""
    slope: Reals
    """(n, M) fall of the loss per judgment of each step, ever less."""

    @property
    def priority(self) -> Reals:
        """(n,) fall of the loss per judgment that is expected, under a hedged class prior.

        Under costs it is that at the best of one, two or three more. Without, the falls of all items are shared out by
        the entropy of their hedged posteriors: that ranks better where posteriors are too sure, and as well elsewhere
        (``tests/benchmarks/escalation.py --replay``). Like every loss, it is that of as many items as the item counts
        for, by its weight.
        """
        return self.columns[:, 0]

    @property
    def loss(self) -> Reals:
        """(n,) expected loss now: P(the label is wrong), or the expected cost of the decision; times its weight."""
        return self.columns[:, 1]

    @property
    def least_loss(self) -> Reals:
        """(n,) the same with ``max_judgments``."""
        return self.columns[:, 2]

    @property
    def needed(self) -> Reals:
        """(n,) expected judgments until the item is settled, or has ``max_judgments``."""
        return self.columns[:, 3]

    @property
    def low(self) -> Reals:
        """(n,) tenth percentile of these."""
        return self.columns[:, 4]

    @property
    def high(self) -> Reals:
        """(n,) ninetieth percentile."""
        return self.columns[:, 5]

    @property
    def settled(self) -> Reals:
        """(n,) P(settled with at most ``max_judgments``)."""
        return self.columns[:, 6]

    def take(self, rows: NDArray[np.int64]) -> LookAhead:
        """Some of the items."""
        return LookAhead(self.columns.take(rows, axis=0), self.length.take(rows, axis=0), self.slope.take(rows, axis=0))

    def mean(self, chosen: NDArray[np.bool_], weight: Reals | None = None) -> LookAhead:
        """(1,) the mean of the ``chosen`` (n,), without steps; zeros where none is.

        Losses, and priorities, are those of an item of weight 1 where items have a ``weight`` (n,).
        """
        sums = chosen.astype(np.float64) @ self.columns
        nothing = np.zeros((1, 0))
        found = sums[None] / max(int(chosen.sum()), 1)
        if weight is not None and chosen.any():
            found[:, :N_LOSSES] /= weight[chosen].mean()
        return LookAhead(found, nothing.astype(np.int64), nothing)

    def weigh_by_workers(self, worth: Reals, price: Reals) -> None:
        """Make the priorities those by workers ``worth`` (n,) so many usual ones, per money at a ``price`` (n,).

        Never more is saved than there is to lose. In place, and only where anything changes: there may be very many
        items, of which few are asked for.
        """
        rows = np.flatnonzero((worth != 1.0) | (price != 1.0))
        priority, loss = self.columns[rows, 0], self.columns[rows, 1]
        self.columns[rows, 0] = np.minimum(priority * worth[rows], np.maximum(priority, loss)) / price[rows]

    def stretched(self, factor: float, left: NDArray[np.int64]) -> LookAhead:
        """The same with ``factor`` times the judgments needed, as far as there are so many ``left`` (n,) to the cap."""
        columns = self.columns.copy()
        needed, low, high = (np.minimum(one * factor, left) for one in (self.needed, self.low, self.high))
        columns[:, 3], columns[:, 4], columns[:, 5] = needed, np.floor(low), np.ceil(high)
        return replace(self, columns=columns)


def look_ahead(
    result: Consensus,
    items: NDArray[np.int64],
    config: EscalateConfig,
    *,
    activity: Reals | None = None,
    most: NDArray[np.int64] | None = None,
    costs: Reals | None = None,
    steps: bool = False,
    corrections: Corrections | None = None,
) -> LookAhead:
    """Look ahead for ``items`` (n,), with workers drawn by ``activity`` (W,), by default what they have done.

    At most ``most`` (n,) judgments of each, by default as many as are left to the cap.

    The posterior of an item is carried on along label paths (``paths``), from the confidence that is shown, by the
    tempering that it will have with so many judgments. ``costs[k, d]`` (K, K) is what deciding d costs where k is true;
    without, a wrong label costs 1. ``steps``: also the steps down each curve, for a budget. ``corrections`` are by
    default ``learnt``. Priorities, and nothing else, are those under the class prior to the power 1 - their hedge; but
    where models voted, or labels are very many.
    """
    judgments, n = result.judgments, len(items)
    per_item = judgments.per_item[items]
    n_steps = int(np.clip(config.max_judgments - per_item.min(initial=config.max_judgments), 1, HORIZON))
    wide = n_steps if steps else 0
    found = LookAhead(np.zeros((n, N_COLUMNS)), np.zeros((n, wide), np.int64), np.zeros((n, wide)))
    if not n:
        return found
    activity = judgments.per_worker.astype(np.float64) if activity is None else activity
    corrections = learnt(result, config.target) if corrections is None else corrections
    dense = isinstance(result.beliefs, DensePosterior) and judgments.n_labels <= MOST_LABELS
    draw = likelihood_paths if dense else one_coin_paths
    log_likelihood = draw(result, activity, n_steps, n, LIKELIEST) * corrections.evidence
    log_less = np.zeros(len(log_likelihood))
    if dense and result.models is None:
        log_less = -corrections.hedge * np.log(np.maximum(result.prior_shares, RARE / judgments.n_labels))
    left_of = np.clip(config.max_judgments - per_item, 0, n_steps if most is None else np.minimum(most, n_steps))
    vouched = np.zeros(n, np.bool_) if result.models is None else result.models.vouched[items]
    tempering, none = result.tempering, np.zeros(n, np.bool_)
    unfounded = none if tempering.unfounded is None else tempering.unfounded[items]
    told = result.calibration
    calibrated = none if told is None or told.items is None else told.items[items]
    kind = (((per_item * (n_steps + 1) + left_of) * 2 + unfounded) * 2 + calibrated) * 2 + vouched
    walk = _Walk(result, items, config.target, costs, dense, bool(np.ptp(log_less)), found, np.zeros(n))
    for code in np.flatnonzero(np.bincount(kind)).tolist():
        group = np.flatnonzero(kind == code)
        n_judgments, left = divmod(code // 8, n_steps + 1)
        power = tempering.power(n_judgments + np.arange(left + 1), np.full(left + 1, items[group[0]]))
        of_gold = bool(code // 2 % 2)
        if not code // 4 % 2:  # what is unfounded stays so
            power = corrections.power(power, n_judgments, of_gold)
        log_walked = log_likelihood[:, :, :left] * power[1:, None]
        log_walked -= log_walked.max(axis=3, keepdims=True)
        log_walked = np.ascontiguousarray(log_walked.transpose(0, 2, 3, 1))  # paths side by side, as the kernels want
        stretches = corrections.stretches if of_gold else (1.0,)
        walked = [(one * power[1:] / power[0], np.exp(one * log_walked)) for one in stretches]
        least = 0 if code % 2 else config.min_judgments - n_judgments
        less = np.exp(power[:, None] * (log_less - log_less.max()))
        alike = _Alike(group, least, walked, less, corrections.settled(n_judgments, of_gold))
        result.backend.map(partial(walk.fill, alike), even_parts(len(group), number_of_shards(len(group) * 20)))
    if judgments.weight is not None:
        weight = judgments.weight[items]
        walk.doubt[:] *= weight
        found.columns[:, :N_LOSSES] *= weight[:, None]
        found.slope[:] *= weight[:, None]
    if costs is None:
        ahead = np.flatnonzero(left_of > 0)
        falls, doubt = found.priority[ahead].sum(), walk.doubt[ahead]
        found.columns[ahead, 0] = max(falls / max(doubt.sum(), TINY), TIE_BREAK) * doubt
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Alike:
    """Items with equally many judgments, and as many to come: they walk the same paths."""

    rows: NDArray[np.int64]
    """(n,) which of the items that are looked ahead for."""
    least: int
    """Judgments that they lack of the least number."""
    walked: list[tuple[Reals, Reals]]
    """In each way that may come: (M,) power of tempering with more judgments, over that now; and (K, M, K, S)
    likelihoods of the paths, tempered."""
    less: Reals
    """(M+1, K) what hedging multiplies posteriors by, now and with more judgments."""
    kept: float
    """Share of them that are settled, of those found to be."""


@dataclass(frozen=True, slots=True, eq=False)
class _Walk:
    """What all ``items`` (n,) are looked ahead with."""

    result: Consensus
    items: NDArray[np.int64]
    target: float
    costs: Reals | None
    dense: bool
    """Paths are of all labels, not of the likeliest ones."""
    hedges: bool
    found: LookAhead
    """Is filled."""
    doubt: Reals
    """(n,) entropy of the hedged posteriors, in nats; is filled."""

    def fill(self, alike: _Alike, part: slice) -> None:
        """Look ahead for some of the items that are alike."""
        less, n_labels, (ratio, walked) = alike.less, self.result.judgments.n_labels, alike.walked[0]
        M, most = len(ratio), min(max(MOST_CELLS // n_labels, 1), BLOCK, part.stop - part.start)
        powered, columns = np.empty((most, M, len(walked))), np.empty((most, N_COLUMNS))
        for begin in range(part.start, part.stop, most):
            rows = alike.rows[begin : min(begin + most, part.stop)]
            q = np.ascontiguousarray(self.result.beliefs.dense(self.items[rows]))
            z, read = powered[: len(q)], columns[: len(q)]
            self.doubt[rows] = entropy(q) if self.dense else self.result.peaks.entropy[self.items[rows]]
            hedged = q
            if self.hedges:
                hedged = np.empty_like(q)
                kernels.scaled(q, less[0], q @ less[0], hedged)
                self.doubt[rows] = entropy(hedged)
            loss, falling, settled = np.zeros((3, len(q), M + 1))
            for ratio, walked in alike.walked:
                curves = kernels.Curves(*np.empty((2, len(q), M + 1)))
                top, rest = (q, np.zeros((len(q), M))) if self.dense else _likeliest(q, len(walked), ratio)
                kernels.multiples(np.log(np.maximum(top, TINY)), ratio, z)
                np.exp(z, out=z)
                kernels.errors(*_at_least_four(kernels.Items(top, z, rest), walked), self.target, alike.least, curves)
                settled += curves.settled * (alike.kept / len(alike.walked))
                if self.costs is not None:
                    kernels.costs(hedged, z * less[1:], walked, self.costs, curves.loss)
                    falling += curves.loss / len(alike.walked)
                    kernels.costs(q, z, walked, self.costs, curves.loss)
                loss += curves.loss / len(alike.walked)
            curves = kernels.Curves(loss, settled)
            kernels.read_off(curves, loss if self.costs is None else falling, AHEAD, TIE_BREAK, *RANGE, read)
            self.found.columns[rows] = read
            if self.found.length.shape[1] and M:  # steps are wanted
                length, slope = np.empty((len(q), M), np.int64), np.empty((len(q), M))
                kernels.hulls(loss, length, slope)
                self.found.length[rows, :M], self.found.slope[rows, :M] = length, slope


def _likeliest(q: Reals, n_labels: int, ratio: Reals) -> tuple[Reals, Reals]:
    """The likeliest labels of ``q`` (n, K), the best first; and (n, M) what the others weigh at each ``ratio`` (M,).

    The others are taken for equally probable, as far as they are possible.
    """
    top = -np.sort(-np.partition(q, -n_labels, axis=1)[:, -n_labels:], axis=1)
    n = np.maximum((q > 0).sum(axis=1) - (top > 0).sum(axis=1), 1)[:, None]
    left = np.maximum(q.sum(axis=1) - top.sum(axis=1), 0.0)[:, None]
    return top, n * (left / n) ** ratio


def _at_least_four(items: kernels.Items, walked: Reals) -> tuple[kernels.Items, Reals]:
    """The same with impossible labels up to four, for which the kernel is quicker."""
    same, more = (0, 0), (0, max(4 - items.posterior.shape[1], 0))
    if not more[1]:
        return items, walked
    padded = kernels.Items(np.pad(items.posterior, [same, more]), np.pad(items.z, [same, same, more]), items.rest)
    return padded, np.pad(walked, [more, same, more, same])
