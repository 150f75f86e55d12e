"""The function that a job of Ground Truth asks for labels: a request and a payload in, labels out."""

import io
import json
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import consensus
from consensus.errors import ConfigError, FormatError
from consensus.requeue.consolidation import consolidate, fetched, lambda_handler

pytestmark = pytest.mark.filterwarnings("ignore::consensus.ConsensusWarning")
SAID = {"7": "aab", "0": "bbb", "3": "cac", "11": "aaa"}
CLASSES = {"a": "cat", "b": "dog", "c": "hen"}
Payload = list[dict[str, Any]]


def annotation(worker: str, content: Any) -> dict[str, Any]:
    return {
        "workerId": worker,
        "annotationData": {"content": content if isinstance(content, str) else json.dumps(content)},
    }


def payload(element: str = "crowd-image-classifier") -> Payload:
    return [
        {
            "datasetObjectId": name,
            "dataObject": {"s3Uri": f"s3://b/{name}.png"},
            "annotations": [
                annotation(f"w{w}", {element: {"label": CLASSES[letter]}}) for w, letter in enumerate(letters)
            ],
        }
        for name, letters in SAID.items()
    ]


def request_of(uri: str | Path, **more: Any) -> dict[str, Any]:
    return {
        "version": "2018-10-16",
        "labelingJobArn": "arn:aws:sagemaker:us-west-2:111122223333:labeling-job/animals",
        "labelCategories": ["hen", "dog", "cat"],
        "labelAttributeName": "animal",
        "roleArn": "arn:aws:iam::111122223333:role/role-name",
        "payload": {"s3Uri": str(uri)},
        **more,
    }


def held(content: Any) -> Callable[[str], bytes]:
    return lambda _: content if isinstance(content, bytes) else json.dumps(content).encode()


def test_labels_of_a_payload(tmp_path: Path) -> None:
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps(payload()))
    made = consolidate(request_of(path), now=lambda: datetime(2024, 5, 1, 12, tzinfo=UTC))
    labels = consensus.run(path).labels.set_index("item")
    assert [one["datasetObjectId"] for one in made] == list(SAID)
    for one in made:
        label, sure = labels.loc[one["datasetObjectId"], ["label", "confidence"]]
        content = one["consolidatedAnnotation"]["content"]
        assert content == {
            "animal": ["hen", "dog", "cat"].index(label),
            "animal-metadata": {
                "class-name": label,
                "confidence": round(sure, 6),
                "type": "groundtruth/image-classification",
                "job-name": "labeling-job/animals",
                "human-annotated": "yes",
                "creation-date": "2024-05-01T12:00:00.000000",
            },
        }
    (again, *_) = lambda_handler(request_of(f"file://{path}", labelCategories=None), None)
    assert again["consolidatedAnnotation"]["content"]["animal"] == "cat"
    assert json.loads(json.dumps(made)) == made
    assert "w0" not in json.dumps(made)


def test_an_object_by_itself_in_a_form_of_several_questions() -> None:
    content = {"colour": {"label": "red"}, "size": {"label": "small"}}
    one = [{"datasetObjectId": "4", "annotations": [annotation(who, content) for who in "xyz"]}]
    request = request_of("s3://b/a.json", labelCategories=[])
    (made,) = consolidate(request, fetch=held(one), label="colour")
    assert made["consolidatedAnnotation"]["content"]["animal"] == "red"
    assert made["consolidatedAnnotation"]["content"]["animal-metadata"]["type"] == "groundtruth/custom"
    with pytest.raises(
        FormatError, match=r"^s3://b/a\.json: this SageMaker .* asks several questions: colour .*label="
    ):
        consolidate(request, fetch=held(one))


@pytest.mark.parametrize("key", ["s3Uri", "s3uri"])
def test_answers_that_lie_elsewhere(key: str) -> None:
    given = payload()
    stored = {}
    for i, one in enumerate(given):
        for w, each in enumerate(one["annotations"]):
            uri = f"s3://b/{i}/{w}"
            stored[uri] = each["annotationData"].pop("content").encode()
            each["annotationData"][key] = uri
    stored["s3://b/a"] = json.dumps(given).encode()
    made = consolidate(request_of("s3://b/a"), fetch=stored.__getitem__)
    expected = consolidate(request_of("s3://b/a"), fetch=held(payload()))
    for one in (*made, *expected):
        del one["consolidatedAnnotation"]["content"]["animal-metadata"]["creation-date"]
    assert made == expected


