"""Zooniverse: subjects that are linked again or uploaded anew, and reductions."""

import csv
import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import consensus
from consensus.errors import ConfigError
from consensus.requeue import export, requeue, zooniverse
from tests.naive_platforms import EXAMPLES
from tests.requeue import answers
from tests.strategies import examples

Rows = list[dict[str, str]]


def classification(item: str, worker: str, label: str | None, fields: Any = None, **other: str) -> dict[str, str]:
    """A row of an export; ``fields`` are those of its subject."""
    answer = [{"task": "T0", "task_label": "Which?", "value": label}]
    row = {
        "classification_id": "1",
        "user_name": worker,
        "workflow_id": "7",
        "workflow_version": "1.1",
        "metadata": "{}",
    }
    row |= {"created_at": "2021-05-05 10:00:00 UTC", "subject_ids": item, "annotations": json.dumps(answer)}
    return {**row, "subject_data": json.dumps({item: {"retired": None} if fields is None else fields}), **other}


def written(path: Path, rows: Rows) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def table(content: bytes) -> Rows:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def three(fields: Any = None) -> Rows:
    """Three subjects about which people differ."""
    return [
        classification(f"{n}", worker, label, fields)
        for n in (1, 2, 3)
        for worker, label in (("ana", "lion"), ("bo", ["lion", "zebra", "cat"][n - 1]))
    ]


def test_the_manifest_and_what_to_do_with_it() -> None:
    sent = requeue(consensus.run(EXAMPLES / "zooniverse.csv"))
    (row,) = table(sent.content)
    assert row == {
        "#consensus_subject": "805",
        "#consensus_item": "805",
        "#consensus_judgments": "1",
        "#consensus_reason": "disagreement",
        "Filename": "img805.jpg",
        "#camera": "c1",
    }
    assert sent.said[0].endswith("keeps their ids and media: panoptes subject-set add-subjects SET 805")
    assert sent.said[-1] == 'when the answers are there: consensus run ANSWERS --label "T0"'


def test_subjects_that_were_uploaded_anew(tmp_path: Path) -> None:
    """They have other ids; the item tells which they were, also when they go out once more."""
    before = consensus.run(EXAMPLES / "zooniverse.csv")
    (tmp_path / "sent.csv").write_bytes(requeue(before).content)
    (tmp_path / "new.csv").write_text(answers.zooniverse(tmp_path / "sent.csv", "No", uploaded=True))
    after = consensus.run(tmp_path / "new.csv")
    more = dict(zip(after.labels["item"], after.labels["n_judgments"] - before.labels["n_judgments"], strict=True))
    assert more == {item: item == "805" for item in before.labels["item"]}
    (note,) = (one for one in after.result.judgments.notes if "went out again" in one)
    assert "judgments of subjects that went out again, whose item is #consensus_item: 1" in note
    assert [one["subject_id"] for one in table(export(after).content)] == after.labels["item"].tolist()
    as_they_are = consensus.read(tmp_path / "new.csv", item="subject_ids")
    assert "990" in as_they_are.item_ids.to_pylist()


def test_retired_subjects_are_told_by_workflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = three({"retired": {"id": 5, "workflow_id": 7, "retirement_reason": "classification_count"}, "place": "x"})
    run = consensus.run(written(tmp_path / "j.csv", rows))
    sent = requeue(run)
    ids = " ".join(one["#consensus_subject"] for one in table(sent.content))
    count = "1 subject is" if sent.n_items == 1 else f"{sent.n_items} subjects are"
    assert sent.said[1] == (
        f"{count} retired in workflow 7, which gives them to nobody until: panoptes workflow unretire-subjects 7 {ids}"
    )
    assert "retired" not in table(sent.content)[0]
    monkeypatch.setattr(zooniverse, "SHOWN", 0)
    assert requeue(run).said[0].endswith("add-subjects SET IDS (column #consensus_subject)")


def test_fields_that_are_no_text_are_written_as_json(tmp_path: Path) -> None:
    fields = {
        "retired": "as I call it",
        "#training_subject": True,
        "#previous_subject_ids": [4, 5],
        "n": 1.50,
        "z": None,
    }
    sent = requeue(consensus.run(written(tmp_path / "j.csv", three(fields))))
    row = table(sent.content)[0]
    assert [row[name] for name in fields] == ["as I call it", "true", '["4", "5"]', "1.5", ""]
    assert sent.said[-1] == "no single values, so they are written as JSON: #previous_subject_ids"


