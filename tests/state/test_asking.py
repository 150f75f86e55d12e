"""What is asked next: as a loop over the list of the plan would choose, and never more than is needed."""

from typing import Any

import numpy as np
import pytest

from consensus import simulate
from consensus.runs import Run, run
from consensus.state import asking
from consensus.state.asking import Asking, SortedTexts


@pytest.fixture(scope="module")
def planned() -> Run:
    drawn = simulate(200, 12, 3, 3, seed=3)
    return run(drawn.judgments_table(), model="dawid_skene", target=0.99)


class Naive:
    """The same by loops over the table."""

    def __init__(self, made: Run) -> None:
        table = made.escalations
        rows = table[table["judgments"] > 0].to_dict("records")
        j = made.result.judgments
        per_item = dict(zip(j.item_ids.to_pylist(), j.per_item.tolist(), strict=True))
        self.items = [row["item"] for row in rows]
        self.now = [int(row["judgments"]) for row in rows]
        self.most = []
        for row, now in zip(rows, self.now, strict=True):
            needed = row["judgments_needed"]
            more = 0 if needed != needed or made.rule.budget is not None else int(needed + 0.5)
            self.most.append(max(now, min(more, made.rule.max_judgments - per_item[row["item"]])))
        self.suggested = [
            row["suggested_workers"].split(" | ") if isinstance(row["suggested_workers"], str) else list(named)
            for row, named in ((row, row["suggested_workers"]) for row in rows)
        ]
        self.used = [0] * len(rows)
        items, workers = j.item_ids.to_pylist(), j.worker_ids.to_pylist()
        self.judged = {(items[i], workers[w]) for i, w in zip(j.item.tolist(), j.worker.tolist(), strict=True)}

    def choose(self, n: int, worker: str | None, not_again: set[int]) -> list[int]:
        found: list[int] = []
        for limit in (self.now, self.most):
            for own in (True, False):
                for place, item in enumerate(self.items):
                    if own and worker not in self.suggested[place]:
                        continue
                    free = self.used[place] < limit[place] and (item, worker) not in self.judged
                    if free and place not in found and place not in not_again and len(found) < n:
                        found.append(place)
        return found


@pytest.mark.parametrize("block", [1, 16, 1 << 10])
def test_as_a_loop_would_choose(planned: Run, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(asking, "FIRST_BLOCK", block)
    one, naive, rng = Asking(planned), Naive(planned), np.random.default_rng(0)
    assert len(one) == len(naive.items) > 20
    assert max(naive.most) > 1
    workers = [*planned.result.judgments.worker_ids.to_pylist(), "new", None]
    n_chosen = 0
    for step in range(400):
        worker = workers[rng.integers(len(workers))]
        code = None if worker is None else one.worker_code(worker)
        not_again = set(rng.integers(len(one), size=rng.integers(4)).tolist())
        n = int(rng.integers(1, 6))
        found = one.choose(n, code, not_again)
        assert found == naive.choose(n, worker, not_again), step
        n_chosen += len(found)
        for place in found:
            one.take(place)
            naive.used[place] += 1
            ask = one.ask(place, code)
            assert ask.item == naive.items[place]
            assert ask.suggested == (worker in naive.suggested[place])
            assert one.left(place) == naive.most[place] - naive.used[place] >= 0
        if step % 3 == 0 and any(naive.used):
            place = int(rng.choice(np.flatnonzero(naive.used)))
            one.give_back(place)
            naive.used[place] -= 1
    assert n_chosen > 200


def test_no_more_is_handed_out_than_is_needed(planned: Run) -> None:
    one, naive = Asking(planned), Naive(planned)
    n_asked = 0
    while found := one.choose(7, None, ()):
        for place in found:
            one.take(place)
        n_asked += len(found)
    assert n_asked == sum(naive.most)


def test_a_budget_is_all_that_is_asked(planned: Run) -> None:
    del planned
    drawn = simulate(200, 12, 3, 3, seed=3)
    one = Asking(run(drawn.judgments_table(), model="dawid_skene", target=0.99, budget=30))
    n_asked = 0
    while found := one.choose(7, None, ()):
        for place in found:
            one.take(place)
        n_asked += len(found)
    assert n_asked == 30


def test_reasons_and_priorities_are_those_of_the_table(planned: Run) -> None:
    one, table = Asking(planned), planned.escalations
    table = table[table["judgments"] > 0].reset_index(drop=True)
    for place in (0, len(one) - 1):
        ask = one.ask(place, None)
        assert (ask.item, ask.reason) == (table["item"][place], table["reason"][place])
        assert ask.priority == table["priority"][place]
        assert not ask.suggested


def test_who_judged_what(planned: Run) -> None:
    one, j = Asking(planned), planned.result.judgments
    assert one.label_of(int(j.item[5]), int(j.worker[5])) == j.labels[j.label[5]]
    absent = next(w for w in range(j.n_workers) if w not in j.worker[j.item == 0])
    assert one.label_of(0, absent) is None
    assert one.label_of(-1, 0) is one.label_of(0, -1) is None
    settled = np.setdiff1d(np.arange(j.n_items), one._items)
    assert one.place(-1) == -1
    assert all(one.place(int(i)) == -1 for i in settled)
    assert one.place(int(one._items[3])) == 3
    assert one.workers() is one.workers()


def test_no_plan_names_a_spammer_and_so_nobody_asks_them() -> None:
    drawn = simulate(300, 12, 3, 5, seed=1)
    table = drawn.judgments_table()
    rng = np.random.default_rng(0)
    spam = table["worker"] == "w03"
    table.loc[spam, "label"] = rng.choice(sorted(table["label"].unique()), int(spam.sum()))
    made = run(table, model="dawid_skene")
    verdict: Any = made.workers.set_index("worker")["verdict"]
    assert verdict["w03"] == "spammer"
    one = Asking(made)
    assert not one.may_be_asked(one.worker_code("w03"))
    assert one.may_be_asked(one.worker_code("w04"))
    assert one.may_be_asked(one.worker_code("nobody"))
    anyone = Asking(run(table, model="dawid_skene", ask_anyone=True))
    assert anyone.may_be_asked(anyone.worker_code("w03"))


@pytest.mark.parametrize("texts", [[], ["a"], ["", "a", "aa", "b", "ü", "üa", "日本"]])
def test_texts_are_found_as_in_a_list(texts: list[str]) -> None:
    import pyarrow as pa

    one = SortedTexts(pa.array(texts, pa.string()))
    assert [one.code(text) for text in texts] == list(range(len(texts)))
    assert {one.code(text) for text in ("0", "ab", "z", "\U0010ffff")} == {-1}
    if len(texts) > 2:
        part = SortedTexts(pa.array(texts, pa.string())[2:])
        assert part.code(texts[2]) == 0
        assert part.code(texts[1]) == -1
