"""Archives (.zip) of tables: what they hold, and their unpacking into a folder, with a look at the room."""

from __future__ import annotations

import lzma
import shutil
import stat
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from consensus import memory
from consensus.errors import FormatError
from consensus.formats import spooling
from consensus.inputs.understood import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
OF_A_SPREADSHEET = ("xl/", "[Content_Types].xml", "META-INF/manifest.xml", "content.xml")
"""Names in the archives that spreadsheets are."""
NESTED = (".zip", ".7z", ".rar", ".tar", ".tgz")
BOMB_RATIO, BOMB_BYTES = 200, 1 << 30  # times larger when unpacked, and how large it must be to matter
ENCRYPTED = 0x1
BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, EOFError, OSError, UnicodeError)
"""What reading an archive raises where it is damaged, or of a kind that is not known."""


class Member(NamedTuple):
    """A file in an archive."""

    archive: Path
    member: str
    """Its name there."""


def is_archive(path: Path) -> bool:
    """Whether a file is an archive, and no spreadsheet; by its content."""
    return _is_zip(path) and not is_spreadsheet(path)


def is_spreadsheet(path: Path) -> bool:
    """Whether a file is a spreadsheet of one of the kinds that are archives; by its content."""
    return _is_zip(path) and any(name.startswith(OF_A_SPREADSHEET) for name in names_in(path))


def names_in(path: Path) -> list[str]:
    """The names in an archive; none where it can't be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except BROKEN:
        return []


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is no content: those with a dot first, and what macOS adds."""
    return name.startswith(".") or name == "__MACOSX"


def members_of(path: Path) -> list[Member]:
    """The files in an archive, in the order of their names, the hidden ones left out.

    Raises
    ------
    FormatError
        It is damaged or encrypted, holds another archive, or is too large when it is unpacked.
    """
    with _damaged(path), zipfile.ZipFile(path) as archive:
        found = [
            info
            for info in sorted(archive.infolist(), key=lambda info: info.filename)
            if not info.filename.endswith("/") and not any(map(is_hidden, PurePosixPath(info.filename).parts))
        ]
    for info in found:
        if not info.filename:
            raise FormatError("damaged: a file in it has no name; make the archive again", path)
        if info.flag_bits & ENCRYPTED:
            raise FormatError("encrypted; unpack it with its password, and name the files", path)
        if PurePosixPath(info.filename).suffix.lower() in NESTED:
            raise FormatError(f"holds another archive, {one_line(info.filename)}; unpack it, and name the folder", path)
    _refuse_bomb(path, sum(info.file_size for info in found), sum(info.compress_size for info in found))
    return [Member(path, info.filename) for info in found]


def member_of(path: Path) -> Member | None:
    """The file in an archive that a ``path`` leads to, such as export.zip/part.csv; None where it leads into none.

    Whether the archive holds it, ``members_of`` tells.
    """
    archive = next((parent for parent in path.parents if parent.is_file()), None)
    if archive is None or not is_archive(archive):
        return None
    return Member(archive, path.relative_to(archive).as_posix())


def unpacked(member: Member, place: Path) -> Path:
    """Unpack a file to a ``place``.

    Raises
    ------
    FormatError
        The archive is damaged.
    OutputError
        There is no room.
    """
    with (
        _damaged(member.archive),
        zipfile.ZipFile(member.archive) as archive,
        archive.open(member.member) as packed,
        spooling.keeping(place, str(member.archive)) as keep,
    ):
        while block := packed.read(spooling.AT_ONCE):
            keep(block)
    return place


def _is_zip(path: Path) -> bool:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe gives its bytes but once
            return False
        with path.open("rb") as file:
            return file.read(4) in MAGIC
    except OSError:
        return False


def _refuse_bomb(path: Path, n_bytes: int, n_packed: int) -> None:
    """Refuse to unpack so many bytes where that is no honest file, or where there is no room for them."""
    if n_bytes > BOMB_BYTES and n_bytes > BOMB_RATIO * n_packed:
        raise FormatError(
            f"{memory.told(n_packed)} that become {memory.told(n_bytes)}: this looks like a trap; unpack it "
            "yourself if it is none",
            path,
        )
    place = tempfile.gettempdir()
    try:
        free = shutil.disk_usage(place).free
    except OSError as error:
        raise spooling.no_room(error, place, str(path)) from None
    if n_bytes > free:
        raise FormatError(
            f"needs {memory.told(n_bytes)} when it is unpacked, and {place} has {memory.told(free)}; make "
            "room, or name another folder in TMPDIR",
            path,
        )


@contextmanager
def _damaged(path: Path) -> Iterator[None]:
    """Turn errors about the archive into ours."""
    try:
        yield
    except BROKEN as error:
        raise FormatError(f"can't be unpacked: {str(error).lower()}; fetch it again, or unpack it", path) from None
