"""What an earlier run said of the items: who was accepted then, and how far what was needed was off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.escalation.ranking import Escalation
    from consensus.result import Consensus

LEAST_COMPARED = 30  # items with a prediction below which it is not corrected
MOST_CORRECTED = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Previous:
    """Tables of an earlier run, by item: labels.csv and, where it is there, escalations.csv."""

    item: pa.StringArray
    label: pa.StringArray
    status: pa.StringArray
    n_judgments: NDArray[np.int64]
    escalated: pa.StringArray | None = None
    """Items that were escalated then."""
    needed: NDArray[np.float64] | None = None
    """Judgments that they needed, NaN where that was not said."""

    def accepted(self, result: Consensus) -> NDArray[np.bool_]:
        """(I,) items that were accepted with the label that they still have."""
        import pyarrow.compute as pc

        row = self._rows(result)
        label = pc.index_in(self.label, _texts(result.judgments.labels)).fill_null(-2).to_numpy()
        was = np.asarray(pc.equal(self.status, "accepted").fill_null(False).to_numpy(zero_copy_only=False))
        known = row >= 0
        return np.asarray(known & was[row] & (label[row] == result.consensus_label))

    def correction(self, result: Consensus, items: NDArray[np.int64], needed: NDArray[np.float64]) -> float:
        """By how much judgments needed are to be multiplied: what they have turned out to be, over what was predicted.

        A right prediction does not grow: what was used since and what is ``needed`` (n,) now, summed over the items
        that were escalated, is what was predicted then, on average. ``items`` (n,) are those that still wait. Between
        1/5 and 5; 1 where fewer than 30 items were predicted, or nothing was asked since.
        """
        import pyarrow.compute as pc

        if self.escalated is None or self.needed is None:
            return 1.0
        row = self._rows(result)
        at = pc.index_in(result.judgments.item_ids, self.escalated).fill_null(-1).to_numpy()
        predicted = np.where(at >= 0, self.needed[at], np.nan)
        left = np.zeros(len(row))
        left[items] = needed
        used = result.judgments.per_item - np.where(row >= 0, self.n_judgments[row], 0)
        told = np.isfinite(predicted) & (row >= 0)
        if told.sum() < LEAST_COMPARED or not used[told].sum():
            return 1.0
        factor = (used[told].sum() + left[told].sum()) / max(float(predicted[told].sum()), 1e-9)
        return float(np.clip(factor, 1.0 / MOST_CORRECTED, MOST_CORRECTED))

    def changes(self, result: Consensus, found: Escalation) -> pd.DataFrame:
        """Items whose label or status is not what it was: item, label_before, label, status_before, status."""
        import pandas as pd

        from consensus.escalation.reasons import STATUSES
        from consensus.result import decoded

        row = self._rows(result)
        status = decoded(found.status(result)[: len(row)], STATUSES)
        now = result.labels_of(slice(None))
        table = pd.DataFrame(
            {
                "item": now["item"],
                "label_before": [self.label[r].as_py() if r >= 0 else None for r in row.tolist()],
                "label": now["label"],
                "status_before": [self.status[r].as_py() if r >= 0 else None for r in row.tolist()],
                "status": status,
            }
        )
        same = (table["label_before"] == table["label"]) & (table["status_before"] == table["status"])
        return table[~same].reset_index(drop=True)

    def _rows(self, result: Consensus) -> NDArray[np.int64]:
        """(I,) row of each item in the earlier labels, -1 where it is not there."""
        import pyarrow.compute as pc

        found = pc.index_in(result.judgments.item_ids, self.item).fill_null(-1)
        return np.asarray(found.to_numpy(), np.int64)


def _texts(names: tuple[str, ...]) -> pa.StringArray:
    import pyarrow as pa

    return pa.array(names, pa.string())
