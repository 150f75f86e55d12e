"""The lock of a state, and files that are whole or not there."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from consensus.errors import StateError
from consensus.state import durable

HOLDER = """
import sys, time, pathlib
from consensus.state import durable
with durable.locked(pathlib.Path(sys.argv[1]), 0.0):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_a_second_process_waits_and_then_names_the_first(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        begin = time.monotonic()
        told = rf"another process \(process {other.pid}\) writes it since more than 0.2 s; wait for that, or give more"
        with pytest.raises(StateError, match=told), durable.locked(tmp_path, 0.2):
            raise AssertionError
        assert time.monotonic() - begin >= 0.2
        threading.Timer(0.2, other.stdin.close).start()
        with durable.locked(tmp_path, 60.0):
            assert (tmp_path / durable.LOCK).read_text() != f"{other.pid}\n"


def test_a_process_that_is_killed_holds_no_lock(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        other.kill()
        other.wait()
        with durable.locked(tmp_path, 0.0):
            pass


def test_without_such_locks_everybody_may_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable, "fcntl", None)
    with durable.locked(tmp_path, 0.0), durable.locked(tmp_path, 0.0):
        pass


def test_a_lock_without_a_name_is_told_without_one(tmp_path: Path) -> None:
    with durable.locked(tmp_path, 0.0):
        (tmp_path / durable.LOCK).write_text("")
        with pytest.raises(StateError, match="another process writes it"), durable.locked(tmp_path, 0.0):
            raise AssertionError


def test_a_file_takes_the_place_of_the_older_one_at_once(tmp_path: Path) -> None:
    durable.put(tmp_path / "a", b"one")
    durable.put(tmp_path / "a", b"two")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"two")]
