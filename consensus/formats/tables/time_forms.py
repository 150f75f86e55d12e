"""Forms in which times are written, each found by a pattern and put together from its parts, a block at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    Times = NDArray[np.datetime64]
    Parts = Mapping[str, NDArray[np.int64]]

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
ZONES = {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
"""Hours of the zones of the United States; other names of zones mean several things or nothing."""
TWO_DIGITS = 69  # years from here on are of the 20th century
PIVOTS = (1900, 2000)

_WEEKDAY = r"(?:[a-z]{3,9}\.?,?\s+)?"
_NAME = r"(?P<name>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_CLOCK = (
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?:\s*(?P<half>[ap])\.?m\.?)?"
)
_ZONE = (
    r"(?:\s*(?P<zone>Z|UTC?|GMT|[PMCE][SD]T))?(?:\s*(?P<offset>[+-]\d{1,2}(?::?\d{2})?))?(?:\s+(?:UTC|GMT))?"
    r"(?:\s*\([^()]*\))?"
)
_DAY_TIME = rf"(?:,?[t\s]\s*(?:at\s+)?{_CLOCK}{_ZONE})?"
IN_FIGURES = (
    rf"(?i)^{_WEEKDAY}(?P<first>\d{{1,2}})(?P<sign>[-/.])(?P<middle>\d{{1,2}})[-/.]"
    rf"(?P<last>\d{{4}}|\d{{2}}){_DAY_TIME}$"
)
"""Day and month in figures, the year not surely first: 3/9/2024 7:17 PM."""
PLAIN = (
    # 2024-03-09 19:17:00 UTC
    rf"(?i)^(?P<year>\d{{4}})[-/.](?P<month>\d{{1,2}})[-/.](?P<day>\d{{1,2}}){_DAY_TIME}$",
    # Sat Mar 09 19:17:00 PST 2024
    rf"(?i)^{_WEEKDAY}{_NAME}\s+(?P<day>\d{{1,2}})\s+{_CLOCK}{_ZONE}\s+(?P<year>\d{{4}})$",
    # Mar 9, 2024, 7:17 PM
    rf"(?i)^{_WEEKDAY}{_NAME}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}}){_DAY_TIME}$",
    # Sat, 09 Mar 2024 19:17:00 GMT
    rf"(?i)^{_WEEKDAY}(?P<day>\d{{1,2}})\.?[-/\s]{_NAME}[-/\s](?P<year>\d{{4}}|\d{{2}}){_DAY_TIME}$",
    # 09/Mar/2024:19:17:00 +0000
    rf"(?i)^(?P<day>\d{{1,2}})/{_NAME}/(?P<year>\d{{4}}):{_CLOCK}{_ZONE}$",
)
"""Forms that mean one time only."""
ZONED = r"(?i)(?:\d[:.]\d{2}|t\d{4,6})(?:[:.,]\d+)*\s*(?:[ap]\.?m\.?)?\s*(?:(?:Z|UTC?|GMT|[PMCE][SD]T)\b|[+-]\d)"
"""A time with its zone, be it a name or hours and minutes east."""
YEARS = (-62_135_596_800, 253_402_300_799)
"""Seconds since 1970 at which the year 1 begins and the year 9999 ends."""
UNITS = {"D": ("D", 1 / 86_400), "s": ("s", 1), "ms": ("ms", 10**3), "us": ("us", 10**6), "ns": ("ns", 10**9)}
"""What Arrow's times count, as numpy calls it, and how many of it are a second."""
ORDERS: Mapping[str, Sequence[str]] = {
    "month-first": ("last", "first", "middle"),
    "day-first": ("last", "middle", "first"),
    "year-first": ("first", "middle", "last"),
}
"""Which figures are year, month and day."""


class Dates(NamedTuple):
    """Cells with day and month in figures."""

    rows: NDArray[np.int64]
    """Their positions."""
    by_order: dict[str, Times]
    """What they mean in each of ``ORDERS``; NaT where nothing."""
    dotted: bool
    """All are written with dots."""

    def of(self, some: NDArray[np.bool_]) -> Dates:
        """Some of the dates."""
        return Dates(self.rows[some], {order: times[some] for order, times in self.by_order.items()}, self.dotted)


