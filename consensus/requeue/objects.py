"""Tasks of an export as the objects of JSON that they were, by item."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from consensus.errors import RunError
from consensus.formats import sources
from consensus.formats.platforms.answered import label_of
from consensus.formats.platforms.seam import ITEM
from consensus.formats.tables.nested import value_at
from consensus.formats.tables.streams import Tap, encoding_of
from consensus.inputs.understood import NAMED
from consensus.requeue import original

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from consensus.inputs.judgments import Judgments

SEVERAL = " / "
"""Between the names of a column that files call differently."""


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
    for one in every(files, tasks):
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


def every(files: Sequence[Path], tasks: Callable[[Path], Iterable[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """The tasks of all ``files``, also of those within archives."""
    for path in files:
        with sources.opened(path) as opened:
            assert opened is not None
            for file in opened.files:
                yield from tasks(file.path)


def objects_of(judgments: Judgments) -> Callable[[Path], list[dict[str, Any]]]:
    """How to read the objects of a file, a list of JSON or one a line; lines that were rejects are passed over."""
    named = None if judgments.reading is None else judgments.reading.encoding

    def objects(path: Path) -> list[dict[str, Any]]:
        with Tap(path, None, encoding_of(path, named)[0]) as tap:
            text = tap.readall().decode("utf-8-sig", "replace")
        try:
            whole = json.loads(text)
        except ValueError:
            whole = [_parsed(line) for line in text.split("\n")]
        return [one for one in (whole if isinstance(whole, list) else [whole]) if isinstance(one, dict)]

    return objects


def item_of(judgments: Judgments) -> Callable[[dict[str, Any]], str | None]:
    """How to tell the item of an object: as the reader of its platform did.

    What went out before tells it with ``consensus_item``, also in its ``metadata``; what stands beside it, with ``id``.
    """
    named = next(one.name for one in judgments.understood if one.role == "item")
    names = [named, *named.split(SEVERAL)]
    if ITEM in names:
        names = [ITEM, f"metadata.{ITEM}", "id"]

    def item(one: dict[str, Any]) -> str | None:
        values = (one.get(name) or value_at(one, tuple(name.split("."))) for name in names)
        return next((str(value) for value in values if value is not None), None)

    return item


def as_given(values: Iterable[Any]) -> dict[str, Any]:
    """Labels, and how an answer that is read as such a label is written."""
    found: dict[str, Any] = {}
    for value in values:
        try:
            label = label_of(_with_texts(value))
        except ValueError:  # it was a reject
            continue
        if label is not None:
            found.setdefault(label, value)
    return found


def next_step(judgments: Judgments, files: Sequence[Path]) -> str:
    """How answers come back to the items that they are of: both files read as these were."""
    options = [
        f"--{one.role} {shlex.quote(one.name)}"
        for one in judgments.understood
        if one.role == "label" or (one.role in {"item", "worker"} and one.because == NAMED)
    ]
    if judgments.reading is not None and judgments.reading.platform is not None:
        options.append(f"--platform {judgments.reading.platform}")
    return original.next_step(files, " ".join(options))


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _with_texts(value: Any) -> Any:
    """A value with its numbers as they are written, which is how they are read as labels."""
    if isinstance(value, list):
        return [_with_texts(one) for one in value]
    return json.dumps(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
