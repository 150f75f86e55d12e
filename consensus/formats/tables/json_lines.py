"""JSON lines: one object a line, plain or compressed. Numbers stay as they are written."""

from __future__ import annotations

import hashlib
import itertools
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.errors import FormatError
from consensus.formats.tables import encodings
from consensus.formats.tables.blocks import Block, Reading
from consensus.formats.tables.json_values import LOOKED_AT, Unfolding, UnusableError, cell_of, names_in
from consensus.formats.tables.streams import Tap, displayed, encoding_of, lines_of, start_of, unreadable
from consensus.formats.tables.text_form import PLAIN
from consensus.inputs.judgments import Reject

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from hashlib import _Hash
    from pathlib import Path

    from consensus.formats.tables.nested import Keys
    from consensus.formats.tables.roles import Roles
    from consensus.formats.tables.text_form import TextForm

BLOCK = 4 << 20  # bytes of lines that are parsed at once
NOT_UTF8 = "the line is not UTF-8"


def read(path: Path, roles: Roles, form: TextForm = PLAIN) -> Reading:
    """Columns of ``path`` as text; lines that are not usable objects are rejects.

    Raises
    ------
    FormatError
        The file is empty, binary or cut off, no line holds an object, or a key can't be found.
    """
    with unreadable(path):
        encoding, notes = encoding_of(path, form.encoding)
        start_of(path, encoding)
        header, found, keys = _keys(path, roles, encoding, form)
    digest = hashlib.sha256()
    unfolding = Unfolding(keys, path)
    return Reading(
        displayed(path),
        _blocks(path, unfolding, tuple(keys), digest, encoding),
        digest,
        header=header,
        columns=found,
        form_notes=lambda: [*notes, *unfolding.notes()],
        not_utf8=lambda: encodings.message(path, lines_of(path), form.takes_encoding),
    )


def _blocks(
    path: Path, unfolding: Unfolding, roles: tuple[str, ...], digest: _Hash, encoding: str | None
) -> Generator[Block]:
    with unreadable(path):
        tap = Tap(path, digest, encoding)
        lines = lines_in(tap)
        while held := list(_some(lines)):
            yield _block(held, unfolding, roles, displayed(path), tap.done)


def _some(lines: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """The next lines, about ``BLOCK`` bytes of them."""
    n_bytes = 0
    while n_bytes < BLOCK and (line := next(lines, None)) is not None:
        n_bytes += len(line[1])
        yield line


def _block(
    held: list[tuple[int, bytes]], unfolding: Unfolding, roles: tuple[str, ...], file: str, done: float
) -> Block:
    import pyarrow as pa

    rejects: list[Reject] = []
    good: list[tuple[int, bytes]] = []
    cells: dict[str, list[str | None]] = {role: [] for role in roles}
    for line, raw in held:
        try:
            records = unfolding.rows(_parsed(raw))
        except UnusableError as fault:
            rejects.append(Reject(file, line, str(fault), _shown(raw)))
            continue
        for values in records:
            try:
                row = {role: cell_of(value, role) for role, value in values.items()}
            except UnusableError as fault:
                rejects.append(Reject(file, line, str(fault), _shown(raw)))
                continue
            for role, cell in row.items():
                cells[role].append(cell)
            good.append((line, raw))
    columns = {role: pa.chunked_array([pa.array(column, pa.string())]) for role, column in cells.items()}
    lines = np.array([line for line, _ in good], np.int64)
    return Block(columns, lines, lambda rows: [_shown(good[row][1]) for row in rows], rejects, done)


def _keys(
    path: Path, roles: Roles, encoding: str | None, form: TextForm
) -> tuple[list[str], dict[str, str], dict[str, Keys]]:
    """Names of all keys of the first objects, the name of each role, and the keys that lead to it.

    Those within others have dotted names.
    """
    records, is_utf8 = _first(path, encoding)
    names = names_in(records, roles)
    if not names and not is_utf8:
        raise encodings.misread(path, lines_of(path), form.takes_encoding)
    if not names:
        raise FormatError("no line holds a JSON object; expected one object a line", path)
    header = list(names)
    found = {role: header[n] for role, n in roles.positions(header, str(path)).items()}
    return header, found, {role: names[name] for role, name in found.items()}


def _first(path: Path, encoding: str | None) -> tuple[list[dict[str, Any]], bool]:
    """The first objects, and whether all lines up to there are UTF-8."""
    records, is_utf8 = [], True
    for _, raw in itertools.islice(lines_in(Tap(path, encoding=encoding)), LOOKED_AT):
        try:
            records.append(_parsed(raw))
        except UnusableError as fault:
            is_utf8 = is_utf8 and str(fault) != NOT_UTF8
    return records, is_utf8


def lines_in(tap: Tap) -> Iterator[tuple[int, bytes]]:
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
        raise UnusableError(NOT_UTF8) from None
    except ValueError as error:
        raise UnusableError(f"not JSON: {str(error).lower()}") from None
    except RecursionError:
        raise UnusableError("not JSON: nested too deeply") from None
    if not isinstance(record, dict):
        raise UnusableError("not a JSON object")
    return record


def _shown(raw: bytes) -> str:
    return raw.decode("utf-8", errors="backslashreplace").rstrip("\r")
