"""The posterior of every worker's accuracy: the average of two, each wrong in its own way.

The first is read off their record, with a prior that is learnt from all workers. The accuracy a of a worker has the
likelihood prod_j right_j a + wrong_j (1 - a) over their judgments (kernels.others), each held against the others'
posterior of its item, uncertain as that is, never against a consensus that they helped to make. Its prior is a mixture
of Beta distributions around N_KINDS accuracies, with shares learnt by EM from all workers (nonparametric empirical
Bayes: Laird 1978, smoothed), so that a crowd with spammers expects spammers. All of it lives on a grid for each worker,
around their most likely accuracy.

The second is that of ``agreement_posterior``, which does not take the judgments of an item for independent. Where they
are, the first is right; where they are not, it covers far less than it says. The average is wide where the two differ.

Measured by ``tests/benchmarks/audit_coverage.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import even_parts, number_of_shards
from consensus.intervals import LEVEL
from consensus.kernels import others_loops as kernels
from consensus.probabilities import normalised
from consensus.worker_audit.accuracy import agreement_posterior
from consensus.worker_audit.accuracy.gridded import Gridded, average_quantile, grid
from consensus.worker_audit.accuracy.likelihoods import Record

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.result import Consensus
    from consensus.worker_audit.accuracy.likelihoods import Records
    from consensus.worker_audit.audit_of_result import WorkerAudit

    Reals = NDArray[np.float64]

N_KINDS = 10  # Beta distributions that the prior mixes
WIDTH = 8.0  # judgments that the knowledge of which one it is equals
EXTRA = 0.5  # judgments right and wrong that keep the most likely accuracy inside (0, 1)
MOST_LEARNT = 2000  # workers, evenly spaced, that the shares are learnt from
ROUNDS = 100  # of EM for the shares
SHARED_POINTS = 100  # of the grid on which they are learnt
WORKERS_AT_ONCE = 500  # whose grids are weighed together
FINE = 1000  # points between which its density is interpolated
PATIENCE = 20.0  # judgments of usual labels, and of usual accuracy in each, that every worker is credited with
LEAST_RIGHT, MOST_RIGHT = 0.02, 0.995  # of a true label, in the confusions that workers are chosen by


@dataclass(frozen=True, eq=False)
class Accuracy:
    """P(right) of every worker on the items that they judged, as a distribution: the average of two."""

    by_record: Gridded
    """From the others' judgments of the same items."""
    by_agreement: Gridded
    """From agreement with the consensus, doubted as a whole."""
    label_mix: Reals
    """(W,) what is to be added for labels in the proportions of the class prior."""

    @cached_property
    def mean(self) -> Reals:
        """(W,) on their own items: what workers are ranked by."""
        return np.asarray((self.by_record.mean + self.by_agreement.mean) / 2, np.float64)

    @cached_property
    def label_adjusted(self) -> Reals:
        """(W,) mean over labels in the proportions of the class prior."""
        return np.asarray(np.clip(self.mean + self.label_mix, 0.0, 1.0), np.float64)

    @cached_property
    def interval(self) -> tuple[Reals, Reals]:
        """Central 95 % credible interval on their own items, (W,) each."""
        tail = (1.0 - LEVEL) / 2
        return self.quantile(tail), self.quantile(1.0 - tail)

    def quantile(self, level: float) -> Reals:
        """(W,) on their own items."""
        return average_quantile(self.by_record, self.by_agreement, level)

    @property
    def deviation(self) -> Reals:
        """(W,) standard deviation."""
        both = (self.by_record.variance + self.by_agreement.variance) / 2
        apart = (self.by_record.mean - self.by_agreement.mean) / 2
        return np.asarray(np.sqrt(both + apart**2), np.float64)

    def above(self, least: Reals) -> Reals:
        """(W,) P(accuracy on their own items > ``least`` (W,))."""
        return np.asarray(1.0 - (self.by_record.below(least) + self.by_agreement.below(least)) / 2, np.float64)


def lower_confidence(audit: WorkerAudit, C: Reals, workers: NDArray[np.int64]) -> Reals:
    """(n, K, K) fitted confusions ``C`` (n, K, K) of some workers, only as right as they surely are.

    The mistakes of each are scaled so that they are right as often as the audit finds, less one standard deviation: the
    confusions were fitted to a consensus that their own judgments made, and whoever is best by them is often merely
    lucky. Measured by replay on seven public sets: where workers are chosen and items ordered by these, and not by the
    fitted confusions, 9, 11 and 14 % fewer judgments are needed to be as right as three, five and seven an item.
    """
    found = audit.accuracy
    goal = np.maximum(found.mean - found.deviation, 0.0)[workers]
    return as_right_as(C, goal, audit.result.prior_shares, (LEAST_RIGHT, MOST_RIGHT))


