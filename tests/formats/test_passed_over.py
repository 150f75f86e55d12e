"""What is said of columns that are not used, and change what those that are used mean."""

from pathlib import Path
from typing import Any

import pytest

from consensus import read
from consensus.errors import FormatError

ROWS = [(f"i{i}", f"w{w}", "ab"[(i + w) % 2]) for i in range(4) for w in range(3)]


def notes(others: dict[str, str], called: str = "label", **settings: Any) -> tuple[str, ...]:
    items, workers, labels = zip(*ROWS, strict=True)
    columns = {"item": items, "worker": workers, called: labels, **{name: [one] * 12 for name, one in others.items()}}
    return read(columns, **settings).notes


@pytest.mark.parametrize(
    ("column", "way_out"),
    [
        ("AssignmentStatus", "--drop AssignmentStatus=Rejected"),
        ("assignmentstatus", "--drop assignmentstatus=Rejected"),
        ("ASSIGNMENT:status", "--drop ASSIGNMENT:status=REJECTED"),
        ("_tainted", "--drop _tainted=true"),
        ("was_cancelled", "--drop was_cancelled=true"),
    ],
)
def test_work_that_was_refused(column: str, way_out: str) -> None:
    told = f'column "{column}" is not used: work that it marks counts like any other; {way_out} leaves it out'
    assert told in notes({column: "x"})
    assert told not in notes({column: "x"}, drop=[way_out.removeprefix("--drop ")])
    assert told not in notes({"status": "x"})


def test_the_first_of_a_list() -> None:
    told = 'label is "ticks.0", the first of a list; what else the lists hold, such as "ticks.1", is not used'
    assert told in notes({"ticks.1": "x"}, "ticks.0", label="ticks.0")
    assert not notes({"other.1": "x"}, "ticks.0", label="ticks.0")


def test_what_was_chosen_and_what_became_of_it() -> None:
    told = (
        'label is "answer", whether the work was sent; what was chosen stands in "accept.0": --label accept.0 --drop '
        "answer=ignore"
    )
    assert notes({"accept.0": "a"}, "answer") == (told,)
    assert notes({}, "answer") == ()
    told = 'column "answer" is not used: what was passed over counts, too; --drop answer=ignore leaves it out'
    assert notes({"answer": "accept"}, "accept.0", label="accept.0") == (told,)
    assert told not in notes({"answer": "accept"}, "accept.0", label="accept.0", drop=["answer=ignore"])


@pytest.mark.parametrize(("times", "told"), [(1, "1 judgment says"), (2, "2 judgments say")])
def test_headers_among_rows(times: int, told: str) -> None:
    header = ("task", "rater", "label")
    rows = [*ROWS, *[header] * times]
    columns = dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))
    (found,) = (one for one in read(columns, repeats="keep").cautions if one.code == "repeated_header")
    assert found.message.startswith(f'{told} what the header says ("task", "rater", "label"), as where tables were')
    assert found.options == ("--drop", "task=task")
    assert read(columns, drop=["task=task"]).n_judgments == len(ROWS)
    assert not read(dict(zip(header, zip(*ROWS, ("i1", "w9", "label"), strict=True), strict=True))).cautions


def test_a_column_of_counts_that_is_missing() -> None:
    with pytest.raises(FormatError, match='no column "votes" for the count; the columns are: item, label; correct --c'):
        read({"item": ["1"], "label": ["a"]}, counts="votes")


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    path = tmp_path / "j.csv"
    path.write_text("item,worker,label,label\n1,w,a,b\n", encoding="utf-8")
    with pytest.raises(FormatError, match='j.csv: 2 columns are called "label"; rename all but one'):
        read(path)
