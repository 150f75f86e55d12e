"""Masks in JSON of COCO, where annotations or images carry who painted.

A mask is what one worker painted on one image: its annotations lie on each other in the order of the file. Categories
are classes, and pixels in no annotation are background. Where images carry the worker, or the file is one worker's, an
image without annotations is a mask, too: all background.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consensus.errors import FormatError
from consensus.masks.classes import MOST_VALUE
from consensus.masks.given_masks import AsShapes, GivenMask, GivenMasks, entry_id, person
from consensus.masks.mask_set import Entry
from consensus.masks.outlines import CocoRuns, Rings
from consensus.masks.shapes import Shape

if TYPE_CHECKING:
    from pathlib import Path

WORKERS = ("worker", "annotator", "annotator_id", "completed_by")
"""Keys of who painted; the first one counts."""


def is_coco(document: Any) -> bool:
    """Whether a document is of COCO: an object with lists of images and annotations."""
    return isinstance(document, dict) and all(isinstance(document.get(key), list) for key in ("images", "annotations"))


def read_coco(document: dict[str, Any], file: str, folder: Path, worker: str | None) -> GivenMasks:
    """The masks of a ``document`` in a ``file``; its pictures lie in a ``folder``.

    Raises
    ------
    FormatError
        An image, category or annotation is damaged, or nothing tells who painted.
    """
    made = GivenMasks()
    categories = _categories(document.get("categories"), file)
    made.labels = {label: number for number, label in categories.items()}
    images = {}
    masks: dict[tuple[str, str], GivenMask] = {}

    def mask_of(image: _Image, who: str, place: Entry) -> AsShapes:
        if (image.name, who) not in masks:
            masks[image.name, who] = GivenMask(image.name, who, place, AsShapes(), folder, image.size)
        content = masks[image.name, who].content
        assert isinstance(content, AsShapes)
        return content

    for n, given in enumerate(document["images"]):
        image = _Image(given, n, file)
        images[image.id] = image
        if (image.worker or worker) is not None:
            mask_of(image, image.worker or worker or "", image.place)
    for n, given in enumerate(document["annotations"]):
        place = Entry.named(file, f"annotation {entry_id(given, n)}")
        if not isinstance(given, dict):
            raise FormatError("it is no object; export it again", place)
        found = images.get(str(given.get("image_id")))
        if found is None:
            raise FormatError(f"there is no image {given.get('image_id')!r:.40}; export it again", place)
        number = given.get("category_id")
        label = categories.get(number) if type(number) is int else None
        if label is None:
            raise FormatError(f"there is no category {number!r:.40}; export it again", place)
        who = person(given, WORKERS) or found.worker or worker
        if who is None:
            raise FormatError(
                f"nothing tells who painted; expected {', '.join(WORKERS)} in annotations or images, or a file a "
                "worker and --worker-from-file",
                place,
            )
        try:
            outline = _outline(given.get("segmentation"))
        except ValueError as error:
            raise FormatError(f"{error}; export it again", place) from None
        mask_of(found, who, place).shapes.append(Shape(label, place, outline))
    made.masks = list(masks.values())
    return made


class _Image:
    """An image of a document."""

    def __init__(self, given: Any, n: int, file: str) -> None:
        self.place = Entry.named(file, f"image {entry_id(given, n)}")
        name = given.get("file_name") if isinstance(given, dict) else None
        if not isinstance(name, str) or not name.strip():
            raise FormatError("it has no file_name; export it again", self.place)
        size = given.get("height"), given.get("width")
        if not all(type(one) is int for one in size):
            raise FormatError("its height and width are no whole numbers; export it again", self.place)
        self.name, self.size = name, (size[0], size[1])
        self.id = str(given.get("id"))
        self.worker = person(given, WORKERS)


def _categories(given: Any, file: str) -> dict[int, str]:
    """Names of categories by number."""
    found: dict[int, str] = {}
    for n, one in enumerate(given if isinstance(given, list) else []):
        number, name = (one.get("id"), one.get("name")) if isinstance(one, dict) else (None, None)
        if type(number) is not int or not isinstance(name, str) or not name.strip():
            raise FormatError("it has no number (id) or no name; export it again", Entry.named(file, f"category {n}"))
        if not 0 <= number <= MOST_VALUE or number in found:
            raise FormatError(
                f"its number (id) is {number}, that of another, below 0 or above {MOST_VALUE:,}; export it again",
                Entry.named(file, f"category {n}"),
            )
        found[number] = name
    return found


def _outline(given: Any) -> CocoRuns | Rings:
    if isinstance(given, dict):
        return CocoRuns.of(given)
    if isinstance(given, list) and given:
        return Rings.of_flat(given)
    raise ValueError("it has no segmentation")
