"""Tables and folders out: right, whole, or not at all."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from consensus import fit, read, read_gold, simulate
from consensus.config import RunConfig
from consensus.errors import OutputError
from consensus.formats import writing
from consensus.inputs.gold import Gold
from consensus.report import words
from consensus.runs import Inputs, Run, folder
from consensus.simulation import simulate_votes

TABLE = pd.DataFrame({"item": ["a", "=1+1", None], "x": [0.12345678, np.nan, 1.0], "n": [1, 2, 3]})


class TestTables:
    def test_csv(self) -> None:
        assert writing.text(TABLE) == "item,x,n\na,0.123457,1\n'=1+1,,2\n,1,3\n"
        assert writing.text(TABLE, ".tsv") == "item\tx\tn\na\t0.123457\t1\n'=1+1\t\t2\n\t1\t3\n"

    def test_quotes_where_they_are_needed(self) -> None:
        for nasty in ("a,b", 'say "a"', "two\nlines", "", "c\r"):
            text = writing.text(pd.DataFrame({"item": [nasty, "b"], "n": [1, 2]}))
            assert text == '"item","n"\n"{}",1\n"b",2\n'.format(nasty.replace('"', '""'))
        assert writing.text(pd.DataFrame({"a,b": [1]})) == '"a,b"\n1\n'

    def test_json_lines_and_parquet(self, tmp_path: Path) -> None:
        lines = writing.text(TABLE, ".jsonl").splitlines()
        assert [json.loads(line) for line in lines] == [
            {"item": "a", "x": 0.123457, "n": 1},
            {"item": "=1+1", "x": None, "n": 2},
            {"item": None, "x": 1.0, "n": 3},
        ]
        writing.write(TABLE, tmp_path / "t.parquet")
        assert pd.read_parquet(tmp_path / "t.parquet")["x"][0] == 0.12345678

    def test_formulas_are_defused_but_where_raw_cells_are_wanted(self, tmp_path: Path) -> None:
        risky = pd.DataFrame({"=item": ["=1+1", "+x", "-x", "@x", "\tx", "x=1", None], "n": range(-1, 6)})
        writing.write(risky, tmp_path / "t.csv")
        found = pd.read_csv(tmp_path / "t.csv", keep_default_na=False)
        assert found["'=item"].tolist() == ["'=1+1", "'+x", "'-x", "'@x", "'\tx", "x=1", ""]
        assert found["n"].tolist() == list(range(-1, 6))  # numbers are left alone
        for ending, raw_cells in ((".csv", True), (".tsv", True), (".jsonl", False), (".parquet", False)):
            writing.write(risky, tmp_path / f"raw{ending}", raw_cells=raw_cells)
        assert (tmp_path / "raw.csv").read_text() == writing.text(risky, raw_cells=True)
        assert "'" not in (tmp_path / "raw.tsv").read_text() + (tmp_path / "raw.jsonl").read_text()
        assert pd.read_parquet(tmp_path / "raw.parquet")["=item"][0] == "=1+1"

    def test_unknown_ending(self, tmp_path: Path) -> None:
        with pytest.raises(
            OutputError, match='t.xls: unknown ending ".xls"; end it in one of .csv, .tsv, .parquet, .jsonl'
        ):
            writing.write(TABLE, tmp_path / "t.xls")

    def test_a_failed_write_leaves_the_old_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "t.csv").write_text("old")

        def full(*_: Any, **__: Any) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(writing, "encode", full)
        with pytest.raises(OutputError, match="t.csv: can't be written: no space left on device"):
            writing.write(TABLE, tmp_path / "t.csv")
        assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("t.csv", "old")]

    def test_missing_folder(self, tmp_path: Path) -> None:
        with pytest.raises(OutputError, match="can't be written: no such file or directory"):
            writing.write(TABLE, tmp_path / "none" / "t.csv")


class TestFolder:
    def test_checks_before_any_work(self, tmp_path: Path) -> None:
        folder.check(tmp_path / "new", overwrite=False)
        (tmp_path / "empty").mkdir()
        folder.check(tmp_path / "empty", overwrite=False)
        (tmp_path / "file").write_text("x")
        with pytest.raises(OutputError, match="a file stands there"):
            folder.check(tmp_path / "file", overwrite=True)
        mine = tmp_path / "mine"
        mine.mkdir()
        (mine / "summary.json").write_text("{}")
        with pytest.raises(OutputError, match="mine: exists already; choose another folder with folder=, or pass over"):
            folder.check(mine, overwrite=False)
        folder.check(mine, overwrite=True)
        (mine / "thesis.txt").write_text("x")
        with pytest.raises(OutputError, match="mine: holds thesis.txt, which is not ours and would be lost"):
            folder.check(mine, overwrite=True)
        with pytest.raises(OutputError, match="j.csv, which is to be read, lies in it"):
            folder.check(tmp_path / "empty", overwrite=True, inputs=[tmp_path / "empty" / "deep" / "j.csv"])
        with pytest.raises(OutputError, match="there is no folder .*; create it first"):
            folder.check(tmp_path / "none" / "out", overwrite=False)

    def test_odd_ways_to_name_a_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "real")
        assert folder.check(tmp_path / "link", overwrite=False) == tmp_path / "real"
        assert folder.check(tmp_path / "real" / ".." / "new", overwrite=False) == tmp_path / "new"
        monkeypatch.chdir(tmp_path / "real")
        for here in (Path(), tmp_path / "link", tmp_path):
            with pytest.raises(OutputError, match="this is the folder you are in"):
                folder.check(here, overwrite=True)

    def test_not_writable(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: Any, **__: Any) -> Any:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
        with pytest.raises(OutputError, match="can't be written .permission denied.; choose another with folder="):
            folder.check(tmp_path / "out", overwrite=False)

    def test_whole_or_not_at_all(self, tmp_path: Path) -> None:
        out = tmp_path / "out"
        with folder.whole(out) as partial:
            (partial / "new.txt").write_text("1")
            assert not out.exists()
        full = OSError(28, "No space left on device")
        with pytest.raises(OutputError, match="out: can't be written: no space left"), folder.whole(out):
            raise full
        with pytest.raises(KeyboardInterrupt), folder.whole(out):
            raise KeyboardInterrupt
        assert (out / "new.txt").read_text() == "1"
        with folder.whole(out) as partial:
            (partial / "other.txt").write_text("3")
        assert [path.name for path in tmp_path.iterdir()] == ["out"]
        assert [path.name for path in out.iterdir()] == ["other.txt"]

    def test_an_old_output_outlives_a_refused_rename(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        out = tmp_path / "out"
        with folder.whole(out) as partial:
            (partial / "old.txt").write_text("1")
        rename = Path.rename

        def refuse(self: Path, target: Path) -> Path:
            if self.name.endswith(".partial"):
                raise OSError(5, "Input/output error")
            return rename(self, target)

        monkeypatch.setattr(Path, "rename", refuse)
        with pytest.raises(OutputError, match="input/output error"), folder.whole(out):
            pass
        assert (out / "old.txt").read_text() == "1"
        assert len(list(tmp_path.iterdir())) == 1


class TestSummary:
    @pytest.mark.compiled
    def test_is_json_and_adds_up(self, tmp_path: Path) -> None:
        drawn = simulate(300, 10, 3, 5, accuracy=0.8, seed=2)
        (tmp_path / "j.csv").write_text(writing.text(drawn.judgments_table()) + "broken\n")
        gold = read_gold(drawn.truth_table(60))
        result = fit(read(tmp_path / "j.csv"), gold=gold)
        found = Run(Inputs(RunConfig(), result.judgments, gold=gold), result=result)
        folder.write(found, tmp_path / "out", folder.Output(also=("posteriors",)))
        told = found.summary
        written = json.loads((tmp_path / "out" / "summary.json").read_text())
        assert written["provenance"].pop("raw_cells") is False
        assert written == told
        rows = told["counts"]["rows"]
        assert rows == {
            "read": 1501,
            "used": 1500,
            "abstained": 0,
            "repeated": 0,
            "rejected": 1,
            "dropped": 0,
            "as_gold": 0,
        }
        assert sum(told["counts"]["status"].values()) == 300
        assert sum(told["label_shares"].values()) == pytest.approx(1)
        (source,) = told["provenance"]["judgments"]
        assert len(source["sha256"]) == 64
        labels = pd.read_csv(tmp_path / "out" / "labels.csv")
        assert told["counts"]["status"] == labels["status"].value_counts().to_dict()
        accepted = labels[labels["status"] == "accepted"]
        assert told["quality"]["accepted"] == len(accepted)
        assert told["quality"]["expected_error"] == pytest.approx(1 - accepted["confidence"].mean(), abs=1e-6)
        measured = told["quality"]["gold"]
        assert measured["all"]["items"] == 60
        assert measured["accepted"]["items"] <= 60
        assert measured["all"]["errors"] > 0
        rejects = pd.read_csv(tmp_path / "out" / "rejects.csv")
        assert rejects[["line", "reason", "row"]].to_numpy().tolist() == [
            [1502, "too few fields: 1 instead of 3", "broken"]
        ]
        assert len(pd.read_csv(tmp_path / "out" / "posteriors.csv").columns) == 4

    @pytest.mark.compiled
    @pytest.mark.parametrize(
        ("fitted", "said"),
        [
            (lambda d: fit(d.judgments), ", unaudited"),
            (lambda d: fit(d.judgments, gold=d.truth_table(100)), "measured error "),
            (lambda d: fit(d.judgments, gold=d.truth_table(1), rho=20), "no error to state"),
            (lambda d: fit(d.judgments, rho=20), "no error to state, unaudited"),
            (lambda d: fit(d.judgments, max_iterations=2), "stopped after 2 passes without converging"),
        ],
    )
    def test_words_match_numbers(self, fitted: Callable[[Any], Any], said: str) -> None:
        drawn = simulate(300, 10, 3, 5, accuracy=0.8, seed=2)
        found = Run.of(fitted(drawn), target=0.9)
        told = "\n".join(words.lines(found))
        assert said in told
        assert found.promise["audited"] == ("unaudited" not in told)

    def test_gold_tells_what_models_settle_alone(self) -> None:
        """Gold items that no person judged are measured apart."""
        drawn = simulate(300, 10, 2, 3, accuracy=0.9, seed=2)
        votes = simulate_votes(drawn, 1, accuracy=0.9, soft=True, seed=1)
        table = drawn.judgments_table()
        people = read(table[table["item"] < "item150"])
        gold = read_gold(drawn.truth_table())
        known = Gold(gold.item[::3], gold.label[::3], gold.place[::3])
        result = fit(people, model_votes=votes, gold=known)
        found = Run.of(result, target=0.9).summary
        alone = found["quality"]["gold"]["accepted_by_models_alone"]
        accepted = found["quality"]["gold"]["accepted"]
        assert 10 < alone["items"] < accepted["items"]
        assert alone["measured_error"] < 0.15
        assert alone["low"] <= alone["measured_error"] <= alone["high"]
        assert found["models"]["judgments_saved"] >= 2 * found["models"]["items_settled_by_models_alone"] > 50

    def test_no_gold_item_among_the_accepted(self) -> None:
        quality = {
            "accepted": 5,
            "audited": False,
            "expected_error": 0.01,
            "expected_error_low": 0.0,
            "expected_error_high": 0.02,
            "gold": {"accepted": {"items": 0}},
        }
        assert words._quality(quality).endswith("unaudited (no gold item would be accepted)")

    def test_nothing_depends_on_threads(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("consensus.backends.SMALLEST_SHARD", 10)
        drawn = simulate(200, 10, 3, 3, seed=2)
        for threads in (1, 2, 4):
            result = fit(drawn.judgments, threads=threads)
            folder.write(Run.of(result), tmp_path / str(threads), folder.Output(also=("posteriors",)))
        for path in (tmp_path / "1").iterdir():
            assert path.read_bytes() == (tmp_path / "2" / path.name).read_bytes()
            assert path.read_bytes() == (tmp_path / "4" / path.name).read_bytes()
