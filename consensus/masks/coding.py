"""Values, or colours, of pixels to codes of classes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.errors import FormatError
from consensus.masks.mask_set import NOT_JUDGED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from consensus.errors import Place
    from consensus.masks.classes import Classes, Colours
    from consensus.masks.mask_set import LabelMap

UNKNOWN = -2  # the code of what is no class
TABLE = 1 << 16  # values that are looked up in a table


@dataclass(slots=True)
class Palettes:
    """Colours of the indexes of palettes, over all masks; several files may call one index by several colours."""

    colours: list[tuple[int, int, int]] = field(default_factory=list)
    """By index, where it stands first."""
    files: list[str] = field(default_factory=list)
    unlike: dict[int, str] = field(default_factory=dict)
    """By index, in words, the first two colours that differ."""

    def add(self, palette: Colours, file: str) -> None:
        """Compare the palette of a ``file`` with those before."""
        given: list[Any] = [tuple(one) for one in palette.tolist()]
        for index, (one, other) in enumerate(zip(given, self.colours, strict=False)):
            if one != other:
                self.unlike.setdefault(index, f"{_hex(other)} in {self.files[index]} and {_hex(one)} in {file}")
        n_known = len(self.colours)
        self.colours += given[n_known:]
        self.files += [file] * len(given[n_known:])

    def of(self, values: Sequence[int]) -> Colours | None:
        """(n, 3) the colours of these indexes; None where one has no colour, or several."""
        if any(one >= len(self.colours) or one in self.unlike for one in values):
            return None
        return np.array([self.colours[one] for one in values], np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Coder:
    """How pixels of files become codes; where numbers have a sign, -1 is what was not judged."""

    classes: Classes
    palettes: Palettes = field(default_factory=Palettes)
    void: int | None = None
    """The value of pixels that are not judged, in masks of numbers."""
    by_value: NDArray[np.int16] = field(init=False)
    """(TABLE,)"""

    def __post_init__(self) -> None:
        table = np.full(TABLE, UNKNOWN, np.int16)
        low = (self.classes.values >= 0) & (self.classes.values < TABLE)
        table[self.classes.values[low]] = np.flatnonzero(low)
        if self.void is not None and 0 <= self.void < TABLE:
            table[self.void] = NOT_JUDGED
        object.__setattr__(self, "by_value", table)

    @property
    def codes(self) -> Mapping[str, int]:
        """By label."""
        return {label: code for code, label in enumerate(self.classes.labels)}

    def coded(self, pixels: NDArray[Any], palette: Colours | None, what: str, place: Place) -> LabelMap:
        """(H, W) codes of ``pixels`` (H, W), with a ``palette`` or without, or (H, W, 3).

        Raises
        ------
        FormatError
            A value or colour is no class.
        """
        if pixels.ndim == 3:
            return self._of_colours(pixels, what, place)
        if palette is not None:
            return self._of_indexes(pixels, palette, what, place)
        if not self.classes.has_values:
            raise FormatError(
                f"{what} holds numbers, and the classes have colours only; give the value of each class, too", place
            )
        return self._of_values(pixels, what, place)

    def _of_values(self, pixels: NDArray[Any], what: str, place: Place) -> LabelMap:
        if pixels.dtype.kind == "u" and pixels.dtype.itemsize <= 2:
            codes = _looked_up(pixels, self.by_value)
        else:
            known = np.append(self.classes.values, [] if self.void is None else [self.void]).astype(np.int64)
            codes = _found(np.asarray(pixels, np.int64), known, self.void)
            codes[pixels == NOT_JUDGED] = NOT_JUDGED
        _refuse_unknown(
            codes, what, place, lambda y, x: f"the value {pixels[y, x]}", lambda y, x: pixels == pixels[y, x]
        )
        return codes

    def _of_indexes(self, pixels: NDArray[Any], palette: Colours, what: str, place: Place) -> LabelMap:
        """By the colours of the palette if each that occurs is that of a class; else by its indexes."""
        used = np.flatnonzero(np.bincount(pixels.ravel(), minlength=256))
        if self.classes.has_colours:
            codes = {_hex(one): code for code, one in enumerate(self.classes.colours.tolist())}
            table = np.full(256, UNKNOWN, np.int16)
            for index in used.tolist():
                colour = _hex(palette[index].tolist()) if index < len(palette) else ""
                table[index] = codes.get(colour, NOT_JUDGED if index == self.void else UNKNOWN)
            if (table[used] != UNKNOWN).all():
                return _looked_up(pixels, table)
            if not self.classes.has_values:
                _refuse_unknown(
                    table[pixels],
                    what,
                    place,
                    lambda y, x: f"the colour {_of(palette, int(pixels[y, x]))}",
                    lambda y, x: pixels == pixels[y, x],
                )
        for index in used.tolist():
            if index in self.palettes.unlike and index != self.void:
                raise FormatError(
                    f"{what}: the palettes of the masks differ, so index {index} means nothing: it is "
                    f"{self.palettes.unlike[index]}; give classes with the colour of each (#rrggbb)",
                    place,
                )
        return self._of_values(pixels, what, place)

    def _of_colours(self, pixels: NDArray[Any], what: str, place: Place) -> LabelMap:
        if not self.classes.has_colours:
            raise FormatError(
                f"{what} holds colours, and the classes have none; give classes with the colour of each (#rrggbb)",
                place,
            )
        joined = _joined(pixels)
        codes = _found(joined, _joined(self.classes.colours), None)
        _refuse_unknown(
            codes,
            what,
            place,
            lambda y, x: f"the colour {_hex(pixels[y, x].tolist())}",
            lambda y, x: joined == joined[y, x],
        )
        return codes


def _looked_up(pixels: NDArray[Any], table: NDArray[np.int16]) -> LabelMap:
    """``table[pixels]``; of bytes without a number of 8 bytes for each, where codes are bytes, too."""
    if pixels.dtype == np.uint8 and table[:256].max() <= np.iinfo(np.int8).max:
        codes = pixels.tobytes().translate(table[:256].astype(np.int8).tobytes())
        return np.frombuffer(codes, np.int8).reshape(pixels.shape).astype(np.int16)
    found: LabelMap = table[pixels]
    return found


def _joined(colours: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Red, green and blue as one number."""
    red, green, blue = (colours[..., n].astype(np.int64) for n in range(3))
    return red << 16 | green << 8 | blue


