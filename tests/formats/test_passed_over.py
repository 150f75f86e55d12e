"""What is said of columns that are not used, and change what those that are used mean."""

from typing import Any

import pytest

from consensus import read

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
