"""Votes of models over the items and labels of judgments."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from consensus import read, read_model_votes
from consensus.errors import JudgmentError
from consensus.inputs.judgments import Judgments
from consensus.inputs.model_votes import AlignedVotes, ModelVotes

HARD = [("b", "m", "x"), ("b", "n", "oops"), ("d", "m", "y"), ("a", "m", "y")]


def judged(*rows: tuple[str, str, str | None]) -> Judgments:
    item, worker, label = (list(column) for column in zip(*rows, strict=True))
    return read({"item": item, "worker": worker, "label": label, "timestamp": ["2025-01-01"] * len(item)})


def voted(*rows: tuple[Any, ...], header: str = "item,model,label") -> ModelVotes:
    return read_model_votes(dict(zip(header.split(","), map(list, zip(*rows, strict=True)), strict=True)))


def said(judgments: Judgments, votes: AlignedVotes) -> list[tuple[str, str, Any]]:
    """Item, model and what it says: a label, or the probability of each."""
    items = judgments.item_ids.to_pylist()
    each = zip(votes.item, votes.model, votes.label, votes.row, strict=True)
    return [
        (
            items[i],
            votes.models[m],
            judgments.labels[k] if row < 0 else [round(share, 3) for share in votes.probability[row].tolist()],
        )
        for i, m, k, row in each
    ]


def test_items_and_labels_of_both() -> None:
    people = judged(("c", "w", "x"), ("b", "w", "y"), ("b", "v", "x"))
    judgments, votes = voted(*HARD).align(people, None)
    assert judgments.item_ids.to_pylist() == ["a", "b", "c", "d"]
    assert judgments.per_item.tolist() == [0, 2, 1, 0]
    assert judgments.item.tolist() == [1, 1, 2]
    assert judgments.label.tolist() == [0, 1, 0]
    assert judgments.timestamp is not None
    assert said(judgments, votes) == [("a", "m", "y"), ("b", "m", "x"), ("d", "m", "y")]
    assert votes.per_item.tolist() == [1, 1, 0, 1]
    assert (votes.tally.used, votes.tally.unparsed) == (4, 1)
    assert (votes.n_models, votes.families, votes.family.tolist()) == (2, ("models",), [0, 0])


def test_the_same_items_and_labels_leave_the_judgments_alone() -> None:
    people = judged(("a", "w", "x"), ("b", "w", "y"), ("d", "w", "y"))
    judgments, votes = voted(*HARD).align(people, ["x", "y"])
    assert judgments is people
    assert said(judgments, votes) == [("a", "m", "y"), ("b", "m", "x"), ("d", "m", "y")]


def test_the_order_of_a_label_set_stays() -> None:
    people = judged(("a", "w", "x"), ("b", "w", "y"))
    judgments, votes = voted(*HARD).align(people, ["z", "y", "x"])
    assert judgments.labels == ("z", "y", "x")
    assert judgments.label.tolist() == [2, 1]
    assert votes.label.tolist() == [1, 2, 1]
    again, _ = voted(*HARD).align(judgments, None)
    assert again.labels == ("z", "y", "x")


def test_soft_votes_over_the_label_set() -> None:
    soft = voted(
        *[
            ("a", "m", "x", 0.2),
            ("a", "m", "y", 0.2),
            ("a", "m", "oops", 0.6),
            ("b", "m", "oops", 1),
            ("b", "n", "y", 0.7),
        ],
        header="item,model,label,p",
    )
    people = judged(("a", "w", "y"), ("a", "v", "x"))
    judgments, votes = soft.align(people, None)
    assert judgments.labels == ("x", "y")
    assert said(judgments, votes) == [("a", "m", [0.5, 0.5]), ("b", "n", [0.3, 0.7])]
    assert votes.label.tolist() == [0, 1]
    assert len(votes.probability) == 2
    assert votes.tally.unparsed == 1
    _, reordered = soft.align(people, ["y", "oops", "x"])
    assert np.allclose(reordered.probability, np.array([[0.2, 0.6, 0.2], [0, 1, 0], [0.7, 0.15, 0.15]]), atol=1e-6)
    assert reordered.label.tolist() == [1, 1, 0]


def test_labels_with_a_column_exist() -> None:
    wide = voted(("a", "m", 0.5, 0.5), header="item,model,p_x,p_z")
    people = judged(("a", "w", "y"), ("a", "v", "x"))
    judgments, votes = wide.align(people, None)
    assert judgments.labels == ("x", "y", "z")
    assert said(judgments, votes) == [("a", "m", [0.5, 0, 0.5])]
    with pytest.raises(
        JudgmentError, match='columns for labels such as "x", the judgments labels such as "y": none is'
    ):
        wide.align(judged(("a", "w", "y")), None)
    with pytest.raises(
        JudgmentError,
        match='a column for the label "z", which is not in the label set; add it to --labels, or leave the column out',
    ):
        wide.align(people, ["x", "y"])


def test_models_alone() -> None:
    nobody = judged(("a", "w", None))
    assert nobody.labels == ()
    judgments, votes = voted(*HARD).align(nobody, None)
    assert judgments.labels == ("oops", "x", "y")
    assert votes.tally.unparsed == 0
    assert judgments.per_item.tolist() == [0, 0, 0]


def test_no_vote_for_a_label_of_the_set() -> None:
    with pytest.raises(JudgmentError, match='no model vote names a label of the label set: "y" is none; check the'):
        voted(*HARD).align(judged(("a", "w", "z")), None)
    soft = voted(("a", "m", "x", 0), ("a", "m", "y", 1), header="item,model,label,p")
    with pytest.raises(JudgmentError, match='no model vote names a label of the label set: "y" is none; check the'):
        soft.align(judged(("a", "w", "x")), None)
    with pytest.raises(JudgmentError, match='label "x" was given 1 time but is not in the label set "y"'):
        soft.align(judged(("a", "w", "x")), ["y"])


def test_families() -> None:
    votes = voted(
        ("a", "m", "x", "gpt"), ("a", "n", "x", None), ("a", "o", "x", "gpt"), header="item,model,label,family"
    )
    _, aligned = votes.align(judged(("a", "w", "x")), None)
    assert aligned.families == ("gpt", "models")
    assert aligned.family.tolist() == [0, 1, 0]
    assert aligned.family.dtype == np.int32


def test_what_scores_leave_goes_to_the_labels_of_the_set() -> None:
    """Answers that name no label must not make the scores of the others look surer than they are."""
    header = "item,model,label,probability"
    free_text = [(f"t{n}", "m", f"I think that {n}", None) for n in range(50)]
    votes = voted(("a", "m", "x", 0.9), ("b", "m", "y", 1.0), ("c", "m", "x", None), *free_text, header=header)
    people = judged(("a", "w", "x"), ("b", "w", "y"), ("c", "w", "z"))
    judgments, aligned = votes.align(people, ["x", "y", "z"])
    assert said(judgments, aligned) == [
        ("a", "m", [0.9, 0.05, 0.05]),
        ("b", "m", [0.0, 1.0, 0.0]),
        ("c", "m", "x"),
    ]
    assert aligned.tally.unparsed == 50


def test_scores_of_labels_outside_are_dropped() -> None:
    votes = voted(("a", "m", 0.6, 0.2, 0.2), header="item,model,p_x,p_y,p_q")
    votes = replace(votes, declared=frozenset())
    people = judged(("a", "w", "x"), ("a", "v", "y"))
    judgments, aligned = votes.align(people, None)
    assert said(judgments, aligned) == [("a", "m", [0.6, 0.4])]  # as if q had not been scored, and left .2 to y
    votes = replace(voted(("a", "m", 0.6, 0.1, 0.3), header="item,model,p_x,p_y,p_q"), declared=frozenset())
    assert said(*votes.align(people, None)) == [("a", "m", [0.857, 0.143])]
