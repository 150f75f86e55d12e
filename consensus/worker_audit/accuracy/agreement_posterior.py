"""A second posterior of every worker's accuracy: how far they agree with the consensus, doubted as a whole.

The first one (``accuracy_posterior``) takes the judgments of an item for independent, given its label. On real crowds
they are not: what is hard for one is hard for all, so that the others' posterior of an item is too sure of itself, and
so are intervals that are read off it. This one reads the accuracy R off the reported posterior, the own vote kept, and
its interval is wide enough for three things not to be known: which of the judgments is right given the posterior (V),
how often the worker would be right on other items, and how far the posterior itself is to be believed. For that last
part stands what tempering makes of R: D = R untempered - R.

With m the mean of R over the workers and c judgments that it is worth (by moments: how far workers differ beyond what
chance does to as many judgments n as they gave), it is the Beta distribution with

    mean      mu = (n R + c m) / (n + c)
    variance  mu (1 - mu) / (n + c + 1) + V / (n + c)^2 + D^2

Where items of a cluster err together, n, R and V are in units, and of D^2 only a share n / (judgments by weight)
counts: how far agreement varies between clusters, which the units are estimated from, holds the rest of that doubt
already. Both together would be too wide.

Measured by ``tests/benchmarks/audit_coverage.py``, and ``audit_clusters.py``.
"""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import even_slices, number_of_shards
from consensus.found.posterior import SparsePosterior
from consensus.kernels import agreement_loops as kernels
from consensus.probabilities import normalised
from consensus.worker_audit.accuracy import units_of_workers
from consensus.worker_audit.accuracy.gridded import Gridded, grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.result import Consensus

    Reals = NDArray[np.float64]

DOUBT = 0.3
"""Correlation of judgments on one item that a worker is held against, at least, where nothing was calibrated on
gold; not where the posterior is one of independent judgments, or of vote shares (rho = 0)."""
LEAST_WORTH, MOST_WORTH = 1.0, 20.0  # judgments that the mean of all workers is worth
LEAST_SPREAD = 1e-4  # variance of R beyond chance
MOST_DOUBT = 0.9  # of the variance of somebody who is either always right or never
LEAST_COUNT = 1e-3  # of the parameters of a Beta distribution


def agreement(result: Consensus) -> Gridded:
    """The posterior of every worker's accuracy on their own items, by agreement with the doubted consensus."""
    n = units_of_workers.per_worker(result).astype(np.float64)
    if not len(n):
        return Gridded(np.zeros((0, 2)), np.zeros((0, 2)))
    agreed, unknown, untempered = _sums(result).T
    whole = np.where(n > 0, n, 1.0)
    R = agreed / whole
    D = untempered / whole - R
    usual, worth = _usual(R, n)
    mean = (n * R + worth * usual) / (n + worth)
    both = mean * (1.0 - mean)
    variance = np.minimum(
        both / (n + worth + 1.0) + unknown / (n + worth) ** 2 + D**2 * _untold(result, n), MOST_DOUBT * both
    )
    return beta(mean, variance)


def _untold(result: Consensus, n: Reals) -> Reals | float:
    """(W,) the share of the doubt that units ``n`` (W,) do not tell; 1 where no clusters do."""
    judgments, units = result.judgments, result.units
    if units is None or units.n_eff is None or not units.told:
        return 1.0
    weight = None if judgments.weight is None else np.repeat(judgments.weight, judgments.per_item)
    by_weight = np.bincount(judgments.worker, weight, len(n))
    return np.minimum(n / np.where(by_weight > 0, by_weight, 1.0), 1.0)


def beta(mean: Reals, variance: Reals) -> Gridded:
    """Beta distributions with these moments (W,); a ``mean`` of 0 or 1 is taken for almost 0 or 1."""
    mean = np.clip(mean, 1e-6, 1.0 - 1e-6)
    total = mean * (1.0 - mean) / np.maximum(variance, 1e-12) - 1.0
    a, b = (np.maximum(total * share, LEAST_COUNT)[:, None] for share in (mean, 1.0 - mean))
    points = grid(mean, np.sqrt(variance))
    logs = (a - 1.0) * np.log(points) + (b - 1.0) * np.log1p(-points)
    return Gridded(points, normalised(np.exp(logs - logs.max(axis=1, keepdims=True))))


def _usual(R: Reals, n: Reals) -> tuple[float, float]:
    """Mean of R over the workers who judged, and how many judgments it is worth for each."""
    R, n = R[n > 0], n[n > 0]
    if not len(R):
        return 0.5, LEAST_WORTH
    usual = float(R.mean())
    spread = max(float(R.var() - (R * (1.0 - R) / n).mean()), LEAST_SPREAD)
    return usual, float(np.clip(usual * (1.0 - usual) / spread - 1.0, LEAST_WORTH, MOST_WORTH))


def _sums(result: Consensus) -> Reals:
    """(W, 3) of the judgments of each worker: see ``kernels.sums``."""
    judgments, beliefs, unit = result.judgments, result.beliefs, units_of_workers.of_judgments(result)

    def shard(part: slice) -> Reals:
        found = np.zeros((judgments.n_workers, 3))
        starts = judgments.item_start[part.start : part.stop + 1]
        judged = kernels.Judged(starts, judgments.worker, judgments.label)
        n = np.diff(starts)
        reported = result.tempering.power(n, part)
        powers = kernels.Powers(_doubting(result, n, reported) / reported, 1.0 / reported)
        if isinstance(beliefs, SparsePosterior):
            candidates = kernels.Candidates(
                start=beliefs.start[part.start : part.stop + 1],
                label=beliefs.candidate,
                z=beliefs.z,
                rest=beliefs.rest[part],
            )
            kernels.sums_sparse(judged, candidates, powers, unit, judgments.n_labels, found)
        else:
            kernels.sums(judged, beliefs.dense(part), powers, unit, found)
        return found

    parts = even_slices(judgments.item_start, number_of_shards(judgments.n_judgments, 3 * judgments.n_workers))
    return functools.reduce(operator.add, result.backend.map(shard, parts))


def _doubting(result: Consensus, n_judgments: NDArray[np.int64], reported: Reals) -> Reals:
    """(n,) the power of the untempered posterior that workers are held against, given the ``reported`` one (n,)."""
    calibrated = result.calibration is not None and result.calibration.fitted
    if calibrated or not result.tempering.rho:
        return reported
    return np.minimum(reported, 1.0 / (1.0 + DOUBT * np.maximum(n_judgments - 1, 0)))
