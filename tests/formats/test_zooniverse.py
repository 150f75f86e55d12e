"""Classifications of Zooniverse against counts by plain pandas and json, with the traps of real ones."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from consensus import fit, read, read_gold
from consensus.errors import FormatError
from consensus.formats.platforms import questions, workflow_tasks, zooniverse
from consensus.inputs.judgments import Judgments
from tests.conftest import ROOT

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

Write = Callable[[str, str | bytes], Path]
EXAMPLE = ROOT / "tests" / "platforms" / "zooniverse.csv"
COLUMNS: tuple[str, ...] = (
    "classification_id", "user_name", "user_id", "user_ip", "workflow_id", "workflow_version", "created_at",
    "gold_standard", "expert", "metadata", "annotations", "subject_data", "subject_ids",
)  # fmt: skip


def task(value: Any, key: str = "T0", label: str | None = "Seen?") -> dict[str, Any]:
    return {"task": key, "value": value} | ({} if label is None else {"task_label": label})


def export(rows: list[dict[str, Any]], columns: tuple[str, ...] = COLUMNS) -> str:
    """An export of rows that say what differs from a plain one."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for n, row in enumerate(rows):
        usual = {
            "classification_id": n, "user_name": f"v{n}", "user_ip": "203.0.113.9", "workflow_id": 7,
            "workflow_version": "3.1", "created_at": "2021-05-05 10:00:00 UTC", "gold_standard": "", "expert": "NA",
            "metadata": {}, "annotations": [], "subject_data": {}, "subject_ids": 88,
        }  # fmt: skip
        cells = {**usual, **row}
        shown = [cells.get(name, "") for name in columns]
        writer.writerow([json.dumps(one) if isinstance(one, (dict, list)) else one for one in shown])
    return text.getvalue()


def answers(*values: Any, **more: Any) -> list[dict[str, Any]]:
    return [{"annotations": [task(value)], **more} for value in values]


def labels_of(judgments: Judgments) -> dict[str, str]:
    """Label by worker."""
    workers = judgments.worker_ids.to_pylist()
    pairs = zip(judgments.worker, judgments.label, strict=True)
    return {workers[w]: judgments.labels[k] for w, k in pairs}


class TestExample:
    frame = pd.read_csv(EXAMPLE, dtype=str, keep_default_na=False)

    def test_counts(self) -> None:
        found = read(EXAMPLE)
        value = [json.loads(one)[0]["value"] for one in self.frame["annotations"]]
        again = self.frame["metadata"].map(lambda cell: json.loads(cell).get("seen_before", False))
        expert = self.frame["gold_standard"] == "true"
        kept = self.frame.assign(value=value)[~again & ~expert]
        given = kept[kept["value"].notna()]
        assert found.tally.read == len(self.frame) == 29
        assert found.tally.rejected == len(self.frame) - len(kept) == 3
        assert found.tally.abstained == len(kept) - len(given) == 1
        codes = zip(found.item, found.label, strict=True)
        made = sorted((found.item_ids[int(i)].as_py(), found.labels[k]) for i, k in codes)
        assert made == sorted(zip(given["subject_ids"], given["value"], strict=True))

    def test_gold_is_what_experts_said(self) -> None:
        gold = read_gold(EXAMPLE)
        assert list(zip(gold.item, gold.label, strict=True)) == [("801", "Yes"), ("802", "No")]
        assert "dora" not in read(EXAMPLE).worker_ids.to_pylist()

    def test_times(self) -> None:
        found = read(EXAMPLE, worker="user_name")
        assert found.timestamp is not None
        assert found.duration is not None
        frame = self.frame.assign(end=self.frame["created_at"].str.removesuffix(" UTC"))
        by_pair = frame.drop_duplicates(["subject_ids", "user_name"]).set_index(["subject_ids", "user_name"])
        for i, w, when, seconds in zip(found.item, found.worker, found.timestamp, found.duration, strict=True):
            row = by_pair.loc[(found.item_ids[int(i)].as_py(), found.worker_ids[int(w)].as_py())]
            told = json.loads(row["metadata"])
            assert pd.Timestamp(row["end"]) == pd.Timestamp(when)
            assert pd.Timestamp(told["finished_at"]) - pd.Timestamp(told["started_at"]) == pd.Timedelta(seconds, "s")

    def test_columns_that_are_named(self) -> None:
        found = read(EXAMPLE, item="subject_data.Filename", duration="workflow_version", group="workflow_id")
        assert found.item_ids.to_pylist()[0] == "img801.jpg"
        assert found.duration is not None
        assert np.nanmax(found.duration) == pytest.approx(3.4)
        with pytest.raises(FormatError, match='column "user_ip" of a Zooniverse .* is never read; choose another for'):
            read(EXAMPLE, worker="user_ip")
        with pytest.raises(FormatError, match='no column "frame" for the item; the columns are: classification_id, '):
            read(EXAMPLE, item="frame")
        assert "203.0" not in "".join(one.row for one in read(EXAMPLE).rejects)

    def test_rows_are_left_out_by_any_column(self) -> None:
        found = read(EXAMPLE, drop=["user_id=42", "T0=No"])
        value = [json.loads(one)[0]["value"] for one in self.frame["annotations"]]
        frame = self.frame.assign(value=value)
        left = frame[(frame["user_id"] != "42") & (frame["value"] != "No")]
        assert found.tally.used + found.tally.abstained + found.tally.rejected == len(left) + 2  # those of the experts
        assert found.labels == ("Yes",)


