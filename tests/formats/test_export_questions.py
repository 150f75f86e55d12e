"""Several questions of a platform's export: each by itself, as if it were named with ``label``."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import consensus
from consensus import read, read_gold, run_by
from consensus.errors import ConfigError, FormatError
from consensus.formats import export_questions, questions
from consensus.formats.platforms.questions import SeveralQuestionsError
from tests.conftest import ROOT, Run, csv

pytestmark = pytest.mark.usefixtures("by_dawid_skene")
Write = Callable[[str, str | bytes], Path]
EXAMPLES = ROOT / "tests" / "platforms"
WORKERS = ("1", "2", "3")


def answered(name: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"from_name": name, "to_name": "text", "type": kind, "value": value}


def label_studio(n_items: int = 6) -> str:
    """Choices of one and of several, text, and predictions of one of them."""
    tasks = []
    for i in range(n_items):
        mood = answered("mood", "choices", {"choices": ["good" if i % 2 else "bad"]})
        topic = answered("topic", "choices", {"choices": ["a", "b"] if i % 3 else ["a"]})
        given = [
            {
                "id": 10 * i + int(worker),
                "completed_by": int(worker),
                "result": [mood, *([topic] if worker != "3" else []), answered("why", "textarea", {"text": [f"{i}!"]})],
            }
            for worker in WORKERS
        ]
        models = [{"model_version": "m", "result": [mood]}]
        tasks.append({"id": i, "data": {"text": f"t{i}"}, "annotations": given, "predictions": models})
    return json.dumps(tasks)


def crowdflower(n_items: int = 6) -> str:
    header = "_unit_id,_worker_id,_trust,_created_at,_golden,colour,size,colour_gold,size_gold,question"
    rows = [
        (i, w, 1, "1/1/2015 10:00:00", str(not i), "rb"[i % 2], "sl"[i % 2], "r" * (not i), "s" * (not i), f"q{i}")
        for i in range(n_items)
        for w in WORKERS
    ]
    return csv(rows, header)


def mturk(n_items: int = 6) -> str:
    header = "HITId,AssignmentId,WorkerId,AssignmentStatus,SubmitTime,WorkTimeInSeconds,Input.id"
    header += ",Answer.mood.label,Answer.size.label"
    rows = [
        (f"h{i}", f"a{i}{w}", w, "Approved", "Wed Mar 01 10:00:00 PST 2023", 30, f"i{i}", "rb"[i % 2], "sl"[i % 2])
        for i in range(n_items)
        for w in WORKERS
    ]
    return csv(rows, header)


@pytest.fixture
def several(write: Write) -> Path:
    return write("several.json", label_studio())


class TestAsIfNamed:
    @pytest.mark.parametrize(
        ("name", "content", "names"),
        [
            ("ls.json", label_studio(), ["mood", "topic"]),
            ("cf.csv", crowdflower(), ["colour", "size"]),
            ("mt.csv", mturk(), ["mood", "size"]),
            ("t.tsv", (EXAMPLES / "toloka.tsv").read_text(), ["result"]),
            ("l.json", (EXAMPLES / "lewidi.json").read_text(), ["annotations", "other_info.tone"]),
            *(
                (f"{n}", (EXAMPLES / n).read_text(), [q])
                for n, q in (("mace.csv", "label"), ("prodigy.jsonl", "accept"))
            ),
        ],
        ids=lambda one: one if isinstance(one, str) and len(one) < 20 else "",
    )
    def test_each(self, write: Write, name: str, content: str, names: list[str]) -> None:
        path = write(name, content)
        found = run_by(path, "question")
        assert list(found) == names
        for question in names:
            wanted = read(path, label=question)
            for by in (None, "question"):
                judgments = read(path, by=by, only=question)
                assert judgments.item.tolist() == wanted.item.tolist()
                assert judgments.label.tolist() == wanted.label.tolist()
                assert (judgments.labels, judgments.notes) == (wanted.labels, wanted.notes)
                assert judgments.gold == wanted.gold
                assert (judgments.model_votes is None) == (wanted.model_votes is None)
            assert found.counts[question] == wanted.tally.used
        assert found.table["question"].tolist() == names

    def test_the_platform_may_be_named(self, several: Path) -> None:
        assert list(run_by(several, "question", platform="label-studio")) == ["mood", "topic"]
        with pytest.raises(ConfigError, match="a data frame is a plain table; give the file itself"):
            read(pd.DataFrame({"item": [1]}), by="question", only="x", platform="label-studio")
        with pytest.raises(ConfigError, match="by is about plain tables; leave out --platform label-studio"):
            read(several, by="colour", platform="label-studio")

    def test_a_column_that_is_called_question(self, write: Write) -> None:
        path = write("cf.csv", crowdflower(2))
        assert list(questions.asked(path, consensus.config.ReadConfig(by="question"))) == ["colour", "size"]
        columns = {"item": "_unit_id", "worker": "_worker_id", "label": "colour"}
        assert list(run_by(path, "question", platform="none", **columns)) == ["q0", "q1"]

    def test_of_several_files(self, write: Write) -> None:
        paths = [write("a.json", label_studio(2)), write("b.json", label_studio(4))]
        assert run_by(paths, "question").counts == {"mood": 18, "topic": 12}

    def test_one_that_is_left_out(self, several: Path) -> None:
        found = run_by(several, "question", drop=["question=topic"])
        assert list(found) == ["mood"]
        assert found["mood"].result.judgments.tally.dropped == 0
        assert found.exports is not None
        assert found.exports.told == (
            "Label Studio export of 3 questions: mood (one choice, 18 answers); not run, as --drop says: topic; not "
            "run, for their answers are no labels: why (free text)"
        )

    def test_addresses_are_not_run(self) -> None:
        found = run_by(EXAMPLES / "toloka.tsv", "question").exports
        assert found is not None
        assert found.left == {"contact": "e-mail addresses"}


class TestWhatStandsBeside:
    def test_gold_of_each(self, write: Write) -> None:
        found = run_by(write("cf.csv", crowdflower()), "question")
        golds = {name: one.inputs.judgments.gold for name, one in found.items() if one.inputs.judgments is not None}
        assert {name: gold and gold.label for name, gold in golds.items()} == {"colour": ("r",), "size": ("s",)}

    def test_gold_that_is_given(self, several: Path, write: Write) -> None:
        by_row = write("g.csv", csv([("0", "mood", "bad"), ("1", "mood", "good")], "item,question,label"))
        by_column = write("h.csv", csv([("0", "bad", "a")], "item,mood,topic"))
        found = run_by(several, "question", gold=by_row)
        assert [one.summary["counts"]["status"].get("gold", 0) for one in found.values()] == [2, 0]
        found = run_by(several, "question", gold=by_column)
        assert [one.summary["counts"]["status"].get("gold", 0) for one in found.values()] == [1, 1]

    def test_gold_of_the_export_itself(self, write: Write) -> None:
        path = write("cf.csv", crowdflower())
        found = run_by(path, "question", gold=path)
        assert [one.summary["counts"]["status"].get("gold", 0) for one in found.values()] == [1, 1]
        assert read_gold(path, label="size").label == ("s",)


class TestErrors:
    def test_both_ways_are_named(self, several: Path) -> None:
        told = (
            r"several.json: this Label Studio export asks several questions: mood \(one choice\), topic \(several "
            r"choices\), why \(free text\); choose one with --label, such as --label mood, or run each by itself with "
            r"--by question$"
        )
        with pytest.raises(SeveralQuestionsError, match=told) as raised:
            read(several)
        assert raised.value.questions == {"mood": "one choice", "topic": "several choices", "why": "free text"}
        with several.open("rb") as file, pytest.raises(SeveralQuestionsError, match="several.json: this Label Studio"):
            read(file)

    def test_all_at_once_can_not_be_read(self, several: Path) -> None:
        with pytest.raises(ConfigError, match='the export asks 2 questions: "mood", "topic"; name one with --only'):
            read(several, by="question")

    @pytest.mark.parametrize(
        ("settings", "told"),
        [
            ({"only": "x", "label": "mood"}, "only and label both name the question of an export; leave out one"),
            ({"only": "x"}, r'no question "x"; this Label Studio export asks: .*; correct --label or --only'),
            ({"only": "x", "platform": "none"}, "settings: only names one of several questions; say with --by"),
        ],
    )
    def test_what_can_not_be_meant(self, several: Path, settings: dict[str, Any], told: str) -> None:
        with pytest.raises((ConfigError, FormatError), match=told):
            read(several, **settings)

    def test_only_of_a_plain_table(self, write: Write) -> None:
        plain = write("j.csv", csv([("i", "w", "x")]))
        for source in (plain, pd.read_csv(plain)):
            with pytest.raises(ConfigError, match="only names one of several questions; say with --by or --questions"):
                read(source, only="x")
        votes = write("v.csv", csv([("i", "m", "x")], "item,model,label"))
        with pytest.raises(ConfigError, match="only names one of several questions; say with --by or --questions"):
            consensus.run(None, model_votes=votes, only="x")

    def test_a_label_besides(self, several: Path) -> None:
        with pytest.raises(ConfigError, match="label names one question, and by question is about all; leave out one"):
            run_by(several, "question", label="mood")

    def test_none_is_left(self, several: Path) -> None:
        for ask in (run_by, read):
            with pytest.raises(
                ConfigError, match="by question: no question is left; the export asks mood, topic, why; "
            ):
                ask(several, by="question", drop=["question=mood", "question=topic"])

    def test_a_column_without_questions(self) -> None:
        told = 'settings: the column "question" holds no question; name another column'
        with pytest.raises(ConfigError, match=told):
            read({"item": ["i"], "worker": ["w"], "label": ["x"], "question": [""]}, by="question")

    def test_one_that_can_not_be_read(self, several: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fails(*_: object) -> None:
            raise FormatError("e.json: cut")

        monkeypatch.setattr(export_questions, "_answers", fails)
        with pytest.raises(
            FormatError, match='question "mood": e.json: cut; or leave it out with --drop question=mood'
        ):
            run_by(several, "question")


class TestCommands:
    @pytest.mark.parametrize("path", sorted(EXAMPLES.iterdir()), ids=lambda path: path.stem)
    def test_check_of_every_example_names_the_platform_and_a_command_that_works(
        self, run: Run, path: Path, tmp_path: Path
    ) -> None:
        told = run("check", path)
        if path.stem == "llm-judges":  # nobody judged
            assert told.status == 1
            command = told.err.partition("beside judgments: ")[2]
        else:
            assert f"{path.name} is a " in told.out
            assert ", label " in told.out
            command = told.out.partition("run it with: ")[2]
        program, *arguments = shlex.split(command)
        assert program == "consensus"
        out = tmp_path / "out"
        assert run(*arguments, "--output", out).status == 0
        assert (out / "labels.csv").exists()

    def test_check_lists_all_of_them(self, run: Run, several: Path) -> None:
        plain, asked = run("check", several), run("check", several, "--by", "question")
        assert (plain.status, plain.err) == (0, asked.err)
        lines, others = ([one for one in ran.out.splitlines() if "time:" not in one] for ran in (plain, asked))
        assert lines == others
        assert lines[0] == (
            "Label Studio export of 3 questions: mood (one choice, 18 answers), topic (several choices, 12 answers); "
            "not run, for their answers are no labels: why (free text)"
        )
        assert [one for one in lines if one.startswith("question ")] == ['question "mood":', 'question "topic":']
        assert lines[-1] == f"run all of them, each by itself, with: consensus run {several} --by question"

    def test_check_as_json(self, run: Run, several: Path) -> None:
        told = json.loads(run("check", several, "--json").out)
        assert told["asked"] == {"mood": "one choice", "topic": "several choices", "why": "free text"}
        assert {name: one["judgments"] for name, one in told["questions"].items()} == {"mood": 18, "topic": 12}

    def test_check_of_what_can_be_read_once(self, run: Run, several: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with several.open() as file:
            monkeypatch.setattr("sys.stdin", file)
            ran = run("check", "-")
        assert ran.status == 1
        assert "standard input: this Label Studio export asks several questions" in ran.err

    def test_the_command_that_is_recommended_works(self, run: Run, several: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        ran = run("run", several, "--by", "question", "--output", out)
        assert ran.status == 0
        assert "Label Studio export of 3 questions: mood" in ran.err
        assert "2 questions, each run by itself:" in ran.err
        told = json.loads((out / "summary.json").read_text())
        assert told["by"] == "question"
        assert told["not_run"] == {"why": "free text"}
        for name in ("mood", "topic"):
            alone = tmp_path / name
            assert run("run", several, "--label", name, "--output", alone).status == 0
            assert (alone / "labels.csv").read_bytes() == (out / name / "labels.csv").read_bytes()
