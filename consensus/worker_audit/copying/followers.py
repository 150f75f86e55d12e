"""Workers outside a group who say what the group says: held against all its members at once, they share more items."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.worker_audit.copying.merged_judgments import merged
from consensus.worker_audit.copying.shared_items import ByWorker, Pairs, least_shared, pairs_sharing
from consensus.worker_audit.copying.suspects import expected_of_suspects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consensus.found.copies import Copies
    from consensus.found.result import Consensus
    from consensus.inputs.judgments import Judgments
    from consensus.kernels.copying_loops import Fitted
    from consensus.worker_audit.copying.shared_items import Reals


def against_groups(
    result: Consensus,
    judgments: Judgments,
    fitted: Fitted,
    copies: Copies,
    candidates: Sequence[tuple[int, int]],
) -> tuple[Pairs, Reals, int]:
    """Compare each candidate (worker, group) with what the group says.

    Returns
    -------
    tuple
        Pairs (worker, number of workers + group) of those candidates that share enough items with the group; the
        agreements that are expected of them (P,), given what workers say who are neither the candidate nor in the
        group; and how many workers outside share enough items with a group, candidates or not.
    """
    W, K = judgments.n_workers, judgments.n_labels
    by_worker = ByWorker.of(_with_groups(judgments, copies))
    pairs = pairs_sharing(by_worker, least_shared(W, K), result.backend)
    outside = pairs.take(np.flatnonzero((pairs.b >= W) & (pairs.a < W) & (copies.group[pairs.a % W] < 0)))
    code = outside.a.astype(np.int64) * copies.n_groups + outside.b - W
    wanted = np.array([worker * copies.n_groups + group for worker, group in candidates], np.int64)
    chosen = outside.take(np.flatnonzero(np.isin(code, wanted)))
    told = fitted._replace(C=np.concatenate([fitted.C, np.full((copies.n_groups, K, K), 1.0 / K)]))
    expected = np.empty(len(chosen))
    for n in range(len(chosen)):
        one, group = chosen.take(np.array([n])), int(chosen.b[n]) - W
        members = np.flatnonzero(copies.group == group).astype(np.int32)
        expected[n] = expected_of_suspects(result, by_worker, told, one, np.zeros(1, np.intp), members)[1][0]
    return chosen, expected, len(outside)


def _with_groups(judgments: Judgments, copies: Copies) -> Judgments:
    """The judgments of the items that groups judged, and what each group says by a worker of its own, after all others.

    Only the codes of these workers exist, no ids.
    """
    import pyarrow as pa

    said = merged(judgments.subset(copies.group[judgments.worker] >= 0), copies)
    touched = np.diff(said.item_start) > 0
    near = judgments.subset(touched[judgments.item])
    speaker = (judgments.n_workers + copies.group[said.worker]).astype(np.int32)
    item, worker, label = (
        np.concatenate(both) for both in ((near.item, said.item), (near.worker, speaker), (near.label, said.label))
    )
    order = np.lexsort((worker, item))
    return replace(
        judgments,
        item=item[order],
        worker=worker[order],
        label=label[order],
        item_start=near.item_start + said.item_start,
        worker_ids=pa.nulls(judgments.n_workers + copies.n_groups, pa.string()),
        timestamp=None,
        duration=None,
        price=None,
        group=None,
        group_ids=None,
        read_row=None,
    )
