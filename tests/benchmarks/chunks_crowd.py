"""Thirteen simulated annotators, the same over all pictures, who paint segmentation masks and err together.

What a mask goes through, in this order: the things in the picture that everybody finds hard are missed or taken for
what everybody takes them for; things nobody should paint are painted; coarse hands draw polygons, boxes, blobs; the
outline moves by a wave that all share and by one of the annotator's own; whole outlines grow or shrink; painting stops
below a line. All randomness comes from the seed, the picture's position and the annotator's position. The numbers were
set by the majority vote alone: with 3 and 5 masks an IoU of the foreground of about .89 and .93 over two labels, and a
mean IoU of about .82 and .87 over five. No other way of merging was looked at before they stood.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.benchmarks.chunks_pictures import LABELS, Picture

    Codes = NDArray[np.int8]
    Reals = NDArray[np.float64]
else:  # run as a script, its own folder is on the path
    from chunks_pictures import LABELS

SHARED_WAVE = 0.5
"""Pixels (standard deviation) by which all annotators' outlines move together."""
HARD = (0.35, 1.8)
"""The difficulty of a part of a picture is drawn from this Beta distribution, once for all annotators."""
EXTRAS = 3
"""Things in a picture that look like something, and aren't."""


@dataclass(frozen=True, slots=True)
class Annotator:
    """One painter."""

    name: str
    wave: float = 0.7
    """Pixels (standard deviation) by which the outline moves, besides the shared wave."""
    grow: float = 0.0
    """Pixels by which things grow; below 0: shrink."""
    miss: float = 0.2
    """Chance to miss a part of difficulty 1; in proportion for easier ones."""
    confuse: float = 0.2
    """Chance to take a part of difficulty 1 for what it looks like."""
    extra: float = 0.08
    """Chance to paint each thing that isn't one."""
    careless: float = 0.0
    """Chance to miss a part, however easy."""
    polygon: float = 0.0
    """Tolerance in pixels of the polygons drawn instead of outlines; 0: outlines."""
    boxes: bool = False
    """Draws the box around a part instead of its outline."""
    blob: int = 0
    """Radius in pixels of the brush: nothing finer is painted; 0: a fine pen."""
    swap: float = 0.0
    """Chance to give a part of the first label the second label and the other way round."""
    stop: float = 1.0
    """Mean share of the picture, from the top, after which nothing is painted any more."""
    keep: float = 1.0
    """Chance to paint a part at all, but for the largest, which is painted shrunk where this is below 1."""


ANNOTATORS = (
    Annotator("good_1", wave=0.4, miss=0.1, confuse=0.1, extra=0.04),
    Annotator("good_2", wave=0.5, miss=0.15, confuse=0.15, extra=0.04),
    Annotator("good_3", wave=0.7, miss=0.2, confuse=0.15, extra=0.08),
    Annotator("dilating_1", grow=1.5),
    Annotator("dilating_2", wave=0.9, grow=3.0),
    Annotator("eroding", grow=-2.0),
    Annotator("polygons", polygon=4.0),
    Annotator("boxes", boxes=True, confuse=0.3),
    Annotator("missing", careless=0.25, miss=0.4),
    Annotator("blobs", blob=5, wave=1.0),
    Annotator("swapping", swap=0.5),
    Annotator("quitter", stop=0.6),
    Annotator("nothing", keep=0.1, wave=1.5),
)


def _rng(seed: int, picture: int, who: int) -> np.random.Generator:
    return np.random.default_rng([seed, picture, who])


def _wave(shape: tuple[int, int], deviation: float, rng: np.random.Generator, scale: float = 9.0) -> Reals:
    """A smooth displacement (2, H, W) in pixels, of a standard deviation."""
    field = np.stack([ndimage.gaussian_filter(rng.standard_normal(shape), scale, mode="wrap") for _ in range(2)])
    return np.asarray(deviation * field / field.std())


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """What all annotators of a picture share."""

    parts: NDArray[np.int32]
    """(H, W) 1 + the part a pixel belongs to; 0 for background."""
    code: NDArray[np.int64]
    """(P,) the label of each part, ``looks`` what it is taken for."""
    looks: NDArray[np.int64]
    difficulty: Reals
    """(P,) 0 to 1; small parts are harder."""
    extras: list[tuple[Codes, int]]
    """Masks of what isn't there, and the label each is given."""
    wave: Reals


def _scene(truth: Codes, rng: np.random.Generator) -> _Scene:
    parts, codes, n, n_labels = np.zeros(truth.shape, np.int32), [], 0, len(LABELS)
    for code in range(1, n_labels):
        found, count = ndimage.label(truth == code)
        parts[found > 0] = found[found > 0] + n
        codes += [code] * count
        n += count
    label = np.array(codes, np.int64)
    area = np.bincount(parts.ravel(), minlength=n + 1)[1:]
    difficulty = rng.beta(*HARD, size=n) ** np.where(area < 0.002 * truth.size, 0.6, 1.0)
    step = 1 + (rng.random(n) * (n_labels - 2)).astype(np.int64)
    looks = 1 + (label - 1 + step) % (n_labels - 1)
    height, width = truth.shape
    y, x = np.mgrid[:height, :width]
    extras = []
    for _ in range(EXTRAS):
        cy, cx = rng.random() * height, rng.random() * width
        ry, rx = (0.02 + 0.05 * rng.random(2)) * max(height, width)
        inside = ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1
        extras.append(((inside & (truth == 0)).astype(np.int8), 1 + int(rng.integers(n_labels - 1))))
    return _Scene(parts, label, looks, difficulty, extras, _wave(truth.shape, SHARED_WAVE, rng))


