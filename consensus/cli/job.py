"""What every command does first: settle the settings, read, fit; with progress on a terminal."""

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from consensus.cli import options
from consensus.errors import ConfigError

if TYPE_CHECKING:
    from consensus.config import RunConfig
    from consensus.costs import Costs
    from consensus.judgments import Gold, Judgments
    from consensus.pool import Pool
    from consensus.previous import Previous
    from consensus.result import Consensus

PHASES = {
    "reading": "read+encode",
    "sorting": "sort",
    "compiling": "compile",
    "fitting": "fit",
    "held-out": "temper",
    "tempering": "temper",
    "diagnosing": "diagnose",
    "summary": "summary",
    "escalating": "escalate",
    "auditing": "audit",
    "comparing": "agreement",
    "replaying": "replay",
    "writing": "write",
    "reporting": "report",
}
"""Phase of a stage, by the first word of its name."""


class Show:
    """Words and progress on stderr: progress only on a terminal, no words with ``quiet``.

    With ``timings`` it also tells, in the end, how long each phase took.
    """

    def __init__(self, quiet: bool, timings: bool = False) -> None:
        self.console = Console(stderr=True, quiet=quiet, highlight=False, soft_wrap=True)
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(20), TimeElapsedColumn())
        self._hidden = quiet or not self.console.is_terminal
        self._progress = Progress(*columns, console=self.console, transient=True)
        self._task = self._progress.add_task("starting", total=None)
        self._timings = timings
        self._marks: list[tuple[str, float]] = [("start-up", time.perf_counter() - time.process_time())]
        self._passes: list[float] = []

    def say(self, line: str) -> None:
        """One line of words."""
        self.console.print(line, markup=False)

    def stages(self) -> AbstractContextManager[object]:
        """While open, ``stage`` and its likes show what is going on."""
        return nullcontext() if self._hidden else self._progress

    def stage(self, what: str, done: float | None = None) -> None:
        """Name the stage that goes on, and which fraction of it is done where that is known."""
        phase = PHASES.get(what.split(maxsplit=1)[0].rstrip(":"), "other")
        if phase != self._marks[-1][0]:
            self._marks.append((phase, time.perf_counter()))
        if not self._hidden:
            self._progress.update(self._task, description=what, total=None if done is None else 1.0, completed=done)

    def fitting(self, stage: str, done: int, objective: float, gain: float) -> None:
        """Tell how EM goes on (a ``Progress`` of ``consensus.models``)."""
        if not done:
            self.stage(stage)
            return
        if stage == "fitting":
            self._passes.append(time.perf_counter())
        gained = f", gained {gain:.2g} nats" if done > 1 else ""
        self.stage(f"{stage}: pass {done}, objective {objective:.4f}{gained}")

    def tell_timings(self) -> None:
        """Print the seconds of each phase, if they are wanted (also with ``quiet``)."""
        if not self._timings:
            return
        seconds: dict[str, float] = {}
        ends = [begin for _, begin in self._marks[1:]] + [time.perf_counter()]
        for (phase, begin), end in zip(self._marks, ends, strict=True):
            seconds[phase] = seconds.get(phase, 0.0) + end - begin
        lines = [f"timing {phase:12} {spent:9.3f} s" for phase, spent in seconds.items()]
        if len(self._passes) > 1:
            a_pass = (self._passes[-1] - self._passes[0]) / (len(self._passes) - 1)
            lines.append(f"timing {'pass':12} {a_pass:9.4f} s")
        Console(stderr=True, highlight=False, soft_wrap=True).print("\n".join(lines), markup=False)


def settings(parameters: Mapping[str, Any]) -> "RunConfig":
    """Settings of a command: the file of ``--config``, overruled by the options that were given.

    Raises
    ------
    ConfigError
        A setting is unknown or out of range.
    typer.BadParameter
        There are neither judgments nor model votes.
    """
    from consensus.config import RunConfig

    if not parameters["judgments"] and not parameters.get("model_votes"):
        raise typer.BadParameter("give files of judgments, or of model votes with --model-votes")
    file = parameters.get("config")
    from_file = {} if file is None else RunConfig.from_toml(file)
    return RunConfig.of(None, **(from_file | options.given(parameters, RunConfig.model_fields)))


