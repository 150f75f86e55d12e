"""What everybody says of a pixel, as one exact code; how often each occurs; where it hangs together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import mask_loops

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

MOST_CODES = 2**62
"""Codes stay below it; beyond, those that occur are numbered anew, which loses nothing."""
AT_FIRST = 1 << 10  # different codes that there is room for
MORE = 8  # times as much, where that was too little


@dataclass(frozen=True, slots=True, eq=False)
class Patterns:
    """The different vote patterns of a picture: of all pixels with one pattern the same is known."""

    votes: NDArray[np.int16]
    """(n, C) vote of each column, -1 where there is none; in the order in which patterns first occur."""
    area: NDArray[np.int64]
    """(n,) pixels."""
    ids: NDArray[np.int32]
    """(H, W) pattern of each pixel."""


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """The 4-connected regions of a picture in which all pixels have one id, in the order of their first pixels."""

    region: NDArray[np.int32]
    """(H, W) region of each pixel."""
    first: NDArray[np.int64]
    """(n,) first pixel in row-major order."""
    area: NDArray[np.int64]
    """(n,) pixels."""
    box: NDArray[np.int32]
    """(n, 4) x0, y0, x1, y1: the last two beyond the last pixel."""


def patterns(columns: Iterable[tuple[NDArray[np.int16], int]], height: int, width: int) -> Patterns:
    """The vote patterns of a picture.

    Parameters
    ----------
    columns
        Votes (H, W) of each column, from -1, and how many different ones there can be besides -1. They are read one
        after the other.
    height, width
        Of the picture, in pixels; 1 or more.
    """
    codes = np.zeros(height * width, np.int64)
    known = np.zeros((1, 0), np.int16)
    radices: list[int] = []
    bound = 1
    for votes, n_values in columns:
        radix = n_values + 1
        if bound * radix > MOST_CODES:
            known, _, ids = _counted(codes, known, radices)
            codes[:] = ids
            radices, bound = [], len(known)
        mask_loops.add_votes(np.ascontiguousarray(votes, np.int16).ravel(), radix, codes)
        radices.append(radix)
        bound *= radix
    found, area, ids = _counted(codes, known, radices)
    return Patterns(found, area, ids.reshape(height, width))


def numbered(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """The different ``codes`` (P,), from 0, as they first occur (n,), how often (n,), and which it is (P,)."""
    ids, room, n = np.empty(len(codes), np.int32), AT_FIRST, -1
    while n < 0:
        counts = mask_loops.Counts(
            np.full(2 * room + 1, -1, np.int32), np.empty(room, np.int64), np.empty(room, np.int64)
        )
        n = mask_loops.count(codes, counts, ids)
        room *= MORE
    return counts.keys[:n].copy(), counts.areas[:n].copy(), ids


def regions(ids: NDArray[np.int32]) -> Regions:
    """The connected regions of equal ``ids`` (H, W)."""
    region, parent = np.empty_like(ids), np.empty(ids.size, np.int32)
    n = mask_loops.connect(ids, parent, region)
    found = Regions(region, np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros((n, 4), np.int32))
    mask_loops.describe(region, mask_loops.Regions(found.first, found.area, found.box))
    return found


def _counted(
    codes: NDArray[np.int64], known: NDArray[np.int16], radices: list[int]
) -> tuple[NDArray[np.int16], NDArray[np.int64], NDArray[np.int32]]:
    """The patterns that codes stand for, their areas, and the pattern of each pixel.

    A code is a row of ``known`` (n, C), and a digit for each of the ``radices`` behind it.
    """
    keys, area, ids = numbered(codes)
    digits = np.empty((len(keys), len(radices)), np.int16)
    for place in reversed(range(len(radices))):
        keys, digits[:, place] = np.divmod(keys, radices[place])
    return np.hstack([known[keys], digits - 1]), area, ids
