"""What the plan of the next judgments is made of, part by part and at its borders: paths, curves, reasons, budgets."""

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from consensus import fit, simulate
from consensus.backends import Threads
from consensus.config import EscalateConfig
from consensus.errors import ConfigError
from consensus.escalation import (
    budgets,
    expectations,
    look_ahead,
    paths,
    ranking,
    reasons,
    retests,
    worker_choice,
)
from consensus.escalation.corrections import Corrections
from consensus.escalation.look_ahead import LookAhead
from consensus.formats import read_workers
from consensus.found.confusions import Confusions
from consensus.inputs.vocabulary import hashed
from consensus.kernels import SMALLEST, worker_choice_loops
from consensus.worker_audit import WorkerAudit

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

ONE = Threads(1)
TARGET = EscalateConfig()


class TestPaths:
    def result(self, C: Any, told: list[float], seed: int = 3) -> Any:
        """Workers with these confusions (W, K, K), by what a judgment of each tells."""
        confusions = SimpleNamespace(n_workers=len(C), matrix=lambda w: C[w], dense=lambda: C)
        return SimpleNamespace(
            judgments=SimpleNamespace(n_labels=C.shape[1]),
            config=SimpleNamespace(seed=seed),
            confusions=confusions,
            informativeness=np.array(told),
        )

    def test_workers_come_by_activity_and_labels_by_their_confusions(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Three workers who are told apart by their likelihoods; the idle one never comes."""
        monkeypatch.setattr(paths, "N_PATHS", 1000)
        C = np.array([[[p, 1 - p], [0.1, 0.9]] for p in (0.6, 0.7, 0.8)])
        made = paths.likelihood_paths(self.result(C, [0.3, 0.1, 0.2]), np.array([1.0, 3.0, 0.0]), 2, 10)
        assert made.shape == (2, 1000, 2, 2)
        first = np.exp(made[:, :, 0])
        assert np.exp(made[0, :, 0, 0]).round(9).tolist().count(0.8) == 0
        counts = {p: np.isclose(first[0, :, 0], p).sum() for p in (0.6, 0.4, 0.7, 0.3)}
        assert sum(counts.values()) == 1000
        assert counts[0.6] + counts[0.4] == pytest.approx(250, abs=1)
        assert counts[0.6] == pytest.approx(150, abs=40)
        assert counts[0.7] == pytest.approx(525, abs=60)
        said_first = np.isclose(first[0, :, 0], 0.6) | np.isclose(first[0, :, 0], 0.7)
        np.testing.assert_allclose(first[0, said_first, 1], 0.1)
        np.testing.assert_allclose(first[0, ~said_first, 1], 0.9)
        second = np.exp(made[:, :, 1] - made[:, :, 0])
        assert np.isin(second[..., 0].round(9), [0.6, 0.4, 0.7, 0.3]).all()
        assert not np.allclose(second, first)

    def test_what_a_worker_never_says_is_hardly_possible(self) -> None:
        made = paths.likelihood_paths(self.result(np.array([[[1.0, 0.0], [0.5, 0.5]]]), [0.1]), np.ones(1), 1, 10)
        assert made[1].min() == pytest.approx(np.log(SMALLEST))

    def test_the_same_seed_draws_the_same_paths(self) -> None:
        C = np.random.default_rng(0).dirichlet([2, 1, 1], (4, 3))
        one, again, other = (
            paths.likelihood_paths(self.result(C, [0.3, 0.1, 0.2, 0.0], seed), np.ones(4), 3, 10) for seed in (1, 1, 2)
        )
        assert np.array_equal(one, again)
        assert not np.array_equal(one, other)

    def test_of_very_many_workers_only_those_who_come_are_looked_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        result = fit(simulate(60, 9, 3, 4, seed=2).judgments)
        activity = result.judgments.per_worker.astype(float)
        at_once = paths.likelihood_paths(result, activity, 3, 10)
        monkeypatch.setattr(paths, "MOST_MATRICES", 80)
        assert np.array_equal(at_once, paths.likelihood_paths(result, activity, 3, 10))

    def test_draws_are_one_in_each_part_at_every_step(self) -> None:
        found = paths._strata(np.random.default_rng(0), 50, 3)
        assert found.shape == (50, 3)
        for step in found.T:
            assert np.sort(np.floor(step * 50)).tolist() == list(range(50))
        assert not np.array_equal(np.argsort(found[:, 0]), np.argsort(found[:, 1]))

    @pytest.mark.every_path
    @pytest.mark.parametrize(
        ("n_items", "n_steps", "n_labels", "expected"),
        [
            (0, 1, 2, 1024),
            (1_000, 10, 4, 1024),
            (14_648, 10, 1, 1024),  # of 150 million labels, all in all
            (14_663, 10, 1, 1022),
            (100_000, 10, 10, 15),
            (10**7, 10, 10, 8),
            (1, 10, 20, 1000),  # four million cells of likelihoods
            (1, 10, 32, 390),
            (1, 1, 1000, 8),
        ],
    )
    def test_how_many(self, n_items: int, n_steps: int, n_labels: int, expected: int) -> None:
        assert paths._n_paths(n_items, n_steps, n_labels) == expected

    def test_of_very_many_labels_a_wrong_answer_tells_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(paths, "N_PATHS", 400)
        A = np.full((40, 40), 1 / 39) + (4 - 1 / 39) * np.eye(40)
        result = self.result(np.zeros((0, 40, 40)), [])
        result.confusions.pseudo_counts = A
        made = paths.one_coin_paths(result, np.zeros(0), 2, 10, 8)
        assert made.shape == (8, 400, 2, 8)
        gain = np.log(0.8 * 39 / 0.2)
        for k in range(8):
            first = made[k, :, 0, k]
            assert (first > 0).sum() == pytest.approx(320, abs=1)
            np.testing.assert_allclose(first[first > 0], gain)
            assert set(np.round(made[k, :, 1, k] / gain, 9)) == {0.0, 1.0, 2.0}
            assert not np.delete(made[k], k, axis=2).any()
        few = self.result(np.zeros((0, 5, 5)), [])
        few.confusions.pseudo_counts = A[:5, :5]
        assert paths.one_coin_paths(few, np.zeros(0), 1, 10, 8).shape == (5, 400, 1, 5)

    @pytest.mark.parametrize(("right", "accuracy"), [(0.0, 0.001), (1e9, 0.999)])
    def test_no_worker_is_taken_for_flawless_or_always_wrong(self, right: float, accuracy: float) -> None:
        of = Confusions.of_rows(np.zeros(1, np.int32), np.zeros(1, np.int32), np.array([[right, 1e9 - right]]),
                                np.ones((2, 2)), 1)  # fmt: skip
        result: Any = SimpleNamespace(
            judgments=SimpleNamespace(n_labels=2),
            config=SimpleNamespace(seed=0),
            confusions=of,
            informativeness=np.zeros(1),
        )
        made = paths.one_coin_paths(result, np.ones(1), 1, 1, 2)
        gains = made[0, :, 0, 0]
        told = np.unique(gains[gains != 0])
        np.testing.assert_allclose(told, np.log(accuracy / (1 - accuracy)), rtol=1e-6)


class TestLookAhead:
    def test_the_likeliest_labels_and_what_is_left(self) -> None:
        q = np.array([[0.05, 0.5, 0.0, 0.3, 0.15], [0.0, 1.0, 0.0, 0.0, 0.0], [0.2, 0.2, 0.2, 0.2, 0.2]])
        top, rest = look_ahead._likeliest(q, 2, np.array([1.0, 0.5]))
        np.testing.assert_allclose(top, [[0.5, 0.3], [1.0, 0.0], [0.2, 0.2]])
        np.testing.assert_allclose(rest, [[0.2, 2 * 0.1**0.5], [0, 0], [0.6, 3 * 0.2**0.5]], atol=1e-12)

    def test_nothing_lies_ahead_of_an_item_at_the_cap(self) -> None:
        result = fit(simulate(60, 8, 2, 2.5, accuracy=0.7, seed=1).judgments, rho=0.3)
        at_cap = result.judgments.per_item == 3
        assert 0 < at_cap.sum() < 60
        found = look_ahead.look_ahead(result, np.arange(60), EscalateConfig(max_judgments=3), steps=True)
        np.testing.assert_array_equal(found.least_loss[at_cap], found.loss[at_cap])
        for one in (found.needed, found.low, found.high, found.settled):
            assert not one[at_cap].any()
            assert one[~at_cap].any()
        np.testing.assert_allclose(found.priority[at_cap], 1e-6 * found.loss[at_cap])  # only to keep an order
        assert not found.length[at_cap].any()

    def test_no_further_than_ten_judgments_or_the_cap(self) -> None:
        result = fit(simulate(40, 8, 2, 3, accuracy=0.7, seed=1).judgments, rho=0.3)
        least = int(result.judgments.per_item.min())
        for cap, wide in ((least, 1), (least + 1, 1), (least + 4, 4), (least + 10, 10), (least + 11, 10), (100, 10)):
            found = look_ahead.look_ahead(result, np.arange(40), EscalateConfig(max_judgments=cap), steps=True)
            assert found.length.shape == found.slope.shape == (40, wide)
            assert found.high.max() <= min(wide, cap - least)
        most = np.arange(40) % 3
        found = look_ahead.look_ahead(result, np.arange(40), EscalateConfig(max_judgments=100), most=most, steps=True)
        assert (found.length.sum(axis=1) <= most).all()
        assert (found.high <= most).all()
        assert found.high.max() == 2
        nothing = look_ahead.look_ahead(result, np.arange(0), EscalateConfig(), steps=True)
        assert nothing.columns.shape == (0, 7)

    def test_a_label_that_is_all_there_is_is_hedged_too(self) -> None:
        """Its share is 1, of which the logarithm is nothing."""
        result = fit(simulate(40, 8, 2, 3, accuracy=0.7, seed=1).judgments, rho=0.3)
        sure = replace(result, prior_shares=np.array([1.0, 0.0]))
        config = EscalateConfig(max_judgments=6)
        hedged, plain = (
            look_ahead.look_ahead(sure, np.arange(40), config, corrections=Corrections(hedge=hedge))
            for hedge in (1 / 3, 0.0)
        )
        assert np.abs(hedged.priority - plain.priority).max() > 0.01

    def test_means_and_stretches(self) -> None:
        columns = np.arange(21, dtype=np.float64).reshape(3, 7)
        columns[:, 3:6] = np.array([[1, 1, 2], [2.5, 1, 3], [4, 2, 7]])
        ahead = LookAhead(columns, np.zeros((3, 0), np.int64), np.zeros((3, 0)))
        np.testing.assert_allclose(ahead.mean(np.array([True, False, True])).columns, (columns[[0]] + columns[[2]]) / 2)
        nobody = ahead.mean(np.zeros(3, np.bool_))
        assert nobody.columns.tolist() == [[0.0] * 7]
        assert nobody.length.shape == nobody.slope.shape == (1, 0)
        longer = ahead.stretched(1.5, np.array([9, 9, 5]))
        assert longer.needed.tolist() == [1.5, 3.75, 5.0]
        assert longer.low.tolist() == [1, 1, 3]
        assert longer.high.tolist() == [3, 5, 5]
        np.testing.assert_array_equal(longer.columns[:, [0, 1, 2, 6]], columns[:, [0, 1, 2, 6]])
        assert longer.columns is not ahead.columns


class TestReasons:
    def result(self, **of: Any) -> Any:
        n = of.pop("n")
        judgments = SimpleNamespace(
            per_item=np.array(n), n_items=len(n), item_ids=pa.array([f"i{i:04}" for i in range(len(n))])
        )
        usual = {"gold": None, "models": None, "identified": True, "config": SimpleNamespace(seed=0)}
        return SimpleNamespace(judgments=judgments, **{**usual, **of})

    def told(self, result: Any, config: EscalateConfig = TARGET, accepted: Any = None) -> Any:
        reason, settled = reasons.reasons(result, config, accepted)
        names = [None if code < 0 else reasons.REASONS[code] for code in reason.tolist()]
        return names, settled.tolist()

    def test_settled_from_the_target_on(self) -> None:
        result = self.result(
            n=[2, 2, 1, 2, 2],
            confidence=np.array([0.95, 0.9499, 0.99, np.nan, 0.99]),
            consensus_label=np.array([0, 0, 0, 0, -1]),
            votes=(None, np.array([1, 1, 1, 2, 2])),
        )
        names, settled = self.told(result)
        assert settled == [True, False, False, False, False]
        assert names == [None, "weak_workers", "too_few", "disagreement", "disagreement"]
        names, settled = self.told(result, EscalateConfig(margin=0.05), np.array([True, True, True, True, True]))
        assert settled == [True, True, False, False, False]
        names, settled = self.told(result, EscalateConfig(margin=0.05), np.zeros(5, np.bool_))
        assert settled == [True, False, False, False, False]
        names, settled = self.told(result, EscalateConfig(min_judgments=3))
        assert names == ["too_few"] * 5
        names, _ = self.told(result, EscalateConfig(max_judgments=2))
        assert names == [None, "needs_expert", "too_few", "needs_expert", "needs_expert"]

    def test_what_a_known_model_says_is_enough_but_for_people_to_object(self) -> None:
        result = self.result(
            n=[0, 0, 1],
            confidence=np.array([0.99, 0.5, 0.5]),
            consensus_label=np.array([0, 0, 0]),
            votes=(None, np.array([0, 0, 1])),
            models=SimpleNamespace(vouched=np.array([True, True, True])),
        )
        names, settled = self.told(result)
        assert (names, settled) == ([None, "too_few", "weak_workers"], [True, False, False])

    def test_five_judgments_tell_that_more_will_not_do(self) -> None:
        result = self.result(n=[5, 4, 5, 5, 5, 5])
        result.judgments.timestamp = None
        result.judgments.n_labels = 2
        WEAK, DIS, FEW, EXPERT = reasons.WEAK_WORKERS, reasons.DISAGREEMENT, reasons.TOO_FEW, reasons.EXPERT
        foreseen = np.array([True, True, True, False, True, True])
        reason = np.array([WEAK, DIS, DIS, DIS, FEW, EXPERT])
        chance = np.array([0.0999, 0.0, 0.1, 0.0, 0.0, 0.0])
        found = reasons.hopeless(result, np.arange(6), reason, chance, foreseen, EscalateConfig(expert_below=0.1))
        assert found.tolist() == [True, False, False, False, False, False]
        result.identified = False
        assert not reasons.hopeless(result, np.arange(6), reason, chance, foreseen, EscalateConfig()).any()

    @pytest.mark.parametrize(("changes", "hopeless"), [(1, False), (2, True), (3, True)])
    def test_so_do_two_changes_of_the_best_label(
        self, changes: int, hopeless: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = []

        def changed(_: Any, items: Any) -> Any:
            asked.append(items.tolist())
            return np.full(len(items), changes)

        monkeypatch.setattr(reasons, "_changes", changed)
        reason, chance = np.full(3, reasons.DISAGREEMENT), np.array([0.0, 0.9, 0.9])
        items, foreseen = np.array([7, 3, 5]), np.ones(3, np.bool_)
        result = self.result(n=[9, 9, 9, 5, 9, 4, 9, 9])
        found = reasons.hopeless(result, items, reason, chance, foreseen, EscalateConfig(expert_below=0.2))
        assert found.tolist() == [True, hopeless, False]
        assert asked == [[3]]

    @pytest.mark.parametrize(("left", "foreseen"), [(10, True), (11, False)])
    def test_ten_judgments_are_foreseen_to_the_last(
        self, left: int, foreseen: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        drawn = simulate(20, 8, 2, 3, accuracy=0.6, seed=1).judgments
        assert (drawn.per_item == 3).all()
        asked: list[Any] = []

        def hopeless(_: Any, items: Any, __: Any, ___: Any, are_foreseen: Any, ____: Any) -> Any:
            asked.append(are_foreseen.tolist())
            return np.zeros(len(items), np.bool_)

        monkeypatch.setattr(ranking, "hopeless", hopeless)
        found = ranking.planned(fit(drawn, rho=0.3), EscalateConfig(max_judgments=3 + left, target=0.999))
        assert asked == [[foreseen] * len(found.items)]

    def drawn(self, n: Any, settled: Any, audit: float, models: Any = None, seed: int = 0) -> Any:
        result = self.result(n=n, models=models, config=SimpleNamespace(seed=seed))
        return reasons._audit_sample(
            result, np.array(settled, np.bool_), EscalateConfig(audit_sample=audit, max_judgments=5)
        )

    def test_an_audit_draws_at_random_what_has_judgments_left(self) -> None:
        n = np.array([2, 5] * 2_000)
        share = self.drawn(n, np.ones(4_000), 0.25)
        assert not share[1::2].any()
        assert share[::2].mean() == pytest.approx(0.25, abs=0.03)
        assert self.drawn(n, np.ones(4_000), 1.0)[::2].all()
        assert not self.drawn(n, np.ones(4_000), 0.0).any()
        assert not self.drawn(n, np.zeros(4_000), 1.0).any()
        wider = self.drawn(n, np.ones(4_000), 0.5)
        assert (wider | ~share).all()
        for other in (self.drawn(n, np.ones(4_000), 0.25, seed=1), self.drawn(n - n % 2 + 1, np.ones(4_000), 0.25)):
            both = (share & other)[::2].mean()
            assert both == pytest.approx(0.0625, abs=0.025)  # drawn anew

    def test_of_what_models_voted_on_fewer_than_two_people_judged(self) -> None:
        models = SimpleNamespace(votes=SimpleNamespace(per_item=np.array([1, 1, 1, 0, 2])))
        found = self.drawn([0, 1, 2, 1, 1], np.zeros(5), 1.0, models)
        assert found.tolist() == [True, True, False, False, True]

    def test_draws_are_spread_by_the_golden_ratio(self) -> None:
        spread = math.isqrt(5 << 126) - (1 << 63)  # 2^64 over it
        assert spread == reasons.SPREAD


class TestRetests:
    def test_how_many_equal_ones_stand_before(self) -> None:
        assert retests._nth(np.array([3, 1, 3, 3, 0, 1])).tolist() == [0, 0, 1, 2, 0, 1]
        assert retests._nth(np.zeros(0, np.int64)).tolist() == []


class TestBudgets:
    def test_of_very_many_items_some_are_looked_at(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Up to 100,000, evenly chosen, and what they save is scaled up."""
        asked: list[Any] = []

        def looked(_: Any, items: Any, __: Any, **of: Any) -> LookAhead:
            asked.append((items, of["most"]))
            n = len(items)
            return LookAhead(np.zeros((n, 7)), np.tile([1, 2], (n, 1)), np.tile([0.2, 0.05], (n, 1)))

        monkeypatch.setattr(budgets, "look_ahead", looked)
        for n, step in ((100_000, 1), (100_001, 2), (250_000, 3)):
            result: Any = SimpleNamespace(identified=True)
            found: Any = SimpleNamespace(reason=np.zeros(n, np.int32), settled=np.zeros(n, np.bool_), pool=None)
            spent, saved = budgets.budget_curve(result, found, TARGET)
            items, most = asked[-1]
            assert most is None
            assert items.tolist() == list(range(0, n, step))
            assert len(spent) == 2 * len(items)
            assert spent[-1] == pytest.approx(3 * n)
            assert saved[-1] == pytest.approx(0.3 * n)
            assert saved[len(items) - 1] == pytest.approx(0.2 * n)
            assert (np.diff(saved, n=2) <= 1e-9).all()

    def test_nothing_is_foretold_where_nothing_tells(self) -> None:
        result: Any = SimpleNamespace(identified=False)
        spent, saved = budgets.budget_curve(result, None, TARGET)  # type: ignore[arg-type]
        assert (spent.tolist(), saved.tolist()) == ([], [])

    def test_no_more_than_workers_will_do(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ahead = LookAhead(np.zeros((4, 7)), np.tile([1, 2], (4, 1)), np.tile([0.2, 0.05], (4, 1)))
        asked: list[Any] = []

        def looked(_: Any, items: Any, __: Any, **of: Any) -> LookAhead:
            asked.append((items.tolist(), of["most"].tolist(), of["activity"].tolist(), of["steps"]))
            return ahead

        monkeypatch.setattr(budgets, "look_ahead", looked)
        reason = np.array([1, 1, 1, 1, -1, reasons.EXPERT, 1], np.int32)
        settled = np.array([False] * 6 + [True])
        result: Any = SimpleNamespace(identified=True, judgments=None)
        for available, spent in ((12.0, [1, 2, 3, 4, 6, 8, 10, 12]), (8.0, [1, 2, 3, 4, 6, 8]), (7.0, [1, 2, 3, 4, 6])):
            pool = SimpleNamespace(
                activity=lambda _: np.ones(2),
                left=lambda _: np.arange(7),
                available=np.array([available - 1, 1.0, 99.0]),
                able=np.array([True, True, False]),
            )
            found: Any = SimpleNamespace(reason=reason, settled=settled, pool=pool)
            assert budgets.budget_curve(result, found, TARGET)[0].tolist() == spent
            assert asked[-1] == ([0, 1, 2, 3], [0, 1, 2, 3], [1, 1], True)


class TestAdvice:
    def advice(self, n_gold: int, right: Any, best: Any = (0, 1), second: Any = (1, 0), n_labels: int = 2) -> Any:
        totals = np.full((len(right), 1), 50.0)
        gold = SimpleNamespace(items=np.arange(n_gold)) if n_gold else None
        n = len(best)
        result: Any = SimpleNamespace(
            gold=gold,
            judgments=SimpleNamespace(per_item=np.ones(max(n, 300)), labels=tuple("abcdef"[:n_labels])),
            confusions=SimpleNamespace(totals=lambda: totals, right=lambda: totals * np.array(right)[:, None]),
            models=None,
            peaks=SimpleNamespace(best=np.array(best), runner_up=np.array(second)),
        )
        reason = np.full(max(n, 300), -1)
        reason[:n] = np.arange(n) % 3  # whatever it is
        return expectations._advice(result, SimpleNamespace(reason=reason))  # type: ignore[arg-type]

    def test_a_hundred_judged_gold_items(self) -> None:
        (found,) = self.advice(99, [0.9])
        assert found.startswith("100 gold items that people judge (99 have been)")
        assert self.advice(0, [0.9])[0].startswith("100 gold items that people judge (none has been)")
        assert self.advice(100, [0.9]) == ()

    def test_the_median_worker_is_right_on_three_quarters(self) -> None:
        assert self.advice(100, [0.9, 0.75, 0.1]) == ()
        (found,) = self.advice(100, [0.9, 0.74, 0.1])
        assert found == "better workers, or training: the median worker is right on 74%"

    def test_two_labels_are_the_question_in_three_of_ten_items(self) -> None:
        best, second = [0, 2, 2, 3, 1, 1, 0, 0, 3, 2], [2, 0, 0, 1, 0, 2, 3, 1, 2, 1]
        (found,) = self.advice(100, [0.9], best, second, 4)
        assert found == "clearer labels: workers hesitate between a and c on 30% of these items"
        second[0] = 3
        assert self.advice(100, [0.9], best, second, 4) == ()
        second[:3] = [2, 0, 0]
        second[9] = -1  # nothing else is possible there; it counts all the same
        assert len(self.advice(100, [0.9], best, second, 4)) == 1
        assert self.advice(100, [0.9], [0, 1], [1, 0], 2) == ()
        assert self.advice(100, [0.9], [0, 1], [-1, -1], 3) == ()
        assert len(self.advice(100, [0.9], [0, 1], [1, 0], 3)) == 1


class TestWhomToAsk:
    def audit(self, right: Any, per_worker: Any, n_labels: int = 2) -> Any:
        """The audit of workers who are right so often were all labels equally frequent."""
        everybody = np.ones(len(per_worker), np.bool_)
        judgments = SimpleNamespace(per_worker=np.array(per_worker), n_labels=n_labels, is_person=everybody)
        accuracy = SimpleNamespace(label_adjusted=np.array(right))
        return SimpleNamespace(result=SimpleNamespace(judgments=judgments), accuracy=accuracy)

    def test_who_is_right_less_often_than_by_chance_is_not_asked(self) -> None:
        audit = self.audit([0.9, 0.501, 0.499], [30, 10, 60])
        share, quota, price = worker_choice._terms(audit, 100.0, None, anyone=True)
        assert share.tolist() == [30, 10, 0]
        assert quota.tolist() == [150, 50, 0]  # twice the usual share
        assert price.tolist() == [1, 1, 1]
        assert worker_choice._terms(audit, 7.0, None, anyone=True)[1].tolist() == [11, 4, 0]
        assert worker_choice._terms(self.audit([0.1, 0.2], [3, 4]), 9.0, None, anyone=True)[1].tolist() == [0, 0]
        three = self.audit([0.34, 0.33], [1, 1], 3)
        assert worker_choice._terms(three, 5.0, None, anyone=True)[0].tolist() == [1, 0]

    def test_only_the_trusted_are_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        audit = self.audit([0.9, 0.8, 0.7], [30, 10, 60])
        monkeypatch.setattr(worker_choice, "trusted", lambda one: np.array([one is audit, True, False]))
        share, quota, _ = worker_choice._terms(audit, 40.0, None, anyone=False)
        assert share.tolist() == [30, 10, 0]
        assert quota.tolist() == [60, 20, 0]

    def test_a_pool_says_how_much_they_can_do(self) -> None:
        audit = self.audit([0.9, 0.8, 0.7, 0.6, 0.2], [30, 10, 60, 50, 50])
        pool: Any = SimpleNamespace(
            activity=lambda _: np.array([3.0, 1.0, 0.0, 4.0, 9.0]),
            available=np.array([5.0, np.inf, 7.0, 0.0, 9.0]),
            price=np.array([1.0, 2.0, 3.0, 4.0, 5.0]),
        )
        share, quota, price = worker_choice._terms(audit, 10.0, pool, anyone=True)
        assert share.tolist() == [3, 1, 0, 0, 0]
        assert quota.tolist() == [5, 5, 0, 0, 0]
        assert price.tolist() == [1, 2, 3, 4, 5]

    def test_twelve_stand_for_the_usual_worker(self) -> None:
        """At quantiles of what they tell, by how much they do."""
        right = np.linspace(0.5, 0.99, 30)
        C = np.array([[[p, 1 - p], [1 - p, p]] for p in np.random.default_rng(0).permutation(right)])
        result: Any = SimpleNamespace(prior_shares=np.array([0.5, 0.5]))
        share = np.random.default_rng(1).uniform(0, 2, 30)
        found = worker_choice.representatives(result, C, share)
        order = sorted(range(30), key=lambda w: C[w, 0, 0])
        done = np.cumsum(share[order])
        expected = [order[int(np.sum(done < (g + 0.5) / 12 * done[-1]))] for g in range(12)]
        np.testing.assert_array_equal(found, C[expected])
        alone = worker_choice.representatives(result, C[:1], share[:1])
        np.testing.assert_array_equal(alone, np.repeat(C[:1], 12, axis=0))

    def test_names_are_missing_where_there_is_nobody(self) -> None:
        judgments = SimpleNamespace(worker_ids=pa.array(["a", "b", "c"]))
        result: Any = SimpleNamespace(judgments=judgments)
        chosen = np.array([[2, 0], [1, -1], [-1, -1], [0, 1]], np.int32)
        assert worker_choice.names(result, chosen).to_pylist() == [["c", "a"], ["b"], None, ["a", "b"]]
        assert worker_choice.names(result, chosen[:0]).to_pylist() == []

    @pytest.mark.parametrize(("n_items", "n_cells", "by_item"), [(40, 36, True), (41, 36, False), (40, 35, False)])
    def test_of_many_items_or_labels_workers_are_not_weighed_by_item(
        self, n_items: int, n_cells: int, by_item: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        result = fit(simulate(60, 4, 3, 2, accuracy=0.8, seed=1).judgments, rho=0.3)
        monkeypatch.setattr(worker_choice, "MOST_WEIGHED", 40)
        monkeypatch.setattr(worker_choice, "MOST_CELLS", n_cells)
        found = worker_choice.suggested(WorkerAudit(result), np.arange(n_items), np.ones(n_items, np.int64))
        assert (found.worth == 1.0).all() != by_item
        assert (found.workers[:, 0] >= 0).any()

    def test_three_candidates_are_drawn_by_what_they_usually_do(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """From 2^16 places; who may not be asked has none."""
        table = np.stack([np.full((2, 2), 0.8) - 0.6 * np.eye(2), *[np.full((2, 2), 0.1) + 0.8 * np.eye(2)] * 4])
        result = fit(simulate(120, confusion=table, per_item=3, seed=1).judgments, rho=0.3, seed=9)
        asked: list[Any] = []

        def choose(*of: Any) -> None:
            asked.append(of)
            of[-2][:], of[-1][:] = -1, 0.0

        monkeypatch.setattr(worker_choice_loops, "choose", choose)
        worker_choice.suggested(WorkerAudit(result), np.arange(40), np.ones(40, np.int64))
        ((_, judged, workers, seed, n_candidates, quota, _, _),) = asked
        assert (seed, n_candidates) == (9, 3)
        per_worker = result.judgments.per_worker[1:]
        share = per_worker / per_worker.sum()
        places = (np.arange(2**16) + 0.5) / 2**16
        assert workers.drawn.tolist() == np.searchsorted(np.cumsum(share), places).tolist()
        assert quota.tolist() == np.ceil(2 * 40 * share).tolist()
        assert workers.code.tolist() == [1, 2, 3, 4]
        assert judged.worker is result.judgments.worker
        assert workers.price.tolist() == [1.0] * 4

    def test_where_there_is_nobody(self) -> None:
        """Worth what a usual worker is; or nothing, where it is said who can be asked."""
        result = fit(simulate(30, 6, 3, 2, accuracy=0.8, seed=1).judgments, rho=0.3)
        items, wanted = np.arange(4), np.ones(4, np.int64)
        nobody = read_workers({"worker": ["w0"], "available": ["0"]}).align(result.judgments, None)
        found = worker_choice.suggested(WorkerAudit(result), items, wanted, nobody)
        assert (found.workers.tolist(), found.worth.tolist()) == ([[-1]] * 4, [0.0] * 4)
        one = fit(simulate(30, 1, 3, 1, seed=1).judgments)  # who has judged everything
        found = worker_choice.suggested(WorkerAudit(one), items, wanted)
        assert (found.workers.tolist(), found.worth.tolist()) == ([[-1]] * 4, [1.0] * 4)

    def test_as_many_places_as_judgments_are_wanted(self) -> None:
        result = fit(simulate(30, 6, 3, 2, accuracy=0.8, seed=1).judgments, rho=0.3)
        for wanted, wide in (([1, 1], 1), ([1, 3], 3), ([], 1)):
            found = worker_choice.suggested(WorkerAudit(result), np.arange(len(wanted)), np.array(wanted, np.int64))
            assert found.workers.shape == (len(wanted), wide)
            assert ((found.workers >= 0).sum(axis=1) == wanted).all()

    def test_blocks_share_the_quotas(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whatever the blocks, nobody is asked for more than theirs, and each item gets what it wants."""
        result = fit(simulate(60, 6, 3, 2, accuracy=0.8, seed=1).judgments, rho=0.3)
        monkeypatch.setattr(worker_choice, "BLOCK", 7)
        items, wanted = np.arange(60)[::-1].copy(), np.ones(60, np.int64)
        found = worker_choice.suggested(WorkerAudit(result), items, wanted)
        share = result.judgments.per_worker
        asked = np.bincount(found.workers[found.workers >= 0], minlength=6)
        assert (asked <= np.ceil(2 * 60 * share / share.sum())).all()
        judged = set(zip(result.judgments.item.tolist(), result.judgments.worker.tolist(), strict=True))
        assert not judged & set(zip(items.tolist(), found.workers[:, 0].tolist(), strict=True))
        assert (found.workers[:, 0] >= 0).mean() > 0.9


class TestMoney:
    CONFIG = EscalateConfig()

    def pool(self, price: Any) -> Any:
        price = np.array(price)
        return SimpleNamespace(has_prices=bool(np.isfinite(price).any()), price=price, able=np.ones(3, np.bool_),
                               named=np.ones(3, np.bool_))  # fmt: skip

    def test_what_the_list_and_the_tests_cost(self) -> None:
        workers, judgments = np.array([[0, 2], [1, -1]], np.int32), np.array([2, 3])
        tests: Any = SimpleNamespace(workers=np.array([1, 1]), items=np.array([5, 6]))
        assert ranking._money(self.CONFIG, workers, judgments, tests, self.pool([1.0, 2.0, 4.0])) == 7.0 + 4.0
        priced = EscalateConfig(price_per_judgment=0.5)
        assert ranking._money(priced, workers, judgments, tests, None) == 0.5 * 7
        assert np.isnan(ranking._money(self.CONFIG, workers, judgments, tests, None))

    def within(self, budget: float, pool: Any = None, n_tests: int = 0, price: float | None = None) -> Any:
        """Two audits that want two judgments each, and two items that want one and gain by three."""
        columns = np.zeros((5, 7))
        length = np.array([[0, 0], [0, 0], [1, 2], [3, 0], [0, 0]])
        slope = np.array([[0, 0], [0, 0], [0.3, 0.1], [0.2, 0], [0, 0]])
        wanted, audits = np.array([2, 2, 1, 1, 0]), np.array([True, True, False, False, False])
        tests: Any = SimpleNamespace(items=np.zeros(n_tests, np.int64), workers=np.zeros(n_tests, np.int64))
        config = EscalateConfig(budget=budget, price_per_judgment=price)
        return budgets.within(config, wanted, audits, LookAhead(columns, length, slope), np.arange(5), tests, pool)

    def test_audits_come_first(self) -> None:
        for budget, expected in ((4, [2, 2, 0, 0, 0]), (5, [2, 2, 1, 0, 0]), (7, [2, 2, 1, 2, 0]),
                                 (9, [2, 2, 2, 3, 0]), (10, [2, 2, 3, 3, 0]), (40, [2, 2, 3, 3, 0])):  # fmt: skip
            found, money = self.within(budget)
            assert found.tolist() == expected
            assert money == budget
        with pytest.raises(ConfigError, match=r"^budget 3 judgments pays for 3 judgments, but not for the 4 judgments"):
            self.within(3)
        found, money = self.within(7, n_tests=2)
        assert (found.tolist(), money) == ([2, 2, 1, 0, 0], 5)

    def test_money_pays_for_judgments(self) -> None:
        assert self.within(0.7, price=0.1)[0].tolist() == [2, 2, 1, 2, 0]  # 7, for all that rounding does
        found, money = self.within(0.7, price=0.1, n_tests=1)
        assert (found.tolist(), money) == ([2, 2, 1, 1, 0], 6)
        with pytest.raises(ConfigError, match="^budget 0.3 in money pays for 3 judgments, but not for the 1 retest"):
            self.within(0.3, price=0.1, n_tests=1)

    def test_workers_with_prices_are_chosen_among_later(self) -> None:
        pool = self.pool([2.0, 3.0, 4.0])
        found, money = self.within(10.0, pool)
        assert (found.tolist(), money) == ([2, 2, 1, 1, 0], 10.0)
        found, money = self.within(16.0, pool, n_tests=1)  # the test is by the cheapest
        assert (found.tolist(), money) == ([2, 2, 1, 2, 0], 14.0)
        pool.able = np.array([False, True, True])
        assert self.within(15.0, pool)[0].tolist() == [2, 2, 1, 1, 0]
        pool.able = np.zeros(3, np.bool_)
        assert self.within(14.0, pool)[0].tolist() == [2, 2, 1, 2, 0]


class TestOrder:
    def test_audits_first_and_experts_last(self) -> None:
        reason = np.array([reasons.EXPERT, reasons.TOO_FEW, reasons.AUDIT, reasons.DISAGREEMENT, reasons.AUDIT])
        order = np.array([0, 4, 3, 2, 1])
        assert ranking._in_buckets(reason.astype(np.int32), order).tolist() == [4, 2, 3, 1, 0]

    def test_ties_by_judgments_then_loss_then_hash(self) -> None:
        """Priorities are equal up to fifteen decimals."""
        n = 40
        rng = np.random.default_rng(0)
        columns = np.zeros((n, 7))
        columns[:, 0] = rng.choice([0.3, 0.2, 0.2 + 2e-16, 0.2 + 1e-14], n)
        columns[:, 1] = rng.choice([0.1, 0.4], n)
        per_item, ids = rng.integers(1, 3, 60), pa.array([f"i{i:02}" for i in range(60)])
        items = rng.permutation(60)[:n]
        result: Any = SimpleNamespace(judgments=SimpleNamespace(per_item=per_item, item_ids=ids), backend=ONE)
        ahead = LookAhead(columns, np.zeros((n, 0), np.int64), np.zeros((n, 0)))
        hashes = hashed(ids)
        expected = sorted(
            range(n),
            key=lambda m: (-round(columns[m, 0], 15), per_item[items[m]], -columns[m, 1], int(hashes[items[m]])),
        )
        assert ranking._most_urgent(result, items, ahead).tolist() == expected
        nothing = LookAhead(columns[:0], np.zeros((0, 0), np.int64), np.zeros((0, 0)))
        assert ranking._most_urgent(result, items[:0], nothing).tolist() == []

    def test_what_is_asked_for_without_a_budget(self) -> None:
        """What lacks of the least number, but one at least; two for an audit, one where a known model voted."""
        per_item = np.array([0, 1, 3, 0, 0, 1, 0])
        vouched = np.array([False, False, False, False, True, True, False])
        result: Any = SimpleNamespace(judgments=SimpleNamespace(per_item=per_item), models=None)
        reason = np.array([reasons.TOO_FEW] * 3 + [reasons.AUDIT] + [reasons.TOO_FEW] * 2 + [reasons.EXPERT])
        rule = EscalateConfig(min_judgments=3, max_judgments=9)
        assert ranking._wanted(result, np.arange(7), reason, rule).tolist() == [3, 2, 1, 2, 3, 2, 0]
        result.models = SimpleNamespace(vouched=vouched)
        assert ranking._wanted(result, np.arange(7), reason, rule).tolist() == [3, 2, 1, 2, 1, 1, 0]
        assert ranking._wanted(
            result, np.arange(4), reason[:4], EscalateConfig(max_judgments=1, min_judgments=1)
        ).tolist() == [1, 1, 1, 1]


def test_tests_are_of_items_that_are_accepted_and_not_audited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gold is asked for besides."""
    drawn = simulate(80, 8, 2, 4, accuracy=0.85, seed=1)
    result = fit(drawn.judgments, gold=drawn.truth_table(10), rho=0.1)
    config = EscalateConfig(target=0.8, max_judgments=9, audit_sample=0.3)
    asked: list[Any] = []

    def retested(_: Any, may: Any, most: int, __: Any) -> retests.Retests:
        asked.append((may, most))
        return retests.Retests(np.zeros(0, np.int64), pa.array([], pa.string()), np.zeros(0, np.int64))

    monkeypatch.setattr(ranking, "retests", retested)
    found = ranking.planned(result, config)
    may, most = asked[0]
    audited = found.reason == reasons.AUDIT
    assert most == 9
    assert audited.any()
    assert may.tolist() == (found.settled & ~audited).tolist()
    assert not may[:10].all()


class TestPriorities:
    """Of the plan: what workers are worth beside the usual one, and what they cost."""

    CONFIG = EscalateConfig(target=0.999, max_judgments=3)

    def result(self) -> Any:
        return fit(simulate(80, 8, 3, 2.5, accuracy=0.75, seed=1).judgments, rho=0.3)

    def priorities(self, found: Any) -> dict[int, float]:
        return dict(zip(found.items.tolist(), found.ahead.priority[found.at].tolist(), strict=True))

    def test_by_what_the_workers_are_worth(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Also beside items that nobody is asked about."""
        result = self.result()
        plain = ranking.planned(result, self.CONFIG, suggest=False)
        worth = {int(item): 0.5 + 0.01 * item for item in plain.items}
        asked: list[Any] = []

        def suggested(_: Any, items: Any, *__: Any, **___: Any) -> worker_choice.Choice:
            asked.append(items.tolist())
            return worker_choice.Choice(
                np.zeros((len(items), 1), np.int32), np.array([worth[int(item)] for item in items])
            )

        monkeypatch.setattr(worker_choice, "suggested", suggested)
        found = ranking.planned(result, self.CONFIG)
        experts = set(found.items[found.judgments == 0].tolist())
        assert 0 < len(experts) < len(found.items)
        assert set(asked[0]) == set(found.items.tolist()) - experts
        before, now = self.priorities(plain), self.priorities(found)
        for item in before:
            factor = 1.0 if item in experts else worth[item]
            assert now[item] == pytest.approx(before[item] * factor)
        listed = [now[int(item)] for item in found.items if int(item) not in experts]
        assert listed == sorted(listed, reverse=True)
        assert found.items[-len(experts) :].tolist() == [int(one) for one in found.items if int(one) in experts]

    @pytest.mark.parametrize("cap", [3, 9])
    def test_by_what_they_cost(self, cap: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where they are worth no more than the usual one; with and without items that wait for an expert."""
        config = EscalateConfig(target=0.999, max_judgments=cap)
        result = self.result()
        monkeypatch.setattr(worker_choice, "MOST_WEIGHED", 0)
        names = result.judgments.worker_ids.to_pylist()
        pool = read_workers({"worker": names, "price": ["4"] * 8}).align(result.judgments, None)
        plain = self.priorities(ranking.planned(result, config, suggest=False))
        found = ranking.planned(result, config, pool=pool)
        now = self.priorities(found)
        asked = [int(item) for item, n in zip(found.items, found.judgments, strict=True) if n]
        assert 0 < len(asked) < 80 if cap == 3 else len(asked) == 80
        for item in asked:
            assert now[item] == pytest.approx(plain[item] / 4)
        assert found.money == 4 * len(asked)
