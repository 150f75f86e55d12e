"""Results of Mechanical Turk against counts by plain pandas, with the traps of real ones."""

import csv as csv_module
import io
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from consensus import read, read_gold
from consensus.errors import FormatError, JudgmentError
from consensus.inputs.judgments import Judgments
from tests.conftest import ROOT
from tests.formats.test_platforms import balanced

Write = Callable[[str, str | bytes], Path]
Triple = tuple[str, str, str]
EXAMPLE = ROOT / "tests" / "platforms" / "mturk.csv"


def results(rows: Sequence[dict[str, Any]], delimiter: str = ",", **own: Any) -> str:
    """A file: of each row the HIT, the worker, inputs and answers; what all have in common is made up."""
    least = {"AssignmentId": "3A", "AssignmentStatus": "Submitted", "SubmitTime": "", "WorkTimeInSeconds": "30"} | own
    filled = [{"HITId": "3H", "WorkerId": f"A{n}", **least, **row} for n, row in enumerate(rows)]
    names = list(dict.fromkeys(name for row in filled for name in row))
    text = io.StringIO()
    table = csv_module.DictWriter(text, names, restval="", delimiter=delimiter, quoting=csv_module.QUOTE_ALL)
    table.writeheader()
    table.writerows(filled)
    return text.getvalue()


def triples(judgments: Judgments) -> list[Triple]:
    items, workers = judgments.item_ids.to_pylist(), judgments.worker_ids.to_pylist()
    codes = zip(judgments.item, judgments.worker, judgments.label, strict=True)
    return [(items[i], workers[w], judgments.labels[k]) for i, w, k in codes]


class TestExample:
    frame = pd.read_csv(EXAMPLE, dtype=str, keep_default_na=False, index_col=False)

    def test_counts(self) -> None:
        found = read(EXAMPLE)
        kept = self.frame[self.frame["AssignmentStatus"] != "Rejected"]
        given = kept[kept["Answer.mood.label"] != ""]
        expected = given[["Input.id", "WorkerId", "Answer.mood.label"]].itertuples(index=False, name=None)
        assert triples(found) == sorted(expected)
        assert (found.tally.read, found.tally.used) == (len(self.frame), len(given)) == (28, 25)
        assert (found.tally.rejected, found.tally.abstained) == (2, 1)
        assert {one.reason for one in found.rejects} == {"the assignment was rejected"}
        assert found.rejects[0].row == "r3,AMADEUP3,good,2024-03-10T03:11:27+00:00,27,0.05"

    def test_times_and_prices(self) -> None:
        found = read(EXAMPLE)
        assert found.timestamp is not None
        assert (found.unreadable_times, str(found.timestamp.min())) == (0, "2024-03-10T03:00:20.000000")
        assert str(found.timestamp.max()) == "2024-03-12T02:33:41.000000"
        assert found.duration is not None
        assert found.price is not None
        assert set(found.duration.tolist()) == {20.0, 27.0, 34.0, 41.0}
        assert set(found.price.tolist()) == {0.05}

    def test_without_gold(self) -> None:
        with pytest.raises(FormatError, match="no gold in this Mechanical Turk results file; name a table of item and"):
            read_gold(EXAMPLE, label="nothing", item="nothing")


