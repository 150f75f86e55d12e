"""One mask in every format is one label map."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from consensus.masks.reading import read_masks
from tests.masks import writers

MASK = writers.lopsided()
SIZE = MASK.shape[0], MASK.shape[1]
CLASSES = {0: "background", 1: "cat", 2: "dog"}
BY_COLOUR = {"label": ["background", "cat", "dog"], "colour": ["#000000", "#ff0000", "#00ff7f"], "value": [0, 1, 2]}
COLOURS = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 127]], np.uint8)


def only(source: Any, classes: Any = CLASSES) -> NDArray[np.int16]:
    """The only mask of a source."""
    (picture,) = read_masks(source, classes=classes).pictures
    (mask,) = picture.masks
    return mask.read(picture.height, picture.width)


def manifest(folder: Path, file: str) -> Path:
    path = folder / "manifest.csv"
    path.write_text(f"image,worker,mask\npic.png,5,{file}\n")
    return path


@pytest.mark.parametrize("mode", ["L", "P", "I;16", "RGB", "RGBA", "P of few bits"])
def test_png(mode: str, tmp_path: Path) -> None:
    image = Image.fromarray(MASK.astype(np.uint16) if mode == "I;16" else MASK)
    if mode.startswith("RGB"):
        image = Image.fromarray(COLOURS[MASK]).convert(mode)
    if mode[0] == "P":
        image.putpalette(COLOURS.ravel().tolist())
    more: dict[str, Any] = {"bits": 2} if mode == "P of few bits" else {}
    image.save(tmp_path / "mask.png", **more)
    for classes in (CLASSES, BY_COLOUR)[mode.startswith("RGB") :]:
        assert np.array_equal(only(manifest(tmp_path, "mask.png"), classes), MASK)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "uint32", "int64", ">u2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy(dtype: str, order: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "mask.npy", np.asarray(MASK.astype(dtype), order=order))
    assert np.array_equal(only(manifest(tmp_path, "mask.npy")), MASK)


def test_two_values(tmp_path: Path) -> None:
    cat = MASK == 1
    Image.fromarray(cat).save(tmp_path / "mask.png")
    np.save(tmp_path / "mask.npy", cat)
    with Image.open(tmp_path / "mask.png") as stored:
        assert stored.mode == "1"
    for file in ("mask.png", "mask.npy"):
        assert np.array_equal(only(manifest(tmp_path, file), {0: "nothing", 1: "cat"}), cat)


@pytest.mark.parametrize("how", ["text", "list", "polygons"])
def test_coco(how: str, tmp_path: Path) -> None:
    shapes = []
    for value in (1, 2):
        mask = np.where(value == MASK, value, 0).astype(np.uint8)
        runs = writers.column_runs(mask)
        counts: Any = writers.coco_text(runs) if how == "text" else runs
        segmentation: Any = {"size": list(SIZE), "counts": counts}
        if how == "polygons":
            segmentation = [[one for point in ring for one in point] for ring in writers.edges(mask)]
        shapes.append({"category_id": value, "segmentation": segmentation, "worker": "ann"})
    path = writers.written(tmp_path, "coco.json", writers.coco(shapes, SIZE))
    assert np.array_equal(only(path), MASK)
    assert np.array_equal(only(path, None), MASK)


@pytest.mark.parametrize("how", ["brush", "literal", "polygons", "rectangles"])
def test_label_studio(how: str, tmp_path: Path) -> None:
    results = []
    percent = np.array([100 / SIZE[1], 100 / SIZE[0]])
    for value, label in ((1, "cat"), (2, "dog")):
        mask = np.where(value == MASK, value, 0).astype(np.uint8)
        if how in {"brush", "literal"}:
            rle = writers.label_studio_rle(mask, literal=how == "literal")
            results.append(writers.region({"format": "rle", "rle": rle, "brushlabels": [label]}, SIZE))
        for ring in writers.edges(mask) if how in {"polygons", "rectangles"} else []:
            points = np.array(ring) * percent
            (x, y), (right, _), (_, bottom), _ = points.tolist()
            values: dict[str, Any] = {"points": points.tolist(), "polygonlabels": [label]}
            if how == "rectangles":
                values = {"x": x, "y": y, "width": right - x, "height": bottom - y, "rectanglelabels": [label]}
            results.append(writers.region(values, SIZE))
    path = writers.written(tmp_path, "export.json", [writers.task(results)])
    assert np.array_equal(only(path), MASK)
    assert np.array_equal(only(path, None), MASK)
    (picture,) = read_masks(path).pictures
    assert (picture.name, picture.masks[0].worker) == ("pic.png", "5")


def test_a_round_polygon_is_within_a_pixel_of_the_edge(tmp_path: Path) -> None:
    y, x = np.mgrid[:120, :90] + 0.5
    distance = np.hypot(x - 40.3, y - 61.8) - 33.2
    turn = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    ring = np.stack([40.3 + 33.2 * np.cos(turn), 61.8 + 33.2 * np.sin(turn)], 1)
    shape = {"category_id": 1, "segmentation": [ring.ravel().tolist()], "worker": "ann"}
    found = only(writers.written(tmp_path, "coco.json", writers.coco([shape], (120, 90))))
    assert (found[distance < -0.01] == 1).all()
    assert (found[distance > 0.01] == 0).all()
    ellipse = {"x": 40.3 / 0.9, "y": 61.8 / 1.2, "radiusX": 33.2 / 0.9, "radiusY": 33.2 / 1.2, "rotation": 30}
    result = writers.region({**ellipse, "ellipselabels": ["cat"]}, (120, 90))
    assert np.array_equal(only(writers.written(tmp_path, "ls.json", [writers.task([result])])), distance < 0)


def test_a_coco_mask_is_that_of_pycocotools(tmp_path: Path) -> None:
    tools = pytest.importorskip("pycocotools.mask")
    rng = np.random.default_rng(3)
    for n in range(20):
        height, width = rng.integers(1, 70, 2).tolist()
        mask = (rng.random((height, width)) < rng.random()).astype(np.uint8)
        coded = tools.encode(np.asfortranarray(mask))
        assert writers.coco_text(writers.column_runs(mask)) == coded["counts"].decode()
        segmentation = {"size": [height, width], "counts": coded["counts"].decode()}
        document = writers.coco([{"category_id": 1, "segmentation": segmentation, "worker": "ann"}], (height, width))
        assert np.array_equal(only(writers.written(tmp_path, f"{n}.json", document)), mask)
