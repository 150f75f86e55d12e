"""A reading with three kinds of items of every label, such as clear, middling and hard ones.

Where workers err together on some items of a label and not on others, one confusion a worker and label is not enough:
there each of these kinds has its own. Which kind an item starts in follows from how many of its judgments agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import even_slices, number_of_shards
from consensus.kernels import tallies
from consensus.models.states import States

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.inputs.judgments import Judgments
    from consensus.models.readings import Start

    Reals = NDArray[np.float64]

KINDS = 3


def states(n_labels: int) -> States:
    """The states of items that have ``n_labels`` labels."""
    return States(n_labels, KINDS)


def start(judgments: Judgments, of_labels: Start, backend: Backend) -> Start:
    """Where EM starts: every label of ``of_labels`` (n, K) spread over its kinds, by the agreement on the item.

    With x the share of the item's judgments that name the label, and least the smallest such share of any item whose
    majority it is, the item is at the place 2 (1 - x) / (1 - least) from 0, the clearest, to 2; between two kinds it
    belongs to both, linearly.
    """
    width = np.maximum(1.0 - _least(judgments, backend), 1e-12)

    def of(items: slice) -> Reals:
        labels = of_labels(items)
        place = np.clip((KINDS - 1) * (1.0 - _votes(judgments, items, hard=False)) / width, 0.0, KINDS - 1)
        near = np.maximum(1.0 - np.abs(place[:, :, None] - np.arange(KINDS)), 0.0)
        found: Reals = (labels[:, :, None] * near).reshape(len(labels), labels.shape[1] * KINDS)
        return found

    return of


def _least(judgments: Judgments, backend: Backend) -> Reals:
    """(K,) the smallest share of an item's judgments that made the label its majority, alone or tied; 1 without any."""

    def shard(items: slice) -> Reals:
        share, majority = _votes(judgments, items, hard=False), _votes(judgments, items, hard=True) > 0.0
        majority &= judgments.per_item[items][:, None] > 0
        return np.asarray(np.where(majority, share, 1.0).min(axis=0, initial=1.0), np.float64)

    parts = even_slices(judgments.item_start, number_of_shards(judgments.n_judgments))
    return np.asarray(np.min(backend.map(shard, parts), axis=0), np.float64)


def _votes(judgments: Judgments, items: slice, hard: bool) -> Reals:
    found = np.empty((items.stop - items.start, judgments.n_labels))
    tallies.vote_posterior(judgments.item_start[items.start : items.stop + 1], judgments.label, hard, found)
    return found
