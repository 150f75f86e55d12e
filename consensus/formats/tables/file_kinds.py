"""What kind of table a file is, and who reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consensus.errors import FormatError
from consensus.formats import platforms
from consensus.formats.tables import delimited, frames, json_lines
from consensus.formats.tables.streams import COMPRESSION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from consensus.formats.tables.blocks import Reading
    from consensus.formats.tables.roles import Roles

READERS: dict[str, Callable[[Path, Roles], Reading]] = {
    ".csv": delimited.read,
    ".tsv": delimited.read,
    ".tab": delimited.read,
    ".txt": delimited.read,
    ".jsonl": json_lines.read,
    ".ndjson": json_lines.read,
    ".parquet": frames.read_parquet,
}
"""Reader by the ending of the name; the text formats also with .gz or .zst behind it."""


def reader_of(path: Path) -> Callable[[Path, Roles], Reading]:
    """Who reads a file.

    Raises
    ------
    FormatError
        There is no such file, or its kind is unknown.
    """
    endings = [ending.lower() for ending in path.suffixes]
    if endings and endings[-1] in COMPRESSION:
        endings.pop()
    ending = endings[-1] if endings else ""
    if ending not in READERS and not path.is_dir():
        if not path.exists():
            raise FormatError(f"{path}: no such file")
        *titles, last = [one.TITLE for one in platforms.PLATFORMS]
        raise FormatError(
            f'{path}: unknown ending "{ending}"; known are {", ".join(READERS)}, the text formats also with .gz or '
            f".zst; of any ending, a {', '.join(titles)} or {last}"
        )
    return READERS.get(ending, delimited.read)
