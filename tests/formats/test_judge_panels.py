"""Verdicts of LLM judges against counts by plain json: votes of models, also where they stand for judgments."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consensus import read, run
from consensus.errors import FormatError
from consensus.formats import read_model_votes
from consensus.formats.platforms import judge_panels
from consensus.formats.platforms.seam import head_of
from consensus.inputs.model_votes import ModelVotes
from tests.conftest import ROOT, Run, csv

Write = Callable[[str, str | bytes], Path]
EXAMPLE = ROOT / "tests" / "platforms" / "llm-judges.json"
Told = dict[tuple[str, str], tuple[str, float | None]]


def told_by(votes: ModelVotes) -> Told:
    """By item and judge, the label and what is said of its probability."""
    found = {}
    for item, model, label, row in zip(votes.item, votes.model, votes.label, votes.row, strict=True):
        share = None if row < 0 else round(float(votes.probability[row, label]), 4)
        found[votes.item_ids[int(item)].as_py(), votes.models[model]] = (votes.labels[label], share)
    return found


def preference(value: Any, **more: Any) -> dict[str, Any]:
    own = {"instruction": "q", "output_1": "a", "output_2": "b", "generator_2": "y", "annotator": "j"}
    return {**own, "preference": value, **more}


def log(samples: list[Any], **scorers: Any) -> dict[str, Any]:
    listed = [{"name": name, "options": options} for name, options in scorers.items()]
    about = {"run_id": "r", "task": "t", "model": "maker/one", "scorers": listed}
    return {"version": 2, "status": "success", "eval": about, "samples": samples}


def sample(name: Any, epoch: int = 1, **scores: Any) -> dict[str, Any]:
    return {"id": name, "epoch": epoch, "scores": {key: {"value": value} for key, value in scores.items()}}


def result(*verdicts: Any, **more: Any) -> dict[str, Any]:
    own = {"testIdx": 3, "promptIdx": 0, "provider": {"id": "maker/one"}, "testCase": {}}
    return {**own, "gradingResult": {"componentResults": list(verdicts)}, **more}


def verdict(passed: Any, kind: str = "llm-rubric", value: Any = "is kind", **more: Any) -> dict[str, Any]:
    return {"pass": passed, "score": 1, "assertion": {"type": kind, "value": value, **more}}


def promptfoo(*results: Any) -> str:
    return json.dumps({"evalId": "e", "results": {"version": 3, "prompts": [], "results": list(results)}})


class TestAlpaca:
    records = tuple(json.loads(EXAMPLE.read_text()))

    def test_counts(self) -> None:
        votes = read_model_votes(EXAMPLE)
        given = [one for one in self.records if one["preference"]]
        expected = {
            (f"{one['instruction']} | {one['generator_2']}", one["annotator"]): (
                "output_2" if one["preference"] > 1.5 else "output_1",
                {1.75: 0.75}.get(one["preference"]),
            )
            for one in given
        }
        assert told_by(votes) == expected
        assert (votes.tally.read, votes.tally.abstained) == (len(self.records), len(self.records) - len(given))
        (note,) = votes.notes
        assert note == (
            "llm-judges.json (alpaca_eval annotations file): item instruction and generator_2, 3 judges, label "
            "preference (output_1 or output_2); no verdict: not parsed 1, tie 1; judges are models, so that their "
            "verdicts are votes of models"
        )
        assert not votes.cautions

    def test_what_is_no_verdict(self, write: Write) -> None:
        odd = [preference(1.5), preference(3), preference("x"), "x", preference(1, annotator=None)]
        odd += [preference(1.2, instruction="r"), preference(1, instruction=["x"])]
        votes = read_model_votes(write("a.json", json.dumps([*odd, preference(2)])))
        assert told_by(votes) == {("q | y", "j"): ("output_2", None), ("r | y", "j"): ("output_1", 0.8)}
        assert [(one.line, one.reason) for one in votes.rejects] == [
            (2, "the preference is no number from 1 to 2"),
            (3, "the preference is no number from 1 to 2"),
            (4, "not a JSON object"),
            (5, "the model is missing or no text"),
            (7, "the item is missing or no text"),
        ]


class TestInspect:
    def test_judges_of_one_question(self, write: Write) -> None:
        samples = [sample(1, model_graded_qa="C", model_graded_qa1="I", match="C"), sample(2, model_graded_qa="P")]
        samples[1]["scores"]["model_graded_qa1"] = {"value": "I", "explanation": "Grade not found in model output: x"}
        told = log(samples, model_graded_qa={"model": "maker/a"}, model_graded_qa1={"model": {"model": "maker/b"}})
        votes = read_model_votes(write("a.json", json.dumps(told)))
        assert told_by(votes) == {
            ("1 | maker/one", "maker/a"): ("C", None),
            ("1 | maker/one", "maker/b"): ("I", None),
            ("2 | maker/one", "maker/a"): ("P", None),
        }
        assert "item id, model, 2 judges, label model_graded_qa; no verdict: not parsed 1; " in votes.notes[0]

    def test_epochs_and_names_of_judges(self, write: Write) -> None:
        options = {"model": ["maker/a", "maker/b"]}
        odd = [sample("s", model_graded_qa={"a": 1}), sample(None, model_graded_qa="C"), "x"]
        samples = [sample("s", 1, model_graded_qa=True), sample("s", 2, model_graded_qa=0.5), *odd]
        votes = read_model_votes(write("a.json", json.dumps(log(samples, model_graded_qa=options))))
        judge = "maker/a + maker/b"
        assert told_by(votes) == {
            ("s | maker/one | 1", judge): ("true", None),
            ("s | maker/one | 2", judge): ("0.5", None),
        }
        assert [one.reason for one in votes.rejects] == [
            "the value of model_graded_qa is no single one",
            "the item is missing or no text",
        ]
        unnamed = log([sample("s", model_graded_fact="C")])
        unnamed["eval"]["model"] = None
        assert told_by(read_model_votes(write("b.json", json.dumps(unnamed)))) == {
            ("s", "model_graded_fact"): ("C", None)
        }

    def test_of_several_scorers(self, write: Write) -> None:
        both = write(
            "a.json", json.dumps(log([sample(1, match="C", taste=2, model_graded_qa="I")], taste={"model": "m"}))
        )
        with pytest.raises(FormatError, match=r"are: match, taste, .*; several of them ask a model \(taste, model_gra"):
            read_model_votes(both)
        assert told_by(read_model_votes(both, named={"label": "taste"})) == {("1 | maker/one", "m"): ("2", None)}
        assert read_model_votes(both, label="match").models == ("match",)
        with pytest.raises(FormatError, match='there is no "x": correct --vote-label'):
            read_model_votes(both, named={"label": "x"})
        code = write("b.json", json.dumps(log([sample(1, match="C")])))
        with pytest.raises(FormatError, match="scorers of this inspect_ai log are: match; none of them asks a model"):
            read_model_votes(code)
        with pytest.raises(FormatError, match="are: none; none of them asks"):
            read_model_votes(write("c.json", json.dumps(log([]))))

    def test_packed(self, write: Write) -> None:
        whole = log([], model_graded_qa={"model": "maker/a"})
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("header.json", json.dumps(whole))
            archive.writestr("_journal/start.json", "{}")
            for name in "ab":
                archive.writestr(f"samples/{name}_epoch_1.json", json.dumps(sample(name, model_graded_qa="C")))
        path = write("a.eval", packed.getvalue())
        assert told_by(read_model_votes(path)) == {(f"{n} | maker/one", "maker/a"): ("C", None) for n in "ab"}
        begin = packed.getvalue().index(b'"maker/one"')
        damaged = packed.getvalue()[:begin] + b"\xff" + packed.getvalue()[begin + 1 :]
        with pytest.raises(FormatError, match="this inspect_ai log is damaged: .*; copy it again"):
            read_model_votes(write("b.eval", damaged))
        assert not judge_panels.kind_of(head_of(write("c.eval", packed.getvalue()[:100])))
        other = io.BytesIO()
        with zipfile.ZipFile(other, "w") as archive:
            archive.writestr("header.json", "{}")
        assert not judge_panels.kind_of(head_of(write("d.eval", other.getvalue())))


class TestPromptfoo:
    def test_verdicts_of_models(self, write: Write) -> None:
        both = [verdict(True), verdict(False, provider="maker/judge"), verdict(True, "equals"), "x", {"pass": True}]
        named = result(verdict(True), testCase={"description": "d", "options": {"provider": {"id": "maker/usual"}}})
        path = write("a.json", promptfoo(result(*both), named, result(verdict(None), testIdx=4), "x", {}))
        votes = read_model_votes(path)
        assert told_by(votes) == {
            ("3 | maker/one", "llm-rubric"): ("pass", None),
            ("3 | maker/one", "maker/judge"): ("fail", None),
            ("d | maker/one", "maker/usual"): ("pass", None),
        }
        assert (
            "item test, provider, 3 judges, label pass or fail; no verdict: neither passed nor failed 1; "
            in (votes.notes[0])
        )

    def test_of_several_prompts_and_rubrics(self, write: Write) -> None:
        results = [
            result(verdict(True), verdict(False, "factuality", {"b": 1}), provider={"label": "mine", "id": "x"}),
            result(verdict(True), promptIdx=1, provider="mine"),
        ]
        votes = read_model_votes(write("a.json", promptfoo(*results)))
        assert told_by(votes) == {
            ("3 | mine | prompt 0 | llm-rubric: is kind", "llm-rubric"): ("pass", None),
            ('3 | mine | prompt 0 | factuality: {"b": "1"}', "factuality"): ("fail", None),
            ("3 | mine | prompt 1 | llm-rubric: is kind", "llm-rubric"): ("pass", None),
        }
        with pytest.raises(FormatError, match="no verdict of a judge in this promptfoo results file"):
            read_model_votes(write("b.json", promptfoo(result(verdict(True, "equals")))))


class TestRuns:
    def test_judges_alone_are_votes_of_models(self, run: Run, tmp_path: Path) -> None:
        ran = run("run", EXAMPLE, "--output", tmp_path / "out")
        assert ran.status == 0, ran.err
        assert ran.err.startswith("llm-judges.json (alpaca_eval annotations file): item")
        assert "18 rows of model votes read = 16 votes + 2 without a label; 3 models" in ran.err
        assert "warning models_only: no person judged any item" in ran.err
        assert run("explain", tmp_path / "out", "Question 4 | model-y").status == 0
        assert ran.out == run("run", "--model-votes", EXAMPLE, "--output", tmp_path / "other").out

    def test_beside_people(self, write: Write) -> None:
        people = write(
            "p.csv", csv([(f"Question {n} | model-y", w, f"output_{2 - n % 2}") for n in range(1, 5) for w in "vw"])
        )
        found = run(people, model_votes=EXAMPLE)
        assert any("3 judges" in one for one in found.summary["notes"])
        assert found.summary["models"] is not None
        with pytest.raises(
            FormatError, match=r"llm-judges.json: this file \(alpaca_eval annotations file\) holds verdi"
        ):
            run([people, EXAMPLE])
        with pytest.raises(
            FormatError, match=r"people; give it as votes of models, by itself .*: consensus run --model-votes"
        ):
            read(EXAMPLE)

    def test_models_that_say_nothing_of_use(self, write: Write) -> None:
        few = write(
            "v.csv", csv([("a", "m", "x"), ("a", "n", "x"), ("b", "m", "y"), ("b", "n", "x")], "item,model,label")
        )
        models = run(None, model_votes=few).summary["models"]
        assert models["families"][0]["n_effective"] == 1.0


@pytest.mark.parametrize(
    "content",
    [
        "item,model,label\na,m,x\n",
        "",
        '[{"instruction": "q", "output_1": "a", "output_2": "b", "preference": 1}]',
        '{"status": "x", "eval": {}, "label": "run_id"}',
        '{"results": [], "prompts": []}',
        "PK\x03\x04",
    ],
)
def test_leaves_others_alone(write: Write, content: str) -> None:
    assert not judge_panels.kind_of(head_of(write("a.json", content)))


def test_columns_that_are_named_are_those_of_a_plain_table(write: Write) -> None:
    with pytest.raises(FormatError, match="no column holds the label"):
        read_model_votes(EXAMPLE, named={"item": "instruction"})
    with pytest.raises(FormatError, match="not JSON"):
        read_model_votes(write("a.json", EXAMPLE.read_bytes()[:-20]))


def test_survives_what_is_swapped(write: Write) -> None:
    whole = [
        EXAMPLE.read_text(),
        json.dumps(log([sample(1, model_graded_qa="C")] * 2, model_graded_qa={"model": "m"})),
        promptfoo(result(verdict(True)), result(verdict(False, provider="m"), testIdx=1)),
    ]
    pairs = [("{", '{"x": [],'), ('": "', '": ["'), ('"C"', "[1]"), ('"epoch": 1', '"epoch": [1]'), (": [{", ": [[{")]
    pairs += [
        ('"name": "', '"name": 3, "y": "'),
        ("true", "null"),
        ('"m"', "{}"),
        ("scores", "scored"),
        (": {", ': 1, "z": {'),
    ]
    for n, text in enumerate(text.replace(one, other) for text in whole for one, other in pairs):
        path = write(f"d{n}.json", text)
        try:
            tally = read_model_votes(path).tally
        except FormatError as error:
            assert str(error).startswith(str(path))  # noqa: PT017
            continue
        assert tally.read == tally.used + tally.abstained + tally.merged + tally.rejected
