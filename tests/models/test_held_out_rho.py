"""How confidences are tempered: which way is taken, and how rho is read off held-out judgments."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from consensus.backends import Threads
from consensus.config import FitConfig
from consensus.inputs.judgments import Judgments
from consensus.models import held_out_rho
from consensus.models.base import Execution
from consensus.models.expectation_maximisation import climb
from consensus.models.problem import Problem
from consensus.simulation import simulate

ONE = Execution(Threads(1), seed=5)
STEPS = [0, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 1.3]


def problem_of(judgments: Judgments, outside: bool = False) -> Any:
    return SimpleNamespace(judgments=judgments, has_outside_view=outside, small=False, weighs_all_labels=True)


def measured(monkeypatch: pytest.MonkeyPatch, *scores: Any, outside: bool = False) -> float:
    """Rho for these scores of held-out judgments, one table a split."""
    splits = iter(scores)
    asked = []

    def split_scores(_: Problem, held: Any, __: Any, stage: str) -> Any:
        asked.append((held, stage))
        return np.asarray(next(splits), np.float64)

    monkeypatch.setattr(held_out_rho, "_split_scores", split_scores)
    found = held_out_rho.measured_rho(problem_of(simulate(60, 6, 2, 3, seed=1).judgments, outside), ONE)
    assert [stage for _, stage in asked] == ["held-out fit 1", "held-out fit 2"]
    assert not np.array_equal(asked[0][0], asked[1][0])
    return found


def peaked(at: int, n: int = 8) -> Any:
    """All of ``n`` judgments are scored best at one step, and worse on both sides of it."""
    return np.tile(-np.abs(np.arange(13) - at) / 10, (n, 1))


class TestMeasured:
    @pytest.mark.parametrize("at", range(13))
    def test_the_best_of_the_steps(self, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
        assert measured(monkeypatch, peaked(at), peaked(at)) == max(STEPS[at], 0.2)
        assert measured(monkeypatch, peaked(at), peaked(at), outside=True) == STEPS[at]

    def test_both_splits_count(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert measured(monkeypatch, peaked(7, 3), peaked(9, 30)) == measured(monkeypatch, peaked(9, 30), peaked(7, 3))
        assert measured(monkeypatch, peaked(7, 1), peaked(11, 3000)) == 1.0

    def test_the_largest_within_a_standard_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A step above the best one loses .1 on average; the error of a mean of four is half of how far they spread."""
        for spread, expected in ((0.15, 0.3), (0.25, 0.4)):
            scores = np.tile(peaked(6, 1) * 10, (4, 1))
            scores[:, 7] = [-0.1 - spread, -0.1 + spread, -0.1 - spread, -0.1 + spread]
            assert measured(monkeypatch, scores[:2], scores[2:]) == expected
            assert measured(monkeypatch, scores[:2], scores[2:], outside=True) == 0.3

    def test_where_models_voted_and_rho_changes_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        flat = np.full((4, 13), -0.7)
        assert measured(monkeypatch, flat, flat, outside=True) == 0.3
        some = flat.copy()
        some[:, 0] = -0.69
        assert measured(monkeypatch, some, flat, outside=True) == 0.0

    def test_nothing_held_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert measured(monkeypatch, np.zeros((0, 13)), np.zeros((0, 13))) == 0.3

    @pytest.mark.parametrize(("n_three", "told"), [(30, True), (29, False)])
    def test_half_of_the_items_have_three_judgments(
        self, n_three: int, told: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        drawn = simulate(60, 6, 2, 3, seed=1).judgments
        number = np.arange(drawn.n_judgments) - drawn.item_start[drawn.item]
        judgments = drawn.subset((number < 2) | (drawn.item < n_three))
        assert (judgments.per_item >= 3).sum() == n_three
        monkeypatch.setattr(held_out_rho, "_split_scores", lambda *_: peaked(10))
        assert held_out_rho.measured_rho(problem_of(judgments), ONE) == (0.8 if told else 0.3)
        assert held_out_rho.measured_rho(problem_of(judgments, outside=True), ONE) == 0.8


def test_a_fifth_is_held_out_but_for_one_of_every_item() -> None:
    drawn = simulate(200, 10, 3, 1.6, seed=8).judgments
    held = held_out_rho._held_out(drawn, np.random.default_rng(4))
    draw = np.random.default_rng(4).random(drawn.n_judgments)
    for i in range(drawn.n_items):
        own = slice(drawn.item_start[i], drawn.item_start[i + 1])
        last = draw[own].max(initial=0.0)
        assert held[own].tolist() == [one < 0.2 and one != last for one in draw[own].tolist()]
    assert held.any()


class TestChosen:
    def of(self, gold: Any = None, rho: float | None = None, **of: Any) -> Any:
        n_judgments = of.pop("n_judgments", 600)
        per_item = of.pop("per_item", np.full(200, 3))
        judgments = SimpleNamespace(n_judgments=n_judgments, per_item=per_item)
        problem = SimpleNamespace(judgments=judgments, **{"small": False, "weighs_all_labels": True, **of})
        without = None if gold is None else np.log(np.tile([0.9, 0.1], (len(gold.items), 1)))
        return held_out_rho.chosen(problem, gold, without, FitConfig(rho=rho), ONE)  # type: ignore[arg-type]

    @pytest.fixture(autouse=True)
    def _measured(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(held_out_rho, "measured_rho", lambda *_: 0.65)

    def gold(self, n: int, n_wrong: int = 30) -> Any:
        right = np.arange(n) >= n_wrong
        return SimpleNamespace(items=np.arange(n), accepted=np.stack([right, ~right], axis=1))

    def test_measured_up_to_a_million_judgments(self) -> None:
        assert self.of().rho == self.of(n_judgments=1_000_000).rho == 0.65
        assert self.of(n_judgments=1_000_001).rho == 0.3
        assert self.of(small=True).rho == 0.3
        assert self.of(weighs_all_labels=False).rho == 0.3

    def test_what_is_given_stands(self) -> None:
        assert (self.of(self.gold(150), rho=0.1).rho, self.of(small=True, rho=0.0).rho) == (0.1, 0.0)

    def test_a_hundred_judged_gold_items_tell_themselves(self) -> None:
        found = self.of(self.gold(100))
        assert (found.n_gold, found.rho) == (100, 0.0)
        assert found.temperature > 1.1  # said to be right on .9, and right on .7
        assert self.of(self.gold(99)).rho == 0.65
        per_item = np.full(200, 1)
        per_item[5] = 0
        assert self.of(self.gold(100), per_item=per_item).rho == 0.65
        assert self.of(self.gold(101), per_item=per_item).n_gold == 100


def test_held_out_fits_go_no_further_than_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    """To 1e-5 nats a judgment: less is below what a step of rho changes."""
    asked = []

    def watched(problem: Problem, *of: Any) -> Any:
        asked.append(problem.tolerance)
        return climb(problem, *of)

    monkeypatch.setattr(held_out_rho, "climb", watched)
    drawn = simulate(60, 6, 2, 4, accuracy=0.8, seed=1).judgments
    problem = Problem.of(drawn, None, FitConfig(), ONE.backend)
    held = held_out_rho._held_out(drawn, np.random.default_rng(0))
    for tolerance in (1e-7, 1e-3):
        held_out_rho._split_scores(replace(problem, tolerance=tolerance), held, ONE, "")
    assert asked == [1e-5, 1e-3]
