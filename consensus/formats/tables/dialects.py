"""How a delimited text is written: what stands before its header, its delimiter, and the names of its columns."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from consensus.errors import FormatError
from consensus.formats.tables import encodings, headers
from consensus.formats.tables.csv_records import DELIMITERS, Record, header_of, records, records_of, scan
from consensus.formats.tables.roles import any_known
from consensus.formats.tables.streams import START, displayed, encoding_of, ending_of, lines_of, start_of, unreadable
from consensus.inputs.counted import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from consensus.formats.tables.text_form import TextForm

MARK = "\xef\xbb\xbf"  # the byte order mark of UTF-8, as latin-1
SEPARATOR = re.compile(r'"?sep=(\\t|[\t !#-/:-@\[-`{-~])"?', re.IGNORECASE)
"""The first line, by which Excel is told the delimiter."""
COMMENT = "#"
CALLED = {",": "comma-separated", "\t": "tab-separated", ";": "semicolon-separated"}
PROMISED: dict[str, str | None] = {"": ",", ".csv": ",", ".tsv": "\t", ".tab": "\t", ".txt": None, ".dat": None}
"""The delimiter that the ending of a name promises, or a name without one; None where it may be any."""
LOOKED_AT = 50  # records whose look tells the delimiter
ROWS = 1000  # that are compared with the header
NEARLY = 0.9  # what it counts that rows have about as many fields as the header


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written."""

    encoding: str | None
    """From which it is decoded; None where it is UTF-8 or has a byte order mark."""
    delimiter: str
    header: Record
    """The record of the names; where there are none, an empty one before the first row."""
    names: list[str]
    """Of the columns."""
    rows: list[list[str]]
    """The cells of the first rows."""
    notes: list[str]
    """What was understood, in words."""


def dialect_of(path: Path, form: TextForm) -> Dialect:
    """How the delimited text at ``path`` is written.

    Raises
    ------
    FormatError
        The file is empty or binary, its encoding is not known, or its header can't be read.
    """
    file = PurePath(displayed(path)).name
    with unreadable(path):
        encoding, notes = encoding_of(path, form.encoding)
        start = start_of(path, encoding)
        lines = _first_lines(start)
        n_skipped, said = _preamble(lines)
        given = form.delimiter or said
        delimiter = given or _by_look(lines[n_skipped:], path)
        header = header_of(path, delimiter, encoding, n_skipped)
        below = list(itertools.islice(records(path, delimiter, encoding, n_skipped), 1, 3)) if form.has_header else []
    if n_skipped:
        notes.append(f"{file}: {_skipped(lines[:n_skipped], said)} before the table, passed over")
    if given is None:
        notes += _beside_ending(path, file, delimiter, form)
    names = _names(path, header, delimiter, form)
    if not form.has_header:
        n_bytes = sum(map(len, lines[:n_skipped])) or len(MARK) * lines[0].startswith(MARK)
        header = Record(1 + n_skipped, 0, n_bytes, 0, "")
        names = [headers.called(n) for n in range(len(names))]
    if n := headers.n_explaining([(_cells([one.text], delimiter) or [[]])[0] for one in below]):
        last = below[n - 1]
        header = replace(header, n_lines=last.line + last.n_lines - header.line, end=last.end)
        notes.append(f"{file}: {headers.explained(n)}")
    rows = _cells(lines[header.line - 1 + header.n_lines :], delimiter)
    if len(start) >= START and len(rows) < ROWS:  # the last one may go on
        rows = rows[:-1]
    if form.has_header:
        names, index = headers.with_index(names, rows)
        notes += [f"{file}: {index}"] if index else []
    return Dialect(encoding, delimiter, header, names, rows, notes)


def _first_lines(start: bytes) -> list[str]:
    """The whole lines of the beginning of a file, bytes as latin-1; its only line, if none is whole."""
    lines = list(io.StringIO(start.decode("latin-1"), newline=""))
    return lines[:-1] if len(start) >= START and len(lines) > 1 else lines


