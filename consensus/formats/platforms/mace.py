"""Judgments as MACE takes them: a row an item, a column a worker, without a header; an empty cell is not judged.

Nothing in such a file names anything: an item is the number of its line, a worker that of their column, from 1. It is
recognised only where all cells are beyond doubt labels, those of the first row, too: few different ones, each in
several columns, with empty cells in half of the rows. Other files of this kind are read if the platform is named, and
``--item column --worker row`` reads those that have a row a worker. A row of another length is a reject.
"""

from __future__ import annotations

import csv
import hashlib
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING

from consensus.formats.platforms.named_columns import made_columns
from consensus.formats.platforms.records import Judged, reading
from consensus.formats.tables.dialects import delimiter_in
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

NAME = "mace"
TITLE = "MACE file"
ROW, COLUMN, LABEL = "row", "column", "label"
LEAST_ROWS, LEAST_COLUMNS = 10, 4
MOSTLY = 0.9  # of the rows that are as long as the first one
MOST_LABELS, LONGEST = 20, 30
"""Different labels, and characters of one, in a file that is recognised."""


def sniff(head: Head) -> bool:
    """Whether a file holds such judgments: by its first rows."""
    start = head.start[:20_000]
    begin = start.removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0]
    if begin[:1] in {b"[", b"{", b"#"} or max(begin.count(b","), begin.count(b"\t")) < LEAST_COLUMNS - 1:
        return False
    text = start.decode("utf-8-sig", "replace").replace("\r", "")
    delimiter = delimiter_in(text.partition("\n")[0])
    rows = [[cell.strip() for cell in line.split(delimiter)] for line in text.split("\n")[:-1] if line]
    whole = [row for row in rows if len(row) == len(rows[0])]
    if len(whole) < max(LEAST_ROWS, MOSTLY * len(rows)):
        return False
    return _are_labels(whole)


def _are_labels(rows: list[list[str]]) -> bool:
    """Whether beyond doubt all cells of some rows are labels."""
    columns_of: dict[str, set[int]] = {}
    for row in rows:
        for n, cell in enumerate(row):
            if cell:
                columns_of.setdefault(cell, set()).add(n)
    later = {cell for row in rows[1:] for cell in row}
    return (
        1 < len(columns_of) <= MOST_LABELS
        and all(len(label) <= LONGEST and len(places) > 1 for label, places in columns_of.items())
        and later.issuperset(rows[0])
        and 2 * sum("" in row for row in rows) >= len(rows)
        and ("" in rows[0] or len({*rows[0]}) < len(rows[0]))
    )


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
    columns = made_columns(roles, {"item": ROW, "worker": COLUMN, "label": LABEL}, path, TITLE)
    return reading(
        path,
        _judged(path, encoding, digest, columns),
        tuple(columns),
        digest=digest,
        platform=TITLE,
        columns=columns,
        header=(ROW, COLUMN, LABEL),
        note=partial(_note, path, columns),
    )


def _judged(path: Path, encoding: str | None, digest: _Hash, columns: Mapping[str, str]) -> Iterator[Judged]:
    delimiter, n_cells = "", 0
    with unreadable(path):
        for line, raw in lines_in(Tap(path, digest, encoding)):
            try:
                text = raw.decode("utf-8-sig").rstrip("\r\n")
                delimiter = delimiter or delimiter_in(text)
                cells = next(csv.reader([text], delimiter=delimiter))
            except UnicodeDecodeError:
                yield Judged(line, {}, "the row is not UTF-8")
                continue
            except csv.Error as error:
                yield Judged(line, {}, f"can't be read as a row: {error}")
                continue
            n_cells = n_cells or len(cells)
            if len(cells) != n_cells:
                yield Judged(line, {}, f"{counted(len(cells), 'cell')} instead of {n_cells:,}")
                continue
            for n, cell in enumerate(cells, 1):
                if cell.strip():
                    by_name = {ROW: str(line), COLUMN: str(n), LABEL: cell.strip()}
                    yield Judged(line, {role: by_name[name] for role, name in columns.items()})


def _note(path: Path, columns: Mapping[str, str]) -> str:
    """What was understood, in a line."""
    return (
        f"{PurePath(displayed(path)).name} is a {TITLE}: item {columns['item']}, worker {columns['worker']}, by their "
        "numbers, for it has no header; --item column --worker row reads a row as a worker; --platform none reads it "
        "as a plain table"
    )
