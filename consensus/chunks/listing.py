"""Which chunks of a picture are worth a click, and in which order."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.chunks import expecting
from consensus.chunks.clicks import TOGETHER
from consensus.inputs.vocabulary import mixed
from consensus.kernels import mask_loops

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.chunks.painting import Painted
    from consensus.config import ChunksConfig

DISPUTED, AUDITED, REPAINT = STATUSES = ("disputed", "audit", "repaint")
MOST_CLICKS = 3
"""Clicks on a chunk after which no more are asked for: somebody has to look at it."""
AUDIT_SHARE = 0.5
"""Of the clicks of a picture that go to the audit at most. Those that are drawn are asked for first."""
WORTH = 1.0  # expected wrong pixels from which a chunk is listed


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """The chunks of a picture that are listed, those first that repair most pixels a click."""

    chunk: NDArray[np.int64]
    """(m,) number of the chunk."""
    priority: NDArray[np.float64]
    """(m,) expected wrong pixels that one click repairs."""
    clicks: NDArray[np.int64]
    """(m,) clicks to ask for now: 0 beyond the budget of the picture, or where an expert is to look."""
    needed: NDArray[np.int64]
    """(m,) clicks that it still needs, whatever the budget."""
    audited: NDArray[np.bool_]
    """(m,) nobody disputes it: it is drawn for the audit."""
    hopeless: NDArray[np.bool_]
    """(m,) clicks did not settle it."""
    box: NDArray[np.int32]
    """(m, 4) x0, y0, x1, y1 around it and the slivers beside it."""
    clicks_to_target: int
    """Clicks until the picture is expected to reach the target; -1 where these chunks do not bring it there."""
    expected: expecting.Overlap
    """Of the picture as it is."""


def listed(painted: Painted, config: ChunksConfig, ground: int) -> Listed:
    """The chunks of a picture that are worth a click; ``ground`` is the code of the background, -1 for none."""
    regions = painted.partition.regions
    n_pixels = regions.region.size
    wrong = regions.area * (1.0 - painted.confidence)
    needed = np.where(regions.area > config.two_clicks_above * n_pixels, TOGETHER, 1)
    had = painted.n_clicks
    if painted.rows.waiting:
        needed[list(painted.rows.waiting)] = TOGETHER
    asked = np.maximum(needed - had, 1)
    settled = (had >= needed) & (painted.confidence >= config.target)
    large = regions.area >= config.least_area
    worth = painted.is_open & large & (wrong >= WORTH) & ~settled & (painted.label >= 0)
    draw = _draws(painted, config)
    audited = np.flatnonzero((draw < config.audit_sample) & large & ~worth & (had < needed))
    audited = audited[np.argsort(draw[audited], kind="stable")]
    audit_clicks = asked[audited]
    audit_clicks[np.cumsum(audit_clicks) > AUDIT_SHARE * config.clicks] = 0
    chunk = np.flatnonzero(worth)
    chunk = chunk[np.lexsort((chunk, -wrong[chunk] / asked[chunk]))]
    hopeless = had[chunk] >= MOST_CLICKS
    clicks = np.where(hopeless, 0, asked[chunk])
    clicks[np.cumsum(clicks) > config.clicks - audit_clicks.sum()] = 0
    overlap = expecting.overlap(painted.rows.area, painted.row_posterior, painted.row_label, ground)
    to_target = expecting.clicks_to(
        config.target,
        overlap,
        regions.area[chunk[clicks > 0]],
        painted.posterior[chunk[clicks > 0]],
        painted.label[chunk[clicks > 0]],
        clicks[clicks > 0],
    )
    every = np.concatenate([chunk, audited])
    box = _with_slivers(painted, chunk, painted.is_open & ~large)
    return Listed(
        every,
        wrong[every] / asked[every],
        np.concatenate([clicks, audit_clicks]),
        asked[every],
        np.arange(len(every)) >= len(chunk),
        np.concatenate([hopeless, np.zeros(len(audited), np.bool_)]),
        np.concatenate([box, regions.box[audited]]),
        to_target,
        overlap,
    )


def _draws(painted: Painted, config: ChunksConfig) -> NDArray[np.float64]:
    """(n,) a number from 0 to 1 for each chunk that nobody disputes, by a hash of the picture and of its first pixel.

    Infinite for all others.
    """
    name = np.uint64(zlib.crc32(painted.picture.name.encode()) + (config.seed << 32) % 2**64)
    draw = mixed(mixed(painted.partition.regions.first.astype(np.uint64)) ^ name) / 2.0**64
    alike = ~painted.is_open & (painted.counted.gold[painted.partition.pattern] < 0) & (painted.label >= 0)
    return np.where(alike, draw, np.inf)


def _with_slivers(painted: Painted, chunk: NDArray[np.int64], is_sliver: NDArray[np.bool_]) -> NDArray[np.int32]:
    """(m, 4) boxes of the ``chunk`` (m,), each around the slivers, too, that it shares most sides with.

    Slivers are open chunks that are too small to be listed; a click on their neighbour says nothing of them.
    """
    regions = painted.partition.regions
    box = regions.box.copy()
    pairs = np.empty((4 * int(regions.area[is_sliver].sum()), 2), np.int32)
    pairs = pairs[: mask_loops.borders(regions.region, is_sliver, pairs)]
    pairs = pairs[np.isin(pairs[:, 1], chunk)]
    if len(pairs):
        both, n_sides = np.unique(pairs, axis=0, return_counts=True)
        both = both[np.lexsort((both[:, 1], -n_sides, both[:, 0]))]
        _, first = np.unique(both[:, 0], return_index=True)
        sliver, neighbour = both[first].T
        np.minimum.at(box[:, :2], neighbour, regions.box[sliver, :2])
        np.maximum.at(box[:, 2:], neighbour, regions.box[sliver, 2:])
    return box[chunk]
