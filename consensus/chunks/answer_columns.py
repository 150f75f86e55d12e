"""Answers about chunks as they come back: a table or an export, and in which of its columns the chunks are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from consensus.errors import FormatError, JudgmentError
from consensus.formats import columns_of, given, read, sources

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consensus.config import ReadConfig
    from consensus.inputs.judgments import Judgments

NAME = re.compile(r"\d{1,9},\d{1,9}-[0-9a-f]{8}")
"""Of a chunk, behind its picture."""


def judgments_of(source: Any, config: ReadConfig) -> tuple[Judgments, str]:
    """Answers as they were given, and which column the chunks are in, if its values told that and not its name.

    Raises
    ------
    FormatError
        They can't be read.
    """
    table = given.table(source, given.JUDGMENTS)
    with sources.opened(table) as opened:
        one = table if opened is None else opened  # which can be read again
        found, refused = None, None
        try:
            found = read(one, config)
        except FormatError as error:
            if config.item is not None or error.code != "column_not_found":
                raise
            refused = error
        if found is not None and (config.item is not None or _n_chunks(found)):
            return found, ""
        others = [(name, _read_otherwise(one, config, name)) for name in (found.unused if found else _columns(one))]
    held = [(_n_chunks(other), name, other) for name, other in others if other is not None]
    most, name, other = max(held, key=lambda each: each[0], default=(0, "", found))
    if most and other is not None:
        return other, f'the item of the answers is the column "{name}", which holds the names of chunks'
    if found is None:
        assert refused is not None
        raise refused
    return found, ""


def _columns(source: Any) -> Sequence[str]:
    """Names of the columns of files that are open, or of a table."""
    if isinstance(source, sources.Opened):
        return columns_of(source.files[0].path)
    return list(source if isinstance(source, dict) else getattr(source, "column_names", getattr(source, "columns", ())))


def _read_otherwise(source: Any, config: ReadConfig, item: str) -> Judgments | None:
    """The same with another column as the item; None where that can't be."""
    try:
        return read(source, config, item=item)
    except (FormatError, JudgmentError):
        return None


def _n_chunks(judgments: Judgments) -> int:
    """How many items are called as chunks are."""
    parts = (item.rpartition("#") for item in judgments.item_ids.to_pylist())
    return sum(bool(image) and NAME.fullmatch(chunk) is not None for image, _, chunk in parts)
