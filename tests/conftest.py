"""Shared by all tests: where the real data sets are, a way to run the command line; all tests run on all cores.

``pytest -n0`` runs them one after the other in this process, to debug; so does naming a file of tests.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings

# tests run on all cores already: threads of linear algebra would fight over them (before numpy is imported)
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from consensus.__main__ import main
from consensus.backends import usable_cores
from consensus.models import choice
from consensus.wording import ON_THE_COMMAND_LINE

ROOT = Path(__file__).parent.parent
DIGITS = ROOT / "data" / "digits"
DATASETS = Path(os.environ.get("CONSENSUS_DATASETS", ROOT.parent / "shared" / "datasets"))
AS_PLAIN_PYTHON = os.environ.get("NUMBA_DISABLE_JIT", "0") != "0"
FEW_EXAMPLES = 25

# how long an example takes says more about the machine, and what else it does, than about the code
settings.register_profile("compiled", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("plain", settings.get_profile("compiled"), max_examples=FEW_EXAMPLES, derandomize=True)
settings.load_profile("plain" if AS_PLAIN_PYTHON else "compiled")


def pytest_configure(config: pytest.Config) -> None:
    """Let warnings about results pass; named in the settings of pytest, they would be imported before lines count."""
    config.addinivalue_line("filterwarnings", "ignore::consensus.errors.ConsensusWarning")


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Without pytest-xdist (``-p no:xdist``), what pyproject.toml says to it means nothing."""
    if not pluginmanager.hasplugin("xdist"):
        for name in ("--numprocesses", "--dist"):
            parser.addoption(name, help="of pytest-xdist, which is not there")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One process a core for whole folders of tests; none beside this one for what is named more closely."""
    return usable_cores() if usable_cores() > 1 and all(Path(one).is_dir() for one in config.args) else 0


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile the loops once, before several processes would each do it."""
    several = session.config.pluginmanager.hasplugin("dsession")
    if several and not AS_PLAIN_PYTHON:
        subprocess.run([sys.executable, "-m", "tests.compiling"], cwd=ROOT, check=True)


class Ran(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes]) -> Iterator[Run]:
    """Run ``consensus ARGUMENTS`` in this process; without report.html, which takes a second, unless it is wanted."""
    handlers = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGHUP)}

    def _run(*arguments: object, report: bool = False) -> Ran:
        capfdbinary.readouterr()
        if arguments[:1] == ("run",) and not report:
            arguments = (*arguments, "--no-report")
        with pytest.raises(SystemExit) as caught:
            main([str(one) for one in arguments])
        out, err = capfdbinary.readouterr()
        return Ran(int(caught.value.code or 0), out.decode(), err.decode())

    yield _run
    for name, handler in handlers.items():  # the command took them over; a stopped test run is to stop
        signal.signal(name, handler)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Write a file into the test's folder."""

    def _write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return _write


@pytest.fixture(scope="module")
def by_dawid_skene() -> Iterator[None]:
    """Where no model is named, Dawid-Skene alone finds labels: for tests of it, and where a slower model tells no more.

    Not in other processes.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choice, "chosen", lambda _, __, settings: choice.Choice(settings.model or choice.ALONE))
        yield


@pytest.fixture
def as_written() -> Iterator[None]:
    """Messages are as they are written, with options of the command line: for tests of the sentences themselves."""
    token = ON_THE_COMMAND_LINE.set(True)
    yield
    ON_THE_COMMAND_LINE.reset(token)


@pytest.fixture(autouse=AS_PLAIN_PYTHON)
def _few_paths(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where loops are not compiled, look ahead along few paths: rougher, and soon done."""
    if request.node.get_closest_marker("every_path") is None:
        monkeypatch.setattr("consensus.escalation.paths.N_PATHS", 64)


def dataset(name: str) -> Path:
    """Folder of a real data set; the test is skipped where there is none."""
    if not (DATASETS / name).is_dir():
        pytest.skip(f"the real data set {name} is not in {DATASETS} (CONSENSUS_DATASETS names another folder)")
    return DATASETS / name


def csv(rows: Sequence[Sequence[object]], header: str = "item,worker,label") -> str:
    """Rows as CSV text."""
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"
