"""JSON that is one document: arrays, objects that hold one, and what is said of broken ones."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from consensus import read, read_gold, read_model_votes
from consensus.errors import FormatError
from consensus.formats import columns_of

Write = Callable[[str, str | bytes], Path]
ROWS = [{"item": i, "worker": f"w{w}", "label": ("a", "b")[(i + (w == 2)) % 2]} for i in range(8) for w in range(4)]
LINES = "\n".join(map(json.dumps, ROWS))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("j.json", json.dumps(ROWS)),
        ("j.json", json.dumps(ROWS, indent=2)),
        ("j.json", "\ufeff\n " + json.dumps(ROWS, indent=1) + "\n\n"),
        ("j.json", json.dumps({"meta": {"n": 1, "tags": ["x"]}, "data": ROWS})),
        ("j.json", json.dumps({"a": {"b": {"rows": ROWS}}, "empty": []}, indent=2)),
        ("j.json", LINES),
        ("j.json", LINES + "\n"),
        ("j.jsonl", json.dumps(ROWS)),
        ("j.csv", json.dumps(ROWS)),
        ("j.json.gz", gzip.compress(json.dumps(ROWS).encode(), mtime=0)),
    ],
)
def test_the_same_as_a_frame(name: str, content: str | bytes, write: Write) -> None:
    path = write(name, content)
    found, whole = read(path), read(pd.DataFrame(ROWS))
    for one in ("item", "worker", "label", "item_ids", "worker_ids", "labels"):
        assert list(getattr(found, one)) == list(getattr(whole, one))
    assert columns_of(path) == ["item", "worker", "label"]
    inner = isinstance(content, str) and content.startswith("{") and not content.startswith('{"item')
    told = [note for note in found.notes if "the list" in note and "32 objects" in note]
    others = [note for note in found.notes if note not in told]
    assert len(told) == inner
    assert others == ([] if ".json" in path.suffixes else [f"{name} is read as JSON, whatever its ending"])


def test_lines_that_are_longer_than_what_is_looked_at(write: Write) -> None:
    long = [{**row, "text": "x" * (1 << 16)} for row in ROWS[:3]]
    found = read(write("j.json", "\n".join(map(json.dumps, long))))
    assert (found.n_judgments, found.notes) == (3, ())


def test_values_stay_as_written(write: Write) -> None:
    path = write("j.json", '[{"item": 1.0, "worker": true, "label": 1e3}, {"item": null, "worker": "x", "label": "é"}]')
    judgments = read(path)
    assert judgments.item_ids.to_pylist() == ["1.0"]
    assert (judgments.worker_ids.to_pylist(), judgments.labels[0]) == (["true"], "1e3")
    (reject,) = judgments.rejects
    assert (reject.line, reject.reason) == (1, "the item is missing")
    assert reject.row == '{"item": null, "worker": "x", "label": "é"}'


def test_nested_names(write: Write) -> None:
    rows = [{"task": {"id": i}, "by": [{"who": "w"}], "answer": "a"} for i in range(4)]
    judgments = read(write("j.json", json.dumps(rows)), item="task.id", worker="by.0.who")
    assert judgments.item_ids.to_pylist() == ["0", "1", "2", "3"]


def test_elements_that_are_no_objects(write: Write) -> None:
    content = '[{"item": 1, "worker": "w", "label": "a"},\n 5,\n {"item": 2, "worker": "w", "label": ["x", "y"]}\n]'
    judgments = read(write("j.json", content))
    assert [(one.line, one.reason, one.row) for one in judgments.rejects] == [
        (2, "element 2: not a JSON object", '"5"'),
        (3, "element 3: the label is not a single value", '{"item": "2", "worker": "w", "label": ["x", "y"]}'),
    ]
    assert (judgments.tally.read, judgments.tally.used) == (3, 1)


def test_elements_of_an_inner_list(write: Write) -> None:
    content = json.dumps({"data": [*ROWS, 5, {"item": "x", "worker": "w"}]})
    judgments = read(write("j.json", content))
    assert [(one.line, one.reason) for one in judgments.rejects] == [(33, "element 33: not a JSON object")]
    assert judgments.tally.abstained == 1


def test_many_elements_are_several_blocks(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consensus.formats.tables.json_documents.BLOCK", 5)
    assert read(write("j.json", json.dumps(ROWS))).n_judgments == len(ROWS)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('[{"item": 1},\n{"item": 2,}]', r"j\.json:2: element 2: not JSON: .*; the file may be cut off"),
        ('[{"item": 1}\n\n{"item": 2}]', r"j\.json:1: element 1: a comma or \] should follow; the file may be cut off"),
        ('[{"item": "a\n', r"j\.json:1: element 1: not JSON: invalid control character; the file may be cut off"),
        ('[{"item": 1},\n', r"j\.json:2: element 2: not JSON: expecting value; the file may be cut off"),
        ('[{"item": 1}]\n[1]', r"j\.json:1: something follows the array; keep one array a file"),
        ('[{"item": ' + "[" * 200_000, r"j\.json:1: element 1: not JSON: nested too deeply"),
        ('{"a":' + '{"b":' * 200_000, r"j\.json: not JSON: nested too deeply"),
        ('{"item": 1,\n "label": }', r"j\.json:2: not JSON: expecting value; it may be cut off"),
        ("[]", r"j\.json: no element of the list is an object; expected one object a judgment"),
        ("[1, 2]", r"j\.json: no element of the list is an object"),
        ('{"a": 1,\n "b": [1]}', r"j\.json: no list of objects in it; expected an array, such as \[\{\.\.\.\}"),
        (
            '{"a": [{"x": 1}],\n "b": {"c": 1}, "d": [{"x": 1}]}',
            r"several lists of objects: a, d; save the one",
        ),
        (b'[{"item": 1},\n{"item": "\xff"}]', r"j\.json:2: the file is not UTF-8; it looks like cp1252"),
        ("", r"j\.json: the file is empty"),
        ('[{"item": 1, "label": "a"}]', r"j\.json: no column holds the worker"),
    ],
)
def test_broken_files(content: str | bytes, told: str, write: Write) -> None:
    with pytest.raises(FormatError, match=told):
        read(write("j.json", content))


def test_votes_and_gold(write: Write) -> None:
    votes: list[dict[str, Any]] = [{"item": "i1", "model": "m", "scores": {"a": 0.25, "b": 0.75}}]
    assert read_model_votes(write("v.json", json.dumps(votes))).probability.tolist() == [[0.25, 0.75]]
    gold = read_gold(
        write("g.json", json.dumps({"gold": [{"item": "i1", "label": "a"}, {"item": "i2", "label": None}]}))
    )
    assert gold.item == ("i1",)
