"""``consensus run``: the whole job."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from consensus.cli import failing, job, options, requeueing, running_questions, updating
from consensus.cli.options import OUTPUT, Given
from consensus.cli.settings import Takes

if TYPE_CHECKING:
    from consensus.config import RunConfig


@dataclass(frozen=True)
class Written:
    """What is written, and where."""

    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder to write.", metavar="FOLDER", rich_help_panel=OUTPUT)
    ] = Path("consensus-out")
    overwrite: options.Overwrite = False
    posteriors: Annotated[
        bool, typer.Option("--posteriors", help="Also write posteriors.csv.", rich_help_panel=OUTPUT)
    ] = False
    format: Annotated[
        Literal["csv", "parquet", "jsonl"],
        typer.Option(help="Format of the tables.", metavar="csv|parquet|jsonl", rich_help_panel=OUTPUT),
    ] = "csv"
    raw_cells: options.RawCells = False
    requeue: Annotated[
        str | None,
        typer.Option(
            help="Also write the escalation list as the file that a platform takes, FOLDER-PLATFORM beside the folder; "
            "see consensus requeue.",
            metavar="PLATFORM",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = None
    report: Annotated[
        bool | None,
        typer.Option(
            "--report/--no-report",
            help="Also write report.html, a page to look at. Default: if its libraries are installed.",
            rich_help_panel=OUTPUT,
        ),
    ] = None


def run(
    given: Given,
    chosen: Annotated[
        "RunConfig",
        Takes(
            "ReadConfig",
            "VotesConfig",
            "GoldConfig",
            "FitConfig",
            "EscalateConfig",
            "CollusionConfig",
            "costs",
            "workers",
            "previous",
            "min_worker_judgments",
            "retest",
        ),
    ],
    written: Written,
    paged: options.Paged,
    timings: Annotated[
        bool, typer.Option("--timings", help="Tell how long each phase took.", rich_help_panel=options.PERFORMANCE)
    ] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
    fail_on: options.FailOn = None,
    state: options.KeptState = None,
) -> None:
    """Merge JUDGMENTS into labels, rate workers, list what to escalate: all in a folder.

    Several questions (--by, --questions) run one by one, each into a folder of its own. With --state, consensus update
    adds judgments to it later.
    """
    show = job.Show(quiet, timings)

    from consensus.report import charts, page, words
    from consensus.runs import Inputs, SideInputs, folder

    page_options = paged.options(is_written=written.report is not False)
    side_inputs = SideInputs.read(chosen)  # what can't be used is told before the work begins
    if written.report:
        charts.check()
    with_report = charts.are_there() if written.report is None else written.report
    also = ("posteriors",) if written.posteriors else ()
    output = folder.Output(f".{written.format}", also, written.raw_cells, with_report, page_options, written.overwrite)
    if written.requeue is not None:
        requeueing.check(written.requeue, chosen)
    if state is not None:
        updating.check(state, chosen, written.output)
    if chosen.are_several:
        running_questions.run(given, chosen, written, show, output, side_inputs, json=json)
        failing.refuse(running_questions.warnings(written.output), fail_on)
        return
    inputs = [*given.paths(), *(path for path in (chosen.costs, chosen.workers) if path is not None)]
    out = folder.check(written.output, overwrite=written.overwrite, inputs=inputs)
    with show.stages():
        if state is not None:
            found = updating.first(state, given, chosen, written.output, output, show)
        else:
            read = Inputs.read(
                chosen,
                given.judgments or None,
                model_votes=given.model_votes or None,
                gold=given.gold,
                beside=side_inputs,
                listener=show,
            )
            found = job.run_of(read, show)
        folder.write(found, out, output, show)
    show.tell_timings()
    for line in words.lines(found):
        show.say(line)
    if written.requeue is not None:
        requeueing.beside(found, written.requeue, written.output, show)
    show.say(f"wrote {written.output / page.FILE}" if with_report else f"wrote {written.output}")
    if written.report is None and not with_report:
        show.say(f"no {page.FILE}, a page to look at: {charts.HOW_TO_GET_THEM}")
    if json:
        typer.echo((out / "summary.json").read_text(encoding="utf-8"), nl=False)
    failing.refuse(found.warnings, fail_on)
