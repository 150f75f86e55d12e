"""Re-tests of workers whose verdict is open: in a table of their own, and among the escalations."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from consensus import audit, escalate, fit, runs, simulate, worker_audit
from consensus.config import AuditConfig
from consensus.escalation.retests import retests
from consensus.found.result import Consensus, framed
from consensus.report import outlook_words, words
from consensus.simulation import Simulation
from consensus.worker_audit import WorkerAudit
from tests.conftest import Run

pytestmark = pytest.mark.usefixtures("by_dawid_skene")


@pytest.fixture(scope="module")
def result() -> Consensus:
    drawn = simulate(120, 12, 2, 3, accuracy=0.7, spammers=0.3, seed=6)
    return fit(drawn.judgments, gold=drawn.truth_table(30))


def test_who_is_tested_and_with_how_much(result: Consensus) -> None:
    table = worker_audit.retest_table(result, min_worker_judgments=20, n_items=7)
    assert list(table.columns) == ["worker", "verdict", "n_needed", "item", "label"]
    rated = audit(result).set_index("worker")
    judged = dict(zip(rated.index, rated["n_judgments"], strict=True))
    told = table.drop_duplicates("worker").set_index("worker")
    assert (told["verdict"] == rated["verdict"].reindex(told.index)).all()
    short = [worker for worker, n in judged.items() if n < 20]
    assert short
    assert set(short) <= set(told.index)
    open_ones = rated.index[(rated["verdict"] == "too_few") & (rated["n_judgments"] >= 20)]
    assert len(open_ones)
    for worker in told.index:
        own = table[table["worker"] == worker]
        assert own["n_needed"].nunique() == 1
        assert len(own) == min(int(own["n_needed"].iloc[0]), 7)
        if worker in short:
            assert own["n_needed"].iloc[0] >= 20 - judged[worker]
        if worker in open_ones:
            assert own["n_needed"].iloc[0] >= 20
    sure = rated.index[rated["verdict_probability"] > 0.96]
    assert not set(sure) & set(told.index)


def test_the_undecided_get_as_many_again(result: Consensus, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the accuracy is settled, but not whether it is one of a spammer."""
    monkeypatch.setattr(
        "consensus.worker_audit.on_gold.retest_items.needed", lambda accuracy, *_: np.zeros(len(accuracy), np.int64)
    )
    told = worker_audit.retest_table(result).drop_duplicates("worker").set_index("worker")["n_needed"]
    rated = audit(result).set_index("worker")
    n = rated["n_judgments"]
    for worker in rated.index[rated["verdict"] == "too_few"]:
        assert told[worker] == (20 if n[worker] >= 20 else 20 - n[worker])
    assert set(told.index) == set(rated.index[rated["verdict"] == "too_few"])


@pytest.mark.compiled
def test_as_many_as_are_missing() -> None:
    """A good worker with 18 of 20 judgments needs two more, whatever their accuracy."""
    crowd = np.stack([np.full((3, 3), 0.01) + 0.97 * np.eye(3), *[np.full((3, 3), 0.1) + 0.7 * np.eye(3)] * 9])
    drawn = simulate(400, confusion=crowd, per_item=5, seed=3)
    j = drawn.judgments
    late = np.flatnonzero(j.worker == 0)[18:]
    keep = np.ones(j.n_judgments, np.bool_)
    keep[late] = False
    table = worker_audit.retest_table(fit(j.subset(keep)))
    own = table[table["worker"] == "w0"]
    assert own["n_needed"].tolist() == [2, 2]


def test_among_the_escalations(result: Consensus) -> None:
    everything = np.ones(result.judgments.n_items, np.bool_)
    rows = framed(retests(WorkerAudit(result, AuditConfig(retest=3)), everything, 100, None).columns(result))
    proposed = worker_audit.retest_table(result, n_items=3)
    assert list(rows.columns) == list(escalate(result).columns)
    assert rows["item"].tolist() == proposed["item"].tolist()
    assert rows["suggested_workers"].tolist() == proposed["worker"].tolist()
    assert set(rows["reason"]) == {"retest"}
    assert (rows["judgments_needed"] == 1).all()
    assert rows["priority"].isna().all()
    labels = result.labels.set_index("item").reindex(rows["item"])
    assert rows["n_judgments"].tolist() == labels["n_judgments"].tolist()
    assert rows["label"].tolist() == labels["label"].tolist()
    assert framed(retests(WorkerAudit(result), everything, 100, None).columns(result)).empty


