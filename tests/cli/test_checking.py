"""What a run would take, told before it begins; and what it took, told in the end."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import consensus
from consensus import memory
from consensus.cli import job
from consensus.config import RunConfig
from consensus.errors import ConfigError
from consensus.formats import writing
from consensus.formats.tables import sizes
from consensus.found.cautions import Caution
from consensus.inputs.judgments import Judgments
from consensus.models import layout, memory_needs
from consensus.models.base import chosen
from consensus.models.readings import most_states
from consensus.runs import checking
from tests.conftest import DIGITS, ROOT, Run, csv

Write = Callable[[str, str | bytes], Path]


class TestMemory:
    def test_more_than_allowed_is_refused_before_the_work(self) -> None:
        memory.refuse(10, 10, "a fit")
        with pytest.raises(
            ConfigError, match=r"^a fit needs about 5.0 GB of memory, more than the 2.0 GB of --memory; "
        ):
            memory.refuse(5_000_000_000, 2_000_000_000, "a fit")

    def test_by_default_the_machine_is_the_limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(memory, "there_is", lambda: 1_000_000)
        with pytest.raises(
            ConfigError, match="more than the 1 MB of this machine; work on part of the items at a time"
        ):
            memory.refuse(2_000_000, None, "a fit")

    def test_a_container_may_have_less_than_its_machine(self, monkeypatch: pytest.MonkeyPatch, write: Write) -> None:
        machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        unlimited, limited = write("max", "max\n"), write("limit", "123456789\n")
        monkeypatch.setattr(memory, "GROUP_LIMITS", (str(unlimited), "/nowhere"))
        assert memory.there_is() == machine
        monkeypatch.setattr(memory, "GROUP_LIMITS", (str(limited),))
        assert memory.there_is() == 123456789

    def test_sizes_in_words(self) -> None:
        assert [memory.told(n) for n in (2e6, 1.34e9)] == ["2 MB", "1.3 GB"]

    def test_a_fit_checks_its_needs(self) -> None:
        judgments = consensus.simulate(100, 5, 2, 3).judgments
        with pytest.raises(ConfigError, match=r"a fit of Judgments\(300 judgments .* needs about 5\d\d MB of memory"):
            consensus.fit(judgments, memory="1MB")
        assert "memory" not in consensus.fit(judgments, memory="2GB").settings()

    def test_reading_checks_its_needs(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(memory, "A_ROW_READ", 10_000_000)
        ran = run("aggregate", DIGITS / "judgments.csv", "--memory", "2GB")
        assert (ran.status, ran.out) == (3, "")
        assert re.match(r"consensus: reading .*judgments.csv needs about 60.1 GB of memory, more than", ran.err)

    def test_unreadable_sizes(self, run: Run) -> None:
        ran = run("check", DIGITS / "judgments.csv", "--memory", "much")
        assert ran.status == 3
        assert "setting memory = 'much'" in ran.err


class TestRows:
    def test_of_text(self, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        path = write("a.csv", csv([("i", "w", "x")] * 999))
        assert sizes.at_least_rows([path, path]) == 2000
        monkeypatch.setattr(sizes, "SAMPLE", 64)
        assert sizes.at_least_rows([path]) == pytest.approx(1000, rel=0.3)

    def test_of_parquet(self, tmp_path: Path) -> None:
        path = tmp_path / "a.parquet"
        writing.write(consensus.simulate(50, 4, 2, 3).judgments_table(), path)
        assert sizes.at_least_rows([path, path.rename(tmp_path / "b")]) == 150

    def test_what_can_not_be_read_is_for_the_reader_to_say(self, write: Write, tmp_path: Path) -> None:
        assert sizes.at_least_rows([write("a.parquet", "no"), tmp_path / "missing.csv", tmp_path]) == 0


class TestNeeds:
    def test_grow_with_the_data(self) -> None:
        small = memory_needs.of(consensus.simulate(100, 5, 2, 3).judgments)
        large = memory_needs.of(consensus.simulate(20_000, 50, 5, 3).judgments)
        assert small.reading < large.reading
        assert small.fitting <= large.fitting
        assert small.tables < large.tables
        assert large.peak == max(large.reading, large.fitting, large.tables)

    def test_of_very_many_labels_follow_the_judgments(self, monkeypatch: pytest.MonkeyPatch) -> None:
        drawn = consensus.simulate(2_000, 100, 60, 3).judgments
        monkeypatch.setattr(layout, "MOST_CELLS", 0)
        few = memory_needs.of(drawn)
        assert few.fitting < memory.LIBRARIES + 100 * drawn.n_judgments * 3 + 40 * 60 * 60

    def test_of_a_fit_by_its_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(memory_needs, "PAIRS_COMPARED", 0)

        def beside(judgments: Judgments) -> int:
            """What the fit takes beside the judgments, which are held all the while."""
            J, ids = judgments.n_judgments, judgments.item_ids.nbytes + judgments.worker_ids.nbytes
            held = memory.LIBRARIES + 12 * J + 8 * judgments.n_items + ids
            return int(memory_needs.of(judgments).fitting - held - 4 * J)

        many = consensus.simulate(1_000, 8, 2, 8).judgments  # most of it is what is sorted by worker
        assert beside(many) == 8 * many.n_judgments
        few = consensus.simulate(500, 4, 40, 2).judgments  # most of it is the posterior
        tables = 8 * 160 * (40 * 2 + 40) + 8 * 4 * 40
        assert beside(few) == tables + 8 * 500 * 40 + 12 * 500
        monkeypatch.setattr(layout, "MOST_CELLS", 0)
        distinct = sum(len(set(few.label[few.item == i].tolist())) for i in range(500))
        pairs = sum(int((few.item == i).sum()) * len(set(few.label[few.item == i].tolist())) for i in range(500))
        assert beside(few) == 60 * pairs + 40 * 40**2 + 28 * distinct + 40 * 500

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("n_items", "n_labels", "report"), [(150_000, 2, False), (50_000, 6, False), (10_000, 150, True)]
    )
    def test_are_what_a_run_takes(self, n_items: int, n_labels: int, report: bool, tmp_path: Path) -> None:
        """The peak that is told lies between nine tenths and twice of what a run reaches."""
        drawn = consensus.simulate(n_items, 300, n_labels, 5, seed=1)
        path = tmp_path / "judgments.csv"
        writing.write(drawn.judgments_table(), path)
        program = (
            "import resource, subprocess, sys\n"
            "subprocess.run([sys.executable, '-m', 'consensus', *sys.argv[1:]], check=True)\n"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
        )
        few = ["--max-iterations", "5"]  # the peak does not grow with them
        if not report:
            few.append("--no-report")
        arguments = ["run", str(path), "--output", str(tmp_path / "out"), "--quiet", "--rho", "0.3", *few]
        ran = subprocess.run(
            [sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
        )
        measured = int(ran.stdout) * (1 if sys.platform == "darwin" else 1024)
        by = chosen(drawn.judgments, None, consensus.FitConfig()).name
        n_states = most_states(n_labels) if by == "average" else 0
        assert 0.9 < memory_needs.of(drawn.judgments, report=report, n_states=n_states).peak / measured < 2.0


class TestCheck:
    def test_tells_counts_columns_memory_time_and_the_command(self, run: Run) -> None:
        ran = run("check", DIGITS / "judgments.csv", "--quiet")
        assert (ran.status, ran.err) == (0, "")
        rows, counts, columns, model, needed, seconds, command = ran.out.splitlines()
        assert rows == "5,984 rows read = 5,984 used"
        assert counts == "1,797 items, 36 workers, 10 labels, 3.33 judgments an item"
        assert columns == (
            'columns: item is "item" (by its name, 1,797 values), worker is "worker" (by its name, 36 values), label '
            'is "label" (by its name, 10 values), time is "timestamp" (by its name, 5,962 values)'
        )
        assert model == "model: average"
        assert re.fullmatch(
            r"memory: about \d+ MB at the most \(reading \d+ MB, fitting \d+ MB, tables \d+ MB\)", needed
        )
        pattern = r"time: about \d+ s \(reading \d+\.\d s, 35 passes of \d\.\d{3} s, tables 0\.0 s\)"
        assert re.fullmatch(pattern, seconds)
        assert command == f"run it with: consensus run {DIGITS / 'judgments.csv'}"

    def test_as_json(self, run: Run) -> None:
        ran = run("check", DIGITS / "judgments.csv", "--json")
        found = json.loads(ran.out)
        assert (found["judgments"], found["items"], found["workers"], found["labels"]) == (5984, 1797, 36, 10)
        assert found["understood"]["columns"][1] == {
            "role": "worker",
            "name": "worker",
            "because": "by its name",
            "n_values": 36,
        }
        assert (found["understood"]["unused"], found["warnings"], found["notes"]) == ([], [], [])
        assert found["memory"]["peak"] == max(found["memory"][stage] for stage in ("reading", "fitting", "tables"))
        assert found["seconds"]["total"] > found["passes"] * found["seconds"]["pass"] > 0

    def test_knows_the_model(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        """More memory for more states; and why the average is not taken."""
        path = DIGITS / "judgments.csv"
        average = json.loads(run("check", path, "--json").out)
        assert (average["model"], average["model_because"]) == ("average", None)
        alone = json.loads(run("check", path, "--json", "--model", "dawid_skene").out)
        assert (alone["model"], alone["model_because"]) == ("dawid_skene", None)
        assert average["memory"]["fitting"] > alone["memory"]["fitting"]
        assert average["seconds"]["pass"] == pytest.approx(14 * alone["seconds"]["pass"])
        monkeypatch.setattr("consensus.models.choice.MOST_JUDGMENTS", 5_000)
        line = (
            "Dawid-Skene alone, because there are more than 5,000 judgments "
            "(--model average takes about 14 times as long)"
        )
        assert f"\nmodel: {line}\n" in run("check", path, "--quiet").out
        told = json.loads(run("check", path, "--json").out)
        assert told["memory"] == alone["memory"]

    def test_writes_and_compiles_nothing(self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("consensus.kernels.are_compiled", lambda: False)
        monkeypatch.setattr(job, "compile_all", None)
        ran = run("check", DIGITS / "judgments.csv", "--quiet")
        assert ran.status == 0
        assert ", compiling once 20 s)" in ran.out
        assert list(tmp_path.iterdir()) == []

    def test_the_command_has_what_was_given_and_what_is_advised(self, run: Run, write: Write) -> None:
        rows = [
            (f"i{i}", f"w{w}", ("yes", "no")[i % 2], q, "Approved") for i in range(12) for w in range(3) for q in "ab"
        ]
        path = write("two questions.csv", csv([*rows, ("i1", "w9", '""', "a", "Rejected")], "id,worker,label,q,state"))
        options = ["--item", "id", "--drop", "state=Rejected", "--abstain", "no", "--labels", 'no,yes,"a, b"']
        ran = run("check", path, *options, "--threads", 1, "--repeats", "last")
        assert ran.out.splitlines()[-1] == (
            f"run it with: consensus run '{path}' --item id --repeats last --abstain no --drop state=Rejected --labels "
            "'no,yes,\"a, b\"' --threads 1 --by q"
        )
        assert "1 left out" in ran.out
        ran = run("check", path, "--item", "q", "--repeats", "last")
        assert ran.out.splitlines()[-1].endswith("--item id --repeats last --abstain '' --by q")

    def test_options_in_the_words_of_warnings_are_taken_over(self, write: Write) -> None:
        path = write("j.csv", csv([("i1", "w1", "x"), ("i1", "w2", "x")]))
        found = consensus.check(path, abstain=("NA",))
        said = (
            'texts that mean none: pass --abstain "no answer"',  # the notice has its options, as they are
            "spellings of one label (fold them with --fold labels)",
            "and of one worker: --fold workers; see --folder and --fold workers.",
        )
        warnings = [Caution("one_label", one) for one in said]
        config = RunConfig(abstain=("NA",))
        line = checking.recommended([path], config, [found.judgments], warnings)
        assert line == f"consensus run {path} --abstain NA --fold labels,workers"

    @pytest.mark.parametrize(
        ("text", "word"),
        [
            ("\u00a0", r"$'\u00a0'"),
            ("\r'\\", r"$'\u000d\u0027\u005c'"),
            ("\U000e0001", r"$'\U000e0001'"),
            ("-\t", r"$'--abstain=-\u0009'"),
        ],
    )
    def test_what_can_not_be_seen_is_typed_as_a_code(self, write: Write, text: str, word: str) -> None:
        path = write("j.csv", csv([("i1", "w1", "x"), ("i1", "w2", "x")]))
        option = "" if text.startswith("-") else "--abstain "
        assert consensus.check(path, abstain=text).command == f"consensus run {path} {option}{word}"

    def test_a_frame_has_no_command(self) -> None:
        found = consensus.check({"item": list("aabb"), "worker": list("vwvw"), "label": list("xxyx")})
        assert found.command is None
        assert repr(found) == ("Check(Judgments(4 judgments of 2 items by 2 workers, 2 labels), 0 warnings)")
        assert str(found).startswith("4 rows read = 4 used\n2 items, 2 workers, 2 labels, 2.00 judgments an item\n")
        assert "run it with" not in str(found)

    def test_flags_and_labels_are_taken_over(self, write: Write) -> None:
        paths = [write(f"{name}.csv", csv([(f"i{i}", "x") for i in range(3)], "item,label")) for name in ("ann", "bob")]
        found = consensus.check(paths, worker_from_file=True, labels=("x", "y"), duration=None)
        assert found.command == f"consensus run {paths[0]} {paths[1]} --worker-from-file --labels x,y"
        assert found.judgments.labels == ("x", "y")

    def test_every_line_is_one(self) -> None:
        found = consensus.check({"item": ["a"], "worker": ["v"], "label": ["x\ny"]})
        assert r'warning one_label: every judgment says "x\ny": there is nothing to decide' in found.lines()

    def test_no_judgments_are_no_error(self, write: Write) -> None:
        found = consensus.check(write("j.csv", csv([("i1", "w1", "")])))
        assert found.lines()[0] == "1 row read = 0 used + 1 without a label"


class TestTimings:
    @pytest.fixture
    def judged(self, tmp_path: Path) -> Path:
        path = tmp_path / "judged.csv"
        table = consensus.simulate(60, 6, 2, 4, seed=1).judgments_table()
        table["timestamp"] = [f"2025-03-{1 + row // 24:02}T{row % 24:02}:00:00Z" for row in range(len(table))]
        writing.write(table, path)
        return path

    @pytest.mark.parametrize("measured", [False, True])
    def test_every_phase_is_told_on_stderr(self, measured: bool, run: Run, tmp_path: Path, judged: Path) -> None:
        """Where rho is measured, the fits for it come before the diagnoses."""
        rho = ["--model", "dawid_skene", *(["--rho", "measured"] if measured else [])]
        ran = run("run", judged, "--output", tmp_path / "out", "--quiet", "--timings", *rho)
        assert ran.out == ""
        lines = ran.err.splitlines()
        assert all(re.fullmatch(r"timing \S+ +\d+\.\d+ s", line) for line in lines)
        phases = [line.split()[1] for line in lines]
        order = [
            "start-up",
            "read+encode",
            "sort",
            "fit",
            *(["temper", "diagnose"] if measured else ["diagnose", "temper"]),
        ]
        assert [phase for phase in phases if phase in order] == order
        assert {"summary", "escalate", "write", "audit", "pass"} <= set(phases)
        assert (tmp_path / "out" / "drift.csv").exists()

    def test_without_passes_none_is_told(self, capsys: pytest.CaptureFixture[str]) -> None:
        show = job.Show(quiet=True, timings=True)
        show.stage("reading a.csv", 0.5)
        show.tell_timings()
        told = [line.split()[1] for line in capsys.readouterr().err.splitlines()]
        assert told == ["start-up", "read+encode"]

    def test_nothing_is_told_unasked(self, run: Run, tmp_path: Path, judged: Path) -> None:
        assert run("run", judged, "--output", tmp_path / "out", "--quiet").err == ""


class TestCompiling:
    @pytest.mark.parametrize("with_votes", [False, True])
    def test_is_announced_and_done_once(
        self, with_votes: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for compiled, said in ((False, "compiling the inner loops, once on this machine"), (True, "")):
            monkeypatch.setattr("consensus.kernels.are_compiled", lambda _, compiled=compiled: compiled)
            job.compile_all(job.Show(quiet=False), with_votes)
            err = capsys.readouterr().err
            assert err.startswith(said)
            assert bool(err) == bool(said)

    @pytest.mark.slow
    def test_the_cache_tells_and_loops_stay_inside_their_arrays(self, tmp_path: Path) -> None:
        """Compiled from nothing, with the bounds of arrays checked."""
        program = (
            "import consensus, consensus.kernels as k\n"
            "from consensus import simulation\n"
            "print(k.are_compiled())\n"
            "drawn = consensus.simulate(60, 8, 3, 4, seed=1)\n"
            "result = consensus.fit(drawn.judgments, model='dawid_skene')\n"
            "print(k.are_compiled(), k.are_compiled(with_votes=True))\n"
            "consensus.fit(drawn.judgments, model_votes=simulation.simulate_votes(drawn))\n"
            "print(k.are_compiled(with_votes=True))\n"
            "consensus.fit(drawn.judgments)\n"
            "consensus.audit(result), consensus.escalate(result)\n"
        )
        compiled = {
            "NUMBA_CACHE_DIR": str(tmp_path),
            "NUMBA_DISABLE_JIT": "0",
            "NUMBA_BOUNDSCHECK": "1",
            "NUMBA_OPT": "1",
        }
        ran = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env={**os.environ, **compiled}, capture_output=True, text=True
        )
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout.split() == ["False", "True", "False", "True"]
