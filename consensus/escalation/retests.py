"""Items for workers whose verdict is open, as rows of the escalations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus import worker_audit
from consensus.found.result import named
from consensus.inputs.vocabulary import positions

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.found.result import Columns, Consensus
    from consensus.inputs.worker_pool import AlignedPool
    from consensus.worker_audit import WorkerAudit

REASON = "retest"


@dataclass(frozen=True, slots=True, eq=False)
class Retests:
    """Which worker is to be tested with which item; one judgment each."""

    items: NDArray[np.int64]
    """(t,) codes."""
    worker_ids: pa.StringArray
    """(t,)"""
    workers: NDArray[np.int64]
    """(t,) their codes; -1 of a copy that was merged into others."""
    n_open: int | None = None
    """Workers whose verdict is open, tested or not; None where no tests are asked for."""

    def columns(self, result: Consensus) -> Columns:
        """The columns of escalations.csv, with a row for each.

        ``suggested_workers`` is the worker; ``judgments_needed`` is 1; ``n_judgments`` counts those of the item; there
        is no ``priority``.
        """
        import pyarrow as pa

        labels = result.label_columns(self.items)
        one_each = pa.array(np.arange(len(self.items) + 1, dtype=np.int32))
        unknown = np.full(len(self.items), np.nan)
        return {
            "item": labels["item"],
            "reason": named(np.zeros(len(self.items), np.int32), (REASON,)),
            "judgments": np.ones(len(self.items), np.int64),
            "priority": unknown,
            "judgments_needed": np.ones(len(self.items)),
            **dict.fromkeys(("needed_low", "needed_high", "p_settled"), unknown),
            **{name: labels[name] for name in ("label", "confidence", "runner_up", "n_judgments")},
            "suggested_workers": pa.ListArray.from_arrays(one_each, self.worker_ids),
        }


def retests(
    audit: WorkerAudit,
    may: NDArray[np.bool_],
    max_judgments: int,
    pool: AlignedPool | None,
) -> Retests:
    """At most ``audit.config.retest`` items for each worker whose verdict is open.

    Of gold, which everybody may be asked for, and of the items that ``may`` (I,) be asked for as long as they have less
    than ``max_judgments``. With a ``pool``, for those in it, as far as they are available.
    """
    import pyarrow as pa

    nothing = np.zeros(0, np.int64)
    if not audit.config.retest:
        return Retests(nothing, pa.array([], pa.string()), nothing)
    result, judgments = audit.result, audit.result.judgments
    n_open = int((worker_audit.missing_judgments(audit) > 0).sum())
    gold = np.zeros(judgments.n_items, np.bool_)
    if result.gold is not None:
        gold[result.gold.items] = True
    left = np.where(gold, np.inf, np.where(may, max_judgments - judgments.per_item, 0))
    found = worker_audit.retest_columns(audit, audit.config.retest, left > 0)
    if not len(found["item"]):
        return Retests(nothing, pa.array([], pa.string()), nothing, n_open)
    items = positions(found["item"], judgments.item_ids)
    workers = positions(found["worker"], judgments.worker_ids)
    kept = np.ones(len(items), np.bool_)
    if pool is not None:
        kept = (workers >= 0) & pool.able[workers]
        kept[kept] = _nth(workers[kept]) < pool.available[workers[kept]]
    kept[kept] = _nth(items[kept]) < left[items[kept]]
    tested = pa.array(found["worker"], pa.string()).filter(pa.array(kept))
    return Retests(items[kept], tested, workers[kept], n_open)


def _nth(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) how many equal ones stand before each."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    found = np.empty(len(codes), np.int64)
    found[order] = np.arange(len(codes)) - np.searchsorted(ordered, ordered)
    return found
