"""Parameters that are carried from one fit to the next, so that EM begins where it ended.

Every climb of a fit has a name (its stage, and which time of several); the climb of that name in the next fit begins
with the posterior that the parameters of the last one imply. Rows (worker, label given) that are new get what the
prior says of them. Nothing else of a fit is carried: what it converges to is, but for its tolerance, what it would
have come to from another start near by.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.inputs.vocabulary import positions
from consensus.kernels import SMALLEST

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.models.expectation_maximisation import Estimate
    from consensus.models.problem import Problem

    Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Parameters:
    """What a climb found."""

    worker_ids: pa.StringArray
    labels: tuple[str, ...]
    worker: NDArray[np.int32]
    """(R,) worker of each row."""
    label: NDArray[np.int32]
    """(R,) label given."""
    C: Reals
    """(R, S) P(label given | state)."""
    totals: Reals
    """(W, S) expected judgments of each worker by state."""
    A: Reals
    """(S, K) pseudo-counts."""
    pi: Reals
    """(K,) class prior, or (S,) that of the states."""
    differ: bool
    """Workers, or groups, saw different labels."""

    @classmethod
    def of(cls, problem: Problem, found: Estimate) -> Parameters:
        """Those of an estimate."""
        judgments, rows = problem.judgments, problem.rows
        return cls(
            judgments.worker_ids,
            judgments.labels,
            rows.worker,
            rows.label,
            found.C,
            found.totals,
            found.A,
            found.pi,
            found.mixes is not None,
        )

    def fits(self, problem: Problem) -> bool:
        """Whether they are about the same labels and states."""
        return (
            problem.weighs_all_states
            and problem.judgments.labels == self.labels
            and problem.layout.n_labels == self.C.shape[1]
            and (problem.prior == "none") == (not self.A.any())
        )

    def on(self, problem: Problem) -> Reals:
        """(R', S) C by the rows of another problem."""
        K = len(self.labels)
        rows = problem.rows
        known = positions(problem.judgments.worker_ids, self.worker_ids)[rows.worker]
        pair = known * K + rows.label
        pairs = self.worker * np.int64(K) + self.label
        at = np.minimum(np.searchsorted(pairs, pair), max(len(pairs) - 1, 0))
        here = (known >= 0) & (pairs[at] == pair) if len(pairs) else np.zeros(len(pair), np.bool_)
        counts = np.where((known >= 0)[:, None], self.totals[np.maximum(known, 0)], 0.0)
        prior = self.A.T[rows.label] if self.A.any() else np.full((len(pair), self.C.shape[1]), 1.0)
        whole = self.A.sum(axis=1) if self.A.any() else np.full(self.C.shape[1], float(K))
        expected = prior / (counts + whole)
        return np.ascontiguousarray(np.maximum(np.where(here[:, None], self.C[at], expected), SMALLEST))


@dataclass(eq=False)
class Carried:
    """What a fit begins with, and what the next one will begin with."""

    begin: dict[str, Parameters] = field(default_factory=dict)
    """By the name of the climb."""
    found: dict[str, Parameters] = field(default_factory=dict)
    _n: Counter[str] = field(default_factory=Counter)

    def named(self, stage: str) -> str:
        """The name of the climb of a ``stage`` that begins now."""
        self._n[stage] += 1
        return f"{stage} {self._n[stage]}"

    def begun(self, name: str, problem: Problem, backend: Backend) -> tuple[Problem, Reals] | None:
        """The problem, and the posterior to begin with; None where nothing fitting was carried."""
        last = self.begin.get(name)
        if last is None or not last.fits(problem):
            return None
        differ = False if problem.differ is None and not last.differ else problem.differ
        problem = replace(
            problem, differ=differ, pseudo_counts=last.A if problem.prior == "learnt" else problem.pseudo_counts
        )
        return problem, problem.layout.start_of(last.on(problem), problem.priors(last.pi, None, backend), backend)

    def keep(self, name: str, problem: Problem, found: Estimate) -> None:
        """Keep what a climb found, where all labels were weighed."""
        if problem.weighs_all_states:
            self.found[name] = Parameters.of(problem, found)
