"""``consensus requeue`` and ``consensus export``: a finished run, in files that a platform takes."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consensus.cli import job, kept_state, options
from consensus.cli.options import INPUT, OUTPUT, STDOUT
from consensus.cli.settings import Takes

if TYPE_CHECKING:
    from consensus.config import RunConfig
    from consensus.requeue import Sent
    from consensus.runs import Run

Folder = Annotated[
    Path | None,
    typer.Argument(
        help="Output folder of consensus run.", metavar="RESULT_DIR", show_default=False, rich_help_panel=INPUT
    ),
]
To = Annotated[
    str | None,
    typer.Option(
        help="Platform. Default: the one that the judgments are an export of.",
        metavar="PLATFORM",
        show_default=False,
        rich_help_panel=OUTPUT,
    ),
]
Source = Annotated[
    list[Path] | None,
    typer.Option(
        help="The export that the run read, where it lies now. Repeat for each file.",
        metavar="FILE",
        show_default=False,
        rich_help_panel=INPUT,
    ),
]
Written = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        help="File to write; - is standard output. Default: RESULT_DIR-PLATFORM with the ending that the platform "
        "takes.",
        metavar="FILE",
        show_default=False,
        rich_help_panel=OUTPUT,
    ),
]


def requeue(
    computing: Annotated["RunConfig", Takes("threads")],
    folder: Folder = None,
    state: options.OfState = None,
    source: Source = None,
    to: To = None,
    output: Written = None,
    until_settled: Annotated[
        bool,
        typer.Option(
            "--until-settled",
            help="Ask at once for as many judgments of an item as it is expected to need. Default: as many as the "
            "escalation list asks for now.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    top: Annotated[
        int | None, typer.Option(help="Items at most.", metavar="NUMBER", show_default=False, rich_help_panel=OUTPUT)
    ] = None,
    gold: Annotated[
        bool, typer.Option("--gold", help="Also propose test questions (CrowdFlower).", rich_help_panel=OUTPUT)
    ] = False,
    quiet: options.Quiet = False,
) -> None:
    """Write the escalation list of a run as the file that its platform takes, with the source columns of the export.

    Platforms: argilla, crowdflower, crowdflower-json, doccano, label-studio, mturk, prodigy, sagemaker, toloka and
    zooniverse.
    """
    show = job.Show(quiet)

    from consensus import requeue as room

    with show.stages():
        run = run_of(folder, state, show, computing.threads, source)
        sent = room.requeue(run, to, source=source or (), until_settled=until_settled, top=top, gold=gold)
        path = _put(sent, run, output, folder or state)
    _tell(sent, path, show)


def export(
    computing: Annotated["RunConfig", Takes("threads")],
    folder: Folder = None,
    state: options.OfState = None,
    source: Source = None,
    to: To = None,
    output: Written = None,
    approve: Annotated[
        bool,
        typer.Option(
            "--approve",
            help="Of Mechanical Turk: the results file, with Approve or Reject filled in where an assignment waits for "
            "it. Rejected are spammers and adversarial workers with 30 judgments or more whose verdict has a "
            "probability of .99 or more.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    quiet: options.Quiet = False,
) -> None:
    """Write the labels of a run as the platform's own report of them.

    Platforms: those of consensus requeue, but for mturk, which has --approve.
    """
    show = job.Show(quiet)

    from consensus import requeue as room
    from consensus.inputs.counted import counted

    with show.stages():
        run = run_of(folder, state, show, computing.threads, source)
        sent = room.export(run, to, source=source or (), approve=approve)
        path = _put(sent, run, output, folder or state)
    for line in sent.said:
        show.say(line)
    if path != STDOUT:
        show.say(f"wrote {path} for {sent.platform}: {counted(sent.n_items, 'item')}")


def check(platform: str, chosen: "RunConfig") -> None:
    """Refuse, before any work is done, a platform that nothing goes back to, and several questions at once.

    Raises
    ------
    ConfigError
        It is unknown, or there are several questions.
    """
    from consensus import requeue as room
    from consensus.errors import ConfigError

    room.settle(platform, ())
    if chosen.are_several:
        raise ConfigError("--requeue: a run of several questions writes no file for a platform; use consensus requeue")


def beside(run: "Run", platform: str, folder: Path, show: job.Show) -> None:
    """Write what a run asks for beside its ``folder``, and tell."""
    from consensus import requeue as room

    sent = room.requeue(run, platform)
    _tell(sent, _put(sent, run, None, folder), show)


def _tell(sent: "Sent", path: Path, show: job.Show) -> None:
    from consensus.inputs.counted import counted

    for line in sent.said:
        show.say(line)
    if path != STDOUT:
        asked = f"{counted(sent.n_items, 'item')}, {counted(sent.n_judgments, 'judgment')} to ask for"
        show.say(f"wrote {path} for {sent.platform}: {asked}")


def run_of(
    folder: Path | None, state: Path | None, show: job.Show, threads: int | None, source: list[Path] | None
) -> "Run":
    """What a finished run, or the last fit of a state, found; its inputs may be among the files of ``source``."""
    from consensus.runs import finished

    if state is not None:
        kept_state.refuse_both(folder, "RESULT_DIR")
        return kept_state.last(state, show)
    if folder is None:
        raise typer.BadParameter("give RESULT_DIR, the output folder of a run, or a state with --state")
    inputs = finished.inputs_of(folder, show, threads=threads, side_inputs=True, moved=source or ())
    return job.run_of(inputs, show)


def _put(sent: "Sent", run: "Run", output: Path | None, source: Path | None) -> Path:
    """Write it, whole or not at all, and never over an input."""
    from consensus.errors import OutputError
    from consensus.formats import writing
    from consensus.requeue import PLATFORMS, original

    assert source is not None
    if output == STDOUT:
        sys.stdout.buffer.write(sent.content)
        sys.stdout.buffer.flush()
        return output
    beside = source.resolve()
    path = output or beside.with_name(f"{beside.name}-{sent.platform}{PLATFORMS[sent.platform].ENDING}")
    if original.is_read(run.result.judgments, path):
        raise OutputError("this is the export that was read, and it would be lost; choose another --output", path)
    writing.check_place(path)
    writing.write_bytes(sent.content, path)
    return path
