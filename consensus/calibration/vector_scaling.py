"""Vector scaling of posteriors on items whose label is known, averaged over how far it may go.

With x[f,i,k] the logarithm of what reading f says of label k of item i, largest 0, and gold items g::

    P(k|i)   = softmax_k( sum_f a[f] x[f,i,k] + b[k] )
    log post = sum_g log sum_{k accepted} P(k|g) - sum_f (a[f] - mean[f])^2 / (2 s[f]^2) - sum_k b[k]^2 / (2 t^2)
    evidence = log post at its mode + 1/2 log det(prior precision) - 1/2 log det H,  H = minus its Hessian

(vector scaling: Guo et al. 2017, section 4.2; Laplace's approximation: MacKay 1992, section 2.3). The mode is found by
Newton's method, damped: convex but for items with several accepted labels. No s and t is picked: every pair of a grid
is fitted, and the predictions are averaged by evidence, so that few gold items change little and many change much.

Where labels are too many for an intercept each, t is None and b is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.probabilities import normalised

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Reals = NDArray[np.float64]

LEAST_SLOPE = 1e-3
MOST_STEPS = 30
MOST_HALVINGS = 20
STILL = 1e-9  # nats that a step gains, relative to the log posterior, at which it ends
LEAST_WEIGHT = 0.01  # of a scaling in the average
FLOOR = -60.0  # nats below the best label, under which nothing is told apart


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Gold items as the fit sees them."""

    x: Reals
    """(F, G, C) what each reading says of C entries: the labels, or the labels given and then all others as one."""
    log_count: Reals
    """(G, C) logarithm of how many labels an entry stands for; -inf for none."""
    log_accepted: Reals
    """(G, C) logarithm of how many of them gold accepts."""

    unit: Reals | None = None
    """(G,) how many independent items each counts as; None: each as one."""

    def some(self, chosen: NDArray[np.bool_] | slice) -> Known:
        """Some of the items."""
        unit = None if self.unit is None else self.unit[chosen]
        return Known(self.x[:, chosen], self.log_count[chosen], self.log_accepted[chosen], unit)

    def total(self, values: Reals) -> float:
        """The sum of ``values`` (G,), in units."""
        return float(values.sum() if self.unit is None else self.unit @ values)

    @classmethod
    def of_labels(cls, x: Reals, accepted: NDArray[np.bool_], unit: Reals | None = None) -> Known:
        """Entries that are the labels: ``x`` (F, G, K), ``accepted`` (G, K), ``unit`` (G,)."""
        return cls(x, np.zeros(accepted.shape), np.where(accepted, 0.0, -np.inf), unit)


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """What is believed of a scaling before gold is seen."""

    mean: Reals
    """(F,) of the slopes."""
    sd: Reals
    """(F,) of the slopes; 0 keeps a slope at its mean."""
    t: float | None
    """Standard deviation of an intercept, in nats; None: there are no intercepts."""
    least: Reals | float = LEAST_SLOPE
    """(F,) below which no slope may fall."""


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """One scaling."""

    slope: Reals
    """(F,)"""
    intercept: Reals
    """(C,) in nats."""
    evidence: float
    """In nats."""


@dataclass(frozen=True, slots=True, eq=False)
class Average:
    """Several scalings, and how far each is believed."""

    slope: Reals
    """(M, F)"""
    intercept: Reals
    """(M, C)"""
    weight: Reals
    """(M,) sums to 1."""
    place: NDArray[np.int64]
    """(M,) which of the beliefs each comes from."""

    def predicted(self, x: Reals, log_count: Reals | None = None) -> Reals:
        """(n, C) probability of each label, by what the readings say, ``x`` (F, n, C); of one label of each entry."""
        found = np.zeros(x.shape[1:])
        count = np.zeros(x.shape[1:]) if log_count is None else log_count
        for slope, intercept, weight in zip(self.slope, self.intercept, self.weight, strict=True):
            logs = np.tensordot(slope, x, axes=1) + intercept
            total = _log_sum(logs + count)
            found += weight * np.where(count > -np.inf, np.exp(logs - total[:, None]), 0.0)
        return found


def centred(probabilities: Reals) -> Reals:
    """(n, K) logarithms of ``probabilities`` (n, K), or of numbers in proportion; the largest is 0, none below -60."""
    with np.errstate(divide="ignore"):
        logs = np.log(probabilities)
    found: Reals = np.maximum(logs - logs.max(axis=-1, keepdims=True), FLOOR)
    return found


def averaged(known: Known, beliefs: Sequence[Belief]) -> Average:
    """The scalings of all ``beliefs``, by their evidence; those that weigh less than .01 are dropped."""
    fits = [fitted(known, belief) for belief in beliefs]
    evidence = np.array([fit.evidence for fit in fits])
    weight = normalised(np.exp(evidence - evidence.max()))
    kept = np.flatnonzero(weight >= LEAST_WEIGHT)
    return Average(
        np.array([fits[m].slope for m in kept]),
        np.array([fits[m].intercept for m in kept]),
        normalised(weight[kept]),
        kept,
    )


