"""When EM learns about models: in the first passes, then now and then, and before it may be said to have converged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.models.priors import Priors, VotedPriors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.inputs.model_votes import Weights
    from consensus.models.problem import Problem
    from consensus.models.votes_prior import VotesPrior

FIRST_PASS = 2
THEN_EVERY = 8  # a step costs as much as two or three passes, and the weights move little
LEARNT_WHEN = 1e-2  # largest change of a weight: then those learnt from a sample are kept; they are no surer than that
LAST_OF_SAMPLE = 16  # pass after which they are kept in any case


class VotesLearner:
    """The weights of models while EM runs.

    Where there are very many items, gamma and beta are learnt from a sample of them, and then kept: only from there on
    do the passes climb one objective.
    """

    def __init__(self, problem: Problem, votes: VotesPrior, mass: NDArray[np.float64]) -> None:
        """Begin with the shares of the labels by ``mass`` (K,), as people judged."""
        shares = (mass + 1.0) / (mass + 1.0).sum()
        self.weights: Weights = replace(votes.start, log_shares=np.log(shares))
        self.wanted = False
        """Learn before the next pass, whichever it is."""
        self.unsteady = False
        """The weights were learnt from a sample before the current pass: the objective may fall."""
        self._learnt = False
        self._votes = votes
        self._priors = VotedPriors(problem, votes)
        self._last: Priors | None = None
        self._passes = 0
        self._weighing = len(votes.soft_model) > 0

    @property
    def settled(self) -> bool:
        """Nothing was left to learn before the current pass, or it was learnt."""
        return self._learnt or not (self._weighing or len(self._votes.hard_model))

    def learn(self, problem: Problem, tables: Any, backend: Backend) -> None:
        """Improve the weights under the posterior of the pass before; C must still be what that one used."""
        n, last, votes = self._passes, self._last, self._votes
        self._passes += 1
        self._learnt = last is not None and (self.wanted or n == FIRST_PASS or n % THEN_EVERY == 0)
        self.unsteady = False
        if not self._learnt or last is None:
            return
        self.wanted = False
        before, rows = self.weights, problem.rows
        if self._weighing:
            chosen = votes.sample.rows
            z = rows.expectations(last, votes.item[chosen], self._priors.rows.start + chosen, tables, backend)
            self.weights = votes.improved_weight(before, z, backend)
            if votes.sample.scale > 1.0:
                self.unsteady = True
                moved = np.abs(self.weights.weight - before.weight).max()
                self._weighing = bool(moved >= LEARNT_WHEN) and n < LAST_OF_SAMPLE
        if len(votes.hard_model):
            every = np.arange(self._priors.rows.start, self._priors.rows.stop)
            z = rows.expectations(last, votes.item, every, tables, backend)
            improved = votes.improved_families(before, z, backend)
            self.weights = replace(self.weights, Cm=improved.Cm, CF=improved.CF)

    def priors(self, pi: NDArray[np.float64], backend: Backend) -> Priors:
        """The priors of the next pass."""
        self._last = self._priors.made(pi, self.weights, backend)
        return self._last

    def log_density(self) -> float:
        """Log prior density of the weights, in nats."""
        return self._votes.log_density(self.weights)
