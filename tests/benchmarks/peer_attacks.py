"""Label crowds with crowd-kit's Dawid-Skene. Runs in the peers' environment, without consensus.

    python tests/benchmarks/peer_attacks.py FOLDER

For every line on stdin, a number N, reads N.npz from FOLDER: judgments (J, 3), codes of item, worker and label; and
gold (G, 2), codes of item and label. Writes N.npy there: (I,) the code of the label of each item, and prints N. The
first line that it prints is the version.
"""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from crowdkit.aggregation import DawidSkene


def main(name: str) -> None:
    folder = Path(name)
    sys.stdout.write(importlib.metadata.version("crowd-kit") + "\n")
    sys.stdout.flush()
    for line in sys.stdin:
        number = line.strip()
        crowd = np.load(folder / f"{number}.npz")
        table = pd.DataFrame(crowd["judgments"], columns=["task", "worker", "label"])
        gold = crowd["gold"]
        known = pd.Series(gold[:, 1], gold[:, 0], name="label") if len(gold) else None
        labels = DawidSkene().fit_predict(table, known)
        np.save(folder / f"{number}.npy", labels.sort_index().to_numpy())
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
