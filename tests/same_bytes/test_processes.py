"""Threads, the seed of hashes, the time zone and the locale of a process change no byte of what commands write."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import consensus
from tests.conftest import ROOT
from tests.same_bytes.outputs import as_is, differing, neutral
from tests.same_bytes.test_formats import FILES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.same_bytes.crowd import Tables

pytestmark = [pytest.mark.compiled, pytest.mark.slow]

PLAIN = {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8"}
WITHOUT_UTF8 = {"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONUTF8": "0"}
HALF_AN_HOUR_OFF = {
    "PYTHONHASHSEED": "random",
    "TZ": "America/St_Johns",
    "LC_ALL": "de_DE.ISO-8859-1",
    "LANGUAGE": "de",
}
LEFT = ("LC_", "LANG", "PYTHONUTF8", "PYTHONHASHSEED", "PYTHONIOENCODING", "TZ")


@pytest.fixture(scope="module")
def work(tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files, and what the commands wrote of them in a plain environment."""
    folder = tmp_path_factory.mktemp("work")
    other = tables.shuffled(4)
    tables.judgments.to_csv(folder / "rows.csv", index=False)
    other.judgments.to_csv(folder / "shuffled.csv", index=False)
    for name in ("zones.csv", "typed.parquet"):
        FILES[name](tables.judgments, folder / name)
    tables.written(folder)
    consensus.run(tables.judgments[:300], gold=tables.gold).save(folder / "earlier", report=False)
    _run(folder, "written-plainly", "rows", PLAIN)
    return folder


def _run(folder: Path, out: str, rows: str, environment: dict[str, str], *options: str) -> None:
    usual = {name: one for name, one in os.environ.items() if not name.startswith(LEFT)}
    path = os.pathsep.join([str(ROOT), *filter(None, [usual.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "tests.same_bytes.commands", out, rows, *options]
    environment = {**usual, "PYTHONPATH": path, "PYTHONCOERCECLOCALE": "0", **environment}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")[-2000:]


def test_in_another_environment(work: Path) -> None:
    _run(work, "written-elsewhere", "rows", WITHOUT_UTF8, "--threads", "1")
    plain, other = as_is(work / "written-plainly"), as_is(work / "written-elsewhere")
    assert len(plain) > 100
    assert min(len(plain[name]) for name in ("diff", "explain", "run.json", "audit-drift")) > 300
    assert "猫".encode() in plain["explain"]
    assert differing(_without_place(plain), _without_place(other)) == []


def test_shuffled_rows_in_another_environment(work: Path) -> None:
    """Only places of rows are different."""
    _run(work, "written-shuffled", "shuffled", HALF_AN_HOUR_OFF, "--threads", "4")
    plain, other = (_tables(work / out) for out in ("written-plainly", "written-shuffled"))
    assert differing(plain, other) == []
    files = [work / "rows.csv", work / "shuffled.csv"]
    pages = [neutral(work / out / "run", files) for out in ("written-plainly", "written-shuffled")]
    assert "report.html" in pages[0]
    assert differing(*pages) == []


def test_times_with_a_zone_and_typed_times_are_the_same(work: Path) -> None:
    plain = consensus.run(work / "rows.csv", gold=work / "gold.csv", group="batch")
    for form, written in (("csv", "zones-run"), ("jsonl", "typed-run")):
        plain.save(work / form, report=False, format=form)
        found, expected = as_is(work / "written-plainly" / written), as_is(work / form)
        names = [name for name in expected if name.endswith(form) and not name.startswith("rejects")]
        assert f"drift.{form}" in names
        assert differing({name: found[name] for name in names}, {name: expected[name] for name in names}) == []


def _tables(out: Path) -> dict[str, Any]:
    """Tables in folders and of standard output."""
    left = ("summary.json", "report.html", "rejects.csv", "run.json")
    return {name: one for name, one in as_is(out).items() if not name.endswith(left)}


def _without_place(files: dict[str, bytes]) -> dict[str, bytes]:
    """What was written, without the name of the folder into which."""
    return {name: re.sub(rb"written-[a-z]+", b"OUT", content) for name, content in files.items()}
