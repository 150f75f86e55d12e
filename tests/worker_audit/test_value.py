"""What a judgment is worth, against numbers made by hand."""

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from consensus import fit, read, simulate
from consensus.found.confusions import Confusions
from consensus.found.posterior import SparsePosterior
from consensus.found.result import Consensus
from consensus.kernels import tallies
from consensus.worker_audit import WorkerAudit
from consensus.worker_audit.accuracy import agreement_posterior, worker_worth
from consensus.worker_audit.accuracy.accuracy_posterior import Accuracy
from tests.strategies import encoded, examples, tables, voted

pytestmark = pytest.mark.usefixtures("by_dawid_skene")


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


def audit_of(result: Consensus, right: Any = None) -> WorkerAudit:
    """An audit that finds workers right with P = ``right`` (W,), by default as often as by their confusions."""
    if right is None:
        right = np.einsum("wkk,k->w", result.confusions.dense(), result.prior_shares)
    audit, mean = WorkerAudit(result), np.array(right, np.float64)
    half = agreement_posterior.beta(mean, np.full(len(mean), 1e-4))
    audit.accuracy = Accuracy(half, half, mean - half.mean)
    return audit


class TestExpectedCost:
    def test_by_hand(self) -> None:
        """Shares .8 and .2; an overlooked b costs 10, a false alarm 1.

        Answer a: .8 * .9 = .72 true a, .2 * .3 = .06 true b: deciding a costs .6, b .72. Answer b: .08 and .14:
        deciding a costs 1.4, b .08. Together .68. The spammer: answer a .4 and .1: a costs 1, b .4; twice that is .8.
        """
        costs = np.array([[0.0, 1.0], [10.0, 0.0]])
        result = result_of([[[0.9, 0.1], [0.3, 0.7]], [[0.5, 0.5], [0.5, 0.5]], [[0, 1], [1, 0]]], [0.8, 0.2])
        np.testing.assert_allclose(worker_worth.expected_cost(audit_of(result), costs), [0.68, 0.8, 0.0], atol=1e-9)
        assert worker_worth.cost_without_judgments(result, costs) == pytest.approx(0.8)

    def test_right_decisions_may_cost_too(self) -> None:
        costs = np.array([[1.0, 2.0], [3.0, 4.0]])  # the label that is decided costs 1 or 2, whatever is true
        result = result_of([[[1, 0], [0, 1]]], [0.5, 0.5])
        assert worker_worth.expected_cost(audit_of(result), costs).tolist() == pytest.approx([2.0])

    @examples(60)
    @given(st.data())
    def test_loops(self, data: st.DataObject) -> None:
        W, K = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
        C, prior, costs = data.draw(tables(W, K, K)), data.draw(tables(K)), 5 * data.draw(tables(K, K))
        result = result_of(C, prior)
        found = worker_worth.expected_cost(audit_of(result), costs)
        for w in range(W):
            expected = sum(
                min(sum(prior[k] * C[w, k, answer] * costs[k, decided] for k in range(K)) for decided in range(K))
                for answer in range(K)
            )
            assert found[w] == pytest.approx(expected)
            assert found[w] <= worker_worth.cost_without_judgments(result, costs) + 1e-12

    def test_in_blocks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        result = fit(simulate(200, 11, 3, 4, seed=1).judgments)
        costs = np.array([[0.0, 1, 2], [3, 0, 4], [1, 1, 0]])
        whole = worker_worth.expected_cost(WorkerAudit(result), costs)
        monkeypatch.setattr(worker_worth, "BLOCK", 9 * 4)
        np.testing.assert_allclose(worker_worth.expected_cost(WorkerAudit(result), costs), whole, rtol=1e-12)
        assert len(whole) == 11

    def test_mistakes_are_as_many_as_the_audit_finds(self) -> None:
        """Confusions say right on .8; the audit .6: mistakes are twice as many, and all cost 1."""
        result = result_of([[[0.8, 0.2], [0.2, 0.8]]], [0.5, 0.5])
        assert worker_worth.expected_cost(audit_of(result, [0.6]), 1.0 - np.eye(2))[0] == pytest.approx(0.4)


