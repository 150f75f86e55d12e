"""Merge labels and the probabilities of models with cleanlab. Runs in the peers' environment, without consensus.

    python tests/benchmarks/peer_ensemble.py FOLDER

FOLDER holds labels.npy, (I, H) codes of the labels that H people gave, and probabilities.npy, (M, I, K) of M models.
Writes there label.npy and quality.npy, both (I,): the consensus label of ``get_label_quality_multiannotator_ensemble``
and its quality score, 0 to 1. Prints JSON on stdout.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import time
from pathlib import Path

import numpy as np
from cleanlab import multiannotator


def main(name: str) -> None:
    folder = Path(name)
    labels, probabilities = np.load(folder / "labels.npy"), np.load(folder / "probabilities.npy")
    start = time.perf_counter()
    found = multiannotator.get_label_quality_multiannotator_ensemble(labels, probabilities, verbose=False)
    seconds = time.perf_counter() - start
    quality = found["label_quality"]
    np.save(folder / "label.npy", quality["consensus_label"].to_numpy())
    np.save(folder / "quality.npy", quality["consensus_quality_score"].to_numpy())
    sys.stdout.write(json.dumps({"version": importlib.metadata.version("cleanlab"), "seconds": seconds}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
