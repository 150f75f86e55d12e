"""Exports are read alike in whatever way their text is written: marks, line ends, delimiters, lines or a list."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import naive_platforms
from tests.naive_platforms import EXAMPLES, EXPECTED

Write = Callable[[str, str | bytes], Path]
TABLES = [name for name in EXPECTED if name.endswith((".csv", ".tsv"))]
LISTS = ["argilla.json"]  # that may be one object a line, too
LINES = ["doccano.jsonl"]
ENTIRE = [name for name in EXPECTED if name.endswith(".json") and name != "crowdflower-json.json"]


def text_of(name: str) -> str:
    return (EXAMPLES / name).read_text()


def rewritten(name: str, delimiter: str, quoting: int) -> str:
    own = "\t" if name.endswith(".tsv") else ","
    out = io.StringIO(newline="")
    rows = csv.reader(io.StringIO(text_of(name), newline=""), delimiter=own)
    csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator="\n").writerows(rows)  # type: ignore[arg-type]
    return out.getvalue()


def same(name: str, path: Path) -> None:
    assert naive_platforms.read(path) == EXPECTED[name]()


@pytest.mark.parametrize("name", EXPECTED)
def test_with_a_byte_order_mark_and_blank_lines(name: str, write: Write) -> None:
    text = text_of(name)
    same(name, write(Path(name).name, "\ufeff" + text + "\n\n"))
    same(name, write(Path(name).name, text.rstrip("\n")))


@pytest.mark.parametrize("name", [name for name in EXPECTED if name != "crowdflower.csv"])  # which has ends in a cell
def test_with_the_line_ends_of_windows(name: str, write: Write) -> None:
    same(name, write(Path(name).name, text_of(name).replace("\n", "\r\n")))


@pytest.mark.parametrize("name", [name for name in TABLES if name != "get-another-label.tsv"])  # tabs make it one
@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_with_other_delimiters(name: str, delimiter: str, write: Write) -> None:
    same(name, write(Path(name).stem + ".txt", rewritten(name, delimiter, csv.QUOTE_MINIMAL)))


@pytest.mark.parametrize("name", ENTIRE)
@pytest.mark.parametrize("indent", [None, 2])
def test_indented_or_not(name: str, indent: int | None, write: Write) -> None:
    same(name, write(name, json.dumps(json.loads(text_of(name)), indent=indent, ensure_ascii=indent is None)))


@pytest.mark.parametrize("name", [*LISTS, *LINES])
def test_as_lines_or_a_list(name: str, write: Write) -> None:
    if name in LINES:
        other = json.dumps([json.loads(line) for line in text_of(name).splitlines()])
    else:
        other = "".join(json.dumps(one) + "\n" for one in json.loads(text_of(name)))
    same(name, write(name, other))
