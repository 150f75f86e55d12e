"""What a budget would buy; what judgments will bring; where the ceiling is."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import consensus
from consensus import fit, plan_budget, read_gold, read_model_votes, simulate
from consensus.config import EscalateConfig
from consensus.errors import ConfigError
from consensus.escalation import outlook, planned
from consensus.report import outlook_words, words
from consensus.simulation import simulate_votes
from tests.conftest import Run

pytestmark = pytest.mark.usefixtures("by_dawid_skene")


class TestTable:
    @pytest.mark.compiled
    def test_ways_and_figures(self) -> None:
        drawn = simulate(300, 12, 3, 6, accuracy=0.7, seed=1)
        told: list[tuple[str, float | None]] = []
        table = plan_budget(
            drawn.judgments,
            gold=read_gold(drawn.truth_table(150)),
            votes=[1, 3],
            targets=[0.8, 0.99],
            without={"the first": ["w00"]},
            price_per_judgment=0.05,
            rho=0.3,
            progress=lambda what, done: told.append((what, done)),
        )
        assert table["way"].tolist() == [
            "1 judgment an item",
            "3 judgments an item",
            "target 80%",
            "target 99%",
            "all judgments",
            "without the first",
        ]
        rows = table.set_index("way")
        assert rows["judgments"]["1 judgment an item"] == 300
        assert rows["judgments"]["all judgments"] == drawn.judgments.n_judgments
        own = int((drawn.judgments.worker == 0).sum())
        assert rows["judgments"]["without the first"] == drawn.judgments.n_judgments - own
        assert rows["judgments"]["target 80%"] < rows["judgments"]["target 99%"]
        assert np.isnan(rows["expected_error"]["1 judgment an item"])
        np.testing.assert_allclose(table["cost"], 0.05 * table["judgments"])
        np.testing.assert_allclose(table["judgments_per_item"], table["judgments"] / 300)
        assert (table["n_compared"] == 150).all()
        assert (table["accuracy_low"] < table["accuracy"]).all()
        full = fit(drawn.judgments, rho=0.3)
        known = np.isin(full.judgments.item_ids.to_pylist(), drawn.truth_table(150)["item"])
        right = (full.consensus_label == drawn.truth)[known].mean()
        assert rows["accuracy"]["all judgments"] == pytest.approx(right)
        assert set(table["reference"]) == {"gold"}
        assert told[-1] == ("replaying: without the first", 1.0)

    @pytest.mark.compiled
    def test_without_gold_it_says_so_and_models_can_be_left_out(self) -> None:
        drawn = simulate(120, 8, 2, 4, accuracy=0.7, seed=2)
        votes = simulate_votes(drawn, 1, accuracy=0.9, seed=1)
        table = plan_budget(drawn.judgments, model_votes=votes, votes=[2], targets=[], seed=1, most_items=50)
        assert table["way"].tolist() == ["2 judgments an item", "all judgments", "without models"]
        assert set(table["reference"]) == {"labels of all judgments (unaudited)"}
        assert table["n_compared"].tolist() == [50, 0, 50]  # all judgments are the reference
        assert table[["accuracy", "accuracy_low", "accuracy_high"]].isna().all(axis=1).tolist() == [False, True, False]
        assert table["cost"].isna().all()

    @pytest.mark.compiled
    def test_gold_of_several_labels(self) -> None:
        drawn = simulate(200, 8, 4, 4, accuracy=0.9, seed=2)
        truth = drawn.truth_table(80)
        doubled = pd.concat([truth, truth.assign(label="label_0")]).drop_duplicates()
        one, both = (plan_budget(drawn.judgments, gold=gold, votes=[3], targets=[]) for gold in (truth, doubled))
        assert len(doubled) > 120
        assert (both["accuracy"] >= one["accuracy"]).all()
        assert (one["accuracy"] > 0.9).all()

    @pytest.mark.compiled
    def test_as_far_as_there_are_so_many_and_what_they_cost(self, run: Run, tmp_path: Path) -> None:
        drawn = simulate(40, 5, 2, 3, accuracy=0.8, seed=2)
        rows = drawn.judgments_table().assign(price=[0.1, 0.3] * 60)
        rows.to_csv(tmp_path / "j.csv", index=False)
        ran = run("plan-budget", tmp_path / "j.csv", "--votes", 3, "--votes", 4, "--target", 0.9, "--target", 0.8, "-q")
        table = pd.read_csv(io.StringIO(ran.out))
        some = ["3 judgments an item", "4 judgments an item (where there are so many)"]
        assert table["way"].tolist() == [*some, "target 90%", "target 80%", "all judgments"]
        assert table["target"].tolist() == [0.9, 0.9, 0.9, 0.8, 0.9]
        assert table["cost"][4] == pytest.approx(0.2 * 120)
        same = table["judgments"] == 120
        assert (table["accuracy"].isna() == same).all()
        plain = run("plan-budget", tmp_path / "j.csv", "--votes", 3, "-q")
        assert pd.read_csv(io.StringIO(plain.out))["target"].tolist() == [0.95, 0.9, 0.95, 0.99, 0.95]
        paid = run("plan-budget", tmp_path / "j.csv", "--votes", 3, "--price-per-judgment", 2, "-q")
        assert pd.read_csv(io.StringIO(paid.out))["cost"][0] == 240

    def test_errors(self) -> None:
        drawn = simulate(30, 4, 2, 3, seed=2)
        with pytest.raises(ConfigError, match=r"setting votes\.1 = 0: input should be greater than or equal to 1"):
            plan_budget(drawn.judgments, votes=[2, 0])
        with pytest.raises(ConfigError, match=r"setting targets\.0 = 95: .*; 95 % is 0\.95"):
            plan_budget(drawn.judgments, targets=[95])
        with pytest.raises(ConfigError, match='unknown setting "items"; the settings are: prior, .* most_items'):
            plan_budget(drawn.judgments, items=3)
        with pytest.raises(ConfigError, match='without worker "x": nobody of that name has judged'):
            plan_budget(drawn.judgments, votes=[2], targets=[], without={"x": ["x"]})

    @pytest.mark.compiled
    def test_on_the_command_line(self, run: Callable[..., Any], tmp_path: Path) -> None:
        drawn = simulate(200, 10, 3, 5, accuracy=0.8, spammers=0.2, seed=3)
        drawn.judgments_table().to_csv(tmp_path / "j.csv", index=False)
        drawn.truth_table(60).to_csv(tmp_path / "g.csv", index=False)
        ran = run(
            "plan-budget", tmp_path / "j.csv", "--gold", tmp_path / "g.csv", "--votes", "2", "--target", "0.9",
            "--without", "w0", "--without", "spammer", "--without", "expert", "--price-per-judgment", "0.1", "--json",
        )  # fmt: skip
        assert ran.status == 0
        rows = [json.loads(line) for line in ran.out.splitlines()]
        ways = [row["way"] for row in rows]
        assert ways[:4] == ["2 judgments an item", "target 90%", "all judgments", "without w0"]
        assert ways[4].endswith(" spammer")
        assert ways[5].endswith(" expert")
        bad = run("plan-budget", tmp_path / "j.csv", "--without", "nobody")
        assert bad.status == 3
        assert '--without "nobody": neither a worker nor a verdict; the verdicts are expert, good' in bad.err

    @pytest.mark.compiled
    def test_with_models_on_the_command_line(self, run: Callable[..., Any], tmp_path: Path) -> None:
        drawn = simulate(80, 6, 2, 3, accuracy=0.8, seed=3)
        drawn.judgments_table().to_csv(tmp_path / "j.csv", index=False)
        items = drawn.judgments.item_ids.to_pylist()
        pd.DataFrame({"item": items, "model": "m", "label": "label_0"}).to_csv(tmp_path / "v.csv", index=False)
        assert len(read_model_votes(tmp_path / "v.csv").item) == 80
        ran = run(
            "plan-budget",
            tmp_path / "j.csv",
            "--model-votes",
            tmp_path / "v.csv",
            "--votes",
            "2",
            "-o",
            tmp_path / "t.csv",
        )
        assert ran.status == 0
        assert pd.read_csv(tmp_path / "t.csv")["way"].tolist()[-1] == "without models"


class TestOutlook:
    @pytest.mark.compiled
    def test_a_ceiling_and_what_helps(self) -> None:
        pair = np.array([[0.5, 0.4, 0.1], [0.4, 0.5, 0.1], [0.05, 0.05, 0.9]])
        result = fit(simulate(300, confusion=np.stack([pair] * 12), per_item=4, seed=1).judgments, rho=1.0)
        rule = EscalateConfig(max_judgments=6)
        found = planned(result, rule)
        told = outlook(result, found)
        assert told.ceiling
        assert told.accuracy <= told.reachable_accuracy < 0.95
        assert told.settled < told.items / 2
        said = "\n".join(words.of_escalation(consensus.Run.of(result, max_judgments=6)))
        assert "limit: with 6 judgments an item, most of these items stay below 95%; their labels would be" in said
        assert "100 gold items that people judge (none has been): they measure the confidence" in said
        assert "better workers, or training: the median worker is right on" in said
        assert "clearer labels: workers hesitate between label_0 and label_1 on" in said
        with_gold = fit(
            simulate(300, confusion=np.stack([pair] * 12), per_item=4, seed=1).judgments,
            gold={"item": ["item000", "item001"], "label": ["label_0", "label_2"]},
            rho=1.0,
        )
        enough = [f"item{i:03}" for i in range(120)]
        known = {"item": enough, "label": [f"label_{k}" for k in result.consensus_label[:120]]}
        audited = fit(result.judgments, gold=known, rho=1.0)
        rule_of_six = planned(audited, rule)
        assert outlook(audited, rule_of_six).ceiling
        assert "gold items that people judge" not in "\n".join(
            words.of_escalation(consensus.Run.of(audited, max_judgments=6))
        )
        assert "(2 have been)" in "\n".join(words.of_escalation(consensus.Run.of(with_gold, max_judgments=6)))

    @pytest.mark.compiled
    def test_a_ceiling_of_good_workers_whose_mistakes_are_of_all_kinds(self) -> None:
        drawn = simulate(400, 12, 8, 2, accuracy=0.85, seed=1).judgments
        rule = EscalateConfig(target=0.99999, max_judgments=3)
        result = fit(drawn, rho=0.0)
        told = outlook(result, planned(result, rule))
        assert told.ceiling
        assert len(told.advice) == 1
        assert told.advice[0].startswith("100 gold items")

    @pytest.mark.compiled
    def test_no_ceiling_where_judgments_settle_it(self) -> None:
        result = fit(simulate(300, 10, 3, 3, accuracy=0.9, seed=1).judgments, rho=0.1)
        said = words.of_escalation(consensus.Run.of(result, budget=30))
        assert not any(line.startswith("limit: ") for line in said)
        assert any(line.startswith("about ") and "with at most 7 an item" in line for line in said)
        assert any(line.startswith("one list gains about half of what") for line in said)
        said = words.of_escalation(consensus.Run.of(result, max_judgments=16))
        assert any(
            re.match(r"about \d+ judgments of the next 10 would settle .* with at most 16 an item", line)
            for line in said
        )
        said = words.of_escalation(consensus.Run.of(result, budget=20.5, price_per_judgment=0.9))
        told = r"the list asks for 22 judgments of \d+ items for 19.8, of a budget of 20.5"
        assert any(re.fullmatch(told, line) for line in said)
        assert not any("one list gains" in line for line in said)  # too few to be worth rounds

    def test_nothing_to_ask(self) -> None:
        result = fit(simulate(50, 5, 2, 4, accuracy=0.95, seed=1).judgments, rho=0.0)
        rule = EscalateConfig(target=0.5)
        told = outlook(result, planned(result, rule))
        assert told.items == 0
        assert np.isnan(told.judgments_needed)
        assert not any("would settle" in line for line in words.of_escalation(consensus.Run.of(result, target=0.5)))

    @pytest.mark.compiled
    def test_no_ceiling_where_more_than_half_are_settled(self) -> None:
        result = fit(simulate(300, 12, 2, 3, accuracy=0.85, seed=2).judgments, rho=0.2)
        rule = EscalateConfig(target=0.9)
        told = outlook(result, planned(result, rule))
        assert 0.5 < told.settled / told.items < 0.9
        assert not told.ceiling
        harder = outlook(result, planned(result, EscalateConfig(target=0.97)))
        assert harder.settled / harder.items < 0.5
        assert harder.ceiling

    def test_experts_are_the_last_help(self) -> None:
        """Good workers, enough gold, two labels: nothing else is left to say."""
        assert outlook_words._foretold(
            {
                "judgments_needed": 10.0,
                "settled": 1.0,
                "items": 9,
                "correction": 1.5,
                "ceiling": True,
                "reachable_accuracy": None,
                "advice": [],
                "available": None,
            },
            {"max_judgments": 7, "target": 0.905},
        ) == [
            "about 10 judgments would settle 1 of 9 items, with at most 7 an item (the prediction times 1.50, since "
            "the last one was wrong by that)",
            "limit: with 7 judgments an item, most of these items stay below 90.5%; what helps: an expert",
        ]
