"""Columns to lines, against Python's own formatting and csv module."""

import csv
import io
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.formats.encoded_lines import encoded
from tests.strategies import examples

Cell = str | float | int | None
plain = st.text(st.characters(codec="utf-8", exclude_characters='",\t\r\n'), min_size=1, max_size=20)
KINDS: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.string(), st.one_of(st.none(), plain)),
    (pa.large_string(), st.one_of(st.none(), plain)),
    (pa.int64(), st.integers(-(2**63) + 1, 2**63 - 1)),
    (pa.int32(), st.integers(-12, 12)),
    (pa.float64(), st.one_of(st.none(), st.just(math.nan), st.floats(-2e6, 2e6), st.sampled_from([0.1, -0.0, 1e-6]))),
    (pa.bool_(), st.one_of(st.none(), st.booleans())),
]


def shown(cell: Cell) -> str:
    """The text of a cell: six decimals, without zeros in the end."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        text = f"{np.rint(abs(cell) * 1e6) / 1e6:.6f}".rstrip("0").rstrip(".")
        return text if cell >= 0 or text == "0" else f"-{text}"
    return str(cell)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[pa.Array], list[list[Cell]]]:
    n_rows = draw(st.integers(0, 5))
    chosen = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=6))
    cells = [draw(st.lists(values, min_size=n_rows, max_size=n_rows)) for _, values in chosen]
    return [pa.array(column, kind) for column, (kind, _) in zip(cells, chosen, strict=True)], cells


@examples(100)
@given(tables(), st.sampled_from([",", "\t"]), st.booleans())
def test_lines_are_those_of_plain_python(
    drawn: tuple[list[pa.Array], list[list[Cell]]], delimiter: str, sliced: bool
) -> None:
    columns, cells = drawn
    if sliced:  # as slices of longer arrays, and in chunks
        columns = [pa.concat_arrays([column[:1], column])[len(column[:1]) :] for column in columns]
        columns = [pa.chunked_array([column[:1], column[1:]], column.type) for column in columns]
    rows = list(zip(*cells, strict=True))
    expected = "".join(delimiter.join(map(shown, row)) + "\n" for row in rows)
    assert bytes(encoded(columns, delimiter, quoted=False)).decode() == expected


@examples(150)
@given(st.lists(st.one_of(st.none(), st.text(st.characters(codec="utf-8"), max_size=9)), max_size=5))
def test_quoted_texts_are_read_as_they_were(cells: list[str | None]) -> None:
    text = bytes(encoded([pa.array(cells, pa.string()), pa.array(range(len(cells)))], ",", quoted=True)).decode()
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert read == [["" if cell is None else cell, str(n)] for n, cell in enumerate(cells)]
    assert text.count('""') >= cells.count("")  # an empty text is told from an absent one


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([1e300, math.nan, None]), "1e+300\n\n\n"),
        (pa.array([math.inf, -math.inf]), "inf\n-inf\n"),
        (pa.array([-(2**63), 5]), "-9223372036854775808\n5\n"),
        (pa.array([2**64 - 1], pa.uint64()), "18446744073709551615\n"),
        (pa.array([1, None]), "1\n\n"),
        (pa.array([0.9999996, 0.0000004, -0.0000004, 0.0000015]), "1\n0\n0\n0.000002\n"),
        (pa.nulls(2, pa.string()), "\n\n"),
        (pa.array([], pa.float64()), ""),
    ],
)
def test_odd_columns(column: pa.Array, expected: str) -> None:
    assert bytes(encoded([column], ",", quoted=False)).decode() == expected
