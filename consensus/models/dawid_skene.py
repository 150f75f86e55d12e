"""Hierarchical Dawid-Skene with a learnt pooled prior and tempered confidence.

Dawid & Skene 1979 gave the model: item i has a true label k with probability pi[k], worker w answers l with
probability C[w, k, l]. Here the rows of C share a Dirichlet prior A that is learnt from all workers, so that workers
with few judgments are judged like their peers, and absent labels do no harm.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from consensus import memory
from consensus.config import FitConfig
from consensus.found import gold_reach
from consensus.found.result import Consensus
from consensus.found.terms import Terms
from consensus.kernels import SMALLEST
from consensus.models import diagnostics, held_out_rho, majority_vote, memory_needs, starts
from consensus.models.cavity import without_gold
from consensus.models.expectation_maximisation import climb
from consensus.models.problem import Problem, posed

if TYPE_CHECKING:
    from consensus.inputs.judgments import AlignedGold, Judgments
    from consensus.inputs.model_votes import AlignedVotes
    from consensus.models.base import Execution
    from consensus.models.expectation_maximisation import Estimate


def fit(
    judgments: Judgments,
    votes: AlignedVotes | None,
    gold: AlignedGold | None,
    settings: FitConfig,
    run: Execution,
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
        return majority_vote.by_shares(judgments, gold, settings, run)
    memory.refuse(memory_needs.of(judgments, votes).peak, settings.memory, f"a fit of {judgments!r}")
    problem, findings = posed(judgments, votes, gold, settings, run.backend)
    if gold is None and findings is not None and not diagnostics.has_second_opinions(judgments, findings):
        return majority_vote.by_shares(judgments, gold, settings, run, findings, problem.rows)

    found = candidates(problem, run)
    problem = replace(problem, differ=found["majority"].mixes is not None)
    estimate = max(found.values(), key=lambda candidate: candidate.objective)
    without = None if gold is None else without_gold(problem, estimate, gold)
    reach = None if gold is None else gold_reach.of(judgments, gold, votes, judgments.group_of_item)
    tempered = held_out_rho.chosen(problem, gold, without, reach, settings, run)
    run.tell("diagnosing")
    warnings = diagnostics.all_of(problem, estimate, gold, findings, settings, run)
    run.tell("tempering")
    beliefs = estimate.beliefs(problem, run.backend, tempered.power(judgments.per_item, slice(None)))
    own = estimate.item_priors
    priors = None if own is None else own.of_all(run.backend)  # the last use of those with gold
    return Consensus(
        judgments=judgments,
        model="dawid_skene",
        beliefs=beliefs,
        prior_shares=estimate.shares,
        confusions=problem.layout.confusions(estimate, run.backend),
        row=problem.rows.row,
        convergence=estimate.convergence,
        config=settings,
        tempering=tempered,
        terms=Terms(estimate.C, np.maximum(estimate.pi, SMALLEST), priors),
        one_label=None if problem.one_label is None else problem.one_label.probability,
        gold=gold,
        models=None if findings is None else replace(findings, weights=estimate.weights or findings.weights),
        gold_posterior=(
            None
            if gold is None or without is None
            else tempered.tempered(without, judgments.per_item[gold.items], gold.items)
        ),
        reach=reach,
        warnings=warnings,
        starts={name: candidate.objective for name, candidate in found.items()},
    )


def pass_seconds(judgments: Judgments, settings: FitConfig, run: Execution) -> float:
    """How long one EM pass takes, by doing three of them."""
    ends: list[float] = []
    problem = Problem.of(judgments, None, FitConfig.of(settings, max_iterations=3), run.backend)
    climb(problem, None, replace(run, progress=lambda *_: ends.append(time.perf_counter())))
    return (ends[-1] - ends[0]) / (len(ends) - 1)


def candidates(problem: Problem, run: Execution) -> dict[str, Estimate]:
    """A fit from every start: the majority, and with gold also the workers' accuracy on it."""
    found = {"majority": climb(problem, None, run, "fitting")}
    problem = replace(problem, differ=found["majority"].mixes is not None)
    if len(problem.accepted):
        found["gold"] = climb(problem, starts.gold(problem, run.backend), run, "fitting from gold")
    return found