class TestAnswers:
    @pytest.mark.parametrize(
        ("answers", "labels"),
        [
            ([{"Answer.q": "a"}, {"Answer.q": "b"}], "a b"),
            ([{"Answer.q.label": "a"}, {"Answer.q.label": ""}], "a -"),
            ([{"Answer.q.a": "true", "Answer.q.b": "false"}, {"Answer.q.a": "False", "Answer.q.b": "True"}], "a b"),
            ([{"Answer.q.a": "true", "Answer.q.b": "true"}, {"Answer.q.a": "false", "Answer.q.b": "false"}], "a_|_b -"),
            ([{"Answer.q.on": "true"}, {"Answer.q.on": "false"}, {"Answer.q.on": ""}], "on off -"),
            ([{"Answer.q": "on", "Answer.n": "1"}, {"Answer.q": "", "Answer.n": "2"}, {}], "on off -"),
            ([{"Answer.q": "b|a"}, {"Answer.q": "a"}], "a_|_b a"),
            ([{"Answer.q.labels": '["b", "a"]'}, {"Answer.q.labels": "[]"}], "a_|_b -"),
            ([{"Answer.taskAnswers": '[{"q": {"label": "a"}}]'}, {"Answer.taskAnswers": "{}"}], "a -"),
            ([{"Answer.taskAnswers": '[{"q": {"a": true, "b": false}}]'}, {"Answer.taskAnswers": '{"q": "b"}'}], "a b"),
            ([{"Answer.taskAnswers": '[{"q": {"on": true}}]'}, {"Answer.taskAnswers": '[{"q": false}]'}], "on off"),
            ([{"Answer.taskAnswers": '[{"q": {"labels": ["b", "a"]}, "comments": "x"}]'}], "a_|_b"),
            ([{"Answer.taskAnswers": '[{"q": "a", "box": [{"x": 3}]}]'}], "a"),
            ([{"Answer.q": '["a", {"x": 1}]'}, {"Answer.q": "{a}"}], "- {a}"),
            ([{"Answer.q": "a", "Answer.feedback": "x", "Answer.Submit HIT": "Submit"}], "a"),
            ([{"Answer.q.very.good": "a"}, {"Answer.q.very.good": "b"}], "a b"),
        ],
    )
    def test_forms(self, answers: list[dict[str, str]], labels: str, write: Write) -> None:
        path = write("r.csv", results([{"Input.id": "x", **one} for one in answers]))
        expected = [("x", f"A{n}", one.replace("_", " ")) for n, one in enumerate(labels.split()) if one != "-"]
        found = read(path, label="q" if "Answer.n" in answers[0] else None)
        assert triples(found) == expected
        assert found.tally.abstained == labels.split().count("-")

    def test_of_json_have_the_name_of_their_column(self, write: Write) -> None:
        rows = [{"Input.id": "x", "Answer.data": json.dumps({"mood": "a", "why": f"word {n}"})} for n in range(5)]
        found = read(write("r.csv", results(rows)))
        assert "label data.mood; " in found.notes[0]
        assert found.labels == ("a",)

    def test_that_are_free_text(self, write: Write) -> None:
        rows = [{"Input.id": "x", "Answer.why": f"word {n}", "Answer.age": f"{n}0"} for n in range(7)]
        with pytest.raises(
            FormatError, match=r"no question of this .* has fixed answers: why \(free text\), age \(free"
        ):
            read(write("r.csv", results(rows)))
        assert len(read(write("r.csv", results(rows)), label="Answer.age").labels) == 7
        alone = [{"Input.id": "x", "Answer.why": f"word {n}"} for n in range(7)]
        assert len(read(write("r.csv", results(alone))).labels) == 7
        with pytest.raises(FormatError, match="nobody answered a question in this Mechanical Turk results file"):
            read(write("r.csv", results([{"Input.id": "x", "Answer.q": ""}])))

    def test_several(self, write: Write) -> None:
        rows = [
            {"Input.id": "x", "Answer.mood.label": "ab"[n % 2], "Answer.box.on": "true", "Answer.tags": "a|b"}
            for n in range(6)
        ]
        path = write("r.csv", results(rows))
        several = (
            r"r\.csv: this Mechanical Turk results file asks several questions: mood \(one choice\), "
            r"box \(box to tick\), tags \(several choices\); choose one with --label, such as --label mood"
        )
        with pytest.raises(FormatError, match=several):
            read(path)
        for name in ("mood", "mood.label", "Answer.mood", "Answer.mood.label"):
            assert read(path, label=name).labels == ("a", "b")
        assert (
            "label tags (several choices: each set of choices is one label); other questions, for "
            "--label, or all with --by question: mood, " in (read(path, label="tags").notes[0])
        )
        assert "; a box without a tick is the label off; " in read(path, label="box").notes[0]
        with pytest.raises(
            FormatError, match='no question "size"; this Mechanical Turk results file asks: mood .*--label'
        ):
            read(path, label="size")


