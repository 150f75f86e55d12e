"""The command line: parse, call, print. Tables go to stdout, words and progress to stderr."""

from typing import Annotated

import typer

from consensus import __version__
from consensus.cli import (
    auditing,
    budgeting,
    checking,
    chunking,
    comparing,
    evaluating,
    explaining,
    gold_planning,
    help_text,
    printing,
    pushing,
    requeueing,
    running,
    serving,
    settings,
    sharing,
    simulating,
    syncing,
    updating,
)

app = typer.Typer(
    cls=settings.Commands,
    help="Merge redundant judgments into labels with confidence, audit workers, list what needs more judgments.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"max_content_width": help_text.WIDTH},
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


settings.add(app, "run", running.run)
settings.add(app, "update", updating.update)
settings.add(app, "check", checking.check)
settings.add(app, "plan-budget", budgeting.plan_budget)
settings.add(app, "plan-gold", gold_planning.plan_gold)
settings.add(app, "aggregate", printing.aggregate)
settings.add(app, "audit", auditing.audit)
settings.add(app, "agreement", printing.agreement)
settings.add(app, "escalate", printing.escalate)
settings.add(app, "requeue", requeueing.requeue)
settings.add(app, "export", requeueing.export)
settings.add(app, "shares", sharing.shares)
settings.add(app, "report", explaining.report)
settings.add(app, "explain", explaining.explain)
settings.add(app, "diff", comparing.diff)
settings.add(app, "evaluate", evaluating.evaluate)
chunks = typer.Typer(
    cls=settings.Commands, help=chunking.ABOUT, no_args_is_help=True, add_completion=False, rich_markup_mode=None
)
for _name, _body in chunking.COMMANDS.items():
    settings.add(chunks, _name, _body, group="chunks")
app.add_typer(chunks, name="chunks")
settings.add(app, "push", pushing.push)
live = typer.Typer(
    cls=settings.Commands, help=syncing.ABOUT, no_args_is_help=True, add_completion=False, rich_markup_mode=None
)
for _name, _body in syncing.COMMANDS.items():
    settings.add(live, _name, _body, group="label-studio")
app.add_typer(live, name="label-studio")
settings.add(app, "serve", serving.serve)
settings.add(app, "simulate", simulating.simulate)
settings.add(app, "demo", simulating.demo)
