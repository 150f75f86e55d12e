"""The columns of weights and clusters, which are read only when they are named and are about the item."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import consensus
from consensus import fit, read, read_model_votes
from consensus.config import ReadConfig
from consensus.errors import ConfigError, FormatError, JudgmentError
from consensus.formats import writing
from consensus.inputs import item_columns
from consensus.inputs.judgments import Judgments
from consensus.models import memory_needs
from consensus.runs import finished
from tests.conftest import ROOT, Run, csv
from tests.formats.test_blocks import blocks_of
from tests.formats.test_keep import alike
from tests.workbooks import xlsx

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

Write = Callable[[str, str | bytes], Path]
NAMES = ("item", "worker", "label", "area", "image")
HEADER = ",".join(NAMES) + "\n"
BOTH: dict[str, Any] = {"weight": "area", "cluster": "image"}
ROWS = [
    ("b", "v", "x", "0.5", "p2"),
    ("a", "v", "x", "3", "p1"),
    ("c", "v", None, "7", None),
    ("a", "w", "y", "3.0", "p1"),
]
EXPECTED: dict[str, tuple[float, str | None]] = {"a": (3.0, "p1"), "b": (0.5, "p2"), "c": (7.0, None)}


def of(judgments: Judgments) -> dict[str, tuple[float, str | None]]:
    """Weight and cluster by item."""
    assert judgments.weight is not None
    assert judgments.cluster is not None
    assert judgments.cluster_ids is not None
    assert judgments.weight.dtype == np.float64
    assert judgments.cluster.dtype == np.int32
    assert len(judgments.weight) == len(judgments.cluster) == judgments.n_items
    assert judgments.n_clusters == len(judgments.cluster_ids)
    names = [*judgments.cluster_ids.to_pylist(), None]
    codes = judgments.cluster.tolist()
    return dict(
        zip(judgments.item_ids.to_pylist(), zip(judgments.weight, [names[n] for n in codes], strict=True), strict=True)
    )


class TestReading:
    @pytest.mark.parametrize("size", [1, 30, 1 << 20])
    @pytest.mark.parametrize("ending", [".csv", ".tsv", ".csv.gz", ".jsonl", ".parquet", ""])
    def test_every_source_reads_them_alike(self, tmp_path: Path, ending: str, size: int) -> None:
        table = pd.DataFrame(ROWS, columns=list(NAMES))
        source: Any = table
        if ending:
            source = tmp_path / f"judgments{ending}"
            plain = source.with_suffix("") if ending.endswith("gz") else source
            writing.write(table, plain)
            if ending.endswith("gz"):
                source.write_bytes(pa.compress(plain.read_bytes(), "gzip", asbytes=True))
        with blocks_of(size):
            found = read(source, **BOTH)
        assert of(found) == EXPECTED
        assert found.tally.abstained == 1
        assert "1 item has no cluster, and stands for itself" in found.notes
        alike(found, read(source))

    @pytest.mark.parametrize(
        "cells",
        [
            [1.0, 2.0, 3.0],
            [1, 2, 3],
            np.array([1, 2, 3], np.float32),
            ["1", " 2 ", "3e0"],
            pl.Series([1, 2, 3]),
            pd.Categorical(["1", "2", "3"]),
            pd.array([1, 2, 3], dtype="Int64"),
        ],
    )
    def test_kinds_of_numbers(self, cells: Any) -> None:
        found = read({"item": list("abc"), "worker": list("vvv"), "label": list("xyx"), "area": cells}, weight="area")
        assert found.weight is not None
        assert found.weight.tolist() == [1.0, 2.0, 3.0]
        assert found.cluster is None

    @pytest.mark.parametrize("name", ["weight", "area", "cluster", "image"])
    def test_not_unless_they_are_named(self, name: str, write: Write) -> None:
        found = read(write("j.csv", f"item,worker,label,{name}\na,v,x,1\n"))
        assert (found.weight, found.cluster, found.cluster_ids, found.n_clusters) == (None, None, None, 0)
        assert found.unused == (name,)

    def test_a_spreadsheet(self, tmp_path: Path) -> None:
        path = xlsx(tmp_path / "j.xlsx", {"one": [list(NAMES), *ROWS]})
        assert of(read(path, **BOTH)) == EXPECTED

    def test_what_is_named_is_no_item(self, write: Write) -> None:
        path = write("j.csv", "chunk,image,worker,label\na,p,v,x\n")
        with pytest.raises(FormatError, match="no column holds the item"):
            read(path, cluster="image")
        assert read(path, item="chunk", cluster="image").n_clusters == 1
        both = read(path, item="chunk", cluster="image", group="image")
        assert both.group_ids == both.cluster_ids
        with pytest.raises(FormatError, match=r'column "image" can\'t be both (cluster and item|item and cluster)'):
            read(path, item="image", cluster="image")
        priced = write("p.csv", "item,worker,label,price\na,v,x,3\n")
        assert (found := read(priced, weight="price")).price is None
        assert found.weight is not None

    def test_columns_that_are_not_there(self, write: Write) -> None:
        path = write("j.csv", "item,worker,label\na,v,x\n")
        for role in ("weight", "cluster"):
            named: dict[str, Any] = {role: "q"}
            with pytest.raises(FormatError, match=f'no column "q" for the {role}; .*; correct --{role}'):
                read(path, **named)
        with pytest.raises(FormatError, match="j2.csv: no column"):
            read([write("j1.csv", HEADER + "a,v,x,1,p\n"), write("j2.csv", "item,worker,label\nb,v,x\n")], **BOTH)

    def test_several_files(self, write: Write) -> None:
        one = write("one.csv", HEADER + "b,v,x,2,p2\na,v,x,1,p1\n")
        two = write("two.jsonl", '{"item": "b", "worker": "w", "label": "y", "area": 2, "image": "p2"}\n')
        for files in ([one, two], [two, one]):
            assert of(read(files, **BOTH)) == {"a": (1.0, "p1"), "b": (2.0, "p2")}
        three = write("three.csv", HEADER + "b,u,x,2.5,p2\n")
        with pytest.raises(
            JudgmentError, match=r"three\.csv:2: item \"b\" has the weight 2\.5 here and 2 in .*one\.csv:2"
        ):
            read([one, three], **BOTH)

    def test_what_was_understood(self) -> None:
        found = read(pd.DataFrame(ROWS, columns=list(NAMES)), **BOTH)
        told = {one.role: (one.name, one.because, one.n_values) for one in found.understood}
        assert told["weight"] == ("area", "named", 3)
        assert told["cluster"] == ("image", "named", 2)

    @given(st.data())
    def test_as_pandas_groups_them(self, data: st.DataObject) -> None:
        n = data.draw(st.integers(1, 12))
        items = pd.DataFrame(
            {
                "area": data.draw(st.lists(st.floats(1e-6, 1e6), min_size=n, max_size=n)),
                "image": data.draw(st.lists(st.sampled_from(["p", "q", "r", None]), min_size=n, max_size=n)),
            },
            index=[f"i{k}" for k in range(n)],
        )
        rows = data.draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, 3)), min_size=1, max_size=40))
        table = pd.DataFrame(
            {"item": [f"i{i}" for i, _ in rows], "worker": [f"w{w}" for _, w in rows], "label": "x"}
        ).join(items, on="item")
        expected = {item: (one["area"], one["image"]) for item, one in items.iterrows() if item in set(table["item"])}
        assert of(read(table, **BOTH, repeats="keep")) == {
            item: (area, None if pd.isna(image) else image) for item, (area, image) in expected.items()
        }


class TestWrong:
    @pytest.mark.parametrize(
        ("cell", "said"),
        [
            ("", "is missing"),
            ("  ", "is "),
            ("abc", 'is "abc"'),
            ("0", 'is "0"'),
            ("-1", 'is "-1"'),
            ("nan", 'is "nan"'),
            ("inf", 'is "inf"'),
            ("1e16", 'is "1e16"'),
            ('"1,5"', 'is "1,5"'),
            ("true", 'is "true"'),
        ],
    )
    def test_weights_are_never_taken_for_one(self, cell: str, said: str, write: Write) -> None:
        path = write("j.csv", HEADER + f"a,v,x,2,p\nb,v,x,{cell},p\nc,v,y,{cell},p\n")
        with pytest.raises(
            FormatError, match=r"j\.csv:3: the weight .* in column \"area\"; expected a number"
        ) as error:
            read(path, weight="area")
        assert f"the weight {said}" in str(error.value)
        assert (error.value.code, error.value.line) == ("bad_row", 3)

    @pytest.mark.parametrize("cells", [[True], [None], [np.nan], [b"\xff"], [-2.5], ["x"]])
    def test_cells_of_frames(self, cells: list[Any]) -> None:
        with pytest.raises(FormatError, match=r"data frame:1: the weight .* in column \"area\""):
            read({"item": ["a"], "worker": ["v"], "label": ["x"], "area": cells}, weight="area")

    @pytest.mark.parametrize(("given", "said"), [(-(2**62), 'is "-4.61169e\\+18 seconds"'), (None, "is missing")])
    def test_times_that_python_can_not_hold(self, given: int | None, said: str) -> None:
        cells = pa.array([given], pa.int64()).cast(pa.duration("s"))
        with pytest.raises(FormatError, match=f"the weight {said}"):
            read({"item": ["a"], "worker": ["v"], "label": ["x"], "area": cells}, weight="area")

    def test_lists_in_json_lines(self, write: Write) -> None:
        path = write("j.jsonl", '{"item": "a", "worker": "v", "label": "x", "area": [3]}')
        with pytest.raises(FormatError, match=r"j\.jsonl:1: the weight is"):
            read(path, weight="area")

    def test_in_a_second_block(self, write: Write) -> None:
        rows = "".join(f"i{n},v,x,{n + 1},p\n" for n in range(50))
        path = write("j.csv", HEADER + rows + "z,v,x,no,p\n" + rows)
        with blocks_of(64), pytest.raises(FormatError, match=r'j\.csv:52: the weight is "no"'):
            read(path, weight="area")

    def test_rows_of_an_item_that_differ(self, write: Write) -> None:
        path = write("j.csv", HEADER + "b,v,x,1,p\na,v,x,3,p\na,w,,2,p\n")
        with pytest.raises(JudgmentError, match=r"j\.csv:4: item \"a\" has the weight 2 here and 3 in .*j\.csv:3; all"):
            read(path, weight="area")
        path = write("k.csv", HEADER + "a,v,x,3,p\na,w,x,3,q\n")
        with pytest.raises(JudgmentError, match=r"item \"a\" has the cluster \"q\" here and \"p\" in .*k\.csv:2; all"):
            read(path, **BOTH)
        path = write("l.csv", HEADER + "a,v,x,3,p\na,w,x,3,\n")
        with pytest.raises(JudgmentError, match=r"cluster \(none\) here and \"p\" in .*--cluster"):
            read(path, **BOTH)

    def test_rows_that_are_not_used_say_nothing(self, write: Write) -> None:
        path = write("j.csv", (HEADER + "a,v,x,3,p\n,v,x,no,p\na,w,x,9,q\na,u,y,3,").encode() + b"\xff\n")
        found = read(path, **BOTH, drop=["area=9"])
        assert of(found) == {"a": (3.0, "p")}
        assert [(one.line, one.reason) for one in found.rejects] == [
            (3, "the item is missing"),
            (5, "the cluster is not UTF-8"),
        ]

    def test_no_row_is_used(self, write: Write) -> None:
        found = read(write("j.csv", HEADER + ",v,x,3,p\n"), **BOTH)
        assert of(found) == {}

    def test_names_that_are_taken(self) -> None:
        for name in ("weight", "cluster"):
            with pytest.raises(ConfigError, match=f'the table of labels has a column "{name}" of its own'):
                ReadConfig(keep=(name,))


class TestTheyStay:
    def test_whatever_becomes_of_judgments(self) -> None:
        found = read(pd.DataFrame(ROWS, columns=list(NAMES)), **BOTH)
        assert of(found.subset(np.array([True, False, False]))) == EXPECTED
        assert of(found.with_labels(["y", "x"])) == EXPECTED
        assert found.to_pandas()[["weight", "cluster"]].to_numpy().tolist() == [[3.0, "p1"], [3.0, "p1"], [0.5, "p2"]]
        again = found.to_pandas()
        assert of(read(again, weight="weight", cluster="cluster")) == {k: EXPECTED[k] for k in "ab"}

    def test_gold_workers(self) -> None:
        found = read(pd.DataFrame(ROWS, columns=list(NAMES)), **BOTH)
        run = consensus.run(found, gold_worker=["w"])
        assert of(run.result.judgments) == EXPECTED

    def test_items_that_only_models_know_weigh_one(self) -> None:
        found = read(pd.DataFrame(ROWS, columns=list(NAMES)), **BOTH)
        votes = read_model_votes({"item": ["b", "aa"], "model": ["m", "m"], "label": ["x", "y"]})
        judged = fit(found, model_votes=votes).judgments
        assert of(judged) == {**EXPECTED, "aa": (1.0, None)}
        plain = replace(found, weight=None, cluster=None, cluster_ids=None)
        assert item_columns.moved(plain, np.arange(3, dtype=np.int32), 4) == {"kept": ()}

    @pytest.mark.parametrize("repeats", ["first", "last", "keep"])
    def test_repeats(self, repeats: Any) -> None:
        table = pd.DataFrame([*ROWS, ("a", "v", "y", "3", "p1")], columns=list(NAMES))
        assert of(read(table, **BOTH, repeats=repeats)) == EXPECTED

    def test_items_that_are_folded_must_agree(self) -> None:
        table = pd.DataFrame([("A", "v", "x", "1", "p"), ("a", "w", "x", "1", "p")], columns=list(NAMES))
        assert list(of(read(table, **BOTH, fold=["items"])).values()) == [(1.0, "p")]
        table["area"] = ["1", "2"]
        with pytest.raises(JudgmentError, match="has the weight 2 here and 1 in"):
            read(table, **BOTH, fold=["items"])

    def test_wide_tables(self, write: Write) -> None:
        path = write("w.csv", "item,area,image,ana,bob\na,3,p,x,y\nb,2,p,x,\n")
        expected = {"a": (3.0, "p"), "b": (2.0, "p")}
        assert of(read(path, **BOTH, wide="workers", wide_columns=["ana", "bob"])) == expected
        path = write("q.csv", "item,worker,area,image,mood,tone\na,v,3,p,x,y\nb,v,2,p,y,x\n")
        assert of(read(path, **BOTH, questions=["mood", "tone"], only="tone")) == expected
        path = write("c.csv", "item,area,image,cat,dog\na,3,p,1,2\nb,2,p,0,4\n")
        assert of(read(path, **BOTH, wide="counts", wide_columns=["cat", "dog"])) == expected
        path = write("n.csv", "item,label,area,image,n\na,x,3,p,1\nb,y,2,p,2\n")
        assert of(read(path, **BOTH, counts="n")) == expected

    def test_each_question(self) -> None:
        rows = [
            (q, f"i{i}", f"w{w}", "xy"[i % 2], 1 + i, f"p{i % 2}") for q in "qr" for i in range(6) for w in range(3)
        ]
        several = consensus.run_by(pd.DataFrame(rows, columns=["question", *NAMES]), by="question", **BOTH)
        for one in several.values():
            assert one.result.judgments.weight is not None
            assert one.result.judgments.weight.tolist() == [1, 2, 3, 4, 5, 6]
            assert one.labels["cluster"].tolist() == ["p0", "p1"] * 3

    @pytest.mark.parametrize(
        ("name", "column", "value"),
        [
            ("label-studio.json", "project", 7.0),
            ("lewidi.json", "number of annotations", 3.0),
            ("mturk.csv", "MaxAssignments", 4.0),
        ],
    )
    def test_exports_of_platforms(self, name: str, column: str, value: float) -> None:
        path = ROOT / "tests" / "platforms" / name
        found = read(path, weight=column)
        assert found.weight is not None
        assert found.weight[0] == value
        assert read(path, cluster=column).n_clusters == len(set(found.weight.tolist()))

    def test_memory_counts_them(self) -> None:
        found = read(pd.DataFrame(ROWS, columns=list(NAMES)), **BOTH)
        assert found.cluster_ids is not None
        without = replace(found, weight=None, cluster=None, cluster_ids=None)
        n_bytes = found.cluster_ids.nbytes
        assert memory_needs.of(found).tables == memory_needs.of(without).tables + 2 * 8 * 3 + n_bytes
        assert memory_needs.of(found).reading == memory_needs.of(without).reading + 2 * 24 * 4 + 60 * 2 + 2 * n_bytes


class TestCommands:
    @pytest.fixture
    def judged(self, write: Write) -> Path:
        rows = [(f"i{i}", f"w{w}", "xy"[i % 2], str(1 + i), f"p{i % 3}") for i in range(9) for w in range(3)]
        return write("j.csv", csv(rows, HEADER.strip()))

    @pytest.mark.parametrize("command", ["run", "aggregate", "audit", "escalate", "check", "plan-budget"])
    def test_take_them(self, run: Run, judged: Path, tmp_path: Path, command: str) -> None:
        out = [["--output", tmp_path / name] if command == "run" else [] for name in ("1", "2")]
        assert run(command, judged, "--weight", "area", "--cluster", "image", *out[0]).status == 0
        ran = run(command, judged, "--weight", "size", *out[1])
        assert (ran.status, ran.out) == (1, "")
        assert 'j.csv: no column "size" for the weight; ' in ran.err
        assert "correct --weight" in ran.err

    def test_agreement_does_not(self, run: Run, judged: Path) -> None:
        assert "--weight" in run("agreement", judged, "--weight", "area").err

    def test_a_finished_run_remembers_them(self, run: Run, judged: Path, tmp_path: Path) -> None:
        out, without = tmp_path / "out", tmp_path / "without"
        options = ["--weight", "area", "--cluster", "image", "--no-report", "--output", out]
        ran = run("run", judged, *options)
        assert ran.status == 0
        assert 'weight is "area" (named, 9 values), cluster is "image" (named, 3 values)' in ran.err
        assert "items count by weight: 45 in all, 1 to 9 each" in ran.err
        assert "3 clusters of 3.0 items on average (3 at most)" in ran.err
        told = json.loads((out / "summary.json").read_text())
        assert (told["settings"]["weight"], told["settings"]["cluster"]) == ("area", "image")
        assert told["units"]["weights"] == {"sum": 45.0, "smallest": 1.0, "largest": 9.0}
        labels = pd.read_csv(out / "labels.csv")
        assert labels["weight"].tolist() == [*range(1, 10)]
        assert labels["cluster"].tolist() == ["p0", "p1", "p2"] * 3
        again = finished.inputs_of(out)
        assert again.judgments is not None
        assert again.judgments.n_clusters == 3
        assert run("explain", out, "i1").status == 0
        assert run("run", judged, "--output", without, "--no-report").status == 0
        told = json.loads((without / "summary.json").read_text())
        assert not {"weight", "cluster"} & {*told["settings"]}
        assert "units" not in told
        assert not {"weight", "cluster"} & {*pd.read_csv(without / "labels.csv").columns}

    def test_tables_in_memory(self, judged: Path, tmp_path: Path) -> None:
        made = consensus.run(pd.read_csv(judged), **BOTH)
        made.save(tmp_path / "out", report=False)
        again = consensus.load(tmp_path / "out")
        pd.testing.assert_frame_equal(again.labels, made.labels)
        assert of(again.result.judgments) == of(made.result.judgments)

    def test_gold_that_nobody_judged_weighs_nothing(self, judged: Path, tmp_path: Path) -> None:
        made = consensus.run(judged, gold={"i0": "x", "new": "y"}, **BOTH)
        assert made.labels.iloc[-1][["item", "source"]].tolist() == ["new", "gold"]
        assert made.labels.iloc[-1][["weight", "cluster"]].isna().all()
        made.save(tmp_path / "out", report=False)
        assert pd.read_csv(tmp_path / "out" / "labels.csv")["weight"].isna().tolist() == [False] * 9 + [True]

    def test_clusters_with_quotes(self, tmp_path: Path) -> None:
        table = pd.DataFrame([("a", w, "x", "1", 'p,"1"') for w in "vw"], columns=list(NAMES))
        consensus.run(table, **BOTH).save(tmp_path / "out", report=False)
        assert pd.read_csv(tmp_path / "out" / "labels.csv")["cluster"].tolist() == ['p,"1"']

    def test_they_come_too_late_for_judgments_that_were_read(self, judged: Path) -> None:
        known = read(judged, **BOTH)
        assert consensus.run(known).inputs.config.weight == "area"
        with pytest.raises(ConfigError, match=r"setting weight: the judgments were read before"):
            consensus.run(known, weight="image")
