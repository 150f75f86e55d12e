"""Masks in JSON exports of Label Studio: brushes, polygons, rectangles and ellipses.

A mask is an annotation; its regions lie on each other in their order, whatever their kind, and pixels in none are
background, also where there is no region at all. Cancelled annotations are left out, and of several of a worker on a
task the last one counts. Where the export is gold and some annotations have a star (``ground_truth``), only these are.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import numpy as np

from consensus.errors import FormatError
from consensus.masks.given_masks import PICTURES, AsShapes, GivenMask, GivenMasks, entry_id, person
from consensus.masks.mask_set import Entry
from consensus.masks.outlines import Brush, Ellipse, Rings, numbers, rectangle
from consensus.masks.shapes import Shape

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from consensus.masks.shapes import Outline

IMAGES = re.compile(r"\.(jpe?g|png|webp|bmp|gif|tiff?|svg)$", re.IGNORECASE)
UPLOADED = re.compile(r"^[0-9a-f]{8}-")
"""Begins the name of an uploaded file, and is given to it by the server."""
OUTLINES = {"rle", "points", "radiusX", "width"}
"""Keys of values with an area."""
PLACES = {*OUTLINES, "x", "vertices"}
"""Keys of values that are about a part of a picture."""
CANCELLED = "cancelled annotations, left out"
NO_REGION = "annotations without a region, read as all background"
AGAIN = "earlier annotations of a worker on the same task, left out"
NO_LABEL = "regions without a label, left out"
NO_AREA = "regions without an area, such as points, left out"
PREDICTED = "predictions of models, not read"


def is_label_studio(document: Any) -> bool:
    """Whether a document is an export: tasks with annotations.

    Raises
    ------
    FormatError
        It is one of JSON-MIN, which tells too little.
    """
    tasks = document if isinstance(document, list) else [document]
    if any(isinstance(task, dict) and isinstance(task.get("annotations"), list) for task in tasks):
        return True
    if any(isinstance(task, dict) and {"annotation_id", "annotator"} <= task.keys() for task in tasks):
        raise FormatError(
            "this is a JSON-MIN export of Label Studio, which does not tell what was cancelled; export it as JSON"
        )
    return False


def read_label_studio(document: Any, file: str, folder: Path, worker: str | None) -> GivenMasks:
    """The masks of a ``document`` in a ``file``; its pictures lie in a ``folder``.

    Raises
    ------
    FormatError
        An annotation or region is damaged, or nothing tells who painted.
    """
    tasks = [task for task in (document if isinstance(document, list) else [document]) if isinstance(task, dict)]
    pictures = [_picture(task) for task in tasks]
    called = Counter({_short(one): 0 for one in pictures})
    called.update(_short(one) for one in dict.fromkeys(pictures))
    told = Counter[str]()
    made = GivenMasks()
    for task, picture in zip(tasks, pictures, strict=True):
        name = _short(picture) if called[_short(picture)] == 1 else picture
        found: dict[str, GivenMask] = {}
        predictions = task.get("predictions")
        told[PREDICTED] += len(predictions) if isinstance(predictions, list) else 0
        annotations = task.get("annotations")
        for n, given in enumerate(annotations if isinstance(annotations, list) else []):
            place = Entry.named(file, f"task {task.get('id')}, annotation {entry_id(given, n)}")
            if not isinstance(given, dict) or not isinstance(given.get("result"), list):
                raise FormatError("it has no list of results; export it again", place)
            if given.get("was_cancelled") is True:
                told[CANCELLED] += 1
                continue
            who = person(given, ("completed_by",)) or worker
            if who is None:
                raise FormatError(
                    "nothing tells who painted (completed_by); export it again, or give a file a worker and "
                    "--worker-from-file",
                    place,
                )
            told[AGAIN] += who in found
            found[who] = _mask(given, name, who, place, folder, told)
        for one in found.values():
            assert isinstance(one.content, AsShapes)
            made.labels |= dict.fromkeys((shape.label for shape in one.content.shapes), None)
        made.masks += found.values()
    made.notes = [f"{file}: {what}: {n:,}" for what, n in told.items() if n]
    return made


def _mask(given: Mapping[str, Any], name: str, who: str, place: Entry, folder: Path, told: Counter[str]) -> GivenMask:
    """What an annotation painted."""
    content, sizes = AsShapes(), dict[tuple[int, int], None]()
    for key, results in _by_region(given["result"]).items():
        region = Entry.named(place.file, f"{place.entry}, region {key}")
        value, labels, size = _region(results, region)
        sizes |= {} if size is None else {size: None}
        if len(sizes) > 1:
            raise FormatError("its regions are of pictures of several sizes; export it again", region)
        if not labels:
            told[NO_LABEL] += value is not None
            continue
        if value is None:
            told[NO_AREA] += 1
            continue
        if len(labels) > 1:
            raise FormatError(f"it has several labels ({', '.join(labels)[:80]}); give it one", region)
        if size is None:
            raise FormatError("it has no original_width and original_height; export it again as JSON", region)
        try:
            outline = _outline(value, *size)
        except ValueError as error:
            raise FormatError(f"{error}; export it again", region) from None
        content.shapes.append(Shape(labels[0], region, outline))
    told[NO_REGION] += not content.shapes
    lead = given.get("lead_time")
    return GivenMask(
        name,
        who,
        place,
        content,
        folder,
        next(iter(sizes), None),
        timestamp=str(given["created_at"]) if given.get("created_at") else None,
        duration=float(lead) if isinstance(lead, (int, float)) and lead >= 0 else None,
        starred=given.get("ground_truth") is True,
    )


def _by_region(results: list[Any]) -> dict[str, list[Mapping[str, Any]]]:
    """Results that mark pixels or label them, by their region: its outline and its label may stand in two."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for n, one in enumerate(results):
        value = one.get("value") if isinstance(one, dict) else None
        if isinstance(value, dict) and (not PLACES.isdisjoint(value) or str(one.get("type")).endswith("labels")):
            found.setdefault(str(one.get("id") or f"at position {n}"), []).append(one)
    return found


