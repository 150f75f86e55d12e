"""Consolidation of annotations for SageMaker Ground Truth: what an AWS Lambda answers when a job asks for labels.

Assumed is (developer guide: "Post-annotation Lambda"):

- The request names a file of JSON (``payload.s3Uri``): objects with ``annotations``, of which some may lie elsewhere
  (``annotationData.s3Uri``, or ``s3uri``). Nothing else is read of who a worker is.
- ``labelCategories`` are the classes in their order, or null; then a label is the name of its class, else its number.
- An object without a label is left out of the answer, as in the sample of AWS.
- boto3 reads with the function's own role. ``roleArn`` is not assumed.
- Jobs with templates of their own: the guide says that Ground Truth writes ``-metadata`` itself. Samples of AWS return
  it, too.
"""

from __future__ import annotations

import importlib
import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from consensus.errors import ConfigError, FormatError, JudgmentError, reason
from consensus.formats import partials
from consensus.formats.platforms.questions import REGIONS, SEVERAL
from consensus.formats.platforms.records import parsed_json
from consensus.formats.platforms.sagemaker import NAME
from consensus.formats.platforms.sagemaker_answers import in_request, kind_of, label_of, questions_in, questions_of
from consensus.inputs.counted import counted
from consensus.requeue import tasks
from consensus.requeue.manifests import METADATA
from consensus.requeue.sagemaker import CUSTOM, TYPES
from consensus.runs.whole_run import run

if TYPE_CHECKING:
    from collections.abc import Callable

REQUEST = "the request"
S3, FILE = "s3://", "file://"
LOG = logging.getLogger(__name__)


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)


class Payload(_Asked):
    """Where the annotations are."""

    uri: str = Field(alias="s3Uri", min_length=1)


class Request(_Asked):
    """What a job asks. Other fields, such as ``version`` and ``roleArn``, are passed over."""

    job: str = Field(alias="labelingJobArn", min_length=1)
    attribute: str = Field(alias="labelAttributeName", min_length=1)
    classes: list[str] | None = Field(None, alias="labelCategories")
    payload: Payload

    @classmethod
    def of(cls, event: Any) -> Request:
        """The event of a Lambda.

        Raises
        ------
        FormatError
            A field is missing, or is not of its kind.
        """
        try:
            return cls.model_validate(event)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"])) or "the whole"
            raise FormatError(
                f"{field}: {first['msg'].lower()}; expected labelingJobArn, labelAttributeName, labelCategories and "
                "payload.s3Uri, as Ground Truth sends them",
                REQUEST,
            ) from None


def lambda_handler(event: Any, context: Any) -> list[dict[str, Any]]:  # noqa: ARG001  # so Lambda calls it
    """Answer a request for consolidation: ``consolidate`` without any setting.

    Parameters
    ----------
    event
        The request, as ``consolidate`` takes it.
    context
        Of the call, which is not used.
    """
    return consolidate(event)


def fetched(uri: str) -> bytes:
    """What lies in a bucket (``s3://``), or in a file of this machine.

    Raises
    ------
    ConfigError
        It lies in a bucket, and boto3 is not installed.
    """
    if not uri.startswith(S3):
        return Path(uri.removeprefix(FILE)).read_bytes()
    try:
        boto3: Any = importlib.import_module("boto3")
    except ImportError:
        raise ConfigError(f"{uri} needs boto3; install it", code="missing_library") from None
    bucket, _, key = uri.removeprefix(S3).partition("/")
    content: bytes = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return content


