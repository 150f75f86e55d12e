"""Files for Get-Another-Label, against counts by plain pandas; and others that look a little like them."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from consensus import read, read_gold
from consensus.errors import FormatError
from consensus.formats.platforms import get_another_label
from consensus.formats.platforms.seam import head_of
from tests.conftest import ROOT
from tests.formats.test_argilla import rows_of
from tests.formats.test_platforms import balanced

Write = Callable[[str, str | bytes], Path]
EXAMPLE = ROOT / "tests" / "platforms" / "get-another-label.tsv"


def lines(*rows: tuple[str, ...]) -> str:
    return "".join("\t".join(row) + "\n" for row in rows)


def test_example() -> None:
    frame = pd.read_csv(EXAMPLE, sep="\t", header=None, names=["w", "i", "k", "more"], dtype=str)
    whole = frame[frame["more"].isna()]
    found = read(EXAMPLE)
    assert rows_of(found) == sorted(whole[["i", "w", "k"]].itertuples(index=False, name=None))
    assert (found.tally.read, found.tally.rejected) == (len(frame), 1) == (31, 1)
    assert [(one.reason, one.row) for one in found.rejects] == [("4 cells between tabs instead of 3", ",,")]
    assert "item column 2, worker column 1, label column 3, for it has no header; --item worker " in found.notes[0]


def test_columns_that_are_swapped() -> None:
    found = read(EXAMPLE, item="worker", worker="item", label="label", group="label")
    assert found.item_ids.to_pylist() == [f"worker{n}" for n in range(1, 6)]
    assert "item column 1, worker column 2" in found.notes[0]
    with pytest.raises(
        FormatError, match='no column "x" for the label; the columns are: worker, item, label; correct --l'
    ):
        read(EXAMPLE, label="x")
    with pytest.raises(FormatError, match='no column "x" for the item'):
        read(EXAMPLE, item="x")
    with pytest.raises(FormatError, match="no gold in this Get-Another-Label file"):
        read_gold(EXAMPLE, label="x")


def test_lines_as_they_come(write: Write) -> None:
    path = write("a.txt", "\ufeffv\tp\tyes\r\n\r\nw\tp\t\nw\t\tno\n" + 'x\t"p\tyes')
    found = read([path, write("b.txt", b"v\tq\tn\xe9\nv\tq\tno\n")], platform="get-another-label")
    assert rows_of(found) == [('"p', "x", "yes"), ("p", "v", "yes"), ("q", "v", "no")]
    assert found.tally.abstained == 1
    assert [(one.line, one.reason) for one in found.rejects] == [
        (4, "the item is missing"),
        (1, "the row is not UTF-8"),
    ]


@pytest.mark.parametrize("name", ["A1B2C3D4E5F6G7", "worker3", "Annotator 4", "rater_12", "labeler-1"])
def test_knows_its_own(write: Write, name: str) -> None:
    rows = [(name, f"item{n}", "yes") for n in range(8)]
    assert get_another_label.sniff(head_of(write("a.txt", lines(*rows))))


@pytest.mark.parametrize(
    "rows",
    [
        [("worker", "item", "label"), *(("worker1", f"i{n}", "yes") for n in range(9))],
        [(f"i{n}", "worker1", "yes") for n in range(9)],
        [("v", f"i{n}", "yes") for n in range(9)],
        [("worker1", f"user{n}", "yes") for n in range(9)],
        [("worker1", f"i{n}", f"text {n}") for n in range(9)],
        [("worker1", f"i{n}", "yes") for n in range(4)],
        [("worker1", "yes") for _ in range(9)],
        [('{"worker1"', "i", "yes") for _ in range(9)],
    ],
)
def test_leaves_others_alone(write: Write, rows: list[tuple[str, ...]]) -> None:
    assert not get_another_label.sniff(head_of(write("a.txt", lines(*rows))))


def test_survives_what_is_cut_or_swapped(write: Write) -> None:
    whole = EXAMPLE.read_bytes()
    damaged = [whole[:n] for n in range(20, len(whole), 97)]
    damaged += [
        whole.replace(one, other) for one, other in [(b"\t", b","), (b"safe", b"\xff"), (b"\n", b"\t"), (b"s", b'"')]
    ]
    for n, content in enumerate(damaged):
        path = write(f"d{n}.tsv", content)
        try:
            found = read(path, platform="get-another-label")
        except FormatError as error:
            assert str(error).startswith(str(path))  # noqa: PT017
            continue
        assert balanced(found)
