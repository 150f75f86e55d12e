"""Values within objects of JSON lines, by dotted names: inspect_ai, promptfoo, lm-eval and others."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consensus import read, read_model_votes
from consensus.errors import FormatError
from consensus.formats.tables import nested

Write = Callable[[str, str | bytes], Path]


def lines(*records: Any) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def names(*records: dict[str, Any]) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for one in records:
        nested.names_of(one, known)
    return known


def test_names_and_values() -> None:
    record = {"id": 1, "a": {"b": {"c": 2}, "d": [3, {"e": 4}]}, "none": {}, "many": list(range(11)), "x.y": 5}
    known = names(record)
    assert list(known) == ["id", "a.b.c", "a.d.0", "a.d.1.e", "none", "many", "x.y"]
    assert [nested.value_at(record, known[name]) for name in known] == [1, 2, 3, 4, {}, list(range(11)), 5]
    assert nested.value_at({"a": 1}, known["a.b.c"]) is None
    assert nested.value_at({"a": {"d": [3]}}, known["a.d.1.e"]) is None
    assert nested.value_at({"a": {"d": {"1": 3}}}, known["a.d.1.e"]) is None


def test_a_name_of_its_own_wins() -> None:
    for records in (({"a": {"b": 1}}, {"a.b": 2}), ({"a.b": 2}, {"a": {"b": 1}})):
        assert names(*records) == {"a.b": ("a.b",)}


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    deep: Any = "x"
    for n in range(9):
        deep = {f"k{n}": deep}
    assert list(names(deep)) == ["k8.k7.k6.k5.k4.k3"]
    monkeypatch.setattr(nested, "MOST_NAMES", 3)
    assert len(names({f"k{n}": n for n in range(9)})) == 3
    assert names({}) == {}


@pytest.mark.parametrize(
    ("record", "named"),
    [
        (  # inspect_ai
            lambda i, said, p: {"id": i, "scores": {"judge": {"value": said, "metadata": {"p": p}}}, "model": "m"},
            {"item": "id", "label": "scores.judge.value", "probability": "scores.judge.metadata.p"},
        ),
        (  # promptfoo
            lambda i, said, p: {
                "testIdx": i, "provider": {"id": "m"}, "response": {"output": said}, "grading": {"score": p}
            },
            {"item": "testIdx", "model": "provider.id", "label": "response.output", "probability": "grading.score"},
        ),
        (  # lm-eval
            lambda i, said, p: {"doc_id": i, "filtered_resps": [said], "model": "m", "metrics": [{"p": p}]},
            {"item": "doc_id", "label": "filtered_resps.0", "probability": "metrics.0.p"},
        ),
        (
            lambda i, said, p: {"meta": {"item": i}, "judge": {"name": "m"}, "output": {"verdict": said, "score": p}},
            {"item": "meta.item", "model": "judge.name", "label": "output.verdict", "probability": "output.score"},
        ),
        (
            lambda i, said, p: {"item": i, "judge": "m", "answers": {"gpt-4.1": {"label": said, "p": p}}},
            {"label": "answers.gpt-4.1.label", "probability": "answers.gpt-4.1.p"},
        ),
    ],
)  # fmt: skip
def test_logs_of_judges(write: Write, record: Callable[[str, str, float], Any], named: dict[str, str]) -> None:
    rows = [("q1", "pass", 0.9), ("q2", "fail", 0.6)]
    votes = read_model_votes(write("log.jsonl", lines(*(record(*row) for row in rows))), named=named)
    assert (votes.item_ids.to_pylist(), votes.models, votes.labels) == (["q1", "q2"], ("m",), ("fail", "pass"))
    assert votes.probability.tolist() == [pytest.approx([0.1, 0.9]), pytest.approx([0.6, 0.4])]


def test_objects_of_probabilities_are_wide(write: Write) -> None:
    votes = read_model_votes(write("v.jsonl", lines({"item": "a", "model": "m", "p": {"cat": 0.2, "dog": 0.8}})))
    assert (votes.labels, votes.declared) == (("cat", "dog"), frozenset({"cat", "dog"}))


@pytest.mark.parametrize(
    ("role", "name"), [("item", "ID"), ("label", "out.verdict"), ("model", "x"), ("probability", "p")]
)
def test_a_named_column_must_be_there(write: Write, role: str, name: str) -> None:
    path = write("v.jsonl", lines({"item": "a", "model": "m", "out": {"label": "x"}, "label": "x"}))
    message = f'no column "{name}" for the {role}; the columns are: item, model, out.label, label; correct --vote-'
    with pytest.raises(FormatError, match=re.escape(message)):
        read_model_votes(path, named={role: name})


def test_judgments_too(write: Write) -> None:
    path = write("j.jsonl", lines(*({"task": {"id": f"i{n}"}, "worker": "w", "out": {"label": "x"}} for n in range(3))))
    found = read(path, item="task.id", label="out.label")
    assert (found.n_items, found.labels) == (3, ("x",))
    with pytest.raises(FormatError, match="no column holds the item"):
        read(path)
    mixed = write(
        "m.jsonl", lines({"item": "a", "worker": "w", "label": "x"}, {"item": "b", "worker": "w", "label": {"k": 1}})
    )
    assert [one.reason for one in read(mixed).rejects] == ["the label is not a single value"]
