"""CrowdFlower's JSON report: the data of units goes out again, and answers come back in either format."""

import csv
import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import consensus
from consensus.requeue import export, requeue
from tests.naive_platforms import EXAMPLES
from tests.requeue import answers
from tests.strategies import examples

EXAMPLE = EXAMPLES / "crowdflower-json.json"
OURS = ("consensus_item", "consensus_judgments", "consensus_reason")


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def report(path: Path, units: list[dict[str, Any]]) -> Path:
    """A report in which two people differ about units with this data."""
    lines = []
    for n, data in enumerate(units):
        given = [
            {"unit_id": n, "worker_id": w, "trust": 1.0, "tainted": False, "data": {"colour": ["ab"[(n + w) % 2]]}}
            for w in range(2)
        ]
        lines.append(json.dumps({"id": n, "data": data, "results": {"judgments": given}}) + "\n")
    path.write_text("".join(lines) + "[1]\n{cut\n", encoding="utf-8")
    return path


def test_answers_in_the_csv_report(tmp_path: Path) -> None:
    before = consensus.run(EXAMPLE)
    sent = requeue(before)
    (tmp_path / "sent.csv").write_bytes(sent.content)
    (tmp_path / "f2.csv").write_text(answers.crowdflower(tmp_path / "sent.csv", "red"))
    after = consensus.run([EXAMPLE, tmp_path / "f2.csv"], label="colour")
    more = dict(zip(after.labels["item"], after.labels["n_judgments"] - before.labels["n_judgments"], strict=True))
    asked = {one["consensus_item"] for one in table(sent.content)}
    assert more == {item: item in asked for item in before.labels["item"]}


def test_a_second_round_asks_about_the_same_items(tmp_path: Path) -> None:
    (tmp_path / "sent.csv").write_bytes(requeue(consensus.run(EXAMPLE)).content)
    (tmp_path / "j2.json").write_text(answers.crowdflower_json(tmp_path / "sent.csv", "blue"))
    run = consensus.run([EXAMPLE, tmp_path / "j2.json"])
    found = table(requeue(run).content)
    assert found
    assert all(one["img"] == f"{one['consensus_item']}.png" for one in found)
    assert list(found[0]) == [*OURS, "index", "img"]
    assert [one["_unit_id"] for one in table(export(run).content)] == run.labels["item"].tolist()


def test_data_of_other_types_and_of_the_platform(tmp_path: Path) -> None:
    units: list[dict[str, Any]] = [
        {"n": 1.50, "big": 12345678901234567890, "yes": True, "none": None, "list": ["a"], "_golden": "TRUE",
         "colour_gold": "a", "colour_gold_reason": "so", "country": "mine"},
        {"n": 2}, {"n": 3},
    ]  # fmt: skip
    found = {one["consensus_item"]: one for one in table(requeue(consensus.run(report(tmp_path / "j", units))).content)}
    assert list(next(iter(found.values()))) == [*OURS, "n", "big", "yes", "none", "list", "country"]
    assert list(found["0"].values())[3:] == ["1.5", "12345678901234567890", "true", "", '["a"]', "mine"]
    assert list(found["1"].values())[3:] == ["2", "", "", "", "", ""]


def test_an_item_by_a_column_of_the_data(tmp_path: Path) -> None:
    path = report(tmp_path / "j", [{"key": f"k{n}"} for n in range(3)])
    sent = requeue(consensus.run(path, item="key"))
    assert {one["consensus_item"] for one in table(sent.content)} <= {"k0", "k1", "k2"}
    assert all(one["consensus_item"] == one["key"] for one in table(sent.content))
    by_unit = requeue(consensus.run(path, item="unit_id"))
    assert all(one["key"] == f"k{one['consensus_item']}" for one in table(by_unit.content))


def test_proposed_test_questions(tmp_path: Path) -> None:
    drawn = consensus.simulate(60, 12, 2, 6, accuracy=0.9, seed=3).judgments_table()
    lines = []
    for item, rows in drawn.groupby("item"):
        given = [
            {"unit_id": item, "worker_id": w, "trust": 1.0, "data": {"colour": [label]}}
            for w, label in zip(rows["worker"], rows["label"], strict=True)
        ]
        lines.append(json.dumps({"id": item, "data": {"img": f"{item}.png"}, "results": {"judgments": given}}) + "\n")
    (tmp_path / "j.json").write_text("".join(lines))
    sent = requeue(consensus.run(tmp_path / "j.json"), gold=True)
    found = [one for one in table(sent.content) if one["_golden"] == "TRUE"]
    assert found
    assert all(one["img"] == f"{one['consensus_item']}.png" and one["colour_gold"] for one in found)
    assert f"{len(found)} test questions are proposed: look at each before use" in sent.said


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=12)


@examples(30)
@given(st.lists(cells, min_size=3, max_size=5))
def test_data_are_as_they_were(texts: list[str]) -> None:
    with TemporaryDirectory() as folder:
        path = report(Path(folder, "j"), [{"key": f"k{n}", "free text": text} for n, text in enumerate(texts)])
        found = table(requeue(consensus.run(path)).content)
    assert found
    for one in found:
        assert one["free text"] == texts[int(one["consensus_item"])]
