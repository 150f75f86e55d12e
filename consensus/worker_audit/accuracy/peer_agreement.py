"""How often workers say what others say of the same items."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import even_slices, number_of_shards
from consensus.found.copies import PeerAgreement
from consensus.kernels import tallies

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.inputs.judgments import Judgments


def peer_agreement(judgments: Judgments, backend: Backend) -> PeerAgreement:
    """Count it for every worker."""
    W = judgments.n_workers

    def shard(part: slice) -> NDArray[np.int64]:
        found = np.zeros((3, W), np.int64)
        starts = judgments.item_start[part.start : part.stop + 1]
        tallies.peer_agreement(starts, judgments.worker, judgments.label, judgments.n_labels, *found)
        return found

    parts = even_slices(judgments.item_start, number_of_shards(judgments.n_judgments, W))
    return PeerAgreement(judgments, *np.sum(backend.map(shard, parts), axis=0))
