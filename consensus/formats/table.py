"""What every reader yields: columns of text by role, and where each row stood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.judgments import Reject, Source


@dataclass(frozen=True, slots=True, eq=False)
class TextTable:
    """Rows whose cells could be read."""

    file: str
    columns: dict[str, pa.ChunkedArray]
    """Text by role; a null is absent. The timestamp keeps the type it came in."""
    rejects: list[Reject]
    """Rows that could not be read at all; they are not in ``columns``."""
    describe: Callable[[list[int]], list[tuple[int, str]]]
    """Line and raw text of rows, given by position in ``columns``."""
    source: Source | None = None

    @property
    def n_rows(self) -> int:
        """Rows in ``columns``."""
        return len(self.columns["item"])


def as_text(column: pa.ChunkedArray, role: str, place: str) -> pa.ChunkedArray:
    """Cells as text: text unchanged; whole numbers without a point, also where floats stand for them.

    Raises
    ------
    FormatError
        The cells are lists, records or the like.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_dictionary(kind):
        return as_text(column.cast(kind.value_type), role, place)
    if pa.types.is_nested(kind):
        raise FormatError(f"{place}: the {role} column holds {kind}, not single values; choose another with --{role}")
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_nan(column), None, column)
        whole = pc.all(pc.equal(column, pc.floor(column)), skip_nulls=True).as_py()
        if whole is not False and (pc.max(pc.abs(column)).as_py() or 0) < 2**53:
            column = column.cast(pa.int64())
    return column.cast(pa.string())


def as_times(column: Any) -> NDArray[np.datetime64]:
    """Times in microseconds UTC, NaT where absent or unreadable.

    Read are ISO 8601, CrowdFlower's ``M/D/YYYY HH:MM:SS``, numbers (seconds since 1970, or milliseconds where
    larger than 1e11) and time types.
    """
    import pandas as pd
    import pyarrow as pa

    kind = column.type
    if pa.types.is_temporal(kind):
        times = column.cast(pa.timestamp("us")).to_pandas()
        return np.asarray(times.to_numpy(), "datetime64[us]")
    series = column.to_pandas()
    if pa.types.is_string(kind):
        times = pd.to_datetime(series, utc=True, errors="coerce", format="ISO8601")
        missing = times.isna() & series.notna()
        if missing.any():
            american = pd.to_datetime(series[missing], utc=True, errors="coerce", format="%m/%d/%Y %H:%M:%S")
            times = times.astype("datetime64[us, UTC]")
            times[missing] = american.astype("datetime64[us, UTC]")
        numbers = pd.to_numeric(series.where(times.isna()), errors="coerce")
    else:
        times = pd.Series(pd.NaT, index=series.index, dtype="datetime64[us, UTC]")
        numbers = pd.to_numeric(series, errors="coerce")
    found = np.array(times.dt.tz_convert(None).to_numpy(), "datetime64[us]")
    seconds = numbers.to_numpy(np.float64, na_value=np.nan)
    known = ~np.isnan(seconds)
    seconds = np.where(np.abs(seconds) > 1e11, seconds / 1e3, seconds)
    found[known] = (seconds[known] * 1e6).astype(np.int64).astype("datetime64[us]")
    return found
