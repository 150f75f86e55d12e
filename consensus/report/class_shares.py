"""How common the labels are, for summary.json, the page and the screen; in words, and with what makes it void."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.guarantees.class_shares import LEAST_GOLD
from consensus.inputs.counted import counted
from consensus.intervals import LEVEL
from consensus.report.page_data.plain_records import plain
from consensus.report.quality import MOST_SHOWN

if TYPE_CHECKING:
    from consensus.guarantees.shares_table import SharesTable

NO_ESTIMATE = (
    "mean confidence in a label is no estimate of its share: on public crowds it was off by up to 15 points; give "
    "gold items drawn at random (--gold) to see shares with intervals here"
)
NOT_RANDOM = (
    "warning gold_not_random: the gold items do not look drawn at random from all items; do not use these shares, but "
    "draw gold with consensus plan-gold"
)


def in_numbers(found: SharesTable) -> dict[str, Any]:
    """What summary.json says: of how many gold items, whether it can be trusted, and the shares by label.

    Of many labels those with the highest mean confidence, in label order. What can't be said is null.
    """
    shown = np.sort(np.argsort(-np.nan_to_num(found.numbers["mean_confidence"]), kind="stable")[:MOST_SHOWN])
    return {
        "items": found.n_items,
        "gold_items": found.n_gold,
        "gold_items_split": found.n_split,
        "gold_items_needed": LEAST_GOLD,
        "gold_looks_random": found.looks_random,
        "interval_level": LEVEL,
        "by_label": {
            found.labels[k]: {name: plain(float(of[k])) for name, of in found.numbers.items()} for k in shown.tolist()
        },
    }


def lines(told: dict[str, Any]) -> list[str]:
    """What to know beside the shares, given ``in_numbers``."""
    n = told["gold_items"]
    if not n:
        return [NO_ESTIMATE]
    if n < told["gold_items_needed"]:
        return [f"{_gold(n)} too few for shares: {told['gold_items_needed']} drawn at random are needed; {NO_ESTIMATE}"]
    if n == told["items"]:
        return [f"all {n:,} items are gold: these are their shares, and nothing is estimated"]
    said = [
        f"shares of all {told['items']:,} items, estimated from {n:,} gold items and all judgments: each interval "
        "holds the true share in 95% of cases, if gold was drawn at random (not picked by hand or by label)",
        "each label is estimated by itself, so the shares need not add up to 100%",
    ]
    if told["gold_items_split"]:
        n_split = told["gold_items_split"]
        said.append(
            f"{counted(n_split, 'gold item has', 'gold items have')} several right labels and "
            f"{'counts' if n_split == 1 else 'count'} in part for each, as the judgments say"
        )
    if not told["gold_looks_random"]:
        said.append(NOT_RANDOM)
    return said


def records(told: dict[str, Any]) -> list[dict[str, Any]]:
    """A row a label, for the page; none without an interval."""
    return (
        []
        if told["gold_items"] < told["gold_items_needed"]
        else [{"label": label, **numbers} for label, numbers in told["by_label"].items()]
    )


def _gold(n: int) -> str:
    return "1 gold item is" if n == 1 else f"{n:,} gold items are"
