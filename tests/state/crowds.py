"""Small crowds as files, and what a run of them writes."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from consensus.runs import run

Row = tuple[str, str, str]
OUTPUT = {"report": False, "posteriors": True, "overwrite": True}
LABELS = ("cat", "dog", "owl")


def rows(n: int, seed: int, *, n_items: int = 30, n_workers: int = 8, accuracy: float = 0.75) -> list[Row]:
    """Judgments (item, worker, label) by workers who are right with a probability; a pair may occur twice."""
    drawn = np.random.default_rng(seed)
    found = []
    for _ in range(n):
        item, worker = int(drawn.integers(n_items)), int(drawn.integers(n_workers))
        label = item % 3 if drawn.random() < accuracy else int(drawn.integers(3))
        found.append((f"i{item:03d}", f"w{worker}", LABELS[label]))
    return found


def write(path: Path, some: Sequence[Sequence[Any]], header: Sequence[str] = ("item", "worker", "label")) -> Path:
    """A CSV file of rows."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(some)
    return path


def saved(found: Any, folder: Path) -> dict[str, bytes]:
    """All files of the output folder of a run, but for what only an update writes."""
    found.save(folder, **OUTPUT)
    names = sorted(path.name for path in folder.iterdir())
    return {name: (folder / name).read_bytes() for name in names if name not in {"changes.csv", "summary.json"}}


def reference(folder: Path, judgments: Any, **given: Any) -> dict[str, bytes]:
    """The output of a run of all inputs."""
    return saved(run(judgments, **given), folder)