def _region(
    results: list[Mapping[str, Any]], place: Entry
) -> tuple[Mapping[str, Any] | None, list[str], tuple[int, int] | None]:
    """The outline of a region in percent, None where it has no area; its labels; height and width of the picture."""
    outline, labels, size = None, dict[str, None](), None
    for one in results:
        value = one["value"]
        if one.get("image_rotation"):
            raise FormatError("its picture was rotated in Label Studio; rotate the picture itself", place)
        is_point = "keypointlabels" in value or one.get("type") == "keypoint"  # it has a width, too
        if not OUTLINES.isdisjoint(value) and not is_point:
            outline = value
        for key, given in value.items():
            if key.endswith("labels") and isinstance(given, list):
                labels |= dict.fromkeys(label for label in given if isinstance(label, str))
        height, width = one.get("original_height"), one.get("original_width")
        if type(height) is int and type(width) is int:
            size = height, width
    return outline, list(labels), size


def _outline(value: Mapping[str, Any], height: int, width: int) -> Outline:
    """An outline in pixels.

    Raises
    ------
    ValueError
        It is damaged.
    """
    if "rle" in value:
        return Brush.of(value["rle"])
    across, down = width / 100, height / 100
    if "points" in value:
        points = value["points"]
        if not isinstance(points, list) or not all(isinstance(one, list) and len(one) == 2 for one in points):
            raise ValueError("a polygon is no list of points, x and y of each")
        made = [numbers(one, "a polygon") for one in points]
        return Rings((np.array(made, np.float64).reshape(-1, 2) * [across, down],) if made else ())
    turn = value.get("rotation") or 0
    keys = ("x", "y", "radiusX", "radiusY") if "radiusX" in value else ("x", "y", "width", "height")
    x, y, right, below, degrees = numbers([*(value.get(key) for key in keys), turn], "a rectangle or ellipse")
    if right < 0 or below < 0:
        raise ValueError("a rectangle or ellipse has a side below 0")
    of_sides = (x * across, y * down, right * across, below * down, degrees)
    return Ellipse(*of_sides) if "radiusX" in value else rectangle(*of_sides)


def _picture(task: Mapping[str, Any]) -> str:
    """The picture of a task: the first of its data that is called so, or looks so; else its number."""
    data = task.get("data")
    texts = {key: one for key, one in data.items() if isinstance(one, str)} if isinstance(data, dict) else {}
    called = [one for key, one in texts.items() if key.casefold() in PICTURES]
    looking = [one for one in texts.values() if IMAGES.search(_path(one))]
    return next(iter([*called, *looking]), f"task {task.get('id')}")


def _path(address: str) -> str:
    """The path in an address, or of a file that the server takes from its own folder."""
    return unquote(address.split("?d=")[-1].split("?")[0]).replace("\\", "/")


def _short(address: str) -> str:
    """The name of a picture, without what the server added."""
    return UPLOADED.sub("", PurePosixPath(_path(address)).name) or address