def _preamble(lines: Sequence[str]) -> tuple[int, str | None]:
    """How many lines stand before the table, and the delimiter that one of them says."""
    plain = [line.removeprefix(MARK).strip("\r\n") for line in lines]
    filled = [n for n, line in enumerate(plain) if line.strip()]
    said, begin = None, 0
    if filled and (found := SEPARATOR.fullmatch(plain[filled[0]])):
        said, begin = found[1].replace("\\t", "\t"), filled.pop(0) + 1
    table = next((n for n in filled if not plain[n].startswith(COMMENT)), None)
    if table is None:
        return begin, said
    before = [n for n in filled if n < table]
    while before and _is_of_table(plain[before[-1]], plain[table], said):
        table = before.pop()
    return (before[-1] + 1 if before else begin), said


def _is_of_table(comment: str, following: str, said: str | None) -> bool:
    """Whether a line that begins with # is a header, or a row: it has as many fields as the next, and more says so."""
    delimiter = said or delimiter_in(following)
    if scan(comment, delimiter, False)[0] != scan(following, delimiter, False)[0] or delimiter not in comment:
        return False
    first, second = (_split(line, delimiter) for line in (comment.lstrip(COMMENT), following))
    if any_known(second):
        return False
    return any_known(first) or not comment.startswith(f"{COMMENT} ")


def _split(line: str, delimiter: str) -> list[str]:
    return [cell.strip().strip('"') for cell in line.split(delimiter)]


def _skipped(lines: Sequence[str], said: str | None) -> str:
    """What the lines before the table are."""
    n_comments = sum(line.removeprefix(MARK).startswith(COMMENT) for line in lines)
    told = [] if said is None else [f'a line "sep={said}", which names the delimiter,'.replace("\t", "\\t")]
    told += [counted(n_comments, "comment line")] if n_comments else []
    return " and ".join(told)


def _by_look(lines: Sequence[str], path: Path) -> str:
    """The delimiter by which the header has several fields, and the rows as many as it; of several, the one of most."""
    promised = PROMISED.get(ending_of(path))
    scores: dict[str, tuple[float, bool, int]] = {}
    for delimiter in DELIMITERS:
        widths = [record.n_fields for record in itertools.islice(records_of(lines, delimiter), 1 + LOOKED_AT)]
        if widths and widths[0] > 1:
            scores[delimiter] = (_agreement(widths[0], widths[1:]), promised == delimiter == "\t", widths[0])
    return max(scores, key=scores.__getitem__, default=promised or DELIMITERS[0])


def _agreement(n_fields: int, widths: Sequence[int]) -> float:
    """The share of rows that have as many fields as most, if that are about as many as the header has."""
    if not widths:
        return 1.0
    ((width, n),) = Counter(widths).most_common(1)
    if width < 2:
        return 0.0
    return n / len(widths) * (1.0 if width == n_fields else NEARLY / (1 + abs(width - n_fields) / n_fields))


def delimiter_in(line: str) -> str:
    """The delimiter that ``line`` holds most often outside quotes."""
    outside = re.sub(r'"[^"]*("|$)', "", line)
    return max(DELIMITERS, key=outside.count)


def _beside_ending(path: Path, file: str, delimiter: str, form: TextForm) -> list[str]:
    """That a file is not what the ending of its name says."""
    ending = ending_of(path)
    if PROMISED.get(ending, delimiter) in {None, delimiter} and ending in PROMISED:
        return []
    called = CALLED.get(delimiter, f"{delimiter}-separated")
    way_out = "; --delimiter names another delimiter" if form.takes_header else ""
    return [f"{file} is read as {called} text, as it looks{way_out}"]


def _names(path: Path, header: Record, delimiter: str, form: TextForm) -> list[str]:
    """The cells of the header.

    Raises
    ------
    FormatError
        They can't be read, or are not UTF-8.
    """
    try:
        header.text.encode("latin-1").decode()
    except UnicodeDecodeError:
        if form.has_header:
            raise encodings.misread(path, lines_of(path), form.takes_encoding) from None
    try:
        first, *others = next(csv.reader([header.readable], delimiter=delimiter))
        return [headers.uncommented(first), *others]
    except csv.Error as error:
        raise FormatError(f"the header can't be read: {error}", path, header.line) from None


def _cells(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """The cells of rows that have any."""
    text = "".join(lines).encode("latin-1").decode("utf-8", "backslashreplace")
    found = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            found += [row] if row else []
            if len(found) == ROWS:
                break
    except csv.Error:  # a cell that is too long; what stands before it tells enough
        pass
    return found
