"""Judgments as Get-Another-Label takes them: worker, item and label between tabs, without a header.

Nothing in such a file tells which column is which. So it is recognised only where the first column holds what workers
are called and nothing else is (ids of Mechanical Turk, ``worker3``) and labels of the last one come again. Other files
of this kind are read if the platform is named; ``--item worker --worker item`` swaps the first two columns. Quotes are
text. A line with more or fewer cells is a reject.
"""

from __future__ import annotations

import hashlib
import re
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING

from consensus.formats.platforms.named_columns import made_columns
from consensus.formats.platforms.records import Judged, reading
from consensus.formats.tables.json_lines import lines_in
from consensus.formats.tables.streams import Tap, displayed, encoding_of, start_of, unreadable
from consensus.formats.tables.text_form import PLAIN
from consensus.inputs.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from hashlib import _Hash
    from pathlib import Path

    from consensus.formats.platforms.seam import Head
    from consensus.formats.tables.blocks import Reading
    from consensus.formats.tables.roles import Roles
    from consensus.formats.tables.text_form import TextForm

NAME = "get-another-label"
TITLE = "Get-Another-Label file"
COLUMNS = ("worker", "item", "label")
PERSON = re.compile(r"A[0-9A-Z]{9,20}|(?i:(?:worker|annotator|rater|coder|user|labell?er)[-_ ]?\d+)")
LEAST = 6  # lines that tell
TIMES = 3  # that a label comes on average


def sniff(head: Head) -> bool:
    """Whether a file holds such judgments: by what stands in each column."""
    if head.start[:1] in {b"[", b"{"} or b"\t" not in head.start[:1000]:
        return False
    rows = [line.split("\t") for line in head.start.decode("utf-8-sig", "replace").split("\n")[:-1] if line.strip()]
    rows = [row for row in rows if len(row) == len(COLUMNS)] if rows and len(rows[0]) == len(COLUMNS) else []
    if len(rows) < LEAST or not all(PERSON.fullmatch(row[0].strip()) for row in rows):
        return False
    labels = [row[2].strip() for row in rows]
    return not any(PERSON.fullmatch(row[1].strip()) for row in rows) and TIMES * len({*labels}) <= len(labels)


def read(path: Path, roles: Roles, form: TextForm = PLAIN) -> Reading:
    """The judgments.

    Raises
    ------
    FormatError
        The file can't be read, or something that it has not is named.
    """
    with unreadable(path):
        encoding, _ = encoding_of(path, form.encoding)
        start_of(path, encoding)
    digest = hashlib.sha256()
    columns = made_columns(roles, {name: name for name in COLUMNS}, path, TITLE)
    return reading(
        path,
        _judged(path, encoding, digest, columns),
        tuple(columns),
        digest=digest,
        platform=TITLE,
        columns=columns,
        header=COLUMNS,
        note=partial(_note, path, columns),
    )


def _judged(path: Path, encoding: str | None, digest: _Hash, columns: Mapping[str, str]) -> Iterator[Judged]:
    with unreadable(path):
        for line, raw in lines_in(Tap(path, digest, encoding)):
            try:
                cells = raw.decode("utf-8-sig").rstrip("\r\n").split("\t")
            except UnicodeDecodeError:
                yield Judged(line, {}, "the row is not UTF-8")
                continue
            if len(cells) != len(COLUMNS):
                yield Judged(line, {}, f"{counted(len(cells), 'cell')} between tabs instead of {len(COLUMNS)}")
                continue
            by_name = dict(zip(COLUMNS, cells, strict=True))
            yield Judged(line, {role: by_name[name].strip() or None for role, name in columns.items()})


def _note(path: Path, columns: Mapping[str, str]) -> str:
    """What was understood, in a line."""
    place = {name: n for n, name in enumerate(COLUMNS, 1)}
    told = ", ".join(f"{role} column {place[columns[role]]}" for role in ("item", "worker", "label"))
    return (
        f"{PurePath(displayed(path)).name} is a {TITLE}: {told}, for it has no header; --item worker --worker item "
        "swaps the first two columns; --platform none reads it as a plain table"
    )
