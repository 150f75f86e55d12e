"""The class table: which values, or colours, of masks mean which label."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.backends import Threads
from consensus.errors import FormatError
from consensus.formats import given
from consensus.formats.opening import readings
from consensus.formats.tables.coded_rows import Rows
from consensus.formats.tables.roles import Roles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Colours = NDArray[np.uint8]

NAMES: Mapping[str, tuple[str, ...]] = {
    "value": ("value", "values", "index", "id", "pixel", "pixel_value", "class_id", "category_id", "code", "number"),
    "colour": ("colour", "color", "rgb", "hex", "hex_color", "hex_colour"),
    "label": ("label", "name", "class", "class_name", "category", "title"),
}
"""Names of the column of each role."""
GROUND = ("background", "_background_", "bg", "nothing")
"""Labels of pixels without any object, whatever their case."""
MOST = np.iinfo(np.int16).max  # classes; codes are int16
MOST_VALUE = 2**31 - 1
COLOUR = re.compile(r"#?([0-9a-fA-F]{6})")


def _keys(mapping: Mapping[Any, Any]) -> dict[str, list[Any]]:
    """``{0: "background", "#ff0000": "cat"}`` as columns."""
    return {"value": list(mapping), "label": list(mapping.values())}


CLASSES = given.Argument("classes", 'labels by value such as {0: "background", 1: "cat"}', _keys, ("label", "name"))


@dataclass(frozen=True, slots=True, eq=False)
class Classes:
    """K classes; the code of a class is its position."""

    values: NDArray[np.int64]
    """(K,) what the class is in masks of numbers."""
    labels: tuple[str, ...]
    colours: Colours
    """(K, 3) red, green, blue: as given, or made to be looked at."""
    has_values: bool = True
    """Masks of numbers can be read; else ``values`` are positions."""
    has_colours: bool = False
    """Masks of colours can be read; else ``colours`` were made."""

    @classmethod
    def of_values(cls, values: Sequence[int], labels: Sequence[str], colours: Colours | None = None) -> Classes:
        """Classes of masks of numbers; ``colours`` are only looked at."""
        shown = made_colours(len(labels)) if colours is None else colours
        return cls(np.array(values, np.int64), tuple(labels), shown)

    @property
    def ground(self) -> int:
        """The code of pixels that hold no object: the class called background, else that of value 0; -1 without."""
        called = next((code for code, label in enumerate(self.labels) if label.casefold() in GROUND), -1)
        if called < 0 and self.has_values and 0 in self.values:
            return int(np.argmin(self.values))
        return called


def read_classes(source: Any) -> Classes:
    """Read a table of classes: a label, and the value, the colour (``#rrggbb``), or both, a row.

    ``source`` is what ``read`` takes, or labels by value or colour. A column of values may hold colours. The order of
    the rows is the order of the classes.

    Raises
    ------
    FormatError
        A source can't be read, a column can't be found, a value is no whole number or a colour none, a class stands
        there twice, or there is no row.
    """
    if isinstance(source, Classes):
        return source
    rows = Rows(tuple(NAMES), ("label",), Threads(), None)
    files = []
    with closing(readings(given.table(source, CLASSES), Roles(dict.fromkeys(NAMES), True, NAMES))) as found:
        for reading in found:
            rows.add(reading)
            files.append(reading.file)
    for first in rows.rejects[:1]:
        raise FormatError(
            f"{first.reason}: {first.row[:60]}; correct the classes", first.file, first.line, code="bad_row"
        )
    if not 0 < rows.n_rows <= MOST:
        raise FormatError(f"{rows.n_rows:,} classes; expected 1 to {MOST:,}, a row each", files[0])
    columns = [[texts[c].as_py() if c >= 0 else None for c in codes.tolist()] for codes, texts in rows.ranked()]
    values, colours, labels = columns
    places = [rows.place(row) for row in range(len(labels))]
    for row, text in enumerate(values):
        if text is not None and text.strip().startswith("#") and colours[row] is None:
            values[row], colours[row] = None, text
    for what, given_texts in (("value", values), ("colour", colours)):
        missing = [place for text, place in zip(given_texts, places, strict=True) if text is None]
        if missing and len(missing) < len(labels):
            raise FormatError(f"the {what} is missing, and other classes have one; give all, or none", missing[0])
    if values[0] is None and colours[0] is None:
        raise FormatError("a class needs a value or a colour (#rrggbb) beside its label", files[0])
    numbers = [_value(one, place) for one, place in zip(values, places, strict=True) if one is not None]
    shown = [_colour(one, place) for one, place in zip(colours, places, strict=True) if one is not None]
    for what, known in (("label", labels), ("value", numbers), ("colour", [_hex(one) for one in shown])):
        _refuse_twice(what, known, places)
    return Classes(
        np.array(numbers or range(len(labels)), np.int64),
        tuple(map(str, labels)),
        np.array(shown, np.uint8) if shown else made_colours(len(labels)),
        bool(numbers),
        bool(shown),
    )


def _value(text: str, place: str) -> int:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not (0 <= value <= MOST_VALUE and value == int(value)):
        raise FormatError(
            f'the value is "{text:.40}"; expected a whole number from 0 to {MOST_VALUE:,}, or a colour such as #ff0000',
            place,
            code="bad_row",
        )
    return int(value)


def _colour(text: str, place: str) -> tuple[int, int, int]:
    found = COLOUR.fullmatch(text.strip())
    if found is None:
        raise FormatError(f'the colour is "{text:.40}"; expected six digits such as #ff0000', place, code="bad_row")
    red, green, blue = bytes.fromhex(found[1])
    return red, green, blue


def _hex(colour: Sequence[int]) -> str:
    return "#" + bytes(colour).hex()


def _refuse_twice(what: str, known: Sequence[Any], places: Sequence[str]) -> None:
    seen: dict[Any, str] = {}
    for one, place in zip(known, places, strict=False):
        if one in seen:
            raise FormatError(f'the {what} "{one}" stands here and in {seen[one]}; keep one row', place)
        seen[one] = place


def made_colours(n: int) -> Colours:
    """(n, 3) colours that differ, black first: the bits of a code, spread over red, green and blue from the highest."""
    codes = np.arange(n)
    found = np.zeros((n, 3), np.uint8)
    for bit in range(8):
        for channel in range(3):
            found[:, channel] |= ((codes >> (3 * bit + channel) & 1) << (7 - bit)).astype(np.uint8)
    return found