def test_several_subjects_at_once_are_refused(tmp_path: Path) -> None:
    both = {"subject_ids": "1;2", "subject_data": json.dumps({"1": {"a": "b"}, "2": {"a": "c"}})}
    rows = [classification("1", worker, label, **both) for worker, label in (("ana", "lion"), ("bo", "zebra"))]
    run = consensus.run(written(tmp_path / "j.csv", rows))
    with pytest.raises(
        ConfigError, match=r'to="zooniverse": item "1;2" is several subjects at once \(1;2\), and a row'
    ):
        requeue(run)


def test_an_item_by_a_field_of_the_subject_and_one_of_several_workflows(tmp_path: Path) -> None:
    rows = []
    for n in range(1, 4):
        fields = {"Filename": f"p{n}.png"}
        rows += [classification(f"{n}", "ana", "cat", fields, workflow_id="8")]
        rows += [classification(f"{n}", w, said, fields) for w, said in (("ana", "lion"), ("bo", "zebra"))]
    run = consensus.run(written(tmp_path / "j.csv", rows), item="subject_data.Filename", label="7/T0")
    sent = requeue(run)
    found = table(sent.content)
    assert all(one["#consensus_item"] == one["Filename"] == f"p{one['#consensus_subject']}.png" for one in found)
    command = 'when the answers are there: consensus run ANSWERS --label "7/T0" --item "subject_data.Filename"'
    assert command in sent.said
    assert any("have other ids (their item is subject_data.Filename)" in one for one in sent.said)
    reduced = table(export(run).content)
    assert {(one["workflow_id"], one["task"], one["reducer"]) for one in reduced} == {("7", "T0", "consensus")}
    by_column = consensus.run(tmp_path / "j.csv", item="subject_ids", label="7/T0", worker="user_name")
    assert 'when the answers are there: consensus run ANSWERS --label "7/T0"' in requeue(by_column).said


def test_another_column_as_the_item(tmp_path: Path) -> None:
    rows = [{**one, "name": f"s{one['subject_ids']}"} for one in three({"a": "b"})]
    found = table(requeue(consensus.run(written(tmp_path / "j.csv", rows), item="name")).content)
    assert all(one["#consensus_item"] == f"s{one['#consensus_subject']}" for one in found)


def test_reductions_tell_votes_and_probabilities(tmp_path: Path) -> None:
    """Of a subject that nobody answered for, or was asked about, there are no votes."""
    others = [classification("4", "ana", None), classification("5", "ana", None, annotations="[]")]
    run = consensus.run(written(tmp_path / "j.csv", [*three(), *others]))
    sent = export(run)
    assert "data.agreement is the share of votes for the label, as at the platform" in sent.said[0]
    rows = table(sent.content)
    assert list(rows[0]) == [
        *("subject_id", "workflow_id", "task", "reducer", "data.most_likely", "data.num_votes", "data.agreement"),
        *("data.probability", "data.status", "data.probability.cat", "data.probability.lion", "data.probability.zebra"),
    ]
    labels = run.labels.set_index("item")
    for one in rows[:3]:
        label = one["data.most_likely"]
        votes = sum(it["subject_ids"] == one["subject_id"] and f'"{label}"' in it["annotations"] for it in three())
        assert (one["data.num_votes"], float(one["data.agreement"] or 0)) == (str(votes), votes / 2)
        assert one["data.status"] == labels["status"][one["subject_id"]]
        if label:
            assert one["data.probability"] == one[f"data.probability.{label}"]
            assert np.isclose(sum(float(one[f"data.probability.{name}"]) for name in ("cat", "lion", "zebra")), 1)
    for one, item in zip(rows[3:], "45", strict=True):
        assert one.items() >= {"subject_id": item, "data.most_likely": "", "data.num_votes": "0"}.items()
        empty = ("agreement", "probability", "probability.cat", "probability.lion", "probability.zebra")
        assert {one[f"data.{name}"] for name in empty} == {""}


names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
values = st.text(st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=12)


@examples(30)
@given(st.dictionaries(names, values, max_size=4))
def test_fields_are_as_they_were(fields: dict[str, str]) -> None:
    with TemporaryDirectory() as folder:
        sent = requeue(consensus.run(written(Path(folder, "j.csv"), three({"retired": None, **fields}))))
    found = table(sent.content)
    assert len(found) == sent.n_items > 0
    for one in found:
        assert {name: cell for name, cell in one.items() if not name.startswith("#consensus_")} == fields
