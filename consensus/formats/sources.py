"""What the user names, to the files to read: files, folders, archives, standard input, files that are open."""

from __future__ import annotations

import hashlib
import io
import os
import re
import sys
from collections.abc import Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from consensus.errors import FormatError
from consensus.formats import archives, partials, platforms, spooling
from consensus.formats.tables.streams import displayed, ending_of, unreadable
from consensus.inputs.counted import counted
from consensus.inputs.understood import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from consensus.formats.archives import Member

STDIN = Path("-")
"""Names standard input."""
STANDARD_INPUT, OPEN_FILE = "standard input", "open file"
GONE = (STANDARD_INPUT, OPEN_FILE)
"""What inputs are called that can't be read a second time."""
TABLES = (".csv", ".tsv", ".tab", ".txt", ".jsonl", ".ndjson", ".json", ".parquet", ".xlsx", ".xls", ".ods")
"""Endings of the files that are read from a folder or archive; also with that of a compression behind them."""
NAMED = 4  # files in a note
UNUSUAL = re.compile(r"[^\w .,()+=@-]")
"""Characters that a name of ours does not have."""
LONGEST, UNNAMED = 100, "file"
"""Bytes of such a name, and what a file is called of whose name nothing is left."""


class File(NamedTuple):
    """A file to read."""

    path: Path
    """Where its bytes are."""
    shown: str
    """What it is called in messages, in rejects and in summary.json."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The files that a source stands for."""

    files: tuple[File, ...]
    notes: tuple[str, ...] = ()
    """What was chosen, in words."""


@contextmanager
def opened(source: Any) -> Iterator[Opened | None]:
    """The files that a ``source`` stands for, while this is open; None if it is no file, but a table.

    Parameters
    ----------
    source
        A path, an open file, or several of these. A folder stands for the files in it, an archive (.zip) for those it
        holds, ``-`` for standard input. What is unpacked, or is no file, lies in a temporary folder meanwhile.

    Raises
    ------
    FormatError
        Nothing can be read in a folder or archive, or an archive can't be unpacked.
    """
    if isinstance(source, Opened):
        yield source
        return
    one = [source] if _is_named(source) else source
    if not (isinstance(one, Sequence) and one and all(map(_is_named, one))):
        yield None
        return
    with ExitStack() as stack:
        found = _Found(stack)
        for each in one:
            found.add(each)
        yield Opened(tuple(found.files), tuple(found.notes))


@contextmanager
def named(file: File) -> Iterator[None]:
    """Errors about a ``file`` tell what it is called, not where it lies."""
    try:
        yield
    except FormatError as error:
        if file.shown == str(file.path):
            raise
        told, lies = str(error), displayed(file.path)
        code, line, about = error.code, error.line, error.file
        FormatError.__init__(error, told.replace(lies, file.shown), code=code)  # it keeps what else it tells
        error.file, error.line = file.shown if about == lies else about, line
        raise


def is_read_once(path: Path) -> bool:
    """Whether what a path names can't be read a second time: standard input, a pipe (FIFO), a device."""
    return path == STDIN or (path.exists() and not path.is_file() and not path.is_dir())


def is_named(path: Path) -> bool:
    """Whether there is such a file, perhaps in an archive; none that can be read but once."""
    inside = archives.member_of(path)
    return (path.exists() and not is_read_once(path)) or (
        inside is not None and inside in archives.members_of(inside.archive)
    )


def digest_of(path: Path) -> str:
    """SHA-256 of the bytes of a file, which may be in an archive, or of a folder that is an export.

    Raises
    ------
    FormatError
        The archive can't be unpacked.
    """
    if path.is_dir():  # what a platform reads as a whole
        return platforms.digest_of(path)
    with opened(path) as found:
        assert found is not None
        lies = path if path.is_file() else found.files[0].path
        with lies.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def named_path(one: str | Path) -> Path:
    """The path that a text is.

    Raises
    ------
    FormatError
        No file can be called so.
    """
    path = Path(one)
    try:
        is_name = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        is_name = False
    if not is_name:
        raise FormatError("no file can be called so; correct the name", displayed(path), code="file_not_found")
    with unreadable(path):
        path.exists()  # it may be too long, or lie in a folder that is closed
    return path


def _is_named(one: object) -> bool:
    """Whether it names a file, or is one that is open."""
    return isinstance(one, (str, Path)) or (callable(getattr(one, "read", None)) and not hasattr(one, "columns"))


