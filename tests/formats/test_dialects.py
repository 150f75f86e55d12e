"""How text is written: delimiters, lines before the header, headers that lack a name or are none; kinds of files."""

import gzip
import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from consensus import read, read_gold, read_model_votes
from consensus.errors import ConfigError, FormatError
from consensus.formats import columns_of
from consensus.formats.tables import csv_records, delimited, dialects, file_kinds, headers, roles
from consensus.inputs.judgments import Judgments
from tests.conftest import Run, csv

Write = Callable[[str, str | bytes], Path]
ROWS = [(f"q{i}", f"w{w}", "yes" if (i + w) % 3 else "no") for i, w in itertools.product(range(10), range(3))]
HEADER = ("item", "worker", "label")


def rows_of(judgments: Judgments) -> list[tuple[str, str, str]]:
    items, workers = judgments.item_ids.to_pylist(), judgments.worker_ids.to_pylist()
    codes = zip(judgments.item, judgments.worker, judgments.label, strict=True)
    return [(items[i], workers[w], judgments.labels[k]) for i, w, k in codes]


def text(delimiter: str = ",", header: tuple[str, ...] = HEADER, quote: str = "", end: str = "\n") -> str:
    rows = [header, *ROWS] if header else ROWS
    return "".join(delimiter.join(f"{quote}{cell}{quote}" for cell in row) + end for row in rows)


def lines() -> str:
    return "".join(json.dumps(dict(zip(HEADER, row, strict=True))) + "\n" for row in ROWS)


@pytest.fixture(params=[None, 1, 50])
def block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param is not None:
        monkeypatch.setattr(delimited, "BLOCK", request.param)
        monkeypatch.setattr(delimited, "PART", max(1, request.param // 2))


class TestKinds:
    @pytest.mark.parametrize(
        ("name", "content", "note"),
        [
            ("j.csv", text(), None),
            ("j.tsv", text("\t"), None),
            ("j.txt", text("|"), None),
            ("j.jsonl", lines(), None),
            (
                "j.tsv",
                text(),
                "j.tsv is read as comma-separated text, as it looks; --delimiter names another",
            ),
            ("j.csv", text("\t"), "j.csv is read as tab-separated text, as it looks; --delimiter names another"),
            ("j.csv", text(";"), "j.csv is read as semicolon-separated text"),
            ("j.csv", text("|"), "j.csv is read as |-separated text"),
            ("j.results", text("\t", quote='"'), "j.results is read as tab-separated text"),
            ("j", text(), None),
            ("j", text(";"), "j is read as semicolon-separated text, as it looks; --delimiter names another"),
            ("j", lines(), "j is read as JSON lines"),
            ("j.gz", gzip.compress(lines().encode(), mtime=0), "j.gz is read as JSON lines"),
            ("j", gzip.compress(text().encode(), mtime=0), "j is compressed with gzip"),
            ("j.json", lines(), None),
            ("j.manifest", "\n " + lines(), "j.manifest is read as JSON lines, whatever its ending"),
            ("j.csv", "\ufeff" + lines(), "j.csv is read as JSON lines, whatever its ending"),
            ("j.csv.gz", gzip.compress(text().encode(), mtime=0), None),
            ("j.csv", gzip.compress(text().encode(), mtime=0), "j.csv is compressed with gzip, whatever its ending"),
            ("j.csv.zst", text(), "j.csv.zst is not compressed, whatever its ending"),
            ("j.jsonl", text(), "j.jsonl is read as comma-separated text"),
        ],
    )
    def test_are_told_by_content(self, write: Write, name: str, content: str | bytes, note: str | None) -> None:
        found = read(write(name, content))
        assert rows_of(found) == sorted(ROWS)
        assert [one[: len(note or "")] for one in found.notes] == ([] if note is None else [note])
        assert not any("whatever its ending" in one for one in found.notes if name in {"j", "j.gz"})

    def test_parquet_and_zstd(self, tmp_path: Path, write: Write) -> None:
        path = tmp_path / "j.csv"
        pq.write_table(pa.table(dict(zip(HEADER, zip(*ROWS, strict=True), strict=True))), path)
        for found in (read(path), read(path, encoding="cp1252")):
            assert rows_of(found) == sorted(ROWS)
            assert found.notes == ("j.csv is read as a Parquet file, whatever its ending",)
        packed = read(write("j.json", pa.compress(lines().encode(), "zstd", asbytes=True)))
        assert packed.notes[0] == "j.json is compressed with zstd, whatever its ending"
        assert rows_of(packed) == sorted(ROWS)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            *(
                (begin + b"...", f"this is {kind}")
                for begin, kind in file_kinds.MAGIC.items()
                if kind in file_kinds.REFUSED and kind != "a ZIP archive"
            ),
            (b"<!DOCTYPE html><html>", "this is HTML or XML; save the table in it as CSV"),
            (b"<?xml version='1.0'?>", "this is HTML or XML"),
        ],
    )
    def test_others_are_refused(self, write: Write, content: bytes, message: str) -> None:
        with pytest.raises(FormatError, match=f"j.data: {message}"):
            read(write("j.data", content))

    def test_every_kind_is_read_or_refused(self) -> None:
        promised = {kind for kinds in file_kinds.PROMISED.values() for kind in kinds}
        kinds = {*file_kinds.MAGIC.values(), *promised, file_kinds.JSON}
        assert kinds <= {*file_kinds.READERS, *file_kinds.REFUSED}

    def test_text_may_begin_with_brackets(self) -> None:
        for start in (b"[item],[worker]\n", b"{item},{worker}\n", b"[task],b\n", b"<item>,b\n"):
            assert file_kinds.kind_of(start) == file_kinds.TEXT
        assert file_kinds.kind_of(b"[1]\n{}\n", ".jsonl") == file_kinds.JSON_LINES
        assert file_kinds.kind_of(b'nonsense\n{"a": 1}\n', ".jsonl") == file_kinds.JSON_LINES
        assert file_kinds.kind_of(b"[1,\n2]\n", ".jsonl") == file_kinds.JSON

    def test_lines_of_json_in_another_encoding(self, write: Write) -> None:
        content = lines().replace("yes", "oui, c'est ça")
        found = read(write("j.json", content.encode("utf-16-le")), encoding="utf-16-le")
        assert found.labels == ("no", "oui, c'est ça")


