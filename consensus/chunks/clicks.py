"""Clicks: what people answered about chunks, each a judgment of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from consensus.chunks.counting import Counted
    from consensus.chunks.cutting import Partition

CLICKING = " (clicks)"
"""Stands behind the name of a worker who clicks: how well they do it is learnt apart from how well they paint."""
TOGETHER = 2
"""Clicks that decide where one alone does not count."""


@dataclass(frozen=True, slots=True)
class Click:
    """One answer about a chunk."""

    worker: str
    label: int
    """Code of the class."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The patterns of a picture less the chunks that were clicked, and these: what the fit takes for items."""

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
    """What the fit takes for items, given the ``clicks`` on chunks by their number.

    One click alone does not count on a chunk of more than ``two_above`` of the picture, nor against two or more people
    and models who all say otherwise: a wrong click there would spoil what was right.
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
            regions.area[chunk] > two_above * counted.n_pixels
            or _is_against_all(counted, int(partition.pattern[chunk]), given)
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


def _is_against_all(counted: Counted, pattern: int, given: tuple[Click, ...]) -> bool:
    """Whether several people and models say the same of a pattern, and a click something else."""
    said = counted.opinions[pattern]
    said = said[said >= 0]
    return len(said) >= TOGETHER and len(set(said.tolist())) == 1 and any(one.label != said[0] for one in given)
