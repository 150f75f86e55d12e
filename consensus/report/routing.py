"""Items for workers whose verdict is open, as rows of the escalations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus import worker_audit
from consensus.result import named

if TYPE_CHECKING:
    from consensus.config import AuditConfig
    from consensus.result import Columns, Consensus

REASON = "retest"


def retests(result: Consensus, config: AuditConfig) -> Columns:
    """The columns of escalations.csv, with a row for each item that a worker is to be tested with.

    ``suggested_workers`` is that worker; ``judgments_needed`` is 1; ``n_judgments`` counts those of the item; there is
    no ``priority``. No rows unless ``config.retest`` asks for some.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    found = worker_audit.retest_columns(result, config, config.retest)
    ids = result.judgments.item_ids if len(found["item"]) else found["item"]  # an index of all ids takes its time
    items = pc.index_in(found["item"], ids).to_numpy().astype(np.int64)
    labels = result.label_columns(items)
    unknown = np.full(len(items), np.nan)
    return {
        "item": labels["item"],
        "reason": named(np.zeros(len(items), np.int32), (REASON,)),
        "judgments": np.ones(len(items), np.int64),
        "priority": unknown,
        "judgments_needed": np.ones(len(items)),
        **dict.fromkeys(("needed_low", "needed_high", "p_settled"), unknown),
        **{name: labels[name] for name in ("label", "confidence", "runner_up", "n_judgments")},
        "suggested_workers": pa.array(found["worker"], pa.string()),
    }