class TestDelimiters:
    @pytest.mark.parametrize("delimiter", csv_records.DELIMITERS)
    @pytest.mark.parametrize(
        "cell", ["a,b", "1;2;3;4", "x|y", "x\ty", "say, \u201cno\u201d; or | yes", 'with ""quotes"", too', ""]
    )
    def test_are_those_of_most_rows(self, write: Write, delimiter: str, cell: str) -> None:
        rows = [[i, w, k, f'"{cell}"' if n % 4 else "plain"] for n, (i, w, k) in enumerate(ROWS)]
        content = "\n".join(delimiter.join(row) for row in [[*HEADER, "note, or; more | here"], *rows])
        content = content.replace("note, or; more | here", '"note, or; more | here"')
        assert rows_of(read(write("j.dat", content))) == sorted(ROWS)

    def test_a_decimal_comma_is_none(self, write: Write) -> None:
        content = "item;worker;label;score\n" + "".join(f"{i};{w};{k};0,5\n" for i, w, k in ROWS)
        assert rows_of(read(write("j.csv", content))) == sorted(ROWS)

    def test_ragged_rows_do_not_matter(self, write: Write) -> None:
        content = "item,worker,label,a;b,c\n" + "".join(f"{i},{w},{k}\n" for i, w, k in ROWS)
        assert rows_of(read(write("j.csv", content))) == sorted(ROWS)

    def test_the_header_alone_tells(self, write: Write) -> None:
        assert columns_of(write("j.csv", "item|worker|label\n")) == list(HEADER)
        assert columns_of(write("k.csv", "item\n")) == ["item"]

    @pytest.mark.parametrize(("given", "used"), [(";", ";"), ("tab", "\t"), ("\\t", "\t"), ("\t", "\t"), ("~", "~")])
    def test_may_be_named(self, write: Write, given: str, used: str) -> None:
        found = read(write("j.csv", text(used)), delimiter=given)
        assert rows_of(found) == sorted(ROWS)
        assert found.notes == ()

    def test_that_are_named_come_first(self, write: Write) -> None:
        content = "a,item;worker;label,b\n" + "".join(f"x,{i};{w};{k},y\n" for i, w, k in ROWS)
        path = write("j.csv", content)
        assert read(path, delimiter=",", item="item;worker;label", worker="a", label="b").n_items == 30
        assert read(path, delimiter=";", item="a,item", label="label,b").n_workers == 3

    @pytest.mark.parametrize("given", ["", ",,", '"', "\n", "\r", "é", "\0"])
    def test_that_can_be_none(self, given: str) -> None:
        with pytest.raises(ConfigError, match="setting delimiter = .*one ASCII character"):
            read({"item": ["a"], "worker": ["v"], "label": ["x"]}, delimiter=given)


