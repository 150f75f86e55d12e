"""How a command ends that is asked to go, or whose output nobody takes."""

import errno
import io
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from consensus import __main__, cli
from consensus.errors import OutputError
from tests.conftest import ROOT, Run, csv

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
NO_ROOM = "standard output can't be written: no space left on device; make room there, or choose another place"
NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "SIGHUP"}


@pytest.fixture
def judged(write: Callable[[str, str | bytes], Path]) -> Path:
    return write("j.csv", csv([(f"i{i}", f"w{w}", f"l{(i + w // 2) % 2}") for i in range(6_000) for w in range(3)]))


@pytest.fixture
def heard() -> Iterator[None]:
    """No signal is ignored, as those of a shell's background are."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("heard")
class TestSignals:
    @pytest.mark.parametrize("number", SIGNALS)
    def test_one_line_and_the_exit_code_of_the_signal(
        self, run: Run, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        handlers = {one: signal.getsignal(one) for one in SIGNALS}

        def stopped(**_: object) -> None:
            os.kill(os.getpid(), number)
            time.sleep(5)

        monkeypatch.setattr(cli, "app", stopped)
        said = f"stopped by {NAMES[number]}; nothing is left half-written"
        assert run("demo") == (128 + number, "", f"consensus: {said}\n")
        told = json.loads(run("demo", "--json").err)
        assert told == {"code": "stopped", "message": said, "file": None, "line": None}
        assert {one: signal.getsignal(one) for one in SIGNALS} == handlers

    def test_it_waits_until_the_compiler_is_done(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        """An exception in what LLVM calls back would be lost, and LLVM would crash."""
        program = (
            "def called_back():\n    os.kill(os.getpid(), signal.SIGTERM)\n    time.sleep(0.1)\n    done.append(1)\n"
        )
        done: list[int] = []
        names = {"os": os, "signal": signal, "time": time, "done": done}
        exec(compile(program, "site-packages/llvmlite/binding/made_up.py", "exec"), names)

        def app(*, wait: float = 5.0, **_: object) -> None:
            names["called_back"]()  # type: ignore[operator]
            time.sleep(wait)

        monkeypatch.setattr(cli, "app", app)
        assert run("demo").status == 128 + signal.SIGTERM
        assert done == [1]
        monkeypatch.setattr(__main__, "SOON", 60.0)
        monkeypatch.setattr(cli, "app", lambda **given: app(wait=0.0, **given))
        assert run("demo").status == 0  # done before it was tried again
        assert not __main__._later

    def test_another_error_may_be_made_of_it(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        """As where a module that is written in C is imported: its errors say nothing of the signal."""

        def app(**_: object) -> None:
            try:
                os.kill(os.getpid(), signal.SIGHUP)
                time.sleep(5)
            except BaseException:
                pass
            raise TypeError("expected a message argument")

        monkeypatch.setattr(cli, "app", app)
        said = "consensus: stopped by SIGHUP; nothing is left half-written\n"
        assert run("demo") == (128 + signal.SIGHUP, "", said)

        def wrong(**_: object) -> None:
            raise TypeError("expected a message argument")

        monkeypatch.setattr(cli, "app", wrong)
        with pytest.raises(TypeError, match="expected a message"):
            run("demo")

    def test_a_second_one_does_not_break_off_the_tidying_up(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        tidied = []

        def stopped(**_: object) -> None:
            try:
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(5)
            finally:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.01)
                tidied.append(True)

        monkeypatch.setattr(cli, "app", stopped)
        assert run("demo").status == 128 + signal.SIGTERM
        assert tidied

    def test_one_that_the_caller_ignores_is_ignored(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        """As under nohup."""
        monkeypatch.setattr(cli, "app", lambda **_: os.kill(os.getpid(), signal.SIGHUP))
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            assert run("demo") == (0, "", "")
        finally:
            signal.signal(signal.SIGHUP, before)

    def test_what_was_written_so_far_goes(self, tmp_path: Path) -> None:
        program = (
            "import os, signal, sys\n"
            "from consensus.runs import folder\n"
            "from consensus.formats import writing\n"
            "from consensus.__main__ import main\n"
            "writing.write_blocks = lambda *a, **k: os.kill(os.getpid(), signal.SIGTERM)\n"
            "main(['demo', sys.argv[1]])\n"
        )
        ran = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "d")], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 128 + signal.SIGTERM, ran.stderr
        assert ran.stderr.splitlines()[-1] == "consensus: stopped by SIGTERM; nothing is left half-written"
        assert [path.name for path in tmp_path.iterdir()] == ["d"]
        assert sorted(path.name for path in (tmp_path / "d").iterdir()) == [
            "gold.csv", "judgments.csv", "planted.csv", "truth.csv",
        ]  # fmt: skip


class TestNobodyTakesTheOutput:
    @pytest.mark.parametrize("unbuffered", ["", "1"])
    @pytest.mark.parametrize("command", ["aggregate {} -q", "aggregate {} --json"])
    def test_a_reader_that_is_gone(
        self, judged: Path, command: str, unbuffered: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
        program = f"{shlex.quote(sys.executable)} -m consensus {command.format(judged)}"
        told = "set -o pipefail; " + program + " | head -n 1"
        ran = subprocess.run(["bash", "-c", told], cwd=ROOT, capture_output=True, text=True, check=False)
        assert ran.returncode == __main__.BROKEN_PIPE
        assert len(ran.stdout.splitlines()) == 1
        assert "Traceback" not in ran.stderr
        assert "consensus:" not in ran.stderr

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
    @pytest.mark.parametrize(
        ("command", "said"),
        [
            ("check {} -q --json >/dev/full", f'"{NO_ROOM}"'),
            ("aggregate {} -q >/dev/full", f"consensus: {NO_ROOM}\n"),
            ("aggregate {} 2>/dev/full", ""),
        ],
    )
    def test_a_full_disk(self, judged: Path, command: str, said: str) -> None:
        told = f"{shlex.quote(sys.executable)} -m consensus {command.format(judged)}"
        ran = subprocess.run(["bash", "-c", told], cwd=ROOT, capture_output=True, text=True, check=False)
        assert ran.returncode == 3
        assert said in ran.stderr
        assert ran.stderr.count("\n") <= 1

    def test_closed(self, judged: Path) -> None:
        told = f"{shlex.quote(sys.executable)} -m consensus aggregate {judged} -q >&-"
        ran = subprocess.run(["bash", "-c", told], cwd=ROOT, capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stderr) == (0, "")

    def test_an_output_without_a_buffer(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        class Halves(io.RawIOBase):
            def __init__(self) -> None:
                super().__init__()
                self.got = b""

            def writable(self) -> bool:
                return True

            def write(self, some: bytes) -> int:  # type: ignore[override]
                self.got += bytes(some[: max(len(some) // 2, 1)])
                return max(len(some) // 2, 1)

        whole = run("demo", "--help").out
        halves = Halves()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(halves, "utf-8", write_through=True))  # type: ignore[type-var]
        assert run("demo", "--help").status == 0
        assert halves.got.decode() == whole
        assert isinstance(sys.stdout.buffer, Halves)

    def test_in_this_process(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        def gone(**_: object) -> None:
            raise BrokenPipeError(32, "Broken pipe")

        monkeypatch.setattr(cli, "app", gone)
        assert run("demo") == (__main__.BROKEN_PIPE, "", "")
        monkeypatch.setattr(cli, "app", lambda **_: sys.exit(7))
        assert run("demo").status == 7

    def test_what_is_left_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Full(io.StringIO):
            def flush(self) -> None:
                raise OSError(28, "No space left on device")

        monkeypatch.setattr(sys, "stdout", Full())
        with pytest.raises(SystemExit) as caught:
            __main__.main(["--version"])
        assert caught.value.code == 3


class TestErrorsOfTheSystem:
    def test_name_the_file(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(**_: object) -> None:
            raise PermissionError(13, "Permission denied", "secret\n.csv")

        monkeypatch.setattr(cli, "app", refuse)
        assert run("demo") == (3, "", "consensus: secret\\n.csv: permission denied\n")

    def test_a_folder_that_may_not_be_written(
        self, run: Run, judged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import tempfile

        run("check", judged)  # the loops are loaded

        def refuse(*_: object, **__: object) -> None:
            raise OSError(30, "Read-only file system")

        monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
        ran = run("run", judged, "--output", tmp_path / "out")
        assert (ran.status, ran.err.count("\n")) == (3, 1)
        assert ran.err.startswith(f"consensus: {tmp_path}/out: {tmp_path} can't be written (read-only file system)")

    def test_a_disk_that_is_full_names_the_file_as_it_would_have_been_called(
        self, run: Run, judged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from consensus.formats import writing

        def full(_: object, path: Path, **__: object) -> None:
            raise OutputError("can't be written: no space left on device", path)

        monkeypatch.setattr(writing, "write", full)
        ran = run("run", judged, "--output", tmp_path / "out", "-q")
        assert ran == (3, "", f"consensus: {tmp_path}/out/workers.csv: can't be written: no space left on device\n")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["j.csv"]


def test_a_standard_output_that_buffers(monkeypatch: pytest.MonkeyPatch) -> None:
    held = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(held))
    with pytest.raises(SystemExit) as left:
        __main__.main(["--version"])
    sys.stdout.flush()
    assert not left.value.code
    assert held.getvalue().startswith(b"consensus ")


def test_what_the_system_refuses(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cli, "app", refused)
    ran = run("demo")
    assert (ran.status, ran.out) == (3, "")
    assert "no space left on device" in ran.err
    assert ran.err.count("\n") == 1


def test_a_reader_that_is_gone_as_typer_says_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(**_: object) -> None:
        try:
            raise BrokenPipeError
        except BrokenPipeError:
            sys.exit(1)

    monkeypatch.setattr(cli, "app", gone)
    assert run("demo") == (__main__.BROKEN_PIPE, "", "")
