"""JSON of COCO: who painted what, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from consensus.errors import FormatError
from consensus.masks.mask_set import Entry, MaskSet
from consensus.masks.reading import read_masks
from consensus.masks.shapes import OVERLAP
from tests.masks import writers

SIZE = (4, 6)
BOX = {"category_id": 1, "segmentation": [[1, 1, 3, 1, 3, 3, 1, 3]]}
DOG = {"category_id": 2, "segmentation": [[2, 2, 6, 2, 6, 4, 2, 4]]}


def read(folder: Path, document: Any, name: str = "coco.json", **more: Any) -> MaskSet:
    return read_masks(writers.written(folder, name, document), **more)


def maps(found: MaskSet) -> list[Any]:
    (picture,) = found.pictures
    return [one.read(picture.height, picture.width).tolist() for one in picture.masks]


@pytest.mark.parametrize("key", ["worker", "annotator", "annotator_id", "completed_by"])
@pytest.mark.parametrize("who", ["ann", 5, {"id": 5, "email": "a@b.c"}, {"email": "a@b.c"}])
def test_who_painted(key: str, who: Any, tmp_path: Path) -> None:
    name = {"str": "ann", "int": "5"}.get(type(who).__name__, "5" if isinstance(who, dict) and "id" in who else "annot")
    on_annotations = writers.coco([{**BOX, key: who}, {**DOG, key: who}, {**BOX, key: "bob"}], SIZE)
    found = read(tmp_path, on_annotations)
    assert len(found.workers) == 2
    assert any(one.startswith(name) for one in found.workers)
    assert found.classes.labels == ("background", "cat", "dog")
    assert maps(found)[0] == [[0] * 6, [0, 1, 1, 0, 0, 0], [0, 1, 2, 2, 2, 2], [0, 0, 2, 2, 2, 2]] or name > "b"
    on_images = read(tmp_path, writers.coco([BOX], SIZE, **{key: who}))
    assert on_images.workers[0].startswith(name)


def test_later_annotations_lie_on_top_and_that_is_told(tmp_path: Path) -> None:
    found = read(tmp_path, writers.coco([{**BOX, "worker": "ann"}, {**DOG, "worker": "ann"}], SIZE))
    maps(found)
    assert found.met() == {OVERLAP: 1}
    maps(found)
    assert found.met() == {OVERLAP: 1}


def test_an_image_without_annotations(tmp_path: Path) -> None:
    """It is a mask where it is known who saw it."""
    empty = writers.coco([], SIZE, worker="ann")
    assert maps(read(tmp_path, empty)) == [[[0] * 6] * 4]
    nobody = writers.coco([], SIZE)
    assert maps(read(tmp_path, nobody, "bob.json", worker_from_file=True)) == [[[0] * 6] * 4]
    with pytest.raises(FormatError, match="no mask in the source; a manifest needs a row a mask"):
        read(tmp_path, nobody)


def test_a_file_a_worker_and_their_pictures(tmp_path: Path) -> None:
    Image.new("RGB", (6, 4)).save(tmp_path / "pic.png")
    paths = [writers.written(tmp_path, f"{who}.json", writers.coco([BOX], SIZE)) for who in ("ann", "bob")]
    found = read_masks(paths, worker_from_file=True)
    assert found.workers == ("ann", "bob")
    assert found.pictures[0].path == tmp_path / "pic.png"
    assert [one.file for one in found.sources] == [str(one) for one in paths]
    with pytest.raises(FormatError, match=r"ann.json: annotation 100: nothing tells who painted; expected worker, ann"):
        read_masks(paths)
    Image.new("RGB", (6, 5)).save(tmp_path / "pic.png")
    with pytest.raises(FormatError, match=r'image 7: the mask of "pic.png" is 6 x 4 pixels, and the picture 6 x 5'):
        read_masks(paths, worker_from_file=True)


def test_classes_that_are_given(tmp_path: Path) -> None:
    document = writers.coco([{**BOX, "worker": "ann"}], SIZE)
    assert np.sum(maps(read(tmp_path, document, classes={0: "sky", 4: "dog", 5: "cat"}))) == 8
    with pytest.raises(
        FormatError, match='annotation 100: the label "cat" is no class; the classes are: sky, dog; add'
    ):
        maps(read(tmp_path, document, classes={0: "sky", 4: "dog"}))
    found = read(tmp_path, document, classes={3: "dog", 5: "cat"})
    assert maps(found) == [[[-1] * 6, [-1, 1, 1, -1, -1, -1], [-1, 1, 1, -1, -1, -1], [-1] * 6]]
    (caution,) = found.cautions
    assert caution.startswith("no class is the background, so pixels in no shape count as not judged; add one with cl")


def test_a_category_of_number_0_is_no_background(tmp_path: Path) -> None:
    document = writers.coco([{**BOX, "category_id": 0, "worker": "ann"}], SIZE)
    document["categories"] = [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}]
    found = read(tmp_path, document)
    assert found.classes.labels == ("background", "cat", "dog")
    assert found.classes.values.tolist() == [2, 0, 1]
    assert np.sum(maps(found)) == 4
    assert np.min(maps(read(tmp_path, document, classes={0: "cat", 1: "dog"}))) == -1
    document["categories"] = [{"id": 0, "name": "cat"}, {"id": 7, "name": "Background"}]
    found = read(tmp_path, document)
    assert (found.classes.labels, found.classes.values.tolist()) == (("Background", "cat"), [7, 0])


def change(**more: Any) -> dict[str, Any]:
    return {**BOX, "worker": "ann", **more}


def runs(counts: Any, size: Any = SIZE) -> dict[str, Any]:
    return change(segmentation={"counts": counts, "size": list(size) if isinstance(size, tuple) else size})


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        ([], "annotation at position 0: it is no object; export it again"),
        (change(image_id=9), "annotation 100: there is no image 9; export it again"),
        (change(category_id=9), "annotation 100: there is no category 9; export it again"),
        (change(category_id="x"), "there is no category 'x'"),
        (change(segmentation=[]), "annotation 100: it has no segmentation; export it again"),
        (change(segmentation=None), "it has no segmentation"),
        (change(segmentation=[[1, 2, 3, 4]]), "a polygon is no list of three points or more, x and y of each"),
        (change(segmentation=[[1, 2, 3, 4, 5, 6, 7]]), "a polygon is no list of three points"),
        (change(segmentation=[1, 2, 3, 4, 5, 6]), "a polygon is no list of three points"),
        (change(segmentation=[[1, 2, 3, 4, 5, "6"]]), "a polygon holds what is no number, or one beyond 1,000,000,000"),
        (change(segmentation=[[1, 2, 3, 4, 5, float("nan")]]), "a polygon holds what is no number"),
        (change(segmentation=[[1, 2, 3, 4, 5, 10**400]]), "a polygon holds what is no number"),
        (runs([24], (4, 5)), "an RLE is 5 x 4 pixels, and the picture 6 x 4"),
        (runs([10**18], (10**9, 10**9)), "an RLE is 1,000,000,000 x 1,000,000,000 pixels, and the picture 6 x 4"),
        (runs([24], [4]), "the size of an RLE is no pair of height and width"),
        (runs([24], (4.0, 6)), "the size of an RLE is no pair"),
        (runs([24.0]), "the counts of an RLE are neither text nor a list of whole numbers"),
        (runs([10**30]), "the counts of an RLE are neither"),
        (runs(None), "the counts of an RLE are neither"),
        (runs([23]), "an RLE covers less than the 6 x 4 pixels of the picture"),
        (runs([20, 5]), "an RLE covers more than the 6 x 4 pixels of the picture"),
        (runs([-1, 25]), "an RLE holds a run below 0"),
        (runs("R"), "an RLE breaks off"),
        (runs("\x7f\ud800é"), "an RLE holds what is no number"),
    ],
)
def test_damaged_annotations(annotation: Any, message: str, tmp_path: Path) -> None:
    document = writers.coco([], SIZE)
    document["annotations"] = [annotation if isinstance(annotation, list) else {"id": 100, "image_id": 7, **annotation}]
    with pytest.raises(FormatError, match=f"coco.json: .*{message}") as caught:
        maps(read(tmp_path, document))
    assert "\n" not in str(caught.value)
    assert (caught.value.file, caught.value.line) == (str(tmp_path / "coco.json"), None)


@pytest.mark.parametrize(
    ("key", "entry", "message"),
    [
        ("images", 3, "image at position 0: it has no file_name; export it again"),
        ("images", {"id": 7, "file_name": " "}, "image 7: it has no file_name"),
        (
            "images",
            {"id": 7, "file_name": "a", "height": 4},
            "image 7: its height and width are no whole numbers; expo",
        ),
        ("categories", "cat", r"category 0: it has no number \(id\) or no name; export it again"),
        ("categories", {"id": "1", "name": "cat"}, r"it has no number \(id\) or no name"),
        (
            "categories",
            {"id": -1, "name": "cat"},
            r"its number \(id\) is -1, that of another, below 0 or above 2",
        ),
        ("categories", {"id": 10**30, "name": "cat"}, r"its number \(id\) is 1000.*, that of another, below 0 or ab"),
    ],
)
def test_damaged_entries(key: str, entry: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=message):
        read(tmp_path, {**writers.coco([change()], SIZE), key: [entry]})


def test_twice_the_same_category_and_none(tmp_path: Path) -> None:
    document = writers.coco([change()], SIZE)
    with pytest.raises(FormatError, match=r"category 1: its number \(id\) is 1, that of another, below 0 or above"):
        read(tmp_path, {**document, "categories": [{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}]})
    with pytest.raises(FormatError, match="there is no category 1"):
        read(tmp_path, {**document, "categories": None})


def test_bombs_are_refused_where_they_are_announced(tmp_path: Path) -> None:
    for size, message in (
        (
            (10**9, 10**9),
            r'the picture "pic.png" is 1,000,000,000 x 1,000,000,000 pixels, more than 89,478,485; cut it,',
        ),
        ((0, 5), 'the picture "pic.png" is 5 x 0 pixels; expected one pixel or more'),
    ):
        with pytest.raises(FormatError, match=f"coco.json: image 7: {message}"):
            read(tmp_path, writers.coco([], size, worker="ann"))


def test_a_place_of_an_entry() -> None:
    place = Entry.named("a.json", "annotation 3")
    assert (place, place.file, place.line, place.entry) == ("a.json: annotation 3", "a.json", None, "annotation 3")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON: .*; export it again"),
        ("[" * 100_000, "not JSON: "),
        ('{"a": "\udcff"}', "not JSON: "),
    ],
)
def test_what_is_no_json(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "coco.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(FormatError, match=message):
        read_masks(path)


def test_records_are_a_manifest(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(SIZE, np.uint8))
    path = writers.written(tmp_path, "rows.json", [{"image": "x", "worker": "ann", "mask": "a.npy"}])
    assert read_masks(path).workers == ("ann",)
