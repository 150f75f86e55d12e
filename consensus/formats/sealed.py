"""Files of our own that are read again long after: where one is gone, cut short or changed, that is told in one line.

JSON is sealed with a digest of its bytes, pages of Parquet with checksums: no damaged byte counts in silence.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from consensus.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyarrow import parquet

WAY_OUT = "the state is damaged: restore its folder from a copy, or make it anew from the files that came"
HEAD = b'{"sha256": "'
MIDDLE = b'", "kept": '
END = b"}\n"


@contextmanager
def whole(path: Path) -> Iterator[None]:
    """Read a file within; whatever shows that it is not what was written is one error.

    Raises
    ------
    StateError
        It is gone, cut short, or was changed.
    """
    try:
        yield
    except FileNotFoundError:
        raise StateError(f"the file is gone; {WAY_OUT}", path) from None
    except PermissionError:
        raise StateError("may not be read; ask whoever owns it", path) from None
    except (ArithmeticError, LookupError, NotImplementedError, OSError, TypeError, ValueError):  # of Arrow, too
        raise StateError(f"the file is not as it was written; {WAY_OUT}", path) from None


def sealed(content: bytes) -> bytes:
    """JSON (UTF-8) with a digest of its bytes."""
    content = content.rstrip(b"\n")
    return HEAD + hashlib.sha256(content).hexdigest().encode() + MIDDLE + content + END


def unsealed(path: Path) -> bytes:
    """The JSON that was sealed in a file.

    Raises
    ------
    StateError
        It is gone, or is not as it was written.
    """
    with whole(path):
        read = path.read_bytes()
        content = read[len(HEAD) + 64 + len(MIDDLE) : -len(END)]
        if read != sealed(content):
            raise ValueError("other bytes")
        return content


def told(path: Path) -> dict[str, Any]:
    """The mapping that was sealed in a file, as ``unsealed``."""
    content = unsealed(path)
    return dict(json.loads(content))


def rows(path: Path) -> parquet.ParquetFile:
    """A file of rows, to be read within ``whole``."""
    from pyarrow import parquet

    return parquet.ParquetFile(path, memory_map=True, page_checksum_verification=True)
