"""Why an item has its label: the parts add up to the posterior, and a judgment flips it exactly if it would."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given

from consensus import fit, read, read_gold, simulate, simulation, worker_audit
from consensus.explanation import Explanation, explain
from consensus.found.posterior import SparsePosterior
from consensus.found.result import Consensus
from consensus.inputs.judgments import Judgments
from consensus.models import layout
from tests.clustered_crowds import Clustered
from tests.conftest import DIGITS
from tests.models.test_votes_echo import echoing
from tests.strategies import crowds, encoded, examples

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

DRAWN = simulate(300, 12, 3, 3, seed=1)


def explained(result: Consensus) -> list[Explanation]:
    return explain(result, np.arange(result.judgments.n_items))


def adds_up(result: Consensus) -> int:
    """Assert that the parts add up to what the posterior says; return how many items that was asked of."""
    labels = result.judgments.labels
    gold = set() if result.gold is None else set(result.gold.items.tolist())
    n = 0
    for item, one in enumerate(explained(result)):
        parts = one.prior + sum(push.push for push in (*one.models, *one.readings, *one.calibration, *one.votes))
        if one.runner_up is None:
            assert np.isnan(one.log_odds)
            continue
        assert parts == pytest.approx(one.log_odds, abs=1e-9)
        posterior = result.beliefs.dense(np.array([item]))[0]
        best, second = posterior[labels.index(one.label)], posterior[labels.index(one.runner_up)]
        if item in gold:
            assert one.gold is not None
        elif second > 1e-250:
            assert parts == pytest.approx(np.log(best) - np.log(second), abs=1e-9)
            assert one.confidence == pytest.approx(best, abs=1e-12)
            assert one.top[0][1] == pytest.approx(best, abs=1e-12)
            n += 1
    return n


@pytest.mark.parametrize(
    "result",
    [
        pytest.param(lambda: fit(DRAWN.judgments, gold=DRAWN.truth_table(60)), id="gold"),
        pytest.param(
            lambda: fit(read(DIGITS / "judgments.csv"), gold=read_gold(DIGITS / "gold.csv")),
            id="digits",
            marks=pytest.mark.slow,
        ),
        pytest.param(lambda: fit(DRAWN.judgments), id="hierarchical"),
        pytest.param(lambda: fit(DRAWN.judgments, prior="none", rho=0.0), id="maximum likelihood"),
        pytest.param(lambda: fit(DRAWN.judgments, model_votes=simulation.simulate_votes(DRAWN, 4)), id="hard votes"),
        pytest.param(
            lambda: fit(DRAWN.judgments, model_votes=simulation.simulate_votes(DRAWN, 4, soft=True, families=2)),
            id="soft votes",
        ),
        pytest.param(
            lambda: fit(
                DRAWN.judgments, model_votes=simulation.simulate_votes(DRAWN, 2, share_of_items=0.4, families=2)
            ),
            id="votes on some items, one model a family",
        ),
        pytest.param(lambda: fit(None, model_votes=simulation.simulate_votes(DRAWN, 3)), id="models only"),
        pytest.param(lambda: fit(DRAWN.judgments, model_votes=echoing(DRAWN.judgments, 0.05)), id="an echo of people"),
        pytest.param(lambda: worker_audit.fit_without_copies(DRAWN.judgments, collusion="merge"), id="merged"),
        pytest.param(lambda: fit(DRAWN.judgments, model="average"), id="average"),
        pytest.param(lambda: fit(DRAWN.judgments, model="average", gold=DRAWN.truth_table(60)), id="average, gold"),
    ],
)
def test_parts_add_up(result: Any) -> None:
    assert adds_up(result()) > 100


def test_gold_beside_clusters_is_taken_apart_as_the_fit_counted() -> None:
    judgments, truth, _ = Clustered(n_clusters=20, per_cluster=15, n_workers=10, per_item=4, icc=0.3).drawn(0)
    items = np.arange(0, judgments.n_items, 7)
    gold = {judgments.item_ids[int(i)].as_py(): judgments.labels[int(truth[i])] for i in items}
    result = fit(judgments, gold=gold, calibration="none")
    assert adds_up(result) > 100
    assert result.gold_posterior is not None
    for one, p in zip(explain(result, items), result.gold_posterior, strict=True):
        assert one.confidence == pytest.approx(p.max(), abs=1e-9)


def test_several_readings_have_their_say() -> None:
    result = fit(DRAWN.judgments, model="average", gold=DRAWN.truth_table(60), calibration="none")
    found = result.readings
    assert found is not None
    assert result.gold is not None
    assert result.gold_posterior is not None
    golden = result.gold.items.tolist()
    for item, one in enumerate(explained(result)):
        (together,) = one.readings
        assert (together.who, together.said) == ("all readings", "beyond their judgments")
        if item in golden:
            assert one.says == ()
            assert one.confidence == pytest.approx(result.gold_posterior[golden.index(item)].max(), abs=1e-9)
        else:
            assert [say.reading for say in one.says] == list(found.names)
            assert [say.label for say in one.says] == [result.judgments.labels[k] for k in found.label[:, item]]
            sure = sum(say.weight * say.confidence for say in one.says)
            assert one.confidence <= sure + 1e-12
            if not found.disputed[item]:
                assert one.confidence == pytest.approx(sure, abs=1e-9)
    assert all(not one.says and not one.readings for one in explained(fit(DRAWN.judgments)))


@pytest.mark.parametrize("model", ["average", "dawid_skene"])
def test_what_calibration_added_is_a_row_of_its_own(model: Any) -> None:
    gold = DRAWN.truth_table(60)
    result, before = fit(DRAWN.judgments, model=model, gold=gold), fit(DRAWN.judgments, model=model)
    assert result.gold is not None
    assert result.gold_posterior is not None
    golden = result.gold.items.tolist()
    between = np.tile([0, 1], (300, 1))
    told = explain(result, np.arange(300), between)
    for item, (one, other) in enumerate(zip(told, explain(before, np.arange(300), between), strict=True)):
        (added,) = one.calibration
        assert (added.who, added.said) == ("gold", "calibrates (60 items)")
        assert added.push == pytest.approx(one.log_odds - other.log_odds, abs=1e-9)
        assert one.prior == other.prior
        assert [push.push for push in (*one.readings, *one.votes)] == pytest.approx(
            [push.push for push in (*other.readings, *other.votes)], abs=1e-9
        )
        after = result.gold_posterior[golden.index(item)] if item in golden else result.posterior[item]
        assert one.log_odds == pytest.approx(np.log(after[0] / after[1]), abs=1e-9)
    assert not any(one.calibration for one in explained(fit(DRAWN.judgments, gold=gold, calibration="none")))


def test_gold_that_is_clamped_changes_other_items_by_the_counts_alone() -> None:
    """Some items among which there is no gold: their parts add up to what is reported."""
    result = fit(DRAWN.judgments, gold=DRAWN.truth_table(60), calibration="none")
    assert result.gold is not None
    others = np.setdiff1d(np.arange(300), result.gold.items)[:20]
    for item, one in zip(others.tolist(), explain(result, others), strict=True):
        assert one.gold is None
        assert one.confidence == pytest.approx(result.confidence[item], abs=1e-9)


@pytest.mark.compiled
def test_with_very_many_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "MOST_CELLS", 1000)
    result = fit(simulate(400, 20, 40, 4, seed=1).judgments)
    assert isinstance(result.beliefs, SparsePosterior)
    assert adds_up(result) > 100
    one = next(one for one in explained(result) if one.runner_up is None)
    assert one.confidence > 0.0
    assert all(np.isnan(push.push) for push in one.votes)


@examples(40)
@given(crowds())
def test_any_small_crowd(judgments: Judgments) -> None:
    result = fit(judgments, rho=0.2)
    if result.terms is None:
        for one in explained(result):
            assert np.isnan(one.log_odds)
            assert one.models == ()
            assert all(np.isnan(push.push) and push.flips is None for push in one.votes)
    else:
        adds_up(result)


def test_flips_are_what_an_e_step_without_the_judgment_says() -> None:
    result = fit(DRAWN.judgments)
    assert result.terms is not None
    judgments, flipped = DRAWN.judgments, 0
    for item, one in enumerate(explained(result)):
        of = slice(judgments.item_start[item], judgments.item_start[item + 1])
        worker, label = judgments.worker[of], judgments.label[of]
        best = judgments.labels.index(one.label)
        for place, push in enumerate(one.votes):
            logs = np.log(result.terms.pi).copy()
            for other in range(len(worker)):
                if other != place:
                    w, k = int(worker[other]), int(label[other])
                    row = np.flatnonzero((result.confusions.row_worker == w) & (result.confusions.row_label == k))[0]
                    logs += np.log(result.terms.C[row, :3])
            winner = int(logs.argmax())
            assert push.flips == (None if logs[winner] <= logs[best] else judgments.labels[winner])
            flipped += push.flips is not None
            assert (push.who, push.said) == (
                judgments.worker_ids[int(worker[place])].as_py(),
                judgments.labels[label[place]],
            )
    assert flipped > 20


def test_gold_is_named_and_the_crowd_still_heard() -> None:
    rows = [(f"i{n}", f"w{w}", "a" if (n + w) % 5 else "b") for n in range(40) for w in range(4)]
    result = fit(encoded(rows), gold={"item": ["i0", "i0", "i1"], "label": ["a", "b", "b"]})
    zero, one, two = explain(result, np.arange(3))
    assert zero.gold == "a | b"
    assert one.gold == "b"
    assert one.confidence < 1.0
    assert two.gold is None


def test_gold_with_very_many_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "MOST_CELLS", 1000)
    drawn = simulate(200, 12, 40, 3, seed=1)
    result = fit(drawn.judgments, gold=drawn.truth_table(20))
    found = [one for one in explained(result) if one.gold is not None]
    assert len(found) >= 15
    assert sum(one.label == one.gold for one in found) > 10
    assert all(0.0 < one.confidence <= 1.0 for one in found)


def test_one_label_has_no_runner_up() -> None:
    result = fit(encoded([("a", "w", "x"), ("a", "v", "x"), ("b", "w", "x"), ("b", "v", "x")]))
    for one in explained(result):
        assert one.runner_up is None
        assert (one.label, one.confidence) == ("x", 1.0)
        assert [push.flips for push in one.votes] == [None, None]


@pytest.mark.parametrize("many_labels", [False, True])
def test_gold_does_not_speak_for_itself(monkeypatch: pytest.MonkeyPatch, many_labels: bool) -> None:
    """A gold item rated its workers: what it would be without its gold is told without that, as elsewhere."""
    if many_labels:
        monkeypatch.setattr("consensus.models.layout.MOST_CELLS", 0)
    drawn = simulate(160, 10, 40 if many_labels else 3, 4, seed=4)
    result = fit(drawn.judgments, gold=drawn.truth_table(30))
    assert result.gold is not None
    assert result.gold_posterior is not None
    judged = np.flatnonzero(result.judgments.per_item[result.gold.items] > 0)
    told = explain(result, result.gold.items[judged].astype(np.int64))
    for one, p in zip(told, result.gold_posterior[judged], strict=True):
        assert one.label == result.judgments.labels[int(p.argmax())]
        assert one.confidence == pytest.approx(p.max(), abs=1e-9)
        assert one.log_odds == pytest.approx(np.log(p.max() / np.sort(p)[-2]), abs=1e-9)
    assert explain(result, np.array([159])) == explain(result, np.array([0, 159]))[1:]
