"""Rows of a table in pages of JSON. A page of the same rows has the same bytes, and the same key."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consensus.formats import writing

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

KEY = 32  # hexadecimal digits


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a table, as it is sent."""

    key: str
    """The first digits of the SHA-256 of ``body``: who receives it twice knows it by that."""
    number: int
    """From 1."""
    body: bytes


def pages(table: pd.DataFrame, name: str, size: int) -> Iterator[Page]:
    """The pages of a table: ``{"table": name, "page": n, "pages": N, "rows": [...]}``, rows as ``--json`` has them.

    Parameters
    ----------
    name
        Of the table, such as "labels".
    size
        Rows of a page, at most.
    """
    n_pages = max(-(-len(table) // size), 1)
    for n in range(n_pages):
        lines = io.BytesIO()
        writing.encode(table.iloc[n * size : (n + 1) * size], ".jsonl", lines)
        begin = json.dumps({"table": name, "page": n + 1, "pages": n_pages}).removesuffix("}")
        rows = b", ".join(lines.getvalue().splitlines())
        body = begin.encode() + b', "rows": [' + rows + b"]}"
        yield Page(hashlib.sha256(body).hexdigest()[:KEY], n + 1, body)
