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


def meetings(votes: AlignedVotes, judgments: Judgments, gold: AlignedGold | None, backend: Backend) -> Reals:
    """(M,) how far people checked each model.

    The items that it voted on and that two people judged, or that are gold; those that one person judged count a tenth.
    A stated rule: below MET of them, nothing tells how sure a model may be, and its vote is only the label it names.
    """
    is_gold = np.zeros(judgments.n_items, np.bool_)
    if gold is not None:
        is_gold[gold.items] = True

    def shard(part: slice) -> Offsets:
        found = np.zeros((2, votes.n_models), np.int64)
        ends = slice(part.start, part.stop + 1)
        people = kernels.People(judgments.item_start[ends], judgments.worker, is_gold[part])
        kernels.meetings(people, votes.start[ends], votes.model, found)
        return found

    starts = judgments.item_start + votes.start
    parts = even_slices(starts, number_of_shards(int(starts[-1])))
    full, single = np.sum(backend.map(shard, parts), axis=0)
    return np.asarray(full + single / SINGLY_JUDGED, np.float64)
