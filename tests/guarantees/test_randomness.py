"""Whether gold looks drawn at random."""

import math

import numpy as np
import pytest
from scipy.special import kolmogorov
from scipy.stats import ks_2samp

from consensus.guarantees.randomness import Drawing, chance_of_difference, kolmogorov_smirnov


class TestKolmogorovSmirnov:
    @pytest.mark.parametrize("shift", [0.0, 0.3])
    def test_as_scipy_has_it(self, shift: float) -> None:
        rng = np.random.default_rng(2)
        some, others = np.round(rng.random(80), 2) + shift, np.round(rng.random(700), 2)
        distance, p = kolmogorov_smirnov(some, others)
        assert distance == pytest.approx(ks_2samp(some, others).statistic)
        assert p == pytest.approx(kolmogorov(distance * math.sqrt(80 * 700 / 780)))
        assert (p < 1e-3) == (shift > 0)

    def test_of_nothing(self) -> None:
        assert np.isnan(kolmogorov_smirnov(np.zeros(0), np.ones(3))).all()
        assert np.isnan(kolmogorov_smirnov(np.ones(3), np.zeros(0))).all()

    def test_of_few_values(self) -> None:
        """Where values tie, the distance may be largest at one that only the others have."""
        rng = np.random.default_rng(3)
        for _ in range(100):
            some, others = rng.integers(0, 9, rng.integers(1, 20)) / 8, rng.integers(0, 9, rng.integers(1, 40)) / 8
            distance, _ = kolmogorov_smirnov(some, others)
            assert distance == pytest.approx(ks_2samp(some, others, method="asymp").statistic, abs=1e-12)


class TestDrawing:
    def test_either_test_can_tell(self) -> None:
        rng = np.random.default_rng(6)
        low, high = rng.random(50) / 2, 0.5 + rng.random(50) / 2
        picked = Drawing.of(high, low)
        assert picked.ks_distance == 1.0
        assert picked.surer == pytest.approx(high.mean() - low.mean())
        assert not picked.looks_random
        assert Drawing.of(low, low).looks_random
        assert not Drawing.of(low, low, means_p=1e-4).looks_random

    def test_nothing_to_compare_tells_nothing(self) -> None:
        empty = Drawing.of(np.zeros(0), np.ones(3))
        assert np.isnan(empty.surer)
        assert empty.looks_random


class TestMeanPosteriors:
    def test_random_gold_raises_no_alarm(self) -> None:
        rng = np.random.default_rng(4)
        for share in (0.002, 0.3):
            f = np.where(rng.random(3_000) < share, 0.99, rng.beta(1, 30, 3_000))
            posterior = np.stack([f, 1 - f], axis=1)
            moments = posterior.mean(axis=0), np.square(posterior).mean(axis=0)
            alarms = [
                chance_of_difference(posterior[rng.choice(3_000, n, replace=False)], *moments) < 1e-3
                for n in (10, 100)
                for _ in range(300)
            ]
            assert not any(alarms)

    def test_picked_gold_raises_it(self) -> None:
        rng = np.random.default_rng(5)
        f = np.where(rng.random(3_000) < 0.05, rng.beta(8, 1, 3_000), rng.beta(1, 8, 3_000))
        posterior = np.stack([f, 1 - f], axis=1)
        moments = posterior.mean(axis=0), np.square(posterior).mean(axis=0)
        common, seldom = np.flatnonzero(f < 0.5)[:30], np.flatnonzero(f > 0.5)[:30]
        assert chance_of_difference(posterior[np.append(common, seldom)], *moments) < 1e-3  # alike of each label
        doubtful = np.argsort(np.abs(f - 0.5))[:100]
        assert chance_of_difference(posterior[doubtful], *moments) < 1e-3

    def test_doubt_alone_raises_it(self) -> None:
        """Where the labels' means agree: the surest items of both labels."""
        f = np.concatenate([np.full(500, 0.99), np.full(500, 0.01), np.full(1_000, 0.5)])
        posterior = np.stack([f, 1 - f], axis=1)
        moments = posterior.mean(axis=0), np.square(posterior).mean(axis=0)
        assert chance_of_difference(posterior[450:550], *moments) < 1e-3
        assert chance_of_difference(posterior[::20], *moments) == 1.0

    def test_posteriors_that_are_all_alike_say_nothing(self) -> None:
        flat = np.full((20, 2), 0.5)
        assert chance_of_difference(flat, np.full(2, 0.5), np.full(2, 0.25)) == 1.0
