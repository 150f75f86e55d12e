"""What items count for in shares and their intervals: as if those of weight 3 were there three times."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import consensus
from consensus import fit, read, simulate
from consensus.found.counting import Counting, mean, some
from consensus.found.units import Units
from consensus.intervals import Z, clopper_pearson
from consensus.report import counting_words, page_words, quality, set_promise, words

pytestmark = [
    pytest.mark.usefixtures("by_dawid_skene"),
    pytest.mark.filterwarnings("ignore::consensus.ConsensusWarning"),
]

N = 90
VOTES: dict[str, Any] = {"model": "majority_vote", "target": 0.7}


def crowd(seed: int = 4) -> tuple[pd.DataFrame, dict[str, str], pd.DataFrame]:
    """Judgments with the weight (1 to 4) and cluster of each item; the truth of some items; all of the truth."""
    drawn = simulate(N, 8, 3, 4, accuracy=0.75, seed=seed)
    truth = pd.DataFrame(drawn.truth_table())
    rng = np.random.default_rng(seed)
    weights = dict(zip(truth["item"], rng.integers(1, 5, N).tolist(), strict=True))
    clusters = {item: f"p{n // 6}" for n, item in enumerate(truth["item"])}
    table = pd.DataFrame(drawn.judgments_table())
    table = table.assign(weight=table["item"].map(weights), cluster=table["item"].map(clusters))
    some_items = truth.sample(30, random_state=seed)
    gold: dict[str, str] = dict(zip(some_items["item"], some_items["label"], strict=True))
    return table, gold, truth


def expanded(table: pd.DataFrame, weights: dict[str, int]) -> pd.DataFrame:
    """Each row as often as its item weighs, under names of their own."""
    times = table["item"].map(weights)
    parts = [table[times > n].assign(item=table["item"] + f"~{n}") for n in range(4)]
    return pd.concat(parts, ignore_index=True)


class TestCounting:
    def test_weights_are_repetitions(self) -> None:
        rng = np.random.default_rng(0)
        times, p = rng.integers(1, 6, 50), rng.random(50)
        counting = Counting(times.astype(float), times.astype(float))
        many = np.repeat(p, times)
        assert counting.total == counting.effective == len(many)
        assert counting.share(p) == pytest.approx(many.mean(), abs=1e-12)
        assert counting.deviation(p) == pytest.approx(np.sqrt((many * (1 - many)).sum()) / len(many), abs=1e-12)

    def test_the_deviation_is_that_of_drawn_errors(self) -> None:
        rng = np.random.default_rng(1)
        weight, unit, p = rng.uniform(1, 9, 40), rng.integers(1, 4, 40), rng.uniform(0.1, 0.4, 40)
        errors = rng.binomial(unit, p, (40_000, 40)) / unit
        shares = errors @ weight / weight.sum()
        assert Counting(weight, unit.astype(float)).deviation(p) == pytest.approx(shares.std(), rel=0.02)

    def test_of_none_nothing_is_known(self) -> None:
        none = Counting(np.ones(3), np.ones(3)).at(np.zeros(3, np.bool_))
        assert np.isnan(none.share(np.zeros(0)))
        assert (none.total, none.effective, none.deviation(np.zeros(0))) == (0.0, 0.0, 0.0)
        assert np.isnan(mean(np.zeros(0), None))
        assert some(None, np.arange(2)) is None

    def test_by_what_judgments_and_units_say(self) -> None:
        table, *_ = crowd()
        plain, weighed = read(table), read(table, weight="weight")
        assert Counting.of(plain, None) is None
        assert weighed.weight is not None
        found = Counting.of(weighed, None)
        assert found is not None
        assert np.array_equal(found.weight, found.unit)
        units = Units(np.full(N, 0.5), np.full(plain.n_judgments, 0.5), 30.0)
        found = Counting.of(plain, units)
        assert found is not None
        assert (found.total, found.effective) == (N, N / 2)
        found = Counting.of(weighed, units)
        assert found is not None
        assert np.array_equal(found.weight, weighed.weight)
        assert np.array_equal(found.unit, units.item)


class TestQuality:
    """Of a majority vote: what an item's label is does not depend on the others."""

    @pytest.mark.parametrize("gold", [False, True])
    def test_as_if_items_were_there_several_times(self, gold: bool) -> None:
        table, known, _ = crowd()
        weights = dict(zip(table["item"], table["weight"], strict=True))
        of_gold = expanded(pd.DataFrame({"item": list(known), "label": list(known.values())}), weights)
        settings = {**VOTES, "gold": None} if not gold else {**VOTES, "gold": known}
        ours = consensus.run(table, weight="weight", **settings).promise
        theirs = consensus.run(expanded(table, weights), **(settings | ({"gold": of_gold} if gold else {}))).promise
        weight = ours.pop("weight")
        assert (weight["items"], weight["accepted"]) == (theirs["items"], theirs["accepted"])
        assert ours["accepted"] < theirs["accepted"]
        for name in ("expected_error", "expected_error_low", "expected_error_high"):
            assert ours[name] == pytest.approx(theirs[name], abs=1e-9)
        pairs = [(ours["by_label"][label], theirs["by_label"][label]) for label in theirs["by_label"]]
        pairs += [(ours["gold"][name], theirs["gold"][name]) for name in theirs["gold"] or ()]
        for own, other in pairs:
            for name in {"expected_error", "measured_error", "low", "high", "claimed_error"} & {*own}:
                assert own[name] == pytest.approx(other[name], abs=1e-9, nan_ok=True)
        assert (ours["gold"] is None) != gold
        if gold:
            assert 0 < ours["gold"]["accepted"]["errors"] < theirs["gold"]["accepted"]["errors"]

    def test_clusters_widen_intervals_and_move_no_share(self) -> None:
        table, known, _ = crowd()
        plain = consensus.run(table, gold=known, **VOTES)
        result = consensus.run(table, gold=known, cluster="cluster", **VOTES)
        counting = Counting.of(result.result.judgments, result.result.units)
        assert counting is not None
        assert counting.effective < N
        ours, theirs = result.promise, plain.promise
        assert "weight" not in ours
        assert ours["expected_error"] == pytest.approx(theirs["expected_error"], abs=1e-12)
        accepted = result.status[:N] == 0
        wrong = 1 - result.result.confidence[accepted]
        spread = Z * counting.at(accepted).deviation(wrong)
        assert ours["expected_error_high"] == pytest.approx(ours["expected_error"] + spread, abs=1e-12)
        assert ours["expected_error_high"] > theirs["expected_error_high"]
        own, other = ours["gold"]["all"], theirs["gold"]["all"]
        assert own["measured_error"] == pytest.approx(other["measured_error"], abs=1e-12)
        n = counting.at(result.result.gold.items).effective  # type: ignore[union-attr]
        assert (own["low"], own["high"]) == tuple(map(float, clopper_pearson(own["measured_error"] * n, n)))
        assert own["low"] < other["low"]
        assert own["high"] > other["high"]

    def test_overconfidence_is_of_the_weight(self) -> None:
        gold = {"measured_error": 0.5, "low": 0.4, "high": 0.6, "errors": 5, "items": 10}
        told = {"audited": True, "accepted": 9, "expected_error": 0.1, "gold": {"accepted": gold}}
        (one,) = quality.cautions(told)
        assert "(50.0% [40.0%, 60.0%])" in one.message
        (one,) = quality.cautions({**told, "weight": {"items": 2.0, "accepted": 1.0}})
        assert "(50.0% of the weight [40.0%, 60.0%])" in one.message


