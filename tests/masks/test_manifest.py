"""Manifests: pictures, people, models, gold, regions; and what can't be read."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from PIL import Image

from consensus.errors import ConfigError, ConsensusError, FormatError
from consensus.masks.mask_set import MaskSet
from consensus.masks.reading import read_masks
from tests.conftest import ROOT
from tests.masks import writers

Write = Callable[[str, str | bytes], Path]
MASK = writers.lopsided()
CLASSES = {0: "background", 1: "cat", 2: "dog"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a picture and masks of it."""
    Image.fromarray(np.zeros((*MASK.shape, 3), np.uint8)).save(tmp_path / "pic.jpg")
    (tmp_path / "masks").mkdir()
    Image.fromarray(MASK).save(tmp_path / "masks" / "a.png")
    np.save(tmp_path / "masks" / "b.npy", MASK)
    return tmp_path


def read(folder: Path, rows: str, header: str = "image,worker,mask", **more: Any) -> MaskSet:
    path = folder / "manifest.csv"
    path.write_text(f"{header}\n{rows}")
    return read_masks(path, **{"classes": CLASSES, **more})


def first(found: MaskSet) -> Any:
    picture = found.pictures[0]
    return picture.masks[0].read(picture.height, picture.width)


def test_pictures_and_people(folder: Path) -> None:
    rows = "pic.jpg,bob,masks/a.png,9,2026-01-02\npic.jpg,ann,masks/b.npy,,\nother,ann,masks/a.png,x,\n"
    found = read(folder, rows, "Image,Annotator,mask_path,duration,timestamp")
    other, picture = found.pictures
    assert (picture.name, picture.height, picture.width) == ("pic.jpg", *MASK.shape)
    assert picture.path == folder / "pic.jpg"
    assert (other.path, other.height) == (None, MASK.shape[0])
    assert [(one.worker, one.kind, one.duration, one.timestamp) for one in picture.masks] == [
        ("ann", "human", None, None),
        ("bob", "human", 9.0, "2026-01-02"),
    ]
    assert other.masks[0].duration is None
    assert picture.masks[1].place == f"{folder}/manifest.csv:2"
    assert found.workers == ("ann", "bob")
    assert found.sources[0].file == f"{folder}/manifest.csv"
    assert found.notes == (
        "1 picture not found, or of an unknown kind, such as other: the size is that of the masks, or what the source "
        "says",
    )
    assert np.array_equal(first(found), MASK)


def test_columns_are_found_or_named(folder: Path) -> None:
    found = read(folder, "pic.jpg,bob,masks/a.png\n", "a,b,c", columns={"image": "a", "worker": "b", "mask": "c"})
    assert found.workers == ("bob",)
    with pytest.raises(FormatError, match=r'manifest.csv: no column "d" for the mask; the columns are: a, b, c; corr'):
        read(folder, "1,2,3\n", "a,b,c", columns={"mask": "d"})
    with pytest.raises(ConfigError, match='columns=: no column is called "painter"; expected one of image, worker'):
        read(folder, "1,2,3\n", columns={"painter": "d"})
    with pytest.raises(FormatError, match="no column holds the mask"):
        read(folder, "pic.jpg,bob,1\n", "image,worker,number")


def test_a_table_of_python_and_a_file_a_worker(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    table = {"image": ["pic.jpg"], "worker": ["ann"], "mask": ["masks/a.png"]}
    assert np.array_equal(first(read_masks(table, classes=CLASSES)), MASK)
    for name in ("ann.lee", "bob"):
        (folder / f"{name}.csv").write_text("image,mask\npic.jpg,masks/a.png\n")
    paths = [folder / "ann.lee.csv", folder / "bob.csv"]
    assert read_masks(paths, classes=CLASSES, worker_from_file=True).workers == ("ann.lee", "bob")
    with pytest.raises(FormatError, match="no column holds the worker"):
        read_masks(paths, classes=CLASSES)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("", "manifest.csv: .*a header but no rows"),
        ("pic.jpg,,masks/a.png\n", "manifest.csv:2: the worker is missing; correct the manifest"),
        ("pic.jpg,bob,\n", "manifest.csv:2: the mask is missing: .*; correct the manifest"),
        (
            "pic.jpg,bob,masks/a.png\npic.jpg,bob,masks/b.npy\n",
            'manifest.csv:3: "bob" painted "pic.jpg" here and in .*manifest.csv:2; keep one mask of each on a picture',
        ),
        (
            "pic.jpg,bob,masks/none.png\n",
            "manifest.csv:2: .*none.png: there is no such file; correct the path of the mask",
        ),
        ("pic.jpg,bob,masks\n", "manifest.csv:2: .*masks: Is a directory; correct the path of the mask"),
        ("pic.jpg,bob,pic.jpg\n", "pic.jpg is a JPEG; JPEG changes the values of pixels, so it can't hold a mask; exp"),
    ],
)
def test_rows_that_can_not_be_read(rows: str, message: str, folder: Path) -> None:
    with pytest.raises(FormatError, match=message):
        read(folder, rows)


