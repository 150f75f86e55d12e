"""How confidences are tempered: which way is taken, and how rho is read off held-out judgments."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from consensus.backends import Threads
from consensus.config import FitConfig
from consensus.found.tempering import Tempering
from consensus.inputs.judgments import Judgments
from consensus.inputs.vocabulary import hashed
from consensus.models import held_out_rho
from consensus.models.base import Execution
from consensus.models.expectation_maximisation import climb
from consensus.models.problem import Problem
from consensus.models.splits import Splits
from consensus.simulation import simulate

ONE = Execution(Threads(1), seed=5)
STEPS = [0, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 1.3]


def problem_of(judgments: Judgments, outside: bool = False, small: bool = False, weighs: bool = True) -> Any:
    return SimpleNamespace(
        judgments=judgments, has_outside_view=outside, small=small, weighs_all_labels=weighs, units=None
    )


def measured(monkeypatch: pytest.MonkeyPatch, *scores: Any, outside: bool = False) -> Tempering:
    """The tempering for these scores of held-out judgments, one table a split."""
    splits = iter(scores)
    asked = []

    def split_scores(_: Problem, held: Any, __: Any, stage: str) -> Any:
        asked.append((held, stage))
        return held_out_rho.Scores(np.asarray(next(splits), np.float64))

    monkeypatch.setattr(held_out_rho, "_split_scores", split_scores)
    drawn = simulate(60, 6, 2, 3, seed=1).judgments
    found = held_out_rho.measured_rho(problem_of(drawn, outside), len(scores), ONE)
    assert [stage for _, stage in asked] == [f"held-out fit {s + 1}" for s in range(len(scores))]
    for s, (held, _) in enumerate(asked):
        assert np.array_equal(held, Splits(drawn).held_out(s))
    return found


def peaked(at: int, n: int = 8) -> Any:
    """All of ``n`` judgments are scored best at one step, and worse on both sides of it."""
    return np.tile(-np.abs(np.arange(13) - at) / 10, (n, 1))


class TestMeasured:
    @pytest.mark.parametrize("at", range(13))
    def test_the_best_of_the_steps(self, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
        assert measured(monkeypatch, peaked(at), peaked(at)).rho == max(STEPS[at], 0.2)
        sure = [peaked(at, 3000)] * 2
        assert measured(monkeypatch, *sure, outside=True).rho == pytest.approx(STEPS[at], rel=1e-9, abs=1e-9)

    def test_the_mean_of_the_splits_and_how_far_they_lie_apart(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """However many judgments each holds out."""
        found = measured(monkeypatch, peaked(10, 30), peaked(7, 1), peaked(8, 3))
        assert found.rho == pytest.approx((0.8 + 0.4 + 0.5) / 3)
        assert found.rho_range == (0.4, 0.8)

    def test_beside_votes_all_splits_together(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = measured(monkeypatch, peaked(7, 1), peaked(11, 3000), outside=True)
        assert found.rho == pytest.approx(1.0)
        assert found.rho_range == (found.rho, found.rho)

    def test_beside_votes_the_mean_of_what_judgments_leave_open(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Under N(.25, .25^2), each step standing for the room between its neighbours."""
        rho = np.array(STEPS)
        room = np.array([0.025, *(rho[2:] - rho[:-2]) / 2, 0.3])
        before = np.exp(-8 * (rho - 0.25) ** 2) * room
        told = np.exp(-np.abs(np.arange(13) - 9) / 10 * 16)
        expected = float((rho * before * told).sum() / (before * told).sum())
        assert measured(monkeypatch, peaked(9), peaked(9), outside=True).rho == pytest.approx(expected)
        assert 0.5 < expected < STEPS[9]

    def test_the_largest_within_a_standard_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A step above the best one loses .1 on average; the error of a mean of four is half of how far they spread."""
        both = []
        for spread in (0.15, 0.25):
            scores = np.tile(peaked(6, 1) * 10, (4, 1))
            scores[:, 7] = [-0.1 - spread, -0.1 + spread, -0.1 - spread, -0.1 + spread]
            both.append(scores)
        assert measured(monkeypatch, *both).rho_range == (0.3, 0.4)

    def test_where_models_voted_and_rho_changes_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        flat = np.full((4, 13), -0.7)
        assert measured(monkeypatch, flat, flat, outside=True).rho == 0.4
        some = flat.copy()
        some[:, 0] = -0.69
        assert 0.0 < measured(monkeypatch, some, flat, outside=True).rho < 0.4

    def test_nothing_held_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        nothing = np.zeros((0, 13))
        for outside in (False, True):
            assert measured(monkeypatch, nothing, nothing, outside=outside).rho == 0.4
        assert measured(monkeypatch, nothing, peaked(8)).rho == 0.5

    @pytest.mark.parametrize(("n_three", "told"), [(30, True), (29, False)])
    def test_half_of_the_items_have_three_judgments(
        self, n_three: int, told: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        drawn = simulate(60, 6, 2, 3, seed=1).judgments
        number = np.arange(drawn.n_judgments) - drawn.item_start[drawn.item]
        judgments = drawn.subset((number < 2) | (drawn.item < n_three))
        assert (judgments.per_item >= 3).sum() == n_three
        monkeypatch.setattr(held_out_rho, "_split_scores", lambda *_: held_out_rho.Scores(peaked(10)))
        expected = Tempering(0.8, rho_range=(0.8, 0.8)) if told else Tempering(0.4)
        assert held_out_rho.measured_rho(problem_of(judgments), 2, ONE) == expected
        monkeypatch.setattr(held_out_rho, "_split_scores", lambda *_: held_out_rho.Scores(peaked(10, 3000)))
        assert held_out_rho.measured_rho(problem_of(judgments, outside=True), 2, ONE).rho == pytest.approx(0.8)

    def test_beside_very_many_labels_no_table_of_all_is_made(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(held_out_rho, "_split_scores", lambda *_: held_out_rho.Scores(peaked(10)))
        drawn = simulate(60, 6, 2, 3, seed=1).judgments
        assert held_out_rho.measured_rho(problem_of(drawn, weighs=False), 2, ONE) == Tempering(0.4)


def draw(item: int, worker: int, split: int) -> float:
    """Uniform on [0, 1), from the hashes of the ids, by SplitMix64."""

    def mixed(code: int) -> int:
        code = (code ^ code >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        code = (code ^ code >> 27) * 0x94D049BB133111EB % 2**64
        return code ^ code >> 31

    code = mixed((item + 0x9E3779B97F4A7C15 * worker) % 2**64)
    return (mixed((code + (split + 1) * 0x9E3779B97F4A7C15) % 2**64) >> 11) / 2**53


@pytest.mark.parametrize("split", range(3))
def test_a_fifth_is_held_out_but_for_one_of_every_item(split: int) -> None:
    drawn = simulate(200, 10, 3, 1.6, seed=8).judgments
    held = Splits(drawn).held_out(split)
    items, workers = hashed(drawn.item_ids).tolist(), hashed(drawn.worker_ids).tolist()
    draws = [draw(items[i], workers[w], split) for i, w in zip(drawn.item, drawn.worker, strict=True)]
    for i in range(drawn.n_items):
        own = slice(drawn.item_start[i], drawn.item_start[i + 1])
        last = max(draws[own], default=0.0)
        assert held[own].tolist() == [one < 0.2 and one != last for one in draws[own]]
    assert held.any()


class TestChosen:
    def of(self, rho: Any = None, *, of_average: bool = False, **of: Any) -> Tempering:
        n_judgments, per_item = of.pop("n_judgments", 600), of.pop("per_item", np.full(200, 3))
        judgments = SimpleNamespace(n_judgments=n_judgments, per_item=per_item)
        problem: Any = SimpleNamespace(
            judgments=judgments, **{"small": False, "has_outside_view": False, "doubt": 0.0, **of}
        )
        return held_out_rho.chosen(problem, FitConfig(rho=rho), ONE, of_average=of_average)

    @pytest.fixture(autouse=True)
    def _measured(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As many hundredths as splits are asked for."""
        monkeypatch.setattr(held_out_rho, "measured_rho", lambda _, n_splits, __: Tempering(n_splits / 100))

    def test_the_same_for_all_data(self) -> None:
        assert self.of() == self.of(small=True) == self.of(n_judgments=2_000_000) == Tempering(0.4)

    def test_measured_beside_votes_up_to_a_million_judgments(self) -> None:
        assert self.of(has_outside_view=True).rho == 0.02
        assert self.of(has_outside_view=True, n_judgments=1_000_000).rho == 0.02
        assert self.of(has_outside_view=True, n_judgments=1_000_001).rho == 0.4
        assert self.of(has_outside_view=True, small=True).rho == 0.4

    def test_as_far_as_models_may_repeat_people_the_usual_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.of(has_outside_view=True, doubt=0.25).rho == pytest.approx(0.75 * 0.02 + 0.25 * 0.4)
        monkeypatch.setattr(held_out_rho, "measured_rho", lambda *_: Tempering(0.1, (0.1, 0.1)))
        assert self.of(has_outside_view=True) == Tempering(0.1, (0.1, 0.1))
        assert self.of(has_outside_view=True, doubt=1.0) == Tempering(0.4)  # it was not measured

    def test_of_several_readings_another_one(self) -> None:
        of: dict[str, Any] = {"of_average": True, "n_judgments": 800}
        assert self.of(**of) == self.of(**of, has_outside_view=True) == Tempering(0.3)
        assert self.of(of_average=True, n_judgments=600) == Tempering(0.4)  # three an item: few

    def test_what_is_given_stands(self) -> None:
        assert self.of(rho=0.1) == Tempering(0.1)
        assert self.of(small=True, has_outside_view=True, rho=0.0) == Tempering(0.0)

    def test_measured_where_somebody_asks_for_it(self) -> None:
        for of in ({}, {"small": True}, {"n_judgments": 2_000_000}):
            assert self.of(rho="measured", **of) == Tempering(0.05)


def test_held_out_fits_go_no_further_than_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    """To 1e-5 nats a judgment: less is below what a step of rho changes."""
    asked = []

    def watched(problem: Problem, *of: Any) -> Any:
        asked.append(problem.tolerance)
        return climb(problem, *of)

    monkeypatch.setattr(held_out_rho, "climb", watched)
    drawn = simulate(60, 6, 2, 4, accuracy=0.8, seed=1).judgments
    problem = Problem.of(drawn, None, FitConfig(), ONE.backend)
    held = Splits(drawn).held_out(0)
    for tolerance in (1e-7, 1e-3):
        held_out_rho._split_scores(replace(problem, tolerance=tolerance), held, ONE, "")
    assert asked == [1e-5, 1e-3]
