"""Exports whose rows or objects are no plain judgments: read one by one in Python, and turned to blocks.

A row of a table may end before its header does, as every untouched download of Mechanical Turk is; what it lacks is
empty. What a message may show of a judgment is made of the cells that are used, so that no address, city or e-mail
stands in it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.errors import FormatError
from consensus.formats.tables.blocks import Block, Reading
from consensus.formats.tables.dialects import delimiter_in
from consensus.formats.tables.roles import KEEP
from consensus.formats.tables.streams import Tap, displayed, encoding_of, unreadable
from consensus.formats.tables.text_form import PLAIN
from consensus.inputs.judgments import Reject

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
    from hashlib import _Hash
    from pathlib import Path

    from consensus.formats.tables.text_form import TextForm

ROWS = 20_000  # judgments of a block
AS_WRITTEN = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
LONGEST = 1 << 28  # characters of a cell: some exports hold whole documents in one


@dataclass(frozen=True, slots=True)
class Judged:
    """A judgment, or a row of gold, that a record holds."""

    line: int
    """Where its record begins; the number of the object where there are no lines."""
    cells: Mapping[str, str | None]
    """Text by role; None is absent."""
    fault: str = ""
    """Why it can't be used, if it can't."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table."""

    line: int
    cells: Mapping[str, str]
    """Text by the name of the column; what is missing at the end is empty."""
    fault: str = ""
    """Why it can't be used, if it can't; then there are no cells."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose rows are read one by one."""

    path: Path
    names: list[str]
    """Names of the columns; of several that are called alike only the first one is read."""
    delimiter: str
    encoding: str | None = None
    """Where it is not UTF-8, and no byte order mark tells it."""
    digest: _Hash = field(default_factory=hashlib.sha256)
    """SHA-256 of the file, once all rows were read."""

    @classmethod
    def of(cls, path: Path, form: TextForm = PLAIN) -> Table:
        """Read the header.

        Raises
        ------
        FormatError
            The file can't be read, or holds no header.
        """
        with unreadable(path):
            encoding, _ = encoding_of(path, form.encoding)
        with unreadable(path), closing(_text(path, None, encoding)) as text:
            first = next((line for line in text if line.strip()), "")
        delimiter = delimiter_in(first)
        with unreadable(path), closing(_text(path, None, encoding)) as text:
            header = next((row for row in _csv(text, delimiter, path) if any(row)), None)
        if header is None:
            raise FormatError("the file is empty; expected a table with a header", path, code="empty_file")
        return cls(path, header, delimiter, encoding)

    def rows(self) -> Iterator[Row]:
        """All rows but blank ones, in their order.

        Raises
        ------
        FormatError
            The file breaks off, or its quotes do not add up.
        """
        with unreadable(self.path), closing(_text(self.path, self.digest, self.encoding)) as text:
            reader = csv.reader(text, delimiter=self.delimiter)
            end, n_names = 0, len(self.names)
            for n, row in enumerate(_parsed(reader, self.path)):
                line, end = end + 1, reader.line_num
                if not n or not any(row):
                    continue
                much = [cell for cell in row[n_names:] if cell]
                if much:
                    yield Row(line, {}, f"too many fields: {len(row)} instead of {n_names}")
                    continue
                padded = [*row[:n_names], *[""] * (n_names - len(row))]
                if not _is_unicode("".join(padded)):
                    yield Row(line, {}, "the row is not UTF-8")
                    continue
                yield Row(line, dict(zip(reversed(self.names), reversed(padded), strict=True)))


def _text(path: Path, digest: _Hash | None, encoding: str | None) -> io.TextIOWrapper:
    stream = io.BufferedReader(Tap(path, digest, encoding), 1 << 20)
    return io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")


def _csv(text: Iterable[str], delimiter: str, path: Path) -> Iterator[list[str]]:
    return _parsed(csv.reader(text, delimiter=delimiter), path)


