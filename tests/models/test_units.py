"""Weights, clusters and judgments with weights of their own, through whole fits."""

import hashlib
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from consensus import simulate
from consensus.backends import Threads
from consensus.calibration import vector_scaling
from consensus.calibration.vector_scaling import Belief, Known
from consensus.config import EscalateConfig, FitConfig
from consensus.errors import ConfigError
from consensus.found.calibration import N_FOLDS
from consensus.found.posterior import DensePosterior
from consensus.found.result import Consensus
from consensus.found.units import Units
from consensus.guarantees import certified, plan_gold
from consensus.guarantees.shares_table import SharesTable
from consensus.inputs.judgments import Judgments
from consensus.inputs.model_votes import ModelVotes
from consensus.inputs.vocabulary import hashed
from consensus.kernels import weighted_em
from consensus.models import beside_gold, held_out_rho, layout, rated, switching, units
from consensus.models.base import Execution, fit
from consensus.models.problem import Problem
from consensus.models.splits import Splits
from consensus.simulation import simulate_votes
from tests.clustered_crowds import Clustered, repeated, unclustered
from tests.strategies import encoded, voted

ONE = Execution(Threads(1))
SMALL = Clustered(n_clusters=40, per_cluster=5, n_workers=8, per_item=3)
PATTERNS = Clustered(n_clusters=30, per_cluster=4, n_workers=6, per_item=3, n_labels=5)


def thrice(crowd: Clustered, seed: int, clusters: bool) -> tuple[Judgments, Judgments, np.ndarray]:
    """Judgments with weights of 1 to 4, the same with every item as often, and which item each copy is of."""
    judgments = crowd.drawn(seed)[0]
    judgments = judgments if clusters else unclustered(judgments)
    times = np.random.default_rng(seed).integers(1, 5, judgments.n_items)
    copies, of = repeated(judgments, times)
    return replace(judgments, weight=times.astype(float)), copies, of


def golden(judgments: Judgments, truth: np.ndarray, items: np.ndarray) -> dict[str, str]:
    return {judgments.item_ids[int(i)].as_py(): judgments.labels[int(truth[int(i)])] for i in items}


def assert_same(one: Consensus, other: Consensus, of: np.ndarray) -> None:
    """All numbers but those of items: ``other`` has every item of ``one`` as often as ``of`` says."""
    np.testing.assert_allclose(one.posterior[of], other.posterior, atol=1e-9)
    assert np.array_equal(one.consensus_label[of], other.consensus_label)
    np.testing.assert_allclose(one.confusions.counts, other.confusions.counts, atol=1e-9)
    np.testing.assert_allclose(one.confusions.pseudo_counts, other.confusions.pseudo_counts, atol=1e-9)
    np.testing.assert_allclose(one.prior_shares, other.prior_shares, atol=1e-9)
    assert one.convergence.iterations == other.convergence.iterations
    np.testing.assert_allclose(one.convergence.objective, other.convergence.objective, rtol=1e-9)
    assert [w.code for w in one.warnings] == [w.code for w in other.warnings]


