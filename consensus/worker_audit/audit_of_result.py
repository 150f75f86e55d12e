"""The audit of one result: what several tables about its workers and models are made of."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from consensus.config import AuditConfig
from consensus.errors import ConfigError
from consensus.formats import read_costs
from consensus.formats.given import told
from consensus.found.given_result import Fitted, fitted
from consensus.inputs.decision_costs import Costs
from consensus.votes_audit import model_ratings
from consensus.worker_audit.accuracy import (
    accuracy_posterior,
    against_gold,
    likelihoods,
    peer_agreement,
    skills,
    units_of_workers,
    verdicts,
    worker_kinds,
)
from consensus.worker_audit.copying import copying_groups
from consensus.worker_audit.over_time import drift, since_change

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from consensus.found.copies import Copies, PeerAgreement
    from consensus.found.result import Consensus
    from consensus.votes_audit.model_ratings import Ratings
    from consensus.worker_audit.accuracy.accuracy_posterior import Accuracy
    from consensus.worker_audit.accuracy.likelihoods import Records
    from consensus.worker_audit.accuracy.skills import Skills
    from consensus.worker_audit.accuracy.verdicts import Verdicts
    from consensus.worker_audit.over_time.drift import Drifts

    Reals = NDArray[np.float64]


class WorkerAudit:
    """The audit of one result: each part made once, when it is first asked for, and kept.

    Whatever makes a table about the workers of a result takes its audit as well.

    Parameters
    ----------
    result
        A fitted consensus.
    config
        When a worker gets which verdict; the defaults without.
    costs
        (K, K) what it costs to decide d where k is true.
    price
        Money paid for every judgment, whatever a column of prices says.
    """

    def __init__(
        self,
        result: Consensus,
        config: AuditConfig | None = None,
        *,
        costs: NDArray[np.float64] | None = None,
        price: float | None = None,
    ) -> None:
        self.result = result
        self.config = config or AuditConfig()
        self.costs = costs
        self.price = price
        members = result.members
        self._of_members = None if members is None else WorkerAudit(members, self.config, costs=costs, price=price)

    @classmethod
    def of(
        cls,
        audited: Fitted | WorkerAudit,
        config: AuditConfig | None = None,
        *,
        costs: Any = None,
        price: float | None = None,
        **settings: Any,
    ) -> WorkerAudit:
        """The audit of a result, with ``costs`` from ``read_costs`` or what it reads; or the one that is given.

        Raises
        ------
        ConfigError
            A setting is unknown or out of range, or some are given beside an audit.
        FormatError, JudgmentError
            The costs can't be read, or do not fit the labels.
        """
        if isinstance(audited, WorkerAudit):
            if config is not None or costs is not None or price is not None or settings:
                raise ConfigError("an audit has its settings already; give the result to audit it with others")
            return audited
        result = fitted(audited)
        config = AuditConfig.of(config, **settings)
        given = costs if costs is None or isinstance(costs, Costs) else read_costs(costs)
        if price is not None and not isinstance(price, (int, float)):
            raise ConfigError(f"price: {told(price)} is no number; give what every judgment costs")
        return cls(result, config, costs=None if given is None else given.align(result.judgments), price=price)

    @property
    def of_members(self) -> WorkerAudit:
        """Where copies count as one: the audit of all workers, each with all judgments. Elsewhere this one."""
        return self._of_members or self

    @cached_property
    def tested(self) -> Consensus:
        """The result without what those who know the gold say of it: what workers are rated by."""
        result = self.result
        if result.gold_aware is None or result.gold is None:
            return result
        kept = ~result.gold_aware.known(result.judgments, result.gold)
        return replace(result, judgments=result.judgments.subset(kept), row=result.row[kept], gold_aware=None)

    @cached_property
    def records(self) -> Records:
        """What the judgments of every worker say about them."""
        return likelihoods.records(self.tested)

    @cached_property
    def accuracy(self) -> Accuracy:
        """How often every worker is right."""
        return accuracy_posterior.accuracy(self.tested, self.records)

    @cached_property
    def verdicts(self) -> Verdicts:
        """What to think of every worker: of who changed, by what they are since; against gold of nobody."""
        found = self._by_all()
        since = since_change.since_change(self.tested, self.drifts)
        if since is not None:
            now = WorkerAudit(since.result, self.config)._by_all(since.easier)
            found = since_change.by_now(found, now, since, self.drifts)
        return against_gold.settled(self.result, found, self.accuracy)

    def _by_all(self, easier: Reals | None = None) -> Verdicts:
        """The verdicts by all judgments, of which only a part counts of those whose items are ``easier`` (W,)."""
        kinds = worker_kinds.kinds(self.tested, self.records)
        return verdicts.verdicts(self.tested, self.accuracy, kinds, self.config, easier)

    @cached_property
    def drifts(self) -> Drifts:
        """Who changed over time."""
        return drift.drifts(self.result)

    @cached_property
    def skills(self) -> Skills:
        """How good workers are off the gold."""
        return skills.elsewhere(self.result)

    @cached_property
    def copies(self) -> Copies:
        """Workers who copy."""
        return copying_groups.groups(self.result)

    @cached_property
    def peers(self) -> PeerAgreement:
        """How often every worker says what others say; known already where all were compared to find copies."""
        unit = units_of_workers.of_judgments(self.result)
        known = None if self.result.copies is None else self.result.copies.peers
        if known is not None and known.judgments is self.result.judgments and not len(unit):
            return known
        return peer_agreement.peer_agreement(self.result.judgments, self.result.backend, unit)

    @cached_property
    def models(self) -> Ratings | None:
        """What every model is worth; None without models."""
        return None if self.result.models is None else model_ratings.rated(self.result)
