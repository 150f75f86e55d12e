"""Files and frames in: text stays text, every row is accounted for."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus import read, read_gold
from consensus.errors import ConfigError, FormatError, JudgmentError
from consensus.formats import writing
from consensus.formats.tables import roles
from consensus.formats.tables.streams import Tap
from consensus.inputs.judgments import Judgments
from tests.conftest import csv
from tests.strategies import examples

Write = Callable[[str, str | bytes], Path]
ROWS = [("007", "ana", "NA"), ("007", "bo", "1.0"), ("1e3", "ana", "null"), ("x y", "bo", "1.0")]


def rows_of(judgments: Judgments) -> list[tuple[str, str, str]]:
    items, workers = judgments.item_ids.to_pylist(), judgments.worker_ids.to_pylist()
    codes = zip(judgments.item, judgments.worker, judgments.label, strict=True)
    return [(items[i], workers[w], judgments.labels[k]) for i, w, k in codes]


def balanced(judgments: Judgments) -> bool:
    tally = judgments.tally
    return tally.read == tally.used + tally.abstained + tally.repeated + tally.rejected


def frame(rows: Any = ROWS) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["item", "worker", "label"])


def as_csv(table: pd.DataFrame, path: Path, ending: str, **how: Any) -> Path:
    target = path / f"judgments{ending}"
    table.to_csv(target, index=False, **how)
    return target


@pytest.mark.parametrize(
    "source",
    [
        lambda path: as_csv(frame(), path, ".csv"),
        lambda path: as_csv(frame(), path, ".csv.gz"),
        lambda path: as_csv(frame(), path, ".tsv", sep="\t"),
        lambda path: as_csv(frame(), path, ".txt", sep=";"),
        lambda path: as_csv(frame(), path, ".csv", lineterminator="\r\n"),
        lambda path: as_csv(frame(), path, ".csv", lineterminator="\r"),
        lambda path: as_csv(frame(), path, ".csv", encoding="utf-8-sig"),
        lambda path: as_csv(frame(), path, ".csv", quoting=1),
        lambda path: as_csv(
            frame().rename(columns=str.upper)[["LABEL", "ITEM", "WORKER"]].assign(more="x"), path, ".csv"
        ),
        lambda path: as_csv(frame().set_axis(["_unit_id", "_worker_id", "Answer"], axis=1), path, ".csv"),
        lambda path: [as_csv(frame(ROWS[:1]), path, ".csv"), as_csv(frame(ROWS[1:]), path, ".tsv", sep="\t")],
        lambda path: [str(as_csv(frame(), path, ".csv"))],
        lambda path: _written(pa.Table.from_pandas(frame()), path / "judgments.parquet"),
        lambda path: _lines(path / "judgments.jsonl"),
        lambda _: frame(),
        lambda _: frame().set_axis([9, 9, 9, 9]),
        lambda _: frame().astype("category"),
        lambda _: frame().astype(object),
        lambda _: pl.DataFrame(frame().to_dict("list")),
        lambda _: pa.Table.from_pandas(frame()),
        lambda _: frame().to_dict("list"),
        lambda _: frame(reversed(ROWS)),
    ],
)
def test_every_source_reads_alike(source: Callable[[Path], Any], tmp_path: Path) -> None:
    judgments = read(source(tmp_path))
    assert rows_of(judgments) == sorted(ROWS)
    assert judgments.labels == ("1.0", "NA", "null")
    assert judgments.tally.read == judgments.tally.used == 4
    assert judgments.per_item.tolist() == [2, 1, 1]


def _written(table: pa.Table, path: Path) -> Path:
    pq.write_table(table, path)
    return path


def _lines(path: Path) -> Path:
    records = ({"item": i, "worker": w, "label": k, "other": {"a": 1}} for i, w, k in ROWS)
    path.write_text("\n\n".join(json.dumps(record) for record in records))
    return path


def test_zstd(write: Write) -> None:
    packed = pa.compress(csv(ROWS).encode(), "zstd", asbytes=True)
    assert rows_of(read(write("j.csv.zst", packed))) == sorted(ROWS)


def test_json_numbers_stay_as_written(write: Write) -> None:
    path = write("j.jsonl", '{"item": 1.0, "worker": 10000000000000000001, "label": true}\n')
    assert rows_of(read(path)) == [("1.0", "10000000000000000001", "true")]


def test_typed_columns_become_text() -> None:
    judgments = read(
        pa.table(
            {
                "item": pa.array([1, 2, 3]),
                "worker": pa.array([1.0, 2.0, 2.5]),
                "label": pa.array([True, False, None]),
            }
        )
    )
    assert rows_of(judgments) == [("1", "1", "true"), ("2", "2", "false")]
    whole = read({"item": ["a", "b", "c"], "worker": ["w"] * 3, "label": np.array([1.0, np.nan, 2.0])})
    assert rows_of(whole) == [("a", "w", "1"), ("c", "w", "2")]
    mixed = read(pd.DataFrame({"item": [1, "b", 2.5], "worker": ["w"] * 3, "label": ["x", None, float("nan")]}))
    assert rows_of(mixed) == [("1", "w", "x")]
    assert mixed.tally.abstained == 2


def test_abstains_and_missing_ids(write: Write) -> None:
    text = 'item,worker,label\na,v,\na,w,""\n,w,x\n"",w,x\nb,,x\nc,v,skip\n'
    judgments = read(write("j.csv", text), abstain=["skip"])
    assert rows_of(judgments) == [("", "w", "x"), ("a", "w", "")]
    assert judgments.tally.abstained == 2
    assert [(one.line, one.reason, one.row) for one in judgments.rejects] == [
        (4, "the item is missing", ",w,x"),
        (6, "the worker is missing", "b,,x"),
    ]
    assert balanced(judgments)
    assert judgments.item_ids.to_pylist() == ["", "a", "c"]
    assert judgments.per_item.tolist() == [1, 1, 0]


def test_missing_ids_in_a_frame() -> None:
    judgments = read({"item": ["a", None], "worker": ["w", "w"], "label": ["x", "y"]})
    (reject,) = judgments.rejects
    assert (reject.file, reject.line, reject.reason, reject.row) == ("data frame", 2, "the item is missing", ",w,y")


def test_bad_rows_are_rejects_with_their_lines(write: Write) -> None:
    text = (
        "\n\nitem,worker,label,note\n"
        'a,v,x,"two\nlines"\n'
        "b,v\n"
        "\n"
        "c,v,y,n,extra,fields\n"
        'd,v,y,"a ""quoted"" word"\n'
        'e,v,y,5" disk\n'
    )
    judgments = read(write("j.csv", text))
    assert [item for item, *_ in rows_of(judgments)] == ["a", "d", "e"]
    assert [(one.line, one.reason, one.row) for one in judgments.rejects] == [
        (6, "too few fields: 2 instead of 4", "b,v"),
        (8, "too many fields: 6 instead of 4", "c,v,y,n,extra,fields"),
    ]
    assert balanced(judgments)
    assert judgments.tally.read == 5


def test_bytes_that_are_not_utf8(write: Write) -> None:
    text = b"item,worker,label,note\na,v,x,\xff\nb,\xe9va,x,n\nc,v,x,n\n"
    judgments = read(write("j.csv", text))
    assert [item for item, *_ in rows_of(judgments)] == ["a", "c"]  # the note is not read at all
    (reject,) = judgments.rejects
    assert (reject.line, reject.reason, reject.row) == (3, "the worker is not UTF-8", "b,\\xe9va,x,n")
    assert balanced(judgments)


def test_rejects_of_several_kinds_keep_their_lines(write: Write) -> None:
    text = b"item,worker,label\na,v,x\nb,v\n\xff,v,x\n,v,x\nc,v,x\n"
    judgments = read(write("j.csv", text))
    assert [one.line for one in judgments.rejects] == [3, 4, 5]
    with pytest.raises(JudgmentError, match='j.csv:8: worker "v" judged item "c" twice'):
        read(write("j.csv", text + b"d,v\nc,v,y\n"), repeats="error")


def test_lines_of_json_that_cannot_be_used(write: Write) -> None:
    text = (
        b'[1]\n{"item": "a", "worker": "v", "label": "x"}\nnonsense\n\xff\n'
        b'{"item": "b", "worker": "v", "label": ["x"]}\n{"item": "c", "worker": "v"}\n{"item": "d", "label": "x"}'
    )
    judgments = read(write("j.jsonl", text))
    assert rows_of(judgments) == [("a", "v", "x")]
    assert judgments.tally.abstained == 1
    assert [(one.line, one.reason.split(":")[0]) for one in judgments.rejects] == [
        (1, "not a JSON object"),
        (3, "not JSON"),
        (4, "the line is not UTF-8"),
        (5, "the label is not a single value"),
        (7, "the worker is missing"),
    ]
    assert balanced(judgments)


class TestRepeats:
    JUDGED = csv([("a", "v", "x"), ("a", "v", "y"), ("a", "w", "x"), ("b", "v", "x"), ("b", "v", "x")])

    @pytest.mark.parametrize(("repeats", "label"), [("last", "y"), ("first", "x")])
    def test_one_counts(self, write: Write, repeats: Any, label: str) -> None:
        judgments = read(write("j.csv", self.JUDGED), repeats=repeats)
        assert rows_of(judgments) == [("a", "v", label), ("a", "w", "x"), ("b", "v", "x")]
        assert judgments.tally.repeated == 2
        assert balanced(judgments)
        assert judgments.repeats_by_row_order

    def test_keep(self, write: Write) -> None:
        judgments = read(write("j.csv", self.JUDGED), repeats="keep")
        assert judgments.n_judgments == 5
        assert not judgments.repeats_by_row_order

    def test_error_names_both(self, write: Write) -> None:
        with pytest.raises(
            JudgmentError,
            match=r'j.csv:3: worker "v" judged item "a" twice \("x", then "y"\); keep one row or pass --repeats=last',
        ):
            read(write("j.csv", self.JUDGED), repeats="error")

    def test_error_names_the_right_file(self, write: Write) -> None:
        first, second = write("1.csv", csv([("a", "v", "x")])), write("2.csv", csv([("b", "v", "x"), ("a", "v", "x")]))
        with pytest.raises(JudgmentError, match="2.csv:3"):
            read([first, second], repeats="error")
        assert read([first, second]).tally.repeated == 1

    def test_time_decides_before_order(self) -> None:
        columns = {"item": ["a", "a", "a"], "worker": ["v"] * 3, "label": ["late", "early", "unknown"]}
        for times in (
            ["2025-03-03T10:00:00Z", "2025-03-03T09:00:00Z", None],
            ["3/3/2025 10:00:00", "3/3/2025 09:00:00", "?"],
            ["1700000001", "1700000000", ""],
            [1700000001000, 1700000000000, None],
            pd.to_datetime(pd.Series(["2025-03-03 10:00", "2025-03-03 09:00", None])),
        ):
            judgments = read({**columns, "timestamp": times})
            assert rows_of(judgments) == [("a", "v", "late")]
            assert not judgments.repeats_by_row_order
            assert rows_of(read({**columns, "timestamp": times}, repeats="first")) == [("a", "v", "unknown")]
            kept = read({**columns, "timestamp": times}, repeats="keep")
            assert kept.timestamp is not None
            assert np.isnat(kept.timestamp).tolist() == [label == "unknown" for _, _, label in rows_of(kept)]

    def test_rows_may_stand_for_times(self, write: Write) -> None:
        first = write("1.csv", csv([("b", "v", "x"), ("a", "w", ""), ("a", "", "x"), ("a", "v", "x")]))
        second = write("2.csv", csv([("b", "v", "y"), ("a", "u", "y")]))
        judgments = read([first, second], drift_by="rows")
        assert rows_of(judgments) == [("a", "u", "y"), ("a", "v", "x"), ("b", "v", "y")]
        assert judgments.read_row is not None
        assert judgments.read_row.tolist() == [5, 3, 4]  # rejects do not count, abstains do
        assert judgments.read_row.dtype == np.int64
        (note,) = judgments.notes
        assert note == (
            "nothing has a time: who changed is told by the order of rows, as if judgments stood in the order in which "
            "they were made, which is a guess"
        )
        assert read([first, second]).read_row is None
        assert not read([first, second]).in_order

    def test_times_count_more_than_rows(self) -> None:
        columns = {"item": ["a", "b"], "worker": ["v"] * 2, "label": ["x", "y"], "timestamp": [1, 2]}
        judgments = read(columns, drift_by="rows")
        assert judgments.read_row is None
        assert judgments.in_order
        assert judgments.notes == ("judgments have times: who changed is told by these, not by the order of rows",)
        unknown = read({**columns, "timestamp": ["?", "?"]}, drift_by="rows")
        assert unknown.read_row is not None
        assert unknown.read_row.tolist() == [1, 2]

    def test_times_stay_with_their_judgments(self) -> None:
        judgments = read(
            {
                "item": ["b", "a", "c"],
                "worker": ["v"] * 3,
                "label": ["x", "y", None],
                "created_at": ["2025-03-03T10:00:00+01:00", "2025-03-03T08:30:00.5Z", "2025-03-03"],
            }
        )
        assert judgments.timestamp is not None
        assert judgments.timestamp.astype(str).tolist() == ["2025-03-03T08:30:00.500000", "2025-03-03T09:00:00.000000"]
        again = judgments.with_labels(["y", "x"])
        assert again.timestamp is not None
        assert np.array_equal(again.timestamp, judgments.timestamp)
        only = judgments.subset(np.array([False, True]))
        assert only.timestamp is not None
        assert only.timestamp.tolist() == judgments.timestamp[1:].tolist()

    def test_unreadable_times_are_counted(self, write: Write) -> None:
        text = "item,worker,label,timestamp\na,v,x,yesterday\nb,v,x,2025-01-01\n"
        untimed = write("more.csv", csv([("c", "v", "x")]))
        judgments = read([write("j.csv", text), untimed])
        assert judgments.unreadable_times == 1
        assert judgments.timestamp is not None
        nothing = read({"item": ["a"], "worker": ["v"], "label": ["x"], "timestamp": ["?"]})
        assert (nothing.timestamp, nothing.unreadable_times) == (None, 1)


class TestColumns:
    @pytest.mark.parametrize("role", list(roles.WEAK_NAMES))
    def test_names_that_count_where_no_other_is_there(self, role: str, write: Write) -> None:
        usual = {"item": "item", "worker": "worker", "label": "label"}
        for name in roles.WEAK_NAMES[role]:
            for written in (name, name.title().replace("_", " "), name.upper().replace("_", "-")):
                header = ",".join((usual | {role: written}).values())
                judgments = read(write("j.csv", f"{header}\na,v,x\n"))
                assert rows_of(judgments) == [("a", "v", "x")]
            judgments = read(write("j.csv", f"{name},item,worker,label\nother,a,v,x\n"))
            assert (rows_of(judgments), judgments.unused) == ([("a", "v", "x")], (name,))
        first, second, *_ = roles.WEAK_NAMES[role]
        header = ",".join((usual | {role: f"{first},{second}"}).values())
        with pytest.raises(FormatError, match=f"several columns could hold the {role}: "):
            read(write("j.csv", f"{header}\na,v,x,y\n"))

    def test_they_count_in_gold_where_nothing_is_called_gold(self, write: Write) -> None:
        assert read_gold(write("g.csv", "image,verdict\na,x\n")).label == ("x",)
        assert read_gold(write("g.csv", "image,verdict,truth\na,x,y\n")).label == ("y",)

    def test_none(self, write: Write) -> None:
        with pytest.raises(FormatError, match='j.csv: no column holds the label; it could be "colour" '):
            read(write("j.csv", "item,worker,colour\na,v,x\n"))

    def test_several(self, write: Write) -> None:
        path = write("j.csv", "item,worker,label,Answer\na,v,x,y\n")
        with pytest.raises(
            FormatError, match='several columns could hold the label: "label" .*, "Answer" .* --label label'
        ):
            read(path)
        assert rows_of(read(path, label="Answer")) == [("a", "v", "y")]

    def test_named_but_missing_or_twice(self, write: Write) -> None:
        path = write("j.csv", "item,worker,label,label\na,v,x,y\n")
        with pytest.raises(FormatError, match='no column "colour" for the label; .*; correct --label'):
            read(path, label="colour")
        with pytest.raises(FormatError, match='2 columns are called "label"; rename all but one'):
            read(path, label="label")

    def test_nested(self, tmp_path: Path) -> None:
        table = {"item": ["a"], "worker": ["v"], "label": [["x", "y"]]}
        with pytest.raises(FormatError, match="the label column holds list<"):
            read(_written(pa.table(table), tmp_path / "j.parquet"))
        with pytest.raises(FormatError, match="the label column holds "):
            read(pd.DataFrame({**table, "label": [{"x": 1}]}).astype(object))
        with pytest.raises(FormatError, match="the label column holds lists or records"):
            read(pd.DataFrame({"item": ["a", "b"], "worker": ["v", "v"], "label": [["x"], "y"]}))


class TestGold:
    def test_rows(self, write: Write) -> None:
        gold = read_gold(write("gold.csv", "item,label\na,x\na,y\na,x\nb,\nc,z\n"))
        assert list(zip(gold.item, gold.label, strict=True)) == [("a", "x"), ("a", "y"), ("c", "z")]
        assert [place.split("/")[-1] for place in gold.place] == ["gold.csv:2", "gold.csv:3", "gold.csv:6"]

    def test_columns_named_for_the_judgments_are_used_where_they_exist(self, write: Write) -> None:
        plain = read_gold(write("gold.csv", "item,label\na,x\n"), item="image", label="colour")
        named = read_gold(write("gold.csv", "item,image,colour\n7,a,x\n"), item="image", label="colour")
        assert (plain.item, plain.label) == (named.item, named.label) == (("a",), ("x",))

    def test_malformed(self, write: Write) -> None:
        with pytest.raises(FormatError, match="gold.csv:3: too few fields: 1 instead of 2: b; correct the gold"):
            read_gold(write("gold.csv", "item,label\na,x\nb\n"))
        with pytest.raises(FormatError, match="gold.csv: no gold labels in it"):
            read_gold(write("gold.csv", "item,label\na,\n"))


class TestBadFiles:
    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("empty.csv", b"", "empty.csv: the file is empty"),
            ("blank.csv", b"\n\n", "blank.csv: the file holds blank lines only"),
            ("header.csv", b"item,worker,label\n", "header.csv: a header but no rows"),
            ("short.csv", b"item,worker,label", "short.csv: a header but no rows"),
            ("image.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image.csv:3: this is not text .it holds a zero byte."),
            (
                "sheet.csv",
                b"PK\x03\x04...",
                "sheet.csv: can't be unpacked: file is not a zip file; fetch it",
            ),
            ("cut.utf16", "item,é".encode("utf-16")[:-1], "cut.utf16:1: the byte 0xe9 does not fit"),
            ("cut.csv.gz", gzip.compress(csv(ROWS * 999).encode(), mtime=0)[:-40], "cut.csv.gz: can't be decompressed"),
            (
                "open.csv",
                b'item,worker,label\na,v,x\nb,v,"y\nc,v,x\n',
                "open.csv:3: a quote opens here and is never closed",
            ),
            ("last.csv", b'item,worker,label\na,v,x\nb,v,"y', "last.csv:3: a quote opens here and is never closed"),
            (
                "swallow.csv",
                b'item,worker,label\na,v,"x\nb,v,x\nc,v,"y\nd,v,x\n',
                "swallow.csv:2: a quote opens here and closes in the middle of a value on line 4",
            ),
            ("mid.csv", b'item,worker,label\nb,"v,x\nc,v,x\n', "mid.csv:2: a quote opens here and is never closed"),
            ("no.jsonl", b"[]\n", "no.jsonl: no element of the list is an object"),
            ("1.jsonl", b"[]\n[1]\n", "1.jsonl: no line holds a JSON object; expected one object a line"),
            (
                "no.parquet",
                b"PAR1item,worker,label\n",
                "no.parquet: can.t be read as Parquet: Parquet magic",
            ),
            ("strange.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1...", "strange.xls: can't be read as a spreadsheet"),
            ("page.xls", b"\n<html><table>", "page.xls: this is HTML or XML; save the table in it as CSV"),
            ("none", b"item", "none: no column holds the worker"),
        ],
    )
    def test_say_what_and_where(self, write: Write, name: str, content: bytes, message: str) -> None:
        with pytest.raises(FormatError, match=message) as caught:
            read(write(name, content))
        assert "\n" not in str(caught.value)

    def test_missing_folder_and_forbidden(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(FormatError, match="none.csv: no such file"):
            read(tmp_path / "none.csv")
        with pytest.raises(FormatError, match="none: no such file; check the name"):
            read(tmp_path / "none")
        with pytest.raises(FormatError, match="no table to read in it: it is empty; expected files such as .csv"):
            read(tmp_path)
        (tmp_path / "j.csv").write_text(csv(ROWS))

        def refuse(*_: Any) -> Any:
            raise PermissionError

        monkeypatch.setattr(Path, "open", refuse)
        with pytest.raises(FormatError, match="j.csv: may not be read"):
            read(tmp_path / "j.csv")

    def test_other_trouble_with_the_disk(self, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        path = write("j.csv", csv(ROWS))

        def fail(*_: Any) -> Any:
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(Path, "open", fail)
        with pytest.raises(FormatError, match="j.csv: can't be read: input/output error"):
            read(path)
        monkeypatch.undo()
        with pytest.raises(FormatError, match="can't be read: not a directory"):
            read(path / "x.csv")

    def test_no_table_at_all(self) -> None:
        with pytest.raises(FormatError, match="judgments: 7 can't be read; give a path"):
            read(7)
        with pytest.raises(ConfigError, match="setting repeats = 'never'"):
            read(frame(), repeats="never")

    def test_one_empty_shard_among_others_is_fine(self, write: Write) -> None:
        shards = [write("0.csv", csv([])), write("1.csv", csv(ROWS))]
        assert read(shards).tally.read == 4


text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)


@examples(80)
@given(
    st.lists(st.tuples(text, text, st.one_of(st.none(), text)), min_size=1, max_size=12, unique_by=lambda r: r[:2]),
    st.sampled_from([".csv", ".tsv", ".parquet", ".jsonl"]),
)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str | None]], ending: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"round{ending}"
    writing.write(pd.DataFrame(rows, columns=["item", "worker", "label"], dtype="str"), path, raw_cells=True)
    judgments = read(path)
    assert rows_of(judgments) == sorted((i, w, k) for i, w, k in rows if k is not None)
    assert (judgments.tally.read, judgments.tally.rejected) == (len(rows), 0)
    assert balanced(judgments)


def test_same_judgments_in_any_order_are_the_same_arrays() -> None:
    rng = np.random.default_rng(0)
    table = frame([(f"i{i}", f"w{w}", f"l{(i * w) % 3}") for i in range(30) for w in range(6)])
    first = read(table)
    for _ in range(3):
        other = read(table.sample(frac=1, random_state=rng))
        for name in ("item", "worker", "label", "item_start"):
            assert np.array_equal(getattr(first, name), getattr(other, name))


def test_codes_too_large_for_one_number(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = read(frame())
    monkeypatch.setattr("consensus.inputs.ordering.KEY_BITS", 1)
    assert rows_of(read(frame(), repeats="last")) == rows_of(read(frame(), repeats="keep")) == rows_of(usual)


def test_judgments_with_times_are_in_the_same_order() -> None:
    with_times = read(frame().assign(timestamp="2025-01-01"), repeats="keep")
    assert rows_of(with_times) == rows_of(read(frame(), repeats="keep"))


def test_what_could_not_be_opened_is_closed_in_silence(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Tap(tmp_path / "none.csv")
    Tap.__new__(Tap).close()  # as Python does with what is left of it
