"""The EM loop of hierarchical Dawid-Skene.

With z[i,k] the posterior of item i, N[w,k,l] the expected judgments l of worker w on items of true label k, n[w,k]
their sum over l, A[k,l] the pseudo-counts that all workers share, and pi[k] the class prior::

    M1   N[w,k,l] = sum of z[i,k] over judgments (i,w,l);   pi[k] = (sum_i z[i,k] + 1) / (I + K)
    M2   A learnt from all workers, from the second pass on (``pooled_prior``)
    M3   C[w,k,l] = (N[w,k,l] + A[k,l]) / (n[w,k] + A[k,.])
    E    log z[i,k] = log pi[k] + sum over the item's judgments of log C[w,k,l], normalised; gold stays clamped


The prior A of the confusions is learnt in the first passes and then frozen. From there on M3 and E are exact EM for

    objective = sum_i log sum_k pi[k] prod_j C[w_j, k, l_j]
                + log Dirichlet(pi; 2) + sum_wk log Dirichlet(C[w, k]; A + 1)

(Dawid & Skene 1979 with a Dirichlet prior), which never falls; only there may ``converged`` be said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import em
from consensus.models import pooled_prior
from consensus.result import Convergence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.config import Prior
    from consensus.models.rows import Rows

SMALLEST = 1e-10  # probabilities under maximum likelihood (prior="none") are kept above this
Progress = Callable[[str, int, float, float], None]
"""Called after every pass with: stage, passes done, objective per judgment (nats), its gain (nats)."""


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What EM is run on."""

    rows: Rows
    accepted: NDArray[np.bool_]
    """(G, K) accepted labels of gold items."""
    prior_row: NDArray[np.int32]
    """(I,) 0 for items without gold, g + 1 for gold item g."""
    prior: Prior
    pseudo_counts: NDArray[np.float64]
    """(K, K) A to start from (prior="learnt") or to keep."""
    max_iterations: int
    tolerance: float

    def log_priors(self, pi: NDArray[np.float64]) -> NDArray[np.float64]:
        """(1+G, K) log pi, and for each gold item log pi with the labels that are not accepted at -inf."""
        log_pi = np.log(np.maximum(pi, SMALLEST))
        return np.vstack([log_pi[None], np.where(self.accepted, log_pi, -np.inf)])


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """Parameters, and the posterior that they imply."""

    posterior: NDArray[np.float64]
    """(I, K) z, untempered."""
    pi: NDArray[np.float64]
    """(K,) class prior."""
    A: NDArray[np.float64]
    """(K, K) pseudo-counts [true, observed]; zero under prior="none"."""
    counts: NDArray[np.float64]
    """(R, K) expected counts N of the final posterior."""
    log_rows: NDArray[np.float64]
    """(R, K) log C."""
    convergence: Convergence

    @property
    def objective(self) -> float:
        """The final objective in nats."""
        return self.convergence.objective[-1]


def climb(
    problem: Problem,
    start: NDArray[np.float64],
    backend: Backend,
    progress: Progress | None = None,
    stage: str = "fitting",
) -> Estimate:
    """Run EM from the posterior ``start`` (I, K), which is not changed, to convergence or the iteration limit."""
    rows, n_labels = problem.rows, problem.rows.n_labels
    posterior = np.array(start, np.float64, order="C")
    log_evidence = np.empty(rows.n_items)
    counts = np.empty((len(rows.worker), n_labels))
    told = (np.diff(rows.item_start) > 0) | (problem.prior_row > 0)  # the others say nothing about pi
    told_only = None if told.all() else told

    A = problem.pseudo_counts
    learning = problem.prior == "learnt"
    frozen_at = 0
    objective: list[float] = []
    status = "iteration_limit"
    count(rows, posterior, counts, backend)
    for iteration in range(problem.max_iterations):
        n = rows.worker_totals(counts)
        pi = class_prior(posterior if told_only is None else posterior[told_only], problem.prior)
        if learning and iteration > 0:
            learnt = pooled_prior.improved(A, rows, counts, n)
            learning = np.abs(learnt / A - 1.0).max() >= pooled_prior.LEARNT_WHEN
            A = learnt
            frozen_at = iteration
            learning = learning and iteration < pooled_prior.MOST_PASSES
        log_rows = log_confusions(rows, counts, n, A)
        expect(rows, log_rows, problem.log_priors(pi), problem.prior_row, posterior, log_evidence, backend)
        objective.append(float(log_evidence.sum()) + log_prior_density(rows, log_rows, n, pi, A, problem.prior))
        count(rows, posterior, counts, backend)
        gain = objective[-1] - objective[-2] if iteration else np.inf
        if progress is not None:
            progress(stage, iteration + 1, objective[-1] / max(rows.n_judgments, 1), gain)
        if not learning and iteration > frozen_at and gain < problem.tolerance * rows.n_judgments:
            status = "converged"
            break
    convergence = Convergence(status, len(objective), tuple(objective), frozen_at)  # type: ignore[arg-type]
    return Estimate(posterior, pi, A, counts, log_rows, convergence)


