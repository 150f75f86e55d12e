"""Crowds with rules of one label are as their recipes say."""

import pytest

from tests.one_label_crowds import Recipe, draw


def test_same_seed_same_crowd() -> None:
    one, same, other = (draw(Recipe(n_items=50), seed) for seed in (1, 1, 2))
    for name in ("table", "truth", "workers"):
        assert getattr(one, name).equals(getattr(same, name))
        assert not getattr(one, name).equals(getattr(other, name))
    assert len(one.gold(10)) == 10


@pytest.mark.parametrize(("n_labels", "largest"), [(2, None), (3, 0.8)])
def test_rules_answer_where_they_should(n_labels: int, largest: float | None) -> None:
    crowd = draw(Recipe(20_000, n_labels, largest, coverage=0.4, right=0.9, spammers=2, spam=0.3), 0)
    rules = crowd.workers[crowd.workers["kind"] == "rule"]
    assert len(rules) == 4 * n_labels
    assert rules["share_right"].to_numpy() == pytest.approx(0.9, abs=0.04)
    right = rules["n"] * rules["share_right"] / (rules["chance"] * 20_000)
    assert right.to_numpy() == pytest.approx(0.4, abs=0.04)
    if largest is not None:
        assert rules["chance"].max() == pytest.approx(largest, abs=0.02)
    spammers = crowd.workers[crowd.workers["kind"] == "spammer"]
    assert spammers["n"].to_numpy() == pytest.approx(6000, abs=300)
    assert spammers["share_right"].to_numpy() == pytest.approx(spammers["chance"].to_numpy(), abs=0.03)
    given = crowd.table.groupby("worker")["label"].nunique()
    assert (given[crowd.workers["label"].notna()] == 1).all()


def test_people_judge_every_item() -> None:
    crowd = draw(Recipe(3000, 3, per_item=2, n_rules=0, accuracy=(0.8, 0.8), each=300), 0)
    assert len(crowd.table) == 6000
    assert not crowd.table.duplicated(["item", "worker"]).any()
    assert crowd.workers["kind"].eq("person").all()
    assert crowd.workers["share_right"].to_numpy() == pytest.approx(0.8, abs=0.1)
    assert len(crowd.workers) == 20
