"""What a group of workers says, as if it were one worker."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import copying_loops as kernels

if TYPE_CHECKING:
    from consensus.found.copies import Copies
    from consensus.inputs.judgments import Judgments


def merged(judgments: Judgments, copies: Copies) -> Judgments:
    """The judgments with each group as one worker: its first one.

    Its judgment of an item is what most of the members say who judged it; of labels that tie, the one that the member
    with the lowest id says. Items, workers and labels stay the same; other members have no judgments left.
    """
    keep, worker = np.empty(judgments.n_judgments, np.bool_), np.empty(judgments.n_judgments, np.int32)
    kernels.merged(
        judgments.item_start, judgments.worker, judgments.label, copies.first_members, judgments.n_labels, keep, worker
    )
    left = replace(judgments, worker=worker).subset(keep)
    order = np.lexsort((left.label, left.worker, left.item))
    return replace(
        left,
        worker=left.worker[order],
        label=left.label[order],
        **left.beside(order),
    )
