"""The column of groups (batch, topic, HIT), which is read only when it is named."""

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

from consensus import fit, read, read_model_votes, worker_audit
from consensus.errors import ConfigError, FormatError
from consensus.formats import writing
from consensus.found.copies import Copies
from consensus.inputs.judgments import Judgments
from consensus.models import memory_needs
from consensus.runs import finished
from consensus.worker_audit.copying import followers
from tests.conftest import ROOT, Run, csv
from tests.formats.test_blocks import blocks_of

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

Write = Callable[[str, str | bytes], Path]
HEADER = "item,worker,label,batch\n"
TABLE: dict[str, Any] = {"item": list("dbca"), "worker": ["v"] * 4, "label": list("xyxy")}


def groups(judgments: Judgments) -> list[str | None]:
    """(J,) the group of each judgment."""
    assert judgments.group is not None
    assert judgments.group_ids is not None
    assert judgments.group.dtype == np.int32
    assert judgments.n_groups == len(judgments.group_ids)
    names = [*judgments.group_ids.to_pylist(), None]
    return [names[code] for code in judgments.group.tolist()]


@pytest.mark.parametrize("size", [1, 30, 1 << 20])
@pytest.mark.parametrize("ending", [".csv", ".tsv", ".csv.gz", ".jsonl", ".parquet", ""])
def test_every_source_reads_them_alike(tmp_path: Path, ending: str, size: int) -> None:
    table = pd.DataFrame({**TABLE, "batch": ["t2", "007", None, "t10"]})
    source: Any = table
    if ending:
        source = tmp_path / f"judgments{ending}"
        plain = source.with_suffix("") if ending.endswith("gz") else source
        writing.write(table, plain)
        if ending.endswith("gz"):
            source.write_bytes(pa.compress(plain.read_bytes(), "gzip", asbytes=True))
    with blocks_of(size):
        judgments = read(source, group="batch")
    assert groups(judgments) == ["t10", "007", None, "t2"]
    assert judgments.group_ids is not None
    assert judgments.group_ids.to_pylist() == ["007", "t10", "t2"]
    assert judgments.tally.used == 4


@pytest.mark.parametrize("name", ["batch", "group", "topic", "hit", "batch_id"])
def test_no_group_unless_it_is_named(name: str, write: Write) -> None:
    judgments = read(write("j.csv", f"item,worker,label,{name}\na,v,x,1\n"))
    assert (judgments.group, judgments.group_ids, judgments.n_groups) == (None, None, 0)
    assert groups(read(write("j.csv", f"item,worker,label,{name}\na,v,x,1\n"), group=name)) == ["1"]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([1.0, 2.0, None, 10.0], ["1", "2", None, "10"]),
        ([1.5, 2.0, np.nan, 10.0], ["1.5", "2", None, "10"]),
        (["", " ", None, "NA"], [None, " ", None, "NA"]),
        ([True, False, True, None], ["true", "false", "true", None]),
        (pd.Categorical(["b", "a", "b", None]), ["b", "a", "b", None]),
        (pl.Series(["b", "a", "b", None]), ["b", "a", "b", None]),
        ([b"b", b"a", b"b", b""], ["b", "a", "b", None]),
        (["", "", None, None], [None] * 4),
    ],
)
def test_cells_of_any_kind(cells: Any, expected: list[str | None]) -> None:
    judgments = read({**TABLE, "batch": cells}, group="batch")
    items = judgments.item_ids.to_pylist()
    found = groups(judgments)
    assert [found[items.index(item)] for item in TABLE["item"]] == expected
    assert judgments.n_groups == len({*expected} - {None})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("j.csv", csv([("a", "v", "x")])),
        ("j.tsv", "item\tworker\tlabel\na\tv\tx\n"),
        ("j.jsonl", '{"item": "a", "worker": "v", "label": "x"}\n'),
    ],
)
def test_a_file_without_the_column_is_refused(name: str, text: str, write: Write, tmp_path: Path) -> None:
    said = 'no column "batch" for the group; the columns are: item, worker, label; correct --group'
    with pytest.raises(FormatError, match=f"{name}: {said}"):
        read(write(name, text), group="batch")
    other = write("other.csv", HEADER + "a,w,x,1\n")
    for files in ([other, tmp_path / name], [tmp_path / name, other]):
        with pytest.raises(FormatError, match=f"{name}: {said}"):
            read(files, group="batch")
    table = {"item": ["a"], "worker": ["v"], "label": ["x"]}
    writing.write(pd.DataFrame(table), tmp_path / "j.parquet")
    with pytest.raises(FormatError, match=f"j.parquet: {said}"):
        read(tmp_path / "j.parquet", group="batch")
    with pytest.raises(FormatError, match=f"data frame: {said}"):
        read(table, group="batch")


