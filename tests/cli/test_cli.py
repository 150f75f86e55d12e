"""The command line, run as a user would."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import consensus
from consensus import __version__
from consensus.errors import INPUT, SETTINGS, ConfigError
from tests.conftest import DIGITS, ROOT, Run, csv
from tests.models.test_average import ring

Write = Callable[[str, str | bytes], Path]
JUDGED = [(f"i{i}", f"w{w}", f"l{(i if w < 3 else i // 2) % 2}") for i in range(30) for w in range(4)]
FILES = ["confusions.csv", "escalations.csv", "labels.csv", "rejects.csv", "summary.json", "workers.csv"]


@pytest.fixture
def judged(write: Write) -> Path:
    return write("judged.csv", csv(JUDGED))


class TestRun:
    def test_writes_everything(self, run: Run, judged: Path, tmp_path: Path) -> None:
        ran = run("run", judged, "--output", tmp_path / "out")
        assert (ran.status, ran.out) == (0, "")
        assert "120 rows read = 120 used" in ran.err
        assert "warning unaudited" in ran.err
        assert {path.name for path in (tmp_path / "out").iterdir()} == {*FILES, "readings.csv"}
        assert "(models of how workers err), Dawid-Skene, subtypes, lure, weighted alike, for" in ran.err
        labels = pd.read_csv(tmp_path / "out" / "labels.csv")
        assert (
            list(labels.columns)
            == (
                "item label confidence margin entropy runner_up n_judgments n_model_votes majority_label source status"
            ).split()
        )

    def test_quiet_json_formats_and_posteriors(self, run: Run, judged: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        ran = run("run", judged, "--output", out, "--quiet", "--json", "--format", "parquet", "--posteriors")
        assert (ran.status, ran.err) == (0, "")
        assert json.loads(ran.out)["counts"]["judgments"] == 120
        assert (out / "posteriors.parquet").is_file()
        assert len(pd.read_parquet(out / "labels.parquet")) == 30

    def test_overwrite(self, run: Run, judged: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        assert run("run", judged, "--output", out).status == 0
        before = (out / "labels.csv").read_bytes()
        ran = run("run", judged, "--output", out)
        assert (ran.status, ran.err.count("\n")) == (3, 1)
        assert "out: exists already" in ran.err
        assert run("run", judged, "--output", out, "--overwrite").status == 0
        assert (out / "labels.csv").read_bytes() == before

    def test_settings_file_and_options(self, run: Run, judged: Path, write: Write, tmp_path: Path) -> None:
        config = write("c.toml", 'target = 0.8\nprior = "fixed"\nlabels = ["l1", "l0", "never"]\n')
        ran = run("run", judged, "--output", tmp_path / "out", "--config", config, "--target", "0.7", "--json")
        settings = json.loads(ran.out)["settings"]
        assert (settings["target"], settings["prior"], settings["labels"]) == (0.7, "fixed", ["l1", "l0", "never"])
        ran = run("run", judged, "--output", tmp_path / "2", "--labels", "l0,l1,other", "--json")
        assert json.loads(ran.out)["settings"]["labels"] == ["l0", "l1", "other"]

    def test_ids_that_look_like_formulas(self, run: Run, write: Write, tmp_path: Path) -> None:
        path = write("j.csv", csv([("=1+1", w, "x") for w in "abc"]))
        assert run("run", path, "--output", tmp_path / "raw", "--raw-cells").status == 0
        assert run("run", path, "--output", tmp_path / "safe").status == 0
        assert (tmp_path / "raw" / "labels.csv").read_text().splitlines()[1].startswith("=1+1,")
        assert (tmp_path / "safe" / "labels.csv").read_text().splitlines()[1].startswith("'=1+1,")
        assert run("aggregate", path).out.splitlines()[1].startswith("'=1+1,")
        assert run("aggregate", path, "--raw-cells").out.splitlines()[1].startswith("=1+1,")

    def test_the_option_of_earlier_versions_changes_nothing(self, run: Run, write: Write, tmp_path: Path) -> None:
        path = write("j.csv", csv([("=1+1", w, "x") for w in "abc"]))
        ran = run("run", path, "--output", tmp_path / "safe", "--spreadsheet-safe")
        assert "note: --spreadsheet-safe is what is done anyway: leave it out; --raw-cells leaves formulas" in ran.err
        assert (tmp_path / "safe" / "labels.csv").read_text().splitlines()[1].startswith("'=1+1,")
        ran = run("run", path, "--output", tmp_path / "quiet", "--spreadsheet-safe", "-q")
        assert (ran.status, ran.err) == (0, "")
        assert run("check", path, "--spreadsheet-safe").status == 2


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (None, [], "j.csv: no such file; check the name"),
        ("", [], "j.csv: the file is empty"),
        ("item,worker,label\n", [], "j.csv: a header but no rows"),
        (
            "item,worker,colour\na,v,x\n",
            [],
            'j.csv: no column holds the label; it could be "colour" (1 value); name it with --label, such',
        ),
        (
            "item,worker,label,answer\na,v,x,x\n",
            [],
            'j.csv: several columns could hold the label: "label" (1 value), "answer" (1 value); choose',
        ),
        (b"\x89PNG\r\n\x1a\n\0\0", [], "j.csv:3: this is not text"),
        ('item,worker,label\na,v,"x\nb,v,x\n', [], "j.csv:2: a quote opens here and is never closed"),
        (
            csv(JUDGED),
            ["--gold", "gold.csv"],
            'gold.csv:2: gold item "unknown" and the 0 other gold items occur nowhere',
        ),
        (
            csv(JUDGED),
            ["--gold", "bad.csv"],
            'bad.csv:2: gold label "blue" of item "i1" is not in the label set "l0", "l1"',
        ),
        (csv(JUDGED), ["--target", "-0.5"], "setting target = -0.5: input should be greater than 0"),
        (csv(JUDGED), ["--prior", "loose"], "setting prior = 'loose'"),
        (csv(JUDGED), ["--config", "extra.toml"], 'extra.toml: unknown setting "targt"; did you mean target?'),
        (csv(JUDGED), ["--config", "no.toml"], "no.toml: not a TOML file"),
        (csv(JUDGED), ["--config", "none.toml"], "none.toml: can't be read as settings: no such file or directory\n"),
        (csv(JUDGED), ["--config", "value.toml"], "value.toml: setting threads = 0"),
        (csv(JUDGED), ["--output", "none/out"], "there is no folder"),
        (csv([*JUDGED, JUDGED[0]]), ["--repeats", "error"], 'j.csv:122: worker "w0" judged item "i0" twice'),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    run: Run,
    write: Write,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: str | bytes | None,
    options: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write("gold.csv", "item,label\nunknown,l0\n")
    write("bad.csv", "item,label\ni1,blue\n")
    write("extra.toml", "targt = 0.9\n")
    write("value.toml", "threads = 0\n")
    write("no.toml", "target: 0.9\n")
    if content is not None:
        write("j.csv", content)
    before = sorted(tmp_path.iterdir())
    ran = run("run", "j.csv", *options)
    is_of_input = message.partition(":")[0] in {"j.csv", "gold.csv", "bad.csv"} or "judged item" in message
    assert (ran.status, ran.out) == (INPUT if is_of_input else SETTINGS, "")
    assert ran.err.startswith(f"consensus: {message}") or message in ran.err
    assert ran.err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(sys.platform == "win32", reason="folders are made read-only by mode")
def test_folder_that_may_not_be_written(run: Run, judged: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    if (locked / "probe").parent.stat().st_uid == 0:  # the superuser may write anywhere but here
        locked = Path("/proc")
    ran = run("run", judged, "--output", locked / "out")
    assert ran.status == 3
    assert "can't be written" in ran.err


def test_usage_is_status_2(run: Run) -> None:
    assert run("run").status == 2
    assert run("run", "j.csv", "--no-such-option").status == 2
    assert run("fly").status == 2
    assert run().status == 2
    assert run("--help").status == 0
    assert run("--version").out == f"consensus {__version__}\n"


class TestTables:
    def test_stdout_is_the_table_and_stderr_the_words(self, run: Run, judged: Path) -> None:
        for command, first in (("aggregate", "item,label"), ("audit", "worker,kind"), ("escalate", "item,reason")):
            ran = run(command, judged)
            assert ran.status == 0
            assert ran.out.startswith(first)
            assert "120 rows read" in ran.err
            assert run(command, judged, "--quiet").err == ""

    def test_same_tables_as_run(self, run: Run, judged: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        run("run", judged, "--output", out, "--posteriors")
        for arguments, name in (
            (["aggregate"], "labels.csv"),
            (["aggregate", "--posteriors"], "posteriors.csv"),
            (["audit"], "workers.csv"),
            (["audit", "--confusions"], "confusions.csv"),
            (["escalate"], "escalations.csv"),
        ):
            assert run(*arguments, judged).out == (out / name).read_text()
        for ending in ("csv", "parquet"):
            ran = run("audit", "--confusions", judged, "-o", tmp_path / f"c.{ending}")
            assert (ran.status, ran.out) == (0, "")
        assert (tmp_path / "c.csv").read_text() == (out / "confusions.csv").read_text()
        assert len(pd.read_parquet(tmp_path / "c.parquet")) == len(pd.read_csv(out / "confusions.csv"))

    def test_json_and_files(self, run: Run, judged: Path, tmp_path: Path) -> None:
        lines = run("aggregate", judged, "--json").out.splitlines()
        assert json.loads(lines[0])["item"] == "i0"
        for ending in ("csv", "tsv", "jsonl", "parquet"):
            ran = run("escalate", judged, "-o", tmp_path / f"e.{ending}", "--target", "0.9999", "--budget", "3")
            assert (ran.status, ran.out) == (0, "")
        assert pd.read_parquet(tmp_path / "e.parquet")["judgments"].sum() == 3
        ran = run("audit", judged, "-o", tmp_path / "e.doc")
        assert (ran.status, "unknown ending" in ran.err) == (3, True)

    def test_an_input_is_not_overwritten(self, run: Run, judged: Path) -> None:
        before = judged.read_bytes()
        ran = run("aggregate", judged, "-o", judged)
        assert (ran.status, "this file is to be read" in ran.err) == (3, True)
        assert judged.read_bytes() == before

    def test_rejects_are_told(self, run: Run, write: Write) -> None:
        ran = run("audit", write("j.csv", csv([*JUDGED, ("x",), ("y",)])))
        assert "warning rejected_rows: 2 of 122 rows could not be used; 2 of them: too few fields" in ran.err
        ran = run("audit", write("k.csv", csv([("x",)])))
        assert ran.status == 1
        assert "k.csv:2: too few fields: 1 instead of 3)" in ran.err

    def test_labels_with_commas(self, run: Run, write: Write) -> None:
        path = write("j.csv", csv([(f"i{i}", f"w{w}", '"yes, sure"') for i in range(3) for w in range(2)]))
        ran = run("aggregate", path, "--labels", '"yes, sure", no', "--posteriors", "-q")
        assert ran.out.splitlines()[0] == '"item","yes, sure","no"'

    def test_columns_and_abstains_by_flag(self, run: Run, write: Write) -> None:
        path = write(
            "j.csv", csv([(f"i{i}", f"w{w}", "skip" if i < 2 else "x") for i in range(4) for w in range(2)], "a,b,c")
        )
        named = ("--item", "a", "--worker", "b", "--label", "c")
        ran = run("aggregate", path, *named, "--abstain", "skip", "--abstain", "none")
        assert ran.status == 0
        assert "8 rows read = 4 used + 4 without a label" in ran.err
        gold = write("gold.csv", "item,label\ni3,x\n")
        assert "i3,x,1,1,0,," in run("aggregate", path, *named, "--gold", gold).out


def test_gold_does_not_count_as_found(run: Run, judged: Path, write: Write, tmp_path: Path) -> None:
    truth = write("truth.csv", csv([(f"i{i}", f"l{i % 2}") for i in range(30)], "item,truth"))
    gold = write("gold.csv", csv([(f"i{i}", f"l{i % 2}") for i in range(10)], "item,label"))
    run("run", judged, "--gold", gold, "--output", tmp_path / "out", "--posteriors")
    for labels in (tmp_path / "out", tmp_path / "out" / "labels.csv"):
        assert json.loads(run("evaluate", labels, truth, "--json").out)["n_items"] == 20


def test_ending_by_signal_leaves_nothing(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from consensus import report\n"
        "from consensus.runs import folder\n"
        "from consensus.__main__ import main\n"
        "folder.write = lambda *a, **k: os.kill(os.getpid(), signal.SIGTERM)\n"
        "main(['demo', sys.argv[1]])\n"
    )
    ran = subprocess.run([sys.executable, "-c", program, str(tmp_path / "d")], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 128 + signal.SIGTERM, ran.stderr
    assert "Traceback" not in ran.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["d"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_full_disk_behind_stdout(judged: Path) -> None:
    command = [sys.executable, "-m", "consensus", "aggregate", str(judged), "-q"]
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True)
    assert ran.returncode == 3
    said = "consensus: standard output can't be written: no space left on device"
    assert ran.stderr == f"{said}; make room there, or choose another place\n"


def test_evaluate(run: Run, judged: Path, write: Write, tmp_path: Path) -> None:
    truth = write("truth.csv", csv([(f"i{i}", f"l{i % 2}") for i in range(30)], "item,label"))
    out = tmp_path / "out"
    run("run", judged, "--output", out)
    ran = run("evaluate", out, truth)
    assert ran.status == 0
    assert "accuracy       100.00 %" in ran.out
    assert "log_loss       - (needs posteriors.csv: consensus run --posteriors)" in ran.out
    assert "true_label,label,count,share\nl0,l0,15,1\nl1,l1,15,1\n" in ran.out
    run("run", judged, "--output", out, "--posteriors", "--overwrite")
    found = json.loads(run("evaluate", out, truth, "--json").out)
    assert found["accuracy"] == 1
    assert found["log_loss"] < 0.5
    assert re.search(r"log_loss +0\.\d{4}\n", run("evaluate", out, truth).out)
    write("plain.csv", "item,label\ni0,l0\n")
    assert "ece            - (needs a confidence)" in run("evaluate", tmp_path / "plain.csv", truth).out
    other = write("other.csv", csv([("i0", "l0"), ("i1", "bird")], "item,label"))
    ran = run("evaluate", out, other)
    assert ran.err.startswith(
        'note: the truth "bird" (1 item) is not in the label set, so that nobody could give it: no'
    )
    assert json.loads(run("evaluate", out, other, "--json").out)["notes"] == [ran.err.removeprefix("note: ").strip()]
    ran = run("evaluate", out, write("upper.csv", csv([("i0", "L0"), ("i1", "L1")], "item,label")))
    assert (ran.status, ran.out) == (1, "")
    assert 'the labels of the truth are "L0", "L1", the labels to score "l0", "l1": none is the same' in ran.err


def test_simulate(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "sim"
    ran = run("simulate", out, "--items", "50", "--gold", "30", "--seed", "3")
    assert (ran.status, ran.out) == (0, "")
    assert f"wrote {out}: 250 judgments of 50 items" in ran.err
    assert sorted(path.name for path in out.iterdir()) == ["gold.csv", "judgments.csv", "planted.csv", "truth.csv"]
    assert len(pd.read_csv(out / "gold.csv")) == 30
    assert "gold items: 51 is out of range" in run("simulate", tmp_path / "2", "--items", "50", "--gold", "51").err
    assert run("simulate", tmp_path / "2", "--gold", "-1").status == 2
    first = (out / "judgments.csv").read_bytes()
    assert run("simulate", out, "--items", "50", "--gold", "30").status == 3
    assert run("simulate", out, "--items", "50", "--gold", "30", "--seed", "3", "--overwrite", "-q").err == ""
    assert (out / "judgments.csv").read_bytes() == first
    assert "setting n_items = 0: " in run("simulate", tmp_path / "bad", "--items", "0").err
    assert not (tmp_path / "bad").exists()


def test_demo(run: Run, tmp_path: Path) -> None:
    ran = run("demo", tmp_path / "demo")
    assert ran.status == 0
    assert re.search(r"consensus [89].\.\d%, majority vote [78].\.\d% \(ties shared\)", ran.err)
    written = {path.name for path in (tmp_path / "demo" / "run").iterdir()}
    assert written == {*FILES, "readings.csv", "gold_health.csv", "report.html"}
    assert run("demo", tmp_path / "demo", "--overwrite", "--quiet").err == ""
    (tmp_path / "demo" / "run" / "notes.md").write_text("mine")
    ran = run("demo", tmp_path / "demo", "--overwrite")
    assert (ran.status, "holds notes.md" in ran.err) == (3, True)


@pytest.mark.slow
def test_digits_beat_the_majority(run: Run, tmp_path: Path) -> None:
    assert run("run", DIGITS / "judgments.csv", "--output", tmp_path / "out").status == 0
    truth: dict[str, str] = dict(pd.read_csv(DIGITS / "truth.csv", dtype=str).itertuples(index=False))
    labels = pd.read_csv(tmp_path / "out" / "labels.csv", dtype=str, keep_default_na=False)
    true = labels["item"].map(truth)
    assert (labels["label"] == true).mean() > (labels["majority_label"] == true).mean() + 0.03


def test_progress_on_a_terminal_only(run: Run, judged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "fitting" not in run("run", judged, "--output", tmp_path / "1").err
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes stderr for a terminal
    assert "fitting" not in run("run", judged, "--output", tmp_path / "2", "--quiet").err
    shown = run("run", judged, "--output", tmp_path / "3").err
    assert "summary.json" in shown or "fitting" in shown or "reading" in shown


@pytest.mark.slow
def test_every_format_in_a_process_of_its_own(judged: Path, tmp_path: Path) -> None:
    """Whatever another test may have imported, each format brings along what it needs."""
    frame = pd.read_csv(judged, dtype=str)
    frame.to_parquet(tmp_path / "j.parquet")
    frame.to_json(tmp_path / "j.jsonl", orient="records", lines=True)
    for name, ending in (("j.parquet", "jsonl"), ("j.jsonl", "parquet"), ("judged.csv", "tsv")):
        out = tmp_path / f"labels.{ending}"
        command = [sys.executable, "-m", "consensus", "aggregate", str(tmp_path / name), "-o", str(out), "-q"]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert out.stat().st_size > 0


def test_help_is_light() -> None:
    """Neither ``import consensus`` nor the command line loads the heavy libraries before they are needed."""
    program = (
        "import sys, consensus, consensus.__main__\n"
        "heavy = {'numba', 'pandas', 'scipy', 'pyarrow', 'dask', 'pydantic', 'numpy', 'PIL', 'skimage'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


class TestReadings:
    @pytest.fixture
    def files(self, tmp_path: Path) -> Path:
        """Three in ten workers copy one stream, and are to be counted apart."""
        judgments, _ = ring(0, 200)
        codes = zip(judgments.item.tolist(), judgments.worker.tolist(), judgments.label.tolist(), strict=True)
        rows = [(f"i{i:03}", f"w{w:02}", f"l{k}") for i, w, k in codes]
        pd.DataFrame(rows, columns=["item", "worker", "label"]).to_csv(tmp_path / "judgments.csv", index=False)
        return tmp_path

    def test_run(self, run: Run, files: Path) -> None:
        out = files / "out"
        ran = run("run", files / "judgments.csv", "--collusion", "report", "--output", out)
        assert ran.status == 0, ran.err
        assert json.loads((out / "summary.json").read_text())["settings"]["model"] == "average"
        told = json.loads((out / "summary.json").read_text())["readings"]
        n = told["disputed"]
        assert n >= 10
        assert sum(told["weights"].values()) == pytest.approx(1)
        assert "\naverage: converged after" in ran.err
        weights = ", ".join(f"{name} {weight:.2f}".replace(" 0.", " .") for name, weight in told["weights"].items())
        weights = weights.replace("dawid_skene", "Dawid-Skene")
        assert (
            f"\naverage of 3 readings (models of how workers err), weighted {weights} by {told['held_out']} judgments "
            f"held out; they disagree on {n} items\n" in ran.err
        )
        assert f"warning readings_disagree: {n} of 200 items" in ran.err
        table = pd.read_csv(out / "readings.csv")
        labels = pd.read_csv(out / "labels.csv").set_index("item")
        assert len(table) == told["listed"] >= n
        assert table["label"].tolist() == labels.loc[table["item"], "label"].tolist()
        assert (table[["dawid_skene", "subtypes", "lure"]].nunique(axis=1) == 2).sum() == n
        assert (table["worker_weighted"] != table["label"]).sum() == told["worker_weighted"]
        assert table["confidence"].is_monotonic_increasing
        first = table["item"][0]
        said = run("explain", out, first).out
        assert "all readings" in said
        assert "readings say (sure, weight): dawid_skene" in said

    def test_one_reading_has_no_such_table(self, run: Run, files: Path) -> None:
        out = files / "out"
        assert (
            run(
                "run", files / "judgments.csv", "--collusion", "report", "--model", "dawid_skene", "--output", out
            ).status
            == 0
        )
        assert not (out / "readings.csv").exists()
        assert json.loads((out / "summary.json").read_text())["readings"] is None
        with pytest.raises(ConfigError, match="there is one reading only"):
            consensus.run(files / "judgments.csv", model="dawid_skene").table("readings")

    def test_why_one_reading_alone(self, run: Run, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """In one line, which is no warning; and the page that is made again says it, too."""
        monkeypatch.setattr("consensus.models.choice.MOST_JUDGMENTS", 999)
        ran = run("run", files / "judgments.csv", "--collusion", "report", "--output", files / "out", report=True)
        line = (
            "Dawid-Skene alone, because there are more than 999 judgments (--model average takes about 6 times as long)"
        )
        assert f"\n{line}\n" in ran.err
        assert "warning one_reading" not in ran.err
        told = json.loads((files / "out" / "summary.json").read_text())
        assert (told["settings"]["model"], told["readings"]) == ("dawid_skene", None)
        page = (files / "out" / "report.html").read_bytes()
        assert run("report", files / "out").status == 0
        assert (files / "out" / "report.html").read_bytes() == page
        assert line[1:].encode() in page
        ran = run(
            "run",
            files / "judgments.csv",
            "--collusion",
            "report",
            "--model",
            "dawid_skene",
            "--output",
            files / "named",
        )
        assert "alone, because" not in ran.err
        assert "model_because" not in json.loads((files / "named" / "summary.json").read_text())["convergence"]

    def test_it_is_what_python_does(self, run: Run, files: Path) -> None:
        assert run("run", files / "judgments.csv", "--collusion", "report", "--output", files / "out").status == 0
        found, result = (
            consensus.run(files / "judgments.csv", collusion="report"),
            consensus.fit(files / "judgments.csv"),
        )
        assert found.result.model == result.model == "average"
        assert np.array_equal(found.result.posterior, result.posterior)
        labels = pd.read_csv(files / "out" / "labels.csv")
        np.testing.assert_allclose(labels["confidence"], result.confidence, atol=1e-6)


class TestModelVotes:
    """``--model-votes`` of every command that fits."""

    @pytest.fixture
    def files(self, tmp_path: Path) -> Path:
        """Two people on 60 items, a model on these and 20 more; one answer can't be parsed, one row is malformed."""
        people = [f"i{i:02},w{w},{'yes' if i % 2 else 'no'}" for i in range(60) for w in range(2)]
        (tmp_path / "people.csv").write_text("\n".join(["item,worker,label", *people]) + "\n")
        model = [f"i{i:02},{'0.02,0.98' if i % 2 else '0.98,0.02'},judge-1" for i in range(80)]
        (tmp_path / "wide.csv").write_text("\n".join(["item,p_no,p_yes,model", *model, "i80,-1,2,judge-1"]) + "\n")
        named = [f"i{i:02},llm,{'yes' if i % 2 else 'no'}" for i in range(60)]
        (tmp_path / "long.csv").write_text(
            "\n".join(["item,model,label", *named, "i60,llm,I can not tell", "i61,llm,"]) + "\n"
        )
        return tmp_path

    def test_run(self, run: Run, files: Path) -> None:
        out = files / "out"
        votes = ("--model-votes", files / "wide.csv", "--model-votes", files / "long.csv")
        ran = run("run", files / "people.csv", *votes, "--output", out, "--target", "0.9")
        assert ran.status == 0, ran.err
        assert "143 rows of model votes read = 141 votes + 1 without a label + 1 rejected; 2 models" in ran.err
        assert "models settled 20 items that nobody judged, and saved at least 40 judgments" in ran.err
        assert "warning unparsed_votes: 1 model votes name no label of the label set" in ran.err
        labels = pd.read_csv(out / "labels.csv", dtype=str)
        (alone,) = labels[labels["item"] == "i61"].to_dict("records")
        told = (alone["label"], alone["source"], alone["status"], alone["n_model_votes"])
        assert told == ("yes", "model", "accepted", "1")
        workers = pd.read_csv(out / "workers.csv").set_index("worker")
        assert workers["kind"].tolist() == ["human", "human", "model", "model", "family"]
        assert pd.read_csv(out / "models.csv")["model"].tolist()[:2] == ["judge-1", "judge-1"]
        rejects = pd.read_csv(out / "rejects.csv")
        assert rejects["reason"].tolist() == ['the probability of "no" is -1, negative']
        summary = json.loads((out / "summary.json").read_text())
        assert summary["models"]["items_settled_by_models_alone"] == 20
        assert summary["models"]["votes"]["unparsed"] == 1
        assert [one["model"] for one in summary["models"]["models"]] == ["judge-1", "llm"]
        assert [Path(one["file"]).name for one in summary["provenance"]["model_votes"]] == ["wide.csv", "long.csv"]

    def test_tables(self, run: Run, files: Path) -> None:
        votes = ("--model-votes", files / "wide.csv")
        assert "i79,yes," in run("aggregate", files / "people.csv", *votes).out
        assert "judge-1,model,80,80," in run("audit", files / "people.csv", *votes).out
        listed = run(
            "escalate", files / "people.csv", *votes, "--target", "0.9", "--audit-sample", "1"
        ).out.splitlines()
        assert [line.split(",")[1] for line in listed[1:]] == ["audit"] * 20 + ["too_few"]
        assert {line.split(",")[0] for line in listed[1:]} == {f"i{i}" for i in range(60, 81)}  # i80: no vote is left

    def test_models_alone(self, run: Run, files: Path) -> None:
        ran = run(
            "run", "--model-votes", files / "wide.csv", "--model-votes", files / "long.csv", "--output", files / "o"
        )
        assert ran.status == 0, ran.err
        assert "warning models_only" in ran.err
        assert "unaudited" in ran.err
        assert pd.read_csv(files / "o" / "labels.csv").query("source != 'model'")["item"].tolist() == ["i80"]

    def test_neither(self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "consensus-out").mkdir()  # it exists: not what is wrong first of all
        ran = run("run")
        assert (ran.status, ran.out) == (2, "")
        assert "give files of judgments, or of model votes with --model-votes" in " ".join(ran.err.split())

    def test_circular(self, run: Run, files: Path) -> None:
        votes = ("--model-votes", files / "wide.csv", "--trained-on-consensus", "judge-1")
        assert "warning trained_on_consensus" in run("aggregate", files / "people.csv", *votes).err
        ran = run("aggregate", files / "people.csv", *votes[:2], "--trained-on-consensus", "other")
        assert ran.status == 1
        assert 'trained_on_consensus names "other", of which there is no vote; the models are: judge-1' in ran.err

    def test_output_is_no_input(self, run: Run, files: Path) -> None:
        ran = run("aggregate", files / "people.csv", "--model-votes", files / "wide.csv", "-o", files / "wide.csv")
        assert (ran.status, ran.err.count("\n")) == (3, 1)
        assert "wide.csv: this file is to be read; choose another with --output" in ran.err