def told_of(drawn: Simulation, **settings: Any) -> tuple[Any, list[str]]:
    found = runs.Run.of(fit(drawn.judgments), **settings)
    return found, words.of_escalation(found)


class TestWhyNot:
    """Who asked for retests and gets none reads why."""

    def test_every_item_has_the_most_judgments(self) -> None:
        drawn = simulate(250, 14, 2, 8, accuracy=0.85, spammers=0.2, seed=6)
        found, said = told_of(drawn, retest=20)
        n = found.table("retest")["worker"].nunique()
        assert n > 1
        assert (found.outlook.retests, found.outlook.verdicts_open, found.outlook.workers_tested) == (0, n, 0)
        assert (
            f"no retest is listed, though {n} verdicts are open: it takes gold items, or accepted ones whose label is "
            "all but certain, with fewer judgments than --max-judgments (7); give gold, or raise --max-judgments"
        ) in said
        found, said = told_of(drawn, retest=20, max_judgments=30)
        assert found.outlook.retests > 0
        assert not any("retest" in one for one in said if "open" in one)
        found, said = told_of(drawn)
        assert found.outlook.verdicts_open is None
        assert not any("retest" in one for one in said)

    def test_no_verdict_is_open(self) -> None:
        drawn = simulate(400, 4, 2, 4, accuracy=0.9, seed=6)
        found, said = told_of(drawn, retest=20)
        assert found.outlook.verdicts_open == 0
        assert "no retest is listed: no worker's verdict is open" in said

    def test_some_are_left_out(self) -> None:
        told = {"verdicts_open": 5, "workers_tested": 4, "workers_named": 3}
        (line,) = outlook_words._untested(told, {"max_judgments": 7})
        assert line.startswith("1 worker gets no retest, though 5 verdicts are open: it takes gold items, or ")
        assert "than --max-judgments (7), and workers who are available; give" in line


@pytest.mark.compiled
def test_within_cap_budget_and_pool(run: Run, tmp_path: Path) -> None:
    drawn = simulate(250, 14, 2, 3, accuracy=0.85, spammers=0.2, seed=6)
    drawn.judgments_table().to_csv(tmp_path / "j.csv", index=False)
    drawn.truth_table(8).to_csv(tmp_path / "g.csv", index=False)
    command = ("escalate", tmp_path / "j.csv", "--gold", tmp_path / "g.csv", "--target", 0.9)

    def listed(*arguments: object) -> pd.DataFrame:
        ran = run(*command, "--quiet", "-o", tmp_path / "e.csv", *arguments)
        assert ran.status == 0, ran.err
        return pd.read_csv(tmp_path / "e.csv", dtype={"item": str})

    gold = set(drawn.truth_table(8)["item"])
    capped = listed("--retest", 50, "--max-judgments", 4)
    tests = capped[(capped["reason"] == "retest") & ~capped["item"].isin(gold)]
    asked = capped[~capped["item"].isin(gold)].groupby("item").agg({"n_judgments": "first", "judgments": "sum"})
    assert len(tests)
    assert asked.sum(axis=1)[asked["judgments"] > 0].max() == 4
    assert not set(tests["item"]) & set(capped.loc[capped["reason"] != "retest", "item"])

    open_ones = capped.loc[capped["reason"] == "retest", "suggested_workers"].unique().tolist()
    assert len(open_ones) > 2
    rows = [f"{open_ones[0]},1,2", f"{open_ones[1]},,2", "w0,,1" if "w0" not in open_ones else "w1,,1"]
    (tmp_path / "w.csv").write_text("\n".join(["worker,available,price", *rows]) + "\n")
    pool = listed("--retest", 5, "--budget", 20, "--workers", tmp_path / "w.csv")
    tested = pool.loc[pool["reason"] == "retest", "suggested_workers"].tolist()
    assert sorted(tested) == sorted([open_ones[0], *[open_ones[1]] * 5])
    rest = pool.loc[pool["reason"] != "retest", "suggested_workers"].str.split(" | ", regex=False).explode()
    price = {row.split(",")[0]: int(row.split(",")[2]) for row in rows}
    assert open_ones[0] not in set(rest)  # they are not available for more
    assert 18 - 12 <= sum(price[name] for name in rest) <= 20 - 12
    ran = run(*command, "--retest", 5, "--budget", 3)
    message = r"budget 3 judgments pays for 3 judgments, but not for the \d+ retests; raise --budget or lower --retest"
    assert ran.status == 3
    assert re.search(message, ran.err)
