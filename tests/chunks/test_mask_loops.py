"""Loops over pixels against their naive twins, compiled (or not, with NUMBA_DISABLE_JIT=1)."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from consensus.chunks import patterns
from consensus.kernels import mask_loops
from tests import naive_masks
from tests.strategies import examples

SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 7))


@st.composite
def masks(draw: st.DrawFn, most: int = 3) -> list[np.ndarray]:
    shape = draw(SHAPES)
    n = draw(st.integers(1, most))
    return [draw(arrays.arrays(np.int16, shape, elements=st.integers(-1, 2))) for _ in range(n)]


@examples(60)
@given(masks())
def test_patterns_are_the_votes_of_each_pixel(drawn: list[np.ndarray]) -> None:
    found = patterns.patterns([(one, 3) for one in drawn], *drawn[0].shape)
    assert found.votes[found.ids].tolist() == [[list(one) for one in row] for row in naive_masks.patterns(drawn)]
    told = {tuple(row): area for row, area in zip(found.votes.tolist(), found.area.tolist(), strict=True)}
    assert told == naive_masks.areas(drawn)
    assert found.ids.ravel()[0] == 0


def test_codes_beyond_63_bits_stay_exact() -> None:
    rng = np.random.default_rng(0)
    drawn = [rng.integers(-1, 300, (9, 11)).astype(np.int16) for _ in range(20)]  # 301 ** 20 is 164 bits
    found = patterns.patterns([(one, 300) for one in drawn], 9, 11)
    assert (found.votes[found.ids] == np.stack(drawn, axis=-1)).all()
    assert len(found.area) == 99


def test_room_for_codes_grows() -> None:
    codes = np.arange(3 * patterns.AT_FIRST, dtype=np.int64)[::-1].repeat(2)
    keys, areas, ids = patterns.numbered(codes)
    assert (keys[ids] == codes).all()
    assert set(areas.tolist()) == {2}


def test_places_of_codes_run_on_at_the_first() -> None:
    size = 2 * patterns.AT_FIRST + 1
    keys, _, ids = patterns.numbered(
        np.array([size - 1, 2 * size - 1, 3 * size - 1, 0], np.int64)
    )  # one place for three
    assert ids.tolist() == [0, 1, 2, 3]
    assert keys.tolist() == [size - 1, 2 * size - 1, 3 * size - 1, 0]


@examples(60)
@given(masks(1))
def test_regions_are_flooded_areas(drawn: list[np.ndarray]) -> None:
    ids = drawn[0].astype(np.int32)
    found = patterns.regions(ids)
    assert (found.region == naive_masks.regions(ids)).all()
    for one in range(len(found.area)):
        y, x = np.nonzero(found.region == one)
        assert found.area[one] == len(y)
        assert found.first[one] == y[0] * ids.shape[1] + x[0]
        assert found.box[one].tolist() == [x.min(), y.min(), x.max() + 1, y.max() + 1]


@pytest.mark.parametrize("seed", range(4))
def test_regions_are_those_of_scikit_image(seed: int) -> None:
    measure = pytest.importorskip("skimage.measure")
    rng = np.random.default_rng(seed)
    ids = (rng.random((40, 60)) < 0.55).astype(np.int32) + 2 * (rng.random((40, 60)) < 0.2)
    expected = measure.label(ids, background=-1, connectivity=1) - 1
    assert (patterns.regions(ids.astype(np.int32)).region == expected).all()


@examples(60)
@given(masks(1), st.data())
def test_borders_of_regions(drawn: list[np.ndarray], data: st.DataObject) -> None:
    found = patterns.regions(drawn[0].astype(np.int32))
    n = len(found.area)
    chosen = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), np.bool_)
    pairs = np.empty((4 * int(found.area[chosen].sum()), 2), np.int32)
    n_pairs = mask_loops.borders(found.region, chosen, pairs)
    expected = {pair: n for pair, n in naive_masks.sides(found.region).items() if chosen[pair[0]]}
    assert Counter(map(tuple, pairs[:n_pairs].tolist())) == expected


def test_paint() -> None:
    region = np.array([1, 0, 2, 1], np.int32)
    label, confidence = np.zeros((2, 4), np.uint8)
    mask_loops.paint(region, np.array([5, 6, 7], np.uint8), np.array([50, 60, 70], np.uint8), label, confidence)
    assert label.tolist() == [6, 5, 7, 6]
    assert confidence.tolist() == [60, 50, 70, 60]


def test_probabilities_in_bins() -> None:
    p = np.array([[0.2, 0.8], [0.5, 0.5], [0.05, 0.95], [np.nan, np.nan]], np.float32)
    votes = np.empty(4, np.int16)
    mask_loops.in_bins(p, np.array([0.7, 0.9]), votes)
    assert votes.tolist() == [1 * 3 + 1, 0, 1 * 3 + 2, -1]
    sums = np.zeros((2, 2))
    mask_loops.add_up(np.array([0, 1, 0], np.int32), p[:3], sums)
    np.testing.assert_allclose(sums, [[0.25, 1.75], [0.5, 0.5]], rtol=1e-6)


@examples(60)
@given(masks(1), st.data())
def test_parts_of_two_maps(drawn: list[np.ndarray], data: st.DataObject) -> None:
    reference = drawn[0]
    votes = data.draw(arrays.arrays(np.int16, reference.shape, elements=st.integers(-1, 2)))
    of_reference, of_votes = (patterns.regions(one.astype(np.int32)) for one in (reference, votes))
    found, by = np.zeros((len(of_reference.area), 3), np.int64), np.zeros((len(of_votes.area), 2), np.int64)
    mask_loops.compare(reference, votes, of_reference.region, of_votes.region, found, by)
    same = reference == votes
    sides = naive_masks.sides(of_reference.region)
    for one, row in enumerate(found.tolist()):
        here = of_reference.region == one
        assert row == [here.sum(), (here & same).sum(), sum(n for pair, n in sides.items() if pair[0] == one)]
    for one, row in enumerate(by.tolist()):
        here = of_votes.region == one
        assert row == [here.sum(), (here & same).sum()]
