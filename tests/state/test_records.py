"""Judgments as they come: each wrong field is named, and all of a source is taken, or nothing."""

import io
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from consensus.errors import FormatError
from consensus.state.records import LONGEST, Record, records_of

GOOD: dict[str, Any] = {"item": "i", "worker": "w", "label": "cat"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"item": None}, "judgment 2: item is missing; give a text"),
        ({"worker": 7}, "judgment 2: worker is 7; give a text"),
        ({"worker": float("nan")}, "judgment 2: worker is nan; give a text"),
        ({"label": "  "}, "judgment 2: label is empty; give a text"),
        ({"label": ""}, "judgment 2: label is empty; give a text"),
        ({"item": "x" * (LONGEST + 1)}, "judgment 2: item has 1,001 characters; 1,000 at most are taken"),
        ({"item": "\ud800"}, "judgment 2: item is not UTF-8; write it as UTF-8"),
        ({"judgment_id": ""}, "judgment 2: judgment_id is empty; give a text"),
        ({"colour": "red"}, 'judgment 2: unknown field "colour"; there are item, worker, label, timestamp, duration, '),
        ({"timestamp": "noon"}, "judgment 2: timestamp 'noon' is no time; write it as 2026-03-09T14:30:00Z"),
        ({"timestamp": 12}, "judgment 2: timestamp 12 is no time; write it as"),
        ({"duration": -1}, "judgment 2: duration -1 is no number of seconds; give 0 or more"),
        ({"duration": True}, "judgment 2: duration True is no number of seconds"),
        ({"duration": float("inf")}, "judgment 2: duration inf is no number of seconds"),
        ({"duration": float("nan")}, "judgment 2: duration nan is no number of seconds"),
        ({"duration": "3"}, "judgment 2: duration '3' is no number of seconds"),
    ],
)
def test_what_is_wrong_is_named(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(FormatError) as caught:
        records_of([GOOD, GOOD | wrong])
    assert str(caught.value).startswith(said)
    assert caught.value.code == "bad_row"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2026-03-09T14:30:00Z", "2026-03-09T14:30:00.000000Z"),
        ("2026-03-09", "2026-03-09T00:00:00.000000Z"),
        ("2026-03-09 14:30:00.5+02:00", "2026-03-09T12:30:00.500000Z"),
        (datetime(2026, 3, 9, 14, 30), "2026-03-09T14:30:00.000000Z"),
        (datetime(2026, 3, 9, 14, 30, tzinfo=timezone(timedelta(hours=-1))), "2026-03-09T15:30:00.000000Z"),
        (datetime(2026, 3, 9, tzinfo=UTC), "2026-03-09T00:00:00.000000Z"),
    ],
)
def test_times_are_kept_in_utc(given: Any, kept: str) -> None:
    assert records_of([GOOD | {"timestamp": given}])[0].timestamp == kept


def test_a_line_is_what_it_was_made_of() -> None:
    odd = Record('a "b"\n\u2028ü', "007", "=1+1", "2026-03-09T00:00:00.000000Z", 2.5, "x")
    assert Record.of_line(odd.line("1.1")) == odd
    plain = Record("i", "w", "cat")
    assert Record.of_line(plain.line("1.1")) == Record("i", "w", "cat", judgment_id="1.1")
    assert plain.line("1.1").count(b"\n") == 1


TABLE = "task,annotator,answer,created_at,seconds,judgment_id\na,w,cat,2026-03-09,2.5,x\nb,w,,,,\nc,007,NA,,,\n"
FOUND = [
    Record("a", "w", "cat", "2026-03-09T00:00:00.000000Z", 2.5, "x"),
    Record("c", "007", "NA"),
]


def test_tables_are_read_by_their_columns(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text(TABLE)
    frame = pd.read_csv(io.StringIO(TABLE), dtype=str, keep_default_na=False)
    frame["seconds"] = pd.to_numeric(frame["seconds"])
    frame["created_at"] = pd.to_datetime(frame["created_at"])
    for source in (path, [path], frame, io.StringIO(TABLE)):
        assert records_of(source) == FOUND
    columns = {"x": ["a"], "y": ["w"], "z": ["cat"]}
    named = {"item": "x", "worker": "y", "label": "z", "timestamp": None}
    assert records_of(columns, named) == [Record("a", "w", "cat")]
    assert records_of([]) == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a,,cat,,,", "new.csv:2: "),
        ("a,w,cat,noon,,", "new.csv:2: timestamp 'noon' is no time"),
        ("a,w,cat,,soon,", "new.csv:2: duration 'soon' is no number of seconds; give 0 or more"),
        ("a,w,cat,,-1,", "new.csv:2: duration -1.0 is no number of seconds"),
        (f"{'a' * 1001},w,cat,,,", "new.csv:2: item has 1,001 characters"),
    ],
)
def test_a_wrong_row_of_a_table_is_named(tmp_path: Path, row: str, said: str) -> None:
    path = tmp_path / "new.csv"
    path.write_text(f"{TABLE.splitlines()[0]}\n{row}\n")
    with pytest.raises(FormatError) as caught:
        records_of(path)
    assert said in str(caught.value)
    assert caught.value.code == "bad_row"


def test_a_row_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_bytes(b"item,worker,label\na,u,cat\nb,\xff,cat\n")
    with pytest.raises(FormatError, match=r"new.csv:3: .*UTF-8.*; correct it"):
        records_of(path)


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(FormatError, match="can't be read; give a path"):
        records_of(3)
