"""The prior of an item where workers, or groups of items, see different labels: the mix of labels that they see.

With one class prior for all items, who sees nearly one label only looks best as one who gives it always: for the label
they see, the class prior asks -log pi of each item, and a row of a spammer nothing. So honest workers of a batch or a
topic are condemned, and labels fall far below the majority. Here the prior of an item comes from the labels that its
workers see::

    theta[w,k] = (n[w,k] + s pi[k]) / (n[w,.] + s)
    prior[i,k] = mean of theta[w_j,k] over the item's judgments;  pi where it has none

or, where the user names groups (batches, topics, HITs), from the labels of its group::

    theta[g,k] = (M[g,k] + s pi[k]) / (M[g,.] + s),    M[g,k] = sum of z[i,k] over the items of group g

The concentration s is large where all see the same labels. It takes fixed-point steps (Minka 2000, *Estimating a
Dirichlet distribution*, eq. 55) under a Gamma(2, .02) prior. Whether workers differ at all is asked of the start, by
the logarithm of the evidence of their counts under mixes of their own, less that under pi::

    G = (1/r) sum_w [ sum_k lnG(n[w,k] + s pi[k]) - lnG(s pi[k]) + lnG(s) - lnG(n[w,.] + s) - sum_k n[w,k] ln pi[k] ]

with r judgments an item, for the label of an item is counted that often. theta, s and pi are frozen with the prior of
the confusions; from there on EM is exact under fixed priors of the items.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.kernels import SMALLEST, mix_loops
from consensus.models import sparse_mixes, starts
from consensus.models.priors import WIDTH, Priors
from consensus.models.sparse_layout import Cells

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.models.problem import Problem

    Reals = NDArray[np.float64]
    Counts = tuple[Reals, NDArray[np.int64], Reals]
    """(P,) counts, their labels, and (S,) the sums of each worker or group."""

SHAPE, RATE = 2.0, 0.02  # Gamma prior of the concentration s
RANGE = (0.5, 1e4)
START = 10.0
STEPS_FIRST, STEPS = 30, 10  # fixed-point steps on the start, and a pass
DIFFER, ALIKE = 10.0, 5.0  # nats of evidence: mixes are used above the first, and given up at the second
SETTLED = 1e-2  # relative change of s in a pass
LOOKED_AGAIN = 6  # the pass at which they may be given up


class LabelMixes:
    """What every worker or group sees, and the priors of the items that follow."""

    def __init__(self, problem: Problem, tables: Any, backend: Backend) -> None:
        """Take the counts of the start from ``tables``."""
        self._problem = problem
        self._table = np.zeros(0)
        self.concentration = START
        """s, in items or judgments."""
        self.settled = False
        """s has settled."""
        self.priors = Priors(np.zeros((0, 0)), problem.prior_row, 0)
        """Of the items, since the first ``learn``."""
        self._z: Callable[[slice], Reals] | None = starts.dense(problem)
        pi = tables.mass / tables.mass.sum()
        self._counts = self._counted(tables, backend)
        self._fit(np.maximum(pi, SMALLEST), STEPS_FIRST)
        per_item = _per_item(problem)
        self._per_item = 1.0 if self._by_group else per_item
        self.gain = self._evidence(np.maximum(pi, SMALLEST))
        """G, in nats."""

    @classmethod
    def of(cls, problem: Problem, tables: Any, backend: Backend) -> LabelMixes | None:
        """Those of the start, or None where all see the same labels, or models say more about the items."""
        if problem.differ is False or problem.votes is not None or problem.prior == "none" or not tables.mass.any():
            return None
        mixes = cls(problem, tables, backend)
        return mixes if problem.differ or mixes.gain > DIFFER else None

    @property
    def _by_group(self) -> bool:
        return self._problem.judgments.group is not None

    def given_up(self, iteration: int) -> bool:
        """What looked like different mixes at the start turned out not to be."""
        return iteration == LOOKED_AGAIN and self._problem.differ is None and self.gain <= ALIKE

    def learn(self, iteration: int, pi: Reals, tables: Any, backend: Backend) -> None:
        """M step of s and theta from the counts in ``tables``, and the priors of the items."""
        pi = np.maximum(pi, SMALLEST)
        if iteration or not self._by_group:  # at first those of the start
            self._counts = self._counted(tables, backend)
        before = self.concentration
        self._fit(pi, STEPS)
        self.settled = abs(self.concentration / before - 1.0) < SETTLED
        if iteration == LOOKED_AGAIN:
            self.gain = self._evidence(pi)
        self.priors = self._mixed(pi, tables, backend)

    def _fit(self, pi: Reals, steps: int) -> None:
        """So many fixed-point steps of s."""
        found = mix_loops.concentration(*self._counts, pi, self.concentration, steps, (SHAPE, RATE), RANGE)
        self.concentration = float(found)

    def _evidence(self, pi: Reals) -> float:
        """G."""
        from scipy.special import gammaln

        (n, label, total), s = self._counts, self.concentration
        base = s * pi
        own = float((gammaln(n + base[label]) - gammaln(base)[label] - n * np.log(pi)[label]).sum())
        return (own + float((gammaln(s) - gammaln(total + s)).sum())) / self._per_item

    def _counted(self, tables: Any, backend: Backend) -> Counts:
        """The counts of every worker or group, from the last E step or the start."""
        layout, judgments, K = self._problem.layout, self._problem.judgments, self._problem.judgments.n_labels
        if judgments.group is None:
            return layout.label_counts(tables)
        if self._z is not None:
            z, self._z = self._z(slice(0, judgments.n_items)), None
        else:
            items = np.arange(judgments.n_items, dtype=np.int32)
            z = self._problem.rows.expectations(self.priors, items, self.priors.row.astype(np.int64), tables, backend)
        known = np.flatnonzero(judgments.group >= 0)
        item, group = judgments.item[known], judgments.group[known]
        units = self._problem.units
        share = (1.0 if units is None else units.item[item]) / judgments.per_item[item]
        n_groups = judgments.n_groups
        M = np.stack([np.bincount(group, weights=z[item, k] * share, minlength=n_groups) for k in range(K)], axis=1)
        return np.asarray(M.ravel()), np.tile(np.arange(K), n_groups), np.asarray(M.sum(axis=1))

    def _mixed(self, pi: Reals, tables: Any, backend: Backend) -> Priors:
        """The prior of every item; gold forbids labels in it."""
        problem, s = self._problem, self.concentration
        layout, judgments, K = problem.layout, problem.judgments, problem.judgments.n_labels
        if isinstance(layout, Cells):
            return Priors(pi[None], problem.prior_row, 1, by_candidate=sparse_mixes.mixed_priors(layout, s, pi, tables))
        n, _, total = self._counts
        theta = np.zeros((len(total) + 1, max(K, WIDTH)))  # as wide as the table
        theta[:-1, :K] = (n.reshape(-1, K) + s * pi) / (total + s)[:, None]
        theta[-1, :K] = pi  # of no group
        owner = judgments.worker if judgments.group is None else judgments.group
        if not len(self._table):
            self._table = np.zeros((1 + judgments.n_items, theta.shape[1]))
            self._row = np.arange(1, 1 + judgments.n_items, dtype=np.int32)
            self._row[(judgments.per_item == 0) & (problem.prior_row == 0)] = 0
        self._table[0, :K] = pi
        problem.rows.mixed_priors(owner, theta, self._table[1:], backend)
        self._theta, self._owner = theta, owner
        golden = np.flatnonzero(problem.prior_row)
        self._table[1 + golden, :K] *= problem.accepted[problem.prior_row[golden] - 1]
        return Priors(self._table, self._row, len(self._table))

    def of_items(self, items: NDArray[np.int32]) -> Reals:
        """(n, K) priors of some items, whatever gold says of them."""
        judgments, layout = self._problem.judgments, self._problem.layout
        pi = self.priors.table[0, : judgments.n_labels]
        found: Reals = np.tile(pi, (len(items), 1))
        if isinstance(layout, Cells):
            assert self.priors.by_candidate is not None
            for n, item in enumerate(items.tolist()):
                mine = slice(layout.candidate_start[item], layout.candidate_start[item + 1])
                found[n, layout.candidate[mine]] = self.priors.by_candidate[mine]
            return found
        own, judgment = judgments.of_items(items)
        judged, theta = judgments.per_item[items] > 0, self._theta[:, : judgments.n_labels]
        found[judged] = 0.0
        np.add.at(found, own, theta[self._owner[judgment]] / judgments.per_item[items][own, None])
        return found

    def of_all(self, backend: Backend) -> Reals:
        """(I, K) those of all items; or (candidates,). What ``priors`` held of gold is overwritten."""
        if self.priors.by_candidate is not None:
            return self.priors.by_candidate
        K = self._problem.judgments.n_labels
        table = self._table[1:]
        table[self._row == 0] = self._table[0]
        self._problem.rows.mixed_priors(self._owner, self._theta, table, backend)
        return table[:, :K]


def _per_item(problem: Problem) -> float:
    """Judgments an item, of those that were judged; in units, where there are any."""
    judged, units = problem.judgments.per_item > 0, problem.units
    n_judged = int(judged.sum()) if units is None else float(units.item[judged].sum())
    return problem.rows.n_opinions / (n_judged or 1)
