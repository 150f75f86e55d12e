"""The benchmark on crowds of another family, at tiny sizes: each part makes its table, and counts what it says."""

import argparse
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from tests.conftest import ROOT, dataset
from tests.other_crowds import Crowd, Recipe, draw

if TYPE_CHECKING:
    from tests.benchmarks import (
        accuracy,
        escalation_replay,
        other,
        other_families,
        other_labels,
        other_models,
        other_one_label,
        other_promise,
        other_workers,
        small_crowds,
    )
else:  # scripts: their own folder is on the path
    sys.path.append(str(ROOT / "tests" / "benchmarks"))
    import accuracy
    import escalation_replay
    import other
    import other_families
    import other_labels
    import other_models
    import other_one_label
    import other_promise
    import other_workers
    import small_crowds

TINY = Recipe(n_items=60, n_workers=12, n_labels=2, per_item=4, difficulty_sd=1.0)


def rows(table: str) -> dict[str, list[str]]:
    """Cells by the first of each line of the Markdown tables."""
    lines = [line[2:-2].split(" | ") for line in table.splitlines() if line.startswith("| ")]
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines}


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """One family, and small crowds."""
    spreads = {"other, sd 1": 1.0}
    monkeypatch.setattr(other_families, "SPREADS", spreads)
    monkeypatch.setattr(other_families, "FAMILIES", tuple(spreads))
    monkeypatch.setattr(other_families, "ITEMS", (40, 60))
    monkeypatch.setattr(other_families, "WORKERS", (10, 14))
    monkeypatch.setattr(other_labels, "SHARES", {"95 : 5": 0.95})
    for module, names in {
        other_labels: ("HONEST", "RING", "BATCHES", "CONNECTED", "WANDERING"),
        other_workers: ("WORKING", "COPYING", "GOLDEN", "HOSTILE"),
        other_promise: ("REPLAYED",),
        other_models: ("PEOPLE",),
    }.items():
        for name in names:
            small = {"n_items": 60, "n_workers": 3 if name == "PEOPLE" else 12, "hit_size": 20}
            one = replace(getattr(module, name), **small)
            monkeypatch.setattr(module, name, replace(one, per_item=min(one.per_item, 2.0)))
    monkeypatch.setattr(other_workers, "COPYING_PER_ITEM", (2,))


@pytest.mark.parametrize("family", other_families.FAMILIES)
def test_crowds_of_both_families(family: str) -> None:
    crowd = other_families.crowd(family, 1, 2)
    of = crowd.workers
    truth = crowd.table["item"].map(crowd.truth.set_index("item")["label"])
    right = (crowd.table["label"] == truth).groupby(crowd.table["worker"]).mean()
    assert of["share_right"].to_numpy() == pytest.approx(right[of.index].to_numpy())
    assert np.average(of["expected_right"] - of["share_right"], weights=of["n"]) == pytest.approx(0, abs=0.02)
    assert of["n"].to_numpy().tolist() == crowd.table["worker"].value_counts()[of.index].tolist()
    assert of["stop"].mean() == pytest.approx(0.15, abs=0.07)
    assert (of["kind"] == "honest").mean() == pytest.approx(0.75, abs=0.07)
    assert of["accuracy"][of["stop"]].mean() + 0.2 < of["accuracy"][of["kind"] == "honest"].mean()
    assert other_families.crowd(family, 1, 2).table.equals(crowd.table)


def test_spread_is_mean_and_worst() -> None:
    assert other_families.spread([1.0, 3.0, np.nan]) == "2.0 (1.0)"
    assert other_families.spread([1.0, 3.0], 2, max) == "2.00 (3.00)"
    assert not other_families.spread([np.nan])


def found() -> pd.DataFrame:
    """Workers of one crowd of two labels, with verdicts."""
    table = pd.DataFrame(
        [
            ("honest", 0.9, "spammer"),
            ("honest", 0.8, "good"),
            ("honest", 0.55, "adversarial"),  # too near to chance to be spared
            ("careless", 0.65, "spammer"),
            ("random", 0.5, "spammer"),
            ("adversarial", 0.1, "adversarial"),
            ("one_label", 0.5, "too_few"),
            ("honest", 0.8, "expert"),
        ],
        columns=["kind", "accuracy", "verdict"],
    )
    stop = table["kind"].isin(["random", "adversarial", "one_label"])
    ranks = np.arange(len(table))
    of = table.assign(n=50, K=2, family="a", crowd=0, low=0.6, high=0.85, found=0.66 + ranks / 100, found_on_own=-ranks)
    return of.assign(stop=stop)


def test_verdicts_are_counted() -> None:
    seen = other_workers.verdicts(found())
    assert rows(seen)["a, 2 labels"] == [
        "7",
        "50.0",
        "66.7",
        "33.3 (1 of 3)",
        "33",
        "100.0 (1 of 1)",
        "40.0",
        "50.0 (2 of 4)",
    ]
    few = other_workers.verdicts(found().assign(n=[50] * 7 + [29]))
    assert rows(few)["a, 2 labels"][3] == "50.0 (1 of 2)"
    held = other_workers.verdicts_held(found())
    assert rows(held)["a"] == ["100.0 (1)", "(0)", "100.0 (1)"]  # odds of 4 beside the median's 1.5