def none(n: int) -> Times:
    """(n,) unknown times."""
    return np.full(n, np.datetime64("NaT", "us"))


def within(column: pa.Array | pa.ChunkedArray) -> Times:
    """Times of cells that are timestamps or dates; NaT where null, and outside of the years 1 to 9999."""
    import pyarrow as pa

    kind = column.type
    counted = column.cast(pa.int32()) if pa.types.is_date32(kind) else column
    numbers = counted.cast(pa.int64()).fill_null(0).to_numpy().astype(np.int64)
    unit, a_second = UNITS["D" if pa.types.is_date32(kind) else "ms" if pa.types.is_date64(kind) else kind.unit]
    first, last = (int(one * a_second) for one in YEARS)
    known = column.is_valid().to_numpy(zero_copy_only=False).astype(bool)
    known &= (numbers >= max(first, -(2**63))) & (numbers <= min(last, 2**63 - 1))
    times = none(len(numbers))
    times[known] = numbers[known].astype(f"datetime64[{unit}]").astype("datetime64[us]")
    return times


def iso(text: pa.ChunkedArray) -> Times:
    """Times of cells in ISO 8601, also with the word UTC behind them."""
    import pandas as pd
    import pyarrow.compute as pc

    text = pc.replace_substring_regex(text, r"\s*(?:UTC|GMT)$", "")
    found = pd.to_datetime(text.to_pandas().astype("str"), utc=True, errors="coerce", format="ISO8601")
    return np.array(found.dt.tz_convert(None).to_numpy(), "datetime64[us]")


def by_pattern(text: pa.ChunkedArray, pattern: str) -> Times:
    """Times of cells that are written after a pattern of ``strptime``; %Z reads the zones of the United States, too."""
    import pandas as pd
    import pyarrow.compute as pc

    if "%Z" in pattern:
        pattern = pattern.replace("%Z", "%z")
        for zone, hours in {**ZONES, "UTC": 0, "GMT": 0}.items():
            text = pc.replace_substring_regex(text, rf"\b{zone}\b", f"{hours:+03d}00")
    found = pd.to_datetime(text.to_pandas().astype("str"), utc=True, errors="coerce", format=pattern)
    return np.array(found.dt.tz_convert(None).to_numpy(), "datetime64[us]")


def plain(text: pa.ChunkedArray, form: str) -> tuple[NDArray[np.int64], Times]:
    """Positions of the cells of a form that means one time only, and their times."""
    rows, parts = _parts(text, form)
    return rows, _time(parts, parts["year"], parts["month"], parts["day"])


def in_figures(text: pa.ChunkedArray) -> Dates:
    """Cells with day and month in figures."""
    rows, parts = _parts(text, IN_FIGURES)
    found = {}
    for order, (year, month, day) in ORDERS.items():
        times = _time(parts, parts[year], parts[month], parts[day])
        if order == "year-first":
            times[parts["digits"] != len("24") + len("09")] = np.datetime64("NaT")
        found[order] = times
    return Dates(rows, found, bool(np.all(parts["sign"])))


