"""Loops that fill outlines onto a label map, by one rule: a pixel is inside if its centre is.

Pixel (y, x) covers x to x + 1 and y to y + 1; a centre on an edge belongs to what lies right of it, or below. Each loop
sets the pixels inside to ``code`` in ``out_map`` (H, W) int16, and returns how many of them had another code before
than that or ``ground``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.kernels import Reals

    Flags = NDArray[np.uint8]
    LabelMap = NDArray[np.int16]


@kernel()
def _first_centre(edge: float, n: int) -> int:
    """The first of ``n`` pixels whose centre is not before an ``edge``; ``n`` if there is none."""
    return int(min(max(np.ceil(edge - 0.5), 0.0), float(n)))


@kernel()
def paint_ring(points: Reals, code: int, ground: int, out_map: LabelMap, out_crossed: Flags) -> int:
    """Fill a ring of ``points`` (n, 2), x and y, which is closed by itself, by the rule of even and odd.

    ``out_crossed`` (H, W + 1) is zero before and after.
    """
    height, width = out_map.shape
    n_points = points.shape[0]
    for n in range(n_points):
        x0, y0 = points[n, 0], points[n, 1]
        x1, y1 = points[(n + 1) % n_points, 0], points[(n + 1) % n_points, 1]
        if y0 > y1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        for y in range(_first_centre(y0, height), _first_centre(y1, height)):
            across = x0 + (y + 0.5 - y0) / (y1 - y0) * (x1 - x0)
            across = min(max(across, min(x0, x1)), max(x0, x1))  # rounding may leave the edge
            out_crossed[y, _first_centre(across, width)] ^= 1
    n_over = 0
    top = _first_centre(points[:, 1].min(), height)
    bottom = _first_centre(points[:, 1].max(), height)
    left = _first_centre(points[:, 0].min(), width)
    right = _first_centre(points[:, 0].max(), width)
    for y in range(top, bottom):
        inside = 0
        for x in range(left, right + 1):
            inside ^= out_crossed[y, x]
            out_crossed[y, x] = 0
            if inside and x < width:
                before = out_map[y, x]
                n_over += before != ground and before != code
                out_map[y, x] = code
    return n_over


@kernel()
def paint_ellipse(ellipse: Reals, code: int, ground: int, out_map: LabelMap) -> int:
    """Fill an ``ellipse`` (6,): x and y of its centre, two radii, cosine and sine of the turn of the first radius from
    the right to below.
    """  # noqa: D205
    height, width = out_map.shape
    middle_x, middle_y, radius_x, radius_y, cosine, sine = ellipse
    n_over = 0
    if radius_x <= 0.0 or radius_y <= 0.0:
        return n_over
    reach = max(radius_x, radius_y)
    for y in range(_first_centre(middle_y - reach, height), _first_centre(middle_y + reach, height)):
        for x in range(_first_centre(middle_x - reach, width), _first_centre(middle_x + reach, width)):
            right, down = x + 0.5 - middle_x, y + 0.5 - middle_y
            along, across = (right * cosine + down * sine) / radius_x, (down * cosine - right * sine) / radius_y
            if along * along + across * across < 1.0:
                before = out_map[y, x]
                n_over += before != ground and before != code
                out_map[y, x] = code
    return n_over
