"""A reading in which an item of one label may tempt workers to one other label.

Items of label k are clean, state (k, k), or lure workers to l', state (k, l'); each state has its own confusions. So a
group that errs together, or a stream that several copy, is told from workers who are right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import tallies
from consensus.models.states import States

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.inputs.judgments import Judgments
    from consensus.models.readings import Start

    Reals = NDArray[np.float64]


def states(n_labels: int) -> States:
    """The states of items that have ``n_labels`` labels: for each of them as many as there are labels to tempt."""
    return States(n_labels, n_labels, tempt=True)


def start(judgments: Judgments, of_labels: Start, backend: Backend) -> Start:
    """Where EM starts: every label of ``of_labels`` (n, K), times the share of the item's judgments that name l'."""
    del backend

    def of(items: slice) -> Reals:
        labels = of_labels(items)
        share = np.empty_like(labels)
        tallies.vote_posterior(judgments.item_start[items.start : items.stop + 1], judgments.label, False, share)
        found: Reals = (labels[:, :, None] * share[:, None, :]).reshape(len(labels), labels.shape[1] ** 2)
        return found

    return of
