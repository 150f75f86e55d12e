"""Whether the order of rows looks like the order in which judgments were made: workers by turns, and nothing sorted.

A log of judgments takes its rows as they come. Tables are sorted, too: by item, by worker or by label. Their order says
nothing of time, so that a change along it is none. This can only tell what is surely no order in time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.inputs.judgments import Judgments

    Codes = NDArray[np.int32]

LEAST = 20  # judgments of some worker, below which nobody's change can be told anyway
MOST_ROWS = 1_000_000  # beyond them, nobody's change is looked for unless it is asked for: that takes time
SORTED = 0.9  # share of neighbours in one order, above which the rows are sorted
TOGETHER = 0.05  # of all rows, within which those of the median item lie if they come item by item, or HIT by HIT
LEAST_TURNS = 3  # runs of rows that workers with LEAST judgments have in the mean, below which they come in blocks
ALIKE = 0.25  # by how much more often than chance neighbours have one label, as a share of what is possible


BY_ROWS = (
    "nothing has a time: who changed is told by the order of rows, as if judgments stood in the order in which they "
    "were made, which is a guess"
)
BY_TIME = "judgments have times: who changed is told by these, not by the order of rows"


def notes(drift_by: str, timed: bool) -> list[str]:
    """What to say of what tells who changed, where the rows were asked for."""
    return [BY_TIME if timed else BY_ROWS] if drift_by == "rows" else []


def numbers(drift_by: str, timed: bool, n_rows: int) -> dict[str, NDArray[np.float64]]:
    """The numbers of the rows, from 1, as a column of judgments, where they may tell who changed."""
    asked = drift_by == "rows" or (drift_by == "auto" and n_rows <= MOST_ROWS)
    return {"read_row": np.arange(1.0, n_rows + 1)} if asked and not timed else {}


def guessed(judgments: Judgments, drift_by: str) -> Judgments:
    """The judgments with their ``read_row`` only where it may be an order in time; else with the reason why not.

    As they are where they have times, or where nothing is to be guessed.
    """
    if drift_by != "auto" or judgments.timestamp is not None:
        return judgments
    why = _why_none(judgments)
    if why:
        return replace(judgments, read_row=None, unordered=why)
    return replace(judgments, rows_guessed=True)


def _why_none(judgments: Judgments) -> str:
    """Why the order of rows tells nobody's change; empty if it may."""
    row, busy = judgments.read_row, judgments.per_worker >= LEAST
    if row is None:
        return f"there are more than {MOST_ROWS:,} rows"
    if not busy.any():
        return f"nobody has {LEAST} judgments"
    place = np.full(int(row.max()) + 1, -1, np.int64)
    place[row] = np.arange(len(row))
    order = place[place >= 0]  # no two have the same row
    item, worker, label = (codes[order] for codes in (judgments.item, judgments.worker, judgments.label))
    n = len(order)
    if _is_sorted(item) or _median_span(judgments, row) <= TOGETHER * n:
        return "rows are sorted by item"
    n_turns = 1 + int((~_beside(worker[busy[worker]])).sum())
    if _is_sorted(worker) or n_turns < LEAST_TURNS * int(busy.sum()):
        return "rows are sorted by worker"
    chance = float(((np.bincount(label) / n) ** 2).sum())
    if _is_sorted(label) or _beside(label).mean() - chance > ALIKE * (1.0 - chance):
        return "rows are sorted by label"
    return ""


def _median_span(judgments: Judgments, row: NDArray[np.int64]) -> float:
    """Rows from the first to the last of the median item, of those judged twice or more; infinite without."""
    judged = judgments.per_item > 0
    begin = judgments.item_start[:-1][judged]
    span = np.maximum.reduceat(row, begin) - np.minimum.reduceat(row, begin)
    several = span[judgments.per_item[judged] > 1]
    return float(np.median(several)) if len(several) else np.inf


def _beside(codes: Codes) -> NDArray[np.bool_]:
    """(n - 1,) which rows, from the second on, have the code of the one before them."""
    return np.asarray(codes[1:] == codes[:-1], np.bool_)


def _is_sorted(codes: Codes) -> bool:
    """Whether nearly all neighbours that differ go up, or nearly all go down."""
    step = np.diff(codes.astype(np.int64))
    up, down = int((step > 0).sum()), int((step < 0).sum())
    return max(up, down) > SORTED * (up + down)
