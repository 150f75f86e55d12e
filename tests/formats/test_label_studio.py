"""Exports of Label Studio against counts by plain json, with the traps of real ones."""

import copy
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from consensus import fit, read, read_gold
from consensus.errors import FormatError, JudgmentError
from consensus.inputs.judgments import Judgments
from tests.conftest import ROOT, Run
from tests.formats.test_platforms import balanced

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

Write = Callable[[str, str | bytes], Path]
Triple = tuple[str, str, str]
JUNK: list[Any] = [None, [], {}, "x", 5, True, [[]], [{}], {"a": [1]}, "\ud800", [["a", "b"], 3]]
EXAMPLE = ROOT / "tests" / "platforms" / "label-studio.json"
ANN = "annotator 438c4c7a"
"""What a worker is called whose e-mail is all there is."""


def result(name: str, type_: str, *answers: Any, **more: Any) -> dict[str, Any]:
    """An item of a result."""
    value = answers[0] if type_ in {"rating", "number"} else list(answers)
    key = {"textarea": "text", "pairwise": "selected"}.get(type_, type_)
    return {"from_name": name, "to_name": "t", "type": type_, "value": {key: value, **more}}


def mood(*answers: str) -> dict[str, Any]:
    return result("mood", "choices", *answers)


def task(id_: int, *annotations: Any, predictions: Any = (), **data: Any) -> dict[str, Any]:
    """A task; an annotation is its worker and its results, or whatever it is."""
    made = [
        {"id": 10 * id_ + n, "completed_by": one[0], "result": list(one[1:]), "was_cancelled": False, "lead_time": 2.5}
        if isinstance(one, tuple)
        else one
        for n, one in enumerate(annotations)
    ]
    return {"id": id_, "annotations": made, "predictions": list(predictions), "data": data}


def triples(judgments: Judgments) -> list[Triple]:
    items, workers = judgments.item_ids.to_pylist(), judgments.worker_ids.to_pylist()
    codes = zip(judgments.item, judgments.worker, judgments.label, strict=True)
    return [(items[i], workers[w], judgments.labels[k]) for i, w, k in codes]


@pytest.fixture
def export(write: Write) -> Callable[..., Path]:
    """Write tasks to a file."""
    return lambda *tasks: write("x.json", json.dumps(tasks))


class TestExample:
    tasks = json.loads(EXAMPLE.read_text())

    def test_counts(self) -> None:
        found = read(EXAMPLE)
        expected, n_absent, n_bad = [], 0, 0
        for one in self.tasks:
            for given in one["annotations"]:
                if isinstance(given["result"], str):
                    n_bad += 1
                    continue
                labels = [it["value"]["choices"][0] for it in given["result"] if it["from_name"] == "mood"]
                who = given["completed_by"]
                who = who.get("id", ANN) if isinstance(who, dict) else who
                expected += [(str(one["id"]), str(who), label) for label in labels]
                n_absent += not labels
        assert triples(found) == sorted(expected)
        assert (found.tally.abstained, found.tally.rejected) == (n_absent, n_bad) == (2, 1)
        assert [(one.line, one.reason) for one in found.rejects] == [(4, "its result is no list")]
        assert found.duration is not None
        assert found.duration.min() == 3.5
        assert found.timestamp is not None
        assert str(found.timestamp.min()) == "2024-03-01T10:00:05.250000"

    def test_votes_of_models(self) -> None:
        votes = read(EXAMPLE).model_votes
        assert votes is not None
        assert votes.n_votes == sum(len(one["predictions"]) for one in self.tasks) == 12
        assert votes.models == ("judge-2", "small-1")
        assert (votes.row >= 0).sum() == 8
        assert fit(read(EXAMPLE)).labels["n_model_votes"].sum() == 12

    def test_words(self) -> None:
        (note,) = read(EXAMPLE).notes
        assert note == (
            "label-studio.json is a Label Studio export: item id, worker completed_by, label mood; annotations that "
            "were cancelled, and have no label: 1; workers named by a digest of their e-mail: 1; predictions that are "
            "votes of models: 12 of 2 models (unless --model-votes names others, or none); annotations that began as "
            "a prediction, and may lean to it: 1; ground_truth on 5 of 8 items marks judgments like others, unless "
            "--gold names this file, too; --platform none reads it as a plain table"
        )

    def test_stars_are_gold_if_told_so(self, run: Run) -> None:
        gold = read_gold(EXAMPLE)
        starred = {
            (str(one["id"]), given["result"][0]["value"]["choices"][0])
            for one in self.tasks
            for given in one["annotations"]
            if given["ground_truth"]
        }
        assert set(zip(gold.item, gold.label, strict=True)) == starred
        ran = run("aggregate", EXAMPLE, "--gold", EXAMPLE)
        assert ran.out.count(",gold,gold") == 5
        assert (
            "gold is what has a star (ground_truth) in the Label Studio export: 5 of 8 items, by 1 of its own workers, "
            "who are right there by definition"
        ) in ran.err
        assert set(read_gold(EXAMPLE, item="nothing", label="nothing").item) == {one for one, _ in starred}

    def test_stars_on_everything_are_told(self, export: Callable[..., Path], run: Run) -> None:
        path = export(task(1, (1, mood("a")), (2, mood("b"))))
        tasks = json.loads(path.read_text())
        tasks[0]["annotations"][0]["ground_truth"] = True
        path.write_text(json.dumps(tasks))
        told = run("aggregate", path, "--gold", path).err
        assert "; every item has gold, so no label is left to find\n" in told