class TestItems:
    @pytest.mark.parametrize(
        ("inputs", "item", "first"),
        [
            ([{"Input.text": "t1", "Input.valid": "7"}, {"Input.text": "t2", "Input.valid": "8"}], "Input.text", "t1"),
            (
                [{"Input.text": "t1", "Input.id_str": "7"}, {"Input.text": "t2", "Input.id_str": "8"}],
                "Input.id_str",
                "7",
            ),
            (
                [{"Input.score": "0.5", "Input.text": "t1"}, {"Input.score": "0.75", "Input.text": "t2"}],
                "Input.text",
                "t1",
            ),
            (
                [{"Input.id": "1", "Input.imageUrl": "b"}, {"Input.id": "1", "Input.imageUrl": "c"}],
                "Input.imageUrl",
                "b",
            ),
            (
                [{"Input.a": "1", "Input.b": "1"}, {"Input.a": "1", "Input.b": "2"}, {"Input.a": "2", "Input.b": "2"}],
                "Input.a and Input.b",
                "1 | 1",
            ),
            ([{"Input.a": ""}, {"Input.a": ""}], "HITId", "3H"),
            ([{}, {}], "HITId", "3H"),
        ],
    )
    def test_are_what_tells_things_apart(
        self, inputs: list[dict[str, str]], item: str, first: str, write: Write
    ) -> None:
        path = write("r.csv", results([{**one, "Answer.q": "a"} for one in inputs]))
        found = read(path)
        assert f"r.csv is a Mechanical Turk results file: item {item}, worker WorkerId, label q; " in found.notes[0]
        assert found.item_ids.to_pylist()[0] == first
        assert triples(read(path, item=item)) == triples(found)

    def test_two_that_are_compared(self, write: Write) -> None:
        begin = "HITId,AssignmentId,WorkerId,AssignmentStatus,WorkTimeInSeconds,Input.left1,Input.left2,Answer.q\n"
        found = read(write("r.csv", begin + "3H,3A,A0,Approved,3,x,y,a\n3I,3B,A0,Approved,3,x,z,b\n"))
        assert triples(found) == [("y", "A0", "a"), ("z", "A0", "b")]
        assert found.timestamp is None

    def test_published_again(self, write: Write) -> None:
        rows = [{"HITId": f"3H{n}", "Input.id": "x", "Answer.q": "a"} for n in range(3)]
        assert read(write("r.csv", results(rows))).n_items == 1
        assert read(write("r.csv", results(rows)), item="HITId").n_items == 3
        assert read(write("r.csv", results(rows)), item="id", drop=["HITId=3H1"]).n_judgments == 2

    def test_columns_that_are_not_there(self, write: Write) -> None:
        path = write("r.csv", results([{"Input.id": "x", "Answer.q": "a"}]))
        with pytest.raises(
            FormatError, match=r'r\.csv: no column "size" for the item; the columns are: .*; correct --item'
        ):
            read(path, item="size")
        with pytest.raises(FormatError, match='no column "size" for --drop; .*; correct it'):
            read(path, drop=["size=3"])

    def test_several_a_hit(self, write: Write) -> None:
        rows = [
            {"Input.url_1": "a", "Input.url_2": "b", "Input.kind": "k", "Reward": "$0.06"}
            | {"Answer.q1.yes": "true", "Answer.q1.no": "false", "Answer.q2.yes": "false", "Answer.q2.no": "true"},
            {"Input.url_1": "c", "Input.url_2": "", "Input.kind": "k"}
            | {"Answer.q1.yes": "false", "Answer.q1.no": "false"},
        ]
        found = read(write("r.csv", results(rows)))
        assert triples(found) == [("a", "A0", "yes"), ("b", "A0", "no")]
        assert (found.tally.read, found.tally.abstained) == (3, 1)
        assert found.duration is not None
        assert found.price is not None
        assert found.duration.tolist() == [15.0, 15.0]
        assert found.price.tolist() == [0.03, 0.03]
        assert (
            "item Input.url_#, worker WorkerId, label q; a HIT asks about several items (up to 2 items), which share "
            "its seconds and its reward evenly; "
        ) in found.notes[0]
        for item in ("Input.url_#", "url_#"):
            assert triples(read(write("r.csv", results(rows)), item=item)) == triples(found)
        by_hit = read(write("r.csv", results(rows)), item="HITId")
        assert by_hit.item_ids.to_pylist() == ["3H#1", "3H#2"]
        rows[0]["Reward"] = "free"
        assert read(write("r.csv", results(rows))).unreadable_amounts == {}
        whole = read(write("r.csv", results(rows)), item="kind", label="q1")
        assert triples(whole) == [("k", "A0", "yes")]

    def test_several_a_hit_that_nothing_tells_apart(self, write: Write) -> None:
        rows = [
            {"Input.a1": "x", "Input.b1": "y", "Input.c1": "z", "Input.a2": "x", "Input.b2": "y", "Input.c2": "w"},
            {"Input.a1": "x", "Input.b1": "u", "Input.c1": "z", "Input.a2": "v", "Input.b2": "y", "Input.c2": "z"},
        ]
        answered = [{**row, "Answer.q_1": "a", "Answer.q_2": "b", "Answer.why": "x"} for row in rows]
        found = read(write("r.csv", results(answered)), label="q")
        assert "item HITId, worker" in found.notes[0]
        assert found.item_ids.to_pylist() == ["3H#1", "3H#2"]
        assert "item Input.a1 and " not in read(write("r.csv", results(answered)), label="why").notes[0]

    def test_names_of_numbered_questions(self, write: Write) -> None:
        row = {
            "Input.x1": "a",
            "Input.x2": "b",
            "Answer.q1": "y",
            "Answer.q2": "n",
            "Answer.q": "m",
            "Answer.r1_2": "y",
        }
        row |= {"Answer.r2_1": "n", "Answer.r1_1": "y", "Answer.r2_2": "y"}
        with pytest.raises(FormatError, match=r"several questions: q# \(.*\), r1 \(.*\), r2 \(.*\), q \("):
            read(write("r.csv", results([row] * 4)))

    def test_in_the_names_of_answers(self, write: Write) -> None:
        rows = [
            {"HITId": "3H1", "Answer.1_9_funny": "yes", "Answer.2_9_funny": "no", "Answer.1_9_is_box": "on"},
            {"HITId": "3H1", "Answer.1_9_funny": "yes", "Answer.2_9_funny": "", "Answer.2_9_is_box": ""},
            {"HITId": "3H2", "Answer.3_8_funny": "no", "Answer.4_8_funny": "no", "Answer.4_8_is_box": "on"},
            {"HITId": "3H2"},
            {"HITId": "3H3", "Answer.5_8_is_box": "on", "Answer.age": "9", "Answer.good_age": "1"},
            {"HITId": "3H4", "AssignmentStatus": "Rejected"},
        ]
        path = write("r.csv", results(rows))
        found = read(path, label="funny")
        assert triples(found) == [
            ("1_9", "A0", "yes"),
            ("1_9", "A1", "yes"),
            ("2_9", "A0", "no"),
            ("3_8", "A2", "no"),
            ("4_8", "A2", "no"),
        ]
        assert (found.tally.abstained, [one.reason for one in found.rejects]) == (
            3,
            ["the item is missing", "the assignment was rejected"],
        )
        assert (
            "item in the names of columns Answer.ITEM_funny, worker WorkerId, label funny; a HIT asks about several "
            "items (items named in 4 columns), which share"
        ) in found.notes[0]
        boxes = read(path, label="is_box")
        assert ("2_9", "A1", "off") in triples(boxes)
        assert ("1_9", "A0", "on") in triples(boxes)
        assert triples(read(path, label="age")) == [("3H3", "A4", "9")]
        assert read(path, label="funny", item="HITId").item_ids.to_pylist()[0] == "3H1#1_9"

    def test_that_are_asked_now_and_then(self, write: Write) -> None:
        rows = [
            {"HITId": f"3H{n}", "Input.id": f"i{n}", "Answer.mood": "ab"[n % 2], f"Answer.{'xyz'[n % 3]}_other": "yes"}
            for n in range(12)
        ]
        with pytest.raises(FormatError, match=r"several questions: mood \(.*\), x_other \(.*\), y_other \("):
            read(write("r.csv", results(rows)))
        assert read(write("r.csv", results(rows)), label="mood").n_judgments == 12


