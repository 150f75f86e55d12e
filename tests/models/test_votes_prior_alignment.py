"""Votes of models beside judgments: over the items and labels of both."""

import numpy as np
import pytest

from consensus.errors import JudgmentError
from tests.strategies import encoded, voted

JUDGED = encoded([("b", "v", "x"), ("b", "w", "y"), ("d", "w", "y")])


def test_items_of_both() -> None:
    votes = voted([("a", "m", "x"), ("b", "n", "y"), ("b", "m", "y"), ("e", "n", "x")])
    judgments, aligned = votes.align(JUDGED, None)
    assert judgments.item_ids.to_pylist() == ["a", "b", "d", "e"]
    assert judgments.item.tolist() == [1, 1, 2]
    assert judgments.item_start.tolist() == [0, 0, 2, 3, 3]
    assert aligned.start.tolist() == [0, 1, 3, 3, 4]
    assert aligned.item.tolist() == [0, 1, 1, 3]
    assert [aligned.models[m] for m in aligned.model] == ["m", "m", "n", "n"]
    assert [judgments.labels[k] for k in aligned.label] == ["x", "y", "y", "x"]
    assert repr(votes) == "ModelVotes(4 votes on 3 items by 2 models, 0 with probabilities)"
    same, _ = voted([("d", "m", "x")]).align(JUDGED, None)
    assert same is JUDGED


def test_labels_are_those_of_people_and_of_columns() -> None:
    votes = voted([("b", "m", [0.2, 0.5, 0.3]), ("b", "n", "other"), ("d", "n", "y")], ("z", "y", "x"))
    judgments, aligned = votes.align(JUDGED, None)
    assert judgments.labels == ("x", "y", "z")
    np.testing.assert_allclose(aligned.probability, [[0.3, 0.5, 0.2]], rtol=1e-6)
    assert aligned.label.tolist() == [1, 1]
    assert aligned.tally.unparsed == 1
    judgments, aligned = votes.align(JUDGED, ("other", "z", "y", "x"))
    np.testing.assert_allclose(aligned.probability, [[0, 0.2, 0.5, 0.3]], rtol=1e-6)
    assert aligned.label.tolist() == [2, 0, 2]
    with pytest.raises(JudgmentError, match='a column for the label "z", which is not in the label set; add'):
        votes.align(JUDGED, ("x", "y"))


def test_no_vote_names_a_label() -> None:
    with pytest.raises(JudgmentError, match='no model vote names a label of the label set: "a refusal" is none'):
        voted([("b", "m", "a refusal")]).align(JUDGED, None)
