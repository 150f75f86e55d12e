"""What needs a decision: who and what is named, and that nothing is where there is nothing."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from consensus import fit, read, read_gold, simulate, worker_audit
from consensus.config import EscalateConfig
from consensus.report import page, rendering
from consensus.report.page_data import about_workers, decisions
from consensus.runs import Run
from consensus.worker_audit import WorkerAudit
from consensus.worker_audit.on_gold import retest_items
from tests.conftest import DIGITS


@pytest.fixture(scope="module")
def digits() -> Run:
    return Run.of(fit(read(DIGITS / "judgments.csv"), gold=read_gold(DIGITS / "gold.csv")))


@pytest.fixture(scope="module")
def shown(digits: Run) -> dict[str, Any]:
    return page.collected(digits)


class TestDigits:
    @pytest.mark.slow
    def test_everybody_who_needs_one_is_named(self, shown: dict[str, Any]) -> None:
        named = {one["title"]: [row["id"] for row in one["rows"]] for one in shown["decisions"]}
        assert sorted(named["Stop 4 workers?"]) == ["w15", "w20", "w21", "w34"]
        assert sorted(named["Talk to 4 careless workers, or train them"]) == ["w02", "w14", "w19", "w32"]
        assert named["Ask 2 workers what changed"] == ["w14", "w32"]
        assert named["Test 1 worker again"] == ["w06"]
        assert named["Make 5 pairs of labels clearer"][0] == "9"

    @pytest.mark.slow
    def test_with_what_is_known(self, shown: dict[str, Any], digits: Run) -> None:
        workers = digits.workers.set_index("worker")
        for one in shown["decisions"][0]["rows"]:
            assert one["note"] == workers.at[one["id"], "reason"]
        (changed,) = [one for one in shown["decisions"] if one["title"].startswith("Ask")]
        assert changed["rows"][0]["note"] == "right on 84% before 2025-03-13, on 40% since"

    @pytest.mark.slow
    def test_pairs_of_labels_are_those_of_the_confusions(self, digits: Run) -> None:
        bad = set(digits.workers.query("verdict in ['spammer', 'adversarial', 'careless']")["worker"])
        cells = digits.table("confusions")
        kept = cells[~cells["worker"].isin(bad)]
        total = kept.groupby("true_label")["count"].sum()
        pairs = kept.groupby(["true_label", "label"])["count"].sum()
        (first, *_) = decisions.confused_pairs(digits)
        assert first["share"] == pytest.approx(pairs[first["label"], first["called"]] / total[first["label"]], abs=1e-6)
        share = (pairs / total.reindex(pairs.index.get_level_values(0)).to_numpy()).reset_index()
        wrong = share[share["true_label"] != share["label"]]
        most = wrong.loc[wrong["count"].idxmax()]
        assert (most["true_label"], most["label"]) == (first["label"], first["called"])


def test_of_a_clean_crowd_nothing() -> None:
    found = Run.of(fit(simulate(300, 8, 3, 5, accuracy=0.97, seed=5).judgments))
    facts = page.collected(found)
    assert facts["decisions"] == []
    html = rendering.rendered(facts | {"warnings": []}, found.summary)
    assert "Nothing: no worker, gold item, model or label asks for one" in html


def test_who_changed_is_counted_though_some_are_shown() -> None:
    rng = np.random.default_rng(4)
    workers, items, n_worse = 40, 300, 15
    truth = rng.integers(0, 3, items)
    wrong = (truth[:, None] + rng.integers(1, 3, (items, workers))) % 3
    worse = (np.arange(items)[:, None] >= rng.integers(100, 200, workers)) & (np.arange(workers) < n_worse)
    right = rng.random((items, workers)) < np.where(worse, 0.35, 0.95)
    at = np.datetime64("2025-03-01", "us") + np.arange(items).repeat(workers) * np.timedelta64(1, "h")
    table = pd.DataFrame(
        {
            "item": np.char.add("i", np.arange(items).astype(str)).repeat(workers),
            "worker": np.tile(np.char.add("w", np.arange(workers).astype(str)), items),
            "label": np.where(right, truth[:, None], wrong).ravel().astype(str),
            "timestamp": at,
        }
    )
    gold = pd.DataFrame({"item": [f"i{i}" for i in range(items)], "label": truth.astype(str)})
    found = Run.of(fit(table, gold=gold))
    facts = page.collected(found)
    n = int(found.table("drift")["drifts"].sum())
    assert n > len(facts["drift"]) == 12
    (ask,) = [one for one in facts["decisions"] if one["title"].startswith("Ask")]
    assert ask["title"] == f"Ask {n} workers what changed"
    assert ask["n"] == n > len(ask["rows"])
    html = rendering.rendered(facts, found.summary)
    assert f"{n} workers changed" in html
    assert "The 12 plainest; all stand in drift.csv." in html


def test_biased_and_doubtful_workers_are_counted_over_all_and_not_over_those_shown() -> None:
    found = Run.of(fit(simulate(400, 60, 4, 6, biased=0.5, seed=8).judgments))
    n = found.summary["verdicts"]["biased"]
    people = [one for one in page.collected(found)["workers"] if one["verdict"] == "biased"][:2]
    (show,) = decisions._workers(people, found.summary, found.audit)
    assert n > 2
    assert show["title"] == f"Show {n} biased workers which labels they mix up"


def test_enough_for_a_verdict_is_told_by_judgments_as_they_count() -> None:
    """All gave 20 judgments and more; by weights of .06 nobody did, and by units of one worker this one did not."""
    judged = simulate(400, 10, 3, 5, accuracy=0.7, seed=3).judgments
    light = WorkerAudit(fit(replace(judged, weight=np.full(400, 0.06))))
    assert judged.per_worker.min() > 90
    assert decisions._counted(light, 20)[1] == set()
    assert len(decisions._counted(light, 5)[1]) == 10
    assert decisions._so_few(WorkerAudit(fit(judged)), 20) == "fewer than 20 judgments"
    assert decisions._so_few(light, 20) == "fewer than 20 judgments, as they count,"
    units = light.result.units
    assert units is not None
    one = int(light.accuracy.mean.argmin())
    of_one = replace(units, judgment=np.where(judged.worker == one, 0.01, 1.0))
    told = WorkerAudit(replace(light.result, units=of_one))
    accuracy = told.accuracy.mean
    assert about_workers.accuracies(told) == (np.median(np.delete(accuracy, one)), np.delete(accuracy, one).min())
    clustered = replace(of_one, judgment=np.ones(judged.n_judgments), n_clusters=np.where(np.arange(10) < 3, 4, 50))
    told = WorkerAudit(replace(light.result, units=clustered))
    assert set(told.verdicts.verdict[:3]) == {worker_audit.VERDICTS.index("too_few")}
    assert not decisions._counted(told, 20)[1] & set(judged.worker_ids.to_pylist()[:3])
    assert decisions._so_few(told, 20).endswith(" or items of fewer than 5 clusters")


def test_many_are_counted() -> None:
    drawn = simulate(600, 60, 3, 6, spammers=0.4, seed=6)
    (stop, *_) = page.collected(Run.of(fit(drawn.judgments)))["decisions"]
    assert len(stop["rows"]) == decisions.MOST_NAMED < stop["n"]
    assert stop["title"] == f"Stop {stop['n']} workers?"


def test_the_busiest_comes_first() -> None:
    drawn = simulate(300, 20, 3, 6, spammers=0.4, seed=6)
    table = drawn.judgments_table()
    rare = table["worker"].isin(sorted(table["worker"].unique())[::2]) & (table.index % 3 > 0)
    (stop, *_) = page.collected(Run.of(fit(table[~rare])))["decisions"]
    n = table[~rare]["worker"].value_counts()
    order = [n[row["id"]] for row in stop["rows"]]
    assert len(set(order)) > 2
    assert order == sorted(order, reverse=True)


class TestRetests:
    def test_those_in_doubt_with_what_it_takes(self, digits: Run, shown: dict[str, Any]) -> None:
        (test,) = [one for one in shown["decisions"] if one["title"] == "Test 1 worker again"]
        needed = digits.table("retest").drop_duplicates("worker").set_index("worker")["n_needed"]
        (row,) = test["rows"]
        assert row["note"].startswith(digits.workers.set_index("worker").at["w06", "reason"])
        assert row["note"].endswith(f"; about {needed['w06']} judgments on such items would settle it")
        assert "consensus run --retest 20 puts up to 20 for each of them on the list" in test["about"]
        assert test["about"].endswith("3 other workers have fewer than 20 judgments so far.")

    def test_more_than_can_be_asked(self, digits: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        needed = np.full(digits.result.judgments.n_workers, retest_items.MOST_NEEDED)
        monkeypatch.setattr(worker_audit, "missing_judgments", lambda _: needed)
        (one,) = decisions._with_missing([{"worker": "w06", "reason": "unclear"}], digits.audit)
        assert one["reason"] == "unclear; at least 200 judgments on such items would settle it"


@pytest.mark.parametrize(("p", "said"), [(0.934, "93%"), (0.99, "more than 99%"), (1.0, "more than 99%")])
def test_nothing_is_wrong_for_sure(p: float, said: str) -> None:
    assert decisions._sure(p) == said


def test_gold_that_is_probably_wrong() -> None:
    drawn = simulate(400, 15, 3, 6, accuracy=0.9, seed=7)
    gold = drawn.truth_table(60, 1)
    wrong = gold["item"].iloc[:3].tolist()
    labels = list(drawn.judgments.labels)
    gold.loc[gold.index[:3], "label"] = [labels[(labels.index(one) + 1) % 3] for one in gold["label"].iloc[:3]]
    found = Run.of(fit(drawn.judgments, gold=gold))
    (check,) = [one for one in page.collected(found)["decisions"] if one["title"].startswith("Check")]
    assert check["title"] == "Check 3 gold items"
    assert sorted(row["id"] for row in check["rows"]) == sorted(wrong)
    assert check["rows"][0]["note"].startswith("gold says label")
    html = rendering.rendered(page.collected(found), found.summary)
    assert "3 gold items are probably wrong and count against the labels: correct the gold first" in html


def test_models() -> None:
    models = [
        {"model": "echo", "family": "a", "echo": 0.9, "declared_family": "a", "worth": 0.1},
        {"model": "twin", "family": "a", "echo": 0.0, "declared_family": "b", "worth": 0.4},
        {"model": "idle", "family": "c", "echo": 0.0, "declared_family": "c", "worth": 0.0},
        {"model": "fine", "family": "d", "echo": 0.0, "declared_family": "d", "worth": 0.8},
        {"model": "new", "family": "e", "echo": 0.0, "declared_family": "e", "worth": None},
    ]
    found = decisions._models({"models": models})
    assert found is not None
    assert found["title"] == "Look at 3 models"
    assert [(row["id"], row["note"]) for row in found["rows"]] == [
        ("echo", "repeats the majority of people in 90% of its votes"),
        ("twin", "makes the mistakes of another family than its own, b"),
        ("idle", "adds nothing to people"),
    ]


def test_labels_over_the_target() -> None:
    of_label = {
        "a": {"gold_items": 40, "gold_errors": 12, "low": 0.17, "accepted": 90, "expected_error": 0.02},
        "b": {"gold_items": 0, "gold_errors": 0, "low": None, "accepted": 12, "expected_error": 0.08},
        "c": {"gold_items": 9, "gold_errors": 0, "low": 0.0, "accepted": 12, "expected_error": 0.01},
        "d": {"gold_items": 0, "gold_errors": 0, "low": None, "accepted": 0, "expected_error": None},
    }
    found = decisions._over_target({"target": 0.95, "by_label": of_label})
    assert found is not None
    assert [(row["id"], row["note"]) for row in found["rows"]] == [
        ("a", "12 of 40 gold items accepted as it are wrong"),
        ("b", "8% of its accepted items are expected to be wrong"),
    ]
    assert "than the 5% that the target allows" in found["about"]


def test_change_by_rows() -> None:
    one = {"changed_at": "row 120", "accuracy_before": 0.9, "accuracy_after": 0.4}
    assert decisions._moved(one) == "right on 90% before row 120, on 40% since"


class TestLabels:
    """The table of labels that says which are weak."""

    def test_each_of_many_has_what_labels_csv_says(self) -> None:
        drawn = simulate(700, 20, 26, 3, accuracy=0.7, seed=3)
        found = Run.of(fit(drawn.judgments, gold=drawn.truth_table(60, 1)))
        rows = {one["label"]: one for one in page.collected(found)["labels"]}
        assert len(rows) == 26
        for label, own in found.labels.groupby("label"):
            is_open, accepted = own["status"] != "gold", own[own["status"] == "accepted"]
            one = rows[str(label)]
            assert (one["items"], one["accepted"]) == (len(own), len(accepted))
            assert one["accepted_share"] == pytest.approx(len(accepted) / is_open.sum(), abs=1e-6)
            if len(accepted):
                assert one["expected_error"] == pytest.approx((1 - accepted["confidence"]).mean(), abs=2e-6)
            assert (one["gold_items"] is None) == (label not in found.summary["quality"]["by_label"])

    def test_without_gold_nothing_is_measured_of_any(self) -> None:
        found = Run.of(fit(simulate(500, 20, 42, 3, accuracy=0.7, seed=3).judgments))
        facts = page.collected(found)
        assert len(facts["labels"]) == 40
        assert {one["gold_items"] for one in facts["labels"]} == {0}
        html = rendering.rendered(facts, found.summary)
        assert "comes first. The 40 most frequent of 42 labels." in html
        assert "Gold is told" not in html
        assert "not told" not in html

    def test_gold_tells_of_some_labels(self) -> None:
        drawn = simulate(700, 20, 26, 3, accuracy=0.7, seed=3)
        found = Run.of(fit(drawn.judgments, gold=drawn.truth_table(60, 1)), promise="set", random_gold=True)
        html = rendering.rendered(page.collected(found), found.summary)
        assert "comes first. Gold is told of the 20 labels with the most accepted items, of 26." in html
        assert html.count("not told") == 6
        assert "Grey: what the gold items alone would say. The 20 most common of 26 labels." in html
        assert "of all items that get the label (the 20 with the most gold items, of 26): " in html

    def test_where_all_items_are_gold_no_share_is_told(self) -> None:
        drawn = simulate(60, 6, 2, 3, seed=3)
        found = Run.of(fit(drawn.judgments, gold=drawn.truth_table(60, 1)))
        assert [one["accepted_share"] for one in page.collected(found)["labels"]] == [None, None]


def test_the_median_and_the_worst_worker_are_those_of_all_with_a_verdict(digits: Run) -> None:
    known = digits.workers[digits.workers["n_judgments"] >= 20]["accuracy"]
    told = about_workers.accuracies(digits.audit)
    assert told == pytest.approx((known.median(), known.min()), abs=1e-5)
    few = Run.of(fit(simulate(20, 8, 2, 3, seed=1).judgments))
    assert few.workers["n_judgments"].max() < 20
    assert about_workers.accuracies(few.audit) == pytest.approx(
        (few.workers["accuracy"].median(), few.workers["accuracy"].min()), abs=1e-5
    )
    single = pd.DataFrame({"item": list("ab"), "worker": list("xy"), "label": list("pq")})
    assert about_workers.accuracies(Run.of(fit(single)).audit) is None


class TestMajority:
    @pytest.mark.slow
    def test_as_in_labels(self, shown: dict[str, Any], digits: Run) -> None:
        labels = digits.labels
        other = labels[
            labels["majority_label"].notna()
            & (labels["label"] != labels["majority_label"])
            & (labels["status"] != "gold")
        ]
        assert shown["n_majority"] == len(other)
        assert set(pd.DataFrame(shown["majority"])["item"]) <= set(other["item"])
        assert shown["majority"][0]["confidence"] == pytest.approx(other["confidence"].max(), abs=2e-6)


class TestCosts:
    @pytest.mark.slow
    def test_judgments_that_could_have_been_saved(self, shown: dict[str, Any], digits: Run) -> None:
        workers = digits.workers.set_index("verdict")["n_judgments"]
        by_bad, late = shown["wasted"]
        assert by_bad["judgments"] == workers[["spammer", "adversarial"]].sum()
        assert by_bad["share"] == pytest.approx(by_bad["judgments"] / 5984, abs=1e-6)
        assert by_bad["money"] is None
        assert 0 < late["judgments"] < digits.labels.query("status == 'accepted'")["n_judgments"].sum()

    @pytest.mark.slow
    def test_targets(self, shown: dict[str, Any], digits: Run) -> None:
        assert [one["target"] for one in shown["targets"]] == [0.9, 0.95, 0.99]
        own = shown["targets"][1]
        assert own["own"]
        assert own["accepted"] == digits.summary["quality"]["accepted"]
        assert own["judgments"] == pytest.approx(digits.outlook.judgments_needed, abs=0.5)
        other = Run.of(digits.result, target=0.99)
        assert shown["targets"][2]["accepted"] == other.summary["quality"]["accepted"]
        assert shown["targets"][2]["judgments"] == pytest.approx(other.outlook.judgments_needed, abs=0.5)

    @pytest.mark.slow
    def test_what_an_earlier_run_accepted_is_in_the_row_of_this_one(self, digits: Run, tmp_path: Path) -> None:
        digits.save(tmp_path / "out", report=False)
        found = Run.of(digits.result, target=0.99, previous=tmp_path / "out")
        (own,) = [one for one in page.collected(found)["targets"] if one["own"]]
        assert own["accepted"] == found.summary["quality"]["accepted"]
        assert own["accepted"] > Run.of(digits.result, target=0.99).summary["quality"]["accepted"]

    def test_money_and_many_items(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from consensus.report.page_data import about_costs

        monkeypatch.setattr(about_costs, "PLANNED", 10)
        drawn = simulate(200, 20, 3, 5, spammers=0.3, seed=2)
        found = Run.of(fit(drawn.judgments), price_per_judgment=0.05)
        facts = page.collected(found)
        assert facts["wasted"][0]["money"] == pytest.approx(facts["wasted"][0]["judgments"] * 0.05)
        assert {one["judgments"] for one in facts["targets"]} == {None}
        html = rendering.rendered(facts, found.summary)
        assert "judgments to settle more" not in html
        assert ">cost<" in html

    def test_a_set_is_promised(self) -> None:
        drawn = simulate(300, 12, 3, 5, accuracy=0.85, seed=4)
        found = Run.of(fit(drawn.judgments, gold=drawn.truth_table(80, 1)), promise="set", target=0.9)
        (own,) = [one for one in page.collected(found)["targets"] if one["own"]]
        assert own["accepted"] == found.item_promise["accepted"]
        assert EscalateConfig().target in {one["target"] for one in page.collected(found)["targets"]}
