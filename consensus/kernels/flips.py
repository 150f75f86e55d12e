"""How often the best label of an item changed as its judgments came in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Offsets, Reals

MOST_LABELS = 32  # with more, the likelihoods of all of them are not held


@kernel()
def changes(item_start: Offsets, log_likelihood: Reals, log_prior: Reals, out_changes: Offsets) -> None:
    """``out_changes[i]`` (n,) of a shard: changes of the best label from the first judgment of the item on.

    ``log_prior`` (n, K) of the items; ``log_likelihood`` (J, K) of the judgments in the order of their times. The first
    of equal labels is the best.
    """
    n_labels = log_prior.shape[1]
    x = np.empty(n_labels)
    for i in range(item_start.shape[0] - 1):
        x[:] = log_prior[i]
        last = -1
        out_changes[i] = 0
        for j in range(item_start[i], item_start[i + 1]):
            best = 0
            for k in range(n_labels):
                x[k] += log_likelihood[j, k]
                if x[k] > x[best]:
                    best = k
            if last >= 0 and best != last:
                out_changes[i] += 1
            last = best
