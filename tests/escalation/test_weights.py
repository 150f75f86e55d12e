"""Items that have weights: what is escalated first, what a budget buys, and what is expected of it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from consensus import escalate, fit, plan_budget, simulate
from consensus.config import EscalateConfig
from consensus.escalation import outlook, planned
from consensus.escalation.look_ahead import look_ahead
from consensus.found.result import Consensus
from consensus.intervals import wilson

pytestmark = pytest.mark.usefixtures("by_dawid_skene")


def crowd(n_items: int = 60, **settings: Any) -> Consensus:
    return fit(simulate(n_items, 8, 3, 3.0, accuracy=0.65, seed=2).judgments, rho=0.3, **settings)


def weighing(result: Consensus, weight: Any) -> Consensus:
    """The same result, of items with a ``weight`` (I,)."""
    return replace(result, judgments=replace(result.judgments, weight=np.asarray(weight, np.float64)))


@pytest.mark.parametrize("costs", [None, np.array([[0.0, 1, 2], [3, 0.0, 1], [1, 5, 0.0]])])
def test_an_item_of_weight_three_is_looked_ahead_for_like_three(costs: Any) -> None:
    """Its losses and slopes are three times those of one, and the falls of all are shared out the same."""
    result, config = crowd(), EscalateConfig(max_judgments=7)
    items = np.arange(60)
    weight = np.where(items % 4 == 0, 3.0, 1.0)
    of_one = look_ahead(result, np.repeat(items, weight.astype(np.int64)), config, costs=costs, steps=True)
    found = look_ahead(weighing(result, weight), items, config, costs=costs, steps=True)
    first = np.cumsum(weight).astype(np.int64) - 1
    for name in ("priority", "loss", "least_loss"):
        np.testing.assert_allclose(getattr(found, name), weight * getattr(of_one, name)[first], rtol=1e-9)
    for name in ("needed", "low", "high", "settled"):
        np.testing.assert_allclose(getattr(found, name), getattr(of_one, name)[first])
    np.testing.assert_allclose(found.slope, weight[:, None] * of_one.slope[first], rtol=1e-9)
    assert np.array_equal(found.length, of_one.length[first])


def test_the_heavy_come_first_and_get_the_budget() -> None:
    apart = crowd()
    usual = escalate(apart, target=0.99, budget=20)
    settled = planned(apart, EscalateConfig(target=0.99)).settled
    left_out = ~np.isin(apart.judgments.item_ids.to_pylist(), usual["item"])
    weight, heavy = np.ones(60), int(np.flatnonzero(~settled & left_out)[0])
    weight[heavy] = 1e4
    found = escalate(weighing(apart, weight), target=0.99, budget=20)
    assert found["item"][0] == apart.judgments.item_ids[heavy].as_py()
    assert found["judgments"].sum() == usual["judgments"].sum() == 20


def test_accuracy_that_is_expected_is_by_weight() -> None:
    result = crowd()
    config = EscalateConfig(target=0.99, max_judgments=7)
    waiting = planned(result, config)
    items = waiting.items[waiting.judgments > 0]
    weight = np.random.default_rng(1).uniform(0.5, 4.0, 60)
    heavy = weighing(result, weight)
    found = outlook(heavy, planned(heavy, config))
    expected = 1.0 - np.average(1.0 - result.confidence[items], weights=weight[items])
    assert found.accuracy == pytest.approx(expected, rel=1e-6)
    assert found.accuracy != pytest.approx(outlook(result, waiting).accuracy, abs=1e-4)
    assert found.items == outlook(result, waiting).items
    assert found.judgments_needed == pytest.approx(outlook(result, waiting).judgments_needed)


def test_what_a_budget_buys_is_by_weight() -> None:
    drawn = simulate(120, 8, 2, 4.0, accuracy=0.7, seed=3)
    weight = np.random.default_rng(1).integers(1, 6, 120).astype(np.float64)
    judged = replace(drawn.judgments, weight=weight)
    gold = drawn.truth_table(80, 1)
    config = EscalateConfig(target=0.9)
    table = plan_budget(judged, gold=gold, config=config, votes=[2], targets=[], rho=0.3).set_index("way")
    row = table.loc["all judgments"]
    full = fit(judged, rho=0.3)
    accepted = planned(full, config).settled
    assert row["accepted"] == pytest.approx(weight[accepted].sum() / weight.sum())
    assert row["expected_error"] == pytest.approx(np.average(1.0 - full.confidence[accepted], weights=weight[accepted]))
    known = np.isin(drawn.judgments.item_ids.to_pylist(), gold["item"])
    right = (full.consensus_label == drawn.truth)[known]
    share = float(np.average(right, weights=weight[known]))
    assert row["accuracy"] == pytest.approx(share)
    assert row["accuracy"] != pytest.approx(right.mean(), abs=1e-4)
    n = weight[known].sum()
    assert (row["accuracy_low"], row["accuracy_high"]) == pytest.approx(tuple(map(float, wilson(share * n, n))))
    assert row["judgments_per_item"] == pytest.approx(drawn.judgments.n_judgments / 120)
