"""The rules by which pairs of workers are told to copy, one by one and at their borders."""

import itertools
import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binom

from consensus import Consensus, fit, simulate
from consensus.backends import Threads
from consensus.found.copies import Copies, PeerAgreement
from consensus.inputs.judgments import Judgments
from consensus.kernels import copying_loops as kernels
from consensus.worker_audit.accuracy.peer_agreement import peer_agreement
from consensus.worker_audit.copying import copying_groups, followers, groups_as_one, shared_items, suspects
from consensus.worker_audit.copying.merged_judgments import merged
from consensus.worker_audit.copying.shared_items import ByWorker, Pairs
from tests import naive
from tests.strategies import crowds, encoded, examples

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

ONE = Threads(1)
EACH_ONCE = {"cluster": None, "weight": None}


def pairs_of(shared: Any, same: Any, a: Any = None, b: Any = None) -> Pairs:
    n = len(shared)
    first = np.zeros(n, np.int32) if a is None else np.array(a, np.int32)
    second = np.ones(n, np.int32) if b is None else np.array(b, np.int32)
    return Pairs(first, second, np.array(shared, np.int64), np.array(same, np.int64))


def by_agreement(judgments: Judgments, pairs: Pairs, found: PeerAgreement) -> list[float]:
    """Kappa of a worker with all others, in which a pair counts with two items at most."""
    W, K = judgments.n_workers, judgments.n_labels
    counts = np.zeros((W, K))
    np.add.at(counts, (judgments.worker, judgments.label), 1)
    usual = counts.sum(axis=0) / counts.sum()
    q = (counts + usual) / (counts.sum(axis=1, keepdims=True) + 1)
    agreeing, peers = found.agreeing.astype(float), found.peers.astype(float)
    for a, b, shared, same in zip(pairs.a, pairs.b, pairs.shared, pairs.same, strict=True):
        over = max(int(shared) - 2, 0)
        for w in (a, b):
            peers[w] -= over
            agreeing[w] -= over * same / shared
    chance = np.minimum(q @ usual, 1 - 1e-9)
    by_chance = min(float(usual @ usual), 1 - 1e-9)
    of_all = max((agreeing.sum() / peers.sum() - by_chance) / (1 - by_chance), 0.05)
    kappa = ((agreeing + 2 * (chance + (1 - chance) * of_all)) / (peers + 2) - chance) / (1 - chance)
    expected = []
    for a, b, shared in zip(pairs.a, pairs.b, pairs.shared, strict=True):
        c = float(q[a] @ q[b])
        both = min(max(float(kappa[a] * kappa[b] / of_all), 0.0), 1.0)
        expected.append(float(np.clip(shared * (c + (1 - c) * both), 1e-6 * shared, 0.999 * shared)))
    return expected


class TestExpectedByAgreement:
    @examples(60)
    @given(crowds())
    def test_by_the_formula(self, judgments: Judgments) -> None:
        pairs = shared_items.pairs_sharing(ByWorker.of(judgments), 1, ONE)
        if len(pairs):
            found = peer_agreement(judgments, ONE)
            expected = by_agreement(judgments, pairs, found)
            np.testing.assert_allclose(shared_items.expected_by_agreement(pairs, found), expected, rtol=1e-9)

    @pytest.mark.parametrize("accuracy", [0.5, 0.9])
    def test_of_workers_who_share_many_items(self, accuracy: float) -> None:
        judgments = simulate(80, 6, 3, 4, accuracy=accuracy, seed=2).judgments
        pairs = shared_items.pairs_sharing(ByWorker.of(judgments), 1, ONE)
        assert pairs.shared.min() > 2
        found = peer_agreement(judgments, ONE)
        expected = by_agreement(judgments, pairs, found)
        np.testing.assert_allclose(shared_items.expected_by_agreement(pairs, found), expected, rtol=1e-9)

    def test_of_very_many_workers_and_labels_all_give_the_same_labels(self, monkeypatch: pytest.MonkeyPatch) -> None:
        judgments = simulate(80, 6, 3, 4, accuracy=0.7, seed=2).judgments
        pairs, found = shared_items.pairs_sharing(ByWorker.of(judgments), 1, ONE), peer_agreement(judgments, ONE)
        own = shared_items.expected_by_agreement(pairs, found)
        monkeypatch.setattr(shared_items, "MOST_CELLS", 18)
        np.testing.assert_array_equal(shared_items.expected_by_agreement(pairs, found), own)
        monkeypatch.setattr(shared_items, "MOST_CELLS", 17)
        alike = shared_items.expected_by_agreement(pairs, found)
        assert not np.array_equal(alike, own)
        np.testing.assert_allclose(alike, own, rtol=0.2)

    def test_bounds(self) -> None:
        shared = np.array([10, 10, 10])
        assert shared_items.bounded(np.array([-1.0, 5.0, 11.0]), shared).tolist() == pytest.approx([1e-5, 5.0, 9.99])


