"""A fit beside gold: when it is calibrated, that it has not seen gold, and what follows for labels and workers."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from consensus import fit, simulate
from consensus.calibration import vector_scaling
from consensus.calibration.vector_scaling import Belief, Known
from consensus.found.calibration import LEAST_GOLD
from consensus.found.posterior import DensePosterior, SparsePosterior
from consensus.found.result import Consensus
from consensus.inputs.vocabulary import hashed
from consensus.models import beside_gold, calibrating, layout
from consensus.report import words
from consensus.runs import Run
from consensus.simulation import simulate_votes
from consensus.worker_audit import fit_without_copies
from tests import naive
from tests.strategies import encoded

ONE = "dawid_skene"
pytestmark = pytest.mark.compiled


def crowd(n_items: int = 300, n_labels: int = 3, seed: int = 1) -> Any:
    """A crowd whose judgments of an item err together: copies of a few of them."""
    drawn = simulate(n_items, 12, n_labels, 3, accuracy=0.7, seed=seed)
    table = drawn.judgments_table()
    return drawn, pd.concat([table, table.assign(worker=table["worker"] + "b")], ignore_index=True)


@pytest.fixture(scope="module")
def drawn() -> Any:
    return crowd()


@pytest.fixture(scope="module")
def calibrated(drawn: Any) -> Consensus:
    return fit(drawn[1], gold=drawn[0].truth_table(60, 1), model=ONE)


def why(result: Consensus) -> str | None:
    assert result.calibration is not None
    return result.calibration.left_out


class TestWhen:
    def test_from_25_judged_gold_items_on(self, drawn: Any) -> None:
        simulated, table = drawn
        few, enough = (fit(table, gold=simulated.truth_table(n, 1), model=ONE) for n in (24, 25))
        assert LEAST_GOLD == 25
        assert why(few) == "24 gold items that were judged are too few to calibrate on (25 are needed)"
        assert why(enough) is None
        assert enough.calibration is not None
        assert enough.calibration.n_gold == 25
        silent = table[~table["item"].isin(simulated.truth_table(25, 1)["item"].iloc[:1])]
        assert "24 gold items" in str(why(fit(silent, gold=simulated.truth_table(25, 1), model=ONE)))
        one = fit(table, gold=simulated.truth_table(1, 1), model=ONE)
        assert str(why(one)).startswith("1 gold item that was judged is too few")

    def test_below_gold_is_clamped_as_it_is_where_nobody_wants_it(self, drawn: Any) -> None:
        simulated, table = drawn
        gold = simulated.truth_table(40, 1)
        clamped = fit(table, gold=gold, model=ONE, calibration="none")
        named = fit(table, gold=gold, model=ONE, rho=clamped.rho)
        assert why(clamped) == "--calibration none was given"
        assert why(named) == "--rho says how confidences are made (--calibration gold calibrates them besides)"
        np.testing.assert_array_equal(clamped.posterior, named.posterior)
        both = fit(table, gold=gold, model=ONE, rho=clamped.rho, calibration="gold")
        assert why(both) is None
        assert set(clamped.starts) == {"majority", "gold"}

    def test_where_nothing_can_be_calibrated(self, drawn: Any) -> None:
        simulated, table = drawn
        gold = simulated.truth_table(40, 1)
        assert why(fit(table, gold=gold, model="majority_vote")) == "a majority vote counts everybody alike"
        same = table.assign(label="l")
        assert why(fit(same, gold=gold.assign(label="l"), model=ONE)) == "there is one label only"

    def test_without_gold_nothing_is_said_of_it(self, drawn: Any) -> None:
        assert fit(drawn[1], model=ONE).calibration is None

    def test_gold_that_nobody_judged(self) -> None:
        rows = [(f"i{i:02}", f"w{w}", "ab"[i % 2]) for i in range(60) for w in range(3)]
        result = fit(encoded([*rows, ("silent", "w0", None)]), gold={"item": ["silent"], "label": ["a"]}, model=ONE)
        assert str(why(result)).startswith("0 gold items that were judged")


class TestUnaided:
    @pytest.mark.parametrize("model", ["average", "dawid_skene", "majority_vote"])
    @pytest.mark.parametrize("n_gold", [5, 40])
    def test_is_the_fit_without_gold_to_the_bit(self, drawn: Any, model: Any, n_gold: int) -> None:
        simulated, table = drawn
        result = fit(table, gold=simulated.truth_table(n_gold, 2), model=model)
        assert result.unaided is not None
        np.testing.assert_array_equal(result.unaided.dense(slice(None)), fit(table, model=model).posterior)

    @pytest.mark.compiled
    @pytest.mark.parametrize("model", ["average", "dawid_skene"])
    @pytest.mark.parametrize("seed", [0, 8])
    def test_does_not_depend_on_what_gold_says_where_workers_copy(self, seed: int, model: Any) -> None:
        """In these two crowds gold would decide who copies whom, if it were asked."""
        simulated = simulate(200, 12, 2, 4, accuracy=0.75, seed=seed)
        table, rng = simulated.judgments_table(), np.random.default_rng(seed)
        copied = table[table["worker"] == table["worker"].iloc[0]]
        other = copied["label"].map({"label_0": "label_1", "label_1": "label_0"})
        copied = copied.assign(worker="copier", label=copied["label"].where(rng.random(len(copied)) >= 0.1, other))
        table = pd.concat([table, copied], ignore_index=True)
        gold, rng = simulated.truth_table(80, 1), np.random.default_rng(seed)
        mixed_up = gold.assign(label=rng.permutation(gold["label"].to_numpy()))
        told = [
            fit_without_copies(table, gold=one, collusion="merge", model=model, calibration=calibration)
            for one in (gold, mixed_up)
            for calibration in ("gold", "none")
        ]
        assert told[0].posterior.tobytes() != told[2].posterior.tobytes()
        for result in told[1:]:
            assert result.copies is not None
            assert told[0].copies is not None
            assert result.copies.group.tolist() == told[0].copies.group.tolist()
            assert result.unaided is not None
            assert told[0].unaided is not None
            assert result.unaided.dense(slice(None)).tobytes() == told[0].unaided.dense(slice(None)).tobytes()

    def test_nothing_is_searched_that_gold_decides(self, drawn: Any) -> None:
        simulated, table = drawn
        told: list[str] = []
        result = fit(table, gold=simulated.truth_table(40), model=ONE, progress=lambda stage, *_: told.append(stage))
        assert "fitting the opposite" not in told
        assert told[-1] == "calibrating on gold"
        codes = {one.code for one in result.warnings}
        assert not codes & {"unaudited", "switch_risk"}


class TestPosterior:
    def test_scaled_as_gold_asks(self, drawn: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        simulated, table = drawn
        gold = simulated.truth_table(60, 1)
        fits = {name: needs for name, needs in calibrating.CANDIDATES.items() if name == "fit"}
        monkeypatch.setattr(calibrating, "CANDIDATES", fits)
        result = fit(table, gold=gold, model=ONE)
        assert result.unaided is not None
        assert result.gold is not None
        x = vector_scaling.centred(result.unaided.dense(slice(None)))[None]
        beliefs = [Belief(np.ones(1), np.array([s]), t) for s in (0.15, 0.5) for t in calibrating.T]
        items, accepted = result.gold.items, result.gold.accepted
        average = vector_scaling.averaged(Known.of_labels(x[:, items], accepted), beliefs)
        others = np.setdiff1d(np.arange(300), items)
        np.testing.assert_allclose(result.posterior[others], average.predicted(x[:, others]), rtol=1e-9, atol=1e-15)
        np.testing.assert_array_equal(result.posterior[items], accepted)
        ids = result.judgments.item_ids.to_pylist()
        fold = np.array([int(one) % 5 for one in hashed(result.judgments.item_ids).tolist()])[items]
        assert len(ids) == 300
        assert result.gold_posterior is not None
        for f in range(5):
            known = Known.of_labels(x[:, items[fold != f]], accepted[fold != f])
            expected = vector_scaling.averaged(known, beliefs).predicted(x[:, items[fold == f]])
            np.testing.assert_allclose(result.gold_posterior[fold == f], expected, rtol=1e-9, atol=1e-15)
        assert result.calibration is not None
        assert result.calibration.weights == {"fit": pytest.approx(1.0)}

    def test_a_gold_item_has_no_say_in_its_own_confidence(self, drawn: Any, calibrated: Consensus) -> None:
        gold = drawn[0].truth_table(60, 1)
        labels = calibrated.judgments.labels
        gold.loc[7, "label"] = labels[(labels.index(gold.loc[7, "label"]) + 1) % 3]
        other = fit(drawn[1], gold=gold, model=ONE)
        assert calibrated.gold is not None
        ids = np.array(calibrated.judgments.item_ids.to_pylist())[calibrated.gold.items]
        fold = np.array([int(one) % 5 for one in hashed(calibrated.judgments.item_ids).tolist()])[calibrated.gold.items]
        same = fold == fold[ids == gold.loc[7, "item"]]
        before, after = calibrated.gold_posterior, other.gold_posterior
        assert before is not None
        assert after is not None
        np.testing.assert_array_equal(before[same], after[same])
        assert (before[~same] != after[~same]).any(axis=1).all()

    def test_several_accepted_labels(self, drawn: Any) -> None:
        simulated, table = drawn
        gold = simulated.truth_table(60, 1)
        labels = [f"{name}" for name in sorted(set(gold["label"]))]
        more = pd.concat([gold, gold.iloc[:20].assign(label=labels[0]), gold.iloc[:20].assign(label=labels[1])])
        result = fit(table, gold=more.drop_duplicates(), model=ONE)
        assert result.gold is not None
        assert (result.gold.accepted.sum(axis=1) > 1).sum() == 20
        found = result.posterior[result.gold.items]
        np.testing.assert_allclose(found.sum(axis=1), 1.0)
        assert (found[~result.gold.accepted] == 0).all()
        assert why(result) is None

    def test_threads_and_blocks_change_nothing(
        self, drawn: Any, calibrated: Consensus, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(calibrating, "BLOCK", 30)
        monkeypatch.setattr(beside_gold, "BLOCK", 30)
        other = fit(drawn[1], gold=drawn[0].truth_table(60, 1), model=ONE, threads=3)
        np.testing.assert_array_equal(other.posterior, calibrated.posterior)
        np.testing.assert_allclose(other.prior_shares, calibrated.prior_shares)

    def test_very_much_gold_is_thinned(self, drawn: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        simulated, table = drawn
        every = fit(table, gold=simulated.truth_table(200, 1), model=ONE)
        monkeypatch.setattr(calibrating, "MOST_CELLS", 300)
        some = fit(table, gold=simulated.truth_table(200, 1), model=ONE)
        assert not np.array_equal(every.posterior, some.posterior)
        np.testing.assert_allclose(every.posterior, some.posterior, atol=0.2)

    def test_many_labels_are_only_stretched(self, drawn: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(calibrating, "MOST_INTERCEPTS", 2)
        result = fit(drawn[1], gold=drawn[0].truth_table(60, 1), model=ONE)
        assert result.calibration is not None
        assert not result.calibration.by_label
        (line,) = words.calibration(result.calibration.in_short(result.judgments.labels))
        assert "; there are too many labels to correct each by itself, so all are corrected alike; " in line

    def test_what_it_changed(self, calibrated: Consensus) -> None:
        told = calibrated.calibration
        assert told is not None
        assert told.overstated is not None
        assert calibrated.unaided is not None
        assert calibrated.gold is not None
        others = np.setdiff1d(np.arange(300), calibrated.gold.items)
        before, after = calibrated.unaided.dense(others), calibrated.posterior[others]
        np.testing.assert_allclose(told.overstated, (before - after).mean(axis=0), atol=1e-12)
        assert told.relabelled == (before.argmax(axis=1) != after.argmax(axis=1)).sum()
        assert sum(told.weights.values()) == pytest.approx(1.0)
        np.testing.assert_allclose(calibrated.prior_shares, (calibrated.posterior.sum(axis=0) + 1) / 303)

    def test_confidence_is_better_so_where_judgments_err_together(self) -> None:
        simulated, table = crowd(2000)
        gold = simulated.truth_table(100, 1)
        result = fit(table, gold=gold, model=ONE)
        assert result.unaided is not None
        own = ~np.isin(result.judgments.item_ids.to_pylist(), gold["item"])
        before, after = (
            -np.log(z[own, simulated.truth[own]]).mean() for z in (result.unaided.dense(slice(None)), result.posterior)
        )
        assert after < 0.99 * before


class TestWorkers:
    def test_rated_by_one_m_step_of_what_comes_of_it(self, calibrated: Consensus) -> None:
        judgments = calibrated.judgments
        power = calibrated.tempering.power(judgments.per_item)
        logs = np.log(np.maximum(calibrated.posterior, 1e-300)) / power[:, None]
        untempered = np.exp(logs - logs.max(axis=1, keepdims=True))
        untempered /= untempered.sum(axis=1, keepdims=True)
        N = naive.counts(judgments, untempered)
        np.testing.assert_allclose(calibrated.confusions.dense_counts(), N, rtol=1e-8, atol=1e-8)
        assert calibrated.gold is not None
        np.testing.assert_allclose(untempered[calibrated.gold.items], calibrated.gold.accepted, atol=1e-12)

    def test_silences_still_count(self) -> None:
        rng = np.random.default_rng(1)
        truth = rng.integers(0, 3, 300)
        rows = [
            (f"i{i:03}", f"w{w}", f"l{k if rng.random() < 0.8 else rng.integers(3)}")
            for i, k in enumerate(truth.tolist())
            for w in range(3)
        ]
        rows += [(f"i{i:03}", "rule", "l0") for i, k in enumerate(truth.tolist()) if k == 0 and rng.random() < 0.8]
        gold = {"item": [f"i{i:03}" for i in range(40)], "label": [f"l{k}" for k in truth[:40].tolist()]}
        result = fit(encoded(rows), gold=gold, model=ONE)
        assert result.one_label is not None
        assert result.confusions.silences is not None
        assert result.confusions.silences.sum() > 50
        rated, said = result.confusions.per_row(), np.bincount(result.row, minlength=len(result.confusions.row_label))
        np.testing.assert_allclose(rated, said, atol=1e-6)


def switched(seed: int = 3, n_items: int = 300) -> tuple[Any, NDArray[np.int64]]:
    """Three good workers, five adversaries, two spammers."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(2, size=n_items)
    accuracy = np.array([0.9] * 3 + [0.2] * 5 + [0.5] * 2)
    answers = np.where(rng.random((n_items, 10)) < accuracy, truth[:, None], 1 - truth[:, None])
    rows = [(f"i{i:03}", f"w{w}", f"l{answers[i, w]}") for i in range(n_items) for w in range(10)]
    return encoded(rows), truth


