"""Masks written in every format, by the public descriptions of these; and a mask that has no symmetry."""

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]


def lopsided() -> Mask:
    """(23, 41) values 0, 1, 2; no turn or reflection leaves it as it is."""
    mask = np.zeros((23, 41), np.uint8)
    mask[2:9, 5:30] = 1
    mask[4:20, 27:35] = 2
    mask[15:22, 1:4] = 1
    mask[0, 40] = 2
    return mask


def column_runs(mask: Mask) -> list[int]:
    """Pixels outside, inside, outside, ... down the columns."""
    flat = [int(one) for one in mask.T.ravel() > 0]
    runs = [(value, len(list(group))) for value, group in itertools.groupby(flat)]
    return ([0] if flat[:1] == [1] else []) + [n for _, n in runs]


def coco_text(runs: Sequence[int]) -> str:
    """Runs as the text of pycocotools."""
    text = ""
    for n, run in enumerate(runs):
        left = run - runs[n - 2] if n > 2 else run
        more = True
        while more:
            digit = left & 31
            left >>= 5
            more = left != (-1 if digit & 16 else 0)
            text += chr(48 + (digit | 32 * more))
    return text


def label_studio_rle(mask: Mask, lengths: Sequence[int] = (4, 8, 12, 16), *, literal: bool = False) -> list[int]:
    """A mask as bytes of Label Studio: alpha 255 where it is above 0; ``literal``: no word is repeated."""
    values = np.repeat(np.where(mask.ravel() > 0, 255, 0), 4).tolist()
    bits = f"{len(values):032b}{7:05b}" + "".join(f"{one - 1:04b}" for one in lengths)
    most = 1 << max(lengths)
    pieces = [values[n : n + most] for n in range(0, len(values), most)] if literal else []
    for value, group in itertools.groupby([] if literal else values):
        run = list(group)
        pieces += [run[n : n + most] for n in range(0, len(run), most)]
        assert value in {0, 255}
    for piece in pieces:
        which = min(n for n, one in enumerate(lengths) if len(piece) <= 1 << one)
        repeated = not literal
        bits += f"{repeated:b}{which:02b}{len(piece) - 1:0{lengths[which]}b}"
        bits += "".join(f"{one:08b}" for one in (piece[:1] if repeated else piece))
    bits += "0" * (-len(bits) % 8)
    return [int(bits[n : n + 8], 2) for n in range(0, len(bits), 8)]


def edges(mask: Mask) -> list[list[list[int]]]:
    """Rings around the pixels above 0: each run of a row is a rectangle."""
    rings = []
    for y, row in enumerate(mask > 0):
        steps = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(np.int8), [0]])))
        rings += [[[a, y], [b, y], [b, y + 1], [a, y + 1]] for a, b in steps.reshape(-1, 2).tolist()]
    return rings


def coco(shapes: Sequence[dict[str, Any]], size: tuple[int, int], **more: Any) -> dict[str, Any]:
    """A document with one image, and annotations."""
    return {
        "images": [{"id": 7, "file_name": "pic.png", "height": size[0], "width": size[1], **more}],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        "annotations": [{"id": 100 + n, "image_id": 7, **one} for n, one in enumerate(shapes)],
    }


def region(value: dict[str, Any], size: tuple[int, int], **more: Any) -> dict[str, Any]:
    """A result of Label Studio."""
    return {"original_height": size[0], "original_width": size[1], "image_rotation": 0, "value": value, **more}


def task(results: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A task of Label Studio with one annotation of worker 5."""
    annotation = {"id": 31, "completed_by": 5, "was_cancelled": False, "result": list(results), **more}
    return {"id": 3, "data": {"image": "/data/upload/1/0a1b2c3d-pic.png"}, "annotations": [annotation]}


def written(folder: Path, name: str, document: Any) -> Path:
    """A document as a file of JSON."""
    path = folder / name
    path.write_text(json.dumps(document))
    return path
