"""What more judgments would do: curves, what is read off them, paths, budgets."""

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from consensus import Consensus, escalate, fit, simulate
from consensus.config import EscalateConfig
from consensus.errors import ConfigError
from consensus.escalation import look_ahead, outlook, paths, planned
from consensus.escalation.budgets import allotted
from consensus.escalation.corrections import RARE, Corrections, usual_hedge
from consensus.found.posterior import DensePosterior
from consensus.kernels import flips
from consensus.kernels import look_ahead_loops as kernels
from consensus.models import layout
from consensus.probabilities import normalised
from consensus.simulation import simulate_votes
from tests import naive_escalation
from tests.strategies import encoded

pytestmark = pytest.mark.usefixtures("by_dawid_skene")


def drawn(K: int, seed: int, n: int = 12, S: int = 5, M: int = 3) -> Any:
    """Posteriors (n, K), likelihoods of paths (K, S, M, K), and the powers of tempering (M+1,)."""
    rng = np.random.default_rng(seed)
    q = rng.dirichlet(np.full(K, 0.5), n)
    q[0] = np.eye(K)[0]
    return q, np.cumprod(rng.uniform(0.05, 1.0, (K, S, M, K)), axis=2), 1.0 / (1.0 + 0.3 * np.arange(2, M + 3))


def powered(q: Any, walked: Any, power: Any) -> Any:
    """As the kernels take them."""
    z = np.exp(np.log(np.maximum(q, 1e-300))[:, None] * (power[1:] / power[0])[:, None])
    return z, np.ascontiguousarray((walked ** power[1:, None]).transpose(0, 2, 3, 1))


