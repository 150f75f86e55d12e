"""The full report of CrowdFlower against counts by plain pandas, with the traps of real ones."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from consensus import fit, plan_budget, read, read_gold, worker_audit
from consensus.errors import FormatError, JudgmentError
from consensus.formats.platforms import crowdflower
from consensus.formats.tables import delimited
from consensus.inputs.gold import Gold
from consensus.inputs.judgments import Judgments
from tests.conftest import ROOT, Run, csv

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

Write = Callable[[str, str | bytes], Path]
EXAMPLE = ROOT / "tests" / "platforms" / "crowdflower.csv"
BEGINS = "_unit_id,_worker_id,_started_at,_created_at,_tainted,_golden,_ip"
"""Of a small report."""


def report(rows: list[str], fields: str = "colour,colour_gold") -> str:
    """A report from ``unit worker tainted golden`` and the fields of each row."""
    lines = [f"{BEGINS},{fields}"]
    for row in rows:
        unit, worker, tainted, golden, *cells = row.split(" ")
        times = "3/4/2017 10:00:00,3/4/2017 10:00:30"
        lines.append(",".join([unit, worker, times, tainted, golden, "203.0.113.9", *cells]))
    return "\n".join(lines) + "\n"


def pairs(gold: Gold) -> set[tuple[str, str]]:
    return set(zip(gold.item, gold.label, strict=True))


def rows_of(judgments: Judgments) -> list[tuple[str, str, str]]:
    items, workers = judgments.item_ids.to_pylist(), judgments.worker_ids.to_pylist()
    codes = zip(judgments.item, judgments.worker, judgments.label, strict=True)
    return [(items[i], workers[w], judgments.labels[k]) for i, w, k in codes]


class TestExample:
    frame = pd.read_csv(EXAMPLE, dtype=str, keep_default_na=False)

    def test_counts(self) -> None:
        found, frame = read(EXAMPLE), self.frame
        kept = frame[frame["_tainted"] == "false"]
        given = kept[kept["colour"] != ""]
        assert found.tally.read == len(frame) == 28
        assert found.tally.rejected == len(frame) - len(kept) == 4
        assert found.tally.abstained == len(kept) - len(given) == 1
        expected = given[["_unit_id", "_worker_id", "colour"]].itertuples(index=False, name=None)
        assert rows_of(found) == sorted(expected)

    def test_gold_is_what_is_golden_now(self) -> None:
        frame = self.frame
        golden = frame[frame["_golden"] == "true"]
        expected = {
            (unit, one) for unit, text in golden[["_unit_id", "colour_gold"]].values for one in text.split("\n")
        }
        assert pairs(read_gold(EXAMPLE)) == expected
        assert {unit for unit, _ in expected} == {"900002", "900005"}
        assert "gold: 2 of its items (and 1 withdrawn), unless other gold is named; " in read(EXAMPLE).notes[0]

    def test_times(self) -> None:
        found, frame = read(EXAMPLE), self.frame
        assert found.timestamp is not None
        assert found.duration is not None
        start, end = (
            pd.to_datetime(frame[name], format="%m/%d/%Y %H:%M:%S") for name in ("_started_at", "_created_at")
        )
        on_page = frame.groupby(["_worker_id", "_started_at"])["_id"].transform("size")
        expected = frame.assign(end=end, seconds=(end - start).dt.total_seconds() / on_page)
        by_pair = expected.set_index(["_unit_id", "_worker_id"])
        for (item, worker, _), when, seconds in zip(rows_of(found), found.timestamp, found.duration, strict=True):
            assert by_pair.loc[(item, worker), "end"] == pd.Timestamp(when)
            assert by_pair.loc[(item, worker), "seconds"] == seconds
        assert set(found.duration.tolist()) == {15.0, 20.0}

    def test_columns_that_are_named(self) -> None:
        found = read(EXAMPLE, item="index", timestamp="_started_at", duration="_trust")
        assert found.item_ids.to_pylist()[0] == "s1"
        assert read(EXAMPLE, worker="_channel", repeats="last").worker_ids.to_pylist() == ["elite"]
        assert found.timestamp is not None
        assert str(found.timestamp.min()) == "2017-03-04T09:11:05.000000"
        assert found.duration is not None
        assert found.duration.max() == 1.0
        assert found.gold is not None
        assert set(found.gold.item) == {"s2", "s5"}
        assert set(read_gold(EXAMPLE, item="index").item) == {"s2", "s5"}

    def test_small_blocks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = read(EXAMPLE)
        for size in (64, 200, 1000):
            monkeypatch.setattr(delimited, "BLOCK", size)
            found = read(EXAMPLE)
            assert rows_of(found) == rows_of(whole)
            assert found.rejects == whole.rejects
            assert found.gold == whole.gold
            assert np.array_equal(found.duration, whole.duration)  # type: ignore[arg-type]


class TestQuestions:
    def test_several(self, write: Write) -> None:
        path = write("f1.csv", report(["1 7 false false red  big "], "colour,colour_gold,size,size_gold"))
        several = "f1.csv: this CrowdFlower full report asks several questions: colour, size; choose one with --label, "
        with pytest.raises(FormatError, match=several + "such as --label colour"):
            read(path)
        assert read(path, label="size").labels == ("big",)

    def test_that_no_gold_tells(self, write: Write) -> None:
        one = write("f1.csv", report(["1 7 false false red x"], "colour,orig_size"))
        assert read(one).labels == ("red",)
        assert read(one).gold is None
        two = write("f2.csv", report(["1 7 false false red a.png"], "colour,img"))
        with pytest.raises(
            FormatError, match="f2.csv: nothing tells which column .*: colour, img; name it with --label"
        ):
            read(two)
        assert read(two, label="colour").labels == ("red",)
        none = write("f3.csv", report(["1 7 false false x"], "orphan_gold"))
        with pytest.raises(FormatError, match="f3.csv: nothing tells which column"):
            read(none)

    def test_columns_that_are_not_there_or_never_read(self, write: Write) -> None:
        path = write("f1.csv", report(["1 7 false false red red"]))
        with pytest.raises(FormatError, match='f1.csv: no column "size" for the label; .*; correct --label'):
            read(path, label="size")
        with pytest.raises(
            FormatError, match='column "_ip" of a CrowdFlower full report is never read; .* the worker, '
        ):
            read(path, worker="_ip")
        plain = read(path, worker="_ip", label="colour", platform="none", time_format="month-first")
        assert plain.worker_ids.to_pylist() == ["203.0.113.9"]
        with pytest.raises(FormatError, match="j.csv: this is no CrowdFlower full report, .* no column _unit_id; read"):
            read(write("j.csv", csv([("a", "v", "x")])), platform="crowdflower")


class TestRows:
    def test_tainted_ones_are_rejects(self, write: Write) -> None:
        rows = [
            "1 7 true false red ",
            "2 7 True true red red",
            "1 8 TRUE false blue ",
            "2 8 false false red ",
            "3 8  false  ",
        ]
        found = read(write("f1.csv", report(rows)))
        assert [(one.line, one.reason) for one in found.rejects] == [(n, crowdflower.TAINTED) for n in (2, 3, 4)]
        assert (found.tally.read, found.tally.used, found.tally.abstained) == (5, 1, 1)
        assert "rows left out as tainted: 3; " in found.notes[0]
        assert found.rejects[0].row == "1,7,3/4/2017 10:00:00,3/4/2017 10:00:30,true,false,,red,"
        assert found.gold is not None
        assert pairs(found.gold) == {("2", "red")}

    def test_empty_between_quotes_is_an_abstain(self, write: Write) -> None:
        found = read(
            write("f1.csv", report(['1 7 false false "" ', '1 8 false false red ""', '"" 8 false false red ']))
        )
        assert (found.tally.used, found.tally.abstained, found.tally.rejected) == (1, 1, 1)
        assert [one.reason for one in found.rejects] == ["the item is missing"]

    def test_old_files_lack_columns(self, write: Write) -> None:
        text = "_unit_id,_id,_trust,_worker_id,colour,colour_gold\n1,5,1,7,red,red\n1,6,1.0,8,red,red\n"
        found = read(write("f1.csv", text))
        assert (found.timestamp, found.duration, found.gold, found.tally.used) == (None, None, None, 2)
        assert "; no gold, for no column _golden tells where colour_gold counts; " in found.notes[0]
        with pytest.raises(FormatError, match="f1.csv: no gold in this CrowdFlower full report; name a table of item"):
            read_gold(write("f1.csv", text))

    def test_times_that_cannot_be_read(self, write: Write) -> None:
        text = report(["1 7 false false red ", "1 8 false false red ", "2 8 false false red "])
        found = read(write("f1.csv", text.replace("10:00:30", "yesterday", 1).replace(",3/4/2017 10:00:00", ",", 1)))
        assert found.unreadable_times == 1
        assert found.timestamp is not None
        assert found.duration is not None
        assert np.isnat(found.timestamp).tolist() == [True, False, False]
        assert np.array_equal(found.duration, [np.nan, 15.0, 15.0], equal_nan=True)

    def test_what_is_not_utf8(self, write: Write) -> None:
        text = report(["1 7 false false red ", "1 8 false false red "])
        found = read(write("f1.csv", text.encode().replace(b"3/4/2017 10:00:30", b"3/4/2017 \xff", 1)))
        assert [one.reason for one in found.rejects] == ["the timestamp is not UTF-8"]
        assert found.rejects[0].row.startswith("1,7,3/4/2017 10:00:00,3/4/2017 \\xff,false,false,,red")


class TestCheckboxes:
    rows = (
        '1 7 false true "red\nblue" "blue\nnavy"',
        '1 8 false true "blue\r\nred\n" "blue\nnavy"',
        '1 9 false true green "blue\nnavy"',
        '2 7 false false "\n" ',
        '2 8 false false "[""b"",""a"",""""]" ',
        '2 9 false false "[""a""]" ',
        '3 7 false false "[cut" ',
        "3 8 false false [] ",
        "3 9 false false red ",
    )

    def test_ticks_are_one_label(self, write: Write) -> None:
        found = read(write("f1.csv", report(list(self.rows))))
        assert found.labels == ("[cut", "a", "a | b", "blue | red", "green", "red")
        assert (found.tally.used, found.tally.abstained) == (7, 2)
        assert "; several ticks are one label, which is right if it shares one tick with gold; gold:" in found.notes[0]

    def test_gold_is_met_by_one_tick_in_common(self, write: Write) -> None:
        path = write("f1.csv", report(list(self.rows)))
        assert pairs(read_gold(path)) == {("1", "blue"), ("1", "navy"), ("1", "blue | red")}
        assert read(path).gold == replace(read_gold(path), sources=())
        assert fit(read(path)).labels["label"].tolist()[0] == "blue | red"

    def test_what_is_not_utf8(self, write: Write) -> None:
        others = ["2 7 false false red ", "3 7 false true red red", "3 8 false true red red"]
        text = report(['1 7 false true "red\nxx" "xx\nred"', *others]).encode()
        path = write("f1.csv", text.replace(b"xx", b"\xff"))
        assert [one.reason for one in read(path).rejects] == ["the label is not UTF-8"]
        with pytest.raises(FormatError, match="f1.csv:2: the label is not UTF-8: .*; correct the gold"):
            read_gold(path)


