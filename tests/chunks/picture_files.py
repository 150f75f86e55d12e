"""A small crowd of painters in files: pictures, masks, a manifest, classes, and the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from tests.chunks import drawn_pictures
from tests.conftest import csv

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.chunks.drawn_pictures import Map

SCALE, SIZE = 0.45, (72, 94)
COLOURS = np.array([(30, 40, 60), (170, 120, 150), (120, 160, 110)], np.uint8)


def written(
    folder: Path,
    n_pictures: int = 4,
    *,
    names: Sequence[str] = (),
    workers: Sequence[str] = ("ann", "bob", "eve"),
    seed: int = 0,
) -> Path:
    """Write them into ``folder``: manifest.csv, classes.csv, gold.csv (the first picture), truth.csv (all)."""
    rng = np.random.default_rng(seed)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    rows: list[tuple[str, ...]] = []
    true: list[tuple[str, ...]] = []
    for number in range(n_pictures):
        truth = drawn_pictures.truth(rng, SCALE)
        shared = 0.7 * drawn_pictures.smooth(rng, SIZE, 8), 0.7 * drawn_pictures.smooth(rng, SIZE, 8)
        image = f"images/{names[number] if names else f'p{number}.png'}"
        _picture(truth, rng).save(folder / image)
        _mask(truth).save(folder / "masks" / f"true{number}.png")
        true.append((image, f"masks/true{number}.png"))
        for place, worker in enumerate(workers):
            mask = f"masks/{number}-{place}.png"
            _mask(drawn_pictures.painted(rng, truth, shared, *drawn_pictures.KINDS[place])).save(folder / mask)
            rows.append((f'"{image}"', f'"{worker}"', mask))
    (folder / "manifest.csv").write_text(csv(rows, "image,worker,mask"))
    (folder / "truth.csv").write_text(csv(true, "image,mask"))
    (folder / "gold.csv").write_text(csv(true[:1], "image,mask"))
    labels = enumerate(drawn_pictures.LABELS)
    (folder / "classes.csv").write_text(csv(list(labels), "value,label"))
    return folder


def _picture(truth: Map, rng: np.random.Generator) -> Image.Image:
    noise = rng.integers(0, 40, (*truth.shape, 3), dtype=np.uint8)
    return Image.fromarray(COLOURS[truth] + noise)


def _mask(labels: Map) -> Image.Image:
    return Image.fromarray(labels.astype(np.uint8))
