"""Loops over the pixels of a picture: coding what everybody says of each, counting, connecting, painting.

Pixels come in row-major order, flat (P,) or as (H, W). A vote is the code of a class, -1 where there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.kernels import Codes, Flags, Offsets, Reals

    Votes = NDArray[np.int16]
    Bytes = NDArray[np.uint8]


class Counts(NamedTuple):
    """Room to count the different codes in."""

    slots: Codes
    """(S,) filled with -1: a table to look codes up in, of more places than there are different ones."""
    keys: Offsets
    """(N,) the different codes, in the order in which they first occur."""
    areas: Offsets
    """(N,) how many pixels have each."""


class Regions(NamedTuple):
    """What is known of each connected region."""

    first: Offsets
    """(n,) its first pixel in row-major order."""
    area: Offsets
    """(n,) its pixels."""
    box: Codes
    """(n, 4) x0, y0, x1, y1: the last two beyond its last pixel."""


@kernel()
def add_votes(votes: Votes, radix: int, out_codes: Offsets) -> None:
    """Append a digit to the code of every pixel: ``out_codes`` (P,) times ``radix``, plus the vote (P,) plus 1."""
    for p in range(votes.shape[0]):
        out_codes[p] = out_codes[p] * radix + (votes[p] + 1)


@kernel()
def count(codes: Offsets, out_counts: Counts, out_ids: Codes) -> int:
    """Number the different ``codes`` (P,) as they first occur; how many there are, or -1 where the room is too small.

    Nearly every pixel has the code of the one before it, so that few are looked up.
    """
    slots, keys, areas = out_counts
    n, current, begin = 0, -1, 0
    last = codes[0]
    for p in range(codes.shape[0]):
        code = codes[p]
        if code != last or current < 0:
            if current >= 0:
                areas[current] += p - begin
            begin, last = p, code
            slot = code % slots.shape[0]
            while slots[slot] >= 0 and keys[slots[slot]] != code:
                slot += 1
                if slot == slots.shape[0]:
                    slot = 0
            if slots[slot] < 0:
                if n == keys.shape[0]:
                    return -1
                slots[slot] = n
                keys[n] = code
                areas[n] = 0
                n += 1
            current = slots[slot]
        out_ids[p] = current
    areas[current] += codes.shape[0] - begin
    return n


@kernel()
def connect(ids: Codes, out_parent: Codes, out_region: Codes) -> int:
    """Number the 4-connected regions of equal ``ids`` (H, W) by their first pixel; how many there are.

    Two passes: union-find with the smaller root on top, then the roots are numbered in order. ``out_parent`` (P,) is
    scratch.
    """
    height, width = ids.shape
    n = 0
    for y in range(height):
        for x in range(width):
            here = ids[y, x]
            left = x > 0 and ids[y, x - 1] == here
            above = y > 0 and ids[y - 1, x] == here
            if left:
                out_region[y, x] = out_region[y, x - 1]
                if above and ids[y - 1, x - 1] != here:  # else both hang together already
                    a, b = out_region[y, x - 1], out_region[y - 1, x]
                    while out_parent[a] != a:
                        out_parent[a] = out_parent[out_parent[a]]
                        a = out_parent[a]
                    while out_parent[b] != b:
                        out_parent[b] = out_parent[out_parent[b]]
                        b = out_parent[b]
                    out_parent[max(a, b)] = min(a, b)
            elif above:
                out_region[y, x] = out_region[y - 1, x]
            else:
                out_parent[n] = n
                out_region[y, x] = n
                n += 1
    n_regions = 0
    for one in range(n):  # the root of a region is its smallest number, so that it was numbered before
        if out_parent[one] == one:
            out_parent[one] = n_regions
            n_regions += 1
        else:
            out_parent[one] = out_parent[out_parent[one]]
    for y in range(height):
        for x in range(width):
            out_region[y, x] = out_parent[out_region[y, x]]
    return n_regions


@kernel()
def describe(region: Codes, out_regions: Regions) -> None:
    """First pixel, area and box of each of the regions (H, W); all of ``out_regions`` must come as zeros."""
    first, area, box = out_regions
    height, width = region.shape
    for y in range(height):
        x = 0
        while x < width:
            one, begin = region[y, x], x
            while x < width and region[y, x] == one:
                x += 1
            if area[one] == 0:
                first[one] = y * width + begin
                box[one, 0], box[one, 1], box[one, 2] = begin, y, x
            area[one] += x - begin
            box[one, 0] = min(box[one, 0], begin)
            box[one, 2] = max(box[one, 2], x)
            box[one, 3] = y + 1


@kernel()
def paint(region: Codes, label: Bytes, confidence: Bytes, out_label: Bytes, out_confidence: Bytes) -> None:
    """Give each pixel of ``region`` (P,) the label and the confidence (n,) of its region."""
    for p in range(region.shape[0]):
        out_label[p] = label[region[p]]
        out_confidence[p] = confidence[region[p]]


@kernel()
def borders(region: Codes, chosen: Flags, out_pairs: Codes) -> int:
    """Sides that pixels of the ``chosen`` (n,) regions share with those of others; how many there are.

    Fills ``out_pairs`` (m, 2) with the chosen region and the other one, once a side; m must be four times the pixels of
    the chosen regions.
    """
    height, width = region.shape
    n = 0
    for y in range(height):
        for x in range(width):
            one = region[y, x]
            for step in range(2):
                beside_y, beside_x = y + step, x + 1 - step
                if beside_y == height or beside_x == width:
                    continue
                other = region[beside_y, beside_x]
                if one == other:
                    continue
                if chosen[one]:
                    out_pairs[n, 0], out_pairs[n, 1] = one, other
                    n += 1
                if chosen[other]:
                    out_pairs[n, 0], out_pairs[n, 1] = other, one
                    n += 1
    return n


@kernel()
def in_bins(probability: Any, edges: Reals, out_votes: Votes) -> None:
    """The most probable class of each pixel and how probable it is, as one digit: class * (E + 1) + bin; -1 if unknown.

    ``probability`` (P, K) is unknown where it is not a number. The bin is how many of the ``edges`` (E,) are reached.
    """
    for p in range(probability.shape[0]):
        best = 0
        for k in range(1, probability.shape[1]):
            if probability[p, k] > probability[p, best]:
                best = k
        top = probability[p, best]
        if np.isnan(top):
            out_votes[p] = -1
            continue
        level = 0
        while level < edges.shape[0] and top >= edges[level]:
            level += 1
        out_votes[p] = best * (edges.shape[0] + 1) + level


@kernel()
def add_up(ids: Codes, probability: Any, out_sums: Reals) -> None:
    """Add the ``probability`` (P, K) of every pixel to the ``out_sums`` (n, K) of its id (P,)."""
    for p in range(ids.shape[0]):
        for k in range(probability.shape[1]):
            out_sums[ids[p], k] += probability[p, k]


@kernel()
def compare(
    reference: Votes, votes: Votes, of_reference: Codes, of_votes: Codes, out_of: Offsets, out_by: Offsets
) -> None:
    """Hold the parts of a label map against those of another one, all (H, W).

    A part is a connected region of one class, numbered in ``of_reference`` and ``of_votes``. ``out_of`` (n, 3) counts
    for each part of the reference its pixels, those with the same vote, and the sides that it shares with another
    class; ``out_by`` (m, 2) for each part of the votes its pixels and those with the same reference. All as zeros.
    """
    height, width = reference.shape
    for y in range(height):
        for x in range(width):
            one, other = of_reference[y, x], of_votes[y, x]
            out_of[one, 0] += 1
            out_by[other, 0] += 1
            if reference[y, x] == votes[y, x]:
                out_of[one, 1] += 1
                out_by[other, 1] += 1
            for step in range(2):
                beside_y, beside_x = y + step, x + 1 - step
                if beside_y < height and beside_x < width and reference[beside_y, beside_x] != reference[y, x]:
                    out_of[one, 2] += 1
                    out_of[of_reference[beside_y, beside_x], 2] += 1