class TestChanceCorrected:
    def test_by_hand(self) -> None:
        """Shares .6 and .4; of 20 answers 14 are a: by chance .6 * .7 + .4 * .3 = .54 are right, and .77 really."""
        result = result_of([[[10, 2], [4, 4]]], [0.6, 0.4])
        assert worker_worth.chance_corrected(result, np.array([0.77]))[0] == pytest.approx(0.5)

    def test_is_the_kappa_of_pairs_of_labels(self) -> None:
        counts = np.array([[7, 2, 1], [3, 9, 0], [1, 1, 4]])
        pairs = [pair for pair in itertools.product(range(3), range(3)) for _ in range(counts[pair])]
        truth, answers = zip(*pairs, strict=True)
        result = result_of([counts], counts.sum(axis=1) / counts.sum(), pseudo=np.eye(3))
        accuracy = np.array([20 / 28])
        assert worker_worth.chance_corrected(result, accuracy)[0] == pytest.approx(cohen_kappa_score(truth, answers))

    def test_ends_of_the_scale(self) -> None:
        """Always right, always wrong, always the same label, at random."""
        workers = [[[5, 0], [0, 5]], [[0, 5], [5, 0]], [[5, 0], [5, 0]], [[3, 7], [3, 7]]]
        accuracy = np.array([1, 0, 0.5, 0.5])
        found = worker_worth.chance_corrected(result_of(workers, [0.5, 0.5]), accuracy)
        np.testing.assert_allclose(found, [1, -1, 0, 0], atol=1e-12)
        lazy = worker_worth.chance_corrected(
            result_of([[[8, 0], [2, 0]], [[4, 4], [1, 1]]], [0.8, 0.2]), np.array([0.8, 0.5])
        )
        np.testing.assert_allclose(lazy, [0, 0], atol=1e-12)

    def test_nothing_left_to_chance(self) -> None:
        assert np.isnan(worker_worth.chance_corrected(result_of([[[3]]], [1.0]), np.ones(1))).all()
        assert np.isnan(worker_worth.chance_corrected(result_of([[[2, 0], [0, 0]]], [1.0, 0.0]), np.ones(1))).all()

    def test_own_answers_are_counted(self) -> None:
        drawn = simulate(100, 7, 3, 4, seed=5)
        result = fit(drawn.judgments)
        accuracy = np.linspace(0, 1, 7)
        for w, kappa in enumerate(worker_worth.chance_corrected(result, accuracy)):
            answers = drawn.judgments.label[drawn.judgments.worker == w]
            chance = np.mean([result.prior_shares[answer] for answer in answers])
            assert kappa == pytest.approx((accuracy[w] - chance) / (1 - chance))

    def test_a_worker_without_judgments(self) -> None:
        judged = fit(encoded([("i", "u", None), ("i", "v", "a"), ("i", "w", "b"), ("j", "v", "a"), ("j", "w", "a")]))
        assert np.isnan(worker_worth.chance_corrected(judged, np.full(3, 0.5))).tolist() == [True, False, False]


class TestMoney:
    def test_bits_per_money(self) -> None:
        rows = {"item": list("abcabc"), "worker": list("vvvwwx"), "label": ["x", "y"] * 3}
        result = fit(read({**rows, "price": ["0.1", "0.3", None, "0", "0", None]}))
        np.testing.assert_allclose(worker_worth.mean_price(result), [0.2, 0, np.nan])
        bits = np.array([0.5, 0.5, 0.5])
        np.testing.assert_allclose(worker_worth.bits_per_money(result, bits), [2.5, np.nan, np.nan])
        np.testing.assert_allclose(worker_worth.bits_per_money(result, bits, price=0.25), [2, 2, 2])
        unpriced = fit(read(rows))
        assert np.isnan(worker_worth.bits_per_money(unpriced, bits)).all()

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
    assert np.isnan(worker_worth.expected_cost(WorkerAudit(result), np.ones((2, 2)))).all()
    assert np.isnan(worker_worth.chance_corrected(result, np.ones(2))).all()


def test_nobody() -> None:
    result = fit(None, model_votes=voted([("a", "m", "x"), ("b", "m", "y")]))
    assert worker_worth.expected_cost(WorkerAudit(result), np.ones((2, 2))).shape == (0,)
    assert worker_worth.chance_corrected(result, np.zeros(0)).shape == worker_worth.mean_price(result).shape == (0,)
    assert worker_worth.bits_per_money(result, np.zeros(0)).shape == (0,)


@pytest.mark.compiled
def test_very_many_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only the labels that were given to an item are weighed."""
    monkeypatch.setattr("consensus.models.layout.MOST_CELLS", 0)
    n_labels = 40
    result = fit(simulate(300, 8, n_labels, 4, seed=2).judgments)
    assert isinstance(result.beliefs, SparsePosterior)
    assert (worker_worth.chance_corrected(result, np.ones(8)) == 1).all()
    assert (worker_worth.chance_corrected(result, np.full(8, 0.5)) < 0.5).all()
    costs = 1.0 - np.eye(n_labels)
    found = worker_worth.expected_cost(audit_of(result), costs)
    assert (found < worker_worth.cost_without_judgments(result, costs)).all()
    risk = np.einsum("k,wkl,kd->wld", result.prior_shares, result.confusions.dense(), costs).min(axis=2).sum(axis=1)
    np.testing.assert_allclose(found, risk)
