"""Votes for labels outside of the label set: with a score or without, told by model and text, refused where many."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from consensus.errors import JudgmentError
from consensus.inputs.judgments import Source
from consensus.inputs.model_votes import AlignedVotes, ModelVotes
from consensus.inputs.renaming import Renaming
from tests.inputs.test_votes import judged, voted

SCORED = "item,model,label,probability"
PEOPLE = judged(*((f"i{n:02}", "w", ("fail", "pass")[n % 2]) for n in range(40)))


def panel(odd: Sequence[str], n_odd: int, score: float | None, n: int = 40) -> ModelVotes:
    """A judge who says something else about the first items, and one who does not."""
    rows: list[Any] = [(f"i{i:02}", "good", ("fail", "pass")[i % 2], score) for i in range(40)]
    rows += [(f"i{i:02}", "odd", odd[i % len(odd)] if i < n_odd else "fail", score) for i in range(n)]
    return voted(*rows, header=SCORED)


def told(aligned: AlignedVotes) -> str:
    (one,) = aligned.cautions
    assert one.code == "unparsed_votes"
    assert one.values == {"n_votes": aligned.tally.unparsed}
    return one.message


@pytest.mark.parametrize("score", [None, 0.73])
@pytest.mark.parametrize("odd", [["FAIL"], ["fail "], ["ERROR"], ["Fail", "FAIL"], ["I think it fails"], ["0"]])
def test_many_are_an_error_that_names_the_way_out(odd: list[str], score: float | None) -> None:
    message = '20 of 40 votes name a label that is not in the label set "fail", "pass": ' + ", ".join(
        f'"{one}" ({20 // len(odd)})' for one in sorted(odd)
    )
    with pytest.raises(JudgmentError, match=re.escape(f'model "odd": {message}; fold spellings with --fold labels')):
        panel(odd, 20, score).align(PEOPLE, None)
    _, aligned = panel(odd, 20, score).align(PEOPLE, ["fail", "pass"])
    assert aligned.tally.unparsed == 20


@pytest.mark.parametrize("score", [None, 0.73, 0.2])
def test_few_are_told_and_do_not_count(score: float | None) -> None:
    _, aligned = panel(["FAIL", "ERROR"], 2, score).align(PEOPLE, None)
    assert told(aligned).startswith(
        '2 model votes name no label of the label set and do not count: "odd" "ERROR" (1), "FAIL" (1); if it lacks one'
    )
    assert aligned.per_model().tolist() == [40, 38]
    if score is not None:
        assert len(aligned.probability) == 78
        right = aligned.probability[aligned.row, aligned.label]
        assert np.allclose(right, max(score, 1 - score), atol=1e-6)


def test_a_twentieth_is_few_and_one_alone_too() -> None:
    assert panel(["x"], 2, None).align(PEOPLE, None)[1].tally.unparsed == 2
    with pytest.raises(JudgmentError, match="3 of 40"):
        panel(["x"], 3, None).align(PEOPLE, None)
    assert panel(["x"], 1, None, n=3).align(PEOPLE, None)[1].tally.unparsed == 1


def test_many_models_and_texts_are_shortened() -> None:
    rows = [(f"i{i:02}", f"m{m}", f"text {i}" if i < 5 - m % 2 else "fail", None) for i in range(40) for m in range(5)]
    _, aligned = voted(*rows, header=SCORED).align(PEOPLE, ["fail", "pass"])
    first = '"text 0" (1), "text 1" (1), "text 2" (1) and 2 more'
    assert told(aligned) == (
        f'23 model votes name no label of the label set and do not count: "m0" {first}; "m2" {first}; "m4" {first}; 2 '
        "more models; if it lacks one, name the whole set with --labels"
    )


def test_a_score_of_a_label_outside_is_no_opinion_on_the_others() -> None:
    """.73 for "FAIL" left .27 for fail and pass, which counted as a vote for either."""
    votes = voted(("a", "m", "FAIL", 0.73), ("b", "m", "fail", 0.6), header=SCORED)
    _, aligned = votes.align(judged(("a", "w", "fail"), ("b", "w", "pass")), None)
    assert aligned.item.tolist() == [1]
    np.testing.assert_allclose(aligned.probability, [[0.6, 0.4]], atol=1e-6)


def test_votes_that_were_not_read() -> None:
    """It is not known which labels they score, so what these leave counts; a hard vote is known to name its label."""
    votes = replace(
        voted(("a", "m", "FAIL", 0.7), ("b", "m", "fail", 0.6), ("c", "m", "FAIL", None), header=SCORED), named=None
    )
    _, aligned = votes.align(judged(("a", "w", "fail"), ("b", "w", "pass")), ["fail", "pass"])
    np.testing.assert_allclose(aligned.probability, [[0.3, 0.7], [0.6, 0.4]], atol=1e-6)
    assert aligned.tally.unparsed == 1


def test_lists_with_a_label_outside_count_with_the_others() -> None:
    votes = voted(("a", "m", "fail", 0.3), ("a", "m", "pass", 0.1), ("a", "m", "odd", 0.6), header=SCORED)
    _, aligned = votes.align(judged(("a", "w", "fail"), ("b", "w", "pass")), None)
    np.testing.assert_allclose(aligned.probability, [[0.75, 0.25]], atol=1e-6)
    assert aligned.cautions == ()


def test_spellings_that_are_folded_share_nothing() -> None:
    """.73 of "FAIL" leaves .27 to pass, not a part of it to "fail" and "PASS"."""
    rows = [("a", "m", "FAIL", 0.73), ("b", "m", "fail", 0.6), ("c", "m", "PASS", 0.9), ("d", "m", "pass", 0.8)]
    people = replace(judged(("a", "w", "fail"), ("b", "w", "pass")), renaming=Renaming(fold=frozenset({"labels"})))
    _, aligned = voted(*rows, header=SCORED).align(people, None)
    np.testing.assert_allclose(aligned.probability, [[0.73, 0.27], [0.6, 0.4], [0.1, 0.9], [0.2, 0.8]], atol=1e-6)


def test_the_error_names_the_file() -> None:
    of_files = replace(PEOPLE, sources=(Source("people.csv", "0" * 64),))
    votes = panel(["x"], 20, None)
    with pytest.raises(JudgmentError, match='^people.csv: model "odd": 20 of 40 votes name a label'):
        votes.align(of_files, None)
    with pytest.raises(JudgmentError, match='^votes.csv: model "odd": 20 of 40 votes name a label'):
        replace(votes, sources=(Source("votes.csv", "0" * 64),)).align(of_files, None)
