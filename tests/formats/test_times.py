"""Columns of times in the forms that platforms and spreadsheets write."""

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from consensus import check, read
from consensus.config import ReadConfig
from consensus.errors import ConfigError, FormatError
from consensus.formats import writing
from consensus.inputs.judgments import Judgments
from tests.conftest import Run, csv

Write = Callable[[str, str | bytes], Path]
NINTH, MARCH = "2024-03-09T19:17:00", "2024-03-09T00:00:00"


def judged(cells: Any, **settings: Any) -> Judgments:
    """One judgment for each of some cells of a column of times."""
    n = len(cells)
    table = {"item": [f"i{row:03}" for row in range(n)], "worker": ["v"] * n, "label": ["x"] * n, "timestamp": cells}
    return read(table, **settings)


def times(judgments: Judgments) -> list[str | None]:
    """The times to the second; None where unknown."""
    if judgments.timestamp is None:
        return [None] * judgments.n_judgments
    return [None if np.isnat(one) else str(one.astype("datetime64[s]")) for one in judgments.timestamp]


def text_of(cells: list[str], name: str = "SubmitTime", first: int = 1) -> str:
    """A file with a column of times."""
    rows = [f'i{n:03},w{n % 3},{"ab"[n % 2]},"{cell}"\n' for n, cell in enumerate(cells, first)]
    return f"item,worker,label,{name}\n" + "".join(rows)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        # ISO 8601, and what is nearly that
        ("2024-03-09T19:17:00", NINTH),
        ("2024-03-09T19:17:00Z", NINTH),
        ("2024-03-09 19:17:00.250+00:00", NINTH),
        ("2024-03-09 20:17:00+0100", NINTH),
        ("20240309T191700Z", NINTH),
        ("2024-03-09 19:17:00 UTC", NINTH),
        ("2024-03-09 19:17:00 GMT", NINTH),
        ("2024-03-09 19:17:00 +0000 UTC", NINTH),
        ("2024-03-09 11:17:00 PST", NINTH),
        ("2024-03-09 7:17 PM", NINTH),
        ("2024-03-09T19:17:00,5", NINTH),
        ("2024-03-09", MARCH),
        ("2024/03/09 7:17:00 PM GMT+0", NINTH),
        ("2024/3/9 8:17:00 p.m. GMT+1", NINTH),
        ("2024.03.09 19.17", NINTH),
        # the year behind
        ("Sat Mar 09 11:17:00 PST 2024", NINTH),
        ("Sat Mar 09 12:17:00 PDT 2024", NINTH),
        ("Sat Mar 09 12:17:00 MST 2024", NINTH),
        ("Sat Mar 09 13:17:00 MDT 2024", NINTH),
        ("Sat Mar 09 13:17:00 CST 2024", NINTH),
        ("Sat Mar 09 14:17:00 CDT 2024", NINTH),
        ("Sat Mar 09 14:17:00 EST 2024", NINTH),
        ("Sat Mar 09 15:17:00 EDT 2024", NINTH),
        ("Sat Mar 09 19:17:00 UTC 2024", NINTH),
        ("Sat Mar  9 19:17:00 2024", NINTH),
        ("Sat Mar 09 19:17:00 +0000 2024", NINTH),
        # the name of the month
        ("Sat, 09 Mar 2024 19:17:00 GMT", NINTH),
        ("Sat, 9 Mar 2024 14:17:00 -0500", NINTH),
        ("09 Mar 2024 19:17:00 +0000 (UTC)", NINTH),
        ("Sat Mar 09 2024 20:17:00 GMT+0100 (Central European Standard Time)", NINTH),
        ("Mar 9, 2024, 7:17 PM", NINTH),
        ("March 9th, 2024 at 7:17 pm", NINTH),
        ("Mar  9 2024  7:17PM", NINTH),
        ("9-MAR-24 07.17.00 PM", NINTH),
        ("9 March 2024", MARCH),
        ("09/Mar/2024:19:17:00 +0000", NINTH),
        # where the figures leave no choice
        ("3/29/2024 19:17", "2024-03-29T19:17:00"),
        ("03/29/2024 07:17:00 PM", "2024-03-29T19:17:00"),
        ("03/29/2024 12:17:00 AM", "2024-03-29T00:17:00"),
        ("03/29/2024 12:17:00 PM", "2024-03-29T12:17:00"),
        ("3/29/2024, 7:17:00\u202fPM", "2024-03-29T19:17:00"),
        ("3/29/24 19:17", "2024-03-29T19:17:00"),
        ("29.3.2024 19:17:00", "2024-03-29T19:17:00"),
        ("29.03.2024, 19:17 UTC", "2024-03-29T19:17:00"),
        ("29-03-2024 19:17", "2024-03-29T19:17:00"),
        ("29/3/1999", "1999-03-29T00:00:00"),
        ("99/03/09", "1999-03-09T00:00:00"),
        ("03/03/2024", "2024-03-03T00:00:00"),
        # numbers
        ("1710011820", NINTH),
        ("1710011820000", NINTH),
        ("1710011820000000", NINTH),
        ("1710011820000000000", NINTH),
        ("1710011820.25", NINTH),
        ("1.71001182e9", NINTH),
        ("45360.803472", NINTH),
        ("45360,8034722222", NINTH),
        ("20240309", MARCH),
        ("20240309191700", NINTH),
    ],
)  # fmt: skip
def test_forms(cell: str, expected: str) -> None:
    found = judged([f" {cell} ", "", None, cell.upper()])
    assert times(found) == [expected, None, None, expected]
    assert found.unreadable_times == 0


