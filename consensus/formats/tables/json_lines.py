"""JSON lines: one object a line, plain or compressed. Numbers stay as they are written."""

from __future__ import annotations

import hashlib
import itertools
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.errors import FormatError
from consensus.formats.tables.blocks import Block, Reading
from consensus.formats.tables.nested import names_of, value_at
from consensus.formats.tables.roles import AMOUNTS
from consensus.formats.tables.streams import Tap, displayed, refuse_binary, unreadable
from consensus.inputs.judgments import Reject

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from hashlib import _Hash
    from pathlib import Path

    from consensus.formats.tables.nested import Keys
    from consensus.formats.tables.roles import Roles

BLOCK = 4 << 20  # bytes of lines that are parsed at once
NO_NUMBER = "no number"
LOOKED_AT = 1000  # objects whose keys tell which key holds what


class _UnusableError(Exception):
    """Why a line can't be used."""


def read(path: Path, roles: Roles) -> Reading:
    """Columns of ``path`` as text; lines that are not usable objects are rejects.

    Raises
    ------
    FormatError
        The file is empty, binary or cut off, no line holds an object, or a key can't be found.
    """
    with unreadable(path):
        refuse_binary(path)
        header, found, keys = _keys(path, roles)
    digest = hashlib.sha256()
    return Reading(displayed(path), _blocks(path, keys, digest), digest, header=header, columns=found)


def _blocks(path: Path, keys: dict[str, Keys], digest: _Hash) -> Generator[Block]:
    with unreadable(path):
        tap = Tap(path, digest)
        lines = lines_of(tap)
        while held := list(_some(lines)):
            yield _block(held, keys, displayed(path), tap.done)


def _some(lines: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """The next lines, about ``BLOCK`` bytes of them."""
    n_bytes = 0
    while n_bytes < BLOCK and (line := next(lines, None)) is not None:
        n_bytes += len(line[1])
        yield line


def _block(held: list[tuple[int, bytes]], keys: dict[str, Keys], file: str, done: float) -> Block:
    import pyarrow as pa

    rejects: list[Reject] = []
    good: list[tuple[int, bytes]] = []
    cells: dict[str, list[str | None]] = {role: [] for role in keys}
    for line, raw in held:
        try:
            record = _parsed(raw)
            row = {role: _read(value_at(record, key), role) for role, key in keys.items()}
        except _UnusableError as fault:
            rejects.append(Reject(file, line, str(fault), _shown(raw)))
            continue
        for role, cell in row.items():
            cells[role].append(cell)
        good.append((line, raw))
    columns = {role: pa.chunked_array([pa.array(column, pa.string())]) for role, column in cells.items()}
    lines = np.array([line for line, _ in good], np.int64)
    return Block(columns, lines, lambda rows: [_shown(good[row][1]) for row in rows], rejects, done)


def _keys(path: Path, roles: Roles) -> tuple[list[str], dict[str, str], dict[str, Keys]]:
    """Names of all keys of the first objects, the name of each role, and the keys that lead to it.

    Those within others have dotted names.
    """
    names: dict[str, Keys] = {}
    for _, raw in itertools.islice(lines_of(Tap(path)), LOOKED_AT):
        try:
            record = _parsed(raw)
        except _UnusableError:
            continue
        names_of(record, names)
        # what the user names is found, though it leads to no single value: its rows say so
        names.update((name, (name,)) for name in roles.named.values() if name in record and name not in names)
    if not names:
        raise FormatError(f"{path}: no line holds a JSON object; expected one object a line (not an array of them)")
    header = list(names)
    found = {role: header[n] for role, n in roles.positions(header, str(path)).items()}
    return header, found, {role: names[name] for role, name in found.items()}


def lines_of(tap: Tap) -> Iterator[tuple[int, bytes]]:
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


def _read(value: Any, role: str) -> str | None:
    """One value as text; what is no single value is text, too, where a number is looked for: it is none."""
    try:
        return _cell(value, role)
    except _UnusableError:
        if role not in AMOUNTS:
            raise
        return NO_NUMBER


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
