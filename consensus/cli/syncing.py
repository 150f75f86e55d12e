"""``consensus label-studio sync``: a state and a project of a Label Studio server are brought to the same."""

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from consensus.cli import job, options
from consensus.cli.options import INPUT, OUTPUT, PERFORMANCE
from consensus.cli.settings import Takes

if TYPE_CHECKING:
    from consensus.config import RunConfig

ABOUT = "Work with the projects of a Label Studio server."
UNITS = {"s": 1, "m": 60, "h": 3600}


def _seconds(given: str | None) -> str | None:
    if given is not None and not re.fullmatch(r"[1-9]\d{0,5}[smh]", given):
        raise typer.BadParameter(f'"{given}" is no time; give one such as 30s, 10m or 1h')
    return given


Url = Annotated[
    str,
    typer.Argument(
        help="Address of the server. The environment variable LABEL_STUDIO_TOKEN holds the token: a personal access "
        "token or a legacy one.",
        metavar="URL",
        show_default=False,
        rich_help_panel=INPUT,
    ),
]
ProjectId = Annotated[
    int, typer.Option("--project", min=1, help="Id of the project.", metavar="NUMBER", rich_help_panel=INPUT)
]
StateFolder = Annotated[
    Path,
    typer.Option(
        "--state", help="Folder of the state. It is made where there is none.", metavar="FOLDER", rich_help_panel=INPUT
    ),
]
Field = Annotated[
    str | None,
    typer.Option(
        help="Name of the control tag whose answers are the labels. Needed where the project has several.",
        metavar="NAME",
        show_default=False,
        rich_help_panel=INPUT,
    ),
]
Worker = Annotated[
    str,
    typer.Option(
        help="What workers are called by: id or email. With email, addresses stand in the state and its tables.",
        metavar="WHAT",
        rich_help_panel=INPUT,
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Tell what is new, and change nothing anywhere.", rich_help_panel=OUTPUT)
]
Every = Annotated[
    str | None,
    typer.Option(
        help="Time after which it is done again, such as 10m, until it is stopped.",
        metavar="TIME",
        callback=_seconds,
        show_default=False,
        rich_help_panel=PERFORMANCE,
    ),
]


def sync(
    url: Url,
    chosen: Annotated["RunConfig", Takes("EscalateConfig", "threads", but=("promise", "random_gold"))],
    project: ProjectId,
    state: StateFolder,
    field: Field = None,
    worker: Worker = "id",
    dry_run: DryRun = False,
    every: Every = None,
    quiet: options.Quiet = False,
) -> None:
    """Pull what is new in a project, fit it, and tell the project: predictions, and which tasks need an annotator.

    A view of the project lists the tasks that need another annotator, the most urgent first.
    """
    show = job.Show(quiet)

    from consensus.errors import ServerError
    from consensus.live import label_studio_server as serving
    from consensus.live.calls import RefusedError
    from consensus.live.label_studio_sync import sync as done_once

    if worker not in {"id", "email"}:
        raise typer.BadParameter(f'--worker "{worker}" is neither id nor email')
    server = serving.Server(url, serving.token_of_environment(), project)
    try:
        if not dry_run:
            job.compile_all(show, with_votes=True)
        while True:
            try:
                with show.stages():
                    done = done_once(
                        server, state, chosen, url=url, field=field, worker=worker, dry_run=dry_run, listener=show
                    )
                for line in done.said:
                    show.say(line)
            except ServerError as error:
                if every is None or isinstance(error, RefusedError):
                    raise
                show.say(f"{error}; it is tried again in {every}")
            if every is None:
                return
            time.sleep(int(every[:-1]) * UNITS[every[-1]])
    finally:
        server.close()


COMMANDS: Mapping[str, Any] = {"sync": sync}
