"""What gold speaks for: the rules against a naive twin, and each rule on crowds made for it."""

from typing import Any

import numpy as np
import pytest

from consensus import read, read_gold, read_model_votes
from consensus.found import gold_reach
from consensus.found.gold_reach import Judged, is_as_if_drawn, met, reached
from consensus.kernels import reach_loops
from consensus.models.preparing import prepared
from tests import naive_reach

Rows = list[tuple[int, int, int]]


def judged(rows: Rows, n_items: int, n_workers: int, n_labels: int = 2) -> Judged:
    table = np.array(sorted(rows), np.int32).reshape(-1, 3)
    start = np.searchsorted(table[:, 0], np.arange(n_items + 1)).astype(np.int64)
    worker, label = (np.ascontiguousarray(table[:, at]) for at in (1, 2))
    return Judged(start, worker, label, n_workers, n_labels)


def teams(seed: int, n_items: int = 40, bridge: int = 0, misread: float = 0.0, right: float = 0.9) -> Rows:
    """Two teams of five with ``n_items`` each; worker 0 judges ``bridge`` items of the second, too."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(2 * n_items):
        truth, second = int(rng.integers(2)), i >= n_items
        read = 1 - truth if second and rng.random() < misread else truth
        for w in rng.choice(5, 3, replace=False).tolist():
            label = read if rng.random() < right else 1 - read
            rows.append((i, w + 5 * second, label))
        if n_items <= i < n_items + bridge:
            rows.append((i, 0, truth if rng.random() < right else 1 - truth))
    return rows


@pytest.mark.parametrize("seed", range(12))
def test_the_rules_are_those_of_the_naive_twin(seed: int) -> None:
    """Teams, bridges, lone workers, items that nobody judged, gold anywhere."""
    rng = np.random.default_rng(seed)
    rows = teams(seed, 24, bridge=[0, 12, 24][seed % 3], misread=[0.0, 0.5][seed % 2])
    rows += [(48 + n, 10 + n, int(rng.integers(2))) for n in range(4)]
    lone = rng.choice(24, 12, replace=False).tolist()
    rows += [(i, 14, next(k for j, _, k in rows if j == i)) for i in lone]
    gold = set(rng.choice(24, 8, replace=False).tolist())
    gold |= {0: set(), 1: {30}, 2: {48, 49}, 3: {53}}[seed % 4]
    found = reached(judged(rows, 54, 16), np.array(sorted(gold), np.int32))
    as_drawn = lambda size, n: is_as_if_drawn(np.array(size), np.array(n))  # noqa: E731
    checked, workers, items = naive_reach.reached(rows, gold, as_drawn)
    assert set(np.flatnonzero(found.checked)) == checked
    assert set(np.flatnonzero(found.workers)) - {15} == workers
    assert set(np.flatnonzero(found.items)) - {52, 53} == items
    assert found.items[[52, 53]].all()  # nobody judged these: no label of theirs is ever accepted


class TestTeams:
    def test_a_team_of_its_own(self) -> None:
        found = reached(judged(teams(1), 80, 10), np.arange(20, dtype=np.int32))
        assert found.items.tolist() == [True] * 40 + [False] * 40
        assert found.workers.tolist() == found.checked.tolist() == [True] * 5 + [False] * 5

    def test_one_gold_item_is_too_little(self) -> None:
        """It would be lost among the others, whatever it says."""
        some = judged(teams(1), 80, 10)
        assert not reached(some, np.array([*range(30), 40], np.int32)).items[40:].any()
        assert reached(some, np.array([*range(20), *range(40, 52)], np.int32)).items.all()

    @pytest.mark.parametrize(("misread", "within"), [(0.0, True), (1.0, False), (0.4, False)])
    def test_a_bridge_counts_if_it_agrees(self, misread: float, within: bool) -> None:
        rows = teams(2, bridge=40, misread=misread)
        found = reached(judged(rows, 80, 10), np.arange(20, dtype=np.int32))
        assert found.items[40:].all() == found.workers[5:].all() == within
        assert not found.checked[5:].any()

    def test_a_bridge_of_few_items_says_too_little(self) -> None:
        found = reached(judged(teams(2, bridge=9, right=1.0), 80, 10), np.arange(20, dtype=np.int32))
        assert not found.items[40:].any()
        assert reached(judged(teams(2, bridge=25, right=1.0), 80, 10), np.arange(20, dtype=np.int32)).items.all()

    def test_nobody_to_compare_with(self) -> None:
        """Gold items with one judgment each: how far the checked agree among themselves is not known."""
        rows = [(i, 0, 0) for i in range(20)] + [(i, w, 0) for i in range(10, 40) for w in (1, 2)]
        found = reached(judged(rows, 40, 3), np.arange(10, dtype=np.int32))
        assert found.workers.tolist() == [True, False, False]
        assert found.items.tolist() == [True] * 10 + [False] * 30

    def test_a_long_chain_wears_out(self) -> None:
        """Each worker shares 15 items with the next; all agree. The word is passed on ten times."""
        rows = [(i, w, i % 2) for w in range(16) for i in range(15 * max(w - 1, 0), 15 * max(w - 1, 0) + 30)]
        found = reached(judged(rows, 240, 16), np.arange(12, dtype=np.int32))
        assert found.checked.tolist() == [True] * 2 + [False] * 14
        assert found.workers.tolist() == [True] * 12 + [False] * 4

    def test_names_change_nothing(self) -> None:
        rng = np.random.default_rng(0)
        rows = teams(3, bridge=30, misread=0.1)
        item, worker = rng.permutation(80), rng.permutation(10)
        gold = np.arange(0, 40, 3, dtype=np.int32)
        plain = reached(judged(rows, 80, 10), gold)
        renamed = [(int(item[i]), int(worker[w]), 1 - k) for i, w, k in rows]
        found = reached(judged(renamed, 80, 10), np.sort(item[gold]).astype(np.int32))
        assert np.array_equal(found.items[item], plain.items)
        assert np.array_equal(found.workers[worker], plain.workers)


class TestGoldAtRandom:
    """Three hundred workers with about six judgments each, so that most of them meet no gold."""

    @staticmethod
    def crowd(seed: int) -> Judged:
        rng = np.random.default_rng(seed)
        rows = [(i, w, int(rng.random() < 0.8)) for i in range(600) for w in rng.choice(300, 3, replace=False).tolist()]
        return judged(rows, 600, 300)

    def test_it_speaks_for_those_whom_it_missed(self) -> None:
        found = []
        for seed in range(30):
            gold = np.random.default_rng(seed).choice(600, 30, replace=False).astype(np.int32)
            one = reached(self.crowd(seed), np.sort(gold))
            assert one.checked.mean() < 0.5
            found.append(one.workers.all())
        assert sum(found) >= 26

    def test_gold_by_a_few_does_not(self) -> None:
        """Gold items of the same few workers: of the others nothing is known but what they share."""
        some = self.crowd(1)
        by_few = [i for i in range(600) if (some.worker[3 * i : 3 * i + 3] < 100).all()]
        found = reached(some, np.array(by_few, np.int32))
        assert len(by_few) > 10
        assert not found.workers.all()

    def test_who_met_too_little_is_not_among_them(self) -> None:
        """A worker with a hundred judgments and no gold, where a tenth is gold: that is no accident."""
        rng = np.random.default_rng(1)
        rows = [(i, int(w), 0) for i in range(600) for w in rng.choice(250, 3, replace=False)]
        rows += [(i, 299, i % 2) for i in range(100)]
        gold = np.sort(rng.choice(np.arange(100, 600), 60, replace=False)).astype(np.int32)
        found = reached(judged(rows, 600, 300), gold)
        assert np.flatnonzero(~found.workers).tolist() == [299]


class TestParts:
    """Sixty batches of ten items, each with three workers of its own."""

    part = np.repeat(np.arange(60, dtype=np.int32), 10)

    def gold(self, items: Any) -> Any:
        found = np.zeros(600, np.bool_)
        found[items] = True
        return found

    def test_random_gold_speaks_for_parts_that_it_missed(self) -> None:
        rng = np.random.default_rng(0)
        drawn = [self.gold(rng.choice(600, 60, replace=False)) for _ in range(50)]
        left_out = [(np.bincount(self.part[one], minlength=60) == 0).sum() for one in drawn]
        assert np.mean(left_out) > 15
        assert sum(met(self.part, one).all() for one in drawn) >= 45

    def test_gold_of_some_parts_speaks_for_these(self) -> None:
        gold = self.gold(np.arange(0, 120, 2))
        assert met(self.part, gold).tolist() == [True] * 12 + [False] * 48

    def test_fewer_than_five_parts_are_no_random_draw(self) -> None:
        some = np.repeat(np.arange(6, dtype=np.int32), [10, 10, 10, 10, 1, 1])
        gold = np.isin(np.arange(42), [0, 10, 20, 30])
        assert met(some, gold).tolist() == [True] * 4 + [False] * 2
        gold[40] = True
        assert met(some, gold).all()

    def test_too_little_gold_for_a_large_part(self) -> None:
        some = np.repeat(np.arange(7, dtype=np.int32), [20] * 6 + [400])
        gold = np.isin(np.arange(520), [*range(0, 120, 4), 200, 201])
        assert met(some, gold).tolist() == [True] * 6 + [False]
        gold[202:210] = True  # ten are enough
        assert met(some, gold).all()

    def test_a_share_of_draws(self) -> None:
        """Of 12 gold in 40 + s items, all in the 40: C(40, 12) / C(40 + s, 12) of random draws do so."""
        assert is_as_if_drawn(np.array([40, 8]), np.array([12, 0]))  # .08
        assert not is_as_if_drawn(np.array([40, 14]), np.array([12, 0]))  # .016
        assert is_as_if_drawn(np.array([40, 14]), np.array([11, 1]))

    def test_groups_of_items(self) -> None:
        """Workers of all groups, gold in one: what they do in the others is not known."""
        some = judged(teams(4, bridge=40, right=1.0), 80, 10)
        gold = np.arange(20, dtype=np.int32)
        assert reached(some, gold).items.all()
        found = reached(some, gold, np.repeat(np.arange(2, dtype=np.int32), 40))
        assert found.by_workers.all()
        assert found.items.tolist() == found.in_groups.tolist() == [True] * 40 + [False] * 40


def test_no_judgments() -> None:
    found = reached(judged([], 3, 2), np.array([0], np.int32))
    assert (found.items.tolist(), found.workers.tolist()) == ([True] * 3, [False] * 2)


class TestOfInputs:
    def test_gold_that_nobody_judged(self) -> None:
        judgments, gold, _ = aligned("item,worker,label\na,w,x\nb,w,y\n", "item,label\na,x\n")
        assert gold_reach.of(judgments, gold, None) is not None
        none = type(gold)(gold.items[:0], gold.accepted[:0], {"c": ("x",)})
        assert gold_reach.of(judgments, none, None) is None

    def test_items_of_models_alone_are_reached_through_these(self) -> None:
        """Two models; gold has met only what m1 says. Where people judged, these decide."""
        rows = "".join(f"i{n:02},w,x\n" for n in range(10))
        votes = "item,model,label\n" + "".join(f"i{n:02},m1,x\n" for n in range(20))
        votes += "".join(f"i{n:02},m2,x\n" for n in range(20, 40)) + "i00,m2,x\n"
        golden = "".join(f"i{n:02},x\n" for n in range(5, 15))
        judgments, gold, aligned_votes = aligned("item,worker,label\n" + rows, "item,label\n" + golden, votes)
        found = gold_reach.of(judgments, gold, aligned_votes)
        assert found is not None
        assert found.items.tolist() == [True] * 20 + [False] * 20
        assert found.workers.tolist() == [True]


def aligned(judgments: str, gold: str, votes: str | None = None) -> Any:
    from consensus.config import FitConfig

    def table(text: str) -> Any:
        import io

        import pandas as pd

        return pd.read_csv(io.StringIO(text), dtype=str)

    models = None if votes is None else read_model_votes(table(votes))
    return prepared(read(table(judgments)), read_gold(table(gold)), FitConfig(), models)


def test_side_by_side_is_its_formula() -> None:
    rng = np.random.default_rng(1)
    rows = sorted(
        {(int(i), int(w)): (int(i), int(w), int(k)) for i, w, k in rng.integers(0, [30, 6, 3], (80, 3))}.values()
    )
    some = judged(rows, 31, 6, 3)
    inside, expected = np.array([True, False, True, False, False, True]), rng.random(6)
    surplus, other = np.full(31, np.nan), np.full(31, 7, np.int32)
    reach_loops.side_by_side(some.item_start, some.worker, some.label, inside, expected, 3, surplus, other)
    for i in range(31):
        theirs = [(w, k) for j, w, k in rows if j == i and inside[w]]
        others = [(w, k) for j, w, k in rows if j == i and not inside[w]]
        if theirs and others:
            agree = np.mean([k == label for _, k in theirs for _, label in others])
            assert surplus[i] == pytest.approx(agree - np.mean([expected[w] for w, _ in theirs]))
            assert other[i] == others[0][0]
        else:
            assert (surplus[i], other[i]) == (0.0, -1)
