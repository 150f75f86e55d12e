"""``consensus push``: what a run found, sent to an address."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from consensus.cli import job, options
from consensus.cli.options import INPUT, OUTPUT, PERFORMANCE
from consensus.cli.requeueing import Folder, run_of
from consensus.cli.settings import Takes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consensus.config import RunConfig
    from consensus.push import Page


def push(
    computing: Annotated["RunConfig", Takes("threads")],
    folder: Folder = None,
    state: options.OfState = None,
    url: Annotated[
        str | None,
        typer.Option(
            help="Address to send to. Pages are signed with the secret in the environment variable "
            "CONSENSUS_PUSH_SECRET.",
            metavar="URL",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    table: Annotated[
        Literal["labels", "escalations", "workers"],
        typer.Option(help="What is sent.", metavar="labels|escalations|workers", rich_help_panel=OUTPUT),
    ] = "labels",
    page_size: Annotated[
        int, typer.Option(help="Rows of a page.", min=1, max=100_000, metavar="NUMBER", rich_help_panel=OUTPUT)
    ] = 1000,
    resume: Annotated[
        Path | None,
        typer.Option(
            help="Send the pages in this file, which did not arrive before, and nothing else.",
            metavar="FILE",
            show_default=False,
            rich_help_panel=INPUT,
        ),
    ] = None,
    dead_letters: Annotated[
        Path,
        typer.Option(help="File for pages that do not arrive.", metavar="FILE", rich_help_panel=OUTPUT),
    ] = Path("not-delivered.jsonl"),
    attempts: Annotated[
        int, typer.Option(help="For each page, at most.", min=1, max=100, metavar="NUMBER", rich_help_panel=PERFORMANCE)
    ] = 8,
    timeout: Annotated[
        float,
        typer.Option(
            help="Seconds that an answer may take.", min=0.1, max=3600, metavar="NUMBER", rich_help_panel=PERFORMANCE
        ),
    ] = 30.0,
    quiet: options.Quiet = False,
) -> None:
    """Send a table of a run to an address: pages of JSON, signed, each with a key by which it counts once."""
    show = job.Show(quiet)

    from consensus import push as room
    from consensus.errors import OutputError
    from consensus.formats import writing
    from consensus.inputs.counted import counted

    if url is None:
        raise typer.BadParameter("give the address with --url")
    to, secret = room.address(url), room.secret()
    letters = dead_letters if resume is None else resume
    writing.check_place(letters)
    if resume is None and letters.exists():
        raise OutputError("holds pages that did not arrive; send them with --resume, or remove it", letters)
    with show.stages():
        pages: Iterable[Page]
        if resume is not None:
            pages = room.read_letters(resume)
        else:
            pages = room.pages(run_of(folder, state, show, computing.threads).table(table), table, page_size)
        show.stage("sending")
        told = room.push(
            pages,
            to,
            secret,
            attempts=attempts,
            timeout=timeout,
            tell=lambda n: show.stage(f"sending: {n:,} pages arrived"),
        )
        if told.letters:
            room.write_letters(told.letters, letters)
        elif resume is not None:
            resume.unlink()
    show.say(f"{counted(told.n_delivered, 'page')} arrived")
    if told.letters:
        n = counted(len(told.letters), "page")
        raise OutputError(
            f"{n} did not arrive ({told.letters[0].why}); send them again with --resume {letters}",
            letters,
            code="not_delivered",
        )