class TestStrangers:
    rows = (
        answers("Yes", "Yes", "No", user_name="not-logged-in-3fa1")
        + answers("Yes", user_name="not-logged-in-9bc2")
        + answers("Yes", user_name="ana")
    )

    @pytest.mark.parametrize("settings", [{}, {"repeats": "last"}, {"repeats": "first"}])
    def test_are_many_people(self, write: Write, settings: dict[str, Any]) -> None:
        found = read(write("z.csv", export(self.rows)), **settings)
        assert found.anonymous == ("not-logged-in",)
        assert (found.tally.used, found.tally.repeated) == (5, 0)
        assert found.is_person.tolist() == [True, False]
        assert "names that begin with not-logged-in (2) are one name for many people, whom --worker" in found.notes[0]
        assert found.notes[1] == (
            '4 judgments by "not-logged-in" count as those of different people; none of them is audited'
        )
        assert fit(found).labels["label"].tolist() == ["Yes"]

    def test_are_kept_apart_on_demand(self, write: Write) -> None:
        found = read(write("z.csv", export(self.rows)), worker="user_name")
        assert found.anonymous == ()
        assert found.worker_ids.to_pylist() == ["ana", "not-logged-in-3fa1", "not-logged-in-9bc2"]
        assert len(found.notes) == 1
        assert "not-logged-in" not in found.notes[0]


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("Yes", "Yes"),
        (True, "true"),
        (3, "3"),
        (["b", "a", "b"], "a | b"),
        ([{"choice": "ZEBRA", "answers": {}, "filters": {}}, {"choice": "LION", "answers": {}}], "LION | ZEBRA"),
        ([{"choice": "LION", "answers": {"HOWMANY": "2"}}], "LION"),
        ([{"value": "red", "option": True}, {"value": "blue", "option": False}], "blue | red"),
        ([{"value": None, "option": False}], None),
        ([], None),
        (None, None),
        ("", None),
    ],
)
def test_answers_as_labels(write: Write, value: Any, label: str | None) -> None:
    kind = workflow_tasks.kind_of(value)
    rows = answers(value) + (answers("Other") if not kind else [])
    found = read(write("z.csv", export(rows)))
    assert labels_of(found).get("v0") == label
    assert found.tally.abstained == (label is None)
    assert ("T0 (several choices: each set of choices is one label)" in found.notes[0]) == (kind == questions.SEVERAL)
    assert ("empty answers, which count as no answer: 1" in found.notes[0]) == (label is None)


