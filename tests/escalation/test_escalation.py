"""Which items are escalated, why, and in which order."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from consensus import escalate, fit, simulate
from consensus.config import EscalateConfig
from consensus.errors import ConfigError
from consensus.escalation import look_ahead, outlook, planned, ranking, statuses
from consensus.escalation.look_ahead import LookAhead
from consensus.escalation.reasons import AUDIT, EXPERT
from consensus.found.result import Consensus
from tests.strategies import Row, Vote, encoded, voted

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

COLUMNS = (
    "item reason judgments priority judgments_needed needed_low needed_high p_settled label confidence runner_up "
    "n_judgments suggested_workers"
).split()


def crowd() -> list[Row]:
    """80 clear items by five workers, so that these are known to be good."""
    return [(f"clear{i:02}", f"w{w}", f"l{i % 2}") for i in range(80) for w in range(5)]


def test_reasons_and_statuses() -> None:
    judged = [
        *crowd(),
        ("alone", "w0", "l0"),
        ("silent", "w0", None),
        ("split", "w0", "l0"),
        ("split", "w1", "l1"),
        *((("contested", f"w{w}", f"l{w % 2}")) for w in range(4)),
        ("weak", "bad0", "l0"),
        ("weak", "bad1", "l0"),
        *((f"clear{i:02}", f"bad{w}", f"l{(i // (w + 2)) % 2}") for i in range(60) for w in range(2)),
    ]
    result = fit(encoded(judged), rho=0.3)
    table = escalate(result, max_judgments=4).set_index("item")
    assert list(table.reset_index().columns) == COLUMNS
    assert table["reason"].to_dict() == {
        "alone": "too_few",
        "silent": "too_few",
        "split": "disagreement",
        "contested": "needs_expert",
        "weak": "weak_workers",
    }
    status = statuses(result, max_judgments=4)
    assert len(status) == len(result.labels)
    by_item = dict(zip(result.labels["item"], status, strict=True))
    assert by_item["clear00"] == "accepted"
    assert (by_item["split"], by_item["contested"]) == ("escalate", "needs_expert")
    of_experts = table["reason"] == "needs_expert"
    for name in ("judgments_needed", "needed_low", "needed_high", "p_settled", "suggested_workers"):
        assert (table[name].isna() == of_experts).all()
    assert table["judgments"].to_dict() == {"alone": 1, "silent": 2, "split": 1, "contested": 0, "weak": 1}
    assert table.index[-1] == "contested"


def test_gold_is_never_escalated() -> None:
    judged = [*crowd(), ("split", "w0", "l0"), ("split", "w1", "l1")]
    result = fit(encoded(judged), gold={"item": ["split", "new"], "label": ["l1", "l0"]})
    assert "split" not in set(escalate(result)["item"])
    status = statuses(result).tolist()
    assert status.count("gold") == 2
    assert len(status) == len(result.labels)


@pytest.mark.compiled
def test_target_min_and_budget() -> None:
    result = fit(simulate(150, 9, 3, 2.5, accuracy=0.7, seed=3).judgments)
    counts = [len(escalate(result, target=target)) for target in (0.5, 0.9, 0.999)]
    assert counts == sorted(counts)
    assert len(escalate(result, min_judgments=4)) == 150
    few = escalate(result, budget=7)
    assert few["judgments"].sum() == 7
    assert set(few["item"]) <= set(escalate(result)["item"])
    confident = result.labels.set_index("item").loc[escalate(result, target=0.9)["item"], ["confidence", "n_judgments"]]
    assert ((confident["confidence"] < 0.9) | (confident["n_judgments"] < 2)).all()


def test_fewer_judgments_then_less_confidence_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = simulate(150, 9, 3, 2.5, accuracy=0.7, seed=3)
    real = look_ahead.look_ahead

    def without_priority(*given: Any, **named: Any) -> LookAhead:
        found = real(*given, **named)
        return replace(found, columns=found.columns * (np.arange(found.columns.shape[1]) != 0))

    monkeypatch.setattr(ranking, "look_ahead", without_priority)
    table = escalate(fit(drawn.judgments), target=0.99, expert_below=0, max_judgments=9)
    keys = list(zip(table["n_judgments"], table["confidence"], strict=True))
    assert keys == sorted(keys)
    assert len({n for n, _ in keys}) > 1


def test_an_item_left_open_is_not_accepted() -> None:
    judged = [*crowd(), *((f"tie{i:02}", f"w{w}", f"l{w}") for i in range(12) for w in range(2))]
    result = fit(encoded(judged), rho=0.3, ties="abstain")
    open_ended = result.labels["label"].isna()
    assert open_ended.any()
    assert (statuses(result, target=0.3)[open_ended] == "escalate").all()


def test_ties_do_not_follow_the_names() -> None:
    judged = [*crowd(), *((f"tie{i:02}", f"w{w}", f"l{w}") for i in range(12) for w in range(2))]
    order = escalate(fit(encoded(judged), rho=0.3))["item"].tolist()
    assert sorted(order) == [f"tie{i:02}" for i in range(12)] != order
    again = escalate(fit(encoded(judged[::-1]), rho=0.3))["item"].tolist()
    assert order == again


def test_one_judgment_an_item_settles_nothing() -> None:
    result = fit(encoded([(f"i{n}", f"w{n % 3}", f"l{n % 2}") for n in range(60)]))
    assert escalate(result)["priority"].isna().all()
    assert (statuses(result) == "escalate").all()
    assert (escalate(result)["reason"] == "too_few").all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target": -0.1}, "setting target = -0.1: input should be greater than 0"),
        ({"target": 1.0}, "setting target = 1.0: input should be less than 1$"),
        ({"target": "95"}, "setting target = '95': input should be less than 1; 95 % is 0.95$"),
        ({"target": 950}, "setting target = 950: input should be less than 1$"),
        ({"target": 95}, "setting target = 95: input should be less than 1; 95 % is 0.95$"),
        ({"budget": 0}, "setting budget = 0"),
        ({"quota": 3}, 'unknown setting "quota"'),
        (
            {"min_judgments": 9, "max_judgments": 3},
            r"settings: min_judgments 9 is above max_judgments 3; lower min_judgments \(min_judgments=\), too, or",
        ),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        escalate(fit(encoded(crowd())), **settings)


def with_models(n_unjudged: int = 200, n_judged: int = 80, by_one: bool = False) -> Consensus:
    """Two good people on ``n_judged`` items, and a model that is sure, on these and others (judged ``by_one``)."""
    judged = [(f"j{i:03}", f"w{w}", f"l{i % 2}") for i in range(n_judged) for w in range(2)]
    judged += [(f"u{i:03}", "w0", f"l{i % 2}") for i in range(n_unjudged) if by_one]
    items = [f"j{i:03}" for i in range(n_judged)] + [f"u{i:03}" for i in range(n_unjudged)]
    sure: list[Vote] = [(item, "m", [0.98, 0.02] if int(item[1:]) % 2 == 0 else [0.02, 0.98]) for item in items]
    return fit(encoded(judged), model_votes=voted(sure, ("l0", "l1")))


@pytest.mark.compiled
def test_a_known_model_settles_items_that_nobody_judged() -> None:
    result = with_models()
    status, labels = statuses(result, target=0.9), result.labels
    alone = labels["n_judgments"] == 0
    assert alone.sum() == 200
    assert (labels["source"][alone] == "model").all()
    assert (labels["source"][~alone] == "consensus").all()
    assert (labels["n_model_votes"] == 1).all()
    assert (status[alone] == "accepted").all()
    assert (labels["label"][alone] == labels["item"][alone].str[1:].map(lambda n: f"l{int(n) % 2}")).all()


@pytest.mark.compiled
def test_an_unknown_model_settles_nothing() -> None:
    result = with_models(n_judged=40)
    alone = result.labels["n_judgments"] == 0
    assert (statuses(result, target=0.6)[alone] == "escalate").all()
    table = escalate(result, target=0.6).set_index("item")
    assert (table.loc[result.labels["item"][alone], "reason"] == "too_few").all()


@pytest.mark.parametrize("given", [{"budget": 0.5}, {"budget": 2, "price_per_judgment": 3}])
def test_a_budget_that_pays_for_nothing(given: Any) -> None:
    with pytest.raises(ConfigError, match=rf"budget {given['budget']} does not pay for one judgment; raise budget=, "):
        escalate(fit(encoded(crowd())), target=0.99999, **given)


@pytest.mark.compiled
def test_audit_sample_comes_first_and_stays_the_same() -> None:
    result = with_models()
    table = escalate(result, target=0.9, audit_sample=0.2)
    assert set(table["reason"]) == {"audit"}
    assert 20 <= len(table) <= 60  # of 200
    assert table["item"].str.startswith("u").all()  # two people judged the others
    wider = escalate(result, target=0.9, audit_sample=0.4)
    assert set(table["item"]) < set(wider["item"])
    assert statuses(result, target=0.9, audit_sample=0.2).equals(
        statuses(result, target=0.9)
    )  # an audit undoes nothing
    paid = escalate(result, target=0.99999, audit_sample=0.2, budget=2 * len(table))
    assert set(paid["item"]) == set(table["item"])
    assert (paid["judgments"] == 2).all()
    message = f"pays for {len(table)} judgments, but not for the {2 * len(table)} judgments of the audit sample; raise"
    with pytest.raises(ConfigError, match=f"budget {len(table)} judgments {message} budget= or lower audit_sample="):
        escalate(result, target=0.99999, audit_sample=0.2, budget=len(table))
    assert set(escalate(result, target=0.9, audit_sample=1.0)["item"]) == {f"u{i:03}" for i in range(200)}
    no_models = fit(encoded(crowd()))
    assert escalate(no_models).empty
    reserve = escalate(no_models, audit_sample=0.3)
    assert set(reserve["reason"]) == {"audit"}
    assert (reserve["judgments"] == 1).all()
    assert 10 <= len(reserve) <= 40  # of 80
    assert escalate(no_models, audit_sample=0.3, max_judgments=5).empty  # all have five
    other = fit(encoded(crowd()), seed=12345)
    assert set(escalate(other, audit_sample=0.3)["item"]) != set(reserve["item"])
    drawn = escalate(fit(encoded([*crowd(), *((item, "late", "l0") for item in reserve["item"])])), audit_sample=0.3)
    assert len(set(drawn["item"]) & set(reserve["item"])) < 0.7 * len(reserve)  # who was audited is drawn anew


@pytest.mark.compiled
def test_an_audit_asks_for_no_more_than_the_cap() -> None:
    table = escalate(with_models(), audit_sample=1.0, min_judgments=1, max_judgments=1)
    assert (table["reason"] == "audit").sum() == 200
    assert (table["n_judgments"] + table["judgments"]).max() == 1


def test_only_what_is_accepted_is_audited_and_experts_do_not_wait() -> None:
    result = fit(simulate(300, 12, 2, 4, accuracy=0.8, seed=1).judgments, rho=0.1)
    rule = EscalateConfig(audit_sample=1.0, max_judgments=5)
    found = planned(result, rule)
    status = statuses(result, audit_sample=1.0, max_judgments=5)
    assert (found.reason == AUDIT).sum() == (status == "accepted").sum() > 20
    assert found.n_waiting == (status == "escalate").sum()
    capped = planned(result, EscalateConfig(max_judgments=4))
    assert (capped.reason == EXPERT).sum() > 20
    assert capped.n_waiting == 0


@pytest.mark.compiled
@pytest.mark.parametrize("n_people", [0, 1])
def test_what_a_known_model_voted_on_waits_for_no_second_judgment(n_people: int) -> None:
    result = with_models(by_one=n_people == 1)
    table = escalate(result, target=0.99997 if n_people else 0.9985)
    table = table[table["item"].str.startswith("u")]
    assert (table["n_judgments"] == n_people).all()
    assert (table["judgments"] == 1).all()
    assert set(table["reason"]) == {"weak_workers" if n_people else "too_few"}
    assert (table["needed_low"] == 1).all()


def test_what_audits_find_is_not_foretold() -> None:
    result = fit(encoded(crowd()))
    config = EscalateConfig(audit_sample=0.5)
    found = planned(result, config)
    assert len(found.items)
    assert found.n_waiting == 0
    assert np.isnan(found.columns(result, slice(None))["judgments_needed"]).all()
    assert outlook(result, found).items == 0
    with pytest.raises(ConfigError, match="setting audit_sample = 1.5"):
        escalate(result, audit_sample=1.5)


def test_models_alone_can_be_escalated() -> None:
    votes: list[Vote] = [(f"i{i}", model, "l0" if i % 3 else "l1") for i in range(30) for model in ("a", "b")]
    result = fit(None, model_votes=voted(votes, families={"a": "f", "b": "f"}))
    table = escalate(result, target=0.999)
    assert len(table) == 30
    assert (table["priority"] > 0).all()
