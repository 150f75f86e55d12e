"""Which items could be gold, and which a worker is tested with: by the rules, at their borders."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from consensus.found.tempering import Tempering
from consensus.worker_audit.on_gold import new_gold, retest_items
from consensus.worker_audit.on_gold.new_gold import Candidates


def candidates(
    support: Any, monkeypatch: pytest.MonkeyPatch, *, confidence: Any = 0.99, n: Any = 4, tied: Any = False, **of: Any
) -> Candidates:
    """Of items with so many strong workers, of whom so many object, and so sure without any one judgment."""
    counts = np.array([one[:2] for one in support])
    least = np.array([one[2] for one in support], np.float64)
    monkeypatch.setattr(new_gold, "_support", lambda *_: (counts, least))
    I = len(support)  # noqa: E741
    peaks = SimpleNamespace(
        tied=np.broadcast_to(tied, I), confidence=np.broadcast_to(confidence, I), best=np.arange(I, dtype=np.int32) % 2
    )
    judgments = SimpleNamespace(n_judgments=9, per_item=np.broadcast_to(n, I), n_labels=of.pop("n_labels", 2))
    usual = {"identified": True, "gold": None, "tempering": Tempering(0.0)}
    result: Any = SimpleNamespace(judgments=judgments, peaks=peaks, **{**usual, **of})
    return Candidates.of(result, None)  # type: ignore[arg-type]


class TestCandidates:
    def test_support_by_strong_workers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Two at least; of ten one may object, of nineteen no more."""
        support = [(2, 0, 1.0), (1, 0, 1.0), (9, 1, 1.0), (10, 1, 1.0), (19, 2, 1.0), (20, 2, 1.0)]
        found = candidates(support, monkeypatch)
        assert found.items.tolist() == [0, 3, 5]
        assert found.n_strong.tolist() == [2, 10, 20]
        assert found.n_against.tolist() == [0, 1, 2]
        assert found.label.tolist() == [0, 1, 1]

    def test_confidence_with_all_judgments_and_without_any_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        support = [(3, 0, 0.9), (3, 0, 0.8999), (3, 0, 0.95)]
        found = candidates(support, monkeypatch)
        assert found.items.tolist() == [0, 2]
        assert found.least.tolist() == pytest.approx([0.9, 0.95])
        found = candidates([(3, 0, 1.0)] * 3, monkeypatch, confidence=np.array([0.95, 0.9499, 1.0]))
        assert found.items.tolist() == [0, 2]

    def test_tempered_by_the_judgments_that_are_left(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Four of five: 1 / (1 + .5 * 3) of the power."""
        p = 0.995
        own, rest = p**0.4, ((1 - p) / 2) ** 0.4
        assert own / (own + 2 * rest) < 0.9
        assert candidates([(3, 0, p)], monkeypatch, n=5, n_labels=3, tempering=Tempering(0.5)).items.tolist() == []
        own, rest = 0.9999**0.4, (0.0001 / 2) ** 0.4
        found = candidates([(3, 0, 0.9999)], monkeypatch, n=5, n_labels=3, tempering=Tempering(0.5))
        assert found.least.tolist() == pytest.approx([own / (own + 2 * rest)])

    def test_three_judgments_no_ties_no_gold(self, monkeypatch: pytest.MonkeyPatch) -> None:
        good = [(2, 0, 1.0)] * 4
        assert candidates(good, monkeypatch, n=np.array([3, 2, 3, 9])).items.tolist() == [0, 2, 3]
        assert candidates(good, monkeypatch, tied=np.array([0, 1, 1, 0], np.bool_)).items.tolist() == [0, 3]
        gold = SimpleNamespace(items=np.array([0, 3]))
        assert candidates(good, monkeypatch, gold=gold).items.tolist() == [1, 2]
        assert candidates(good, monkeypatch, identified=False).items.tolist() == []

    def test_the_best_of_each_label_in_turn(self) -> None:
        """The surest first, then those with more strong workers, then by item."""
        label = np.array([1, 0, 1, 1, 0, 1, 1], np.int32)
        least = np.array([0.9, 0.95, 0.97, 0.9, 0.99, 0.9, 0.9])
        n_strong = np.array([3, 2, 2, 4, 2, 3, 2])
        none = np.zeros(7, np.int64)
        found = Candidates(np.array([5, 10, 15, 20, 25, 30, 35]), label, n_strong, none, least)
        turns = [4, 2, 1, 3, 0, 5, 6]  # of the first label 4 and 1; of the second 2, 3, 0, 5 and 6
        for n in range(1, 9):
            assert found.dealt(n).tolist() == turns[:n]
            chosen = found.chosen(found.dealt(n))
            assert chosen.items.tolist() == found.items[turns[:n]].tolist()
            assert chosen.least.tolist() == least[turns[:n]].tolist()
        nobody = found.chosen(np.zeros(0, np.int64))
        assert nobody.dealt(3).tolist() == []

    def test_percent_is_never_rounded_up(self) -> None:
        assert new_gold._percent(0.99999) == "99.9 %"
        assert new_gold._percent(0.9) == "90.0 %"
        assert new_gold._percent(1.0) == "100.0 %"


class TestNeeded:
    @pytest.mark.parametrize(("accuracy", "n"), [(0.9, 10), (0.8, 30), (0.95, 20), (0.62, 50), (0.3, 5), (0.7, 40)])
    def test_until_the_interval_holds_the_threshold_no_more(self, accuracy: float, n: int) -> None:
        """A right and a wrong judgment are added; no more than 200."""
        p = (accuracy * n + 1) / (n + 2)
        found = int(retest_items.needed([accuracy], [n], 0.6)[0])

        def half(more: int) -> float:
            return 1.959963984540054 * math.sqrt(p * (1 - p) / (n + more))

        if found < 200:
            assert half(found) <= abs(accuracy - 0.6) * (1 + 1e-12)
        assert found == 0 or half(found - 1) > abs(accuracy - 0.6)

    def test_unknown_or_at_the_threshold(self) -> None:
        assert retest_items.needed([np.nan, 0.6, 0.601], [10, 10, 10], 0.6).tolist() == [200, 200, 200]
        assert retest_items.needed([0.99], [500], 0.6).tolist() == [0]


class TestNextItems:
    def test_the_label_that_narrows_the_accuracy_most(self) -> None:
        """Common labels of which few were judged, and that they get right about half of the time."""
        label = np.array([0, 1, 2] * 20, np.int32)
        item = np.arange(60) + 100
        prior, right, n = np.array([0.5, 0.3, 0.2]), np.array([0.9, 0.6, 0.5]), np.array([4.0, 1.0, 0.0])
        counted, expected = n.copy(), []
        for _ in range(15):
            gain = [
                prior[k] ** 2 * right[k] * (1 - right[k]) * (1 / (counted[k] + 1) - 1 / (counted[k] + 2))
                for k in range(3)
            ]
            k = int(np.argmax(gain))
            expected.append(k)
            counted[k] += 1
        judged = np.array([103, 104], np.int32)
        found = retest_items._next_items(0, 15, (item, label), judged, prior, right, n)
        assert label[found].tolist() == expected
        assert len(set(found.tolist())) == 15
        assert not np.isin(item[found], judged).any()
        assert n.tolist() == counted.tolist()

    def test_every_worker_begins_elsewhere(self) -> None:
        label, item = np.zeros(10, np.int32), np.arange(10)
        one, nothing = np.ones(1), np.zeros(0, np.int32)
        for worker in range(5):
            found = retest_items._next_items(worker, 3, (item, label), nothing, one, one * 0.5, np.zeros(1))
            assert found.tolist() == [(3 * worker + j) % 10 for j in range(3)]
        found = retest_items._next_items(1, 12, (item, label), nothing, one, one * 0.5, np.zeros(1))
        assert sorted(found.tolist()) == list(range(10))

    def test_of_equal_labels_the_first(self) -> None:
        label, item = np.array([1, 0, 1, 0], np.int32), np.arange(4)
        even = np.full(2, 0.5)
        found = retest_items._next_items(0, 4, (item, label), np.zeros(0, np.int32), even, even, np.zeros(2))
        assert label[found].tolist() == [0, 1, 0, 1]

    def test_the_items_that_each_judged(self) -> None:
        judgments = SimpleNamespace(
            n_workers=4,
            worker=np.array([2, 0, 3, 2, 1, 0, 2], np.int32),
            item=np.array([0, 0, 1, 2, 2, 3, 4], np.int32),
        )
        result: Any = SimpleNamespace(judgments=judgments)
        found = retest_items._judged_by(result, np.array([2, 0]))
        assert {w: items.tolist() for w, items in found.items()} == {2: [0, 2, 4], 0: [0, 3]}

    def test_gold_with_one_label_comes_before_what_is_proposed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of proposals 2,000 at most."""
        n = 2_500
        none = np.zeros(n, np.int64)
        proposed = Candidates(np.arange(n) + 10, np.zeros(n, np.int32), none, none, np.linspace(1, 0.9, n))
        monkeypatch.setattr(new_gold.Candidates, "of", classmethod(lambda *_: proposed))
        result: Any = SimpleNamespace(gold=None)
        item, label = retest_items._suited(result, None)  # type: ignore[arg-type]
        assert item.tolist() == list(range(10, 2_010))
        accepted = np.array([[0, 1], [1, 1], [1, 0]], np.bool_)
        result = SimpleNamespace(gold=SimpleNamespace(items=np.array([3, 4, 5]), accepted=accepted))
        item, label = retest_items._suited(result, None)  # type: ignore[arg-type]
        assert item[:3].tolist() == [3, 5, 10]
        assert label[:3].tolist() == [1, 0, 0]
        assert len(item) == len(label) == 2_002
