"""Run a command and measure it: wall and CPU seconds and peak memory (Linux and macOS).

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
TIMED_OUT = 124  # exit status, as that of timeout(1)


class Failed(SystemExit):
    """A command failed; where nobody catches it, it ends the script with its words."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A command that ended well."""

    stdout: str
    stderr: str
    seconds: float
    """Wall, from the start of the process to its end."""
    cpu_seconds: float
    """User and system, of all its threads."""
    peak_mb: float
    """Largest resident memory, of 10^6 bytes."""


def run(command: Sequence[str | Path], timeout: float | None = None) -> Measured:
    """Run ``command`` to its end, or for ``timeout`` seconds.

    Raises
    ------
    Failed
        Its exit status is not 0, or the time is up; with what it wrote to stderr.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        arguments = [sys.executable, __file__, str(report), str(timeout or 0.0), *map(str, command)]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
        if done.returncode:
            why = f"not done in {timeout} s" if done.returncode == TIMED_OUT else f"exit status {done.returncode}"
            raise Failed(f"{' '.join(map(str, command))}: {why}\n{done.stderr}")
        return Measured(done.stdout, done.stderr, **json.loads(report.read_text(encoding="utf-8")))


def main(report: str, timeout: str, *command: str) -> int:
    start = time.perf_counter()
    try:
        status = subprocess.run(command, check=False, timeout=float(timeout) or None).returncode
    except subprocess.TimeoutExpired:
        return TIMED_OUT
    seconds = time.perf_counter() - start
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = {
        "seconds": seconds,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss * BYTES_PER_MAXRSS / BYTES_PER_MB,
    }
    Path(report).write_text(json.dumps(told), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
