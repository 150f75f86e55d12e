"""The posterior of every worker's accuracy, step by step against its formulas, and what is read off it."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.stats import beta

from consensus import fit, simulate
from consensus.kernels import others_loops as kernels
from consensus.worker_audit import WorkerAudit
from consensus.worker_audit.accuracy import accuracy_posterior, likelihoods, skills
from consensus.worker_audit.accuracy.accuracy_posterior import Accuracy
from consensus.worker_audit.accuracy.gridded import Gridded
from consensus.worker_audit.accuracy.likelihoods import Record
from tests import naive_audit

pytestmark = pytest.mark.usefixtures("by_dawid_skene")


def betas(points: Any) -> Any:
    """(n, 10) densities of ten Beta distributions around evenly spaced accuracies, worth eight judgments each."""
    return np.stack([beta.pdf(points, 1 + 8 * (m + 0.5) / 10, 9 - 8 * (m + 0.5) / 10) for m in range(10)], axis=1)


def learnt(n: Any, s: Any) -> Any:
    """Shares of the ten by EM, from an even start, with one worker's worth spread evenly."""
    points = [(p + 0.5) / 100 for p in range(100)]
    densities, evidence = betas(points), []
    for own in n:
        logs = [naive_audit.log_likelihood(own, s, a) for a in points]
        evidence.append(sum(math.exp(log - max(logs)) * row for log, row in zip(logs, densities, strict=True)))
    shares = np.full(10, 0.1)
    for _ in range(100):
        members = np.full(10, 0.1)
        for each in evidence:
            members = members + shares * each / (shares @ each)
        shares = members / members.sum()
    return shares


def both_ways(points: Any, weight: Any) -> Accuracy:
    """Accuracies (W, G) of which the record tells the same as the agreement."""
    one = Gridded(np.array(points), np.array(weight))
    return Accuracy(one, one, np.zeros(len(one.points)))


def records_of(n: Any, s: Any) -> Any:
    return SimpleNamespace(own=Record(np.array(n, np.float64), np.array(s)))


def test_by_the_formula() -> None:
    """40 points over five deviations to both sides of the mode, each weighed by record and prior."""
    result = fit(simulate(40, 6, 3, 3, seed=1).judgments)
    n, s = np.random.default_rng(0).integers(0, 6, (6, 4)), np.array([0.02, 0.3, 0.8, 0.97])
    n[5] = [0, 0, 0, 60]
    found = accuracy_posterior.accuracy(result, records_of(n, s)).by_record
    shares = learnt(n, s)
    mode, deviation = np.empty(6), np.empty(6)
    kernels.modes(n.astype(np.float64), s, 0.5, mode, deviation)
    knots = [(p + 0.5) / 1000 for p in range(1000)]
    density = betas(knots) @ shares
    for w in range(6):
        low, high = max(mode[w] - 5 * deviation[w], 0.0), min(mode[w] + 5 * deviation[w], 1.0)
        grid = [low + (high - low) * (g + 0.5) / 40 for g in range(40)]
        logs = [naive_audit.log_likelihood(n[w], s, a) for a in grid]
        weight = np.array(
            [math.exp(log - max(logs)) * np.interp(a, knots, density) for log, a in zip(logs, grid, strict=True)]
        )
        np.testing.assert_allclose(found.points[w], grid, rtol=1e-9)
        np.testing.assert_allclose(found.weight[w], weight / weight.sum(), rtol=1e-6)


def test_very_many_workers_tell_the_prior_by_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evenly spaced, up to 2,000 of them."""
    asked = []

    class Watched(Record):
        def log_likelihoods(self, points: Any) -> Any:
            asked.append(self.n)
            return super().log_likelihoods(points)

    monkeypatch.setattr(accuracy_posterior, "Record", Watched)
    for W, sampled in ((2000, 2000), (2001, 1001), (6000, 2000), (6001, 1501)):
        n = np.zeros((W, 2))
        n[:, 0] = np.arange(W) % 5
        accuracy_posterior._shares(Record(n, np.array([0.1, 0.9])))
        assert len(asked[-1]) == sampled
        assert np.array_equal(asked[-1], n[:: -(-W // 2000)])


def test_the_mix_of_labels_is_made_up_for() -> None:
    """Each worker's labels, and how often each is right, are drawn to the usual by 20 judgments."""
    totals, right = np.array([[90.0, 10.0], [0.0, 30.0]]), np.array([[81.0, 5.0], [0.0, 12.0]])
    prior = np.array([0.4, 0.6])
    confusions = SimpleNamespace(totals=lambda: totals, right=lambda: right)
    result: Any = SimpleNamespace(confusions=confusions, prior_shares=prior)
    pooled = [81 / 90, 17 / 40]
    expected = []
    for n, r in zip(totals, right, strict=True):
        accuracy = [(r[k] + 20 * pooled[k]) / (n[k] + 20) for k in (0, 1)]
        shares = [(n[k] + 20 * prior[k]) / (n.sum() + 20) for k in (0, 1)]
        expected.append(sum((prior[k] - shares[k]) * accuracy[k] for k in (0, 1)))
    np.testing.assert_allclose(accuracy_posterior._label_mix(result), expected, rtol=1e-12)
    never = SimpleNamespace(totals=lambda: totals * [1, 0], right=lambda: right * [1, 0])
    result = SimpleNamespace(confusions=never, prior_shares=prior)
    assert np.isfinite(accuracy_posterior._label_mix(result)).all()
    one = accuracy_posterior._label_mix(result)[0]
    mix = (90 + 20 * 0.4) / 110
    assert one == pytest.approx((0.4 - mix) * (81 + 20 * 0.9) / 110)


