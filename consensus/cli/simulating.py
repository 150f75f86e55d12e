"""``consensus simulate`` and ``demo``: judgments with a planted truth."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consensus.cli import job, options

if TYPE_CHECKING:
    from consensus.simulation import Simulation

Seed = Annotated[int, typer.Option(help="Seed of everything drawn.")]


def simulate(
    out: Annotated[Path, typer.Argument(help="Folder to write.", show_default=False)],
    items: Annotated[int, typer.Option(help="Items.")] = 1000,
    workers: Annotated[int, typer.Option(help="Workers.")] = 20,
    labels: Annotated[int, typer.Option(help="Labels.")] = 3,
    per_item: Annotated[float, typer.Option(help="Judgments an item, in the mean.")] = 5.0,
    accuracy: Annotated[float, typer.Option(help="Mean accuracy of ordinary workers.")] = 0.75,
    spammers: Annotated[float, typer.Option(help="Share of workers who answer at random.")] = 0.0,
    adversaries: Annotated[float, typer.Option(help="Share of workers who mostly give a wrong answer.")] = 0.0,
    gold: Annotated[int, typer.Option(help="Items whose truth goes into gold.csv.")] = 100,
    seed: Seed = 0,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> None:
    """Draw judgments from a planted truth: judgments.csv, gold.csv, truth.csv and planted.csv (the confusions)."""
    from consensus import simulation
    from consensus.report import folder

    folder.check(out, overwrite=overwrite)
    drawn = simulation.simulate(
        items,
        workers,
        labels,
        per_item,
        accuracy=accuracy,
        spammers=spammers,
        adversaries=adversaries,
        seed=seed,
    )
    folder.write_simulation(drawn, out, n_gold=min(gold, items), seed=seed)
    job.Show(quiet).say(f"wrote {out}: {drawn.judgments.n_judgments:,} judgments of {items:,} items")


def demo(
    out: Annotated[Path, typer.Argument(help="Folder to write.")] = Path("consensus-demo"),
    seed: Seed = 0,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> None:
    """Show the whole job on a simulated crowd, and how close it comes to the planted truth."""
    from consensus import simulation
    from consensus.report import folder

    folder.check(out, overwrite=overwrite)
    show = job.Show(quiet)
    drawn = simulation.simulate(1500, 30, 4, 3.5, accuracy=0.72, spammers=0.15, adversaries=0.05, seed=seed)
    folder.write_simulation(drawn, out, n_gold=100, seed=seed)
    show.say(f"1. A crowd with a planted truth is in {out}: 30 workers, 4 spam, 2 mostly say what is wrong.")
    show.say(f"2. consensus run {out / 'judgments.csv'} --gold {out / 'gold.csv'} --out {out / 'run'}")

    from consensus.cli.running import run

    run([out / "judgments.csv"], gold=out / "gold.csv", out=out / "run", overwrite=True, quiet=quiet)
    consensus, majority = _accuracies(out / "run" / "labels.csv", drawn)
    show.say(
        f"3. Right on the items without gold: consensus {consensus:.1%}, majority vote {majority:.1%}. "
        f"Now look into {out / 'run'}."
    )


def _accuracies(labels: Path, drawn: "Simulation") -> tuple[float, float]:
    """Share of the items without gold that the consensus, and the majority vote, label right."""
    from consensus.formats.scored import read_scored

    table = read_scored(labels).merge(drawn.truth_table(), on="item", suffixes=("", "_true"))
    table = table[table["source"] != "gold"]
    return (
        float((table["label"] == table["label_true"]).mean()),
        float((table["majority_label"] == table["label_true"]).mean()),
    )
