"""Items whose label nothing backs: no two agree on them, and nobody ever agreed on any of their labels.

Where nearly all labels differ, as numbers of a slider and free text do, EM believes its own echo. A label that was
given twice, on two items, gains a share of the prior by either of them, and the mistakes that the other workers then
must have made become likely by having been made once. So the posterior ends near 1 although nothing speaks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.inputs.gold import AlignedGold
    from consensus.inputs.judgments import Judgments
    from consensus.inputs.model_votes import AlignedVotes

    Flags = NDArray[np.bool_]

FEW_LABELS = 10  # up to which every label is known: they are a label set, not values ...
FEWEST_LABELS = 4  # ... and up to this many even if there are hardly more judgments than labels
RARE = 30  # judgments from which a label is known, whoever agreed on it
KNOWN = 3  # items on which two agree on a label, or gold has it, from which it is known


def unfounded(judgments: Judgments, votes: AlignedVotes | None, gold: AlignedGold | None) -> Flags | None:
    """(I,) items on which two or more judged and none agree, all of whose labels are unknown; None without such.

    A label is known if it was given RARE times, or if two workers agreed on it, or it is gold, on KNOWN items. Items
    that models voted on are left to their votes.
    """
    K = judgments.n_labels
    rare = judgments.per_label < RARE
    few = FEWEST_LABELS if judgments.n_judgments < 3 * K else FEW_LABELS
    if few >= K or not rare.any():
        return None
    j = np.flatnonzero(rare[judgments.label])
    item = judgments.item[j]
    pairs, n_each = np.unique(item.astype(np.int64) * K + judgments.label[j], return_counts=True)
    agreed = np.bincount(pairs[n_each > 1] % K, minlength=K)
    if gold is not None:
        agreed += gold.accepted.sum(axis=0)
    unknown = rare & (agreed < KNOWN)
    single = (n_each == 1) & unknown[pairs % K]
    n_single = np.bincount(pairs[single] // K, minlength=judgments.n_items)
    found = (judgments.per_item >= 2) & (n_single == judgments.per_item)
    if votes is not None:
        found &= votes.per_item == 0
    return found if found.any() else None
