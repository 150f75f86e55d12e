"""What an earlier run wrote, to ``Previous``."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.backends import Threads
from consensus.errors import FormatError
from consensus.formats import given
from consensus.formats.labels_table import are_defused
from consensus.formats.opening import readings
from consensus.formats.sources import STDIN
from consensus.formats.tables.coded_rows import Rows
from consensus.formats.tables.roles import Roles
from consensus.formats.writing import ENDINGS
from consensus.inputs import formulas
from consensus.inputs.earlier_run import FORMER, STATUSES, Previous

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

LABELS = {name: (name,) for name in ("item", "label", "status", "n_judgments")}
ESCALATIONS = {name: (name,) for name in ("item", "reason", "judgments_needed")}
RETEST = "retest"
MOST = 1e12  # judgments


def read_previous(source: Any) -> Previous:
    """Read what an earlier run said: its folder, or its labels.csv (.jsonl, .parquet) alone.

    What was read before stays as it is; a run says the same itself.

    From labels.csv come item, label, status and n_judgments; from escalations.csv beside it, where there is one, the
    judgments that each item needed; from summary.json, by what these had been corrected.

    Raises
    ------
    FormatError
        There is no such folder or table, a column is missing, a row is malformed, a status is unknown, a number is
        none, or an item stands there twice.

    Examples
    --------
    >>> consensus.read_previous(consensus.run(judgments).labels).n_judgments[:2].tolist()
    [3, 3]
    """
    if isinstance(source, Previous):
        return source
    if hasattr(source, "as_previous"):  # a run
        made: Previous = source.as_previous()
        return made
    source = given.table(source, given.PREVIOUS)
    labels, escalations, factor = source, None, 1.0
    if isinstance(source, (str, Path)) and Path(source) != STDIN and not Path(source).exists():
        raise FormatError(
            "no such file or folder; name the output folder of an earlier run", source, code="file_not_found"
        )
    if isinstance(source, (str, Path)) and Path(source).is_dir():
        labels = _table(Path(source), "labels")
        if labels is None:
            raise FormatError("no labels.csv in this folder; name the output folder of an earlier run", source)
        escalations, factor = _table(Path(source), "escalations"), _correction(Path(source) / "summary.json")
    defused = are_defused(Path(labels)) if isinstance(labels, (str, Path)) else None
    rows, file = _rows(labels, LABELS, ("item", "status", "n_judgments"))
    ids, label, status, n = rows.ranked()
    if len(np.unique(ids[0])) < len(ids[0]):
        raise FormatError("an item stands there twice; name the labels of one run", file)
    for code, text in enumerate(status[1].to_pylist()):
        if text not in STATUSES and text not in FORMER:
            place = rows.place(int(np.flatnonzero(status[0] == code)[0]))
            raise FormatError(
                f'the status is "{text:.40}"; expected {", ".join(STATUSES)}; name the output of a run', place
            )
    counts = _numbers(n, rows, "n_judgments").astype(np.int64)
    escalated, needed = None, None
    if escalations is not None:
        waiting, _ = _rows(escalations, ESCALATIONS, ("item", "reason"), may_be_empty=True)
        item, reason, number = waiting.ranked()
        tests = np.array([*(text == RETEST for text in reason[1].to_pylist()), False], np.bool_)[reason[0]]
        escalated = [text for text, test in zip(_texts(item, defused), tests.tolist(), strict=True) if not test]
        needed = _numbers(number, waiting, "judgments_needed")[~tests]
    now = [FORMER.get(one, one) for one in _texts(status)]
    items, names = _texts(ids, defused), _texts(label, defused)
    return Previous.of(items, names, now, counts, escalated, needed, factor, file, is_exact=defused is not None)


def _correction(summary: Path) -> float:
    """By what the judgments needed had been multiplied; 1 where no summary says so."""
    try:
        told = json.loads(summary.read_text(encoding="utf-8"))
        return float(told.get("escalation", {}).get("correction", 1.0))  # before 0.4 there was none
    except OSError:
        return 1.0
    except (ValueError, AttributeError, TypeError):
        raise FormatError("not the summary of a run; name the output folder of one", summary) from None


def _table(folder: Path, name: str) -> Path | None:
    found = [folder / (name + ending) for ending in ENDINGS if (folder / (name + ending)).exists()]
    return found[0] if found else None


def _rows(
    source: Any, names: Mapping[str, tuple[str, ...]], required: tuple[str, ...], *, may_be_empty: bool = False
) -> tuple[Rows, str]:
    rows = Rows(tuple(names), required, Threads(), None)
    files = []
    with closing(readings(source, Roles(dict.fromkeys(names), True, names))) as found:
        for reading in found:
            rows.add(reading)
            files.append(reading.file)
    for first in rows.rejects[:1]:
        raise FormatError(
            f"{first.reason}: {first.row[:60]}; name the output of a run", first.file, first.line, code="bad_row"
        )
    if not rows.n_rows and not may_be_empty:
        raise FormatError("a header but no rows; name the output of a run", files[0])
    return rows, files[0]


def _texts(column: tuple[NDArray[np.int32], Any], defused: bool | None = False) -> list[Any]:
    """Texts of all rows, None where a cell is empty; as they were before they were ``defused``."""
    codes, texts = column
    texts = formulas.taken_back(texts) if defused else texts
    table = np.array([*texts.to_pylist(), None], dtype=object)
    return list(table[codes])


def _numbers(column: tuple[NDArray[np.int32], Any], rows: Rows, name: str) -> NDArray[np.float64]:
    """Numbers of all rows, NaN where a cell is empty."""
    codes, texts = column
    numbers = np.full(len(texts) + 1, np.nan)
    for n, text in enumerate(texts.to_pylist()):
        try:
            numbers[n] = float(text)
        except ValueError:
            numbers[n] = np.inf
        if not 0 <= numbers[n] < MOST:
            row = int(np.flatnonzero(codes == n)[0])
            raise FormatError(
                f'{name} is "{text:.40}"; expected a number of judgments; name the output of a run', rows.place(row)
            )
    return numbers[codes]
