"""Records of Argilla and examples of doccano that go out again: how values are written, and what is refused."""

import json
import shlex
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import consensus
from consensus.errors import ConfigError
from consensus.requeue import export, requeue
from tests.conftest import Run
from tests.naive_platforms import EXAMPLES
from tests.requeue import answers
from tests.strategies import examples


def record(n: int, *values: Any, **more: Any) -> dict[str, Any]:
    """One of Argilla whose question is q, answered by w0, w1 and so on."""
    said = [{"value": value, "user_id": f"w{w}"} for w, value in enumerate(values)]
    own = {"id": f"r{n}", "fields": {"text": f"t{n}"}, "metadata": {}, "suggestions": {}, "vectors": {}}
    return {**own, "responses": {"q": said}, **more}


def written(folder: Path, records: list[Any], name: str = "records.json") -> Path:
    path = folder / name
    is_lines = path.suffix == ".jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in records) if is_lines else json.dumps(records))
    return path


def labels_of(run: Any) -> dict[str, int]:
    return dict(zip(run.labels["item"], run.labels["n_judgments"], strict=True))


class TestArgilla:
    @pytest.mark.parametrize(
        ("values", "suggested"),
        [
            ([["b", "a"], ["a", "b"], ["a", "b"]], {"value": ["b", "a"], "n": 2}),
            ([[" a "], [" a "], [" a "]], {"value": [" a "], "n": 1}),
            ([4, 4, 4], {"value": 4, "n": None}),
            ([True, True, True], {"value": True, "n": None}),
        ],
    )
    def test_a_label_is_written_as_its_answers_are(
        self, values: list[Any], suggested: dict[str, Any], tmp_path: Path
    ) -> None:
        found = consensus.run(written(tmp_path, [record(0, *values), record(1, *reversed(values))]))
        one = json.loads(export(found).content)[0]["suggestions"]["q"]
        sure = round(float(found.labels["confidence"].iloc[0]), 6)
        score = sure if suggested["n"] is None else [sure] * suggested["n"]
        assert one == {"value": suggested["value"], "score": score, "agent": "consensus"}
        assert type(one["value"]) is type(suggested["value"])

    def test_what_stands_beside_the_answers(self, tmp_path: Path) -> None:
        """Vectors and metadata go along; answers, suggestions of others, and ids of the server do not."""
        more = {
            "metadata": {"consensus_status": "x", "page": 3, "consensus_reason": "x"},
            "suggestions": {"q": {"value": "b", "score": 0.6, "agent": "m"}, "p": {"value": "c", "agent": "m"}},
            "vectors": {"v": [0.5, 1.0]},
            "_server_id": "srv-1",
            "status": "completed",
        }
        found = consensus.run(written(tmp_path, [record(0, "a", "b", **more), record(1, "a", "b", metadata=None)]))
        sent = requeue(found)
        one, other = sorted(json.loads(sent.content), key=lambda each: each["id"])
        reasons = dict(zip(found.escalations["item"], found.escalations["reason"], strict=True))
        assert {**one, "suggestions": sorted(one["suggestions"])} == {
            "id": "r0",
            "fields": {"text": "t0"},
            "metadata": {
                "page": 3,
                "consensus_item": "r0",
                "consensus_reason": reasons["r0"],
                "consensus_judgments": 1,
            },
            "suggestions": ["q"],
            "vectors": {"v": [0.5, 1.0]},
        }
        assert set(other["metadata"]) == {"consensus_item", "consensus_reason", "consensus_judgments"}
        assert (
            "metadata: the data set needs the properties consensus_item and consensus_reason (terms), "
            "consensus_judgments (integer), or allow_extra_metadata"
        ) in sent.said
        assert sent.said[1].startswith("log them to a new data set: min_submitted is one number for all records, and a")
        report = export(found)
        assert {*json.loads(report.content)[1]["metadata"]} == {"consensus_item", "consensus_status"}
        assert report.said == (
            "metadata: the data set needs the properties consensus_item and consensus_status (terms), or "
            "allow_extra_metadata",
        )

    def test_no_suggestion_where_nobody_said_anything(self, tmp_path: Path) -> None:
        said: dict[str, Any] = {"user_id": "w", "status": "discarded", "values": None}
        rest = [{"user_id": f"w{w}", "status": "submitted", "values": {"q": {"value": "a"}}} for w in range(2)]
        damaged: dict[str, Any] = {**rest[0], "user_id": "x", "values": {"q": {"value": {"a": 1}}}}
        records = [record(0, responses=[damaged, *rest]), record(1, responses=[said])]
        found = consensus.run(written(tmp_path, records, "records.jsonl"))
        for made in (requeue(found, until_settled=True), export(found)):
            sent = {one["id"]: one["suggestions"] for one in json.loads(made.content)}
            assert sent["r1"] == {}
        assert sent["r0"]["q"]["value"] == "a"

    def test_a_label_that_no_answer_has_is_no_suggestion(self, tmp_path: Path) -> None:
        path = written(tmp_path, [record(0, "a", "a"), record(1, "b", "b"), record(2, "b", "a")])
        (tmp_path / "map.csv").write_text("from,to\na,first\n")
        found = consensus.run(path, label_map=tmp_path / "map.csv")
        sent = export(found)
        n = int((found.labels["label"] == "first").sum())
        assert sum(not one["suggestions"] for one in json.loads(sent.content)) == n > 0
        assert sent.said[1] == (
            f'{n} record{"s" if n > 1 else ""} without a suggestion: nobody answered "first" in the export, so nothing '
            "tells how the label is written"
        )

    def test_answers_in_the_data_set_that_they_came_from(self, tmp_path: Path) -> None:
        """Its next export holds the earlier answers, too: each counts once."""
        path = written(tmp_path, [record(n, *"aba"[: 2 + n % 2]) for n in range(6)])
        before = consensus.run(path)
        sent = {one["id"]: one for one in json.loads(requeue(before).content)}
        again = json.loads(path.read_text())
        for one in again:
            if one["id"] in sent:
                one |= sent[one["id"]]
                one["responses"]["q"].append({"value": "a", "user_id": "new"})
        after = consensus.run([path, written(tmp_path, again, "again.json")])
        assert labels_of(after) == {item: n + (item in sent) for item, n in labels_of(before).items()}
        assert after.result.judgments.model_votes is None
        second = requeue(after)
        assert {one["id"] for one in json.loads(second.content)} <= set(labels_of(after))

    def test_what_is_no_record_or_no_question(self, tmp_path: Path) -> None:
        flat = [
            {"id": n, "text": "t", "q.responses": ["a", "b"], "q.responses.users": ["v", "w"], "q.suggestion": None}
            for n in range(3)
        ]
        why = "a data set of Hugging Face does not tell fields from metadata; write the records with dataset.records."
        with pytest.raises(ConfigError, match=f'^to="argilla": {why}to_json, and run that$'):
            requeue(consensus.run(written(tmp_path, flat)))
        found = consensus.run(EXAMPLES / "argilla.json", label="metadata.source")
        why = '"metadata.source" is no question of the records; run one of theirs with label='
        with pytest.raises(ConfigError, match=f'^to="argilla": {why}$'):
            export(found)


