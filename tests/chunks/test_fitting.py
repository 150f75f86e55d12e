"""Patterns of pictures, and the one fit over all of them."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from consensus import chunks
from consensus.chunks import clicks, counting, cutting, fitting, words
from consensus.config import ChunksConfig
from consensus.errors import JudgmentError
from consensus.inputs.judgments import Judgments
from consensus.models import base
from tests.chunks.drawn_pictures import LABELS, crowd, mask_set, picture

NOBODY = [[-1, -1, -1, -1]]


def test_a_look_at_a_picture() -> None:
    one = picture(
        "a",
        {"ann": [[0, 0, 1, -1]], "bob": [[0, 1, 1, -1]]},
        models={"net": np.array([[0, 0, 2, -1]])},
        probabilities={"soft": np.array([[[0.9, 0.1, 0], [0.9, 0.1, 0], [0.2, 0.3, 0.5], [np.nan] * 3]], np.float32)},
        gold=[[-1, -1, 1, -1]],
    )
    found, pixels = counting.look(one, 3)
    assert [(column.kind, column.name) for column in found.columns] == [
        ("human", "ann"),
        ("human", "bob"),
        ("model", "net"),
        ("probabilities", "soft"),
        ("gold", ""),
    ]
    assert found.votes.tolist() == [[0, 0, 0, 0, -1], [0, 1, 0, 0, -1], [1, 1, 2, 2, 1], [-1] * 5]
    assert found.area.tolist() == [1, 1, 1, 1]
    assert found.n_pixels == 4
    assert found.gold.tolist() == [-1, -1, 1, -1]
    np.testing.assert_allclose(found.means[3][:3], [[0.9, 0.1, 0], [0.9, 0.1, 0], [0.2, 0.3, 0.5]], rtol=1e-6)
    assert pixels.ids.tolist() == [[0, 1, 2, 3]]
    assert cutting.is_open(found).tolist() == [False, True, False, False]


def test_pixels_of_one_bin_of_a_model_are_one_pattern() -> None:
    p = np.array([[[0.61, 0.39], [0.79, 0.21], [0.85, 0.15], [0.3, 0.7]]], np.float32)
    found, pixels = counting.look(picture("a", {"ann": [[0, 0, 0, 0]]}, probabilities={"net": p}), 2)
    assert pixels.ids.tolist() == [[0, 0, 1, 2]]
    assert found.votes[:, 1].tolist() == [0, 0, 1]
    np.testing.assert_allclose(found.means[1][0], [0.7, 0.3], rtol=1e-6)


def test_the_digest_tells_who_says_what_where() -> None:
    same = [counting.look(picture("a", {"ann": [[0, 1]], "bob": [[0, 0]]}), 2)[0].digest for _ in range(2)]
    assert same[0] == same[1]
    for other in ({"ann": [[1, 0]], "bob": [[0, 0]]}, {"ann": [[0, 1]], "eve": [[0, 0]]}):
        assert counting.look(picture("a", other), 2)[0].digest != same[0]


def of_pixels(pictures: list[np.ndarray]) -> Judgments:
    """Every pixel as an item of its own, weight 1, of votes (W, H, W') each."""
    votes = np.concatenate([one.reshape(len(one), -1).T for one in pictures])
    pixel, worker = np.nonzero(votes >= 0)
    start = np.concatenate([[0], np.cumsum((votes >= 0).sum(axis=1))])
    cluster = np.concatenate([np.full(one[0].size, n, np.int32) for n, one in enumerate(pictures)])
    ids = pa.array([f"{n:07d}" for n in range(len(votes))])
    names = [f"w{n}" for n in range(votes.shape[1])]
    return Judgments(
        pixel.astype(np.int32),
        worker.astype(np.int32),
        votes[pixel, worker].astype(np.int32),
        start,
        ids,
        pa.array(names),
        LABELS,
        weight=np.ones(len(votes)),
        cluster=cluster,
        cluster_ids=pa.array([str(n) for n in range(len(pictures))]),
    )


def test_patterns_lose_nothing() -> None:
    rng = np.random.default_rng(0)
    pictures = []
    for _ in range(3):
        true = rng.integers(0, 3, (12, 15))
        wrong = rng.random((6, 12, 15)) < 0.2
        pictures.append(np.where(wrong, rng.integers(-1, 3, (6, 12, 15)), true).astype(np.int16))
    named = [picture(f"p{n}", {f"w{w}": one[w] for w in range(6)}) for n, one in enumerate(pictures)]
    looks = [counting.look(one, 3) for one in named]
    settings: dict[str, Any] = {"rho": 0.3, "calibration": "none", "tolerance": 1e-13, "max_iterations": 3000}
    by_pixel = base.fit(of_pixels(pictures), model="dawid_skene", labels=LABELS, **settings)
    pooled = fitting._pooled([one for one, _ in looks])
    by_pattern = base.fit(fitting._judgments(pooled, LABELS), model="dawid_skene", labels=LABELS, **settings)
    spread = np.concatenate(
        [by_pattern.posterior[item][pixels.ids.ravel()] for item, (_, pixels) in zip(pooled.item, looks, strict=True)]
    )
    judged = np.concatenate([(one >= 0).any(axis=0).ravel() for one in pictures])
    assert np.abs(spread - by_pixel.posterior)[judged].max() <= 1e-9
    assert by_pattern.units is not None
    assert by_pixel.units is not None
    assert by_pattern.units.n_eff == pytest.approx(by_pixel.units.n_eff, rel=1e-6)


def test_gold_pixels_are_known_and_teach() -> None:
    drawn = crowd(3, 3, seed=3, scale=0.5)
    first = drawn.masks.pictures[0]
    true = drawn.truths[first.name]
    half = np.where(np.arange(true.shape[1]) < 50, true, np.int16(-1))
    votes = {one.worker: one.read(*true.shape) for one in first.masks}
    with_gold = mask_set([picture(first.name, votes, gold=half), *drawn.masks.pictures[1:]])
    run = chunks.run(with_gold)
    painted = run.painted(0)
    labels, confidences = painted.pixels
    assert (labels[half >= 0] == half[half >= 0]).all()
    assert (confidences[half >= 0] == 255).all()
    assert not painted.is_open[painted.counted.gold[painted.partition.pattern] >= 0].any()
    right = (votes["w0"][half >= 0] == half[half >= 0]).mean() if "w0" in votes else None
    told = run.workers.set_index("worker")["gold_accuracy"]
    assert set(told.dropna().index) == set(votes)
    assert right is None or told["w0"] == pytest.approx(right)


def test_models_vote() -> None:
    rng = np.random.default_rng(5)
    pictures = []
    for n in range(6):
        true = np.zeros((16, 20), np.int16)
        true[4:12, 3 + n : 12 + n] = 1
        votes = {f"w{w}": np.where(rng.random(true.shape) < 0.1, 1 - true, true) for w in range(3)}
        p = np.stack([np.where(true == k, 0.9, 0.1) for k in range(2)], axis=-1).astype(np.float32)
        soft = {"soft": p} if n % 2 else {}
        pictures.append(picture(f"p{n}", votes, models={"net": true}, probabilities=soft))
    run = chunks.run(mask_set(pictures, LABELS[:2]))
    assert run.result.models is not None
    assert run.result.models.votes.models == ("net", "soft")
    kinds = run.workers.set_index("worker")["kind"]
    assert kinds[["net", "soft", "w0"]].tolist() == ["model", "model", "human"]
    assert run.workers.set_index("worker")["n_images"][["net", "soft"]].tolist() == [6, 3]


def test_pixels_that_nobody_judged_have_no_label() -> None:
    run = chunks.run(mask_set([picture("a", {"ann": [[0, 1, -1, -1]], "bob": [[0, 1, -1, 1]]})]))
    painted = run.painted("a")
    labels, confidences = painted.pixels
    assert labels[0, 2] == 255
    assert confidences[0, 2] == 0
    assert labels[0, :2].tolist() == [0, 1]
    np.testing.assert_allclose(painted.row_posterior[2], run.result.prior_shares)


def test_masks_in_which_nothing_is_judged() -> None:
    nobody = picture("a", {"ann": NOBODY})
    with pytest.raises(JudgmentError, match='^nobody judged a pixel of "a": all in the masks .* see whether void= is'):
        chunks.run(mask_set([nobody]))
    with pytest.raises(JudgmentError, match='^nobody judged a pixel of "a" and of 1 other picture: .* to merge'):
        chunks.run(mask_set([nobody, picture("b", {"ann": NOBODY})]))
    ring = np.zeros((30, 30), int)
    ring[5:25, 5:25] = 1
    shown = picture("b", {"ann": ring, "bob": np.roll(ring, 2, axis=1)})
    run = chunks.run(mask_set([nobody, shown], LABELS[:2]))
    first = words.cautions(run)[0]
    assert first.code == "odd_masks"
    assert first.message.startswith('nobody judged a pixel of "a": all in the masks means not judged')
    assert np.isnan(run.images["foreground_iou_after_clicks"][0])  # as of what is painted: it is no 0
    assert run.images["foreground_iou_after_clicks"][1] > run.images["expected_foreground_iou"][1]


def test_more_classes_than_a_byte_holds() -> None:
    labels = [f"c{n:03d}" for n in range(300)]
    run = chunks.run(mask_set([picture("a", {"ann": [[0, 299]], "bob": [[0, 299]]})], labels))
    painted, _ = run.painted(0).pixels
    assert painted.dtype == np.uint16
    assert painted.tolist() == [[0, 299]]


def test_rows_without_clicks_are_the_patterns() -> None:
    found, _ = counting.look(picture("a", {"ann": [[0, 1, 1]]}), 2)
    rows = clicks.rows(found)
    assert rows.area.tolist() == [1, 2]
    assert rows.chunks is None
    config = ChunksConfig()
    assert fitting.fitted([found], ("a", "b"), config).of(0).shape == (2, 2)
