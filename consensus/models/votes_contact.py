"""How far people checked each model: what it may be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import even_slices, number_of_shards
from consensus.kernels import votes_loops as kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.inputs.gold import AlignedGold
    from consensus.inputs.judgments import Judgments
    from consensus.inputs.model_votes import AlignedVotes

    Reals = NDArray[np.float64]
    Offsets = NDArray[np.int64]

MET = 50  # items that two people judged, or that are gold, before a model's probabilities are believed
SINGLY_JUDGED = 10  # items that one person judged count as one of these
LEAST_CONTESTED, COPIES = 50, 0.98  # items on which people were divided, and the share of them that tells a copy


def meetings(
    votes: AlignedVotes, judgments: Judgments, gold: AlignedGold | None, backend: Backend
) -> tuple[Reals, NDArray[np.bool_]]:
    """How far people checked each model, and whether it copies them.

    First (M,) the items that it voted on and that two people judged, or that are gold; those that one person judged
    count a tenth. A stated rule: below MET of them, nothing tells how sure a model may be, and its vote is only the
    label it names. Then (M,) whether it follows the majority even where people were divided: a model that looks at the
    item, and not at what people said of it, sides with the minority now and then.
    """
    is_gold = np.zeros(judgments.n_items, np.bool_)
    if gold is not None:
        is_gold[gold.items] = True

    def shard(part: slice) -> Offsets:
        found = np.zeros((4, votes.n_models), np.int64)
        ends = slice(part.start, part.stop + 1)
        people = kernels.People(judgments.item_start[ends], judgments.worker, judgments.label, is_gold[part])
        kernels.meetings(people, judgments.n_labels, votes.start[ends], votes.model, votes.label, found)
        return found

    starts = judgments.item_start + votes.start
    parts = even_slices(starts, number_of_shards(int(starts[-1])))
    full, single, contested, same = np.sum(backend.map(shard, parts), axis=0)
    copies = (contested >= LEAST_CONTESTED) & (same >= COPIES * contested)
    return (full + single / SINGLY_JUDGED).astype(np.float64), np.asarray(copies, np.bool_)
