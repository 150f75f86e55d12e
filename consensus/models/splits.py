"""Which judgments are held out: as a hash of their item's and worker's ids says, so that nothing hangs on a seed.

Where items err together in clusters, all that a worker judged in one is held out together: what is left of it would
tell the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.inputs.vocabulary import hashed, mixed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.inputs.judgments import Judgments

SHARE = 0.2
GOLDEN = 0x9E3779B97F4A7C15


class Splits:
    """Splits of some judgments: the same for the same ids, whatever else is in the data."""

    def __init__(self, judgments: Judgments) -> None:
        self._judgments = judgments
        of_item, of_worker = hashed(judgments.item_ids), hashed(judgments.worker_ids)
        if judgments.cluster is not None:
            of_cluster = hashed(judgments.cluster_ids)
            together = judgments.cluster >= 0
            of_item[together] = of_cluster[judgments.cluster[together]]
        self._code = mixed(of_item[judgments.item] + np.uint64(GOLDEN) * of_worker[judgments.worker])

    def held_out(self, split: int) -> NDArray[np.bool_]:
        """(J,) a fifth of the judgments; of an item that would lose all, the one that comes last stays."""
        judgments = self._judgments
        code = mixed(self._code + np.uint64((split + 1) * GOLDEN % 2**64))
        draw = (code >> np.uint64(11)) * 2.0**-53  # uniform on [0, 1)
        judged = np.flatnonzero(judgments.per_item)
        last = np.zeros(judgments.n_items)
        last[judged] = np.maximum.reduceat(draw, judgments.item_start[judged])
        held: NDArray[np.bool_] = (draw < SHARE) & (draw < last[judgments.item])
        return held
