"""Runs of pixels, against slow and obvious decoders."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from consensus.kernels import rle_loops
from tests.masks import writers
from tests.strategies import examples

some = examples(60)


@st.composite
def masks(draw: st.DrawFn) -> NDArray[np.uint8]:
    """Masks of up to 9 x 7 pixels."""
    height, width = draw(st.integers(1, 9)), draw(st.integers(1, 7))
    flat = draw(st.lists(st.integers(0, 1), min_size=height * width, max_size=height * width))
    return np.array(flat, np.uint8).reshape(height, width)


def naive_label_studio(data: list[int]) -> list[int]:
    """All values of a brush, as the description says it."""
    bits = "".join(f"{one:08b}" for one in data)
    at = 0

    def number(n: int) -> int:
        nonlocal at
        at += n
        return int(bits[at - n : at], 2)

    count, word = number(32), number(5) + 1
    lengths = [number(4) + 1 for _ in range(4)]
    values: list[int] = []
    while len(values) < count:
        repeated, length = number(1), lengths[number(2)]
        n = number(length) + 1
        values += [number(word)] * n if repeated else [number(word) for _ in range(n)]
    return values


def bytes_of(text: str | list[int]) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode() if isinstance(text, str) else bytes(text), np.uint8)


@some
@given(masks(), st.booleans(), st.lists(st.integers(1, 16), min_size=4, max_size=4))
def test_round_trips(mask: NDArray[np.uint8], literal: bool, lengths: list[int]) -> None:
    rle = writers.label_studio_rle(mask, sorted(lengths), literal=literal)
    assert np.array_equal(np.array(naive_label_studio(rle)).reshape(*mask.shape, 4)[..., 3], mask * 255)
    runs = writers.column_runs(mask)
    for paint, data in (
        (rle_loops.paint_label_studio, bytes_of(rle)),
        (rle_loops.paint_coco_text, bytes_of(writers.coco_text(runs))),
        (rle_loops.paint_coco_runs, np.array(runs, np.int64)),
    ):
        found = np.full(mask.shape, 4, np.int16)
        assert paint(data, 6, 4, found) == 0
        assert np.array_equal(found, np.where(mask, 6, 4))
        assert paint(data, 6, 4, found) == 0  # it lies on itself
        assert paint(data, 5, 4, found) == mask.sum()  # it lies on another label


def test_only_alpha_counts() -> None:
    """Any alpha above 0 is painted, whatever the colours."""
    values = [9, 9, 9, 0, 0, 0, 0, 1, 1, 2, 3, 4, 255, 255, 255, 0]
    bits = f"{16:032b}{7:05b}{'0010' * 4}" + "".join(
        f"000{7:03b}" + "".join(f"{one:08b}" for one in values[n : n + 8]) for n in (0, 8)
    )
    bits += "0" * (-len(bits) % 8)
    data = [int(bits[n : n + 8], 2) for n in range(0, len(bits), 8)]
    assert naive_label_studio(data) == values
    found = np.zeros((2, 2), np.int16)
    assert rle_loops.paint_label_studio(bytes_of(data), 1, 0, found) == 0
    assert found.tolist() == [[0, 1], [1, 0]]


def test_runs_that_cross_pixels() -> None:
    """A repeated word may begin and end within a pixel: painted is what holds its alpha."""
    pieces = [(1, 3, 0), (1, 6, 255), (1, 7, 0)]  # alphas at 3, 7, 11, 15: 255, 255, 0, 0
    bits = f"{16:032b}{7:05b}{'0010' * 4}" + "".join(f"{kind}00{n - 1:03b}{value:08b}" for kind, n, value in pieces)
    bits += "0" * (-len(bits) % 8)
    found = np.zeros((1, 4), np.int16)
    data = [int(bits[n : n + 8], 2) for n in range(0, len(bits), 8)]
    assert rle_loops.paint_label_studio(bytes_of(data), 1, 0, found) == 0
    assert found.tolist() == [[1, 1, 0, 0]]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("5", rle_loops.TOO_SHORT),
        ("6", 0),
        ("7", rle_loops.TOO_LONG),
        ("", rle_loops.TOO_SHORT),
        ("R", rle_loops.BREAKS_OFF),
        ("!", rle_loops.NO_DIGIT),
        ("\x7f", rle_loops.NO_DIGIT),
        ("O", rle_loops.NEGATIVE),
        ("PPPPPPPPPPPPPP0", rle_loops.NO_DIGIT),
        ("121M", rle_loops.NEGATIVE),  # 1, 2, 1, and 2 - 3
    ],
)
def test_faults_of_coco_text(text: str, fault: int) -> None:
    assert rle_loops.paint_coco_text(bytes_of(text), 1, 0, np.zeros((2, 3), np.int16)) == fault


@pytest.mark.parametrize(
    ("runs", "fault"),
    [([1, 5], 0), ([], -5), ([2, 3], -5), ([2, 5], -4), ([0, -1, 7], -3), ([2, 2**61, 2**61], -4)],
)
def test_faults_of_coco_runs(runs: list[int], fault: int) -> None:
    assert rle_loops.paint_coco_runs(np.array(runs, np.int64), 1, 0, np.zeros((2, 3), np.int16)) == fault


def test_faults_of_label_studio() -> None:
    mask = writers.lopsided()[:5, :9]
    rle = writers.label_studio_rle(mask)
    for n in range(len(rle)):
        found = np.zeros(mask.shape, np.int16)
        assert rle_loops.paint_label_studio(bytes_of(rle[:n]), 1, 0, found) == rle_loops.BREAKS_OFF
    literal = writers.label_studio_rle(mask, literal=True)[:-3]
    assert rle_loops.paint_label_studio(bytes_of(literal), 1, 0, np.zeros(mask.shape, np.int16)) == rle_loops.BREAKS_OFF
    other = np.zeros((5, 8), np.int16)
    assert rle_loops.paint_label_studio(bytes_of(rle), 1, 0, other) == rle_loops.OTHER_COUNT
    wide = [*rle[:4], rle[4] | 0b10000000, *rle[5:]]
    found = np.zeros(mask.shape, np.int16)
    assert rle_loops.paint_label_studio(bytes_of(wide), 1, 0, found) == rle_loops.OTHER_WORDS
    long = writers.label_studio_rle(np.zeros((5, 9), np.uint8), (1, 1, 1, 16))
    assert long[8:10] != [255, 255]
    bits = "".join(f"{one:08b}" for one in long)
    bits = bits[:56] + "1" * 16 + bits[72:]  # the length of the only run
    data = [int(bits[n : n + 8], 2) for n in range(0, len(bits), 8)]
    assert rle_loops.paint_label_studio(bytes_of(data), 1, 0, found) == rle_loops.TOO_LONG
