"""Hierarchical Dawid-Skene with a learnt pooled prior and tempered confidence.

Dawid & Skene 1979 gave the model: item i has a true label k with probability pi[k], worker w answers l with
probability C[w, k, l]. Here the rows of C share a Dirichlet prior A that is learnt from all workers, so that workers
with few judgments are judged like their peers, and absent labels do no harm.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus import memory
from consensus.backends import Threads
from consensus.calibration import LEAST_GOLD, Tempering, fitted_on_gold
from consensus.config import FitConfig
from consensus.errors import JudgmentError
from consensus.models import (
    diagnostics,
    majority_vote,
    model_contact,
    model_diagnostics,
    needs,
    pooled_prior,
    starts,
    tempering,
    votes_prior,
)
from consensus.models.cavity import without_gold
from consensus.models.expectation_maximisation import Problem, climb
from consensus.models.inputs import prepared
from consensus.models.layout import lay_out
from consensus.models.priors import SMALLEST
from consensus.models.rows import Rows
from consensus.result import Consensus, Warning
from consensus.terms import Terms
from consensus.votes import ModelFindings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.config import Prior
    from consensus.judgments import AlignedGold, Judgments
    from consensus.models.expectation_maximisation import Estimate, Progress
    from consensus.models.layout import Layout
    from consensus.votes import AlignedVotes

SMALL_RHO = 0.3  # least rho where the data is too small to measure it
FEW_WORKERS = 5  # beside model votes, fewer tell too little about how workers err to learn a prior from


def fit(
    judgments: Any,
    config: FitConfig | None = None,
    *,
    model_votes: Any = None,
    gold: Any = None,
    backend: Backend | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Consensus:
    """Merge judgments into labels with confidence, and estimate every worker's confusion matrix.

    Parameters
    ----------
    judgments
        From ``consensus.read``, or anything that it reads.
    config
        Settings; the defaults suit all data.
    model_votes
        What models say about the items, from ``read_model_votes`` or anything that it reads. Then ``judgments`` may be
        None.
    gold
        Items whose label is known, from ``read_gold`` or anything that it reads: clamped, and used to audit the
        confidence of the others; from 100 that people judged on (and without ``rho``) also to fit it.
    backend
        Where shards are worked on; threads of this process by default.
    progress
        Called after every EM pass.
    **settings
        Fields of ``FitConfig``, such as ``prior="none"``.

    Raises
    ------
    ConfigError
        A setting is unknown or out of range.
    JudgmentError
        There are no judgments, a label is outside the given set, or the gold does not fit.
    """
    config = FitConfig.of(config, **settings)
    backend = backend or Threads(config.threads)
    judgments, aligned, votes = prepared(judgments, gold, config, model_votes)
    if aligned is None and votes is None and not diagnostics.has_second_opinions(judgments):
        return majority_vote.of_shares(judgments, None, config, backend)
    small = diagnostics.is_small(judgments)
    cautions = []
    if votes is None and not diagnostics.has_second_opinions(judgments):
        cautions.append(diagnostics.one_judgment_per_item(audited=True))
    if not judgments.n_judgments and aligned is None:
        cautions.append(model_diagnostics.models_only())

    memory.refuse(needs.of(judgments, votes).peak, config.memory, f"a fit of {judgments!r}")
    problem = _problem(judgments, aligned, config, lay_out(judgments, aligned, backend), small)
    findings = None
    if votes is not None:
        problem, findings = _with_votes(problem, votes, judgments, aligned, config, backend)
        cautions += model_diagnostics.of_models(findings, config)
        if aligned is None and not diagnostics.has_second_opinions(judgments, findings):
            plain = majority_vote.of_shares(judgments, None, config, backend, findings)
            return replace(plain, warnings=(*plain.warnings, *cautions))
    if small and judgments.n_judgments:
        cautions.append(diagnostics.small_data(judgments))
    candidates = _candidates(judgments, problem, backend, progress)
    estimate = max(candidates.values(), key=lambda candidate: candidate.objective)
    without = None if aligned is None else without_gold(judgments, problem, estimate, aligned)
    tempered = None if aligned is None or without is None else _by_gold(judgments, aligned, without, config)
    tempered = tempered or Tempering(_rho(judgments, problem, config, backend, small, progress))
    tell = progress or (lambda *_: None)
    tell("diagnosing", 0, np.nan, np.nan)
    cautions = [*diagnostics.of_fit(judgments, problem.rows, estimate, backend), *cautions]
    if aligned is None and judgments.n_judgments:
        cautions += _switch_risk(judgments, problem, estimate, config.seed, backend, progress)
    tell("tempering", 0, np.nan, np.nan)
    return Consensus(
        judgments=judgments,
        model="dawid_skene",
        beliefs=estimate.beliefs(problem, backend, tempered.power(judgments.per_item)),
        prior_shares=estimate.shares,
        confusions=problem.rows.confusions(estimate, backend),
        convergence=estimate.convergence,
        config=config,
        tempering=tempered,
        terms=Terms(estimate.C, np.maximum(estimate.pi, SMALLEST)),
        gold=aligned,
        models=None if findings is None else replace(findings, weights=estimate.weights or findings.weights),
        gold_posterior=(
            None
            if aligned is None or without is None
            else tempered.tempered(without, judgments.per_item[aligned.items])
        ),
        warnings=(
            *diagnostics.of_judgments(judgments, votes),
            *diagnostics.of_gold(aligned),
            *cautions,
        ),
        starts={name: candidate.objective for name, candidate in candidates.items()},
    )


def pass_seconds(judgments: Judgments, config: FitConfig) -> float:
    """How long one EM pass takes, by doing three of them."""
    ends: list[float] = []
    backend = Threads(config.threads)
    rows = lay_out(judgments, None, backend)
    problem = _problem(judgments, None, FitConfig.of(config, max_iterations=3), rows, False)
    climb(problem, starts.usual(judgments, problem), backend, lambda *_: ends.append(time.perf_counter()))
    return (ends[-1] - ends[0]) / (len(ends) - 1)


def _problem(judgments: Judgments, gold: AlignedGold | None, config: FitConfig, rows: Layout, small: bool) -> Problem:
    prior_row = np.zeros(judgments.n_items, np.int32)
    accepted = np.zeros((0, judgments.n_labels), np.bool_)
    if gold is not None:
        accepted = gold.accepted
        prior_row[gold.items] = np.arange(1, len(gold.items) + 1)
    fallback = small and config.prior == "learnt"
    prior: Prior = "fixed" if fallback else config.prior
    A = pooled_prior.one_coin(judgments.n_labels) if fallback else pooled_prior.fixed(judgments.n_labels)
    return Problem(
        rows=rows,
        accepted=accepted,
        prior_row=prior_row,
        prior=prior,
        pseudo_counts=np.zeros_like(A) if prior == "none" else A,
        max_iterations=config.max_iterations,
        tolerance=config.tolerance,
    )


def _with_votes(
    problem: Problem,
    votes: AlignedVotes,
    judgments: Judgments,
    gold: AlignedGold | None,
    config: FitConfig,
    backend: Backend,
) -> tuple[Problem, ModelFindings]:
    """The problem with model votes, and which of the models are believed what."""
    if not isinstance(problem.rows, Rows):
        raise JudgmentError(
            f"model votes beside {judgments.n_labels:,} labels on {judgments.n_items:,} items: too many for a table "
            "of all items and labels; leave out rare labels, or the model votes"
        )
    met, copies = model_contact.meetings(votes, judgments, gold, backend)
    circular = np.isin(votes.models, list(config.trained_on_consensus)) | copies
    known = (met >= model_contact.MET) & ~circular
    soft = slice(None) if len(votes.probability) == len(votes.row) else votes.row >= 0
    believed = known & (votes.per_model(soft) > 0)
    own = votes_prior.VotesPrior.of(votes, judgments, gold, believed, circular, known, backend)
    if len(own.item):  # else no vote counts
        problem = replace(problem, votes=own)
    if problem.prior == "learnt" and judgments.n_workers < FEW_WORKERS and problem.has_outside_view:
        problem = replace(problem, prior="fixed")
    return problem, ModelFindings(votes, own.start, met, believed, known, circular)


def _candidates(
    judgments: Judgments, problem: Problem, backend: Backend, progress: Progress | None
) -> dict[str, Estimate]:
    """A fit from every start: the majority, and with gold also the workers' accuracy on it."""
    found = {"majority": climb(problem, starts.usual(judgments, problem), backend, progress, "fitting")}
    if len(problem.accepted):
        start = starts.gold(judgments, problem, backend)
        found["gold"] = climb(problem, start, backend, progress, "fitting from gold")
    return found


