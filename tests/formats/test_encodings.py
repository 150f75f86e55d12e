"""Text that is not UTF-8: read where it is sure, else an error or a warning that names the way out."""

import codecs
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consensus import read, read_gold
from consensus.errors import ConfigError, FormatError
from consensus.formats import labels_table
from consensus.formats.tables import delimited, encodings, streams
from consensus.formats.tables.streams import Tap
from consensus.inputs.judgments import Judgments
from consensus.runs.checking import check
from tests.conftest import Run, csv

Write = Callable[[str, str | bytes], Path]
WORDS = {
    "cp1252": ["café", "thé \u2013 “fort”", "crème brûlée"],
    "cp1250": ["źle", "dobrze, że żółty", "łódź i gęś"],
    "cp1251": ["да, это верно", "нет, совсем не так", "не знаю"],
    "cp932": ["はい", "いいえ", "分からない"],
    "gb18030": ["是", "不是", "不知道"],
    "big5": ["是", "不是", "不知道"],
    "euc_jp": ["はい", "いいえ", "分からない"],
}


def rows(words: list[str], n: int = 24) -> list[tuple[str, str, str]]:
    return [(f"q{k // 3:02}", f"w{k % 3}", words[k // 3 % len(words)]) for k in range(n)]


def text(words: list[str], n: int = 24) -> str:
    return "item;worker;label\n" + "".join(f"{i};{w};{k}\n" for i, w, k in rows(words, n))


def rows_of(judgments: Judgments) -> list[tuple[str, str, str]]:
    items, workers = judgments.item_ids.to_pylist(), judgments.worker_ids.to_pylist()
    codes = zip(judgments.item, judgments.worker, judgments.label, strict=True)
    return [(items[i], workers[w], judgments.labels[k]) for i, w, k in codes]


class TestMarks:
    @pytest.mark.parametrize("size", [1, 5, 1 << 20])
    @pytest.mark.parametrize("name", ["utf-16", "utf-32", "utf-16-be", "utf-32-le", "utf-32-be"])
    def test_tell_the_encoding(self, write: Write, monkeypatch: pytest.MonkeyPatch, name: str, size: int) -> None:
        monkeypatch.setattr(delimited, "BLOCK", size)
        monkeypatch.setattr(streams, "DECODED", size)
        mark = {"utf-16-be": codecs.BOM_UTF16_BE, "utf-32-le": codecs.BOM_UTF32_LE, "utf-32-be": codecs.BOM_UTF32_BE}
        content = mark.get(name, b"") + text(WORDS["gb18030"]).replace("\n", "\r\n").encode(name)
        for packed in (content, gzip.compress(content, mtime=0)):
            found = read(write("j.txt", packed))
            assert rows_of(found) == rows(WORDS["gb18030"])
            assert f"j.txt is {name[:6].upper()}, as its byte order mark says" in found.notes

    def test_count_more_than_what_is_named(self, write: Write) -> None:
        found = read(write("j.txt", text(WORDS["cp1252"]).encode("utf-16")), encoding="cp1252")
        assert found.labels == tuple(sorted(WORDS["cp1252"]))
        marked = read(write("k.txt", text(WORDS["cp1252"]).encode("utf-8-sig")), encoding="cp1252")
        assert marked.labels == found.labels

    def test_of_lines_of_json_and_of_gold(self, write: Write) -> None:
        lines = "\n".join(json.dumps({"item": i, "worker": w, "label": k}) for i, w, k in rows(WORDS["big5"]))
        found = read(write("j.jsonl", lines.encode("utf-16")))
        assert rows_of(found) == rows(WORDS["big5"])
        assert found.notes == ("j.jsonl is UTF-16, as its byte order mark says",)
        gold = read_gold(write("gold.csv", "item,label\na,é\n".encode("utf-16")))
        assert (gold.label, gold.notes) == (("é",), ("gold.csv is UTF-16, as its byte order mark says",))
        bare = read_gold(write("bare.csv", "a,é\nb,é\n".encode("utf-16")))
        assert bare.label == ("é", "é")

    def test_without_which_utf16_is_told(self, write: Write) -> None:
        for name in ("utf-16-le", "utf-16-be"):
            path = write("j.txt", text(["ja", "nein"]).encode(name))
            with pytest.raises(FormatError, match=f"looks like UTF-16 without a byte order mark; .*--encoding {name}$"):
                read(path)
            assert read(path, encoding=name).labels == ("ja", "nein")

    def test_in_labels_that_are_evaluated(self, write: Write) -> None:
        path = write("labels.csv", "item,label\na,é\n".encode("utf-16"))
        assert labels_table.read_scored(path)["label"].tolist() == ["é"]
        with pytest.raises(FormatError, match="labels.csv: can't be read as a table: .*utf-8"):
            labels_table.read_scored(write("labels.csv", "item,label\na,é\n".encode("cp1252")))

    def test_before_damage(self, write: Write) -> None:
        content = text(["ja"]).encode("utf-16")
        with pytest.raises(
            FormatError, match="j.txt:25: .*UTF-16|j.txt:25: the byte 0x0a .*; the file is damaged or cut"
        ):
            read(write("j.txt", content[:-1]))


class TestOthers:
    @pytest.mark.parametrize("name", WORDS)
    def test_are_an_error_that_names_them(self, write: Write, name: str) -> None:
        path = write("j.txt", text(WORDS[name]).encode(name))
        with pytest.raises(FormatError, match=r"j.txt:2: the file is not UTF-8; it looks like .*--encoding ") as caught:
            read(path)
        assert "\n" not in str(caught.value)
        assert rows_of(read(path, encoding=name)) == sorted(rows(WORDS[name]))

    @pytest.mark.parametrize("name", ["cp1252", "cp1251", "gb18030", "big5", "cp932"])
    def test_are_recognised(self, name: str) -> None:
        assert encodings.looks_like(text(WORDS[name]).encode(name)) == name

    @pytest.mark.parametrize("words", ["Prüfer schön übel mittelmäßig", "Ja Nein vielleicht für"])
    def test_letters_are_likelier_than_signs(self, words: str) -> None:
        assert encodings.looks_like((words + "\n").encode("cp1252") * 9) == "cp1252"

    def test_are_not_where_nothing_fits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("charset_normalizer.from_bytes", lambda *_, **__: [])
        assert encodings.looks_like(b"\xff") is None

    def test_that_nobody_knows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(encodings, "looks_like", lambda _: None)
        told = encodings.message(Path("j.csv"), [(1, b"a"), (2, b"\xff")], True)
        assert told == "j.csv:2: the file is not UTF-8; name its encoding with --encoding cp1252, or another"
        assert encodings.message(Path("j.csv"), [(7, b"\xff" * 40_000), (8, b"\xff")], False).endswith(
            "UTF-8; save it as UTF-8"
        )

    def test_in_the_header(self, write: Write) -> None:
        content = text(["ja"]).replace("label", "étiquette").encode("cp1252")
        with pytest.raises(FormatError, match="j.txt:1: the file is not UTF-8; it looks like cp1252, .*étiquette"):
            read(write("j.txt", content))
        assert read(write("j.txt", content), encoding="cp1252", label="étiquette").labels == ("ja",)

    def test_lines_of_json(self, write: Write) -> None:
        lines = "\n".join(f'{{"item": "{i}", "worker": "{w}", "label": "{k}"}}' for i, w, k in rows(WORDS["cp1252"]))
        path = write("j.jsonl", lines.encode("cp1252"))
        with pytest.raises(FormatError, match="j.jsonl:1: the file is not UTF-8; it looks like cp1252"):
            read(path)
        assert read(path, encoding="cp1252").labels == tuple(sorted(WORDS["cp1252"]))
        mostly = write("k.jsonl", b'{"item": "a", "worker": "v", "label": "ja"}\n' + lines.encode("cp1252"))
        with pytest.raises(FormatError, match="k.jsonl:2: the file is not UTF-8"):
            read(mostly)

    def test_gold(self, write: Write) -> None:
        for content in ("item,label\na,é\nb,è\n", "a,é\nb,è\n"):
            path = write("gold.csv", content.encode("cp1252"))
            with pytest.raises(
                FormatError, match=r"gold.csv:\d: the file is not UTF-8; it looks like cp1252, .*; save it as UTF-8$"
            ):
                read_gold(path)
            assert read_gold(path, encoding="cp1252").label == ("é", "è")

    def test_a_few_rows_are_rejects_and_told(self, write: Write) -> None:
        good = csv([(f"q{n}", f"w{n % 3}", "ja") for n in range(90)]).encode()
        path = write("j.csv", good + "q91,w,né\n".encode("cp1252"))
        found = check(path)
        assert [(one.line, one.reason) for one in found.judgments.rejects] == [(92, "the label is not UTF-8")]
        (told,) = [one.message for one in found.warnings if one.code == "wrong_encoding"]
        assert told.startswith("1 row is rejected because it is not UTF-8: ")
        assert "j.csv:92: the file is not UTF-8; it looks like cp1252, in which this line reads: q91,w,né" in told
        assert found.command is not None
        assert found.command.endswith(" --encoding cp1252")
        assert read(path, encoding="cp1252").tally.used == 91
        several = check([path, write("k.csv", good + "q92,w,né\nq93,w,né\n".encode("cp1252"))])
        assert [one.message[:32] for one in several.warnings if one.code == "wrong_encoding"][
            1
        ] == "2 rows are rejected because they"

    def test_columns_that_are_not_read_do_not_matter(self, write: Write) -> None:
        content = "item,worker,label,note\n" + "".join(f"q{n},w,ja,é\n" for n in range(9))
        assert read(write("j.csv", content.encode("cp1252"))).tally.used == 9


class TestNamed:
    @pytest.mark.parametrize("size", [1, 7, 1 << 20])
    def test_a_byte_that_does_not_fit_is_an_error(
        self, write: Write, monkeypatch: pytest.MonkeyPatch, size: int
    ) -> None:
        monkeypatch.setattr(streams, "DECODED", size)
        for end in ("\n", "\r\n", "\r"):
            content = csv([("a", "v", "é"), ("b", "v", "X"), ("c", "v", "é")]).replace("\n", end)
            path = write("j.csv", content.encode("cp1252").replace(b"X", b"\x81"))
            with pytest.raises(
                FormatError, match="j.csv:3: the byte 0x81 does not fit the encoding cp1252; name another"
            ):
                read(path, encoding="cp1252")
        with pytest.raises(FormatError, match="j.csv:1: it can't be decoded .*BOM.* the encoding utf-16; name another"):
            read(write("j.csv", csv([("a", "v", "é")] * 3).encode("cp1252")), encoding="utf-16")

    def test_what_is_utf8_stays_so(self, write: Write) -> None:
        other = write("1.csv", csv([("a", "v", "é")]).encode("cp1252"))
        plain = write("2.csv", csv([("b", "v", "é")]))
        ascii_only = write("3.csv", csv([("c", "v", "e")]))
        found = read([other, plain, ascii_only], encoding="cp1252")
        assert found.labels == ("e", "é")
        assert found.notes == (
            "2.csv is UTF-8, and is read as UTF-8, not as cp1252; if that is wrong, convert the file",
        )
        assert read(plain, encoding="utf8").notes == ()

    def test_latin1_that_is_none_is_told(self, write: Write) -> None:
        path = write("j.csv", csv([("a", "v", "“é”")]).encode("cp1252"))
        (note,) = read(path, encoding="latin-1").notes
        assert note == (
            "j.csv has control characters when it is read as latin-1, as if it were cp1252: see whether "
            "--encoding cp1252 reads it right"
        )
        assert read(path, encoding="cp1252").notes == ()
        assert read(write("k.csv", csv([("a", "v", "é")]).encode("cp1252")), encoding="latin-1").notes == ()

    def test_utf8_is_strict(self, write: Write) -> None:
        path = write("j.csv", csv([("a", "v", "x"), ("b", "v", "Y"), ("c", "v", "x")]).encode().replace(b"Y", b"\xff"))
        assert read(path).tally.rejected == 1
        with pytest.raises(FormatError, match="j.csv:3: the byte 0xff does not fit the encoding utf-8"):
            read(path, encoding="utf-8")

    @pytest.mark.parametrize("name", ["klingon", "hex", "rot13", "undefined", "idna", "a\0b", ""])
    def test_names_that_are_none(self, name: str) -> None:
        with pytest.raises(ConfigError, match="setting encoding = "):
            read({"item": ["a"], "worker": ["v"], "label": ["x"]}, encoding=name)

    def test_on_the_command_line(self, write: Write, run: Run, tmp_path: Path) -> None:
        judged = write("j.csv", csv(rows(WORDS["cp1252"])).replace("thé \u2013", "the").encode("cp1252"))
        gold = write("gold.csv", "item,label\nq00,café\nq02,crème brûlée\n".encode("cp1252"))
        out = tmp_path / "out"
        ran = run("run", judged, "--gold", gold, "--encoding", "latin-1", "--output", out)
        assert ran.status == 0
        told = json.loads((out / "summary.json").read_text())
        assert told["understood"]["encoding"] == "latin-1"
        assert "delimiter" not in told["understood"]
        assert run("report", out).status == 0  # read again, by the same settings
        shown = json.loads(run("check", judged, "--encoding", "latin-1", "--json").out)
        assert shown["understood"]["encoding"] == "latin-1"
        assert shown["command"].endswith("--encoding latin-1")


def test_a_tap_gives_as_many_bytes_as_asked_for(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "DECODED", 3)
    path, expected = write("j.csv", "aé\nb".encode("utf-16")), "aé\nb\n".encode()
    for size in (1, 2, 3, 100, -1):
        with Tap(path) as tap:
            pieces = list(iter(lambda: tap.read(size), b""))  # noqa: B023
        assert b"".join(pieces) == expected
        assert size < 0 or all(len(piece) <= size for piece in pieces)
    plain: Any = write("k.csv", b"abcdef\n")
    with Tap(plain) as tap:
        assert [tap.read(2), tap.read(1), tap.read()] == [b"ab", b"c", b"def\n"]
