"""Exports of doccano, new and old, against counts by plain json."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consensus import read
from consensus.errors import FormatError
from consensus.formats.platforms import doccano
from consensus.formats.platforms.seam import Head
from tests.conftest import ROOT
from tests.formats.test_argilla import rows_of
from tests.formats.test_platforms import balanced

Write = Callable[[str, str | bytes], Path]
EXAMPLE = ROOT / "tests" / "platforms" / "doccano.jsonl"


def export(*records: Any) -> str:
    return "".join(json.dumps(one) + "\n" for one in records)


def text(name: Any, label: Any, **more: Any) -> dict[str, Any]:
    return {"id": name, "text": "t", "label": label, "Comments": [], **more}


class TestExample:
    records = tuple(json.loads(line) for line in EXAMPLE.read_text().splitlines())

    def test_counts(self) -> None:
        found = read(EXAMPLE)
        given = [one for one in self.records if one["label"]]
        expected = [(str(one["id"]), "doccano", " | ".join(sorted(one["label"]))) for one in given]
        assert rows_of(found) == sorted(expected)
        assert (found.tally.read, found.tally.abstained) == (len(self.records), 1) == (20, 1)
        assert found.labels == ("neg", "neg | off", "pos")
        said = (
            "worker the name of the file, label label (several choices: each set of choices is one label); nothing but"
        )
        assert said in found.notes[0]

    def test_values_that_are_named(self) -> None:
        found = read(EXAMPLE, item="text", worker="source")
        assert found.worker_ids.to_pylist() == ["mail", "web"]
        assert "nothing but the name" not in found.notes[0]
        with pytest.raises(FormatError, match='no column "x" for the item'):
            read(EXAMPLE, item="x")


def test_files_of_annotators(write: Write) -> None:
    paths = [write("ana.jsonl", export(text(1, ["a"]), text(2, ["b"]))), write("bo.jsonl", export(text(1, ["b"])))]
    found = read(paths)
    assert rows_of(found) == [("1", "ana", "a"), ("1", "bo", "b"), ("2", "ana", "b")]
    assert len(found.notes) == 2


def test_early_versions(write: Write) -> None:
    annotations = [{"id": 1, "user": 2, "label": 7}, {"user": 3, "label": 8}, {"user": 3, "label": 7}, {"label": 7}, 3]
    own = {"id": 1, "text": "t", "annotation_approver": None, "meta": {"a": 1}}
    path = write(
        "all.json", json.dumps([{**own, "annotations": annotations}, {**own, "id": 2, "annotations": []}, "x"])
    )
    found = read(path)
    assert rows_of(found) == [("1", "2", "7"), ("1", "3", "7 | 8")]
    assert [(one.line, one.reason) for one in found.rejects] == [(3, "not a JSON object")]
    assert "worker user, label label " in found.notes[0]
    assert "labels are numbers of labels, whose names are not in this file" in found.notes[0]
    spans = [{"user": 2, "label": 7, "start_offset": 1, "end_offset": 2}]
    with pytest.raises(FormatError, match=r"no question of this doccano export has fixed answers: label \(marked regi"):
        read(write("b.jsonl", export({**own, "annotations": spans})))


def test_marked_spans_are_no_labels(write: Write) -> None:
    with pytest.raises(FormatError, match=r"has fixed answers: label \(marked regions\)"):
        read(write("a.jsonl", export(text(1, [[0, 1, "x"]]))))


def test_what_looks_like_anybodys_is_read_if_named(write: Write) -> None:
    path = write("ana.jsonl", export({"id": 1, "text": "t", "cats": ["a"]}, {"id": 2, "data": "t", "cats": ["b"]}))
    assert rows_of(read(path, platform="doccano")) == [("1", "ana", "a"), ("2", "ana", "b")]


def test_examples_that_went_out_are_told_by_their_item(write: Write) -> None:
    """In a project that has others, too, the column is empty there."""
    lines = [text(7, ["a"], consensus_item="1"), text(2, ["b"], consensus_item=None), text(3, ["b"])]
    found = read(write("ana.jsonl", export(*lines)))
    assert rows_of(found) == [("1", "ana", "a"), ("2", "ana", "b"), ("3", "ana", "b")]
    assert "item consensus_item" in found.notes[0]


@pytest.mark.parametrize(
    ("start", "known"),
    [
        (export(text(1, ["a"])), True),
        ("\ufeff\n[" + export(text(1, ["a"])) + "]", True),
        (export({"id": 1, "text": "t", "label": ["a"]}), False),
        (export({"id": 1, "text": "t", "label": ["a"]}, text(2, ["a"])), False),
        (export({"id": "x", "text": "t", "label": ["a"], "Comments": []}), False),
        ("id,text,label,Comments\n", False),
    ],
)
def test_knows_its_own(start: str, known: bool) -> None:
    assert doccano.sniff(Head(Path("x"), start.encode())) is known


def test_survives_what_is_cut_or_swapped(write: Write) -> None:
    whole = EXAMPLE.read_bytes()
    pairs = [
        (b"[", b"{"),
        (b'"label": [', b'"label": [[1], '),
        (b'"pos"', b"{}"),
        (b"label", b"annotations"),
        (b"1", b"[2]"),
    ]
    damaged = [whole[:n] for n in range(0, len(whole), 497)] + [whole.replace(one, other) for one, other in pairs]
    for n, content in enumerate(damaged):
        path = write(f"d{n}.jsonl", content)
        try:
            found = read(path, platform="doccano")
        except FormatError as error:
            assert str(error).startswith(str(path))  # noqa: PT017
            continue
        assert balanced(found)
