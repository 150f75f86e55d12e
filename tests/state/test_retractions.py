"""What is taken back, and how its table is read."""

from pathlib import Path

import pyarrow as pa
import pytest

from consensus.config import RunConfig
from consensus.errors import FormatError, JudgmentError
from consensus.state import State
from consensus.state.retractions import Retraction, read_retraction
from tests.state.crowds import write


def test_each_row_is_a_judgment_a_worker_or_a_file(tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", [("i1", "w1", ""), ("", "w2", ""), ("", "", "a.csv")], ("item", "worker", "file"))
    taken, file, digest = read_retraction(path)
    assert taken == Retraction(frozenset({("i1", "w1")}), frozenset({"w2"}), frozenset({"a.csv"}))
    assert len(taken) == 3
    assert file == str(path)
    assert len(digest) == 64
    assert Retraction.from_json(taken.as_json()) == taken
    assert taken.takes_file("a.csv", "")
    assert not taken.takes_file("b.csv", "")


def test_a_table_in_memory_has_a_digest_of_its_content() -> None:
    first, second = (read_retraction({"worker": [one]}) for one in ("w1", "w2"))
    assert first[2] != second[2]
    assert first[0].workers == {"w1"}


def test_which_rows_are_out() -> None:
    columns = {"item": pa.chunked_array([["i1", "i1", "i2"]]), "worker": pa.chunked_array([["w1", "w2", "w3"]])}
    assert Retraction(frozenset({("i1", "w2"), ("i2", "w1")})).out(columns).tolist() == [False, True, False]
    assert Retraction(workers=frozenset({"w3"})).out(columns).tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("header", "row", "told"),
    [
        (("item", "label"), ("i1", "cat"), "no column holds the worker, or the file, of what is taken back"),
        (("worker", "annotator"), ("w1", "w2"), "several columns could hold the worker: worker, annotator"),
        (("item", "worker"), ("i1", ""), r'r\.csv:2: it names item "i1"; expected an item and a worker'),
        (("worker", "file"), ("w1", "a.csv"), 'it names worker "w1" and file "a.csv"; expected'),
        (("worker", "file"), None, "a header but no rows; expected what is taken back"),
        (("item", "worker"), ("", '""'), "it names worker|it names nothing"),
    ],
)
def test_a_row_that_names_something_else_is_refused(
    tmp_path: Path, header: tuple[str, ...], row: tuple[str, ...] | None, told: str
) -> None:
    path = write(tmp_path / "r.csv", [] if row is None else [row], header)
    if row == ("", '""'):
        path.write_text("item,worker\n,\n")
    with pytest.raises(FormatError, match=told):
        read_retraction(path)


def test_a_row_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(b"item,worker\ni1,w1\ni2,w2\ni3,w\xff\n")
    with pytest.raises(FormatError, match="the worker is not UTF-8: .*; correct it"):
        read_retraction(path)


def test_that_all_was_taken_back_is_told(tmp_path: Path) -> None:
    state = State.create(tmp_path / "state", RunConfig())
    state.append(write(tmp_path / "a.csv", [("a", "w", "x"), ("b", "w", "y")]))
    state.append(retract=[{"worker": "w"}])
    with pytest.raises(JudgmentError, match="state: no judgment is left, for all were taken back; take back fewer, or"):
        state.inputs()


def test_that_nothing_came_is_not_told_as_taken_back(tmp_path: Path) -> None:
    state = State.create(tmp_path / "state", RunConfig())
    state.append(write(tmp_path / "a.csv", []))
    with pytest.raises(JudgmentError, match=r"a\.csv: a header but no rows"):
        state.inputs()
