"""Drift, step by step: everything that ``drifts`` finds in small timelines, again from the definitions."""

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from consensus import fit, simulate
from consensus.backends import Threads
from consensus.found.result import Consensus
from consensus.kernels import drift_loops as kernels
from consensus.worker_audit import drifts
from consensus.worker_audit.accuracy import against_others
from consensus.worker_audit.over_time import drift, drift_table, same_label_items
from consensus.worker_audit.over_time.drift import CrowdChange
from tests import naive_timelines as naive

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

ONE: Any = SimpleNamespace(backend=Threads(1))
MARCH = int(np.datetime64("2025-03-01", "us").astype(np.int64))
MINUTE = 60_000_000


def timed(seed: int, n_items: int = 90, share_unknown: float = 0.15) -> Consensus:
    """Seven workers; the first three answer at random from the middle of March on, and some times are unknown."""
    rng = np.random.default_rng(seed)
    good = np.full((3, 3), 0.06) + 0.82 * np.eye(3)
    judgments = simulate(n_items, confusion=[good] * 7, per_item=5, seed=seed).judgments
    times = MARCH + rng.integers(0, 12 * n_items, judgments.n_judgments) * MINUTE
    late = (times > MARCH + 6 * n_items * MINUTE) & (judgments.worker < 3)
    label = np.where(late, rng.integers(0, 3, judgments.n_judgments), judgments.label).astype(np.int32)
    times[rng.random(len(times)) < share_unknown] = naive.UNKNOWN
    return fit(replace(judgments, label=label, timestamp=times.view("datetime64[us]")), rho=0.3)


def date(time: int) -> np.datetime64:
    return np.datetime64(time, "us")


@pytest.mark.parametrize(("seed", "n_items"), [(1, 90), (2, 90), (3, 200), (4, 28)])
def test_of_every_worker(seed: int, n_items: int) -> None:
    result = timed(seed, n_items)
    found, right, judgments = drifts(result), against_others.right(result), result.judgments
    assert judgments.timestamp is not None
    times = judgments.timestamp.view(np.int64)
    for w, judged in enumerate(naive.timelines(judgments.worker.tolist(), times.tolist(), 7)):
        own = [j for j in judged if times[j] != naive.UNKNOWN]
        rights, when, n = right[own].tolist(), times[own].tolist(), len(own)
        ratios = naive.ratios(rights, when, 10)
        if not ratios:
            assert np.isnan([found.before[w], found.after[w], found.p[w]]).all()
            assert (found.n_before[w], found.n_after[w], found.changed[w]) == (0, 0, False)
            assert np.isnat(found.when[w])
            continue
        place = int(found.n_before[w])
        ratio, mean = max(ratios.values()), sum(rights) / n
        assert ratios[place] == pytest.approx(ratio, abs=1e-9)
        assert found.n_after[w] == n - place
        assert found.when[w] == date(when[place])
        assert found.before[w] == pytest.approx(sum(rights[:place]) / place)
        assert found.after[w] == pytest.approx(sum(rights[place:]) / (n - place))
        variance = sum((r - mean) ** 2 for r in rights) / (n * mean * (1 - mean))
        spread = min(max(variance, 0.25), 1.0)
        wrong = round(n - sum(rights))
        few, p = min(wrong, n - wrong), np.empty(1)
        kernels.by_chance(np.array([n]), np.array([few]), np.array([ratio / spread]), 10, p)
        b = math.sqrt(2 * ratio / spread)
        limit = norm.pdf(b) * (4 / b + (b - 1 / b) * 2 * math.log((n - 10) / 10)) if b > 1 else 1.0
        assert found.p[w] == pytest.approx(p[0] if n <= 100 or limit < 0.2 else min(limit, 1.0), rel=1e-9)
        if found.changed[w]:
            near = [t for t, one in ratios.items() if one >= ratio - 3.68 * spread]
            assert found.earliest[w] == date(when[near[0] - 1])
            assert found.latest[w] == date(when[near[-1]])
        else:
            assert np.isnat([found.earliest[w], found.latest[w]]).all()
    if n_items > 28:
        assert found.changed[:3].any()


