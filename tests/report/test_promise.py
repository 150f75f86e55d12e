"""The promise about accepted items: exact intervals, gold without a say, label by label, the same words anywhere."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import consensus
from consensus import fit, read_gold, read_previous, simulate
from consensus.config import EscalateConfig
from consensus.escalation import planned
from consensus.formats import writing
from consensus.found.result import Consensus
from consensus.intervals import clopper_pearson
from consensus.report import quality, words
from tests.conftest import Run
from tests.strategies import encoded

pytestmark = pytest.mark.usefixtures("by_dawid_skene")


class TestClopperPearson:
    @pytest.mark.parametrize("n", [1, 2, 7, 40, 312])
    def test_as_scipy_has_it(self, n: int) -> None:
        from scipy.stats import binomtest

        k = np.unique([0, 1, n // 3, n - 1, n])
        low, high = clopper_pearson(k, n)
        for at, one in enumerate(k.tolist()):
            expected = binomtest(one, n).proportion_ci(0.95, "exact")
            assert (low[at], high[at]) == pytest.approx((expected.low, expected.high), abs=1e-9)

    def test_nothing_is_known_of_nothing(self) -> None:
        low, high = clopper_pearson([0, 1], [0, 2])
        assert np.isnan([low[0], high[0]]).all()
        assert low[1] < 0.5 < high[1]


def crowd(n_items: int, seed: int, n_labels: int = 3) -> Any:
    """A crowd in which every worker has a double: judgments of an item err together."""
    drawn = simulate(n_items, 12, n_labels, 3, accuracy=0.75, seed=seed)
    table = drawn.judgments_table()
    return drawn, pd.concat([table, table.assign(worker=table["worker"] + "b")], ignore_index=True)


def of(result: Consensus, **settings: Any) -> dict[str, Any]:
    return consensus.Run.of(result, **settings).promise


@pytest.fixture(scope="module")
def fitted() -> tuple[Consensus, Any]:
    drawn, table = crowd(900, 3)
    return fit(table, gold=drawn.truth_table(200, 1)), drawn


class TestQuality:
    @pytest.mark.compiled
    def test_a_gold_item_is_accepted_as_the_others_ask(self, fitted: tuple[Consensus, Any]) -> None:
        result, _ = fitted
        assert result.gold is not None
        assert result.gold_posterior is not None
        sure = result.gold_posterior.max(axis=1) >= 0.88
        right = result.gold.accepted[np.arange(200), result.gold_posterior.argmax(axis=1)]
        n, n_wrong = int(sure.sum()), int((sure & ~right).sum())
        found = of(result, target=0.88)
        measured = found["gold"]["accepted"]
        assert (measured["items"], measured["errors"]) == (n, n_wrong)
        assert 0 < n_wrong < n < 200
        low, high = clopper_pearson(n_wrong, n)
        assert (measured["low"], measured["high"], measured["measured_error"]) == (low, high, n_wrong / n)
        assert found["gold"]["all"]["items"] == 200

    @pytest.mark.compiled
    @pytest.mark.parametrize("gold", [0, 40, 200])
    def test_by_label_adds_up(self, gold: int) -> None:
        drawn, table = crowd(900, 3)
        result = fit(table, gold=drawn.truth_table(gold, 1) if gold else None)
        found = of(result, target=0.8)
        labels = result.labels[result.labels["source"] == "consensus"]
        accepted = labels[labels["confidence"] >= 0.8]
        assert list(found["by_label"]) == list(result.judgments.labels)
        for name, told in found["by_label"].items():
            own = accepted[accepted["label"] == name]
            assert told["accepted"] == len(own) > 0
            assert told["expected_error"] == pytest.approx(1 - own["confidence"].mean())
            low, high = clopper_pearson(told["gold_errors"], told["gold_items"])
            np.testing.assert_equal([told["low"], told["high"]], [low, high])
        sums = pd.DataFrame(found["by_label"].values())[["accepted", "gold_items", "gold_errors"]].sum().tolist()
        of_gold = found["gold"]["accepted"] if gold else {"items": 0, "errors": 0}
        assert sums == [found["accepted"], of_gold["items"], of_gold["errors"]]
        assert found["items"] == 900 - gold
        assert found["audited"] == (gold > 0)

    @pytest.mark.compiled
    def test_labels_accepted_most_often_are_shown(self) -> None:
        drawn = simulate(800, 10, 30, 4, accuracy=0.9, seed=1, prior=np.arange(1, 31) / 465)
        result = fit(drawn.judgments, rho=0.2)
        found = of(result)["by_label"]
        assert len(found) == quality.MOST_SHOWN == 20
        assert list(found) == sorted(found, key=drawn.judgments.labels.index)
        counts = result.labels.query("confidence >= .95")["label"].value_counts()
        left_out = max(counts.get(name, 0) for name in set(drawn.judgments.labels) - set(found))
        assert 0 < left_out <= min(one["accepted"] for one in found.values())

    def test_shares_of_votes_are_no_fit(self) -> None:
        drawn, table = crowd(400, 1)
        result = fit(table, gold=drawn.truth_table(150, 1), model="majority_vote")
        assert result.gold_posterior is not None
        n = int((result.gold_posterior.max(axis=1) >= 0.95).sum())
        assert of(result)["gold"]["accepted"]["items"] == n > 0

    @pytest.mark.slow
    def test_the_interval_covers_the_true_error(self) -> None:
        """Crowds that err together: what is measured on gold holds for the items without."""
        covered, wrong, expected = [], [], []
        for seed in range(30):
            drawn, table = crowd(700, seed)
            gold = drawn.truth_table(120, seed)
            result = fit(table, gold=gold)
            found = of(result, target=0.9)
            ids = result.judgments.item_ids.to_pylist()
            fresh = ~np.isin(ids, gold["item"]) & (result.confidence >= 0.9)
            error = float((result.consensus_label != drawn.truth)[fresh].mean())
            measured = found["gold"]["accepted"]
            covered.append(measured["low"] <= error <= measured["high"])
            wrong.append(error)
            expected.append(found["expected_error"])
        assert sum(covered) >= 27
        assert np.mean(wrong) < 0.1
        assert abs(np.mean(wrong) - np.mean(expected)) < 0.02


class TestOverconfident:
    @staticmethod
    def told(errors: int, items: int, expected: float, accepted: int = 50) -> list[str]:
        low, high = clopper_pearson(errors, items)
        gold = {"items": items, "errors": errors, "measured_error": errors / max(items, 1), "low": low, "high": high}
        return [
            one.message
            for one in quality.cautions(
                {"audited": items > 0, "accepted": accepted, "expected_error": expected, "gold": {"accepted": gold}}
            )
        ]

    def test_only_where_the_interval_lies_above(self) -> None:
        (message,) = self.told(20, 100, 0.05)
        assert message.startswith(
            "20 of the 100 gold items that would be accepted are wrong (20.0% [12.7%, 29.2%]), and 5.0% are expected"
        )
        assert self.told(20, 100, 0.13) == []
        assert self.told(0, 100, 0.13) == []
        assert self.told(0, 0, 0.1) == []
        assert self.told(20, 100, np.nan, accepted=0) == []

    @pytest.mark.parametrize(
        ("errors", "items", "target", "told"),
        [
            (1, 20, 0.95, ""),
            (1, 10, 0.9, ""),
            (1, 19, 0.95, ", above the 5% of the target (more gold tells whether the target is missed)"),
            (20, 100, 0.9, ", above the 10% of the target (the target is missed)"),
        ],
    )
    def test_gold_that_is_wrong_more_often_than_the_target_is_told(
        self, errors: int, items: int, target: float, told: str
    ) -> None:
        low, high = clopper_pearson(errors, items)
        gold = {"items": items, "measured_error": errors / items, "low": low, "high": high}
        promise = {"accepted": 9, "audited": True, "expected_error": 0.01, "target": target, "gold": {"accepted": gold}}
        said = words._quality(promise)
        assert said == (
            f"measured error {errors / items:.1%} [{low:.1%}, {high:.1%}] on {items} gold items{told}; expected error "
            "1.0%"
        )

    def test_a_crowd_that_errs_together(self) -> None:
        """Gold says otherwise than an untempered confidence: the summary and the words say so."""
        drawn, table = crowd(900, 3)
        copies = pd.concat([table, table.assign(worker=table["worker"] + "c")], ignore_index=True)
        result = fit(copies, gold=drawn.truth_table(200, 1), rho=0)
        found = consensus.Run.of(result)
        told = found.summary
        assert "overconfident" in [one["code"] for one in told["warnings"]]
        assert any(line.startswith("warning overconfident: ") for line in words.lines(found))
        said = words.of_escalation(found)
        assert any(line.startswith("warning overconfident: ") for line in said)
        truly = fit(copies, gold=drawn.truth_table(200, 1))
        calibrated = words.of_escalation(consensus.Run.of(truly))
        assert not any("overconfident" in line for line in calibrated)


@pytest.mark.compiled
def test_gold_is_judged_by_what_is_kept_from_an_earlier_run_too() -> None:
    drawn = simulate(800, 20, 2, 3, accuracy=0.75, seed=1)
    result = fit(drawn.judgments, gold=drawn.truth_table(200))
    table = result.labels.assign(status="accepted")
    told = {}
    for margin in (0.0, 0.3):
        rule = EscalateConfig(margin=margin)
        status = planned(result, rule, previous=read_previous(table)).status(result)
        told[margin] = quality.quality(result, status, rule)
    kept, strict = told[0.3], told[0.0]
    assert kept["accepted"] > strict["accepted"]
    assert kept["gold"]["accepted"]["items"] > strict["gold"]["accepted"]["items"]
    assert kept["gold"]["accepted"]["claimed_error"] > strict["gold"]["accepted"]["claimed_error"]
    posterior = result.gold_posterior
    assert posterior is not None
    least = result.confidence[(result.confidence >= 0.65) & (result.judgments.per_item >= 2)].min()
    enough = result.judgments.per_item[result.gold.items] >= 2  # type: ignore[union-attr]
    assert kept["gold"]["accepted"]["items"] == int(((posterior.max(axis=1) >= least) & enough).sum())


def test_gold_needs_as_many_judgments_as_other_items() -> None:
    drawn = simulate(600, 20, 2, 1.5, accuracy=0.9, seed=1)
    result = fit(drawn.judgments, gold=drawn.truth_table(200))
    told = consensus.Run.of(result, target=0.6).promise["gold"]
    n = result.judgments.per_item[result.gold.items]  # type: ignore[union-attr]
    posterior = result.gold_posterior
    assert posterior is not None
    sure = posterior.max(axis=1) >= 0.6
    assert told["accepted"]["items"] == int((sure & (n >= 2)).sum()) < int(sure.sum())


class TestWords:
    @pytest.fixture
    def files(self, tmp_path: Path) -> tuple[Path, Path]:
        drawn, table = crowd(150, 1)
        (tmp_path / "j.csv").write_text(writing.text(table))
        (tmp_path / "g.csv").write_text(writing.text(drawn.truth_table(120, 1)))
        return tmp_path / "j.csv", tmp_path / "g.csv"

    @pytest.mark.compiled
    @pytest.mark.parametrize("with_gold", [True, False])
    def test_every_command_that_accepts_says_the_same(
        self, run: Run, files: tuple[Path, Path], tmp_path: Path, with_gold: bool
    ) -> None:
        judgments, gold = files
        given = [judgments, *(["--gold", gold] if with_gold else []), "--target", "0.905"]
        lines = [
            [line for line in run(*command, *given).err.splitlines() if line.startswith("accepted ")]
            for command in (["run", "--output", tmp_path / "out"], ["escalate"], ["aggregate"])
        ]
        assert len(lines[0]) == 1
        assert lines[0] == lines[1] == lines[2]
        assert f" at target 90.5%: {'measured' if with_gold else 'expected'} error " in lines[0][0]
        assert ("unaudited" in lines[0][0]) != with_gold
        assert ("items without gold" in lines[0][0]) == with_gold
        for command in (["audit"], ["aggregate", "--posteriors"]):  # these accept nothing
            assert "accepted" not in run(*command, *(given[:-2] if command == ["audit"] else given)).err

    @pytest.mark.compiled
    def test_how_the_confidence_was_made(self, run: Run, files: tuple[Path, Path], tmp_path: Path) -> None:
        judgments, gold = files
        err = run("run", judgments, "--gold", gold, "--output", tmp_path / "a").err
        told = json.loads((tmp_path / "a" / "summary.json").read_text())["convergence"]
        assert (told["confidence_by"], told["calibration"]["gold_items"]) == ("gold", 120)
        assert told["rho"] >= 0.2
        assert "confidences are calibrated on 120 judged gold items (" in err
        err = run("run", judgments, "--output", tmp_path / "b").err
        told = json.loads((tmp_path / "b" / "summary.json").read_text())["convergence"]
        assert (told["confidence_by"], told["calibration"]) == ("design effect", None)
        assert told["rho"] >= 0.2
        assert "calibrated" not in err
        shares = fit(judgments, gold=read_gold(gold), model="majority_vote")
        told = consensus.Run.of(shares).summary["convergence"]
        assert told["confidence_by"] == "vote shares"


def test_gold_that_nobody_judged_audits_nothing() -> None:
    """All who were asked about the only gold item abstained."""
    rows = [(f"i{i:02}", f"w{w}", "ab"[i % 2]) for i in range(60) for w in range(3)]
    result = fit(encoded([*rows, ("silent", "w0", None)]), gold={"item": ["silent"], "label": ["a"]})
    assert result.reach is None
    promise = of(result)
    assert not promise["audited"]
    assert promise["accepted"] > 0