class TestTestQuestions:
    def test_that_were_met_again(self, write: Write) -> None:
        rows = [f"1 7 false true {one} red" for one in ("blue", "red", "red")] + ["2 7 false false red "] * 2
        rows += ["1 8 true true red red", "1 8 false true red red", "1 9 false true  red", "1 9 false true red red"]
        found = read(write("f1.csv", report(rows)))
        again = "answers to test questions that their workers had met before, with feedback: 2 (--repeats first takes "
        assert again in found.notes[0]
        assert rows_of(read(write("f1.csv", report(rows)), repeats="first"))[0] == ("1", "7", "blue")

    def test_that_are_so_in_some_rows_only(self, write: Write) -> None:
        rows = ["1 7 false true red red", "1 8 false false red red", "2 7 false false red red"]
        found = read(write("f1.csv", report(rows)))
        assert (
            "gold: 1 of its items (and 1 withdrawn), 1 of them golden in some of their rows only, unless"
            in found.notes[0]
        )
        assert "with feedback" not in found.notes[0]

    def test_whose_answers_were_forgiven(self, write: Write) -> None:
        rows = ["1 7 false true blue red", "1 8 false true blue red", "1 9 false true red red", "2 7 false false blue "]
        missed = ["false", "true", "false", "false"]
        head, *lines = report(rows).splitlines()
        text = (
            "\n".join([f"{head},_missed", *(f"{one},{cell}" for one, cell in zip(lines, missed, strict=True))]) + "\n"
        )
        (note,) = read(write("f1.csv", text)).notes
        assert "wrong answers to test questions that were forgiven, so that their gold is in doubt: 1; --platf" in note