@pytest.mark.usefixtures("block")
class TestBeforeTheHeader:
    @pytest.mark.parametrize(
        ("before", "note"),
        [
            ("sep=,\n", 'a line "sep=,", which names the delimiter,'),
            ('"SEP=,"\r\n', 'a line "sep=,", which names the delimiter,'),
            ("# exported\n", "1 comment line"),
            ("# exported\r\n#\r\n# by, and, us\r\n\r\n", "3 comment lines"),
            ("\n\n# one\n\n", "1 comment line"),
            ("sep=,\n# one\n# two\n", 'a line "sep=,", which names the delimiter, and 2 comment lines'),
            ("\ufeff# one\n", "1 comment line"),
            ("\ufeffsep=,\n", 'a line "sep=,", which names the delimiter,'),
            ("# a, b, c\n", "1 comment line"),
        ],
    )
    def test_lines_are_passed_over_and_said(self, write: Write, before: str, note: str) -> None:
        path = write("j.csv", before + text() + "bad\n")
        found = read(path)
        assert rows_of(found) == sorted(ROWS)
        assert found.notes == (f"j.csv: {note} before the table, passed over",)
        assert found.rejects[0].line == 32 + before.count("\n")
        bare = read(write("k.csv", before + text(header=())), no_header=True)
        assert rows_of(bare) == sorted(ROWS)

    def test_the_delimiter_is_that_which_is_said(self, write: Write) -> None:
        content = "item;worker,x;label\n" + "".join(f"{i};{w},x;{k}\n" for i, w, k in ROWS)
        assert rows_of(read(write("j.csv", "sep=;\n" + content), worker="worker,x"))[0] == ("q0", "w0,x", "no")
        assert rows_of(read(write("t.csv", "sep=\\t\n" + text("\t")))) == sorted(ROWS)
        assert rows_of(read(write("u.csv", "sep=\t\n" + text("\t")))) == sorted(ROWS)
        for line in ('sep="', "sep=x", "sep=é"):  # what can be no delimiter
            assert columns_of(write("q.csv", line + "\n" + text())) == [line]
        named = read(write("n.csv", "sep=;\n" + text()), delimiter=",")
        assert rows_of(named) == sorted(ROWS)

    @pytest.mark.parametrize(
        "content",
        [
            text(header=("#item", "worker", "label")),
            text(header=("# item", "worker", "label")),
            "# exported\n" + text(header=("#item", "worker", "label")),
            "#,item,worker,label\n" + "".join(f"{n},{','.join(row)}\n" for n, row in enumerate(ROWS)),
            "#,item,worker,label\n" + "".join(f"#{n},{','.join(row)}\n" for n, row in enumerate(ROWS)),
        ],
    )
    def test_a_header_may_begin_with_the_sign_of_comments(self, write: Write, content: str) -> None:
        assert rows_of(read(write("j.csv", content))) == sorted(ROWS)

    def test_so_may_items(self, write: Write) -> None:
        rows = [(f"#{i}", w, k) for i, w, k in ROWS]
        assert rows_of(read(write("j.csv", csv(rows)))) == sorted(rows)
        bare = "".join(",".join(row) + "\n" for row in rows)
        assert rows_of(read(write("k.csv", bare), no_header=True)) == sorted(rows)
        some = bare.replace("#q5", "q5").replace("#q6", "q6")
        assert read(write("l.csv", some), no_header=True).tally.used == 30

    def test_gold_without_a_header(self, write: Write) -> None:
        gold = read_gold(write("gold.csv", "sep=;\n# ours\nq1;yes\nq2;no\n"))
        assert list(zip(gold.item, gold.label, strict=True)) == [("q1", "yes"), ("q2", "no")]
        assert gold.place[0].endswith("gold.csv:3")
        assert gold.notes[-1].startswith('gold.csv: a line "sep=;", which names the delimiter, and 1 comment line')