class TestCompared:
    @pytest.mark.parametrize("n_pairs", [49_999_999, 50_000_000, 50_000_001])
    def test_up_to_fifty_million_pairs_of_judgments(self, n_pairs: int) -> None:
        """An item of 10,000 judgments has nearly all of them; if that is too many, it goes."""
        small = n_pairs - 10_000 * 9_999 // 2
        per_item = np.array([10_000] + [2] * small)
        item = np.repeat(np.arange(len(per_item)), per_item)
        worker = np.arange(len(item))
        kept = []
        judgments: Any = SimpleNamespace(
            item=item,
            worker=worker,
            per_item=per_item,
            n_judgments=len(item),
            anonymous=(),
            **EACH_ONCE,
            subset=lambda keep: kept.append(keep),
        )
        found = shared_items.compared(judgments)
        if n_pairs <= 50_000_000:
            assert found is judgments
        else:
            assert not kept[0][:10_000].any()
            assert kept[0][10_000:].all()

    def test_or_five_a_judgment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shared_items, "MOST_COMPARED", 0)
        for n_workers, kept in ((11, 33), (12, 0)):  # 5 or 5.5 pairs a judgment
            judged = encoded([(f"i{i}", f"w{w:02}", "x") for i in range(3) for w in range(n_workers)])
            found = shared_items.compared(judged)
            assert found.n_judgments == (kept or 24)  # two items of the three

    def test_who_repeats_an_item_is_not_compared_on_it(self) -> None:
        item, worker = np.array([0, 0, 0, 0, 1, 1]), np.array([0, 1, 1, 2, 1, 2])
        kept = []

        def subset(keep: Any) -> Any:
            kept.append(keep.tolist())
            return SimpleNamespace(per_item=np.array([2, 2]), n_judgments=4)

        judgments: Any = SimpleNamespace(item=item, worker=worker, anonymous=(), **EACH_ONCE, subset=subset)
        shared_items.compared(judgments)
        assert kept == [[True, False, False, True, True, True]]


def test_shared_items_that_a_pair_needs() -> None:
    """So many that agreement on all is less likely by chance than .001 over all workers, but five at least."""
    for n_workers, n_labels in itertools.product((2, 10, 66, 1000), (1, 2, 3, 10, 40)):
        n = shared_items.least_shared(n_workers, n_labels)
        chance = 1 / max(n_labels, 2)
        assert n >= 5
        assert chance**n <= 0.001 / n_workers * (1 + 1e-9)
        assert n == 5 or chance ** (n - 1) > 0.001 / n_workers


class TestWorthALook:
    def look(self, shared: int, same: int, expected: float, n: int = 3) -> bool:
        """Whether the last of n pairs is worth it; its first worker is none of those to calibrate on."""
        pairs = pairs_of([shared] * n, [same] * n, a=[1] * n)
        found = copying_groups._worth_a_look(pairs, np.full(n, expected))
        return n - 1 in found.tolist()

    def test_in_small_data_all_are(self) -> None:
        assert self.look(100, 0, 50.0, n=4_999)

    def test_two_deviations_and_three_tenths_of_the_differences(self) -> None:
        n = 5_000
        assert self.look(100, 66, 50.0, n)  # 3.2 deviations
        assert not self.look(100, 65, 50.0, n)  # just three tenths
        assert not self.look(16, 12, 8.0, n)  # just two deviations
        assert self.look(16, 13, 8.0, n)
        assert not self.look(16, 10, 8.0, n)

    def test_some_workers_in_large_data(self) -> None:
        """Every second one of 5,000 to 9,999 pairs."""
        for n, step in ((4_999, 1), (5_000, 2), (9_999, 2), (10_000, 3)):
            pairs = pairs_of([100] * n, [0] * n, a=np.arange(n) % 12)
            found = copying_groups._worth_a_look(pairs, np.full(n, 50.0))
            assert sorted(set(pairs.a[found].tolist())) == list(range(0, 12, step))


