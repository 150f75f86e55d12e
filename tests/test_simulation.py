"""Planted truth is as stated."""

from typing import Any

import numpy as np
import pytest

from consensus import simulate
from consensus.errors import ConfigError


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
        ({"n_items": 0}, "items: 0 is out of range; give 1 to"),
        ({"n_workers": 0}, "workers: 0 is out of range"),
        ({"n_labels": 0}, "labels: 0 is out of range"),
        ({"per_item": 21}, "judgments an item .per_item.: 21 is out of range; give 1 to 20"),
        ({"accuracy": 1.5}, "accuracy: 1.5 is out of range"),
        ({"spammers": -0.1}, "spammers: -0.1 is out of range"),
        ({"spammers": 0.6, "adversaries": 0.5}, "adversaries: 0.5 is out of range; give 0 to 0.4"),
        ({"prior": [1.0]}, "prior must hold 3 shares that sum to 1"),
        ({"prior": [0.5, 0.4, 0.4]}, "prior must hold 3 shares"),
        ({"confusion": [[0.5, 0.5]]}, "confusion must be .W, K, K. with rows that sum to 1"),
        ({"confusion": [[[0.5, 0.6], [0, 1]]]}, "confusion must be"),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        simulate(**settings)
