"""The promise about a set in words, in files and on the page; and what plan-gold says."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from consensus import fit, simulate
from consensus.config import EscalateConfig
from consensus.guarantees import GoldPlan, Need, plan_gold
from consensus.report import page, quality, rendering, set_promise, words
from consensus.runs import Findings
from consensus.simulation import Simulation
from tests.conftest import Run

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

REACHING = {"items": 700, "gold_items": 40, "certifiable": 0.9279, "usual": 0.8866}
NEED = {
    "items": 740,
    "gold_items": 40,
    "error": 0.02,
    "measured": True,
    "accepted": 234,
    "draw": 380,
    "more": 320,
    "pilot": 0,
    "takes_most": False,
}
FACTS: dict[str, Any] = {
    "target": 0.95,
    "items": 812,
    "most_wrong": 40,
    "gold_drawn": 200,
    "gold_items": 151,
    "gold_wrong": 3,
    "other_label": 0,
    "why_none": None,
    "reaching": REACHING,
    "need": NEED,
    "labels": 1,
    "by_label": {},
}


def said(**changes: Any) -> list[str]:
    return set_promise.lines({**FACTS, **changes}, 0.95)


@pytest.fixture(scope="module")
def drawn() -> Simulation:
    return simulate(400, 14, 2, 5, accuracy=0.8, seed=4)


@pytest.fixture(scope="module")
def found(drawn: Simulation) -> Findings:
    return Findings.of(fit(drawn.judgments, gold=drawn.truth_table(150, 2)), target=0.9, promise="set")


class TestWords:
    def test_certified(self) -> None:
        begin = (
            "certified with 95% confidence: at most 5% of 812 items are wrong, if the 200 gold items were drawn "
            "at random"
        )
        assert said() == [f"{begin} (3 of the 151 gold items as sure as these are wrong)"]
        assert said(gold_wrong=1)[0].endswith("(1 of the 151 gold items as sure as these is wrong)")

    def test_left_out_items_raise_the_bound(self) -> None:
        (line,) = said(items=780, other_label=32)
        assert "at most 5% of 812 items are wrong, if" in line
        assert line.endswith(
            "; 32 of them have another label now that gold is known: of the 780 others at most 5.2% are wrong"
        )
        (line,) = said(items=811, other_label=1, most_wrong=41, target=0.9495)
        assert line.endswith(
            "; 1 of them has another label now that gold is known: of the 811 others at most 5.1% are wrong"
        )
        (line,) = said(items=811, other_label=1)
        assert "at most 5% of 811 items are wrong, if" in line
        assert line.endswith("; 1 more has another label now that gold is known, and is left out")

    @pytest.mark.parametrize(
        ("why", "words"),
        [
            ("few_judgments", "nothing: no item that gold can check has enough judgments"),
            ("no_gold", "nothing: no gold item has enough judgments to count"),
            ("nothing_left", "nothing: all items that could be certified are gold"),
            ("not_random", "nothing: gold does not look drawn at random"),
        ],
    )
    def test_nothing_and_no_more_to_say(self, why: str, words: str) -> None:
        assert said(items=0, why_none=why) == [f"certified with 95% confidence: {words}"]

    def test_one_gold_item(self) -> None:
        first, *_ = said(items=0, why_none="too_few", gold_drawn=1)
        assert first.endswith("1 gold item is too few to show that at most 5% are wrong")

    def test_nothing_is_planned_of_no_item(self) -> None:
        nothing = {"items": 0, "gold_items": 0, "certifiable": 0.0, "usual": 0.0}
        (only,) = said(items=0, why_none="too_few", reaching=nothing, need=NEED | {"items": 0, "pilot": 40})
        assert only.endswith("200 gold items are too few to show that at most 5% are wrong")

    def test_too_few(self) -> None:
        first, second, third = said(items=0, why_none="too_few")
        assert first == (
            "certified with 95% confidence: nothing: 200 gold items are too few to show that at most 5% are wrong"
        )
        assert second == (
            "40 gold items reach 95%: they can certify at most 92.7%, if none is wrong; 88.6% is likely, with 2.0% "
            "wrong"
        )
        assert third == (
            "320 more gold items would certify that 95% of the 740 surest items are right, with a chance of 80%, if "
            "2.0% are wrong, as measured: it takes 234 gold items among these; draw them at random from all items "
            "(consensus plan-gold)"
        )

    def test_too_many_wrong(self) -> None:
        first, _ = said(items=0, why_none="too_many_wrong", need=NEED | {"measured": False})
        assert first.endswith("nothing: too many of the 200 gold items are wrong, also of the surest, for at most 5%")

    @pytest.mark.parametrize(
        ("need", "words"),
        [
            (
                {"draw": None, "takes_most": True},
                "no number of gold items would certify that 95% of the 740 surest items are right: about 2",
            ),
            (
                {"takes_most": True},
                "no fewer than 380 gold items would certify that 95% of the 740 surest items are right: about 2.0",
            ),
            ({"more": 0}, "are right, if 2.0% are wrong, as measured: this draw is one of the other 20%"),
            ({"measured": False}, "if 2.0% are wrong, as the confidences predict: it takes 234"),
            ({"pilot": 70}, "too few gold items to plan with: by the confidences 2.0% of the 740 surest"),
            ({"pilot": 70}, "to certify 95%; draw 70 more at random to measure it (consensus plan-gold)"),
        ],
    )
    def test_what_more_takes(self, need: dict[str, Any], words: str) -> None:
        assert words in said(items=200, need=NEED | need)[1]

    def test_by_label(self) -> None:
        of = {"items": 30, "most_wrong": 1, "gold_items": 9, "measured_error": 0.1, "low": 0.01, "high": 0.4}
        told = {"cat": of, "dog": of | {"items": 0}, "owl": of | {"items": None}}
        line = set_promise.lines({**FACTS, "by_label": told}, 0.95, by_label=True)[-1]
        assert line == (
            'certified by label, all of them with 95% confidence together: "cat" 30 items (at most 1 wrong), "dog" '
            'nothing; too little gold for "owl"'
        )
        line = set_promise.lines({**FACTS, "by_label": {"owl": told["owl"]}}, 0.95, by_label=True)[-1]
        assert line == (
            'by label nothing is certified; wrong on gold, of all items that get the label: "owl" 10.0% [1.0%, 40.0%]'
        )

    @pytest.mark.parametrize(("target", "n"), [(0.95, 59), (0.9, 29), (0.99, 299)])
    def test_without_gold(self, target: float, n: int) -> None:
        line, more = set_promise.lines(None, target)
        assert line.startswith(
            "certified: nothing without gold; on 17 public crowds 0 to 21% of the labels accepted so at"
        )
        assert more.startswith(f"{n} random gold items among the accepted ones, none of them wrong, would certify ")
        assert target**n <= 0.05 < target ** (n - 1)


class TestRun:
    def test_numbers_and_columns(self, drawn: Simulation, found: Findings) -> None:
        told = found.summary
        n = told["certificate"]["items"]
        assert told["settings"]["promise"] == "set"
        assert n == told["quality"]["accepted"] == found.certified.settled.sum() > 100
        assert told["quality_item_by_item"]["accepted"] != n
        labels = found.labels
        assert labels["certified"].sum() == n
        assert set(labels["status"][labels["certified"]]) == {"accepted"}
        truth = drawn.truth_table()["label"].to_numpy()
        wrong = (labels["label"].to_numpy() != truth)[labels["certified"].to_numpy()].sum()
        assert wrong <= told["certificate"]["most_wrong"]
        gold = told["quality"]["gold"]["accepted"]
        assert (gold["items"], gold["errors"]) == (
            told["certificate"]["gold_items"],
            told["certificate"]["gold_wrong"],
        )
        by_label = told["certificate"]["by_label"]
        assert sum(one["gold_items"] for one in by_label.values()) == told["certificate"]["gold_drawn"] == 150

    def test_both_promises_whichever_is_asked_for(self, found: Findings) -> None:
        item = Findings.of(found.result, target=0.9)
        assert "certified" not in item.labels.columns
        assert "quality_item_by_item" not in item.summary
        assert item.item_promise is item.promise
        assert item.summary["certificate"] == found.summary["certificate"]
        assert found.summary["quality_item_by_item"] == item.summary["quality"]
        lines = words.lines(found)
        assert any(line.startswith("certified with 95% confidence: ") for line in words.lines(item))
        assert any(line.startswith("certified by label, all of them with 95% confidence together: ") for line in lines)
        (one,) = [line for line in lines if line.startswith("item by item it would be: accepted ")]
        assert one.removeprefix("item by item it would be: ") == words.acceptance(item.promise)

    def test_what_is_printed_without_an_interval_has_none(self, found: Findings) -> None:
        line = words.acceptance(found.promise)
        assert line.count("[") == 1
        assert f" gold items; expected error {found.promise['expected_error']:.1%}" in line

    def test_on_the_page(self, found: Findings) -> None:
        pytest.importorskip("altair", reason="the page needs the extra report")
        html = rendering.rendered(page.collected(found, 0.1), found.summary)
        n = found.summary["certificate"]["items"]
        assert '<p class="certificate">Certified with 95% confidence: at most 10' in html
        n += found.summary["certificate"]["other_label"]
        assert f" of {n:,} items are wrong, if the " in html
        assert '<p class="certificate">Item by item it would be: accepted ' in html

    def test_labels_with_gold_that_nobody_judged(self, drawn: Simulation) -> None:
        gold = pd.concat([drawn.truth_table(150, 2), pd.DataFrame({"item": ["new"], "label": ["label0"]})])
        labels = drawn.judgments.labels
        gold["label"] = gold["label"].where(gold["label"].isin(labels), labels[0])
        table = Findings.of(fit(drawn.judgments, gold=gold), target=0.9, promise="set").labels
        assert not table["certified"].iloc[-1]
        assert table["certified"].dtype == np.bool_

    def test_hand_picked_gold_is_told(self, drawn: Simulation) -> None:
        surest = np.sort(np.argsort(-fit(drawn.judgments).confidence, kind="stable")[:80])
        result = fit(drawn.judgments, gold=drawn.truth_table().iloc[surest])
        (one,) = [one for one in Findings.of(result).warnings if one.code == "gold_not_random"]
        assert one.message.startswith("the 80 gold items do not look drawn at random: their mean confidence is 0.")
        assert " higher than that of the 320 others" in one.message
        assert one.values["ks_p"] < 0.01
        random = fit(drawn.judgments, gold=drawn.truth_table(80, 3))
        assert "gold_not_random" not in {one.code for one in Findings.of(random).warnings}

    def test_quality_takes_what_is_certified(self, found: Findings) -> None:
        of_items = quality.quality(found.result, found.status, EscalateConfig(target=0.9))
        assert of_items["gold"]["accepted"] != found.promise["gold"]["accepted"]


class TestCommands:
    def test_run_and_plan(self, drawn: Simulation, tmp_path: Path, write: Callable[[str, str], Path], run: Run) -> None:
        judgments, gold = tmp_path / "judgments.csv", tmp_path / "gold.csv"
        drawn.judgments_table().to_csv(judgments, index=False)
        drawn.truth_table(150, 2).to_csv(gold, index=False)
        settings = write("settings.toml", 'promise = "set"\ntarget = 0.9\n')
        out = tmp_path / "out"
        ran = run("run", judgments, "--gold", gold, "--config", settings, "--out", out)
        assert ran.status == 0
        assert "\ncertified with 95% confidence: " in ran.err
        told = json.loads((out / "summary.json").read_text())
        assert told["settings"]["promise"] == "set"
        assert pd.read_csv(out / "labels.csv")["certified"].sum() == told["certificate"]["items"]
        ran = run("run", judgments, "--promise", "set", "--out", tmp_path / "other")
        assert ran.status == 1
        assert "promise set: nothing can be certified without gold; draw some with consensus plan-gold" in ran.err
        ran = run("aggregate", judgments, "--gold", gold, "--promise", "set", "--target", 0.9)
        assert ran.out.splitlines()[0].endswith("status,certified")
        ran = run("plan-gold", judgments, "--gold", gold, "--target", 0.9, "--items", 25, "--seed", 2)
        assert ran.status == 0
        rows = [row.strip('"') for row in ran.out.split()]
        assert rows[0] == "item"
        assert len(rows) == 26
        assert not set(rows) & set(pd.read_csv(gold)["item"])
        assert "25 of 250 items without gold, drawn at random, each as likely as any other" in ran.err
        assert "look at the certificate once" in ran.err
        ran = run("plan-gold", judgments, "--gold", gold, "--items", 251)
        assert ran.status == 1
        assert "251 items are asked for, and 250 have no gold; lower --items" in ran.err


class TestPlan:
    def of(self, n: int = 3, **changes: Any) -> str:
        need = Need(700, 30, 0.02, True, 234, 300)
        plan: dict[str, Any] = {
            "target": 0.95,
            "items": pd.DataFrame({"item": ["a"] * n}),
            "n_without_gold": 900,
            "n_gold": 0,
            "need": need,
            "is_pilot": False,
            "if_worse": None,
            "asked": None,
            "ks_p": math.nan,
            "looks_random": True,
        }
        return "\n".join(set_promise.of_plan(GoldPlan(**(plan | changes))))

    def test_why_so_many(self) -> None:
        told = self.of(300)
        assert told.startswith("300 of 900 items without gold, drawn at random, each as likely as any other\n")
        assert (
            "300 gold items would certify that 95% of the 700 surest items are right, with a chance of 80%, if 2.0% "
            "are wrong, as measured: it takes 234 gold items among these\nhave all of them labelled"
        ) in told

    def test_beside_other_gold(self) -> None:
        told = self.of(180, n_gold=120)
        assert "\ngive them together with the 120 gold items that there are\n" in told
        assert "\n300 gold items, with the 120 there are, would certify " in told

    def test_beside_gold_that_is_not_random(self) -> None:
        told = self.of(300, looks_random=False, ks_p=1e-5)
        assert "the old gold does not look drawn at random (p-value 1e-05) and does not count: give" in told

    def test_pilot_and_no_number(self) -> None:
        pilot = self.of(100, is_pilot=True, need=Need(700, 0, 0.03, False, None, None))
        assert "they measure how many are wrong: by the confidences 3.0% of the 700 surest items are, and" in pilot
        none = self.of(need=Need(700, 30, 0.06, True, None, None), asked=3)
        assert (
            "no number of gold items would certify that 95% of the 700 surest items are right: about 6.0% "
            "are wrong, as measu" in none
        )

    def test_other_numbers(self) -> None:
        assert "gold items among these; --items asks for 3\n" in self.of(asked=3)

    def test_if_it_is_worse(self) -> None:
        worse = Need(700, 0, 0.04, False, 2_000, 4_000)
        assert "\nif 4.0% are wrong, it takes 4,000: on 17 public crowds a median of 3.5 times" in self.of(
            if_worse=worse
        )
        none = Need(700, 0, 0.07, False, None, None)
        assert "\nif 7.0% are wrong, no number is enough: on 17" in self.of(if_worse=none)

    def test_of_a_result(self, found: Findings) -> None:
        plan = plan_gold(found.result, EscalateConfig(target=0.9), n=10)
        assert (
            set_promise.of_plan(plan)[0] == "10 of 250 items without gold, drawn at random, each as likely as any other"
        )
