"""What was read: pictures, and the masks of each, which are decoded when they are asked for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, Self

from consensus.errors import FormatError, Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from consensus.inputs.judgments import Source
    from consensus.masks.classes import Classes

    Kind = Literal["human", "model", "gold"]
    LabelMap = NDArray[np.int16]
    Probabilities = NDArray[np.float32]

NOT_JUDGED = -1
"""The code of a pixel that nobody judged."""
MOST_PIXELS = 89_478_485
"""Of a picture; the limit of Pillow for what may be a decompression bomb."""


class Entry(Place):
    """``file: entry``, such as an annotation in a file of JSON, and the two apart; it has no line."""

    __slots__ = ("entry",)
    entry: str

    @classmethod
    def named(cls, file: str | Path, entry: str) -> Self:
        """The ``entry`` of a ``file``."""
        place = cls(f"{file}: {entry}")
        place.file, place.line, place.entry = str(file), None, entry
        return place


class Painted(Protocol):
    """Where a mask is, and how it becomes a label map."""

    def read(self, height: int, width: int, place: Place, told: Counter[str]) -> LabelMap:
        """(H, W) codes of classes; what is to be known of it is counted in ``told``."""


class Told(Protocol):
    """Where probabilities of a model are."""

    def read(self, height: int, width: int, place: Place) -> Probabilities:
        """(H, W, K)."""


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """What one worker, or model, painted on one picture."""

    worker: str
    kind: Kind
    place: Place
    """The row of the manifest, or the entry of the export."""
    painted: Painted
    timestamp: str | None = None
    """As it is written."""
    duration: float | None = None
    """Seconds."""
    told: Counter[str] = field(default_factory=Counter)
    """What the last reading met, such as ``OVERLAP``, in pixels."""

    def read(self, height: int, width: int) -> LabelMap:
        """(H, W) int16 codes of classes in a picture of this size, in pixels; -1 where the worker judged nothing.

        Raises
        ------
        FormatError
            The file can't be read, its size is another one, or a value is no class.
        """
        self.told.clear()
        return self.painted.read(height, width, self.place, self.told)


@dataclass(frozen=True, slots=True, eq=False)
class ProbabilityMap:
    """What one model says of each pixel of one picture."""

    worker: str
    """The model."""
    place: Place
    given: Told

    def read(self, height: int, width: int) -> Probabilities:
        """(H, W, K) float32 probabilities; each pixel's sum to 1.

        Raises
        ------
        FormatError
            The file can't be read, its shape is another one, or a pixel's numbers are no probabilities.
        """
        return self.given.read(height, width, self.place)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture and its masks."""

    name: str
    height: int
    width: int
    path: Path | None
    """The picture itself, where it was found."""
    masks: tuple[Mask, ...]
    """Of people and of models; at most one of each on a picture."""
    gold: Mask | None = None
    probability_maps: tuple[ProbabilityMap, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class MaskSet:
    """All pictures, in the order of their names."""

    pictures: tuple[Picture, ...]
    classes: Classes
    workers: tuple[str, ...]
    """People who painted, in the order of their names."""
    models: tuple[str, ...] = ()
    """Models, in the order of their names."""
    notes: tuple[str, ...] = ()
    """What was understood, in words."""
    cautions: tuple[str, ...] = ()
    """What to know before trusting it, in words."""
    sources: tuple[Source, ...] = ()
    """The files that were read, with the SHA-256 of each; not the masks that they name."""
    key: bytes | None = field(default=None, repr=False)
    """By which people have pseudonyms; None where they have none."""

    def files(self) -> Iterator[Path]:
        """The files of pictures, masks and probabilities."""
        for one in self.pictures:
            if one.path is not None:
                yield one.path
            for mask in _every(one):
                yield from getattr(mask.painted, "files", ())  # shapes have none
            for told in one.probability_maps:
                yield from getattr(told.given, "files", ())

    def met(self) -> Counter[str]:
        """What was met in the masks that were read, in pixels (or regions) by what it is."""
        return sum((mask.told for one in self.pictures for mask in _every(one)), Counter())


def _every(picture: Picture) -> tuple[Mask, ...]:
    return picture.masks if picture.gold is None else (*picture.masks, picture.gold)


def refuse_size(
    found: tuple[int, int], height: int, width: int, what: str, place: Place, *, rotated: bool = False
) -> None:
    """Refuse a mask whose ``found`` height and width are not those of the picture; its EXIF may say it is ``rotated``.

    Raises
    ------
    FormatError
        They are not.
    """
    if found != (height, width):
        turned = "; its sides are those of the picture swapped" if found == (width, height) else ""
        if turned and rotated:
            turned += ", which its EXIF rotates: store the picture upright"
        raise FormatError(
            f"{what} is {found[1]:,} x {found[0]:,} pixels, and the picture {width:,} x {height:,}; a mask needs the "
            f"size of its picture{turned}",
            place,
        )


def refuse_bomb(height: int, width: int, what: str, place: Place) -> None:
    """Refuse what is larger than any picture may be.

    Raises
    ------
    FormatError
        It is, or has no pixel.
    """
    if height < 1 or width < 1:
        raise FormatError(f"{what} is {width:,} x {height:,} pixels; expected one pixel or more", place)
    if height * width > MOST_PIXELS:
        raise FormatError(
            f"{what} is {width:,} x {height:,} pixels, more than {MOST_PIXELS:,}; cut it, and its picture, into tiles",
            place,
        )
