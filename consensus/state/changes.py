"""What adding to a stream tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """What came of what was added to a stream."""

    new: int = 0
    """Judgments of an item by a worker who had not judged it."""
    corrected: int = 0
    """Judgments by a worker who had given the item another label. Which of the two counts, the setting ``repeats``
    says."""
    repeated: int = 0
    """Judgments that were there: of the same worker, item and label; or of the same ``judgment_id``, which are left
    out."""
    said: tuple[str, ...] = ()
    """One line for each thing that changed nothing, or less than it seems."""
    labels: pd.DataFrame | None = None
    """The items that are different from the fit before, where it was fitted again; as ``consensus diff`` lists them."""
