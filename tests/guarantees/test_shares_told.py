"""Shares of the labels as they are told: in Python, by ``consensus shares``, in summary.json and on the page."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import consensus
from consensus import simulate
from consensus.found.result import Consensus
from consensus.guarantees.shares_table import SharesTable
from consensus.intervals import clopper_pearson
from consensus.report import class_shares, page, rendering
from consensus.report.class_shares import NO_ESTIMATE, NOT_RANDOM
from consensus.runs import Findings
from tests.conftest import Run

N = 160
COLUMNS = "label,share,low,high,gold_share,gold_low,gold_high,gold_items,mean_confidence"


@pytest.fixture(scope="module")
def crowd() -> Any:
    return simulate(N, 8, 3, 4, seed=2)


def gold_of(crowd: Any, items: Any) -> pd.DataFrame:
    ids, labels = crowd.judgments.item_ids.to_pylist(), crowd.judgments.labels
    return pd.DataFrame(
        {"item": [ids[i] for i in items], "label": [labels[k] for k in np.asarray(crowd.truth)[list(items)]]}
    )


@pytest.fixture(scope="module")
def fitted(crowd: Any) -> Consensus:
    return consensus.fit(crowd.judgments, gold=gold_of(crowd, np.random.default_rng(1).permutation(N)[:60].tolist()))


class TestInPython:
    def test_numbers(self, crowd: Any, fitted: Consensus) -> None:
        table = consensus.shares(fitted)
        assert ",".join(table.columns) == COLUMNS
        true = np.bincount(crowd.truth, minlength=3) / N
        gold = np.bincount(np.asarray(crowd.truth)[fitted.gold.items], minlength=3)  # type: ignore[union-attr]
        assert table["gold_items"].tolist() == gold.tolist()
        np.testing.assert_allclose(table["gold_share"], gold / 60)
        np.testing.assert_allclose(table[["gold_low", "gold_high"]].to_numpy().T, clopper_pearson(gold, 60))
        assert ((table["low"] <= true) & (true <= table["high"])).all()
        assert (table["high"] - table["low"] < table["gold_high"] - table["gold_low"]).all()
        unaided = consensus.fit(crowd.judgments)  # what has not seen gold
        np.testing.assert_allclose(table["mean_confidence"], unaided.posterior.mean(axis=0))

    def test_without_gold(self, crowd: Any) -> None:
        result = consensus.fit(crowd.judgments)
        table = consensus.shares(result)
        assert table.drop(columns=["label", "gold_items", "mean_confidence"]).isna().all(axis=None)
        np.testing.assert_allclose(table["mean_confidence"], result.posterior.mean(axis=0))
        told = class_shares.in_numbers(SharesTable.of(result))
        assert class_shares.lines(told) == [NO_ESTIMATE]
        assert class_shares.records(told) == []

    @pytest.mark.parametrize(("n", "words"), [(1, "1 gold item is too few"), (9, "9 gold items are too few")])
    def test_too_few_gold(self, crowd: Any, n: int, words: str) -> None:
        result = consensus.fit(crowd.judgments, gold=gold_of(crowd, range(n)))
        found = SharesTable.of(result)
        assert np.isnan(found.numbers["share"]).all()
        assert found.numbers["gold_items"].sum() == n
        told = class_shares.in_numbers(found)
        assert class_shares.lines(told) == [f"{words} for shares: 10 drawn at random are needed; {NO_ESTIMATE}"]
        assert class_shares.records(told) == []
        enough = SharesTable.of(consensus.fit(crowd.judgments, gold=gold_of(crowd, range(10))))
        assert np.isfinite(enough.numbers["share"]).all()

    def test_all_items_are_gold(self, crowd: Any) -> None:
        found = SharesTable.of(consensus.fit(crowd.judgments, gold=gold_of(crowd, range(N))))
        np.testing.assert_allclose(found.numbers["low"], found.numbers["high"], atol=1e-12)
        np.testing.assert_allclose(found.numbers["share"], np.bincount(crowd.truth) / N, atol=1e-12)
        (said,) = class_shares.lines(class_shares.in_numbers(found))
        assert said == "all 160 items are gold: these are their shares, and nothing is estimated"

    def test_several_right_labels(self, crowd: Any) -> None:
        gold = gold_of(crowd, range(20))
        more = gold.iloc[:1].assign(label=next(one for one in crowd.judgments.labels if one != gold["label"][0]))
        found = SharesTable.of(consensus.fit(crowd.judgments, gold=pd.concat([gold, more])))
        assert found.numbers["gold_items"].sum() == pytest.approx(20)
        assert found.n_split == 1
        assert (found.numbers["gold_items"] % 1 > 0).sum() == 2
        split = class_shares.lines(class_shares.in_numbers(found))[-1]
        assert split == "1 gold item has several right labels and counts in part for each, as the judgments say"

    def test_gold_that_is_picked(self, crowd: Any) -> None:
        one = np.flatnonzero(np.asarray(crowd.truth) == 0)[:40].tolist()
        found = SharesTable.of(consensus.fit(crowd.judgments, gold=gold_of(crowd, one)))
        assert not found.looks_random
        assert class_shares.lines(class_shares.in_numbers(found))[-1] == NOT_RANDOM

    def test_one_judgment_an_item_has_no_confidence(self) -> None:
        rows = pd.DataFrame({"item": [f"i{i}" for i in range(30)], "worker": "w", "label": list("abb") * 10})
        table = consensus.shares(consensus.fit(rows))
        assert table["mean_confidence"].isna().all()

    def test_many_labels_are_told_in_part(self) -> None:
        crowd = simulate(300, 10, 25, 3, seed=1)
        told = class_shares.in_numbers(Findings.of(consensus.fit(crowd.judgments)).shares)
        assert len(told["by_label"]) == 20


@pytest.fixture
def files(crowd: Any, tmp_path: Path) -> tuple[Path, Path]:
    j = crowd.judgments
    rows = pd.DataFrame(
        {
            "item": j.item_ids.take(j.item).to_pylist(),
            "worker": j.worker_ids.take(j.worker).to_pylist(),
            "label": [j.labels[k] for k in j.label],
        }
    )
    rows.to_csv(tmp_path / "j.csv", index=False)
    gold_of(crowd, np.random.default_rng(1).permutation(N)[:60].tolist()).to_csv(tmp_path / "g.csv", index=False)
    return tmp_path / "j.csv", tmp_path / "g.csv"


class TestCommand:
    def test_table_and_words(self, files: tuple[Path, Path], run: Run, fitted: Consensus) -> None:
        ran = run("shares", files[0], "--gold", files[1])
        assert ran.status == 0
        found, expected = pd.read_csv(io.StringIO(ran.out)), consensus.shares(fitted)
        np.testing.assert_allclose(found.drop(columns="label"), expected.drop(columns="label"), atol=1e-6)
        assert ran.err.splitlines()[-2:] == [
            f"shares of all {N} items, estimated from 60 gold items and all judgments: each interval holds the true "
            "share in 95% of cases, if gold was drawn at random (not picked by hand or by label)",
            "each label is estimated by itself, so the shares need not add up to 100%",
        ]

    def test_without_gold(self, files: tuple[Path, Path], run: Run) -> None:
        ran = run("shares", files[0], "--json")
        first = json.loads(ran.out.splitlines()[0])
        assert first["share"] is None
        assert first["mean_confidence"] > 0
        assert ran.err.splitlines()[-1] == NO_ESTIMATE

    def test_of_a_finished_run(self, files: tuple[Path, Path], run: Run, tmp_path: Path) -> None:
        out = tmp_path / "out"
        assert run("run", files[0], "--gold", files[1], "--rho", "0.2", "--out", out).status == 0
        again = run("shares", out, "-q")
        direct = run("shares", files[0], "--gold", files[1], "--rho", "0.2", "-o", tmp_path / "s.csv")
        assert (again.status, direct.status) == (0, 0)
        assert again.out == (tmp_path / "s.csv").read_text()
        told = json.loads((out / "summary.json").read_text())["class_shares"]
        assert {name: told[name] for name in told if name != "by_label"} == {
            "items": N,
            "gold_items": 60,
            "gold_items_split": 0,
            "gold_items_needed": 10,
            "gold_looks_random": True,
            "interval_level": 0.95,
        }
        rows = pd.read_csv(io.StringIO(again.out), dtype={"label": str}).set_index("label")
        for label, numbers in told["by_label"].items():
            assert rows.loc[label].to_dict() == pytest.approx(numbers, abs=1e-6)

    def test_a_finished_run_has_its_own_settings(self, files: tuple[Path, Path], run: Run, tmp_path: Path) -> None:
        out = tmp_path / "out"
        assert run("run", files[0], "--out", out).status == 0
        for given, name in ((("--gold", files[1]), "--gold"), (("--rho", "0.1"), "--rho")):
            refused = run("shares", out, *given)
            assert refused.status == 1
            assert (
                f"{out}: a finished run has its own files and settings; leave out {name}, or give the judgments "
                "themselves"
            ) in refused.err
        assert run("shares", out, "--threads", "1", "-q").status == 0


class TestPage:
    def test_chart_and_words(self, fitted: Consensus) -> None:
        found = Findings.of(fitted)
        shown = page.collected(found)
        assert [one["label"] for one in shown["shares"]] == list(fitted.judgments.labels)
        html = rendering.rendered(shown, found.summary)
        assert "How common each label truly is" in html
        assert '<p class="note">Shares of all 160 items, estimated from 60 gold items' in html
        assert '"shares":{' in html  # the chart
        marks = rendering._specs(shown)["shares"]["layer"]
        assert [one["mark"]["type"] for one in marks] == ["rule", "rule", "point"]
        assert [one["encoding"].get("x2", {}).get("field") for one in marks] == ["gold_high", "high", None]

    def test_gold_that_is_picked(self, crowd: Any) -> None:
        one = np.flatnonzero(np.asarray(crowd.truth) == 0)[:40].tolist()
        found = Findings.of(consensus.fit(crowd.judgments, gold=gold_of(crowd, one)))
        html = rendering.rendered(page.collected(found), found.summary)
        assert '<p class="warning">Warning gold_not_random: the gold items do not look drawn at random' in html

    def test_without_gold(self, crowd: Any) -> None:
        found = Findings.of(consensus.fit(crowd.judgments))
        html = rendering.rendered(page.collected(found), found.summary)
        assert "How common is each label? Mean confidence in a label is no estimate of its share" in html
        assert '"shares":{' not in html
