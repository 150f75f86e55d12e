"""Tables of the workers who can be asked to a ``Pool``."""

from __future__ import annotations

import math
import re
from contextlib import closing
from typing import TYPE_CHECKING, Any

from consensus.backends import Threads
from consensus.errors import FormatError
from consensus.formats import given
from consensus.formats.opening import readings
from consensus.formats.tables.coded_rows import Rows
from consensus.formats.tables.roles import NAMES as USUAL_NAMES
from consensus.formats.tables.roles import Roles
from consensus.inputs.worker_pool import Pool

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES: Mapping[str, tuple[str, ...]] = {
    "worker": USUAL_NAMES["worker"],
    "available": ("available", "availability", "capacity", "max_judgments", "quota"),
    "fee": ("price", "payment", "pay", "fee", "cost", "reward"),
    "skills": ("skills", "skill", "tags"),
}
"""Names of the column of each role."""
LEAST_PRICE, MOST_PRICE = 1e-9, 1e9
MOST_AVAILABLE = 1e12  # judgments


def read_workers(source: Any) -> Pool:
    """Read who can be asked for judgments: worker, and where there are such columns available (how many judgments each
    will do), price (of a judgment) and skills (tags with ``|``, ``;`` or a comma between them), one row a worker.

    ``source`` is what ``read`` takes, or was read before. ``Pool.align`` finds them in the data.

    Raises
    ------
    FormatError
        A source can't be read, a column can't be found, a row is malformed, a number is none or negative (a price: or
        0), a worker stands there twice, or there is no row.

    Examples
    --------
    >>> consensus.read_workers({"ann": {"available": 3}, "bob": {"available": 10}}).worker
    ('ann', 'bob')
    """  # noqa: D205
    if isinstance(source, Pool):
        return source
    source = given.table(source, given.WORKERS)
    rows = Rows(tuple(NAMES), ("worker",), Threads(), None)
    files = []
    with closing(readings(source, Roles(dict.fromkeys(NAMES), True, NAMES))) as found:
        for reading in found:
            rows.add(reading)
            files.append(reading.file)
    for first in rows.rejects[:1]:
        raise FormatError(
            f"{first.reason}: {first.row[:60]}; correct the workers", first.file, first.line, code="bad_row"
        )
    if not rows.n_rows:
        raise FormatError("a header but no rows; expected a worker in each", files[0])
    columns = [[texts[c].as_py() if c >= 0 else None for c in codes.tolist()] for codes, texts in rows.ranked()]
    places: dict[str, str] = {}
    available, price, skills = [], [], []
    for row, (worker, able, fee, tags) in enumerate(zip(*columns, strict=True)):
        place = rows.place(row)
        if worker in places:
            raise FormatError(f'worker "{worker}" stands here and in {places[worker]}; keep one row', place)
        places[worker] = place
        available.append(_number(able, place, "number of judgments", math.inf, zero=True))
        price.append(_number(fee, place, "price", math.nan, zero=False))
        skills.append(frozenset(tag for tag in re.split(r"\s*[|;,]\s*", (tags or "").strip()) if tag))
    return Pool(tuple(places), tuple(available), tuple(price), tuple(skills), files[0], tuple(rows.sources))


def _number(text: str | None, place: str, what: str, absent: float, *, zero: bool) -> float:
    if text is None or not text.strip():
        return absent
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    least, most = (0.0, MOST_AVAILABLE) if zero else (LEAST_PRICE, MOST_PRICE)
    if not least <= number <= most:
        raise FormatError(
            f'the {what} is "{text:.40}"; expected a number from {least:g} to {most:g}', place, code="bad_row"
        )
    return number + 0.0  # of which none is -0