class TestQuestions:
    def test_several(self, export: Callable[..., Path]) -> None:
        path = export(task(1, (1, mood("a"), result("stars", "rating", 4), result("why", "textarea", "so"))))
        several = (
            r"this Label Studio export asks several questions: mood \(one choice\), stars \(rating\), why \(free text\)"
        )
        with pytest.raises(FormatError, match=several + "; choose one with --label, such as --label mood"):
            read(path)
        assert triples(read(path, label="stars")) == [("1", "1", "4")]
        assert triples(read(path, label="why")) == [("1", "1", "so")]
        with pytest.raises(FormatError, match='no question "size"; this Label Studio export asks: mood .*--label'):
            read(path, label="size")
        assert triples(read(path, label="mood", group="stars")) == [("1", "1", "a")]
        assert read(path, label="mood", group="stars").group_ids.to_pylist() == ["4"]  # type: ignore[union-attr]

    @pytest.mark.parametrize(
        ("given", "label"),
        [
            ([mood("b", "a")], "a | b"),
            ([mood("a"), mood("b, c")], '["a", "b, c"]'),
            ([result("q", "pairwise", "left")], "left"),
            ([{"from_name": "q", "type": "pairwise", "value": {"selected": "left"}}], "left"),
            ([result("q", "choices", ["top", "leaf"])], "top/leaf"),
            ([result("q", "rating", 4)], "4"),
            ([result("q", "taxonomy", ["a", "b"])], "a/b"),
            ([result("q", "taxonomy", ["a", "c"], ["a", "b"], ["d"])], "a/b | a/c | d"),
            ([mood("a"), result("s", "labels", "thing", start=0, end=2)], "a"),
            ([mood("a"), {"type": "relation", "from_id": "x", "to_id": "y"}], "a"),
        ],
    )
    def test_answers(self, given: list[dict[str, Any]], label: str, export: Callable[..., Path]) -> None:
        assert triples(read(export(task(1, (1, *given))))) == [("1", "1", label)]

    def test_sets_are_told(self, export: Callable[..., Path]) -> None:
        path = export(task(1, (1, mood("b", "a"))))
        assert "label mood (several choices: each set of choices is one label); " in read(path).notes[0]

    def test_roots_of_a_taxonomy(self, export: Callable[..., Path]) -> None:
        ticks = [(1, result("x", "taxonomy", ["a b", "c"], ["d", "e"])), (2, result("x", "taxonomy", ["a b"]))]
        path = export(task(1, *ticks, (3, {**result("x", "taxonomy"), "value": None})))
        assert "; --label 'x/a b' reads what stands below one of its 2 roots; " in read(path).notes[0]
        assert triples(read(path, label="x/a b")) == [("1", "1", "c"), ("1", "2", "a b")]
        assert triples(read(path, label="x/d")) == [("1", "1", "e")]
        with pytest.raises(FormatError, match='no question "x/f"'):
            read(path, label="x/f")

    def test_regions_are_no_labels(self, export: Callable[..., Path]) -> None:
        path = export(task(1, (1, result("s", "labels", "thing", start=0, end=2), mood("a"))))
        assert read(path).labels == ("a",)
        with pytest.raises(FormatError, match='answers to "s" are regions marked in an item, .*--label'):
            read(path, label="s")
        only = export(task(1, (1, result("s", "choices", "thing", x=0, y=2), result("n", "number", 3))))
        with pytest.raises(FormatError, match=r"has fixed answers: s \(marked regions\), n \(number\); choose one"):
            read(only)
        assert read(only, label="n").labels == ("3",)
        with pytest.raises(FormatError, match="x.json: nobody answered a question in this Label Studio export"):
            read(export(task(1, (1,))))


