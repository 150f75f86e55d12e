"""Workers who give one label only and are silent elsewhere are told from those who give it whatever the item."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from consensus import fit, read, read_gold, simulate
from consensus.backends import Threads
from consensus.inputs.gold import AlignedGold
from consensus.inputs.judgments import Judgments
from consensus.models import layout, one_label
from consensus.models.dense_layout import Rows
from consensus.models.one_label import OneLabel, set_apart
from tests.one_label_crowds import Recipe, draw
from tests.strategies import crowds, encoded, examples

pytestmark = pytest.mark.compiled  # whole fits; no loop of their own

ONE = Threads(1)


def found(judgments: Judgments, gold: AlignedGold | None = None) -> OneLabel | None:
    return set_apart(judgments, gold, Rows.of(judgments, ONE), ONE)[1]


def names(judgments: Judgments, workers: np.ndarray) -> list[str]:
    return [judgments.worker_ids[int(w)].as_py() for w in workers]


@pytest.mark.parametrize("recipe", [Recipe(spammers=2), Recipe(n_labels=3, spammers=2, spam=0.3, per_item=2)])
def test_rules_are_told_from_spammers_and_people(recipe: Recipe) -> None:
    judgments = read(draw(recipe, 1).table)
    rows, one = set_apart(judgments, None, Rows.of(judgments, ONE), ONE)
    assert one is not None
    labels = [judgments.labels[k] for k in one.label]
    assert names(judgments, one.worker) == [f"rule{k}_{n}" for k in range(recipe.n_labels) for n in range(4)]
    assert labels == [f"l{name[4]}" for name in names(judgments, one.worker)]
    assert names(judgments, one.mute) == ["spammer0", "spammer1"]
    assert one.n.tolist() == judgments.per_worker[one.worker].tolist()
    for f, k in np.ndindex(one.row.shape):  # every label has its row, all judgments keep theirs
        assert (rows.worker[one.row[f, k]], rows.label[one.row[f, k]]) == (one.worker[f], k)
    assert np.array_equal(rows.worker[rows.row], judgments.worker)
    assert np.array_equal(rows.label[rows.row], judgments.label)
    heard = one.heard(judgments)
    assert set(judgments.worker_ids.to_pylist()) - set(names(heard, np.unique(heard.worker))) == {
        "spammer0",
        "spammer1",
    }


@pytest.mark.parametrize("largest", [None, 0.95, 0.99])
def test_ordinary_crowds_are_left_as_they_are(largest: float | None) -> None:
    prior = None if largest is None else [largest, 1.0 - largest]
    judgments = simulate(n_items=600, n_workers=40, n_labels=2, per_item=5, prior=prior, seed=3).judgments
    before = Rows.of(judgments, ONE)
    rows, one = set_apart(judgments, None, before, ONE)
    assert one is None
    assert rows is before


def test_spammers_alone_are_none_of_them() -> None:
    judgments = read(draw(Recipe(n_rules=0, per_item=3, spammers=6, spam=0.3), 0).table)
    assert found(judgments) is None


def test_one_label_may_be_an_accident() -> None:
    rows = [(f"i{i:03}", f"w{w}", "ab"[i % 50 == 0]) for i in range(200) for w in range(3)]
    rare = encoded([*rows, *[(f"i{i:03}", "rule", "a") for i in range(1, 49)]])
    assert found(rare) is None  # of 48 items one is "b", in the mean
    assert found(encoded([("i1", "w1", "a"), ("i1", "w2", "a")])) is None


def test_gold_tells_where_people_do_not() -> None:
    crowd = draw(Recipe(n_rules=1, accuracy=(0.5, 0.5), coverage=0.3), 0)
    judgments = read(crowd.table)
    assert found(judgments) is None
    with_gold = found(judgments, read_gold(crowd.truth).align(judgments))
    assert with_gold is not None
    assert names(judgments, with_gold.worker) == ["rule0_0", "rule1_0"]


def test_rules_alone_tell_by_each_other() -> None:
    table = draw(Recipe(n_rules=4), 2).table
    judgments = read(table[table["worker"].str.startswith("rule")])
    one = found(judgments)
    assert one is not None
    assert len(one.worker) == 8


def test_beside_very_many_labels_nobody_is_set_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "FEW_LABELS", 1)
    monkeypatch.setattr(layout, "MOST_CELLS", 1)
    result = fit(read(draw(Recipe(), 1).table))
    assert result.confusions.silences is None
    assert "one_label_workers" not in {one.code for one in result.warnings}


@examples(30)
@given(st.integers(1, 200), st.floats(0, 1), st.floats(0.01, 0.99))
def test_evidence_of_a_share_above(n: int, share: float, q: float) -> None:
    x = n * share
    peak = max(q, min(share, 1.0 - 1e-9))

    def log_density(t: float) -> float:
        return float(x * np.log(t) + (n - x) * np.log1p(-t))

    top = log_density(peak)
    area, _ = quad(lambda t: np.exp(log_density(t) - top), q, 1.0, points=[peak], limit=200)
    expected = np.log(area) + top - np.log1p(-q) - log_density(q)
    got = one_label.above(np.array([n]), np.array([x]), np.array([q]))[0]
    assert got == pytest.approx(expected, abs=1e-3 * max(abs(expected), 1.0))


def test_evidence_of_a_mean_below() -> None:
    n, x, usual, variance = (np.array(values, np.float64) for values in ([9, 9, 9], [9, 27, 9], [2, 2, 2], [1, 1, 0]))
    fewer, more, same = one_label.below(n, x, usual, variance).tolist()
    assert fewer == pytest.approx(9 * 0.9 / 2 - np.log(10) / 2)
    assert more == pytest.approx(-np.log(10) / 2)
    assert same == 0.0


@examples(30)
@given(st.data(), crowds())
def test_what_others_say(data: st.DataObject, judgments: Judgments) -> None:
    worker = np.array(sorted(data.draw(st.sets(st.integers(0, judgments.n_workers - 1), min_size=1))))
    label = np.array(
        data.draw(st.lists(st.integers(0, judgments.n_labels - 1), min_size=len(worker), max_size=len(worker)))
    )
    only = dict(zip(worker.tolist(), label.tolist(), strict=True))
    got = one_label._others(judgments, None, worker, label)
    votes = list(zip(judgments.item.tolist(), judgments.worker.tolist(), judgments.label.tolist(), strict=True))

    def opposed(item: int, k: int) -> int:
        return sum(i == item and only.get(w, k) != k for i, w, _ in votes)

    n = 0
    for item, w, _ in votes:
        if w not in only:
            continue
        k = only[w]
        said = [l for i, v, l in votes if i == item and v not in only]  # noqa: E741
        others = [v for i, v, _ in votes if i == item and v not in only]
        usual = np.zeros(3)
        for v in others:
            of_v = [(i, l) for i, x, l in votes if x == v]  # noqa: E741
            usual += np.mean([[l == k, opposed(i, k), opposed(i, k) ** 2] for i, l in of_v], axis=0) / len(others)  # noqa: E741
        assert worker[got.of[n]] == w
        assert got.known[n] == bool(said)
        assert got.agreed[n] == pytest.approx(np.mean([l == k for l in said]) if said else 0.0)  # noqa: E741
        assert got.opposed[n] == opposed(item, k)
        assert got.usual[n].tolist() == pytest.approx(usual.tolist())
        n += 1
    assert n == len(got.of)
    items = sorted({i for i, _, _ in votes})
    for f, k in enumerate(label.tolist()):
        beside = [opposed(i, k) for i in items]
        expected = [np.mean([l == k for _, _, l in votes]), np.mean(beside), np.mean(np.square(beside))]  # noqa: E741
        assert got.everyone[f].tolist() == pytest.approx(expected)


def test_the_message() -> None:
    result = fit(read(draw(Recipe(spammers=1), 1).table))
    (told,) = [one for one in result.warnings if one.code == "one_label_workers"]
    assert told.values == {"n_workers": 8, "n_unheard": 1}
    assert told.message.startswith("8 of the workers (such as rule0_0, rule0_1, rule0_2) give one label only and are")
    assert " (1 more gives one label on any item and counts for nothing)" in told.message
    result = fit(read(draw(Recipe(n_rules=1, n_items=600), 1).table))
    (told,) = [one for one in result.warnings if one.code == "one_label_workers"]
    assert told.message.startswith("2 of the workers (rule0_0, rule1_0) give")
    assert "on any item" not in told.message


def test_the_average_is_left_for_one_reading() -> None:
    judgments = read(draw(Recipe(), 1).table)
    result = fit(judgments, model="average")
    assert result.model == "dawid_skene"
    (told,) = [one for one in result.warnings if one.code == "one_reading"]
    assert "some workers give one label only" in told.message
    assert np.array_equal(result.posterior, fit(judgments, model="dawid_skene").posterior)
    assert replace(result, warnings=()).confusions.silences is not None
    usual = fit(judgments)  # nobody asked for the average: a line, and no warning
    assert usual.chosen_because == told.message.partition("but ")[2].partition(": ")[0]
    assert np.array_equal(usual.posterior, result.posterior)
