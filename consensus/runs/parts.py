"""What a run finds: the fit, the plan of escalation, the audit, the promise; each made once, on first use, and kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from consensus import escalation, guarantees, worker_audit
from consensus.config import AuditConfig, EscalateConfig, FitConfig, GoldConfig, ReadConfig, VotesConfig
from consensus.errors import ConfigError
from consensus.guarantees.certified_items import NEEDS_GOLD
from consensus.guarantees.shares_table import SharesTable
from consensus.report import audit_cautions, clear_majorities, quality, random_gold, set_promise
from consensus.runs.listening import SILENT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.escalation import Escalation, Outlook
    from consensus.found.cautions import Caution
    from consensus.found.result import Columns, Consensus
    from consensus.guarantees import Certified
    from consensus.inputs.earlier_run import Previous
    from consensus.inputs.worker_pool import AlignedPool
    from consensus.models.carried import Carried
    from consensus.runs.listening import Listener
    from consensus.runs.run_inputs import Inputs
    from consensus.worker_audit import WorkerAudit

IF_GIVEN = {
    "platform",
    "group",
    "anonymous",
    "drop",
    "keep",
    "worker_from_file",
    "fold",
    "label_map",
    "sheet",
    "by",
    "pseudonyms",
}
IF_GIVEN |= {"only", "wide", "wide_columns", "questions", "counts", "weight", "cluster"}
"""Settings of reading that are told only where they are given."""


@dataclass(frozen=True, slots=True, eq=False)
class Since:
    """What an update of a state is compared with, and how it was fitted. It has no say in what is accepted."""

    previous: Previous
    """What the fit before said."""
    told: dict[str, Any]
    """How it was fitted, as summary.json says it."""


class Parts:
    """What follows from the inputs of a run, part by part: what its tables, its page and its summary are made of."""

    def __init__(
        self,
        inputs: Inputs,
        *,
        result: Consensus | None = None,
        listener: Listener = SILENT,
        since: Since | None = None,
        carried: Carried | None = None,
    ) -> None:
        self.inputs: Inputs = inputs
        self._carried = carried
        self.since = since
        """Of an update: what it began with, and how it was fitted."""
        self._given = result
        self._listener = listener

    def __getstate__(self) -> dict[str, Any]:
        """Without who listens: they sit in the process that made the run."""
        return self.__dict__ | {"_listener": SILENT, "_carried": None}

    @cached_property
    def result(self) -> Consensus:
        """The fit; workers who copy were looked for, if that is wanted."""
        if self._given is not None:
            return self._given
        inputs = self.inputs
        if self.rule.promise == "set" and inputs.gold is None:
            raise ConfigError(NEEDS_GOLD, code="missing_input")
        self._listener.stage("fitting")
        return worker_audit.fit_without_copies(
            inputs.judgments,
            FitConfig.of(None, **inputs.config.part(FitConfig)),
            collusion=inputs.config.collusion,
            model_votes=inputs.model_votes,
            gold=inputs.gold,
            progress=self._listener.fitting,
            carried=self._carried,
        )

    @cached_property
    def rule(self) -> EscalateConfig:
        """When an item is accepted."""
        return EscalateConfig.of(None, **self.inputs.config.part(EscalateConfig))

    @cached_property
    def costs(self) -> NDArray[Any] | None:
        """(K, K) what deciding for a label costs where another one is true."""
        costs = self.inputs.costs
        return None if costs is None else costs.align(self.result.judgments)

    @cached_property
    def pool(self) -> AlignedPool | None:
        """The workers who can be asked."""
        pool = self.inputs.pool
        return None if pool is None else pool.align(self.result.judgments, self.rule.skill)

    @cached_property
    def audit(self) -> WorkerAudit:
        """The audit of the workers."""
        settings = self.inputs.config
        config = AuditConfig.of(None, **settings.part(AuditConfig))
        return worker_audit.WorkerAudit(self.result, config, costs=self.costs, price=settings.price_per_judgment)

    @cached_property
    def plan(self) -> Escalation:
        """What is escalated, and from whom judgments are asked."""
        result = self.result  # its stages come first
        self._listener.stage("escalating")
        return escalation.planned(
            result,
            self.rule,
            costs=self.costs,
            pool=self.pool,
            previous=self.inputs.previous,
            audit=self.audit,
        )

    @cached_property
    def status(self) -> NDArray[Any]:
        """Position in ``escalation.STATUSES`` of the status of every row of the labels."""
        return self.plan.status(self.result)

    @cached_property
    def promise(self) -> dict[str, Any]:
        """How many of the accepted items are expected to be wrong, and what gold says to that."""
        certified = self.certified if self.rule.promise == "set" else None
        return quality.quality(self.result, self.status, self.rule, certified)

    @cached_property
    def certified(self) -> Certified:
        """Which items gold certifies as a set, whether or not it is these that are accepted."""
        return guarantees.certified(self.result, self.rule)

    @cached_property
    def certificate(self) -> dict[str, Any] | None:
        """The same in numbers, and how much gold it would take; None without gold."""
        return set_promise.told(self.result, self.certified, self.rule)

    @cached_property
    def item_promise(self) -> dict[str, Any]:
        """The promise about the items that would be accepted one by one: the very one, if that is how they are."""
        if self.rule.promise == "item":
            return self.promise
        rule = EscalateConfig.of(self.rule, promise="item")
        return quality.quality(self.result, escalation.settled_status(self.result, rule), rule)

    @cached_property
    def shares(self) -> SharesTable:
        """How common each label is, by random gold."""
        return SharesTable.of(self.result)

    @cached_property
    def outlook(self) -> Outlook:
        """What the judgments that are needed will bring."""
        return escalation.outlook(self.result, self.plan)

    @cached_property
    def changes(self) -> dict[str, int] | None:
        """How much is different from the earlier run; None without one."""
        before = self.before
        return None if before is None else escalation.change_counts(before, self.result, self.changed_items)

    @cached_property
    def changed_items(self) -> Columns:
        """The table of changes: a file of its own, and counted.

        Raises
        ------
        ConfigError
            There is no earlier run.
        """
        if self.before is None:
            raise ConfigError("there is no earlier run to compare with; name it with --previous", code="missing_input")
        return escalation.changes(self.before, self.result, self.status)

    @property
    def before(self) -> Previous | None:
        """What labels are compared with: the earlier run, or the fit before an update; None without one."""
        return self.inputs.previous or (None if self.since is None else self.since.previous)

    @cached_property
    def warnings(self) -> tuple[Caution, ...]:
        """What to know before trusting it, and what the audit found."""
        return (*self.label_warnings, *audit_cautions.cautions(self.audit))

    @cached_property
    def label_warnings(self) -> tuple[Caution, ...]:
        """What to know before trusting the labels: all that needs no verdicts on workers."""
        result = self.result
        of_gold = (*quality.cautions(self.promise), *random_gold.cautions(self.certified, self.shares))
        return (*result.warnings, *clear_majorities.cautions(result), *of_gold)

    @cached_property
    def worker_columns(self) -> Columns:
        """The table of workers: a file of its own, and on the page."""
        return worker_audit.worker_columns(self.audit)

    @cached_property
    def confusion_cells(self) -> worker_audit.ConfusionCells:
        """What the table of confusions is made of: a file of its own, and on the page."""
        return worker_audit.ConfusionCells.of(self.audit)

    @property
    def reading(self) -> dict[str, Any]:
        """The settings of reading, and the files that other settings name; as text."""
        config = self.inputs.config
        paths = {"costs": config.costs, "workers": config.workers, "previous": config.previous}
        read = config.part(ReadConfig)
        read |= {one: None if read[one] is None else str(read[one]) for one in ("label_map", "pseudonyms")}
        return {
            **{name: one for name, one in read.items() if one not in (None, False, ()) or name not in IF_GIVEN},
            **{name: one for kind in (VotesConfig, GoldConfig) for name, one in config.part(kind).items() if one},
            **{name: None if path is None else str(path) for name, path in paths.items()},
        }