class TestSwitchedLabels:
    @pytest.mark.parametrize("model", ["average", "dawid_skene"])
    def test_gold_rights_them(self, model: Any) -> None:
        judgments, truth = switched()
        gold = {"item": [f"i{i:03}" for i in range(30)], "label": [f"l{k}" for k in truth[:30]]}
        result = fit(judgments, gold=gold, model=model)
        assert why(result) is None
        assert (result.consensus_label == truth).mean() > 0.95
        assert set(result.starts) == {"majority", "gold"}
        assert result.unaided is not None
        assert (result.unaided.dense(slice(None)).argmax(axis=1) == truth).mean() < 0.1
        if result.readings is not None:
            assert ((result.readings.label == truth).mean(axis=1) > 0.9).all()

    def test_of_many_judgments_only_where_gold_shows_a_sign(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(beside_gold, "MOST_TRIED", 0)
        judgments, truth = switched()
        gold = {"item": [f"i{i:03}" for i in range(30)], "label": [f"l{k}" for k in truth[:30]]}
        assert (fit(judgments, gold=gold, model=ONE).consensus_label == truth).mean() > 0.95
        simulated, table = crowd()
        told: list[str] = []
        result = fit(table, gold=simulated.truth_table(40), model=ONE, progress=lambda stage, *_: told.append(stage))
        assert "fitting from gold" not in told
        assert set(result.starts) == {"majority"}

    def test_another_optimum_counts_only_where_gold_agrees_with_it(
        self, drawn: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        simulated, table = drawn
        gold = simulated.truth_table(60, 1)
        for otherwise, better, starts in (
            (0.02, True, {"majority"}),
            (-1.0, False, {"majority"}),
            (-1.0, True, {"majority", "gold"}),
        ):
            monkeypatch.setattr(beside_gold, "OTHERWISE", otherwise)
            monkeypatch.setattr(beside_gold, "_is_better", lambda *_, better=better: better)
            assert set(fit(table, gold=gold, model=ONE).starts) == starts

    def test_clearly_more_gold(self) -> None:
        assert beside_gold._is_better(9, 1)
        assert not beside_gold._is_better(7, 3)
        assert not beside_gold._is_better(0, 0)


class TestOneJudgmentAnItem:
    def test_a_fit_with_gold_is_calibrated(self) -> None:
        rng = np.random.default_rng(1)
        truth = rng.integers(0, 2, 600)
        right = np.repeat([0.95, 0.6], 300)[np.arange(600) % 600]
        worker = np.where(np.arange(600) < 300, "good", "poor")
        label = np.where(rng.random(600) < right, truth, 1 - truth)
        rows = [(f"i{i:03}", str(worker[i]), f"l{label[i]}") for i in range(600)]
        gold = {"item": [f"i{i:03}" for i in range(0, 600, 6)], "label": [f"l{k}" for k in truth[::6].tolist()]}
        result = fit(encoded(rows), gold=gold)
        told = result.calibration
        assert told is not None
        assert told.saw_gold
        assert set(told.weights) == {"clamped"}
        others = np.arange(600) % 6 > 0
        sure = result.confidence[others]
        assert sure[: len(sure) // 2].mean() > sure[len(sure) // 2 :].mean() + 0.02
        assert result.unaided is not None
        np.testing.assert_array_equal(result.unaided.dense(slice(None)).argmax(axis=1), label)
        assert result.identified

    def test_not_with_very_many_labels(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(layout, "FEW_LABELS", 0)
        monkeypatch.setattr(layout, "MOST_CELLS", 0)
        rows = [(f"i{i:03}", f"w{i % 5}", f"l{i % 7}") for i in range(100)]
        gold = {"item": [f"i{i:03}" for i in range(40)], "label": [f"l{i % 7}" for i in range(40)]}
        result = fit(encoded(rows), gold=gold)
        assert why(result) == "no item has two judgments, and labels are too many to weigh all of them"


class TestVeryManyLabels:
    def test_only_stretched(self, monkeypatch: pytest.MonkeyPatch) -> None:
        simulated, table = crowd(n_labels=40)
        monkeypatch.setattr(layout, "FEW_LABELS", 0)
        monkeypatch.setattr(layout, "MOST_CELLS", 0)
        gold = simulated.truth_table(60, 1)
        rare = sorted(set(table["label"]))[0]
        gold.loc[0, "label"] = rare  # which nobody gave this item
        assert rare not in set(table.loc[table["item"] == gold.loc[0, "item"], "label"])
        result = fit(table, gold=gold, model=ONE)
        assert isinstance(result.beliefs, SparsePosterior)
        assert isinstance(result.unaided, SparsePosterior)
        assert result.calibration is not None
        assert (result.calibration.by_label, set(result.calibration.weights)) == (False, {"fit"})
        assert result.gold is not None
        posterior, before = result.posterior, result.unaided.dense(slice(None))
        np.testing.assert_allclose(posterior.sum(axis=1), 1.0)
        np.testing.assert_allclose(posterior[result.gold.items], result.gold.accepted)
        others = np.setdiff1d(np.arange(300), result.gold.items)
        np.testing.assert_array_equal(posterior[others].argmax(axis=1), before[others].argmax(axis=1))
        x = vector_scaling.centred(before)[None]
        beliefs = [Belief(np.ones(1), np.array([s]), None) for s in (0.15, 0.5)]
        known = Known.of_labels(x[:, result.gold.items], result.gold.accepted)
        average = vector_scaling.averaged(known, beliefs)
        np.testing.assert_allclose(posterior[others], average.predicted(x[:, others]), rtol=1e-6, atol=1e-12)
        assert result.gold_posterior is not None
        np.testing.assert_allclose(result.gold_posterior.sum(axis=1), 1.0)
        assert result.calibration.overstated is not None
        moved = (before[others] - posterior[others]).mean(axis=0)
        np.testing.assert_allclose(result.calibration.overstated, moved, atol=1e-9)

    def test_workers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        simulated, table = crowd(n_labels=40)
        monkeypatch.setattr(layout, "FEW_LABELS", 0)
        monkeypatch.setattr(layout, "MOST_CELLS", 0)
        result = fit(table, gold=simulated.truth_table(60, 1), model=ONE)
        judgments, cells = result.judgments, result.confusions
        power = result.tempering.power(judgments.per_item)
        logs = np.log(np.maximum(result.posterior, 1e-300)) / power[:, None]
        untempered = np.exp(logs - logs.max(axis=1, keepdims=True))
        untempered /= untempered.sum(axis=1, keepdims=True)
        N = naive.counts(judgments, untempered)
        found, listed = cells.dense_counts(), np.zeros(N.shape, np.bool_)
        listed[cells.worker, cells.true, cells.label] = True
        np.testing.assert_allclose(found[listed], N[listed], atol=1e-4)  # other labels are missed, not counted
        assert cells.missed is not None
        np.testing.assert_allclose(cells.missed.sum() + found.sum(), judgments.n_judgments)


class TestModels:
    def test_a_panel_without_people(self) -> None:
        simulated = simulate(400, 5, 2, 3, accuracy=0.8, seed=1)
        votes = simulate_votes(simulated, 5, accuracy=0.75, soft=False, seed=1)
        gold = simulated.truth_table(60, 1)
        result = fit(None, model_votes=votes, gold=gold)
        told = result.calibration
        assert told is not None
        assert set(told.weights) <= {"votes", "fit and votes", "each model", "fit and each model"}
        assert sum(told.weights.values()) == pytest.approx(1.0)
        assert told.n_gold == 60
        assert result.unaided is not None
        np.testing.assert_array_equal(result.unaided.dense(slice(None)), fit(None, model_votes=votes).posterior)
        assert result.models is not None
        assert result.models.known.all()  # they have met gold

    def test_a_model_weighs_as_gold_says(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Four models share their mistakes and outvote a fifth that is better; a sixth says the opposite of it."""
        rng = np.random.default_rng(1)
        truth = rng.integers(2, size=2000)
        shared = np.where(rng.random(2000) < 0.25, 1 - truth, truth)
        said = [np.where(rng.random(2000) < 0.05, 1 - shared, shared) for _ in range(4)]
        best = np.where(rng.random(2000) < 0.08, 1 - truth, truth)
        opposite = np.where(rng.random(2000) < 0.1, best, 1 - best)
        ids, labels = np.array([f"i{i:04}" for i in range(2000)]), np.array(["x", "y"])
        rows = [
            pd.DataFrame({"item": ids, "model": f"m{m}", "label": labels[one]})
            for m, one in enumerate([*said, best, opposite])
        ]
        votes, gold = pd.concat(rows), pd.DataFrame({"item": ids[:300], "label": labels[truth[:300]]})
        result = fit(None, model_votes=votes, gold=gold)
        assert result.calibration is not None
        assert sum(result.calibration.weights[one] for one in ("each model", "fit and each model")) > 0.99
        monkeypatch.setattr(calibrating, "MOST_MODELS", 5)
        alike = fit(None, model_votes=votes, gold=gold)
        assert alike.calibration is not None
        assert set(alike.calibration.weights) <= {"votes", "fit and votes"}
        right = [(one.posterior.argmax(axis=1) == truth)[300:].mean() for one in (result, alike)]
        assert right[0] > right[1] + 0.05

    def test_what_one_model_says(self) -> None:
        simulated = simulate(50, 5, 3, 3, seed=1)
        votes = simulate_votes(simulated, 2, accuracy=0.75, soft=False, seed=1)
        models = fit(None, model_votes=votes).models
        assert models is not None
        known = models.votes
        other = replace(known, model=known.model[1:], item=known.item[1:], label=known.label[1:])
        one, two = calibrating.of_models("model", other, 3)
        every = np.arange(50)
        assert one.of(every[:1]).tolist() == [[0, 0, 0]]
        label = known.label[(known.model == 0) & (known.item > 0)]
        assert one.of(every[1:]).tolist() == (np.eye(3)[label] - 1).tolist()
        assert two.of(every[::-1]).tolist() == (np.eye(3)[known.label[known.model == 1]] - 1)[::-1].tolist()

    def test_probabilities_that_only_gold_vouches_for(self) -> None:
        simulated = simulate(400, 5, 2, 3, accuracy=0.8, seed=1)
        votes = simulate_votes(simulated, 2, accuracy=0.8, soft=True, seed=1)
        result = fit(None, model_votes=votes, gold=simulated.truth_table(100, 1))
        assert result.calibration is not None
        assert "clamped" in result.calibration.weights

    def test_items_of_people_and_of_models_alone_each_by_their_own(self) -> None:
        simulated, table = crowd(600)
        ids = sorted(set(table["item"]))
        people = table[table["item"].isin(ids[:300])]
        votes = simulate_votes(simulated, 3, accuracy=0.8, soft=False, seed=1)
        gold = simulated.truth_table()
        both = gold[gold["item"].isin([*ids[:40], *ids[300:340]])]
        result = fit(people, model_votes=votes, gold=both)
        assert result.calibration is not None
        assert result.calibration.n_gold == 80
        assert result.calibration.items is not None
        assert result.calibration.items.all()
        one = fit(people, model_votes=votes, gold=gold[gold["item"].isin(ids[:40])])
        assert one.calibration is not None
        assert one.calibration.items is not None
        assert one.calibration.items.sum() == 300
        assert one.unaided is not None
        assert isinstance(one.unaided, DensePosterior)
        alone = one.judgments.per_item == 0
        np.testing.assert_array_equal(one.posterior[alone], one.unaided.table[alone])


class TestWords:
    def test_calibrated(self, drawn: Any) -> None:
        simulated, table = drawn
        found = Run.of(fit(table, gold=simulated.truth_table(60, 1), model=ONE))
        (line,) = [one for one in words.lines(found) if one.startswith("confidences are ")]
        told = found.summary["convergence"]["calibration"]
        assert line.startswith("confidences are calibrated on 60 judged gold items (")
        assert line.endswith(" (--calibration none turns it off)")
        assert found.summary["convergence"]["confidence_by"] == "gold"
        for name in told["weights"]:
            assert words.CALIBRATED[name] in line

    def test_not_calibrated(self, drawn: Any) -> None:
        simulated, table = drawn
        found = Run.of(fit(table, gold=simulated.truth_table(10, 1), model=ONE))
        assert (
            "confidences are not calibrated on gold: 10 gold items that were judged are too few to calibrate on (25 "
            "are needed)"
        ) in words.lines(found)
        assert found.summary["convergence"]["confidence_by"] == "design effect"

    def test_what_was_over_and_under_stated(self) -> None:
        told = {
            "gold_items": 30,
            "fitted": True,
            "left_out": None,
            "weights": {"fit": 0.25, "both": 0.75},
            "overstated": {"a": 0.041, "b": 0.011, "c": 0.02, "d": 0.006, "e": -0.076, "f": -0.002},
            "relabelled": 1,
            "by_label": True,
            "not_reached": 0,
        }
        assert words.calibration(told) == [
            "confidences are calibrated on 30 judged gold items (weights: the fit without gold .25, that fit with "
            "worker-weighted votes .75); stated too often: a by 4.1, c by 2.0, b by 1.1 and 1 more points; stated too "
            "seldom: e by 7.6 points; it changes the label of 1 item (--calibration none turns it off)"
        ]
        assert words.calibration(None) == []
