"""Rows that could not be used because a file is not UTF-8."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from consensus.inputs.counted import counted
from consensus.inputs.notices import Notice

if TYPE_CHECKING:
    from collections.abc import Sequence

OPTION = re.compile(r"--encoding (\S+?),")


def of(sources: Sequence[tuple[int, str]]) -> list[Notice]:
    """What to say of each source with such rows: how many these are, and what was said of the encoding."""
    return [
        Notice("wrong_encoding", _told(n_rows, said), {"n_rows": n_rows}, tuple(_option(said)))
        for n_rows, said in sources
    ]


def _told(n_rows: int, said: str) -> str:
    rows = counted(n_rows, "row is rejected because it is", "rows are rejected because they are")
    return f"{rows} not UTF-8: {said}"


def _option(said: str) -> list[str]:
    found = OPTION.search(said)
    return ["--encoding", found[1]] if found else []
