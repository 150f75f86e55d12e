"""The average of several readings: what it reports, what it is made of, and where it is better than one reading."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus import FitConfig, fit, simulate
from consensus.backends import Threads
from consensus.found.readings import Readings
from consensus.found.result import Consensus
from consensus.inputs.judgments import Judgments
from consensus.models import average, held_out_rho, layout, lure, memory_needs, readings, subtypes
from consensus.models.base import Execution
from consensus.models.expectation_maximisation import climb
from consensus.models.problem import Problem
from consensus.models.readings import Read
from consensus.simulation import simulate_votes
from tests import naive
from tests.models.test_label_mixes import judged
from tests.strategies import crowds, encoded, examples

ONE = Execution(Threads(1))
pytestmark = pytest.mark.compiled  # many fits of three readings; their loops are in tests/kernels/test_states.py


def ring(seed: int, n_items: int = 600, n_workers: int = 20) -> tuple[Judgments, np.ndarray]:
    """Two labels, five judgments an item; 30 % of the workers copy one stream that is right on 60 %."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(2, size=n_items)
    stream = np.where(rng.random(n_items) < 0.6, truth, 1 - truth)
    accuracy = rng.uniform(0.7, 0.95, n_workers)
    judged = []
    for i in range(n_items):
        for w in rng.choice(n_workers, 5, replace=False):
            right = rng.random() < accuracy[w]
            k = stream[i] if w < 0.3 * n_workers else (truth[i] if right else 1 - truth[i])
            judged.append((f"i{i:04}", f"w{w:02}", f"l{k}"))
    return encoded(judged), truth


def right(result: Consensus, truth: np.ndarray) -> float:
    return float((result.consensus_label == truth).mean())


@pytest.mark.parametrize("n_shards", [1, 2])
def test_the_least_share_of_a_majority_is_that_of_all_shards(n_shards: int, monkeypatch: pytest.MonkeyPatch) -> None:
    judged = encoded([(item, w, "y" if item + w == "bw" else "x") for item in "ab" for w in "uvw"])
    monkeypatch.setattr(subtypes, "number_of_shards", lambda *_: n_shards)
    assert subtypes._least(judged, Threads(1)).tolist() == [pytest.approx(2 / 3), 1.0]


