"""The table of pairs of workers who judge too much alike, and what their groups are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consensus.found.result import framed
from consensus.inputs.counted import counted
from consensus.worker_audit.audit_of_result import WorkerAudit

if TYPE_CHECKING:
    import pandas as pd

    from consensus.found.result import Columns, Consensus


def copies(result: Consensus | WorkerAudit) -> pd.DataFrame:
    """Pairs of workers who judge too much alike: who copy from each other or from one source, or were taught the same.

    Returns
    -------
    pandas.DataFrame
        One row a flagged pair, sorted by group, then workers:

        group
            Number of the group that the pair belongs to, from 0: workers that such pairs connect.
        worker_a, worker_b
            The two, in the order of their ids.
        n_shared, n_same
            Items that both judged; those to which both gave the same label.
        expected_same
            How many these would be if the two were independent.
        p_value, q_value
            Chance of as many or more; share of false alarms if this pair and all with a lower p-value are reported; of
            a pair that only its group gives away, the chance of such a group.
        n_effective
            Independent votes that the whole group is worth.
        reason
            The same in words.
    """
    return framed(copies_columns(WorkerAudit.of(result)))


def copies_columns(audit: WorkerAudit) -> Columns:
    """The columns that ``copies`` shows."""
    import pyarrow as pa

    found = audit.copies
    ids = audit.result.judgments.worker_ids
    group = found.group[found.worker_a]
    sizes, by_all = found.sizes, ", sure by what all its pairs tell,"
    reasons = [
        f"same label on {same:,} of {counted(shared, 'shared item')}, {expected:.1f} expected if independent; "
        f"the group of {sizes[g]:,}{by_all if found.sure[g] else ''} counts as {found.n_effective[g]:.1f} votes"
        for g, same, shared, expected in zip(
            group.tolist(), found.n_same.tolist(), found.n_shared.tolist(), found.expected_same.tolist(), strict=True
        )
    ]
    return {
        "group": group,
        "worker_a": ids.take(pa.array(found.worker_a)),
        "worker_b": ids.take(pa.array(found.worker_b)),
        "n_shared": found.n_shared,
        "n_same": found.n_same,
        "expected_same": found.expected_same,
        "p_value": found.p_value,
        "q_value": found.q_value,
        "n_effective": found.n_effective[group],
        "reason": pa.array(reasons, pa.string()),
    }
