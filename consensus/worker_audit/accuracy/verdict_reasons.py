"""What else there is to say about a worker, beside the verdict: copying, a change over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.worker_audit.over_time import drift

if TYPE_CHECKING:
    from consensus.worker_audit.audit_of_result import WorkerAudit


def remarked(audit: WorkerAudit) -> list[str]:
    """The reasons behind all verdicts, those of workers who copy, or drift, with a remark that says so."""
    result, remarked = audit.result, list(audit.verdicts.reason)
    if result.copies is not None:
        sizes = result.copies.sizes
        for w in np.flatnonzero(result.copies.group >= 0).tolist():
            group = int(result.copies.group[w])
            worth = result.copies.n_effective[group]
            remarked[w] += f"; one of {sizes[group]:,} workers who judge alike and count as {worth:.1f} votes together"
    if result.judgments.in_order:
        found = audit.drifts
        for w in np.flatnonzero(found.changed & audit.verdicts.by_all).tolist():
            remarked[w] += f"; changed: {drift.in_words(found, w)}"
    return remarked
