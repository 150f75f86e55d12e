"""JSON lines: one object a line, plain or compressed. Numbers stay as they are written."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

from consensus.errors import FormatError
from consensus.formats.streams import Tap, displayed, refuse_binary, unreadable
from consensus.formats.table import TextTable
from consensus.judgments import Reject, Source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consensus.formats.roles import Roles

LOOKED_AT = 1000  # objects whose keys tell which key holds what


class _UnusableError(Exception):
    """Why a line can't be used."""


def read(path: Path, roles: Roles) -> TextTable:
    """Columns of ``path`` as text; lines that are not usable objects are rejects.

    Raises
    ------
    FormatError
        The file is empty, binary or cut off, no line holds an object, or a key can't be found.
    """
    import pyarrow as pa

    file = displayed(path)
    rejects: list[Reject] = []
    lines: list[int] = []
    with unreadable(path):
        refuse_binary(path)
        keys = _keys(path, roles)
        cells: dict[str, list[str | None]] = {role: [] for role in keys}
        tap = Tap(path)
        for line, raw in _lines(tap):
            try:
                record = _parsed(raw)
                row = {role: _cell(record.get(key), role) for role, key in keys.items()}
            except _UnusableError as fault:
                rejects.append(Reject(file, line, str(fault), _shown(raw)))
                continue
            for role, cell in row.items():
                cells[role].append(cell)
            lines.append(line)

    def describe(rows: list[int]) -> list[tuple[int, str]]:
        wanted = {lines[row] for row in rows}
        shown = {line: _shown(raw) for line, raw in _lines(Tap(path)) if line in wanted}
        return [(lines[row], shown[lines[row]]) for row in rows]

    columns = {role: pa.chunked_array([pa.array(column, pa.string())]) for role, column in cells.items()}
    return TextTable(file, columns, rejects, describe, Source(file, tap.digest.hexdigest()))


def _keys(path: Path, roles: Roles) -> dict[str, str]:
    """Key of each role, from all keys of the first objects."""
    names: dict[str, int] = {}
    for line, raw in itertools.islice(_lines(Tap(path)), LOOKED_AT):
        try:
            names = dict.fromkeys(_parsed(raw), line) | names
        except _UnusableError:
            continue
    if not names:
        raise FormatError(f"{path}: no line holds a JSON object; expected one object a line (not an array of them)")
    header = list(names)
    return {role: header[n] for role, n in roles.positions(header, str(path)).items()}


def _lines(tap: Tap) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, with their numbers."""
    line = 1
    held: list[bytes] = []
    with tap:
        while block := tap.read(1 << 20):
            first, *others = block.split(b"\n")
            held.append(first)
            for following in others:
                raw = b"".join(held)
                if raw.strip():
                    yield line, raw
                held = [following]
                line += 1


def _parsed(raw: bytes) -> dict[str, Any]:
    """The object on a line."""
    try:
        record = json.loads(raw.decode("utf-8-sig"), parse_int=str, parse_float=str, parse_constant=str)
    except UnicodeDecodeError:
        raise _UnusableError("the line is not UTF-8") from None
    except ValueError as error:
        raise _UnusableError(f"not JSON: {str(error).lower()}") from None
    except RecursionError:
        raise _UnusableError("not JSON: nested too deeply") from None
    if not isinstance(record, dict):
        raise _UnusableError("not a JSON object")
    return record


def _cell(value: Any, role: str) -> str | None:
    """One value as text; null is absent."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return None
    if not isinstance(value, str):
        raise _UnusableError(f"the {role} is not a single value")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:  # half of a surrogate pair, written as \\udNNN
            raise _UnusableError(f"the {role} is not valid Unicode") from None
    return value


def _shown(raw: bytes) -> str:
    return raw.decode("utf-8", errors="backslashreplace").rstrip("\r")
