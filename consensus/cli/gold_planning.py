"""``consensus plan-gold``: which items to ask gold for, and how many."""

from typing import TYPE_CHECKING, Annotated

import typer

from consensus.cli import printing
from consensus.cli.options import OUTPUT, Given, Warned
from consensus.cli.settings import Takes

if TYPE_CHECKING:
    import pandas as pd

    from consensus.config import RunConfig
    from consensus.runs import Run


def plan_gold(
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
            "random_gold",
            but=("drift_by", "keep"),
        ),
    ],
    printed: Warned,
    items: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Items to draw. Default: as many as certify the target with a chance of 80 %.",
            metavar="NUMBER",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
) -> None:
    """Draw items of JUDGMENTS at random to ask gold for: so many that --promise set should hold."""
    from consensus import guarantees
    from consensus.report import set_promise, words

    def table(found: "Run") -> "tuple[pd.DataFrame, list[str]]":
        plan = guarantees.plan_gold(found.result, found.rule, n=items, seed=chosen.seed)
        return plan.items, [*words.of_result(found), *set_promise.of_plan(plan)]

    printing.fit_and_print(given, chosen, printed, table)