@pytest.mark.parametrize("confidence", ["colour:confidence", "colour_confidence", "colour.confidence"])
def test_aggregated_reports_hold_no_judgments(write: Write, confidence: str) -> None:
    header = f"_unit_id,_golden,_unit_state,_trusted_judgments,_last_judgment_at,colour,{confidence}"
    path = write("a1.csv", f"{header}\n1,false,golden,3,,red,1\n")
    refused = (
        "a1.csv: this is an aggregated report .*: one row an item, .* no judgments; download the full report, or, "
    )
    refused += "where you have no judgments, give it as votes of a model"
    with pytest.raises(FormatError, match=refused):
        read(path)
    assert read(path, item="_unit_id", worker="_golden", label="colour", platform="none").tally.used == 1


class TestAddresses:
    def test_malformed_rows_end_before_them(self, write: Write) -> None:
        good = "1,7,,3/4/2017 10:00:30,false,false,203.0.113.9,red,"
        bad = [
            "1,7,x,3/4/2017 10:00:30,false,203.0.113.8,red,",
            "1,7,,3/4/2017 10:00:30,false,fa,l,se,203.0.113.7,red,",
            "203.0.113.6,red,",
            "203.0.113.6",
            '1,7,,3/4/2017 10:00:30,false,"fa""lse,203.0.113.5",red,',
            "1,7,x\ry,false,false,203.0.113.4,red,",
            "1,7," + "x" * 140_000 + ",false,203.0.113.3,red,",
        ]
        found = read(
            write(
                "f1.csv", f"{BEGINS},colour,colour_gold\n" + "\n".join([good, *bad, good.replace("7", "8", 1)]) + "\n"
            )
        )
        assert found.tally.rejected == len(bad) + 1  # a lone carriage return makes two of one
        assert not [one for one in found.rejects if "203.0" in one.row]
        assert [one.row for one in found.rejects[:4]] == [
            "1,7,x,3/4/2017 10:00:30,false,...",
            "1,7,,3/4/2017 10:00:30,...",
        ] + ["..."] * 2

    def test_nor_do_messages_show_them(self, write: Write) -> None:
        head = f"{BEGINS},colour,colour_gold\n"
        row = '1,7,,,,,203.0.113.9,"red,\n'
        with pytest.raises(FormatError, match="f1.csv:2: a quote opens here and is never closed") as caught:
            read(write("f1.csv", head + row + "1,8,,,,,203.0.113.8,red,\n"))
        assert "203.0" not in str(caught.value)
        swallowed = head + '1,7,,,,,203.0.113.9,"red,\n1,8,,,,,203.0.113.8,red,\n1,9,,,,,203.0.113.7,red",\n'
        with pytest.raises(FormatError, match="f1.csv:2: a quote opens here and closes 2 lines below") as caught:
            read(write("f1.csv", swallowed))
        assert "203.0" not in str(caught.value)
        tainted = write("f2.csv", report(["1 7 false true red red", "1 8 false true red red"]) + "1,2,203.0.113.9,4\n")
        with pytest.raises(
            FormatError, match="f2.csv:4: too few fields: 4 instead of 9: 1,.*; correct the gold"
        ) as caught:
            read_gold(tainted)
        assert "203.0" not in str(caught.value)
        assert read(tainted).gold is not None