def consolidate(
    event: Any,
    *,
    fetch: Callable[[str], bytes] = fetched,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    **settings: Any,
) -> list[dict[str, Any]]:
    """Labels of the objects of a request, in their order.

    Parameters
    ----------
    event
        ``labelingJobArn``, ``labelAttributeName``, ``labelCategories`` (or null) and ``payload.s3Uri``.
    fetch
        Gives the bytes that lie at a URI.
    now
        Tells the time that labels are made at.
    **settings
        Of ``consensus.run``, such as ``label="colour"`` where a form asks several questions.

    Returns
    -------
    list of dict
        ``datasetObjectId`` and ``consolidatedAnnotation.content`` with the label and its ``-metadata``. Confidences
        are probabilities, 0 to 1. Objects that nobody answered, or whose label is open, are left out.

    Raises
    ------
    FormatError
        The request or its payload is malformed, the payload can't be read, or answers are no single classes.
    ConfigError
        A setting can't be used, or boto3 is not installed.
    """
    request = Request.of(event)
    objects = _objects(request.payload.uri, fetch)
    answers = list(in_request(objects))
    values = [value for one in answers for value in questions_in(one.content).values()]
    if not any(label_of(value) or kind_of(value) == REGIONS for value in values):
        _tell(len(objects), 0)
        return []
    kinds, _ = questions_of(iter(answers))
    with partials.temporary() as folder:
        path = folder / "request.json"
        path.write_text(json.dumps(objects), encoding="utf-8")
        try:
            found = run(path, platform=NAME, item="datasetObjectId", **settings)
        except JudgmentError as error:
            raise FormatError(str(error).replace(str(path), request.payload.uri), code=error.code) from None
    question = next(one.name for one in found.result.judgments.understood if one.role == "label")
    if kinds.get(question) == SEVERAL:
        raise FormatError(f'answers to "{question}" are sets of classes, and a label is one class', REQUEST)
    same = {
        "type": TYPES.get(question, CUSTOM),
        "job-name": request.job.rpartition(":")[2],
        "human-annotated": "yes",
        "creation-date": now().astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds"),
    }
    labels = tasks.labelled(found)
    labels = labels[labels["label"].notna()]
    made = {
        item: {
            request.attribute: _value(label, request),
            request.attribute + METADATA: {"class-name": label, "confidence": round(float(sure), 6), **same},
        }
        for item, label, sure in zip(labels["item"], labels["label"], labels["confidence"], strict=True)
    }
    _tell(len(objects) - len(made), found.result.judgments.tally.rejected)
    return [
        {"datasetObjectId": one["datasetObjectId"], "consolidatedAnnotation": {"content": made[one["datasetObjectId"]]}}
        for one in objects
        if one["datasetObjectId"] in made
    ]


def _tell(n_open: int, n_rejected: int) -> None:
    """What is missing, for the log of the function."""
    if n_rejected:
        LOG.warning("%s can't be used", counted(n_rejected, "answer"))
    if n_open:
        LOG.warning("%s without a label", counted(n_open, "object"))


def _value(label: str, request: Request) -> int | str:
    """The number of a class, or its name where nothing tells numbers.

    Raises
    ------
    FormatError
        It is none of the classes.
    """
    if not request.classes:
        return label
    if label not in request.classes:
        raise FormatError(f'the answer "{label}" is none of labelCategories: {", ".join(request.classes)}', REQUEST)
    return request.classes.index(label)


def _objects(uri: str, fetch: Callable[[str], bytes]) -> list[dict[str, Any]]:
    """The objects of a payload, with all answers in it.

    Raises
    ------
    FormatError
        It is none.
    """
    objects = _parsed(_read(uri, fetch), uri)
    if not isinstance(objects, list) or not objects:
        raise FormatError("expected a list of objects with datasetObjectId and annotations", uri)
    seen = set[str]()
    for n, one in enumerate(objects):
        name = one.get("datasetObjectId") if isinstance(one, dict) else None
        annotations = one.get("annotations") if isinstance(one, dict) else None
        if not isinstance(name, str) or not name or name in seen or not isinstance(annotations, list):
            raise FormatError(f"object {n + 1}: expected a datasetObjectId of its own, and a list of annotations", uri)
        seen.add(name)
        for annotation in annotations:
            data = annotation.get("annotationData") if isinstance(annotation, dict) else None
            if isinstance(data, dict) and not data.get("content"):
                elsewhere = data.get("s3Uri") or data.get("s3uri")
                if isinstance(elsewhere, str):
                    data["content"] = _read(elsewhere, fetch).decode("utf-8", "replace")
    return objects


def _read(uri: str, fetch: Callable[[str], bytes]) -> bytes:
    try:
        return fetch(uri)
    except OSError as error:
        raise FormatError(f"can't be read: {reason(error)}", uri) from None


def _parsed(content: bytes, uri: str) -> Any:
    try:
        return parsed_json(content)
    except ValueError as error:
        raise FormatError(str(error), uri) from None
