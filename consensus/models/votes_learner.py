"""When EM learns about models: in the first passes, then now and then, and before it may be said to have converged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.models.priors import Priors, VotedPriors
from consensus.models.rows import Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.models.expectation_maximisation import Problem
    from consensus.models.votes_prior import VotesPrior
    from consensus.votes import Weights

EVERY_PASS_UNTIL = 4
THEN_EVERY = 8  # a step costs as much as two or three passes, and the weights move little


class VotesLearner:
    """The weights of models while EM runs."""

    def __init__(self, problem: Problem, votes: VotesPrior) -> None:
        self.weights: Weights = votes.start
        self.learnt = False
        """The weights were learnt before the current pass."""
        self.wanted = False
        """Learn before the next pass, whichever it is."""
        self._votes = votes
        self._priors = VotedPriors(problem, votes)
        self._last: Priors | None = None
        self._passes = 0

    def learn(self, problem: Problem, tables: Any, backend: Backend) -> None:
        """Improve the weights under the posterior of the pass before; C must still be what that one used."""
        n = self._passes
        self._passes += 1
        self.learnt = self._last is not None and (self.wanted or n <= EVERY_PASS_UNTIL or n % THEN_EVERY == 0)
        if not self.learnt:
            return
        self.wanted = False
        if n == 1:
            shares = tables.mass + tables.own_mass + 1.0
            self.weights = replace(self.weights, log_shares=np.log(shares / shares.sum()))
        assert isinstance(problem.rows, Rows)
        assert self._last is not None
        z = problem.rows.expectations(self._last, self._votes.item, self._priors.rows, tables, backend)
        self.weights = self._votes.improved(self.weights, z, backend)

    def priors(self, pi: NDArray[np.float64], backend: Backend) -> Priors:
        """The priors of the next pass."""
        self._last = self._priors.made(pi, self.weights, backend)
        return self._last

    def log_density(self) -> float:
        """Log prior density of the weights, in nats."""
        return self._votes.log_density(self.weights)
