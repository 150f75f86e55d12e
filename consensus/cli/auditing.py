"""``consensus audit``: one table about the workers, to stdout or a file."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from consensus.cli import printing
from consensus.cli.options import OUTPUT, Given, Warned
from consensus.cli.settings import Takes
from consensus.cli.terminal import visible
from consensus.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

    from consensus.config import RunConfig
    from consensus.formats import writing
    from consensus.runs import Run

    Table = Callable[[Run], writing.Table]
    Streamed = Callable[[str, BinaryIO], None]


TABLES = ("workers", "confusions", "labels", "gold", "new-gold", "retest", "copying", "drift", "behaviour")
"""What ``--table`` can print: the keys of ``runs.tables.AUDITED``, which loads too much for a help text."""


def audit(
    given: Given,
    chosen: Annotated[
        "RunConfig",
        Takes(
            "ReadConfig",
            "VotesConfig",
            "GoldConfig",
            "FitConfig",
            "CollusionConfig",
            "min_worker_judgments",
            "costs",
            "price_per_judgment",
            but=("ties", "keep"),
        ),
    ],
    printed: Warned,
    table: Annotated[
        str,
        typer.Option(
            help=f"What to print, such as gold or drift. There are {', '.join(TABLES)}.",
            metavar="NAME",
            rich_help_panel=OUTPUT,
        ),
    ] = "workers",
    confusions: Annotated[
        bool, typer.Option("--confusions", help="The same as --table confusions.", rich_help_panel=OUTPUT)
    ] = False,
    evidence: Annotated[
        str | None,
        typer.Option(
            help="Print the judgments that speak most against this worker. And those that speak most for them.",
            metavar="WORKER",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    forgive: Annotated[
        list[str] | None,
        typer.Option(
            help="Print what would change without this gold item.",
            metavar="ITEM",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
) -> None:
    """Print one row for each worker: how accurate, how certainly, and the verdict."""
    if table not in TABLES:
        raise typer.BadParameter(f'there is no table "{table}"; there are {", ".join(TABLES)}', param_hint="--table")
    column_missing, worker = None, chosen.worker
    is_old = worker is not None and evidence is None and not forgive and given.judgments
    if is_old and not _is_column(str(worker), (given.judgments or [])[0], chosen):
        evidence, column_missing = worker, (given.judgments or [])[0]
        chosen = chosen.model_copy(update={"worker": None})
    if evidence is not None and forgive:
        raise typer.BadParameter("--evidence and --forgive print different tables; give one of them")
    if evidence is not None:
        printing.fit_and_print(given, chosen, printed, _evidence(evidence, column_missing))
        if column_missing is not None and not printed.quiet:
            show = visible(worker or "")
            typer.echo(f"note: --worker is the column of the worker; evidence on one is --evidence {show}", err=True)
    elif forgive:
        printing.fit_and_print(given, chosen, printed, _forgiven(forgive))
    else:
        name = "confusions" if confusions else table
        printing.fit_and_print(given, chosen, printed, _audited(name))


def _audited(name: str) -> "Callable[[Run], writing.Table | Streamed]":
    """The table ``name``; that of confusions, which may be long, writes itself block by block."""

    def table(found: "Run") -> "writing.Table | Streamed":
        from consensus.runs import folder, tables

        if name != "confusions":
            return tables.whole(tables.AUDITED[name], found)
        found.confusion_cells  # noqa: B018  # its stages come before the words
        return partial(folder.encode_confusions, found)

    return table


def _is_column(name: str, path: "Path", chosen: "RunConfig") -> bool:
    """Whether the column ``name`` is meant: there is one, or nothing else in the file could hold the workers.

    Standard input and pipes are not looked at, since they can be read once only.
    """
    from consensus.formats import columns_of, sources
    from consensus.formats.tables.roles import NAMES, candidates_of
    from consensus.formats.tables.text_form import TextForm

    if sources.is_read_once(path):
        return True
    columns = columns_of(path, TextForm.of(chosen))
    return name in columns or not (chosen.no_header or candidates_of(columns, NAMES["worker"]))


def _evidence(worker: str, column_missing: "Path | None") -> "Table":
    """Evidence on ``worker``, which may also have been meant for a column of the file ``column_missing``."""

    def table(found: "Run") -> "writing.Table":
        import pyarrow as pa

        from consensus import worker_audit

        try:
            judgments = found.result.judgments
            name = judgments.renaming.worker(worker, judgments.worker_ids)
            return pa.table(worker_audit.evidence_columns(found.audit, name))
        except ConfigError as error:
            if column_missing is None:
                raise
            raise ConfigError(f'no column "{worker}", and {error}', column_missing, code="unknown_name") from None

    return table


def _forgiven(items: list[str]) -> "Table":
    def table(found: "Run") -> "writing.Table":
        from consensus import worker_audit

        return worker_audit.forgive(found.audit, items)

    return table