def test_intervals_are_counted() -> None:
    table = found()
    seen = rows(other_workers.intervals(table))["a"]
    assert seen[:4] == ["8", "37.5", "37.5", ""]
    assert seen[4:6] == ["0.250", f"{(table['found'] - table['accuracy']).mean():+.3f}"]
    assert rows(other_workers.intervals(table.assign(n=[100] + [5] * 7), least=100))["a"][:4] == [
        "1",
        "0.0",
        "0.0",
        "0.0",
    ]


def test_scores_leave_gold_out() -> None:
    crowd = draw(TINY, 1)
    gold = crowd.gold(30)
    rest = crowd.truth[~crowd.truth["item"].isin(gold["item"])]
    result = other_families.ours(crowd.table, gold)
    right = result.labels.merge(rest, on="item")
    assert other_families.scores(result, crowd.truth).accuracy == pytest.approx(
        (right["label_x"] == right["label_y"]).mean()
    )


@pytest.mark.parametrize("scenario", other_workers.SCENARIOS)
def test_times_follow_the_scenario(scenario: str) -> None:
    crowd = draw(replace(TINY, n_items=400, random=0.25), 2)
    table = other_workers.timed(crowd, scenario, 3)
    assert table["timestamp"].nunique() == len(table)
    after = table["timestamp"] > table["timestamp"].median()
    difficulty = table["item"].map(crowd.items["difficulty"])
    harder = difficulty[after].mean() - difficulty[~after].mean()
    label = (table["item"].map(crowd.truth.set_index("item")["label"]) == "l1").groupby(after).mean()
    bad = (table["worker"].map(crowd.workers["kind"]) == "random").groupby(after).mean()
    assert {"easy items first": harder > 1, "hard items first": harder < -1}.get(scenario, abs(harder) < 0.3)
    assert (label[True] - label[False] > 0.8) == (scenario == "labels in turn")
    assert (bad[True] - bad[False] > 0.2) == (scenario == "bad workers late")
    if scenario == "hard items amid":
        amid = table["timestamp"].rank(pct=True).between(0.25, 0.75)
        assert difficulty[amid].mean() > difficulty[~amid].mean() + 1


def test_who_changes_guesses_in_the_second_half() -> None:
    crowd = draw(replace(TINY, n_items=400), 2)
    table = other_workers.timed(crowd, "at random", 3)
    busy = crowd.workers["n"].idxmax()
    after = other_workers.changed(table, [str(busy)], 4)
    differs = after["label"] != table["label"]
    assert (table["worker"][differs] == busy).all()
    late = table["timestamp"] > table["timestamp"][table["worker"] == busy].median()
    assert late[differs].all()
    assert differs[late & (table["worker"] == busy)].mean() == pytest.approx(0.5, abs=0.2)


def test_models_share_lures() -> None:
    crowd = draw(replace(other_models.PEOPLE, n_items=1000, difficulty_sd=1.0), 5)
    said = other_models.votes(crowd, 5).pivot_table("label", "item", "model", aggfunc="first")
    truth = crowd.truth.set_index("item")["label"]
    wrong = said.ne(truth[said.index], axis=0)
    assert 1 - wrong.to_numpy().mean() == pytest.approx(other_models.MODEL, abs=0.03)
    lured = said.eq(crowd.items["lure"][said.index], axis=0)
    assert (lured.all(axis=1)).mean() == pytest.approx(0.2 * other_models.SHARED, abs=0.03)


def test_majority_is_its_own_equal() -> None:
    crowds = [draw(replace(TINY, layout="topics", purity=0.9), seed) for seed in (0, 1)]
    right, votes, worst = other_labels._topic(other_families.majority, crowds, 0)[:3]
    assert right == votes
    assert worst == "+0.0"


def test_every_recipe_of_topics() -> None:
    names = [name for name, _ in other_labels.topic_recipes()]
    assert len(set(names)) == 15
    for _, recipe in other_labels.topic_recipes():
        assert recipe.layout == "topics"
        assert len(draw(replace(recipe, n_items=30), 0).table) == 150


