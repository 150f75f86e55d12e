"""Streams to temporary files: what can be read but once is written down, with an eye on the room that there is."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from consensus import memory
from consensus.errors import FormatError, OutputError, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

AT_ONCE = 1 << 20  # bytes
MOST = 1 << 36  # bytes of a stream: an endless one ends here, however large the disk
SHARE = 0.5  # of the free room: others need some, too


def spool(stream: Any, place: Path, shown: str) -> None:
    """Write what a ``stream`` of bytes gives to a ``place``.

    Raises
    ------
    FormatError
        It gives more than ``MOST`` bytes, or than half of the room that is free there.
    OutputError
        The system refuses it.
    """
    room = int(min(MOST, SHARE * shutil.disk_usage(place.parent).free))
    n_written = 0
    with keeping(place, shown) as keep:
        while block := stream.read(AT_ONCE):
            n_written += len(block)
            if n_written > room:
                raise FormatError(
                    f"gives more than {memory.told(room)}, as much as may be kept of a stream in {place.parents[1]}; "
                    "save it to a file and name that, or name another folder in TMPDIR",
                    shown,
                )
            keep(block)


@contextmanager
def keeping(place: Path, shown: str) -> Iterator[Callable[[bytes], None]]:
    """What writes to a temporary file, piece by piece.

    Raises
    ------
    OutputError
        The system refuses it, as where a disk is full.
    """

    def keep(block: bytes) -> None:
        rest = memoryview(block)
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except OSError as error:
            raise no_room(error, place.parents[1], shown) from None

    try:
        file = place.open("wb", buffering=0)  # so that nothing is left to write, and to fail, when it is closed
    except OSError as error:
        raise no_room(error, place.parents[1], shown) from None
    with file:
        yield keep


def no_room(error: OSError, folder: Path | str, shown: str) -> OutputError:
    """That a file can't be kept in the ``folder`` of temporary files."""
    told = f"can't be kept in {folder}: {reason(error)}; make room there, or name another folder in TMPDIR"
    return OutputError(told, shown)