@pytest.mark.parametrize(
    "cell",
    [
        "yesterday", "now", "-5", "19:17", "2024-02-30", "2024-13-09 10:00 UTC", "30/30/2024",
        "Sat Feb 30 19:17:00 PST 2024", "1e30",
        "Sat Mar 09 19:17:00 CET 2024", "2024-03-09 19:60 PST", "2024-03-09 24:00 PST", "2024-03-09 0:17 PM",
        "29/3/2024 13:17 PM", "Mar 0, 2024", "Foo 9, 2024", "3/9/024",
    ],
)  # fmt: skip
def test_what_is_none(cell: str) -> None:
    found = judged(["2024-03-09", cell, "?"])
    assert times(found) == [MARCH, None, None]
    assert (found.unreadable_times, found.unreadable_time) == (
        2,
        f'data frame:2: "{cell.replace("e", "e+") if cell[0] == "1" else cell}"',
    )


def test_several_forms_in_one_column() -> None:
    cells = [
        "2018-04-07 17:27:37 UTC",
        "Sat Apr 07 10:27:38 PDT 2018",
        "1523122059",
        "04/30/2018",
        "2018-04-07T17:27:40",
    ]
    seconds = ["07T17:27:37", "07T17:27:38", "07T17:27:39", "30T00:00:00", "07T17:27:40"]
    assert times(judged(cells)) == [f"2018-04-{one}" for one in seconds]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([pd.Timestamp("2024-03-09 19:17"), None]),
        pd.Series([pd.Timestamp("2024-03-09 20:17+0100"), None]),
        pa.array([1710011820, None]),
        np.array([45360.803472, np.nan]),
        pd.Categorical(["Sat Mar 09 11:17:00 PST 2024", None]),
        [datetime.datetime(2024, 3, 9, 19, 17), None],
        [b"2024-03-09 19:17", None],
        pa.array([20240309191700, None]),
    ],
)
def test_typed_columns(column: Any) -> None:
    found = judged(column)
    assert (times(found), found.unreadable_times) == ([NINTH, None], 0)


@pytest.mark.parametrize(("column", "n"), [([-5, 7], 1), ([-1.0, 1e30], 2), (pa.array([[7], None]), 1)])
def test_numbers_and_lists_that_are_no_times(column: Any, n: int) -> None:
    assert judged(column).unreadable_times == n


def serial(when: datetime.datetime) -> str:
    """Days as spreadsheets count them."""
    return f"{(when - datetime.datetime(1899, 12, 30)) / datetime.timedelta(days=1):.6f}"


