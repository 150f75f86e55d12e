"""Folders, archives, standard input and open files: what is read of them, and what they are called."""

import io
import json
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

import consensus
from consensus import read, read_gold, read_model_votes
from consensus.errors import FormatError, OutputError
from consensus.formats import archives, columns_of, sources
from consensus.formats.tables import delimited
from consensus.formats.tables.roles import Roles
from consensus.runs import finished
from tests.conftest import Run, csv

Files = Mapping[str, str | bytes]
Write = Callable[[str, str | bytes], Path]
ROWS = [(f"i{i}", f"w{w}", ("a", "b")[(i + (w == 2)) % 2]) for i in range(12) for w in range(4)]
HALVES: Files = {"one.csv": csv(ROWS[:24]), "two.csv": csv(ROWS[24:])}


def zipped(path: Path, files: Files) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def folder(path: Path, files: Files) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def temporary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    return place


class TestFoldersAndArchives:
    @pytest.mark.parametrize("make", [folder, zipped])
    @pytest.mark.parametrize(
        "files",
        [
            HALVES,
            {**HALVES, "notes.pdf": "%PDF", ".hidden.csv": "x", "._one.csv": b"\0\5", "__MACOSX/one.csv": b"\0\5"},
            {"b.csv": csv(ROWS[:10]), "a.tsv": csv(ROWS[10:]).replace(",", "\t")},
            {
                "p.jsonl": pd.DataFrame(ROWS, columns=["item", "worker", "label"]).to_json(
                    orient="records", lines=True
                ),
                "readme.md": "# nothing",
            },
            {f"{n}.csv": csv(ROWS[8 * n : 8 * n + 8]) for n in range(6)},
        ],
    )
    def test_the_same_as_one_table(
        self,
        make: Callable[[Path, Files], Path],
        files: Files,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        place = temporary(monkeypatch, tmp_path)
        path = make(tmp_path / "export.zip", files)
        found, whole = read(path), read(pd.DataFrame(ROWS, columns=["item", "worker", "label"]))
        for name in ("item", "worker", "label", "item_ids", "worker_ids", "labels"):
            assert list(getattr(found, name)) == list(getattr(whole, name))
        tables = sorted(name for name in files if sources.is_table(name) and name[0] not in "._")
        assert [source.file for source in found.sources] == [f"{path}/{name}" for name in tables]
        (note,) = found.notes
        assert note.startswith(f"{path}: {len(tables)} file{'' if len(tables) == 1 else 's'} read, in the order")
        assert ("not read: " in note) == ("notes.pdf" in files or "readme.md" in files)
        assert not list(place.iterdir())

    def test_archives_in_folders_in_lists(self, tmp_path: Path) -> None:
        path = folder(tmp_path / "all", {"plain.csv": HALVES["one.csv"]})
        zipped(path / "more.zip", {"deep/two.csv": HALVES["two.csv"]})
        assert read(path).n_judgments == len(ROWS)
        assert read([path / "plain.csv", path / "more.zip"]).n_judgments == len(ROWS)
        assert read(path / "more.zip" / "deep" / "two.csv").n_judgments == 24
        assert columns_of(path / "more.zip") == ["item", "worker", "label"]

    def test_persons_have_files_in_an_archive(self, tmp_path: Path) -> None:
        files: Files = {f"{who}.csv": csv([(i, "ab"[i % 2]) for i in range(5)], "item,label") for who in ("ann", "bob")}
        judgments = read(zipped(tmp_path / "people.zip", files), worker_from_file=True)
        assert judgments.worker_ids.to_pylist() == ["ann", "bob"]
        with pytest.raises(FormatError, match="if each file holds the judgments of one worker: --worker-from-file"):
            read(tmp_path / "people.zip")

    def test_names_of_files_break_no_line(self, tmp_path: Path) -> None:
        text = "item,worker,label\n1,w,a\n"
        judgments = read(zipped(tmp_path / "x.zip", {"a\nb.csv": text}))
        assert judgments.notes[0].endswith(r"1 file read, in the order of names: a\nb.csv")
        with pytest.raises(FormatError, match=r"holds another archive, a\\nb.zip; unpack it"):
            read(zipped(tmp_path / "y.zip", {"a\nb.zip": text}))
        with pytest.raises(FormatError, match=r"no table to read in it: it holds a\\nb.png; expected"):
            read(zipped(tmp_path / "z.zip", {"a\nb.png": text}))

    def test_notes_name_the_member(self, tmp_path: Path) -> None:
        raw, tabs = csv(ROWS[:24]).encode("utf-16"), csv(ROWS[24:]).replace(",", "\t")
        found = read(zipped(tmp_path / "x.zip", {"a/part.csv": raw, "b/part: 2?.csv": tabs}))
        assert found.notes[1:] == (
            "part.csv is UTF-16, as its byte order mark says",
            "part_ 2_.csv is read as tab-separated text, as it looks; --delimiter names another delimiter",
        )
        assert [one.file for one in found.sources] == [
            f"{tmp_path}/x.zip/{one}" for one in ("a/part.csv", "b/part: 2?.csv")
        ]

    def test_long_names_and_those_that_are_no_names(self, tmp_path: Path) -> None:
        path = zipped(tmp_path / "x.zip", {f"{'é' * 120}.csv": csv(ROWS)})
        assert read(path).n_judgments == len(ROWS)
        for name, told in (
            ("..", "file"),
            ("/a/..b.csv", "b.csv"),
            ("x\ud800y", "x_ud800y"),
            ("é" * 99 + "z", "é" * 49 + "z"),
        ):
            file = io.BytesIO(csv(ROWS).encode("utf-16"))
            file.name = name
            assert read(file).notes == (f"{told} is UTF-16, as its byte order mark says",)

    def test_rejects_and_errors_name_the_member(self, tmp_path: Path) -> None:
        path = zipped(tmp_path / "x.zip", {"in/a.csv": "item,worker,label\n1,w,a\n2,w\n"})
        (reject,) = read(path).rejects
        assert (reject.file, reject.line) == (f"{path}/in/a.csv", 3)
        path = zipped(tmp_path / "y.zip", {"b.csv": 'item,worker,label\n1,w,"a\n'})
        with pytest.raises(FormatError, match=r"y\.zip/b\.csv:2: a quote"):
            read(path)
        path = zipped(tmp_path / "z.zip", {"c.csv": "item,worker\n1,w\n"})
        with pytest.raises(FormatError, match=r"z\.zip/c\.csv: no column holds the label"):
            read(path)

    def test_gold_and_votes_in_archives(self, tmp_path: Path) -> None:
        gold = read_gold(zipped(tmp_path / "gold.zip", {"g.csv": csv([("i1", "a")], "item,label")}))
        assert gold.item == ("i1",)
        assert gold.notes == (f"{tmp_path}/gold.zip: 1 file read, in the order of names: g.csv",)
        votes = read_model_votes(zipped(tmp_path / "v.zip", {"v.csv": csv([("i1", "m", "a")], "item,model,label")}))
        assert votes.sources[0].file == f"{tmp_path}/v.zip/v.csv"
        found = consensus.run(pd.DataFrame(ROWS, columns=["item", "worker", "label"]), model_votes=tmp_path / "v.zip")
        assert found.summary["notes"] == [f"{tmp_path}/v.zip: 1 file read, in the order of names: v.csv"]

    def test_an_export_of_a_platform_in_an_archive(self, tmp_path: Path) -> None:
        report = (Path(__file__).parents[1] / "platforms" / "crowdflower.csv").read_bytes()
        path = zipped(tmp_path / "job.zip", {"f1.csv": report})
        plain = folder(tmp_path / "plain", {"f1.csv": report})
        one, other = read(path), read(plain / "f1.csv")
        assert one.gold is not None
        assert other.gold is not None
        assert one.gold.place[0] == f"{path}/f1.csv:{other.gold.place[0].rpartition(':')[2]}"
        assert any(str(path) in note for note in one.notes)
        assert one.n_judgments == other.n_judgments

    @pytest.mark.parametrize(
        ("files", "told"),
        [
            ({}, "no table to read in it: it is empty; expected files such as .csv"),
            ({"a.pdf": "x", "b.doc": "y"}, "no table to read in it: it holds a.pdf, b.doc; expected"),
            ({"a.csv": "x", "b.zip": "PK"}, "holds another archive, b.zip; unpack it, and name the folder"),
        ],
    )
    def test_what_is_refused(self, files: Files, told: str, tmp_path: Path) -> None:
        with pytest.raises(FormatError, match=told):
            read(zipped(tmp_path / "x.zip", files))

    def test_encrypted_and_damaged(self, tmp_path: Path, write: Write) -> None:
        raw = bytearray(zipped(tmp_path / "x.zip", HALVES).read_bytes())
        locked = raw.copy()
        locked[raw.index(b"PK\1\2") + 8] |= 1
        with pytest.raises(FormatError, match="locked.zip: encrypted; unpack it with its password"):
            read(write("locked.zip", bytes(locked)))
        nameless = zipped(tmp_path / "y.zip", {"q": "x"}).read_bytes().replace(b"q", b"\0")
        with pytest.raises(FormatError, match="nameless.zip: damaged: a file in it has no name; make the archive"):
            read(write("nameless.zip", nameless))
        broken = raw.copy()
        broken[60:80] = bytes(20)
        with pytest.raises(FormatError, match="broken.zip: can't be unpacked: .*; fetch it again, or unpack it"):
            read(write("broken.zip", bytes(broken)))
        with pytest.raises(FormatError, match="cut.zip: can't be unpacked: file is not a zip file"):
            read(write("cut.zip", bytes(raw[:100])))

    def test_an_archive_of_a_newer_kind(self, write: Write, tmp_path: Path) -> None:
        raw = bytearray(zipped(tmp_path / "x.zip", HALVES).read_bytes())
        raw[raw.index(b"PK\1\2") + 6] = 93  # the version that is needed, in tenths
        with pytest.raises(FormatError, match="newer.zip: can't be unpacked: .*9.3"):
            read(write("newer.zip", bytes(raw)))

    def test_an_archive_with_a_name_that_is_no_text(self, write: Write, tmp_path: Path) -> None:
        raw = bytearray(zipped(tmp_path / "x.zip", {"\xe9.csv": next(iter(HALVES.values()))}).read_bytes())
        raw[raw.rindex("\xe9.csv".encode())] = 0x88
        with pytest.raises(FormatError, match="odd.zip: can't be unpacked: .*; fetch it again, or unpack it"):
            read(write("odd.zip", bytes(raw)))

    def test_bombs_and_full_disks(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = zipped(tmp_path / "x.zip", {"a.csv": "item,worker,label\n" + "1,w,a\n" * 100_000})
        monkeypatch.setattr(archives, "BOMB_BYTES", 1000)
        with pytest.raises(
            FormatError, match="x.zip: 0 MB that become 1 MB: this looks like a trap; unpack it yourself"
        ):
            read(path)
        monkeypatch.undo()
        monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10}))
        with pytest.raises(FormatError, match="x.zip: needs 1 MB when it is unpacked, and .* has 0 MB; make room"):
            read(path)

    def test_a_reader_of_files_reads_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(FormatError, match="this is a folder; name the files in it, such as"):
            delimited.read(tmp_path, Roles({}))

    def test_nothing_is_there(self, tmp_path: Path) -> None:
        path = zipped(tmp_path / "x.zip", HALVES)
        with pytest.raises(FormatError, match=r"/three\.csv: no such file in x\.zip; it holds one\.csv, two\.csv"):
            read(path / "three.csv")
        with pytest.raises(FormatError, match="no such file"):
            read(tmp_path / "none" / "a.csv")
        assert archives.member_of(folder(tmp_path / "f", HALVES) / "one.csv" / "x.csv") is None
        assert not archives.is_spreadsheet(tmp_path / "f")


