"""What programs rely on: exit codes, warnings that fail, lists in JSON, standard input and output, former names."""

import io
import json
import shlex
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.main import get_command

from consensus import config
from consensus.cli import app, failing
from consensus.cli.examples import DIGITS, EXAMPLES
from consensus.cli.settings import BODIES
from consensus.config import RunConfig
from consensus.errors import SETTINGS, USAGE, WARNED, ConfigError, FormatError, Place
from consensus.formats import read_previous
from consensus.runs import finished
from tests import command_line_page
from tests.cli.test_cli import JUDGED, Write
from tests.conftest import ROOT, Ran, Run, csv


@pytest.fixture
def judged(write: Write) -> Path:
    return write("judged.csv", csv(JUDGED))


def standard_input(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))


class TestFailOn:
    @pytest.mark.parametrize("command", ["run", "aggregate", "audit", "escalate", "shares", "plan-gold"])
    def test_a_warning_that_is_named(self, run: Run, judged: Path, tmp_path: Path, command: str) -> None:
        where = ("-o", tmp_path / "out") if command == "run" else ()
        expected = run(command, judged, *where, "-q").out
        again = (*where, "--overwrite") if where else ()
        ran = run(command, judged, *again, "-q", "--fail-on", "copying, unaudited")
        assert (ran.status, ran.out) == (WARNED, expected)
        assert ran.err.startswith("consensus: warning unaudited, which --fail-on names: ")
        assert run(command, judged, *again, "-q", "--fail-on", "wrong_gold").status == 0
        if where:
            assert (tmp_path / "out" / "labels.csv").is_file()

    def test_a_dry_run(self, run: Run, write: Write) -> None:
        path = write("odd.csv", csv([*JUDGED, ("i0", "w9", "L0")]))
        assert run("check", path, "-q", "--fail-on", "look_alike_labels").status == WARNED
        assert run("check", path, "-q", "--fail-on", "copying").status == 0

    def test_where_nothing_is_fitted(self, run: Run, write: Write) -> None:
        path = write("odd.csv", csv([*JUDGED, ("i0", "w9", "L0")]))
        for command in (("agreement", "--bootstrap", "0"), ("plan-budget", "--votes", "2", "--target", "0.9")):
            ran = run(*command, path, "-q", "--fail-on", "look_alike_labels")
            assert (ran.status, ran.out.count("\n") > 1) == (WARNED, True)

    def test_any_warning_as_json(self, run: Run, judged: Path) -> None:
        ran = run("escalate", judged, "--json", "-q", "--fail-on", "any")
        told = json.loads(ran.err)
        assert (ran.status, told["code"], told["file"], told["line"]) == (WARNED, "warning", None, None)
        assert " (and " in told["message"]

    def test_unknown_codes_are_refused_before_the_work(self, run: Run, judged: Path) -> None:
        ran = run("aggregate", judged, "--fail-on", "small_data,zzz")
        assert (ran.status, ran.out) == (USAGE, "")
        assert 'no warning has the code "zzz"; give any, or codes that warnings begin with' in ran.err

    def test_several_questions(self, run: Run, write: Write, tmp_path: Path) -> None:
        rows = [(item, worker, label, q) for q in "ab" for item, worker, label in [*JUDGED, ("i0", "w9", "L0")]]
        path = write("q.csv", csv(rows, "item,worker,label,question"))
        by = ("--by", "question", "-q", "--fail-on")
        ran = run("run", path, "-o", tmp_path / "out", *by, "unaudited")
        assert (ran.status, "warning unaudited, which" in ran.err) == (WARNED, True)
        assert (tmp_path / "out" / "a" / "labels.csv").is_file()
        for json_too in ((), ("--json",)):
            assert run("check", path, *by, "look_alike_labels", *json_too).status == WARNED
            assert run("check", path, *by, "copying", *json_too).status == 0


