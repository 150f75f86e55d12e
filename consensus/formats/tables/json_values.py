"""Records of JSON to cells: which keys lead to the columns, and values as text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from consensus.errors import FormatError
from consensus.formats.tables.nested import EACH, list_in, names_of, path_of, rows_of
from consensus.formats.tables.roles import KEEP, NUMBERS
from consensus.formats.tables.streams import displayed
from consensus.inputs.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from consensus.formats.tables.nested import Keys
    from consensus.formats.tables.roles import Roles

NO_NUMBER = "no number"
LOOKED_AT = 1000  # records whose keys tell which key holds what


class UnusableError(Exception):
    """Why a record can't be used."""


def names_in(records: Iterable[dict[str, Any]], roles: Roles) -> dict[str, Keys]:
    """Names of all keys of ``records``, and the keys that they stand for; those within others have dotted names."""
    names: dict[str, Keys] = {}
    for record in records:
        names_of(record, names)
        # what the user names is found, though it leads to no single value: its rows say so
        names.update((name, (name,)) for name in roles.named.values() if name in record and name not in names)
        for name in {name for name in roles.named.values() if name and "." in name}.difference(names):
            path = path_of(record, name)
            if path is not None:
                names[name] = path
    lists = {path[: path.index(EACH)] for path in names.values() if EACH in path}
    named = set(roles.named.values())  # what else stands in a list each object of which is a row is no column
    return {
        name: path for name, path in names.items() if name in named or not any(path[: len(one)] == one for one in lists)
    }


class Unfolding:
    """Records to rows: one each, or one of each object of the list within them that the names of columns lead into.

    Raises
    ------
    FormatError
        They lead into several lists.
    """

    def __init__(self, keys: Mapping[str, Keys], path: Path) -> None:
        self._keys, self._path = keys, path
        try:
            self._list = list_in(keys.values())
        except ValueError as error:
            raise FormatError(
                f"columns are named in several lists of objects, {error}; name those of one list", path
            ) from None
        self._n_records, self._n_empty, self._n_rows = 0, 0, 0

    def rows(self, record: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The values of each row by role."""
        found = rows_of(record, self._keys, self._list)
        self._n_records += 1
        self._n_rows += len(found)
        self._n_empty += not found
        yield from found

    def notes(self) -> list[str]:
        """What was unfolded, once all was read."""
        if self._list is None:
            return []
        empty = f"; {counted(self._n_empty, 'object')} without any" if self._n_empty else ""
        return [
            f"{displayed(self._path)}: each object of the lists {'.'.join(map(str, self._list))!r} is a row: "
            f"{counted(self._n_records, 'object')} with {counted(self._n_rows, 'row')}{empty}"
        ]


def cell_of(value: Any, role: str) -> str | None:
    """One value as text, null is absent. What is no single value is a text where a number is wanted, and JSON if kept.

    Raises
    ------
    UnusableError
        It is no single value, or no valid text.
    """
    try:
        return _cell(value, role)
    except UnusableError:
        if role in NUMBERS:
            return NO_NUMBER
        if not role.startswith(KEEP):
            raise
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def _cell(value: Any, role: str) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return None
    if not isinstance(value, str):
        raise UnusableError(f"the {role} is not a single value")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:  # half of a surrogate pair, written as \\udNNN
            raise UnusableError(f"the {role} is not valid Unicode") from None
    return value
