"""Streams to temporary files: what can be read but once is written down, with an eye on the room that there is."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from consensus import memory
from consensus.errors import FormatError

if TYPE_CHECKING:
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
    """
    room = int(min(MOST, SHARE * shutil.disk_usage(place.parent).free))
    n_written = 0
    with place.open("wb") as file:
        while block := stream.read(AT_ONCE):
            n_written += len(block)
            if n_written > room:
                raise FormatError(
                    f"gives more than {memory.told(room)}, as much as may be kept of a stream in {place.parents[1]}; "
                    "save it to a file and name that, or name another folder in TMPDIR",
                    shown,
                )
            file.write(block)
