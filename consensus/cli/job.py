"""What every command does first: settle the settings, read, fit; with progress on a terminal."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from consensus.cli import options

if TYPE_CHECKING:
    from consensus.config import RunConfig
    from consensus.judgments import Gold
    from consensus.result import Consensus


class Show:
    """Words and progress on stderr: progress only on a terminal, nothing with ``quiet``."""

    def __init__(self, quiet: bool) -> None:
        self.console = Console(stderr=True, quiet=quiet, highlight=False, soft_wrap=True)
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(20), TimeElapsedColumn())
        self._hidden = quiet or not self.console.is_terminal
        self._progress = Progress(*columns, console=self.console, transient=True)
        self._task = self._progress.add_task("starting", total=None)

    def say(self, line: str) -> None:
        """One line of words."""
        self.console.print(line, markup=False)

    def stages(self) -> AbstractContextManager[object]:
        """While open, ``stage`` and ``fitting`` show what is going on."""
        return nullcontext() if self._hidden else self._progress

    def stage(self, what: str) -> None:
        """Name the stage that begins."""
        self._progress.update(self._task, description=what)

    def fitting(self, stage: str, done: int, objective: float, gain: float) -> None:
        """Tell how EM goes on (a ``Progress`` of ``consensus.models``)."""
        gained = f", gained {gain:.2g} nats" if done > 1 else ""
        self.stage(f"{stage}: pass {done}, objective {objective:.4f}{gained}")


def settings(parameters: Mapping[str, Any]) -> "RunConfig":
    """Settings of a command: the file of ``--config``, overruled by the options that were given.

    Raises
    ------
    ConfigError
        A setting is unknown or out of range.
    """
    from consensus.config import RunConfig

    file = parameters.get("config")
    from_file = {} if file is None else RunConfig.from_toml(file)
    return RunConfig.of(None, **(from_file | options.given(parameters, RunConfig.model_fields)))


def fitted(paths: list[Path], gold: Path | None, config: "RunConfig", show: Show) -> "tuple[Consensus, Gold | None]":
    """Read and fit.

    Raises
    ------
    ConsensusError
        The files or settings can't be used.
    """
    from consensus.config import FitConfig, ReadConfig
    from consensus.formats import read, read_gold

    show.stage("reading " + ", ".join(path.name for path in paths))
    judgments = read(paths, threads=config.threads, **config.part(ReadConfig))
    known = None if gold is None else read_gold(gold, item=config.item, label=config.label)
    show.stage("compiling (the first run on a machine only)")
    from consensus.models import dawid_skene

    show.stage("fitting")
    result = dawid_skene.fit(judgments, gold=known, progress=show.fitting, **config.part(FitConfig))
    return result, known
