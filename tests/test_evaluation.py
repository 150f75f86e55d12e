"""Scores against truth, by hand and against scikit-learn."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

import consensus
from consensus import read_gold
from consensus.errors import FormatError, JudgmentError
from consensus.evaluation import Scores, calibration_error, evaluate, of_posterior
from consensus.formats.labels_table import counted_by, label_set_of, read_scored
from consensus.intervals import wilson

Write = Callable[[str, str | bytes], Path]
P = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.4, 0.4, 0.2], [0.0, 0.0, 1.0]])
TRUTH = np.array([0, 2, 1, 0])


def gold(items: list[str], labels: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"item": items, "label": labels})


def test_scores_by_hand() -> None:
    scores = of_posterior(P, np.eye(3, dtype=bool)[TRUTH])
    assert scores.n_items == 4
    assert scores.accuracy == pytest.approx((1 + 0 + 0.5 + 0) / 4)  # tied labels share the credit
    assert scores.accuracy_low < scores.accuracy < scores.accuracy_high
    clipped = np.clip(P, 1e-6, 1)
    assert scores.log_loss == pytest.approx(-np.log(clipped[np.arange(4), TRUTH]).mean())
    assert scores.log_loss == pytest.approx(log_loss(TRUTH, P * (1 - 3e-6) + 1e-6, labels=[0, 1, 2]), rel=1e-3)
    assert scores.brier == pytest.approx(((P - np.eye(3)[TRUTH]) ** 2).sum(axis=1).mean())
    # bins: .7 right; .8 wrong; .4 half right; 1.0 wrong
    assert scores.ece == pytest.approx((0.3 + 0.8 + 0.1 + 1.0) / 4)


def test_several_accepted_labels_add_up() -> None:
    accepted = np.array([[True, True, False]])
    scores = of_posterior(np.array([[0.6, 0.3, 0.1]]), accepted)
    assert scores.accuracy == 1
    assert scores.log_loss == pytest.approx(-np.log(0.9))
    assert scores.brier == pytest.approx((0.6 - 2 / 3) ** 2 + (0.3 - 1 / 3) ** 2 + 0.1**2)


def test_calibration_error_of_the_calibrated_is_small() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1, 20000)
    right = (rng.random(20000) < confidence).astype(float)
    assert calibration_error(confidence, right) < 0.02
    assert calibration_error(confidence, np.zeros(20000)) == pytest.approx(confidence.mean())


def test_tables_of_labels_and_of_posteriors() -> None:
    truth = read_gold(gold(["a", "b", "c", "c", "z"], ["x", "y", "x", "y", "x"]))
    labels = pd.DataFrame(
        {"item": ["a", "b", "c", "d"], "label": ["x", "x", "y", "x"], "confidence": [0.9, 0.8, 0.6, 1]}
    )
    scores, confusion = evaluate(labels, truth)
    assert (scores.n_items, scores.log_loss) == (3, None)
    assert scores.accuracy == pytest.approx(2 / 3)
    assert scores.ece == pytest.approx((0.1 + 0.8 + 0.4) / 3)
    assert confusion.to_dict("records") == [
        {"true_label": "x", "label": "x", "count": 1, "share": 1.0},
        {"true_label": "y", "label": "x", "count": 1, "share": 0.5},
        {"true_label": "y", "label": "y", "count": 1, "share": 0.5},
    ]
    posteriors = pd.DataFrame({"item": ["a", "b", "c"], "x": [0.9, 0.8, 0.4], "y": [0.1, 0.2, 0.6]})
    scores, again = evaluate(posteriors, truth)
    assert scores.accuracy == pytest.approx(2 / 3)
    assert scores.log_loss == pytest.approx(-(np.log(0.9) + np.log(0.2) + np.log(1.0)) / 3)
    assert again.equals(confusion)


class TestWeights:
    TABLE = pd.DataFrame(
        {
            "item": [f"i{n}" for n in range(40)],
            "label": ["x", "x", "y", "y"] * 10,
            "confidence": np.linspace(0.5, 0.98, 40),
            "weight": np.tile([1, 2, 3, 4, 5], 8),
        }
    )
    TRUTH = gold([f"i{n}" for n in range(40)], ["x", "y", "y", "y", "x"] * 8)
    TIMES = TABLE["weight"].to_numpy()

    def repeated(self, table: pd.DataFrame) -> pd.DataFrame:
        """Each item as often as it weighs."""
        rows = table.loc[np.repeat(table.index, self.TIMES)].reset_index(drop=True)
        return rows.assign(item=rows["item"] + "~" + rows.groupby("item").cumcount().astype(str))

    def test_are_repetitions(self) -> None:
        truth, many = read_gold(self.TRUTH), read_gold(self.repeated(self.TRUTH))
        posteriors = self.TABLE[["item"]].assign(x=np.linspace(0, 1, 40), y=1 - np.linspace(0, 1, 40))
        of_labels = self.TABLE, self.repeated(self.TABLE).drop(columns="weight"), None
        of_posteriors = posteriors, self.repeated(posteriors), self.TABLE[["item", "weight"]]
        for table, copies, beside in (of_labels, of_posteriors):
            ours, confusion = evaluate(table, truth, None, beside)
            theirs, counts = evaluate(copies, many)
            assert (ours.n_items, ours.weight, theirs.n_items) == (40, 120.0, 120)
            assert theirs.weight is None
            for name in ("accuracy", "accuracy_low", "accuracy_high", "log_loss", "brier", "ece"):
                assert getattr(ours, name) == pytest.approx(getattr(theirs, name), abs=1e-12)
            names = ["true_label", "label"]
            both = confusion.merge(counts, on=names)
            assert len(both) == len(confusion) == len(counts)
            assert np.allclose(both["share_x"], both["share_y"], atol=1e-12)
            assert both["weight"].tolist() == both["count_y"].tolist()
            assert "figures count by weight (120 in all)" in ours.notes
            assert "weight" in ours.as_dict()
            assert "weight" not in theirs.as_dict()

    def test_a_label_may_be_called_weight(self) -> None:
        posteriors = pd.DataFrame({"item": ["a", "b"], "weight": [0.9, 0.2], "cluster": [0.1, 0.8]})
        scores, _ = evaluate(posteriors, read_gold(gold(["a", "b"], ["weight", "cluster"])))
        assert (scores.accuracy, scores.weight) == (1.0, None)

    @pytest.mark.parametrize("weight", [0, -1, np.nan, np.inf, "many"])
    def test_that_are_none(self, weight: object) -> None:
        table = pd.DataFrame({"item": ["a"], "label": ["x"], "weight": [weight]})
        with pytest.raises(JudgmentError, match=r'the weight of item "a" is ".*"; expected a number above 0'):
            evaluate(table, read_gold(gold(["a"], ["x"])))

    def test_of_a_folder(self, tmp_path: Path) -> None:
        pairs = [(n, w) for n in range(24) for w in range(5)]
        pairs = [(n, w) for n in range(24) for w in range(5)]
        rows = [(f"i{n}", f"w{w}", "xy"[(n + (w == n % 5)) % 2], n % 3 + 1, f"p{n // 4}") for n, w in pairs]
        table = pd.DataFrame(rows, columns=["item", "worker", "label", "area", "image"])
        run = consensus.run(table, weight="area", cluster="image", model="dawid_skene")
        truth = gold([f"i{n}" for n in range(24)], ["x", "y", "y"] * 8)
        run.save(tmp_path / "out", posteriors=True, report=False)
        of_run, of_folder = consensus.evaluate(run, truth), consensus.evaluate(tmp_path / "out", truth)
        assert of_run.weight == of_folder.weight == 48.0
        assert of_run.notes == of_folder.notes
        assert of_run.notes[-1] == "the interval of the accuracy is over 6 clusters, whose items err together"
        assert of_folder.accuracy_low == pytest.approx(of_run.accuracy_low, abs=1e-12)
        of_labels = consensus.evaluate(tmp_path / "out" / "labels.csv", truth)
        assert (of_labels.weight, of_labels.accuracy) == (48.0, of_run.accuracy)
        assert counted_by(tmp_path / "elsewhere.csv") is None
        (tmp_path / "out" / "summary.json").write_text("[]")
        assert counted_by(tmp_path / "out") is None
        assert label_set_of(tmp_path / "out") is None


class TestClusters:
    def scores(self, right: np.ndarray, cluster: object, weight: Any = None) -> Scores:
        items = [f"i{n}" for n in range(len(right))]
        table = pd.DataFrame({"item": items, "label": np.where(right, "x", "y"), "cluster": cluster})
        table = table if weight is None else table.assign(weight=weight)
        return evaluate(table, read_gold(gold(items, ["x"] * len(items))))[0]

    def width(self, scores: Scores) -> float:
        return scores.accuracy_high - scores.accuracy_low

    def test_items_of_one_that_are_alike_count_once(self) -> None:
        right = np.random.default_rng(0).random(60) < 0.7
        alike = self.scores(np.repeat(right, 5), np.repeat(np.arange(60), 5))
        alone = self.scores(right, np.arange(60))
        assert alike.accuracy == pytest.approx(alone.accuracy)
        assert self.width(alike) == pytest.approx(self.width(alone), rel=0.02)
        several = self.scores(np.repeat(right, 5), None)
        assert self.width(several) < 0.55 * self.width(alike)

    def test_the_interval_covers(self) -> None:
        """Clusters of 20 that err together: the true share lies inside nearly always, without clusters too seldom."""
        rng, inside, naive = np.random.default_rng(1), 0, 0
        for _ in range(200):
            right = rng.random(800) < np.repeat(rng.beta(6, 2, 40), 20)
            ours = self.scores(right, np.repeat(np.arange(40), 20))
            inside += ours.accuracy_low <= 0.75 <= ours.accuracy_high
            plain = self.scores(right, None)
            naive += plain.accuracy_low <= 0.75 <= plain.accuracy_high
        assert inside >= 180
        assert naive < 170

    def test_where_all_are_right_clusters_count_once(self) -> None:
        ours = self.scores(np.ones(40, np.bool_), np.repeat(np.arange(4), 10))
        assert (ours.accuracy_low, ours.accuracy_high) == tuple(map(float, wilson(4.0, 4.0)))
        one = self.scores(np.array([True, False]), ["p", "p"])
        assert (one.accuracy_low, one.accuracy_high) == tuple(map(float, wilson(0.5, 1.0)))

    def test_an_item_without_one_stands_for_itself(self) -> None:
        right = np.array([True, False, True, True])
        alone = self.scores(right, ["", None, "p", "q"])
        assert alone.notes == ("the interval of the accuracy is over 4 clusters, whose items err together",)
        weighed = self.scores(right, ["p", "p", "q", ""], [1, 2, 3, 4])
        assert (weighed.accuracy, weighed.weight) == (0.8, 10.0)


def test_a_truth_that_no_label_has() -> None:
    posteriors = pd.DataFrame({"item": ["a", "b"], "x": [0.9, 1.0], "y": [0.1, 0.0]})
    scores, _ = evaluate(posteriors, read_gold(gold(["a", "b"], ["new", "x"])))
    assert scores.accuracy == 0.5
    assert scores.log_loss == pytest.approx(-np.log(1e-6) / 2)
    (note,) = scores.notes
    assert note.startswith('the truth "new" (1 item) is not in the label set, so that nobody could give it: no label')


class TestTruthOfOtherLabels:
    """Labels cat and dog, which some write otherwise."""

    TABLE = pd.DataFrame({"item": list("abcd"), "label": ["cat", "dog", "cat", "dog"], "confidence": [0.9] * 4})
    POSTERIORS = pd.DataFrame({"item": list("abcd"), "cat": [1.0, 0, 1, 0], "dog": [0.0, 1, 0, 1]})

    @pytest.mark.parametrize(
        "truth",
        [
            ["CAT", "DOG", "CAT", "DOG"],
            ["Cat", "Dog", "Cat", "Dog"],
            ["cat ", "dog ", "cat ", "dog "],
            ["0", "1", "0", "1"],
            ["cats", "dogs", "cats", "dogs"],
            ["chat", "chien", "chat", "chien"],
        ],
    )
    @pytest.mark.parametrize("table", [TABLE, POSTERIORS], ids=["labels", "posteriors"])
    def test_none_is_the_same(self, table: pd.DataFrame, truth: list[str]) -> None:
        names = ", ".join(f'"{one}"' for one in sorted(set(truth)))
        message = f'the labels of the truth are {names}, the labels to score "cat", "dog": none is the same; write them'
        with pytest.raises(JudgmentError, match=message):
            evaluate(table, read_gold(gold(list("abcd"), truth)))

    def test_a_table_of_labels_may_not_hold_all(self) -> None:
        truth = read_gold(gold(["a", "b"], ["bird", "fish"]))
        with pytest.raises(JudgmentError, match="or score posteriors.csv, or the folder of the run"):
            evaluate(self.TABLE, truth)
        scores, _ = evaluate(self.TABLE, truth, ["bird", "cat", "dog", "fish"])
        assert (scores.accuracy, scores.notes) == (0.0, ())

    def test_some_could_not_be_given(self) -> None:
        truth = read_gold(gold(list("abcd"), ["bird", "dog", "bird", "fish"]))
        scores, _ = evaluate(self.TABLE, truth)
        assert scores.notes[0].startswith('the truth "bird" (2 items), "fish" (1 item) were given to no item: no label')
        scores, _ = evaluate(self.TABLE, truth, ["bird", "cat", "dog"])
        assert scores.notes[0].startswith(
            'the truth "fish" (1 item) is not in the label set, so that nobody could give'
        )
        many = read_gold(gold(list("abcd") + [f"z{n}" for n in range(9)], ["cat"] * 4 + [f"l{n}" for n in range(9)]))
        table = pd.concat([self.TABLE, pd.DataFrame({"item": [f"z{n}" for n in range(9)], "label": "cat"})])
        scores, _ = evaluate(table, many)
        assert '"l4" (1 item) and 4 more were given to no item' in scores.notes[0]

    def test_one_accepted_label_is_enough(self) -> None:
        scores, _ = evaluate(self.TABLE, read_gold(gold(["a", "a", "b"], ["CAT", "cat", "dog"])))
        assert (scores.accuracy, scores.notes) == (1.0, ())

    def test_items_whose_labels_are_all_missing(self) -> None:
        table = pd.DataFrame({"item": ["a"], "label": [None]})
        scores, _ = evaluate(table, read_gold(gold(["a"], ["x"])))
        assert (scores.accuracy, scores.notes) == (0.0, ())


@pytest.mark.parametrize(
    ("items", "told"),
    [
        (list("abcd"), ()),
        (list("abCD"), ('2 of 4 items with a truth have no label and are left out, such as "C"; check',)),
        (["a", "b", "c", "d "], ('1 of 4 items with a truth has no label and is left out, such as "d"; check',)),
        (["a", "b", "x\ny"], ('1 of 3 items with a truth has no label and is left out, such as "x y"; check',)),
    ],
)
def test_items_of_the_truth_that_are_not_there(items: list[str], told: tuple[str, ...]) -> None:
    table = pd.DataFrame({"item": list("abcd"), "label": ["x", "y"] * 2})
    notes = evaluate(table, read_gold(gold(items, ["x", "y", "x", "y"][: len(items)])))[0].notes
    assert tuple(one.partition("check")[0] + "check" for one in notes) == told


class TestGoldIsLeftOut:
    TRUTH = gold(list("abc"), ["x", "y", "x"])

    def test_some(self) -> None:
        table = pd.DataFrame({"item": list("abc"), "label": ["x", "y", "x"], "source": ["gold", "consensus", "gold"]})
        scores, _ = evaluate(table, read_gold(self.TRUTH))
        assert (scores.n_items, scores.notes) == (1, ("2 items with a truth are gold and left out: given, not found",))
        one, _ = evaluate(table.iloc[1:], read_gold(self.TRUTH))
        assert one.notes[0] == "1 item with a truth is gold and left out: given, not found"

    @pytest.mark.parametrize("others", [0, 2])
    def test_all(self, others: int) -> None:
        table = pd.DataFrame({"item": list("abc"), "label": ["x", "y", "x"], "source": "gold"})
        more = pd.DataFrame({"item": [f"z{n}" for n in range(others)], "label": "x", "source": "consensus"})
        message = "all 3 labelled items with a truth are gold: their label was given, not found"
        with pytest.raises(JudgmentError, match=message):
            evaluate(pd.concat([table, more]), read_gold(self.TRUTH))


def test_labels_without_confidence_or_left_open() -> None:
    labels = pd.DataFrame({"item": ["a", "b"], "label": ["x", None]})
    scores, confusion = evaluate(labels, read_gold(gold(["a", "b"], ["x", "x"])))
    assert (scores.accuracy, scores.ece) == (0.5, None)
    assert confusion["label"].tolist() == ["", "x"]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (
            {"item": ["a", "a"], "label": ["x", "x"]},
            'item "a" stands in several rows; give labels',
        ),
        ({"item": ["a"], "label": ["x"], "confidence": [95.0]}, "a confidence is 95; expected 0 to 1"),
        ({"item": ["a"], "x": [1.5], "y": [-0.5]}, "a probability is 1.5; expected 0 to 1"),
        ({"item": ["a"], "x": [0.5], "y": [0.2]}, "the probabilities of an item add up to 0.7; expected 0.99 to 1.01"),
        ({"item": ["a"], "x": [0.5], "y": [np.nan]}, "the probabilities of an item add up to nan"),
    ],
)
def test_tables_that_cannot_be_scored(labels: dict[str, list[object]], message: str) -> None:
    with pytest.raises(JudgmentError, match=message):
        evaluate(pd.DataFrame(labels), read_gold(gold(["a"], ["x"])))


def test_nothing_in_common() -> None:
    truth = read_gold(gold(["1"], ["x"]))
    with pytest.raises(JudgmentError, match='the labels have items like "a", the truth has items like "1"'):
        evaluate(pd.DataFrame({"item": ["a"], "label": ["x"]}), truth)
    with pytest.raises(JudgmentError, match="the labels have no items"):
        evaluate(pd.DataFrame({"item": [], "label": []}), truth)


class TestScored:
    def test_formats(self, tmp_path: Path) -> None:
        table = pd.DataFrame({"item": ["007", "NA"], "label": ["1.0", "x"], "confidence": [0.5, np.nan]})
        table.to_csv(tmp_path / "t.csv", index=False)
        table.to_csv(tmp_path / "t.tsv", index=False, sep="\t")
        table.to_parquet(tmp_path / "t.parquet")
        table.to_json(tmp_path / "t.jsonl", orient="records", lines=True)
        for ending in ("csv", "tsv", "parquet", "jsonl"):
            found = read_scored(tmp_path / f"t.{ending}")
            assert found["item"].tolist() == ["007", "NA"]
            assert found["label"].tolist() == ["1.0", "x"]
            assert found["confidence"].tolist()[0] == 0.5
            assert np.isnan(found["confidence"].tolist()[1])

    def test_a_folder_stands_for_its_posteriors(self, write: Write, tmp_path: Path) -> None:
        with pytest.raises(FormatError, match="holds neither posteriors nor labels"):
            read_scored(tmp_path)
        write("labels.csv", "item,label\na,x\n")
        assert list(read_scored(tmp_path).columns) == ["item", "label"]
        write("posteriors.csv", "item,x,y\na,1,0\n")
        assert read_scored(tmp_path)["x"].tolist() == [1.0]

    def test_a_summary_tells_the_label_set(self, write: Write, tmp_path: Path) -> None:
        write("labels.csv", "item,label\na,x\n")
        assert label_set_of(tmp_path) is None
        for broken in ("", "[]", "{}", '{"label_shares": null}', '{"label_shares": {}}'):
            write("summary.json", broken)
            assert label_set_of(tmp_path) is None
        write("summary.json", '{"label_shares": {"x": 0.5, "y": 0.5}}')
        assert label_set_of(tmp_path) == label_set_of(tmp_path / "labels.csv") == ("x", "y")
        assert label_set_of(tmp_path / "others.csv") is None

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("t.csv", "label\nx\n", "t.csv: no item column; the columns are: label"),
            ("t.csv", "item,x\na,much\n", 't.csv: "much" in column x is no number; expected a probability'),
            ("t.csv", 'item,x\na,1\n"b,2\n', "t.csv: can't be read as a table"),
            ("t.csv", b"item,x\n\xff,1\n", "t.csv: can't be read as a table"),
            ("t.csv", "", "t.csv: the file is empty"),
        ],
    )
    def test_bad_tables(self, write: Write, name: str, content: str | bytes, message: str) -> None:
        with pytest.raises(FormatError, match=message):
            read_scored(write(name, content))

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(FormatError, match="no such file"):
            read_scored(tmp_path / "none.csv")
