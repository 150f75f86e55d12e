"""Planted truth is as stated."""

from typing import Any

import numpy as np
import pytest

from consensus import simulate
from consensus.errors import ConfigError
from consensus.formats import read_model_votes
from consensus.inputs.model_votes import ModelVotes
from consensus.simulation import simulate_votes, votes_table


def test_draws_what_it_says() -> None:
    drawn = simulate(20_000, 15, 3, 2.5, prior=[0.6, 0.3, 0.1], seed=1)
    j = drawn.judgments
    assert j.n_judgments == pytest.approx(50_000, rel=0.01)
    assert set(j.per_item.tolist()) == {2, 3}
    assert np.bincount(drawn.truth) / 20_000 == pytest.approx([0.6, 0.3, 0.1], abs=0.02)
    pairs = j.item.astype(np.int64) * 15 + j.worker
    assert (np.diff(pairs) > 0).all()  # canonical order, nobody judges an item twice
    busiest = int(np.bincount(j.worker).argmax())
    on = j.worker == busiest
    seen = np.zeros((3, 3))
    np.add.at(seen, (drawn.truth[j.item[on]], j.label[on]), 1)
    np.testing.assert_allclose(seen / seen.sum(axis=1, keepdims=True), drawn.confusion[busiest], atol=0.05)


def test_kinds_of_workers() -> None:
    drawn = simulate(10, 20, 4, 3, spammers=0.25, adversaries=0.1, accuracy=0.8, seed=3)
    flat = np.ptp(drawn.confusion, axis=1).max(axis=1) < 1e-12
    wrong = drawn.confusion[:, range(4), range(4)].max(axis=1) < 0.25
    assert flat.sum() == 5
    assert (wrong & ~flat).sum() == 2
    ordinary = drawn.confusion[~flat & ~wrong][:, range(4), range(4)]
    assert ordinary.mean() == pytest.approx(0.8, abs=0.06)


def test_biased_workers_take_one_label_for_another() -> None:
    plain = simulate(10, 20, 4, 3, spammers=0.1, adversaries=0.1, seed=3).confusion
    biased = simulate(10, 20, 4, 3, spammers=0.1, adversaries=0.1, biased=0.25, seed=3).confusion
    changed = (plain != biased).any(axis=2)
    assert (changed.sum(axis=1) > 0).sum() == 5
    assert changed.sum() == 5  # one label of each
    np.testing.assert_allclose(biased.sum(axis=2), 1.0)
    assert biased[changed].max(axis=1).tolist() == pytest.approx([0.7] * 5)
    right = biased[:, range(4), range(4)][changed]
    assert right.max() < 0.3
    with_two = simulate(10, 5, 2, 3, biased=1.0, seed=0).confusion
    assert sorted(with_two[0].ravel().round(2).tolist()) == [0.02, 0.3, 0.7, 0.98]


def test_everybody_judges_everything() -> None:
    drawn = simulate(5, confusion=[[[1, 0], [0, 1]]] * 3, per_item=3)
    assert drawn.judgments.n_judgments == 15
    assert (drawn.judgments.label == np.repeat(drawn.truth, 3)).all()


