"""Hierarchical Dawid-Skene with a learnt pooled prior and tempered confidence.

Dawid & Skene 1979 gave the model: item i has a true label k with probability pi[k], worker w answers l with
probability C[w, k, l]. Here the rows of C share a Dirichlet prior A that is learnt from all workers, so that workers
with few judgments are judged like their peers, and absent labels do no harm.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.found.result import Consensus
from consensus.found.terms import Counted, Terms
from consensus.kernels import SMALLEST
from consensus.models import diagnostics, label_units, majority_vote
from consensus.models.cavity import without_gold
from consensus.models.fit_stages import confidence, fitted
from consensus.models.held import warned_by
from consensus.models.newcomers_as_one import marked
from consensus.models.problem import posed

if TYPE_CHECKING:
    from consensus.config import FitConfig
    from consensus.inputs.gold import AlignedGold
    from consensus.inputs.judgments import Judgments
    from consensus.inputs.model_votes import AlignedVotes
    from consensus.models.base import Execution
    from consensus.models.held import Held


def fit(
    judgments: Judgments,
    votes: AlignedVotes | None,
    gold: AlignedGold | None,
    settings: FitConfig,
    run: Execution,
    held: Held | None = None,
) -> Consensus:
    """Label the items and rate the workers; by vote shares where nothing tells how good anybody is.

    Raises
    ------
    ConfigError
        It would need more memory than it may have.
    JudgmentError
        There are model votes beside so many labels that not all of them can be weighed.
    """
    if gold is None and votes is None and not diagnostics.has_second_opinions(judgments):
        return majority_vote.by_shares(judgments, gold, settings, run, held=held)
    problem, findings = posed(judgments, votes, gold, settings, run.backend, held=held)
    if gold is None and findings is not None and not diagnostics.has_second_opinions(judgments, findings):
        return majority_vote.by_shares(judgments, gold, settings, run, findings, problem.rows, held)

    found = fitted(problem, settings, run)
    problem, estimate = found.problem, found.best
    without = None if gold is None else without_gold(problem, estimate, gold)
    sure = confidence(problem, votes, gold, without, settings, run)
    run.tell("diagnosing")
    warnings = diagnostics.all_of(problem, estimate, warned_by(gold, held), findings, settings, run)
    counted, told, shares = label_units.in_plain_units(problem, estimate, run.backend)
    otherwise = None
    if gold is not None and problem.units is not None and told is not estimate:
        otherwise = Counted(estimate.counts, estimate.totals, problem.units.judgment)
    run.tell("tempering")
    beliefs = estimate.beliefs(problem, run.backend, sure.tempering.power(judgments.per_item, slice(None)))
    own = estimate.item_priors
    priors = None if own is None else own.of_all(run.backend)  # the last use of those with gold
    return Consensus(
        judgments=judgments,
        model="dawid_skene",
        beliefs=beliefs,
        prior_shares=shares,
        confusions=marked(problem.layout.confusions(told, run.backend), problem, estimate.C),
        row=problem.rows.row,
        convergence=estimate.convergence,
        config=settings,
        tempering=sure.tempering,
        terms=Terms(estimate.C, np.maximum(estimate.pi, SMALLEST), priors, otherwise),
        one_label=None if problem.one_label is None else problem.one_label.probability,
        gold=gold,
        models=None if findings is None else replace(findings, weights=estimate.weights or findings.weights),
        gold_posterior=sure.gold_posterior,
        reach=sure.reach,
        warnings=warnings,
        units=counted,
        starts=found.objectives,
    )
