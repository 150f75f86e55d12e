"""What can be read but once: pipes (FIFO), endless streams, streams that break; and names that are none."""

from __future__ import annotations

import gzip
import io
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import consensus
from consensus import check, read, read_gold, read_model_votes
from consensus.errors import FormatError, RunError
from consensus.formats import archives, sources, spooling
from consensus.formats.labels_table import read_scored
from consensus.formats.tables.sizes import at_least_rows
from consensus.runs import finished
from tests.conftest import Run, csv

if TYPE_CHECKING:
    from collections.abc import Callable

    Pipe = Callable[[str | bytes], Path]

ROWS = [(f"i{i}", f"w{w}", ("a", "b")[(i + (w == 2)) % 2]) for i in range(12) for w in range(4)]


@pytest.fixture
def pipe(tmp_path: Path) -> Pipe:
    """Makes a pipe that gives some content, once."""

    def _pipe(content: str | bytes) -> Path:
        path = tmp_path / f"pipe{len(list(tmp_path.iterdir()))}"
        os.mkfifo(path)
        data = content.encode() if isinstance(content, str) else content
        threading.Thread(target=path.write_bytes, args=(data,), daemon=True).start()
        return path

    return _pipe


@pytest.mark.parametrize("packed", [False, True])
def test_a_pipe_is_read_as_the_file_would_be(pipe: Pipe, packed: bool) -> None:
    text = csv(ROWS).encode()
    path = pipe(gzip.compress(text) if packed else text)
    found, whole = read(path), read(io.BytesIO(text))
    assert (found.n_judgments, found.labels, [one.file for one in found.sources]) == (
        whole.n_judgments,
        whole.labels,
        [str(path)],
    )
    assert sources.is_read_once(path)
    assert not sources.is_named(path)
    assert at_least_rows([path]) == 0  # without a look at what it gives
    assert not archives.is_archive(path)


def test_all_inputs_may_be_pipes(pipe: Pipe) -> None:
    run = consensus.run(
        pipe(csv(ROWS)),
        gold=pipe("item,label\ni0,a\n"),
        model_votes=pipe("item,model,label\ni0,m,a\n"),
        collusion="off",
    )
    assert run.summary["counts"]["judgments"] == len(ROWS)
    assert read_gold(pipe("item,label\ni0,a\n")).item == ("i0",)
    assert read_model_votes(pipe("item,model,label\ni0,m,a\n")).n_votes == 1
    assert check(pipe(csv(ROWS))).as_json()["rows"]["used"] == len(ROWS)
    assert read_scored(pipe("item,label\ni0,a\n")).shape[0] == 1


def test_the_command_line_reads_pipes(pipe: Pipe, run: Run, tmp_path: Path) -> None:
    path = pipe(csv(ROWS))
    assert run("run", path, "--output", tmp_path / "out", "--quiet").status == 0
    with pytest.raises(RunError, match=f"its input was {path}, which can't be read a second time; save it to a file"):
        finished.inputs_of(tmp_path / "out")
    assert run("audit", pipe(csv(ROWS, "item,who,label")), "--worker", "who").out.count("\n") == 5
    assert run("check", pipe(csv(ROWS))).out.startswith("48 rows read = 48 used")


def test_errors_name_the_pipe(pipe: Pipe) -> None:
    path = pipe("item,worker\n1,w\n")
    with pytest.raises(FormatError, match=f"^{path}: no column holds the label"):
        read(path)
    path = pipe("")
    with pytest.raises(FormatError, match=f"^{path}: the file is empty"):
        read(path)


class Endless(io.RawIOBase):
    def read(self, size: int = -1) -> bytes:
        return b"item,worker,label\n"[: max(size, 0)] if size else b""


def test_an_endless_stream_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spooling, "MOST", 10_000_000)
    with pytest.raises(FormatError, match="^open file: gives more than 10 MB, as much as may be kept of a stream"):
        read(Endless())
    monkeypatch.undo()
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 2_000_000}))
    with pytest.raises(FormatError, match="gives more than 1 MB, .*; save it to a file and name that, or name another"):
        read(Endless())


@pytest.mark.parametrize(
    ("error", "told"),
    [(OSError(5, "Input/output error"), "input/output error"), (ValueError("closed\nx"), r"closed\\nx")],
)
def test_a_stream_that_breaks_off(error: Exception, told: str) -> None:
    class Breaks(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            del size
            raise error

    with pytest.raises(FormatError, match=f"^open file: can't be read: {told}$"):
        read(Breaks())


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_names_that_no_file_can_have(name: str) -> None:
    reads: tuple[Callable[[Any], object], ...] = (read, read_gold, consensus.read_workers, consensus.read_costs)
    for one in reads:
        with pytest.raises(FormatError, match="no file can be called so; correct the name"):
            one(Path(name))


def test_names_that_are_too_long() -> None:
    with pytest.raises(FormatError, match="xxx: can't be read: file name too long"):
        read(Path("x" * 5000))
