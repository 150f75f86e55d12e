"""Time the EM passes of crowd-kit's Dawid-Skene on a CSV of item, worker, label. Runs in the peers' environment.

    python tests/benchmarks/peer_pass.py FILE [--passes N] [--limit SECONDS]

A pass is what ``fit`` does once an iteration: E step, class prior, M step, lower bound. Each pass ends where the lower
bound returns, so a pass is the time between two such ends; the first one, which includes setting up, does not count.
``fit`` is crowd-kit's own and is told not to stop by its tolerance. Prints JSON on stdout: wall and CPU seconds of a
pass, CPU seconds of it without the lower bound, and the passes made.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from crowdkit.aggregation import DawidSkene

LEAST_PASSES = 2


@dataclass(frozen=True, slots=True)
class Moment:
    wall: float
    cpu: float

    @classmethod
    def now(cls) -> Moment:
        return cls(time.perf_counter(), time.process_time())


class Timed(DawidSkene):  # type: ignore[misc]
    """Dawid-Skene that notes when passes end, and stops when the next one would end beyond the limit."""

    def watch(self, deadline: float) -> None:
        self.deadline = deadline
        self.bound_begins: list[Moment] = []
        self.ends: list[Moment] = []

    def _evidence_lower_bound(self, *arguments: Any) -> float:
        self.bound_begins.append(Moment.now())
        bound = float(super()._evidence_lower_bound(*arguments))
        self.ends.append(Moment.now())
        if len(self.ends) >= LEAST_PASSES:
            last = self.ends[-1].wall - self.ends[-2].wall
            if self.ends[-1].wall + last > self.deadline:
                self.tol = np.inf  # any gain is now too small to go on
        return bound


def main() -> None:
    start = time.perf_counter()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("judgments", type=Path)
    parser.add_argument("--passes", type=int, default=6, help=f"at most; at least {LEAST_PASSES}")
    parser.add_argument(
        "--limit", type=float, default=240.0, help="no pass is begun that would end after these seconds"
    )
    options = parser.parse_args()

    table = pd.read_csv(options.judgments, dtype=str, keep_default_na=False)
    table = table.rename(columns={"item": "task"})[["task", "worker", "label"]]
    read = time.perf_counter()
    model = Timed(n_iter=max(options.passes, LEAST_PASSES), tol=-np.inf)
    model.watch(start + options.limit)
    model.fit(table)
    timed = len(model.ends) - 1
    bounds = sum(end.cpu - begin.cpu for begin, end in zip(model.bound_begins[1:], model.ends[1:], strict=True))
    cpu = model.ends[-1].cpu - model.ends[0].cpu
    told = {
        "version": importlib.metadata.version("crowd-kit"),
        "read": read - start,
        "pass": (model.ends[-1].wall - model.ends[0].wall) / timed,
        "pass_cpu": cpu / timed,
        "pass_cpu_without_bound": (cpu - bounds) / timed,
        "passes": len(model.ends),
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