class TestStreams:
    @pytest.mark.parametrize(
        "content",
        [
            csv(ROWS),
            "\n" + csv(ROWS).replace(",", ";"),
            pd.DataFrame(ROWS, columns=["item", "worker", "label"]).to_json(orient="records", lines=True),
        ],
    )
    @pytest.mark.parametrize("kind", ["text", "bytes"])
    def test_open_files(self, content: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        place = temporary(monkeypatch, tmp_path)
        judgments = read(io.StringIO(content) if kind == "text" else io.BytesIO(content.encode()))
        assert judgments.n_judgments == len(ROWS)
        assert [one.file for one in judgments.sources] == ["open file"]
        how = {"i": None, "\n": "semicolon-separated text, as it looks; --delimiter names another delimiter"}
        note = how.get(content[0], "JSON lines")
        assert judgments.notes == (() if note is None else (f"open file is read as {note}",))
        assert not list(place.iterdir())

    @pytest.mark.parametrize("packed", ["gzip", "zstd", None])
    def test_tables_of_other_kinds(self, packed: str | None, tmp_path: Path) -> None:
        frame = pd.DataFrame(ROWS, columns=["item", "worker", "label"])
        if packed is None:
            frame.to_parquet(tmp_path / "j.parquet")
        else:
            with pa.output_stream(str(tmp_path / "j.csv.x"), compression=packed) as stream:
                stream.write(csv(ROWS).encode())
        (path,) = [one for one in tmp_path.iterdir() if one.name.startswith("j.")]
        with path.open("rb") as file:
            judgments = read(file)
        assert (judgments.n_judgments, judgments.sources[0].file) == (len(ROWS), str(path))
        with path.open("rb") as one, io.BytesIO(path.read_bytes()) as other:
            assert read([one, other], repeats="last").tally.read == 2 * len(ROWS)

    def test_an_archive(self, tmp_path: Path) -> None:
        judgments = read(io.BytesIO(zipped(tmp_path / "x.zip", HALVES).read_bytes()))
        assert [one.file for one in judgments.sources] == ["open file/one.csv", "open file/two.csv"]

    def test_broken_compression(self) -> None:
        with pytest.raises(FormatError, match="^open file: can't be decompressed"):
            read(io.BytesIO(b"\x1f\x8b" + bytes(50)))

    def test_what_is_not_there_is_told_with_its_name(self) -> None:
        with pytest.raises(FormatError, match="^open file: the file is empty"):
            read(io.StringIO(""))
        with pytest.raises(FormatError, match="^open file: no column holds the label"):
            read(io.StringIO("item,worker\n1,2\n"))

    def test_repeats_are_explained_by_a_second_look(self) -> None:
        rows = [(i, f"w{w}", q, "ab"[i % 2]) for i in range(30) for w in range(3) for q in ("q1", "q2", "q3")]
        with pytest.raises(Exception, match='"part" has 3 values and would leave 0 repeats'):
            read(io.StringIO(csv(rows, "item,worker,part,label")))


class TestCommands:
    @pytest.fixture
    def piped(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
        def _piped(content: str) -> None:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content.encode())))

        return _piped

    def test_standard_input(self, run: Run, piped: Callable[[str], None], tmp_path: Path) -> None:
        piped(csv(ROWS))
        ran = run("run", "-", "--output", tmp_path / "out")
        assert ran.status == 0, ran.err
        told = json.loads((tmp_path / "out" / "summary.json").read_text())
        assert [one["file"] for one in told["provenance"]["judgments"]] == ["standard input"]
        for command in (("report",), ("explain",)):
            ran = run(*command, tmp_path / "out", *(["i1"] if command == ("explain",) else []))
            assert ran.status == 1
            assert "its input was standard input, which can't be read a second time; save it to a file" in ran.err

    def test_standard_input_in_python(self, piped: Callable[[str], None]) -> None:
        for one in ("stream", "bytes", "name"):
            piped(csv(ROWS))
            source = {"stream": sys.stdin, "bytes": sys.stdin.buffer, "name": "-"}[one]
            assert [known.file for known in read(source).sources] == ["standard input"]

    def test_commands_that_look_at_columns(self, run: Run, piped: Callable[[str], None]) -> None:
        piped(csv(ROWS, "item,who,label"))
        ran = run("audit", "-", "--worker", "who")
        assert ran.out.count("\n") == 5, ran.err

    @pytest.mark.parametrize("make", [folder, zipped])
    def test_finished_runs_are_read_again(self, make: Callable[[Path, Files], Path], run: Run, tmp_path: Path) -> None:
        path = make(tmp_path / "export.zip", HALVES)
        assert run("run", path, "--output", tmp_path / "out").status == 0
        ran = run("explain", tmp_path / "out", "i1")
        assert (ran.status, "4 of 4" in ran.out or "3 of 4" in ran.out) == (0, True), ran.err
        make(tmp_path / "export.zip", {**HALVES, "one.csv": csv(ROWS[:20])})
        with pytest.raises(OutputError, match=r"its input .*export\.zip/one\.csv has changed since"):
            finished.inputs_of(tmp_path / "out")
