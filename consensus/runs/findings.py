"""What a run finds: the fit, the plan of escalation, the audit, the promise; each made once, on first use, and kept."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consensus import escalation, guarantees, worker_audit
from consensus.config import AuditConfig, EscalateConfig, FitConfig, GoldConfig, ReadConfig, RunConfig, VotesConfig
from consensus.errors import ConfigError
from consensus.guarantees.certified_items import NEEDS_GOLD
from consensus.guarantees.shares_table import SharesTable
from consensus.report import audit_cautions, clear_majorities, quality, random_gold, set_promise
from consensus.report.summary import summary
from consensus.runs import folder, tables
from consensus.runs.listening import SILENT
from consensus.runs.run_inputs import Inputs, SideInputs

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from consensus.escalation import Escalation, Outlook
    from consensus.found.cautions import Caution
    from consensus.found.result import Columns, Consensus
    from consensus.guarantees import Certified
    from consensus.inputs.worker_pool import AlignedPool
    from consensus.runs.listening import Listener
    from consensus.worker_audit import WorkerAudit

IF_GIVEN = {"platform", "group", "anonymous", "drop", "keep", "worker_from_file", "fold", "label_map", "sheet", "by"}
IF_GIVEN |= {"only", "wide", "wide_columns", "questions", "counts"}
"""Settings of reading that are told only where they are given."""


def run(
    judgments: Any,
    *,
    model_votes: Any = None,
    gold: Any = None,
    costs: Any = None,
    workers: Any = None,
    previous: Any = None,
    **settings: Any,
) -> Findings:
    """Do the whole job, as ``consensus run`` does: merge, look for copies, audit workers, list what to escalate.

    Parameters
    ----------
    judgments, model_votes, gold, costs, workers, previous
        Paths, tables, or what ``read``, ``read_model_votes``, ``read_gold``, ``read_costs``, ``read_workers`` and
        ``read_previous`` return. With model votes there may be no judgments (None).
    **settings
        Fields of ``RunConfig``: those of ``FitConfig``, ``EscalateConfig``, ``AuditConfig`` and ``ReadConfig``, and
        ``collusion``; such as ``target=0.99``.

    Raises
    ------
    ConfigError
        A setting is unknown or out of range.
    FormatError
        Something can't be read.
    JudgmentError
        The judgments can't be used, or something does not fit them.
    """
    config, beside = _settled(settings, costs=costs, workers=workers, previous=previous)
    return Findings(Inputs.read(config, judgments, model_votes=model_votes, gold=gold, beside=beside))


def _settled(settings: dict[str, Any], **files: Any) -> tuple[RunConfig, SideInputs]:
    """The settings, with those of the costs, workers and earlier run that are files; and all of these, read."""
    named = {name: Path(source) for name, source in files.items() if isinstance(source, (str, Path))}
    config = RunConfig.of(None, **settings, **named)
    return config, SideInputs.read(config, **files)


class Findings:
    """What a run finds in its inputs. Each part is made when it is first asked for, and kept."""

    def __init__(self, inputs: Inputs, *, result: Consensus | None = None, listener: Listener = SILENT) -> None:
        self.inputs: Inputs = inputs
        self._given = result
        self._listener = listener

    @classmethod
    def of(
        cls, result: Consensus, *, costs: Any = None, workers: Any = None, previous: Any = None, **settings: Any
    ) -> Findings:
        """What follows from a ``result`` that was fitted elsewhere; the rest as in ``run``.

        Raises
        ------
        ConfigError
            A setting is unknown or out of range, or one of the fit that is not the result's own.
        """
        fitted = result.config.model_dump()
        config, beside = _settled({**fitted, **settings}, costs=costs, workers=workers, previous=previous)
        for name in fitted:
            own = {getattr(result.config, name), *([result.model] if name == "model" else [])}
            if getattr(config, name) not in own:
                raise ConfigError(f"setting {name}: the result was fitted with another one; fit again, or leave it out")
        last = None if beside.previous is None else beside.previous.among(result.judgments)
        inputs = Inputs(config, result.judgments, costs=beside.costs, pool=beside.pool, previous=last)
        return cls(inputs, result=result)

    def __repr__(self) -> str:
        return f"Findings({self.result!r})"

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
        previous = self.inputs.previous
        return None if previous is None else escalation.change_counts(previous, self.result, self.status)

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
    def summary(self) -> dict[str, Any]:
        """The content of summary.json."""
        _ = self.plan  # so that its stages are told before the next one
        self._listener.stage("summary of the items")
        return summary(self)

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
        read = config.part(ReadConfig) | {"label_map": None if config.label_map is None else str(config.label_map)}
        return {
            **{name: one for name, one in read.items() if one not in (None, False, ()) or name not in IF_GIVEN},
            **{name: one for kind in (VotesConfig, GoldConfig) for name, one in config.part(kind).items() if one},
            **{name: None if path is None else str(path) for name, path in paths.items()},
        }

    @property
    def labels(self) -> pd.DataFrame:
        """One row an item, as in labels.csv."""
        return self.table("labels")

    @property
    def workers(self) -> pd.DataFrame:
        """One row a worker, as in workers.csv."""
        return self.table("workers")

    @property
    def escalations(self) -> pd.DataFrame:
        """What to ask for next, as in escalations.csv."""
        return self.table("escalations")

    def table(self, name: str) -> pd.DataFrame:
        """A table by the name of its file, such as "confusions" (``runs.tables`` has all of them).

        Raises
        ------
        ConfigError
            There is no such table, or what it needs is not there.
        """
        return tables.made(tables.named_table(name), self)

    def audited(self, name: str) -> pd.DataFrame:
        """A table by the name that ``consensus audit --table`` knows, such as "labels" (``runs.tables.AUDITED``).

        Raises
        ------
        ConfigError
            There is no such table, or what it needs is not there.
        """
        if name not in tables.AUDITED:
            raise ConfigError(f'there is no table "{name}"; there are {", ".join(tables.AUDITED)}', code="unknown_name")
        return tables.made(tables.AUDITED[name], self)

    def save(self, out: Path | str, *, overwrite: bool = False, output: folder.Output | None = None) -> None:
        """Write the output folder, as ``consensus run`` does.

        Raises
        ------
        OutputError
            The folder exists (and ``overwrite`` is not set), or can't be written.
        """
        folder.write(self, folder.check(Path(out), overwrite=overwrite), output or folder.Output(), self._listener)
