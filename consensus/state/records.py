"""Judgments as they come to a stream: checked one by one, or read from a table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from typing import Any

from consensus.backends import Threads
from consensus.errors import FormatError
from consensus.formats import given
from consensus.formats.opening import readings
from consensus.formats.tables.by_column import BY, ByRoles
from consensus.formats.tables.coded_rows import Rows
from consensus.formats.tables.roles import Roles
from consensus.state import journal

LONGEST = 1_000
"""Characters of an id or label."""
TEXTS = ("item", "worker", "label")
FIELDS = (*TEXTS, "timestamp", "duration", "judgment_id")
NAMED = ", ".join(FIELDS)


@dataclass(frozen=True, slots=True)
class Record:
    """One judgment."""

    item: str
    worker: str
    label: str
    timestamp: str | None = None
    """When, as ISO 8601 in UTC."""
    duration: float | None = None
    """Seconds that it took, 0 or more."""
    judgment_id: str | None = None
    """What it is called where it came from; the same twice is one judgment."""

    @classmethod
    def of(cls, told: Mapping[str, Any], place: str) -> Record:
        """A judgment as a mapping of ``FIELDS``, checked; ``place`` is where it stands.

        Raises
        ------
        FormatError
            A field is missing, unknown, empty, too long, or no such value.
        """
        unknown = next((name for name in told if name not in FIELDS), None)
        if unknown is not None:
            raise FormatError(f'{place}: unknown field "{unknown}"; there are {NAMED}', code="bad_row")
        texts = {name: _text(told.get(name), name, place) for name in TEXTS}
        own = told.get("judgment_id")
        return cls(
            **texts,
            timestamp=_time(told.get("timestamp"), place),
            duration=_seconds(told.get("duration"), place),
            judgment_id=None if own is None else _text(own, "judgment_id", place),
        )

    @classmethod
    def of_line(cls, line: bytes) -> Record:
        """As it stands in a journal.

        Raises
        ------
        ValueError, TypeError, KeyError
            It is none.
        """
        told = json.loads(line)
        return cls(**{name: told[name] for name in TEXTS}, **{name: told.get(name) for name in FIELDS[3:]})

    def line(self, own_id: str) -> bytes:
        """For a journal; with ``own_id`` where it has no id, so that no two journals are the same source."""
        told: dict[str, object] = {name: getattr(self, name) for name in FIELDS if getattr(self, name) is not None}
        return journal.line(told | {"judgment_id": self.judgment_id or own_id})


def _text(value: Any, name: str, place: str) -> str:
    if not isinstance(value, str):
        what = "is missing" if value is None else f"is {given.told(value)}"
        raise FormatError(f"{place}: {name} {what}; give a text", code="bad_row")
    if not value.strip():
        raise FormatError(f"{place}: {name} is empty; give a text", code="bad_row")
    if len(value) > LONGEST:
        raise FormatError(
            f"{place}: {name} has {len(value):,} characters; {LONGEST:,} at most are taken", code="bad_row"
        )
    try:
        value.encode()
    except UnicodeEncodeError:
        raise FormatError(f"{place}: {name} is not UTF-8; write it as UTF-8", code="bad_row") from None
    return value


def _time(value: Any, place: str) -> str | None:
    if value is None:
        return None
    try:
        when = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise FormatError(
            f"{place}: timestamp {value!r} is no time; write it as 2026-03-09T14:30:00Z", code="bad_row"
        ) from None
    return when.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _seconds(value: Any, place: str) -> float | None:
    if value is None:
        return None
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < inf
    if not is_number:
        raise FormatError(f"{place}: duration {value!r} is no number of seconds; give 0 or more", code="bad_row")
    return float(value)


def records_of(source: Any, named: Mapping[str, str | None] | None = None) -> list[Record]:
    """The judgments that a ``source`` holds: records, a table, a data frame, a path.

    Columns of a table are found by their names, or by those that are ``named``. Rows without a label are left out.

    Raises
    ------
    FormatError
        It can't be read, or one of them can't be used; then none is.
    """
    if _is_records(source):
        return [Record.of(told, f"judgment {n}") for n, told in enumerate(source, 1)]
    columns, rows = _columns(given.table(source, given.JUDGMENTS), named or {})
    found = []
    for n, cells in enumerate(zip(*columns, strict=True)):
        told = {name: cell for name, cell in zip(FIELDS, cells, strict=True) if cell not in (None, "")}
        if "label" not in told:
            continue  # as in every table of judgments: no answer
        place = rows.place(n)
        found.append(Record.of(told | {"duration": _number(told.get("duration"), place)}, place))
    return found


def _is_records(source: Any) -> bool:
    return isinstance(source, (list, tuple)) and all(isinstance(one, Mapping) for one in source)


def _number(text: str | None, place: str) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        raise FormatError(
            f"{place}: duration {text!r} is no number of seconds; give 0 or more", code="bad_row"
        ) from None


def _columns(source: Any, named: Mapping[str, str | None]) -> tuple[list[list[str | None]], Rows]:
    """The cells of a table, in columns as ``FIELDS`` are."""
    rows = Rows((*FIELDS[:-1], BY), (), Threads(), None)
    roles = ByRoles.beside(Roles({name: named.get(name) for name in FIELDS[:-1]}), FIELDS[-1], optional=True)
    with closing(readings(source, roles)) as each:
        for reading in each:
            rows.add(reading)
    for first in rows.rejects[:1]:
        raise FormatError(f"{first.reason}: {first.row[:60]}; correct it", first.file, first.line, code="bad_row")
    found = [[texts[c].as_py() if c >= 0 else None for c in codes.tolist()] for codes, texts in rows.ranked()]
    return found, rows
