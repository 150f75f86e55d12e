"""Files as streams of UTF-8: decompressed, decoded, digested and counted on the way."""

from __future__ import annotations

import codecs
import io
import itertools
from contextlib import contextmanager
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, BinaryIO

from consensus.errors import FormatError, reason
from consensus.formats.tables import encodings
from consensus.formats.tables.encodings import Decoding, is_utf8

if TYPE_CHECKING:
    from collections.abc import Iterator
    from hashlib import _Hash
    from pathlib import Path


COMPRESSION = {".gz": "gzip", ".zst": "zstd"}
"""Compression by the ending that says so."""
COMPRESSED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
"""Compression by the first bytes, which count."""
START = 1 << 16  # bytes of text that tell what kind of text it is
DECODED = 1 << 20  # bytes that are decoded at once


class Tap(io.RawIOBase):
    """The decompressed text of a file; the bytes of the file itself are counted and digested on the way.

    Text with a byte order mark of UTF-16 or UTF-32, or in another ``encoding`` that is given, comes as UTF-8. A last
    line without an end gets one: Arrow takes an empty last field for a quoted one otherwise.
    """

    _file: BinaryIO | None = None  # where it could not be opened: Python closes that, too

    def __init__(self, path: Path, digest: _Hash | None = None, encoding: str | None = None) -> None:
        super().__init__()
        import pyarrow as pa

        self._file = path.open("rb")
        self._path = path
        self._size = path.stat().st_size
        self._bytes = _Digested(self._file, digest)
        self._last = b"\n"
        magic = self._file.read(max(map(len, COMPRESSED)))
        self._file.seek(0)
        self.compression = next((kind for begin, kind in COMPRESSED.items() if magic.startswith(begin)), None)
        """By the first bytes; None where there is none."""
        self.marked: str | None = None
        """The encoding that a byte order mark tells, once something was read; None where it is UTF-8 or not told."""
        self._encoding = encoding
        self._decoding: Decoding | None = None
        self._begun = False
        self._start = b""  # bytes that were read to look at them
        self._ready = b""  # bytes that were decoded
        self._stream: Any = None
        if self.compression is not None:
            self._stream = pa.CompressedInputStream(pa.PythonFile(self._bytes), self.compression)

    @property
    def done(self) -> float:
        """The fraction of the file that was read."""
        n_read = self._bytes.n_read
        return n_read / max(self._size, n_read, 1)

    def readable(self) -> bool:
        """True: ``io.TextIOWrapper`` asks."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Decompressed text: as many bytes as there are, up to ``size``."""
        if not self._begun:
            self._begin()
        block = self._unpacked(size) if self._decoding is None else self._decoded(self._decoding, size)
        if not block and self._last != b"\n":
            block = b"\n"
        self._last = block[-1:] or self._last
        return block

    def _begin(self) -> None:
        """Look for a byte order mark."""
        self._begun = True
        self._start = self._unpacked(encodings.LONGEST_MARK)
        self.marked = encodings.marked(self._start)
        encoding = None if self._start.startswith(codecs.BOM_UTF8) else self.marked or self._encoding
        if encoding is not None:
            self._decoding = Decoding(self._path, encoding, self.marked is None)

    def _unpacked(self, size: int) -> bytes:
        """Decompressed bytes of the file, those that were looked at before the others."""
        held = self._start
        if 0 <= size < len(held):
            self._start = held[size:]
            return held[:size]
        if held:
            self._start = b""
            return held + self._unpacked(size - len(held) if size >= 0 else size)
        if self._stream is None:
            return self._bytes.read(size)
        if size < 0:
            return b"".join(iter(lambda: self._unpacked(DECODED), b""))
        return bytes(self._stream.read_buffer(size))  # its read() keeps that much memory whenever it fails

    def _decoded(self, decoding: Decoding, size: int) -> bytes:
        """The next bytes in UTF-8."""
        pieces, n_ready, is_end = [self._ready], len(self._ready), False
        while not is_end and (size < 0 or n_ready < size):
            data = self._unpacked(DECODED)
            is_end = not data
            pieces.append(decoding.utf8(data))
            n_ready += len(pieces[-1])
        ready = b"".join(pieces)
        size = len(ready) if size < 0 else size
        self._ready = ready[size:]
        return ready[:size]

    def readinto(self, buffer: Any) -> int:
        """Fill ``buffer``: what ``io.BufferedReader`` asks for."""
        block = self.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        super().close()


