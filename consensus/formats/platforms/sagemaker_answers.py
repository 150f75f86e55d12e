"""What workers answered at SageMaker Ground Truth: where it is kept, and what an answer is as a label."""

from __future__ import annotations

import hashlib
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consensus.errors import FormatError
from consensus.formats.platforms.object_lines import ObjectLines
from consensus.formats.platforms.questions import NUMBER, ONE, REGIONS, SEVERAL, TEXT, joined
from consensus.formats.platforms.records import parsed_json, whole_json
from consensus.formats.platforms.seam import ITEM
from consensus.formats.tables.streams import displayed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from hashlib import _Hash
    from pathlib import Path

OBJECT, SOURCE = "object", "source-ref"
ITERATION = re.compile(r"iteration-(\d+)$")
RESPONSES = ("", "worker-response", "annotations/worker-response")
"""Where the iterations may be below what the user names."""
MANIFESTS = ("manifests/output/output.manifest", "output.manifest", "output/output.manifest")
FEW = 30  # different answers that a question may have before half of them being different makes it free text


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker answered about an object."""

    line: int
    """The number of the object."""
    fields: Mapping[str, str | None]
    """Its single values, and those of the object."""
    content: Mapping[str, Any]
    """Answer by question."""
    fault: str = ""
    """Why it can't be used."""


def iterations(path: Path) -> list[Path]:
    """The folders of iterations in, or below, a folder; none where it is no folder of answers."""
    if ITERATION.match(path.name) and path.is_dir():
        return [path]
    for below in RESPONSES:
        folder = path / below
        if folder.is_dir():
            found = [(int(it[1]), one) for one in folder.iterdir() if (it := ITERATION.match(one.name))]
            if found:
                return [one for _, one in sorted(found) if one.is_dir()]
    return []


def holds_answers(path: Path) -> bool:
    """Whether a folder holds answers of workers, by the names of its first ones."""
    first = itertools.islice(iterations(path), 1)
    folders = (one for iteration in first for one in itertools.islice(iteration.iterdir(), 20))
    return any(_is_answer(one) for folder in folders if folder.is_dir() for one in folder.iterdir())


def _is_answer(path: Path) -> bool:
    return path.suffix == ".json" and not path.name.startswith(".")


def files_of(path: Path) -> list[tuple[str, str, Path]]:
    """Iteration, object and file of all answers below a folder, in their order; or of a file by itself."""
    if not path.is_dir():
        *_, above, name, _ = ("", "", *path.absolute().parts)
        return [(above.rpartition("-")[2], name, path)]
    found = []
    for iteration in iterations(path):
        for folder in sorted(iteration.iterdir(), key=lambda one: _in_order(one.name)):
            if folder.is_dir():
                files = sorted(one for one in folder.iterdir() if _is_answer(one))
                found += [(iteration.name.rpartition("-")[2], folder.name, one) for one in files]
    return found


def _in_order(name: str) -> tuple[int, str]:
    return (int(name), "") if name.isdecimal() else (-1, name)


def manifest_of(path: Path) -> Path | None:
    """The output manifest of the job of a folder, or of a file in one of an object: there, or at most three folders
    above; None if there is none.
    """  # noqa: D205
    above = path.resolve() if path.is_dir() else path.absolute().parent.parent.resolve()
    for folder in (above, *itertools.islice(above.parents, 3)):
        for name in MANIFESTS:
            if (folder / name).is_file():
                return folder / name
    return None


def digest_of(path: Path) -> _Hash:
    """SHA-256 of the names and contents of all answers of a folder, and of its manifest."""
    digest = hashlib.sha256()
    manifest = manifest_of(path)
    for iteration, name, file in files_of(path):
        digest.update(f"{iteration}/{name}/{file.name}\0".encode("utf-8", "surrogateescape"))
        digest.update(file.read_bytes())
    if manifest is not None:
        digest.update(manifest.read_bytes())
    return digest


@dataclass(frozen=True, slots=True)
class Names:
    """What the manifest of a job calls its objects."""

    by_line: tuple[Mapping[str, str], ...]
    """Of each line: ``consensus_item`` and ``source-ref``, where these are texts. Blank lines count."""
    usual: str
    """The field that names items: the first of these that a line has, else the number of the object."""

    @classmethod
    def of(cls, manifest: Path | None) -> Names:
        """Those in a manifest; none where there is none."""
        found: list[Mapping[str, str]] = []
        for line in () if manifest is None else ObjectLines.of(manifest).lines():
            found += [{}] * (line.line - 1 - len(found))
            told = {key: line.record.get(key) for key in (ITEM, SOURCE)}
            found.append({key: name for key, name in told.items() if isinstance(name, str) and name})
        usual = next((key for key in (ITEM, SOURCE) if any(key in one for one in found)), OBJECT)
        return cls(tuple(found), usual)

    def fields(self, name: str) -> dict[str, str | None]:
        """What tells the object of a folder's ``name``.

        Numbers belong to a job. Where lines say which items of other jobs they are, a number would be taken for one of
        those: there an object without a name is no item.
        """
        known = self.by_line[int(name)] if name.isdecimal() and int(name) < len(self.by_line) else {}
        told: dict[str, str | None] = {OBJECT: name, SOURCE: known.get(SOURCE, name)}
        return told | ({ITEM: known.get(ITEM, known.get(SOURCE))} if self.usual == ITEM else {})


