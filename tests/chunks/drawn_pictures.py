"""Pictures that are drawn, and people who paint them as people do: with shared and own errors of the outline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from consensus.errors import Place
from consensus.masks.classes import Classes
from consensus.masks.mask_set import Mask, MaskSet, Picture, ProbabilityMap

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Map = NDArray[np.int16]
    Reals = NDArray[np.float64]

LABELS = ("background", "cell", "fibre")


@dataclass(frozen=True)
class InMemory:
    """A mask, or probabilities, that are there already."""

    content: Any

    def read(self, height: int, width: int, place: Place, told: Counter[str] | None = None) -> Any:
        assert self.content.shape[:2] == (height, width), place
        assert told is None or not told
        return self.content


def mask(worker: str, content: Any, kind: str = "human") -> Mask:
    return Mask(worker, kind, Place.of("drawn", 1), InMemory(np.array(content, np.int16)))  # type: ignore[arg-type]


def picture(
    name: str,
    masks: Mapping[str, Any],
    *,
    gold: Any = None,
    models: Mapping[str, Any] | None = None,
    probabilities: Mapping[str, Any] | None = None,
) -> Picture:
    found = [mask(worker, one) for worker, one in sorted(masks.items())]
    found += [mask(worker, one, "model") for worker, one in (models or {}).items()]
    maps = tuple(ProbabilityMap(one, Place.of("drawn", 1), InMemory(p)) for one, p in (probabilities or {}).items())
    first = maps[0].given.content if maps else found[0].painted.content  # type: ignore[attr-defined]
    height, width = first.shape[:2]
    return Picture(name, height, width, None, tuple(found), None if gold is None else mask("gold", gold, "gold"), maps)


def mask_set(pictures: Sequence[Picture], labels: Sequence[str] = LABELS) -> MaskSet:
    workers = {one.worker for each in pictures for one in each.masks if one.kind == "human"}
    models = {one.worker for each in pictures for one in each.masks if one.kind == "model"}
    models |= {one.worker for each in pictures for one in each.probability_maps}
    classes = Classes.of_values(range(len(labels)), labels)
    return MaskSet(tuple(pictures), classes, tuple(sorted(workers)), tuple(sorted(models)))


def truth(rng: np.random.Generator, height: int = 160, width: int = 208) -> Map:
    """Some cells, and a fibre across."""
    y, x = np.mgrid[:height, :width]
    found = np.zeros((height, width), np.int16)
    slope, offset = rng.uniform(-0.4, 0.4), rng.uniform(0.3, 0.7) * height
    found[np.abs(y - offset - slope * (x - width / 2)) < rng.uniform(8, 13)] = 2
    for _ in range(rng.integers(3, 6)):
        cy, cx, ry, rx = rng.uniform(0.15, 0.85) * height, rng.uniform(0.15, 0.85) * width, *rng.uniform(14, 30, 2)
        found[((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1] = 1
    return found


def smooth(rng: np.random.Generator, shape: tuple[int, int], width: float) -> Reals:
    field = ndimage.gaussian_filter(rng.standard_normal(shape), width)
    return np.asarray(field / field.std())


def warped(labels: Map, dy: Reals, dx: Reals) -> Map:
    y, x = np.mgrid[: labels.shape[0], : labels.shape[1]].astype(np.float64)
    moved = ndimage.map_coordinates(labels, [y + dy, x + dx], order=0, mode="nearest")
    return np.asarray(moved, np.int16)


def painted(
    rng: np.random.Generator, true: Map, shared: tuple[Reals, Reals], grow: float = 0.0, careless: float = 0.0
) -> Map:
    """What one person paints: the outline is off by what all share and by their own, parts are missed or mistaken."""
    found = true.copy()
    parts, n = ndimage.label(true > 0)
    for part in range(1, n + 1):
        here = parts == part
        if rng.random() < careless:
            found[here] = 0 if rng.random() < 0.5 else 3 - true[here]
    own = [1.0 * smooth(rng, true.shape, 6) + one for one in shared]
    found = warped(found, *own)
    if grow:
        inside = ndimage.distance_transform_edt(found > 0) - ndimage.distance_transform_edt(found == 0)
        nearest = ndimage.distance_transform_edt(found == 0, return_distances=False, return_indices=True)
        found = np.where(inside > -grow, found[tuple(nearest)], 0) if grow > 0 else np.where(inside > -grow, found, 0)
    return found.astype(np.int16)


KINDS = ((0.0, 0.05), (2.0, 0.1), (-2.0, 0.1), (0.0, 0.35), (0.5, 0.15), (0.0, 0.1))
"""By how many pixels the outlines of each person are moved out, and how often they miss or mistake a part."""


@dataclass(frozen=True)
class Crowd:
    """Pictures with their masks, and what is true."""

    masks: MaskSet
    truths: dict[str, Map]


def crowd(n_pictures: int = 8, n_masks: int = 3, seed: int = 0) -> Crowd:
    """Pictures of two classes and a background, each painted by some of six people."""
    rng = np.random.default_rng(seed)
    pictures, truths = [], {}
    for number in range(n_pictures):
        true = truth(rng)
        shared = 0.4 * smooth(rng, true.shape, 8), 0.4 * smooth(rng, true.shape, 8)
        people = rng.permutation(len(KINDS))[:n_masks]
        name = f"drawn/{number:02d}.png"
        pictures.append(picture(name, {f"w{one}": painted(rng, true, shared, *KINDS[one]) for one in people}))
        truths[name] = true
    return Crowd(mask_set(pictures), truths)
