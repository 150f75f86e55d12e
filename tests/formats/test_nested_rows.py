"""Judgments in lists within objects of JSON: each object of the list that the names of columns lead into is a row."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consensus import read
from consensus.errors import FormatError
from consensus.inputs.judgments import Judgments

Write = Callable[[str, str | bytes], Path]
NAMED: dict[str, Any] = {"item": "id", "worker": "annotations.worker", "label": "annotations.label"}
TASKS: list[dict[str, Any]] = [
    {"id": "i1", "text": "t", "annotations": [{"worker": "v", "label": "a"}, {"worker": "w", "label": "b", "at": 5}]},
    {"id": "i2", "annotations": []},
    {"id": "i3"},
    {"id": "i4", "annotations": [{"worker": "w", "label": "a"}]},
]


def rows_of(judgments: Judgments) -> list[tuple[str, str, str]]:
    items, workers = judgments.item_ids.to_pylist(), judgments.worker_ids.to_pylist()
    codes = zip(judgments.item, judgments.worker, judgments.label, strict=True)
    return [(items[i], workers[w], judgments.labels[k]) for i, w, k in codes]


def stored(write: Write, kind: str, tasks: list[Any]) -> Path:
    if kind == "lines":
        return write("t.jsonl", "".join(json.dumps(one) + "\n" for one in tasks))
    return write("t.json", json.dumps(tasks if kind == "array" else {"meta": {"n": 1}, "data": {"tasks": tasks}}))


@pytest.mark.parametrize("kind", ["lines", "array", "inside"])
class TestRows:
    def test_are_the_objects_of_the_list(self, kind: str, write: Write) -> None:
        path = stored(write, kind, TASKS)
        found = read(path, **NAMED)
        assert rows_of(found) == [("i1", "v", "a"), ("i1", "w", "b"), ("i4", "w", "a")]
        assert found.notes[-1] == (
            f"{path}: each object of the lists 'annotations' is a row: 4 objects with 3 rows; 2 objects without any"
        )
        assert found.unused == ("text",)
        assert (found.tally.read, found.tally.used) == (3, 3)

    def test_what_stands_beside_belongs_to_each(self, kind: str, write: Write) -> None:
        tasks = [
            {"id": f"i{n}", "who": {"group": f"g{n % 2}"}, "answers": [{"by": {"id": "v"}, "label": "a"}]}
            for n in range(4)
        ]
        found = read(
            stored(write, kind, tasks), item="id", worker="answers.by.id", label="answers.label", group="who.group"
        )
        assert found.group_ids is not None
        assert found.group_ids.to_pylist() == ["g0", "g1"]
        assert "without any" not in found.notes[-1]

    def test_entries_that_are_no_objects_become_rejects(self, kind: str, write: Write) -> None:
        odd = [{"worker": "v", "label": ["a"]}, "nothing", {"worker": "w", "label": "b"}, {"worker": "x"}]
        found = read(
            stored(write, kind, [*TASKS, {"id": "j", "annotations": odd}, {"id": "k", "annotations": "x"}]), **NAMED
        )
        assert len(rows_of(found)) == 4
        assert (found.tally.read, found.tally.abstained, len(found.rejects)) == (8, 1, 3)
        assert [one.reason.rpartition(": ")[2] for one in found.rejects] == [
            "the label is not a single value",
            "the worker is missing",
            "the worker is missing",
        ]

    def test_of_one_list_only(self, kind: str, write: Write) -> None:
        tasks = [{"id": "i", "who": [{"name": "v"}], "annotations": [{"label": "a"}]}]
        if kind == "lines":
            tasks *= 2
        with pytest.raises(
            FormatError, match="named in several lists of objects, annotations and who; name those of one"
        ):
            read(stored(write, kind, tasks), item="id", worker="who.name", label="annotations.label")

    def test_names_that_lead_nowhere(self, kind: str, write: Write) -> None:
        path = stored(write, kind, TASKS)
        for name in ("annotations.who", "text.worker", "annotations.worker.name"):
            with pytest.raises(FormatError, match=f'no column "{name}" for the worker'):
                read(path, **{**NAMED, "worker": name})

    def test_the_error_tells_how(self, kind: str, write: Write) -> None:
        path = stored(write, kind, TASKS)
        with pytest.raises(
            FormatError,
            match="no column holds the worker; it has lists of objects .*: if each is a judgment, name the item with "
            "--item, and say where they stand: --worker annotations.worker --label annotations.label",
        ):
            read(path)
        with pytest.raises(FormatError, match="if each is a judgment, say where they stand"):
            read(path, item="id")


def test_a_place_in_the_list_may_still_be_named(write: Write) -> None:
    found = read(stored(write, "lines", TASKS), item="id", worker="annotations.0.worker", label="annotations.0.label")
    assert rows_of(found) == [("i1", "v", "a"), ("i4", "w", "a")]
