"""Workers whom a fit believes no more than gold, or their agreement, does: each errs evenly, as often as is known
beforehand.
"""  # noqa: D205

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.models.problem import Problem


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """Accuracies that do not come from the fit."""

    accuracy: NDArray[np.float64]
    """(W,) of every worker, that EM starts from."""
    held: NDArray[np.bool_]
    """(W,) whose stays what it is: the fit learns nothing of them, and nothing from them about others."""

    def hide(self, problem: Problem, tables: Any) -> None:
        """Take the counts of those who are held out of ``tables``, before the prior is learnt from them."""
        tables.N[self.held[problem.rows.worker]] = 0.0
        tables.n[self.held] = 0.0

    def hold(self, problem: Problem, tables: Any) -> None:
        """Let their judgments count by their accuracy in the next E step."""
        rows = np.flatnonzero(self.held[problem.rows.worker])
        C = problem.rows.one_coin(self.accuracy)[rows]
        tables.C[rows, : problem.layout.n_labels] = C if problem.states is None else problem.states.over(C)
