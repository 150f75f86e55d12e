"""``--state`` of the commands that look at a fit: what was kept of the last one, in place of a run's folder."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from consensus.errors import ConfigError, StateError

if TYPE_CHECKING:
    from consensus.cli import job
    from consensus.cli.options import Given
    from consensus.config import RunConfig
    from consensus.runs import Run

THEIRS = ("threads", "memory")
"""Settings that never change a result."""


def last(folder: Path, show: "job.Show", chosen: "RunConfig | None" = None) -> "Run":
    """The run of the last fit of a state; by other rules of what is accepted and asked for, where these are ``chosen``.

    Raises
    ------
    ConsensusError
        There was no fit, or a setting that is chosen had a say in it.
    """
    from dataclasses import replace

    from consensus.config import EscalateConfig, RunConfig
    from consensus.runs import Run, SideInputs
    from consensus.state import State

    show.stage("reading the state")
    found = State.open(folder).last()
    if chosen is None:
        return found
    given = {name: getattr(chosen, name) for name in chosen.model_fields_set}
    free = {*EscalateConfig.model_fields, "costs", "workers", "previous", *THEIRS}
    for name, value in given.items():
        if name not in free and value != getattr(found.inputs.config, name):
            raise ConfigError(f"setting {name}: the state was fitted with another one; leave it out, or run again")
    config = RunConfig.of(found.inputs.config, **given)
    beside = SideInputs.read(config)
    previous = None if beside.previous is None else beside.previous.among(found.result.judgments)
    inputs = replace(found.inputs, config=config, costs=beside.costs, pool=beside.pool, previous=previous)
    return Run(inputs, result=found.result, listener=show)


def output_of(folder: Path) -> Path:
    """The output folder of a state.

    Raises
    ------
    StateError
        It names none, or that is gone.
    """
    from consensus.state import State

    told = State.open(folder).manifest.options.get("output")
    found = None if told is None else Path(told["folder"])
    if found is None or not found.is_dir():
        what = "it names no output folder" if found is None else f"its output folder {found} is gone"
        raise StateError(f"{what}; name a file with --output", folder)
    return found


def refuse_both(given: Path | None, name: str) -> None:
    """Refuse a folder beside a state."""
    if given is not None:
        raise typer.BadParameter(f"give {name} or --state, not both")


def refuse_files(given: "Given") -> None:
    """Refuse files beside a state."""
    if given.judgments or given.model_votes or given.gold:
        raise typer.BadParameter("--state holds what was read; add files to it with consensus update, or leave it out")


def refuse_pseudonyms(chosen: "RunConfig") -> None:
    """Refuse a key of pseudonyms: workers get them when they are read.

    Raises
    ------
    ConfigError
        One is given.
    """
    if chosen.pseudonyms is not None:
        raise ConfigError("--pseudonyms: a state knows workers by name; make the page from a run with this option")
