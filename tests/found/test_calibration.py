"""Confidence fitted on gold: the temperature, that everything knows how a posterior was tempered, the gold left out."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from consensus import fit, simulate, worker_audit
from consensus.found import tempering
from consensus.found.posterior import SparsePosterior
from consensus.found.result import Consensus
from consensus.found.tempering import LEAST_GOLD, Tempering, cross_fitted, fitted_on_gold, temperature, tempered
from consensus.models import held_out_rho, layout
from consensus.simulation import simulate_votes
from consensus.worker_audit.accuracy import against_others
from tests import naive, naive_calibration
from tests.strategies import encoded

pytestmark = pytest.mark.usefixtures("by_dawid_skene")


def drawn_gold(
    n: int, n_labels: int, true_temperature: float, seed: int, several: float = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Posteriors (n, K), and gold that is as often right as they say once tempered; some of it of several labels."""
    rng = np.random.default_rng(seed)
    logs = rng.normal(0, 4, (n, n_labels))
    posterior = tempered(logs, np.ones(n))
    right = tempered(logs, np.full(n, 1 / true_temperature))
    truth = (right.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    accepted = rng.random((n, n_labels)) < several
    accepted[np.arange(n), np.minimum(truth, n_labels - 1)] = True
    return posterior, accepted


class TestTemperature:
    @pytest.mark.parametrize("seed", range(8))
    def test_is_the_best_of_a_grid(self, seed: int) -> None:
        posterior, accepted = drawn_gold(
            40, 2 + seed % 4, [0.5, 1.5, 3.0, 8.0][seed % 4], seed, several=0.1 * (seed > 3)
        )
        found = temperature(np.log(posterior) - seed, accepted)
        best = naive_calibration.temperature(posterior, accepted)
        assert abs(math.log(found / best)) < 0.002
        naively = naive_calibration.objective(posterior, accepted, found)
        assert naively >= naive_calibration.objective(posterior, accepted, best) - 1e-9

    @pytest.mark.parametrize("planted", [1.5, 3.0, 8.0])
    def test_the_planted_one_comes_back(self, planted: float) -> None:
        posterior, accepted = drawn_gold(20_000, 3, planted, 1)
        assert temperature(np.log(posterior), accepted) == pytest.approx(planted, rel=0.05)

    def test_never_surer_than_the_posterior(self) -> None:
        posterior, accepted = drawn_gold(500, 3, 0.4, 1)
        assert temperature(np.log(posterior), accepted) == 1.0

    def test_gold_that_nothing_foretells(self) -> None:
        logs, accepted = np.log(drawn_gold(200, 2, 1.0, 1)[0]), np.eye(2, dtype=np.bool_)[np.arange(200) % 2]
        assert 5 < temperature(logs, accepted) < tempering.HOTTEST
        assert temperature(100 * logs, accepted) == pytest.approx(tempering.HOTTEST, rel=1e-4)

    def test_certainties_do_not_overflow(self) -> None:
        logs = np.zeros((200, 2))
        logs[:, 1] = -690.0
        accepted = np.eye(2, dtype=np.bool_)[(np.arange(200) % 10 == 0).astype(int)]
        assert temperature(logs, accepted) == pytest.approx(tempering.HOTTEST, rel=1e-4)

    def test_a_part_of_very_much_gold_is_enough(self, monkeypatch: pytest.MonkeyPatch) -> None:
        posterior, accepted = drawn_gold(4000, 3, 2.0, 1)
        every = temperature(np.log(posterior), accepted)
        monkeypatch.setattr(tempering, "MOST_CELLS", 6000)
        some = temperature(np.log(posterior), accepted)
        assert some == temperature(np.log(posterior[::2]), accepted[::2])
        assert some != every
        assert some == pytest.approx(every, rel=0.1)
        assert fitted_on_gold(np.log(posterior), accepted).n_gold == 2000  # as many as it was fitted on
        monkeypatch.setattr(tempering, "MOST_CELLS", 10)
        assert fitted_on_gold(np.log(posterior), accepted).n_gold == 100  # never fewer than are asked for
        assert fitted_on_gold(np.log(posterior[:110]), accepted[:110]).n_gold == 110


class TestCrossFitting:
    @pytest.mark.compiled
    def test_each_fold_is_tempered_as_the_others_ask(self) -> None:
        posterior, accepted = drawn_gold(120, 3, 3.0, 1)
        fold = np.arange(120) % 10
        known = np.arange(120) % 7 > 0
        found = cross_fitted(np.log(posterior), accepted, known, fold)
        for f in range(10):
            others = known & (fold != f)
            t = naive_calibration.temperature(posterior[others], accepted[others])
            expected = [naive_calibration.tempered(one, t) for one in posterior[fold == f].tolist()]
            np.testing.assert_allclose(found[fold == f], expected, atol=1e-3)

    def test_an_item_has_no_say_in_its_own_confidence(self) -> None:
        posterior, accepted = drawn_gold(120, 3, 3.0, 1)
        fold, known = np.arange(120) % 10, np.ones(120, np.bool_)
        before = cross_fitted(np.log(posterior), accepted, known, fold)
        changed = accepted.copy()
        changed[17] = ~accepted[17]
        after = cross_fitted(np.log(posterior), changed, known, fold)
        np.testing.assert_array_equal(before[fold == 7], after[fold == 7])
        assert (before[fold != 7] != after[fold != 7]).any(axis=1).all()


class TestTempering:
    def test_power_by_its_formula(self) -> None:
        n = np.array([0, 1, 2, 5])
        assert Tempering(0.3, 2.0).power(n).tolist() == [1 / 2, 1 / 2, 1 / 2.6, 1 / 4.4]
        assert Tempering().power(n).tolist() == [1, 1, 1, 1]
        assert (Tempering(0.3).by, Tempering(0.0, 2.0, 100).by) == ("design effect", "gold")

    def test_beyond_the_reach_of_gold_by_rho(self) -> None:
        fitted, beyond = Tempering(0.0, 2.0, 100), np.array([False, True, False, True])
        n = np.array([1, 1, 5, 5])
        both = fitted.without(beyond, 0.3)
        assert both.power(n, slice(None)).tolist() == [1 / 2, 1, 1 / 2, 1 / 2.2]
        assert both.power(n[1:2], np.array([3])).tolist() == [1]
        assert fitted.without(~beyond & beyond, 0.3) is fitted
        with pytest.raises(AssertionError, match="not all items are tempered alike: name them"):
            both.power(n)
        posterior, _ = drawn_gold(4, 3, 1.0, 1)
        there = both.tempered(np.log(posterior), n, slice(None))
        np.testing.assert_allclose(there[3], Tempering(0.3).tempered(np.log(posterior), n)[3])
        back = np.exp(both.untempered(there, n, slice(None)))
        np.testing.assert_allclose(back / back.sum(axis=1, keepdims=True), posterior, rtol=1e-9)

    def test_there_and_back(self) -> None:
        posterior, _ = drawn_gold(30, 4, 1.0, 1)
        n, by = np.arange(30), Tempering(0.2, 1.7)
        there = by.tempered(np.log(posterior), n)
        expected = [
            naive_calibration.tempered(posterior[at].tolist(), 1.7 * (1 + 0.2 * max(at - 1, 0))) for at in range(30)
        ]
        np.testing.assert_allclose(there, expected)
        back = np.exp(by.untempered(there, n))
        np.testing.assert_allclose(back / back.sum(axis=1, keepdims=True), posterior, rtol=1e-9)
        assert np.isfinite(by.untempered(np.eye(4), np.arange(4))).all()


def crowd(n_items: int = 400, n_labels: int = 3, seed: int = 1) -> Any:
    """A crowd whose judgments of an item err together: copies of a few of them."""
    drawn = simulate(n_items, 12, n_labels, 3, accuracy=0.75, seed=seed)
    table = drawn.judgments_table()
    return drawn, pd.concat([table, table.assign(worker=table["worker"] + "b")], ignore_index=True)


@pytest.fixture(scope="module")
def fitted() -> tuple[Consensus, Consensus, Consensus]:
    """The same fit, tempered as 150 gold items ask, not at all, and by a design effect."""
    drawn, table = crowd()
    gold = drawn.truth_table(150, 1)
    return fit(table, gold=gold), fit(table, gold=gold, rho=0), fit(table, gold=gold, rho=0.4)


class TestFit:
    @pytest.mark.compiled
    def test_gold_decides(self, fitted: tuple[Consensus, Consensus, Consensus]) -> None:
        result, plain, _ = fitted
        assert result.gold is not None
        assert result.gold_posterior is not None
        assert plain.gold_posterior is not None
        t = result.tempering.temperature
        assert result.tempering == Tempering(0.0, t, 150)
        assert result.rho == 0
        assert 1.4 < t < 4
        assert t == pytest.approx(naive_calibration.temperature(plain.gold_posterior, result.gold.accepted), rel=0.002)
        n = np.ones(400, np.int64)
        for found, untempered in ((result.posterior, plain.posterior), (result.gold_posterior, plain.gold_posterior)):
            expected = naive.tempered(untempered ** (1 / t), n, 0)
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(result.consensus_label, plain.consensus_label)

    @pytest.mark.compiled
    @pytest.mark.parametrize(("n_gold", "rho", "by"), [(99, None, 0), (100, None, 100), (100, 0.3, 0)])
    def test_when_there_is_enough_of_it(self, n_gold: int, rho: float | None, by: int) -> None:
        drawn, table = crowd()
        result = fit(table, gold=drawn.truth_table(n_gold, 1), rho=rho)
        assert result.tempering.n_gold == by
        assert (result.tempering.temperature == 1) == (by == 0)
        assert (result.rho > 0) == (by == 0)
        assert LEAST_GOLD == 100

    @pytest.mark.compiled
    def test_gold_that_nobody_judged_does_not_count(self) -> None:
        drawn, table = crowd()
        gold = drawn.truth_table(120, 1)
        without = table[~table["item"].isin(gold["item"][:21])]
        assert fit(without, gold=gold).tempering.n_gold == 0
        votes = simulate_votes(drawn, 1, accuracy=0.9, soft=True, seed=1)
        assert fit(without, gold=gold, model_votes=votes).tempering.n_gold == 0
        few = table[~table["item"].isin(gold["item"][:20])]
        assert fit(few, gold=gold, model_votes=votes).tempering.n_gold == 100

    @pytest.mark.compiled
    def test_people_and_models(self) -> None:
        drawn, table = crowd()
        gold = drawn.truth_table(150, 1)
        votes = simulate_votes(drawn, 3, accuracy=0.8, soft=True, temperature=0.5, seed=1)
        result, plain = (fit(table, gold=gold, model_votes=votes, rho=rho) for rho in (None, 0))
        assert result.gold is not None
        assert plain.gold_posterior is not None
        t = naive_calibration.temperature(plain.gold_posterior, result.gold.accepted)
        assert result.tempering.temperature == pytest.approx(t, rel=0.002)
        expected = naive.tempered(plain.posterior ** (1 / t), np.ones(400, np.int64), 0)
        np.testing.assert_allclose(result.posterior, expected, atol=1e-3)
        np.testing.assert_array_equal(result.consensus_label, plain.consensus_label)

    @pytest.mark.compiled
    def test_very_many_labels(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(layout, "FEW_LABELS", 0)
        monkeypatch.setattr(layout, "MOST_CELLS", 0)
        drawn, table = crowd(n_labels=40)
        gold = drawn.truth_table(150, 1)
        result, plain = (fit(table, gold=gold, rho=rho) for rho in (None, 0))
        assert isinstance(result.beliefs, SparsePosterior)
        assert result.tempering.n_gold == 150
        t = result.tempering.temperature
        assert result.gold is not None
        assert plain.gold_posterior is not None
        assert t == pytest.approx(naive_calibration.temperature(plain.gold_posterior, result.gold.accepted), rel=0.002)
        assert t > 1
        expected = naive.tempered(plain.posterior ** (1 / t), np.ones(400, np.int64), 0)
        np.testing.assert_allclose(result.posterior, expected, rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(result.consensus_label, plain.consensus_label)

    @pytest.mark.compiled
    def test_confidence_is_better_so_where_judgments_err_together(self) -> None:
        drawn, table = crowd(3000)
        gold = drawn.truth_table(150, 1)
        judged = set(gold["item"])
        loss = {}
        for rho in (None, 0):
            result = fit(table, gold=gold, rho=rho)
            ids = result.judgments.item_ids.to_pylist()
            own = [i for i, item in enumerate(ids) if item not in judged]
            loss[rho] = -np.log(result.posterior[own, drawn.truth[own]]).mean()
        assert loss[None] < 0.95 * loss[0]


class TestAudit:
    def test_what_the_others_say_does_not_depend_on_it(self, fitted: tuple[Consensus, Consensus, Consensus]) -> None:
        one, plain, effect = fitted
        judgments = np.arange(0, one.judgments.n_judgments, 7)
        for other in (plain, effect):
            np.testing.assert_allclose(against_others.right(one), against_others.right(other), rtol=1e-7, atol=1e-12)
            found, expected = against_others.cavities(one, judgments), against_others.cavities(other, judgments)
            np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-12)
            by_record, same = (worker_audit.WorkerAudit(result).accuracy.by_record for result in (one, other))
            np.testing.assert_allclose(by_record.points, same.points, rtol=1e-6)
            np.testing.assert_allclose(by_record.weight, same.weight, rtol=1e-6, atol=1e-12)
            pd.testing.assert_frame_equal(
                worker_audit.gold(one).drop(columns="confidence"),
                worker_audit.gold(other).drop(columns="confidence"),
                rtol=1e-6,
            )

    @pytest.mark.compiled
    def test_copies_are_found_all_the_same(self) -> None:
        drawn, table = crowd()
        gold = drawn.truth_table(150, 1)
        result, other = (worker_audit.fit_without_copies(table, gold=gold, rho=rho) for rho in (None, 0.4))
        assert result.tempering.n_gold == 150
        assert result.copies is not None
        assert other.copies is not None
        assert result.copies.n_groups > 0
        np.testing.assert_array_equal(result.copies.group, other.copies.group)
        assert result.members is not None
        right = against_others.right(result.members)
        assert other.members is not None
        np.testing.assert_allclose(right, against_others.right(other.members), rtol=1e-6, atol=1e-9)

    def test_evidence_is_tempered_like_the_confidence(self, fitted: tuple[Consensus, Consensus, Consensus]) -> None:
        one, plain, _ = fitted
        worker = one.judgments.worker_ids[0].as_py()
        weights = [worker_audit.evidence(result, worker)["weight"].abs().max() for result in (one, plain)]
        assert weights[0] < weights[1]


def test_nothing_to_hold_out_is_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where gold tells, no judgments are held out to measure rho: it saves two fits."""
    drawn, table = crowd()

    def refuse(*_: Any) -> float:
        raise AssertionError

    monkeypatch.setattr(held_out_rho, "measured_rho", refuse)
    assert fit(table, gold=drawn.truth_table(100, 1)).tempering.n_gold == 100
    with pytest.raises(AssertionError):
        fit(table, rho="measured")


def test_repeats_and_silent_items() -> None:
    rows = [(f"i{i}", f"w{w}", f"l{(i + (w == 3)) % 2}") for i in range(130) for w in range(4)]
    gold = {"item": [f"i{i}" for i in range(110)], "label": [f"l{i % 2}" for i in range(110)]}
    result = fit(encoded(rows), gold=gold)
    assert result.tempering == Tempering(0.0, 1.0, 110)
    assert (result.confidence > 0.9).all()
