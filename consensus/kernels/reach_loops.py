"""Loops over items: where workers whom gold has checked judge beside others, and how far they agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Codes, Flags, Offsets, Reals


@kernel()
def side_by_side(
    item_start: Offsets,
    worker: Codes,
    label: Codes,
    reached: Flags,
    expected: Reals,
    n_labels: int,
    out_surplus: Reals,
    out_other: Codes,
) -> None:
    """Compare the workers who are ``reached`` (W,) with the others, item by item.

    ``out_surplus[i]`` (I,) is the share of pairs of one of each on item i that agree, less the mean of what is
    ``expected`` (W,) of those who are reached; ``out_other[i]`` one of the others, -1 where the item has not both.
    """
    given = np.zeros(n_labels, np.int64)
    for i in range(item_start.shape[0] - 1):
        begin, end = item_start[i], item_start[i + 1]
        n_reached, n_agreeing, usual, other = 0, 0, 0.0, -1
        for j in range(begin, end):
            if reached[worker[j]]:
                given[label[j]] += 1
                usual += expected[worker[j]]
                n_reached += 1
            elif other < 0:
                other = worker[j]
        out_surplus[i], out_other[i] = 0.0, -1
        if other >= 0 and n_reached > 0:
            for j in range(begin, end):
                if not reached[worker[j]]:
                    n_agreeing += given[label[j]]
            out_other[i] = other
            out_surplus[i] = (n_agreeing / (end - begin - n_reached) - usual) / n_reached
        for j in range(begin, end):
            given[label[j]] = 0
