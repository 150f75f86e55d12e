"""Many repeats: whose they are, and which column would explain them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from consensus import read
from consensus.errors import JudgmentError
from consensus.formats.tables import explaining_column
from consensus.inputs.notices import Notice
from tests.conftest import csv

Write = Callable[[str, str | bytes], Path]
QUESTIONS = ("tone", "language")


def two_questions(n_items: int = 30) -> pd.DataFrame:
    """Three workers answer two questions about each item; with columns that explain nothing."""
    rows = [
        {
            "item": f"i{i:02}",
            "worker": f"w{w}",
            "label": f"{q}{(i + w // 2) % 2}",
            "question": q,
            "url": f"http://{i % 7}",
            "row": f"r{i}-{w}-{q}",
            "day": f"d{(i + w) % 4}",
        }
        for i in range(n_items)
        for w in range(3)
        for q in QUESTIONS
    ]
    return pd.DataFrame(rows)


def notice(source: object, **settings: Any) -> Notice:
    (told,) = [one for one in read(source, **settings).cautions if one.code == "many_repeats"]
    return told


class TestExplained:
    @pytest.mark.parametrize("kind", ["csv", "frame", "parquet", "jsonl"])
    def test_by_a_question(self, kind: str, tmp_path: Path) -> None:
        frame = two_questions()
        path = tmp_path / f"j.{kind}"
        if kind == "csv":
            frame.to_csv(path, index=False)
        elif kind == "parquet":
            frame.to_parquet(path)
        elif kind == "jsonl":
            frame.to_json(path, orient="records", lines=True)
        told = notice(frame if kind == "frame" else path, item="item")
        assert told.message == (
            '90 of 180 judgments (50%) repeat the same item and worker, most of them worker "w0" (30) and item "i00" '
            '(3); "question" has 2 values and would leave 0 repeats: run each by itself with --by question'
        )
        assert told.options == ("--by", "question")
        assert told.values == {"n_judgments": 90, "share": 0.5}

    def test_by_another_item(self) -> None:
        frame = two_questions().drop(columns="question").rename(columns={"url": "item", "item": "Image URL"})
        frame = frame.drop_duplicates(["Image URL", "worker"])
        with pytest.raises(JudgmentError, match=r'"Image URL" has 30 values and would leave 0 repeats: --item \'Image'):
            read(frame)
        assert notice(frame, repeats="last").options == ("--item", "Image URL")

    def test_by_another_item_and_the_question_that_was_taken_for_one(self) -> None:
        frame = two_questions().rename(columns={"item": "image", "question": "item"}).drop(columns="url")
        told = notice(frame, repeats="first")
        assert '"item" has 2 values only, "image" 30, and together they would leave 0 repeats' in told.message
        assert "run each of the few by itself with --item image --by item" in told.message
        assert told.options == ("--item", "image", "--by", "item")

    def test_by_two_columns_with_many_values(self) -> None:
        rows = [(f"i{i}", f"p{(i * 7 + k) % 40}", f"w{w}", "x") for i in range(40) for k in range(2) for w in range(2)]
        told = notice(pd.DataFrame(rows, columns=["item", "page", "worker", "label"]), repeats="last")
        assert told.message.endswith(
            '"item" and "page" together would leave 0 repeats: make one column of both, and name it with --item'
        )
        assert told.options == ()

    def test_by_nothing(self) -> None:
        """People who changed their minds: neither their rows nor the times of these are items."""
        frame = two_questions().drop(columns=["question", "url"])
        frame["seen"] = range(len(frame))
        frame["timestamp"] = range(len(frame))
        told = notice(frame, item="item")
        assert told.message.endswith('item "i00" (3); check which column is read as the item (--item)')

    def test_with_rows_left_out_and_workers_by_file(self, write: Write) -> None:
        frame = two_questions()[["item", "label", "question", "day"]].drop_duplicates(["item", "question"])
        path = write("ann.csv", frame.assign(day="a").to_csv(index=False) + "i00,tone1,gone,b\n" * 40)
        settings: dict[str, Any] = {"worker_from_file": True, "item": "item", "drop": ("day=b",), "repeats": "last"}
        told = read(path, **settings).cautions
        assert [one.code for one in told] == ["many_repeats"]
        # each item has one judgment a question, so nothing tells the column from one that tells rows apart
        assert told[0].options == ()

    def test_columns_of_lists_are_passed_over(self, tmp_path: Path) -> None:
        frame = two_questions()
        frame["tags"] = [["a", "b"]] * len(frame)
        for kind in ("jsonl", "parquet"):
            path = tmp_path / f"j.{kind}"
            frame.to_json(path, orient="records", lines=True) if kind == "jsonl" else frame.to_parquet(path)
            assert '"question" has 2 values' in notice(path, item="item").message

    def test_the_first_rows_tell(self, monkeypatch: pytest.MonkeyPatch, write: Write) -> None:
        monkeypatch.setattr(explaining_column, "MOST_ROWS", 60)
        paths = [write(f"{n}.csv", two_questions().to_csv(index=False)) for n in range(2)]
        assert '"question" has 2 values' in notice(paths, item="item", repeats="last").message

    def test_a_column_that_only_some_files_have_is_none(self, write: Write) -> None:
        one = write("a.csv", two_questions().to_csv(index=False))
        two = write("b.csv", csv([("j1", "w1", "x")]))
        assert notice([one, two], item="item").options == ()

    def test_columns_that_are_gone_explain_nothing(self) -> None:
        def once(cells: pd.Series) -> Iterator[str]:
            return iter(cells.tolist())

        frame = two_questions()
        told = notice({name: once(frame[name]) for name in ("item", "worker", "label", "question")}, item="item")
        assert told.options == ()


class TestHowMany:
    @pytest.mark.parametrize(("n", "told"), [(5, False), (6, True)])
    def test_five_in_a_hundred_are_usual(self, n: int, told: bool) -> None:
        rows = [(f"i{i}", "w1", "x") for i in range(100 - n)] + [(f"i{i}", "w1", "y") for i in range(n)]
        found = read(pd.DataFrame(rows, columns=["item", "worker", "label"])).cautions
        assert [one.code for one in found] == ["many_repeats"] * told

    def test_more_than_half_is_an_error(self, write: Write) -> None:
        path = write("j.csv", csv([("i1", f"w{w}", "x") for w in range(6)] * 3))
        with pytest.raises(JudgmentError) as caught:
            read(path)
        assert str(caught.value) == (
            f'{path}: 12 of 18 judgments (67%) repeat the same item and worker, most of them worker "w0" (2) and item '
            '"i1" (12); check which column is read as the item (--item); or choose with --repeats last, first or keep'
        )

    def test_in_very_few_it_is_a_warning(self) -> None:
        rows = [("i1", f"w{w}", "x") for w in range(5)] * 3
        found = read(pd.DataFrame(rows, columns=["item", "worker", "label"]))
        assert [one.code for one in found.cautions] == ["many_repeats"]

    def test_a_column_without_a_name_is_not_tried(self, write: Write) -> None:
        rows = [{"item": f"i{n // 4}", "worker": "w", "label": "x", "": str(n)} for n in range(40)]
        rows[0].pop("")
        with pytest.raises(JudgmentError, match=r"30 of 40 judgments \(75%\) repeat the same"):
            read(write("j.jsonl", "\n".join(map(json.dumps, rows))))
        frame = pd.DataFrame(rows)
        with pytest.raises(JudgmentError, match=r"30 of 40 judgments \(75%\) repeat the same"):
            read(frame)

    def test_very_long_names_are_cut_in_options(self, write: Write) -> None:
        rows = [("i1", "9" * 5000, "x")] * 12 + [(f"i{n}", "w", "x") for n in range(6)]
        with pytest.raises(
            JudgmentError, match="if these are many people, say so with --anonymous and its name"
        ) as told:
            read(write("j.csv", csv(rows)))
        assert len(str(told.value)) < 1000

    @pytest.mark.parametrize("repeats", ["last", "first", "keep"])
    def test_unless_it_is_said_what_counts(self, repeats: str, write: Write) -> None:
        path = write("j.csv", csv([("i1", f"w{w}", "x") for w in range(6)] * 3))
        assert [one.code for one in read(path, repeats=repeats).cautions] == ["many_repeats"] * (repeats != "keep")
