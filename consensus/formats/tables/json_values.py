"""Records of JSON to cells: which keys lead to the columns, and values as text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from consensus.formats.tables.nested import names_of
from consensus.formats.tables.roles import AMOUNTS, KEEP

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    return names


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
        if role in AMOUNTS:
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
