"""``consensus plan-budget``: what other ways to ask would have cost, and how right they would have been."""

from typing import TYPE_CHECKING, Annotated

import typer

from consensus.cli import job, options, tables
from consensus.errors import ConfigError

if TYPE_CHECKING:
    from consensus.config import RunConfig
    from consensus.judgments import Gold, Judgments
    from consensus.votes import ModelVotes


def plan_budget(
    judgments: options.Judgments,
    gold: options.Gold = None,
    model_votes: options.ModelVotes = None,
    votes: Annotated[
        list[int] | None, typer.Option(help="Judgments an item; may be repeated. Default: 2, 3 and 5.")
    ] = None,
    targets: Annotated[
        list[float] | None,
        typer.Option(
            "--target",
            help="Confidence to ask until; may be repeated. Default: .9 .95 .99. The first one given also decides what "
            "the other ways accept. Default there: .95.",
        ),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(help="A worker to leave out, or all of a verdict, such as spammer; may be repeated."),
    ] = None,
    items: Annotated[int, typer.Option(min=1, help="Items, drawn at random, that are replayed.")] = 5_000,
    output: options.Output = None,
    price_column: options.PriceColumn = None,
    price: options.Price = None,
    item: options.Item = None,
    worker: options.Worker = None,
    label: options.Label = None,
    repeats: options.Repeats = None,
    abstain: options.Abstain = None,
    labels: options.Labels = None,
    min_judgments: options.MinJudgments = None,
    max_judgments: options.MaxJudgments = None,
    prior: options.Prior = None,
    rho: options.Rho = None,
    threads: options.Threads = None,
    memory: options.Memory = None,
    seed: options.Seed = None,
    config: options.Config = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Replay JUDGMENTS: what fewer of them, other targets, or without some workers, would have cost and been worth."""
    parameters = dict(locals())
    chosen = job.settings(parameters)
    show = job.Show(quiet)
    tables.refuse_to_overwrite(output, (*judgments, *(model_votes or ()), gold, config))

    from consensus import escalation
    from consensus.config import EscalateConfig, FitConfig
    from consensus.escalation import what_if
    from consensus.formats import read_gold, read_model_votes
    from consensus.report import words

    with show.stages():
        read = job.judged(judgments, chosen, show)
        known = None if gold is None else read_gold(gold, item=chosen.item, label=chosen.label)
        models = read_model_votes(model_votes) if model_votes else None
        job.compile_all(show, with_votes=models is not None)
        table = escalation.plan_budget(
            read,
            gold=known,
            model_votes=models,
            votes=votes or what_if.VOTES,
            targets=targets or what_if.TARGETS,
            without=_groups(read, known, models, without or [], chosen),
            price=chosen.price,
            most_items=items,
            seed=chosen.seed,
            config=EscalateConfig.of(
                None, **{**chosen.part(EscalateConfig), **({"target": targets[0]} if targets else {})}
            ),
            progress=show.stage,
            **{name: value for name, value in chosen.part(FitConfig).items() if name != "seed"},
        )
    tables.put(table, words.of_judgments(read), parameters, show)


def _groups(
    judgments: "Judgments",
    gold: "Gold | None",
    models: "ModelVotes | None",
    names: list[str],
    chosen: "RunConfig",
) -> dict[str, list[str]]:
    """Workers to leave out, by what was named: a worker, or a verdict."""
    from consensus import worker_audit
    from consensus.config import AuditConfig, FitConfig
    from consensus.models.base import fit

    found, table = {}, None
    workers = set(judgments.worker_ids.to_pylist())
    for name in names:
        if name in workers:
            found[name] = [name]
            continue
        if name not in worker_audit.VERDICTS:
            verdicts = ", ".join(worker_audit.VERDICTS)
            raise ConfigError(f'--without "{name}": neither a worker nor a verdict; the verdicts are {verdicts}')
        if table is None:
            result = fit(judgments, gold=gold, model_votes=models, **chosen.part(FitConfig))
            table = worker_audit.audit(result, AuditConfig.of(None, **chosen.part(AuditConfig)))
        rows = table[(table["verdict"] == name) & table["worker"].isin(workers)]
        found[f"{len(rows)} {name}"] = rows["worker"].tolist()
    return found
