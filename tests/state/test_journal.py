"""Journals: what was acknowledged is there, whole lines count, and nothing else does."""

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from consensus.errors import StateError
from consensus.state import durable, journal
from consensus.state.journal import Journal
from consensus.state.records import Record
from tests.conftest import ROOT


def line(n: int) -> bytes:
    return Record(f"i{n}", "w", "cat").line(f"1.{n}")


def items(path: Path) -> list[str]:
    return [one.item for one in journal.mended(path)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "state" / journal.FOLDER
    path.mkdir(parents=True)
    return path


def test_lines_are_there_once_they_are_settled(folder: Path) -> None:
    one = Journal(folder, 7)
    assert list(folder.iterdir()) == []
    batch = one.put(line(1) + line(2))
    one.settle(batch)
    assert items(folder / "000007.jsonl") == ["i1", "i2"]
    one.settle(batch)  # again: nothing is written twice
    one.settle(one.put(b""))
    assert items(folder / "000007.jsonl") == ["i1", "i2"]


def test_a_closed_file_has_what_waited_and_the_next_line_begins_another(folder: Path) -> None:
    one = Journal(folder, 1)
    one.put(line(1))
    assert one.close_file() == 2
    assert one.close_file() == 2  # no empty files
    one.settle(one.put(line(2)))
    assert [path.name for path in journal.files(folder)] == ["000001.jsonl", "000002.jsonl"]
    assert [path.name for path in journal.files(folder, 2)] == ["000001.jsonl"]
    assert items(folder / "000001.jsonl") == ["i1"]


def test_many_threads_share_the_waits_for_the_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, n_waits, first = Journal(folder, 1), [], threading.Event()

    def slow(_: int) -> None:
        n_waits.append(1)
        first.wait(5.0)

    monkeypatch.setattr(os, "fsync", slow)
    monkeypatch.setattr(durable, "settle", lambda _: None)
    threads = [threading.Thread(target=lambda n=n: one.settle(one.put(line(n)))) for n in range(16)]
    for thread in threads:
        thread.start()
    while len(one._next.lines) < 15:
        pass
    first.set()
    for thread in threads:
        thread.join()
    assert len(n_waits) == 2
    assert sorted(items(folder / "000001.jsonl")) == sorted(f"i{n}" for n in range(16))


def test_nothing_is_acknowledged_after_what_could_not_be_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Journal(folder, 1)
    one.settle(one.put(line(1)))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StateError, match="no space left on device; make that possible, and open") as caught:
            one.settle(one.put(line(2)))
    assert caught.value.code == "bad_output"
    with pytest.raises(StateError, match="no space left"):
        one.settle(one.put(line(3)))
    one.close()
    one.close()
    with pytest.raises(StateError, match="no space left"):
        one.settle(one.put(b""))


def test_a_closed_journal_takes_nothing(folder: Path) -> None:
    one = Journal(folder, 1)
    one.close()
    with pytest.raises(StateError, match="it was closed; open it again"):
        one.settle(one.put(line(1)))


@pytest.mark.parametrize("torn", [b"{", b'{"item": "i3", "worker": "w", "label": "cat"}', b"\0\0\0\0"])
def test_a_torn_last_line_is_cut_off(folder: Path, torn: bytes) -> None:
    path = folder / "000001.jsonl"
    path.write_bytes(line(1) + line(2) + torn)
    assert items(path) == ["i1", "i2"]
    assert path.read_bytes() == line(1) + line(2)


@pytest.mark.parametrize("bad", [b"{}\n", b"no\n", b"[1]\n", b"3\n", b"\xff\n"])
def test_a_line_that_somebody_changed_is_refused(folder: Path, bad: bytes) -> None:
    path = folder / "000001.jsonl"
    path.write_bytes(line(1) + bad + line(2))
    with pytest.raises(StateError, match=r"000001.jsonl:2: no judgment of a journal; somebody changed it"):
        journal.mended(path)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("journal/000012.jsonl", 12),
        ("a/journal/1000000.jsonl", 1_000_000),
        ("journal/x.jsonl", 0),
        ("journal/000012.csv", 0),
        ("other/000012.jsonl", 0),
        ("data frame", 0),
    ],
)
def test_numbers_of_journals(name: str, number: int) -> None:
    assert journal.number_of(name) == number


def test_other_files_are_no_journals(folder: Path) -> None:
    (folder / "notes.jsonl").write_text("")
    (folder / durable.LOCK).write_text("")
    assert journal.files(folder) == []


def test_one_process_writes(folder: Path) -> None:
    with journal.held(folder, 0.0), pytest.raises(StateError, match="another process"), journal.held(folder, 0.0):
        pass
    with journal.held(folder, 0.0):
        pass


def test_a_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="can't be written: not a directory"), journal.held(tmp_path / "file/j", 0.0):
        pass


@pytest.mark.slow
def test_what_was_acknowledged_is_there_after_kill_9(folder: Path) -> None:
    program = (
        "import sys, threading, pathlib\n"
        "from consensus.state.journal import Journal\n"
        "from consensus.state.records import Record\n"
        "one, say = Journal(pathlib.Path(sys.argv[1]), 1), threading.Lock()\n"
        "def work(t):\n"
        "    for n in range(10**6):\n"
        "        one.settle(one.put(Record(f'{t}-{n}', 'w', 'cat').line('x')))\n"
        "        with say: print(f'{t}-{n}', flush=True)\n"
        "for t in range(4): threading.Thread(target=work, args=(t,)).start()\n"
    )
    command = [sys.executable, "-c", program, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [process.stdout.readline().strip() for _ in range(50)]
        process.kill()
        told += [one.strip() for one in process.stdout if one.endswith("\n")]
    found = items(folder / "000001.jsonl")
    assert len(found) == len(set(found))
    assert set(told) <= set(found)
    assert len(found) <= len(told) + 4
