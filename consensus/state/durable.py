"""Files that are whole or not there, also where the process or the machine stops in the middle."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from consensus.errors import StateError, refused
from consensus.formats import partials

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

fcntl = partials.fcntl
"""None where there are no such locks: who runs two writers at once does so at their own risk."""

LOCK = "lock"
PAUSE = 0.05  # seconds between two looks at whether a lock is free


@contextmanager
def locked(folder: Path, wait: float) -> Iterator[None]:
    """The lock of a ``folder``, which one process has at a time; the system gives it back however that ends.

    Raises
    ------
    StateError
        Another process has it for longer than ``wait`` seconds.
    """
    path = folder / LOCK
    held = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        deadline = time.monotonic() + wait
        while not _taken(held):
            if time.monotonic() >= deadline:
                raise StateError(
                    f"another process{_named(held)} writes it since more than {wait:g} s; wait for that, or give more "
                    "time with --wait",
                    folder,
                )
            time.sleep(min(PAUSE, max(deadline - time.monotonic(), 0.0)))
        os.ftruncate(held, 0)
        os.pwrite(held, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(held)


def _taken(held: int) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _named(held: int) -> str:
    """Such as " (process 4711)", as far as that is known."""
    text = os.pread(held, 20, 0).decode("ascii", "replace").strip()
    return f" (process {text})" if text.isdigit() else ""


def put(path: Path, content: bytes) -> None:
    """Write a file at once, in place of an older one: whole, and on the disk, before anybody sees it."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    settle(path.parent)


@contextmanager
def written(folder: Path) -> Iterator[None]:
    """Write a file of a state within; where that can't be done, it is said of its folder.

    Raises
    ------
    StateError
        The disk is full, and so on. What the manifest names is as it was.
    """
    try:
        yield
    except OSError as error:
        raise StateError(refused(error), folder, code="bad_output") from None


def settle(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    held = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):  # as some systems of files over a network refuse for folders
            os.fsync(held)
    finally:
        os.close(held)
