"""The public surface is a list, and nothing heavy stands behind the import."""

import inspect
import runpy
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import consensus
from tests.conftest import ROOT

PUBLIC = [
    "Consensus",
    "ConsensusError",
    "FitConfig",
    "Gold",
    "Judgments",
    "__version__",
    "audit",
    "escalate",
    "fit",
    "read",
    "read_gold",
    "simulate",
]


def test_exported_names() -> None:
    assert consensus.__all__ == PUBLIC == dir(consensus)
    for name in PUBLIC:
        assert getattr(consensus, name) is not None
        if name != "__version__":
            assert inspect.getdoc(getattr(consensus, name))
    with pytest.raises(AttributeError, match="module 'consensus' has no attribute 'nothing'"):
        _ = consensus.nothing


def test_versions_agree() -> None:
    assert consensus.__version__ == version("crowd-consensus")
    headings = [line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## ")]
    assert headings[0].split()[1] == consensus.__version__


def test_runs_as_a_module(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["consensus", "--version"])
    with pytest.raises(SystemExit), pytest.warns(RuntimeWarning, match="found in sys.modules"):
        runpy.run_module("consensus", run_name="__main__")
    assert consensus.__version__ in capsys.readouterr().out


@pytest.mark.parametrize("path", sorted((ROOT / "consensus").rglob("*.py")), ids=lambda path: path.name)
def test_modules_can_be_held_in_the_head(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
