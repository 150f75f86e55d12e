"""The command line: parse, call, print. Tables go to stdout, words and progress to stderr."""

from typing import Annotated

import typer

from consensus import __version__
from consensus.cli import auditing, budgeting, comparing, evaluating, explaining, planning, running, simulating, tables

app = typer.Typer(
    help="Merge redundant judgments into labels with confidence, audit workers, list what needs more judgments.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"consensus {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version


app.command("run")(running.run)
app.command("plan")(planning.plan)
app.command("plan-budget")(budgeting.plan_budget)
app.command("aggregate")(tables.aggregate)
app.command("audit")(auditing.audit)
app.command("agreement")(tables.agreement)
app.command("escalate")(tables.escalate)
app.command("report")(explaining.report)
app.command("explain")(explaining.explain)
app.command("diff")(comparing.diff)
app.command("evaluate")(evaluating.evaluate)
app.command("simulate")(simulating.simulate)
app.command("demo")(simulating.demo)
