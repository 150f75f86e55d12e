"""The prior of every item's label: that of its class, restricted by gold, or its own from the votes of models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import SMALLEST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.inputs.model_votes import Weights
    from consensus.models.problem import Problem
    from consensus.models.votes_prior import VotesPrior

TINY = 1e-100  # that of a gold label which models rule out
WIDTH = 4  # of the table at least: as wide as the loop over four labels wants it


@dataclass(frozen=True, slots=True, eq=False)
class Priors:
    """A table of priors, and which row holds for each item."""

    table: NDArray[np.float64]
    """(P, K), or wider with zeros. Row 0 is the class prior; gold has 0 for labels that are not accepted."""
    row: NDArray[np.int32]
    """(I,) row of each item."""
    own_from: int
    """From this row on, a prior is the item's own: what is learnt from the item says nothing about the class prior."""
    log_scale: float = 0.0
    """Sum of the logarithms of what rows were divided by, in nats: a part of the log evidence."""
    by_candidate: NDArray[np.float64] | None = None
    """(candidates,) where very many labels are laid out by candidate and items have priors of their own."""


def of_class(pi: NDArray[np.float64], accepted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(1+G, K) pi, and for each gold item pi with 0 for the labels that are not ``accepted`` (G, K)."""
    kept = np.maximum(pi, SMALLEST)
    return np.vstack([kept[None], np.where(accepted, kept, 0.0)])


class VotedPriors:
    """The priors where models voted, in one table that is written over: only what has changed is made again."""

    def __init__(self, problem: Problem, votes: VotesPrior) -> None:
        self._problem, self._votes = problem, votes
        n_shared = 1 + len(problem.accepted)
        self.rows = slice(n_shared, n_shared + len(votes.item))
        self._table = np.zeros((self.rows.stop, max(votes.n_labels, WIDTH)))
        self._row = problem.prior_row.copy()
        self._row[votes.item] = np.arange(self.rows.start, self.rows.stop, dtype=np.int32)
        self._gold = np.flatnonzero(problem.prior_row[votes.item])
        self._accepted = problem.accepted[problem.prior_row[votes.item[self._gold]] - 1]
        self._made_with: Weights | None = None
        self._soft_scale = 0.0

    def made(self, pi: NDArray[np.float64], weights: Weights, backend: Backend) -> Priors:
        """The priors of all items; what was returned before is no longer right."""
        votes, K = self._votes, self._votes.n_labels
        shared, first_soft, n_rows = self.rows.start, self._votes.first_soft, len(votes.item)
        kept = np.maximum(pi, SMALLEST)
        self._table[:shared, :K] = of_class(pi, self._problem.accepted)
        hard = self._table[shared : shared + first_soft]
        log_scale = votes.priors(weights, kept, slice(0, first_soft), backend, hard)
        if self._made_with is not weights:
            soft = self._table[shared + first_soft :]
            self._soft_scale = votes.priors(weights, kept, slice(first_soft, n_rows), backend, soft)
            self._made_with = weights
        own = self._table[self.rows, :K]
        own[self._gold] = np.where(self._accepted, np.maximum(own[self._gold], TINY), 0.0)
        return Priors(self._table, self._row, shared + first_soft, log_scale + self._soft_scale)