class TestKernels:
    @pytest.mark.parametrize("K", [2, 3, 4, 5])
    @pytest.mark.parametrize("least", [-1, 0, 2])
    def test_errors(self, K: int, least: int) -> None:
        q, walked, power = drawn(K, 10 * K + least + 1)
        z, W = powered(q, walked, power)
        loss, settled = np.empty((2, len(q), 4))
        items = kernels.Items(q, z, np.zeros(z.shape[:2]))
        kernels.errors(items, W, 0.9, least, kernels.Curves(loss, settled))
        for i in range(len(q)):
            never = q[i] < kernels.UNLIKELY
            likely = np.where(never, 0.0, q[i])
            some = np.ceil(walked.shape[1] * np.minimum(q[i], 1.0)).astype(int)
            expected, when = naive_escalation.curve(likely, walked, power, 1.0 - np.eye(K), 0.9, least, some)
            missed = np.minimum(np.array(expected[1:]) + q[i][never].sum(), loss[i, 0])
            np.testing.assert_allclose(loss[i, 1:], np.minimum.accumulate(missed), atol=1e-9)
            np.testing.assert_allclose(settled[i], when, atol=1e-9)
        np.testing.assert_allclose(loss[:, 0], 1.0 - q.max(axis=1))
        assert (np.diff(loss, axis=1) <= 0).all()

    @pytest.mark.parametrize("K", [2, 4])
    def test_judgments_that_tell_nothing_save_nothing(self, K: int) -> None:
        q = np.full((1, K), 1.0 / K)
        z, walked = np.repeat(q[:, None], 3, axis=1), np.ones((K, 3, K, 24))
        loss, settled = np.empty((2, 1, 4))
        kernels.errors(kernels.Items(q, z, np.zeros((1, 3))), walked, 0.9, 0, kernels.Curves(loss, settled))
        np.testing.assert_allclose(loss, 1.0 - 1.0 / K)
        assert not settled.any()

    @pytest.mark.compiled
    def test_labels_that_are_not_listed_are_found_like_those_that_are(self) -> None:
        K, S, M, gain = 40, 4000, 3, 3.0
        rng = np.random.default_rng(0)
        q = np.stack([rng.dirichlet(np.full(K, 50.0)), rng.dirichlet(np.full(K, 0.3)), rng.dirichlet(np.full(K, 5.0))])
        made = np.zeros((K, S, M, K))
        for k in range(K):
            made[k, :, :, k] = np.cumsum(np.where(rng.random((S, M)) < 0.7, gain, 0.0), axis=1)
        ratio, found = np.array([0.9, 0.8, 0.7]), []
        walked = np.exp(made * ratio[:, None])
        for n_labels in (K, 8):
            top, rest = look_ahead._likeliest(q, n_labels, ratio)
            assert ((rest > 1e-6) == (n_labels < K)).all()
            z = top[:, None] ** ratio[:, None]
            W = np.ascontiguousarray(walked[:n_labels, :, :, :n_labels].transpose(0, 2, 3, 1))
            loss, settled = np.empty((2, 3, M + 1))
            kernels.errors(kernels.Items(top, z, rest), W, 0.8, 0, kernels.Curves(loss, settled))
            np.testing.assert_allclose(loss[:, 0], 1.0 - q.max(axis=1))
            found.append((loss, settled))
        (loss, settled), (of_eight, settled_of_eight) = found
        np.testing.assert_allclose(of_eight, loss, atol=0.06)
        np.testing.assert_allclose(settled_of_eight.sum(axis=1), settled.sum(axis=1), atol=0.1)
        assert settled.sum(axis=1).min() > 0.3

    def test_four_labels_are_quicker_not_other(self) -> None:
        q, walked, power = drawn(3, 0)
        z, W = powered(q, walked, power)
        items = kernels.Items(q, z, np.zeros(z.shape[:2]))
        found = [kernels.Curves(*np.empty((2, len(q), 4))) for _ in range(2)]
        kernels.errors(items, W, 0.8, 1, found[0])
        kernels.errors(*look_ahead._at_least_four(items, W), 0.8, 1, found[1])
        for three, four in zip(*found, strict=True):
            np.testing.assert_allclose(three, four, atol=1e-12)

    @pytest.mark.parametrize("K", [2, 4])
    def test_costs(self, K: int) -> None:
        q, walked, power = drawn(K, K)
        cost = np.random.default_rng(1).uniform(0, 5, (K, K)) * (1.0 - np.eye(K))
        z, W = powered(q, walked, power)
        loss = np.empty((len(q), 4))
        kernels.costs(q, z, W, cost, loss)
        for i in range(len(q)):
            expected, _ = naive_escalation.curve(q[i], walked, power, cost, 0.9, 0)
            np.testing.assert_allclose(loss[i], expected, atol=1e-9)

    def test_what_is_read_off(self) -> None:
        loss = np.array([[0.5, 0.45, 0.2, 0.2, 0.19], [0.1, 0.1, 0.1, 0.1, 0.1]])
        settled = np.array([[0.0, 0.05, 0.15, 0.5, 0.1], [0.0, 0.0, 0.0, 0.0, 0.0]])
        found = np.empty((2, 7))
        falling = np.array([[0.6, 0.55, 0.24, 0.24, 0.2], [0.2, 0.2, 0.2, 0.2, 0.2]])
        kernels.read_off(kernels.Curves(loss, settled), falling, 3, 1e-6, 0.1, 0.6, found)
        needed = 0.05 + 2 * 0.15 + 3 * 0.5 + 4 * 0.1 + 4 * 0.2
        low, high = (naive_escalation.first_settled(settled[0].tolist(), level) for level in (0.1, 0.6))
        np.testing.assert_allclose(found[0], [0.18 + 5e-7, 0.5, 0.19, needed, low, high, 0.8])
        np.testing.assert_allclose(found[1], [1e-7, 0.1, 0.1, 4, 4, 4, 0])

    @pytest.mark.parametrize("seed", range(6))
    def test_hulls_and_budgets(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        loss = np.minimum.accumulate(rng.uniform(0, 1, (9, 5)), axis=1)
        length, slope = np.empty((9, 4), np.int64), np.empty((9, 4))
        kernels.hulls(loss, length, slope)
        assert (np.diff(slope, axis=1) <= 0).all()
        columns = np.zeros((9, 7))
        columns[:, 1] = loss[:, 0]
        ahead = look_ahead.LookAhead(columns, length, slope)
        may_ask = rng.random(9) < 0.8
        for budget in (0, 1, 5, 12, 60):
            expected = naive_escalation.by_heap(loss, budget, may_ask.tolist())
            assert allotted(ahead, budget, np.arange(9), may_ask).tolist() == expected

    @pytest.mark.parametrize("budget", [0, 4])
    def test_nobody_may_be_asked(self, budget: int) -> None:
        ahead = look_ahead.LookAhead(np.zeros((2, 7)), np.ones((2, 3), np.int64), np.ones((2, 3)))
        assert allotted(ahead, budget, np.arange(2), np.zeros(2, np.bool_)).tolist() == [0, 0]

    def test_what_rounding_lowers_is_no_step(self) -> None:
        loss = np.array([[0.3, 0.3 - 5e-17, 0.3 - 1e-16], [0.3, 0.3 - 1e-11, 0.3]])
        length, slope = np.empty((2, 2), np.int64), np.empty((2, 2))
        kernels.hulls(loss, length, slope)
        assert length.tolist() == [[0, 0], [1, 0]]
        assert slope[0].tolist() == [0, 0]

    def test_changes_of_the_best_label(self) -> None:
        rng = np.random.default_rng(0)
        starts = np.array([0, 4, 4, 9, 15])
        log_likelihood, log_prior = np.log(rng.dirichlet(np.ones(3), 15)), np.log([0.5, 0.3, 0.2])
        found = np.empty(4, np.int64)
        flips.changes(starts, log_likelihood, np.tile(log_prior, (4, 1)), found)
        expected = [
            naive_escalation.changes(log_likelihood[a:b], log_prior) for a, b in itertools.pairwise(starts.tolist())
        ]
        assert found.tolist() == expected
        assert max(expected) >= 2


class TestPaths:
    @pytest.mark.compiled
    @pytest.mark.every_path
    def test_one_more_judgment_by_enumeration(self) -> None:
        """Expected error after one more judgment, over all workers and labels."""
        result = fit(simulate(150, 6, 3, 3, accuracy=0.7, seed=3).judgments, rho=0.3)
        items = np.arange(150)
        config = EscalateConfig(target=0.99, max_judgments=50)
        ahead = look_ahead.look_ahead(result, items, config, steps=True, corrections=Corrections())
        share = result.judgments.per_worker / result.judgments.n_judgments
        C = result.confusions.dense()
        n = result.judgments.per_item
        ratio = result.tempering.power(n + 1) / result.tempering.power(n)
        expected = np.empty(150)
        for i in range(150):
            q = result.posterior[i]
            right = 0.0
            for w in range(6):
                for observed in range(3):
                    after = q ** ratio[i] * C[w, :, observed] ** result.tempering.power(n[i] + 1)
                    right += share[w] * q[after.argmax()] * C[w, after.argmax(), observed]
            expected[i] = 1.0 - max(right, q.max())
        one = np.flatnonzero(ahead.length[:, 0] == 1)
        found = ahead.loss[one] - ahead.slope[one, 0]
        assert len(one) > 20
        assert np.abs(found - expected[one]).max() < 0.03

    @pytest.mark.slow
    def test_items_are_settled_as_often_as_foretold(self) -> None:
        """Where the model is right and confidences are not tempered, in the mean over many items."""
        whole = simulate(3000, 12, 3, 9, accuracy=0.75, seed=5)
        judgments = whole.judgments
        rank = np.arange(judgments.n_judgments) - judgments.item_start[judgments.item]
        shuffled = np.random.default_rng(0).permuted(rank)
        order = np.argsort(shuffled, kind="stable")
        nth = np.empty_like(rank)
        seen = np.zeros(judgments.n_items, np.int64)
        for j in order:
            nth[j] = seen[judgments.item[j]]
            seen[judgments.item[j]] += 1
        config = EscalateConfig(target=0.95, max_judgments=6, min_judgments=3)
        full = fit(judgments, rho=0.0)
        few = fit(judgments.subset(nth < 3), rho=0.0)
        ahead = look_ahead.look_ahead(few, np.arange(3000), config, corrections=Corrections())
        open_ended = (few.confidence < 0.95) & (judgments.per_item >= 6)
        settled = np.zeros(3000, np.bool_)
        for n in (4, 5, 6):
            settled |= fit(judgments.subset(nth < n), rho=0.0).confidence >= 0.95
        assert ahead.settled[open_ended].mean() == pytest.approx(settled[open_ended].mean(), abs=0.06)
        assert full.converged

    @pytest.mark.every_path
    def test_fewer_paths_for_more_items(self) -> None:
        assert paths._n_paths(10, 3, 2) == paths.N_PATHS
        assert paths.LEAST_PATHS < paths._n_paths(100_000, 5, 4) < paths.N_PATHS
        assert paths._n_paths(10**8, 5, 4) == paths.LEAST_PATHS
        assert 32 * 10 * 32 * paths._n_paths(10, 10, 32) <= paths.MOST_CELLS

    @pytest.mark.compiled
    def test_threads_and_blocks_never_matter(self, monkeypatch: pytest.MonkeyPatch) -> None:
        drawn_crowd = simulate(300, 9, 3, 3, accuracy=0.7, seed=1)
        first = escalate(fit(drawn_crowd.judgments, threads=1), budget=100)
        monkeypatch.setattr("consensus.backends.SMALLEST_SHARD", 10)
        monkeypatch.setattr(look_ahead, "BLOCK", 7)
        for threads in (1, 2, 4):
            table = escalate(fit(drawn_crowd.judgments, threads=threads), budget=100)
            for name in ("item", "judgments", "needed_low", "needed_high"):
                assert table[name].equals(first[name])
            np.testing.assert_allclose(table["priority"], first["priority"], rtol=1e-6)

    @pytest.mark.parametrize("people", [True, False])
    def test_very_many_labels(self, people: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        crowd = simulate(200 if people else 20, 30, 40, 3, accuracy=0.7, seed=1)
        if people:
            monkeypatch.setattr(layout, "MOST_CELLS", 0)
            result = fit(crowd.judgments)
        else:
            result = fit(None, model_votes=simulate_votes(crowd, 2, accuracy=0.6, seed=1))
        table = escalate(result)
        asked = table["reason"] != "needs_expert"
        assert asked.any()
        assert table["p_settled"][asked].between(0, 1).all()
        assert (table["needed_low"] <= table["needed_high"])[asked].all()
        assert (table["priority"] > 0).all()
        costs: Any = np.ones((40, 40))
        with pytest.raises(ConfigError, match="costs: 40 labels; they are weighed among 32 at most"):
            planned(result, EscalateConfig(), costs=costs)

    def test_usual_confusions_are_the_mean_of_the_prior(self) -> None:
        assert paths._usual(np.array([[3.0, 1.0], [2.0, 2.0]])).tolist() == [[[0.75, 0.25], [0.5, 0.5]]]

    def test_very_many_labels_are_judged_with_the_accuracy_of_a_worker(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who is credited with one judgment at the usual accuracy."""
        monkeypatch.setattr(layout, "MOST_CELLS", 0)
        result = fit(simulate(60, 8, 40, 3, accuracy=0.7, seed=1).judgments)
        found = result.confusions
        totals, right = found.totals().sum(axis=1), found.right().sum(axis=1)
        accuracy = (right + (right.sum() + 1) / (totals.sum() + 2)) / (totals + 1)
        gains = np.log(accuracy / ((1 - accuracy) / 39))
        made = paths.one_coin_paths(result, np.ones(8), 1, 60, 4)[0, :, 0, 0]
        drawn_gains = np.unique(made[made > 0])
        assert len(drawn_gains) == 8
        np.testing.assert_allclose(drawn_gains, np.sort(gains), rtol=1e-9)

    def test_models_alone_with_few_labels(self) -> None:
        crowd = simulate(100, 5, 3, 3, seed=1)
        result = fit(None, model_votes=simulate_votes(crowd, 2, accuracy=0.6, seed=1))
        table = escalate(result)
        assert (table["judgments"] == 2).all()
        assert table["p_settled"].between(0, 1).all()
        assert table["suggested_workers"].isna().all()


@pytest.fixture(scope="module")
def uneven() -> Consensus:
    """Of labels that are not equally common."""
    return fit(simulate(300, 12, 3, 3, accuracy=0.7, seed=3, prior=[0.7, 0.2, 0.1]).judgments, rho=0.3)


class TestHedge:
    CONFIG = EscalateConfig(target=0.99, max_judgments=9)

    @pytest.mark.compiled
    def test_ranks_as_if_the_shares_of_the_labels_were_less_sure(self, uneven: Consensus) -> None:
        items, costs = np.arange(300), np.array([[0.0, 1.0, 2.0], [5.0, 0.0, 1.0], [1.0, 3.0, 0.0]])
        power = uneven.tempering.power(uneven.judgments.per_item)[:, None]
        believed = normalised(uneven.posterior / uneven.prior_shares ** (0.5 * power))
        less_sure = replace(uneven, beliefs=DensePosterior(believed))
        hedged = Corrections(hedge=0.5)
        for c in (None, costs):
            found = look_ahead.look_ahead(uneven, items, self.CONFIG, costs=c, steps=True, corrections=hedged)
            expected = look_ahead.look_ahead(
                less_sure, items, self.CONFIG, costs=c, steps=True, corrections=Corrections()
            )
            plain = look_ahead.look_ahead(uneven, items, self.CONFIG, costs=c, steps=True, corrections=Corrections())
            of_all = [
                ahead.priority / (ahead.priority.sum() if c is None else 1.0) for ahead in (found, expected, plain)
            ]
            off, change = (np.abs(of_all[0] - other) for other in of_all[1:])
            assert off.mean() < 1e-3 * change.mean()
            assert change.max() > 0.1 * of_all[0].max()
            np.testing.assert_array_equal(found.columns[:, 1:], plain.columns[:, 1:])  # nothing else is hedged
            np.testing.assert_array_equal(found.slope, plain.slope)

    @pytest.mark.compiled
    def test_what_the_prior_decides_comes_earlier(self, uneven: Consensus) -> None:
        """One says the commonest label, another a rare one: the prior decides, and nobody knows."""
        hedged, plain = (
            look_ahead.look_ahead(uneven, np.arange(300), self.CONFIG, corrections=Corrections(hedge=hedge)).priority
            for hedge in (0.5, 0.0)
        )
        votes = np.zeros((300, 3))
        np.add.at(votes, (uneven.judgments.item, uneven.judgments.label), 1)
        by_prior = (votes[:, 0] == votes[:, 1:].max(axis=1)) & (uneven.consensus_label == 0)
        assert by_prior.sum() > 10
        rank = {name: np.argsort(np.argsort(-priority)) for name, priority in (("with", hedged), ("without", plain))}
        assert rank["with"][by_prior].mean() < rank["without"][by_prior].mean() - 1

    def test_more_of_it_with_more_labels(self) -> None:
        found = [usual_hedge(n) for n in (1, 2, 3, 4, 5, 6, 30)]
        assert found == pytest.approx([0, 0, 1 / 2, 3 / 5, 2 / 3, 2 / 3, 2 / 3])

    @pytest.mark.compiled
    def test_not_where_models_voted_or_labels_are_very_many(self) -> None:
        crowd = simulate(120, 8, 3, 3, accuracy=0.7, seed=1, prior=[0.7, 0.2, 0.1])
        many = simulate(120, 20, 40, 3, accuracy=0.8, seed=1)
        voted = fit(crowd.judgments, model_votes=simulate_votes(crowd, 2, accuracy=0.7, seed=1), rho=0.3)
        for result in (voted, fit(many.judgments, rho=0.3)):
            hedged, plain = (
                look_ahead.look_ahead(
                    result, np.arange(120), self.CONFIG, corrections=Corrections(hedge=hedge)
                ).priority
                for hedge in (0.5, 0.0)
            )
            np.testing.assert_allclose(hedged, plain, atol=1e-12)


class TestPriority:
    CONFIG = EscalateConfig(target=0.99, max_judgments=9)

    def test_two_labels_are_ranked_by_entropy(self) -> None:
        """What more judgments save of all errors is shared out by it."""
        result = fit(simulate(200, 12, 2, 3, accuracy=0.7, seed=3, prior=[0.8, 0.2]).judgments, rho=0.3)
        found = look_ahead.look_ahead(result, np.arange(200), self.CONFIG)
        share = found.priority / result.peaks.entropy
        np.testing.assert_allclose(share, share[0])
        assert 0.05 < found.priority.sum() / found.loss.sum() < 0.5

    def test_labels_that_hardly_exist_are_not_hedged_as_if_they_did(self, uneven: Consensus) -> None:
        found = [
            look_ahead.look_ahead(
                replace(uneven, prior_shares=np.array([0.7, 0.3, share])), np.arange(300), self.CONFIG
            ).priority
            for share in (0.0, 1e-9, RARE / 3, 0.3)
        ]
        of_all = [priority / priority.sum() for priority in found]
        for rare in of_all[1:3]:
            np.testing.assert_allclose(rare, of_all[0], rtol=1e-9)
        assert np.abs(of_all[3] / of_all[0] - 1).max() > 0.1


class TestCurves:
    def test_confidence_is_held_back_more_the_more_judgments_there_will_be(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(paths, "N_PATHS", 24)
        result = fit(simulate(40, 8, 3, 3, accuracy=0.7, seed=1).judgments, rho=0.5)
        rule, items = EscalateConfig(target=0.9, max_judgments=6), np.arange(6)
        found = look_ahead.look_ahead(result, items, rule, corrections=Corrections())
        made = paths.likelihood_paths(result, result.judgments.per_worker.astype(float), 3, len(items))
        power, q = result.tempering.power(3 + np.arange(4)), result.posterior[items]
        for i in items:
            loss, settled = naive_escalation.curve(q[i], np.exp(made), power, 1.0 - np.eye(3), 0.9, -1)
            assert found.loss[i] == pytest.approx(loss[0])
            assert found.least_loss[i] == pytest.approx(loss[-1])
            assert found.settled[i] == pytest.approx(sum(settled))

    def test_nothing_is_settled_before_it_has_the_least_number_of_judgments(self) -> None:
        result = fit(simulate(200, 10, 2, 2.5, accuracy=0.9, seed=1).judgments)
        table = escalate(result, min_judgments=4, target=0.6)
        assert (table["needed_low"] >= 4 - table["n_judgments"]).all()
        assert (table["judgments_needed"] >= 4 - table["n_judgments"]).all()

    def test_workers_save_no_more_than_there_is_to_lose(self) -> None:
        columns = np.array([[0.2, 0.3, 0, 0, 0, 0, 0], [0.2, 0.1, 0, 0, 0, 0, 0]])
        for worth, price, expected in (
            ([9.0, 9.0], [1.0, 1.0], [0.3, 0.2]),
            ([0.5, 0.5], [4.0, 4.0], [0.025, 0.025]),
            ([1.0, 1.0], [1.0, 4.0], [0.2, 0.05]),
        ):
            ahead = look_ahead.LookAhead(columns.copy(), np.zeros((2, 0), np.int64), np.zeros((2, 0)))
            ahead.weigh_by_workers(np.array(worth), np.array(price))
            assert ahead.priority.tolist() == expected
            assert (ahead.columns[:, 1:] == columns[:, 1:]).all()


class TestExperts:
    def crowd(self, times: bool, votes: Any = None) -> Any:
        """Forty clear items, and one whose best label changes twice as its six judgments come in."""
        rows: list[Any] = []
        minute = np.datetime64("2026-01-01T00:00", "s")
        for i in range(40):
            rows += [(f"clear{i:02}", f"w{w}", f"l{i % 2}", minute) for w in range(6)]
        said = ["l0", "l1", "l1", "l0", "l0", "l1"]
        rows += [("torn", f"w{w}", label, minute + w) for w, label in enumerate(said)]
        names = ("item", "worker", "label", "timestamp")[: 4 if times else 3]
        return fit({name: [str(row[n]) for row in rows] for n, name in enumerate(names)}, rho=0.1, model_votes=votes)

    def test_whose_label_changed_twice(self) -> None:
        settings: Any = {"max_judgments": 20, "expert_below": 0.0}
        assert escalate(self.crowd(times=False), **settings)["reason"].tolist() == ["disagreement"]
        assert escalate(self.crowd(times=True), **settings)["reason"].tolist() == ["needs_expert"]

    @pytest.mark.parametrize("voted_on", ["torn", "clear00"])
    def test_what_models_say_is_no_change(self, voted_on: str) -> None:
        """With a vote on the torn item it is not known which label was best when."""
        result = self.crowd(times=True, votes={"item": [voted_on], "model": ["m"], "label": ["l0"]})
        table = escalate(result, target=0.9999999, max_judgments=20, expert_below=0.0).set_index("item")
        assert table.loc["torn", "reason"] == ("disagreement" if voted_on == "torn" else "needs_expert")

    def test_who_will_not_be_settled(self) -> None:
        result = fit(simulate(200, 10, 2, 5, accuracy=0.65, seed=1).judgments, rho=0.5)
        late = escalate(result, max_judgments=7)
        assert (late["reason"] == "needs_expert").any()
        assert late["judgments"][late["reason"] == "needs_expert"].eq(0).all()
        kept = escalate(result, max_judgments=7, expert_below=0.0)
        assert not (kept["reason"] == "needs_expert").any()
        low = set(kept["item"][(kept["p_settled"] < 0.5) & (kept["n_judgments"] >= 5)])
        assert low == set(late["item"][late["reason"] == "needs_expert"])

    @pytest.mark.compiled
    @pytest.mark.every_path
    def test_coins_end_with_an_expert_and_cost_no_more_than_the_cap(self) -> None:
        """15 % of the items are coin flips; every round asks what is listed."""
        rng = np.random.default_rng(0)
        coin = np.arange(200) < 30
        rows = []

        def judge(i: int, w: int) -> None:
            truth = i % 2
            right = 0.5 if coin[i] else 0.85
            rows.append((f"i{i:03}", f"w{w}", f"l{truth if rng.random() < right else 1 - truth}"))

        for i in range(200):
            for w in rng.choice(20, 2, replace=False):
                judge(i, int(w))
        for _ in range(12):  # an item that was settled may be open again
            table = escalate(fit(encoded(rows), rho=0.1), target=0.98, max_judgments=6)
            todo = table[table["judgments"] > 0]
            if todo.empty:
                break
            for item, many, suggested in zip(todo["item"], todo["judgments"], todo["suggested_workers"], strict=True):
                for name in suggested.split(" | ")[:many]:
                    judge(int(item[1:]), int(name[1:]))
        n = fit(encoded(rows), rho=0.1).judgments.per_item
        assert n.max() <= 6
        assert n[coin].sum() <= 6 * 30
        assert set(table["reason"]) == {"needs_expert"}
        waiting = {int(item[1:]) for item in table["item"]}
        assert len(waiting & set(range(30))) > 15


class TestCosts:
    @pytest.mark.compiled
    def test_priority_under_costs(self) -> None:
        from consensus import read_costs

        result = fit(simulate(200, 8, 2, 3, accuracy=0.7, seed=2).judgments, rho=0.3)
        costs = read_costs({"true": ["label_0", "label_1"], "decided": ["label_1", "label_0"], "cost": [5, 1]})
        table = escalate(result, costs=costs, target=0.99, max_judgments=9)
        plain = escalate(result, target=0.99, max_judgments=9)
        assert table["item"].tolist() != plain["item"].tolist()
        found = planned(result, EscalateConfig(target=0.99, max_judgments=9), costs=costs.align(result.judgments))
        q = result.posterior[found.items]
        now = np.minimum(q[:, 1] * 1.0, q[:, 0] * 5.0)
        np.testing.assert_allclose(found.ahead.loss[found.at], now, rtol=1e-9)
        assert np.isnan(outlook(result, found).accuracy)
