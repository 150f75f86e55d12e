"""``consensus simulate`` and ``demo``: judgments with a planted truth."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consensus.cli import job, options
from consensus.cli.options import MODEL, OUTPUT, Given, Paged
from consensus.cli.settings import Takes

if TYPE_CHECKING:
    from consensus.config import CrowdConfig


def simulate(
    out: Annotated[
        Path, typer.Argument(help="Folder to write.", show_default=False, metavar="OUT", rich_help_panel=OUTPUT)
    ],
    crowd: Annotated["CrowdConfig", Takes("CrowdConfig", of="CrowdConfig")],
    gold: Annotated[
        int,
        typer.Option(min=0, help="Items whose truth goes into gold.csv.", metavar="NUMBER", rich_help_panel=OUTPUT),
    ] = 100,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> None:
    """Draw judgments from a planted truth: judgments.csv, gold.csv, truth.csv and planted.csv."""
    from consensus import simulation
    from consensus.runs import folder

    real = folder.check(out, overwrite=overwrite, ours=folder.OF_A_SIMULATION)
    drawn = simulation.simulate(**crowd.model_dump())
    folder.write_simulation(drawn, real, n_gold=gold, seed=crowd.seed)
    job.Show(quiet).say(f"wrote {out}: {drawn.judgments.n_judgments:,} judgments of {crowd.n_items:,} items")


def demo(
    out: Annotated[Path, typer.Argument(help="Folder to write.", metavar="OUT", rich_help_panel=OUTPUT)] = Path(
        "consensus-demo"
    ),
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of everything drawn.", metavar="NUMBER", rich_help_panel=MODEL)
    ] = 0,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> None:
    """Show the whole job on a simulated crowd, and how close it comes to the planted truth."""
    from consensus import evaluation, models, simulation
    from consensus.cli.running import Written, run
    from consensus.config import RunConfig
    from consensus.formats import read_gold
    from consensus.formats.labels_table import read_scored
    from consensus.runs import folder

    real = folder.check(out, overwrite=overwrite, ours=folder.OF_A_SIMULATION | {"run"})
    if (real / "run").exists():
        folder.check(real / "run", overwrite=overwrite)
    show = job.Show(quiet)
    drawn = simulation.simulate(1500, 30, 4, 5, accuracy=0.72, spammers=0.15, adversaries=0.05, seed=seed)
    folder.write_simulation(drawn, real, n_gold=100, seed=seed)
    show.say(f"1. A crowd with a planted truth is in {out}: 30 workers, 4 spam, 2 mostly say what is wrong.")
    show.say(f"2. consensus run {out / 'judgments.csv'} --gold {out / 'gold.csv'} --output {out / 'run'}")
    given = Given([out / "judgments.csv"], gold=out / "gold.csv")
    run(given, RunConfig(), Written(out / "run"), Paged(), quiet=quiet)

    ours, _ = evaluation.evaluate(read_scored(real / "run"), read_gold(real / "truth.csv"))
    gold = drawn.truth_table(100, seed)
    votes = models.fit(drawn.judgments, model="majority_vote").posteriors
    majority, _ = evaluation.evaluate(votes[~votes["item"].isin(gold["item"])], read_gold(real / "truth.csv"))
    show.say(
        f"3. Right on the {ours.n_items:,} items without gold: consensus {ours.accuracy:.1%}, majority vote "
        f"{majority.accuracy:.1%} (ties shared). Now look into {out / 'run'}."
    )
