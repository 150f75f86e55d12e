"""The stages that a fit of one reading and a fit of several have in common: candidates, and confidence beside gold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.found import gold_reach
from consensus.found.tempering import Tempering
from consensus.models import held_out_rho, label_units, starts, units
from consensus.models.expectation_maximisation import climb
from consensus.models.unfounded import unfounded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.config import FitConfig
    from consensus.found.gold_reach import Reach
    from consensus.found.units import Units
    from consensus.inputs.gold import AlignedGold
    from consensus.inputs.model_votes import AlignedVotes
    from consensus.models.base import Execution
    from consensus.models.expectation_maximisation import Estimate
    from consensus.models.problem import Problem

    Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """A fit from every start: the majority, and with gold also the workers' accuracy on it.

    Where there are loners: from the workers' agreement beyond chance alone.
    """

    problem: Problem
    """With ``differ`` as the first of them found it."""
    by_start: dict[str, Estimate]

    @classmethod
    def of(cls, problem: Problem, run: Execution) -> Candidates:
        """Fit all of them to a ``problem``; only that from gold where it has a ``guide``."""
        if problem.guide is not None or problem.loners is not None:
            start = "agreement" if problem.guide is None else "gold"
            only = climb(problem, starts.gold(problem, run.backend), run, f"fitting from {start}")
            return cls(replace(problem, differ=only.mixes is not None), {start: only})
        found = {"majority": climb(problem, None, run, "fitting")}
        problem = replace(problem, differ=found["majority"].mixes is not None)
        if len(problem.accepted):
            found["gold"] = climb(problem, starts.gold(problem, run.backend), run, "fitting from gold")
        return cls(problem, found)

    @property
    def objectives(self) -> dict[str, float]:
        """The final objective of each, in nats."""
        return {start: estimate.objective for start, estimate in self.by_start.items()}

    @property
    def start(self) -> str:
        """The start of the best of them."""
        return max(self.by_start, key=self.objectives.__getitem__)

    @property
    def best(self) -> Estimate:
        """The one with the highest objective."""
        return self.by_start[self.start]


def fitted(problem: Problem, settings: FitConfig, run: Execution) -> Candidates:
    """The candidates; with clusters, by as many effective items of each as the judgments tell (``units``)."""
    return Candidates.of(by_clusters(problem, settings, run), run)


def by_clusters(problem: Problem, settings: FitConfig, run: Execution) -> Problem:
    """The problem with units by what short fits tell of how the items of a cluster err together."""
    if problem.judgments.cluster is None:
        return problem
    some = units.told_by(problem.judgments) if problem.weighs_all_labels else None
    return problem.counted(_told(problem, problem if some is None else _part(problem, some), settings, run))


def _part(problem: Problem, keep: NDArray[np.bool_]) -> Problem:
    """The same with those of the judgments where ``keep`` (J,)."""
    kept = problem.judgments.subset(keep)
    rows = problem.rows.restricted(kept, keep)
    return replace(problem, judgments=kept, rows=rows, layout=rows)


def _told(problem: Problem, part: Problem, settings: FitConfig, run: Execution) -> Units:
    """The units of the ``problem``, by short fits of a ``part`` of it, or of all."""
    judgments = part.judgments
    rho = settings.rho if isinstance(settings.rho, float) else held_out_rho.USUAL_RHO
    power = Tempering(rho).power(judgments.per_item, slice(None))
    short = replace(part, max_iterations=min(part.max_iterations, units.FIRST_PASSES))
    found = Candidates.of(short, run)
    short, estimate = found.problem, found.best
    beliefs = estimate.beliefs(short, run.backend, power)
    told = units.estimated(judgments, beliefs, run.backend, short.units)
    if told.told:
        counted = short.counted(label_units.of(judgments, told, beliefs, run.backend))
        del beliefs  # as large as the start
        passes = min(part.max_iterations, units.THEN_PASSES)
        warm = replace(counted, pseudo_counts=estimate.A, max_iterations=passes)
        estimate = climb(warm, estimate.start(short, run.backend), run, "fitting by clusters")
        beliefs = estimate.beliefs(warm, run.backend, power)
        told = units.estimated(judgments, beliefs, run.backend, told)
    if part is not problem:
        judgments = problem.judgments
        power = Tempering(rho).power(judgments.per_item, slice(None))
        beliefs = estimate.beliefs(problem, run.backend, power)
        n_eff = told.n_eff or units.USUAL
        of_every = units.of(judgments, run.backend, n_eff, told=told.told, before=problem.units)
        assert of_every is not None
        told = of_every
    return replace(label_units.of(judgments, told, beliefs, run.backend), judged=None)


@dataclass(frozen=True, slots=True, eq=False)
class Confidence:
    """How posteriors are tempered, and what gold says to that."""

    tempering: Tempering
    reach: Reach | None
    """What gold speaks for; None without gold."""
    gold_posterior: Reals | None
    """(G, K) tempered posterior of the gold items as if their gold were unknown; None without gold."""


def confidence(
    problem: Problem,
    votes: AlignedVotes | None,
    gold: AlignedGold | None,
    without: Reals | None,
    settings: FitConfig,
    run: Execution,
    weight: Reals | None = None,
) -> Confidence:
    """How the posteriors of all items are tempered.

    ``without`` (G, K) holds the logarithms of the posteriors of the gold items without their gold; or (M, G, K) those
    of several readings, which are averaged by ``weight`` (M,).
    """
    judgments = problem.judgments
    reach = None if gold is None else gold_reach.of(judgments, gold, votes, judgments.group_of_item)
    tempered = held_out_rho.chosen(problem, settings, run, of_average=weight is not None)
    tempered = replace(tempered, unfounded=unfounded(judgments, votes, gold))
    if gold is None or without is None:
        return Confidence(tempered, None, None)
    n = judgments.per_item[gold.items]
    if weight is None:
        return Confidence(tempered, reach, tempered.tempered(without, n, gold.items))
    parts = [w * tempered.tempered(logs, n, gold.items) for w, logs in zip(weight.tolist(), without, strict=True)]
    return Confidence(tempered, reach, np.asarray(np.sum(parts, axis=0), np.float64))
