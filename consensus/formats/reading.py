"""Tables to ``Judgments`` and ``Gold``: whatever the source, one set of rules for what is used and what is rejected."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.config import ReadConfig, Repeats
from consensus.errors import FormatError
from consensus.formats import delimited, frames, json_lines
from consensus.formats.roles import Roles
from consensus.formats.streams import COMPRESSION
from consensus.formats.table import TextTable, as_times, decoded
from consensus.judgments import Gold, Judgments, encode

if TYPE_CHECKING:
    import pyarrow as pa


READERS: dict[str, Callable[[Path, Roles], TextTable]] = {
    ".csv": delimited.read,
    ".tsv": delimited.read,
    ".tab": delimited.read,
    ".txt": delimited.read,
    ".jsonl": json_lines.read,
    ".ndjson": json_lines.read,
    ".parquet": frames.read_parquet,
}
"""Reader by the ending of the name; the text formats also with .gz or .zst behind it."""


def read(
    source: Any,
    *,
    item: str | None = None,
    worker: str | None = None,
    label: str | None = None,
    timestamp: str | None = None,
    repeats: Repeats = "last",
    abstain: Sequence[str] = (),
) -> Judgments:
    """Read judgments.

    Parameters
    ----------
    source
        A path (CSV, TSV, JSON lines, Parquet; text also .gz or .zst), a list of paths, a pandas, polars or Arrow
        table, or a mapping of columns. Ids and labels stay text as written.
    item, worker, label, timestamp
        Columns, where the names do not tell (``roles.NAMES``). The timestamp is optional.
    repeats
        Which judgment counts when a worker judged an item twice: the "last" or "first" in time (without timestamps,
        in row order), "keep" both, or "error".
    abstain
        Labels that mean "no answer". An absent label (an empty CSV field without quotes, a null) always does.

    Raises
    ------
    ConfigError
        ``repeats`` is none of the four.
    FormatError
        A source can't be read, or a column can't be found.
    JudgmentError
        ``repeats`` is "error" and a worker judged an item twice.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    settings = ReadConfig.of(
        None,
        item=item,
        worker=worker,
        label=label,
        timestamp=timestamp,
        repeats=repeats,
        abstain=tuple(abstain),
    )
    roles = Roles({"item": item, "worker": worker, "label": label, "timestamp": timestamp})
    tables = [_usable(table, ("item", "worker")) for table in _tables(source, roles)]
    n_read = sum(table.n_rows + len(table.rejects) for table in tables)
    if not n_read:
        raise FormatError(f"{tables[0].file}: a header but no rows; expected one judgment a row")
    labels = _joined(tables, "label")
    if settings.abstain:
        said_nothing = pc.is_in(labels, pa.array(settings.abstain, pa.string()))
        labels = pc.if_else(said_nothing, None, labels)
    when, n_unreadable = _times(tables)
    rejects = tuple(reject for table in tables for reject in table.rejects)
    judgments = encode(
        _joined(tables, "item"),
        _joined(tables, "worker"),
        labels,
        when,
        repeats=settings.repeats,
        locate=lambda row: _place(tables, row),
    )
    return replace(
        judgments,
        tally=replace(judgments.tally, read=n_read, rejected=len(rejects)),
        rejects=rejects,
        sources=tuple(table.source for table in tables if table.source is not None),
        unreadable_times=n_unreadable,
    )


def read_gold(source: Any, *, item: str | None = None, label: str | None = None) -> Gold:
    """Read gold labels: item and label; several rows of one item are several accepted labels.

    ``source`` is what ``read`` takes; ``item`` and ``label`` name columns, which are found by their usual names where
    those do not exist. Rows without a label say nothing and are passed over.

    Raises
    ------
    FormatError
        A source can't be read, a column can't be found, a row is malformed, or there is no gold label at all.
    """
    tables = [
        _usable(table, ("item",)) for table in _tables(source, Roles({"item": item, "label": label}, lenient=True))
    ]
    for table in tables:
        if table.rejects:  # a malformed row of gold is an error, not a reject: gold is trusted
            first = table.rejects[0]
            raise FormatError(f"{first.file}:{first.line}: {first.reason}: {first.row[:60]}; correct the gold")
    rows: dict[tuple[str, str], str] = {}
    for table in tables:
        items, labels = table.columns["item"].to_pylist(), table.columns["label"].to_pylist()
        told = table.describe(list(range(len(items))))
        for one_item, one_label, (line, _) in zip(items, labels, told, strict=True):
            if one_label is not None:
                rows.setdefault((one_item, one_label), f"{table.file}:{line}")
    if not rows:
        raise FormatError(f"{tables[0].file}: no gold labels in it; expected an item and a label in every row")
    return Gold(
        item=tuple(item for item, _ in rows),
        label=tuple(label for _, label in rows),
        place=tuple(rows.values()),
        sources=tuple(table.source for table in tables if table.source is not None),
    )


def _tables(source: Any, roles: Roles) -> list[TextTable]:
    if isinstance(source, (str, Path)):
        source = [source]
    if isinstance(source, Sequence) and source and all(isinstance(one, (str, Path)) for one in source):
        return [_reader(Path(one))(Path(one), roles) for one in source]
    return [frames.read_frame(source, roles)]


def _reader(path: Path) -> Callable[[Path, Roles], TextTable]:
    endings = [ending.lower() for ending in path.suffixes]
    if endings and endings[-1] in COMPRESSION:
        endings.pop()
    ending = endings[-1] if endings else ""
    if ending not in READERS and not path.is_dir():
        raise FormatError(
            f'{path}: unknown ending "{ending}"; known are {", ".join(READERS)}, the text formats also with .gz or .zst'
        )
    return READERS.get(ending, delimited.read)


def _usable(table: TextTable, required: tuple[str, ...]) -> TextTable:
    """Text only; rows that are not UTF-8 or lack an id become rejects."""
    table = decoded(table)
    bad: dict[int, str] = {}
    for role in required:
        for row in np.flatnonzero(table.columns[role].is_null().to_numpy()).tolist():
            bad.setdefault(row, f"the {role} is missing")
    return table.without(bad) if bad else table


def _joined(tables: list[TextTable], role: str) -> pa.ChunkedArray:
    import pyarrow as pa

    return pa.chunked_array([chunk for table in tables for chunk in table.columns[role].chunks], pa.string())


def _times(tables: list[TextTable]) -> tuple[np.ndarray[Any, np.dtype[np.datetime64]] | None, int]:
    """Times of all rows, None without any, and how many could not be read."""
    if not any("timestamp" in table.columns for table in tables):
        return None, 0
    parts, n_unreadable = [], 0
    for table in tables:
        column = table.columns.get("timestamp")
        times = np.full(table.n_rows, np.datetime64("NaT", "us")) if column is None else as_times(column)
        if column is not None:
            n_unreadable += int(np.isnat(times).sum()) - column.null_count
        parts.append(times)
    when = np.concatenate(parts)
    return (None, n_unreadable) if np.isnat(when).all() else (when, n_unreadable)


def _place(tables: list[TextTable], row: int) -> str:
    """``file:line`` of a row, counted over all tables."""
    ends = np.cumsum([table.n_rows for table in tables]).tolist()
    n = bisect.bisect_right(ends, row)
    ((line, _),) = tables[n].describe([row - (ends[n - 1] if n else 0)])
    return f"{tables[n].file}:{line}"
