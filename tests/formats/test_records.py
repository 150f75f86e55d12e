"""Exports that are read record by record."""

import csv
import hashlib
from pathlib import Path

import pytest

from consensus.errors import FormatError
from consensus.formats.platforms import records
from consensus.formats.platforms.records import Judged, Row, Table


def table(tmp_path: Path, content: str | bytes) -> Table:
    path = tmp_path / "export.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return Table.of(path)


def test_rows_have_the_lines_on_which_they_begin(tmp_path: Path) -> None:
    found = table(tmp_path, '\ufeff"a","b"\r\n"1","x\ny"\r\n\r\n"2"\r\n"3","4",""\r\n"5","6","7"\r\n')
    assert found.names == ["a", "b"]
    assert list(found.rows()) == [
        Row(2, {"a": "1", "b": "x\ny"}),
        Row(5, {"a": "2", "b": ""}),
        Row(6, {"a": "3", "b": "4"}),
        Row(7, {}, "too many fields: 3 instead of 2"),
    ]
    assert found.digest.hexdigest() == hashlib.sha256(found.path.read_bytes()).hexdigest()


def test_of_columns_called_alike_the_first_is_read(tmp_path: Path) -> None:
    assert [row.cells for row in table(tmp_path, "a\ta\tb\n1\t2\t3\n").rows()] == [{"a": "1", "b": "3"}]


def test_bytes_that_are_no_text_are_said(tmp_path: Path) -> None:
    assert [row.fault for row in table(tmp_path, b"a,b\n\xe9,1\nx,2\n").rows()] == ["the row is not UTF-8", ""]


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_a_file_without_a_header_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(FormatError, match=r"export\.csv: the file is empty; expected a table with a header"):
        table(tmp_path, content)


def test_what_the_csv_module_refuses_is_said_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "LONGEST", 10)
    found = table(tmp_path, "a,b\n1," + "x" * 11 + "\n")
    with pytest.raises(FormatError, match=r"export\.csv:2: can't be read as a table: field larger than"):
        list(found.rows())


def test_long_cells_are_no_matter_for_other_readers(tmp_path: Path) -> None:
    limit = csv.field_size_limit()
    rows = table(tmp_path, "a,b\n1," + "x" * (limit + 1) + "\n2,3\n").rows()
    assert len(next(rows).cells["b"]) == limit + 1
    assert csv.field_size_limit() == limit


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"a": 1', "not JSON: expecting ',' delimiter"),
        (b"[" * 100_000, "not JSON: nested too deeply"),
        (b'"\xff"', "not UTF-8"),
    ],
)
def test_files_that_are_no_json_are_refused(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "export.json"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=rf"export\.json: {why}.*; export it again"):
        records.whole_json(path, hashlib.sha256())


def test_numbers_of_json_stay_as_they_are_written() -> None:
    assert records.parsed_json('[1, 1.0, 1e3, NaN, "x", null, true]') == ["1", "1.0", "1e3", "NaN", "x", None, True]


def test_judgments_become_blocks_and_those_that_cannot_be_used_rejects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "ROWS", 2)
    judged = [
        Judged(2, {"item": "i1", "label": "a"}),
        Judged(3, {"item": "i2", "label": None}),
        Judged(4, {"item": "i3", "label": "\ud800"}),
        Judged(5, {"item": "i4", "label": "b,c"}, "the assignment was rejected"),
    ]
    found = records.reading(
        tmp_path / "x.json", judged, ("item", "label"), digest=hashlib.sha256(), platform="an export"
    )
    first, second = found.blocks
    assert first.columns["label"].to_pylist() == ["a", None]
    assert first.describe([1, 0]) == ["i2,", "i1,a"]
    assert isinstance(first.lines, type(second.lines))
    assert [(one.line, one.reason, one.row) for one in second.rejects] == [
        (4, "a cell is not valid Unicode", "i3,\\ud800"),
        (5, "the assignment was rejected", 'i4,"b,c"'),
    ]
