"""How much gold: published figures, the exact distributions, nested draws, and the check of randomness."""

import math

import numpy as np
import pytest
from scipy.stats import binom, hypergeom

from consensus.guarantees import gold_planning as planning
from consensus.guarantees.certificate import most_gold_errors

MANY = 1_000_000


class TestCertifiable:
    @pytest.mark.parametrize(("n", "target"), [(20, 0.861), (30, 0.905), (40, 0.928), (59, 0.95), (100, 0.970)])
    def test_without_an_error(self, n: int, target: float) -> None:
        assert planning.certifiable(MANY, n) == pytest.approx(0.05 ** (1 / n), abs=1e-4)
        assert planning.certifiable(MANY, n) == pytest.approx(target, abs=1e-3)

    def test_with_errors_it_is_the_one_sided_bound_of_clopper_and_pearson(self) -> None:
        from scipy.stats import beta

        assert planning.certifiable(MANY, 40, 1) == pytest.approx(1 - beta.ppf(0.95, 2, 39), abs=1e-4)

    @pytest.mark.parametrize(("n_items", "n_gold", "n_wrong"), [(60, 40, 0), (200, 50, 2), (35, 5, 0)])
    def test_of_few_items_the_certificate_agrees(self, n_items: int, n_gold: int, n_wrong: int) -> None:
        target = planning.certifiable(n_items, n_gold, n_wrong)
        allowed = round((1 - target) * (n_items - n_gold))
        assert most_gold_errors(n_items, n_gold, allowed, 0.05) >= n_wrong
        assert most_gold_errors(n_items, n_gold, allowed - 1, 0.05) < n_wrong

    def test_at_the_ends(self) -> None:
        assert planning.certifiable(100, 0) == 0.0
        assert planning.certifiable(50, 50) == 1.0
        assert planning.certifiable(0, 0) == 0.0

    def test_usual_errors_are_the_median(self) -> None:
        assert planning.usual_errors(40, 0.02) == 1
        assert planning.usual_errors(10, 0.0) == 0
        assert planning.usual_errors(0, 0.5) == 0
        assert [planning.usual_errors(n, 0.3) for n in (7, 50)] == [int(binom.median(n, 0.3)) for n in (7, 50)]


class TestNeeded:
    @pytest.mark.parametrize(
        ("target", "errors", "needed"),
        [
            (0.95, (0.005, 0.0125, 0.02, 0.025, 0.03), (93, 153, 234, 361, 601)),
            (0.9, (0.01, 0.025, 0.04, 0.05, 0.06), (46, 61, 116, 179, 286)),
            (0.8, (0.02, 0.05, 0.08, 0.1), (22, 30, 57, 82)),
        ],
    )
    def test_for_a_chance_of_80_percent(
        self, target: float, errors: tuple[float, ...], needed: tuple[int, ...]
    ) -> None:
        assert tuple(planning.needed(error, 1 - target) for error in errors) == needed
        for error, n in zip(errors, needed, strict=True):
            most = int(binom.ppf(0.05, n, 1 - target))
            most -= binom.cdf(most, n, 1 - target) > 0.05
            assert binom.cdf(most, n, error) >= 0.8
            assert planning.chance(n, error, 1 - target) == pytest.approx(binom.cdf(most, n, error))
            assert planning.chance(n - 1, error, 1 - target) < 0.8

    def test_no_number_tells_nearly_equal_shares_apart(self) -> None:
        assert planning.needed(0.05, 0.05) is None
        assert planning.needed(0.0499, 0.05) is None
        assert planning.needed(0.048366, 0.05) is None  # the chance is 77% with the most gold, so all of it is tried

    @pytest.mark.parametrize("alpha", [0.01, 0.05, 0.3])
    def test_most_errors(self, alpha: float) -> None:
        n = np.arange(1, 800)
        k = np.asarray(binom.ppf(0.05, n, alpha), np.int64)
        k = np.where(binom.cdf(k, n, alpha) <= 0.05, k, k - 1)
        assert planning.most_errors(n, alpha).tolist() == k.tolist()
        assert planning.chance(3, 0.0, 0.05) == 0.0

    def test_of_few_items_more_are_needed(self) -> None:
        assert planning.needed_of(MANY, 0.045, 0.1) == planning.needed(0.045, 0.1)
        n = planning.needed_of(400, 0.045, 0.1)
        assert n is not None
        k = most_gold_errors(400, n, math.floor(0.1 * (400 - n)), 0.05)
        assert hypergeom.cdf(k, 400, 18, n) >= 0.8
        assert n > 142
        assert planning.needed_of(1, 0.01, 0.05) is None
        assert planning.needed_of(500, 0.06, 0.05) is None
        assert planning.needed_of(20, 0.049, 0.05) is None

    def test_the_error_to_plan_with_is_never_none(self) -> None:
        assert planning.shrunk(0, 9) == 0.05
        assert planning.shrunk(3, 99) == 0.035


class TestDrawn:
    def test_simple_random_and_nested(self) -> None:
        candidates = np.arange(100, 160)
        some, more = (planning.drawn(candidates, n, 4) for n in (10, 30))
        assert set(some) < set(more) < set(candidates)
        assert (np.diff(some) > 0).all()
        assert planning.drawn(candidates, 10, 5).tolist() != some.tolist()
        assert planning.drawn(candidates, 99, 5).tolist() == candidates.tolist()

    def test_each_as_likely(self) -> None:
        every = np.concatenate([planning.drawn(np.arange(8), 2, seed) for seed in range(800)])
        assert np.abs(np.bincount(every) - 200).max() < 60
