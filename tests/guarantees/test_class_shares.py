"""Shares of the labels by random gold: against plain loops, exact distributions, and crowds whose shares are known."""

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq

from consensus.found.posterior import DensePosterior, SparsePosterior
from consensus.guarantees import class_shares as module
from consensus.guarantees.class_shares import class_shares, in_parts
from consensus.intervals import clopper_pearson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]


def drawn(seed: int, n_items: int = 300, n_labels: int = 3) -> tuple["Reals", "Reals"]:
    """Truth (I, K) and posteriors that know something of it."""
    rng = np.random.default_rng(seed)
    truth = np.eye(n_labels)[rng.integers(0, n_labels, n_items)]
    posterior = rng.dirichlet(np.ones(n_labels), n_items) + rng.uniform(0, 2, (n_items, 1)) * truth
    return truth, posterior / posterior.sum(axis=1, keepdims=True)


def naively(Y: list[float], f: list[float], F: float, n_items: int) -> tuple[float, float, float]:
    """Share and interval of one label: sums in loops, the ends as roots of the score equation."""
    G = len(Y)
    mean_Y, mean_f = sum(Y) / G, sum(f) / G
    v = 2 * max(F * (1 - F), 1e-4)
    S_Yf = sum((y - mean_Y) * (p - mean_f) for y, p in zip(Y, f, strict=True))
    slope = min(max((S_Yf + v) / (sum((p - mean_f) ** 2 for p in f) + v), 0.0), 1.5)
    share = mean_Y + slope * (F - mean_f)
    d = [y - slope * p - (mean_Y - slope * mean_f) for y, p in zip(Y, f, strict=True)]
    second = sum(one**2 for one in d) + 1.5
    skew = min(max(sum(one**3 for one in d) / second, -1.0), 1.0)
    t = stats.t.ppf(0.975, G - 2)

    def score(delta: float) -> float:  # the distance squared less what chance allows at that share
        return float(delta**2 - t**2 * (1 - G / n_items) / G**2 * (second + skew * G * delta))

    low, high = (share + brentq(score, *ends) for ends in ((-9.0, 0.0), (0.0, 9.0)))
    least, most = sum(Y) / n_items, 1 - sum(1 - y for y in Y) / n_items
    low, high = min(max(low, least), most), min(max(high, least), most)
    return min(max(share, low), high), low, high


