"""Columns that no name tells: the error lists those that could be meant, most likely first."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from consensus import read, read_gold
from consensus.errors import FormatError
from consensus.formats.tables import likely_columns
from consensus.formats.tables.blocks import Reading
from consensus.formats.tables.roles import Roles
from tests.conftest import csv

Write = Callable[[str, str | bytes], Path]


def frame(**renamed: str) -> pd.DataFrame:
    rows = [
        {"item": f"q{i:02}", "worker": f"w{w}", "label": f"l{i % 3}", "note": f"n{i}-{w}", "lang": "en"}
        for i in range(40)
        for w in range(6)
    ]
    return pd.DataFrame(rows).rename(columns=renamed)


def said(source: object, **settings: Any) -> str:
    with pytest.raises(FormatError) as caught:
        read(source, **settings)
    return str(caught.value)


class TestOneRole:
    @pytest.mark.parametrize(
        ("renamed", "end"),
        [
            (
                {"label": "verdict_text"},
                'no column holds the label; it could be "verdict_text" (3 values) and 2 more; name it with --label, '
                "such as --label verdict_text",
            ),
            (
                {"worker": "Reviewer email"},
                'no column holds the worker; it could be "Reviewer email" (6 values) and 2 more; name it with '
                "--worker, such as --worker 'Reviewer email'",
            ),
            (
                {"item": "img"},
                'no column holds the item; it could be "img" (40 values), "note" (240 values) and 1 more; name it '
                "with --item, such as --item img",
            ),
        ],
    )
    def test_is_told_with_values(self, renamed: dict[str, str], end: str) -> None:
        assert said(frame(**renamed)) == f"data frame: {end}"

    @pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
    def test_in_files(self, kind: str, tmp_path: Path) -> None:
        table, path = frame(label="outcome"), tmp_path / f"j.{kind}"
        if kind == "csv":
            table.to_csv(path, index=False)
        elif kind == "parquet":
            table.to_parquet(path)
        else:
            table.to_json(path, orient="records", lines=True)
        assert said(path).startswith(f'{path}: no column holds the label; it could be "outcome" (3 values)')

    def test_lists_are_passed_over(self, tmp_path: Path) -> None:
        table = frame(label="outcome")
        table["tags"] = [["a"]] * len(table)
        path = tmp_path / "j.jsonl"
        table.to_json(path, orient="records", lines=True)
        for source in (table, path):
            assert '"outcome" (3 values)' in said(source)
            assert "tags" not in said(source)

    def test_the_first_rows_tell(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(likely_columns, "ROWS", 60)
        assert '"img" (10 values)' in said(frame(item="img"))
        assert "more (in the first 60 rows); name it with --item" in said(frame(item="img"))

    def test_many_are_shortened(self) -> None:
        table = frame(label="outcome")
        for n in range(12):
            table[f"f{n}"] = table["outcome"]
        assert '"outcome" (3 values), "f0" (3 values)' in said(table)
        assert '"f6" (3 values) and 7 more; name it' in said(table)

    def test_the_name_tells_where_there_are_very_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(likely_columns, "MOST_COLUMNS", 3)
        table = frame(label="x0")
        for n in range(1, 12):
            table[f"x{n}"] = table["x0"]
        table["my_verdicts"] = table["x0"]
        assert 'it could be "my_verdicts" (3 values)' in said(table)

    def test_an_empty_column_is_the_last(self) -> None:
        table = frame(label="outcome")
        table["result"] = [None] * (len(table) - 30) + ["a", "b", "c"] * 10
        table["answers"] = "same"
        message = said(table)
        assert message.index("outcome") < message.index("result")


class TestSeveral:
    def test_roles_are_told_at_once(self) -> None:
        message = said(frame(item="record_id", worker="who_judged", label="outcome").drop(columns=["note", "lang"]))
        assert message == (
            'data frame: no column holds the item; it could be "record_id" (40 values), "who_judged" (6 values) and 1 '
            'more; no column holds the worker; it could be "who_judged" (6 values), "outcome" (3 values), "record_id" '
            '(40 values); no column holds the label; it could be "outcome" (3 values), "record_id" (40 values), '
            '"who_judged" (6 values); name them with --item, --worker, --label, such as --item record_id --worker '
            "who_judged --label outcome"
        )

    def test_a_column_that_could_be_meant_beside_a_question(self) -> None:
        assert said(frame(lang="question")) == (
            'data frame: several columns could hold the item: "item" (40 values), "question" (1 value); choose with '
            "--item, such as --item item"
        )
        table = frame(lang="question")
        table["question"] = ["tone", "topic"] * 120
        assert said(table) == (
            'data frame: several columns could hold the item: "item" (40 values), "question" (2 values); if "question" '
            "holds questions, run each by itself with --by question; choose with --item, such as --item item"
        )


class TestNothingToShow:
    def test_no_column_is_left(self, write: Write) -> None:
        path = write("j.csv", csv([("a", "x")], "item,label"))
        assert said(path) == f"{path}: no column holds the worker; the columns are: item, label; name it with --worker"

    def test_fewer_columns_than_roles(self, write: Write) -> None:
        path = write("j.csv", csv([("a", "x")], "this,label"))
        assert said(path) == f"{path}: no column holds the item; the columns are: this, label; name it with --item"

    def test_no_rows(self, write: Write) -> None:
        path = write("j.csv", "item,worker,said\n")
        assert "the columns are: item, worker, said; name it with --label" in said(path)

    def test_all_rows_are_odd(self, tmp_path: Path) -> None:
        table = pd.DataFrame({"item": ["a"] * 3, "worker": list("uvw"), "tags": [["x"]] * 3})
        table.to_json(tmp_path / "j.jsonl", orient="records", lines=True)
        assert 'it could be "tags.0" (1 value)' in said(tmp_path / "j.jsonl")

    def test_gold_says_what_it_said(self, write: Write) -> None:
        with pytest.raises(FormatError, match="no column holds the label; the columns are: item, x; rename one"):
            read_gold(write("g.csv", csv([("a", "x")], "item,x")))


def test_names_as_long_as_a_text_are_no_example() -> None:
    told = said(frame(item="What is in the picture? " * 40))
    assert told.endswith("name it with --item")
    assert len(told) < 500


def test_not_every_column_of_many_that_cannot_be_read_is_looked_at() -> None:
    looked: list[Roles] = []

    def opened(roles: Roles) -> Reading:
        looked.append(roles)
        raise FormatError("a column of lists")

    assert likely_columns._held(opened, Roles({}), [f"column {n}" for n in range(200)]) == {}
    assert len(looked) == 1 + likely_columns.MOST_ALONE
