"""Moments that judgments were made at: times, or, where there are none, the order of rows if it may stand for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.kernels.timeline_loops import UNKNOWN

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.inputs.judgments import Judgments

    Moments = NDArray[Any]
    """(n,) datetime64[us] in UTC, or int64 numbers of rows; ``UNKNOWN`` as an integer where there is none."""

AS_ROWS = "rows stand in the order in which judgments were made"
NO_TIME = np.datetime64("NaT", "us")


def by_rows(judgments: Judgments) -> bool:
    """Whether moments are numbers of rows."""
    return judgments.timestamp is None and judgments.read_row is not None


def of(numbers: NDArray[np.int64], judgments: Judgments) -> Moments:
    """Numbers of a timeline (n,) as moments."""
    return numbers if by_rows(judgments) else numbers.view("datetime64[us]")


def unknown(n: int, judgments: Judgments) -> Moments:
    """``n`` that nobody knows."""
    return of(np.full(n, UNKNOWN), judgments)


def texts(moments: Moments) -> pa.StringArray:
    """Times such as 2025-03-14T09:22:07Z, rows such as "row 1234"; null where there is none."""
    import pyarrow as pa

    mask = moments.view(np.int64) == UNKNOWN
    if moments.dtype.kind == "M":
        found = np.char.add(np.datetime_as_string(moments.astype("datetime64[s]")), "Z")
    else:
        found = np.char.add("row ", moments.astype(str))
    return pa.array(found, pa.string(), mask=mask)


def words(moment: np.datetime64 | np.int64) -> str:
    """A day, or the row, such as 2025-03-14 or "row 1,234"."""
    if isinstance(moment, np.datetime64):
        return str(np.datetime_as_string(moment, unit="D"))
    return f"row {moment:,}"
