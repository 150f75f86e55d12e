"""``consensus aggregate``, ``agreement`` and ``escalate``: one table each, to stdout or a file."""

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consensus.cli import failing, job, kept_state, options, terminal
from consensus.cli.options import LABELS, MODEL, OUTPUT, Given, Printed, Warned
from consensus.cli.settings import Takes
from consensus.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import BinaryIO

    from consensus.config import RunConfig
    from consensus.formats import writing
    from consensus.runs import Inputs, Run

    Streamed = Callable[[str, BinaryIO, bool], None]  # writes itself in the format of an ending, with raw cells or not
    Made = writing.Table | Streamed
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
            "audit_sample",
            "promise",
            "random_gold",
            but=("drift_by",),
        ),
    ],
    printed: Warned,
    posteriors: Annotated[
        bool, typer.Option("--posteriors", help="Print the probability of each label.", rich_help_panel=OUTPUT)
    ] = False,
) -> None:
    """Print one row for each item: its label, the confidence, and whether it is settled."""
    from consensus.report import words

    def table(found: "Run") -> "Told":
        if posteriors:
            return found.table("posteriors"), words.of_result(found)
        return found.labels, words.of_escalation(found, of_workers=False)

    fit_and_print(given, chosen, printed, table)


def agreement(
    judgments: options.Judgments,
    chosen: Annotated[
        "RunConfig",
        Takes("ReadConfig", "labels", "threads", "memory", "seed", but=("drift_by", "by", "keep", "weight", "cluster")),
    ],
    printed: Warned,
    config: options.Config = None,
    ordinal: Annotated[
        bool,
        typer.Option(
            "--ordinal",
            help="Also Krippendorff's ordinal alpha. Over labels in the order of --labels, or numbers.",
            rich_help_panel=LABELS,
        ),
    ] = False,
    by: Annotated[
        str,
        typer.Option(
            help="What is shown besides the whole: label or worker-pair.", metavar="WHAT", rich_help_panel=OUTPUT
        ),
    ] = "label",
    bootstrap: Annotated[
        int,
        typer.Option(help="Samples that intervals are made from; 0 for none.", metavar="NUMBER", rich_help_panel=MODEL),
    ] = 1000,
) -> None:
    """Print how far workers agree: Krippendorff's alpha, Fleiss' kappa, Gwet's AC1 and more."""
    show = job.Show(printed.quiet)
    refuse_to_overwrite(printed.file, (*judgments, config))

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
    failing.refuse(words.cautions(read), printed.fail_on)


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
    printed: Warned,
    state: options.OfState = None,
    summary: Annotated[
        Path | None,
        typer.Option(
            help="File for the promise and the counts, as JSON. What is accepted, how far that can be trusted, and "
            "what the judgments that are asked for will bring.",
            metavar="FILE",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
) -> None:
    """Print the items that are not settled: why, how many judgments they need, from whom."""
    if summary is not None and printed.file is not None and summary.absolute() == printed.file.absolute():
        raise typer.BadParameter("--summary and --output name the same file; choose another for one of them")
    if summary == options.STDOUT and printed.file is None:
        raise typer.BadParameter("--summary - and the table would both go to standard output; name a file for one")

    from consensus.report import words
    from consensus.runs import tables

    def table(found: "Run") -> "Told":
        if summary is not None:
            write_summary(found, summary)
        return tables.whole(tables.named_table("escalations"), found), words.of_escalation(found)

    found = None
    if state is not None:
        kept_state.refuse_files(given)
        found = partial(kept_state.last, state, chosen=chosen)
    fit_and_print(given, chosen, printed, table, run=found)


def write_summary(found: "Run", path: Path) -> None:
    """Write what is promised and counted, and what is listed, as JSON to a file or stdout.

    Raises
    ------
    OutputError
        It can't be written.
    """
    from consensus.formats import writing

    told, listed = found.summary, found.escalations
    parts = {
        "target": found.rule.target,
        **{name: told[name] for name in ("counts", "quality", "certificate", "escalation", "changes", "warnings")},
        "listed": {
            "rows": len(listed),
            "judgments": int(listed["judgments"].sum()),
            "by_reason": {str(name): int(n) for name, n in listed["reason"].value_counts(sort=False).items()},
        },
    }
    text = json.dumps(parts, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if path == options.STDOUT:
        typer.echo(text, nl=False)
        return
    with writing.replacing(path) as file:
        file.write(text.encode())


def fit_and_print(
    given: Given,
    chosen: "RunConfig",
    printed: Warned,
    table: "Table",
    read: "Reader | None" = None,
    *,
    run: "Callable[[job.Show], Run] | None" = None,
) -> None:
    """Read, fit, make the table, and write it to a file or stdout; what to beware of goes to stderr.

    The table may come with lines of words; else they are the balance of rows and the warnings. ``read`` is another way
    to get the inputs than to read the files that are ``given``, ``run`` one to get what is found.
    """
    show = job.Show(printed.quiet)
    earlier = chosen.previous
    before = [earlier, *earlier.iterdir()] if earlier is not None and earlier.is_dir() else [earlier]
    refuse_to_overwrite(printed.file, (*given.paths(), chosen.costs, chosen.workers, *before))

    from consensus.report import words
    from consensus.runs import Inputs

    with show.stages():
        if run is not None:
            found = run(show)
        elif read is not None:
            found = job.run_of(read(show), show)
        else:
            votes = given.model_votes or None
            inputs = Inputs.read(chosen, given.judgments or None, model_votes=votes, gold=given.gold, listener=show)
            found = job.run_of(inputs, show)
        made = table(found)
        frame, lines = made if isinstance(made, tuple) else (made, words.of_result(found))
    put(frame, lines, printed, show)
    failing.refuse(found.warnings if printed.fail_on else (), printed.fail_on)


def refuse_to_overwrite(output: Path | None, given: "Iterable[Path | None]") -> None:
    """Refuse an ``output`` of an unknown kind, or that is one of the ``given`` files, before the work begins."""
    if output is None:
        return
    from consensus.formats import writing

    writing.check_ending(output)
    for path in given:
        if path is not None and _are_one(path, output):
            raise OutputError("this file is to be read; choose another with --output", output, code="output_exists")


def _are_one(path: Path, output: Path) -> bool:
    try:
        return path.samefile(output)
    except OSError:  # one is not there, or a folder on the way is closed: who reads or writes it will say so
        return False


def put(made: "Made", lines: "Iterable[str]", printed: Printed, show: job.Show) -> None:
    """Write a table to a file or stdout; ``lines`` of words go to stderr."""
    from consensus.formats import writing

    def encode(ending: str, file: "BinaryIO") -> None:
        if callable(made):
            made(ending, file, printed.raw_cells)
        else:
            writing.encode(made, ending, file, raw_cells=printed.raw_cells)

    if printed.file is not None:
        writing.check_ending(printed.file)
        with writing.replacing(printed.file) as file:
            encode(printed.file.suffix.lower(), file)
    for line in lines:
        show.say(line)
    if printed.file is None:
        terminal.put(partial(encode, ".jsonl" if printed.json else ".csv"))