def compact(numbers: NDArray[np.float64]) -> Times:
    """Times of numbers such as 20240309 and 20240309191700, NaT of others."""
    found = none(len(numbers))
    whole = np.flatnonzero((numbers == np.floor(numbers)) & (numbers >= 19_000_101) & (numbers < 21_010_101_000_000))
    figures = numbers[whole].astype(np.int64)
    long = figures >= 19_000_101_000_000
    date = np.where(long, figures // 1_000_000, figures)
    clock = np.where(long, figures % 1_000_000, 0)
    parts = {"hour": clock // 10_000, "minute": clock // 100 % 100, "second": clock % 100}
    year = date // 10_000
    times = _time(parts, year, date // 100 % 100, date % 100)
    times[(year < PIVOTS[0]) | (year > PIVOTS[1] + 100)] = np.datetime64("NaT")
    found[whole] = times
    return found


def _parts(text: pa.ChunkedArray, form: str) -> tuple[NDArray[np.int64], dict[str, NDArray[np.int64]]]:
    """Positions of the cells of a form, and the parts of these as numbers."""
    import pyarrow.compute as pc

    alike = pc.match_substring_regex(text, re.sub(r"\?P<\w+>", "?:", form))  # without parts, it is ten times as fast
    rows = np.flatnonzero(alike.to_numpy())
    matched = pc.extract_regex(text if len(rows) == len(text) else text.filter(alike), form)
    texts = {field.name: pc.struct_field(matched, field.name) for field in matched.type}
    parts = {name: _whole(cells) for name, cells in texts.items() if name not in OF_TEXT}
    if "name" in texts:
        names = pc.index_in(pc.utf8_lower(texts["name"]), _texts(MONTHS))
        parts["month"] = names.to_numpy().astype(np.int64) + 1
    half = pc.utf8_lower(texts["half"])
    parts["hour"] = _of_24(parts["hour"], *(pc.equal(half, one).to_numpy() for one in "ap"))
    parts["micro"] = _whole(pc.utf8_slice_codeunits(pc.utf8_rpad(texts["fraction"], 9, "0"), 0, 6))
    parts["east"] = _minutes_east(texts["zone"], texts["offset"])
    if "sign" in texts:
        parts["sign"] = pc.equal(texts["sign"], ".").to_numpy().astype(np.int64)
        parts["digits"] = sum(pc.utf8_length(texts[name]).to_numpy().astype(np.int64) for name in ("first", "last"))
    return rows, parts


OF_TEXT = {"name", "half", "fraction", "zone", "offset", "sign"}
"""Parts that are no numbers."""


def _texts(values: Sequence[str]) -> pa.Array:
    import pyarrow as pa

    return pa.array(values, pa.string())


def _whole(cells: pa.ChunkedArray) -> NDArray[np.int64]:
    """Figures as whole numbers, 0 where there are none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return np.asarray(pc.if_else(pc.equal(cells, ""), "0", cells).cast(pa.int64()).to_numpy())


def _of_24(hour: NDArray[np.int64], morning: NDArray[np.bool_], evening: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Hours of 24; -1 where there is no such hour of 12."""
    halved = morning | evening
    found = np.where(halved, hour % 12 + 12 * evening, hour)
    return np.where(halved & ((hour < 1) | (hour > 12)), -1, found)


def _minutes_east(zone: pa.ChunkedArray, offset: pa.ChunkedArray) -> NDArray[np.int64]:
    """Minutes that a clock is ahead of UTC: as the offset says, else the name of the zone."""
    import pyarrow.compute as pc

    figures = pc.replace_substring(offset, ":", "")
    size = _whole(pc.utf8_ltrim(figures, "+-"))
    n_figures = pc.utf8_length(figures).to_numpy()
    size = np.where(n_figures > len("+01"), size // 100 * 60 + size % 100, size * 60)
    size = np.where(pc.starts_with(offset, "-").to_numpy(), -size, size)
    known = pc.index_in(pc.utf8_upper(zone), _texts(tuple(ZONES))).fill_null(-1).to_numpy()
    named = np.array([*ZONES.values(), 0], np.int64)[known] * 60  # the last one where it is none of these
    return np.where(n_figures > 0, size, named)


def _time(parts: Parts, year: NDArray[np.int64], month: NDArray[np.int64], day: NDArray[np.int64]) -> Times:
    """Times from their parts, NaT where there is no such day or time of it."""
    year = np.where(year < 100, year + np.where(year < TWO_DIGITS, PIVOTS[1], PIVOTS[0]), year)
    hour, minute, second = parts["hour"], parts["minute"], parts["second"]
    right = (month >= 1) & (month <= 12) & (day >= 1) & (hour >= 0) & (hour < 24) & (minute < 60) & (second < 60)
    begin = (year - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (np.where(right, month, 1) - 1)
    n_days = ((begin + 1).astype("datetime64[D]") - begin.astype("datetime64[D]")).astype(np.int64)
    right &= day <= n_days
    seconds = ((np.where(right, day, 1) - 1) * 24 + hour) * 3600 + minute * 60 + second - parts.get("east", 0) * 60
    found = begin.astype("datetime64[us]") + (seconds * 1_000_000 + parts.get("micro", 0))
    found[~right] = np.datetime64("NaT")
    return np.asarray(found)
