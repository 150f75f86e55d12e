"""Majority vote: the share of the judgments is the posterior."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.backends import Threads
from consensus.calibration import Tempering
from consensus.config import FitConfig
from consensus.confusions import Confusions
from consensus.models import diagnostics, pooled_prior, starts
from consensus.models.inputs import prepared
from consensus.models.rows import Rows
from consensus.posterior import DensePosterior
from consensus.probabilities import normalised
from consensus.result import Consensus, Convergence

if TYPE_CHECKING:
    from consensus.backends import Backend
    from consensus.judgments import AlignedGold, Judgments
    from consensus.votes import ModelFindings


def fit(
    judgments: Any,
    config: FitConfig | None = None,
    *,
    gold: Any = None,
    backend: Backend | None = None,
    **settings: Any,
) -> Consensus:
    """Label every item by majority; its vote shares are the posterior, its workers are rated against the majority.

    Gold items take their gold label. Confusions count against the hard majority, with Dirichlet 4/1 pseudo-counts.

    Raises
    ------
    ConfigError
        A setting is unknown or out of range.
    JudgmentError
        There are no judgments, or the gold does not fit them.
    """
    config = FitConfig.of(config, **settings)
    judgments, aligned, _ = prepared(judgments, gold, config)
    return of_shares(judgments, aligned, config, backend or Threads(config.threads))


def of_shares(
    judgments: Judgments,
    gold: AlignedGold | None,
    config: FitConfig,
    backend: Backend,
    models: ModelFindings | None = None,
) -> Consensus:
    """The consensus by vote shares; without a confidence where no item was judged by two workers.

    Items that nobody judged take the label that the first of ``models`` names.
    """
    second_opinions = diagnostics.has_second_opinions(judgments, models)
    identified = second_opinions or gold is not None
    cautions = []
    if not second_opinions:
        cautions.append(diagnostics.one_judgment_per_item(audited=gold is not None, models=models is not None))
    shares = starts.shares(judgments, backend)
    hard = starts.majority(judgments, backend)
    gold_posterior = None
    if gold is not None:
        gold_posterior = shares[gold.items]
        for posterior in (shares, hard):
            posterior[gold.items] = normalised(gold.accepted.astype(np.float64))
    labelled = judgments.per_item > 0
    votes = None if models is None else models.votes
    if votes is not None:
        theirs = np.flatnonzero(~labelled & (votes.per_item > 0))
        shares[theirs] = np.eye(judgments.n_labels)[votes.label[votes.start[theirs]]]
        labelled[theirs] = True
    rows = Rows.of(judgments, backend)
    tables = rows.tables()
    rows.count(hard, np.zeros(judgments.n_items, np.int32), tables, backend)
    return Consensus(
        judgments=judgments,
        model="majority_vote",
        beliefs=DensePosterior(shares),
        prior_shares=normalised(shares[labelled].sum(axis=0)),
        confusions=Confusions.of_rows(
            rows.worker, rows.label, tables.N, pooled_prior.fixed(judgments.n_labels), judgments.n_workers
        ),
        convergence=Convergence("not_iterative" if identified else "not_identified", 0, ()),
        config=config,
        tempering=Tempering(),
        gold=gold,
        models=models,
        gold_posterior=gold_posterior,
        warnings=(*diagnostics.of_judgments(judgments, votes), *diagnostics.of_gold(gold), *cautions),
    )
