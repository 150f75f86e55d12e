"""Files as streams of bytes: decompressed, digested and counted on the way."""

from __future__ import annotations

import hashlib
import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from consensus.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator
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
    """A binary stream that counts what Arrow reads from it: quotes and line feeds, and the digest of the file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        import pyarrow as pa

        self._file = path.open("rb")
        self.digest = hashlib.sha256()
        self.quotes = 0
        self.line_feeds = 0
        self.last = b"\n"
        kind = COMPRESSION.get(path.suffix.lower())
        self._stream: Any = None
        if kind is not None:
            self._stream = pa.CompressedInputStream(pa.PythonFile(_Digested(self)), kind)

    def raw(self, size: int) -> bytes:
        """Bytes of the file itself, digested."""
        block = self._file.read(size)
        self.digest.update(block)
        return block

    def readable(self) -> bool:
        """True: Arrow asks."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Decompressed bytes, counted."""
        block = self.raw(size) if self._stream is None else bytes(self._stream.read(size))
        self.quotes += block.count(b'"')
        self.line_feeds += block.count(b"\n")
        self.last = block[-1:] or self.last
        return block

    def readinto(self, buffer: Any) -> int:
        """Fill ``buffer``: what ``io.BufferedReader`` asks for."""
        block = self.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        """Close the file."""
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
        if path.suffix.lower() not in COMPRESSION:
            raise
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
    tap = Tap(path)
    start = tap.read(1 << 16)
    tap.close()
    if not start:
        raise FormatError(f"{path}: the file is empty; expected judgments")
    for magic, what in MAGIC.items():
        if start.startswith(magic):
            raise FormatError(f"{path}: this is not text but {what}")
    if b"\0" in start:
        line = start[: start.index(b"\0")].count(b"\n") + 1
        raise FormatError(
            f"{path}:{line}: this is not text (it holds a zero byte); expected CSV, TSV, JSON lines or Parquet, "
            "told apart by the ending of the name"
        )
