"""Columns that nobody understands, carried to the labels: what they hold, what is said, what is refused."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import consensus
from consensus import read
from consensus.config import read_settings
from consensus.errors import ConfigError, FormatError
from consensus.formats.tables import delimited
from consensus.inputs.judgments import Judgments
from consensus.runs import columns
from consensus.runs.questions import run_by
from tests import workbooks
from tests.conftest import Run, csv

Write = Callable[[str, str | bytes], Path]
HEADER = "unit_id,url,worker,label,note"
NOTES = ("", 'said "so"', "two\nlines", "a, b", "ä — 猫", "1.50")


def crowd(seed: int, n: int = 400) -> pd.DataFrame:
    """Rows with empty cells everywhere, in any order; an address of an item has one of two spellings, or none."""
    rng = np.random.default_rng(seed)
    item = rng.integers(0, 60, n)
    frame = pd.DataFrame(
        {
            "unit_id": [f"i{i}" for i in item],
            "url": [
                ("", f"https://x.org/{i}", f"http://x.org/{i}")[k]
                for i, k in zip(item, rng.integers(0, 3, n), strict=True)
            ],
            "worker": [f"w{w}" for w in rng.integers(0, 9, n)],
            "label": [("cat", "dog", "")[k] for k in rng.choice(3, n, p=[0.5, 0.4, 0.1])],
            "note": [NOTES[i % len(NOTES)] for i in item],
        }
    )
    frame.loc[frame["unit_id"] == "i7", "url"] = ""
    return frame


def expected(frame: pd.DataFrame, name: str) -> dict[str, str | None]:
    """The first value that is not empty, by item."""
    filled = frame[(frame[name] != "") & frame[name].notna()]
    first = filled.groupby("unit_id", sort=False)[name].first()
    return {item: first.get(item) for item in sorted(frame["unit_id"].unique())}


def kept(judgments: Judgments, n: int = 0) -> dict[str, str | None]:
    """What a kept column says of each item."""
    cells = judgments.kept[n].of(slice(0, judgments.n_items)).to_pylist()
    return dict(zip(judgments.item_ids.to_pylist(), cells, strict=True))


def alike(one: Judgments, other: Judgments) -> None:
    """The same judgments, in every respect but what is kept."""
    for name in ("item", "worker", "label", "item_start"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for name in ("tally", "labels", "rejects", "gold", "cautions", "anonymous"):
        assert getattr(one, name) == getattr(other, name), name
    assert one.item_ids.equals(other.item_ids)


def saved(frame: pd.DataFrame, kind: str, folder: Path) -> object:
    """The frame as a source of a kind."""
    path = folder / f"j.{kind}"
    text = frame.where(frame != "")
    if kind in {"csv", "csv.gz"}:
        frame.to_csv(path, index=False)
    elif kind == "tsv":
        frame.to_csv(path, index=False, sep="\t")
    elif kind == "parquet":
        text.to_parquet(path)
    elif kind == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    elif kind == "json":
        frame.to_json(path, orient="records")
    elif kind == "xlsx":
        workbooks.xlsx(path, {"one": [list(frame), *frame.to_numpy().tolist()]})
    else:
        made = {"pandas": text, "polars": pl.from_pandas(text), "arrow": pa.Table.from_pandas(text), "dict": dict(text)}
        made["categories"] = text.astype({"url": "category", "note": "category"})
        return made[kind]
    return path


KINDS = ["csv", "csv.gz", "tsv", "parquet", "jsonl", "json", "xlsx", "pandas", "polars", "arrow", "dict", "categories"]


class TestPlainTables:
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("seed", [1, 2])
    def test_hold_what_pandas_finds(self, kind: str, seed: int, tmp_path: Path) -> None:
        frame = crowd(seed)
        source = saved(frame, kind, tmp_path)
        found = read(source, keep=["url", "note"])
        assert [one.name for one in found.kept] == ["url", "note"]
        assert kept(found, 0) == expected(frame, "url")
        assert kept(found, 1) == expected(frame, "note")
        assert kept(found, 0)["i7"] is None
        assert not {"url", "note"} & {*found.unused}
        alike(found, read(source))

    def test_in_small_blocks(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(delimited, "BLOCK", 500)
        frame = crowd(3)
        for threads in (1, 3):
            assert kept(read(saved(frame, "csv", tmp_path), keep=["note"], threads=threads)) == expected(frame, "note")

    def test_of_several_files(self, write: Write) -> None:
        frame = crowd(4)
        paths = [write(f"{n}.csv", frame[n::3].to_csv(index=False)) for n in range(3)]
        assert kept(read(paths, keep=["url"])) == expected(pd.concat([frame[n::3] for n in range(3)]), "url")
        lacks = write("4.csv", csv([("i1", "w1", "cat")], "unit_id,worker,label"))
        with pytest.raises(FormatError, match=r'4\.csv: no column "url" for --keep; the columns are: unit_id, worker'):
            read([*paths, lacks], keep=["url"])

    def test_numbers_and_times_are_text(self) -> None:
        frame = pd.DataFrame({"item": ["a", "b"], "worker": ["v", "v"], "label": ["x", "y"], "n": [1.0, 2.0]})
        frame["half"] = np.array([0.5, np.nan])
        frame["day"] = np.array(["2024-01-05", "NaT"], "datetime64[s]")
        frame["is_new"] = [True, False]
        found = read(frame, keep=["n", "half", "is_new", "day"])
        assert [kept(found, n)["a"] for n in range(3)] == ["1", "0.5", "true"]
        assert [kept(found, n)["b"] for n in (1, 3)] == [None, None]
        assert str(kept(found, 3)["a"]).startswith("2024-01-05")

    def test_lists(self, write: Write) -> None:
        rows = [{"item": "a", "worker": w, "label": "x", "tags": ["new", "old"], "of": {"id": 1}} for w in "vw"]
        found = read(write("j.jsonl", "\n".join(map(json.dumps, rows))), keep=["tags", "of", "of.id"])
        assert [kept(found, n)["a"] for n in range(3)] == ['["new", "old"]', '{"id": "1"}', "1"]
        assert found.tally.used == 2
        with pytest.raises(
            FormatError, match="the kept tags column holds list.*, not single values; leave it out of --keep"
        ):
            read(pd.DataFrame(rows), keep=["tags"])

    def test_rows_that_end_early_count_as_before(self, write: Write) -> None:
        rows = [
            f"i{i},w{w},{'cat' if i % 2 else 'dog'}" + (f",text {i}" if w else "") for i in range(30) for w in (0, 1)
        ]
        path = write("j.csv", "\n".join(["item,worker,label,text", *rows]) + "\n")
        found = read(path, keep=["text"])
        alike(found, read(path))
        assert kept(found) == {f"i{i}": f"text {i}" for i in range(30)}
        short = write("s.csv", "\n".join(["item,worker,label,text", *(f"i{i},w,x" for i in range(9))]) + "\n")
        found = read(short, keep=["text"])
        assert set(kept(found).values()) == {None}
        assert found.notes[-1] == "--keep text: no row has a value there, so that the column is empty"

    def test_bytes_that_are_not_utf8(self, write: Write) -> None:
        path = write("j.csv", b"item,worker,label,text\na,v,x,caf\xe9\na,w,x,\nb,v,y,caf\xc3\xa9\nb,w,y,\xe9t\xe9\n")
        found = read(path, keep=["text"])
        alike(found, read(path))
        assert kept(found) == {"a": "caf\\xe9", "b": "café"}
        assert "--keep text: 2 cells are not UTF-8, and written with \\xNN; name their --encoding" in found.notes
        assert kept(read(path, keep=["text"], encoding="latin-1"))["a"] == "café"
        one = write("one.csv", b"item,worker,label,text\na,v,x,caf\xe9\n")
        assert "--keep text: 1 cell is not UTF-8, " in read(one, keep=["text"]).notes[-1]

    def test_without_a_header(self, write: Write) -> None:
        path = write("j.csv", "".join(f"i{i},w{w},{'xy'[i % 2]},t{i}\n" for i in range(20) for w in range(3)))
        found = read(path, keep=["column 4"], no_header=True)
        assert kept(found)["i3"] == "t3"
        assert [one.name for one in found.understood] == ["column 1", "column 2", "column 3"]

    def test_beside_other_settings(self, write: Write) -> None:
        rows = [
            (f"i{i}", f"w{w}", "xy"[i % 2], f"b{i % 4}", f"2024-03-0{w + 1}", i + w)
            for i in range(8)
            for w in (0, 1, 2)
        ]
        path = write("j.csv", csv(rows, "item,worker,label,batch,created_at,price"))
        group, drop = "batch", ["batch=b3", "price=0"]
        found = read(path, keep=["batch", "created_at", "price"], group=group, drop=drop)
        alike(found, other := read(path, group=group, drop=drop))
        assert found.group_ids is not None
        assert found.group_ids.equals(other.group_ids)
        np.testing.assert_array_equal(found.price, other.price)
        assert [kept(found, n)["i0"] for n in range(3)] == ["b0", "2024-03-02", "1"]
        assert [kept(found, n)["i2"] for n in range(3)] == ["b2", "2024-03-01", "2"]
        assert "i3" not in kept(found)

    def test_of_items_that_are_folded(self, write: Write) -> None:
        path = write(
            "j.csv", csv([("A", "v", "x", ""), ("a", "w", "x", "t"), ("b", "w", "y", "u")], "item,worker,label,text")
        )
        assert sorted(kept(read(path, keep=["text"], fold=["items"])).values()) == ["t", "u"]  # type: ignore[type-var]

    def test_explains_repeats_as_before(self, write: Write) -> None:
        rows = [(f"i{i}", f"w{w}", "xy"[(i + p) % 2], p) for i in range(20) for w in range(5) for p in range(2)]
        path = write("j.csv", csv(rows, "item,worker,label,part"))
        alike(read(path, keep=["part"]), read(path))


class TestWideTables:
    def test_workers(self, write: Write) -> None:
        rows = [(f"i{i}", f"t{i}", *("xy"[(i + w) % 2] for w in range(4))) for i in range(12)]
        path = write("j.csv", csv(rows, "item,text,ana,bob,cat,dan"))
        found = read(path, keep=["text"], wide="workers")
        assert kept(found) == {f"i{i}": f"t{i}" for i in range(12)}
        assert found.n_workers == 4
        with pytest.raises(
            FormatError, match=r'column "bob" can\'t be both kept \(--keep bob\) and one of the workers'
        ):
            read(path, keep=["bob"], wide="workers", wide_columns=["ana", "bob"])
        grid = write("g.csv", csv([row[2:] for row in rows], "ana,bob,cat,dan"))
        assert read(grid, wide="workers").n_items == 12
        with pytest.raises(FormatError, match="no column holds the item"):
            read(grid, wide="workers", keep=["bob"])

    def test_questions_and_counts(self, write: Write) -> None:
        rows = [(f"i{i}", f"t{i}", f"w{w}", "xy"[i % 2], "pq"[w % 2]) for i in range(6) for w in range(3)]
        path = write("q.csv", csv(rows, "item,text,worker,mood,tone"))
        assert kept(read(path, keep=["text"], questions=["mood", "tone"], only="tone"))["i4"] == "t4"
        path = write("c.csv", csv([(f"i{i}", f"t{i}", 2, 3) for i in range(6)], "item,text,yes,no"))
        assert kept(read(path, keep=["text"], wide="counts"))["i5"] == "t5"
        path = write("n.csv", csv([("a", "t", "x", 2), ("a", "u", "y", 1)], "item,text,label,n"))
        assert kept(read(path, keep=["text"], counts="n")) == {"a": "t"}


class TestWhatIsSaid:
    def test_of_several_values(self, write: Write, run: Run, tmp_path: Path) -> None:
        rows = [("a", "v", "x", "one"), ("a", "w", "x", "two"), ("b", "v", "x", "three"), ("b", "w", "y", "")]
        path = write("j.csv", csv(rows, "item,worker,label,text"))
        said = '--keep text: 1 of 2 items has several values, such as "one", then "two"; the first is kept'
        assert said in read(path, keep=["text"]).notes
        assert said in run("run", path, "--output", tmp_path / "out", "--keep", "text").err.splitlines()
        more = write("k.csv", csv([*rows, ("b", "x", "y", "four\n4")], "item,worker,label,text"))
        said = '--keep text: 2 of 2 items have several values, such as "one", then "two"; the first is kept'
        assert read(more, keep=["text"]).notes[-1] == said
        alone = write("l.csv", csv(rows[:2], "item,worker,label,text"))
        said = '--keep text: 1 of 1 item has several values, such as "one", then "two"; the first is kept'
        assert read(alone, keep=["text"]).notes[-1] == said

    def test_of_a_column_that_is_not_there(self, write: Write) -> None:
        path = write("j.csv", csv([("a", "v", "x", "t")], "item,worker,label,text"))
        with pytest.raises(
            FormatError,
            match='j.csv: no column "txt" for --keep; the columns are: item, worker, label, text; correct it',
        ):
            read(path, keep=["txt"])
        twice = write("t.csv", csv([("a", "v", "x", "t", "u")], "item,worker,label,text,text"))
        with pytest.raises(FormatError, match='2 columns are called "text"; rename all but one'):
            read(twice, keep=["text"])

    @pytest.mark.parametrize(
        ("name", "why"),
        [
            ("unit", "is the item, that labels.csv holds anyway"),
            ("annotator", "is the worker, of which an item has several"),
            ("answer", "is the label, of which an item has several"),
        ],
    )
    def test_of_a_column_that_is_used(self, name: str, why: str, write: Write) -> None:
        path = write("j.csv", csv([("a", "v", "x", "t")], "unit,annotator,answer,text"))
        with pytest.raises(FormatError, match=f'j.csv: column "{name}" {why}; --keep is for columns that nothing else'):
            read(path, keep=["text", name])

    def test_of_names_that_are_none(self, write: Write) -> None:
        path = write("j.csv", csv([("a", "v", "x", "t", "q")], "item,worker,label,status,topic"))
        with pytest.raises(
            ConfigError, match='keep .*the table of labels has a column "status" of its own; give that of'
        ):
            read(path, keep=["status"])
        with pytest.raises(ConfigError, match="keep .*the name of a column is empty"):
            read(path, keep=[""])
        with pytest.raises(
            ConfigError, match="by tells questions by topic, which all items of one share; leave it out"
        ):
            read(path, keep=["topic"], by="topic", only="q")
        assert len(read(path, keep=["topic", "topic"]).kept) == 1

    def test_names_of_the_table_are_known(self) -> None:
        assert tuple(one.name for one in columns.LABELS) == read_settings.OF_LABELS


class TestRuns:
    ROWS = tuple((f"i{i}", f"w{w}", "xy"[(i * w) % 3 == 1], f'"t, {i}"', f"u{i}") for i in range(20) for w in range(4))
    TABLE = "item,worker,label,text,url"

    def labels(self, path: Path) -> pd.DataFrame:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        if path.suffix == ".jsonl":
            return pd.read_json(path, lines=True, dtype=False)
        return pd.read_csv(path, dtype=str)

    @pytest.mark.parametrize("form", ["csv", "parquet", "jsonl"])
    def test_labels_end_in_it(self, form: str, run: Run, write: Write, tmp_path: Path) -> None:
        path = write("j.csv", csv(self.ROWS, self.TABLE))
        for out, keep in (("plain", ()), ("kept", ("--keep", "text", "--keep", "url"))):
            ran = run("run", path, "--output", tmp_path / out, "--format", form, *keep)
            assert ran.status == 0, ran.err
        plain, found = (self.labels(tmp_path / out / f"labels.{form}") for out in ("plain", "kept"))
        assert list(found) == [*plain, "text", "url"]
        pd.testing.assert_frame_equal(found[list(plain)], plain)
        assert found["text"].tolist() == [f"t, {item[1:]}" for item in found["item"]]
        for other in ("workers", "confusions", "escalations", "rejects"):
            assert (tmp_path / f"kept/{other}.{form}").read_bytes() == (tmp_path / f"plain/{other}.{form}").read_bytes()

    def test_what_is_written_of_a_plain_text(self, run: Run, write: Write, tmp_path: Path) -> None:
        path = write("j.csv", csv(self.ROWS, self.TABLE))
        run("run", path, "--output", tmp_path / "out", "--keep", "url")
        assert (tmp_path / "out" / "labels.csv").read_text().startswith("item,label,confidence,")

    def test_settings_and_a_second_look(self, run: Run, write: Write, tmp_path: Path) -> None:
        path, out = write("j.csv", csv(self.ROWS, self.TABLE)), tmp_path / "out"
        settings = write("s.toml", 'keep = ["url"]\n')
        assert run("run", path, "--output", out, "--config", settings).status == 0
        assert json.loads((out / "summary.json").read_text())["settings"]["keep"] == ["url"]
        assert run("explain", out, "i3").status == 0
        ran = run("aggregate", path, "--config", settings, "--keep", "text")
        assert ran.out.splitlines()[0].split(",")[-1] == '"text"'
        assert run("run", path, "--output", tmp_path / "none").status == 0
        assert "keep" not in json.loads((tmp_path / "none" / "summary.json").read_text())["settings"]

    def test_check_says_that_it_is_used(self, run: Run, write: Write) -> None:
        ran = run("check", write("j.csv", csv(self.ROWS, self.TABLE)), "--keep", "text")
        assert ran.status == 0
        assert 'not used: "url"' in ran.out + ran.err
        assert "--keep" in run("run", "--help").out

    def test_gold_and_votes_beside(self, write: Write) -> None:
        judged = read(write("j.csv", csv(self.ROWS, self.TABLE)), keep=["text"])
        votes = pd.DataFrame({"item": ["a0", "i3", "z9"], "model": "m", "label": ["x", "y", "x"], "probability": 0.9})
        gold = pd.DataFrame({"item": ["i1", "q1"], "label": ["x", "y"]})
        table = consensus.run(judged, model_votes=votes, gold=gold).labels.set_index("item")["text"]
        expected = {f"i{i}": f"t, {i}" for i in range(20)}
        assert {item: text for item, text in table.items() if isinstance(text, str)} == expected
        assert set(table.index) == {*expected, "a0", "z9", "q1"}
        only_gold = consensus.run(judged, gold=gold).labels.set_index("item")["text"]
        assert list(only_gold.index[only_gold.isna()]) == ["q1"]

    def test_costs_come_before(self, write: Write) -> None:
        judged = read(write("j.csv", csv(self.ROWS, self.TABLE)), keep=["text"])
        costs = pd.DataFrame({"true": ["x", "y"], "label": ["y", "x"], "cost": [1, 5]})
        found = consensus.run(judged, costs=costs, gold=pd.DataFrame({"item": ["i1", "q1"], "label": ["x", "y"]}))
        assert list(found.labels)[-3:] == ["decision", "expected_cost", "text"]

    def test_each_of_several_questions(self, run: Run, write: Write, tmp_path: Path) -> None:
        rows = [(*row, q) for row in self.ROWS for q in ("mood", "tone")]
        path = write("j.csv", csv(rows, f"{self.TABLE},question"))
        several = run_by(path, by="question", keep=["text"])
        assert all(one.labels["text"].tolist() == several["mood"].labels["text"].tolist() for one in several.values())
        assert run("run", path, "--output", tmp_path / "out", "--by", "question", "--keep", "url").status == 0
        for name in ("mood", "tone"):
            found = self.labels(tmp_path / "out" / name / "labels.csv")
            assert found["url"].tolist() == [f"u{item[1:]}" for item in found["item"]]