def test_sizes(folder: Path) -> None:
    rows = "pic.jpg,bob,masks/c.png\n"
    Image.fromarray(MASK[:20]).save(folder / "masks" / "c.png")
    with pytest.raises(
        FormatError, match=r"c.png is 41 x 20 pixels, and the picture 41 x 23; a mask needs the size of"
    ):
        read(folder, rows)
    np.save(folder / "masks" / "c.npy", MASK.T)
    with pytest.raises(
        FormatError, match=r"c.npy is 23 x 41 .* its picture; its sides are those of the picture swapped"
    ):
        read(folder, "pic.jpg,bob,masks/c.npy\n")
    found = read(folder, "pic.jpg,bob,masks/a.png\n")
    Image.fromarray(MASK.T.copy()).save(folder / "masks" / "a.png")  # after it was looked at
    with pytest.raises(FormatError, match="a.png is 23 x 41 pixels"):
        first(found)
    found = read(folder, "pic.jpg,bob,masks/b.npy\n")
    np.save(folder / "masks" / "b.npy", MASK.T)
    with pytest.raises(FormatError, match="b.npy is 23 x 41 pixels"):
        first(found)


def test_a_picture_that_exif_rotates(folder: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (41, 23)).save(folder / "pic.jpg", exif=exif)
    (caution,) = read(folder, "pic.jpg,bob,masks/a.png\n").cautions
    assert caution == "pic.jpg is rotated by its EXIF: it counts as it is stored, 41 x 23 pixels"
    np.save(folder / "masks" / "c.npy", MASK.T)
    with pytest.raises(FormatError, match="swapped, which its EXIF rotates: store the picture upright"):
        read(folder, "pic.jpg,bob,masks/c.npy\n")


def test_a_picture_of_unknown_kind_and_a_damaged_one(folder: Path) -> None:
    (folder / "scan.dcm").write_bytes(b"nothing that Pillow knows")
    assert read(folder, "scan.dcm,bob,masks/a.png\n").pictures[0].path is None
    whole = io.BytesIO()
    Image.new("RGB", (41, 23)).save(whole, "JPEG")
    (folder / "pic.jpg").write_bytes(whole.getvalue()[:30])
    with pytest.raises(FormatError, match=r"manifest.csv:2: .*pic.jpg is damaged: .*; export it again"):
        read(folder, "pic.jpg,bob,masks/a.png\n")


def test_regions(folder: Path) -> None:
    judged = np.zeros(MASK.shape, np.uint8)
    judged[3:5, 6:30] = 255
    Image.fromarray(judged).save(folder / "seen.png")
    Image.fromarray(np.repeat(judged[..., None], 3, 2)).save(folder / "seen_rgb.png")
    header = "image,worker,mask,region"
    found = [first(read(folder, f"pic.jpg,bob,masks/a.png,{one}\n", header)) for one in ("seen.png", "seen_rgb.png")]
    found.append(first(read(folder, 'pic.jpg,bob,masks/a.png,"6, 3, 30, 5"\n', header)))
    for one in found:
        assert np.array_equal(one, np.where(judged, MASK, np.int16(-1)))
    assert np.array_equal(first(read(folder, "pic.jpg,bob,masks/a.png,\n", header)), MASK)
    for box in ("0,0,42,5", "5,5,5,9", "-1,0,4,4", "0,9,4,3"):
        with pytest.raises(FormatError, match=f"manifest.csv:2: the region {box} is no part of a picture of 41 x 23"):
            first(read(folder, f'pic.jpg,bob,masks/a.png,"{box}"\n', header))


