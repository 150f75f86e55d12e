"""Two who answer into the same folder at once: the clicks of both count."""

import threading
from pathlib import Path

import pandas as pd

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