class TestStandardInputAndOutput:
    def test_output_is_dash(self, run: Run, judged: Path, tmp_path: Path) -> None:
        expected = run("aggregate", judged, "-q").out
        assert run("aggregate", judged, "-q", "-o", "-").out == expected
        assert run("aggregate", judged, "-q", "--output", "-", "--json").out.startswith('{"item":')
        ran = run("run", judged, "-o", "-")
        assert (ran.status, "this is a folder; name one with --output" in ran.err) == (SETTINGS, True)
        for name in ("a", "b"):
            assert run("run", judged, "-o", tmp_path / name, "-q").status == 0
        assert run("diff", tmp_path / "a", tmp_path / "b", "-o", "-", "-q").out.startswith("item,change,")

    def test_a_page_to_standard_output(self, run: Run, judged: Path, tmp_path: Path) -> None:
        pytest.importorskip("altair")
        run("run", judged, "-o", tmp_path / "out", "-q")
        assert run("report", tmp_path / "out", "-o", "-", "-q").out.startswith("<!doctype html>")

    @pytest.mark.parametrize(
        ("option", "content"),
        [
            ("--gold", "item,label\ni0,l0\ni1,l1\n"),
            ("--label-map", "from,to\nl1,l2\n"),
            ("--workers", "worker\nw0\nw1\n"),
            ("--costs", "true,decided,cost\nl0,l1,1\nl1,l0,5\n"),
            ("--previous", "item,label,status,n_judgments\ni0,l0,accepted,4\n"),
            ("--config", "target = 0.6\n"),
        ],
    )
    def test_every_file_is_read_from_standard_input(
        self, run: Run, judged: Path, write: Write, monkeypatch: pytest.MonkeyPatch, option: str, content: str
    ) -> None:
        from_file = run(
            "escalate", judged, option, write("given.toml" if "=" in content else "given.csv", content), "-q"
        )
        standard_input(monkeypatch, content.encode())
        ran = run("escalate", judged, option, "-", "-q")
        assert (ran.status, ran.out) == (0, from_file.out)

    def test_labels_and_truth(self, run: Run, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        truth = write("t.csv", "item,label\ni0,l0\ni1,l1\n")
        expected = run("evaluate", truth, truth, "--json").out
        for arguments in ((truth, "-"), ("-", truth)):
            standard_input(monkeypatch, truth.read_bytes())
            assert run("evaluate", *arguments, "--json").out == expected

    def test_it_is_read_once(self, run: Run) -> None:
        ran = run("aggregate", "-", "--gold", "-")
        assert (ran.status, ran.out) == (USAGE, "")
        assert "judgments and gold both name it; name a file for one of them" in ran.err


class TestSummaryOfEscalations:
    def test_beside_the_rows(self, run: Run, judged: Path, tmp_path: Path) -> None:
        path = tmp_path / "promise.json"
        ran = run("escalate", judged, "--target", "0.9999", "-q", "--json", "--summary", path)
        rows = [json.loads(line) for line in ran.out.splitlines()]
        told = json.loads(path.read_text())
        assert told["target"] == 0.9999
        assert told["listed"]["rows"] == len(rows) > 0
        assert told["listed"]["judgments"] == sum(row["judgments"] for row in rows)
        assert sum(told["listed"]["by_reason"].values()) == len(rows)
        assert told["counts"]["items"] == 30
        assert {"quality", "certificate", "escalation", "changes", "warnings"} < told.keys()

    def test_to_standard_output(self, run: Run, judged: Path, tmp_path: Path) -> None:
        ran = run("escalate", judged, "-q", "-o", tmp_path / "rows.csv", "--summary", "-")
        assert json.loads(ran.out)["target"] == 0.95
        for given in (("--summary", "-"), ("-o", tmp_path / "x.csv", "--summary", tmp_path / "x.csv")):
            assert run("escalate", judged, *given).status == USAGE


def test_lists_are_lists_but_in_csv(run: Run, write: Write, tmp_path: Path) -> None:
    rows = [(f"i{i}", f"w{(i + w) % 6}", f"l{(i + (w == 2 and i % 3 == 0)) % 2}") for i in range(30) for w in range(3)]
    given = ("escalate", write("j.csv", csv(rows)), "--target", "0.9999", "--budget", "90", "-q")
    told = [json.loads(line) for line in run(*given, "--json").out.splitlines()]
    several = [row["suggested_workers"] for row in told if row["suggested_workers"]]
    assert several
    assert all(isinstance(one, list) for one in several)
    run(*given, "-o", tmp_path / "e.parquet")
    assert [
        list(one) for one in pd.read_parquet(tmp_path / "e.parquet")["suggested_workers"] if one is not None
    ] == several
    table = pd.read_csv(io.StringIO(run(*given).out))
    assert table["suggested_workers"].dropna().tolist() == [" | ".join(one) for one in several]


class TestFormerNames:
    OLD = (
        ("escalate", "--audit=0.5", "--audit-sample=0.5"),
        ("escalate", "--price=2", "--price-per-judgment=2"),
        ("audit", "--least-judgments=30", "--min-worker-judgments=30"),
    )

    @pytest.mark.parametrize(("command", "old", "new"), OLD)
    def test_options(self, run: Run, judged: Path, command: str, old: str, new: str) -> None:
        ran = run(command, judged, old)
        assert ran.err.startswith(f"note: {old.partition('=')[0]} is now called {new.partition('=')[0]}\n")
        assert ran.out == run(command, judged, new).out
        assert run(command, judged, *old.split("="), "-q") == (0, ran.out, "")

    def test_the_folder_of_a_run(self, run: Run, judged: Path, tmp_path: Path) -> None:
        ran = run("run", judged, "--out", tmp_path / "out")
        assert ran.err.startswith("note: --out is now called --output\n")
        assert (tmp_path / "out" / "labels.csv").is_file()
        ran = run("aggregate", "--", "--out")  # behind -- stand files
        assert ran.err == "consensus: --out: no such file; check the name, or the folder you are in\n"

    @pytest.mark.parametrize(("old", "new"), config.RENAMED.items())
    def test_settings(self, run: Run, judged: Path, write: Write, old: str, new: str) -> None:
        value = 30 if "judgments" in old else 0.5
        with pytest.warns(FutureWarning, match=f'the setting "{old}" is now called "{new}"'):
            assert getattr(RunConfig.of(None, **{old: value}), new) == value
        with pytest.raises(ConfigError, match=f"{old} is the former name of {new}; leave out {old}"):
            RunConfig.of(None, **{old: value, new: value})
        file = write("old.toml", f"{old} = {value}\n")
        ran = run("escalate" if old != "least_judgments" else "run", judged, "--config", file)
        assert f'note: {file}: the setting "{old}" is now called "{new}"' in ran.err
        assert "note" not in run("escalate", judged, "--config", file, "-q").err

    def test_an_earlier_run(self, run: Run, judged: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        run("run", judged, "-o", out, "-q", "--audit-sample", "0.5", "--max-judgments", "4", "--target", "0.9999")
        summary = json.loads((out / "summary.json").read_text())
        summary["settings"]["audit"] = summary["settings"].pop("audit_sample")
        (out / "summary.json").write_text(json.dumps(summary))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert finished.inputs_of(out).config.audit_sample == 0.5
        now = (out / "labels.csv").read_text()
        assert ",needs_expert\n" in now
        (out / "labels.csv").write_text(now.replace(",needs_expert\n", ",expert\n"))
        assert "needs_expert" in read_previous(out).status.to_pylist()


class TestErrors:
    def test_a_place_is_text_and_its_parts(self) -> None:
        error = FormatError("bad", Place.of("j.csv", 3))
        assert (str(error), error.file, error.line, error.code) == ("j.csv:3: bad", "j.csv", 3, "bad_file")
        again = ConfigError("again").about(error)
        assert (again.file, again.line, again.code) == ("j.csv", 3, "bad_file")

    def test_json_is_not_wanted_behind_two_dashes(self) -> None:
        assert failing.wants_json(["run", "--json", "--"])
        assert not failing.wants_json(["run", "--", "--json"])

    def test_usage(self, run: Run) -> None:
        assert run("run", "--xyzzy").err == "consensus: there is no option --xyzzy; see consensus run --help\n"
        assert json.loads(run("fly", "--json").err)["code"] == "usage"
        assert "simulate --gold" not in run("simulate", "x", "--gold", "x").err
        assert run("simulate", "x", "--gold", "x").err.startswith("consensus: --gold takes a whole number; see ")
        assert "Usage: consensus" in run().err + run().out

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["explain", "out"], "give RESULT_DIR and ITEM, or --state STATE and ITEM; see consensus explain --help"),
            (["diff"], "there must be OLD; see consensus diff --help"),
            (["run", "j.csv", "--target", "95%"], "--target takes a share such as 0.95; see consensus run --help"),
            (["run", "j.csv", "--threads", "1e9"], "--threads takes a whole number; see consensus run --help"),
            (["run", ""], "a name is empty: that of JUDGMENTS; see consensus run --help"),
            (["run", "j.csv", "--gold", ""], "a name is empty: that of --gold; see consensus run --help"),
            (
                ["aggregate", "--model-votes", "", "--", "j.csv"],
                "a name is empty: that of --model-votes; see consensus",
            ),
            (["explain", "", "img7"], "a name is empty: that of RESULT_DIR; see consensus explain --help"),
        ],
    )
    def test_what_typer_tells_in_words_of_its_own(self, run: Run, arguments: list[str], said: str) -> None:
        found = run(*arguments)
        assert (found.status, found.err.startswith(f"consensus: {said}"), found.out) == (USAGE, True, ""), found.err
        assert json.loads(run(*arguments[:1], "--json", *arguments[1:]).err)["message"].startswith(said)

    def test_a_format_that_is_none(self, run: Run, judged: Path) -> None:
        said = run("run", judged, "--format", "xlsx").err
        assert said.startswith("consensus: --format: 'xlsx' is not one of 'csv', "), said