@pytest.mark.parametrize("seed", [1, 3, 5])
def test_of_all_together(seed: int) -> None:
    """At up to 100 times; each worker's change in deviations, three at most; judgments of an item go together.

    Of times that are nearly as good as the best, the one where the changes are largest without that limit.
    """
    result = timed(seed)
    found, right, judgments = drifts(result).crowd, against_others.right(result), result.judgments
    assert judgments.timestamp is not None
    times = judgments.timestamp.view(np.int64)
    known = times != naive.UNKNOWN
    ordered = np.sort(times[known])
    places = np.unique(ordered[[(g * len(ordered)) // 101 for g in range(1, 101)]])
    lines = [
        [j for j in judged if known[j]]
        for judged in naive.timelines(judgments.worker.tolist(), times.tolist(), judgments.n_workers)
    ]
    mean = np.array([right[own].mean() for own in lines])
    d = np.where(known, right - mean[judgments.worker], 0.0)
    together = sum(d[judgments.item == i].sum() ** 2 for i in range(judgments.n_items))
    cluster = max(together / (d**2).sum(), 1.0)
    told = []
    for place in places.tolist():
        z, uncut, n_workers, n_before, right_before = 0.0, 0.0, 0, 0, 0.0
        for own in lines:
            before = sum(times[j] < place for j in own)
            n_before, right_before = n_before + before, right_before + right[own[:before]].sum()
            if 10 <= before <= len(own) - 10:
                change = naive.change_in_deviations(right[own].tolist(), before)
                z, uncut = z + min(max(change, -3.0), 3.0), uncut + change
                n_workers += 1
        if n_workers >= 5:
            deviations, root = abs(z) / math.sqrt(n_workers * cluster), math.sqrt(n_workers)
            told.append((deviations, math.copysign(uncut, uncut * z) / root, place, n_workers, n_before, right_before))
    largest = max(one[0] for one in told)
    alike = [one for one in told if one[0] >= 0.95 * largest]
    most, _, place, n_workers, n_before, right_before = max(alike, key=lambda one: (round(one[1], 9), -one[2]))
    n_after = known.sum() - n_before
    assert found.p == pytest.approx(min(1.0, 2 * norm.sf(most) * len(told)), rel=1e-6)
    assert found.changed == (found.p <= 0.01)
    assert (found.when, found.n_workers) == (date(place), n_workers)
    assert (found.n_before, found.n_after) == (n_before, n_after)
    assert found.before == pytest.approx(right_before / n_before)
    assert found.after == pytest.approx((right[known].sum() - right_before) / n_after)
    assert found.cluster == pytest.approx(cluster)


class TestPValues:
    def test_few_false_discoveries(self) -> None:
        """One percent of those told: of a hundred, a p-value of .0001, or two of .0002."""
        p = np.full(100, 0.5)
        p[3] = 0.0001
        assert np.flatnonzero(drift._discoveries(p, 0.01)).tolist() == [3]
        p[3] = 0.000101
        assert not drift._discoveries(p, 0.01).any()
        p[7] = p[3] = 0.0002
        assert np.flatnonzero(drift._discoveries(p, 0.01)).tolist() == [3, 7]
        p[8] = np.nan  # not tested
        assert np.flatnonzero(drift._discoveries(p, 0.01)).tolist() == [3, 7]
        assert drift._discoveries(np.full(3, np.nan), 0.01).tolist() == [False] * 3

    def exact(self, n: int, wrong: float, ratio: float) -> bool:
        found = drift._by_chance(ONE, np.array([n]), np.array([wrong]), np.array([ratio]))
        return bool(found[0] != drift._limit(np.array([n]), np.array([ratio]))[0])

    def test_up_to_a_hundred_judgments_they_are_exact(self) -> None:
        likely = 3.0
        assert drift._limit(np.array([101]), np.array([likely]))[0] > 0.2
        assert self.exact(100, 20, likely)
        assert not self.exact(101, 20, likely)

    def test_and_of_small_ones(self) -> None:
        ratios = np.linspace(3, 7, 30)
        limits = drift._limit(np.full(30, 300), ratios)
        assert limits.max() > 0.25 > 0.15 > limits.min()
        for ratio, limit in zip(ratios.tolist(), limits.tolist(), strict=True):
            assert self.exact(300, 20, ratio) == (limit < 0.2)

    def test_as_long_as_it_does_not_take_long(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Twenty million steps: judgments times the lesser of right and wrong ones."""
        asked: list[tuple[int, int]] = []
        monkeypatch.setattr(kernels, "by_chance", lambda n, few, *_: asked.extend(zip(n, few, strict=True)))
        n = np.array([20_000, 20_000, 20_001, 5_000_000, 5_000_001, 6_666_667])
        wrong = np.array([1_000.4, 19_000.0, 1_000.0, 4.0, 4.0, 3.0])
        drift._by_chance(ONE, n, wrong, np.full(6, 20.0))
        assert asked == [(20_000, 1_000), (20_000, 1_000), (5_000_000, 4)]

    def test_the_limit(self) -> None:
        """No more than 1, and 1 where no place stands out."""
        assert drift._limit(np.array([1000, 1000, 20]), np.array([0.5, 0.0, 30.0])).tolist()[:2] == [1.0, 1.0]
        for n, ratio in ((1000, 0.51), (1000, 2.0), (50, 5.0), (20, 6.0)):
            b = math.sqrt(2 * ratio)
            expected = norm.pdf(b) * (4 / b + (b - 1 / b) * 2 * math.log((n - 10) / 10))
            assert drift._limit(np.array([n]), np.array([ratio]))[0] == pytest.approx(min(expected, 1.0), rel=1e-12)


class TestTogether:
    def of(
        self, place: int, *, n: int = 300, after: float = 0.5, changed: bool = True, wide: bool = False
    ) -> list[bool]:
        """A worker with a judgment a minute who changes at this one; the crowd does, for the worse, at the 150th."""
        when, flag = date(MARCH + 150 * MINUTE), np.array([True])
        time = MARCH + np.arange(n) * MINUTE
        at = date(int(time[place]))
        span = (date(MARCH), date(MARCH + 150 * MINUTE)) if wide else (at, at)
        lines: Any = SimpleNamespace(first=np.array([0]), start=np.array([0, n]), time=time)
        crowd = CrowdChange(changed, when, 500, 500, 0.9, 0.7, 0.001, 9, 1.0)
        ends = np.array([span[0]]), np.array([span[1]])
        better = np.array([after > 0.8])
        return drift._together(lines, flag, np.array([place]), better, ends, crowd).tolist()  # type: ignore[no-any-return]

    def test_a_tenth_of_their_judgments_may_lie_between(self) -> None:
        assert self.of(150) == self.of(120) == self.of(180) == [True]
        assert self.of(119) == self.of(181) == [False]

    def test_or_ten_judgments(self) -> None:
        """Of 60 judgments, all before the crowd changed."""
        assert self.of(50, n=60) == [True]
        assert self.of(49, n=60) == [False]

    def test_or_what_is_not_sure(self) -> None:
        assert self.of(40) == [False]
        assert self.of(40, wide=True) == [True]

    def test_not_the_other_way_and_not_without_a_crowd(self) -> None:
        assert self.of(150, after=0.9) == [False]
        assert self.of(150, changed=False) == [False]


def test_places_of_very_many_judgments_are_those_of_a_sample() -> None:
    for n, step in ((1_000_000, 1), (1_000_001, 2), (2_500_000, 3)):
        lines: Any = SimpleNamespace(time=np.arange(n))
        taken = np.arange(0, n, step)
        expected = [int(taken[g * len(taken) // 101]) for g in range(1, 101)]
        assert drift._places(lines).tolist() == expected
    nobody: Any = SimpleNamespace(time=np.full(3, naive.UNKNOWN))
    assert len(drift._places(nobody)) == 0


def test_reasons_why_there_is_no_p_value() -> None:
    n = np.array([19, 20, 40])
    times = np.array([MARCH, naive.UNKNOWN]).view("datetime64[us]")
    judgments = SimpleNamespace(
        worker=np.repeat([0, 1, 2, 0], [*n, 5]), timestamp=np.repeat(times, [n.sum(), 5]), in_order=True, read_row=None
    )
    result: Any = SimpleNamespace(judgments=judgments, identified=True)
    none = np.zeros(3, np.bool_)
    found: Any = SimpleNamespace(p=np.array([np.nan, np.nan, 0.5]), with_items=none, with_others=none)
    few = "19 judgments with a time; 20 are needed"
    place = "no two times with 10 judgments before and after"
    assert drift_table._unanswered(result, found) == [few, place, None]


class TestStaying:
    """Whether a change stays where only items of the same label are compared."""

    def of(self, right: Any, label: Any, n_before: int, unknown: int = 2) -> bool:
        """Of one worker, before whom another did as much, and some of whose times are unknown."""
        n = len(right)
        place = np.random.default_rng(n).permutation(2 * n + unknown)
        lines: Any = SimpleNamespace(
            first=np.array([0, n + unknown]), n_timed=np.array([n, n]), judgment=place.astype(np.int32)
        )
        rights, items, best = np.zeros(len(place)), np.arange(len(place))[::-1], np.zeros(len(place), np.int32)
        rights[place[n + unknown :]] = right
        best[items[place[n + unknown :]]] = label
        result: Any = SimpleNamespace(peaks=SimpleNamespace(best=best), judgments=SimpleNamespace(item=items))
        found = same_label_items.staying(result, lines, rights, np.array([False, True]), np.array([n // 2, n_before]))
        assert not found[0]
        return bool(found[1])

    def naive(self, right: Any, label: Any, n_before: int) -> float:
        """Deviations of the change within labels, by Mantel & Haenszel, in its direction."""
        early, late = right[:n_before], right[n_before:]
        gain = variance = 0.0
        for k in set(label.tolist()):
            a, b = early[label[:n_before] == k], late[label[n_before:] == k]
            if len(a) and len(b):
                weight = len(a) * len(b) / (len(a) + len(b))
                mean = np.concatenate([a, b]).mean()
                gain += weight * (b.mean() - a.mean())
                variance += weight * mean * (1 - mean)
        direction = 1 if late.mean() > early.mean() else -1
        return float(direction * gain / max(variance, 1e-300) ** 0.5)

    def test_by_the_formula(self) -> None:
        rng = np.random.default_rng(0)
        near = 0
        for _ in range(120):
            n, n_before = 60, int(rng.integers(15, 45))
            label = rng.integers(0, 3, n)
            if rng.random() < 0.3:
                label[n_before:] = np.where(rng.random(n - n_before) < 0.7, 0, label[n_before:])
            before, after = rng.uniform(0.3, 0.95, 2)
            right = np.where(np.arange(n) < n_before, rng.random(n) < before, rng.random(n) < after).astype(np.float64)
            right = np.clip(right, 0.02, 0.97)
            z = self.naive(right, label, n_before)
            near += 2.3 < z < 2.9
            assert self.of(right, label, n_before) == (z > 2.576)
        assert near > 5

    def test_at_the_border(self) -> None:
        """99 % of a normal distribution: of a hundred judgments before and after."""
        for n_right, stays in ((68, True), (69, True), (70, False), (71, False)):
            right = np.concatenate([np.arange(100) < 85, np.arange(100) < n_right]).astype(np.float64)
            z = self.naive(right, np.zeros(200, np.int64), 100)
            assert (z > norm.isf(0.005)) == stays
            assert self.of(right, np.zeros(200, np.int64), 100) == stays
