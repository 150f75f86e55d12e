"""A warning where labels go against clear majorities, with some of the items."""

from dataclasses import replace

import numpy as np
import pytest

from consensus import Run, fit
from consensus.found.posterior import DensePosterior
from consensus.found.result import Consensus
from consensus.report import clear_majorities
from tests.strategies import encoded

pytestmark = pytest.mark.usefixtures("by_dawid_skene")


def turned(n: int, n_for: int = 3, n_others: int = 1, gold: int = 0) -> Consensus:
    """100 items that ``n_for`` workers call a, and others b; of the first ``n`` the label is b, against them."""
    rows = [(f"i{i:03}", f"w{w}", "a" if w < n_for else "b") for i in range(100) for w in range(n_for + n_others)]
    known = {"item": [f"i{i:03}" for i in range(gold)], "label": ["b"] * gold}
    result = fit(encoded(rows), model="majority_vote", gold=known if gold else None)
    return replace(result, beliefs=DensePosterior(np.where(np.arange(100)[:, None] < n, [0.1, 0.9], [0.9, 0.1])))


def test_it_names_the_items() -> None:
    (found,) = clear_majorities.cautions(turned(7))
    assert found.code == "against_majority"
    assert found.message.startswith("7 of 100 items (7.0%) have another label than two thirds of their")
    assert '"i000", "i001", "i002", "i003", "i004": these workers make' in found.message
    assert found.values == {"n_items": 7, "share": 0.07}
    assert "against_majority" in {one.code for one in Run.of(turned(7)).warnings}


@pytest.mark.parametrize(("n", "told"), [(0, False), (2, False), (3, True)])
def test_more_than_two_in_a_hundred_are_told(n: int, told: bool) -> None:
    assert bool(clear_majorities.cautions(turned(n))) == told


@pytest.mark.parametrize(
    ("n_for", "n_others", "clear"), [(2, 1, True), (3, 2, False), (4, 2, True), (2, 0, False), (3, 0, True)]
)
def test_a_clear_majority_is_two_thirds_of_three_judgments_or_more(n_for: int, n_others: int, clear: bool) -> None:
    found = clear_majorities.against_majority(turned(5, n_for, n_others))
    assert found.tolist() == (list(range(5)) if clear else [])


def test_gold_may_contradict() -> None:
    assert clear_majorities.against_majority(turned(7, gold=3)).tolist() == [3, 4, 5, 6]
