"""The rules by which workers get their verdicts, one by one and at their borders; the kinds that are compared."""

import itertools
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.stats import beta

from consensus import fit, simulate
from consensus.config import AuditConfig
from consensus.found.confusions import Confusions
from consensus.worker_audit.accuracy import likelihoods, verdicts, worker_kinds
from consensus.worker_audit.accuracy.one_label_verdicts import OneSided
from consensus.worker_audit.accuracy.verdicts import VERDICTS, Swaps
from consensus.worker_audit.accuracy.worker_kinds import Kinds
from tests import naive_audit

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

CONFIG = AuditConfig()


class Known:
    """Accuracies of workers (W, G) that are equally likely each; by the record alone they may be others."""

    def __init__(self, own: Any, by_record: Any = None) -> None:
        self.own = np.array(own, np.float64)
        self.mean = self.own.mean(axis=1)
        self.label_mix = np.zeros(len(self.own))
        self.by_record = self if by_record is None else Known(by_record)

    def above(self, least: Any) -> Any:
        return (self.own > least[:, None]).mean(axis=1)

    def below(self, most: Any) -> Any:
        return (self.own < most[:, None]).mean(axis=1)


class TestOrder:
    def told(
        self,
        monkeypatch: pytest.MonkeyPatch,
        accuracy: Any,
        random: Any = None,
        hostile: Any = None,
        *,
        n: Any = None,
        swapped: dict[int, float] | None = None,
        identified: bool = True,
        n_labels: int = 3,
        gold: Any = None,
        alone: Any = None,
        sided: OneSided | None = None,
        excused: dict[int, str] | None = None,
        easier: Any = None,
    ) -> Any:
        """Verdicts of workers whose accuracies (W, G) are equally likely each; gold has checked all, unless told."""
        known: Any = accuracy if isinstance(accuracy, Known) else Known(accuracy)
        W = len(known.own)
        swapped = swapped or {}
        pairs = Swaps(
            worker=np.array(list(swapped), np.int32),
            true=np.zeros(len(swapped), np.int32),
            label=np.ones(len(swapped), np.int32),
            share=np.full(len(swapped), 0.4),
            probability=np.array(list(swapped.values())),
        )
        monkeypatch.setattr(verdicts, "_swaps", lambda *_: pairs)
        monkeypatch.setattr(verdicts, "_reasons", lambda *_: ["why"] * W)
        monkeypatch.setattr(verdicts, "_favourites", lambda _: (np.zeros(W, np.int64), np.ones(W)))
        monkeypatch.setattr(verdicts, "_alone", lambda *_: np.full(W, np.nan) if alone is None else np.array(alone))
        monkeypatch.setattr(verdicts, "_gold_judgments", lambda _: np.full(W, 5) if gold is None else np.array(gold))
        nobody = OneSided(np.zeros(W, np.bool_), np.full(W, np.nan), np.zeros(W, np.int64), np.zeros(W, np.int64))
        monkeypatch.setattr(verdicts, "one_sided", lambda *_: sided or nobody)
        why = excused or {}
        monkeypatch.setattr(verdicts, "excuses", lambda _, *who: {w: why[w] for w in np.concatenate(who) if w in why})
        judgments = SimpleNamespace(per_worker=np.full(W, 50) if n is None else np.array(n), n_labels=n_labels)
        result: Any = SimpleNamespace(judgments=judgments, identified=identified, units=None)
        kinds = Kinds(*(np.zeros(W) if one is None else np.array(one) for one in (random, hostile)))
        found = verdicts.verdicts(result, known, kinds, CONFIG, easier)
        assert found.reason == ["why"] * W
        return found, [VERDICTS[code] for code in found.verdict.tolist()]

    def crowd(self, *others: list[float]) -> list[list[float]]:
        """Around a median worker right on .8: odds of 4."""
        return [*others, *[[0.8] * 10] * (2 * len(others) + 1)]

    def test_settings(self) -> None:
        """That these tests are written for."""
        assert (CONFIG.sure, CONFIG.condemned, CONFIG.condemned_of_two, CONFIG.min_worker_judgments) == (
            0.9,
            0.8,
            0.95,
            20,
        )

    def test_experts_and_the_careless_beside_the_median_worker(self, monkeypatch: pytest.MonkeyPatch) -> None:
        high, low = (4 * CONFIG.apart / (1 + 4 * CONFIG.apart), 4 / (4 + CONFIG.apart))
        over, under = [high + 1e-6] * 9 + [high - 1e-6], [low - 1e-6] * 9 + [low + 1e-6]
        nearly = [high + 1e-6] * 8 + [high - 1e-6] * 2
        found, told = self.told(monkeypatch, self.crowd(over, nearly, under, [low - 1e-6] * 8 + [low + 1e-6] * 2))
        assert told[:5] == ["expert", "good", "careless", "good", "good"]
        assert found.probability[:5].tolist() == pytest.approx([0.9, 1.0, 0.9, 0.2, 1.0])
        assert found.careless_below == pytest.approx(low)
        assert found.near[:5].tolist() == [True, False, True, True, False]

    def test_weak_is_who_is_not_clearly_above_chance_or_half_of_the_median_worker(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        high, low = [0.41] * 9 + [0.39], [0.41] * 8 + [0.39] * 2  # beside .8, three labels: half of it counts
        easy = Known(self.crowd(high, low), [[0.8] * 10] * 7)  # by the record alone nobody is careless
        found, told = self.told(monkeypatch, easy)
        assert told[:2] == ["good", "weak"]
        assert found.probability[1] == pytest.approx(0.2)
        assert found.near[1]
        high, low = [0.51] * 9 + [0.49], [0.51] * 8 + [0.49] * 2  # of two labels chance does
        easy = Known(self.crowd(high, low), [[0.8] * 10] * 7)
        assert self.told(monkeypatch, easy, n_labels=2)[1][:2] == ["good", "weak"]
        easy.label_mix[1] = 0.02  # had they had the usual labels
        assert self.told(monkeypatch, easy, n_labels=2)[1][:2] == ["good", "good"]
        assert self.told(monkeypatch, easy, n_labels=2, swapped={0: 0.9})[1][:2] == ["biased", "good"]
        assert self.told(monkeypatch, easy, n_labels=1)[1][:2] == ["good", "good"]  # no chance

    def test_beside_the_median_worker_on_items_that_became_easier_or_harder(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever is above, or below, is so beside both: harder items condemn nobody, easier ones make no expert."""
        accuracy = self.crowd([0.55] * 10, [0.55] * 10, [0.95] * 10, [0.95] * 10)
        known = np.full(len(accuracy), np.nan)
        assert self.told(monkeypatch, accuracy)[1][:4] == ["careless", "careless", "expert", "expert"]
        known[[1, 3]] = -0.5, 1.0
        assert self.told(monkeypatch, accuracy, easier=known)[1][:4] == ["careless", "good", "expert", "good"]
        known[[1, 3]] = 1.0, -0.5  # the careless are so on easier items as well, experts on harder ones
        assert self.told(monkeypatch, accuracy, easier=known)[1][:4] == ["careless", "careless", "expert", "expert"]

    def test_nobody_is_condemned_for_items_that_are_hard_for_all(self, monkeypatch: pytest.MonkeyPatch) -> None:
        accuracy = self.crowd([0.4] * 10, [0.4] * 10, [0.4] * 10, [0.4] * 10)
        rest = [0.0] * 9
        known = np.full(len(accuracy), np.nan)
        known[[1, 3]] = -1.5
        told = self.told(monkeypatch, accuracy, [0.9, 0.9, 0.0, 0.0, *rest], [0.0, 0.0, 0.9, 0.9, *rest], easier=known)
        assert told[1][:4] == ["spammer", "too_few", "adversarial", "too_few"]

    def test_nobody_is_condemned_where_others_hardly_did_better(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Not even who is careless beside the median worker; who is not, and good, stays so."""
        accuracy = self.crowd([0.1] * 10, [0.1] * 10, [0.1] * 10, [0.8] * 10)
        known = np.full(len(accuracy), np.nan)
        random, hostile = ([*bad, *[0.0] * 11] for bad in ([0.9, 0.0], [0.0, 0.9]))
        told = self.told(monkeypatch, accuracy, random, hostile, easier=known)[1]
        assert told[:4] == ["spammer", "adversarial", "careless", "good"]
        known[:4] = -np.inf
        found, told = self.told(monkeypatch, accuracy, random, hostile, easier=known)
        assert told[:4] == ["too_few", "too_few", "too_few", "good"]
        assert np.isnan(found.probability[:3]).all()

    def test_who_has_few_judgments_is_no_usual_worker(self, monkeypatch: pytest.MonkeyPatch) -> None:
        accuracy = [[0.8] * 4, [0.3] * 4, [0.3] * 4, [0.3] * 4]
        found, told = self.told(monkeypatch, accuracy, n=[20, 19, 5, 0])
        assert found.careless_below == pytest.approx(4 / (4 + CONFIG.apart))
        assert told == ["good", "too_few", "too_few", "too_few"]
        found, _ = self.told(monkeypatch, accuracy, n=[19, 19, 5, 0])
        odds = 0.3 / 0.7
        assert found.careless_below == pytest.approx(odds / (odds + CONFIG.apart))
        found, told = self.told(monkeypatch, accuracy, identified=False)
        assert told == ["too_few"] * 4
        assert np.isnan(found.probability).all()
        found, told = self.told(monkeypatch, np.zeros((0, 4)))
        assert (told, found.careless_below) == ([], pytest.approx(1 / (1 + CONFIG.apart)))

    def test_spammers_and_adversaries(self, monkeypatch: pytest.MonkeyPatch) -> None:
        random = [0.801, 0.799, 0.5, 0.51, 0.05, 0.0999, 0.1001, 0.3]
        hostile = [0.0, 0.0, 0.3751, 0.3751, 0.9, 0.0, 0.0, 0.6]
        accuracy = self.crowd(*[[0.8] * 10] * 8)
        rest = [0.0] * 17
        found, told = self.told(monkeypatch, accuracy, [*random, *rest], [*hostile, *rest])
        assert told[:8] == [
            "spammer",
            "too_few",
            "adversarial",
            "spammer",
            "adversarial",
            "good",
            "too_few",
            "adversarial",
        ]
        np.testing.assert_allclose(found.probability[:8], [0.801, np.nan, 0.3751, 0.51, 0.9, 0.9001, np.nan, 0.6])

    def test_who_is_good_is_neither_bad_nor_careless(self, monkeypatch: pytest.MonkeyPatch) -> None:
        low = 4 / (4 + CONFIG.apart)
        accuracy = self.crowd([low - 1e-6] * 2 + [low + 1e-6] * 8)
        found, told = self.told(monkeypatch, accuracy, [0.03, 0.0, 0.0, 0.0], [0.02, 0.0, 0.0, 0.0])
        assert told == ["good"] * 4
        assert found.probability.tolist() == pytest.approx([0.95 * 0.8, 1.0, 1.0, 1.0])

    def test_two_labels_ask_for_more(self, monkeypatch: pytest.MonkeyPatch) -> None:
        accuracy = self.crowd(*[[0.8] * 10] * 3)
        random = [0.951, 0.949, 0.85, *[0.0] * 7]
        _, told = self.told(monkeypatch, accuracy, random, n_labels=2)
        assert told[:3] == ["spammer", "too_few", "too_few"]
        _, told = self.told(monkeypatch, accuracy, random)
        assert told[:3] == ["spammer"] * 3

    def test_who_only_spells_labels_otherwise_is_not_condemned(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found, told = self.told(
            monkeypatch, [[0.9]] * 4, [0.99, 0.01, 0.99, 0], [0, 0.98, 0, 0], excused=dict.fromkeys([0, 1, 3], "spells")
        )
        assert told == ["too_few", "too_few", "spammer", "good"]
        assert np.isnan(found.probability[:2]).all()
        assert found.near[:2].all()

    def test_nor_called_biased_or_careless(self, monkeypatch: pytest.MonkeyPatch) -> None:
        accuracy, swapped = self.crowd([0.1] * 10, [0.1] * 10), {2: 0.99, 3: 0.99}
        _, told = self.told(monkeypatch, accuracy, swapped=swapped)
        assert told[:4] == ["careless", "careless", "biased", "biased"]
        _, told = self.told(monkeypatch, accuracy, swapped=swapped, excused={0: "names", 2: "names"})
        assert told[:4] == ["too_few", "careless", "too_few", "biased"]

    def test_whom_nothing_contradicts_is_not_condemned(self, monkeypatch: pytest.MonkeyPatch) -> None:
        accuracy = self.crowd(*[[0.8] * 10] * 2)
        found, told = self.told(monkeypatch, accuracy, [0.99, 0.99, *[0.0] * 5], alone=[0.7, *[np.nan] * 6])
        assert told[:2] == ["too_few", "spammer"]
        assert np.isnan(found.probability[0])

    @pytest.mark.parametrize(("n_labels", "limit"), [(3, CONFIG.condemned), (2, CONFIG.condemned_of_two)])
    def test_who_gives_one_label_only(self, monkeypatch: pytest.MonkeyPatch, n_labels: int, limit: float) -> None:
        better = np.array([0.9, 0.89, 0.0, 1.0 - limit - 1e-6, 1.0 - limit + 1e-6, 1.0, np.nan, np.nan, *[np.nan] * 17])
        gold_n = np.array([0, 0, 4, 5, 5, 0, 0, 0, *[0] * 17])
        sided = OneSided(~np.isnan(better), better, gold_n, np.zeros(25, np.int64))
        found, told = self.told(
            monkeypatch,
            self.crowd(*[[0.1] * 10] * 8),
            [1.0] * 7 + [0.0] * 18,
            n=[50] * 5 + [19] + [50] * 19,
            n_labels=n_labels,
            sided=sided,
        )
        assert told[:8] == ["good", "too_few", "too_few", "spammer", "too_few", "too_few", "spammer", "careless"]
        assert found.probability[[0, 3]].tolist() == pytest.approx([0.9, limit + 1e-6])

    def test_experts_are_checked_by_gold(self, monkeypatch: pytest.MonkeyPatch) -> None:
        accuracy = self.crowd([0.99] * 10, [0.99] * 10)
        _, told = self.told(monkeypatch, accuracy, gold=[5, 4, *[0] * 5])
        assert told[:2] == ["expert", "good"]

    def test_careless_by_their_record_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Expert by the average of both posteriors."""
        better, worse = [[0.99] * 10, [0.8] * 10], [[0.8] * 10, [0.3] * 10]
        _, told = self.told(monkeypatch, Known(self.crowd(*better), self.crowd(*worse)))
        assert told[:2] == ["expert", "careless"]
        _, told = self.told(monkeypatch, Known(self.crowd(*worse), self.crowd(*better)))
        assert told[:2] == ["good", "weak"]

    def test_which_rule_comes_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Biased before careless; what is condemned before what is biased; few judgments before all."""
        low = [4 / (4 + CONFIG.apart) - 0.01] * 10
        accuracy = self.crowd(low, low, low, [0.8] * 10, [0.8] * 10)
        rest = [0.0] * 11
        found, told = self.told(
            monkeypatch,
            accuracy,
            [0, 0, 0.85, 0.05, 0, *rest],
            n=[50, 50, 50, 50, 19, *[50] * 11],
            swapped={0: 0.9, 1: 0.89, 2: 0.95, 3: 0.93, 4: 0.99},
        )
        assert told[:5] == ["biased", "careless", "spammer", "biased", "too_few"]
        np.testing.assert_allclose(found.probability[:5], [0.9, 1.0, 0.85, 0.93, np.nan])
        np.testing.assert_allclose(found.probability[5], 1.0)

    def test_near_is_half_way_from_sure_to_certain(self, monkeypatch: pytest.MonkeyPatch) -> None:
        accuracy = self.crowd(*[[0.8] * 10] * 3)
        rest = [0.0] * 7
        found, told = self.told(monkeypatch, accuracy, [0.0501, 0.05, 0.0, *rest])
        assert told == ["good"] * 10
        assert found.near.tolist() == [True, *[False] * 9]
        assert found.probability[:3].tolist() == pytest.approx([0.9499, 0.95, 1.0])


class TestSwaps:
    def swaps(self, N: Any, A: Any = None, **settings: Any) -> list[tuple[int, int, int, float, float]]:
        N = np.array(N, np.float64)
        K = N.shape[1]
        worker, label = (part.ravel().astype(np.int32) for part in np.indices((len(N), K)))
        rows = N[worker, :, label]
        cells = Confusions.of_rows(worker, label, rows, np.ones((K, K)) if A is None else A, len(N))
        result: Any = SimpleNamespace(confusions=cells)
        found = verdicts._swaps(result, AuditConfig(**settings))
        return list(
            zip(*(getattr(found, n).tolist() for n in ("worker", "true", "label", "share", "probability")), strict=True)
        )

    def naive(self, N: Any, config: AuditConfig) -> list[tuple[int, int, int, float, float]]:
        """With one pseudo-judgment in each cell."""
        K = len(N[0])
        pooled = np.sum(N, axis=0)
        found = []
        for w, own in enumerate(N):
            of_worker = []
            for k, observed in itertools.permutations(range(K), 2):
                n = sum(own[k]) + K
                a, wrong = own[k][observed] + 1, n - own[k][k] - 1
                usual = pooled[k][observed] / max(pooled[k].sum(), 1e-300)
                if own[k][observed] < config.swapped_at_least or a / n <= 1.5 * usual:
                    continue
                p = beta.sf(config.swapped, a, n - a)
                if K == 2:
                    back = sum(own[observed]) + 2
                    if a / n <= 2 * (back - own[observed][observed] - 1) / back:
                        continue
                else:
                    p = min(p, beta.sf(0.5, a, max(wrong - a, 1e-9)))
                if p >= config.sure:
                    of_worker.append((w, k, observed, a / n, p))
            found += sorted(of_worker, key=lambda one: -one[3])
        return found

    @pytest.mark.parametrize("K", [2, 3, 4])
    def test_by_the_rules(self, K: int) -> None:
        rng = np.random.default_rng(K)
        told = set()
        for _ in range(40):
            N = rng.integers(0, 4, (4, K, K)) + 25 * np.eye(K)
            for _ in range(3):
                w, k = rng.integers(4), rng.integers(K)
                N[w, k, (k + 1) % K] += rng.choice([3, 6, 9, 12, 20])
            found, expected = self.swaps(N), self.naive(N.tolist(), CONFIG)
            assert [one[:3] for one in found] == [one[:3] for one in expected]
            np.testing.assert_allclose([one[3:] for one in found], [one[3:] for one in expected], rtol=1e-9)
            told.add(len(found))
        assert len(told) > 1

    def test_what_is_usual_is_no_bias_of_one(self) -> None:
        """All take the first label for the second on four of ten; one does on more than one and a half times that."""
        usual = [[60, 40, 0], [0, 100, 0], [0, 0, 100]]
        others = [usual] * 60
        for seconds, biased in ((57, False), (64, True)):
            own = [[100 - seconds, seconds, 0], [0, 100, 0], [0, 0, 100]]
            assert bool(self.swaps([own, *others], swapped=0.3)) == biased

    def test_of_two_labels_one_way_must_be_twice_the_other(self) -> None:
        A = np.full((2, 2), 0.5)
        others = [[[95, 5], [5, 95]]] * 30
        for back, biased in ((23, True), (26, False)):
            own = [[49.5, 49.5], [back, 99 - back]]
            assert bool(self.swaps([own, *others], A)) == biased

    def test_of_more_labels_it_is_most_of_the_mistakes(self) -> None:
        others = [[[96, 2, 2], [2, 96, 2], [2, 2, 96]]] * 30
        for third, biased in ((15, True), (33, False)):
            own = [[100 - 38 - third, 38, third], [2, 96, 2], [2, 2, 96]]
            assert bool([one for one in self.swaps([own, *others]) if one[:3] == (0, 0, 1)]) == biased


def test_usual_share_without_judgments_of_a_label() -> None:
    cells = Confusions.of_rows(np.zeros(1, np.int32), np.zeros(1, np.int32), np.array([[3.0, 0.0]]), np.ones((2, 2)), 1)
    assert verdicts.usual_share(cells).tolist() == [[1.0, 0.0], [0.0, 0.0]]


def test_the_favourite_label() -> None:
    """Of two that are given as often, the first."""
    worker, label = np.array([0, 0, 1, 1, 1], np.int32), np.array([0, 1, 0, 1, 2], np.int32)
    rows = np.array([[2.0, 1.0, 0], [2.0, 1.0, 0], [1.0, 0, 0], [3.0, 3, 0], [2.0, 0, 0]])
    cells = Confusions.of_rows(worker, label, rows, np.ones((3, 3)), 3)
    said, share = verdicts._favourites(SimpleNamespace(confusions=cells))  # type: ignore[arg-type]
    assert said.tolist() == [0, 1, 0]
    assert share.tolist() == [0.5, pytest.approx(6 / 9), 0.0]


class TestKindsOfTwo:
    def test_what_they_expect(self) -> None:
        """Each of the twenty, on the grid of both probabilities."""
        result = fit(simulate(80, 6, 2, 3, prior=[0.7, 0.3], seed=1).judgments, prior="fixed", rho=0.3)
        points = (np.arange(12) + 0.5) / 12
        found, first = worker_kinds._densities_of_two(result, points)
        tables = found.reshape(-1, 12, 12)
        expected = []
        for m in range(16):
            coin = beta.pdf(points, 1 + 30 * (m + 0.5) / 16, 31 - 30 * (m + 0.5) / 16)
            expected.append(np.diag(coin)[:, ::-1])  # as often right on either label
        given = np.bincount(result.judgments.label, minlength=2) + 1.0
        s = given / given.sum()
        expected.append(np.diag(sum(beta.pdf(points, c * s[0], c * s[1]) for c in (1.0, 4.0, 50.0))))
        expected.append(np.outer(beta.pdf(points, 4, 1), beta.pdf(points, 1, 4)))
        good = np.outer(beta.pdf(points, 9, 1), np.ones(12))
        first_is_higher = points[:, None] > points
        expected.append(np.where(first_is_higher, good + good.T[::-1, ::-1], 0.0))
        expected.append(np.outer(beta.pdf(points, 0.6, 3.4), beta.pdf(points, 3.4, 0.6)))
        for table, by_hand in zip(tables, expected, strict=True):
            np.testing.assert_allclose(table, by_hand / by_hand.sum(), rtol=1e-7, atol=1e-12)
        begun = np.array([0.86 / 16] * 16 + [0.1, 0.02, 0.02, 0.02])
        np.testing.assert_allclose(first, begun / begun.sum())
        by_likelihood = fit(simulate(80, 6, 2, 3, seed=1).judgments, prior="none", rho=0.3)
        usual = worker_kinds._densities_of_two(by_likelihood, points)[0].reshape(-1, 12, 12)[17]
        np.testing.assert_allclose(usual, expected[17] / expected[17].sum(), rtol=1e-7)

    @pytest.mark.compiled
    def test_the_grid_and_the_prior_of_the_shares(self) -> None:
        """30 points along each probability; the shares to begin with are worth two workers."""
        result = fit(simulate(60, 6, 2, 3, seed=1).judgments, rho=0.3)
        made = likelihoods.records(result)
        assert made.by_label is not None
        n, s = np.stack([half.n for half in made.by_label]), np.stack([half.s for half in made.by_label])
        densities, first = worker_kinds._densities_of_two(result, (np.arange(30) + 0.5) / 30)
        expected = naive_audit.kinds_of_two(n, s, densities.reshape(-1, 30, 30), first, 2.0)
        found = worker_kinds.kinds(result, made)
        np.testing.assert_allclose(np.column_stack([found.random, found.hostile]), expected, rtol=1e-9, atol=1e-12)

    def test_how_closely_answers_follow_what_all_say(self) -> None:
        assert worker_kinds.CLOSENESS == (1.0, 4.0, 50.0)  # loosely, as the crowd differs, and nearly as all do


def test_very_many_workers_tell_the_kinds_by_a_sample() -> None:
    """Every second of 2,001 workers: the others change nothing."""
    rng = np.random.default_rng(0)
    first = np.array([0.6, 0.4])
    for W, step in ((2_000, 1), (2_001, 2), (4_001, 3)):
        evidence = rng.random((W, 2))
        other = evidence.copy()
        other[np.arange(W) % step > 0] = [1.0, 0.0]
        found = worker_kinds._learnt(evidence, first)
        assert np.array_equal(worker_kinds._learnt(other, first), found)
        other[0] = [1.0, 0.0]
        other[step] = [1.0, 0.0]
        assert not np.array_equal(worker_kinds._learnt(other, first), found)


@pytest.mark.compiled
def test_hostile_answers_to_many_labels_are_those_of_a_worker_who_is_mostly_wrong() -> None:
    """Any confusions, and hostile ones, are hostile kinds only of a worker who is right on less than .8 of chance."""
    result = fit(simulate(150, 8, 3, 4, accuracy=0.5, spammers=0.3, adversaries=0.3, seed=5).judgments, rho=0.3)
    made = likelihoods.records(result)
    found, cells = worker_kinds.kinds(result, made), result.confusions
    often = (cells.right().sum(axis=1) + 1 / 3) / (cells.totals().sum(axis=1) + 1)
    others = np.stack([worker_kinds._of_label_shares(result), *worker_kinds._of_confusions(result, made)], axis=1)
    expected = naive_audit.kinds_of_many(made.even.n, made.even.s, made.even_log, others, often, 3)
    np.testing.assert_allclose(np.column_stack([found.random, found.hostile]), expected, rtol=1e-9, atol=1e-12)
