"""Wide tables and counts, against what pandas makes of the same tables."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from consensus import Judgments, fit, read, worker_audit
from consensus.errors import ConfigError, FormatError
from tests.conftest import Run, csv

Write = Callable[[str, str | bytes], Path]
Frame = pd.DataFrame
kinds = pytest.mark.parametrize("kind", ["frame", "csv", "parquet", "jsonl", "json"])


def stored(frame: Frame, kind: str, folder: Path) -> Any:
    path = folder / f"t.{kind}"
    if kind == "frame":
        return frame
    if kind == "csv":
        frame.to_csv(path, index=False)
    elif kind == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_json(path, orient="records", lines=kind == "jsonl")
    return path


def pairs(judgments: Judgments) -> list[tuple[str, str, str]]:
    items, workers = judgments.item_ids.to_pylist(), judgments.worker_ids.to_pylist()
    codes = zip(judgments.item.tolist(), judgments.worker.tolist(), judgments.label.tolist(), strict=True)
    return sorted((items[i], workers[w], judgments.labels[k]) for i, w, k in codes)


def balanced(judgments: Judgments) -> bool:
    tally = judgments.tally
    return tally.read == tally.used + tally.abstained + tally.repeated + tally.rejected + tally.dropped


def of_workers(n_items: int = 30, names: tuple[str, ...] = ("ann", "bob", "cy", "dee"), filled: float = 0.7) -> Frame:
    rng = random.Random(3)
    frame = pd.DataFrame({"item": [f"i{n}" for n in range(n_items)], "text": [f"the text {n}" for n in range(n_items)]})
    for name in names:
        frame[name] = [rng.choice("abc") if rng.random() < filled else None for _ in range(n_items)]
    return frame


class TestWorkers:
    @kinds
    @pytest.mark.parametrize(
        "frame",
        [
            of_workers(),
            of_workers(filled=1.0),
            of_workers(40, tuple(f"r {n}" for n in range(25)), 0.1),
            of_workers(12, ("x", "y")),
            of_workers().assign(label="a", gold="b"),
            of_workers().replace({"a": 1, "b": 2, "c": 3}),
            of_workers().assign(eve=pd.Series(["d", "A", *("abc" * 9), None])),
        ],
    )
    def test_the_same_as_melted(self, frame: Frame, kind: str, tmp_path: Path) -> None:
        judgments = read(stored(frame, kind, tmp_path), wide="workers")
        names = [name for name in frame.columns if name not in {"item", "text", "label", "gold"}]
        names = [name for name in names if frame[name].notna().any()]
        long = frame.melt("item", names, "worker", "said").dropna()
        long["said"] = [f"{one:g}" if isinstance(one, float) else str(one) for one in long["said"]]
        assert pairs(judgments) == sorted(map(tuple, long.to_numpy().tolist()))
        assert (judgments.tally.read, balanced(judgments)) == (len(long), True)
        (note,) = judgments.notes
        assert f"{len(names)} columns hold workers: {names[0]}, {names[1]}" in note
        assert f"{len(frame)} rows make {len(long):,} judgments" in note
        assert "; not taken: text" in note
        assert note.endswith("; --columns names others")
        assert "text" in judgments.unused
        assert not {"ann", "bob"} & set(judgments.unused)
        empty = int(frame[names].isna().all(axis=1).sum())
        assert (f"{empty} of {len(frame)} rows without any" in note) == (empty > 0)

    @kinds
    def test_rows_are_items_where_nothing_tells_them(self, kind: str, tmp_path: Path) -> None:
        frame = of_workers(40, tuple(f"w{n}" for n in range(9)), 0.4).drop(columns=["item", "text"])
        source = stored(frame, kind, tmp_path)
        judgments = read(source, wide="workers")
        named = read(frame.assign(item=[str(n) for n in range(1, 41)]), wide="workers")
        assert pairs(judgments) == pairs(named)
        assert judgments.notes[0].endswith("; no column tells the item, so each row is one: --item names a column")
        assert judgments.understood[0][:3] == ("item", "number of the row", "--wide workers")
        with pytest.raises(
            FormatError, match="9 columns hold the same 3 values .* row an item, --wide workers; if rows"
        ):
            read(source)
        with pytest.raises(FormatError, match="no column holds the item"):
            read(frame.assign(text=[f"t{n}" for n in range(40)]), wide="workers")
        with pytest.raises(FormatError, match="no column holds the item"):
            read(frame, wide="questions", only="w1", worker="w0")

    def test_rows_of_two_files_are_not_put_together(self, write: Write) -> None:
        paths = [write(f"{name}.csv", "v,w\na,a\nb,b\na,b\n") for name in ("one", "two")]
        assert read(paths[0], wide="workers").n_items == 3
        with pytest.raises(FormatError, match=r"two\.csv: no column tells the item, nor in .*one\.csv, so nothing"):
            read(paths, wide="workers")

    def test_rows_that_are_chosen_have_no_numbers(self, write: Write) -> None:
        path = write("t.csv", "q,v,w\nx,a,a\ny,b,b\nx,a,b\n")
        for settings in ({"by": "q", "only": "x"}, {"drop": ("q=y",)}):
            with pytest.raises(FormatError, match="no column holds the item"):
                read(path, wide="workers", **settings)

    def test_columns_that_are_named(self, tmp_path: Path) -> None:
        frame = of_workers()
        judgments = read(stored(frame, "csv", tmp_path), wide="workers", wide_columns=("ann", "cy"))
        assert judgments.worker_ids.to_pylist() == ["ann", "cy"]
        assert "columns names others" not in judgments.notes[0]
        with pytest.raises(FormatError, match='no column "eve" among the workers; the columns are: item, text, ann'):
            read(frame, wide="workers", wide_columns=("ann", "eve"))
        with pytest.raises(FormatError, match='column "item" can\'t be both item and one of the workers'):
            read(frame, wide="workers", wide_columns=("ann", "item"))
        path = tmp_path / "twice.csv"
        path.write_text("item,a,a\n1,x,y\n")
        with pytest.raises(FormatError, match='2 columns "a" among the workers'):
            read(path, wide="workers", wide_columns=("a",))

    def test_a_time_beside_them(self) -> None:
        frame = of_workers().assign(created_at="2024-01-02", when="2024-01-03")
        assert read(frame, wide="workers").timestamp is None
        named = read(frame, wide="workers", timestamp="when").timestamp
        assert named is not None
        assert str(named[0])[:10] == "2024-01-03"

    def test_rows_are_left_out_and_rejected_as_ever(self, write: Write) -> None:
        path = write("t.csv", "item,x,y,z,state\n1,a,b,a,ok\n,a,b,,ok\n2,a,a,b,bad\n3,,a,\xff,ok\n".encode("latin-1"))
        judgments = read(path, wide="workers", wide_columns=("x", "y", "z"), drop=("state=bad",))
        assert judgments.tally.dropped == 1
        told = [(one.line, one.reason, one.row) for one in judgments.rejects]
        assert told == [(3, "the item is missing", ",a,b,,ok")] * 2 + [(5, "the label is not UTF-8", "3,,a,\\xff,ok")]
        assert balanced(judgments)

    def test_nothing_looks_like_it(self) -> None:
        frame = pd.DataFrame({"item": ["1", "2"], "text": ["x", "y"], "more": ["z", "u"]})
        with pytest.raises(FormatError, match="no columns look like workers; the columns are: item, text, more; name"):
            read(frame, wide="workers")

    def test_columns_of_lists_are_passed_over(self, tmp_path: Path) -> None:
        frame = of_workers().assign(tags=pd.Series([["x"]] * 30))
        for source in (frame, stored(frame, "jsonl", tmp_path)):
            assert read(source, wide="workers").n_workers == 4

    def test_a_run(self, run: Run, tmp_path: Path) -> None:
        path = stored(of_workers(filled=1.0), "csv", tmp_path)
        ran = run("run", path, "--wide", "workers", "--output", tmp_path / "out")
        assert (ran.status, "4 columns hold workers: ann, bob, cy, dee: 30 rows" in ran.err) == (0, True), ran.err
        assert 'worker is "names of 4 columns" (--wide workers, 4 values), label is "their cells"' in ran.err
        assert run("explain", tmp_path / "out", "i1").status == 0


class TestCounts:
    @kinds
    @pytest.mark.parametrize("total", [False, True])
    def test_columns_of_counts(self, kind: str, total: bool, tmp_path: Path) -> None:
        rng = np.random.default_rng(5)
        counts = rng.multinomial(9, [0.5, 0.3, 0.2], 40)
        frame = pd.DataFrame({"row": range(40), "item": [f"t{n}" for n in range(40)]})
        frame = frame.assign(**{name: counts[:, n] for n, name in enumerate(("hate", "offensive", "neither"))})
        if total:
            frame = frame.assign(count=counts.sum(axis=1), **{"class": 1}, text="some text")
        judgments = read(stored(frame, kind, tmp_path), wide="counts")
        table = frame.melt("item", ["hate", "neither", "offensive"], "label", "n")
        wanted = {(item, label): n for item, label, n in table.to_numpy().tolist() if n}
        found = pd.Series([(item, label) for item, _, label in pairs(judgments)]).value_counts().to_dict()
        assert found == wanted
        assert (judgments.tally.read, balanced(judgments)) == (360, True)
        assert judgments.anonymous == ("(counted)",)
        said, people = judgments.notes
        assert "3 columns hold counts of labels: hate, offensive, neither: 40 rows make 360 judgments" in said
        assert '360 judgments by "(counted)" count as those of different people' in people
        audited = worker_audit.audit(fit(judgments))
        assert not (audited["kind"] == "human").any() or audited["verdict"].isna().all()

    def test_counts_alone_recover_labels(self) -> None:
        rng = np.random.default_rng(1)
        truth = rng.integers(0, 3, 80)
        counts = np.array([rng.multinomial(10, np.where(np.arange(3) == label, 0.8, 0.1)) for label in truth])
        frame = pd.DataFrame(counts, columns=list("abc")).assign(item=[f"i{n:02}" for n in range(80)])
        result = fit(read(frame, wide="counts"))
        assert result.identified
        assert (result.labels["label"] == [("a", "b", "c")[label] for label in truth]).mean() > 0.97
        assert result.labels["confidence"].between(0.4, 1).all()

    @kinds
    def test_a_column_of_counts(self, kind: str, tmp_path: Path) -> None:
        rng = np.random.default_rng(6)
        rows = [(f"i{n}", label, int(rng.integers(0, 6))) for n in range(30) for label in "abc"]
        frame = pd.DataFrame(rows, columns=["item", "label", "votes"])
        judgments = read(stored(frame, kind, tmp_path), counts="votes")
        found = pd.Series([(item, label) for item, _, label in pairs(judgments)]).value_counts().to_dict()
        assert found == {(item, label): n for item, label, n in rows if n}
        assert judgments.tally.read == frame["votes"].sum()
        n_zero = sum(n == 0 for *_, n in rows)
        assert (
            f"90 rows with counts make {frame['votes'].sum()} judgments; {n_zero} of 90 rows without"
            in judgments.notes[0]
        )

    def test_counts_that_are_none(self, write: Write) -> None:
        content = "item,label,n\n1,a,2\n1,b,x\n2,a,-1\n2,b,1.5\n3,a,\n3,b,3.0\n"
        judgments = read(write("t.csv", content), counts="n")
        assert judgments.n_judgments == 5
        assert [(one.line, one.reason, one.row) for one in judgments.rejects] == [
            (line, "a count is no whole number, 0 or more", row)
            for line, row in ((3, "1,b,x"), (4, "2,a,-1"), (5, "2,b,1.5"))
        ]
        assert balanced(judgments)

    def test_labels_that_are_left_out_do_not_count(self, write: Write) -> None:
        judgments = read(write("t.csv", "item,label,n\n1,a,2\n1,,3\n1,skip,2\n"), counts="n", abstain=("skip",))
        assert (judgments.tally.used, judgments.tally.abstained, judgments.tally.read) == (2, 5, 7)

    def test_too_many(self, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("consensus.memory.there_is", lambda: 10**9)
        with pytest.raises(ConfigError, match="reading 999,999,999 judgments that are counted needs about"):
            read(write("t.csv", "item,label,n\n1,a,999999999\n"), counts="n")

    def test_other_tables_of_counts(self) -> None:
        wide = pd.DataFrame({"item": ["x", "y"], "yes": [3, 0], "no": [1.0, np.nan]})
        assert len(pairs(read(wide, wide="counts"))) == 4
        assert len(pairs(read(wide.rename(columns={"item": "uid"}), wide="counts", item="uid"))) == 4
        assert len(pairs(read(wide, wide="counts", wide_columns=("yes",)))) == 3
        with pytest.raises(FormatError, match="no columns look like counts of labels"):
            read(wide[["item", "yes"]], wide="counts")


class TestOffers:
    def said(self, source: Any, **settings: Any) -> str:
        with pytest.raises(FormatError) as caught:
            read(source, **settings)
        return str(caught.value)

    @kinds
    def test_workers(self, kind: str, tmp_path: Path) -> None:
        names = tuple(f"a{n}" for n in range(12))
        told = self.said(stored(of_workers(names=names), kind, tmp_path))
        assert told.endswith(
            "no column holds the worker; 12 columns hold the same 3 values (a, b, c): if each is a worker and "
            "each row an item, --wide workers; if rows are workers, swap rows and columns first"
        )
        told = self.said(stored(of_workers(names=names).rename(columns={"item": "uid"}), kind, tmp_path))
        assert "an item, --wide workers; name the item, too, with --item; if rows are workers, swap" in told

    def test_counts(self) -> None:
        counts = np.random.default_rng(1).multinomial(100, [0.2, 0.5, 0.3], 20)
        frame = pd.DataFrame(counts, columns=["e", "n", "c"]).assign(item=[f"i{n}" for n in range(20)])
        assert self.said(frame).endswith(
            "no column holds the worker; 3 columns hold whole numbers (e, n, c) that look like counts of labels: "
            "--wide counts"
        )
        long = frame.melt("item", var_name="label", value_name="count")
        assert self.said(long).endswith("; if count tells how many people gave the label: --counts count")

    def test_zeros_and_ones_are_no_counts(self) -> None:
        rng = np.random.default_rng(2)
        for rare in (0.5, 0.9, 0.02):
            truth = rng.random(60) < rare
            cells = np.where(rng.random((60, 5)) < 0.1, ~truth[:, None], truth[:, None]).astype(int)
            frame = pd.DataFrame(cells, columns=list("vwxyz")).assign(item=[f"i{n}" for n in range(60)])
            assert "--wide workers" in self.said(frame)

    def test_places_in_a_list_of_objects_are_no_workers(self, tmp_path: Path) -> None:
        path = tmp_path / "j.json"
        answers = [{"by": f"w{n}", "label": "ab"[n % 2]} for n in range(4)]
        path.write_text(json.dumps({"tasks": [{"id": f"i{n}", "answers": answers} for n in range(9)]}))
        told = self.said(path)
        assert "it has lists of objects (answers.0.by, answers.0.label, answers.1.by, answers.1.label, " in told
        assert told.endswith(
            "): if each is a judgment, name the item with --item, and say where they stand: --worker answers.WORKER "
            "--label answers.label"
        )
        assert "no columns look like workers" in self.said(path, item="id", wide="workers")

    def test_ticks_of_mechanical_turk(self, write: Write) -> None:
        rows = [("i1", "v", "true", "false"), ("i1", "w", "False", "TRUE"), ("i2", "v", "true", "")]
        content = csv(rows, "id,who,colour.red,colour.blue")
        either: tuple[dict[str, str], ...] = ({}, {"item": "id", "worker": "who"})
        for settings in either:
            assert self.said(write("t.csv", content), **settings).endswith(
                "t.csv: no column holds the label; 2 columns hold ticks (colour.red, colour.blue), one for each label, "
                "as exports of Mechanical Turk do: call the column of the item HITId, call that of the worker "
                "WorkerId, add one with a number for each row, called AssignmentId, call those of ticks "
                "Answer.colour.red and so on, read it with --platform mturk"
            )
        content = csv(
            [(n, *row) for n, row in enumerate(rows)],
            "AssignmentId,HITId,WorkerId,Answer.colour.red,Answer.colour.blue",
        )
        path = write("t.csv", content)
        assert self.said(path).endswith("as exports of Mechanical Turk do: read it with --platform mturk")
        assert pairs(read(path, platform="mturk")) == [("i1", "v", "red"), ("i1", "w", "blue"), ("i2", "v", "red")]

    def test_other_truth_values_are_no_ticks(self) -> None:
        frame = pd.DataFrame({"item": list("abc"), "worker": list("vwx"), "is.ok": ["true"] * 3, "is.0": ["false"] * 3})
        assert "ticks" not in self.said(frame)
        assert "ticks" not in self.said(frame.rename(columns={"is.0": "is.bad"}).assign(**{"is.ok": "yes"}))

    def test_ratings_are_no_counts(self) -> None:
        ratings = np.random.default_rng(1).integers(1, 6, (30, 4))
        frame = pd.DataFrame(ratings, columns=list("wxyz")).assign(item=[f"i{n}" for n in range(30)])
        told = self.said(frame)
        assert "4 columns hold the same 5 values (1, 2, 3, 4, 5): if each is a worker and each row an item, " in told

    def test_questions(self) -> None:
        rng = random.Random(1)
        rows = [(f"i{i}", f"w{w}", rng.choice("ab"), rng.choice("xyz")) for i in range(20) for w in range(3)]
        frame = pd.DataFrame(rows, columns=["item", "worker", "tone", "topic"])
        assert self.said(frame).endswith("; if columns are questions, each with its answers: --questions tone,topic")
        assert "--questions" not in self.said(frame.drop(columns="topic"))

    def test_nothing_is_offered_where_nothing_looks_like_it(self) -> None:
        frame = pd.DataFrame({"item": list("abcd"), "label": list("xyxy"), "note": ["p", "q", "r", "s"]})
        assert "--wide" not in self.said(frame)
        assert "--counts" not in self.said(frame.assign(count=["x", "y", "z", "u"]))
        assert "--wide" not in self.said(frame.assign(rater="x", user="y"))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"wide": "workers", "worker": "w"}, "wide workers leaves no column of the worker; leave out --worker"),
        ({"wide": "counts", "label": "l"}, "wide counts leaves no column of the label; leave out --label"),
        ({"wide": "questions", "label": "l"}, "wide questions leaves no column of the label; leave out --label"),
        ({"counts": "n", "worker": "w"}, "counts leaves no column of the worker; leave out --worker"),
        ({"counts": "n", "wide": "counts"}, "counts and wide can't be given together; columns of counts are --wide"),
        ({"wide": "workers", "worker_from_file": True}, "wide workers says who judged; leave out --worker-from-file"),
        ({"wide_columns": ("a",)}, "--columns are those of --wide; say what they hold with --wide"),
        ({"questions": ("a",), "wide": "workers"}, "--questions says what --wide questions --columns would"),
        ({"by": "q", "questions": ("a",)}, "by names a column of questions, and wide columns that are questions"),
        ({"only": "a"}, "only names one of several questions; say with --by or --questions where these are"),
        ({"by": "q", "platform": "crowdflower"}, "by is about plain tables; leave out --platform crowdflower"),
        ({"wide": "rows"}, "setting wide = 'rows': input should be 'workers', 'questions' or 'counts'"),
    ],
)
def test_settings_that_contradict_each_other(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        read(of_workers(), **settings)
