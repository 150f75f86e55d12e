"""A table as pages of JSON: the rows that --json prints, so many a page, each page with a key of its own."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consensus.formats import writing

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNATURE = "Consensus-Signature"
KEY = "Idempotency-Key"


@dataclass(frozen=True, slots=True)
class Page:
    """Rows that are sent at once."""

    number: int
    """From 1."""
    body: bytes
    """JSON in UTF-8: table, page, pages, rows."""

    @property
    def key(self) -> str:
        """SHA-256 of the body, in hexadecimal digits: the same page has the same key, whenever it is sent."""
        return hashlib.sha256(self.body).hexdigest()


def pages(name: str, table: Any, size: int) -> Iterator[Page]:
    """The pages of a ``table`` (pandas or Arrow), of up to ``size`` rows; of no rows, one that is empty."""
    file = io.BytesIO()
    writing.encode(table, ".jsonl", file)
    rows = file.getvalue().splitlines()
    n_pages = max(-(-len(rows) // size), 1)
    for number in range(1, n_pages + 1):
        head = json.dumps({"table": name, "page": number, "pages": n_pages}, ensure_ascii=False).encode()
        part = b",\n".join(rows[(number - 1) * size : number * size])
        yield Page(number, head[:-1] + b', "rows": [\n' + part + b"\n]}\n")


def signature(secret: str, body: bytes, now: int | None = None) -> str:
    """What the header Consensus-Signature holds: ``t=``, seconds since 1970, ``,v1=``, an HMAC-SHA256.

    That is of the seconds, a full stop and the ``body``, with the ``secret`` as the key, in hexadecimal digits.
    """
    at = int(time.time()) if now is None else now
    made = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={made}"
