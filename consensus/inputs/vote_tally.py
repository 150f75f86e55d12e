"""What became of the rows of model votes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VoteTally:
    """What became of every row that was read: ``read == used + abstained + merged + rejected`` before labels are
    compared; ``unparsed`` of the used votes turned out to name no label.
    """  # noqa: D205

    read: int
    used: int
    """Votes: one a model and item."""
    abstained: int = 0
    """Rows without a label (or with one that means "no answer")."""
    merged: int = 0
    """Rows that were put together with another of the same model and item: samples, or scores of several labels."""
    rejected: int = 0
    normalised: int = 0
    """Votes whose probabilities did not sum to 1."""
    unparsed: int = 0
    """Votes for no label of the label set: free text, a refusal, a judge's answer that could not be parsed."""


NOTHING_READ = VoteTally(0, 0)
