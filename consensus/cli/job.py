"""What every command does first: settle the settings, read, fit; with progress on a terminal."""

import time
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from consensus.cli.terminal import visible

if TYPE_CHECKING:
    from consensus.runs import Inputs, Run

PHASES = {
    "reading": "read+encode",
    "sorting": "sort",
    "compiling": "compile",
    "counting": "count",
    "painting": "paint",
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
        from rich.console import Console  # a help text needs no screen
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

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
        self.console.print(visible(line), markup=False)

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
        gained = f", gained {gain:.2g}" if done > 1 else ""
        self.stage(f"{stage}: pass {done}, objective {objective:.4f}{gained}")

    def tell_timings(self) -> None:
        """Print the seconds of each phase, if they are wanted (also with ``quiet``)."""
        if not self._timings:
            return
        from rich.console import Console

        seconds: dict[str, float] = {}
        ends = [begin for _, begin in self._marks[1:]] + [time.perf_counter()]
        for (phase, begin), end in zip(self._marks, ends, strict=True):
            seconds[phase] = seconds.get(phase, 0.0) + end - begin
        lines = [f"timing {phase:12} {spent:9.3f} s" for phase, spent in seconds.items()]
        if len(self._passes) > 1:
            a_pass = (self._passes[-1] - self._passes[0]) / (len(self._passes) - 1)
            lines.append(f"timing {'pass':12} {a_pass:9.4f} s")
        Console(stderr=True, highlight=False, soft_wrap=True).print("\n".join(lines), markup=False)


def run_of(inputs: "Inputs", show: Show) -> "Run":
    """What a run finds; loops that it needs are compiled before, and that is said."""
    from consensus.runs import Run

    compile_all(show, with_votes=inputs.model_votes is not None)
    return Run(inputs, listener=show)


def say_compiling(show: Show) -> None:
    """Say that the loops over pixels are compiled on the way, where that was never done on this machine."""
    from consensus.kernels import are_compiled

    if not are_compiled(with_masks=True):
        show.say("compiling the inner loops, once on this machine (some 20 s) ...")


def compile_all(show: Show, with_votes: bool = False) -> None:
    """Compile all loops where that was never done on this machine, and say so: it takes a few seconds."""
    from consensus.kernels import are_compiled

    if are_compiled(with_votes):
        return
    show.say("compiling the inner loops, once on this machine (some 20 s) ...")
    show.stage("compiling the inner loops, once on this machine")
    from dataclasses import replace

    import numpy as np

    from consensus import escalation, simulation, worker_audit
    from consensus.models.base import fit

    drawn = simulation.simulate(100, 6, 2, 4)  # enough judgments to hold some out
    result = fit(drawn.judgments)
    if with_votes:
        for soft in (False, True):
            fit(drawn.judgments, model_votes=simulation.simulate_votes(drawn, 2, soft=soft))
    worker_audit.audit(result)
    j = simulation.simulate(100, 12, 2, 6).judgments
    said = np.zeros(j.n_items, np.int32)
    copying = j.worker < 5  # enough to be a group
    said[j.item[copying]] = j.label[copying]
    copied = replace(j, label=np.where(copying, said[j.item], j.label))
    worker_audit.merged(copied, worker_audit.groups(fit(copied)))
    escalation.escalate(result)