def test_values_that_are_no_class(folder: Path) -> None:
    held = "holds the value 2, which is no class, in 129 of 943 pixels, first at x = 40, y = 0; add it to the classes$"
    for file in ("a.png", "b.npy"):
        with pytest.raises(FormatError, match=f"{file} {held}"):
            first(read(folder, f"pic.jpg,bob,masks/{file}\n", classes={0: "background", 1: "cat"}))
    values = MASK.astype(np.int32)
    values[5, 6] = 255
    np.save(folder / "masks" / "c.npy", values)
    with pytest.raises(
        FormatError, match=r"the value 255, .* in 1 of 943 .*, or name it with void= if it means not judged"
    ):
        first(read(folder, "pic.jpg,bob,masks/c.npy\n"))


def test_void_and_negative_values(folder: Path) -> None:
    values = MASK.astype(np.int16)
    values[5, 6] = 255
    values[5, 7] = -1
    expected = np.where(values == 255, -1, values)
    np.save(folder / "masks" / "c.npy", values)
    np.save(folder / "masks" / "d.npy", np.where(values < 0, 255, values).astype(np.uint8))
    for file in ("c.npy", "d.npy"):
        for classes in (CLASSES, None):
            rows = f"pic.jpg,bob,masks/{file}\n"
            assert np.array_equal(first(read(folder, rows, void=255, classes=classes)), expected)
    values[5, 7] = -5
    np.save(folder / "masks" / "c.npy", values)
    with pytest.raises(FormatError, match="holds the value -5, which is no class"):
        first(read(folder, "pic.jpg,bob,masks/c.npy\n", void=255, classes=None))


def test_classes_that_are_found(folder: Path) -> None:
    found = read(folder, "pic.jpg,bob,masks/a.png\n", classes=None)
    assert found.classes.labels == ("0", "1", "2")
    assert found.notes == ("classes are the values found in the masks: 0, 1, 2",)
    values = MASK.copy()
    values[5, 6] = 255
    Image.fromarray(values).save(folder / "masks" / "c.png")
    found = read(folder, "pic.jpg,bob,masks/c.png\n", classes=None)
    assert found.cautions == ("the value 255 counts as a class; name it with void= if it means not judged",)
    assert first(found)[5, 6] == 3
    np.save(folder / "masks" / "c.npy", np.arange(MASK.size).reshape(MASK.shape))
    with pytest.raises(FormatError, match="943 different values in the masks, more than 256 classes; name them with"):
        read(folder, "pic.jpg,bob,masks/c.npy\n", classes=None)
    np.save(folder / "masks" / "c.npy", np.full(MASK.shape, 9))
    with pytest.raises(FormatError, match="the masks hold no value besides that of void=; name the classes with class"):
        read(folder, "pic.jpg,bob,masks/c.npy\n", classes=None, void=9)


def palettes(folder: Path, *colours: list[int]) -> str:
    """Masks of mode P with palettes, a worker each."""
    for n, one in enumerate(colours):
        image = Image.fromarray(MASK)
        image.putpalette(one)
        image.save(folder / f"p{n}.png")
    return "".join(f"pic.jpg,w{n},p{n}.png\n" for n in range(len(colours)))


BLACK, RED, GREEN = [0, 0, 0], [255, 0, 0], [0, 255, 0]
BY_COLOUR = {"colour": ["#000000", "#00ff00", "#ff0000"], "label": ["background", "cat", "dog"]}


def test_palettes_by_colour(folder: Path) -> None:
    rows = palettes(folder, [*BLACK, *GREEN, *RED], [*BLACK, *RED, *GREEN])
    (picture,) = read(folder, rows, classes=BY_COLOUR).pictures
    alike, swapped = (mask.read(*MASK.shape) for mask in picture.masks)
    assert np.array_equal(alike, MASK)
    assert np.array_equal(swapped, np.array([0, 2, 1])[MASK])
    with pytest.raises(
        FormatError,
        match=r"the palettes of the masks differ, so index 1 means nothing: it is #00ff00 in .*p0.png and #ff0000 in "
        r".*p1.png; give classes with the colour of each \(#rrggbb\)",
    ):
        first(read(folder, rows))
    with pytest.raises(FormatError, match="holds the colour #0000ff, which is no class, in 129 of 943 pixels"):
        first(read(folder, palettes(folder, [*BLACK, *GREEN, 0, 0, 255]), classes=BY_COLOUR))


