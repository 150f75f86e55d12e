"""The public surface is a list, and nothing heavy stands behind the import."""

import inspect
import os
import runpy
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import consensus
from tests.conftest import ROOT

PUBLIC = [
    "AuditConfig",
    "Check",
    "Consensus",
    "ConsensusError",
    "ConsensusWarning",
    "EscalateConfig",
    "Evaluation",
    "Explanation",
    "FitConfig",
    "Gold",
    "Judgments",
    "ModelVotes",
    "Questions",
    "ReadConfig",
    "Replay",
    "Run",
    "RunConfig",
    "Stream",
    "__version__",
    "agreement",
    "audit",
    "check",
    "decide",
    "diff",
    "escalate",
    "evaluate",
    "fit",
    "load",
    "open",
    "plan_budget",
    "plan_gold",
    "read",
    "read_costs",
    "read_gold",
    "read_model_votes",
    "read_previous",
    "read_workers",
    "run",
    "run_by",
    "shares",
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
    released = [line for line in headings if line != "## Unreleased"]
    assert released[0].split()[1] == consensus.__version__
    assert f"version: {consensus.__version__}" in (ROOT / "CITATION.cff").read_text().splitlines()


@pytest.mark.parametrize(("argument", "status"), [("--version", 0), ("--versoin", 2)])
def test_runs_as_a_module(
    argument: str, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def leave(status: int) -> None:
        raise KeyboardInterrupt(status)  # stands in for the end of the process

    monkeypatch.setattr(os, "_exit", leave)
    monkeypatch.setattr(sys, "argv", ["consensus", argument])
    with pytest.raises(KeyboardInterrupt) as left, pytest.warns(RuntimeWarning, match="found in sys.modules"):
        runpy.run_module("consensus", run_name="__main__")
    assert left.value.args == (status,)
    told = capsys.readouterr()
    assert (consensus.__version__ in told.out) == (status == 0)
    assert ("there is no option" in told.err) == (status == 2)


@pytest.mark.parametrize("arguments", [["--version"], ["evaluate", "none.csv", "none.csv"], ["nothing"]])
def test_the_process_ends_with_the_status_of_the_command(arguments: list[str]) -> None:
    ran = subprocess.run([sys.executable, "-m", "consensus", *arguments], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == {"--version": 0, "evaluate": 1, "nothing": 2}[arguments[0]]
    assert ran.stdout if ran.returncode == 0 else ran.stderr


@pytest.mark.parametrize("path", sorted((ROOT / "consensus").rglob("*.py")), ids=lambda path: path.name)
def test_modules_can_be_held_in_the_head(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
