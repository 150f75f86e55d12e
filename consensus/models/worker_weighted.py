"""The worker-weighted fit: every judgment counts with one weight of its worker, and nothing else is learnt.

There are no shares of the true labels and no confusions, so it does not follow where these lead other fits astray. It
is the Bayesian weighted average of Li, Rubinstein & Cohn (WWW 2019), with the strength of the prior held fixed::

    e[j]     = sum_k (z[i,k] - [l = k])^2 = 1 - 2 z[i,l] + sum_k z[i,k]^2        for a judgment l of item i
    weight w = (A + n[w]) / (A + sum_{j of w} e[j] / r)                           r: mean of e[j] at the start, A = 15
    z[i,k]   = sum_{j: l = k} weight[w] / sum_j weight[w]                         at the start by equal weights

in turn, until no share moves. A worker of average distance weighs 1, as does one without judgments.

Where there are very many judgments the weights are learnt from a sample of them: those of items that are chosen by a
hash of their ids, so the same items whatever their order. Gold items are drawn like all others: were they always in it,
their own judgments would tell more of their workers' weights than those of other items do, and calibration on gold
would take all shares for as good as those of gold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import even_slices, number_of_shards
from consensus.inputs.vocabulary import hashed
from consensus.kernels import worker_weighted_loops
from consensus.kernels.worker_weighted_loops import Judged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.inputs.judgments import Judgments

    Reals = NDArray[np.float64]

PRIOR = 15.0  # A: judgments of average distance that every worker has beforehand
STILL = 1e-5  # the largest change of a share at which it ends; on eight public sets after 9 to 56 passes
MOST_PASSES = 100
SAMPLE = 300_000  # judgments that the weights are learnt from, about, where there are more
AT_ONE = 1e-12  # mean distance of judgments below which all of every item agree, so that nobody is to be told apart


@dataclass(frozen=True, slots=True, eq=False)
class WorkerWeighted:
    """What the fit finds."""

    weight: Reals
    """(W,) positive; 1 for a worker of average distance."""
    n_passes: int
    """Over the judgments, or the sample of them."""
    converged: bool
    """No share moved any more."""


def fit(judgments: Judgments, backend: Backend) -> WorkerWeighted:
    """Weigh the workers by ``judgments``, which are over the label set. Threads do not change a bit."""
    part = _Part.of(judgments) if judgments.n_judgments <= SAMPLE else _sampled(judgments)
    moving = np.zeros((len(part.judged.item_start) - 1, judgments.n_labels))
    n_workers = judgments.n_workers
    error, _ = part.weigh(np.ones(n_workers), moving, backend)
    n = np.bincount(part.judged.worker, minlength=n_workers).astype(np.float64)
    usual = error.sum() / max(n.sum(), 1.0)
    weight, n_passes, converged = np.ones(n_workers), 1, usual < AT_ONE
    while not converged and n_passes < MOST_PASSES:
        weight = (PRIOR + n) / (PRIOR + error / usual)
        error, moved = part.weigh(weight, moving, backend)
        n_passes, converged = n_passes + 1, moved < STILL
    return WorkerWeighted(weight, n_passes, bool(converged))


def shares(judgments: Judgments, weight: Reals, items: NDArray[np.integer] | None = None) -> Reals:
    """(n, K) shares of the labels of ``items`` (n,), or of all, by ``weight`` (W,); uniform without judgments.

    They are no probabilities.
    """
    chosen = np.arange(judgments.n_items) if items is None else items.astype(np.int64)
    found = np.empty((len(chosen), judgments.n_labels))
    judged = Judged(judgments.item_start, judgments.worker, judgments.label)
    worker_weighted_loops.shares(judged, chosen, weight, found)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """All items, or a sample of them."""

    judged: Judged
    slices: tuple[slice, ...]
    """Of its items, by shard."""
    n_workers: int

    @classmethod
    def of(cls, judgments: Judgments, judged: Judged | None = None) -> _Part:
        judged = judged or Judged(judgments.item_start, judgments.worker, judgments.label)
        n_shards = number_of_shards(len(judged.worker), judgments.n_workers)
        return cls(judged, even_slices(judged.item_start, n_shards), judgments.n_workers)

    def weigh(self, weight: Reals, shares: Reals, backend: Backend) -> tuple[Reals, float]:
        """Fill in the shares; (W,) summed distances of the judgments of every worker, and the largest change."""

        def shard(part: slice) -> tuple[Reals, float]:
            error = np.zeros(self.n_workers)
            own = self.judged._replace(item_start=self.judged.item_start[part.start : part.stop + 1])
            return error, worker_weighted_loops.weigh(own, weight, shares[part], error)

        found = backend.map(shard, self.slices)
        return np.sum([error for error, _ in found], axis=0), max(moved for _, moved in found)


def _sampled(judgments: Judgments) -> _Part:
    """About SAMPLE judgments, all of each item."""
    drawn = hashed(judgments.item_ids) < np.uint64(2**64 * (SAMPLE / judgments.n_judgments))
    items = np.flatnonzero(drawn)
    _, own = judgments.of_items(items)
    start = np.concatenate([[0], np.cumsum(judgments.per_item[items])])
    return _Part.of(judgments, Judged(start, judgments.worker[own], judgments.label[own]))
