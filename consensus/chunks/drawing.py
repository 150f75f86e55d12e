"""What people look at: a picture with the outlines of its classes, the disputed parts, and one chunk by itself.

All take and return arrays of bytes: a picture is (H, W, 3), a layer to lie upon it (H, W, 4) with 255 where it covers
what is below.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.masks.png_files import FAULTS, pillow

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from consensus.masks.classes import Classes

    Bytes = NDArray[np.uint8]
    Flags = NDArray[np.bool_]
    Codes = NDArray[np.integer[Any]]

SETTLED_COLOURS = ((86, 180, 233), (230, 159, 0), (0, 158, 115), (240, 228, 66), (0, 114, 178), (204, 121, 167))
"""Of Okabe and Ito (2008), who choose them so that the colour-blind tell them apart; but for their red, which marks
disputes."""
RED, DARK, WHITE = (213, 0, 50), (20, 20, 20), (255, 255, 255)
STEPS = (
    *((0, 32, 77), (0, 45, 108), (49, 64, 109), (73, 83, 108), (94, 101, 111), (114, 120, 117), (134, 139, 120)),
    *((156, 159, 117), (179, 180, 108), (203, 201, 94), (229, 224, 70), (255, 234, 70)),
)
"""From sure to unsure: the colours of cividis (Nunez, Anderton and Renslow 2018), of which the brightness alone tells
the order."""
SHOWN, MOST = 400, 2048
"""Pixels of the longer side below which a picture is enlarged to be looked at, and above which it is reduced."""
CROPPED = 240
"""The same of a chunk by itself: below it is enlarged."""
MARGIN, LEAST_MARGIN = 0.2, 8  # around a chunk: share of its longer side, and pixels
STRIPES = 12  # pixels from one to the next
BLANK = 232  # grey of a picture that is not there
QUALITY = 85  # of JPEG
MOST_IN_PALETTE = 256


def shown_colours(classes: Classes) -> Bytes:
    """(K, 3) a colour for each class: its own, if one was given, else one of a few that everybody can tell apart."""
    n = len(classes.labels)
    ground = classes.ground
    if classes.has_colours or n - (ground >= 0) > len(SETTLED_COLOURS):
        return classes.colours
    found = np.full((n, 3), DARK, np.uint8)
    rest = np.flatnonzero(np.arange(n) != ground)
    found[rest] = np.array(SETTLED_COLOURS, np.uint8)[: len(rest)]
    return found


def opened(path: Path | None, height: int, width: int) -> Bytes | None:
    """(H, W, 3) the picture as it is stored, not turned; None where there is none, or it can't be read."""
    if path is None:
        return None
    try:
        with pillow().open(path) as image:
            if image.mode in {"I", "F"} or image.mode.startswith("I;"):  # grey of more than a byte
                grey = np.asarray(image, np.float64)
                low, high = float(grey.min()), float(grey.max())
                levels = np.rint(255.0 * (grey - low) / max(high - low, 1e-12)).astype(np.uint8)
                found = np.repeat(levels[..., None], 3, axis=2)
            else:
                found = np.asarray(image.convert("RGB"))
    except FAULTS:
        return None
    return found if found.shape[:2] == (height, width) else None


def blank(height: int, width: int) -> Bytes:
    """A grey picture, for one that is not there."""
    return np.full((height, width, 3), BLANK, np.uint8)


