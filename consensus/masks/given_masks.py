"""What a source gives, before its classes are known: masks with the name of their picture, in files or as shapes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from consensus.formats.platforms import people
from consensus.inputs import pseudonyms
from consensus.masks.classes import GROUND

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from consensus.errors import Place
    from consensus.inputs.judgments import Source
    from consensus.masks.shapes import Shape

GROUND_LABEL = "background"
"""What pixels without a shape are called where no class says it."""
PICTURES = ("image", "image_path", "image_id", "image_name", "file_name", "filename", "picture", "photo", "item")
"""Names of the column, or field, of the picture."""


@dataclass(frozen=True, slots=True)
class InFile:
    """A mask in a file of its own, and the region that was judged (see ``MaskFile``)."""

    path: Path
    region: tuple[int, int, int, int] | Path | None = None


@dataclass(slots=True)
class AsShapes:
    """A mask as shapes, in the order in which they lie on each other, each with its label."""

    shapes: list[Shape] = field(default_factory=list)


@dataclass(slots=True)
class GivenMask:
    """One mask."""

    image: str
    """Name of the picture."""
    worker: str
    place: Place
    content: InFile | AsShapes
    folder: Path
    """Where the picture is looked for."""
    size: tuple[int, int] | None = None
    """Height and width of the picture, where the source tells them."""
    timestamp: str | None = None
    duration: float | None = None
    starred: bool = False
    """It is marked as right, which counts where the source is gold."""


@dataclass(slots=True)
class GivenMasks:
    """All that a source gives."""

    masks: list[GivenMask] = field(default_factory=list)
    labels: dict[str, int | None] = field(default_factory=dict)
    """Labels of shapes, each with its number where the source has one."""
    notes: list[str] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)

    def add(self, other: GivenMasks) -> None:
        """Add what another file gives."""
        self.masks += other.masks
        self.labels |= {label: one for label, one in other.labels.items() if self.labels.get(label) is None}
        self.notes += other.notes
        self.sources += other.sources

    def called(self, worker: str) -> None:
        """Give all masks to one ``worker``."""
        for one in self.masks:
            one.worker = worker

    def disguise(self, key: bytes) -> None:
        """Give people pseudonyms.

        Raises
        ------
        JudgmentError
            Two have the same one.
        """
        names = sorted({one.worker for one in self.masks})
        found = dict(zip(names, pseudonyms.pseudonyms(key, names), strict=True))
        for one in self.masks:
            one.worker = found[one.worker]


def table_of_labels(labels: Mapping[str, int | None]) -> tuple[Sequence[int], Sequence[str]]:
    """Values and labels of the classes of shapes, the background first.

    The values are the numbers of the labels; where one has none, or two have the same, 1, 2, ... in the order of their
    names. The background is 0, or, where a label has that number, the first above all.
    """
    rest = {label: number for label, number in labels.items() if label.casefold() not in GROUND}
    ground = next((label for label in labels if label not in rest), GROUND_LABEL)
    numbered = {label: number for label, number in rest.items() if number is not None}
    if len(numbered) < len(rest) or len(set(numbered.values())) < len(rest):
        numbered = {label: n for n, label in enumerate(sorted(rest), 1)}
    ordered = sorted(numbered, key=lambda label: numbered[label])
    own = labels.get(ground)
    if own is None or own in numbered.values():
        own = 0 if 0 not in numbered.values() else max(numbered.values()) + 1
    return [own, *(numbered[label] for label in ordered)], [ground, *ordered]


def person(given: Any, keys: Sequence[str]) -> str | None:
    """Who is named by the first of ``keys`` that an object has: a name, a number, or an object with its ``id``.

    Of an e-mail, it is "annotator" and a digest.
    """
    for key in keys if isinstance(given, dict) else ():
        one = given.get(key)
        if isinstance(one, dict):
            one = next((one[name] for name in ("id", "email", "username") if one.get(name) is not None), None)
        if isinstance(one, (str, int)) and not isinstance(one, bool) and str(one).strip():
            return people.called(str(one))
    return None


def entry_id(given: Any, n: int) -> str:
    """What the entry at position ``n`` of a list is called: by its id, if it has one."""
    found = given.get("id") if isinstance(given, dict) else None
    return f"{found}" if isinstance(found, (int, str)) else f"at position {n}"