class TestWeightThreeIsTheItemThreeTimes:
    @pytest.mark.parametrize("clusters", [False, True])
    @pytest.mark.parametrize("prior", ["learnt", "fixed", "none"])
    def test_without_gold(self, prior: str, clusters: bool) -> None:
        one, other, of = thrice(SMALL, 1, clusters)
        found, copied = (fit(j, model="dawid_skene", prior=prior) for j in (one, other))
        assert_same(found, copied, of)
        assert found.units is not None
        if clusters:
            assert copied.units is not None
            assert found.units.n_eff == pytest.approx(copied.units.n_eff, rel=1e-9)
            assert 1.0 < (found.units.n_eff or 0.0) < 100.0

    @pytest.mark.parametrize("clusters", [False, True])
    def test_with_gold_clamped(self, clusters: bool) -> None:
        one, other, of = thrice(SMALL, 2, clusters)
        truth = SMALL.drawn(2)[1]
        items = np.arange(0, one.n_items, 7)
        copies = np.flatnonzero(np.isin(of, items))
        found = fit(one, gold=golden(one, truth, items), model="dawid_skene", calibration="none")
        copied = fit(other, gold=golden(other, truth[of], copies), model="dawid_skene", calibration="none")
        assert_same(found, copied, of)
        assert set(found.starts or {}) == {"majority", "gold"}

    def test_by_majority(self) -> None:
        one, other, of = thrice(SMALL, 3, clusters=True)
        found, copied = (fit(j, model="majority_vote") for j in (one, other))
        assert_same(found, copied, of)

    @pytest.mark.parametrize("clusters", [False, True])
    def test_with_very_many_labels(self, clusters: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(layout, "weighs_all_labels", lambda *_: False)
        one, other, of = thrice(PATTERNS, 4, clusters)
        found, copied = (fit(j, model="dawid_skene") for j in (one, other))
        np.testing.assert_allclose(found.posterior[of], copied.posterior, atol=1e-9)
        np.testing.assert_allclose(found.confusions.counts, copied.confusions.counts, atol=1e-9)
        np.testing.assert_allclose(found.convergence.objective, copied.convergence.objective, rtol=1e-9)

    def test_rated_by_other_posteriors_of_very_many_labels(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(layout, "weighs_all_labels", lambda *_: False)
        one, other, _ = thrice(PATTERNS, 4, clusters=False)
        found, copied = (
            rated.by(result, result.beliefs, np.full(result.judgments.n_items, 0.5), ONE.backend)
            for result in (fit(j, model="dawid_skene") for j in (one, other))
        )
        assert found.missed is not None
        assert copied.missed is not None
        assert copied.missed.max() > 0.01
        np.testing.assert_allclose(found.counts, copied.counts, atol=1e-9)
        np.testing.assert_allclose(found.missed, copied.missed, atol=1e-9)

    def test_shares_of_what_people_judged_beside_models(self) -> None:
        one, other, of = thrice(SMALL, 5, clusters=False)
        z = np.random.default_rng(1).dirichlet(np.ones(3), one.n_items)
        masses: list[Any] = []
        for judgments, table in ((one, z), (other, z[of])):
            known = judgments.subset(judgments.label != judgments.label[0])  # leaves some items to models alone
            assert 0 < (known.per_item == 0).sum() < known.n_items
            problem: Any = SimpleNamespace(judgments=known, votes=True, units=units.of(known, ONE.backend))
            estimate: Any = SimpleNamespace(beliefs=lambda *_, table=table: DensePosterior(table))
            masses.append(switching._mass_of_judged(problem, estimate, ONE.backend))
        np.testing.assert_allclose(masses[0], masses[1])

    def test_patterns_of_votes_are_all_pixels_of_a_picture(self) -> None:
        """A disc and a bar, painted by five who shift, grow and miss parts; some leave pixels out."""
        y, x = np.mgrid[:24, :30]
        rng = np.random.default_rng(0)
        masks = np.empty((5, 24, 30), int)
        for w, (shift, radius) in enumerate([(0, 7.0), (1, 7.5), (0, 8.5), (-1, 6.0), (2, 7.0)]):
            masks[w] = np.where((y - 11) ** 2 + (x - 10 - shift) ** 2 < radius**2, 1, 0)
            masks[w, 3 + w % 3 : 9, 20:26] = 2
            masks[w][rng.random((24, 30)) < 0.02] = 2
        masks[4, :, 25:] = -1
        votes = masks.reshape(5, -1).T
        patterns, of, areas = np.unique(votes, axis=0, return_inverse=True, return_counts=True)

        def judged(items: np.ndarray) -> Judgments:
            rows = [(f"{i:04}", f"w{w}", f"l{k}") for i, own in enumerate(items) for w, k in enumerate(own) if k >= 0]
            return encoded(rows)

        whole = fit(judged(votes), model="dawid_skene")
        few = fit(replace(judged(patterns), weight=areas.astype(float)), model="dawid_skene")
        assert len(patterns) < 60
        assert_same(few, whole, of.ravel())

    @pytest.mark.parametrize("kind", ["hard", "soft"])
    def test_beside_models(self, kind: str) -> None:
        drawn = simulate(150, 6, 3, 3, seed=5)
        votes = simulate_votes(drawn, 3, soft=kind == "soft")
        times = np.random.default_rng(5).integers(1, 4, 150)
        other, of = repeated(drawn.judgments, times)
        said = rows_of(votes)
        names = other.item_ids.to_pylist()
        many = [(name, model, one) for i, model, one in said for name, copy in zip(names, of, strict=True) if copy == i]
        ids = drawn.judgments.item_ids.to_pylist()
        plain = voted([(ids[i], model, one) for i, model, one in said], votes.labels)
        table = voted(many, votes.labels)
        settings: dict[str, Any] = {"model_tests": "off", "model": "dawid_skene", "prior": "fixed", "rho": 0.3}
        found = fit(replace(drawn.judgments, weight=times.astype(float)), model_votes=plain, **settings)
        copied = fit(other, model_votes=table, **settings)
        np.testing.assert_allclose(found.posterior[of], copied.posterior, atol=1e-9)
        assert found.models is not None
        assert copied.models is not None
        np.testing.assert_allclose(found.models.weights.weight, copied.models.weights.weight, atol=1e-9)
        np.testing.assert_allclose(found.models.weights.CF, copied.models.weights.CF, atol=1e-9)
        np.testing.assert_allclose(found.convergence.objective, copied.convergence.objective, rtol=1e-9)

    def test_by_groups(self) -> None:
        one, other, of = thrice(replace(SMALL, n_labels=2), 6, clusters=False)
        group = (np.arange(one.n_items) % 4).astype(np.int32)
        groups = {"group_ids": SMALL.drawn(0)[0].item_ids[:4]}
        label = np.where(group[one.item] < 2, 0, one.label).astype(np.int32)
        found = fit(replace(one, group=group[one.item], label=label, **groups), model="dawid_skene")
        label = np.where(group[of][other.item] < 2, 0, other.label).astype(np.int32)
        copied = fit(replace(other, group=group[of][other.item], label=label, **groups), model="dawid_skene")
        assert "different_labels" in {w.code for w in found.warnings}
        np.testing.assert_allclose(found.posterior[of], copied.posterior, atol=1e-9)


def rows_of(votes: ModelVotes) -> list[tuple[int, str, Any]]:
    """Item, model, and a label or a probability for every label."""
    columns = votes.item.tolist(), votes.model.tolist(), votes.label.tolist(), votes.row.tolist()
    return [
        (i, votes.models[m], votes.labels[k] if r < 0 else votes.probability[r].tolist())
        for i, m, k, r in zip(*columns, strict=True)
    ]


def digest(found: Consensus) -> str:
    of = hashlib.sha256()
    for part in (found.posterior, found.confusions.counts, found.prior_shares, np.array(found.convergence.objective)):
        of.update(np.ascontiguousarray(part).tobytes())
    return of.hexdigest()


class TestWithoutUnits:
    @pytest.mark.parametrize("model", ["dawid_skene", "average", "majority_vote"])
    def test_no_unit_is_made(self, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """The loops of ``em`` run, as before: the weighted ones are never called, and nothing is allocated for them."""
        judgments = unclustered(SMALL.drawn(0)[0])
        before = digest(fit(judgments, model=model))

        def never(*_: Any, **__: Any) -> Any:
            raise AssertionError

        for name in (
            "em_pass",
            "scatter_counts",
            "scatter_cells",
            "log_evidence",
            "agreement_of_clusters",
            "judged_of_clusters",
        ):
            monkeypatch.setattr(weighted_em, name, never)
        monkeypatch.setattr(Units, "__init__", never)
        found = fit(judgments, model=model)
        assert found.units is None
        assert digest(found) == before

    def test_units_of_one_change_a_last_bit_at_most(self) -> None:
        judgments = unclustered(SMALL.drawn(0)[0])
        ones = replace(judgments, weight=np.ones(judgments.n_items))
        one, other = (fit(j, model="dawid_skene") for j in (ones, judgments))
        assert_same(one, other, np.arange(judgments.n_items))

    def test_for_any_number_of_threads(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("consensus.backends.SMALLEST_SHARD", 50)
        judgments = SMALL.drawn(1)[0]
        judgments = replace(judgments, weight=np.linspace(0.5, 3.0, judgments.n_items))
        assert len({digest(fit(judgments, model="dawid_skene", threads=n)) for n in (1, 2, 4)}) == 1


class TestClusters:
    @pytest.mark.slow
    @pytest.mark.parametrize("icc", [0.1, 0.3])
    def test_the_correlation_that_was_planted_is_found(self, icc: float) -> None:
        crowd = Clustered(n_clusters=150, per_cluster=10, n_workers=20, per_item=5, icc=icc)
        found = [fit(crowd.drawn(seed)[0], model="dawid_skene").units for seed in range(4)]
        n_eff = [one.n_eff for one in found if one is not None and one.n_eff is not None]
        assert 0.6 / icc < np.exp(np.mean(np.log(n_eff))) < 1.6 / icc

    def test_where_too_few_workers_tell_it_is_said(self) -> None:
        crowd = Clustered(n_clusters=12, per_cluster=6, n_workers=4, per_item=2)
        for model in ("dawid_skene", "majority_vote"):
            found = fit(crowd.drawn(0)[0], model=model)
            assert found.units is not None
            assert (found.units.n_eff, found.units.told) == (units.USUAL, False)
            (caution,) = [one for one in found.warnings if one.code == "clusters_untold"]
            assert "fewer than 5 workers" in caution.message

    def test_where_all_agree_nobody_tells(self) -> None:
        judgments = SMALL.drawn(0)[0]
        certain = DensePosterior(np.eye(3)[np.zeros(judgments.n_items, int)])
        agreed = replace(judgments, label=np.zeros_like(judgments.label))
        assert not units.estimated(agreed, certain, Threads(1)).told

    def test_where_clusters_do_not_differ_items_are_nearly_on_their_own(self) -> None:
        judgments, truth, _ = replace(SMALL, icc=1e-6).drawn(0)
        even = np.arange(judgments.n_judgments) % 2
        judgments = replace(judgments, label=((truth[judgments.item] + even) % 3).astype(np.int32))
        table = np.full((judgments.n_items, 3), 0.1)
        table[np.arange(len(truth)), truth] = 0.8
        assert units.estimated(judgments, DensePosterior(table), Threads(1)).n_eff == units.MOST

    def test_an_item_of_no_cluster_keeps_its_weight(self) -> None:
        judgments = SMALL.drawn(0)[0]
        assert judgments.cluster is not None
        cluster = judgments.cluster.copy()
        cluster[:7] = -1
        weight = np.full(judgments.n_items, 2.0)
        found = units.of(replace(judgments, cluster=cluster, weight=weight), ONE.backend, 5.0)
        assert found is not None
        assert found.item[:7].tolist() == [2.0] * 7
        np.testing.assert_allclose(found.item[7:10], 2.0 / (1 + (6 - 1) / 5.0))
        np.testing.assert_allclose(found.item[10:15].sum(), 10 / (1 + 9 / 5.0))

    def test_who_judged_a_part_counts_by_that_part(self) -> None:
        """One item of each document is as many judgments, however long documents are; all of one is what it was."""
        whole = SMALL.drawn(0)[0]
        assert whole.cluster is not None
        found = fit(whole, model="dawid_skene")
        assert found.units is not None
        assert not found.units.own
        first = np.flatnonzero(np.diff(whole.cluster, prepend=-1))
        keep = (whole.worker != 0) | np.isin(whole.item, first)
        units_of = fit(whole.subset(keep), model="dawid_skene").units
        assert units_of is not None
        assert units_of.own
        left = whole.subset(keep)
        np.testing.assert_allclose(units_of.judgment[left.worker == 0], 1.0)
        assert (units_of.judgment[left.worker == 1] < 1.0).any()
        assert units_of.n_clusters is not None
        np.testing.assert_array_equal(units_of.n_clusters[0], np.isin(first, left.item[left.worker == 0]).sum())

    def test_some_clusters_tell_where_there_are_very_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        judgments = Clustered(n_clusters=400, per_cluster=5, n_workers=8, per_item=3, icc=0.3).drawn(0)[0]
        assert judgments.cluster is not None
        judgments = replace(judgments, cluster=np.where(judgments.cluster == 3, -1, judgments.cluster))
        assert units.told_by(judgments) is None
        everything = fit(judgments, model="dawid_skene").units
        monkeypatch.setattr(units, "MOST_TOLD", judgments.n_judgments // 2)
        assert units.told_by(judgments) is None  # so few clusters would be too few
        monkeypatch.setattr(units, "LEAST_CLUSTERS", 100)
        some = units.told_by(judgments)
        assert some is not None
        assert judgments.cluster is not None
        assert not some[judgments.cluster[judgments.item] < 0].any()
        per_cluster = np.bincount(judgments.cluster[judgments.item[some]], minlength=400)
        assert set(per_cluster.tolist()) == {0, 15}
        assert 150 < np.count_nonzero(per_cluster) < 250
        by_some = fit(judgments, model="dawid_skene").units
        assert everything is not None
        assert by_some is not None
        assert len(by_some.judgment) == judgments.n_judgments
        assert by_some.n_eff != everything.n_eff
        assert by_some.n_eff == pytest.approx(everything.n_eff, rel=0.5)

    def test_agreement_with_very_many_labels(self) -> None:
        judgments = PATTERNS.drawn(0)[0]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(layout, "weighs_all_labels", lambda *_: False)
            found = fit(unclustered(judgments), model="dawid_skene")
        assert not isinstance(found.beliefs, DensePosterior)
        dense = found.posterior[judgments.item, judgments.label]
        np.testing.assert_allclose(units.of_judgments(judgments, found.beliefs, Threads(1)), dense)


class TestHeldOut:
    def test_all_that_a_worker_judged_in_a_cluster(self) -> None:
        judgments = SMALL.drawn(0)[0]
        assert judgments.cluster is not None
        for split in range(3):
            held = Splits(judgments).held_out(split)
            block = judgments.worker * 1000 + judgments.cluster[judgments.item]
            share = np.bincount(block, held) / np.maximum(np.bincount(block), 1)
            assert set(share.tolist()) == {0.0, 1.0}
            assert 0.1 < held.mean() < 0.3
            assert (judgments.subset(~held).per_item > 0).all()

    def test_scores_are_weighted_and_clusters_are_independent(self) -> None:
        rng = np.random.default_rng(0)
        score, unit = rng.normal(size=(6, 2)), np.array([1.0, 2.0, 3.0, 1.0, 1.0, 4.0])
        cluster = np.array([0, 0, 2, -1, -1, 2], np.int32)
        found = held_out_rho.Scores(score, unit, cluster)
        mean = sum(u * s for u, s in zip(unit, score, strict=True)) / 12
        np.testing.assert_allclose(found.mean, mean)
        square = (1 * (score[0] - mean) + 2 * (score[1] - mean)) ** 2
        square += (3 * (score[2] - mean) + 4 * (score[5] - mean)) ** 2
        square += (score[3] - mean) ** 2 + (score[4] - mean) ** 2
        np.testing.assert_allclose(found.standard_error(), np.sqrt(square) / 12)

    def test_a_score_of_weight_three_is_three_scores(self) -> None:
        score, unit = np.random.default_rng(1).normal(size=(4, 3)), np.array([1.0, 3.0, 2.0, 1.0])
        copies = held_out_rho.Scores(np.repeat(score, unit.astype(int), axis=0))
        found = held_out_rho.Scores.together(
            [held_out_rho.Scores(score[:2], unit[:2]), held_out_rho.Scores(score[2:], unit[2:])]
        )
        np.testing.assert_allclose(found.mean, copies.mean)
        np.testing.assert_allclose(found.total, copies.total)
        np.testing.assert_allclose(found.standard_error(), copies.standard_error())

    def test_rho_is_measured(self) -> None:
        judgments = SMALL.drawn(0)[0]
        found = fit(judgments, model="dawid_skene", rho="measured")
        assert 0.2 <= found.rho <= 1.3
        assert found.tempering.rho_range is not None


class TestWhatIsSaid:
    def test_the_average_counts_no_units(self) -> None:
        judgments = SMALL.drawn(0)[0]
        found = fit(judgments)
        assert found.model == "dawid_skene"
        assert "only one reading can count" in (found.chosen_because or "")
        named = fit(judgments, model="average")
        assert named.model == "dawid_skene"
        assert "one_reading" in {w.code for w in named.warnings}

    def test_silence_counts_for_nothing(self) -> None:
        judgments = unclustered(SMALL.drawn(0)[0])
        one = judgments.worker == 0
        judgments = replace(judgments, label=np.where(one, 0, judgments.label).astype(np.int32))
        found = fit(replace(judgments, weight=np.ones(judgments.n_items)), model="dawid_skene")
        (caution,) = [w for w in found.warnings if w.code == "one_label_unheard"]
        assert caution.values["n_workers"] == 1

    def test_weights_tell_whether_there_is_much_data(self) -> None:
        judgments = replace(SMALL, n_clusters=4).drawn(0)[0]
        config = FitConfig()
        assert Problem.of(judgments, None, config, Threads(1)).small
        heavy = replace(judgments, weight=np.full(judgments.n_items, 100.0))
        assert not Problem.of(heavy, None, config, Threads(1)).small

    def test_pairs_of_workers_count_by_what_clusters_leave(self) -> None:
        judgments = SMALL.drawn(0)[0]
        problem = Problem.of(judgments, None, FitConfig(), Threads(1))
        assert switching.repeats(problem) == pytest.approx(1 + 4 / 30)
        assert switching.camps(judgments, 0, 1e6).workers == 0
        alone = replace(unclustered(judgments), weight=np.full(judgments.n_items, 0.1))
        assert switching.repeats(Problem.of(alone, None, FitConfig(), Threads(1))) == 1.0

    def test_gold_beside_units_promises_nothing(self) -> None:
        judgments, truth, _ = SMALL.drawn(0)
        found = fit(judgments, gold=golden(judgments, truth, np.arange(0, judgments.n_items, 2)), model="dawid_skene")
        told = certified(found, EscalateConfig(promise="item"))
        assert told.why_none == "weighed"
        assert not told.settled.any()
        assert np.isnan(SharesTable.of(found).numbers["share"]).all()
        with pytest.raises(ConfigError, match="stand in clusters"):
            plan_gold(found)


class TestCalibratedOnGold:
    def test_by_units_and_whole_clusters(self, monkeypatch: pytest.MonkeyPatch) -> None:
        judgments, truth, _ = SMALL.drawn(0)
        assert judgments.cluster is not None
        cluster = judgments.cluster.copy()
        cluster[:10] = -1
        judgments = replace(judgments, cluster=cluster)
        items = np.arange(0, judgments.n_items, 2)
        fitted_on = []

        def averaged(known: Known, beliefs: Any) -> Any:
            fitted_on.append(known)
            return average(known, beliefs)

        average = vector_scaling.averaged
        monkeypatch.setattr(vector_scaling, "averaged", averaged)
        found = fit(judgments, gold=golden(judgments, truth, items), model="dawid_skene")
        assert found.calibration is not None
        assert found.calibration.fitted
        assert found.units is not None
        assert set(found.calibration.weights) == {"fit"}  # one weight a worker knows no units
        whole, *others = fitted_on
        assert whole.unit is not None
        np.testing.assert_allclose(whole.unit, found.units.item[items])
        code = hashed(judgments.item_ids)[items]
        together = cluster[items] >= 0
        code[together] = hashed(judgments.cluster_ids)[cluster[items][together]]
        fold = code % np.uint64(N_FOLDS)
        for f, known in zip(np.unique(fold), others, strict=True):
            assert known.unit is not None
            np.testing.assert_allclose(known.unit, found.units.item[items[fold != f]])
        pi = found.units.item @ found.posterior + 1.0
        np.testing.assert_allclose(found.prior_shares, pi / pi.sum())

    def test_few_units_are_few_gold_items(self) -> None:
        """A hundred gold items of two clusters are no more than a handful of independent ones."""
        crowd = Clustered(n_clusters=20, per_cluster=50, n_workers=10, per_item=3, icc=0.5)
        judgments, truth, _ = crowd.drawn(0)
        found = fit(judgments, gold=golden(judgments, truth, np.arange(100)), model="dawid_skene")
        assert found.calibration is not None
        assert not found.calibration.fitted
        assert "too few to calibrate on, as weights and clusters count" in (found.calibration.left_out or "")

    def test_another_optimum_is_looked_for_by_units(self) -> None:
        """Most workers answer the other way round, and gold tells."""
        judgments, truth, _ = Clustered(n_clusters=60, n_labels=2, per_item=5, least=0.8).drawn(1)
        label = np.where(judgments.worker < 11, 1 - judgments.label, judgments.label).astype(np.int32)
        judgments = replace(judgments, label=label)
        found = fit(judgments, gold=golden(judgments, truth, np.arange(0, judgments.n_items, 3)), model="dawid_skene")
        assert (found.consensus_label == truth).mean() > 0.8

    def test_masses_with_very_many_labels(self) -> None:
        judgments = PATTERNS.drawn(0)[0]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(layout, "weighs_all_labels", lambda *_: False)
            found = fit(judgments, model="dawid_skene")
        assert not isinstance(found.beliefs, DensePosterior)
        some = np.arange(judgments.n_items) % 3 > 0
        mass = beside_gold._mass(found.beliefs, some, found.units)
        assert found.units is not None
        np.testing.assert_allclose(mass, found.units.item[some] @ found.posterior[some])

    @pytest.mark.parametrize("several", [False, True])
    @pytest.mark.parametrize("t", [None, 0.3])
    def test_weight_three_is_the_gold_item_three_times(self, several: bool, t: float | None) -> None:
        rng = np.random.default_rng(0)
        x, times = rng.normal(size=(2, 30, 3)), rng.integers(1, 5, 30)
        accepted = np.eye(3, dtype=bool)[rng.integers(0, 3, 30)]
        accepted[:5, 0] |= several
        belief = Belief(np.array([1.0, 0.0]), np.array([0.5, 0.5]), t)
        one = vector_scaling.fitted(Known.of_labels(x, accepted, times.astype(float)), belief)
        copies = Known.of_labels(np.repeat(x, times, axis=1), np.repeat(accepted, times, axis=0))
        other = vector_scaling.fitted(copies, belief)
        np.testing.assert_allclose(one.slope, other.slope, rtol=1e-6)
        np.testing.assert_allclose(one.intercept, other.intercept, rtol=1e-6, atol=1e-9)
        assert one.evidence == pytest.approx(other.evidence, rel=1e-9)
