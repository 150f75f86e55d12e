"""Small crowds: the average of readings against Dawid-Skene alone, where readings can hardly be weighed.

    python tests/benchmarks/small_crowds.py [--draws N]

Prints a Markdown table: what the average changes, in the mean of all draws, with its standard error.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

import consensus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tests.benchmarks import markdown_tables
    from tests.benchmarks import other_families as families
else:  # run as a script, its own folder is on the path
    import markdown_tables
    import other_families as families

from tests.other_crowds import Recipe, draw

SHAPES: tuple[tuple[int, int, int, int], ...] = (
    (20, 5, 2, 3),
    (30, 6, 2, 5),
    (50, 3, 2, 3),
    (50, 3, 3, 3),
    (50, 5, 2, 5),
    (50, 10, 2, 3),
    (50, 10, 4, 5),
    (100, 10, 2, 3),
    (100, 10, 4, 3),
)
"""Items, workers, labels, judgments an item."""
KINDS = {"hard items": Recipe(activity_sd=0.5, difficulty_sd=1.0), "a ring": Recipe(activity_sd=0.5, ring=0.3)}
"""Crowds of another family; besides, the engine's own."""
OWN = "engine's own"
SMALLEST = 1e-6  # probabilities are clipped there
DRAWS = 150


def drawn(shape: tuple[int, int, int, int], kind: str, seed: int) -> tuple[consensus.Judgments, NDArray[np.int64]]:
    """Judgments of a crowd, and the code of the true label of every item."""
    n_items, n_workers, n_labels, per_item = shape
    if kind == OWN:
        spammers = 0.1 if n_workers >= 10 else 0.0
        own = consensus.simulate(n_items, n_workers, n_labels, per_item, spammers=spammers, seed=seed)
        return own.judgments, own.truth.astype(np.int64)
    crowd = draw(replace(KINDS[kind], n_items=n_items, n_workers=n_workers, n_labels=n_labels, per_item=per_item), seed)
    labels = tuple(f"l{k}" for k in range(n_labels))
    judgments = consensus.read(crowd.table[families.PLAIN]).with_labels(labels)
    truth = crowd.truth.set_index("item")["label"][judgments.item_ids.to_pylist()]
    return judgments, np.array([labels.index(label) for label in truth])


def gains(shape: tuple[int, int, int, int], kind: str, draws: int) -> NDArray[np.float64]:
    """(draws, 2) accuracy of the average less that of Dawid-Skene alone, in points; the same of log loss, in nats."""

    def scores() -> Iterator[list[float]]:
        for seed in range(draws):
            judgments, truth = drawn(shape, kind, seed)
            for model in ("dawid_skene", "average"):
                result = consensus.fit(judgments, model=model)
                right = result.posterior[np.arange(len(truth)), truth]
                accuracy = 100.0 * float((result.consensus_label == truth).mean())
                yield [accuracy, float(-np.log(np.maximum(right, SMALLEST)).mean())]

    found = np.array(list(scores())).reshape(draws, 2, 2)
    return np.asarray(found[:, 1] - found[:, 0], np.float64)


def table(draws: int) -> str:
    """One row a shape and kind."""
    rows = []
    for shape in SHAPES:
        for kind in (OWN, *KINDS):
            gained = gains(shape, kind, draws)
            error = gained.std(axis=0) / np.sqrt(draws)
            figures = zip(gained.mean(axis=0), error, (2, 3), strict=True)
            rows.append([f"{kind}, {' x '.join(map(str, shape))}", *(f"{m:+.{d}f} ±{e:.{d}f}" for m, e, d in figures)])
    return markdown_tables.table(
        ["crowd (items, workers, labels, an item)", "accuracy (points)", "log loss (nats)"], rows
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=DRAWS, help="of every crowd")
    sys.stdout.write(table(parser.parse_args().draws) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
