"""What a judgment is worth, against numbers made by hand."""

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from consensus import fit, read, simulate
from consensus.confusions import Confusions
from consensus.kernels import tallies
from consensus.posterior import SparsePosterior
from consensus.result import Consensus
from consensus.worker_audit import value
from tests.strategies import encoded, tables, voted


def result_of(C: Any, prior: Any, pseudo: Any = None) -> Consensus:
    """A result whose workers have the confusions C (W, K, K), as counts."""
    counts = np.array(C, np.float64)
    W, K, _ = counts.shape
    labels = [chr(ord("a") + k) for k in range(K)]
    judged = encoded([(f"i{w}{k}", f"w{w:02}", label) for w in range(W) for k, label in enumerate(labels)])
    worker, label = np.indices((W, K), np.int32).reshape(2, -1)
    A = np.zeros((K, K)) if pseudo is None else np.array(pseudo, np.float64)
    found = Confusions.of_rows(worker, label, counts.transpose(0, 2, 1).reshape(-1, K), A, W)
    fitted = fit(judged)
    convergence = replace(fitted.convergence, status="converged")
    return replace(fitted, confusions=found, prior_shares=np.array(prior, np.float64), convergence=convergence)


class TestExpectedCost:
    def test_by_hand(self) -> None:
        """Shares .8 and .2; an overlooked b costs 10, a false alarm 1.

        Answer a: .8 * .9 = .72 true a, .2 * .3 = .06 true b: deciding a costs .6, b .72. Answer b: .08 and .14:
        deciding a costs 1.4, b .08. Together .68. The spammer: answer a .4 and .1: a costs 1, b .4; twice that is .8.
        """
        costs = np.array([[0.0, 1.0], [10.0, 0.0]])
        result = result_of([[[0.9, 0.1], [0.3, 0.7]], [[0.5, 0.5], [0.5, 0.5]], [[0, 1], [1, 0]]], [0.8, 0.2])
        np.testing.assert_allclose(value.expected_cost(result, costs), [0.68, 0.8, 0.0], atol=1e-12)
        assert value.cost_without_judgments(result, costs) == pytest.approx(0.8)

    def test_right_decisions_may_cost_too(self) -> None:
        costs = np.array([[1.0, 2.0], [3.0, 4.0]])  # the label that is decided costs 1 or 2, whatever is true
        result = result_of([[[1, 0], [0, 1]]], [0.5, 0.5])
        assert value.expected_cost(result, costs).tolist() == [2.0]

    @settings(max_examples=60, deadline=None)
    @given(st.data())
    def test_loops(self, data: st.DataObject) -> None:
        W, K = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
        C, prior, costs = data.draw(tables(W, K, K)), data.draw(tables(K)), 5 * data.draw(tables(K, K))
        result = result_of(C, prior)
        found = value.expected_cost(result, costs)
        for w in range(W):
            expected = sum(
                min(sum(prior[k] * C[w, k, answer] * costs[k, decided] for k in range(K)) for decided in range(K))
                for answer in range(K)
            )
            assert found[w] == pytest.approx(expected)
            assert found[w] <= value.cost_without_judgments(result, costs) + 1e-12

    def test_in_blocks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        result = fit(simulate(200, 11, 3, 4, seed=1).judgments)
        costs = np.array([[0.0, 1, 2], [3, 0, 4], [1, 1, 0]])
        whole = value.expected_cost(result, costs)
        monkeypatch.setattr(value, "BLOCK", 9 * 4)
        np.testing.assert_allclose(value.expected_cost(result, costs), whole, rtol=1e-12)
        assert len(whole) == 11


