"""A loop over items: how far every worker agrees with the others, beyond chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Codes, Offsets, Reals


@kernel()
def beyond_chance(
    item_start: Offsets, worker: Codes, label: Codes, shares: Reals, weight: Reals, out_told: Reals
) -> None:
    """Of every worker, how far the other judgments of their items say the same, over the items of a shard.

    ``shares`` (W, K) of the labels say how often two workers agree by chance; ``weight`` (W,) is what the word of each
    of the others counts for. With x the sum over the others of weight times (1 where they say the same, else 0, less
    chance), and y that of the squares of the weights, adds (x, y, x x, x y, y y) to ``out_told[w]`` (W, 5) for each
    judgment.
    """
    n_labels = shares.shape[1]
    said, expected = np.zeros(n_labels), np.zeros(n_labels)
    for i in range(item_start.shape[0] - 1):
        begin, end = item_start[i], item_start[i + 1]
        if end - begin < 2:
            continue
        squares = 0.0
        for j in range(begin, end):
            w = worker[j]
            said[label[j]] += weight[w]
            squares += weight[w] * weight[w]
            for k in range(n_labels):
                expected[k] += weight[w] * shares[w, k]
        for j in range(begin, end):
            w = worker[j]
            x = said[label[j]] - weight[w]
            for k in range(n_labels):
                x -= (expected[k] - weight[w] * shares[w, k]) * shares[w, k]
            y = squares - weight[w] * weight[w]
            out_told[w, 0] += x
            out_told[w, 1] += y
            out_told[w, 2] += x * x
            out_told[w, 3] += x * y
            out_told[w, 4] += y * y
        said[:] = 0.0
        expected[:] = 0.0
