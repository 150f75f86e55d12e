"""What workers answered at SageMaker Ground Truth: the folder ``worker-response``, or a request for consolidation.

A folder holds a file of ``answers`` in ``iteration-N/OBJECT/``, which may be named by itself, too. The number of the
object is that of its line in the output manifest, from 0. Where that is found, in the folder or above it, its
``source-ref`` names the item, else the number does. Lines that went out again (``consensus requeue``) have
``consensus_item``: where a manifest has some, that or ``source-ref`` is the item, and no number. A request is a list of
objects (``datasetObjectId``) with ``annotations``. Assumed is:

- A question is an element of the form, such as ``crowd-image-classifier``. Several labels, and several ticks, are one
  label. Boxes, polygons and the like are no labels. An empty answer is an abstain.
- ``submissionTime`` is the time. ``timeSpentInSeconds`` is the duration, else the time since ``acceptanceTime``; old
  files hold neither.
- A line of a reject is the number of the object. Answers that are stored elsewhere (``s3Uri``) are rejects.
- Nothing is read of ``workerMetadata``, which tells who a worker is.
- The output manifest itself holds one label an object, made of the judgments, and is refused: it holds none.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING

from consensus.errors import FormatError
from consensus.formats.platforms import aggregates, sagemaker_answers
from consensus.formats.platforms.named_columns import columns_for
from consensus.formats.platforms.questions import chosen, described
from consensus.formats.platforms.records import Judged, reading, whole_json
from consensus.formats.platforms.sagemaker_answers import OBJECT, Answer, Names, label_of, manifest_of, questions_in
from consensus.formats.platforms.seam import head_of
from consensus.formats.tables.streams import displayed
from consensus.formats.tables.text_form import PLAIN
from consensus.inputs.counted import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from hashlib import _Hash
    from pathlib import Path

    from consensus.formats.platforms.seam import Head
    from consensus.formats.tables.blocks import Reading
    from consensus.formats.tables.roles import Roles
    from consensus.formats.tables.text_form import TextForm

NAME = "sagemaker"
TITLE = "SageMaker Ground Truth export"
REQUEST = [re.compile(rb'"%s"\s*:' % key) for key in (b"datasetObjectId", b"annotations", b"annotationData")]
ANSWERS = [re.compile(pattern) for pattern in (rb'"answers"\s*:\s*\[', rb'"answerContent"\s*:', rb'"workerId"\s*:')]
SPENT, BEGUN, TIME = "timeSpentInSeconds", "acceptanceTime", "submissionTime"


@dataclass(frozen=True, slots=True)
class _Export:
    """Where the answers come from."""

    path: Path
    answers: Callable[[], Iterator[Answer]]
    """Goes through all of them, as often as it is called."""
    digest: _Hash
    item: str
    """The usual field of the item."""
    said: str
    """What is to be known of the names of items."""


@dataclass
class _Found:
    """What an export turned out to hold, once it was read."""

    iterations: set[str] = field(default_factory=set)
    n_empty: int = 0


def sniff(head: Head) -> bool:
    """Whether it is a folder of answers, or a file that is a request or a manifest."""
    if not head.start:
        try:
            return head.path.is_dir() and sagemaker_answers.holds_answers(head.path)
        except OSError:
            return False
    start = head.text
    if start[:1] == b"{" and all(key.search(start) for key in ANSWERS):
        return True
    is_request = start[:1] == b"[" and all(key.search(start) for key in REQUEST)
    return is_request or aggregates.kind_of(head) == aggregates.MANIFEST


def digest_of(path: Path) -> str:
    """SHA-256 of what is read of a folder, as hexadecimal digits."""
    return sagemaker_answers.digest_of(path).hexdigest()


def read(path: Path, roles: Roles, form: TextForm = PLAIN) -> Reading:
    """The answers to one question.

    Raises
    ------
    FormatError
        The folder or file can't be read or holds no answers, several questions could be meant, or a named field is
        missing.
    """
    export = _folder(path) if path.is_dir() else _file(path, form)
    questions, fields = sagemaker_answers.questions_of(export.answers())
    header = sorted(fields)
    label = roles.named.get("label")
    asked = {name: kind for name, kind in questions.items() if name not in roles.set_apart}
    question = chosen(path, TITLE, asked, None if roles.lenient and label not in asked else label)
    usual = {"item": export.item, "worker": "workerId", "timestamp": TIME}
    header += [name for name in questions if name not in fields]
    columns = columns_for(roles, {role: name for role, name in usual.items() if name in header}, header, path, TITLE)
    spent = next((name for name in (SPENT, BEGUN) if name in fields and "duration" not in columns), "")
    told = {**columns, "label": question} | ({"duration": spent} if spent else {})
    shown = [role for role in ("item", "worker", "label", "timestamp", "duration") if role in told]
    found = _Found()
    return reading(
        path,
        _judged(export, columns, question, spent, found),
        [*shown, *(role for role in told if role not in shown)],
        digest=export.digest,
        platform=TITLE,
        columns=told,
        header=header,
        note=partial(_note, export, told, questions[question], found),
    )


def _folder(path: Path) -> _Export:
    """Answers below a folder."""
    if not sagemaker_answers.files_of(path):
        raise FormatError(
            "no answers of workers in this folder; name the folder annotations/worker-response of a labeling "
            "job, with iteration-1 in it",
            path,
        )
    return _answers(path, sagemaker_answers.digest_of(path))


def _answers(path: Path, digest: _Hash) -> _Export:
    """Answers below a folder, or in a file, with the names that a manifest gives to objects."""
    manifest = manifest_of(path)
    names = Names.of(manifest)
    item, said = names.usual, "an item is the number of a line of the manifest, from 0"
    if item != OBJECT:
        said = f"names of items are from {PurePath(displayed(manifest or path)).name}"
    elif manifest is None:
        said += ", which is not beside it"
    return _Export(path, partial(sagemaker_answers.in_files, path, names), digest, item, said)


def _file(path: Path, form: TextForm) -> _Export:
    """Answers about one object, or those in a request for consolidation."""
    if aggregates.kind_of(head_of(path)) == aggregates.MANIFEST:
        raise aggregates.refusal(path, aggregates.MANIFEST, "give the folder annotations/worker-response of the job")
    digest = hashlib.sha256()
    objects = whole_json(path, digest, form)
    if isinstance(objects, dict) and isinstance(objects.get("answers"), list):
        return _answers(path, digest)
    if not isinstance(objects, list) or not objects:
        raise FormatError(
            f"this is no {TITLE}; expected a list of objects with annotations, or the folder "
            "annotations/worker-response of a labeling job",
            path,
        )
    return _Export(path, partial(sagemaker_answers.in_request, objects), digest, "datasetObjectId", "")


def _judged(export: _Export, columns: Mapping[str, str], question: str, spent: str, found: _Found) -> Iterator[Judged]:
    for one in export.answers():
        answers = questions_in(one.content)
        cells = {
            role: one.fields.get(name) if name not in answers else label_of(answers[name])
            for role, name in columns.items()
        }
        cells["label"] = label_of(answers.get(question))
        if spent:
            cells["duration"] = one.fields.get(SPENT) or _seconds(one.fields)
        if not one.fault:
            found.n_empty += cells["label"] is None
        found.iterations |= {one.fields["iteration"] or ""} if "iteration" in one.fields else set()
        yield Judged(one.line, cells, one.fault)


def _seconds(fields: Mapping[str, str | None]) -> str | None:
    """From the acceptance of the task to its end; None where a time is unknown, or the end comes first."""
    try:
        begin, end = (datetime.fromisoformat(fields.get(name) or "") for name in (BEGUN, TIME))
        seconds = (end - begin).total_seconds()
    except (ValueError, TypeError):
        return None
    return f"{seconds:g}" if seconds >= 0 else None


def _note(export: _Export, told: Mapping[str, str], kind: str, found: _Found) -> str:
    """What was understood, in a line."""
    ids = ", ".join(f"{role} {told.get(role, 'unknown')}" for role in ("item", "worker"))
    said = [
        f"{PurePath(displayed(export.path)).name} is a {TITLE}: {ids}, label {described(told['label'], kind)}",
        *([export.said] if export.said else []),
    ]
    if len(found.iterations) > 1:
        said.append(counted(len(found.iterations), "iteration"))
    if found.n_empty:
        said.append(f"empty answers, which count as no answer: {found.n_empty:,}")
    return "; ".join([*said, "--platform none reads it as a plain table"])