WRITTEN: dict[str, Callable[[datetime.datetime], str]] = {
    "mturk": lambda when: when.strftime("%a %b %d %H:%M:%S PST %Y"),
    "rfc": lambda when: when.strftime("%a, %d %b %Y %H:%M:%S GMT"),
    "word": lambda when: when.strftime("%Y-%m-%d %H:%M:%S UTC"),
    "us": lambda when: when.strftime("%m/%d/%Y %I:%M:%S %p"),
    "us short": lambda when: f"{when.month}/{when.day}/{when:%y} {when.hour}:{when:%M}",
    "us noon": lambda when: f"{when.month}/{when.day}/{when.year} {when:%I:%M %p}",
    "eu": lambda when: when.strftime("%d/%m/%Y %H:%M:%S"),
    "eu dashes": lambda when: when.strftime("%d-%m-%Y %H:%M"),
    "eu dots": lambda when: f"{when.day}.{when.month}.{when.year} {when:%H:%M}",
    "year first": lambda when: when.strftime("%Y/%m/%d %H:%M"),
    "javascript": lambda when: when.strftime("%a %b %d %Y %H:%M:%S GMT-0800 (Pacific Standard Time)"),
    "words": lambda when: when.strftime("%B %d, %Y, %I:%M %p"),
    "milliseconds": lambda when: str(int(when.timestamp() * 1000)),
    "excel": serial,
    "figures": lambda when: when.strftime("%Y%m%d%H%M%S"),
    "two forms": lambda when: when.strftime("%Y-%m-%d %H:%M:%S UTC" if when.day % 2 else "%a %b %d %H:%M:%S UTC %Y"),
}


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("form", WRITTEN)
def test_the_last_of_repeats_is_the_last_in_time(form: str, ending: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    rows = []
    for n in range(30):
        first = datetime.datetime(2024, 1, 25) + datetime.timedelta(minutes=int(rng.integers(0, 60 * 24 * 45)))
        pair = [("wrong", first), ("right", first + datetime.timedelta(minutes=int(rng.integers(1, 60 * 24 * 9))))]
        rows += [(f"i{n}", "v", label, WRITTEN[form](when)) for label, when in reversed(pair)]
    table = pd.DataFrame(rows, columns=["item", "worker", "label", "SubmitTime"])
    writing.write(table, tmp_path / f"j{ending}")
    found = read(tmp_path / f"j{ending}", repeats="last")
    assert (found.labels, found.unreadable_times, found.repeats_by_row_order) == (("right", "wrong"), 0, False)
    assert set(found.label.tolist()) == {0}


class TestDayAndMonth:
    def test_the_whole_column_tells(self, write: Write) -> None:
        path = write("j.csv", text_of(["09/03/2024 19:17:00", "24/02/2024 16:18:00", "10/03/2024 10:00:00"]))
        found = read(path)
        assert times(found) == [NINTH, "2024-02-24T16:18:00", "2024-03-10T10:00:00"]
        assert found.notes == (
            f'times of "SubmitTime" have the day before the month, as "24/02/2024 16:18:00" ({path}:3) tells',
        )
        assert found.time_format == "day-first"
        found = read(write("j.csv", text_of(["3/9/2024 19:17", "2/24/2024 16:18"])))
        assert times(found) == [NINTH, "2024-02-24T16:18:00"]
        assert 'have the month before the day, as "2/24/2024 16:18"' in found.notes[0]

    @pytest.mark.parametrize("sign", "/-")
    def test_nothing_tells(self, write: Write, sign: str) -> None:
        path = write(
            "j.csv", text_of([one.replace("/", sign) for one in ("03/03/2024", "11/02/2024 10:00", "3/4/2024")])
        )
        with pytest.raises(
            FormatError,
            match=rf'j.csv:3: no row tells whether "11{sign}02{sign}2024 10:00" of column "SubmitTime" has the day or '
            r"the month first; choose with --time-format month-first \(2024-11-02\) or --time-format day-first "
            r"\(2024-02-11\)$",
        ):
            read(path)
        assert times(read(path, time_format="month-first"))[1:] == ["2024-11-02T10:00:00", "2024-03-04T00:00:00"]
        found = read(path, time_format="day-first")
        assert times(found)[1:] == ["2024-02-11T10:00:00", "2024-04-03T00:00:00"]
        assert (found.notes, found.time_format) == ((), "day-first")

    def test_a_year_of_two_digits_may_be_the_first(self) -> None:
        with pytest.raises(FormatError, match=r"day-first \(2009-03-24\) or --time-format year-first \(2024-03-09\)$"):
            judged(["24/03/09"])
        assert times(judged(["24/03/09"], time_format="year-first")) == [MARCH]
        assert times(judged(["3/24/09"])) == ["2009-03-24T00:00:00"]
        found = judged(["03/24/09", "99/12/30"], time_format="year-first")
        assert (times(found), found.unreadable_times) == ([None, "1999-12-30T00:00:00"], 1)
        assert found.unreadable_time == 'data frame:1: "03/24/09"'

    def test_both_orders(self) -> None:
        cells = ["3/9/2024", "2/24/2024", "24/2/2024"]
        with pytest.raises(
            FormatError,
            match='data frame:3: "24/2/2024" of column "timestamp" does not have the month before the day, and '
            r'"2/24/2024" \(data frame:2\) does not have the day before the month; correct one of them, or say with '
            "--time-format month-first or --time-format day-first which counts",
        ):
            judged(cells)
        found = judged(cells, time_format="month-first")
        assert times(found) == [MARCH, "2024-02-24T00:00:00", None]
        assert (found.unreadable_times, found.unreadable_time) == (1, 'data frame:3: "24/2/2024"')

    def test_dots_are_a_guess_that_is_said(self, write: Write) -> None:
        path = write("j.csv", text_of(["9.3.2024 19:17", "8.3.2024 19:17"]))
        found = read(path)
        assert times(found) == [NINTH, "2024-03-08T19:17:00"]
        assert found.notes == (
            f'times of "SubmitTime" are read with the day before the month, as "9.3.2024 19:17" ({path}:2) has dots, '
            "which is a guess: say so with --time-format day-first",
        )
        checked = check(path)
        assert checked.command == f"consensus run {path} --time-format day-first"
        again = check(path, time_format="day-first")
        assert (again.judgments.notes, again.command) == ((), checked.command)
        assert times(judged(["3.9.2024", "3.29.2024"])) == [MARCH, "2024-03-29T00:00:00"]

    def test_other_files_tell(self, write: Write) -> None:
        first = write("ana.csv", text_of(["9/3/2024", "8/3/2024"]))
        second = write("ben.csv", text_of(["24/2/2024", "9/3/2024"], first=3))
        third = write("cleo.csv", text_of(["1/2/2024"], first=5))
        found = read([first, second])
        assert times(found) == [MARCH, "2024-03-08T00:00:00", "2024-02-24T00:00:00", MARCH]
        assert found.notes[1] == (
            '1 file: nothing in it tells whether times of "SubmitTime" have the day or the month first: they are read '
            "like those of other files, which is a guess: say so with --time-format day-first"
        )
        assert found.unreadable_times == 0
        assert "2 files: nothing in them tells whether" in read([first, second, third]).notes[1]
        american = write("dan.csv", text_of(["2/24/2024"], first=6))
        both = read([second, american])
        assert (both.time_format, len(both.notes)) == ("day-first / month-first", 2)
        with pytest.raises(FormatError, match="ana.csv:2: no row tells whether"):
            read([first, second, american])
        with pytest.raises(FormatError, match="ana.csv:2: no row tells whether"):
            read([first, third])
        with pytest.raises(FormatError, match="ana.csv:2: no row tells whether"):
            read([first, write("years.csv", text_of(["99/03/09"], first=7))])


class TestNumbers:
    def test_days_of_a_spreadsheet(self, write: Write) -> None:
        path = write("j.csv", text_of(["45360.803472", "45346"]))
        found = check(path)
        assert times(found.judgments) == [NINTH, "2024-02-24T00:00:00"]
        assert found.judgments.notes == (
            'numbers of "SubmitTime" count days since 1900, as spreadsheets do: 45360.803472 is 2024-03-09 19:17:00, '
            "which is a guess: say so with --time-format excel",
        )
        assert found.command == f"consensus run {path} --time-format excel"
        named = read(path, time_format="excel")
        assert (times(named), named.notes, named.time_format) == (times(found.judgments), (), "excel")
        since_1970 = read(path, time_format="epoch")
        assert times(since_1970) == ["1970-01-01T12:36:00", "1970-01-01T12:35:46"]
        assert (since_1970.notes, since_1970.time_format) == ((), "epoch")

    def test_others_are_seconds(self) -> None:
        found = judged(["45360.8", "45360.9", "19999"])
        assert times(found)[2] == "1970-01-01T05:33:19"
        assert (found.notes, found.time_format) == ((), None)
        found = judged([1, 45360.8, 1e9], time_format="excel")
        assert times(found) == ["1899-12-31T00:00:00", "2024-03-09T19:12:00", None]
        assert found.unreadable_time == 'data frame:3: "1000000000"'
        assert judged(["2024-03-09", "45360.8"], time_format="epoch").unreadable_times == 1

    def test_what_most_of_them_count(self) -> None:
        """A number for no time, and a few strays, are told and move nothing."""
        found = judged(["0", *["45360.803472"] * 18, "99"])
        assert times(found) == [None, *[NINTH] * 18, None]
        assert (found.unreadable_times, found.unreadable_time) == (2, 'data frame:1: "0"')
        assert "45360.803472 is 2024-03-09 19:17:00" in found.notes[0]
        assert times(judged([*[1710011820.0] * 9, -1.0])) == [*[NINTH] * 9, None]
        assert times(judged([*[1710011820] * 9, 0])) == [*[NINTH] * 9, None]
        assert times(judged([1710011820, 0])) == [NINTH, "1970-01-01T00:00:00"]
        assert times(judged(["20240309"] * 9 + ["20240230"])) == [MARCH] * 9 + [None]
        assert times(judged(pa.array([None, None], pa.int64()))) == [None, None]

    def test_figures_of_a_date(self, write: Write) -> None:
        path = write("j.csv", text_of(["20240309", "20240229"]))
        assert check(path).command == f"consensus run {path} --time-format %Y%m%d"
        found = read(path)
        assert found.notes[0].startswith(
            'numbers of "SubmitTime" are figures of a date: 20240309 is 2024-03-09 00:00:00, which is a guess: '
        )
        for column in (["20240309"], [20240309], [20240309.0]):
            assert times(judged(column, time_format="%Y%m%d")) == [MARCH]
        assert times(judged(["20240309", "20230229"])) == ["1970-08-23T06:18:29", "1970-08-23T03:30:29"]
        assert times(judged(["20240309", "20240309191700"]))[0] == "1970-08-23T06:18:29"


class TestPatterns:
    @pytest.mark.parametrize(
        ("pattern", "cell"),
        [
            ("%d.%m.%Y %H:%M", "09.03.2024 19:17"),
            ("%H:%M on %d/%m/%y", "19:17 on 09/03/24"),
            ("%Y-%d-%m %H:%M:%S", "2024-09-03 19:17:00"),
            ("%d %b %Y %H:%M %Z", "09 Mar 2024 11:17 PST"),
            ("%d %b %Y %H:%M %Z", "09 Mar 2024 19:17 UTC"),
            ("%d %b %Y %H:%M %z", "09 Mar 2024 20:17 +0100"),
            ("%Y%m%d%H%M%S", "20240309191700"),
        ],
    )
    def test_are_taken_as_they_are(self, pattern: str, cell: str) -> None:
        found = judged([cell, " ", "?"], time_format=pattern)
        assert (times(found), found.time_format) == ([NINTH, None, None], pattern)
        assert (found.unreadable_times, found.unreadable_time) == (1, 'data frame:3: "?"')

    @pytest.mark.parametrize(
        ("pattern", "message"),
        [
            ("DD/MM/YYYY", "should be month-first, day-first, year-first, excel, epoch, or a pattern such as"),
            ("%d.%m.%Q", "should be a pattern of strptime, such as '%d.%m.%Y %H:%M'"),
            ("%d.%m.%Y %", "should be a pattern of strptime"),
            ("%H:%M", "the pattern has no year"),
        ],
    )
    def test_that_can_not_be_used(self, pattern: str, message: str) -> None:
        with pytest.raises(ConfigError, match=message):
            ReadConfig.of(None, time_format=pattern)


class TestMessages:
    def test_a_named_column_of_which_nothing_can_be_read(self, write: Write) -> None:
        path = write("j.csv", text_of(["?", "the day before"], name="when"))
        with pytest.raises(
            FormatError,
            match=r'j.csv:2: "\?" is no time that can be read, nor is any other of column "when", which was named for '
            "the time; choose another with --timestamp, or say with --time-format how times are written",
        ):
            read(path, timestamp="when")
        assert read(path).unreadable_times == 0
        for cells in (["?", "2024-03-09"], ["", ""]):
            read(write("j.csv", text_of(cells, name="when")), timestamp="when")

    def test_a_format_that_nothing_has(self, write: Write) -> None:
        path = write("j.csv", text_of(["29/3/2024", ""]))
        for form in ("%d.%m.%Y", "month-first", "excel"):
            with pytest.raises(
                FormatError,
                match=f'j.csv:2: "29/3/2024" is not written as --time-format {form} says, nor is any other time of '
                'column "SubmitTime"; correct it, or leave it out: then the column tells',
            ):
                read(path, time_format=form)
        (notice,) = read(write("j.csv", csv([("i", "w", "a")])), time_format="%d.%m.%Y %H:%M").cautions
        assert notice[:2] == (
            "option_without_effect",
            "--time-format '%d.%m.%Y %H:%M': no column holds times, so it does nothing; name one with --timestamp",
        )

    def test_the_first_that_can_not_be_read_is_told(self, run: Run, write: Write) -> None:
        path = write("j.csv", text_of(["2024-03-09", "soon" * 20, "\x07"]))
        assert read(path).unreadable_time == f'{path}:3: "{("soon" * 20)[:40]}..."'
        told = run("check", path).out
        assert "2 timestamps could not be read and count as unknown, first" in told
        assert "; say how times are written (--time-format), or write them in ISO 8601, such as 2025-03-01" in told
        assert told.endswith(f"run it with: consensus run {path}\n")

    def test_rejected_rows_do_not_move_places(self, write: Write) -> None:
        path = write("j.csv", "item,worker,label,timestamp\n,w,a,2024-03-09\ni,w,a,2024-03-09\nj,w,a,?\n")
        assert read(path).unreadable_time == f'{path}:4: "?"'

    def test_the_format_is_in_the_summary_where_it_is_not_plain(self, run: Run, write: Write, tmp_path: Path) -> None:
        for n, (cell, form) in enumerate([("45360.5", "excel"), ("24/3/2024", "day-first"), ("2024-03-09", None)]):
            path = write("j.csv", text_of([cell] * 6))
            assert run("run", path, "--output", tmp_path / str(n)).status == 0
            told = json.loads((tmp_path / str(n) / "summary.json").read_text())["understood"]
            assert told.get("time_format") == form
            assert json.loads(run("check", path, "--json").out)["understood"].get("time_format") == form


class TestZones:
    @pytest.mark.parametrize(
        ("with_zone", "without"),
        [
            ("2024-03-09T10:00:00Z", "2024-03-09T10:00:00"),
            ("2024-03-09 10:00:00+02:00", "2024-03-09"),
            ("20240309T100000Z", "20240309T100000"),
            ("2024-03-09 10:00 UTC", "2024-03-09 10:00"),
            ("Sat Mar 09 19:17:00 PST 2024", "Mar 9, 2024, 7:17 PM"),
            ("3/19/2024 7:17 PM EST", "3/19/2024 7:17 PM"),
            ("19.03.2024 19.17 +0100", "19.03.2024 19.17"),
            ("09/Mar/2024:19:17:00 +0000", "9 Mar 2024 19:17:00.25"),
        ],
    )
    def test_some_have_one_and_some_none(self, with_zone: str, without: str, write: Write) -> None:
        def said(*times: str) -> list[str]:
            rows = "".join(f"i{n},w,a,{time}\n" for n, time in enumerate(f'"{one}"' for one in times))
            found = read(write("t.csv", f"item,worker,label,timestamp\n{rows}"))
            assert not found.unreadable_times
            return [one for one in found.notes if "zone" in one]

        assert said(with_zone, with_zone) == said(without, "", without) == []
        (note,) = said(with_zone, without, "", with_zone)
        assert note.startswith(f'2 times have a zone and 1 has none, such as "{without}" (')
        assert "t.csv:3): what has none is taken as UTC; write the zone behind it" in note
        assert said(without, with_zone, without)[0].startswith("1 time has a zone and 2 have none")

    def test_are_compared_between_sources(self, write: Write) -> None:
        head = "item,worker,label,timestamp\n"
        one = write("a.csv", f"{head}i,w,a,2024-03-09T10:00Z\n")
        other = write("b.csv", f"{head}j,w,a,2024-03-09T10:00\nk,w,a,1710000000\nl,w,a,soon\n")
        (note,) = [note for note in read([one, other]).notes if "zone" in note]
        assert note.startswith("1 time has a zone and 1 has none, such as ")
        assert "b.csv:2" in note

    def test_a_pattern_leaves_those_without_out(self, write: Write) -> None:
        path = write("t.csv", "item,worker,label,timestamp\ni,w,a,2024-03-09T10:00+02:00\nj,w,a,2024-03-09T10:00\n")
        found = read(path, time_format="%Y-%m-%dT%H:%M%z")
        assert found.unreadable_times == 1
        assert not [note for note in found.notes if "zone" in note]