def _by_gold(
    judgments: Judgments, gold: AlignedGold, without: NDArray[np.float64], config: FitConfig
) -> Tempering | None:
    """The tempering that gold asks for, where people judged enough of it and no other one is wanted.

    ``without`` (G, K) holds the logarithms of the posteriors of the gold items without their gold.
    """
    judged = judgments.per_item[gold.items] > 0
    if config.rho is not None or judged.sum() < LEAST_GOLD:
        return None
    return fitted_on_gold(without[judged], gold.accepted[judged])


def _rho(
    judgments: Judgments,
    problem: Problem,
    config: FitConfig,
    backend: Backend,
    small: bool,
    progress: Progress | None,
) -> float:
    if config.rho is not None:
        return config.rho
    if small:
        return SMALL_RHO
    if judgments.n_judgments > tempering.MOST_HELD_OUT or not isinstance(problem.rows, Rows):
        return tempering.USUAL_RHO
    return tempering.measured_rho(judgments, problem, backend, config.seed, progress)


def _switch_risk(
    judgments: Judgments,
    problem: Problem,
    estimate: Estimate,
    seed: int,
    backend: Backend,
    progress: Progress | None,
) -> list[Warning]:
    """Look for switched labels; in large data the opposite is fitted only where some workers contradict each other."""
    camps = diagnostics.camps(judgments, seed)
    gap = None
    if camps.contradicting or judgments.n_judgments <= tempering.MOST_HELD_OUT:
        start = starts.mirrored(judgments, problem, backend)
        opposite = climb(problem, start, backend, progress, "fitting the opposite")
        best, other = (one.beliefs(problem, backend).peaks(backend).best for one in (estimate, opposite))
        same = np.mean(best == other)
        if same < 0.5:  # else the mirrored start led back to the same solution
            gap = estimate.objective - opposite.objective
    _, majority = starts.by_majority(judgments, backend)
    return [
        *diagnostics.switch_risk(camps, gap, judgments.n_judgments),
        *diagnostics.moved_labels(judgments, problem.rows, estimate, majority),
    ]
