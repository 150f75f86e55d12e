"""What columns that are not used say of those that are, such as refused work; and headers that stand among rows."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from consensus.inputs.notices import Notice
from consensus.inputs.understood import one_line, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consensus.inputs.judgments import Judgments
    from consensus.inputs.understood import Column

REFUSED = {
    "AssignmentStatus": "Rejected",
    "assignmentstatus": "Rejected",
    "ASSIGNMENT:status": "REJECTED",
    "_tainted": "true",
    "was_cancelled": "true",
}
"""Columns of platforms that mark work that does not count, and what they say of it."""
FIRST = re.compile(r"(.+)\.0")
TICKED, WHAT_BECAME = "accept.0", "answer"
"""In Prodigy's choices: what was chosen, and whether it was sent, refused or passed over."""


def notes(understood: Sequence[Column], unused: Sequence[str]) -> list[str]:
    """What to say of ``unused`` columns beside those that are ``understood``."""
    others = set(unused)
    said = [
        f"column {quoted(name)} is not used: work that it marks counts like any other; "
        f"{_option('--drop', f'{name}={value}')} leaves it out"
        for name, value in REFUSED.items()
        if name in others
    ]
    for one in understood:
        first = FIRST.fullmatch(one.name)
        if first and f"{first[1]}.1" in others:
            said.append(
                f'{one.role} is "{one_line(one.name)}", the first of a list; what else the lists hold, such as '
                f"{quoted(f'{first[1]}.1')}, is not used"
            )
        if one.role == "label" and one.name == WHAT_BECAME and TICKED in others:
            said.append(
                f'label is "{WHAT_BECAME}", whether the work was sent; what was chosen stands in "{TICKED}": --label '
                f"{TICKED} --drop {WHAT_BECAME}=ignore"
            )
        if one.role == "label" and one.name == TICKED and WHAT_BECAME in others:
            said.append(
                f'column "{WHAT_BECAME}" is not used: what was passed over counts, too; --drop {WHAT_BECAME}=ignore '
                "leaves it out"
            )
    return said


def headers_within(judgments: Judgments, understood: Sequence[Column]) -> list[Notice]:
    """That judgments say what the header says, as where tables with headers were put one after the other."""
    names = {one.role: one.name for one in understood}
    if names.get("label") not in judgments.labels or "item" not in names or "worker" not in names:
        return []
    i, w = judgments.item_ids.index(names["item"]).as_py(), judgments.worker_ids.index(names["worker"]).as_py()
    k = judgments.labels.index(names["label"])
    n = int(((judgments.item == i) & (judgments.worker == w) & (judgments.label == k)).sum())
    if not n:
        return []
    drop = f"{names['item']}={names['item']}"
    return [
        Notice(
            "repeated_header",
            f"{n:,} {'judgment says' if n == 1 else 'judgments say'} what the header says ({quoted(names['item'])}, "
            f"{quoted(names['worker'])}, {quoted(names['label'])}), as where tables were put one after the other; "
            f"{_option('--drop', drop)} leaves such rows out",
            {"n": float(n)},
            ("--drop", drop),
        )
    ]


def _option(name: str, value: str) -> str:
    return one_line(shlex.join((name, value)))
