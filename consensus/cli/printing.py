"""``consensus aggregate``, ``agreement`` and ``escalate``: one table each, to stdout or a file."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from consensus.cli import job, options
from consensus.cli.options import OUTPUT, Given, Printed
from consensus.cli.settings import Takes
from consensus.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from typing import BinaryIO

    import pandas as pd

    from consensus.config import RunConfig
    from consensus.runs import Inputs, Run

    Streamed = Callable[[str, BinaryIO], None]  # writes itself in the format of an ending to an open file
    Made = pd.DataFrame | Streamed
    Told = tuple[Made, list[str]]
    Table = Callable[[Run], Made | Told]
    Reader = Callable[[job.Show], Inputs]


def aggregate(
    given: Given,
    chosen: Annotated[
        "RunConfig",
        Takes(
            "ReadConfig",
            "VotesConfig",
            "GoldConfig",
            "FitConfig",
            "CollusionConfig",
            "target",
            "min_judgments",
            "max_judgments",
            "audit",
            "promise",
            "random_gold",
            but=("drift_by",),
        ),
    ],
    printed: Printed,
    posteriors: Annotated[
        bool, typer.Option("--posteriors", help="Print the probability of each label.", rich_help_panel=OUTPUT)
    ] = False,
) -> None:
    """Print one row for each item: its label, the confidence in it, and whether it is settled."""
    from consensus.report import words

    def table(found: "Run") -> "Told":
        if posteriors:
            return found.table("posteriors"), words.of_result(found)
        return found.labels, words.of_escalation(found, of_workers=False)

    fit_and_print(given, chosen, printed, table)


def agreement(
    judgments: options.Judgments,
    chosen: Annotated[
        "RunConfig", Takes("ReadConfig", "labels", "threads", "memory", "seed", but=("drift_by", "by", "keep"))
    ],
    printed: Printed,
    config: options.Config = None,
    ordinal: Annotated[
        bool,
        typer.Option(
            "--ordinal", help="Also Krippendorff's ordinal alpha, over labels in the order of --labels, or numbers."
        ),
    ] = False,
    by: Annotated[
        str, typer.Option(help="What is shown besides the whole: label or worker-pair.", metavar="WHAT")
    ] = "label",
    bootstrap: Annotated[int, typer.Option(help="Samples that intervals are made from; 0 for no intervals.")] = 1000,
) -> None:
    """Print how far workers agree: Krippendorff's alpha, Fleiss' kappa, Gwet's AC1 and more, each with an interval."""
    show = job.Show(printed.quiet)
    refuse_to_overwrite(printed.output, (*judgments, config))

    from consensus import worker_agreement
    from consensus.inputs import label_order
    from consensus.inputs.judgments import listed
    from consensus.report import words
    from consensus.runs.run_inputs import judged

    with show.stages():
        read = judged(judgments, chosen, show)
        show.stage("comparing")
        if chosen.labels is not None:
            read = read.with_labels(chosen.labels)
        read = label_order.in_order(read) if ordinal else read
        made = worker_agreement.agreement(
            read,
            level="ordinal" if ordinal else "nominal",
            by=by,  # type: ignore[arg-type]  # refused there if it is neither
            n_bootstrap=bootstrap,
            seed=chosen.seed,
        )
    said = [f"labels in the order {listed(read.labels, 20)}"] if ordinal else []
    put(made, [*words.of_judgments(read), *said], printed, show)


def escalate(
    given: Given,
    chosen: Annotated[
        "RunConfig",
        Takes(
            "ReadConfig",
            "VotesConfig",
            "GoldConfig",
            "FitConfig",
            "EscalateConfig",
            "CollusionConfig",
            "costs",
            "workers",
            "previous",
            "retest",
            but=("keep",),
        ),
    ],
    printed: Printed,
) -> None:
    """Print the items that are not settled: why, how many judgments they need, and from whom."""
    from consensus.report import words

    fit_and_print(given, chosen, printed, lambda found: (found.escalations, words.of_escalation(found)))


def fit_and_print(
    given: Given, chosen: "RunConfig", printed: Printed, table: "Table", read: "Reader | None" = None
) -> None:
    """Read, fit, make the table, and write it to a file or stdout; what to beware of goes to stderr.

    The table may come with lines of words; else they are the balance of rows and the warnings. ``read`` is another way
    to get the inputs than to read the files that are ``given``.
    """
    show = job.Show(printed.quiet)
    earlier = chosen.previous
    before = [earlier, *earlier.iterdir()] if earlier is not None and earlier.is_dir() else [earlier]
    refuse_to_overwrite(printed.output, (*given.paths(), chosen.costs, chosen.workers, *before))

    from consensus.report import words
    from consensus.runs import Inputs

    with show.stages():
        inputs = (
            Inputs.read(
                chosen, given.judgments or None, model_votes=given.model_votes or None, gold=given.gold, listener=show
            )
            if read is None
            else read(show)
        )
        found = job.findings(inputs, show)
        made = table(found)
        frame, lines = made if isinstance(made, tuple) else (made, words.of_result(found))
    put(frame, lines, printed, show)


def refuse_to_overwrite(output: "Path | None", given: "Iterable[Path | None]") -> None:
    """Refuse an ``output`` of an unknown kind, or that is one of the ``given`` files, before the work begins."""
    if output is None:
        return
    from consensus.formats import writing

    writing.check_ending(output)
    for path in given:
        if path is not None and path.exists() and output.exists() and path.samefile(output):
            raise OutputError(f"{output}: this file is to be read; choose another with --output")


def put(made: "Made", lines: "Iterable[str]", printed: Printed, show: job.Show) -> None:
    """Write a table to a file or stdout; ``lines`` of words go to stderr."""
    from consensus.formats import writing

    def encode(ending: str, file: "BinaryIO") -> None:
        if callable(made):
            made(ending, file)
        else:
            writing.encode(made, ending, file)

    if printed.output is not None:
        writing.check_ending(printed.output)
        with writing.replacing(printed.output) as file:
            encode(printed.output.suffix.lower(), file)
    for line in lines:
        show.say(line)
    if printed.output is None:
        encode(".jsonl" if printed.json else ".csv", sys.stdout.buffer)
        sys.stdout.buffer.flush()
