"""The JSON report of CrowdFlower: the same judgments as in the full report, and the traps of its own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from consensus import fit, read, read_gold
from consensus.errors import FormatError
from consensus.formats.platforms import crowdflower_json
from consensus.formats.platforms.seam import Head
from consensus.inputs.gold import Gold
from consensus.inputs.judgments import Judgments
from tests.conftest import ROOT

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

Write = Callable[[str, str | bytes], Path]
EXAMPLE = ROOT / "tests" / "platforms" / "crowdflower-json.json"


def judgment(label: Any, worker: Any = 7, **more: Any) -> dict[str, Any]:
    data = label if isinstance(label, dict) else {"colour": label}
    times = {"created_at": "2017-03-04T10:00:30+00:00", "started_at": "2017-03-04T10:00:00+00:00"}
    return {"worker_id": worker, "trust": 1, "ip": "203.0.113.9", "city": "Waco", **times, "data": data, **more}


def report(*units: list[Any] | dict[str, Any], **data: Any) -> str:
    """A report of units, given by their judgments or whole."""
    lines = []
    for n, unit in enumerate(units, 1):
        whole = unit if isinstance(unit, dict) else {"id": n, "data": data, "results": {"judgments": unit}}
        lines.append(json.dumps(whole))
    return "\n".join(lines) + "\n"


def pairs(gold: Gold) -> set[tuple[str, str]]:
    return set(zip(gold.item, gold.label, strict=True))


def rows_of(judgments: Judgments) -> list[tuple[str, str, str]]:
    items, workers = judgments.item_ids.to_pylist(), judgments.worker_ids.to_pylist()
    codes = zip(judgments.item, judgments.worker, judgments.label, strict=True)
    return [(items[i], workers[w], judgments.labels[k]) for i, w, k in codes]


class TestExample:
    def test_is_the_full_report(self) -> None:
        found, full = read(EXAMPLE), read(ROOT / "tests" / "platforms" / "crowdflower.csv")
        assert rows_of(found) == rows_of(full)
        assert found.tally == full.tally
        assert np.array_equal(found.timestamp, full.timestamp)  # type: ignore[arg-type]
        assert np.array_equal(found.duration, full.duration)  # type: ignore[arg-type]
        assert found.gold is not None
        assert full.gold is not None
        assert pairs(found.gold) == pairs(full.gold)

    def test_columns_that_are_named(self) -> None:
        found = read(EXAMPLE, item="index", group="img", duration="trust")
        assert found.item_ids.to_pylist()[0] == "s1"
        assert found.group_ids is not None
        assert found.group_ids.to_pylist()[0] == "900001.png"
        assert pairs(read_gold(EXAMPLE, item="index")) == {("s2", "blue"), ("s2", "navy"), ("s5", "blue")}
        assert read(EXAMPLE, drop=["golden=true", "colour=green"]).n_items == 4
        with pytest.raises(
            FormatError, match='column "city" of a CrowdFlower JSON report is never read; choose another'
        ):
            read(EXAMPLE, group="city")
        with pytest.raises(FormatError, match='no column "frame" for the item; the columns are: unit_id, worker_id, '):
            read(EXAMPLE, item="frame")


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (["red"], "red"),
        ("red", "red"),
        (["b", "a"], "a | b"),
        ("b\na", "a | b"),
        (True, "true"),
        ([3], "3"),
        ([], None),
        (None, None),
        ([None, ""], None),
    ],
)
def test_answers_as_labels(write: Write, value: Any, label: str | None) -> None:
    found = read(write("job.json", report([judgment(value), judgment("x", 8)])))
    assert [one[2] for one in rows_of(found) if one[1] == "7"] == ([label] if label else [])
    assert found.tally.abstained == (label is None)
    assert ("(several choices: each set of choices is one label)" in found.notes[0]) == (label == "a | b")


class TestQuestions:
    def test_several(self, write: Write) -> None:
        data = {"colour": "red", "size": ["big"], "comment": "x", "colour_contention": "why", "box": [{"x": 1}]}
        path = write("job.json", report([judgment(data)]))
        with pytest.raises(
            FormatError, match=r"several questions: colour \(one choice\), size .*, comment .*, box \(mar"
        ):
            read(path)
        assert read(path, label="size", group="colour").n_groups == 1
        gold = write("gold.json", report([judgment(data)], colour_gold="", size_gold="", box_gold=""))
        with pytest.raises(
            FormatError, match=r"several questions: colour \(one choice\), size \(one choice\), box \(mark"
        ):
            read(gold)
        one = write("one.json", report([judgment(data, golden=True)], colour_gold="red"))
        assert read(one).labels == ("red",)
        assert read(one, label="comment").labels == ("x",)
        assert pairs(read_gold(one, label="colour_gold")) == {("1", "red")}
        assert pairs(read_gold(one, label="answer")) == {("1", "red")}
        found = read(one, label="colour", group="box")
        assert [one.reason for one in found.rejects] == ["the group is no single value, nor a list of such"]

    def test_free_text(self, write: Write) -> None:
        path = write("job.json", report([judgment(f"text {n}", n) for n in range(31)]))
        with pytest.raises(
            FormatError, match=r"no question of this .* has fixed answers: colour \(free text\); choose"
        ):
            read(path)


class TestGold:
    def test_is_met_by_one_tick_in_common(self, write: Write) -> None:
        units = [judgment(["red", "blue"], golden=True), judgment(["green"], 8, golden="true")], [judgment(["red"])]
        path = write("job.json", report(*units, colour_gold="blue\nnavy"))
        found = read(path)
        assert found.gold is not None
        assert pairs(found.gold) == {("1", "blue"), ("1", "navy"), ("1", "blue | red")}
        assert "; gold: 1 of its items (met by one tick in common), unless other gold is named; " in found.notes[0]
        assert fit(found).labels["label"].tolist()[0] == "blue | red"

    def test_that_is_none(self, write: Write) -> None:
        nothing: tuple[Any, ...] = ("", None, [], {"a": 1})
        for gold in nothing:
            found = read(write("job.json", report([judgment("red", golden=True)], colour_gold=gold)))
            assert found.gold is None
        odd = read(
            write("odd.json", report([judgment("red", golden=True)], colour_gold="red", name={"a": 1})), item="name"
        )
        assert [one.reason for one in odd.rejects] == ["the item is not a single value"]

    def test_questions_that_were_met_again(self, write: Write) -> None:
        found = read(write("job.json", report([judgment("red", golden=True), judgment("blue", golden=True)])))
        again = "answers to test questions that their workers had met before, with feedback: 1 (--repeats first takes "
        assert again in found.notes[0]


class TestRows:
    def test_that_are_left_out(self, write: Write) -> None:
        judgments = [judgment("red", 7, tainted=True), judgment("red", 8, rejected="true"), judgment("red", 9)]
        found = read(write("job.json", report(judgments)))
        assert [(one.line, one.reason) for one in found.rejects] == [
            (1, one) for one in crowdflower_json.LEFT_OUT.values()
        ]
        assert "; left out: 1 rejected, 1 tainted; " in found.notes[0]
        assert not [one for one in found.rejects if "203.0" in one.row or "Waco" in one.row]

    def test_that_are_damaged(self, write: Write) -> None:
        units: list[Any] = [
            [judgment("red"), 3, judgment("red", None), judgment("red", {"x": 1}), judgment("red", data=[])],
            {"id": 2, "data": [], "results": []},
            {"id": {}, "results": {"judgments": [judgment("red")]}},
        ]
        path = write("job.json", report(*units) + "[1]\n{\n")
        found = read(path, platform="crowdflower-json")
        reasons = [(one.line, one.reason.partition(" enclosed")[0]) for one in found.rejects]
        assert reasons == [
            (1, "the judgment is no object"),
            (1, "the worker is not a single value"),
            (1, "the worker is missing"),
            (2, "the unit has no list of judgments"),
            (3, "the item is missing"),
            (4, "not a JSON object"),
            (5, "not JSON: expecting property name"),
        ]
        assert (found.tally.used, found.tally.abstained, found.tally.repeated) == (1, 1, 0)

    def test_times_that_cannot_be_read(self, write: Write) -> None:
        judgments = [
            judgment("red", 7),
            judgment("red", 8, started_at="soon"),
            judgment("red", 9, started_at="2017-03-04T10:01:00+00:00"),
            judgment("red", 10, started_at=None),
            judgment("red", 11, created_at="2017-03-04T10:00:30"),
        ]
        found = read(write("job.json", report(judgments)))
        assert found.duration is not None
        assert [None if np.isnan(one) else one for one in found.duration] == [None, None, 30.0, None, None]
        named = read(write("job.json", report(judgments)), duration="trust")
        assert named.duration is not None
        assert named.duration.tolist() == [1.0] * 5

    def test_old_reports_lack_fields(self, write: Write) -> None:
        text = '{"id": 5, "results": {"judgments": [{"worker_id": 7, "trust": 1, "data": {"colour": ["red"]}}]}}\n'
        found = read(write("job.json", text))
        assert (rows_of(found), found.timestamp, found.duration) == ([("5", "7", "red")], None, None)


@pytest.mark.parametrize("text", ["[1]\n", "\n"])
def test_what_is_no_report(write: Write, text: str) -> None:
    with pytest.raises(FormatError, match="no line holds a JSON object"):
        read(write("job.json", text), platform="crowdflower-json")


def test_knows_its_own() -> None:
    whole = EXAMPLE.read_bytes()
    assert crowdflower_json.sniff(Head(EXAMPLE, b"\xef\xbb\xbf" + whole))
    assert not crowdflower_json.sniff(Head(EXAMPLE, b"[" + whole))


def test_survives_what_is_cut_or_swapped(write: Write) -> None:
    whole = EXAMPLE.read_bytes()
    damaged = [whole[:n] for n in range(20, len(whole), 997)]
    swaps = [
        (b"judgments", b"judged"),
        (b"[", b"{"),
        (b'"data": {', b'"data": [{'),
        (b"900001", b"[9]"),
        (b"2017", b"x"),
    ]
    damaged += [whole.replace(one, other) for one, other in swaps]
    for n, content in enumerate(damaged):
        path = write(f"d{n}.json", content)
        try:
            tally = read(path, platform="crowdflower-json").tally
        except FormatError as error:
            told = str(error)
            assert told.startswith(str(path))
            continue
        assert tally.read == tally.used + tally.abstained + tally.repeated + tally.rejected
