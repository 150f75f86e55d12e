"""``consensus push``: a table of a finished run, sent to a URL."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consensus.cli import explaining, job, kept_state, options
from consensus.cli.options import OUTPUT, PERFORMANCE
from consensus.cli.settings import Takes

if TYPE_CHECKING:
    from consensus.config import RunConfig

Url = Annotated[
    str,
    typer.Option(
        help="Address that pages are sent to (POST). Each is signed with the secret in the environment variable "
        "CONSENSUS_PUSH_SECRET.",
        metavar="URL",
        show_default=False,
        rich_help_panel=OUTPUT,
    ),
]
Table = Annotated[
    str,
    typer.Option(
        help="Table to send, by the name of its file without the ending.", metavar="NAME", rich_help_panel=OUTPUT
    ),
]
PageSize = Annotated[
    int, typer.Option(min=1, max=100_000, help="Rows a page.", metavar="NUMBER", rich_help_panel=OUTPUT)
]
DeadLetters = Annotated[
    Path | None,
    typer.Option(
        help="File of what did not arrive, and of what did. Default: beside the result, with .push.jsonl behind its "
        "name; it is removed when all arrived.",
        metavar="FILE",
        show_default=False,
        rich_help_panel=OUTPUT,
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Send what an earlier push did not bring.", rich_help_panel=OUTPUT)
]
Attempts = Annotated[
    int,
    typer.Option(
        min=1, max=100, help="Times that a page is sent at most.", metavar="NUMBER", rich_help_panel=PERFORMANCE
    ),
]
Timeout = Annotated[
    float,
    typer.Option(min=0.001, help="Seconds to wait for an answer.", metavar="NUMBER", rich_help_panel=PERFORMANCE),
]


def push(
    computing: Annotated["RunConfig", Takes("threads")],
    url: Url,
    folder: explaining.Folder = None,
    state: options.OfState = None,
    table: Table = "labels",
    page_size: PageSize = 500,
    dead_letters: DeadLetters = None,
    resume: Resume = False,
    attempts: Attempts = 6,
    timeout: Timeout = 30.0,
    quiet: options.Quiet = False,
) -> None:
    """Send a table of a finished run, RESULT_DIR, or of the last fit of a state, to a URL: pages of JSON, signed."""
    show = job.Show(quiet)

    from consensus.errors import ServerError
    from consensus.live import pages, pushing
    from consensus.live.calls import Patience, check_libraries
    from consensus.runs import finished

    if state is not None:
        kept_state.refuse_both(folder, "RESULT_DIR")
    elif folder is None:
        raise typer.BadParameter("give RESULT_DIR, the output folder of a run, or a state with --state")
    of = state or folder
    assert of is not None
    journal = dead_letters or of.resolve().with_name(f"{of.resolve().name}.push.jsonl")
    check_libraries()
    secret = pushing.check(url, journal, resume=resume)
    with show.stages():
        if state is not None:
            found = kept_state.last(state, show)
        else:
            found = job.run_of(finished.inputs_of(of, show, threads=computing.threads, side_inputs=True), show)
        rows = found.table(table)
        show.stage("sending")
        patience = Patience(attempts=attempts, timeout=timeout)
        done = pushing.push(pages.pages(table, rows, page_size), url, secret, journal, patience=patience, say=show.say)
    *_, last = lines = pushing.told(done, url, journal)
    for line in lines[:-1] if done.dead else lines:
        show.say(line)
    if done.dead:
        raise ServerError(last)
