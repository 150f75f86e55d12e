"""``consensus plan``: what a run would take."""

import json as json_module
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from consensus.cli import job, options
from consensus.cli.settings import Takes

if TYPE_CHECKING:
    from consensus.config import RunConfig
    from consensus.inputs.judgments import Judgments

USUAL_PASSES = 35  # of EM, on large data
AN_ITEM_TOLD = 1.5e-6  # seconds an item takes to be summarised, ranked and written, measured on 2 million


def plan(
    judgments: options.Judgments,
    chosen: Annotated["RunConfig", Takes("ReadConfig", "labels", "model", "threads", "memory", but=("drift_by",))],
    config: options.Config = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Read JUDGMENTS and tell how much there is to do, how much memory it needs and about how long it takes."""
    del config  # its settings are among the chosen ones
    show = job.Show(quiet)

    from consensus.runs.run_inputs import judged

    with show.stages():
        begin = time.perf_counter()
        read = judged(judgments, chosen, show)
        reading = time.perf_counter() - begin
        job.compile_all(show)
        show.stage("timing a pass")
        found = _planned(read, chosen, reading)
    if json:
        typer.echo(json_module.dumps(found))
        return
    from consensus.memory import told
    from consensus.report import words

    seconds = found["seconds"]
    for line in (
        words.balance(found["rows"]),
        f"{found['items']:,} items, {found['workers']:,} workers, {found['labels']:,} labels",
        f"model: {words.model(found['model'], found['model_because'])}",
        f"memory: {told(found['memory']['peak'])} at the most (reading {told(found['memory']['reading'])}, "
        f"fitting {told(found['memory']['fitting'])}, tables {told(found['memory']['tables'])})",
        f"time: about {seconds['total']:.0f} s (reading {seconds['reading']:.1f} s, "
        f"{found['passes']} passes of {seconds['pass']:.3f} s, tables {seconds['tables']:.1f} s)",
    ):
        typer.echo(line)


def _planned(read: "Judgments", chosen: "RunConfig", reading: float) -> dict[str, Any]:
    from dataclasses import asdict

    from consensus.config import FitConfig
    from consensus.models import memory_needs
    from consensus.models.base import chosen as chosen_model
    from consensus.models.base import pass_seconds
    from consensus.models.preparing import prepared
    from consensus.models.readings import most_states
    from consensus.report import charts

    fit = FitConfig.of(None, **chosen.part(FitConfig))
    read, *_ = prepared(read, None, fit)
    model = chosen_model(read, None, fit)
    n_states = most_states(read.n_labels) if model.name == "average" else 0
    need = memory_needs.of(read, report=charts.are_there(), n_states=n_states)
    a_pass, passes = pass_seconds(read, fit), min(USUAL_PASSES, fit.max_iterations)
    tables = AN_ITEM_TOLD * read.n_items
    return {
        "rows": asdict(read.tally),
        "judgments": read.n_judgments,
        "items": read.n_items,
        "workers": read.n_workers,
        "labels": read.n_labels,
        "model": model.name,
        "model_because": model.because,
        "memory": {**asdict(need), "peak": need.peak},
        "passes": passes,
        "seconds": {
            "reading": reading,
            "pass": a_pass,
            "tables": tables,
            "total": 1.0 + reading + passes * a_pass + tables,
        },
    }
