"""What appending and updating tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from consensus.runs import Run


@dataclass(frozen=True, slots=True)
class Appended:
    """What came of what was appended."""

    judgments: int = 0
    """Rows of judgments that are new."""
    sources: int = 0
    """Sources of any kind that are new."""
    again: int = 0
    """Rows that were left out, for a judgment of their id came before."""
    said: tuple[str, ...] = ()
    """One line for each thing that changed nothing, or less than it seems."""


@dataclass(frozen=True, slots=True, eq=False)
class Updated:
    """An update: what it found."""

    run: Run
    """All that a run has: tables, plan, audit, explanations."""
    full: bool
    """It was fitted from nothing, and not from the parameters before."""
    n_new: int
    """Rows of judgments since the last full fit."""

    @property
    def changes(self) -> pd.DataFrame | None:
        """Items with another label or status than after the fit before, as in changes.csv; None for the first fit."""
        return None if self.run.since is None else self.run.table("changes")