def as_right_as(C: Reals, goal: Reals, prior: Reals, within: tuple[float, float] = (0.0, 1.0)) -> Reals:
    """(n, K, K) confusions ``C`` (n, K, K) with the mistakes of each scaled to be right with P = ``goal`` (n,).

    Over labels in the shares ``prior`` (K,), and as far as P(right | label) stays ``within`` these.
    """
    K = C.shape[1]
    right = np.einsum("wkk->wk", C)
    scale = (1.0 - goal) / np.maximum(1.0 - right @ prior, 1e-9)
    right = np.clip(1.0 - (1.0 - right) * scale[:, None], *within)
    wrong = normalised(np.where(np.eye(K) > 0, 0.0, np.maximum(C, 1e-12))) * (1.0 - right)[:, :, None]
    return np.asarray(wrong + right[:, :, None] * np.eye(K))


def accuracy(result: Consensus, records: Records) -> Accuracy:
    """The posterior of every worker's accuracy."""
    by_record = _by_record(result, records.own)
    return Accuracy(by_record, agreement_posterior.agreement(result), _label_mix(result))


def _by_record(result: Consensus, own: Record) -> Gridded:
    """From the others' judgments of the same items, with a prior learnt from all workers."""
    W = len(own.n)
    if not W:
        return Gridded(np.zeros((0, 2)), np.zeros((0, 2)))
    mode, deviation = np.empty(W), np.empty(W)

    def shard(part: slice) -> None:
        kernels.modes(own.n[part], own.s, EXTRA, mode[part], deviation[part])

    result.backend.map(shard, even_parts(W, number_of_shards(W * 64)))
    points = grid(mode, deviation)
    fine = (np.arange(FINE) + 0.5) / FINE
    density = densities(fine, N_KINDS, WIDTH) @ _shares(own)
    weight = np.empty_like(points)

    def weigh(part: slice) -> None:
        logs = own.on_grids(points, part)
        logs += np.log(np.interp(points[part], fine, density))
        weight[part] = normalised(np.exp(logs - logs.max(axis=1, keepdims=True)))

    result.backend.map(weigh, even_parts(W, -(-W // WORKERS_AT_ONCE)))
    return Gridded(points, weight)


def densities(points: Reals, n: int, width: float) -> Reals:
    """(..., n) densities at ``points`` (...) of ``n`` Beta distributions around evenly spaced accuracies.

    Each is worth ``width`` judgments.
    """
    from scipy.special import betaln

    right = width * (np.arange(n) + 0.5) / n
    logs = np.log(points)[..., None] * right + np.log1p(-points)[..., None] * (width - right)
    return np.asarray(np.exp(logs - betaln(1.0 + right, 1.0 + width - right)), np.float64)


def _shares(own: Record) -> Reals:
    """(N_KINDS,) share of the workers in each of the Beta distributions, by EM; one worker's worth is spread evenly."""
    sample = Record(own.n[:: -(-len(own.n) // MOST_LEARNT)], own.s)
    points = (np.arange(SHARED_POINTS) + 0.5) / SHARED_POINTS
    logs = sample.log_likelihoods(points)
    evidence = np.exp(logs - logs.max(axis=1, keepdims=True)) @ densities(points, N_KINDS, WIDTH)
    shares = np.full(N_KINDS, 1.0 / N_KINDS)
    for _ in range(ROUNDS):
        shares = normalised((normalised(evidence * shares).sum(axis=0) + 1.0 / N_KINDS)[None])[0]
    return shares


def _label_mix(result: Consensus) -> Reals:
    """(W,) what must be added to the accuracy on a worker's own items to have it over all labels in their shares.

    sum_k (prior[k] - share of label k among their items) C[w, k, k]: whoever got the hard labels is not to pay for it.
    """
    found, prior = result.confusions, result.prior_shares
    totals, right = found.totals(), found.right()
    all_totals = totals.sum(axis=0)
    pooled = np.divide(right.sum(axis=0), all_totals, out=np.zeros_like(prior), where=all_totals > 0)
    share_right = (right + PATIENCE * pooled) / (totals + PATIENCE)
    mix = (totals + PATIENCE * prior) / (totals.sum(axis=1, keepdims=True) + PATIENCE)
    return np.asarray(((prior - mix) * share_right).sum(axis=1), np.float64)
