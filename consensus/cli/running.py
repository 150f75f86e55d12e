"""``consensus run``: the whole job."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from consensus.cli import job, options


def run(
    judgments: options.SomeJudgments = None,
    model_votes: options.ModelVotes = None,
    gold: options.Gold = None,
    costs: options.Costs = None,
    price: options.Price = None,
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("consensus-out"),
    overwrite: options.Overwrite = False,
    item: options.Item = None,
    worker: options.Worker = None,
    label: options.Label = None,
    timestamp: options.Timestamp = None,
    duration: options.Duration = None,
    price_column: options.PriceColumn = None,
    repeats: options.Repeats = None,
    abstain: options.Abstain = None,
    labels: options.Labels = None,
    target: options.Target = None,
    min_judgments: options.MinJudgments = None,
    max_judgments: options.MaxJudgments = None,
    budget: options.Budget = None,
    workers: options.Workers = None,
    skill: options.Skill = None,
    expert_below: options.ExpertBelow = None,
    previous: options.Previous = None,
    margin: options.Margin = None,
    audit: options.Audit = None,
    retest: options.Retest = None,
    least_judgments: options.LeastJudgments = None,
    prior: options.Prior = None,
    rho: options.Rho = None,
    max_iterations: options.MaxIterations = None,
    tolerance: options.Tolerance = None,
    ties: options.Ties = None,
    threads: options.Threads = None,
    memory: options.Memory = None,
    trained_on_consensus: options.TrainedOnConsensus = None,
    collusion: options.Collusion = None,
    seed: options.Seed = None,
    config: options.Config = None,
    posteriors: Annotated[bool, typer.Option("--posteriors", help="Also write posteriors.csv.")] = False,
    format: Annotated[Literal["csv", "parquet", "jsonl"], typer.Option(help="Format of the tables.")] = "csv",
    spreadsheet_safe: Annotated[
        bool, typer.Option("--spreadsheet-safe", help="Put ' before ids that a spreadsheet takes for formulas.")
    ] = False,
    report: Annotated[
        bool | None,
        typer.Option(
            "--report/--no-report",
            help="Also write report.html, a page to look at and to forward. Default: if its libraries are installed.",
        ),
    ] = None,
    timings: Annotated[bool, typer.Option("--timings", help="Tell how long each phase took.")] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Merge JUDGMENTS into labels, rate the workers and list what to escalate; write all of it into a folder."""
    parameters = dict(locals())
    chosen = job.settings(parameters)
    show = job.Show(quiet, timings)

    from consensus.report import charts, page, words
    from consensus.runs import Inputs, SideInputs, folder

    if report:
        charts.check()
    with_report = charts.are_there() if report is None else report
    side_inputs = SideInputs.read(chosen)  # errors before the work
    inputs = [
        *(judgments or ()),
        *(model_votes or ()),
        *(path for path in (gold, config, chosen.costs, chosen.workers) if path is not None),
    ]
    target_folder = folder.check(out, overwrite=overwrite, inputs=inputs)
    output = folder.Output(f".{format}", ("posteriors",) if posteriors else (), spreadsheet_safe, with_report)
    with show.stages():
        read = Inputs.read(chosen, judgments, model_votes=model_votes, gold=gold, beside=side_inputs, listener=show)
        found = job.findings(read, show)
        folder.write(found, target_folder, output, show)
    show.tell_timings()
    for line in words.lines(found):
        show.say(line)
    show.say(f"wrote {out / page.FILE}" if with_report else f"wrote {out}")
    if report is None and not with_report:
        show.say(f"no {page.FILE}, a page to look at: {charts.HOW_TO_GET_THEM}")
    if json:
        typer.echo((target_folder / "summary.json").read_text(encoding="utf-8"), nl=False)