class _Digested(io.RawIOBase):
    """The bytes of a file itself, counted and digested.

    It knows no ``Tap``: Arrow's stream holds it, and a circle through that is never freed.
    """

    def __init__(self, file: BinaryIO, digest: _Hash | None) -> None:
        super().__init__()
        self._file, self._digest = file, digest
        self.n_read = 0

    def readable(self) -> bool:  # pragma: no cover  (Arrow asks where coverage does not see it)
        return True

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self.n_read += len(block)
        if self._digest is not None:
            self._digest.update(block)
        return block


@contextmanager
def unreadable(path: Path) -> Iterator[None]:
    """Turn the system's errors about ``path`` into ours.

    Raises
    ------
    FormatError
        The file does not exist, is a folder, may not be read, or breaks off inside its compression.
    """
    try:
        yield
    except FileNotFoundError:
        raise FormatError(
            "no such file; check the name, or the folder you are in", path, code="file_not_found"
        ) from None
    except IsADirectoryError:
        raise FormatError(f"this is a folder; name the files in it, such as {path / '*.csv'}", path) from None
    except PermissionError:
        raise FormatError("may not be read; change its permissions", path) from None
    except OSError as error:
        if error.errno is not None:
            raise FormatError(f"can't be read: {reason(error)}", path) from None
        raise FormatError(
            f"can't be decompressed ({str(error).lower()}); it may be cut off: fetch it again", path
        ) from None


def encoding_of(path: Path, named: str | None) -> tuple[str | None, list[str]]:
    """The encoding that a file is to be decoded from, and what to say of it.

    It is the one that was ``named``, unless a byte order mark tells another, or the file is UTF-8 beyond doubt.
    """
    file = PurePath(displayed(path)).name
    with Tap(path) as tap:
        start = tap.read(START)
        if tap.marked is not None:
            return None, [f"{file} is {tap.marked.upper()}, as its byte order mark says"]
        if named is None or not is_utf8(itertools.chain([start], iter(lambda: tap.read(DECODED), b""))):
            return named, [] if named is None else _misnamed(path, named, file)
    is_same = codecs.lookup(named).name.startswith("utf-8")
    return None, [] if is_same else [
        f"{file} is UTF-8, and is read as UTF-8, not as {named}; if that is wrong, convert the file"
    ]


def _misnamed(path: Path, named: str, file: str) -> list[str]:
    """That a file has bytes which are control characters in the encoding that is named, and letters in a like one."""
    like = encodings.LIKE.get(codecs.lookup(named).name)
    if like is None:
        return []
    with Tap(path) as tap:
        if not any(encodings.CONTROLS.search(block) for block in iter(lambda: tap.read(DECODED), b"")):
            return []
    return [
        f"{file} has control characters when it is read as {named}, as if it were {like}: see whether "
        f"--encoding {like} reads it right"
    ]


def start_of(path: Path, encoding: str | None = None) -> bytes:
    """The beginning of a text as UTF-8.

    Raises
    ------
    FormatError
        The file is empty, or its first bytes are not text.
    """
    with Tap(path, encoding=encoding) as tap:
        start = tap.read(START)
    if not start:
        raise FormatError("the file is empty; expected a table with a header", path, code="empty_file")
    if b"\0" in start:
        guess = encodings.without_mark(start) if encoding is None else None
        if guess is not None:
            raise FormatError(
                f"this looks like UTF-16 without a byte order mark; name it: --encoding {guess}",
                path,
                code="bad_encoding",
            )
        line = start[: start.index(b"\0")].count(b"\n") + 1
        raise FormatError(
            "this is not text (it holds a zero byte); expected CSV, TSV, JSON lines or Parquet",
            path,
            line,
            code="no_table",
        )
    return start


def lines_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """All lines with their numbers."""
    with io.BufferedReader(Tap(path)) as text:
        yield from enumerate(text, 1)


def ending_of(path: PurePath) -> str:
    """The ending of a name in small letters, that of a compression left out; empty where there is none."""
    endings = [ending.lower() for ending in path.suffixes]
    if endings and endings[-1] in COMPRESSION:
        endings.pop()
    return endings[-1] if endings else ""


def displayed(path: Path) -> str:
    r"""The name of a file as text that can be written: bytes that are no text as ``\\udcNN``."""
    return str(path).encode("utf-8", "backslashreplace").decode()
