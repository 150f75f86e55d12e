"""Majority votes, and where EM starts: shares, confusions and starts, counted by hand."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from consensus import fit, read, segments
from consensus.backends import Threads
from consensus.config import FitConfig
from consensus.models import starts
from consensus.models.cavity import _times
from consensus.models.dense_layout import Rows
from consensus.models.problem import Problem
from consensus.simulation import simulate
from tests import naive
from tests.strategies import encoded, voted

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

ONE = Threads(1)


class TestMajorityVote:
    def test_shares_and_confusions(self) -> None:
        judged = [("a", "u", "x"), ("a", "v", "x"), ("a", "w", "y"), ("b", "u", "y"), ("b", "v", "x"), ("c", "u", None)]
        result = fit(encoded(judged), model="majority_vote")
        np.testing.assert_allclose(result.posterior, [[2 / 3, 1 / 3], [1 / 2, 1 / 2], [1 / 2, 1 / 2]])
        np.testing.assert_allclose(result.prior_shares, [7 / 12, 5 / 12])  # of the two that were judged
        N = np.zeros((3, 2, 2))
        for w, (of_a, of_b) in enumerate(((0, 1), (0, 0), (1, None))):
            N[w, 0, of_a] += 1  # the majority of a is x
            if of_b is not None:
                N[w, :, of_b] += 0.5  # that of b is open
        np.testing.assert_allclose(result.confusions.dense_counts(), N)
        assert result.confusions.pseudo_counts.tolist() == [[4, 1], [1, 4]]
        assert result.convergence.status == "not_iterative"
        assert (result.convergence.iterations, result.rho) == (0, 0.0)

    def test_gold(self) -> None:
        """Items take their gold, and the shares are its audit."""
        judged = [(f"i{i}", f"w{w}", f"l{(i + (w == 2)) % 3}") for i in range(6) for w in range(3)]
        gold = {"item": ["i0", "i1", "i1"], "label": ["l1", "l1", "l2"]}
        result = fit(encoded(judged), gold=gold, model="majority_vote")
        np.testing.assert_allclose(result.posterior[:2], [[0.0, 1.0, 0.0], [0.0, 0.5, 0.5]])
        assert result.gold_posterior is not None
        np.testing.assert_allclose(result.gold_posterior, [[2 / 3, 1 / 3, 0], [0, 2 / 3, 1 / 3]])
        hard = np.eye(3)[[0, 1, 2, 0, 1, 2]]
        hard[:2] = [[0.0, 1.0, 0.0], [0.0, 0.5, 0.5]]
        np.testing.assert_allclose(result.confusions.dense_counts(), naive.counts(result.judgments, hard))

    @pytest.mark.parametrize("gold", [None, {"item": ["a"], "label": ["x"]}])
    def test_one_judgment_an_item_is_identified_by_gold_alone(self, gold: Any) -> None:
        result = fit(encoded([("a", "v", "x"), ("b", "w", "y")]), gold=gold, model="majority_vote")
        assert result.identified == (gold is not None)
        assert result.convergence.status == ("not_identified" if gold is None else "not_iterative")
        (told,) = (one.message for one in result.warnings if one.code == "one_judgment_per_item")
        assert ("only the gold items tell" in told) == (gold is not None)

    @pytest.mark.parametrize("model", ["majority_vote", "average"])
    @pytest.mark.parametrize("gold", [None, {"item": ["a"], "label": ["x"]}])
    def test_people_without_names_are_no_worker_whom_gold_tells(self, gold: Any, model: str) -> None:
        rows = {"item": ["a", "b"], "label": ["x", "y"], "n": ["1", "1"]}
        result = fit(read(rows, counts="n"), gold=gold, model=model)
        (told,) = (one.message for one in result.warnings if one.code == "one_judgment_per_item")
        assert told.startswith("no item was judged twice, and all judgments are anonymous")
        assert ("tell only how good all workers are together; collect" in told) == (gold is not None)
        assert told.endswith("sample at least" if gold else "sample at least, or give gold")

    @pytest.mark.parametrize(
        ("settings", "said"),
        [
            ({}, []),
            ({"rho": 0.1}, ["--rho changes nothing here: "]),
            ({"prior": "none", "max_iterations": 3}, ["--prior and --max-iterations change nothing here: "]),
            ({"rho": 0}, ["--rho changes nothing here: "]),
        ],
    )
    def test_settings_that_it_passes_over(self, settings: Any, said: list[str]) -> None:
        judged = encoded([("a", "v", "x"), ("a", "w", "y")])
        result = fit(judged, model="majority_vote", **settings)
        found = [one.message for one in result.warnings if one.code == "settings_unused"]
        rest = "the majority vote counts everybody alike; leave this out, or take another --model"
        assert found == [line + rest for line in said]
        assert "groups_unused" not in {one.code for one in result.warnings}

    def test_groups_that_it_passes_over(self) -> None:
        table = {"item": ["a", "a"], "worker": ["v", "w"], "label": ["x", "y"], "batch": ["1", "1"]}
        result = fit(read(pd.DataFrame(table), group="batch"), model="majority_vote")
        (told,) = (one.message for one in result.warnings if one.code == "groups_unused")
        assert told == "--group changes nothing here: the majority vote takes no priors of items; leave it out"

    def test_items_that_only_a_model_spoke_of(self) -> None:
        """The label that the first of them names; of an item that nobody spoke of none."""
        judgments = encoded([("a", "v", "x"), ("b", "v", "y"), ("d", "v", None)])
        votes = voted([("c", "m", "y"), ("e", "n", "x")], ("x", "y"))
        result = fit(judgments, model_votes=votes)
        assert not result.identified
        np.testing.assert_allclose(result.posterior, [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.5, 0.5], [1.0, 0.0]])
        np.testing.assert_allclose(result.prior_shares, [0.5, 0.5])
        more = fit(judgments, model_votes=voted([("c", "m", "y"), ("e", "n", "y")], ("x", "y")))
        np.testing.assert_allclose(more.prior_shares, [1 / 4, 3 / 4])


class TestStarts:
    @pytest.mark.parametrize("n_shards", [1, 3])
    def test_agreement_with_the_majority(self, n_shards: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(segments, "number_of_shards", lambda *_: n_shards)
        judgments = simulate(40, 6, 3, 3, accuracy=0.5, seed=2).judgments
        majority = naive.vote_posterior(judgments, True)
        n_agreed, mass = starts.by_majority(judgments, ONE)
        expected = [majority[judgments.item[judgments.worker == w], judgments.label[judgments.worker == w]].sum()
                    for w in range(6)]  # fmt: skip
        np.testing.assert_allclose(n_agreed, expected)
        np.testing.assert_allclose(mass, majority.sum(axis=0))
        np.testing.assert_allclose(starts.majority(judgments, ONE), majority)
        np.testing.assert_allclose(starts.shares(judgments, ONE), naive.vote_posterior(judgments, False))

    @pytest.mark.parametrize("K", [2, 4])
    def test_mirrored_and_gold(self, K: int) -> None:
        """One coin a worker, worse the more they agree; or as right as on gold, where a right and a wrong are added."""
        drawn = simulate(40, 6, K, 3, accuracy=0.6, seed=2)
        judgments, names = drawn.judgments, drawn.judgments.labels
        n_agreed, _ = starts.by_majority(judgments, ONE)

        def one_coin(accuracy: Any) -> Any:
            return np.array(
                [np.full((K, K), (1 - a) / (K - 1)) + (a - (1 - a) / (K - 1)) * np.eye(K) for a in accuracy]
            )

        problem = Problem.of(judgments, None, FitConfig(), ONE)
        C = one_coin(1 - (n_agreed + 1) / (judgments.per_worker + 2))
        expected, _ = naive.posteriors(judgments, C, np.full(K, 1 / K))
        np.testing.assert_allclose(starts.mirrored(problem, n_agreed, ONE), expected)
        ids = judgments.item_ids.to_pylist()
        gold = {"item": ids[:9], "label": [names[k] for k in drawn.truth[:9]]}
        from consensus.formats import read_gold

        audited = Problem.of(judgments, read_gold(gold).align(judgments), FitConfig(), ONE)
        on = judgments.item < 9
        right = np.bincount(judgments.worker[on & (drawn.truth[judgments.item] == judgments.label)], minlength=6)
        C = one_coin((right + 1) / (np.bincount(judgments.worker[on], minlength=6) + 2))
        accepted = {i: {int(drawn.truth[i])} for i in range(9)}
        expected, _ = naive.posteriors(judgments, C, np.full(K, 1 / K), accepted)
        np.testing.assert_allclose(starts.gold(audited, ONE), expected)


def test_counts_of_all_workers_together() -> None:
    """By true and observed label."""
    judgments = simulate(30, 5, 3, 3, accuracy=0.6, seed=2).judgments
    rows = Rows.of(judgments, ONE)
    tables = rows.tables()
    z = np.random.default_rng(0).dirichlet(np.ones(3), 30)
    rows.count(z, np.zeros(30, np.int32), tables, ONE)
    np.testing.assert_allclose(rows.pooled_counts(tables.N), naive.counts(judgments, z).sum(axis=0))
    np.testing.assert_allclose(tables.n, naive.counts(judgments, z).sum(axis=2))
    np.testing.assert_allclose(tables.mass, z.sum(axis=0))
    assert not tables.own_mass.any()


def test_maximum_likelihood_starts_from_shares() -> None:
    judgments = simulate(30, 5, 2, 3, accuracy=0.6, seed=2).judgments
    for prior, hard in (("none", False), ("fixed", True)):
        of = starts.usual(Problem.of(judgments, None, FitConfig(prior=prior), ONE))  # type: ignore[arg-type]
        assert callable(of)
        np.testing.assert_allclose(of(slice(0, 30)), naive.vote_posterior(judgments, hard))


def test_judgments_of_one_item_by_one_worker_are_counted() -> None:
    own, worker, label = (
        np.array([0, 0, 0, 1, 1]),
        np.array([2, 2, 3, 2, 2], np.int32),
        np.array([0, 1, 0, 1, 1], np.int32),
    )
    assert _times(own, worker).tolist() == [2, 2, 1, 2, 2]
    assert _times(own, worker, label).tolist() == [1, 1, 1, 2, 2]
