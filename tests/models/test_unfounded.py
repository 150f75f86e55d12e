"""Items whose label nothing backs are never sure."""

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from consensus import fit
from consensus.found.tempering import UNFOUNDED, Tempering
from consensus.inputs.judgments import Judgments
from consensus.models import unfounded as module
from consensus.models.unfounded import unfounded
from tests.strategies import encoded


def values(seed: int = 1, n_items: int = 40, spread: float = 4.0, n_values: int = 800) -> Judgments:
    """What three workers set a slider to: hardly two values are the same, but some occur on several items."""
    rng = np.random.default_rng(seed)
    centre = rng.uniform(20, 80, n_items)
    steps = n_values / 80
    rows = [
        (f"i{i:03}", f"w{w}", f"{round(float(rng.normal(centre[i], spread)) * steps) / steps:.1f}")
        for i in range(n_items)
        for w in range(3)
    ]
    return encoded(rows)


def differ(judgments: Judgments) -> np.ndarray[Any, Any]:
    """(I,) all judgments of the item differ."""
    starts = judgments.item_start
    return np.array([len(set(judgments.label[a:b].tolist())) == b - a for a, b in pairwise(starts)])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_three_who_all_differ_are_never_sure(seed: int) -> None:
    judgments = values(seed)
    found = fit(judgments, model="dawid_skene")
    assert found.confidence[differ(judgments)].max() < 0.1
    assert found.tempering.unfounded is not None
    assert found.tempering.unfounded.tolist() == differ(judgments).tolist()


def test_they_would_be() -> None:
    judgments = values()
    found = fit(judgments, model="dawid_skene")
    logs = found.tempering.untempered(found.posterior, judgments.per_item, slice(None))
    echo = Tempering(0.4).tempered(logs, judgments.per_item)
    assert echo.max(axis=1)[differ(judgments)].max() > 0.95


class TestWhichItems:
    def test_a_label_that_two_agreed_on_three_times_is_known(self) -> None:
        rows = [(f"i{n}", w, f"l{n}_{w}") for n in range(6) for w in "vw"]
        agreed = [(f"j{n}", w, "l0_v") for n in range(3) for w in "vw"]
        assert flagged([*rows, *agreed[:4]]) == [f"i{n}" for n in range(6)]
        assert flagged([*rows, *agreed]) == [f"i{n}" for n in range(1, 6)]

    def test_so_is_one_that_is_given_often(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rows = [(f"i{n}", w, f"l{n}_{w}") for n in range(6) for w in "vw"] + [("j", "v", "l0_v")]
        monkeypatch.setattr(module, "RARE", 2)
        assert flagged(rows) == [f"i{n}" for n in range(1, 6)]
        monkeypatch.setattr(module, "RARE", 1)
        assert flagged(rows) is None

    def test_so_is_gold(self) -> None:
        judgments = encoded([(f"i{n}", w, f"l{n}_{w}") for n in range(6) for w in "vw"])
        accepted = np.zeros((3, judgments.n_labels), np.bool_)
        accepted[:, judgments.labels.index("l5_w")] = True
        gold: Any = SimpleNamespace(accepted=accepted)
        found = unfounded(judgments, None, gold)
        assert found is not None
        assert found.tolist() == [True] * 5 + [False]

    def test_items_with_votes_of_models_or_one_judgment_are_left(self) -> None:
        judgments = encoded([*((f"i{n}", w, f"l{n}_{w}") for n in range(6) for w in "vw"), ("j", "v", "z")])
        votes: Any = SimpleNamespace(per_item=np.array([1, 0, 0, 0, 0, 0, 0]))
        found = unfounded(judgments, votes, None)
        assert found is not None
        assert found.tolist() == [False, True, True, True, True, True, False]
        votes = SimpleNamespace(per_item=np.ones(7, int))
        assert unfounded(judgments, votes, None) is None

    def test_few_labels_are_a_label_set(self) -> None:
        assert flagged([(f"i{n}", w, w) for n in range(2) for w in "abcd"]) is None
        assert flagged([(f"i{n}", w, w) for n in range(2) for w in "abcde"]) == ["i0", "i1"]
        assert flagged([(f"i{n}", w, w) for n in range(3) for w in "abcde"]) is None
        assert flagged([(f"i{n}", w, w) for n in range(4) for w in "abcdefghijk"]) == [f"i{n}" for n in range(4)]


def flagged(rows: list[tuple[str, str, str]]) -> list[str] | None:
    judgments = encoded(list(rows))
    found = unfounded(judgments, None, None)
    return None if found is None else [judgments.item_ids[n].as_py() for n in np.flatnonzero(found).tolist()]


def test_powers_of_a_tempering() -> None:
    n = np.array([3, 3])
    tempering = Tempering(0.5, unfounded=np.array([False, True]))
    assert tempering.power(n, slice(None)).tolist() == [0.5, UNFOUNDED]
    assert tempering.power(np.array([3]), np.array([1])).tolist() == [UNFOUNDED]
    with pytest.raises(AssertionError, match="name them"):
        tempering.power(n)
