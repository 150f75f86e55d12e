"""A run: inputs read once, findings made once, one registry of tables for all who show them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import consensus
from consensus import read, read_costs, read_gold, read_workers, simulate
from consensus.config import RunConfig
from consensus.errors import ConfigError, OutputError
from consensus.escalation.reasons import REASONS
from consensus.formats import writing
from consensus.found.units import Units
from consensus.runs import SILENT, Inputs, columns, finished, tables
from consensus.runs.run_inputs import SideInputs
from consensus.simulation import simulate_votes
from tests.conftest import DIGITS, Run

if TYPE_CHECKING:
    from pathlib import Path

COSTS = {"true": ["a", "b"], "decided": ["b", "a"], "cost": [1.0, 5.0]}


class Told:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.stages: list[str] = []

    def say(self, line: str) -> None:
        self.stages.append(line)

    def stage(self, what: str, done: float | None = None) -> None:
        del done
        self.stages.append(what)

    def fitting(self, stage: str, done: int, objective: float, gain: float) -> None:
        del stage, done, objective, gain


@pytest.fixture(scope="module")
def crowd() -> Any:
    return simulate(60, 8, 2, 5, accuracy=0.8, seed=3)


@pytest.fixture(scope="module")
def everything(crowd: Any, tmp_path_factory: pytest.TempPathFactory) -> consensus.Run:
    """A run with all that may stand beside judgments."""
    first = tmp_path_factory.mktemp("first") / "out"
    consensus.run(crowd.judgments).save(first, report=False)
    table = crowd.judgments_table()
    table["timestamp"] = pd.date_range("2025-01-01", periods=len(table), freq="min").astype(str)
    labels = crowd.judgments.labels
    return consensus.run(
        table,
        model_votes=simulate_votes(crowd, 2, soft=True, seed=1),
        gold=crowd.truth_table(20),
        costs={"true": list(labels), "decided": list(labels[::-1]), "cost": [1.0, 2.0]},
        workers={"worker": list(crowd.judgments.worker_ids.to_pylist())},
        previous=first,
        retest=1,
    )


class TestRun:
    def test_the_command_and_python_do_the_same(self, run: Run, tmp_path: Path) -> None:
        files = {"judgments": DIGITS / "judgments.csv", "gold": DIGITS / "gold.csv"}
        assert (
            run("run", files["judgments"], "--gold", files["gold"], "--output", tmp_path / "a", "--no-report").status
            == 0
        )
        consensus.run(files["judgments"], gold=files["gold"]).save(tmp_path / "b", report=False)
        for path in (tmp_path / "a").iterdir():
            assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name

    def test_parts_are_made_once(self, everything: consensus.Run) -> None:
        for part in ("result", "plan", "audit", "promise", "status", "summary", "worker_columns", "confusion_cells"):
            assert getattr(everything, part) is getattr(everything, part), part

    def test_what_is_read_before_is_not_read_again(self, crowd: Any) -> None:
        gold, costs = read_gold(crowd.truth_table(5)), read_costs(COSTS)
        assert read_gold(gold) is gold
        assert read_costs(costs) is costs
        pool = read_workers({"worker": ["w1"]})
        assert read_workers(pool) is pool
        votes = simulate_votes(crowd, 1, seed=1)
        assert consensus.read_model_votes(votes) is votes
        found = consensus.run(crowd.judgments, gold=gold)
        assert found.inputs.judgments is crowd.judgments
        assert found.inputs.gold is gold

    def test_files_are_told(self, tmp_path: Path, crowd: Any) -> None:
        path, costs = tmp_path / "j.csv", tmp_path / "costs.csv"
        crowd.judgments_table().to_csv(path, index=False)
        labels = crowd.judgments.labels
        pd.DataFrame({"true": labels, "decided": labels[::-1], "cost": 1.0}).to_csv(costs, index=False)
        told = Told()
        found = consensus.run(path, costs=costs)
        assert found.summary["settings"]["costs"] == str(costs)
        Inputs.read(found.inputs.config, [path], listener=told)
        assert told.stages[0] == "reading j.csv"

    def test_settings_of_judgments_that_were_read_before(self, tmp_path: Path, crowd: Any) -> None:
        path = tmp_path / "j.csv"
        crowd.judgments_table().rename(columns={"item": "q"}).to_csv(path, index=False)
        judgments = read(path, item="q", abstain=["label_0"])
        found = consensus.run(judgments)
        assert found.summary["settings"]["item"] == "q"
        assert list(found.summary["settings"]["abstain"]) == ["label_0"]
        found.save(tmp_path / "out", report=False)
        again = consensus.Run(finished.inputs_of(tmp_path / "out"))
        assert again.labels["confidence"].tolist() == found.labels["confidence"].tolist()
        consensus.run(judgments, item="q")  # the same one once more
        with pytest.raises(
            ConfigError, match="setting item: the judgments were read before; give it to consensus.read"
        ):
            consensus.run(judgments, item="zz")
        with pytest.raises(ConfigError, match="setting abstain: the judgments were read before"):
            consensus.run(crowd.judgments, abstain=["label_0"])

    def test_of_a_result_with_what_stands_beside(self, crowd: Any, tmp_path: Path) -> None:
        result = consensus.fit(crowd.judgments)
        labels = crowd.judgments.labels
        costs = {"true": list(labels), "decided": list(labels[::-1]), "cost": [1.0, 2.0]}
        assert "decision" in consensus.Run.of(result, costs=costs).labels
        first = consensus.Run.of(result)
        first.save(tmp_path / "out", report=False)
        changes = consensus.Run.of(result, previous=tmp_path / "out").changes
        assert changes is not None
        assert changes["labels"] == 0
        with pytest.raises(consensus.ConsensusError, match="none.csv: no such file"):
            consensus.Run.of(result, workers=tmp_path / "none.csv")
        with pytest.raises(ConfigError, match='skill "es": nothing tells who has it'):
            consensus.Run.of(result, skill="es")
        with pytest.raises(ConfigError, match="setting prior: the result was fitted with another one; fit again"):
            consensus.Run.of(result, prior="none")
        assert (result.config.model, consensus.Run.of(result, model=result.model).result) == (None, result)
        with pytest.raises(ConfigError, match="setting model: the result was fitted with another one"):
            consensus.Run.of(result, model="majority_vote")

    def test_tables_in_memory_are_kept(self, crowd: Any, tmp_path: Path) -> None:
        cat, dog = crowd.judgments.labels
        table = crowd.judgments_table()
        found = consensus.run(
            table.assign(timestamp=pd.date_range("2025-01-01", periods=len(table), freq="min")),
            gold=dict(crowd.truth_table(20).itertuples(index=False)),
            costs={(cat, dog): 5.0, (dog, cat): 1.0},
            workers={name: {"available": 3} for name in crowd.judgments.worker_ids.to_pylist()},
        )
        found.save(tmp_path / "out", report=False)
        again = consensus.load(tmp_path / "out")
        assert again.result.posterior.tobytes() == found.result.posterior.tobytes()
        for name in ("labels", "workers", "escalations", "drift", "gold_health"):
            assert again.table(name).equals(found.table(name)), name
        found.save(tmp_path / "out", overwrite=True, report=False)  # what was kept may be replaced
        odd = crowd.judgments_table().assign(note=[object()] * len(crowd.judgments_table()))
        consensus.run(odd).save(tmp_path / "odd", report=False)
        with pytest.raises(OutputError, match="its judgments were tables in memory, which are not kept"):
            consensus.load(tmp_path / "odd")  # Parquet holds no such objects
        polars = pl.from_pandas(crowd.judgments_table())
        consensus.run(polars).save(tmp_path / "polars", report=False)
        assert consensus.load(tmp_path / "polars").result.judgments.n_items == 60

    def test_what_was_read_from_memory_is_not_kept(self, crowd: Any, tmp_path: Path) -> None:
        path = tmp_path / "j.csv"
        crowd.judgments_table().to_csv(path, index=False)
        votes = simulate_votes(crowd, 1, seed=1)
        runs = {
            "judgments": {"judgments": crowd.judgments},
            "gold": {"judgments": path, "gold": read_gold(crowd.truth_table(5))},
            "model votes": {"judgments": path, "model_votes": votes},
        }
        for kind, given in runs.items():
            out = tmp_path / kind
            consensus.run(**given).save(out, report=False)
            with pytest.raises(OutputError, match=f"its {kind} were tables in memory, which are not kept; write them"):
                finished.inputs_of(out)

    def test_tables_of_what_is_not_there(self, crowd: Any) -> None:
        found = consensus.Run.of(consensus.fit(crowd.judgments, model="dawid_skene"))
        with pytest.raises(ConfigError, match="no earlier run to compare with; name it with previous="):
            found.table("changes")
        with pytest.raises(ConfigError, match="no models voted; give the file of their votes with model_votes="):
            found.table("models")
        with pytest.raises(ConfigError, match='there is one reading only; several are averaged with model="average"'):
            found.table("readings")
        with pytest.raises(ConfigError, match='no table "nosuch"; there are workers'):
            found.audited("nosuch")

    def test_stages_are_told_in_order(self, crowd: Any) -> None:
        told = Told()
        inputs = Inputs.read(RunConfig(), crowd.judgments, listener=told)
        assert consensus.Run(inputs, listener=told).summary["counts"]["items"] == 60
        assert told.stages == ["fitting", "escalating", "summary of the items"]

    def test_a_skill_without_workers(self, crowd: Any) -> None:
        with pytest.raises(ConfigError, match='skill "es": nothing tells who has it; name a file of workers'):
            consensus.run(crowd.judgments, skill="es")

    def test_unknown_settings(self, crowd: Any) -> None:
        with pytest.raises(ConfigError, match='unknown setting "targets"'):
            consensus.run(crowd.judgments, targets=0.9)

    def test_frames(self, everything: consensus.Run) -> None:
        assert everything.labels.columns.tolist()[-3:] == ["status", "decision", "expected_cost"]
        assert everything.workers["worker"].tolist() == everything.table("workers")["worker"].tolist()
        assert {"retest"} < set(everything.escalations["reason"]) <= {*REASONS, "retest"}
        assert repr(everything).startswith("Run(dawid_skene: 60 items, ")
        with pytest.raises(ConfigError, match='no table "lables"; there are labels, workers'):
            everything.table("lables")
        with pytest.raises(ConfigError, match='no table "agreement"'):
            everything.table("agreement")  # made from judgments, not from a run

    def test_saved_where_something_stands(self, everything: consensus.Run, tmp_path: Path) -> None:
        everything.save(tmp_path / "out", report=False)
        with pytest.raises(OutputError, match="exists already"):
            everything.save(tmp_path / "out", report=False)
        everything.save(tmp_path / "out", overwrite=True, format="jsonl", posteriors=True, report=False)
        assert (tmp_path / "out" / "posteriors.jsonl").exists()
        assert not (tmp_path / "out" / "labels.csv").exists()

    def test_silence(self) -> None:
        SILENT.say("x")
        SILENT.stage("x")
        SILENT.fitting("x", 1, 0.0, 0.0)

    def test_a_finished_run_without_its_side_inputs(self, crowd: Any, tmp_path: Path) -> None:
        path, pool = tmp_path / "j.csv", tmp_path / "w.csv"
        crowd.judgments_table().to_csv(path, index=False)
        pool.write_text("worker\n" + "\n".join(crowd.judgments.worker_ids.to_pylist()) + "\n")
        consensus.run(path, workers=pool).save(tmp_path / "out", report=False)
        pool.unlink()
        assert finished.inputs_of(tmp_path / "out").pool is None
        with pytest.raises(consensus.ConsensusError, match=r"w.csv: no such file"):
            finished.inputs_of(tmp_path / "out", side_inputs=True)

    def test_side_inputs_given_win_over_those_named(self, tmp_path: Path) -> None:
        config = RunConfig.of(None, workers=tmp_path / "none.csv")
        assert SideInputs.read(config, workers={"worker": ["w1"]}).pool is not None


KINDS = {
    "text": lambda kind: pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind),
    "list": lambda kind: pa.types.is_list(kind) or pa.types.is_null(kind),
    "count": pa.types.is_integer,
    "number": lambda kind: pa.types.is_floating(kind) or pa.types.is_null(kind),
    "flag": pa.types.is_boolean,
}


class TestRegistry:
    @pytest.mark.parametrize("table", [one for one in tables.TABLES if one.rows is not None], ids=lambda one: one.name)
    def test_columns_are_those_that_are_made(self, table: tables.Table, everything: consensus.Run, crowd: Any) -> None:
        assert table.rows is not None
        if table.name == "readings":  # there is one beside model votes
            everything = consensus.Run.of(consensus.fit(crowd.judgments, model="average"))
        if table.name == "labels":  # what is certified, and what items count for, is told where that is asked for
            config = RunConfig.of(everything.inputs.config, promise="set")
            judged = everything.result.judgments
            of_items = {"weight": np.ones(judged.n_items), "cluster": np.zeros(judged.n_items, np.int32)}
            judged = replace(judged, cluster_ids=pa.array(["p"]), **of_items)  # type: ignore[arg-type]
            result = replace(everything.result, judgments=judged)
            everything = consensus.Run(replace(everything.inputs, config=config), result=result)
        if table.name == "workers":  # how much they did as it counts
            judged = everything.result.judgments
            met = np.ones(judged.n_workers, np.int64)
            units = Units(np.ones(judged.n_items), np.ones(judged.n_judgments), n_eff=20.0, n_clusters=met)
            everything = consensus.Run(everything.inputs, result=replace(everything.result, units=units))
        rows = table.rows(everything)
        found = rows.block(slice(0, rows.n_rows)) if isinstance(rows, tables.Blocks) else rows
        made = pa.table(found) if isinstance(found, dict) else found
        if isinstance(made, pd.DataFrame):
            made = pa.Table.from_pandas(made, preserve_index=False)
        declared = {one.name: one.kind for one in table.columns}
        if table.by_label:
            declared |= dict.fromkeys(everything.result.judgments.labels, "number")
        assert made.column_names == list(declared)
        for name, kind in declared.items():
            assert KINDS[kind](made.schema.field(name).type), (name, kind, made.schema.field(name).type)

    def test_files_of_a_run_are_those_of_the_registry(self, everything: consensus.Run, tmp_path: Path) -> None:
        everything.save(tmp_path / "out", report=False)
        written = {path.stem for path in (tmp_path / "out").glob("*.csv")}
        assert written == {one.name for one in tables.TABLES if one.when is not None and one.when(everything)}
        assert written >= {"labels", "workers", "gold_health", "drift", "models", "changes"}
        summary = json.loads((tmp_path / "out" / "summary.json").read_text())
        told = json.loads(json.dumps(everything.summary))
        kept = {"judgments", "gold", "costs", "workers"}  # given in memory, and written beside
        assert {name: one[0]["file"] for name, one in summary["provenance"].items() if name in kept} == {
            name: f"input_{name}.parquet" for name in kept
        }
        for one in (summary, told):
            one["provenance"] = {
                name: one for name, one in one["provenance"].items() if name not in {*kept, "raw_cells"}
            }
        assert summary == told

    def test_what_the_command_can_print(self) -> None:
        from consensus.cli.auditing import TABLES

        assert set(TABLES) == set(tables.AUDITED)

    def test_every_column_has_a_sentence(self) -> None:
        for table in tables.TABLES:
            assert table.about.endswith("."), table.name
            names = [one.name for one in table.columns]
            assert len(set(names)) == len(names), table.name
            for one in table.columns:
                assert one.about.endswith("."), (table.name, one.name)
        assert len({table.name for table in tables.TABLES}) == len(tables.TABLES)

    def test_gold_without_gold(self, crowd: Any) -> None:
        found = consensus.Run.of(consensus.fit(read(crowd.judgments_table())))
        with pytest.raises(ConfigError, match="no gold to look at; give its file with gold="):
            found.audited("gold")

    def test_columns_that_commands_make(self, crowd: Any, everything: consensus.Run) -> None:
        from consensus import worker_audit
        from consensus.worker_agreement import agreement

        gold = str(everything.result.judgments.item_ids[int(everything.result.gold.items[0])])  # type: ignore[union-attr]
        made = {
            columns.EVIDENCE: worker_audit.evidence(everything.audit, "w1"),
            columns.FORGIVEN: worker_audit.forgive(everything.audit, [gold]),
            columns.AGREEMENT: agreement(crowd.judgments, n_bootstrap=0),
            columns.WAYS: consensus.plan_budget(crowd.judgments, votes=[2], targets=[0.9]),
        }
        for declared, frame in made.items():
            assert frame.columns.tolist() == [one.name for one in declared]


class TestLists:
    """Several texts in a cell: lists where the format has lists, one text elsewhere."""

    TABLE = pa.table({"item": ["a", "b", "c"], "who": pa.array([["w1", "=w2"], [], None], pa.list_(pa.string()))})

    def test_by_format(self, tmp_path: Path) -> None:
        for ending in (".csv", ".jsonl", ".parquet"):
            writing.write(self.TABLE, tmp_path / f"t{ending}")
        assert (tmp_path / "t.csv").read_text() == '"item","who"\n"a","w1 | =w2"\n"b",""\n"c",\n'
        rows = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
        assert [row["who"] for row in rows] == [["w1", "=w2"], [], None]
        assert pq.read_table(tmp_path / "t.parquet")["who"].to_pylist() == [["w1", "=w2"], [], None]

    def test_of_a_run(self, everything: consensus.Run, tmp_path: Path) -> None:
        everything.save(tmp_path / "json", format="jsonl", report=False)
        everything.save(tmp_path / "parquet", format="parquet", report=False)
        lines = (tmp_path / "json" / "escalations.jsonl").read_text().splitlines()
        asked = [json.loads(line)["suggested_workers"] for line in lines]
        assert any(isinstance(names, list) and names for names in asked)
        assert pq.read_table(tmp_path / "parquet" / "escalations.parquet")["suggested_workers"].to_pylist() == asked
        texts = everything.escalations["suggested_workers"]
        assert [None if pd.isna(text) else text.split(" | ") for text in texts] == asked
        gold = pq.read_table(tmp_path / "parquet" / "gold_health.parquet")["gold_label"].to_pylist()
        assert all(isinstance(names, list) for names in gold)