class TestCommandLineTools:
    def rows(self) -> list[dict[str, str]]:
        return [
            {
                "hitid": f"3H{n // 3}",
                "assignmentid": f"3A{n}",
                "workerid": f"A{n % 3}",
                "assignmentstatus": "Rejected" if n == 8 else "Approved",
                "assignmentaccepttime": "Wed Mar 09 19:17:00 PST 2011" if n != 1 else "2011-03-09 19:17:00",
                "assignmentsubmittime": "Wed Mar 09 19:18:30 PST 2011" if n else "soon",
                "reward": "$0.10",
                "reject": "y" if n == 7 else "",
                **{f"Answer.{2 * (n // 3) + i}_mood": "ab"[(n + i) % 2] for i in range(2)},
                "Answer.Submit HIT": "Submit",
            }
            for n in range(9)
        ]

    def test_are_read(self, write: Write) -> None:
        text = results(self.rows(), "\t")
        names = text.splitlines()[0].split("\t")
        keep = [n for n, name in enumerate(names) if name.strip('"') in self.rows()[0] or "Answer" in name]
        lines = ["\t".join(line.split("\t")[n] for n in keep).rstrip('\t"') for line in text.splitlines()]
        lines = [line + '"' for line in lines]
        found = read(write("x.results", "\n".join(lines) + "\n"))
        assert "item in the names of columns Answer.ITEM_mood, worker workerid, label mood; " in found.notes[0]
        assert "; assignments left out as rejected: 2; " in found.notes[0]
        expected = [(str(2 * (n // 3) + i), f"A{n % 3}", "ab"[(n + i) % 2]) for n in range(7) for i in range(2)]
        assert triples(found) == sorted(expected)
        assert found.duration is not None
        assert found.price is not None
        assert found.timestamp is not None
        assert np.isnan(found.duration).sum() == 4
        assert set(found.duration[~np.isnan(found.duration)].tolist()) == {45.0}
        assert set(found.price.tolist()) == {0.05}
        assert found.unreadable_times == 2
        assert str(found.timestamp[-1]) == "2011-03-10T03:18:30.000000"


class TestTimes:
    @pytest.mark.parametrize(
        ("text", "time"),
        [
            ("Sat Mar 09 19:17:00 PST 2024", "2024-03-10T03:17:00.000000"),
            ("Wed Apr 4 10:27:37 PDT 2018", "2018-04-04T17:27:37.000000"),
            ("2018-04-07 17:27:37 UTC", "2018-04-07T17:27:37.000000"),
            ("2018-04-07T17:27:37Z", "2018-04-07T17:27:37.000000"),
            ("Sat Foo 09 19:17:00 PST 2024", "NaT"),
            ("Sat Mar 09 19:17:00 XYZ 2024", "NaT"),
        ],
    )
    def test_are_of_their_zone(self, text: str, time: str, write: Write) -> None:
        rows = [{"Input.id": "x", "Answer.q": "a", "SubmitTime": text}, {"Input.id": "x", "Answer.q": "a"}]
        found = read(write("r.csv", results(rows)))
        assert str(None if found.timestamp is None else found.timestamp[0]).replace("None", "NaT") == time
        assert found.unreadable_times == (time == "NaT")

    def test_of_other_columns(self, write: Write) -> None:
        rows = [{"Input.id": "x", "Answer.q": "a", "AcceptTime": "2018-04-07 17:27:37 UTC", "Reward": "free"}] * 2
        found = read(write("r.csv", results(rows, WorkTimeInSeconds="long")), timestamp="AcceptTime")
        assert str(found.timestamp[0]) == "2018-04-07T17:27:37.000000"  # type: ignore[index]
        assert (found.duration, found.price) == (None, None)


class TestDamage:
    def test_ragged_rows(self, write: Write) -> None:
        text = results([{"Input.id": "x", "Answer.q": "a\nb", "Approve": "", "Reject": ""}] * 3).replace(
            ',"",""\r\n', "\r\n"
        )
        lines = text.replace('"A1"', '"A1","too","many","cells","are","in","this","row"')
        found = read(write("r.csv", "," + lines.replace("\r\n", "\r\n0,")[:-2]))
        assert [(one.line, one.reason[:15]) for one in found.rejects] == [(4, "too many fields")]
        assert found.labels == ("a\nb",)
        assert found.n_judgments == 2

    def test_a_reason_to_reject(self, write: Write) -> None:
        rows = [{"Input.id": "x", "Answer.q": "a", "Reject": why} for why in ("", "write to desk@example.org")]
        found = read(write("r.csv", results(rows)))
        assert [(one.reason, one.row) for one in found.rejects] == [("the assignment was rejected", "x,A1,a,,30")]

    @pytest.mark.parametrize(
        ("text", "missing"),
        [
            ("HITId,AssignmentId,Answer.q\n1,2,3\n", "workerid"),
            ("HITId,AssignmentId,WorkerId\n1,2,3\n", "Answer.NAME"),
        ],
    )
    def test_of_the_header(self, text: str, missing: str, write: Write) -> None:
        why = f"this is no Mechanical Turk results file, for it has no column {missing}; read it with --platform none"
        with pytest.raises(FormatError, match=f"r.csv: {why}"):
            read(write("r.csv", text), platform="mturk")

    def test_anywhere(self, write: Write) -> None:
        """Bytes cut out, swapped or doubled end in rows, rejects or one line."""
        whole = EXAMPLE.read_bytes()
        chance = random.Random(5)
        for _ in range(60):
            begin, n = chance.randrange(len(whole)), chance.choice([1, 30, 3000])
            cut = whole[:begin], whole[begin : begin + n], whole[begin + n :]
            for damaged in (cut[0] + cut[2], cut[0] + cut[1] * 2 + cut[2], cut[0] + cut[1][::-1] + cut[2], cut[0]):
                assert not wrong_with(write("r.csv", damaged)), (begin, n)


def wrong_with(path: Path) -> str:
    """How reading a damaged file ends in something else than rows, rejects or an error of one line; if it does."""
    try:
        return "" if balanced(read(path, platform="mturk")) else "rows are lost"
    except (FormatError, JudgmentError) as error:
        return str(error) if "\n" in str(error) else ""
