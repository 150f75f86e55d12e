"""Values within objects and lists of JSON, by dotted names such as ``output.verdict`` or ``choices.0.label``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Keys = tuple[str | int, ...]

DEEPEST = 6  # names that lead to a value
LONGEST = 10  # entries of a list that have names
MOST_NAMES = 2_000  # of a file


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
        elif isinstance(part, int) and isinstance(found, list) and part < len(found):
            found = found[part]
        else:
            return None
    return found


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