def test_palettes_without_a_meaning(folder: Path) -> None:
    """Grey palettes that are alike: the indexes count; and a void index that has no class's colour."""
    both = {**BY_COLOUR, "value": [0, 1, 2]}
    rows = palettes(folder, [0, 0, 0, 1, 1, 1, 2, 2, 2], [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3])
    assert np.array_equal(first(read(folder, rows, classes=both)), MASK)
    found = read(folder, palettes(folder, [*BLACK, *GREEN, 9, 9, 9]), classes=BY_COLOUR, void=2)
    assert np.array_equal(first(found), np.where(MASK == 2, np.int16(-1), MASK))
    found = read(folder, palettes(folder, [*BLACK, *GREEN, *RED]), classes=None)
    assert found.classes.colours.tolist() == [BLACK, GREEN, RED]
    rows = palettes(folder, [*BLACK, *GREEN, *RED], [*BLACK, *GREEN, 9, 9, 9])
    found = read(folder, rows, void=2)  # the palettes differ where nothing was judged
    assert (first(found) == -1).sum() == (MASK == 2).sum()
    assert read(folder, rows, classes=None, void=3).classes.colours.tolist()[0] == BLACK


def test_an_index_behind_the_palette(folder: Path) -> None:
    rows = palettes(folder, [*BLACK, *GREEN, *RED])
    held = (folder / "p0.png").read_bytes()
    at = held.index(b"PLTE")
    assert held[at - 4 : at] == (9).to_bytes(4)
    short = (6).to_bytes(4) + held[at : at + 10]
    damaged = held[: at - 4] + short + crc32(short[4:]).to_bytes(4) + held[at + 17 :]
    (folder / "p0.png").write_bytes(damaged)
    with pytest.raises(FormatError, match="holds the colour of index 2, which the palette lacks, which is no class"):
        first(read(folder, rows, classes=BY_COLOUR))
    assert np.array_equal(first(read(folder, rows)), MASK)


def test_colours(folder: Path) -> None:
    table = np.array([BLACK, GREEN, RED], np.uint8)
    Image.fromarray(table[MASK]).save(folder / "c.png")
    rows = "pic.jpg,bob,c.png\n"
    with pytest.raises(FormatError, match=r"c.png holds colours, and the classes have none; give classes with the"):
        first(read(folder, rows))
    with pytest.raises(
        FormatError, match=r"c.png holds colours; say with classes= which colour \(#rrggbb\) means what"
    ):
        read(folder, rows, classes=None)
    with pytest.raises(
        FormatError, match="the colour #ff0000, which is no class, in 129 of 943 pixels, first at x = 40"
    ):
        first(read(folder, rows, classes={"#000000": "background", "#00ff00": "cat"}))
    with pytest.raises(FormatError, match="a.png holds numbers, and the classes have colours only; give the value of"):
        first(read(folder, "pic.jpg,bob,masks/a.png\n", classes=BY_COLOUR))
    clear = np.dstack([table[MASK], np.full(MASK.shape, 255, np.uint8)])
    clear[0, 0, 3] = 9
    Image.fromarray(clear).save(folder / "c.png")
    with pytest.raises(FormatError, match="c.png is partly transparent; export it as PNG without transparency"):
        first(read(folder, rows, classes=BY_COLOUR))


def test_gold(folder: Path) -> None:
    rows = "pic.jpg,bob,masks/a.png\npic.jpg,Gold,masks/b.npy\n"
    (picture,) = read(folder, rows).pictures
    assert picture.gold is not None
    assert (picture.gold.kind, picture.gold.worker) == ("gold", "Gold")
    (folder / "gold.csv").write_text("image,mask\nelsewhere/pic.jpg,masks/b.npy\nnone.jpg,masks/b.npy\n")
    found = read(folder, "pic.jpg,bob,masks/a.png\n", gold=folder / "gold.csv")
    (picture,) = found.pictures
    assert picture.gold is not None
    assert np.array_equal(picture.gold.read(*MASK.shape), MASK)
    assert found.workers == ("bob",)
    assert found.met() == {}
    assert found.cautions == ("1 mask of gold left out: nobody painted 1 picture of that name, such as none.jpg",)
    with pytest.raises(FormatError, match='manifest.csv:3: "gold" painted "pic.jpg" here and in .*gold.csv:2'):
        read(folder, rows.replace("Gold", "gold"), gold=folder / "gold.csv")
    with pytest.raises(FormatError, match='manifest.csv:3: "gold" painted "pic.jpg" here and in .*manifest.csv:2'):
        read(folder, "pic.jpg,Gold,masks/a.png\npic.jpg,gold,masks/b.npy\npic.jpg,bob,masks/a.png\n")
    alone = read(folder, "pic.jpg,gold,masks/a.png\n"), read_masks(None, gold=folder / "gold.csv")
    for one, names in zip(alone, (["pic.jpg"], ["elsewhere/pic.jpg", "none.jpg"]), strict=True):
        assert one.workers == ()
        assert [picture.name for picture in one.pictures] == names
        assert all(picture.gold is not None and picture.masks == () for picture in one.pictures)
    with pytest.raises(FormatError, match="source: None can't be read"):
        read_masks(None)
    with pytest.raises(FormatError, match="gold: 3 can't be read"):
        read(folder, rows, gold=3)


