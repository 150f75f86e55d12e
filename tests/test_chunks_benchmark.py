"""The pictures, annotators and scores that the benchmark of chunks stands on."""

import sys

import numpy as np
import pytest

from tests.conftest import ROOT

sys.path.append(str(ROOT / "tests" / "benchmarks"))  # these are scripts: they import each other from their own folder
from tests.benchmarks import chunks_crowd, chunks_pictures
from tests.benchmarks.chunks import LEAST_SHARE, Crowd
from tests.benchmarks.chunks_pictures import LABELS, Picture
from tests.benchmarks.chunks_scores import scores

PICTURE = Picture("coffee", "R", chunks_pictures.by_hand("coffee"))


def test_truths_drawn_by_hand_are_small_and_hold_all_labels() -> None:
    assert PICTURE.truth.shape == (213, 320)
    assert set(np.unique(PICTURE.truth)) == set(range(len(LABELS)))


def test_small_parts_become_what_lies_nearest() -> None:
    codes = np.zeros((20, 20), np.int8)
    codes[:, 10:] = 2
    codes[3, 15] = codes[3, 2] = 1
    tidy = chunks_pictures.tidied(codes, least=5)
    assert tidy[3, 15] == 2
    assert tidy[3, 2] == 0


@pytest.mark.parametrize("binary", [False, True])
def test_annotators_are_the_same_again_by_seed_and_differ_in_skill(binary: bool) -> None:
    (first,), (again,), (other,) = (chunks_crowd.masks([PICTURE], seed, binary=binary) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert set(np.unique(first)) <= set(range(2 if binary else len(LABELS)))
    truth = np.minimum(PICTURE.truth, 1) if binary else PICTURE.truth
    right = dict(zip([one.name for one in chunks_crowd.ANNOTATORS], (first == truth).mean(axis=(1, 2)), strict=True))
    assert right["good_1"] > max(right["boxes"], right["quitter"], right["nothing"])
    painted = dict(zip(right, (first > 0).mean(axis=(1, 2)), strict=True))
    assert painted["eroding"] < painted["good_1"] < painted["dilating_2"]


def test_pictures_are_shared_out_evenly() -> None:
    given = chunks_crowd.assigned(16, 3, seed=0)
    assert (given.sum(axis=1) == 3).all()
    assert given.sum(axis=0).max() - given.sum(axis=0).min() <= 1


def test_scores_of_pixels_with_a_known_truth() -> None:
    truth = np.array([[0, 0, 1, -1]], np.int8)
    sure = np.eye(2)[np.array([[0, 1, 1, 0]])]
    found = scores([sure], [truth])
    assert found.foreground == 0.5
    assert found.mean == (0.5 + 0.5) / 2
    assert found.accuracy == pytest.approx(2 / 3)
    assert found.log_loss == pytest.approx(-np.log(1e-6) / 3)
    assert found.ece == pytest.approx(1 / 3)
    assert scores([np.eye(2)[np.array([[0, 0, 1, 0]])]], [truth]).ece == 0


def test_who_knows_all_confusions_beats_the_majority() -> None:
    """The same posteriors as from the counts of one picture, by hand."""
    crowd = Crowd([PICTURE], 3, seed=0, binary=True)
    (found,), (masks,), (truth,) = crowd.by_true_confusions(), crowd.masks, crowd.truths
    assert scores([found], [truth]).accuracy >= scores(crowd.shares(), [truth]).accuracy
    np.testing.assert_allclose(found.sum(axis=2), 1.0)
    y, x = np.argwhere((masks[0] != masks[1]) & (truth >= 0))[0]
    odds = (truth == 1).mean() / (truth == 0).mean()
    for mask in masks:
        said = mask == mask[y, x]
        of_1, of_0 = (((said & (truth == k)).mean() + LEAST_SHARE) / (truth == k).mean() for k in (1, 0))
        odds *= of_1 / of_0
    assert found[y, x, 1] / found[y, x, 0] == pytest.approx(odds, rel=0.02)
