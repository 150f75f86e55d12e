"""The journal of a state: judgments that come one by one, on the disk before anybody is told that they are kept.

``journal/NNNNNN.jsonl`` holds one judgment a line. Lines are only ever added, and many threads share one wait for the
disk. After a crash the lines that are whole count; a torn last one was never acknowledged, and is cut off. A journal
that an update took in is removed; numbers are never used twice.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from consensus.errors import StateError
from consensus.state import durable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consensus.state.records import Record

FOLDER = "journal"
ENDING = ".jsonl"


@dataclass(eq=False)
class Batch:
    """Lines that go to the disk together."""

    lines: list[bytes] = field(default_factory=list)
    done: bool = False


class Journal:
    """The journal that is written, in a folder that one process has.

    ``put`` says what comes next, and ``settle`` waits until it is on the disk; both from any thread. Whoever comes to
    ``settle`` first writes what all others have put by then.
    """

    def __init__(self, folder: Path, number: int) -> None:
        self.folder = folder
        self._number = number
        self._file = -1  # opened for the first line
        self._broken: StateError | None = None
        self._order = threading.Lock()
        self._writing = threading.Lock()
        self._next = Batch()

    def put(self, lines: bytes) -> Batch:
        """Add whole lines (or none) to what goes to the disk next."""
        with self._order:
            self._next.lines.append(lines)
            return self._next

    def settle(self, batch: Batch) -> None:
        """Wait until a batch, and all before it, is on the disk.

        Raises
        ------
        StateError
            It can't be written. Nor can anything else be from then on: what the disk holds is known again when the
            state is opened anew.
        """
        with self._writing:
            if not batch.done:
                self._write()

    def close_file(self) -> int:
        """Write what waits, and begin a new file with the next line; the number of that."""
        with self._writing:
            self._write()
            if self._file >= 0:
                os.close(self._file)
                self._file = -1
                self._number += 1
            return self._number

    def close(self) -> None:
        """Write nothing more."""
        with self._writing:
            self._broken = self._broken or StateError("it was closed; open it again", self.folder.parent)
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    def _write(self) -> None:
        """Write what waits; by whom has ``_writing``."""
        if self._broken is not None:
            raise self._broken
        with self._order:
            batch, self._next = self._next, Batch()
        lines = b"".join(batch.lines)
        if lines:
            try:
                self._append(lines)
            except OSError as error:
                reason = (error.strerror or str(error)).lower()
                self._broken = StateError(
                    f"can't be written: {reason}; make that possible, and open the state again",
                    self.folder,
                    code="bad_output",
                )
                raise self._broken from None
        batch.done = True

    def _append(self, lines: bytes) -> None:
        if self._file < 0:
            path = self.folder / f"{self._number:06d}{ENDING}"
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o666)
            durable.settle(self.folder)
        left = memoryview(lines)
        while len(left):
            left = left[os.write(self._file, left) :]
        os.fsync(self._file)


def number_of(path: Path | str) -> int:
    """Which journal a file is; 0 where it is none."""
    path = Path(path)
    is_one = path.suffix == ENDING and path.parent.name == FOLDER and path.stem.isdigit()
    return int(path.stem) if is_one else 0


def files(folder: Path, before: int | None = None) -> list[Path]:
    """The journals in a folder, in their order; those ``before`` a number."""
    found = {number_of(path): path for path in folder.glob(f"*{ENDING}")}
    return [found[n] for n in sorted(found) if n and (before is None or n < before)]


def mended(path: Path) -> list[Record]:
    """The judgments in a journal; a torn last line is cut off, on the disk, too.

    Raises
    ------
    StateError
        A line before the last is no judgment.
    """
    from consensus.state.records import Record

    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with path.open("r+b") as file:
            file.truncate(whole)
            os.fsync(file.fileno())
    found = []
    for n, line in enumerate(content[:whole].splitlines(), 1):
        try:
            found.append(Record.of_line(line))
        except (ValueError, TypeError, KeyError):
            raise StateError(
                "no judgment of a journal; somebody changed it: restore it, or remove the line", path, n
            ) from None
    return found


def digest(path: Path) -> str:
    """SHA-256 of a journal, by which a manifest knows it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextmanager
def held(folder: Path, wait: float) -> Iterator[None]:
    """Be the one who writes the journals in a ``folder``, which is made where it is not there.

    Raises
    ------
    StateError
        Another one does, or it can't be written.
    """
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise StateError(f"can't be written: {(error.strerror or str(error)).lower()}", folder) from None
    with durable.locked(folder, wait):
        yield


def line(told: dict[str, object]) -> bytes:
    """A line of a journal."""
    return (json.dumps(told, ensure_ascii=False) + "\n").encode()
