"""Files as streams of bytes: decompressed, digested and counted on the way."""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from consensus.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from hashlib import _Hash
    from pathlib import Path


COMPRESSION = {".gz": "gzip", ".zst": "zstd"}
MAGIC = {
    b"\x1f\x8b": "gzip-compressed; end its name in .gz",
    b"\x28\xb5\x2f\xfd": "zstd-compressed; end its name in .zst",
    b"PK\x03\x04": "a ZIP archive or a spreadsheet; unpack it, or save it as CSV",
    b"PAR1": "a Parquet file; end its name in .parquet",
    b"\xff\xfe": "UTF-16; save it as UTF-8",
    b"\xfe\xff": "UTF-16; save it as UTF-8",
}


class Tap(io.RawIOBase):
    """The decompressed bytes of a file; the bytes of the file itself are counted and digested on the way.

    A last line without an end gets one: Arrow takes an empty last field for a quoted one otherwise.
    """

    _file: BinaryIO | None = None  # where it could not be opened: Python closes that, too

    def __init__(self, path: Path, digest: _Hash | None = None) -> None:
        super().__init__()
        import pyarrow as pa

        self._file = path.open("rb")
        self._size = path.stat().st_size
        self._digest = digest
        self._n_read = 0
        self._last = b"\n"
        kind = COMPRESSION.get(path.suffix.lower())
        self._stream: Any = None
        if kind is not None:
            self._stream = pa.CompressedInputStream(pa.PythonFile(_Digested(self)), kind)

    @property
    def done(self) -> float:
        """The fraction of the file that was read."""
        return self._n_read / max(self._size, self._n_read, 1)

    def raw(self, size: int) -> bytes:
        """Bytes of the file itself, digested."""
        assert self._file is not None
        block = self._file.read(size)
        self._n_read += len(block)
        if self._digest is not None:
            self._digest.update(block)
        return block

    def readable(self) -> bool:
        """True: ``io.TextIOWrapper`` asks."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Decompressed bytes."""
        block = self.raw(size) if self._stream is None else bytes(self._stream.read(size))
        if not block and self._last != b"\n":
            block = b"\n"
        self._last = block[-1:] or self._last
        return block

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
    """The compressed bytes below a ``Tap``."""

    def __init__(self, tap: Tap) -> None:
        super().__init__()
        self._tap = tap

    def readable(self) -> bool:  # pragma: no cover  (Arrow asks where coverage does not see it)
        return True

    def read(self, size: int = -1) -> bytes:
        return self._tap.raw(size)


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
        raise FormatError(f"{path}: no such file; check the name, or the folder you are in") from None
    except IsADirectoryError:
        raise FormatError(f"{path}: this is a folder; name the files in it, such as {path / '*.csv'}") from None
    except PermissionError:
        raise FormatError(f"{path}: may not be read; change its permissions") from None
    except OSError as error:
        if error.errno is not None or path.suffix.lower() not in COMPRESSION:
            raise FormatError(f"{path}: can't be read: {(error.strerror or str(error)).lower()}") from None
        raise FormatError(
            f"{path}: can't be decompressed ({str(error).lower()}); it may be cut off: fetch it again"
        ) from None


def refuse_binary(path: Path) -> None:
    """Refuse files that are empty or not text.

    Raises
    ------
    FormatError
        The file is empty, or its first bytes are not text.
    """
    with Tap(path) as tap:
        start = tap.read(1 << 16)
    if not start:
        raise FormatError(f"{path}: the file is empty; expected a table with a header")
    for magic, what in MAGIC.items():
        if start.startswith(magic):
            raise FormatError(f"{path}: this is not text but {what}")
    if b"\0" in start:
        line = start[: start.index(b"\0")].count(b"\n") + 1
        raise FormatError(
            f"{path}:{line}: this is not text (it holds a zero byte); expected CSV, TSV, JSON lines or Parquet, "
            "told apart by the ending of the name"
        )


def displayed(path: Path) -> str:
    r"""The name of a file as text that can be written: bytes that are no text as ``\\udcNN``."""
    return str(path).encode("utf-8", "backslashreplace").decode()
