"""Judgments of gold items against what their workers do elsewhere, from the formulas."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom, norm

from consensus.inputs.gold import AlignedGold
from consensus.inputs.judgments import Judgments
from consensus.worker_audit.on_gold import gold_answers, gold_health
from consensus.worker_audit.on_gold.gold_answers import GoldAnswers
from tests import naive
from tests.strategies import encoded


def crowd() -> tuple[Judgments, AlignedGold, Any]:
    """Five workers, three labels; gold with one, two and all labels accepted; the last two workers are weak."""
    rng = np.random.default_rng(2)
    pairs = [(i, w) for i in range(6) for w in range(5) if (i + 2 * w) % 4]
    judgments = encoded([(f"i{i}", f"w{w}", f"l{rng.integers(3)}") for i, w in pairs])
    accepted = np.array([[1, 0, 0], [0, 1, 1], [1, 1, 1], [0, 0, 1]], np.bool_)
    right = rng.uniform(0.3, 0.95, (5, 3))
    weak = np.array([False, False, False, True, True])
    return (
        judgments,
        AlignedGold(np.array([0, 2, 3, 5], np.int32), accepted, {}),
        SimpleNamespace(right=right, accuracy=right.mean(axis=1), weak=weak),
    )


def p_right(right: Any, accepted: Any) -> float:
    """Of the accepted labels any may be the true one; a wrong answer falls evenly on the others, accepted or not."""
    own = [k for k in range(3) if accepted[k]]
    chance = sum(right[k] for k in own) / len(own)
    return float(chance + (1 - chance) * (len(own) - 1) / 2)


def test_what_workers_do_elsewhere_predicts_their_answers() -> None:
    judgments, gold, skills = crowd()
    result: Any = SimpleNamespace(judgments=judgments)
    found = GoldAnswers.of(result, gold, skills)
    at = 0
    for g, i in enumerate(gold.items.tolist()):
        for group, weak in enumerate((False, True)):
            mean = skills.right[skills.weak == weak].mean(axis=0)
            assert found.usual[group, g] == pytest.approx(p_right(mean, gold.accepted[g]))
        for j in np.flatnonzero(judgments.item == i).tolist():
            w, label = int(judgments.worker[j]), int(judgments.label[j])
            assert (found.own[at], found.label[at], found.right[at]) == (g, label, gold.accepted[g, label])
            assert found.predicted[at] == pytest.approx(p_right(skills.right[w], gold.accepted[g]))
            assert (found.accuracy[at], found.weak[at]) == (skills.accuracy[w], skills.weak[w])
            at += 1
    assert at == len(found.own)
    assert found.n.tolist() == np.bincount(found.own).tolist()
    assert found.n_right.tolist() == [found.right[found.own == g].sum() for g in range(4)]
    nobody: Any = SimpleNamespace(right=skills.right, accuracy=skills.accuracy, weak=np.zeros(5, np.bool_))
    usual = GoldAnswers.of(result, gold, nobody).usual
    assert np.isnan(usual[1]).all()
    assert np.isfinite(usual[0]).all()


def answers(own: Any, right: Any, predicted: Any, weak: Any, n_items: int, usual: Any = (0.9, 0.3)) -> GoldAnswers:
    n = len(own)
    return GoldAnswers(
        own=np.array(own),
        label=np.zeros(n, np.int32),
        right=np.array(right, np.bool_),
        predicted=np.array(predicted, np.float64),
        accuracy=np.array(predicted, np.float64),
        weak=np.array(weak, np.bool_),
        usual=np.repeat(np.array(usual, np.float64)[:, None], n_items, axis=1),
    )


def leaked(one: GoldAnswers) -> tuple[list[bool], list[float]]:
    """The shift by which better workers find gold easier, tails, their spread, and Benjamini & Hochberg at 5 %."""

    def shifted(p: float, shift: float) -> float:
        return 1 / (1 + math.exp(-math.log(p / (1 - p)) - shift))

    better = [n for n in range(len(one.own)) if not one.weak[n]]
    low, high = 0.0, 8.0
    for _ in range(60):
        middle = (low + high) / 2
        if sum(shifted(float(one.predicted[n]), middle) for n in better) < one.right[better].sum():
            low = middle
        else:
            high = middle
    expected, p, z = [], {}, []
    tails = {}
    for g in range(one.n_items):
        weak = [n for n in range(len(one.own)) if one.weak[n] and one.own[n] == g]
        chances = [shifted(float(one.predicted[n]), low) for n in weak]
        expected.append(sum(chances))
        if weak:
            more, just = naive.poisson_binomial(chances, int(one.right[weak].sum()))
            tails[g] = min(more, 1.0)
            z.append(norm.isf(more - just / 2))
    below = [one for one in z if one < 0]
    spread = max(1.0, math.sqrt(sum(one * one for one in below) / len(below))) if below else 1.0
    p = {g: norm.sf(norm.isf(tail) / spread) for g, tail in tails.items()}
    order = sorted(p, key=lambda g: p[g])
    passed = [n for n, g in enumerate(order) if p[g] <= 0.05 * (n + 1) / len(order)]
    found = order[: passed[-1] + 1] if passed else []
    return [g in found for g in range(one.n_items)], expected


class TestLeaked:
    @pytest.mark.parametrize("seed", range(30))
    def test_by_the_formulas(self, seed: int) -> None:
        """Twelve items; weak workers know some of them, and on every third crowd fare worse on others."""
        rng = np.random.default_rng(seed)
        n_items, per_item = 12, 9
        own = np.repeat(np.arange(n_items), per_item)
        weak = np.tile(np.arange(per_item) < 5, n_items) & (own < 11)
        predicted = np.where(weak, rng.uniform(0.2, 0.5, len(own)), rng.uniform(0.6, 0.9, len(own)))
        chance = predicted + weak * 0.5 * (own % 4 == 0) - weak * 0.18 * (own % 4 == 1) * (seed % 3 == 0)
        easier = (rng.random(len(own)) < 0.3 * (seed % 2)) & ~weak
        right = (rng.random(len(own)) < chance) | easier
        one = answers(own, right, predicted, weak, n_items)
        found, expected = one.leaked()
        told, by_formula = leaked(one)
        assert found.tolist() == told
        np.testing.assert_allclose(expected, by_formula, rtol=1e-6)

    def test_nobody_is_weak(self) -> None:
        one = answers([0, 1], [True, False], [0.8, 0.8], [False, False], 2)
        found, expected = one.leaked()
        assert (found.tolist(), expected.tolist()) == ([False, False], [0.0, 0.0])
        assert expected.dtype == np.float64

    def test_the_limit_of_false_discoveries(self) -> None:
        """One item: five weak workers of a half, all right by chance in 3.1 %; four in 6.3 %."""
        for n, known in ((5, True), (4, False)):
            one = answers([0] * n, [True] * n, [0.5] * n, [True] * n, 1)
            assert one.leaked()[0].tolist() == [known]

    def test_gold_may_be_easier_but_not_beyond_all_measure(self) -> None:
        """Better workers who are always right: the odds may be 3,000 times as good, and not more."""
        one = answers([0] * 4, [True] * 4, [0.5, 0.5, 0.5, 0.2], [False, False, False, True], 1)
        _, expected = one.leaked()
        assert expected[0] == pytest.approx(1 / (1 + 4 * math.exp(-8)), rel=1e-9)
        one = answers([0] * 4, [False, False, False, True], [0.5, 0.5, 0.5, 0.2], [False, False, False, True], 1)
        assert one.leaked()[1][0] == pytest.approx(0.2)

    def test_nobody_is_certain_to_be_right_or_wrong(self) -> None:
        """All but one in a million."""
        one = answers([0, 1], [True, True], [1.0, 0.0], [True, True], 2)
        assert one.leaked()[1].tolist() == [pytest.approx(1 - 1e-6, abs=1e-9), pytest.approx(1e-6, abs=1e-9)]

    def test_two_hundred_weak_workers_are_counted_one_by_one(self) -> None:
        for n, exact in ((200, True), (201, False)):
            n_right = np.array([130])
            tail, middle = gold_answers._tails(np.zeros(n, np.int64), np.full(n, 0.6), n_right, np.array([0]))
            deviation = math.sqrt(n * 0.24)
            normal = norm.sf((130 - 0.5 - n * 0.6) / deviation), norm.sf((130 - n * 0.6) / deviation)
            counted = binom.sf(129, n, 0.6), binom.sf(129, n, 0.6) - binom.pmf(130, n, 0.6) / 2
            assert (tail[0], middle[0]) == pytest.approx(counted if exact else normal, rel=1e-6)
            assert counted != pytest.approx(normal, rel=1e-6)


class TestTooEasy:
    def easy(self, n_strong: int, n_weak: int, usual: Any = (0.9, 0.3)) -> bool:
        n = n_strong + n_weak
        weak = np.arange(n) < n_weak
        return bool(answers([0] * n, [True] * n, [0.5] * n, weak, 1, usual).information()[1][0])

    def test_three_weak_workers_show_it(self) -> None:
        assert self.easy(1, 3, (0.95, 0.2))
        assert not self.easy(1, 2, (0.95, 0.2))

    def test_it_tells_less_than_a_quarter_of_the_usual(self) -> None:
        """With more strong workers who are right, it tells more of who is weak."""

        def told(n_strong: int) -> float:
            a, b = (n_strong + 2 * 0.9) / (n_strong + 2), (3 + 2 * 0.3) / (3 + 2)
            C = np.array([[a, 1 - a], [b, 1 - b]])
            usual = np.array([[0.9, 0.1], [0.3, 0.7]])
            half = np.array([0.5, 0.5])
            return naive.mutual_information(half, C) / naive.mutual_information(half, usual)

        for n_strong in range(12):
            assert self.easy(n_strong, 3) == (told(n_strong) < 0.25)
        assert self.easy(0, 3) != self.easy(11, 3)

    def test_the_usual_is_that_of_the_median_item(self) -> None:
        one = answers([0] * 4, [True] * 4, [0.5] * 4, [True] * 3 + [False], 3)
        usual = np.array([[0.9, 0.9, np.nan], [0.88, 0.3, np.nan]])

        def bits(a: float, b: float) -> float:
            C = np.array([[a, 1 - a], [b, 1 - b]])
            return naive.mutual_information(np.array([0.5, 0.5]), C) / math.log(2)

        told = bits((1 + 2 * 0.9) / 3, (3 + 2 * 0.88) / 5)
        seen = set()
        for second in np.linspace(0.05, 0.85, 30):
            usual[1, 1] = second
            own = GoldAnswers(one.own, one.label, one.right, one.predicted, one.accuracy, one.weak, usual)
            information, found = own.information()
            assert information[0] == pytest.approx(told)
            assert found[0] == (told < 0.25 * (bits(0.9, 0.88) + bits(0.9, second)) / 2)
            assert np.isnan(information[2])
            seen.add(bool(found[0]))
        assert seen == {True, False}


class TestShift:
    def test_none_where_gold_is_no_easier(self) -> None:
        assert gold_answers._shift(np.zeros(4), np.array([True, False, False, False])) == pytest.approx(0.0, abs=1e-9)

    def test_as_many_are_expected_right_as_are(self) -> None:
        logits, right = np.array([0.0, 0.0, 0.0, 0.0]), np.array([True, True, True, False])
        assert gold_answers._shift(logits, right) == pytest.approx(math.log(3), abs=1e-6)


class TestSuspects:
    def test_from_15_percent(self) -> None:
        assert gold_health._suspects(np.array([0.149, 0.15])).tolist() == [False, True]

    def test_five_false_alarms_or_three_in_ten(self) -> None:
        """Six of .17, of which five are false alarms; 40 of .7: twelve; and no more where they are worse."""
        assert gold_health._suspects(np.full(8, 0.17)).sum() == 6
        assert gold_health._suspects(np.full(40, 0.7 + 1e-9)).sum() == 40
        assert gold_health._suspects(np.full(40, 0.69)).sum() == 16
        mixed = np.concatenate([np.full(30, 0.8), np.full(30, 0.2)])
        found = gold_health._suspects(mixed)
        allowed = [n for n in range(60) if np.cumsum(1 - mixed)[n] <= max(5.0, 0.3 * (n + 1))]
        assert found.sum() == len(allowed)

    def test_shares_of_wrong_gold_that_are_weighed(self) -> None:
        """From one in a thousand to three in ten, six a decade and some more."""
        assert gold_health.SHARES[0] == pytest.approx(0.001)
        assert gold_health.SHARES[-1] == pytest.approx(0.3)
        ratio = gold_health.SHARES[1:] / gold_health.SHARES[:-1]
        np.testing.assert_allclose(ratio, 300 ** (1 / 17))
