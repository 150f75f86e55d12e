"""Answers to checkboxes at CrowdFlower: several ticks are one label, and gold is met by one tick in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consensus.formats.platforms.questions import joined
from consensus.formats.platforms.records import parsed_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pyarrow as pa


def ticks_in(cell: str) -> list[str]:
    """The ticks of an answer: lines, or a list of JSON; the answer itself where it is neither."""
    if cell.lstrip()[:1] == "[":
        try:
            found = parsed_json(cell)
        except ValueError:
            found = None
        if isinstance(found, list) and all(isinstance(one, str) for one in found):
            return [one for one in found if one.strip()]
    lines = cell.replace("\r", "").split("\n")
    return [one for one in lines if one.strip()] if len(lines) > 1 else lines


def as_labels(column: pa.ChunkedArray, ticks: dict[str, Sequence[str]]) -> pa.ChunkedArray:
    """Answers with several ticks as one label each; what these are of is added to ``ticks``, by label."""
    import pyarrow as pa
    import pyarrow.compute as pc

    listed = pc.or_(pc.match_substring(column, "\n"), pc.match_substring_regex(column, r"^\s*\["))
    if not pc.any(listed).as_py():
        return column
    known: dict[bytes, bytes | None] = {}
    for cell in pc.unique(pc.filter(column, listed)).to_pylist():
        try:
            parts = ticks_in(cell.decode())
        except UnicodeDecodeError:
            continue
        label = joined(parts)
        if label is not None and len(set(parts)) > 1:
            ticks[label] = parts
        known[cell] = None if label is None else label.encode()
    return pa.chunked_array([pa.array([known.get(cell, cell) for cell in column.to_pylist()], column.type)])


def accepted(key: Iterable[str], ticks: Mapping[str, Sequence[str]]) -> list[str]:
    """The labels that meet a ``key`` of gold: each of its ticks, and the labels with a tick in common with it.

    ``ticks`` are those of the labels that were given.
    """
    options = list(dict.fromkeys(key))
    return options + [label for label, parts in ticks.items() if not set(parts).isdisjoint(options)]
