"""What stands beside an output while it is written, and what killed runs left."""

import errno
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from consensus.errors import OutputError
from consensus.formats import partials, writing
from consensus.runs import folder

HOLDS = """
import sys, pathlib
from consensus.formats import partials
with partials.claimed(pathlib.Path(sys.argv[1]), is_folder=sys.argv[2] == "folder") as one:
    print(one, flush=True)
    sys.stdin.read()
"""


def names(path: Path) -> list[str]:
    return sorted(one.name for one in path.iterdir())


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_leftovers_of_the_dead_go_and_those_of_the_living_stay(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "out.csv"
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDS, target, kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    held = Path(other.stdout.readline().strip())
    try:
        assert held.name.startswith(f".out.csv.{other.pid}-")
        partials.tidy(target)
        assert held.exists()
        with partials.claimed(target, is_folder=False):  # nor does a run that writes the same
            pass
        assert names(tmp_path) == [held.name]
    finally:
        other.kill()
        other.communicate()
    assert held.exists()
    (tmp_path / f".other.{other.pid}-00.partial").touch()
    (tmp_path / ".out.csv.txt.partial").touch()
    with writing.replacing(target) as file:
        file.write(b"new")
    assert names(tmp_path) == [f".other.{other.pid}-00.partial", ".out.csv.txt.partial", "out.csv"]


def test_one_of_this_very_process_is_held(tmp_path: Path) -> None:
    with (
        partials.claimed(tmp_path / "t", is_folder=True) as one,
        partials.claimed(tmp_path / "t", is_folder=True) as two,
    ):
        assert len({one, two}) == 2
        assert one.is_dir()
        assert two.is_dir()
    assert names(tmp_path) == []


def test_leftovers_of_earlier_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a lock: they stay if another process has their number; this one can't have made them."""
    alive, gone = os.getppid(), 2**22 + 1
    for number in (alive, gone, os.getpid(), 10**30):
        (tmp_path / f".out.{number}.partial").mkdir()
    partials.tidy(tmp_path / "out")
    assert names(tmp_path) == sorted([f".out.{alive}.partial", f".out.{10**30}.partial"])

    def somebody_elses(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no")

    (tmp_path / f".out.{gone}.partial").mkdir()
    monkeypatch.setattr(os, "kill", somebody_elses)
    partials.tidy(tmp_path / "out")
    assert len(names(tmp_path)) == 3


def test_an_old_output_that_was_put_aside_comes_back(tmp_path: Path) -> None:
    """As where a run was killed between two renames."""
    for n in (1, 2):
        old = tmp_path / f".out.{2**22 + n}-ab.old"
        old.mkdir()
        (old / "labels.csv").write_text("whole")
    (tmp_path / f".out.{2**22 + 3}-ab.partial").mkdir()
    with pytest.raises(OutputError, match="exists already"):
        folder.check(tmp_path / "out", overwrite=False)
    assert names(tmp_path) == ["out"]
    assert (tmp_path / "out" / "labels.csv").read_text() == "whole"


HOLDS_A_FOLDER = """
import sys, pathlib
from consensus.formats import partials
out = pathlib.Path(sys.argv[1])
with partials.held(out, lambda: None):
    print("held", flush=True)
    sys.stdin.readline()
    with partials.claimed(out, is_folder=True) as one:
        (one / "theirs").touch()
        partials.put(one, out, overwrite=True)
"""


class TestHeld:
    def test_the_later_waits_and_reads_what_the_earlier_wrote(self, tmp_path: Path) -> None:
        out = tmp_path / "out"
        out.mkdir()
        (out / "old").touch()
        other = subprocess.Popen(
            [sys.executable, "-c", HOLDS_A_FOLDER, out], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "held\n"
        waited, told = [], other.stdin

        def waits() -> None:
            waited.append(names(out))
            told.write("go on\n")
            told.flush()

        with partials.held(out, waits):
            assert names(out) == ["theirs"]
        assert other.wait(60) == 0
        other.communicate()
        assert waited[0] == ["old"]
        assert names(tmp_path) == ["out"]

    def test_there_is_nothing_to_hold(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with partials.held(tmp_path / "none", pytest.fail):
            assert names(tmp_path) == []
        with monkeypatch.context() as patch:
            patch.setattr(partials, "fcntl", None)
            with partials.held(tmp_path, pytest.fail), partials.held(tmp_path, pytest.fail):
                pass

    def test_an_old_output_comes_back_before_it_is_read(self, tmp_path: Path) -> None:
        (tmp_path / f".out.{2**22 + 1}-ab.old").mkdir()
        with partials.held(tmp_path / "out", pytest.fail):
            assert names(tmp_path) == ["out"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / f".out.{2**22 + 1}-ab.partial").symlink_to(tmp_path / "precious")
    partials.tidy(tmp_path / "out")
    assert len(names(tmp_path)) == 2


@pytest.mark.parametrize("how", ["at once", "two renames", "without locks"])
def test_a_folder_takes_the_place_of_another(tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if how == "without locks":
        monkeypatch.setattr(partials, "fcntl", None)
    if how != "at once":
        monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: None)
    out = tmp_path / "out"
    for n in range(3):
        with folder.whole(out) as partial:
            (partial / f"{n}.txt").touch()
        assert names(tmp_path) == ["out"]
        assert names(out) == [f"{n}.txt"]


def test_a_refused_second_rename_puts_the_old_one_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partials, "_exchanged", lambda *_: False)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").touch()
    rename, asked = Path.rename, []

    def refuse(self: Path, target: Path) -> Path:
        asked.append(self.suffix)
        if asked[-1] == ".partial" and asked.count(".partial") == 2:
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", refuse)
        with (
            pytest.raises(OutputError, match="out: can't be written: input/output error"),
            folder.whole(tmp_path / "out"),
        ):
            pass
    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == ["old"]


def test_two_runs_at_once(tmp_path: Path) -> None:
    out = tmp_path / "out"

    def both(*, overwrite: bool) -> None:
        with folder.whole(out, overwrite=overwrite) as first:
            (first / "first").touch()
            with folder.whole(out, overwrite=overwrite) as second:
                (second / "second").touch()

    with pytest.raises(OutputError, match="another run wrote it meanwhile; choose another folder with ") as caught:
        both(overwrite=False)
    assert caught.value.code == "output_exists"
    assert names(out) == ["second"]
    both(overwrite=True)
    assert names(out) == ["first"]
    assert names(tmp_path) == ["out"]


def test_an_error_names_the_file_where_it_would_have_been(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught, folder.whole(tmp_path / "out") as partial:
        raise OutputError("can't be written: disk full", partial / "labels.csv")
    assert str(caught.value) == f"{tmp_path}/out/labels.csv: can't be written: disk full"
    assert caught.value.file == f"{tmp_path}/out/labels.csv"
    with pytest.raises(OutputError) as caught, folder.whole(tmp_path / "out"):
        raise OutputError("can't be read", tmp_path / "elsewhere")
    assert caught.value.file == f"{tmp_path}/elsewhere"


def test_without_locks_leftovers_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = tmp_path / f".out.{2**22 + 1}-ab.partial"
    left.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(partials, "fcntl", None)
        with folder.whole(tmp_path / "out"):
            pass
        assert left.exists()

    def refuse(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    with monkeypatch.context() as patch:
        patch.setattr(partials.fcntl, "flock", refuse)
        with folder.whole(tmp_path / "out"):
            pass
        assert left.exists()
    partials.tidy(tmp_path / "out")
    assert names(tmp_path) == ["out"]


def test_a_system_without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    assert runpy.run_path(str(partials.__file__))["fcntl"] is None


def test_one_that_was_taken_for_a_leftover_before_it_was_locked_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert partials.fcntl is not None
    flock = partials.fcntl.flock
    given: list[int] = []

    def late(lock: int, how: int) -> None:
        if not given:
            for one in tmp_path.iterdir():
                one.rmdir()
        given.append(lock)
        flock(lock, how)

    monkeypatch.setattr(partials.fcntl, "flock", late)
    with partials.claimed(tmp_path / "out", is_folder=True) as partial:
        assert partial.is_dir()
    assert len(given) == 2


def test_one_that_is_gone_before_it_could_be_opened_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening = os.open
    opened: list[Path] = []

    def late(path: Path, how: int) -> int:
        if not opened:
            path.rmdir()
        opened.append(path)
        return opening(path, how)

    monkeypatch.setattr(os, "open", late)
    with partials.claimed(tmp_path / "out", is_folder=True) as partial:
        assert partial.is_dir()
    assert len({*opened}) == 2


def test_a_leftover_that_another_run_removes_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = tmp_path / f".out.{2**22 + 1}-ab.partial"
    left.mkdir()
    monkeypatch.setattr(partials.fcntl, "flock", lambda *_: left.rmdir())
    partials.tidy(tmp_path / "out")
    partials.tidy(tmp_path / "none" / "out")
    assert names(tmp_path) == []


def test_a_folder_for_now_is_nobody_elses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with partials.temporary() as made:
        assert made.parent == tmp_path
        assert made.stat().st_mode & 0o777 == 0o700
    assert names(tmp_path) == []


def test_a_folder_that_can_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "out").mkdir()
    iterdir = Path.iterdir

    def refuse(self: Path) -> Any:
        if self.name == "out":
            raise PermissionError(errno.EACCES, "Permission denied")
        return iterdir(self)

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(OutputError, match="out: can't be read: permission denied"):
        folder.check(tmp_path / "out", overwrite=True)