def test_gold_that_may_be_of_two_pictures_is_refused(folder: Path) -> None:
    rows = "one/pic.jpg,bob,masks/a.png\ntwo/pic.jpg,bob,masks/b.npy\n"
    (folder / "gold.csv").write_text("image,mask\npic.jpg,masks/b.npy\n")
    expected = 'gold.csv:2: "pic.jpg" may be "one/pic.jpg" or "two/pic.jpg"; call the picture as it is called there'
    with pytest.raises(FormatError, match=expected):
        read(folder, rows, gold=folder / "gold.csv")
    (folder / "gold.csv").write_text("image,mask\ntwo/pic.jpg,masks/b.npy\n")
    one, two = read(folder, rows, gold=folder / "gold.csv").pictures
    assert one.gold is None
    assert two.gold is not None


def test_a_folder_of_pictures_that_is_not_there(folder: Path) -> None:
    with pytest.raises(FormatError, match="no/where: there is no such folder of pictures; correct images="):
        read(folder, "pic.jpg,bob,masks/a.png\n", images=folder / "no" / "where")


def test_what_is_void_is_no_class(folder: Path) -> None:
    found = read(folder, "pic.jpg,bob,masks/a.png\n", classes={0: "sky", 9: "cat"}, void=9)
    assert 'the class "cat" has the value of void=, so that nobody judged its pixels' in found.notes
    assert read(folder, "pic.jpg,bob,masks/a.png\n", classes=CLASSES, void=77).notes == ()


def test_files_that_were_read(folder: Path) -> None:
    np.save(folder / "net.npy", np.full((*MASK.shape, 3), 1 / 3))
    (folder / "models.csv").write_text("image,model,mask\npic.jpg,net,net.npy\n")
    rows = 'pic.jpg,bob,masks/a.png,"0,0,2,2"\npic.jpg,ann,masks/a.png,masks/b.npy\npic.jpg,gold,masks/b.npy,\n'
    write = "image,worker,mask,region\n" + rows
    (folder / "regions.csv").write_text(write)
    found = read_masks(folder / "regions.csv", classes=CLASSES, models=folder / "models.csv")
    names = sorted(path.name for path in found.files())
    pictures = [] if found.pictures[0].path is None else ["pic.jpg"]
    assert names == sorted(["a.png", "a.png", "b.npy", "b.npy", "net.npy", *pictures])


def test_a_pipe_is_no_mask_and_a_long_name_no_picture(folder: Path) -> None:
    os.mkfifo(folder / "pipe.png")
    with pytest.raises(FormatError, match="manifest.csv:2: .*pipe.png is a pipe or a device; correct the path"):
        read(folder, "pic.jpg,bob,pipe.png\n")
    long = "x" * 5_000
    (picture,) = read(folder, f"{long},bob,masks/a.png\n").pictures
    assert picture.path is None
    with pytest.raises(FormatError, match="manifest.csv:2: .*File name too long; correct the path"):
        read(folder, f"pic.jpg,bob,{long}\n")


