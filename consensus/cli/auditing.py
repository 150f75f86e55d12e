"""``consensus audit``: one table about the workers, to stdout or a file."""

from typing import TYPE_CHECKING, Annotated

import typer

from consensus.cli import options, tables

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from consensus.config import RunConfig
    from consensus.result import Consensus


def _workers(result: "Consensus", _: "RunConfig") -> "pd.DataFrame":
    from consensus import worker_audit

    return worker_audit.audit(result)


def _copying(result: "Consensus", _: "RunConfig") -> "pd.DataFrame":
    from consensus import worker_audit

    return worker_audit.copies(result)


def _confusions(result: "Consensus", _: "RunConfig") -> "pd.DataFrame":
    from consensus import worker_audit

    return worker_audit.confusions(result)


TABLES: "dict[str, Callable[[Consensus, RunConfig], pd.DataFrame]]" = {
    "workers": _workers,
    "confusions": _confusions,
    "copying": _copying,
}
"""What ``--table`` can print, each made when it is asked for."""


def audit(
    judgments: options.SomeJudgments = None,
    model_votes: options.ModelVotes = None,
    gold: options.Gold = None,
    output: options.Output = None,
    item: options.Item = None,
    worker: options.Worker = None,
    label: options.Label = None,
    timestamp: options.Timestamp = None,
    repeats: options.Repeats = None,
    abstain: options.Abstain = None,
    labels: options.Labels = None,
    prior: options.Prior = None,
    rho: options.Rho = None,
    max_iterations: options.MaxIterations = None,
    tolerance: options.Tolerance = None,
    threads: options.Threads = None,
    memory: options.Memory = None,
    trained_on_consensus: options.TrainedOnConsensus = None,
    collusion: options.Collusion = None,
    seed: options.Seed = None,
    config: options.Config = None,
    table: Annotated[str, typer.Option(help=f"What to print: {', '.join(TABLES)}.", metavar="NAME")] = "workers",
    confusions: Annotated[bool, typer.Option("--confusions", help="The same as --table confusions.")] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Print one row a worker: how accurate, with which certainty, on gold and by the consensus of the others."""
    if table not in TABLES:
        raise typer.BadParameter(f'there is no table "{table}"; there are {", ".join(TABLES)}', param_hint="--table")
    tables.fit_and_print(dict(locals()), TABLES["confusions" if confusions else table])
