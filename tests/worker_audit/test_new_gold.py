"""Items that could become gold, and items to test workers with."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus import fit, read, simulate, worker_audit
from consensus.errors import ConfigError
from consensus.found.result import Consensus
from consensus.found.tempering import Tempering
from consensus.inputs.gold import Gold
from consensus.inputs.judgments import Judgments
from consensus.intervals import Z
from consensus.kernels import support
from consensus.simulation import Simulation
from consensus.worker_audit.accuracy import against_others, skills
from consensus.worker_audit.on_gold import new_gold, retest_items
from tests import naive
from tests.conftest import Run, csv
from tests.strategies import crowds, encoded

pytestmark = pytest.mark.usefixtures("by_dawid_skene")


@given(crowds(), st.integers(0, 99))
def test_support_kernel(judgments: Judgments, seed: int) -> None:
    rng = np.random.default_rng(seed)
    best = rng.integers(0, judgments.n_labels, judgments.n_items).astype(np.int32)
    strong = rng.random(judgments.n_workers) < 0.6
    right = rng.random(judgments.n_judgments)
    counts, least = np.empty((judgments.n_items, 2), np.int64), np.empty(judgments.n_items)
    support.by_strong(judgments.item_start, judgments.worker, judgments.label, best, strong, right, counts, least)
    expected = naive.support(judgments, best, strong, right)
    assert [(*row, p) for row, p in zip(counts.tolist(), least.tolist(), strict=True)] == expected


def test_a_worker_counts_once() -> None:
    rows = {"item": ["a"] * 4, "worker": ["v", "v", "w", "x"], "label": ["k", "l", "k", "k"]}
    judgments = read(rows, repeats="keep")
    counts, least = np.empty((1, 2), np.int64), np.empty(1)
    strong, right = np.array([True, True, False]), np.array([0.5, 0.9, 0.7, 0.8])
    best = np.zeros(1, np.int32)
    support.by_strong(judgments.item_start, judgments.worker, judgments.label, best, strong, right, counts, least)
    assert (counts.tolist(), least.tolist()) == ([[2, 1]], [0.5])
    assert naive.support(judgments, best, strong, right) == [(2, 1, 0.5)]


@pytest.fixture(scope="module")
def fitted() -> tuple[Consensus, Simulation]:
    drawn = simulate(600, 20, 3, 5, accuracy=0.85, prior=[0.7, 0.2, 0.1], seed=1)
    return fit(drawn.judgments, gold=drawn.truth_table(50), rho=0.2), drawn


@pytest.mark.compiled
def test_proposals(fitted: tuple[Consensus, Simulation]) -> None:
    result, drawn = fitted
    assert result.gold is not None
    table = worker_audit.proposals(result, 100)
    assert list(table.columns) == ["item", "label", "confidence", "n_judgments", "n_strong", "reason"]
    assert len(table) == table["item"].nunique() == 100
    ids = result.judgments.item_ids.to_pylist()
    codes = np.array([ids.index(item) for item in table["item"]])
    assert not np.isin(codes, result.gold.items).any()
    labels = result.labels.set_index("item")
    assert table["label"].tolist() == labels.loc[table["item"], "label"].tolist()
    assert table["confidence"].tolist() == labels.loc[table["item"], "confidence"].tolist()
    assert (table["confidence"] >= 0.95).all()
    assert (table["n_judgments"] >= 3).all()
    assert (table["n_strong"] >= 2).all()
    true = np.array(drawn.judgments.labels)[drawn.truth[codes]]
    assert (table["label"] == true).mean() >= 0.99

    skill, right = skills.elsewhere(result), against_others.right(result)
    j, shares = result.judgments, result.rho
    for row, i in zip(table.itertuples(), codes.tolist(), strict=True):
        own = slice(j.item_start[i], j.item_start[i + 1])
        says = np.array(j.labels)[j.label[own]] == row.label
        strong = skill.strong[j.worker[own]]
        assert row.n_strong == strong.sum()
        assert (strong & ~says).sum() <= 0.1 * strong.sum()
        least = right[own][says].min()
        (without, *_), *_ = naive.tempered(
            np.array([[least, (1 - least) / 2, (1 - least) / 2]]), np.array([int(says.size) - 1]), shares
        )
        assert without >= 0.9
        told = np.floor(1000 * without) / 10
        assert row.reason == (
            f"{(strong & says).sum()} of {strong.sum()} strong workers say so; {told:.1f} % certain without any one "
            "judgment"
        )


def test_labels_take_turns(fitted: tuple[Consensus, Simulation]) -> None:
    result, _ = fitted
    everything = worker_audit.proposals(result, 10_000)
    number = everything["label"].value_counts()
    assert number.nunique() > 1
    few = worker_audit.proposals(result, 12)
    assert few["label"].tolist() == list(result.judgments.labels) * 4
    assert few.equals(everything.head(12))
    found = new_gold.Candidates.of(result, skills.elsewhere(result))
    best = found.chosen(found.dealt(10_000))
    for k in range(3):
        keys = [(-p, -n, i) for p, n, i in zip(best.least, best.n_strong, best.items, strict=True)]
        own = [key for key, label in zip(keys, best.label, strict=True) if label == k]
        assert own == sorted(own)


@pytest.mark.parametrize(
    "judged",
    [
        [("a", "v", "x"), ("b", "w", "y")],  # nothing is identified
        [(f"i{i}", f"w{w}", f"l{w % 2}") for i in range(20) for w in range(4)],  # all are tied
    ],
)
def test_nothing_to_propose(judged: Any) -> None:
    assert worker_audit.proposals(fit(encoded(judged))).empty
    assert worker_audit.proposals(fit(encoded(judged), model="majority_vote")).empty


def test_models_only() -> None:
    votes = {"item": ["a", "b"], "model": ["m", "m"], "label": ["x", "y"]}
    assert worker_audit.proposals(fit(None, model_votes=votes)).empty


def test_errors(fitted: tuple[Consensus, Simulation]) -> None:
    result, _ = fitted
    with pytest.raises(ConfigError, match="0 items of new gold are asked for; ask for 1 or more"):
        worker_audit.proposals(result, 0)
    assert len(worker_audit.proposals(result, 1)) <= 1


def retest(result: Consensus, workers: list[int], n_items: int) -> pd.DataFrame:
    """What is proposed for some workers, by name."""
    who, most = np.array(workers, np.int64), np.full(len(workers), n_items)
    own, item, label = retest_items.proposed(result, skills.elsewhere(result), who, most)
    j = result.judgments
    names, ids = np.array(j.worker_ids.to_pylist())[workers], np.array(j.item_ids.to_pylist())
    return pd.DataFrame({"worker": names[own], "item": ids[item], "label": np.array(j.labels)[label]})


class TestRetest:
    def test_items_are_new_to_the_worker_and_of_known_label(self, fitted: tuple[Consensus, Simulation]) -> None:
        result, drawn = fitted
        workers = [3, 0, 7]
        table = retest(result, workers, 12)
        ids, names = result.judgments.item_ids.to_pylist(), result.judgments.worker_ids.to_pylist()
        assert table["worker"].tolist() == [names[w] for w in workers for _ in range(12)]
        proposed = set(worker_audit.proposals(result, 10_000)["item"])
        gold = set(worker_audit.gold(result)["item"])
        assert set(table["item"]) <= proposed | gold
        for w in workers:
            own = table[table["worker"] == names[w]]
            codes = np.array([ids.index(item) for item in own["item"]])
            assert len(set(codes)) == 12
            assert not np.isin(codes, result.judgments.item[result.judgments.worker == w]).any()
            true = np.array(drawn.judgments.labels)[drawn.truth[codes]]
            assert (own["label"] == true).all()
        first = table.groupby("worker")["item"].first()
        assert first.nunique() == 3

    def test_each_item_narrows_the_accuracy_most(self, fitted: tuple[Consensus, Simulation]) -> None:
        result, _ = fitted
        labels = list(result.judgments.labels)
        given = (retest(result, [5], 15))["label"]
        n, right = result.confusions.totals()[5], skills.elsewhere(result).right[5]
        for label in given:
            variance = [
                result.prior_shares[k] ** 2 * right[k] * (1 - right[k]) * (1 / (n[k] + 1) - 1 / (n[k] + 2))
                for k in range(3)
            ]
            assert label == labels[int(np.argmax(variance))]
            n[labels.index(label)] += 1

    def test_as_many_as_there_are(self) -> None:
        judged = [(f"i{i}", f"w{w}", f"l{i % 2}") for i in range(6) for w in range(3)] + [("i0", "new", "l0")]
        several = Gold(("i0", "i3", "i4", "i4"), ("l0", "l1", "l0", "l1"), ("gold",) * 4)
        result = fit(encoded(judged), gold=several)
        new = result.judgments.worker_ids.index("new").as_py()
        table = retest(result, [new], 50)
        assert "i3" in set(table["item"])
        assert not {"i0", "i4"} & set(table["item"])
        assert (retest(result, [], 5)).empty
        without = retest(fit(encoded(judged), rho=0.2), [new], 50)
        assert not {"i0"} & set(without["item"])

    def test_how_many_are_needed(self) -> None:
        accuracy, n = np.array([0.9, 0.5, 0.7, 0.71, np.nan]), np.array([10, 40, 10, 10, 0])
        found = worker_audit.needed(accuracy, n, 0.7)
        cautious = (0.9 * 10 + 1) / 12
        assert found[0] == np.ceil(Z**2 * cautious * (1 - cautious) / 0.2**2 - 10)
        assert found.tolist()[1:] == [0, 200, 200, 200]


def test_command_line(run: Run, write: Any) -> None:
    rows = [(f"i{i}", f"w{w}", f"l{(i if w < 5 else i // 2) % 2}") for i in range(60) for w in range(6)]
    ran = run("audit", write("j.csv", csv(rows)), "--table", "new-gold", "--quiet")
    assert (ran.status, ran.out.splitlines()[0]) == (0, "item,label,confidence,n_judgments,n_strong,reason")
    assert [line.split(",")[1] for line in ran.out.splitlines()[1:]] == ["l0", "l1"] * 25


def test_power_of_what_is_left() -> None:
    p = np.array([0.2, 0.9, 1.0])
    power = Tempering(0.3).power(np.array([4, 4, 4]))
    expected = naive.tempered(np.column_stack([p, (1 - p) / 2, (1 - p) / 2]), np.array([4, 4, 4]), 0.3)[:, 0]
    np.testing.assert_allclose(new_gold._tempered(p, power, 3), expected)
