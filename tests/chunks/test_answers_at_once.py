"""Two who answer into the same folder at once: the clicks of both count."""

import subprocess
import sys
import threading
from pathlib import Path

import pandas as pd
import pytest

from consensus import chunks
from consensus.chunks import folder
from tests.conftest import ROOT

SHAPES = ROOT / "data" / "shapes"


class Waiting:
    """Tells when a command says that it waits."""

    def __init__(self) -> None:
        self.waits = threading.Event()
        self.said: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)
        self.waits.set()

    def stage(self, what: str, done: float | None = None) -> None:
        pass

    def fitting(self, stage: str, done: int, objective: float, gain: float) -> None:
        pass


def test_the_clicks_of_both_count(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run = chunks.run(SHAPES / "manifest.csv", classes=SHAPES / "classes.csv")
    chunks.save(run, out, crops=0, report=False)
    given = pd.read_csv(SHAPES / "answers.csv", dtype="str")
    mine, theirs = given[::2], given[1::2]
    heard = Waiting()
    other = threading.Thread(target=chunks.answers, args=(out, theirs), kwargs={"listener": heard})
    link = tmp_path / "link"
    link.symlink_to(out)
    with folder.alone(link):
        read = chunks.load(out)
        other.start()
        assert heard.waits.wait(60)  # what it reads is what is written here
        chunks.save(chunks.answers(read, mine), out, overwrite=True, crops=0, report=False)
    other.join(120)
    assert heard.said == [f"waiting for another command that writes {out}"]
    kept = pd.read_csv(out / "clicks.csv", dtype="str")
    assert sorted(map(tuple, kept.to_numpy())) == sorted(map(tuple, given.to_numpy()))


@pytest.mark.slow
@pytest.mark.compiled
def test_a_run_that_overwrites_waits_for_answers(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    manifest, classes = SHAPES / "manifest.csv", SHAPES / "classes.csv"
    command = ["chunks", "run", manifest, "--classes", classes, "-o", out, "--overwrite", "--crops", "0", "--no-report"]
    line = [sys.executable, "-m", "consensus", *map(str, command)]
    alone = folder.alone(out)
    alone.__enter__()
    with subprocess.Popen(line, cwd=ROOT, stderr=subprocess.PIPE, text=True) as ran:
        assert ran.stderr is not None
        said = next((one for one in ran.stderr if one.startswith("waiting")), "it did not wait")
        assert list(out.iterdir()) == []
        alone.__exit__(None, None, None)
        ran.stderr.read()
    assert said == f"waiting for another command that writes {out}\n"
    assert ran.returncode == 0
    assert (out / "chunks.csv").exists()
