"""Where gold stands: in the very file of the judgments, in columns that are named, without a header."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import consensus
from consensus import read, read_gold
from consensus.errors import ConfigError, FormatError, JudgmentError
from consensus.inputs import gold_workers
from tests.conftest import ROOT, Run, csv

Write = Callable[[str, str | bytes], Path]
JUDGED = [(f"i{i}", f"w{w}", "xy"[(i + (w == 2 and i % 3 == 0)) % 2]) for i in range(12) for w in range(3)]


def with_gold(name: str, n: int = 4) -> str:
    return csv(
        [(*row, "xy"[int(row[0][1:]) % 2] if int(row[0][1:]) < n else "") for row in JUDGED],
        f"item,worker,label,{name}",
    )


class TestOfTheFileOfJudgments:
    def test_its_labels_are_no_gold(self, write: Write, run: Run) -> None:
        path = write("j.csv", csv(JUDGED))
        message = (
            "j.csv: this is the file of the judgments, and their labels can't be gold, for everybody would be right; "
            "name the c"
        )
        copy = write("copy.csv", path.read_bytes())
        for gold in (path, str(path), copy):
            with pytest.raises(FormatError, match=message.replace("j.csv", "(j|copy).csv")):
                read_gold(gold, judgments=read(path))
        with pytest.raises(FormatError, match=message):
            consensus.fit(read(path), gold=path)
        ran = run("aggregate", path, "--gold", path)
        assert (ran.status, "name the column of gold with --gold-label" in ran.err) == (1, True)
        other = write("other.csv", csv(JUDGED[:6]))
        assert read_gold(other, judgments=read(path)).item
        as_long = write("as_long.csv", path.read_bytes().replace(b"w1", b"v1"))
        assert read_gold(as_long, judgments=read(path)).item

    @pytest.mark.parametrize(
        "name", ["label_gold", "gold", "truth", "true_label", "gold_label", "Gold Label", "ground_truth"]
    )
    def test_a_column_of_gold_is_found_and_said(self, write: Write, name: str) -> None:
        name = name.replace(" ", "_")
        path = write("j.csv", with_gold(name))
        gold = read_gold(path, judgments=read(path))
        assert dict(zip(gold.item, gold.label, strict=True)) == {"i0": "x", "i1": "y", "i2": "x", "i3": "y"}
        assert gold.notes == (f'{path}: gold is read from column "{name}"; --gold-label chooses another',)

    def test_a_column_that_is_named(self, write: Write) -> None:
        path = write("j.csv", with_gold("expert"))
        with pytest.raises(FormatError, match="this is the file of the judgments"):
            read_gold(path, judgments=read(path))
        assert len(read_gold(path, named={"label": "expert"}, judgments=read(path)).item) == 4
        found = consensus.run(path, gold=path, gold_label="expert", collusion="off", model="majority_vote")
        assert found.summary["counts"]["gold_items"] == 4
        assert found.summary["settings"]["gold_label"] == "expert"

    def test_that_of_the_judgments_themselves_is_refused(self, write: Write) -> None:
        path = write("j.csv", with_gold("expert"))
        with pytest.raises(FormatError, match="this is the file of the judgments, and their labels can't be gold"):
            read_gold(path, named={"label": "label"}, judgments=read(path))
        assert len(read_gold(path, named={"label": "label"}, judgments=read(path, label="expert")).item) > 4

    def test_of_several_questions_it_is_that_of_the_judgments(self, write: Write) -> None:
        header = "item,worker,label,label_gold,mood,mood_gold,tone"
        path = write("j.csv", csv([("a", "w", "x", "x", "y", "y", "x"), ("b", "w", "y", "x", "x", "x", "x")], header))
        for label in ("label", "mood"):
            gold = read_gold(path, judgments=read(path, label=label))
            assert gold.notes == (f'{path}: gold is read from column "{label}_gold"; --gold-label chooses another',)
        assert gold.label == ("y", "x")
        with pytest.raises(FormatError, match="this is the file of the judgments"):  # that of another question is none
            read_gold(path, judgments=read(path, label="tone"))
        path = write("k.csv", csv([("a", "w", "x", "x", "y", "z")], "item,worker,label,mood,mood_gold,truth"))
        assert read_gold(path, judgments=read(path)).label == ("z",)

    def test_several_that_could_be(self, write: Write) -> None:
        path = write("j.csv", csv([("a", "w", "x", "x", "x")], "item,worker,label,truth,gold"))
        with pytest.raises(FormatError, match="this is the file of the judgments"):
            read_gold(path, judgments=read(path))

    def test_what_is_no_file(self, write: Write, tmp_path: Path) -> None:
        path = write("j.csv", csv(JUDGED))
        judgments = read(path)
        path.unlink()
        assert read_gold({"item": ["i1"], "label": ["x"]}, judgments=judgments).item == ("i1",)
        with pytest.raises(FormatError, match="no such file"):
            read_gold(tmp_path / "none.csv", judgments=judgments)
        assert read_gold(write("g.csv", "item,label\ni1,x\n"), judgments=judgments).item == ("i1",)


def test_gold_beside_its_guess(write: Write) -> None:
    """A label that is called gold goes before one that is not."""
    gold = read_gold(write("g.csv", "item,answer,answer_gold\na,x,y\n"))
    assert gold.label == ("y",)
    assert len(gold.notes) == 1
    assert read_gold(write("h.csv", "item,truth\na,y\n")).notes == ()


@pytest.mark.parametrize(("role", "option"), [("item", "--gold-item"), ("label", "--gold-label")])
def test_named_columns(write: Write, role: str, option: str) -> None:
    path = write("g.csv", "unit_no,best,item,label\na,y,b,x\n")
    assert (read_gold(path).item, read_gold(path).label) == (("b",), ("x",))
    gold = read_gold(path, named={"item": "unit_no", "label": "best"})
    assert (gold.item, gold.label) == (("a",), ("y",))
    message = f'no column "no" for the {role} of gold; the columns are: unit_no, best, item, label; correct {option}'
    with pytest.raises(FormatError, match=message):
        read_gold(path, named={role: "no"})


def test_named_columns_of_an_export() -> None:
    path = ROOT / "tests" / "platforms" / "crowdflower.csv"
    assert read_gold(path).has_synonyms
    plain = read_gold(path, named={"item": "_unit_id", "label": "_worker_id"})
    assert not plain.has_synonyms


class TestWithoutHeader:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("g.csv", "q1,x\nq2,y\n"),
            ("g.csv", "\ufeffq1,x\r\n\r\nq2,y\r\n"),
            ("g.csv", "q1;x\nq2;y"),
            ("g.tsv", "q1\tx\nq2\ty\n"),
            ("g.txt", '"q1","x"\n"q2","y"\n'),
        ],
    )
    def test_two_columns_are_item_and_label(self, write: Write, name: str, text: str) -> None:
        path = write(name, text)
        gold = read_gold(path)
        assert (gold.item, gold.label) == (("q1", "q2"), ("x", "y"))
        assert gold.place[0] == f"{path}:1"
        assert gold.place[1] in {f"{path}:2", f"{path}:3"}
        note, *_ = gold.notes
        assert note.startswith(
            f'{path}: gold has no header, so its two columns are read as item and label, such as "q1" and "x"'
        )
        (source,) = gold.sources
        assert source.sha256 == consensus.read_gold(path).sources[0].sha256

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("q1,x\nq2\n", "g.csv:2: 1 fields instead of 2; give gold as item and label"),
            ("q1,x\nq2,y,z\n", "g.csv:2: 3 fields instead of 2"),
            (b"q1,x\n\xff,y\n", "g.csv:2: the file is not UTF-8; .*; save it as UTF-8"),
            ("q1,x,y\nq2,y,z\n", "no column holds the item"),
            ("q1,label\nq2,y\n", "no column holds the item"),
            ("q1,x\n,y\n", "g.csv:2: the item is missing"),
        ],
    )
    def test_others_are_refused(self, write: Write, text: str | bytes, message: str) -> None:
        with pytest.raises(FormatError, match=message):
            read_gold(write("g.csv", text))

    def test_names_that_are_not_usual(self, write: Write) -> None:
        """A first row that names nothing of the judgments, above rows that do."""
        judgments = read(write("j.csv", csv([("q1", "w", "x"), ("q2", "w", "y")])))
        path = write("g.csv", "nr,right one\nq1,x\nq2,y\n")
        with pytest.raises(
            FormatError,
            match=(
                "g.csv: neither the item nor the label of gold has a column of its name; the columns are: nr, "
                "right one; name them with --gold-item nr --gold-label 'right one', or the other way round"
            ),
        ):
            read_gold(path, judgments=judgments)
        named = {"item": "nr", "label": "right one"}
        assert read_gold(path, named=named, judgments=judgments).item == ("q1", "q2")
        for text in ("q3,z\nq4,z\n", "q3,z\n", "q9,x\nq1,x\n"):
            assert len(read_gold(write("g.csv", text), judgments=judgments).item) == text.count("\n")
        with pytest.raises(
            FormatError, match="no column holds the item; .*; name it with --gold-item, or rename one to item"
        ):
            read_gold(write("g.csv", "nr,right,who\nq1,x,me\n"), judgments=judgments)

    def test_one_that_is_named_is_a_header(self, write: Write) -> None:
        path = write("g.csv", "q1,x\nq2,y\n")
        assert read_gold(path, named={"item": "q1", "label": "x"}).item == ("q2",)
        assert read_gold(path, item="q1", label="x").item == ("q2",)

    def test_the_note_is_told(self, write: Write, run: Run) -> None:
        ran = run(
            "aggregate",
            write("j.csv", csv(JUDGED)),
            "--gold",
            write("g.csv", "i1,y\ni2,x\n"),
            "--model",
            "majority_vote",
        )
        assert ran.status == 0
        assert 'gold has no header, so its two columns are read as item and label, such as "i1" and "y"' in ran.err


class TestGoldWorkers:
    def test_their_judgments_are_gold_and_no_judgments(self, write: Write) -> None:
        path = write("j.csv", csv(JUDGED))
        judgments, gold = gold_workers.split(read(path), ["w1"])
        assert (judgments.n_judgments, judgments.worker_ids.to_pylist(), judgments.n_items) == (24, ["w0", "w2"], 12)
        assert sorted(set(judgments.worker.tolist())) == [0, 1]
        expected = read(write("k.csv", csv([row for row in JUDGED if row[1] != "w1"])))
        for name in ("item", "worker", "label", "item_start"):
            assert getattr(judgments, name).tolist() == getattr(expected, name).tolist()
        assert len(gold.item) == 12
        assert gold.place[0] == 'worker "w1"'
        tally = judgments.tally
        assert (tally.read, tally.used, tally.as_gold) == (36, 24, 12)
        assert judgments.notes == ('12 judgments of "w1" are taken as gold, and not as judgments',)

    def test_several_may_disagree(self, write: Write) -> None:
        judgments, gold = gold_workers.split(read(write("j.csv", csv(JUDGED))), ["w1", "w2"])
        assert judgments.n_workers == 1
        assert len(gold.item) == 12 + 4
        assert len(set(gold.item)) == 12

    def test_refuses(self, write: Write) -> None:
        judgments = read(write("j.csv", csv([*JUDGED, ("i1", "mute", "NA")])), abstain=["NA"])
        for name in ("nobody", "mute"):
            message = f'worker "{name}", whose judgments shall be gold, gave none; the workers are "mute", "w0", "w1"'
            with pytest.raises(JudgmentError, match=message):
                gold_workers.split(judgments, [name])
        with pytest.raises(
            JudgmentError, match="all judgments are by workers whose judgments shall be gold; name fewer"
        ):
            gold_workers.split(judgments, ["w0", "w1", "w2"])
        many = read(write("m.csv", csv([(f"i{w}", f"w{w}", "x") for w in range(20)])))
        with pytest.raises(JudgmentError, match=re.escape('"w14", "w15", ...; correct --gold-worker')):
            gold_workers.split(many, ["x"])

    @pytest.mark.parametrize("workers", ["w1", ["w1"], ("w1", "w2")])
    def test_in_python(self, write: Write, workers: str | list[str]) -> None:
        path = write("j.csv", csv(JUDGED))
        judgments, gold = gold_workers.split(read(path), [workers] if isinstance(workers, str) else workers)
        expected = consensus.fit(judgments, gold=gold, model="majority_vote").labels
        for one in (path, read(path)):
            found = consensus.fit(one, gold_worker=workers, model="majority_vote")
            assert found.labels.equals(expected)
            ran = consensus.run(one, gold_worker=workers, model="majority_vote", collusion="off")
            assert ran.labels[list(expected)].equals(expected)
        with pytest.raises(ConfigError, match="gold is given twice"):
            consensus.fit(path, gold=path, gold_worker=workers)
        with pytest.raises(ConfigError, match="there are no judgments by people, so none of them can be gold"):
            consensus.fit(None, gold_worker=workers)

    def test_in_a_run(self, write: Write, run: Run, tmp_path: Path) -> None:
        path, out = write("j.csv", csv(JUDGED)), tmp_path / "out"
        ran = run("run", path, "--gold-worker", "w1", "--output", out, "--model", "majority_vote", "--no-report")
        assert ran.status == 0
        assert "36 rows read = 24 used + 12 taken as gold\n" in ran.err
        assert '12 judgments of "w1" are taken as gold, and not as judgments' in ran.err
        assert "w1" not in (out / "workers.csv").read_text()
        assert run("explain", out, "i1").status == 0
        twice = run("run", path, "--gold-worker", "w1", "--gold", path, "--output", out, "--overwrite")
        assert (twice.status, "gold is given twice" in twice.err) == (3, True)
        with pytest.raises(ConfigError, match="there are no judgments by people, so none of them can be gold"):
            consensus.run(None, model_votes={"item": ["a"], "model": ["m"], "label": ["x"]}, gold_worker=("w",))


def test_the_only_column_that_can_be_gold_needs_no_word(write: Write) -> None:
    """In a file of its own, no other column could be the label."""
    found = read_gold(write("gold.csv", "item,tone,tone_gold\ni1,warm,cold\n"))
    assert (found.item, found.label) == (("i1",), ("cold",))


@pytest.mark.parametrize("option", ["--gold-item", "--gold-label"])
def test_a_column_of_gold_needs_gold(run: Run, write: Callable[[str, str], Path], option: str) -> None:
    path = write("j.csv", "item,worker,label\na,v,x\na,w,x\nb,v,y\n")
    ran = run("aggregate", path, option, "truth")
    assert ran.status == 3
    assert ran.err == (
        f"consensus: {option}: it names a column of gold, and no gold is given; name its file with --gold, which "
        "may be that of the judgments\n"
    )
