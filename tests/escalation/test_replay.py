"""Replay hands out what is asked for, in an order that only the seed decides, and nothing else."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from consensus import ConsensusError, FitConfig, Judgments, Replay, escalate, fit, read, read_gold, simulate
from consensus.errors import ConfigError, JudgmentError
from consensus.simulation import Simulation

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

Pair = tuple[str, str]


@pytest.fixture(scope="module")
def drawn() -> Simulation:
    return simulate(60, 9, 3, 5, seed=3)


def said(judgments: Judgments) -> list[tuple[str, str, str]]:
    """item, worker, label of each judgment."""
    items, workers = judgments.item_ids.to_pylist(), judgments.worker_ids.to_pylist()
    codes = zip(judgments.item.tolist(), judgments.worker.tolist(), judgments.label.tolist(), strict=True)
    return [(items[i], workers[w], judgments.labels[k]) for i, w, k in codes]


class Naive:
    """The same with a list of what is withheld of each item, in order."""

    def __init__(self, replay: Replay, start: int) -> None:
        """The order is found by asking a twin of the replay for one judgment after the other."""
        self.waiting: dict[str, list[str]] = defaultdict(list)  # workers
        ids = replay.judgments.item_ids.to_pylist()
        seen = set(pairs(next(replay).result.judgments))
        self.there = set(seen)
        while replay.ask(ids):
            now = set(pairs(next(replay).result.judgments))
            for item, worker in now - seen:
                self.waiting[item].append(worker)
            seen = now
        n = np.minimum(replay.judgments.per_item, start)
        assert len(self.there) == n.sum()

    def ask(self, item: str, many: int, workers: Sequence[str]) -> None:
        for n in range(many):
            left = self.waiting[item]
            if n < len(workers) and workers[n] in left:
                left.remove(workers[n])
                self.there.add((item, workers[n]))
            else:
                self.later.append(item)

    def ask_all(self, rows: Sequence[tuple[str, int, Sequence[str]]]) -> None:
        """Who is named comes first, then those in order."""
        self.later: list[str] = []
        for row in rows:
            self.ask(*row)
        for item in self.later:
            if self.waiting[item]:
                self.there.add((item, self.waiting[item].pop(0)))


def pairs(judgments: Judgments) -> list[Pair]:
    return [(item, worker) for item, worker, _ in said(judgments)]


class TestReplay:
    @pytest.mark.parametrize("start", [1, 2, 4, 9])
    def test_so_many_are_there_at_the_beginning(self, drawn: Simulation, start: int) -> None:
        of = drawn.judgments
        replay = Replay(of, start=start, seed=1)
        step = next(replay)
        there = step.result.judgments
        assert np.array_equal(there.per_item, np.minimum(of.per_item, start))
        assert np.array_equal(step.left, of.per_item - there.per_item)
        assert step.n_judgments == there.n_judgments
        assert set(said(there)) <= set(said(of))
        for name in ("item_ids", "worker_ids", "labels"):
            assert getattr(there, name) == getattr(of, name)

    @pytest.mark.compiled
    def test_all_of_them_make_the_usual_fit(self, drawn: Simulation) -> None:
        replay = Replay(drawn.judgments, start=1, seed=4)
        ids = drawn.judgments.item_ids.to_pylist()
        steps = []
        for step in replay:
            steps.append(step)
            replay.ask(ids)
        assert [step.left.sum() for step in steps] == [60 * n for n in (4, 3, 2, 1, 0)]
        whole = fit(drawn.judgments)
        assert np.array_equal(steps[-1].result.posterior, whole.posterior)
        assert steps[-1].result.rho == whole.rho

    def test_only_the_seed_decides_the_order(self, drawn: Simulation) -> None:
        table = drawn.judgments_table()
        shuffled = table.sample(frac=1.0, random_state=1)
        one, same, other = (
            said(next(Replay(rows, seed=seed)).result.judgments)
            for rows, seed in ((table, 1), (shuffled, 1), (table, 2))
        )
        assert one == same
        assert one != other

    def test_the_order_is_random(self) -> None:
        replay = Replay(simulate(600, 5, 2, 5, seed=1).judgments, start=1, seed=0)
        per_worker = next(replay).result.judgments.per_worker
        assert per_worker.min() > 80  # 120 each, where all judged all
        assert per_worker.max() < 160

    def test_asking_at_once_is_asking_one_after_the_other(self, drawn: Simulation) -> None:
        ids = drawn.judgments.item_ids.to_pylist()
        once, twice = Replay(drawn.judgments, seed=5), Replay(drawn.judgments, seed=5)
        next(once), next(twice)
        assert once.ask([ids[3], ids[3], ids[8]]) == 3
        assert twice.ask([ids[3]]) == 1
        next(twice)
        assert twice.ask([ids[8]]) + twice.ask([ids[3]]) == 2
        assert said(next(once).result.judgments) == said(next(twice).result.judgments)

    def test_steps_grow_by_what_was_asked(self, drawn: Simulation) -> None:
        replay = Replay(drawn.judgments, seed=2, rho=0.3)
        asked, counts = [], []
        for step in replay:
            counts.append(step.n_judgments)
            assert step.result.rho == 0.3
            asked.append(replay.ask(escalate(step.result, max_judgments=4)))
        assert len(counts) >= 3
        assert asked[-1] == 0
        assert [after - before for before, after in pairwise(counts)] == asked[:-1]
        assert step.result.judgments.per_item.max() <= 4

    @pytest.mark.compiled
    @pytest.mark.parametrize("seed", range(4))
    def test_as_the_naive_one(self, drawn: Simulation, seed: int) -> None:
        rng = np.random.default_rng(seed)
        naive = Naive(Replay(drawn.judgments, seed=seed), 2)
        replay = Replay(drawn.judgments, seed=seed)
        ids, names = drawn.judgments.item_ids.to_pylist(), drawn.judgments.worker_ids.to_pylist()
        assert set(pairs(next(replay).result.judgments)) == naive.there
        for _ in range(3):
            rows = []
            for item in rng.choice(ids, 25).tolist():
                many = int(rng.integers(0, 4))
                rows.append((item, many, rng.choice([*names, "nobody"], rng.integers(0, many + 2)).tolist()))
            before = len(naive.there)
            naive.ask_all(rows)
            table = pd.DataFrame(
                [(item, many, " | ".join(workers) or None) for item, many, workers in rows],
                columns=["item", "judgments", "suggested_workers"],
            )
            assert replay.ask(table) == len(naive.there) - before
            assert set(pairs(next(replay).result.judgments)) == naive.there

    def test_repeats_are_told_apart(self) -> None:
        rows = [("a", "w", "x"), ("a", "w", "y"), ("a", "v", "x"), ("a", "u", "x"), ("b", "w", "x"), ("b", "v", "y")]
        table = pd.DataFrame(rows, columns=["item", "worker", "label"])
        replay = Replay(read(table, repeats="keep"), start=1, seed=0)
        next(replay)
        held = sum(replay.withheld_workers(np.array([0]))[1] == 2)  # of w
        assert replay.ask_codes([0, 0], [2, 2]) == 2
        assert sum(replay.withheld_workers(np.array([0]))[1] == 2) == held - min(held, 2)

    def test_who_is_withheld(self, drawn: Simulation) -> None:
        replay = Replay(drawn.judgments, seed=2)
        step = next(replay)
        ids, names = drawn.judgments.item_ids.to_pylist(), drawn.judgments.worker_ids.to_pylist()
        withheld = set(pairs(drawn.judgments)) - set(pairs(step.result.judgments))
        table = replay.withheld
        assert table.columns.tolist() == ["item", "worker"]
        assert set(table.itertuples(index=False, name=None)) == withheld
        assert len(table) == len(withheld) == step.left.sum()
        items = np.array([7, 2])
        own, worker = replay.withheld_workers(items)
        expected = sorted((n, pair) for n, i in enumerate(items) for pair in withheld if pair[0] == ids[i])
        assert [(n, (ids[items[n]], names[w])) for n, w in zip(own, worker, strict=True)] == expected

    def test_a_table_of_items_and_numbers_alone(self, drawn: Simulation) -> None:
        ids = drawn.judgments.item_ids.to_pylist()
        replay = Replay(drawn.judgments)
        next(replay)
        table = pd.DataFrame({"item": ids[:4], "judgments": pd.array([0, 1, 2, 9], "Int64")})
        assert replay.ask(table) == 0 + 1 + 2 + 3
        assert replay.ask(table[["item"]]) == 3
        assert next(replay).left[:5].tolist() == [2, 1, 0, 0, 3]

    def test_ends_where_nothing_new_was_asked(self, drawn: Simulation) -> None:
        ids = drawn.judgments.item_ids.to_pylist()
        replay = Replay(drawn.judgments, start=4)
        assert len([replay.ask(ids[:1]) for _ in replay]) == 2  # the second time nothing is left of it
        assert replay.ask(ids[1:2]) == 1
        assert next(replay, None) is None  # ended for good

    def test_asked_before_the_first_step(self, drawn: Simulation) -> None:
        replay = Replay(drawn.judgments)
        assert replay.ask(drawn.judgments.item_ids.to_pylist()[:7]) == 7
        assert next(replay).n_judgments == 2 * 60 + 7
        assert next(replay, None) is None

    def test_none_asked_of_an_expert(self, drawn: Simulation) -> None:
        replay = Replay(drawn.judgments, seed=1)
        table = escalate(next(replay).result, max_judgments=2, target=0.999)
        assert (table["reason"] == "needs_expert").any()
        assert replay.ask(table[table["reason"] == "needs_expert"]) == 0

    def test_gold_and_models(self, drawn: Simulation) -> None:
        gold = drawn.truth_table(10)
        votes = drawn.truth_table(60).assign(model="m").iloc[:50]
        votes.loc[:9, "label"] = drawn.judgments.labels[0]
        replay = Replay(drawn.judgments, FitConfig(rho=0.2), start=0, gold=gold, model_votes=votes)
        first = next(replay)
        assert first.n_judgments == 0
        assert first.result.models is not None
        replay.ask(drawn.judgments.item_ids.to_pylist()[:40])
        second = next(replay).result
        assert second.gold is not None
        assert second.judgments.n_judgments == 40
        assert second.rho == 0.2
        plain = fit(second.judgments, rho=0.2, gold=read_gold(gold), model_votes=votes)
        assert np.array_equal(second.posterior, plain.posterior)

    def test_items_of_models_alone_have_codes_too(self) -> None:
        table = pd.DataFrame({"item": ["b", "b", "d", "d"], "worker": ["u", "v"] * 2, "label": ["x", "y", "x", "x"]})
        votes = pd.DataFrame({"item": ["a", "b", "c"], "label": ["x", "y", "x"], "model": "m"})
        replay = Replay(table, start=1, model_votes=votes)
        step = next(replay)
        assert step.result.judgments.item_ids == replay.judgments.item_ids
        assert dict(zip(replay.judgments.item_ids.to_pylist(), step.left.tolist(), strict=True)) == {
            "a": 0,
            "b": 1,
            "c": 0,
            "d": 1,
        }
        assert replay.ask(["a", "d"]) == 1

    def test_labels_that_are_given(self, drawn: Simulation) -> None:
        labels = tuple(reversed(drawn.judgments.labels))
        replay = Replay(drawn.judgments, labels=labels)
        assert next(replay).result.judgments.labels == replay.judgments.labels == labels


class TestErrors:
    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"start": 0}, "start = 0: of each item at least 1 must be there at the beginning; with model_votes, 0"),
            ({"start": -1, "model_votes": True}, "start = -1: of each item at least 0 must be there at the beginning$"),
            ({"seed": -1}, "seed = -1: input should be 0 or more"),
            ({"rhoo": 1}, 'unknown setting "rhoo"'),
        ],
    )
    def test_settings(self, drawn: Simulation, settings: dict[str, object], message: str) -> None:
        with pytest.raises(ConfigError, match=message):
            Replay(drawn.judgments, **settings)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("asked", "message"),
        [
            (["nothing"], 'asked for item "nothing", which is not among the 60 items, which look like "'),
            (pd.DataFrame({"a": [1], "b": [2]}), 'asked with a table that has no column "item"; its columns are "a"'),
            (pd.DataFrame(), 'asked with a table that has no column "item"; its columns are none'),
        ],
    )
    def test_items(self, drawn: Simulation, asked: pd.DataFrame | list[str], message: str) -> None:
        with pytest.raises(JudgmentError, match=message):
            Replay(drawn.judgments).ask(asked)

    @pytest.mark.parametrize(("many", "told"), [(-1, "-1"), (np.nan, "nan"), ("two", "two"), (np.inf, "inf")])
    def test_numbers(self, drawn: Simulation, many: object, told: str) -> None:
        item = drawn.judgments.item_ids[0].as_py()
        table = pd.DataFrame({"item": [item], "judgments": [many]})
        with pytest.raises(JudgmentError, match=f'asked for {told} judgments of item "{item}"; say how many'):
            Replay(drawn.judgments).ask(table)

    @pytest.mark.parametrize(
        ("items", "workers", "message"),
        [
            ([60], None, "asked for item 60; codes of items go from 0 to 59"),
            ([-1], None, "asked for item -1; codes of items go from 0 to 59"),
            ([0], [9], "asked for worker 9; codes of workers go from -1 to 8"),
            ([0, 1], [1], "asked for 2 items by 1 worker; give one worker an item"),
        ],
    )
    def test_codes(self, drawn: Simulation, items: list[int], workers: list[int] | None, message: str) -> None:
        with pytest.raises(ConsensusError, match=message):
            Replay(drawn.judgments).ask_codes(items, workers)

    def test_no_judgments(self) -> None:
        with pytest.raises(JudgmentError, match="there are no judgments to merge"):
            Replay(pd.DataFrame({"item": ["a"], "worker": ["w"], "label": [None]}))
