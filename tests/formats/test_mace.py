"""Files for MACE, a column a worker, against counts by plain pandas; and tables that look a little like them."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from consensus import read, read_gold
from consensus.errors import FormatError
from consensus.formats.platforms import mace
from consensus.formats.platforms.seam import head_of
from tests.conftest import ROOT
from tests.formats.test_argilla import rows_of
from tests.formats.test_platforms import balanced

Write = Callable[[str, str | bytes], Path]
EXAMPLE = ROOT / "tests" / "platforms" / "mace.csv"
ROWS = ["a,,b,a", ",b,a,", "b,b,,a", "a,,,b"] * 4


def test_example() -> None:
    lines = EXAMPLE.read_text().splitlines()
    frame = pd.DataFrame([line.split(",") for line in lines[:-1]])
    found = read(EXAMPLE)
    expected = [
        (str(n + 1), str(w + 1), label)
        for n, row in enumerate(frame.to_numpy())
        for w, label in enumerate(row)
        if label
    ]
    assert rows_of(found) == sorted(expected)
    assert found.tally.used == (frame != "").sum().sum()
    assert [(one.line, one.reason) for one in found.rejects] == [(17, "9 cells instead of 7")]
    assert "item row, worker column, by their numbers, for it has no header; --item column" in found.notes[0]


def test_rows_that_are_workers(write: Write) -> None:
    found = read(write("a.csv", "\n".join(ROWS) + "\n"), item="column", worker="row")
    assert (found.n_items, found.n_workers) == (4, 16)
    assert "item column, worker row" in found.notes[0]
    with pytest.raises(
        FormatError, match='no column "x" for the label; the columns are: row, column, label; correct --'
    ):
        read(EXAMPLE, label="x")
    with pytest.raises(FormatError, match="no gold in this MACE file"):
        read_gold(EXAMPLE, label="x")


def test_lines_as_they_come(write: Write) -> None:
    path = write("a.txt", b'\xef\xbb\xbfa\t" b"\t\r\n\r\n\t\t\na\tb\t\xe9\na\tb\na\t\tb')
    found = read(path, platform="mace")
    assert rows_of(found) == [("1", "1", "a"), ("1", "2", "b"), ("6", "1", "a"), ("6", "3", "b")]
    assert [(one.line, one.reason) for one in found.rejects] == [
        (4, "the row is not UTF-8"),
        (5, "2 cells instead of 3"),
    ]
    long = write("b.csv", "a,b\n" + "x" * 140_000 + ",b\n")
    assert read(long, platform="mace").rejects[0].reason.startswith("can't be read as a row: field larger than")


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_knows_its_own(write: Write, delimiter: str) -> None:
    assert mace.sniff(head_of(write("a.csv", "\n".join(ROWS).replace(",", delimiter) + "\n")))


@pytest.mark.parametrize(
    "rows",
    [
        ["w1,w2,w3,w4", *ROWS],
        ["a,b,c,d", *ROWS],
        ROWS[:8],
        [row.rpartition(",")[0] for row in ROWS],
        ["a,b,a,b"] * 12,
        ["a,,a,"] * 12,  # one label
        [*ROWS, *["a,b"] * 8],
        [f"{n},{n},,{n}" for n in range(30)],
        [row.replace("a", "a" * 40) for row in ROWS],
        [f"item{n % 3},,yes,no" for n in range(12)],
        ["a,b,,c", "b,a,,c", "c,,a,b"] + ["a,b,c,a"] * 12,
    ],
)
def test_leaves_others_alone(write: Write, rows: list[str]) -> None:
    assert not mace.sniff(head_of(write("a.csv", "\n".join(rows) + "\n")))


def test_survives_what_is_cut_or_swapped(write: Write) -> None:
    whole = EXAMPLE.read_bytes()
    damaged = [whole[:n] for n in range(20, len(whole), 97)]
    damaged += [
        whole.replace(one, other) for one, other in [(b",", b";"), (b"1", b"\xff"), (b"\n", b","), (b"s", b'"')]
    ]
    for n, content in enumerate(damaged):
        path = write(f"d{n}.csv", content)
        try:
            found = read(path, platform="mace")
        except FormatError as error:
            assert str(error).startswith(str(path))  # noqa: PT017
            continue
        assert balanced(found)
