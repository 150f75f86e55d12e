"""Confidence: tempering by a design effect.

Judgments on one item are correlated, so n of them are worth fewer. Reported is z[i, k] ** tau_i, normalised, with
tau_i = 1 / (1 + rho (n_i - 1)): the design effect of survey sampling (Kish 1965, section 5.4). It never changes the
label, and never enters the EM loop. Where there is enough gold, the result is calibrated on that
(``consensus.models.calibrating``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.found.tempering import Tempering
from consensus.kernels import SMALLEST, held_out_loops
from consensus.models.expectation_maximisation import climb
from consensus.models.newcomers_as_one import AsOne, of_one
from consensus.models.splits import Splits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.config import FitConfig
    from consensus.inputs.judgments import Judgments
    from consensus.models.base import Execution
    from consensus.models.problem import Problem

USUAL_RHO = 0.4  # 17 public sets: log loss .455, ECE 6.7 %; measured on each .476, 6.8 %
LEAST_RHO = 0.2
AVERAGE_RHO = 0.3  # of an average of readings, which is less sure where they disagree ...
FEW, ENOUGH = 3.0, 4.0  # ... from ENOUGH judgments an item on; up to FEW it is the usual one
LEAST_TOLD = 0.5  # share of the items with three judgments or more from which rho can be measured
N_SPLITS = 5  # where rho is measured because somebody asked for it
SPLITS_BESIDE_VOTES = 2
BEFORE, BEFORE_SD = 0.25, 0.25  # what is believed of rho beside model votes, before it is measured
MOST_BESIDE_VOTES = 1_000_000  # judgments up to which it is measured beside model votes, unasked
GRID = np.array([0, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 1.3])
HELD_OUT_TOLERANCE = 1e-5  # nats per judgment; rho moves in steps of the grid


def chosen(problem: Problem, settings: FitConfig, run: Execution, *, of_average: bool = False) -> Tempering:
    """How confidences are tempered: as the settings say, else by a rho that is the same for all data.

    Judgments alone do not show the errors that their crowd shares, and what is measured on few of them jumps from split
    to split (.2 to .5 on 400 items of four judgments). Models that voted look from outside, and then it is measured.
    Of several readings that are averaged the usual rho is another one. Gold has no say in it.
    """
    if isinstance(settings.rho, float):
        return Tempering(settings.rho)
    if settings.rho == "measured":
        return measured_rho(problem, N_SPLITS, run)
    if of_average:
        return Tempering(usual_of_average(problem.judgments))
    if problem.has_outside_view and not problem.small and problem.judgments.n_judgments <= MOST_BESIDE_VOTES:
        return _doubted(measured_rho(problem, SPLITS_BESIDE_VOTES, run), problem.doubt)
    return Tempering(USUAL_RHO)


def _doubted(measured: Tempering, doubt: float) -> Tempering:
    """As far as what looks from outside may repeat people, also the judgments held out, the usual rho instead."""
    if doubt >= 1.0:
        return Tempering(USUAL_RHO)
    return replace(measured, rho=measured.rho + doubt * (USUAL_RHO - measured.rho))


def usual_of_average(judgments: Judgments) -> float:
    """The usual rho of an average of readings: smaller than that of one, unless judgments are few.

    On eight public sets cut to two and three judgments an item, log loss is .712 and .614 with .4, .725 and .632 with
    .3. Simulated crowds that err alone are better off with .3, by .02 nats at most in the mean, and those whose items
    are very hard for all with .4, by .01. Between three and four it moves evenly: one judgment more is not to change
    what is accepted all at once.
    """
    mean = judgments.n_judgments / max(int(np.count_nonzero(judgments.per_item)), 1)
    return float(np.interp(mean, (FEW, ENOUGH), (USUAL_RHO, AVERAGE_RHO)))


def measured_rho(problem: Problem, n_splits: int, run: Execution) -> Tempering:
    """Measure rho on held-out judgments: the mean over the splits, and its range.

    In each split a fifth of the judgments is held out (at least one stays with every item; of a cluster, all that a
    worker judged there), and the rest refitted. Each is scored by its units. Of a
    split, rho is the largest on the grid within one paired standard error of the best log score of what was held out,
    at least .2. Beside model votes that caution is not needed, which is for crowds that nothing but the crowd could
    contradict: it is the mean under what all splits together tell and N(.25, .25^2), as public crowds want .2 to .4.
    The best itself jumps from 0 to 1.3 where few judgments tell.

    Where most items would keep one judgment, no rho is right or wrong, and it is the usual one; so it is beside so many
    labels that there is no room to weigh all of them.
    """
    judgments, from_outside = problem.judgments, problem.has_outside_view
    if not problem.weighs_all_labels:
        return Tempering(USUAL_RHO)
    told = np.average(judgments.per_item >= 3, weights=None if problem.units is None else problem.units.item)
    if told < LEAST_TOLD and not from_outside:
        return Tempering(USUAL_RHO)
    splits = Splits(judgments)
    scores = [_split_scores(problem, splits.held_out(s), run, f"held-out fit {s + 1}") for s in range(n_splits)]
    if from_outside:
        scores = [Scores.together(scores)]
    found = [_read_off(one, from_outside) for one in scores if len(one.score)] or [USUAL_RHO]
    return Tempering(float(np.mean(found)), rho_range=(min(found), max(found)))


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """How well judgments that were held out are predicted."""

    score: NDArray[np.float64]
    """(H, G) log score of each, for every rho of the grid."""
    unit: NDArray[np.float64] | None = None
    """(H,) what each counts for; None: each as one."""
    cluster: NDArray[np.int32] | None = None
    """(H,) the cluster of its item, -1 without; None where there are none."""

    @classmethod
    def together(cls, parts: list[Scores]) -> Scores:
        """Those of several splits."""
        unit = [one.unit for one in parts if one.unit is not None]
        return cls(np.vstack([one.score for one in parts]), np.concatenate(unit) if unit else None)

    @property
    def total(self) -> NDArray[np.float64]:
        """(G,) their sum, in units."""
        return np.asarray(
            self.score.sum(axis=0) if self.unit is None else (self.unit[:, None] * self.score).sum(axis=0), np.float64
        )

    @property
    def mean(self) -> NDArray[np.float64]:
        """(G,) their mean, in units."""
        return np.asarray(self.score.mean(axis=0) if self.unit is None else self.total / self.unit.sum(), np.float64)

    def standard_error(self) -> NDArray[np.float64]:
        """(G,) of the mean: clusters are independent of each other, and units without a cluster."""
        if self.unit is None:
            return np.asarray(self.score.std(axis=0) / np.sqrt(len(self.score)), np.float64)
        apart = self.score - self.mean
        alone = np.ones(len(apart), np.bool_) if self.cluster is None else self.cluster < 0
        squares = self.unit[alone] @ apart[alone] ** 2
        if self.cluster is not None:
            of_clusters = np.zeros((int(self.cluster.max(initial=-1)) + 1, apart.shape[1]))
            np.add.at(of_clusters, self.cluster[~alone], self.unit[~alone, None] * apart[~alone])
            squares = squares + (of_clusters**2).sum(axis=0)
        return np.asarray(np.sqrt(squares) / self.unit.sum(), np.float64)


def _read_off(found: Scores, from_outside: bool) -> float:
    """Rho by the scores of one split, or with a view from outside of all of them."""
    means = found.mean
    best = int(means.argmax())
    if from_outside:
        if means[best] - means.min() < 1e-12:  # where one judgment of an item was left, rho changes nothing
            return USUAL_RHO
        log_weight = found.total - 0.5 * ((GRID - BEFORE) / BEFORE_SD) ** 2
        return float(np.average(GRID, weights=np.exp(log_weight - log_weight.max()) * np.gradient(GRID)))
    loss = replace(found, score=found.score[:, [best]] - found.score)
    as_good = np.flatnonzero(loss.mean <= loss.standard_error())
    return max(float(GRID[as_good[-1]]), LEAST_RHO)


def _split_scores(problem: Problem, held: NDArray[np.bool_], run: Execution, stage: str) -> Scores:
    """Of every held-out judgment."""
    judgments, rows, backend = problem.judgments, problem.rows, run.backend
    kept = judgments.subset(~held)
    left = rows.restricted(kept, ~held)
    tolerance = max(problem.tolerance, HELD_OUT_TOLERANCE)
    train = replace(problem, judgments=kept, rows=left, layout=left, tolerance=tolerance)
    estimate = climb(train, None, run, stage)
    fitted = left.tables()
    fitted.N[:], fitted.n[:] = estimate.counts, estimate.totals
    newcomers = AsOne(train)
    newcomers.hide(fitted)
    left.maximise(estimate.A, SMALLEST, fitted, backend)
    newcomers.answer(estimate.A, fitted)
    log_C = np.log(of_one(fitted.C[:, : rows.n_labels], train))
    log_posterior = np.log(np.maximum(estimate.posterior(train, backend), 1e-300))
    log_posterior -= log_posterior.max(axis=1, keepdims=True)
    out = np.empty((int(held.sum()), len(GRID)))
    held_out_loops.held_out_scores(judgments.item[held], log_C[rows.row[held]], log_posterior, kept.per_item, GRID, out)
    unit = None if problem.units is None else problem.units.judgment[held]
    cluster = None if judgments.cluster is None else judgments.cluster[judgments.item[held]]
    return Scores(out, unit, cluster)