class TestQuestions:
    def test_several(self, write: Write) -> None:
        marks = [{"x": 1, "y": 2, "tool": 0}]
        rows = [
            {"annotations": [task("Yes"), task(["a"], "T1"), task(marks, "T2"), task(None, "T3"), task({"a": 1}, "T4")]}
        ]
        path = write("z.csv", export(rows))
        several = (
            r"z.csv: this Zooniverse classification export asks several questions: T0 \(one choice\), T1 \(several "
            r"choices\), T2 \(marked regions\), T3 \(never answered\), T4 \(marked regions\); choose one "
            r"with --label, such as --label T0, or run each by itself with --by question$"
        )
        with pytest.raises(FormatError, match=several):
            read(path)
        assert read(path, label="T1").labels == ("a",)
        assert read(path, label="T1", group="T0").n_groups == 1
        with pytest.raises(
            FormatError,
            match=r'answers to "T2" are regions marked in an item, and no labels; .* choose another with --label',
        ):
            read(path, label="T2")
        with pytest.raises(FormatError, match=r'no question "T9"; this .* asks: T0 .*; correct --label'):
            read(path, label="T9")
        with pytest.raises(FormatError, match="no gold in this"):
            read_gold(path, label="T0")

    def test_none_that_is_closed(self, write: Write) -> None:
        texts = write("z.csv", export(answers(*(f"text {n}" for n in range(31)))))
        with pytest.raises(
            FormatError, match=r"no question of this .* has fixed answers: T0 \(free text\); choose one"
        ):
            read(texts)
        with pytest.raises(FormatError, match="nobody answered a question in this"):
            read(write("y.csv", export([{}])))

    def test_within_combined_tasks(self, write: Write) -> None:
        combined = [task([task("Yes", "T1"), task([task("No", "T2")], "T3", None)], "T0")]
        rows = [{"annotations": [*combined, 1, {"value": "x"}]}]
        path = write("z.csv", export(rows))
        assert read(path, label="T2").labels == ("No",)
        with pytest.raises(FormatError, match=r"asks several questions: T1 \(one choice\), T2 \(one choice\); choose"):
            read(path)

    def test_about_the_choices_of_a_survey(self, write: Write) -> None:
        lion = {"choice": "LION", "answers": {"HOWMANY": "2", "DOING": ["SITS", "EATS"]}}
        path = write("z.csv", export(answers([lion], [{"choice": "LION"}], None)))
        assert read(path, label="T0").labels == ("LION",)
        assert labels_of(read(path, label="T0.DOING")) == {"v0": "EATS | SITS"}
        assert labels_of(read(path, label="T0.HOWMANY")) == {"v0": "2"}
        with pytest.raises(FormatError, match='no question "T0.COLOUR"; this'):
            read(path, label="T0.COLOUR")

    def test_of_several_workflows(self, write: Write) -> None:
        rows = answers("Yes", "No") + answers("red", workflow_id=8) + answers("x", workflow_id=9, annotations=[])
        rows += answers("Yes", gold_standard="true") + answers("red", workflow_id=8, gold_standard="true")
        path = write("z.csv", export(rows))
        with pytest.raises(FormatError, match=r"several questions: 7/T0 \(one choice\), 8/T0 \(one choice\); choose"):
            read(path)
        found = read(path, label="7/T0")
        assert found.labels == ("No", "Yes")
        reasons = [one.reason for one in found.rejects]
        assert reasons == [*["of another workflow than 7"] * 2, zooniverse.EXPERT, "of another workflow than 7"]
        assert "; left out: 3 of another workflow than 7; " in found.notes[0]
        assert "; gold: 1 answer of experts (gold_standard), unless other gold is named; " in found.notes[0]
        assert read_gold(path, label="7/T0").label == ("Yes",)


