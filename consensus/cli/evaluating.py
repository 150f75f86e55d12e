"""``consensus evaluate``: labels against truth."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from consensus.cli import options, terminal
from consensus.cli.options import INPUT


def evaluate(
    labels: Annotated[
        Path,
        typer.Argument(
            help="labels.csv, posteriors.csv, or the folder of a run; - is standard input.",
            show_default=False,
            metavar="LABELS",
            rich_help_panel=INPUT,
        ),
    ],
    truth: Annotated[
        Path,
        typer.Argument(
            help="File with the true label of items (item, label).",
            show_default=False,
            metavar="TRUTH",
            rich_help_panel=INPUT,
        ),
    ],
    json: options.Json = False,
    raw_cells: options.RawCells = False,
) -> None:
    """Score LABELS against TRUTH: accuracy, log loss, Brier score, calibration error and confusion."""
    import json as json_module

    from consensus import evaluation
    from consensus.formats import read_gold, writing
    from consensus.formats.labels_table import counted_by, label_set_of, read_scored

    scores, confusion = evaluation.evaluate(
        read_scored(labels), read_gold(truth), label_set_of(labels), counted_by(labels)
    )
    for note in scores.notes:
        typer.echo(terminal.visible(f"note: {note}"), err=True)
    found = scores.as_dict()
    if json:
        typer.echo(json_module.dumps({**found, "confusion": confusion.to_dict("records")}))
        return
    units = {"accuracy": "%", "accuracy_low": "%", "accuracy_high": "%", "ece": "%"}
    for name, value in found.items():
        if name == "notes":  # were told
            continue
        shown = (
            "- (needs posteriors.csv: consensus run --posteriors)"
            if value is None and name != "ece"
            else "- (needs a confidence)"
            if value is None
            else f"{value:,}"
            if isinstance(value, int)
            else f"{100 * value:.2f} %"
            if units.get(name) == "%"
            else f"{value:.4f}{units.get(name, '')}"
        )
        typer.echo(f"{name:14} {shown}")
    typer.echo("")
    terminal.put(partial(writing.encode, confusion, ".csv", raw_cells=raw_cells))