def fitted(known: Known, belief: Belief) -> Scaling:
    """The most probable scaling, and its evidence."""
    free = belief.sd > 0
    x = known.x[free]
    n_slopes, n_entries = len(x), known.x.shape[2]
    n_intercepts = 0 if belief.t is None else n_entries
    least = np.broadcast_to(belief.least, free.shape)[free]
    held = np.tensordot(belief.mean[~free], known.x[~free], axes=1)
    mean = np.concatenate([belief.mean[free], np.zeros(n_intercepts)])
    precision = np.concatenate([belief.sd[free] ** -2.0, np.full(n_intercepts, (belief.t or 1.0) ** -2.0)])
    accepted = known.log_accepted > -np.inf
    right = None  # summed features of the accepted labels, where each item has one: they are linear then
    if (accepted.sum(axis=1) == 1).all():
        right = _moments(accepted.astype(np.float64), x, n_intercepts, known.unit)[0]
    of_accepted = held + known.log_accepted
    if known.unit is None:
        constant = float(of_accepted[accepted].sum())
    else:
        constant = known.total(np.where(accepted, of_accepted, 0.0).sum(axis=1))

    def log_posterior(theta: Reals) -> tuple[float, Reals]:
        logs = held + np.tensordot(theta[:n_slopes], x, axes=1)
        if n_intercepts:
            logs = logs + theta[n_slopes:]
        fits = known.total(_log_sum(logs + known.log_accepted)) if right is None else constant + right @ theta
        fits -= known.total(_log_sum(logs + known.log_count))
        return float(fits - 0.5 * (precision * (theta - mean) ** 2).sum()), logs

    theta = mean.copy()
    value, logs = log_posterior(theta)
    for _ in range(MOST_STEPS):
        gradient, H = _curvature(logs, x, known, n_intercepts, right)
        step = np.linalg.solve(H + np.diag(precision), gradient - precision * (theta - mean))
        before, size = value, 1.0
        for _ in range(MOST_HALVINGS):
            moved = theta + size * step
            moved[:n_slopes] = np.maximum(moved[:n_slopes], least)
            value, logs = log_posterior(moved)
            if value >= before:
                theta = moved
                break
            size /= 2.0
        else:
            value, logs = log_posterior(theta)
        if value - before <= STILL * (1.0 + abs(before)):
            break
    _, H = _curvature(logs, x, known, n_intercepts, right)
    log_det = np.linalg.slogdet(H + np.diag(precision))[1]
    slope = belief.mean.copy()
    slope[free] = theta[:n_slopes]
    intercept = theta[n_slopes:] if n_intercepts else np.zeros(n_entries)
    return Scaling(slope, intercept, value + 0.5 * float(np.log(precision).sum()) - 0.5 * float(log_det))


def _curvature(logs: Reals, x: Reals, known: Known, n_intercepts: int, right: Reals | None) -> tuple[Reals, Reals]:
    """The gradient of the log likelihood, and minus its Hessian: those of one accepted label where it is no maximum."""
    expected, H = _moments(_softmax(logs + known.log_count), x, n_intercepts, known.unit)
    if right is not None:
        return right - expected, H
    accepted, less = _moments(_softmax(logs + known.log_accepted), x, n_intercepts, known.unit)
    whole = H - less
    if np.linalg.eigvalsh(whole)[0] >= -1e-9 * max(float(np.abs(H).max()), 1.0):
        H = whole
    return accepted - expected, H


def _moments(p: Reals, x: Reals, n_intercepts: int, unit: Reals | None) -> tuple[Reals, Reals]:
    """Sums over items, in units, of mean and covariance of the features under ``p`` (G, C): readings, then labels."""
    each = p if unit is None else p * unit[:, None]
    weighed, n_slopes = each * x, len(x)
    own = weighed.sum(axis=2)
    mean = own if unit is None else own / unit
    first = own.sum(axis=1)
    second = weighed.reshape(n_slopes, -1) @ x.reshape(n_slopes, -1).T - own @ mean.T
    if not n_intercepts:
        return first, second
    cross = weighed.sum(axis=1) - own @ p
    return np.concatenate([first, each.sum(axis=0)]), np.block(
        [[second, cross], [cross.T, np.diag(each.sum(axis=0)) - each.T @ p]]
    )


def _softmax(logs: Reals) -> Reals:
    found: Reals = np.exp(logs - _log_sum(logs)[:, None])
    return found


def _log_sum(logs: Reals) -> Reals:
    peak = logs.max(axis=1)
    found: Reals = peak + np.log(np.exp(logs - peak[:, None]).sum(axis=1))
    return found
