"""The prior of the confusions that all workers share: its fixed point, and when it is learnt no more."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.special import digamma, gammaln

from consensus.backends import Threads
from consensus.config import FitConfig
from consensus.models import expectation_maximisation as em
from consensus.models import pooled_prior, starts
from consensus.models.base import Execution
from consensus.models.problem import Problem
from consensus.simulation import simulate

ONE = Execution(Threads(1))


def step(A: np.ndarray, gain: Any, d: float) -> np.ndarray:
    """One step where workers gain so much, by [true, observed]."""
    seen = []

    def prior_gains(given: np.ndarray, psi: np.ndarray, *_: Any) -> tuple[np.ndarray, float]:
        assert given is A
        seen.append(psi)
        return np.asarray(gain, np.float64).T, d

    layout: Any = SimpleNamespace(prior_gains=prior_gains)
    found = pooled_prior.improved(A, layout, None, ONE.backend)
    np.testing.assert_allclose(seen[0], [*digamma(A.T), digamma(A.sum(axis=1))], rtol=1e-12)
    return found


def by_formula(A: np.ndarray, gain: Any, d: float) -> np.ndarray:
    K = len(A)
    p = [[A[k, o] * gain[k][o] for o in range(K)] for k in range(K)]
    total = sum(map(sum, p))
    right = sum(p[k][k] for k in range(K)) / total if total else 0.0
    a = min(max(right, 1 / K + 0.02), 0.99)
    c = min(max((total + 1) / (d + 0.02), 0.1), 10_000)
    rows = [[p[k][o] + 20 * (a if k == o else (1 - a) / (K - 1)) for o in range(K)] for k in range(K)]
    return np.array([[c * one / sum(row) for one in row] for row in rows])


@pytest.mark.parametrize(
    ("K", "gain", "d"),
    [
        (2, [[3.0, 1.0], [0.5, 2.0]], 4.0),
        (2, [[0.3, 0.1], [0.05, 0.2]], 0.2),  # in sum below one judgment
        (2, [[0.0, 5.0], [5.0, 0.0]], 4.0),  # no better than chance, whatever the counts say
        (2, [[500.0, 0.1], [0.1, 500.0]], 9.0),  # nobody is nearly flawless
        (2, [[0.0, 0.0], [0.0, 0.0]], 0.0),  # nothing is known
        (3, [[3.0, 1.0, 0.2], [0.5, 2.0, 0.3], [0.0, 0.0, 0.0]], 4.0),
        (3, [[3.0, 1.0, 0.2], [0.5, 2.0, 0.3], [0.1, 0.1, 0.9]], 500.0),  # a prior worth next to nothing
        (3, [[900.0, 1.0, 0.2], [0.5, 800.0, 0.3], [0.1, 0.1, 700.0]], 0.0),  # and one worth 10,000 judgments
    ],
)
def test_a_step_is_the_formula(K: int, gain: Any, d: float) -> None:
    A = np.random.default_rng(K).uniform(0.5, 5, (K, K))
    np.testing.assert_allclose(step(A, gain, d), by_formula(A, gain, d), rtol=1e-12)


def test_of_one_label_only_the_weight_is_learnt() -> None:
    assert step(np.array([[4.0]]), [[2.0]], 1.0).tolist() == [[pytest.approx((4 * 2 + 1) / 1.02)]]


def test_of_one_label_it_is_learnt_like_any_other() -> None:
    drawn = simulate(60, 12, 1, 4, seed=1).judgments
    problem = Problem.of(drawn, None, FitConfig(), ONE.backend)
    assert problem.prior == "learnt"
    found = em.climb(problem, starts.usual(problem), ONE)
    assert found.A[0, 0] > 5.0  # from 4


def test_priors_to_begin_with() -> None:
    assert pooled_prior.fixed(3).tolist() == [[4, 1, 1], [1, 4, 1], [1, 1, 4]]
    assert pooled_prior.one_coin(3).tolist() == [[4, 0.5, 0.5], [0.5, 4, 0.5], [0.5, 0.5, 4]]
    assert np.array_equal(pooled_prior.one_coin(2), pooled_prior.fixed(2))
    assert pooled_prior.one_coin(1).tolist() == [[4.0]]


@pytest.mark.parametrize(("growth", "frozen_at"), [(1.0011, 30), (1.0009, 1), (0.9989, 30), (0.9991, 1)])
def test_it_is_learnt_until_no_cell_changes_by_a_thousandth(
    growth: float, frozen_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or for 30 passes; and then only the objective counts."""
    monkeypatch.setattr(pooled_prior, "improved", lambda A, *_: A * np.where(np.eye(len(A)) > 0, growth, 1.0))
    drawn = simulate(60, 12, 2, 4, seed=1).judgments
    problem = Problem.of(drawn, None, FitConfig(max_iterations=200), ONE.backend)
    assert problem.prior == "learnt"
    found = em.climb(problem, starts.usual(problem), ONE)
    assert found.convergence.frozen_at == frozen_at
    assert np.diag(found.A).tolist() == pytest.approx([4.0 * growth**frozen_at] * 2)
    assert found.convergence.iterations > frozen_at + 1


@pytest.mark.parametrize("n_labels", [1, 2, 4])
def test_density_of_the_confusions(n_labels: int) -> None:
    """Of workers of whom nothing is counted: their confusions are the mean of the prior."""
    A, expected = np.random.default_rng(n_labels).uniform(0.5, 5, (n_labels, n_labels)), 0.0
    for row in A:
        mean = row / row.sum()
        expected += 7 * (gammaln((row + 1).sum()) - gammaln(row + 1).sum() + (row * np.log(mean)).sum())
    counted = -7 * float((A.sum(axis=1) * np.log(A.sum(axis=1))).sum())
    assert em.log_confusion_density(7, counted, A, "fixed") == pytest.approx(expected, rel=1e-12)
    assert em.log_confusion_density(7, counted, A, "none") == 0.0
