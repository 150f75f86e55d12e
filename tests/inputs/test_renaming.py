"""Labels, items and workers that are folded or mapped: in judgments, gold, votes of models, costs and pools."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import consensus
from consensus.errors import ConfigError, FormatError, JudgmentError
from consensus.formats import read_costs, read_gold, read_model_votes, read_workers
from consensus.inputs import gold_workers
from consensus.inputs.judgments import Judgments
from consensus.inputs.renaming import Renaming, shown
from tests.conftest import csv

Write = Callable[[str, str], Path]


def judged(rows: list[tuple[str, str, str | None]], **settings: Any) -> Judgments:
    item, worker, label = (list(column) for column in zip(*rows, strict=True))
    return consensus.read({"item": item, "worker": worker, "label": label}, **settings)


ROWS: list[tuple[str, str, str | None]] = [
    ("a", "v", "yes"),
    ("a", "w", "Yes "),
    ("b", "v", "no"),
    ("b", "W", "NO."),
    ("c", "v", "yes"),
    ("A", "w", None),
]


def test_labels_are_folded_onto_one_spelling() -> None:
    found = judged(ROWS, fold=("labels",))
    assert found.labels == ("no", "yes")
    assert found.per_label.tolist() == [2, 3]
    assert found.worker_ids.to_pylist() == ["W", "v", "w"]
    assert found.notes == ('--fold labels: 2 spellings became others (2 rows): "Yes " (1) to "yes"; "NO." (1) to "no"',)
    assert "look_alike_labels" not in {one.code for one in found.cautions}


def test_workers_and_items_are_folded_and_repeats_give_way() -> None:
    found = judged([*ROWS, ("B ", "v", "no")], fold=("workers", "items"))
    assert found.worker_ids.to_pylist() == ["v", "w"]
    assert found.item_ids.to_pylist() == ["a", "b", "c"]
    assert (found.tally.used, found.tally.repeated, found.tally.abstained) == (5, 1, 1)
    assert found.notes[0] == '--fold items: 2 spellings became others (2 rows): "A" (1) to "a"; "B " (1) to "b"'
    assert found.notes[1] == '--fold workers: 1 spelling became another (1 row): "W" (1) to "w"'


def test_nothing_to_fold_is_said() -> None:
    found = judged([("a", "v", "x"), ("b", "v", "y")], fold=("labels", "items"))
    assert found.notes == ("--fold items: no two items look alike", "--fold labels: no two labels look alike")


def test_what_is_said_stays_on_one_line(tmp_path: Path) -> None:
    path = tmp_path / "map.csv"
    path.write_text("from,to\nx,y\n")
    found = judged([("a", "v", "x"), ("b", "v", "two\r\nlines")], label_map=path)
    assert found.notes[0].endswith('since it does not name them: "two\\u000d\\u000alines" (1)')
    gold = tmp_path / "gold.csv"
    gold.write_text('i1,"two\nlines"\ni2,x\n')
    (note,) = consensus.read_gold(gold).notes
    assert 'such as "i1" and "two lines"; if that is wrong, give it a header' in note
    expert = gold_workers.split(judged([("a", "v\n", "x"), ("a", "w", "x")]), ["v\n"])[0]
    assert expert.notes == (r'1 judgment of "v\n" is taken as gold, and not as judgments',)


def test_many_groups_are_counted() -> None:
    rows: list[tuple[str, str, str | None]] = [(f"i{n}", w, "x") for n in range(5) for w in (f"w{n}", f"W{n}")]
    (note,) = judged(rows, fold=("workers",)).notes
    assert note.endswith("; and 2 more")


def test_what_looks_like_an_abstain_is_one() -> None:
    rows: list[tuple[str, str, str | None]] = [("a", "v", "na "), ("b", "v", "NA"), ("c", "v", "x"), ("d", "v", " ")]
    found = judged(rows, fold=("labels",), abstain=("NA", ""))
    assert (found.labels, found.tally.abstained) == (("x",), 3)
    assert found.notes == ("--fold labels: no two labels that count look alike",)
    assert judged(rows, abstain=("NA",)).labels == (" ", "na ", "x")


@pytest.mark.parametrize("fold", ["label", "", "labels,gold"])
def test_what_can_not_be_folded(fold: str) -> None:
    with pytest.raises(ConfigError, match="setting fold"):
        judged(ROWS, fold=tuple(fold.split(",")))


class TestGold:
    def test_its_labels_and_items_are_those_of_the_judgments(self) -> None:
        gold = read_gold({"item": ["A", "b", "z"], "label": ["YES", "no.", "Yes"]})
        aligned = gold.align(judged(ROWS, fold=("labels", "items")))
        assert aligned.items.tolist() == [0, 1]
        assert aligned.accepted.tolist() == [[False, True], [True, False]]
        assert aligned.unjudged == {"z": ("yes",)}

    def test_without_folding_they_are_not(self) -> None:
        gold = read_gold({"item": ["a"], "label": ["YES"]})
        with pytest.raises(JudgmentError, match='gold label "YES" of item "a" is not in the label set'):
            gold.align(judged(ROWS))

    def test_what_looks_like_two_is_neither(self) -> None:
        found = Renaming(fold=frozenset({"labels"}))
        assert found.folded(["YES", "NO"], ["yes", "Yes", "no"], "labels") == ["YES", "no"]
        assert found.folded(["YES"], ["yes"], "items") == ["YES"]


class TestModelVotes:
    def test_labels_and_items(self) -> None:
        votes = read_model_votes({"item": ["A", "b", "z"], "model": ["m"] * 3, "label": ["YES", "NO ", "FAIL"]})
        people, aligned = votes.align(judged(ROWS, fold=("labels", "items")), None)
        assert people.item_ids.to_pylist() == ["a", "b", "c", "z"]
        assert aligned.item.tolist() == [0, 1]
        assert aligned.label.tolist() == [1, 0]
        assert aligned.tally.unparsed == 1

    def test_two_columns_of_one_label_are_added(self) -> None:
        votes = read_model_votes(
            {"item": ["a", "b"], "model": ["m"] * 2, "p_yes": [0.5, 0.1], "p_Yes": [0.2, 0.1], "p_no": [0.3, 0.8]}
        )
        _, aligned = votes.align(judged(ROWS, fold=("labels",)), None)
        assert aligned.probability.tolist() == [pytest.approx([0.3, 0.7]), pytest.approx([0.8, 0.2])]
        assert aligned.label.tolist() == [1, 0]

    def test_a_column_outside_of_the_given_set(self) -> None:
        votes = read_model_votes({"item": ["a"], "model": ["m"], "p_YES": [0.5], "p_maybe": [0.5]})
        with pytest.raises(JudgmentError, match='a column for the label "maybe", which is not in the label set'):
            votes.align(judged(ROWS, fold=("labels",)), ("no", "yes"))

    def test_of_two_votes_on_one_item_the_first_counts(self) -> None:
        votes = read_model_votes({"item": ["A", "a "], "model": ["m", "m"], "label": ["yes", "no"]})
        _, aligned = votes.align(judged(ROWS, fold=("labels", "items")), None)
        assert (aligned.item.tolist(), aligned.label.tolist(), aligned.tally.merged) == ([0], [1], 1)
        assert aligned.tally.used == 1


def test_the_label_set_costs_and_workers() -> None:
    people = judged(ROWS, fold=("labels", "workers"))
    assert people.with_labels(("Yes", "No", "Maybe")).per_label.tolist() == [3, 2, 0]
    with pytest.raises(JudgmentError, match='label "no" was given 2 times but is not in the label set'):
        people.with_labels(("Yes", "Maybe"))
    costs = read_costs({"true": ["YES", "NO"], "decided": ["no", "yes"], "cost": [2, 1]})
    assert costs.align(people).tolist() == [[0, 1], [2, 0]]
    pool = read_workers({"worker": ["W", "V"]}).align(people)
    assert pool.strangers == ()


class TestLabelMap:
    def test_labels_are_mapped_several_to_one_or_to_none(self, write: Write) -> None:
        names = write("map.csv", "from,to\nyes,1\nYes ,1\nno,0\nskip,\nnever,9\n")
        rows = [*ROWS, ("d", "v", "skip"), ("e", "v", "1")]
        found = judged(rows, label_map=names)
        assert found.labels == ("0", "1", "NO.")
        assert (found.tally.abstained, found.per_label.tolist()) == (2, [1, 4, 1])
        assert found.notes == (
            "label map: 4 of 6 labels are in it (5 rows, 1 of them no answer); left as they are, since it does not "
            'name them: "NO." (1)',
        )

    def test_with_folding_a_spelling_need_not_be_named(self, write: Write) -> None:
        found = judged(ROWS, label_map=write("map.csv", "from,to\nYES,1\nNo,0\n"), fold=("labels",))
        assert found.labels == ("0", "1")
        assert found.notes[0] == "label map: 4 of 4 labels are in it (5 rows)"

    def test_scales_can_be_turned(self, write: Write) -> None:
        names = write("map.csv", "old,new\nyes,no\nno,yes\n")
        found = judged([("a", "v", "yes"), ("b", "v", "no"), ("c", "v", "no")], label_map=names)
        assert (found.labels, found.per_label.tolist()) == (("no", "yes"), [1, 2])
        gold = read_gold({"item": ["a"], "label": ["yes"]}).align(found)
        assert gold.accepted.tolist() == [[True, False]]

    def test_what_becomes_an_abstain_is_one(self, write: Write) -> None:
        names = write("map.csv", "from,to\nno,NA\n")
        assert judged([("a", "v", "yes"), ("b", "v", "no")], label_map=names, abstain=("NA",)).labels == ("yes",)

    def test_gold_and_votes_are_mapped(self, write: Write) -> None:
        names = write("map.csv", "from,to\nunsafe,toxic\nsafe,ok\nnone,\n")
        people = judged([("a", "v", "toxic"), ("b", "v", "safe"), ("a", "w", "unsafe")], label_map=names)
        gold = read_gold({"item": ["a", "b", "b"], "label": ["unsafe", "none", "ok"]}).align(people)
        assert gold.accepted.tolist() == [[False, True], [True, False]]
        votes = read_model_votes({"item": ["a", "b"], "model": ["m"] * 2, "label": ["unsafe", "none"]})
        _, aligned = votes.align(people, None)
        assert (aligned.label.tolist(), aligned.tally.unparsed) == ([1], 1)

    def test_many_that_it_does_not_name(self, write: Write) -> None:
        rows: list[tuple[str, str, str | None]] = [("a", f"w{n}", f"x{n}") for n in range(5)]
        (note,) = judged(rows, label_map=write("map.csv", "from,to\nx0,y\n")).notes
        assert note.endswith('"x1" (1), "x2" (1), "x3" (1) and 1 more')

    @pytest.mark.parametrize(
        ("text", "error"),
        [
            ("from,to\n", "a header but no rows; expected a label and what it becomes in each"),
            ("a,b\nx,y\n", "no column holds the from"),
            ("from,to\nx,1\ny,2\nx,2\n", r'map.csv:4: the label "x" becomes "2" here and "1" in .*map.csv:2; keep one'),
            ("from,to\nx,1\nx,\n", 'the label "x" becomes no answer here and "1" in'),
            ("from,to\nx,1,2,3\n", "correct the label map"),
        ],
    )
    def test_what_is_wrong_is_said(self, text: str, error: str, write: Write) -> None:
        with pytest.raises(FormatError, match=error):
            judged(ROWS, label_map=write("map.csv", text))
        assert judged(ROWS, label_map=write("map.csv", "from,to\nx,1\nx,1\n")).labels == ("NO.", "Yes ", "no", "yes")

    def test_a_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(FormatError, match=r"nowhere\.csv: no such file"):
            judged(ROWS, label_map=tmp_path / "nowhere.csv")


def test_the_command_folds_maps_and_keeps_what_it_did(run: Any, write: Write, tmp_path: Path) -> None:
    rows = [(f"i{n}", w, label) for n in range(6) for w, label in (("u", "Ja"), ("v", "ja "), ("w", "nein"))]
    judgments, names = write("judged.csv", csv(rows)), write("map.csv", "from,to\nja,yes\nnein,no\n")
    folder = tmp_path / "ran"
    given = "--fold", "labels,items", "--label-map", names, "--model", "majority_vote"
    found = run("run", judgments, "--output", folder, *given)
    assert found.status == 0, found.err
    assert "label map: 3 of 3 labels are in it (18 rows)" in found.err
    assert run("explain", folder, "i1").status == 0
    names.write_text("from,to\nja,no\nnein,yes\n")
    assert f"its input {names} has changed since; run again" in run("explain", folder, "i1").err


@pytest.mark.parametrize("given", [("--fold", "labels"), ("--label-map", "map.csv")])
def test_without_judgments_there_is_nothing_to_rename(given: tuple[str, str], run: Any, write: Write) -> None:
    votes = write("votes.csv", "item,model,label\na,m,x\n")
    found = run("aggregate", "--model-votes", votes, *given)
    assert found.status == 3
    assert "and there are only model votes; rename their labels in the file" in found.err


def test_texts_in_messages() -> None:
    assert shown("yes\u00a0") == '"yes\\u00a0"'
    assert shown("cafe\u0301") == '"cafe\\u0301"'
    assert shown("x" * 99) == f'"{"x" * 60}"'
