"""JSON exports of Label Studio: annotations, regions, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from consensus.errors import FormatError
from consensus.masks.mask_set import MaskSet
from consensus.masks.reading import read_masks
from consensus.masks.shapes import OVERLAP
from tests.masks import writers

SIZE = (4, 8)


def brush(columns: slice, label: str = "cat", **more: Any) -> dict[str, Any]:
    mask = np.zeros(SIZE, np.uint8)
    mask[:, columns] = 1
    value = {"format": "rle", "rle": writers.label_studio_rle(mask), "brushlabels": [label]}
    return writers.region(value, SIZE, type="brushlabels", from_name="tag", **more)


def box(x: float, width: float, label: str = "dog", **more: Any) -> dict[str, Any]:
    value = {"x": x, "y": 0, "width": width, "height": 100, "rotation": 0, "rectanglelabels": [label]}
    return writers.region({**value, **more}, SIZE, type="rectanglelabels", id="r1")


def read(folder: Path, *tasks: Any, **more: Any) -> MaskSet:
    return read_masks(writers.written(folder, "export.json", list(tasks)), **more)


def rows(found: MaskSet) -> list[list[int]]:
    """The first row of each mask of the first picture."""
    picture = found.pictures[0]
    return [one.read(picture.height, picture.width)[0].tolist() for one in picture.masks]


def test_regions_of_all_kinds_lie_on_each_other_in_their_order(tmp_path: Path) -> None:
    polygon = writers.region({"points": [[0, 0], [25, 0], [25, 100], [0, 100]], "polygonlabels": ["owl"]}, SIZE)
    choice = {"type": "choices", "from_name": "sure", "value": {"choices": ["yes"]}}
    results = [brush(slice(0, 2)), brush(slice(1, 5)), box(50, 25), polygon, choice]
    found = read(tmp_path, writers.task(results))
    assert found.classes.labels == ("background", "cat", "dog", "owl")
    assert rows(found) == [[3, 3, 1, 1, 2, 2, 0, 0]]
    assert found.met() == {OVERLAP: 12}
    assert found.notes[0] == "classes, as the source names them: background, cat, dog, owl"


def test_a_label_of_its_own_result(tmp_path: Path) -> None:
    """With separate tags for the brush and the labels, a region is told by its id."""
    shape = brush(slice(0, 3), id="a1")
    del shape["value"]["brushlabels"]
    labelled = {**shape, "type": "labels", "value": {**shape["value"], "labels": ["cat"]}}
    only = {"id": "a1", "type": "labels", "value": {"labels": ["cat"]}}
    for second in (labelled, only):
        assert rows(read(tmp_path, writers.task([shape, second]))) == [[1, 1, 1, 0, 0, 0, 0, 0]]


def test_a_turned_rectangle(tmp_path: Path) -> None:
    """It turns about its upper left corner, in pixels, from the right to below."""
    found = read(tmp_path, writers.task([box(50, 50, rotation=90)]))
    picture = found.pictures[0]
    expected = np.zeros(SIZE, np.int16)
    expected[:, :4] = 1
    assert np.array_equal(picture.masks[0].read(*SIZE), expected)


def test_annotations_of_a_task(tmp_path: Path) -> None:
    one = writers.task([brush(slice(0, 1))], lead_time=3.5, created_at="2026-01-02T03:04:05Z")
    one["predictions"] = [{"result": []}]
    one["annotations"] += [
        {"id": 1, "completed_by": {"id": 6, "email": "a@b.c"}, "result": [], "was_cancelled": True},
        {"id": 2, "completed_by": {"id": 6, "email": "a@b.c"}, "result": []},
        {"id": 3, "completed_by": 7, "result": [brush(slice(0, 4))], "lead_time": None},
        {"id": 4, "completed_by": 7, "result": [brush(slice(0, 2))]},
    ]
    found = read(tmp_path, one)
    assert found.workers == ("5", "6", "7")
    assert rows(found) == [[1] + [0] * 7, [0] * 8, [1, 1] + [0] * 6]
    timed, other, _ = found.pictures[0].masks
    assert (timed.duration, timed.timestamp) == (3.5, "2026-01-02T03:04:05Z")
    assert (other.duration, other.timestamp) == (None, None)
    assert timed.place == f"{tmp_path}/export.json: task 3, annotation 31"
    told = [note.removeprefix(f"{tmp_path}/export.json: ") for note in found.notes]
    assert set(told) >= {
        "predictions of models, not read: 1",
        "cancelled annotations, left out: 1",
        "annotations without a region, read as all background: 1",
        "earlier annotations of a worker on the same task, left out: 1",
    }


def test_regions_that_are_left_out(tmp_path: Path) -> None:
    point = writers.region({"x": 1, "y": 1, "width": 0.5, "keypointlabels": ["cat"]}, SIZE)
    bare = brush(slice(3, 8))
    bare["value"]["brushlabels"] = []
    found = read(tmp_path, writers.task([point, bare, brush(slice(0, 1))]))
    assert rows(found) == [[1] + [0] * 7]
    assert {note.split("json: ")[-1] for note in found.notes} >= {
        "regions without an area, such as points, left out: 1",
        "regions without a label, left out: 1",
    }


def test_outlines_without_area(tmp_path: Path) -> None:
    results = [
        writers.region({"points": one, "polygonlabels": ["cat"]}, SIZE) for one in ([], [[1, 1]], [[1, 1], [90, 90]])
    ]
    results.append(writers.region({"x": 50, "y": 50, "radiusX": 0, "radiusY": 9, "ellipselabels": ["cat"]}, SIZE))
    assert rows(read(tmp_path, writers.task(results))) == [[0] * 8]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"image": "/data/upload/1/0a1b2c3d-pic.png"}, "pic.png"),
        ({"text": "x.y", "link": "https://a.b/c/pic.PNG?token=1"}, "pic.PNG"),
        ({"photo": "/data/local-files/?d=set%5Cone%20pic.jpg"}, "one pic.jpg"),
        ({"image": "https://a.b/"}, "a.b"),
        ({"text": "a cat"}, "task 3"),
        (None, "task 3"),
    ],
)
def test_names_of_pictures(data: Any, name: str, tmp_path: Path) -> None:
    found = read(tmp_path, {**writers.task([brush(slice(0, 1))]), "data": data})
    assert [one.name for one in found.pictures] == [name]


def test_pictures_of_the_same_name(tmp_path: Path) -> None:
    tasks = [{**writers.task([brush(slice(0, 1))]), "data": {"image": f"s3://{one}/pic.png"}} for one in "ab"]
    assert [one.name for one in read(tmp_path, *tasks).pictures] == ["s3://a/pic.png", "s3://b/pic.png"]


def test_one_task_and_a_file_a_worker(tmp_path: Path) -> None:
    one = writers.task([brush(slice(0, 1))])
    del one["annotations"][0]["completed_by"]
    path = writers.written(tmp_path, "ann.json", one)
    assert read_masks(path, worker_from_file=True).workers == ("ann",)
    with pytest.raises(FormatError, match=r"task 3, annotation 31: nothing tells who painted \(completed_by\); export"):
        read_masks(path)


def test_stars_of_gold(tmp_path: Path) -> None:
    one = writers.task([brush(slice(0, 1))])
    one["annotations"].append({"id": 9, "completed_by": 6, "ground_truth": True, "result": [brush(slice(0, 2))]})
    found = read(tmp_path, one, gold=tmp_path / "export.json")
    assert found.workers == ("5", "6")
    gold = found.pictures[0].gold
    assert gold is not None
    assert gold.read(*SIZE)[0].tolist() == [1, 1, 0, 0, 0, 0, 0, 0]


def test_json_min_and_other_documents(tmp_path: Path) -> None:
    with pytest.raises(
        FormatError, match="this is a JSON-MIN export of Label Studio, which does not tell what was canc"
    ):
        read(tmp_path, {"annotation_id": 3, "annotator": 1, "tag": []})
    with pytest.raises(
        FormatError, match='nothing tells the size of the picture "pic.png", and it was not found; name'
    ):
        read(tmp_path, writers.task([]))
    assert read(tmp_path, writers.task([brush(slice(0, 1))]), 3, {"id": 4}).workers == ("5",)


def with_value(**more: Any) -> dict[str, Any]:
    return {**brush(slice(0, 3)), "value": {"brushlabels": ["cat"], **more}}


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (with_value(rle="x"), "the RLE of a brush is no list; export it again"),
        (with_value(rle=[300]), "the RLE of a brush holds what is no number from 0 to 255"),
        (with_value(rle=[1.5]), "the RLE of a brush holds what is no number from 0 to 255"),
        (with_value(rle=[0, 0]), "an RLE breaks off"),
        (with_value(rle=[255] * 40), "an RLE is not of 8 x 4 pixels, as the picture"),
        (with_value(rle=[0, 0, 0, 128, 0, *[0] * 40]), "an RLE is not of words of 8 bits"),
        (with_value(points=[[1, 2, 3]]), "a polygon is no list of points, x and y of each"),
        (with_value(points=3), "a polygon is no list of points"),
        (with_value(points=[[1, "2"]]), "a polygon holds what is no number"),
        (with_value(x=1, y=1, width=-1, height=3), "a rectangle or ellipse has a side below 0"),
        (with_value(x=1, y=1, width=1), "a rectangle or ellipse holds what is no number"),
        (box(0, 1, rotation="x"), "a rectangle or ellipse holds what is no number"),
        ({**brush(slice(0, 3)), "image_rotation": 90}, "its picture was rotated in Label Studio; rotate the picture"),
        (with_value(rle=[], brushlabels=["a", "b"]), r"it has several labels \(a, b\); give it one"),
        ({**brush(slice(0, 3)), "original_width": None}, "it has no original_width and original_height; export it ag"),
    ],
)
def test_damaged_regions(result: dict[str, Any], message: str, tmp_path: Path) -> None:
    def look() -> Any:
        return rows(read(tmp_path, writers.task([result]), classes={0: "background", 1: "cat", 2: "dog"}))

    with pytest.raises(FormatError, match=f"export.json: task 3, annotation 31, region .*{message}") as caught:
        look()
    assert "\n" not in str(caught.value)


def test_damaged_annotations(tmp_path: Path) -> None:
    other = {**brush(slice(0, 3)), "original_width": 9}
    with pytest.raises(FormatError, match="region at position 1: its regions are of pictures of several sizes; export"):
        read(tmp_path, writers.task([brush(slice(0, 3)), other]))
    for damaged in (3, {"id": 31, "completed_by": 5, "result": None}):
        with pytest.raises(FormatError, match="it has no list of results; export it again"):
            read(tmp_path, {**writers.task([]), "annotations": [damaged]})