class TestReadOff:
    uneven = Gridded(np.array([[0.1, 0.3, 0.5, 0.7]]), np.array([[0.1, 0.2, 0.4, 0.3]]))

    def test_mean_and_variance(self) -> None:
        assert self.uneven.mean == pytest.approx(0.48)
        squares = 0.1 * 0.38**2 + 0.2 * 0.18**2 + 0.4 * 0.02**2 + 0.3 * 0.22**2
        assert self.uneven.variance == pytest.approx(squares)

    @pytest.mark.parametrize(
        ("level", "expected"), [(0.05, 0.1), (0.1, 0.2), (0.2, 0.3), (0.5, 0.5), (0.85, 0.7), (1.0, 0.8), (0.0, 0.0)]
    )
    def test_quantiles(self, level: float, expected: float) -> None:
        """Each point stands for the interval around it, as wide as they are apart."""
        assert self.uneven.quantile(level) == pytest.approx(expected)
        assert self.uneven.below(np.array([expected])) == pytest.approx(level)

    def test_the_last_of_all(self) -> None:
        """Tenths do not sum to 1 in the last bit."""
        tenths = Gridded((np.arange(10)[None] + 0.5) / 10, np.full((1, 10), 0.1))
        assert tenths.quantile(1.0) == pytest.approx(1.0)

    def test_95_percent_lie_in_the_interval(self) -> None:
        """Where two tell the same, the average tells it, too."""
        both = both_ways(self.uneven.points, self.uneven.weight)
        low, high = both.interval
        assert low == pytest.approx(0.2 * 0.025 / 0.1)
        assert high == pytest.approx(0.8 - 0.2 * 0.025 / 0.3)
        assert both.deviation**2 == pytest.approx(self.uneven.variance)
        assert both.above(np.array([0.6])) == pytest.approx(0.3)


def test_lower_confidence() -> None:
    """Mistakes are scaled so that workers are as right as the audit has them, less a deviation."""
    own = np.array([[0.5, 0.7], [0.6, 0.8], [0.9, 0.98], [0.0, 0.1]])
    accuracy = both_ways(own, np.full((4, 2), 0.5))
    prior = np.array([0.5, 0.3, 0.2])
    audit: Any = SimpleNamespace(accuracy=accuracy, result=SimpleNamespace(prior_shares=prior))
    C = np.random.default_rng(0).dirichlet([6, 2, 1], (3, 3))
    C[0] = np.roll(C[0], 1, axis=0)
    C[1, 0] = [1.0, 0.0, 0.0]
    workers = np.array([2, 0, 3])
    found = accuracy_posterior.lower_confidence(audit, C, workers)
    for n, w in enumerate(workers.tolist()):
        goal = max(own[w].mean() - own[w].std(), 0.0)
        scale = (1 - goal) / (1 - np.diag(C[n]) @ prior)
        for k in range(3):
            right = min(max(1 - (1 - C[n, k, k]) * scale, 0.02), 0.995)
            assert found[n, k, k] == pytest.approx(right, rel=1e-9)
            others = [j for j in range(3) if j != k]
            wrong = np.maximum(C[n, k, others], 1e-12)
            np.testing.assert_allclose(found[n, k, others], (1 - right) * wrong / wrong.sum(), rtol=1e-9)
    assert found[2].diagonal().min() == 0.02
    assert found[0].diagonal().max() <= 0.995


def test_who_is_surely_nearly_flawless_is_taken_for_995_of_1000() -> None:
    accuracy = both_ways([[1.0, 1.0]], [[0.5, 0.5]])
    audit: Any = SimpleNamespace(accuracy=accuracy, result=SimpleNamespace(prior_shares=np.array([0.5, 0.5])))
    found = accuracy_posterior.lower_confidence(audit, np.array([[[0.9, 0.1], [0.2, 0.8]]]), np.array([0]))
    np.testing.assert_allclose(found[0], [[0.995, 0.005], [0.005, 0.995]], rtol=1e-9)


