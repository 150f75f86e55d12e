"""How often workers say what others say of the same items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.backends import even_slices, number_of_shards
from consensus.found.copies import PeerAgreement
from consensus.found.units import ONE_EACH
from consensus.kernels import tallies

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.found.units import Each
    from consensus.inputs.judgments import Judgments


def peer_agreement(judgments: Judgments, backend: Backend, unit: Each = ONE_EACH) -> PeerAgreement:
    """Count it for every worker; what others say counts as often as the own judgment does, ``unit`` (J,)."""
    W = judgments.n_workers

    def shard(part: slice) -> NDArray[Any]:
        found = np.zeros((3, W), np.float64 if len(unit) else np.int64)
        starts = judgments.item_start[part.start : part.stop + 1]
        tallies.peer_agreement(starts, judgments.worker, judgments.label, judgments.n_labels, unit, *found)
        return found

    parts = even_slices(judgments.item_start, number_of_shards(judgments.n_judgments, W))
    agreeing, peers, n_items = np.sum(backend.map(shard, parts), axis=0)
    return PeerAgreement(judgments, agreeing, peers, n_items.astype(np.int64))
