"""Accepted items that gold does not speak for, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.found import gold_reach

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.result import Consensus

WHY = ("workers", "group", "label")
"""Gold has not checked those who judged it; has not met its batch or group; no gold item gets its label."""
WORKERS, GROUP, LABEL = range(len(WHY))


def why(result: Consensus, settled: NDArray[np.bool_]) -> NDArray[np.int32]:
    """(I,) position in WHY of why gold does not speak for an item that is ``settled`` (I,); -1 where it does.

    A label is not met if no gold item would have it without its gold, though of gold drawn at random from gold and the
    settled items fewer than 5 % would miss labels of as many items.
    """
    found = np.full(len(settled), -1, np.int32)
    reach = result.reach
    if reach is None:
        return found
    found[settled & ~reach.in_groups] = GROUP
    found[settled & ~reach.by_workers] = WORKERS
    asked = np.flatnonzero(settled & (found < 0))
    if result.gold is None or result.gold_posterior is None or not len(asked):
        return found
    label = result.consensus_label[asked]
    known = reach.items[result.gold.items]
    n_gold = np.bincount(result.gold_posterior[known].argmax(axis=1), minlength=result.judgments.n_labels)
    size = np.bincount(label, minlength=len(n_gold)) + n_gold
    if not gold_reach.is_as_if_drawn(size, n_gold):
        found[asked[n_gold[label] == 0]] = LABEL
    return found
