"""Writes shapes/answers.csv: what two people answer about the chunks that ``consensus chunks run`` asks about first.

``python data/click_shapes.py [FILE]``. They know the truth of each chunk (its most frequent true class), and one time
in twenty each clicks another of the labels that are offered. An answer names its chunk, and a chunk is called so as
long as the masks are what they are, whatever the run asks about first.
"""

import csv
import sys
from pathlib import Path

import numpy as np

from consensus import chunks
from consensus.masks.reading import read_masks

SHAPES = Path(__file__).parent / "shapes"
WORKERS, EACH, WRONG, SEED = ("kim", "lou"), 10, 0.05, 0


def made(shapes: Path = SHAPES) -> list[tuple[str, str, str]]:
    """Item, worker and label of each answer."""
    run = chunks.run(shapes / "manifest.csv", classes=shapes / "classes.csv")
    truth = read_masks(None, gold=shapes / "truth.csv", classes=shapes / "classes.csv")
    true = {one.name: one.gold for one in truth.pictures}
    rng, rows = np.random.default_rng(SEED), list[tuple[str, str, str]]()
    disputed = run.escalations[(run.escalations["judgments"] > 0) & (run.escalations["reason"] != "audit")]
    for image, asked in disputed.groupby("image", sort=True):
        painted, mask = run.painted(str(image)), true[str(image)]
        assert mask is not None
        labels = mask.read(painted.picture.height, painted.picture.width)
        for one in asked.head(EACH).to_dict("records"):
            x, y = map(int, one["item"].rpartition("#")[2].partition("-")[0].split(","))
            inside = labels[painted.chunk_of_pixel == painted.chunk_of_pixel[y, x]]
            label = run.labels[int(np.bincount(inside[inside >= 0]).argmax())]
            others = [name for name in one["candidates"].split(" | ") if name != label]
            for worker in WORKERS:
                is_wrong = bool(others) and rng.random() < WRONG
                rows.append((one["item"], worker, str(rng.choice(others)) if is_wrong else label))
    return rows


if __name__ == "__main__":
    path = Path(sys.argv[1]) if sys.argv[1:] else SHAPES / "answers.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([("item", "worker", "label"), *made()])
