"""Draws harbour.png: what one person painted, what was merged, and how unsure it is: ``python docs/chunks/draw.py``."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from consensus import chunks
from consensus.chunks import drawing

HERE = Path(__file__).parent
SHAPES = HERE.parents[1] / "data" / "shapes"
PICTURE, WORKER, LINE, GAP, SHADES = "pictures/evening.png", "cleo", 2, 8, 256


def made(shapes: Path = SHAPES) -> NDArray[np.uint8]:
    """(H, W, 3) three panels beside each other."""
    run = chunks.run(shapes / "manifest.csv", classes=shapes / "classes.csv")
    painted = run.painted(PICTURE)
    listed, colours = run.listed(painted), drawing.shown_colours(run.masks.classes)
    picture = drawing.opened(painted.picture.path, painted.picture.height, painted.picture.width)
    assert picture is not None
    (own,) = (c for c, one in enumerate(painted.counted.columns) if one.name == WORKER)
    disputed = np.isin(painted.chunk_of_pixel, listed.chunk[~listed.audited])
    labels, confidence = painted.pixels
    panels = [
        drawing.over(picture, drawing.outlines(painted.counted.votes[:, own][painted.ids], run.ground, colours, LINE)),
        drawing.over(picture, drawing.hatched(disputed), drawing.outlines(labels, run.ground, colours, LINE)),
        drawing.unsure(confidence),
    ]
    between = np.full((picture.shape[0], GAP, 3), 255, np.uint8)
    return np.concatenate([panels[0], between, panels[1], between, panels[2]], axis=1)


if __name__ == "__main__":
    from PIL import Image

    Image.fromarray(made()).quantize(SHADES).save(HERE / "harbour.png", optimize=True)