class TestTests:
    def test_tails_with_a_spread(self) -> None:
        pairs = pairs_of([40, 40, 40], [30, 20, 20])
        expected = np.array([20.0, 20.0, 19.0])
        found = shared_items.tail(pairs, expected, 2.5)
        assert found.tolist() == [
            pytest.approx(beta.cdf(0.5, 12, 5)),
            1.0,
            pytest.approx(beta.cdf(19 / 40, 8, 9)),
        ]

    def test_excess_is_of_the_differences(self) -> None:
        assert copying_groups._excess(pairs_of([40], [30]), np.array([20.0])).tolist() == [0.5]

    @pytest.mark.parametrize(
        ("p", "n_tested", "suspicious"),
        [
            (0.0099, 2_000, True),
            (0.01, 2_000, False),
            (0.0099, 2_001, True),
            (0.0099, 2_100, False),
            (0.00199, 10_000, True),
            (0.00201, 10_000, False),
        ],
    )
    def test_suspicious_at_one_percent_or_twenty_by_chance(self, p: float, n_tested: int, suspicious: bool) -> None:
        pairs, expected = pairs_of([100], [90]), np.array([50.0])
        assert copying_groups._is_suspicious(pairs, expected, np.array([p]), n_tested).tolist() == [suspicious]

    def test_and_from_six_tenths_of_the_differences_on(self) -> None:
        for same, suspicious in ((80, False), (81, True)):
            found = copying_groups._is_suspicious(pairs_of([100], [same]), np.array([50.0]), np.zeros(1), 100)
            assert found.tolist() == [suspicious]

    def test_spread_of_honest_pairs(self) -> None:
        """Of twenty clean pairs below, or it is none."""
        for n, expected in ((20, 4.0), (19, 1.0)):
            same = [40] * n + [95] * 30 + [10] * 5
            clean = np.array([True] * (n + 30) + [False] * 5)
            pairs, of = pairs_of([100] * len(same), same), np.full(len(same), 50.0)
            assert copying_groups._spread(pairs, of, clean) == pytest.approx(expected)

    @examples(60)
    @given(st.lists(st.sampled_from([0.001, 0.01, 0.02, 0.2, 0.9]), min_size=1, max_size=12), st.integers(0, 9))
    def test_share_of_false_alarms(self, p: list[float], more: int) -> None:
        """Benjamini & Hochberg: the least share at which a pair would be told."""
        n = len(p) + more
        found = copying_groups._false_share(np.array(p), n)
        for q, own in zip(found.tolist(), p, strict=True):
            assert q == pytest.approx(min([1.0] + [n * one / sum(x <= one for x in p) for one in p if one >= own]))

    def test_surplus_of_the_median_worker(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Weighted by shared items, and never below 0."""
        judgments = simulate(30, 4, 2, 3, seed=1).judgments
        fitted = kernels.Fitted(np.zeros((4, 2, 2)), np.zeros((30, 2)), np.ones(30))

        def told(excess: list[float], shared: list[int]) -> float:
            def excess_of_workers(*of: Any) -> None:
                of[-2][:], of[-1][:] = excess, shared

            monkeypatch.setattr(kernels, "excess_of_workers", excess_of_workers)
            return copying_groups._usual_surplus(judgments, fitted, np.zeros(4, np.bool_))

        assert told([1.0, 4.0, 9.0, 0.0], [10, 10, 10, 0]) == pytest.approx(0.4)
        assert told([1.0, 4.0, 36.0, 0.0], [10, 10, 40, 0]) == pytest.approx(0.9)
        assert told([-1.0, -4.0, 9.0, 0.0], [10, 10, 10, 0]) == 0.0
        assert told([0.0] * 4, [0] * 4) == 0.0

    def test_surplus_is_that_of_a_sample(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of about 200,000 pairs of judgments, in items that two judged."""
        asked = []

        def excess_of_workers(some: Any, *_: Any) -> None:
            asked.append(some)

        monkeypatch.setattr(kernels, "excess_of_workers", excess_of_workers)
        monkeypatch.setattr(copying_groups, "judged", lambda _: None)
        for n, step in ((199_999, 1), (200_000, 2), (400_000, 3)):
            judgments: Any = SimpleNamespace(per_item=np.array([2, 1] * n), n_workers=1)
            fitted = kernels.Fitted(np.zeros(0), np.zeros((2 * n, 1)), np.ones(2 * n))
            copying_groups._usual_surplus(judgments, fitted, np.zeros(1, np.bool_))
            assert asked[-1].tolist() == list(range(0, 2 * n, 2 * step))


def test_groups_and_what_they_are_worth() -> None:
    """Two groups, numbered by their first members; every pair within counts, flagged or not."""
    a, b = [0, 0, 1, 2, 3, 0], [4, 5, 2, 6, 5, 2]
    pairs = pairs_of([20, 20, 30, 40, 20, 25], [20, 18, 30, 10, 15, 5], a, b)
    flagged = np.array([True, False, True, False, True, False])
    flagged[1] = True
    test: Any = SimpleNamespace(expected=np.array([10.0, 8.0, 10.0, 12.0, 9.0, 11.0]), p=np.linspace(0.1, 0.6, 6))
    q = np.linspace(0.2, 0.7, 6)
    found = copying_groups._grouped(pairs, test, q, flagged, 8, 77)
    assert found.group.tolist() == [0, 1, 1, 0, 0, 0, -1, -1]
    assert (found.worker_a.tolist(), found.worker_b.tolist()) == ([0, 0, 3, 1], [4, 5, 5, 2])
    assert found.p_value.tolist() == test.p[[0, 1, 4, 2]].tolist()
    assert found.q_value.tolist() == q[[0, 1, 4, 2]].tolist()
    assert found.expected_same.tolist() == [10.0, 8.0, 9.0, 10.0]
    surplus, room = (20 - 10) + (18 - 8) + (15 - 9), (20 - 10) + (20 - 8) + (20 - 9)
    assert found.n_effective.tolist() == [pytest.approx(4 / (1 + 3 * surplus / room)), 1.0]
    assert found.n_tested == 77
    none = copying_groups._grouped(pairs, test, q, np.zeros(6, np.bool_), 8, 77)
    assert (none.n_groups, none.n_tested, none.group.tolist()) == (0, 77, [-1] * 8)


def test_a_group_that_agrees_less_than_expected_is_worth_its_number() -> None:
    test: Any = SimpleNamespace(expected=np.array([10.0]), p=np.ones(1))
    found = copying_groups._grouped(pairs_of([20], [8]), test, np.ones(1), np.ones(1, np.bool_), 2, 1)
    assert found.n_effective.tolist() == [2.0]


class TestSuspects:
    def test_within_two_steps(self) -> None:
        a, b = np.array([0, 1, 2], np.int32), np.array([1, 2, 3], np.int32)
        found = set(zip(*(one.tolist() for one in suspects._within_two_steps(a, b, 5)), strict=True))
        assert found == {(i, j) for i in range(5) for j in range(5) if i == j or (abs(i - j) <= 2 and max(i, j) < 4)}

    def test_grouped(self) -> None:
        start, values = suspects._grouped(np.array([2, 0, 2, 0], np.int32), np.array([7, 5, 6, 4], np.int32), 4)
        assert start.tolist() == [0, 2, 2, 4, 4]
        assert values.tolist() == [5, 4, 7, 6]

    def test_how_their_confusions_are_fitted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Four judgments' worth of the confusions of the fit, 60 passes, on 2,000 judgments or some more."""
        asked = []

        def own_confusions(*of: Any) -> None:
            asked.append(of[3:6])
            of[6][:] = 1 / 3

        monkeypatch.setattr(kernels, "own_confusions", own_confusions)
        result = fit(simulate(60, 6, 3, 4, seed=1).judgments, rho=0.3)
        by_worker = ByWorker.of(result.judgments)
        pairs = shared_items.pairs_sharing(by_worker, 5, ONE)
        fitted = kernels.Fitted(result.confusions.dense(), result.posterior, np.ones(60))
        chosen, expected = suspects.expected_of_suspects(result, by_worker, fitted, pairs, np.array([0, 3]))
        assert asked == [(4.0, 60, 2_000)]
        members = {*pairs.a[[0, 3]].tolist(), *pairs.b[[0, 3]].tolist()}
        inside = [n for n in range(len(pairs)) if {int(pairs.a[n]), int(pairs.b[n])} <= members]
        assert chosen.tolist() == inside
        np.testing.assert_allclose(expected, pairs.shared[inside] / 3)


def test_followers_are_held_against_what_the_group_says() -> None:
    """Of those outside who share enough items with a group, only candidates are compared with it."""
    judged = [(f"i{i:02}", f"w{w}", f"l{(i * (w + 1)) % 3}") for i in range(24) for w in range(5)]
    judged += [(f"i{i:02}", name, f"l{i % 2}") for i in range(24) for name in ("x", "y") if (i + (name == "x")) % 3]
    judged += [("i00", "z", "l0")]
    result = fit(encoded(judged), rho=0.3)
    group = np.array([-1] * 5 + [0, 0, -1], np.int32)
    copies = replace(Copies.none(8), group=group, n_effective=np.ones(1))
    fitted = kernels.Fitted(result.confusions.dense(), result.posterior, result.tempering.power(np.full(24, 7)))
    found, expected, n_outside = followers.against_groups(result, result.judgments, fitted, copies, [(2, 0), (4, 0)])
    assert found.a.tolist() == [2, 4]
    assert found.b.tolist() == [8, 8]
    assert found.shared.tolist() == [24, 24]
    said = {i: i % 2 for i in range(24)}  # one of the two at least, and they agree
    assert found.same.tolist() == [sum((i * (w + 1)) % 3 == said[i] for i in said) for w in (2, 4)]
    assert n_outside == 5
    assert ((expected > 0) & (expected < 24)).all()
    group = np.array([-1] * 3 + [1, 1, 0, 0, -1], np.int32)
    copies = replace(copies, group=group, n_effective=np.ones(2))
    found, _, n_outside = followers.against_groups(result, result.judgments, fitted, copies, [(0, 1), (2, 0), (1, 1)])
    assert list(zip(found.a.tolist(), found.b.tolist(), strict=True)) == [(0, 9), (1, 9), (2, 8)]
    assert n_outside == 6


def test_a_prior_of_two_peers() -> None:
    """Somebody with one peer is taken for the usual one in two of three parts."""
    judged = [(f"i{i}", f"w{w}", f"l{i % 2}") for i in range(20) for w in range(3)]
    judgments = encoded([*judged, ("i0", "z", "l1")])
    pairs = shared_items.pairs_sharing(ByWorker.of(judgments), 1, ONE)
    found = peer_agreement(judgments, ONE)
    by_formula = by_agreement(judgments, pairs, found)
    np.testing.assert_allclose(shared_items.expected_by_agreement(pairs, found), by_formula, rtol=1e-12)
    assert math.isfinite(sum(by_formula))


def test_members_are_tempered_by_all_judgments() -> None:
    """And their counts are those of the posterior of the merged fit before it was tempered."""
    judged = [(f"i{i:02}", f"w{w}", f"l{(i * (w + 2)) % 3 if w < 4 else i % 3}") for i in range(30) for w in range(5)]
    judged += [(f"i{i:02}", name, f"l{i % 2}") for i in range(0, 30, 2) for name in ("x", "y")]
    before = fit(encoded(judged), rho=0.4)
    copies = replace(Copies.none(7), group=np.array([-1] * 5 + [0, 0], np.int32), n_effective=np.ones(1))
    after = fit(merged(before.judgments, copies), rho=0.4)
    found = groups_as_one._of_members(after, before, copies)
    assert found is not None
    n, n_all = after.judgments.per_item, before.judgments.per_item
    assert (n_all - n).tolist() == [1, 0] * 15
    plain = after.posterior ** (1 + 0.4 * (n - 1))[:, None]
    plain /= plain.sum(axis=1, keepdims=True)
    tempered = plain ** (1 / (1 + 0.4 * (n_all - 1)))[:, None]
    np.testing.assert_allclose(found.posterior, tempered / tempered.sum(axis=1, keepdims=True), rtol=1e-9)
    np.testing.assert_allclose(found.confusions.dense_counts(), naive.counts(before.judgments, plain), rtol=1e-9)
    assert found.copies is copies
    assert found.judgments is before.judgments


def test_the_group_that_copies_most_closely_is_merged_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those that are worth as few votes, to two decimals, the largest."""
    result = fit(simulate(30, 9, 2, 4, seed=1).judgments, rho=0.3)
    group = np.array([0, 0, 1, 1, 1, 2, 2, -1, -1], np.int32)
    for worth, closest in (([1.1, 1.104, 1.5], 1), ([1.1, 1.2, 1.0], 2), ([1.1, 1.11, 1.5], 0)):
        pairs = {"worker_a": np.array([0, 2, 2, 5], np.int32), "worker_b": np.array([1, 3, 4, 6], np.int32)}
        more = {name: np.zeros(4) for name in ("n_shared", "n_same", "expected_same", "p_value", "q_value")}
        copies = replace(Copies.none(9), group=group, n_effective=np.array(worth), sure=np.ones(3, np.bool_))
        copies = replace(copies, **pairs, **more)  # type: ignore[arg-type]
        seen: list[list[int]] = []
        monkeypatch.setattr(groups_as_one, "merged", lambda _, one, seen=seen: seen.append(one.group.tolist()))
        kept = groups_as_one._seen_again(result, copies, lambda _: Copies.none(9))
        assert [w for w in range(9) if seen[0][w] >= 0] == np.flatnonzero(group == closest).tolist()
        assert kept.n_groups == 1
        again = replace(copies, worker_a=np.array([2, 5], np.int32), worker_b=np.array([4, 6], np.int32))
        kept = groups_as_one._seen_again(result, copies, {None: again}.__getitem__)
        assert {int(group[w]) for w in np.flatnonzero(kept.group >= 0)} == {closest, 1, 2}


@pytest.mark.compiled
@pytest.mark.parametrize(("model", "looked_at"), [("average", "dawid_skene"), ("majority_vote", "majority_vote")])
def test_copies_are_looked_for_by_one_reading(model: Any, looked_at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Finer readings explain what a ring says as mistakes that everybody makes on some items."""
    seen: list[str] = []

    def found(result: Consensus) -> Copies:
        seen.append(result.model)
        return Copies.none(9)

    monkeypatch.setattr(groups_as_one, "found_copies", found)
    result = groups_as_one.fit_without_copies(simulate(60, 9, 2, 4, seed=1).judgments, model=model)
    assert (result.model, seen) == (model, [looked_at])
    assert result.copies is not None


class TestRounds:
    def test_suspects_are_looked_at_twice_the_likeliest_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """No more than 5,000 at once; and the surplus of the median worker is expected of all."""
        judgments = simulate(40, 6, 2, 4, seed=1).judgments
        result = fit(judgments, rho=0.3)
        by_worker, n = ByWorker.of(judgments), 6_000
        same = np.full(n, 15)
        same[:3] = 20
        pairs = pairs_of([20] * n, same, a=np.arange(n) % 5, b=np.full(n, 5))
        asked: list[Any] = []

        def expected_of_suspects(_: Any, __: Any, ___: Any, ____: Any, again: Any) -> Any:
            asked.append(again)
            return again[:2], np.array([18.0, 1.0])

        monkeypatch.setattr(copying_groups, "_expected", lambda *_: np.full(n, 2.0))
        monkeypatch.setattr(copying_groups, "_usual_surplus", lambda *_: 0.05)
        monkeypatch.setattr(copying_groups, "_spread", lambda *_: 1.0)
        monkeypatch.setattr(copying_groups, "expected_of_suspects", expected_of_suspects)
        test = copying_groups._tested(result, by_worker, pairs, np.full(n, 10.0), n)
        assert len(asked) == 2
        assert len(asked[0]) == len(asked[1]) == 5_000
        assert asked[0][:3].tolist() == [0, 1, 2]
        assert 0 not in asked[1].tolist()  # no longer suspicious
        assert test.surplus == 0.05
        assert test.expected[0] == pytest.approx(18 + 0.05 * 20)
        assert test.expected[-1] == pytest.approx(2 + 0.05 * 20)
        assert test.fitted is not None

    @pytest.mark.parametrize(("most_cells", "by_fit"), [(6 * 3 * 3, True), (6 * 3 * 3 - 1, False)])
    def test_beside_very_many_confusions_only_agreement_counts(
        self, most_cells: int, by_fit: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        judgments = simulate(40, 6, 3, 4, seed=1).judgments
        by_worker = ByWorker.of(judgments)
        pairs = shared_items.pairs_sharing(by_worker, 5, ONE)
        by_agreement = np.asarray(0.5 * pairs.shared, np.float64)
        monkeypatch.setattr(copying_groups, "MOST_CELLS", most_cells)
        test = copying_groups._tested(fit(judgments, rho=0.3), by_worker, pairs, by_agreement, len(pairs))
        assert (test.fitted is not None) == by_fit
        assert np.array_equal(test.expected, by_agreement) != by_fit
        assert by_fit or test.surplus == 0.0

    def test_who_is_suspicious_by_agreement_alone_is_looked_at_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        judgments = simulate(40, 6, 2, 4, seed=1).judgments
        result = fit(judgments, rho=0.3)
        pairs = pairs_of([40, 40, 40], [38, 38, 20], a=[0, 1, 2], b=[3, 4, 5])
        asked: list[Any] = []

        def surplus(_: Any, __: Any, is_suspect: Any) -> float:
            asked.append(is_suspect.tolist())
            return 0.0

        monkeypatch.setattr(copying_groups, "_expected", lambda *_: np.array([20.0, 37.0, 20.0]))
        monkeypatch.setattr(copying_groups, "_usual_surplus", surplus)
        monkeypatch.setattr(copying_groups, "expected_of_suspects", lambda *of: (of[-1], np.full(len(of[-1]), 39.0)))
        test = copying_groups._tested(result, ByWorker.of(judgments), pairs, np.array([37.0, 20.0, 20.0]), 3)
        assert asked == [[True, True, False, True, True, False]]
        assert test.expected.tolist() == pytest.approx([39.0, 39.0, 20.0])

    def test_suspects_are_found_as_if_pairs_did_not_spread(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nine of ten labels are the same where 4.5 are expected, by the fit or by agreement: P = .0045."""
        assert binom.sf(8, 10, 0.45) < 0.01 < beta.cdf(0.45, 9 / 1.5, 1 / 1.5 + 1)
        judgments = simulate(40, 6, 2, 4, seed=1).judgments
        pairs = pairs_of([10, 10, 10], [9, 9, 4], a=[0, 1, 2], b=[3, 4, 5])
        asked: list[Any] = []

        def surplus(_: Any, __: Any, is_suspect: Any) -> float:
            asked.append(is_suspect.tolist())
            return 0.0

        monkeypatch.setattr(copying_groups, "_expected", lambda *_: np.array([4.5, 8.5, 4.5]))
        monkeypatch.setattr(copying_groups, "_usual_surplus", surplus)
        monkeypatch.setattr(copying_groups, "expected_of_suspects", lambda *of: (of[-1], np.full(len(of[-1]), 8.5)))
        result, by_agreement = fit(judgments, rho=0.3), np.array([8.5, 4.5, 4.5])
        copying_groups._tested(result, ByWorker.of(judgments), pairs, by_agreement, 3)
        assert asked == [[True, True, False, True, True, False]]


class TestFollowing:
    def told(self, monkeypatch: pytest.MonkeyPatch, *, same: Any = (16, 20, 16), n_outside: int = 1, **of: Any) -> Any:
        """Pairs: of the group (1, 4), of worker 0 and 4, of 1 and 6, of 2 and 4, and of two outside."""
        group = np.array([-1, 0, -1, -1, 0, 1, 1, -1], np.int32)
        copies = replace(Copies.none(8), group=group, n_effective=np.ones(2))
        pairs = pairs_of([20] * 6, [20, 18, 18, 16, 18, 18], a=[1, 0, 1, 2, 0, 3], b=[4, 4, 6, 4, 3, 5])
        p = of.get("p", [0.0, 0.01, 0.0, 0.01, 0.0, 0.0101])
        fitted = of.get("fitted", kernels.Fitted(np.zeros(0), np.zeros(0), np.zeros(0)))
        expected = np.full(6, of.get("expected", 10.0))
        test = copying_groups._Test(expected, np.array(p), of.get("surplus", 0.0), 1.0, fitted)
        asked: list[Any] = []

        def against_groups(*of_them: Any) -> Any:
            asked.append(of_them[-1])
            held = pairs_of([20, 20, 20], same, a=[0, 2, 3], b=[8, 8, 9])
            return held, np.full(3, 10.0 if not of.get("surplus") else 8.0), n_outside

        monkeypatch.setattr(copying_groups, "against_groups", against_groups)
        judgments: Any = SimpleNamespace(n_workers=8)
        found = copying_groups._following(None, judgments, pairs, test, copies)  # type: ignore[arg-type]
        return found.tolist(), asked

    def test_who_is_compared_with_a_group(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who is outside and suspicious beside a member, whichever of the two has the lower code."""
        found, asked = self.told(monkeypatch, same=(20, 20, 20))
        assert asked == [[(0, 0), (2, 0)]]
        assert found == [False, True, False, True, False, False]

    def test_six_tenths_of_the_differences_and_a_thousandth(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """By the binomial tail over all who share enough items with a group."""
        tail = binom.sf(15, 20, 0.5)
        assert 0.005 < tail < 0.006
        assert self.told(monkeypatch, same=(16, 20, 20))[0][1] is False
        tail = binom.sf(19, 20, 0.5)
        n = int(0.001 / tail)
        assert self.told(monkeypatch, same=(20, 20, 20), n_outside=n)[0][1] is True
        assert self.told(monkeypatch, same=(20, 20, 20), n_outside=n + 1)[0][1] is False

    def test_at_just_six_tenths(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(copying_groups, "tail", lambda held, *_: np.zeros(len(held)))
        assert self.told(monkeypatch, same=(16, 15, 20))[0] == [False, True, False, False, False, False]

    def test_the_surplus_of_the_median_worker_is_expected(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(copying_groups, "tail", lambda held, *_: np.zeros(len(held)))
        assert self.told(monkeypatch, same=(16, 16, 20), surplus=0.1)[0][1] is True  # 8 and a tenth of 20
        assert self.told(monkeypatch, same=(15, 16, 20), surplus=0.1)[0][1] is False

    def test_nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.told(monkeypatch, p=[0.5] * 6) == ([False] * 6, [])
        assert self.told(monkeypatch, expected=17.0) == ([False] * 6, [])
        assert self.told(monkeypatch, fitted=None) == ([False] * 6, [])


@pytest.mark.parametrize(("p", "same", "told"), [(0.001, 16, True), (0.00101, 16, False), (0.001, 15, False)])
def test_a_pair_is_told_at_one_false_alarm_in_a_thousand(
    p: float, same: int, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And from six tenths of the differences that are expected on."""
    judged = [(f"i{i:02}", w, f"l{i % 2 if w == 'v' or i < same else 1 - i % 2}") for i in range(20) for w in "vw"]
    test = copying_groups._Test(np.array([10.0]), np.array([p]), 0.0, 1.0)
    monkeypatch.setattr(copying_groups, "_tested", lambda *_: test)
    found = copying_groups.found_copies(fit(encoded(judged), rho=0.3))
    assert found.n_groups == int(told)
    assert found.q_value.tolist() == [p] * told
