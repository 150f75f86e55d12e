"""Fit a CSV of judgments as ``consensus run`` does, and print as JSON how long every kind of EM pass took.

The passes of ``consensus run`` that summary.json counts are those of the reported fit; the fits that measure rho on
held-out judgments come on top, and are told apart here.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

import consensus


def main(path: str) -> None:
    start = time.perf_counter()
    judgments = consensus.read(Path(path))
    read = time.perf_counter() - start
    ends: dict[str, list[float]] = {}

    def progress(stage: str, done: int, objective: float, gain: float) -> None:  # noqa: ARG001
        ends.setdefault(stage, []).append(time.perf_counter())

    start = time.perf_counter()
    consensus.fit(judgments, progress=progress)
    fit = time.perf_counter() - start
    passes = {stage: len(times) for stage, times in ends.items()}
    # The first pass of a stage includes its setting up, so a pass is the time between two ends.
    seconds_a_pass = float(np.mean(np.diff(ends["fitting"])))
    told = {"read": read, "fit": fit, "passes": passes, "seconds_a_pass": seconds_a_pass}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
