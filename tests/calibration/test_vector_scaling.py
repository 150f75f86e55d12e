"""Vector scaling of posteriors on gold: the mode, the evidence, the average, and labels that stand for many."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

from consensus.calibration import vector_scaling
from consensus.calibration.vector_scaling import Average, Belief, Known, averaged, centred, fitted
from consensus.kernels import calibration_loops
from tests import naive_calibration

Reals = NDArray[np.float64]
BOTH = Belief(np.array([1.0, 0.5]), np.array([0.5, 0.25]), 0.7)


def drawn(
    n: int, K: int, seed: int, *, slope: float = 1.0, shift: Any = 0.0, several: float = 0.0
) -> tuple[Reals, Any]:
    """Two readings (2, n, K), and gold as the first of them says once scaled; some of it of several labels."""
    rng = np.random.default_rng(seed)
    logs = rng.normal(0, 2, (n, K))
    right = np.exp(slope * logs + shift)
    right /= right.sum(axis=1, keepdims=True)
    truth = np.minimum((right.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1), K - 1)
    accepted = rng.random((n, K)) < several
    accepted[np.arange(n), truth] = True
    other = np.exp(logs + rng.normal(0, 1, (n, K)))
    return np.stack([centred(np.exp(logs)), centred(other)]), accepted


def naively(theta: Reals, x: Reals, accepted: Any, belief: Belief) -> float:
    assert belief.t is not None
    prior = np.vstack([np.stack([belief.mean, belief.sd], axis=1), [0.0, belief.t]])
    F = len(belief.mean)
    return naive_calibration.log_posterior(x, accepted, theta[:F].tolist(), theta[F:].tolist(), prior)


class TestFitted:
    @pytest.mark.parametrize(("seed", "several"), [(0, 0.0), (1, 0.0), (2, 0.3), (3, 0.6)])
    def test_is_the_best_that_scipy_finds(self, seed: int, several: float) -> None:
        K = 2 + seed % 3
        x, accepted = drawn(30, K, seed, slope=0.6, shift=np.arange(K), several=several)
        found = fitted(Known.of_labels(x, accepted), BOTH)
        mine = np.concatenate([found.slope, found.intercept])
        least = [(vector_scaling.LEAST_SLOPE, None)] * 2 + [(None, None)] * K

        def loss(theta: Reals) -> float:
            return -naively(theta, x, accepted, BOTH)

        best = minimize(loss, np.r_[1.0, 0.5, np.zeros(K)], bounds=least, tol=1e-10)
        assert naively(mine, x, accepted, BOTH) >= -best.fun - 1e-6
        np.testing.assert_allclose(mine, best.x, atol=2e-3)

    @pytest.mark.parametrize("seed", range(2))
    def test_evidence_by_a_numeric_hessian(self, seed: int) -> None:
        K = 2 + seed
        x, accepted = drawn(20, K, seed, slope=0.7)
        found = fitted(Known.of_labels(x, accepted), BOTH)
        mode, h, n = np.concatenate([found.slope, found.intercept]), 1e-3, 2 + K

        def at(*steps: Reals) -> float:
            return naively(mode + np.sum(steps, axis=0), x, accepted, BOTH)

        e = h * np.eye(n)
        H = [
            [-(at(e[a], e[b]) - at(e[a], -e[b]) - at(-e[a], e[b]) + at(-e[a], -e[b])) / (4 * h * h) for b in range(n)]
            for a in range(n)
        ]
        precision = np.r_[BOTH.sd**-2.0, np.full(K, 0.7**-2.0)]
        expected = at(np.zeros(n)) + 0.5 * np.log(precision).sum() - 0.5 * np.linalg.slogdet(np.array(H))[1]
        assert found.evidence == pytest.approx(expected, abs=1e-3)

    def test_the_planted_scaling_comes_back(self) -> None:
        x, accepted = drawn(20_000, 3, 1, slope=0.6, shift=np.array([0.8, 0.0, -0.8]))
        found = fitted(Known.of_labels(x[:1], accepted), Belief(np.ones(1), np.full(1, 0.5), 2.0))
        assert found.slope[0] == pytest.approx(0.6, abs=0.02)
        np.testing.assert_allclose(found.intercept - found.intercept.mean(), [0.8, 0.0, -0.8], atol=0.05)

    def test_steps_are_limited(self, monkeypatch: pytest.MonkeyPatch) -> None:
        x, accepted = drawn(60, 3, 2, slope=0.4, shift=np.array([3.0, 0.0, 0.0]))
        known = Known.of_labels(x, accepted)
        whole = fitted(known, BOTH)
        monkeypatch.setattr(vector_scaling, "MOST_STEPS", 1)
        first = fitted(known, BOTH)
        assert 1e-6 < np.abs(first.slope - whole.slope).max() < 1

    def test_without_gold_it_is_as_believed(self) -> None:
        found = fitted(Known.of_labels(np.zeros((2, 0, 3)), np.zeros((0, 3), np.bool_)), BOTH)
        assert found.slope.tolist() == [1.0, 0.5]
        assert found.intercept.tolist() == [0, 0, 0]
        assert found.evidence == pytest.approx(0.0)

    def test_a_slope_without_deviation_is_held(self) -> None:
        x, accepted = drawn(60, 3, 2, slope=0.4)
        held = fitted(Known.of_labels(x, accepted), Belief(np.array([1.0, 0.0]), np.array([0.5, 0.0]), 0.3))
        alone = fitted(Known.of_labels(x[:1], accepted), Belief(np.ones(1), np.full(1, 0.5), 0.3))
        assert held.slope.tolist() == [pytest.approx(alone.slope[0]), 0.0]
        assert held.evidence == pytest.approx(alone.evidence)

    def test_what_contradicts_gold_gets_the_least_slope(self) -> None:
        x, accepted = drawn(300, 2, 3, slope=-3.0)
        assert fitted(Known.of_labels(x[:1], accepted), Belief(np.ones(1), np.full(1, 0.5), None)).slope[0] < 0.05
        assert fitted(Known.of_labels(x[:1], accepted), Belief(np.ones(1), np.full(1, 9.0), None)).slope[0] == 1e-3

    def test_certainties_do_not_overflow(self) -> None:
        x = np.where(np.arange(200)[:, None] % 2 == [0, 1], 0.0, vector_scaling.FLOOR)[None]
        accepted = np.eye(2, dtype=np.bool_)[(np.arange(200) % 10 == 0).astype(int)]
        found = fitted(Known.of_labels(x, accepted), Belief(np.ones(1), np.full(1, 0.5), 0.1))
        assert np.isfinite([found.evidence, *found.slope, *found.intercept]).all()
        assert found.slope[0] < 0.2


class TestEntries:
    """An entry may stand for many labels that are alike."""

    def test_as_if_each_stood_alone(self) -> None:
        rng = np.random.default_rng(1)
        own, rest = rng.normal(0, 2, (40, 2)), rng.normal(-1, 1, 40)
        truth = rng.integers(0, 5, 40)
        every = centred(np.exp(np.column_stack([own, rest, rest, rest])))[None]
        accepted = np.eye(5, dtype=np.bool_)[truth]
        accepted[3, 2:4] = True
        with np.errstate(divide="ignore"):
            log_accepted = np.log(np.column_stack([accepted[:, :2], accepted[:, 2:].sum(axis=1)]).astype(np.float64))
        log_count = np.tile([0.0, 0.0, np.log(3.0)], (40, 1))
        joined = Known(every[:, :, :3], log_count, log_accepted)
        belief = Belief(np.ones(1), np.full(1, 0.5), None)
        one, other = fitted(Known.of_labels(every, accepted), belief), fitted(joined, belief)
        assert one.slope[0] == pytest.approx(other.slope[0])
        assert one.evidence == pytest.approx(other.evidence)
        whole = averaged(Known.of_labels(every, accepted), [belief]).predicted(every)
        np.testing.assert_allclose(averaged(joined, [belief]).predicted(every[:, :, :3], log_count), whole[:, :3])

    def test_no_label_gets_nothing(self) -> None:
        average = Average(np.ones((1, 1)), np.zeros((1, 3)), np.ones(1), np.zeros(1, np.int64))
        found = average.predicted(np.zeros((1, 1, 3)), np.array([[0.0, 0.0, -np.inf]]))
        assert found.tolist() == [[0.5, 0.5, 0.0]]


class TestAveraged:
    BELIEFS = tuple(Belief(np.array([1.0, 0.0]), np.array([s, 0.0]), t) for s in (0.15, 0.5) for t in (0.03, 0.3, 1.0))

    def test_weighted_by_evidence_and_the_rest_dropped(self) -> None:
        x, accepted = drawn(150, 3, 4, slope=0.5, shift=np.array([1.0, 0.0, 0.0]))
        known = Known.of_labels(x, accepted)
        fits = [fitted(known, belief) for belief in self.BELIEFS]
        weight = np.exp([one.evidence - max(other.evidence for other in fits) for one in fits])
        kept = np.flatnonzero(weight / weight.sum() >= 0.01)
        assert 1 < len(kept) < len(fits)
        found = averaged(known, self.BELIEFS)
        assert found.place.tolist() == kept.tolist()
        np.testing.assert_allclose(found.weight, weight[kept] / weight[kept].sum())
        expected = [
            sum(
                w * np.array(naive_calibration.probabilities(x[:, g].tolist(), a.tolist(), b.tolist()))
                for w, a, b in zip(found.weight, found.slope, found.intercept, strict=True)
            )
            for g in range(len(accepted))
        ]
        np.testing.assert_allclose(found.predicted(x), expected, rtol=1e-9)

    def test_the_loop_says_the_same(self) -> None:
        x, accepted = drawn(150, 3, 4, slope=0.5)
        average = averaged(Known.of_labels(x, accepted), [*self.BELIEFS, BOTH])
        out = np.full(accepted.shape, np.nan)
        calibration_loops.mixed(x, average.slope, average.intercept, average.weight, out)
        np.testing.assert_allclose(out, average.predicted(x), rtol=1e-12)
        np.testing.assert_allclose(out.sum(axis=1), 1.0)

    def test_few_items_move_little_and_many_much(self) -> None:
        shift = np.array([1.5, 0.0])
        moved = []
        for n in (5, 500):
            x, accepted = drawn(n, 2, 5, shift=shift)
            found = averaged(Known.of_labels(x, accepted), self.BELIEFS)
            moved.append(float(found.weight @ (found.intercept[:, 0] - found.intercept[:, 1])))
        assert abs(moved[0]) < 0.75 < moved[1]


def test_no_slope_falls_below_its_least() -> None:
    """A reading that says the opposite of gold counts against itself, where it may."""
    x, accepted = drawn(300, 3, 5)
    known = Known.of_labels(-x[:1], accepted)
    for least, slope in ((vector_scaling.LEAST_SLOPE, 0.001), (-0.25, -0.25)):
        found = fitted(known, Belief(np.zeros(1), np.ones(1), 1.0, np.array([least])))
        assert found.slope.tolist() == [slope]
    assert fitted(known, Belief(np.zeros(1), np.ones(1), 1.0, -np.inf)).slope[0] < -0.5


def test_centred_has_a_floor() -> None:
    assert centred(np.array([[0.5, 0.25, 0.0]])).tolist() == [[0.0, pytest.approx(-np.log(2)), -60.0]]
    assert centred(np.array([[3.0, 3.0]])).tolist() == [[0.0, 0.0]]
