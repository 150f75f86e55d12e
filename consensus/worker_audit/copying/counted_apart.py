"""What labels would be if a group that counts as one worker were counted worker by worker."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.found.cautions import Caution
from consensus.models.average import DISPUTED, LEAST_DISPUTED, NAMED

if TYPE_CHECKING:
    from consensus.found.result import Consensus


def compared(apart: Consensus, as_one: Consensus) -> Consensus:
    """The result where groups count ``as_one``, with the labels of the one where they count ``apart`` beside it.

    Where many differ a warning says so: which of the two is right hangs on whether the group's judgments are its own.
    """
    judgments = as_one.judgments
    moved = (apart.peaks.best != as_one.peaks.best) & (judgments.per_item > 0)
    if as_one.gold is not None:
        moved[as_one.gold.items] = False
    readings = as_one.readings
    if readings is not None:
        readings = replace(readings, counted_apart=apart.peaks.best, moved=moved)
    n, n_items = int(moved.sum()), int((judgments.per_item > 0).sum())
    if n < LEAST_DISPUTED or n <= DISPUTED * n_items:
        return replace(as_one, readings=readings)
    first = ", ".join(judgments.item_ids.take(np.flatnonzero(moved)[:NAMED]).to_pylist())
    where = "all in readings.csv" if readings is not None else "--collusion report gives these labels"
    caution = Caution(
        "readings_disagree",
        f"{n:,} of {n_items:,} items ({n / n_items:.1%}) get another label if the workers of each group count one by "
        f"one, such as {first} ({where}); have some of them checked, and give them as gold",
        {"n_items": n, "share": n / n_items},
    )
    return replace(as_one, readings=readings, warnings=(*as_one.warnings, caution))
