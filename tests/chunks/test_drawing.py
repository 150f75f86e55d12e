"""What people look at, pixel by pixel."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from consensus.chunks import drawing
from consensus.masks.classes import Classes

LABELS = np.zeros((12, 12), np.int16)
LABELS[3:9, 3:9] = 1
COLOURS = np.array([(20, 20, 20), (86, 180, 233), (230, 159, 0)], np.uint8)


def read(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


class TestColours:
    def test_few_classes_get_colours_that_all_can_tell_apart(self) -> None:
        found = drawing.shown_colours(Classes.of_values([0, 1, 2], ["ground", "a", "b"]))
        assert found.tolist() == [[20, 20, 20], [86, 180, 233], [230, 159, 0]]

    def test_the_background_may_be_all(self) -> None:
        assert drawing.shown_colours(Classes.of_values([0], ["0"])).tolist() == [[20, 20, 20]]

    def test_red_is_left_to_what_is_disputed(self) -> None:
        assert all(red - max(green, blue) < 80 for red, green, blue in drawing.SETTLED_COLOURS)

    def test_colours_that_were_given_stay(self) -> None:
        own = np.array([(0, 0, 0), (9, 8, 7)], np.uint8)
        classes = Classes(np.array([0, 1]), ("ground", "a"), own, has_colours=True)
        assert drawing.shown_colours(classes) is own

    def test_many_classes_keep_those_that_were_made(self) -> None:
        classes = Classes.of_values(range(8), [f"c{n}" for n in range(8)])
        assert drawing.shown_colours(classes) is classes.colours
        assert len(drawing.shown_colours(Classes.of_values(range(7), [f"c{n}" for n in range(7)]))) == 7


class TestOpened:
    @pytest.mark.parametrize("mode", ["L", "P", "RGB", "RGBA"])
    def test_any_mode_becomes_colours(self, tmp_path: Path, mode: str) -> None:
        Image.new("RGB", (5, 3), (200, 100, 50)).convert(mode).save(tmp_path / "p.png")
        found = drawing.opened(tmp_path / "p.png", 3, 5)
        assert found is not None
        assert found.shape == (3, 5, 3)

    def test_grey_of_two_bytes_is_spread(self, tmp_path: Path) -> None:
        Image.fromarray(np.array([[1000, 1100], [1200, 1200]], np.uint16)).save(tmp_path / "p.png")
        found = drawing.opened(tmp_path / "p.png", 2, 2)
        assert found is not None
        assert found[..., 0].tolist() == [[0, 128], [255, 255]]

    def test_without_a_picture_there_is_none(self, tmp_path: Path) -> None:
        assert drawing.opened(None, 2, 2) is None
        assert drawing.opened(tmp_path / "none.png", 2, 2) is None
        (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
        assert drawing.opened(tmp_path / "bad.png", 2, 2) is None
        Image.new("RGB", (5, 3)).save(tmp_path / "other.png")
        assert drawing.opened(tmp_path / "other.png", 5, 3) is None
        assert drawing.blank(2, 3).tolist() == [[[232] * 3] * 3] * 2


class TestScaled:
    def test_small_ones_are_enlarged_by_whole_numbers(self) -> None:
        found = drawing.scaled(np.arange(6).reshape(2, 3), 7, 100)
        assert found.shape == (6, 9)
        assert found[0].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]

    def test_large_labels_are_thinned_and_large_pictures_averaged(self) -> None:
        labels = np.arange(16).reshape(4, 4)
        assert drawing.scaled(labels, 1, 2).tolist() == [[0, 2], [8, 10]]
        picture = np.zeros((3, 4, 3), np.uint8)
        picture[0, 0] = 200
        found = drawing.scaled(picture, 1, 2)
        assert found.shape == (2, 2, 3)
        assert found[0, 0].tolist() == [50, 50, 50]

    def test_others_stay(self) -> None:
        assert drawing.scaled(LABELS, 4, 12).tolist() == LABELS.tolist()


class TestOutlines:
    def test_a_line_inside_and_a_dark_one_around(self) -> None:
        found = drawing.outlines(LABELS, 0, COLOURS, 1)
        assert found[3, 3].tolist() == [86, 180, 233, 255]
        assert found[4, 4].tolist() == [0, 0, 0, 0]
        assert found[2, 5].tolist() == [20, 20, 20, 255]
        assert found[1, 5].tolist() == [20, 20, 20, 255]
        assert found[0, 5].tolist() == [0, 0, 0, 0]
        assert (found[..., :3] == COLOURS[1]).all(axis=2).sum() == 20  # the border of 6 x 6

    def test_a_thicker_line_grows_inside_its_class_alone(self) -> None:
        labels = LABELS.copy()
        labels[3:9, 6:9] = 2
        found = drawing.outlines(labels, 0, COLOURS, 2)
        assert found[4, 4].tolist() == [86, 180, 233, 255]
        for row in range(3, 9):
            assert {tuple(one) for one in found[row, 3:6, :3].tolist()} <= {(86, 180, 233), (0, 0, 0)}
            assert {tuple(one) for one in found[row, 6:9, :3].tolist()} <= {(230, 159, 0), (0, 0, 0)}

    def test_nothing_is_drawn_where_nobody_says_anything(self) -> None:
        labels = LABELS.astype(np.uint8)
        labels[labels == 1] = 255
        assert set(np.unique(drawing.outlines(labels, 0, COLOURS)[..., :3])) <= {0, 20}

    def test_without_a_background_every_class_has_an_outline(self) -> None:
        found = drawing.outlines(LABELS, -1, COLOURS, 1)
        assert found[2, 5].tolist() == [20, 20, 20, 255]
        assert found[3, 5].tolist() == [86, 180, 233, 255]


class TestLayers:
    def test_disputed_parts_have_stripes(self) -> None:
        disputed = np.ones((24, 24), np.bool_)
        disputed[0] = False
        found = drawing.hatched(disputed)
        assert (found[0] == 0).all()
        seen = {tuple(one) for one in found[1:].reshape(-1, 4).tolist()}
        assert seen == {(213, 0, 50, 230), (255, 255, 255, 200), (213, 0, 50, 56)}
        bright = found[5, :, :3].astype(float) @ [0.2126, 0.7152, 0.0722]
        assert bright.max() - bright.min() > 150  # seen without colours

    def test_unsure_pixels_are_brighter(self) -> None:
        found = drawing.unsure(np.array([[255, 250, 200, 160, 128, 0]], np.uint8)).astype(float).sum(axis=2)
        assert (np.diff(found[0]) >= 0).all()
        assert found[0, 0] < found[0, 2] < found[0, 3] < found[0, 4] == found[0, 5]

    def test_over_and_stacked(self) -> None:
        picture = np.full((1, 3, 3), 100, np.uint8)
        layer = np.array([[[200, 0, 100, 255], [200, 0, 100, 51], [9, 9, 9, 0]]], np.uint8)
        assert drawing.over(picture, layer).tolist() == [[[200, 0, 100], [120, 80, 100], [100, 100, 100]]]
        upper = np.array([[[0, 0, 0, 0], [1, 2, 3, 4], [0, 0, 0, 0]]], np.uint8)
        assert drawing.stacked(layer, upper).tolist() == [[[200, 0, 100, 255], [1, 2, 3, 4], [9, 9, 9, 0]]]

    def test_layers_are_mixed_pixel_by_pixel(self) -> None:
        rng = np.random.default_rng(1)
        picture, *layers = (rng.integers(0, 256, (7, 9, n), np.uint8) for n in (3, 4, 4))
        for layer in layers:
            layer[rng.random((7, 9)) < 0.5, 3] = 0
        before = picture.copy()
        expected = picture.astype(np.float32)
        for layer in layers:
            expected += layer[..., 3:] / np.float32(255) * (layer[..., :3] - expected)
        np.testing.assert_array_equal(drawing.over(picture, *layers), np.rint(expected).astype(np.uint8))
        np.testing.assert_array_equal(picture, before)

    def test_the_overlay_shows_picture_outlines_and_disputes(self) -> None:
        picture = np.full((12, 12, 3), 128, np.uint8)
        disputed = np.zeros((12, 12), np.bool_)
        disputed[10:] = True
        found = drawing.overlay(picture, LABELS, disputed, 0, COLOURS)
        assert found.shape == (408, 408, 3)
        seen = {tuple(one) for one in found.reshape(-1, 3).tolist()}
        assert {(128, 128, 128), (86, 180, 233), (20, 20, 20)} <= seen
        assert any(red > 190 and blue < 80 for red, _, blue in seen)


class TestCrops:
    def test_the_margin_is_a_fifth_of_the_longer_side_and_stays_inside(self) -> None:
        assert drawing.margined((100, 100, 200, 150), 400, 400) == (80, 80, 220, 170)
        assert drawing.margined((3, 4, 10, 11), 400, 400) == (0, 0, 18, 19)
        assert drawing.margined((390, 390, 400, 400), 400, 400) == (382, 382, 400, 400)

    def test_the_chunk_is_left_as_it_is_and_has_a_line_around_it(self) -> None:
        region = np.zeros((60, 60), np.int32)
        region[20:40, 20:40] = 7
        picture = np.full((60, 60, 3), 90, np.uint8)
        found = drawing.crop(picture, region, 7, (20, 20, 40, 40))
        assert found.shape == (252, 252, 3)  # 36 pixels, 7 for each
        assert (found[8 * 7 : 28 * 7, 8 * 7 : 28 * 7] == 90).all()
        assert found[8 * 7 - 1, 100].tolist() == [213, 0, 50]
        assert found[8 * 7 - 4, 100].tolist() == [255, 255, 255]
        assert found[0, 0].tolist() == [90, 90, 90]
        assert (picture == 90).all()  # what was lent is as it was


class TestFiles:
    def test_few_colours_make_a_palette(self) -> None:
        layer = drawing.outlines(LABELS, 0, COLOURS)
        content = drawing.encoded(layer)
        found = read(content)
        assert found.mode == "P"
        assert len(content) < 300
        shown = np.asarray(found.convert("RGBA"))
        covered = layer[..., 3] > 0
        assert (shown[covered] == layer[covered]).all()
        assert (shown[~covered, 3] == 0).all()

    def test_pictures_without_holes_have_none(self) -> None:
        found = read(drawing.encoded(np.full((4, 5, 3), 7, np.uint8)))
        assert "transparency" not in found.info
        assert np.asarray(found.convert("RGB")).tolist() == [[[7] * 3] * 5] * 4

    def test_many_colours_stay_as_they_are(self) -> None:
        picture = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
        assert np.asarray(read(drawing.encoded(picture))).tolist() == picture.tolist()

    def test_photographs_are_jpeg(self) -> None:
        found = read(drawing.photographed(np.full((8, 9, 3), 77, np.uint8)))
        assert (found.format, found.size) == ("JPEG", (9, 8))
