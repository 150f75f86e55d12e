"""Assignments of Toloka against counts by plain pandas, with tabs and commas, whole and stripped of who judged."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from consensus import read, read_gold
from consensus.errors import FormatError
from consensus.formats.platforms import toloka
from consensus.formats.platforms.seam import Head
from consensus.inputs.judgments import Judgments
from tests.conftest import ROOT
from tests.formats.test_platforms import balanced

Write = Callable[[str, str | bytes], Path]
EXAMPLE = ROOT / "tests" / "platforms" / "toloka.tsv"
WORKER, STATUS = "ASSIGNMENT:worker_id", "ASSIGNMENT:status"


def rows_of(judgments: Judgments) -> list[tuple[str, str, str]]:
    items, workers = judgments.item_ids.to_pylist(), judgments.worker_ids.to_pylist()
    codes = zip(judgments.item, judgments.worker, judgments.label, strict=True)
    return [(items[i], workers[w], judgments.labels[k]) for i, w, k in codes]


def assignments(*rows: str, header: str = f"INPUT:url,OUTPUT:mood,{WORKER}") -> str:
    return "\n".join([header, *rows]) + "\n"


class TestExample:
    frame = pd.read_csv(EXAMPLE, sep="\t", dtype=str, keep_default_na=False)

    def test_counts(self) -> None:
        found = read(EXAMPLE)
        good = self.frame[self.frame[STATUS].isin(["APPROVED", "SUBMITTED"])]
        given = good[good["OUTPUT:result"] != ""]
        assert rows_of(found) == sorted(
            given[["INPUT:image", WORKER, "OUTPUT:result"]].itertuples(index=False, name=None)
        )
        assert (found.tally.read, found.tally.used) == (len(self.frame), len(given)) == (32, 23)
        assert (found.tally.rejected, found.tally.abstained) == (4, 5)
        assert {one.reason for one in found.rejects} == {"the assignment was rejected"}
        assert "rows that give no answer by their status: rejected 4, skipped 4; gold: 8 rows" in found.notes[0]

    def test_times_and_rewards_of_pages(self) -> None:
        found = read(EXAMPLE)
        assert found.timestamp is not None
        assert found.timestamp.min() == np.datetime64("2022-01-01T10:10:40")
        assert found.duration is not None
        assert set(found.duration.tolist()) == {10.0, 10.25}
        assert found.price is not None
        assert set(found.price.tolist()) == {0.01}

    def test_gold(self) -> None:
        golden = self.frame[self.frame["GOLDEN:result"] != ""][["INPUT:image", "GOLDEN:result"]].drop_duplicates()
        gold = read_gold(EXAMPLE)
        assert list(zip(gold.item, gold.label, strict=True)) == list(golden.itertuples(index=False, name=None))

    def test_columns_that_are_named(self) -> None:
        found = read(EXAMPLE, item="ASSIGNMENT:task_id", group="ASSIGNMENT:assignment_id", label="OUTPUT:result")
        assert found.item_ids.to_pylist() == [f"t{n}" for n in range(1, 9)]
        assert found.group_ids is not None
        assert read(EXAMPLE, drop=["ASSIGNMENT:status=SUBMITTED"]).tally.dropped == 4
        assert read(EXAMPLE, label="INPUT:image").n_labels == 8
        with pytest.raises(FormatError, match='no question "size"; this Toloka assignments file asks: result '):
            read(EXAMPLE, label="size")
        with pytest.raises(FormatError, match='no column "id" for the item'):
            read(EXAMPLE, item="id")

    def test_without_workers_or_statuses(self, tmp_path: Path) -> None:
        """As owners publish them: with commas, and all columns of assignments taken out."""
        path = tmp_path / "public.csv"
        self.frame[[name for name in self.frame.columns.tolist() if not name.startswith("ASSIGNMENT")]].to_csv(
            path, index=False
        )
        found = read(path)
        assert found.anonymous == ("no worker",)
        assert found.tally.used == (self.frame["OUTPUT:result"] != "").sum()
        assert "worker unknown, label result; no worker column: only majority and agreement possible" in found.notes[0]
        assert (found.timestamp, found.duration, found.price) == (None, None, None)
        assert "no worker column" not in read(path, worker="HINT:text").notes[0]


class TestItems:
    header = f"INPUT:a,INPUT:b,OUTPUT:mood,{WORKER}"

    def test_of_several_inputs(self, write: Write) -> None:
        path = write("a.csv", assignments("p,x,good,v", "p,y,good,v", "q,y,bad,w", header=self.header))
        found = read(path)
        assert found.item_ids.to_pylist() == ["p | x", "p | y", "q | y"]
        assert "item all columns INPUT:, " in found.notes[0]
        path = write("b.csv", assignments("p,x,good,v", "p,y,good,v", "p,z,bad,w", header=self.header))
        assert read(path).item_ids.to_pylist() == ["x", "y", "z"]

    def test_without_inputs(self, write: Write) -> None:
        header = f"OUTPUT:mood,ASSIGNMENT:task_id,ASSIGNMENT:assignment_id,{STATUS},{WORKER}"
        path = write("a.csv", assignments("good,t1,a1,APPROVED,v", header=header))
        assert rows_of(read(path)) == [("t1", "v", "good")]
        bare = write("b.csv", assignments("good,v", header=f"OUTPUT:mood,{WORKER}"))
        found = read(bare, platform="toloka")
        assert [one.reason for one in found.rejects] == ["the item is missing"]


@pytest.mark.parametrize(
    ("cell", "label"),
    [
        ("\r\n  good\r\n", "good"),
        ('["b", "a"]', "a | b"),
        ('["a"]', "a"),
        ("[]", None),
        ("[not JSON", "[not JSON"),
        ("404", "404"),
        ("  ", None),
        ("NA", "NA"),
    ],
)
def test_labels(write: Write, cell: str, label: str | None) -> None:
    text = '"' + cell.replace('"', '""') + '"'
    found = read(write("a.csv", assignments(f"p,{text},v", "p,good,w")))
    assert [one[2] for one in rows_of(found) if one[1] == "v"] == ([label] if label else [])
    assert ("(several choices: each set" in found.notes[0]) == (label == "a | b")


class TestQuestions:
    header = f"INPUT:url,OUTPUT:mood,OUTPUT:size,OUTPUT:why,OUTPUT:box,GOLDEN:size,{WORKER}"

    def rows(self, gold: str) -> list[str]:
        return [f'p{n},good,big,text {n},"[{{""x"": {n}}}]",{gold},v' for n in range(40)]

    def test_one_with_gold_is_taken(self, write: Write) -> None:
        found = read(write("a.csv", assignments(*self.rows("big"), header=self.header)))
        assert found.labels == ("big",)
        others = (
            "other questions, for --label, or all with --by question: mood (one choice), why (free text), box (marked "
            "regions); "
        )
        assert others in found.notes[0]
        assert found.gold is not None

    def test_several(self, write: Write) -> None:
        path = write("a.csv", assignments(*self.rows(""), header=self.header))
        with pytest.raises(
            FormatError, match=r"several questions: mood \(one choice\), size \(one choice\), why \(fre"
        ):
            read(path)
        assert read(path, label="mood").labels == ("good",)
        assert read(path, label="why").n_labels == 40
        assert read(path, label="size", group="OUTPUT:mood").group_ids is not None
        assert (
            read_gold(write("g.csv", assignments(*self.rows("big"), header=self.header)), label="x").label[0] == "big"
        )
        with pytest.raises(FormatError, match='answers to "box" are regions'):
            read(path, label="box")
        with pytest.raises(FormatError, match="no gold in this Toloka assignments file"):
            read_gold(path, label="mood")


class TestTimesAndRewards:
    header = f"INPUT:url,OUTPUT:mood,{WORKER},ASSIGNMENT:assignment_id,ASSIGNMENT:started,ASSIGNMENT:submitted,"
    header += "ASSIGNMENT:reward"

    def test_damaged(self, write: Write) -> None:
        day = "2022-01-01T10:00:"
        rows = [
            f"p,good,v,a1,{day}00,{day}30,0.5",
            f"q,good,w,a2,{day}30,{day}00,much",
            f"r,good,w,a2,{day}30,{day}00,much",
            f"s,good,x,a3,{day}00,{day}30Z,1",
            f"t,good,x,a4,,{day}30,1",
            f"t,good,x,a4,,{day}30,1",
        ]
        found = read(write("a.csv", assignments(*rows, header=self.header)))
        assert found.duration is not None
        assert np.nan_to_num(found.duration, nan=-1).tolist() == [30.0, -1, -1, -1, -1]
        assert found.price is not None
        assert np.nan_to_num(found.price, nan=-1).tolist() == [0.5, -1, -1, 1, 0.5]
        assert found.unreadable_amounts == {"price": 2}

    def test_of_the_start_only(self, write: Write) -> None:
        header = f"INPUT:url,OUTPUT:mood,{WORKER},ASSIGNMENT:started"
        found = read(write("a.csv", assignments("p,good,v,2022-01-01T10:00:00.000", header=header)))
        assert found.timestamp is not None
        assert found.duration is None


def test_aggregated_answers_are_refused(write: Write) -> None:
    path = write("a.tsv", "INPUT:url\tOUTPUT:mood\tCONFIDENCE:mood\na.png\tgood\t97.85%\n")
    with pytest.raises(FormatError, match="these are aggregated answers of Toloka: one row an item, .* assignments"):
        read(path)
    with pytest.raises(FormatError, match="this is no Toloka assignments file, for no column begins with OUTPUT:"):
        read(write("b.csv", "item,worker,label\na,v,x\n"), platform="toloka")


def test_nobody_answered(write: Write) -> None:
    with pytest.raises(FormatError, match="nobody answered a question in this Toloka assignments file"):
        read(write("a.csv", assignments("p,,v")))


@pytest.mark.parametrize(
    ("columns", "known"),
    [
        ("INPUT:a,OUTPUT:b", True),
        (f"OUTPUT:b,ASSIGNMENT:assignment_id,{STATUS}", True),
        ("OUTPUT:b,item,worker", False),
        ("INPUT:a,output,worker", False),
        ("item,label,OUTPUT:", False),
    ],
)
def test_knows_its_own(columns: str, known: bool) -> None:
    assert toloka.sniff(Head(Path("x"), f"{columns}\n1,2,3,4\n".encode())) is known


def test_survives_what_is_cut_or_swapped(write: Write) -> None:
    whole = EXAMPLE.read_bytes()
    damaged = [whole[:n] for n in range(20, len(whole), 997)]
    damaged += [whole.replace(one, other) for one, other in [(b"\t", b","), (b"cat", b'"'), (b"OUTPUT", b"\xff")]]
    damaged.append(whole.replace(b"w71\t", b"w71\t\t\t\t\t\t\t\t"))
    for n, content in enumerate(damaged):
        path = write(f"d{n}.tsv", content)
        try:
            found = read(path, platform="toloka")
        except FormatError as error:
            assert str(error).startswith(str(path))  # noqa: PT017
            continue
        assert balanced(found)
