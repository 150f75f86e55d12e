"""What is accepted though gold does not speak for it: in numbers, words, files, on the page; how sure it may be."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import consensus
from consensus import fit, read_previous
from consensus.config import EscalateConfig
from consensus.escalation import change_counts, changes, planned, statuses, unaudited
from consensus.found.gold_reach import Reach
from consensus.found.result import Consensus
from consensus.inputs.earlier_run import STATUSES
from consensus.report import beyond_gold, page_words, quality, words
from tests.conftest import Run

pytestmark = pytest.mark.usefixtures("by_dawid_skene")


def teams(n_items: int = 160, seed: int = 1, bridge: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Team a reads the labels as meant, b the other way round: judgments and truth; a0 judges for b, too."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, 2 * n_items)
    rows = []
    for i, k in enumerate(truth.tolist()):
        second = i >= n_items
        for w in rng.choice(6, 4, replace=False).tolist():
            means = 1 - k if second else k
            rows.append((f"i{i:03}", f"{'ab'[second]}{w}", "xy"[means if rng.random() < 0.92 else 1 - means]))
        if n_items <= i < n_items + bridge:
            rows.append((f"i{i:03}", "a0", "xy"[k]))
    names = [f"i{i:03}" for i in range(2 * n_items)]
    return pd.DataFrame(rows, columns=["item", "worker", "label"]), pd.DataFrame(
        {"item": names, "label": ["xy"[k] for k in truth]}
    )


@pytest.fixture(scope="module")
def few() -> consensus.Run:
    """Gold of 50 items of a, clamped."""
    table, truth = teams()
    return consensus.Run.of(fit(table, gold=truth.iloc[:50], calibration="none"))


@pytest.fixture(scope="module")
def many() -> consensus.Run:
    """Gold of 110 items of a: its items are calibrated on it."""
    table, truth = teams()
    return consensus.Run.of(fit(table, gold=truth.iloc[:110]))


def of_b(labels: pd.DataFrame) -> pd.Series:
    return labels["item"] >= "i160"


class TestTwoTeams:
    def test_each_part_is_told_for_itself(self, few: consensus.Run) -> None:
        labels, told = few.labels, few.promise
        truth = teams()[1]["label"]
        a, b = labels["status"] == "accepted", labels["status"] == "unaudited"
        assert not (a & of_b(labels)).any()
        assert (b == (of_b(labels) & (labels["confidence"] >= 0.95))).all()
        assert (labels["label"] != truth)[b].mean() > 0.95
        assert (told["accepted"], told["beyond_gold"]["accepted"]) == (a.sum(), b.sum())
        assert min(a.sum(), b.sum()) > 5
        measured = told["gold"]["accepted"]
        assert measured["low"] <= (labels["label"] != truth)[a].mean() <= measured["high"]
        assert told["expected_error"] == pytest.approx(1 - labels["confidence"][a].mean())
        beyond = dict(told["beyond_gold"])
        assert beyond["expected_error"] == pytest.approx(1 - labels["confidence"][b].mean())
        busiest = teams()[0].merge(labels.loc[b, ["item"]])["worker"].value_counts().to_dict()
        assert [busiest[name] for name in beyond.pop("busiest")] == sorted(busiest.values())[:-4:-1]
        assert beyond == {
            "accepted": b.sum(),
            "expected_error": beyond["expected_error"],
            "workers": b.sum(),
            "group": 0,
            "label": 0,
            "with_others": False,
            "judgments_on_gold": 0,
            "gold_items": 0,
            "gold_errors": 0,
        }
        assert sum(one["accepted"] for one in told["by_label"].values()) == a.sum()

    def test_words_and_warning(self, few: consensus.Run) -> None:
        n, m = few.promise["accepted"], few.promise["beyond_gold"]["accepted"]
        (line,) = [one for one in words.lines(few) if one.startswith("accepted ")]
        start = (
            f"accepted {n + m} of the 270 items without gold at target 95%: {n} by workers whom gold has checked: "
            "measured error "
        )
        assert line.startswith(start)
        assert " gold items; expected error " in line
        assert f"%; {m} by workers whom no gold has seen: expected error " in line
        assert line.endswith("% if the confidences are right, unaudited")
        assert line in words.of_escalation(few)
        (warned,) = [one for one in few.warnings if one.code == "beyond_gold"]
        assert warned.message.startswith(
            f"gold can't check {m} of the {n + m} accepted items, {m} by workers whom no gold has seen; give gold for "
        )
        assert '(59 of which none is wrong would show that 95% are right), such as items by "b' in warned.message
        assert warned.values == {"n_items": m, "n_accepted": n + m}

    def test_files_and_page(self, few: consensus.Run) -> None:
        counts = few.summary["counts"]["status"]
        assert counts["unaudited"] == few.promise["beyond_gold"]["accepted"]
        assert json.dumps(few.summary["quality"]["beyond_gold"])
        assert statuses(few.result).tolist() == few.labels["status"].tolist()
        tile = ("unaudited", str(counts["unaudited"]), "settled, but beyond what gold can check")
        assert page_words.unaudited(few.summary["quality"]) == [tile]

    def test_they_keep_a_confidence_without_gold(self, many: consensus.Run) -> None:
        """They are as the fit without gold has them: calibration is none of theirs."""
        result = many.result
        assert result.reach is not None
        beyond = ~result.reach.items
        assert beyond.tolist() == of_b(result.labels).tolist()
        assert result.unaided is not None
        unaided = result.unaided.dense(slice(None))
        np.testing.assert_array_equal(result.posterior[beyond], unaided[beyond])
        assert (result.confidence[~beyond] > unaided[~beyond].max(axis=1))[110 - 160 :].mean() > 0.9
        told = many.summary["convergence"]["calibration"]
        assert (told["gold_items"], told["not_reached"]) == (110, 160)
        (line,) = [
            one for one in words.lines(many) if one.startswith("confidences are calibrated on 110 judged gold items")
        ]
        assert "; 160 items beyond what gold can check stay as they were; " in line

    @pytest.mark.compiled
    def test_look_ahead_and_explanations_know_both(self, many: consensus.Run) -> None:
        """The next judgment is foreseen as the fit that has it would be tempered."""
        from consensus.explanation import explain

        result = many.result
        assert result.reach is not None
        for i in (120, 300):
            (one,) = explain(result, np.array([i]))
            n = result.judgments.per_item[[i]]
            assert one.power == result.tempering.power(n, np.array([i]))[0]
        from consensus.escalation.look_ahead import look_ahead

        waiting = np.flatnonzero((result.confidence < 0.95) & ~np.isin(np.arange(320), result.gold.items))  # type: ignore[union-attr]
        config = EscalateConfig()
        together = look_ahead(result, waiting, config)
        own = [look_ahead(result, waiting[[n]], config).settled[0] for n in range(len(waiting))]
        np.testing.assert_allclose(together.settled, own)
        assert 0 < result.reach.items[waiting].sum() < len(waiting)

    @pytest.mark.compiled
    def test_all_within_reach_is_as_ever(self) -> None:
        table, truth = teams()
        found = consensus.Run.of(fit(table, gold=truth.sample(110, random_state=1)))
        assert found.result.reach.items.all()  # type: ignore[union-attr]
        assert found.result.calibration.items.all()  # type: ignore[union-attr]
        assert "beyond_gold" not in found.promise
        assert "unaudited" not in set(found.labels["status"])
        assert page_words.unaudited(found.summary["quality"]) == []

    @pytest.mark.compiled
    def test_a_bridge_that_disagrees_is_none(self) -> None:
        table, truth = teams(bridge=40)
        found = consensus.Run.of(fit(table, gold=truth.iloc[:50]))
        told = found.promise["beyond_gold"]
        assert told["with_others"]
        labels = found.labels
        assert not ((labels["status"] == "accepted") & of_b(labels)).any()
        assert f"; {told['accepted']} mostly by workers whom no gold has seen: exp" in words.acceptance(found.promise)

    def test_gold_that_is_too_thin_is_told(self) -> None:
        table, truth = teams()
        gold = pd.concat([truth.iloc[:70], truth.iloc[200:202]])
        result = fit(table, gold=gold)
        found = consensus.Run.of(result)
        told = found.promise["beyond_gold"]
        assert (told["judgments_on_gold"], told["gold_items"], told["gold_errors"]) == (8, 2, 2)
        assert found.promise["gold"]["all"]["items"] == 72
        assert found.promise["gold"]["accepted"]["items"] <= 70
        said = words.acceptance(found.promise)
        assert " by workers whom gold has hardly seen (2 of their 2 gold items wrong): expected error " in said

    def test_nothing_within_reach(self) -> None:
        """Team a has too few judgments an item, b has enough."""
        table, truth = teams()
        table = table[(table["item"] >= "i160") | (table.groupby("item").cumcount() < 2)]
        found = consensus.Run.of(fit(table, gold=truth.iloc[:50], rho=0.2), min_judgments=3)
        assert found.promise["accepted"] == 0
        said = words.acceptance(found.promise)
        assert ": none by workers whom gold has checked; " in said

    def test_as_vote_shares(self) -> None:
        table, truth = teams(40)
        found = consensus.Run.of(fit(table, gold=truth.iloc[:20], model="majority_vote"))
        labels = found.labels
        assert set(labels["status"][labels["item"] >= "i040"]) == {"unaudited", "escalate"}


def replaced(result: Consensus, **parts: Any) -> Consensus:
    from dataclasses import replace

    return replace(result, **parts)


class TestWhy:
    def test_groups(self, few: consensus.Run) -> None:
        """The seam for groups: items in one that gold has not met."""
        result, n = few.result, few.result.judgments.n_items
        every, nobody = np.ones(n, np.bool_), np.ones(12, np.bool_)
        reach = Reach(nobody, nobody, every, np.arange(n) < 100)
        found = consensus.Run.of(replaced(result, reach=reach))
        told = found.promise["beyond_gold"]
        assert (told["workers"], told["label"]) == (0, 0)
        assert told["group"] == (found.labels["status"][100:] == "unaudited").sum() > 0
        said = words.acceptance(found.promise)
        assert f"{found.promise['accepted']} that gold can check: measured" in said
        assert f"; {told['group']} in groups that gold has not met: expected" in said

    def test_a_label_that_no_gold_item_gets(self) -> None:
        """All gold says x, where a third of what is accepted is y."""
        rng = np.random.default_rng(2)
        truth = rng.random(300) < 0.35
        rows = [
            (f"i{i:03}", f"w{w}", "xy"[int(k if rng.random() < 0.95 else not k)])
            for i, k in enumerate(truth)
            for w in rng.choice(8, 4, replace=False)
        ]
        table = pd.DataFrame(rows, columns=["item", "worker", "label"])
        gold = pd.DataFrame({"item": [f"i{i:03}" for i in np.flatnonzero(~truth)[:40]], "label": "x"})
        found = consensus.Run.of(fit(table, gold=gold))
        labels, told = found.labels, found.promise["beyond_gold"]
        assert set(labels.loc[labels["status"] == "unaudited", "label"]) == {"y"}
        assert told["label"] == told["accepted"] == (labels["status"] == "unaudited").sum() > 50
        assert told["busiest"] == []
        (warned,) = [one for one in found.warnings if one.code == "beyond_gold"]
        assert f"{told['label']} with labels that no gold item gets; give gold" in warned.message
        assert warned.message.endswith("95% are right)")
        some = pd.DataFrame({"item": [f"i{i:03}" for i in np.flatnonzero(truth)[:3]], "label": "y"})
        both = consensus.Run.of(fit(table, gold=pd.concat([gold, some])))
        assert "beyond_gold" not in both.promise

    def test_nothing_settled_asks_nothing(self, few: consensus.Run) -> None:
        none = np.zeros(few.result.judgments.n_items, np.bool_)
        assert (unaudited.why(few.result, none) == -1).all()


def test_few_that_chance_would_leave_are_no_warning() -> None:
    beyond: dict[str, Any] = {
        "accepted": 3,
        "workers": 3,
        "group": 0,
        "label": 0,
        "judgments_on_gold": 0,
        "gold_items": 0,
    }
    beyond |= {"with_others": False, "gold_errors": 0, "busiest": ["w"]}
    told = {"accepted": 97, "target": 0.9, "gold": {"all": {"items": 98}}, "beyond_gold": beyond}
    assert beyond_gold.caution(told) is None
    assert beyond_gold.caution({"accepted": 3}) is None
    told["gold"] = {"all": {"items": 99}}
    found = beyond_gold.caution(told)
    assert found is not None
    assert "(29 of which none is wrong would show that 90% are right)" in found.message


@pytest.mark.compiled
def test_what_was_unaudited_stays_settled_and_is_not_newly_accepted(few: consensus.Run) -> None:
    result, rule = few.result, EscalateConfig(margin=0.04)
    table = few.labels
    before = table["status"] == "unaudited"
    low = table.index[(table["status"] == "escalate") & (table["confidence"] > 0.92)]
    assert len(low)
    table.loc[low, "status"] = "unaudited"
    previous = read_previous(table)
    status = planned(result, rule, previous=previous).status(result)
    now = np.array(STATUSES)[status]
    assert (now[before] == "unaudited").all()
    assert set(now[low]) <= {"accepted", "unaudited"}
    counts = change_counts(previous, result, changes(previous, result, status))
    assert (counts["opened_again"], counts["newly_accepted"]) == (0, 0)


@pytest.mark.compiled
def test_the_command_says_so(run: Run, tmp_path: Path) -> None:
    table, truth = teams(60)
    table.to_csv(tmp_path / "j.csv", index=False)
    truth.iloc[:30].to_csv(tmp_path / "g.csv", index=False)
    ran = run("run", tmp_path / "j.csv", "--gold", tmp_path / "g.csv", "--output", tmp_path / "out", report=True)
    assert "warning beyond_gold: gold can't check " in ran.err
    assert "settled, but beyond what gold can check" in (tmp_path / "out" / "report.html").read_text()
    labels = pd.read_csv(tmp_path / "out" / "labels.csv")
    told = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert told["counts"]["status"]["unaudited"] == (labels["status"] == "unaudited").sum() > 0
    assert quality.cautions(told["quality"])[0].code == "beyond_gold"
