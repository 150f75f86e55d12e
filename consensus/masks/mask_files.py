"""A mask, or a map of probabilities, in a file of its own; and the part of the picture that was judged."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.errors import FormatError
from consensus.formats.tables.streams import displayed
from consensus.masks.mask_set import NOT_JUDGED, refuse_size
from consensus.masks.npy_files import is_npy, npy_labels, npy_probabilities
from consensus.masks.png_files import png_header, png_pixels

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path

    from numpy.typing import NDArray

    from consensus.errors import Place
    from consensus.masks.classes import Colours
    from consensus.masks.coding import Coder, Palettes
    from consensus.masks.mask_set import LabelMap, Probabilities

BOX = re.compile(r"\s*(-?\d{1,9})\s*[,; ]\s*(-?\d{1,9})\s*[,; ]\s*(-?\d{1,9})\s*[,; ]\s*(-?\d{1,9})\s*")
"""Of a region: x0, y0, x1, y1 in pixels."""


@dataclass(frozen=True, slots=True)
class MaskFile:
    """A PNG or NPY, and the region that was judged: all of it, a box (x0, y0, x1, y1), or where a file is not 0."""

    path: Path
    coder: Coder
    region: tuple[int, int, int, int] | Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """The mask, and the region where that is a file."""
        return (self.path,) if self.region is None or isinstance(self.region, tuple) else (self.path, self.region)

    def read(self, height: int, width: int, place: Place, told: Counter[str]) -> LabelMap:
        """(H, W) codes.

        Raises
        ------
        FormatError
            It, or its region, can't be read, has another size than the picture, or a value is no class.
        """
        del told
        pixels, palette = pixels_of(self.path, height, width, place)
        codes = self.coder.coded(pixels, palette, displayed(self.path), place)
        if self.region is None:
            return codes
        if isinstance(self.region, tuple):
            return _boxed(codes, self.region, place)
        judged, _ = pixels_of(self.region, height, width, place)
        codes[(judged if judged.ndim == 2 else judged.any(axis=2)) == 0] = NOT_JUDGED
        return codes


@dataclass(frozen=True, slots=True)
class ProbabilityFile:
    """An NPY (H, W, K)."""

    path: Path
    n_classes: int

    @property
    def files(self) -> tuple[Path, ...]:
        """The NPY."""
        return (self.path,)

    def read(self, height: int, width: int, place: Place) -> Probabilities:
        """(H, W, K).

        Raises
        ------
        FormatError
            It can't be read, has another shape, or holds no probabilities.
        """
        made = npy_probabilities(self.path, self.n_classes, displayed(self.path), place)
        refuse_size(made.shape[:2], height, width, displayed(self.path), place)
        return made


def pixels_of(path: Path, height: int, width: int, place: Place) -> tuple[NDArray[Any], Colours | None]:
    """Numbers, or colours, of the mask in a file, and its palette; the size is checked before pixels are decoded.

    Raises
    ------
    FormatError
        It can't be read, or has another size.
    """
    what = displayed(path)
    if is_npy(path):
        numbers = npy_labels(path, what, place)
        refuse_size(numbers.shape[:2], height, width, what, place)
        return numbers, None
    header = png_header(path, what, place)
    refuse_size((header.height, header.width), height, width, what, place)
    return png_pixels(path, what, place)


def size_of(path: Path, place: Place, palettes: Palettes) -> tuple[int, int]:
    """Height and width of the mask in a file; its palette is added to those of others.

    Raises
    ------
    FormatError
        It can't be read.
    """
    what = displayed(path)
    if is_npy(path):
        height, width = npy_labels(path, what, place).shape
        return height, width
    header = png_header(path, what, place)
    if header.palette is not None:
        palettes.add(header.palette, what)
    return header.height, header.width


def region_of(text: str | None, folder: Path) -> tuple[int, int, int, int] | Path | None:
    """What a cell of a region names: a box, a file beside the manifest, or all of the picture where it is empty."""
    if text is None or not text.strip():
        return None
    found = BOX.fullmatch(text)
    if found is None:
        return folder / text.strip()
    x0, y0, x1, y1 = map(int, found.groups())
    return x0, y0, x1, y1


def _boxed(codes: LabelMap, box: tuple[int, int, int, int], place: Place) -> LabelMap:
    """Codes within a box, which ends before x1 and y1."""
    x0, y0, x1, y1 = box
    height, width = codes.shape
    if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
        raise FormatError(
            f"the region {x0},{y0},{x1},{y1} is no part of a picture of {width:,} x {height:,}; expected x0,y0,x1,y1 "
            "in pixels, x1 and y1 behind the last",
            place,
        )
    kept = np.full_like(codes, NOT_JUDGED)
    kept[y0:y1, x0:x1] = codes[y0:y1, x0:x1]
    return kept
