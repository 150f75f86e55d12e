"""What platforms made of judgments, one row an item: no judgments, but they may stand as votes of one model.

- The aggregated report of CrowdFlower, later Figure Eight and Appen (``a123456.csv``): item ``_unit_id``; the label is
  a field that has its confidence beside it, as ``<field>:confidence`` (``<field>_confidence`` and
  ``<field>.confidence`` in copies of such files), and this is its probability. Several ticks are one label.
- The output manifest of SageMaker Ground Truth: item ``consensus_item`` (of lines that went out again), else
  ``source-ref``, else the number of the line, from 0; the label is ``class-name`` of ``<attribute>-metadata``, or the
  classes of its ``class-map``; the probability its ``confidence``.

A confidence that is 0, negative or above 1 is passed over. An item without a label is an abstain.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from consensus.errors import FormatError
from consensus.formats.platforms import checkboxes
from consensus.formats.platforms.object_lines import ObjectLines
from consensus.formats.platforms.questions import joined
from consensus.formats.platforms.records import Judged, Table, reading
from consensus.formats.platforms.seam import ITEM, head_of
from consensus.formats.tables.roles import listed
from consensus.inputs.notices import Notice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from hashlib import _Hash
    from pathlib import Path

    from consensus.formats.platforms.seam import Head
    from consensus.formats.tables.blocks import Reading

REPORT, MANIFEST = "an aggregated report of CrowdFlower", "an output manifest of SageMaker Ground Truth"
MODELS = {REPORT: "CrowdFlower", MANIFEST: "SageMaker Ground Truth"}
OF_REPORT = {"_unit_id", "_unit_state", "_trusted_judgments"}
"""Columns of an aggregated report."""
CONFIDENCE = re.compile(r"(.+)[:_.]confidence$")
TYPE = re.compile(rb'"type"\s*:\s*"groundtruth/')
METADATA = "-metadata"
MADE = "labels that a platform made"
ROLES = ("item", "model", "label", "probability")


def kind_of(head: Head) -> str:
    """Which of them a file is; empty for any other."""
    start = head.text
    if start[:1] == b"{":
        first = start.partition(b"\n")[0]
        return MANIFEST if METADATA.encode() + b'"' in first and TYPE.search(first) else ""
    return REPORT if b"_unit_id" in start and OF_REPORT.issubset(head.columns) else ""


def refusal(path: Path, kind: str, remedy: str) -> FormatError:
    """The error where such a file shall hold judgments."""
    return FormatError(
        f"this is {kind}: one row an item, which the platform made of the judgments, and no judgments; "
        f"{remedy}, or, where you have no judgments, give it as votes of a model (--model-votes)",
        path,
    )


def votes_in(path: Path, named: Mapping[str, str | None], usual: Mapping[str, str | None]) -> Reading | None:
    """The labels of such a file as votes of a model; None where it is none.

    Parameters
    ----------
    path
        The file.
    named
        By role, the column of an item or label that the file must have; no other role is read where it names one.
    usual
        The same, where it may be missing.

    Raises
    ------
    FormatError
        A column is missing, or several labels could be meant.
    """
    kind = kind_of(head_of(path))
    if not kind or named.get("model") or named.get("probability"):  # then it is read as a plain table
        return None
    return (_report if kind == REPORT else _manifest)(path, named, usual)


def _chosen(labels: Sequence[str], path: Path, kind: str, named: str | None, usual: str | None) -> str:
    """The field of the label."""
    told = f"{path}: this is {kind}, whose labels are: {listed(labels) or 'none'}"
    found = named or usual
    if named is not None and named not in labels:
        raise FormatError(f'{told}; there is no "{named}": correct --vote-label')
    if found in labels:
        return found or ""
    if len(labels) != 1:
        raise FormatError(f"{told}; choose one with --vote-label" if labels else told)
    return labels[0]


def _report(path: Path, named: Mapping[str, str | None], usual: Mapping[str, str | None]) -> Reading:
    """Labels of an aggregated report."""
    table = Table.of(path)
    beside = {found[1]: name for name in table.names if (found := CONFIDENCE.match(name)) and found[1] in table.names}
    question = _chosen(list(beside), path, REPORT, named.get("label"), usual.get("label"))
    usually = usual.get("item")
    item = named.get("item") or (usually if usually in table.names else None) or "_unit_id"
    if item not in table.names:
        raise FormatError(
            f'no column "{item}" for the item; the columns are: {listed(table.names)}; correct --vote-item', path
        )

    def votes() -> Iterator[Judged]:
        for row in table.rows():
            label = joined(checkboxes.ticks_in(row.cells.get(question, "")))
            yield _vote(row.line, REPORT, row.cells.get(item), label, row.cells.get(beside[question]), row.fault)

    columns = {"item": item, "label": question, "probability": beside[question]}
    return _reading(path, votes(), table.digest, columns)


def _manifest(path: Path, named: Mapping[str, str | None], usual: Mapping[str, str | None]) -> Reading:
    """Labels of an output manifest."""
    source, attributes = ObjectLines.of(path), dict[str, None]()
    for line in ObjectLines(path).lines():
        attributes |= dict.fromkeys(key.removesuffix(METADATA) for key in line.record if key.endswith(METADATA))
    question = _chosen(list(attributes), path, MANIFEST, named.get("label"), usual.get("label"))

    def votes() -> Iterator[Judged]:
        for line in source.lines():
            told = line.record.get(question + METADATA)
            metadata = told if isinstance(told, dict) else {}
            names = (line.record.get(key) for key in (ITEM, "source-ref"))
            item = next((name for name in names if isinstance(name, str) and name), str(line.line - 1))
            yield _vote(line.line, MANIFEST, item, _class_of(metadata), metadata.get("confidence"), line.fault)

    return _reading(path, votes(), source.digest, {"item": "source-ref", "label": question})


def _class_of(metadata: Mapping[str, Any]) -> str | None:
    """The label that a line has."""
    name, several = metadata.get("class-name"), metadata.get("class-map")
    if isinstance(several, dict):
        return joined(one for one in several.values() if isinstance(one, str))
    return name or None if isinstance(name, str) else None


def _vote(line: int, kind: str, item: str | None, label: str | None, confidence: Any, fault: str) -> Judged:
    try:
        share = confidence if 0 < float(confidence) <= 1 else None
    except (TypeError, ValueError):
        share = None
    cells = {"item": item or None, "model": MODELS[kind], "label": label, "probability": share if label else None}
    return Judged(line, cells, fault)


def _reading(path: Path, votes: Iterator[Judged], digest: _Hash, columns: Mapping[str, str]) -> Reading:
    return reading(path, votes, ROLES, digest=digest, platform=MADE, columns=columns)


def notice(made: Reading) -> Notice:
    """Say that votes are labels that were made of judgments."""
    return Notice(
        "votes_from_judgments",
        f'{made.file} holds {MADE} of judgments (label "{made.columns["label"]}"): they count as votes of one model; '
        "beside these judgments themselves they would count twice, so leave out one of the two",
        {},
    )
