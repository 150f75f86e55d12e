"""Lines of manifests of SageMaker Ground Truth, each attribute as it is written, and the item that a line is about."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consensus.errors import ConfigError, FormatError, Place
from consensus.formats import sources
from consensus.formats.platforms.records import AS_WRITTEN, parsed_json, whole_json
from consensus.formats.platforms.sagemaker import NAME
from consensus.formats.platforms.sagemaker_answers import SOURCE, Names, manifest_of
from consensus.formats.tables.json_lines import lines_in
from consensus.formats.tables.streams import Tap, encoding_of, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

METADATA = "-metadata"
MADE = "groundtruth/"
"""How the type of a label begins that a job made, in any case of letters."""
REQUESTED, LIES_AT, HOLDS = "datasetObjectId", "dataObject.s3Uri", "dataObject.content"
BLANKS = re.compile(r"[ \t\n\r]*")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a manifest."""

    item: str | None
    """That it is about; None where nothing tells."""
    pairs: tuple[tuple[str, str], ...]
    """Name and value of its attributes; a value is JSON as it is written."""

    def value(self, name: str) -> Any:
        """The value of an attribute, with numbers as they are written; None where there is none."""
        return next((parsed_json(value) for key, value in reversed(self.pairs) if key == name), None)

    def without(self, names: Iterable[str]) -> tuple[tuple[str, str], ...]:
        """All attributes but those of some ``names``."""
        left_out = set(names)
        return tuple(pair for pair in self.pairs if pair[0] not in left_out)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The lines that an export tells of."""

    path: Path
    entries: tuple[Entry, ...]
    attribute: str | None
    """Of the label that the job made; None where no line has one."""
    usual: str
    """The field that names items unless another is asked for."""

    def label(self) -> tuple[str, ...]:
        """The attributes of that label."""
        return () if self.attribute is None else (self.attribute, self.attribute + METADATA)

    def told(self) -> Iterator[tuple[Entry, dict[str, Any]]]:
        """Lines that have a label, and what stands beside it."""
        for one in self.entries if self.attribute is not None else ():
            metadata = one.value(f"{self.attribute}{METADATA}")
            if isinstance(metadata, dict):
                yield one, metadata


def manifests_of(files: tuple[Path, ...], item: str | None) -> list[Manifest]:
    """The manifest of each of some exports, once.

    Parameters
    ----------
    files
        Folders of answers, files of answers, requests for consolidation.
    item
        The field that names items; by default what names them where nobody asks.

    Raises
    ------
    ConfigError
        There is no manifest beside answers, or it has labels of several jobs.
    FormatError
        A line is no JSON object.
    """
    found: dict[Path, Manifest] = {}
    for path in files:
        with sources.opened(path) as opened:
            assert opened is not None  # it is no table in memory
            for file in opened.files:
                where = manifest_of(file.path)
                held = None if file.path.is_dir() else whole_json(file.path, hashlib.sha256())
                if isinstance(held, list):
                    usual = item or REQUESTED
                    entries = tuple(_asked(one, usual, file.shown) for one in held if isinstance(one, dict))
                    found[file.path] = Manifest(file.path, entries, None, REQUESTED)
                elif where is None:
                    raise ConfigError(
                        f"--to {NAME}: {file.shown} has no manifest beside it, so nothing tells what was shown; fetch "
                        "the whole folder of the job, with manifests/output/output.manifest in it, and run that"
                    )
                elif where not in found:
                    found[where] = _read(where, item)
    return list(found.values())


def entries_of(manifests: Iterable[Manifest]) -> Iterator[tuple[Manifest, Entry]]:
    """Their lines, with the manifest of each; of an item the first one."""
    seen = set[str]()
    for manifest in manifests:
        for one in manifest.entries:
            if one.item is None or one.item not in seen:
                yield manifest, one
            seen |= {one.item} if one.item is not None else set()


def line(pairs: Iterable[tuple[str, str]]) -> str:
    """Attributes as a line of a manifest."""
    return "{" + ", ".join(f"{json.dumps(name, ensure_ascii=False)}: {value}" for name, value in pairs) + "}\n"


def written(value: Any) -> str:
    """A value as JSON."""
    return json.dumps(value, ensure_ascii=False)


def _read(path: Path, item: str | None) -> Manifest:
    names = Names.of(path)
    field = item or names.usual
    entries = []
    with unreadable(path):
        for number, raw in lines_in(Tap(path, encoding=encoding_of(path, None)[0])):
            try:
                text = raw.decode("utf-8-sig")
                pairs = _pairs(text) if isinstance(parsed_json(text), dict) else None
            except ValueError:
                pairs = None
            if pairs is None:
                raise FormatError(
                    "the line is no JSON object; correct it, for no line may be lost", Place.of(path, number)
                )
            entries.append(Entry(names.fields(str(number - 1)).get(field), pairs))
    return Manifest(path, tuple(entries), _attribute(path, entries), names.usual)


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    """The pairs of a JSON object, whose text is known to be one."""

    def after_blanks(at: int) -> int:
        found = BLANKS.match(text, at)
        assert found is not None  # it may be empty
        return found.end()

    pairs = []
    at = after_blanks(text.index("{") + 1)
    while text[at] != "}":
        name, at = AS_WRITTEN.raw_decode(text, at)
        begin = after_blanks(after_blanks(at) + 1)  # behind the colon
        _, end = AS_WRITTEN.raw_decode(text, begin)
        pairs.append((name, text[begin:end]))
        at = after_blanks(end)
        at = after_blanks(at + 1) if text[at] == "," else at
    return tuple(pairs)


def _attribute(path: Path, entries: Iterable[Entry]) -> str | None:
    """The attribute of the label that the job of a manifest made.

    Raises
    ------
    ConfigError
        It has labels of several jobs, and none is that of its folder.
    """
    jobs: dict[str, str] = {}
    for one in entries:
        for name, _ in one.pairs:
            base = name.removesuffix(METADATA)
            if base in {name, SOURCE} or base in jobs:
                continue
            metadata = one.value(name)
            if isinstance(metadata, dict) and str(metadata.get("type", "")).lower().startswith(MADE):
                jobs[base] = str(metadata.get("job-name", metadata.get("job_name", ""))).rpartition("/")[2]
    if len(jobs) < 2:
        return next(iter(jobs), None)
    above = {folder.name.lower() for folder in path.resolve().parents}  # JOB/manifests/output/output.manifest
    mine = [name for name, of in jobs.items() if of.lower() in above]
    if len(mine) != 1:
        told = ", ".join(f"{name} (job {of})" for name, of in jobs.items())
        raise ConfigError(
            f"--to {NAME}: the manifest has labels of several jobs: {told}; give the folder the name of the job whose "
            "answers are in it"
        )
    return mine[0]


def _asked(one: dict[str, Any], field: str, shown: str) -> Entry:
    """An object of a request as the line that it was, as far as the request tells.

    Raises
    ------
    ConfigError
        It tells nothing.
    """
    data = one.get("dataObject")
    known = {REQUESTED: one.get(REQUESTED)}
    known |= {f"dataObject.{key}": value for key, value in (data if isinstance(data, dict) else {}).items()}
    texts = {key: value for key, value in known.items() if isinstance(value, str) and value}
    for name, key in (("source", HOLDS), (SOURCE, LIES_AT)):
        if key in texts:
            return Entry(texts.get(field), ((name, written(texts[key])),))
    raise ConfigError(
        f'--to {NAME}: object "{texts.get(REQUESTED, "")}" of {shown} has neither {LIES_AT} nor {HOLDS}, so nothing '
        "tells what was shown"
    )