def test_models(folder: Path) -> None:
    rng = np.random.default_rng(1)
    given = rng.dirichlet(np.ones(3), MASK.shape)
    np.save(folder / "net.npy", given.astype(np.float16))
    (folder / "models.csv").write_text("image,model,mask\npic.jpg,net,net.npy\npic.jpg,sam,masks/a.png\n")
    for classes in (CLASSES, None):
        found = read(folder, "pic.jpg,bob,masks/a.png\n", models=folder / "models.csv", classes=classes)
        (picture,) = found.pictures
        assert found.models == ("net", "sam")
        assert [(one.worker, one.kind) for one in picture.masks] == [("bob", "human"), ("sam", "model")]
        (one,) = picture.probability_maps
        probabilities = one.read(*MASK.shape)
        assert probabilities.dtype == np.float32
        assert np.abs(probabilities - given).max() < 1e-3
        assert np.abs(probabilities.sum(2) - 1).max() < 1e-6
    with Path(folder / "models.csv").open("a") as file:
        file.write("pic.jpg,net,masks/a.png\n")
    with pytest.raises(FormatError, match='models.csv:4: "net" painted "pic.jpg" here and in .*models.csv:2'):
        read(folder, "pic.jpg,bob,masks/a.png\n", models=folder / "models.csv")
    with pytest.raises(
        FormatError, match=r"net.npy holds float16 of shape \(23, 41, 3\); expected whole numbers.*models"
    ):
        first(read(folder, "pic.jpg,bob,net.npy\n"))


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (
            np.full((23, 41, 2), 0.5),
            r"holds float64 of shape \(23, 41, 2\); expected probabilities \(float\) of height",
        ),
        (
            np.full((23, 41, 3), 0.5),
            r"is no probability of 3 classes in 943 pixels from x = 0, y = 0 on: 0.5, 0.5, 0.5;",
        ),
        (np.full((23, 41, 3), [1.5, -0.5, 0]), r"is no probability of 3 classes in 943 pixels"),
        (np.full((23, 41, 3), np.nan), r"is no probability of 3 classes in 943 pixels"),
        (np.full((9, 41, 3), 1 / 3), r"is 41 x 9 pixels, and the picture 41 x 23"),
    ],
)
def test_what_is_no_map_of_probabilities(made: Any, message: str, folder: Path) -> None:
    np.save(folder / "net.npy", made)
    (folder / "models.csv").write_text("image,model,mask\npic.jpg,net,net.npy\n")

    def look() -> Any:
        found = read(folder, "pic.jpg,bob,masks/a.png\n", models=folder / "models.csv")
        return found.pictures[0].probability_maps[0].read(*MASK.shape)

    with pytest.raises(FormatError, match=f"models.csv:2: .*net.npy {message}"):
        look()


def test_a_map_that_changes_later(folder: Path) -> None:
    np.save(folder / "net.npy", np.full((*MASK.shape, 3), 1 / 3))
    (folder / "models.csv").write_text("image,model,mask\npic.jpg,net,net.npy\n")
    found = read(folder, "pic.jpg,bob,masks/a.png\n", models=folder / "models.csv")
    np.save(folder / "net.npy", np.full((9, 41, 3), 1 / 3))
    with pytest.raises(FormatError, match="net.npy is 41 x 9 pixels"):
        found.pictures[0].probability_maps[0].read(*MASK.shape)


def test_images_in_another_folder(folder: Path) -> None:
    (folder / "elsewhere").mkdir()
    (folder / "pic.jpg").rename(folder / "elsewhere" / "pic.jpg")
    assert read(folder, "pic.jpg,bob,masks/a.png\n").pictures[0].path is None
    found = read(folder, "sets/pic.jpg,bob,masks/a.png\n", images=folder / "elsewhere")
    assert found.pictures[0].path == folder / "elsewhere" / "pic.jpg"
    with pytest.raises(ConfigError, match="images: 3 is no path; name a folder"):
        read(folder, "pic.jpg,bob,masks/a.png\n", images=3)


def test_without_pillow(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ConfigError, match=r"pictures need Pillow: pip install 'crowd-consensus\[image\]'"):
        read(folder, "pic.jpg,bob,masks/a.png\n")


def test_pictures_are_no_part_of_the_core() -> None:
    """Pillow is not loaded before a picture is read."""
    program = (
        "import sys, consensus.masks.reading, consensus.formats.reading, consensus.models.base\n"
        "heavy = {'PIL', 'skimage'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_other_files(folder: Path) -> None:
    for name in ("GIF", "BMP", "TIFF"):
        Image.fromarray(MASK).save(folder / "mask", name)
        with pytest.raises(FormatError, match=f"mask is a {name}; masks are PNG or NPY"):
            read(folder, "pic.jpg,bob,mask\n")
    (folder / "mask").write_bytes(b"0,0,1")
    with pytest.raises(FormatError, match="mask is no PNG; masks are PNG or NPY"):
        read(folder, "pic.jpg,bob,mask\n")
    Image.fromarray(MASK).convert("LA").save(folder / "mask", "PNG")
    with pytest.raises(FormatError, match=r"mask is a PNG of mode LA; expected numbers \(mode P, L, 1 or I;16\) or"):
        first(read(folder, "pic.jpg,bob,mask\n"))
    with pytest.raises(ConsensusError, match="there is no such file|No such file|no such file"):
        read_masks(folder / "none.csv")
