"""Majority vote: the share of the judgments is the posterior."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from consensus import memory
from consensus.config import FitConfig
from consensus.errors import ConfigError
from consensus.found import gold_reach
from consensus.found.cautions import Caution
from consensus.found.confusions import Confusions
from consensus.found.convergence import Convergence
from consensus.found.posterior import DensePosterior
from consensus.found.result import Consensus
from consensus.found.tempering import Tempering
from consensus.models import diagnostics, group_warnings, memory_needs, pooled_prior, starts, votes_warnings
from consensus.models import units as units_of
from consensus.models.dense_layout import Rows
from consensus.models.held import warned_by
from consensus.probabilities import normalised

if TYPE_CHECKING:
    from consensus.inputs.gold import AlignedGold
    from consensus.inputs.judgments import Judgments
    from consensus.inputs.model_votes import AlignedVotes, ModelFindings
    from consensus.models.base import Execution
    from consensus.models.held import Held

OF_EM = ("prior", "rho", "max_iterations", "tolerance")
"""Settings that mean something to other models only."""


def fit(
    judgments: Judgments,
    votes: AlignedVotes | None,
    gold: AlignedGold | None,
    settings: FitConfig,
    run: Execution,
    held: Held | None = None,
) -> Consensus:
    """Label every item by majority; its vote shares are the posterior, its workers are rated against the majority.

    Gold items take their gold label. Confusions count against the hard majority, with Dirichlet 4/1 pseudo-counts.

    Raises
    ------
    ConfigError
        There are model votes, or it would need more memory than it may have.
    """
    if votes is not None:
        raise ConfigError(
            "setting model = 'majority_vote': it would count model votes as judgments of people; leave out the model "
            "votes, or take dawid_skene, which learns how far to believe each model"
        )
    memory.refuse(memory_needs.of(judgments).peak, settings.memory, f"a fit of {judgments!r}")
    counted = by_shares(judgments, gold, settings, run, held=held)
    return replace(counted, warnings=(*counted.warnings, *_unused(judgments, settings)))


def _unused(judgments: Judgments, settings: FitConfig) -> list[Caution]:
    """Say which settings were given that a count of votes passes over."""
    found = []
    if judgments.group is not None:
        found.append(group_warnings.groups_change_nothing("the majority vote takes no priors of items; leave it out"))
    given = [name for name in OF_EM if getattr(settings, name) != FitConfig.model_fields[name].default]
    if given:
        named = " and ".join(f"--{name.replace('_', '-')}" for name in given)
        found.append(
            Caution(
                "settings_unused",
                f"{named} {'changes' if len(given) == 1 else 'change'} nothing here: the majority vote counts "
                "everybody alike; leave this out, or take another --model",
            )
        )
    return found


def by_shares(
    judgments: Judgments,
    gold: AlignedGold | None,
    settings: FitConfig,
    run: Execution,
    models: ModelFindings | None = None,
    rows: Rows | None = None,
    held: Held | None = None,
) -> Consensus:
    """The consensus by vote shares; without a confidence where no item was judged by two workers.

    Items that nobody judged take the label that the first of ``models`` names. ``rows`` are those of the judgments,
    where they were made already.
    """
    second_opinions = diagnostics.has_second_opinions(judgments, models)
    identified = second_opinions or gold is not None
    told = warned_by(gold, held)
    cautions = []
    counted = units_of.of(judgments, run.backend)
    if not second_opinions:
        cautions.append(
            diagnostics.one_judgment_per_item(judgments, audited=told is not None, models=models is not None)
        )
    shares = starts.shares(judgments, run.backend)
    hard = starts.majority(judgments, run.backend)
    gold_posterior = None
    if gold is not None:
        gold_posterior = shares[gold.items]
        for posterior in (shares, hard):
            posterior[gold.items] = normalised(gold.accepted.astype(np.float64))
    labelled = judgments.per_item > 0
    votes = None
    if models is not None:
        cautions += votes_warnings.of_models(models, judgments, told, settings)
        votes = models.votes
        theirs = np.flatnonzero(~labelled & (votes.per_item > 0))
        shares[theirs] = np.eye(judgments.n_labels)[votes.label[votes.start[theirs]]]
        labelled[theirs] = True
    if judgments.cluster is not None:
        counted = units_of.estimated(judgments, DensePosterior(shares), run.backend, counted)
        cautions += units_of.cautions(counted)
    of_labels = (
        shares[labelled].sum(axis=0) if counted is None else (shares * counted.item[:, None])[labelled].sum(axis=0)
    )
    rows = replace(rows or Rows.of(judgments, run.backend), units=counted)
    tables = rows.tables()
    rows.count(hard, np.zeros(judgments.n_items, np.int32), tables, run.backend)
    return Consensus(
        judgments=judgments,
        model="majority_vote",
        beliefs=DensePosterior(shares),
        prior_shares=normalised(of_labels),
        confusions=Confusions.of_rows(
            rows.worker, rows.label, tables.N, pooled_prior.fixed(judgments.n_labels), judgments.n_workers
        ),
        row=rows.row,
        convergence=Convergence("not_iterative" if identified else "not_identified", 0, ()),
        config=settings,
        tempering=Tempering(),
        gold=gold,
        units=counted,
        models=models,
        gold_posterior=gold_posterior,
        reach=None if gold is None else gold_reach.of(judgments, gold, votes),
        warnings=(
            *diagnostics.of_judgments(judgments, votes),
            *diagnostics.of_gold(told),
            *diagnostics.questions_of_gold(told, judgments),
            *cautions,
        ),
    )
