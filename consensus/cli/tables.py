"""``consensus aggregate``, ``audit`` and ``escalate``: one table each, to stdout or a file."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from consensus.cli import job, options
from consensus.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    from consensus.config import RunConfig
    from consensus.result import Consensus


def aggregate(
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
    target: options.Target = None,
    min_judgments: options.MinJudgments = None,
    max_judgments: options.MaxJudgments = None,
    audit: options.Audit = None,
    prior: options.Prior = None,
    rho: options.Rho = None,
    max_iterations: options.MaxIterations = None,
    tolerance: options.Tolerance = None,
    ties: options.Ties = None,
    threads: options.Threads = None,
    memory: options.Memory = None,
    trained_on_consensus: options.TrainedOnConsensus = None,
    seed: options.Seed = None,
    config: options.Config = None,
    posteriors: Annotated[bool, typer.Option("--posteriors", help="Print the probability of each label.")] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Print one row an item: its label, the confidence in it, and whether it is settled."""
    from consensus import escalation
    from consensus.config import EscalateConfig

    def table(result: "Consensus", chosen: "RunConfig") -> "pd.DataFrame":
        if posteriors:
            return result.posteriors
        return result.labels.assign(status=escalation.statuses(result, **chosen.part(EscalateConfig)))

    _print(dict(locals()), table)


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
    seed: options.Seed = None,
    config: options.Config = None,
    confusions: Annotated[
        bool, typer.Option("--confusions", help="Print every cell of every worker's confusion matrix.")
    ] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Print one row a worker: how accurate, with which certainty, on gold and by the consensus of the others."""
    from consensus import worker_audit

    def table(result: "Consensus", _: "RunConfig") -> "pd.DataFrame":
        return worker_audit.confusions(result) if confusions else worker_audit.audit(result)

    _print(dict(locals()), table)


def escalate(
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
    target: options.Target = None,
    min_judgments: options.MinJudgments = None,
    max_judgments: options.MaxJudgments = None,
    budget: options.Budget = None,
    audit: options.Audit = None,
    prior: options.Prior = None,
    rho: options.Rho = None,
    max_iterations: options.MaxIterations = None,
    tolerance: options.Tolerance = None,
    ties: options.Ties = None,
    threads: options.Threads = None,
    memory: options.Memory = None,
    trained_on_consensus: options.TrainedOnConsensus = None,
    seed: options.Seed = None,
    config: options.Config = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Print the items that are not settled: why, and which one's next judgment tells most."""
    from consensus import escalation
    from consensus.config import EscalateConfig

    def table(result: "Consensus", chosen: "RunConfig") -> "pd.DataFrame":
        return escalation.escalate(result, **chosen.part(EscalateConfig))

    _print(dict(locals()), table)


def _print(parameters: dict[str, Any], table: "Callable[[Consensus, RunConfig], pd.DataFrame]") -> None:
    """Read, fit, make the table, and write it to ``output`` or stdout; what to beware of goes to stderr."""
    output: Path | None = parameters["output"]
    chosen = job.settings(parameters)
    show = job.Show(parameters["quiet"])

    from consensus.formats import writing
    from consensus.report import words

    if output is not None:
        writing.check_ending(output)
        given = (*(parameters["judgments"] or ()), *(parameters["model_votes"] or ()))
        for path in (*given, parameters["gold"], parameters["config"]):
            if path is not None and path.exists() and output.exists() and path.samefile(output):
                raise OutputError(f"{output}: this file is to be read; choose another with --output")
    with show.stages():
        result, _ = job.fitted(parameters["judgments"], parameters["model_votes"], parameters["gold"], chosen, show)
        made = table(result, chosen)
        if output is not None:
            writing.write(made, output)
    for line in words.of_result(result):
        show.say(line)
    if output is None:
        writing.encode(made, ".jsonl" if parameters["json"] else ".csv", sys.stdout.buffer)
        sys.stdout.buffer.flush()