def test_columns_that_are_twice_or_something_else(write: Write) -> None:
    with pytest.raises(FormatError, match='2 columns are called "batch"; rename all but one'):
        read(write("j.csv", "item,worker,label,batch,batch\na,v,x,1,2\n"), group="batch")
    path = write("j.csv", "task,worker,label,hit_id,seconds\na,v,x,h,3\n")
    with pytest.raises(FormatError, match='several columns could hold the item: "task" .*, "hit_id"'):
        read(path)
    judgments = read(path, group="hit_id")  # named as the group, it can't be the item
    assert (judgments.item_ids.to_pylist(), groups(judgments)) == (["a"], ["h"])
    judgments = read(path, item="task", group="seconds")  # nor can this one be a duration
    assert (judgments.duration, groups(judgments)) == (None, ["3"])
    with pytest.raises(FormatError, match='column "hit_id" can.t be both item and group'):
        read(path, item="hit_id", group="hit_id")
    with pytest.raises(FormatError, match="the group column holds lis.*; choose another with --group"):
        read({**TABLE, "batch": [[1], [2], [3], [4]]}, group="batch")


def test_rows_whose_group_can_not_be_read_are_rejects(write: Write) -> None:
    path = write("j.csv", HEADER.encode() + b"a,v,x,\xff\nb,v,x,1\n,v,x,2\nd,v,x\ne,v,x,3\n")
    judgments = read(path, group="batch")
    assert [(one.line, one.reason) for one in judgments.rejects] == [
        (2, "the group is not UTF-8"),
        (4, "the item is missing"),
        (5, "too few fields: 3 instead of 4"),
    ]
    assert groups(judgments) == ["1", "3"]
    assert judgments.n_groups == 2
    lines = ['{"item": "a", "worker": "v", "label": "x", "batch": [1]}', '{"item": "b", "worker": "v", "label": "x"}']
    judgments = read(write("j.jsonl", "\n".join(lines)), group="batch")
    assert [one.reason for one in judgments.rejects] == ["the group is not a single value"]
    assert groups(judgments) == [None]


def test_several_files_share_the_groups(write: Write) -> None:
    one = write("one.csv", HEADER + "b,v,x,t2\na,v,x,t1\n")
    two = write("two.jsonl", '{"item": "c", "worker": "v", "label": "y", "batch": "t2"}\n')
    found = read([one, two], group="batch", threads=1)
    assert groups(found) == ["t1", "t2", "t2"]
    for files, threads in (([two, one], 1), ([one, two], 3)):
        again = read(files, group="batch", threads=threads)
        assert np.array_equal(again.group, found.group)  # type: ignore[arg-type]
        assert again.group_ids == found.group_ids


def test_they_stay_with_their_judgments() -> None:
    table = {**TABLE, "label": ["x", "y", None, "x"], "batch": ["t1", "t2", "t3", "t4"]}
    judgments = read(table, group="batch")
    assert groups(judgments) == ["t4", "t2", "t1"]
    assert judgments.n_groups == 4  # that of the abstain, too
    assert groups(judgments.subset(np.array([False, True, True]))) == ["t2", "t1"]
    assert groups(judgments.with_labels(["y", "z", "x"])) == ["t4", "t2", "t1"]
    twice = {"item": ["a", "a"], "worker": ["v", "v"], "label": ["x", "y"], "batch": ["t2", "t1"]}
    kept = read(twice, repeats="keep", group="batch")
    assert groups(kept) == ["t2", "t1"]
    assert groups(kept.with_labels(["y", "x"])) == ["t1", "t2"]


@pytest.mark.parametrize(("repeats", "expected"), [("last", "t2"), ("first", "t3")])
@pytest.mark.parametrize("timed", [False, True])
def test_repeats_keep_the_group_of_the_row_that_counts(timed: bool, repeats: Any, expected: str) -> None:
    order = [1, 0, 2] if timed else [0, 1, 2]
    table = {"item": ["a"] * 3, "worker": ["v"] * 3, "label": ["x"] * 3, "batch": ["t3", None, "t2"]}
    rows = pd.DataFrame(table).assign(timestamp=["2025-01-01", "2025-01-02", "2025-01-03"]).iloc[order]
    judgments = read(rows if timed else rows.drop(columns="timestamp"), repeats=repeats, group="batch")
    assert groups(judgments) == [expected]
    assert judgments.tally.repeated == 2


def test_kept_repeats_in_any_order_are_the_same_arrays() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({name: rng.integers(0, 2, 60) for name in ("item", "worker", "label", "batch")})
    table["batch"] = table["batch"].where(rng.random(60) > 0.2)
    first = groups(read(table, repeats="keep", group="batch"))
    assert {*first} == {None, "0", "1"}
    for seed in range(5):
        shuffled = table.sample(frac=1, random_state=seed)
        assert groups(read(shuffled, repeats="keep", group="batch")) == first


