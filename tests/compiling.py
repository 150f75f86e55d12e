"""Compile the loops before the tests run, where that is not done: ``python -m tests.compiling``.

Two processes share the work: what every command compiles first, and the rest.
"""

import contextlib
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from consensus import kernels


def is_done() -> bool:
    """Whether the loops were compiled after the last change of their sources."""
    from consensus.kernels import em

    if not kernels.are_compiled(with_votes=True):
        return False
    compiled = Path(em.em_pass.stats.cache_path)  # type: ignore[attr-defined]
    for source in Path(kernels.__file__).parent.glob("*.py"):
        entries = [path.stat().st_mtime for path in compiled.glob(f"{source.stem}.*.nbi")]
        if entries and max(entries) < source.stat().st_mtime:
            return False
    return True


def usual() -> None:
    """What is compiled before the first fit."""
    from consensus.cli import job

    job.compile_all(job.Show(quiet=True), with_votes=True)


def rest() -> None:
    """What is compiled on the way: reading, writing, copying, changes over time, very many labels, masks."""
    from consensus import agreement, audit, fit, read, simulate, worker_audit
    from consensus.formats import writing
    from consensus.worker_audit.accuracy import against_others

    table = simulate(60, 6, 2, 4).judgments_table().assign(timestamp="2025-03-14T09:22:07Z")
    with tempfile.TemporaryDirectory() as folder:
        writing.write(table, Path(folder) / "judgments.csv")
        judgments = read(Path(folder) / "judgments.csv")
    shares = fit(judgments, model="majority_vote")
    agreement(judgments, n_bootstrap=2)
    worker_audit.groups(shares)
    audit(shares)
    sparse = fit(simulate(20_000, 6, 300, 2).judgments)
    audit(sparse)
    for result in (shares, sparse):
        against_others.right_of_others(result, np.zeros(1, np.int64))
    _outlines()


def _outlines() -> None:
    from consensus.masks.outlines import Brush, CocoRuns, Ellipse, Rings

    out_map = np.zeros((1, 1), np.int16)
    square = Rings.of_flat([[0, 0, 1, 0, 1, 1]])
    runs = [CocoRuns.of({"size": [1, 1], "counts": one}) for one in ("01", [0, 1])]
    outlines: list[Any] = [square, *runs, Ellipse(0, 0, 1, 1, 0), Brush.of([0, 0, 0, 4, 56, 0, 0, 48, 0, 0])]
    for one in outlines:
        with contextlib.suppress(ValueError):
            one.paint(1, 0, out_map)


if __name__ == "__main__":
    parts = {"usual": usual, "rest": rest}
    if sys.argv[1:]:
        parts[sys.argv[1]]()
    elif not is_done():
        started = [subprocess.Popen([sys.executable, "-m", "tests.compiling", part]) for part in parts]
        sys.exit(max(process.wait() for process in started))
