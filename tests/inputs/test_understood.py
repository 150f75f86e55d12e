"""What the columns of a source were taken for: told in a line, kept in the summary."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import consensus
from consensus.inputs.understood import Column, line, n_distinct, quoted
from tests.conftest import Run, csv

Write = Callable[[str, str | bytes], Path]
ROWS = [(f"i{i}", f"w{w}", f"l{i % 2}", 3 * i + w, f"b{i % 3}", "x") for i in range(8) for w in range(3)]
HEADER = "task,worker_id,answer,seconds,batch,note"


class TestNumbers:
    @pytest.mark.parametrize(
        ("cells", "n"),
        [
            (np.array([1.0, np.nan, 1.0, 2.0]), 2),
            (np.array([np.nan]), 0),
            (np.zeros(0), 0),
            (np.array(["2025-01-01", "NaT", "2025-01-02", "2025-01-01"], "datetime64[us]"), 2),
        ],
    )
    def test_distinct_ones_are_counted(self, cells: np.ndarray, n: int) -> None:
        assert n_distinct(cells) == n


class TestLine:
    def test_says_role_name_rule_and_values(self) -> None:
        columns = [Column("item", "unit", "by its name", 1200), Column("timestamp", "at", "named", 1)]
        assert line(columns, []) == (
            'columns: item is "unit" (by its name, 1,200 values), time is "at" (named, 1 value)'
        )

    def test_what_is_not_used_is_shortened(self) -> None:
        assert line([], ["a", "b"]) == 'columns: ; not used: "a", "b"'
        assert line([], [str(n) for n in range(14)]).endswith('"10", "11" and 2 more')

    def test_names_are_quoted_on_one_line(self) -> None:
        assert quoted("a\n b\0") == '"a b\\x00"'
        assert quoted("x" * 50) == '"' + "x" * 40 + '..."'


class TestSources:
    def test_of_a_file(self, write: Write) -> None:
        read = consensus.read(write("j.csv", csv(ROWS, HEADER)), group="batch")
        assert read.understood == (
            Column("item", "task", "by its name", 8),
            Column("worker", "worker_id", "by its name", 3),
            Column("label", "answer", "by its name", 2),
            Column("duration", "seconds", "by its name", 24),
            Column("group", "batch", "named", 3),
        )
        assert read.unused == ("note",)

    def test_of_files_that_name_columns_otherwise(self, write: Write) -> None:
        first = write("a.csv", csv([("i1", "w1", "x")]))
        second = write("b.csv", csv([("i1", "w2", "x", "?")], "task,rater,label,b only"))
        read = consensus.read([first, second])
        assert read.understood[:2] == (
            Column("item", "item / task", "by its name", 1),
            Column("worker", "worker / rater", "by its name", 2),
        )
        assert read.unused == ("b only",)

    @pytest.mark.parametrize("kind", ["frame", "parquet", "jsonl"])
    def test_of_other_sources(self, kind: str, tmp_path: Path) -> None:
        frame = pd.DataFrame(ROWS, columns=HEADER.split(","))
        path = tmp_path / f"j.{kind}"
        if kind == "parquet":
            frame.to_parquet(path)
        elif kind == "jsonl":
            frame.to_json(path, orient="records", lines=True)
        read = consensus.read(frame if kind == "frame" else path)
        assert [one.name for one in read.understood] == ["task", "worker_id", "answer", "seconds"]
        assert read.unused == ("batch", "note")

    def test_numbers_that_are_none_are_not_used(self, write: Write) -> None:
        path = write("j.csv", csv([("i1", "w1", "x", "long")], "item,worker,label,duration"))
        assert consensus.read(path).unused == ("duration",)
        named = consensus.read(path, duration="duration")
        assert (named.unused, named.understood[-1]) == ((), Column("duration", "duration", "named", 0))

    def test_of_a_platform(self) -> None:
        path = Path(__file__).parents[1] / "platforms" / "crowdflower.csv"
        read = consensus.read(path)
        assert read.understood[0][:3] == ("item", "_unit_id", "CrowdFlower full report")
        assert "_ip" in read.unused

    def test_simulated_ones_were_not_read(self) -> None:
        assert consensus.simulate(5, 3, 2, 2).judgments.understood == ()


class TestSaid:
    def test_by_a_run_and_its_summary(self, run: Run, write: Write, tmp_path: Path) -> None:
        ran = run("run", write("j.csv", csv(ROWS, HEADER)), "--output", tmp_path / "out", "--item", "task")
        said = 'columns: item is "task" (named, 8 values), worker is "worker_id" (by its name, 3 values), label is '
        assert ran.err.splitlines()[2].startswith(said)
        told = json.loads((tmp_path / "out" / "summary.json").read_text())["understood"]
        assert told["columns"][0] == {"role": "item", "name": "task", "because": "named", "n_values": 8}
        assert told["unused"] == ["batch", "note"]

    def test_beside_a_table(self, run: Run, write: Write) -> None:
        ran = run("aggregate", write("j.csv", csv(ROWS, HEADER)))
        assert ran.err.splitlines()[1].endswith('; not used: "batch", "note"')
