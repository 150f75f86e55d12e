"""Notices of labels, workers and items that look alike and are not folded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.inputs import look_alikes
from consensus.inputs.notices import Notice
from consensus.inputs.renaming import shown

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.inputs.judgments import Judgments

MOST_NAMED = 3  # groups in a message
MOST_SPELLINGS = 6  # of one group in a message
WHY = "case, spaces, Unicode form, a trailing dot or the form of a number"
WHY_LABELS = "case, spaces or what joins words, quotes, Unicode form, a trailing dot or the form of a number"


def of_names(judgments: Judgments) -> list[Notice]:
    """What looks alike among the labels, workers and items: which, how often each, and what to do."""
    found = []
    groups, texts = groups_of_labels(judgments)
    if groups:
        told = _told([texts.take(group) for group in groups], [judgments.per_label[group] for group in groups])
        found.append(
            Notice(
                "look_alike_labels",
                f"labels look alike and count as different ones: {told}; they differ by {WHY_LABELS}; if they are the "
                "same, pass --fold labels",
                {"n_groups": len(groups), "n_labels": sum(map(len, groups))},
            )
        )
    for kind, ids in (("workers", judgments.worker_ids), ("items", judgments.item_ids)):
        alike = look_alikes.alike(ids, is_label=False)
        if alike is None:
            continue
        groups = look_alikes.groups_of(alike)
        counts = judgments.per_worker if kind == "workers" else judgments.per_item
        some = sorted(groups, key=lambda group: (-int(counts[group].sum()), int(group[0])))
        told = _told([ids.take(group) for group in some[:MOST_NAMED]], [counts[group] for group in some[:MOST_NAMED]])
        more = f"; and {len(groups) - MOST_NAMED:,} more" if len(groups) > MOST_NAMED else ""
        n_ids = sum(map(len, groups))
        code = "look_alike_workers" if kind == "workers" else "look_alike_items"
        found.append(
            Notice(
                code,
                f"{n_ids:,} of {len(ids):,} {kind} have names that look alike: {told}{more}; they differ by {WHY}; if "
                f"they are the same, pass --fold {kind}",
                {"n_groups": len(groups), f"n_{kind}": n_ids},
            )
        )
    return found


def groups_of_labels(judgments: Judgments) -> tuple[list[NDArray[np.int64]], pa.StringArray]:
    """Groups of labels that look alike, those that differ only by the order of a list aside; and all labels."""
    import pyarrow as pa

    texts = pa.array(judgments.labels, pa.string())
    alike = look_alikes.alike(texts, is_label=True)
    if alike is None:
        return [], texts
    found = []
    for group in look_alikes.groups_of(alike):
        orders = [look_alikes.order_of(judgments.labels[n]) for n in group.tolist()]
        if len(set(orders)) < len(orders) or len(orders[0]) == 1:
            found.append(group)
    return found, texts


def _told(groups: list[pa.StringArray], counts: list[NDArray[np.int64]]) -> str:
    """The spellings of each group, the most frequent first, such as ``"Yes" (60), "yes " (40); "No" (5), "no" (3)``."""
    parts = []
    for texts, n_each in list(zip(groups, counts, strict=True))[:MOST_NAMED]:
        order = np.lexsort((np.arange(len(n_each)), -n_each))
        some = [f"{shown(texts[n].as_py())} ({n_each[n]:,})" for n in order[:MOST_SPELLINGS].tolist()]
        more = f" and {len(order) - MOST_SPELLINGS:,} more" if len(order) > MOST_SPELLINGS else ""
        parts.append(", ".join(some) + more)
    more = f"; and {len(groups) - MOST_NAMED:,} more" if len(groups) > MOST_NAMED else ""
    return "; ".join(parts) + more
