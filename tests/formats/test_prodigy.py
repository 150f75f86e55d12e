"""Exports of Prodigy against counts by plain json, in all their forms."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from consensus import read, read_gold
from consensus.errors import FormatError
from consensus.formats.platforms import people, prodigy
from consensus.formats.platforms.seam import Head
from consensus.inputs.judgments import Judgments
from tests.conftest import ROOT

Write = Callable[[str, str | bytes], Path]
EXAMPLE = ROOT / "tests" / "platforms" / "prodigy.jsonl"
OPTIONS = [{"id": "red", "text": "red"}, {"id": "blue", "text": "blue"}]


def export(records: list[dict[str, Any]]) -> str:
    usual = {"text": "t", "_input_hash": 1, "_task_hash": 2, "answer": "accept"}
    return "".join(json.dumps({**usual, **record}) + "\n" for record in records)


def choice(*accept: object, **more: Any) -> dict[str, Any]:
    return {"options": OPTIONS, "accept": list(accept), "_annotator_id": "ds-ana", **more}


def rows_of(judgments: Judgments) -> list[tuple[str, str, str]]:
    items, workers = judgments.item_ids.to_pylist(), judgments.worker_ids.to_pylist()
    codes = zip(judgments.item, judgments.worker, judgments.label, strict=True)
    return [(items[i], workers[w], judgments.labels[k]) for i, w, k in codes]


class TestExample:
    records = tuple(json.loads(line) for line in EXAMPLE.read_text().splitlines())

    def test_counts(self) -> None:
        found = read(EXAMPLE)
        whole = [one for one in self.records if "answer" in one]
        given = [one for one in whole if one["answer"] == "accept"]
        assert (
            (found.tally.read, found.tally.rejected) == (len(self.records), len(self.records) - len(whole)) == (25, 1)
        )
        assert found.tally.abstained == len(whole) - len(given) == 2
        expected = [(str(one["_input_hash"]), people.called(one["_annotator_id"]), one["accept"][0]) for one in given]
        assert rows_of(found) == sorted(expected)
        assert found.timestamp is not None
        times = {(str(one["_input_hash"]), people.called(one["_annotator_id"])): one["_timestamp"] for one in whole}
        for (item, worker, _), when in zip(rows_of(found), found.timestamp, strict=True):
            assert np.datetime64(times[item, worker], "s") == when

    def test_values_that_are_named(self) -> None:
        found = read(EXAMPLE, item="meta.source", group="_session_id")
        assert found.item_ids.to_pylist()[0] == "p1.jpg"
        assert found.group_ids is not None
        assert "annotator b7c9514a" in found.group_ids.to_pylist()
        assert read(EXAMPLE, label="text").n_labels == 8
        assert read(EXAMPLE, drop=["answer=ignore"]).tally.dropped == 1
        with pytest.raises(
            FormatError, match='no question "size"; this Prodigy export asks: accept .*; correct --label'
        ):
            read(EXAMPLE, label="size")
        with pytest.raises(
            FormatError, match='no column "meta.author" for the item; the columns are: text, meta.source'
        ):
            read(EXAMPLE, item="meta.author")


@pytest.mark.parametrize(
    ("record", "label"),
    [
        (choice("red"), "red"),
        (choice("red", "blue", "red"), "blue | red"),
        (choice(2, 10), "10 | 2"),
        (choice(), None),
        (choice("red", answer="reject"), None),
        (choice("red", answer="ignore"), None),
        (choice("red", accept="red"), None),
        (choice("red", accept=[{"id": "red"}]), None),
    ],
)
def test_labels_of_choices(write: Write, record: dict[str, Any], label: str | None) -> None:
    found = read(write("ds.jsonl", export([record, choice("red", _annotator_id="ds-bo")])))
    assert [one[2] for one in rows_of(found) if one[1] == "ana"] == ([label] if label else [])
    assert found.tally.abstained == (label is None)
    assert ("no answer: " in found.notes[0]) == (label is None)
    sets = "label accept (several choices: each set of choices is one label)"
    assert (sets in found.notes[0]) == (label is not None and " | " in label)


class TestOptions:
    def test_that_are_numbers_or_change(self, write: Write) -> None:
        texts = [[{"id": n, "text": f"{word} {n}"} for n in range(6)] for word in ("a", "b")]
        records = [choice(1, options=each, _input_hash=n) for n, each in enumerate(texts)]
        (note,) = read(write("d.jsonl", export(records))).notes
        assert 'labels are ids of options: 0 is "a 0", 1 is "a 1", 2 is "a 2", 3 is "a 3", ...; ' in note
        assert 'the text of 6 options changes, such as of "0", so that a label may mean something else in each' in note
        plain = [choice("red", options=[{"id": "red"}, {"id": "blue", "text": "b"}, {"text": "x"}, 3])]
        assert "options" not in read(write("e.jsonl", export(plain))).notes[0]

    def test_of_several_questions(self, write: Write) -> None:
        ids = ["Colour: red", "Colour: blue", "Size: big", "Size: small: very"]
        options = [{"id": one, "text": one} for one in ids]
        records = [choice(*ids[1:], options=options), choice(ids[0], options=options, _annotator_id="ds-bo")]
        path = write("ds.jsonl", export(records))
        with pytest.raises(FormatError, match=r"asks several questions: Colour \(several choices\), Size \(several "):
            read(path)
        assert rows_of(read(path, label="Colour")) == [("1", "ana", "blue"), ("1", "bo", "red")]
        assert rows_of(read(path, label="Size")) == [("1", "ana", "big | small: very")]
        assert read(path, label="accept").n_labels == 2


class TestBinary:
    records: tuple[dict[str, Any], ...] = (
        {"label": "SPORT", "_session_id": "ana"},
        {"label": "SPORT", "_session_id": "bo", "answer": "reject"},
        {"label": "SPORT", "_session_id": "cy", "answer": "ignore"},
    )

    def test_reject_is_a_judgment_against(self, write: Write) -> None:
        found = read(write("d.jsonl", export(list(self.records))))
        assert rows_of(found) == [("2", "ana", "accept"), ("2", "bo", "reject")]
        assert found.tally.abstained == 1
        (note,) = found.notes
        said = (
            'item _task_hash, worker _session_id, label answer; "reject" is a judgment against "SPORT"; no answer: "ig'
        )
        assert said in note

    def test_of_several_labels_or_none(self, write: Write) -> None:
        several = [*self.records, {"label": "ART", "_session_id": "ana", "_task_hash": 3}]
        said = '"reject" is a judgment against the label of the task, of which there are 2; '
        assert said in read(write("d.jsonl", export(several))).notes[0]
        assert "against" not in read(write("e.jsonl", export([{"_session_id": "ana"}]))).notes[0]

    def test_beside_choices(self, write: Write) -> None:
        records: list[dict[str, Any]] = [choice("red"), *self.records]
        path = write("d.jsonl", export(records))
        with pytest.raises(
            FormatError, match=r"several questions: accept \(one choice\), answer \(one choice\); choose"
        ):
            read(path)
        assert read(path, label="answer").tally.used == 3

    def test_of_marked_spans(self, write: Write) -> None:
        spans: list[dict[str, Any]] = [
            {"spans": [], "_session_id": "ana"},
            {"_view_id": "image_manual", "_session_id": "bo"},
        ]
        path = write("d.jsonl", export(spans))
        with pytest.raises(
            FormatError, match=r"no question of this .* fixed answers: spans \(marked regions\); choose"
        ):
            read(path)
        with pytest.raises(FormatError, match='answers to "spans" are regions'):
            read(path, label="spans")
        assert rows_of(read(path, label="answer")) == [("1", "ana", "accept"), ("1", "bo", "accept")]


class TestWorkers:
    def test_by_the_name_of_the_file(self, write: Write) -> None:
        path = write("ana.jsonl", export([{"options": OPTIONS, "accept": ["red"]}]))
        found = read(path)
        assert found.worker_ids.to_pylist() == ["ana"]
        assert "worker the name of the file, label accept; nothing but the name of the file tells who" in found.notes[0]
        assert found.understood[1].because == "Prodigy export"
        assert "nothing but" not in read(path, worker="text").notes[0]

    def test_annotators_go_before_sessions(self, write: Write) -> None:
        records = [choice("red", _session_id="x"), choice("red", _annotator_id="", _session_id="ds-bo"), choice("red")]
        records[2]["_annotator_id"] = None
        found = read(write("ds.jsonl", export(records)))
        assert found.worker_ids.to_pylist() == ["ana", "bo"]
        assert [one.reason for one in found.rejects] == ["the worker is missing"]
        assert '"ds-" before names of workers is left out' in found.notes[0]
        assert read(write("other.jsonl", export(records))).worker_ids.to_pylist() == ["ds-ana", "ds-bo"]

    def test_sessions_named_by_their_start(self, write: Write) -> None:
        found = read(write("d.jsonl", export([choice("red", _annotator_id="2023-05-01_10-00-07")])))
        assert "1 worker is a session named by its start, so that nothing tells who they were" in found.notes[0]

    def test_no_single_value(self, write: Write) -> None:
        records = [choice("red"), choice("red", _annotator_id=None, _session_id=None, text={"a": 1})]
        found = read(write("d.jsonl", export(records)), worker="text")
        assert [one.reason for one in found.rejects] == ["the worker is not a single value"]
        found = read(write("e.jsonl", export([{**records[0], "text": True}, records[1]])), label="text")
        assert found.labels == ("true",)
        assert [one.reason for one in found.rejects] == ["the label is not a single value"]


def test_reviewed_tasks(write: Write) -> None:
    versions = [
        {"accept": ["red"], "answer": "accept", "sessions": ["ds-ana", "ds-bo"], "default": True},
        {"accept": [], "answer": "ignore", "sessions": ["ds-cy", {"no": "name"}]},
        "damage",
        {"accept": ["red"]},
    ]
    records = [choice("blue", versions=versions, _annotator_id="ds-dora"), choice("red"), choice("x", answer="")]
    path = write("ds.jsonl", export(records))
    found = read(path, repeats="first")
    assert rows_of(found) == [("1", "ana", "red"), ("1", "bo", "red")]
    assert (found.tally.read, found.tally.abstained, found.tally.repeated, found.tally.rejected) == (6, 1, 1, 2)
    assert found.gold is not None
    assert (found.gold.item, found.gold.label) == (("1",), ("blue",))
    assert read_gold(path, label="colour").label == ("blue",)
    assert "1 reviewed task holds the judgments of sessions, and what the reviewer chose is gold" in found.notes[0]
    bad = write("bad.jsonl", export([choice("red"), choice("x", answer="", versions=[])]))
    assert read(bad).gold is None


def test_lines_that_are_no_tasks(write: Write) -> None:
    text = export([choice("red")]) + '{"cut": \n[1]\n\n' + export([choice("red", answer=None)])
    found = read(write("d.jsonl", text.encode() + b'{"x": "\xe9"}\n'))
    assert [(one.line, one.reason.partition(": line")[0]) for one in found.rejects] == [
        (2, "not JSON: expecting value"),
        (3, "not a JSON object"),
        (5, "the answer is none of accept, reject, ignore"),
        (6, "not UTF-8"),
    ]
    with pytest.raises(FormatError, match="no line holds a JSON object; expected one object a line"):
        read(write("e.jsonl", "[1]\n"), platform="prodigy")
    with pytest.raises(FormatError, match="the file is empty"):
        read(write("f.jsonl", ""), platform="prodigy")


def test_values_without_a_name(write: Write) -> None:
    """All columns are looked at where many judgments are repeats."""
    found = read(write("d.jsonl", export([choice("red", **{"": f"x{n % 2}"}) for n in range(8)])))
    assert found.tally.repeated == 7
    assert [one.code for one in found.cautions] == ["many_repeats"]


def test_old_exports_hold_hashes_only(write: Write) -> None:
    found = read(write("d.jsonl", export([{"options": OPTIONS, "accept": [1]}])))
    assert (found.timestamp, found.tally.used) == (None, 1)
    none = read(write("e.jsonl", '{"text": "t", "answer": "accept"}\n'), platform="prodigy")
    assert [one.reason for one in none.rejects] == ["the item is missing"]
    assert "item unknown" in none.notes[0]


@pytest.mark.parametrize(
    ("start", "known"),
    [
        (b'{"_input_hash": 1, "_task_hash":2, "answer" : "reject"}', True),
        (b'\xef\xbb\xbf\n{"_input_hash": 1, "_task_hash":2, "answer" : "reject"}', True),
        (b'{"_input_hash": 1, "_task_hash":2}\n{"answer": "accept"}', False),
        (b'{"_input_hash": 1, "_task_hash":2, "answer": "yes"}', False),
        (b'[{"_input_hash": 1, "_task_hash":2, "answer" : "reject"}]', False),
    ],
)
def test_knows_its_own(start: bytes, known: bool) -> None:
    assert prodigy.sniff(Head(Path("x"), start)) is known


def test_survives_what_is_cut_or_swapped(write: Write) -> None:
    whole = EXAMPLE.read_bytes()
    damaged = [whole[:n] for n in range(20, len(whole), 997)]
    pairs = [
        (b"options", b"option"),
        (b"[", b"{"),
        (b'"accept"', b"null"),
        (b": 10", b": [1"),
        (b"_annotator_id", b"text"),
    ]
    damaged += [whole.replace(one, other) for one, other in pairs]
    for n, content in enumerate(damaged):
        path = write(f"d{n}.jsonl", content)
        try:
            tally = read(path, platform="prodigy").tally
        except FormatError as error:
            told = str(error)
            assert told.startswith(str(path))
            continue
        assert tally.read == tally.used + tally.abstained + tally.repeated + tally.rejected
