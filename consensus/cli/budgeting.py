"""``consensus plan-budget``: what other ways to ask would have cost, and how right they would have been."""

from typing import TYPE_CHECKING, Annotated

import typer

from consensus.cli import failing, job, options, printing
from consensus.cli.options import ACCEPTANCE, LABELS, PERFORMANCE, Warned
from consensus.cli.settings import Takes
from consensus.errors import ConfigError

if TYPE_CHECKING:
    from consensus.config import RunConfig
    from consensus.inputs.gold import Gold
    from consensus.inputs.judgments import Judgments
    from consensus.inputs.model_votes import ModelVotes


def plan_budget(
    judgments: options.Judgments,
    chosen: Annotated[
        "RunConfig",
        Takes(
            "ReadConfig",
            "VotesConfig",
            "GoldConfig",
            "labels",
            "min_judgments",
            "max_judgments",
            "prior",
            "rho",
            "threads",
            "memory",
            "seed",
            "price_per_judgment",
            but=("timestamp", "duration", "drift_by", "keep"),
        ),
    ],
    printed: Warned,
    gold: options.Gold = None,
    model_votes: options.ModelVotes = None,
    config: options.Config = None,
    votes: Annotated[
        list[int] | None,
        typer.Option(
            help="Judgments an item to replay. Default: 2, 3 and 5.", metavar="NUMBER", rich_help_panel=ACCEPTANCE
        ),
    ] = None,
    targets: Annotated[
        list[float] | None,
        typer.Option(
            "--target",
            help=(
                "Confidence to reach. Default: .9 .95 .99. The first one given also decides what the other ways "
                "accept (default there: .95)."
            ),
            metavar="SHARE",
            rich_help_panel=ACCEPTANCE,
        ),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            help="A worker to leave out, or all of a verdict, such as spammer.",
            metavar="NAME",
            rich_help_panel=LABELS,
        ),
    ] = None,
    items: Annotated[
        int,
        typer.Option(min=1, help="Items to replay, drawn at random.", metavar="NUMBER", rich_help_panel=PERFORMANCE),
    ] = 5_000,
) -> None:
    """Replay JUDGMENTS: what fewer of them, other targets or fewer workers would cost and bring."""
    show = job.Show(printed.quiet)
    printing.refuse_to_overwrite(printed.file, (*judgments, *(model_votes or ()), gold, config))

    from consensus import escalation
    from consensus.config import EscalateConfig, FitConfig
    from consensus.escalation import what_if
    from consensus.report import words
    from consensus.runs import Inputs, SideInputs
    from consensus.runs.run_inputs import judged

    with show.stages():
        read = judged(judgments, chosen, show)
        inputs = Inputs.read(
            chosen, read, model_votes=model_votes or None, gold=gold, beside=SideInputs(), listener=show
        )
        read, known, models = inputs.judgments or read, inputs.gold, inputs.model_votes
        job.compile_all(show, with_votes=models is not None)
        table = escalation.plan_budget(
            read,
            gold=known,
            model_votes=models,
            votes=votes or what_if.VOTES,
            targets=targets or what_if.TARGETS,
            without=_groups(read, known, models, without or [], chosen),
            price_per_judgment=chosen.price_per_judgment,
            most_items=items,
            seed=chosen.seed,
            config=EscalateConfig.of(
                None, **{**chosen.part(EscalateConfig), **({"target": targets[0]} if targets else {})}
            ),
            progress=show.stage,
            **{name: value for name, value in chosen.part(FitConfig).items() if name != "seed"},
        )
    printing.put(table, words.of_judgments(read), printed, show)
    failing.refuse(words.cautions(read), printed.fail_on)


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
    for name in judgments.renaming.workers(names, judgments.worker_ids):
        if name in workers:
            found[name] = [name]
            continue
        if name not in worker_audit.VERDICTS:
            verdicts = ", ".join(worker_audit.VERDICTS)
            raise ConfigError(
                f'--without "{name}": neither a worker nor a verdict; the verdicts are {verdicts}', code="unknown_name"
            )
        if table is None:
            result = fit(judgments, gold=gold, model_votes=models, **chosen.part(FitConfig))
            table = worker_audit.audit(result, AuditConfig.of(None, **chosen.part(AuditConfig)))
        rows = table[(table["verdict"] == name) & table["worker"].isin(workers)]
        found[f"{len(rows)} {name}"] = rows["worker"].tolist()
    return found
