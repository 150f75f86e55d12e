"""Tables of the costs of decisions to ``Costs``."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from consensus.backends import Threads
from consensus.errors import FormatError
from consensus.formats import given
from consensus.formats.opening import readings
from consensus.formats.tables.coded_rows import Rows
from consensus.formats.tables.roles import Roles
from consensus.inputs.decision_costs import Costs

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES: Mapping[str, tuple[str, ...]] = {
    "true_label": ("true_label", "true"),
    "decided_label": ("decided_label", "decided", "label"),
    "cost": ("cost",),
}
"""Names of the column of each role."""

LEAST = 1e-9
MOST = 1e12  # a cost; more are no costs but a way to say "never", and leave sums without sense


def read_costs(source: Any) -> Costs:
    """Read what it costs to decide for a label where another one is true: true_label (or true), decided_label (or
    decided, label) and cost, one row a pair.

    ``source`` is what ``read`` takes, or was read before. ``Costs.align`` makes the table over a label set.

    Raises
    ------
    FormatError
        A source can't be read, a column can't be found, a row is malformed, a cost is no number, negative or not
        finite, a pair stands there twice, or there is no row.

    Examples
    --------
    >>> consensus.read_costs({("cat", "dog"): 5, ("dog", "cat"): 1}).cost
    (5.0, 1.0)
    """  # noqa: D205
    if isinstance(source, Costs):
        return source
    source = given.table(source, given.COSTS)
    rows = Rows(tuple(NAMES), tuple(NAMES), Threads(), None)
    files = []
    with closing(readings(source, Roles(dict.fromkeys(NAMES), True, NAMES))) as found:
        for reading in found:
            rows.add(reading)
            files.append(reading.file)
    for first in rows.rejects[:1]:
        raise FormatError(
            f"{first.reason}: {first.row[:60]}; correct the costs", first.file, first.line, code="bad_row"
        )
    if not rows.n_rows:
        raise FormatError("a header but no rows; expected a true label, a decided label and a cost in each", files[0])
    columns = [[texts[code].as_py() for code in codes.tolist()] for codes, texts in rows.ranked()]
    costs: dict[tuple[str, str], tuple[float, str]] = {}
    for row, (true, decided, text) in enumerate(zip(*columns, strict=True)):
        place = rows.place(row)
        if (true, decided) in costs:
            raise FormatError(
                f'the cost of deciding "{true}" as "{decided}" stands here and in {costs[true, decided][1]}; '
                "keep one row",
                place,
            )
        costs[true, decided] = _cost(text, place), place
    return Costs(
        true_label=tuple(true for true, _ in costs),
        decided_label=tuple(decided for _, decided in costs),
        cost=tuple(cost for cost, _ in costs.values()),
        place=tuple(place for _, place in costs.values()),
        file=files[0],
        sources=tuple(rows.sources),
    )


def _cost(text: str, place: str) -> float:
    try:
        cost = float(text)
    except ValueError:
        cost = -1.0
    if not 0 <= cost < MOST:
        raise FormatError(
            f'the cost is "{text:.40}"; expected a finite number, 0 or more, below {MOST:g}', place, code="bad_row"
        )
    if 0 < cost < LEAST:
        raise FormatError(f'the cost is "{text:.40}"; expected 0, or {LEAST:g} or more', place, code="bad_row")
    return cost + 0.0  # of which none is -0