class TestVersions:
    def test_answers_that_were_renamed(self, write: Write) -> None:
        rows = answers("GRFF", "LION", workflow_version="83.4") + answers("GIRAFFE", "LION", workflow_version="84.1")
        path = write("z.csv", export(rows))
        (note,) = read(path).notes
        assert "; 2 versions of the workflow, of which --label T0@VERSION takes one; answers of different " in note
        assert 'that look like one: "GIRAFFE" and "GRFF" (make them one with --label-map); ' in note
        found = read(path, label="T0@84")
        assert found.labels == ("GIRAFFE", "LION")
        assert [one.reason for one in found.rejects] == ["of another version than 84"] * 2
        assert "version" not in found.notes[0].replace("of another version than 84", "")
        with pytest.raises(FormatError, match='no question "T0@85"; this'):
            read(path, label="T0@85")

    def test_look_alikes_are_listed_in_short(self) -> None:
        old, new = {f"B{n}" for n in range(9)}, {f"BE{n}" for n in range(9)}
        (told,) = workflow_tasks._renamed({"1": old, "2": new})
        assert told.count(" and ") == workflow_tasks.LISTED
        assert '"B3" and "BE3", ... (make' in told
        assert workflow_tasks._renamed({"1": {"A"}, "2": {"E"}}) == []

    def test_a_text_that_changed(self, write: Write) -> None:
        old = [{"annotations": [task("Yes", label="Seen?")], "workflow_version": f"{n}.1"} for n in range(1, 7)]
        new = [{"annotations": [task("Yes", label="Seen  it?")], "workflow_version": "beta"}]
        path = write("z.csv", export(old + new))
        said = 'it asked "Seen it?" (version beta) and "Seen?" (versions 1, 2, 3, 4, ...);'
        assert said in read(path).notes[0]
        assert 'it asked "Seen?"; ' in read(path, label="T0@2").notes[0]

    def test_a_task_that_asked_something_else(self, write: Write) -> None:
        rows = answers("Yes", "No", workflow_version="1.1")
        rows += [{"annotations": [task("3", label="How many?")], "workflow_version": "10.2"}]
        rows += [{"annotations": [task(None, label="What?")], "workflow_version": "9.2"}]
        path = write("z.csv", export(rows))
        differs = (
            r'z.csv: task T0 of this .* asked different questions: "Seen\?" \(version 1\) and "What\?" \(version 9\) '
            r'and "How many\?" \(version 10\); choose a version of the workflow with --label, such as --label T0@10$'
        )
        with pytest.raises(FormatError, match=differs):
            read(path)
        assert read(path, label="T0@10").labels == ("3",)

    def test_texts_are_listed_in_short(self) -> None:
        told = workflow_tasks._by_version({str(n): f"text {n}" for n in range(6)})
        assert told.endswith('"text 3" (version 3) and more')

    def test_without_texts(self, write: Write) -> None:
        path = write("z.csv", export([{"annotations": [task("Yes", label=None)]}]))
        assert "label T0; --platform none" in read(path).notes[0]


