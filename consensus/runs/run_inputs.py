"""What a run begins with: everything that is known before the fit, read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consensus import memory
from consensus.config import ReadConfig, RunConfig
from consensus.errors import ConfigError
from consensus.formats import export_questions, read, read_costs, read_gold, read_previous, read_workers, sources
from consensus.formats.platforms import NONE, head_of, judge_panels
from consensus.formats.tables.sizes import at_least_rows
from consensus.formats.votes_table import read_votes_of_run
from consensus.inputs.judgments import Judgments
from consensus.inputs.model_votes import ModelVotes
from consensus.models.preparing import with_gold_workers
from consensus.runs.listening import SILENT

if TYPE_CHECKING:
    from consensus.inputs.decision_costs import Costs
    from consensus.inputs.earlier_run import Previous
    from consensus.inputs.gold import Gold
    from consensus.inputs.worker_pool import Pool
    from consensus.runs.listening import Listener


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Judgments and whatever stands beside them, and the settings."""

    config: RunConfig
    judgments: Judgments | None = None
    """None where only models judged."""
    model_votes: ModelVotes | None = None
    gold: Gold | None = None
    costs: Costs | None = None
    """What wrong decisions cost."""
    pool: Pool | None = None
    """Who can be asked for more judgments."""
    previous: Previous | None = None
    """What an earlier run said."""
    tables: Mapping[str, Any] = field(default_factory=dict)
    """Those of judgments, model votes and gold that were given as tables in memory, as they were given."""

    @classmethod
    def read(
        cls,
        config: RunConfig,
        judgments: Any,
        *,
        model_votes: Any = None,
        gold: Any = None,
        beside: SideInputs | None = None,
        listener: Listener = SILENT,
    ) -> Inputs:
        """Read everything: first what is small, so that a mistake there is told before the long work begins.

        ``judgments``, ``model_votes`` and ``gold`` are what their readers take (paths, frames), or were read before.
        Without ``model_votes``, those beside the judgments count; "none" leaves these out. Where all files of
        ``judgments`` hold verdicts of LLM judges, these are the votes of models, and nobody judged.
        What stands ``beside`` them is what the settings name, if it is not given.

        Raises
        ------
        ConsensusError
            Something can't be read, or needs more memory than there is; or a skill is named without workers, or what
            names become without judgments.
        """
        beside = beside or SideInputs.read(config)
        for name in ("fold", "label_map"):
            if judgments is None and getattr(config, name):
                raise ConfigError(
                    f"setting {name}: it says what names become among those of judgments, and there are only model "
                    "votes; rename their labels in the file"
                )
        if model_votes is None and config.platform is None and are_of_judges(judgments):
            judgments, model_votes = None, judgments
        if judgments is None and config.is_alone:
            raise ConfigError(export_questions.NOWHERE)
        if isinstance(judgments, Judgments):
            config = _as_read(config, judgments)
        read = None if judgments is None else judged(judgments, config, listener)
        read, votes = _with_votes(read, model_votes, config, listener)
        read, known = _with_gold(read, gold, config)
        previous = beside.previous
        if votes is not None and votes.notes:
            if read is None:
                for note in votes.notes:
                    listener.say(note)
            else:
                read = replace(read, notes=(*read.notes, *votes.notes))
        return cls(
            config,
            costs=beside.costs,
            pool=beside.pool,
            previous=previous if previous is None or read is None else previous.among(read),
            judgments=read,
            model_votes=votes,
            gold=known,
        )


@dataclass(frozen=True, slots=True, eq=False)
class SideInputs:
    """What is small, and only matters once all is fitted."""

    costs: Costs | None = None
    pool: Pool | None = None
    previous: Previous | None = None

    @classmethod
    def read(cls, config: RunConfig, *, costs: Any = None, workers: Any = None, previous: Any = None) -> SideInputs:
        """Read each of what is given; else the file that the settings name.

        Raises
        ------
        ConsensusError
            One can't be used, or the settings name a skill without workers.
        """
        costs = config.costs if costs is None else costs
        workers = config.workers if workers is None else workers
        previous = config.previous if previous is None else previous
        if workers is None and config.skill is not None:
            skill = config.skill
            raise ConfigError(
                f'skill "{skill}": nothing tells who has it; name a file of workers with --workers',
                code="missing_input",
            )
        return cls(
            None if costs is None else read_costs(costs),
            None if workers is None else read_workers(workers),
            None if previous is None else read_previous(previous),
        )