class TestClosedStreams:
    def test_lead_nowhere(self, run: Run, judged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", None)
        assert run("aggregate", "-").err == (
            "consensus: standard input: the file is empty; expected a table with a header\n"
        )
        for name in ("stdout", "stderr"):
            monkeypatch.setattr(sys, name, None)
        assert run("aggregate", judged) == Ran(0, "", "")
        assert run("--version") == Ran(0, "", "")

    @pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-"])
    def test_of_a_process(self, closed: str) -> None:
        command = f"{shlex.quote(sys.executable)} -m consensus --version {closed}"
        found = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (found.returncode, found.stderr) == (0, "")


class TestExamples:
    def test_each_command_has_three(self) -> None:
        assert list(EXAMPLES) == list(BODIES)
        assert {len(examples) for examples in EXAMPLES.values()} == {3}

    @pytest.mark.parametrize("example", [one for examples in EXAMPLES.values() for one in examples])
    def test_it_parses(self, example: str) -> None:
        program, name, *arguments = shlex.split(example.rpartition(" | ")[2])
        assert program == "consensus"
        command: Any = get_command(app).commands[name]  # type: ignore[attr-defined]
        while hasattr(command, "commands"):
            name, *arguments = arguments
            command = command.commands[name]
        assert command.make_context(name, arguments) is not None

    @pytest.mark.slow
    @pytest.mark.parametrize("example", [one for of in EXAMPLES.values() for one in of if "data/digits/" in one])
    def test_those_on_data_that_comes_along_run(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, example: str
    ) -> None:
        (tmp_path / "data").symlink_to(ROOT / "data")
        monkeypatch.chdir(tmp_path)
        _, *arguments = shlex.split(example)
        if (
            all(Path(one).exists() for one in arguments if one.endswith(".csv") and "/" in one)
            and "labels.csv" not in arguments
        ):
            if "consensus-out" in arguments:
                run("run", DIGITS, "-q")
            assert run(*arguments).status == 0


def test_the_page_is_made_from_the_program() -> None:
    told = "python -m tests.command_line_page writes it anew"
    assert command_line_page.PAGE.read_text(encoding="utf-8") == command_line_page.made(), told
