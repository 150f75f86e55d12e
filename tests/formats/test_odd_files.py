"""Files and frames that are odd, damaged or hostile: nothing is guessed, nothing is lost."""

import io
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from consensus import read, read_gold
from consensus.errors import ConfigError, FormatError
from consensus.formats import writing
from consensus.formats.tables import csv_records, delimited, frames, json_lines, streams
from consensus.formats.tables.sizes import at_least_rows
from consensus.inputs.judgments import Judgments
from tests.conftest import csv

Write = Callable[[str, str | bytes], Path]


def rows_of(judgments: Judgments) -> list[tuple[str, str, str]]:
    items, workers = judgments.item_ids.to_pylist(), judgments.worker_ids.to_pylist()
    codes = zip(judgments.item, judgments.worker, judgments.label, strict=True)
    return [(items[i], workers[w], judgments.labels[k]) for i, w, k in codes]


@pytest.fixture(autouse=True, params=[None, 1, 5, 64])
def block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything holds wherever a block of a file happens to end."""
    if request.param is not None:
        monkeypatch.setattr(delimited, "BLOCK", request.param)
        monkeypatch.setattr(delimited, "PART", max(1, request.param // 2))
        monkeypatch.setattr(json_lines, "BLOCK", request.param)
        monkeypatch.setattr(frames, "BATCH", request.param)


class TestQuotes:
    def test_values_longer_than_a_block(self, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(delimited, "BLOCK", 64)
        long = "x" * 1000
        assert read(write("j.csv", csv([("a", "v", long), ("b", "v", "y")]))).labels == (long, "y")
        with pytest.raises(FormatError, match="j.csv:2: a quote opens here"):
            read(write("j.csv", csv([("a", "v", '"' + long)])))

    def test_a_quote_that_swallows_too_much(self, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(csv_records, "LONGEST", 100)
        path = write("j.csv", csv([("a", "v", '"x'), *[("b", "v", "y")] * 50, ("c", "v", 'z"')]))
        with pytest.raises(FormatError, match="j.csv:2: a quote opens here and closes only on line 53"):
            read(path)

    def test_two_stray_quotes_with_rows_between(self, write: Write) -> None:
        path = write("j.csv", 'item,worker,label\ni1,w1,a\ni2,"w2,a\ni3,w3,b\ni4,w4,b\ni5,w5",b\ni6,w6,a\n')
        with pytest.raises(FormatError, match='j.csv:3: a quote opens here and closes 3 lines below, .*: i2,"w2,a; '):
            read(path)
        fine = read(write("k.csv", 'item,worker,label\n"two\nlines",w1,a\n"three\nwhole\nlines",w1,a\n'))
        assert fine.n_items == 2

    def test_quotes_that_can_be_read_in_two_ways(self, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        """Arrow and the second look must see the same rows; if ever they do not, no row is guessed."""
        monkeypatch.setattr(delimited, "_parse", lambda *_: None)
        with pytest.raises(FormatError, match="its quotes can be read in two ways; double those that belong"):
            read(write("j.csv", "item,worker,label\na,v,x\n"))

    def test_last_line_without_an_end(self, write: Write) -> None:
        judgments = read(write("j.csv", 'item,worker,label\na,w,x\nb,"w",'))
        assert (judgments.tally.used, judgments.tally.abstained) == (1, 1)
        with pytest.raises(FormatError, match="j.csv:3: a quote opens here and is never closed"):
            read(write("j.csv", 'item,worker,label\n5" x,w,yes\nb,w,"yes\n'))


class TestLines:
    def test_lone_carriage_returns(self, write: Write) -> None:
        text = 'item,worker,label,text\na,w,x,"one\rtwo"\n,w,y,z\nb,,y,z\n'
        found = [(one.line, one.row) for one in read(write("j.csv", text)).rejects]
        assert found == [(4, ",w,y,z"), (5, "b,,y,z")]
        crlf = read(write("j.csv", text.replace("\r", "").replace("\n", "\r\n")))
        assert [one.line for one in crlf.rejects] == [3, 4]

    def test_carriage_return_at_the_edge_of_a_block(self, write: Write) -> None:
        with streams.Tap(write("j.csv", "a\r\nb\rc\r")) as tap:
            assert list(delimited._cut(tap, 2)) == [b"a\r\n", b"b\r", b"c\r\n"]
        assert list(delimited._cut(io.BytesIO(b"a\r\nb\rc"), 2)) == [b"a\r\n", b"b\r", b"c"]

    def test_byte_order_marks_among_rows(self, write: Write) -> None:
        """Files that were put together: the mark belongs to the first cell, wherever a block begins."""
        judgments = read(write("j.csv", 2 * ("\ufeff" + csv([("a", "v", "x"), ("b", "v", "x")]))), repeats="last")
        assert judgments.item_ids.to_pylist() == ["a", "b", "\ufeffitem"]

    def test_malformed_rows_that_are_not_utf8(self, write: Write) -> None:
        judgments = read(write("j.csv", b"item,worker,label\na,b,c\n\xff,x\nd,b,c\n"))
        (reject,) = judgments.rejects
        assert (reject.line, reject.reason, reject.row) == (3, "too few fields: 2 instead of 3", "\\xff,x")
        assert judgments.n_items == 2

    def test_names_of_files_that_are_no_text(self, tmp_path: Path) -> None:
        path = tmp_path / os.fsdecode(b"bad\xff.csv")
        path.write_text("item,worker,label\na,v,x\nb\n")
        judgments = read(path)
        assert judgments.sources[0].file.endswith("bad\\udcff.csv")
        assert writing.text(pd.DataFrame({"file": [judgments.rejects[0].file]}))
        with pytest.raises(ConfigError, match="setting abstain"):
            read(path, abstain=[os.fsdecode(b"\xff")])


class TestHeaders:
    def test_that_cannot_be_read(self, write: Write) -> None:
        with pytest.raises(FormatError, match="j.csv:1: a quote opens here and is never closed"):
            read(write("j.csv", 'item,worker,"label\n' + "a,v,x\n" * 40_000))
        with pytest.raises(FormatError, match="j.csv:1: the header can't be read: field larger than field limit"):
            read(write("j.csv", "A" * 200_000))
        with pytest.raises(FormatError, match='j.csv: column "b" can.t be both item and worker'):
            read(write("j.csv", "a,b,label\n1,2,3\n"), item="b", worker="b")

    def test_are_shortened_to_one_line(self, write: Write) -> None:
        names = ",".join(f"c{n}" for n in range(3, 40))
        with pytest.raises(
            FormatError, match=r"columns are: item, worker, la\\nbel, c3, .*c19, ... \(40 columns\)"
        ) as caught:
            read(write("j.csv", f'item,worker,"la\nbel",{names}\n1,2\n'))
        assert "\n" not in str(caught.value)

    def test_camel_case_and_names_of_gold(self, write: Write) -> None:
        mturk = read(write("j.csv", "HITId,WorkerId,SubmitTime,Answer\na,v,2025-01-01,x\n"))
        assert rows_of(mturk) == [("a", "v", "x")]
        assert mturk.timestamp is not None
        assert read_gold(write("gold.csv", "item,true_label\na,x\n")).label == ("x",)
        with pytest.raises(FormatError, match="gold.csv: no column holds the item; .*; rename one to item"):
            read_gold(write("gold.csv", "id,truth\na,x\n"))
        with pytest.raises(FormatError, match="gold.csv: several columns could hold the label; .*; rename one"):
            read_gold(write("gold.csv", "item,label,truth\na,x,x\n"))
        with pytest.raises(FormatError, match="gold.csv: no gold labels in it"):
            read_gold(write("gold.csv", "item,label\n"))

    def test_delimiters_inside_names(self, write: Write) -> None:
        tabs = read(write("j.tsv", "item\tworker\tlabel\tnote, a, b, c, d\na\tv\tx\tn\n"))
        assert rows_of(tabs) == [("a", "v", "x")]
        quoted = read(write("j.csv", 'item;"wor;,,,,ker";worker;label\na;1;v;x\n'))
        assert rows_of(quoted) == [("a", "v", "x")]


class TestTimes:
    def test_of_two_time_columns_the_documented_one_counts(self, write: Write) -> None:
        path = write("j.csv", "item,worker,label,submitted_at,created_at\na,v,x,2025-01-01,2025-01-02\n")
        first, named = read(path).timestamp, read(path, timestamp="submitted_at").timestamp
        assert first is not None
        assert named is not None
        assert (str(first[0])[:10], str(named[0])[:10]) == ("2025-01-02", "2025-01-01")

    def test_decide_only_where_they_do(self) -> None:
        columns = {"item": ["a"] * 3, "worker": ["v"] * 3, "label": ["x", "y", "z"]}
        assert not read({**columns, "timestamp": [1, 1, 2]}).repeats_by_row_order
        assert read({**columns, "timestamp": [1, 1, 2]}, repeats="first").repeats_by_row_order
        assert read({**columns, "timestamp": [1, 2, 2]}).repeats_by_row_order

    @pytest.mark.parametrize(
        "convert",
        [
            lambda table: table,
            lambda table: pl.DataFrame(table),
            lambda table: pd.DataFrame(table),
            lambda table: pd.DataFrame(table).astype({"timestamp": "category"}),
            lambda table: pa.table(table).cast(pa.schema([(name, pa.large_string()) for name in table])),
            lambda table: {**table, "timestamp": [text.encode() for text in table["timestamp"]]},
        ],
    )
    def test_in_every_kind_of_text(self, convert: Callable[[Any], Any]) -> None:
        times = ["2024-01-03", "2024-01-01", "2024-01-02"]
        table = {"item": ["a"] * 3, "worker": ["v"] * 3, "label": ["x", "y", "z"], "timestamp": times}
        assert rows_of(read(convert(table))) == [("a", "v", "x")]

    def test_units_of_numbers(self) -> None:
        second = 1_700_000_000
        times = [second, second * 10**3, second * 10**6, second * 10**9]
        for column in (times, [str(one) for one in times], pa.array(times)):
            judgments = read({"item": list("abcd"), "worker": ["v"] * 4, "label": ["x"] * 4, "timestamp": column})
            assert judgments.timestamp is not None
            assert set(judgments.timestamp.astype("datetime64[s]").astype(int).tolist()) == {second}

    @pytest.mark.parametrize(
        "column",
        [["now"], ["-5"], [1e30], pa.array([7], pa.time32("s")), pa.array([[7]])],
    )
    def test_that_are_none(self, column: Any) -> None:
        judgments = read({"item": ["a"], "worker": ["v"], "label": ["x"], "timestamp": column})
        assert (judgments.timestamp, judgments.unreadable_times) == (None, 1)

    def test_days_that_may_stand_before_months(self) -> None:
        columns = {"item": ["a", "b"], "worker": ["v"] * 2, "label": ["x"] * 2}
        found = read({**columns, "timestamp": ["3/2/2015 10:02:05", "13/2/2015 10:02:05"]}).timestamp
        assert found is not None
        assert found.astype("datetime64[D]").astype(str).tolist() == ["2015-02-03", "2015-02-13"]

    def test_that_are_not_utf8(self, write: Write) -> None:
        judgments = read(write("j.csv", b"item,worker,label,timestamp\na,v,x,2025-01-01\nb,v,x,\xff\n"))
        assert [(one.line, one.reason, one.row) for one in judgments.rejects] == [
            (3, "the timestamp is not UTF-8", "b,v,x,\\xff")
        ]
        assert (judgments.n_items, judgments.unreadable_times) == (1, 0)

    def test_finer_than_microseconds(self) -> None:
        fine = pa.array([1_700_000_000_000_000_123], pa.timestamp("ns"))
        assert read({"item": ["a"], "worker": ["v"], "label": ["x"], "timestamp": fine}).timestamp is not None


class TestJsonLines:
    def test_keys_of_the_first_objects_count(self, write: Write) -> None:
        full = '{"item": "a", "worker": "v", "label": "x", "timestamp": "2025-01-01"}'
        judgments = read(write("j.jsonl", '{}\n{"item": "a", "worker": "v"}\n' + full))
        assert judgments.timestamp is not None
        assert [one.reason for one in judgments.rejects] == ["the item is missing"]

    def test_lines_that_json_cannot_hold(self, write: Write) -> None:
        text = '{"item": "\\ud800", "worker": "v", "label": "x"}\n{"item": "\u00e9", "worker": "v", "label": "x"}\n'
        judgments = read(write("j.jsonl", text + "[" * 100_000))
        assert [one.reason for one in judgments.rejects] == [
            "the item is not valid Unicode",
            "not JSON: nested too deeply",
        ]
        assert judgments.item_ids.to_pylist() == ["\u00e9"]

    def test_lines_longer_than_a_block(self, write: Write) -> None:
        text = '{"item": "a", "note": "' + "x" * 3_000_000 + '", "worker": "v", "label": "x"}'
        assert rows_of(read(write("j.jsonl", text))) == [("a", "v", "x")]


class TestFrames:
    def test_cells_that_arrow_does_not_know(self) -> None:
        key = uuid.UUID(int=5)
        judgments = read({"item": [key, key], "worker": ["v", "w"], "label": ["x", "x"]})
        assert judgments.item_ids.to_pylist() == [str(key)]
        periods = pd.DataFrame({"item": pd.period_range("2020-01", periods=2, freq="M"), "worker": "v", "label": "x"})
        assert read(periods).item_ids.to_pylist() == ["2020-01", "2020-02"]
        mixed = [1, "a", pd.NA, 2.0, 2.5, True, np.bool_(False), 2**70, None, float("nan"), pd.NaT]
        found = read(pd.DataFrame({"item": range(11), "worker": "v", "label": pd.Series(mixed, dtype=object)}))
        assert set(found.labels) == {"1", "a", "2", "2.5", "true", "false", str(2**70)}
        assert found.tally.abstained == 4
        assert read({"item": ["\ud800"], "worker": ["v"], "label": ["x"]}).item_ids.to_pylist() == ["\\ud800"]
        halves = np.ones(2, np.float16)
        assert read({"item": (one for one in (1, 2)), "worker": ["v"] * 2, "label": halves}).labels == ("1",)

    def test_categories(self) -> None:
        polars = pl.DataFrame(
            {"item": ["a"], "worker": ["b"], "label": ["c"]}, schema_overrides={"label": pl.Categorical}
        )
        assert rows_of(read(polars)) == [("a", "b", "c")]
        lacking = pl.DataFrame({"item": ["a", None], "worker": ["b", "b"], "label": ["c", "d"]})
        rejects = read(lacking.cast({"item": pl.Categorical, "label": pl.Categorical})).rejects
        assert [(one.line, one.reason, one.row) for one in rejects] == [(2, "the item is missing", ",b,d")]
        numbers = pd.DataFrame({"item": ["a", "b"], "worker": "w", "label": pd.Categorical([3, None])})
        assert rows_of(read(numbers)) == [("a", "w", "3")]

    def test_bytes_that_are_not_utf8(self) -> None:
        judgments = read({"item": [b"a", b"\xff", None], "worker": ["v"] * 3, "label": ["x"] * 3})
        assert [(one.line, one.reason, one.row) for one in judgments.rejects] == [
            (2, "the item is not UTF-8", "\\xff,v,x"),
            (3, "the item is missing", ",v,x"),
        ]

    @pytest.mark.parametrize(
        ("frame", "message"),
        [
            ({"item": ["a", "b"], "worker": ["v"], "label": ["x"]}, "the columns differ in length: item 2, worker 1"),
            ({"item": "a", "worker": ["v"], "label": ["x"]}, "the item column is 'a'; give one entry a judgment"),
            ({"item": [np.ones(2), "a"], "worker": ["v"] * 2, "label": ["x"] * 2}, "the item column holds lists"),
            (pl.Series([1]), "judgments: a Series can't be read; give a path"),
            (pd.Series([1]), "judgments: a Series can't be read; give a path"),
        ],
    )
    def test_that_are_no_tables(self, frame: Any, message: str) -> None:
        with pytest.raises(FormatError, match=message):
            read(frame)

    def test_parquet_without_rows_or_not_there(self, tmp_path: Path) -> None:
        path = tmp_path / "j.parquet"
        with pytest.raises(FormatError, match="j.parquet: no such file"):
            read(path)
        pq.write_table(pa.table({name: pa.array([], pa.string()) for name in ("item", "worker", "label")}), path)
        with pytest.raises(FormatError, match="j.parquet: a header but no rows"):
            read(path)

    def test_damaged_parquet(self, tmp_path: Path) -> None:
        columns = {"item": [f"i{n}" for n in range(5000)], "worker": ["v"] * 5000, "label": ["x"] * 5000}
        path = tmp_path / "j.parquet"
        pq.write_table(pa.table(columns), path)
        damaged = bytearray(path.read_bytes())
        damaged[5:400] = b"\xff" * 395
        path.write_bytes(damaged)
        with pytest.raises(FormatError, match="j.parquet: can't be read as Parquet"):
            read(path)

    @pytest.mark.parametrize("coded", [False, True])
    def test_text_that_is_no_utf8_is_refused(self, tmp_path: Path, coded: bool) -> None:
        """Arrow takes such bytes for text unread: they would break whatever shows the worker, much later."""
        starts = pa.py_buffer(np.array([0, 2, 4], np.int32).tobytes())
        workers = pa.Array.from_buffers(pa.string(), 2, [None, starts, pa.py_buffer(b"w\xf5w1")])
        table = pa.table({"item": ["i1", "i1"], "worker": workers, "label": ["yes", "no"]})
        if coded:
            table = table.set_column(1, "worker", workers.dictionary_encode())
        path = tmp_path / "j.parquet"
        pq.write_table(table, path)
        for source in (table, path):
            with pytest.raises(FormatError, match="the worker column holds damaged text, no UTF-8; write the file"):
                read(source)

    def test_parquet_whose_names_are_not_utf8(self, tmp_path: Path) -> None:
        path = tmp_path / "j.parquet"
        pq.write_table(pa.table({name: ["a"] for name in ("item", "worker", "label", "caf\u00e9")}), path)
        path.write_bytes(path.read_bytes().replace("\u00e9".encode(), b"\xff\xff"))
        with pytest.raises(FormatError, match="j.parquet: can't be read as Parquet: 'utf-8' codec can't decode"):
            read(path)
        assert at_least_rows([path]) == 0  # reading says why
