"""Files that change while they are read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from consensus import read, read_gold, read_model_votes
from consensus.errors import FormatError
from consensus.formats import steady
from consensus.formats.tables import delimited
from tests.conftest import csv

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = [(f"i{n % 50}", f"w{n // 50}", "ab"[n % 2]) for n in range(2000)]
CHANGED = "it changed while it was read; wait until nothing writes it, or make a copy and read that"


def reading(path: Path, change: Callable[[], object]) -> int:
    """Judgments of a file that something changes once some of it was read."""
    done: list[float] = []

    def progress(stage: str, share: float) -> None:
        if stage.startswith("reading") and share > 0 and not done:
            done.append(share)
            change()

    found = read(path, progress=progress, threads=1).n_judgments
    assert done
    return found


@pytest.fixture(params=["csv", "parquet"])
def path(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(delimited, "BLOCK", 4096)
    place = tmp_path / f"j.{request.param}"
    if request.param == "csv":
        place.write_text(csv(ROWS), encoding="utf-8")
    else:
        pd.DataFrame(ROWS, columns=["item", "worker", "label"]).to_parquet(place)
    return place


class TestChanged:
    def test_cut(self, path: Path) -> None:
        with pytest.raises(FormatError, match=f"^{path}: {CHANGED}"):
            reading(path, lambda: os.truncate(path, path.stat().st_size - 5))

    def test_longer(self, path: Path) -> None:
        def longer() -> None:
            with path.open("ab") as file:
                file.write(b"i1,w1,a\n")

        with pytest.raises(FormatError, match=CHANGED):
            reading(path, longer)

    def test_other_bytes_of_the_same_size(self, path: Path) -> None:
        def other() -> None:
            data = bytearray(path.read_bytes())
            data[20] ^= 1
            path.write_bytes(data)

        with pytest.raises(FormatError, match=CHANGED):
            reading(path, other)

    def test_an_error_is_that_it_changed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(delimited, "BLOCK", 4096)
        path = tmp_path / "j.csv"
        path.write_text(csv(ROWS), encoding="utf-8")
        with pytest.raises(FormatError, match=CHANGED):
            reading(path, lambda: path.write_text(csv(ROWS[:1000]) + '"' * 3 + "\n" * 9000, encoding="utf-8"))


class TestTheSame:
    def test_written_anew(self, path: Path) -> None:
        assert reading(path, lambda: os.utime(path, ns=(1, 1))) == len(ROWS)

    def test_gone(self, path: Path) -> None:
        if path.suffix == ".csv":
            assert reading(path, path.unlink) == len(ROWS)

    def test_what_is_no_file(self, tmp_path: Path) -> None:
        assert steady.seen(tmp_path) is None
        assert steady.seen(tmp_path / "none") is None
        assert steady.seen(tmp_path / "a\0b") is None


def test_other_tables_are_watched_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = iter(range(10**6))
    monkeypatch.setattr(steady, "seen", lambda _: steady.Seen(next(counted), 0, 0))
    for name, text, reader in (
        ("gold.csv", "i1,a\ni2,b\n", read_gold),
        ("gold.jsonl", '{"item": "i1", "label": "a"}\n', read_gold),
        ("votes.csv", "item,model,label\ni1,m,a\n", read_model_votes),
    ):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        with pytest.raises(FormatError, match=CHANGED):
            reader(path)
