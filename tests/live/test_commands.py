"""The commands, as a user calls them."""

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from consensus.live import calls, pushing
from consensus.live import label_studio_server as serving
from consensus.state import State
from tests.conftest import ROOT, Run
from tests.live.receivers import receiving
from tests.live.stand_in import LEGACY, StandIn
from tests.live.test_label_studio_sync import crowd

SECRET = "a-secret-of-the-tests"
QUICK = ("--attempts", 1, "--timeout", 5)


@pytest.fixture
def result(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(pushing.SECRET, SECRET)
    rows = [f"i{item},w{worker},{(item * worker) % 3 % 2}" for item in range(30) for worker in range(4)]
    (tmp_path / "judgments.csv").write_text("item,worker,label\n" + "\n".join(rows) + "\n")
    told = run("run", tmp_path / "judgments.csv", "-o", tmp_path / "out", "--state", tmp_path / "state", "-q")
    assert told.status == 0, told.err
    return tmp_path / "out"


def test_a_result_is_pushed(result: Path, run: Run) -> None:
    with receiving() as receiver:
        told = run("push", result, "--url", receiver.url, "--page-size", 12, *QUICK)
    assert (told.status, told.out) == (0, "")
    assert told.err == f"3 pages arrived at {receiver.url}\n"
    assert sorted(receiver.items) == sorted(f"i{n}" for n in range(30))
    (printed,) = {len(page["rows"][0]) for page in receiver.taken.values()}
    assert printed > 8


def test_what_did_not_arrive_is_resumed(result: Path, run: Run) -> None:
    journal = result.with_name("out.push.jsonl")
    with receiving(200, 500) as receiver:
        first = run("push", result, "--url", receiver.url, "--page-size", 12, *QUICK)
        assert first.status == 3
        assert first.err.endswith(f"consensus: 1 page did not: {journal}; send them with --resume\n")
        again = run("push", result, "--url", receiver.url, "--page-size", 12, *QUICK)
        assert "go on with --resume" in again.err
        told = run("push", result, "--url", receiver.url, "--page-size", 12, "--resume", *QUICK)
    assert told.err == f"1 page arrived at {receiver.url}; 2 arrived before\n"
    assert len(receiver.items) == 30
    assert SECRET not in first.err + again.err + told.err


def test_the_last_fit_of_a_state_is_pushed(result: Path, run: Run) -> None:
    with receiving() as receiver:
        told = run("push", "--state", result.with_name("state"), "--url", receiver.url, "--table", "workers", *QUICK)
    assert told.status == 0, told.err
    (page,) = receiver.taken.values()
    assert {row["worker"] for row in page["rows"]} == {f"w{n}" for n in range(4)}
    assert run("push", result, "--state", result, "--url", "http://h").status == 2
    assert "give RESULT_DIR" in run("push", "--url", "http://h").err


def test_the_receiver_of_the_docs(result: Path, run: Run) -> None:
    (code,) = re.findall(r"^```py\n(.*?)^```", (ROOT / "docs/push.md").read_text(), flags=re.S | re.M)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", code, str(port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    url = f"http://127.0.0.1:{port}/"
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        assert run("push", result, "--url", url, "--page-size", 20).status == 0
        assert run("push", result, "--url", url, "--page-size", 20).status == 0  # the same pages again
        os.environ[pushing.SECRET] = "another-secret-of-the-tests"
        assert "answered 401" in run("push", result, "--url", url).err
    finally:
        process.terminate()
        out, _ = process.communicate(timeout=20)
    assert out.decode().splitlines() == ["labels, page 1 of 2: 20 rows", "labels, page 2 of 2: 10 rows"]


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    made = crowd(12)
    monkeypatch.setenv(serving.TOKEN, LEGACY)
    kept = calls.Caller

    def caller(url: str, patience: calls.Patience, secrets: tuple[str, ...]) -> calls.Caller:
        return kept(url, patience, secrets, transport=made.transport(), sleep=lambda _: None)

    monkeypatch.setattr(serving, "Caller", caller)
    return made


def test_a_project_is_synced(studio: StandIn, tmp_path: Path, run: Run) -> None:
    arguments = ("label-studio", "sync", "http://studio", "--project", 1, "--state", tmp_path / "state")
    dry = run(*arguments, "--dry-run")
    assert (dry.status, dry.out) == (0, "")
    assert dry.err == "36 judgments are new, 0 corrected, 0 taken back; new votes of 2 models\n"
    assert not (tmp_path / "state").exists()
    told = run(*arguments, "--target", "0.9")
    assert told.status == 0, told.err
    assert "12 predictions sent as consensus@" in told.err
    assert State.open(tmp_path / "state").config.target == 0.9
    assert len(studio.predictions()) == 12
    assert "is neither id nor email" in run(*arguments, "--worker", "name").err
    assert '"10" is no time; give one such as 30s, 10m or 1h' in run(*arguments, "--every", "10").err


def test_it_is_done_again_after_a_while(
    studio: StandIn, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    answers = [httpx.Response(503)] * 6  # the second sync fails at its first request

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 1:
            studio.fails = lambda *_: answers.pop() if answers else None
        if len(pauses) == 3:
            studio.fails = lambda *_: httpx.Response(401)

    monkeypatch.setattr("consensus.cli.syncing.time.sleep", sleep)
    told = run(
        *("label-studio", "sync", "http://studio", "--project", 1, "--state", tmp_path / "state", "--every", "10m")
    )
    assert pauses == [600, 600, 600]
    assert "the server answered 503 after 6 attempts; see to the server, and do it again; it is tried again in 10m" in (
        told.err
    )
    assert (told.status, told.err.count("0 judgments are new")) == (3, 1)
    assert "answered 401" in told.err
