"""Values within objects and lists of JSON, by dotted names such as ``output.verdict`` or ``choices.0.label``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    Keys = tuple[str | int, ...]

DEEPEST = 6  # names that lead to a value
LONGEST = 10  # entries of a list that have names
MOST_NAMES = 2_000  # of a file
EACH = -1
"""In a path, any entry of a list of objects: each of them is a row."""


def names_of(record: Mapping[str, Any], known: dict[str, Keys]) -> None:
    """Add the dotted names of all single values of a ``record``, and the paths that they stand for, to ``known``.

    A name of its own wins over the same made of several. Empty objects and lists have the name that leads to them.
    """
    for path in _paths(record, ()):
        if len(known) >= MOST_NAMES:
            return
        name = ".".join(map(str, path))
        if name not in known or len(path) < len(known[name]):
            known[name] = path


def value_at(record: Mapping[str, Any], path: Keys) -> Any:
    """The value that a path leads to; None where it leads nowhere."""
    found: Any = record
    for part in path:
        if isinstance(part, str) and isinstance(found, dict):
            found = found.get(part)
        elif isinstance(part, int) and isinstance(found, list) and 0 <= part < len(found):
            found = found[part]
        else:
            return None
    return found


def path_of(record: Mapping[str, Any], name: str) -> Keys | None:
    """The path of a dotted ``name`` into each object of a list, such as ``answers.label``; None of other names."""
    found: Any = record
    path: list[str | int] = []
    for part in name.split("."):
        if isinstance(found, list) and EACH not in path and any(isinstance(one, dict) for one in found):
            found = next((one for one in found if isinstance(one, dict) and part in one), None)
            path.append(EACH)
        if not isinstance(found, dict) or part not in found:
            return None
        path.append(part)
        found = found[part]
    return tuple(path) if EACH in path else None


def list_in(paths: Iterable[Keys]) -> Keys | None:
    """The path of the list each object of which is a row; None where there is none.

    Raises
    ------
    ValueError
        Paths lead into several lists.
    """
    found = {path[: path.index(EACH)] for path in paths if EACH in path}
    if len(found) > 1:
        raise ValueError(" and ".join(sorted(".".join(map(str, path)) for path in found)))
    return found.pop() if found else None


def rows_of(record: Mapping[str, Any], keys: Mapping[str, Keys], of_each: Keys | None) -> list[dict[str, Any]]:
    """The values of each row of a ``record`` by role: one, or as many as entries in the list that ``of_each`` names."""
    if of_each is None:
        return [{role: value_at(record, path) for role, path in keys.items()}]
    entries = value_at(record, of_each)
    begin = (*of_each, EACH)
    n = len(begin)
    return [
        {role: value_at(*((one, path[n:]) if path[:n] == begin else (record, path))) for role, path in keys.items()}
        for one in (entries if isinstance(entries, list) else [] if entries is None else [entries])
    ]


def _paths(value: Any, path: Keys) -> Iterator[Keys]:
    """The paths of all single values."""
    entries: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        entries = list(value.items())
    elif isinstance(value, list) and len(value) <= LONGEST:
        entries = list(enumerate(value))
    if not entries or len(path) == DEEPEST:
        if path:
            yield path
        return
    for part, one in entries:
        yield from _paths(one, (*path, part))
