"""JSON that is one document: an array of objects, or an object in which there is one. Numbers stay as written."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from consensus.errors import FormatError
from consensus.formats.tables import encodings, json_lines
from consensus.formats.tables.blocks import Block, Reading
from consensus.formats.tables.json_values import LOOKED_AT, Unfolding, UnusableError, cell_of, names_in
from consensus.formats.tables.streams import Tap, displayed, encoding_of, lines_of, start_of, unreadable
from consensus.formats.tables.text_form import PLAIN
from consensus.inputs.counted import counted
from consensus.inputs.judgments import Reject

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from pathlib import Path

    from consensus.formats.tables.roles import Roles
    from consensus.formats.tables.text_form import TextForm

BLOCK = 50_000  # elements that become a block
DEEPEST = 3  # names that lead to the list of objects
SPACE = re.compile(r"[ \t\r\n]*")
DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
SHOWN = 200  # characters of an element among the rejects


class _Element(NamedTuple):
    n: int
    """From 1."""
    line: int
    """On which it begins; in an object, its number."""
    value: Any


def read(path: Path, roles: Roles, form: TextForm = PLAIN) -> Reading:
    """Columns of ``path`` as text; elements that are no usable objects are rejects. JSON lines are read as such.

    Raises
    ------
    FormatError
        The file is empty, binary, cut off or no JSON, it holds no list of objects, or several, or a key can't be found.
    """
    with unreadable(path):
        encoding, notes = encoding_of(path, form.encoding)
        start_of(path, encoding)
        digest = hashlib.sha256()
        with Tap(path, digest, encoding) as tap:
            raw = b"".join(iter(lambda: tap.read(1 << 22), b""))
    text = _decoded(raw, path, form)
    begin = _after_space(text, 0)
    if text[begin : begin + 1] == "{" and _is_lines(text, begin):
        return json_lines.read(path, roles, form)
    said = ""
    if text[begin : begin + 1] == "[":
        elements = list(_elements(text, begin, path))
    else:
        name, found = _only_list(_document(text, begin, path), path)
        elements = [_Element(n, n, value) for n, value in enumerate(found, 1)]
        said = f"{displayed(path)}: the list {name!r} in it is read, {counted(len(elements), 'object')}"
    records = (one.value for one in elements if isinstance(one.value, dict))
    names = names_in(itertools.islice(records, LOOKED_AT), roles)
    if not names:
        raise FormatError("no element of the list is an object; expected one object a judgment", path)
    header = list(names)
    columns = {role: header[n] for role, n in roles.positions(header, str(path)).items()}
    keys = {role: names[name] for role, name in columns.items()}
    unfolding = Unfolding(keys, path)
    notes += [said] if said else []
    return Reading(
        displayed(path),
        _blocks(elements, unfolding, tuple(keys), displayed(path)),
        digest,
        header=header,
        columns=columns,
        form_notes=lambda: [*notes, *unfolding.notes()],
    )


def _decoded(raw: bytes, path: Path, form: TextForm) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise encodings.misread(path, lines_of(path), form.takes_encoding) from None


def _after_space(text: str, at: int) -> int:
    found = SPACE.match(text, at)
    assert found is not None
    return found.end()


def _is_lines(text: str, begin: int) -> bool:
    """Whether a text that begins with an object holds one a line: a line is one, or another one follows."""
    first, _, others = text[begin:].partition("\n")
    if others.lstrip(" \t\r\n").startswith("{"):
        return True
    try:
        value = DECODER.decode(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and not others.strip() and not list(_lists(value, ()))


def _document(text: str, begin: int, path: Path) -> Any:
    try:
        return DECODER.decode(text[begin:])
    except json.JSONDecodeError as error:
        line = text.count("\n", 0, begin) + error.lineno
        raise FormatError(f"not JSON: {_why(error)}; it may be cut off", path, line) from None
    except RecursionError:
        raise FormatError("not JSON: nested too deeply", path) from None


def _why(error: ValueError) -> str:
    return str(getattr(error, "msg", error)).lower().removesuffix(" at")


def _elements(text: str, begin: int, path: Path) -> Iterator[_Element]:
    """The elements of the array that begins there, with their lines.

    Raises
    ------
    FormatError
        One is no JSON, or something stands where the next one or the end should.
    """
    line, last = 1, 0
    at = _after_space(text, begin + 1)
    n = 0
    while True:
        n += 1
        line, last = line + text.count("\n", last, at), at
        if n == 1 and text[at : at + 1] == "]":
            break
        place = f"{path}:{line}: element {n:,}"
        try:
            value, end = DECODER.raw_decode(text, at)
        except ValueError as error:
            raise FormatError(f"not JSON: {_why(error)}; the file may be cut off", place) from None
        except RecursionError:
            raise FormatError("not JSON: nested too deeply", place) from None
        yield _Element(n, line, value)
        at = _after_space(text, end)
        if text[at : at + 1] == "]":
            break
        if text[at : at + 1] != ",":
            raise FormatError("a comma or ] should follow; the file may be cut off", place)
        at = _after_space(text, at + 1)
    if _after_space(text, at + 1) < len(text):
        line += text.count("\n", last, at + 1)
        raise FormatError("something follows the array; keep one array a file", path, line)


def _only_list(document: Any, path: Path) -> tuple[str, list[Any]]:
    """The one list of objects in a document, and its dotted name; of several, one that lies highest."""
    found = sorted(_lists(document, ()), key=lambda one: len(one[0]))
    highest = [one for one in found if len(one[0]) == len(found[0][0])]
    if not found:
        raise FormatError("no list of objects in it; expected an array, such as [{...}, ...]", path)
    if len(highest) > 1:
        names = ", ".join(".".join(keys) for keys, _ in highest)
        raise FormatError(f"several lists of objects: {names}; save the one that is meant as a file", path)
    keys, elements = highest[0]
    return ".".join(keys), elements


def _lists(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """Lists of objects, with the keys that lead to them."""
    if isinstance(value, list) and path:
        if any(isinstance(one, dict) for one in value):
            yield path, value
    elif isinstance(value, dict) and len(path) < DEEPEST:
        for key, one in value.items():
            yield from _lists(one, (*path, key))


def _blocks(elements: Sequence[_Element], unfolding: Unfolding, roles: tuple[str, ...], file: str) -> Generator[Block]:
    for begin in range(0, max(len(elements), 1), BLOCK):
        done = min((begin + BLOCK) / max(len(elements), 1), 1.0)
        yield _block(elements[begin : begin + BLOCK], unfolding, roles, file, done)


def _block(elements: Sequence[_Element], unfolding: Unfolding, roles: tuple[str, ...], file: str, done: float) -> Block:
    import pyarrow as pa

    rejects: list[Reject] = []
    good: list[_Element] = []
    cells: dict[str, list[str | None]] = {role: [] for role in roles}
    for one in elements:
        if not isinstance(one.value, dict):
            rejects.append(Reject(file, one.line, f"element {one.n:,}: not a JSON object", _shown(one)))
            continue
        for values in unfolding.rows(one.value):
            try:
                row = {role: cell_of(value, role) for role, value in values.items()}
            except UnusableError as fault:
                rejects.append(Reject(file, one.line, f"element {one.n:,}: {fault}", _shown(one)))
                continue
            for role, cell in row.items():
                cells[role].append(cell)
            good.append(one)
    columns = {role: pa.chunked_array([pa.array(column, pa.string())]) for role, column in cells.items()}
    lines = np.array([one.line for one in good], np.int64)
    return Block(columns, lines, lambda rows: [_shown(good[row]) for row in rows], rejects, done)


def _shown(one: _Element) -> str:
    return json.dumps(one.value, ensure_ascii=False)[:SHOWN].encode("utf-8", "backslashreplace").decode()
