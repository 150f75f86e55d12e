"""One EM pass of Dawid-Skene with ``scipy.sparse``: what one would write oneself in twenty lines.

    python tests/benchmarks/sparse_pass.py FILE [--passes N]

Runs in the peers' environment, without consensus. FILE is a CSV or Parquet of item, worker, label. Prints JSON on
stdout: seconds to read, to prepare, and of a pass (wall and CPU, means without the first pass).
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]
    Codes = NDArray[Any]

SMOOTHING = 0.01  # pseudo-count added to every cell of a confusion matrix


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """The judgments as a matrix of ones, and its transpose."""

    items: Any
    """(I, R) CSR; rows of the crowd are the pairs (worker, observed label) that occur."""
    rows: Any
    """(R, I) CSR."""
    worker_start: NDArray[np.int64]
    """(W,) first row of each worker."""
    rows_of: NDArray[np.int64]
    """(W,) number of rows of each worker."""
    n_labels: int
    votes: Reals
    """(I, K) shares of the judgments: where EM starts."""


def prepare(item: Codes, worker: Codes, label: Codes, n_labels: int) -> Prepared:
    pair, row = np.unique(worker.astype(np.int64) * n_labels + label, return_inverse=True)
    n_items = int(item.max()) + 1
    ones = np.ones(len(item))
    items = sparse.csr_array((ones, (item, row)), shape=(n_items, len(pair)))
    votes = sparse.csr_array((ones, (item, label)), shape=(n_items, n_labels)).toarray()
    _, start, rows_of = np.unique(pair // n_labels, return_index=True, return_counts=True)
    return Prepared(items, items.T.tocsr(), start, rows_of, n_labels, votes / votes.sum(axis=1, keepdims=True))


def em_pass(p: Prepared, posterior: Reals) -> Reals:
    """M step from the posterior (I, K), then E step: the next posterior."""
    counts = p.rows @ posterior
    pi = (posterior.sum(axis=0) + 1.0) / (len(posterior) + p.n_labels)
    totals = np.add.reduceat(counts, p.worker_start) + p.n_labels * SMOOTHING
    log_rows = np.log((counts + SMOOTHING) / np.repeat(totals, p.rows_of, axis=0))
    log_joint = p.items @ log_rows
    log_joint += np.log(pi)
    log_joint -= log_joint.max(axis=1, keepdims=True)
    joint = np.exp(log_joint, out=log_joint)
    joint /= joint.sum(axis=1, keepdims=True)
    return np.asarray(joint, np.float64)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("judgments", type=Path)
    parser.add_argument("--passes", type=int, default=6, help="the first is not timed")
    options = parser.parse_args()

    start = time.perf_counter()
    is_csv = options.judgments.suffix == ".csv"
    table = pd.read_csv(options.judgments, engine="pyarrow") if is_csv else pd.read_parquet(options.judgments)
    codes = [pd.factorize(table[name])[0] for name in ("item", "worker", "label")]
    n_labels = int(codes[2].max()) + 1
    del table
    read = time.perf_counter()
    prepared = prepare(codes[0], codes[1], codes[2], n_labels)
    ready = time.perf_counter()
    posterior = em_pass(prepared, prepared.votes)
    begin, begin_cpu = time.perf_counter(), time.process_time()
    for _ in range(options.passes - 1):
        posterior = em_pass(prepared, posterior)
    timed = options.passes - 1
    told = {
        "version": importlib.metadata.version("scipy"),
        "read": read - start,
        "prepare": ready - read,
        "pass": (time.perf_counter() - begin) / timed,
        "pass_cpu": (time.process_time() - begin_cpu) / timed,
        "passes": options.passes,
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
