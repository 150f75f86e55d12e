"""Files that change while they are read: an error, for what was read of them is neither what was there nor what is."""

from __future__ import annotations

import hashlib
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from consensus.errors import FormatError
from consensus.formats.tables.streams import displayed

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from consensus.formats.tables.blocks import Block, Reading


class Seen(NamedTuple):
    """A file at some moment."""

    n_bytes: int
    written: int
    """When, in nanoseconds."""
    inode: int


def seen(path: Path) -> Seen | None:
    """A file as it is now; None where there is none, or a folder."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return Seen(found.st_size, found.st_mtime_ns, found.st_ino) if path.is_file() else None


def watched(reading: Reading, path: Path, before: Seen | None) -> Reading:
    """A reading whose last block is followed by a look at whether the file is still as ``before``.

    It may have been written anew with the same bytes, and may be gone: all of it was read then.
    """
    return replace(reading, blocks=_blocks(reading, path, before))


def _blocks(reading: Reading, path: Path, before: Seen | None) -> Generator[Block]:
    try:
        with closing(reading.blocks) as inner:
            yield from inner
    except FormatError:
        if _has_changed(reading, path, before, whole=False):
            raise _changed(path) from None
        raise
    if _has_changed(reading, path, before, whole=True):
        raise _changed(path)


def _changed(path: Path) -> FormatError:
    return FormatError(
        "it changed while it was read; wait until nothing writes it, or make a copy and read that", displayed(path)
    )


def _has_changed(reading: Reading, path: Path, before: Seen | None, *, whole: bool) -> bool:
    """Whether a file is another one; where ``whole``, all of it was read, so that its digest tells."""
    after = seen(path)
    if before is None or after is None or after == before:
        return False
    if not whole or reading.digest is None or after.n_bytes != before.n_bytes:
        return True
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest() != reading.digest.digest()