class _Found:
    """Files, gathered one source after the other."""

    def __init__(self, stack: ExitStack) -> None:
        self.files: list[File] = []
        self.notes: list[str] = []
        self._stack = stack
        self._folder: Path | None = None
        self._n_made = 0

    def add(self, one: Any) -> None:
        """Add what ``one`` stands for."""
        if not isinstance(one, (str, Path)):
            self._add_stream(one, _name_of(one))
            return
        path = named_path(one)
        if path == STDIN:
            self._add_stream(getattr(sys.stdin, "buffer", sys.stdin), STANDARD_INPUT)
        elif is_read_once(path):
            with unreadable(path), path.open("rb") as pipe:
                self._add_stream(pipe, displayed(path))
        elif path.is_dir() and platforms.recognised(platforms.head_of(path)) is None:
            self._add_folder(path)
        elif not path.exists() and (inside := archives.member_of(path)) is not None:
            self._add_member(inside, displayed(path))
        else:
            self._add_file(File(path, displayed(path)))

    def _add_file(self, file: File) -> None:
        if archives.is_archive(file.path):
            self._add_archive(file)
        else:
            self.files.append(file)

    def _add_member(self, inside: Member, shown: str) -> None:
        known = archives.members_of(inside.archive)
        if inside not in known:
            held = _listed([one.member for one in known])
            raise FormatError(f"no such file in {inside.archive.name}; it holds {held}", shown)
        self.files.append(File(archives.unpacked(inside, self._place(inside.member)), shown))

    def _add_folder(self, folder: Path) -> None:
        paths = sorted(path for path in folder.iterdir() if not archives.is_hidden(path.name))
        chosen = [path for path in paths if path.is_file() and (is_table(path.name) or path.suffix.lower() == ".zip")]
        self._note(displayed(folder), [one.name for one in chosen], [one.name for one in paths if one not in chosen])
        for path in chosen:
            self._add_file(File(path, displayed(path)))

    def _add_archive(self, file: File) -> None:
        with named(file):
            members = archives.members_of(file.path)
            names = [one.member for one in members if is_table(one.member)]
            self._note(file.shown, names, [one.member for one in members if one.member not in names])
            for one in members:
                if one.member in names:
                    lies = archives.unpacked(one, self._place(one.member))
                    self.files.append(File(lies, one_line(f"{file.shown}/{one.member}")))

    def _add_stream(self, stream: Any, shown: str) -> None:
        path = self._place(shown)
        try:
            text = isinstance(stream.read(0), str)
            spooling.spool(_Encoded(stream.read) if text else stream, path, shown)
        except (OSError, ValueError) as error:  # it was closed, or breaks off
            told = one_line(str(getattr(error, "strerror", None) or error)).lower()
            raise FormatError(f"can't be read: {told}", shown) from None
        self._add_file(File(path, shown))

    def _note(self, shown: str, chosen: list[str], others: list[str]) -> None:
        """Say which of the files are read.

        Raises
        ------
        FormatError
            None is.
        """
        if not chosen:
            held = one_line(f"it holds {_listed(others)}") if others else "it is empty"
            raise FormatError(f"no table to read in it: {held}; expected files such as {', '.join(TABLES)}", shown)
        count = counted(len(chosen), "file")
        left = f"; not read: {_listed(others)}" if others else ""
        self.notes.append(one_line(f"{shown}: {count} read, in the order of names: {_listed(chosen)}{left}"))

    def _place(self, name: str) -> Path:
        """A place for a file of this name, the last part of which notes about it tell."""
        try:
            if self._folder is None:
                self._folder = self._stack.enter_context(partials.temporary())
            self._n_made += 1
            folder = self._folder / str(self._n_made)
            folder.mkdir()
        except OSError as error:
            where = self._folder or os.environ.get("TMPDIR", "the folder of temporary files")
            raise spooling.no_room(error, where, name) from None
        return folder / _harmless(name)


class _Encoded(io.RawIOBase):
    """Text as bytes."""

    def __init__(self, read: Callable[[int], str]) -> None:
        super().__init__()
        self._read = read

    def read(self, size: int = -1) -> bytes:
        return self._read(size).encode("utf-8", "surrogateescape")


def is_table(name: str) -> bool:
    """Whether a file of this name is read from a folder or archive."""
    return ending_of(PurePath(name)) in TABLES


def _harmless(name: str) -> str:
    """The last part of a name as one that every system takes; its end, if it is long."""
    last = UNUSUAL.sub("_", PurePath(name).name).encode()[-LONGEST:].decode(errors="ignore")
    return last.strip(" .") or UNNAMED


def _name_of(stream: Any) -> str:
    """What an open file is called."""
    name = getattr(stream, "name", None)
    if stream in (sys.stdin, getattr(sys.stdin, "buffer", None)):
        return STANDARD_INPUT
    return displayed(Path(name)) if isinstance(name, str) else OPEN_FILE


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
