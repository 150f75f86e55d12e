"""The service as a process: it starts, answers, fits in the background, ends by a signal, and loses nothing."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from consensus.serve import server
from consensus.serve.settings import TOKEN, Reached
from tests.conftest import ROOT, Run

if TYPE_CHECKING:
    from tests.benchmarks import serve as load
else:  # scripts: their own folder is on the path
    sys.path.append(str(ROOT / "tests" / "benchmarks"))
    import serve as load

HERE = Reached("127.0.0.1", 0)


def until(found: Any, seconds: float = 60.0) -> None:
    """Wait until something is found."""
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(("access_log", "number"), [(False, signal.SIGINT), (True, signal.SIGTERM)])
def test_one_line_and_a_fit_in_the_background(
    folder: Path, run: Run, access_log: bool, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process, so that its lines count; who asks is a thread beside."""
    monkeypatch.delenv(TOKEN, raising=False)
    answers: list[tuple[int, Any]] = []
    usual = Reached.bound

    def bound(self: Reached) -> Any:
        found = usual(self)
        port = found.getsockname()[1]

        def ask() -> None:
            try:
                body = [{"item": "new", "worker": "u", "label": "label_0"}]
                until(lambda: _is_up(port))
                answers.append(load.request(port, "POST", "/judgments", body))
                until(lambda: load.request(port, "GET", "/items/new")[1]["status"] != "new")
                answers.append(load.request(port, "GET", "/items/new"))
            finally:
                os.kill(os.getpid(), number)

        threading.Thread(target=ask, daemon=True).start()
        return found

    monkeypatch.setattr(Reached, "bound", bound)
    options = ["--access-log"] if access_log else []
    before = signal.signal(number, signal.default_int_handler)  # a shell's jobs in the background ignore Ctrl-C
    ran = run("serve", folder, "--port", "0", "--refit-judgments", "1", *options)
    signal.signal(number, before)
    assert answers[0] == (200, {"new": 1, "corrected": 0, "repeated": 0})
    assert answers[1][1]["n_judgments"] == 1
    lines = ran.err.splitlines()
    assert lines[0].startswith(f"serving {folder} at http://127.0.0.1:")
    assert lines[0].endswith(": 360 judgments, 0 of them new")
    name = "Ctrl-C" if number == signal.SIGINT else "SIGTERM"
    assert lines[-1] == f"consensus: stopped by {name}; nothing is left half-written"
    assert ran.status == 128 + number
    assert len(lines) == 2 or access_log
    assert any('"POST /judgments HTTP/1.1" 200' in line for line in lines) == access_log
    logging.getLogger("uvicorn.access").handlers.clear()


def _is_up(port: int) -> bool:
    try:
        return load.request(port, "GET", "/summary")[0] == 200
    except OSError:
        return False


@pytest.mark.slow
def test_what_was_acknowledged_is_there_once_after_kill_9(tmp_path: Path) -> None:
    found = load.loaded(tmp_path, 4.0, n_clients=4, batch=20, n_items=300, seed=1)
    assert len(found.acknowledged) > 100
    assert (found.errors, found.lost, found.doubled, found.again) == ([], [], [], [])


@pytest.mark.slow
def test_next_is_timed(tmp_path: Path) -> None:
    found = load.next_times(tmp_path, 3_000, n_asked=5)
    assert found["judgments"] == 3_000
    assert 0.0 < found["next_median_ms"] <= found["next_99_ms"] <= found["next_most_ms"]


def test_a_service_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="it did not start: consensus: .*no such folder"):
        load.Service(tmp_path / "nowhere")
    assert load.milliseconds([]) == []


def test_nothing_of_it_is_loaded_for_other_commands() -> None:
    program = (
        "import sys, consensus.cli, consensus\nprint({'fastapi', 'uvicorn', 'consensus.state'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"
    assert server.PATIENCE > 0
