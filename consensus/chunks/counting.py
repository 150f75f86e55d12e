"""The first look at a picture: what everybody says of it, as patterns and their areas."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from consensus.chunks import patterns
from consensus.kernels import mask_loops

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from consensus.chunks.patterns import Patterns
    from consensus.masks.mask_set import Picture, ProbabilityMap

Kind = Literal["human", "model", "probabilities", "gold"]
EDGES = (0.6, 0.8, 0.95)
"""Probabilities at which the most probable class of a model begins another bin: pixels of one bin count alike."""


@dataclass(frozen=True, slots=True)
class Column:
    """Who, or what, a column of votes is from."""

    kind: Kind
    name: str
    """Of the worker or model; empty of gold."""


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """What is kept of a picture between the two looks at it: no pixels."""

    columns: tuple[Column, ...]
    """(C,)"""
    votes: NDArray[np.int16]
    """(n, C) label of each pattern and column, -1 where there is none."""
    area: NDArray[np.int64]
    """(n,) pixels of each pattern."""
    digest: str
    """Of all that was said of every pixel, and by whom."""
    means: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    """(n, K) mean probabilities of each pattern, by the column of a model that tells any."""

    @property
    def n_pixels(self) -> int:
        """Of the picture."""
        return int(self.area.sum())

    def of_kind(self, *kinds: Kind) -> list[int]:
        """The columns that are of one of these kinds."""
        return [c for c, one in enumerate(self.columns) if one.kind in kinds]

    @property
    def is_judged(self) -> bool:
        """Whether anybody says anything of any pixel."""
        return bool((self.votes >= 0).any())

    @property
    def gold(self) -> NDArray[np.int16]:
        """(n,) the true label of each pattern, -1 where it is unknown."""
        columns = self.of_kind("gold")
        return self.votes[:, columns[0]] if columns else np.full(len(self.area), np.int16(-1))

    @property
    def opinions(self) -> NDArray[np.int16]:
        """(n, V) labels that people and models give, -1 where one says nothing."""
        return self.votes[:, self.of_kind("human", "model", "probabilities")]


def look(picture: Picture, n_labels: int) -> tuple[Counted, Patterns]:
    """Decode all masks of a picture, one after the other: what is kept of it, and its pixels.

    Raises
    ------
    FormatError
        A mask can't be read, or does not fit the picture.
    """
    height, width = picture.height, picture.width
    people = [one for one in picture.masks if one.kind == "human"]
    models = [one for one in picture.masks if one.kind == "model"]
    maps = picture.probability_maps
    columns = [
        *(Column("human", one.worker) for one in people),
        *(Column("model", one.worker) for one in models),
        *(Column("probabilities", one.worker) for one in maps),
        *(Column("gold", "") for _ in range(picture.gold is not None)),
    ]
    n_bins = len(EDGES) + 1

    def decoded() -> Iterator[tuple[NDArray[np.int16], int]]:
        for one in (*people, *models):
            yield one.read(height, width), n_labels
        for told in maps:
            votes = np.empty(height * width, np.int16)
            mask_loops.in_bins(_flat(told, picture), np.array(EDGES), votes)
            yield votes.reshape(height, width), n_labels * n_bins
        if picture.gold is not None:
            yield picture.gold.read(height, width), n_labels

    found = patterns.patterns(decoded(), height, width)
    votes, means = found.votes.copy(), {}
    for place, told in enumerate(maps, len(people) + len(models)):
        votes[:, place] = np.where(votes[:, place] < 0, -1, votes[:, place] // n_bins)
        sums = np.zeros((len(found.area), n_labels))
        mask_loops.add_up(found.ids.ravel(), _flat(told, picture), sums)
        means[place] = sums / found.area[:, None]
    digest = hashlib.blake2b(digest_size=16)
    digest.update(repr([(one.kind, one.name) for one in columns]).encode())
    digest.update(repr(found.votes.shape).encode() + found.votes.tobytes())
    digest.update(found.ids.data)
    return Counted(tuple(columns), votes, found.area, digest.hexdigest(), means), found


def _flat(one: ProbabilityMap, picture: Picture) -> NDArray[np.float32]:
    """The probabilities (P, K) of a model."""
    told = one.read(picture.height, picture.width)
    return np.ascontiguousarray(told, np.float32).reshape(-1, told.shape[2])
