"""Camps of workers who contradict each other: sums by pairs, what a split finds, and who is warned of."""

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import consensus
from consensus.backends import Threads
from consensus.inputs.judgments import Judgments
from consensus.kernels import camp_loops
from consensus.models import opposed_camps, switching
from consensus.models.opposed_camps import ACROSS, FIRST, SECOND, OpposedCamps
from tests import attack_crowds, other_crowds
from tests.strategies import encoded

ONE = Threads(1)
OPPOSED = OpposedCamps((4, 6), 0.4, (0.9, 0.6, 0.1), (0.3, 0.3, 0.3), (9.0, 8.0, -7.0))


def found(judgments: Judgments, threads: int = 1, repeats: float = 1.0) -> OpposedCamps | None:
    items = switching._items_for_pairs(judgments, 0)
    return opposed_camps.found(judgments, items, 0, Threads(threads), repeats)


def under_attack(attack: Any, share: float, n_labels: int, seed: int) -> Judgments:
    return consensus.read(attack_crowds.draw(attack_crowds.Recipe(attack, share, n_labels), seed).table)


def naive_pairs(judgments: Judgments, items: list[int]) -> list[tuple[int, int, int, bool, float]]:
    """Place, workers, whether they agree, and how often they would by chance; worker by worker."""
    given: dict[int, list[int]] = {}
    for w, k in zip(judgments.worker.tolist(), judgments.label.tolist(), strict=True):
        given.setdefault(w, []).append(k)
    told = []
    for place, i in enumerate(items):
        own = range(judgments.item_start[i], judgments.item_start[i + 1])
        for a, b in itertools.combinations(own, 2):
            v, w = int(judgments.worker[a]), int(judgments.worker[b])
            if v != w:
                by_chance = sum(
                    given[v].count(k) / len(given[v]) * given[w].count(k) / len(given[w])
                    for k in range(judgments.n_labels)
                )
                told.append((place, v, w, bool(judgments.label[a] == judgments.label[b]), by_chance))
    return told


