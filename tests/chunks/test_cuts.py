"""Cuts of pictures: made, stored and read."""

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from consensus import chunks
from consensus.chunks import cuts, image_files
from consensus.errors import ConfigError, FormatError, OutputError
from tests.chunks.drawn_pictures import picture


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    image = np.full((40, 60, 3), 200, np.uint8)
    image[10:30, 15:45] = 40
    Image.fromarray((image + rng.integers(0, 9, image.shape)).astype(np.uint8)).save(tmp_path / "photo 1.png")
    return tmp_path / "photo 1.png"


@pytest.mark.parametrize("method", cuts.METHODS)
def test_made_cuts_follow_what_is_seen(method: cuts.Method, photo: Path, tmp_path: Path) -> None:
    (written,) = chunks.make(photo, tmp_path / "cuts", method=method, size=100)
    ids = image_files.read_cut(written, 40, 60)
    assert 1 < len(np.unique(ids)) < 200
    dark = np.zeros((40, 60), np.bool_)
    dark[10:30, 15:45] = True
    mixed = [one for one in np.unique(ids) if 0.1 < dark[ids == one].mean() < 0.9]
    assert len(mixed) <= 3
    one = picture("photo 1.png", {"ann": np.zeros((40, 60), int)})
    found = cuts.Cuts.of(tmp_path / "cuts").cut(one)
    assert found is not None
    assert (found == ids).all()
    assert cuts.Cuts.of(str(tmp_path / "cuts")).cut(picture("other", {"ann": [[0]]})) is None
    assert cuts.Cuts.of(None).cut(one) is None
    in_a_folder = cuts.Cuts.of(tmp_path / "cuts").cut(picture("photos/photo 1.png", {"ann": np.zeros((40, 60), int)}))
    assert in_a_folder is not None
    assert (in_a_folder == ids).all()


def test_cuts_are_written_over_nothing(photo: Path, tmp_path: Path) -> None:
    photo = photo.rename(tmp_path / "photo.png")
    before = photo.read_bytes()
    with pytest.raises(OutputError, match="photo.png: stands there already, and may be no cut; choose another folder"):
        chunks.make(photo, photo.parent)
    assert photo.read_bytes() == before


def test_pictures_of_one_name_in_two_folders(photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").write_bytes(photo.read_bytes())
    written = chunks.make(["a/1.png", "b/1.png"], "cuts", size=400)
    assert [one.name for one in written] == ["a_1.png", "b_1.png"]
    assert cuts.Cuts.of("cuts").cut(picture("b/1.png", {"ann": np.zeros((40, 60), int)})) is not None


@pytest.mark.parametrize("n", [5, 70_000])
def test_cuts_are_stored_without_loss(n: int, tmp_path: Path) -> None:
    ids = np.arange(300 * 250).reshape(300, 250) % n
    image_files.write_cut(ids, tmp_path / "cut.png")
    assert (image_files.read_cut(tmp_path / "cut.png", 300, 250) == ids).all()


def test_cuts_that_can_not_be_stored_or_read(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="a cut has at most 16,777,216 pieces, and this one 16,777,217"):
        image_files.write_cut(np.array([[1 << 24]]), tmp_path / "cut.png")
    Image.fromarray(np.zeros((3, 4), np.uint8)).save(tmp_path / "cut.png")
    with pytest.raises(FormatError, match="the cut is 4 x 3 pixels, and the picture 3 x 4; make it anew"):
        image_files.read_cut(tmp_path / "cut.png", 4, 3)
    Image.fromarray(np.zeros((3, 4), np.uint8)).convert("CMYK").save(tmp_path / "cut.tif")
    with pytest.raises(FormatError, match="the cut has the mode CMYK; expected grey, a palette, or RGB"):
        image_files.read_cut(tmp_path / "cut.tif", 3, 4)
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(FormatError, match="can't be read as a cut"):
        image_files.read_cut(tmp_path / "text.png", 3, 4)
    with pytest.raises(FormatError, match="can't be read as a picture"):
        chunks.make(tmp_path / "text.png", tmp_path / "cuts")
    one = picture("a", {"ann": [[0, 0]]})
    for given in (np.zeros((2, 1), int), np.zeros((1, 2)), np.full((1, 2), -1)):
        with pytest.raises(FormatError, match='the cut of "a" has the shape'):
            cuts.Cuts.of({"a": given}).cut(one)
    with pytest.raises(FormatError, match="cuts: a int; give a folder, or arrays by the name of the picture"):
        cuts.Cuts.of(3)


def test_settings_of_cuts(photo: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="method = 'magic': expected one of slic, felzenszwalb"):
        chunks.make(photo, tmp_path, method="magic")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="size = 1: expected 2 to 1,000,000 pixels"):
        chunks.make(photo, tmp_path, size=1)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="can't be written"):
        chunks.make([photo], tmp_path / "file")


@pytest.mark.parametrize(
    ("library", "said"), [("PIL", "pictures need Pillow"), ("skimage", "superpixels need scikit-")]
)
def test_libraries_that_are_missing(library: str, said: str, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = builtins.__import__

    def missing(name: str, *rest: Any, **named: Any) -> Any:
        if name.partition(".")[0] == library:
            raise ImportError(name)
        return there(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ConfigError, match=f"{said}.*install crowd-consensus.image."):
        chunks.make(photo, photo.parent / "cuts")