def in_files(path: Path, names: Names) -> Iterator[Answer]:
    """All answers below a folder, or in a file; objects are called by their ``names``."""
    for n, (iteration, name, file) in enumerate(files_of(path)):
        number = int(name) if name.isdecimal() else n
        beside = {**names.fields(name), "iteration": iteration}
        try:
            held = whole_json(file, hashlib.sha256())
        except FormatError as error:
            yield Answer(number, beside, {}, str(error).removeprefix(f"{path}").lstrip("/: "))
            continue
        answers = held.get("answers") if isinstance(held, dict) else None
        if not isinstance(answers, list):
            place = f"{displayed(file.relative_to(path))}: " if file != path else ""
            yield Answer(number, beside, {}, f"{place}no list of answers")
            continue
        for one in answers:
            yield _answer(number, one, beside)


def _answer(number: int, answer: Any, beside: Mapping[str, str | None]) -> Answer:
    if not isinstance(answer, dict):
        return Answer(number, beside, {}, "the answer is no object")
    names = ("workerId", "submissionTime", "acceptanceTime", "timeSpentInSeconds")
    given = {name: value for name in names if isinstance(value := answer.get(name), str) and value}
    content = answer.get("answerContent")
    fault = "" if isinstance(content, dict) else "the answer has no content"
    return Answer(number, {**beside, **given}, content if isinstance(content, dict) else {}, fault)


def in_request(objects: list[Any]) -> Iterator[Answer]:
    """All answers of a request for consolidation."""
    for number, one in enumerate(objects, 1):
        annotations = one.get("annotations") if isinstance(one, dict) else None
        if not isinstance(annotations, list):
            yield Answer(number, {}, {}, "the object has no list of annotations")
            continue
        data = one.get("dataObject")
        known = {"datasetObjectId": one.get("datasetObjectId")}
        known |= {f"dataObject.{key}": value for key, value in (data if isinstance(data, dict) else {}).items()}
        beside = {key: value for key, value in known.items() if isinstance(value, str) and value}
        for annotation in annotations:
            yield _annotated(number, annotation, beside)


def _annotated(number: int, annotation: Any, beside: Mapping[str, str]) -> Answer:
    if not isinstance(annotation, dict):
        return Answer(number, beside, {}, "the annotation is no object")
    worker = annotation.get("workerId")
    fields = {**beside, **({"workerId": worker} if isinstance(worker, str) and worker else {})}
    data = annotation.get("annotationData")
    text = data.get("content") if isinstance(data, dict) else None
    if not isinstance(text, str):
        return Answer(number, fields, {}, "the answer is not in the file, but stored elsewhere (s3Uri)")
    try:
        content = parsed_json(text)
    except ValueError as error:
        return Answer(number, fields, {}, f"the answer is {error}")
    if not isinstance(content, dict):
        return Answer(number, fields, {}, "the answer is no object")
    return Answer(number, fields, content)


def questions_in(content: Mapping[str, Any]) -> dict[str, Any]:
    """Answer by question: an element of the form, by its name."""
    found = {}
    for name, value in content.items():
        single = isinstance(value, dict) and len(value) == 1
        key = next(iter(value)) if single else ""
        found[name] = value[key] if key in {"label", "labels"} else value
    return found


def ticks_in(value: Any) -> dict[str, bool] | None:
    """Which of the choices of a form are ticked; None where it is no such answer."""
    if not isinstance(value, dict) or not value:
        return None
    each = {name: one.get("on") if isinstance(one, dict) and len(one) == 1 else one for name, one in value.items()}
    ticks = {name: one for name, one in each.items() if isinstance(one, bool)}
    return ticks if len(ticks) == len(each) else None


def kind_of(value: Any) -> str:
    """The kind of a question by an answer; empty where that does not tell."""
    ticks = ticks_in(value)
    if ticks is not None:
        return SEVERAL if sum(ticks.values()) > 1 else ONE
    if value is None or value in ("", [], {}):
        return ""
    if isinstance(value, (str, bool)):
        return ONE
    return SEVERAL if isinstance(value, list) and all(isinstance(one, str) for one in value) else REGIONS


def label_of(value: Any) -> str | None:
    """An answer as a label; None where nothing was answered, or the answer is none."""
    ticks = ticks_in(value)
    if ticks is not None:
        return joined(name for name, is_on in ticks.items() if is_on)
    if isinstance(value, list):
        return joined(one for one in value if isinstance(one, str))
    if isinstance(value, bool):
        return "true" if value else "false"
    return value or None if isinstance(value, str) else None


def questions_of(answers: Iterator[Answer]) -> tuple[dict[str, str], set[str]]:
    """Kind by question, and the names of all fields."""
    kinds: dict[str, list[str]] = {}
    labels: dict[str, set[str]] = {}
    fields: dict[str, None] = {}
    for one in answers:
        fields |= dict.fromkeys(one.fields)
        for name, value in questions_in(one.content).items():
            kinds.setdefault(name, []).append(kind_of(value))
            if (label := label_of(value)) is not None:
                labels.setdefault(name, set()).add(label)
    found = {name: _kind(each, labels.get(name, set())) for name, each in kinds.items()}
    return found, set(fields)


def _kind(kinds: list[str], labels: set[str]) -> str:
    for kind in (REGIONS, SEVERAL):
        if kind in kinds:
            return kind
    n = sum(kind == ONE for kind in kinds)
    if len(labels) > max(FEW, n / 2):
        return NUMBER if all(one.replace(".", "", 1).isdecimal() for one in labels) else TEXT
    return ONE
