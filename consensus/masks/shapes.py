"""Shapes with a label, and how they become a label map: one rule for all formats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from consensus.errors import FormatError

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping, Sequence

    from consensus.errors import Place
    from consensus.masks.mask_set import LabelMap

OVERLAP = "pixels in two labels, of which the later one counts"
"""What is counted where a shape covers pixels of another label."""


class Outline(Protocol):
    """Pixels of a shape."""

    def paint(self, code: int, ground: int, out_map: LabelMap) -> int:
        """Set the pixels inside to ``code``; how many of them had another code than ``ground`` before.

        Raises
        ------
        ValueError
            It is damaged, or of another size; the message says how.
        """


@dataclass(frozen=True, slots=True)
class Shape:
    """An outline, or a brush's pixels, with a label."""

    label: str
    place: Place
    outline: Outline


@dataclass(frozen=True, slots=True)
class PaintedShapes:
    """A mask as shapes, the later ones on top."""

    shapes: Sequence[Shape]
    codes: Mapping[str, int]
    """By label."""
    ground: int
    """The code of pixels in no shape; -1 where no class is the background: they are not judged."""

    def read(self, height: int, width: int, place: Place, told: Counter[str]) -> LabelMap:
        """(H, W) codes.

        Raises
        ------
        FormatError
            A shape is damaged, or of another size than the picture, or its label is no class.
        """
        del place
        codes = np.full((height, width), self.ground, np.int16)
        for one in self.shapes:
            if one.label not in self.codes:
                raise FormatError(
                    f'the label "{one.label}" is no class; the classes are: {", ".join(list(self.codes)[:20])}; add it '
                    "to the classes",
                    one.place,
                )
            try:
                n_over = one.outline.paint(self.codes[one.label], self.ground, codes)
            except ValueError as error:
                raise FormatError(f"{error}; export it again", one.place) from None
            if n_over:
                told[OVERLAP] += n_over
        return codes