def judged(paths: list[Path], config: "RunConfig", show: Show) -> "Judgments":
    """Read judgments, unless it is plain before that they need more memory than there is.

    Raises
    ------
    ConsensusError
        The files or settings can't be used.
    """
    from consensus import memory
    from consensus.config import ReadConfig
    from consensus.formats import read
    from consensus.formats.sizes import at_least_rows

    show.stage("reading " + ", ".join(path.name for path in paths))
    memory.refuse(memory.of_reading(at_least_rows(paths)), config.memory, "reading " + ", ".join(map(str, paths)))
    return read(paths, threads=config.threads, progress=show.stage, **config.part(ReadConfig))


def fitted(
    paths: list[Path] | None, model_votes: list[Path] | None, gold: Path | None, config: "RunConfig", show: Show
) -> "tuple[Consensus, Gold | None]":
    """Read and fit.

    Raises
    ------
    ConsensusError
        The files or settings can't be used.
    """
    from consensus.config import FitConfig
    from consensus.formats import read_gold, read_model_votes

    judgments = judged(paths, config, show) if paths else None
    votes = None
    if model_votes:
        show.stage("reading " + ", ".join(path.name for path in model_votes))
        votes = read_model_votes(
            model_votes,
            item=config.item,
            label=config.label,
            abstain=config.abstain,
            threads=config.threads,
            progress=show.stage,
        )
    known = None if gold is None else read_gold(gold, item=config.item, label=config.label)
    compile_all(show, with_votes=votes is not None)
    from consensus import worker_audit

    show.stage("fitting")
    result = worker_audit.fit_without_copies(
        judgments,
        collusion=config.collusion,
        model_votes=votes,
        gold=known,
        progress=show.fitting,
        **config.part(FitConfig),
    )
    return result, known


def asked(config: "RunConfig") -> "Pool | None":
    """Read who can be asked, where that is said.

    Raises
    ------
    ConsensusError
        The file can't be used, or a skill is named without it.
    """
    from consensus.formats import read_workers

    if config.workers is None and config.skill is not None:
        raise ConfigError(f'skill "{config.skill}": nothing tells who has it; name a file of workers with --workers')
    return None if config.workers is None else read_workers(config.workers)


def previous(config: "RunConfig") -> "Previous | None":
    """Read what an earlier run said, where there was one.

    Raises
    ------
    ConsensusError
        The output can't be used.
    """
    from consensus.formats import read_previous

    return None if config.previous is None else read_previous(config.previous)


def other_inputs(config: "RunConfig") -> dict[str, str | None]:
    """The files that settings name, as text, for the summary."""
    paths = {"costs": config.costs, "workers": config.workers, "previous": config.previous}
    return {name: None if path is None else str(path) for name, path in paths.items()}


def costs(config: "RunConfig") -> "Costs | None":
    """Read the costs of decisions, where there are any.

    Raises
    ------
    ConsensusError
        The file can't be used.
    """
    from consensus.formats import read_costs

    return None if config.costs is None else read_costs(config.costs)


def compile_all(show: Show, with_votes: bool = False) -> None:
    """Compile all loops where that was never done on this machine, and say so: it takes a few seconds."""
    from consensus.kernels import are_compiled

    if are_compiled(with_votes):
        return
    show.say("compiling the inner loops, once on this machine (some 10 s) ...")
    show.stage("compiling the inner loops, once on this machine")
    from dataclasses import replace

    import numpy as np

    from consensus import escalation, simulation, worker_audit
    from consensus.models.base import fit

    drawn = simulation.simulate(60, 6, 2, 4)
    result = fit(drawn.judgments)
    if with_votes:
        for soft in (False, True):
            fit(drawn.judgments, model_votes=simulation.simulate_votes(drawn, 2, soft=soft))
    worker_audit.audit(result)
    j = drawn.judgments
    said = np.zeros(j.n_items, np.int32)
    said[j.item[j.worker == 0]] = j.label[j.worker == 0]
    copied = replace(j, label=np.where(j.worker < 2, said[j.item], j.label))
    worker_audit.merged(copied, worker_audit.groups(fit(copied)))
    escalation.escalate(result)