@pytest.mark.usefixtures("block")
class TestIndexes:
    @pytest.mark.parametrize(("delimiter", "quote"), [(",", ""), ("\t", '"'), (";", '"')])
    def test_without_a_name_are_passed_over(self, write: Write, delimiter: str, quote: str) -> None:
        rows = [delimiter.join(f"{quote}{cell}{quote}" for cell in row) for row in [HEADER, *ROWS]]
        named = [f"{quote}{n or ''}{quote}{delimiter}{row}" for n, row in enumerate(rows)]
        pandas = read(write("j.txt", "\n".join(named)))
        assert rows_of(pandas) == sorted(ROWS)
        assert pandas.notes == ("j.txt: the first column has no name and is passed over",)
        r = read(write("j.txt", "\n".join([rows[0], *named[1:]])))
        assert rows_of(r) == sorted(ROWS)
        assert r.notes == (
            "j.txt: the header has one name less than the rows have fields: the first column, which counts from 1, is "
            "taken for an index and passed over",
        )

    @pytest.mark.parametrize("first", [lambda _: "x", lambda n: f"r{n}", lambda n: str(-n), lambda n: str(99 - n)])
    def test_are_whole_numbers_that_grow(self, write: Write, first: Callable[[int], str]) -> None:
        content = "item,worker,label\n" + "".join(f"{first(n)},{','.join(row)}\n" for n, row in enumerate(ROWS))
        found = read(write("j.csv", content))
        assert (found.tally.used, found.tally.rejected) == (0, 30)
        assert found.rejects[0].reason == "too many fields: 4 instead of 3"

    def test_are_none_where_nothing_stands_in_the_last_field(self, write: Write) -> None:
        content = "item,worker,label\n" + "".join(f"{n},{n % 3},x,\n" for n in range(9))
        assert read(write("j.csv", content)).n_items == 9