def test_objects_that_get_no_label_are_left_out_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    given = payload()
    given[0]["annotations"] = []
    given[1]["annotations"] = [annotation("w0", {"crowd-image-classifier": {"label": ""}})]
    given[2]["annotations"] += [annotation("w9", "{cut"), {"workerId": "w9", "annotationData": {}}]
    with caplog.at_level(logging.WARNING):
        made = consolidate(request_of("s3://b/a"), fetch=held(given))
    assert [one["datasetObjectId"] for one in made] == ["3", "11"]
    assert caplog.messages == ["2 answers can't be used", "2 objects without a label"]
    caplog.clear()
    for one in given:
        one["annotations"] = []
    assert consolidate(request_of("s3://b/a"), fetch=held(given)) == []
    assert caplog.messages == ["4 objects without a label"]


class TestMalformed:
    @pytest.mark.parametrize(
        ("event", "why"),
        [
            ([], "the whole: input should be a valid dictionary"),
            ({}, "labelingJobArn: field required"),
            (request_of("x", labelAttributeName=""), "labelAttributeName: string should have at least 1 char"),
            (request_of("x", labelCategories="cat"), "labelCategories: input should be a valid list"),
            (request_of("x", labelCategories=[1]), "labelCategories.0: input should be a valid string"),
            (request_of("x", payload=None), "payload: input should be a valid dictionary"),
            (request_of("x", payload={"uri": "x"}), "payload.s3Uri: field required"),
        ],
    )
    def test_requests(self, event: Any, why: str) -> None:
        told = (
            r"; expected labelingJobArn, labelAttributeName, labelCategories and payload\.s3Uri, as Ground Truth sends"
        )
        with pytest.raises(FormatError, match=f"^the request: {why}.*{told}"):
            lambda_handler(event, None)

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (b"{cut", "not JSON: expecting property name"),
            (b"\xff", "not UTF-8"),
            ({"a": 1}, "expected a list of objects with datasetObjectId and annotations"),
            ([], "expected a list of objects"),
            (["x"], "object 1: expected a datasetObjectId of its own, and a list of annotations"),
            ([{"datasetObjectId": "1"}], "object 1: expected"),
            ([{"datasetObjectId": None, "annotations": []}], "object 1: expected"),
            ([{"datasetObjectId": "1", "annotations": []}] * 2, "object 2: expected"),
        ],
    )
    def test_payloads(self, content: Any, why: str) -> None:
        with pytest.raises(FormatError, match=f"^s3://b/a: {why}"):
            consolidate(request_of("s3://b/a"), fetch=held(content))

    def test_payloads_that_are_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(FormatError, match="gone.json: can't be read: no such file or directory"):
            lambda_handler(request_of(tmp_path / "gone.json"), None)

    def test_answers_that_are_no_class(self) -> None:
        with pytest.raises(FormatError, match='the request: the answer "dog" is none of labelCategories: cat, hen'):
            consolidate(request_of("s3://b/a", labelCategories=["cat", "hen"]), fetch=held(payload()))
        given = payload()
        for one in given:
            one["annotations"] = [annotation(who, {"tags": {"labels": ["cat", "dog"]}}) for who in "xyz"]
        with pytest.raises(FormatError, match='answers to "tags" are sets of classes, and a label is one class'):
            consolidate(request_of("s3://b/a"), fetch=held(given))
        for one in given:
            boxes = {"boxes": {"boundingBoxes": [{"left": 1}]}}
            one["annotations"] = ["x", {"annotationData": "x"}, annotation("w", boxes)]
        with pytest.raises(FormatError, match=r"s3://b/a: no question of this .* has fixed answers: boxes"):
            consolidate(request_of("s3://b/a"), fetch=held(given))


class TestFetched:
    def test_from_a_bucket(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = []

        def get_object(**where: str) -> dict[str, Any]:
            asked.append(where)
            return {"Body": io.BytesIO(b"content")}

        clients = SimpleNamespace(client=lambda name: SimpleNamespace(get_object=get_object) if name == "s3" else None)
        monkeypatch.setitem(sys.modules, "boto3", clients)
        assert fetched("s3://bucket/a/b c.json") == b"content"
        assert asked == [{"Bucket": "bucket", "Key": "a/b c.json"}]

    def test_from_a_bucket_without_boto3(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "boto3", None)
        with pytest.raises(ConfigError, match="^s3://b/a needs boto3; install it$") as caught:
            lambda_handler(request_of("s3://b/a"), None)
        assert caught.value.code == "missing_library"
