"""Rows that are left out by the value of a column, and workers who are told by the name of their file."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from consensus import read
from consensus.errors import ConfigError, FormatError
from consensus.formats.tables import delimited
from tests.conftest import Run, csv

Write = Callable[[str, str | bytes], Path]
ROWS = [(f"i{i}", f"w{w}", f"l{i % 2}", ("ok", "bad", "")[w], i % 2 == 0) for i in range(4) for w in range(3)]
HEADER = "item,worker,label,state,even"


def balanced(judgments: object) -> bool:
    tally = judgments.tally  # type: ignore[attr-defined]
    return bool(tally.read == tally.used + tally.abstained + tally.repeated + tally.rejected + tally.dropped)


class TestDrop:
    @pytest.mark.parametrize(
        ("drop", "n"),
        [
            (("state=bad",), 4),
            (("state=bad", "state=ok"), 8),
            (("state=bad", "even=True"), 8),
            (("state=",), 4),
            (("label=l0",), 6),
            (("worker=w1", "item=i1"), 6),
            (("state=BAD",), 0),
        ],
    )
    @pytest.mark.parametrize("kind", ["csv", "frame", "parquet", "jsonl"])
    def test_rows_are_left_out_and_counted(
        self, drop: tuple[str, ...], n: int, kind: str, write: Write, tmp_path: Path
    ) -> None:
        frame = pd.DataFrame(ROWS, columns=HEADER.split(","))
        frame["even"] = frame["even"].astype(str)
        path = tmp_path / f"j.{kind}"
        if kind == "parquet":
            frame.to_parquet(path)
        elif kind == "jsonl":
            frame.to_json(path, orient="records", lines=True)
        elif kind == "csv":
            path = write("j.csv", csv(ROWS, HEADER))
        judgments = read(frame if kind == "frame" else path, drop=drop)
        assert (judgments.tally.dropped, judgments.n_judgments) == (n, 12 - n)
        assert set(judgments.unused) == {"state", "even"} - {one.split("=")[0] for one in drop}
        assert balanced(judgments)

    def test_what_was_left_out_is_said(self, run: Run, write: Write, tmp_path: Path) -> None:
        options = ["--drop", "state=bad", "--drop", "even=True", "--drop", "state=gone"]
        ran = run("run", write("j.csv", csv(ROWS, HEADER)), "--output", tmp_path / "out", *options)
        assert ran.err.startswith("12 rows read = 4 used + 8 left out\n")
        assert "\n8 rows left out: state=bad 4, even=True 6\n" in ran.err
        assert (
            "\nwarning option_without_effect: --drop state=gone: no row has this, so none is left out; the column "
            'holds "ok", "bad", ""\n'
        ) in ran.err
        told = json.loads((tmp_path / "out" / "summary.json").read_text())
        assert told["counts"]["rows"]["dropped"] == 8
        assert told["settings"]["drop"] == options[1::2]

    def test_what_is_said_stays_on_a_line(self) -> None:
        frame = {"item": list("ab"), "worker": list("vw"), "label": list("xy"), "s": ["a\nb", "c"]}
        judgments = read(frame, drop=("s=a\nb", "s=d\ne"), anonymous=("f\ng",))
        assert judgments.notes == (r"1 row left out: s=a\nb 1",)
        assert judgments.cautions[0].message.startswith(r"--drop 's=d\ne': no row has this")
        assert judgments.cautions[1].message == r"--anonymous 'f\ng': no worker is called that"

    def test_rejects_keep_their_lines(self, write: Write) -> None:
        lines = csv(ROWS, HEADER).splitlines()
        lines[3] = "i0,,l0,ok,x"
        judgments = read(write("j.csv", "\n".join(lines)), drop=("state=bad",))
        (reject,) = judgments.rejects
        assert (reject.line, reject.row) == (4, "i0,,l0,ok,x")
        assert balanced(judgments)

    def test_lines_of_odd_files_are_told(self, write: Write) -> None:
        rows = [*ROWS[:4], ("i9", "", "l0", "ok", "two\nlines")]
        text = csv([tuple(f'"{cell}"' if "\n" in str(cell) else cell for cell in row) for row in rows], HEADER)
        judgments = read(write("j.csv", text.replace('i9,"', "i9,").replace("i9,,", "i9,,")), drop=("state=bad",))
        assert [one.line for one in judgments.rejects] == [6]

    def test_some_of_many_values_are_shown(self, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(delimited, "BLOCK", 200)
        rows = [(f"i{i}", "w", "x", f"s{i}") for i in range(99)]
        (told,) = read(write("j.csv", csv(rows, "item,worker,label,s")), drop=("s=x",), threads=1).cautions
        assert told.message.endswith('the column holds "s0", "s1", "s2", "s3", "s4", "s5"')

    @pytest.mark.parametrize("value", ["status", "=x", ""])
    def test_a_pair_of_column_and_value_is_wanted(self, value: str) -> None:
        with pytest.raises(ConfigError, match="^setting drop = .*: each should be a column and a value with = between"):
            read({"item": ["a"]}, drop=(value,))

    def test_an_unknown_column_is_an_error(self, write: Write) -> None:
        path = write("j.csv", csv(ROWS, HEADER))
        said = r'j.csv: no column "State" for --drop; the columns are: item, worker, label, state, even; correct it'
        with pytest.raises(FormatError, match=said):
            read(path, drop=("State=bad",))

    def test_values_may_hold_signs_and_bytes(self, write: Write) -> None:
        path = write("j.csv", csv([("i1", "w1", "x", "a=b"), ("i1", "w2", "x", "c")], "item,worker,label,s").encode())
        assert read(path, drop=("s=a=b",)).tally.dropped == 1
        bad = write("b.csv", b"item,worker,label,s\ni1,w1,x,\xff\ni1,w2,x,c\ni1,w3,x,\n")
        judgments = read(bad, drop=("s=c", r"s=\xff"))
        assert (judgments.tally.dropped, judgments.tally.rejected) == (2, 0)

    def test_dictionaries_are_read(self) -> None:
        table = pa.table({"item": ["a", "b"], "worker": ["v", "w"], "label": ["x", "y"]})
        table = table.append_column("s", pa.array(["bad", "ok"]).dictionary_encode())
        assert read(table, drop=("s=bad",)).tally.dropped == 1

    def test_of_a_platform(self) -> None:
        path = Path(__file__).parents[1] / "platforms" / "crowdflower.csv"
        plain = read(path)
        some = read(path, drop=("_worker_id=" + plain.worker_ids[0].as_py(), "_tainted=true"))
        assert some.tally.dropped == plain.per_worker[0] + plain.tally.repeated * 0
        assert balanced(some)


class TestWorkerFromFile:
    @pytest.mark.parametrize("name", ["ann.csv", "ann.CSV", "ann.tsv", "ann.csv.gz"])
    def test_the_name_without_its_ending(self, name: str, write: Write) -> None:
        import gzip

        text = csv([("i1", "x"), ("i2", "y")], "item,label")
        text = text.replace(",", "\t") if "tsv" in name else text
        path = write(name, gzip.compress(text.encode()) if name.endswith("gz") else text)
        judgments = read(path, worker_from_file=True)
        assert judgments.worker_ids.to_pylist() == ["ann"]
        assert judgments.understood[1][:3] == ("worker", "name of the file", "as named")

    def test_each_person_has_a_file(self, write: Write, run: Run) -> None:
        paths = [write(f"{name}.csv", csv([("i1", "x", "?")], "item,label,worker")) for name in ("v1.ann", "bob")]
        judgments = read(paths, worker_from_file=True)
        assert judgments.worker_ids.to_pylist() == ["bob", "v1.ann"]
        assert judgments.unused == ("worker",)
        ran = run("aggregate", *paths, "--worker-from-file")
        assert (ran.status, len(ran.out.splitlines())) == (0, 2)

    def test_two_files_of_a_name_are_said(self, write: Write, tmp_path: Path) -> None:
        paths = []
        for n in range(2):
            (tmp_path / f"batch{n}").mkdir()
            paths.append(write(f"batch{n}/ann.csv", csv([(f"i{n}", "x")], "item,label")))
        assert read(paths, worker_from_file=True).notes == ('2 files are called "ann": they count as one worker',)

    def test_a_frame_has_no_file(self) -> None:
        with pytest.raises(ConfigError, match="setting worker_from_file: a data frame has no file"):
            read({"item": ["a"], "label": ["x"]}, worker_from_file=True)

    def test_beside_a_column_is_an_error(self) -> None:
        with pytest.raises(ConfigError, match='both the name of the file and the column "who"'):
            read({"item": ["a"]}, worker_from_file=True, worker="who")
