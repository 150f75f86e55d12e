"""What shapes cover: polygons, ellipses, and runs of pixels of COCO and Label Studio.

One rule holds for the polygons and ellipses of all formats: a pixel is inside if its centre is. A ring is filled by the
rule of even and odd, and the rings of one shape are united: a hole needs runs of pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from consensus.masks.mask_set import LabelMap

    Points = NDArray[np.float64]

FAR = 1_000_000_000  # from the picture, in pixels or percent


@dataclass(frozen=True, slots=True, eq=False)
class Rings:
    """The rings of a polygon: (n, 2) x and y in pixels, each closed by itself."""

    rings: tuple[Points, ...]

    @classmethod
    def of_flat(cls, given: Any) -> Rings:
        """Rings as lists of x, y, x, y, ... of three points or more each.

        Raises
        ------
        ValueError
            They are damaged.
        """
        rings = []
        for one in given:
            if not isinstance(one, list) or len(one) < 6 or len(one) % 2:
                raise ValueError("a polygon is no list of three points or more, x and y of each")
            rings.append(np.array(numbers(one, "a polygon"), np.float64).reshape(-1, 2))
        return cls(tuple(rings))

    def paint(self, code: int, ground: int, out_map: LabelMap) -> int:
        """As in ``Outline``."""
        from consensus.kernels.outline_loops import paint_ring

        crossed = np.zeros((out_map.shape[0], out_map.shape[1] + 1), np.uint8)
        return sum(int(paint_ring(ring, code, ground, out_map, crossed)) for ring in self.rings)


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse, in pixels; it turns by ``degrees`` from the right to below."""

    x: float
    y: float
    radius_x: float
    radius_y: float
    degrees: float

    def paint(self, code: int, ground: int, out_map: LabelMap) -> int:
        """As in ``Outline``."""
        from consensus.kernels.outline_loops import paint_ellipse

        turn = radians(self.degrees)
        ellipse = np.array([self.x, self.y, self.radius_x, self.radius_y, cos(turn), sin(turn)])
        return int(paint_ellipse(ellipse, code, ground, out_map))


def rectangle(x: float, y: float, width: float, height: float, degrees: float) -> Rings:
    """A rectangle, in pixels, turned about its corner ``x``, ``y`` from the right to below."""
    turn = radians(degrees)
    right = np.array([cos(turn), sin(turn)]) * width
    down = np.array([-sin(turn), cos(turn)]) * height
    corner = np.array([x, y], np.float64)
    return Rings((np.stack([corner, corner + right, corner + right + down, corner + down]),))


@dataclass(frozen=True, slots=True, eq=False)
class CocoRuns:
    """Runs of COCO down the columns, as text or as numbers, and the height and width that they say."""

    counts: NDArray[np.uint8] | NDArray[np.int64]
    size: tuple[int, int]

    @classmethod
    def of(cls, given: dict[str, Any]) -> CocoRuns:
        """``{"counts": text or list, "size": [height, width]}``.

        Raises
        ------
        ValueError
            It is damaged.
        """
        counts, size = given.get("counts"), given.get("size")
        if not (isinstance(size, list) and len(size) == 2 and all(type(one) is int and one > 0 for one in size)):
            raise ValueError("the size of an RLE is no pair of height and width")
        if isinstance(counts, str):
            made: Any = np.frombuffer(counts.encode("utf-8", "replace"), np.uint8)
        elif isinstance(counts, list) and all(type(one) is int and abs(one) < 2**62 for one in counts):
            made = np.array(counts, np.int64)
        else:
            raise ValueError("the counts of an RLE are neither text nor a list of whole numbers")
        return cls(made, (size[0], size[1]))

    def paint(self, code: int, ground: int, out_map: LabelMap) -> int:
        """As in ``Outline``."""
        from consensus.kernels import rle_loops

        if self.size != out_map.shape:
            height, width = out_map.shape
            raise ValueError(
                f"an RLE is {self.size[1]:,} x {self.size[0]:,} pixels, and the picture {width:,} x {height:,}"
            )
        paint = rle_loops.paint_coco_text if self.counts.dtype == np.uint8 else rle_loops.paint_coco_runs
        return _painted(paint, self.counts, code, ground, out_map)


@dataclass(frozen=True, slots=True, eq=False)
class Brush:
    """Runs of Label Studio, as the bytes of its list."""

    data: bytes

    @classmethod
    def of(cls, given: Any) -> Brush:
        """A list of numbers from 0 to 255.

        Raises
        ------
        ValueError
            It is damaged.
        """
        if not isinstance(given, list):
            raise ValueError("the RLE of a brush is no list")
        try:
            return cls(bytes(given))
        except (TypeError, ValueError):
            raise ValueError("the RLE of a brush holds what is no number from 0 to 255") from None

    def paint(self, code: int, ground: int, out_map: LabelMap) -> int:
        """As in ``Outline``."""
        from consensus.kernels.rle_loops import paint_label_studio

        return _painted(paint_label_studio, np.frombuffer(self.data, np.uint8), code, ground, out_map)


def _painted(paint: Callable[..., int], data: NDArray[Any], code: int, ground: int, out_map: LabelMap) -> int:
    """What a loop of ``rle_loops`` returns.

    Raises
    ------
    ValueError
        It is a fault.
    """
    from consensus.kernels import rle_loops

    n_over = int(paint(data, code, ground, out_map))
    if n_over >= 0:
        return n_over
    height, width = out_map.shape
    raise ValueError(
        {
            rle_loops.BREAKS_OFF: "an RLE breaks off",
            rle_loops.NO_DIGIT: "an RLE holds what is no number",
            rle_loops.NEGATIVE: "an RLE holds a run below 0",
            rle_loops.TOO_LONG: f"an RLE covers more than the {width:,} x {height:,} pixels of the picture",
            rle_loops.TOO_SHORT: f"an RLE covers less than the {width:,} x {height:,} pixels of the picture",
            rle_loops.OTHER_COUNT: f"an RLE is not of {width:,} x {height:,} pixels, as the picture",
            rle_loops.OTHER_WORDS: "an RLE is not of words of 8 bits",
        }[n_over]
    )


def numbers(given: Sequence[Any], what: str) -> list[float]:
    """Numbers of pixels or percent.

    Raises
    ------
    ValueError
        One is none, or far from every picture.
    """
    if not all(type(one) in {int, float} and -FAR < one < FAR for one in given):
        raise ValueError(f"{what} holds what is no number, or one beyond {FAR:,}")
    return [float(one) for one in given]
