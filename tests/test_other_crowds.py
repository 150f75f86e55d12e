"""Crowds of the other family are as their recipes say."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from consensus import read
from tests.other_crowds import FAITHFUL, KINDS, TO_BE_STOPPED, Crowd, Recipe, draw, mean_logit

if TYPE_CHECKING:
    import pandas as pd

LARGE = Recipe(n_items=4000, n_workers=200, per_item=5.0)


def right(crowd: Crowd) -> "pd.Series[bool]":
    """Which judgments are right."""
    return crowd.table["label"] == crowd.table["item"].map(crowd.truth.set_index("item")["label"])


def test_same_seed_same_crowd() -> None:
    one, same, other = (draw(Recipe(n_items=50), seed) for seed in (1, 1, 2))
    for name in ("table", "truth", "workers", "items"):
        assert getattr(one, name).equals(getattr(same, name))
        assert not getattr(one, name).equals(getattr(other, name))


def test_table_is_read() -> None:
    crowd = draw(Recipe(n_items=100, per_item=2.5), 0)
    judgments = read(crowd.table)
    assert judgments.n_items == 100
    assert set(judgments.per_item.tolist()) == {2, 3}
    assert judgments.tally.used == len(crowd.table)  # nobody judges an item twice
    assert judgments.worker_ids.to_pylist() == crowd.workers.index.tolist()
    assert judgments.per_worker.tolist() == crowd.workers["n"].tolist()
    assert judgments.labels == ("l0", "l1", "l2")
    assert not crowd.table["item"].is_monotonic_increasing


@pytest.mark.parametrize("n_labels", [2, 5])
@pytest.mark.parametrize("sd", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("guessing", [0.0, 1.0])
def test_accuracy_is_as_stated_whatever_the_spread(n_labels: int, sd: float, guessing: float) -> None:
    crowd = draw(replace(LARGE, n_labels=n_labels, difficulty_sd=sd, guessing=guessing, activity_sd=0.0), 3)
    assert crowd.workers["accuracy"].mean() == pytest.approx(0.8, abs=0.02)
    assert right(crowd).mean() == pytest.approx(0.8, abs=0.025)
    assert crowd.items["difficulty"].std() == pytest.approx(sd, abs=0.06)


def test_skills_are_logit_normal() -> None:
    accuracy = draw(replace(LARGE, n_items=400, n_workers=2000, per_item=40, skill_sd=1.2), 1).workers["accuracy"]
    logit = np.log(accuracy / (1 - accuracy))
    assert logit.mean() == pytest.approx(mean_logit(replace(LARGE, skill_sd=1.2)), abs=0.1)
    assert logit.std() == pytest.approx(1.2, abs=0.1)


def test_own_accuracy_is_what_happened() -> None:
    crowd = draw(replace(LARGE, n_items=300, difficulty_sd=1.0), 4)
    mean = crowd.table.assign(right=right(crowd)).groupby("worker")["right"].mean()
    assert crowd.workers["share_right"].to_numpy() == pytest.approx(mean.to_numpy())
    off = crowd.workers["share_right"] - crowd.workers["expected_right"]
    assert abs((off * crowd.workers["n"]).sum() / crowd.workers["n"].sum()) < 0.03
    assert (crowd.workers["expected_right"] != crowd.workers["accuracy"]).all()


def test_difficulty_is_shared() -> None:
    """Two judgments of an item are right together more often than by chance, and only where items differ."""
    together = []
    for sd in (0.0, 2.0):
        crowd = draw(replace(LARGE, per_item=2, difficulty_sd=sd, skill_sd=0.0), 5)
        table = crowd.table.assign(right=right(crowd)).groupby("item")["right"].sum()
        together.append((table == 2).mean())
        easy = 1 / (1 + np.exp(crowd.items["difficulty"] - mean_logit(crowd.recipe)))
        assert together[-1] == pytest.approx((easy**2).mean(), abs=0.02)
    assert together[1] > together[0] + 0.03


def test_hard_items_draw_to_their_lure() -> None:
    crowd = draw(replace(LARGE, n_labels=5, difficulty_sd=2.0), 6)
    table = crowd.table[~right(crowd)].join(crowd.items, on="item")
    lured = table["label"] == table["lure"]
    hard = table["difficulty"] > table["difficulty"].quantile(0.75)
    easy = table["difficulty"] < table["difficulty"].quantile(0.25)
    assert lured[hard].mean() > lured[easy].mean() + 0.25
    plain = draw(replace(LARGE, n_labels=5, difficulty_sd=2.0, tempting=0.0), 6)
    table = plain.table[~right(plain)].join(plain.items, on="item")
    assert (table["label"] == table["lure"]).mean() == pytest.approx(0.25, abs=0.02)


def test_activity_is_long_tailed() -> None:
    n = draw(LARGE, 7).workers["n"]
    even = draw(replace(LARGE, activity_sd=0.0), 7).workers["n"]
    assert n.max() > 5 * n.median()
    assert even.max() < 2 * even.median()


def test_largest_label() -> None:
    share = draw(replace(LARGE, largest=0.95), 8).truth["label"].value_counts(normalize=True)
    assert share["l0"] == pytest.approx(0.95, abs=0.01)
    assert share["l1"] == pytest.approx(0.025, abs=0.01)


def test_kinds_of_workers() -> None:
    recipe = Recipe(n_items=6000, n_workers=40, activity_sd=0.0, ring=0.3)
    crowd = draw(replace(recipe, careless=0.1, one_label=0.1, random=0.1, adversarial=0.1), 9)
    workers = crowd.workers
    counts = workers["kind"].value_counts()
    assert counts[list(KINDS)].tolist() == [12, 4, 4, 4, 4, 12]
    assert set(workers["kind"][workers["stop"]]) == set(TO_BE_STOPPED)
    expected = {"honest": 0.8, "careless": (0.8 + 1 / 3) / 2, "one_label": 1 / 3, "random": 1 / 3, "adversarial": 0.1}
    for kind, mean in (expected | {"ring": 0.6}).items():
        some = workers[workers["kind"] == kind]
        assert some["accuracy"].mean() == pytest.approx(mean, abs=0.06), kind
        assert some["share_right"].to_numpy() == pytest.approx(some["accuracy"].to_numpy(), abs=0.08), kind
    table = crowd.table.join(workers["kind"], on="worker")
    constant = table[table["kind"] == "one_label"].groupby("worker")["label"].value_counts(normalize=True)
    assert constant.groupby("worker").max().to_numpy() == pytest.approx(FAITHFUL + 0.05 / 3, abs=0.02)
    assert (table[table["kind"] == "ring"].groupby("item")["label"].nunique() == 1).all()


@pytest.mark.parametrize("own", [0.9, 0.97, 1.0])
@pytest.mark.parametrize("purity", [0.9, 1.0])
def test_topics(own: float, purity: float) -> None:
    crowd = draw(replace(LARGE, layout="topics", own=own, purity=purity), 10)
    group = crowd.items["group"]
    truth = crowd.truth["label"].str[1:].astype(int).to_numpy()
    assert (truth == group).mean() == pytest.approx(purity, abs=0.02)
    seen = crowd.table.groupby("worker")["group"].value_counts(normalize=True).groupby("worker").max()
    weight = crowd.table["worker"].value_counts()[seen.index]
    assert np.average(seen, weights=weight) == pytest.approx(own, abs=0.02)
    assert (crowd.table["group"].str[1:].astype(int).to_numpy() == group[crowd.table["item"]].to_numpy()).all()


def test_hits_are_judged_whole_by_workers_who_wander() -> None:
    recipe = replace(LARGE, n_items=1000, n_workers=30, layout="hits", hit_size=25, purity=1.0)
    crowd = draw(recipe, 11)
    assert crowd.table["group"].nunique() == 40
    assert (crowd.table.groupby("group")["worker"].nunique() == 5).all()
    assert (crowd.table.groupby(["group", "worker"]).size() == 25).all()
    truth = crowd.truth.set_index("item")["label"]
    seen = crowd.table.assign(truth=truth[crowd.table["item"]].to_numpy()).groupby("group")["truth"].nunique()
    assert (seen == 1).all()
    visited = crowd.table.groupby("worker")["group"].nunique()
    assert visited.median() >= 3


def test_groups_are_told_only_where_there_are_some() -> None:
    assert list(draw(Recipe(n_items=20), 0).table.columns) == ["item", "worker", "label"]


def test_gold_is_drawn() -> None:
    crowd = draw(Recipe(n_items=50), 0)
    gold = crowd.gold(10, seed=1)
    assert len(gold.merge(crowd.truth)) == 10
    assert gold["item"].is_monotonic_increasing
    assert not gold.equals(crowd.gold(10, seed=2))


def test_impossible_recipes() -> None:
    with pytest.raises(ValueError, match="shares of careless, .* are more than 1 together"):
        draw(Recipe(random=0.6, ring=0.6), 0)
    with pytest.raises(ValueError, match="5 judgments an item are more than there are workers"):
        draw(Recipe(n_workers=9, layout="topics"), 0)