@pytest.mark.parametrize("seed", range(8))
def test_naive_twin(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    truth, posterior = drawn(seed)
    gold = np.random.default_rng(seed).choice(300, [10, 17, 60, 250][seed % 4], replace=False)
    found = class_shares(truth[gold], posterior[gold], posterior.mean(axis=0), 300)
    for k in range(3):
        expected = naively(truth[gold, k].tolist(), posterior[gold, k].tolist(), float(posterior[:, k].mean()), 300)
        assert (found.share[k], found.low[k], found.high[k]) == pytest.approx(expected, abs=1e-9)
    monkeypatch.setattr(module, "BLOCK", 1)  # label by label
    again = class_shares(truth[gold], posterior[gold], posterior.mean(axis=0), 300)
    for name in ("share", "low", "high"):
        np.testing.assert_allclose(getattr(again, name), getattr(found, name), atol=1e-12)


@pytest.mark.parametrize(("n_gold", "least"), [(10, 0.9), (50, 0.93), (200, 0.93)])
@pytest.mark.parametrize("share", [0.002, 0.01, 0.03, 0.1, 0.3, 0.5])
def test_posteriors_that_know_nothing_leave_binomials_covered(n_gold: int, least: float, share: float) -> None:
    """Exactly: the chance of every number of gold items that have the label, of ever so many items."""
    coverage, flat = 0.0, np.full((n_gold, 2), 0.5)
    for k in range(n_gold + 1):
        has = np.arange(n_gold) < k
        found = class_shares(np.stack([has, ~has], axis=1).astype(float), flat, np.full(2, 0.5), 10**9)
        assert found.share[0] == pytest.approx(k / n_gold)
        if found.low[0] <= share <= found.high[0]:
            coverage += stats.binom.pmf(k, n_gold, share)
    assert least <= coverage <= 1 + 1e-9


@pytest.mark.parametrize("n_true", [1, 3, 12, 30])
def test_finite_populations_are_covered(n_true: int) -> None:
    """Exactly, by the hypergeometric distribution: 40 gold items of 60, where the posterior knows nothing."""
    coverage, flat = 0.0, np.full((40, 2), 0.5)
    for k in range(41):
        has = np.arange(40) < k
        found = class_shares(np.stack([has, ~has], axis=1).astype(float), flat, np.full(2, 0.5), 60)
        assert found.low[0] >= k / 60 - 1e-12  # those that are known to have it
        assert found.high[0] <= (k + 20) / 60 + 1e-12
        if found.low[0] <= n_true / 60 <= found.high[0]:
            coverage += stats.hypergeom.pmf(k, 60, n_true, 40)
    assert coverage >= 0.93


def test_all_items_gold_leave_no_width() -> None:
    truth, posterior = drawn(1, 40)
    found = class_shares(truth, posterior, posterior.mean(axis=0), 40)
    for ends in (found.share, found.low, found.high):
        np.testing.assert_allclose(ends, truth.mean(axis=0), atol=1e-12)


def test_two_labels_are_mirrored_and_make_one() -> None:
    truth, posterior = drawn(2, 500, 2)
    found = class_shares(truth[:80], posterior[:80], posterior.mean(axis=0), 500)
    assert found.share.sum() == pytest.approx(1.0)
    assert found.low[0] == pytest.approx(1 - found.high[1])
    assert found.high[0] == pytest.approx(1 - found.low[1])


def test_a_fit_that_is_right_everywhere_is_worth_much_gold() -> None:
    truth = np.eye(2)[(np.arange(2_000) % 4 == 0).astype(int)]
    rng = np.random.default_rng(0)
    for _ in range(50):
        gold = rng.choice(2_000, 100, replace=False)
        found = class_shares(truth[gold], 0.98 * truth[gold] + 0.01, 0.98 * truth.mean(axis=0) + 0.01, 2_000)
        low, high = clopper_pearson(truth[gold].sum(axis=0), 100)
        assert (found.low <= [0.75, 0.25]).all()
        assert (found.high >= [0.75, 0.25]).all()
        assert (found.high - found.low < 0.4 * (high - low)).all()
        assert (found.high - found.low > 0.04).all()  # a wrong item in 50 could still have been missed


@pytest.mark.parametrize(("met", "wrong"), [(0.0, 0.0), (0.6, 0.3), (0.95, 0.0)])
@pytest.mark.parametrize("share", [0.01, 0.05])
def test_rare_labels_and_rare_errors_are_covered(share: float, met: float, wrong: float) -> None:
    """Where the posterior misses many of a label's few items, or is wrong so rarely that gold may meet no error."""
    rng = np.random.default_rng([round(100 * met), round(100 * share)])
    has = np.arange(5_000) < 5_000 * share
    f = np.where(rng.random(5_000) < np.where(has, met, wrong * share), 0.97, 0.01)
    truth, posterior = (np.stack([one, 1 - one], axis=1) for one in (has.astype(float), f))
    for n_gold in (50, 150):
        held = 0
        for _ in range(400):
            gold = rng.choice(5_000, n_gold, replace=False)
            found = class_shares(truth[gold], posterior[gold], posterior.mean(axis=0), 5_000)
            held += int(found.low[0] <= share <= found.high[0])
        assert held >= 0.9 * 400


def test_few_gold_is_refused() -> None:
    truth, posterior = drawn(3)
    with pytest.raises(ValueError, match="9 gold items are too few for shares; 10 are the least"):
        class_shares(truth[:9], posterior[:9], posterior.mean(axis=0), 300)
    assert class_shares(truth[:10], posterior[:10], posterior.mean(axis=0), 300).high.max() < 1


def test_several_right_labels_count_in_parts() -> None:
    accepted = np.array([[True, True, False], [False, True, False], [True, False, True]])
    predicted = np.array([[0.6, 0.2, 0.2], [0.9, 0.1, 0.0], [0.0, 1.0, 0.0]])
    expected = [[0.75, 0.25, 0.0], [0.0, 1.0, 0.0], [0.5, 0.0, 0.5]]  # the last has no say, so both share alike
    np.testing.assert_allclose(in_parts(accepted, predicted), expected)


def test_moments_of_dense_and_sparse_posteriors() -> None:
    """Item 0 has candidates 0 and 2, item 1 none, item 2 has 1; the other labels share the rest."""
    sparse = SparsePosterior(
        np.array([0, 2, 2, 3]),
        np.array([0, 2, 1], np.int32),
        np.array([0.5, 0.3, 0.7]),
        np.array([0.1, 0.25, 0.1]),
        4,
    )
    table = np.array([[0.5, 0.1, 0.3, 0.1], [0.25] * 4, [0.1, 0.7, 0.1, 0.1]])
    np.testing.assert_array_equal(sparse.dense(slice(None)), table)
    for posterior in (sparse, DensePosterior(table)):
        mean, mean_square = posterior.moments()
        np.testing.assert_allclose(mean, table.sum(axis=0) / 3)
        np.testing.assert_allclose(mean_square, (table**2).sum(axis=0) / 3)
