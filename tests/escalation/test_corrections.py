"""What judgments that are held back tell about a look-ahead."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from consensus import Consensus, Replay, fit, simulate
from consensus.config import EscalateConfig
from consensus.config.run_settings import Model
from consensus.escalation import corrections
from consensus.escalation.corrections import Corrections, learnt, usual_hedge
from consensus.escalation.look_ahead import LookAhead, look_ahead
from consensus.found.posterior import DensePosterior
from consensus.found.tempering import Tempering
from consensus.models import layout
from consensus.simulation import Simulation, simulate_votes
from tests.other_crowds import Recipe, draw

Codes = NDArray[np.int64]
Shares = tuple[list[float], float]

pytestmark = [pytest.mark.usefixtures("by_dawid_skene"), pytest.mark.compiled]


@pytest.fixture(scope="module")
def result() -> Consensus:
    return fit(simulate(80, 8, 3, 3, accuracy=0.7, seed=4).judgments, rho=0.3)


@pytest.fixture(scope="module")
def on_gold() -> Consensus:
    """Workers who err alone, so that gold takes back what was held back for fear of shared mistakes."""
    crowd = simulate(400, 40, 4, 3, accuracy=0.75, seed=1)
    return fit(crowd.judgments, gold=crowd.truth_table(150))


def naive_worth(result: Consensus) -> float:
    """The power by which the others of an item foretell each of its judgments best, on a grid, by plain loops."""
    of, K = result.judgments, result.judgments.n_labels
    N, A = result.confusions.dense_counts(), result.confusions.pseudo_counts
    assert result.terms is not None
    C = (N + A) / (N + A).sum(axis=2, keepdims=True)
    foretold = []
    for i in range(of.n_items):
        said = [(of.worker[j], of.label[j]) for j in range(of.item_start[i], of.item_start[i + 1])]
        if len(said) < 2:
            continue
        z = result.terms.pi.copy()
        for w, label in said:
            z *= C[w, :, label]
        z /= z.sum()
        cavity = [
            (np.maximum(N[w, :, label] - z, 0) + A[:, label]) / (np.maximum(N[w].sum(axis=1) - z, 0) + A.sum(axis=1))
            for w, label in said
        ]
        for j, own in enumerate(cavity):
            others = result.terms.pi.copy()
            for n, one in enumerate(cavity):
                others *= one if n != j else 1.0
            foretold.append((others, own))

    def score(power: float) -> float:
        logs = [np.log((others**power / (others**power).sum() * own).sum()) for others, own in foretold]
        return float(np.sum(logs) - 0.5 * (np.log(power) / corrections.SPREAD) ** 2)

    grid = np.exp(np.arange(-1.5, 1.5, 0.01))
    assert K == 3
    return float(grid[np.argmax([score(power) for power in grid])])


class TestEvidence:
    def test_is_its_formula(self, result: Consensus) -> None:
        items = np.flatnonzero(result.judgments.per_item > 1)
        own, log_C, log_prior = corrections._held_back(result, items)
        assert corrections._worth(own, log_C, log_prior) == pytest.approx(naive_worth(result), rel=0.02)
        expected = np.clip(naive_worth(result) ** corrections.SHRUNK, 0.7, 1.3)
        assert learnt(result).evidence == pytest.approx(expected, rel=0.01)

    def test_is_less_where_confusions_promise_too_much(self) -> None:
        result = fit(simulate(500, 20, 3, 4, accuracy=0.75, seed=4).judgments, rho=0.3)

        def with_more(factor: float) -> float:
            """Workers as sure as if they had been right many times as often."""
            found = result.confusions
            sharp = np.where(found.label == found.true, factor, 1.0) * found.counts
            return learnt(replace(result, confusions=replace(found, counts=sharp))).evidence

        assert with_more(1.5) < with_more(1.0) < with_more(0.8)
        assert with_more(300.0) == corrections.LEAST_POWER
        assert with_more(1.0) == pytest.approx(1.0, abs=0.1)

    def test_class_shares_stand_in_for_unknown_priors(self, result: Consensus) -> None:
        assert learnt(replace(result, terms=None)).evidence == pytest.approx(learnt(result).evidence, abs=0.02)

    def test_some_items_will_do_whatever_the_order_of_the_rows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        table = simulate(300, 10, 3, 3, accuracy=0.7, seed=2).judgments_table()
        monkeypatch.setattr(corrections, "MOST_CELLS", 900)
        found = [fit(table.sample(frac=1, random_state=n), rho=0.3) for n in range(2)]
        items = [corrections._sample(one, np.arange(300)) for one in found]
        assert 60 < len(items[0]) < 140
        np.testing.assert_array_equal(items[0], items[1])
        assert learnt(found[0]) == learnt(found[1])

    def test_not_learnt(self, monkeypatch: pytest.MonkeyPatch) -> None:
        crowd = simulate(60, 8, 3, 3, seed=1)
        assert learnt(fit(crowd.judgments, model_votes=simulate_votes(crowd, 1, accuracy=0.7))) == Corrections()
        assert learnt(fit(simulate(60, 30, 3, 1, seed=1).judgments)) == Corrections()  # nobody to compare with
        monkeypatch.setattr(layout, "MOST_CELLS", 0)
        assert learnt(fit(simulate(60, 30, 40, 3, seed=1).judgments)) == Corrections()

    def test_changes_how_fast_items_are_settled(self, result: Consensus) -> None:
        rule, items = EscalateConfig(target=0.95, max_judgments=7), np.arange(80)
        settled = [
            look_ahead(result, items, rule, corrections=Corrections(evidence=evidence)).settled.mean()
            for evidence in (0.7, 1.0, 1.3)
        ]
        assert settled == sorted(settled)
        assert settled[2] - settled[0] > 0.1


class TestCalibration:
    def test_slope_is_how_far_logarithms_were_stretched(self, on_gold: Consensus) -> None:
        told, gold = on_gold.calibration, on_gold.gold
        assert told is not None
        assert told.before is not None
        assert gold is not None
        others = np.setdiff1d(np.arange(400), gold.items)
        spread = []
        for posterior in (told.before, on_gold.beliefs):
            logs = np.log(posterior.dense(others).clip(1e-6))
            logs -= logs.mean(axis=1)[:, None]
            spread.append(np.sqrt(logs.var(axis=0).sum()))
        found = learnt(on_gold).slope
        assert found == pytest.approx(spread[1] / spread[0], rel=1e-9)
        assert found > 1.1

    def test_slope_is_that_of_a_plain_stretch(self, on_gold: Consensus) -> None:
        """Gold items, and those that gold does not speak for, are left out."""

        def with_power(power: float) -> float:
            told = on_gold.calibration
            assert told is not None
            assert told.before is not None
            assert told.items is not None
            logs = np.log(told.before.dense(slice(None)).clip(1e-6))
            items = told.items & (np.arange(400) % 2 == 0)
            after = np.where(items[:, None], np.exp(power * logs), 1.0)
            after /= after.sum(axis=1, keepdims=True)
            before = DensePosterior(np.exp(logs))
            calibration = replace(told, before=before, items=items)
            return learnt(replace(on_gold, beliefs=DensePosterior(after), calibration=calibration)).slope

        assert with_power(0.7) == pytest.approx(0.7, rel=1e-3)
        assert with_power(0.1) == corrections.LEAST_SLOPE
        assert with_power(5.0) == corrections.MOST_SLOPE

    def test_no_slope_without_calibration(self, result: Consensus, on_gold: Consensus) -> None:
        assert learnt(result).slope == 1.0
        told = on_gold.calibration
        assert told is not None
        assert told.items is not None
        nothing = replace(told, items=np.zeros_like(told.items))
        assert learnt(replace(on_gold, calibration=nothing)).slope == 1.0

    def test_items_beyond_gold_are_looked_ahead_as_without(self, on_gold: Consensus) -> None:
        told, rule = on_gold.calibration, EscalateConfig(target=0.95, max_judgments=7)
        assert told is not None
        assert told.items is not None
        half = replace(on_gold, calibration=replace(told, items=told.items & (np.arange(400) < 200)))
        items = np.flatnonzero((on_gold.confidence < 0.9) & (on_gold.judgments.per_item == 3))
        stretched, plain = (look_ahead(half, items, rule, corrections=Corrections(slope=s)) for s in (2.0, 1.0))
        usual = look_ahead(replace(on_gold, calibration=None), items, rule, corrections=Corrections())
        np.testing.assert_array_equal(stretched.settled[items >= 200], usual.settled[items >= 200])
        assert stretched.settled[items < 200].mean() > plain.settled[items < 200].mean() + 0.1
        assert plain.settled[items < 200].mean() > usual.settled[items < 200].mean()  # tempering to come is half undone

    def test_what_calibration_made_anew_may_do_is_averaged(self, on_gold: Consensus) -> None:
        rule = EscalateConfig(target=0.95, max_judgments=7)
        items = np.flatnonzero(on_gold.confidence < 0.9)
        low, high, both = (
            look_ahead(on_gold, items, rule, corrections=Corrections(stretches=stretches))
            for stretches in ((0.7,), (1.3,), (0.7, 1.3))
        )
        assert high.settled.mean() > low.settled.mean() + 0.1
        np.testing.assert_allclose(both.settled, (low.settled + high.settled) / 2)
        np.testing.assert_allclose(both.needed, (low.needed + high.needed) / 2)
        np.testing.assert_allclose(both.least_loss, low.least_loss, atol=1e-9)  # which label is best stays the same
        assert learnt(on_gold).stretches == pytest.approx((1 / 1.31, 1.31), rel=1e-3)

    def test_what_costs_fall_to_is_averaged_too(self, on_gold: Consensus) -> None:
        rule, costs = EscalateConfig(max_judgments=7), np.triu(np.ones((4, 4)), 1) + 5.0 * np.tril(np.ones((4, 4)), -1)
        items = np.flatnonzero(on_gold.confidence < 0.9)
        low, high, both = (
            look_ahead(on_gold, items, rule, costs=costs, corrections=Corrections(stretches=stretches))
            for stretches in ((0.5,), (2.0,), (0.5, 2.0))
        )
        assert np.abs(high.least_loss - low.least_loss).max() > 0.01
        np.testing.assert_allclose(both.least_loss, (low.least_loss + high.least_loss) / 2)

    def test_items_that_are_not_calibrated_do_not_change(self, result: Consensus) -> None:
        rule, items = EscalateConfig(target=0.95, max_judgments=7), np.arange(80)
        one, other = (
            look_ahead(result, items, rule, corrections=Corrections(stretches=stretches)).columns
            for stretches in ((1.0,), (0.5, 2.0))
        )
        np.testing.assert_array_equal(one, other)


class TestCorrections:
    def test_power(self) -> None:
        power = np.linspace(0.5, 0.2, 4)
        np.testing.assert_array_equal(Corrections(slope=1.5).power(power, 3), power)
        expected = [1.5 * 0.5**0.5 * one**0.5 for one in power]
        np.testing.assert_allclose(Corrections(slope=1.5).power(power, 3, calibrated=True), expected)

    def test_power_where_an_average_is_tempered_less_later(self) -> None:
        found = Corrections(rho=(0.4, 0.3))
        usual = Tempering(0.4).power(np.arange(3, 7))
        expected = [1 / 1.8, *(1 / (1 + 0.3 * more) for more in (3, 4, 5))]
        np.testing.assert_allclose(found.power(usual, 3), expected)

    def test_an_average_is_tempered_less_after_a_round(self) -> None:
        crowd = simulate(200, 12, 3, 3, accuracy=0.7, seed=1)
        few = fit(crowd.judgments, model="average")
        assert few.readings is not None
        assert learnt(few).kept == corrections.KEPT_OF_AVERAGE < corrections.KEPT
        rho = learnt(few, 0.999).rho
        asked = np.mean(few.confidence < 0.999)
        assert rho[:2] == pytest.approx([0.4, max(0.4 - 0.1 * asked, 0.3)])
        assert rho[-1] == pytest.approx(0.3)
        assert not learnt(few, 0.2).rho  # nothing is asked
        assert not learnt(fit(crowd.judgments, model="average", rho=0.4)).rho
        many = simulate(100, 12, 3, 5, accuracy=0.7, seed=1)
        assert not learnt(fit(many.judgments, model="average"), 0.999).rho

    def test_settled(self) -> None:
        found = Corrections(kept=0.6)
        assert [found.settled(n) for n in (0, 3, 4, 5, 9)] == pytest.approx([0.6, 0.6, 0.8, 1, 1])
        assert Corrections().settled(2) == 1.0

    def test_what_is_settled_of_calibrated_items_is_another_share(self) -> None:
        found = Corrections(kept=0.6, kept_calibrated=0.4)
        assert [found.settled(n, calibrated=True) for n in (2, 4, 5)] == pytest.approx([0.4, 0.7, 1])
        assert found.settled(2) == 0.6
        assert Corrections(kept=0.6).settled(2, calibrated=True) == 0.6

    def test_gold_tells_how_many_are_kept_of_an_average(self, on_gold: Consensus) -> None:
        gold = simulate(400, 40, 4, 3, accuracy=0.75, seed=1).truth_table(150)
        average = learnt(fit(on_gold.judgments, gold=gold, model="average"))
        assert average.slope > 1.1
        assert average.kept == corrections.KEPT_OF_AVERAGE
        assert average.kept_calibrated == pytest.approx(0.6 * np.sqrt(average.slope))
        alone = learnt(on_gold)
        assert alone.slope > 1.1
        assert alone.settled(3, calibrated=True) == alone.kept == corrections.KEPT
        without = learnt(fit(on_gold.judgments, model="average"))
        assert without.settled(3, calibrated=True) == without.kept == corrections.KEPT_OF_AVERAGE

    def test_only_calibrated_items_are_kept_as_gold_tells(self, on_gold: Consensus) -> None:
        told, rule = on_gold.calibration, EscalateConfig(target=0.95, max_judgments=7)
        assert told is not None
        assert told.items is not None
        half = replace(on_gold, calibration=replace(told, items=told.items & (np.arange(400) < 200)))
        items = np.flatnonzero((on_gold.confidence < 0.9) & (on_gold.judgments.per_item == 3))
        plain, kept = (look_ahead(half, items, rule, corrections=Corrections(kept_calibrated=k)) for k in (None, 0.5))
        assert plain.settled[items < 200].mean() > 0.1
        np.testing.assert_allclose(kept.settled[items < 200], plain.settled[items < 200] / 2)
        np.testing.assert_array_equal(kept.settled[items >= 200], plain.settled[items >= 200])
        np.testing.assert_array_equal(kept.priority, plain.priority)

    def test_hedge(self, result: Consensus) -> None:
        assert learnt(result).hedge == usual_hedge(3) == 0.5

    def test_judgments_needed_count_what_is_never_settled(self, result: Consensus) -> None:
        rule, items = EscalateConfig(target=0.95, max_judgments=7), np.arange(80)
        plain, kept = (look_ahead(result, items, rule, corrections=Corrections(kept=k)) for k in (1.0, 0.5))
        few = result.judgments.per_item <= 3
        np.testing.assert_allclose(kept.settled[few], plain.settled[few] / 2)
        left = 7 - result.judgments.per_item[few]
        np.testing.assert_allclose(kept.needed[few], (plain.needed[few] + left) / 2)
        assert (kept.high >= plain.high).all()


@pytest.mark.slow
def test_as_many_are_settled_as_foretold_where_items_are_hard() -> None:
    """Of 600 items that differ by 2 logits; without corrections .2 more are foretold than come."""
    crowd = draw(Recipe(n_items=600, n_labels=4, difficulty_sd=2.0, per_item=7.0), 0)
    rule = EscalateConfig(target=0.95, max_judgments=7)
    replay = Replay(crowd.table, start=3, seed=0, threads=1)
    foretold: list[float] = []
    plain: list[float] = []
    for step in replay:
        result = step.result
        settled = (result.confidence >= 0.95) & (result.judgments.per_item >= rule.min_judgments)
        if not foretold:
            chosen = np.flatnonzero(~settled)
            foretold.append(look_ahead(result, chosen, rule).settled.mean())
            plain.append(look_ahead(result, chosen, rule, corrections=Corrections()).settled.mean())
        replay.ask_codes(np.flatnonzero(~settled))
    came = settled[chosen].mean()
    assert foretold[0] == pytest.approx(came, abs=0.1)
    assert plain[0] - came > 0.1


def foretold_and_came(
    crowd: Simulation, ahead: Callable[[Consensus, Codes], list[LookAhead]], model: Model = "dawid_skene"
) -> Shares:
    """Share settled of items without gold, 100 of the others being gold: as looked ahead for, and as it came."""
    rule, foretold = EscalateConfig(target=0.95, max_judgments=7), list[float]()
    replay = Replay(crowd.judgments, start=3, seed=0, threads=1, gold=crowd.truth_table(100), model=model)
    for step in replay:
        result = step.result
        assert result.gold is not None
        assert result.gold_posterior is not None
        sure = result.confidence.copy()
        sure[result.gold.items] = result.gold_posterior.max(axis=1)
        settled = (sure >= rule.target) & (result.judgments.per_item >= rule.min_judgments)
        if not foretold:
            chosen = np.setdiff1d(np.flatnonzero(~settled), result.gold.items)
            foretold = [float(one.settled.mean()) for one in ahead(result, chosen)]
        replay.ask_codes(np.flatnonzero(~settled))
    return foretold, float(settled[chosen].mean())


@pytest.mark.slow
def test_as_many_are_settled_as_foretold_with_gold() -> None:
    """Of 400 items whose judges err alone, 100 of them gold; as if not calibrated, hardly any are foretold."""

    def ahead(result: Consensus, items: Codes) -> list[LookAhead]:
        rule = EscalateConfig(target=0.95, max_judgments=7)
        return [look_ahead(one, items, rule) for one in (result, replace(result, calibration=None))]

    foretold, came = foretold_and_came(simulate(400, 40, 2, 7, accuracy=0.7, seed=0), ahead)
    assert foretold[0] == pytest.approx(came, abs=0.1)
    assert came - foretold[1] > 0.2


@pytest.mark.slow
def test_as_many_are_settled_as_an_average_foretells_with_gold() -> None:
    """As above, with four labels; of what other crowds have in common alone, fewer are foretold."""

    def ahead(result: Consensus, items: Codes) -> list[LookAhead]:
        rule, found = EscalateConfig(target=0.95, max_judgments=7), learnt(result)
        ways = (found, replace(found, kept_calibrated=None))
        return [look_ahead(result, items, rule, corrections=one) for one in ways]

    foretold, came = foretold_and_came(simulate(400, 40, 4, 7, accuracy=0.6, seed=1), ahead, model="average")
    assert foretold[0] == pytest.approx(came, abs=0.1)
    assert came - foretold[1] > 0.15
