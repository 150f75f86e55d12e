"""The JSON report of CrowdFlower, later Figure Eight and Appen: what ``crowdflower`` writes, with the data of units.

Assumed is, besides: ``data`` of a unit is the row that was uploaded. The platform's own fields in it are those about
gold. What is no text there is written as JSON.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from consensus.formats import sources
from consensus.formats.platforms.crowdflower_json import CONTENTION, NAME, cell_of, entries
from consensus.formats.platforms.object_lines import ObjectLines
from consensus.formats.tables.text_form import TextForm
from consensus.requeue import crowdflower
from consensus.requeue.objects import SEVERAL
from consensus.requeue.original import Original

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from consensus.requeue.tasks import Task
    from consensus.runs import Run

__all__ = ["ENDING", "NAME", "TAKES_GOLD", "again", "report"]

ENDING = ".csv"
TAKES_GOLD = True


def again(run: Run, files: tuple[Path, ...], asked: Sequence[Task], gold: bool) -> tuple[bytes, list[str]]:
    """Rows to upload; with ``gold``, rows of proposed test questions behind them."""
    return crowdflower.again_of(run, _source(run, files), asked, gold)


def report(run: Run, files: tuple[Path, ...]) -> tuple[bytes, list[str]]:
    """The aggregated report: one row an item."""
    return crowdflower.report_of(run, _source(run, files))


def _source(run: Run, files: tuple[Path, ...]) -> Original:
    """The data of units."""
    judgments = run.result.judgments
    understood = {column.role: column.name for column in judgments.understood}
    named = understood["item"].split(SEVERAL)[-1]  # what went out again has consensus_item
    ids = judgments.item_ids.to_pylist()
    at = {item: n for n, item in enumerate(ids)}
    assert judgments.reading is not None
    form, columns, seen = TextForm.of(judgments.reading), dict[str, list[str | None]](), set[str]()
    for path in files:
        with sources.opened(path) as opened:
            assert opened is not None
            for file in opened.files:
                for one in entries(ObjectLines.of(file.path, form)):
                    item = None if one.fault else cell_of(one, named)
                    if item is None or item in seen or item not in at:
                        continue
                    seen.add(item)
                    for name, value in one.unit.items():
                        if crowdflower.is_source(name) and not name.endswith(CONTENTION):
                            columns.setdefault(name, [None] * len(ids))[at[item]] = _text(value)
    return Original(files, understood["item"], understood["label"], columns, (), ())


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
