"""Units of clusters counted label by label: against the naive twin, and what a fit tells in plain units."""

from dataclasses import replace

import numpy as np
import pytest

from consensus.backends import Threads
from consensus.found.posterior import DensePosterior, SparsePosterior
from consensus.found.units import Units
from consensus.inputs.judgments import Judgments
from consensus.models import label_units, layout, units
from consensus.models.base import fit
from tests import naive_units
from tests.clustered_crowds import Clustered, unclustered

SMALL = Clustered(n_clusters=12, per_cluster=5, n_workers=6, per_item=3)
N_EFF = 4.0


def drawn(seed: int) -> tuple[Judgments, np.ndarray]:
    """Judgments with weights, seven items without a cluster; and probabilities of labels."""
    judgments = SMALL.drawn(seed)[0]
    rng = np.random.default_rng(seed)
    assert judgments.cluster is not None
    cluster = judgments.cluster.copy()
    cluster[rng.choice(judgments.n_items, 7, replace=False)] = -1
    judgments = replace(judgments, cluster=cluster, weight=rng.uniform(0.2, 9.0, judgments.n_items))
    return judgments, rng.dirichlet(np.full(3, 0.3), judgments.n_items)


def counted(judgments: Judgments, q: np.ndarray, threads: int = 1) -> Units:
    plain = units.of(judgments, Threads(1), N_EFF)
    assert plain is not None
    return label_units.of(judgments, plain, DensePosterior(q), Threads(threads))


def in_part(judgments: Judgments) -> Judgments:
    """The same without some of the judgments, so that workers judged parts of clusters."""
    return judgments.subset(np.random.default_rng(0).random(judgments.n_judgments) < 0.7)


class TestUnits:
    @pytest.mark.parametrize("weighed", [False, True])
    def test_of_items_and_their_judgments(self, weighed: bool) -> None:
        judgments, q = drawn(0)
        judgments = judgments if weighed else replace(judgments, weight=None)
        found = counted(judgments, q)
        item, judgment = naive_units.label_units(judgments, q, N_EFF)
        np.testing.assert_allclose(found.item, item)
        np.testing.assert_allclose(found.judgment, judgment)

    @pytest.mark.parametrize("weighed", [False, True])
    def test_of_judgments_by_what_their_workers_judged(self, weighed: bool) -> None:
        judgments, q = drawn(1)
        judgments = in_part(judgments if weighed else replace(judgments, weight=None))
        found = counted(judgments, q)
        item, judgment = naive_units.label_units(judgments, q, N_EFF)
        np.testing.assert_allclose(found.item, item)
        np.testing.assert_allclose(found.judgment, judgment)

    def test_for_any_number_of_threads(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("consensus.backends.SMALLEST_SHARD", 10)
        judgments, q = drawn(2)
        judgments = in_part(judgments)
        one, *others = (counted(judgments, q, threads) for threads in (1, 2, 4))
        for other in others:
            assert np.array_equal(one.item, other.item)
            assert np.array_equal(one.judgment, other.judgment)

    def test_a_rare_label_is_not_lost_in_a_common_one(self) -> None:
        judgments = replace(SMALL, n_clusters=1, per_cluster=400).drawn(0)[0]
        q = np.eye(3)[np.repeat([0, 1, 2], [390, 9, 1])]
        found = counted(judgments, q).item
        np.testing.assert_allclose(found[:390].sum(), 390 / (1 + 389 / N_EFF))
        np.testing.assert_allclose(found[390:399].sum(), 9 / (1 + 8 / N_EFF))
        assert found[399] == 1.0

    def test_one_label_makes_plain_units(self) -> None:
        judgments, _ = drawn(3)
        plain = units.of(judgments, Threads(1), N_EFF)
        assert plain is not None
        np.testing.assert_allclose(counted(judgments, np.ones((judgments.n_items, 1))).item, plain.item)

    def test_without_clusters_or_with_very_many_labels_plain_units_stay(self, monkeypatch: pytest.MonkeyPatch) -> None:
        judgments, q = drawn(4)
        weights = units.of(unclustered(judgments), Threads(1))
        assert weights is not None
        assert label_units.of(judgments, weights, DensePosterior(q), Threads(1)) is weights
        monkeypatch.setattr(layout, "weighs_all_labels", lambda *_: False)
        found = fit(judgments, model="dawid_skene")
        assert isinstance(found.beliefs, SparsePosterior)
        plain = units.of(judgments, Threads(1), N_EFF)
        assert plain is not None
        assert label_units.of(judgments, plain, found.beliefs, Threads(1)) is plain


class TestFit:
    def test_what_is_told_is_in_plain_units(self) -> None:
        judgments, _ = drawn(6)
        found = fit(judgments, model="dawid_skene", rho=0.0)
        assert found.units is not None
        assert found.units.n_eff is not None
        plain = units.of(judgments, Threads(1), found.units.n_eff)
        assert plain is not None
        assert np.array_equal(found.units.item, plain.item)
        assert np.array_equal(found.units.judgment, plain.judgment)
        n = found.confusions.totals().sum(axis=1)
        np.testing.assert_allclose(n, np.bincount(judgments.worker, plain.judgment, judgments.n_workers))
        mass = plain.item @ found.posterior
        np.testing.assert_allclose(found.prior_shares, (mass + 1.0) / (mass + 1.0).sum())
        N = np.zeros((judgments.n_workers, 3, 3))
        for j, (i, w, label) in enumerate(zip(judgments.item, judgments.worker, judgments.label, strict=True)):
            N[w, :, label] += plain.judgment[j] * found.posterior[i]
        for w in range(judgments.n_workers):
            np.testing.assert_allclose(found.confusions.dense_counts(w, w + 1)[0], N[w])

    @pytest.mark.compiled
    def test_rows_of_a_rare_label_are_learnt(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Twelve pictures of 400 patches each, ten of which are an object that half of the workers see badly."""
        errors = []
        for counting in (label_units.of, lambda _judgments, plain, _beliefs, _backend: plain):
            monkeypatch.setattr(label_units, "of", counting)
            errors.append([wrong(seed) for seed in range(4)])
        by_label, plain = np.mean(errors, axis=1)
        assert by_label < 0.8 * plain


def wrong(seed: int) -> float:
    """Share of the patches of objects that get the label of the background."""
    rng = np.random.default_rng(seed)
    crowd = Clustered(n_clusters=12, per_cluster=400, n_workers=12, per_item=3, n_labels=2)
    judgments = crowd.drawn(seed)[0]
    truth = (np.arange(judgments.n_items) % 400 < 10).astype(np.int32)
    assert judgments.cluster is not None
    picture, worker, object_ = judgments.cluster[judgments.item], judgments.worker, truth[judgments.item]
    mean = np.where(np.arange(12) % 2 == 0, 0.9, 0.4)[:, None]
    sees = rng.beta(3 * mean, 3 * (1 - mean), (12, 12))
    right = np.where(object_ == 1, sees[worker, picture], rng.beta(19, 1, (12, 12))[worker, picture])
    label = np.where(rng.random(judgments.n_judgments) < right, object_, 1 - object_).astype(np.int32)
    found = fit(replace(judgments, label=label), model="dawid_skene").consensus_label
    return float((found[truth == 1] != 1).mean())
