"""What is told of the plan: sums, statuses, decisions, names of ways to ask; each from what it is made of."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from consensus import fit, read, simulate
from consensus.backends import Threads
from consensus.config import AuditConfig
from consensus.escalation import decisions, expectations, reasons, retests, what_if
from consensus.escalation.look_ahead import LookAhead
from consensus.found.result import Consensus
from consensus.inputs import earlier_run
from consensus.intervals import wilson
from tests import naive_escalation

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

ONE = Threads(1)


class TestOutlook:
    def found(self, settled: float = 0.4, waiting: int = 8, **of: Any) -> Any:
        mean = LookAhead(np.array([[0.0, 0.3, 0.1, 2.5, 1.0, 4.0, settled]]), np.zeros((1, 0), int), np.zeros((1, 0)))
        usual = {
            "n_waiting": waiting,
            "expected": mean,
            "costs": None,
            "correction": 1.25,
            "judgments": np.array([2, 1, 0, 3]),
            "workers": np.array([[0, 1], [2, -1], [-1, -1], [4, -1]]),
            "pool": None,
            "tests": SimpleNamespace(items=np.zeros(3), worker_ids=pa.array(["a", "b", "a"]), n_open=4),
            "money": 7.5,
        }
        return SimpleNamespace(**{**usual, **of})

    def told(self, monkeypatch: pytest.MonkeyPatch, identified: bool = True, **of: Any) -> expectations.Outlook:
        monkeypatch.setattr(expectations, "_advice", lambda *_: ("more of it",))
        result: Any = SimpleNamespace(identified=identified)
        return expectations.outlook(result, self.found(**of))

    def test_sums(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = self.told(monkeypatch)
        assert (found.items, found.judgments_needed) == (8, 20.0)
        assert [found.settled, found.accuracy, found.reachable_accuracy] == pytest.approx([3.2, 0.7, 0.9])
        assert (found.ceiling, found.advice, found.correction) == (True, ("more of it",), 1.25)
        assert (found.items_listed, found.judgments_listed, found.judgments_unassigned) == (3, 6, 2)
        assert (found.retests, found.money) == (3, 7.5)
        assert (found.verdicts_open, found.workers_tested) == (4, 2)
        assert np.isnan(found.available)
        assert (found.workers_named, found.workers_unknown, found.unknown_named) == (0, 0, ())

    def test_a_ceiling_is_where_less_than_half_will_be_settled(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for settled, ceiling in ((0.4999, True), (0.5, False)):
            found = self.told(monkeypatch, settled=settled)
            assert (found.ceiling, found.advice) == (ceiling, ("more of it",) * ceiling)

    def test_under_costs_there_is_no_accuracy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = self.told(monkeypatch, costs=np.ones((2, 2)))
        assert np.isnan([found.accuracy, found.reachable_accuracy]).all()
        assert found.judgments_needed == 20.0

    def test_nothing_waits_or_nothing_tells(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for of in ({"waiting": 0}, {"identified": False}):
            found = self.told(monkeypatch, **of)
            assert np.isnan([found.judgments_needed, found.settled, found.accuracy, found.reachable_accuracy]).all()
            assert (found.ceiling, found.advice) == (False, ())
            assert (found.items, found.items_listed) == (of.get("waiting", 8), 3)

    def test_who_is_available(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pool = SimpleNamespace(
            available=np.array([3.0, 4.0, np.inf, 9.0]),
            named=np.array([True, True, False, False]),
            n_listed=7,
            strangers=("a", "b", "c", "d", "e"),
        )
        found = self.told(monkeypatch, pool=pool)
        assert found.available == 7.0
        assert (found.workers_named, found.workers_unknown, found.unknown_named) == (7, 5, ("a", "b", "c"))
        pool.named = np.array([True, True, True, False])
        assert np.isnan(self.told(monkeypatch, pool=pool).available)


class TestChanges:
    def test_of_the_best_label_as_judgments_came(self) -> None:
        """In order of time, then worker; not where a time is missing, or a model voted."""
        rng = np.random.default_rng(3)
        rows: dict[str, list[str]] = {"item": [], "worker": [], "label": [], "timestamp": []}
        for i in range(25):
            for w in range(6):
                rows["item"].append(f"i{i:02}")
                rows["worker"].append(f"w{w}")
                rows["label"].append(f"l{rng.integers(3)}")
                missing = i == 7 and w == 2
                rows["timestamp"].append("" if missing else f"2025-03-01T00:{rng.integers(4):02}:00Z")
        result = fit(read(rows), prior="fixed", rho=0.3)
        j, C = result.judgments, result.confusions.dense()
        assert j.timestamp is not None
        items, expected = np.array([24, 3, 7, 0, 12, 5, 1, 2, 9, 10]), []
        logs = {}
        for i in items.tolist():
            own = np.flatnonzero(j.item == i)
            own = own[np.lexsort((j.worker[own], j.timestamp[own]))]
            logs[i] = np.log(C[j.worker[own], :, j.label[own]])
            expected.append(0 if i == 7 else naive_escalation.changes(logs[i], np.log(result.prior_shares)))
        assert len(set(expected)) > 2
        assert reasons._changes(result, items).tolist() == expected
        usual = {
            "judgments": j,
            "confusions": result.confusions,
            "prior_shares": result.prior_shares,
            "backend": ONE,
            "models": None,
            "terms": None,
        }
        votes = SimpleNamespace(per_item=np.arange(25) % 2)
        voted: Any = SimpleNamespace(**usual | {"models": SimpleNamespace(votes=votes)})
        found = reasons._changes(voted, items)
        assert found.tolist() == [0 if i % 2 else n for i, n in zip(items.tolist(), expected, strict=True)]
        assert reasons._changes(result, items[:0]).tolist() == []
        own_priors = np.log(rng.dirichlet(np.full(3, 0.2), 25))
        terms = SimpleNamespace(priors=own_priors, log_priors=lambda items, _: own_priors[items])
        mixed: Any = SimpleNamespace(**usual | {"terms": terms, "beliefs": None})
        by_own_priors = [0 if i == 7 else naive_escalation.changes(logs[i], own_priors[i]) for i in items.tolist()]
        assert by_own_priors != expected
        assert reasons._changes(mixed, items).tolist() == by_own_priors


def test_statuses() -> None:
    reason = np.array([-1, 1, 3, 4, 2, -1, -1], np.int32)
    settled = np.array([True, False, False, True, False, False, True])
    gold = SimpleNamespace(items=np.array([4]), unjudged={"a": ("x",), "b": ("y",)})
    result: Any = SimpleNamespace(gold=None, reach=None)

    def told() -> list[str]:
        return [earlier_run.STATUSES[code] for code in reasons.status_codes(result, reason, settled)]

    assert told() == ["accepted", "escalate", "needs_expert", "accepted", "escalate", "accepted", "accepted"]
    result.gold, result.gold_posterior = gold, None
    assert told() == [
        "accepted",
        "escalate",
        "needs_expert",
        "accepted",
        "gold",
        "accepted",
        "accepted",
        "gold",
        "gold",
    ]
    nowhere, everywhere = np.zeros(7, np.bool_), np.ones(7, np.bool_)
    beyond = ["unaudited", "escalate", "needs_expert", "unaudited", "gold", "accepted", "unaudited", "gold", "gold"]
    for in_groups, by_workers in ((nowhere, everywhere), (everywhere, nowhere)):
        result.reach = SimpleNamespace(in_groups=in_groups, by_workers=by_workers)
        assert told() == beyond
    result.reach = SimpleNamespace(in_groups=everywhere, by_workers=np.arange(7) != 3)
    assert told() == [
        "accepted",
        "escalate",
        "needs_expert",
        "unaudited",
        "gold",
        "accepted",
        "accepted",
        "gold",
        "gold",
    ]


class TestRetests:
    def found(
        self, monkeypatch: pytest.MonkeyPatch, pool: Any = None, gold: Any = None, most: int = 5, may: Any = True
    ) -> Any:
        """Five tests: a with i0, a with i1, b with i0, c (of no code) with i2, b with i1."""
        asked: list[Any] = []

        def columns(_: Any, n: int, may: Any) -> Any:
            asked.append((n, may.tolist()))
            return {"item": pa.array(["i0", "i1", "i0", "i2", "i1"]), "worker": pa.array(["a", "a", "b", "c", "b"])}

        monkeypatch.setattr(retests.worker_audit, "retest_columns", columns)  # type: ignore[attr-defined]
        monkeypatch.setattr(
            retests.worker_audit,  # type: ignore[attr-defined]
            "missing_judgments",
            lambda _: np.array([20, 0, 3]),
        )
        judgments = SimpleNamespace(
            n_items=3,
            per_item=np.array([4, 3, 5]),
            item_ids=pa.array(["i0", "i1", "i2"]),
            worker_ids=pa.array(["a", "b"]),
        )
        result = SimpleNamespace(judgments=judgments, gold=gold)
        audit: Any = SimpleNamespace(result=result, config=AuditConfig(retest=2))
        found = retests.retests(audit, np.broadcast_to(np.array(may), 3), most, pool)
        assert found.n_open == 2
        pairs = list(zip(found.items.tolist(), found.worker_ids.to_pylist(), found.workers.tolist(), strict=True))
        return pairs, asked[0]

    def test_as_far_as_an_item_may_be_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pairs, asked = self.found(monkeypatch)
        assert asked == (2, [True, True, False])
        assert pairs == [(0, "a", 0), (1, "a", 0), (1, "b", 1)]
        pairs, asked = self.found(monkeypatch, may=[False, True, False], most=9)
        assert asked == (2, [False, True, False])
        assert pairs == [(1, "a", 0), (1, "b", 1)]
        pairs, asked = self.found(monkeypatch, most=6)
        assert asked == (2, [True, True, True])
        assert pairs == [(0, "a", 0), (1, "a", 0), (0, "b", 1), (2, "c", -1), (1, "b", 1)]

    def test_gold_is_for_everybody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pairs, asked = self.found(monkeypatch, gold=SimpleNamespace(items=np.array([0, 2])))
        assert asked == (2, [True, True, True])
        assert pairs == [(0, "a", 0), (1, "a", 0), (0, "b", 1), (2, "c", -1), (1, "b", 1)]

    def test_who_can_be_asked_as_far_as_they_can(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pool = SimpleNamespace(able=np.array([True, True]), available=np.array([1.0, np.inf]))
        assert self.found(monkeypatch, pool, most=9)[0] == [(0, "a", 0), (0, "b", 1), (1, "b", 1)]
        pool.able = np.array([True, False])
        assert self.found(monkeypatch, pool, most=9)[0] == [(0, "a", 0)]


class TestDecisions:
    def result(self) -> Consensus:
        return fit(simulate(30, 5, 3, 3, accuracy=0.6, seed=1).judgments, rho=0.3)

    @pytest.mark.parametrize("most", [4_000_000, 12, 1])
    def test_least_expected_cost_in_any_blocks(self, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(decisions, "MOST_CELLS", most)
        result, cost = self.result(), np.array([[0.0, 1, 5], [2, 0, 1], [1, 9, 0]])
        rows = slice(4, 27)
        found: Any = decisions.decision_columns(result, cost, rows)
        expected = result.posterior[rows] @ cost
        names = [result.judgments.labels[d] for d in expected.argmin(axis=1)]
        assert found["decision"].to_pylist() == names
        np.testing.assert_allclose(found["expected_cost"], expected.min(axis=1))

    def test_missing_where_nothing_tells(self) -> None:
        result: Any = SimpleNamespace(judgments=SimpleNamespace(labels=("a", "b")), identified=False)
        found: Any = decisions.decision_columns(result, np.ones((2, 2)), slice(0, 3))
        assert found["decision"].to_pylist() == [None] * 3
        assert np.isnan(found["expected_cost"]).all()


class TestWays:
    def test_names(self) -> None:
        n = np.array([1, 2, 3, 4])
        assert what_if._so_many(1, n) == "1 judgment an item"
        assert what_if._so_many(3, n) == "3 judgments an item"
        assert what_if._so_many(4, n) == "4 judgments an item (where there are so many)"

    def test_prices(self) -> None:
        judgments: Any = SimpleNamespace(price=np.array([0.1, np.nan, 0.3]))
        assert what_if._mean_price(judgments, None) == pytest.approx(0.2)
        assert what_if._mean_price(judgments, 2.0) == 2.0
        judgments.price = np.full(3, np.nan)
        assert np.isnan(what_if._mean_price(judgments, None))
        judgments.price = None
        assert np.isnan(what_if._mean_price(judgments, None))
        assert what_if._mean_price(judgments, 2.0) == 2.0

    def compared(self, label: Any, *, gold: Any = None, all_of_them: bool = False, models: Any = None) -> Any:
        """Labels of five items, the third of which is not replayed, against 0 1 1 0 -1 or gold."""
        chosen = np.array([True, True, False, True, True])
        of: Any = SimpleNamespace(n_judgments=20)
        full: Any = SimpleNamespace(consensus_label=np.array([0, 1, 1, 0, -1]))
        replayed = what_if._Replayed(of, full, chosen, models, gold)
        n = 20 if all_of_them else 12
        judgments = SimpleNamespace(n_judgments=n, n_items=5, weight=None)
        result: Any = SimpleNamespace(consensus_label=np.array(label), judgments=judgments, models=None, units=None)
        return replayed.compared(result)

    def test_labels_are_held_against_those_of_all_judgments(self) -> None:
        found = self.compared([0, 0, 1, 0, 1])
        low, high = wilson(2, 3)
        assert (found["n_compared"], found["accuracy"]) == (3, 2 / 3)
        assert (found["accuracy_low"], found["accuracy_high"]) == (low, high)
        assert found["reference"] == "labels of all judgments (unaudited)"
        assert self.compared([0, -1, 0, 1, 1])["n_compared"] == 2
        itself = self.compared([0, 1, 1, 0, -1], all_of_them=True)
        assert itself["n_compared"] == 0
        assert np.isnan([itself["accuracy"], itself["accuracy_low"], itself["accuracy_high"]]).all()
        with_models = self.compared([0, 1, 1, 0, -1], all_of_them=True, models="some")
        assert (with_models["n_compared"], with_models["accuracy"]) == (3, 1.0)

    def test_or_against_gold(self) -> None:
        """Of the items that are replayed and have a label; any that is accepted is right."""
        accepted = np.array([[True, True], [False, True], [True, False], [True, False]])
        gold = SimpleNamespace(items=np.array([0, 1, 2, 4]), accepted=accepted)
        found = self.compared([1, 0, 0, 0, 0], gold=gold)
        assert (found["n_compared"], found["accuracy"], found["reference"]) == (3, 2 / 3, "gold")
        assert self.compared([1, 1, 0, 0, -1], gold=gold)["n_compared"] == 2
        assert self.compared([-1] * 5, gold=gold)["n_compared"] == 0

    def test_what_a_way_used_and_what_is_accepted_of_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        status = np.array([0, 0, 0, 1, 0, 3])  # a gold item that nobody judged comes last
        plan = SimpleNamespace(status=lambda _: status)
        monkeypatch.setattr(what_if, "planned", lambda *_, **__: plan)
        chosen = np.array([True, True, False, True, True])
        nothing: Any = None
        replayed = what_if._Replayed(nothing, nothing, chosen, None, None)
        judgments = SimpleNamespace(n_items=5, n_judgments=12, price=np.full(12, 0.25), weight=None)
        result: Any = SimpleNamespace(judgments=judgments, confidence=np.array([0.9, 0.8, 0.1, 0.5, 0.7]))
        assert replayed.bought(result, nothing, None) == {
            "judgments": 12,
            "judgments_per_item": 3.0,
            "cost": 3.0,
            "accepted": 0.75,
            "expected_error": pytest.approx(0.2),
        }
        status[:] = 1
        found = replayed.bought(result, nothing, 2.0)
        assert (found["cost"], found["accepted"]) == (24.0, 0.0)
        assert np.isnan(found["expected_error"])

    def test_items_that_are_drawn(self) -> None:
        """Of those that people judged, so many at most."""
        judgments: Any = SimpleNamespace(per_item=np.array([1, 0, 2, 3, 1]), n_items=5)
        assert what_if._drawn(judgments, 4, 0).tolist() == [True, False, True, True, True]
        some = [what_if._drawn(judgments, 3, seed) for seed in range(9)]
        assert all(one.sum() == 3 and not one[1] for one in some)
        assert len({tuple(one.tolist()) for one in some}) > 1
        assert np.array_equal(what_if._drawn(judgments, 3, 1), some[1])
