"""Newcomers who contradict the experienced: who is found, what they then count for, and what follows for labels."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

import consensus
from consensus import read, read_gold, worker_audit
from consensus.backends import Threads
from consensus.config import FitConfig
from consensus.explanation import explain
from consensus.found.result import Consensus
from consensus.inputs.judgments import Judgments
from consensus.kernels import newcomer_loops
from consensus.models import lure, newcomers, starts, subtypes
from consensus.models.base import Execution
from consensus.models.expectation_maximisation import climb
from consensus.models.newcomers import BANDS, at_odds, shrunk
from consensus.models.newcomers_as_one import AsOne, Kinds, of_one
from consensus.models.problem import Problem
from consensus.models.states import States
from consensus.worker_audit.accuracy import against_others
from consensus.worker_audit.copying.groups_as_one import fit_without_copies
from consensus.worker_audit.over_time import since_change
from tests import naive_newcomers
from tests.attack_crowds import Crowd, Recipe, draw

ONE = Threads(1)
SMALL = Recipe("sybils", n_items=150, n_honest=15)
BESIDE = Recipe("sybils", hostile=0.4, newcomers=0.15, n_labels=4)
B = len(BANDS)


def found_in(crowd: Crowd) -> newcomers.Newcomers | None:
    return at_odds(read(crowd.table), None, ONE)


def right(result: Consensus, crowd: Crowd) -> float:
    labels = result.labels
    return float(np.mean([crowd.truth[i] == said for i, said in zip(labels["item"], labels["label"], strict=True)]))


def codes(result: Consensus) -> set[str]:
    return {one.code for one in result.warnings}


def bands(judgments: Judgments) -> list[int]:
    return [0 if n <= 4 else 1 if n <= 9 else 2 for n in judgments.per_worker]


class TestWhoIsFound:
    @pytest.mark.parametrize("n_labels", [2, 3])
    def test_sums_are_those_of_all_pairs(self, n_labels: int) -> None:
        judgments = read(draw(replace(SMALL, n_items=40, n_labels=n_labels, newcomers=0.2), 1).table)
        band = [-1 if w % 7 == 3 else b for w, b in enumerate(bands(judgments))]
        told = newcomers._told(judgments, np.array(band, np.int32), ONE)
        for b in range(B):
            each = naive_newcomers.per_item(judgments, band, b, B)
            np.testing.assert_allclose(told.sums[b], np.sum(each, axis=0) if each else 0.0, rtol=1e-9)
            np.testing.assert_allclose(told.within[b], naive_newcomers.within(judgments, band, b), rtol=1e-9)
            if not each:
                continue
            np.testing.assert_allclose(told.moments[b], np.array(each).T @ np.array(each), rtol=1e-9)
            np.testing.assert_allclose(told.chances[b], naive_newcomers.chances(judgments, band, b, B), rtol=1e-9)
            weight = (-0.4, 1.1, -0.6)
            expected = naive_newcomers.errors(each, weight)
            assert told._errors(b, np.array(weight)) == pytest.approx(expected, rel=1e-9)

    def test_what_newcomers_say_beside_each_of_the_experienced(self) -> None:
        judgments = read(draw(replace(SMALL, n_items=40), 2).table)
        band = np.array(bands(judgments), np.int32)
        told = np.zeros((judgments.n_workers, 3))
        newcomer_loops.with_newcomers(
            judgments.item_start, judgments.worker, judgments.label, band, B, judgments.n_labels, told
        )
        np.testing.assert_allclose(told, naive_newcomers.with_newcomers(judgments, band.tolist(), B), rtol=1e-9)

    def test_who_they_are_and_how_far_they_agree(self) -> None:
        crowd = draw(Recipe("sybils"), 1)
        judgments, found = read(crowd.table), found_in(crowd)
        assert found is not None
        names = judgments.worker_ids.to_pylist()
        assert {name for name, b in zip(names, found.band, strict=True) if b >= 0} == crowd.hostile
        assert found.n_judgments == 900
        assert found.agreed == pytest.approx(0.2, abs=0.05)
        assert found.within == 1.0
        assert found.expected == pytest.approx(0.68, abs=0.05)
        np.testing.assert_array_equal(found.apart, found.band < 0)

    @pytest.mark.parametrize("threads", [1, 3])
    def test_threads_change_nothing(self, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("consensus.backends.SMALLEST_SHARD", 100)
        judgments = read(draw(SMALL, 1).table)
        one, many = (at_odds(judgments, None, Threads(n)) for n in (1, threads))
        assert one is not None
        assert many is not None
        np.testing.assert_array_equal(one.band, many.band)
        assert (one.agreed, one.expected, one.within) == (many.agreed, many.expected, many.within)

    @pytest.mark.parametrize("accuracy", [0.7, 0.8, 0.9])
    @pytest.mark.parametrize("n_labels", [2, 4, 10])
    def test_honest_newcomers_are_workers_like_all_others(self, accuracy: float, n_labels: int) -> None:
        assert found_in(draw(Recipe("newcomers", accuracy=accuracy, n_labels=n_labels), 1)) is None

    @pytest.mark.parametrize("attack", ["spammers", "constant", "adversaries", "colluders", "gold_aware", "sleepers"])
    def test_honest_newcomers_beside_experienced_who_attack(self, attack: Any) -> None:
        assert found_in(draw(Recipe(attack, hostile=0.3, newcomers=0.2), 1)) is None

    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_where_some_of_the_experienced_side_with_them_nobody_knows_who_is_right(
        self, seed: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        crowd = draw(Recipe("colluders", hostile=0.6, newcomers=0.2, n_labels=4), seed)
        assert found_in(crowd) is None
        monkeypatch.setattr(newcomers, "SIDED", 1.0)
        assert found_in(crowd) is not None

    def test_some_are_told_from_others_by_activity(self) -> None:
        """Accounts of 5 to 9 judgments are a band of their own: here they are honest."""
        crowd = draw(Recipe("sybils"), 1)
        middle = pd.DataFrame(
            {"item": f"i{(7 * m + n) % 600}", "worker": f"m{m}", "label": crowd.truth[f"i{(7 * m + n) % 600}"]}
            for m in range(40)
            for n in range(6)
        )
        judgments = read(pd.concat([crowd.table, middle]))
        found = at_odds(judgments, None, ONE)
        assert found is not None
        assert set(found.band[[name.startswith("m") for name in judgments.worker_ids.to_pylist()]]) == {-1}

    def test_a_band_of_busier_accounts(self) -> None:
        crowd = draw(Recipe("sybils"), 1)
        tiny = crowd.table["worker"].str.startswith("x")
        table = crowd.table.copy()
        table.loc[tiny, "worker"] = [f"x{n // 7}" for n in range(int(tiny.sum()))]
        found = at_odds(read(table.drop_duplicates(["item", "worker"])), None, ONE)
        assert found is not None
        assert set(found.band) == {-1, 1}

    def test_nobody_without_experienced_or_newcomers_or_several_labels(self) -> None:
        crowd = draw(SMALL, 1)
        tiny = crowd.table["worker"].str.startswith("x")
        assert at_odds(read(crowd.table[tiny]), None, ONE) is None
        assert at_odds(read(crowd.table[~tiny]), None, ONE) is None
        assert at_odds(read(crowd.table.assign(label="a")), None, ONE) is None
        two = crowd.table[tiny].iloc[:30].assign(item=lambda t: "apart " + t["item"])
        assert at_odds(read(pd.concat([crowd.table[~tiny], two])), None, ONE) is None  # nobody beside them

    def test_where_all_say_the_same_nothing_is_beyond_chance(self) -> None:
        crowd = draw(SMALL, 1)
        table = crowd.table.assign(label="a")
        table.loc[0, "label"] = "b"
        assert at_odds(read(table, repeats="last"), None, ONE) is None

    def test_weights_and_clusters_are_left_alone(self) -> None:
        crowd = draw(SMALL, 1)
        judgments = read(crowd.table.assign(weight=2.0), weight="weight")
        assert judgments.is_weighed
        assert at_odds(judgments, None, ONE) is None
        assert "newcomers_disagree" not in codes(consensus.fit(judgments))

    def test_gold_has_a_veto(self) -> None:
        crowd = draw(SMALL, 1)
        judgments = read(crowd.table)
        assert at_odds(judgments, None, ONE) is not None
        other = {"c0": "c1", "c1": "c0"}
        for by_truth, vetoed in ((False, True), (True, False)):
            known = {name: k if by_truth else other[k] for name, k in [*crowd.truth.items()][:60]}
            gold = read_gold(known).align(judgments)
            assert (at_odds(judgments, gold, ONE) is None) == vetoed
        few = read_gold({"i0": other[crowd.truth["i0"]]}).align(judgments)
        assert at_odds(judgments, few, ONE) is not None

    def test_workers_drawn_to_the_mean_of_all(self) -> None:
        rng = np.random.default_rng(1)
        n = np.full(300, 40)
        true = np.where(np.arange(300) < 100, 0.7, 0.2)
        hits = rng.binomial(n, true).astype(np.float64)
        found = shrunk(n.astype(np.float64), hits, hits)
        assert np.abs(found - true).mean() < np.abs(hits / n - true).mean()
        assert found[:100].mean() == pytest.approx(0.7, abs=0.05)
        alike = rng.binomial(n, 0.4).astype(np.float64)
        assert np.ptp(shrunk(n.astype(np.float64), alike, alike)) < 0.2 * np.ptp(alike / n)

    def test_how_often_coins_are_right(self) -> None:
        for K in (2, 4, 10):
            for a in (0.6, 0.8, 1.0):
                assert newcomers._right(a**2 + (1 - a) ** 2 / (K - 1), None, K) == pytest.approx(a)
                for other in (0.0, 0.3, 0.9):
                    agreement = other * a + (1 - other) * (1 - a) / (K - 1)
                    assert newcomers._right(agreement, a, K) == pytest.approx(other, abs=1e-9)

    def test_those_who_err_together_count_for_less(self) -> None:
        two, four = (found_in(draw(Recipe("sybils", n_labels=K), 1)) for K in (2, 4))
        assert two is not None
        assert four is not None
        assert two.power[0] > 0.9  # with two labels, whoever is always wrong always agrees
        assert four.power[0] == pytest.approx(1 / (1 + 4 * 0.3), abs=0.06)  # all others on an item: 4 of 5 at 30 %
        assert four.power[1] == 1.0
        assert replace_all_alone(draw(SMALL, 1)).power[0] == 1.0


def replace_all_alone(crowd: Crowd) -> newcomers.Newcomers:
    """Newcomers of whom never two judge an item: nothing tells whether they err together."""
    tiny = crowd.table["worker"].str.startswith("x")
    first = crowd.table[tiny].drop_duplicates("item")
    found = at_odds(read(pd.concat([crowd.table[~tiny], first])), None, ONE)
    assert found is not None
    assert np.isnan(found.within)
    assert "with each other in nan" not in newcomers.disagree(read(crowd.table), found).message
    return found


class TestAsOne:
    @pytest.mark.parametrize(
        "states", [States(3), subtypes.states(3), lure.states(2), lure.states(3), subtypes.states(2)]
    )
    def test_what_they_say_is_one_number_for_each_kind_of_cells(self, states: States) -> None:
        K = states.n_labels
        counts = np.random.default_rng(1).gamma(2.0, 3.0, (states.n, K))
        kinds = Kinds.among(states)
        p = kinds.shares(np.ascontiguousarray(counts.T))
        C = (p / kinds.cells)[kinds.of]
        np.testing.assert_allclose(C, naive_newcomers.one_number(counts, states.tempt, K), rtol=1e-9)
        np.testing.assert_allclose(C.sum(axis=1), 1.0, rtol=1e-12)

    def test_the_prior_is_learnt_from_the_others(self) -> None:
        crowd = draw(Recipe("sybils"), 1)
        problem = Problem.of(read(crowd.table), None, FitConfig(), ONE)
        alone = Problem.of(read(crowd.clean), None, FitConfig(), ONE)
        run = Execution(ONE)
        A, clean = climb(problem, None, run).A, climb(alone, None, run).A
        assert (np.diag(A) / A.sum(axis=1)).min() > 0.7
        np.testing.assert_allclose(np.diag(A) / A.sum(axis=1), np.diag(clean) / clean.sum(axis=1), atol=0.06)
        assert not problem.small

    @pytest.mark.parametrize(("n_labels", "prior"), [(2, "learnt"), (4, "learnt"), (3, "fixed")])
    def test_the_objective_never_falls(self, n_labels: int, prior: Any) -> None:
        judgments = read(draw(Recipe("sybils", n_labels=n_labels, newcomers=0.1), 1).table)
        problem = Problem.of(judgments, None, FitConfig(prior=prior), ONE)
        assert problem.newcomers is not None
        found = climb(problem, None, Execution(ONE)).convergence
        assert found.converged
        exact = found.objective[found.frozen_at :]
        assert all(after >= before - 1e-7 for before, after in pairwise(exact))

    def test_the_density_is_that_of_the_workers_apart_and_of_one_coin(self) -> None:
        """With the accounts taken for one, no worker without judgments is left in the objective."""
        from scipy.special import gammaln

        problem = Problem.of(read(draw(SMALL, 1).table), None, FitConfig(prior="fixed"), ONE)
        assert problem.newcomers is not None
        tables = problem.layout.tables()
        problem.layout.count(starts.usual(problem), problem.prior_row, tables, ONE)
        N, n = tables.N.copy(), tables.n.copy()
        newcomer = problem.newcomers.band >= 0
        as_one = AsOne(problem)
        as_one.hide(tables)
        assert not tables.n[newcomer].any()
        np.testing.assert_array_equal(tables.n[~newcomer], n[~newcomer])
        A = problem.pseudo_counts
        K = len(A)
        told = as_one.answer(A, tables)
        mine = newcomer[problem.rows.worker]
        pooled = np.array([[N[mine & (problem.rows.label == o), k].sum() for o in range(K)] for k in range(K)])
        C = naive_newcomers.one_number(pooled, False, K)
        power = problem.newcomers.power[0]
        np.testing.assert_allclose(tables.C[mine, :K], (C.T**power)[problem.rows.label[mine]], rtol=1e-9)
        at_mean = sum(
            gammaln(A[k].sum() + K) - sum(gammaln(a + 1) for a in A[k]) + sum(a * np.log(a / A[k].sum()) for a in A[k])
            for k in range(K)
        )
        coins = power * (np.log(C[0, 0]) / K + (K - 1) / K * np.log(C[0, 1]))
        empty = (K - 1 + 1) / K * np.log(1 / K)  # the coin of the other band, that nobody is in
        assert told == pytest.approx(coins + empty - newcomer.sum() * at_mean, rel=1e-6)

    def test_one_judgment_is_a_probability_whatever_it_counts_for(self) -> None:
        problem = Problem.of(read(draw(BESIDE, 1).table), None, FitConfig(), ONE)
        assert problem.newcomers is not None
        K, own = problem.judgments.n_labels, problem.newcomers.band[problem.rows.worker] >= 0
        counts = np.random.default_rng(1).gamma(2.0, 3.0, (K, K))
        coin = naive_newcomers.one_number(counts, False, K)
        C = np.full((len(own), K), 0.25)
        tau = problem.newcomers.power[0]
        assert tau < 1
        C[own] = (coin.T**tau)[problem.rows.label[own]]
        alone = of_one(C, problem)
        np.testing.assert_allclose(alone[own], coin.T[problem.rows.label[own]], rtol=1e-12)
        np.testing.assert_array_equal(alone[~own], 0.25)
        assert of_one(C, replace(problem, newcomers=None)) is C

    @pytest.mark.parametrize(("states", "counts_whole"), [(lure.states, True), (subtypes.states, False)])
    def test_they_count_whole_where_a_lure_explains_why_they_agree(self, states: Any, counts_whole: bool) -> None:
        crowd = draw(BESIDE, 1)
        problem = Problem.of(read(crowd.table), None, FitConfig(), ONE)
        over = problem.over(states(4), climb(problem, None, Execution(ONE)))
        assert over.newcomers is not None
        C = np.full((len(over.rows.label), over.states.n), 0.25)  # type: ignore[union-attr]
        assert np.array_equal(of_one(C, over), C) is counts_whole

    def test_em_starts_from_the_others(self) -> None:
        crowd = draw(SMALL, 1)
        problem = Problem.of(read(crowd.table), None, FitConfig(), ONE)
        of: Any = starts.usual(problem)
        among_all = Problem.of(read(crowd.table), None, FitConfig(prior="none"), ONE)
        assert among_all.newcomers is None
        expected = starts.majority(read(crowd.clean.assign(item=crowd.clean["item"])), ONE)
        judged = read(crowd.clean).item_ids.to_pylist()
        place = [problem.judgments.item_ids.to_pylist().index(name) for name in judged]
        np.testing.assert_array_equal(of(slice(0, problem.judgments.n_items))[place], expected)

    def test_gold_rates_them_together(self) -> None:
        crowd = draw(replace(SMALL, gold=0.1), 1)
        judgments = read(crowd.table)
        problem = Problem.of(judgments, read_gold(crowd.gold).align(judgments), FitConfig(), ONE)
        assert problem.newcomers is not None
        ones = np.ones(judgments.n_workers, np.int64)
        n_tiny = int((~problem.newcomers.apart).sum())
        np.testing.assert_array_equal(problem.newcomers.together(ones), np.where(problem.newcomers.apart, 1, n_tiny))
        z = starts.gold(problem, ONE)
        said = np.array([f"c{k}" for k in z.argmax(axis=1)])
        truth = np.array([crowd.truth[name] for name in judgments.item_ids.to_pylist()])
        assert (said == truth).mean() > 0.8

    def test_who_gives_one_label_only_stays_apart(self) -> None:
        """Beside workers whose silence counts, too."""
        crowd = draw(Recipe("sybils", n_labels=3), 1)
        rule = [name for name, k in crowd.truth.items() if k == "c0"][:150]
        others = pd.DataFrame({"item": rule, "worker": "rule", "label": "c0"})
        judgments = read(pd.concat([crowd.table, others]))
        problem = Problem.of(judgments, None, FitConfig(), ONE)
        assert problem.one_label is not None
        assert problem.newcomers is not None
        assert (problem.newcomers.band[problem.one_label.worker] == -1).all()
        assert right(consensus.fit(judgments), crowd) > 0.9


@pytest.mark.compiled
class TestLabels:
    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize(
        ("n_labels", "hostile", "least"), [(2, 0.3, 0.95), (2, 0.6, 0.95), (4, 0.3, 0.89), (10, 0.45, 0.82)]
    )
    def test_sybils_do_not_outvote_the_experienced(
        self, seed: int, n_labels: int, hostile: float, least: float
    ) -> None:
        crowd = draw(Recipe("sybils", hostile=hostile, n_labels=n_labels), seed)
        result = consensus.fit(read(crowd.table))
        assert right(result, crowd) > least
        caution = next(one for one in result.warnings if one.code == "newcomers_disagree")
        assert caution.values["n_judgments"] == 3000 * hostile
        assert caution.values["within"] == 1.0
        assert f"({3000 * hostile:,.0f} judgments, {hostile:.0%} of all)" in caution.message
        workers = consensus.audit(result)
        workers = workers[workers["worker"].str.startswith("h") & (workers["n_judgments"] >= 20)]
        assert not workers["verdict"].isin(["spammer", "adversarial"]).any()

    @pytest.mark.parametrize("model", ["average", "dawid_skene"])
    @pytest.mark.parametrize("gold", [0.02, 0.05])
    def test_gold_beside_them(self, model: str, gold: float) -> None:
        crowd = draw(Recipe("sybils", hostile=0.4, gold=gold), 1)
        result = consensus.fit(read(crowd.table), gold=crowd.gold, model=model)
        assert right(result, crowd) > 0.95
        assert result.gold_posterior is not None
        at = result.judgments.item_ids.to_pylist()
        k = [int(crowd.gold[at[i]][1:]) for i in result.gold.items]  # type: ignore[union-attr]
        assert np.mean(result.gold_posterior[np.arange(len(k)), k] > 0.5) > 0.9  # as if their gold were unknown

    def test_mixed_with_honest_newcomers(self) -> None:
        crowd = draw(Recipe("sybils", newcomers=0.2), 1)
        result = consensus.fit(read(crowd.table))
        assert right(result, crowd) > 0.85

    @pytest.mark.slow
    @pytest.mark.compiled
    @pytest.mark.parametrize(("n_labels", "seed"), [(4, 20), (4, 21), (10, 20), (10, 21)])
    def test_honest_newcomers_beside_them_are_not_lost(self, n_labels: int, seed: int) -> None:
        """As many honest newcomers, that nobody can tell one by one, cost 5 points if all newcomers are silent."""
        crowd = draw(Recipe("sybils", hostile=0.4, newcomers=0.15, n_labels=n_labels), seed)
        result = consensus.fit(read(crowd.table))
        assert "newcomers_disagree" in codes(result)
        assert right(result, crowd) > right(consensus.fit(read(crowd.clean)), crowd) - 0.04

    def test_where_none_are_at_odds_nothing_changes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        table = draw(replace(SMALL, attack="newcomers"), 1).table
        usual = consensus.fit(read(table))
        monkeypatch.setattr(newcomers, "at_odds", lambda *_: None)
        again = consensus.fit(read(table))
        np.testing.assert_array_equal(usual.posterior, again.posterior)
        assert "newcomers_disagree" not in codes(usual)

    def test_maximum_likelihood_is_the_classic_one(self) -> None:
        assert "newcomers_disagree" not in codes(consensus.fit(read(draw(SMALL, 1).table), prior="none"))

    def test_rho_is_measured_with_them_as_one(self) -> None:
        crowd = draw(Recipe("sybils"), 1)
        result = consensus.fit(read(crowd.table), model="dawid_skene", rho="measured")
        assert right(result, crowd) > 0.95

    def test_gold_is_explained_as_if_it_were_unknown(self) -> None:
        crowd = draw(replace(SMALL, gold=0.1, hostile=0.4), 1)
        result = consensus.fit(read(crowd.table), gold=crowd.gold, model="dawid_skene")
        assert result.gold is not None
        assert result.gold_posterior is not None
        told = explain(result, result.gold.items.astype(np.int64))
        for one, p in zip(told, result.gold_posterior, strict=True):
            assert one.confidence == pytest.approx(p.max(), abs=1e-9)

    def test_copies_are_merged_beside_them(self) -> None:
        crowd = draw(Recipe("sybils"), 1)
        half = crowd.table["worker"] == "h0"
        copies = pd.concat([crowd.table, *(crowd.table[half].assign(worker=f"copy{n}") for n in range(3))])
        result = fit_without_copies(read(copies), collusion="merge")
        assert right(result, crowd) > 0.9
        assert len(consensus.audit(result)) > 400

    def test_who_changed_is_rated_beside_them(self) -> None:
        crowd = draw(Recipe("sybils", n_honest=20), 1)
        table = crowd.table.assign(timestamp=np.arange(len(crowd.table)))
        changed = table["worker"].isin(["h0", "h1"])
        true = table["item"].map(crowd.truth)
        table["label"] = table["label"].where(~changed, true.where(table["timestamp"] < 1500, "c0"))
        result = consensus.fit(read(table, timestamp="timestamp"))
        found = since_change.since_change(result, worker_audit.drifts(result))
        assert found is not None
        assert result.confusions.as_one is not None
        told = found.result.confusions.as_one
        assert told is not None
        n = len(result.confusions.as_one)
        np.testing.assert_array_equal(told[:n], result.confusions.as_one)
        assert np.isnan(told[n:]).all()
        assert len(told) == len(found.result.confusions.row_worker)
        workers = consensus.audit(result).set_index("worker")
        honest = [f"h{w}" for w in range(2, 20)]
        assert not workers.loc[honest, "verdict"].isin(["spammer", "adversarial"]).any()

    def test_others_are_held_against_what_they_count_for(self) -> None:
        crowd = draw(SMALL, 1)
        result = consensus.fit(read(crowd.table), model="dawid_skene")
        assert result.terms is not None
        judgments, C = result.judgments, result.terms.C[:, :2]
        newcomer = np.array([name.startswith("x") for name in judgments.worker_ids.to_pylist()])[judgments.worker]
        found = against_others.likelihoods(result, judgments.worker, judgments.label)
        np.testing.assert_allclose(found[newcomer], C[result.row[newcomer]], rtol=1e-12)
        cells = against_others.cell_likelihoods(result).reshape(-1, 2)
        np.testing.assert_allclose(cells[result.row], np.maximum(found, 1e-10), rtol=1e-9)
        np.testing.assert_allclose(found[~newcomer], C[result.row[~newcomer]], atol=0.02)

    def test_beside_votes_of_models(self) -> None:
        crowd = draw(Recipe("sybils"), 1)
        rng = np.random.default_rng(1)
        wrong = {"c0": "c1", "c1": "c0"}
        votes = pd.DataFrame(
            {"item": i, "model": f"m{m}", "label": k if rng.random() < 0.8 else wrong[k]}
            for i, k in crowd.truth.items()
            for m in range(2)
        )
        result = consensus.fit(read(crowd.table), model_votes=votes)
        assert "newcomers_disagree" in codes(result)
        assert right(result, crowd) > 0.9