def test_copies_that_are_merged_keep_the_group_of_the_first() -> None:
    judged = {"item": list("aabb"), "worker": list("vwvw"), "label": list("xxyx"), "batch": list("1234")}
    judgments = read(judged, group="batch")
    copies = replace(Copies.none(2), group=np.zeros(2, np.int32), n_effective=np.ones(1))
    assert groups(worker_audit.merged(judgments, copies)) == ["1", "3"]
    beside = followers._with_groups(judgments, copies)
    assert (beside.group, beside.group_ids, beside.n_groups) == (None, None, 0)


def test_items_that_only_models_know_change_nothing() -> None:
    judgments = read({**TABLE, "batch": list("1234")}, group="batch")
    votes = read_model_votes({"item": ["b", "e"], "model": ["m", "m"], "label": ["x", "y"]})
    with_votes = fit(judgments, model_votes=votes).judgments
    assert with_votes.n_items == 5
    assert groups(with_votes) == groups(judgments) == ["4", "2", "3", "1"]


def test_memory_counts_them() -> None:
    judgments = read({**TABLE, "batch": ["t1", "t1", "t2", None]}, group="batch")
    without = replace(judgments, group=None, group_ids=None)
    assert judgments.group_ids is not None
    n_bytes = judgments.group_ids.nbytes
    assert memory_needs.of(judgments).fitting == memory_needs.of(without).fitting + 8 * 4 + n_bytes
    assert memory_needs.of(judgments).reading == memory_needs.of(without).reading + 24 * 4 + 60 * 2 + 2 * n_bytes


class TestPlatform:
    EXAMPLE = ROOT / "tests" / "platforms" / "crowdflower.csv"

    def test_has_it_if_it_is_named(self) -> None:
        judgments = read(self.EXAMPLE, group="img")
        items = judgments.item_ids.to_pylist()
        assert groups(judgments) == [f"{items[code]}.png" for code in judgments.item.tolist()]
        assert groups(read(self.EXAMPLE, group="orig__golden")).count(None) > 0  # empty cells
        with pytest.raises(FormatError, match='crowdflower.csv: no column "batch" for the group; the columns are: _u'):
            read(self.EXAMPLE, group="batch")
        with pytest.raises(FormatError, match='column "_city" .* is never read; choose another for the group'):
            read(self.EXAMPLE, group="_city")

    def test_it_is_not_the_question(self, write: Write) -> None:
        rows = "_unit_id,_worker_id,_trust,_id,colour,batch\n1,7,1,1,red,t1\n2,7,1,2,blue,\n"
        judgments = read(write("f1.csv", rows), group="batch")
        assert (judgments.labels, groups(judgments)) == (("blue", "red"), ["t1", None])
        with pytest.raises(FormatError, match="the columns are: colour, batch; name it with --label"):
            read(write("f1.csv", rows))


class TestCommands:
    @pytest.fixture
    def judged(self, write: Write) -> Path:
        return write("j.csv", HEADER + "".join(f"i{i},w{w},l{i % 2},b{i % 3}\n" for i in range(9) for w in range(3)))

    @pytest.mark.parametrize("command", ["run", "aggregate", "audit", "agreement", "escalate", "check", "plan-budget"])
    def test_take_it(self, run: Run, judged: Path, tmp_path: Path, command: str, write: Write) -> None:
        out = [["--output", tmp_path / name] if command == "run" else [] for name in ("1", "2")]
        assert run(command, judged, "--group", "batch", *out[0]).status == 0
        ran = run(command, judged, "--config", write("s.toml", 'group = "topic"\n'), *out[1])
        assert (ran.status, ran.out) == (1, "")
        said = 'j.csv: no column "topic" for the group; the columns are: item, worker, label, batch; correct --group'
        assert said in ran.err

    def test_a_finished_run_remembers_it(self, run: Run, judged: Path, tmp_path: Path) -> None:
        out, without = tmp_path / "out", tmp_path / "without"
        assert run("run", judged, "--group", "batch", "--output", out, "--no-report").status == 0
        assert json.loads((out / "summary.json").read_text())["settings"]["group"] == "batch"
        again = finished.inputs_of(out)
        assert again.config.group == "batch"
        assert again.judgments is not None
        assert again.judgments.n_groups == 3
        assert run("explain", out, "i1").status == 0
        assert run("run", judged, "--output", without, "--no-report").status == 0
        assert "group" not in json.loads((without / "summary.json").read_text())["settings"]
        alone = finished.inputs_of(without)
        assert alone.judgments is not None
        assert alone.judgments.group is None

    def test_it_comes_too_late_for_judgments_that_were_read(self, judged: Path) -> None:
        import consensus

        known = read(judged, group="batch")
        assert consensus.run(known).inputs.config.group == "batch"
        with pytest.raises(ConfigError, match=r"setting group: the judgments were read before; give it to consensus"):
            consensus.run(known, group="topic")
