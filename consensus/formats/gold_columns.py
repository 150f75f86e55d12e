"""Where gold stands in a table: in columns that are named, in one of gold beside judgments, or in two without names."""

from __future__ import annotations

import csv
import hashlib
import io
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.errors import FormatError
from consensus.formats.tables import encodings
from consensus.formats.tables.blocks import Block, Reading
from consensus.formats.tables.dialects import dialect_of
from consensus.formats.tables.roles import GOLD_NAMES, Roles, candidates_of, listed
from consensus.formats.tables.streams import Tap, displayed, lines_of
from consensus.inputs.understood import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consensus.formats.tables.text_form import TextForm
    from consensus.inputs.judgments import Judgments

OF_GOLD = ("truth", "true_label", "gold", "gold_label", "gold_answer", "label_gold", "ground_truth")
HEADERLESS = (".csv", ".tsv", ".tab", ".txt")
OPTIONS = {"item": "--gold-item", "label": "--gold-label"}
"""The option that names the column of a role in gold."""


@dataclass(frozen=True, slots=True)
class GoldRoles(Roles):
    """The columns to look for: item and label; one that is called gold goes before others."""

    lenient: bool = True
    names: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: GOLD_NAMES)
    strictly: Mapping[str, str | None] = field(default_factory=dict)
    """Columns of some roles that the user named for gold: each file must have them."""
    among_judgments: bool = False
    """It is the file of the judgments: their labels are no gold."""
    judgments: Judgments | None = None
    """Those that it is gold of, if they are known."""
    notes: list[str] = field(default_factory=list)
    """What was understood, in words."""
    question: str | None = None
    """The question that is run, where there are several: a column that is called so holds its gold."""

    def positions(self, header: Sequence[str], place: str) -> dict[str, int]:
        """Position in ``header`` of the columns of item and label.

        Raises
        ------
        FormatError
            A column is missing, several could be meant, or only the label of the judgments could.
        """
        for role, name in self.strictly.items():
            if name is not None and name not in header:
                raise FormatError(
                    f'no column "{name}" for the {role} of gold; the columns are: {listed(header)}; correct '
                    f"{OPTIONS[role]}",
                    place,
                    code="column_not_found",
                )
        item = self.strictly.get("item") or self.named.get("item")
        label, judged = self.strictly.get("label"), self._judged(header)
        called = _called_gold(header, self.among_judgments, judged)
        if label is None and self.question in header and not self.among_judgments:
            label = self.question
        if label is None and len(called) == 1:
            (label,) = called
            others = [header[n] for n in candidates_of(header, GOLD_NAMES["label"]) if header[n] != label]
            if self.among_judgments or others:
                self.notes.append(f"{place}: gold is read from column {quoted(label)}; --gold-label chooses another")
        if self.among_judgments and label in {None, judged}:
            raise FormatError(
                f"this is the file of the judgments, and their labels can't be gold, for everybody would be "
                "right; name the column of gold with --gold-label, or a worker whose judgments are gold with "
                f"--gold-worker (the columns are: {listed(header)})",
                place,
            )
        label = label or self.named.get("label")
        options = None if self.judgments is None else OPTIONS  # a command that takes no judgments has none of them
        return Roles({"item": item, "label": label}, True, self.names, options).positions(header, place)

    def _judged(self, header: Sequence[str]) -> str | None:
        """The column of the labels of the judgments, if there is one of this name."""
        understood = () if self.judgments is None else self.judgments.understood
        return next((one.name for one in understood if one.role == "label" and one.name in header), None)


def _called_gold(header: Sequence[str], among_judgments: bool, judged: str | None) -> list[str]:
    """The column X_gold beside the X that was ``judged``, or those beside any other column, which are none of the
    judgments' own question; where there are none, those that are called gold, ``among_judgments``.
    """  # noqa: D205
    found = [header[n] for n in candidates_of(header, OF_GOLD)]
    beside = [f"{name}_gold" for name in header if f"{name}_gold" in header]
    if f"{judged}_gold" in beside:
        return [f"{judged}_gold"]
    if among_judgments:
        return found if judged is None else [name for name in found if name not in beside]
    return beside


def is_file_of(source: Any, judgments: Judgments | None) -> bool:
    """Whether a ``source`` of gold is a file that the judgments were read from, or a copy of it."""
    if judgments is None or not isinstance(source, (str, Path)) or not Path(source).is_file():
        return False
    path, digest = Path(source), ""
    for one in judgments.sources:
        given = Path(one.file)
        if given.is_file() and given.stat().st_size == path.stat().st_size:
            digest = digest or hashlib.sha256(path.read_bytes()).hexdigest()
            if digest == one.sha256:
                return True
    return False


def without_names(path: Path, header: Sequence[str], roles: GoldRoles, form: TextForm) -> Reading | None:
    """A file of two columns whose first row is no header, but an item and its label; None for any other.

    Raises
    ------
    FormatError
        A row has another number of fields, or the file is not UTF-8.
    """
    named = {*roles.named.values(), *roles.strictly.values()}
    if len(header) != 2 or not named.isdisjoint(header):
        return None
    if any(candidates_of(header, roles.names[role]) for role in ("item", "label")):
        return None
    dialect, digest = dialect_of(path, form), hashlib.sha256()
    with Tap(path, digest, dialect.encoding) as tap:
        raw = tap.read()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise encodings.misread(path, lines_of(path), form.takes_encoding) from None
    delimiter = dialect.delimiter
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows = [(reader.line_num, row) for row in reader if row and reader.line_num >= dialect.header.line]
    for line, row in rows:
        if len(row) != 2:
            raise FormatError(f"{len(row)} fields instead of 2; give gold as item and label", path, line)
    if roles.judgments is not None and _begins_with_names([row for _, row in rows], roles.judgments):
        raise FormatError(
            f"neither the item nor the label of gold has a column of its name; the columns are: "
            f"{listed(header)}; name them with {shlex.join(['--gold-item', header[0], '--gold-label', header[1]])}, or "
            "the other way round",
            path,
        )
    roles.notes.append(
        f"{path}: gold has no header, so its two columns are read as item and label, such as {quoted(header[0])} and "
        f"{quoted(header[1])}; if that is wrong, give it a header, such as item,label"
    )
    import pyarrow as pa

    columns = {
        role: pa.chunked_array([pa.array([row[n] or None for _, row in rows], pa.string())])
        for n, role in enumerate(("item", "label"))
    }
    lines = np.array([line for line, _ in rows], np.int64)
    block = Block(columns, lines, lambda chosen: [delimiter.join(rows[n][1]) for n in chosen], [], 1.0)
    return Reading(displayed(path), (one for one in [block]), digest, form_notes=lambda: dialect.notes)


def _begins_with_names(rows: Sequence[Sequence[str]], judgments: Judgments) -> bool:
    """Whether the first row is none of the judgments' items and labels, but the second is."""
    import pyarrow.compute as pc

    def known(row: Sequence[str]) -> list[bool]:
        return [pc.index(judgments.item_ids, row[0]).as_py() >= 0, row[1] in judgments.labels]

    return len(rows) > 1 and not any(known(rows[0])) and all(known(rows[1]))
