"""Several questions in one table: each by itself, as if the others were not there, and a page over all."""

import io
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import consensus
from consensus import read, run_by
from consensus.errors import ConfigError, FormatError, JudgmentError, OutputError
from consensus.formats import questions as asked_in
from consensus.runs import questions
from tests.conftest import Run

Write = Callable[[str, str | bytes], Path]
NAMES = ("language", "tone", "topic")
pytestmark = pytest.mark.usefixtures("by_dawid_skene")


def answers(n_items: int = 12, n_workers: int = 4, names: tuple[str, ...] = NAMES, seed: int = 3) -> pd.DataFrame:
    """Of each item, worker and question; a worker who answers at random is the last."""
    rng = random.Random(seed)
    truth = {(i, q): rng.choice("xyz"[: 2 + n % 2]) for i in range(n_items) for n, q in enumerate(names)}
    rows = [
        (f"i{i:02}", name, f"w{w}", truth[i, name] if rng.random() < (0.9, 0.5)[w == n_workers - 1] else "x")
        for i in range(n_items)
        for name in names
        for w in range(n_workers)
    ]
    return pd.DataFrame(rows, columns=["item", "question", "worker", "label"])


def wide(frame: pd.DataFrame) -> pd.DataFrame:
    table = frame.pivot(index=["item", "worker"], columns="question", values="label").reset_index()
    return table.rename_axis(columns=None)


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    answers().to_csv("judgments.csv", index=False)
    return Path("judgments.csv")


