"""Gold that a fit is made beside without seeing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consensus.inputs.gold import AlignedGold
    from consensus.models.bounds import Bounds


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """Gold that is not clamped: it spares the search for switched labels, and decides what is warned of."""

    gold: AlignedGold
    begins: bool = False
    """EM starts from the workers' accuracies on it; else nothing that is fitted depends on it."""
    bounds: Bounds | None = None
    """Where EM starts from other accuracies, and some workers are believed no more than these say."""


def warned_by(gold: AlignedGold | None, held: Held | None) -> AlignedGold | None:
    """The gold that warnings are about, clamped or not."""
    return gold if held is None else held.gold
