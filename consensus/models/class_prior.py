"""The class prior pi, M1 of the EM loop: from the posteriors, and from the votes as far as judgments say little.

Where an item has two or three judgments, the posterior leans on pi, and pi on the posteriors: what was a little more
frequent soon takes all. There the shares of majority labels hold pi, by as much as the judgments alone leave open::

    pi[k] = (sum_i z[i,k] + 1 + s U V[k]) / (sum of these over k),    s = .5
    U     = 1 - (mean_i max_k u[i,k] - 1/K) / (1 - 1/K),    u[i,k] proportional to prod_j C[w_j, k, l_j]

V[k] is the number of items whose majority label is k, ties shared; U is 0 where judgments decide every item and 1 where
they say nothing (.00 to .05 on public sets with many judgments an item, .2 to .6 at two an item). U follows the fit
until the prior of the confusions is frozen. From there on this is the M step under a Dirichlet(pi; 2 + s U V) prior.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.models import starts

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.models.problem import Problem

VOTES = 0.5  # s: what the majority label of an item that judgments leave open counts for
UNTOLD = 0.5  # U to begin with
EVERY = 3  # passes from one estimate of U to the next
MOST_ITEMS = 100_000  # that U is estimated on
SETTLED = 0.01  # U has settled when it changes by less


class ClassPrior:
    """pi, and what holds it."""

    def __init__(self, problem: Problem, tables: Any, backend: Backend) -> None:
        """Count the majority labels, into ``tables`` too: the start that EM usually has."""
        problem.layout.count(starts.usual(problem), problem.prior_row, tables, backend)
        self._learns = problem.prior != "none"
        self._votes = tables.mass.copy()
        self._untold = UNTOLD if problem.before is None else problem.before.untold
        self._problem = problem
        self._asked: NDArray[np.int32] | None = None
        self.settled = not self._learns or problem.judgments.n_labels == 1 or not self._votes.any()
        self.settled |= problem.before is not None
        """U has settled, or there is nothing to settle."""

    def hold(self, votes: NDArray[np.float64]) -> None:
        """Let pi be held by ``votes`` (K,), those of the items that have the class prior."""
        self._votes = votes

    @property
    def untold(self) -> float:
        """U."""
        return self._untold

    @property
    def pseudo_items(self) -> NDArray[np.float64]:
        """(K,) items that each label is credited with: 1, and its votes as far as they count; 0 without any prior."""
        if not self._learns:
            return np.zeros_like(self._votes)
        found: NDArray[np.float64] = 1.0 + VOTES * self._untold * self._votes
        return found

    def shares(self, mass: NDArray[np.float64]) -> NDArray[np.float64]:
        """M1: pi (K,) from the summed posterior; without any prior and any item, even."""
        total = mass + self.pseudo_items
        if not total.any():
            total = total + 1.0
        found: NDArray[np.float64] = total / total.sum()
        return found

    def look(self, iteration: int, tables: Any, backend: Backend) -> None:
        """Estimate U anew from the confusions of the last pass, where it is time to."""
        if self.settled or iteration == 0 or iteration % EVERY:
            return
        items = self._items
        untold = self._problem.layout.untold(items, tables, backend) if len(items) else self._untold
        self.settled = abs(untold - self._untold) < SETTLED
        self._untold = untold

    @property
    def _items(self) -> NDArray[np.int32]:
        """Items without gold that people judged: all, or every so-manieth."""
        if self._asked is None:
            problem = self._problem
            judged = np.flatnonzero((problem.judgments.per_item > 0) & (problem.prior_row == 0))
            self._asked = judged[:: -(-len(judged) // MOST_ITEMS) or 1].astype(np.int32)
        return self._asked

    def log_density(self, pi: NDArray[np.float64]) -> float:
        """Log Dirichlet(pi; 1 + pseudo-items), in nats; 0 without any prior."""
        return log_density(pi, self.pseudo_items) if self._learns else 0.0


def log_density(pi: NDArray[np.float64], pseudo_items: NDArray[np.float64] | float) -> float:
    """Log Dirichlet(pi; 1 + pseudo-items), in nats."""
    from scipy.special import gammaln

    pseudo = np.broadcast_to(pseudo_items, pi.shape)
    normaliser = gammaln((pseudo + 1.0).sum()) - gammaln(pseudo + 1.0).sum()
    return float((pseudo * np.log(pi)).sum() + normaliser)
