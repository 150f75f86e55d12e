"""A picture as chunks: runs of pixels on which everybody says the same, the large disputed ones cut."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.chunks import patterns
from consensus.errors import JudgmentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.chunks.counting import Counted
    from consensus.chunks.patterns import Patterns, Regions


@dataclass(frozen=True, slots=True, eq=False)
class Partition:
    """The chunks of a picture."""

    regions: Regions
    pattern: NDArray[np.int32]
    """(n,) vote pattern of each chunk."""
    hash: str
    """Of where the chunks are: of two pictures, or masks, with other chunks it is another one."""

    def name(self, chunk: int) -> str:
        """What a chunk is called: its first pixel as ``x,y``, and the hash of the chunks that it is one of."""
        y, x = divmod(int(self.regions.first[chunk]), self.regions.region.shape[1])
        return f"{x},{y}-{self.hash}"

    def number_of(self, first: int, image: str) -> int:
        """The chunk whose first pixel in row-major order this is.

        Raises
        ------
        JudgmentError
            None begins there.
        """
        chunk = int(np.searchsorted(self.regions.first, first))
        if chunk == len(self.regions.first) or self.regions.first[chunk] != first:
            y, x = divmod(first, self.regions.region.shape[1])
            raise JudgmentError(f'answers: no chunk of "{image}" begins at {x},{y}', code="unknown_item")
        return chunk


def is_open(counted: Counted) -> NDArray[np.bool_]:
    """(n,) patterns that a click may settle: people or models disagree, or only one of them says anything."""
    said = counted.opinions
    most = said.max(axis=1, initial=-1)
    least = np.where(said < 0, most[:, None], said).min(axis=1, initial=np.iinfo(np.int16).max)
    n_said = (said >= 0).sum(axis=1)
    return np.asarray((n_said > 0) & ((least < most) | (n_said == 1)) & (counted.gold < 0))


def partition(
    found: Patterns, counted: Counted, cut: NDArray[np.int32] | None = None, cut_above: float = 1.0
) -> Partition:
    """The chunks of a picture.

    Parameters
    ----------
    found, counted
        As ``counting.look`` returns them.
    cut
        (H, W) id of the piece that each pixel is in, from 0, such as a superpixel.
    cut_above
        Open chunks of more than this share of the picture are cut where the pieces meet.
    """
    whole = patterns.regions(found.ids)
    digest = hashlib.blake2b(found.ids.data, digest_size=4)
    pattern = found.ids.ravel()[whole.first]
    large = is_open(counted)[pattern] & (whole.area > cut_above * found.ids.size)
    if cut is not None and large.any():
        n = len(whole.area)
        in_large = large[whole.region]
        codes = whole.region.astype(np.int64)
        codes[in_large] += n * (1 + cut[in_large].astype(np.int64))
        _, _, ids = patterns.numbered(codes.ravel())
        digest.update(ids.data)
        whole = patterns.regions(ids.reshape(found.ids.shape))
        pattern = found.ids.ravel()[whole.first]
    return Partition(whole, pattern, digest.hexdigest())
