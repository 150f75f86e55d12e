"""Fit crowd-kit's Dawid-Skene to a CSV of item, worker, label. Runs in the peers' environment, without consensus.

Writes a CSV of posteriors (item, then one column a label); prints JSON on stdout.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import resource
import sys
import time
from pathlib import Path

import pandas as pd
from crowdkit.aggregation import DawidSkene

DEFAULT_ITERATIONS = 100  # n_iter of crowd-kit 1.4.2; its tol stays at the default too, 1e-5 a judgment


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("judgments", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--iterations", type=int, default=DEFAULT_ITERATIONS)
    options = parser.parse_args()

    table = pd.read_csv(options.judgments, dtype=str, keep_default_na=False)
    table = table.rename(columns={"item": "task"})[["task", "worker", "label"]]
    model = DawidSkene(n_iter=options.iterations)
    start = time.perf_counter()
    model.fit(table)
    seconds = time.perf_counter() - start
    model.probas_.rename_axis("item").to_csv(options.out)
    told = {
        "version": importlib.metadata.version("crowd-kit"),
        "seconds": seconds,
        "iterations": len(model.loss_history_),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6,
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