class TestWhatIsReported:
    def test_the_mean_of_what_the_readings_say(self) -> None:
        drawn = simulate(300, 12, 3, 5, seed=1)
        result = fit(drawn.judgments, model="average")
        found = result.readings
        assert found is not None
        assert found.names == ("dawid_skene", "subtypes", "lure")
        assert found.weight.sum() == pytest.approx(1)
        assert (found.weight > 0).all()
        assert found.label.shape == found.confidence.shape == (3, 300)
        same = ~found.disputed
        assert 0.9 < same.mean() < 1
        assert np.array_equal(result.consensus_label[same], found.label[0][same])
        np.testing.assert_allclose(result.confidence[same], (found.weight @ found.confidence)[same], rtol=1e-9)
        assert (found.label[:, found.disputed].min(axis=0) < found.label[:, found.disputed].max(axis=0)).all()
        assert result.converged

    def test_one_reading_of_all_the_weight_is_that_reading(self, monkeypatch: pytest.MonkeyPatch) -> None:
        drawn = simulate(300, 12, 3, 5, seed=1).judgments
        monkeypatch.setattr(readings, "READINGS", {})
        monkeypatch.setattr(average, "READINGS", {})
        monkeypatch.setattr(average, "most_states", lambda n_labels: n_labels)
        for gold in (None, simulate(300, 12, 3, 5, seed=1).truth_table(120, 1)):
            one = fit(drawn, model="dawid_skene", rho=0.3, gold=gold, calibration="gold")
            result = fit(drawn, model="average", gold=gold)
            np.testing.assert_allclose(result.posterior, one.posterior, rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(result.confusions.counts, one.confusions.counts, atol=1e-3)
            np.testing.assert_allclose(result.prior_shares, one.prior_shares, atol=1e-4)
            assert result.terms is not None
            if gold is None:
                np.testing.assert_allclose(result.terms.pi, result.prior_shares)
            else:
                assert result.gold_posterior is not None
                assert one.gold_posterior is not None
                np.testing.assert_allclose(result.gold_posterior, one.gold_posterior, rtol=1e-6, atol=1e-9)
                assert result.tempering == one.tempering

    def test_workers_are_rated_by_the_counts_of_the_average(self) -> None:
        judgments, _ = ring(2)
        result = fit(judgments, model="average", rho=0)
        assert result.readings is not None
        N = naive.counts(judgments, result.posterior)  # with rho = 0 the average of the untempered is what is reported
        np.testing.assert_allclose(result.confusions.dense_counts(), N, rtol=1e-8, atol=1e-8)
        A, terms = result.confusions.pseudo_counts, result.terms
        assert terms is not None
        worker, label = result.confusions.row_worker, result.confusions.row_label
        np.testing.assert_allclose(terms.C, naive.confusions(N, A)[worker, :, label], rtol=1e-8)

    @pytest.mark.parametrize("settings", [{}, {"seed": 5}, {"threads": 3}])
    def test_nothing_is_drawn(self, settings: dict[str, Any]) -> None:
        judgments, _ = ring(1, 200)
        first, other = fit(judgments, model="average"), fit(judgments, model="average", **settings)
        assert np.array_equal(first.posterior, other.posterior)
        assert first.readings is not None
        assert other.readings is not None
        assert np.array_equal(first.readings.weight, other.readings.weight)

    def test_stages_are_told_in_order(self) -> None:
        told: list[str] = []
        fit(ring(1, 200)[0], model="average", progress=lambda stage, *_: told.append(stage))
        each = ["", " subtypes", " lure"]
        held = [f"held-out fit {n}{name}" for n in (1, 2) for name in each]
        assert list(dict.fromkeys(told)) == [
            *(f"fitting{name}" for name in each),
            *held,
            "tempering",
            "diagnosing",
            "fitting the opposite",
        ]

    def test_rho_tempers_every_reading(self) -> None:
        judgments, _ = ring(1, 300)
        plain, usual, strong = (fit(judgments, model="average", rho=rho) for rho in (0, None, 1.0))
        assert usual.rho == held_out_rho.AVERAGE_RHO
        assert plain.confidence.mean() > usual.confidence.mean() + 0.02 > strong.confidence.mean() + 0.04

    @pytest.mark.parametrize(("per_item", "rho"), [(2, 0.4), (3, 0.4), (3.5, 0.35), (4, 0.3), (5, 0.3)])
    def test_few_judgments_an_item_are_tempered_like_one_reading(self, per_item: float, rho: float) -> None:
        crowd = simulate(100, 8, 3, per_item, seed=3).judgments
        assert fit(crowd, model="average", max_iterations=3).rho == pytest.approx(rho, abs=0.01)

    def test_items_that_nobody_judged_make_judgments_no_fewer(self) -> None:
        crowd = simulate(100, 8, 3, 4, seed=3).judgments
        assert held_out_rho.usual_of_average(crowd.subset(crowd.item < 50)) == held_out_rho.AVERAGE_RHO
        assert held_out_rho.usual_of_average(crowd.subset(crowd.item < 0)) == held_out_rho.USUAL_RHO

    def test_it_says_when_a_reading_did_not_converge(self) -> None:
        judgments, _ = ring(1, 200)
        result = fit(judgments, model="average", max_iterations=3)
        assert not result.converged
        assert "not_converged" in {one.code for one in result.warnings}


class TestWeights:
    def test_a_reading_that_predicts_better_weighs_more(self) -> None:
        found = {seed: fit(ring(seed)[0], model="average").readings for seed in (0, 3)}
        clean = fit(simulate(600, 20, 2, 5, accuracy=0.8, seed=1).judgments, model="average").readings
        assert clean is not None
        for one in found.values():
            assert one is not None
            assert one.n_held_out > 0
            assert one.weight[0] < 0.2 < clean.weight[0]

    def test_too_few_judgments_to_learn_them_from(self) -> None:
        few = fit(simulate(20, 5, 2, 3, seed=1).judgments, model="average").readings
        assert few is not None
        assert few.n_held_out == 0
        assert np.allclose(few.weight, 1 / 3)


class TestReadings:
    @examples(30)
    @given(
        judgments=crowds(),
        module=st.sampled_from([subtypes, lure]),
        prior=st.sampled_from(["learnt", "fixed", "none"]),
        data=st.data(),
    )
    def test_objective_never_falls(self, judgments: Judgments, module: Any, prior: Any, data: st.DataObject) -> None:
        gold = data.draw(st.dictionaries(st.integers(0, judgments.n_items - 1), st.integers(0, judgments.n_labels - 1)))
        settings = FitConfig(prior=prior, max_iterations=60, tolerance=1e-9)
        problem = Problem.of(judgments, None, settings, ONE.backend)
        accepted = np.zeros((len(gold), judgments.n_labels), np.bool_)
        accepted[np.arange(len(gold)), list(gold.values())] = True
        prior_row = np.zeros(judgments.n_items, np.int32)
        prior_row[list(gold)] = np.arange(1, len(gold) + 1)
        problem = replace(problem, accepted=accepted, prior_row=prior_row)
        begin = readings.begins(problem, "majority", ONE.backend)
        states = module.states(judgments.n_labels)
        finer = problem.over(states, climb(problem, None, ONE))
        estimate = climb(finer, module.start(judgments, begin, ONE.backend), ONE)
        found = estimate.convergence
        objective = np.array(found.objective[found.frozen_at :])
        slack = 1e-8 * np.abs(objective[:-1]) + 1e-8  # states that nothing is in have a prior of 1e-10
        assert (np.diff(objective) >= -slack).all()
        assert estimate.pi.sum() == pytest.approx(1)
        assert estimate.C.shape[1] == states.n
        z = Read("one", finer, estimate).posterior(np.ones(judgments.n_items), ONE.backend)
        for i, k in gold.items():
            assert z[i, k] == 1

    def test_every_name_has_its_module(self) -> None:
        assert list(readings.READINGS) == ["subtypes", "lure"]
        assert readings.most_states(2) == 6
        assert readings.most_states(5) == 25


class TestGold:
    def test_adversaries_are_seen_through_by_all_readings(self) -> None:
        """Three good workers, four adversaries, three spammers: the start from gold is that of every reading."""
        rng = np.random.default_rng(3)
        truth = rng.integers(2, size=300)
        accuracy = np.array([0.9] * 3 + [0.2] * 4 + [0.5] * 3)
        answers = np.where(rng.random((300, 10)) < accuracy, truth[:, None], 1 - truth[:, None])
        judgments = encoded([(f"i{i:03}", f"w{w}", f"l{answers[i, w]}") for i in range(300) for w in range(10)])
        gold = {"item": [f"i{i:03}" for i in range(10)], "label": [f"l{k}" for k in truth[:10]]}
        result = fit(judgments, model="average", gold=gold)
        assert right(result, truth) > 0.95
        assert result.readings is not None
        assert ((result.readings.label == truth).mean(axis=1) > 0.9).all()
        assert set(result.starts) == {"majority", "gold"}


class TestDisagreement:
    """Of the warning `readings_disagree`."""

    def test_a_ring_is_told_and_its_items_named(self) -> None:
        for seed in range(4):
            result = fit(ring(seed)[0], model="average")
            assert result.readings is not None
            (caution,) = (one for one in result.warnings if one.code == "readings_disagree")
            disputed = result.readings.disputed
            assert (caution.values["n_items"], caution.values["share"]) == (disputed.sum(), disputed.mean())
            first = ", ".join(f"i{i:04}" for i in np.flatnonzero(disputed)[:3])
            assert f"{disputed.sum()} of 600 items" in caution.message
            assert f"such as {first} (all in readings.csv)" in caution.message

    def test_independent_workers_are_not_suspected(self) -> None:
        for seed in range(6):
            for n_labels in (2, 3):
                result = fit(simulate(600, 20, n_labels, 5, accuracy=0.75, seed=seed).judgments, model="average")
                assert "readings_disagree" not in {one.code for one in result.warnings}

    def test_doubtful_items_are_not_held_against_workers(self) -> None:
        """Weak workers leave readings unsure of other labels: that alone is no warning."""
        result = fit(simulate(600, 20, 2, 5, accuracy=0.65, seed=1).judgments, model="average")
        assert result.readings is not None
        assert result.readings.disputed.mean() > average.DISPUTED
        assert result.readings.contradictory(average.SURE).mean() < average.CLEARLY
        assert "readings_disagree" not in {one.code for one in result.warnings}

    def test_contradictions_are_between_sure_readings(self) -> None:
        label = np.array([[0, 0, 0, 0], [1, 1, 0, 0], [0, 1, 0, 2]], np.int32)
        sure = np.array([[0.6, 0.6, 0.9, 0.56], [0.5, 0.7, 0.9, 0.9], [0.9, 0.7, 0.9, 0.55]])
        found = Readings(
            ("a", "b", "c"), np.full(3, 1 / 3), label, sure, 0, np.ones(1), label[0], np.zeros(4, np.bool_)
        )
        assert found.disputed.tolist() == [True, True, False, True]
        assert found.contradictory(0.55).tolist() == [False, True, False, True]
        assert found.contradictory(0.6).tolist() == [False, True, False, False]

    def test_few_items_are_no_pattern(self, monkeypatch: pytest.MonkeyPatch) -> None:
        judgments, _ = ring(0, 200)
        n = sum(one.values.get("n_items", 0) for one in fit(judgments, model="average").warnings)
        assert n >= 10
        monkeypatch.setattr(average, "LEAST_DISPUTED", n + 1)
        assert "readings_disagree" not in {one.code for one in fit(judgments, model="average").warnings}


class TestTopics:
    """Where workers see different labels, every reading has the priors of items that this asks for."""

    @pytest.mark.parametrize("with_gold", [False, True])
    def test_labels_are_at_least_the_majority(self, with_gold: bool) -> None:
        judgments = judged(3, 600, 30, 0.97, 1)
        names = judgments.item_ids.to_pylist()
        gold = {"item": names[::20], "label": [name[-2:] for name in names[::20]]} if with_gold else None
        result = fit(judgments, model="average", gold=gold)
        truth = np.array([judgments.labels.index(name[-2:]) for name in names])
        assert "different_labels" in {one.code for one in result.warnings}
        assert right(result, truth) > 0.97
        assert result.readings is not None
        assert ((result.readings.label == truth).mean(axis=1) > 0.97).all()
        assert result.terms is not None
        assert result.terms.priors is not None
        np.testing.assert_allclose(result.terms.priors.sum(axis=1), 1)
        if with_gold:
            assert result.gold is not None
            assert result.gold_posterior is not None
            found = result.gold_posterior.argmax(axis=1) == result.gold.accepted.argmax(axis=1)
            assert found.mean() > 0.9

    def test_priors_over_states_are_those_of_labels_shared_out(self) -> None:
        problem = Problem.of(judged(3, 300, 30, 0.97, 1), None, FitConfig(prior="fixed"), ONE.backend)
        first = climb(problem, None, ONE)
        assert first.mixes is not None
        states = subtypes.states(3)
        finer = problem.over(states, first)
        start = subtypes.start(problem.judgments, readings.begins(problem, "majority", ONE.backend), ONE.backend)
        found = climb(finer, start, ONE)
        assert found.mixes is None
        assert found.state_mixes is not None
        items = np.arange(300, dtype=np.int32)
        of_states, of_labels = found.state_mixes.of_items(items), first.mixes.of_items(items)
        np.testing.assert_allclose(states.by_label(of_states), of_labels)
        np.testing.assert_allclose(found.state_mixes.priors.table[1:], of_states)
        psi = of_states / states.over(of_labels)
        np.testing.assert_allclose(psi, np.tile(psi[0], (300, 1)))
        np.testing.assert_allclose(psi[0], found.pi / states.over(states.by_label(found.pi)))


class TestOneReading:
    def test_models_that_vote(self) -> None:
        drawn = simulate(100, 8, 2, 3, seed=1)
        votes = simulate_votes(drawn, 2, soft=True)
        result, alone = (fit(drawn.judgments, model_votes=votes, model=name) for name in ("average", "dawid_skene"))
        assert result.model == "dawid_skene"
        assert result.readings is None
        assert np.array_equal(result.posterior, alone.posterior)
        (caution,) = (one for one in result.warnings if one.code == "one_reading")
        assert caution.message.startswith("the average of several readings was asked for, but models voted")
        assert "one_reading" not in {one.code for one in alone.warnings}

    def test_very_many_labels(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(layout, "FEW_LABELS", 2)
        monkeypatch.setattr(layout, "MOST_CELLS", 10)
        result = fit(simulate(60, 6, 3, 3, seed=1).judgments, model="average")
        assert result.model == "dawid_skene"
        (caution,) = (one for one in result.warnings if one.code == "one_reading")
        assert "but 3 labels on 60 items are too many to weigh all of them: dawid_skene alone" in caution.message

    def test_one_judgment_an_item(self) -> None:
        result = fit(encoded([(f"i{i}", f"w{i % 3}", f"l{i % 2}") for i in range(9)]), model="average")
        assert result.model == "majority_vote"
        assert not result.identified


def test_states_need_memory() -> None:
    drawn = simulate(5_000, 50, 4, 5, seed=1).judgments
    few, many = (memory_needs.of(drawn, n_states=n) for n in (0, 16))
    assert many.fitting > few.fitting + 5_000 * 8 * 16
    assert many.reading == few.reading


class TestAgainstOneReading:
    def test_a_ring_that_copies_a_stream(self) -> None:
        found = []
        for seed in range(4):
            judgments, truth = ring(seed)
            found.append([right(fit(judgments, model=name), truth) for name in ("average", "dawid_skene")])
        several, one = np.mean(found, axis=0)
        assert several > 0.88
        assert several > one + 0.05

    @pytest.mark.parametrize(
        ("n_labels", "settings"), [(2, {}), (3, {}), (10, {}), (2, {"prior": [0.95, 0.05]}), (3, {"biased": 0.3})]
    )
    def test_nothing_is_lost_where_workers_err_alone(self, n_labels: int, settings: dict[str, Any]) -> None:
        drawn = simulate(1000, 30, n_labels, 5, accuracy=0.75, seed=6, **settings)
        several, one = (fit(drawn.judgments, model=name, rho=0.3) for name in ("average", "dawid_skene"))
        assert right(several, drawn.truth) >= right(one, drawn.truth) - 0.005
        assert several.readings is not None
        assert several.readings.disputed.mean() < 0.05
