"""report.html: its numbers are those of the tables, ids are text, and it stays small."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from consensus import agreement, escalation, fit, read, read_gold, simulate, simulation, worker_audit
from consensus.config import EscalateConfig
from consensus.errors import OutputError
from consensus.found.result import Consensus
from consensus.report import charts, guarding, page, page_data, rendering
from consensus.report.page_data.plain_records import plain, records
from consensus.runs import Run, folder
from consensus.worker_audit import WorkerAudit
from tests.conftest import DIGITS

RULE = EscalateConfig()


def shown(result: Consensus, part: float = 1.0, **settings: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Facts and summary of a result."""
    found = Run.of(result, **settings)
    return page.collected(found, part), found.summary


def embedded(html: str, name: str) -> Any:
    """JSON that stands in a page."""
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', html, flags=re.S)
    assert found
    return json.loads(found[1])


def named_in_text(html: str) -> set[str]:
    """Names with underscores in the text of a page."""
    words = re.sub(r"<(script|style|code)\b.*?</\1>", " ", html, flags=re.S)
    return set(re.findall(r"\b[a-z]+_[a-z_]+\b", re.sub(r"<[^>]+>", " ", words)))


@pytest.fixture(scope="module")
def digits() -> Consensus:
    return fit(read(DIGITS / "judgments.csv"), gold=read_gold(DIGITS / "gold.csv"))