class TestFields:
    def test_that_are_named(self, export: Callable[..., Path]) -> None:
        tasks = [
            task(n, (1, mood("a")), (2, mood("b")), photo=f"/data/upload/7/0a1b2c3{n % 2}-{name}", meta={"a": 1})
            for n, name in enumerate(["one.png", "two.png", "same.png", "same.png"])
        ]
        tasks[0]["data"]["photo"] = "https://host.example/data/upload/0a1b2c3d-one.png"
        found = read(export(*tasks), item="photo", drop=["completed_by=2"])
        assert found.item_ids.to_pylist() == [
            "/data/upload/7/0a1b2c30-same.png",
            "/data/upload/7/0a1b2c31-same.png",
            "one.png",
            "two.png",
        ]
        assert found.tally.dropped == 4
        assert read(export(*tasks), item="data.photo", worker="lead_time").worker_ids.to_pylist() == ["2.5"]
        with pytest.raises(
            FormatError, match=r'x\.json: no field "size" for the item; the fields are: .*; correct --item'
        ):
            read(export(*tasks), item="size")
        with pytest.raises(FormatError, match='no field "size" for --drop; .*; correct it'):
            read(export(*tasks), drop=["size=3"])
        assert {one.reason for one in read(export(*tasks), item="meta").rejects} == {"the item holds several values"}

    @pytest.mark.parametrize(
        ("who", "worker"),
        [
            (3, "3"),
            ("ann", "ann"),
            ({"id": 3, "email": "ann@example.org"}, "3"),
            ({"email": "ann@example.org"}, ANN),
            ("Ann@Example.org", ANN),
            (" ann@example.org, 3", ANN),
        ],
    )
    def test_workers(self, who: Any, worker: str, export: Callable[..., Path]) -> None:
        path = export(task(1, (who, mood("a")), (9, mood("a"))))
        assert read(path).worker_ids.to_pylist() == sorted(["9", worker])
        assert ("workers named by a digest of their e-mail: 1; " in read(path).notes[0]) == (worker == ANN)

    @pytest.mark.parametrize("who", [None, {}, "", {"email": None}, True])
    def test_nobody(self, who: Any, export: Callable[..., Path]) -> None:
        found = read(export(task(1, (who, mood("a")), (9, mood("a")))))
        assert [one.reason for one in found.rejects] == ["the worker is missing"]

    def test_of_tasks_without_anything(self, export: Callable[..., Path]) -> None:
        found = read(export(task(1), {"id": 2, "annotations": None}, task(3, (1, mood("a")))))
        assert triples(found) == [("3", "1", "a")]
        assert found.timestamp is None


class TestPredictions:
    def test_scores(self, export: Callable[..., Path]) -> None:
        def predicted(n: int, score: Any, *results: Any, version: Any = "m") -> dict[str, Any]:
            return {"id": n, "model_version": version, "score": score, "result": list(results)}

        alone = {**mood("a"), "score": 0.75}
        given = {
            1: predicted(1, 0.5, mood("a")),
            2: predicted(2, 0.5, alone, result("stars", "number", 3)),
            3: predicted(3, 0.5, mood("a"), result("stars", "number", 3)),
            4: predicted(4, 17, mood("a")),
            5: predicted(5, None, mood("b"), version=None),
            6: predicted(6, 0.5, result("stars", "number", 3)),
            7: {"id": 7, "result": "cut"},
            8: 12,
            10: predicted(10, True, mood("a")),
            11: predicted(11, "many", mood("a")),
            9: predicted(9, "many", {**mood(), "value": {}}),
        }
        tasks = [task(n, (1, mood("a")), (2, mood("b")), predictions=[one]) for n, one in given.items()]
        tasks[0]["annotations"][0]["prediction"] = given[1]
        tasks[1]["predictions"] = 1
        tasks[1]["annotations"][0]["prediction"] = {"model_version": "m", "result": [alone]}
        votes = read(export(*tasks)).model_votes
        assert votes is not None
        items = votes.item_ids.to_pylist()
        told = {
            (items[i], votes.models[m], votes.labels[k], None if row < 0 else votes.probability[row, k].item())
            for i, m, k, row in zip(votes.item, votes.model, votes.label, votes.row, strict=True)
        }
        assert told == {
            ("1", "m", "a", 0.5),
            ("2", "m", "a", 0.75),
            ("3", "m", "a", None),
            ("4", "m", "a", None),
            ("5", "prediction", "b", None),
            ("10", "m", "a", None),
            ("11", "m", "a", None),
        }

    def test_of_an_item_without_a_name(self, export: Callable[..., Path]) -> None:
        one = {"id": 1, "model_version": "m", "result": [mood("a")]}
        tasks = [task(1, (1, mood("a")), predictions=[one], name="x"), task(2, (1, mood("a")), predictions=[one])]
        tasks[1]["data"] = []
        found = read(export(*tasks), item="name")
        assert found.model_votes is not None
        assert (found.model_votes.n_votes, found.tally.rejected) == (1, 1)


