"""Clicks: what people answered about chunks, each a judgment with errors of its own.

A click is believed as far as its worker is found right, beside what the masks say of the chunk; it never overwrites
that. With z~ the tempered probabilities of the chunk's pattern, a[w] how often worker w is right, and K labels::

    q[k] ~ z~[k] prod_w (a[w] if w said k else (1 - a[w]) / (K - 1))
    r[w] = sum q[said by w] / n[w]
    a0 = max(LEAST, (sum_w n[w] r[w] + BEFORE ACCURACY) / (sum_w n[w] + BEFORE)),  r the mean of r[w] over all clicks
    a[w] = (n[w] a0 r[w] / r + STRENGTH a0) / (n[w] + STRENGTH)

All clickers together are believed at least to LEAST: where masks err alike, it is the masks that are wrong. Who clicks
is believed less only where they fit the masks less than others do who click. Of the pixels of a chunk not all are of
the class that it is mostly of, so that they get PURITY q + (1 - PURITY) z~.

What is known of how people paint does not change by clicks. Fitted together, it did: chunks that are asked for are
those where people err alike, so that clickers looked bad, and the shared prior made painters look bad, too. On twelve
drawn sets of eight pictures (2, 3 and 5 masks, up to 40 clicks a picture, 5 % wrong) the mean IoU after the clicks was
higher in all where they were not fitted together, by .001 to .08.

LEAST from .85 to .95 and PURITY from .8 to 1 moved the mean IoU of the foreground after 40 clicks by less than .0005 on
eight crowds of sixteen pictures: clicks come near what they can reach there, and what is missing was never drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from consensus.chunks.counting import Counted
    from consensus.chunks.cutting import Partition

CLICKING = " (clicks)"
"""Stands behind the name of a worker who clicks: how well they do it is learnt apart from how well they paint."""
TOGETHER = 2
"""Clicks that decide where one alone does not count."""
ACCURACY, BEFORE, STRENGTH = 0.95, 20.0, 10.0
LEAST, MOST = 0.85, 0.99
PURITY = 0.9
PASSES = 100  # after 30 nothing moves by more than 1e-9 in the sets that were looked at


@dataclass(frozen=True, slots=True)
class Click:
    """One answer about a chunk."""

    worker: str
    label: int
    """Code of the class."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The patterns of a picture less the chunks that were clicked, and these: what labels are found for."""

    votes: NDArray[np.int16]
    """(R, C) label of each column, -1 where there is none."""
    area: NDArray[np.int64]
    """(R,) pixels; 0 of a pattern of which every chunk was clicked."""
    pattern: NDArray[np.int64]
    """(R,) the pattern; the first n rows are all patterns in order."""
    clicks: tuple[tuple[Click, ...], ...] = ()
    """Those of each row behind the patterns."""
    chunks: NDArray[np.int64] | None = None
    """Number of the chunk of each such row."""
    waiting: Mapping[int, int] | None = None
    """Clicks on chunks, by number, where a second one is awaited: they do not count yet."""


def rows(
    counted: Counted,
    partition: Partition | None = None,
    clicks: Mapping[int, tuple[Click, ...]] | None = None,
    two_above: float = 1.0,
) -> Rows:
    """What labels are found for, given the ``clicks`` on chunks by their number.

    One click alone does not count on a chunk of more than ``two_above`` of the picture, nor for a label that none of
    two or more people and models gave: a wrong click there would spoil what was right.
    """
    n = len(counted.area)
    if not clicks:
        return Rows(counted.votes, counted.area, np.arange(n))
    assert partition is not None
    regions = partition.regions
    waiting = {
        chunk: len(given)
        for chunk, given in clicks.items()
        if len(given) < TOGETHER
        and (
            regions.area[chunk] > two_above * counted.n_pixels or _is_new(counted, int(partition.pattern[chunk]), given)
        )
    }
    chosen = np.array(sorted(set(clicks) - set(waiting)), np.int64)
    pattern = partition.pattern[chosen].astype(np.int64)
    area = counted.area.copy()
    np.subtract.at(area, pattern, regions.area[chosen])
    return Rows(
        np.vstack([counted.votes, counted.votes[pattern]]),
        np.concatenate([area, regions.area[chosen]]),
        np.concatenate([np.arange(n), pattern]),
        tuple(clicks[chunk] for chunk in chosen.tolist()),
        chosen,
        waiting,
    )


def _is_new(counted: Counted, pattern: int, given: tuple[Click, ...]) -> bool:
    """Whether a click gives a pattern a label that none of several people and models gave it."""
    said = counted.opinions[pattern]
    said = said[said >= 0]
    return len(said) >= TOGETHER and any(one.label not in said for one in given)


@dataclass(frozen=True, slots=True, eq=False)
class Believed:
    """What clicks make of the chunks that they are on."""

    posterior: tuple[NDArray[np.float64], ...]
    """(m, K) of the rows of each picture that were clicked."""
    n_clicks: Mapping[str, int] = field(default_factory=dict)
    """Clicks that count, by worker."""
    accuracy: Mapping[str, float] = field(default_factory=dict)
    """How often each worker is right."""


def believed(rows: Sequence[Rows], by_masks: Sequence[NDArray[np.float64]]) -> Believed:
    """What the clicks of all pictures make of the chunks that they are on.

    Parameters
    ----------
    rows
        Of each picture.
    by_masks
        (n, K) tempered probabilities of the patterns of each picture.
    """
    z = [p[one.pattern[len(one.pattern) - len(one.clicks) :]] for one, p in zip(rows, by_masks, strict=True)]
    before = np.concatenate(z)
    given = [(chunk, one) for chunk, clicks in enumerate(_every(rows)) for one in clicks]
    if not given:
        return Believed(tuple(z))
    names = sorted({one.worker for _, one in given})
    chunk = np.array([number for number, _ in given])
    worker = np.array([names.index(one.worker) for _, one in given])
    label = np.array([one.label for _, one in given])
    n_each = np.bincount(worker).astype(np.float64)
    accuracy, K = np.full(len(names), ACCURACY), before.shape[1]
    for _ in range(PASSES):
        said = np.repeat(np.log((1.0 - accuracy) / max(K - 1, 1))[worker][:, None], K, axis=1)
        said[np.arange(len(label)), label] = np.log(accuracy[worker])
        logs = np.log(np.maximum(before, 1e-300))
        np.add.at(logs, chunk, said)
        q = np.exp(logs - logs.max(axis=1, keepdims=True))
        q /= q.sum(axis=1, keepdims=True)
        right = np.bincount(worker, weights=q[chunk, label])
        pooled = right.sum() / len(given)
        a0 = max((right.sum() + ACCURACY * BEFORE) / (len(given) + BEFORE), LEAST)
        own = np.clip(a0 * (right / n_each) / pooled, 1.0 / K, MOST)
        accuracy = (n_each * own + STRENGTH * a0) / (n_each + STRENGTH)
    mixed = PURITY * q + (1.0 - PURITY) * before
    ends = np.cumsum([len(one) for one in z])[:-1]
    return Believed(
        tuple(np.split(mixed, ends)),
        dict(zip(names, n_each.astype(int).tolist(), strict=True)),
        dict(zip(names, accuracy.tolist(), strict=True)),
    )


def _every(rows: Sequence[Rows]) -> list[tuple[Click, ...]]:
    return [clicks for one in rows for clicks in one.clicks]
