"""Loops that ask how well the label of an item is supported by strong workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Codes, Flags, Offsets, Reals


@kernel()
def by_strong(
    item_start: Offsets,
    worker: Codes,
    label: Codes,
    best: Codes,
    strong: Flags,
    right: Reals,
    out_judgments: Offsets,
    out_least: Reals,
) -> None:
    """Support of ``best`` (n,), the label of each item of a shard; ``item_start`` (n+1,) is of the shard, too.

    ``out_judgments`` (n, 2): how many judgments of ``strong`` (W,) workers there are, each worker counted once, and how
    many of their judgments say something else. ``out_least`` (n,): the least ``right[j]`` (J,), P(the label of a
    judgment is right | the others), of those that say ``best``; 0 where none does.
    """
    for i in range(item_start.shape[0] - 1):
        n_strong, n_against, least, last = 0, 0, 2.0, np.int32(-1)
        for j in range(item_start[i], item_start[i + 1]):
            if label[j] == best[i]:
                least = min(least, right[j])
            if strong[worker[j]]:
                n_strong += worker[j] != last
                n_against += label[j] != best[i]
                last = worker[j]
        out_judgments[i, 0], out_judgments[i, 1] = n_strong, n_against
        out_least[i] = least if least < 2.0 else 0.0