class TestGold:
    def test_of_the_same_file_counts_unless_other_is_named(self, write: Write) -> None:
        golden = [f"{unit} {worker} false true red blue" for unit in (1, 2) for worker in (7, 8)]
        others = [f"{unit} {worker} false false blue " for unit in (3, 4, 5) for worker in (7, 8)]
        path = write("f1.csv", report([*golden, *others]))
        found = read(path)
        assert fit(found).labels["label"].tolist() == ["blue"] * 5
        pd.testing.assert_frame_equal(fit(path).labels, fit(found, gold=read_gold(path)).labels)
        other = fit(found, gold={"item": ["5"], "label": ["red"]}).labels
        assert other["source"].tolist() == ["consensus"] * 4 + ["gold"]

    def test_accepted_labels_that_nobody_gave(self, write: Write) -> None:
        rows = ["1 7 false true red red", "1 8 false true blue red", "2 7 false false red ", "2 8 false false blue "]
        path = write("f1.csv", report(rows).replace("red,red", 'red,"red\ncrimson"'))
        assert fit(read(path)).labels["source"].tolist()[0] == "gold"
        assert fit(read(path), gold=read_gold(path)).labels["source"].tolist()[0] == "gold"
        gold = write("gold.csv", "item,label\n1,red\n1,crimson\n")
        with pytest.raises(JudgmentError, match='gold.csv:3: gold label "crimson"'):
            fit(read(path), gold=read_gold(gold))
        unknown = write("f2.csv", report(rows).replace(",red\n", ",crimson\n"))
        with pytest.raises(JudgmentError, match='f2.csv:2: gold label "crimson" of item "1" is not in the label set'):
            fit(read(unknown))

    def test_question_named_for_gold(self, write: Write) -> None:
        path = write("f1.csv", report(["1 7 false true red red big small"], "colour,colour_gold,size,size_gold"))
        assert pairs(read_gold(path, label="size")) == {("1", "small")}
        assert pairs(read_gold(path, label="size_gold")) == {("1", "small")}
        with pytest.raises(FormatError, match="asks several questions"):
            read_gold(path, label="answer")
        none = write("f2.csv", report(["1 7 false false red red"]))
        with pytest.raises(FormatError, match="f2.csv: no gold labels in it"):
            read_gold(none)

    def test_forgiven_and_replayed_without_it(self, write: Write) -> None:
        golden = [f"{unit} {worker} false true red blue" for unit in (1, 2) for worker in (7, 8, 9)]
        others = [f"{unit} {worker} false false blue " for unit in (3, 4, 5) for worker in (7, 8, 9)]
        found = read(write("f1.csv", report([*golden, *others])))
        left = worker_audit.forgive(fit(found), ["1", "2"])
        changed = left[(left["kind"] == "label") & (left["field"] == "label")]
        assert changed["after"].tolist() == ["red", "red"]
        plan = plan_budget(found, votes=(2,), targets=(0.9,))
        assert plan["reference"].unique().tolist() == ["gold"]
        assert (plan["accuracy"] == 0).all()

    def test_a_run_is_made_again_with_it(self, run: Run, tmp_path: Path) -> None:
        out = tmp_path / "out"
        assert run("run", EXAMPLE, "--output", out).status == 0
        assert '"gold_items": 2' in (out / "summary.json").read_text()
        told = run("explain", out, "900002")
        assert told.status == 0, told.err
        assert "gold" in told.out
        named = tmp_path / "gold.csv"
        named.write_text("item,label\n900001,red\n")
        assert run("run", EXAMPLE, "--gold", named, "--output", tmp_path / "other").status == 0
        assert '"gold_items": 1' in (tmp_path / "other" / "summary.json").read_text()

    def test_words_beside_single_tables(self, run: Run) -> None:
        for command in ("aggregate", "escalate", "audit", "agreement"):
            told = run(command, EXAMPLE).err.splitlines()
            assert told[0].startswith("28 rows read = 23 used + 1 without a label + 4 rejected"), command
            assert told[1].startswith(
                'columns: item is "_unit_id" (CrowdFlower full report, 8 values), worker is "_work'
            )
            assert told[2].startswith(
                "crowdflower.csv is a CrowdFlower full report: item _unit_id, worker _worker_id, "
            )
            assert not [line for line in told[3:] if "CrowdFlower" in line]
