"""Exports of JSON lines: one object a line."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from consensus.errors import FormatError
from consensus.formats.platforms.records import parsed_json
from consensus.formats.tables.json_lines import lines_in
from consensus.formats.tables.json_values import LOOKED_AT
from consensus.formats.tables.nested import names_of, value_at
from consensus.formats.tables.streams import Tap, encoding_of, start_of, unreadable
from consensus.formats.tables.text_form import PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from hashlib import _Hash
    from pathlib import Path

    from consensus.formats.tables.nested import Keys
    from consensus.formats.tables.text_form import TextForm


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file."""

    line: int
    record: dict[str, Any]
    """Its object, with numbers as they are written; an empty one where there is none."""
    fault: str = ""
    """Why it holds none."""


@dataclass(frozen=True, slots=True)
class ObjectLines:
    """A file of one object a line."""

    path: Path
    encoding: str | None = None
    """Where it is not UTF-8, and no byte order mark tells it."""
    digest: _Hash = field(default_factory=hashlib.sha256)
    """SHA-256 of the file, once all lines were read."""

    @classmethod
    def of(cls, path: Path, form: TextForm = PLAIN) -> ObjectLines:
        """See that it holds text.

        Raises
        ------
        FormatError
            The file can't be read, or is empty or binary.
        """
        with unreadable(path):
            encoding, _ = encoding_of(path, form.encoding)
            start_of(path, encoding)
        return cls(path, encoding)

    def lines(self) -> Iterator[Line]:
        """All lines but blank ones. To be gone through once, for the digest is made on the way.

        Raises
        ------
        FormatError
            The file breaks off.
        """
        with unreadable(self.path):
            for line, raw in lines_in(Tap(self.path, self.digest, self.encoding)):
                yield _parsed(line, raw)

    def names(self) -> dict[str, Keys]:
        """Dotted names of the single values of the first objects, and the keys that lead to them.

        Raises
        ------
        FormatError
            None of them is an object.
        """
        found: dict[str, Keys] = {}
        for one in itertools.islice(ObjectLines(self.path, self.encoding).lines(), LOOKED_AT):
            names_of(one.record, found)
        if not found:
            raise FormatError("no line holds a JSON object; expected one object a line", self.path)
        return found


def _parsed(line: int, raw: bytes) -> Line:
    try:
        record = parsed_json(raw)
    except ValueError as error:
        return Line(line, {}, str(error))
    return Line(line, record) if isinstance(record, dict) else Line(line, {}, "not a JSON object")


def text_at(record: dict[str, Any], keys: Keys) -> str | None:
    """A single value as text; None where it is absent.

    Raises
    ------
    ValueError
        It is an object or a list.
    """
    value = value_at(record, keys)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        raise ValueError("is not a single value")
    return value or None
