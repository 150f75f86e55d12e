"""Tasks of an export as the objects of JSON that they were, by item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consensus.errors import RunError
from consensus.formats import sources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path


def by_item(
    files: tuple[Path, ...],
    tasks: Callable[[Path], Iterable[dict[str, Any]]],
    item: Callable[[dict[str, Any]], str | None],
    wanted: set[str],
) -> dict[str, dict[str, Any]]:
    """The first task of each ``wanted`` item, in all ``files``.

    Parameters
    ----------
    tasks
        Those of a file.
    item
        The item that a task is about; None for none.

    Raises
    ------
    RunError
        A wanted item is in none of them.
    """
    found: dict[str, dict[str, Any]] = {}
    for path in files:
        with sources.opened(path) as opened:
            assert opened is not None
            for file in opened.files:
                for one in tasks(file.path):
                    name = item(one)
                    if name in wanted:
                        found.setdefault(str(name), one)
    gone = wanted - set(found)
    if gone:
        first = min(gone)
        raise RunError(
            f'no task in it is about item "{first}" ({len(gone):,} items are missing); '
            "read the export without --fold and without another column for --item",
            files[0],
        )
    return found