def _found(pixels: NDArray[np.int64], known: NDArray[np.int64], void: int | None) -> LabelMap:
    """Positions of pixels among the ``known`` values, the last of which is ``void`` if there is one."""
    order = np.argsort(known, kind="stable")
    at = order[np.searchsorted(known, pixels, sorter=order).clip(max=len(known) - 1)]
    codes = np.where(known[at] == pixels, at, UNKNOWN).astype(np.int16)
    if void is not None:
        codes[pixels == void] = NOT_JUDGED
    return codes


def _refuse_unknown(
    codes: LabelMap,
    what: str,
    place: Place,
    named: Callable[[int, int], str],
    alike: Callable[[int, int], NDArray[np.bool_]],
) -> None:
    """Refuse a pixel that is no class: what it holds, in how many pixels, and the first of them."""
    if codes.min() > UNKNOWN:
        return
    y, x = np.unravel_index(int(np.argmax(codes == UNKNOWN)), codes.shape)
    n = int(alike(int(y), int(x)).sum())
    shown = named(int(y), int(x))
    hint = ", or name it with --void if it means not judged" if shown.endswith(" 255") else ""
    raise FormatError(
        f"{what} holds {shown}, which is no class, in {n:,} of {codes.size:,} pixels, first at x = {x}, y = {y}; add "
        f"it to the classes{hint}",
        place,
    )


def _hex(colour: Any) -> str:
    return "#" + bytes(colour).hex()


def _of(palette: Colours, index: int) -> str:
    return _hex(palette[index].tolist()) if index < len(palette) else f"of index {index}, which the palette lacks"
