"""Subjects of Zooniverse that go out again: their fields, ids, and what can't be asked."""

import csv
import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import consensus
from consensus.errors import ConfigError, RunError
from consensus.requeue import export, requeue, zooniverse
from tests.requeue import answers
from tests.strategies import examples

SAID = ("Yes", "No")


def classifications(folder: Path, subjects: list[tuple[str, Any]], votes: list[str], name: str = "z.csv") -> Path:
    """An export: of each subject (its ids and its data) a classification of each of the ``votes``, "y" or "n"."""
    rows: list[dict[str, str]] = []
    for (ids, data), said in zip(subjects, votes, strict=True):
        for w, vote in enumerate(said):
            told = [{"task": "T0", "task_label": "Seen?", "value": SAID[vote == "n"]}]
            own = {"classification_id": f"{len(rows)}", "user_name": f"w{w}", "workflow_id": "7"}
            own |= {"workflow_version": "3.4", "metadata": "{}", "annotations": json.dumps(told)}
            rows.append({**own, "subject_data": json.dumps(data), "subject_ids": ids})
    path = folder / name
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def manifest_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


FIELD = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@given(
    st.lists(st.dictionaries(FIELD.filter(lambda name: name != "retired"), FIELD, max_size=3), min_size=2, max_size=4)
)
@examples(25)
def test_fields_go_out_as_they_were(fields: list[dict[str, str]]) -> None:
    with TemporaryDirectory() as folder:
        subjects = [(str(n), {str(n): {"retired": None, **one}}) for n, one in enumerate(fields)]
        path = classifications(Path(folder), subjects, ["yn"] * len(fields))
        sent = requeue(consensus.run(path))
        made = {row["#consensus_item"]: row for row in manifest_of(sent.content)}
        assert made.keys() == {str(n) for n in range(len(fields))}
        for n, one in enumerate(fields):
            assert {name: made[str(n)][name] for name in one} == one


def test_what_is_no_text_is_json(tmp_path: Path) -> None:
    data = {"1": {"retired": {"id": "9"}, "n": 1.5, "x": {"a": "ü"}, "none": None, "file": "a.png"}}
    path = classifications(tmp_path, [("1", data), ("2", {})], ["yn", "ny"])
    one, other = sorted(manifest_of(requeue(consensus.run(path)).content), key=lambda row: row["#consensus_item"])
    assert (one["n"], one["x"], one["file"]) == ("1.5", '{"a": "ü"}', "a.png")
    assert list(one) == ["n", "x", "file", "#consensus_item", "#consensus_judgments", "#consensus_reason"]
    assert (other["n"], other["file"]) == ("", "")


def test_subjects_of_both_sets_in_one_export(tmp_path: Path) -> None:
    """The second round's export holds those that were linked, too: their ids are still their items."""
    path = classifications(tmp_path, [("1", {"1": {"f": "a"}}), ("2", {"2": {"f": "b"}})], ["yn", "ny"])
    sent = requeue(consensus.run(path))
    assert any(line.startswith("subjects that are on the platform can be linked") for line in sent.said)
    (tmp_path / "sent.csv").write_bytes(sent.content)
    again = tmp_path / "again.csv"
    again.write_text(answers.zooniverse(tmp_path / "sent.csv", "Yes"))
    with again.open("a", newline="") as file:
        told = json.dumps([{"task": "T0", "task_label": "Is there an animal?", "value": "Yes"}])
        csv.writer(file).writerow(
            ["8900", "eva", "98", "", "7", "A", "3.4", "", "", "", "{}", told, '{"1": {"f": "a"}}', "1"]
        )
    run = consensus.run([path, again])
    assert dict(zip(run.labels["item"], run.labels["n_judgments"], strict=True)) == {"1": 4, "2": 3}
    fields = {row["#consensus_item"]: row["f"] for row in manifest_of(requeue(run).content)}
    assert fields.items() <= {"1": "a", "2": "b"}.items()


def test_items_by_a_field(tmp_path: Path) -> None:
    path = classifications(tmp_path, [("1", {"1": {"f": "a"}}), ("2", {"2": {"f": "b"}})], ["yn", "ny"])
    run = consensus.run(path, item="subject_data.f")
    sent = requeue(run)
    assert {row["#consensus_item"] for row in manifest_of(sent.content)} == {"a", "b"}
    assert not any("can be linked" in line for line in sent.said)
    assert {row["subject_id"] for row in manifest_of(export(run).content)} == {"1", "2"}


def test_several_subjects_at_once_can_not_be_asked_again(tmp_path: Path) -> None:
    path = classifications(tmp_path, [("1;2", {"1": {}, "2": {}}), ("3", {"3": {}})], ["yn", "ny"])
    with pytest.raises(ConfigError, match="a classification of several subjects at once can't be asked again"):
        requeue(consensus.run(path))


def test_items_that_are_in_no_row(tmp_path: Path) -> None:
    path = classifications(tmp_path, [("1", {"1": {}}), ("2", {"2": {}})], ["yn", "ny"])
    judgments = consensus.run(path).result.judgments
    with pytest.raises(RunError, match=r'no classification is about item "3" \(1 item is missing\)'):
        zooniverse._subjects(judgments, (path,), {"1", "3"})


def test_a_label_that_is_open_has_no_probability_of_its_own(tmp_path: Path) -> None:
    path = classifications(tmp_path, [("1", {"1": {}}), ("2", {"2": {}})], ["yy", "n"])
    with path.open("a", newline="") as file:
        csv.writer(file).writerow(["99", "w9", "7", "3.4", "{}", '[{"task": "T0", "value": null}]', '{"3": {}}', "3"])
    made = {row["subject_id"]: row for row in manifest_of(export(consensus.run(path)).content)}
    assert (made["1"]["data.most_likely"], made["1"]["data.num_votes"], made["1"]["data.agreement"]) == (
        "Yes",
        "2",
        "1",
    )
    assert (made["3"]["data.most_likely"], made["3"]["data.num_votes"], made["3"]["data.p"]) == ("", "0", "")