def _seen(scene: _Scene, who: Annotator, rng: np.random.Generator, binary: bool) -> Codes:
    """The truth as the annotator understands it."""
    n = len(scene.code)
    draws = rng.random((5, n))
    code = scene.code.copy()
    confused = draws[0] < who.confuse * scene.difficulty
    code[confused] = scene.looks[confused]
    swapped = (draws[1] < who.swap) & (code <= 2)
    code[swapped] = 0 if binary else 3 - code[swapped]
    area = np.bincount(scene.parts.ravel(), minlength=n + 1)[1:]
    missed = (draws[2] < who.miss * scene.difficulty) | (draws[3] < who.careless) | (draws[4] >= who.keep)
    if n and who.keep < 1:
        missed[np.argmax(area)] = False
    code[missed] = 0
    out: Codes = np.concatenate([[0], code]).astype(np.int8)[scene.parts]
    for mask, label in scene.extras:
        if rng.random() < who.extra:
            out[mask > 0] = label
    return np.minimum(out, 1) if binary else out


def _boxes(codes: Codes) -> Codes:
    out, boxes = np.zeros_like(codes), []
    for code in range(1, int(codes.max(initial=0)) + 1):
        found, _ = ndimage.label(codes == code)
        boxes += [(slices, code) for slices in ndimage.find_objects(found)]
    for slices, code in sorted(
        boxes, key=lambda box: -(box[0][0].stop - box[0][0].start) * (box[0][1].stop - box[0][1].start)
    ):
        out[slices] = code
    return out


def _polygons(codes: Codes, tolerance: float) -> Codes:
    skimage: Any = importlib.import_module("skimage")
    out, shapes = np.zeros_like(codes), []
    for code in range(1, int(codes.max(initial=0)) + 1):
        found, n = ndimage.label(codes == code)
        for part in range(1, n + 1):
            outline = max(skimage.measure.find_contours(np.pad(found == part, 1).astype(float), 0.5), key=len) - 1
            shapes.append((int((found == part).sum()), code, skimage.measure.approximate_polygon(outline, tolerance)))
    for _, code, points in sorted(shapes, key=lambda shape: -shape[0]):
        out[skimage.draw.polygon2mask(codes.shape, points)] = code
    return out


def _brushed(codes: Codes, radius: int) -> Codes:
    """Each pixel gets the label that is most frequent around it."""
    shares = [ndimage.uniform_filter((codes == code).astype(float), 2 * radius + 1) for code in range(len(LABELS))]
    out: Codes = np.argmax(shares, axis=0).astype(np.int8)
    return out


def _grown(codes: Codes, pixels: float) -> Codes:
    out = codes.copy()
    if pixels > 0 and (codes > 0).any():
        distance, (y, x) = ndimage.distance_transform_edt(codes == 0, return_indices=True)
        near = distance <= pixels
        out[near] = codes[y[near], x[near]]
    elif pixels < 0:
        out[ndimage.distance_transform_edt(np.pad(codes > 0, 1, mode="edge"))[1:-1, 1:-1] <= -pixels] = 0
    return out


def _moved(codes: Codes, wave: Reals) -> Codes:
    height, width = codes.shape
    y, x = np.mgrid[:height, :width]
    y = np.clip(np.rint(y + wave[0]), 0, height - 1).astype(np.int64)
    x = np.clip(np.rint(x + wave[1]), 0, width - 1).astype(np.int64)
    out: Codes = codes[y, x]
    return out


def painted(scene: _Scene, who: Annotator, rng: np.random.Generator, binary: bool) -> Codes:
    """The mask of one annotator."""
    codes = _seen(scene, who, rng, binary)
    if who.polygon:
        codes = _polygons(codes, who.polygon)
    if who.boxes:
        codes = _boxes(codes)
    if who.blob:
        codes = _brushed(codes, who.blob)
    if who.keep < 1:
        codes = _grown(codes, -8.0)
    codes = _moved(codes, scene.wave + _wave(codes.shape, who.wave, rng))
    codes = _grown(codes, who.grow)
    if who.stop < 1:
        codes[round(len(codes) * (who.stop - 0.15 + 0.3 * rng.random())) :] = 0
    return codes


def masks(pictures: list[Picture], seed: int, *, binary: bool = False) -> list[Codes]:
    """The masks (13, H, W) of all annotators for each picture, codes of ``LABELS``.

    ``binary``: 1 is whatever isn't background, and who swaps labels leaves these parts out.
    """
    found = []
    for g, picture in enumerate(pictures):
        scene = _scene(np.where(picture.truth < 0, 0, picture.truth).astype(np.int8), _rng(seed, g, 0))
        found.append(np.stack([painted(scene, who, _rng(seed, g, w), binary) for w, who in enumerate(ANNOTATORS, 1)]))
    return found


def assigned(n_pictures: int, n_masks: int, seed: int) -> NDArray[np.bool_]:
    """Who paints which picture (G, 13): ``n_masks`` annotators each, shared out evenly."""
    rng = np.random.default_rng([seed, 97])
    given, done = np.zeros((n_pictures, len(ANNOTATORS)), bool), np.zeros(len(ANNOTATORS))
    for g in rng.permutation(n_pictures):
        chosen = np.argsort(done + rng.random(len(done)), kind="stable")[:n_masks]
        given[g, chosen] = True
        done[chosen] += 1
    return given
