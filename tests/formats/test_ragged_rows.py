"""Rows that end before the header does, or go on behind it."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consensus import read, read_gold
from consensus.errors import FormatError
from consensus.formats.tables import delimited

Write = Callable[[str, str | bytes], Path]
HEADER = "item,worker,label,text,approve,reject"
SHORT = "ends? before the last columns of the header"


@pytest.fixture(autouse=True, params=[None, 1, 64])
def block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything holds wherever a block of a file happens to end."""
    if request.param is not None:
        monkeypatch.setattr(delimited, "BLOCK", request.param)
        monkeypatch.setattr(delimited, "PART", max(1, request.param // 2))


def table(rows: list[str], header: str = HEADER, end: str = "\n") -> str:
    return end.join([header, *rows]) + end


def plainly(text: str, n_used: int) -> list[tuple[str, ...]]:
    """The first columns of all rows, as the csv module reads them."""
    return sorted(tuple(row[:n_used]) for row in list(csv.reader(io.StringIO(text, newline="")))[1:] if row)


def rows_of(path: Path, **how: Any) -> list[tuple[str, ...]]:
    found = read(path, **how)
    items, workers = found.item_ids.to_pylist(), found.worker_ids.to_pylist()
    codes = zip(found.item, found.worker, found.label, strict=True)
    return [(items[i], workers[w], found.labels[k]) for i, w, k in codes]


EVERY = [f"i{n},w{n % 3},l{n % 2},hello" for n in range(40)]
QUOTED = ['"' + row.replace(",", '","') + '"' for row in EVERY]


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (table(EVERY), rf"j.csv: 40 rows {SHORT} \(first on line 2\)"),
        (table(EVERY, end="\r\n"), rf"j.csv: 40 rows {SHORT} \(first on line 2\)"),
        (table([f"{row},,," for row in EVERY]), r"j.csv: 40 rows have empty fields behind .* \(first on line 2\)"),
        (table([*[f"{row},," for row in EVERY[:39]], EVERY[39]]), rf"j.csv: 1 row {SHORT} .*line 41"),
        (table([*[f"{row},," for row in EVERY[:39]], f"{EVERY[39]},,,,,"]), "j.csv: 1 row has empty .*line 41"),
        (table([row if n % 2 else f"{row},," for n, row in enumerate(EVERY)]), rf"j.csv: 20 rows {SHORT} .*line 3"),
        (
            table([f'"{row}"'.replace(",", '","') if n % 2 else f"{row},," for n, row in enumerate(EVERY)], end="\r\n"),
            "j",
        ),
        (table([f'{row},"a, ""b"""' if n % 3 else row for n, row in enumerate(EVERY)]), rf"j.csv: 40 rows {SHORT} .*2"),
        (table([f'{row} 5"' if n % 3 else f"{row},," for n, row in enumerate(EVERY)]), rf"j.csv: 26 rows {SHORT} .*3"),
        (table(["", *EVERY, "", ""]), rf"j.csv: 40 rows {SHORT} .*line 3"),
        (table([f'{row}," a\nb"' for row in EVERY], end="\r\n"), rf"j.csv: 40 rows {SHORT} .*line 2"),
        (table([*EVERY[:20], *[f"{row},x,y" for row in EVERY[20:]]]), rf"j.csv: 20 rows {SHORT} .*line 2"),
        (table([*[row.rpartition(",")[0] for row in EVERY[:9]], *EVERY[9:]]), rf"j.csv: 40 rows {SHORT} .*line 2"),
    ],
)
def test_are_used_where_their_columns_are_there(write: Write, text: str, note: str) -> None:
    path = write("j.csv", text)
    assert rows_of(path) == plainly(text, 3)
    found = read(path)
    (told,) = found.notes
    assert re.match(note, told)
    assert (found.tally.read, found.tally.used, found.tally.rejected) == (40, 40, 0)


@pytest.mark.parametrize(
    ("rows", "line", "reason"),
    [
        (["a,v", "b,v,x,t,,"], 2, "too few fields: 2 instead of 6"),
        (["b,v,x", "a,v"], 3, "too few fields: 2 instead of 6"),
        (["b,v,x,t,,", "a,v,x,t,,,more"], 3, "too many fields: 7 instead of 6"),
        (["b,v,x,t,,", "a,v,x,t,,,,more,"], 3, "too many fields: 9 instead of 6"),
        (['a,v,x,t,,,""', "b,v,x,t,,"], 2, "too many fields: 7 instead of 6"),
    ],
)
def test_others_are_rejects(write: Write, rows: list[str], line: int, reason: str) -> None:
    path = write("j.csv", table(rows))
    found = read(path)
    assert [(one.line, one.reason) for one in found.rejects] == [(line, reason)]
    assert rows_of(path) == [("b", "v", "x")]


def test_a_column_that_is_read_is_needed(write: Write) -> None:
    found = read(write("j.csv", table(EVERY)), group="reject")
    assert (found.tally.used, found.tally.rejected, found.notes) == (0, 40, ())


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("row", "n_used"),
    [
        ("so I went on, and on, and on", 0),
        ("on,and,on", 0),
        ("on,and,é", 0),
        ('on,and,"' + "x" * 140_000 + '"', 0),
        ("i99,w1,l1", 1),
        ('i99,w1,"l1"', 1),
        ("i99,w1,", 1),
        ("i99,w1,l1,text", 1),
    ],
)
def test_the_rest_of_a_row_that_was_cut_is_a_reject(write: Write, row: str, n_used: int, end: str) -> None:
    """A line break in a text without quotes cuts a row in two, and the rest may have as many fields as are read."""
    row = row + ('"\n,,' if row.count('"') == 1 else "")
    path = write(
        "j.csv", table([*[f"{one},," for one in EVERY], row, *[f"{one.replace('i', 'j')},," for one in EVERY]], end=end)
    )
    found = read(path)
    assert (found.tally.read, found.tally.rejected) == (81, 1 - n_used)
    assert [one.reason[:10] for one in found.rejects] == ["too few fi"] * (1 - n_used)
    assert len(found.notes) == n_used
    assert len(found.labels) == 2


def test_labels_that_are_many_say_nothing(write: Write) -> None:
    found = read(write("j.csv", table([*[f"i{n},w,text {n},,," for n in range(40)], "i99,w,text 99"])))
    assert found.tally.used == 41


def test_swallowed_rows_are_found_in_short_ones_too(write: Write) -> None:
    text = table(["i1,w1,a,t", 'i2,"w2,a,t', "i3,w3,b,t", 'i5,w5",b,t', "i6,w6,a,t"])
    with pytest.raises(FormatError, match='j.csv:3: a quote opens here and closes 2 lines below, .*: i2,"w2,a'):
        read(write("j.csv", text))


def test_gold_tells_them_too(write: Write) -> None:
    gold = read_gold(write("gold.csv", "item,label,note\na,x\nb,y\n"))
    assert gold.item == ("a", "b")
    assert gold.notes[0].startswith("gold.csv: 2 rows end before the last columns of the header (first on line 2)")