class TestPairs:
    @pytest.mark.parametrize("seed", range(4))
    def test_each_of_two_workers_on_an_item(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        judged = [(f"i{i}", f"w{w}", f"l{rng.integers(3)}") for i in range(8) for w in rng.permutation(5)[:3]]
        judgments = encoded(judged)
        items = rng.permutation(8).astype(np.int32)[:6]
        pairs = opposed_camps._pairs(judgments, items)
        expected = naive_pairs(judgments, items.tolist())
        assert len(pairs.place) == len(expected) == 18
        for n, (place, v, w, agreed, by_chance) in enumerate(expected):
            assert (pairs.place[n], pairs.first[n], pairs.second[n], pairs.agreed[n]) == (place, v, w, agreed)
            assert pairs.chance[n] == pytest.approx(by_chance)

    def test_own_repeats_are_none(self) -> None:
        rows = {"item": ["a", "a", "a"], "worker": ["v", "v", "w"], "label": ["x", "y", "x"]}
        judgments = consensus.read(rows, repeats="keep")
        pairs = opposed_camps._pairs(judgments, np.array([0], np.int32))
        assert (pairs.first.tolist(), pairs.second.tolist(), pairs.agreed.tolist()) == ([0, 0], [1, 1], [True, False])

    def test_sums_by_worker(self) -> None:
        rng = np.random.default_rng(5)
        first, second = rng.integers(0, 6, (2, 40)).astype(np.int32)
        weight, x = rng.normal(size=40), rng.normal(size=(6, 2))
        out = np.ones((6, 2))
        camp_loops.signed_sums(first, second, weight, x, out)
        matrix = np.zeros((6, 6))
        for v, w, r in zip(first, second, weight, strict=True):
            matrix[v, w] += r
            matrix[w, v] += r
        assert out == pytest.approx(1.0 + matrix @ x)

    def test_as_many_items_as_can_be_worked_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        judgments = encoded([(f"i{i}", f"w{w}", f"l{w % 2}") for i in range(9) for w in range(4)])  # 6 pairs, 2 labels
        items = np.arange(9, dtype=np.int32)
        assert len(opposed_camps._bounded(judgments, items)) == 9
        monkeypatch.setattr(opposed_camps, "MOST_WORK", 2 * 6 * 4 + 1)
        assert opposed_camps._bounded(judgments, items).tolist() == [0, 1, 2, 3]
        monkeypatch.setattr(opposed_camps, "MOST_PAIRS", 6 * 3)
        assert opposed_camps._bounded(judgments, items).tolist() == [0, 1, 2]


class TestSplit:
    def test_two_blocks(self) -> None:
        """Within the blocks all agree, across them nobody does; the last worker has no pairs."""
        first, second = np.array(list(itertools.combinations(range(6), 2)), np.int32).T
        same = (first < 2) == (second < 2)
        pairs = camp_loops.Pairs(first, first, second, same, np.full(len(first), 0.4))
        leaning = opposed_camps._leaning(pairs, np.random.default_rng(1).standard_normal((7, 2)))
        sign = np.sign(leaning) * np.sign(leaning[0])
        assert sign.tolist() == [1, 1, -1, -1, -1, -1, 0]
        assert np.abs(leaning) == pytest.approx([0.6 + 4 * 0.4] * 2 + [3 * 0.6 + 2 * 0.4] * 4 + [0])

    def test_moves_end_after_some_rounds(self) -> None:
        """Two who contradict each other and start in one camp change sides together for ever."""
        pair = np.array([0], np.int32), np.array([1], np.int32)
        moved = opposed_camps._improved(*pair, np.array([-1.0]), np.array([1.0, 1.0]))
        assert moved.tolist() == [1, 1]

    def test_sums_over_the_chosen(self) -> None:
        place, first = np.array([0, 0, 1, 1, 2], np.int32), np.array([0, 0, 1, 2, 0], np.int32)
        second, agreed = np.array([1, 2, 3, 3, 4], np.int32), np.array([True, True, False, True, True])
        pairs = camp_loops.Pairs(place, first, second, agreed, np.full(5, 0.5))
        chosen = np.array([True, True, True, False, True])
        sums = opposed_camps._sums(pairs, chosen, np.array([1.0, 1.0, -1.0, -1.0, 0.0]), 3)
        assert sums.n[[FIRST, SECOND, ACROSS]].tolist() == [1, 0, 2]  # the worker without a camp does not count
        assert sums.agreed.tolist() == [1, 0, 1]
        assert sums.by_chance.tolist() == [0.5, 0, 1]
        assert sums.spread.tolist() == [0.25, 0, 0.5]
        assert sums.squares.tolist() == [0.25, 0, 0.5]

    @pytest.mark.parametrize(("made", "smaller"), [((10, 30), 0), ((30, 10), 1)])
    def test_the_smaller_camp_comes_first(self, made: tuple[int, int], smaller: int) -> None:
        judgments = encoded(
            [(f"i{i}", "v", "x") for i in range(made[0])] + [(f"i{i}", "w", "y") for i in range(made[1])]
        )
        sums = opposed_camps._Sums(*np.array([[10, 20, 40], [8, 19, 4], [5, 10, 20], [4, 1, 10], [1, 9, 9]], float))
        told = opposed_camps._told(judgments, np.array([1.0, -1.0]), sums, 1.0)
        assert (told.workers, told.share) == ((1, 1), 0.25)
        assert told.agreed == ((0.8, 0.95, 0.1), (0.95, 0.8, 0.1))[smaller]
        assert told.by_chance == (0.5, 0.5, 0.5)
        assert told.deviations == pytest.approx(((1.5, 3.0, -(25.6**0.5)), (3.0, 1.5, -(25.6**0.5)))[smaller])
        halved = opposed_camps._told(judgments, np.array([1.0, -1.0]), sums, 4.0)
        assert np.array(halved.deviations) * 2 == pytest.approx(told.deviations)


class TestOpposed:
    @pytest.mark.parametrize(
        ("changed", "opposed"),
        [
            ({}, True),
            ({"share": 0.2}, False),
            ({"deviations": (3.0, 8.0, -7.0)}, False),
            ({"deviations": (9.0, 3.0, -7.0)}, False),
            ({"deviations": (9.0, 8.0, -4.0)}, False),
        ],
    )
    def test_all_three_must_be_clear(self, changed: dict[str, Any], opposed: bool) -> None:
        assert replace(OPPOSED, **changed).opposed == opposed

    @pytest.mark.compiled
    @pytest.mark.parametrize("n_labels", [2, 4, 10])
    @pytest.mark.parametrize("share", [0.3, 0.4, 0.5, 0.6])
    def test_colluders(self, n_labels: int, share: float) -> None:
        two = found(under_attack("colluders", share, n_labels, 11))
        assert two is not None
        assert two.opposed
        assert two.share == pytest.approx(min(share, 1 - share), abs=0.06)
        assert two.agreed[ACROSS] < two.by_chance[ACROSS] - 0.05

    @pytest.mark.compiled
    def test_nobody_where_all_are_honest(self) -> None:
        """Skills differ, items are hard and tempt, some guess, and some give one label."""
        kinds = [
            {"difficulty_sd": 2.0, "accuracy": 0.7},
            {"difficulty_sd": 1.0, "random": 0.3},
            {"one_label": 0.3},
            {"per_item": 15, "difficulty_sd": 2.0, "skill_sd": 1.5, "accuracy": 0.65},
        ]
        for kind, n_labels in itertools.product(kinds, (2, 10)):
            recipe = other_crowds.Recipe(n_labels=n_labels, **kind)  # type: ignore[arg-type]
            two = found(consensus.read(other_crowds.draw(recipe, 11).table))
            assert two is None or not two.opposed

    def test_the_same_on_two_threads(self) -> None:
        judgments = under_attack("colluders", 0.4, 4, 12)
        assert found(judgments) == found(judgments, threads=2)

    def test_either_half_may_call_the_camps_otherwise(self, monkeypatch: pytest.MonkeyPatch) -> None:
        judgments = under_attack("colluders", 0.4, 4, 12)
        usual, real, signs = found(judgments), opposed_camps._leaning, iter([1.0, -1.0])
        monkeypatch.setattr(opposed_camps, "_leaning", lambda *of: next(signs) * real(*of))
        assert found(judgments) == usual

    def test_too_few_pairs_tell_nothing(self) -> None:
        assert found(encoded([(f"i{i}", f"w{w}", f"l{w}") for i in range(6) for w in range(2)])) is None
        assert found(encoded([("i0", "w0", "l0")])) is None


class TestWarning:
    def test_with_numbers(self) -> None:
        quiet = switching.Camps(0, 0, 0, 0, 0.0)
        (one,) = switching._switch_risk(quiet, None, 100, OPPOSED)
        assert one.message == (
            "labels may be switched: the workers fall into two camps (4 of them with 40% of the judgments, 6 with "
            "60%), who agree with their own camp on 90% and 60% of shared items, but with the other on 10% (30% by "
            "chance). "
            "Only gold can tell: give some with --gold"
        )
        assert one.values["camp_share"] == 0.4
        assert one.values["camps_agreeing"] == 0.1
        assert one.values["camps_agreeing_by_chance"] == 0.3
        assert switching._switch_risk(quiet, None, 100, replace(OPPOSED, share=0.1)) == []
        assert switching._switch_risk(quiet, None, 100, None) == []

    def test_not_where_pairs_of_workers_tell_as_much(self) -> None:
        (one,) = switching._switch_risk(switching.Camps(9, 9, 8, 4, 0.5), None, 100, OPPOSED)
        assert "two camps" not in one.message

    @pytest.mark.compiled
    def test_wrong_labels_are_never_accepted_without_it(self) -> None:
        crowd = attack_crowds.draw(attack_crowds.Recipe("colluders", 0.6, 10), 13)
        result = consensus.fit(consensus.read(crowd.table))
        right = np.mean(
            [crowd.truth[i] == k for i, k in zip(result.labels["item"], result.labels["label"], strict=True)]
        )
        assert right < 0.5
        assert "switch_risk" in [one.code for one in result.warnings]
