"""Labels that are none, and names that look alike: each notice at its border."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

import consensus
from consensus.inputs import label_notices, look_alike_notices
from consensus.inputs.judgments import Judgments
from consensus.inputs.label_teams import teams
from consensus.inputs.notices import Notice
from consensus.models import diagnostics
from tests.strategies import encoded


def given(**counts: int) -> Judgments:
    return labelled(counts)


def labelled(counts: dict[str, int]) -> Judgments:
    """As many judgments of each label, each of an item of its own."""
    labels = [label for label, n in counts.items() for _ in range(n)]
    return encoded([(f"i{n:05}", f"w{n % 3}", label) for n, label in enumerate(labels)])


def one(judgments: Judgments) -> Notice:
    (found,) = label_notices.of_labels(judgments)
    return found


class TestNoAnswers:
    @pytest.mark.parametrize(
        "text",
        [
            *("", " ", "\u00a0", "nan", "NaN", "None", "null", "NA", "n/a", "N/A", "{}", "[]", "-", "-1", "?"),
            *("ERROR", "skip", "unclear", "Skip ", "n.a.", "#N/A", "(blank)"),
            *(
                "Unsure",
                "not sure",
                "I don't know",
                "don\u2019t know",
                "IDK",
                "can't tell",
                "\\N",
                "...",
                "TIMEOUT",
                "NaT",
            ),
        ],
    )
    def test_texts(self, text: str) -> None:
        found = one(labelled({"yes": 5, "no": 5, text: 4}))
        assert found.code == "no_answer_texts"
        assert found.message.startswith("4 of 14 judgments have labels that look like no answer: ")
        assert found.values == {"n_judgments": 4, "n_texts": 1}

    def test_the_flags_can_be_typed(self) -> None:
        found = one(labelled({"yes": 30, "NA": 3, "-1": 2, "?": 2, "": 1, "\u00a0": 1, "n/a": 1, "no answer": 1}))
        assert found.message.endswith(
            'if they mean no answer, pass --abstain NA --abstain=-1 --abstain "?" --abstain "" --abstain n/a '
            "--abstain \"no answer\" --abstain $'\\u00a0'"
        )

    def test_more_than_eight(self) -> None:
        texts = dict.fromkeys(["NA", "na", "nan", "NaN", "null", "NULL", "none", "None", "?"], 1)
        assert '"none" (1) and 1 more;' in one(labelled({"yes": 30, **texts})).message

    def test_a_usual_label_is_an_answer_unless_it_is_blank(self) -> None:
        assert label_notices.of_labels(given(none=6, some=5)) == []
        assert one(labelled({"": 6, "some": 5})).values["n_judgments"] == 6

    def test_minus_one_on_a_scale_is_an_answer_unless_it_is_rare(self) -> None:
        assert label_notices.of_labels(labelled({"-1": 4, "0": 4, "1": 4})) == []
        assert one(labelled({"-1": 1, "0": 8, "1": 8})).code == "no_answer_texts"

    def test_labels_that_nobody_gives(self) -> None:
        judgments = labelled({"yes": 3, "NA": 1})
        assert label_notices.of_labels(judgments.subset(judgments.label == 1)) == []


class TestLists:
    @pytest.mark.parametrize(
        "labels",
        [
            {"a|b": 3, "b|a": 2, "a": 2},
            {"a;b": 3, "b;a": 2, "a": 2},
            {"a, b": 3, "b, a": 2, "a": 2},
            {'["a", "b"]': 3, '["b", "a"]': 2, "a": 2},
            {'{"a": 1, "b": 2}': 3, '{"b": 2, "a": 1}': 2, "a": 2},
        ],
    )
    def test_the_same_parts_in_another_order(self, labels: dict[str, int]) -> None:
        found = one(labelled(labels))
        assert found.code == "list_labels"
        assert "5 judgments have lists as labels, and 2 labels have the same parts in another order" in found.message
        assert "; if the order means nothing, pass --fold labels (it makes 2 of 3 labels)" in found.message
        assert found.values == {"n_judgments": 5, "n_lists": 2, "n_as_sets": 2}

    def test_json_is_told_in_one_order_too(self) -> None:
        found = one(labelled({'["a", "b"]': 3, '["b", "c"]': 2}))
        assert "each of the 2 is a label of its own" in found.message

    @pytest.mark.parametrize("labels", [{"a|b": 3, "b|c": 2}, {"yes, sir": 3, "no": 2}, {"a|b": 3, "x": 1}])
    def test_others_are_labels(self, labels: dict[str, int]) -> None:
        assert label_notices.of_labels(labelled(labels)) == []


class TestManyValues:
    def test_numbers(self) -> None:
        found = one(labelled({f"{n}.5": 1 for n in range(21)}))
        assert found.code == "number_labels"
        assert found.message.startswith(
            '21 values for 21 judgments, such as "0.5" and "9.5" look like measured numbers'
        )
        assert found.values == {"n_labels": 21, "n_judgments": 21}

    @pytest.mark.parametrize(
        ("labels", "codes"),
        [
            ({f"{n}.5": 1 for n in range(20)}, []),
            ({f"{n}": 9 for n in range(21)}, ["number_labels"]),
            ({f"{n}": 10 for n in range(21)}, []),
            ({f"{n} %": 10 for n in range(21)}, ["number_labels"]),
            ({f"text {n}": 2 for n in range(21)}, ["free_text_labels"]),
            ({f"text {n}": 3 for n in range(21)}, []),
        ],
    )
    def test_borders(self, labels: dict[str, int], codes: list[str]) -> None:
        assert [found.code for found in label_notices.of_labels(labelled(labels))] == codes

    @pytest.mark.parametrize(
        ("written", "near"),
        [
            ("{}", True),
            ("{}.0", True),
            ("${}", True),
            ("{}%", True),
            ("{}", False),
        ],
    )
    def test_many_judgments_of_a_slider_are_near_each_other_and_codes_are_not(self, written: str, near: bool) -> None:
        rng = np.random.default_rng(1)
        rows = []
        for i in range(300):
            centre = int(rng.integers(40))
            for w in range(4):
                value = centre + int(rng.integers(-2, 3)) if near or rng.random() < 0.7 else int(rng.integers(43))
                rows.append((f"i{i:03}", f"w{w}", written.format(abs(value) if near else 7 * value % 43)))
        rows += [(f"j{n}", w, "9e999") for n in range(2) for w in "vw"]  # infinite
        codes = {found.code for found in label_notices.of_labels(encoded(rows))}
        assert ("number_labels" in codes) == near

    def test_too_few_that_differ_tell_nothing(self) -> None:
        rows = [(f"i{i:03}", f"w{w}", str(i % 25 + (w and i < 29))) for i in range(290) for w in range(2)]
        assert label_notices.of_labels(encoded(rows)) == []
        rows = [(f"i{i:03}", f"w{w}", str(i % 25 + (w and i < 30))) for i in range(290) for w in range(2)]
        assert [found.code for found in label_notices.of_labels(encoded(rows))] == ["number_labels"]

    def test_they_are_told_in_place_of_many_labels(self) -> None:
        found = consensus.read(
            {"item": range(202), "worker": ["w"] * 202, "label": [f"{n // 2}.5" for n in range(202)]}
        )
        assert [caution.code for caution in diagnostics.of_judgments(found)] == ["number_labels"]


class TestLookAlikes:
    def test_labels_with_their_counts(self) -> None:
        judgments = labelled({"yes": 4, "Yes": 3, "yes\u00a0": 2, "no": 5, "no.": 1, "other": 1})
        (found,) = look_alike_notices.of_names(judgments)
        assert found.code == "look_alike_labels"
        assert 'ones: "yes" (4), "Yes" (3), "yes\\u00a0" (2); "no" (5), "no." (1);' in found.message
        assert found.message.endswith("if they are the same, pass --fold labels")
        assert found.values == {"n_groups": 2, "n_labels": 5}

    def test_long_groups_and_many_of_them_are_cut(self) -> None:
        spellings = {" " * n + "x": 1 for n in range(8)} | {c + dot: 1 for c in "abcd" for dot in ("", ".")}
        (found,) = look_alike_notices.of_names(labelled(spellings))
        assert "and 2 more" in found.message
        assert found.values["n_groups"] == 5

    def test_the_order_of_lists_is_told_elsewhere(self) -> None:
        assert look_alike_notices.of_names(labelled({"a|b": 2, "b|a": 1, "c": 1})) == []
        (found,) = look_alike_notices.of_names(labelled({"a|b": 2, "A|b": 1, "c": 1}))
        assert found.code == "look_alike_labels"

    @pytest.mark.parametrize("spelled", [str.upper, " {}".format, "{}.".format, "{}\u00a0".format, "\ufeff{}".format])
    def test_workers_and_items(self, spelled: Any) -> None:
        rows = [(f"i{n}", w, "xy"[n % 2]) for n in range(4) for w in ("v", "w", spelled("w"))]
        (workers,) = look_alike_notices.of_names(encoded(rows))
        assert workers.code == "look_alike_workers"
        assert workers.message.startswith("2 of 3 workers have names that look alike: ")
        assert workers.message.endswith("if they are the same, pass --fold workers")
        (items,) = look_alike_notices.of_names(encoded([(w, i, label) for i, w, label in rows]))
        assert (items.code, items.values) == ("look_alike_items", {"n_groups": 1, "n_items": 2})

    def test_many_ids(self) -> None:
        rows = [(item, "w", "x") for n in range(5) for item in (f"i{n}", f"I{n}")]
        (found,) = look_alike_notices.of_names(encoded(rows))
        assert "; and 2 more; they differ by" in found.message

    def test_clean_names(self) -> None:
        assert look_alike_notices.of_names(given(yes=3, no=2)) == []


def two_teams(**labels: str) -> list[tuple[str, str, str | None]]:
    """Workers of two teams on the same 12 items, each team with labels of its own."""
    said = {"a": "ok toxic", "b": "safe unsafe", **labels}
    return [(f"i{n:02}", f"{team}{w}", said[team].split()[n % 2]) for n in range(12) for team in said for w in range(2)]


class TestOtherNames:
    def test_teams_that_share_no_label(self) -> None:
        found = [one for one in diagnostics.of_judgments(encoded(two_teams())) if one.code == "other_label_names"]
        assert found[0].message == (
            '2 workers (b0, b1) say "safe", "unsafe", and never what the 2 others say: "ok", "toxic"; if they mean the '
            "same, say what each is called with --label-map, a file of from and to"
        )
        assert found[0].values == {"n_workers": 2, "n_teams": 2}

    def test_one_worker_alone_and_many(self) -> None:
        rows = [row for row in two_teams() if row[1] != "b1"]
        rows += [(f"j{item}", "b0", label) for item, worker, label in rows if worker == "b0"]
        (found,) = (one for one in diagnostics.of_judgments(encoded(rows)) if one.code == "other_label_names")
        assert found.message.startswith('1 worker (b0) says "safe", "unsafe"')
        rows = [(item, f"{worker}{n}", label) for item, worker, label in two_teams() for n in "xy"]
        (found,) = (one for one in diagnostics.of_judgments(encoded(rows)) if one.code == "other_label_names")
        assert found.message.startswith("4 workers (b0x, b0y, b1x, ...) say")

    @pytest.mark.parametrize(
        "labels",
        [{"b": "ok unsafe"}, {"b": "OK Toxic"}, {"b": "safe safe"}, {"a": "x x", "b": "y y", "c": "z z", "d": "u u"}],
    )
    def test_no_teams(self, labels: dict[str, str]) -> None:
        assert teams(encoded(two_teams(**labels))) is None

    def test_a_slip_joins_nobody(self) -> None:
        rows = two_teams()
        rows += [(f"j{n}", worker, label) for n in range(15) for worker, label in (("b0", "safe"), ("a0", "ok"))]
        assert teams(encoded([*rows, ("k", "b0", "ok")])) is not None
        assert teams(encoded([*rows, *((f"k{n}", "b0", "ok") for n in range(3))])) is None

    def test_few_judgments_and_very_many_cells(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rows = two_teams()
        assert teams(encoded(rows[:36])) is None
        by_table = teams(encoded(rows))
        monkeypatch.setattr("consensus.inputs.label_teams.MOST_CELLS", 0)
        by_sorting = teams(encoded(rows))
        monkeypatch.setattr("consensus.inputs.label_teams.ENOUGH", 24)
        assert teams(encoded(rows)) is None  # 12 judgments a team are too few
        assert by_table is not None
        assert by_sorting is not None
        assert by_table.labels == by_sorting.labels == (("ok", "toxic"), ("safe", "unsafe"))
        assert by_table.of_worker.tolist() == by_sorting.of_worker.tolist() == [0, 0, 1, 1]


def of_files(tmp_path: Any, *files: str) -> list[str]:
    paths = []
    for n, labels in enumerate(files):
        paths.append(tmp_path / f"part{n}.csv")
        rows = [f"i{n}_{k},w,{label}\n" for k, label in enumerate(labels.split())]
        paths[-1].write_text("item,worker,label\n" + "".join(rows))
    found = consensus.read(paths).cautions
    assert Counter(one.code for one in found).most_common(1) in ([], [("other_label_names", 1)])
    return [one.message for one in found]


class TestFiles:
    @pytest.mark.parametrize(
        ("files", "told"),
        [
            (("yes no", "1 0"), 'part0.csv: "no", "yes"; part1.csv: "0", "1"'),
            (("yes no", "true false", "yes no"), 'part0.csv: "no", "yes"; part1.csv: "false", "true"'),
            (("a b", "c d", "e f"), 'part0.csv: "a", "b"; part1.csv: "c", "d"; part2.csv: "e", "f"'),
            (("a b", "c d", "b c", "x y"), 'part0.csv: "a", "b", "c", "d"; part3.csv: "x", "y"'),
            (("low high", "1 5"), 'part0.csv: "high", "low"; part1.csv: "1", "5"'),
        ],
    )
    def test_that_share_no_label(self, files: tuple[str, ...], told: str, tmp_path: Any) -> None:
        (message,) = of_files(tmp_path, *files)
        assert message.startswith(f"files share no label: {told}; if these mean the same")

    @pytest.mark.parametrize("files", [("a b", "a c d"), ("a b c d",), ("a b c", "d"), ("a b", "b c", "c d")])
    def test_that_do(self, files: tuple[str, ...], tmp_path: Any) -> None:
        assert of_files(tmp_path, *files) == []
