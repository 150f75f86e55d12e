"""Every command with standard streams that are closed, full, or read by nobody: no traceback, an exit code as told."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from consensus.__main__ import BROKEN_PIPE
from consensus.errors import SETTINGS
from tests.benchmarks.kills import SHAPES
from tests.conftest import ROOT

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
    "simulate": "simulate w/crowd --items 50 --overwrite",
    "demo": "demo w/demo --overwrite",
    "chunks make": f"chunks make {SHAPES / 'pictures' / 'dawn.png'} -o $(mktemp -d w/XXXX)",
    "chunks run": f"{CHUNKS} --overwrite -o w/c --json",
    "chunks answers": f"chunks answers answered {SHAPES / 'answers.csv'} --json",
    "chunks evaluate": f"chunks evaluate pictures {SHAPES / 'truth.csv'}",
}
SILENT = ("simulate", "demo", "chunks make")
"""They say all on stderr."""
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


def consensus(given: str, streams: str, folder: Path) -> "subprocess.CompletedProcess[str]":
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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("streams")
    (made / "w").mkdir()
    for given in (f"run {JUDGED} --no-report -o done", f"{CHUNKS} -o answered", f"{CHUNKS} -o pictures"):
        assert consensus(given, "-q", made).returncode == 0
    return made


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("name", COMMANDS)
def test_no_traceback(name: str, folder: Path) -> None:
    wrong = []
    for stream, (redirected, expected) in STREAMS.items():
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
    assert wrong + left == []