class TestChanceCorrected:
    def test_by_hand(self) -> None:
        """True a .6, b .4; right in .6 * .9 + .4 * .5 = .74; says a in .74: by chance .6 * .74 + .4 * .26 = .548."""
        result = result_of([[[0.9, 0.1], [0.5, 0.5]]], [0.6, 0.4])
        assert value.chance_corrected(result)[0] == pytest.approx(0.192 / 0.452)

    def test_is_the_kappa_of_pairs_of_labels(self) -> None:
        counts = np.array([[7, 2, 1], [3, 9, 0], [1, 1, 4]])
        pairs = [pair for pair in itertools.product(range(3), range(3)) for _ in range(counts[pair])]
        truth, answers = zip(*pairs, strict=True)
        result = result_of([counts], counts.sum(axis=1) / counts.sum())
        assert value.chance_corrected(result)[0] == pytest.approx(cohen_kappa_score(truth, answers))

    def test_ends_of_the_scale(self) -> None:
        """Always right, always wrong with even shares, always the same label, at random."""
        workers = [[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[1, 0], [1, 0]], [[0.3, 0.7], [0.3, 0.7]]]
        np.testing.assert_allclose(value.chance_corrected(result_of(workers, [0.5, 0.5])), [1, -1, 0, 0], atol=1e-12)
        by_hand = (np.array([0.9, 0.5]) - 0.8) / 0.2  # all answers are a, which is right in 80 %
        accuracy = np.array([0.9, 0.5])
        result = result_of([[[1, 0], [1, 0]]] * 2, [0.8, 0.2])
        np.testing.assert_allclose(value.chance_corrected(result, accuracy), by_hand)

    def test_nothing_left_to_chance(self) -> None:
        assert np.isnan(value.chance_corrected(result_of([[[3]]], [1.0]))).all()
        assert np.isnan(value.chance_corrected(result_of([[[1, 0], [0, 1]]], [1.0, 0.0]))).all()

    @settings(max_examples=60, deadline=None)
    @given(st.data())
    def test_sums_over_cells_are_those_over_matrices(self, data: st.DataObject) -> None:
        W, K = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
        whole = st.lists(st.integers(0, 2), min_size=W * K * K, max_size=W * K * K)
        counts, prior = np.array(data.draw(whole)).reshape(W, K, K), data.draw(tables(K))
        A = data.draw(st.sampled_from([np.zeros((K, K)), np.eye(K) + 0.5, np.diag(np.arange(K) > 0)]))
        found = result_of(counts, prior, A).confusions
        right, chance = found.rightness(prior)
        for w, C in enumerate(found.dense()):
            assert right[w] == pytest.approx(sum(prior[k] * C[k, k] for k in range(K)))
            pairs = itertools.product(range(K), range(K))
            assert chance[w] == pytest.approx(sum(prior[k] * C[k, answer] * prior[answer] for k, answer in pairs))


class TestMoney:
    def test_bits_per_money(self) -> None:
        rows = {"item": list("abcabc"), "worker": list("vvvwwx"), "label": ["x", "y"] * 3}
        result = fit(read({**rows, "price": ["0.1", "0.3", None, "0", "0", None]}))
        np.testing.assert_allclose(value.mean_price(result), [0.2, 0, np.nan])
        bits = np.array([0.5, 0.5, 0.5])
        np.testing.assert_allclose(value.bits_per_money(result, bits), [2.5, np.nan, np.nan])
        np.testing.assert_allclose(value.bits_per_money(result, bits, price=0.25), [2, 2, 2])
        unpriced = fit(read(rows))
        assert np.isnan(value.bits_per_money(unpriced, bits)).all()

    def test_sums_of_known(self) -> None:
        rng = np.random.default_rng(3)
        worker = rng.integers(0, 7, 200).astype(np.int32)
        amount = np.where(rng.random(200) < 0.3, np.nan, rng.random(200))
        total, n = np.zeros((2, 8))
        tallies.sums_of_known(worker, amount, total, n)
        for w in range(8):
            known = [one for v, one in zip(worker, amount, strict=True) if v == w and one == one]
            assert (total[w], n[w]) == (pytest.approx(sum(known)), len(known))


def test_where_nothing_tells_how_good_a_worker_is() -> None:
    result = fit(encoded([("a", "v", "x"), ("b", "w", "y")]))
    assert not result.identified
    assert np.isnan(value.expected_cost(result, np.ones((2, 2)))).all()
    assert np.isnan(value.chance_corrected(result)).all()


def test_nobody() -> None:
    result = fit(None, model_votes=voted([("a", "m", "x"), ("b", "m", "y")]))
    assert value.expected_cost(result, np.ones((2, 2))).shape == (0,)
    assert value.chance_corrected(result).shape == value.mean_price(result).shape == (0,)
    assert value.bits_per_money(result, np.zeros(0)).shape == (0,)


def test_very_many_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only the labels that were given to an item are weighed."""
    monkeypatch.setattr("consensus.models.layout.MOST_CELLS", 0)
    n_labels = 40
    result = fit(simulate(300, 8, n_labels, 4, seed=2).judgments)
    assert isinstance(result.beliefs, SparsePosterior)
    kappa = value.chance_corrected(result)
    C, prior = result.confusions.dense(), result.prior_shares
    right, chance = np.einsum("k,wkk->w", prior, C), np.einsum("k,wkl,l->w", prior, C, prior)
    np.testing.assert_allclose(kappa, (right - chance) / (1 - chance))
    assert (value.expected_cost(result, 1 - np.eye(n_labels)) <= 1 - prior.max() + 1e-12).all()
