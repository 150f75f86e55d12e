"""The order of rows and of files, how rows are split, and how many threads work, change no byte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import consensus
from tests.attack_crowds import Recipe, draw
from tests.conftest import ROOT
from tests.same_bytes.conftest import ran
from tests.same_bytes.crowd import LABELS, SETTINGS, Tables
from tests.same_bytes.outputs import as_is, differing

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.compiled


def test_the_crowd_has_what_could_go_wrong(reference: dict[str, Any], tables: Tables) -> None:
    written = {"confusions", "drift", "escalations", "gold_health", "labels", "models", "posteriors", "rejects"}
    assert {f"{name}.csv" for name in written} | {"workers.csv", "report.html", "summary.json"} == reference.keys()
    rows = reference["summary.json"]["counts"]["rows"]
    assert min(rows["abstained"], rows["repeated"], rows["rejected"]) > 0
    assert reference["rejects.csv"] == ["the worker is missing"] * 3
    unjudged = [line.split(",")[0] for line in reference["labels.csv"].splitlines()[-5:]]
    assert unjudged == ['"new 1"', '"new 2"', '"aa"', '"mm"', '"zz"']
    assert reference["summary.json"]["escalation"]["unknown_named"] == ["ab", "un"]
    assert len(set(tables.judgments["worker"].dropna())) == 14


@pytest.mark.parametrize("seed", [1, 2])
def test_shuffled_rows_of_every_table(seed: int, reference: dict[str, Any], tables: Tables, tmp_path: Path) -> None:
    other = tables.shuffled(seed)
    assert not other.judgments.equals(tables.judgments)
    other.judgments.to_csv(tmp_path / "j.csv", index=False)
    assert differing(reference, ran(tmp_path, tmp_path / "j.csv", **other.written(tmp_path))) == []


@pytest.mark.parametrize("n_files", [2, 7])
@pytest.mark.parametrize("by_turns", [False, True], ids=["one after the other", "by turns, the last first"])
def test_split_files_in_any_order(
    n_files: int, by_turns: bool, reference: dict[str, Any], tables: Tables, given: dict[str, Path], tmp_path: Path
) -> None:
    place = np.arange(len(tables.judgments))
    part = place % n_files if by_turns else place * n_files // len(place)
    files = [tmp_path / f"j{n}.csv" for n in range(n_files)]
    for n, file in enumerate(files):
        tables.judgments[part == n].to_csv(file, index=False)
    assert differing(reference, ran(tmp_path, files[::-1] if by_turns else files, **given)) == []


def test_split_gold_and_votes(
    reference: dict[str, Any], tables: Tables, given: dict[str, Path], tmp_path: Path
) -> None:
    files: dict[str, list[Path]] = {}
    for name, table in (("gold", tables.gold), ("model_votes", tables.votes)):
        files[name] = [tmp_path / f"{name}{n}.csv" for n in range(3)]
        for n, file in enumerate(files[name]):
            table.iloc[n::3].to_csv(file, index=False)
    tables.judgments.to_csv(tmp_path / "j.csv", index=False)
    assert differing(reference, ran(tmp_path, tmp_path / "j.csv", **{**given, **files})) == []


def test_threads_change_nothing_at_all(
    tables: Tables, given: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consensus.backends.SMALLEST_SHARD", 10)  # else so few judgments are one thread's
    file = tmp_path / "j.csv"
    tables.judgments.to_csv(file, index=False)
    written = []
    for threads in (1, 2, 4):
        consensus.run(file, **SETTINGS, **given, threads=threads).save(tmp_path / str(threads), posteriors=True)
        written.append(as_is(tmp_path / str(threads)))
    assert len(written[0]) == 11
    for other in written[1:]:
        assert differing(written[0], other) == []


CROWDS: dict[str, dict[str, Any]] = {
    "weights and clusters": {"weight": "counts", "cluster": "document"},
    "all repeats count": {"repeats": "keep"},
    "a certified set": {"promise": "set", "random_gold": True, "target": 0.8},
    "one spelling": {"fold": ["labels", "items"], "model": "dawid_skene"},
    "majority vote": {"model": "majority_vote"},
}


@pytest.mark.parametrize("settings", CROWDS.values(), ids=CROWDS.keys())
def test_without_times_by_other_settings(settings: dict[str, Any], tables: Tables, tmp_path: Path) -> None:
    table = tables.judgments.drop(columns="timestamp")
    if settings.get("repeats") != "keep":
        table = table.drop_duplicates(["item", "worker"])  # which repeat counts would hang on the order of rows
    code = pd.factorize(table["item"])[0]
    table["document"] = [f"d{one % 11}" for one in code.tolist()]
    table["counts"] = [str(round(0.1 + (one * 7 % 13) / 3, 3)) for one in code.tolist()]
    written = []
    for n, seed in enumerate((None, 1)):
        rows = table if seed is None else table.sample(frac=1, random_state=seed)
        gold = tables.gold if seed is None else tables.shuffled(seed).gold
        run = consensus.run(rows, gold=gold, drift_by="time", **settings)
        run.save(tmp_path / str(n), report=False, posteriors=True)
        written.append({name: one for name, one in as_is(tmp_path / str(n)).items() if name.endswith(".csv")})
    assert differing(*({n: one for n, one in each.items() if n != "rejects.csv"} for each in written)) == []


@pytest.mark.parametrize("attack", ["sybils", "colluders", "gold_aware", "sleepers"])
def test_crowds_under_attack(attack: Any, tmp_path: Path) -> None:
    crowd = draw(Recipe(attack, hostile=0.3, n_labels=3, gold=0.05, newcomers=0.1, n_items=200, n_honest=16), seed=5)
    written = []
    for n, rows in enumerate((crowd.table, crowd.table.sample(frac=1, random_state=2))):
        run = consensus.run(rows, gold=crowd.gold, drift_by="time", threads=n + 1)
        run.save(tmp_path / str(n), report=False)
        written.append({name: one for name, one in as_is(tmp_path / str(n)).items() if name.endswith(".csv")})
    assert differing(*written) == []


def test_an_earlier_run_in_any_order(tables: Tables, tmp_path: Path) -> None:
    """Also one with items that are gone; its labels alone."""
    consensus.run(tables.judgments[:400], gold=tables.gold).save(tmp_path / "earlier", report=False)
    labels = pd.read_csv(tmp_path / "earlier" / "labels.csv", dtype=str, keep_default_na=False)
    left = tables.judgments[~tables.judgments["item"].isin(labels["item"][::9])]
    found = []
    for n, one in enumerate((labels, labels.sample(frac=1, random_state=1))):
        one.to_csv(tmp_path / f"{n}.csv", index=False)
        run = consensus.run(left, gold=tables.gold, previous=tmp_path / f"{n}.csv")
        run.save(tmp_path / str(n), report=False)
        tables_of_run = {name: each for name, each in as_is(tmp_path / str(n)).items() if name.endswith(".csv")}
        found.append(tables_of_run | {"diff": consensus.diff(tmp_path / f"{n}.csv", run).to_csv().encode()})
    assert len(found[0]["diff"].splitlines()) > 100
    assert b",gone," in found[0]["diff"]
    assert "changes.csv" in found[0]
    assert differing(*found) == []


class TestWhereTheOrderCounts:
    """By design, and said."""

    def test_who_changed_without_times(self, tmp_path: Path) -> None:
        crowd = draw(Recipe("sleepers", hostile=0.3, n_labels=4, n_items=240, n_honest=20), seed=5)
        shuffled = crowd.table.sample(frac=1, random_state=2)
        told = [consensus.run(rows, model="dawid_skene") for rows in (crowd.table, shuffled)]
        changed = [len(one.table("drift").query("scope == 'worker' and changed_at.notna()")) for one in told]
        assert changed[0] > 0
        found = [consensus.run(rows, drift_by="time") for rows in (crowd.table, shuffled)]
        for n, one in enumerate(found):
            one.save(tmp_path / str(n), report=False)
        assert "drift.csv" not in as_is(tmp_path / "0")
        same = (as_is(tmp_path / "0"), as_is(tmp_path / "1"))
        assert differing(*({n: one for n, one in each.items() if n.endswith(".csv")} for each in same)) == []
        assert differing(_cells(told[0]), _cells(told[1]))  # so that the page below says what is so

    def test_which_repeat_counts_without_times(self) -> None:
        rows = [("i", "v", "x"), ("i", "v", "y"), ("i", "w", "x"), ("k", "w", "y")]
        one, other = (
            consensus.read(pd.DataFrame(order, columns=["item", "worker", "label"])) for order in (rows, rows[::-1])
        )
        assert one.label.tolist() != other.label.tolist()

    def test_what_is_kept_of_an_item(self) -> None:
        rows = pd.DataFrame({"item": ["i", "i"], "worker": ["v", "w"], "label": ["x", "y"], "text": ["one", "two"]})
        kept = [consensus.read(order, keep=["text"]).kept[0].of(slice(0, 1))[0].as_py() for order in (rows, rows[::-1])]
        assert kept == ["one", "two"]

    def test_the_page_of_outputs_says_so(self) -> None:
        page = " ".join((ROOT / "docs" / "outputs.md").read_text().split())
        for words in (
            "three things hang on the order of rows",
            "With `--drift-by time` nothing hangs on it",
            "which of a worker's repeats counts, where times are missing or equal",
            "`--keep` carries along: the first one",
            "`rejects.csv` names files and lines",
        ):
            assert words in page, words


def _cells(run: consensus.Run) -> dict[str, Any]:
    return {"workers": run.workers.to_csv(), "labels": run.labels.to_csv()}


def test_labels_of_the_crowd_are_hard_to_write() -> None:
    assert any(one.startswith("=") and '"' in one and "," in one for one in LABELS)