class TestRows:
    @pytest.mark.parametrize(
        ("row", "why"),
        [
            ({"metadata": {"seen_before": True}}, zooniverse.SEEN),
            ({"metadata": {"subject_selection_state": {"already_seen": True}}}, zooniverse.SEEN),
            ({"metadata": {"subject_selection_state": [], "seen_before": "no"}}, ""),
            ({"metadata": "no JSON"}, ""),
            ({"metadata": [1]}, ""),
            ({"gold_standard": "True"}, zooniverse.EXPERT),
            ({"gold_standard": "NA"}, ""),
            ({"annotations": "[{"}, "the annotations are not JSON: expecting property name enclosed in double quotes"),
            ({"annotations": '{"a": 1}'}, "the annotations are no list"),
            ({"subject_ids": ""}, "the item is missing"),
            ({"user_name": ""}, "the worker is missing"),
        ],
    )
    def test_that_are_no_judgments(self, write: Write, row: dict[str, Any], why: str) -> None:
        (plain,) = answers("Yes")
        found = read(write("z.csv", export([plain, {**plain, **row}])))
        assert len(found.rejects) == bool(why)
        assert all(one.reason.startswith(why) for one in found.rejects)
        assert not [one for one in found.rejects if "203.0" in one.row]

    def test_that_are_damaged(self, write: Write) -> None:
        text = export(answers("Yes", "No")).encode()
        found = read(write("z.csv", text + b"1,\xe9,3\n" + b",".join([b"x"] * 14) + b"\n5,ana\n"))
        assert [one.reason for one in found.rejects] == [
            "the row is not UTF-8",
            "too many fields: 14 instead of 13",
            "the item is missing",
        ]
        assert found.tally.read == 5

    @pytest.mark.parametrize(
        ("metadata", "seconds"),
        [
            ({"started_at": "2021-05-05T09:59:50Z", "finished_at": "2021-05-05T10:00:00.500Z"}, 10.5),
            ({"started_at": "2021-05-05T10:00:01Z", "finished_at": "2021-05-05T10:00:00Z"}, None),
            ({"started_at": "2021-05-05T10:00:01Z", "finished_at": "2021-05-05"}, None),
            ({"started_at": "soon", "finished_at": 5}, None),
        ],
    )
    def test_durations(self, write: Write, metadata: dict[str, Any], seconds: float | None) -> None:
        found = read(write("z.csv", export(answers("Yes", metadata=metadata))))
        assert (None if found.duration is None else found.duration.tolist()) == (None if seconds is None else [seconds])

    def test_of_an_old_export_without_some_columns(self, write: Write) -> None:
        columns: tuple[str, ...] = ("classification_id", "user_name", "workflow_id", "annotations", "subject_ids")
        found = read(write("z.csv", export(answers("Yes", "No"), columns)))
        assert (found.timestamp, found.duration, found.tally.used) == (None, None, 2)
        columns = ("classification_id", "workflow_id", "metadata", "annotations", "subject_ids", "subject_data")
        rows = answers("Yes", subject_data={"88": [], "89": {"name": "x", "size": 3, "tags": []}})
        path = write("y.csv", export(rows, columns))
        assert [one.reason for one in read(path).rejects] == ["the worker is missing"]
        assert "worker unknown" in read(path).notes[0]
        assert read(path, worker="subject_data.name").worker_ids.to_pylist() == ["x"]

    def test_times_that_cannot_be_read(self, write: Write) -> None:
        found = read(write("z.csv", export(answers("Yes", created_at="yesterday") + answers("No", created_at=""))))
        assert found.unreadable_times == 1


def test_fields_of_subjects_are_not_without_end(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workflow_tasks, "MOST_FIELDS", 1)
    rows = [{**answers("Yes")[0], "subject_data": {"88": {f"field{n}": "x"}}} for n in range(2)]
    path = write("z.csv", export(rows))
    assert read(path, item="subject_data.field0").n_items == 1
    with pytest.raises(FormatError, match='no column "subject_data.field1" for the item'):
        read(path, item="subject_data.field1")


def test_what_is_no_export(write: Write) -> None:
    no_ids = "classification_id,annotations,user_name\n1,[],ana\n"
    with pytest.raises(
        FormatError, match=r"no Zooniverse .*, for it has no column subject_ids; read it with --platfor"
    ):
        read(write("z.csv", no_ids), platform="zooniverse")


def test_survives_what_is_cut_or_swapped(write: Write) -> None:
    whole = EXAMPLE.read_bytes()
    header = whole.index(b"\n") + 1
    damaged = [whole[: header + n] for n in range(0, len(whole) - header, 997)]
    damaged += [
        re.sub(one, other, whole) for one, other in ((b"T0", b"T"), (b'""', b'"'), (b"value", b"task"), (b":", b""))
    ]
    for n, content in enumerate(damaged):
        path = write(f"z{n}.csv", content)
        try:
            tally = read(path).tally
        except FormatError as error:
            told = str(error)
            assert told.startswith(str(path))
            continue
        assert tally.read == tally.used + tally.abstained + tally.repeated + tally.rejected
