"""Options that several commands share. One that is not given stays None, so that a settings file may set it."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

Judgments = Annotated[
    list[Path],
    typer.Argument(help="Files of judgments: .csv, .tsv (also .gz, .zst), .jsonl, .parquet.", show_default=False),
]
SomeJudgments = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Files of judgments: .csv, .tsv (also .gz, .zst), .jsonl, .parquet. With --model-votes there may be none.",
        show_default=False,
        metavar="JUDGMENTS...",
    ),
]
Gold = Annotated[Path | None, typer.Option(help="File of items with known labels (item, label).")]
ModelVotes = Annotated[
    list[Path] | None,
    typer.Option(
        "--model-votes",
        help="File of what models say: item, model, label (and probability), or item, model and a column of "
        "probabilities a label; may be repeated.",
    ),
]
TrainedOnConsensus = Annotated[
    list[str] | None,
    typer.Option(
        "--trained-on-consensus", help="A model that was trained on labels made from these judgments; may be repeated."
    ),
]
Audit = Annotated[
    float | None,
    typer.Option(
        help="Share of the items to ask for at random: with model votes those that fewer than two people judged, else "
        "accepted ones. Default: 0."
    ),
]
Config = Annotated[Path | None, typer.Option(help="TOML file of settings; options on the command line win.")]
Item = Annotated[str | None, typer.Option(help="Column of the item, if its name does not tell.")]
Worker = Annotated[str | None, typer.Option(help="Column of the worker.")]
Label = Annotated[str | None, typer.Option(help="Column of the label.")]
Timestamp = Annotated[str | None, typer.Option(help="Column of the time of the judgment.")]
Duration = Annotated[str | None, typer.Option(help="Column of the seconds that the judgment took.")]
PriceColumn = Annotated[str | None, typer.Option(help="Column of the money paid for the judgment.")]
Price = Annotated[
    float | None, typer.Option(help="Money paid for every judgment, instead of a column.", metavar="NUMBER")
]
Costs = Annotated[
    Path | None,
    typer.Option(help="File of what deciding for a label costs where another one is true (true, decided, cost)."),
]
Repeats = Annotated[
    str | None,
    typer.Option(help="When a worker judged an item twice: last (default), first, keep or error.", metavar="WHICH"),
]
Abstain = Annotated[list[str] | None, typer.Option(help="A label that means 'no answer', such as NA; may be repeated.")]
Labels = Annotated[
    str | None, typer.Option(help="The label set as a line of CSV, such as 'no,maybe,yes'. Default: those that occur.")
]
Prior = Annotated[
    str | None,
    typer.Option(help="Prior of the workers' confusions: learnt (default), fixed or none.", metavar="KIND"),
]
Rho = Annotated[
    float | None, typer.Option(help="Correlation of judgments on an item, which tempers confidence. Default: measured.")
]
MaxIterations = Annotated[int | None, typer.Option(help="EM passes at most. Default: 500.")]
Tolerance = Annotated[float | None, typer.Option(help="Stop below this gain, in nats a judgment. Default: 1e-7.")]
Ties = Annotated[str | None, typer.Option(help="Tied labels: first (default) in label order, or abstain.")]
Threads = Annotated[int | None, typer.Option(help="Threads; never changes a result. Default: all cores.")]
Memory = Annotated[
    str | None,
    typer.Option(help="Memory that may be used, such as 4GB; a larger need is refused. Default: all."),
]
Collusion = Annotated[
    str | None,
    typer.Option(
        help="Workers who copy: report them, merge each group into one worker, or off: do not look. Default: report, "
        "in up to 2 million judgments.",
        metavar="WHAT",
    ),
]
Seed = Annotated[int | None, typer.Option(help="Seed of the held-out draw. Default: 0.")]
Target = Annotated[float | None, typer.Option(help="Confidence at which an item is accepted. Default: 0.95.")]
MinJudgments = Annotated[int | None, typer.Option(help="Judgments an item needs to be accepted. Default: 2.")]
MaxJudgments = Annotated[int | None, typer.Option(help="Unsettled items with this many go to an expert. Default: 7.")]
Budget = Annotated[
    float | None,
    typer.Option(help="What may be spent now, in judgments; in money with --price, or prices in --workers."),
]
Workers = Annotated[
    Path | None,
    typer.Option(help="File of the workers who can be asked (worker; available, price, skills). Default: all."),
]
Skill = Annotated[str | None, typer.Option(help="Suggest only workers with this skill, of those in --workers.")]
Previous = Annotated[
    Path | None,
    typer.Option(help="Output folder of the last run, or its labels.csv: what was accepted stays so unless unsure."),
]
Margin = Annotated[
    float | None,
    typer.Option(help="How far below the target the confidence of such an item must fall. Default: 0.02."),
]
ExpertBelow = Annotated[
    float | None,
    typer.Option(help="P(settled) below which items with five judgments go to an expert. Default: 0.5."),
]
Retest = Annotated[
    int | None,
    typer.Option(help="Items to list among the escalations for each worker whose verdict is open. Default: 0."),
]
LeastJudgments = Annotated[
    int | None, typer.Option(help="Judgments of a worker below which there is no verdict but too_few. Default: 20.")
]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="File to write (.csv, .tsv, .jsonl, .parquet) instead of stdout.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON: for tables one object a line.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Nothing but tables and errors.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an older output.")]


def given(parameters: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the command's ``parameters`` that the user gave and that are settings (``names``)."""
    found = {name: value for name, value in parameters.items() if name in names and value not in (None, [])}
    if isinstance(found.get("labels"), str):
        found["labels"] = tuple(next(csv.reader([found["labels"]], skipinitialspace=True)))
    return found
