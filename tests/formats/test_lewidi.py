"""Data sets of LeWiDi against counts by plain json: labels in order, or by name."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consensus import read, read_gold
from consensus.errors import FormatError, JudgmentError
from consensus.formats.platforms import lewidi
from consensus.formats.platforms.seam import Head
from tests.conftest import ROOT
from tests.formats.test_argilla import rows_of
from tests.formats.test_platforms import balanced

Write = Callable[[str, str | bytes], Path]
EXAMPLE = ROOT / "tests" / "platforms" / "lewidi.json"


def items(*annotations: Any, names: Any = "Ann1,Ann2", **more: Any) -> str:
    return json.dumps(
        {
            f"i{n}": {"annotations": one, "annotators": names, "hard_label": "", **more}
            for n, one in enumerate(annotations)
        }
    )


class TestExample:
    records: dict[str, dict[str, Any]] = json.loads(EXAMPLE.read_text())

    def test_counts(self) -> None:
        found = read(EXAMPLE)
        expected = [
            (item, worker, label)
            for item, one in self.records.items()
            for worker, label in zip(one["annotators"].split(","), one["annotations"].split(","), strict=True)
        ]
        assert rows_of(found) == sorted(expected)
        assert found.tally.read == found.tally.used == 33
        assert (found.model_votes, found.gold) == (None, None)
        assert (
            "label annotations; other questions, for --label, or all with --by question: other_info.tone; --platform"
            in found.notes[0]
        )

    def test_values_that_are_named(self) -> None:
        assert read(EXAMPLE, label="other_info.tone").labels == ("low",)
        assert read(EXAMPLE, item="text", group="split").n_items == 12
        with pytest.raises(
            FormatError, match=r'no question "x"; this LeWiDi data set asks: annotations \(one choice\), o'
        ):
            read(EXAMPLE, label="x")
        with pytest.raises(FormatError, match="no gold in this LeWiDi data set"):
            read_gold(EXAMPLE, label="label")


def test_items_that_are_no_items(write: Write) -> None:
    """What would explain the repeats is told, though the answers to other questions can't be items."""
    records = {
        name: {key: value for key, value in one.items() if key != "hard_label"}
        for name, one in json.loads(EXAMPLE.read_text()).items()
    }
    with pytest.raises(JudgmentError, match='29 of 33 judgments .* "text" has 12 values and would leave 0 repeats'):
        read(write("a.json", json.dumps(records)), item="split")


@pytest.mark.parametrize(
    ("annotations", "names", "rows"),
    [
        ("0, 1", "Ann1,Ann2", [("Ann1", "0"), ("Ann2", "1")]),
        (["0", 1], "Ann1,Ann2", [("Ann1", "0"), ("Ann2", "1")]),
        ("0,", "Ann1,Ann2", [("Ann1", "0")]),
        ({"Ann1": "0", "Ann2": 3}, "Ann1,Ann2", [("Ann1", "0"), ("Ann2", "3")]),
        ({"Ann1": "b,a", "Ann2": ""}, "Ann1,Ann1,Ann2", [("Ann1", "a | b")]),
        ({"Ann2": "x"}, ["Ann1", "Ann2", 3], [("Ann2", "x")]),
    ],
)
def test_labels(write: Write, annotations: Any, names: Any, rows: list[tuple[str, str]]) -> None:
    found = read(write("a.json", items(annotations, names=names)), platform="lewidi")
    assert rows_of(found) == [("i0", *row) for row in rows]
    assert found.tally.abstained == found.tally.read - len(rows)


def test_what_does_not_add_up_is_rejected(write: Write) -> None:
    text = items("0", "0,1", {}, {"Ann3": "1"}, None, {"Ann1": {}, "Ann2": "1"})
    found = read(write("a.json", text[:-1] + ', "x": [1], "y": {"annotators": "v,v", "annotations": "0,1"}}'))
    assert [(one.line, one.reason) for one in found.rejects] == [
        (1, "1 annotation by 2 annotators"),
        (3, "0 annotations by 2 annotators"),
        (4, "0 annotations by 2 annotators"),
        (5, "0 annotations by 2 annotators"),
        (6, "the label is not a single value"),
        (7, "not a JSON object"),
        (8, "2 annotations by 2 annotators, some of whom stand there twice"),
    ]
    assert found.tally.used == 3
    with pytest.raises(
        FormatError, match="this is no LeWiDi data set, for it is no JSON object of items; read it with"
    ):
        read(write("b.json", "[1]"), platform="lewidi")


def test_further_questions_by_name(write: Write) -> None:
    more = {"why": {"Ann1": "text one", "Ann2": "text two"}, "n": 3, "odd": "a,b,c", "tone": ["x", "y"]}
    path = write("a.json", items("0,1", other_info=more))
    assert (
        "other questions, for --label, or all with --by question: other_info.why, other_info.tone;"
        in read(path).notes[0]
    )
    assert rows_of(read(path, label="other_info.tone")) == [("i0", "Ann1", "x"), ("i0", "Ann2", "y")]


@pytest.mark.parametrize(
    ("start", "known"),
    [
        (items("0,1"), True),
        ("\ufeff" + items({"Ann1": "0"}), True),
        ("[" + items("0,1") + "]", False),
        ('{"annotations": "0,1", "annotators": "v,w", "hard_label": 1}', False),
        ('{"a": {"annotations": "0,1", "annotators": "v,w"}}', False),
        ("annotations,annotators,hard_label\n", False),
    ],
)
def test_knows_its_own(start: str, known: bool) -> None:
    assert lewidi.sniff(Head(Path("x"), start.encode())) is known


def test_survives_what_is_cut_or_swapped(write: Write) -> None:
    whole = EXAMPLE.read_bytes()
    pairs = [
        (b"Ann1", b""),
        (b'"annotators"', b'"x"'),
        (b"1", b"\xff"),
        (b": {", b": [{"),
        (b'"low,low,low"', b"[[1]]"),
    ]
    damaged = [whole[:n] for n in range(0, len(whole), 997)] + [whole.replace(one, other) for one, other in pairs]
    for n, content in enumerate(damaged):
        path = write(f"d{n}.json", content)
        try:
            found = read(path, platform="lewidi")
        except FormatError as error:
            assert str(error).startswith(str(path))  # noqa: PT017
            continue
        assert balanced(found)
