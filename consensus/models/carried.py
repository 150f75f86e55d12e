"""Parameters that are carried from one fit to the next, so that EM begins where it ended.

Every climb of a fit over labels has a name (its stage, and which time of several); the climb of that name in the next
fit begins with the posterior that the parameters of the last one imply. Rows (worker, label given) that are new get
what the prior says of them.

The prior A that workers share is frozen on its way, after ``pooled_prior.MOST_PASSES`` passes. So that a later fit
comes to where one from nothing would, and not farther on that way, the way is taken out: with D the factor by which
one more step would have multiplied A when it was frozen, a step of the later fit is that of ``pooled_prior.improved``
over D. On the same judgments A then stays as it was. U of the class prior is carried as it is. In simulated crowds of
5,000 to 60,000 judgments, 5 % of them new, posteriors of items without new judgments differ by .005 at most from a fit
from nothing, without D by .06 (``tests/benchmarks/state.py``).

Where more is learnt than these (who sees which labels, silences, loners, how far to believe models, finer states),
or a climb stops early since its tolerance is loose (judgments held out), nothing is carried.
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
    from consensus.config import Prior
    from consensus.models.expectation_maximisation import Estimate
    from consensus.models.problem import Problem

    Reals = NDArray[np.float64]


STAGES = ("fitting", "fitting from gold")
"""The stages whose climbs carry something on."""


@dataclass(frozen=True, slots=True, eq=False)
class Parameters:
    """What a climb found."""

    worker_ids: pa.StringArray
    labels: tuple[str, ...]
    prior: Prior
    """What is assumed of a worker."""
    worker: NDArray[np.int32]
    """(R,) worker of each row."""
    label: NDArray[np.int32]
    """(R,) label given."""
    C: Reals
    """(R, K) P(label given | true label)."""
    totals: Reals
    """(W, K) expected judgments of each worker by true label."""
    A: Reals
    """(K, K) pseudo-counts."""
    pi: Reals
    """(K,) class prior."""
    untold: float
    """U of the class prior."""
    drift: Reals | float
    """(K, K) by which one more step would have multiplied A, in the last fit from nothing."""

    @classmethod
    def of(cls, problem: Problem, found: Estimate) -> Parameters:
        """Those of an estimate."""
        judgments, rows = problem.judgments, problem.rows
        return cls(
            judgments.worker_ids,
            judgments.labels,
            problem.prior,
            rows.worker,
            rows.label,
            found.C,
            found.totals,
            found.A,
            found.pi,
            found.untold,
            found.drift if problem.before is None else problem.before.drift,
        )

    def fits(self, problem: Problem) -> bool:
        """Whether they are about the same labels, and the problem learns no more than they tell."""
        return _is_plain(problem) and problem.judgments.labels == self.labels and problem.prior == self.prior

    def on(self, problem: Problem) -> Reals:
        """(R', K) C by the rows of another problem."""
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


def _is_plain(problem: Problem) -> bool:
    """Whether all labels are weighed, and nothing is learnt that is not carried: of models, silences, loners."""
    others = (problem.votes, problem.one_label, problem.loners)
    return problem.weighs_all_labels and all(one is None for one in others)


@dataclass(eq=False)
class Carried:
    """What a fit begins with, and what the next one will begin with."""

    begin: dict[str, Parameters] = field(default_factory=dict)
    """By the name of the climb."""
    found: dict[str, Parameters] = field(default_factory=dict)
    _n: Counter[str] = field(default_factory=Counter)

    def named(self, stage: str) -> str | None:
        """The name of the climb of a ``stage`` that begins now; None where nothing is carried for it."""
        if stage not in STAGES:
            return None
        self._n[stage] += 1
        return f"{stage} {self._n[stage]}"

    def begun(self, name: str, problem: Problem, backend: Backend) -> tuple[Problem, Reals] | None:
        """The problem, and the posterior to begin with; None where nothing fitting was carried."""
        last = self.begin.get(name)
        if last is None or not last.fits(problem):
            return None
        problem = replace(problem, differ=False, pseudo_counts=last.A, before=last)
        return problem, problem.layout.start_of(last.on(problem), problem.priors(last.pi, None, backend), backend)

    def keep(self, name: str, problem: Problem, found: Estimate) -> None:
        """Keep what a climb found, where nothing but the usual was learnt."""
        if _is_plain(problem) and found.mixes is None:
            self.found[name] = Parameters.of(problem, found)
