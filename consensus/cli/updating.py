"""``consensus update``, and ``consensus run --state``: what came is kept, and new judgments are added to it."""

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from consensus.cli import failing, job, options
from consensus.cli.options import INPUT, MODEL, OUTPUT, PERFORMANCE
from consensus.cli.settings import Takes

if TYPE_CHECKING:
    from consensus.cli.options import Given
    from consensus.config import RunConfig
    from consensus.runs import Run
    from consensus.runs.folder import Output
    from consensus.state import Appended, Updated

StateFolder = Annotated[
    Path, typer.Argument(help="Folder of a state.", metavar="STATE", show_default=False, rich_help_panel=INPUT)
]
New = Annotated[
    list[Path] | None,
    typer.Argument(
        help=f"{options.FILES} Those that came before are passed over; there may be none.",
        metavar="NEW",
        show_default=False,
        rich_help_panel=INPUT,
    ),
]
Retract = Annotated[
    Path | None,
    typer.Option(
        help="File of what is taken back (item and worker; worker; or file). A row names one judgment, all judgments "
        "of a worker, or a source by its name or SHA-256. It works on what came before.",
        metavar="FILE",
        rich_help_panel=INPUT,
    ),
]
Full = Annotated[
    bool,
    typer.Option(
        "--full",
        help="Fit from nothing. The output is, to the last bit, that of a run of all that came.",
        rich_help_panel=MODEL,
    ),
]
FullAfter = Annotated[
    float,
    typer.Option(
        min=0.0,
        max=1.0,
        help="Share of new judgments after which a fit begins from nothing. Of all judgments, since the last such fit; "
        "0 is always.",
        metavar="SHARE",
        rich_help_panel=MODEL,
    ),
]
Wait = Annotated[
    float,
    typer.Option(
        min=0.0,
        help="Seconds to wait while another process writes the state.",
        metavar="NUMBER",
        rich_help_panel=PERFORMANCE,
    ),
]


def update(
    folder: StateFolder,
    computing: Annotated["RunConfig", Takes("threads")],
    new: New = None,
    model_votes: options.ModelVotes = None,
    gold: options.Gold = None,
    retract: Retract = None,
    full: Full = False,
    full_after: FullAfter = 0.1,
    wait: Wait = 60.0,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder to write. Default: the one that run --state named, whose older output is replaced.",
            metavar="FOLDER",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    overwrite: options.Overwrite = False,
    timings: Annotated[
        bool, typer.Option("--timings", help="Tell how long each phase took.", rich_help_panel=PERFORMANCE)
    ] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
    fail_on: options.FailOn = None,
) -> None:
    """Add what is NEW to a STATE, fit from where the last fit ended, and write the output folder anew.

    A worker who judges an item again corrects themselves, as --repeats of the run said.
    """
    show = job.Show(quiet, timings)

    from consensus.errors import StateError
    from consensus.inputs.counted import counted
    from consensus.runs import folder as out_folder
    from consensus.runs.folder import Output
    from consensus.state import State, absorbing

    state = State.open(folder)
    written = state.manifest.options.get("output")
    if written is not None:
        named = output or Path(written["folder"])
    elif output is not None:
        named = output
    else:
        raise StateError("it was made in Python and names no output folder; give one with --output", folder)
    read = [path for path in (*(new or ()), *(model_votes or ()), gold, retract, folder) if path is not None]
    out = out_folder.check(named, overwrite=overwrite or output is None, inputs=read)
    with show.stages():
        with state.locked(wait):
            left = absorbing.absorb_left(state, wait)
            with state.tried():
                came = state.append(
                    new or None, model_votes=model_votes or None, gold=gold, retract=retract, listener=show
                )
                job.compile_all(show, with_votes=any(event.models for event in state.manifest.events))
                done = state.update(full=full, full_after=full_after, threads=computing.threads, listener=show)
        made = Output() if written is None else _output(written)
        out_folder.write(done.run, out, made, show)
    show.tell_timings()
    if left:
        show.say(f"{counted(left, 'judgment')} that a stream left came in, too")
    for line in (*told(came, done), *_lines(done.run)):
        show.say(line)
    show.say(f"wrote {named}")
    if json:
        typer.echo((out / "summary.json").read_text(encoding="utf-8"), nl=False)
    failing.refuse(done.run.warnings, fail_on)


def check(state: Path, chosen: "RunConfig", output: Path) -> None:
    """Refuse, before any work is done, a state that can't be made, or that lies in the output or around it.

    Raises
    ------
    ConsensusError
        It is such a one.
    """
    from consensus.errors import ConfigError
    from consensus.state.state import refuse_folder, refuse_settings

    refuse_settings(chosen)
    refuse_folder(state)
    real, out = state.resolve(), output.resolve()
    if real == out or out in real.parents or real in out.parents:
        raise ConfigError(f"--state {state}: it and the output {output} would lie in each other; choose another folder")


def first(state: Path, given: "Given", chosen: "RunConfig", named: Path, output: "Output", show: job.Show) -> "Run":
    """What a run finds, whose inputs and fit are kept in a new ``state``; where it fails, there is none.

    Raises
    ------
    ConsensusError
        Something stands there, or the run fails.
    """
    from consensus.state import State

    votes: Any = given.model_votes or None
    without = [*map(str, votes or ())] == ["none"]
    kept = {
        "output": {
            "folder": str(named.absolute()),
            "ending": output.ending,
            "also": list(output.also),
            "raw_cells": output.raw_cells,
            "report": output.report,
            "page": asdict(output.page),
        },
        **({"model_votes": "none"} if without else {}),
    }
    made = State.create(state, chosen, options=kept)
    try:
        came = made.append(
            given.judgments or None, model_votes=None if without else votes, gold=given.gold, listener=show
        )
        for line in came.said:
            show.say(f"note: {line}")
        job.compile_all(show, with_votes=any(event.models for event in made.manifest.events))
        return made.update(full=True, listener=show).run
    except BaseException:
        shutil.rmtree(state, ignore_errors=True)
        raise


def told(came: "Appended", done: "Updated") -> list[str]:
    """What came, and how it was fitted."""
    from consensus.inputs.counted import counted

    new = f"{counted(came.judgments, 'judgment is', 'judgments are')} new"
    how = "fitted from nothing" if done.full else "fitted from where the last fit ended"
    since = "" if done.full else f" ({counted(done.n_new, 'judgment', 'judgments')} since the last fit from nothing)"
    return [*(f"note: {line}" for line in came.said), f"{new}; {how}{since}"]


def _lines(run: "Run") -> list[str]:
    from consensus.report import words

    return words.lines(run)


def _output(told: dict[str, Any]) -> "Output":
    """How the run that made the state wrote its output; no page where its libraries are gone."""
    from consensus.report import charts
    from consensus.report.page_options import PageOptions
    from consensus.runs.folder import Output

    page: PageOptions = PageOptions(**told["page"])
    return Output(told["ending"], tuple(told["also"]), told["raw_cells"], told["report"] and charts.are_there(), page)