def _parsed(reader: Any, path: Path) -> Iterator[list[str]]:
    """The rows of a reader of the csv module. Its limit is that of the process, and is put back for other readers."""
    while True:
        usual = csv.field_size_limit(LONGEST)
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise FormatError(f"can't be read as a table: {error}", path, reader.line_num) from None
        finally:
            csv.field_size_limit(usual)
        yield row


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def whole_json(path: Path, digest: _Hash, form: TextForm = PLAIN) -> Any:
    """What a file of JSON holds, all at once; numbers stay as they are written.

    Raises
    ------
    FormatError
        The file can't be read, or is no JSON.
    """
    with unreadable(path), Tap(path, digest, encoding_of(path, form.encoding)[0]) as tap:
        pieces = []
        while piece := tap.read(1 << 20):
            pieces.append(piece)
    try:
        return parsed_json(b"".join(pieces))
    except ValueError as error:
        raise FormatError(f"{error}; export it again", path) from None


def parsed_json(raw: bytes | str) -> Any:
    """JSON with numbers as they are written.

    Raises
    ------
    ValueError
        It is none, or its text is no Unicode; the message says which.
    """
    try:
        text = raw if isinstance(raw, str) else raw.decode("utf-8-sig")
        return AS_WRITTEN.decode(text)
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    except RecursionError:
        raise ValueError("not JSON: nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"not JSON: {str(error).lower()}") from None


def fault_of(role: str, error: ValueError) -> str:
    """Why a judgment can't be used whose cell of a ``role`` can't; of a column that is only kept, that is no reason."""
    return "" if role.startswith(KEEP) else f"the {role} {error}"


def reading(
    path: Path,
    judged: Iterable[Judged],
    roles: Sequence[str],
    *,
    digest: _Hash,
    platform: str,
    columns: Mapping[str, str] | None = None,
    header: Sequence[str] = (),
    note: Callable[[], str] = str,
) -> Reading:
    """The ``judged`` of an export as blocks of ``roles``.

    Parameters
    ----------
    path, judged
        The file, and what its records hold, in their order.
    roles
        All roles that may have a cell.
    digest
        Of the file, once all were read.
    platform, columns, header, note
        As in ``Reading``.
    """
    file = displayed(path)
    return Reading(
        file,
        _blocks(file, iter(judged), roles),
        digest,
        platform=platform,
        columns=columns or {},
        header=header,
        note=note,
    )


def _blocks(file: str, judged: Iterator[Judged], roles: Sequence[str]) -> Generator[Block]:
    import pyarrow as pa

    kept = [role for role in roles if role.startswith(KEEP)]
    roles = [role for role in roles if role not in kept]
    while some := list(itertools.islice(judged, ROWS)):
        faults = [one.fault or ("" if _is_text(one.cells, kept) else "a cell is not valid Unicode") for one in some]
        good = [one for one, fault in zip(some, faults, strict=True) if not fault]
        rejects = [
            Reject(file, one.line, fault, _shown(one.cells, roles))
            for one, fault in zip(some, faults, strict=True)
            if fault
        ]
        columns = {
            role: pa.chunked_array([pa.array([one.cells.get(role) for one in good], pa.string())]) for role in roles
        }
        for role in kept:
            columns[role] = pa.chunked_array([pa.array([_printable(one.cells.get(role)) for one in good], pa.string())])
        lines = np.array([one.line for one in good], np.int64)
        yield Block(columns, lines, _describing(good, roles), rejects, 1.0)


def _describing(good: list[Judged], roles: Sequence[str]) -> Callable[[list[int]], list[str]]:
    return lambda rows: [_shown(good[row].cells, roles) for row in rows]


def _is_text(cells: Mapping[str, str | None], kept: Sequence[str]) -> bool:
    """Whether the cells are valid text, but for those that are only kept."""
    deciding = (cell for role, cell in cells.items() if role not in kept) if kept else cells.values()
    return _is_unicode("".join(filter(None, deciding)))


def _printable(cell: str | None) -> str | None:
    return cell if cell is None else cell.encode("utf-8", "backslashreplace").decode()


def _shown(cells: Mapping[str, str | None], roles: Sequence[str]) -> str:
    """The cells that are used, as a row of CSV."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([cells.get(role) or "" for role in roles])
    return line.getvalue().encode("utf-8", "backslashreplace").decode()
