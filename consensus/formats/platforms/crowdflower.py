"""The full report of CrowdFlower, later Figure Eight and Appen (``f123456.csv``): one judgment a row.

Columns of the platform begin with ``_``, then come the fields that workers filled in and the columns of the data that
was uploaded; ``<field>_gold`` tells the accepted labels of a field. Assumed is:

- A field with ``<field>_gold`` is a question; in files without any such column, the only field there is.
- An empty cell is an abstain, also between quotes. What a checkbox gave (several lines, or a list of JSON) is one
  label, its ticks in order.
- ``_tainted`` marks judgments that the platform itself does not trust; these rows become rejects. Booleans come as
  ``true``, ``True`` and ``TRUE``. ``_trust``, the platform's own view of a worker, is not used.
- Times are UTC, as ``M/D/YYYY HH:MM:SS``. All rows of a page share ``_started_at`` and ``_created_at``, so that a
  judgment took the time between them divided by the rows of the worker with this start.
- Gold is what ``<field>_gold`` holds in rows where ``_golden`` is true: several lines are several accepted labels, some
  of which nobody may ever give. As at the platform, an answer of several ticks meets gold by one tick in common. The
  column stays filled where gold was withdrawn, and ``_golden`` is told by the row: an item is gold if some row says so.
- Who meets a test question again has had feedback on the first answer. Which of the answers counts is for the user to
  say; the note tells how many there are.
- The aggregated report (``a123456.csv``) holds one row an item, made of the judgments, and is refused: it holds none.
- An item is the unit. Rows that went out again (``consensus requeue``) are other units: there ``consensus_item`` is it.
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
from consensus.formats.platforms import aggregates, checkboxes
from consensus.formats.platforms.named_columns import refuse_hidden
from consensus.formats.platforms.questions import SeveralQuestionsError
from consensus.formats.platforms.seam import ITEM
from consensus.formats.tables import delimited
from consensus.formats.tables.roles import Roles, listed
from consensus.formats.tables.streams import displayed
from consensus.formats.tables.text_form import PLAIN
from consensus.inputs.judgments import Reject

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
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
    other: set[bytes | None] = field(default_factory=set)
    """Items with rows that are not golden."""
    n_forgiven: int = 0
    """Wrong answers to test questions that the platform forgave."""
    ticks: dict[str, Sequence[str]] = field(default_factory=dict)
    """Of labels with several."""
    all_ticks: bool = False
    """Whether these are known: all judgments were read."""
    tested: set[tuple[bytes | None, bytes | None]] = field(default_factory=set)
    """Items and workers of answers to test questions."""
    n_again: int = 0
    """Answers to a test question that its worker had answered before."""


def sniff(head: Head) -> bool:
    """Whether a file is a full report, or an aggregated one: by the names of its columns."""
    if b"_unit_id" not in head.start:
        return False
    columns = set(head.columns)
    if columns >= aggregates.OF_REPORT:
        return True
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
    if aggregates.OF_REPORT.issubset(names):
        raise aggregates.refusal(path, aggregates.REPORT, "download the full report")
    for name in IDS:
        if name not in names:
            raise FormatError(f"this is no {TITLE}, for it has no column {name}; read it with --platform none", path)
    named = {role: name for role, name in roles.named.items() if name and (name in names or not roles.lenient)}
    refuse_hidden(named, HIDDEN, path, TITLE)
    question = named.get("label") or _question([name for name in names if name not in roles.set_apart], path)
    question = question.removesuffix(GOLD) if roles.lenient and question not in _questions(names) else question
    columns = {"item": ITEM if ITEM in names else IDS[0], "worker": IDS[1], **named, "label": question}
    if "_created_at" in names:
        columns.setdefault("timestamp", "_created_at")
    has_pages = "duration" not in columns and columns.get("timestamp") == "_created_at" and "_started_at" in names
    others = {"tainted": "_tainted", "golden": "_golden"} | ({"started": "_started_at"} if has_pages else {})
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
        raise SeveralQuestionsError(path, TITLE, dict.fromkeys(questions, ""))
    fields = [name for name in names if not name.startswith(("_", COPIES)) and not name.endswith((GOLD, REASON))]
    if len(fields) == 1:
        return fields[0]
    raise FormatError(
        f"nothing tells which column of this {TITLE} is the question, for none has a column of gold "
        f"(NAME{GOLD}) beside it; the columns are: {listed(fields)}; name it with --label",
        path,
    )


def _judgments(path: Path, columns: dict[str, str], inner: Reading, found: _Found, form: TextForm) -> Generator[Block]:
    """The rows that are not tainted, with times and durations."""
    pages = _pages(path, columns, form)
    with closing(inner.blocks) as blocks:
        for block in blocks:
            cells = {role: _filled(column) for role, column in block.columns.items()}
            if "started" in cells:
                cells["duration"] = _durations(cells, pages)
            cells["label"] = checkboxes.as_labels(cells["label"], found.ticks)
            out = _are_true(cells["tainted"]) if "tainted" in cells else np.zeros(len(cells["item"]), np.bool_)
            found.n_tainted += int(out.sum())
            if "golden" in cells:
                _count_again(cells, ~out, found)
            used = {role: column for role, column in cells.items() if role not in {"started", "tainted", "golden"}}
            yield _without(block, used, out, inner.file) if out.any() else replace(block, columns=used)
    found.all_ticks = True


def _count_again(cells: dict[str, pa.ChunkedArray], kept: NDArray[np.bool_], found: _Found) -> None:
    """Count the answers to test questions that their workers had answered before, of the rows that are ``kept``."""
    given = cells["label"].is_valid().to_numpy()
    rows = np.flatnonzero(_are_true(cells["golden"]) & kept & given)
    pairs = zip(*(cells[role].take(rows).to_pylist() for role in ("item", "worker")), strict=True)
    for pair in pairs:
        found.n_again += pair in found.tested
        found.tested.add(pair)


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
    roles = {"item": columns["item"], "label": key, "golden": "_golden", "answer": columns["label"]}
    inner = delimited.read(path, Roles(roles | ({"missed": "_missed"} if "_missed" in names else {})), HIDDEN, form)

    def accepted() -> Generator[Block]:
        ticks = found.ticks if found.all_ticks else _ticks(path, columns["label"])
        with closing(inner.blocks) as blocks:
            for block in blocks:
                yield _accepted(block, ticks, found)

    return replace(inner, blocks=accepted())


def _ticks(path: Path, question: str) -> dict[str, Sequence[str]]:
    """Those of all labels with several."""
    ticks: dict[str, Sequence[str]] = {}
    for block in delimited.read(path, Roles({"label": question}), HIDDEN).blocks:
        checkboxes.as_labels(_filled(block.columns["label"]), ticks)
    return ticks


def _accepted(block: Block, ticks: Mapping[str, Sequence[str]], found: _Found) -> Block:
    """One row an item and accepted label; ``ticks`` are those of labels with several."""
    import pyarrow as pa

    cells = {role: _filled(column) for role, column in block.columns.items()}
    items, texts = cells["item"].to_pylist(), cells["label"].to_pylist()
    filled = np.array([text is not None for text in texts], np.bool_)
    is_golden = _are_true(cells["golden"])
    golden = np.flatnonzero(filled & is_golden)
    found.other |= {items[row] for row in np.flatnonzero(filled & ~is_golden).tolist()}
    found.filled |= {items[row] for row in np.flatnonzero(filled).tolist()}
    found.golden |= {items[row] for row in golden.tolist()}
    keys = {text: _labels_for(text, ticks) for text in {texts[row] for row in golden.tolist()}}
    pairs = [(row, one) for row in golden.tolist() for one in keys[texts[row]]]
    if "missed" in cells:
        found.n_forgiven += _forgiven(cells, golden, [keys.get(text, []) for text in texts])
    rows = np.array([row for row, _ in pairs], np.int64)
    labels = pa.chunked_array([pa.array([one for _, one in pairs], pa.binary())])
    return replace(
        block,
        columns={"item": cells["item"].take(rows), "label": labels},
        lines=_lines(block, len(items))[rows],
        describe=lambda of: block.describe(rows[of].tolist()),
    )


def _forgiven(cells: dict[str, pa.ChunkedArray], golden: NDArray[np.int64], keys: list[list[bytes]]) -> int:
    """How many of the answers to test questions are wrong by the ``keys`` of their rows, and count as no miss."""
    missed = cells["missed"].take(golden).to_pylist()
    answers = checkboxes.as_labels(cells["answer"], {}).take(golden).to_pylist()
    return sum(
        cell is not None and cell.strip().lower() == b"false" and answer not in keys[row]
        for row, cell, answer in zip(golden.tolist(), missed, answers, strict=True)
    )


def _labels_for(key: bytes, ticks: Mapping[str, Sequence[str]]) -> list[bytes]:
    """The labels that meet a key; of one that is not UTF-8, its own lines."""
    try:
        return [one.encode() for one in checkboxes.accepted(checkboxes.ticks_in(key.decode()), ticks)]
    except UnicodeDecodeError:
        return [key]


def _note(path: Path, columns: dict[str, str], names: Sequence[str], found: _Found) -> str:
    """What was understood, in a line."""
    roles = ", ".join(f"{role} {columns[role]}" for role in ("item", "worker", "label"))
    said = [f"{PurePath(displayed(path)).name} is a {TITLE}: {roles}"]
    if found.ticks:
        said.append("several ticks are one label, which is right if it shares one tick with gold")
    if found.n_tainted:
        said.append(f"rows left out as tainted: {found.n_tainted:,}")
    if found.golden:
        withdrawn = len(found.filled - found.golden)
        less = f" (and {withdrawn:,} withdrawn)" if withdrawn else ""
        both = len(found.golden & found.other)
        less += f", {both:,} of them golden in some of their rows only" if both else ""
        said.append(f"gold: {len(found.golden):,} of its items{less}, unless other gold is named")
    elif columns["label"] + GOLD in names and "_golden" not in names:
        said.append(f"no gold, for no column _golden tells where {columns['label']}{GOLD} counts")
    if found.n_forgiven:
        said.append(
            f"wrong answers to test questions that were forgiven, so that their gold is in doubt: {found.n_forgiven:,}"
        )
    if found.n_again:
        said.append(
            f"answers to test questions that their workers had met before, with feedback: {found.n_again:,} "
            "(--repeats first takes the answers before it)"
        )
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
