"""``consensus aggregate``, ``agreement`` and ``escalate``: one table each, to stdout or a file."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from consensus.cli import job, options
from consensus.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import pandas as pd

    from consensus.config import RunConfig
    from consensus.result import Consensus

    Told = tuple[pd.DataFrame, list[str]]


def aggregate(
    judgments: options.SomeJudgments = None,
    model_votes: options.ModelVotes = None,
    gold: options.Gold = None,
    output: options.Output = None,
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
    audit: options.Audit = None,
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
    posteriors: Annotated[bool, typer.Option("--posteriors", help="Print the probability of each label.")] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Print one row an item: its label, the confidence in it, and whether it is settled."""
    from consensus import escalation
    from consensus.config import EscalateConfig
    from consensus.report import words
    from consensus.result import decoded

    def table(result: "Consensus", chosen: "RunConfig") -> "Told":
        if posteriors:
            return result.posteriors, words.of_result(result)
        rule = EscalateConfig.of(None, **chosen.part(EscalateConfig))
        found = escalation.planned(result, rule)
        status = decoded(found.status(result), escalation.STATUSES)
        return result.labels.assign(status=status), words.of_escalation(result, found, rule)

    fit_and_print(dict(locals()), table)


def agreement(
    judgments: options.Judgments,
    output: options.Output = None,
    item: options.Item = None,
    worker: options.Worker = None,
    label: options.Label = None,
    timestamp: options.Timestamp = None,
    duration: options.Duration = None,
    price_column: options.PriceColumn = None,
    repeats: options.Repeats = None,
    abstain: options.Abstain = None,
    labels: options.Labels = None,
    threads: options.Threads = None,
    memory: options.Memory = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the bootstrap. Default: 0.")] = None,
    config: options.Config = None,
    ordinal: Annotated[
        bool, typer.Option("--ordinal", help="Also Krippendorff's ordinal alpha, over labels in the order of --labels.")
    ] = False,
    by: Annotated[
        str, typer.Option(help="What is shown besides the whole: label or worker-pair.", metavar="WHAT")
    ] = "label",
    bootstrap: Annotated[int, typer.Option(help="Samples that intervals are made from; 0 for no intervals.")] = 1000,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Print how far workers agree: Krippendorff's alpha, Fleiss' kappa, Gwet's AC1 and more, each with an interval."""
    parameters = dict(locals())
    chosen = job.settings(parameters)
    show = job.Show(quiet)
    refuse_to_overwrite(output, (*judgments, config))

    from consensus import worker_agreement
    from consensus.report import words

    with show.stages():
        read = job.judged(judgments, chosen, show)
        show.stage("comparing")
        if chosen.labels is not None:
            read = read.with_labels(chosen.labels)
        made = worker_agreement.agreement(
            read,
            level="ordinal" if ordinal else "nominal",
            by=by,  # type: ignore[arg-type]  # refused there if it is neither
            n_bootstrap=bootstrap,
            seed=chosen.seed,
        )
    put(made, words.of_judgments(read), parameters, show)


def escalate(
    judgments: options.SomeJudgments = None,
    model_votes: options.ModelVotes = None,
    gold: options.Gold = None,
    output: options.Output = None,
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
    price: options.Price = None,
    costs: options.Costs = None,
    workers: options.Workers = None,
    skill: options.Skill = None,
    expert_below: options.ExpertBelow = None,
    previous: options.Previous = None,
    margin: options.Margin = None,
    audit: options.Audit = None,
    retest: options.Retest = None,
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
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Print the items that are not settled: why, how many judgments they need, and from whom."""
    from consensus import escalation
    from consensus.config import AuditConfig, EscalateConfig
    from consensus.report import words
    from consensus.result import framed

    def table(result: "Consensus", chosen: "RunConfig") -> "Told":
        import pandas as pd

        from consensus.worker_audit import WorkerAudit

        rule = EscalateConfig.of(None, **chosen.part(EscalateConfig))
        matrix, pool, last = job.costs(chosen), job.asked(chosen), job.previous(chosen)
        found = escalation.planned(
            result,
            rule,
            costs=None if matrix is None else matrix.align(result.judgments),
            pool=None if pool is None else pool.align(result.judgments, rule.skill),
            previous=last,
            audit=WorkerAudit.of(result, **chosen.part(AuditConfig)),
        )
        made, said = framed(found.columns(result, slice(None))), words.of_escalation(result, found, rule, last)
        if len(found.tests.items):
            made = pd.concat([made, framed(found.tests.columns(result))], ignore_index=True)
        return made, said

    fit_and_print(dict(locals()), table)


def fit_and_print(parameters: dict[str, Any], table: "Callable[[Consensus, RunConfig], pd.DataFrame | Told]") -> None:
    """Read, fit, make the table, and write it to ``output`` or stdout; what to beware of goes to stderr.

    The table may come with lines of words; else they are the balance of rows and the warnings.
    """
    chosen = job.settings(parameters)
    told = job.Show(parameters["quiet"])
    given = (*(parameters["judgments"] or ()), *(parameters["model_votes"] or ()))
    earlier = chosen.previous
    before = [earlier, *earlier.iterdir()] if earlier is not None and earlier.is_dir() else [earlier]
    settings = (parameters["gold"], parameters["config"], chosen.costs, chosen.workers)
    refuse_to_overwrite(parameters["output"], (*given, *settings, *before))
    for read in (job.costs, job.asked, job.previous):  # what can't be used is told before the work begins
        read(chosen)

    from consensus.report import words

    with told.stages():
        result, _ = job.fitted(parameters["judgments"], parameters["model_votes"], parameters["gold"], chosen, told)
        made = table(result, chosen)
        frame, lines = made if isinstance(made, tuple) else (made, words.of_result(result))
    put(frame, lines, parameters, told)


def refuse_to_overwrite(output: "Path | None", given: "Iterable[Path | None]") -> None:
    """Refuse an ``output`` of an unknown kind, or that is one of the ``given`` files, before the work begins."""
    if output is None:
        return
    from consensus.formats import writing

    writing.check_ending(output)
    for path in given:
        if path is not None and path.exists() and output.exists() and path.samefile(output):
            raise OutputError(f"{output}: this file is to be read; choose another with --output")


def put(made: "pd.DataFrame", lines: "Iterable[str]", parameters: dict[str, Any], show: job.Show) -> None:
    """Write a table to ``output`` or stdout; ``lines`` of words go to stderr."""
    from consensus.formats import writing

    output = parameters["output"]
    if output is not None:
        writing.write(made, output)
    for line in lines:
        show.say(line)
    if output is None:
        writing.encode(made, ".jsonl" if parameters["json"] else ".csv", sys.stdout.buffer)
        sys.stdout.buffer.flush()
