"""``consensus explain`` and ``report``: a finished run, looked at."""

import json as json_module
import math
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consensus.cli import job, kept_state, options
from consensus.cli.options import INPUT, OUTPUT, STDOUT
from consensus.cli.settings import Takes
from consensus.cli.terminal import visible

if TYPE_CHECKING:
    from rich.table import Table

    from consensus.config import RunConfig
    from consensus.explanation import Explanation

Folder = Annotated[
    Path | None,
    typer.Argument(
        help="Output folder of consensus run.", metavar="RESULT_DIR", show_default=False, rich_help_panel=INPUT
    ),
]
BAR = 12  # characters on either side
PIPED = 100  # characters a line where no terminal says how many


def report(
    computing: Annotated["RunConfig", Takes("threads", "pseudonyms")],
    folder: Folder = None,
    state: options.OfState = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="File to write; - is standard output. Default: report.html in RESULT_DIR.",
            metavar="FILE",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    paged: options.Paged = options.Paged(),  # noqa: B008 - it is frozen
    quiet: options.Quiet = False,
) -> None:
    """Write the page of a finished run, RESULT_DIR, from its inputs; or of the last fit of a state."""
    show = job.Show(quiet)

    from consensus.formats import writing
    from consensus.report import charts, page
    from consensus.runs import finished

    charts.check()
    page_options = paged.options()
    if state is not None:
        kept_state.refuse_both(folder, "RESULT_DIR")
        kept_state.refuse_pseudonyms(computing)
        path = output or kept_state.output_of(state) / page.FILE
    elif folder is None:
        raise typer.BadParameter("give RESULT_DIR, the output folder of a run, or a state with --state")
    else:
        path = output or folder / page.FILE
        finished.summary_of(folder)
    if path != STDOUT:
        writing.check_place(path)
    with show.stages():
        if state is not None:
            found = kept_state.last(state, show)
        else:
            assert folder is not None
            inputs = finished.inputs_of(
                folder, show, threads=computing.threads, side_inputs=True, pseudonyms=computing.pseudonyms
            )
            found = job.run_of(inputs, show)
        if path == STDOUT:
            sys.stdout.buffer.write(page.made(found, show.stage, page_options))
            sys.stdout.buffer.flush()
        else:
            with writing.replacing(path) as file:
                file.write(page.made(found, show.stage, page_options))
    if path != STDOUT:
        show.say(f"wrote {path}")


def explain(
    computing: Annotated["RunConfig", Takes("threads")],
    folder: Folder = None,
    item: Annotated[
        str | None, typer.Argument(help="Id of the item.", show_default=False, metavar="ITEM", rich_help_panel=INPUT)
    ] = None,
    state: options.OfState = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Tell why ITEM has its label: how much each judgment changes the odds, and which decide."""
    show = job.Show(quiet)

    from consensus.runs import finished

    if state is not None:  # then the item stands where the folder would
        kept_state.refuse_both(folder if item is not None else None, "RESULT_DIR")
        item = item or (None if folder is None else str(folder))
    if item is None or (folder is None and state is None):
        raise typer.BadParameter("give RESULT_DIR and ITEM, or --state STATE and ITEM")
    with show.stages():
        if state is not None:
            result = kept_state.last(state, show).result
        else:
            assert folder is not None
            result = job.run_of(finished.inputs_of(folder, show, threads=computing.threads), show).result

    from consensus import explanation
    from consensus.report.summary import without_nan

    one = explanation.of_item(result, item)
    if json:
        typer.echo(json_module.dumps(without_nan(asdict(one)), ensure_ascii=False))
        return

    from rich.console import Console

    console = Console(highlight=False, width=None if Console().is_terminal else PIPED)
    console.print(_table(one))
    for line in meaning(one):
        console.print(visible(line), markup=False)


def meaning(one: "Explanation") -> list[str]:
    """What the weights come to, in words."""
    agreeing = sum(push.said == one.label for push in one.votes)
    said = [f"{agreeing} of {len(one.votes)} judgments say {one.label}"] if one.votes else ["nobody judged it"]
    if math.isnan(one.power):
        return [f"{said[0]}; one judgment an item: nothing tells whom to believe"]
    if one.says:
        from consensus.report import words

        each = (f"{say.reading} {say.label} ({say.confidence:.0%}, {words.fraction(say.weight)})" for say in one.says)
        said.append(f"readings say (sure, weight): {', '.join(each)}")
    decisive = [push for push in one.pushes if push.flips is not None]
    if decisive:
        names = ", ".join(f"{push.who} (then {push.flips})" for push in decisive)
        said.append(f"without any one of these the label would be another: {names}")
    elif len(one.votes) + len(one.models) > 1:
        said.append("no single judgment decides it")
    if one.power < 1.0:
        said.append(f"each counts for {one.power:.0%} of its weight, since judgments of one item err together")
    if one.gold is not None:
        said.append(f"gold says {one.gold}, and that is its label; this is what it would be without")
    return said


def _table(one: "Explanation") -> "Table":
    from rich.markup import escape
    from rich.table import Table

    against = "" if one.runner_up is None else f", before {one.runner_up}"
    sure = "" if math.isnan(one.confidence) else f", {one.confidence:.2%} sure"
    table = Table(
        title=escape(visible(f"{one.item}: {one.label}{against}{sure}")), title_justify="left", title_style="bold"
    )
    for name, justify in (("who", "left"), ("said", "left"), ("odds", "right")):
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]  # a literal
    left = f"for {one.runner_up or 'others'}"
    table.add_column(escape(visible(f"{left:>{BAR - 1}} | for {one.label}")), no_wrap=True)
    table.add_column("without it")
    parts: list[tuple[str, str, float, str | None]] = [("everyone", "how common labels are", one.prior, None)]
    parts += [(push.who, push.said, push.push, push.flips) for push in one.pushes]
    most = max((abs(push) for _, _, push, _ in parts if not math.isnan(push)), default=0.0)
    for who, said, push, flips in parts:
        if math.isnan(push) and who == "everyone":
            continue
        then = "" if flips is None else f"{flips} wins"
        table.add_row(*(escape(visible(cell)) for cell in (who, said, _number(push), _bar(push, most), then)))
    table.add_section()
    table.add_row("together", "", _number(one.log_odds), "", "")
    return table


def _bar(push: float, most: float) -> str:
    length = 0 if math.isnan(push) or not most else round(BAR * abs(push) / most)
    return f"{'#' * length if push < 0 else '':>{BAR}}|{'#' * length if push > 0 else ''}"


def _number(push: float) -> str:
    from consensus.report import words

    return "-" if math.isnan(push) else words.odds(push)
