"""``consensus audit``: one table about the workers, to stdout or a file."""

from typing import TYPE_CHECKING, Annotated

import typer

from consensus.cli import job, tables
from consensus.cli.options import Given, Printed
from consensus.cli.settings import Takes
from consensus.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    from consensus.config import RunConfig
    from consensus.result import Consensus

    Table = Callable[[Consensus, RunConfig], pd.DataFrame]


def _workers(result: "Consensus", chosen: "RunConfig") -> "pd.DataFrame":
    from consensus import worker_audit
    from consensus.config import AuditConfig

    return worker_audit.audit(result, costs=job.costs(chosen), price=chosen.price, **chosen.part(AuditConfig))


def _copying(result: "Consensus", _: "RunConfig") -> "pd.DataFrame":
    from consensus import worker_audit

    return worker_audit.copies(result)


def _confusions(result: "Consensus", _: "RunConfig") -> "pd.DataFrame":
    from consensus import worker_audit

    return worker_audit.confusions(result)


def _labels(result: "Consensus", _: "RunConfig") -> "pd.DataFrame":
    from consensus import worker_audit

    return worker_audit.accuracy_by_label(result)


def _gold(result: "Consensus", _: "RunConfig") -> "pd.DataFrame":
    from consensus import worker_audit

    if result.gold is None:
        raise ConfigError("there is no gold to look at; give its file with --gold")
    return worker_audit.gold(result)


def _new_gold(result: "Consensus", _: "RunConfig") -> "pd.DataFrame":
    from consensus import worker_audit

    return worker_audit.proposals(result)


def _retest(result: "Consensus", chosen: "RunConfig") -> "pd.DataFrame":
    from consensus import worker_audit
    from consensus.config import AuditConfig

    return worker_audit.retest_table(result, **chosen.part(AuditConfig))


def _drift(result: "Consensus", _: "RunConfig") -> "pd.DataFrame":
    from consensus import worker_audit

    return worker_audit.drifting(result)


def _behaviour(result: "Consensus", _: "RunConfig") -> "pd.DataFrame":
    from consensus import worker_audit

    return worker_audit.behaviours(result)


TABLES: "dict[str, Table]" = {
    "workers": _workers,
    "confusions": _confusions,
    "labels": _labels,
    "gold": _gold,
    "new-gold": _new_gold,
    "retest": _retest,
    "copying": _copying,
    "drift": _drift,
    "behaviour": _behaviour,
}
"""What ``--table`` can print, each made when it is asked for."""


def audit(
    given: Given,
    chosen: Annotated[
        "RunConfig",
        Takes(
            "ReadConfig",
            "FitConfig",
            "CollusionConfig",
            "least_judgments",
            "costs",
            "price",
            but=("worker", "ties"),
        ),
    ],
    printed: Printed,
    worker: Annotated[
        str | None,
        typer.Option(
            help="Column of the worker; or, if the first file has no such column, the worker whose evidence is "
            "printed, as by --evidence.",
            rich_help_panel="Columns and reading",
        ),
    ] = None,
    table: Annotated[str, typer.Option(help=f"What to print: {', '.join(TABLES)}.", metavar="NAME")] = "workers",
    confusions: Annotated[bool, typer.Option("--confusions", help="The same as --table confusions.")] = False,
    evidence: Annotated[
        str | None,
        typer.Option(
            help="Print the judgments that weigh most against this worker, and those that speak most for them.",
            metavar="WORKER",
        ),
    ] = None,
    forgive: Annotated[
        list[str] | None,
        typer.Option(
            help="Print what would change if this gold item were none. [may be repeated]",
            metavar="ITEM",
        ),
    ] = None,
) -> None:
    """Print one row a worker: how accurate, with which certainty, on gold and by the consensus of the others."""
    if table not in TABLES:
        raise typer.BadParameter(f'there is no table "{table}"; there are {", ".join(TABLES)}', param_hint="--table")
    column_missing = None
    if worker is not None and evidence is None and given.judgments and not _is_column(worker, given.judgments[0]):
        evidence, column_missing = worker, given.judgments[0]
    elif worker is not None:
        chosen = chosen.of(chosen, worker=worker)
    if evidence is not None and forgive:
        raise typer.BadParameter("print either the evidence on a worker or what forgiving gold items would change")
    if evidence is not None:
        tables.fit_and_print(given, chosen, printed, _evidence(evidence, column_missing))
    elif forgive:
        tables.fit_and_print(given, chosen, printed, _forgiven(forgive))
    else:
        tables.fit_and_print(given, chosen, printed, TABLES["confusions" if confusions else table])


def _is_column(name: str, path: "Path") -> bool:
    """Whether the column ``name`` is meant: there is one, or nothing else in the file could hold the workers."""
    from consensus.formats import columns_of
    from consensus.formats.roles import NAMES, candidates_of

    columns = columns_of(path)
    return name in columns or not candidates_of(columns, NAMES["worker"])


def _evidence(worker: str, column_missing: "Path | None") -> "Table":
    """Evidence on ``worker``, which may also have been meant for a column of the file ``column_missing``."""

    def table(result: "Consensus", _: "RunConfig") -> "pd.DataFrame":
        from consensus import worker_audit

        try:
            return worker_audit.evidence(result, worker)
        except ConfigError as error:
            if column_missing is None:
                raise
            raise ConfigError(f'{column_missing}: no column "{worker}", and {error}') from None

    return table


def _forgiven(items: list[str]) -> "Table":
    def table(result: "Consensus", _: "RunConfig") -> "pd.DataFrame":
        from consensus import worker_audit

        return worker_audit.forgive(result, items)

    return table
