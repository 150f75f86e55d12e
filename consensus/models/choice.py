"""Which model finds the labels where nobody named one: the average of readings, up to where it would take long.

The average of three readings is never much worse than the first of them, and better where workers err together. So it
is in small crowds, too, where there are too few judgments to weigh the readings by and all weigh alike: in the mean of
150 draws each of 27 kinds of crowds of 20 to 100 items (``tests/benchmarks/small_crowds.py``), accuracy moves by -.5 to
+3 points and log loss by -.12 to +.002 nats.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consensus.models.layout import weighs_all_labels
from consensus.models.readings import most_states

if TYPE_CHECKING:
    from consensus.config import FitConfig
    from consensus.inputs.judgments import Judgments
    from consensus.inputs.model_votes import AlignedVotes

USUAL, ALONE = "average", "dawid_skene"
MOST_JUDGMENTS = 1_000_000
MOST_WEIGHED = 100_000_000  # judgments times states of the finest reading: 10 labels of a million judgments, some 20 s
MOST_CELLS = 30_000_000  # of the rows of a fit times these states, some 50 bytes each at the peak


@dataclass(frozen=True, slots=True)
class Choice:
    """A model."""

    name: str
    because: str | None = None
    """Why it is not the usual one, where nobody named one."""


def chosen(judgments: Judgments, votes: AlignedVotes | None, settings: FitConfig) -> Choice:
    """The model that the settings name; else the average of readings, where it can be had and does not take long.

    It depends on the data alone, never on the machine.
    """
    if settings.model is not None:
        return Choice(settings.model)
    reason = left_out(judgments, votes) or _classic(settings) or _takes_long(judgments)
    return Choice(USUAL) if reason is None else Choice(ALONE, reason)


def left_out(judgments: Judgments, votes: AlignedVotes | None) -> str | None:
    """Why there can't be but one reading of these; None where there can be several."""
    if votes is not None:
        return "models voted, and only one reading can learn how far to believe them"
    if judgments.is_weighed:
        return "items have weights or stand in clusters, which only one reading can count"
    if not weighs_all_labels(judgments.n_items, _most_rows(judgments), judgments.n_labels):
        return f"{judgments.n_labels:,} labels on {judgments.n_items:,} items are too many to weigh all of them"
    return None


def times_as_long(n_labels: int) -> int:
    """How many times the fit of one reading an average takes, about: 6, 8, 12, 23 and 39 at 2, 5, 10, 20, 30 labels."""
    return 4 + n_labels


def _classic(settings: FitConfig) -> str | None:
    """Maximum likelihood was asked for, which has nothing to hold the many confusions of finer readings."""
    return "--prior none asks for the classic maximum likelihood" if settings.prior == "none" else None


def _takes_long(judgments: Judgments) -> str | None:
    """Why an average of readings would take much time or memory; None where it would not."""
    K, n_states = judgments.n_labels, most_states(judgments.n_labels)
    long = f"(--model average takes about {times_as_long(K):,} times as long)"
    if judgments.n_judgments > MOST_JUDGMENTS:
        return f"there are more than {MOST_JUDGMENTS:,} judgments {long}"
    if judgments.n_judgments * n_states > MOST_WEIGHED or _most_rows(judgments) * n_states > MOST_CELLS:
        return f"there are {K:,} labels in {judgments.n_judgments:,} judgments {long}"
    return None


def _most_rows(judgments: Judgments) -> int:
    """Pairs of a worker and a label that occur, at most."""
    return min(judgments.n_judgments, judgments.n_workers * judgments.n_labels)
