"""Answers at SageMaker Ground Truth against counts by plain json: folders and requests."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from consensus import read, read_gold
from consensus.errors import FormatError
from consensus.formats import platforms
from consensus.formats.platforms import questions, sagemaker, sagemaker_answers
from consensus.formats.platforms.seam import Head, head_of
from consensus.formats.tables.roles import Roles
from consensus.inputs.judgments import Judgments
from tests.conftest import ROOT, Run

Write = Callable[[str, str | bytes], Path]
EXAMPLE = ROOT / "tests" / "platforms" / "sagemaker.json"
CLASSIFIER = "crowd-image-classifier"


def answer(label: Any, worker: str = "w1", **more: Any) -> dict[str, Any]:
    content = {CLASSIFIER: {"label": label}} if isinstance(label, str) else label
    return {"answerContent": content, "submissionTime": "2020-05-01T10:00:30Z", "workerId": worker, **more}


def put(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def job(folder: Path, answers: Mapping[str, Any], manifest: list[Any] | None = None) -> Path:
    """The folder of a labeling job, from answers by iteration and object."""
    for name, content in answers.items():
        put(
            folder / "annotations" / "worker-response" / f"iteration-{name}" / "2020-05-01.json",
            {"answers": content} if isinstance(content, list) else content,
        )
    if manifest is not None:
        lines = [one if isinstance(one, str) else json.dumps(one) for one in manifest]
        put(folder / "manifests" / "output" / "output.manifest", "\n".join(lines) + "\n")
    return folder


def rows_of(judgments: Judgments) -> list[tuple[str, str, str]]:
    items, workers = judgments.item_ids.to_pylist(), judgments.worker_ids.to_pylist()
    codes = zip(judgments.item, judgments.worker, judgments.label, strict=True)
    return [(items[i], workers[w], judgments.labels[k]) for i, w, k in codes]


class TestRequest:
    def test_counts(self) -> None:
        found, objects = read(EXAMPLE), json.loads(EXAMPLE.read_text())
        expected, n_empty, n_elsewhere = [], 0, 0
        for one in objects:
            for annotation in one["annotations"]:
                content = annotation["annotationData"].get("content")
                label = content and json.loads(content)["crowd-classifier"]["label"]
                n_elsewhere += content is None
                n_empty += label == ""
                if label:
                    expected.append((one["datasetObjectId"], annotation["workerId"], label))
        assert rows_of(found) == sorted(expected)
        assert (found.tally.rejected, found.tally.abstained) == (n_elsewhere, n_empty) == (1, 1)
        assert read(EXAMPLE, item="dataObject.s3Uri").item_ids.to_pylist()[0] == "s3://bucket/p0.png"
        assert "@" not in "".join(one.row for one in found.rejects)

    @pytest.mark.parametrize(
        ("annotations", "why"),
        [
            ([{"workerId": "w", "annotationData": {"content": "{"}}], "the answer is not JSON: "),
            ([{"workerId": "w", "annotationData": {"content": "[1]"}}], "the answer is no object"),
            (
                [{"workerId": "w", "annotationData": {"s3uri": "s3://x"}}],
                "the answer is not in the file, but stored el",
            ),
            ([{"workerId": "w"}], "the answer is not in the file"),
            ([{"workerId": 3, "annotationData": {"content": '{"q": {"label": "a"}}'}}], ""),
            ([{"workerId": {}, "annotationData": {"content": '{"q": {"label": "a"}}'}}], "the worker is missing"),
            (["w"], "the annotation is no object"),
            ("w", "the object has no list of annotations"),
        ],
    )
    def test_that_is_damaged(self, write: Write, annotations: Any, why: str) -> None:
        good = {"workerId": "v", "annotationData": {"content": '{"q": {"label": "a"}}'}}
        objects = [
            {"datasetObjectId": "1", "dataObject": {"content": "t"}, "annotations": [good]},
            {"datasetObjectId": "2", "dataObject": None, "annotations": annotations},
        ]
        found = read(write("r.json", json.dumps(objects)))
        assert [(one.line, one.reason[: len(why)]) for one in found.rejects] == [(2, why)] * bool(why)
        assert found.tally.used == 1 + (not why)

    @pytest.mark.parametrize("text", ["{}", "[]", "3", '[{"datasetObjectId": "1"'])
    def test_what_is_none(self, write: Write, text: str) -> None:
        with pytest.raises(
            FormatError, match=r"r\.json: (this is no SageMaker Ground Truth export; expected|not JSON)"
        ):
            read(write("r.json", text), platform="sagemaker")

    def test_manifests_are_refused(self, write: Write) -> None:
        line = '{"source-ref": "s3://b/a.png", "c": 1, "c-metadata": {"type": "groundtruth/image-classification"}}\n'
        for text in (line, line * 2):
            path = write("output.manifest", text)
            with pytest.raises(
                FormatError, match="output manifest of .*: one row an item, .* give the folder annotatio"
            ):
                read(path)
        assert sagemaker.sniff(Head(path, b"\xef\xbb\xbf" + line.encode()))
        assert not sagemaker.sniff(Head(path, line.replace("groundtruth/", "x").encode()))


class TestFolder:
    answers: Mapping[str, Any] = {
        "1/0": [answer("red", timeSpentInSeconds=4.5), answer("blue", "w2", acceptanceTime="2020-05-01T10:00:10Z")],
        "1/10": [answer("red"), answer("", "w2")],
        "2/2": [answer("blue", workerMetadata={"identityData": {"sub": "who"}})],
    }
    manifest = tuple({"source-ref": f"s3://b/{n}.png"} for n in range(3))

    @pytest.mark.parametrize("below", ["", "annotations", "annotations/worker-response"])
    def test_with_its_manifest(self, tmp_path: Path, below: str) -> None:
        found = read(job(tmp_path / "job", self.answers, list(self.manifest)) / below)
        assert rows_of(found) == [
            ("10", "w1", "red"),
            ("s3://b/0.png", "w1", "red"),
            ("s3://b/0.png", "w2", "blue"),
            ("s3://b/2.png", "w1", "blue"),
        ]
        assert found.tally.abstained == 1
        assert found.timestamp is not None
        assert set(found.timestamp) == {np.datetime64("2020-05-01T10:00:30")}
        assert found.duration is not None
        assert np.array_equal(found.duration, [np.nan, 4.5, 20, np.nan], equal_nan=True)
        (note,) = found.notes
        name = Path(below).name or "job"
        assert note.startswith(
            f"{name} is a SageMaker Ground Truth export: item source-ref, worker workerId, label crowd"
        )
        assert "; names of items are from output.manifest; 2 iterations; empty answers, which count as no ans" in note

    def test_one_iteration_without_a_manifest(self, tmp_path: Path) -> None:
        path = job(tmp_path / "a" / "b" / "job", self.answers) / "annotations" / "worker-response" / "iteration-1"
        found = read(path)
        assert rows_of(found) == [("0", "w1", "red"), ("0", "w2", "blue"), ("10", "w1", "red")]
        assert (
            "an item is the number of a line of the manifest, from 0, which is not beside it; empty" in found.notes[0]
        )
        assert read(path, item="iteration", group="object").item_ids.to_pylist() == ["1"]
        with pytest.raises(
            FormatError, match='no column "sub" for the item; the columns are: acceptanceTime, iteration'
        ):
            read(path, item="sub")
        with pytest.raises(FormatError, match="no gold in this SageMaker Ground Truth export"):
            read_gold(path, label="anything")

    def test_a_manifest_of_texts(self, tmp_path: Path) -> None:
        found = read(job(tmp_path / "job", self.answers, [{"source": "a text"}, "", "no JSON"]))
        assert found.item_ids.to_pylist() == ["0", "10", "2"]
        assert "an item is the number of a line of the manifest, from 0; 2 iterations" in found.notes[0]

    def test_items_that_went_out_again(self, tmp_path: Path) -> None:
        """Numbers are those of this job, and are no items beside names of items of another one."""
        lines = [{"source": "a text", "consensus_item": "17"}, {"source": "new"}, {"source-ref": "s3://b/2.png"}]
        found = read(job(tmp_path / "job", {**self.answers, "1/1": [answer("red")]}, lines))
        assert found.item_ids.to_pylist() == ["17", "s3://b/2.png"]
        assert [(one.line, one.reason) for one in found.rejects] == [(1, "the item is missing")] + [
            (10, "the item is missing")
        ] * 2
        assert "item consensus_item" in found.notes[0]
        assert "; names of items are from output.manifest; 2 iterations" in found.notes[0]
        assert read(tmp_path / "job", item="object").item_ids.to_pylist() == ["0", "1", "10", "2"]

    def test_lines_are_counted_with_blank_ones(self, tmp_path: Path) -> None:
        found = read(job(tmp_path / "job", self.answers, ["", self.manifest[1], self.manifest[2]]))
        assert found.item_ids.to_pylist() == ["0", "10", "s3://b/2.png"]

    def test_what_is_no_answer(self, tmp_path: Path) -> None:
        damaged = {
            "1/0": "{",
            "1/1": "[]",
            "1/2": [3],
            "1/3": [answer(["x"])],
            "1/4": [answer("red", "w", workerId="")],
        }
        path = job(tmp_path / "job", {**damaged, "1/odd": [answer("red")]})
        below = path / "annotations" / "worker-response" / "iteration-1"
        put(below / "0" / "._2020.json", "macOS")
        put(below / "readme.txt", "text")
        found = read(path)
        place = "annotations/worker-response/iteration-1"
        first, *others = [(one.line, one.reason) for one in found.rejects]
        assert first[0] == 0
        assert first[1].startswith(f"{place}/0/2020-05-01.json: not JSON: expecting property name enclosed in ")
        assert others == [
            (1, f"{place}/1/2020-05-01.json: no list of answers"),
            (2, "the answer is no object"),
            (3, "the answer has no content"),
            (4, "the worker is missing"),
        ]
        assert rows_of(found) == [("odd", "w1", "red")]

    def test_times_that_cannot_be_read(self, tmp_path: Path) -> None:
        answers = [
            answer("red", "w1", acceptanceTime="2020-05-01T10:00:31Z"),
            answer("red", "w2", acceptanceTime="soon"),
            answer("red", "w3", acceptanceTime="2020-05-01T10:00:00"),
            answer("red", "w4", acceptanceTime="2020-05-01T10:00:20Z", submissionTime=None),
        ]
        found = read(job(tmp_path / "job", {"1/0": answers}))
        assert found.duration is None
        assert found.timestamp is not None

    def test_is_run_again_as_it_is(self, tmp_path: Path, run: Run) -> None:
        path, out = job(tmp_path / "job", self.answers, list(self.manifest)), tmp_path / "out"
        assert run("run", path, "--output", out).status == 0
        assert '"sha256": "' + platforms.digest_of(path) in (out / "summary.json").read_text()
        told = run("explain", out, "s3://b/0.png")
        assert told.status == 0, told.err
        put(path / "annotations" / "worker-response" / "iteration-1" / "0" / "2021.json", {"answers": []})
        told = run("explain", out, "s3://b/0.png")
        assert told.status == 1
        assert "has changed since; run again" in told.err

    def test_folders_of_other_things(self, tmp_path: Path) -> None:
        empty = tmp_path / "empty" / "worker-response" / "iteration-1" / "0"
        empty.mkdir(parents=True)
        (tmp_path / "empty" / "worker-response" / "iteration-2").write_text("no folder")
        for path in (tmp_path, tmp_path / "empty", empty):
            assert not sagemaker.sniff(head_of(path))
        with pytest.raises(FormatError, match="empty: no table to read in it"):
            read(tmp_path / "empty", platform="sagemaker")
        with pytest.raises(
            FormatError, match="empty: no answers of workers in this folder; name the folder annotations/"
        ):
            sagemaker.read(tmp_path / "empty", Roles({}))
        with pytest.raises(FormatError, match="no table to read in it"):
            read(tmp_path)

    def test_a_folder_that_may_not_be_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refused(_: Path) -> bool:
            raise PermissionError

        monkeypatch.setattr(sagemaker_answers, "holds_answers", refused)
        assert not sagemaker.sniff(head_of(tmp_path))

    def test_files_by_themselves(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = job(tmp_path / "job", self.answers, list(self.manifest))
        files = sorted(path.rglob("2020*.json"))
        whole, found = read(path), read(files)
        assert rows_of(found) == rows_of(whole)
        assert len(found.sources) == len(files)
        monkeypatch.chdir(files[0].parent)
        assert read("2020-05-01.json").item_ids.to_pylist() == ["s3://b/0.png"]
        put(tmp_path / "x.json", '{"answers": [{"answerContent": {"q": "a"}, "workerId": "w"}], "a": [')
        with pytest.raises(FormatError, match=r"x\.json: not JSON"):
            read(tmp_path / "x.json")

    def test_a_copy_is_the_same(self, tmp_path: Path) -> None:
        path = job(tmp_path / "job", self.answers, list(self.manifest))
        shutil.copytree(path, tmp_path / "copy")
        assert platforms.digest_of(path) == platforms.digest_of(tmp_path / "copy")


@pytest.mark.parametrize(
    ("value", "kind", "label"),
    [
        ("red", questions.ONE, "red"),
        (True, questions.ONE, "true"),
        (["b", "a"], questions.SEVERAL, "a | b"),
        ({"red": {"on": True}, "blue": {"on": False}}, questions.ONE, "red"),
        ({"red": True, "blue": True}, questions.SEVERAL, "blue | red"),
        ({"red": False}, questions.ONE, None),
        ([{"left": "3"}], questions.REGIONS, None),
        ({"boundingBoxes": ["x"]}, questions.REGIONS, None),
        ([], "", None),
        ({}, "", None),
        ("", "", None),
        (None, "", None),
    ],
)
def test_answers_as_labels(value: Any, kind: str, label: str | None) -> None:
    assert sagemaker_answers.kind_of(value) == kind
    assert sagemaker_answers.label_of(value) == label


class TestQuestions:
    def test_several(self, tmp_path: Path) -> None:
        content = {
            "colour": "red",
            "tags": {"labels": ["a", "b"]},
            "boxes": {"boundingBoxes": [{"left": 1}]},
            "notes": {"a": 1, "b": "x"},
        }
        path = job(tmp_path / "job", {"1/0": [answer(content)]})
        several = (
            r"job: this SageMaker .* asks several questions: colour \(one choice\), tags \(several choices\), boxes "
            r"\(marked regions\), notes \(marked regions\); choose one with --label, such as --label colour, "
            "or run each by itself with --by question$"
        )
        with pytest.raises(FormatError, match=several):
            read(path)
        assert read(path, label="tags").labels == ("a | b",)
        assert "label tags (several choices: each set of choices is one label)" in read(path, label="tags").notes[0]
        assert read(path, group="tags").labels == ("red",)
        assert read(path, label="colour", drop=["tags=a | b", "workerId=z"]).tally.dropped == 1

    @pytest.mark.parametrize(("form", "kind"), [("text {}", "free text"), ("{}.5", "number")])
    def test_open_ones(self, tmp_path: Path, form: str, kind: str) -> None:
        answers = [answer({"q": form.format(n)}, f"w{n}") for n in range(31)]
        with pytest.raises(FormatError, match=rf"no question of this .* has fixed answers: q \({kind}\); choose one"):
            read(job(tmp_path / "job", {"1/0": answers}))


def test_survives_what_is_cut_or_swapped(write: Write) -> None:
    whole = EXAMPLE.read_bytes()
    damaged = [whole[:n] for n in range(20, len(whole), 397)]
    pairs = [
        (b"annotations", b"annotation"),
        (b"[", b"{"),
        (b"label", b"labels"),
        (b'"workerId"', b"3"),
        (b": {", b": [{"),
    ]
    damaged += [whole.replace(one, other) for one, other in pairs]
    for n, content in enumerate(damaged):
        path = write(f"d{n}.json", content)
        try:
            tally = read(path, platform="sagemaker").tally
        except FormatError as error:
            told = str(error)
            assert told.startswith(str(path))
            continue
        assert tally.read == tally.used + tally.abstained + tally.repeated + tally.rejected