class TestFlat:
    ROWS = (
        ("1", "ann@example.org", "good", "t one", 3.5),
        ("1", "2", {"choices": ["bad", "good"]}, "t one", 2),
        ("2", "2", "bad", "t two", 4.25),
        ("2", "3", "bad", "t two", 1),
        ("3", "3", "", "t three", 1),
    )

    def objects(self) -> list[dict[str, Any]]:
        return [
            {"text": text, "id": int(id_), "mood": given, "annotator": who, "annotation_id": n, "lead_time": seconds}
            | {"created_at": "2024-03-01T10:00:00Z", "updated_at": "2024-03-02T10:00:00Z"}
            for n, (id_, who, given, text, seconds) in enumerate(self.ROWS)
        ]

    def table(self, delimiter: str = ",") -> str:
        names = ["", "annotation_id", "annotator", "created_at", "id", "lead_time", "mood", "text", "updated_at"]
        lines = [names]
        for n, one in enumerate(self.objects()):
            cells = {name: one.get(name, n) for name in names}
            texts = [json.dumps(cell) if isinstance(cell, dict) else str(cell) for cell in cells.values()]
            lines.append(['"' + text.replace('"', '""') + '"' if '"' in text else text for text in texts])
        return "".join(delimiter.join(line) + "\n" for line in lines)

    @pytest.mark.parametrize("form", ["json", "csv", "tab"])
    def test_forms(self, form: str, write: Write) -> None:
        text = json.dumps(self.objects()) if form == "json" else self.table("\t" if form == "tab" else ",")
        found = read(write(f"x.{'csv' if form == 'tab' else form}", text))
        assert triples(found) == [
            ("1", "2", "bad | good"),
            ("1", ANN, "good"),
            ("2", "2", "bad"),
            ("2", "3", "bad"),
        ]
        assert (found.tally.read, found.tally.abstained) == (5, 1)
        assert found.duration is not None
        assert sorted(found.duration.tolist()) == [1.0, 2.0, 3.5, 4.25]
        assert found.notes[0].startswith(
            f"x.{'csv' if form == 'tab' else form} is a Label Studio export: item id, worker annotator, label mood "
            "(several choices: each set of choices is one label); workers named by a digest"
        )
        assert (found.gold, found.model_votes) == (None, None)

    @pytest.mark.parametrize(
        ("values", "labels"),
        [
            ([[{"rating": 4}], [{"rating": 5}]], ("4", "5")),
            ([[{"taxonomy": [["a", "b"]]}], [{"taxonomy": [["a"]]}]], ("a", "a/b")),
            ([3, 4], ("3", "4")),
            ([True, False], ("false", "true")),
        ],
    )
    def test_answers(self, values: list[Any], labels: tuple[str, ...], write: Write) -> None:
        rows = [{"id": 1, "annotation_id": n, "annotator": n, "q": one} for n, one in enumerate(values)]
        assert read(write("x.json", json.dumps(rows))).labels == labels

    def test_questions(self, write: Write) -> None:
        rows = self.objects()
        for n, one in enumerate(rows):
            one["why"] = f"word {n}"
            one["marks"] = [{"start": n, "end": 9, "labels": ["x"]}]
            one["note"] = {"text": ["x", f"y{n}"]}
        path = write(
            "x.json",
            json.dumps(
                [
                    {**one, "why": f"{one['why']} {n}", "id": n // 2, "text": f"t {n // 2}"}
                    for n, one in enumerate(rows * 20)
                ]
            ),
        )
        assert "label mood" in read(path, platform="label-studio", repeats="keep").notes[0]
        with pytest.raises(FormatError, match='answers to "marks" are regions'):
            read(path, label="marks")
        assert read(path, label="note", repeats="keep").labels[:2] == ("x | y0", "x | y1")
        assert read(path, label="text", repeats="keep").labels[:2] == ("t 0", "t 1")
        with pytest.raises(FormatError, match='no question "size"'):
            read(path, label="size")

    def test_where_nothing_differs_within_a_task(self, write: Write) -> None:
        rows = [{"id": n, "annotation_id": n, "annotator": 1, "text": f"t{n}", "mood": "ab"[n % 2]} for n in range(6)]
        found = read(write("x.json", json.dumps(rows)))
        assert found.labels == ("a", "b")
        assert (
            "; nothing but its few different values tells that mood is the question, which is a guess; "
            in found.notes[0]
        )
        two = [{**one, "source": "xy"[n % 3 == 0]} for n, one in enumerate(rows)]
        with pytest.raises(FormatError, match="nobody answered a question .*; name a column with --label"):
            read(write("x.json", json.dumps(two)))
        assert read(write("x.json", json.dumps(two)), label="source").labels == ("x", "y")

    def test_cells_that_only_begin_as_json(self, write: Write) -> None:
        text = "annotation_id,annotator,created_at,id,lead_time,mood\n"
        text += "1,1,,1,3,[sic]\n2,2,,1,3,[] \n3,3,,1,,{x\n4,4,,1,,,,,9\n"
        found = read(write("x.csv", text))
        assert (found.labels, found.tally.abstained) == (("[sic]", "{x"), 1)
        assert [one.reason for one in found.rejects] == ["too many fields: 9 instead of 6"]


class TestDamage:
    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ('[{"id": 1, "annotations": [{"completed_by": 1, "from_name": ', "not JSON: .*; export it again"),
            (
                '[{"id": 1, "notes": {"annotations": [], "completed_by": 1, "lead_time": 2}}]',
                "no object in it has annota",
            ),
            ("a,b\n1,2\n", "this is no Label Studio export, for it has no column annotation_id; read it with --platf"),
        ],
    )
    def test_of_the_whole(self, text: str, why: str, write: Write) -> None:
        with pytest.raises(FormatError, match=f"x.json: .*{why}"):
            read(write("x.json", text), platform="label-studio")

    @pytest.mark.parametrize(
        ("damaged", "why"),
        [
            (7, "the task has no list of annotations"),
            ({"id": 2, "annotations": {}}, "the task has no list of annotations"),
            (task(2, 7), "the annotation is no object"),
            (task(2, {"completed_by": 1, "result": {}}), "its result is no list"),
            (task(2, (1, 7)), "its result holds what is no object"),
            (task(2, (1, {**mood(), "value": None})), "the label is damaged"),
            (task(2, (1, mood(None))), "the label is damaged"),  # type: ignore[arg-type]
            (task(2, (1, result("mood", "choices", ["a", {}]))), "the label is damaged"),
        ],
    )
    def test_of_one(self, damaged: Any, why: str, export: Callable[..., Path]) -> None:
        found = read(export(task(1, (1, mood("a"))), damaged))
        assert [(one.line, one.reason) for one in found.rejects] == [(2, why)]
        assert balanced(found)

    def test_of_rows(self, write: Write) -> None:
        rows = [{"id": 1, "annotation_id": n, "annotator": n, "mood": one} for n, one in enumerate("ab")]
        found = read(write("x.json", json.dumps([*rows, 7])))
        assert [(one.line, one.reason) for one in found.rejects] == [(3, "the annotation is no object")]

    def test_anywhere(self, write: Write) -> None:
        """Junk in the place of any value ends in rows, rejects or one line."""
        tasks = json.loads(EXAMPLE.read_text())[:3]
        places = list(paths(tasks))
        chance = random.Random(3)
        for place in [*chance.sample(places, 60), ()]:
            for junk in chance.sample(JUNK, 3):
                path = write("x.json", json.dumps(replaced(tasks, place, junk)))
                assert not wrong_with(path), (place, junk)

    def test_cuts(self, write: Write) -> None:
        whole = EXAMPLE.read_bytes()
        for end in range(0, len(whole), 1500):
            assert not wrong_with(write("x.json", whole[:end]))


def wrong_with(path: Path) -> str:
    """How reading a damaged file ends in something else than rows, rejects or an error of one line; if it does."""
    try:
        return "" if balanced(read(path, platform="label-studio")) else "rows are lost"
    except (FormatError, JudgmentError) as error:
        return str(error) if "\n" in str(error) else ""


def paths(value: Any, begin: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all that JSON holds."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*begin, key)
        yield from paths(value[key], (*begin, key))


def replaced(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    """JSON with something else in a place."""
    if not place:
        return new
    whole = copy.deepcopy(value)
    inner = whole
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = new
    return whole


def test_a_question_whose_name_has_several_lines_breaks_no_note(write: Write) -> None:
    tasks = [{"id": n, "annotator": n % 3, "annotation_id": n, "mood\r\nnow": "ab"[n % 2]} for n in range(9)]
    notes = read(write("export.json", json.dumps(tasks)), platform="label-studio").notes
    assert any("mood" in one for one in notes)
    assert all(one.isprintable() for one in notes)
