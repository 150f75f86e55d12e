"""The certificate: exact against integers, against every draw of small populations, and never bolder with an error."""

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.guarantees.certificate import (
    NOTHING,
    certificate,
    hypergeometric_tail,
    levels,
    most_gold_errors,
    start,
)
from tests import naive_certificate as naive

ALPHAS = (Fraction(1, 20), Fraction(1, 10), Fraction(1, 5), Fraction(1, 2))


@st.composite
def draws(draw: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, Fraction, int]:
    """Confidences, gold, which is wrong, alpha, levels."""
    N = draw(st.integers(1, 120))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    confidence = np.round(rng.random(N) ** 0.3, draw(st.sampled_from((1, 2, 6))))
    gold = np.sort(rng.choice(N, draw(st.integers(0, N)), replace=False))
    wrong = rng.random(len(gold)) < draw(st.sampled_from((0.0, 0.02, 0.1, 0.5)))
    return confidence, gold, wrong, draw(st.sampled_from(ALPHAS)), draw(st.sampled_from((1, 5, 20)))


class TestHypergeometric:
    @given(st.integers(1, 300), st.data())
    def test_as_integers_have_it(self, n_items: int, data: Any) -> None:
        n_wrong, n_drawn = (data.draw(st.integers(0, n_items)) for _ in range(2))
        k = data.draw(st.integers(0, n_drawn))
        exact = float(naive.tail(k, n_items, n_wrong, n_drawn))
        assert hypergeometric_tail(k, n_items, n_wrong, n_drawn) == pytest.approx(exact, rel=1e-9, abs=1e-12)

    def test_of_a_million(self) -> None:
        from scipy.stats import hypergeom

        found = hypergeometric_tail(3, 1_000_000, 50_000, 200)
        assert found == pytest.approx(hypergeom.cdf(3, 1_000_000, 50_000, 200), rel=1e-7)

    @given(st.integers(1, 200), st.data())
    def test_most_errors_by_counting_up(self, n_items: int, data: Any) -> None:
        n_gold = data.draw(st.integers(0, n_items))
        allowed = data.draw(st.integers(0, n_items))
        delta = data.draw(st.sampled_from((0.05, 0.025, 0.2)))
        expected = naive.most_gold_errors(n_items, n_gold, allowed, delta)
        assert most_gold_errors(n_items, n_gold, allowed, delta) == expected

    def test_59_without_an_error_certify_95_percent(self) -> None:
        many = 10_000_000
        assert most_gold_errors(many, 59, many // 20, 0.05) == 0
        assert most_gold_errors(many, 58, many // 20, 0.05) == -1


class TestCertificate:
    @given(draws())
    def test_as_loops_find_it(self, drawn: Any) -> None:
        confidence, gold, wrong, alpha, n_levels = drawn
        found = certificate(confidence, gold, wrong, float(alpha), n_levels=n_levels)
        expected = naive.certificate(confidence.tolist(), gold.tolist(), wrong.tolist(), alpha, 0.05, n_levels)
        if expected is None:
            assert found is NOTHING
            assert math.isnan(found.least)
            return
        others = np.ones(len(confidence), np.bool_)
        others[gold] = False
        assert (found.least, found.most_wrong) == expected
        assert found.n_items == (others & (confidence >= found.least)).sum()
        assert found.n_gold == (confidence[gold] >= found.least).sum()
        assert found.n_wrong == (wrong & (confidence[gold] >= found.least)).sum()
        assert found.most_wrong <= float(alpha) * found.n_items + 1e-9

    @given(draws(), st.integers(0, 1000))
    def test_never_grows_when_a_gold_item_turns_wrong(self, drawn: Any, which: int) -> None:
        confidence, gold, wrong, alpha, n_levels = drawn
        if not len(gold):
            return
        before = certificate(confidence, gold, wrong, float(alpha), n_levels=n_levels)
        worse = wrong.copy()
        worse[which % len(gold)] = True
        after = certificate(confidence, gold, worse, float(alpha), n_levels=n_levels)
        assert after.n_items <= before.n_items

    @given(draws(), st.integers(0, 1000))
    def test_order_does_not_matter(self, drawn: Any, seed: int) -> None:
        confidence, gold, wrong, alpha, n_levels = drawn
        order = np.random.default_rng(seed).permutation(len(confidence))
        place = np.argsort(order)
        found = certificate(confidence[order], place[gold], wrong, float(alpha), n_levels=n_levels)
        assert repr(found) == repr(certificate(confidence, gold, wrong, float(alpha), n_levels=n_levels))

    @pytest.mark.parametrize("n_gold", [4, 7, 9])
    @pytest.mark.parametrize("wrong", ["0000000001", "0000010101", "0001001001", "1000000000", "0101010101"])
    def test_every_draw_of_a_small_population(self, n_gold: int, wrong: str) -> None:
        """Of all samples at most delta certify a set of which more is wrong; and some certify."""
        bad = np.array([one == "1" for one in wrong])
        confidence = np.linspace(1.0, 0.5, len(bad))
        certified = 0
        for alpha, delta in ((0.2, 0.2), (0.5, 0.05), (0.34, 0.3)):
            failed, samples = 0, list(itertools.combinations(range(len(bad)), n_gold))
            for sample in samples:
                gold = np.array(sample)
                found = certificate(confidence, gold, bad[gold], alpha, delta=delta)
                chosen = confidence >= found.least
                chosen[gold] = False
                certified += int(chosen.sum())
                failed += bad[chosen].sum() > alpha * chosen.sum()
            assert failed <= delta * len(samples)
        assert certified > 0 or n_gold == 4 or bad.sum() > 1

    def test_walks_past_no_failure(self) -> None:
        """A level that would pass again, below one that fails, is not looked at."""
        confidence = np.linspace(1, 0, 1000)
        gold = np.arange(0, 1000, 5)
        wrong = np.zeros(200, np.bool_)
        assert certificate(confidence, gold, wrong, 0.1).n_items == 800
        wrong[90:100] = True
        found = certificate(confidence, gold, wrong, 0.1)
        assert 0 < found.n_items < 800

    def test_nothing_of_nothing(self) -> None:
        none = np.zeros(0, np.int64)
        assert certificate(np.zeros(0), none, none.astype(np.bool_), 0.05) is NOTHING
        assert certificate(np.ones(50), none, none.astype(np.bool_), 0.05) is NOTHING
        assert [len(one) for one in levels(np.zeros(0), none, none.astype(np.bool_), 20)] == [0, 0, 0, 0]

    def test_starts_where_a_level_forgives_an_error_if_gold_is_much(self) -> None:
        n_gold, most = np.array([10, 40, 90, 100]), np.array([-1, 0, 1, 2])
        assert start(n_gold, most, 100, 0.1) == 2  # ten errors are expected
        assert start(n_gold, most, 100, 0.05) == 1
        assert start(n_gold, np.array([0, -1, -1, -1]), 100, 0.1) == 0  # else the first that can pass
        assert start(n_gold, np.full(4, -1), 100, 0.1) == 4
