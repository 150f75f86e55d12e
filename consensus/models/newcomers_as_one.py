"""Newcomers that contradict the experienced (``newcomers``), as one worker for each band.

What an answer of theirs means is learnt from all of them together: how often the band gives the true label, whichever
it is, and the others evenly. One number cannot follow a lure, as a whole confusion matrix would: where many give the
same wrong answer, it takes other names of the labels for the truth. Over states finer than labels there is one such
number for each kind of states, as many as there are kinds of cells [state, observed]::

    p[c] = (sum N[w,s,l] over the cells of kind c + m[c] / K) / (all of these, of the same kind of states, + 1)
    C[w,s,l] = (p[c(s,l)] / m[c])^tau      m[c]: cells of kind c that a state has

for all workers w of the band. With tau < 1 a judgment counts for less than one, where those of the band on an item err
together (``newcomers``, power); but not over states that tempt to a label, which say why they agree. The prior A that
the other workers share is learnt from these alone, and EM starts from their majority. So the newcomers' votes count as
far as those who are known well confirm them, be it for the opposite.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.kernels import tallies
from consensus.models.states import States

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.confusions import Confusions
    from consensus.models.problem import Problem

    Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Kinds:
    """The kinds of cells [state, observed] that have one number."""

    of: NDArray[np.int64]
    """(S, K) of every cell."""
    group: NDArray[np.int64]
    """(c,) kind of states that a kind of cells belongs to: the numbers of one sum to 1."""
    cells: Reals
    """(c,) cells of that kind that a state has."""

    @classmethod
    def among(cls, states: States) -> Kinds:
        """Right or wrong; where states tempt to a label, of these apart: right, tempted, or otherwise wrong."""
        K, Q = states.n_labels, states.per_label
        label, own = np.repeat(np.arange(K), Q), np.tile(np.arange(Q), K)
        group = (own != label).astype(np.int64) if states.tempt else own
        code = 3 * group[:, None] + 2 * (label[:, None] != np.arange(K))
        if states.tempt:
            code -= (own != label)[:, None] & (own[:, None] == np.arange(K))
        known, of = np.unique(code, return_inverse=True)
        of = of.reshape(code.shape).astype(np.int64)
        group_of = (known // 3).astype(np.int64)
        return cls(of, group_of, np.bincount(of.ravel()) / np.bincount(group)[group_of])

    def shares(self, pooled: Reals) -> Reals:
        """(c,) p of every kind, from expected judgments ``pooled`` (K, S) [observed, state]."""
        n = np.bincount(self.of.ravel(), pooled.T.ravel(), len(self.cells)) + self.cells / len(pooled)
        return np.asarray(n / np.bincount(self.group, n)[self.group], np.float64)


class AsOne:
    """The newcomers of a fit; does nothing where none are at odds."""

    def __init__(self, problem: Problem) -> None:
        """Find the rows of each band."""
        self._rows: list[NDArray[np.int64]] = []
        self._pooled: list[Reals] = []
        self._power: list[float] = []
        if problem.newcomers is None:
            return
        K, band = problem.judgments.n_labels, problem.newcomers.band
        self._worker = np.flatnonzero(band >= 0)
        self._label = problem.rows.label
        self._rows = [np.flatnonzero(band[problem.rows.worker] == b) for b in range(problem.newcomers.n_bands)]
        self._power = _powers(problem).tolist()
        self._kinds = Kinds.among(problem.states or States(K))
        self._pooled = [np.zeros((K, len(self._kinds.of))) for _ in self._rows]

    def hide(self, tables: Any) -> None:
        """Take their counts out of ``tables``, before A and C of the others are learnt from them."""
        for own, pooled in zip(self._rows, self._pooled, strict=True):
            pooled[:] = 0.0
            tallies.sums_by_label(self._label[own], tables.N[own], pooled)
            tables.N[own] = 0.0
        if self._rows:
            tables.n[self._worker] = 0.0

    def answer(self, A: Reals, tables: Any) -> float:
        """Set their C in ``tables``; the log prior density, in nats, less that of workers without judgments."""
        density = 0.0
        for own, pooled, power in zip(self._rows, self._pooled, self._power, strict=True):
            kinds = self._kinds
            logs = power * np.log(kinds.shares(pooled) / kinds.cells)
            tables.C[own, : len(kinds.of)] = np.exp(logs)[kinds.of].T[self._label[own]]
            density += float((kinds.cells / len(pooled) * logs).sum())
        return density - len(self._worker) * _at_mean(A) if self._rows else 0.0


def marked(confusions: Confusions, problem: Problem, C: Reals) -> Confusions:
    """The ``confusions`` with ``C`` (R, K) of newcomers, which does not follow from the counts of each."""
    if problem.newcomers is None:
        return confusions
    own = problem.newcomers.band[confusions.row_worker] >= 0
    return replace(confusions, as_one=np.where(own[:, None], C, np.nan))


def of_one(C: Reals, problem: Problem) -> Reals:
    """(R, S) C, of newcomers what one judgment says of a state: a probability, as of other workers (tau is 1)."""
    if problem.newcomers is None:
        return C
    band = problem.newcomers.band[problem.rows.worker]
    own, found = np.flatnonzero(band >= 0), C.copy()
    found[own] **= 1.0 / _powers(problem)[band[own], None]
    return found


def _powers(problem: Problem) -> Reals:
    """(B,) tau of each band."""
    assert problem.newcomers is not None
    tempted = problem.states is not None and problem.states.tempt
    return np.ones_like(problem.newcomers.power) if tempted else problem.newcomers.power


def _at_mean(A: Reals) -> float:
    """Log Dirichlet(C; A + 1) of C that is the mean of A, over all true labels, in nats."""
    from scipy.special import gammaln

    total = A.sum(axis=1)
    normaliser = gammaln(total + A.shape[1]) - gammaln(A + 1.0).sum(axis=1)
    return float((normaliser + (A * np.log(A / total[:, None])).sum(axis=1)).sum())
