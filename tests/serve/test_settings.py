"""How a service is reached: what is refused before it starts."""

import importlib.util
import socket
from pathlib import Path
from typing import Any

import pytest

from consensus.errors import ConfigError
from consensus.serve import settings
from consensus.serve.settings import TOKEN, Reached, address, is_loopback
from tests.conftest import Run

GOOD = "0123456789abcdef"


@pytest.fixture(autouse=True)
def _no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN, raising=False)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.4", False),
        ("localhost.example.org", False),
        ("", False),
    ],
)
def test_beyond_loopback_it_takes_a_token(host: str, loopback: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_loopback(host) == loopback
    if loopback:
        assert Reached.of(host, 1).token is None
    else:
        with pytest.raises(ConfigError, match=f"set the environment variable {TOKEN} to 16 characters or more") as no:
            Reached.of(host, 1)
        assert no.value.code == "missing_input"
    monkeypatch.setenv(TOKEN, GOOD)
    assert Reached.of(host, 1) == Reached(host, 1, GOOD)


@pytest.mark.parametrize("token", [GOOD[:-1], "ü" * 16, "a" * 16 + "\n"])
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_weak_token_is_refused(token: str, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, token)
    with pytest.raises(ConfigError, match=f"variable {TOKEN} is too short, or holds more than plain ASCII; give 16"):
        Reached.of(host, 1)


def test_a_taken_port_and_a_host_of_nobody() -> None:
    with Reached("127.0.0.1", 0).bound() as one:
        one.listen()
        port = one.getsockname()[1]
        with pytest.raises(ConfigError, match=f"--port {port}: address already in use; choose another port"):
            Reached("127.0.0.1", port).bound()
    with pytest.raises(ConfigError, match="nowhere.invalid: there is no such host; name one of this machine"):
        Reached("nowhere.invalid", 1).bound()


def test_addresses() -> None:
    assert address("127.0.0.1", 80) == "http://127.0.0.1:80"
    assert address("::1", 80) == "http://[::1]:80"


@pytest.mark.parametrize("missing", ["fastapi", "uvicorn"])
def test_without_the_extra(missing: str, monkeypatch: pytest.MonkeyPatch, run: Run, tmp_path: Path) -> None:
    usual = importlib.util.find_spec

    def without(name: str, *more: Any) -> Any:
        return None if name == missing else usual(name, *more)

    monkeypatch.setattr(settings, "find_spec", without)
    said = "consensus: a service needs FastAPI and uvicorn; install crowd-consensus[serve]\n"
    assert run("serve", tmp_path) == (3, "", said)


def test_what_is_no_state_is_said_before_anything_is_served(run: Run, tmp_path: Path) -> None:
    ran = run("serve", tmp_path, "--port", "0", "--wait", "0")
    assert ran.status == 1
    assert ran.err.endswith("so it is no state; name the folder of a state\n")
    ran = run("serve", tmp_path, "--host", "0.0.0.0")
    assert ran.status == 3
    assert ran.err == (
        "consensus: --host 0.0.0.0 can be reached by other machines, and no token is set; set the environment variable "
        "CONSENSUS_TOKEN to 16 characters or more, or leave out --host\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run("serve", tmp_path, "--port", port).err == (
            f"consensus: --host 127.0.0.1 --port {port}: address already in use; choose another port, or 0 for a free "
            "one\n"
        )
