"""Label maps held against a truth."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from consensus import chunks
from consensus.chunks import evaluating
from consensus.errors import ConfigError, JudgmentError
from tests.chunks.drawn_pictures import LABELS, mask_set, picture


def truth(name: str, content: object, labels: tuple[str, ...] = LABELS[:2]) -> object:
    return mask_set([picture(name, {"truth": content})], labels)


def run_over(masks: dict[str, object], labels: tuple[str, ...] = LABELS[:2]) -> chunks.ChunkRun:
    return chunks.run(mask_set([picture("a", masks)], labels))


def test_scores_of_a_picture() -> None:
    said = np.zeros((8, 10), int)
    said[2:6, 2:6] = 1
    true = np.zeros((8, 10), int)
    true[2:6, 3:7] = 1
    true[0] = -1  # void
    run = run_over({"ann": said, "bob": said, "cid": said})
    found = chunks.evaluate(run, truth("a", true), boundary=1)
    assert found.pooled["n_pixels"] == 70
    assert found.pooled["accuracy"] == pytest.approx(62 / 70)
    iou = np.array([50 / 58, 12 / 20])
    assert found.pooled["mean_iou"] == pytest.approx(iou.mean())
    assert found.pooled["foreground_iou"] == pytest.approx(12 / 20)
    assert found.pooled["dice"] == pytest.approx((2 * iou / (1 + iou)).mean())
    assert found.pooled["boundary_f"] == pytest.approx(1.0)  # off by one pixel
    assert chunks.evaluate(run, truth("a", true), boundary=0).pooled["boundary_f"] < 0.8
    painted = run.painted(0)
    z = painted.posterior[painted.chunk_of_pixel]
    known = true >= 0
    expected = -np.log(np.take_along_axis(z, np.maximum(true, 0)[..., None], 2)[..., 0][known]).mean()
    assert found.pooled["log_loss"] == pytest.approx(expected)
    confidence = z.max(axis=2)[known]
    assert found.pooled["ece"] == pytest.approx(abs(confidence.mean() - 62 / 70), abs=1e-9)  # all in one bin
    assert found.images["image"].tolist() == ["a"]
    assert found.means["accuracy"] == pytest.approx(62 / 70)
    assert found.classes["n_pixels"].tolist() == [54, 16]
    np.testing.assert_allclose(found.classes["iou"], iou)


def test_pixels_without_a_label_are_wrong_and_classes_that_are_nowhere_do_not_count() -> None:
    run = run_over({"ann": [[0, 0, -1, -1]], "bob": [[0, 0, -1, -1]]}, LABELS)
    found = chunks.evaluate(run, truth("a", [[0, 0, 0, -1]], LABELS))
    assert found.pooled["accuracy"] == pytest.approx(2 / 3)
    assert found.pooled["mean_iou"] == pytest.approx(2 / 3)
    assert found.pooled["foreground_iou"] is None
    assert np.isnan(found.classes["iou"][1])
    assert found.pooled["boundary_f"] is None or 0 <= found.pooled["boundary_f"] <= 1


def test_nothing_known_and_no_background() -> None:
    run = chunks.run(mask_set([picture("a", {"ann": [[0, 1]], "bob": [[0, 1]]})], ("cat", "dog")), background="cat")
    found = chunks.evaluate(run, truth("a", [[-1, -1]], ("cat", "dog")))
    assert found.pooled["accuracy"] is None
    assert found.pooled["mean_iou"] is None
    no_ground = evaluating.sums(run.painted(0), np.array([[0, 1]], np.int16), -1, 2)
    assert no_ground.scores["foreground_iou"] is None


def test_outlines() -> None:
    inside = np.zeros((5, 6), np.bool_)
    inside[1:4, 1:5] = True
    found = evaluating.outline(inside)
    assert found.sum() == 10
    assert not found[2, 2:4].any()
    assert not evaluating.outline(np.ones((3, 3), np.bool_)).any()


def test_truths_that_do_not_fit() -> None:
    run = run_over({"ann": [[0, 1]], "bob": [[0, 1]]})
    with pytest.raises(JudgmentError, match='the truth is of no picture of the run, which are called like "a"'):
        chunks.evaluate(run, truth("b", [[0, 1]]))
    with pytest.raises(JudgmentError, match="the truth has other classes than the run"):
        chunks.evaluate(run, truth("a", [[0, 1]], LABELS))
    twice = mask_set([picture("a", {"one": [[0, 1]], "two": [[0, 1]]})], LABELS[:2])
    with pytest.raises(JudgmentError, match='the truth of "a" is given 2 times; keep one mask'):
        chunks.evaluate(run, twice)
    with pytest.raises(ConfigError, match="boundary = -1: expected 0 to 1,000 pixels"):
        chunks.evaluate(run, twice, boundary=-1)


@pytest.mark.parametrize("worker", ["gold", "somebody"])
def test_a_folder_is_held_against_files(worker: str, tmp_path: Path) -> None:
    mask = np.zeros((6, 8), np.uint8)
    mask[2:4, 2:6] = 1
    Image.fromarray(mask).save(tmp_path / "m.png")
    (tmp_path / "masks.csv").write_text("image,worker,mask\na,ann,m.png\na,bob,m.png\n")
    run = chunks.run(tmp_path / "masks.csv")
    chunks.save(run, tmp_path / "out")
    (tmp_path / "truth.csv").write_text(f"image,worker,mask\na,{worker},m.png\nz,{worker},m.png\n")
    found = chunks.evaluate(tmp_path / "out", tmp_path / "truth.csv")
    assert found.pooled["accuracy"] == found.pooled["mean_iou"] == found.pooled["boundary_f"] == 1.0
    assert len(found.images) == 1


def test_the_foreground_must_have_the_right_class() -> None:
    said = np.array([[0, 0, 1, 1, 2]])
    run = run_over({"ann": said, "bob": said, "cid": said}, LABELS)
    assert chunks.evaluate(run, truth("a", [[0, 1, 1, 2, 2]], LABELS)).pooled["foreground_iou"] == pytest.approx(2 / 4)
