"""Columns of platforms' exports that are carried to the labels: by the names that ``check`` shows, none of people."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from consensus import read
from consensus.errors import ConsensusError, FormatError
from tests.conftest import Run
from tests.formats.test_keep import alike, kept
from tests.formats.test_platforms import EXAMPLES, SECRETS
from tests.naive_platforms import EXPECTED

Pairs = Iterable[tuple[str, Any]]
Write = Callable[[str, str | bytes], Path]


def table(name: str, item: str, column: str, delimiter: str = ",") -> Pairs:
    """Items and cells of a table."""
    with (EXAMPLES / name).open(newline="", encoding="utf-8") as file:
        return [(row[item], row[column]) for row in csv.DictReader(file, delimiter=delimiter)]


def objects(name: str) -> list[dict[str, Any]]:
    """Those of a file of JSON, or of JSON lines."""
    text = (EXAMPLES / name).read_text()
    if text.lstrip()[0] == "[":
        return list(json.loads(text))
    found = []
    for line in text.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return [one for one in found if isinstance(one, dict)]


def of_subjects() -> Iterator[tuple[str, Any]]:
    """Files of the subjects of Zooniverse."""
    for item, text in table("zooniverse.csv", "subject_ids", "subject_data"):
        try:
            yield item, json.loads(text)[item]["Filename"]
        except (ValueError, KeyError, TypeError):
            continue


PLAIN: dict[tuple[str, str], Callable[[], Pairs]] = {
    ("argilla.json", "fields.text"): lambda: [(one["id"], one["fields"]["text"]) for one in objects("argilla.json")],
    ("crowdflower.csv", "img"): lambda: table("crowdflower.csv", "_unit_id", "img"),
    ("crowdflower.csv", "_golden"): lambda: table("crowdflower.csv", "_unit_id", "_golden"),
    ("crowdflower-json.json", "img"): lambda: [
        (str(one["id"]), one["data"]["img"]) for one in objects("crowdflower-json.json")
    ],
    ("doccano.jsonl", "text"): lambda: [(str(one["id"]), one["text"]) for one in objects("doccano.jsonl")],
    ("label-studio.json", "text"): lambda: [
        (str(one["id"]), one["data"]["text"]) for one in objects("label-studio.json")
    ],
    ("label-studio.json", "data.photo"): lambda: [
        (str(one["id"]), one["data"].get("photo")) for one in objects("label-studio.json")
    ],
    ("lewidi.json", "text"): lambda: [
        (item, one["text"]) for item, one in json.loads((EXAMPLES / "lewidi.json").read_text()).items()
    ],
    ("mturk.csv", "Input.text"): lambda: table("mturk.csv", "Input.id", "Input.text"),
    ("mturk.csv", "text"): lambda: table("mturk.csv", "Input.id", "Input.text"),
    ("prodigy.jsonl", "meta.source"): lambda: [
        (str(one["_input_hash"]), one["meta"]["source"]) for one in objects("prodigy.jsonl")
    ],
    ("toloka.tsv", "HINT:text"): lambda: table("toloka.tsv", "INPUT:image", "HINT:text", "\t"),
    ("toloka.tsv", "ASSIGNMENT:task_id"): lambda: table("toloka.tsv", "INPUT:image", "ASSIGNMENT:task_id", "\t"),
    ("mturk.csv", "HITId"): lambda: table("mturk.csv", "Input.id", "HITId"),
    ("zooniverse.csv", "subject_data.Filename"): of_subjects,
    ("zooniverse.csv", "workflow_name"): lambda: table("zooniverse.csv", "subject_ids", "workflow_name"),
}
"""Export and column: items and cells, by plain csv and json."""
TEXTS = {("lewidi.json", "text")}
"""Free texts: whoever keeps them gets what they say."""


@pytest.mark.parametrize(("name", "column"), PLAIN)
def test_hold_what_the_export_says(name: str, column: str) -> None:
    found = read(EXAMPLES / name, keep=[column])
    alike(found, read(EXAMPLES / name))
    plain: dict[str, str] = {}
    for item, cell in PLAIN[name, column]():
        if cell not in {None, ""}:
            plain.setdefault(item, cell)
    ours = kept(found)
    assert ours == {item: plain.get(item) for item in ours}
    assert any(ours.values()) or column == "HINT:text"
    assert column.removeprefix("data.") not in found.unused


@pytest.mark.parametrize("name", [name for name in EXPECTED if name != "llm-judges.json"])
def test_no_column_changes_a_result_or_tells_who_somebody_is(name: str) -> None:
    plain = read(EXAMPLES / name)
    n_read = 0
    for column in [*plain.unused, "_ip", "_city", "user_ip", "ip", "city", "OUTPUT:contact", "workerMetadata"]:
        told = ""
        try:
            found = read(EXAMPLES / name, keep=[column])
        except ConsensusError as error:
            told = str(error)
        assert not [secret for secret in SECRETS if secret in told]
        if told:
            continue
        n_read += 1
        for one in ("item", "worker", "label"):
            assert (getattr(found, one) == getattr(plain, one)).all()
        assert found.tally == plain.tally
        said = [*map(str, kept(found).values()), *found.notes]
        assert (name, column) in TEXTS or not [secret for secret in SECRETS for one in said if secret in one], column
    assert n_read or name in {"mace.csv", "get-another-label.tsv", "sagemaker.json"}


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("crowdflower.csv", "_ip"),
        ("crowdflower.csv", "_city"),
        ("crowdflower-json.json", "ip"),
        ("crowdflower-json.json", "country"),
        ("zooniverse.csv", "user_ip"),
        ("zooniverse.csv", "metadata"),
        ("mturk.csv", "Answer.feedback"),
        ("mturk.csv", "RequesterFeedback"),
    ],
)
def test_of_people_is_never_written(name: str, column: str, run: Run, tmp_path: Path) -> None:
    ran = run("run", EXAMPLES / name, "--output", tmp_path / "out", "--keep", column)
    assert ran.status == 1
    why = "is never written, for it may tell who or where somebody is; leave it out of --keep"
    assert f'column "{column}" of a ' in ran.err
    assert why in ran.err
    assert not (tmp_path / "out").exists()


def test_addresses_are_never_written(write: Write) -> None:
    why = (
        r'doccano.jsonl: column "contact" of a doccano export is never written, for 20 of its 20 cells are addresses '
        r"\(e-mail or IP\), which tell who somebody is; leave it out of --keep"
    )
    with pytest.raises(FormatError, match=why):
        read(EXAMPLES / "doccano.jsonl", keep=["contact"])
    lines = [
        {
            "id": n,
            "text": f"t{n}",
            "label": ["ab"[n % 2]],
            "Comments": [],
            "v4": f"198.51.100.{n}",
            "v6": f"2001:db8::{n}",
        }
        | {"time": f"10:0{n}:20", "version": f"1.{n}"}
        for n in range(6)
    ]
    path = write("ana.jsonl", "\n".join(map(json.dumps, lines)))
    for column in ("v4", "v6"):
        with pytest.raises(FormatError, match=f'column "{column}" of a doccano export is never written'):
            read(path, keep=[column])
    assert kept(read(path, keep=["time", "version"]))["3"] == "10:03:20"


def test_columns_that_are_used_or_missing() -> None:
    with pytest.raises(
        FormatError, match=r'label-studio\.json: column "id" is the item, that labels\.csv holds anyway'
    ):
        read(EXAMPLES / "label-studio.json", keep=["id"])
    with pytest.raises(FormatError, match=r'mturk\.csv: column "WorkerId" is the worker, of which an item has several'):
        read(EXAMPLES / "mturk.csv", keep=["WorkerId"])
    with pytest.raises(
        FormatError, match='no column "url" for --keep; the columns are: .*Input.id, Input.text, .*Reject;'
    ):
        read(EXAMPLES / "mturk.csv", keep=["url"])
    with pytest.raises(FormatError, match='no field "url" for --keep; the fields are: .*text.*; correct it'):
        read(EXAMPLES / "label-studio.json", keep=["url"])
    with pytest.raises(FormatError, match='no column "subject_data.url" for --keep; .*, subject_data.Filename, '):
        read(EXAMPLES / "zooniverse.csv", keep=["subject_data.url"])


def test_of_hits_with_several_items(write: Write) -> None:
    rows = [
        {
            "HITId": f"h{h}",
            "AssignmentId": f"a{h}{w}",
            "WorkerId": f"W{w}",
            "AssignmentStatus": "Approved",
            "SubmitTime": "Sat Mar 09 19:17:00 PST 2024",
            "WorkTimeInSeconds": "9",
            **{f"Input.id_{n}": f"i{h}{n}" for n in (1, 2)},
            **{f"Input.url_{n}": f"u{h}{n}" for n in (1, 2)},
            **{f"Answer.mood_{n}": "ab"[(h + n) % 2] for n in (1, 2)},
        }
        for h in range(3)
        for w in range(2)
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    found = read(write("m.csv", text.getvalue()), keep=["Input.url_#", "Input.url_2"])
    assert kept(found, 0) == {f"i{h}{n}": f"u{h}{n}" for h in range(3) for n in (1, 2)}
    assert kept(found, 1) == {f"i{h}{n}": f"u{h}2" for h in range(3) for n in (1, 2)}


def test_values_that_are_no_single_ones_are_left_empty(write: Write) -> None:
    lines = [
        {
            "id": n,
            "text": f"t{n}",
            "label": ["ab"[n % 2]],
            "Comments": [],
            "of": "one" if n else {"a": [1]},
            "odd": "\ud800",
        }
        for n in range(6)
    ]
    path = write("ana.jsonl", "\n".join(map(json.dumps, lines)))
    found = read(path, keep=["of", "odd"])
    assert kept(found) == {str(n): "one" if n else None for n in range(6)}
    assert kept(found, 1) == {str(n): "\\ud800" for n in range(6)}
    alike(found, read(path))