def test_seed() -> None:
    same, again, other = (simulate(50, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(same.judgments.label, again.judgments.label)
    assert not np.array_equal(same.confusion, other.confusion)


def test_tables() -> None:
    drawn = simulate(12, 4, 2, 3, seed=0)
    judgments = drawn.judgments_table()
    assert list(judgments.columns) == ["item", "worker", "label"]
    assert len(judgments) == 36
    truth = drawn.truth_table()
    assert truth["item"].tolist() == drawn.judgments.item_ids.to_pylist()
    gold = drawn.truth_table(5, seed=1)
    assert len(gold.merge(truth)) == 5
    planted = drawn.confusions_table()
    assert len(planted) == 4 * 4
    assert planted["probability"].sum() == pytest.approx(8)


def test_one_label() -> None:
    assert simulate(5, 3, 1, 2).judgments.labels == ("label_0",)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_items": 0}, "setting n_items = 0: input should be greater than or equal to 1"),
        ({"n_workers": 0}, "setting n_workers = 0: "),
        ({"n_labels": 0}, "setting n_labels = 0: "),
        ({"per_item": 21}, "judgments an item .per_item.: 21 is out of range; give 1 to 20"),
        ({"accuracy": 1.5}, "setting accuracy = 1.5: input should be less than or equal to 1"),
        ({"spammers": -0.1}, "setting spammers = -0.1: input should be greater than or equal to 0"),
        ({"spammers": 0.6, "adversaries": 0.5}, "spammers 0.6, adversaries 0.5 and biased 0 are shares of one crowd"),
        ({"spammers": 0.3, "adversaries": 0.2, "biased": 0.51}, "lower them to 1 together"),
        ({"seed": -1}, "setting seed = -1: input should be greater than or equal to 0"),
        ({"shared": 0.5}, 'unknown setting "shared"; the settings are: n_items, n_workers'),
        ({"prior": [1.0]}, "prior must hold 3 shares that sum to 1"),
        ({"prior": [0.5, 0.4, 0.4]}, "prior must hold 3 shares"),
        ({"confusion": [[0.5, 0.5]]}, "confusion must be .W, K, K. with rows that sum to 1"),
        ({"confusion": [[[0.5, 0.6], [0, 1]]]}, "confusion must be"),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        simulate(**settings)


DRAWN = simulate(20_000, 3, 5, 1, seed=0)


def given(votes: ModelVotes) -> Any:
    """(I, M) labels, where all models vote on all items."""
    return votes.label.reshape(-1, votes.n_models)


@pytest.mark.parametrize("soft", [False, True])
def test_models_share_mistakes_within_a_family(soft: bool) -> None:
    votes = simulate_votes(DRAWN, 4, accuracy=0.8, shared=0.6, soft=soft, families=2, seed=1)
    assert votes.models == ("model_0", "model_1", "model_2", "model_3")
    assert votes.families == ("family_0", "family_1") * 2
    wrong = given(votes) != DRAWN.truth[:, None]
    assert wrong.mean(axis=0) == pytest.approx(0.2, abs=0.01)
    alone = (0.2 - 0.12) / (1 - 0.12)
    same = given(votes)[:, 0] == given(votes)[:, 2]
    assert (wrong[:, 0] & wrong[:, 2]).mean() == pytest.approx(0.12 + 0.88 * alone**2, abs=0.01)
    assert (wrong[:, 0] & same).mean() == pytest.approx(0.12 + 0.88 * alone**2 / 4, abs=0.01)
    assert (wrong[:, 0] & wrong[:, 1]).mean() == pytest.approx(0.04, abs=0.01)  # families are independent
    off = (given(votes) - DRAWN.truth[:, None])[wrong] % 5
    assert np.bincount(off, minlength=5)[1:] / len(off) == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize(("accuracy", "shared"), [(0.0, 1.0), (1.0, 0.5), (0.7, 0.0), (0.7, 1.0)])
def test_extremes_of_accuracy_and_sharing(accuracy: float, shared: float) -> None:
    votes = simulate_votes(DRAWN, 2, accuracy=accuracy, shared=shared)
    wrong = given(votes) != DRAWN.truth[:, None]
    assert wrong.mean() == pytest.approx(1 - accuracy, abs=0.01)
    if shared == 1:
        assert (given(votes)[:, 0] == given(votes)[:, 1]).all()


@pytest.mark.parametrize("accuracy", [0.3, 0.8])
def test_soft_votes_are_right_as_often_as_they_say(accuracy: float) -> None:
    votes = simulate_votes(DRAWN, 5, accuracy=accuracy, soft=True, seed=2)
    q = votes.probability
    assert q.dtype == np.float32
    np.testing.assert_allclose(q.sum(axis=1), 1, atol=1e-5)
    assert (q.argmax(axis=1) == votes.label).all()
    assert votes.row.tolist() == list(range(votes.n_votes))
    top, right = q.max(axis=1), votes.label == DRAWN.truth[votes.item]
    assert right.mean() == pytest.approx(accuracy, abs=0.01)
    bins = np.minimum((top * 10).astype(int), 9)
    for b in np.unique(bins):
        on = bins == b
        assert right[on].mean() == pytest.approx(top[on].mean(), abs=4 * 0.5 / on.sum() ** 0.5)


def test_temperature() -> None:
    calm, sure, unsure = (simulate_votes(DRAWN, 2, soft=True, temperature=t) for t in (1.0, 0.5, 2.0))
    assert (calm.label == sure.label).all()
    assert (sure.probability.argmax(axis=1) == unsure.probability.argmax(axis=1)).all()
    tops = [votes.probability.max(axis=1).mean() for votes in (sure, calm, unsure)]
    assert tops[0] > 0.85 > tops[1] > 0.75 > tops[2]
    squared = calm.probability**2.0
    np.testing.assert_allclose(sure.probability, squared / squared.sum(axis=1, keepdims=True), atol=1e-5)


def test_right_soft_votes() -> None:
    votes = simulate_votes(DRAWN, 2, accuracy=1.0, soft=True)
    assert (given(votes) == DRAWN.truth[:, None]).all()
    assert votes.probability.max(axis=1).min() > 0.99


def test_votes_on_some_items_and_their_tables() -> None:
    drawn = simulate(50, 4, 3, 2)
    hard, soft = (simulate_votes(drawn, 2, soft=soft, share_of_items=0.3, seed=1) for soft in (False, True))
    assert len(hard.item_ids) == 15
    assert hard.n_votes == hard.tally.read == 30
    assert hard.item_ids.equals(soft.item_ids)
    truth = drawn.truth_table().set_index("item")["label"]
    right = simulate_votes(drawn, 1, accuracy=1.0, share_of_items=0.3)
    table = votes_table(right)
    assert list(table.columns) == ["item", "model", "label"]
    assert (truth[table["item"]].to_numpy() == table["label"].to_numpy()).all()
    table = votes_table(soft)
    assert list(table.columns) == ["item", "model", "p_label_0", "p_label_1", "p_label_2"]
    assert table["item"].tolist() == np.repeat(soft.item_ids.to_pylist(), 2).tolist()
    assert table["model"].tolist() == ["model_0", "model_1"] * 15
    assert (table.iloc[:, 2:].to_numpy() == soft.probability).all()


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("families", [1, 2])
def test_tables_of_votes_are_read(soft: bool, families: int) -> None:
    drawn = simulate(50, 4, 3, 2)
    votes = simulate_votes(drawn, 3, soft=soft, families=families, share_of_items=0.5)
    table = votes_table(votes)
    assert ("family" in table.columns) == (families == 2)
    again = read_model_votes(table)
    assert again.models == votes.models
    assert again.labels == votes.labels
    assert again.item_ids.equals(votes.item_ids)
    assert again.declared == votes.declared
    for name in ("item", "model", "label", "row"):
        assert np.array_equal(getattr(again, name), getattr(votes, name))
    np.testing.assert_allclose(again.probability, votes.probability, atol=1e-6)
    if families == 2:
        assert again.families == votes.families


def test_seed_of_votes() -> None:
    same, again, other = (simulate_votes(DRAWN, 2, soft=True, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(same.probability, again.probability)
    assert not np.array_equal(same.label, other.label)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_models": 0}, "models: 0 is out of range; give 1 to"),
        ({"families": 6}, "families: 6 is out of range; give 1 to 5"),
        ({"accuracy": 1.1}, "setting accuracy = 1.1: input should be less than or equal to 1; 1.1 % is 0.011"),
        ({"accuracy": 0.1, "soft": True}, "accuracy of the models: 0.1 is out of range; give 0.2 to 1"),
        ({"shared": -1}, "setting shared = -1: input should be greater"),
        ({"temperature": 0}, "setting temperature = 0: input should be greater than or equal to 0.01"),
        ({"share_of_items": 1e-5}, "share of items: 1e-05 is out of range; give 5e-05 to 1"),
        ({"spammers": 0.5}, 'unknown setting "spammers"; the settings are: accuracy, shared'),
        ({"share_of_items": 0}, "setting share_of_items = 0: input should be greater than 0"),
    ],
)
def test_bad_settings_of_votes(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        simulate_votes(DRAWN, **settings)


def test_votes_want_two_labels() -> None:
    with pytest.raises(ConfigError, match="labels: 1 is out of range; give 2 to"):
        simulate_votes(simulate(5, 3, 1, 2))
