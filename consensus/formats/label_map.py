"""Tables of what labels shall be called to ``Renaming``."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from consensus.backends import Threads
from consensus.errors import FormatError
from consensus.formats.opening import readings
from consensus.formats.tables.coded_rows import Rows
from consensus.formats.tables.roles import Roles
from consensus.inputs import pseudonyms
from consensus.inputs.renaming import NO_ANSWER, Renaming

if TYPE_CHECKING:
    from consensus.config import ReadConfig

NAMES = {"from": ("from", "old"), "to": ("to", "new")}
"""Names of the column of each role."""


def read_label_map(source: Any) -> Renaming:
    """Read what labels become: columns from and to, one row a label.

    ``source`` is what ``read`` takes. Several labels may become the same one. An empty ``to`` means no answer.

    Raises
    ------
    FormatError
        A source can't be read, a column can't be found, a row is malformed, one label becomes two, or there is no row.
    """
    rows = Rows(("from", "to"), (), Threads(), None)
    files = []
    with closing(readings(source, Roles(dict.fromkeys(NAMES), True, NAMES))) as given:
        for reading in given:
            rows.add(reading)
            files.append(reading.file)
    for first in rows.rejects[:1]:
        raise FormatError(
            f"{first.reason}: {first.row[:60]}; correct the label map", first.file, first.line, code="bad_row"
        )
    if not rows.n_rows:
        raise FormatError("a header but no rows; expected a label and what it becomes in each (from, to)", files[0])
    columns = [[texts[code].as_py() if code >= 0 else "" for code in codes.tolist()] for codes, texts in rows.ranked()]
    found: dict[str, tuple[str, str]] = {}
    for row, (old, new) in enumerate(zip(*columns, strict=True)):
        place = rows.place(row)
        if found.setdefault(old, (new, place))[0] != new:
            before, where = found[old]
            raise FormatError(
                f'the label "{old}" becomes {_told(new)} here and {_told(before)} in {where}; keep one row', place
            )
    return Renaming({old: new for old, (new, _) in found.items()}, sources=tuple(rows.sources))


def _told(label: str) -> str:
    return "no answer" if label == NO_ANSWER else f'"{label}"'


def renaming_of(settings: ReadConfig) -> Renaming | None:
    """What is renamed; None where nothing is.

    Raises
    ------
    ConsensusError
        The file of the map, or of the key, can't be used.
    """
    key = None if settings.pseudonyms is None else pseudonyms.read_key(settings.pseudonyms)
    if settings.label_map is None and not settings.fold and key is None:
        return None
    by_map = Renaming() if settings.label_map is None else read_label_map(settings.label_map)
    return replace(by_map, fold=frozenset(settings.fold), key=key)
