"""Spreadsheets: which sheet is read, and what becomes of numbers, dates and truth values."""

import builtins
import datetime
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from consensus import memory, read, read_gold, read_model_votes
from consensus.errors import ConfigError, FormatError
from consensus.formats.tables import spreadsheets
from tests.conftest import Run
from tests.workbooks import Rows, ods, xlsx

Book = Callable[[Path, Mapping[str, Rows]], Path]
Write = Callable[[str, str | bytes], Path]
HEADER = ("item", "worker", "label")
ROWS = [(f"i{i}", f"w{w}", "ab"[(i + (w == 2)) % 2]) for i in range(8) for w in range(4)]
books = pytest.mark.parametrize(("book", "name"), [(xlsx, "j.xlsx"), (ods, "j.ods"), (xlsx, "j"), (xlsx, "j.csv")])


def texts(book: Book, path: Path, *rows: tuple[object, object, object], **settings: Any) -> list[tuple[str, ...]]:
    judgments = read(book(path, {"Sheet1": [HEADER, *rows]}), **settings)
    ids = judgments.item_ids.to_pylist(), judgments.worker_ids.to_pylist(), judgments.labels
    codes = zip(judgments.item.tolist(), judgments.worker.tolist(), judgments.label.tolist(), strict=True)
    return [tuple(known[code] for known, code in zip(ids, row, strict=True)) for row in codes]


@books
class TestCells:
    def test_texts(self, book: Book, name: str, tmp_path: Path) -> None:
        assert texts(book, tmp_path / name, *ROWS) == sorted(ROWS)

    def test_whole_numbers_have_no_point(self, book: Book, name: str, tmp_path: Path) -> None:
        rows = [(1, 10.0, 3), (2, 20, 0.5), (3, 30, -1)]
        assert texts(book, tmp_path / name, *rows) == [("1", "10", "3"), ("2", "20", "0.5"), ("3", "30", "-1")]

    def test_truth_values(self, book: Book, name: str, tmp_path: Path) -> None:
        assert {row[2] for row in texts(book, tmp_path / name, (1, 1, True), (2, 1, False))} == {"true", "false"}

    def test_texts_stay_as_they_are(self, book: Book, name: str, tmp_path: Path) -> None:
        rows = [("007", "NA", "1.0"), ("é", "<b>", "a & b")]
        assert texts(book, tmp_path / name, *rows) == rows

    def test_empty_cells_and_rows(self, book: Book, name: str, tmp_path: Path) -> None:
        rows = [*ROWS, ("i9", "w0", None), (None, "w0", "a"), (None, None, None), (None, None, None)]
        judgments = read(book(tmp_path / name, {"a": [(None, None, None), HEADER, *rows]}))
        assert (judgments.tally.read, judgments.tally.used, judgments.tally.abstained) == (34, 32, 1)
        (reject,) = judgments.rejects
        assert (reject.line, reject.row) == (2 + 32 + 2, ",w0,a")
        assert not [note for note in judgments.notes if "sheet '" in note]

    def test_rows_of_qualtrics_below_the_header(self, book: Book, name: str, tmp_path: Path) -> None:
        rows = [("Which?", "Who?", None), ('{"ImportId":"QID1"}', '{"ImportId":"QID2"}', None), *ROWS, (None, "w", "a")]
        judgments = read(book(tmp_path / name, {"a": [HEADER, *rows]}))
        assert (judgments.n_judgments, judgments.rejects[0].line) == (32, 36)
        assert judgments.notes[-1].endswith(
            ": a row of question texts and one of ImportIds below the header, as Qualtrics writes them, passed over"
        )

    def test_times(self, book: Book, name: str, tmp_path: Path) -> None:
        when = [datetime.datetime(2024, 3, day, 6 * (day % 4), 30) for day in range(1, 5)]
        rows = [("i1", f"w{n}", "a", one) for n, one in enumerate(when)]
        judgments = read(book(tmp_path / name, {"a": [(*HEADER, "created_at"), *rows]}))
        assert judgments.timestamp is not None
        assert judgments.timestamp.astype("datetime64[s]").tolist() == when
        rows = [("i1", f"w{n}", one.replace(hour=0, minute=0)) for n, one in enumerate(when)]  # type: ignore[misc]
        assert read(book(tmp_path / name, {"a": [HEADER, *rows]})).labels[0] == "2024-03-01"


