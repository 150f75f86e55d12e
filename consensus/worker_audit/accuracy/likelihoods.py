"""What every worker's judgments say about their accuracy, each held against the others' judgments of the same item."""

from __future__ import annotations

import functools
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.backends import even_slices, number_of_shards
from consensus.found.posterior import DensePosterior
from consensus.kernels import SMALLEST
from consensus.kernels import others_loops as kernels
from consensus.models import pooled_prior
from consensus.models.dense_layout import IN_REGISTERS
from consensus.worker_audit.accuracy import against_others, units_of_workers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.result import Consensus
    from consensus.found.units import Each

    Reals = NDArray[np.float64]

FINE = 1024
EDGES = (2, 5, 10, 20, 41, 82, 133, 205, 290, 384, 512, 640, 734, 819, 891, 942, 983, 1004, 1014, 1019, 1022)
"""(B-1,) lower ends of all bins of s but the first, in parts of FINE; close where good or hostile workers differ."""
ONE_COIN = 0.5  # weight of the one coin among the logarithms of the likelihoods that others are weighed with
PATIENCE = 4.0  # judgments at the usual accuracy that each worker's coin is credited with


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """Judgments of each worker by how far the others agree (see ``kernels.others``)."""

    n: Reals
    """(W, B) judgments in each bin, as they count (``units_of_workers``)."""
    s: Reals
    """(B,) mean s of the bins."""

    def log_likelihoods(self, points: Reals) -> Reals:
        """(W, P) log likelihood of each accuracy in ``points`` (P,), but for a constant."""
        return np.asarray(self.n @ np.log(self.s[:, None] * points + (1.0 - self.s)[:, None] * (1.0 - points)))

    def on_grids(self, grid: Reals, part: slice) -> Reals:
        """(w, G) the same of the workers in ``part``, each over accuracies of their own, a = ``grid[part]`` (w, G)."""
        a = grid[part]
        logs, likelihood = np.zeros_like(a), np.empty_like(a)
        for s, n in zip(self.s.tolist(), self.n[part].T, strict=True):
            if n.any():
                np.multiply(a, 2.0 * s - 1.0, out=likelihood)
                likelihood += 1.0 - s
                np.log(likelihood, out=likelihood)
                likelihood *= n[:, None]
                logs += likelihood
        return logs


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """What the judgments of all workers say."""

    own: Record
    """Wrong answers distributed as in the worker's confusions: what their accuracy is read off."""
    even: Record
    """Wrong answers distributed evenly: what one-coin workers are compared with others by."""
    even_log: Reals
    """(W,) nats to add to the log likelihood of ``even``."""
    predicted: Reals
    """(W,) log P(judgments of the worker | the others, their confusions), in nats; NaN beside very many labels."""
    by_label: tuple[Record, Record] | None = None
    """Of two labels: the judgments that give the first, and those that give the second."""


def records(result: Consensus) -> Records:
    """The records of all workers.

    What the others say is weighed with likelihoods halfway between their confusions and a coin of their accuracy: the
    confusions were fitted to these very judgments and are too sure of them. Measured, against the confusions alone: on
    seven public sets the rank correlation with the true accuracy is .874 and not .868, in simulated crowds intervals of
    workers with 100 judgments and more cover 93 to 94 % of the planted accuracies, not 91 to 93 %.

    Beside very many labels the confusions alone count, and wrong answers are taken to be even.
    """
    judgments, n_bins = result.judgments, len(EDGES) + 1
    W, K = judgments.n_workers, judgments.n_labels
    bin_of = np.searchsorted(np.array(EDGES), np.arange(FINE + 1), side="right").astype(np.int32)
    parts = even_slices(judgments.item_start, number_of_shards(judgments.n_judgments, W * (n_bins + 2)))
    unit = units_of_workers.of_judgments(result)
    counts = _Counts((W, n_bins, 2), unit)
    beliefs = result.beliefs
    if isinstance(beliefs, DensePosterior):
        tables, doubt = _tables(result)
        priors = _priors(result, beliefs)

        def shard(part: slice) -> tuple[Reals, Reals]:
            found, s, logs = counts.taken(), np.zeros((n_bins, 2)), np.tile([0.0, 1.0], (W, 1))
            starts = judgments.item_start[part.start : part.stop + 1]
            prior = priors if len(priors) == 1 else priors[part]
            judged = kernels.Judged(starts, result.row, judgments.label)
            weighed = kernels.Weighed(tables=tables, doubt=doubt, prior=prior, row_worker=result.confusions.row_worker)
            kernels.records(judged, weighed, unit, K, bin_of, found, s, logs)
            counts.given_back(found, part)
            return s, logs[:, 0] + np.log(logs[:, 1])

    else:
        right = against_others.right(result)

        def shard(part: slice) -> tuple[Reals, Reals]:
            found, s = counts.taken(), np.zeros((n_bins, 2))
            mine = slice(judgments.item_start[part.start], judgments.item_start[part.stop])
            kernels.record_judgments(judgments.worker[mine], right[mine], unit[mine], K, bin_of, found, s)
            counts.given_back(found, part)
            return s, np.full(W, np.nan)

    made = result.backend.map(shard, parts)
    sums, predicted = (functools.reduce(operator.add, parts) for parts in zip(*made, strict=True))
    n = counts.sum()
    by_label = None
    if K == 2 and isinstance(beliefs, DensePosterior):
        by_label = _record(n[..., 0], sums[:, 0]), _record(n[..., 1], sums[:, 1])
        of_own = of_even = _record(n.sum(axis=2), sums.sum(axis=1))
    else:
        of_own, of_even = _record(n[..., 0], sums[:, 0]), _record(n[..., 1], sums[:, 1])
    # right + wrong = 1 / (s + (K - 1) (1 - s)), as s = right / (right + wrong) and wrong = (1 - right) / (K - 1)
    even_log = -of_even.n @ np.log(of_even.s + max(K - 1, 1) * (1.0 - of_even.s))
    return Records(of_own, of_even, even_log, predicted, by_label)


