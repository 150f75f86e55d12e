"""Whose rows gave way to others of the same item and worker."""

import pytest

from consensus import read
from consensus.errors import JudgmentError
from consensus.inputs.repeats import RepeatCounts


def test_counts_of_rows_that_gave_way() -> None:
    rows = [("a", "v", "x")] * 4 + [("b", "v", "x")] * 2 + [("b", "w", "y")] * 2 + [("c", "w", "x"), ("c", "u", "y")]
    item, worker, label = zip(*rows, strict=True)
    for times in (None, list(range(10))):  # with times, rows are put in order another way
        frame = {"item": item, "worker": worker, "label": label} | ({} if times is None else {"timestamp": times})
        judgments = read(frame, repeats="last")
        assert (judgments.n_judgments, judgments.tally.repeated) == (5, 5)
        assert judgments.repeats == RepeatCounts(
            n=5, worst_item=0, n_of_item=3, worst_worker=1, n_of_worker=4, n_given=6, most=4, n_given_by_others=4
        )


def test_none_where_nothing_gives_way() -> None:
    frame = {"item": list("aab"), "worker": list("vwv"), "label": list("xxy")}
    assert read(frame).repeats is None
    again = {name: cells * 2 for name, cells in frame.items()}
    assert read(again, repeats="keep").repeats is None


def test_the_error_about_a_repeat_is_short_whatever_ids_are() -> None:
    rows = {"item": ["9" * 5000] * 2, "worker": ["w\x00"] * 2, "label": ["a", "b" * 100]}
    with pytest.raises(JudgmentError) as told:
        read(rows, repeats="error")
    said = f'worker "w\\x00" judged item "{"9" * 40}..." twice ("a", then "{"b" * 40}..."); keep one row or'
    assert said in str(told.value)
