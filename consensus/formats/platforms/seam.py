"""What a platform is to the reader of files: it knows its exports by their head, and reads them."""

from __future__ import annotations

import csv
import io
import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from consensus.formats.tables import encodings
from consensus.formats.tables.dialects import delimiter_in
from consensus.formats.tables.streams import Tap

if TYPE_CHECKING:
    from pathlib import Path

    from consensus.formats.tables.blocks import Reading
    from consensus.formats.tables.roles import Roles
    from consensus.formats.tables.text_form import TextForm

START = 1 << 16  # bytes of a file that tell whose it is; fewer than the csv module takes for one cell
ITEM = "consensus_item"
"""The column, or field, of a file that went out again (``consensus requeue``) which tells the item: by it answers come
back to the item they are of, under whatever id the platform gave the task.
"""
OURS = "consensus"
"""The model whose suggestion a label is that went out, alone or as ``consensus@`` and what tells the run. It comes back
with the answers, and is no vote: ``is_ours``."""
ROWS = 20  # rows below the header that do


class Platform(Protocol):
    """A module of this package."""

    NAME: str
    """What users call it, such as "crowdflower"."""
    TITLE: str
    """What its export is called in messages."""

    def sniff(self, head: Head, /) -> bool:
        """Whether a file, or folder, is an export of this platform. Looks at nothing but its head, and never fails."""
        ...

    def read(self, path: Path, roles: Roles, form: TextForm, /) -> Reading:
        """The judgments of an export; ``roles`` says what the user named, and may not ask for workers.

        Where they do not ask for a label, no question is preferred: of several, the error tells all.

        Gold that stands beside the judgments comes along as ``Reading.gold``, predictions of models as
        ``Reading.votes``, names that stand for many people as ``Reading.anonymous``, and what was understood as
        ``Reading.note``. One row or object may hold judgments of several items: each is a row of a block, and has the
        line. What tells where a worker is (addresses, cities) is not read, and stands in no reject and no message.

        Raises
        ------
        SeveralQuestionsError
            It asks several questions, and ``roles`` name none.
        FormatError
            The export can't be read, or does not tell which of several columns is meant.
        """
        ...


@dataclass(frozen=True, eq=False)
class Head:
    """The beginning of a file."""

    path: Path
    """For what the content does not tell: the other files of a folder, say."""
    start: bytes
    """Its first bytes, decompressed; none of a folder, or of what can't be read."""

    @cached_property
    def text(self) -> bytes:
        """The first bytes of a text, without its byte order mark and blanks before what it says."""
        return encodings.text_in(self.start)

    @cached_property
    def table(self) -> list[list[str]]:
        """The first rows as delimited text, the header first; none where no line is whole."""
        whole = self.start if len(self.start) < START else self.start[: self.start.rfind(b"\n") + 1]
        text = whole.decode("utf-8-sig", "replace").lstrip("\r\n")
        lines = io.StringIO(text, newline="")
        delimiter = delimiter_in(text.partition("\n")[0])
        return list(itertools.islice(csv.reader(lines, delimiter=delimiter), 1 + ROWS))

    @property
    def columns(self) -> list[str]:
        """The header of delimited text."""
        return self.table[0] if self.table else []


def head_of(path: Path) -> Head:
    """The head of a file; an empty one where there is none: reading it says why."""
    if not path.is_file():
        return Head(path, b"")
    try:
        with Tap(path) as tap:
            return Head(path, tap.read(START))
    except OSError:
        return Head(path, b"")


def is_ours(model: str) -> bool:
    """Whether a model is what labels went out as."""
    return model.partition("@")[0] == OURS
