"""Delimited text record by record, with lines: the slow second look that can say where something is wrong."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consensus.errors import FormatError
from consensus.formats.streams import Tap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONGEST = 1 << 26  # characters of a record: one that is longer had its quote left open
DELIMITERS = ",\t;|"


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a file; it may span lines."""

    line: int
    """Line on which it begins, from 1."""
    n_lines: int
    n_fields: int
    text: str
    """Without its line end, bytes as latin-1."""
    fault: str = ""
    """Why the quotes do not add up, if they don't."""

    @property
    def readable(self) -> str:
        r"""The text as UTF-8, other bytes as ``\xNN``."""
        return self.text.encode("latin-1").decode("utf-8", errors="backslashreplace")


def records(path: Path, delimiter: str, skip_lines: int = 0, tap: Tap | None = None) -> Iterator[Record]:
    """Every record that is not blank, after the first ``skip_lines`` lines; read through ``tap`` if given."""
    text = io.TextIOWrapper(io.BufferedReader(tap or Tap(path), 1 << 20), encoding="latin-1", newline="")
    held: list[str] = []
    begin, n_lines, n_fields, length = 0, 0, 1, 0
    inside, reopened = False, False
    with text:
        for line, raw in enumerate(text, 1):
            if line <= skip_lines:
                continue
            if line == 1:
                raw = raw.removeprefix("\xef\xbb\xbf")
            if not held:
                if not raw.strip("\r\n"):
                    continue
                begin, n_lines, n_fields, length, reopened = line, 0, 1, 0, False
            n_lines += 1
            length += len(raw)
            if length <= LONGEST or not held:
                held.append(raw)
            more, inside, stray = scan(raw, delimiter, inside)
            n_fields += more
            reopened = reopened or (stray and n_lines > 1)
            if not inside:
                fault = f"closes in the middle of a value on line {line}" if reopened else ""
                fault = fault or (f"closes only on line {line}" if length > LONGEST else "")
                yield Record(begin, n_lines, n_fields, "".join(held).rstrip("\r\n"), fault)
                held = []
    if held:
        yield Record(begin, n_lines, n_fields, held[0].rstrip("\r\n"), "is never closed")


def scan(line: str, delimiter: str, inside: bool) -> tuple[int, bool, bool]:
    """Delimiters outside quotes, whether a quote is open at the end, whether text follows a closing quote."""
    if not inside and '"' not in line:
        return line.count(delimiter), False, False
    n_delimiters, position, stray = 0, 0, False
    while True:
        if inside or line.startswith('"', position):
            position += not inside
            while (position := line.find('"', position)) >= 0 and line.startswith('"', position + 1):
                position += 2
            if position < 0:
                return n_delimiters, True, stray
            inside = False
            position += 1
            stray = stray or line[position : position + 1] not in {delimiter, "\r", "\n", ""}
        position = line.find(delimiter, position)
        if position < 0:
            return n_delimiters, False, stray
        n_delimiters += 1
        position += 1


def delimiter_of(path: Path) -> str:
    """Tab for .tsv and .tab, else the delimiter that the first line with text holds most often outside quotes."""
    if {".tsv", ".tab"} & {ending.lower() for ending in path.suffixes}:
        return "\t"
    first = next((record.text for record in records(path, ",")), "").splitlines()
    outside = re.sub(r'"[^"]*("|$)', "", first[0]) if first else ""
    return max(DELIMITERS, key=outside.count)


def header_of(path: Path, delimiter: str) -> Record:
    """Find the first record that is not blank.

    Raises
    ------
    FormatError
        There is none, or a quote in it is never closed.
    """
    for record in records(path, delimiter):
        refuse_open_quote(record, path)
        return record
    raise FormatError(f"{path}: the file holds blank lines only; expected a header line")


def refuse_open_quote(record: Record, path: Path) -> None:
    """Refuse a record in which an open quote swallowed others.

    Raises
    ------
    FormatError
        Its quotes do not add up.
    """
    if record.fault:
        first = record.text[:60].splitlines()[0].encode("latin-1").decode("utf-8", errors="backslashreplace")
        raise FormatError(
            f"{path}:{record.line}: a quote opens here and {record.fault}, swallowing the rows between: {first}; "
            "close it, or double quotes that belong to the value"
        )
