"""Scores of models that are no probabilities: told by model, refused where they are many; and scales that are said."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, softmax

from consensus import read_model_votes
from consensus.errors import ConfigError, FormatError
from consensus.formats import score_scales
from consensus.inputs.model_votes import ModelVotes
from tests.conftest import csv

Write = Callable[[str, str | bytes], Path]
LONG = "item,model,label,probability"
WIDE = "item,model,p_cat,p_dog"


def long(*scores: Any, model: str = "m", label: str = "cat") -> list[tuple[Any, ...]]:
    return [(f"i{n:03}", model, label, score) for n, score in enumerate(scores)]


def probabilities(votes: ModelVotes, label: str = "cat") -> list[float]:
    return [float(one) for one in votes.probability[votes.row, votes.labels.index(label)]]


@pytest.mark.parametrize(
    ("scores", "told"),
    [
        ([73, 86, 51], "3 of 3 scores are no probabilities, such as 73; if they are percent, pass --score-scale"),
        ([0.73, 0.5, 73, 86], "2 of 4 scores are no probabilities, such as 73; others are from 0 to 1: if two sc"),
        ([7, 8.5, 10], "such as 7; if they are from 0 to 10, pass --score-scale 10"),
        ([1, 7, 8.5, 10], "such as 7; others are from 0 to 1: if two scales are mixed, mend the file; else if"),
        ([-0.1, -2.5, -0.7], "such as -0.1; if they are log-probabilities, pass --score-scale log; if they are l"),
        ([-4.2, 3.1, 2.2, -1.0], "4 of 4 scores are no probabilities, such as -4.2; if they are logits, pass --"),
        ([730, 860], "such as 730; if they are logits, pass --score-scale logit; else divide them by the largest"),
        ([0.5] * 30 + [2.0, 2.0], "2 of 32 scores are no probabilities, such as 2"),
    ],
)  # fmt: skip
def test_many_are_an_error_that_names_the_scale(write: Write, scores: list[float], told: str) -> None:
    rows = [*long(*scores), *long(*[""] * 40, model="n", label="dog")]
    with pytest.raises(FormatError) as error:
        read_model_votes(write("v.csv", csv(rows, LONG)))
    first = next(n for n, score in enumerate(scores) if not 0 <= score <= 1)
    assert str(error.value).removeprefix(str(write("v.csv", csv(rows, LONG)))).startswith(f':{first + 2}: model "m": ')
    assert told in str(error.value)


@pytest.mark.parametrize("header", [LONG, WIDE])
def test_logarithms_far_above_0_are_none(write: Write, header: str) -> None:
    fine = [(f"i{n:03}", "m", -0.5, -0.9) for n in range(40)]
    odd = ("i040", "m", 7746, 7655)
    rows: list[tuple[Any, ...]] = [*fine, odd]
    if header == LONG:
        rows = [(i, m, label, score) for i, m, *scores in rows for label, score in zip("ab", scores, strict=True)]
    votes = read_model_votes(write("v.csv", csv(rows, header)), score_scale="log")
    assert {one.reason.partition(" is ")[2] for one in votes.rejects} == {"inf, above 1"}
    assert votes.tally.rejected == (2 if header == LONG else 1)
    assert np.isfinite(votes.probability).all()


@pytest.mark.parametrize("odd", [73, 1.01, -0.2, -3, 1e30])
def test_a_few_are_rejected_and_told(write: Write, odd: float) -> None:
    rows = [*long(*[0.9] * 39, odd), *long(*[0.5] * 5, model="n", label="dog")]
    votes = read_model_votes(write("v.csv", csv(rows, LONG)))
    (reject,) = votes.rejects
    assert reject.reason == f'the probability of "cat" is {odd:g}, {"negative" if odd < 0 else "above 1"}'
    assert reject.line == 41
    assert reject.row.startswith("i039,m,cat,")
    (notice,) = votes.cautions
    assert notice.code == "scores_out_of_range"
    assert notice.message.startswith('1 score of a model is no probability: "m" 1 of 40')
    assert notice.values == {"n_rows": 1}
    assert votes.tally.read == votes.tally.used + votes.tally.rejected == 45
    assert np.allclose(probabilities(votes)[: 39 * 2 : 2][:5], 0.9)


def test_a_twentieth_is_few(write: Write) -> None:
    assert len(read_model_votes(write("v.csv", csv(long(*[0.9] * 38, 2, 3), LONG))).rejects) == 2
    with pytest.raises(FormatError, match="2 of 39 scores"):
        read_model_votes(write("v.csv", csv(long(*[0.9] * 37, 2, 3), LONG)))


def test_rounding_is_not_out_of_range(write: Write) -> None:
    votes = read_model_votes(write("v.csv", csv([*long(1.0000001, 1.0009, 0), ("z", "m", "dog", 1)], LONG)))
    assert (votes.cautions, votes.tally.used) == ((), 3)  # the one that scores 0 says nothing


def test_scores_of_several_labels_may_be_counts_or_percent(write: Write) -> None:
    rows = [("a", "m", "cat", 30), ("a", "m", "dog", 70), ("b", "m", "cat", 3), ("b", "m", "dog", 1)]
    assert probabilities(read_model_votes(write("v.csv", csv(rows, LONG)))) == pytest.approx([0.3, 0.75])
    wide = [("a", "m", 30, 70), ("b", "m", 3, 1)]
    assert probabilities(read_model_votes(write("v.csv", csv(wide, WIDE)))) == pytest.approx([0.3, 0.75])


class TestWide:
    def test_alone_above_one(self, write: Write) -> None:
        with pytest.raises(FormatError, match=r'v.csv:2: model "m": 2 of 3 scores are no probabilities, such as 73'):
            read_model_votes(write("v.csv", csv([("a", "m", 73, ""), ("b", "m", "", 80), ("c", "m", 1, 0)], WIDE)))

    def test_negative(self, write: Write) -> None:
        rows = [(f"i{n:02}", "m", 0.4, 0.6) for n in range(30)] + [("z", "m", -1, -2), ("y", "n", "", "")]
        votes = read_model_votes(write("v.csv", csv(rows, WIDE)))
        assert [one.reason for one in votes.rejects] == ['the probability of "cat" is -1, negative']
        assert votes.rejects[0].row == "z,m,-1,-2"
        assert votes.tally.abstained == 1
        with pytest.raises(FormatError, match="such as -1; if they are log-probabilities"):
            read_model_votes(write("v.csv", csv([("a", "m", -1, -2), ("b", "m", -1, -2)], WIDE)))


class TestScales:
    @pytest.mark.parametrize(("scale", "times"), [("1", 1), ("10", 10), ("100", 100)])
    def test_of_ten_and_percent(self, write: Write, scale: Any, times: int) -> None:
        rows = [*long(*(times * np.array([0.25, 0.5, 1.0]))), ("z", "m", "dog", times)]
        votes = read_model_votes(write("v.csv", csv(rows, LONG)), score_scale=scale)
        assert probabilities(votes) == pytest.approx([0.25, 0.5, 1.0, 0.0])

    def test_log(self, write: Write) -> None:
        rows = [*long(-0.5, 0, "-inf", -2, -500), ("i002", "m", "dog", -0.1)]
        votes = read_model_votes(write("v.csv", csv(rows, LONG)), score_scale="log")
        assert probabilities(votes) == pytest.approx([np.exp(-0.5), 1, 0, np.exp(-2), 0], abs=1e-6)
        assert read_model_votes(
            write("v.csv", csv([("a", "m", -0.5, -1.2)], WIDE)), score_scale="log"
        ).probability.tolist() == [pytest.approx(np.exp([-0.5, -1.2]) / np.exp([-0.5, -1.2]).sum(), abs=1e-6)]

    def test_logits_of_one_label_are_log_odds(self, write: Write) -> None:
        logits = [-300, -2.5, 0, 2.5, 300]
        rows = [*long(*logits), ("z", "m", "dog", 1)]
        votes = read_model_votes(write("v.csv", csv(rows, LONG)), score_scale="logit")
        assert probabilities(votes)[:5] == pytest.approx(expit(logits), abs=1e-6)
        wide = read_model_votes(
            write("v.csv", csv([("a", "m", 2.5, ""), ("b", "m", "", "")], WIDE)), score_scale="logit"
        )
        assert probabilities(wide) == pytest.approx([expit(2.5)])

    def test_logits_of_several_labels_go_through_softmax(self, write: Write) -> None:
        table = np.array([[1.0, -2.0, 0.5], [300.0, 299.0, -300.0], [0.0, 0.0, 0.0]])
        wide = [(f"i{n}", "m", *row) for n, row in enumerate(table.tolist())]
        votes = read_model_votes(write("w.csv", csv(wide, "item,model,p_a,p_b,p_c")), score_scale="logit")
        np.testing.assert_allclose(votes.probability, softmax(table, axis=1), atol=1e-6)
        rows = [(f"i{n}", "m", "abc"[k], x) for n, row in enumerate(table.tolist()) for k, x in enumerate(row)]
        votes = read_model_votes(write("v.csv", csv(rows, LONG)), score_scale="logit")
        np.testing.assert_allclose(votes.probability, softmax(table, axis=1), atol=1e-6)

    def test_minus_infinity_is_no_chance(self, write: Write) -> None:
        rows = [("a", "m", "cat", "-inf"), ("a", "m", "dog", 3), ("b", "m", "cat", "-inf"), ("b", "m", "dog", "-inf")]
        votes = read_model_votes(write("v.csv", csv(rows, LONG)), score_scale="logit")
        assert probabilities(votes, "dog") == [1.0]
        assert [one.reason for one in votes.rejects] == ["all probabilities are 0"] * 2
        with pytest.raises(FormatError, match="no finite number"):
            read_model_votes(write("v.csv", csv([("a", "m", "cat", "-inf")], LONG)))
        with pytest.raises(FormatError, match="no finite number"):
            read_model_votes(write("v.csv", csv([("a", "m", "cat", "inf")], LONG)), score_scale="log")

    def test_one_that_does_not_suit(self, write: Write) -> None:
        path = write("v.csv", csv(long(730, 860), LONG))
        with pytest.raises(FormatError, match="such as 7.3; they do not suit --score-scale 100; choose 1, 10, 100"):
            read_model_votes(path, score_scale="100")
        with pytest.raises(ConfigError, match="score_scale"):
            read_model_votes(path, score_scale="1000")  # type: ignore[arg-type]


def test_one_label_alone_leaves_the_rest_to_others(write: Write) -> None:
    """A file in which every score is of "fail" must not say that fail is certain."""
    from tests.inputs.test_votes import judged

    votes = read_model_votes(write("v.csv", csv(long(0.73, 0.2, label="fail"), LONG)))
    assert probabilities(votes, "fail") == pytest.approx([0.73, 0.2])
    people = judged(("i000", "w", "fail"), ("i001", "w", "pass"))
    _, aligned = votes.align(people, None)
    np.testing.assert_allclose(aligned.probability, [[0.73, 0.27], [0.2, 0.8]], atol=1e-6)
    alone, aligned = votes.align(judged(("i000", "w", None)), None)
    assert alone.labels == ("fail",)
    assert aligned.probability.tolist() == [[1.0], [1.0]]
    assert read_model_votes(write("v.csv", csv(long("", ""), LONG))).labels == ("cat",)


def test_votes_without_scores_have_no_scale(write: Write) -> None:
    votes = read_model_votes(write("v.csv", csv([("a", "m", "x"), ("b", "m", "y")], "item,model,label")))
    assert (votes.cautions, votes.named.tolist() if votes.named is not None else []) == ((), [0, 1])
    assert score_scales.MOST == 0.05


class TestMixed:
    """Read as percent, though some are not."""

    @pytest.mark.parametrize(
        ("scores", "told"),
        [
            (
                [0.73, 73, 86, 0.5],
                'v.csv:2: model "m": 2 of 4 scores are at most 1, such as 0.73, beside others such as',
            ),
            (
                [99, 0.8, 1, 51],
                'v.csv:3: model "m": 2 of 4 scores are at most 1, such as 0.8, beside others such as 99',
            ),
            (
                [90] * 37 + [0.9, 0.8],
                "2 of 39 scores are at most 1, such as 0.9, beside others such as 90, and --score",
            ),
        ],
    )
    def test_many_are_an_error(self, write: Write, scores: list[float], told: str) -> None:
        rows = [(f"i{n:03}", "m", "cat" if n % 3 else "dog", score) for n, score in enumerate(scores)]
        with pytest.raises(FormatError) as error:
            read_model_votes(write("v.csv", csv(rows, LONG)), score_scale="100")
        assert told in str(error.value)

    @pytest.mark.parametrize("label", ["cat", "dog"])
    @pytest.mark.parametrize("n", [1, 2])
    def test_few_are_told_and_count_as_they_stand(self, write: Write, label: str, n: int) -> None:
        rows = [*long(*[90] * 38), *long(*[0.9] * n, label=label, model="m")]
        rows = [(f"i{n:03}", *row[1:]) for n, row in enumerate(rows)]
        votes = read_model_votes(write("v.csv", csv([*rows, ("z", "m", "dog", 50)], LONG)), score_scale="100")
        (notice,) = votes.cautions
        assert notice.message == (
            f"{n} scores of models are at most 1, beside others above 1, and count as less than 1 %: "
            f'"m" {n} of {39 + n}; if two scales are mixed, mend the file'
        )
        assert (notice.code, notice.values) == ("mixed_scales", {"n_votes": n})
        assert votes.tally.used == 39 + n
        assert probabilities(votes, label)[38] == pytest.approx(0.009)

    def test_who_names_one_label_may_give_it_little(self, write: Write) -> None:
        votes = read_model_votes(write("v.csv", csv(long(0.2, 0.4, 93, 0.1, 55), LONG)), score_scale="100")
        assert votes.cautions[0].message.startswith("3 scores of models are at most 1")

    def test_one_model_in_percent_and_another_not(self, write: Write) -> None:
        rows = [*long(73, 86, 51), *long(0.5, 0.9, model="n", label="dog")]
        path = write("v.csv", csv(rows, LONG))
        with pytest.raises(
            FormatError, match="such as 73; others are from 0 to 1: if two scales are mixed, mend the f"
        ):
            read_model_votes(path)
        message = 'v.csv:5: model "n": all 2 scores are at most 1, beside those of "m", and --score-scale 100 takes'
        with pytest.raises(FormatError, match=message):
            read_model_votes(path, score_scale="100")
        one = write("w.csv", csv(rows[:4], LONG))
        assert read_model_votes(one, score_scale="100").cautions == ()  # of a single score nobody knows
        hard = write("h.csv", csv([*long(73, 86), ("z", "n", "dog", "")], LONG))
        with pytest.raises(FormatError, match="such as 73; if they are percent, pass --score-scale 100"):
            read_model_votes(hard)

    def test_lists_of_some_labels_by_their_sums_and_those_of_all_never(self, write: Write) -> None:
        header = "item,model,p_a,p_b,p_c"
        rows = [("a", "m", 73, 9, ""), ("b", "m", 0.5, 99, ""), ("c", "m", 0.7, 0.2, 0.1), ("d", "m", 0, 0, "")]
        found = read_model_votes(write("v.csv", csv(rows, header)), score_scale="100")
        assert found.cautions == ()
        assert probabilities(found, "a")[2] == pytest.approx(0.7)
        some = [*rows, ("e", "m", 0.7, 0.2, ""), ("f", "m", "", 0.3, 0.7)]
        with pytest.raises(FormatError, match='v.csv:6: model "m": 2 of 4 scores are at most 1, such as 0.9, beside o'):
            read_model_votes(write("v.csv", csv(some, header)), score_scale="100")
        lists: list[tuple[Any, ...]] = [
            ("a", "m", "cat", 73),
            ("a", "m", "dog", 0.9),
            ("b", "m", "cat", 0.4),
            ("b", "m", "dog", 99),
        ]
        lists += [(item, "m", "cow", "") for item in "xy"]
        assert read_model_votes(write("v.csv", csv(lists, LONG)), score_scale="100").cautions == ()

    def test_all_at_most_one_and_other_scales_are_left(self, write: Write) -> None:
        assert read_model_votes(write("v.csv", csv(long(0.2, 0.4, 1), LONG)), score_scale="100").cautions == ()
        assert read_model_votes(write("v.csv", csv(long(0.2, 4, 10), LONG)), score_scale="10").cautions == ()