@pytest.fixture(scope="module")
def output(digits: Consensus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report") / "out"
    folder.write(Run.of(digits), out, folder.Output(report=True))
    return out


class TestNumbers:
    @pytest.mark.slow
    def test_workers_and_confusions(self, output: Path) -> None:
        html = (output / "report.html").read_text()
        data = embedded(html, "data")
        workers = pd.read_csv(output / "workers.csv").set_index("worker")
        columns = data["workers"]["columns"]
        assert len(data["workers"]["rows"]) == len(workers) == 36
        for row in data["workers"]["rows"]:
            one = dict(zip(columns, row, strict=True))
            for name in columns[2:]:
                there: Any = workers.at[one["worker"], name]
                if isinstance(one[name], float):
                    assert there == pytest.approx(one[name], abs=2e-6)
                else:
                    assert one[name] is None if pd.isna(there) else one[name] == there
        confusions = pd.read_csv(output / "confusions.csv", dtype={"label": str, "true_label": str})
        numbers_of = confusions.set_index(["worker", "true_label", "label"])[["count", "probability", "low", "high"]]
        cells: Any = dict(zip(numbers_of.index, numbers_of.to_numpy(), strict=True))
        assert set(data["confusions"]) == set(workers.index)
        for worker, rows in data["confusions"].items():
            assert 1 <= len(rows) < 100
            assert len(rows) == (confusions["worker"] == worker).sum()
            for t, label, *numbers in rows[::7]:
                there = cells[worker, data["labels"][t], data["labels"][label]]
                np.testing.assert_allclose(there, numbers, atol=6e-5)

    @pytest.mark.slow
    def test_items_and_shares(self, output: Path) -> None:
        html = (output / "report.html").read_text()
        labels = pd.read_csv(output / "labels.csv", dtype={"label": str}).set_index("item")
        items = embedded(html, "data")["items"]
        assert len(items) == len(labels) == 1797
        for one in items[::50]:
            there = labels.loc[one["id"]]
            assert one["status"] == there["status"]
            assert len(one["votes"]) == there["n_judgments"]
            if there["status"] != "gold":
                assert (one["label"], one["confidence"]) == (
                    there["label"],
                    pytest.approx(there["confidence"], abs=2e-6),
                )
        specs = embedded(html, "specs")
        shares = specs["labels"]["data"]["values"]
        counted = labels["label"].value_counts()
        assert {one["label"]: one["items"] for one in shares} == counted.to_dict()
        told = json.loads((output / "summary.json").read_text())
        assert f"{told['quality']['accepted']:,} of {told['quality']['items']:,} labels without gold are sure" in html
        for status, n in told["counts"]["status"].items():
            assert (labels["status"] == status).sum() == n

    @pytest.mark.slow
    def test_escalations_and_confidences(self, output: Path, digits: Consensus) -> None:
        rows = pd.read_csv(output / "escalations.csv", dtype={"label": str, "runner_up": str})
        facts_, _ = shown(digits)
        assert [one["item"] for one in facts_["top"]] == rows["item"].tolist()[:25]
        for one, (_, there) in zip(facts_["top"], rows.iterrows(), strict=False):
            assert one["confidence"] == pytest.approx(there["confidence"], abs=2e-6)
            assert one["suggested_workers"] == there["suggested_workers"]
        assert facts_["n_escalated"] == len(rows)
        assert sum(one["items"] for one in facts_["reasons"]) == len(rows)
        labels = pd.read_csv(output / "labels.csv")
        for one in facts_["confidences"]:
            of = labels[labels["status"] == one["status"]]["confidence"]
            n = ((of >= one["low"] - 1e-9) & ((of < one["high"] - 1e-9) | (one["high"] == 1.0))).sum()
            assert abs(one["items"] - n) <= 1  # one that is rounded into the next bin
        assert sum(one["items"] for one in facts_["confidences"]) == 1797

    @pytest.mark.slow
    def test_the_same_run_gives_the_same_page(self, output: Path, digits: Consensus) -> None:
        facts_, told = shown(digits)
        html = rendering.rendered(facts_, told)
        assert html == rendering.rendered(*shown(digits))
        assert embedded(html, "data") == embedded((output / "report.html").read_text(), "data")

    @pytest.mark.slow
    def test_agreement_is_that_of_the_command(self, digits: Consensus) -> None:
        table = agreement(digits.judgments, n_bootstrap=200, seed=0)
        told = shown(digits)[0]["agreement"]
        assert [one["of"] for one in told] == ["all labels"] * 4 + list(digits.judgments.labels)
        alphas = table[table["statistic"] == "krippendorff_alpha"]["value"].tolist()
        assert [one["value"] for one in told if one["statistic"] == "krippendorff_alpha"] == alphas

    @pytest.mark.slow
    def test_loads_nothing(self, output: Path) -> None:
        html = (output / "report.html").read_text()
        page_alone = html.split('<script type="application/json" id="data">')[0]
        assert not re.search(r'(src|href)="(?!#|data:,)', page_alone)
        assert (output / "report.html").stat().st_size < 3_000_000


class TestOdd:
    EVIL = (
        "<img src=x onerror=alert(1)>",
        "</script><script>alert(2)</script>",
        "=HYPERLINK(1)",
        "__proto__",
        "a&b\u2028",
    )

    @pytest.mark.compiled
    def test_ids_are_text(self, write: Callable[[str, str], Path], run: Any, tmp_path: Path) -> None:
        rows = ["item,worker,label"]
        for item in self.EVIL:
            rows += [f'"{item}","{worker}","{self.EVIL[0 if w else 2]}"' for w, worker in enumerate(self.EVIL)]
        path = write("evil.csv", "\n".join(rows) + "\n")
        assert run("run", path, "--output", tmp_path / "out", report=True).status == 0
        html = (tmp_path / "out" / "report.html").read_text()
        for evil in self.EVIL[:2]:
            assert evil not in html
        assert "&lt;img src=x onerror=alert(1)&gt;" in html
        data = embedded(html, "data")
        seen = [guarding.cleaned(evil) for evil in self.EVIL]
        assert seen[-1] == "a&b\\u2028"
        assert sorted(one["id"] for one in data["items"]) == sorted(seen)
        assert {row[0] for row in data["workers"]["rows"]} == set(seen)
        assert html.count("<script") == 4

    def test_one_judgment_an_item(self) -> None:
        facts_, told = shown(fit(simulate(30, 3, 2, 1, seed=1).judgments))
        assert facts_["confidences"] == facts_["reliability"] == facts_["budget"] == []
        assert "unaudited" in rendering.rendered(facts_, told)

    def test_models_alone_and_with_people(self) -> None:
        drawn = simulate(200, 8, 3, 2, seed=1)
        votes = simulation.simulate_votes(drawn, 3, soft=True)
        together = fit(drawn.judgments, model_votes=votes)
        facts_, told = shown(together)
        assert [one["model"] for one in facts_["models"]] == list(votes.models)
        html = rendering.rendered(facts_, told)
        assert "calibration" in embedded(html, "specs")
        assert "<h2" in html
        assert 'href="#models"' in html
        assert all(one["models"] for one in facts_["items"])
        alone, told = shown(fit(None, model_votes=votes))
        assert alone["agreement"] == []
        assert alone["evidence"] == {}
        assert "people judged nothing" in rendering.rendered(alone, told)

    def test_several_readings(self) -> None:
        result = fit(simulate(300, 12, 2, 4, accuracy=0.65, seed=1).judgments, model="average")
        assert result.readings is not None
        assert 0 < result.readings.disputed.sum() < result.readings.listed.sum() <= 40
        facts_, told = shown(result)
        assert len(facts_["disputed"]) == told["readings"]["listed"] == result.readings.listed.sum()
        assert told["readings"]["disputed"] == result.readings.disputed.sum()
        assert told["readings"]["worker_weighted"] == result.readings.otherwise.sum()
        sure = [one["confidence"] for one in facts_["disputed"]]
        assert sure == sorted(sure)
        several = [
            [one[of] for of in ("label", *result.readings.names, "worker_weighted")] for one in facts_["disputed"]
        ]
        assert all(len(set(labels)) == 2 for labels in several)
        assert all(one["readings"][0][0] == "all readings" for one in facts_["items"])
        html = rendering.rendered(facts_, told)
        assert "Disputed between readings" in html
        assert "Average of 3 readings (models of how workers err), weighted Dawid-Skene ." in html
        assert "stand in readings.csv" not in html
        facts_["disputed"] = facts_["disputed"][:3]
        assert "3 of" in rendering.rendered(facts_, told)
        one, told = shown(fit(simulate(300, 12, 2, 4, accuracy=0.65, seed=1).judgments, model="dawid_skene"))
        assert one["disputed"] == []
        assert told["readings"] is None
        assert "Disputed between readings" not in rendering.rendered(one, told)

    def test_settled_and_unknown(self) -> None:
        result = fit(simulate(60, 6, 2, 5, accuracy=0.99, seed=1).judgments, rho=0.0)
        facts_, told = shown(result, target=0.51)
        assert facts_["budget"] == facts_["reasons"] == facts_["top"] == []
        assert "Nothing: every item is settled." in rendering.rendered(facts_, told)

    def test_rejected_rows_are_counted(self, write: Callable[[str, str], Path]) -> None:
        path = write("j.csv", "item,worker,label\na,w,x\na,v,x\nb,w,y\n,w,y\n")
        facts_, told = shown(fit(read(path)))
        assert [one["rows"] for one in facts_["rejects"]] == [1]
        assert "Rows that were refused" in rendering.rendered(facts_, told)

    def test_copies_and_drift(self, digits: Consensus) -> None:
        facts_, told = shown(digits)
        assert [one["worker"] for one in facts_["drift"]] == ["w14", "w32"]
        html = rendering.rendered(facts_, told)
        assert "the most likely day of a change on." in html
        assert "changed at (UTC)" in html
        lines = [{"worker": "w14", "period": "before", "accuracy": 0.9, "row": 7}]
        html = rendering.rendered({**facts_, "drift_lines": lines}, told)
        guess = "the most likely row of a change on, if rows stand in the order in which judgments were made: a guess."
        assert guess in html
        assert "changed at (UTC)" not in html
        assert len(facts_["drift_lines"]) == 6
        assert facts_["copying"] == []
        assert page_data.drift_records(WorkerAudit(fit(simulate(20, 4, 2, 3).judgments))) == ([], [])


class TestSize:
    def test_a_large_crowd_is_sampled(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from consensus.report.page_data import about_items as item_facts

        monkeypatch.setattr(item_facts, "MOST_JUDGMENTS", 300)
        monkeypatch.setattr(page_data, "MOST_WORKERS", 10)
        monkeypatch.setattr(page_data, "MOST_CELLS", 30)
        result = fit(simulate(400, 30, 2, 5, spammers=0.2, seed=1).judgments)
        facts_, told = shown(result)
        assert len(facts_["items"]) <= 60
        urgent = [one["item"] for one in facts_["top"]][:20]
        assert set(urgent) <= {one["id"] for one in facts_["items"]}
        assert len(facts_["workers"]) == 10
        spammers = {one["worker"] for one in facts_["workers"] if one["verdict"] == "spammer"}
        assert spammers
        assert spammers <= set(facts_["confusions"])
        assert len(facts_["confusions"]) == 7
        everyone = worker_audit.worker_columns(WorkerAudit(result))
        busiest = everyone["worker"][int(np.argmax(everyone["n_judgments"]))].as_py()
        assert busiest in {one["worker"] for one in facts_["workers"]}
        html = rendering.rendered(facts_, told)
        assert "10 of 30 workers are shown" in html
        assert "of 400 items can be looked up here" in html

    def test_less_is_shown_until_it_is_small_enough(self, monkeypatch: pytest.MonkeyPatch) -> None:
        result = fit(simulate(60, 6, 2, 3, seed=1).judgments)
        monkeypatch.setattr(page_data, "MOST_ITEMS", 60)
        found = Run.of(result)
        sizes: list[int] = []
        for most in (10_000_000, 10_000_000, 0):
            monkeypatch.setattr(page, "MOST_BYTES", most if not sizes else min(most, sizes[0] - 1))
            html = page.made(found).decode()
            sizes.append(len(html.encode()))
            most_items = (60, 30, 6)[len(sizes) - 1]
            assert most_items // 2 < len(embedded(html, "data")["items"]) <= most_items
        assert sizes == sorted(sizes, reverse=True)

    def test_what_is_always_shown_is_made_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made: list[Consensus] = []

        def nothing(result: Consensus) -> list[Any]:
            made.append(result)
            return []

        monkeypatch.setattr(page, "MOST_BYTES", 0)
        monkeypatch.setattr(page, "_agreement", nothing)
        page.made(Run.of(fit(simulate(60, 6, 2, 3, seed=1).judgments)))
        assert len(made) == 1

    def test_of_many_points_some_are_drawn(self) -> None:
        def points(*verdicts: str) -> list[dict[str, Any]]:
            return [{"worker": str(i), "verdict": one} for i, one in enumerate(verdicts)]

        some = page_data.some_points(points(*["good", "spammer", "good", "good", "careless"] * 20), 20)
        assert len(some) == 20
        assert sum(one["verdict"] in {"spammer", "careless"} for one in some) >= 10
        assert [int(one["worker"]) for one in some] == sorted(int(one["worker"]) for one in some)
        assert int(some[-1]["worker"]) > 90
        assert len(page_data.some_points(points(*["spammer"] * 30), 20)) == 20
        few = points("good", "spammer")
        assert page_data.some_points(few, 2) is few

    def test_a_chart_of_some_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from consensus.report.page_data import about_workers

        facts_, told = shown(fit(simulate(200, 12, 2, 5, seed=1).judgments))
        assert '<p class="about">Every worker with the 95% interval' in rendering.rendered(facts_, told)
        monkeypatch.setattr(page_data, "MOST_POINTS", 8)
        monkeypatch.setattr(about_workers.some_points, "__defaults__", (8,))
        assert "8 workers of 12, with those who are to be stopped or trained, with the" in rendering.rendered(
            facts_, told
        )

    def test_models_are_no_workers(self) -> None:
        drawn = simulate(60, 6, 2, 3, seed=2)
        found = Run.of(fit(drawn.judgments, model_votes=drawn.truth_table().assign(model="m")))
        facts_ = page.collected(found)
        assert facts_["n_workers"] == 6 < len(facts_["workers"])
        html = rendering.rendered(facts_, found.summary)
        assert "workers are shown:" not in html
        assert "Dawid-Skene alone, because models voted" in html
        assert '<td data-title="value"><code>dawid_skene</code></td>' in html
        assert named_in_text(html) == set()

    @pytest.mark.slow
    def test_many_labels(self) -> None:
        result = fit(simulate(300, 10, 50, 3, seed=1).judgments)
        facts_, told = shown(result)
        assert len(facts_["labels"]) == 40
        assert "The 40 most frequent of 50 labels." in rendering.rendered(facts_, told)


class TestExtra:
    @pytest.fixture
    def judged(self, tmp_path: Path) -> Path:
        simulate(40, 5, 2, 3, seed=1).judgments_table().to_csv(tmp_path / "judged.csv", index=False)
        return tmp_path / "judged.csv"

    @pytest.mark.parametrize("missing", ["altair", "jinja2", "vl_convert"])
    def test_without_it(
        self, missing: str, monkeypatch: pytest.MonkeyPatch, run: Any, tmp_path: Path, judged: Path
    ) -> None:
        monkeypatch.setattr(charts, "find_spec", lambda name: None if name == missing else object())
        ran = run("run", judged, "--output", tmp_path / "a", report=True)
        assert ran.status == 0
        assert "no report.html, a page to look at: pip install 'crowd-consensus[report]'" in ran.err
        assert not (tmp_path / "a" / "report.html").exists()
        ran = run("run", judged, "--output", tmp_path / "b", "--report", report=True)
        assert ran.status == 3
        assert "charts and reports need Altair, Jinja and vl-convert: pip install" in ran.err
        assert not (tmp_path / "b").exists()
        with pytest.raises(OutputError, match="charts and reports need"):
            _ = fit(simulate(20, 4, 2, 3).judgments).plot

    def test_said_in_the_end(self, run: Any, tmp_path: Path, judged: Path) -> None:
        ran = run("run", judged, "--output", tmp_path / "a", report=True)
        assert ran.err.splitlines()[-1] == f"wrote {tmp_path / 'a' / 'report.html'}"
        again = run("run", judged, "--output", tmp_path / "a", "--overwrite")
        assert again.err.splitlines()[-1] == f"wrote {tmp_path / 'a'}"
        assert not (tmp_path / "a" / "report.html").exists()


class TestRecords:
    def test_no_number_is_lost_or_odd(self) -> None:
        assert plain(0.12345678) == 0.123457
        assert plain(float("nan")) is plain(float("inf")) is plain(None) is None
        columns = {"a": np.array([1.0, np.nan, 3.0]), "b": np.array([1, 2, 3])}
        assert records(columns, ["b", "a"], [2, 1]) == [{"b": 3, "a": 3.0}, {"b": 2, "a": None}]
        assert records(columns, ["a"]) == [{"a": 1.0}, {"a": None}, {"a": 3.0}]

    @pytest.mark.parametrize(
        ("value", "kind", "text"),
        [
            (None, "count", "\N{EN DASH}"),
            (None, "text", ""),
            (0.1234, "percent", "12.3%"),
            (1234567.0, "count", "1,234,567"),
            (0.00012345, "number", "0.000123"),
            (0.00012345, "tiny", "below 0.001"),
            (0.0123, "tiny", "0.0123"),
            ("x", "text", "x"),
        ],
    )
    def test_as_text(self, value: Any, kind: str, text: str) -> None:
        assert rendering.as_text(value, kind) == text

    def test_json_ends_no_script(self) -> None:
        text = rendering.as_json({"</script>": "<!--\u2028"})
        assert "<" not in text
        assert json.loads(text) == {"</script>": "<!--\u2028"}


class TestBudgetCurve:
    @pytest.mark.compiled
    def test_is_what_the_steps_of_the_look_ahead_add_up_to(self) -> None:
        result = fit(simulate(200, 10, 3, 3, accuracy=0.65, seed=1).judgments)
        found = escalation.planned(result, RULE)
        spent, saved = escalation.budget_curve(result, found, RULE)
        assert (np.diff(spent) > 0).all()
        fall = np.diff(np.concatenate([[0], saved])) / np.diff(np.concatenate([[0], spent]))
        assert (np.diff(fall) <= 1e-12).all()
        waiting = np.flatnonzero((found.reason >= 0) & (found.reason != escalation.REASONS.index("needs_expert")))
        curves = escalation.look_ahead.look_ahead(result, waiting, RULE)
        assert saved[-1] <= (curves.loss - curves.least_loss).sum() + 1e-9
        assert saved[-1] >= 0.95 * (curves.loss - curves.least_loss).sum()

    @pytest.mark.slow
    def test_of_very_many_items_some_are_looked_at(self, monkeypatch: pytest.MonkeyPatch) -> None:
        result = fit(simulate(2000, 10, 3, 3, accuracy=0.65, seed=1).judgments)
        found = escalation.planned(result, RULE)
        spent, saved = escalation.budget_curve(result, found, RULE)
        monkeypatch.setattr(escalation.budgets, "MOST_LOOKED_AT", 400)
        some_spent, some_saved = escalation.budget_curve(result, found, RULE)
        assert some_spent[-1] == pytest.approx(spent[-1], rel=0.1)
        assert some_saved[-1] == pytest.approx(saved[-1], rel=0.1)
        assert len(some_spent) < len(spent)


def test_members_of_a_ring_are_shown() -> None:
    drawn = simulate(300, 12, 3, 6, seed=2).judgments
    said = np.zeros(drawn.n_items, np.int32)
    said[drawn.item[drawn.worker == 0]] = drawn.label[drawn.worker == 0]
    copied = replace(drawn, label=np.where(drawn.worker < 3, said[drawn.item], drawn.label))
    result = worker_audit.fit_without_copies(copied, collusion="report")
    facts_, told = shown(result)
    assert {one["worker_a"] for one in facts_["copying"]} <= {"w00", "w01", "w02"}
    assert "Who judges too much alike" in rendering.rendered(facts_, told)
    merged, _ = shown(worker_audit.fit_without_copies(copied, collusion="merge"))
    assert len(merged["workers"]) == 12
    assert "w00" in merged["evidence"]


@pytest.mark.slow
def test_no_name_of_code_is_on_the_page(output: Path) -> None:
    """Names with underscores are for files and programs; ids and labels of people's own data may have them."""
    html = (output / "report.html").read_text()
    named = {one for one in named_in_text(html) if not one.startswith("digit_")}
    titles = re.findall(r'"title":"([^"]*)"', re.findall(r'id="specs">(.*?)</script>', html, flags=re.S)[0])
    assert titles
    assert named | {one for one in titles if "_" in one} == set()
