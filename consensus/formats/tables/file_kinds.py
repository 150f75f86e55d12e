"""What kind of table a file is, by its first bytes, and who reads it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING

from consensus.errors import FormatError
from consensus.formats import archives
from consensus.formats.tables import delimited, encodings, frames, json_documents, json_lines, spreadsheets
from consensus.formats.tables.streams import COMPRESSION, START, Tap, displayed, encoding_of, ending_of, unreadable
from consensus.formats.tables.text_form import PLAIN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from consensus.formats.tables.blocks import Reading
    from consensus.formats.tables.roles import Roles
    from consensus.formats.tables.text_form import TextForm

    Reader = Callable[[Path, Roles, TextForm], Reading]

PARQUET, JSON_LINES, JSON, TEXT = "a Parquet file", "JSON lines", "JSON", "delimited text"
SPREADSHEET, OLD_SPREADSHEET = "a spreadsheet", "an old Excel workbook"
MAGIC = {
    b"PAR1": PARQUET,
    b"PK\x03\x04": "a ZIP archive",
    b"\xd0\xcf\x11\xe0": OLD_SPREADSHEET,
    b"ARROW1": "an Arrow file",
    b"SQLite format 3\0": "an SQLite database",
    b"%PDF-": "a PDF",
    b"BZh": "bzip2-compressed",
    b"\xfd7zXZ\0": "xz-compressed",
    b"\x89HDF": "an HDF5 file",
}
"""Kind by the first bytes of what is no text."""
MARKUP = re.compile(rb"<(!doctype|html|\?xml|table)", re.IGNORECASE)
BEGINS_OBJECT = re.compile(rb'\{\s*["}]')
BEGINS_ARRAY = re.compile(rb'\[\s*([\[{"\]\d-]|true\b|false\b|null\b)')
LINES = {".jsonl", ".ndjson"}
"""Endings of JSON lines."""
READERS: dict[str, Reader] = {
    PARQUET: lambda path, roles, _form: frames.read_parquet(path, roles),
    JSON_LINES: json_lines.read,
    JSON: json_documents.read,
    SPREADSHEET: lambda path, roles, _form: spreadsheets.read(path, roles),
    OLD_SPREADSHEET: lambda path, roles, _form: spreadsheets.read(path, roles),
    TEXT: lambda path, roles, form: delimited.read(path, roles, form=form),
}
"""Reader by kind."""
REFUSED = {
    "a ZIP archive": "unpack it",
    "an Arrow file": "save it as Parquet",
    "an SQLite database": "export its table as CSV",
    "a PDF": "give the table as CSV",
    "bzip2-compressed": "unpack it, or compress it with gzip",
    "xz-compressed": "unpack it, or compress it with gzip",
    "an HDF5 file": "save its table as CSV or Parquet",
    "HTML or XML": "save the table in it as CSV",
}
"""What to do about a file of a kind that can't be read."""
PROMISED = {".parquet": (PARQUET,), ".pq": (PARQUET,), ".json": (JSON, JSON_LINES)}
PROMISED |= dict.fromkeys(LINES, (JSON_LINES,))
PROMISED |= dict.fromkeys(spreadsheets.ENDINGS, (SPREADSHEET, OLD_SPREADSHEET))
PROMISED |= dict.fromkeys((".csv", ".tsv", ".tab", ".txt", ".dat"), (TEXT,))
"""The kinds that the ending of a name promises."""


def reader_of(path: Path, form: TextForm = PLAIN) -> Callable[[Roles], Reading]:
    """Who reads a file.

    Raises
    ------
    FormatError
        It can't be read, or is of a kind that nobody reads.
    """
    with unreadable(path):
        with Tap(path) as tap:
            start = tap.read(START)
        kind = SPREADSHEET if archives.is_spreadsheet(path) else kind_of(start, ending_of(path))
        if kind not in {SPREADSHEET, *MAGIC.values()} and form.encoding is not None:
            with Tap(path, encoding=encoding_of(path, form.encoding)[0]) as tap:
                kind = kind_of(tap.read(START), ending_of(path))
    if kind in REFUSED:
        raise FormatError(f"this is {kind}; {REFUSED[kind]}", path, code="no_table")
    notes = _notes(path, kind, tap.compression)
    return partial(_read, READERS[kind], path, form, notes)


def _read(reader: Reader, path: Path, form: TextForm, notes: list[str], roles: Roles) -> Reading:
    reading = reader(path, roles, form)
    return replace(reading, form_notes=lambda: [*notes, *reading.form_notes()]) if notes else reading


def is_spreadsheet(path: Path) -> bool:
    """Whether a file that can be read is a spreadsheet, by its content."""
    with Tap(path) as tap:
        return archives.is_spreadsheet(path) or kind_of(tap.read(START)) == OLD_SPREADSHEET


def kind_of(start: bytes, ending: str = "") -> str:
    """The kind of a file by its ``start``; the ``ending`` of its name only tells where both kinds are possible."""
    for begin, kind in MAGIC.items():
        if start.startswith(begin):
            return kind
    text = encodings.text_in(start)
    if MARKUP.match(text):
        return "HTML or XML"
    first, _, others = text.partition(b"\n")
    if BEGINS_OBJECT.match(text):
        return JSON_LINES if ending in LINES or others.lstrip().startswith(b"{") else JSON
    if BEGINS_ARRAY.match(text):
        return JSON_LINES if ending in LINES and others.strip() and _is_json(first) else JSON
    if ending in LINES and any(BEGINS_OBJECT.match(line.lstrip()) for line in text.splitlines()):
        return JSON_LINES  # its first line is none, and becomes a reject
    return TEXT


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _notes(path: Path, kind: str, compression: str | None) -> list[str]:
    """That a file is not what its name says; which delimiter text has is told by who reads it."""
    file = PurePath(displayed(path)).name
    said = []
    if COMPRESSION.get(path.suffix.lower()) != compression:
        how = "not compressed" if compression is None else f"compressed with {compression}"
        said.append((f"{file} is {how}", path.suffix))
    ending = ending_of(path)
    if kind != TEXT and kind not in PROMISED.get(ending, ()):
        said.append((f"{file} is read as {kind}", ending))
    return [f"{one}, whatever its ending" if against else one for one, against in said]
