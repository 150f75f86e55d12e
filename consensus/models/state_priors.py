"""The priors of states finer than labels: what was found over labels, times psi, the share of a state in its label.

Where EM runs over states beside a fit over labels, what holds the class prior (``class_prior``) and the priors of items
(``label_mixes``) are those of that fit; only the shares within labels are learnt::

    prior[i,s] = prior[i,k(s)] psi[s],    psi[s] = (sum_i z[i,s] + 1) / (sum_i z[i,k(s)] + Q)

The mean log loss of eight public sets is that of class priors of their own to the fourth digit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.models.class_prior import log_density
from consensus.models.priors import Priors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.models.label_mixes import LabelMixes
    from consensus.models.problem import Problem
    from consensus.models.states import States

    Reals = NDArray[np.float64]


def of(problem: Problem) -> tuple[StatePrior, StateMixes | None]:
    """The class prior over the states of a problem, and the priors of its items where these have their own."""
    assert problem.states is not None
    assert problem.of_labels is not None
    mixes = problem.of_labels.mixes
    return (
        StatePrior(problem.states, problem.of_labels.pseudo_items, problem.prior != "none"),
        None if mixes is None else StateMixes(problem.states, mixes),
    )


class StatePrior:
    """pi psi, and what holds them; nothing is learnt about that."""

    settled = True
    untold = 0.0

    def __init__(self, states: States, pseudo_items: Reals | float, holds: bool) -> None:
        self._states = states
        self._holds = holds
        self.pseudo_items = pseudo_items
        """(K,) as of ``ClassPrior``."""

    def look(self, iteration: int, tables: Any, backend: Backend) -> None:
        """Nothing to look at."""

    def shares(self, mass: Reals) -> Reals:
        """M1: (S,) from the summed posterior of the states."""
        total = self._states.by_label(mass) + self.pseudo_items
        if not total.any():
            total = total + 1.0
        return self._states.prior(total / total.sum(), mass, 1.0 if self._holds else 0.0)

    def log_density(self, prior: Reals) -> float:
        """Log Dirichlet(pi; 1 + pseudo-items) and that of psi, in nats; 0 without any prior."""
        if not self._holds:
            return 0.0
        return log_density(self._states.by_label(prior), self.pseudo_items) + self._states.log_density(prior)


class StateMixes:
    """The priors of the items over states, where these have their own over labels."""

    settled = True
    gain = 0.0

    def __init__(self, states: States, of_labels: LabelMixes) -> None:
        self._states = states
        self._of_labels = of_labels
        of = of_labels.priors
        self._table = np.empty((len(of.table), states.n))
        self._psi = np.empty((states.n_labels, states.per_label))
        self.priors = Priors(self._table, of.row, len(of.table))
        """Of the items, since the first ``learn``."""

    def given_up(self, iteration: int) -> bool:
        """Never: that was decided over labels."""
        del iteration
        return False

    def learn(self, iteration: int, prior: Reals, tables: Any, backend: Backend) -> None:
        """Take psi from the class ``prior`` (S,) over states, and make the priors of the items."""
        del iteration, tables, backend
        K, Q = self._states.n_labels, self._states.per_label
        self._psi = prior.reshape(K, Q) / self._states.by_label(prior)[:, None]
        of = self._of_labels.priors.table[:, :K]
        np.multiply(of[:, :, None], self._psi, out=self._table.reshape(-1, K, Q))

    def of_items(self, items: NDArray[np.int32]) -> Reals:
        """(n, S) priors of some items, whatever gold says of them."""
        found: Reals = self._of_labels.of_items(items)[:, :, None] * self._psi
        return found.reshape(len(items), self._states.n)
