"""The second look at a picture: every chunk gets the label and the probabilities of its row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.chunks import cutting
from consensus.kernels import mask_loops

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.chunks.clicks import Rows
    from consensus.chunks.counting import Counted
    from consensus.chunks.cutting import Partition
    from consensus.masks.mask_set import Picture

SURE = 255  # of a confidence as it is painted


@dataclass(frozen=True, eq=False)  # without slots: what is made of it is kept
class Painted:
    """A picture with its chunks, and what was found of each."""

    picture: Picture
    ids: NDArray[np.int32]
    """(H, W) vote pattern of each pixel."""
    counted: Counted
    partition: Partition
    rows: Rows
    row_posterior: NDArray[np.float64]
    """(R, K) probability of each label."""

    @cached_property
    def row(self) -> NDArray[np.int64]:
        """(n,) row of each chunk."""
        found = self.partition.pattern.astype(np.int64)
        if self.rows.chunks is not None:
            found[self.rows.chunks] = np.arange(len(self.rows.area) - len(self.rows.chunks), len(self.rows.area))
        return found

    @cached_property
    def row_label(self) -> NDArray[np.int64]:
        """(R,) the most probable label, the first of several; -1 where nobody says anything."""
        return np.where((self.rows.votes >= 0).any(axis=1), self.row_posterior.argmax(axis=1), -1)

    @property
    def chunk_of_pixel(self) -> NDArray[np.int32]:
        """(H, W) chunk of each pixel."""
        return self.partition.regions.region

    @cached_property
    def posterior(self) -> NDArray[np.float64]:
        """(n, K) probability of each label, of each chunk."""
        return self.row_posterior[self.row]

    @cached_property
    def label(self) -> NDArray[np.int64]:
        """(n,) label of each chunk, -1 where nobody says anything."""
        return self.row_label[self.row]

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        """(n,) probability of the label; 0 where nobody says anything."""
        return np.where(self.label < 0, 0.0, self.posterior.max(axis=1))

    @cached_property
    def is_open(self) -> NDArray[np.bool_]:
        """(n,) chunks that a click may settle."""
        return cutting.is_open(self.counted)[self.partition.pattern]

    @cached_property
    def n_clicks(self) -> NDArray[np.int64]:
        """(n,) clicks on each chunk, also those that do not count yet."""
        found = np.zeros(len(self.label), np.int64)
        if self.rows.chunks is not None:
            found[self.rows.chunks] = [len(one) for one in self.rows.clicks]
            for chunk, n in (self.rows.waiting or {}).items():
                found[chunk] = n
        return found

    @cached_property
    def pixels(self) -> tuple[NDArray[Any], NDArray[np.uint8]]:
        """(H, W) label of each pixel, and its confidence from 0 to ``SURE``.

        Where nobody says anything the label is the largest number of the type: 255, or 65,535 with more than 255
        classes.
        """
        kind = np.uint8 if self.posterior.shape[1] < np.iinfo(np.uint8).max else np.uint16
        label = np.where(self.label < 0, np.iinfo(kind).max, self.label).astype(kind)
        confidence = np.rint(SURE * self.confidence).astype(np.uint8)
        region = self.chunk_of_pixel
        labels, confidences = np.empty(region.size, kind), np.empty(region.size, np.uint8)
        mask_loops.paint(region.ravel(), label, confidence, labels, confidences)
        return labels.reshape(region.shape), confidences.reshape(region.shape)