def _as_read(config: RunConfig, judgments: Judgments) -> RunConfig:
    """The settings, with those that ``judgments`` were read with.

    Raises
    ------
    ConfigError
        Another one is given: it would come too late.
    """
    reading = judgments.reading or ReadConfig()
    for name in ReadConfig.model_fields:
        if name in config.model_fields_set and getattr(config, name) != getattr(reading, name):
            raise ConfigError(f"setting {name}: the judgments were read before; give it to consensus.read")
    return RunConfig.of(config, **reading.model_dump())


def judged(source: Any, config: RunConfig, listener: Listener = SILENT) -> Judgments:
    """Read judgments, unless it is plain before that they need more memory than there is.

    Raises
    ------
    ConsensusError
        The source or the settings can't be used.
    """
    if isinstance(source, Judgments):
        return source
    paths = _told(source, listener)
    files = [one.path for one in source.files] if isinstance(source, sources.Opened) else paths
    if files:
        needed = memory.of_reading(at_least_rows(files))
        memory.refuse(needed, config.memory, "reading " + ", ".join(map(str, files)))
    given = {name: value for name, value in config.part(ReadConfig).items() if name in config.model_fields_set}
    return read(paths or source, threads=config.threads, progress=listener.stage, **given)


def _with_votes(
    judgments: Judgments | None, source: Any, config: RunConfig, listener: Listener
) -> tuple[Judgments | None, ModelVotes | None]:
    """Judgments, and the votes of models that are given, or stand beside them; a majority vote takes none of these.

    Raises
    ------
    ConsensusError
        They can't be read.
    """
    if source is None:
        beside = None if judgments is None or config.model == "majority_vote" else judgments.model_votes
        return judgments, beside
    if judgments is None:
        return judgments, _voted(source, config, listener)
    if judgments.model_votes is not None:
        judgments = replace(judgments, model_votes=None)
    named = [source] if isinstance(source, str) else source
    if isinstance(named, list) and [*map(str, named)] == [NONE]:
        return judgments, None
    return judgments, _voted(source, config, listener)


def are_of_judges(source: Any) -> bool:
    """Whether all files of a source hold verdicts of LLM judges."""
    named = [source] if isinstance(source, (str, Path)) else source
    if not (isinstance(named, Sequence) and named and all(isinstance(one, (str, Path)) for one in named)):
        return False
    return all(judge_panels.kind_of(head_of(Path(one))) for one in named)


def _voted(source: Any, config: RunConfig, listener: Listener) -> ModelVotes:
    if isinstance(source, ModelVotes):
        return source
    return read_votes_of_run(_told(source, listener) or source, config, listener.stage)


def _with_gold(judgments: Judgments | None, gold: Any, config: RunConfig) -> tuple[Judgments | None, Gold | None]:
    """Judgments and gold: as they are read, or as the judgments of some workers are gold.

    Raises
    ------
    ConsensusError
        Gold can't be read, is given twice, or there are no judgments that could be.
    """
    if config.gold_worker:
        return with_gold_workers(judgments, gold, config.gold_worker)
    named = {"item": config.gold_item, "label": config.gold_label}
    if gold is None:
        if any(named.values()):
            option = next(f"--gold-{role}" for role, name in named.items() if name)
            raise ConfigError(
                f"{option}: it names a column of gold, and no gold is given; name its file with --gold, which may be "
                "that of the judgments",
                code="missing_input",
            )
        return judgments, None
    known = gold_by(config, gold, judgments)
    if judgments is not None and known.notes:
        judgments = replace(judgments, notes=(*judgments.notes, *known.notes))
    return judgments, known


def gold_by(config: RunConfig, gold: Any, judgments: Judgments | None) -> Gold:
    """Read gold beside ``judgments`` by the settings of a run.

    Raises
    ------
    FormatError
        It can't be read.
    """
    return read_gold(
        gold,
        item=config.item,
        label=config.label if judgments is None or judgments.reading is None else judgments.reading.label,
        named={"item": config.gold_item, "label": config.gold_label},
        judgments=judgments,
        encoding=config.encoding,
        question=config.question,
    )


def _told(source: Any, listener: Listener) -> list[Path]:
    """The files that a source names, told to the ``listener``; none if it is a table."""
    listed = [source] if isinstance(source, (str, Path)) else source
    if not (isinstance(listed, Sequence) and listed and all(isinstance(one, (str, Path)) for one in listed)):
        return []
    paths = [Path(one) for one in listed]
    listener.stage(
        "reading " + ", ".join(sources.STANDARD_INPUT if path == sources.STDIN else path.name for path in paths)
    )
    return paths
