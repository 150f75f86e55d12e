"""Records of Argilla in all their forms, against counts by plain json."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from consensus import read, read_gold
from consensus.errors import FormatError
from consensus.formats.platforms import argilla, people
from consensus.formats.platforms.seam import Head
from consensus.inputs.judgments import Judgments
from tests.conftest import ROOT
from tests.formats.test_platforms import balanced

Write = Callable[[str, str | bytes], Path]
EXAMPLE = ROOT / "tests" / "platforms" / "argilla.json"


def rows_of(judgments: Judgments) -> list[tuple[str, str, str]]:
    items, workers = judgments.item_ids.to_pylist(), judgments.worker_ids.to_pylist()
    codes = zip(judgments.item, judgments.worker, judgments.label, strict=True)
    return [(items[i], workers[w], judgments.labels[k]) for i, w, k in codes]


def record(name: Any = "r", **questions: Any) -> dict[str, Any]:
    """In the form of version 2; of each question, the value by user."""
    responses = {
        q: [{"user_id": user, "value": value} for user, value in each.items()] for q, each in questions.items()
    }
    return {"id": name, "fields": {"text": "t"}, "metadata": {}, "suggestions": {}, "responses": responses}


class TestExample:
    records = tuple(json.loads(EXAMPLE.read_text()))

    def test_counts(self) -> None:
        found = read(EXAMPLE)
        expected = [
            (one["id"], given["user_id"], given["value"]) for one in self.records for given in one["responses"]["mood"]
        ]
        assert rows_of(found) == sorted(expected)
        assert found.tally.read == found.tally.used == 28
        assert found.timestamp is None
        votes = found.model_votes
        assert votes is not None
        said = {one["id"]: one["suggestions"]["mood"]["value"] for one in self.records if one["suggestions"]}
        assert {
            votes.item_ids[int(i)].as_py(): votes.labels[k] for i, k in zip(votes.item, votes.label, strict=True)
        } == said
        assert votes.models == ("model-2",)
        assert "suggestions that are votes of models: 7 of 1 model (unless" in found.notes[0]

    def test_values_that_are_named(self) -> None:
        found = read(EXAMPLE, item="_server_id", group="metadata.source")
        assert found.item_ids.to_pylist()[0] == "srv-1"
        assert found.group_ids is not None
        assert read(EXAMPLE, label="fields.text").n_labels == 10
        assert read(EXAMPLE, drop=["id=r1"]).tally.dropped == 3
        with pytest.raises(
            FormatError, match='no question "x"; this file of Argilla records asks: mood .*; correct --la'
        ):
            read(EXAMPLE, label="x")
        with pytest.raises(FormatError, match="no gold in this file of Argilla records"):
            read_gold(EXAMPLE, label="label")
        with pytest.raises(FormatError, match='no column "metadata.x" for the item'):
            read(EXAMPLE, item="metadata.x")


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (["b", "a"], "a | b"),
        (["a"], "a"),
        ([], None),
        (3, "3"),
        (True, "true"),
        (" x ", "x"),
        ("", None),
        (None, None),
    ],
)
def test_labels(write: Write, value: Any, label: str | None) -> None:
    found = read(write("a.json", json.dumps([record(q={"v": value, "w": "a"})])))
    assert [one[2] for one in rows_of(found) if one[1] == "v"] == ([label] if label else [])
    assert found.tally.abstained == (label is None)
    assert ("(several choices: each set of choices" in found.notes[0]) == (label == "a | b")


class TestQuestions:
    def test_of_all_kinds(self, write: Write) -> None:
        spans, ranks = [{"label": "x", "start": 1, "end": 2}], [{"value": "x", "rank": 1}]
        records = [
            record(f"r{n}", mood={"v": "x"}, why={"v": f"text {n}"}, s={"v": spans}, r={"v": ranks}) for n in range(40)
        ]
        path = write("a.jsonl", "".join(json.dumps(one) + "\n" for one in records))
        found = read(path)
        assert found.labels == ("x",)
        records[0]["responses"]["size"] = [{"user_id": "v", "value": "big"}]
        path = write("b.json", json.dumps(records))
        kinds = (
            r"mood \(one choice\), why \(free text\), s \(marked regions\), r \(ranking\), size \(one choice\); choose"
        )
        with pytest.raises(FormatError, match=kinds):
            read(path)
        assert rows_of(read(path, label="size")) == [("r0", "v", "big")]
        assert read(path, label="why").n_labels == 40
        assert {one.reason for one in read(path, label="r").rejects} == {"the label is no list of texts"}
        with pytest.raises(FormatError, match='answers to "s" are regions'):
            read(path, label="s")

    def test_nobody_answered(self, write: Write) -> None:
        with pytest.raises(FormatError, match="nobody answered a question in this file of Argilla records"):
            read(write("a.json", json.dumps([record()])))


class TestOtherForms:
    def test_with_statuses(self, write: Write) -> None:
        def response(user: Any, status: str | None, **values: Any) -> dict[str, Any]:
            own = {"user_id": user, "status": status, "inserted_at": "2024-05-01T10:00:00", "id": "x"}
            return {**own, "values": {name: {"value": value} for name, value in values.items()} or None}

        responses = [
            response("v", "submitted", mood="good"),
            response("w@example.org", "submitted", mood="bad"),
            response("x", "draft", mood="bad"),
            response("y", "discarded"),
            response("z", "submitted"),
            response({"a": 1}, None, mood="bad"),
            response(None, None, mood="bad"),
            "damage",
        ]
        said = [
            {"question_name": "mood", "value": "bad", "score": 0.7, "agent": None},
            {"question_name": "mood", "value": {"x": 1}, "agent": "m"},
            {"question_name": "other", "value": "bad"},
            {"value": "bad"},
        ]
        own = {"id": "r1", "fields": {"text": "t"}, "responses": responses, "suggestions": said}
        text = json.dumps(own) + "\n[1]\n" + json.dumps({**own, "id": ["x"], "responses": []}) + "\n"
        found = read(write("a.jsonl", text))
        assert rows_of(found) == [("r1", people.called("w@example.org"), "bad"), ("r1", "v", "good")]
        assert (found.tally.read, found.tally.abstained) == (8, 3)
        assert [(one.line, one.reason) for one in found.rejects] == [
            (1, "the worker is not a single value"),
            (1, "the worker is missing"),
            (2, "not a JSON object"),
        ]
        assert "no answer: discarded 1, draft 1; suggestions that are votes of models: 1 of 1 " in found.notes[0]
        assert found.timestamp is not None
        assert found.timestamp[0] == np.datetime64("2024-05-01T10:00:00")
        assert found.model_votes is not None
        assert found.model_votes.models == ("suggestion",)

    def test_with_columns_of_answers(self, write: Write) -> None:
        own = {"id": "r1", "status": "completed", "mood.responses": ["a", "b", "a"]}
        own |= {"mood.responses.users": ["v", "w", "x"], "mood.responses.status": ["submitted", "draft", "submitted"]}
        said: dict[str, Any] = {"mood.suggestion": "a", "mood.suggestion.score": 2, "mood.suggestion.agent": "m"}
        other = {"id": "r2", "mood.responses": ["a"], "mood.responses.users": ["v"], "mood.responses.status": None}
        found = read(write("a.json", json.dumps([own | said, other, {"id": "r3", "mood.responses": None}, 3])))
        assert rows_of(found) == [("r1", "v", "a"), ("r1", "x", "a"), ("r2", "v", "a")]
        assert (found.tally.abstained, [one.line for one in found.rejects]) == (1, [4])
        assert found.model_votes is not None
        assert found.model_votes.models == ("m",)
        assert not len(found.model_votes.probability)

    def test_suggestions_without_an_item(self, write: Write) -> None:
        own = record(["x"], mood={"v": "a"}) | {"suggestions": {"mood": {"value": "a", "score": "x"}}}
        found = read(write("a.json", json.dumps([own])), item="fields.text")
        assert found.model_votes is not None
        with_none = read(write("b.json", json.dumps([{**own, "id": None}])))
        assert with_none.model_votes is None
        del own["id"]
        assert [one.reason for one in read(write("c.json", json.dumps([own]))).rejects] == ["the item is missing"]


class TestWhatWentOut:
    said = (("mood", {"value": "b", "score": 0.9, "agent": "consensus"}), ("size", {"value": "b", "agent": "m"}))

    def test_records_are_told_by_the_item_that_they_were_sent_for(self, write: Write) -> None:
        """Beside them, in the same data set, are records that were not sent."""
        sent = record("srv-9", mood={"v": "a"}) | {"metadata": {"consensus_item": "r1"}}
        found = read(write("a.json", json.dumps([sent, record("r2", mood={"v": "b"})])))
        assert rows_of(found) == [("r1", "v", "a"), ("r2", "v", "b")]
        assert "item consensus_item" in found.notes[0]
        flat = {"id": "srv-9", "consensus_item": "r1", "mood.responses": ["a"], "mood.responses.users": ["v"]}
        assert rows_of(read(write("b.json", json.dumps([flat])))) == [("r1", "v", "a")]
        assert rows_of(read(write("c.json", json.dumps([sent])), item="id")) == [("srv-9", "v", "a")]

    def test_labels_that_went_out_are_no_votes(self, write: Write) -> None:
        """Neither the record itself nor anybody else has said them: they would count their own evidence again."""
        own = record(mood={"v": "a"}, size={"v": "b"}) | {"suggestions": dict(self.said)}
        path = write("a.json", json.dumps([own]))
        found = read(path, label="mood")
        assert found.model_votes is None
        assert '1 suggestion of "consensus", labels that went out, and no votes' in found.notes[0]
        votes = read(path, label="size").model_votes
        assert votes is not None
        assert votes.models == ("m",)


@pytest.mark.parametrize(
    ("start", "known"),
    [
        (b'\xef\xbb\xbf [{"fields": {}, "suggestions": [], "responses" : {"q": []}}]', True),
        (b'{"q.responses": ["x"], "q.responses.users": ["v"]}', True),
        (b'{"fields": 1, "suggestions": [], "responses": []}', False),
        (b'{"q.responses": ["x"], "p.responses.users": ["v"]}', False),
        (b'fields,responses,"suggestions": {', False),
    ],
)
def test_knows_its_own(start: bytes, known: bool) -> None:
    assert argilla.sniff(Head(Path("x"), start)) is known


def test_survives_what_is_cut_or_swapped(write: Write) -> None:
    whole = EXAMPLE.read_bytes()
    pairs = [
        (b"[", b"{"),
        (b": {", b': 1, "x": {'),
        (b'"pos"', b"{}"),
        (b'"mood"', b"3"),
        (b"user_id", b"id"),
        (b": [", b": [["),
    ]
    pairs += [(b'"responses": {"mood": [{', b'"responses": [[{'), (b'"r1"', b"[1]"), (b'"model-2"', b"[2]")]
    damaged = [whole[:n] for n in range(0, len(whole), 1997)] + [whole.replace(one, other) for one, other in pairs]
    for n, content in enumerate(damaged):
        path = write(f"d{n}.json", content)
        try:
            found = read(path, platform="argilla")
        except FormatError as error:
            assert str(error).startswith(str(path))  # noqa: PT017
            continue
        assert balanced(found)
