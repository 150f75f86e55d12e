"""Filled outlines, against a look at every pixel's centre."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from consensus.kernels import outline_loops
from tests.strategies import examples

SHAPE = (7, 9)
sizes = st.one_of(st.integers(-3, 12).map(float), st.floats(-3, 12), st.sampled_from([0.5, 3.5, -1e9, 1e9]))
some = examples(100)


def naive(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """A centre is inside if edges cross its row at or left of it an odd number of times."""
    inside = np.zeros(SHAPE, np.bool_)
    for y in range(SHAPE[0]):
        for x in range(SHAPE[1]):
            for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, 0), strict=True):
                (y0, x0), (y1, x1) = sorted([(y0, x0), (y1, x1)])
                if y0 <= y + 0.5 < y1:
                    across = x0 + (y + 0.5 - y0) / (y1 - y0) * (x1 - x0)
                    inside[y, x] ^= np.clip(across, min(x0, x1), max(x0, x1)) <= x + 0.5
    return inside


def ring(points: NDArray[np.float64], out: NDArray[np.int16], code: int = 1) -> int:
    crossed = np.zeros((SHAPE[0], SHAPE[1] + 1), np.uint8)
    n_over = int(outline_loops.paint_ring(points, code, 0, out, crossed))
    assert not crossed.any()
    return n_over


@some
@given(st.lists(st.tuples(sizes, sizes), min_size=1, max_size=7))
def test_a_ring(given_points: list[tuple[float, float]]) -> None:
    points = np.array(given_points, np.float64)
    found = np.zeros(SHAPE, np.int16)
    assert ring(points, found) == 0
    assert np.array_equal(found, naive(points))


def test_a_bow_is_even_and_odd_and_what_is_covered_is_counted() -> None:
    square = np.array([[1, 1], [5, 1], [5, 5], [1, 5]], np.float64)
    twice = np.concatenate([square, square])
    found = np.zeros(SHAPE, np.int16)
    ring(twice, found)
    assert not found.any()
    assert ring(square, found) == 0
    assert found.sum() == 16
    assert ring(square + 2, found, 2) == 4
    assert ring(square + 2, found, 2) == 0


def test_neighbours_share_no_pixel() -> None:
    """Centres on the edge between two belong to one of them."""
    found = np.zeros(SHAPE, np.int16)
    corners = np.array([[0.5, 0.5], [3.5, 0.5], [3.5, 4.5], [0.5, 4.5]])
    n_over = (
        ring(corners, found, 1)
        + ring(corners + np.array([3, 0]), found, 2)
        + ring(corners + np.array([0, 4]), found, 3)
    )
    assert n_over == 0
    assert np.bincount(found.ravel())[1:].tolist() == [12, 12, 9]


@pytest.mark.parametrize("degrees", [0.0, 20.0, 90.0, 200.0])
def test_an_ellipse(degrees: float) -> None:
    x, y, radius_x, radius_y, turn = 4.2, 3.1, 3.7, 1.4, np.deg2rad(degrees)
    down, right = np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5
    at = ((right - x) + 1j * (down - y)) * np.exp(-1j * turn)
    inside = (at.real / radius_x) ** 2 + (at.imag / radius_y) ** 2 < 1
    found = np.zeros(SHAPE, np.int16)
    ellipse = np.array([x, y, radius_x, radius_y, np.cos(turn), np.sin(turn)])
    assert outline_loops.paint_ellipse(ellipse, 1, 0, found) == 0
    assert np.array_equal(found, inside)
    assert outline_loops.paint_ellipse(ellipse, 2, 0, found) == inside.sum()


@pytest.mark.parametrize("radii", [(0.0, 2.0), (2.0, 0.0), (-1.0, 2.0)])
def test_an_ellipse_without_a_radius_has_no_pixel(radii: tuple[float, float]) -> None:
    found = np.zeros(SHAPE, np.int16)
    assert outline_loops.paint_ellipse(np.array([4.0, 3.0, *radii, 1.0, 0.0]), 1, 0, found) == 0
    assert not found.any()
