"""The full report of CrowdFlower, later Figure Eight and Appen (``f123456.csv``): one judgment a row.

Columns of the platform begin with ``_``, then come the fields that workers filled in and the columns of the data that
was uploaded; ``<field>_gold`` tells the accepted labels of a field. Assumed is:

- A field with ``<field>_gold`` is a question; in files without any such column, the only field there is.
- An empty cell is an abstain, also between quotes. What a checkbox gave (several lines) is one label.
- ``_tainted`` marks judgments that the platform itself does not trust; these rows become rejects. Booleans come as
  ``true``, ``True`` and ``TRUE``. ``_trust``, the platform's own view of a worker, is not used.
- Times are UTC, as ``M/D/YYYY HH:MM:SS``. All rows of a page share ``_started_at`` and ``_created_at``, so that a
  judgment took the time between them divided by the rows of the worker with this start.
- Gold is what ``<field>_gold`` holds in rows where ``_golden`` is true: several lines are several accepted labels, some
  of which nobody may ever give. The column stays filled where gold was withdrawn, and ``_golden`` is told by the row.
- ``_ip``, ``_city``, ``_region`` and ``_country`` are not read, and stand in no reject.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from consensus.errors import FormatError
from consensus.formats.tables import delimited
from consensus.formats.tables.roles import Roles, listed
from consensus.formats.tables.streams import displayed
from consensus.formats.tables.text_form import PLAIN
from consensus.inputs.judgments import Reject

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.formats.platforms.seam import Head
    from consensus.formats.tables.blocks import Block, Reading
    from consensus.formats.tables.text_form import TextForm

    Pages = Counter[tuple[bytes | None, bytes | None]]

NAME = "crowdflower"
TITLE = "CrowdFlower full report"
IDS = ("_unit_id", "_worker_id")
PLACES = ("_ip", "_city", "_region", "_country")
OTHERS = {"_created_at", "_started_at", "_id", "_golden", "_missed", "_tainted", "_channel", "_trust", *PLACES}
"""Columns that the platform adds; old files lack some."""
LEAST = 2  # of these make a report of a table with the two ids
COPIES = "orig_"  # begins names of columns that the upload held already
HIDDEN = tuple(begin + name for begin in ("", COPIES) for name in PLACES)
GOLD, REASON = "_gold", "_gold_reason"
TAINTED = "tainted: the platform itself does not trust this judgment"
TIMES = "%m/%d/%Y %H:%M:%S"
STATED = ("_created_at", "_started_at")  # columns with such times


@dataclass
class _Found:
    """What a report turned out to hold, once it was read."""

    n_tainted: int = 0
    golden: set[bytes | None] = field(default_factory=set)
    """Items with gold."""
    filled: set[bytes | None] = field(default_factory=set)
    """The same with those whose gold was withdrawn."""


def sniff(head: Head) -> bool:
    """Whether a file is a full report: by the names of its columns."""
    if not all(name.encode() in head.start for name in IDS):
        return False
    columns = set(head.columns)
    return columns.issuperset(IDS) and len(columns & OTHERS) >= LEAST


def read(path: Path, roles: Roles, form: TextForm = PLAIN) -> Reading:
    """The judgments of a report on one question, and their gold.

    Raises
    ------
    FormatError
        The file can't be read or is no report, it asks several questions and none is named, or a named column is
        missing or hidden.
    """
    names = delimited.header(path, form)
    for name in IDS:
        if name not in names:
            raise FormatError(f"{path}: this is no {TITLE}, for it has no column {name}; read it with --platform none")
    named = {role: name for role, name in roles.named.items() if name and (name in names or not roles.lenient)}
    for role, name in named.items():
        if name in HIDDEN:
            raise FormatError(
                f'{path}: column "{name}" of a {TITLE} is never read; choose another for the {role}, or read the file '
                "as a plain table with --platform none"
            )
    question = named.get("label") or _question([name for name in names if name != named.get("group")], path)
    question = question.removesuffix(GOLD) if roles.lenient and question not in _questions(names) else question
    columns = {"item": IDS[0], "worker": IDS[1], **named, "label": question}
    if "_created_at" in names:
        columns.setdefault("timestamp", "_created_at")
    has_pages = "duration" not in columns and columns.get("timestamp") == "_created_at" and "_started_at" in names
    others = {"tainted": "_tainted"} | ({"started": "_started_at"} if has_pages else {})
    columns |= {role: name for role, name in others.items() if name in names}
    found = _Found()
    inner = delimited.read(path, Roles(columns), HIDDEN, form)
    return replace(
        inner,
        blocks=_judgments(path, columns, inner, found, form),
        platform=TITLE,
        time_format="month-first" if columns.get("timestamp") in STATED else None,
        gold=_gold(path, columns, names, found, form),
        note=partial(_note, path, columns, names, found),
    )


def _questions(names: Sequence[str]) -> list[str]:
    """Fields that have gold."""
    return [name for name in names if name + GOLD in names]


def _question(names: Sequence[str], path: Path) -> str:
    """The only question of a report."""
    questions = _questions(names)
    if len(questions) == 1:
        return questions[0]
    if questions:
        raise FormatError(
            f"{path}: this {TITLE} asks several questions: {listed(questions)}; choose one with --label, such as "
            f"--label {questions[0]}"
        )
    fields = [name for name in names if not name.startswith(("_", COPIES)) and not name.endswith((GOLD, REASON))]
    if len(fields) == 1:
        return fields[0]
    raise FormatError(
        f"{path}: nothing tells which column of this {TITLE} is the question, for none has a column of gold "
        f"(NAME{GOLD}) beside it; the columns are: {listed(fields)}; name it with --label"
    )


def _judgments(path: Path, columns: dict[str, str], inner: Reading, found: _Found, form: TextForm) -> Generator[Block]:
    """The rows that are not tainted, with times and durations."""
    pages = _pages(path, columns, form)
    with closing(inner.blocks) as blocks:
        for block in blocks:
            cells = {role: _filled(column) for role, column in block.columns.items()}
            if "started" in cells:
                cells["duration"] = _durations(cells, pages)
            out = _are_true(cells["tainted"]) if "tainted" in cells else np.zeros(len(cells["item"]), np.bool_)
            found.n_tainted += int(out.sum())
            used = {role: column for role, column in cells.items() if role not in {"started", "tainted"}}
            yield _without(block, used, out, inner.file) if out.any() else replace(block, columns=used)


def _without(block: Block, cells: dict[str, pa.ChunkedArray], out: NDArray[np.bool_], file: str) -> Block:
    """A block whose rows that are ``out`` are rejects."""
    lines, rows = _lines(block, len(out)), np.flatnonzero(out)
    texts = block.describe(rows.tolist())
    rejects = [Reject(file, line, TAINTED, text) for line, text in zip(lines[rows].tolist(), texts, strict=True)]
    kept = np.flatnonzero(~out)
    return replace(
        block,
        columns={role: column.take(kept) for role, column in cells.items()},
        lines=lines[kept],
        describe=lambda of: block.describe(kept[of].tolist()),
        rejects=sorted([*block.rejects, *rejects], key=lambda reject: reject.line),
    )


def _gold(path: Path, columns: dict[str, str], names: Sequence[str], found: _Found, form: TextForm) -> Reading | None:
    """Items and accepted labels of the rows that are golden, where the report tells which are."""
    key = columns["label"] + GOLD
    if key not in names or "_golden" not in names:
        return None
    inner = delimited.read(path, Roles({"item": columns["item"], "label": key, "golden": "_golden"}), HIDDEN, form)

    def accepted() -> Generator[Block]:
        with closing(inner.blocks) as blocks:
            for block in blocks:
                yield _accepted(block, found)

    return replace(inner, blocks=accepted())


def _accepted(block: Block, found: _Found) -> Block:
    """One row an item and accepted label."""
    import pyarrow as pa

    cells = {role: _filled(column) for role, column in block.columns.items()}
    items, texts = cells["item"].to_pylist(), cells["label"].to_pylist()
    filled = np.array([text is not None for text in texts], np.bool_)
    golden = np.flatnonzero(filled & _are_true(cells["golden"]))
    found.filled |= {items[row] for row in np.flatnonzero(filled).tolist()}
    found.golden |= {items[row] for row in golden.tolist()}
    pairs = [
        (row, one) for row in golden.tolist() for one in texts[row].replace(b"\r", b"").split(b"\n") if one.strip()
    ]
    rows = np.array([row for row, _ in pairs], np.int64)
    labels = pa.chunked_array([pa.array([one for _, one in pairs], pa.binary())])
    return replace(
        block,
        columns={"item": cells["item"].take(rows), "label": labels},
        lines=_lines(block, len(items))[rows],
        describe=lambda of: block.describe(rows[of].tolist()),
    )


def _note(path: Path, columns: dict[str, str], names: Sequence[str], found: _Found) -> str:
    """What was understood, in a line."""
    roles = ", ".join(f"{role} {columns[role]}" for role in ("item", "worker", "label"))
    said = [f"{PurePath(displayed(path)).name} is a {TITLE}: {roles}"]
    if found.n_tainted:
        said.append(f"rows left out as tainted: {found.n_tainted:,}")
    if found.golden:
        withdrawn = len(found.filled - found.golden)
        less = f" (and {withdrawn:,} withdrawn)" if withdrawn else ""
        said.append(f"gold: {len(found.golden):,} of its items{less}, unless other gold is named")
    elif columns["label"] + GOLD in names and "_golden" not in names:
        said.append(f"no gold, for no column _golden tells where {columns['label']}{GOLD} counts")
    return "; ".join([*said, "--platform none reads it as a plain table"])


def _pages(path: Path, columns: dict[str, str], form: TextForm) -> Pages:
    """How many rows each worker began at each time, over the whole file; nothing where no durations are wanted."""
    pages: Pages = Counter()
    if "started" in columns:
        roles = Roles({role: columns[role] for role in ("worker", "started")})
        for block in delimited.read(path, roles, HIDDEN, form).blocks:
            pages.update(_page_of(block.columns))
    return pages


def _page_of(cells: dict[str, pa.ChunkedArray]) -> list[tuple[bytes | None, bytes | None]]:
    return list(zip(cells["worker"].to_pylist(), cells["started"].to_pylist(), strict=True))


def _durations(cells: dict[str, pa.ChunkedArray], pages: Pages) -> pa.ChunkedArray:
    """Seconds a judgment of its page, null where a time is unknown."""
    import pyarrow as pa

    page = (_times(cells["timestamp"]) - _times(cells["started"])) / np.timedelta64(1, "s")
    n_rows = np.array([pages[one] for one in _page_of(cells)])
    return pa.chunked_array([pa.array(page / np.maximum(n_rows, 1), from_pandas=True)])


def _times(column: pa.ChunkedArray) -> NDArray[np.datetime64]:
    """(rows,) in microseconds, NaT where absent or unreadable."""
    import pandas as pd

    cells = [None if cell is None else cell.decode("utf-8", "replace") for cell in column.to_pylist()]
    found = pd.to_datetime(pd.Series(cells, dtype="str"), errors="coerce", format=TIMES)
    return np.array(found.to_numpy(), "datetime64[us]")


def _are_true(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    return np.array([cell is not None and cell.strip().lower() == b"true" for cell in column.to_pylist()], np.bool_)


def _filled(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cells, null where nothing stands in them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(pc.equal(column, b""), pa.scalar(None, column.type), column)


def _lines(block: Block, n_rows: int) -> NDArray[np.int64]:
    return np.arange(block.lines, block.lines + n_rows) if isinstance(block.lines, int) else block.lines