def test_bins_of_right_and_of_wrong_answers_are_alike() -> None:
    """What tells good workers apart tells hostile ones apart; bins are closest near certainty."""
    edges = np.array(likelihoods.EDGES) / likelihoods.FINE
    assert (np.diff(edges) > 0).all()
    np.testing.assert_array_equal(edges, 1 - edges[::-1])
    assert likelihoods.FINE == 2**10
    logits = np.diff(np.log(edges / (1 - edges)))
    assert logits.max() < 0.95  # 2.6 times the odds
    assert logits.min() > 0.35


class TestSkills:
    def test_gold_is_taken_out_of_the_confusions(self) -> None:
        drawn = simulate(60, 5, 3, 3, accuracy=0.7, seed=3)
        judgments = drawn.judgments
        names, ids = judgments.labels, judgments.item_ids.to_pylist()
        pairs = [(ids[i], names[int(drawn.truth[i])]) for i in range(12)]
        pairs += [(ids[i], names[(int(drawn.truth[i]) + 1) % 3]) for i in range(4)]
        gold = {"item": [item for item, _ in pairs], "label": [label for _, label in pairs]}
        result = fit(judgments, gold=gold, rho=0.0, prior="fixed")
        assert result.gold is not None
        N = result.confusions.dense_counts()
        totals, right = N.sum(axis=2), np.einsum("wkk->wk", N).copy()
        z = result.posterior
        for j in range(judgments.n_judgments):
            i, w = judgments.item[j], judgments.worker[j]
            if i < 12:
                for k in range(3):
                    totals[w, k] -= z[i, k]
                    right[w, k] -= z[i, k] * (judgments.label[j] == k)
        pooled, prior = right.sum(axis=0) / totals.sum(axis=0), result.prior_shares
        accuracy = ((right + 2 * prior * pooled) / (totals + 2 * prior)) @ prior
        found = skills.elsewhere(result)
        np.testing.assert_allclose(found.accuracy, accuracy, rtol=1e-5)
        np.testing.assert_allclose(found.right, (right + 4 * accuracy[:, None]) / (totals + 4), rtol=1e-5)

    @pytest.mark.parametrize(
        ("right", "weak", "strong"),
        [
            ([0.9, 0.74, 0.66, 0.8], [False, False, False, False], [True, False, False, True]),
            ([0.9, 0.9, 0.69, 0.9], [False, False, True, False], [True, True, False, True]),
            ([0.9, 0.9, 0.71, 0.9], [False, False, False, False], [True, True, False, True]),
            ([0.74, 0.7, 0.55, 0.1], [False, False, True, True], [False, False, False, False]),
            ([0.76, 0.7, 0.6, 0.7], [False, False, False, False], [True, False, False, False]),
        ],
    )
    def test_weak_and_strong_beside_the_median(self, right: Any, weak: list[bool], strong: list[bool]) -> None:
        """Half as far above chance as the median; as far, and half the way to flawless."""
        n = 1e9
        totals, share = np.full((4, 2), n), np.tile(np.array(right)[:, None], (1, 2))
        confusions = SimpleNamespace(totals=lambda: totals.copy(), right=lambda: totals * share)
        result: Any = SimpleNamespace(
            confusions=confusions, prior_shares=np.array([0.5, 0.5]), judgments=None, gold=None
        )
        found = skills.elsewhere(result)
        np.testing.assert_allclose(found.accuracy, right, rtol=1e-6)
        assert found.weak.tolist() == weak
        assert found.strong.tolist() == strong

    def test_a_label_that_nobody_met_is_right_by_chance(self) -> None:
        totals = np.array([[10.0, 0.0], [10.0, 0.0]])
        confusions = SimpleNamespace(totals=totals.copy, right=lambda: totals * 0.8)
        result: Any = SimpleNamespace(
            confusions=confusions, prior_shares=np.array([0.9, 0.1]), judgments=None, gold=None
        )
        found = skills.elsewhere(result)
        accuracy = 0.9 * (8 + 1.8 * 0.8) / 11.8 + 0.1 * 0.5
        np.testing.assert_allclose(found.accuracy, accuracy)
        np.testing.assert_allclose(found.right, [[(8 + 4 * accuracy) / 14, accuracy]] * 2)


def test_an_audit_makes_each_part_once() -> None:
    audit = WorkerAudit(fit(simulate(60, 6, 2, 3, seed=1).judgments))
    for part in ("records", "accuracy", "verdicts", "skills", "copies", "peers", "drifts"):
        assert getattr(audit, part) is getattr(audit, part)
