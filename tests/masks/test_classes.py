"""Tables of classes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from consensus.errors import FormatError
from consensus.masks.classes import Classes, made_colours, read_classes

Write = Callable[[str, str | bytes], Path]


@pytest.mark.parametrize(
    ("text", "values", "colours"),
    [
        ("value,label\n0,nothing\n5,cat\n", [0, 5], None),
        ("ID;Name\n5;nothing\n0;cat\n", [5, 0], None),
        ("label,Color\nnothing,#102030\ncat,ff00Aa\n", [0, 1], [[16, 32, 48], [255, 0, 170]]),
        ("value,label\n#102030,nothing\n#ff00aa,cat\n", [0, 1], [[16, 32, 48], [255, 0, 170]]),
        ("value,colour,label\n7,#102030,nothing\n3.0,#ff00aa,cat\n", [7, 3], [[16, 32, 48], [255, 0, 170]]),
    ],
)
def test_a_table(text: str, values: list[int], colours: list[list[int]] | None, write: Write) -> None:
    found = read_classes(write("classes.csv", text))
    assert found.labels == ("nothing", "cat")
    assert found.values.tolist() == values
    assert found.has_colours == (colours is not None)
    assert found.has_values == ("value" in text or "ID" in text) - ("#102030,nothing\n#" in text)
    assert found.colours.tolist() == (colours or [[0, 0, 0], [128, 0, 0]])
    assert found.ground == 0
    assert read_classes(found) is found


def test_labels_by_value_or_colour() -> None:
    assert read_classes({0: "sky", 9: "cat"}).values.tolist() == [0, 9]
    found = read_classes({"#000000": "sky", "#00ff00": "cat"})
    assert (found.colours.tolist(), found.has_values, found.ground) == ([[0, 0, 0], [0, 255, 0]], False, -1)


def test_the_background() -> None:
    assert read_classes({1: "cat", 0: "sky"}).ground == 1
    assert read_classes({0: "cat", 7: "BACKGROUND"}).ground == 1
    assert read_classes({1: "cat", 2: "dog"}).ground == -1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("label\ncat\n", r"classes.csv: a class needs a value or a colour \(#rrggbb\) beside its label"),
        ("value,label\n", r"classes.csv: 0 classes; expected 1 to 32,767, a row each"),
        ("value,label\n0,\n", r"classes.csv:2: the label is missing: 0,; correct the classes"),
        ("value,label\n0,a\n-1,b\n", 'classes.csv:3: the value is "-1"; expected a whole number from 0 to'),
        ("value,label\n0.5,a\n", 'the value is "0.5"; expected a whole number'),
        ("value,label\nx,a\n", 'the value is "x"; expected a whole number'),
        ("value,label\nnan,a\n", 'the value is "nan"; expected a whole number'),
        ("colour,label\n#12345,a\n", 'the colour is "#12345"; expected six digits such as #ff0000'),
        ("value,label\n0,a\n0,b\n", 'classes.csv:3: the value "0" stands here and in .*classes.csv:2; keep one row'),
        ("value,label\n0,a\n1,a\n", 'the label "a" stands here'),
        ("colour,label\n#0000ff,a\n#0000FF,b\n", 'the colour "#0000ff" stands here'),
        ("value,label\n0,a\n#ff0000,b\n", "the value is missing, and other classes have one; give all, or none"),
        ("value,colour,label\n0,#000000,a\n1,,b\n", "classes.csv:3: the colour is missing, and other classes have one"),
        ("value,weight\n0,a\n", "no column holds the label"),
    ],
)
def test_what_is_no_table(text: str, message: str, write: Write) -> None:
    with pytest.raises(FormatError, match=message):
        read_classes(write("classes.csv", text))


def test_made_colours_differ() -> None:
    colours = made_colours(256)
    assert len(np.unique(colours, axis=0)) == 256
    assert colours[0].tolist() == [0, 0, 0]
    assert made_colours(1000).shape == (1000, 3)
    assert Classes.of_values([4], ["cat"]).colours.tolist() == [[0, 0, 0]]
