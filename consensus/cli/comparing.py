"""``consensus diff``: two finished runs, compared."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from consensus.cli import job, kept_state, options, printing
from consensus.cli.options import INPUT, Printed
from consensus.cli.settings import Takes
from consensus.cli.terminal import visible
from consensus.errors import ConsensusError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consensus.config import RunConfig
    from consensus.found.result import Consensus
    from consensus.report.differences import Cause

SHOWN = 20
PIPED = 120  # characters a line where no terminal says how many


def diff(
    old: Annotated[
        Path, typer.Argument(help="Output folder of a run.", show_default=False, metavar="OLD", rich_help_panel=INPUT)
    ],
    computing: Annotated["RunConfig", Takes("threads")],
    printed: Printed,
    new: Annotated[
        Path | None,
        typer.Argument(help="Output folder of a later one.", show_default=False, metavar="NEW", rich_help_panel=INPUT),
    ] = None,
    state: options.OfState = None,
) -> None:
    """Tell what is different in NEW, or in a state: which labels flipped, and whose judgments did it."""
    show = job.Show(printed.quiet)

    from consensus.formats import read_previous
    from consensus.found.result import framed
    from consensus.report import differences

    printing.refuse_to_overwrite(printed.file, ())
    if state is not None:
        kept_state.refuse_both(new, "NEW")
    elif new is None:
        raise typer.BadParameter("give NEW, the output folder of a later run, or a state with --state")
    with show.stages():
        show.stage("reading labels")
        kept = None if state is None else kept_state.last(state, show)
        columns = differences.table(read_previous(old), read_previous(new if kept is None else kept))
        made = framed(columns)
        flips = made[made["change"] == "label"].dropna(subset=["label_before", "label"])
        flipped = list(zip(flips["item"], flips["label_before"], flips["label"], strict=True))
        found: dict[str, list[Cause]] = {}
        if flipped:
            then = _again(old, show, computing.threads)
            now = kept.result if kept is not None else None if new is None else _again(new, show, computing.threads)
            if now is not None:
                found = differences.causes(flipped, now, then)
        made["by"] = [differences.in_words(found.get(item, [])) or None for item in made["item"]]
    for line in _counted(made["change"], len(found), len(flipped)):
        show.say(line)
    if printed.output is not None or printed.json:
        printing.put(made, (), printed, show)
        return
    _print_tables(made, differences.by_worker(found))


def _again(folder: Path, show: job.Show, threads: int | None) -> "Consensus | None":
    """The fit of a folder; None, with a word why, where its inputs are not what they were."""
    from consensus.runs import finished

    try:
        return job.run_of(finished.inputs_of(folder, show, threads=threads), show).result
    except ConsensusError as error:
        show.say(f"note: nothing shows what its judgments did: {error}")
        return None


def _counted(change: "Iterable[str]", n_explained: int, n_flipped: int) -> list[str]:
    import collections

    from consensus.inputs.counted import counted

    counts = collections.Counter(change)
    names = {
        "label": ("other label", "other labels"),
        "status": ("the same label but another status",),
        "judgments": ("only more or fewer judgments",),
        "new": ("new item", "new items"),
        "gone": ("item gone", "items gone"),
    }
    said = ", ".join(counted(counts[name], named[0], named[-1]) for name, named in names.items() if counts[name])
    lines = [said or "no difference"]
    if n_explained and n_explained < n_flipped:
        lines.append(f"who did it is told of {n_explained:,} of the {n_flipped:,} items with another label")
    return lines


def _print_tables(made: Any, by_worker: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from consensus.report import words

    console = Console(highlight=False, width=None if Console().is_terminal else PIPED)
    if len(made):
        more = "" if len(made) <= SHOWN else f", the first {SHOWN} of {len(made):,}; all with --output FILE"
        table = Table(title=f"What is different{more}", title_justify="left", title_style="bold")
        for name in ("item", "label", "status", "judgments", "what speaks for it, by how much (odds)"):
            table.add_column(name, overflow="fold")
        for row in made.head(SHOWN).itertuples():
            pairs = (
                (row.label_before, row.label),
                (row.status_before, row.status),
                (str(row.n_judgments_before), str(row.n_judgments)),
            )
            by = row.by if isinstance(row.by, str) else ""
            cells = (row.item, *(_moved(*pair) for pair in pairs), by)
            table.add_row(*(escape(visible(cell)) for cell in cells))
        console.print(table)
    if by_worker:
        table = Table(title="Who did most", title_justify="left", title_style="bold")
        for name, justify in (("who", "left"), ("items", "right"), ("odds in all", "right")):
            table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]  # a literal
        for one in by_worker[:SHOWN]:
            table.add_row(escape(visible(one["who"])), f"{one['flips']:,}", words.odds(one["log_odds"]))
        console.print(table)


def _moved(before: Any, now: Any) -> str:
    """Such as ``7 -> 1``, or one of them where they are the same."""
    texts = [one if isinstance(one, str) else "-" for one in (before, now)]
    return texts[0] if texts[0] == texts[1] else f"{texts[0]} -> {texts[1]}"
