"""Confidence: tempering by a design effect.

Judgments on one item are correlated, so n of them are worth fewer. Reported is z[i, k] ** tau_i, normalised, with
tau_i = 1 / (1 + rho (n_i - 1)): the design effect of survey sampling (Kish 1965, section 5.4). It never changes the
label, and never enters the EM loop. Where there is enough gold, a temperature is fitted on that instead
(``consensus.found.tempering``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.found.tempering import LEAST_GOLD, Tempering, fitted_on_gold
from consensus.kernels import SMALLEST, em
from consensus.models import starts
from consensus.models.expectation_maximisation import climb

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.config import FitConfig
    from consensus.found.gold_reach import Reach
    from consensus.inputs.judgments import AlignedGold, Judgments
    from consensus.models.base import Execution
    from consensus.models.problem import Problem

USUAL_RHO = 0.3  # without measuring: 0.471 mean log loss on 17 public sets, within .005 of held-out rho
SMALL_RHO = 0.3  # where the data is too small to measure it
LEAST_RHO = 0.2
MOST_HELD_OUT = 1_000_000  # judgments up to which rho is measured on held-out judgments
HELD_OUT_SHARE = 0.2
LEAST_TOLD = 0.5  # share of the items with three judgments or more from which rho can be measured
N_SPLITS = 2
GRID = np.array([0, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 1.3])
HELD_OUT_TOLERANCE = 1e-5  # nats per judgment; rho moves in steps of the grid


def chosen(
    problem: Problem,
    gold: AlignedGold | None,
    without: NDArray[np.float64] | None,
    reach: Reach | None,
    settings: FitConfig,
    run: Execution,
) -> Tempering:
    """How confidences are tempered: as the settings say, or as gold asks where people judged enough of it, else by rho.

    ``without`` (G, K) holds the logarithms of the posteriors of the gold items without their gold. Items beyond the
    ``reach`` of gold are tempered by rho: the temperature was fitted on items that are none of theirs.
    """
    if settings.rho is not None:
        return Tempering(settings.rho)
    if gold is not None and without is not None and reach is not None:
        judged = (problem.judgments.per_item[gold.items] > 0) & reach.items[gold.items]
        if judged.sum() >= LEAST_GOLD:
            fitted = fitted_on_gold(without[judged], gold.accepted[judged])
            return fitted if reach.items.all() else fitted.without(~reach.items, _rho(problem, run))
    return Tempering(_rho(problem, run))


def _rho(problem: Problem, run: Execution) -> float:
    """Rho without gold."""
    if problem.small:
        return SMALL_RHO
    if problem.judgments.n_judgments > MOST_HELD_OUT or not problem.weighs_all_labels:
        return USUAL_RHO
    return measured_rho(problem, run)


def measured_rho(problem: Problem, run: Execution) -> float:
    """Measure rho: the largest on the grid within one paired standard error of the best held-out log score.

    Two splits; in each a fifth of the judgments is held out (at least one stays with every item), the rest refitted.

    Beside model votes it is the best itself: that caution is for crowds that nothing but the crowd could contradict.
    Three people and five models that share 60 % of their mistakes (2,000 items, 5 labels, five seeds): ECE 1.0 % so,
    3.5 % with the caution.
    """
    judgments = problem.judgments
    if np.mean(judgments.per_item >= 3) < LEAST_TOLD and not problem.has_outside_view:
        return USUAL_RHO  # held out, they leave one judgment of most items, for which no rho is right or wrong
    rng = np.random.default_rng(run.seed)
    scores = []
    for split in range(N_SPLITS):
        held = _held_out(judgments, rng)
        scores.append(_split_scores(problem, held, run, f"held-out fit {split + 1}"))
    score = np.vstack(scores)
    if not len(score):
        return USUAL_RHO
    means = score.mean(axis=0)
    best = int(means.argmax())
    if problem.has_outside_view:  # where one judgment of an item was left, rho changes nothing
        return USUAL_RHO if means[best] - means.min() < 1e-12 else float(GRID[best])
    loss = score[:, [best]] - score
    standard_error = loss.std(axis=0) / np.sqrt(len(loss))
    as_good = np.flatnonzero(loss.mean(axis=0) <= standard_error)
    return max(float(GRID[as_good[-1]]), LEAST_RHO)


def _held_out(judgments: Judgments, rng: np.random.Generator) -> NDArray[np.bool_]:
    """(J,) a fifth of the judgments; of an item that would lose all, the one drawn last stays."""
    draw = rng.random(judgments.n_judgments)
    judged = np.flatnonzero(judgments.per_item)
    last = np.zeros(judgments.n_items)
    last[judged] = np.maximum.reduceat(draw, judgments.item_start[judged])
    held: NDArray[np.bool_] = (draw < HELD_OUT_SHARE) & (draw < last[judgments.item])
    return held


def _split_scores(problem: Problem, held: NDArray[np.bool_], run: Execution, stage: str) -> NDArray[np.float64]:
    """(H, G) log score of every held-out judgment for every rho of the grid."""
    judgments, rows, backend = problem.judgments, problem.rows, run.backend
    kept = judgments.subset(~held)
    left = rows.restricted(kept, ~held)
    tolerance = max(problem.tolerance, HELD_OUT_TOLERANCE)
    train = replace(problem, judgments=kept, rows=left, layout=left, tolerance=tolerance)
    estimate = climb(train, starts.usual(train), run, stage)
    fitted = left.tables()
    fitted.N[:], fitted.n[:] = estimate.counts, estimate.totals
    left.maximise(estimate.A, SMALLEST, fitted, backend)
    log_C = np.log(fitted.C[:, : rows.n_labels])
    log_posterior = np.log(np.maximum(estimate.posterior(train, backend), 1e-300))
    log_posterior -= log_posterior.max(axis=1, keepdims=True)
    out = np.empty((int(held.sum()), len(GRID)))
    em.held_out_scores(judgments.item[held], log_C[rows.row[held]], log_posterior, kept.per_item, GRID, out)
    return out
