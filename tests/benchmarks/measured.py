"""Run a command and measure it: wall seconds and peak memory (Linux and macOS).

The command runs below this file in a fresh interpreter. Started directly, it would inherit the peak of the process
that forked it, and the peak of all children of one process is the largest of them.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

BYTES_PER_MAXRSS = 1 if sys.platform == "darwin" else 1024
BYTES_PER_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Measured:
    """A command that ended well."""

    stdout: str
    seconds: float
    """Wall, from the start of the process to its end."""
    peak_mb: float
    """Largest resident memory, of 10^6 bytes."""


def run(command: Sequence[str | Path]) -> Measured:
    """Run ``command`` to its end; a failure ends this script with what it wrote to stderr."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        arguments = [sys.executable, __file__, str(report), *map(str, command)]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(map(str, command))}: exit status {done.returncode}\n{done.stderr}")
        return Measured(done.stdout, **json.loads(report.read_text(encoding="utf-8")))


def main(report: str, *command: str) -> int:
    start = time.perf_counter()
    status = subprocess.run(command, check=False).returncode
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * BYTES_PER_MAXRSS / BYTES_PER_MB
    Path(report).write_text(json.dumps({"seconds": seconds, "peak_mb": peak}), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