def count(rows: Rows, posterior: NDArray[np.float64], out: NDArray[np.float64], backend: Backend) -> None:
    """M1: expected counts N (R, K) into ``out``."""

    def shard(part: slice) -> None:
        em.expected_counts(rows.row_start[part.start : part.stop + 1], rows.row_item, posterior, out[part])

    backend.map(shard, rows.row_shards)


def expect(
    rows: Rows,
    log_rows: NDArray[np.float64],
    log_priors: NDArray[np.float64],
    prior_row: NDArray[np.int32],
    out_posterior: NDArray[np.float64],
    out_log_evidence: NDArray[np.float64],
    backend: Backend,
    power: NDArray[np.float64] | None = None,
) -> None:
    """E: posterior (I, K), raised to ``power`` (I,) if given, and log evidence (I,)."""
    exponent = np.ones(rows.n_items) if power is None else power

    def shard(part: slice) -> None:
        em.posteriors(
            rows.item_start[part.start : part.stop + 1],
            rows.row,
            log_rows,
            log_priors,
            prior_row[part],
            exponent[part],
            out_posterior[part],
            out_log_evidence[part],
        )

    backend.map(shard, rows.item_shards)


def class_prior(posterior: NDArray[np.float64], prior: Prior) -> NDArray[np.float64]:
    """M1: pi (K,); Dirichlet alpha = 1 pseudo-item a label, none under maximum likelihood."""
    smoothing = 0.0 if prior == "none" and len(posterior) else 1.0
    total = posterior.sum(axis=0) + smoothing
    pi: NDArray[np.float64] = total / total.sum()
    return pi


def log_confusions(
    rows: Rows, N: NDArray[np.float64], n: NDArray[np.float64], A: NDArray[np.float64]
) -> NDArray[np.float64]:
    """M3: log C (R, K) of the observed rows, from N (R, K), n (W, K) and A (K, K)."""
    total = (n + A.sum(axis=1))[rows.worker]
    if A.any():
        C = (N + A.T[rows.label]) / total
        return np.asarray(np.log(C), np.float64)
    share = np.divide(N, total, out=np.full_like(N, 1.0 / rows.n_labels), where=total > 0)
    return np.asarray(np.log(np.maximum(share, SMALLEST)), np.float64)


def log_prior_density(
    rows: Rows,
    log_rows: NDArray[np.float64],
    n: NDArray[np.float64],
    pi: NDArray[np.float64],
    A: NDArray[np.float64],
    prior: Prior,
) -> float:
    """Log Dirichlet(pi; 2) + sum_wk log Dirichlet(C[w, k]; A + 1), in nats; 0 under maximum likelihood.

    Cells of labels that a worker never gave have C = A[k, l] / (n[w, k] + A[k, .]): they are summed without being
    stored.
    """
    if prior == "none":
        return 0.0
    from scipy.special import gammaln

    n_labels = rows.n_labels
    A_true = A.sum(axis=1)
    normaliser = gammaln(A_true + n_labels) - gammaln(A + 1.0).sum(axis=1)  # of one worker, by true label
    log_total = np.log(n + A_true)
    unobserved = (A * np.log(A)).sum(axis=1)  # sum_l A log A, were no label observed
    A_row = A.T[rows.label]
    density_of_confusions = (
        rows.n_workers * float((normaliser + unobserved).sum())
        - float((A_true * log_total).sum())
        + float((A_row * (log_rows + log_total[rows.worker] - np.log(A_row))).sum())
    )
    return density_of_confusions + float(np.log(pi).sum() + gammaln(2 * n_labels))
