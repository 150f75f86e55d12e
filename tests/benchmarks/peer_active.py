"""Score items with cleanlab's ActiveLab. Runs in the peers' environment, without consensus.

    python tests/benchmarks/peer_active.py FOLDER

For every line on stdin, reads labels.npy, (I, W) codes of labels with NaN where a worker gave none, and
probabilities.npy (I, K), from FOLDER, and writes scores.npy (I,) there: those of ``get_active_learning_scores``, the
lowest are asked for first. Then prints "done". The first line that it prints is the version.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import sys
from pathlib import Path

import numpy as np
from cleanlab.multiannotator import get_active_learning_scores


def main(name: str) -> None:
    folder = Path(name)
    sys.stdout.write(importlib.metadata.version("cleanlab") + "\n")
    sys.stdout.flush()
    for _ in sys.stdin:
        labels, probabilities = np.load(folder / "labels.npy"), np.load(folder / "probabilities.npy")
        with contextlib.redirect_stdout(io.StringIO()):  # it tells of workers without overlap
            scores, _unlabelled = get_active_learning_scores(labels, probabilities)
        np.save(folder / "scores.npy", scores)
        sys.stdout.write("done\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
