"""What every reader yields: columns of text by role, and where each row stood."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.errors import FormatError
from consensus.judgments import Reject

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.judgments import Source


@dataclass(frozen=True, slots=True, eq=False)
class TextTable:
    """Rows whose cells could be read."""

    file: str
    columns: dict[str, pa.ChunkedArray]
    """Text or bytes by role; a null is absent. The timestamp keeps the type it came in."""
    rejects: list[Reject]
    """Rows that could not be read at all; they are not in ``columns``."""
    describe: Callable[[list[int]], list[tuple[int, str]]]
    """Line and raw text of rows, given by position in ``columns``."""
    source: Source | None = None

    @property
    def n_rows(self) -> int:
        """Rows in ``columns``."""
        return len(self.columns["item"])

    def without(self, bad: dict[int, str]) -> TextTable:
        """The same table without the rows in ``bad`` (row to reason), which become rejects."""
        import pyarrow as pa

        rows = sorted(bad)
        told = self.describe(rows)
        rejects = [Reject(self.file, line, bad[row], raw) for row, (line, raw) in zip(rows, told, strict=True)]
        kept = np.delete(np.arange(self.n_rows), rows)
        return replace(
            self,
            columns={role: column.take(pa.array(kept)) for role, column in self.columns.items()},
            rejects=sorted(self.rejects + rejects, key=lambda reject: reject.line),
            describe=lambda wanted: self.describe(kept[wanted].tolist()),
        )


def as_text(column: pa.ChunkedArray, role: str, place: str) -> pa.ChunkedArray:
    """Cells as text (or bytes, yet to be decoded): whole numbers without a point, also where floats stand for them.

    Raises
    ------
    FormatError
        The cells are lists, records or the like.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    column = _plain(column)
    kind = column.type
    if pa.types.is_nested(kind):
        raise FormatError(f"{place}: the {role} column holds {kind}, not single values; choose another with --{role}")
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return column
    if pa.types.is_floating(kind):
        column = column.cast(pa.float64())
        column = pc.if_else(pc.is_nan(column), None, column)
        whole = pc.all(pc.equal(column, pc.floor(column)), skip_nulls=True).as_py()
        if whole is not False and (pc.max(pc.abs(column)).as_py() or 0) < 2**53:
            column = column.cast(pa.int64())
    return column.cast(pa.string())


def decoded(table: TextTable) -> TextTable:
    """``table`` with bytes turned into text; rows whose item, worker or label is not UTF-8 become rejects."""
    import pyarrow as pa

    try:
        columns = {role: _decode(column) for role, column in table.columns.items()}
    except pa.ArrowInvalid:
        bad: dict[int, str] = {}
        for role, column in table.columns.items():
            for row in _not_utf8(column):
                bad.setdefault(row, f"the {role} is not UTF-8")
        return decoded(table.without(bad))
    return replace(table, columns=columns)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Dictionary-encoded cells as what they stand for."""
    import pyarrow as pa

    if not pa.types.is_dictionary(column.type):
        return column
    chunks = []
    for chunk in column.chunks:
        meaning = chunk.dictionary
        if pa.types.is_string_view(meaning.type):  # which Arrow can't take from
            meaning = meaning.cast(pa.string())
        chunks.append(meaning.take(chunk.indices))
    return pa.chunked_array(chunks)


def _decode(column: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa

    return column.cast(pa.string()) if pa.types.is_binary(column.type) else column


def _not_utf8(column: pa.ChunkedArray) -> list[int]:
    """Rows whose bytes are not UTF-8; only chunks that hold some are looked through."""
    import pyarrow as pa

    rows, offset = [], 0
    for chunk in column.chunks:
        try:
            chunk.cast(pa.string())
        except pa.ArrowInvalid:
            rows += [
                n for n, value in enumerate(chunk.to_pylist(), offset) if value is not None and not _decodes(value)
            ]
        offset += len(chunk)
    return rows


def _decodes(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def as_times(column: pa.ChunkedArray) -> NDArray[np.datetime64]:
    """Times in microseconds UTC, NaT where absent or unreadable.

    Read are ISO 8601, CrowdFlower's ``M/D/YYYY HH:MM:SS``, numbers (seconds since 1970; milli-, micro- or nanoseconds
    where so large) and timestamp or date types.
    """
    import pandas as pd
    import pyarrow as pa

    column = _plain(column)
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        times = column.cast(pa.timestamp("us"), safe=False).to_pandas()
        return np.asarray(times.to_numpy(), "datetime64[us]")
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _of_epoch(column.to_pandas().to_numpy(np.float64, na_value=np.nan))
    try:
        text = column.cast(pa.string()).to_pandas().astype("str")
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return np.full(len(column), np.datetime64("NaT", "us"))
    text = text.where(text.str.match(r"\s*\d"))  # "now" and "today" would be times too
    found = _of_text(pd.to_datetime(text, utc=True, errors="coerce", format="ISO8601"))
    with_slash = text.str.contains("/").fillna(False).to_numpy(bool)
    american = _of_text(pd.to_datetime(text[with_slash], utc=True, errors="coerce", format="%m/%d/%Y %H:%M:%S"))
    if not np.isnat(american).any():  # else days may stand before months
        found[with_slash] = american
    left = np.isnat(found) & ~with_slash
    found[left] = _of_epoch(pd.to_numeric(text[left], errors="coerce").to_numpy(np.float64, na_value=np.nan))
    return found


def _of_text(times: pd.Series[pd.Timestamp]) -> NDArray[np.datetime64]:
    return np.array(times.dt.tz_convert(None).to_numpy(), "datetime64[us]")


def _of_epoch(numbers: NDArray[np.float64]) -> NDArray[np.datetime64]:
    """Times from numbers since 1970; their size tells the unit (seconds until the year 5138)."""
    unit = np.select([np.abs(numbers) > 1e17, np.abs(numbers) > 1e14, np.abs(numbers) > 1e11], [1e9, 1e6, 1e3], 1.0)
    seconds = numbers / unit
    found = np.full(len(numbers), np.datetime64("NaT", "us"))
    known = np.abs(seconds) < 1e11  # False for NaN
    found[known] = (seconds[known] * 1e6).astype(np.int64).astype("datetime64[us]")
    return found
