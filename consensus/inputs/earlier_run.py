"""What an earlier run said of the items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.inputs.vocabulary import positions

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

STATUSES = ("accepted", "escalate", "expert", "gold", "unaudited")
"""Of an item, in a table of labels."""
SETTLED = ("accepted", "unaudited")
"""Those of items that are accepted, be it that gold does not speak for them."""


@dataclass(frozen=True, slots=True, eq=False)
class Previous:
    """Its labels, and what the items needed that it escalated."""

    item: pa.StringArray
    label: pa.StringArray
    """Null where it was left open."""
    status: pa.StringArray
    n_judgments: NDArray[np.int64]
    escalated: pa.StringArray
    """Items that were escalated then; none where that is not known."""
    needed: NDArray[np.float64]
    """Judgments that each of these needed; NaN where that was not said."""
    correction: float = 1.0
    """By which these had been multiplied."""
    file: str = "previous"
    """What holds the labels."""

    @classmethod
    def of(
        cls,
        item: Sequence[str],
        label: Sequence[str | None],
        status: Sequence[str],
        n_judgments: NDArray[np.int64],
        escalated: Sequence[str] | None = None,
        needed: NDArray[np.float64] | None = None,
        correction: float = 1.0,
        file: str = "previous",
    ) -> Previous:
        """From columns."""
        import pyarrow as pa

        texts = [pa.array(column, pa.string()) for column in (item, label, status, escalated or [])]
        foretold = np.zeros(0) if needed is None else needed
        return cls(texts[0], texts[1], texts[2], n_judgments, texts[3], foretold, correction, file)

    def rows(self, item_ids: pa.StringArray) -> NDArray[np.int64]:
        """(I,) row of each item, -1 where it is not there."""
        return positions(item_ids, self.item)