def scaled(pixels: NDArray[Any], least: int = SHOWN, most: int = MOST) -> NDArray[Any]:
    """Enlarge what has a longer side below ``least`` by a whole number, reduce what has one above ``most``.

    Pixels stay sharp and labels stay what they are; where a picture is reduced, its pixels are averaged.
    """
    side = max(pixels.shape[:2])
    times, step = -(-least // side), -(-side // most)
    if step > 1 and pixels.ndim > 2:
        return np.asarray(pillow().fromarray(pixels).reduce(step))
    return pixels.repeat(times, axis=0).repeat(times, axis=1)[::step, ::step]


def outlines(label: Codes, ground: int, colours: Bytes, line: int = 3) -> Bytes:
    """A layer with the outline of each class in its colour, ``line`` pixels inside, and a dark one of two around it.

    Parameters
    ----------
    label
        (H, W) code of the class, negative or beyond the last for none.
    ground
        The class without outline; -1 where every class has one.
    colours
        (K, 3)
    """
    known = (label >= 0) & (label < len(colours)) & (label != ground)
    found = np.zeros((*label.shape, 4), np.uint8)
    border = _borders(label)
    inside = border & known
    for _ in range(line - 1):
        inside |= _grown(inside) & known & _like_a_neighbour(label, inside)
    found[_grown(border & ~known) & ~known] = (*DARK, 255)
    found[inside, :3] = colours[label[inside]]
    found[inside, 3] = 255
    return found


def hatched(disputed: Flags) -> Bytes:
    """A layer that tints ``disputed`` pixels (H, W) red, with red and white stripes: they are seen without red, too."""
    height, width = disputed.shape
    stripe = np.array([(*RED, 230)] * 3 + [(*WHITE, 200)] * 2 + [(*RED, 56)] * (STRIPES - 5), np.uint8)
    y, x = np.nonzero(disputed)
    found = np.zeros((height, width, 4), np.uint8)
    found[y, x] = stripe[(y + x) % STRIPES]
    return found


def unsure(confidence: Bytes) -> Bytes:
    """(H, W, 3) how unsure each pixel is: dark where its ``confidence`` (H, W) is 255, bright where it is half of it or
    less.
    """  # noqa: D205
    doubt = np.clip((255.0 - confidence) / 127.5, 0.0, 1.0)
    step = np.rint(doubt * (len(STEPS) - 1)).astype(np.intp)
    return np.asarray(np.array(STEPS, np.uint8)[step])


def over(picture: Bytes, *layers: Bytes) -> Bytes:
    """A picture with layers upon it."""
    found = picture.copy()
    covered = np.nonzero(np.any([layer[..., 3] for layer in layers], axis=0))  # few: most of a picture stays as it is
    mixed = picture[covered].astype(np.float32)
    for layer in layers:
        above = layer[covered]
        share = above[:, 3:] / np.float32(255.0)
        mixed += share * (above[:, :3] - mixed)
    found[covered] = np.rint(mixed).astype(np.uint8)
    return found


def stacked(*layers: Bytes) -> Bytes:
    """One layer of several, the later ones instead of what they cover."""
    found = layers[0].copy()
    for layer in layers[1:]:
        covers = layer[..., 3] > 0
        found[covers] = layer[covers]
    return found


def overlay(picture: Bytes, label: Codes, disputed: Flags, ground: int, colours: Bytes) -> Bytes:
    """A picture with the outlines of its classes and its disputed parts, in the size to look at."""
    return over(scaled(picture), hatched(scaled(disputed)), outlines(scaled(label), ground, colours))


def margined(box: tuple[int, int, int, int], height: int, width: int) -> tuple[int, int, int, int]:
    """A ``box`` (x0, y0, x1, y1, the last two beyond it) with a margin around it, inside the picture."""
    x0, y0, x1, y1 = box
    margin = max(LEAST_MARGIN, round(MARGIN * max(x1 - x0, y1 - y0)))
    return max(x0 - margin, 0), max(y0 - margin, 0), min(x1 + margin, width), min(y1 + margin, height)


def crop(picture: Bytes, region: Codes, chunk: int, box: tuple[int, int, int, int]) -> Bytes:
    """One chunk with what is around it: a red line with a white one runs around it, outside, and it is left as it is.

    Parameters
    ----------
    region
        (H, W) chunk of each pixel.
    chunk
        Which one.
    box
        x0, y0, x1, y1 around it.
    """
    x0, y0, x1, y1 = margined(box, *region.shape)
    inside = scaled(region[y0:y1, x0:x1] == chunk, CROPPED, SHOWN)
    found = scaled(picture[y0:y1, x0:x1], CROPPED, SHOWN).copy()
    red = _grown(_grown(inside))
    white = _grown(_grown(red))
    found[white & ~red] = WHITE
    found[red & ~inside] = RED
    return found


def encoded(pixels: Bytes) -> bytes:
    """PNG of a picture or layer, with a palette where its colours are few."""
    image = pillow()
    packed = np.full((pixels.shape[0] * pixels.shape[1], 4), 255, np.uint8)
    packed[:, : pixels.shape[2]] = pixels.reshape(-1, pixels.shape[2])
    packed[packed[:, 3] == 0] = 0
    each = packed.view(np.uint32).ravel()
    begin = np.flatnonzero(np.concatenate([[True], each[1:] != each[:-1]]))  # of each run of one colour
    colours, which = np.unique(each[begin], return_inverse=True)
    if len(colours) > MOST_IN_PALETTE:
        return _saved(image.fromarray(pixels), "PNG")
    codes = np.repeat(which.astype(np.uint8), np.diff(begin, append=len(each)))
    rgba = colours.view(np.uint8).reshape(-1, 4)
    made = image.fromarray(codes.reshape(pixels.shape[:2]))
    made.putpalette(rgba[:, :3].tobytes())
    given: dict[str, Any] = {"bits": next(bits for bits in (1, 2, 4, 8) if len(colours) <= 2**bits)}
    if (rgba[:, 3] < 255).any():
        given["transparency"] = rgba[:, 3].tobytes()
    return _saved(made, "PNG", **given)


def photographed(picture: Bytes, quality: int = QUALITY) -> bytes:
    """JPEG of a picture, with its colours as sharp as its lines."""
    return _saved(pillow().fromarray(picture), "JPEG", quality=quality, subsampling=0)


def _saved(image: Any, kind: str, **given: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **given)
    return file.getvalue()


def _borders(label: Codes) -> Flags:
    """Pixels above, below or beside which there is another label."""
    found = np.zeros(label.shape, np.bool_)
    down, right = label[1:] != label[:-1], label[:, 1:] != label[:, :-1]
    found[1:] |= down
    found[:-1] |= down
    found[:, 1:] |= right
    found[:, :-1] |= right
    return found


def _grown(mask: Flags) -> Flags:
    """The same and all pixels above, below and beside it."""
    found = mask.copy()
    found[1:] |= mask[:-1]
    found[:-1] |= mask[1:]
    found[:, 1:] |= mask[:, :-1]
    found[:, :-1] |= mask[:, 1:]
    return found


def _like_a_neighbour(label: Codes, marked: Flags) -> Flags:
    """Pixels above, below or beside which a ``marked`` one has the same label."""
    found = np.zeros(label.shape, np.bool_)
    for here, there in (
        (np.s_[1:], np.s_[:-1]), (np.s_[:-1], np.s_[1:]),
        (np.s_[:, 1:], np.s_[:, :-1]), (np.s_[:, :-1], np.s_[:, 1:]),
    ):  # fmt: skip
        found[here] |= marked[there] & (label[here] == label[there])
    return found
