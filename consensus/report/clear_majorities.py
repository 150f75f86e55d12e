"""Items whose label is not the one that a clear majority of their workers gave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.found.cautions import Caution

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.result import Consensus

CLEAR = 2.0 / 3.0  # share of an item's judgments that makes their majority clear
LEAST = 3  # judgments of such an item
TOLD_FROM = 0.02  # share of the items
N_NAMED = 5


def against_majority(result: Consensus) -> NDArray[np.int64]:
    """Items whose label differs from that of two thirds or more of their judgments, three at least; not gold."""
    judgments, majority = result.judgments, result.votes[0]
    other = np.flatnonzero((majority >= 0) & (majority != result.consensus_label) & (judgments.per_item >= LEAST))
    if result.gold is not None:
        other = other[~np.isin(other, result.gold.items)]
    own, judgment = judgments.of_items(other)
    share = np.bincount(own, weights=judgments.label[judgment] == majority[other][own], minlength=len(other))
    found: NDArray[np.int64] = other[share >= CLEAR * judgments.per_item[other] - 1e-9]
    return found


def cautions(result: Consensus) -> list[Caution]:
    """One where more than 2 % of the judged items are labelled against a clear majority, with some of them."""
    found, n_judged = against_majority(result), int((result.judgments.per_item > 0).sum())
    if len(found) <= TOLD_FROM * n_judged:
        return []
    named = ", ".join(f'"{result.judgments.item_ids[int(i)].as_py()}"' for i in found[:N_NAMED])
    share = len(found) / n_judged
    return [
        Caution(
            "against_majority",
            f"{len(found):,} of {n_judged:,} items ({share:.1%}) have another label than two thirds of their workers "
            f"gave, such as {named}: these workers make the same mistake, or the labels are wrong; look at some of "
            "them, or give gold (--gold)",
            {"n_items": len(found), "share": share},
        )
    ]