class TestWords:
    def test_shares_are_of_the_weight(self) -> None:
        table, known, _ = crowd()
        run = consensus.run(table, weight="weight", gold=known, **VOTES)
        said = "\n".join(words.lines(run))
        weight = run.promise["weight"]
        share = f"({weight['accepted'] / weight['items']:.1%} of the weight) at target 70%"
        assert share in said
        assert f"expected error {run.promise['expected_error']:.1%} of the weight" in said
        total = table.drop_duplicates("item")["weight"].sum()
        assert f"items count by weight: {total:,} in all, 1 to 4 each" in said
        assert "nothing: items have weights or stand in clusters, so gold is not drawn one by one" in said
        assert share.split(" at")[0] in page_words.usable(run.summary["quality"])
        tiles = dict(one[::2] for one in page_words.tiles(run.summary, 0))
        assert "of the weight)" in tiles["labels accepted"]
        assert "of the weight" in tiles["wrong among them"]

    def test_nothing_of_it_where_items_count_alike(self) -> None:
        table, known, _ = crowd()
        run = consensus.run(table[["item", "worker", "label"]], gold=known, **VOTES)
        assert "weigh" not in "\n".join([*words.lines(run), page_words.usable(run.summary["quality"])])
        assert "units" not in run.summary
        assert counting_words.lines(None) == []

    def test_clusters(self) -> None:
        table, *_ = crowd()
        alone = table.assign(cluster=table["cluster"].where(table["cluster"] != "p0"))
        result = fit(read(alone, cluster="cluster"))
        assert result.units is not None
        assert result.units.n_eff is not None
        assert result.judgments.cluster is not None
        told = counting_words.told(result)["units"]
        assert told["clusters"] == {
            "count": 14,
            "items_per_cluster": 6.0,
            "largest": 6,
            "alone": 6,
            "independent_items": result.units.item[result.judgments.cluster >= 0].sum() / 14,
            "n_eff": result.units.n_eff,
            "estimated": result.units.told,
        }
        assert told["items"] == result.units.item.sum()
        (said,) = counting_words.lines(told)
        assert said.startswith(
            "14 clusters of 6.0 items on average (6 at most); the items of one err together, so one "
        )
        mean = told["clusters"]["independent_items"]
        assert 1.0 < mean < min(6.0, result.units.n_eff)
        assert said.endswith(
            f" counts as {mean:.3g} independent items on average, and at most {result.units.n_eff:.3g}"
        )
        assert "plan-gold" in "".join(set_promise.lines(None, 0.95))
        (nothing, why) = set_promise.lines(None, 0.95, weighed=True)
        assert nothing.startswith("certified: nothing without gold")
        assert why.endswith("gold would measure the error, but certify nothing")
        told["clusters"]["estimated"] = False
        assert counting_words.lines(told)[0].endswith("(assumed: fewer than five workers judged two clusters)")
        nobody = fit(read(table.assign(cluster=None), cluster="cluster"), model="majority_vote")
        told = counting_words.told(nobody)["units"]
        assert counting_words.lines(told) == ["0 clusters"]

    def test_what_gold_can_not_check_weighs_too(self) -> None:
        promise = {"weight": {"items": 10.0, "accepted": 4.0}, "beyond_gold": {"weight": 1.0}}
        assert counting_words.accepted(promise) == " (50.0% of the weight)"
        assert counting_words.accepted({"weight": {"items": 0.0, "accepted": 0.0}}) == ""
        assert counting_words.accepted({}) == counting_words.of({}) == ""