def example(n: int, label: str, **more: Any) -> dict[str, Any]:
    return {"id": 100 + n, "text": f"t{n}", "source": "web", "label": [label], "Comments": ["by ana"], **more}


class TestDoccano:
    def test_an_archive_of_annotators_out_and_back(
        self, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Twice: the second round reads what the first one brought."""
        monkeypatch.chdir(tmp_path)
        with zipfile.ZipFile("export.zip", "w") as archive:
            for name, said in {"ana": "aabbabab", "bo": "aabbbbaa", "cy": "abababab"}.items():
                lines = "".join(json.dumps(example(n, one)) + "\n" for n, one in enumerate(said))
                archive.writestr(f"{name}.jsonl", lines)
        assert run("run", "export.zip", "-o", "out0").status == 0
        for n in range(2):
            found = labels_of(consensus.load(tmp_path / f"out{n}"))
            sent = run("requeue", f"out{n}", "-o", f"sent{n}.jsonl")
            asked = [json.loads(line) for line in Path(f"sent{n}.jsonl").read_text().splitlines()]
            assert len(asked) > 0
            why = ["consensus_item", "consensus_reason", "consensus_judgments"]
            assert all([*one] == ["text", "source", "label", *why] and one["label"] == [] for one in asked)
            Path(f"dee{n}.jsonl").write_text(answers.doccano(tmp_path / f"sent{n}.jsonl", "a"))
            step = next(line for line in sent.err.splitlines() if line.startswith("when"))
            command = shlex.split(step.removeprefix("when the answers are there: consensus "))
            more = [f"dee{n}.jsonl" if one == "ANSWERS" else one for one in command]
            assert run(*more, "-o", f"out{n + 1}").status == 0
            items = {one["consensus_item"] for one in asked}
            after = labels_of(consensus.load(tmp_path / f"out{n + 1}"))
            assert after == {item: count + (item in items) for item, count in found.items()}

    def test_early_versions_and_intents(self, tmp_path: Path) -> None:
        said = [{"user": w, "label": 1 + (w + n) % 2} for n in range(1) for w in range(2)]
        early = [
            {"id": n, "text": "t", "annotations": said, "annotation_approver": "ana", "meta": {}} for n in range(3)
        ]
        found = consensus.run(written(tmp_path, early, "all.jsonl"))
        line = json.loads(requeue(found).content.splitlines()[0])
        assert {name: line[name] for name in list(line)[:3]} == {"text": "t", "meta": {}, "label": []}
        assert "ana" not in json.dumps(line)
        why = 'labels "label" are none that an export of doccano lists by their names; use labels.csv'
        with pytest.raises(ConfigError, match=f'^to="doccano": {why}$'):
            export(found)
        intents = [{"id": n, "data": "t", "cats": ["a"], "entities": [[0, 1, "x"]]} for n in range(3)]
        found = consensus.run(written(tmp_path, intents, "ana.jsonl"), platform="doccano")
        sent = requeue(found)
        line = json.loads(sent.content.splitlines()[0])
        assert (line["data"], line["cats"], line["entities"]) == ("t", [], [])
        assert sent.said[0].endswith("ana.jsonl ANSWERS --label cats --platform doccano")
        assert sent.said[1] == 'the text stands in "data": name that as the column of data when you import'
        line = json.loads(export(found).content.splitlines()[0])
        assert (line["id"], line["cats"], line["entities"]) == (0, ["a"], [])

    def test_pictures_and_other_columns(self, tmp_path: Path) -> None:
        pictures = [{"id": n, "filename": f"{n}.png", "label": ["a"], "Comments": []} for n in range(3)]
        found = consensus.run(written(tmp_path, pictures, "ana.jsonl"))
        why = "the examples have no text, and pictures and sounds are imported as files: import those that escalations"
        with pytest.raises(ConfigError, match=f'^to="doccano": {why}.csv lists$'):
            requeue(found)
        assert json.loads(export(found).content.splitlines()[1])["filename"] == "1.png"
        found = consensus.run(EXAMPLES / "doccano.jsonl", label="source", item="text", worker="contact")
        with pytest.raises(ConfigError, match='labels "source" are none that an export of doccano lists'):
            export(found)
        assert "ANSWERS --item text --worker contact --label source" in requeue(found).said[0]

    def test_labels_that_are_imported_are_answers(self) -> None:
        (said,) = export(consensus.run(EXAMPLES / "doccano.jsonl")).said
        assert said == "import these labels only where they may count as answers of the account that imports them"


cells = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
)
values = st.one_of(cells, st.lists(cells, max_size=2), st.dictionaries(st.text("ab", max_size=2), cells, max_size=2))


@examples(20)
@given(st.lists(values, min_size=2, max_size=4), st.sampled_from(["argilla", "doccano"]))
def test_source_fields_are_as_they_were(shown: list[Any], platform: str) -> None:
    with TemporaryDirectory() as name:
        if platform == "argilla":
            own = [{"fields": {"text": one}, "metadata": {"more": one}} for one in shown]
            path = written(Path(name), [record(n, "a", "b", **one) for n, one in enumerate(own)])
        else:
            path = written(Path(name), [example(n, "a", more=one) for n, one in enumerate(shown)], "ana.jsonl")
        sent = requeue(consensus.run(path)).content.decode()
    if platform == "argilla":
        made = [(one["id"], one["fields"]["text"], one["metadata"]["more"]) for one in json.loads(sent)]
        assert sorted(made, key=lambda one: one[0]) == [(f"r{n}", one, one) for n, one in enumerate(shown)]
    else:
        lines = [json.loads(line) for line in sent.split("\n") if line]
        found = {one["consensus_item"]: one["more"] for one in lines}
        assert found == {str(100 + n): one for n, one in enumerate(shown)}
