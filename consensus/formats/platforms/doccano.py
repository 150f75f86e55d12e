"""Exports of doccano: JSON lines (or a list of JSON), one example each, in one file for all or one an annotator.

Assumed is:

- ``label`` (in some versions ``labels`` or ``cats``) lists the labels of an example: a set of them is one, none an
  abstain. Lists of start, end and name are marked spans, and no labels.
- Nothing in such a file tells who it was: the worker is the name of the file (``ana.jsonl``), as doccano calls the
  files of the annotators of a project that is not collaborative.
- Early versions list ``annotations`` instead, each with the number of its ``user`` and of its ``label``.
- The item is ``id``. Examples that went out again (``consensus requeue``) have other ids: there it is
  ``consensus_item``, which was uploaded with them. Comments and approvals are not read.
- A file is recognised by ``Comments`` or ``annotation_approver`` beside these; others look like anybody's JSON lines,
  and are read so if the platform is named.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from consensus.formats.platforms import answered
from consensus.formats.platforms.answered import Export, Given
from consensus.formats.platforms.seam import ITEM
from consensus.formats.tables.streams import displayed
from consensus.formats.tables.text_form import PLAIN
from consensus.inputs.understood import FROM_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consensus.formats.platforms.object_lines import Line
    from consensus.formats.platforms.seam import Head
    from consensus.formats.tables.blocks import Reading
    from consensus.formats.tables.roles import Roles
    from consensus.formats.tables.text_form import TextForm

NAME = "doccano"
TITLE = "doccano export"
LABELS = ("label", "labels", "cats")
ANNOTATIONS = "annotations"
NOT_ITEMS = {*LABELS, ANNOTATIONS, "entities", "relations", "Comments", "annotation_approver"}
KEYS = [
    re.compile(pattern)
    for pattern in (
        rb'"id"\s*:\s*\d+',
        rb'"(?:text|data|filename)"\s*:\s*"',
        rb'"(?:label|labels|cats|annotations)"\s*:\s*\[',
        rb'"(?:Comments"\s*:\s*\[|annotation_approver"\s*:)',
    )
]


def sniff(head: Head) -> bool:
    """Whether a file is an export: by the keys of its first object."""
    start = head.text
    first = start.partition(b"\n")[0] if start[:1] == b"{" else start
    return start[:1] in {b"[", b"{"} and all(key.search(first) for key in KEYS)


def read(path: Path, roles: Roles, form: TextForm = PLAIN) -> Reading:
    """The labels of examples.

    Raises
    ------
    FormatError
        The file can't be read, it holds marked spans only, or a named value is missing.
    """
    lines, digest = answered.objects_in(path, form)
    stem = PurePath(displayed(path)).name.partition(".")[0]
    went_out = any(line.record.get(ITEM) for line in lines)
    given = [one for line in lines for one in _given(line, stem, went_out)]
    by_user = any("user" in one.record for one in given)
    also = []
    if by_user:
        also.append("labels are numbers of labels, whose names are not in this file")
    elif "worker" not in roles.named or roles.named["worker"] is None:
        also.append("nothing but the name of the file tells who judged: give the file of each annotator")
    usual = {"item": ITEM if went_out else "id", "worker": "user" if by_user else FROM_FILE}
    return answered.read(Export(path, TITLE, given, digest, usual, also=also), roles)


def _given(line: Line, stem: str, went_out: bool) -> Iterator[Given]:
    """What an example got: from one annotator, or from each. Some examples may be those that were there before."""
    if line.fault:
        yield Given(line.line, {}, {}, fault=line.fault)
        return
    own = {key: value for key, value in line.record.items() if key not in NOT_ITEMS}
    if went_out:
        own[ITEM] = own.get(ITEM) or own.get("id")
    annotations = line.record.get(ANNOTATIONS)
    if not isinstance(annotations, list):
        answers = {name: line.record[name] for name in LABELS if name in line.record}
        yield Given(line.line, {**own, FROM_FILE: stem}, answers)
        return
    by_user: dict[str, list[Any]] = {}
    for one in annotations:
        if isinstance(one, dict) and isinstance(one.get("user"), str):
            is_span = "start_offset" in one
            by_user.setdefault(one["user"], []).append([one.get("label")] if is_span else one.get("label"))
    for user, labels in by_user.items():
        yield Given(line.line, {**own, "user": user}, {"label": labels})
