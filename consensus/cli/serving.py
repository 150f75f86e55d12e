"""``consensus serve``: a state on HTTP."""

from pathlib import Path
from typing import Annotated

import typer

from consensus.cli import job, options
from consensus.cli.options import INPUT, OUTPUT, PERFORMANCE

State = Annotated[
    Path, typer.Argument(help="Folder of a state.", metavar="STATE", show_default=False, rich_help_panel=INPUT)
]
Host = Annotated[
    str,
    typer.Option(
        help="Address to listen at. Beyond this machine it needs a token in the environment variable CONSENSUS_TOKEN, "
        "which each request then has to send (Authorization: Bearer TOKEN).",
        metavar="HOST",
        rich_help_panel=OUTPUT,
    ),
]
Port = Annotated[
    int,
    typer.Option(
        help="Port to listen at. 0 is a free one.", metavar="NUMBER", min=0, max=65_535, rich_help_panel=OUTPUT
    ),
]
RefitAfter = Annotated[
    float,
    typer.Option(
        help="Seconds after which new judgments are fitted, in the background.",
        metavar="NUMBER",
        min=0.0,
        rich_help_panel=PERFORMANCE,
    ),
]
RefitJudgments = Annotated[
    int,
    typer.Option(
        help="New judgments that are fitted at once, without waiting for --refit-after.",
        metavar="NUMBER",
        min=1,
        rich_help_panel=PERFORMANCE,
    ),
]
Wait = Annotated[
    float,
    typer.Option(
        help="Seconds to wait while another process has the state open.",
        metavar="NUMBER",
        min=0.0,
        rich_help_panel=PERFORMANCE,
    ),
]
AccessLog = Annotated[
    bool, typer.Option("--access-log", help="Write a line on stderr for each request.", rich_help_panel=OUTPUT)
]


def serve(
    state: State,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    refit_after: RefitAfter = 60.0,
    refit_judgments: RefitJudgments = 1_000,
    wait: Wait = 60.0,
    access_log: AccessLog = False,
    quiet: options.Quiet = False,
) -> None:
    """Serve a state on HTTP: judgments come in, and a router asks what is next.

    Judgments are on the disk before they are acknowledged. /docs on the service tells what can be asked.
    """
    show = job.Show(quiet)

    from consensus.serve import server
    from consensus.serve.settings import Reached

    reached = Reached.of(host, port)
    job.compile_all(show)
    server.serve(
        state,
        reached,
        seconds=refit_after,
        judgments=refit_judgments,
        wait=wait,
        access_log=access_log,
        say=show.say,
    )