class TestOneQuestion:
    @pytest.mark.parametrize("kind", ["frame", "csv", "parquet", "jsonl"])
    @pytest.mark.parametrize("name", NAMES)
    def test_as_if_the_others_were_not_there(self, kind: str, name: str, tmp_path: Path) -> None:
        frame, path = answers(), tmp_path / f"j.{kind}"
        if kind == "csv":
            frame.to_csv(path, index=False)
        elif kind == "parquet":
            frame.to_parquet(path)
        else:
            frame.to_json(path, orient="records", lines=True)
        judgments = read(frame if kind == "frame" else path, by="question", only=name)
        alone = read(frame[frame["question"] == name].drop(columns="question"))
        assert judgments.item.tolist() == alone.item.tolist()
        assert judgments.label.tolist() == alone.label.tolist()
        assert judgments.labels == alone.labels
        assert (judgments.tally.read, judgments.tally.used, judgments.tally.dropped) == (144, 48, 96)
        assert judgments.notes == (f'"question" is "{name}": 96 rows of other questions are left out',)
        assert judgments.unused == ()

    def test_other_rows_that_are_left_out(self) -> None:
        frame = answers().assign(state=["ok", "bad"] * 72)
        judgments = read(frame, by="question", only="tone", drop=("state=bad", "question=topic"))
        assert (judgments.tally.used, judgments.tally.dropped) == (24, 120)
        assert judgments.notes[0] == "24 rows left out: state=bad 24"

    @pytest.mark.parametrize("categorical", [False, True])
    def test_rows_without_a_question(self, categorical: bool) -> None:
        frame = answers()
        frame.loc[:1, "question"] = frame.loc[24:25, "question"] = None
        if categorical:
            frame["question"] = frame["question"].astype("category")
        assert read(frame, by="question", only="").n_judgments == 4
        assert asked_in.asked(frame, _settings(by="question"))[""] == 4

    def test_bytes_that_are_no_text(self, write: Write) -> None:
        path = write("j.csv", b"item,worker,label,q\n1,w,a,\xff\n1,v,a,x\n2,w,b,x\n")
        assert asked_in.asked(path, _settings(by="q")) == {"\\xff": 1, "x": 2}
        assert read(path, by="q", only="x").n_judgments == 2

    def test_a_question_has_a_column(self) -> None:
        judgments = read(wide(answers()), questions=("tone", "topic"), only="topic")
        assert judgments.label.tolist() == read(answers(), by="question", only="topic").label.tolist()
        assert judgments.notes == ("data frame: 48 answers to topic",)

    @pytest.mark.parametrize(
        ("settings", "told"),
        [
            (
                {"by": "question"},
                '"question" holds 3 questions: "language", "tone", "topic"; name one with only=, or do',
            ),
            ({"by": "page"}, 'no column "page" for by=; the columns are: item, question, worker, label; correct by='),
        ],
    )
    def test_which_one_is_not_said(self, settings: dict[str, Any], told: str) -> None:
        with pytest.raises((ConfigError, FormatError), match=told):
            read(answers(), **settings)
        with pytest.raises(ConfigError, match='there are 3 questions: "language", "tone", "topic"; name one with'):
            read(wide(answers()), wide="questions")

    def test_there_is_one_or_none(self) -> None:
        with pytest.raises(ConfigError, match='"question" holds 1 question: "tone"; name one with only='):
            read(answers().query("question == 'tone'"), by="question")
        with pytest.raises(ConfigError, match='there is 1 question: "tone"; name one with only='):
            read(wide(answers()), questions=("tone",))
        with pytest.raises(ConfigError, match='settings: the column "question" holds no question; name another column'):
            read(answers().assign(question=""), by="question")

    def test_beside_columns_of_workers_or_counts(self) -> None:
        frame = answers().pivot(index=["item", "question"], columns="worker", values="label").reset_index()
        judgments = read(frame, by="question", only="tone", wide="workers")
        alone = read(answers(), by="question", only="tone")
        assert judgments.label.tolist() == alone.label.tolist()
        assert list(run_by(frame, "question", wide="workers")) == list(NAMES)
        counts = answers().groupby(["item", "question", "label"]).size().rename("n").reset_index()
        assert (
            np.bincount(read(counts, by="question", only="tone", counts="n").label).tolist()
            == np.bincount(alone.label).tolist()
        )

    def test_columns_that_can_not_be_questions(self, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(FormatError, match='several columns "q" for by='):
            read(write("j.csv", "item,worker,label,q,q\n1,w,a,x,x\n"), by="q", only="x")
        monkeypatch.setattr(asked_in, "MOST", 5)
        with pytest.raises(FormatError, match='"item" holds more than 5 values; by= is for a column of questions'):
            asked_in.asked(answers(), _settings(by="item"))


class TestMany:
    def test_the_same_as_one_by_one(self) -> None:
        found = run_by(answers(), "question", repeats="last")
        assert list(found) == list(NAMES)
        assert repr(found) == 'Questions("language", "tone", "topic")'
        for name in NAMES:
            alone = consensus.run(answers()[answers()["question"] == name].drop(columns="question"))
            assert found[name] is found[name]
            pd.testing.assert_frame_equal(found[name].labels, alone.labels)
            pd.testing.assert_frame_equal(found[name].workers, alone.workers)
        table = found.table.set_index("question")
        assert table["judgments"].to_dict() == dict.fromkeys(NAMES, 48)
        assert table["labels"].to_dict() == {
            name: answers()[answers()["question"] == name]["label"].nunique() for name in NAMES
        }
        assert table.loc["tone", "mean_confidence"] == pytest.approx(found["tone"].labels["confidence"].mean())
        assert len(found.workers) == 12
        with pytest.raises(KeyError, match='no question "tune"; there are "language"'):
            _ = found["tune"]

    @pytest.mark.parametrize("settings", [{"wide": "questions"}, {"questions": NAMES}])
    def test_columns_of_questions(self, settings: dict[str, Any]) -> None:
        long, found = run_by(answers(), "question"), run_by(wide(answers()), **settings)
        for name in NAMES:
            pd.testing.assert_frame_equal(found[name].labels, long[name].labels)

    def test_some_rows_of_a_question_have_no_answer(self) -> None:
        frame = wide(answers())
        frame.loc[frame["item"] > "i05", "tone"] = None
        found = run_by(frame, questions=NAMES)
        assert (found["tone"].result.judgments.n_items, found["topic"].result.judgments.n_items) == (6, 12)
        assert found.counts == {"language": 48, "tone": 24, "topic": 48}

    @pytest.mark.parametrize("by", ["question", None])
    def test_gold_and_votes_have_the_questions_too(self, by: str | None) -> None:
        frame = answers()
        gold = frame.groupby(["item", "question"])["label"].agg(lambda one: one.mode()[0]).reset_index()
        gold = gold[gold["question"] != "topic"]
        votes = gold.rename(columns={"label": "label"}).assign(model="m")
        source: Any = frame
        if by is None:
            source, gold = wide(frame), gold.pivot(index="item", columns="question", values="label").reset_index()
            votes = gold.assign(model="m")
        settings: dict[str, Any] = {"by": by} if by else {"questions": NAMES}
        found = run_by(source, gold=gold, model_votes=votes, **settings)
        assert {name: found[name].inputs.gold is not None for name in NAMES} == {"language": 1, "tone": 1, "topic": 0}
        known = found["tone"].inputs.gold
        assert known is not None
        assert len(known.item) == 12
        votes_of = found["language"].inputs.model_votes
        assert votes_of is not None
        assert len(votes_of.item) == 12
        assert found["topic"].inputs.model_votes is None

    def test_gold_in_a_column_of_the_same_file(self, table: Path) -> None:
        answers().assign(gold=lambda frame: frame["label"].where(frame["worker"] == "w0")).to_csv(table, index=False)
        found = run_by(table, "question", gold=table)
        own = answers()[lambda frame: (frame["question"] == "tone") & (frame["worker"] == "w0")]
        known = found["tone"].inputs.gold
        assert known is not None
        assert dict(zip(known.item, known.label, strict=True)) == dict(zip(own["item"], own["label"], strict=True))

    def test_gold_of_no_question(self) -> None:
        gold = pd.DataFrame({"item": ["i00"], "label": ["x"]})
        with pytest.raises(ConfigError, match='gold of several questions: .*; give it a column "question", or'):
            run_by(answers(), "question", gold=gold)
        with pytest.raises(ConfigError, match="model votes of several questions: .*; give it columns that are"):
            run_by(wide(answers()), wide="questions", model_votes=gold.assign(model="m"))
        found = consensus.run(answers(), by="question", only="tone", gold=gold)
        assert found.inputs.gold is not None

    def test_one_that_can_not_be_run(self) -> None:
        frame = answers()
        frame.loc[frame["question"] == "tone", "worker"] = "w0"
        with pytest.raises(JudgmentError, match='question "tone": .*; or leave it out with drop="question=tone"'):
            _ = run_by(frame, "question")["tone"]
        assert list(run_by(frame, "question", drop=("question=tone",))) == ["language", "topic"]
        table = wide(answers()).assign(worker="w0")
        with pytest.raises(
            JudgmentError, match='^question "tone": data frame: 36 of 48 judgments .75%. repeat the same'
        ):
            _ = run_by(table, questions=NAMES)["tone"]

    @pytest.mark.parametrize(
        ("settings", "told"),
        [
            ({}, "nothing tells questions apart; name their column with by, or their columns with questions"),
            ({"by": "question", "only": "tone"}, "nothing tells questions apart"),
            ({"by": "none"}, "there is no question; see whether the right column was named with by="),
            ({"by": "question", "previous": Path("out")}, "previous: an earlier run is of one question; do one with"),
        ],
    )
    def test_what_is_refused(self, settings: dict[str, Any], told: str) -> None:
        with pytest.raises(ConfigError, match=told):
            run_by(answers().assign(none=None), **settings)


class TestFolders:
    def test_names_that_all_systems_take(self) -> None:
        names = ["Is it red?", "is it red!", "a/b", "..", "", "CON", "nul.txt", "x" * 99, "é", "a b", "a_b", "name."]
        made = questions.folders_of(names)
        plain = ["Is_it_red", "is_it_red-2", "a_b", "question", "question-2", "CON_", "nul.txt_", "x" * 60, "é"]
        assert list(made.values()) == [*plain, "a_b-2", "a_b-3", "name"]

    def test_a_run(self, run: Run, table: Path) -> None:
        ran = run("run", table, "--by", "question", "--output", "out", "--json")
        assert ran.status == 0, ran.err
        told = json.loads(Path("out/summary.json").read_text())
        assert json.loads(ran.out) == told
        assert told["by"] == "question"
        assert told["rows"] == {"read": 144, "without_question": 0}
        assert [one["folder"] for one in told["questions"]] == list(NAMES)
        worker = told["workers"][0]
        assert (worker["worker"], worker["n_judgments"], list(worker["questions"])) == ("w0", 36, list(NAMES))
        assert '3 questions by "question", each run by itself:\nquestion  items  workers' in ran.err
        for name in NAMES:
            labels = pd.read_csv(f"out/{name}/labels.csv")
            assert labels["label"].tolist() == run_by(answers(), "question")[name].labels["label"].tolist()
            (row,) = [one for one in told["questions"] if one["question"] == name]
            assert row["items"] == len(labels)
            assert row["accepted"] == (labels["status"] == "accepted").sum()
            assert row["mean_confidence"] == pytest.approx(labels["confidence"].mean(), abs=1e-6)

    def test_one_is_looked_at_again(self, run: Run, table: Path) -> None:
        assert run("run", table, "--by", "question", "--output", "out").status == 0
        ran = run("explain", "out/tone", "i01")
        assert (ran.status, "of 4 judgments say" in ran.out) == (0, True), ran.err
        for command in (["explain", "out", "i01"], ["report", "out"]):
            ran = run(*command)
            assert 'out: holds 3 questions, each in a folder of its own; name one: "out/language"' in ran.err

    def test_folders_are_written_over_if_they_are_ours(self, run: Run, table: Path) -> None:
        assert run("run", table, "--by", "question", "--output", "out").status == 0
        assert "exists already" in run("run", table, "--by", "question", "--output", "out").err
        assert run("run", table, "--by", "question", "--output", "out", "--overwrite").status == 0
        Path("out/tone/notes.txt").write_text("mine")
        ran = run("run", table, "--by", "question", "--output", "out", "--overwrite")
        assert "out: holds tone, which is not ours and would be lost" in ran.err
        Path("out/tone/notes.txt").unlink()
        assert (
            "is not ours"
            in run("run", table, "--by", "question", "--only", "tone", "--output", "out", "--overwrite").err
        )
        assert run("run", table, "--by", "question", "--only", "tone", "--output", "one").status == 0
        assert run("run", table, "--by", "question", "--output", "one", "--overwrite").status == 0

    @pytest.mark.slow
    def test_a_page_over_all(self, run: Run, table: Path) -> None:
        frame = answers(names=("tone", "a <b>?"))
        frame.loc[:2, "question"] = None
        frame.to_csv(table, index=False)
        ran = run("run", table, "--by", "question", "--output", "out", report=True)
        assert "3 rows name no question and are in no run" in ran.err
        assert ran.err.rstrip().endswith("wrote out/report.html")
        page = Path("out/report.html").read_text()
        assert '<a href="a_b/report.html">a &lt;b&gt;?</a>' in page
        assert Path("out/a_b/report.html").exists()
        assert "3 of 96 rows name no question and are in no run" in page
        assert page.count("<tr><td>") == 2 + 4

    def test_from_a_pipe(self, run: Run, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(table.read_bytes())))
        ran = run("run", "-", "--by", "question", "--output", "out")
        assert (ran.status, "3 questions by" in ran.err) == (0, True), ran.err

    def test_written_from_python(self, table: Path) -> None:
        found = run_by(table, "question")
        found.save("out", report=False)
        assert {path.name for path in Path("out").iterdir()} == {*NAMES, "summary.json"}
        with pytest.raises(OutputError, match="exists already"):
            found.save("out", report=False)

    def test_check(self, run: Run, table: Path) -> None:
        ran = run("check", table, "--by", "question")
        assert ran.out.count("\n  144 rows read = 48 used + 96 left out\n") == 3
        assert ran.out.splitlines()[0] == 'question "language":'
        assert ran.out.endswith("run all of them, each by itself, with: consensus run judgments.csv --by question\n")
        told = json.loads(run("check", table, "--by", "question", "--json").out)
        assert (list(told["questions"]), told["without"]) == (list(NAMES), 0)
        frame = answers()
        frame.loc[:4, "question"] = None
        frame.to_csv(table, index=False)
        assert "5 rows name no question and are in no run" in run("check", table, "--by", "question").out

    def test_the_hint_leads_there(self, run: Run, table: Path) -> None:
        ran = run("check", table)
        assert 'if "question" holds questions, run each by itself with --by question' in ran.err
        ran = run("check", table, "--item", "item", "--repeats", "last")
        assert ran.out.endswith("consensus run judgments.csv --item item --repeats last --by question\n")

    def test_other_commands_take_one(self, run: Run, table: Path) -> None:
        assert '"question" holds 3 questions' in run("aggregate", table, "--by", "question").err
        ran = run("aggregate", table, "--by", "question", "--only", "tone", "--quiet")
        assert ran.out.count("\n") == 13


def _settings(**given: Any) -> Any:
    from consensus.config import ReadConfig

    return ReadConfig.of(None, **given)