@pytest.mark.compiled
@pytest.mark.usefixtures("tiny")
class TestParts:
    options = argparse.Namespace(seed=0, crowds=1, sets=())

    @pytest.mark.parametrize("part", ["labels", "uneven", "ring", "drift", "copying", "hostile"])
    def test_tables(self, part: str) -> None:
        title, made = other.parts(self.options)[part]
        assert title
        assert len(rows(made())) >= 2

    def test_topics(self, monkeypatch: pytest.MonkeyPatch) -> None:
        some = list(other_labels.topic_recipes())[:2]
        monkeypatch.setattr(other_labels, "topic_recipes", lambda: some)
        seen = rows(other_labels.topics(other_families.ours, 0, 1, bad=True, n_gold=10))
        assert set(seen) == {"", "batches, K=2, purity 0.9", "batches, K=2, purity 0.97"}
        assert {len(cells) for cells in seen.values()} == {6}

    def test_wandering(self, monkeypatch: pytest.MonkeyPatch) -> None:
        small = replace(other_labels.WANDERING, n_items=120, n_workers=12, hit_size=10)
        monkeypatch.setattr(other_labels, "WANDERING", small)
        seen = rows(other_labels.wandering(other_families.ours, 0, 1, grouped=other_families.grouped))
        assert float(seen["wandering, K=2 HITs are told"][2]) >= 0

    @pytest.mark.parametrize("name", ["40 % adversaries, gold", "two-coin", "50 items"])
    def test_alike(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(other_labels, "USUAL", (name,))
        seen = rows(other_labels.alike(other_families.ours, other_families.ours, 0, 1))
        assert seen[name][2] == "+0.00"
        assert seen[name][0] == seen[name][1]

    def test_seeds(self) -> None:
        seen = rows(other_labels.seeds((), 2, 1))
        assert set(seen) == {"2 seeds", "400 x 4, K=2", "digits"}
        assert all(int(cells[0]) <= 2 for name, cells in seen.items() if name != "2 seeds")

    def test_workers(self) -> None:
        table = other_workers.audited(other_families.ours, 0, 1, 10)
        assert table["family"].unique().tolist() == ["other, sd 1"]
        assert table["worker"].is_unique
        assert table["verdict"].notna().all()

    def test_wrong_gold(self) -> None:
        seen = rows(other_workers.wrong_gold(0, 1, 20, 2))["other, sd 1"]
        assert 0 <= float(seen[0]) <= 2

    def test_accepted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(other_promise, "N_GOLD", 10)
        assert {"other, sd 1, no gold", "other, sd 1, 10 gold"} < set(
            rows(other_promise.accepted(other_families.ours, 0, 1))
        )

    def test_models(self) -> None:
        seen = rows(other_models.models(0, 1, 60))
        assert {f"other, sd 1: {way}" for way in other_models.WAYS} < set(seen)

    def test_rules_of_one_label(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(other_one_label, "PEOPLE", (1,))
        told = other_one_label.rules(0, 1).splitlines()[2:]
        assert len(told) == 2 * 2 * len(other_one_label.SPAMMERS)
        assert told[0].startswith("| 2 | even | 1 | no spammers | ")

    def test_replays(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("consensus.escalation.paths.N_PATHS", 64)
        monkeypatch.setattr(escalation_replay, "BATCH", 1.0)
        monkeypatch.setattr(other_promise, "REPLAYED", replace(other_promise.REPLAYED, per_item=8.0))
        assert "other, sd 1, from 3" in rows(other_promise.needed(0, 1, 30))
        assert "other, sd 1: ours" in rows(other_promise.saved(0, 1, 30))


@pytest.mark.real
def test_public_sets() -> None:
    dataset("bluebird")
    table, truth = other_labels.public("bluebird")
    assert other_labels.thinned(table, 2, 0)["item"].value_counts().eq(2).all()
    assert len(truth) == 108
    on_sets = other_workers.on_public_sets(other_families.ours, ["bluebird"], 20)
    assert len(on_sets) == 39
    assert "bluebird" in rows(other_workers.intervals(on_sets, "share_right", 10))
    assert "mean, 3 an item" in rows(other_labels.sparse(other_families.ours, ["bluebird"], 0, 1))


def test_every_part_has_a_name() -> None:
    known = other.parts(argparse.Namespace(seed=0, crowds=1, sets=accuracy.SETS))
    assert set(known) == {
        *("labels", "topics", "uneven", "sparse", "seeds", "one_label", "ring", "workers", "drift", "copying", "gold"),
        *("hostile", "promise", "models", "needed", "saved"),
    }


def test_unknown_part(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["other.py", "label"])
    with pytest.raises(SystemExit):
        other.main()
    assert "no part label; the parts are labels, topics" in capsys.readouterr().err


def test_crowd_of_the_engine_has_its_shape() -> None:
    crowd = other_families.crowd(other_families.OWN, 0, 0)
    assert isinstance(crowd, Crowd)
    assert crowd.recipe.n_items == len(crowd.truth)


def test_small_crowds_compare_the_average_with_one_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_crowds, "SHAPES", ((20, 10, 3, 3),))
    found = rows(small_crowds.table(2))
    assert list(found)[1:] == [f"{kind}, 20 x 10 x 3 x 3" for kind in ("engine's own", "hard items", "a ring")]
    gained = small_crowds.gains((20, 10, 3, 3), "a ring", 2)
    assert found["a ring, 20 x 10 x 3 x 3"][0].split()[0] == f"{gained[:, 0].mean():+.2f}"