@books
class TestSheets:
    def test_the_first_with_a_table(self, book: Book, name: str, tmp_path: Path) -> None:
        path = book(tmp_path / name, {"about": [("only a title",)], "votes": [HEADER, *ROWS], "more": [HEADER, *ROWS]})
        judgments = read(path)
        assert judgments.n_judgments == len(ROWS)
        assert judgments.notes[-1] == f"{path}: sheet 'votes' is read, and not about, more; --sheet names another"

    def test_a_sheet_that_is_named(self, book: Book, name: str, tmp_path: Path) -> None:
        path = book(tmp_path / name, {"a": [HEADER, *ROWS], "b": [HEADER, *ROWS[:5]]})
        assert read(path, sheet="b").n_judgments == 5
        assert read(path, sheet="b").notes == ()
        with pytest.raises(FormatError, match='no sheet "c"; the sheets are: a, b; correct --sheet'):
            read(path, sheet="c")

    def test_nothing_is_there(self, book: Book, name: str, tmp_path: Path) -> None:
        path = book(tmp_path / name, {"a": [], "b": [(None,)]})
        with pytest.raises(FormatError, match="the sheets hold no table; expected a table"):
            read(path)
        with pytest.raises(FormatError, match='sheet "b" holds no table; expected a table'):
            read(path, sheet="b")

    def test_titles_before_the_table_are_passed_over(self, book: Book, name: str, tmp_path: Path) -> None:
        title: Rows = [("Sentiment, 2024", None, None), (None, None, None)]
        judgments = read(book(tmp_path / name, {"remarks": [("see data",), ("ok",)], "data": [*title, HEADER, *ROWS]}))
        assert judgments.tally.used == len(ROWS)
        assert f'{tmp_path / name}: a row with one cell before the table, passed over: "Sentiment, 2024"' in (
            judgments.notes
        )
        judgments = read(book(tmp_path / name, {"data": [*title, ("b",), HEADER, *ROWS]}))
        assert judgments.notes[-1].endswith(': 2 rows with one cell before the table, passed over: "Sentiment, 2024"')

    def test_votes_and_gold(self, book: Book, name: str, tmp_path: Path) -> None:
        votes = read_model_votes(
            book(tmp_path / name, {"a": [("item", "model", "p_a", "p_b"), ("i1", "m", 0.25, 0.75)]})
        )
        assert votes.probability.tolist() == [[0.25, 0.75]]
        gold = read_gold(book(tmp_path / name, {"a": [("item", "label"), ("i1", 2), ("i2", "x")]}))
        assert gold.label == ("2", "x")


class TestErrors:
    def test_columns_are_not_found(self, tmp_path: Path) -> None:
        path = xlsx(tmp_path / "j.xlsx", {"a": [("item", "who", "label", None), *(row for row in ROWS)]})
        with pytest.raises(FormatError, match='no column holds the worker; it could be "who"'):
            read(path)

    def test_damage_that_the_library_quotes_is_cut(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: object) -> None:
            raise ValueError("header " + "x" * 5000)

        path = xlsx(tmp_path / "j.xlsx", {"a": [("item", "worker", "label"), *(row for row in ROWS)]})
        monkeypatch.setattr("python_calamine.CalamineWorkbook.from_path", broken)
        with pytest.raises(FormatError, match="can't be read as a spreadsheet: header xxx") as caught:
            read(path)
        assert len(str(caught.value)) < 600

    @pytest.mark.parametrize("name", ["j.xlsx", "j.xls", "j.ods"])
    def test_damage(self, name: str, write: Write, tmp_path: Path) -> None:
        if name != "j.xlsx":
            path = write(name, b"\xd0\xcf\x11\xe0 nothing")
        else:
            path = tmp_path / name
            with zipfile.ZipFile(path, "w") as book:
                book.writestr("xl/workbook.xml", "<broken")
        with pytest.raises(FormatError, match=f"{name}: can't be read as a spreadsheet: .*; save it anew, or as CSV"):
            read(path)
        with pytest.raises(FormatError, match="no such file"):
            read(tmp_path / f"none{name}")

    def test_a_sheet_of_what_has_none(self, write: Write) -> None:
        with pytest.raises(FormatError, match="this is no spreadsheet, so it has no sheets; leave out --sheet"):
            read(write("j.csv", "item,worker,label\n1,w,a\n"), sheet="a")

    def test_without_the_library(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        real = builtins.__import__

        def missing(name: str, *others: Any) -> Any:
            if name == "python_calamine":
                raise ImportError(name)
            return real(name, *others)

        path = xlsx(tmp_path / "j.xlsx", {"a": [HEADER, *ROWS]})
        monkeypatch.setattr(builtins, "__import__", missing)
        with pytest.raises(
            ConfigError, match=r"a library more: pip install 'crowd-consensus\[spreadsheets\]'; or save"
        ):
            read(path)


def test_time_spans_are_seconds() -> None:
    assert spreadsheets._text(datetime.timedelta(minutes=1, seconds=0.5)) == "60.5"


def test_a_run_tells_the_sheet_and_is_looked_at_again(run: Run, tmp_path: Path) -> None:
    path = xlsx(tmp_path / "j.xlsx", {"a": [HEADER, *ROWS[:9]], "b": [HEADER, *ROWS]})
    assert run("run", path, "--sheet", "b", "--output", tmp_path / "out").status == 0
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["settings"]["sheet"] == "b"
    assert run("explain", tmp_path / "out", "i1").status == 0


@pytest.mark.parametrize("place", ["XFD1048576", "AMA9000"])
def test_a_cell_far_from_the_table_is_told(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "there_is", lambda: 800_000_000)
    made, far = xlsx(tmp_path / "made.xlsx", {"a": [HEADER, *ROWS]}), tmp_path / "far.xlsx"
    row = place.lstrip("AFMXD")
    stray = f'<row r="{row}"><c r="{place}"><v>1</v></c></row></sheetData>'
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(far, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).decode().replace("</sheetData>", stray))
    with pytest.raises(FormatError, match=rf"far.xlsx: xl/worksheets/sheet1.xml has cells as far as row {int(row):,}"):
        read(far)
