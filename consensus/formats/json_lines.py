"""JSON lines: one object a line, plain or compressed. Numbers stay as they are written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from consensus.errors import FormatError
from consensus.formats.streams import Tap, refuse_binary, unreadable
from consensus.formats.table import TextTable
from consensus.judgments import Reject, Source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consensus.formats.roles import Roles


def read(path: Path, roles: Roles) -> TextTable:
    """Columns of ``path`` as text; lines that are not usable objects are rejects.

    Raises
    ------
    FormatError
        The file is empty, binary or cut off, no line holds an object, or a key can't be found.
    """
    import pyarrow as pa

    cells: dict[str, list[str | None]] = {}
    lines: list[int] = []
    rejects: list[Reject] = []
    keys: dict[str, str] = {}
    with unreadable(path):
        refuse_binary(path)
        tap = Tap(path)
        for line, raw in _lines(tap):
            record, fault = _parsed(raw)
            if record is not None and not keys:
                names = list(record)
                keys = {role: names[n] for role, n in roles.positions(names, f"{path}:{line}").items()}
                cells = {role: [] for role in keys}
            row = {role: _cell(record.get(key)) for role, key in keys.items()} if record is not None else {}
            nested = [role for role, cell in row.items() if cell is NESTED]
            if nested:
                fault = f"the {nested[0]} is not a single value"
            if fault:
                rejects.append(Reject(str(path), line, fault, _shown(raw)))
                continue
            for role, cell in row.items():
                cells[role].append(cell)
            lines.append(line)
    if not keys:
        raise FormatError(
            f"{path}:{rejects[0].line if rejects else 1}: no line holds a JSON object; expected one a line"
        )

    def describe(rows: list[int]) -> list[tuple[int, str]]:
        wanted = {lines[row] for row in rows}
        shown = {line: _shown(raw) for line, raw in _lines(Tap(path)) if line in wanted}
        return [(lines[row], shown[lines[row]]) for row in rows]

    columns = {role: pa.chunked_array([pa.array(column, pa.string())]) for role, column in cells.items()}
    return TextTable(str(path), columns, rejects, describe, Source(str(path), tap.digest.hexdigest()))


NESTED = "\0nested"  # stands for a list or an object where one value is expected; no JSON text holds it unescaped


def _lines(tap: Tap) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, with their numbers."""
    held, line = b"", 0
    with tap:
        while block := tap.read(1 << 20):
            *whole, held = (held + block).split(b"\n")
            for raw in whole:
                line += 1
                if raw.strip():
                    yield line, raw
    if held.strip():
        yield line + 1, held


def _parsed(raw: bytes) -> tuple[dict[str, Any] | None, str]:
    """The object on a line, or why there is none."""
    try:
        record = json.loads(raw.decode("utf-8-sig"), parse_int=str, parse_float=str, parse_constant=str)
    except UnicodeDecodeError:
        return None, "the line is not UTF-8"
    except ValueError as error:
        return None, f"not JSON: {str(error).lower()}"
    return (record, "") if isinstance(record, dict) else (None, "not a JSON object")


def _cell(value: Any) -> str | None:
    """One value as text; null is absent."""
    if value is None or isinstance(value, str):
        return value
    return ("true" if value else "false") if isinstance(value, bool) else NESTED


def _shown(raw: bytes) -> str:
    return raw.decode("utf-8", errors="backslashreplace").rstrip("\r")
