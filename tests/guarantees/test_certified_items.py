"""What is certified of a fitted consensus, and which items to ask gold for."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from consensus import Consensus, ConsensusError, fit, plan_gold, read, simulate
from consensus.config import EscalateConfig
from consensus.escalation import escalate, statuses
from consensus.found.posterior import DensePosterior
from consensus.guarantees import Need, certified, need
from consensus.guarantees.certified_items import population, without_gold
from consensus.inputs.gold import AlignedGold
from consensus.runs import Run
from consensus.simulation import Simulation

pytestmark = pytest.mark.usefixtures("by_dawid_skene")
RULE = EscalateConfig(target=0.9)


@pytest.fixture(scope="module")
def drawn() -> Simulation:
    return simulate(600, 14, 2, 5, accuracy=0.8, seed=4)


@pytest.fixture(scope="module")
def result(drawn: Simulation) -> Consensus:
    return fit(drawn.judgments, gold=drawn.truth_table(150, 2))


def handpicked(drawn: Simulation) -> Consensus:
    """Gold where the crowd is surest."""
    blind = fit(drawn.judgments)
    surest = np.argsort(-blind.confidence, kind="stable")[:80]
    return fit(drawn.judgments, gold=drawn.truth_table().iloc[np.sort(surest)])


class TestCertified:
    def test_it_holds(self, drawn: Simulation, result: Consensus) -> None:
        found = certified(result, RULE)
        assert found.why_none is None
        assert found.drawing.looks_random
        assert result.gold is not None
        assert not found.settled[result.gold.items].any()
        n = int(found.settled.sum())
        assert n > 300
        assert n + found.n_other_label == found.of_all.n_items
        wrong = (result.consensus_label != drawn.truth)[found.settled].sum()
        assert wrong <= found.of_all.most_wrong <= 0.1 * found.of_all.n_items + 1e-9

    def test_labels_and_confidences_are_of_the_fit_that_knows_no_gold(
        self, drawn: Simulation, result: Consensus
    ) -> None:
        blind = fit(drawn.judgments)
        among = population(result, RULE)
        assert np.array_equal(among.confidence, blind.confidence[among.items])
        assert np.array_equal(among.label, blind.peaks.best[among.items])
        assert result.gold is not None
        truth = drawn.truth[result.gold.items]
        assert np.array_equal(among.wrong, blind.peaks.best[result.gold.items] != truth)

    def test_items_with_another_label_are_left_out(self, result: Consensus) -> None:
        before = certified(result, RULE)
        some = np.flatnonzero(before.settled)[:7]
        table = result.posterior.copy()
        table[some] = table[some][:, ::-1]
        other = replace(result, beliefs=DensePosterior(table))
        found = certified(other, RULE)
        assert found.n_other_label == before.n_other_label + 7
        assert np.array_equal(np.flatnonzero(before.settled & ~found.settled), some)
        assert found.of_all == before.of_all
        told = Run.of(other, target=0.9).certificate
        assert told is not None
        assert told["items"] == before.settled.sum() - 7

    def test_of_each_label(self, drawn: Simulation, result: Consensus) -> None:
        found = certified(result, RULE)
        assert [one.n_gold for one in found.of_label] == np.bincount(
            found.population.label[found.population.gold]
        ).tolist()
        for k, one in enumerate(found.of_label):
            assert one.found is not None
            assert one.n_wrong == found.population.of_label(k).wrong.sum()
            chosen = (found.population.label == k) & ~found.population.is_gold
            chosen &= found.population.confidence >= one.found.least
            items = found.population.items[chosen]
            same = result.consensus_label[items] == k
            assert one.n_items == same.sum() > 0
            assert (drawn.truth[items] != k).sum() <= one.found.most_wrong

    @pytest.mark.parametrize(("n_labels", "certified_alone"), [(4, True), (5, False)])
    def test_many_labels_are_only_measured(self, n_labels: int, certified_alone: bool) -> None:
        crowd = simulate(300, 12, n_labels, 4, accuracy=0.9, seed=1)
        found = certified(fit(crowd.judgments, gold=crowd.truth_table(120, 1)), RULE)
        assert [one.found is not None for one in found.of_label] == [certified_alone] * n_labels
        assert all(one.n_gold >= 5 for one in found.of_label)

    def test_label_with_little_gold_gets_nothing(self, drawn: Simulation) -> None:
        truth = drawn.truth_table()
        labels = truth["label"].unique()
        gold = pd.concat([truth[truth["label"] == labels[0]].head(60), truth[truth["label"] == labels[1]].head(2)])
        found = certified(fit(drawn.judgments, gold=gold), EscalateConfig(target=0.6, random_gold=True))
        few = [one for one in found.of_label if one.n_gold < 5]
        assert all(one.found is None and one.n_items == 0 for one in few)

    @pytest.mark.parametrize(
        ("n_gold", "target", "why"), [(12, 0.95, "too_few"), (150, 0.997, "too_few"), (600, 0.9, "nothing_left")]
    )
    def test_why_nothing(self, drawn: Simulation, n_gold: int, target: float, why: str) -> None:
        found = certified(fit(drawn.judgments, gold=drawn.truth_table(n_gold, 2)), EscalateConfig(target=target))
        assert found.why_none == why
        assert not found.settled.any()

    def test_too_many_wrong(self, drawn: Simulation) -> None:
        gold = drawn.truth_table(200, 1)
        labels = sorted(gold["label"].unique())
        other = gold.assign(label=np.where(np.arange(200) % 2, labels[0], labels[1]))
        found = certified(fit(drawn.judgments, gold=other, rho=0.3), EscalateConfig(target=0.9, random_gold=True))
        assert found.why_none == "too_many_wrong"

    def test_without_gold_or_confidence(self, drawn: Simulation) -> None:
        blind = fit(drawn.judgments)
        assert certified(blind, RULE).why_none == "no_gold"
        assert np.isnan(certified(blind, RULE).drawing.ks_p)
        table = drawn.judgments_table().drop_duplicates("item")
        single = fit(table, gold=drawn.truth_table(50, 1))
        assert certified(single, RULE).why_none == "few_judgments"

    def test_gold_of_items_with_too_few_judgments_counts_for_nothing(
        self, drawn: Simulation, result: Consensus
    ) -> None:
        found = certified(result, EscalateConfig(target=0.9, min_judgments=6, max_judgments=9))
        assert found.why_none == "few_judgments"  # no item has so many
        assert result.gold is not None
        most = EscalateConfig(target=0.9, min_judgments=5)
        uneven = fit(drop(drawn, keep=~np.isin(np.arange(600), result.gold.items)), gold=drawn.truth_table(150, 2))
        assert certified(uneven, most).why_none == "no_gold"

    def test_ties_that_are_left_open_are_not_certified(self) -> None:
        rows = [(f"i{i:03}", f"w{w}", "ab"[(i + w) % 2 if i < 40 else i % 2]) for i in range(200) for w in range(2)]
        table = pd.DataFrame(rows, columns=["item", "worker", "label"])
        gold = pd.DataFrame({"item": [f"i{i:03}" for i in range(0, 200, 3)]})
        gold["label"] = [("ab"[int(one[1:]) % 2]) for one in gold["item"]]
        found = fit(table, gold=gold, ties="abstain", model="majority_vote")
        assert population(found, RULE).items.min() >= 40

    def test_only_items_within_the_reach_of_gold(self, result: Consensus) -> None:
        assert result.reach is not None
        groups = result.reach.in_groups.copy()
        groups[:200] = False
        partly = population(replace(result, reach=replace(result.reach, in_groups=groups)), RULE)
        assert partly.items.min() >= 200
        assert len(population(replace(result, reach=None), RULE).items) == 600

    def test_hand_picked_gold_certifies_nothing(self, drawn: Simulation) -> None:
        picked = handpicked(drawn)
        found = certified(picked, RULE)
        assert found.why_none == "not_random"
        assert found.drawing.ks_p < 0.01
        assert not found.drawing.looks_random
        believed = certified(picked, EscalateConfig(target=0.9, random_gold=True))
        assert believed.why_none is None
        assert believed.settled.any()


def drop(drawn: Simulation, keep: np.ndarray) -> pd.DataFrame:
    """The judgments, four an item where it is not kept whole."""
    table = drawn.judgments_table()
    ids = drawn.judgments.item_ids.to_pylist()
    whole = {ids[i] for i in np.flatnonzero(keep)}
    nth = table.groupby("item").cumcount()
    return table[table["item"].isin(whole) | (nth < 4)]


class TestAccepted:
    def test_certified_items_are_the_accepted_ones(self, result: Consensus) -> None:
        found = certified(result, RULE)
        status = statuses(result, target=0.9, promise="set").to_numpy()
        accepted = np.isin(status, ["accepted", "unaudited"])
        assert np.array_equal(accepted[:600], found.settled)
        listed = set(escalate(result, target=0.9, promise="set")["item"])
        ids = result.judgments.item_ids.to_pylist()
        assert result.gold is not None
        rest = {ids[i] for i in np.flatnonzero(~found.settled)} - {ids[i] for i in result.gold.items}
        assert listed == rest

    def test_where_nothing_is_certified_everything_is_escalated(self, drawn: Simulation) -> None:
        few = fit(drawn.judgments, gold=drawn.truth_table(12, 2))
        assert len(escalate(few, target=0.95, promise="set")) == 588
        assert (statuses(few, target=0.95) == "accepted").sum() > 100

    def test_a_set_needs_gold(self, drawn: Simulation) -> None:
        blind = fit(drawn.judgments)
        with pytest.raises(ConsensusError, match="promise set: nothing can be certified without gold; draw some with"):
            escalate(blind, promise="set")
        with pytest.raises(ConsensusError, match='or leave promise="set" out'):
            _ = Run.of(blind, promise="set").plan


class TestNeed:
    def test_measured_or_by_the_confidences(self, result: Consensus) -> None:
        among = population(result, RULE)
        reaching = among.confidence >= 0.9
        n, n_wrong = int(reaching[among.gold].sum()), int((among.wrong & reaching[among.gold]).sum())
        one = need(among, 0.9, 600)
        assert one.measured
        assert (one.n_items, one.n_gold) == (reaching.sum(), n)
        assert one.error == (n_wrong + 0.5) / (n + 1)
        assert one.draw is not None
        assert one.accepted is not None
        assert one.draw == -(-one.accepted * 600 // one.n_items)
        blind = without_gold(result, RULE)
        assert len(blind.items) == 450
        assert not need(blind, 0.9, 600).measured

    def test_a_pilot_where_confidences_would_have_most_items_drawn(self) -> None:
        assert Need(300, 0, 0.03, False, None, None).pilot(0, 800) == 100
        assert Need(300, 9, 0.03, False, 250, 600).pilot(30, 800) == 70
        assert Need(300, 9, 0.03, False, 250, 600).pilot(120, 800) == 0
        assert Need(300, 30, 0.03, True, None, None).pilot(50, 800) == 0
        assert Need(300, 0, 0.01, False, 90, 240).pilot(0, 800) == 0
        assert Need(30, 0, 0.03, False, None, None).pilot(0, 60) == 60


class TestPlan:
    def test_draws_from_items_without_gold(self, result: Consensus) -> None:
        plan = plan_gold(result, EscalateConfig(target=0.9), n=40, seed=3)
        assert result.gold is not None
        ids = result.judgments.item_ids.to_pylist()
        assert not set(plan.items["item"]) & {ids[i] for i in result.gold.items}
        assert len(plan.items) == 40
        assert plan.n_without_gold == 450
        assert plan.n_gold == 150
        again = plan_gold(result, EscalateConfig(target=0.9), n=40, seed=3)
        assert plan.items.equals(again.items)
        assert not plan.items.equals(plan_gold(result, n=40, seed=4).items)

    def test_as_many_as_are_needed(self, drawn: Simulation) -> None:
        plan = plan_gold(fit(drawn.judgments), EscalateConfig(target=0.8))
        assert len(plan.items) == plan.need.draw
        assert plan.if_worse is not None
        assert plan.if_worse.error == pytest.approx(3.5 * plan.need.error)

    def test_old_gold_that_is_not_random_does_not_count(self, drawn: Simulation) -> None:
        plan = plan_gold(handpicked(drawn), EscalateConfig(target=0.8))
        assert not plan.looks_random
        assert plan.n_gold == 0
        assert plan.n_without_gold == 520
        trusted = plan_gold(handpicked(drawn), EscalateConfig(target=0.8, random_gold=True))
        assert trusted.looks_random
        assert trusted.n_gold == 80

    def test_refusals(self, drawn: Simulation, result: Consensus) -> None:
        with pytest.raises(ConsensusError, match="plan_gold: 451 items are asked for, and 450 have no gold; lower n="):
            plan_gold(result, n=451)
        with pytest.raises(ConsensusError, match="plan_gold: every judged item is gold already"):
            plan_gold(fit(drawn.judgments, gold=drawn.truth_table()))
        single = fit(drawn.judgments_table().drop_duplicates("item"))
        with pytest.raises(ConsensusError, match="plan_gold: every item has one judgment only"):
            plan_gold(single)
        random = read(
            pd.DataFrame(
                [(i, w, "ab"[hash_of(i, w)]) for i in range(150) for w in range(3)], columns=["item", "worker", "label"]
            ).astype(str)
        )
        rows = pd.DataFrame({"item": random.item_ids.to_pylist()[:120]})
        gold = rows.assign(label=["ab"[hash_of(i, 7)] for i in range(120)])
        with pytest.raises(
            ConsensusError, match="plan_gold: no (number of|fewer than .*) gold items would certify that 99% of"
        ):
            plan_gold(fit(random, gold=gold, rho=0.3), EscalateConfig(target=0.99, random_gold=True))

    def test_what_models_alone_voted_on_may_be_drawn(self, drawn: Simulation) -> None:
        from consensus.simulation import simulate_votes

        votes = simulate_votes(drawn, 3, accuracy=0.9, seed=1)
        result = fit(None, model_votes=votes)
        assert len(without_gold(result, RULE).items) == 600
        known: Any = fit(None, model_votes=votes, gold=drawn.truth_table(150, 2))
        assert len(population(known, RULE).items) == 600
        assert isinstance(known.gold, AlignedGold)


def hash_of(i: int, w: int) -> int:
    return (i * 7919 + w * 104729 + (i * i + 3 * w) % 13) // 3 % 2
