"""What a source gives, before its classes are known: masks with the name of their picture, in files or as shapes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from consensus.errors import Place
    from consensus.inputs.judgments import Source
    from consensus.masks.shapes import Shape

GROUND_LABEL = "background"
"""What pixels without a shape are called where no class says it."""


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


def table_of_labels(labels: dict[str, int | None]) -> tuple[Sequence[int], Sequence[str]]:
    """Values and labels of the classes of shapes: by their numbers, or, where one lacks, by name from 1 on; the
    background is 0 where no label has it.
    """  # noqa: D205
    numbered = {label: number for label, number in labels.items() if number is not None}
    if len(numbered) < len(labels) or len(set(numbered.values())) < len(labels):
        first = 0 if GROUND_LABEL in labels else 1
        rest = sorted(label for label in labels if label != GROUND_LABEL)
        numbered = {label: n for n, label in enumerate([GROUND_LABEL, *rest] if first == 0 else rest, first)}
    if 0 not in numbered.values() and GROUND_LABEL not in numbered:
        numbered[GROUND_LABEL] = 0
    ordered = sorted(numbered, key=lambda label: numbered[label])
    return [numbered[label] for label in ordered], ordered
