"""Every command with standard streams that are closed, full, or read by nobody: no traceback, an exit code as told.

``python -m tests.benchmarks.streams [--only NAME]``
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from consensus.__main__ import BROKEN_PIPE
from consensus.errors import SETTINGS
from tests.benchmarks.kills import SHAPES
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

JUDGED = ROOT / "data" / "digits" / "judgments.csv"
TRUTH = ROOT / "data" / "digits" / "truth.csv"
CHUNKS = f"chunks run {SHAPES / 'manifest.csv'} --classes {SHAPES / 'classes.csv'} --no-report --crops 0"
COMMANDS = {
    "help": "--help",
    "help of a command": "run --help",
    "version": "--version",
    "run": f"run {JUDGED} --no-report --overwrite -o w/out --json",
    "check": f"check {JUDGED}",
    "plan-budget": f"plan-budget {JUDGED} --items 20 --votes 2 --target 0.9",
    "plan-gold": f"plan-gold {JUDGED}",
    "aggregate": f"aggregate {JUDGED}",
    "audit": f"audit {JUDGED}",
    "agreement": f"agreement {JUDGED}",
    "escalate": f"escalate {JUDGED}",
    "shares": f"shares {JUDGED}",
    "report": "report done -o -",
    "explain": "explain done digit_0156",
    "diff": "diff done done",
    "evaluate": f"evaluate done {TRUTH}",
    "simulate": "simulate w/crowd --items 100 --overwrite",
    "demo": "demo w/demo --overwrite",
    "chunks make": f"chunks make {SHAPES / 'pictures' / 'dawn.png'} -o $(mktemp -d w/XXXX)",
    "chunks run": f"{CHUNKS} --overwrite -o w/c --json",
    "chunks answers": f"chunks answers answered {SHAPES / 'answers.csv'} --json",
    "chunks evaluate": f"chunks evaluate pictures {SHAPES / 'truth.csv'}",
}
SILENT = ("simulate", "demo", "chunks make", "diff")
"""They say all on stderr, as diff does where nothing differs."""
STREAMS: dict[str, tuple[str, tuple[int, ...]]] = {
    "nobody reads": ("| head -n 0", (0, BROKEN_PIPE)),
    "one line is read": ("| head -n 1 >/dev/null", (0, BROKEN_PIPE)),
    "closed output": (">&-", (0,)),
    "full output": (">/dev/full", (SETTINGS,)),
    "closed input": ("<&- >/dev/null", (0,)),
    "closed errors": ("2>&- >/dev/null", (0,)),
    "full errors": ("2>/dev/full >/dev/null", (0, SETTINGS)),
    "all closed": ("<&- >&- 2>&-", (0,)),
}


def consensus(given: str, streams: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, with ``streams`` as a shell redirects them."""
    told = f"set -o pipefail; {shlex.quote(sys.executable)} -m consensus {given} {streams}"
    return subprocess.run(
        ["bash", "-c", told],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def prepare(folder: Path) -> None:
    """Write what the commands read into a ``folder``."""
    (folder / "w").mkdir()
    for given in (f"run {JUDGED} --no-report -o done", f"{CHUNKS} -o answered", f"{CHUNKS} -o pictures"):
        ended = consensus(given, "-q", folder)
        if ended.returncode:
            raise ValueError(ended.stderr)


def tried(name: str, folder: Path, streams: Iterable[str] = STREAMS) -> list[str]:
    """Run a command with each of the ``streams``; what was wrong."""
    wrong = []
    for stream in streams:
        redirected, expected = STREAMS[stream]
        if name in SILENT and stream == "full output":
            expected = (0,)
        ran = consensus(COMMANDS[name], redirected, folder)
        if ran.returncode not in expected:
            wrong.append(f"{stream}: exit code {ran.returncode}, {ran.stderr[-300:]}")
        if "Traceback" in ran.stderr or "Exception ignored" in ran.stderr:
            wrong.append(f"{stream}: {ran.stderr[-600:]}")
        if ran.returncode == SETTINGS and stream == "full output":
            line = ran.stderr.splitlines()[-1]
            if "standard output can't be written: no space left on device; make room there" not in line:
                wrong.append(f"{stream}: said {line}")
    left = [one.name for one in folder.rglob(".*") if one.name.endswith((".partial", ".old"))]
    return wrong + [f"left {one}" for one in left]


def main() -> None:
    """Print what became of each command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=sorted(COMMANDS))
    parser.add_argument("--stream", action="append", choices=sorted(STREAMS))
    given = parser.parse_args()
    streams = given.stream or list(STREAMS)
    with TemporaryDirectory() as folder:
        prepare(Path(folder))
        for name in given.only or COMMANDS:
            wrong = tried(name, Path(folder), streams)
            sys.stdout.write(f"{name}: {len(streams)} kinds of streams, {len(wrong)} wrong\n")
            sys.stdout.writelines(f"    {one.strip()}\n" for one in wrong)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
