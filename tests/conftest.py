"""Shared by all tests: where the real data sets are, a way to run the command line, a small crowd."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from consensus.__main__ import main

ROOT = Path(__file__).parent.parent
DIGITS = ROOT / "data" / "digits"
DATASETS = Path(os.environ.get("CONSENSUS_DATASETS", ROOT.parent / "shared" / "datasets"))


class Ran(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run ``consensus ARGUMENTS`` in this process; without report.html, which takes a second, unless it is wanted."""

    def _run(*arguments: object, report: bool = False) -> Ran:
        capfdbinary.readouterr()
        if arguments[:1] == ("run",) and not report:
            arguments = (*arguments, "--no-report")
        with pytest.raises(SystemExit) as caught:
            main([str(one) for one in arguments])
        out, err = capfdbinary.readouterr()
        return Ran(int(caught.value.code or 0), out.decode(), err.decode())

    return _run


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Write a file into the test's folder."""

    def _write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return _write


@pytest.fixture(autouse="NUMBA_DISABLE_JIT" in os.environ)
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
