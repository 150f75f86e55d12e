"""Data sets of LeWiDi (learning with disagreements): a JSON object of items, each with everybody's annotations.

Assumed is:

- The item is its key. ``annotators`` names who judged (``Ann1,Ann2``); ``annotations`` holds a label of each in the
  same order (``0,1``), or labels by name. Several labels of one person (``a,b``), who then stands twice among the
  annotators, are one label: by name only, for positions tell nothing there, so that such items are rejects.
- What in ``other_info`` has labels by the names of the annotators, or as many in order, are further questions.
- Hard and soft labels were made of the annotations: they are neither gold nor votes, and are not read.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from consensus.errors import FormatError
from consensus.formats.platforms import answered
from consensus.formats.platforms.answered import Export, Given
from consensus.formats.platforms.records import whole_json
from consensus.formats.tables.roles import listed
from consensus.formats.tables.streams import encoding_of, start_of, unreadable
from consensus.formats.tables.text_form import PLAIN
from consensus.inputs.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consensus.formats.platforms.seam import Head
    from consensus.formats.tables.blocks import Reading
    from consensus.formats.tables.roles import Roles
    from consensus.formats.tables.text_form import TextForm

NAME = "lewidi"
TITLE = "LeWiDi data set"
ANNOTATIONS, ANNOTATORS, MORE = "annotations", "annotators", "other_info"
ITEM = "item"
MADE = ("hard_label", "soft_label")
FIRST = re.compile(rb'\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\{')
KEYS = [
    re.compile(pattern)
    for pattern in (
        rb'"annotations"\s*:\s*["{\[]',
        rb'"annotators"\s*:\s*"',
        rb'"(?:hard_label|soft_label|number of annotat(?:ions|ors))"\s*:',
    )
]


def sniff(head: Head) -> bool:
    """Whether a file is a data set: by the keys of its first items."""
    start = head.text
    return FIRST.match(start) is not None and all(key.search(start) for key in KEYS)


def read(path: Path, roles: Roles, form: TextForm = PLAIN) -> Reading:
    """The annotations, or the answers to another question that is named.

    Raises
    ------
    FormatError
        The file can't be read or is no data set, or a named question or value is missing.
    """
    digest = hashlib.sha256()
    with unreadable(path):
        start_of(path, encoding_of(path, form.encoding)[0])
    whole = whole_json(path, digest, form)
    if not isinstance(whole, dict):
        raise FormatError(f"this is no {TITLE}, for it is no JSON object of items; read it with --platform none", path)
    given = [one for n, (item, record) in enumerate(whole.items(), 1) for one in _given(n, item, record)]
    export = Export(path, TITLE, given, digest, {"item": ITEM, "worker": ANNOTATORS}, default=ANNOTATIONS)
    others = [name for name in export.questions() if name != ANNOTATIONS]
    if others:
        export.also = [f"other questions, for --label, or all with --by question: {listed(others, 5)}"]
    return answered.read(export, roles)


def _given(n: int, item: str, record: Any) -> Iterator[Given]:
    """What each annotator said of an item."""
    if not isinstance(record, dict):
        yield Given(n, {}, {}, fault="not a JSON object")
        return
    names = [one for one in _listed(record.get(ANNOTATORS)) if isinstance(one, str)]
    more = record.get(MORE)
    own = {key: value for key, value in record.items() if key not in {ANNOTATIONS, ANNOTATORS, MORE, *MADE}}
    main = _by_name(record.get(ANNOTATIONS), names)
    if main is None:
        n_given = len(_listed(record.get(ANNOTATIONS)))
        twice = ", some of whom stand there twice" if len({*names}) < len(names) else ""
        yield Given(n, {}, {}, fault=f"{counted(n_given, 'annotation')} by {counted(len(names), 'annotator')}{twice}")
        return
    found: list[tuple[str, dict[str, Any]]] = [(name, {ANNOTATIONS: label}) for name, label in main]
    for key, value in more.items() if isinstance(more, dict) else ():
        found += [(name, {f"{MORE}.{key}": label}) for name, label in _by_name(value, names) or ()]
    for name, answers in found:
        yield Given(n, {**own, ITEM: item, ANNOTATORS: name}, answers)


def _by_name(value: Any, names: list[str]) -> list[tuple[str, Any]] | None:
    """Labels, each with who gave it; None where that is not told."""
    if isinstance(value, dict):
        if not value or not set(names).issuperset(value):
            return None
        return [(name, _listed(label) if isinstance(label, str) else label) for name, label in value.items()]
    labels = _listed(value)
    is_told = labels and len(labels) == len(names) == len({*names})
    return list(zip(names, labels, strict=True)) if is_told else None


def _listed(value: Any) -> list[Any]:
    """What stands between commas, or in a list."""
    if isinstance(value, list):
        return value
    return [one.strip() for one in value.split(",")] if isinstance(value, str) and value.strip() else []