class _Counts:
    """Tables that shards count in.

    Of whole numbers there are as many as threads count at the same time: their sum has no order. Of units there is one
    a shard, and their sum has the order of the shards.
    """

    def __init__(self, shape: tuple[int, ...], units: Each) -> None:
        self._shape, self._in_order = shape, len(units) > 0
        self._idle: list[NDArray[np.int32]] = []
        self._counted: dict[tuple[int, int], Reals] = {}

    def taken(self) -> NDArray[np.int32] | Reals:
        """A table that nobody else is counting in."""
        if self._in_order:
            return np.zeros(self._shape)
        try:
            return self._idle.pop()
        except IndexError:
            return np.zeros(self._shape, np.int32)

    def given_back(self, table: NDArray[Any], part: slice) -> None:
        """The shard ``part`` is counted."""
        if self._in_order:
            self._counted[part.start, part.stop] = table
        else:
            self._idle.append(table)

    def sum(self) -> NDArray[np.int32] | Reals:
        """Everything that was counted."""
        if self._in_order:
            return functools.reduce(operator.add, (self._counted[part] for part in sorted(self._counted)))
        return functools.reduce(operator.add, self._idle)


def _record(n: NDArray[np.int32] | Reals, sums: Reals) -> Record:
    """From the judgments (W, B) and the sum of s in each bin (B,)."""
    total = n.sum(axis=0)
    s = np.divide(sums, total, out=np.full_like(sums, 0.5), where=total > 0)
    return Record(np.ascontiguousarray(n, np.float64), s)


def _tables(result: Consensus) -> tuple[Reals, Reals]:
    """What ``kernels.records`` reads of each row (R, 2, K), or wider, and of each worker (W, K), or wider."""
    cells = result.confusions
    K = cells.n_labels
    A = cells.pseudo_counts
    if not A.any():  # maximum likelihood has no doubts
        A = pooled_prior.one_coin(K)
    totals, right = cells.totals(), cells.right()
    n, n_right = totals.sum(axis=1), right.sum(axis=1)
    usual = n_right.sum() / max(n.sum(), 1e-300)
    coin = np.clip((n_right + PATIENCE * usual) / (n + PATIENCE), 0.02, 0.98)[cells.row_worker]
    of_coin = np.repeat(((1.0 - coin) / max(K - 1, 1))[:, None], K, axis=1)
    of_coin[np.arange(len(of_coin)), cells.row_label] = coin
    of_coin = cells.with_those_as_one(of_coin)
    total = totals + A.sum(axis=1)
    C = cells.with_those_as_one((cells.counts.reshape(-1, K) + A.T[cells.row_label]) / total[cells.row_worker])
    width = max(K, IN_REGISTERS)
    tables, doubt = np.ones((len(C), 2, width)), np.ones((len(total), width))
    tables[:, 0, :K] = of_coin**ONE_COIN * C ** (1.0 - ONE_COIN)
    tables[:, 1, :K] = C
    doubt[:, :K] = 1.0 / np.maximum(1.0 - (right + np.diag(A)) / total, 1e-6)
    return tables, doubt


def _priors(result: Consensus, beliefs: DensePosterior) -> Reals:
    """Prior of every item (I, K), or wider, where items have their own; else (1, K), that of the class."""
    judgments = result.judgments
    own = np.zeros(judgments.n_items, np.bool_)
    if result.gold is not None:
        own[result.gold.items] = True
    if result.models is not None:
        own |= result.models.votes.per_item > 0
    items = np.flatnonzero(own)
    K = judgments.n_labels
    mixed = None if result.terms is None else result.terms.priors
    priors = np.zeros((judgments.n_items if len(items) or mixed is not None else 1, max(K, IN_REGISTERS)))
    priors[:, :K] = np.maximum(result.prior_shares, SMALLEST) if mixed is None else mixed
    if len(items):  # read off the posterior, by taking out what the judgments say
        power = result.tempering.power(judgments.per_item[items], items)
        with np.errstate(divide="ignore"):
            logs = np.log(beliefs.table[items]) / power[:, None]
        mine = np.flatnonzero(own[judgments.item])
        log_C = np.log(against_others.cell_likelihoods(result).reshape(-1, K))
        np.subtract.at(logs, (np.cumsum(own) - 1)[judgments.item[mine]], log_C[result.row[mine]])
        priors[items, :K] = np.exp(logs - logs.max(axis=1, keepdims=True))
    return priors