class TestWithoutHeader:
    @pytest.mark.parametrize(
        "content",
        [
            text(header=()),
            text("\t", header=()),
            text(";", header=(), quote='"'),
            "".join(f"{n},{n % 7},{n % 2}\n" for n in range(40)),
            "".join(f"{i},{w},{k},more,{n}\n" for n, (i, w, k) in enumerate(ROWS)),
            text(header=())[:19],
        ],
    )
    def test_the_error_names_the_option(self, write: Write, content: str) -> None:
        path = write("j.txt", content)
        with pytest.raises(FormatError, match=r"j.txt:1: the first row looks like the others \(.*; --no-header reads"):
            read(path)
        assert read(path, no_header=True, item="column 1", worker="column 2", label="column 3").tally.rejected == 0

    @pytest.mark.parametrize(
        "header",
        [
            ("text", "who", "what"),
            ("item", "who", "yes"),
            ("q1", "w1", "label"),
            ("question text", "Q2", "Q3"),
        ],
    )
    def test_headers_are_none_of_the_rows(self, write: Write, header: tuple[str, ...]) -> None:
        rows = text(header=()) + ",".join(header) + "\n"  # a header that stands among the rows again, too
        with pytest.raises(FormatError, match="name") as caught:
            read(write("j.csv", ",".join(header) + "\n" + rows))
        assert "--no-header" not in str(caught.value)

    def test_a_header_that_looks_so_may_be_named(self, write: Write) -> None:
        path = write("j.csv", "9,10,11\n" + "".join(f"{n},{n % 3},{n % 2}\n" for n in range(30)))
        with pytest.raises(FormatError, match="--no-header"):
            read(path)
        assert read(path, item="9", worker="10", label="11").n_items == 30

    @pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
    def test_three_columns_are_told_by_their_values(self, write: Write, order: tuple[int, ...]) -> None:
        path = write("j.csv", "".join(",".join(row[n] for n in order) + "\n" for row in ROWS))
        rows = [(i, w, k) for i, w, k in ROWS if k != "no" or w != "w2"]
        assert rows
        found = read(path, no_header=True)
        by_role = {column.role: (column.name, column.because, column.n_values) for column in found.understood}
        places = {role: f"column {1 + order.index(n)}" for n, role in enumerate(HEADER)}
        assert by_role == {
            "item": (places["item"], headers.BY_VALUES, 10),
            "worker": (places["worker"], headers.BY_VALUES, 3),
            "label": (places["label"], headers.BY_VALUES, 2),
        }
        assert rows_of(found) == sorted(ROWS)
        (note,) = found.notes
        assert note == (
            "j.csv: no names of columns: by how many values they have in the first 30 rows, item is "
            f'"{places["item"]}" (10), worker is "{places["worker"]}" (3), label is "{places["label"]}" (2); name '
            'them if that is wrong, such as --item "column 3"'
        )

    def test_what_is_named_is_not_guessed(self, write: Write) -> None:
        path = write("j.csv", text(header=()))
        swapped = read(path, no_header=True, item="column 2")
        assert (swapped.n_items, swapped.n_workers, swapped.n_labels) == (3, 10, 2)
        everything = read(path, no_header=True, item="column 1", worker="column 2", label="column 3")
        assert everything.notes == ()
        with pytest.raises(FormatError, match='j.csv: no column "item" for the item; the columns are: column 1, col'):
            read(path, no_header=True, item="item")

    def test_a_column_of_one_value_is_no_label(self, write: Write) -> None:
        found = read(write("j.csv", "".join(f"q{n},ana,{n % 3}\n" for n in range(30))), no_header=True)
        assert (found.n_items, found.n_workers, found.n_labels) == (30, 1, 3)

    def test_more_columns_must_be_named(self, write: Write) -> None:
        path = write("j.csv", "".join(f"{i},{w},{k},{n}\n" for n, (i, w, k) in enumerate(ROWS)))
        with pytest.raises(FormatError, match='no column holds the item; it could be .*"column 1" .*--item'):
            read(path, no_header=True)

    def test_one_worker_a_file(self, write: Write) -> None:
        path = write("ana.csv", "".join(f"q{n},{n % 3}\n" for n in range(30)))
        found = read(path, no_header=True, worker_from_file=True)
        assert (found.n_items, found.worker_ids.to_pylist(), found.n_labels) == (30, ["ana"], 3)

    def test_a_header_that_counts_as_data_is_told(self, write: Write) -> None:
        found = read(write("j.csv", text()), no_header=True)
        assert found.tally.used == 31
        assert found.notes[-1] == (
            "j.csv: its first row looks like a header, and counts as data by --no-header; leave it out"
        )

    def test_bytes_that_are_not_utf8_in_the_first_row(self, write: Write) -> None:
        content = "q0,w0,é\n".encode("cp1252") + text(header=()).encode()
        found = read(write("j.csv", content), no_header=True)
        assert [(one.line, one.reason) for one in found.rejects] == [(1, "the label is not UTF-8")]

    def test_gold_and_votes_are_given_one(self, write: Write) -> None:
        gold = write("gold.csv", "q1,yes,1\nq2,yes,2\n")
        with pytest.raises(FormatError, match="gold.csv:1: the first row looks .*; give it a first line"):
            read_gold(gold)
        with pytest.raises(FormatError, match="votes.csv:1: .*; give it a first line with the names"):
            read_model_votes(write("votes.csv", "q1,m1,yes\nq2,m1,yes\n"))

    def test_on_the_command_line(self, write: Write, run: Run, tmp_path: Path) -> None:
        path = write("j.csv", text(";", header=()))
        assert "--no-header reads it so" in run("check", path).err
        shown = json.loads(run("check", path, "--no-header", "--delimiter", ";", "--json").out)
        assert (shown["understood"]["no_header"], shown["understood"]["delimiter"]) == (True, ";")
        assert shown["command"].endswith("--delimiter ';' --no-header")
        out = tmp_path / "out"
        assert run("run", path, "--no-header", "--output", out).status == 0
        assert json.loads((out / "summary.json").read_text())["understood"]["no_header"]
        assert run("audit", path, "--no-header", "--worker", "w1").status == 0


def test_what_a_first_row_is_compared_with() -> None:
    wanted = roles.Roles(dict.fromkeys(HEADER))
    assert headers.fault(["a", "b", "c"], [], wanted) is None
    assert headers.fault(["a", "b", "c"], [["a", "x"], ["a", "b", "c"]], wanted) is None
    assert headers.fault(["a", "b"], [["a", "x"]], wanted) is None
    assert headers.fault(["a", "b", "c"], [["a", "x", "y"]], wanted) is not None
    assert headers.fault(["a", "", "c", "d"], [["x", "", "c", "d"]], wanted) is not None
    assert headers.fault(["a", "", "c", "d"], [["x", "", "y", "d"]], wanted) is None
    assert headers.fault(["a", "", "c"], [["x", "", "y"]], wanted) is None
    assert headers.fault(["a", "b", "c"], [["a", "x", "y"]], roles.Roles({})) is None


def test_cells_that_are_too_long_end_the_look() -> None:
    assert dialects._cells(["a,b\n", "x" * 200_000 + ",c\n", "d,e\n"], ",") == [["a", "b"]]
    assert len(dialects._cells(["a,b\n"] * 2000, ",")) == dialects.ROWS
